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

/* Initial weights: normal, variance 1 / fan-in (He et al. 2015 halve it for
 * layers behind a SiLU), biases 0, the last layer 0 so that the untrained
 * network is the score of N(0, I).  Writes m->weights. */
void sfi_network_initialise(sf_model *m, uint64_t seed);

/* Numbers of a network model; `noise_level` < 0: all levels. */
int sfi_network_numbers(sfi_number *out, int64_t width, int64_t layers,
                        bool energy, double sigma_min, double sigma_max,
                        double noise_level);

#endif
