/* SPDX-License-Identifier: Apache-2.0 */
/* map.c - numbers of the cells of a grid.
 *
 * Layers from below: hatching over the whole frame, the cells as an image that is
 * transparent where a number is missing, coastlines, contours, their levels.  A cell
 * has one colour: what is seen are the values that there are.
 *
 * On a map of longitude and latitude a degree of longitude is cos(m) times as long
 * as one of latitude, m the middle latitude: lengths are true there, and a map of the
 * whole sphere is twice as wide as high. */
#include "scorefield/plot.h"

#include <math.h>

#include "plot/coast.h"
#include "plot/image.h"
#include "plot/isolines.h"
#include "plot/marks.h"
#include "plot/vectors.h"

enum { SHADES = 512, LEVELS = 10 };

/* Of coasts, where other lines are over them. */
static const sfi_rgba brown = {0.50, 0.28, 0.10, 1.0};

/* What is drawn, and how it is measured. */
typedef struct map_page {
    sf_context *ctx;
    const sf_plot_map_options *o;
    const double *values, *contoured;
    double *speeds; /* [ny, nx] the values, where none were given            */
    sfi_vectors vectors;
    double largest, rms; /* of the vectors                                   */
    sfi_legend legend;
    sfi_tiling tiling;
    sfi_colour_bar bar;
    double levels[SFI_MOST_LEVELS];
    int level_count;
} map_page;

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

/* Points must lie in their cells. */
static sf_status check_points(sf_context *ctx, const char *name, int64_t n,
                              const double *points, const double *edges)
{
    for (int64_t i = 0; i < n && points != NULL; i++)
        if (!(points[i] >= fmin(edges[i], edges[i + 1]) &&
              points[i] <= fmax(edges[i], edges[i + 1])))
            return SFI_FAIL(ctx, SF_E_SHAPE,
                            "plot_map: point %lld of %s is %g, want it between "
                            "the edges %g and %g",
                            (long long)i, name, points[i], edges[i],
                            edges[i + 1]);
    return SF_OK;
}

static sf_status check_ticks(sf_context *ctx, const char *name,
                             const sf_plot_ticks *t)
{
    if (t->count < 0 || t->count > SFI_MAX_TICKS ||
        (t->count > 0 && (t->at == NULL || t->labels == NULL)))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "plot_map: %d marks of %s, want 0 to %d with places "
                        "and labels",
                        t->count, name, (int)SFI_MAX_TICKS);
    return SF_OK;
}

static sf_status check_contours(sf_context *ctx, const sf_plot_map_options *o)
{
    if (o->contour_count < -1 || o->contour_count > SFI_MOST_LEVELS ||
        (o->contour_count > 0 && o->contours == NULL))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "plot_map: %d contours, want -1 to %d, and levels",
                        o->contour_count, (int)SFI_MOST_LEVELS);
    for (int k = 0; k < o->contour_count; k++)
        if (!isfinite(o->contours[k]) ||
            (k > 0 && !(o->contours[k] > o->contours[k - 1])))
            return SFI_FAIL(ctx, SF_E_ARG,
                            "plot_map: level %d of the contours is %g, want "
                            "finite ones that grow",
                            k, o->contours[k]);
    return SF_OK;
}

static sf_status check(sf_context *ctx, const map_page *m)
{
    const sf_plot_map_options *o = m->o;
    const sfi_tiling *c = &m->tiling;
    SFI_TRY(check_edges(ctx, "x", c->nx, c->x_edges));
    SFI_TRY(check_edges(ctx, "y", c->ny, c->y_edges));
    SFI_TRY(check_points(ctx, "x", c->nx, c->x, c->x_edges));
    SFI_TRY(check_points(ctx, "y", c->ny, c->y, c->y_edges));
    SFI_TRY(check_ticks(ctx, "x", &o->x_ticks));
    SFI_TRY(check_ticks(ctx, "y", &o->y_ticks));
    if (c->nx > INT32_MAX / c->ny)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "plot_map: %lld by %lld cells, want fewer than 2^31",
                        (long long)c->ny, (long long)c->nx);
    if ((o->u == NULL) != (o->v == NULL))
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "plot_map: one component of vectors, want u and v");
    if (m->values == NULL && o->u == NULL)
        return SFI_FAIL(ctx, SF_E_SHAPE, "plot_map: no values");
    if ((unsigned)o->colours > SF_PLOT_LIGHT)
        return SFI_FAIL(ctx, SF_E_ARG, "plot_map: colours is %d, want 0 to 4",
                        (int)o->colours);
    if (!isfinite(o->centre))
        return SFI_FAIL(ctx, SF_E_ARG, "plot_map: centre is %g, want a number",
                        o->centre);
    if (!(o->low < o->high) && !(o->low == 0.0 && o->high == 0.0))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "plot_map: low is %g and high %g, want "
                        "low < high",
                        o->low, o->high);
    return check_contours(ctx, o);
}

