/* SPDX-License-Identifier: Apache-2.0 */
/* truncated.h - the standard normal distribution between two bounds, a < b, either of
 * which may be infinite.  Bounds far out on one side are taken from its own tail, where
 * nothing cancels. */
#ifndef SFI_TRUNCATED_H
#define SFI_TRUNCATED_H

/* ln P(a < z < b); -inf where b <= a, or beyond what a double holds. */
double sfi_log_interval(double a, double b);

/* The z of which a number between the bounds is below with probability p. */
double sfi_truncated_quantile(double a, double b, double p);

/* Mean and variance between the bounds. */
void sfi_truncated_moments(double a, double b, double *mean, double *variance);

#endif
