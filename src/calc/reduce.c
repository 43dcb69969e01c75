/* SPDX-License-Identifier: Apache-2.0 */
/* reduce.c - sums, means and extremes over axes.
 *
 * A reduction is a pass over what is reduced, and then an array over the axes that are
 * left, which other terms read like a field.  Missing values are left out, and the
 * weights of the others count; with o.any_missing they are not. */
#include "calc/calculation.h"

#include <math.h>
#include <string.h>

/* ---- collecting -------------------------------------------------------------------- */

typedef struct collection {
    sfi_calc *c;
    sfi_reduction how;
    int t; /* the axis that becomes months, or -1 */
    double
        *weight[SF_MAX_AXES]; /* of each index of a reduced axis, else NULL */
    sfi_slab *into, total, square;
    int month_count;
    int *month; /* of each time */
} collection;

static void add(collection *g, double *value, double *total, double *square,
                double f, double w)
{
    if (isnan(f)) {
        if (g->c->o.any_missing)
            *total = NAN;
        return;
    }
    switch (g->how) {
    case SFI_REDUCE_MIN:
        *value = *total == 0.0 || f < *value ? f : *value;
        *total += 1.0;
        return;
    case SFI_REDUCE_MAX:
        *value = *total == 0.0 || f > *value ? f : *value;
        *total += 1.0;
        return;
    case SFI_REDUCE_SUM:
        *value += f;
        *total += 1.0;
        return;
    case SFI_REDUCE_VAR: { /* West 1979: weights, mean and squares in one pass */
        const double sum = *total + w, from = f - *value;
        *value += from * w / sum;
        *square += w * from * (f - *value);
        *total = sum;
        return;
    }
    case SFI_REDUCE_MEAN:
    case SFI_REDUCE_MONTH:
    case SFI_REDUCE_INTEGRAL:
        *value += w * f;
        *total += w;
        return;
    }
}

static sf_status gather(void *user, const int64_t *first, const int64_t *count,
                        const sfi_slab *values)
{
    collection *g = user;
    const int rank = sf_grid_rank(g->c->grid), last = rank - 1;
    int64_t index[SF_MAX_AXES] = {0};
    for (int k = 0; k < rank; k++)
        if (count[k] == 0)
            return SF_OK;
    for (;;) {
        int64_t from[SF_MAX_AXES] = {0}, to[SF_MAX_AXES] = {0};
        double w = 1.0;
        for (int k = 0; k < rank; k++) {
            from[k] = to[k] = first[k] + index[k];
            if (k != last && g->weight[k] != NULL)
                w *= g->weight[k][from[k]];
            if (k == g->t)
                to[k] = g->month[from[k]];
        }
        const double *f = sfi_slab_at(&values[0], from);
        const int64_t f_step = values[0].step[last];
        const double *edge = g->weight[last];
        for (int64_t i = 0; i < count[last]; i++) {
            if (last == g->t)
                to[last] = g->month[first[last] + i];
            const int64_t at = last == g->t ? 0 : i;
            const double here = edge != NULL ? w * edge[first[last] + i] : w;
            add(g, sfi_slab_at(g->into, to) + at * g->into->step[last],
                sfi_slab_at(&g->total, to) + at * g->total.step[last],
                g->how == SFI_REDUCE_VAR
                    ? sfi_slab_at(&g->square, to) + at * g->square.step[last]
                    : NULL,
                f[i * f_step], here);
        }
        int k = last - 1;
        while (k >= 0 && ++index[k] == count[k])
            index[k--] = 0;
        if (k < 0)
            return SF_OK;
    }
}

/* From sums to what was asked for. */
static void finish(collection *g)
{
    double *value = g->into->block;
    const double *total = g->total.block, *square = g->square.block;
    for (size_t i = 0; i < g->into->block_count; i++) {
        const double n = total[i];
        if (!(n > 0.0))
            value[i] = NAN;
        else if (g->how == SFI_REDUCE_MEAN || g->how == SFI_REDUCE_MONTH)
            value[i] /= n;
        else if (g->how == SFI_REDUCE_VAR)
            value[i] = square[i] / n;
    }
}

/* ---- stages ------------------------------------------------------------------------ */

