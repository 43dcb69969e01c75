/* SPDX-License-Identifier: Apache-2.0 */
/* contour.h - level lines of numbers on a grid, and the levels that enclose a
 * given share of a density. */
#ifndef SFI_PLOT_CONTOUR_H
#define SFI_PLOT_CONTOUR_H

#include "base/context.h"

/* Many polylines: line l has the points start[l] to start[l + 1] - 1, point p
 * is (xy[2p], xy[2p + 1]) in units of grid cells: the node of row j and column
 * i lies at (i, j).  A closed line ends with its first point, exactly. */
typedef struct sfi_lines {
    sf_context *ctx;
    double *xy;
    size_t points, xy_capacity;
    size_t *start;
    size_t lines, start_capacity;
} sfi_lines;

/* Level lines of values[ny, nx] by marching squares.  Cells with a NaN corner
 * are left out, so that lines end there as they do at the edge; -inf and +inf
 * count as very low and very high.  A saddle is resolved by the mean of its
 * corners.  Returns SF_OK or SF_E_NOMEM; free *out in either case. */
sf_status sfi_contour(sf_context *ctx, sfi_lines *out, const double *values,
                      int64_t nx, int64_t ny, double level);
void sfi_lines_free(sfi_lines *lines);

/* Add a point to the present line; close it, so that the next point begins another.
 * False if there is no memory. */
bool sfi_lines_add(sfi_lines *lines, double x, double y);
bool sfi_lines_end(sfi_lines *lines);

/* Levels of the highest-density regions of exp(values): the set of the cells
 * above levels[k] holds the share masses[k] (0 to 1) of the sum over all cells.
 * Cells that are NaN or -inf hold nothing.  If no cell holds anything, the
 * levels are NaN.  See R. J. Hyndman, Am. Stat. 50 (1996) 120-126.
 * Returns SF_OK or SF_E_NOMEM. */
sf_status sfi_density_levels(sf_context *ctx, const double *values,
                             int64_t count, const double *masses, int wanted,
                             double *levels);

#endif
