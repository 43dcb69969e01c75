/* SPDX-License-Identifier: Apache-2.0 */
/* fit.h - fit a model to a table. */
#ifndef SCOREFIELD_FIT_H
#define SCOREFIELD_FIT_H

#include "scorefield/functional.h"
#include "scorefield/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- gaussian ---------------------------------------------------------------- */

/* Rows of a table, one block after the other, so that a table may be larger
 * than memory.  Returns the number of rows written to `block` [capacity, d],
 * 0 at the end, -1 on failure (with the context's message set). */
typedef int64_t (*sf_rows_fn)(void *user, double *block, int64_t capacity);

/* How a Gaussian is fitted. */
typedef struct sf_gaussian_options {
    size_t size;        /* set by _INIT                                       */
    double prior_rows;  /* rows of each column's own variance without any
                           correlation that the prior counts as, >= 0; < 0: 5
                           if a cell is missing, else 0          [default -1] */
    int64_t iterations; /* where cells are missing, at most, >= 1
                                                               [default 2000] */
    double tolerance;   /* of the mean log posterior density of a row, > 0:
                           what an iteration must gain to be followed by
                           another                            [default 1e-12] */
} sf_gaussian_options;

#define SF_GAUSSIAN_OPTIONS_INIT                                               \
    {                                                                          \
        sizeof(sf_gaussian_options), -1.0, 2000, 1e-12                         \
    }

/* What came of it.  Set `size` (SF_GAUSSIAN_FIT_INIT) before the call. */
typedef struct sf_gaussian_fit {
    size_t size;
    int64_t rows;          /* with a cell that is there                       */
    int64_t missing;       /* cells of these that are missing                 */
    int64_t iterations;    /* 0 where none is                                 */
    bool converged;        /* they ended by the tolerance                     */
    double prior_rows;     /* of the prior                                    */
    double log_likelihood; /* of the cells that are there, in nats            */
} sf_gaussian_fit;

#define SF_GAUSSIAN_FIT_INIT                                                   \
    {                                                                          \
        sizeof(sf_gaussian_fit), 0, 0, 0, false, 0.0, 0.0                      \
    }

/* Fit mean and covariance by maximum likelihood (divisor n; for a Gaussian implicit
 * score matching has the same minimum: A. Hyvarinen, JMLR 6 (2005) 695-709, section
 * 3.1), in one pass if no cell is missing.
 *
 * Missing cells.  NaN is a missing cell, and cells are assumed to be missing at random
 * (D. B. Rubin, Biometrika 63 (1976) 581-592): whether one is may depend on cells that
 * are there, not on what it would hold.  The likelihood is that of the cells that are
 * there, rows without any count nothing, and the maximum is found by expectation and
 * maximisation (Z. Ghahramani, M. I. Jordan, NIPS 6 (1994) 120-127).  It need not exist
 * where few rows have two columns both, so that the prior then counts as 5 rows, unless
 * told otherwise:
 *
 *     covariance = (scatter + prior_rows diag(s_j^2)) / (n + prior_rows),
 *
 * s_j^2 the variance of the cells of column j.
 *
 * Returns SF_OK; SF_E_ARG (an option outside its range; fewer than d + 1 rows without
 * a prior); SF_E_NUMERIC (a value that is infinite: its row and column; a column
 * without two cells that differ; or a singular covariance: the columns that depend on
 * others, and what to do); SF_E_SHAPE; SF_E_CANCELLED; SF_E_NOMEM.  `options` and
 * `fit` may be NULL; that the iterations ended unconverged is a warning. */
SF_API sf_status sf_fit_gaussian_with(sf_context *ctx, sf_model **out,
                                      sf_cmat data, const char *const *names,
                                      const sf_gaussian_options *options,
                                      sf_gaussian_fit *fit);

/* The same with options as they are by default. */
SF_API sf_status sf_fit_gaussian(sf_context *ctx, sf_model **out, sf_cmat data,
                                 const char *const *names);

/* The same from complete rows that `rows` hands out, with `user`, until it returns 0;
 * `row_count` may be NULL and receives how many there were, also on failure.
 * Returns SF_E_IO as well: `rows` returned a negative number.  A missing cell is
 * SF_E_NUMERIC. */
