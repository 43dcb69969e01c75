/* SPDX-License-Identifier: Apache-2.0 */
/* solve.h - stationary points: minima of a functional.
 *
 * Both methods stop at the first iterate where
 *
 *     |grad f(x)| <= tolerance * max(1, |x|)                (Euclidean norms)
 *
 * and return SF_OK.  Whatever they return, x holds the last accepted iterate:
 * it is finite, and where f has values none that was accepted has a higher one
 * than the start (beyond rounding).  Infinite or NaN values and gradients away
 * from the start make a step shorter; they are no error.
 *
 * Everything is computed in a fixed order: if the functional gives the same
 * bits, so do these. */
#ifndef SCOREFIELD_SOLVE_H
#define SCOREFIELD_SOLVE_H

#include "scorefield/functional.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a minimisation did; filled in whatever the status, unless it is SF_E_ARG,
 * SF_E_SHAPE, SF_E_UNSUPPORTED or SF_E_NOMEM (then all is zero). */
typedef struct sf_minimize_result {
    double value;         /* f(x); NaN for a functional without values       */
    double gradient_norm; /* |grad f(x)|                                     */
    int64_t iterations;   /* steps accepted or, for Newton, tried            */
    int64_t gradients;    /* gradients asked for (values come with them)     */
    int64_t products;     /* Hessian products, Newton only                   */
} sf_minimize_result;

/* ---- limited-memory quasi-Newton ---- */

typedef struct sf_lbfgs_options {
    size_t size;            /* sizeof(sf_lbfgs_options); set by _INIT        */
    double tolerance;       /* > 0, see above                [1e-6]          */
    int64_t max_iterations; /* 1 to 2^31-1                   [1000]          */
    int memory;             /* pairs kept, 3 to 1000         [10]            */
    int max_trials;         /* gradients per line search, 2 to 1000   [60]   */
} sf_lbfgs_options;

#define SF_LBFGS_OPTIONS_INIT                                                  \
    {                                                                          \
        sizeof(sf_lbfgs_options), 1e-6, 1000, 10, 60                           \
    }

/* Minimise f by L-BFGS with a backtracking line search (sufficient decrease
 * 1e-4 and the Wolfe curvature condition 0.9; the former alone where a wall of
 * values that are not finite leaves no room for the latter).  For smooth f of
 * many unknowns; needs values, and one gradient or two an iteration.
 *
 *   x       [f->unknowns]  in: start; out: last accepted iterate
 *   result  NULL, or what was done
 *   opts    NULL means SF_LBFGS_OPTIONS_INIT
 *
 * Memory.  About (2 memory + 9) n doubles; most of it is taken by liblbfgs with
 *          malloc() and not from the context's allocator.
 *
 * Returns SF_OK, or
 *   SF_E_ARG          an option out of range, x or f NULL or malformed
 *   SF_E_SHAPE        f->unknowns < 1 or > 2^31 - 16
 *   SF_E_UNSUPPORTED  f has no values
 *   SF_E_NUMERIC      f or its gradient is not finite at the start
 *   SF_E_CONVERGE     max_iterations were not enough, or the line search found
 *                     no lower point: the tolerance is below the rounding of f,
 *                     or the gradient does not belong to the value
 *   SF_E_CANCELLED    the progress callback said stop
 *   SF_E_NOMEM        x is unchanged
 *   (other)           whatever a callback of f returned
 *
 * Source: D. C. Liu and J. Nocedal, Math. Program. 45 (1989) 503-528;
 * liblbfgs. */
SF_API sf_status sf_minimize_lbfgs(sf_context *ctx, double *x,
                                   sf_minimize_result *result,
                                   const sf_functional *f,
                                   const sf_lbfgs_options *opts);

/* ---- Newton ---- */

typedef struct sf_newton_options {
    size_t size;            /* sizeof(sf_newton_options); set by _INIT       */
    double tolerance;       /* > 0, see above                [1e-8]          */
    int64_t max_iterations; /* >= 1                          [100]           */
    double radius;          /* first trust radius, at most 1e150; 0 means
                             * 10 max(1, |x|)                [0]             */
    double forcing;         /* in (0, 1): how well the Newton equation is
                             * solved far from the solution  [0.1]           */
    int64_t max_products;   /* Hessian products in one step; 0 means 2 n + 20
                             *                               [0]             */
} sf_newton_options;

#define SF_NEWTON_OPTIONS_INIT                                                 \
    {                                                                          \
        sizeof(sf_newton_options), 1e-8, 100, 0.0, 0.1, 0                      \
    }

/* Minimise f by Newton's method: each step minimises the quadratic model
 *
 *     m(p) = g.p + (1/2) p.H p       within |p| <= radius
 *
 * by conjugate gradients on Hessian products (Steihaug), until the residual is
 * below forcing_k |g|, forcing_k = min(forcing, |g| / |g at the start|); so
 * convergence is quadratic near a minimum with a positive definite Hessian.
 * Directions of negative curvature are followed to the radius: saddle points do
 * not hold the method unless it starts on one.
 *
 * A step is accepted if f falls by more than 1e-4 of what the model foresaw;
 * the radius shrinks to |p|/4 below 1/4 of it and doubles above 3/4 if p
 * reached it.  Where f has no values, or its change is below their rounding,
 * the change along the step is taken from the gradients, (1/2)(g + g_new).p,
 * which is exact for a quadratic.
 *
 * Without `hvp` products are central differences of two gradients, good to
 * about 1e-10 of the largest; tolerances below 1e-8 may then be out of reach.
 *
 *   x, result, opts   as for sf_minimize_lbfgs(); x is one walker
 *
 * Memory.  12 n doubles from the context.
 *
 * Returns as sf_minimize_lbfgs() does, but never SF_E_UNSUPPORTED, and
 *   SF_E_NUMERIC      also where the Hessian at an iterate is not finite
 *   SF_E_CONVERGE     max_iterations were not enough, or the radius shrank to
 *                     the rounding of x
 *
 * Source: T. Steihaug, SIAM J. Numer. Anal. 20 (1983) 626-637; R. S. Dembo,
 * S. C. Eisenstat and T. Steihaug, SIAM J. Numer. Anal. 19 (1982) 400-408. */
SF_API sf_status sf_minimize_newton(sf_context *ctx, double *x,
                                    sf_minimize_result *result,
                                    const sf_functional *f,
                                    const sf_newton_options *opts);

#ifdef __cplusplus
}
#endif
#endif
