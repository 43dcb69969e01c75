/* SPDX-License-Identifier: Apache-2.0 */
/* map.c - maps of cells: pictures of one or several panels, and films.
 *
 * Panels come one at a time from a function of the caller, at least twice: to measure
 * them, and to draw them.  No more than one is held, however many there are. */
#include "plot/map.h"

#include <math.h>
#include <stdio.h>

#include "plot/film.h"

enum { MOST_PANELS = 60, MOST_FRAMES = 2000 };

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

static sf_status check_axes(sf_context *ctx, const sfi_map_page *m)
{
    const sfi_tiling *c = &m->tiling;
    SFI_TRY(check_edges(ctx, "x", c->nx, c->x_edges));
    SFI_TRY(check_edges(ctx, "y", c->ny, c->y_edges));
    SFI_TRY(check_points(ctx, "x", c->nx, c->x, c->x_edges));
    SFI_TRY(check_points(ctx, "y", c->ny, c->y, c->y_edges));
    const double least = fmin(c->y_edges[0], c->y_edges[c->ny]);
    if (m->o->y_log && !(least > 0.0))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "plot_map: an edge of y is %g, want > 0 for a "
                        "logarithmic axis",
                        least);
    if (c->is_disc &&
        !(least >= 0.0 && fabs(c->x_edges[c->nx] - c->x_edges[0]) < 6.2832))
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "plot_map: a disc from %g, over %g radians, want a "
                        "distance >= 0 and at most a turn",
                        least, fabs(c->x_edges[c->nx] - c->x_edges[0]));
    return SF_OK;
}

static sf_status check(sf_context *ctx, const sfi_map_page *m)
{
    const sf_plot_map_options *o = m->o;
    const sfi_tiling *c = &m->tiling;
    if ((o->x_points == NULL) != (o->y_points == NULL) ||
        (o->x_points != NULL && (c->nx < 2 || c->ny < 2 || o->is_disc)))
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "plot_map: %lld by %lld points, want x_points and "
                        "y_points, at least 2 by 2, of no disc",
                        (long long)c->ny, (long long)c->nx);
    if (o->x_points != NULL && o->streamlines)
        return SFI_FAIL(ctx, SF_E_UNSUPPORTED,
                        "plot_map: no streamlines on points that lie anywhere");
    if (o->x_points == NULL)
        SFI_TRY(check_axes(ctx, m));
    SFI_TRY(check_ticks(ctx, "x", &o->x_ticks));
    SFI_TRY(check_ticks(ctx, "y", &o->y_ticks));
    if (c->nx > INT32_MAX / c->ny)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "plot_map: %lld by %lld cells, want fewer than 2^31",
                        (long long)c->ny, (long long)c->nx);
    if ((unsigned)o->colours > SF_PLOT_LIGHT)
        return SFI_FAIL(ctx, SF_E_ARG, "plot_map: colours is %d, want 0 to 4",
                        (int)o->colours);
    if (!(o->frame_time >= 0.0 && o->frame_time <= 60.0) || o->columns < 0)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "plot_map: frame_time is %g and columns %d, want 0 to "
                        "60, and at least 0",
                        o->frame_time, o->columns);
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

/* ---- pictures --------------------------------------------------------------- */

/* One panel, which fills the page. */
static sf_status draw_one(sfi_canvas *canvas, sfi_map_page *m,
                          const sf_plot_map_frame *frame, const char *title)
{
    const sfi_rect all = sfi_whole_page(canvas);
    sfi_panel panel = {.title = title, .bar = &m->bar, .legend = &m->legend};
    sfi_map_set_panel(m, &panel);
    /* First with an arrow of some length, which takes a row, then with its own. */
    sfi_panel_layout(canvas, &panel, all);
    sfi_map_set_scale(m, &panel);
    sfi_panel_layout(canvas, &panel, all);
    sfi_map_set_scale(m, &panel);
    sfi_panel_begin(canvas, &panel);
    const sf_status status = sfi_map_draw(canvas, m, &panel, frame);
    sfi_panel_end(canvas, &panel);
    return status;
}

/* The page of a single map: 105 points of the width and 55 of the height are for
 * texts, and a row for the arrow of the scale. */
static sfi_page page_of(const sfi_map_page *m, double width, double scale)
{
    const sf_plot_map_options *o = m->o;
    const double aspect = sfi_map_aspect(m);
    const double asked = o->width != 0.0 ? o->width : width;
    const double height =
        aspect > 0.0 ? fmax(asked - 105.0, 100.0) * aspect + 55.0 +
                           (m->has_vectors && !o->streamlines ? 16.0 : 0.0)
                     : 380.0 / 540.0 * width;
    return sfi_page_or(o->width, o->height, o->scale != 0.0 ? o->scale : scale,
                       width, fmin(fmax(floor(height), 160.0), 900.0));
}

static sf_status draw_picture(sfi_map_page *m, const char *path)
{
    sfi_canvas canvas;
    sf_plot_map_frame frame;
    if (m->count > 1) {
        SFI_TRY(sfi_canvas_open(m->ctx, &canvas, "plot_map", path,
                                sfi_map_panels_page(m)));
        return sfi_canvas_close(&canvas, sfi_map_draw_panels(&canvas, m));
    }
    SFI_TRY(sfi_canvas_open(m->ctx, &canvas, "plot_map", path,
                            page_of(m, 540.0, 2.0)));
    sf_status status = sfi_map_frame(m, 0, &frame);
    if (status == SF_OK)
        status = draw_one(&canvas, m, &frame,
                          m->o->title != NULL ? m->o->title : frame.title);
    return sfi_canvas_close(&canvas, status);
}

