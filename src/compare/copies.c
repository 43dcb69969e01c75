/* SPDX-License-Identifier: Apache-2.0 */
/* copies.c - were rows copied?
 *
 * Equal rows are found by sorting a 64-bit hash of every row of every table;
 * rows of one hash are then compared number by number, so a collision costs
 * time and nothing else.  Near rows are found by the distance to the closest
 * record, judged against rows that can not have been copied. */
#include "compare/compare.h"

#include "num/sort.h"

#include <math.h>
#include <string.h>

enum { REAL, SYNTHETIC, HELD_OUT, TABLES };

/* ---- equal rows ---- */

static uint64_t hash_row(const double *row, int64_t d)
{
    uint64_t h = UINT64_C(0x9E3779B97F4A7C15);
    for (int64_t k = 0; k < d; k++) {
        const double x = row[k] + 0.0; /* -0 becomes 0, which it equals */
        uint64_t bits;
        memcpy(&bits, &x, sizeof bits);
        h = (h ^ bits) * UINT64_C(0xFF51AFD7ED558CCD);
        h ^= h >> 32;
    }
    return h;
}

static bool equal_rows(const double *a, const double *b, int64_t d)
{
    for (int64_t k = 0; k < d; k++) {
        if (a[k] != b[k])
            return false;
    }
    return true;
}

struct rows {
    sf_cmat table[TABLES];
    int64_t first[TABLES + 1]; /* number of the first row of each table */
};

static int table_of(const struct rows *r, int64_t i)
{
    return i < r->first[SYNTHETIC]  ? REAL
           : i < r->first[HELD_OUT] ? SYNTHETIC
                                    : HELD_OUT;
}

static const double *row_at(const struct rows *r, int64_t i)
{
    const int k = table_of(r, i);
    return r->table[k].data + (i - r->first[k]) * r->table[k].stride;
}

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

/* Rows of one hash.  Numbers of rows that have been counted become -1. */
static void add_group(sf_compare_copies *out, const struct rows *r,
                      int64_t *index, int64_t size)
{
    const int64_t d = r->table[REAL].cols;
    for (int64_t a = 0; a < size; a++) {
        if (index[a] < 0)
            continue;
        int64_t count[TABLES] = {0};
        const double *row = row_at(r, index[a]);
        for (int64_t b = a; b < size; b++) {
            if (index[b] < 0 || !equal_rows(row, row_at(r, index[b]), d))
                continue;
            count[table_of(r, index[b])]++;
            index[b] = -1;
        }
        add_class(out, count);
    }
}

sf_status sfi_compare_equal_rows(sf_context *ctx, sf_compare_copies *out,
                                 const sf_cmat table[2], sf_cmat held_out)
{
    struct rows r = {{table[0], table[1], held_out}, {0}};
    for (int k = 0; k < TABLES; k++)
        r.first[k + 1] = r.first[k] + r.table[k].rows;
    const int64_t total = r.first[TABLES];
    out->held_out = held_out.rows > 0;
    out->reference_rows = out->held_out ? held_out.rows : table[0].rows;
    uint64_t *keys = sfi_alloc(ctx, (size_t)total * 2, sizeof *keys);
    int64_t *index = sfi_alloc(ctx, (size_t)total * 2, sizeof *index);
    if (keys != NULL && index != NULL) {
        const int threads = sf_context_threads(ctx);
#pragma omp parallel for num_threads(threads) schedule(static)
        for (int64_t i = 0; i < total; i++) {
            keys[i] = hash_row(row_at(&r, i), table[0].cols);
            index[i] = i;
        }
        sfi_sort_keys(keys, index, keys + total, index + total, total);
        for (int64_t from = 0, to = 0; from < total; from = to) {
            while (to < total && keys[to] == keys[from])
                to++;
            add_group(out, &r, index + from, to - from);
        }
    }
    const bool done = keys != NULL && index != NULL;
    sfi_free(ctx, index, (size_t)total * 2, sizeof *index);
    sfi_free(ctx, keys, (size_t)total * 2, sizeof *keys);
    return done ? SF_OK : SF_E_NOMEM;
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
