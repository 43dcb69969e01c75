/* SPDX-License-Identifier: Apache-2.0 */
/* canvas.c - Cairo surfaces for PNG, SVG and PDF.
 *
 * Every format is encoded to memory first and written in one go through a
 * temporary file, so a failure of any kind leaves no half picture.
 *
 * Text is set without hinting and with unrounded metrics: it then has the same
 * extents at every scale, and a layout that fits on paper fits on screen.
 *
 * The same picture always gives the same bytes.  Two things in Cairo work
 * against that and are undone here: SVG identifiers count all surfaces that the
 * process has made (copy_renumbered), and a PDF carries its date. */
#define _POSIX_C_SOURCE 200809L /* strcasecmp */
#include "plot/canvas.h"

#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cairo-pdf.h>
#include <cairo-svg.h>

enum { MAX_PIXELS = 16384, TEXT_BYTES = 1024 };

const sfi_font sfi_font_title = {11.0, true, {0.13, 0.14, 0.16, 1.0}};
const sfi_font sfi_font_label = {9.5, false, {0.13, 0.14, 0.16, 1.0}};
const sfi_font sfi_font_tick = {8.5, false, {0.25, 0.26, 0.29, 1.0}};
const sfi_font sfi_font_small = {7.5, false, {0.36, 0.38, 0.41, 1.0}};

const sfi_rgba sfi_rim = {1.0, 1.0, 1.0, 0.5};
const sfi_rgba sfi_no_rim = {1.0, 1.0, 1.0, 0.0};

/* ---- formats ------------------------------------------------------------- */

sfi_format sfi_format_of(const char *path)
{
    static const struct {
        const char *extension;
        sfi_format format;
    } known[] = {{".png", SFI_FORMAT_PNG},
                 {".svg", SFI_FORMAT_SVG},
                 {".pdf", SFI_FORMAT_PDF},
                 {".gif", SFI_FORMAT_GIF},
                 {".webp", SFI_FORMAT_WEBP}};
    const char *dot = path != NULL ? strrchr(path, '.') : NULL;
    for (size_t i = 0; dot != NULL && i < SFI_COUNT(known); i++)
        if (strcasecmp(dot, known[i].extension) == 0)
            return known[i].format;
    return SFI_FORMAT_NONE;
}

static cairo_status_t collect(void *user, const unsigned char *data,
                              unsigned int count)
{
    return sfi_output_write(user, data, count) == SF_OK
               ? CAIRO_STATUS_SUCCESS
               : CAIRO_STATUS_NO_MEMORY;
}

/* ---- opening and closing ------------------------------------------------- */

static sf_status cairo_failed(sf_context *ctx, cairo_status_t cause)
{
    if (cause == CAIRO_STATUS_NO_MEMORY)
        return SFI_FAIL(ctx, SF_E_NOMEM, "plot: no memory for the picture");
    return SFI_FAIL(ctx, SF_E_INTERNAL, "plot: Cairo: %s",
                    cairo_status_to_string(cause));
}

static void set_defaults(sfi_canvas *canvas)
{
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_set_font_options(canvas->cr, options);
    cairo_font_options_destroy(options);
    cairo_set_line_join(canvas->cr, CAIRO_LINE_JOIN_ROUND);
    sfi_canvas_clear(canvas);
}

static sf_status check_page(sf_context *ctx, const char *what, sfi_page page)
{
    const double most = MAX_PIXELS / page.scale;
    if (!(page.scale >= 0.1 && page.scale <= 20.0))
        return SFI_FAIL(ctx, SF_E_ARG, "%s: scale is %g, want 0.1 to 20", what,
                        page.scale);
    if (!(page.width >= 50.0 && page.width <= most))
        return SFI_FAIL(ctx, SF_E_ARG, "%s: width is %g, want 50 to %g", what,
                        page.width, most);
    if (!(page.height >= 50.0 && page.height <= most))
        return SFI_FAIL(ctx, SF_E_ARG, "%s: height is %g, want 50 to %g", what,
                        page.height, most);
    return SF_OK;
}

/* Make the surface's context; free all if Cairo is not well. */
static sf_status start(sfi_canvas *canvas)
{
    canvas->cr = cairo_create(canvas->surface);
    const cairo_status_t cause = cairo_status(canvas->cr);
    if (cause != CAIRO_STATUS_SUCCESS)
        return sfi_canvas_close(canvas, cairo_failed(canvas->ctx, cause));
    if (canvas->format == SFI_FORMAT_PNG)
        cairo_scale(canvas->cr, canvas->scale, canvas->scale);
    set_defaults(canvas);
    return SF_OK;
}

