/* SPDX-License-Identifier: Apache-2.0 */
/* exec_steps.c - one step of a plan: those that only move numbers, and sums within a
 * point, here; the others in exec_fused.c, exec_products.c, exec_convolutions.c and
 * exec_ends.c. */
#include "graph/exec_block.h"

/* ---- copies ----------------------------------------------------------------- */

static void copy_view(const sfi_point_block *b, const sfi_view *out,
                      const sfi_view *in)
{
    const sfi_view *const both[2] = {out, in};
    sfi_walk k = sfi_walk_start(&in->shape, 2, both);
    const bool row_in = sfi_varies(b, in->buffer);
    const bool row_out = sfi_varies(b, out->buffer);
    do {
        char *to = sfi_address(b, out->buffer, k.at[0]);
        const char *from = sfi_address(b, in->buffer, k.at[1]);
        if (row_out)
            sfi_copy_row(b, to, from, row_in);
        else
            memcpy(to, from, b->e->elem);
    } while (sfi_walk_next(&k));
}

static void step_concat(const sfi_point_block *b, const sfi_step *s)
{
    int64_t first = 0;
    for (int i = 0; i < s->in_count; i++) {
        sfi_view part = s->out;
        const int64_t extent = s->in[i].shape.extent[s->index];
        part.offset += first * part.stride[s->index];
        part.shape.extent[s->index] = extent;
        copy_view(b, &part, &s->in[i]);
        first += extent;
    }
}

/* ---- sums within a point ---------------------------------------------------- */

static void step_sum(const sfi_point_block *b, const sfi_step *s)
{
    const sfi_view *in = &s->in[0];
    const int64_t kept = sfi_shape_count(&s->out.shape);
    const int64_t summed = sfi_shape_count(&in->shape) / kept;
    sfi_shape outer = in->shape;
    const int last = outer.rank - 1;
    int64_t length = 1, stride = 0;
    if (s->varies && last >= 0 && summed % outer.extent[last] == 0) {
        length = outer.extent[last];
        stride = in->stride[last] * b->ld;
        outer.rank--;
    }
    sfi_walk k = sfi_walk_start(&outer, 1, &in);
    for (int64_t i = 0; i < kept; i++) {
        char *dst = sfi_address(b, s->out.buffer, i);
        double total = 0.0;
        for (int64_t j = 0; j < summed; j += length) {
            if (s->varies)
                b->e->loops->sum_rows(dst, sfi_address(b, in->buffer, k.at[0]),
                                      stride, length, b->ld, j > 0);
            else
                total += sfi_get(b, in, k.at[0]);
            (void)sfi_walk_next(&k);
        }
        if (!s->varies)
            sfi_put(b, &s->out, i, total);
    }
}

/* ---- running ---------------------------------------------------------------- */

void sfi_run_step(const sfi_point_block *b, const sfi_step *s)
{
    switch (s->kind) {
    case SFI_STEP_LOAD:
        sfi_step_load(b, s);
        break;
    case SFI_STEP_FUSED:
        sfi_step_fused(b, s);
        break;
    case SFI_STEP_COPY:
        copy_view(b, &s->out, &s->in[0]);
        break;
    case SFI_STEP_PAD:
        sfi_clear_view(b, &s->out);
        copy_view(b, &s->window, &s->in[0]);
        break;
    case SFI_STEP_CONCAT:
        step_concat(b, s);
        break;
    case SFI_STEP_SUM:
        step_sum(b, s);
        break;
    case SFI_STEP_MATMUL:
        sfi_step_matmul(b, s);
        break;
    case SFI_STEP_CONV:
        sfi_step_conv(b, s);
        break;
    case SFI_STEP_CONV_GRAD_X:
        sfi_step_conv_grad_x(b, s);
        break;
    case SFI_STEP_CONV_GRAD_W:
        sfi_step_conv_grad_w(b, s);
        break;
    case SFI_STEP_POOL:
    case SFI_STEP_UPSAMPLE:
        sfi_step_resample(b, s);
        break;
    case SFI_STEP_STORE:
        sfi_step_store(b, s);
        break;
    case SFI_STEP_REDUCE:
        sfi_step_reduce(b, s);
        break;
    case SFI_STEP_REDUCE_NT:
        if (b->parts == 1 && sfi_step_has_padding(b, s))
            sfi_clear_factors(b, s);
        sfi_step_reduce_nt(b, s);
        break;
    case SFI_STEP_REDUCE_CONV:
        if (b->parts == 1 && sfi_step_has_padding(b, s))
            sfi_clear_factors(b, s);
        sfi_step_reduce_conv(b, s);
        break;
    }
}

/* Several threads share the steps that are worth it, and wait for each other before and
 * after; the first does the others. */
static void run_together(const sfi_point_block *b)
{
    const sfi_plan *plan = b->e->plan;
    sfi_point_block alone = *b;
    alone.part = 0;
    alone.parts = 1;
    bool before = false;
    for (size_t i = plan->uniform_steps; i < plan->step_count; i++) {
        const sfi_step *s = &plan->steps[i];
        const bool now = sfi_step_shared(b, s);
        if (now || before) {
#pragma omp barrier
        }
        if (now && sfi_step_has_padding(b, s)) {
            if (b->part == 0)
                sfi_clear_factors(b, s);
#pragma omp barrier
        }
        if (now)
            sfi_run_step(b, s);
        else if (b->part == 0)
            sfi_run_step(&alone, s);
        before = now;
    }
#pragma omp barrier
}

/* A block of one thread is not copied: that would wait until all that it has stored so
 * far is in the cache, a third of the time of a cheap program over a box. */
void sfi_run_block(const sfi_point_block *b)
{
    const sfi_plan *plan = b->e->plan;
    if (b->parts > 1) {
        run_together(b);
        return;
    }
    for (int i = 0; b->is_in_place && i < b->e->rest_count; i++)
        sfi_run_step(b, &plan->steps[b->e->rest[i]]);
    for (size_t i = plan->uniform_steps;
         !b->is_in_place && i < plan->step_count; i++)
        sfi_run_step(b, &plan->steps[i]);
}
