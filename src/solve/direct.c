/* SPDX-License-Identifier: Apache-2.0 */
/* direct.c - actions whose equation is one of constant coefficients on a box:
 *
 *     E = sum_k c_k phi_k^2/2 + m^2 phi^2/2 + terms that are linear in phi
 *
 * on uniform Cartesian axes without Robin sides.  Their Hessian is
 * V (sum_k c_k (-D_k^2) + m^2), which transforms make diagonal; an axis with c_k is one of
 * steps h/sqrt(c_k). */
#include "solve/direct.h"

#include "action/quadratic.h"
#include "num/separable.h"

#include <math.h>
#include <string.h>

bool sfi_direct_coefficients(sf_action *a, double *sign, double *c,
                             double *mass)
{
    if (a->unknowns != 1 ||
        sf_grid_geometry(a->grid) != SF_GEOMETRY_CARTESIAN ||
        !sfi_quadratic_part(a, 0, c, mass))
        return false;
    *sign = c[0] < 0.0 ? -1.0 : 1.0;
    bool is_definite = *sign * *mass >= 0.0;
    *mass = fabs(*mass);
    for (int k = 0; k < a->rank; k++) {
        c[k] *= *sign;
        is_definite &= c[k] > 0.0;
    }
    return is_definite;
}

/* The axes of the box of unknown points, and its first one. */
static bool box_of(sf_action *a, const double *c, sfi_separable_axis *axes,
                   int64_t *first)
{
    *first = 0;
    for (int k = 0; k < a->rank; k++) {
        sfi_transform_axis axis;
        if (!sfi_transform_axis_of(a, k, &axis))
            return false;
        axes[k] = (sfi_separable_axis){.count = axis.count,
                                       .h = axis.h / sqrt(c[k]),
                                       .low = axis.low,
                                       .high = axis.high,
                                       .cells = axis.cells};
        *first += axis.first * a->stride[k];
    }
    return true;
}

sf_status sfi_direct_step(sf_action *a, const double *g, const double *volume,
                          double *step, bool *is_done)
{
    double c[SF_MAX_AXES], mass = 0.0, sign = 1.0;
    sfi_separable_axis axes[SF_MAX_AXES];
    int64_t first = 0;
    *is_done = false;
    if (a->rank > SFI_SEPARABLE_AXES || a->is_open ||
        !sfi_direct_coefficients(a, &sign, c, &mass) ||
        !box_of(a, c, axes, &first))
        return sf_graph_status(a->graph);
    sfi_separable *plan = NULL;
    SFI_TRY(sfi_separable_new(a->ctx, &plan, a->rank, axes, mass));
    for (int64_t i = 0; i < a->points; i++)
        step[i] = a->pinned[i] ? 0.0 : -sign * g[i] / volume[i];
    sfi_separable_solve(plan, step + first, a->stride);
    sfi_separable_free(plan);
    *is_done = true;
    return SF_OK;
}
