/* SPDX-License-Identifier: Apache-2.0 */
/* motion.h - what waves and flows share: the state, its forces, and who is told. */
#ifndef SFI_MOTION_H
#define SFI_MOTION_H

#include "evolve/absorb.h"
#include "evolve/gauss.h"
#include "evolve/yee.h"

enum { SFI_MOTION_ARRAYS = 8 };

/* Arrays are [unknowns][points]. */
typedef struct sfi_motion {
    sf_action *a;
    sf_context *ctx;
    const char *name; /* of the verb, for messages                         */
    int64_t n;        /* numbers in an array                               */
    double *x;        /* the fields                                        */
    double *mass;     /* volumes; of waves, times the factor of dt()^2     */
    double *v;        /* their rates                                       */
    double *force;    /* -dE/dphi/mass                                     */
    double *spare[4];
    sf_field *fields; /* what the caller is shown                          */
    sf_motion_told told;
    sf_action_motion *out;
    double begun, until;
    sfi_absorb *absorb; /* what is beyond open sides, or NULL                 */
    double *shown;      /* [unknowns][points] of the inner grid then          */
    double *loss;       /* conductivity over mass, or NULL: none              */
    sfi_gauss_law gauss; /* of a form                                    */
    sfi_yee yee;         /* of a form by the leapfrog, if it fits        */
    double mark; /* of the motion: a hash of what it starts from              */
} sfi_motion;

/* Take the fields as the state at time 0, with volumes as masses.  `out` is zeroed.  With an
 * absorb, the fields of its action are taken, and those of the inner one are shown. */
sf_status sfi_motion_begin(sfi_motion *m, sf_action *a, const char *name,
                           sf_field *fields, sfi_absorb *absorb,
                           sf_action_motion *out);

/* Put x into the caller's fields. */
void sfi_motion_scatter(const sfi_motion *m, const double *x);

void sfi_motion_end(sfi_motion *m);

/* Set the pinned values of x to those of a time, which the action is then of. */
sf_status sfi_motion_pin(sfi_motion *m, double time, double *x);

/* -dE/dphi/mass at x, at a time; 0 at pinned points.  Pins x first. */
sf_status sfi_motion_force(sfi_motion *m, double time, double *x, double *out);

/* A little more than the largest eigenvalue of mass^-1 H at x and the action's time; 0 of
 * an action without free numbers.  Uses spare[0] and [1]. */
sf_status sfi_motion_rate(sfi_motion *m, const double *x, double *out);

sf_status sfi_motion_check_finite(const sfi_motion *m, const double *x,
                                  double time);

/* Report the progress; SF_E_CANCELLED if it is to end. */
sf_status sfi_motion_go_on(const sfi_motion *m, double time);

/* Show a frame to the caller, and rates of that time if it wants them; or a step (energy NaN: it is that at rest, computed if it is
 * asked for). */
sf_status sfi_motion_show(const sfi_motion *m, const double *x, double time);
sf_status sfi_motion_show_rates(const sfi_motion *m, const double *v,
                                double time);
sf_status sfi_motion_level(sfi_motion *m, double time, double energy);

/* Mark the motion by what it starts from: x, v, the forces there, and numbers. */
sf_status sfi_motion_mark(sfi_motion *m, const double *numbers, int count);

/* Hand x, v and some numbers to the caller after frame k, if it keeps them; and take them
 * up again: *k is the frame.  SF_E_ARG for numbers of another motion. */
sf_status sfi_motion_save(sfi_motion *m, double *const *numbers, int count,
                          int64_t k);
sf_status sfi_motion_resume(sfi_motion *m, const double *state,
                            size_t state_count, double *const *numbers,
                            int count, int64_t *k);

#endif