/* ---- ranges ----------------------------------------------------------------- */

typedef struct reach {
    double lo, hi; /* lo > hi: of no number */
} reach;

static void widen(reach *r, const double *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (isfinite(values[i])) {
            r->lo = fmin(r->lo, values[i]);
            r->hi = fmax(r->hi, values[i]);
        }
}

/* Whether values fall to both sides of the centre, and not to one of them by
 * rounding or packing alone. */
static bool is_two_sided(double lo, double hi, double centre)
{
    const double below = centre - lo, above = hi - centre;
    return below > 0.0 && above > 0.0 &&
           fmin(below, above) >= 0.05 * fmax(below, above);
}

/* `is_length`: the values are lengths of the arrows over them. */
static sfi_map map_of(const sf_plot_map_options *o, double lo, double hi,
                      bool is_length)
{
    switch (o->colours) {
    case SF_PLOT_COLOURS_AUTO:
        break;
    case SF_PLOT_SEQUENTIAL:
        return SFI_MAP_VIRIDIS;
    case SF_PLOT_DIVERGING:
        return SFI_MAP_SIGNED;
    case SF_PLOT_CYCLIC:
        return SFI_MAP_CYCLIC;
    case SF_PLOT_LIGHT:
        return SFI_MAP_LIGHT;
    }
    if (is_two_sided(lo, hi, o->centre))
        return SFI_MAP_SIGNED;
    return is_length ? SFI_MAP_LIGHT : SFI_MAP_VIRIDIS;
}

static sfi_colour_bar choose_bar(const reach *r, const sf_plot_map_options *o,
                                 bool is_length)
{
    const bool is_given = o->low < o->high;
    double lo = is_given ? o->low : r->lo, hi = is_given ? o->high : r->hi;
    sfi_colour_bar bar = {.map = map_of(o, lo, hi, is_length),
                          .label = o->bar_label};
    if (bar.map == SFI_MAP_SIGNED && lo <= hi) {
        const double half = fmax(fabs(lo - o->centre), fabs(hi - o->centre));
        lo = o->centre - half;
        hi = o->centre + half;
    }
    bar.lo = lo <= hi ? lo : NAN;
    bar.hi = lo <= hi ? hi : NAN;
    bar.more_below = r->lo < bar.lo;
    bar.more_above = r->hi > bar.hi;
    sfi_ticks_range(&bar.lo, &bar.hi, false);
    return bar;
}

static void choose_levels(map_page *m, const reach *r)
{
    const sf_plot_map_options *o = m->o;
    m->level_count = o->contour_count > 0 ? o->contour_count : 0;
    for (int k = 0; k < m->level_count; k++)
        m->levels[k] = o->contours[k];
    if (o->contour_count >= 0 || !(r->lo < r->hi))
        return;
    sfi_ticks ticks;
    sfi_ticks_linear(r->lo, r->hi, LEVELS, &ticks);
    for (int k = 0; k < ticks.count; k++)
        m->levels[m->level_count++] = ticks.at[k];
}

/* Lengths of the vectors, as the values if there are no others. */
static sf_status measure_vectors(map_page *m)
{
    const int64_t count = m->tiling.nx * m->tiling.ny;
    double squares = 0.0;
    int64_t n = 0;
    if (m->vectors.u == NULL)
        return SF_OK;
    if (m->values == NULL) {
        m->speeds = sfi_alloc(m->ctx, (size_t)count, sizeof *m->speeds);
        if (m->speeds == NULL)
            return SF_E_NOMEM;
        m->values = m->speeds;
    }
    for (int64_t i = 0; i < count; i++) {
        const double size = hypot(m->vectors.u[i], m->vectors.v[i]);
        if (m->speeds != NULL)
            m->speeds[i] = size;
        if (!isfinite(size))
            continue;
        m->largest = fmax(m->largest, size);
        squares += size * size;
        n++;
    }
    m->rms = n > 0 ? sqrt(squares / (double)n) : 0.0;
    if (m->contoured == NULL)
        m->contoured = m->values;
    return SF_OK;
}

