/* SPDX-License-Identifier: Apache-2.0 */
/* two_kinds.c - a category and a number, or two categories, in one panel: points behind
 * boxes, or tiles with percentages. */
#include "plot/two_kinds.h"

#include "plot/category_marks.h"
#include "plot/marks.h"

bool sfi_has_levels(const sf_plot_plane_options *o)
{
    return o->columns != NULL &&
           (o->columns[0].level_count > 0 || o->columns[1].level_count > 0);
}

static sf_status set_axis(sf_context *ctx, sfi_axis *axis, sf_cmat data,
                          const sf_plot_plane_options *o, int k)
{
    return sfi_axis_of_column(axis, &o->columns[k])
               ? SF_OK
               : sf_plot_range(ctx, data, o->samples, k, 0.06, &axis->lo,
                               &axis->hi);
}

static void describe(const sfi_panel *panel, const sf_cmat table[2],
                     const sf_plot_plane_options *o, bool dots,
                     sfi_legend *legend)
{
    const char *name[2] = {o->data_label != NULL ? o->data_label : "data",
                           o->samples_label != NULL ? o->samples_label
                                                    : "samples"};
    for (int t = 0; t < 2; t++) {
        int64_t finite, inside;
        sfi_count_dots(panel, table[t], 0, 1, &finite, &inside);
        if (table[t].rows > 0)
            sfi_legend_dots(legend, SFI_SWATCH_BAR,
                            sfi_faded(t == 0 ? sfi_real : sfi_synthetic, 0.6),
                            name[t], finite, inside,
                            dots ? o->most_points : INT64_MAX,
                            table[t].rows - finite);
    }
    if (dots)
        sfi_legend_add(legend, SFI_SWATCH_LINE, sfi_soft_ink,
                       "quantiles 5, 25, 50, 75, 95 %%");
    else
        sfi_legend_add(legend, SFI_SWATCH_BAR, sfi_hairline, "%% of rows");
}

/* Points spread over the place of their level; two tables side by side would need
 * more room than boxes do. */
static void draw_points(sfi_canvas *canvas, const sfi_panel *panel,
                        const sf_cmat table[2], const sf_plot_plane_options *o)
{
    const bool across = panel->x.name_count > 0;
    sfi_dots dots[2];
    for (int t = 0; t < 2; t++) {
        const int64_t n = table[t].rows;
        const sfi_dots part = {
            n <= 1000 ? 1.1 : 0.9,
            sfi_faded(t == 0 ? sfi_real : sfi_synthetic, n <= 1000 ? 0.5 : 0.3),
            false,
            o->most_points,
            {across ? 0.42 : 0.0, across ? 0.0 : 0.42}};
        dots[t] = part;
    }
    sfi_draw_dots_of_two(canvas, panel, table, 0, 1, dots);
}

sf_status sfi_draw_two_kinds(sfi_canvas *canvas, sf_cmat data,
                             const sf_plot_plane_options *o)
{
    const sf_cmat table[2] = {data, o->samples};
    const bool dots =
        o->columns[0].level_count == 0 || o->columns[1].level_count == 0;
    sfi_legend legend = {0};
    sfi_panel panel = {.x = {.label = o->x_label},
                       .y = {.label = o->y_label},
                       .title = o->title,
                       .legend = &legend,
                       .box = true};
    SFI_TRY(set_axis(canvas->ctx, &panel.x, data, o, 0));
    SFI_TRY(set_axis(canvas->ctx, &panel.y, data, o, 1));
    panel.grid_x = dots && panel.x.name_count == 0;
    panel.grid_y = dots && panel.y.name_count == 0;
    describe(&panel, table, o, dots, &legend);
    sfi_panel_layout(canvas, &panel, sfi_whole_page(canvas));
    sfi_panel_begin(canvas, &panel);
    if (dots)
        draw_points(canvas, &panel, table, o);
    const sf_status status =
        dots ? sfi_draw_boxes(canvas, &panel, table, 0, 1)
             : sfi_draw_tiles(canvas, &panel, table, 0, 1, true);
    sfi_panel_end(canvas, &panel);
    return status;
}
