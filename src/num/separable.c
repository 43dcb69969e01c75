/* SPDX-License-Identifier: Apache-2.0 */
/* separable.c - transforms there, elimination, transforms back.
 *
 * What the transforms there and back multiply by is part of the tridiagonal matrix,
 * so that no pass over the array is spent on it.  At a natural wall of nodes the row
 * of the first axis is halved, matrix and right-hand side: the matrix is symmetric
 * then, and its weight is the node's volume. */
#include "num/separable.h"

#include "num/transform.h"
#include "num/tridiagonal.h"

#include <math.h>

struct sfi_separable {
    sf_context *ctx;
    int rank;
    sfi_separable_axis axes[SFI_SEPARABLE_AXES];
    sfi_transform *there[SFI_SEPARABLE_AXES], *back[SFI_SEPARABLE_AXES];
    double
        *lambda[SFI_SEPARABLE_AXES]; /* of the last axis with m^2; NULL of the
                                           first */
    sfi_tridiagonal *systems;
    double mass_only; /* the one lambda where there is but one axis */
    bool is_singular;
    /* Of an open first axis: what its ends add to the diagonal, [modes] each, and where the
     * mode that does not fall is computed, [count]. */
    double *closing[2];
    int64_t modes;
    double *sheet;
    double scale;
};

static sf_status check_axis(sf_context *ctx, int k, const sfi_separable_axis *a)
{
    if (a->count < 1)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "separable: axis %d has %lld points, want at least 1",
                        k, (long long)a->count);
    if (!(a->h > 0.0 && isfinite(1.0 / (a->h * a->h))))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "separable: spacing of axis %d is %g, want > 0", k,
                        a->h);
    if ((a->low == SFI_WALL_PERIODIC) != (a->high == SFI_WALL_PERIODIC))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "separable: axis %d is periodic on one side only", k);
    if (k > 0 && (a->low == SFI_WALL_OPEN || a->high == SFI_WALL_OPEN))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "separable: axis %d is open, only the first may be", k);
    return SF_OK;
}

static sf_status plan_axis(sfi_separable *s, int k, double m2, double *scale)
{
    const sfi_separable_axis *const a = &s->axes[k];
    const sfi_transform_kind kind =
        sfi_transform_of_walls(a->low, a->high, a->cells);
    SFI_TRY(sfi_transform_new(s->ctx, &s->there[k], kind, a->count,
                              SFI_TRANSFORM_BEST));
    SFI_TRY(sfi_transform_new(s->ctx, &s->back[k], sfi_transform_inverse(kind),
                              a->count, SFI_TRANSFORM_BEST));
    s->lambda[k] = sfi_alloc(s->ctx, (size_t)a->count, sizeof *s->lambda[k]);
    if (s->lambda[k] == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < a->count; i++)
        s->lambda[k][i] =
            sfi_transform_eigenvalue(kind, a->count, i) / (a->h * a->h) +
            (k == s->rank - 1 ? m2 : 0.0);
    *scale *= sfi_transform_scale(kind, a->count);
    return SF_OK;
}

/* The diagonal of the row at a wall, in units of 1/h^2, and its weight. */
static void close_wall(sfi_wall wall, bool cells, double *diagonal,
                       double *weight)
{
    if (wall == SFI_WALL_PIN) {
        *diagonal += cells ? 1.0 : 0.0; /* beyond: the negative value, or 0 */
    } else if (wall == SFI_WALL_NATURAL) {
        *diagonal -= 1.0; /* beyond: the same; or half of the row */
        *weight = cells ? *weight : 0.5 * *weight;
    }
}

static sf_status plan_first(sfi_separable *s, double scale)
{
    const sfi_separable_axis *const a = &s->axes[0];
    const size_t n = (size_t)a->count;
    double *const rows = sfi_alloc(s->ctx, 3 * n, sizeof *rows);
    if (rows == NULL)
        return SF_E_NOMEM;
    double *const diagonal = rows, *const beside = rows + n;
    double *const weight = rows + 2 * n;
    for (size_t i = 0; i < n; i++) {
        diagonal[i] = 2.0;
        beside[i] = -1.0;
        weight[i] = 1.0;
    }
    if (a->low != SFI_WALL_PERIODIC)
        beside[n - 1] = 0.0;
    close_wall(a->low, a->cells, &diagonal[0], &weight[0]);
    close_wall(a->high, a->cells, &diagonal[n - 1], &weight[n - 1]);
    const double coupling = scale / (a->h * a->h);
    for (size_t i = 0; i < n; i++) {
        diagonal[i] *= coupling;
        beside[i] *= coupling;
        weight[i] *= scale;
    }
    const sf_status status = sfi_tridiagonal_new(s->ctx, &s->systems, a->count,
                                                 diagonal, beside, weight);
    sfi_free(s->ctx, rows, 3 * n, sizeof *rows);
    s->scale = scale;
    return status;
}

