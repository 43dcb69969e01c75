/* SPDX-License-Identifier: Apache-2.0 */
/* runge_kutta.h - many solutions of one differential equation, side by side, each
 * with its own time and its own step.
 *
 *     dy/dt = f(t, y),    y(from) given,    y(to) wanted
 *
 * by the embedded pair of order 5(4) of J. R. Dormand and P. J. Prince (A family
 * of embedded Runge-Kutta formulae, J. Comput. Appl. Math. 6 (1980) 19-26).
 *
 * The equation is asked for the slopes of many paths at once, because that is
 * what programs are good at, and at a time for each of them.  A path that arrives
 * leaves, and the next one takes its place.  Steps follow from the path alone: what
 * becomes of it has the same bits alone and among a thousand. */
#ifndef SFI_RUNGE_KUTTA_H
#define SFI_RUNGE_KUTTA_H

#include "base/context.h"

typedef struct sfi_paths {
    int64_t count; /* of the paths                                          */
    int64_t size;  /* numbers of a state                                    */
    int64_t sums;  /* how many of these, the last, no slope depends on: they
                       are integrals along the path                          */
    double from, to;
    double rtol, atol; /* a step's error, as a root mean square over the state
                          of multiples of rtol |y| + atol, is at most 1      */
    bool aligned;      /* Steps are (to - from)/2^k and begin at multiples of
                     themselves, so that many paths ask for slopes at the same
                     times.  For equations that are dear to change the time of. */
    const char *stage; /* of the progress that is reported */

    /* The state of path `path` at the start. */
    void (*begin)(void *user, int64_t path, double *state);

    /* Slopes [n, size] of n paths at their times and states; of the paths, their
     * numbers.  Without `sums` the slopes of those numbers are not looked at.
     * What is not finite makes a step shorter. */
    sf_status (*slopes)(void *user, int64_t n, const int64_t *path,
                        const double *time, const double *state, bool sums,
                        double *slope);

    /* The state at the end; paths arrive in any order. */
    void (*end)(void *user, int64_t path, const double *state);
    void *user;
} sfi_paths;

/* Paths that are under way at the same time, at most. */
enum { SFI_LANES = 1024 };

/* Follow them all.  The work is bounded: a path takes at most some thousands of
 * steps, and all of them together a few hundred a path on average, more where the
 * tolerance is tight.
 *
 * Returns SF_OK; SF_E_CONVERGE (the message names the path, counted from 1 as a
 * row, and the time it came to); SF_E_NOMEM; SF_E_CANCELLED; or what `slopes`
 * returned. */
sf_status sfi_follow_paths(sf_context *ctx, const sfi_paths *paths);

#endif
