/* SPDX-License-Identifier: Apache-2.0 */
/* map.c - numbers of the cells of a rectangular grid.
 *
 * Layers from below: hatching over the whole frame, the cells as an image that is
 * transparent where a number is missing, coastlines.  A cell has one colour: what is
 * seen are the values that there are. */
#include "scorefield/plot.h"

#include <math.h>

#include "plot/coast.h"
#include "plot/image.h"
#include "plot/marks.h"

enum { SHADES = 512 };

typedef struct cells {
    const double *values, *y_edges, *x_edges;
    int64_t ny, nx;
} cells;

/* ---- checks ----------------------------------------------------------------- */

static sf_status check_edges(sf_context *ctx, const char *name, int64_t n,
                             const double *edges)
{
    if (n < 1 || edges == NULL)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "plot_map: %lld cells along %s, want at least 1, and "
                        "edges",
                        (long long)n, name);
    const bool falls = edges[1] < edges[0];
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(edges[i]) || !isfinite(edges[i + 1]) ||
            !(falls ? edges[i + 1] < edges[i] : edges[i + 1] > edges[i]))
            return SFI_FAIL(ctx, SF_E_SHAPE,
                            "plot_map: edges of %s go from %g to %g at cell "
                            "%lld, want them to %s",
                            name, edges[i], edges[i + 1], (long long)i,
                            falls ? "fall" : "grow");
    return SF_OK;
}

static sf_status check(sf_context *ctx, const cells *m,
                       const sf_plot_map_options *o)
{
    SFI_TRY(check_edges(ctx, "x", m->nx, m->x_edges));
    SFI_TRY(check_edges(ctx, "y", m->ny, m->y_edges));
    if (m->values == NULL)
        return SFI_FAIL(ctx, SF_E_SHAPE, "plot_map: no values");
    if ((unsigned)o->colours > SF_PLOT_CYCLIC)
        return SFI_FAIL(ctx, SF_E_ARG, "plot_map: colours is %d, want 0 to 3",
                        (int)o->colours);
    if (!(o->low < o->high) && !(o->low == 0.0 && o->high == 0.0))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "plot_map: low is %g and high %g, want "
                        "low < high",
                        o->low, o->high);
    return SF_OK;
}

/* ---- colours ---------------------------------------------------------------- */

static sfi_colour_bar choose_bar(const cells *m, const sf_plot_map_options *o)
{
    double lo = INFINITY, hi = -INFINITY;
    for (int64_t i = 0; i < m->nx * m->ny; i++)
        if (isfinite(m->values[i])) {
            lo = fmin(lo, m->values[i]);
            hi = fmax(hi, m->values[i]);
        }
    if (o->low < o->high) {
        lo = o->low;
        hi = o->high;
    }
    const bool is_signed =
        o->colours == SF_PLOT_DIVERGING ||
        (o->colours == SF_PLOT_COLOURS_AUTO && lo < 0.0 && hi > 0.0);
    sfi_colour_bar bar = {
        .map = SFI_MAP_VIRIDIS, .lo = lo, .hi = hi, .label = o->bar_label};
    if (o->colours == SF_PLOT_CYCLIC)
        bar.map = SFI_MAP_CYCLIC;
    if (is_signed) {
        bar.map = SFI_MAP_SIGNED;
        if (!(o->low < o->high)) {
            bar.hi = fmax(fabs(lo), fabs(hi));
            bar.lo = -bar.hi;
        }
    }
    if (!(lo <= hi))
        bar.lo = bar.hi = NAN;
    sfi_ticks_range(&bar.lo, &bar.hi, false);
    return bar;
}

/* ---- cells ------------------------------------------------------------------ */

