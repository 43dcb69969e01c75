/* SPDX-License-Identifier: Apache-2.0 */
/* thermal.c - coordinates in which a field at a temperature is nearly standard normal.
 *
 * With the modes B of the quadratic part K (action/modes.h),
 *
 *     phi = B S y,  S = (T/(lambda D))^1/2   gives   phi' K phi/(2 T) = y.y/2,
 *     d/dy = S B' d/dphi,                    B' = D A V^-1/c. */
#include "scorefield/thermal.h"

#include "action/modes.h"
#include "base/random.h"

#include <math.h>
#include <string.h>

struct sf_thermal {
    sf_context *ctx;
    sf_action *a;
    double temperature;
    int64_t n, points; /* unknowns; numbers of all fields                    */
    bool has_modes;
    sfi_modes modes;
    double *lambda; /* [n] of the modes, made positive                       */
    double *scale;  /* [n] S                                                 */
    double *gather; /* [n] S D/c                                             */
    double *volume; /* [points of a field]                                   */
    double *x, *g;  /* [points]                                              */
    double *z;      /* [n]                                                   */
};

/* ---- modes ------------------------------------------------------------------------------ */

/* A mode that the quadratic part does not hold is held by the rest of the action: some scale
 * of that size will do, that of m^2 or of the least other eigenvalue. */
static void hold_modes(sf_thermal *t)
{
    const sfi_modes *m = &t->modes;
    double least = INFINITY;
    for (int64_t i = 0; i < t->n; i++)
        if (m->lambda[i] > 0.0)
            least = fmin(least, m->lambda[i]);
    for (int64_t i = 0; i < t->n; i++) {
        const double bare = m->lambda[i] - m->mass;
        t->lambda[i] = m->mass != 0.0 ? bare + fabs(m->mass)
                       : bare > 0.0   ? bare
                                      : least;
        t->scale[i] = sqrt(t->temperature / (t->lambda[i] * m->lengths[i]));
        t->gather[i] = t->scale[i] * m->lengths[i] / m->scale;
    }
}

/* ---- coordinates ------------------------------------------------------------------------ */

/* t->x of y. */
static void to_field(sf_thermal *t, const double *y)
{
    for (int64_t i = 0; i < t->n; i++)
        t->z[i] = t->scale[i] * y[i];
    if (t->has_modes)
        sfi_modes_back(&t->modes, t->z);
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
        sfi_modes_there(&t->modes, gradient);
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
    sfi_modes_free(&t->modes);
    sfi_free(t->ctx, t->lambda, 4 * n, sizeof *t->lambda);
    sfi_free(t->ctx, t->x, 3 * (size_t)t->points, sizeof *t->x);
    sfi_free(t->ctx, t, 1, sizeof *t);
}

/* By each value's own curvature, where there is one. */
static sf_status scale_by_diagonal(sf_thermal *t)
{
    memset(t->x, 0, (size_t)t->points * sizeof *t->x);
    for (int u = 0; u < t->a->unknowns; u++)
        sfi_action_pin(t->a, u, t->x + u * t->a->points);
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
    SFI_TRY(sfi_modes_new(t->a, &t->modes, &t->has_modes));
    if (!t->has_modes)
        return scale_by_diagonal(t);
    hold_modes(t);
    return SF_OK;
}

sf_status sf_thermal_new(sf_context *ctx, sf_thermal **out, sf_action *action,
                         double temperature)
{
    *out = NULL;
    if (!(temperature > 0.0) || isinf(temperature))
        return SFI_FAIL(ctx, SF_E_ARG, "thermal: temperature is %g, want > 0",
                        temperature);
    SFI_TRY(sfi_action_check_scalars(action, "thermal"));
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
    const double scale = t->has_modes ? t->modes.scale : 1.0;
    SFI_TRY(sfi_action_gather(t->a, fields, t->x));
    sfi_action_collect(t->a, t->x, y);
    if (t->has_modes)
        sfi_modes_there(&t->modes, y);
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
