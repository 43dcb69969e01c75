/* SPDX-License-Identifier: Apache-2.0 */
/* gaussian_mixture.h - mixtures of normal distributions, as those who fit them make
 * them. */
#ifndef SFI_GAUSSIAN_MIXTURE_H
#define SFI_GAUSSIAN_MIXTURE_H

#include "model/model.h"

enum { SFI_MOST_COMPONENTS = 256 };

/* A mixture whose components are to be set; standardisation mean 0 and scale 1.
 * SF_OK, SF_E_ARG, SF_E_NOMEM. */
sf_status sfi_mixture_declare_model(sf_context *ctx, sf_model **out,
                                    int64_t dim, const char *const *names,
                                    int64_t components);

/* Component k: its weight, and mean [dim] and covariance [dim, dim] of standardised
 * columns.  SF_OK; SF_E_NUMERIC (singular), SF_E_CONVERGE, SF_E_NOMEM. */
sf_status sfi_mixture_set(sf_model *m, int64_t k, double weight,
                          const double *mean, const double *covariance);

#endif
