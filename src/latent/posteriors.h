/* SPDX-License-Identifier: Apache-2.0 */
/* posteriors.h - a normal distribution in the place of p(z | x), of every row. */
#ifndef SFI_LATENT_POSTERIORS_H
#define SFI_LATENT_POSTERIORS_H

#include "scorefield/latent.h"

/* For each row x [n, d] the likeliest z [n, K], with the prior, and F [n, K, K], lower
 * triangles, of the covariance F F': Laplace's, or where there is none that of
 * Gauss-Newton; of a row whose f is not finite at any start the prior's.  `quiet`: without
 * warnings and progress.  Rows that have not converged are as they are.
 * Returns as sf_latent_infer() does, but never SF_E_CONVERGE. */
sf_status sfi_latent_posteriors(sf_context *ctx, const sf_decoder *decoder,
                                sf_cmat x, double *z, double *factor,
                                bool quiet, const sf_latent_options *options);

/* KL(N(c, F F') || N(0, I)), c [K], F [K, K] a lower triangle. */
double sfi_latent_divergence(const double *c, const double *f, int64_t k);

#endif