SF_API sf_status sf_fit_gaussian_rows(sf_context *ctx, sf_model **out,
                                      int64_t dim, const char *const *names,
                                      sf_rows_fn rows, void *user,
                                      int64_t *row_count);

/* ---- empirical ----------------------------------------------------------------- */

/* How the bandwidth of an empirical model, a noise time, is chosen.
 *
 *   LOO       one for all rows, which maximises the mean of ln p of each row under the
 *             others (leave-one-out likelihood, or likelihood cross-validation:
 *             J. D. F. Habbema, J. Hermans, K. van den Broek, Compstat 1974;
 *             R. P. W. Duin, IEEE Trans. Comput. C-25 (1976) 1175-1179)
 *   FIXED     `time`
 *   ADAPTIVE  one for each row, proportional to the distance to its K-th nearest
 *             neighbour (L. Breiman, W. Meisel, E. Purcell, Technometrics 19
 *             (1977) 135-144); K and the factor by leave-one-out likelihood,
 *             where a row that is left out is no neighbour of others either
 *
 * Copies of a row are left out together with it: else the likelihood would grow
 * without bound as the noise goes to 0. */
typedef enum sf_bandwidth {
    SF_BANDWIDTH_LOO = 0,
    SF_BANDWIDTH_FIXED,
    SF_BANDWIDTH_ADAPTIVE
} sf_bandwidth;

typedef struct sf_empirical_options {
    size_t size;        /* set by _INIT                                     */
    const char *kernel; /* "KERNEL" for all columns, "COLUMN=KERNEL; ...";
                               NULL or "auto": by what the columns hold
                                                                [default NULL]  */
    sf_bandwidth
        bandwidth; /*                                   [default LOO]   */
    double time;   /* of FIXED, in (0, 1]               [default 0.1]   */
    const double
        *weights;     /* of observations, [n] >= 0         [default NULL]  */
    int64_t loo_rows; /* rows left out one by one; 0: as many as make 10^7
                               pairs, at least 200               [default 0]     */
    uint64_t seed;    /* of the choice of those            [default 0]     */
    double floor;     /* background: mixture weight of the prior, the kernels'
                         distribution at t = 1, at every time, 0 to below 1;
                         < 0: the one, at most 0.5, that maximises the
                         leave-one-out likelihood, together with the
                         bandwidth; 0: none                [default 0]     */
    const sf_frame *frame; /* whose column j is that of the data, by its name,
                         too: kinds and levels, by which kernels are chosen and
                         which the model keeps             [default NULL]  */
} sf_empirical_options;

#define SF_EMPIRICAL_OPTIONS_INIT                                              \
    {                                                                          \
        sizeof(sf_empirical_options), NULL, SF_BANDWIDTH_LOO, 0.1, NULL, 0, 0, \
            0.0, NULL                                                          \
    }

typedef struct sf_empirical_report {
    double time_least, time_most; /* smallest and largest bandwidth of a row  */
    double loo;         /* mean leave-one-out log likelihood, nats a row, in the
                           data's units; NaN with FIXED                       */
    double loo_se;      /* of that mean, NaN likewise                         */
    int64_t loo_rows;   /* rows that were left out                            */
    int64_t neighbours; /* K of ADAPTIVE, else 0                              */
    int64_t copies;     /* rows that are copies of an earlier one             */
    double floor;       /* mixture weight of the prior                        */
} sf_empirical_report;

/* Whether rows with missing cells are fitted with these options: kernels of one column
 * each whose distribution functions are known (gaussian, lognormal, beta, integer,
 * category; auto chooses these), one bandwidth, no background.  False as well where the
 * kernel text is invalid, which sf_fit_empirical() says. */
SF_API bool sf_empirical_takes_missing(sf_context *ctx, int64_t dim,
                                       const char *const *names,
                                       const sf_empirical_options *options);

