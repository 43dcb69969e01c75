/* SPDX-License-Identifier: Apache-2.0 */
/* yee.h - the steps of a one-form whose energy is the square of its curl.
 *
 * The forces are taken from the flux H = W curl A on faces, which is carried along by the
 * rates as B is in Maxwell's equations (K. S. Yee, IEEE Trans. Antennas Propag. 14 (1966)
 * 302-307), W being the face's volume over mu.  A grows where there are charges, and has a
 * curl only to its own rounding: H does not see that. */
#ifndef SFI_YEE_H
#define SFI_YEE_H

#include "evolve/absorb.h"

/* Arrays are [3][points]. */
typedef struct sfi_yee {
    sf_action *a;
    bool
        fits; /* whether the energy is such a square; if not, nothing else is set */
    double *flux, *weight;
    size_t count; /* numbers in each                                          */
} sfi_yee;

/* Begin at x; v and w are scratch of its size.  SF_E_NOMEM, and what the product with the
 * Hessian returns; sfi_yee_free() is to follow. */
sf_status sfi_yee_begin(sfi_yee *y, sf_action *a, const double *x, double *v,
                        double *w);
void sfi_yee_free(sfi_yee *y);

/* Forces (current - C' flux)/mass; with layers, `absorb`, which take a step of their
 * memory. */
void sfi_yee_force(const sfi_yee *y, const double *current, const double *mass,
                   sfi_absorb *absorb, double *out);

/* flux += dt W curl v. */
void sfi_yee_drift(sfi_yee *y, double dt, const double *v, sfi_absorb *absorb);

/* Half of the flux times that before the last step dt by rates v, over W; `room` is
 * scratch. */
double sfi_yee_energy(const sfi_yee *y, double dt, const double *v,
                      double *room);

/* The curl of A: flux/W. */
void sfi_yee_curl(const sfi_yee *y, double *out);

#endif
