/* SPDX-License-Identifier: Apache-2.0 */
/* axis.c - one axis: what it may be, its edges, its step.
 *
 * Coordinates run in either direction and are never turned round: steps are signed,
 * and everything that is computed from them has the right sign by itself.
 *
 * Between two points lies an edge, half-way.  The cell of an end point that is no
 * wall goes as far beyond it as before it; a wall node has half a cell; on a closed
 * axis the last edge is the first one, a period on; and no cell of a latitude goes
 * beyond a pole. */
#include "field/grid.h"

#include <float.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#define PI 3.14159265358979323846

static const struct {
    const char *name;
    bool is_angle;
} roles[] = {{"", false},    {"x", false},    {"y", false},  {"z", false},
             {"r", false},   {"theta", true}, {"lat", true}, {"lon", true},
             {"lev", false}, {"t", false}};

const char *sf_role_name(sf_role role)
{
    return roles[role].name;
}

bool sfi_role_is_angle(sf_role role)
{
    return roles[role].is_angle;
}

sf_role sfi_role_find(const char *name)
{
    for (size_t i = 1; i < SFI_COUNT(roles); i++)
        if (strcmp(roles[i].name, name) == 0)
            return (sf_role)i;
    return SF_ROLE_NONE;
}

double sfi_axis_radian(const sf_axis *axis)
{
    if (!sfi_role_is_angle(axis->role))
        return 1.0;
    if (axis->unit == NULL)
        return axis->role == SF_ROLE_THETA ? 1.0 : PI / 180.0;
    return strncasecmp(axis->unit, "rad", 3) == 0 ? 1.0 : PI / 180.0;
}

bool sfi_axis_is_pole(const sf_axis *axis, double lat)
{
    const double degrees = lat * sfi_axis_radian(axis) * (180.0 / PI);
    return fabs(fabs(degrees) - 90.0) <= 1e-6;
}

/* By how much steps between numbers that were rounded to floats may differ: a unit in the
 * last place of the largest.  0 where some number is no float. */
static double float_rounding(const sf_axis *axis)
{
    double most = 0.0;
    for (int64_t i = 0; i < axis->count; i++) {
        if ((double)(float)axis->coords[i] != axis->coords[i])
            return 0.0;
        most = fmax(most, fabs(axis->coords[i]));
    }
    return most * (double)FLT_EPSILON;
}

double sfi_axis_step(const sf_axis *axis)
{
    const int64_t n = axis->count;
    if (n < 2)
        return 0.0;
    const double mean =
        (axis->coords[n - 1] - axis->coords[0]) / (double)(n - 1);
    const double most = fmax(1e-4 * fabs(mean), float_rounding(axis));
    for (int64_t i = 0; i + 1 < n; i++)
        if (!(fabs(axis->coords[i + 1] - axis->coords[i] - mean) <= most))
            return 0.0;
    return mean;
}

/* ---- edges ------------------------------------------------------------------ */

static void clip_to_poles(const sf_axis *axis, double *edges)
{
    const double pole = 0.5 * PI / sfi_axis_radian(axis);
    for (int64_t i = 0; i <= axis->count; i++) {
        /* A pole that is one to 1e-6 degrees is one exactly. */
        if (fabs(edges[i]) > pole || sfi_axis_is_pole(axis, edges[i]))
            edges[i] =
                copysign(sfi_axis_radian(axis) == 1.0 ? pole : 90.0, edges[i]);
    }
}

void sfi_axis_edges(const sf_axis *axis, double *edges)
{
    const double *x = axis->coords;
    const int64_t n = axis->count;
    if (axis->edges != NULL) {
        memcpy(edges, axis->edges, (size_t)(n + 1) * sizeof *edges);
    } else {
        for (int64_t i = 1; i < n; i++)
            edges[i] = x[i - 1] + 0.5 * (x[i] - x[i - 1]);
        const bool falls = n > 1 && x[1] < x[0];
        const double turn = falls ? -axis->period : axis->period;
        if (axis->period > 0.0) {
            edges[0] = 0.5 * (x[n - 1] - turn + x[0]);
            edges[n] = edges[0] + turn;
        } else if (axis->placement == SF_NODES && n > 1) {
            edges[0] = x[0];
            edges[n] = x[n - 1];
        } else {
            /* A single point has no neighbour to say how wide it is. */
            edges[0] = n > 1 ? x[0] - 0.5 * (x[1] - x[0]) : x[0] - 0.5;
            edges[n] =
                n > 1 ? x[n - 1] + 0.5 * (x[n - 1] - x[n - 2]) : x[0] + 0.5;
        }
    }
    if (axis->role == SF_ROLE_LAT)
        clip_to_poles(axis, edges);
    if (axis->role == SF_ROLE_R)
        for (int64_t i = 0; i <= n; i++)
            edges[i] = fmax(edges[i], 0.0);
}

/* ---- checks ----------------------------------------------------------------- */

static sf_status check_monotonic(sf_context *ctx, const sf_axis *axis)
{
    const double *x = axis->coords;
    const bool falls = axis->count > 1 && x[1] < x[0];
    for (int64_t i = 0; i < axis->count; i++) {
        if (!isfinite(x[i]))
            return SFI_FAIL(ctx, SF_E_ARG,
                            "grid: axis \"%s\": coordinate %lld is %g, want a "
                            "finite number",
                            axis->name, (long long)i, x[i]);
        if (i > 0 && !(falls ? x[i] < x[i - 1] : x[i] > x[i - 1]))
            return SFI_FAIL(ctx, SF_E_ARG,
                            "grid: axis \"%s\": coordinate %lld is %.17g after "
                            "%.17g, want them to %s",
                            axis->name, (long long)i, x[i], x[i - 1],
                            falls ? "fall" : "grow");
    }
    return SF_OK;
}

