/* SPDX-License-Identifier: Apache-2.0 */
/* low_rank.h - normal distributions with few latent variables: probabilistic
 * principal components and factor analysis.
 *
 *     x = mean + W z + e,   z ~ N(0, I_K),  e_j ~ N(0, s_j^2),  K < d
 *
 * so that x ~ N(mean, W W' + diag(s^2)).  With one s for all columns W spans the
 * principal components (M. E. Tipping and C. M. Bishop, J. R. Stat. Soc. B 61 (1999)
 * 611-622): family "pca".  With one for each column it is factor analysis (D. N.
 * Lawley and A. E. Maxwell, Factor Analysis as a Statistical Method (1971)): family
 * "fa".  sf_model_code() gives E[z | x], and samples are drawn directly. */
#ifndef SCOREFIELD_LOW_RANK_H
#define SCOREFIELD_LOW_RANK_H

#include "scorefield/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A model with given mean [dim], loadings W [dim, latent] and standard deviations of
 * the noise [dim] > 0, in the data's units.  It is of the family "fa", or "pca" if
 * `pca` is set.  W is kept in the rotation in which W' diag(1/s^2) W is diagonal and
 * descending and the entry of largest magnitude of a column (the first of those within
 * 1e-9 of it) is positive.  Column names may be NULL.
 *
 * Returns SF_OK; SF_E_ARG (latent outside 1..dim-1, a standard deviation that is not
 * positive and finite); SF_E_NUMERIC (a number is not finite, or the columns of W depend
 * on each other linearly); SF_E_CONVERGE; SF_E_NOMEM.  On failure *out is NULL. */
SF_API sf_status sf_low_rank_new(sf_context *ctx, sf_model **out, bool pca,
                                 int64_t dim, const char *const *names,
                                 int64_t latent, const double *mean,
                                 const double *loadings,
                                 const double *noise_sd);

/* The mean [d], loadings [d, K] and standard deviations of the noise [d] of a model of
 * the family "pca" or "fa", in the data's units; NULL for what is not wanted.  K is
 * sf_model_latents().  Returns SF_OK or SF_E_UNSUPPORTED. */
SF_API sf_status sf_low_rank_parts(const sf_model *model, double *mean,
                                   double *loadings, double *noise_sd);

typedef struct sf_low_rank_options {
    size_t size;       /* set by _INIT                                        */
    int64_t latent;    /* K, 1 to d - 1; 0: the one of the largest held-out
                          likelihood                            [default 0]   */
    bool standardise;  /* pca: one s for columns divided by their standard
                          deviations, since the components depend on the
                          columns' units                        [default false] */
    double validation; /* held-out fraction where K is chosen, (0, 0.9]
                                                                [default 0.1] */
    uint64_t seed;     /* of which rows are held out            [default 0]   */
    int64_t iterations; /* of factor analysis, at most, >= 1    [default 500] */
} sf_low_rank_options;

#define SF_LOW_RANK_OPTIONS_INIT                                               \
    {                                                                          \
        sizeof(sf_low_rank_options), 0, false, 0.1, 0, 500                     \
    }

/* How it was found.  Set `size` (SF_LOW_RANK_FIT_INIT) before the call. */
typedef struct sf_low_rank_fit {
    size_t size;
    int64_t latent;        /* K                                               */
    double log_likelihood; /* mean of the rows, in nats and the data's units  */
    int64_t iterations;    /* of factor analysis, else 0                      */
    bool converged;        /* they ended by the gradient                      */
    int64_t heywood;       /* columns whose noise is at its bound             */
} sf_low_rank_fit;

#define SF_LOW_RANK_FIT_INIT                                                   \
    {                                                                          \
        sizeof(sf_low_rank_fit), 0, 0.0, 0, false, 0                           \
    }

/* Probabilistic principal components of rows data [n, d], by maximum likelihood: with
 * the eigenvalues l_1 >= ... >= l_d of the covariance (divisor n) and its eigenvectors U
 *
 *     s^2 = (l_K+1 + ... + l_d)/(d - K),    W = U_K (L_K - s^2 I)^1/2.
 *
 * `options` and `fit` may be NULL.
 *
 * Returns SF_OK; SF_E_ARG (an option outside its range, fewer than 2 rows or columns);
 * SF_E_NUMERIC (a value that is not finite: row and column; s = 0: the rows lie in K
 * dimensions; fewer than K directions stand out from the noise: how many do; a constant
 * column that is to be standardised: its name); SF_E_SHAPE; SF_E_CONVERGE; SF_E_NOMEM.
 * On failure *out is NULL. */
SF_API sf_status sf_fit_pca(sf_context *ctx, sf_model **out, sf_cmat data,
                            const char *const *names,
                            const sf_low_rank_options *options,
                            sf_low_rank_fit *fit);

/* Factor analysis by maximum likelihood: Newton's method on the likelihood that is
 * maximised over W (K. G. Joreskog, Psychometrika 32 (1967) 443-482), as a function of
 * ln s^2, with s_j^2 at least 1e-6 of the column's variance.  A column at that bound (a
 * Heywood case) is warned about by its name, and so are numbers of latent variables whose
 * s^2 are not unique: (d - K)^2 < d + K (W. Ledermann, Psychometrika 2 (1937) 85-93),
 * which are not tried where K is chosen.
 *
 * Returns as sf_fit_pca(), and SF_E_NUMERIC for a constant column; SF_E_CANCELLED.  That
 * the iterations ended before the gradient was small is a warning. */
SF_API sf_status sf_fit_fa(sf_context *ctx, sf_model **out, sf_cmat data,
                           const char *const *names,
                           const sf_low_rank_options *options,
                           sf_low_rank_fit *fit);

#ifdef __cplusplus
}
#endif
#endif
