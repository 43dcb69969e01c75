/* SPDX-License-Identifier: Apache-2.0 */
/* marks.c - points, curves and bars. */
#include "plot/marks.h"

#include <math.h>
#include <stdio.h>

#include "base/random.h"

static const double two_pi = 6.283185307179586;

/* ---- points -------------------------------------------------------------- */

/* Draw what the path holds: discs are strokes of no length with round ends,
 * which take a tenth of the bytes of circles in an SVG. */
static void paint_dots(cairo_t *cr, sfi_dots dots)
{
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_width(cr, dots.ring ? 0.8 : 2.0 * dots.radius);
    cairo_stroke(cr);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_BUTT);
}

/* Draw the part [from, to) of the points shown, a few at a time: within a batch
 * overlapping points do not add up, between batches they do. */
static void draw_some(sfi_canvas *canvas, const sfi_panel *panel, sf_cmat m,
                      int64_t jx, int64_t jy, sfi_dots dots, int64_t from,
                      int64_t to)
{
    enum { BATCH = 12 };
    cairo_t *cr = canvas->cr;
    const int64_t shown = m.rows < dots.most ? m.rows : dots.most;
    int waiting = 0;
    sfi_set_colour(canvas, dots.colour);
    cairo_new_path(cr);
    for (int64_t k = from; k < to; k++) {
        const int64_t i = sfi_pick(k, shown, m.rows);
        double x = sfi_cell(m, i, jx), y = sfi_cell(m, i, jy);
        const sfi_where where = {1, (uint64_t)i, 0, SFI_STREAM_USER};
        if (dots.jitter[0] > 0.0)
            x += dots.jitter[0] * (2.0 * sfi_uniform_at(where, 0) - 1.0);
        if (dots.jitter[1] > 0.0)
            y += dots.jitter[1] * (2.0 * sfi_uniform_at(where, 1) - 1.0);
        if (!sfi_axis_has(&panel->x, x) || !sfi_axis_has(&panel->y, y))
            continue; /* nor does any axis have a NaN */
        const double at_x = sfi_axis_at(&panel->x, x);
        const double at_y = sfi_axis_at(&panel->y, y);
        cairo_new_sub_path(cr);
        if (dots.ring) {
            cairo_arc(cr, at_x, at_y, dots.radius, 0.0, two_pi);
        } else {
            cairo_move_to(cr, at_x, at_y);
            cairo_line_to(cr, at_x, at_y);
        }
        if (++waiting == BATCH) {
            paint_dots(cr, dots);
            waiting = 0;
        }
    }
    paint_dots(cr, dots);
}

void sfi_draw_dots(sfi_canvas *canvas, const sfi_panel *panel, sf_cmat m,
                   int64_t jx, int64_t jy, sfi_dots dots)
{
    const int64_t shown = m.rows < dots.most ? m.rows : dots.most;
    draw_some(canvas, panel, m, jx, jy, dots, 0, shown);
}

void sfi_draw_dots_of_two(sfi_canvas *canvas, const sfi_panel *panel,
                          const sf_cmat m[2], int64_t jx, int64_t jy,
                          const sfi_dots dots[2])
{
    enum { TURNS = 32 };
    for (int64_t turn = 0; turn < TURNS; turn++)
        for (int t = 0; t < 2; t++) {
            const int64_t n =
                m[t].rows < dots[t].most ? m[t].rows : dots[t].most;
            draw_some(canvas, panel, m[t], jx, jy, dots[t], turn * n / TURNS,
                      (turn + 1) * n / TURNS);
        }
}

void sfi_count_dots(const sfi_panel *panel, sf_cmat m, int64_t jx, int64_t jy,
                    int64_t *finite, int64_t *inside)
{
    *finite = *inside = 0;
    for (int64_t i = 0; i < m.rows; i++) {
        const double x = sfi_cell(m, i, jx), y = sfi_cell(m, i, jy);
        if (!isfinite(x) || !isfinite(y))
            continue;
        ++*finite;
        *inside += sfi_axis_has(&panel->x, x) && sfi_axis_has(&panel->y, y);
    }
}

