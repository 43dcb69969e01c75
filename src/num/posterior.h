/* SPDX-License-Identifier: Apache-2.0 */
/* posterior.h - the mean over a data set, weighted by how well each of its points
 * explains a query: the one reduction behind exact scores.
 *
 * For queries x_i and data y_j of d numbers, with log weights w_j,
 *
 *     l_ij  = -(s/2) |x_i - y_j|^2 + w_j      or     s <x_i, y_j> + w_j
 *     lse_i = ln sum_j exp(l_ij),    r_ij = exp(l_ij - lse_i)
 *     mean_i = sum_j r_ij y_j
 *     cov_i  = sum_j r_ij (y_j - mean_i)(y_j - mean_i)'
 *
 * The first form is Gaussian noise of variance 1/s; the second serves every
 * exponential family, whose kernel is exp(T(x).eta_j - A_j) h(x): queries T(x),
 * data eta, log weights -A.  The m x n matrix is never held: blocks of queries
 * meet chunks of data, and sums are rescaled when a larger l_ij turns up
 * (M. Milakov and N. Gimelshein, Online normalizer calculation, 2018).
 *
 * Precision.  Both factors of |x - y|^2 are taken from the middle of the data,
 * and in single precision, where a distance that is small beside the coordinates
 * would cancel, from the middle of a block of queries: sort queries so that
 * blocks are compact, and what matters to a block is near it.  Sums of weights
 * are in double.
 *
 * In double precision no query depends on the others: it gets the same bits
 * alone and among a thousand. */
#ifndef SFI_POSTERIOR_H
#define SFI_POSTERIOR_H

#include "base/context.h"
#include "scorefield/array.h"

typedef struct sfi_posterior sfi_posterior;

typedef enum sfi_likeness {
    SFI_DISTANCE = 0, /* -(s/2) |x - y|^2 */
    SFI_PRODUCT       /* s <x, y>         */
} sfi_likeness;

typedef struct sfi_posterior_options {
    bool covariance; /* make room for covariances: a thread then takes memory
                        in proportion to d^2, else to d                     */
} sfi_posterior_options;

/* Take a copy of the data [n, d], n, d >= 1, for arithmetic in `dtype`.
 * `log_weights` [n] may be NULL (all 0) and may hold -infinity, not everywhere.
 * `options` may be NULL: all of its fields are 0.
 * Returns SF_OK; SF_E_SHAPE (no rows or columns, or too many); SF_E_NUMERIC (a
 * number or a weight that is not finite, or no weight above 0); SF_E_NOMEM. */
sf_status sfi_posterior_new(sf_context *ctx, sfi_posterior **out,
                            sf_dtype dtype, sf_cmat data,
                            const double *log_weights,
                            const sfi_posterior_options *options);
void sfi_posterior_free(sfi_posterior *p);

/* What is wanted of m queries, and how.  NULL or no data: not wanted. */
typedef struct sfi_posterior_want {
    double *lse; /* [m]                                        */
    sf_mat mean; /* [m, d]                                     */
    sf_mat cov;  /* [m, d*d], both triangles; only where options.covariance */

    /* [m] NULL, or which row of the data query i is to leave out, -1 for none:
     * sums as if that row were not there, nothing being subtracted.  With
     * nothing left lse is -infinity and the rest NaN. */
    const int64_t *exclude;
} sfi_posterior_want;

/* Evaluate; scale > 0.  Allocates nothing.  A query that is not finite gets NaN.
 * The same bits for any number of threads; in SF_F64 what a query gets does not
 * depend on the others, in SF_F32 it depends on the queries of its block (64 of
 * them) by rounding.  One run at a time. */
void sfi_posterior_run(sfi_posterior *p, sf_cmat queries, double scale,
                       sfi_likeness likeness, const sfi_posterior_want *want);

/* Bytes it holds. */
size_t sfi_posterior_memory(const sfi_posterior *p);

#endif
