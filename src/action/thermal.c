/* SPDX-License-Identifier: Apache-2.0 */
/* thermal.c - coordinates in which a field at a temperature is nearly standard normal.
 *
 * With B the transform that goes back from the modes, A the one there, A B = c, columns of B
 * that are orthogonal under the volumes V of the points, B' V B = D, and V^-1 K B = B diag(lambda)
 * for the quadratic part K,
 *
 *     phi = B S y,  S = (T/(lambda D))^1/2   gives   phi' K phi/(2 T) = y.y/2,
 *     d/dy = S B' d/dphi,                    B' = D A V^-1/c.
 *
 * D is the product of the squared lengths of the columns along each axis. */
#include "scorefield/thermal.h"

#include "action/quadratic.h"
#include "base/random.h"
#include "num/transform.h"

#include <math.h>
#include <string.h>

struct sf_thermal {
    sf_context *ctx;
    sf_action *a;
    double temperature;
    int64_t n, points; /* unknowns; numbers of all fields                    */
    bool has_modes;
    sfi_transform *there[SF_MAX_AXES], *back[SF_MAX_AXES];
    int64_t count[SF_MAX_AXES]; /* of the box of free points                 */
    double *lambda;             /* [n] of modes                              */
    double *scale;              /* [n] S                                     */
    double *gather;             /* [n] S D/c                                 */
    double *volume;             /* [points of a field]                       */
    double *x, *g;              /* [points]                                  */
    double *z;                  /* [n]                                       */
};

/* ---- modes ------------------------------------------------------------------------------ */

/* Plan the transforms; false if the box has none. */
static sf_status plan_axes(sf_thermal *t, bool *fits)
{
    const sf_action *a = t->a;
    *fits = a->unknowns == 1 && a->rank <= SFI_TRANSFORM_AXES &&
            sf_grid_geometry(a->grid) == SF_GEOMETRY_CARTESIAN;
    for (int k = 0; k < a->rank && *fits; k++) {
        sfi_wall low, high;
        *fits = a->is_uniform[k] && sfi_transform_wall(a, 2 * k, &low) &&
                sfi_transform_wall(a, 2 * k + 1, &high);
        if (!*fits)
            break;
        const bool cells = sfi_is_cells(a, k);
        const sfi_transform_kind kind =
            sfi_transform_of_walls(low, high, cells);
        t->count[k] = a->count[k] - (low == SFI_WALL_PIN && !cells) -
                      (high == SFI_WALL_PIN && !cells);
        SFI_TRY(sfi_transform_new(t->ctx, &t->there[k], kind, t->count[k],
                                  SFI_TRANSFORM_BEST));
        SFI_TRY(sfi_transform_new(t->ctx, &t->back[k],
                                  sfi_transform_inverse(kind), t->count[k],
                                  SFI_TRANSFORM_BEST));
    }
    return SF_OK;
}

/* Along an axis: the squared lengths of the columns of B under its volumes, and the
 * eigenvalues of -D^2. */
static sf_status axis_modes(sf_thermal *t, int k, double *lengths,
                            double *eigenvalues, double *scale)
{
    const sf_action *a = t->a;
    const int64_t n = t->count[k];
    const sf_axis *axis = sf_grid_axis(a->grid, k);
    const double h = sfi_is_closed(a, k) ? axis->period / (double)axis->count
                                         : fabs(sfi_axis_step(axis));
    sfi_wall low, high;
    (void)sfi_transform_wall(a, 2 * k, &low);
    (void)sfi_transform_wall(a, 2 * k + 1, &high);
    const bool cells = sfi_is_cells(a, k);
    const sfi_transform_kind kind = sfi_transform_of_walls(low, high, cells);
    double *column = sfi_alloc(t->ctx, (size_t)n, sizeof *column);
    if (column == NULL)
        return SF_E_NOMEM;
    for (int64_t m = 0; m < n; m++) {
        sfi_line_array line = {.dtype = SF_F64,
                               .data = column,
                               .rank = 1,
                               .count = {n},
                               .step = {1}};
        memset(column, 0, (size_t)n * sizeof *column);
        column[m] = 1.0;
        sfi_transform_run(t->back[k], &line);
        lengths[m] = 0.0;
        for (int64_t i = 0; i < n; i++) {
            const bool half =
                (i == 0 && low == SFI_WALL_NATURAL && !cells) ||
                (i == n - 1 && high == SFI_WALL_NATURAL && !cells);
            lengths[m] += (half ? 0.5 : 1.0) * h * column[i] * column[i];
        }
        eigenvalues[m] = sfi_transform_eigenvalue(kind, n, m) / (h * h);
    }
    *scale *= sfi_transform_scale(kind, n);
    sfi_free(t->ctx, column, (size_t)n, sizeof *column);
    return SF_OK;
}

