/* SPDX-License-Identifier: Apache-2.0 */
/* proposal.h - a distribution around a latent point z* with heavier tails than its
 * posterior,
 *
 *     q = (1 - a) t_6(z*, 1.2 C) + a N(0, I)
 *
 * with C = L L' the covariance of Laplace's posterior.  A normal one would leave
 * weights p/q unbounded where the posterior has heavier tails; the share a of the prior
 * bounds them by p(x|z)/a wherever else it has mass. */
#ifndef SFI_LATENT_PROPOSAL_H
#define SFI_LATENT_PROPOSAL_H

#include "base/random.h"
#include "num/small.h"

typedef struct sfi_proposal {
    int n;               /* K                                */
    double log_share[2]; /* of the Student-t and of the prior */
    double log_norm;     /* of the Student-t, but for ln det */
} sfi_proposal;

sfi_proposal sfi_proposal_make(int n, double share);

/* ln q(z) [n] at `at` [n] with the lower factor l [n, n]. */
double sfi_proposal_log(const sfi_proposal *p, const double *z,
                        const double *at, const double *l);

/* Draw from one of the two parts, by the components from `first`, a multiple of 4, to
 * first + 63 of `where`. */
void sfi_proposal_draw(const sfi_proposal *p, bool of_prior, sfi_where where,
                       uint32_t first, const double *at, const double *l,
                       double *z);

#endif
