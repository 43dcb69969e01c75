/* SPDX-License-Identifier: Apache-2.0 */
/* separable.h - Poisson's equation and the screened one on a box, directly:
 *
 *     (-D_0^2 - D_1^2 - ... + m^2) u = f
 *
 * with the second differences of num/transform_kind.h on uniform axes, each between
 * two walls or periodic.  All axes but the first are transformed, which leaves
 * tridiagonal systems along that one.
 *
 * Where no wall is pinned or open and m = 0, the operator takes constants to 0.  Then f
 * is taken without its mean, and the u without one is given; both means are by volume,
 * a node on a wall having half a cell.
 *
 * The first axis may be open: beyond its last point a mode whose other axes have the
 * eigenvalue l falls by e^-mu at each point, cosh mu = 1 + (l + m^2) h^2/2, as it does in
 * the open where there are no sources.  The mode with l + m^2 = 0 does not fall: it is that
 * of a sheet of charge, -|x|/2 for a unit one, and even about a natural wall. */
#ifndef SFI_SEPARABLE_H
#define SFI_SEPARABLE_H

#include "base/context.h"
#include "num/transform_kind.h"

enum { SFI_SEPARABLE_AXES = 3 };

typedef struct sfi_separable_axis {
    int64_t count; /* unknown points: a pinned wall of nodes is not one */
    double h;      /* > 0                                               */
    sfi_wall low, high;
    bool cells;
} sfi_separable_axis;

typedef struct sfi_separable sfi_separable;

/* Plan for 1 to SFI_SEPARABLE_AXES axes, for as many threads as the context has
 * now.  m2 is m^2.
 *
 * Returns SF_OK, or with *out NULL
 *   SF_E_ARG    rank, h or m2 out of range; a wall is periodic and the other is not;
 *               another axis than the first is open
 *   SF_E_SHAPE  a count below 1, or that the transform cannot have
 *   SF_E_NOMEM */
sf_status sfi_separable_new(sf_context *ctx, sfi_separable **out, int rank,
                            const sfi_separable_axis *axes, double m2);
void sfi_separable_free(sfi_separable *s);

/* Whether constants go to 0. */
bool sfi_separable_is_singular(const sfi_separable *s);

/* f becomes u, in place.  Element (i, j, k) stands at data[i*step[0] + j*step[1] +
 * k*step[2]], and step of the last axis is 1.  The same bits for any number of
 * threads. */
void sfi_separable_solve(sfi_separable *s, double *data, const int64_t *step);

#endif
