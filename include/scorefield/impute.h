/* SPDX-License-Identifier: Apache-2.0 */
/* impute.h - fill the missing cells of a table.
 *
 *     sf_imputer *imputer = NULL;
 *     sf_imputer_fit(ctx, &imputer, table, NULL, NULL, NULL);
 *     sf_impute(ctx, out, imputer, table, NULL);
 *     sf_imputer_free(imputer);
 *
 * A row's missing cells have the distribution that a mixture gives them, given the cells
 * that are there: its components are normal distributions of the numbers (condition.h)
 * and independent probabilities of the levels of categories.  NaN is a missing cell;
 * cells are assumed to be missing at random (fit.h).  Cells that are there come back
 * unchanged, bit for bit. */
#ifndef SCOREFIELD_IMPUTE_H
#define SCOREFIELD_IMPUTE_H

#include "scorefield/frame.h"
#include "scorefield/model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sf_imputer sf_imputer;

/* An imputer that asks a model, which need not outlive it.  What is filled is rounded
 * to the decimals of the table that the model was fitted to, if it knows them.
 * Returns SF_OK; SF_E_UNSUPPORTED (SF_CAN_CONDITION); SF_E_NOMEM; on failure *out is
 * NULL. */
SF_API sf_status sf_imputer_new(sf_context *ctx, sf_imputer **out,
                                const sf_model *model);

/* NULL is allowed. */
SF_API void sf_imputer_free(sf_imputer *imputer);

typedef struct sf_imputer_options {
    size_t size;       /* set by _INIT                                        */
    double bandwidth;  /* h > 0; 0: the one of 0.35, 0.5, 0.7, 1 and 1.4 whose
                          quantiles are best for hidden numbers
                                                                 [default 0]  */
    double hidden;     /* fraction of the cells that are hidden on purpose to
                          find it, within (0, 0.5]             [default 0.1]  */
    double prior_rows; /* of the covariance, as in sf_gaussian_options, >= 0
                                                                 [default 5]  */
    int64_t donors;    /* rows that others are explained by, drawn at random;
                          0: all, or as many as 2e10 operations allow
                                                                 [default 0]  */
    uint64_t seed;     /* of what is hidden and drawn            [default 0]  */
    const sf_frame *frame; /* what the columns hold: its first ones are those of
                          data, in their order.  Categories and booleans are the
                          numbers of their levels.  NULL: all are real numbers
                                                              [default NULL]  */
    int64_t
        target; /* a category: rows of one class are explained by rows of that
                          class; -1: none                       [default -1]  */
    double forget; /* lambda in (0, 1), the probability that a component forgets
                          its level; 0: the one of 0.02, 0.05, 0.1, 0.2, 0.35 and
                          0.6 under which hidden levels are likeliest
                                                                 [default 0]  */
} sf_imputer_options;

#define SF_IMPUTER_OPTIONS_INIT                                                \
    {                                                                          \
        sizeof(sf_imputer_options), 0.0, 0.1, 5.0, 0, 0, NULL, -1, 0.0         \
    }

enum { SF_IMPUTER_BANDWIDTHS = 5, SF_IMPUTER_FORGETS = 6 };

/* What an imputer was fitted to, and how.  Set `size` (SF_IMPUTER_REPORT_INIT). */
typedef struct sf_imputer_report {
    size_t size;
    int64_t rows;     /* with a cell that is there                            */
    int64_t missing;  /* cells of these that are missing                      */
    int64_t donors;   /* rows that others are explained by                    */
    double bandwidth; /* h                                                    */
    int64_t hidden;   /* numbers that it was found by, 0 if it was given      */
    double error[SF_IMPUTER_BANDWIDTHS]; /* of each h: the mean over hidden
                                            cells x and the quantiles q below
                                            of (p - [x < q]) (x - q), in
                                            standard deviations               */
    double forget;         /* lambda; 0 without categories                    */
    int64_t hidden_levels; /* cells that it was found by, 0 if it was given   */
    double surprise[SF_IMPUTER_FORGETS]; /* of each lambda: mean -ln P of the
                                            hidden levels                     */
    int64_t unclassed; /* rows that lack their class, and explain no others   */
    int64_t alone; /* rows to be filled that are the only one of their class:
                      those of all classes explain them                       */
} sf_imputer_report;

#define SF_IMPUTER_REPORT_INIT                                                 \
    {                                                                          \
        sizeof(sf_imputer_report), 0, 0, 0, 0.0, 0, {0.0}, 0.0, 0, {0.0}, 0, 0 \
    }

