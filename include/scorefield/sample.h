/* SPDX-License-Identifier: Apache-2.0 */
/* sample.h - drawing from a law: walkers moved downhill with noise. */
#ifndef SCOREFIELD_SAMPLE_H
#define SCOREFIELD_SAMPLE_H

#include "scorefield/array.h"
#include "scorefield/functional.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Which noise a step of Langevin dynamics takes. */
typedef enum sf_langevin_method {
    /* Unadjusted Langevin: noise Z_t.  Weak error of first order in the step;
     * every iterate is usable. */
    SF_LANGEVIN_ULA = 0,

    /* Leimkuhler-Matthews: noise (Z_t + Z_{t+1}) / 2, at the same cost.  Second
     * order in the step for averages at stationarity, and exact for a Gaussian
     * law; its iterates are not a Markov chain (neighbours share noise). */
    SF_LANGEVIN_LM
} sf_langevin_method;

typedef struct sf_langevin_options {
    size_t size;   /* sizeof(sf_langevin_options); set by _INIT    */
    double step;   /* h > 0; unit: unit(x)^2        [0.01]         */
    int64_t steps; /* updates, >= 0                 [1000]         */
    uint64_t seed; /* any value                     [0]            */
    sf_langevin_method
        method;           /*                               [ULA]          */
    int64_t first_walker; /* row i takes the noise of walker
                                * first_walker + i, so a batch may be run in
                                * parts; 0 <= , < 2^56 - rows   [0]            */
    int64_t first_step;   /* the steps are numbered from here, so a run may
                                * be continued; first_step + steps < 2^32
                                *                               [0]            */
} sf_langevin_options;

#define SF_LANGEVIN_OPTIONS_INIT                                               \
    {                                                                          \
        sizeof(sf_langevin_options), 0.01, 1000, 0, SF_LANGEVIN_ULA, 0, 0      \
    }

/* Move walkers along Langevin dynamics,
 *
 *     x <- x + (h/2) s(x) + sqrt(h) noise,       s = -grad f = grad log p
 *
 *   x     [n, d]  in: starting points; out: walkers after `steps` updates
 *   f     f->unknowns is d; its gradient is called `steps` times, always with
 *         the whole batch.  Its value is never asked for.
 *   opts  NULL means SF_LANGEVIN_OPTIONS_INIT
 *
 * Step.    Many texts write x + e s(x) + sqrt(2e) noise; then h = 2e.
 * Units.   If x is in metres then s is in 1/m and h in m^2.
 * Bias.    The stationary law of ULA is not p.  On a Gaussian N(mu, C) it is
 *          N(mu, C (I - (h/4) C^-1)^-1); LM has C exactly.  Both are stable only
 *          for h < 4 lambda_min(C), and diverge beyond.
 * Noise.   Standard normals that are a function of (seed, first_walker + i,
 *          first_step + t, j): row i depends on neither n nor the thread count,
 *          and two runs of k steps equal one of 2k, bit for bit, if the
 *          functional's rows do not depend on each other.
 * Memory.  Two workspaces of n*d doubles, three for LM, freed before returning.
 *
 * Returns SF_OK, or
 *   SF_E_ARG        step <= 0 or not finite, steps < 0, an unknown method,
 *                   first_walker or first_step out of range, f malformed
 *   SF_E_SHAPE      x is malformed, or d is not f->unknowns
 *   SF_E_NUMERIC    x was not finite at the start (x is unchanged), or a walker
 *                   left the finite numbers: x holds the last state in which
 *                   every walker was finite, and the message names the first
 *                   such walker and the step
 *   SF_E_NOMEM      no workspace; x is unchanged
 *   SF_E_CANCELLED  the progress callback said stop; x holds the current state
 *   (other)         whatever `gradient` returned; x holds the state at which it
 *                   was asked
 *
 * Source: G. O. Roberts and R. L. Tweedie, Bernoulli 2 (1996) 341-363;
 * B. Leimkuhler and C. Matthews, Appl. Math. Res. eXpress 2013 (2013) 34-56. */
SF_API sf_status sf_langevin_run(sf_context *ctx, sf_mat x,
                                 const sf_functional *f,
                                 const sf_langevin_options *opts);

#ifdef __cplusplus
}
#endif
#endif
