/* SPDX-License-Identifier: Apache-2.0 */
/* posteriors.c - normal distributions for the posteriors of rows: the bound
 *
 *     E_q ln p(x|z) - KL(q || N(0, I))
 *
 * holds whatever q is, so that a row whose maximum has no Laplace covariance may take
 * another one. */
#include "latent/posteriors.h"

#include "base/context.h"
#include "num/linalg.h"
#include "num/small.h"

#include <math.h>
#include <string.h>

double sfi_latent_divergence(const double *c, const double *f, int64_t k)
{
    double sum = -(double)k;
    for (int64_t a = 0; a < k; a++) {
        sum += c[a] * c[a] - 2.0 * log(f[a * k + a]);
        for (int64_t b = 0; b <= a; b++)
            sum += f[a * k + b] * f[a * k + b];
    }
    return 0.5 * sum;
}

static void take_prior(double *z, double *factor, int64_t k)
{
    memset(z, 0, (size_t)k * sizeof *z);
    for (int64_t i = 0; i < k * k; i++)
        factor[i] = i % (k + 1) == 0;
}

/* The factor of (I + metric)^-1. */
static bool take_gauss_newton(const double *metric, double *factor, int64_t k)
{
    double b[SFI_SMALL_MAX * SFI_SMALL_MAX], l[SFI_SMALL_MAX * SFI_SMALL_MAX];
    for (int64_t i = 0; i < k * k; i++)
        b[i] = metric[i] + (i % (k + 1) == 0);
    if (isnan(b[0]) || !sfi_small_cholesky(l, b, (int)k))
        return false;
    sfi_small_inverse(b, l, (int)k);
    return sfi_small_cholesky(factor, b, (int)k);
}

/* The covariance in `factor` becomes its factor. */
static void finish_row(const double *metric, double *z, double *factor,
                       int64_t k)
{
    const bool found =
        !isnan(factor[0]) && sfi_small_cholesky(factor, factor, (int)k);
    if (!found && (isnan(z[0]) || !take_gauss_newton(metric, factor, k)))
        take_prior(z, factor, k);
    for (int64_t a = 0; a < k; a++)
        for (int64_t b = a + 1; b < k; b++)
            factor[a * k + b] = 0.0;
}

static sf_status infer(sf_context *ctx, const sf_decoder *decoder, sf_cmat x,
                       const sf_latent_values *v, bool quiet,
                       const sf_latent_options *o)
{
    sfi_listeners kept;
    if (quiet)
        sfi_context_mute(ctx, &kept);
    const sf_status status = sf_latent_infer(ctx, decoder, x, v, NULL, o);
    if (quiet)
        sfi_context_unmute(ctx, &kept);
    return status == SF_E_CONVERGE ? SF_OK : status;
}

sf_status sfi_latent_posteriors(sf_context *ctx, const sf_decoder *decoder,
                                sf_cmat x, double *z, double *factor,
                                bool quiet, const sf_latent_options *options)
{
    const int64_t n = x.rows, k = sf_decoder_latent(decoder), cells = k * k;
    const size_t room = (size_t)(n * cells);
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    double *metric = sfi_alloc(ctx, room, sizeof *metric);
    if (metric == NULL)
        return SF_E_NOMEM;
    v.z = (sf_mat){z, n, k, k};
    v.covariance = (sf_mat){factor, n, cells, cells};
    v.metric = (sf_mat){metric, n, cells, cells};
    const sf_status status = infer(ctx, decoder, x, &v, quiet, options);
    for (int64_t i = 0; i < n && status == SF_OK; i++)
        finish_row(metric + i * cells, z + i * k, factor + i * cells, k);
    sfi_free(ctx, metric, room, sizeof *metric);
    return status;
}
