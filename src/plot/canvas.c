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
 * against that and are undone here: SVG identifiers count all surfaces the
 * process has made (svg_renumber), and a PDF carries its date. */
#define _POSIX_C_SOURCE 200809L
#include "plot/canvas.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <cairo-pdf.h>
#include <cairo-svg.h>

enum { MAX_PIXELS = 16384, TEXT_BYTES = 1024 };

const sfi_font sfi_font_title = {11.0, true, {0.13, 0.14, 0.16, 1.0}};
const sfi_font sfi_font_label = {9.5, false, {0.13, 0.14, 0.16, 1.0}};
const sfi_font sfi_font_tick = {8.5, false, {0.25, 0.26, 0.29, 1.0}};
const sfi_font sfi_font_small = {7.5, false, {0.36, 0.38, 0.41, 1.0}};

/* ---- bytes and files ----------------------------------------------------- */

bool sfi_bytes_add(sfi_bytes *bytes, const void *data, size_t count)
{
    unsigned char *grown = sfi_grow(bytes->ctx, bytes->data, &bytes->capacity,
                                    bytes->count + count, 1);
    if (grown == NULL)
        return false;
    bytes->data = grown;
    if (count > 0)
        memcpy(bytes->data + bytes->count, data, count);
    bytes->count += count;
    return true;
}

void sfi_bytes_free(sfi_bytes *bytes)
{
    sfi_free(bytes->ctx, bytes->data, bytes->capacity, 1);
    bytes->data = NULL;
    bytes->count = bytes->capacity = 0;
}

static bool write_all(int file, const unsigned char *data, size_t count)
{
    while (count > 0) {
        const ssize_t n = write(file, data, count);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            data += n;
            count -= (size_t)n;
        }
    }
    return true;
}

sf_status sfi_plot_write(sf_context *ctx, const char *path, const void *data,
                         size_t count)
{
    const size_t bytes = strlen(path) + 40;
    char *temporary = sfi_alloc(ctx, bytes, 1);
    if (temporary == NULL)
        return SF_E_NOMEM;
    int file = -1;
    for (int attempt = 0; attempt < 100 && file < 0; attempt++) {
        snprintf(temporary, bytes, "%s.tmp-%ld-%d", path, (long)getpid(),
                 attempt);
        file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file < 0 && errno != EEXIST)
            break;
    }
    sf_status status = SF_OK;
    if (file < 0) {
        status = SFI_FAIL(ctx, SF_E_IO, "%s: can not be written: %s", path,
                          strerror(errno));
    } else {
        bool good = write_all(file, data, count);
        int cause = errno;
        if (close(file) != 0 && good) {
            good = false;
            cause = errno;
        }
        if (good && rename(temporary, path) != 0) {
            good = false;
            cause = errno;
        }
        if (!good) {
            unlink(temporary);
            status = SFI_FAIL(ctx, SF_E_IO, "%s: can not be written: %s", path,
                              strerror(cause));
        }
    }
    sfi_free(ctx, temporary, bytes, 1);
    return status;
}

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
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot != NULL && i < SFI_COUNT(known); i++)
        if (strcasecmp(dot, known[i].extension) == 0)
            return known[i].format;
    return SFI_FORMAT_NONE;
}

static cairo_status_t collect(void *user, const unsigned char *data,
                              unsigned int count)
{
    return sfi_bytes_add(user, data, count) ? CAIRO_STATUS_SUCCESS
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
    sfi_fill_rect(canvas, 0.0, 0.0, canvas->width, canvas->height, sfi_paper);
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
                        path);
    SFI_TRY(check_page(ctx, what, page));
    *canvas = blank(ctx, page);
    canvas->path = path;
    canvas->format = format;
    canvas->out = sfi_alloc_zero(ctx, 1, sizeof *canvas->out);
    if (canvas->out == NULL)
        return SF_E_NOMEM;
    canvas->out->ctx = ctx;
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

/* Replace the process-wide numbers in SVG identifiers ("surface17") by their
 * order of first appearance, so that equal pictures are equal files. */
