/* SPDX-License-Identifier: Apache-2.0 */
/* interpolate.c - values of a field between its points, and the transpose of that.
 *
 * The value at x is the sum over the corners of the cell of coordinates around x of
 * the product of the weights 1-w and w of each axis.  Only corners with a weight
 * count: a missing neighbour that has none does no harm.
 *
 * Beyond the last row before a pole.  Seen over the pole, the next row is the same
 * one half a turn away: for a latitude p + d (the pole is at p) the neighbours are
 * the row at p - e, at its own longitudes and at those half a turn on, at a distance
 * of 2e.  So near a pole a latitude stands for two values, and the recursion over the
 * axes branches there, with the longitude moved. */
#include "field/layout.h"

#include <math.h>
#include <stdio.h>

typedef struct cell {
    int64_t low, high; /* the two points                                    */
    double weight;     /* of `high`                                         */
    bool over_pole;    /* `high` lies beyond the pole                       */
} cell;

typedef struct probe {
    const sf_field *f;
    int c;
    const double *point;
    bool turned; /* half a turn of longitude                                 */
    int lon;     /* the axis, -1 unless it is closed                         */
} probe;

/* Coordinate i of component c along axis k: points, or midway. */
static double coordinate(const sf_field *f, int c, int k, int64_t i)
{
    const sf_axis *axis = sf_grid_axis(f->grid, k);
    const double *x = axis->coords;
    if (!(f->place[c] >> k & 1u))
        return x[i];
    if (i + 1 < axis->count)
        return 0.5 * (x[i] + x[i + 1]);
    const double turn =
        axis->count > 1 && x[1] < x[0] ? -axis->period : axis->period;
    return 0.5 * (x[i] + x[0] + turn);
}

/* The last i in [0, n-2] whose coordinate is not beyond x, `sign` being the
 * direction of the axis. */
static int64_t find(const sf_field *f, int c, int k, int64_t n, double sign,
                    double x)
{
    int64_t low = 0, high = n - 1;
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        if (sign * (x - coordinate(f, c, k, middle)) >= 0.0)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static bool inside(cell *out, int64_t low, int64_t high, double x, double from,
                   double to)
{
    *out =
        (cell){low, high, to == from ? 0.0 : (x - from) / (to - from), false};
    return true;
}

/* On the sphere, between an end of the latitudes and a pole. */
static bool over_pole(const probe *p, int k, int64_t end, double x, cell *out)
{
    const sf_axis *axis = sf_grid_axis(p->f->grid, k);
    if (axis->role != SF_ROLE_LAT || p->lon < 0)
        return false;
    const double row = coordinate(p->f, p->c, k, end);
    const double quarter =
        90.0 * (3.14159265358979323846 / 180.0) / sfi_axis_radian(axis);
    const double pole = copysign(quarter, row);
    /* A row further than a step of the others from the pole is an edge of a
     * region, not a neighbour of the pole. */
    const int64_t inner = end == 0 ? 1 : end - 1;
    const double step = fabs(row - coordinate(p->f, p->c, k, inner));
    if (fabs(pole - row) > step || fabs(x) > fabs(pole) * (1.0 + 1e-12))
        return false;
    const double gap = 2.0 * fabs(pole - row);
    *out = (cell){end, end, gap > 0.0 ? fabs(x - row) / gap : 0.0, true};
    return true;
}

/* The cell around p->point[k]; false if there is none. */
static bool locate(const probe *p, int k, cell *out)
{
    const sf_axis *axis = sf_grid_axis(p->f->grid, k);
    const int64_t n = sf_field_count(p->f, p->c, k);
    double x = p->point[k];
    if (n < 1 || !isfinite(x))
        return false;
    const double first = coordinate(p->f, p->c, k, 0),
                 last = coordinate(p->f, p->c, k, n - 1);
    const double sign = last < first ? -1.0 : 1.0;
    if (axis->period > 0.0) {
        if (p->turned && k == p->lon)
            x += 0.5 * axis->period;
        double way = fmod(sign * (x - first), axis->period);
        if (way < 0.0)
            way += axis->period;
        /* From the last point to the first one, a turn on. */
        const double length = sign * (last - first);
        if (way >= length)
            return inside(out, n - 1, 0, way, length, axis->period);
        x = first + sign * way;
    }
    if (n == 1)
        return x == first && inside(out, 0, 0, x, first, first);
    /* A point typed as it is printed may miss the end by a rounding. */
    const double slack = 1e-12 * (fabs(first) + fabs(last));
    if (sign * (x - first) < 0.0) {
        if (sign * (x - first) < -slack)
            return over_pole(p, k, 0, x, out);
        x = first;
    }
    if (sign * (x - last) > 0.0) {
        if (sign * (x - last) > slack)
            return over_pole(p, k, n - 1, x, out);
        x = last;
    }
    const int64_t low = find(p->f, p->c, k, n, sign, x);
    return inside(out, low, low + 1, x, coordinate(p->f, p->c, k, low),
                  coordinate(p->f, p->c, k, low + 1));
}

/* The sum over axes k, k+1, ...; `at` is the element reached so far. */
static double sum(const probe *p, int k, int64_t at)
{
    const sf_field *f = p->f;
    if (k == sf_grid_rank(f->grid))
        return sfi_number_get(f->dtype, f->data[p->c], at);
    cell around;
    if (!locate(p, k, &around))
        return NAN;
    probe beyond = *p;
    beyond.turned = p->turned != around.over_pole;
    double value = 0.0;
    if (around.weight < 1.0)
        value +=
            (1.0 - around.weight) * sum(p, k + 1, at + around.low * f->step[k]);
    if (around.weight > 0.0)
        value +=
            around.weight * sum(&beyond, k + 1, at + around.high * f->step[k]);
    return value;
}

/* The axis of longitude, if it is closed and comes after the latitude. */
static int closed_longitude(const sf_grid *g)
{
    const int lon = sf_grid_find_role(g, SF_ROLE_LON),
              lat = sf_grid_find_role(g, SF_ROLE_LAT);
    return lon > lat && lat >= 0 && sf_grid_axis(g, lon)->period > 0.0 ? lon
                                                                       : -1;
}

sf_status sf_field_at(sf_context *ctx, const sf_field *field, int c,
                      sf_cmat points, double *values)
{
    const int rank = sf_grid_rank(field->grid);
    if (c < 0 || c >= field->components)
        return SFI_FAIL(ctx, SF_E_ARG, "field: component %d, want 0 to %d", c,
                        field->components - 1);
    if (points.cols != rank || points.rows < 0 || points.stride < rank)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "field: points of %lld columns and stride %lld, want "
                        "%d, one for each axis",
                        (long long)points.cols, (long long)points.stride, rank);
    probe p = {.f = field, .c = c, .lon = closed_longitude(field->grid)};
    for (int64_t i = 0; i < points.rows; i++) {
        p.point = points.data + i * points.stride;
        values[i] = sum(&p, 0, 0);
    }
    return SF_OK;
}

