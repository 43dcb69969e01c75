/* SPDX-License-Identifier: Apache-2.0 */
/* resample.h - exact draws from the law of a data set. */
#ifndef SFI_RESAMPLE_H
#define SFI_RESAMPLE_H

#include "model/model.h"
#include "scorefield/flow.h"

/* The methods from SF_SAMPLER_DIRECT on, with checked options. */
sf_status sfi_resample(const sf_model *m, sf_mat out,
                       const sf_sample_options *options);

#endif
