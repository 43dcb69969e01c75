/* SPDX-License-Identifier: Apache-2.0 */
/* geometry.h - what is told of a row at its latent point. */
#ifndef SFI_LATENT_GEOMETRY_H
#define SFI_LATENT_GEOMETRY_H

#include "latent/programs.h"

typedef struct sfi_latent_geometry sfi_latent_geometry;

/* What the verb counts and the importance sampler needs of a row. */
typedef struct sfi_latent_point {
    double certificate;
    double objective; /* O */
    double misfit;
    double half_log_det; /* (1/2) ln det (I(z) + Lambda) */
    int kind;
    bool is_tied; /* two principal directions have one s_k */
} sfi_latent_point;

/* Room for blocks of `most` rows.  SF_OK or SF_E_NOMEM; on failure *out is NULL.
 * The programs must outlive it. */
sf_status sfi_latent_geometry_new(sf_context *ctx, sfi_latent_geometry **out,
                                  sfi_latent_programs *programs,
                                  const sf_decoder *d, int64_t most);
void sfi_latent_geometry_free(sfi_latent_geometry *g);

/* Fill the rows first..first+count-1 of what is wanted, at z [count, K], and
 * point [count].  spread [count, K*K], which may be NULL, receives the lower Cholesky
 * factor of Laplace's covariance, or where the kind is not 1 that of Gauss-Newton's.
 * Rows whose z is NaN are NaN, and of kind 0. */
sf_status sfi_latent_geometry_run(sfi_latent_geometry *g, int64_t first,
                                  int64_t count, const double *z,
                                  const sf_latent_values *values,
                                  sfi_latent_point *point, double *spread);

#endif
