/* SPDX-License-Identifier: Apache-2.0 */
/* curves.c - y against x: generic curves, training losses, quantiles. */
#include "scorefield/plot.h"

#include <math.h>
#include <stdio.h>

#include "plot/marks.h"

/* ---- ranges of axes ------------------------------------------------------ */

/* The extent of column j of several curves; of the positive numbers only if
 * `positive`.  NaN if there is none. */
typedef struct curve_extent {
    double lo, hi;
    bool any_not_positive;
} curve_extent;

static void extend(curve_extent *e, sf_cmat m, int64_t j, bool positive)
{
    for (int64_t i = 0; i < m.rows; i++) {
        const double v = sfi_cell(m, i, j);
        if (!isfinite(v) || !isfinite(sfi_cell(m, i, 1 - j)))
            continue;
        if (v <= 0.0)
            e->any_not_positive = true;
        if (v <= 0.0 && positive)
            continue;
        e->lo = fmin(e->lo, v);
        e->hi = fmax(e->hi, v);
    }
}

static curve_extent extent_of(const sf_plot_curve *curves, int64_t count,
                              int64_t j, bool positive)
{
    curve_extent e = {NAN, NAN, false};
    for (int64_t k = 0; k < count; k++)
        extend(&e, curves[k].points, j, positive);
    return e;
}

/* Set an axis to hold column j, with a margin of the given share. */
static void set_axis(sfi_axis *axis, const sf_plot_curve *curves, int64_t count,
                     int64_t j, bool log_scale, double margin)
{
    const curve_extent e = extent_of(curves, count, j, log_scale);
    axis->log = log_scale;
    axis->lo = e.lo;
    axis->hi = e.hi;
    sfi_ticks_range(&axis->lo, &axis->hi, log_scale);
    if (log_scale) {
        const double room = margin * (log(axis->hi) - log(axis->lo));
        axis->lo *= exp(-room);
        axis->hi *= exp(room);
        sfi_ticks_range(&axis->lo, &axis->hi, true);
    } else {
        const double room = margin * (axis->hi - axis->lo);
        axis->lo -= room;
        axis->hi += room;
    }
}

static sf_status check_scale(sf_context *ctx, const char *what, sf_plot_scale x,
                             sf_plot_scale y)
{
    if (x >= SF_PLOT_AUTO && x <= SF_PLOT_LOG && y >= SF_PLOT_AUTO &&
        y <= SF_PLOT_LOG)
        return SF_OK;
    return SFI_FAIL(ctx, SF_E_ARG,
                    "%s: x_scale is %d and y_scale is %d, want 0 to 2", what,
                    (int)x, (int)y);
}

/* ---- generic curves ------------------------------------------------------ */

static void draw_all(sfi_canvas *canvas, const sfi_panel *panel,
                     const sf_plot_curve *curves, int64_t count, bool marks)
{
    for (int64_t k = 0; k < count; k++) {
        const sfi_rgba colour = sfi_curve_colour(&curves[k], k, false);
        const sfi_stroke stroke = {1.6, colour, curves[k].dash};
        sfi_draw_curve(canvas, panel, curves[k].points, stroke);
        const sfi_dots dots = {2.2, colour, false, 2000, {0.0, 0.0}};
        if (marks)
            sfi_draw_dots(canvas, panel, curves[k].points, 0, 1, dots);
    }
}

sf_status sf_plot_curves(sf_context *ctx, const char *path,
                         const sf_plot_curve *curves, int64_t curve_count,
                         const sf_plot_curves_options *opts)
{
    static const char what[] = "plot_curves";
    sf_plot_curves_options o = SF_PLOT_CURVES_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, opts));
    SFI_TRY(sfi_check_curves(ctx, what, curves, curve_count));
    SFI_TRY(check_scale(ctx, what, o.x_scale, o.y_scale));
    sfi_canvas canvas;
    SFI_TRY(
        sfi_canvas_open(ctx, &canvas, what, path,
                        sfi_page_or(o.width, o.height, o.scale, 450.0, 350.0)));
    sfi_legend legend = {0};
    for (int64_t k = 0; k < curve_count; k++)
        if (curves[k].label != NULL)
            sfi_legend_add(&legend, sfi_curve_swatch(&curves[k]),
                           sfi_curve_colour(&curves[k], k, false), "%s",
                           curves[k].label);
    sfi_panel panel = {.x = {.label = o.x_label},
                       .y = {.label = o.y_label},
                       .title = o.title,
                       .legend = &legend,
                       .grid_x = true,
                       .grid_y = true};
    set_axis(&panel.x, curves, curve_count, 0, o.x_scale == SF_PLOT_LOG, 0.03);
    set_axis(&panel.y, curves, curve_count, 1, o.y_scale == SF_PLOT_LOG, 0.05);
    sfi_panel_layout(&canvas, &panel, sfi_whole_page(&canvas));
    sfi_panel_begin(&canvas, &panel);
    draw_all(&canvas, &panel, curves, curve_count, o.marks);
    sfi_panel_end(&canvas, &panel);
    return sfi_canvas_close(&canvas, SF_OK);
}

