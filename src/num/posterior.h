/* SPDX-License-Identifier: Apache-2.0 */
/* posterior.h - the mean over a data set, weighted by how well each of its points
 * explains a query: the one reduction behind exact scores.
 *
 * For queries x_i and data y_j of d numbers, with log weights w_j and scales
 * s_ij = s s_j, all s_j = 1 unless they are given,
 *
 *     l_ij  = -(s_ij/2) |x_i - y_j|^2 + w_j      or     s <x_i, y_j> + w_j
 *     lse_i = ln sum_j exp(l_ij),    r_ij = exp(l_ij - lse_i)
 *     mean_i = sum_j r_ij y_j
 *     cov_i  = sum_j r_ij (y_j - mean_i)(y_j - mean_i)'
 *     score_i = grad lse_i = sum_j r_ij s_ij (y_j - x_i)  or  s mean_i
 *
 * The first form is Gaussian noise of variance 1/s_ij; the second serves every
 * exponential family, whose kernel is exp(T(x).eta_j - A_j) h(x): queries T(x),
 * data eta, log weights -A.  The m x n matrix is never held: blocks of queries
 * meet chunks of data, and sums are rescaled when a larger l_ij turns up
 * (M. Milakov and N. Gimelshein, Online normalizer calculation, 2018).
 *
 * What is left out.  In few dimensions the chunks are compact
 * (num/posterior_tree.h), and a query passes over those that cannot matter to
 * it: what it passes over weighs together less than `tolerance` times the whole
 * sum, up to the rounding of l_ij.  lse is too small by less than that, and a
 * mean moves by less than that times the width of the data.
 *
 * What a query gets does not depend on the others nor on the number of threads:
 * it has the same bits alone and among a thousand.
 *
 * Precision.  In few dimensions points and queries are taken from the middle of
 * a chunk, so that a distance that is small beside the coordinates does not
 * cancel; in more, from the middle of the data, and the rounding of l_ij is
 * then s |x_i - y_j| times that of the coordinates.  Sums over chunks are in
 * double. */
#ifndef SFI_POSTERIOR_H
#define SFI_POSTERIOR_H

#include "base/context.h"
#include "scorefield/array.h"

typedef struct sfi_posterior sfi_posterior;

typedef enum sfi_likeness {
    SFI_DISTANCE = 0, /* -(s_ij/2) |x - y|^2 */
    SFI_PRODUCT       /* s <x, y>            */
} sfi_likeness;

typedef struct sfi_posterior_options {
    bool covariance;      /* make room for covariances: a thread then takes
                             memory in proportion to d^2, else to d       */
    const double *scales; /* [n] s_j > 0, or NULL: 1; for SFI_DISTANCE.
                             An adaptive bandwidth h_j is s_j = 1/h_j^2
                             with -d ln h_j in the log weight            */
} sfi_posterior_options;

/* Take a copy of the data [n, d], n, d >= 1, for arithmetic in `dtype`.
 * `log_weights` [n] may be NULL (all 0) and may hold -infinity, not everywhere.
 * `options` may be NULL: all of its fields are 0.
 * Returns SF_OK; SF_E_SHAPE (no rows or columns, or too many); SF_E_NUMERIC (a
 * number, weight or scale that is out of range, or no weight above 0);
 * SF_E_NOMEM. */
sf_status sfi_posterior_new(sf_context *ctx, sfi_posterior **out,
                            sf_dtype dtype, sf_cmat data,
                            const double *log_weights,
                            const sfi_posterior_options *options);
void sfi_posterior_free(sfi_posterior *p);

enum { SFI_POSTERIOR_MOST_BEST = 64 };

/* What is wanted of m queries, and how.  NULL or no data: not wanted. */
typedef struct sfi_posterior_want {
    double *lse; /* [m]                                        */
    sf_mat mean; /* [m, d]                                     */
    sf_mat cov;  /* [m, d*d], both triangles; only where options.covariance */

    /* [m] NULL, or which row of the data query i is to leave out, -1 for none:
     * sums as if that row were not there, nothing being subtracted.  With
     * nothing left lse is -infinity and the rest NaN. */
    const int64_t *exclude;

    sf_mat score;       /* [m, d]                                           */
    double *mean_scale; /* [m] sum_j r_ij s_ij, so that
                           sum_j r_ij s_ij y_j = score + mean_scale x       */

    /* In (0, 1): see above.  0: 2^-53 in SF_F64, 2^-30 in SF_F32. */
    double tolerance;

    /* The `best_count` largest weights r_ij of each query and the rows of the
     * data they belong to, in descending order, equal ones by row.  Where fewer
     * rows weigh anything, or the others were passed over, which together weigh
     * less than the tolerance, weights are 0 and rows -1. */
    int64_t best_count;  /* 0 to SFI_POSTERIOR_MOST_BEST            */
    double *best_weight; /* [m, best_count]                         */
    int64_t *best_row;   /* [m, best_count]                         */
} sfi_posterior_want;

/* Evaluate; scale > 0.  Allocates nothing.  A query that is not finite, or so
 * far away that l_ij would not be, gets NaN.  One run at a time. */
void sfi_posterior_run(sfi_posterior *p, sf_cmat queries, double scale,
                       sfi_likeness likeness, const sfi_posterior_want *want);

/* Bytes it holds. */
size_t sfi_posterior_memory(const sfi_posterior *p);

#endif
