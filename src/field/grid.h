/* SPDX-License-Identifier: Apache-2.0 */
/* grid.h - grids and axes as the library's own code sees them. */
#ifndef SFI_FIELD_GRID_H
#define SFI_FIELD_GRID_H

#include "base/context.h"
#include "scorefield/field.h"

struct sf_grid {
    sf_context *ctx;
    int rank;
    sf_axis axis[SF_MAX_AXES]; /* coords, edges and texts are the grid's own */
    double *weights[SF_MAX_AXES]; /* [count]                                 */
    double radian[SF_MAX_AXES];   /* of one unit of an angle; 1 of others    */
    sf_geometry geometry;
    double radius;
    bool is_rotated;
    double pole_lat, pole_lon;
};

/* What makes another grid of the same geometry. */
sf_grid_options sfi_grid_options(const sf_grid *grid);

/* Whether the coordinates of a role are angles. */
bool sfi_role_is_angle(sf_role role);

/* The role of a name in texts, SF_ROLE_NONE if it has none. */
sf_role sfi_role_find(const char *name);

/* Radians of one unit of an axis that is an angle (of one degree, unless the unit
 * says radians or, for theta, nothing); 1 of others. */
double sfi_axis_radian(const sf_axis *axis);

/* Fill edges [count + 1] by the rule of sf_axis. */
void sfi_axis_edges(const sf_axis *axis, double *edges);

/* The mean step of an axis whose steps differ from it by less than 1e-4 of it
 * (coordinates in float are no better); 0 if it is not uniform, or one point. */
double sfi_axis_step(const sf_axis *axis);

/* Whether a latitude, in the axis's unit, is a pole: within 1e-6 degrees. */
bool sfi_axis_is_pole(const sf_axis *axis, double lat);

/* SF_OK, or SF_E_ARG with the first thing that is wrong with an axis. */
sf_status sfi_axis_check(sf_context *ctx, const sf_axis *axis);

/* Measure of the interval from a to b of axis k, in its unit: the factor of a
 * volume that sf_grid_volume() lists, with the sign of b - a.  Parts of cells
 * are measured by it, too. */
double sfi_grid_measure(const sf_grid *grid, int k, double a, double b);

/* Whether two axes have the same points, to `tolerance` of a step; if not, *first
 * is the first one that differs (-1: their numbers do). */
bool sfi_axis_same(const sf_axis *a, const sf_axis *b, double tolerance,
                   int64_t *first);

#endif
