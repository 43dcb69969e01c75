/* SPDX-License-Identifier: Apache-2.0 */
/* regrid.h - fields on other latitudes and longitudes.
 *
 * Both methods are products of weights along the two axes.  Bilinear: of the two points on
 * either side; a value is missing if one of those that count is.  Conservative, of first
 * order: overlaps of cells in longitude and in the sine of latitude, of those that are
 * there; a value is missing if less than half of its cell is covered. */
#ifndef SFI_REGRID_H
#define SFI_REGRID_H

#include "field/grid.h"

typedef struct sfi_regrid sfi_regrid;

/* From the axes lat and lon of a grid to those of a typed one ("lat = ...; lon = ...").
 * Returns SF_OK; SF_E_ARG (axes that are missing, other axes), SF_E_PARSE, SF_E_NOMEM. */
sf_status sfi_regrid_new(sf_context *ctx, sfi_regrid **out, const sf_grid *from,
                         const char *to, bool is_conservative);
void sfi_regrid_free(sfi_regrid *r);

/* The new axis that stands for axis k of the old grid; NULL: that stays. */
const sf_axis *sfi_regrid_axis(const sfi_regrid *r, int k);

/* One plane: value of index i, j of latitude and longitude at from[i*lat_step +
 * j*lon_step], and likewise out. */
void sfi_regrid_plane(const sfi_regrid *r, const double *from, int64_t lat_step,
                      int64_t lon_step, double *out, int64_t out_lat_step,
                      int64_t out_lon_step);

#endif
