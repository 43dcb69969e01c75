/* SPDX-License-Identifier: Apache-2.0 */
/* regrid.c - fields on other latitudes and longitudes, by weights along the axes. */
#include "calc/regrid.h"

#include <math.h>
#include <string.h>

/* A part of a new point: which old one, and how much of it; of overlaps, in parts of the
 * new cell. */
typedef struct regrid_part {
    int64_t at;
    double weight;
} regrid_part;

typedef struct regrid_weights {
    int64_t count;  /* new points                                       */
    int64_t *first; /* [count + 1] into parts                           */
    regrid_part *parts;
    size_t used, capacity;
} regrid_weights;

struct sfi_regrid {
    sf_context *ctx;
    sf_grid *to;
    bool is_conservative;
    int lat, lon; /* axes of the old grid */
    regrid_weights rows, columns;
};

static const double turn = 360.0;

/* In degrees, whatever the axis counts in. */
static double degrees(const sf_grid *g, int k, double x)
{
    return x * g->radian[k] * 180.0 / 3.14159265358979323846;
}

static sf_status add(sf_context *ctx, regrid_weights *b, int64_t at,
                     double weight)
{
    if (weight <= 0.0)
        return SF_OK;
    regrid_part *grown =
        sfi_grow(ctx, b->parts, &b->capacity, b->used + 1, sizeof *grown);
    if (grown == NULL)
        return SF_E_NOMEM;
    b->parts = grown;
    b->parts[b->used++] = (regrid_part){at, weight};
    return SF_OK;
}

/* ---- bilinear ---------------------------------------------------------------------- */

/* Between which two old points x lies, and how far; false if between none. */
static bool between(const sf_grid *g, int k, double x, int64_t *low,
                    int64_t *high, double *part)
{
    const sf_axis *a = &g->axis[k];
    const bool closed = a->period > 0.0;
    for (int64_t i = 0; i + (closed ? 0 : 1) < a->count; i++) {
        const int64_t next = (i + 1) % a->count;
        const double from = degrees(g, k, a->coords[i]);
        double span = degrees(g, k, a->coords[next]) - from, way = x - from;
        if (next == 0) /* over the seam, as the other steps go */
            span += span > 0.0 ? -turn : turn;
        if (closed)
            way -= turn * floor(way / turn);
        else if (a->role == SF_ROLE_LON) /* 240 is -120 */
            way -= turn * round(way / turn);
        if (closed && span < 0.0 && way > 0.0)
            way -= turn;
        const double t = span != 0.0 ? way / span : way == 0.0 ? 0.0 : -1.0;
        if (t < -1e-12 || t > 1.0 + 1e-12)
            continue;
        *low = i;
        *high = next;
        *part = t < 0.0 ? 0.0 : t > 1.0 ? 1.0 : t;
        return true;
    }
    return false;
}

/* ---- conservative -------------------------------------------------------------------- */

static double measure(bool is_lat, double x)
{
    return is_lat ? sin(x * 3.14159265358979323846 / 180.0) : x;
}

/* The part of the new cell [a, b] that an old one covers; longitudes modulo a turn. */
static double overlap(bool is_lat, double a, double b, double c, double d)
{
    const double low = fmin(a, b), high = fmax(a, b);
    double sum = 0.0, from = fmin(c, d), to = fmax(c, d);
    const int turns = is_lat ? 0 : 2;
    if (!is_lat) {
        const double shift = turn * floor((from - low) / turn);
        from -= shift;
        to -= shift;
    }
    for (int k = -turns; k <= turns; k++) {
        const double left = fmax(low, from + k * turn);
        const double right = fmin(high, to + k * turn);
        if (right > left)
            sum += measure(is_lat, right) - measure(is_lat, left);
    }
    return sum / (measure(is_lat, high) - measure(is_lat, low));
}

/* ---- making ----------------------------------------------------------------------------- */