void sfi_legend_dots(sfi_legend *legend, sfi_swatch swatch, sfi_rgba colour,
                     const char *name, int64_t finite, int64_t inside,
                     int64_t most, int64_t missing)
{
    const long long n = finite, out = finite - inside, shown = most;
    char count[64], beyond[48] = "", lacking[48] = "";
    snprintf(count, sizeof count,
             finite > most ? "%lld of %lld shown" : "n = %lld",
             finite > most ? shown : n, n);
    if (out > 0)
        snprintf(beyond, sizeof beyond, ", %lld outside", out);
    if (missing > 0)
        snprintf(lacking, sizeof lacking, ", %lld missing", (long long)missing);
    sfi_legend_add(legend, swatch, colour, "%s (%s%s%s)", name, count, beyond,
                   lacking);
}

/* ---- curves -------------------------------------------------------------- */

/* The points of a curve that fall into one column of the page. */
typedef struct pixel_column {
    double number, x, first, low, high, last;
    bool open;
} pixel_column;

static void flush(cairo_t *cr, pixel_column *c)
{
    if (!c->open)
        return;
    cairo_line_to(cr, c->x, c->first);
    if (c->low < fmin(c->first, c->last))
        cairo_line_to(cr, c->x, c->low);
    if (c->high > fmax(c->first, c->last))
        cairo_line_to(cr, c->x, c->high);
    if (c->last != c->first)
        cairo_line_to(cr, c->x, c->last);
    c->open = false;
}

sf_status sfi_check_curves(sf_context *ctx, const char *what,
                           const sf_plot_curve *curves, int64_t count)
{
    if (count < 0 || (count > 0 && curves == NULL))
        return SFI_FAIL(ctx, SF_E_ARG, "%s: curve_count is %lld%s", what,
                        (long long)count,
                        count < 0 ? ", want >= 0" : ", but curves is NULL");
    for (int64_t i = 0; i < count; i++) {
        SFI_TRY(sfi_plot_check(ctx, what, "a curve", curves[i].points, 2));
        if (curves[i].colour < -1 || curves[i].colour > 6 ||
            curves[i].dash < 0 || curves[i].dash > 2)
            return SFI_FAIL(ctx, SF_E_ARG,
                            "%s: curve %lld has colour %d and dash %d, want -1 "
                            "to 6 and 0 to 2",
                            what, (long long)i, curves[i].colour,
                            curves[i].dash);
    }
    return SF_OK;
}

sfi_rgba sfi_curve_colour(const sf_plot_curve *curve, int64_t k, bool with_data)
{
    static const int alone[] = {0, 1, 2, 3, 5, 4, 6};
    static const int others[] = {6, 2, 3, 5, 4};
    if (curve->colour >= 0)
        return sfi_palette(curve->colour);
    return with_data ? sfi_palette(others[k % (int64_t)SFI_COUNT(others)])
                     : sfi_palette(alone[k % (int64_t)SFI_COUNT(alone)]);
}

sfi_swatch sfi_curve_swatch(const sf_plot_curve *curve)
{
    static const sfi_swatch by_dash[] = {SFI_SWATCH_LINE, SFI_SWATCH_DASH,
                                         SFI_SWATCH_DOTTED};
    return by_dash[curve->dash];
}

void sfi_set_dash(sfi_canvas *canvas, int dash, double width)
{
    const double dashes[2] = {3.6 * width, 2.2 * width};
    const double dots[2] = {1.1 * width, 1.5 * width};
    cairo_set_dash(canvas->cr, dash == 1 ? dashes : dots, dash == 0 ? 0 : 2,
                   0.0);
}

