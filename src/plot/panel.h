/* SPDX-License-Identifier: Apache-2.0 */
/* panel.h - a frame with two axes, and everything that stands around it.
 *
 *   sfi_panel_layout()   measures texts and finds the frame
 *   sfi_panel_begin()    grid lines; clips to the frame
 *   ... marks ...
 *   sfi_panel_end()      frame, ticks, labels, title, legend, colour bar */
#ifndef SFI_PLOT_PANEL_H
#define SFI_PLOT_PANEL_H

#include "plot/canvas.h"
#include "plot/legend.h"
#include "plot/ticks.h"
#include "scorefield/plot.h"

typedef struct sfi_axis {
    double lo, hi;              /* what the axis spans, lo < hi               */
    bool log;                   /* then 0 < lo                                */
    const char *label;          /* NULL or "" for none                        */
    const char *const *names;   /* categories 0, 1, ... instead of numbers    */
    int64_t name_count;         /* 0 without names                            */
    bool whole;                 /* only integers are marked                   */
    const char *letters;        /* "EW" or "NS": degrees; NULL: numbers       */
    const sf_plot_ticks *given; /* marks, in the place of numbers, or NULL  */
    bool falls;                 /* values grow downwards; of vertical axes    */
    bool bare;                  /* no tick labels and no label                */
    bool upright;               /* names below it read upwards: as placed     */
    double from, to;            /* where lo and hi are on the page            */
    sfi_ticks ticks;
} sfi_axis;

/* Position of a value on the page, clamped to 1e5 points around it so that
 * Cairo's fixed-point numbers hold it; NaN for NaN, and for values <= 0 on a
 * logarithmic axis. */
double sfi_axis_at(const sfi_axis *axis, double value);

/* The value at a position on the page. */
double sfi_axis_value(const sfi_axis *axis, double at);

/* Whether the axis shows the value. */
bool sfi_axis_has(const sfi_axis *axis, double value);

/* What is known of a column before its numbers are: levels or an interval that the
 * axis shows, and marks.  False if it is to show the numbers; NULL is allowed. */
bool sfi_axis_of_column(sfi_axis *axis, const sf_plot_column *column);

/* A vertical bar of colours right of the panel. */
typedef struct sfi_colour_bar {
    sfi_map map;
    double lo, hi;
    bool more_below; /* values below lo exist: the bar ends in a point */
    bool more_above; /* likewise above hi */
    const char *label;
} sfi_colour_bar;

typedef struct sfi_rect {
    double left, top, right, bottom;
} sfi_rect;

typedef struct sfi_panel {
    sfi_axis x, y;
    const char *title;         /* NULL or "" for none      */
    const sfi_legend *legend;  /* NULL or empty for none   */
    const sfi_colour_bar *bar; /* NULL for none            */
    bool box;                  /* a full frame, not only two spines */
    bool grid_x, grid_y;       /* light lines at the marks          */
    bool equal;                /* a unit has one length on both axes */
    double narrow;             /* or, of x, this share of it; 0 is 1 */
    sfi_rect outer, frame;
    double legend_width;
} sfi_panel;

void sfi_panel_layout(sfi_canvas *canvas, sfi_panel *panel, sfi_rect outer);
void sfi_panel_begin(sfi_canvas *canvas, sfi_panel *panel);
void sfi_panel_end(sfi_canvas *canvas, sfi_panel *panel);

/* The colour bar right of a frame, and the room that it takes. */
void sfi_bar_draw(sfi_canvas *canvas, const sfi_colour_bar *bar,
                  sfi_rect frame);
double sfi_bar_room(sfi_canvas *canvas, const sfi_colour_bar *bar,
                    sfi_rect frame);
/* Whether its marks have a multiplier, which stands above it. */
bool sfi_bar_has_note(sfi_canvas *canvas, const sfi_colour_bar *bar,
                      sfi_rect frame);

/* Say in the middle of the frame that there is no number to show. */
void sfi_draw_nothing(sfi_canvas *canvas, const sfi_panel *panel);

/* The whole page as a rectangle. */
sfi_rect sfi_whole_page(const sfi_canvas *canvas);

/* Only the marks: for grids of panels that lay themselves out. */
void sfi_axis_place(sfi_canvas *canvas, sfi_axis *axis, bool vertical,
                    double from, double to);

/* Width of the widest tick label of an axis, at most 90. */
double sfi_widest_label(sfi_canvas *canvas, const sfi_axis *axis);

#endif