static void measure(map_page *m)
{
    const int64_t count = m->tiling.nx * m->tiling.ny;
    reach shown = {INFINITY, -INFINITY}, lines = {INFINITY, -INFINITY};
    widen(&shown, m->values, count);
    if (m->contoured != m->values)
        widen(&lines, m->contoured, count);
    else
        lines = shown;
    m->bar = choose_bar(&shown, m->o, m->speeds != NULL);
    choose_levels(m, &lines);
}

/* ---- cells ------------------------------------------------------------------ */

static uint32_t opaque(sfi_rgba c)
{
    return UINT32_C(255) << 24 | (uint32_t)(255.0 * c.r + 0.5) << 16 |
           (uint32_t)(255.0 * c.g + 0.5) << 8 | (uint32_t)(255.0 * c.b + 0.5);
}

static void paint(const map_page *m, const sfi_raster *raster, sfi_image *image)
{
    const sfi_colour_bar *bar = &m->bar;
    uint32_t colours[SHADES];
    for (int k = 0; k < SHADES; k++)
        colours[k] = opaque(sfi_map_at(bar->map, k / (SHADES - 1.0)));
    for (int r = 0; r < image->height; r++) {
        uint32_t *row = image->pixels + (size_t)r * (size_t)image->stride;
        const int32_t *cell = raster->cell + (size_t)r * (size_t)raster->width;
        for (int c = 0; c < image->width; c++) {
            const double value = cell[c] < 0 ? NAN : m->values[cell[c]];
            const double share = (value - bar->lo) / (bar->hi - bar->lo);
            row[c] =
                isnan(share)
                    ? 0
                    : colours[(int)(fmin(fmax(share, 0.0), 1.0) * (SHADES - 1) +
                                    0.5)];
        }
    }
}