/* ---- training ------------------------------------------------------------ */

/* Row of the lowest finite loss, -1 if there is none. */
static int64_t best_row(sf_cmat m)
{
    int64_t best = -1;
    for (int64_t i = 0; i < m.rows; i++)
        if (isfinite(sfi_cell(m, i, 0)) && isfinite(sfi_cell(m, i, 1)) &&
            (best < 0 || sfi_cell(m, i, 1) < sfi_cell(m, best, 1)))
            best = i;
    return best;
}

/* Losses start high and fall fast.  Where they are positive and span more than
 * a factor of 30, the axis is logarithmic; otherwise its top is lowered so that
 * the last nine tenths of the training fill it. */
static sf_status set_loss_axis(sf_context *ctx, sfi_axis *axis,
                               const sf_plot_curve *curves, sf_plot_scale scale)
{
    const curve_extent e = extent_of(curves, 2, 1, false);
    const bool wide = !e.any_not_positive && e.hi > 30.0 * e.lo;
    const bool log_scale =
        scale == SF_PLOT_LOG || (scale == SF_PLOT_AUTO && wide);
    set_axis(axis, curves, 2, 1, log_scale, 0.05);
    if (log_scale)
        return SF_OK;
    double lo = INFINITY, hi = -INFINITY;
    for (int k = 0; k < 2; k++) {
        const sf_cmat m = curves[k].points;
        const int64_t skip = m.rows / 10;
        sf_cmat later = {m.data, m.rows - skip, m.cols, m.stride};
        if (m.rows > 0)
            later.data += skip * m.stride;
        sfi_sorted sorted;
        const sf_status status = sfi_sorted_new(ctx, &sorted, later, 1);
        if (status == SF_OK && sorted.count > 0) {
            lo = fmin(lo, sorted.values[0]);
            hi = fmax(hi, sfi_sorted_quantile(&sorted, 0.995));
        }
        sfi_sorted_free(&sorted);
        if (status != SF_OK)
            return status;
    }
    /* Keep the start in sight while the rest has two fifths of the height. */
    if (lo < hi && axis->hi - lo > 2.5 * (hi - lo))
        axis->hi = hi + 0.6 * (hi - lo);
    return SF_OK;
}

enum { MEANS = 120 };

/* Means of runs of rows, one point a run; of logarithms on a log axis.
 * Returns how many points there are, 0 if the rows are too few to matter. */
static int64_t running_means(sf_cmat m, bool log_scale, double points[][2])
{
    if (m.rows < 4 * MEANS)
        return 0;
    int64_t count = 0;
    for (int64_t k = 0; k < MEANS; k++) {
        double n = 0.0, x = 0.0, y = 0.0;
        const int64_t end = (k + 1) * m.rows / MEANS;
        for (int64_t i = k * m.rows / MEANS; i < end; i++) {
            double v = sfi_cell(m, i, 1);
            if (log_scale)
                v = log(v); /* NaN or -inf below zero */
            if (!isfinite(v) || !isfinite(sfi_cell(m, i, 0)))
                continue;
            n += 1.0;
            x += (sfi_cell(m, i, 0) - x) / n;
            y += (v - y) / n;
        }
        if (n == 0.0)
            continue;
        points[count][0] = x;
        points[count++][1] = log_scale ? exp(y) : y;
    }
    return count;
}

