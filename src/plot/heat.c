/* SPDX-License-Identifier: Apache-2.0 */
/* heat.c - pictures of functions of the plane: heat maps, regions.
 *
 * A heat map is computed pixel by pixel from the four nodes around, so it is
 * smooth at every scale and needs no filter of Cairo's; SVG and PDF hold it as
 * an image of twice their size in points. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plot/contour.h"
#include "plot/image.h"
#include "plot/marks.h"

enum { SHADES = 512 }; /* more than the eye or 8 bits can tell apart */

sf_status sfi_check_grid(sf_context *ctx, const char *what,
                         const sf_plot_grid *g)
{
    if (g->values == NULL)
        return SF_OK;
    if (g->nx < 2 || g->ny < 2 || g->nx > (INT64_C(1) << 28) / g->ny)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "%s: grid is [%lld, %lld], want at least [2, 2]", what,
                        (long long)g->ny, (long long)g->nx);
    if (!(g->x_last > g->x_first && g->x_last - g->x_first < INFINITY &&
          g->y_last > g->y_first && g->y_last - g->y_first < INFINITY))
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "%s: grid spans [%g, %g] x [%g, %g], want first < last",
                        what, g->x_first, g->x_last, g->y_first, g->y_last);
    return SF_OK;
}

/* ---- heat maps ----------------------------------------------------------- */

static void finite_range(const double *v, int64_t n, double *lo, double *hi)
{
    *lo = INFINITY;
    *hi = -INFINITY;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(v[i])) {
            *lo = fmin(*lo, v[i]);
            *hi = fmax(*hi, v[i]);
        }
    if (*lo > *hi) {
        *lo = 0.0;
        *hi = 1.0;
    }
}

static sfi_colour_bar choose_bar(const sf_plot_grid *g, sf_plot_heat kind,
                                 double depth, const char *label)
{
    double lo, hi;
    finite_range(g->values, g->nx * g->ny, &lo, &hi);
    sfi_colour_bar bar = {
        .map = SFI_MAP_LIGHT, .lo = lo, .hi = hi, .label = label};
    switch (kind) {
    case SF_PLOT_HEAT_LOG:
    case SF_PLOT_HEAT_NONE:
        if (label == NULL)
            bar.label = "log density";
        bar.lo = fmax(lo, hi - depth);
        for (int64_t i = 0; i < g->nx * g->ny && !bar.more_below; i++)
            bar.more_below = g->values[i] < bar.lo;
        break;
    case SF_PLOT_HEAT_DENSITY:
        if (label == NULL)
            bar.label = "density";
        bar.lo = 0.0;
        bar.hi = exp(hi);
        if (!(bar.hi > 1e-290 && bar.hi < 1e290)) {
            bar.label = "density / its maximum";
            bar.hi = 1.0;
        }
        break;
    case SF_PLOT_HEAT_VALUE:
        bar.map = SFI_MAP_VIRIDIS;
        if (lo < 0.0 && hi > 0.0) {
            bar.map = SFI_MAP_SIGNED;
            bar.hi = fmax(hi, -lo);
            bar.lo = -bar.hi;
        }
        break;
    }
    sfi_ticks_range(&bar.lo, &bar.hi, false);
    return bar;
}

sf_status sfi_heat_new(sf_context *ctx, sfi_heat *heat, const sf_plot_grid *g,
                       sf_plot_heat kind, double depth, const char *label)
{
    const sfi_heat empty = {.ctx = ctx, .grid = g};
    *heat = empty;
    const int64_t n = g->nx * g->ny;
    heat->shade = sfi_alloc(ctx, (size_t)n, sizeof *heat->shade);
    if (heat->shade == NULL)
        return SF_E_NOMEM;
    heat->bar = choose_bar(g, kind, depth, label);
    double lowest, highest;
    finite_range(g->values, n, &lowest, &highest);
    const sfi_colour_bar *bar = &heat->bar;
    for (int64_t i = 0; i < n; i++) {
        const double v = g->values[i];
        const double share = kind == SF_PLOT_HEAT_DENSITY
                                 ? exp(v - highest)
                                 : (v - bar->lo) / (bar->hi - bar->lo);
        heat->shade[i] = isnan(v) ? NAN : fmin(fmax(share, 0.0), 1.0);
    }
    return SF_OK;
}