static sf_status draw_cells(sfi_canvas *canvas, const map_page *m,
                            const sfi_panel *panel, const sfi_raster *raster)
{
    sfi_image image;
    SFI_TRY(sfi_image_new(canvas, &image, "map", panel->frame,
                          CAIRO_FORMAT_ARGB32));
    paint(m, raster, &image);
    sfi_image_paint(canvas, &image, panel->frame);
    return SF_OK;
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

/* The length of a degree of longitude in those of latitude, in the middle of the
 * map; maps that end at a pole are no narrower than a third. */
static double narrowing(const map_page *m)
{
    const double *y = m->tiling.y_edges;
    const double middle = 0.5 * (y[0] + y[m->tiling.ny]);
    return m->o->is_geographic
               ? fmax(cos(middle * 3.141592653589793 / 180.0), 1.0 / 3.0)
               : 1.0;
}

static void set_panel(const map_page *m, sfi_panel *panel)
{
    const sf_plot_map_options *o = m->o;
    sfi_tiling_axes(&m->tiling, &panel->y, &panel->x);
    panel->x.label = o->x_label;
    panel->y.label = o->y_label;
    panel->x.given = o->x_ticks.count > 0 ? &o->x_ticks : NULL;
    panel->y.given = o->y_ticks.count > 0 ? &o->y_ticks : NULL;
    panel->y.falls = o->y_falls;
    panel->box = true;
    panel->equal = o->is_geographic || o->is_equal;
    panel->narrow = narrowing(m);
    if (o->is_geographic) {
        panel->x.letters = "EW";
        panel->y.letters = "NS";
    }
}

/* The arrow that shows the scale, once the panel has its place. */
static sfi_arrow_scale set_scale(map_page *m, const sfi_panel *panel)
{
    const sfi_arrow_scale scale =
        sfi_arrow_scale_of(m->largest, m->rms, &m->tiling, panel);
    char number[SFI_TICK_BYTES];
    const char *unit = m->o->vector_unit;
    const bool has_unit = unit != NULL && unit[0] != '\0';
    m->legend.count = 0;
    if (m->vectors.u == NULL || m->o->streamlines || scale.full == 0.0)
        return scale;
    sfi_number_text(scale.reference, 3, number, sizeof number);
    m->legend.entry[0].length = sfi_arrow_length(&scale, scale.reference);
    sfi_legend_add(&m->legend, SFI_SWATCH_SCALE, sfi_ink, "%s%s%s", number,
                   has_unit ? " " : "", has_unit ? unit : "");
    return scale;
}

static sf_status draw_vectors(sfi_canvas *canvas, const map_page *m,
                              const sfi_panel *panel,
                              const sfi_arrow_scale *scale)
{
    if (m->vectors.u == NULL)
        return SF_OK;
    if (m->o->streamlines)
        return sfi_draw_streamlines(canvas, panel, &m->tiling, &m->vectors);
    sfi_draw_vectors(canvas, panel, &m->tiling, &m->vectors, scale);
    return SF_OK;
}

/* Everything within the frame of a panel. */
static sf_status draw_inside(sfi_canvas *canvas, const map_page *m,
                             const sfi_panel *panel, const sfi_raster *raster,
                             const sfi_arrow_scale *scale)
{
    sfi_isolines lines = {0};
    draw_hatching(canvas, panel->frame);
    SFI_TRY(draw_cells(canvas, m, panel, raster));
    if (m->o->is_geographic)
        sfi_draw_coast(canvas, panel,
                       m->level_count > 0 || m->vectors.u != NULL ? brown
                                                                  : sfi_ink);
    if (m->level_count > 0)
        SFI_TRY(sfi_draw_isolines(canvas, panel, &m->tiling, m->contoured,
                                  m->levels, m->level_count, &lines));
    SFI_TRY(draw_vectors(canvas, m, panel, scale));
    sfi_draw_isoline_labels(canvas, &lines);
    return SF_OK;
}

static sf_status draw(sfi_canvas *canvas, map_page *m)
{
    sfi_panel panel = {
        .title = m->o->title, .bar = &m->bar, .legend = &m->legend};
    set_panel(m, &panel);
    /* With an arrow of some length, which takes a row, and then with its own. */
    sfi_panel_layout(canvas, &panel, sfi_whole_page(canvas));
    (void)set_scale(m, &panel);
    sfi_panel_layout(canvas, &panel, sfi_whole_page(canvas));
    const sfi_arrow_scale scale = set_scale(m, &panel);
    sfi_raster raster;
    sf_status status = sfi_raster_new(canvas, &raster, &m->tiling, &panel);
    if (status == SF_OK) {
        sfi_panel_begin(canvas, &panel);
        status = draw_inside(canvas, m, &panel, &raster, &scale);
        sfi_panel_end(canvas, &panel);
    }
    sfi_raster_free(&raster);
    return status;
}

/* A height at which both axes have their scale: 105 points of the width and 55 of
 * the height are for texts. */
static double usual_height(const map_page *m, double width)
{
    if (!m->o->is_geographic && !m->o->is_equal)
        return 380.0;
    sfi_axis x = {0}, y = {0};
    sfi_tiling_axes(&m->tiling, &y, &x);
    const double height =
        fmax(width - 105.0, 100.0) * (y.hi - y.lo) /
            (narrowing(m) * (x.hi - x.lo)) +
        55.0 + (m->vectors.u != NULL && !m->o->streamlines ? 16.0 : 0.0);
    return fmin(fmax(floor(height), 160.0), 900.0); /* whole pixels */
}

/* The period of x, if its edges go all the way round. */
static double period_of(const sf_plot_map_options *o, const double *edges,
                        int64_t n)
{
    if (!o->is_geographic || n < 2 || edges == NULL)
        return 0.0;
    return fabs(fabs(edges[n] - edges[0]) - 360.0) < 1e-6 * 360.0 ? 360.0 : 0.0;
}

static sf_status draw_page(map_page *m, const char *path)
{
    const sf_plot_map_options *o = m->o;
    const double width = o->width != 0.0 ? o->width : 540.0;
    sfi_canvas canvas;
    measure(m);
    SFI_TRY(sfi_canvas_open(m->ctx, &canvas, "plot_map", path,
                            sfi_page_or(o->width, o->height, o->scale, 540.0,
                                        usual_height(m, width))));
    return sfi_canvas_close(&canvas, draw(&canvas, m));
}

sf_status sf_plot_map(sf_context *ctx, const char *path, const double *values,
                      int64_t ny, int64_t nx, const double *y_edges,
                      const double *x_edges, const sf_plot_map_options *opts)
{
    sf_plot_map_options o = SF_PLOT_MAP_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, opts));
    map_page m = {.ctx = ctx,
                  .o = &o,
                  .values = values,
                  .contoured = o.contoured != NULL ? o.contoured : values,
                  .vectors = {o.u, o.v, o.is_geographic},
                  .tiling = {ny, nx, y_edges, x_edges, o.y, o.x,
                             period_of(&o, x_edges, nx)}};
    SFI_TRY(check(ctx, &m));
    sf_status status = measure_vectors(&m);
    if (status == SF_OK)
        status = draw_page(&m, path);
    sfi_free(ctx, m.speeds, (size_t)(nx * ny), sizeof *m.speeds);
    return status;
}
