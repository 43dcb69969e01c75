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

/* ---- the page --------------------------------------------------------------- */

void sfi_tiling_axes(const sfi_tiling *tiling, sfi_axis *y, sfi_axis *x)
{
    span(tiling->y_edges, tiling->ny, y);
    span(tiling->x_edges, tiling->nx, x);
}

void sfi_tiling_spot(const sfi_tiling *tiling, const sfi_panel *panel, double v,
                     double u, double *page_x, double *page_y)
{
    const double x =
        coordinate(tiling->x, tiling->x_edges, tiling->nx, tiling->period, u);
    const double y = coordinate(tiling->y, tiling->y_edges, tiling->ny, 0.0, v);
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
    return find_along(t->x, t->x_edges, t->nx, t->period,
                      sfi_axis_value(&panel->x, page_x), u) &&
           find_along(t->y, t->y_edges, t->ny, 0.0,
                      sfi_axis_value(&panel->y, page_y), v);
}

/* ---- pixels ----------------------------------------------------------------- */

static void fill_raster(sfi_raster *r, const sfi_tiling *tiling,
                        const sfi_panel *panel, int32_t *columns)
{
    const sfi_rect f = panel->frame;
    for (int c = 0; c < r->width; c++) {
        const double at = f.left + (c + 0.5) / r->width * (f.right - f.left);
        columns[c] = (int32_t)interval_of(tiling->x_edges, tiling->nx,
                                          sfi_axis_value(&panel->x, at));
    }
    for (int row = 0; row < r->height; row++) {
        const double at = f.top + (row + 0.5) / r->height * (f.bottom - f.top);
        const int64_t j = interval_of(tiling->y_edges, tiling->ny,
                                      sfi_axis_value(&panel->y, at));
        int32_t *cell = r->cell + (size_t)row * (size_t)r->width;
        for (int c = 0; c < r->width; c++)
            cell[c] = j < 0 || columns[c] < 0
                          ? -1
                          : (int32_t)(j * tiling->nx + columns[c]);
    }
}

sf_status sfi_raster_new(sfi_canvas *canvas, sfi_raster *out,
                         const sfi_tiling *tiling, const sfi_panel *panel)
{
    *out = (sfi_raster){.ctx = canvas->ctx};
    sfi_image_size(canvas, panel->frame, &out->width, &out->height);
    const size_t width = (size_t)out->width;
    out->cell =
        sfi_alloc(canvas->ctx, width * (size_t)out->height, sizeof *out->cell);
    int32_t *columns = sfi_alloc(canvas->ctx, width, sizeof *columns);
    if (out->cell != NULL && columns != NULL)
        fill_raster(out, tiling, panel, columns);
    sfi_free(canvas->ctx, columns, width, sizeof *columns);
    return out->cell != NULL && columns != NULL ? SF_OK : SF_E_NOMEM;
}

void sfi_raster_free(sfi_raster *raster)
{
    sfi_free(raster->ctx, raster->cell,
             (size_t)raster->width * (size_t)raster->height,
             sizeof *raster->cell);
    raster->cell = NULL;
}
