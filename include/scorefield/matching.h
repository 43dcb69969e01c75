/* SPDX-License-Identifier: Apache-2.0 */
/* matching.h - parameters of typed densities by score matching; goodness of fit by the
 * kernelised Stein discrepancy. */
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

    /* Weights of columns with bounds, an expression of d, the distance to the nearer
     * bound, such as "min(d, 3)"; it is 0 at d = 0.  NULL: those of the domain's
     * charts, (dx/dy)^2: d^2 for a positive column. */
    const char *weight;

    int64_t
        starts; /* where the objective is no quadratic: from the parameters' values
                       and from others near them, >= 1               [8]    */
    uint64_t seed; /*                                               [0]    */

    /* Random directions of each row for the trace of the second derivatives (Hutchinson),
     * a function of (seed, row); 0 for the exact trace, which takes `dim` directions.
     *                                                              [0]    */
    int64_t slices;
} sf_matching_options;

/* Most slices. */
enum { SF_MATCHING_SLICES = 256 };

#define SF_MATCHING_OPTIONS_INIT                                               \
    {                                                                          \
        sizeof(sf_matching_options), NULL, NULL, 8, 0, 0                       \
    }

/* What was estimated: the components of the parameters one after the other, of a
 * symmetric matrix the lower triangle by rows. */
typedef struct sf_matching {
    int64_t rows, count;
    char **names;     /* [count] "s", "mu[0]", "M[1,0]"                       */
    double *estimate; /* [count]                                              */
    double *error;    /* [count] standard errors; NaN where not identified    */
    double
        *covariance; /* [count, count] H^-1 V H^-1 / rows: H the mean Hessian of
                           the objective, V the mean square of its gradient (the
                           sandwich estimator)                                  */
    double objective; /* per row                                              */
    bool quadratic;   /* it was a linear system                               */
    bool identified;  /* H is not singular                                    */
    double *weakest;  /* [count] a unit vector, the least identifiable
                           direction: of smallest curvature, in units of the
                           components' own                                      */
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
 * The sum takes as many directional derivatives as x has components.  With K slices
 * it is the mean of v' d(h s)/dx v over K directions v of each row, of which every
 * component is 1 or -1, the variance-reduced form of sliced score matching (Y. Song,
 * S. Garg, J. Shi, S. Ermon, UAI 2019, PMLR 115, 574-584).  Its mean is J, and it is J
 * where d(h s)/dx is diagonal; elsewhere estimates have larger errors, which those
 * that are given include.
 *
 * J is what it should be only where s is continuous, which |x| does not have: then a
 * term for each jump is missing.  If the text has an operation that may jump (abs,
 * sign, floor, mod, min, max, where, comparisons, sqrt, pow, asin, acos, atan2), s and
 * ln p are looked at on lines between some of the rows (those with the ends of the first
 * 8 columns, and any), for the parameters' values and for others near them; where they
 * jump, nothing is estimated.
 *
 * J is nearly blind to the weights of well separated parts of p: only the rows between
 * them tell of these.  A component that rests on fewer than 10 rows, and on fewer than
 * one in 50, is named in a warning: on (sum f^2)^2 / sum f^4 rows, for what each moves
 * it by.
 *
 * Returns SF_OK; SF_E_ARG (an option outside its range, an invalid name or form,
 * a weight without bounds, fewer than 2 rows), SF_E_PARSE (the weight), SF_E_SHAPE (x;
 * a matrix that is not square); SF_E_NUMERIC (a row outside the domain: row and name;
 * s or ln p jumps: rows and place; ln p is not finite at a row; J is not finite, or
 * not convex where it is a quadratic: the parameters concerned; a solution that is not
 * as its form wants and for which no start converges); SF_E_CONVERGE (no start
 * converged); SF_E_CANCELLED; SF_E_NOMEM.  On failure *out is empty and the parameters
 * are as they were.  `options` may be NULL. */
SF_API sf_status sf_match_scores(sf_context *ctx, sf_matching *out,
                                 sf_model *density, sf_cmat x,
                                 const sf_matching_options *options);
SF_API void sf_matching_free(sf_context *ctx, sf_matching *m);

/* ---- sparse estimates --------------------------------------------------------------- */

typedef struct sf_sparse_options {
    size_t size;            /* set by _INIT */
    const char *parameters; /* as in sf_matching_options; none with bounds */
    const char *weight;     /* likewise */

    /* Which parameters are sparse, names with commas between them: of a square matrix
     * the elements off the diagonal, of others all. */
    const char *sparse;

    int64_t lambda_count; /* penalties tried, 1 to 10000             [100]    */
    double ratio;         /* smallest penalty / largest, in (0, 1)   [0.001]  */
    const double *lambdas; /* [lambda_count] instead: not ascending, >= 0 */

    /* What the diagonal of each block is multiplied with along the path, >= 1.  0: 1
     * where there are at least as many rows as a block has components, else
     * 2 - 1 / (1 + 4 e max(a, sqrt a)), a = 6 ln(blocks) / rows. */
    double multiplier; /*                                            [0]      */
    double gamma;      /* of the criterion, in [0, 1]                [0.5]    */
    double
        scale; /* of J in the criterion; 1 is the published one, 0 that of the
                     rows, see below                                 [0]      */
} sf_sparse_options;

#define SF_SPARSE_OPTIONS_INIT                                                 \
    {                                                                          \
        sizeof(sf_sparse_options), NULL, NULL, NULL, 100, 0.001, NULL, 0.0,    \
            0.5, 0.0                                                           \
    }

/* `numbers` counts the components of the parameters, as sf_matching's `count` does;
 * `edges` are penalised components that are not 0. */
typedef struct sf_sparse_path {
    int64_t rows, numbers;
    int64_t penalised;  /* of the components */
    int64_t blocks;     /* that the Hessian is the sum of */
    int64_t block_most; /* components of the largest of them */
    double multiplier;  /* that was used */
    double scale;       /* likewise */
    char **names;       /* [numbers] */
    bool *penalty;      /* [numbers] whether it is penalised */

    /* From the largest penalty down; `count` is less than was asked for where the
     * objective with a smaller one has no minimum. */
    int64_t count, asked;
    double *lambdas;   /* [count] */
    double *estimates; /* [count, numbers] */
    int64_t *edges;    /* [count] */
    double *objective; /* [count] J per row, without penalty and multiplier */
    double *violation; /* [count] of the optimality conditions, over the slope
                          at the largest penalty                            */
    double *refit;     /* [count] the minimum of J where other penalised
                          components are 0; NaN where it is not unique      */
    double *criterion; /* [count] the extended BIC of it; infinite likewise */

    int64_t chosen;   /* of the smallest criterion */
    double *estimate; /* [numbers] of the chosen one, without penalty */
} sf_sparse_path;

/* Sparse estimates of the parameters of a density, by an l1 penalty: minimise
 *
 *     J(theta) + lambda * sum of |theta_p| over penalised p,
 *
 * J as for sf_match_scores(), for penalties from the smallest one for which every
 * penalised component is 0 down.  J must be a quadratic.  Its Hessian is a sum of blocks,
 * one for each component of the score, kept one by one; coordinate descent starts from
 * the estimate before it, and ends where the optimality conditions hold to 1e-9.  For
 * each support J is minimised again without penalty, and the extended BIC
 *
 *     2 n J / scale + E ln n + 2 gamma ln binomial(P, E)
 *
 * of E edges among P chooses.  J is no log likelihood and has units, so that its mean
 * gain by a spurious edge is not 1/2: the scale is the median, over penalised components
 * where all are 0, of the variance of their slopes over their curvature, which makes it
 * that.  Supports of more than 3000 components have none, nor have those with a block of
 * more edges than half of the rows, which follow the rows.  The density's parameters
 * receive the chosen estimates without penalty.
 *
 * Returns SF_OK; what sf_match_scores() returns; SF_E_ARG (an option outside its range, a
 * parameter with bounds, none that is sparse), SF_E_UNSUPPORTED (J is not seen to be a
 * quadratic), SF_E_NUMERIC (no support has identifiable parameters).  On failure *out is
 * empty and the parameters are as they were.
 *
 * Source: S. Yu, M. Drton, A. Shojaie, JMLR 20 (2019) 1-70 (the multiplier; section 4);
 * J. Chen, Z. Chen, Biometrika 95 (2008) 759-771; R. Foygel, M. Drton, NIPS 2010. */
SF_API sf_status sf_match_sparse(sf_context *ctx, sf_sparse_path *out,
                                 sf_model *density, sf_cmat x,
                                 const sf_sparse_options *options);
SF_API void sf_sparse_path_free(sf_context *ctx, sf_sparse_path *path);

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
        discrepancy; /* U-statistic: of mean 0 where rows have the density  */
    double p;        /* proportion of bootstrap draws that are as large     */
} sf_stein;

