/* SPDX-License-Identifier: Apache-2.0 */
/* probability.h - distribution functions and quantiles of known laws. */
#ifndef SFI_PROBABILITY_H
#define SFI_PROBABILITY_H

#include <stdint.h>

/* The x of which a standard normal number is below with probability p: relative
 * error 1e-15 for 1e-300 <= p < 1, also where x is near 0.  -inf at 0, inf at 1,
 * NaN elsewhere. */
double sfi_normal_quantile(double p);

/* The probability that a number of the beta law of a and b, both > 0, is below x
 * (the regularised incomplete beta function): 0 for x <= 0, 1 for x >= 1.
 * Relative error 1e-15 (a + b) ln(a + b) and at least 1e-14, in about sqrt(a + b)
 * steps. */
double sfi_beta_probability(double a, double b, double x);

/* The probability that a chi-squared number of `degrees` >= 1 is above x >= 0, by a
 * finite sum of degrees/2 terms: relative error 1e-13 (degrees + x), 0 where it is
 * below 1e-307. */
double sfi_chi_squared_above(int64_t degrees, double x);

#endif
