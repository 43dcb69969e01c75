/* SPDX-License-Identifier: Apache-2.0 */
/* fornberg.h - weights of difference formulas on any points. */
#ifndef SFI_FORNBERG_H
#define SFI_FORNBERG_H

#include <stdint.h>

enum { SFI_MOST_POINTS = 13 }; /* of a formula */

/* weights [n] with f^(m)(at) = sum_i weights[i] f(x[i]), exact for polynomials of
 * degree n - 1; the points differ, m < n <= SFI_MOST_POINTS.
 *
 * B. Fornberg, Generation of finite difference formulas on arbitrarily spaced grids,
 * Mathematics of Computation 51 (1988) 699-706. */
void sfi_fornberg(double at, int n, const double *x, int m, double *weights);

#endif