/* Fit an imputer to the table itself, data [n, d], by a kernel estimate whose noise has
 * the covariance h^2 S: with S and the mean of a normal distribution fitted to the
 * numbers that are there (sf_fit_gaussian_with()), row i stands for
 *
 *     N((x_io, E[x_im | x_io]), h^2 S + Cov[x_m | x_io] in the block of m),
 *
 * o the cells that it has and m the others, contracted about that mean (of its class) by
 * 1/sqrt(1 + h^2), so that all of them together have the covariance S.  Most of what is known of a cell is linear,
 * which S knows; the rows know what is not.  Of each category it says
 *
 *     P(x) = (1 - lambda) [x = x_i] + lambda pi_x,     pi_x where it has no level,
 *
 * pi the proportions of the levels.  With a target, rows of another class say
 * nothing of a row whose class is known; S is pooled over the classes, about their
 * means, and pi is of the class of row i, with one row of the whole table's
 * proportions.
 *
 * Where the frame says that a column holds whole numbers, decimals, or no negative
 * ones, so do components (cut off at their bounds), and what is filled is rounded to
 * the decimals; means are not.  Of a column with atoms which of them a cell is, or none,
 * is a category besides, and what is said of the cell is the mixture of the atoms with
 * the probabilities of the category and the number of the rows that are none.
 *
 * Returns SF_OK; SF_E_ARG (an option outside its range, fewer than 2 rows, a target
 * that is no category or a frame of too few columns); SF_E_NUMERIC (a value that is
 * infinite; a column without two cells that differ, a number of no level); SF_E_SHAPE;
 * SF_E_CANCELLED; SF_E_NOMEM.  `names`, `options` and `report` may be NULL.  On
 * failure *out is NULL. */
SF_API sf_status sf_imputer_fit(sf_context *ctx, sf_imputer **out, sf_cmat data,
                                const char *const *names,
                                const sf_imputer_options *options,
                                sf_imputer_report *report);

/* ---- imputing ------------------------------------------------------------------- */

/* What a missing cell becomes.
 *
 *   MEDIAN  of its distribution given the row's other cells; of a category the
 *           likeliest level, the first among equals
 *   MEAN    likewise, of numbers
 *   DRAW    one joint draw of the row's missing cells, for multiple imputation
 *           (D. B. Rubin, Multiple Imputation for Nonresponse in Surveys, 1987)
 *
 * Tables filled by medians or means have too little spread. */
typedef enum sf_impute_with {
    SF_IMPUTE_MEDIAN = 0,
    SF_IMPUTE_MEAN,
    SF_IMPUTE_DRAW
} sf_impute_with;

typedef struct sf_impute_options {
    size_t size;         /* set by _INIT                                      */
    sf_impute_with with; /*                                  [default MEDIAN] */
    double contract; /* of DRAW: the part of the way to the median that draws
                            are moved, 0 to 1, and the probability that a level
                            is the likeliest one; above 0 they are better
                            guesses, and draws no more       [default 0]      */
    uint64_t seed;   /* of DRAW                          [default 0]      */
    uint32_t draw;   /* which one: row i is a function of the seed, this
                            number and i                     [default 0]      */
    bool own_rows;   /* x is the table that the imputer was fitted to, and
                            no row is explained by itself    [default false]  */
} sf_impute_options;

#define SF_IMPUTE_OPTIONS_INIT                                                 \
    {                                                                          \
        sizeof(sf_impute_options), SF_IMPUTE_MEDIAN, 0.0, 0, 0, false          \
    }

/* Copy x [n, d] to out [n, d], which may be the same table, with its missing cells
 * filled.  A row without any cell gets what is known without it.
 * Returns SF_OK; SF_E_ARG; SF_E_SHAPE (also: own_rows, and other rows); SF_E_NUMERIC (a
 * value that is infinite: row, column); SF_E_NOMEM; SF_E_CANCELLED. */
SF_API sf_status sf_impute(sf_context *ctx, sf_mat out,
                           const sf_imputer *imputer, sf_cmat x,
                           const sf_impute_options *options);

enum { SF_IMPUTE_QUANTILES = 7 };

/* What is known of a missing cell: mean, standard deviation, and the quantiles of
 * probability 0.05, 0.1, 0.25, 0.5, 0.75, 0.9 and 0.95; of a category, where these are
 * NaN, the probabilities of its levels. */
typedef struct sf_imputed_cell {
    int64_t row, column; /* from 0 */
    double mean, sd, quantile[SF_IMPUTE_QUANTILES];
    int64_t
        first_level; /* of a category: where its probabilities begin; or -1 */
} sf_imputed_cell;

extern SF_API const double sf_impute_probabilities[SF_IMPUTE_QUANTILES];

/* The same for each missing cell of x, by rows, then columns; `cells` has room for as
 * many as there are, and `levels` for as many probabilities as those of categories
 * have levels (sf_imputer_levels()), or is NULL where none is a category.  Of the
 * options `own_rows` is used.  Returns as sf_impute(); SF_E_ARG (levels is NULL). */
SF_API sf_status sf_impute_spread(sf_context *ctx, sf_imputed_cell *cells,
                                  double *levels, const sf_imputer *imputer,
                                  sf_cmat x, const sf_impute_options *options);

/* How many levels a column has, 0 for numbers. */
SF_API int64_t sf_imputer_levels(const sf_imputer *imputer, int64_t column);

#ifdef __cplusplus
}
#endif
#endif
