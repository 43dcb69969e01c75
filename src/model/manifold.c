/* SPDX-License-Identifier: Apache-2.0 */
/* manifold.c - principal manifolds.
 *
 * They are made of what an autoencoder is made of, but for the spread of the encoder: a
 * linear map and a residual perceptron each, and a noise.  There is no prior, so that z may
 * be stretched at will: it is fixed after training by z = mean + sd z', which the weights
 * absorb exactly. */
#include "model/manifold.h"

#include <math.h>
#include <string.h>

static const double noise_floor = SFI_AUTOENCODER_FLOOR;
static const double log_two_pi = 1.8378770664093453;

/* ---- the loss ------------------------------------------------------------------------ */

sf_node sfi_manifold_loss(const sf_model *m, sf_graph *g, sf_node y,
                          const sf_node *weights)
{
    const double d = (double)m->dim, alpha = sfi_number_of(m, "principal");
    const int64_t latent = (int64_t)sfi_number_of(m, "latent");
    const sf_node z = sfi_autoencoder_mean(m, g, y, weights);
    const sf_node f = sfi_autoencoder_decoded(m, g, z, weights);
    const sf_node log_noise = sfi_autoencoder_noise(m, g, weights);
    const sf_node inverse = sf_exp(g, sf_neg(g, log_noise));
    const sf_node error = sf_mul(g, inverse, sf_sub(g, y, f));
    const double copies = (double)sf_node_extent(g, log_noise, 0);
    const sf_node log_det =
        sf_mul(g, sf_const(g, d / copies), sf_sum_all(g, log_noise));
    const sf_node half =
        sf_mul(g, sf_const(g, 0.5),
               sf_add(g, sf_dot(g, error, error), sf_const(g, d * log_two_pi)));
    const sf_node loss = sf_add(g, half, log_det);
    if (alpha == 0.0 || latent == 1)
        return loss;
    const sf_node i = sfi_hadamard(g, sfi_gram(g, f, z, inverse), latent);
    return sf_add(g, loss, sf_mul(g, sf_const(g, alpha), i));
}

/* ---- the family ------------------------------------------------------------------------ */

static sf_status manifold_declare(sf_model *m)
{
    int64_t latent;
    bool missing = false;
    SFI_TRY(sfi_whole_number(m, "latent", 1, SFI_MANIFOLD_LATENT, &latent));
    SFI_TRY(sfi_whole_number(m, "encoder", 1, 1, &latent));
    SFI_TRY(sfi_whole_number(m, "codes", 0, 0, &latent));
    const double principal = sfi_model_number(m, "principal", &missing);
    if (missing || !(principal >= 0.0) || !(principal <= 1e6))
        return SFI_FAIL(m->ctx, SF_E_FORMAT,
                        "manifold: \"principal\" is %g, want a number from 0 "
                        "to 1e6",
                        principal);
    return sfi_autoencoder_declare(m, 1);
}

const sfi_model_ops sfi_manifold_ops = {.family = "manifold",
                                        .noiseless = true,
                                        .inferred = true,
                                        .trained = true,
                                        .no_prior = true,
                                        .no_kernels = true,
                                        .declare = manifold_declare,
                                        .code = sfi_autoencoder_mean,
                                        .decode = sfi_autoencoder_decode,
                                        .spread = sfi_autoencoder_spread,
                                        .check = sfi_autoencoder_check};

int sfi_manifold_numbers(sfi_number *out, const sfi_autoencoder_shape *shape,
                         double principal)
{
    const int count = sfi_autoencoder_numbers(out, shape);
    out[count] = (sfi_number){"principal", principal};
    return count + 1;
}

/* ---- after training --------------------------------------------------------------------- */

static sfi_weight *find(sf_model *m, const char *name)
{
    for (size_t k = 0; k < m->layout_count; k++)
        if (strcmp(m->layout[k].name, name) == 0)
            return &m->layout[k];
    return NULL;
}

void sfi_manifold_take_noise(sf_model *m, const double *squares)
{
    const sfi_weight *noise = find(m, "noise.log_sd");
    const double d = (double)m->dim;
    const double part = (d - sfi_number_of(m, "latent")) / d;
    double mean = 0.0;
    for (int64_t j = 0; j < m->dim; j++)
        mean += squares[j] / d;
    for (int64_t j = 0; j < noise->count; j++) {
        const double square = (noise->count > 1 ? squares[j] : mean) / part;
        m->weights[noise->offset + j] =
            (float)(0.5 * log(fmax(square, noise_floor * noise_floor)));
    }
}

/* W z + b = (W diag(sd)) z' + (b + W mean), of a map that reads z. */
static void absorb_input(sf_model *m, const char *weight, const char *bias,
                         const double *mean, const double *sd)
{
    const sfi_weight *w = find(m, weight), *b = find(m, bias);
    if (w == NULL || b == NULL)
        return; /* without layers there is none */
    const int64_t latent = w->shape[1];
    for (int64_t i = 0; i < w->shape[0]; i++) {
        double *row = m->weights + w->offset + i * latent;
        double shift = 0.0;
        for (int64_t k = 0; k < latent; k++) {
            shift += row[k] * mean[k];
            row[k] = (float)(row[k] * sd[k]);
        }
        m->weights[b->offset + i] = (float)(m->weights[b->offset + i] + shift);
    }
}

/* Rows of a map that gives z are divided. */
static void absorb_output(sf_model *m, const char *weight, const double *sd)
{
    const sfi_weight *w = find(m, weight);
    if (w == NULL)
        return;
    for (int64_t i = 0; i < w->count; i++)
        m->weights[w->offset + i] =
            (float)(m->weights[w->offset + i] / sd[i * w->shape[0] / w->count]);
}

void sfi_manifold_standardise(sf_model *m, const double *mean, const double *sd)
{
    absorb_input(m, "decoder.linear", "decoder.output.bias", mean, sd);
    absorb_input(m, "decoder.input.weight", "decoder.input.bias", mean, sd);
    const sfi_weight *bias = find(m, "encoder.output.bias");
    for (int64_t k = 0; k < bias->count; k++)
        m->weights[bias->offset + k] =
            (float)(m->weights[bias->offset + k] - mean[k]);
    absorb_output(m, "encoder.linear", sd);
    absorb_output(m, "encoder.output.weight", sd);
    absorb_output(m, "encoder.output.bias", sd);
}