/* A kernel density estimate, the exact distribution of the data under the noise of
 * kernels at every time, as a model: see sf_model_kernel() and docs/KERNELS.md.
 * A kernel that is named without hyperparameters gets them from its column, and
 * `gaussian`, `laplace` and `student` then work on standardised values; with
 * hyperparameters nothing is rescaled.  Columns of texts are numbers of levels, whose
 * kernel is `category`; its prior is the levels' shares.  Kernels of counts, `poisson` and `binomial`,
 * must be named and want the bandwidth FIXED: the noise of the first does not vanish
 * with the time, and under the second no other rows explain the largest.  `weights`
 * are not all 0; NULL stands for equal ones.
 *
 * NaN is a missing cell, assumed to be missing at random.  Where a row lacks a cell, its
 * factor is the column's own law f_j(x) = sum_l w_l K_j(x | x_lj)/sum_l w_l over the rows
 * l that have it; a row without any cell is left out.  Such a model has densities of
 * points, of parts of points and of columns given others (condition.h), posterior
 * weights and samples, but no score and nothing at noise times.  Its bandwidth, by leave-one-out likelihood of the
 * cells that are there, is one for all rows, and loo_rows 0 then means as many as make
 * 10^6 pairs.
 *
 * Returns SF_OK; SF_E_ARG (missing cells, and not what
 * sf_empirical_takes_missing() wants; an option outside its range, an invalid kernel
 * text, fewer than 2 rows or a kernel of counts without FIXED, all weights 0; a
 * background (floor) for counts or the path "ve", which have no prior);
 * SF_E_NUMERIC (a value that is infinite, or outside its kernel's support: row
 * and column; a weight that is negative; a constant column that is to be
 * standardised); SF_E_NOMEM; SF_E_CANCELLED.  `options` and `report` may be NULL. */
SF_API sf_status sf_fit_empirical(sf_context *ctx, sf_model **out, sf_cmat data,
                                  const char *const *names,
                                  const sf_empirical_options *options,
                                  sf_empirical_report *report);

/* ---- local normal distributions ------------------------------------------------ */

typedef struct sf_local_options {
    size_t size;        /* set by _INIT                                     */
    int64_t neighbours; /* k, 1 to 512                         [default 3]  */
    int64_t target;     /* the column of classes: neighbours are of a row's
                           own, and it has levels; -1: none    [default -1] */
    double shrink;      /* of a row towards its neighbours' mean, 0 to 1
                                                               [default 1]  */
    double width;       /* h >= 0 of their covariance          [default 1]  */
    double rho;         /* share of its diagonal, 0 to 1       [default 0]  */
    double ridge;       /* share of a column's variance that densities get, so
                           that they have one; draws do not    [default 1e-6] */
    double forget;      /* share of levels that are drawn from the neighbours',
                           0 to 1                              [default 0.5] */
    bool agree;         /* with a target, what is nearest to a row of another
                           class is drawn again, at most 10 times; densities do
                           not know of it                      [default true] */
    bool standardise;   /* numbers are in standard deviations  [default true] */
    const sf_frame *frame; /* as in sf_empirical_options       [default NULL] */
} sf_local_options;

#define SF_LOCAL_OPTIONS_INIT                                                  \
    {                                                                          \
        sizeof(sf_local_options), 3, -1, 1.0, 1.0, 0.0, 1e-6, 0.5, true, true, \
            NULL                                                               \
    }

typedef struct sf_local_report {
    int64_t alone; /* rows that have no other of their class */
} sf_local_report;

/* A mixture of a normal distribution for each row, of its neighbourhood: with N_i the
 * row and its k nearest rows of its class (sum of the gaps of numbers, in standard
 * deviations of their columns, and of 1 for levels that differ), mu_i and S_i the
 * mean and the covariance (divisor k) of N_i,
 *
 *     N(x_i + shrink (mu_i - x_i), h^2 ((1 - rho) S_i + rho diag S_i + ridge)),
 *
 * and of levels (1 - forget) [x = x_i] + forget times their shares in N_i,
 * independent of the numbers.  shrink 0 is manifold Parzen windows (P. Vincent and
 * Y. Bengio, 2003); 1 keeps the mean and covariance of each neighbourhood (M. S.
 * Taylor and J. R. Thompson, Comput. Stat. Data Anal. 4 (1986) 93-101).  Draws are
 * without the ridge, within what their columns can hold (proportions in [0, 1], amounts
 * and counts not below 0, by reflection; nothing beyond a least or largest value that a
 * twentieth of the rows have), and near to rows of the data: how near, sf_compare() tells.  There are log densities
 * and samples, each row once (SF_SAMPLER_STRATIFIED) unless DIRECT or CHORDS is said.
 * Time: at most rows^2 columns.
 *
 * Returns SF_OK; SF_E_ARG (an option outside its range, fewer than 2 rows),
 * SF_E_NUMERIC (a value that is not finite; a target that is no number of a class),
 * SF_E_NOMEM.  `names`, `options` and `report` may be NULL. */
