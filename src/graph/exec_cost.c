/* SPDX-License-Identifier: Apache-2.0 */
/* exec_cost.c - what steps cost, which decides how many threads are worth it, and what
 * work space they need. */
#include "graph/exec_block.h"

enum {
    STEP_WORTH = 1 << 12, /* units of sfi_step_work(): less is not shared */
    MUCH = 1 << 16        /* units that an image is worth in any case     */
};

/* What an element-wise operation costs beside an addition. */
static const double price[] = {
#define EW(NAME, name, arity, scope, loop, cost, ...) cost,
#include "num/elementwise.def"
#undef EW
};

double sfi_step_work(const sfi_step *s)
{
    const double out = (double)sfi_shape_count(&s->out.shape);
    double in = 1.0, sum = 0.0;
    switch (s->kind) {
    case SFI_STEP_FUSED:
        for (int i = 0; i < s->fused->rank; i++)
            in *= (double)s->fused->extent[i];
        for (int i = 0; i < s->fused->instruction_count; i++)
            sum += price[s->fused->instructions[i].op];
        return in * sum;
    case SFI_STEP_MATMUL:
        return out * (double)s->in[0].shape.extent[1] / 8.0;
    case SFI_STEP_REDUCE_NT:
        return (double)sfi_shape_count(&s->in[0].shape) *
               (double)s->in[1].shape.extent[0] / 8.0;
    case SFI_STEP_CONV:
    case SFI_STEP_CONV_GRAD_X:
    case SFI_STEP_CONV_GRAD_W:
    case SFI_STEP_REDUCE_CONV:
        return MUCH;
    default:
        for (int i = 0; i < s->in_count; i++)
            in += (double)sfi_shape_count(&s->in[i].shape);
        return in;
    }
}

/* Of a kernel, whose gradient a sum over points is. */
static int64_t taps_of(const sfi_step *s)
{
    const sfi_shape *x = &s->in[0].shape, *dy = &s->in[1].shape;
    return (x->extent[1] + 2 * s->pad - dy->extent[1] + 1) *
           (x->extent[2] + 2 * s->pad - dy->extent[2] + 1);
}

/* How many pieces a step can be cut into. */
static int64_t pieces(const sfi_point_block *b, const sfi_step *s)
{
    const sfi_shape *out = &s->out.shape;
    const sfi_shape *in = s->in_count > 0 ? &s->in[0].shape : NULL;
    switch (s->kind) {
    case SFI_STEP_FUSED:
        return 2;
    case SFI_STEP_MATMUL:
        return out->extent[0] / SFI_WHOLE_ROWS;
    case SFI_STEP_REDUCE_NT:
        return in->extent[0] / SFI_WHOLE_SUMS;
    case SFI_STEP_REDUCE_CONV:
        return in->extent[0] / sfi_whole_channels(taps_of(s));
    case SFI_STEP_CONV:
    case SFI_STEP_CONV_GRAD_X:
        if (!sfi_varies(b, s->in[0].buffer) || sfi_varies(b, s->in[1].buffer))
            return 1;
        return s->kind == SFI_STEP_CONV ? out->extent[1] : out->extent[0];
    case SFI_STEP_POOL:
    case SFI_STEP_UPSAMPLE:
        return s->varies ? in->extent[0] : 1;
    default:
        return 1;
    }
}

bool sfi_step_shared(const sfi_point_block *b, const sfi_step *s)
{
    return pieces(b, s) >= 2 && sfi_step_work(s) * (double)b->ld >= STEP_WORTH;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Work space that the products and convolutions of one step need. */
static void measure_step(sfi_exec *e, const sfi_step *s)
{
    const sfi_loops *l = e->loops;
    const int64_t ld = e->ld_max;
    int64_t m, n, k, p, wide;
    switch (s->kind) {
    case SFI_STEP_MATMUL:
        m = s->in[0].shape.extent[0];
        k = s->in[0].shape.extent[1];
        n = s->in[1].shape.extent[1];
        e->pack_bytes = larger(e->pack_bytes, l->gemm_work(m, n * ld, k));
        e->pack_bytes = larger(e->pack_bytes, l->gemm_work(n, ld, k));
        break;
    case SFI_STEP_REDUCE_NT:
        m = s->in[0].shape.extent[0];
        p = s->in[0].shape.extent[1] * ld;
        n = s->in[1].shape.extent[0];
        e->pack_bytes = larger(e->pack_bytes, l->gemm_nt_work(m, n, p));
        break;
    case SFI_STEP_CONV:
    case SFI_STEP_CONV_GRAD_X:
        k = sfi_shape_count(&s->in[1].shape) / s->in[1].shape.extent[0];
        m = s->in[1].shape.extent[0];
        wide = (s->kind == SFI_STEP_CONV ? s->out : s->in[0]).shape.extent[2];
        e->pack_bytes = larger(e->pack_bytes, l->gemm_work(m, wide * ld, k));
        e->pack_bytes = larger(e->pack_bytes, l->gemm_work(k, wide * ld, m));
        e->column_bytes =
            larger(e->column_bytes, (size_t)(k * wide * ld) * e->elem);
        break;
    case SFI_STEP_REDUCE_CONV: {
        const sfi_shape *x = &s->in[0].shape, *dy = &s->in[1].shape;
        k = x->extent[0] * (x->extent[1] + 2 * s->pad - dy->extent[1] + 1) *
            (x->extent[2] + 2 * s->pad - dy->extent[2] + 1);
        wide = dy->extent[2];
        e->pack_bytes =
            larger(e->pack_bytes, l->gemm_nt_work(dy->extent[0], k, wide * ld));
        e->column_bytes =
            larger(e->column_bytes, (size_t)(k * wide * ld) * e->elem);
        break;
    }
    default:
        break;
    }
}

void sfi_measure_steps(sfi_exec *e)
{
    const sfi_plan *plan = e->plan;
    for (size_t i = 0; i < plan->step_count; i++)
        measure_step(e, &plan->steps[i]);
    e->temp_bytes = larger(SFI_STRIP_BYTES, (size_t)(plan->temp_rows + 1) * 4 *
                                                SFI_ROW_MULTIPLE * e->elem);
}
