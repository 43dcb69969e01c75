/* SPDX-License-Identifier: Apache-2.0 */
/* lattice_green.h - the field of a point source on an infinite grid.
 *
 * With the second differences of the grid, spacings h_mu and V = their product,
 *
 *     (-D^2 + m^2) G(n) = delta_{n0}/V,      n in Z^d, d = 1, 2, 3,
 *
 * so that a convolution with V G solves the discrete equation in open space to
 * rounding, which one with the continuous 1/(4 pi r) does not.  At a distance of
 * many h the two are alike but for a part of (h/r)^2.
 *
 * G falls off to 0 where m > 0 and in three dimensions.  Without a mass it grows in
 * one and two, and what is left open is chosen so that
 *
 *     d = 1    G = -|x|/2, exactly
 *     d = 2    G + ln(r)/(2 pi) tends to 0 at large distances. */
#ifndef SFI_LATTICE_GREEN_H
#define SFI_LATTICE_GREEN_H

#include "base/context.h"

enum { SFI_GREEN_MOST = 1 << 14 };

/* G at n_mu = 0 ... count[mu] - 1 (it is even in each of them).
 *
 *   out     [count[0], ..., count[rank - 1]]  the last is contiguous
 *   rank    1 to 3
 *   count   1 to SFI_GREEN_MOST each
 *   h       > 0; the largest at most 1000 times the smallest
 *   mass    m >= 0, in 1/unit(h)
 *
 * Error: 1e-10 of G(0), or relative to G where that is larger; 1e-15 in one
 * dimension.  Allocates about 2 kB for each element of the sides, frees it.
 *
 * Returns SF_OK; or, out being undefined,
 *   SF_E_ARG    rank, h or mass out of range, or m h above 100
 *   SF_E_SHAPE  a count out of range
 *   SF_E_NOMEM */
sf_status sfi_lattice_green(sf_context *ctx, double *out, int rank,
                            const int64_t *count, const double *h, double mass);

#endif
