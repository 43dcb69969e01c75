/* SPDX-License-Identifier: Apache-2.0 */
/* compare.h - the parts of the report, one file each. */
#ifndef SFI_COMPARE_H
#define SFI_COMPARE_H

#include "base/context.h"
#include "compare/pairs.h"
#include "scorefield/compare.h"

/* Tell of progress, `done` of `stages` parts since `started` (sfi_clock()).
 * SF_OK or SF_E_CANCELLED. */
sf_status sfi_compare_stage(sf_context *ctx, double started, int done,
                            int stages);

/* ---- column.c: two samples of one number, sorted ascending ---- */

/* What the two empirical distribution functions F and G differ by. */
typedef struct sfi_gap {
    double ks;          /* max |F - G|             */
    int64_t ks_steps;   /* n m max |F - G|         */
    double wasserstein; /* integral of |F - G|     */
    double energy;      /* 2 integral of (F - G)^2 */
    double w2_squared;  /* integral over u of (F^-1(u) - G^-1(u))^2 */
} sfi_gap;
sfi_gap sfi_distribution_gap(const double *x, int64_t n, const double *y,
                             int64_t m);

/* P(sqrt(nm/(n+m)) D >= observed), Kolmogorov's series. */
double sfi_kolmogorov_p(double ks, int64_t n, int64_t m);

/* P(n m D >= steps) among all orders of the sorted samples' values that keep their
 * ties, to a relative error of 1e-12.  Takes n m steps: only where is_exact().
 * work [n + 2 m + 1]. */
bool sfi_kolmogorov_is_exact(int64_t n, int64_t m);
double sfi_kolmogorov_exact(int64_t steps, const double *x, int64_t n,
                            const double *y, int64_t m, double *work);

/* How many different values a sorted sample has. */
int64_t sfi_count_distinct(const double *x, int64_t n);

/* Fill report->column but for mean and sd. */
sf_status sfi_compare_columns(sf_context *ctx, sf_compare_report *report,
                              const sf_cmat table[2]);

/* ---- energy.c ---- */

/* x and y are different objects, even if they hold the same rows. */
sf_status sfi_energy(sf_context *ctx, sf_energy *out, const sfi_points *x,
                     const sfi_points *y);

/* `joined` holds rows[0] rows of one table and then rows[1] of the other. */
sf_status sfi_energy_test(sf_context *ctx, sf_compare_test *test,
                          const sfi_points *joined, const int64_t rows[2],
                          int permutations, uint64_t seed);

/* ---- sliced.c ---- */
sf_status sfi_compare_sliced(sf_context *ctx, sf_compare_report *report,
                             const sf_cmat table[2], int projections,
                             uint64_t seed);

/* ---- copies.c ---- */

/* Count equal rows.  held_out may have no rows. */
sf_status sfi_compare_equal_rows(sf_context *ctx, sf_compare_copies *out,
                                 const sf_cmat table[2], sf_cmat held_out);

/* Distances to the closest record of real, for the first out->rows[0] rows of
 * `reference` (the same object as `real`: to another row) and the first
 * out->rows[1] of `synthetic`. */
sf_status sfi_compare_dcr(sf_context *ctx, sf_compare_copies *out,
                          const sfi_points *real, const sfi_points *reference,
                          const sfi_points *synthetic);

/* P(b < a) + P(b = a)/2 for sorted a [n], b [m]. */
double sfi_share_below(const double *a, int64_t n, const double *b, int64_t m);

/* Fill what is said of distances to the closest record from those of out->rows[0]
 * rows of the reference and out->rows[1] of synthetic, which are sorted; scratch as
 * long as the longer.  `records` is the number of rows of real. */
void sfi_compare_judge(sf_compare_copies *out, double *const dcr[2],
                       double *scratch, int64_t records);

/* Raise the flags of tables of rows[] rows.  unique: some column of real never
 * repeats a value. */
void sfi_compare_flags(sf_compare_copies *out, const int64_t rows[2],
                       bool unique);

#endif
