/* SPDX-License-Identifier: Apache-2.0 */
/* mmd.h - the maximum mean discrepancy of two samples. */
#ifndef SFI_MMD_H
#define SFI_MMD_H

#include "compare/features.h"

typedef struct sfi_mmd {
    double squared;   /* unbiased; may be negative                            */
    double bandwidth; /* of the kernel                                        */
    double p;         /* of the permutation test; NaN without permutations    */
} sfi_mmd;

/* Rows of x and of y, two at least of each, joined into one table of rows[0] + rows[1]
 * rows: kernel exp(-|a - b|^2/(2 bandwidth^2)), and for bandwidth 0 the median of
 * the positive distances between all rows.  Returns SF_OK or SF_E_NOMEM. */
sf_status sfi_mmd_test(sf_context *ctx, sfi_mmd *out, sf_cmat joined,
                       const int64_t rows[2], double bandwidth,
                       int permutations, uint64_t seed);

/* Fill what report->joint says of it. */
sf_status sfi_compare_mmd(sf_context *ctx, sf_frames_report *report,
                          const sfi_mixed *m, const sf_frames_options *o);

#endif