static sf_status prepare(collection *g, const sfi_field_term *t, sfi_stage *s)
{
    sfi_calc *c = g->c;
    const int rank = sf_grid_rank(c->grid);
    int64_t first[SF_MAX_AXES] = {0}, count[SF_MAX_AXES] = {0},
            pad[SF_MAX_AXES] = {0};
    g->how = t->reduction;
    g->t = s->is_monthly ? sf_grid_find_role(c->grid, SF_ROLE_T) : -1;
    for (int k = 0; k < rank; k++) {
        const sf_axis *a = sf_grid_axis(c->grid, k);
        count[k] = k == g->t ? 12 : a->count;
        pad[k] = a->period > 0.0 ? SFI_MOST_REACH : 0;
        if (!(t->mask >> k & 1u) || k == g->t)
            continue;
        g->weight[k] =
            sfi_alloc(c->ctx, (size_t)a->count, sizeof *g->weight[k]);
        if (g->weight[k] == NULL)
            return SF_E_NOMEM;
        for (int64_t i = 0; i < a->count; i++)
            g->weight[k][i] = sfi_axis_weight(c, k, i);
    }
    if (g->t >= 0) {
        const int64_t n = sf_grid_axis(c->grid, g->t)->count;
        g->month_count = (int)n;
        g->month = sfi_alloc(c->ctx, (size_t)n, sizeof *g->month);
        if (g->month == NULL)
            return SF_E_NOMEM;
        for (int64_t i = 0; i < n; i++)
            g->month[i] = sfi_axis_month(c, i);
    }
    SFI_TRY(sfi_slab_new(c, &s->values, SF_F64, s->mask, first, count, pad));
    SFI_TRY(sfi_slab_new(c, &g->total, SF_F64, s->mask, first, count, pad));
    if (g->how == SFI_REDUCE_VAR)
        SFI_TRY(
            sfi_slab_new(c, &g->square, SF_F64, s->mask, first, count, pad));
    g->into = &s->values;
    return SF_OK;
}

static void release(collection *g)
{
    sfi_calc *c = g->c;
    for (int k = 0; k < sf_grid_rank(c->grid); k++)
        sfi_free(c->ctx, g->weight[k], (size_t)sf_grid_axis(c->grid, k)->count,
                 sizeof(double));
    sfi_free(c->ctx, g->month, (size_t)g->month_count, sizeof *g->month);
    sfi_slab_free(c, &g->total);
    sfi_slab_free(c, &g->square);
}

static sf_status run_stage(sfi_calc *c, const sfi_field_term *t, sfi_stage *s)
{
    collection g = {.c = c};
    s->is_monthly = t->reduction == SFI_REDUCE_MONTH;
    s->mask = sfi_term_mask(c, t->node);
    sf_status status = prepare(&g, t, s);
    if (status == SF_OK)
        status = sfi_pass(c, 1, &t->arg[0], sfi_term_mask(c, t->arg[0]), NULL,
                          gather, &g);
    if (status == SF_OK) {
        int64_t first[SF_MAX_AXES] = {0}, count[SF_MAX_AXES] = {0};
        finish(&g);
        for (int k = 0; k < sf_grid_rank(c->grid); k++)
            count[k] = k == g.t ? 12 : sf_grid_axis(c->grid, k)->count;
        sfi_slab_wrap(c, &s->values, s->mask, first, count, -1);
    }
    release(&g);
    return status;
}

static sf_status make_stage(sfi_calc *c, size_t term)
{
    if (c->terms[term].stage >= 0)
        return SF_OK;
    SFI_TRY(sfi_calc_stages(c, c->terms[term].arg[0]));
    sfi_stage *grown = sfi_grow(c->ctx, c->stages, &c->stage_capacity,
                                c->stage_count + 1, sizeof *grown);
    if (grown == NULL)
        return SF_E_NOMEM;
    c->stages = grown;
    sfi_stage made = {0};
    const sfi_field_term t = c->terms[term];
    const sf_status status = run_stage(c, &t, &made);
    if (status != SF_OK) {
        sfi_slab_free(c, &made.values);
        return status;
    }
    c->stages[c->stage_count] = made;
    c->terms[term].stage = (int)c->stage_count++;
    return SF_OK;
}

sf_status sfi_calc_stages(sfi_calc *c, sf_node node)
{
    const sfi_field_term *t = sfi_term_of(c, node);
    if (t != NULL && t->kind == SFI_TERM_REDUCE)
        return make_stage(c, (size_t)(t - c->terms));
    const int count = sfi_at(c->terms_graph, node)->arg_count;
    for (int k = 0; k < count; k++)
        SFI_TRY(sfi_calc_stages(c, sfi_arg(c->terms_graph, node, k)));
    if (t == NULL)
        return SF_OK;
    const sfi_field_term copy = *t;
    for (int k = 0; k < 2 && copy.arg[k].id > 0; k++)
        SFI_TRY(sfi_calc_stages(c, copy.arg[k]));
    return SF_OK;
}
