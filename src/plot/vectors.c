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

/* Place on the page of row (or column) i. */
static double place_of(const sfi_tiling *t, const sfi_panel *panel, bool is_row,
                       int64_t i)
{
    double x, y;
    sfi_tiling_spot(t, panel, is_row ? (double)i : 0.0,
                    is_row ? 0.0 : (double)i, &x, &y);
    return is_row ? y : x;
}

/* The next row (or column) that is shown after `i`, -1 for the first; their number
 * after the last. */
static int64_t next_shown(const sfi_tiling *t, const sfi_panel *panel,
                          bool is_row, int64_t i)
{
    const int64_t n = is_row ? t->ny : t->nx;
    const sfi_rect f = panel->frame;
    const double low = is_row ? f.top : f.left,
                 high = is_row ? f.bottom : f.right;
    const double before = i < 0 ? 0.0 : place_of(t, panel, is_row, i);
    for (int64_t k = i + 1; k < n; k++) {
        const double at = place_of(t, panel, is_row, k);
        const double margin = fmin(at - low, high - at);
        if (i < 0 ? margin >= 0.4 * apart || 3 * k > n
                  : fabs(at - before) >= apart)
            return k;
    }
    return n;
}

static double spacing(const sfi_tiling *t, const sfi_panel *panel, bool is_row)
{
    const int64_t n = is_row ? t->ny : t->nx;
    const int64_t first = next_shown(t, panel, is_row, -1);
    const int64_t second = next_shown(t, panel, is_row, first);
    return second < n ? fabs(place_of(t, panel, is_row, second) -
                             place_of(t, panel, is_row, first))
                      : 2.0 * apart;
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
    const double room =
        fmin(spacing(tiling, panel, true), spacing(tiling, panel, false));
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

/* The direction of a vector on the page, clockwise from the right. */
static double turn_of(const sfi_panel *panel, const sfi_vectors *v, double east,
                      double north)
{
    const sfi_axis *x = &panel->x, *y = &panel->y;
    if (v->is_geographic)
        return atan2(-north, east);
    return atan2(north * (y->to - y->from) / (y->hi - y->lo),
                 east * (x->to - x->from) / (x->hi - x->lo));
}

void sfi_draw_vectors(sfi_canvas *canvas, const sfi_panel *panel,
                      const sfi_tiling *t, const sfi_vectors *v,
                      const sfi_arrow_scale *scale)
{
    for (int64_t j = next_shown(t, panel, true, -1); j < t->ny;
         j = next_shown(t, panel, true, j))
        for (int64_t i = next_shown(t, panel, false, -1); i < t->nx;
             i = next_shown(t, panel, false, i)) {
            const double east = v->u[j * t->nx + i],
                         north = v->v[j * t->nx + i];
            const double size = hypot(east, north);
            if (!isfinite(size))
                continue;
            double x, y;
            sfi_tiling_spot(t, panel, (double)j, (double)i, &x, &y);
            sfi_draw_arrow(canvas, x, y, turn_of(panel, v, east, north),
                           sfi_arrow_length(scale, size), sfi_ink, sfi_rim);
        }
}
