/* SPDX-License-Identifier: Apache-2.0 */
/* histogram.c - one column: data as bars, samples as an outline, models as
 * curves, and a rug of the data itself while that is readable. */
#include "scorefield/plot.h"

#include <math.h>

#include "plot/marks.h"

enum { MOST_RUG = 400 };

static const double inset = 0.02; /* of the axis left and right of the bars */

/* What the drawing needs beside the options. */
typedef struct histogram_page {
    sf_plot_histogram_options o;
    sfi_sorted data, samples;
    sfi_bins data_bins, sample_bins;
    double data_height[SFI_MAX_BINS], sample_height[SFI_MAX_BINS];
    double from, to;
    int64_t rows; /* of data */
} histogram_page;

static sf_status check(sf_context *ctx, sf_cmat data,
                       const sf_plot_histogram_options *o)
{
    static const char what[] = "plot_histogram";
    SFI_TRY(sfi_plot_check(ctx, what, "data", data, 1));
    SFI_TRY(sfi_plot_check(ctx, what, "samples", o->samples, 1));
    SFI_TRY(sfi_check_curves(ctx, what, o->curves, o->curve_count));
    if (o->bins < 0 || o->bins > SFI_MAX_BINS)
        return SFI_FAIL(ctx, SF_E_ARG, "%s: bins is %d, want 0 to %d", what,
                        o->bins, (int)SFI_MAX_BINS);
    if (!(o->x_from <= o->x_to && o->x_to - o->x_from < INFINITY))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "%s: x_from is %g and x_to is %g, want x_from <= x_to",
                        what, o->x_from, o->x_to);
    return SF_OK;
}

/* The axis: what was asked for, or the data, or the samples, or the curves. */
static void choose_view(histogram_page *w)
{
    sfi_sorted_view_both(&w->data, &w->samples, &w->from, &w->to);
    if (w->o.x_from < w->o.x_to) {
        w->from = w->o.x_from;
        w->to = w->o.x_to;
    }
    if (!isnan(w->from))
        return;
    for (int64_t k = 0; k < w->o.curve_count; k++)
        for (int64_t i = 0; i < w->o.curves[k].points.rows; i++) {
            const double x = sfi_cell(w->o.curves[k].points, i, 0);
            if (isfinite(x)) {
                w->from = fmin(w->from, x);
                w->to = fmax(w->to, x);
            }
        }
}

static void choose_bins(histogram_page *w)
{
    const bool have_data = w->data.count > 0;
    w->data_bins =
        sfi_bins_choose(&w->data, w->from, w->to, have_data ? w->o.bins : 1);
    /* Samples use the bins of the data, so that heights can be compared. */
    w->sample_bins =
        have_data ? w->data_bins
                  : sfi_bins_choose(&w->samples, w->from, w->to, w->o.bins);
    if (have_data)
        sfi_bins_fill(w->data_bins, &w->data, w->data_height);
    if (w->samples.count > 0)
        sfi_bins_fill(w->sample_bins, &w->samples, w->sample_height);
}

static double tallest(const double *height, int count)
{
    double most = 0.0;
    for (int b = 0; b < count; b++)
        most = fmax(most, height[b]);
    return most;
}

static void set_axes(const histogram_page *w, sfi_panel *panel)
{
    const sfi_bins b = w->data.count > 0 ? w->data_bins : w->sample_bins;
    double lo = w->from, hi = w->to;
    sfi_ticks_range(&lo, &hi, false);
    const bool is_given = w->o.x_from < w->o.x_to;
    if (!is_given && (w->data.count > 0 || w->samples.count > 0)) {
        lo = fmin(lo, b.lo);
        hi = fmax(hi, b.lo + b.count * b.width);
    }
    panel->x.whole = w->data.count > 0 && w->data.whole && hi - lo <= 12.0;
    const double margin = inset * (hi - lo);
    panel->x.lo = lo - margin;
    panel->x.hi = hi + margin;

    double top = 0.0, curve_top = 0.0;
    if (w->data.count > 0)
        top = tallest(w->data_height, w->data_bins.count);
    if (w->samples.count > 0)
        top = fmax(top, tallest(w->sample_height, w->sample_bins.count));
    for (int64_t k = 0; k < w->o.curve_count; k++) {
        const sf_cmat m = w->o.curves[k].points;
        for (int64_t i = 0; i < m.rows; i++)
            if (sfi_axis_has(&panel->x, sfi_cell(m, i, 0)) &&
                isfinite(sfi_cell(m, i, 1)))
                curve_top = fmax(curve_top, sfi_cell(m, i, 1));
    }
    /* A curve with a spike leaves the picture rather than flatten the bars. */
    if (top > 0.0)
        curve_top = fmin(curve_top, 2.5 * top);
    panel->y.lo = 0.0;
    panel->y.hi = 1.06 * fmax(top, curve_top);
    if (!(panel->y.hi > 1e-300))
        panel->y.hi = 1.0;
}

