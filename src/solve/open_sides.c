/* SPDX-License-Identifier: Apache-2.0 */
/* open_sides.c - actions whose grid goes on beyond a side, without end and without sources:
 *
 *     every side open        by the field of a point source on the infinite grid
 *                            (num/open_space.h)
 *     one axis open, at one  by transforms along the others, and along that one a
 *     side or both           recursion that ends as it falls off (num/separable.h)
 *
 * The equation is solved on the grid and the points one step beyond each open side: the
 * discrete equation holds at every point of the grid then, and can be checked there. */
#include "solve/direct.h"

#include "action/quadratic.h"
#include "num/open_space.h"
#include "num/separable.h"

#include <math.h>
#include <string.h>

/* The box that is solved on: points of the grid from `first` on, and beyond. */
typedef struct open_box {
    sf_action *a;
    double sign, mean, mass, h[SF_MAX_AXES];
    sfi_transform_axis axes[SF_MAX_AXES];
    int64_t first[SF_MAX_AXES]; /* of the grid's points, -1: one beyond       */
    int64_t count[SF_MAX_AXES];
    int order[SF_MAX_AXES]; /* axes of the array: the open one comes first */
    int64_t
        stride[SF_MAX_AXES]; /* of the grid's axes in the array            */
    int64_t size;
} open_box;

static bool is_open_wall(const sf_action *a, int wall)
{
    return a->walls[wall].kind == SF_SIDE_OPEN;
}

static sf_status check_side(const sf_action *a, int w)
{
    const sfi_action_wall *wall = &a->walls[w];
    const bool plain =
        wall->kind == SF_SIDE_OPEN || wall->kind == SF_SIDE_PERIODIC ||
        wall->kind == SF_SIDE_NATURAL ||
        (wall->kind == SF_SIDE_PIN && wall->is_number && wall->value == 0.0);
    return plain ? SF_OK
                 : SFI_FAIL(a->ctx, SF_E_UNSUPPORTED,
                            "solve: side %s%s goes on beyond the grid; beside "
                            "an open axis it is to be periodic, natural or "
                            "pin 0",
                            sf_grid_axis(a->grid, w / 2)->name,
                            w % 2 == 0 ? "-" : "+");
}

/* The open axis, or -1 if all sides are open. */
static sf_status find_axis(const sf_action *a, int *axis)
{
    int axes = 0, sides = 0;
    for (int k = 0; k < a->rank; k++) {
        const int here = is_open_wall(a, 2 * k) + is_open_wall(a, 2 * k + 1);
        sides += here;
        if (here > 0) {
            axes++;
            *axis = k;
        }
    }
    if (sides == 2 * a->rank && a->rank > 1) {
        *axis = -1;
        return SF_OK;
    }
    if (axes > 1)
        return SFI_FAIL(a->ctx, SF_E_UNSUPPORTED,
                        "solve: %d axes have open sides; want one, or every "
                        "side open",
                        axes);
    for (int w = 0; w < 2 * a->rank; w++)
        if (w / 2 != *axis)
            SFI_TRY(check_side(a, w));
    return SF_OK;
}

static sf_status make_box(sf_action *a, int open, open_box *b)
{
    double c[SF_MAX_AXES];
    *b = (open_box){.a = a, .size = 1};
    if (a->rank > SFI_SEPARABLE_AXES)
        return SFI_FAIL(a->ctx, SF_E_UNSUPPORTED,
                        "solve: open sides want at most %d axes",
                        (int)SFI_SEPARABLE_AXES);
    if (!sfi_direct_coefficients(a, &b->sign, c, &b->mass)) {
        SFI_TRY(sf_graph_status(a->graph));
        return SFI_FAIL(a->ctx, SF_E_UNSUPPORTED,
                        "solve: open sides want one field and a density "
                        "a*phi_x^2 + b*phi_y^2 + ... + m*phi^2 + f(x, y, ...)*"
                        "phi, where a, b, ... > 0 and m >= 0 are numbers");
    }
    /* Divided by the mean of a, b, ..., so that the logarithm of two axes is that of
     * lengths in the grid's unit. */
    b->mean = 1.0;
    for (int k = 0; k < a->rank; k++)
        b->mean *= pow(c[k], 1.0 / a->rank);
    b->mass /= b->mean;
    for (int k = 0; k < a->rank; k++) {
        sfi_transform_axis *axis = &b->axes[k];
        if (!sfi_transform_axis_of(a, k, axis))
            return SFI_FAIL(a->ctx, SF_E_UNSUPPORTED,
                            "solve: with open sides, axis \"%s\" is to have "
                            "equal steps and no Robin side",
                            sf_grid_axis(a->grid, k)->name);
        b->h[k] = axis->h / sqrt(c[k] / b->mean);
        b->first[k] = is_open_wall(a, 2 * k) ? -1 : axis->first;
        b->count[k] =
            axis->count + is_open_wall(a, 2 * k) + is_open_wall(a, 2 * k + 1);
    }
    for (int k = 0, at = 0; k < a->rank; k++)
        b->order[open < 0 || k == open ? (open < 0 ? k : 0) : ++at] = k;
    for (int k = a->rank - 1; k >= 0; k--) {
        b->stride[b->order[k]] = b->size;
        b->size *= b->count[b->order[k]];
    }
    return SF_OK;
}