void sfi_heat_free(sfi_heat *heat)
{
    if (heat->shade != NULL)
        sfi_free(heat->ctx, heat->shade,
                 (size_t)(heat->grid->nx * heat->grid->ny),
                 sizeof *heat->shade);
    heat->shade = NULL;
}

/* The shade at (u, v) in units of cells; NaN next to a missing node means the
 * nearest node. */
static double shade_at(const sfi_heat *heat, double u, double v)
{
    const int64_t nx = heat->grid->nx, ny = heat->grid->ny;
    const int64_t i = u >= (double)(nx - 1) ? nx - 2 : (int64_t)u;
    const int64_t j = v >= (double)(ny - 1) ? ny - 2 : (int64_t)v;
    const double s = u - (double)i, t = v - (double)j;
    const double *a = heat->shade + j * nx + i, *b = a + nx;
    const double mixed = (1.0 - t) * ((1.0 - s) * a[0] + s * a[1]) +
                         t * ((1.0 - s) * b[0] + s * b[1]);
    if (!isnan(mixed))
        return mixed;
    return (t < 0.5 ? a : b)[s < 0.5 ? 0 : 1];
}

static uint32_t pixel_of(sfi_rgba c)
{
    return (uint32_t)(255.0 * c.r + 0.5) << 16 |
           (uint32_t)(255.0 * c.g + 0.5) << 8 | (uint32_t)(255.0 * c.b + 0.5);
}

/* Where a pixel's centre lies on the grid, in cells; < 0 if outside. */
static double cell_of(const sfi_axis *axis, double share, double first,
                      double last, int64_t n)
{
    const double value = axis->lo + share * (axis->hi - axis->lo);
    const double u = (value - first) / (last - first) * (double)(n - 1);
    return u <= (double)(n - 1) ? u : -1.0;
}

sf_status sfi_draw_heat(sfi_canvas *canvas, const sfi_panel *panel,
                        const sfi_heat *heat)
{
    const sfi_rect f = panel->frame;
    const sf_plot_grid *g = heat->grid;
    sfi_image image;
    SFI_TRY(sfi_image_new(canvas, &image, "heat map", f, CAIRO_FORMAT_RGB24));
    const int width = image.width, height = image.height;
    uint32_t colours[SHADES];
    for (int k = 0; k < SHADES; k++)
        colours[k] = pixel_of(sfi_map_at(heat->bar.map, k / (SHADES - 1.0)));
    for (int r = 0; r < height; r++) {
        uint32_t *row = image.pixels + (size_t)r * (size_t)image.stride;
        const double v = cell_of(&panel->y, 1.0 - (r + 0.5) / height,
                                 g->y_first, g->y_last, g->ny);
        for (int c = 0; c < width; c++) {
            const double u = cell_of(&panel->x, (c + 0.5) / width, g->x_first,
                                     g->x_last, g->nx);
            if (u < 0.0 || v < 0.0) {
                row[c] = pixel_of(sfi_paper);
                continue;
            }
            const double shade = shade_at(heat, u, v);
            row[c] = isnan(shade) ? pixel_of(sfi_no_number)
                                  : colours[(int)(shade * (SHADES - 1) + 0.5)];
        }
    }
    sfi_image_paint(canvas, &image, f);
    return SF_OK;
}

/* ---- regions ------------------------------------------------------------- */

typedef struct spot {
    double x, y;
} spot;

/* Lines in cells to points on the page, in place. */
static void to_page(sfi_lines *lines, const sfi_panel *panel,
                    const sf_plot_grid *g)
{
    const double dx = (g->x_last - g->x_first) / (double)(g->nx - 1);
    const double dy = (g->y_last - g->y_first) / (double)(g->ny - 1);
    for (size_t p = 0; p < lines->points; p++) {
        double *at = lines->xy + 2 * p;
        at[0] = sfi_axis_at(&panel->x, g->x_first + at[0] * dx);
        at[1] = sfi_axis_at(&panel->y, g->y_first + at[1] * dy);
    }
}

