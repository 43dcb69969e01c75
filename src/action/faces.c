/* SPDX-License-Identifier: Apache-2.0 */
/* faces.c - where walls are, and how large the faces on them. */
#include "action/action.h"

#include <math.h>

double sfi_wall_place(const sf_action *a, int side)
{
    const sf_axis *axis = sf_grid_axis(a->grid, side / 2);
    const bool is_high = side % 2 == 1;
    return sfi_is_cells(a, side / 2)
               ? axis->edges[is_high ? axis->count : 0]
               : axis->coords[is_high ? axis->count - 1 : 0];
}

double sfi_wall_growth(const sf_action *a, int side)
{
    const double pi = 3.14159265358979323846, x = sfi_wall_place(a, side);
    const sf_geometry geometry = sf_grid_geometry(a->grid);
    const sf_axis *axis = sf_grid_axis(a->grid, side / 2);
    if (axis->role == SF_ROLE_R)
        return geometry == SF_GEOMETRY_RADIAL         ? 4.0 * pi * x * x
               : geometry == SF_GEOMETRY_SPHERICAL    ? x * x
               : geometry == SF_GEOMETRY_AXISYMMETRIC ? 2.0 * pi * x
               : geometry == SF_GEOMETRY_CARTESIAN    ? 1.0
                                                      : x;
    if (axis->role == SF_ROLE_LAT)
        return sfi_axis_is_pole(axis, x) ? 0.0
                                         : cos(x * a->grid->radian[side / 2]) *
                                               (geometry == SF_GEOMETRY_SPHERE
                                                    ? sf_grid_radius(a->grid)
                                                    : 1.0);
    return 1.0;
}
