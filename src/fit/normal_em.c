/* SPDX-License-Identifier: Apache-2.0 */
/* normal_em.c - a mixture of one component, which begins at mean 0 and covariance 1:
 * of standardised columns the moments that each has alone. */
#include "fit/normal_em.h"

#include <string.h>

sf_status sfi_normal_em(sf_context *ctx, sf_cmat y, double prior_rows,
                        int64_t iterations, double tolerance, double *mean,
                        double *covariance, sfi_em_result *result)
{
    const int64_t d = y.cols;
    const sfi_em_options how = {.starts = 1,
                                .iterations = iterations,
                                .tolerance = tolerance,
                                .pseudo_rows = prior_rows};
    double weight = 1.0;
    sfi_components one = {1, d, &weight, mean, covariance};
    sfi_em *em = NULL;
    memset(mean, 0, (size_t)d * sizeof *mean);
    for (int64_t k = 0; k < d * d; k++)
        covariance[k] = k / d == k % d ? 1.0 : 0.0;
    SFI_TRY(sfi_em_new(ctx, &em, y, covariance, 1));
    const sf_status status = sfi_em_refine(em, &one, &how, result);
    sfi_em_free(em);
    return status;
}
