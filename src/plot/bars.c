/* SPDX-License-Identifier: Apache-2.0 */
/* bars.c - groups of bars, for numbers that belong to names: shares of
 * categories, errors of methods. */
#include "scorefield/plot.h"

#include <math.h>

#include "plot/marks.h"

enum { MOST_GROUPS = 200, MOST_SERIES = 7 };

static const double group_share = 0.8; /* of a group's place, the rest is gap */

static sf_status check(sf_context *ctx, sf_cmat values)
{
    static const char what[] = "plot_bars";
    SFI_TRY(sfi_plot_check(ctx, what, "values", values, 1));
    if (values.rows < 1 || values.rows > MOST_GROUPS ||
        values.cols > MOST_SERIES)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "%s: values is [%lld, %lld], want up to %d groups of "
                        "up to %d bars",
                        what, (long long)values.rows, (long long)values.cols,
                        (int)MOST_GROUPS, (int)MOST_SERIES);
    return SF_OK;
}

static void set_axes(sfi_panel *panel, sf_cmat values,
                     const char *const *groups)
{
    double lo = 0.0, hi = 0.0;
    for (int64_t i = 0; i < values.rows; i++)
        for (int64_t j = 0; j < values.cols; j++)
            if (isfinite(sfi_cell(values, i, j))) {
                lo = fmin(lo, sfi_cell(values, i, j));
                hi = fmax(hi, sfi_cell(values, i, j));
            }
    if (lo == hi) /* all are 0 */
        hi = 1.0;
    sfi_ticks_range(&lo, &hi, false);
    const double room = 0.06 * (hi - lo);
    panel->y.lo = lo < 0.0 ? lo - room : 0.0;
    panel->y.hi = hi > 0.0 ? hi + room : 0.0;
    panel->x.lo = -0.6;
    panel->x.hi = (double)values.rows - 0.4;
    if (groups != NULL) {
        panel->x.names = groups;
        panel->x.name_count = values.rows;
    }
}

static void draw_all(sfi_canvas *canvas, const sfi_panel *panel, sf_cmat values)
{
    const double ground = sfi_axis_at(&panel->y, 0.0);
    const double width = group_share / (double)values.cols;
    for (int64_t i = 0; i < values.rows; i++)
        for (int64_t j = 0; j < values.cols; j++) {
            const double v = sfi_cell(values, i, j);
            if (!isfinite(v))
                continue;
            const double from =
                (double)i - 0.5 * group_share + width * (double)j;
            sfi_fill_rect(canvas, sfi_axis_at(&panel->x, from),
                          sfi_axis_at(&panel->y, v),
                          sfi_axis_at(&panel->x, from + 0.94 * width), ground,
                          sfi_faded(sfi_palette((int)j), 0.85));
        }
    sfi_draw_line(canvas, panel->frame.left, ground, panel->frame.right, ground,
                  0.8, sfi_ink);
}

sf_status sf_plot_bars(sf_context *ctx, const char *path, sf_cmat values,
                       const char *const *groups, const char *const *series,
                       const sf_plot_curves_options *opts)
{
    sf_plot_curves_options o = SF_PLOT_CURVES_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, opts));
    SFI_TRY(check(ctx, values));
    sfi_canvas canvas;
    SFI_TRY(
        sfi_canvas_open(ctx, &canvas, "plot_bars", path,
                        sfi_page_or(o.width, o.height, o.scale, 450.0, 350.0)));
    sfi_legend legend = {0};
    for (int64_t j = 0; j < values.cols && series != NULL; j++)
        sfi_legend_add(&legend, SFI_SWATCH_BAR,
                       sfi_faded(sfi_palette((int)j), 0.85), "%s",
                       series[j] != NULL ? series[j] : "");
    sfi_panel panel = {.x = {.label = o.x_label},
                       .y = {.label = o.y_label},
                       .title = o.title,
                       .legend = &legend,
                       .grid_y = true};
    set_axes(&panel, values, groups);
    sfi_panel_layout(&canvas, &panel, sfi_whole_page(&canvas));
    if (groups == NULL) /* numbers of groups have no fractions */
        panel.x.ticks.minor_count = 0;
    sfi_panel_begin(&canvas, &panel);
    draw_all(&canvas, &panel, values);
    sfi_panel_end(&canvas, &panel);
    return sfi_canvas_close(&canvas, SF_OK);
}
