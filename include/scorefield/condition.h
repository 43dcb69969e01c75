/* SPDX-License-Identifier: Apache-2.0 */
/* condition.h - what a model says of some columns, given others.
 *
 * Models that are mixtures of normal distributions (SF_CAN_CONDITION) know this
 * exactly: Gaussians, fitted mixtures, and data sets under the kernels gaussian and
 * mvgaussian, at their bandwidth.  So do data sets under kernels of one column each
 * (gaussian, lognormal, beta, integer, category), also with missing cells: given a row
 * their columns are independent, and what is known of columns is known in closed form
 * for any number of intervals.  Means and covariances of categories are NaN there, and
 * the log density of values is of columns that are not discrete: discrete values are
 * intervals, which have a probability.  For normal distributions, with the columns split into those that are known, o, and the others, m,
 * component k has
 *
 *     weight      w_k N(x_o; mean_o, S_oo), scaled to sum 1
 *     mean        mean_m + B (x_o - mean_o),  B = S_mo S_oo^-1
 *     covariance  S_mm - B S_om
 *
 *     sf_condition *where = NULL;
 *     sf_conditional *c = NULL;
 *     sf_condition_new(ctx, &where, model);
 *     sf_condition_add(where, "mass>4000");
 *     sf_condition_add(where, "species in Adelie,Gentoo");
 *     sf_conditional_given(ctx, &c, model, where);
 *     sf_conditional_draw(c, seed, 0, rows);
 *     sf_conditional_free(c);
 *     sf_condition_free(where); */
#ifndef SCOREFIELD_CONDITION_H
#define SCOREFIELD_CONDITION_H

#include "scorefield/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- log densities of parts of rows ------------------------------------------- */

/* ln p of the cells that are there, in nats: NaN is a missing cell, and the density of
 * the others is their marginal one.  0 where no cell is there.
 *
 *   logpdf  [n]
 *
 * Returns SF_OK; SF_E_UNSUPPORTED (SF_CAN_CONDITION); SF_E_SHAPE; SF_E_NUMERIC (x is
 * infinite: row, column); SF_E_NOMEM. */
SF_API sf_status sf_logpdf_marginal(sf_context *ctx, double *logpdf,
                                    const sf_model *model, sf_cmat x);

/* ---- conditions ---------------------------------------------------------------- */

/* A condition has bounds for each column: both equal for a value that is known, -inf and
 * inf for nothing, else an interval; and for columns of categories the levels that are
 * allowed.  It begins without any. */
typedef struct sf_condition sf_condition;

/* On the columns of a model, which must outlive it.  Returns SF_OK or SF_E_NOMEM; on
 * failure *out is NULL. */
SF_API sf_status sf_condition_new(sf_context *ctx, sf_condition **out,
                                  const sf_model *model);
SF_API void sf_condition_free(sf_condition *condition);

/* Narrow it by a text: `NAME=VALUE`, `NAME<VALUE`, `NAME>VALUE` (or <=, >=) or
 * `NAME in LOW:HIGH`, and of a column of categories `NAME=LEVEL` or
 * `NAME in LEVEL,LEVEL`.  A name that is no word, or a level with a comma, stands in
 * double quotes.  Of whole numbers < and > exclude the value.
 * Returns SF_OK; SF_E_ARG (no such column or level: the message suggests one; not a
 * condition; nothing is left of the column together with what was known); SF_E_NOMEM.  On
 * failure the condition is as it was. */
SF_API sf_status sf_condition_add(sf_condition *condition, const char *text);

/* The bounds of a column. */
SF_API void sf_condition_bounds(const sf_condition *condition, int64_t column,
                                double *lower, double *upper);
/* Whether a level of a column of categories is allowed. */
SF_API bool sf_condition_allows(const sf_condition *condition, int64_t column,
                                int64_t level);

/* Without levels a condition is two arrays [d].  Nothing is known: */
SF_API void sf_condition_clear(int64_t dim, double *lower, double *upper);