static sf_status check_edges(sf_context *ctx, const sf_axis *axis)
{
    const double *e = axis->edges, *x = axis->coords;
    if (e == NULL)
        return SF_OK;
    const double sign = e[axis->count] < e[0] ? -1.0 : 1.0;
    /* Bounds in float may miss their points by a rounding. */
    const double slack = 1e-6 * fabs(e[axis->count] - e[0]);
    for (int64_t i = 0; i < axis->count; i++)
        if (!isfinite(e[i]) || !isfinite(e[i + 1]) ||
            !(sign * (e[i + 1] - e[i]) > 0.0) ||
            !(sign * (x[i] - e[i]) >= -slack) ||
            !(sign * (e[i + 1] - x[i]) >= -slack))
            return SFI_FAIL(ctx, SF_E_ARG,
                            "grid: axis \"%s\": cell %lld from %.17g to %.17g, "
                            "want edges in order around its point %.17g",
                            axis->name, (long long)i, e[i], e[i + 1], x[i]);
    return SF_OK;
}

/* What only some roles allow. */
static sf_status check_role(sf_context *ctx, const sf_axis *axis)
{
    const double *x = axis->coords;
    const double radian = sfi_axis_radian(axis);
    for (int64_t i = 0; i < axis->count; i++) {
        if (axis->role == SF_ROLE_R && x[i] < 0.0)
            return SFI_FAIL(ctx, SF_E_ARG,
                            "grid: axis \"%s\": a radius of %g, want >= 0",
                            axis->name, x[i]);
        if (axis->role == SF_ROLE_LAT &&
            fabs(x[i]) * radian > 0.5 * PI * (1.0 + 1e-6))
            return SFI_FAIL(ctx, SF_E_ARG,
                            "grid: axis \"%s\": a latitude of %g, want none "
                            "beyond a pole",
                            axis->name, x[i]);
    }
    return SF_OK;
}

static sf_status check_sides(sf_context *ctx, const sf_axis *axis)
{
    const sf_side *sides[] = {&axis->low, &axis->high};
    const bool is_closed = axis->period > 0.0;
    for (int i = 0; i < 2; i++) {
        const sf_side *s = sides[i];
        const bool wants_value = s->kind == SF_SIDE_PIN ||
                                 s->kind == SF_SIDE_FLUX ||
                                 s->kind == SF_SIDE_ROBIN;
        if ((unsigned)s->kind > SF_SIDE_OPEN ||
            wants_value != (s->value != NULL) ||
            (s->kind == SF_SIDE_ROBIN) != (s->factor != NULL))
            return SFI_FAIL(ctx, SF_E_ARG,
                            "grid: axis \"%s\": the side at its %s has kind %d "
                            "and %s value",
                            axis->name, i == 0 ? "low end" : "high end",
                            (int)s->kind, s->value != NULL ? "a" : "no");
        if ((s->kind == SF_SIDE_PERIODIC) != is_closed &&
            !(is_closed && s->kind == SF_SIDE_NATURAL))
            return SFI_FAIL(ctx, SF_E_ARG,
                            "grid: axis \"%s\": a period of %g, and a side "
                            "that is %speriodic",
                            axis->name, axis->period, is_closed ? "not " : "");
    }
    return SF_OK;
}

sf_status sfi_axis_check(sf_context *ctx, const sf_axis *axis)
{
    if (axis->name == NULL || axis->name[0] == '\0')
        return SFI_FAIL(ctx, SF_E_ARG, "grid: an axis has no name");
    if (axis->count < 1 || axis->coords == NULL ||
        (unsigned)axis->role > SF_ROLE_T ||
        (unsigned)axis->placement > SF_NODES)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "grid: axis \"%s\": %lld points, want at least 1, and "
                        "their coordinates",
                        axis->name, (long long)axis->count);
    SFI_TRY(check_monotonic(ctx, axis));
    const double length = fabs(axis->coords[axis->count - 1] - axis->coords[0]);
    if (!(axis->period >= 0.0) || !isfinite(axis->period) ||
        (axis->period > 0.0 && !(length < axis->period)))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "grid: axis \"%s\": a period of %g, but its points "
                        "reach over %g",
                        axis->name, axis->period, length);
    SFI_TRY(check_role(ctx, axis));
    SFI_TRY(check_edges(ctx, axis));
    return check_sides(ctx, axis);
}

bool sfi_axis_same(const sf_axis *a, const sf_axis *b, double tolerance,
                   int64_t *first)
{
    *first = -1;
    if (a->count != b->count)
        return false;
    for (int64_t i = 0; i < a->count; i++) {
        const int64_t j = i > 0 ? i - 1 : a->count > 1 ? 1 : 0;
        const double step = fabs(a->coords[i] - a->coords[j]);
        const double slack = step > 0.0 ? tolerance * step : tolerance;
        if (!(fabs(a->coords[i] - b->coords[i]) <= slack)) {
            *first = i;
            return false;
        }
    }
    return true;
}
