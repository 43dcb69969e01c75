/* SPDX-License-Identifier: Apache-2.0 */
/* normal_em.h - one normal distribution of rows with missing cells. */
#ifndef SFI_NORMAL_EM_H
#define SFI_NORMAL_EM_H

#include "fit/em.h"

/* The prior's rows where nobody says how many: enough for a covariance that has an
 * inverse, and more make imputations worse. */
enum { SFI_PRIOR_ROWS = 5 };

/* Mean [d] and covariance [d, d] of rows y [n, d], standardised column by column, each
 * with a cell that is not missing (NaN): the mode of the posterior, whose prior counts
 * as `prior_rows` >= 0 rows of scatter 1 without correlations.
 * SF_OK; SF_E_NUMERIC (singular), SF_E_CANCELLED, SF_E_NOMEM. */
sf_status sfi_normal_em(sf_context *ctx, sf_cmat y, double prior_rows,
                        int64_t iterations, double tolerance, double *mean,
                        double *covariance, sfi_em_result *result);

#endif