/* ---- films ------------------------------------------------------------------ */

typedef struct map_film {
    sfi_map_page *m;
    sfi_canvas canvas;
} map_film;

static sf_status draw_frame(void *user, int64_t k)
{
    map_film *f = user;
    sf_plot_map_frame frame;
    char title[512];
    SFI_TRY(sfi_map_frame(f->m, k, &frame));
    const bool has_both = f->m->o->title != NULL && frame.title != NULL;
    snprintf(title, sizeof title, "%s%s%s",
             f->m->o->title != NULL ? f->m->o->title : "", has_both ? ", " : "",
             frame.title != NULL ? frame.title : "");
    sfi_canvas_clear(&f->canvas);
    return draw_one(&f->canvas, f->m, &frame, title);
}

static sf_status make_film(sfi_map_page *m, const char *path)
{
    map_film f = {.m = m};
    SFI_TRY(sfi_canvas_open_image(m->ctx, &f.canvas, page_of(m, 420.0, 1.5)));
    const double seconds = m->o->frame_time > 0.0 ? m->o->frame_time : 0.25;
    const sfi_film film = {.what = "plot_maps",
                           .canvas = &f.canvas,
                           .count = m->count,
                           .seconds = seconds,
                           .draw = draw_frame,
                           .user = &f};
    return sfi_canvas_close(&f.canvas, sfi_film_write(&film, path));
}

/* The period of x, if its edges go all the way round. */
static double period_of(const sf_plot_map_options *o, const double *edges,
                        int64_t n)
{
    const double turn = o->is_disc ? 6.283185307179586 : 360.0;
    if ((!o->is_geographic && !o->is_disc) || n < 2 || edges == NULL ||
        o->x_points != NULL)
        return 0.0;
    return fabs(fabs(edges[n] - edges[0]) - turn) < 1e-6 * turn ? turn : 0.0;
}

/* ---- the calls -------------------------------------------------------------- */

static sf_status run(sfi_map_page *m, const char *path)
{
    const bool is_film = sfi_is_film(path);
    const int64_t most = is_film ? MOST_FRAMES : MOST_PANELS;
    if (m->count < 1 || m->count > most)
        return SFI_FAIL(m->ctx, SF_E_ARG, "plot_maps: %lld %s, want 1 to %lld",
                        (long long)m->count, is_film ? "frames" : "panels",
                        (long long)most);
    SFI_TRY(check(m->ctx, m));
    sf_status status = SF_OK;
    if (m->o->x_points != NULL)
        status = sfi_tiling_bend(m->ctx, &m->tiling, m->o->y_points,
                                 m->o->x_points, m->o->is_geographic);
    if (status == SF_OK)
        status = sfi_map_measure(m);
    if (status == SF_OK)
        status = is_film ? make_film(m, path) : draw_picture(m, path);
    sfi_raster_free(&m->raster);
    sfi_tiling_free(m->ctx, &m->tiling);
    sfi_free(m->ctx, m->speeds, (size_t)(m->tiling.nx * m->tiling.ny),
             sizeof *m->speeds);
    return status;
}

sf_status sf_plot_maps(sf_context *ctx, const char *path, int64_t count,
                       sf_plot_map_fn frame, void *user, int64_t ny, int64_t nx,
                       const double *y_edges, const double *x_edges,
                       const sf_plot_map_options *opts)
{
    sf_plot_map_options o = SF_PLOT_MAP_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, opts));
    sfi_map_page *m = sfi_alloc_zero(ctx, 1, sizeof *m);
    if (m == NULL)
        return SF_E_NOMEM;
    m->ctx = ctx;
    m->o = &o;
    m->count = count;
    m->frame = frame;
    m->user = user;
    m->raster.ctx = ctx;
    m->tiling = (sfi_tiling){.ny = ny,
                             .nx = nx,
                             .y_edges = y_edges,
                             .x_edges = x_edges,
                             .y = o.y,
                             .x = o.x,
                             .is_disc = o.is_disc,
                             .period = period_of(&o, x_edges, nx)};
    const sf_status status = run(m, path);
    sfi_free(ctx, m, 1, sizeof *m);
    return status;
}

static sf_status only_frame(void *user, int64_t k, sf_plot_map_frame *out)
{
    (void)k;
    *out = *(const sf_plot_map_frame *)user;
    return SF_OK;
}

sf_status sf_plot_map(sf_context *ctx, const char *path, const double *values,
                      int64_t ny, int64_t nx, const double *y_edges,
                      const double *x_edges, const sf_plot_map_options *opts)
{
    sf_plot_map_options o = SF_PLOT_MAP_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, opts));
    sf_plot_map_frame frame = {
        .values = values, .contoured = o.contoured, .u = o.u, .v = o.v};
    return sf_plot_maps(ctx, path, 1, only_frame, &frame, ny, nx, y_edges,
                        x_edges, &o);
}
