/* SPDX-License-Identifier: Apache-2.0 */
/* open_space.h - Poisson's equation and the screened one on a grid without end:
 *
 *     (-D_0^2 - D_1^2 - ... + m^2) u = f,     f = 0 outside of a box
 *
 * The answer in the box is f folded with the field of a point source on the infinite grid
 * (lattice_green.h), so the discrete equation holds to rounding.  What is left open without
 * a mass in one and two dimensions is chosen as there: a charge f V at a distance r has
 * -|x|/2, or -ln(r)/(2 pi) far away, times its size.
 *
 * A fold is a product of transforms of twice the length.  The field of a point is even in
 * every axis, so that in sines and cosines it is a diagonal matrix. */
#ifndef SFI_OPEN_SPACE_H
#define SFI_OPEN_SPACE_H

#include "base/context.h"

enum { SFI_OPEN_AXES = 3 };

typedef struct sfi_open_space sfi_open_space;

/* Plan for a box of count[rank] points, rank 1 to SFI_OPEN_AXES, of spacings h[rank], for
 * as many threads as the context has now.  Takes 2^rank + 1 times the memory of the box
 * and more, up to 4^rank times where no length that transforms well is near.
 *
 * Returns SF_OK, or with *out NULL
 *   SF_E_ARG    as sfi_lattice_green()
 *   SF_E_SHAPE  a count out of its range
 *   SF_E_NOMEM */
sf_status sfi_open_space_new(sf_context *ctx, sfi_open_space **out, int rank,
                             const int64_t *count, const double *h, double m2);
void sfi_open_space_free(sfi_open_space *s);

/* f [count] becomes u, in place; rows are contiguous.  The same bits for any number of
 * threads. */
void sfi_open_space_solve(sfi_open_space *s, double *data);

#endif
