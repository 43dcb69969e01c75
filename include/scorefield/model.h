/* SPDX-License-Identifier: Apache-2.0 */
/* model.h - what can answer "what is the score at x, at noise time t?"
 *
 * A model describes a family of distributions with densities p_t on R^d, 0 <= t <= 1:
 * p_0 is that of the data, and larger t that of the data with more noise.  The score is
 * always the gradient of the log density, s = grad_x ln p_t(x).  (In
 * scikit-learn `score` is a log likelihood; here it never is.)
 *
 * Units.  Everything that goes in and comes out is in the data's own units: if
 * column j is in metres, component j of a score is in 1/m.  Inside, a model
 * works on y = (x - mean) / scale, and the noise level sigma is measured in y.
 *
 * Noise.  Additive and Gaussian, y_t = y_0 + sigma(t) z, z ~ N(0, I), and
 *
 *     sigma(t) = (a + t (b - a))^rho,  a = sigma_min^(1/rho),
 *                                      b = sigma_max^(1/rho)
 *
 * (T. Karras et al., Elucidating the design space of diffusion-based generative
 * models, 2022, equation 5).  Empirical models, and networks that are fitted so, have
 * the noise of kernels instead (docs/KERNELS.md), each with its own distribution at
 * time t; the velocity is then the posterior mean of the kernels' own, given x.  The
 * density moves with the velocity
 *
 *     v = dx/dt = -scale^2 sigma sigma' s,
 *
 * so that d p_t / dt + div(p_t v) = 0. */
#ifndef SCOREFIELD_MODEL_H
#define SCOREFIELD_MODEL_H

#include "scorefield/array.h"
#include "scorefield/frame.h"
#include "scorefield/functional.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sf_model sf_model;

/* Free a model; NULL is allowed. */
SF_API void sf_model_free(sf_model *model);

/* "density", "gaussian", "mixture", "pca", "fa", "flow", "empirical" or "network". */
SF_API const char *sf_model_family(const sf_model *model);

/* Number of columns d. */
SF_API int64_t sf_model_dim(const sf_model *model);

/* Name of a column, 0 <= column < d; NULL outside. */
SF_API const char *sf_model_column(const sf_model *model, int64_t column);

/* The noise kernel of a column as text, "gamma:shape=1,mean=1.5", written to
 * text [SF_KERNEL_TEXT]; "" for a column outside 0..d-1 and for the Gaussian
 * noise of levels sigma. */
enum { SF_KERNEL_TEXT = 128 };
SF_API void sf_model_kernel(const sf_model *model, int64_t column,
                            char text[SF_KERNEL_TEXT]);

/* The columns that share a column's kernel, itself among them, in the order that
 * the kernel has them: their number, and which, if `columns` [SF_JOINT_COLUMNS] is
 * not NULL.  1 but for kernels of several columns; 0 for a column outside
 * 0..d-1. */
enum { SF_JOINT_COLUMNS = 64 };
SF_API int64_t sf_model_joint(const sf_model *model, int64_t column,
                              int64_t *columns);

/* Where a column's values may be: between two bounds, which may be infinite, or on a
 * circle of this period (0: on a line).  -inf to inf for a column outside 0..d-1. */
typedef struct sf_support {
    double lower, upper, period;
} sf_support;
SF_API sf_support sf_model_support(const sf_model *model, int64_t column);

/* What a column's values are to a model: kernels see (x - mean)/scale. */
SF_API void sf_model_unit(const sf_model *model, int64_t column, double *mean,
                          double *scale);

/* ---- the table it is of -------------------------------------------------------- */

/* Keep what a frame knows of the model's columns, which are found by their names:
 * kinds, levels, decimals, units, how dates are spelled.  A file keeps it, too.
 * Returns SF_OK; SF_E_ARG (a column that the frame does not have), SF_E_NOMEM; on
 * failure the model knows what it knew. */
