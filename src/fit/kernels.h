/* SPDX-License-Identifier: Apache-2.0 */
/* kernels.h - noise that suits a table's columns. */
#ifndef SFI_FIT_KERNELS_H
#define SFI_FIT_KERNELS_H

#include "kernel/noise.h"
#include "scorefield/array.h"
#include "scorefield/frame.h"

/* What kernels are chosen for. */
typedef struct sfi_kernel_table {
    sf_cmat data;
    const char *const *names; /* [dim]                                        */
    const double *weights;    /* [rows] of observations; NULL: equal ones     */
    const sf_frame *frame;    /* whose column j is that of the data; NULL: only
                                 the numbers are known                        */
    bool atoms; /* kernels are those of numbers beside the frame's atoms      */
} sfi_kernel_table;

/* Kernels from text as docs/KERNELS.md has it ("auto" or NULL: by what columns
 * hold), with numbers from the columns where there are none; the kernels see
 * (x - mean)/scale [dim].  sfi_noise_free() frees *noise, also after a failure.
 * SF_OK, SF_E_NOMEM, SF_E_ARG (as sfi_noise_parse()), SF_E_NUMERIC (a constant
 * column that is to be standardised, what is no number of a level). */
sf_status sfi_choose_kernels(sf_context *ctx, sfi_noise *noise,
                             const sfi_kernel_table *table, const char *text,
                             double *mean, double *scale);

#endif
