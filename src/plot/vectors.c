/* SPDX-License-Identifier: Apache-2.0 */
/* vectors.c - arrows on the points of a map's grid.
 *
 * Rows and columns are taken so that points are `apart` from each other at least; all
 * of them where the grid is coarse.  An arrow is as long as its vector, which has its
 * direction as on a compass (or of the axes), whatever a degree is long; that of
 *
 *     full = min(largest, 2.5 rms)
 *
 * is 1.3 times as long as the points are apart.  A few may be longer, and cover
 * others: cut ones would lie. */
#include "plot/vectors.h"

#include <math.h>

static const double apart = 18.0;  /* points of the page                     */
static const double stretch = 1.3; /* of the arrow of `full`, in spacings    */
static const double most_reference = 36.0; /* length in the legend           */

/* ---- which points ----------------------------------------------------------- */

typedef struct arrow_place {
    double x, y;
} arrow_place;

static arrow_place place_of(const sfi_tiling *t, const sfi_panel *panel,
                            int64_t j, int64_t i)
{
    arrow_place p;
    sfi_tiling_spot(t, panel, (double)j, (double)i, &p.x, &p.y);
    if (sfi_tiling_is_curved(t) && t->period > 0.0) {
        const double turn = t->period * (panel->x.to - panel->x.from) /
                            (panel->x.hi - panel->x.lo);
        p.x -= turn * floor((p.x - panel->x.from) / turn);
    }
    return p;
}

/* How far a point is from the one before it that is shown, in its column or row; of the
 * first ones, 2.5 times as far as from the frame. */
static double distance(const sfi_tiling *t, const sfi_panel *panel, int64_t j,
                       int64_t i, int64_t before_j, int64_t before_i)
{
    const arrow_place at = place_of(t, panel, j, i);
    const sfi_rect f = panel->frame;
    if (before_j < 0)
        return 2.5 * fmin(at.y - f.top, f.bottom - at.y);
    if (before_i < 0)
        return 2.5 * fmin(at.x - f.left, f.right - at.x);
    const arrow_place from = place_of(t, panel, before_j, before_i);
    return hypot(at.x - from.x, at.y - from.y);
}

/* The next row that is shown after row j, -1 for the first; ny after the last. */
static int64_t next_row(const sfi_tiling *t, const sfi_panel *panel, int64_t j)
{
    const int64_t at = t->nx / 2;
    for (int64_t k = j + 1; k < t->ny; k++)
        if (distance(t, panel, k, at, j, at) >= apart ||
            (j < 0 && 3 * k >= t->ny))
            return k;
    return t->ny;
}

/* Likewise of the columns of a row; around a disc the last must keep its distance
 * from the first. */
static int64_t next_column(const sfi_tiling *t, const sfi_panel *panel,
                           int64_t j, int64_t i)
{
    if (i < 0 && t->is_disc)
        return 0;
    for (int64_t k = i + 1; k < t->nx; k++) {
        if (t->is_disc && t->period > 0.0 && 2 * k > t->nx &&
            distance(t, panel, j, k, j, 0) < apart)
            return t->nx;
        if (distance(t, panel, j, k, j, i) >= apart ||
            (i < 0 && 3 * k >= t->nx))
            return k;
    }
    return t->nx;
}

/* How far apart the points are that are shown, at least: in the middle row and the
 * middle column. */
static double spacing(const sfi_tiling *t, const sfi_panel *panel)
{
    const int64_t at = t->nx / 2, middle = t->ny / 2;
    const int64_t j = next_row(t, panel, -1), next_j = next_row(t, panel, j);
    const int64_t i = next_column(t, panel, middle, -1),
                  next_i = next_column(t, panel, middle, i);
    const double down =
        next_j < t->ny ? distance(t, panel, next_j, at, j, at) : 2.0 * apart;
    const double along = next_i < t->nx
                             ? distance(t, panel, middle, next_i, middle, i)
                             : 2.0 * apart;
    return fmin(down, along);
}

/* ---- how long --------------------------------------------------------------- */

/* The largest of 1, 2, 5 times a power of ten that is not above x > 0. */
static double round_below(double x)
{
    const double power = pow(10.0, floor(log10(x)));
    const double share = x / power * (1.0 + 1e-12);
    return power * (share >= 5.0 ? 5.0 : share >= 2.0 ? 2.0 : 1.0);
}

sfi_arrow_scale sfi_arrow_scale_of(double largest, double rms,
                                   const sfi_tiling *tiling,
                                   const sfi_panel *panel)
{
    const double room = spacing(tiling, panel);
    sfi_arrow_scale s = {.full = fmin(largest, 2.5 * rms),
                         .longest = stretch * fmin(room, 2.0 * apart)};
    if (!(s.full > 0.0) || !isfinite(s.full))
        return (sfi_arrow_scale){0};
    s.reference = round_below(s.full * fmin(1.0, most_reference / s.longest));
    return s;
}

double sfi_arrow_length(const sfi_arrow_scale *scale, double size)
{
    return scale->full > 0.0 ? size / scale->full * scale->longest : 0.0;
}

/* ---- drawing ---------------------------------------------------------------- */

/* The direction of a vector at a place of the page, clockwise from the right. */
static double turn_of(const sfi_tiling *t, const sfi_panel *panel,
                      const sfi_vectors *v, arrow_place at, double u, double w)
{
    const sfi_axis *x = &panel->x, *y = &panel->y;
    if (v->is_geographic)
        return atan2(-w, u);
    if (t->is_disc) /* u outwards, w with the angle */
        return -sfi_tiling_angle(panel, at.x, at.y) - atan2(w, u);
    return atan2(w * (y->to - y->from) / (y->hi - y->lo),
                 u * (x->to - x->from) / (x->hi - x->lo));
}

void sfi_draw_vectors(sfi_canvas *canvas, const sfi_panel *panel,
                      const sfi_tiling *t, const sfi_vectors *v,
                      const sfi_arrow_scale *scale)
{
    for (int64_t j = next_row(t, panel, -1); j < t->ny;
         j = next_row(t, panel, j))
        for (int64_t i = next_column(t, panel, j, -1); i < t->nx;
             i = next_column(t, panel, j, i)) {
            const double u = v->u[j * t->nx + i], w = v->v[j * t->nx + i];
            const double size = hypot(u, w);
            const arrow_place at = place_of(t, panel, j, i);
            if (isfinite(size + at.x + at.y))
                sfi_draw_arrow(canvas, at.x, at.y,
                               turn_of(t, panel, v, at, u, w),
                               sfi_arrow_length(scale, size), sfi_ink, sfi_rim);
        }
}
