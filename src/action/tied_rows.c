/* SPDX-License-Identifier: Apache-2.0 */
/* tied_rows.c - rows of a grid that are one point. */
#include "action/action.h"

#include <string.h>

/* ---- which are ------------------------------------------------------------------------- */

/* The axes that have no length at the points of a side. */
static unsigned tied_at(const sf_action *a, int side)
{
    const sf_axis *axis = sf_grid_axis(a->grid, side / 2);
    const sf_geometry geometry = sf_grid_geometry(a->grid);
    const double x = axis->coords[side % 2 == 0 ? 0 : axis->count - 1];
    unsigned mask = 0;
    for (int k = 0; k < a->rank; k++) {
        const sf_role role = sf_grid_axis(a->grid, k)->role;
        if ((axis->role == SF_ROLE_R && x == 0.0 &&
             (role == SF_ROLE_THETA ||
              (geometry == SF_GEOMETRY_SPHERICAL && role != SF_ROLE_R))) ||
            (axis->role == SF_ROLE_LAT && sfi_axis_is_pole(axis, x) &&
             role == SF_ROLE_LON))
            mask |= 1u << k;
    }
    return mask;
}

bool sfi_next_of_axes(const sf_action *a, unsigned mask, int64_t *index)
{
    for (int k = a->rank - 1; k >= 0; k--) {
        if ((mask >> k & 1) == 0)
            continue;
        if (++index[k] < a->count[k])
            return true;
        index[k] = 0;
    }
    return false;
}

int64_t sfi_point_of(const sf_action *a, const int64_t *index)
{
    int64_t at = 0;
    for (int k = 0; k < a->rank; k++)
        at += index[k] * a->stride[k];
    return at;
}

/* Poles before the centre, which holds rows of them. */
void sfi_action_each_row(const sf_action *a, sfi_row_fn visit, void *user)
{
    for (int pass = 0; pass < 2; pass++)
        for (int side = 0; side < 2 * a->rank; side++) {
            const int axis = side / 2;
            const bool is_centre =
                sf_grid_axis(a->grid, axis)->role == SF_ROLE_R;
            const unsigned mask = a->tied[side];
            int64_t index[SF_MAX_AXES] = {0}, size = 1;
            if (mask == 0 || is_centre != (pass == 1))
                continue;
            for (int k = 0; k < a->rank; k++)
                size *= mask >> k & 1 ? a->count[k] : 1;
            index[axis] = side % 2 == 0 ? 0 : a->count[axis] - 1;
            do
                visit(a, mask, sfi_point_of(a, index), size, user);
            while (sfi_next_of_axes(a, ~(mask | 1u << axis), index));
        }
}

static void note_row(const sf_action *a, unsigned mask, int64_t first,
                     int64_t size, void *user)
{
    int64_t index[SF_MAX_AXES] = {0};
    (void)user;
    do
        a->row_size[first + sfi_point_of(a, index)] = 0;
    while (sfi_next_of_axes(a, mask, index));
    a->row_size[first] = size;
}

sf_status sfi_action_find_rows(sf_action *a)
{
    bool any = false;
    for (int side = 0; side < 2 * a->rank; side++) {
        a->tied[side] = tied_at(a, side);
        any |= a->tied[side] != 0;
    }
    if (!any)
        return SF_OK;
    a->row_size = sfi_alloc(a->ctx, (size_t)a->points, sizeof *a->row_size);
    if (a->row_size == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < a->points; i++)
        a->row_size[i] = 1;
    sfi_action_each_row(a, note_row, NULL);
    return SF_OK;
}

/* ---- making them equal ------------------------------------------------------------------ */

void sfi_set_row(const sf_action *a, unsigned mask, int64_t first, double value,
                 double *x)
{
    int64_t index[SF_MAX_AXES] = {0};
    do
        x[first + sfi_point_of(a, index)] = value;
    while (sfi_next_of_axes(a, mask, index));
}

static void tie_row(const sf_action *a, unsigned mask, int64_t first,
                    int64_t size, void *user)
{
    double *const x = user, sum = 0.0;
    int64_t index[SF_MAX_AXES] = {0};
    do
        sum += x[first + sfi_point_of(a, index)];
    while (sfi_next_of_axes(a, mask, index));
    sfi_set_row(a, mask, first, sum / (double)size, x);
}

static void copy_row(const sf_action *a, unsigned mask, int64_t first,
                     int64_t size, void *user)
{
    double *const x = user;
    (void)size;
    sfi_set_row(a, mask, first, x[first], x);
}

void sfi_action_tie(const sf_action *a, double *x)
{
    if (a->row_size != NULL)
        sfi_action_each_row(a, tie_row, x);
}

void sfi_action_copy_rows(const sf_action *a, double *x)
{
    if (a->row_size != NULL)
        sfi_action_each_row(a, copy_row, x);
}
