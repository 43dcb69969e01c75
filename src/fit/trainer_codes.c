/* SPDX-License-Identifier: Apache-2.0 */
/* trainer_codes.c - what is done to a trained decoder with the codes of its rows: an
 * autoencoder keeps them, a manifold takes their scale as that of its latent variables. */
#include "fit/trainer.h"

#include "model/injective.h"
#include "model/manifold.h"
#include "num/linalg.h"

#include <math.h>

/* The first `count` training rows in the units of the networks; NULL without memory. */
static double *training_rows(const sf_trainer *t, int64_t count)
{
    const size_t cells = (size_t)(count * t->columns);
    double *exact = sfi_alloc(t->ctx, cells, sizeof *exact);
    for (size_t i = 0; i < cells && exact != NULL; i++)
        exact[i] = (double)t->data[t->held * t->columns + (int64_t)i];
    return exact;
}

/* Means and spreads of q of the first `count` training rows, in the units of the networks. */
static sf_status find_codes(const sf_trainer *t, const sf_model *m,
                            int64_t count, double *mean, double *spread)
{
    const int64_t d = t->columns;
    const float *y = t->data + t->held * d;
    if (t->o.no_encoder) {
        sfi_inferred s;
        sf_status status = sfi_inferred_new(&s, m, y, count, 1);
        if (status == SF_OK)
            status = sfi_inferred_find(&s, t->best, 0, count);
        if (status == SF_OK)
            sfi_inferred_take(&s, mean, spread);
        sfi_inferred_free(&s);
        return status;
    }
    double *exact = training_rows(t, count);
    if (exact == NULL)
        return SF_E_NOMEM;
    const sf_status status =
        sfi_autoencoder_codes(m, (sf_cmat){exact, count, d, d}, mean, spread);
    sfi_free(t->ctx, exact, (size_t)(count * d), sizeof *exact);
    return status;
}

/* In the model's place one that keeps where its rows were. */
sf_status sfi_trainer_keep_codes(const sf_trainer *t, sf_model **m)
{
    const int64_t k = t->o.latent, each = t->o.no_encoder ? k * k : k;
    const int64_t count = sfi_codes_room(t->rows, k, t->o.no_encoder);
    const size_t room = (size_t)(count * (k + each));
    sf_model *with = NULL;
    double *mean = sfi_alloc(t->ctx, room, sizeof *mean);
    sf_status status = SF_E_NOMEM;
    if (mean != NULL)
        status = find_codes(t, *m, count, mean, mean + count * k);
    if (status == SF_OK)
        status = sfi_codes_keep(*m, count, mean, mean + count * k, &with);
    sfi_free(t->ctx, mean, room, sizeof *mean);
    sf_model_free(*m);
    *m = with;
    return status;
}

/* Of codes z [n, K]; the standard deviation of a constant is 1. */
static void scale_of(const double *z, int64_t n, int64_t k, double *mean,
                     double *sd)
{
    for (int64_t a = 0; a < k; a++) {
        double sum = 0.0, squares = 0.0;
        for (int64_t i = 0; i < n; i++)
            sum += z[i * k + a];
        mean[a] = sum / (double)n;
        for (int64_t i = 0; i < n; i++)
            squares += (z[i * k + a] - mean[a]) * (z[i * k + a] - mean[a]);
        sd[a] = squares > 0.0 ? sqrt(squares / (double)n) : 1.0;
    }
}

/* What rows x [n, d] miss that their codes z decode to, as f [n, d], in the units of the
 * networks: mean squares [d], in the place of f. */
static void take_squares(const sf_model *m, const double *x, double *f,
                         int64_t n)
{
    const int64_t d = m->dim;
    for (int64_t j = 0; j < d; j++) {
        double sum = 0.0;
        for (int64_t i = 0; i < n; i++) {
            const double off = (x[i * d + j] - f[i * d + j]) / m->scale[j];
            sum += off * off / (double)n;
        }
        f[j] = sum; /* row 0 of this column is not needed any more */
    }
}

static sf_status fix(const sf_trainer *t, sf_model *m, double *x, double *z,
                     double *f)
{
    const int64_t d = t->columns, n = t->rows, k = t->o.latent;
    double mean[SFI_MANIFOLD_LATENT], sd[SFI_MANIFOLD_LATENT];
    for (int64_t i = 0; i < n * d; i++)
        x[i] = m->mean[i % d] + m->scale[i % d] * x[i];
    SFI_TRY(sf_model_code(m, (sf_cmat){x, n, d, d}, (sf_mat){z, n, k, k}));
    SFI_TRY(sf_model_decode(m, (sf_cmat){z, n, k, k}, (sf_mat){f, n, d, d}));
    take_squares(m, x, f, n);
    if (m->ops == &sfi_injective_ops) {
        double sum = 0.0;
        for (int64_t j = 0; j < d; j++)
            sum += f[j];
        sfi_injective_take_noise(m, sqrt(sum / (double)(d - k)));
        return SF_OK;
    }
    sfi_manifold_take_noise(m, f);
    scale_of(z, n, k, mean, sd);
    sfi_manifold_standardise(m, mean, sd);
    return SF_OK;
}

sf_status sfi_trainer_finish_manifold(const sf_trainer *t, sf_model *m)
{
    const int64_t d = t->columns, n = t->rows, k = t->o.latent;
    double *x = training_rows(t, n);
    double *z = sfi_alloc(t->ctx, (size_t)(n * k), sizeof *z);
    double *f = sfi_alloc(t->ctx, (size_t)(n * d), sizeof *f);
    sf_status status = SF_E_NOMEM;
    if (x != NULL && z != NULL && f != NULL)
        status = fix(t, m, x, z, f);
    sfi_free(t->ctx, x, (size_t)(n * d), sizeof *x);
    sfi_free(t->ctx, z, (size_t)(n * k), sizeof *z);
    sfi_free(t->ctx, f, (size_t)(n * d), sizeof *f);
    return status;
}
