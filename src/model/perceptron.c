/* SPDX-License-Identifier: Apache-2.0 */
/* perceptron.c - a residual multilayer perceptron.
 *
 *     h_1     = silu(W_1 u + T f(sigma) + b_1)
 *     h_l+1   = h_l + silu(W_l+1 h_l + b_l+1)
 *     F       = W_out h_L + b_out
 *
 * With one noise level there is no f(sigma), the features of the level.  Names of
 * weights begin with those of the network, where a model has several. */
#include "model/network.h"

#include <math.h>
#include <stdio.h>

enum { MAX_WIDTH = 1 << 14, MAX_LAYERS = 64 };

/* Weights in order: input, features (if any), input bias, then W, b of each
 * further layer, output, output bias. */
static sf_status add(sf_model *m, const char *network, const char *layer,
                     int rank, int64_t rows, int64_t columns)
{
    char name[64];
    snprintf(name, sizeof name, "%s%s", network, layer);
    return sfi_add_weight(m, name, rank, (int64_t[]){rows, columns});
}

sf_status sfi_perceptron_declare(sf_model *m, const char *network,
                                 int64_t inputs, int64_t outputs)
{
    int64_t width, layers;
    SFI_TRY(sfi_whole_number(m, "width", 1, MAX_WIDTH, &width));
    SFI_TRY(sfi_whole_number(m, "layers", 1, MAX_LAYERS, &layers));
    m->weight_dtype = SF_F32;
    SFI_TRY(add(m, network, "input.weight", 2, width, inputs));
    if (!sfi_single_level(m))
        SFI_TRY(
            add(m, network, "noise.weight", 2, width, SFI_NETWORK_FEATURES));
    SFI_TRY(add(m, network, "input.bias", 1, width, 0));
    for (int64_t l = 1; l < layers; l++) {
        char layer[40];
        snprintf(layer, sizeof layer, "hidden.%lld.weight", (long long)l);
        SFI_TRY(add(m, network, layer, 2, width, width));
        snprintf(layer, sizeof layer, "hidden.%lld.bias", (long long)l);
        SFI_TRY(add(m, network, layer, 1, width, 0));
    }
    SFI_TRY(add(m, network, "output.weight", 2, outputs, width));
    return add(m, network, "output.bias", 1, outputs, 0);
}

static sf_node noise_features(sf_graph *g, sf_node sigma)
{
    const double quarter_pi = 0.78539816339744831;
    const sf_node c = sf_mul(g, sf_const(g, 0.25), sf_log(g, sigma));
    sf_node parts[SFI_NETWORK_FEATURES];
    const int64_t one = 1;
    parts[0] = sf_reshape(g, c, 1, &one);
    for (int k = 0; k < SFI_NETWORK_FREQUENCIES; k++) {
        const sf_node angle = sf_mul(g, sf_const(g, ldexp(quarter_pi, k)), c);
        parts[1 + 2 * k] = sf_reshape(g, sf_sin(g, angle), 1, &one);
        parts[2 + 2 * k] = sf_reshape(g, sf_cos(g, angle), 1, &one);
    }
    return sf_concat(g, SFI_NETWORK_FEATURES, parts, 0);
}

/* F(u), u the scaled input; `sigma` is not used with one noise level. */
sf_node sfi_perceptron(const sf_model *m, sf_graph *g, sf_node u, sf_node sigma,
                       const sf_node *w)
{
    const int64_t layers = (int64_t)sfi_number_of(m, "layers");
    sf_node shift;
    const sf_node input = *w++;
    if (sfi_single_level(m)) {
        shift = *w++;
    } else {
        const sf_node noise = *w++;
        shift = sf_add(g, sf_matmul(g, noise, noise_features(g, sigma)), *w++);
    }
    sf_node h = sf_silu(g, sf_add(g, sf_matmul(g, input, u), shift));
    for (int64_t l = 1; l < layers; l++, w += 2)
        h = sf_add(g, h, sf_silu(g, sf_add(g, sf_matmul(g, w[0], h), w[1])));
    return sf_add(g, sf_matmul(g, w[0], h), w[1]);
}
