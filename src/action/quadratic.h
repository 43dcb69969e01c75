/* SPDX-License-Identifier: Apache-2.0 */
/* quadratic.h - what an action is near a field that is zero,
 *
 *     sum_k c_k phi_k^2/2 + m^2 phi^2/2,
 *
 * if those are numbers: what transforms make diagonal. */
#ifndef SFI_ACTION_QUADRATIC_H
#define SFI_ACTION_QUADRATIC_H

#include "action/action.h"
#include "num/transform_kind.h"

/* c [rank] and m^2 of unknown u, of any sign; false if one is no number, or if slopes are
 * coupled with each other or with the field. */
bool sfi_quadratic_part(sf_action *a, int u, double *c, double *mass);

/* An axis as transforms know it. */
typedef struct sfi_transform_axis {
    sfi_wall low, high;
    bool cells;
    double h;      /* the step                                               */
    int64_t count; /* of unknown points: those on a pinned wall are none     */
    int64_t first; /* of them, among the grid's points                       */
} sfi_transform_axis;

/* False, and *out undefined, if its steps differ or transforms do not have its sides. */
bool sfi_transform_axis_of(sf_action *a, int axis, sfi_transform_axis *out);

#endif
