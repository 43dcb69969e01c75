/* SPDX-License-Identifier: Apache-2.0 */
/* marks.h - what stands inside a panel's frame: points, curves, heat maps,
 * regions, arrows.  All are drawn between sfi_panel_begin() and _end(). */
#ifndef SFI_PLOT_MARKS_H
#define SFI_PLOT_MARKS_H

#include "plot/contour.h"
#include "plot/panel.h"
#include "plot/values.h"
#include "scorefield/plot.h"

typedef struct sfi_dots {
    double radius; /* points */
    sfi_rgba colour;
    bool ring;        /* an open circle instead of a disc              */
    int64_t most;     /* at most so many points                        */
    double jitter[2]; /* half-widths, in units of the axes, or 0       */
} sfi_dots;

/* Draw the rows of m as points (m[:, jx], m[:, jy]). */
void sfi_draw_dots(sfi_canvas *canvas, const sfi_panel *panel, sf_cmat m,
                   int64_t jx, int64_t jy, sfi_dots dots);

/* The same for two tables by turns, so that neither covers the other. */
void sfi_draw_dots_of_two(sfi_canvas *canvas, const sfi_panel *panel,
                          const sf_cmat m[2], int64_t jx, int64_t jy,
                          const sfi_dots dots[2]);

/* How many finite points of m there are, how many of them inside the axes. */
void sfi_count_dots(const sfi_panel *panel, sf_cmat m, int64_t jx, int64_t jy,
                    int64_t *finite, int64_t *inside);

/* Add to the legend what the points are, which of them are not shown, and how many
 * rows are none since a cell is missing. */
void sfi_legend_dots(sfi_legend *legend, sfi_swatch swatch, sfi_rgba colour,
                     const char *name, int64_t finite, int64_t inside,
                     int64_t most, int64_t missing);

typedef struct sfi_stroke {
    double width;
    sfi_rgba colour;
    int dash; /* 0 solid, 1 dashed, 2 dotted */
} sfi_stroke;

/* A curve through the rows of m, broken by points that are not finite.  Of many
 * points in one half-point column of the page only first, lowest, highest and
 * last are drawn, which looks the same. */
void sfi_draw_curve(sfi_canvas *canvas, const sfi_panel *panel, sf_cmat m,
                    sfi_stroke stroke);

/* Are the curves well formed?  SF_OK, SF_E_ARG or SF_E_SHAPE. */
sf_status sfi_check_curves(sf_context *ctx, const char *what,
                           const sf_plot_curve *curves, int64_t count);

/* The colour of the k-th curve of a picture, which may hold data and samples
 * in their colours as well. */
sfi_rgba sfi_curve_colour(const sf_plot_curve *curve, int64_t k,
                          bool with_data);
sfi_swatch sfi_curve_swatch(const sf_plot_curve *curve);

/* Lines whose points are on the page, closed where they end as they begin. */
void sfi_draw_lines(sfi_canvas *canvas, const sfi_lines *lines,
                    sfi_stroke stroke);

/* Set the dash pattern 0, 1 or 2 for lines of the given width. */
void sfi_set_dash(sfi_canvas *canvas, int dash, double width);

/* A histogram over bins: filled bars, or (fill alpha 0) only its outline. */
void sfi_draw_bars(sfi_canvas *canvas, const sfi_panel *panel, sfi_bins bins,
                   const double *height, sfi_rgba fill, sfi_rgba edge);

/* Is the grid well formed?  SF_OK or SF_E_SHAPE. */
sf_status sfi_check_grid(sf_context *ctx, const char *what,
                         const sf_plot_grid *grid);

/* Numbers of a grid as shares of a colour map, [ny, nx]. */
typedef struct sfi_heat {
    sf_context *ctx;
    const sf_plot_grid *grid;
    double *shade; /* 0 to 1, NaN where there is no number */
    sfi_colour_bar bar;
} sfi_heat;

/* Returns SF_OK or SF_E_NOMEM; free it in either case. */
sf_status sfi_heat_new(sf_context *ctx, sfi_heat *heat,
                       const sf_plot_grid *grid, sf_plot_heat kind,
                       double depth, const char *label);
void sfi_heat_free(sfi_heat *heat);

/* SF_OK or SF_E_NOMEM. */
sf_status sfi_draw_heat(sfi_canvas *canvas, const sfi_panel *panel,
                        const sfi_heat *heat);

/* Where the outlines of regions may be labelled: to be drawn last. */
enum { SFI_MOST_REGIONS = 16 };
typedef struct sfi_region_labels {
    int count;
    double x[SFI_MOST_REGIONS], y[SFI_MOST_REGIONS], mass[SFI_MOST_REGIONS];
} sfi_region_labels;

/* Outlines of the regions of highest density that hold the given shares;
 * `labels` may be NULL.  SF_OK or SF_E_NOMEM. */
sf_status sfi_draw_regions(sfi_canvas *canvas, const sfi_panel *panel,
                           const sf_plot_grid *grid, const double *masses,
                           int count, sfi_stroke stroke,
                           sfi_region_labels *labels);
void sfi_draw_region_labels(sfi_canvas *canvas, const sfi_region_labels *labels,
                            sfi_rgba colour);

/* arrows [k, 4]: x, y, u, v.  SF_OK or SF_E_NOMEM. */
sf_status sfi_draw_arrows(sfi_canvas *canvas, const sfi_panel *panel,
                          sf_cmat arrows, sf_plot_arrows kind, sfi_rgba colour);

#endif
