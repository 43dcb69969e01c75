/* SPDX-License-Identifier: Apache-2.0 */
/* local_draws.h - samples of models of local normal distributions. */
#ifndef SFI_LOCAL_DRAWS_H
#define SFI_LOCAL_DRAWS_H

#include "model/model.h"
#include "scorefield/flow.h"

/* The methods AUTO, DIRECT, STRATIFIED and CHORDS of a local model.
 * Returns as sf_sample(). */
sf_status sfi_draw_local(const sf_model *m, sf_mat out,
                         const sf_sample_options *options);

#endif