static void mark_best(sfi_canvas *canvas, const sfi_panel *panel, sf_cmat m,
                      int64_t row, sfi_rgba colour)
{
    const double x = sfi_axis_at(&panel->x, sfi_cell(m, row, 0));
    const double y = sfi_axis_at(&panel->y, sfi_cell(m, row, 1));
    if (!isfinite(x) || !isfinite(y))
        return;
    cairo_t *cr = canvas->cr;
    cairo_save(cr);
    sfi_set_dash(canvas, 1, 0.9);
    sfi_draw_line(canvas, x, y, x, panel->frame.bottom, 0.9, sfi_soft_ink);
    cairo_restore(cr);
    cairo_new_path(cr);
    cairo_arc(cr, x, y, 3.4, 0.0, 6.283185307179586);
    sfi_set_colour(canvas, sfi_paper);
    cairo_fill_preserve(cr);
    sfi_set_colour(canvas, colour);
    cairo_set_line_width(cr, 1.6);
    cairo_stroke(cr);
}

static sf_status draw_training(sfi_canvas *canvas, sf_cmat train,
                               sf_cmat held_out,
                               const sf_plot_training_options *o)
{
    const sf_plot_curve curves[2] = {{"training", train, 0, 0},
                                     {"held out", held_out, 1, 0}};
    sfi_legend legend = {0};
    sfi_panel panel = {.x = {.label = o->x_label != NULL ? o->x_label : "step"},
                       .y = {.label = o->y_label != NULL ? o->y_label : "loss"},
                       .title = o->title,
                       .legend = &legend,
                       .grid_x = true,
                       .grid_y = true};
    set_axis(&panel.x, curves, 2, 0, o->x_scale == SF_PLOT_LOG, 0.02);
    SFI_TRY(set_loss_axis(canvas->ctx, &panel.y, curves, o->y_scale));
    for (int k = 0; k < 2; k++)
        if (curves[k].points.rows > 0)
            sfi_legend_add(&legend, SFI_SWATCH_LINE,
                           sfi_palette(curves[k].colour), "%s",
                           curves[k].label);
    const sf_cmat judged = held_out.rows > 0 ? held_out : train;
    const sfi_rgba best_colour = sfi_palette(held_out.rows > 0 ? 1 : 0);
    const int64_t best = best_row(judged);
    if (best >= 0) {
        char step[48], loss[48];
        sfi_number_text(sfi_cell(judged, best, 0), 7, step, sizeof step);
        sfi_number_text(sfi_cell(judged, best, 1), 4, loss, sizeof loss);
        sfi_legend_add(&legend, SFI_SWATCH_RING, best_colour,
                       "best: %s at %s %s", loss, panel.x.label, step);
    }
    sfi_panel_layout(canvas, &panel, sfi_whole_page(canvas));
    sfi_panel_begin(canvas, &panel);
    double mean[MEANS][2];
    const int64_t means = running_means(train, panel.y.log, mean);
    const sf_cmat smooth = {mean[0], means, 2, 2};
    const sfi_stroke raw = {means > 0 ? 0.7 : 1.5,
                            sfi_faded(sfi_palette(0), means > 0 ? 0.35 : 1.0),
                            0};
    const sfi_stroke thick = {1.7, sfi_palette(0), 0};
    const sfi_stroke other = {1.7, sfi_palette(1), 0};
    sfi_draw_curve(canvas, &panel, train, raw);
    sfi_draw_curve(canvas, &panel, smooth, thick);
    sfi_draw_curve(canvas, &panel, held_out, other);
    if (best >= 0)
        mark_best(canvas, &panel, judged, best, best_colour);
    sfi_panel_end(canvas, &panel);
    return SF_OK;
}

sf_status sf_plot_training(sf_context *ctx, const char *path, sf_cmat train,
                           sf_cmat held_out,
                           const sf_plot_training_options *opts)
{
    static const char what[] = "plot_training";
    sf_plot_training_options o = SF_PLOT_TRAINING_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, opts));
    SFI_TRY(sfi_plot_check(ctx, what, "train", train, 2));
    SFI_TRY(sfi_plot_check(ctx, what, "held_out", held_out, 2));
    SFI_TRY(check_scale(ctx, what, o.x_scale, o.y_scale));
    sfi_canvas canvas;
    SFI_TRY(
        sfi_canvas_open(ctx, &canvas, what, path,
                        sfi_page_or(o.width, o.height, o.scale, 450.0, 350.0)));
    return sfi_canvas_close(&canvas,
                            draw_training(&canvas, train, held_out, &o));
}