SF_API sf_status sf_model_describe(sf_model *model, const sf_frame *frame);

/* What a column's cells are, as sf_frame_kind() and its companions say it;
 * SF_KIND_REAL, -1 decimals, no levels and no atoms where that is not known.  NULL for
 * a level, and NaN for an atom, that is not there.  A model may know atoms of its table
 * and have none: empirical models have them, and those of local distributions. */
SF_API sf_kind sf_model_kind(const sf_model *model, int64_t column);
SF_API int sf_model_decimals(const sf_model *model, int64_t column);
SF_API int64_t sf_model_atom_count(const sf_model *model, int64_t column);
SF_API double sf_model_atom(const sf_model *model, int64_t column,
                            int64_t atom);
SF_API int64_t sf_model_level_count(const sf_model *model, int64_t column);
SF_API const char *sf_model_level(const sf_model *model, int64_t column,
                                  int64_t level);

/* Give a column of a table the levels of column `column` of the model, whose numbers
 * its cells are; nothing if that has none.  Returns SF_OK or SF_E_NOMEM. */
SF_API sf_status sf_model_copy_levels(const sf_model *model, int64_t column,
                                      sf_column *to);

/* Make the numbers of levels in x [n, d] those of the model: row i of x is row i of
 * `frame`, whose column j holds what the model's column j does.  Levels are matched
 * by their spelling, numbers where the model has texts by theirs; other columns stay.
 * Returns SF_OK; SF_E_SHAPE; SF_E_FORMAT (a text that is no level of the model: the
 * message names its place, and the levels that there are). */
SF_API sf_status sf_model_match_levels(const sf_model *model,
                                       const sf_frame *frame, sf_mat x);

/* Turn points of the model, which `table` [n, d] holds, into cells as its own table
 * has them: levels become texts again, days and instants are spelled as they were,
 * to the step that they had, integers are whole, and numbers get their decimals;
 * parts of a whole so that they still make it up.
 * What is strictly inside a kernel's support is so afterwards.  Cells that their
 * kind does not have, as a Gaussian draws negative numbers, are left, and a warning
 * counts them.
 * Returns SF_OK; SF_E_SHAPE (another number of columns), SF_E_NOMEM (the table can
 * be freed, and is else undefined). */
SF_API sf_status sf_model_cells(const sf_model *model, sf_table *table);

/* ---- noise --------------------------------------------------------------------- */

/* Noise level at time t in [0, 1], in standardised units; of kernels the time
 * itself, no less than the bandwidth. */
SF_API double sf_model_sigma(const sf_model *model, double time);

/* The time at which the noise level is sigma; clipped to [0, 1]. */
SF_API double sf_model_time(const sf_model *model, double sigma);

/* The time that a model answers at where it is asked about this one: of kernels no
 * less than the bandwidth of a data set, or the first time of a network's training;
 * else the time itself.  A verb that is asked about a time above 0 and below that
 * one warns (sf_context_set_warning()); time 0 means the data, whatever their
 * noise. */
SF_API double sf_model_used_time(const sf_model *model, double time);

/* ---- what a model can answer ------------------------------------------------ */

/*   X(NAME, what is asked for) */
#define SF_ABILITY_LIST(X)                                                     \
    X(SF_CAN_SCORE, "a score")                                                 \
    X(SF_CAN_NOISE, "noise times above 0, and denoised means")                 \
    X(SF_CAN_FLOW, "a probability flow: velocities, codes")                    \
    X(SF_CAN_LOGPDF, "log densities")                                          \
    X(SF_CAN_LOGPDF_CLOSED, "log densities in closed form")                    \
    X(SF_CAN_NORMALISED, "log densities that are normalised")                  \
    X(SF_CAN_RATES, "rates of columns of counts")                              \
    X(SF_CAN_JUMP, "samples by jumps alone: all columns are counts")           \
    X(SF_CAN_ROWS, "rows of data that points may come from")                   \
    X(SF_CAN_TRAIN, "weights that an objective trains")                        \
    X(SF_CAN_MATCH, "parameters of a text, which score matching estimates")    \
    X(SF_CAN_CONDITION, "distributions of some columns given others")          \
    X(SF_CAN_CODE, "latent variables")                                         \
    X(SF_CAN_DRAW, "samples that are drawn directly")                          \
    X(SF_CAN_PRINCIPAL, "contours and principal manifolds")                    \
    X(SF_CAN_DECODE, "a decoder with noise, through which rows are inferred")  \
    X(SF_CAN_FITTED, "codes of rows, to draw latent variables from")

