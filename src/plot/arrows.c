/* SPDX-License-Identifier: Apache-2.0 */
/* arrows.c - arrows, and many of them as a picture of a score. */
#include <math.h>
#include <stdlib.h>

#include "plot/marks.h"

typedef struct vector {
    double x, y;
} vector;

/* An arrow as a vector on the page. */
static vector on_page(const sfi_panel *panel, sf_cmat arrows, int64_t i,
                      sf_plot_arrows kind)
{
    const sfi_axis *x = &panel->x, *y = &panel->y;
    const double sx = (x->to - x->from) / (x->hi - x->lo);
    const double sy = (y->to - y->from) / (y->hi - y->lo);
    const double u = sfi_cell(arrows, i, 2), v = sfi_cell(arrows, i, 3);
    const vector gradient = {u / sx, v / sy}, velocity = {u * sx, v * sy};
    return kind == SF_PLOT_GRADIENT ? gradient : velocity;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

sf_status sfi_draw_arrows(sfi_canvas *canvas, const sfi_panel *panel,
                          sf_cmat arrows, sf_plot_arrows kind, sfi_rgba colour)
{
    if (arrows.rows == 0)
        return SF_OK;
    sf_context *ctx = canvas->ctx;
    double *sizes = sfi_alloc(ctx, (size_t)arrows.rows, sizeof *sizes);
    if (sizes == NULL)
        return SF_E_NOMEM;
    size_t n = 0;
    sfi_rect box = {INFINITY, INFINITY, -INFINITY, -INFINITY};
    for (int64_t i = 0; i < arrows.rows; i++) {
        const vector way = on_page(panel, arrows, i, kind);
        const double size = hypot(way.x, way.y);
        const double x = sfi_axis_at(&panel->x, sfi_cell(arrows, i, 0));
        const double y = sfi_axis_at(&panel->y, sfi_cell(arrows, i, 1));
        if (!isfinite(size) || !isfinite(x) || !isfinite(y))
            continue;
        sizes[n++] = size;
        box.left = fmin(box.left, x);
        box.right = fmax(box.right, x);
        box.top = fmin(box.top, y);
        box.bottom = fmax(box.bottom, y);
    }
    if (n > 0)
        qsort(sizes, n, sizeof *sizes, ascending);
    const double middle = n > 0 ? sizes[n / 2] : 0.0;
    sfi_free(ctx, sizes, (size_t)arrows.rows, sizeof *sizes);
    if (!(middle > 0.0))
        return SF_OK;

    /* Room for each arrow: n of them share the box of their positions, which
     * is one spacing wider than its outermost points are apart. */
    const double w = box.right - box.left, h = box.bottom - box.top;
    const double root = sqrt((double)n);
    const double room =
        n > 1 && w * h > 0.0 ? sqrt(w * h) / fmax(root - 1.0, 1.0) : 24.0;
    const double longest = fmin(0.92 * room, 30.0);
    for (int64_t i = 0; i < arrows.rows; i++) {
        const vector way = on_page(panel, arrows, i, kind);
        const double size = hypot(way.x, way.y) / middle;
        const vector at = {sfi_axis_at(&panel->x, sfi_cell(arrows, i, 0)),
                           sfi_axis_at(&panel->y, sfi_cell(arrows, i, 1))};
        if (!isfinite(size) || !isfinite(at.x) || !isfinite(at.y))
            continue;
        /* Linear for short arrows; long ones saturate. */
        const double length = longest * size / sqrt(1.0 + size * size);
        sfi_draw_arrow(canvas, at.x, at.y, atan2(way.y, way.x), length, colour,
                       sfi_no_rim);
    }
    return SF_OK;
}
