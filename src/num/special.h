/* SPDX-License-Identifier: Apache-2.0 */
/* special.h - functions that libm lacks, for one double.
 * Relative error at most 1e-14 unless said otherwise, away from zeros. */
#ifndef SFI_SPECIAL_H
#define SFI_SPECIAL_H

/* 1/(1+exp(-x)); exact limits, no overflow. */
double sfi_sigmoid(double x);

/* log(1+exp(x)), no overflow. */
double sfi_softplus(double x);

/* ln|Gamma(x)|, thread-safe; +inf at 0, -1, -2, ... */
double sfi_lgamma(double x);

/* psi(x), the derivative of ln Gamma; NaN at 0, -1, -2, ... */
double sfi_digamma(double x);

/* The n-th derivative of psi, n >= 0, for x > 0; also x < 0 for n = 0 by
 * reflection.  NaN elsewhere. */
double sfi_polygamma(int n, double x);

/* ln I0(x), modified Bessel function of the first kind; even. */
double sfi_log_i0(double x);

/* I1(x)/I0(x); odd, in (-1, 1). */
double sfi_bessel_ratio(double x);

#endif
