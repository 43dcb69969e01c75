/* SPDX-License-Identifier: Apache-2.0 */
/* importance.h - ln p(x) of a row, from draws around its latent point. */
#ifndef SFI_LATENT_IMPORTANCE_H
#define SFI_LATENT_IMPORTANCE_H

#include "latent/geometry.h"
#include "latent/programs.h"

typedef struct sfi_importance sfi_importance;

/* What the draws say of a row. */
typedef struct sfi_evidence {
    double logpdf, se;
    double share; /* of the largest weight, of all */
} sfi_evidence;

/* SF_OK or SF_E_NOMEM; on failure *out is NULL.  The programs, of a normal prior, must
 * outlive it. */
sf_status sfi_importance_new(sf_context *ctx, sfi_importance **out,
                             sfi_latent_programs *programs,
                             const sf_latent_options *o);
void sfi_importance_free(sfi_importance *s);

/* Of the rows first..first+count-1, from z [count, K] and spread [count, K*K], the
 * lower Cholesky factor of the posterior's covariance.  NaN where z is. */
sf_status sfi_importance_run(sfi_importance *s, int64_t first, int64_t count,
                             const double *z, const double *spread,
                             sfi_evidence *out);

/* The same with grad_x ln p(x) too, the mean by the weights of grad_x ln p(x|z):
 * pull [count, stride]; the programs have SFI_LATENT_PULL. */
sf_status sfi_importance_pull(sfi_importance *s, int64_t first, int64_t count,
                              const double *z, const double *spread,
                              sfi_evidence *out, double *pull, int64_t stride);

/* Draws by their weights instead (sampling-importance-resampling): picks
 * [count, each, K]; NaN where z is, or where no draw has a weight. */
sf_status sfi_importance_pick(sfi_importance *s, int64_t first, int64_t count,
                              const double *z, const double *spread,
                              int64_t each, double *picks);

#endif