/* The cell that a value lies in; -1 outside. */
static int64_t cell_at(const double *edges, int64_t n, double x)
{
    const double sign = edges[n] < edges[0] ? -1.0 : 1.0;
    if (!(sign * (x - edges[0]) >= 0.0) || !(sign * (edges[n] - x) >= 0.0))
        return -1;
    int64_t low = 0, high = n;
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        if (sign * (x - edges[middle]) >= 0.0)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static uint32_t opaque(sfi_rgba c)
{
    return UINT32_C(255) << 24 | (uint32_t)(255.0 * c.r + 0.5) << 16 |
           (uint32_t)(255.0 * c.g + 0.5) << 8 | (uint32_t)(255.0 * c.b + 0.5);
}

/* Which cell each pixel of a row shows. */
static void find_columns(const cells *m, const sfi_panel *panel, int width,
                         int64_t *columns)
{
    const sfi_axis *x = &panel->x;
    for (int c = 0; c < width; c++)
        columns[c] = cell_at(m->x_edges, m->nx,
                             x->lo + (c + 0.5) / width * (x->hi - x->lo));
}

static void paint_rows(const cells *m, const sfi_panel *panel,
                       const sfi_colour_bar *bar, const int64_t *columns,
                       sfi_image *image)
{
    uint32_t colours[SHADES];
    for (int k = 0; k < SHADES; k++)
        colours[k] = opaque(sfi_map_at(bar->map, k / (SHADES - 1.0)));
    const sfi_axis *y = &panel->y;
    for (int r = 0; r < image->height; r++) {
        uint32_t *row = image->pixels + (size_t)r * (size_t)image->stride;
        const double at = y->hi - (r + 0.5) / image->height * (y->hi - y->lo);
        const int64_t j = cell_at(m->y_edges, m->ny, at);
        for (int c = 0; c < image->width; c++) {
            const double value = j < 0 || columns[c] < 0
                                     ? NAN
                                     : m->values[j * m->nx + columns[c]];
            const double share = (value - bar->lo) / (bar->hi - bar->lo);
            row[c] =
                isnan(share)
                    ? 0
                    : colours[(int)(fmin(fmax(share, 0.0), 1.0) * (SHADES - 1) +
                                    0.5)];
        }
    }
}

static sf_status draw_cells(sfi_canvas *canvas, const cells *m,
                            const sfi_panel *panel, const sfi_colour_bar *bar)
{
    sfi_image image;
    SFI_TRY(sfi_image_new(canvas, &image, "map", panel->frame,
                          CAIRO_FORMAT_ARGB32));
    const size_t width = (size_t)image.width;
    int64_t *columns = sfi_alloc(canvas->ctx, width, sizeof *columns);
    if (columns != NULL) {
        find_columns(m, panel, image.width, columns);
        paint_rows(m, panel, bar, columns, &image);
    }
    sfi_image_paint(canvas, &image, panel->frame);
    sfi_free(canvas->ctx, columns, width, sizeof *columns);
    return columns != NULL ? SF_OK : SF_E_NOMEM;
}

/* Lines at 45 degrees, 5 points apart. */
static void draw_hatching(sfi_canvas *canvas, sfi_rect f)
{
    const double height = f.bottom - f.top;
    sfi_fill_rect(canvas, f.left, f.top, f.right, f.bottom, sfi_paper);
    for (double x = f.left - height; x < f.right; x += 5.0)
        sfi_draw_line(canvas, x, f.bottom, x + height, f.top, 0.5,
                      sfi_faded(sfi_soft_ink, 0.55));
}

/* ---- the page --------------------------------------------------------------- */

static void set_axis(sfi_axis *axis, const double *edges, int64_t n)
{
    axis->lo = fmin(edges[0], edges[n]);
    axis->hi = fmax(edges[0], edges[n]);
}

static sf_status draw(sfi_canvas *canvas, const cells *m,
                      const sf_plot_map_options *o)
{
    const sfi_colour_bar bar = choose_bar(m, o);
    sfi_panel panel = {.x = {.label = o->x_label},
                       .y = {.label = o->y_label},
                       .title = o->title,
                       .bar = &bar,
                       .box = true,
                       .equal = o->is_geographic};
    set_axis(&panel.x, m->x_edges, m->nx);
    set_axis(&panel.y, m->y_edges, m->ny);
    if (o->is_geographic) {
        panel.x.letters = "EW";
        panel.y.letters = "NS";
    }
    sfi_panel_layout(canvas, &panel, sfi_whole_page(canvas));
    sfi_panel_begin(canvas, &panel);
    draw_hatching(canvas, panel.frame);
    const sf_status status = draw_cells(canvas, m, &panel, &bar);
    if (o->is_geographic)
        sfi_draw_coast(canvas, &panel);
    sfi_panel_end(canvas, &panel);
    return status;
}

/* A height at which a degree is as long on both axes: 105 points of the width and 55
 * of the height are for texts. */
static double usual_height(const cells *m, const sf_plot_map_options *o,
                           double width)
{
    if (!o->is_geographic)
        return 380.0;
    const double x = fabs(m->x_edges[m->nx] - m->x_edges[0]),
                 y = fabs(m->y_edges[m->ny] - m->y_edges[0]);
    const double height = fmax(width - 105.0, 100.0) * y / x + 55.0;
    return fmin(fmax(floor(height), 160.0), 900.0); /* whole pixels */
}

sf_status sf_plot_map(sf_context *ctx, const char *path, const double *values,
                      int64_t ny, int64_t nx, const double *y_edges,
                      const double *x_edges, const sf_plot_map_options *opts)
{
    sf_plot_map_options o = SF_PLOT_MAP_OPTIONS_INIT;
    const cells m = {values, y_edges, x_edges, ny, nx};
    SFI_TRY(sfi_options(ctx, &o, sizeof o, opts));
    SFI_TRY(check(ctx, &m, &o));
    const double width = o.width != 0.0 ? o.width : 540.0;
    sfi_canvas canvas;
    SFI_TRY(sfi_canvas_open(ctx, &canvas, "plot_map", path,
                            sfi_page_or(o.width, o.height, o.scale, 540.0,
                                        usual_height(&m, &o, width))));
    return sfi_canvas_close(&canvas, draw(&canvas, &m, &o));
}
