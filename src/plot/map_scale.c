/* SPDX-License-Identifier: Apache-2.0 */
/* map_scale.c - what is measured of all panels of a map together, so that one colour,
 * one level and one length mean the same in all of them. */
#include "plot/map.h"

#include <math.h>

enum { LEVELS = 10 };

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

static void choose_levels(sfi_map_page *m, const reach *r)
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

/* ---- panels ----------------------------------------------------------------- */

sf_status sfi_map_frame(sfi_map_page *m, int64_t k, sf_plot_map_frame *out)
{
    const int64_t points = m->tiling.nx * m->tiling.ny;
    *out = (sf_plot_map_frame){0};
    SFI_TRY(m->frame(m->user, k, out));
    if ((out->u == NULL) != (out->v == NULL))
        return SFI_FAIL(m->ctx, SF_E_SHAPE,
                        "plot_map: one component of vectors, want u and v");
    if (out->values == NULL && out->u == NULL)
        return SFI_FAIL(m->ctx, SF_E_SHAPE, "plot_map: no values");
    if (out->values == NULL && m->speeds == NULL) {
        m->speeds = sfi_alloc(m->ctx, (size_t)points, sizeof *m->speeds);
        if (m->speeds == NULL)
            return SF_E_NOMEM;
    }
    if (out->values == NULL) {
        for (int64_t i = 0; i < points; i++)
            m->speeds[i] = hypot(out->u[i], out->v[i]);
        out->values = m->speeds;
    }
    if (out->contoured == NULL)
        out->contoured = out->values;
    return SF_OK;
}

typedef struct map_sums {
    reach shown, lines;
    double squares;
    int64_t vectors;
} map_sums;

static void add_vectors(sfi_map_page *m, map_sums *sums,
                        const sf_plot_map_frame *f, int64_t points)
{
    m->has_vectors = m->has_vectors || f->u != NULL;
    for (int64_t i = 0; i < points && f->u != NULL; i++) {
        const double size = hypot(f->u[i], f->v[i]);
        if (!isfinite(size))
            continue;
        m->largest = fmax(m->largest, size);
        sums->squares += size * size;
        sums->vectors++;
    }
}

sf_status sfi_map_measure(sfi_map_page *m)
{
    const int64_t points = m->tiling.nx * m->tiling.ny;
    map_sums sums = {.shown = {INFINITY, -INFINITY},
                     .lines = {INFINITY, -INFINITY}};
    for (int64_t k = 0; k < m->count; k++) {
        sf_plot_map_frame f;
        SFI_TRY(sfi_map_frame(m, k, &f));
        widen(&sums.shown, f.values, points);
        if (f.contoured != f.values)
            widen(&sums.lines, f.contoured, points);
        else
            sums.lines = sums.shown;
        add_vectors(m, &sums, &f, points);
    }
    if (sums.vectors > 0)
        m->rms = sqrt(sums.squares / (double)sums.vectors);
    m->bar = choose_bar(&sums.shown, m->o, m->speeds != NULL);
    choose_levels(m, &sums.lines);
    return SF_OK;
}
