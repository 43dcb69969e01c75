/* SPDX-License-Identifier: Apache-2.0 */
/* modes.c - transforms along each axis, and what they make of the quadratic part. */
#include "action/modes.h"

#include "action/quadratic.h"

#include <math.h>
#include <string.h>

/* ---- along an axis ---------------------------------------------------------------------- */

typedef struct axis_kind {
    sfi_transform_axis axis;
    sfi_transform_kind transform;
} axis_kind;

static bool kind_of(sf_action *a, int k, axis_kind *out)
{
    if (!sfi_transform_axis_of(a, k, &out->axis) ||
        out->axis.low == SFI_WALL_OPEN || out->axis.high == SFI_WALL_OPEN)
        return false;
    out->transform =
        sfi_transform_of_walls(out->axis.low, out->axis.high, out->axis.cells);
    return true;
}

static sf_status plan_axis(sfi_modes *m, int k, const axis_kind *kind)
{
    sf_context *ctx = m->a->ctx;
    m->count[k] = kind->axis.count;
    m->scale *= sfi_transform_scale(kind->transform, m->count[k]);
    SFI_TRY(sfi_transform_new(ctx, &m->there[k], kind->transform, m->count[k],
                              SFI_TRANSFORM_BEST));
    return sfi_transform_new(ctx, &m->back[k],
                             sfi_transform_inverse(kind->transform),
                             m->count[k], SFI_TRANSFORM_BEST);
}

/* The squared length of each column of B under the volumes, and the eigenvalue of -D^2. */
static void axis_modes(const sfi_modes *m, int k, const axis_kind *kind,
                       double *column, double *lengths, double *eigenvalues)
{
    const int64_t n = m->count[k];
    const bool half[2] = {
        kind->axis.low == SFI_WALL_NATURAL && !kind->axis.cells,
        kind->axis.high == SFI_WALL_NATURAL && !kind->axis.cells};
    for (int64_t mode = 0; mode < n; mode++) {
        sfi_line_array line = {.dtype = SF_F64,
                               .data = column,
                               .rank = 1,
                               .count = {n},
                               .step = {1}};
        memset(column, 0, (size_t)n * sizeof *column);
        column[mode] = 1.0;
        sfi_transform_run(m->back[k], &line);
        lengths[mode] = 0.0;
        for (int64_t i = 0; i < n; i++) {
            const bool at_wall = (i == 0 && half[0]) || (i == n - 1 && half[1]);
            lengths[mode] +=
                (at_wall ? 0.5 : 1.0) * kind->axis.h * column[i] * column[i];
        }
        eigenvalues[mode] = sfi_transform_eigenvalue(kind->transform, n, mode) /
                            (kind->axis.h * kind->axis.h);
    }
}

/* ---- of the box --------------------------------------------------------------------------- */

static sf_status fill(sfi_modes *m, const double *c, const axis_kind *kinds)
{
    sf_context *ctx = m->a->ctx;
    int64_t inner = m->n;
    for (int64_t i = 0; i < m->n; i++) {
        m->lambda[i] = m->mass;
        m->lengths[i] = 1.0;
    }
    for (int k = 0; k < m->a->rank; k++) {
        const size_t n = (size_t)m->count[k];
        double *room = sfi_alloc(ctx, 3 * n, sizeof *room);
        if (room == NULL)
            return SF_E_NOMEM;
        axis_modes(m, k, &kinds[k], room, room + n, room + 2 * n);
        inner /= m->count[k];
        for (int64_t i = 0; i < m->n; i++) {
            const size_t mode = (size_t)(i / inner % m->count[k]);
            m->lengths[i] *= room[n + mode];
            m->lambda[i] += c[k] * room[2 * n + mode];
        }
        sfi_free(ctx, room, 3 * n, sizeof *room);
    }
    return SF_OK;
}

static sf_status plan(sfi_modes *m, const double *c, const axis_kind *kinds)
{
    for (int k = 0; k < m->a->rank; k++)
        SFI_TRY(plan_axis(m, k, &kinds[k]));
    m->lambda = sfi_alloc(m->a->ctx, 2 * (size_t)m->n, sizeof *m->lambda);
    if (m->lambda == NULL)
        return SF_E_NOMEM;
    m->lengths = m->lambda + m->n;
    return fill(m, c, kinds);
}

sf_status sfi_modes_new(sf_action *a, sfi_modes *out, bool *fits)
{
    axis_kind kinds[SF_MAX_AXES];
    double c[SF_MAX_AXES];
    *out = (sfi_modes){.a = a, .n = a->free_count, .scale = 1.0};
    *fits = a->unknowns == 1 && a->rank <= SFI_TRANSFORM_AXES &&
            sf_grid_geometry(a->grid) == SF_GEOMETRY_CARTESIAN &&
            sfi_quadratic_part(a, 0, c, &out->mass);
    for (int k = 0; k < a->rank && *fits; k++)
        *fits = c[k] > 0.0 && kind_of(a, k, &kinds[k]);
    sf_status status = sf_graph_status(a->graph);
    if (status == SF_OK && *fits)
        status = plan(out, c, kinds);
    if (status != SF_OK)
        sfi_modes_free(out);
    return status;
}

void sfi_modes_free(sfi_modes *m)
{
    for (int k = 0; k < SF_MAX_AXES; k++) {
        sfi_transform_free(m->there[k]);
        sfi_transform_free(m->back[k]);
    }
    if (m->a != NULL)
        sfi_free(m->a->ctx, m->lambda, 2 * (size_t)m->n, sizeof *m->lambda);
    memset(m, 0, sizeof *m);
}

static void run(const sfi_modes *m, sfi_transform *const *plans, double *z)
{
    sfi_line_array lines = {.dtype = SF_F64, .data = z, .rank = m->a->rank};
    int64_t step = 1;
    for (int k = m->a->rank - 1; k >= 0; k--) {
        lines.count[k] = m->count[k];
        lines.step[k] = step;
        step *= m->count[k];
    }
    for (lines.axis = 0; lines.axis < m->a->rank; lines.axis++)
        sfi_transform_run(plans[lines.axis], &lines);
}

void sfi_modes_there(const sfi_modes *m, double *z)
{
    run(m, m->there, z);
}

void sfi_modes_back(const sfi_modes *m, double *z)
{
    run(m, m->back, z);
}
