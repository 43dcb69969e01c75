/* SPDX-License-Identifier: Apache-2.0 */
/* donors.c - categories of donors.  All that is asked of a row is a loop over donors
 * that allocates nothing and may be asked by several threads. */
#include "impute/donors.h"

#include <math.h>
#include <string.h>

/* ---- memory ------------------------------------------------------------------ */

void sfi_donors_free(sf_context *ctx, sfi_donors *l)
{
    const size_t c = (size_t)l->count, n = (size_t)l->donors;
    const size_t classes = (size_t)l->classes;
    const size_t levels = l->first != NULL ? (size_t)l->first[c] : 0;
    sfi_free(ctx, l->members, classes, sizeof *l->members);
    sfi_free(ctx, l->class_of, n, sizeof *l->class_of);
    sfi_free(ctx, l->cell, n * c, sizeof *l->cell);
    sfi_free(ctx, l->share, classes * levels, sizeof *l->share);
    sfi_free(ctx, l->first, c + 1, sizeof *l->first);
    sfi_free(ctx, l->column, c, sizeof *l->column);
    *l = (sfi_donors){0};
}

sf_status sfi_donors_new(sf_context *ctx, sfi_donors *l, int64_t count,
                         const int64_t *column, const int64_t *levels,
                         int64_t target, int64_t classes, int64_t donors)
{
    const size_t c = (size_t)count, n = (size_t)donors;
    *l = (sfi_donors){
        .count = count, .donors = donors, .classes = classes, .target = target};
    l->first = sfi_alloc_zero(ctx, c + 1, sizeof *l->first);
    for (size_t i = 0; i < c && l->first != NULL; i++)
        l->first[i + 1] = l->first[i] + levels[i];
    const size_t all = l->first != NULL ? (size_t)l->first[c] : 0;
    l->column = sfi_alloc(ctx, c, sizeof *l->column);
    l->share = sfi_alloc(ctx, (size_t)classes * all, sizeof *l->share);
    l->cell = sfi_alloc(ctx, n * c, sizeof *l->cell);
    l->class_of = sfi_alloc(ctx, n, sizeof *l->class_of);
    l->members = sfi_alloc(ctx, (size_t)classes, sizeof *l->members);
    if (l->first == NULL || l->column == NULL || l->share == NULL ||
        l->cell == NULL || l->class_of == NULL || l->members == NULL) {
        sfi_donors_free(ctx, l);
        return SF_E_NOMEM;
    }
    for (size_t j = 0; j < c; j++)
        l->column[j] = column[j];
    return SF_OK;
}

/* ---- the table ---------------------------------------------------------------- */

/* The class of a row, 0 without a target, or -1. */
static int64_t class_of(const sfi_donors *l, const double *x)
{
    if (l->target < 0)
        return 0;
    return isnan(x[l->target]) ? -1 : (int64_t)x[l->target];
}

/* The rows that have level v of a category, whatever their class; a level that none has
 * (its cells are hidden, or the class of them all is missing) counts as half a row. */
static double rows_of(const sfi_donors *l, const double *share, int64_t v)
{
    double sum = 0.0;
    for (int64_t k = 0; k < l->classes; k++)
        sum += share[k * l->first[l->count] + v];
    return sum > 0.0 ? sum : 0.5;
}

/* Proportions of a category in each class, with one row more of those in the table. */
static void set_shares(sfi_donors *l, sf_cmat z, int64_t c)
{
    const int64_t levels = sfi_donors_level_count(l, c),
                  all = l->first[l->count];
    double *share = l->share + l->first[c], total = 0.0;
    for (int64_t k = 0; k < l->classes; k++)
        memset(share + k * all, 0, (size_t)levels * sizeof *share);
    for (int64_t i = 0; i < z.rows; i++) {
        const double *x = z.data + i * z.stride;
        const int64_t k = class_of(l, x);
        if (k >= 0 && !isnan(x[l->column[c]]))
            share[k * all + (int64_t)x[l->column[c]]] += 1.0;
    }
    for (int64_t v = 0; v < levels; v++)
        total += rows_of(l, share, v);
    for (int64_t v = 0; v < levels; v++) {
        const double prior = rows_of(l, share, v) / total;
        for (int64_t k = 0; k < l->classes; k++)
            share[k * all + v] += prior;
    }
    for (int64_t k = 0; k < l->classes; k++) {
        double rows = 0.0;
        for (int64_t v = 0; v < levels; v++)
            rows += share[k * all + v];
        for (int64_t v = 0; v < levels; v++)
            share[k * all + v] /= rows;
    }
}

