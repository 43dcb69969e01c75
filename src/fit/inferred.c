/* SPDX-License-Identifier: Apache-2.0 */
/* inferred.c - each row has a normal distribution in the place of its posterior, found
 * with the decoder as it is; updates of the decoder then take draws z = c + F n of it and
 * lower
 *
 *     E_q[ -ln p(y|z) ] + KL(q || N(0, I)),
 *
 * the bound itself, whose second term they do not change.  There is no amortisation gap,
 * and the price is an inference of all rows every SFI_INFERRED_EVERY updates. */
#include "fit/inferred.h"

#include "base/random.h"
#include "latent/posteriors.h"

#include <string.h>

sf_status sfi_inferred_new(sfi_inferred *out, const sf_model *m, const float *y,
                           int64_t rows, int64_t most)
{
    const int64_t d = m->dim, k = sf_model_latents(m);
    *out = (sfi_inferred){
        .ctx = m->ctx, .rows = rows, .dim = d, .latent = k, .most = most};
    out->y = sfi_alloc(m->ctx, (size_t)(rows * d), sizeof *out->y);
    out->mean = sfi_alloc(m->ctx, (size_t)(rows * k), sizeof *out->mean);
    out->factor =
        sfi_alloc(m->ctx, (size_t)(rows * k * k), sizeof *out->factor);
    out->z = sfi_alloc(m->ctx, (size_t)(most * k), sizeof *out->z);
    out->divergence = sfi_alloc(m->ctx, (size_t)most, sizeof *out->divergence);
    if (out->y == NULL || out->mean == NULL || out->factor == NULL ||
        out->z == NULL || out->divergence == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < rows * d; i++)
        out->y[i] = (double)y[i];
    SFI_TRY(sfi_model_like(m, &out->asked));
    for (int64_t j = 0; j < d; j++) {
        out->asked->mean[j] = 0.0;
        out->asked->scale[j] = 1.0;
    }
    return SF_OK;
}

void sfi_inferred_free(sfi_inferred *s)
{
    if (s->ctx == NULL)
        return;
    const int64_t rows = s->rows, k = s->latent;
    sfi_free(s->ctx, s->y, (size_t)(rows * s->dim), sizeof *s->y);
    sfi_free(s->ctx, s->mean, (size_t)(rows * k), sizeof *s->mean);
    sfi_free(s->ctx, s->factor, (size_t)(rows * k * k), sizeof *s->factor);
    sfi_free(s->ctx, s->z, (size_t)(s->most * k), sizeof *s->z);
    sfi_free(s->ctx, s->divergence, (size_t)s->most, sizeof *s->divergence);
    sf_model_free(s->asked);
    *s = (sfi_inferred){.ctx = NULL};
}

sf_status sfi_inferred_find(sfi_inferred *s, const float *weights,
                            int64_t first, int64_t count)
{
    sf_decoder *decoder = NULL;
    const int64_t d = s->dim, k = s->latent;
    if (count == 0)
        return SF_OK;
    for (int64_t i = 0; i < s->asked->weight_count; i++)
        s->asked->weights[i] = (double)weights[i];
    SFI_TRY(sf_decoder_from_model(s->ctx, &decoder, s->asked));
    const sf_status status = sfi_latent_posteriors(
        s->ctx, decoder, (sf_cmat){s->y + first * d, count, d, d},
        s->mean + first * k, s->factor + first * k * k, true, NULL);
    sf_decoder_free(decoder);
    return status;
}

void sfi_inferred_draw(sfi_inferred *s, const int64_t *rows, int64_t count,
                       uint64_t seed, uint32_t step)
{
    const int64_t k = s->latent;
    for (int64_t i = 0; i < count; i++) {
        const sfi_where where = {seed, (uint64_t)i, step, SFI_STREAM_LATENT};
        const double *c = s->mean + rows[i] * k;
        const double *f = s->factor + rows[i] * k * k;
        double n[SF_LATENT_MAX];
        for (int64_t a = 0; a < k; a++)
            n[a] = sfi_normal_at(where, (uint32_t)a);
        for (int64_t a = 0; a < k; a++) {
            double z = c[a];
            for (int64_t b = 0; b <= a; b++)
                z += f[a * k + b] * n[b];
            s->z[i * k + a] = (float)z;
        }
        s->divergence[i] = (float)sfi_latent_divergence(c, f, k);
    }
}

void sfi_inferred_take(const sfi_inferred *s, double *mean, double *factor)
{
    const size_t cells = (size_t)(s->rows * s->latent);
    memcpy(mean, s->mean, cells * sizeof *mean);
    memcpy(factor, s->factor, cells * (size_t)s->latent * sizeof *factor);
}
