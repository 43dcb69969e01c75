/* SPDX-License-Identifier: Apache-2.0 */
/* legend.c - swatch and text, swatch and text, wrapped into rows. */
#include "plot/legend.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

static const double row_height = 13.0;
static const double swatch_width = 16.0;
static const double text_gap = 4.0;
static const double entry_gap = 14.0;

void sfi_legend_add(sfi_legend *legend, sfi_swatch swatch, sfi_rgba colour,
                    const char *format, ...)
{
    if (legend->count == SFI_LEGEND_MOST)
        return;
    char *text = legend->entry[legend->count].text;
    va_list args;
    va_start(args, format);
    vsnprintf(text, SFI_LEGEND_BYTES, format, args);
    va_end(args);
    if (text[0] == '\0')
        return;
    legend->entry[legend->count].swatch = swatch;
    legend->entry[legend->count].colour = colour;
    legend->count++;
}

static double swatch_room(sfi_swatch swatch, double length)
{
    if (swatch == SFI_SWATCH_SCALE)
        return length;
    return swatch == SFI_SWATCH_DOT || swatch == SFI_SWATCH_RING
               ? 0.5 * swatch_width
               : swatch_width;
}

static void draw_swatch(sfi_canvas *canvas, sfi_swatch swatch, sfi_rgba colour,
                        double length, double x, double y)
{
    cairo_t *cr = canvas->cr;
    const double end = x + swatch_room(swatch, length),
                 middle = 0.5 * (x + end);
    cairo_save(cr);
    cairo_new_path(cr); /* text leaves a current point */
    sfi_set_colour(canvas, colour);
    cairo_set_line_width(cr, 1.6);
    switch (swatch) {
    case SFI_SWATCH_DOT:
        cairo_arc(cr, middle, y, 2.6, 0.0, 6.283185307179586);
        cairo_fill(cr);
        break;
    case SFI_SWATCH_RING:
        cairo_set_line_width(cr, 1.1);
        cairo_arc(cr, middle, y, 2.5, 0.0, 6.283185307179586);
        cairo_stroke(cr);
        break;
    case SFI_SWATCH_DASH:
        cairo_set_dash(cr, (const double[]){4.5, 2.5}, 2, 0.0);
        cairo_move_to(cr, x, y);
        cairo_line_to(cr, end, y);
        cairo_stroke(cr);
        break;
    case SFI_SWATCH_DOTTED:
        cairo_set_dash(cr, (const double[]){1.6, 1.8}, 2, 0.0);
        cairo_move_to(cr, x, y);
        cairo_line_to(cr, end, y);
        cairo_stroke(cr);
        break;
    case SFI_SWATCH_LINE:
        cairo_move_to(cr, x, y);
        cairo_line_to(cr, end, y);
        cairo_stroke(cr);
        break;
    case SFI_SWATCH_BAR:
        cairo_rectangle(cr, x, y - 3.5, swatch_width, 7.0);
        cairo_fill(cr);
        break;
    case SFI_SWATCH_STEP:
        cairo_set_line_width(cr, 1.3);
        cairo_move_to(cr, x, y + 3.5);
        cairo_line_to(cr, x, y - 0.5);
        cairo_line_to(cr, middle, y - 0.5);
        cairo_line_to(cr, middle, y - 3.5);
        cairo_line_to(cr, end, y - 3.5);
        cairo_line_to(cr, end, y + 3.5);
        cairo_stroke(cr);
        break;
    case SFI_SWATCH_ARROW:
        cairo_set_line_width(cr, 1.1);
        cairo_move_to(cr, x, y);
        cairo_line_to(cr, end - 4.0, y);
        cairo_stroke(cr);
        cairo_move_to(cr, end, y);
        cairo_line_to(cr, end - 5.0, y - 2.3);
        cairo_line_to(cr, end - 5.0, y + 2.3);
        cairo_fill(cr);
        break;
    case SFI_SWATCH_SCALE:
        sfi_draw_arrow(canvas, middle, y, 0.0, length, colour, sfi_no_rim);
        break;
    }
    cairo_restore(cr);
}

/* Walk through the rows; draw if asked to.  Returns the number of rows. */
static int walk(sfi_canvas *canvas, const sfi_legend *legend, double left,
                double top, double width, bool draw)
{
    int rows = 0;
    double x = width + 1.0; /* the first entry opens the first row */
    for (int i = 0; i < legend->count; i++) {
        const char *text = legend->entry[i].text;
        const sfi_swatch swatch = legend->entry[i].swatch;
        const double length = legend->entry[i].length;
        const double before = swatch_room(swatch, length) + text_gap;
        const double room = width - before;
        const double text_width =
            fmin(room, sfi_text_width(canvas, text, sfi_font_tick));
        if (x + before + text_width > width) {
            rows++;
            x = 0.0;
        }
        if (draw) {
            const double y = top + (rows - 0.5) * row_height;
            draw_swatch(canvas, swatch, legend->entry[i].colour, length,
                        left + x, y);
            sfi_draw_text(canvas, left + x + before, y, SFI_LEFT, 0, room, text,
                          sfi_font_tick);
        }
        x += before + text_width + entry_gap;
    }
    return rows;
}

double sfi_legend_height(sfi_canvas *canvas, const sfi_legend *legend,
                         double width)
{
    return row_height * walk(canvas, legend, 0.0, 0.0, width, false);
}

void sfi_legend_draw(sfi_canvas *canvas, const sfi_legend *legend, double x,
                     double y, double width)
{
    walk(canvas, legend, x, y, width, true);
}

double sfi_draw_head(sfi_canvas *canvas, const char *title,
                     const sfi_legend *legend, double x, double y, double width)
{
    double top = y;
    if (title != NULL && title[0] != '\0') {
        sfi_draw_text(canvas, x, top + 6.0, SFI_LEFT, 0, width, title,
                      sfi_font_title);
        top += 19.0;
    }
    sfi_legend_draw(canvas, legend, x, top, width);
    return top + sfi_legend_height(canvas, legend, width) - y;
}