void sfi_donors_set(sfi_donors *l, sf_cmat z, const int64_t *row)
{
    for (int64_t c = 0; c < l->count; c++)
        set_shares(l, z, c);
    memset(l->members, 0, (size_t)l->classes * sizeof *l->members);
    for (int64_t k = 0; k < l->donors; k++) {
        const double *x = z.data + row[k] * z.stride;
        l->class_of[k] = (int32_t)class_of(l, x);
        l->members[l->class_of[k]]++;
        for (int64_t c = 0; c < l->count; c++) {
            const double level = x[l->column[c]];
            l->cell[k * l->count + c] = isnan(level) ? -1 : (int32_t)level;
        }
    }
}

/* ---- rows --------------------------------------------------------------------- */

/* What donor k says of level v of category c. */
static double says(const sfi_donors *l, int64_t c, int64_t k, int64_t v)
{
    const double *share =
        l->share + l->class_of[k] * l->first[l->count] + l->first[c];
    const int32_t own = l->cell[k * l->count + c];
    if (own < 0)
        return share[v];
    return l->forget * share[v] + (own == v ? 1.0 - l->forget : 0.0);
}

/* The class whose donors alone speak, or -1. */
static int64_t only_class(const sfi_donors *l, const double *x, int64_t without)
{
    const int64_t k = l->target >= 0 ? class_of(l, x) : -1;
    if (k < 0)
        return -1;
    const bool is_own = without >= 0 && l->class_of[without] == k;
    return l->members[k] > (is_own ? 1 : 0) ? k : -1;
}

/* ln of the product of what donor k says of the levels of x; logarithms are slow, and
 * are taken where the product becomes small. */
static double log_factor(const sfi_donors *l, int64_t k, const double *x)
{
    double product = 1.0, sum = 0.0;
    for (int64_t c = 0; c < l->count; c++) {
        const double level = x[l->column[c]];
        if (isnan(level))
            continue;
        product *= says(l, c, k, (int64_t)level);
        if (product < 1e-200) {
            sum += log(product);
            product = 1.0;
        }
    }
    return sum + log(product);
}

void sfi_donors_weigh(const sfi_donors *l, const double *x, int64_t without,
                      double *out)
{
    const int64_t only = only_class(l, x, without);
    for (int64_t k = 0; k < l->donors; k++)
        out[k] = only >= 0 && l->class_of[k] != only ? -INFINITY
                                                     : log_factor(l, k, x);
    if (without >= 0)
        out[without] = -INFINITY;
}

void sfi_donors_mix(const sfi_donors *l, int64_t c, const double *weight,
                    double *out)
{
    const int64_t levels = sfi_donors_level_count(l, c),
                  all = l->first[l->count];
    memset(out, 0, (size_t)levels * sizeof *out);
    if (c == l->count) {
        for (int64_t k = 0; k < l->donors; k++)
            out[l->class_of[k]] += weight[k];
        return;
    }
    for (int64_t q = 0; q < l->classes; q++) {
        const double *share = l->share + q * all + l->first[c];
        double forgotten = 0.0;
        for (int64_t k = 0; k < l->donors; k++) {
            const int32_t own = l->cell[k * l->count + c];
            if (l->class_of[k] != q)
                continue;
            forgotten += weight[k] * (own < 0 ? 1.0 : l->forget);
            if (own >= 0)
                out[own] += weight[k] * (1.0 - l->forget);
        }
        for (int64_t v = 0; v < levels; v++)
            out[v] += forgotten * share[v];
    }
}

int64_t sfi_donors_draw(const sfi_donors *l, int64_t c, int64_t k, double u,
                        double v)
{
    if (c == l->count)
        return l->class_of[k];
    const int32_t own = l->cell[k * l->count + c];
    if (own >= 0 && u >= l->forget)
        return own;
    const double *share =
        l->share + l->class_of[k] * l->first[l->count] + l->first[c];
    int64_t level = 0;
    for (double sum = share[0];
         sum < v && level + 1 < sfi_donors_level_count(l, c);)
        sum += share[++level];
    return level;
}