SF_API sf_status sf_fit_local(sf_context *ctx, sf_model **out, sf_cmat data,
                              const char *const *names,
                              const sf_local_options *options,
                              sf_local_report *report);

/* How near draws of local models are to their rows, by the number of neighbours. */
enum { SF_CLOSENESS_POINTS = 24 };

typedef struct sf_closeness_point {
    int64_t neighbours; /* k                                                 */
    double ratio;    /* median distance to the nearest row of the data, of draws
                           over that of rows that the model did not see: 1 is no
                           nearer than chance                                 */
    double ratio_se; /* its standard error                                */
    double near;     /* proportion of draws that are nearer than 95 % of the
                           rows that the model did not see: 0.05 is chance    */
} sf_closeness_point;

typedef struct sf_closeness {
    size_t size;        /* set by _INIT                                      */
    int64_t folds;      /* parts of a tenth of the rows that were held out   */
    int64_t held_out;   /* rows of all of them                               */
    int64_t drawn;      /* draws for each point                              */
    int64_t neighbours; /* the k that was chosen, 0: none reaches the ratio  */
    int64_t count;      /* of the points, by k                               */
    sf_closeness_point point[SF_CLOSENESS_POINTS];
} sf_closeness;

#define SF_CLOSENESS_INIT                                                      \
    {                                                                          \
        sizeof(sf_closeness), 0, 0, 0, 0, 0,                                   \
        {                                                                      \
            {                                                                  \
                0, 0.0, 0.0, 0.0                                               \
            }                                                                  \
        }                                                                      \
    }

/* The closeness of local models of data [n, d], whose options are `options` but for
 * `neighbours`: k goes from 3 to a quarter of the rows, at most 512, in steps of about
 * a quarter.  A tenth of the rows is held out of the model, in turn all of them where
 * there are at most 5000, and draws, rounded to the decimals of the frame, are
 * compared to them.  Distances are the sum over columns of the gap over the range in
 * the data, and 1 for levels that differ.  out->neighbours is the least k whose ratio
 * is within a standard error of `ratio`, or above.
 *
 * Returns SF_OK; SF_E_ARG (ratio not above 0, fewer than 40 rows, an option), else as
 * sf_fit_local(); SF_E_NUMERIC, too, where half of the held-out rows equal another
 * one, so that there is no ratio; SF_E_CANCELLED. */
SF_API sf_status sf_local_closeness(sf_context *ctx, sf_closeness *out,
                                    sf_cmat data, const char *const *names,
                                    const sf_local_options *options,
                                    double ratio, uint64_t seed);

/* ---- network ----------------------------------------------------------------- */

/* What is minimised.
 *
 *   DSM       denoising score matching (P. Vincent, Neural Comput. 23 (2011)
 *             1661-1674), E w(sigma) |D(y_0 + sigma z, sigma) - y_0|^2, all noise
 *             levels, preconditioned as in Karras et al. 2022, table 1
 *   FLOW      flow matching on the line from y_0 to z: the same with other
 *             weights (Y. Lipman et al., Flow matching, 2023)
 *   IMPLICIT  E [ div S + |S|^2 / 2 ] with the exact divergence, at one noise
 *             level (Hyvarinen 2005, theorem 1)
 *   SLICED    E [ v' (dS/dy) v + (v' S)^2 / 2 ], v ~ N(0, I), at one noise level
 *             (Y. Song et al., Sliced score matching, UAI 2019)
 *   LIKELIHOOD
 *             E [ -ln p ] of an invertible flow, a model of the family "flow", plus
 *             `principal` times what its latent variables' contours lack to be
 *             orthogonal (E. Cunningham et al., Principal component flows, 2022).  A
 *             warning names the columns of which more than 5 % of the rows share a
 *             value: the likelihood has no bound there
 *   ELBO      E [ -ln p(x | z) ] + KL(q(z | x) || N(0, I)) of a variational
 *             autoencoder, a model of the family "vae", one draw of q a row (D. P.
 *             Kingma and M. Welling, Auto-encoding variational Bayes, 2014).  It begins
 *             as the probabilistic principal components of the training rows, whose
 *             posterior its encoder has, so that the bound is their likelihood.  If
 *             the held-out rows never have a better one, sf_trainer_model() gives
 *             these, a model of the family "pca", and the best step is 0 */
