/* SPDX-License-Identifier: Apache-2.0 */
/* metric.h - the masses of Markov chains' momenta: the inverse of a covariance. */
#ifndef SFI_METRIC_H
#define SFI_METRIC_H

#include "base/context.h"
#include "base/random.h"
#include "scorefield/sample.h"

typedef struct sfi_metric {
    sf_metric kind;
    int64_t dim;
    double
        *inverse; /* DIAGONAL: variances [dim]; DENSE: covariance [dim, dim] */
    double *factor; /* DIAGONAL: 1/sqrt(variance); DENSE: the covariance's lower
                        Cholesky factor */
} sfi_metric;

/* Numbers of both arrays of a kind together. */
size_t sfi_metric_size(sf_metric kind, int64_t dim);

/* The unit metric in `memory`, which holds that many numbers. */
void sfi_metric_init(sfi_metric *m, sf_metric kind, int64_t dim,
                     double *memory);

/* The covariance [dim, dim] or variances [dim] of the chain's draws, shrunk as
 * those of few draws want: n/(n+5) of them and 0.001 * 5/(n+5) of the unit matrix
 * (Stan Reference Manual, Euclidean metric).  It is written over; one that is not
 * positive definite leaves the metric as it was. */
void sfi_metric_set(sf_context *ctx, sfi_metric *m, double *covariance,
                    int64_t draws);

/* p ~ N(0, M); `where` is of the chain's iteration, with point the chain. */
void sfi_metric_draw(const sfi_metric *m, sfi_where where, double *p);

/* v = M^-1 p. */
void sfi_metric_velocity(const sfi_metric *m, const double *p, double *v);

#endif
