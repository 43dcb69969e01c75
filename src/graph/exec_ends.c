/* SPDX-License-Identifier: Apache-2.0 */
/* exec_ends.c - where the numbers of a block come from and where they go: rows of the
 * caller's tables, draws, rows of results, and sums over points.
 *
 * Sums and products over points accumulate for each lane, which is one thread's, so
 * that nobody waits; exec_cpu.c adds the lanes. */
#include "graph/exec_block.h"

/* ---- rows of boxes ---------------------------------------------------------- */

static void load_row(const sfi_point_block *b, const sfi_step *s)
{
    const sf_source *src = &b->run->sources[s->index];
    const sf_box *box = b->run->box;
    const int64_t dim = sfi_shape_count(&s->out.shape);
    const size_t bytes = sf_dtype_size(src->dtype);
    const int64_t step = src->steps[box->rank - 1];
    const char *from = sfi_source_at(src, box, b->at);
    const bool first_only = b->e->numbers[s->out.buffer] == SFI_NUMBER;
    const int64_t padded = first_only ? b->e->loops->lanes : b->ld;
    const int64_t points = b->points < padded ? b->points : padded;
    for (int64_t j = 0; j < dim; j++)
        b->e->loops->load(sfi_address(b, s->out.buffer, j), b->ld,
                          from + (size_t)(j * src->stride) * bytes, src->dtype,
                          step, NULL, points, padded, 1);
}

static void store_row(const sfi_point_block *b, const sfi_step *s)
{
    const sf_box_sink *sink = &b->run->box_sinks[s->index];
    const sf_box *box = b->run->box;
    const size_t bytes = sf_dtype_size(sink->to.dtype);
    char *to = sfi_sink_at(sink, box, b->at);
    const sfi_view *in = &s->in[0];
    sfi_walk k = sfi_walk_start(&in->shape, 1, &in);
    do {
        b->e->loops->store(to, sink->to.dtype, sink->steps[box->rank - 1],
                           sfi_address(b, in->buffer, k.at[0]), b->ld,
                           b->points, 1);
        to += sink->to.stride * (int64_t)bytes;
    } while (sfi_walk_next(&k));
}

static void fill_box(const sfi_point_block *b, const sfi_view *v,
                     const sf_box_sink *sink)
{
    const sf_box *box = b->run->box;
    const size_t bytes = sf_dtype_size(sink->to.dtype);
    int64_t at[SF_BOX_AXES] = {0};
    if (b->run->points == 0)
        return;
    do {
        char *row = sfi_sink_at(sink, box, at);
        sfi_walk k = sfi_walk_start(&v->shape, 1, &v);
        for (int64_t j = 0; j == 0 || sfi_walk_next(&k); j++) {
            const double value = sfi_get(b, v, k.at[0]);
            for (int64_t i = 0; i < box->extent[box->rank - 1]; i++)
                sfi_number_put(sink->to.dtype,
                               row + j * sink->to.stride * (int64_t)bytes,
                               i * sink->steps[box->rank - 1], value);
        }
    } while (sfi_next_row(box, at));
}

/* ---- rows of tables --------------------------------------------------------- */

void sfi_step_load(const sfi_point_block *b, const sfi_step *s)
{
    const sfi_exec *e = b->e;
    const sf_source *src = &b->run->sources[s->index];
    const int64_t dim = sfi_shape_count(&s->out.shape);
    char *dst = sfi_address(b, s->out.buffer, 0);
    if (src->kind == SF_GRID) {
        load_row(b, s);
        return;
    }
    if (src->kind == SF_ROWS) {
        const size_t skip =
            src->rows != NULL
                ? 0
                : (size_t)(b->first * src->stride) * sf_dtype_size(src->dtype);
        const int64_t *rows = src->rows != NULL ? src->rows + b->first : NULL;
        e->loops->load(dst, b->ld, (const char *)src->data + skip, src->dtype,
                       src->stride, rows, b->points, b->ld, dim);
        return;
    }
    const sfi_where where = {src->seed, src->first_point + (uint64_t)b->first,
                             src->step, (sfi_stream)src->stream};
    if (src->kind == SF_NORMAL)
        e->loops->normal(dst, b->ld, where, src->first_component, b->ld, dim);
    else
        e->loops->uniform(dst, b->ld, where, src->first_component, b->ld, dim);
}

