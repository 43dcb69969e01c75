/* SPDX-License-Identifier: Apache-2.0 */
/* diagnose.h - convergence diagnostics of Markov chains: split R-hat, effective sample
 * sizes and Monte Carlo standard errors. */
#ifndef SCOREFIELD_DIAGNOSE_H
#define SCOREFIELD_DIAGNOSE_H

#include "scorefield/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Draws of several chains: component j of draw i of chain c is
 * data[(c * draws + i) * stride + j]. */
typedef struct sf_draws {
    const double *data;
    int64_t chains, draws; /* >= 1; of each chain */
    int64_t dim, stride;   /* stride >= dim >= 1  */
    const double *period;  /* [dim] of angles, 0: none; NULL: none at all */
} sf_draws;

/* The diagnostics of one component.  NaN where undefined:
 *
 *   everything             a value is not finite
 *   sd                     there is one draw
 *   rhat, mcse, ess        the component never changes, or chains have fewer than
 *                          4 draws (mcse and ess: 12)
 *   ... of a quantile      no draw is above it: 1 as the 95 % quantile of zeros
 *                          and ones
 *   mcse_sd                all draws are as far from the mean
 *
 * An angle is counted from its mean direction, that of the sum of its draws as unit
 * vectors, and the cut is opposite to it: mean, sd, quantiles and all else are those of
 * draws within half a period of it.
 *
 * Where chains have an odd number of draws, the one in the middle counts for
 * mean, sd and quantiles alone. */
typedef struct sf_diagnosis {
    double mean, sd;         /* of all draws; divisor n - 1              */
    double q05, median, q95; /* quantiles of all draws, type 7           */
    double mcse_mean;        /* standard errors: of the mean,            */
    double mcse_sd;          /* of the sd,                               */
    double mcse_q05, mcse_median, mcse_q95; /* and of the quantiles      */
    double rhat;     /* the larger of the rank-normalised split R-hat of
                        the draws and of their distances from the
                        median: 1 when all chains agree                  */
    double ess_bulk; /* bulk effective sample size                       */
    double ess_tail; /* tail effective sample size: the smaller of those for
                        the 5 % and the 95 % quantile                    */
    double ess_mean; /* for the mean, without ranks                      */
} sf_diagnosis;

/* Diagnose each component: out [dim].
 *
 * Chains are split in halves.  The effective sample size of n split chains of
 * m draws sums autocorrelations, pooled over chains, in Geyer's initial
 * monotone sequence, and is at most n m log10(n m).  Standard errors of
 * quantiles are half the distance of the order statistics that hold the middle
 * 68 % of the beta distribution of the quantile's probability.  rhat is inf where no
 * chain ever moves but they differ, and that of the draws alone where all are as
 * far from the median.
 *
 * Cost.    A component of N draws takes O(N) for each lag up to the one at which
 *          autocorrelations vanish, and O(N log N) in all where these are many.
 * Memory.  10 numbers for each draw, and 5 to 10 for each draw of one chain.
 *
 * Returns SF_OK; SF_E_ARG (a pointer is NULL; chains, draws or dim < 1,
 * stride < dim); SF_E_NOMEM.  If it fails, out is unchanged.
 *
 * Source: A. Vehtari, A. Gelman, D. Simpson, B. Carpenter, P.-C. Buerkner,
 * Rank-normalization, folding, and localization: an improved R-hat, Bayesian
 * Analysis 16 (2021) 667-718; C. J. Geyer, Statistical Science 7 (1992)
 * 473-483. */
SF_API sf_status sf_diagnose(sf_context *ctx, const sf_draws *draws,
                             sf_diagnosis *out);

/* Energy fraction of missing information of one chain: the mean square change
 * of the energy between draws over its variance (divisors n - 1), 2 for
 * independent draws.  Below 0.3 momenta change the energy too little to reach
 * the tails.  energy [draws] is potential plus kinetic energy after each draw of
 * the momentum; NaN for fewer than 4 draws, or energies that are not finite or
 * all alike.
 *
 * Source: M. Betancourt, arXiv:1604.00695 (2016). */
SF_API double sf_ebfmi(const double *energy, int64_t draws);

#ifdef __cplusplus
}
#endif
#endif
