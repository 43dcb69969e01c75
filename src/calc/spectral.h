/* SPDX-License-Identifier: Apache-2.0 */
/* spectral.h - derivatives along a closed axis of equal steps, by its Fourier series:
 *
 *     d^m/dx^m sum_k c_k exp(2 pi i k x/L)  =  sum_k (2 pi i k/L)^m c_k exp(...)
 *
 * exact for what the points can show.  The shortest wave, which alternates from point
 * to point, has no first derivative on them: it counts as 0. */
#ifndef SFI_SPECTRAL_H
#define SFI_SPECTRAL_H

#include "calc/calculation.h"
#include "num/transform.h"

typedef struct sfi_spectral sfi_spectral;

/* Plan the m-th derivative (1 or 2) along `axis`, by radians, seconds or the axis's own
 * unit, times `factor`.  On failure *out is NULL. */
sf_status sfi_spectral_new(sfi_calc *c, sfi_spectral **out, int axis, int m,
                           double factor);
void sfi_spectral_free(sfi_spectral *s);

/* Replace the values of the box of `count` indices from `first` on, all of the axis
 * among them, by their derivative.  A line with a missing value becomes missing. */
void sfi_spectral_run(sfi_spectral *s, const sfi_slab *values,
                      const int64_t *first, const int64_t *count);

#endif