/* ---- quantiles ----------------------------------------------------------- */

enum { MOST_QUANTILES = 200 };

static sf_status draw_quantiles(sfi_canvas *canvas, const sfi_sorted *real,
                                const sfi_sorted *synthetic,
                                const sf_plot_curves_options *o)
{
    int64_t n = real->count < synthetic->count ? real->count : synthetic->count;
    n = n < MOST_QUANTILES ? n : MOST_QUANTILES;
    double points[MOST_QUANTILES][2], ends[2][2];
    for (int64_t k = 0; k < n; k++) {
        const double p = ((double)k + 0.5) / (double)n;
        points[k][0] = sfi_sorted_quantile(real, p);
        points[k][1] = sfi_sorted_quantile(synthetic, p);
    }
    const sf_plot_curve curve = {NULL, {points[0], n, 2, 2}, 1, 0};
    sfi_legend legend = {0};
    sfi_panel panel = {
        .x = {.label = o->x_label != NULL ? o->x_label : "real"},
        .y = {.label = o->y_label != NULL ? o->y_label : "synthetic"},
        .title = o->title,
        .legend = &legend,
        .box = true,
        .grid_x = true,
        .grid_y = true,
        .equal = true};
    const curve_extent x = extent_of(&curve, 1, 0, false);
    const curve_extent y = extent_of(&curve, 1, 1, false);
    double lo = fmin(x.lo, y.lo), hi = fmax(x.hi, y.hi);
    sfi_ticks_range(&lo, &hi, false);
    const double room = 0.04 * (hi - lo);
    panel.x.lo = panel.y.lo = ends[0][0] = ends[0][1] = lo - room;
    panel.x.hi = panel.y.hi = ends[1][0] = ends[1][1] = hi + room;
    sfi_legend_add(&legend, SFI_SWATCH_DOT, sfi_synthetic,
                   "%lld quantiles of both", (long long)n);
    sfi_legend_add(&legend, SFI_SWATCH_DASH, sfi_soft_ink,
                   "equal distributions");
    sfi_panel_layout(canvas, &panel, sfi_whole_page(canvas));
    sfi_panel_begin(canvas, &panel);
    const sf_cmat diagonal = {ends[0], 2, 2, 2};
    const sfi_stroke stroke = {1.0, sfi_soft_ink, 1};
    sfi_draw_curve(canvas, &panel, diagonal, stroke);
    const sfi_dots dots = {
        2.0, sfi_faded(sfi_synthetic, 0.75), false, n, {0.0, 0.0}};
    sfi_draw_dots(canvas, &panel, curve.points, 0, 1, dots);
    sfi_panel_end(canvas, &panel);
    return SF_OK;
}

sf_status sf_plot_quantiles(sf_context *ctx, const char *path, sf_cmat real,
                            sf_cmat synthetic,
                            const sf_plot_curves_options *opts)
{
    static const char what[] = "plot_quantiles";
    sf_plot_curves_options o = SF_PLOT_CURVES_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, opts));
    SFI_TRY(sfi_plot_check(ctx, what, "real", real, 1));
    SFI_TRY(sfi_plot_check(ctx, what, "synthetic", synthetic, 1));
    sfi_sorted a = {0}, b = {0};
    sf_status status = sfi_sorted_new(ctx, &a, real, 0);
    if (status == SF_OK)
        status = sfi_sorted_new(ctx, &b, synthetic, 0);
    if (status == SF_OK && (a.count == 0 || b.count == 0))
        status = SFI_FAIL(ctx, SF_E_ARG,
                          "%s: %lld real and %lld synthetic finite values, "
                          "want at least one of both",
                          what, (long long)a.count, (long long)b.count);
    if (status == SF_OK) {
        sfi_canvas canvas;
        status = sfi_canvas_open(
            ctx, &canvas, what, path,
            sfi_page_or(o.width, o.height, o.scale, 380.0, 390.0));
        if (status == SF_OK)
            status =
                sfi_canvas_close(&canvas, draw_quantiles(&canvas, &a, &b, &o));
    }
    sfi_sorted_free(&a);
    sfi_sorted_free(&b);
    return status;
}
