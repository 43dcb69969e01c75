/* SPDX-License-Identifier: Apache-2.0 */
/* autoencoder_start.c - an autoencoder begins as principal components, since it contains
 * them: training can then only gain on them. */
#include "fit/autoencoder_start.h"

#include "model/autoencoder.h"
#include "scorefield/low_rank.h"

/* Principal components of y, in their own units; room is for d (latent + 2) numbers. */
static sf_status begin(sf_model *m, const sf_model *of_y, double *room,
                       uint64_t seed, sf_model **pca)
{
    const int64_t d = m->dim, latent = sf_model_latents(m);
    double *middle = room, *sd = room + d, *loadings = room + 2 * d;
    SFI_TRY(sf_low_rank_parts(of_y, middle, loadings, sd));
    sfi_autoencoder_begin(m, middle, loadings, sd[0], seed);
    for (int64_t j = 0; j < d; j++) {
        middle[j] = m->mean[j] + m->scale[j] * middle[j];
        sd[j] *= m->scale[j];
        for (int64_t k = 0; k < latent; k++)
            loadings[j * latent + k] *= m->scale[j];
    }
    return sf_low_rank_new(m->ctx, pca, true, d, (const char *const *)m->names,
                           latent, middle, loadings, sd);
}

static sf_status find(sf_model *m, sf_cmat y, uint64_t seed, sf_model **pca)
{
    const size_t room = (size_t)(m->dim * (sf_model_latents(m) + 2));
    sf_low_rank_options o = SF_LOW_RANK_OPTIONS_INIT;
    sf_model *of_y = NULL;
    o.latent = sf_model_latents(m);
    double *numbers = sfi_alloc(m->ctx, room, sizeof *numbers);
    if (numbers == NULL)
        return SF_E_NOMEM;
    sf_status status =
        sf_fit_pca(m->ctx, &of_y, y, (const char *const *)m->names, &o, NULL);
    if (status == SF_OK)
        status = begin(m, of_y, numbers, seed, pca);
    sf_model_free(of_y);
    sfi_free(m->ctx, numbers, room, sizeof *numbers);
    return status;
}

sf_status sfi_autoencoder_start(sf_model *m, const float *y, int64_t rows,
                                uint64_t seed, sf_model **pca)
{
    const size_t cells = (size_t)(rows * m->dim);
    *pca = NULL;
    double *exact = sfi_alloc(m->ctx, cells, sizeof *exact);
    if (exact == NULL)
        return SF_E_NOMEM;
    for (size_t i = 0; i < cells; i++)
        exact[i] = (double)y[i];
    const sf_status status =
        find(m, (sf_cmat){exact, rows, m->dim, m->dim}, seed, pca);
    sfi_free(m->ctx, exact, cells, sizeof *exact);
    return status;
}
