/* SPDX-License-Identifier: Apache-2.0 */
/* network_options.c - what the numbers of sf_network_options may be: beyond these
 * bounds they make no sense, or sums of them overflow.  A seed is any number of 64 bits,
 * which no double holds, and kernels are a text: they are kept by themselves. */
#include "model/network_options.h"

#define ROW(member, least, most)                                               \
    SFI_OPTION(sf_network_options, member, least, most)

const sfi_option sfi_network_options[] = {
    ROW(objective, SF_OBJECTIVE_DSM, SF_OBJECTIVE_INJECTIVE),
    ROW(energy, 0, 1),
    ROW(width, 0, 16384),
    ROW(layers, 0, 64),
    ROW(steps, 0, 1e9),
    ROW(batch, 0, 1 << 20),
    ROW(target_rows, 1, 65536),
    ROW(rate, 1e-12, 10),
    ROW(decay, 0, 10),
    ROW(clip, 0, 1e12),
    ROW(warmup, 0, 0.99),
    ROW(ema, 1e-6, 1),
    ROW(validation, 0, 0.9),
    ROW(patience, 0, 1),
    ROW(sigma_min, 0, 10),
    ROW(sigma_max, 1, 1e5),
    ROW(noise_level, 0, 100),
    ROW(time_limit, 0, 1e9),
    {0}};

const sfi_option sfi_flow_options[] = {
    ROW(principal, 0, 1e6),
    ROW(bins, 2, 64),
    ROW(coupling, SF_COUPLING_SPLINE, SF_COUPLING_AFFINE),
    ROW(one_scale, 0, 1),
    ROW(dequantise, 0, 1),
    {0}};

const sfi_option sfi_autoencoder_options[] = {ROW(latent, 1, 32),
                                              ROW(diagonal, 0, 1),
                                              ROW(kl_warmup, 0, 1),
                                              ROW(one_scale, 0, 1),
                                              ROW(no_encoder, 0, 1),
                                              ROW(dequantise, 0, 1),
                                              {0}};
