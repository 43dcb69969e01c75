/* SPDX-License-Identifier: Apache-2.0 */
/* tiling.c - where the cells and the points of a grid are on the page.
 *
 * Edges and points rise or fall; a search compares sign * x throughout, so that
 * neither needs a case of its own. */
#include "plot/tiling.h"

#include <math.h>

#include "plot/image.h"

/* ---- along an axis ---------------------------------------------------------- */

/* The interval of a monotonic list of n + 1 numbers that holds x; -1 outside. */
static int64_t interval_of(const double *list, int64_t n, double x)
{
    const double sign = list[n] < list[0] ? -1.0 : 1.0;
    if (!(sign * (x - list[0]) >= 0.0) || !(sign * (list[n] - x) >= 0.0))
        return -1;
    int64_t low = 0, high = n;
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        if (sign * (x - list[middle]) >= 0.0)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Point i of an axis; those beyond its ends, of a closed one, are a period away. */
static double point_at(const double *points, const double *edges, int64_t n,
                       double period, int64_t i)
{
    const double turn = edges[n] < edges[0] ? -period : period;
    const int64_t k = i < 0 ? i + n : i >= n ? i - n : i;
    const double x =
        points != NULL ? points[k] : 0.5 * edges[k] + 0.5 * edges[k + 1];
    return i < 0 ? x - turn : i >= n ? x + turn : x;
}

static double coordinate(const double *points, const double *edges, int64_t n,
                         double period, double at)
{
    const int64_t i = (int64_t)floor(at);
    const double share = at - (double)i;
    const double x = point_at(points, edges, n, period, i);
    if (share == 0.0)
        return x;
    return (1.0 - share) * x +
           share * point_at(points, edges, n, period, i + 1);
}

static void span(const double *edges, int64_t n, sfi_axis *axis)
{
    axis->lo = fmin(edges[0], edges[n]);
    axis->hi = fmax(edges[0], edges[n]);
}

/* ---- discs ------------------------------------------------------------------ */

static void widen_to(sfi_axis *axis, double at)
{
    axis->lo = fmin(axis->lo, at);
    axis->hi = fmax(axis->hi, at);
}

/* A disc, or a sector: its corners, and where it reaches farthest along the axes. */
static void span_disc(const sfi_tiling *t, sfi_axis *y, sfi_axis *x)
{
    const double quarter = 1.5707963267948966;
    sfi_axis angle, radius;
    span(t->x_edges, t->nx, &angle);
    span(t->y_edges, t->ny, &radius);
    x->lo = y->lo = INFINITY;
    x->hi = y->hi = -INFINITY;
    const double first = ceil(angle.lo / quarter - 1e-9) * quarter;
    const double ends[] = {angle.lo, angle.hi};
    for (int k = 0; k < 2; k++) {
        widen_to(x, radius.lo * cos(ends[k]));
        widen_to(y, radius.lo * sin(ends[k]));
        widen_to(x, radius.hi * cos(ends[k]));
        widen_to(y, radius.hi * sin(ends[k]));
    }
    for (double at = first; at <= angle.hi; at += quarter) {
        widen_to(x, radius.hi * cos(at));
        widen_to(y, radius.hi * sin(at));
    }
}

/* Distance and angle of a position; the angle is within a turn of the first edge. */
static void to_polar(const sfi_tiling *t, double x, double y, double *radius,
                     double *angle)
{
    const double turn = 6.283185307179586;
    const double low = fmin(t->x_edges[0], t->x_edges[t->nx]);
    *radius = hypot(x, y);
    *angle = atan2(y, x);
    *angle += turn * ceil((low - *angle) / turn);
}

double sfi_tiling_angle(const sfi_panel *panel, double page_x, double page_y)
{
    return atan2(sfi_axis_value(&panel->y, page_y),
                 sfi_axis_value(&panel->x, page_x));
}

/* ---- the page --------------------------------------------------------------- */

void sfi_tiling_axes(const sfi_tiling *t, sfi_axis *y, sfi_axis *x)
{
    const int64_t corners = (t->ny + 1) * (t->nx + 1);
    if (t->is_disc) {
        span_disc(t, y, x);
        return;
    }
    if (!sfi_tiling_is_curved(t)) {
        span(t->y_edges, t->ny, y);
        span(t->x_edges, t->nx, x);
        return;
    }
    x->lo = y->lo = INFINITY;
    x->hi = y->hi = -INFINITY;
    for (int64_t k = 0; k < corners; k++) {
        widen_to(x, t->x_corners[k]); /* fmin and fmax pass over NaN */
        widen_to(y, t->y_corners[k]);
    }
    if (t->period > 0.0 && x->hi - x->lo > 0.97 * t->period) {
        x->lo =
            -0.5 * t->period; /* all round: cells are drawn where they fit */
        x->hi = 0.5 * t->period;
    }
    sfi_ticks_range(&x->lo, &x->hi, false);
    sfi_ticks_range(&y->lo, &y->hi, false);
}

/* A point of a curved grid between the four around. */
static double mixed(const double *points, int64_t ny, int64_t nx, double period,
                    double v, double u)
{
    const int64_t j = v >= (double)(ny - 1) ? ny - 2 : (int64_t)v;
    const int64_t i = u >= (double)(nx - 1) ? nx - 2 : (int64_t)u;
    const double b = v - (double)j, a = u - (double)i;
    const double *p = points + j * nx + i;
    double sum = 0.0;
    for (int k = 0; k < 4; k++) {
        const double weight = (k & 1 ? a : 1.0 - a) * (k & 2 ? b : 1.0 - b);
        if (weight > 0.0)
            sum +=
                weight * sfi_beside(p[(k >> 1) * nx + (k & 1)], p[0], period);
    }
    return sum;
}

void sfi_tiling_spot(const sfi_tiling *t, const sfi_panel *panel, double v,
                     double u, double *page_x, double *page_y)
{
    double x, y;
    if (sfi_tiling_is_curved(t)) {
        x = mixed(t->x_points, t->ny, t->nx, t->period, v, u);
        y = mixed(t->y_points, t->ny, t->nx, 0.0, v, u);
    } else {
        x = coordinate(t->x, t->x_edges, t->nx, t->period, u);
        y = coordinate(t->y, t->y_edges, t->ny, 0.0, v);
    }
    if (t->is_disc) {
        const double radius = y, angle = x;
        x = radius * cos(angle);
        y = radius * sin(angle);
    }
    *page_x = sfi_axis_at(&panel->x, x);
    *page_y = sfi_axis_at(&panel->y, y);
}

/* Where x is among the points of an axis. */
static bool find_along(const double *points, const double *edges, int64_t n,
                       double period, double x, double *out)
{
    const int64_t i = interval_of(edges, n, x);
    if (i < 0)
        return false;
    const double here = point_at(points, edges, n, period, i);
    const bool is_before = (x < here) != (edges[n] < edges[0]);
    const int64_t k = is_before ? i - 1 : i + 1;
    *out = (double)i;
    if (x == here || (period == 0.0 && (k < 0 || k >= n)))
        return true;
    const double there = point_at(points, edges, n, period, k);
    *out += (is_before ? -1.0 : 1.0) * (x - here) / (there - here);
    return true;
}

bool sfi_tiling_find(const sfi_tiling *t, const sfi_panel *panel, double page_x,
                     double page_y, double *v, double *u)
{
    double x = sfi_axis_value(&panel->x, page_x),
           y = sfi_axis_value(&panel->y, page_y);
    if (sfi_tiling_is_curved(t))
        return false;
    if (t->is_disc)
        to_polar(t, x, y, &y, &x);
    return find_along(t->x, t->x_edges, t->nx, t->period, x, u) &&
           find_along(t->y, t->y_edges, t->ny, 0.0, y, v);
}

/* ---- pixels ----------------------------------------------------------------- */

static void fill_plain(sfi_raster *r, const sfi_tiling *t,
                       const sfi_panel *panel, int32_t *columns)
{
    const sfi_rect f = panel->frame;
    for (int c = 0; c < r->width; c++) {
        const double at = f.left + (c + 0.5) / r->width * (f.right - f.left);
        columns[c] = (int32_t)interval_of(t->x_edges, t->nx,
                                          sfi_axis_value(&panel->x, at));
    }
    for (int row = 0; row < r->height; row++) {
        const double at = f.top + (row + 0.5) / r->height * (f.bottom - f.top);
        const int64_t j =
            interval_of(t->y_edges, t->ny, sfi_axis_value(&panel->y, at));
        int32_t *cell = r->cell + (size_t)row * (size_t)r->width;
        for (int c = 0; c < r->width; c++)
            cell[c] = j < 0 || columns[c] < 0
                          ? -1
                          : (int32_t)(j * t->nx + columns[c]);
    }
}

static void fill_disc(sfi_raster *r, const sfi_tiling *t,
                      const sfi_panel *panel)
{
    const sfi_rect f = panel->frame;
    for (int row = 0; row < r->height; row++)
        for (int c = 0; c < r->width; c++) {
            double radius, angle;
            to_polar(t,
                     sfi_axis_value(&panel->x, f.left + (c + 0.5) / r->width *
                                                            (f.right - f.left)),
                     sfi_axis_value(&panel->y, f.top + (row + 0.5) / r->height *
                                                           (f.bottom - f.top)),
                     &radius, &angle);
            const int64_t j = interval_of(t->y_edges, t->ny, radius),
                          i = interval_of(t->x_edges, t->nx, angle);
            r->cell[(size_t)row * (size_t)r->width + (size_t)c] =
                j < 0 || i < 0 ? -1 : (int32_t)(j * t->nx + i);
        }
}

sf_status sfi_raster_new(sfi_canvas *canvas, sfi_raster *out,
                         const sfi_tiling *t, const sfi_panel *panel)
{
    *out = (sfi_raster){.ctx = canvas->ctx};
    sfi_image_size(canvas, panel->frame, &out->width, &out->height);
    const size_t width = (size_t)out->width,
                 pixels = width * (size_t)out->height;
    out->cell = sfi_alloc(canvas->ctx, pixels, sizeof *out->cell);
    int32_t *columns = sfi_alloc(canvas->ctx, width, sizeof *columns);
    const bool good = out->cell != NULL && columns != NULL;
    if (good && sfi_tiling_is_curved(t)) {
        for (size_t k = 0; k < pixels; k++)
            out->cell[k] = -1;
        sfi_raster_fill_curved(out, t, panel);
    } else if (good && t->is_disc) {
        fill_disc(out, t, panel);
    } else if (good) {
        fill_plain(out, t, panel, columns);
    }
    sfi_free(canvas->ctx, columns, width, sizeof *columns);
    return good ? SF_OK : SF_E_NOMEM;
}

void sfi_raster_free(sfi_raster *raster)
{
    sfi_free(raster->ctx, raster->cell,
             (size_t)raster->width * (size_t)raster->height,
             sizeof *raster->cell);
    raster->cell = NULL;
}
