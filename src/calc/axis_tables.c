/* SPDX-License-Identifier: Apache-2.0 */
/* axis_tables.c - numbers that depend on one axis alone: coordinates, metric factors, and the
 * weights of difference formulas.
 *
 * Weights are those of the order + 1 points that lie nearest, so there is one rule for
 * uniform and stretched axes and for the points near an end.  A closed axis goes on a
 * period further. */
#include "calc/calculation.h"

#include <math.h>

/* The Earth's rotation in radians a second (IERS Conventions 2010, table 1.1). */
#define OMEGA 7.292115e-5

#define RADIAN (3.14159265358979323846 / 180.0) /* of a degree */

static const sf_axis *axis_of(const sfi_calc *c, int axis)
{
    return sf_grid_axis(c->grid, axis);
}

sf_status sfi_axis_clock(const sfi_calc *c, int axis, bool needs_dates,
                         sfi_clock_unit *out)
{
    const sf_axis *a = axis_of(c, axis);
    sf_status status = sfi_time_read(c->ctx, out, a->unit, a->calendar);
    /* A unit has as many seconds in any calendar. */
    if (status != SF_OK && !needs_dates)
        status = sfi_time_read(c->ctx, out, a->unit, NULL);
    return status;
}

double sfi_axis_factor(const sfi_calc *c, int axis)
{
    const sf_axis *a = axis_of(c, axis);
    sfi_clock_unit clock;
    if (sfi_role_is_angle(a->role))
        return c->grid->radian[axis];
    if (sfi_time_is_dated(a->unit) &&
        sfi_axis_clock(c, axis, false, &clock) == SF_OK)
        return clock.seconds;
    return 1.0;
}

bool sfi_axis_pole_at(const sfi_calc *c, int axis, int64_t i)
{
    const sf_axis *a = axis_of(c, axis);
    return a->role == SF_ROLE_LAT && i >= 0 && i < a->count &&
           sfi_axis_is_pole(a, a->coords[i]);
}

/* The spacing of an axis on which all steps are equal, else 0. */
static double step_of(const sf_axis *a)
{
    const double step = sfi_axis_step(a);
    if (step == 0.0 || !(a->period > 0.0))
        return step;
    const double closed = copysign(a->period / (double)a->count, step);
    return fabs(closed - step) <= 1e-4 * fabs(step) ? closed : 0.0;
}

bool sfi_axis_is_uniform(const sfi_calc *c, int axis)
{
    return step_of(axis_of(c, axis)) != 0.0;
}

/* Coordinate i, which may be beyond the ends of a closed axis. */
static double coordinate(const sf_axis *a, int64_t i)
{
    if (!(a->period > 0.0))
        return a->coords[i < 0 ? 0 : i >= a->count ? a->count - 1 : i];
    const int64_t turns =
        i >= 0 ? i / a->count : -((a->count - 1 - i) / a->count);
    const double turn =
        a->count > 1 && a->coords[1] < a->coords[0] ? -a->period : a->period;
    return a->coords[i - turns * a->count] + (double)turns * turn;
}

int sfi_points_at(const sfi_calc *c, int axis, int m, int64_t i, int *offsets,
                  double *weights)
{
    const sf_axis *a = axis_of(c, axis);
    const double factor = sfi_axis_factor(c, axis);
    const bool is_closed = a->period > 0.0;
    int n = c->o.order + 1;
    if (!is_closed && n > a->count)
        n = (int)a->count;
    int64_t first = i - n / 2;
    if (!is_closed && first < 0)
        first = 0;
    if (!is_closed && first > a->count - n)
        first = a->count - n;
    const double step = step_of(a);
    double x[SFI_MOST_POINTS];
    for (int k = 0; k < n; k++) {
        offsets[k] = (int)(first + k - i);
        x[k] = step != 0.0 ? offsets[k] * step
                           : coordinate(a, first + k) - coordinate(a, i);
        x[k] *= factor;
    }
    if (m >= n) { /* too few points for any formula */
        for (int k = 0; k < n; k++)
            weights[k] = NAN;
        return n;
    }
    sfi_fornberg(0.0, n, x, m, weights);
    /* Off its ends an axis has formulas that are even or odd. */
    for (int k = 0; k < n; k++)
        if (step != 0.0 && offsets[k] == 0 && m == 1 && offsets[0] == -(n / 2))
            weights[k] = 0.0;
    return n;
}

/* [cos_+ (f_+ - f)/d_+  -  cos_- (f - f_-)/d_-] / (cos (phi_+ - phi_-)/2) */
static double laplat(const sfi_calc *c, int axis, int64_t i, int q)
{
    const sf_axis *a = axis_of(c, axis);
    if (i < 1 || i > a->count - 2)
        return NAN;
    const double radian = c->grid->radian[axis];
    const double below = a->coords[i - 1] * radian,
                 here = a->coords[i] * radian,
                 above = a->coords[i + 1] * radian;
    const double width = 0.5 * (above - below) * cos(here);
    const double low = cos(0.5 * (below + here)) / (here - below) / width;
    const double high = cos(0.5 * (here + above)) / (above - here) / width;
    return q == 0 ? low : q == 2 ? high : -(low + high);
}

static double weight(const sfi_calc *c, int axis, int m, int64_t i, int q)
{
    int offsets[SFI_MOST_POINTS];
    double weights[SFI_MOST_POINTS];
    const int n = sfi_points_at(c, axis, m, i, offsets, weights);
    return q < n ? weights[q] : 0.0;
}

