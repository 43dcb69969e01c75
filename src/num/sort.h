/* SPDX-License-Identifier: Apache-2.0 */
/* sort.h - sorting numbers in linear time (radix sort on their bits), and the
 * quantiles of what is sorted. */
#ifndef SFI_SORT_H
#define SFI_SORT_H

#include <stdint.h>

/* Ascending; -0 comes before 0, NaN of either sign at its own end.  scratch [n]
 * is overwritten. */
void sfi_sort(double *x, double *scratch, int64_t n);

/* The same; index[i] moves with x[i], and equal numbers keep their order.  The
 * scratch arrays are [n]. */
void sfi_sort_with(double *x, int64_t *index, double *scratch,
                   int64_t *index_scratch, int64_t n);

/* Ascending keys; index[i] moves with keys[i], and equal keys keep their order.
 * The scratch arrays are [n]. */
void sfi_sort_keys(uint64_t *keys, int64_t *index, uint64_t *key_scratch,
                   int64_t *index_scratch, int64_t n);

/* The p quantile of x [n], ascending, n >= 1: linear between order statistics,
 * the first at p = 0, the last at 1 (type 7 of Hyndman and Fan 1996). */
double sfi_quantile(const double *x, int64_t n, double p);

#endif
