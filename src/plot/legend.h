/* SPDX-License-Identifier: Apache-2.0 */
/* legend.h - what the marks mean, in rows above the panel so that it never
 * covers data. */
#ifndef SFI_PLOT_LEGEND_H
#define SFI_PLOT_LEGEND_H

#include "plot/canvas.h"

typedef enum sfi_swatch {
    SFI_SWATCH_DOT = 0,
    SFI_SWATCH_RING,
    SFI_SWATCH_LINE,
    SFI_SWATCH_DASH,
    SFI_SWATCH_DOTTED,
    SFI_SWATCH_BAR,  /* filled rectangle           */
    SFI_SWATCH_STEP, /* outline of a histogram     */
    SFI_SWATCH_ARROW,
    SFI_SWATCH_SCALE /* an arrow of the length of the entry */
} sfi_swatch;

enum { SFI_LEGEND_MOST = 16, SFI_LEGEND_BYTES = 256 };

typedef struct sfi_legend {
    int count;
    struct {
        sfi_swatch swatch;
        sfi_rgba colour;
        double length; /* of SFI_SWATCH_SCALE */
        char text[SFI_LEGEND_BYTES];
    } entry[SFI_LEGEND_MOST];
} sfi_legend;

/* Add an entry; those without text, or beyond the last place, are left out. */
void sfi_legend_add(sfi_legend *legend, sfi_swatch swatch, sfi_rgba colour,
                    const char *format, ...) SFI_PRINTF(4, 5);

/* Height of the legend when set in rows of the given width; 0 if empty. */
double sfi_legend_height(sfi_canvas *canvas, const sfi_legend *legend,
                         double width);

/* Draw it with its left top corner at (x, y). */
void sfi_legend_draw(sfi_canvas *canvas, const sfi_legend *legend, double x,
                     double y, double width);

/* The head of a page of panels with its left top corner at (x, y): the title, unless
 * that is NULL or empty, over the legend.  Returns its height. */
double sfi_draw_head(sfi_canvas *canvas, const char *title,
                     const sfi_legend *legend, double x, double y,
                     double width);

#endif
