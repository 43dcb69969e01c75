/* SPDX-License-Identifier: Apache-2.0 */
/* fit_gaussian.c - mean and covariance in one pass over the rows. */
#include "base/context.h"
#include "num/linalg.h"
#include "num/moments.h"
#include "scorefield/fit.h"

#include <math.h>

enum { BLOCK_ROWS = 8192 };

static sf_status add_block(sf_context *ctx, sfi_moments *moments, sf_cmat block,
                           int64_t first, const char *const *names)
{
    SFI_TRY(sfi_check_finite(ctx, block, first, names, "gaussian"));
    return sfi_moments_add(moments, block, NULL);
}

static sf_status finish(sf_context *ctx, sf_model **out, int64_t dim,
                        const char *const *names, const sfi_moments *moments)
{
    if (sfi_moments_rows(moments) <= dim)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "gaussian: %lld rows for %lld columns, want at least "
                        "%lld, or the covariance is singular",
                        (long long)sfi_moments_rows(moments), (long long)dim,
                        (long long)dim + 1);
    const size_t d = (size_t)dim;
    double *mean = sfi_alloc(ctx, d, sizeof *mean);
    double *covariance = sfi_alloc(ctx, d * d, sizeof *covariance);
    sf_status status = mean != NULL && covariance != NULL ? SF_OK : SF_E_NOMEM;
    if (status == SF_OK)
        status = sfi_moments_mean(moments, mean);
    if (status == SF_OK)
        status = sfi_moments_covariance(moments, covariance, SFI_POPULATION);
    if (status == SF_OK)
        status = sf_gaussian_new(ctx, out, dim, names, mean, covariance);
    sfi_free(ctx, covariance, d * d, sizeof *covariance);
    sfi_free(ctx, mean, d, sizeof *mean);
    return status;
}

sf_status sf_fit_gaussian_rows(sf_context *ctx, sf_model **out, int64_t dim,
                               const char *const *names, sf_rows_fn rows,
                               void *user, int64_t *row_count)
{
    *out = NULL;
    sfi_moments *moments = NULL;
    SFI_TRY(sfi_moments_new(ctx, &moments, dim));
    const size_t cells = (size_t)(BLOCK_ROWS * dim);
    double *block = sfi_alloc(ctx, cells, sizeof *block);
    sf_status status = block != NULL ? SF_OK : SF_E_NOMEM;
    int64_t total = 0;
    while (status == SF_OK) {
        const int64_t n = rows(user, block, BLOCK_ROWS);
        if (n < 0)
            status = SF_E_IO; /* the callback left its message */
        if (n <= 0)
            break;
        status = add_block(ctx, moments, (sf_cmat){block, n, dim, dim}, total,
                           names);
        total += n;
    }
    if (status == SF_OK)
        status = finish(ctx, out, dim, names, moments);
    if (row_count != NULL)
        *row_count = total;
    sfi_free(ctx, block, cells, sizeof *block);
    sfi_moments_free(moments);
    return status;
}

sf_status sf_fit_gaussian(sf_context *ctx, sf_model **out, sf_cmat data,
                          const char *const *names)
{
    *out = NULL;
    sfi_moments *moments = NULL;
    SFI_TRY(sfi_moments_new(ctx, &moments, data.cols));
    sf_status status = add_block(ctx, moments, data, 0, names);
    if (status == SF_OK)
        status = finish(ctx, out, data.cols, names, moments);
    sfi_moments_free(moments);
    return status;
}