static double value(const sfi_calc *c, int axis, sfi_table_rule rule, int q,
                    int64_t i)
{
    const sf_axis *a = axis_of(c, axis);
    const double x = coordinate(a, i);
    const double angle = x * c->grid->radian[axis];
    const bool is_pole = a->role == SF_ROLE_LAT && sfi_axis_is_pole(a, x);
    switch (rule) {
    case SFI_TABLE_COORD:
        return x;
    case SFI_TABLE_INVERSE_COS:
        return is_pole ? 0.0 : 1.0 / cos(angle);
    case SFI_TABLE_TAN:
        return is_pole ? 0.0 : tan(angle);
    case SFI_TABLE_INVERSE_A:
        return 1.0 / sf_grid_radius(c->grid);
    case SFI_TABLE_INVERSE_ACOS:
        return is_pole ? 0.0 : 1.0 / (sf_grid_radius(c->grid) * cos(angle));
    case SFI_TABLE_TAN_A:
        return is_pole ? 0.0 : tan(angle) / sf_grid_radius(c->grid);
    case SFI_TABLE_CORIOLIS:
        return q == 1 && fabs(sin(angle)) < sin(5.0 * RADIAN)
                   ? NAN
                   : 2.0 * OMEGA * sin(angle);
    case SFI_TABLE_INVERSE_R:
        return x == 0.0 ? 0.0 : 1.0 / x;
    case SFI_TABLE_FIRST:
        return weight(c, axis, 1, i, q);
    case SFI_TABLE_SECOND:
        return weight(c, axis, 2, i, q);
    case SFI_TABLE_LAPLAT:
        return laplat(c, axis, i, q);
    }
    return NAN;
}

int sfi_table_find(sfi_calc *c, int axis, sfi_table_rule rule, int q)
{
    for (size_t t = 0; t < c->table_count; t++)
        if (c->tables[t].axis == axis && c->tables[t].rule == (int)rule &&
            c->tables[t].q == q)
            return (int)t;
    sfi_table *grown = sfi_grow(c->ctx, c->tables, &c->table_capacity,
                                c->table_count + 1, sizeof *grown);
    if (grown == NULL)
        return -1;
    c->tables = grown;
    const int64_t count = axis_of(c, axis)->count;
    double *block =
        sfi_alloc(c->ctx, (size_t)(count + 2 * SFI_TABLE_PAD), sizeof *block);
    if (block == NULL)
        return -1;
    for (int64_t i = -SFI_TABLE_PAD; i < count + SFI_TABLE_PAD; i++)
        block[i + SFI_TABLE_PAD] = value(c, axis, rule, q, i);
    grown[c->table_count] =
        (sfi_table){.axis = axis, .rule = (int)rule, .q = q, .block = block};
    return (int)c->table_count++;
}

double sfi_table_at(const sfi_calc *c, int table, int64_t i)
{
    return c->tables[table].block[i + SFI_TABLE_PAD];
}

sfi_unit sfi_table_unit(const sfi_calc *c, int table)
{
    const sfi_table *t = &c->tables[table];
    const sf_axis *a = axis_of(c, t->axis);
    sfi_unit unit = {.is_known = true, .text = "1"}, own;
    switch ((sfi_table_rule)t->rule) {
    case SFI_TABLE_COORD:
        if (c->units == NULL || sfi_time_is_dated(a->unit))
            return (sfi_unit){0};
        (void)sfi_unit_read(c->units, a->unit, &unit);
        return unit;
    case SFI_TABLE_INVERSE_A:
    case SFI_TABLE_INVERSE_ACOS:
    case SFI_TABLE_TAN_A:
        return (sfi_unit){.is_known = true, .text = "m-1"};
    case SFI_TABLE_CORIOLIS:
        return (sfi_unit){.is_known = true, .text = "s-1"};
    case SFI_TABLE_INVERSE_R:
        if (c->units == NULL)
            return (sfi_unit){0};
        (void)sfi_unit_read(c->units, a->unit, &own);
        return sfi_unit_product(&unit, 1, &own, -1);
    default:
        return unit;
    }
}

/* ---- weights ---------------------------------------------------------------------- */

/* Whether cells end midway between points: then no bounds were given, or say nothing. */
static bool is_midway(const sf_axis *a)
{
    for (int64_t i = 1; i < a->count; i++) {
        const double middle = 0.5 * (a->coords[i - 1] + a->coords[i]);
        const double step = fabs(a->coords[i] - a->coords[i - 1]);
        if (fabs(a->edges[i] - middle) > 1e-9 * step)
            return false;
    }
    return true;
}

double sfi_axis_weight(const sfi_calc *c, int axis, int64_t i)
{
    const sf_axis *a = sf_grid_axis(c->grid, axis);
    const double *weights = sf_grid_weights(c->grid, axis);
    if (weights == NULL || (a->role == SF_ROLE_T && is_midway(a)))
        return 1.0;
    return weights[i];
}

int sfi_axis_month(const sfi_calc *c, int64_t i)
{
    const sf_axis *a =
        sf_grid_axis(c->grid, sf_grid_find_role(c->grid, SF_ROLE_T));
    sfi_clock_unit clock;
    sfi_date date;
    if (i < 0 || i >= a->count ||
        sfi_time_read(c->ctx, &clock, a->unit, a->calendar) != SF_OK ||
        !sfi_time_date(&clock, a->coords[i], &date))
        return 0;
    return date.month - 1;
}
