/* SPDX-License-Identifier: Apache-2.0 */
/* functional.h - a scalar of many unknowns, as the verbs of this library see it.
 *
 * A functional f takes a point x of R^n (the parameters of a model, the latent
 * code of a row, a field on a grid) to one number.  A verb moves *walkers*, one
 * or thousands of points side by side, so every callback takes [walkers, n].
 *
 * Sign.  f is what `solve` MINIMISES, and what `sample` draws from has
 *
 *     log density = -f + constant,       score = grad log density = -grad f.
 *
 * So a log density becomes a functional by its negative; an action, a loss or
 * an energy is one as it stands.  Units: f is a pure number (nats) when it is
 * sampled; otherwise any. */
#ifndef SCOREFIELD_FUNCTIONAL_H
#define SCOREFIELD_FUNCTIONAL_H

#include "scorefield/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A functional of your own.  Fill it from SF_FUNCTIONAL_INIT; it is read during
 * a call and never kept.
 *
 * In all callbacks x, gradient, v and hv are [walkers, unknowns], row-major and
 * without gaps; value is [walkers]; walkers >= 1.  Walker i's results must
 * depend on row i alone.  Callbacks come one at a time from the thread that
 * called the library, and may use threads of their own.
 *
 * A point where f is not defined is no error: return SF_OK with values or
 * gradients that are infinite or NaN, and the verb will treat that step as too
 * long (its header says how).  Any other status ends the verb, which returns
 * it.  `ctx` is the context that the verb was called with. */
typedef struct sf_functional {
    size_t size;      /* sizeof(sf_functional); set by _INIT                 */
    const char *name; /* for messages; NULL means "functional"               */
    int64_t unknowns; /* n >= 1                                              */
    void *user;       /* handed to the callbacks                             */

    /* OPTIONAL.  value[i] = f(x_i).  Leave NULL where only gradients are known,
     * as for the score of a model; verbs that need values then refuse with
     * SF_E_UNSUPPORTED. */
    sf_status (*value)(sf_context *ctx, void *user, double *value,
                       const double *x, int64_t walkers);

    /* REQUIRED.  gradient_i = grad f(x_i).  Where `value` is not NULL the values
     * are wanted too (only if the callback `value` exists): they often come for
     * nothing. */
    sf_status (*gradient)(sf_context *ctx, void *user, double *value,
                          double *gradient, const double *x, int64_t walkers);

    /* OPTIONAL.  hv_i = H(x_i) v_i with H the (symmetric) Hessian of f.  Verbs
     * that need it take differences of gradients where it is NULL. */
    sf_status (*hvp)(sf_context *ctx, void *user, double *hv, const double *x,
                     const double *v, int64_t walkers);

    /* OPTIONAL.  *gradient = grad f at x, a vector [unknowns] of `graph`, as a
     * vector of that graph.  Verbs that can then make many steps one program, and
     * compute in float as well as in double.  It must be what `gradient` gives. */
    sf_status (*node)(sf_context *ctx, void *user, sf_graph *graph, sf_node x,
                      sf_node *gradient);

    /* OPTIONAL.  About how many multiplications `gradient` takes for one walker, or 0:
     * what is worth doing beside a gradient is judged by it. */
    double (*work)(void *user);

    /* OPTIONAL, [unknowns]: f is the same at x and a period further along unknown j, an
     * angle, say; 0 where there is none.  Chains then stay on the circle, and a path is
     * long enough that has gone half of the way around. */
    const double *period;
} sf_functional;

#define SF_FUNCTIONAL_INIT                                                     \
    {                                                                          \
        sizeof(sf_functional), NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL,    \
            NULL                                                               \
    }

/* Compare the callbacks with each other at one point x [unknowns], along
 * `directions` random unit vectors u (seeded): the gradient with central
 * differences of the value, and the Hessian product with central differences of
 * the gradient, with a step of eps^(1/3) max(1, |x|).
 *
 *   gradient_error   NULL, or receives the largest |g.u - df/du| / max(1, |g|);
 *                    NaN if there is no `value`
 *   hvp_error        NULL, or receives the largest |H u - dg/du| / max(1, |H u|);
 *                    NaN if there is no `hvp`
 *
 * Right callbacks of a well scaled f give about 1e-9; a wrong term gives 1e-3
 * or more.
 *
 * Returns SF_OK; SF_E_ARG (directions < 1), SF_E_NUMERIC (not finite at or near
 * x), SF_E_NOMEM, or what a callback returned. */
SF_API sf_status sf_functional_check(sf_context *ctx, double *gradient_error,
                                     double *hvp_error, const sf_functional *f,
                                     const double *x, int directions,
                                     uint64_t seed);

#ifdef __cplusplus
}
#endif
#endif
