/* SPDX-License-Identifier: Apache-2.0 */
/* mixture.h - mixtures of normal distributions, fitted by expectation and
 * maximisation. */
#ifndef SCOREFIELD_MIXTURE_H
#define SCOREFIELD_MIXTURE_H

#include "scorefield/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A mixture with given weights [components] > 0, which are scaled to sum to 1, means
 * [components, dim] and covariances [components, dim, dim] (symmetric, positive
 * definite, row-major), in the data's units: a model of the family "mixture".  Column
 * names may be NULL.
 *
 * Returns SF_OK; SF_E_ARG (dim or components < 1, a weight that is not > 0 and
 * finite); SF_E_NUMERIC (a covariance is singular or not finite: which); SF_E_NOMEM. */
SF_API sf_status sf_mixture_new(sf_context *ctx, sf_model **out, int64_t dim,
                                const char *const *names, int64_t components,
                                const double *weights, const double *means,
                                const double *covariances);

/* The components of a model of the family "mixture", and their weights
 * [components], means [components, dim] and covariances [components, dim, dim], in the
 * data's units; NULL for what is not wanted.  0, or SF_E_UNSUPPORTED, for other
 * models. */
SF_API int64_t sf_mixture_components(const sf_model *model);
SF_API sf_status sf_mixture_moments(const sf_model *model, double *weights,
                                    double *means, double *covariances);

typedef struct sf_mixture_options {
    size_t size; /* set by _INIT                                        */
    int64_t
        components; /* K >= 1; 0: the one of smallest BIC          [0]     */
    int64_t most;   /* components that are tried, 1 to 256         [20]    */
    int64_t starts; /* K-means++ seedings of each K, >= 1          [3]     */
    int64_t
        iterations;   /* of a start, at most, >= 1                   [500]   */
    double tolerance; /* of the mean log posterior density of a row, > 0;
                           what an iteration must gain to be followed by another
                                                                       [1e-6]  */
    uint64_t seed;    /*                                             [0]     */
} sf_mixture_options;

#define SF_MIXTURE_OPTIONS_INIT                                                \
    {                                                                          \
        sizeof(sf_mixture_options), 0, 20, 3, 500, 1e-6, 0                     \
    }

/* How a mixture was found.  Set `size` (SF_MIXTURE_FIT_INIT) before the call. */
typedef struct sf_mixture_fit {
    size_t size;
    int64_t components;    /* K                                               */
    int64_t tried;         /* how many K were fitted                          */
    int64_t iterations;    /* of the last run                                 */
    bool converged;        /* it ended by the tolerance                       */
    double log_likelihood; /* of all rows, in nats                            */
    double bic;            /* p ln n - 2 log likelihood, p the free parameters:
                              K - 1 + K d + K d (d + 1)/2                      */
    int64_t rows;          /* n, with a cell that is there                    */
    int64_t missing;       /* cells of these that are missing                 */
} sf_mixture_fit;

#define SF_MIXTURE_FIT_INIT                                                    \
    {                                                                          \
        sizeof(sf_mixture_fit), 0, 0, 0, false, 0.0, 0.0, 0, 0                 \
    }

#define SF_MIXTURE_SEARCH_ROWS 10000

/* Fit a mixture to rows data [n, d] by EM, for the mode of the posterior under the
 * conjugate prior of C. Fraley and A. E. Raftery (J. Classif. 24 (2007) 155-181): in
 * standardised columns
 *
 *     m_k | S_k ~ N(0, S_k / 0.01),     S_k ~ inverse Wishart(d + 2, R / K^(2/d)),
 *
 * R the correlations, shrunken towards 1 as far as O. Ledoit and M. Wolf (J. Multivar.
 * Anal. 88 (2004) 365-411) say, so that no component shrinks onto a few rows, and
 * more columns than rows are a model.  BIC (G. Schwarz, Ann. Stat. 6 (1978) 461-464)
 * is that of the likelihood; larger K are tried until three in a row do not lower it.
 * Of more than SF_MIXTURE_SEARCH_ROWS rows, so many drawn at random choose K and the
 * point from which EM goes on with all of them.
 *
 * Missing cells (NaN) are treated as sf_fit_gaussian_with() treats them: likelihoods
 * are those of the cells that are there, R is that of one normal distribution, and the
 * iterations are speeded up by extrapolation (R. Varadhan, C. Roland, Scand. J. Stat.
 * 35 (2008) 335-353).  Rows without any cell count nothing.
 *
 * `fit` and `options` may be NULL.
 *
 * Returns SF_OK; SF_E_ARG (an option outside its range, fewer than 2 rows, fewer rows
 * than components); SF_E_NUMERIC (a value that is infinite: row and column; a
 * constant column: its name); SF_E_SHAPE; SF_E_CANCELLED; SF_E_NOMEM.  On failure
 * *out is NULL. */
SF_API sf_status sf_fit_mixture(sf_context *ctx, sf_model **out, sf_cmat data,
                                const char *const *names,
                                const sf_mixture_options *options,
                                sf_mixture_fit *fit);

#ifdef __cplusplus
}
#endif
#endif
