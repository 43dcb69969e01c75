/* SPDX-License-Identifier: Apache-2.0 */
/* classes.c - the programs of a layer: one for each class of points, made when it is first
 * met, and run over the boxes of such points. */
#include "calc/pass.h"

#include <string.h>

static bool is_closed(const sfi_pass_state *p, int axis)
{
    return sf_grid_axis(p->c->grid, axis)->period > 0.0;
}

void sfi_layer_classes(const sfi_pass_state *p, sfi_layer *l)
{
    for (int k = 0; k < p->rank; k++) {
        const int64_t n = l->extent[k];
        const int64_t near_end =
            is_closed(p, k) || !(l->mask >> k & 1u) ? 0 : l->radius[k];
        sfi_span_class *s = l->spans[k];
        int m = 0;
        const bool all = n <= 2 * near_end;
        for (int64_t i = 0; i < (all ? n : near_end); i++)
            s[m++] = (sfi_span_class){i, i + 1, true};
        if (!all)
            s[m++] = (sfi_span_class){near_end, n - near_end, false};
        for (int64_t i = n - near_end; i < n && !all; i++)
            s[m++] = (sfi_span_class){i, i + 1, true};
        l->span_count[k] = m;
    }
}

/* ---- programs --------------------------------------------------------------------------- */

static void free_program(sfi_calc *c, sfi_calc_program *k)
{
    for (size_t i = 0; i < k->e.ring_count; i++) {
        if (k->rings != NULL)
            free_program(c, &k->rings[i]);
        if (k->ring_means != NULL)
            sfi_free(c->ctx, k->ring_means[i], k->ring_points, sizeof(double));
    }
    sfi_free(c->ctx, k->rings, k->e.ring_count, sizeof *k->rings);
    sfi_free(c->ctx, k->ring_means, k->e.ring_count, sizeof *k->ring_means);
    sfi_free(c->ctx, k->sources, k->source_count, sizeof *k->sources);
    sf_program_free(k->program);
    sfi_expansion_free(&k->e);
}

static sf_status make_program(sfi_pass_state *p, sfi_calc_program *k, int count,
                              const sf_node *terms, const int *offset)
{
    sfi_calc *c = p->c;
    sf_output outputs[SFI_CALC_MOST_OUTPUTS * SFI_CALC_MOST_COMPONENTS];
    SFI_TRY(sfi_expansion_new(c, &k->e, &k->at));
    for (int r = 0; r < count; r++)
        outputs[r] = (sf_output){sfi_expand(&k->e, terms[r], offset), SF_EACH};
    SFI_TRY(sf_graph_status(k->e.graph));
    SFI_TRY(sf_program_new(c->ctx, &k->program, k->e.graph, sfi_calc_dtype(c),
                           count, outputs));
    k->source_count = k->e.graph->input_count;
    k->sources = sfi_alloc_zero(c->ctx, k->source_count, sizeof *k->sources);
    if (k->sources == NULL && k->source_count > 0)
        return SF_E_NOMEM;
    if (k->e.ring_count == 0)
        return SF_OK;
    const int lon = sf_grid_find_role(c->grid, SF_ROLE_LON);
    const int lat = sf_grid_find_role(c->grid, SF_ROLE_LAT);
    k->ring_points = 1;
    for (int a = 0; a < p->rank; a++)
        if (a != lon && a != lat)
            k->ring_points *= (size_t)p->extent[a];
    k->rings = sfi_alloc_zero(c->ctx, k->e.ring_count, sizeof *k->rings);
    k->ring_means =
        sfi_alloc_zero(c->ctx, k->e.ring_count, sizeof *k->ring_means);
    if (k->rings == NULL || k->ring_means == NULL)
        return SF_E_NOMEM;
    for (size_t i = 0; i < k->e.ring_count; i++) {
        k->ring_means[i] = sfi_alloc(c->ctx, k->ring_points, sizeof(double));
        if (k->ring_means[i] == NULL)
            return SF_E_NOMEM;
        k->rings[i].at = k->at;
        SFI_TRY(make_program(p, &k->rings[i], 1, &k->e.rings[i].term,
                             k->e.rings[i].offset));
    }
    return SF_OK;
}

static bool same_position(const sfi_pass_state *p, const sfi_position *a,
                          const sfi_position *b)
{
    for (int k = 0; k < p->rank; k++)
        if (a->is_single[k] != b->is_single[k] ||
            (a->is_single[k] && a->index[k] != b->index[k]))
            return false;
    return true;
}

