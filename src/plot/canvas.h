/* SPDX-License-Identifier: Apache-2.0 */
/* canvas.h - a page of paper: Cairo, text that can be measured, and a file that
 * appears only when it is whole.
 *
 * Lengths are points (1/72 inch in PDF and SVG; `scale` pixels in PNG), y grows
 * downwards. */
#ifndef SFI_PLOT_CANVAS_H
#define SFI_PLOT_CANVAS_H

#include <cairo.h>

#include "base/context.h"
#include "io/output.h"
#include "plot/colour.h"

typedef enum sfi_format {
    SFI_FORMAT_NONE = 0,
    SFI_FORMAT_PNG,
    SFI_FORMAT_SVG,
    SFI_FORMAT_PDF,
    SFI_FORMAT_GIF,
    SFI_FORMAT_WEBP
} sfi_format;

/* By the extension of `path` (which may be NULL), in any case. */
sfi_format sfi_format_of(const char *path);

/* How large a page is asked for; 0 takes the picture's own size. */
typedef struct sfi_page {
    double width, height; /* points */
    double scale;         /* pixels per point */
} sfi_page;

/* The page asked for, with `width`, `height` and 2 where it says 0. */
static inline sfi_page sfi_page_or(double asked_width, double asked_height,
                                   double asked_scale, double width,
                                   double height)
{
    const sfi_page page = {asked_width != 0.0 ? asked_width : width,
                           asked_height != 0.0 ? asked_height : height,
                           asked_scale != 0.0 ? asked_scale : 2.0};
    return page;
}

typedef struct sfi_canvas {
    sf_context *ctx;
    const char *path;
    sfi_format format;
    cairo_surface_t *surface;
    cairo_t *cr;
    double width, height; /* points                              */
    double scale;         /* pixels per point, also of rasters   */
    sfi_output *out;      /* the encoded picture, in memory      */
} sfi_canvas;

/* Open a page of white paper for the picture `what` (for messages).  PNG, SVG
 * or PDF.  Returns SF_OK; SF_E_ARG (extension, size); SF_E_NOMEM.  On failure
 * there is nothing to close. */
sf_status sfi_canvas_open(sf_context *ctx, sfi_canvas *canvas, const char *what,
                          const char *path, sfi_page page);

/* The same in memory only, for animations: an image of the page's size. */
sf_status sfi_canvas_open_image(sf_context *ctx, sfi_canvas *canvas,
                                sfi_page page);

/* Finish: write the file if `status` is SF_OK; free everything in any case.
 * Returns `status`, or what went wrong while finishing. */
sf_status sfi_canvas_close(sfi_canvas *canvas, sf_status status);

/* White paper all over, also on the part of a last pixel. */
void sfi_canvas_clear(sfi_canvas *canvas);

/* ---- drawing ------------------------------------------------------------- */

/* The rim of what is drawn over colours, and none. */
extern const sfi_rgba sfi_rim, sfi_no_rim;

void sfi_set_colour(sfi_canvas *canvas, sfi_rgba colour);
void sfi_draw_line(sfi_canvas *canvas, double x0, double y0, double x1,
                   double y1, double width, sfi_rgba colour);
void sfi_fill_rect(sfi_canvas *canvas, double x0, double y0, double x1,
                   double y1, sfi_rgba colour);

/* An arrow whose middle is at (x, y), turned clockwise by `turn` radians from
 * pointing right; one that is too short to be seen is a dot.  A rim, unless it is
 * transparent, makes it readable over anything. */
void sfi_draw_arrow(sfi_canvas *canvas, double x, double y, double turn,
                    double length, sfi_rgba colour, sfi_rgba rim);

/* ---- text ---------------------------------------------------------------- */

typedef struct sfi_font {
    double size; /* points */
    bool bold;
    sfi_rgba colour;
} sfi_font;

extern const sfi_font sfi_font_title, sfi_font_label, sfi_font_tick,
    sfi_font_small;

/* Where the given point is in the text's box. */
typedef enum sfi_align {
    SFI_LEFT = 0,
    SFI_CENTRE = 1,
    SFI_RIGHT = 2
} sfi_align;

/* Width of a line of text.  Any bytes may be given: what is not UTF-8 is shown
 * as U+FFFD, control characters as spaces. */
double sfi_text_width(sfi_canvas *canvas, const char *text, sfi_font font);

/* Draw one line whose capitals are centred on height y; angle 0, or 90 for text
 * that reads upwards (then x is the centre line and y the anchor).  Text wider
 * than `room` is drawn smaller (down to 80 %), then loses its middle to "...";
 * room 0 means any width. */
void sfi_draw_text(sfi_canvas *canvas, double x, double y, sfi_align align,
                   int angle, double room, const char *text, sfi_font font);

/* Draw text with a light rim, centred at (x, y) and turned clockwise by `turn`
 * radians: readable over anything. */
void sfi_draw_halo_text(sfi_canvas *canvas, double x, double y, double turn,
                        const char *text, sfi_font font);

/* Make `text` fit: into `out` goes valid UTF-8 no wider than `room`. */
void sfi_text_fit(sfi_canvas *canvas, const char *text, double room,
                  sfi_font *font, char *out, size_t bytes);

#endif
