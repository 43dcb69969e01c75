/* SPDX-License-Identifier: Apache-2.0 */
/* kernels.h - noise that suits a table's columns. */
#ifndef SFI_FIT_KERNELS_H
#define SFI_FIT_KERNELS_H

#include "kernel/noise.h"
#include "scorefield/array.h"

/* Kernels from text as docs/KERNELS.md has it ("auto" or NULL: by what columns
 * hold), with numbers from the columns where there are none; the kernels see
 * (x - mean)/scale [dim].  sfi_noise_free() frees *noise, also after a failure.
 * SF_OK, SF_E_NOMEM, SF_E_ARG (as sfi_noise_parse()), SF_E_NUMERIC (a constant
 * column that is to be standardised). */
sf_status sfi_choose_kernels(sf_context *ctx, sfi_noise *noise, sf_cmat data,
                             const char *const *names, const char *text,
                             double *mean, double *scale);

#endif
