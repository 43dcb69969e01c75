/* SPDX-License-Identifier: Apache-2.0 */
/* diagnose.h - how far the draws of Markov chains may be trusted. */
#ifndef SCOREFIELD_DIAGNOSE_H
#define SCOREFIELD_DIAGNOSE_H

#include "scorefield/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Draws of several chains: number j of draw i of chain c is
 * data[(c * draws + i) * stride + j]. */
typedef struct sf_draws {
    const double *data;
    int64_t chains, draws; /* >= 1; of each chain */
    int64_t dim, stride;   /* stride >= dim >= 1  */
} sf_draws;

/* What is said of one number.  NaN where it cannot be told: fewer than 4 draws a
 * chain, a number that never changes, a value that is not finite. */
typedef struct sf_diagnosis {
    double mean, sd;         /* of all draws; divisor n - 1                  */
    double q05, median, q95; /* quantiles of all draws, type 7               */
    double mcse_mean,
        mcse_sd; /* standard errors of mean and sd               */
    double mcse_q05, mcse_median, mcse_q95;
    double rhat;     /* the larger of the rank-normalised split R-hat
                                    of the draws and of their distances from the
                                    median: 1 when all chains agree              */
    double ess_bulk; /* effective draws for the middle of the law    */
    double ess_tail; /* the smaller of those for the 5 % and 95 %
                                    quantiles                                    */
    double ess_mean; /* for the mean, without ranks                  */
} sf_diagnosis;

/* Diagnose each number: out [dim].
 *
 * Chains are split in halves.  The effective sample size of n split chains of m
 * draws sums autocorrelations, pooled over chains, in Geyer's initial monotone
 * sequence, and is at most n m log10(n m).
 *
 * Returns SF_OK; SF_E_ARG (chains, draws or dim < 1, stride < dim); SF_E_NOMEM.
 *
 * Source: A. Vehtari, A. Gelman, D. Simpson, B. Carpenter, P.-C. Buerkner,
 * Rank-normalization, folding, and localization: an improved R-hat, Bayesian
 * Analysis 16 (2021) 667-718; C. J. Geyer, Statistical Science 7 (1992) 473-483. */
SF_API sf_status sf_diagnose(sf_context *ctx, const sf_draws *draws,
                             sf_diagnosis *out);

/* Energy fraction of missing information of one chain: the mean square change of
 * the energy between draws over its variance.  Below 0.3 momenta change the
 * energy too little to reach the tails.  energy [draws] is potential plus kinetic
 * energy after each draw of the momentum; NaN for fewer than 4 draws, or energies
 * that are not finite or all alike.
 *
 * Source: M. Betancourt, arXiv:1604.00695 (2016). */
SF_API double sf_ebfmi(const double *energy, int64_t draws);

#ifdef __cplusplus
}
#endif
#endif
