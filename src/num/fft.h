/* SPDX-License-Identifier: Apache-2.0 */
/* fft.h - the fast Fourier transform of n = 2^k complex numbers, in place.
 *
 * Forward leaves its frequencies in bit-reversed order and backward takes them
 * so: what multiplies two spectra, or takes the modulus of one, needs no order.
 *
 *     forward    X_f = sum over j of x_j exp(-2 pi i f j/n)
 *     backward   x_j = sum over f of X_f exp(+2 pi i f j/n)
 *
 * and one after the other is n times nothing.  Relative error, in the Euclidean
 * norm, 1e-16 log2(n). */
#ifndef SFI_FFT_H
#define SFI_FFT_H

#include <stdint.h>

/* Fill the table [2n] that both take. */
void sfi_fft_table(double *table, int64_t n);

void sfi_fft_forward(double *re, double *im, const double *table, int64_t n);
void sfi_fft_backward(double *re, double *im, const double *table, int64_t n);

#endif
