/* SPDX-License-Identifier: Apache-2.0 */
/* score_metric.h - metrics from draws x and their scores s.
 *
 * An affine map x = C y makes of a distribution one whose score is C's; how far that is
 * from a standard normal one is the Fisher divergence
 *
 *     F = E |C's + C^-1 (x - mu)|^2
 *
 * (A. Hyvarinen, JMLR 6 (2005) 695-709).  It is least for the geometric mean
 * M^-1 = C C' of Cov(x) and Cov(s)^-1, which is the covariance itself where the
 * distribution is normal, whatever draws it is seen by (Seyboldt, Carlson,
 * Carpenter, arXiv:2603.18845 (2026); docs/decisions/metrics-by-scores.md). */
#ifndef SFI_SCORE_METRIC_H
#define SFI_SCORE_METRIC_H

#include "sample/metric.h"

/* The last draws of a chain, and the slopes of f there (scores are -slope). */
typedef struct sfi_pairs {
    int64_t dim, capacity;
    int64_t total;     /* that were ever added; the last `capacity` are kept */
    double *x, *slope; /* [capacity, dim], total % capacity is the next row  */
} sfi_pairs;

/* In `memory`, which holds 2 capacity dim numbers. */
void sfi_pairs_init(sfi_pairs *p, int64_t dim, int64_t capacity,
                    double *memory);
void sfi_pairs_add(sfi_pairs *p, const double *x, const double *slope);

/* Fit a metric to the last `count` pairs, or as many as there are; m->scale is that of
 * a diagonal one.
 *
 *   DENSE     the geometric mean
 *   LOW_RANK  the geometric mean in the span of three quarters of the pairs, in units
 *             of the scales; its middle eigenvalue goes to the scales, others within a
 *             factor 2 of it are taken for it, and of the rest those are kept that
 *             lower F of the other quarter by a quarter of what they promise
 *   AUTO      likewise with those beyond a factor 5/4, and of these as many as make
 *             paths shorter by more than products with them cost beside a gradient
 *
 * work  multiplications that a gradient takes, for AUTO
 *
 * Fewer than 20 pairs, and those that show no metric (a chain that did not move),
 * leave m as it is.  Returns SF_OK or SF_E_NOMEM, m as it was. */
sf_status sfi_metric_fit(sf_context *ctx, sfi_metric *m, sf_metric kind,
                         const sfi_pairs *pairs, int64_t count, double work);

/* The Fisher divergence of draws, over dim: the mean variance of residuals' components,
 * one residual [dim] at a time. */
typedef struct sfi_divergence {
    int64_t dim, count;
    double *mean; /* [dim] */
    double sum;
} sfi_divergence;

/* With zeros at mean. */
void sfi_divergence_add(sfi_divergence *d, const double *residual);
/* NaN below two draws. */
double sfi_divergence_value(const sfi_divergence *d);

#endif
