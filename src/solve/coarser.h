/* SPDX-License-Identifier: Apache-2.0 */
/* coarser.h - the same action on a grid of fewer points, and values moved between both.
 *
 * An axis that is halved keeps every second node and its last one, or joins cells in
 * pairs.  Between the points that are left values are interpolated linearly along each
 * axis; beyond the last cells they are constant, or fall to 0 at a pinned wall. */
#ifndef SFI_COARSER_H
#define SFI_COARSER_H

#include "action/action.h"

/* Rows of a sparse matrix along one axis; columns NULL: the identity. */
typedef struct sfi_axis_map {
    int64_t rows, entries;
    int64_t *start; /* [rows + 1] */
    int64_t *column;
    double *weight;
} sfi_axis_map;

typedef struct sfi_coarser {
    const sf_action *fine;
    sf_grid *grid;
    sf_action *action;
    sfi_axis_map down[SF_MAX_AXES]; /* to the fine grid: interpolation        */
    sfi_axis_map up[SF_MAX_AXES];   /* its transpose                          */
    double *weights;                /* [coarse points] the transpose of 1     */
    double *room[2];                /* [fine points]                          */
    double *coords[SF_MAX_AXES], *edges[SF_MAX_AXES];
} sfi_coarser;

/* Whether an axis can be halved: at least 3 points are left, and it is not open. */
bool sfi_can_halve(const sf_action *fine, int axis);

/* Halve the axes with halve[axis]; names that are fields get the means of what they are
 * around each point.  `fine` is to outlive it.
 *
 * Returns SF_OK; SF_E_NOMEM; what sf_action_new() does.  On failure nothing is kept. */
sf_status sfi_coarser_new(const sf_action *fine, const bool *halve,
                          sfi_coarser *out);
void sfi_coarser_free(sfi_coarser *c);

/* Of one unknown: fine [points] = P coarse; coarse = P' fine; coarse = means of fine. */
void sfi_coarser_interpolate(const sfi_coarser *c, const double *coarse,
                             double *fine);
void sfi_coarser_gather(const sfi_coarser *c, const double *fine,
                        double *coarse);
void sfi_coarser_mean(const sfi_coarser *c, const double *fine, double *coarse);

#endif
