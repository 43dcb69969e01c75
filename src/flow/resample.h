/* SPDX-License-Identifier: Apache-2.0 */
/* resample.h - exact draws from the law of a data set. */
#ifndef SFI_RESAMPLE_H
#define SFI_RESAMPLE_H

#include "model/model.h"
#include "scorefield/flow.h"

/* The methods DIRECT, STRATIFIED and POSTERIOR, with checked options. */
sf_status sfi_resample(const sf_model *m, sf_mat out,
                       const sf_sample_options *options);

/* After step `step` of the options' steps, 0 before the first: the walkers y
 * [n, inner] go to the trace, and progress is shown; `row` [dim] is work space.
 * SF_OK or SF_E_CANCELLED. */
sf_status sfi_record(const sf_model *m, const sf_sample_options *o,
                     int64_t step, sf_cmat y, double *row);

/* Rows index[0..n-1] of `rows`, of samples first ... first + n - 1: samples i rows to
 * i rows + rows - 1 have each of them once, in an order of the seed.  SF_OK or
 * SF_E_NOMEM. */
sf_status sfi_each_once(sf_context *ctx, uint64_t seed, int64_t first,
                        int64_t n, int64_t rows, int64_t *index);

#endif
