/* SPDX-License-Identifier: Apache-2.0 */
/* tiling.h - where the cells and the points of a grid are on the page.
 *
 * A grid is plain, whose axes are those of the panel; a disc, whose x is an angle in
 * radians and whose y is the distance from a centre; or curved, whose points lie
 * anywhere.
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
    bool is_disc;
    /* Curved: points [ny, nx] and the corners of their cells [ny + 1, nx + 1], NaN
     * where a cell has none.  Edges and points along axes are not used.  With a period,
     * places a period to the side are on the page as well. */
    double *y_points, *x_points, *y_corners, *x_corners;
} sfi_tiling;

static inline bool sfi_tiling_is_curved(const sfi_tiling *tiling)
{
    return tiling->y_corners != NULL;
}

/* Make a tiling curved (curved.c): points [ny, nx], copied, with ny, nx >= 2.
 * Longitudes, in degrees, may jump by whole turns.
 * Returns SF_OK or SF_E_NOMEM; free it in either case. */
sf_status sfi_tiling_bend(sf_context *ctx, sfi_tiling *tiling, const double *y,
                          const double *x, bool is_geographic);
void sfi_tiling_free(sf_context *ctx, sfi_tiling *tiling);

/* `x` moved by whole periods next to `to`; as it is if the period is 0. */
double sfi_beside(double x, double to, double period);

/* What the axes of a panel have to span. */
void sfi_tiling_axes(const sfi_tiling *tiling, sfi_axis *y, sfi_axis *x);

/* The place of a point on the page; u is from -1 to nx where x is periodic. */
void sfi_tiling_spot(const sfi_tiling *tiling, const sfi_panel *panel, double v,
                     double u, double *page_x, double *page_y);

/* The place on the grid of a position on the page that lies in a cell; false if it
 * lies in none.  Beyond the outermost points it is theirs.  Not of curved ones. */
bool sfi_tiling_find(const sfi_tiling *tiling, const sfi_panel *panel,
                     double page_x, double page_y, double *v, double *u);

/* The angle of a position on the page around the centre of a disc. */
double sfi_tiling_angle(const sfi_panel *panel, double page_x, double page_y);

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

/* The part of the above for curved grids: pixels are -1 before. */
void sfi_raster_fill_curved(sfi_raster *raster, const sfi_tiling *tiling,
                            const sfi_panel *panel);

#endif