typedef enum sf_ability {
#define SF_ABILITY_ENUM(name, text) name,
    SF_ABILITY_LIST(SF_ABILITY_ENUM)
#undef SF_ABILITY_ENUM
} sf_ability;

/* Whether a model can answer.  Every verb asks this, and refuses with
 * SF_E_UNSUPPORTED and the sentence of sf_model_why_not(). */
SF_API bool sf_model_can(const sf_model *model, sf_ability ability);

/* Why it cannot, "holds no rows of data", as what the model is or has; NULL if it
 * can.  Not to be freed. */
SF_API const char *sf_model_why_not(const sf_model *model, sf_ability ability);

/* ---- parameters ------------------------------------------------------------- */

/* Parameters, the same for all points: those of a typed density by the names of its
 * text, the weights of a network, the data of an empirical model. */
typedef struct sf_parameter {
    const char *name;
    int rank;                   /* 0 for a scalar            */
    int64_t shape[SF_MAX_RANK]; /* its first `rank` are used */
    const double *value;        /* row-major                 */
} sf_parameter;

/* How many parameters there are, and number k of them, 0 <= k < count; false
 * outside.  What *out points to lives as long as the model. */
SF_API int64_t sf_model_parameter_count(const sf_model *model);
SF_API bool sf_model_parameter(const sf_model *model, int64_t k,
                               sf_parameter *out);

/* Hyperparameters by name, "sigma_max": their number, the name of number k (NULL
 * outside) and its value (NaN for a name that is none). */
SF_API int64_t sf_model_setting_count(const sf_model *model);
SF_API const char *sf_model_setting_name(const sf_model *model, int64_t k);
SF_API double sf_model_setting(const sf_model *model, const char *name);

/* ---- evaluating -------------------------------------------------------------- */

/* What an evaluator can compute: bits that say which members of sf_model_values. */
enum {
    SF_WANT_SCORE = 1,
    SF_WANT_VELOCITY = 2,
    SF_WANT_DENOISED = 4,
    SF_WANT_JACOBIAN = 8,
    SF_WANT_DIVERGENCE = 16,
    SF_WANT_LOGPDF = 32
};

typedef struct sf_model_values {
    sf_mat score;      /* [n, d]    grad ln p_t                              */
    sf_mat velocity;   /* [n, d]    dx/dt of the probability flow, noising   */
    sf_mat denoised;   /* [n, d]    E[x_0 | x_t = x]                         */
    sf_mat jacobian;   /* [n, d*d]  entry i*d + j: d score_i / d x_j         */
    sf_mat divergence; /* [n, 1]    div of the velocity                      */
    sf_mat logpdf;     /* [n, 1]    ln p_t, where it has a closed form
                          (SF_CAN_LOGPDF_CLOSED); else see sf_logpdf()        */
} sf_model_values;

/* A model made ready for one kind of question: compiled once, run often.  It has
 * the context of its own caller, so one model may have evaluators in several
 * threads at a time.  The model must outlive it, and stay as it is. */
typedef struct sf_evaluator sf_evaluator;

/* Make an evaluator for what the bits of `wants` say.  On failure *out is NULL.
 * Returns SF_OK; SF_E_ARG (no bit, or an unknown one); SF_E_UNSUPPORTED
 * (sf_model_why_not()); SF_E_NOMEM. */