/* ---- moving values ------------------------------------------------------------------------ */

static bool next(const open_box *b, int64_t *at)
{
    for (int k = b->a->rank - 1; k >= 0; k--) {
        if (++at[k] < b->first[k] + b->count[k])
            return true;
        at[k] = b->first[k];
    }
    return false;
}

static int64_t place(const open_box *b, const int64_t *at)
{
    int64_t i = 0;
    for (int k = 0; k < b->a->rank; k++)
        i += (at[k] - b->first[k]) * b->stride[k];
    return i;
}

/* The point of the grid; or -1 with the wall beyond which it lies: of several, -1. */
static int64_t point_of(const open_box *b, const int64_t *at, int *wall)
{
    const sf_action *a = b->a;
    int64_t i = 0;
    int beyond = 0;
    *wall = -1;
    for (int k = 0; k < a->rank; k++) {
        i += at[k] * a->stride[k];
        if (at[k] < 0 || at[k] >= a->count[k]) {
            beyond++;
            *wall = 2 * k + (at[k] > 0);
        }
    }
    if (beyond > 1)
        *wall = -1;
    return beyond > 0 ? -1 : i;
}

static void take_sources(const open_box *b, const double *g,
                         const double *volume, double *f)
{
    int64_t at[SF_MAX_AXES];
    memcpy(at, b->first, sizeof at);
    do {
        int wall;
        const int64_t i = point_of(b, at, &wall);
        f[place(b, at)] =
            i >= 0 ? -b->sign * g[i] / (volume[i] * b->mean) : 0.0;
    } while (next(b, at));
}

static void give_fields(const open_box *b, const double *u, double *step)
{
    const sf_action *a = b->a;
    int64_t at[SF_MAX_AXES];
    memcpy(at, b->first, sizeof at);
    memset(step, 0, (size_t)a->points * sizeof *step);
    do {
        int w;
        const int64_t i = point_of(b, at, &w);
        if (i >= 0) {
            step[i] = u[place(b, at)];
        } else if (w >= 0) {
            int64_t on = 0;
            for (int k = 0; k < a->rank; k++)
                on += (k == w / 2 ? 0 : at[k]) * a->walls[w].step[k];
            a->walls[w].values[on] = u[place(b, at)];
        }
    } while (next(b, at));
}

/* ---- solving ------------------------------------------------------------------------------ */

static sf_status solve_all_open(const open_box *b, double *u)
{
    sfi_open_space *plan = NULL;
    SFI_TRY(sfi_open_space_new(b->a->ctx, &plan, b->a->rank, b->count, b->h,
                               b->mass));
    sfi_open_space_solve(plan, u);
    sfi_open_space_free(plan);
    return SF_OK;
}

static sf_status solve_along(const open_box *b, double *u)
{
    sfi_separable_axis axes[SFI_SEPARABLE_AXES];
    int64_t step[SFI_SEPARABLE_AXES] = {0};
    sfi_separable *plan = NULL;
    for (int k = 0; k < b->a->rank; k++) {
        const int axis = b->order[k];
        axes[k] = (sfi_separable_axis){.count = b->count[axis],
                                       .h = b->h[axis],
                                       .low = b->axes[axis].low,
                                       .high = b->axes[axis].high,
                                       .cells = b->axes[axis].cells};
        step[k] = b->stride[axis];
    }
    SFI_TRY(sfi_separable_new(b->a->ctx, &plan, b->a->rank, axes, b->mass));
    sfi_separable_solve(plan, u, step);
    sfi_separable_free(plan);
    return SF_OK;
}

sf_status sfi_open_step(sf_action *a, const double *g, const double *volume,
                        double *step)
{
    open_box b;
    int axis = -1;
    SFI_TRY(find_axis(a, &axis));
    SFI_TRY(make_box(a, axis, &b));
    double *u = sfi_alloc(a->ctx, (size_t)b.size, sizeof *u);
    if (u == NULL)
        return SF_E_NOMEM;
    take_sources(&b, g, volume, u);
    const sf_status status =
        axis < 0 ? solve_all_open(&b, u) : solve_along(&b, u);
    if (status == SF_OK)
        give_fields(&b, u, step);
    sfi_free(a->ctx, u, (size_t)b.size, sizeof *u);
    return status;
}
