/* SPDX-License-Identifier: Apache-2.0 */
/* legendre.h - the rule of Gauss and Legendre. */
#ifndef SFI_LEGENDRE_H
#define SFI_LEGENDRE_H

/* Nodes x, ascending, and weights w [n] on [0, 1]: exact for polynomials of degree
 * 2n - 1.  To rounding for n up to 64. */
void sfi_gauss_legendre(int n, double *x, double *w);

#endif
