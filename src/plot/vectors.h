/* SPDX-License-Identifier: Apache-2.0 */
/* vectors.h - vectors on the points of a map's grid, as arrows or streamlines. */
#ifndef SFI_PLOT_VECTORS_H
#define SFI_PLOT_VECTORS_H

#include "plot/contour.h"
#include "plot/legend.h"
#include "plot/tiling.h"

/* Components [ny, nx] along x and y, or east and north, or of a disc outwards and with
 * the angle; NaN where there is none. */
typedef struct sfi_vectors {
    const double *u, *v;
    bool is_geographic;
} sfi_vectors;

/* ---- arrows (vectors.c) -----------------------------------------------------
 *
 * As long as the vectors, on points that are at least 18 points of the page apart. */
typedef struct sfi_arrow_scale {
    double full;      /* a vector whose arrow is as long as there is room     */
    double reference; /* a round number, whose arrow the legend shows         */
    double longest;   /* of the arrow of `full`, points of the page           */
} sfi_arrow_scale;

/* `largest` and `rms` of all vectors that will be drawn, on one panel or many. */
sfi_arrow_scale sfi_arrow_scale_of(double largest, double rms,
                                   const sfi_tiling *tiling,
                                   const sfi_panel *panel);

/* The length of the arrow of a vector. */
double sfi_arrow_length(const sfi_arrow_scale *scale, double size);

void sfi_draw_vectors(sfi_canvas *canvas, const sfi_panel *panel,
                      const sfi_tiling *tiling, const sfi_vectors *vectors,
                      const sfi_arrow_scale *scale);

/* ---- streamlines (streamlines.c) --------------------------------------------
 *
 * Curves along the vectors, as they run on the map, evenly spaced; their points are
 * on the page, equally far apart.  SF_OK or SF_E_NOMEM; free *out in either case. */
sf_status sfi_streamlines(sf_context *ctx, sfi_lines *out,
                          const sfi_panel *panel, const sfi_tiling *tiling,
                          const sfi_vectors *vectors);

/* Draw them.  SF_OK or SF_E_NOMEM. */
sf_status sfi_draw_streamlines(sfi_canvas *canvas, const sfi_panel *panel,
                               const sfi_tiling *tiling,
                               const sfi_vectors *vectors);

#endif