typedef enum sf_objective {
    SF_OBJECTIVE_DSM = 0,
    SF_OBJECTIVE_FLOW,
    SF_OBJECTIVE_IMPLICIT,
    SF_OBJECTIVE_SLICED,
    SF_OBJECTIVE_LIKELIHOOD,
    SF_OBJECTIVE_ELBO,
    SF_OBJECTIVE_MANIFOLD,
    SF_OBJECTIVE_INJECTIVE
} sf_objective;

/* How a coupling of a flow moves a number: by a rational-quadratic spline (C. Durkan et
 * al., Neural spline flows, 2019), whose log density has a continuous first derivative,
 * but jumps in the second's place, or by a shift and a factor, which is smooth and
 * weaker. */
typedef enum sf_coupling {
    SF_COUPLING_SPLINE = 0,
    SF_COUPLING_AFFINE
} sf_coupling;

typedef struct sf_network_options {
    size_t size; /* set by _INIT                                    */
    sf_objective
        objective;       /*                                  [default DSM]  */
    bool energy;         /* score = gradient of a scalar     [default false]*/
    int64_t width;       /* units of a hidden layer, >= 1    [default 128]  */
    int64_t layers;      /* hidden layers, >= 1, or 0 of ELBO [default 4]   */
    int64_t steps;       /* updates; 0: chosen from n        [default 0]    */
    int64_t batch;       /* points an update; 0: chosen      [default 0]    */
    double rate;         /* peak learning rate > 0           [default 2e-3] */
    double decay;        /* weight decay >= 0                [default 1e-4] */
    double clip;         /* largest gradient norm, 0 = off   [default 1]    */
    double warmup;       /* fraction of steps, [0, 1)        [default 0.02] */
    double ema;          /* half-life of the averaged weights, as a fraction
                               of the steps so far, (0, 1)      [default 0.05] */
    double validation;   /* held-out fraction, [0, 0.9]      [default 0.1]  */
    double patience;     /* stop if the held-out loss has not improved for this
                               fraction of the steps, (0, 1]; 0: 0.25 below
                               1000 rows, else 1         [default 0]    */
    double sigma_min;    /* smallest noise level; 0: 20 over the rows trained
                               on, within 0.002 and 0.05        [default 0]    */
    double sigma_max;    /* largest noise level              [default 80]   */
    double noise_level;  /* of IMPLICIT and SLICED, >= 0     [default 0.05] */
    double time_limit;   /* seconds, 0 = none                [default 0]    */
    uint64_t seed;       /*                                  [default 0]    */
    const char *kernel;  /* noise of kernels instead of levels sigma, as in
                           sf_empirical_options; read while a trainer is made.
                           sigma_min is then the smallest noise time, and
                           the objective DSM                [default NULL] */
    int64_t target_rows; /* with kernels, rows of the batch that a target is the
                           mean of, by their posterior weights given the
                           noised row: less variance, with a bias of
                           order 1/target_rows; 1: none. 1 to 65536, at most
                           batch (Y. Xu et al., Stable target field, ICLR
                           2023)                            [default 1]    */
    /* Of LIKELIHOOD; `layers` are then the flow's, each with a network of two layers
     * of `width`, and batch and steps are chosen for them. */
    double principal;     /* weight of the regulariser, >= 0  [default 0]    */
    int64_t bins;         /* of a spline, 2 to 64             [default 8]    */
    sf_coupling coupling; /*                               [default SPLINE]  */
    bool one_scale;       /* orthogonal in the data's units, as places in
                           space: one scale for all columns, not each its
                           standard deviation               [default false] */
    /* Of ELBO; both networks have `layers` of `width`, none for 0; with one_scale
     * columns may be constant. */
    bool diagonal;    /* each column has its own noise, not all the same one in
                         the scaled columns               [default false] */
    bool no_encoder;  /* of ELBO: the decoder alone; the posteriors of all rows,
                        10^4 at most, are inferred again and again, which is
                        slower and has no amortisation gap [default false] */
    bool dequantise;  /* of LIKELIHOOD, too, and of ELBO if `diagonal`: columns
                        with repeated values get uniform noise that fills the
                        gaps between these (sf_dequantise())
                                     [default false; of the two below true] */
    int64_t latent;   /* K, 1 to d - 1 and at most 32     [default 2]    */
    double kl_warmup; /* fraction of the steps over which the share of the
                         divergence rises from 0.01 to 1, [0, 1]
                                                          [default 0]    */
} sf_network_options;