/* lambda, S and S D/c of all modes, for coefficients c and m^2. */
static sf_status fill_modes(sf_thermal *t, const double *c, double mass)
{
    const sf_action *a = t->a;
    double scale = 1.0, least = INFINITY;
    for (int64_t i = 0; i < t->n; i++) {
        t->lambda[i] = 0.0;
        t->gather[i] = 1.0;
    }
    int64_t inner = t->n;
    for (int k = 0; k < a->rank; k++) {
        const size_t n = (size_t)t->count[k];
        double *room = sfi_alloc(t->ctx, 2 * n, sizeof *room);
        if (room == NULL)
            return SF_E_NOMEM;
        const sf_status status = axis_modes(t, k, room, room + n, &scale);
        inner /= t->count[k];
        for (int64_t i = 0; i < t->n && status == SF_OK; i++) {
            const int64_t m = i / inner % t->count[k];
            t->gather[i] *= room[m];
            t->lambda[i] += c[k] * room[n + (size_t)m];
        }
        sfi_free(t->ctx, room, 2 * n, sizeof *room);
        SFI_TRY(status);
    }
    for (int64_t i = 0; i < t->n; i++)
        if (t->lambda[i] > 0.0)
            least = fmin(least, t->lambda[i]);
    /* A mode that the quadratic part does not hold is held by the rest of the action: some
     * scale of that size will do. */
    const double held = mass > 0.0 ? mass : mass < 0.0 ? -mass : least;
    for (int64_t i = 0; i < t->n; i++) {
        t->lambda[i] +=
            mass > 0.0 || t->lambda[i] == 0.0 || mass < 0.0 ? held : 0.0;
        const double d = t->gather[i];
        t->scale[i] = sqrt(t->temperature / (t->lambda[i] * d));
        t->gather[i] = t->scale[i] * d / scale;
    }
    return SF_OK;
}

static sf_status find_modes(sf_thermal *t)
{
    double c[SF_MAX_AXES], mass = 0.0;
    bool fits = sfi_quadratic_part(t->a, 0, c, &mass);
    SFI_TRY(sf_graph_status(t->a->graph));
    for (int k = 0; k < t->a->rank && fits; k++)
        fits = c[k] > 0.0;
    if (fits)
        SFI_TRY(plan_axes(t, &fits));
    if (fits)
        SFI_TRY(fill_modes(t, c, mass));
    t->has_modes = fits;
    return SF_OK;
}

/* ---- coordinates ------------------------------------------------------------------------ */

static void transform(const sf_thermal *t, sfi_transform *const *plans,
                      double *z)
{
    sfi_line_array lines = {.dtype = SF_F64, .data = z, .rank = t->a->rank};
    int64_t step = 1;
    for (int k = t->a->rank - 1; k >= 0; k--) {
        lines.count[k] = t->count[k];
        lines.step[k] = step;
        step *= t->count[k];
    }
    for (lines.axis = 0; lines.axis < t->a->rank; lines.axis++)
        sfi_transform_run(plans[lines.axis], &lines);
}

