/* SPDX-License-Identifier: Apache-2.0 */
/* jumps.h - counts that grow from nothing to a sample. */
#ifndef SFI_JUMPS_H
#define SFI_JUMPS_H

#include "model/model.h"
#include "scorefield/flow.h"

/* The methods SF_SAMPLER_JUMPS and SF_SAMPLER_TAULEAP, with checked options, of a
 * model of data all of whose columns are counts. */
sf_status sfi_jump(const sf_model *m, sf_mat out,
                   const sf_sample_options *options);

#endif