static sf_status svg_renumber(sf_context *ctx, sfi_bytes *svg)
{
    static const char word[] = "surface";
    enum { WORD = sizeof word - 1, MOST = 64 };
    long seen[MOST];
    int count = 0;
    sfi_bytes out = {.ctx = ctx};
    bool good = sfi_bytes_add(svg, "", 1); /* an end for strstr and strtol */
    const char *at = good ? (const char *)svg->data : "";
    while (good) {
        const char *hit = strstr(at, word);
        if (hit == NULL || !isdigit((unsigned char)hit[WORD])) {
            const size_t rest =
                hit == NULL ? strlen(at) : (size_t)(hit + WORD - at);
            good = sfi_bytes_add(&out, at, rest);
            if (hit == NULL)
                break;
            at += rest;
            continue;
        }
        char *end = NULL;
        const long id = strtol(hit + WORD, &end, 10);
        int k = 0;
        while (k < count && seen[k] != id)
            k++;
        if (k == count && count < MOST)
            seen[count++] = id;
        char name[32];
        const int n = snprintf(name, sizeof name, "%s%d", word, k + 1);
        good = sfi_bytes_add(&out, at, (size_t)(hit - at)) &&
               sfi_bytes_add(&out, name, (size_t)n);
        at = end;
    }
    sfi_bytes_free(svg);
    *svg = out;
    return good ? SF_OK : SF_E_NOMEM;
}

sf_status sfi_canvas_close(sfi_canvas *canvas, sf_status status)
{
    sf_context *ctx = canvas->ctx;
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
        status = cairo_failed(ctx, cause);
    if (canvas->out != NULL) {
        if (status == SF_OK && canvas->format == SFI_FORMAT_SVG)
            status = svg_renumber(ctx, canvas->out);
        if (status == SF_OK)
            status = sfi_plot_write(ctx, canvas->path, canvas->out->data,
                                    canvas->out->count);
        sfi_bytes_free(canvas->out);
        sfi_free(ctx, canvas->out, 1, sizeof *canvas->out);
    }
    memset(canvas, 0, sizeof *canvas);
    return status;
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

/* ---- text ---------------------------------------------------------------- */

/* Length of the valid UTF-8 sequence at p, 0 if there is none. */
static int sequence_length(const unsigned char *p)
{
    if (p[0] < 0x80)
        return 1;
    const int n = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4)
        return 0;
    for (int i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    const bool overlong =
        (p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xF0 && p[1] < 0x90);
    const bool surrogate = p[0] == 0xED && p[1] >= 0xA0;
    const bool beyond = p[0] == 0xF4 && p[1] >= 0x90;
    return overlong || surrogate || beyond ? 0 : n;
}

/* Copy as valid UTF-8 without control characters, cut at a whole sequence. */
static void sanitise(const char *text, char *out, size_t bytes)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t n = 0;
    while (*p != '\0') {
        const int length = sequence_length(p);
        const bool control = length == 1 && (*p < 0x20 || *p == 0x7F);
        const char *from = length == 0 ? "\xef\xbf\xbd"
                           : control   ? " "
                                       : (const char *)p;
        const size_t count = length == 0 ? 3 : (size_t)length;
        if (n + count + 1 > bytes)
            break;
        memcpy(out + n, from, count);
        n += count;
        p += length == 0 ? 1 : length;
    }
    out[n] = '\0';
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

void sfi_draw_halo_text(sfi_canvas *canvas, double x, double y,
                        const char *text, sfi_font font)
{
    char clean[TEXT_BYTES];
    sanitise(text, clean, sizeof clean);
    select_font(canvas, font);
    cairo_t *cr = canvas->cr;
    cairo_save(cr);
    cairo_new_path(cr);
    cairo_move_to(cr, x - 0.5 * advance(canvas, clean),
                  y + 0.5 * 0.729 * font.size);
    cairo_text_path(cr, clean);
    cairo_set_line_width(cr, 2.2);
    sfi_set_colour(canvas, sfi_faded(sfi_paper, 0.85));
    cairo_stroke_preserve(cr);
    sfi_set_colour(canvas, font.colour);
    cairo_fill(cr);
    cairo_restore(cr);
}
