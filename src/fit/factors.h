/* SPDX-License-Identifier: Apache-2.0 */
/* factors.h - factor analysis of a correlation matrix. */
#ifndef SFI_FACTORS_H
#define SFI_FACTORS_H

#include "base/context.h"

/* Variances of the noise, and the eigenvalues (ascending) and unit eigenvectors (rows)
 * of Psi^-1/2 S Psi^-1/2, Psi = diag(noise): the loadings of the k-th latent variable
 * are Psi^1/2 (value - 1)^1/2 vector of the k-th largest. */
typedef struct sfi_factors {
    int64_t dim, latent;
    double *noise;   /* [dim]      */
    double *values;  /* [dim]      */
    double *vectors; /* [dim, dim] */
    int64_t iterations;
    bool converged;
    int64_t at_bound; /* noises at SFI_FACTORS_BOUND */
} sfi_factors;

/* The least noise, a part of a column's variance. */
#define SFI_FACTORS_BOUND 1e-6

/* Maximise the likelihood of the correlations s [dim, dim] of rows, for 1 <= latent <
 * dim, into the caller's arrays.  Returns SF_OK, also where `iterations` were too few;
 * SF_E_CONVERGE (an eigenvalue iteration failed), SF_E_CANCELLED, SF_E_NOMEM. */
sf_status sfi_factors_fit(sf_context *ctx, sfi_factors *f, const double *s,
                          int64_t iterations);

#endif
