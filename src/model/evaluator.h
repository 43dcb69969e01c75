/* SPDX-License-Identifier: Apache-2.0 */
/* evaluator.h - an evaluator from inside: what of its rows could not be answered. */
#ifndef SFI_EVALUATOR_H
#define SFI_EVALUATOR_H

#include "model/model.h"
#include "model/outer.h"

/* Members of sf_model_values, in the order of the wants. */
enum {
    SFI_VALUE_SCORE,
    SFI_VALUE_VELOCITY,
    SFI_VALUE_DENOISED,
    SFI_VALUE_JACOBIAN,
    SFI_VALUE_DIVERGENCE,
    SFI_VALUE_LOGPDF,
    SFI_VALUES
};

struct sf_evaluator {
    sf_context *ctx;
    sf_model model; /* the caller's, with the evaluator's context */
    unsigned wants, computed;
    sfi_inner *inner;
    sfi_outer *outer;           /* of a model with kernels */
    int64_t rows;               /* of a chunk */
    double *x;                  /* [rows, dim], or NULL: none is ever outside */
    bool *outside;              /* [rows] */
    double *y;                  /* [rows, inner] */
    double *values[SFI_VALUES]; /* [rows, inner columns], NULL: not computed */
    double *spare; /* [rows, dim]: what is computed for others' sake */

    /* Of a functional (functional.c). */
    double time;
    sfi_density_line line;
};

/* Rows outside the support, and rows inside whose results are not finite; the first
 * of each, from 0. */
typedef struct sfi_evaluator_count {
    int64_t outside, first_outside;
    int64_t undefined, first_undefined;
} sfi_evaluator_count;

/* sf_evaluator_run() without checks and without words; x may have rows that are not
 * finite, which are undefined.  SF_OK or SF_E_NOMEM. */
sf_status sfi_evaluator_rows(sf_evaluator *e, sf_cmat x, double time,
                             const sf_model_values *values,
                             sfi_evaluator_count *count);

/* SF_OK or SF_E_ARG: a time outside [0, 1], or above 0 where there is no noise.  Warns
 * where sf_model_used_time() is another. */
sf_status sfi_check_time(sf_context *ctx, const sf_model *m, double time,
                         const char *what);

#endif