static bool is_open(const sfi_separable *s)
{
    return s->axes[0].low == SFI_WALL_OPEN || s->axes[0].high == SFI_WALL_OPEN;
}

/* Mode 0, with eigenvalue 0, and nothing that holds it. */
static bool has_sheet(const sfi_separable *s)
{
    const sfi_separable_axis *const a = &s->axes[0];
    const double first = s->rank > 1 ? s->lambda[s->rank - 1][0] : s->mass_only;
    const double more = s->rank > 2 ? s->lambda[1][0] : 0.0;
    return is_open(s) && first + more == 0.0 && a->low != SFI_WALL_PIN &&
           a->high != SFI_WALL_PIN;
}

/* e^-mu with cosh mu = 1 + t/2 */
static double decay(double t)
{
    return 1.0 / (1.0 + 0.5 * t + sqrt(t * (1.0 + 0.25 * t)));
}

static sf_status plan_open(sfi_separable *s)
{
    const sfi_separable_axis *const a = &s->axes[0];
    const int last = s->rank - 1;
    const int64_t row = last > 0 ? s->axes[last].count : 1;
    const int64_t rows = last > 1 ? s->axes[1].count : 1;
    if (!is_open(s))
        return SF_OK;
    s->modes = row * rows;
    s->sheet = sfi_alloc(s->ctx, (size_t)a->count, sizeof *s->sheet);
    s->closing[0] =
        sfi_alloc_zero(s->ctx, 2 * (size_t)s->modes, sizeof *s->closing[0]);
    if (s->sheet == NULL || s->closing[0] == NULL)
        return SF_E_NOMEM;
    s->closing[1] = s->closing[0] + s->modes;
    for (int64_t m = 0; m < s->modes; m++) {
        const double lambda =
            (last > 0 ? s->lambda[last][m % row] : s->mass_only) +
            (last > 1 ? s->lambda[1][m / row] : 0.0);
        const double add =
            -s->scale / (a->h * a->h) * decay(lambda * a->h * a->h);
        if (m == 0 && has_sheet(s))
            continue; /* its matrix would be singular */
        s->closing[0][m] = a->low == SFI_WALL_OPEN ? add : 0.0;
        s->closing[1][m] = a->high == SFI_WALL_OPEN ? add : 0.0;
    }
    return SF_OK;
}

sf_status sfi_separable_new(sf_context *ctx, sfi_separable **out, int rank,
                            const sfi_separable_axis *axes, double m2)
{
    *out = NULL;
    if (rank < 1 || rank > SFI_SEPARABLE_AXES)
        return SFI_FAIL(ctx, SF_E_ARG, "separable: rank is %d, want 1 to %d",
                        rank, SFI_SEPARABLE_AXES);
    if (!(m2 >= 0.0 && isfinite(m2)))
        return SFI_FAIL(ctx, SF_E_ARG, "separable: m^2 is %g, want >= 0", m2);
    bool is_singular = m2 == 0.0;
    for (int k = 0; k < rank; k++) {
        SFI_TRY(check_axis(ctx, k, &axes[k]));
        is_singular = is_singular && axes[k].low != SFI_WALL_PIN &&
                      axes[k].high != SFI_WALL_PIN &&
                      axes[k].low != SFI_WALL_OPEN &&
                      axes[k].high != SFI_WALL_OPEN;
    }
    sfi_separable *s = sfi_alloc_zero(ctx, 1, sizeof *s);
    if (s == NULL)
        return SF_E_NOMEM;
    s->ctx = ctx;
    s->rank = rank;
    s->mass_only = m2;
    s->is_singular = is_singular;
    double scale = 1.0;
    sf_status status = SF_OK;
    for (int k = 0; k < rank; k++)
        s->axes[k] = axes[k];
    for (int k = 1; k < rank && status == SF_OK; k++)
        status = plan_axis(s, k, m2, &scale);
    if (status == SF_OK)
        status = plan_first(s, scale);
    if (status == SF_OK)
        status = plan_open(s);
    if (status != SF_OK) {
        sfi_separable_free(s);
        return status;
    }
    *out = s;
    return SF_OK;
}