void sfi_step_store(const sfi_point_block *b, const sfi_step *s)
{
    if (b->run->box != NULL) {
        store_row(b, s);
        return;
    }
    const sfi_view *in = &s->in[0];
    const sf_sink *sink = &b->run->sinks[s->index];
    const size_t bytes = sf_dtype_size(sink->dtype);
    char *dst = (char *)sink->data + (size_t)(b->first * sink->stride) * bytes;
    const sfi_loops *l = b->e->loops;
    if (sfi_view_contiguous(in)) {
        l->store(dst, sink->dtype, sink->stride,
                 sfi_address(b, in->buffer, in->offset), b->ld, b->points,
                 sfi_shape_count(&in->shape));
        return;
    }
    sfi_walk k = sfi_walk_start(&in->shape, 1, &in);
    do {
        l->store(dst, sink->dtype, sink->stride,
                 sfi_address(b, in->buffer, k.at[0]), b->ld, b->points, 1);
        dst += bytes;
    } while (sfi_walk_next(&k));
}

void sfi_step_reduce(const sfi_point_block *b, const sfi_step *s)
{
    const sfi_exec *e = b->e;
    const sfi_view *in = &s->in[0];
    double *sum = e->sums + (int64_t)b->lane * e->plan->sum_comps +
                  e->plan->outputs[s->index].sum_offset;
    sfi_walk k = sfi_walk_start(&in->shape, 1, &in);
    do
        *sum++ += e->loops->sum(sfi_address(b, in->buffer, k.at[0]), b->points);
    while (sfi_walk_next(&k));
}

char *sfi_product_sum(const sfi_point_block *b, const sfi_step *s, bool *begun)
{
    const sfi_exec *e = b->e;
    *begun = !b->begins || e->first[s->index] != s;
    return e->products + (size_t)((int64_t)b->lane * e->plan->product_comps +
                                  e->plan->outputs[s->index].product_offset) *
                             e->elem;
}

static void clear_padding(const sfi_point_block *b, const sfi_view *v)
{
    const size_t elem = b->e->elem;
    const size_t tail = (size_t)(b->ld - b->points) * elem;
    sfi_walk k = sfi_walk_start(&v->shape, 1, &v);
    do
        memset(sfi_address(b, v->buffer, k.at[0]) + (size_t)b->points * elem, 0,
               tail);
    while (sfi_walk_next(&k));
}

bool sfi_step_has_padding(const sfi_point_block *b, const sfi_step *s)
{
    return b->points < b->ld &&
           (s->kind == SFI_STEP_REDUCE_NT || s->kind == SFI_STEP_REDUCE_CONV);
}

/* Both factors, since 0 * NaN is NaN. */
void sfi_clear_factors(const sfi_point_block *b, const sfi_step *s)
{
    clear_padding(b, &s->in[0]);
    clear_padding(b, &s->in[1]);
}

void sfi_step_reduce_nt(const sfi_point_block *b, const sfi_step *s)
{
    const sfi_view *x = &s->in[0], *y = &s->in[1];
    bool begun;
    char *sum = sfi_product_sum(b, s, &begun);
    const int64_t n = y->shape.extent[0];
    int64_t from, to;
    sfi_large_part_of(b, x->shape.extent[0], SFI_WHOLE_SUMS, &from, &to);
    if (from == to)
        return; /* more threads than tiles */
    const sfi_gemm_nt g = {
        .m = to - from,
        .n = n,
        .p = x->shape.extent[1] * b->ld,
        .a = sfi_address(b, x->buffer, x->offset + from * x->stride[0]),
        .lda = x->stride[0] * b->ld,
        .b = sfi_address(b, y->buffer, y->offset),
        .ldb = y->stride[0] * b->ld,
        .c = sum + (size_t)(from * n) * b->e->elem,
        .ldc = n,
        .accumulate = begun};
    b->e->loops->gemm_nt(&g, b->w->pack);
}

void sfi_write_uniform(const sfi_point_block *b, int output)
{
    const sfi_plan_output *o = &b->e->plan->outputs[output];
    const sf_sink *sink = sfi_sink_of(b->run, output);
    const sfi_view *v = &o->value;
    if (b->run->box != NULL && o->reduce == SF_EACH) {
        fill_box(b, v, &b->run->box_sinks[output]);
        return;
    }
    sfi_walk k = sfi_walk_start(&v->shape, 1, &v);
    int64_t j = 0;
    do {
        const double value = sfi_get(b, v, k.at[0]);
        if (o->reduce == SF_SUM)
            sfi_number_put(sink->dtype, sink->data, j,
                           value * (double)b->run->points);
        else
            for (int64_t i = 0; i < b->run->points; i++)
                sfi_number_put(sink->dtype, sink->data, i * sink->stride + j,
                               value);
        j++;
    } while (sfi_walk_next(&k));
}