SF_API sf_status sf_evaluator_new(sf_context *ctx, sf_evaluator **out,
                                  const sf_model *model, unsigned wants);
SF_API void sf_evaluator_free(sf_evaluator *evaluator);

/* Evaluate at n points x [n, d] and noise time t in [0, 1], in f64 throughout.
 * Members of `values` whose data is NULL are not given; the others must be among
 * what the evaluator was made for.  Row i depends on row i alone.
 *
 * Support.  Where a row is outside the model's support, its log density is -inf
 * and all else NaN, and a warning says how many rows are, and which is the first
 * (sf_context_set_warning()).
 *
 * At times below its bandwidth an empirical model answers at that, where the velocity is
 * 0.  A network that was trained at one noise level answers at any `time` with its
 * one score.
 *
 * Returns SF_OK; SF_E_ARG (time outside [0, 1], or above 0 without noise; a member
 * that the evaluator was not made for); SF_E_SHAPE (x or a member has the wrong
 * shape); SF_E_NOMEM; SF_E_NUMERIC (x is not finite, or a result at a row inside
 * the support is not: the message names the first row; in the second case the
 * output is written). */
SF_API sf_status sf_evaluator_run(sf_evaluator *evaluator, sf_cmat x,
                                  double time, const sf_model_values *values);

/* Make an evaluator, run it once and free it. */
SF_API sf_status sf_model_eval(const sf_model *model, sf_cmat x, double time,
                               const sf_model_values *values);

/* ---- as a functional ----------------------------------------------------------
 *
 * Solvers and samplers move y, the unknowns of a model: its columns as they are, but
 * of a typed density with a domain
 *
 *     real, circle  x = y
 *     LO:           x = LO + exp(y)            :HI  x = HI - exp(y)
 *     LO:HI         x = LO + (HI - LO) / (1 + exp(-y))
 *     simplex       by breaking a stick in parts 1/(1 + exp(-y_i) (k - i)),
 *                   i = 1, ..., k - 1, so that y = 0 is the middle
 *
 * one for each column, and one less for each group of proportions. */
SF_API int64_t sf_model_unknowns(const sf_model *model);

/* x [n, dim] to y [n, unknowns] and back.  to_unknowns returns SF_OK, SF_E_SHAPE,
 * or SF_E_NUMERIC where x is outside the domain: row, name and what was expected;
 * from_unknowns SF_OK or SF_E_SHAPE. */
SF_API sf_status sf_model_to_unknowns(const sf_model *model, sf_cmat x,
                                      sf_mat y);
SF_API sf_status sf_model_from_unknowns(const sf_model *model, sf_cmat y,
                                        sf_mat x);

/* -ln p_t of y, which has ln |dx/dy| in it, as a functional: with values where the
 * log density has a closed form, with Hessian products and as an expression of a
 * typed density.  It is what the evaluator *owner computes, which
 * sf_evaluator_free() frees when the functional is no longer used.
 * Returns SF_OK; SF_E_ARG (time); SF_E_UNSUPPORTED (no score); SF_E_NOMEM. */
SF_API sf_status sf_model_functional(sf_context *ctx, sf_evaluator **owner,
                                     sf_functional *out, const sf_model *model,
                                     double time);

/* ---- more of models that have it ------------------------------------------------ */

/* Which data the point may come from: the `most` >= 1 largest posterior weights
 * of an empirical model at n points x [n, d] and a time, and the numbers of their
 * data from 0, both [n, most], largest first (0 and -1 where there are fewer; -2
 * is the background, `floor` of sf_empirical_options).
 * Returns as sf_model_eval() does; SF_E_UNSUPPORTED: the model is not empirical. */
SF_API sf_status sf_model_posterior(const sf_model *model, sf_cmat x,
                                    double time, int64_t most, int64_t *datum,
                                    double *weight);

