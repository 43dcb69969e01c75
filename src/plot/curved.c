/* SPDX-License-Identifier: Apache-2.0 */
/* curved.c - grids whose points lie anywhere.
 *
 * The corners of a cell are the means of the four points around them; beyond the
 * outermost points there are others, as far out as the next ones are in.  A cell is
 * the quadrangle of its corners, and a pixel whose centre is within shows it.
 *
 * Longitudes may jump by a turn between neighbours: every point is moved by whole turns
 * next to the one before it in its row, and the first of a row next to that of the row
 * before.  Around a pole that can not hold for all neighbours, so whatever takes some
 * of them moves these next to one another.  A cell that then still spans half a turn
 * holds a pole, and is left out. */
#include "plot/tiling.h"

#include <math.h>
#include <string.h>

static const double turn = 360.0;

double sfi_beside(double x, double to, double period)
{
    if (period == 0.0)
        return x;
    const double moved = x + period * rint((to - x) / period);
    return isfinite(moved) ? moved : x;
}

static void unwrap(double *x, int64_t ny, int64_t nx)
{
    for (int64_t j = 0; j < ny; j++) {
        double *row = x + j * nx;
        if (j > 0)
            row[0] = sfi_beside(row[0], row[-nx], turn);
        for (int64_t i = 1; i < nx; i++)
            row[i] = sfi_beside(row[i], row[i - 1], turn);
    }
}

/* Point (j, i), also one beyond the outermost. */
static double extended(const double *p, int64_t ny, int64_t nx, int64_t j,
                       int64_t i)
{
    if (j < 0 || j >= ny) {
        const int64_t in = j < 0 ? 0 : ny - 1, next = j < 0 ? 1 : ny - 2;
        return 2.0 * extended(p, ny, nx, in, i) - extended(p, ny, nx, next, i);
    }
    if (i < 0 || i >= nx) {
        const int64_t in = i < 0 ? 0 : nx - 1, next = i < 0 ? 1 : nx - 2;
        return 2.0 * p[j * nx + in] - p[j * nx + next];
    }
    return p[j * nx + i];
}

/* `period` 0: of what is no longitude. */
static void fill_corners(const double *p, int64_t ny, int64_t nx, double period,
                         double *out)
{
    for (int64_t j = 0; j <= ny; j++)
        for (int64_t i = 0; i <= nx; i++) {
            double sum = 0.0;
            const double first = extended(p, ny, nx, j - 1, i - 1);
            for (int k = 0; k < 4; k++)
                sum += sfi_beside(
                    extended(p, ny, nx, j - 1 + (k >> 1), i - 1 + (k & 1)),
                    first, period);
            out[j * (nx + 1) + i] = 0.25 * sum;
        }
}

sf_status sfi_tiling_bend(sf_context *ctx, sfi_tiling *t, const double *y,
                          const double *x, bool is_geographic)
{
    const size_t points = (size_t)(t->ny * t->nx),
                 corners = (size_t)((t->ny + 1) * (t->nx + 1));
    t->y_points = sfi_alloc(ctx, points, sizeof *t->y_points);
    t->x_points = sfi_alloc(ctx, points, sizeof *t->x_points);
    t->y_corners = sfi_alloc(ctx, corners, sizeof *t->y_corners);
    t->x_corners = sfi_alloc(ctx, corners, sizeof *t->x_corners);
    if (t->y_points == NULL || t->x_points == NULL || t->y_corners == NULL ||
        t->x_corners == NULL)
        return SF_E_NOMEM;
    memcpy(t->y_points, y, points * sizeof *y);
    memcpy(t->x_points, x, points * sizeof *x);
    if (is_geographic) {
        t->period = turn;
        unwrap(t->x_points, t->ny, t->nx);
    }
    fill_corners(t->y_points, t->ny, t->nx, 0.0, t->y_corners);
    fill_corners(t->x_points, t->ny, t->nx, t->period, t->x_corners);
    for (size_t k = 0; k < corners && is_geographic; k++)
        t->y_corners[k] = fmin(fmax(t->y_corners[k], -90.0), 90.0);
    return SF_OK;
}