void sfi_separable_free(sfi_separable *s)
{
    if (s == NULL)
        return;
    for (int k = 0; k < s->rank; k++) {
        sfi_transform_free(s->there[k]);
        sfi_transform_free(s->back[k]);
        sfi_free(s->ctx, s->lambda[k], (size_t)s->axes[k].count,
                 sizeof *s->lambda[k]);
    }
    sfi_tridiagonal_free(s->systems);
    sfi_free(s->ctx, s->sheet, (size_t)s->axes[0].count, sizeof *s->sheet);
    sfi_free(s->ctx, s->closing[0], 2 * (size_t)s->modes,
             sizeof *s->closing[0]);
    sfi_free(s->ctx, s, 1, sizeof *s);
}

bool sfi_separable_is_singular(const sfi_separable *s)
{
    return s->is_singular;
}

/* Row i of the first axis, and whatever stands in it, is halved. */
static void halve(const sfi_separable *s, double *row, const int64_t *step)
{
    const int64_t n1 = s->rank > 2 ? s->axes[1].count : 1;
    const int64_t n2 = s->rank > 1 ? s->axes[s->rank - 1].count : 1;
    for (int64_t j = 0; j < n1; j++)
        for (int64_t k = 0; k < n2; k++)
            row[(s->rank > 2 ? j * step[1] : 0) + k] *= 0.5;
}

static void transform_all(sfi_separable *s, sfi_transform *const *plans,
                          double *data, const int64_t *step)
{
    sfi_line_array lines = {.dtype = SF_F64, .data = data, .rank = s->rank};
    for (int k = 0; k < s->rank; k++) {
        lines.count[k] = s->axes[k].count;
        lines.step[k] = step[k];
    }
    for (lines.axis = s->rank - 1; lines.axis > 0; lines.axis--)
        sfi_transform_run(plans[lines.axis], &lines);
}

/* -|x|/2 folded with the line x [count] of mode 0; with what a natural wall mirrors.  The
 * slope falls by h^2 of what stands at each point, and begins with half of all there is. */
static void sheets(sfi_separable *s, const double *x, int64_t step)
{
    const sfi_separable_axis *const a = &s->axes[0];
    const int64_t n = a->count;
    const double h2 = a->h * a->h / s->scale;
    const bool mirrored = a->high == SFI_WALL_NATURAL; /* seen from there */
    const bool both = a->low == SFI_WALL_OPEN && a->high == SFI_WALL_OPEN;
    const double wall = both || !a->cells ? 0.0 : 0.5;
    double all = 0.0, moment = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const double q = x[(mirrored ? n - 1 - i : i) * step];
        all += q;
        moment += ((double)i + wall) * q;
    }
    double u = -(both ? 0.5 : 1.0) * h2 * moment;
    double slope = both ? 0.5 * h2 * all : 0.0;
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = mirrored ? n - 1 - i : i;
        s->sheet[at] = u;
        slope -= h2 * x[at * step];
        u += slope;
    }
}

void sfi_separable_solve(sfi_separable *s, double *data, const int64_t *step)
{
    const sfi_separable_axis *const a = &s->axes[0];
    const int last = s->rank - 1;
    const bool sheet = has_sheet(s);
    transform_all(s, s->there, data, step);
    if (a->low == SFI_WALL_NATURAL && !a->cells)
        halve(s, data, step);
    if (a->high == SFI_WALL_NATURAL && !a->cells)
        halve(s, data + (a->count - 1) * step[0], step);
    if (sheet)
        sheets(s, data, step[0]);
    sfi_tridiagonal_run(
        s->systems, &(sfi_mode_systems){
                        .first = s->closing[0],
                        .last = s->closing[1],
                        .count = last > 0 ? s->axes[last].count : 1,
                        .lambda = last > 0 ? s->lambda[last] : &s->mass_only,
                        .rows = last > 1 ? s->axes[1].count : 1,
                        .row_lambda = last > 1 ? s->lambda[1] : NULL,
                        .row_step = last > 1 ? step[1] : 0,
                        .singular = s->is_singular ? 0 : -1,
                        .x = data,
                        .step = step[0]});
    for (int64_t i = 0; sheet && i < a->count; i++)
        data[i * step[0]] = s->sheet[i];
    transform_all(s, s->back, data, step);
}