/* sf_condition_add() to these; a condition on levels is SF_E_ARG. */
SF_API sf_status sf_condition_parse(sf_context *ctx, double *lower,
                                    double *upper, const sf_model *model,
                                    const char *text);

/* ---- conditional distributions --------------------------------------------------- */

typedef struct sf_conditional sf_conditional;

/* The distribution of a model's columns, given that each is within its bounds.  The
 * model need not outlive it.
 *
 * Returns SF_OK; SF_E_UNSUPPORTED (SF_CAN_CONDITION); SF_E_ARG (a bound that is NaN, a
 * lower one above its upper one, all columns known);  SF_E_NUMERIC (impossible: the log
 * probability of the intervals, given the values, is below SF_LEAST_LOG_PROBABILITY;
 * the message names the columns); SF_E_NOMEM.  On failure *out is NULL. */
#define SF_LEAST_LOG_PROBABILITY (-30.0)
SF_API sf_status sf_conditional_new(sf_context *ctx, sf_conditional **out,
                                    const sf_model *model, const double *lower,
                                    const double *upper);
/* The same given a condition on the model's columns. */
SF_API sf_status sf_conditional_given(sf_context *ctx, sf_conditional **out,
                                      const sf_model *model,
                                      const sf_condition *condition);
SF_API void sf_conditional_free(sf_conditional *conditional);

/* The log density of the values that are known, 0 without one, and the log probability
 * of the intervals given these, 0 without one; its standard error is 0 for one
 * interval, and of several, whose probability is an integral over points of a lattice,
 * is estimated (A. Genz, J. Comput. Graph. Stat. 1 (1992) 141-149).  What is NULL is
 * not given. */
SF_API void sf_conditional_evidence(const sf_conditional *conditional,
                                    double *log_density,
                                    double *log_probability, double *se);

/* How many components there are, and number k of them, 0 <= k < count: its weight, and
 * mean [d] and covariance [d, d] before the intervals: of columns whose value is known
 * that and 0.  NULL for what is not wanted.  Returns SF_OK; SF_E_ARG (k). */
SF_API int64_t sf_conditional_count(const sf_conditional *conditional);
SF_API sf_status sf_conditional_component(const sf_conditional *conditional,
                                          int64_t k, double *weight,
                                          double *mean, double *covariance);

/* Mean [d] and covariance [d, d] of all columns; NULL for what is not wanted.
 * Returns SF_OK; SF_E_UNSUPPORTED (several intervals of normal distributions: draw);
 * SF_E_NOMEM. */
SF_API sf_status sf_conditional_moments(const sf_conditional *conditional,
                                        double *mean, double *covariance);

/* The values x [count] which column `column` is below with the probabilities p
 * [count], within (0, 1): to 1e-12 of its spread.
 * Returns SF_OK; SF_E_ARG (column, p); SF_E_UNSUPPORTED (there is an interval of
 * another column: draw); SF_E_NOMEM. */
SF_API sf_status sf_conditional_quantiles(const sf_conditional *conditional,
                                          int64_t column, int64_t count,
                                          const double *p, double *x);

/* The probabilities pmf [sf_model_categories()] of the levels of a column.
 * Returns SF_OK; SF_E_ARG (the column has no kernel of levels); SF_E_NOMEM. */
SF_API sf_status sf_conditional_pmf(const sf_conditional *conditional,
                                    int64_t column, double *pmf);

/* Draw rows x [n, d]: row i is a function of the seed and of first + i.  One interval
 * is exact.  Of several, columns are drawn one after the other, each within its bounds
 * given those before, and the row is kept with the probability that it had to be within
 * the bounds after the first: exact too, but for rows that were refused 10000 times,
 * which are kept with a warning.
 * Returns SF_OK; SF_E_SHAPE; SF_E_ARG (first < 0); SF_E_NOMEM. */
SF_API sf_status sf_conditional_draw(const sf_conditional *conditional,
                                     uint64_t seed, int64_t first, sf_mat x);

#ifdef __cplusplus
}
#endif
#endif