#define SF_NETWORK_OPTIONS_INIT                                                \
    {                                                                          \
        sizeof(sf_network_options), SF_OBJECTIVE_DSM, false, 128, 4, 0, 0,     \
            2e-3, 1e-4, 1.0, 0.02, 0.05, 0.1, 0.0, 0.0, 80.0, 0.05, 0.0, 0,    \
            NULL, 1, 0.0, 8, SF_COUPLING_SPLINE, false, false, false, false,   \
            2, 0.0                                                             \
    }

/* The same for a flow: LIKELIHOOD, 6 layers, of width 32 up to 4 columns and 96 for more
 * (width 0 means that; wider ones overfit an arc of 9000 rows), a rate of 3e-3 with a warm-up of
 * 0.05, decay 1e-5 and clip 5. */
#define SF_FLOW_OPTIONS_INIT                                                   \
    {                                                                          \
        sizeof(sf_network_options), SF_OBJECTIVE_LIKELIHOOD, false, 0, 6, 0,   \
            0, 3e-3, 1e-5, 5.0, 0.05, 0.05, 0.1, 0.0, 0.0, 80.0, 0.05, 0.0, 0, \
            NULL, 1, 0.0, 8, SF_COUPLING_SPLINE, false, false, false, true, 2, \
            0.0                                                                \
    }

/* And for an injective flow, from `latent` variables, at most 8: INJECTIVE, and the rest as
 * a flow's, with `principal` 1; its model has a noise, the size of what the training rows
 * miss. */
#define SF_INJECTIVE_OPTIONS_INIT                                              \
    {                                                                          \
        sizeof(sf_network_options), SF_OBJECTIVE_INJECTIVE, false, 0, 6, 0, 0, \
            3e-3, 1e-5, 5.0, 0.05, 0.05, 0.1, 0.0, 0.0, 80.0, 0.05, 0.0, 0,    \
            NULL, 1, 1.0, 8, SF_COUPLING_SPLINE, false, false, false, true, 2, \
            0.0                                                                \
    }

/* And for an autoencoder: ELBO, networks of 2 layers of 128 units, a rate of 2e-3 with a
 * warm-up of 0.05, decay 1e-5, clip 5, one scale. */
#define SF_VAE_OPTIONS_INIT                                                    \
    {                                                                          \
        sizeof(sf_network_options), SF_OBJECTIVE_ELBO, false, 128, 2, 0, 0,    \
            2e-3, 1e-5, 5.0, 0.05, 0.05, 0.1, 0.0, 0.0, 80.0, 0.05, 0.0, 0,    \
            NULL, 1, 0.0, 8, SF_COUPLING_SPLINE, true, false, false, true, 2,  \
            0.0                                                                \
    }

/* And for a principal manifold: MANIFOLD, and the rest as an autoencoder's; `principal` is
 * the weight of the information of its columns, which makes latent variables follow principal
 * directions, and there are at most 8 of these.  The model has the weights that it began
 * with, principal components, where held-out rows never gain. */