/* Kernelised Stein discrepancy of rows x [n, dim] from a model: the mean over pairs of
 *
 *     u(y, z) = s(y).s(z) k + s(y).dk/dz + s(z).dk/dy + tr d2k/dy dz,
 *     k = (1 + |y - z|^2 / l^2)^(-1/2),
 *
 * in the model's unknowns, each over its standard deviation, l the median distance.
 * It needs scores alone, and is 0 in the mean where the rows have the density.  p is by
 * a bootstrap of multinomial weights.  It takes the density as given: after a fit to the
 * same rows it is conservative (too large), so that a small one still rejects the form.
 *
 * Returns SF_OK; SF_E_ARG (fewer than 4 rows, an option outside its range), SF_E_SHAPE,
 * SF_E_UNSUPPORTED (the model has no score), SF_E_NUMERIC (a row outside the support, a
 * score that is not finite, a constant column), SF_E_NOMEM.
 *
 * Source: Q. Liu, J. Lee, M. Jordan, ICML 2016, PMLR 48, 276-284; J. Gorham, L. Mackey,
 * ICML 2017, PMLR 70, 1292-1301 (the kernel). */
SF_API sf_status sf_stein_test(sf_context *ctx, const sf_model *model,
                               sf_cmat x, const sf_stein_options *options,
                               sf_stein *out);

#ifdef __cplusplus
}
#endif
#endif
