/* SPDX-License-Identifier: Apache-2.0 */
/* imputer_atoms.c - cells of numbers that have atoms. */
#include "impute/imputer_atoms.h"

#include "model/model.h"

#include <math.h>
#include <string.h>

/* ---- columns --------------------------------------------------------------------- */

int64_t sfi_count_pairs(const sf_frame *f, int64_t dim)
{
    int64_t count = 0;
    for (int64_t j = 0; f != NULL && j < dim; j++)
        count += sf_frame_atom_count(f, j) > 0;
    return count;
}

/* The gaps from the first to the last that numbers lie in are where they may be; whole
 * numbers keep half a step off. */
static void take_ends(sfi_imputed_column *c, const sf_frame *f, int64_t j)
{
    const double off = sf_frame_kind(f, j) == SF_KIND_INTEGER ? 0.5 : 0.0;
    int64_t first = 0, last = c->atoms;
    while (first < c->atoms && !sf_frame_between(f, j, first))
        first++;
    while (last > 0 && !sf_frame_between(f, j, last))
        last--;
    if (first > 0)
        c->lower = fmax(c->lower, c->at[first - 1] + off);
    if (last < c->atoms)
        c->upper = fmin(c->upper, c->at[last] - off);
}

sf_status sfi_take_atoms(sf_imputer *m, const sf_frame *f, int64_t j,
                         int64_t pair)
{
    sfi_imputed_column *c = &m->column[j];
    const int64_t count = sf_frame_atom_count(f, j);
    bool numbers = false;
    c->at = sfi_alloc(m->ctx, (size_t)count, sizeof *c->at);
    if (c->at == NULL)
        return SF_E_NOMEM;
    c->atoms = count;
    for (int64_t k = 0; k < count; k++)
        c->at[k] = sf_frame_atom(f, j, k);
    for (int64_t gap = 0; gap <= count; gap++)
        numbers = numbers || sf_frame_between(f, j, gap);
    c->pair = pair;
    m->column[pair].levels = count + (numbers ? 1 : 0);
    if (numbers)
        take_ends(c, f, j);
    return SF_OK;
}

/* ---- rows ------------------------------------------------------------------------ */

static double level_of(const sfi_imputed_column *c, double x)
{
    int64_t k = 0;
    if (isnan(x))
        return x;
    while (k < c->atoms && c->at[k] != x)
        k++;
    return (double)k;
}

sf_status sfi_add_pairs(const sf_imputer *m, sf_cmat x, double **out)
{
    const size_t d = (size_t)m->dim, n = (size_t)x.rows;
    *out = sfi_alloc(m->ctx, n * d, sizeof **out);
    if (*out == NULL)
        return SF_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        const double *from = x.data + (int64_t)i * x.stride;
        double *to = *out + i * d;
        memcpy(to, from, (size_t)m->table * sizeof *to);
        for (int64_t j = 0; j < m->table; j++)
            if (m->column[j].pair >= 0)
                to[m->column[j].pair] = level_of(&m->column[j], from[j]);
    }
    return SF_OK;
}

/* ---- the mixture ----------------------------------------------------------------- */

double sfi_atoms_quantile(const sfi_imputed_column *c, const double *level,
                          const sfi_normal_sum *number, double p)
{
    static const double least = 1e-12; /* off the ends of a quantile */
    double left = p, none = 1.0, density;
    for (int64_t k = 0; k < c->atoms; k++)
        none -= level[k];
    none = fmax(none, 0.0);
    for (int64_t k = 0; k < c->atoms; k++) {
        const double y = (c->at[k] - c->mean) / c->sd;
        const double below =
            none > 0.0 ? none * sfi_normal_sum_below(number, y, &density) : 0.0;
        if (left <= below)
            break;
        if (left <= below + level[k])
            return c->at[k];
        left -= level[k];
    }
    if (!(none > least))
        return c->at[c->atoms - 1];
    const double part = fmin(fmax(left / none, least), 1.0 - least);
    return c->mean + c->sd * sfi_normal_sum_quantile(number, part);
}

void sfi_atoms_moments(const sfi_imputed_column *c, const double *level,
                       double *mean, double *variance)
{
    double none = 1.0, sum = 0.0, squares = 0.0;
    for (int64_t k = 0; k < c->atoms; k++) {
        none -= level[k];
        sum += level[k] * c->at[k];
    }
    none = fmax(none, 0.0);
    const double all = sum + none * *mean;
    for (int64_t k = 0; k < c->atoms; k++)
        squares += level[k] * (c->at[k] - all) * (c->at[k] - all);
    squares += none * (*variance + (*mean - all) * (*mean - all));
    *mean = all;
    *variance = squares;
}

/* What a number is written as: a median of a rounded number is its median, rounded,
 * and a draw a rounded draw. */
double sfi_settle_number(const sfi_imputed_column *c, double x)
{
    sf_support bounds = {c->is_open ? c->lower : -INFINITY, INFINITY, 0.0};
    int64_t gap = 0;
    while (gap < c->atoms && x > c->at[gap])
        gap++;
    if (c->decimals < 0 || (gap < c->atoms && x == c->at[gap]))
        return x;
    if (gap > 0)
        bounds.lower = fmax(bounds.lower, c->at[gap - 1]);
    if (gap < c->atoms)
        bounds.upper = c->at[gap];
    return sfi_on_grid(x, c->decimals, bounds);
}