#define SF_MANIFOLD_OPTIONS_INIT                                               \
    {                                                                          \
        sizeof(sf_network_options), SF_OBJECTIVE_MANIFOLD, false, 128, 2, 0,   \
            0, 2e-3, 1e-5, 5.0, 0.05, 0.05, 0.1, 0.0, 0.0, 80.0, 0.05, 0.0, 0, \
            NULL, 1, 1.0, 8, SF_COUPLING_SPLINE, true, false, false, true, 2,  \
            0.0                                                                \
    }

/* One line of the training curve. */
typedef struct sf_curve_point {
    int64_t step;
    double train;    /* mean of the batches since the last line            */
    double held_out; /* of the averaged weights, NaN without held-out rows */
} sf_curve_point;

/* Why training ended. */
typedef enum sf_stop {
    SF_STOP_STEPS = 0, /* all steps done                       */
    SF_STOP_PATIENCE,  /* the held-out loss stopped improving  */
    SF_STOP_TIME,      /* time_limit                           */
    SF_STOP_CANCELLED  /* the progress callback returned false */
} sf_stop;

typedef struct sf_fit_report {
    int64_t rows;      /* rows trained on                                  */
    int64_t held_out;  /* rows held out                                    */
    int64_t steps;     /* updates done                                     */
    int64_t planned;   /* updates planned                                  */
    int64_t batch;     /* points an update                                 */
    int64_t best_step; /* whose weights the model has                      */
    double best_loss;  /* held-out loss there (training loss without)      */
    double seconds;    /* spent in updates and held-out evaluations        */
    sf_stop stop;
} sf_fit_report;

/* Which rows are held out: writes a permutation of 0..n-1 into index [n] that
 * depends on (seed, n) alone and returns how many of its first entries are held
 * out, round(fraction n).  The trainer holds out the same rows. */
SF_API int64_t sf_split_rows(uint64_t seed, int64_t n, double fraction,
                             int64_t *index);

/* Spread repeated values of data [n, d] evenly over the gaps between them, into out
 * [n, d], which may be the same memory.  A column has such values if more than 5 % of the
 * rows, and two at least, share one, or if more than half of them have a value that another
 * row has; other columns, and one of a single value, are copied.
 *
 * The cell of a value ends in the middle between it and the next ones that occur, at most
 * half the median of such gaps away, or, if 5 % of the rows have it, half the nearer of its
 * own two; at the least and the largest value it is symmetric.  The noise of row i of a column is a function of the seed
 * and of i.
 *
 *   share   [d], or NULL  out: the part of the rows of a spread column whose value another
 *           row has, 0 of other columns
 *
 * What a density p of spread columns says of a value v with the cell C, of width w: its
 * probability is P(v) = int_C p, and the mean over C of ln p is at most ln(P(v)/w).  So held-out
 * likelihoods of spread rows, plus the sum of ln w, bound the log probability of the table
 * as it was from below (L. Theis et al., A note on the evaluation of generative models,
 * ICLR 2016), and no density gains by a spike at v.
 *
 * SF_OK, SF_E_NUMERIC (a value that is not finite), SF_E_SHAPE or SF_E_NOMEM. */
SF_API sf_status sf_dequantise(sf_context *ctx, sf_mat out, sf_cmat data,
                               uint64_t seed, double *share);

/* A training run that can be stopped, saved and taken up again with the same
 * bits.  The data is copied. */
typedef struct sf_trainer sf_trainer;

/* Prepare a run on data [n, d].  `options` may be NULL.
 * Returns SF_OK; SF_E_ARG (an option outside its range, or too few rows);
 * SF_E_NUMERIC (a value that is not finite: its row and column; a constant
 * column: its name); SF_E_NOMEM. */
SF_API sf_status sf_trainer_new(sf_context *ctx, sf_trainer **out, sf_cmat data,
                                const char *const *names,
                                const sf_network_options *options);
SF_API void sf_trainer_free(sf_trainer *trainer);

/* Train until the end, or for at most `steps` further updates (0: no limit);
 * *finished says which.  A progress callback that returns false ends the run
 * with SF_STOP_CANCELLED and SF_OK.
 * Returns SF_OK or SF_E_NUMERIC (the loss is not finite; the best weights so
 * far are kept). */
