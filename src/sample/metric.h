/* SPDX-License-Identifier: Apache-2.0 */
/* metric.h - mass matrices M of Markov chains, by their inverse: the affine map from a
 * standard normal distribution to that of the draws.
 *
 *     DIAGONAL  M^-1 = S^2                          S = diag(scale)
 *     LOW_RANK  M^-1 = S (I + U' (L - I) U) S       U has orthonormal rows,
 *                                                   L = diag(stretch)
 *     DENSE     M^-1 = C C'                         C lower triangular
 *
 * A product costs 2 rank multiplications for each of dim, or dim: where rank is above
 * half of dim, U' (L - I) U is kept as a matrix. */
#ifndef SFI_METRIC_H
#define SFI_METRIC_H

#include "base/context.h"
#include "base/random.h"
#include "num/loops.h"
#include "scorefield/sample.h"

typedef struct sfi_metric {
    sf_metric kind; /* DIAGONAL, LOW_RANK or DENSE: what it is now */
    const sfi_loops *loops;
    int64_t dim;
    double *scale;  /* [dim] */
    double *scaled; /* [dim] scratch */
    /* LOW_RANK: */
    int64_t rank, most;
    double *rows; /* [most, dim] U                                          */
    double
        *product; /* [dim, rank] its transpose, or [dim, dim] U' (L - I) U  */
    double
        *stretch; /* [most]                                                 */
    double
        *velocity; /* [most] stretch - 1, what v = M^-1 p adds along a row   */
    double
        *momentum; /* [most] stretch^-1/2 - 1, likewise of p ~ N(0, M)       */
    double *parts; /* [most] scratch                                         */
    /* DENSE: */
    double *inverse, *factor; /* [dim, dim] M^-1, C */
} sfi_metric;

/* What a step costs beside its gradient, in multiplications: of a product with a metric
 * of a rank (0: diagonal), and of the vectors that a path adds up and compares. */
double sfi_metric_work(int64_t dim, int64_t rank);
/* The same of what a metric is now. */
double sfi_metric_step_work(const sfi_metric *m);

/* Numbers of memory for what a metric of this kind (any of sf_metric) may become, with
 * up to `most` rows, and the metric itself: DIAGONAL, with scales 1. */
size_t sfi_metric_size(sf_metric kind, int64_t dim, int64_t most);
void sfi_metric_init(sfi_metric *m, sf_metric kind, int64_t dim, int64_t most,
                     double *memory);

/* Take the first `rank` of m->rows and m->stretch, which the caller has filled; a rank of
 * 0 is DIAGONAL. */
void sfi_metric_set_rank(sfi_metric *m, int64_t rank);

/* p ~ N(0, M); `where` is of the chain's iteration, with point the chain. */
void sfi_metric_draw(const sfi_metric *m, sfi_where where, double *p);

/* Element j of the diagonal of M^-1. */
double sfi_metric_variance(const sfi_metric *m, int64_t j);

/* v = M^-1 p. */
void sfi_metric_velocity(const sfi_metric *m, const double *p, double *v);

/* r = C's + C^-1 x with C C' = M^-1, at the score s = -slope: constant where x is of a
 * normal distribution of covariance M^-1. */
void sfi_metric_residual(const sfi_metric *m, const double *x,
                         const double *slope, double *r);

#endif
