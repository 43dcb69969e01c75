/* SPDX-License-Identifier: Apache-2.0 */
/* latent.h - which latent points a decoder's rows are made of, and the geometry there.
 *
 *     x = f(z) + eps,     eps ~ N(0, Sigma),     z ~ N(0, I) or unknown
 *
 * For each row x the latent point z that maximises
 *
 *     O(z) = ln p(x|z) - z'z/2 - (K/2) ln 2 pi     with the prior ("normal")
 *     O(z) = ln p(x|z)                             without ("none")
 *
 * is found, from several starts.  With J = df/dz, A = L^-1 J, Sigma = L L',
 * M = A'A, I(z) Fisher's metric (M for constant noise) and Lambda = I or 0,
 *
 *     grad O = J' Sigma^-1 (x - f) - Lambda z               (Sigma constant)
 *     H      = hessian of O = -(I(z) + Lambda) + R
 *
 * Where grad O = 0: without a prior the residual is orthogonal to the columns of J
 * in the product of Sigma^-1, and in the Euclidean one only if Sigma = sigma^2 I;
 * with it J' Sigma^-1 (x - f) = z, and the residual is not orthogonal. */
#ifndef SCOREFIELD_LATENT_H
#define SCOREFIELD_LATENT_H

#include "scorefield/decoder.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum sf_latent_prior {
    SF_LATENT_NORMAL = 0, /* N(0, I)                                          */
    SF_LATENT_NONE        /* maximum likelihood                               */
} sf_latent_prior;

typedef struct sf_latent_options {
    size_t size;            /* set by _INIT                                   */
    sf_latent_prior prior;  /*                                  [NORMAL]      */
    int64_t starts;         /* of each row, 1 to 64; a linear decoder
                               needs one                        [4]           */
    double tolerance;       /* > 0, of the certificate          [1e-8]        */
    int64_t max_iterations; /* of each start, >= 1              [200]         */
    int64_t samples;        /* of each row, for logpdf, 16 to 2^31 [256]      */
    uint64_t seed;          /* of starts and samples            [0]           */
} sf_latent_options;

#define SF_LATENT_OPTIONS_INIT                                                 \
    {                                                                          \
        sizeof(sf_latent_options), SF_LATENT_NORMAL, 4, 1e-8, 200, 256, 0      \
    }

/* What is wanted of n rows: members whose data is NULL are not.  Rows at whose
 * starts the decoder is not finite are NaN.
 *
 * The certificate is
 *
 *     c = sqrt(g' (I(z) + Lambda)^-1 g) / (1 + sqrt(e'e + z' Lambda z)),  g = grad O,
 *
 * the length, in standard deviations of the noise, of what is left of the residual
 * along the manifold, relative to all of it (e = L^-1 (x - f)).  Without a prior it
 * does not depend on how z parametrises the manifold.
 *
 * `focal` is the largest eigenvalue of B^-1/2 R B^-1/2, B = I(z) + Lambda: the
 * normal curvature times the length of the residual.  Below 1 the point is a
 * maximum; at 1 x is a centre of curvature, and z undetermined.
 *
 * Principal directions are those of A = U S V': J v_k, with |J v_k| the standard
 * deviation of f(z) along it for a unit latent step, and s_k its ratio to the noise.
 * They are orthogonal in the product of Sigma^-1.  The entry of largest magnitude,
 * the first of those within 1e-9 of it, is positive. */