void sfi_draw_curve(sfi_canvas *canvas, const sfi_panel *panel, sf_cmat m,
                    sfi_stroke stroke)
{
    cairo_t *cr = canvas->cr;
    const bool many =
        (double)m.rows > 8.0 * (panel->frame.right - panel->frame.left);
    pixel_column c = {.open = false};
    cairo_new_path(cr);
    for (int64_t i = 0; i < m.rows; i++) {
        const double x = sfi_axis_at(&panel->x, sfi_cell(m, i, 0));
        const double y = sfi_axis_at(&panel->y, sfi_cell(m, i, 1));
        if (!isfinite(x) || !isfinite(y)) {
            flush(cr, &c);
            cairo_new_sub_path(cr);
            continue;
        }
        if (!many) {
            cairo_line_to(cr, x, y);
            continue;
        }
        const double number = floor(2.0 * x);
        if (c.open && number == c.number) {
            c.low = fmin(c.low, y);
            c.high = fmax(c.high, y);
            c.last = y;
            continue;
        }
        flush(cr, &c);
        const pixel_column next = {number, x, y, y, y, y, true};
        c = next;
    }
    flush(cr, &c);
    cairo_save(cr);
    sfi_set_dash(canvas, stroke.dash, stroke.width);
    cairo_set_line_width(cr, stroke.width);
    sfi_set_colour(canvas, stroke.colour);
    cairo_stroke(cr);
    cairo_restore(cr);
}

void sfi_draw_lines(sfi_canvas *canvas, const sfi_lines *lines,
                    sfi_stroke stroke)
{
    cairo_t *cr = canvas->cr;
    cairo_new_path(cr);
    for (size_t l = 0; l < lines->lines; l++) {
        const size_t first = lines->start[l], end = lines->start[l + 1];
        const double *a = lines->xy + 2 * first, *b = lines->xy + 2 * end - 2;
        cairo_new_sub_path(cr);
        for (size_t p = first; p < end; p++)
            cairo_line_to(cr, lines->xy[2 * p], lines->xy[2 * p + 1]);
        if (end - first > 2 && a[0] == b[0] && a[1] == b[1])
            cairo_close_path(cr);
    }
    cairo_save(cr);
    sfi_set_dash(canvas, stroke.dash, stroke.width);
    cairo_set_line_width(cr, stroke.width);
    sfi_set_colour(canvas, stroke.colour);
    cairo_stroke(cr);
    cairo_restore(cr);
}

/* ---- bars ---------------------------------------------------------------- */

void sfi_draw_bars(sfi_canvas *canvas, const sfi_panel *panel, sfi_bins bins,
                   const double *height, sfi_rgba fill, sfi_rgba edge)
{
    cairo_t *cr = canvas->cr;
    const double ground = sfi_axis_at(&panel->y, 0.0);
    cairo_new_path(cr);
    cairo_move_to(cr, sfi_axis_at(&panel->x, bins.lo), ground);
    for (int b = 0; b < bins.count; b++) {
        const double y = sfi_axis_at(&panel->y, height[b]);
        cairo_line_to(cr, sfi_axis_at(&panel->x, bins.lo + b * bins.width), y);
        cairo_line_to(
            cr, sfi_axis_at(&panel->x, bins.lo + (b + 1) * bins.width), y);
    }
    cairo_line_to(cr, sfi_axis_at(&panel->x, bins.lo + bins.count * bins.width),
                  ground);
    cairo_save(cr);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_MITER);
    if (fill.a > 0.0) {
        sfi_set_colour(canvas, fill);
        cairo_fill_preserve(cr);
    }
    cairo_set_line_width(cr, fill.a > 0.0 ? 0.7 : 1.3);
    sfi_set_colour(canvas, edge);
    cairo_stroke(cr);
    if (fill.a > 0.0) /* light lines between the bars */
        for (int b = 1; b < bins.count; b++) {
            const double x = sfi_axis_at(&panel->x, bins.lo + b * bins.width);
            const double top = fmin(height[b - 1], height[b]);
            sfi_draw_line(canvas, x, ground, x, sfi_axis_at(&panel->y, top),
                          0.5, sfi_faded(sfi_paper, 0.8));
        }
    cairo_restore(cr);
}
