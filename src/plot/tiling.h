/* SPDX-License-Identifier: Apache-2.0 */
/* tiling.h - where the cells and the points of a grid are on the page.
 *
 * Points have fractional places: (v, u) is between the points of rows floor(v),
 * floor(v) + 1 and columns floor(u), floor(u) + 1. */
#ifndef SFI_PLOT_TILING_H
#define SFI_PLOT_TILING_H

#include "plot/panel.h"

typedef struct sfi_tiling {
    int64_t ny, nx;
    const double *y_edges, *x_edges; /* [ny + 1], [nx + 1]                   */
    const double *y, *x; /* points [ny], [nx], or NULL: middles of the cells */
    double period;       /* of x; 0: it has ends                             */
} sfi_tiling;

/* What the axes of a panel have to span. */
void sfi_tiling_axes(const sfi_tiling *tiling, sfi_axis *y, sfi_axis *x);

/* The place of a point on the page; u is from -1 to nx where x is periodic. */
void sfi_tiling_spot(const sfi_tiling *tiling, const sfi_panel *panel, double v,
                     double u, double *page_x, double *page_y);

/* The place on the grid of a position on the page that lies in a cell; false if it
 * lies in none.  Beyond the outermost points it is theirs. */
bool sfi_tiling_find(const sfi_tiling *tiling, const sfi_panel *panel,
                     double page_x, double page_y, double *v, double *u);

/* ---- pixels -----------------------------------------------------------------
 *
 * Which cell each pixel of a frame shows: found once for all panels of a picture
 * and all frames of a film. */
typedef struct sfi_raster {
    sf_context *ctx;
    int width, height;
    int32_t *cell; /* [height, width] j nx + i, or -1: none                  */
} sfi_raster;

/* SF_OK or SF_E_NOMEM; free it in either case. */
sf_status sfi_raster_new(sfi_canvas *canvas, sfi_raster *out,
                         const sfi_tiling *tiling, const sfi_panel *panel);
void sfi_raster_free(sfi_raster *raster);

#endif