void sfi_tiling_free(sf_context *ctx, sfi_tiling *t)
{
    const size_t points = (size_t)(t->ny * t->nx),
                 corners = (size_t)((t->ny + 1) * (t->nx + 1));
    sfi_free(ctx, t->y_points, points, sizeof *t->y_points);
    sfi_free(ctx, t->x_points, points, sizeof *t->x_points);
    sfi_free(ctx, t->y_corners, corners, sizeof *t->y_corners);
    sfi_free(ctx, t->x_corners, corners, sizeof *t->x_corners);
    t->y_points = t->x_points = t->y_corners = t->x_corners = NULL;
}

/* ---- pixels ----------------------------------------------------------------- */

typedef struct quadrangle {
    double x[4], y[4]; /* corners in turn, in pixels                         */
} quadrangle;

/* Whether a point is within, by the number of sides to its right. */
static bool is_within(const quadrangle *q, double x, double y)
{
    bool within = false;
    for (int a = 0, b = 3; a < 4; b = a++) {
        if ((q->y[a] > y) == (q->y[b] > y))
            continue;
        const double at =
            q->x[a] + (y - q->y[a]) / (q->y[b] - q->y[a]) * (q->x[b] - q->x[a]);
        if (x < at)
            within = !within;
    }
    return within;
}

static int clip(double x, int most)
{
    return x < 0.0 ? 0 : x > most ? most : (int)x;
}

/* The pixels of a cell, moved `aside`. */
static void fill_cell(sfi_raster *r, const quadrangle *q, double aside,
                      int32_t cell)
{
    double left = INFINITY, right = -INFINITY, top = INFINITY,
           bottom = -INFINITY;
    for (int k = 0; k < 4; k++) {
        if (!isfinite(q->x[k] + q->y[k]))
            return;
        left = fmin(left, q->x[k] + aside);
        right = fmax(right, q->x[k] + aside);
        top = fmin(top, q->y[k]);
        bottom = fmax(bottom, q->y[k]);
    }
    for (int row = clip(top, r->height); row < clip(bottom + 1.0, r->height);
         row++)
        for (int c = clip(left, r->width); c < clip(right + 1.0, r->width); c++)
            if (is_within(q, c + 0.5 - aside, row + 0.5))
                r->cell[(size_t)row * (size_t)r->width + (size_t)c] = cell;
}

void sfi_raster_fill_curved(sfi_raster *r, const sfi_tiling *t,
                            const sfi_panel *panel)
{
    const sfi_rect f = panel->frame;
    const double sx = r->width / (f.right - f.left),
                 sy = r->height / (f.bottom - f.top);
    const int64_t wide = t->nx + 1;
    const double width = turn / (panel->x.hi - panel->x.lo) * r->width;
    for (int64_t j = 0; j < t->ny; j++)
        for (int64_t i = 0; i < t->nx; i++) {
            const int64_t corner[4] = {j * wide + i, j * wide + i + 1,
                                       (j + 1) * wide + i + 1,
                                       (j + 1) * wide + i};
            quadrangle q;
            double low = INFINITY, high = -INFINITY;
            for (int k = 0; k < 4; k++) {
                const double x = sfi_beside(t->x_corners[corner[k]],
                                            t->x_corners[corner[0]], t->period);
                low = fmin(low, x);
                high = fmax(high, x);
                q.x[k] = (sfi_axis_at(&panel->x, x) - f.left) * sx;
                q.y[k] =
                    (sfi_axis_at(&panel->y, t->y_corners[corner[k]]) - f.top) *
                    sy;
            }
            const bool is_around = t->period > 0.0 && high - low >= 0.5 * turn;
            const int sides = t->period > 0.0 ? 2 : 0;
            for (int side = -sides; side <= sides && !is_around; side++)
                fill_cell(r, &q, side * width, (int32_t)(j * t->nx + i));
        }
}