static sf_status fill(const sfi_regrid *r, regrid_weights *b,
                      const sf_grid *from, int k, int new_axis)
{
    const sf_axis *a = &r->to->axis[new_axis], *old = &from->axis[k];
    const bool is_lat = old->role == SF_ROLE_LAT;
    b->count = a->count;
    b->first = sfi_alloc_zero(r->ctx, (size_t)a->count + 1, sizeof *b->first);
    if (b->first == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < a->count; i++) {
        int64_t low, high;
        double part;
        const double x = degrees(r->to, new_axis, a->coords[i]);
        if (!r->is_conservative && between(from, k, x, &low, &high, &part)) {
            SFI_TRY(add(r->ctx, b, low, 1.0 - part));
            SFI_TRY(add(r->ctx, b, high, part));
        }
        for (int64_t j = 0; j < old->count && r->is_conservative; j++)
            SFI_TRY(add(r->ctx, b, j,
                        overlap(is_lat, degrees(r->to, new_axis, a->edges[i]),
                                degrees(r->to, new_axis, a->edges[i + 1]),
                                degrees(from, k, old->edges[j]),
                                degrees(from, k, old->edges[j + 1]))));
        b->first[i + 1] = (int64_t)b->used;
    }
    return SF_OK;
}

static void free_blend(sf_context *ctx, regrid_weights *b)
{
    sfi_free(ctx, b->first, (size_t)b->count + 1, sizeof *b->first);
    sfi_free(ctx, b->parts, b->capacity, sizeof *b->parts);
}

void sfi_regrid_free(sfi_regrid *r)
{
    if (r == NULL)
        return;
    free_blend(r->ctx, &r->rows);
    free_blend(r->ctx, &r->columns);
    sf_grid_free(r->to);
    sfi_free(r->ctx, r, 1, sizeof *r);
}

static sf_status make(sfi_regrid *r, const sf_grid *from, const char *to)
{
    SFI_TRY(sf_grid_parse(r->ctx, &r->to, to));
    const int lat = sf_grid_find_role(r->to, SF_ROLE_LAT);
    const int lon = sf_grid_find_role(r->to, SF_ROLE_LON);
    if (lat < 0 || lon < 0 || sf_grid_rank(r->to) != 2 || r->lat < 0 ||
        r->lon < 0)
        return SFI_FAIL(r->ctx, SF_E_ARG,
                        "regrid: want axes lat and lon, and no others, in the "
                        "grid that is typed, and both in the field");
    SFI_TRY(fill(r, &r->rows, from, r->lat, lat));
    return fill(r, &r->columns, from, r->lon, lon);
}

sf_status sfi_regrid_new(sf_context *ctx, sfi_regrid **out, const sf_grid *from,
                         const char *to, bool is_conservative)
{
    *out = NULL;
    sfi_regrid *r = sfi_alloc_zero(ctx, 1, sizeof *r);
    if (r == NULL)
        return SF_E_NOMEM;
    r->ctx = ctx;
    r->is_conservative = is_conservative;
    r->lat = sf_grid_find_role(from, SF_ROLE_LAT);
    r->lon = sf_grid_find_role(from, SF_ROLE_LON);
    const sf_status status = make(r, from, to);
    if (status != SF_OK)
        sfi_regrid_free(r);
    else
        *out = r;
    return status;
}

const sf_axis *sfi_regrid_axis(const sfi_regrid *r, int k)
{
    if (k != r->lat && k != r->lon)
        return NULL;
    return sf_grid_axis(
        r->to,
        sf_grid_find_role(r->to, k == r->lat ? SF_ROLE_LAT : SF_ROLE_LON));
}

/* ---- values -------------------------------------------------------------------------------- */

static double value_of(const sfi_regrid *r, int64_t i, int64_t j,
                       const double *from, int64_t lat_step, int64_t lon_step)
{
    double sum = 0.0, weights = 0.0, all = 0.0;
    for (int64_t p = r->rows.first[i]; p < r->rows.first[i + 1]; p++)
        for (int64_t q = r->columns.first[j]; q < r->columns.first[j + 1];
             q++) {
            const double w =
                r->rows.parts[p].weight * r->columns.parts[q].weight;
            const double f = from[r->rows.parts[p].at * lat_step +
                                  r->columns.parts[q].at * lon_step];
            all += w;
            if (isnan(f))
                continue;
            sum += w * f;
            weights += w;
        }
    if (r->is_conservative)
        return weights >= 0.5 - 1e-12 ? sum / weights : NAN;
    /* A rounding beside 1 is no missing value. */
    return all > 0.5 && weights == all ? sum / all : NAN;
}

void sfi_regrid_plane(const sfi_regrid *r, const double *from, int64_t lat_step,
                      int64_t lon_step, double *out, int64_t out_lat_step,
                      int64_t out_lon_step)
{
    for (int64_t i = 0; i < r->rows.count; i++)
        for (int64_t j = 0; j < r->columns.count; j++)
            out[i * out_lat_step + j * out_lon_step] =
                value_of(r, i, j, from, lat_step, lon_step);
}
