/* SPDX-License-Identifier: Apache-2.0 */
/* compare.h - how alike two tables are, and whether rows were copied.
 *
 * `real` [n, d] is the data, `synthetic` [m, d] what a model made of it: the
 * same columns in the same order, every cell finite (drop rows with missing
 * cells first).  In pairs of fields [0] belongs to real and [1] to synthetic. */
#ifndef SCOREFIELD_COMPARE_H
#define SCOREFIELD_COMPARE_H

#include "scorefield/array.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- energy distance ----------------------------------------------------
 *
 *     E(P, Q) = 2 E|X - Y| - E|X - X'| - E|Y - Y'|
 *
 * for independent X, X' of P and Y, Y' of Q, with Euclidean norms.  It is not
 * negative, and 0 only if P = Q; it has the unit of the columns, does not change
 * under rotations and translations of both, and for d = 1 is twice the integral
 * of (F - G)^2.
 * Source: G. J. Szekely and M. L. Rizzo, J. Stat. Plan. Inference 143 (2013)
 * 1249-1272. */
typedef struct sf_energy {
    /* All pairs, a row with itself included: the energy distance of the two
     * empirical distributions (a V-statistic).  >= 0 (to rounding), 0 for equal tables;
     * for two samples of one distribution its mean is (1/n + 1/m) E|X - X'|. */
    double distance;

    /* Without the pairs of a row with itself: unbiased for E(P, Q) (a U-statistic), so
     * it may be negative.  NaN if a table has one row only. */
    double unbiased;

    /* distance / (2 mean |x - y|), in [0, 1]: without unit.  0 where all rows of
     * both tables are one point. */
    double relative;
} sf_energy;

/* The energy distance of two tables as they stand (no column is rescaled).
 *
 * Cost.    n m + n^2/2 + m^2/2 distances; 10^4 rows each of 2 columns take
 *          0.3 s on one core.
 * Memory.  Two copies of each table.
 *
 * The same bits for any number of threads.
 * Returns SF_OK; SF_E_SHAPE (no rows, no columns, or not the same columns),
 * SF_E_NUMERIC (a cell is not finite), SF_E_NOMEM; then *out is unchanged. */
SF_API sf_status sf_energy_distance(sf_context *ctx, sf_energy *out, sf_cmat x,
                                    sf_cmat y);

/* ---- the whole report ---- */

typedef struct sf_compare_options {
    size_t size;       /* sizeof(sf_compare_options); set by _INIT        */
    bool raw;          /* leave the columns in their own units for all that
                           * joins columns; else they are divided by their
                           * standard deviation in `real`          [false]   */
    int64_t max_rows;  /* rows of each table that enter sums over pairs and
                           * that look for their nearest record; more are cut
                           * to a random part.  >= 2, or 0: all    [10000]   */
    int permutations;  /* of the energy test, 0 to 100000; 0: no test
                           *                                       [199]     */
    int64_t test_rows; /* as max_rows, for the energy test      [1000]    */
    int projections;   /* directions of the sliced Wasserstein distance, 0
                           * to 100000; 0: none                    [64]      */
    uint64_t seed;     /* of random parts, permutations, directions [0]   */
    sf_cmat held_out;  /* rows of the distribution of `real` that the model
                           * was not fitted to; no rows (data NULL): none    */
    double max_work;   /* rows that look for their nearest record, times the
                           * records, times (columns + 1): where max_rows ask
                           * for more, fewer rows look, but at least 500.
                           * >= 0, or 0: no limit                   [2e10]   */
    bool no_copies;    /* leave `copies` of the report zero       [false]   */
} sf_compare_options;

#define SF_COMPARE_OPTIONS_INIT                                                \
    {                                                                          \
        sizeof(sf_compare_options), false, 10000, 199, 1000, 64, 0,            \
            {NULL, 0, 0, 0}, 2e10, false                                       \
    }

/* Quantiles are reported at these probabilities, linear between order
 * statistics (x_(1 + (n-1)p)): 0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1. */
enum { SF_COMPARE_QUANTILES = 9 };
SF_API double sf_compare_probability(int k);

/* One column, in its own unit. */
typedef struct sf_compare_column {
    double mean[2];
    double sd[2]; /* divisor n - 1; 0 if all values are equal                 */
    double quantile[2][SF_COMPARE_QUANTILES];
    int64_t distinct[2]; /* number of different values                     */
    double ks;           /* Kolmogorov-Smirnov: max |F - G|, in [0, 1]        */
    double ks_p;         /* its p-value: both samples of one distribution    */
    double wasserstein;  /* W1: the integral of |F - G|                       */
    double energy;       /* 2 integral of (F - G)^2                           */
    bool ks_exact;       /* ks_p counts the orders in which the values may come,
                         * given their ties; where rows of real times rows of
                         * synthetic are more than 10^6 it is Kolmogorov's limit
                         * with Stephens' correction, for a continuous
                         * distribution: conservative (too large) with ties   */
} sf_compare_column;

/* Could chance alone explain the energy distance?  Labels of the joined rows are
 * permuted; p is the proportion of labellings, the true one included, whose distance
 * is at least the true one. */
