/* SPDX-License-Identifier: Apache-2.0 */
/* moments.h - mean and covariance of a table that is read once, in pieces.
 *
 *   W = sum w_i      mean = sum w_i x_i / W      S = sum w_i (x_i-mean)(x_i-mean)'
 *
 * without ever subtracting large numbers: an offset of 1e9 standard deviations
 * costs no digit of the covariance (see moments.c).  Rows come as [rows, cols]
 * tables, in any number of calls; every row counts (NaN gives NaN).
 *
 * The result has the same bits for any number of threads.  It depends, in the
 * last digits, on how the rows were divided among calls.
 *
 * Adding rows allocates nothing. */
#ifndef SFI_MOMENTS_H
#define SFI_MOMENTS_H

#include "base/context.h"
#include "scorefield/array.h"

typedef struct sfi_moments sfi_moments;

/* What the sum S is divided by. */
typedef enum sfi_divisor {
    SFI_POPULATION, /* W: the covariance of these rows themselves             */
    SFI_SAMPLE      /* W - sum w^2 / W, which is n-1 without weights: unbiased
                     * for the law that the rows were drawn from, where weights
                     * say how much a row counts and do not depend on it       */
} sfi_divisor;

/* An empty accumulator for rows of `cols` numbers.  `ctx` must outlive it; its
 * thread count is looked up at every sfi_moments_add().
 *
 * Memory.  About L (cols^2 + max(64 cols, 16384)) doubles, L = 32 up to 64
 *          columns, 16 up to 256, 8 beyond; the most threads that help is L.
 *
 * Returns SF_OK; SF_E_SHAPE (cols outside 1..30000), SF_E_NOMEM; on failure
 * *out is NULL. */
sf_status sfi_moments_new(sf_context *ctx, sfi_moments **out, int64_t cols);

/* NULL is allowed. */
void sfi_moments_free(sfi_moments *m);

/* Forget all rows. */
void sfi_moments_clear(sfi_moments *m);

/* Add rows.  weights is NULL (all 1) or one number >= 0 per row.
 * Returns SF_OK; SF_E_SHAPE (rows.cols is not the accumulator's, or the table
 * is malformed), SF_E_NUMERIC (a weight is negative or not finite); on failure
 * the accumulator is unchanged. */
sf_status sfi_moments_add(sfi_moments *m, sf_cmat rows, const double *weights);

/* Add the rows that `other` has seen.  Same cols (SF_E_SHAPE). */
sf_status sfi_moments_merge(sfi_moments *m, const sfi_moments *other);

int64_t sfi_moments_rows(const sfi_moments *m);  /* rows added           */
double sfi_moments_weight(const sfi_moments *m); /* W; rows if unweighted */

/* mean [cols].  SF_E_NUMERIC if W is 0. */
sf_status sfi_moments_mean(const sfi_moments *m, double *mean);

/* covariance [cols, cols], both triangles.  SF_E_NUMERIC if the divisor is not
 * positive (no rows, or one row and SFI_SAMPLE). */
sf_status sfi_moments_covariance(const sfi_moments *m, double *covariance,
                                 sfi_divisor divisor);

#endif