/* ---- the transpose ---------------------------------------------------------------------- */

/* Add a weight to the corners around the point, over their volumes; false if it lies
 * outside. */
static bool scatter(const probe *p, sf_field *f, int k, int64_t *index,
                    double weight)
{
    if (k == sf_grid_rank(f->grid)) {
        int64_t at = 0;
        for (int j = 0; j < k; j++)
            at += index[j] * f->step[j];
        const double add = weight / sf_grid_volume(f->grid, index);
        if (f->dtype == SF_F32)
            ((float *)f->data[p->c])[at] += (float)add;
        else
            ((double *)f->data[p->c])[at] += add;
        return true;
    }
    cell around;
    if (!locate(p, k, &around))
        return false;
    probe beyond = *p;
    beyond.turned = p->turned != around.over_pole;
    index[k] = around.low;
    bool is_inside =
        around.weight == 1.0 ||
        scatter(p, f, k + 1, index, weight * (1.0 - around.weight));
    index[k] = around.high;
    return is_inside &&
           (around.weight == 0.0 ||
            scatter(&beyond, f, k + 1, index, weight * around.weight));
}

static sf_status point_outside(sf_context *ctx, const sf_grid *g,
                               const double *point, int64_t i)
{
    char text[160] = "";
    size_t used = 0;
    for (int k = 0; k < sf_grid_rank(g) && used < sizeof text; k++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s = %g",
                                 k > 0 ? ", " : "", sf_grid_axis(g, k)->name,
                                 point[k]);
    return SFI_FAIL(ctx, SF_E_ARG,
                    "field: point %lld (from 0), %s, lies outside of the grid",
                    (long long)i, text);
}

sf_status sf_field_deposit(sf_context *ctx, sf_field *field, int c,
                           sf_cmat points, const double *weights)
{
    const int rank = sf_grid_rank(field->grid);
    if (c < 0 || c >= field->components || field->place[c] != 0)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "field: component %d, want one on the points of the "
                        "grid, 0 to %d",
                        c, field->components - 1);
    if (points.cols != rank || points.rows < 1 || points.stride < rank)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "field: %lld points of %lld columns and stride %lld, "
                        "want at least one of %d, one for each axis",
                        (long long)points.rows, (long long)points.cols,
                        (long long)points.stride, rank);
    probe p = {.f = field, .c = c, .lon = closed_longitude(field->grid)};
    for (int64_t i = 0; i < points.rows; i++) {
        int64_t index[SF_MAX_AXES];
        cell around;
        p.point = points.data + i * points.stride;
        for (int k = 0; k < rank; k++)
            if (!locate(&p, k, &around))
                return point_outside(ctx, field->grid, p.point, i);
        const double weight =
            weights != NULL ? weights[i] : 1.0 / (double)points.rows;
        if (!scatter(&p, field, 0, index, weight))
            return point_outside(ctx, field->grid, p.point, i);
    }
    return SF_OK;
}
