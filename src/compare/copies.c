/* SPDX-License-Identifier: Apache-2.0 */
/* copies.c - were rows copied?
 *
 * Equal rows are those of num/equal_rows.h.  Near rows are found by the distance to
 * the closest record, judged against rows that can not have been copied. */
#include "compare/compare.h"

#include "num/equal_rows.h"
#include "num/sort.h"

#include <math.h>

enum { REAL, SYNTHETIC, HELD_OUT, TABLES };

/* ---- equal rows ---- */

/* One set of equal rows, `count` from each table. */
static void add_class(sf_compare_copies *out, const int64_t count[TABLES])
{
    for (int k = REAL; k <= SYNTHETIC; k++)
        out->duplicates[k] += count[k] > 1 ? count[k] - 1 : 0;
    if (count[REAL] > 0)
        out->copies += count[SYNTHETIC];
    if (out->held_out)
        out->reference_copies += count[REAL] > 0 ? count[HELD_OUT] : 0;
    else
        out->reference_copies += count[REAL] > 1 ? count[REAL] : 0;
}

sf_status sfi_compare_equal_rows(sf_context *ctx, sf_compare_copies *out,
                                 const sf_cmat table[2], sf_cmat held_out)
{
    const sf_cmat all[TABLES] = {table[0], table[1], held_out};
    int64_t total = 0;
    for (int k = 0; k < TABLES; k++)
        total += all[k].rows;
    out->held_out = held_out.rows > 0;
    out->reference_rows = out->held_out ? held_out.rows : table[0].rows;
    const size_t rows = (size_t)total;
    int64_t *first = sfi_alloc(ctx, rows, sizeof *first);
    int64_t(*count)[TABLES] = sfi_alloc_zero(ctx, rows, sizeof *count);
    sf_status status = first != NULL && count != NULL
                           ? sfi_find_copies(ctx, TABLES, all, first, NULL)
                           : SF_E_NOMEM;
    if (status == SF_OK) {
        int64_t i = 0;
        for (int k = 0; k < TABLES; k++)
            for (int64_t row = 0; row < all[k].rows; row++)
                count[first[i++]][k]++;
        for (i = 0; i < total; i++)
            if (first[i] == i)
                add_class(out, count[i]);
    }
    sfi_free(ctx, count, rows, sizeof *count);
    sfi_free(ctx, first, rows, sizeof *first);
    return status;
}

/* ---- near rows ---- */

/* P(b < a) + P(b = a)/2 for sorted a [n], b [m]. */
static double share_below(const double *a, int64_t n, const double *b,
                          int64_t m)
{
    double sum = 0.0;
    int64_t below = 0, up_to = 0; /* how many b are < a[i], <= a[i] */
    for (int64_t i = 0; i < n; i++) {
        while (below < m && b[below] < a[i])
            below++;
        while (up_to < m && b[up_to] <= a[i])
            up_to++;
        sum += 0.5 * ((double)below + (double)up_to);
    }
    return sum / ((double)n * (double)m);
}

sf_status sfi_compare_dcr(sf_context *ctx, sf_compare_copies *out,
                          const sfi_points *real, const sfi_points *reference,
                          const sfi_points *synthetic)
{
    const int64_t n = out->rows[0], m = out->rows[1];
    const size_t count = (size_t)(n + m + (n > m ? n : m));
    double *dcr = sfi_alloc(ctx, count, sizeof *dcr);
    if (dcr == NULL)
        return SF_E_NOMEM;
    double *of[2] = {dcr, dcr + n};
    sfi_pairs_nearest(ctx, of[0], reference, n, real);
    sfi_pairs_nearest(ctx, of[1], synthetic, m, real);
    for (int k = 0; k < 2; k++) {
        sfi_sort(of[k], dcr + n + m, out->rows[k]);
        for (int q = 0; q < SF_COMPARE_QUANTILES; q++)
            out->dcr[k][q] =
                sfi_quantile(of[k], out->rows[k], sf_compare_probability(q));
    }
    const double near = sfi_quantile(of[0], n, 0.05);
    int64_t closer = 0;
    while (closer < m && of[1][closer] < near)
        closer++;
    out->closer = (double)closer / (double)m;
    out->nearer = share_below(of[0], n, of[1], m);
    out->nearer_se =
        sqrt(((double)n + (double)m + 1.0) / (12.0 * (double)n * (double)m));
    sfi_free(ctx, dcr, count, sizeof *dcr);
    return SF_OK;
}

/* Is a/n above b/m by more than 4 standard errors of a common share? */
static bool share_above(int64_t a, int64_t n, int64_t b, int64_t m)
{
    const double p = (double)(a + b) / (double)(n + m);
    const double variance = p * (1.0 - p) * (1.0 / (double)n + 1.0 / (double)m);
    return (double)a / (double)n - (double)b / (double)m > 4.0 * sqrt(variance);
}

void sfi_compare_flags(sf_compare_copies *out, const int64_t rows[2],
                       bool unique)
{
    const double n = (double)out->rows[0], m = (double)out->rows[1];
    /* The 5 % quantile is itself an estimate from n rows. */
    const double closer_se = sqrt(0.05 * 0.95 * (1.0 / n + 1.0 / m));
    out->suspicious = out->nearer > 0.5 + 4.0 * out->nearer_se ||
                      out->closer > 0.05 + 4.0 * closer_se ||
                      share_above(out->copies, rows[1], out->reference_copies,
                                  out->reference_rows) ||
                      (unique && out->copies > 0);
    out->repetitive =
        share_above(out->duplicates[1], rows[1], out->duplicates[0], rows[0]) ||
        (unique && out->duplicates[1] > 0);
}