static sfi_canvas blank(sf_context *ctx, sfi_page page)
{
    const sfi_canvas canvas = {.ctx = ctx,
                               .format = SFI_FORMAT_PNG,
                               .width = page.width,
                               .height = page.height,
                               .scale = page.scale};
    return canvas;
}

static cairo_surface_t *image_of(const sfi_canvas *canvas)
{
    return cairo_image_surface_create(
        CAIRO_FORMAT_RGB24, (int)lround(canvas->width * canvas->scale),
        (int)lround(canvas->height * canvas->scale));
}

sf_status sfi_canvas_open(sf_context *ctx, sfi_canvas *canvas, const char *what,
                          const char *path, sfi_page page)
{
    const sfi_format format = sfi_format_of(path);
    if (format != SFI_FORMAT_PNG && format != SFI_FORMAT_SVG &&
        format != SFI_FORMAT_PDF)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "%s: \"%s\" does not end in .png, .svg or .pdf", what,
                        path != NULL ? path : "(null)");
    SFI_TRY(check_page(ctx, what, page));
    *canvas = blank(ctx, page);
    canvas->path = path;
    canvas->format = format;
    SFI_TRY(sfi_output_memory(ctx, &canvas->out));
    if (format == SFI_FORMAT_PNG) {
        canvas->surface = image_of(canvas);
    } else if (format == SFI_FORMAT_SVG) {
        canvas->surface = cairo_svg_surface_create_for_stream(
            collect, canvas->out, page.width, page.height);
    } else {
        canvas->surface = cairo_pdf_surface_create_for_stream(
            collect, canvas->out, page.width, page.height);
        cairo_pdf_surface_set_metadata(canvas->surface,
                                       CAIRO_PDF_METADATA_CREATE_DATE,
                                       "2000-01-01T00:00:00Z");
    }
    return start(canvas);
}

sf_status sfi_canvas_open_image(sf_context *ctx, sfi_canvas *canvas,
                                sfi_page page)
{
    SFI_TRY(check_page(ctx, "plot", page));
    *canvas = blank(ctx, page);
    canvas->surface = image_of(canvas);
    return start(canvas);
}

/* Find the next identifier that Cairo numbers by counting all surfaces
 * of the process, as in id="image17" or "#surface5": *digits is then where its
 * number begins.  False if there is none. */
static bool next_identifier(const char *at, const char **digits)
{
    static const char *const words[] = {"surface", "image"};
    for (at = strpbrk(at, "\"#"); at != NULL; at = strpbrk(at + 1, "\"#"))
        for (size_t k = 0; k < SFI_COUNT(words); k++) {
            const size_t length = strlen(words[k]);
            if (strncmp(at + 1, words[k], length) == 0 &&
                isdigit((unsigned char)at[1 + length])) {
                *digits = at + 1 + length;
                return true;
            }
        }
    return false;
}

/* Copy SVG text, which ends in NUL, with those numbers replaced by their order
 * of first appearance, so that equal pictures are equal files.  Errors stick to
 * `out`. */
static void copy_renumbered(const char *at, sfi_output *out)
{
    enum { MOST = 64 }; /* a picture has two or three */
    long seen[MOST];
    int count = 0;
    const char *digits = NULL;
    while (next_identifier(at, &digits)) {
        sfi_output_write(out, at, (size_t)(digits - at));
        char *end = NULL;
        const long id = strtol(digits, &end, 10);
        int k = 0;
        while (k < count && seen[k] != id)
            k++;
        if (k == count && count < MOST)
            seen[count++] = id;
        sfi_output_format(out, "%d", k + 1);
        at = end;
    }
    sfi_output_text(out, at);
}

/* Write the finished picture to its file. */
static sf_status save(const sfi_canvas *canvas)
{
    const bool svg = canvas->format == SFI_FORMAT_SVG;
    if (svg)
        SFI_TRY(sfi_output_byte(canvas->out, '\0'));
    size_t size = 0;
    const void *bytes = sfi_output_bytes(canvas->out, &size);
    sfi_output *file = NULL;
    SFI_TRY(sfi_output_open(canvas->ctx, &file, canvas->path));
    if (svg)
        copy_renumbered(bytes, file);
    else
        sfi_output_write(file, bytes, size);
    return sfi_output_close(file, sfi_output_status(file));
}

