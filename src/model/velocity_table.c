/* SPDX-License-Identifier: Apache-2.0 */
/* velocity_table.c - a table is made for one time, and grows where it must.
 *
 * Points of one call lie close together, so that a table begins with what they ask for
 * and is made anew, a quarter wider, when others fall outside.  Its values are one run
 * of a program that integrates (kernel.h, `costly`). */
#include "model/velocity_table.h"

#include <math.h>

/* Standard deviations between two values, and values at most: beyond, the step
 * grows, which happens far from all data only. */
static const double wanted_step = 0.04;

enum { MOST = 1 << 16, MARGIN = 2 };

sf_status sfi_velocity_table_new(sf_context *ctx, sfi_velocity_table **out,
                                 const sfi_kernel *k, double spread)
{
    *out = NULL;
    sfi_velocity_table *p = sfi_alloc_zero(ctx, 1, sizeof *p);
    if (p == NULL)
        return SF_E_NOMEM;
    p->ctx = ctx;
    p->spread = spread;
    p->t = NAN;
    sf_graph *g = NULL;
    sf_status status = sf_graph_new(ctx, &g);
    if (status == SF_OK) {
        const sf_node r = sf_input(g, "r", 0, NULL);
        const sf_node t = sf_param(g, "t", 0, NULL);
        const sf_output out_r = {
            sfi_kernel_costly(k, g, r, t, SFI_VELOCITY_TRAINING), SF_EACH};
        status = sf_program_new(ctx, &p->program, g, SF_F64, 1, &out_r);
    }
    sf_graph_free(g);
    if (status != SF_OK) {
        sfi_velocity_table_free(p);
        return status;
    }
    *out = p;
    return SF_OK;
}

void sfi_velocity_table_free(sfi_velocity_table *p)
{
    if (p == NULL)
        return;
    sf_program_free(p->program);
    sfi_free(p->ctx, p->at, p->capacity, sizeof *p->at);
    sfi_free(p->ctx, p->value, p->capacity, sizeof *p->value);
    sfi_free(p->ctx, p, 1, sizeof *p);
}

static sf_status reserve(sfi_velocity_table *p, int64_t count)
{
    if ((size_t)count <= p->capacity)
        return SF_OK;
    sfi_free(p->ctx, p->at, p->capacity, sizeof *p->at);
    sfi_free(p->ctx, p->value, p->capacity, sizeof *p->value);
    p->capacity = (size_t)count;
    p->at = sfi_alloc(p->ctx, p->capacity, sizeof *p->at);
    p->value = sfi_alloc(p->ctx, p->capacity, sizeof *p->value);
    if (p->at != NULL && p->value != NULL)
        return SF_OK;
    p->t = NAN;
    return SF_E_NOMEM;
}

sf_status sfi_velocity_table_cover(sfi_velocity_table *p, double t, double low,
                                   double high)
{
    if (p->t == t) {
        if (low >= p->low && high <= p->high)
            return SF_OK;
        /* A little more, so that the next points fit too. */
        const double room = 0.25 * (high - low);
        low = fmin(low - room, p->low);
        high = fmax(high + room, p->high);
    }
    double step = wanted_step * p->spread * t;
    step = fmax(step, (high - low) / (MOST - 2 * MARGIN - 2));
    const double before = floor(low / step) - MARGIN;
    const int64_t count = (int64_t)(ceil(high / step) - before) + MARGIN + 1;
    SFI_TRY(reserve(p, count));
    p->t = t;
    p->low = low;
    p->high = high;
    p->over_step = 1.0 / step;
    p->count = count;
    p->before = (int64_t)before;
    for (int64_t i = 0; i < count; i++)
        p->at[i] = (before + (double)i) * step;
    const void *const params[] = {&t};
    const sf_source source = {
        .kind = SF_ROWS, .data = p->at, .dtype = SF_F64, .stride = 1};
    const sf_sink sink = {p->value, SF_F64, 1};
    return sf_program_run(p->program, count, &source, params, &sink);
}
