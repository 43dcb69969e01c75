/* SPDX-License-Identifier: Apache-2.0 */
/* plane.c - two columns: points over a density, its regions and its score.
 *
 * Layers from below: heat map, outlines of regions, arrows, points, labels.
 * The map is light so that every layer above it can be seen. */
#include "scorefield/plot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plot/marks.h"
#include "plot/two_kinds.h"

static const double usual_masses[] = {0.1, 0.3, 0.5, 0.7, 0.9};
enum { MOST_MASSES = 10, MOST_POINTS = 3000 };

static sf_status check(sf_context *ctx, sf_cmat data, sf_plot_plane_options *o)
{
    static const char what[] = "plot_plane";
    SFI_TRY(sfi_plot_check(ctx, what, "data", data, 2));
    SFI_TRY(sfi_plot_check(ctx, what, "samples", o->samples, 2));
    SFI_TRY(sfi_plot_check(ctx, what, "arrows", o->arrows, 4));
    SFI_TRY(sfi_check_grid(ctx, what, &o->grid));
    SFI_TRY(sfi_check_curves(ctx, what, o->curves, o->curve_count));
    if (sfi_has_levels(o) && (o->grid.values != NULL || o->arrows.rows > 0))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "%s: a density and arrows are of two columns of "
                        "numbers, and one has levels",
                        what);
    if (o->heat < SF_PLOT_HEAT_LOG || o->heat > SF_PLOT_HEAT_NONE)
        return SFI_FAIL(ctx, SF_E_ARG, "%s: heat is %d, want 0 to 3", what,
                        (int)o->heat);
    if (o->depth == 0.0)
        o->depth = 10.0;
    if (!(o->depth > 0.0 && o->depth < INFINITY))
        return SFI_FAIL(ctx, SF_E_ARG, "%s: depth is %g, want > 0", what,
                        o->depth);
    if (o->mass_count < -1 || o->mass_count > MOST_MASSES ||
        (o->mass_count > 0 && o->masses == NULL))
        return SFI_FAIL(ctx, SF_E_ARG, "%s: mass_count is %d, want -1 to %d%s",
                        what, o->mass_count, (int)MOST_MASSES,
                        o->masses == NULL ? " and masses" : "");
    for (int k = 0; k < o->mass_count; k++)
        if (!(o->masses[k] > 0.0 && o->masses[k] < 1.0))
            return SFI_FAIL(ctx, SF_E_ARG,
                            "%s: masses[%d] is %g, want between 0 and 1", what,
                            k, o->masses[k]);
    if (o->mass_count == 0) {
        o->masses = usual_masses;
        o->mass_count = (int)SFI_COUNT(usual_masses);
    }
    if (o->grid.values == NULL || o->heat == SF_PLOT_HEAT_VALUE)
        o->mass_count = -1;
    return sfi_plot_most(ctx, what, "most_points", &o->most_points,
                         MOST_POINTS);
}

static sf_status set_axes(sf_context *ctx, sfi_panel *panel, sf_cmat data,
                          const sf_plot_plane_options *o)
{
    const sf_plot_grid *g = &o->grid;
    if (g->values != NULL) {
        panel->x.lo = g->x_first;
        panel->x.hi = g->x_last;
        panel->y.lo = g->y_first;
        panel->y.hi = g->y_last;
        sfi_ticks_range(&panel->x.lo, &panel->x.hi, false);
        sfi_ticks_range(&panel->y.lo, &panel->y.hi, false);
        return SF_OK;
    }
    SFI_TRY(sf_plot_range(ctx, data, o->samples, 0, 0.06, &panel->x.lo,
                          &panel->x.hi));
    return sf_plot_range(ctx, data, o->samples, 1, 0.06, &panel->y.lo,
                         &panel->y.hi);
}

/* "HDR 10, 30, 50, 70, 90 %": highest-density regions. */
static void describe_regions(sfi_legend *legend, const sf_plot_plane_options *o,
                             sfi_rgba colour)
{
    char text[SFI_LEGEND_BYTES] = "HDR ";
    for (int k = 0; k < o->mass_count; k++) {
        char number[32];
        sfi_number_text(100.0 * o->masses[k], 3, number, sizeof number);
        const size_t have = strlen(text);
        snprintf(text + have, sizeof text - have, "%s%s", k > 0 ? ", " : "",
                 number);
    }
    if (o->mass_count > 0)
        sfi_legend_add(legend, SFI_SWATCH_LINE, colour, "%s %%", text);
}

/* Points are smaller and fainter where there are many. */
static double size_for(int64_t n)
{
    return n <= 300 ? 1.9 : n <= 1000 ? 1.6 : 1.3;
}

static double alpha_for(int64_t n)
{
    return n <= 300 ? 0.8 : n <= 1000 ? 0.6 : 0.45;
}

static void describe_curves(sfi_legend *legend, const sf_plot_plane_options *o)
{
    for (int64_t k = 0; k < o->curve_count; k++)
        if (o->curves[k].label != NULL)
            sfi_legend_add(legend, sfi_curve_swatch(&o->curves[k]),
                           sfi_curve_colour(&o->curves[k], k, false), "%s",
                           o->curves[k].label);
}

