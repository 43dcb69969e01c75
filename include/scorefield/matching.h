/* SPDX-License-Identifier: Apache-2.0 */
/* matching.h - parameters of typed densities, by score matching. */
#ifndef SCOREFIELD_MATCHING_H
#define SCOREFIELD_MATCHING_H

#include "scorefield/array.h"
#include "scorefield/density.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sf_matching_options {
    size_t size; /* set by _INIT */

    /* Which parameters are estimated, and what they may be: "NAME; NAME=FORM; ...",
     * FORM being real, positive, LO:HI (one of them may be left out) or symmetric (a
     * matrix).  The others stay as they are.  NULL: all are real. */
    const char *parameters;

    /* Weights of numbers with bounds, an expression of d, the distance to the nearer
     * bound, such as "min(d, 3)"; it is 0 at d = 0.  NULL: those of the domain's
     * charts, (dx/dy)^2: d^2 for a number that is positive. */
    const char *weight;

    int64_t
        starts; /* where the objective is no quadratic: from the parameters' values
                       and from others near them, >= 1               [8]    */
    uint64_t seed; /*                                               [0]    */

    /* Directions of each row for the trace of the second derivatives, a function of
     * (seed, row); 0 for all of it, exactly, which takes `dim` directions.
     *                                                              [0]    */
    int64_t slices;
} sf_matching_options;

/* Most slices. */
enum { SF_MATCHING_SLICES = 256 };

#define SF_MATCHING_OPTIONS_INIT                                               \
    {                                                                          \
        sizeof(sf_matching_options), NULL, NULL, 8, 0, 0                       \
    }

/* What was estimated.  Numbers are those of the parameters one after the other, of a
 * symmetric matrix the lower triangle by rows. */
typedef struct sf_matching {
    int64_t rows, count;
    char **names;     /* [count] "s", "mu[0]", "M[1,0]"                       */
    double *estimate; /* [count]                                              */
    double *error;    /* [count] standard errors; NaN where not identified    */
    double
        *covariance; /* [count, count] H^-1 V H^-1 / rows: H the mean Hessian of
                           the objective, V the mean square of its gradient     */
    double objective; /* per row                                              */
    bool quadratic;   /* it was a linear system                               */
    bool identified;  /* no direction changes nothing                         */
    double *weakest;  /* [count] a unit vector along which the objective changes
                           least, in units of the numbers' own curvature        */
    double curvature; /* along it, relative to the largest                    */
    int64_t
        iterations; /* of the best start                                    */
    int64_t failed; /* starts that did not converge                         */
} sf_matching;

/* Estimate parameters of a density from rows x [n, dim] by minimising
 *
 *     J = mean of  sum_j d/dx_j (h_j s_j) + h_j s_j^2 / 2,      s = grad ln p,
 *
 * which needs no normalising constant.  With the default weights h that is
 * A. Hyvarinen's objective (JMLR 6 (2005) 695-709, theorem 1) in the domain's charts;
 * with others the generalized one of S. Yu, M. Drton, A. Shojaie, JMLR 20 (2019)
 * 1-70.  The density's parameters receive the estimates.
 *
 * Where J is a quadratic of the parameters, which is found from its graph, its minimum
 * is a linear system; else L-BFGS goes down from several starts, and Newton's method
 * ends the best.  J is taken as it stands: where it is a maximum, or unbounded below,
 * there is no estimate.
 *
 * The sum takes as many directional derivatives as x has numbers.  With K slices
 * it is the mean of v' d(h s)/dx v over K directions v of each row, of which every
 * number is 1 or -1, the variance-reduced form of sliced score matching (Y. Song,
 * S. Garg, J. Shi, S. Ermon, UAI 2019, PMLR 115, 574-584).  Its mean is J, and it is J
 * where d(h s)/dx is diagonal; elsewhere estimates have larger errors, which those
 * that are given include.
 *
 * J is what it should be only where s is continuous, which |x| does not have: then a
 * term for each jump is missing.  If the text has an operation that may jump (abs,
 * sign, floor, min, max, where, comparisons, sqrt, pow, atan2), s and ln p are looked at
 * on lines between some of the rows, for the parameters' values and for others near
 * them; where they jump, nothing is estimated.
 *
 * Returns SF_OK; SF_E_ARG (an option outside its range, a name or form that is none,
 * a weight without bounds, fewer than 2 rows), SF_E_PARSE (the weight), SF_E_SHAPE (x;
 * a matrix that is not square); SF_E_NUMERIC (a row outside the domain: row and name;
 * s or ln p jumps: rows and place; ln p is not finite at a row; J is not finite, or
 * not convex where it is a quadratic: the parameters concerned; a solution that is not
 * as its form wants and for which no start converges); SF_E_CONVERGE (no start
 * converged); SF_E_CANCELLED; SF_E_NOMEM.  On failure *out is empty and the parameters
 * are as they were.  `options` may be NULL. */
SF_API sf_status sf_match_scores(sf_context *ctx, sf_matching *out,
                                 sf_density *density, sf_cmat x,
                                 const sf_matching_options *options);
SF_API void sf_matching_free(sf_context *ctx, sf_matching *m);

/* ---- goodness of fit --------------------------------------------------------------- */

typedef struct sf_stein_options {
    size_t size;  /* set by _INIT                                             */
    int64_t rows; /* looked at, drawn by chance from more; >= 4     [500]     */
    int64_t
        draws; /* of the bootstrap, >= 1                         [1000]    */
    uint64_t
        seed; /*                                                [0]       */
} sf_stein_options;

#define SF_STEIN_OPTIONS_INIT                                                  \
    {                                                                          \
        sizeof(sf_stein_options), 500, 1000, 0                                 \
    }

typedef struct sf_stein {
    int64_t rows;
    double
        discrepancy; /* unbiased, of 0 where rows have the density          */
    double p;        /* share of bootstrap draws that are as large          */
} sf_stein;

/* Kernelised Stein discrepancy of rows x [n, dim] from a density: the mean over pairs of
 *
 *     u(y, z) = s(y).s(z) k + s(y).dk/dz + s(z).dk/dy + tr d2k/dy dz,
 *     k = (1 + |y - z|^2 / l^2)^(-1/2),
 *
 * on the density's line, each number over its standard deviation, l the median distance.
 * It needs scores alone, and is 0 in the mean where the rows have the density.  p is by
 * a bootstrap of multinomial weights.  It takes the density as given: after a fit to the
 * same rows it is too large, so that a small one still tells that the form is wrong.
 *
 * Returns SF_OK; SF_E_ARG (fewer than 4 rows, an option outside its range), SF_E_SHAPE,
 * SF_E_NUMERIC (a row outside the domain, a score that is not finite, a constant
 * column), SF_E_NOMEM.
 *
 * Source: Q. Liu, J. Lee, M. Jordan, ICML 2016, PMLR 48, 276-284; J. Gorham, L. Mackey,
 * ICML 2017, PMLR 70, 1292-1301 (the kernel). */
SF_API sf_status sf_stein_test(sf_context *ctx, const sf_density *density,
                               sf_cmat x, const sf_stein_options *options,
                               sf_stein *out);

#ifdef __cplusplus
}
#endif
#endif