typedef struct sf_compare_test {
    int permutations; /* 0: no test was made, and the rest is NaN           */
    int64_t rows[2];  /* rows that took part                                */
    double distance;  /* sf_energy.distance of these rows                   */
    double null_mean; /* mean over permutations, under the null hypothesis  */
    double null_95;   /* 95 % quantile of the same                          */
    double p;         /* at least 1/(permutations + 1)                      */
} sf_compare_test;

/* Copying.  The distance to the closest record (DCR) of a row is the distance to
 * its nearest row of `real`.  Those of synthetic rows are set against those of a
 * reference that can not have been copied: held-out rows if there are any, else
 * rows of `real` against the *other* rows of `real`. */
typedef struct sf_compare_copies {
    int64_t copies; /* synthetic rows that equal a row of real           */
    int64_t duplicates[2]; /* rows that equal an earlier row of their table  */

    int64_t reference_rows;   /* held-out rows, or rows of real              */
    int64_t reference_copies; /* of these, equal to a row (another row) of
                               * real: what discrete columns give by chance  */
    bool held_out;            /* whether the reference are held-out rows     */

    int64_t rows[2]; /* queries: of reference, of synthetic */
    double dcr[2][SF_COMPARE_QUANTILES]; /* of the reference, of synthetic   */

    double closer;    /* proportion of synthetic rows whose DCR is below the 5 %
                       * quantile of the reference's: about 0.05 if nothing
                       * was copied                                          */
    double nearer;    /* P(DCR of synthetic < DCR of reference), ties half:
                       * 0.5 if nothing was copied, to 1 for copies; below 0.5
                       * where synthetic rows are off the data               */
    double nearer_se; /* standard error of `nearer` under 0.5 (Mann-Whitney,
                       * with rows of real in pairs: each other's nearest)   */

    /* Flags.  Proportions are compared at 4 standard errors (probability 3e-5 under
     * one distribution), and `closer_p` with that probability.
     * Where some column of `real` never repeats a value, equal rows are no
     * chance at all, and a single one raises its flag. */
    bool suspicious; /* `nearer`, `closer` or the proportion of copies above
                      * that of the reference                                */
    bool
        repetitive; /* a larger proportion of duplicates in synthetic than real */

    double closer_p; /* the probability of as many rows below the quantile, or
                      * more, if nothing was copied; allows for the quantile being
                      * itself an estimate (compare/copies.c)                */
} sf_compare_copies;

typedef struct sf_compare_report {
    int64_t cols;    /* d                                                    */
    int64_t rows[2]; /* n, m                                                 */

    sf_compare_column *column; /* [d]                                        */
    double *scale; /* [d] what columns were divided by: sd in real (1 if that is
                    * 0), or 1                                               */

    sf_energy energy;       /* of the scaled columns                        */
    int64_t energy_rows[2]; /* rows that took part                          */
    sf_compare_test test;

    double *correlation[2]; /* each [d, d]; 0 off the diagonal for a column that
                             * does not vary                                 */
    double correlation_max; /* largest |difference|; 0 for d = 1             */
    double
        correlation_rms; /* root mean square difference over pairs of columns;
                             * 0 for d = 1                                   */

    int projections;     /* of the two below, 0: none, and they are NaN      */
    double sliced_w1;    /* mean of W1 over directions, scaled columns       */
    double sliced_w1_se; /* its standard error over the choice of directions */
    double sliced_w2;    /* root mean square of W2 over directions           */

    sf_compare_copies copies; /* DCR in scaled columns                       */
} sf_compare_report;

/* Compare.  The report is allocated from ctx and freed by
 * sf_compare_report_free() with the same ctx.
 *
 * Cost.    Sorting for the columns and, `projections` times, for the directions;
 *          max_rows^2 distances for the energy; 2 max_rows n distances for copies,
 *          bounded by max_work.
 *
 * The same bits for any number of threads.
 *
 * Returns SF_OK, or
 *   SF_E_ARG        an option out of range
 *   SF_E_SHAPE      a table with fewer than two rows, no columns or more than
 *                   30000, or different numbers of columns
 *   SF_E_NUMERIC    a cell is not finite, or the values of a column span more than
 *                   1e140 or less than 1e-140, in their unit or in standard
 *                   deviations of real: squares of that are no doubles
 *   SF_E_CANCELLED  the progress callback (stage "compare") said stop
 *   SF_E_NOMEM
 * On failure *out is NULL.
 *
 * Source: DCR as in Zhao et al., CTAB-GAN (ACML 2021); sliced Wasserstein:
 * N. Bonneel et al., J. Math. Imaging Vis. 51 (2015) 22-45. */
SF_API sf_status sf_compare(sf_context *ctx, sf_compare_report **out,
                            sf_cmat real, sf_cmat synthetic,
                            const sf_compare_options *opts);

/* NULL is allowed. */
SF_API void sf_compare_report_free(sf_context *ctx, sf_compare_report *report);

#ifdef __cplusplus
}
#endif
#endif