static void draw_curves(sfi_canvas *canvas, const sfi_panel *panel,
                        const sf_plot_plane_options *o)
{
    for (int64_t k = 0; k < o->curve_count; k++) {
        const sfi_stroke stroke = {
            1.1, sfi_curve_colour(&o->curves[k], k, false), o->curves[k].dash};
        sfi_draw_curve(canvas, panel, o->curves[k].points, stroke);
    }
}

static sf_status draw(sfi_canvas *canvas, sf_cmat data,
                      const sf_plot_plane_options *o)
{
    sf_context *ctx = canvas->ctx;
    const sfi_rgba line = {0.16, 0.27, 0.42, 1.0};
    const sfi_rgba arrow = {0.25, 0.28, 0.33, 0.75};
    const sfi_rgba dark = {0.05, 0.13, 0.28, 1.0};
    const bool map = o->grid.values != NULL && o->heat != SF_PLOT_HEAT_NONE;
    sfi_legend legend = {0};
    sfi_heat heat = {0};
    sfi_region_labels labels = {0};
    sfi_panel panel = {.x = {.label = o->x_label},
                       .y = {.label = o->y_label},
                       .title = o->title,
                       .legend = &legend,
                       .box = true,
                       .equal = o->equal};
    if (sfi_has_levels(o))
        return sfi_draw_two_kinds(canvas, data, o);
    if (o->columns != NULL && o->columns[0].ticks.count > 0)
        panel.x.given = &o->columns[0].ticks;
    if (o->columns != NULL && o->columns[1].ticks.count > 0)
        panel.y.given = &o->columns[1].ticks;
    sf_status status = set_axes(ctx, &panel, data, o);
    if (status == SF_OK && map)
        status =
            sfi_heat_new(ctx, &heat, &o->grid, o->heat, o->depth, o->bar_label);
    if (status != SF_OK)
        goto done;
    if (map)
        panel.bar = &heat.bar;
    panel.grid_x = panel.grid_y = !map;

    const sfi_rgba data_colour = map ? dark : sfi_real;
    int64_t finite_data, finite, inside;
    sfi_count_dots(&panel, data, 0, 1, &finite_data, &inside);
    if (data.rows > 0)
        sfi_legend_dots(&legend, SFI_SWATCH_DOT, data_colour,
                        o->data_label != NULL ? o->data_label : "data",
                        finite_data, inside, o->most_points,
                        data.rows - finite_data);
    sfi_count_dots(&panel, o->samples, 0, 1, &finite, &inside);
    if (o->samples.rows > 0)
        sfi_legend_dots(&legend, SFI_SWATCH_DOT, sfi_synthetic,
                        o->samples_label != NULL ? o->samples_label : "samples",
                        finite, inside, o->most_points,
                        o->samples.rows - finite);
    describe_regions(&legend, o, line);
    describe_curves(&legend, o);
    if (o->arrows.rows > 0)
        sfi_legend_add(&legend, SFI_SWATCH_ARROW, arrow,
                       o->arrow_kind == SF_PLOT_GRADIENT ? "score"
                                                         : "velocity");

    sfi_panel_layout(canvas, &panel, sfi_whole_page(canvas));
    sfi_panel_begin(canvas, &panel);
    if (map)
        status = sfi_draw_heat(canvas, &panel, &heat);
    if (status == SF_OK && o->mass_count > 0) {
        const sfi_stroke stroke = {0.9, line, 0};
        status = sfi_draw_regions(canvas, &panel, &o->grid, o->masses,
                                  o->mass_count, stroke, &labels);
    }
    if (status == SF_OK)
        status =
            sfi_draw_arrows(canvas, &panel, o->arrows, o->arrow_kind, arrow);
    const int64_t n = data.rows < o->most_points ? data.rows : o->most_points;
    const int64_t m =
        o->samples.rows < o->most_points ? o->samples.rows : o->most_points;
    const sfi_dots data_dots = {size_for(n),
                                sfi_faded(data_colour, alpha_for(n)),
                                false,
                                o->most_points,
                                {0.0, 0.0}};
    const sfi_dots sample_dots = {size_for(m),
                                  sfi_faded(sfi_synthetic, alpha_for(m)),
                                  false,
                                  o->most_points,
                                  {0.0, 0.0}};
    const sf_cmat tables[2] = {data, o->samples};
    const sfi_dots dots[2] = {data_dots, sample_dots};
    sfi_draw_dots_of_two(canvas, &panel, tables, 0, 1, dots);
    draw_curves(canvas, &panel, o);
    sfi_draw_region_labels(canvas, &labels, line);
    if (finite_data + finite == 0 && o->grid.values == NULL)
        sfi_draw_nothing(canvas, &panel);
    sfi_panel_end(canvas, &panel);

done:
    sfi_heat_free(&heat);
    return status;
}

sf_status sf_plot_plane(sf_context *ctx, const char *path, sf_cmat data,
                        const sf_plot_plane_options *opts)
{
    sf_plot_plane_options o = SF_PLOT_PLANE_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, opts));
    SFI_TRY(check(ctx, data, &o));
    sfi_canvas canvas;
    SFI_TRY(
        sfi_canvas_open(ctx, &canvas, "plot_plane", path,
                        sfi_page_or(o.width, o.height, o.scale, 450.0, 370.0)));
    return sfi_canvas_close(&canvas, draw(&canvas, data, &o));
}