static sf_status program_at(sfi_pass_state *p, sfi_layer *l,
                            const sfi_position *at, sfi_calc_program **out)
{
    static const int here[SF_MAX_AXES] = {0};
    sf_context *ctx = p->c->ctx;
    for (size_t i = 0; i < l->program_count; i++)
        if (same_position(p, &l->programs[i]->at, at)) {
            *out = l->programs[i];
            return SF_OK;
        }
    sfi_calc_program **grown = sfi_grow(ctx, l->programs, &l->program_capacity,
                                        l->program_count + 1, sizeof *grown);
    if (grown == NULL)
        return SF_E_NOMEM;
    l->programs = grown;
    sfi_calc_program *k = sfi_alloc_zero(ctx, 1, sizeof *k);
    if (k == NULL)
        return SF_E_NOMEM;
    k->at = *at;
    l->programs[l->program_count++] = k;
    *out = k;
    return make_program(p, k, l->root_count, l->roots, here);
}

/* ---- boxes --------------------------------------------------------------------------------- */

/* A box of a slab: `first` are indices of the domain. */
typedef struct sub_box {
    int64_t first[SF_MAX_AXES], count[SF_MAX_AXES];
} sub_box;

static sf_source array_source(const sfi_pass_state *p, const void *data,
                              sf_dtype dtype, const int64_t *step)
{
    sf_source s = {.kind = SF_GRID, .data = data, .dtype = dtype};
    for (int k = 0; k < p->rank; k++)
        s.steps[k] = step[k];
    return s;
}

static sf_source slab_source(const sfi_pass_state *p, const sfi_slab *s,
                             const int64_t *at)
{
    return array_source(p, sfi_slab_address(s, at), s->dtype, s->step);
}

/* The slab of a stored term. */
static const sfi_slab *stored_values(const sfi_pass_state *p, int stored)
{
    int i = 0;
    while (p->layers[i]->stored != stored)
        i++;
    return &p->layers[i]->values[0];
}

static sf_source source_of(const sfi_pass_state *p, const sfi_calc_program *k,
                           const sub_box *b, const sfi_read *r)
{
    static const int64_t still[SF_MAX_AXES] = {0};
    const sfi_calc *c = p->c;
    int64_t at[SF_MAX_AXES] = {0}, step[SF_MAX_AXES] = {0};
    for (int a = 0; a < p->rank; a++)
        at[a] = b->first[a] + r->offset[a];
    switch (r->kind) {
    case SFI_READ_FIELD:
        return slab_source(p, &p->inputs[r->index], at);
    case SFI_READ_STORED:
        return slab_source(p, stored_values(p, r->index), at);
    case SFI_READ_TABLE: {
        const sfi_table *t = &c->tables[r->index];
        step[t->axis] = 1;
        return array_source(p, t->block + SFI_TABLE_PAD + at[t->axis], SF_F64,
                            step);
    }
    case SFI_READ_STAGE: {
        const sfi_stage *s = &c->stages[r->index];
        memcpy(step, s->values.step, sizeof step);
        if (s->is_monthly) { /* boxes have one time */
            const int t = sf_grid_find_role(c->grid, SF_ROLE_T);
            at[t] = sfi_axis_month(c, at[t]);
            step[t] = 0;
        }
        return array_source(p, sfi_slab_at(&s->values, at), SF_F64, step);
    }
    case SFI_READ_RING: {
        const int lon = sf_grid_find_role(c->grid, SF_ROLE_LON);
        const int lat = sf_grid_find_role(c->grid, SF_ROLE_LAT);
        int64_t size = 1;
        for (int a = p->rank - 1; a >= 0; a--)
            if (a != lon && a != lat) {
                step[a] = size;
                size *= b->count[a];
            }
        return array_source(p, k->ring_means[r->index], SF_F64, step);
    }
    }
    return array_source(p, NULL, SF_F64, still);
}

static sf_status run_program(sfi_pass_state *p, sfi_calc_program *k,
                             const sub_box *b, const sf_box_sink *sinks);

