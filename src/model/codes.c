/* SPDX-License-Identifier: Apache-2.0 */
/* codes.c - the aggregate posterior of an autoencoder: fixed weights, the last two of the
 * model.  A draw is a row at random and then a draw of its normal distribution. */
#include "model/codes.h"

#include "base/random.h"

#include <math.h>
#include <string.h>

int64_t sfi_codes_room(int64_t rows, int64_t latent, bool full)
{
    const int64_t each = full ? latent * latent : latent;
    const int64_t fit = SFI_CODES_CELLS / each;
    const int64_t most = fit < SFI_CODES_ROWS ? fit : SFI_CODES_ROWS;
    return rows < most ? rows : most;
}

int64_t sfi_codes_count(const sf_model *m)
{
    bool missing = false;
    const double count = sfi_model_number(m, "codes", &missing);
    return missing ? 0 : (int64_t)count;
}

/* ---- weights --------------------------------------------------------------------- */

sf_status sfi_codes_declare(sf_model *m, int64_t latent, bool full)
{
    bool missing = false;
    int64_t count;
    (void)sfi_model_number(m, "codes", &missing);
    if (missing)
        return SF_OK;
    SFI_TRY(sfi_whole_number(m, "codes", 0, SFI_CODES_ROWS, &count));
    if (count == 0)
        return SF_OK;
    const int64_t shape[] = {count, latent, latent};
    SFI_TRY(sfi_add_fixed_weight(m, "codes.mean", 2, shape));
    return full ? sfi_add_fixed_weight(m, "codes.factor", 3, shape)
                : sfi_add_fixed_weight(m, "codes.sd", 2, shape);
}

/* The means, and the spreads [C, *each]. */
static double *codes_of(const sf_model *m, double **spread, int64_t *each)
{
    const sfi_weight *last = &m->layout[m->layout_count - 1];
    *spread = m->weights + last->offset;
    *each = last->count / sfi_codes_count(m);
    return m->weights + m->layout[m->layout_count - 2].offset;
}

sf_status sfi_codes_check(const sf_model *m)
{
    double *spread;
    int64_t each;
    const int64_t count = sfi_codes_count(m);
    if (count == 0)
        return SF_OK;
    const int64_t latent = m->layout[m->layout_count - 2].shape[1];
    (void)codes_of(m, &spread, &each);
    for (int64_t i = 0; i < count * each; i++) {
        const int64_t at = i % each; /* diagonals come every latent + 1 */
        const bool is_sd = each == latent || at % (latent + 1) == 0;
        if (is_sd && !(spread[i] >= 0.0))
            return SFI_FAIL(m->ctx, SF_E_FORMAT,
                            "vae: element %lld of \"%s\" is %g, want >= 0",
                            (long long)i, m->layout[m->layout_count - 1].name,
                            spread[i]);
    }
    return SF_OK;
}

sf_status sfi_codes_keep(const sf_model *m, int64_t count, const double *mean,
                         const double *spread, sf_model **out)
{
    sfi_number numbers[SFI_MAX_NUMBERS];
    double *to_spread;
    int64_t each;
    *out = NULL;
    memcpy(numbers, m->numbers, (size_t)m->number_count * sizeof *numbers);
    for (int k = 0; k < m->number_count; k++)
        if (strcmp(numbers[k].key, "codes") == 0)
            numbers[k].value = (double)count;
    SFI_TRY(sfi_model_new(m->ctx, out, m->ops, m->dim,
                          (const char *const *)m->names, NULL, m->number_count,
                          numbers));
    memcpy((*out)->mean, m->mean, (size_t)m->dim * sizeof *m->mean);
    memcpy((*out)->scale, m->scale, (size_t)m->dim * sizeof *m->scale);
    memcpy((*out)->weights, m->weights,
           (size_t)m->weight_count * sizeof *m->weights);
    if (count == 0)
        return SF_OK;
    double *to_mean = codes_of(*out, &to_spread, &each);
    const int64_t cells = (*out)->layout[(*out)->layout_count - 2].count;
    for (int64_t i = 0; i < cells; i++)
        to_mean[i] = (float)mean[i];
    for (int64_t i = 0; i < count * each; i++)
        to_spread[i] = (float)spread[i];
    return SF_OK;
}

/* ---- draws ---------------------------------------------------------------------------- */

/* F n, F a diagonal or a lower triangle. */
static double spread_along(const double *f, bool full, const double *n,
                           int64_t latent, int64_t k)
{
    double sum = 0.0;
    if (!full)
        return f[k] * n[k];
    for (int64_t l = 0; l <= k; l++)
        sum += f[k * latent + l] * n[l];
    return sum;
}

void sfi_codes_draw(const sf_model *m, uint64_t seed, int64_t first, sf_mat z)
{
    double *spread, n[SFI_CODES_LATENT];
    int64_t each;
    const int64_t count = sfi_codes_count(m), latent = z.cols;
    const double *mean = codes_of(m, &spread, &each);
    for (int64_t i = 0; i < z.rows; i++) {
        const uint64_t point = (uint64_t)(first + i);
        const sfi_where which = {seed, point, 0, SFI_STREAM_GIVEN};
        const sfi_where where = {seed, point, 0, SFI_STREAM_PRIOR};
        const int64_t row = (int64_t)(sfi_uniform_at(which, 0) * (double)count);
        const int64_t at = row < count ? row : count - 1;
        for (int64_t k = 0; k < latent; k++)
            n[k] = sfi_normal_at(where, (uint32_t)k);
        for (int64_t k = 0; k < latent; k++)
            z.data[i * z.stride + k] =
                mean[at * latent + k] +
                spread_along(spread + at * each, each != latent, n, latent, k);
    }
}