/* t->x of y. */
static void to_field(sf_thermal *t, const double *y)
{
    for (int64_t i = 0; i < t->n; i++)
        t->z[i] = t->scale[i] * y[i];
    if (t->has_modes)
        transform(t, t->back, t->z);
    sfi_action_spread(t->a, t->z, t->x, true);
}

/* ---- as a functional ---------------------------------------------------------------------- */

static sf_status value_and_gradient(sf_thermal *t, double *value,
                                    double *gradient, const double *y)
{
    const sf_action *a = t->a;
    to_field(t, y);
    if (value != NULL) {
        SFI_TRY(sfi_action_value(t->a, t->x, value));
        *value /= t->temperature;
    }
    if (gradient == NULL)
        return SF_OK;
    SFI_TRY(sfi_action_gradient(t->a, t->x, t->g));
    for (int64_t i = 0; i < t->points && t->has_modes; i++)
        t->g[i] /= t->volume[i % a->points];
    sfi_action_collect(t->a, t->g, gradient);
    if (t->has_modes)
        transform(t, t->there, gradient);
    const double *by = t->has_modes ? t->gather : t->scale;
    for (int64_t i = 0; i < t->n; i++)
        gradient[i] *= by[i] / t->temperature;
    return SF_OK;
}

static sf_status value(sf_context *ctx, void *user, double *value,
                       const double *y, int64_t walkers)
{
    sf_thermal *t = user;
    (void)ctx;
    for (int64_t w = 0; w < walkers; w++)
        SFI_TRY(value_and_gradient(t, value + w, NULL, y + w * t->n));
    return SF_OK;
}

static sf_status gradient(sf_context *ctx, void *user, double *value,
                          double *gradient, const double *y, int64_t walkers)
{
    sf_thermal *t = user;
    (void)ctx;
    for (int64_t w = 0; w < walkers; w++)
        SFI_TRY(value_and_gradient(t, value != NULL ? value + w : NULL,
                                   gradient + w * t->n, y + w * t->n));
    return SF_OK;
}

sf_status sf_thermal_functional(sf_thermal *t, sf_functional *out)
{
    const sf_functional none = SF_FUNCTIONAL_INIT;
    *out = none;
    out->name = "field at a temperature";
    out->unknowns = t->n;
    out->user = t;
    out->value = value;
    out->gradient = gradient;
    return SF_OK;
}

/* ---- making ----------------------------------------------------------------------------- */

void sf_thermal_free(sf_thermal *t)
{
    if (t == NULL)
        return;
    const size_t n = (size_t)t->n;
    for (int k = 0; k < SF_MAX_AXES; k++) {
        sfi_transform_free(t->there[k]);
        sfi_transform_free(t->back[k]);
    }
    sfi_free(t->ctx, t->lambda, 4 * n, sizeof *t->lambda);
    sfi_free(t->ctx, t->x, 3 * (size_t)t->points, sizeof *t->x);
    sfi_free(t->ctx, t, 1, sizeof *t);
}

/* By each value's own curvature, where there is one. */
static sf_status scale_by_diagonal(sf_thermal *t)
{
    memset(t->x, 0, (size_t)t->points * sizeof *t->x);
    for (int u = 0; u < t->a->unknowns; u++)
        sfi_action_pin(t->a, t->x + u * t->a->points);
    SFI_TRY(sfi_action_diagonal(t->a, t->x, t->g));
    sfi_action_collect(t->a, t->g, t->scale);
    for (int64_t i = 0; i < t->n; i++) {
        const double d = t->scale[i];
        t->scale[i] = sqrt(t->temperature / (d > 0.0 ? d : 1.0));
    }
    return SF_OK;
}