/* How many rows of x [n, d] are equal to rows of an empirical model's data. */
SF_API sf_status sf_model_copies(const sf_model *model, sf_cmat x,
                                 int64_t *copies);

/* A clean point [n, d] drawn from the posterior of each, where sf_model_eval()
 * gives its mean; row i is a function of the seed, i and the point.  Empirical
 * models only; returns as sf_model_posterior() does. */
SF_API sf_status sf_model_draw_clean(const sf_model *model, sf_cmat x,
                                     double time, uint64_t seed, sf_mat out);

/* Where the paths of the flow are about to split: [n] the largest eigenvalue of
 * the score's Jacobian times the variance of the noise, in inner coordinates.
 * With Gaussian noise it is that of Cov(x_0 | x)/sigma^2 - I (x_0 times what the
 * path keeps of it); -1 where nothing is left to decide, above 0 where two ways
 * of going on are more apart than the noise is wide.
 * Returns as sf_model_eval() does. */
SF_API sf_status sf_model_stability(const sf_model *model, sf_cmat x,
                                    double time, double *out);

/* Rates of columns of counts, which have kernels that thin (docs/KERNELS.md): as
 * time goes from 0 to 1, x_j falls by one at a rate d_j(x), and backward it rises
 * by one at a rate b_j(x),
 *
 *     dp_t(x)/dt = sum_j d_j(x + e_j) p_t(x + e_j) - d_j(x) p_t(x),
 *     b_j(x) = d_j(x + e_j) p_t(x + e_j)/p_t(x),     d_j(x) = x_j/(1 - t);
 *
 * b_j is the mean, given x, of scale x0_j (poisson) or (x0_j - x_j)/t (binomial).
 * The ratio, which takes the place of the score, is p_t(x + e_j)/p_t(x).
 *
 *   x        [n, d]  points; whole numbers where there are counts
 *   birth    [n, d]  out: b_j, NULL data: not wanted
 *   death    [n, d]  out: d_j, likewise
 *   ratio    [n, d]  out: likewise
 *
 * Columns that hold no counts do not jump: they get 0.  At times below the model's
 * bandwidth the rates are 0, as is its velocity, and ratios are those at that time.
 *
 * Returns SF_OK; SF_E_ARG (time outside [0, 1]); SF_E_SHAPE; SF_E_UNSUPPORTED (no
 * column of counts); SF_E_NOMEM; SF_E_NUMERIC (a value outside a kernel's support,
 * or a row that has probability 0 at this time: the message names the first row; in
 * the second case the outputs are written). */
SF_API sf_status sf_model_rates(const sf_model *model, sf_cmat x, double time,
                                sf_mat birth, sf_mat death, sf_mat ratio);

/* ---- latent variables ----------------------------------------------------------- */

/* How many latent variables z ~ N(0, I) a model has; 0 where it has none. */
SF_API int64_t sf_model_latents(const sf_model *model);

/* The codes z [n, latents] of rows x [n, d]: the mean E[z | x]; of a flow z itself.
 * Returns SF_OK; SF_E_SHAPE; SF_E_UNSUPPORTED (no latent variables); SF_E_NUMERIC (x is
 * not finite: row and column); SF_E_NOMEM. */
SF_API sf_status sf_model_code(const sf_model *model, sf_cmat x, sf_mat z);

/* The mean of x [n, d] given codes z [n, latents]; of a flow x itself.  Returns as sf_model_code(). */
SF_API sf_status sf_model_decode(const sf_model *model, sf_cmat z, sf_mat x);