static bool is_clear(const sfi_panel *panel, spot at,
                     const sfi_region_labels *taken)
{
    const sfi_rect f = panel->frame;
    if (at.x < f.left + 14.0 || at.x > f.right - 14.0 || at.y < f.top + 7.0 ||
        at.y > f.bottom - 7.0)
        return false;
    for (int i = 0; i < taken->count; i++)
        if (fabs(at.x - taken->x[i]) < 26.0 && fabs(at.y - taken->y[i]) < 11.0)
            return false;
    return true;
}

/* Add a label on the longest line: at its farthest point in the first of eight
 * directions in which there is room. */
static void place_label(const sfi_lines *lines, const sfi_panel *panel,
                        double mass, sfi_region_labels *labels)
{
    static const double direction[8][2] = {
        {0.8, 0.6},  {0.6, 0.8},   {1.0, 0.1},  {0.1, 1.0},
        {0.8, -0.6}, {-0.8, -0.6}, {-0.8, 0.6}, {0.0, -1.0}};
    if (lines->lines == 0)
        return;
    size_t longest = 0;
    for (size_t l = 1; l < lines->lines; l++)
        if (lines->start[l + 1] - lines->start[l] >
            lines->start[longest + 1] - lines->start[longest])
            longest = l;
    for (int d = 0; d < 8; d++) {
        double best = -INFINITY;
        spot at = {0.0, 0.0};
        for (size_t p = lines->start[longest]; p < lines->start[longest + 1];
             p++) {
            const spot here = {lines->xy[2 * p], lines->xy[2 * p + 1]};
            const double far =
                here.x * direction[d][0] + here.y * direction[d][1];
            if (far > best) {
                best = far;
                at = here;
            }
        }
        if (is_clear(panel, at, labels)) {
            labels->x[labels->count] = at.x;
            labels->y[labels->count] = at.y;
            labels->mass[labels->count++] = mass;
            return;
        }
    }
}

sf_status sfi_draw_regions(sfi_canvas *canvas, const sfi_panel *panel,
                           const sf_plot_grid *g, const double *masses,
                           int count, sfi_stroke stroke,
                           sfi_region_labels *labels)
{
    sf_context *ctx = canvas->ctx;
    double sorted[SFI_MOST_REGIONS] = {0.0}, levels[SFI_MOST_REGIONS];
    count = count < SFI_MOST_REGIONS ? count : SFI_MOST_REGIONS;
    /* Largest first: outer lines have the most room for a label. */
    for (int k = 0; k < count; k++) {
        int at = k;
        for (; at > 0 && sorted[at - 1] < masses[k]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = masses[k];
    }
    SFI_TRY(sfi_density_levels(ctx, g->values, g->nx * g->ny, sorted, count,
                               levels));
    for (int k = 0; k < count; k++) {
        sfi_lines lines;
        const sf_status status =
            sfi_contour(ctx, &lines, g->values, g->nx, g->ny, levels[k]);
        if (status == SF_OK) {
            to_page(&lines, panel, g);
            sfi_draw_lines(canvas, &lines, stroke);
            if (labels != NULL)
                place_label(&lines, panel, sorted[k], labels);
        }
        sfi_lines_free(&lines);
        if (status != SF_OK)
            return status;
    }
    return SF_OK;
}

void sfi_draw_region_labels(sfi_canvas *canvas, const sfi_region_labels *labels,
                            sfi_rgba colour)
{
    sfi_font font = sfi_font_small;
    font.colour = colour;
    for (int i = 0; i < labels->count; i++) {
        char number[32], text[48];
        sfi_number_text(100.0 * labels->mass[i], 3, number, sizeof number);
        snprintf(text, sizeof text, "%s %%", number);
        sfi_draw_halo_text(canvas, labels->x[i], labels->y[i], 0.0, text, font);
    }
}