sf_status sfi_canvas_close(sfi_canvas *canvas, sf_status status)
{
    cairo_status_t cause = CAIRO_STATUS_SUCCESS;
    if (canvas->cr != NULL) {
        cause = cairo_status(canvas->cr);
        cairo_destroy(canvas->cr);
    }
    if (canvas->path != NULL && canvas->format == SFI_FORMAT_PNG &&
        status == SF_OK && cause == CAIRO_STATUS_SUCCESS)
        cause = cairo_surface_write_to_png_stream(canvas->surface, collect,
                                                  canvas->out);
    cairo_surface_finish(canvas->surface);
    if (cause == CAIRO_STATUS_SUCCESS)
        cause = cairo_surface_status(canvas->surface);
    cairo_surface_destroy(canvas->surface);
    if (status == SF_OK && cause != CAIRO_STATUS_SUCCESS)
        status = cairo_failed(canvas->ctx, cause);
    if (status == SF_OK && canvas->out != NULL)
        status = save(canvas);
    sfi_output_abort(canvas->out);
    memset(canvas, 0, sizeof *canvas);
    return status;
}

void sfi_canvas_clear(sfi_canvas *canvas)
{
    sfi_set_colour(canvas, sfi_paper);
    cairo_paint(canvas->cr);
}

/* ---- drawing ------------------------------------------------------------- */

void sfi_set_colour(sfi_canvas *canvas, sfi_rgba c)
{
    cairo_set_source_rgba(canvas->cr, c.r, c.g, c.b, c.a);
}

void sfi_draw_line(sfi_canvas *canvas, double x0, double y0, double x1,
                   double y1, double width, sfi_rgba colour)
{
    sfi_set_colour(canvas, colour);
    cairo_set_line_width(canvas->cr, width);
    cairo_move_to(canvas->cr, x0, y0);
    cairo_line_to(canvas->cr, x1, y1);
    cairo_stroke(canvas->cr);
}

void sfi_fill_rect(sfi_canvas *canvas, double x0, double y0, double x1,
                   double y1, sfi_rgba colour)
{
    sfi_set_colour(canvas, colour);
    cairo_rectangle(canvas->cr, x0, y0, x1 - x0, y1 - y0);
    cairo_fill(canvas->cr);
}

/* The outline of an arrow along x whose middle is at 0. */
static void trace_arrow(cairo_t *cr, double length)
{
    const double head = fmin(4.2, 0.5 * length), half = 0.42 * head;
    const double shaft = 0.38;
    cairo_translate(cr, -0.5 * length, 0.0);
    cairo_move_to(cr, 0.0, -shaft);
    cairo_line_to(cr, length - 0.85 * head, -shaft);
    cairo_line_to(cr, length - head, -half);
    cairo_line_to(cr, length, 0.0);
    cairo_line_to(cr, length - head, half);
    cairo_line_to(cr, length - 0.85 * head, shaft);
    cairo_line_to(cr, 0.0, shaft);
    cairo_close_path(cr);
}

void sfi_draw_arrow(sfi_canvas *canvas, double x, double y, double turn,
                    double length, sfi_rgba colour, sfi_rgba rim)
{
    cairo_t *cr = canvas->cr;
    cairo_save(cr);
    cairo_new_path(cr);
    cairo_translate(cr, x, y);
    if (length < 1.6) {
        cairo_arc(cr, 0.0, 0.0, 0.6, 0.0, 6.283185307179586);
    } else {
        cairo_rotate(cr, turn);
        trace_arrow(cr, length);
    }
    if (rim.a > 0.0) {
        cairo_set_line_width(cr, 1.1);
        sfi_set_colour(canvas, rim);
        cairo_stroke_preserve(cr);
    }
    sfi_set_colour(canvas, colour);
    cairo_fill(cr);
    cairo_restore(cr);
}

/* ---- text ---------------------------------------------------------------- */

/* Copy as valid UTF-8 without control characters, cut at a whole sequence. */
static void sanitise(const char *text, char *out, size_t bytes)
{
    static const char unknown[] = "\xef\xbf\xbd"; /* U+FFFD */
    size_t size = strlen(text), n = 0;
    while (size > 0 && n + sizeof unknown < bytes) {
        const size_t good = sfi_utf8_prefix(text, size);
        const size_t room = bytes - 1 - n, take = good < room ? good : room;
        for (size_t i = 0; i < take; i++) {
            const char c = text[i];
            out[n++] = (unsigned char)c < 0x20 || c == 0x7F ? ' ' : c;
        }
        text += take;
        size -= take;
        if (take < good || size == 0 || n + sizeof unknown > bytes)
            break;
        memcpy(out + n, unknown, sizeof unknown - 1);
        n += sizeof unknown - 1;
        text++;
        size--;
    }
    out[sfi_utf8_prefix(out, n)] = '\0';
}

