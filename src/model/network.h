/* SPDX-License-Identifier: Apache-2.0 */
/* network.h - the multilayer perceptron as a graph, for models and trainers. */
#ifndef SFI_NETWORK_H
#define SFI_NETWORK_H

#include "model/model.h"

/* Features of the noise level: c = ln(sigma)/4 and sin, cos of c times 2^k pi/4
 * for k = 0, 1, ...: smooth at all scales of ln sigma. */
enum {
    SFI_NETWORK_FREQUENCIES = 4,
    SFI_NETWORK_FEATURES = 1 + 2 * SFI_NETWORK_FREQUENCIES
};

/* A network for the noise of kernels (kernel_network.c) has three heads, each of
 * unit size at every time t:
 *
 *     score     F_s / (t spread)      spread: of the noise, over t
 *     velocity  F_v spread
 *     clean     E[x0 | y], standardised; of an angle, or a place on a surface, a
 *               vector
 *
 * and reads y standardised, of an angle its cosine and sine.  On a surface score
 * and velocity are tangent. */
typedef struct sfi_heads {
    sf_node score, velocity; /* [inner] */
    sf_node clean; /* what means of rows are taken of, with sines of angles */
} sfi_heads;

sf_status sfi_kernel_network_declare(sf_model *m);
sfi_answer sfi_kernel_network_answer(const sf_model *m, sf_graph *g, sf_node y,
                                     sf_node t, const sf_node *weights);
sfi_heads sfi_kernel_network_heads(const sf_model *m, sf_graph *g, sf_node y,
                                   sf_node t, const sf_node *weights);
/* What the head `clean` is to be, for x0 in the coordinates of the kernels. */
sf_node sfi_kernel_network_clean(const sf_model *m, sf_graph *g, sf_node x0,
                                 const sf_node *weights);
/* How many numbers the heads are together. */
int64_t sfi_kernel_network_outputs(const sf_model *m);
/* The spread of the noise, a fixed weight [inner]. */
sf_node sfi_kernel_network_spread(const sf_model *m, const sf_node *weights);

/* Fill in the fixed weights: mean and standard deviation of y [n, inner], of rows
 * noised at the times that training will use, and of x0 [n, dim].  SF_OK or
 * SF_E_NOMEM. */
sf_status sfi_kernel_network_fix(sf_model *m, sf_cmat y, sf_cmat x0);

/* A perceptron of the inputs u; layers as perceptron.c says.  Declares, and reads,
 * its weights in the same order.  `network` begins their names: "", or "decoder.". */
sf_status sfi_perceptron_declare(sf_model *m, const char *network,
                                 int64_t inputs, int64_t outputs);
sf_node sfi_perceptron(const sf_model *m, sf_graph *g, sf_node u, sf_node level,
                       const sf_node *weights);

/* Initial weights: normal, variance 1 / fan-in (He et al. 2015 halve it for
 * layers behind a SiLU), biases 0, the last layer 0 so that the untrained
 * network is the score of N(0, I).  Writes m->weights. */
void sfi_network_initialise(sf_model *m, uint64_t seed);

/* Numbers of a network model; `noise_level` < 0: all levels. */
int sfi_network_numbers(sfi_number *out, int64_t width, int64_t layers,
                        bool energy, double sigma_min, double sigma_max,
                        double noise_level);
/* Those of one with kernels, whose times are t_min and later. */
int sfi_kernel_network_numbers(sfi_number *out, int64_t width, int64_t layers,
                               double t_min);

#endif