/* The geometry of a flow z = g(x) at points.  With J = dx/dz, its columns J_k,
 *
 *     contours_k  = ln N(z_k) - ln |J_k|
 *     information = sum_k ln |J_k| - ln |det J| >= 0,
 *     ln p(x)     = sum_k contours_k + information,
 *
 * and information 0 where the columns are orthogonal (E. Cunningham et al., Principal
 * component flows, 2022).  Lengths are those of the columns of x over their scales, times the
 * scales' geometric mean; with one scale for all columns they are lengths in x.
 *
 *   contours     [n, d]
 *   information  [n, 1]
 *   sd           [n, d]     standard deviations of x along the principal directions, to
 *                           first order, in the data's units, in the order of the
 *                           singular values of J
 *   directions   [n, d*d]   unit vectors of x, one after the other; the entry of largest
 *                           magnitude is positive
 *   manifold     [n, 1]     sum of the contours of the `rank` largest |J_k|: a log density
 *                           with respect to the area of the principal manifold
 *   rank         [n, 1]     how many; where `rank` is 0, up to the largest gap in ln |J_k| */
typedef struct sf_principal {
    sf_mat contours, information, sd, directions, manifold, rank;
} sf_principal;

/* Members of `out` whose data is NULL are not given.  `rank` is 0 to d.
 * Returns SF_OK; SF_E_ARG (rank); SF_E_SHAPE; SF_E_UNSUPPORTED (no flow);
 * SF_E_NUMERIC (x is not finite: row and column; the map's derivative is singular at a row,
 * which is named: the outputs are written up to it); SF_E_NOMEM. */
SF_API sf_status sf_model_principal(const sf_model *model, sf_cmat x,
                                    int64_t rank, const sf_principal *out);

/* How many levels a column with the kernel `category` has; 0 for others. */
SF_API int64_t sf_model_categories(const sf_model *model, int64_t column);

/* Whether a column takes separate values (counts, whole numbers, levels), whose densities
 * are probabilities. */
SF_API bool sf_model_is_discrete(const sf_model *model, int64_t column);

/* What the clean level of such a column may be: out [n, levels] gets
 * P(x_0 = level | x_t = x) at n points x [n, d]; where sf_model_eval() gives means,
 * it gives the largest of these, the first among equals.
 * Returns SF_OK; SF_E_ARG (another column; a time outside [0, 1]); SF_E_SHAPE;
 * SF_E_UNSUPPORTED (the model holds no rows); SF_E_NOMEM; SF_E_NUMERIC (x outside
 * the support, or of probability 0: the message names the first row). */
SF_API sf_status sf_model_pmf(const sf_model *model, sf_cmat x, double time,
                              int64_t column, sf_mat out);

/* How such a column jumps, backward in time: out [n, levels] gets the rate a unit of
 * time from x to each level, the other columns as they are, and 0 for its own.
 * Forward it jumps to level c at the rate pi_c rate/(1 - t), pi being its prior.  At
 * times below the bandwidth nothing moves.
 * Returns as sf_model_pmf(); also SF_E_ARG at time 1 and SF_E_UNSUPPORTED for rows
 * of their own bandwidths, or a background. */
SF_API sf_status sf_model_jump_rates(const sf_model *model, sf_cmat x,
                                     double time, int64_t column, sf_mat out);

/* A Gaussian with a given mean [d] and covariance [d, d] (symmetric, positive
 * definite, row-major).  Column names may be NULL.
 * Returns SF_OK; SF_E_ARG (d < 1); SF_E_NUMERIC (the covariance is singular:
 * the message names the columns and a remedy); SF_E_NOMEM. */
SF_API sf_status sf_gaussian_new(sf_context *ctx, sf_model **out, int64_t dim,
                                 const char *const *names, const double *mean,
                                 const double *covariance);

/* The mean [d], covariance [d,d] and precision [d,d] of a gaussian model, in
 * data units; NULL for what is not wanted.
 * Returns SF_OK or SF_E_UNSUPPORTED (the model is not a gaussian). */
SF_API sf_status sf_gaussian_moments(const sf_model *model, double *mean,
                                     double *covariance, double *precision);

#ifdef __cplusplus
}
#endif
#endif