typedef struct sf_latent_values {
    size_t size;           /* set by _INIT                                    */
    sf_mat z;              /* [n, K]                                          */
    sf_mat score;          /* [n, K]    grad O                                */
    sf_mat tangential;     /* [n, K]    J' Sigma^-1 (x - f)                   */
    sf_mat residual;       /* [n, d]    x - f(z)                              */
    sf_mat reconstruction; /* [n, d]    f(z)                                  */
    sf_mat orthogonality;  /* [n, 1]    c                                     */
    sf_mat metric;         /* [n, K*K]  I(z)                                  */
    sf_mat hessian;        /* [n, K*K]  H                                     */
    sf_mat log_volume;     /* [n, 1]    (1/2) ln det I(z)                     */
    sf_mat principal;      /* [n, K*(2+d)]  for each k: |J v_k|, s_k, and the
                              unit vector along J v_k                         */
    sf_mat covariance;     /* [n, K*K]  (-H)^-1; NaN where kind is not 1      */
    sf_mat kind;           /* [n, 1]    1 a maximum; 0 undetermined: H is
                              singular to 1e-10, or without a prior J; else -1 */
    sf_mat focal;          /* [n, 1]                                          */
    sf_mat misfit;         /* [n, 1]    e'e, chi-squared of rows of the model */
    sf_mat loglik;         /* [n, 1]    ln p(x|z)                             */
    sf_mat logjoint;       /* [n, 1]    ln p(x,z), of a normal prior          */
    sf_mat laplace;        /* [n, 1]    O + (K/2) ln 2 pi - (1/2) ln det(-H);
                              NaN where kind is not 1                         */
    sf_mat logpdf;         /* [n, 1]    ln p(x), by importance sampling       */
    sf_mat logpdf_se;      /* [n, 1]    its standard error; 0 of linear ones  */
    sf_mat contours;       /* [n, K]    ln N(z_k) - (1/2) ln |J_k|^2          */
    sf_mat information;    /* [n, 1]    sum_k (1/2) ln |J_k|^2
                              - (1/2) ln det J'J                              */
    sf_mat curvature;      /* [n, 1]    Gaussian curvature of I(z), for K = 2;
                              1/r^2 of a sphere                               */
    sf_mat data_score; /* [n, d]    grad_x ln p(x) = E[ grad_x ln p(x|z) | x ]
                              (Fisher's identity), by the weights of logpdf   */
    sf_mat
        ambiguous; /* [n, 1]    1 where starts ended at different maxima within
                          2 nats of the best, else 0; 0 at given points       */
} sf_latent_values;

#define SF_LATENT_VALUES_INIT                                                  \
    {                                                                          \
        .size = sizeof(sf_latent_values)                                       \
    }

/* What was found, over all rows. */
typedef struct sf_latent_result {
    size_t size; /* set by _INIT */

    int64_t rows;
    int64_t converged;    /* their certificate is below the tolerance, or
                             below what the rounding of x - f leaves          */
    int64_t maxima;       /* of kind 1                                        */
    int64_t saddles;      /* of kind -1                                       */
    int64_t undetermined; /* of kind 0                                        */
    int64_t undefined;    /* f is not finite at any start                     */
    int64_t ambiguous;    /* their starts ended at different maxima within 2
                             nats of the best                                 */
    int64_t unreachable;  /* a chi-squared number of d - K degrees is above
                             their misfit once in 10^6                        */
    int64_t tied;         /* with two principal directions of equal s_k, which
                             are arbitrary in their plane                     */

    int64_t starts;     /* of each row       */
    int64_t iterations; /* of the slowest    */
    double worst_orthogonality;

    /* Where logpdf is wanted, else NaN and 0. */
    double mean_logpdf;    /* over rows                                       */
    double mean_logpdf_se; /* by the samples alone                            */
    double worst_se;       /* of a row                                        */
    int64_t doubtful;      /* rows whose se is above 0.1, or one of whose
                              weights is more than half of all                */
} sf_latent_result;

#define SF_LATENT_RESULT_INIT                                                  \
    {                                                                          \
        .size = sizeof(sf_latent_result)                                       \
    }

/* Infer z for each row of x [n, d], and evaluate what is wanted there.
 *
 * Starts.  Of a codebook of decoded points (2048 of one latent number, 4096 of two,
 * 8192 of more) those `starts` under which a row is likeliest and which are at least
 * 0.5 apart, and what the encoder says where the decoder is a model's that has
 * one.  From each, damped Gauss-Newton steps and then Newton's are taken; the
 * best end is kept, of equal ones that of the smaller |z|.  A saddle point is left
 * along its direction of ascent, twice at the most.  Nothing proves that a maximum is
 * the global one: `ambiguous` counts what several starts saw.
 *
 * logpdf is ln of the mean of `samples` importance weights, drawn from a Student-t of
 * 6 degrees around z with 1.2 times the covariance of Laplace (that of Gauss-Newton
 * where kind is not 1), and one in twenty from the prior.  It is too low by about
 * se^2/2.  Where it is wanted the verb warns of rows that are `doubtful`.
 *
 * Warnings (sf_context_set_warning()) tell of rows that have not converged, are
 * saddles, undetermined, undefined or doubtful.
 *
 * Memory.  Rows are taken in blocks; the work space does not depend on n.
 *
 * A row's results depend on the decoder, the options, the row and (logpdf) its index
 * alone; they have the same bits for any number of threads.
 *
 * Returns SF_OK, or
 *   SF_E_SHAPE        x or a member of `values` has the wrong shape
 *   SF_E_ARG          an option out of range; K >= d without a prior, where every
 *                     residual is 0; logpdf, data_score, logjoint or laplace without a prior;
 *                     curvature where K is not 2
 *   SF_E_NUMERIC      x is not finite (row and column are named), or the decoder is
 *                     not finite at any start of any row
 *   SF_E_CONVERGE     no row has converged; values and result are filled
 *   SF_E_CANCELLED    the progress callback said stop
 *   SF_E_NOMEM */