static sf_status make(sf_thermal *t)
{
    sf_action_info info;
    SFI_TRY(sf_action_describe(t->a, &info));
    if (t->a->is_open)
        return SFI_FAIL(t->ctx, SF_E_UNSUPPORTED,
                        "thermal: the field goes on beyond an open side; pin "
                        "it, or let it be natural");
    if (info.is_singular && info.is_linear)
        return SFI_FAIL(t->ctx, SF_E_UNSUPPORTED,
                        "thermal: a constant added to the field does not "
                        "change its energy, so exp(-E/T) has no integral; pin "
                        "a side or give it a mass, m^2*phi^2/2");
    t->n = info.unknowns;
    t->points = t->a->unknowns * t->a->points;
    const size_t n = (size_t)t->n, points = (size_t)t->points;
    t->lambda = sfi_alloc(t->ctx, 4 * n, sizeof *t->lambda);
    t->x = sfi_alloc(t->ctx, 3 * points, sizeof *t->x);
    if (t->lambda == NULL || t->x == NULL)
        return SF_E_NOMEM;
    t->scale = t->lambda + n;
    t->gather = t->scale + n;
    t->z = t->gather + n;
    t->g = t->x + points;
    t->volume = t->g + points;
    sfi_action_volumes(t->a, t->volume);
    SFI_TRY(find_modes(t));
    return t->has_modes ? SF_OK : scale_by_diagonal(t);
}

sf_status sf_thermal_new(sf_context *ctx, sf_thermal **out, sf_action *action,
                         double temperature)
{
    *out = NULL;
    if (!(temperature > 0.0) || isinf(temperature))
        return SFI_FAIL(ctx, SF_E_ARG, "thermal: temperature is %g, want > 0",
                        temperature);
    sf_thermal *t = sfi_alloc_zero(ctx, 1, sizeof *t);
    if (t == NULL)
        return SF_E_NOMEM;
    t->ctx = ctx;
    t->a = action;
    t->temperature = temperature;
    const sf_status status = make(t);
    if (status != SF_OK)
        sf_thermal_free(t);
    else
        *out = t;
    return status;
}

/* ---- fields ------------------------------------------------------------------------------- */

sf_status sf_thermal_field(sf_thermal *t, const double *y, sf_field *fields)
{
    to_field(t, y);
    sfi_action_scatter(t->a, t->x, fields);
    return SF_OK;
}

sf_status sf_thermal_coordinates(sf_thermal *t, const sf_field *fields,
                                 double *y)
{
    double scale = 1.0;
    SFI_TRY(sfi_action_gather(t->a, fields, t->x));
    sfi_action_collect(t->a, t->x, y);
    if (t->has_modes) {
        transform(t, t->there, y);
        for (int k = 0; k < t->a->rank; k++) {
            sfi_wall low, high;
            (void)sfi_transform_wall(t->a, 2 * k, &low);
            (void)sfi_transform_wall(t->a, 2 * k + 1, &high);
            scale *= sfi_transform_scale(
                sfi_transform_of_walls(low, high, sfi_is_cells(t->a, k)),
                t->count[k]);
        }
    }
    for (int64_t i = 0; i < t->n; i++)
        y[i] /= scale * t->scale[i];
    return SF_OK;
}

sf_status sf_thermal_start(sf_thermal *t, const sf_field *fields, uint64_t seed,
                           int64_t chains, double *y)
{
    for (int64_t c = 0; c < chains; c++) {
        const sfi_where where = {seed, (uint64_t)c, 0, SFI_STREAM_PRIOR};
        double *at = y + c * t->n;
        SFI_TRY(sf_thermal_coordinates(t, fields, at));
        for (int64_t j = 0; j < t->n && t->has_modes; j++)
            at[j] += sfi_normal_at(where, (uint32_t)j);
    }
    return SF_OK;
}

bool sf_thermal_has_modes(const sf_thermal *t)
{
    return t->has_modes;
}

void sf_thermal_eigenvalues(const sf_thermal *t, double *lambda)
{
    if (t->has_modes)
        memcpy(lambda, t->lambda, (size_t)t->n * sizeof *lambda);
}
