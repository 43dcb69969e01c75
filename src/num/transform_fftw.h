/* SPDX-License-Identifier: Apache-2.0 */
/* transform_fftw.h - the transforms by FFTW 3, where this build has it
 * (transform_fftw.c, or transform_fftw_absent.c).
 *
 * Plans are FFTW_ESTIMATE's, since those that FFTW measures differ from one run to
 * the next, and so would the last bits.  They use one thread. */
#ifndef SFI_TRANSFORM_FFTW_H
#define SFI_TRANSFORM_FFTW_H

#include "base/context.h"
#include "num/transform_kind.h"

typedef struct sfi_fftw sfi_fftw;

/* "fftw-3.3.10-...", or NULL where this build has none. */
const char *sfi_fftw_version(void);

/* Plan the transform of a line of n numbers.
 * Returns SF_OK; SF_E_UNSUPPORTED (no FFTW here), SF_E_NOMEM. */
sf_status sfi_fftw_new(sf_context *ctx, sfi_fftw **out, sfi_transform_kind kind,
                       int64_t n);
void sfi_fftw_free(sfi_fftw *t);

/* In place; of any alignment.  Several threads may run one plan. */
void sfi_fftw_run(const sfi_fftw *t, double *line);

#endif
