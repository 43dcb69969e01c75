/* SPDX-License-Identifier: Apache-2.0 */
/* conditional_quantile.c - quantiles of a column. */
#include "model/conditional.h"
#include "num/normal_sum.h"

#include <math.h>

static sf_status check(const sf_conditional *c, int64_t which, int64_t at,
                       int64_t count, const double *p)
{
    if (which < 0 || which >= c->dim)
        return SFI_FAIL(c->ctx, SF_E_ARG, "conditional: column %lld of %lld",
                        (long long)which, (long long)c->dim);
    if (at < c->others && c->intervals > (at == 0))
        return SFI_FAIL(c->ctx, SF_E_UNSUPPORTED,
                        "conditional: quantiles given an interval of another "
                        "column have no closed form; draw rows");
    for (int64_t i = 0; i < count; i++)
        if (!(p[i] > 0.0 && p[i] < 1.0))
            return SFI_FAIL(c->ctx, SF_E_ARG,
                            "conditional: probability %lld is %g, want within "
                            "0 and 1",
                            (long long)i, p[i]);
    return SF_OK;
}

sf_status sf_conditional_quantiles(const sf_conditional *c, int64_t which,
                                   int64_t count, const double *p, double *x)
{
    const size_t n = (size_t)c->parts.count;
    int64_t at = 0;
    while (at < c->others && sfi_column_of(c, at) != which)
        at++;
    SFI_TRY(check(c, which, at, count, p));
    if (c->product != NULL)
        return sfi_product_given_quantiles(c->product, which, count, p, x);
    for (int64_t i = 0; i < count && at == c->others; i++)
        x[i] = c->value[which];
    if (at == c->others)
        return SF_OK;
    double *mean = sfi_alloc(c->ctx, 2 * n, sizeof *mean), *sd = mean + n;
    if (mean == NULL)
        return SF_E_NOMEM;
    const int64_t diagonal = c->order[at] * (c->others + 1);
    for (int64_t k = 0; k < c->parts.count; k++) {
        mean[k] = sfi_mean_of(c, k, at);
        sd[k] = sqrt(sfi_given_covariance(&c->given, k)[diagonal]);
    }
    const sfi_normal_sum sum = {.count = c->parts.count,
                                .weight = c->point.weight,
                                .mean = mean,
                                .sd = sd,
                                .lower = c->lower[at],
                                .upper = c->upper[at]};
    for (int64_t i = 0; i < count; i++)
        x[i] = sfi_normal_sum_quantile(&sum, p[i]);
    sfi_free(c->ctx, mean, 2 * n, sizeof *mean);
    return SF_OK;
}
