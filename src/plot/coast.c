/* SPDX-License-Identifier: Apache-2.0 */
/* coast.c - coastlines, for maps of longitude and latitude.
 *
 * Lines are a count, then as many pairs of longitude and latitude in hundredths of
 * a degree, which is 1 km.  A map may begin anywhere (at -180, at 0, at 20 degrees),
 * so every line is drawn once for each turn that touches it. */
#include "plot/coast.h"

#include <math.h>
#include <stdint.h>

static const int16_t coast[] = {
#define LINE(points, ...) points, __VA_ARGS__,
#include "plot/coastline.def"
#undef LINE
};

/* Trace a line moved by `turn` degrees. */
static void trace(sfi_canvas *canvas, const sfi_panel *panel,
                  const int16_t *pairs, int count, double turn)
{
    for (int i = 0; i < count; i++) {
        const double x = sfi_axis_at(&panel->x, pairs[2 * i] / 100.0 + turn),
                     y = sfi_axis_at(&panel->y, pairs[2 * i + 1] / 100.0);
        if (i == 0)
            cairo_move_to(canvas->cr, x, y);
        else
            cairo_line_to(canvas->cr, x, y);
    }
}

void sfi_draw_coast(sfi_canvas *canvas, const sfi_panel *panel, sfi_rgba colour)
{
    const double first = floor((panel->x.lo - 180.0) / 360.0);
    const double last = ceil((panel->x.hi + 180.0) / 360.0);
    cairo_new_path(canvas->cr);
    for (size_t at = 0; at < SFI_COUNT(coast);) {
        const int count = coast[at++];
        for (double turn = first; turn <= last; turn++)
            trace(canvas, panel, coast + at, count, 360.0 * turn);
        at += 2 * (size_t)count;
    }
    cairo_set_line_join(canvas->cr, CAIRO_LINE_JOIN_ROUND);
    /* A light rim, or they would be lost on dark colours. */
    cairo_set_line_width(canvas->cr, 1.5);
    sfi_set_colour(canvas, sfi_faded(sfi_paper, 0.45));
    cairo_stroke_preserve(canvas->cr);
    cairo_set_line_width(canvas->cr, 0.6);
    sfi_set_colour(canvas, colour);
    cairo_stroke(canvas->cr);
}
