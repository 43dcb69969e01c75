/* SPDX-License-Identifier: Apache-2.0 */
/* repeats.c - columns with values that many rows share: runs in the sorted column.
 *
 * To dequantise a value v_k is to spread it evenly over its cell, which ends in the middle
 * between it and its neighbours v_(k-1) and v_(k+1) among the values that occur; at the ends
 * of the column cells are symmetric.  Values beside gaps, as in the tail of a count, would
 * get cells as wide as these: they end at the usual distance, half the median of all gaps,
 * unless the neighbour is nearer.  An atom, a value of many rows in a column of real numbers
 * where the median says nothing, reaches as far as the nearer of its neighbours lets it. */
#include "fit/repeats.h"

#include "base/random.h"
#include "num/linalg.h"
#include "num/sort.h"
#include "scorefield/fit.h"

#include <math.h>
#include <stdio.h>

/* The longest run of x [n], ascending, n >= 1, and its value. */
static int64_t longest_run(const double *x, int64_t n, double *value)
{
    int64_t most = 0, first = 0;
    for (int64_t i = 0; i < n; i++) {
        if (x[i] != x[first])
            first = i;
        if (i - first + 1 > most) {
            most = i - first + 1;
            *value = x[i];
        }
    }
    return most;
}

sf_status sfi_warn_of_repeats(sf_context *ctx, sf_cmat data,
                              const char *const *names)
{
    char list[600] = "";
    size_t used = 0;
    const int64_t n = data.rows;
    double *x = sfi_alloc(ctx, 2 * (size_t)n, sizeof *x);
    if (x == NULL)
        return SF_E_NOMEM;
    for (int64_t j = 0; j < data.cols; j++) {
        double value = 0.0;
        for (int64_t i = 0; i < n; i++)
            x[i] = data.data[i * data.stride + j];
        sfi_sort(x, x + n, n);
        const int64_t run = longest_run(x, n, &value);
        const double share = (double)run / (double)n;
        if (run < 2 || !(share > SFI_REPEATS_SHARE))
            continue;
        if (used < sizeof list - 140)
            used += (size_t)snprintf(
                list + used, sizeof list - used, "%s\"%.60s\" (%.0f %% are %g)",
                used > 0 ? ", " : "", names != NULL ? names[j] : "?",
                100.0 * share, value);
    }
    sfi_free(ctx, x, 2 * (size_t)n, sizeof *x);
    if (used > 0)
        sfi_warn(ctx,
                 "many rows share a value of %s: there a likelihood "
                 "has no bound, and says less than it seems to",
                 list);
    return SF_OK;
}

/* ---- spreading them ---------------------------------------------------------- */

/* The values of a column that occur, ascending, and how many rows each has. */
typedef struct value_list {
    int64_t count;
    double *value, *rows;
    double usual;       /* the median of the gaps between them     */
    double top, shared; /* rows of the most frequent value, and
                           rows whose value another one has        */
} value_list;

/* Of x [n], ascending; work [n]. */
static void list_values(value_list *l, const double *x, int64_t n, double *work)
{
    l->count = 0;
    l->top = l->shared = 0.0;
    for (int64_t i = 0; i < n; i++) {
        if (i == 0 || x[i] != x[i - 1]) {
            l->value[l->count] = x[i];
            l->rows[l->count++] = 0.0;
        }
        l->rows[l->count - 1] += 1.0;
    }
    for (int64_t k = 0; k < l->count; k++) {
        l->top = fmax(l->top, l->rows[k]);
        l->shared += l->rows[k] > 1.0 ? l->rows[k] : 0.0;
    }
    double *gaps = work;
    const int64_t m = l->count - 1;
    for (int64_t k = 0; k < m; k++)
        gaps[k] = l->value[k + 1] - l->value[k];
    sfi_sort(gaps, work + m, m);
    l->usual = m > 0 ? gaps[m / 2] : 0.0;
}

static int64_t find_value(const value_list *l, double x)
{
    int64_t low = 0, high = l->count - 1;
    while (low < high) {
        const int64_t middle = (low + high) / 2;
        if (l->value[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* x, of value k, at the place u in (0, 1) of its cell. */
static double spread_value(const value_list *l, int64_t k, int64_t n, double u)
{
    double below = INFINITY, above = INFINITY;
    if (k > 0)
        below = l->value[k] - l->value[k - 1];
    if (k + 1 < l->count)
        above = l->value[k + 1] - l->value[k];
    const double nearer = fmin(below, above);
    const bool atom = l->rows[k] > SFI_REPEATS_SHARE * (double)n;
    const double most = atom ? fmax(nearer, l->usual) : l->usual;
    below = 0.5 * fmin(isinf(below) ? nearer : below, most);
    above = 0.5 * fmin(isinf(above) ? nearer : above, most);
    return l->value[k] - below + u * (below + above);
}

static void spread_column(const value_list *l, sf_mat out, sf_cmat data,
                          int64_t column, uint64_t seed)
{
    for (int64_t i = 0; i < data.rows; i++) {
        const sfi_where where = {seed, (uint64_t)i, (uint32_t)column,
                                 SFI_STREAM_SPREAD};
        const double x = data.data[i * data.stride + column];
        out.data[i * out.stride + column] = spread_value(
            l, find_value(l, x), data.rows, sfi_uniform_at(where, 0));
    }
}

sf_status sf_dequantise(sf_context *ctx, sf_mat out, sf_cmat data,
                        uint64_t seed, double *share)
{
    const int64_t n = data.rows, d = data.cols;
    SFI_TRY(sfi_check_finite(ctx, data, 0, NULL, "dequantise"));
    if (out.rows != n || out.cols != d || out.stride < d)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "dequantise: the result is [%lld, %lld], want [%lld, "
                        "%lld]",
                        (long long)out.rows, (long long)out.cols, (long long)n,
                        (long long)d);
    const size_t room = 5 * (size_t)n;
    double *work = sfi_alloc(ctx, room, sizeof *work);
    if (work == NULL)
        return SF_E_NOMEM;
    double *x = work + 2 * n;
    value_list l = {.value = work + 3 * n, .rows = work + 4 * n};
    for (int64_t j = 0; j < d; j++) {
        for (int64_t i = 0; i < n; i++)
            x[i] = out.data[i * out.stride + j] =
                data.data[i * data.stride + j];
        sfi_sort(x, work, n);
        list_values(&l, x, n, work);
        const bool repeats =
            l.count > 1 &&
            ((l.top > 1.0 && l.top > SFI_REPEATS_SHARE * (double)n) ||
             l.shared > SFI_REPEATS_TIES * (double)n);
        if (share != NULL)
            share[j] = repeats ? l.shared / (double)n : 0.0;
        if (repeats)
            spread_column(&l, out, data, j, seed);
    }
    sfi_free(ctx, work, room, sizeof *work);
    return SF_OK;
}
