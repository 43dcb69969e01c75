/* SPDX-License-Identifier: Apache-2.0 */
/* injective.c - flows from fewer dimensions.
 *
 * The map from latent variables to columns is the flow's way forth, whose derivatives J and,
 * in training, whose derivatives of J are those of splines, not of their inverses; codes go
 * the way back. */
#include "model/injective.h"

#include <math.h>

static const double log_two_pi = 1.8378770664093453;
static const double closeness = 100.0;
static const double least_noise = 1e-3; /* of standardised columns */

static int64_t latent_of(const sf_model *m)
{
    return (int64_t)sfi_number_of(m, "latent");
}

/* F(z, rest). */
static sf_node carry(const sf_model *m, sf_graph *g, sf_node z, sf_node rest,
                     const sf_node *weights)
{
    sf_node log_det;
    const sf_node parts[] = {z, rest};
    return sfi_flow_forward(m, g, sf_concat(g, 2, parts, 0), weights, &log_det);
}

/* F(z, 0). */
static sf_node embed(const sf_model *m, sf_graph *g, sf_node z,
                     const sf_node *weights)
{
    const int64_t rest = m->dim - latent_of(m);
    return carry(m, g, z, sf_broadcast(g, sf_const(g, 0.0), 1, &rest), weights);
}

static sf_node injective_code(const sf_model *m, sf_graph *g, sf_node y,
                              const sf_node *weights)
{
    return sf_slice(g, sfi_flow_backward(m, g, y, weights), 0, 0, latent_of(m),
                    1);
}

sf_node sfi_injective_loss(const sf_model *m, sf_graph *g, sf_node y,
                           const sf_node *weights)
{
    const int64_t k = latent_of(m);
    const double alpha = sfi_number_of(m, "principal");
    const sf_node half = sf_const(g, 0.5);
    const sf_node all = sfi_flow_backward(m, g, y, weights);
    const sf_node z = sf_slice(g, all, 0, 0, k, 1);
    const sf_node rest = sf_slice(g, all, 0, k, m->dim - k, 1);
    const sf_node f = embed(m, g, z, weights);
    const sf_node gram =
        sfi_gram(g, carry(m, g, z, rest, weights), z, (sf_node){-1});
    const sf_node off = sf_sub(g, y, f);
    const sf_node squares = sf_add(
        g, sf_add(g, sf_dot(g, z, z), sf_const(g, (double)k * log_two_pi)),
        sf_mul(g, sf_const(g, closeness), sf_dot(g, off, off)));
    /* ln det/2 + alpha I = sum ln M_kk/2 + (alpha - 1) I */
    const sf_node loss =
        sf_add(g, sf_mul(g, half, squares), sfi_half_log_diagonal(g, gram, k));
    if (alpha == 1.0 || k == 1)
        return loss;
    return sf_add(
        g, loss, sf_mul(g, sf_const(g, alpha - 1.0), sfi_hadamard(g, gram, k)));
}

/* ---- the family ------------------------------------------------------------------------ */

static sf_status injective_declare(sf_model *m)
{
    const int64_t one = 1;
    const int64_t most =
        m->dim - 1 < SFI_INJECTIVE_LATENT ? m->dim - 1 : SFI_INJECTIVE_LATENT;
    int64_t latent;
    SFI_TRY(sfi_whole_number(m, "latent", 1, most, &latent));
    SFI_TRY(sfi_add_weight(m, "noise.log_sd", 1, &one));
    return sfi_flow_declare(m);
}

static double *noise_of(const sf_model *m)
{
    return m->weights + m->layout[0].offset;
}

static sf_status injective_check(const sf_model *m)
{
    const double log_sd = *noise_of(m);
    if (!(fabs(log_sd) <= 40.0))
        return SFI_FAIL(m->ctx, SF_E_FORMAT,
                        "injective: \"noise.log_sd\" is %g, want -40 to 40",
                        log_sd);
    return sfi_flow_check(m);
}

static sf_status injective_decode(const sf_model *m, sf_graph *g, sf_node z,
                                  sf_node noise, const sf_node *weights,
                                  sf_node *out)
{
    *out = embed(m, g, z, weights);
    if (noise.id >= 0)
        *out = sf_add(
            g, *out,
            sf_mul(g, sf_exp(g, sf_reshape(g, weights[0], 0, NULL)), noise));
    return sf_graph_status(g);
}

static void injective_spread(const sf_model *m, double *sd)
{
    for (int64_t j = 0; j < m->dim; j++)
        sd[j] = exp(*noise_of(m));
}

const sfi_model_ops sfi_injective_ops = {.family = "injective",
                                         .noiseless = true,
                                         .inferred = true,
                                         .trained = true,
                                         .no_kernels = true,
                                         .declare = injective_declare,
                                         .code = injective_code,
                                         .decode = injective_decode,
                                         .spread = injective_spread,
                                         .check = injective_check};

/* ---- making ------------------------------------------------------------------------------ */

int sfi_injective_numbers(sfi_number *out, const sfi_flow_shape *shape,
                          int64_t latent)
{
    const int count = sfi_flow_numbers(out, shape);
    out[count] = (sfi_number){"latent", (double)latent};
    return count + 1;
}

void sfi_injective_take_noise(sf_model *m, double sd)
{
    *noise_of(m) = (float)log(fmax(sd, least_noise));
}