static void select_font(sfi_canvas *canvas, sfi_font font)
{
    cairo_select_font_face(canvas->cr, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                           font.bold ? CAIRO_FONT_WEIGHT_BOLD
                                     : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(canvas->cr, font.size);
}

static double advance(sfi_canvas *canvas, const char *clean)
{
    cairo_text_extents_t extents;
    cairo_text_extents(canvas->cr, clean, &extents);
    return extents.x_advance;
}

double sfi_text_width(sfi_canvas *canvas, const char *text, sfi_font font)
{
    char clean[TEXT_BYTES];
    sanitise(text, clean, sizeof clean);
    select_font(canvas, font);
    return advance(canvas, clean);
}

static bool starts_sequence(char c)
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

/* Is there a combining mark (U+0300 to U+036F) at p? */
static bool combining(const char *p)
{
    const unsigned char a = (unsigned char)p[0];
    return a == 0xCC || (a == 0xCD && (unsigned char)p[1] < 0xB0);
}

/* Keep `keep` code points of `clean`, three fifths of them at the front (the
 * end often holds the unit), with an ellipsis between. */
static void cut_middle(const char *clean, int keep, char *out, size_t bytes)
{
    int total = 0;
    for (const char *p = clean; *p != '\0'; p++)
        total += starts_sequence(*p);
    const int front = (3 * keep + 4) / 5, back = keep - front;
    const char *head = clean, *tail = clean;
    for (int seen = 0; *head != '\0'; head++) {
        if (starts_sequence(*head) && seen++ == front)
            break;
    }
    for (int seen = 0; *tail != '\0'; tail++) {
        if (starts_sequence(*tail) && seen++ == total - back)
            break;
    }
    while (combining(tail))
        tail += 2;
    while (head > clean && head[-1] == ' ')
        head--;
    snprintf(out, bytes, "%.*s\xe2\x80\xa6%s", (int)(head - clean), clean,
             tail);
}

void sfi_text_fit(sfi_canvas *canvas, const char *text, double room,
                  sfi_font *font, char *out, size_t bytes)
{
    sanitise(text, out, bytes);
    if (room <= 0.0)
        return;
    const double width = sfi_text_width(canvas, out, *font);
    if (width <= room)
        return;
    font->size *= fmax(0.8, room / width);
    select_font(canvas, *font);
    if (advance(canvas, out) <= room * 1.0001)
        return;
    char clean[TEXT_BYTES];
    sanitise(text, clean, sizeof clean - 4); /* the ellipsis must fit as well */
    int low = 1, high = 0; /* the largest number of code points that fits */
    for (const char *p = clean; *p != '\0'; p++)
        high += starts_sequence(*p);
    while (low < high) {
        const int middle = (low + high + 1) / 2;
        cut_middle(clean, middle, out, bytes);
        if (advance(canvas, out) <= room)
            low = middle;
        else
            high = middle - 1;
    }
    cut_middle(clean, low, out, bytes);
}

void sfi_draw_text(sfi_canvas *canvas, double x, double y, sfi_align align,
                   int angle, double room, const char *text, sfi_font font)
{
    char clean[TEXT_BYTES];
    sfi_text_fit(canvas, text, room, &font, clean, sizeof clean);
    select_font(canvas, font);
    const double width = advance(canvas, clean);
    const double capital = 0.729 * font.size; /* DejaVu Sans: 1493/2048 em */
    cairo_t *cr = canvas->cr;
    cairo_save(cr);
    cairo_translate(cr, x, y);
    if (angle == 90)
        cairo_rotate(cr, -1.5707963267948966);
    sfi_set_colour(canvas, font.colour);
    cairo_move_to(cr, -0.5 * width * align, 0.5 * capital);
    cairo_show_text(cr, clean);
    cairo_restore(cr);
}

void sfi_draw_halo_text(sfi_canvas *canvas, double x, double y, double turn,
                        const char *text, sfi_font font)
{
    char clean[TEXT_BYTES];
    sanitise(text, clean, sizeof clean);
    select_font(canvas, font);
    cairo_t *cr = canvas->cr;
    cairo_save(cr);
    cairo_new_path(cr);
    cairo_translate(cr, x, y);
    cairo_rotate(cr, turn);
    cairo_move_to(cr, -0.5 * advance(canvas, clean), 0.5 * 0.729 * font.size);
    cairo_text_path(cr, clean);
    cairo_set_line_width(cr, 2.2);
    sfi_set_colour(canvas, sfi_faded(sfi_paper, 0.85));
    cairo_stroke_preserve(cr);
    sfi_set_colour(canvas, font.colour);
    cairo_fill(cr);
    cairo_restore(cr);
}
