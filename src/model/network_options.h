/* SPDX-License-Identifier: Apache-2.0 */
/* network_options.h - the numbers among sf_network_options as a list, for the trainer,
 * which looks whether they are in their ranges, and for checkpoints, which keep them. */
#ifndef SFI_NETWORK_OPTIONS_H
#define SFI_NETWORK_OPTIONS_H

#include "base/option.h"
#include "scorefield/fit.h"

/* All members but size, seed and kernel; of flows or of autoencoders these, too. */
extern const sfi_option sfi_network_options[];
extern const sfi_option sfi_flow_options[];
extern const sfi_option sfi_autoencoder_options[];

#endif
