/* SPDX-License-Identifier: Apache-2.0 */
/* gauss.h - Gauss's law of a form in motion.
 *
 * The charge in each point's cell, of which div J + div sigma E takes away, is carried along
 * on the grid: that of eps E is to stay the same as it, to rounding. */
#ifndef SFI_GAUSS_H
#define SFI_GAUSS_H

#include "action/action.h"

/* Arrays of the form are [3][points]. */
typedef struct sfi_gauss_law {
    sf_action *a;
    bool
        is_known; /* whether the action conserves charge at all               */
    double *moved; /* charge that has passed each edge, beside kicked*current */
    double
        *kicked; /* seconds that the current has run                         */
    double *current;     /* J times the volumes of the edges              */
    double *still;       /* zeros, and scratch                            */
    double *start, *out; /* [points] of charge                            */
    bool
        *is_seen; /* [points]: where it is looked at                          */
    size_t count; /* of `moved` and `kicked`: what goes on with a motion      */
} sfi_gauss_law;

/* Begin with rates v = -E; first, count [rank]: the points that are looked at, as a box.
 * SF_E_NOMEM, and what the gradient returns; sfi_gauss_free() is to follow. */
sf_status sfi_gauss_begin(sfi_gauss_law *l, sf_action *a, const double *mass,
                          const double *v, const int64_t *first,
                          const int64_t *count);
void sfi_gauss_free(sfi_gauss_law *l);

/* Read the current of the action's time. */
sf_status sfi_gauss_read(sfi_gauss_law *l);

/* A kick of this length by the current that was read last. */
void sfi_gauss_kick(sfi_gauss_law *l, double kick);

/* The largest difference of both, over the largest term; NaN if it is not known. */
double sfi_gauss_residual(const sfi_gauss_law *l, const double *mass,
                          const double *v);

#endif
