/* SPDX-License-Identifier: Apache-2.0 */
/* normal_sum.h - a number whose density is a weighted sum of normal ones. */
#ifndef SFI_NORMAL_SUM_H
#define SFI_NORMAL_SUM_H

#include <stdint.h>

/* Weights sum to 1, each normal distribution is cut to the same bounds, which may be
 * infinite. */
typedef struct sfi_normal_sum {
    int64_t count;
    const double *weight, *mean, *sd; /* [count], sd > 0 */
    double lower, upper;
} sfi_normal_sum;

/* The probability of being below x, and the density there. */
double sfi_normal_sum_below(const sfi_normal_sum *s, double x, double *density);

/* The x that the number is below with probability p, 0 < p < 1. */
double sfi_normal_sum_quantile(const sfi_normal_sum *s, double p);

#endif