static void describe(const histogram_page *w, const sfi_panel *panel,
                     sfi_legend *legend)
{
    const sf_plot_histogram_options *o = &w->o;
    const struct {
        const sfi_sorted *values;
        int64_t rows;
        const char *name;
        sfi_swatch swatch;
        sfi_rgba colour;
    } part[2] = {{&w->data, w->rows,
                  o->data_label != NULL ? o->data_label : "data",
                  SFI_SWATCH_BAR, sfi_faded(sfi_real, 0.45)},
                 {&w->samples, o->samples.rows,
                  o->samples_label != NULL ? o->samples_label : "samples",
                  SFI_SWATCH_STEP, sfi_synthetic}};
    for (int k = 0; k < 2; k++)
        if (part[k].values->count > 0)
            sfi_legend_dots(
                legend, part[k].swatch, part[k].colour, part[k].name,
                part[k].values->count,
                sfi_sorted_within(part[k].values, panel->x.lo, panel->x.hi),
                INT64_MAX, part[k].rows - part[k].values->count);
    for (int64_t k = 0; k < o->curve_count; k++)
        if (o->curves[k].label != NULL)
            sfi_legend_add(legend, sfi_curve_swatch(&o->curves[k]),
                           sfi_curve_colour(&o->curves[k], k, true), "%s",
                           o->curves[k].label);
}

static void draw_rug(sfi_canvas *canvas, const sfi_panel *panel,
                     const sfi_sorted *data)
{
    const double ground = panel->frame.bottom;
    for (int64_t i = 0; i < data->count; i++)
        if (sfi_axis_has(&panel->x, data->values[i])) {
            const double x = sfi_axis_at(&panel->x, data->values[i]);
            sfi_draw_line(canvas, x, ground, x, ground - 5.0, 0.5,
                          sfi_faded(sfi_ink, 0.55));
        }
}

static sf_status draw(sfi_canvas *canvas, histogram_page *w)
{
    sfi_legend legend = {0};
    sfi_panel panel = {
        .x = {.label = w->o.x_label,
              .given = w->o.x_ticks.count > 0 ? &w->o.x_ticks : NULL},
        .y = {.label = "density"},
        .title = w->o.title,
        .legend = &legend,
        .grid_y = true};
    set_axes(w, &panel);
    describe(w, &panel, &legend);
    sfi_panel_layout(canvas, &panel, sfi_whole_page(canvas));
    sfi_panel_begin(canvas, &panel);
    if (w->data.count > 0)
        sfi_draw_bars(canvas, &panel, w->data_bins, w->data_height,
                      sfi_faded(sfi_real, 0.38), sfi_faded(sfi_real, 0.7));
    if (w->samples.count > 0)
        sfi_draw_bars(canvas, &panel, w->sample_bins, w->sample_height,
                      sfi_faded(sfi_paper, 0.0), sfi_synthetic);
    for (int64_t k = 0; k < w->o.curve_count; k++) {
        const sfi_stroke stroke = {1.7,
                                   sfi_curve_colour(&w->o.curves[k], k, true),
                                   w->o.curves[k].dash};
        sfi_draw_curve(canvas, &panel, w->o.curves[k].points, stroke);
    }
    if (w->data.count <= MOST_RUG)
        draw_rug(canvas, &panel, &w->data);
    if (w->data.count == 0 && w->samples.count == 0 && w->o.curve_count == 0)
        sfi_draw_nothing(canvas, &panel);
    sfi_panel_end(canvas, &panel);
    return SF_OK;
}

sf_status sf_plot_histogram(sf_context *ctx, const char *path, sf_cmat data,
                            const sf_plot_histogram_options *opts)
{
    sf_plot_histogram_options o = SF_PLOT_HISTOGRAM_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, opts));
    SFI_TRY(check(ctx, data, &o));
    histogram_page *w = sfi_alloc_zero(ctx, 1, sizeof *w);
    if (w == NULL)
        return SF_E_NOMEM;
    w->o = o;
    w->rows = data.rows;
    sf_status status = sfi_sorted_new(ctx, &w->data, data, 0);
    if (status == SF_OK)
        status = sfi_sorted_new(ctx, &w->samples, o.samples, 0);
    if (status == SF_OK) {
        choose_view(w);
        choose_bins(w);
        sfi_canvas canvas;
        status = sfi_canvas_open(
            ctx, &canvas, "plot_histogram", path,
            sfi_page_or(o.width, o.height, o.scale, 450.0, 350.0));
        if (status == SF_OK)
            status = sfi_canvas_close(&canvas, draw(&canvas, w));
    }
    sfi_sorted_free(&w->data);
    sfi_sorted_free(&w->samples);
    sfi_free(ctx, w, 1, sizeof *w);
    return status;
}

sf_status sf_plot_range(sf_context *ctx, sf_cmat data, sf_cmat more,
                        int64_t column, double margin, double *lo, double *hi)
{
    static const char what[] = "plot_range";
    if (!(margin >= 0.0 && margin <= 10.0))
        return SFI_FAIL(ctx, SF_E_ARG, "%s: margin is %g, want 0 to 10", what,
                        margin);
    if (column < 0)
        return SFI_FAIL(ctx, SF_E_SHAPE, "%s: column is %lld", what,
                        (long long)column);
    SFI_TRY(sfi_plot_check(ctx, what, "data", data, column + 1));
    SFI_TRY(sfi_plot_check(ctx, what, "more", more, column + 1));
    sfi_sorted a = {0}, b = {0};
    sf_status status = sfi_sorted_new(ctx, &a, data, column);
    if (status == SF_OK)
        status = sfi_sorted_new(ctx, &b, more, column);
    if (status == SF_OK) {
        sfi_sorted_view_both(&a, &b, lo, hi);
        sfi_ticks_range(lo, hi, false);
        const double room = margin * (*hi - *lo);
        *lo -= room;
        *hi += room;
    }
    sfi_sorted_free(&a);
    sfi_sorted_free(&b);
    return status;
}