/* The mean along the longitudes for each point of the other axes. */
static sf_status run_ring(sfi_pass_state *p, sfi_calc_program *k, size_t i,
                          const sub_box *b)
{
    const sfi_calc *c = p->c;
    const int lon = sf_grid_find_role(c->grid, SF_ROLE_LON);
    const int lat = sf_grid_find_role(c->grid, SF_ROLE_LAT);
    const int64_t n = b->count[lon];
    const size_t size = k->ring_points * (size_t)n;
    double *row = sfi_alloc(c->ctx, size, sizeof *row);
    if (row == NULL)
        return SF_E_NOMEM;
    sf_box_sink sink = {.to = {row, SF_F64, 0}};
    int64_t step = n;
    sink.steps[lon] = 1;
    for (int a = p->rank - 1; a >= 0; a--)
        if (a != lon && a != lat) {
            sink.steps[a] = step;
            step *= b->count[a];
        }
    const sf_status status = run_program(p, &k->rings[i], b, &sink);
    for (int64_t at = 0; at < step / n && status == SF_OK; at++) {
        double sum = 0.0, weights = 0.0;
        for (int64_t j = 0; j < n; j++) {
            const double w = sfi_axis_weight(c, lon, j);
            sum += w * row[at * n + j];
            weights += w;
        }
        k->ring_means[i][at] = sum / weights;
    }
    sfi_free(c->ctx, row, size, sizeof *row);
    return status;
}

static sf_status run_program(sfi_pass_state *p, sfi_calc_program *k,
                             const sub_box *b, const sf_box_sink *sinks)
{
    for (size_t i = 0; i < k->e.ring_count; i++)
        SFI_TRY(run_ring(p, k, i, b));
    for (size_t i = 0; i < k->e.read_count; i++)
        k->sources[i] = source_of(p, k, b, &k->e.reads[i]);
    sf_box box = {.rank = p->rank};
    memcpy(box.extent, b->count, sizeof box.extent);
    return sf_program_run_box(k->program, &box, k->sources, NULL, sinks);
}

static sf_status run_box(sfi_pass_state *p, sfi_layer *l,
                         const sfi_position *at, const sub_box *b)
{
    sfi_calc_program *k = NULL;
    sf_box_sink sinks[SFI_CALC_MOST_OUTPUTS * SFI_CALC_MOST_COMPONENTS];
    SFI_TRY(program_at(p, l, at, &k));
    for (int r = 0; r < l->root_count; r++) {
        sfi_slab *v = &l->values[r];
        sinks[r] =
            (sf_box_sink){.to = {sfi_slab_address(v, b->first), v->dtype, 0}};
        memcpy(sinks[r].steps, v->step, sizeof sinks[r].steps);
    }
    return run_program(p, k, b, sinks);
}

/* All boxes of indices [from, to) of the slow axis. */
static sf_status run_boxes(sfi_pass_state *p, sfi_layer *l, int axis,
                           sfi_position *at, sub_box *b, int64_t from,
                           int64_t to)
{
    if (axis == p->rank)
        return run_box(p, l, at, b);
    const int t = sf_grid_find_role(p->c->grid, SF_ROLE_T);
    for (int s = 0; s < l->span_count[axis]; s++) {
        sfi_span_class here = l->spans[axis][s];
        if (axis == p->slow && l->mask >> axis & 1u && is_closed(p, axis)) {
            here.from = from; /* on and on */
            here.to = to;
        } else if (axis == p->slow && l->mask >> axis & 1u) {
            here.from = here.from < from ? from : here.from;
            here.to = here.to > to ? to : here.to;
        }
        if (here.from >= here.to)
            continue;
        at->is_single[axis] = here.is_single;
        at->index[axis] = here.is_single ? here.from : 0;
        const int64_t whole = here.to - here.from;
        const int64_t each = p->by_time && axis == t ? 1 : whole;
        for (int64_t i = here.from; i < here.to; i += each) {
            b->first[axis] = i;
            b->count[axis] = each;
            SFI_TRY(run_boxes(p, l, axis + 1, at, b, from, to));
        }
    }
    return SF_OK;
}

sf_status sfi_layer_run(sfi_pass_state *p, sfi_layer *l, int64_t from,
                        int64_t to)
{
    sfi_position at = {{false}, {0}};
    sub_box b = {{0}, {0}};
    p->c->own = l->stored;
    const sf_status status = run_boxes(p, l, 0, &at, &b, from, to);
    p->c->own = -1;
    return status;
}

void sfi_layer_free_programs(sfi_calc *c, sfi_layer *l)
{
    for (size_t i = 0; i < l->program_count; i++) {
        free_program(c, l->programs[i]);
        sfi_free(c->ctx, l->programs[i], 1, sizeof **l->programs);
    }
    sfi_free(c->ctx, l->programs, l->program_capacity, sizeof *l->programs);
}