SF_API sf_status sf_latent_infer(sf_context *ctx, const sf_decoder *decoder,
                                 sf_cmat x, const sf_latent_values *values,
                                 sf_latent_result *result,
                                 const sf_latent_options *options);

/* The same at given points z [n, K], without inference: whether they are stationary
 * or not.  Returns likewise, but never SF_E_CONVERGE; z must be finite. */
SF_API sf_status sf_latent_at(sf_context *ctx, const sf_decoder *decoder,
                              sf_cmat x, sf_cmat z,
                              const sf_latent_values *values,
                              sf_latent_result *result,
                              const sf_latent_options *options);

/* ---- draws of z given x ----------------------------------------------------------- */

typedef struct sf_latent_draw_options {
    size_t size;     /* set by _INIT                                          */
    int64_t draws;   /* kept of each chain, 1 to 2^30              [250]      */
    int64_t chains;  /* of each row, 1 to 64                       [4]        */
    int64_t warmup;  /* iterations that adapt the step, 0 to 2^30  [200]      */
    int64_t starts;  /* of the search for each row, 1 to 64        [4]        */
    int64_t samples; /* of which the chains' starts are chosen, 16 to 2^31
                                                                   [256]      */
    uint64_t seed;   /*                                            [0]        */
} sf_latent_draw_options;

#define SF_LATENT_DRAW_OPTIONS_INIT                                            \
    {                                                                          \
        sizeof(sf_latent_draw_options), 250, 4, 200, 4, 256, 0                 \
    }

typedef struct sf_latent_draw_result {
    size_t size;       /* set by _INIT                                        */
    int64_t rows;      /*                                                     */
    int64_t undefined; /* rows without a start: their draws are NaN           */
    int64_t unmixed;   /* rows whose R-hat is above 1.05                      */
    double worst_rhat; /* NaN for fewer than 4 draws of a chain               */
    double least_ess;  /* NaN for fewer than 12                               */
    double accept;     /* mean probability of acceptance of local steps       */
    double jumps;      /* and of jumps                                        */
} sf_latent_draw_result;

#define SF_LATENT_DRAW_RESULT_INIT                                             \
    {                                                                          \
        .size = sizeof(sf_latent_draw_result)                                  \
    }

/* Draw from the posterior p(z|x), with the prior N(0, I), of each row of x [n, d].
 *
 *   z     [n, chains, draws, K]  out: the draws
 *   rhat  [n], or NULL           out: the largest of the row's numbers, and
 *   ess   [n], or NULL           the smallest bulk or tail effective sample size
 *                                (diagnose.h)
 *
 * All chains of a block of rows are one batch.  An iteration is a step of
 * Metropolis-adjusted Langevin, with the covariance of Laplace's posterior for its
 * metric and a length that the warm-up adapts to 57.4 % acceptance; and a proposal from
 * a mixture as sf_latent_infer() takes for logpdf, but one in four of it from the prior,
 * which goes from mode to mode.
 * Chains start at draws of that mixture, chosen by their weights.  Rows of kind 0 or -1,
 * which are ambiguous or whose logpdf is doubtful are those that need this.
 *
 * The draws of a row are a function of the seed, the options, the row and its index.
 *
 * Returns as sf_latent_infer() does, but never SF_E_CONVERGE.
 *
 * Source: G. O. Roberts and R. L. Tweedie, Bernoulli 2 (1996) 341-363; L. Tierney,
 * Ann. Statist. 22 (1994) 1701-1762 (mixtures and cycles of kernels). */
SF_API sf_status sf_latent_draw(sf_context *ctx, const sf_decoder *decoder,
                                sf_cmat x, double *z, double *rhat, double *ess,
                                sf_latent_draw_result *result,
                                const sf_latent_draw_options *options);

#ifdef __cplusplus
}
#endif
#endif
