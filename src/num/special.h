/* SPDX-License-Identifier: Apache-2.0 */
/* special.h - functions that libm lacks, for one double.
 * Relative error at most 1e-14 unless said otherwise, away from zeros. */
#ifndef SFI_SPECIAL_H
#define SFI_SPECIAL_H

/* 1/(1+exp(-x)); exact limits, no overflow. */
double sfi_sigmoid(double x);

/* log(1+exp(x)), no overflow. */
double sfi_softplus(double x);

/* log(x/(1-x)), also near its zero at 1/2; -inf at 0, inf at 1, NaN outside. */
double sfi_logit(double x);

/* log(1-exp(x)) for x <= 0, from both ends without cancellation; -inf at 0, NaN
 * above.  And its derivative, -1/expm1(-x). */
double sfi_log1mexp(double x);
double sfi_log1mexp_slope(double x);

/* a - b floor(a/b), exactly but for one rounding: between 0 and b, 0 included.
 * NaN for b = 0 and infinite a. */
double sfi_mod(double a, double b);

/* Phi(x), the standard normal distribution function: the probability of being
 * below x. */
double sfi_ndtr(double x);

/* ln Phi(x), and its derivative of an order from 1 to SFI_LOG_NDTR_ORDERS (NaN
 * outside): phi/Phi, and so on.  Relative error over the whole range, but near zeros,
 * 1e-15 for order 1, 5e-15 for order 2 and 20 times more for each beyond. */
enum { SFI_LOG_NDTR_ORDERS = 24 };
double sfi_log_ndtr(double x);
double sfi_log_ndtr_slope(int order, double x);

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

/* ln 0F1(; k; w) - (sqrt(k^2 + 4 w) - k) for k > 0, w >= 0; NaN elsewhere.  With
 * the modified Bessel function of order k - 1,
 *
 *     0F1(; k; w) = Gamma(k) w^((1 - k)/2) I_{k-1}(2 sqrt(w)),
 *
 * which is 1 at w = 0 and grows like exp(2 sqrt(w)): without that growth, what a
 * density takes its exponential of need not cancel. */
double sfi_log_bessel(double k, double w);

/* Its derivative by w: I_k/(sqrt(w) I_{k-1}) at 2 sqrt(w) less 2/sqrt(k^2 + 4 w),
 * two numbers of one size, of which the error is 1e-15. */
double sfi_log_bessel_slope(double k, double w);

#endif
