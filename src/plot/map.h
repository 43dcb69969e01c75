/* SPDX-License-Identifier: Apache-2.0 */
/* map.h - maps: what all panels of a picture share, and one panel of it.
 *
 *   map.c          what is asked for: checks, pictures and films
 *   map_scale.c    what is measured of all panels together
 *   map_draw.c     what is drawn inside a frame
 *   map_panels.c   where several frames are on a page */
#ifndef SFI_PLOT_MAP_H
#define SFI_PLOT_MAP_H

#include "plot/isolines.h"
#include "plot/vectors.h"

typedef struct sfi_map_page {
    sf_context *ctx;
    const sf_plot_map_options *o;
    sfi_tiling tiling;
    int64_t count; /* panels, or frames of a film                            */
    sf_plot_map_fn frame;
    void *user;
    /* Of all panels together. */
    bool has_vectors;
    double *speeds; /* [ny, nx] lengths of vectors where there are no values */
    sfi_colour_bar bar;
    double levels[SFI_MOST_LEVELS];
    int level_count;
    double largest, rms; /* of the vectors                                   */
    /* On the page. */
    sfi_legend legend; /* the arrow of a round number                        */
    sfi_arrow_scale scale;
    sfi_raster raster; /* of the first panel; all are equally large          */
} sfi_map_page;

/* ---- map_scale.c -------------------------------------------------------------- */

/* Panel k, with the lengths of its vectors as values if it has none.
 * Returns SF_OK, SF_E_SHAPE, or what the caller's function returned. */
sf_status sfi_map_frame(sfi_map_page *m, int64_t k, sf_plot_map_frame *out);

/* See all panels, and choose colours, levels and the scale of arrows.
 * Returns as sfi_map_frame(), or SF_E_NOMEM. */
sf_status sfi_map_measure(sfi_map_page *m);

/* ---- map_draw.c --------------------------------------------------------------- */

/* What a panel of the page shows, but for its place. */
void sfi_map_set_panel(const sfi_map_page *m, sfi_panel *panel);

/* Height over width of a frame in which both axes have their scale; 0 if they need
 * have none. */
double sfi_map_aspect(const sfi_map_page *m);

/* The scale of arrows and the legend that shows it, of a panel that has its place. */
void sfi_map_set_scale(sfi_map_page *m, const sfi_panel *panel);

/* Draw everything within the frame of a panel that has been begun.
 * Returns SF_OK or SF_E_NOMEM. */
sf_status sfi_map_draw(sfi_canvas *canvas, sfi_map_page *m,
                       const sfi_panel *panel, const sf_plot_map_frame *frame);

/* ---- map_panels.c ------------------------------------------------------------- */

/* Draw all panels on a page.  Returns as sfi_map_frame(), or SF_E_NOMEM. */
sf_status sfi_map_draw_panels(sfi_canvas *canvas, sfi_map_page *m);

/* The size of a page for them, where none is asked for. */
sfi_page sfi_map_panels_page(const sfi_map_page *m);

#endif