SF_API sf_status sf_trainer_run(sf_trainer *trainer, int64_t steps,
                                bool *finished);

/* The best model so far, and how it came about. */
SF_API sf_status sf_trainer_model(const sf_trainer *trainer, sf_model **out);
SF_API void sf_trainer_report(const sf_trainer *trainer, sf_fit_report *out);

/* The columns whose repeated values were spread, as sf_dequantise() says with `share` [d];
 * NULL where none were to be.  Valid as long as the trainer. */
SF_API const double *sf_trainer_dequantised(const sf_trainer *trainer);

/* The training curve; *points stays valid until the trainer runs again. */
SF_API int64_t sf_trainer_curve(const sf_trainer *trainer,
                                const sf_curve_point **points);

/* Everything a run consists of besides its data and options, as one block of
 * bytes for checkpoints: restore() on a trainer made with the same data and
 * options continues the run bit for bit (if it has no time limit).
 *   sf_trainer_state   writes sf_trainer_state_size() bytes
 *   sf_trainer_restore returns SF_OK, or SF_E_ARG (the state belongs to other
 *                      data or options), the trainer then being unchanged */
SF_API size_t sf_trainer_state_size(const sf_trainer *trainer);
SF_API void sf_trainer_state(const sf_trainer *trainer, void *bytes);
SF_API sf_status sf_trainer_restore(sf_trainer *trainer, const void *bytes,
                                    size_t size);

/* All of the above in one call; `report` may be NULL. */
SF_API sf_status sf_fit_network(sf_context *ctx, sf_model **out, sf_cmat data,
                                const char *const *names,
                                const sf_network_options *options,
                                sf_fit_report *report);

/* ---- the objective as a functional -------------------------------------------- */

/* What a network is trained to minimise, as a function of its weights w over a
 * whole table, with the noise held fixed:
 *
 *     f(w) = mean over rows i and draws k of loss(row i, noise (i, k); w)
 *
 * so that what works on any functional works on it: sf_minimize_lbfgs() and
 * sf_minimize_newton() polish a small network to a stationary point, where
 * stochastic gradients only come near.  In f64 throughout, with exact gradients
 * and Hessian products. */
typedef struct sf_loss sf_loss;

typedef struct sf_loss_options {
    size_t size;            /* set by _INIT                                 */
    sf_objective objective; /*                             [default DSM]    */
    int64_t draws;          /* noises for each row, 1 to 2^20 [default 16]  */
    uint64_t seed;          /* of the noise                [default 0]      */
} sf_loss_options;

#define SF_LOSS_OPTIONS_INIT                                                   \
    {                                                                          \
        sizeof(sf_loss_options), SF_OBJECTIVE_DSM, 16, 0                       \
    }

/* The objective of a network model on data [n, d], which is copied and
 * standardised as the model does; so is the model.  `options` may be NULL.
 * Returns SF_OK; SF_E_ARG (draws outside the range; no rows; DSM or FLOW of a
 * network of one noise level, or IMPLICIT or SLICED of another); SF_E_SHAPE
 * (other columns than the model's); SF_E_NUMERIC (a value that is not finite:
 * its row and column); SF_E_UNSUPPORTED (not a network); SF_E_NOMEM. */
SF_API sf_status sf_loss_new(sf_context *ctx, sf_loss **out,
                             const sf_model *model, sf_cmat data,
                             const sf_loss_options *options);
SF_API void sf_loss_free(sf_loss *loss);

/* The functional; `loss` must outlive it.  Its unknowns are the weights of the
 * model, in the order of its file. */
SF_API void sf_loss_functional(sf_loss *loss, sf_functional *out);

/* The weights [unknowns] of the model that the loss was made from. */
SF_API void sf_loss_weights(const sf_loss *loss, double *weights);

/* The model with other weights, rounded to f32 as networks hold them.
 * Returns SF_OK, SF_E_NUMERIC (a weight that is not finite) or SF_E_NOMEM. */
SF_API sf_status sf_loss_model(const sf_loss *loss, const double *weights,
                               sf_model **out);

#ifdef __cplusplus
}
#endif
#endif
