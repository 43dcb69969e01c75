/* SPDX-License-Identifier: Apache-2.0 */
/* features.h - rows of any kinds of columns as points, for what learns from them.
 *
 *   number    (x - mean)/sd of real, 0 where it is missing
 *   angle     cosine and sine, 0 and 0 where it is missing
 *   category  one coordinate for each common level, and one for the others:
 *             1/sqrt 2 in that of the row's level and else 0, so that rows of
 *             different levels are 1 apart
 *
 * and one more coordinate, 1 where the cell is missing, for columns that miss any. */
#ifndef SFI_FEATURES_H
#define SFI_FEATURES_H

#include "compare/mixed.h"

typedef struct sfi_features {
    int64_t cols;
    int64_t rows[SFI_TABLES];
    double *x[SFI_TABLES]; /* [rows, cols], by rows */
} sfi_features;

/* Points of all rows of m, without column `skip` (-1: none); mean and sd are those
 * of `about` [m->cols].  Returns SF_OK or SF_E_NOMEM; then *out is zero. */
sf_status sfi_features_new(sf_context *ctx, sfi_features *out,
                           const sfi_mixed *m, const sf_frames_column *about,
                           int64_t skip);
void sfi_features_free(sf_context *ctx, sfi_features *f);

/* How many coordinates that would be. */
int64_t sfi_features_count(const sfi_mixed *m, int64_t skip);

/* ---- two_sample.c, usefulness.c ---- */

/* Fill report->two_sample. */
sf_status sfi_compare_two_sample(sf_context *ctx, sf_frames_report *report,
                                 const sfi_mixed *m,
                                 const sf_frames_options *o);

/* SF_E_ARG if the target of the options cannot be one. */
sf_status sfi_check_target(sf_context *ctx, const sfi_mixed *m,
                           const sf_frames_options *o);

/* Fill report->usefulness. */
sf_status sfi_compare_usefulness(sf_context *ctx, sf_frames_report *report,
                                 const sfi_mixed *m,
                                 const sf_frames_options *o);

#endif
