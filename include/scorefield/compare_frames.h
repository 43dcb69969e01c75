/* SPDX-License-Identifier: Apache-2.0 */
/* compare_frames.h - how alike two tables of any kinds of columns are: numbers,
 * dates, angles and categories, with missing cells.
 *
 *     sf_frames_options o = SF_FRAMES_OPTIONS_INIT;
 *     sf_frames_report *r = NULL;
 *     o.held_out = test;                          real rows that no model saw
 *     sf_compare_frames(ctx, &r, train, drawn, &o);
 *     ... r->column[j].wasserstein[0] ...
 *     sf_frames_report_free(ctx, r);
 *
 * Everything is scaled by `real` alone.  Figures of two tables come in pairs: [0]
 * is synthetic against real and [1] held-out against real, what rows of the same
 * distribution give; it is NaN without held-out rows.  Figures of one table come in
 * threes: real, synthetic, held-out. */
#ifndef SCOREFIELD_COMPARE_FRAMES_H
#define SCOREFIELD_COMPARE_FRAMES_H

#include "scorefield/compare.h"
#include "scorefield/frame.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A column whose values lie on a circle: x and x + period are the same. */
typedef struct sf_circle {
    int64_t column;
    double period; /* > 0, finite, in the unit of the column                  */
} sf_circle;

typedef struct sf_frames_options {
    size_t size;              /* set by _INIT                                 */
    const sf_frame *held_out; /* rows of the distribution of `real` that the
                               * model was not fitted to, the same columns;
                               * or NULL                                      */
    const sf_circle *circles; /* [circle_count] columns of numbers; or NULL   */
    int64_t circle_count;
    int64_t max_rows; /* rows of each table that enter sums over pairs
                               * of columns or rows; more are cut to a random
                               * part.  >= 2, or 0: all             [10000]   */
    double max_work;  /* cells that a search for nearest rows, or all pairs of
                      * columns, may look at: where max_rows ask for more, fewer
                      * rows take part, but at least 500.  >= 0, or 0: no
                      * limit                                       [4e9]     */
    uint64_t seed;  /* of random parts                             [0]       */
    int64_t target; /* column that rows are to predict (sf_frames_usefulness),
                      * which takes held-out rows; -1: none         [-1]      */
    const sf_compare_options *numbers; /* of sf_compare() for the columns of
                               * numbers, without held-out rows; NULL: usual  */
} sf_frames_options;

#define SF_FRAMES_OPTIONS_INIT                                                 \
    {                                                                          \
        sizeof(sf_frames_options), NULL, NULL, 0, 10000, 4e9, 0, -1, NULL      \
    }

/* ---- columns ----------------------------------------------------------------
 *
 * How a column is compared.  `real` decides: levels of categories are matched by
 * their spelling, whatever their order in the files, and so are the numbers of
 * another table where those of real are said to be categories, and 0 and 1.
 *
 *   X(name, text) */
#define SF_COMPARED_LIST(X)                                                    \
    X(SF_COMPARED_NUMBER, "number")                                            \
    X(SF_COMPARED_CATEGORY, "category")                                        \
    X(SF_COMPARED_CIRCLE, "circular")

typedef enum sf_compared {
#define SF_COMPARED_ENUM(name, text) name,
    SF_COMPARED_LIST(SF_COMPARED_ENUM)
#undef SF_COMPARED_ENUM
} sf_compared;

/* "number", ...; "unknown" for what is none. */
SF_API const char *sf_compared_name(sf_compared compared);

/* Of the cells that are there.  NaN: not of this kind of column, or too few cells. */
typedef struct sf_frames_column {
    sf_kind kind; /* in real                                                  */
    sf_compared compared;
    double period;      /* of a circle; else NaN                              */
    double missing[3];  /* proportion of cells                                */
    int64_t present[3]; /* cells                                              */
    int64_t distinct[3];

    /* Numbers; on a circle the mean direction m, in [0, period), and the circular
     * standard deviation sqrt(-2 ln R) period/2pi, with R exp(2pi i m/period) the
     * mean of exp(2pi i x/period); no quantiles. */
    double mean[3];
    double sd[3]; /* divisor n - 1; 0 if all values are equal                 */
    double quantile[3][SF_COMPARE_QUANTILES];

    /* Numbers: max |F - G|, its p-value, the integral of |F - G|.  On a circle, where
     * F and G have no beginning: Kuiper's max (F - G) - min (F - G), its p-value by
     * Stephens' approximation, and the integral of |F - G - c| over a period for
     * the c that makes it least. */
    double ks[2];
    double ks_p[2];
    bool ks_exact[2]; /* as sf_compare_column.ks_exact                        */
    double wasserstein[2];
    double energy[2]; /* 2 integral of (F - G)^2; NaN on a circle             */

    /* Categories: half the sum of |p - q| over all levels, in [0, 1]; of numbers with
     * atoms in real over these and what is none; NaN of others. */
    double total_variation[2];

    /* Proportion of cells below the smallest or above the largest number of real;
     * of levels that real does not have.  NaN on a circle. */
    double outside[2];

    /* Numbers whose cells in real are not all decimals of at most six places, which
     * come up again by chance: how many of them real has once, and how many cells of
     * synthetic and held-out equal one of these. */
    int64_t singular;
    int64_t reproduced[2];
} sf_frames_column;

/* ---- pairs of columns -------------------------------------------------------
 *
 * The association of two columns in the rows that have both, from 0 to 1 unless
 * it has a sign:
 *
 *   numbers           Pearson's correlation, from -1
 *   number, circle    the multiple correlation with cosine and sine
 *   circles           sum sin(a-A) sin(b-B) / sqrt(sum sin^2(a-A) sum sin^2(b-B))
 *                     with the mean directions A, B, from -1
 *   number, category  the correlation ratio: the root of the proportion of the
 *                     variance that is between the levels; a circle counts as a
 *                     point of the plane
 *   categories        Cramer's V without the bias of few rows
 *
 * Of more than 30 levels the rarer ones in real count as one.  Sources: K. V. Mardia
 * and P. E. Jupp, Directional Statistics (2000), 11.2; W. Bergsma, J. Korean Stat.
 * Soc. 42 (2013) 323-328.
 *
 *   X(name, text) */
#define SF_ASSOCIATION_LIST(X)                                                 \
    X(SF_ASSOCIATION_PEARSON, "Pearson correlation")                           \
    X(SF_ASSOCIATION_CIRCULAR, "circular correlation")                         \
    X(SF_ASSOCIATION_RATIO, "correlation ratio")                               \
    X(SF_ASSOCIATION_CRAMER, "Cramer's V")

typedef enum sf_association {
#define SF_ASSOCIATION_ENUM(name, text) name,
    SF_ASSOCIATION_LIST(SF_ASSOCIATION_ENUM)
#undef SF_ASSOCIATION_ENUM
} sf_association;

/* "Pearson correlation", ...; "unknown" for what is none. */
SF_API const char *sf_association_name(sf_association association);

typedef struct sf_frames_pair {
    int64_t columns[2]; /* [0] < [1]                                          */
    sf_association association;
    double value[3]; /* NaN below three rows; 0 if a column does not vary     */
    double difference[2];

    /* Of the joint distribution: numbers count by the tenth of real in which they
     * are, angles by the tenth of the circle, missing cells as a level.  Of few rows
     * it is large by chance, so as many rows of synthetic take part as there are
     * held-out ones. */
    double total_variation[2];
} sf_frames_pair;

/* ---- rows -------------------------------------------------------------------
 *
 * Whole rows, with the Gower distance: the sum over columns of |x - y| over the range
 * in real, for angles the arc over half the period, for categories 1 where they differ;
 * a missing cell is 1 from all others and 0 from another missing one.  Source: J. C.
 * Gower, Biometrics 27 (1971) 857-871, who divides by the number of columns. */
typedef struct sf_frames_rows {
    /* Exact optimal transport (W1) between real and the other table.  Of few rows it
     * is large by chance, so as many rows of synthetic take part as there are held-out
     * ones.  Where a table has more than take part, at most 2000, it is the mean
     * over five parts. */
    double transport[2];
    double transport_sd[2]; /* over the parts; NaN of one                     */
    int transport_parts[2];
    int64_t transport_rows[2][2]; /* of real and of the other, in each part   */

    /* Proportion of rows of real whose nearest row of the other table is at most as far
     * as their second neighbour in real; with as many rows of synthetic as held-out.
     * For n and m rows of one continuous distribution about 1 - (n/(n + m))^2.
     * Source: M. F. Naeem et al., ICML 2020. */
    double coverage[2];
    int64_t coverage_rows[2][2];

    /* The squared maximum mean discrepancy, without bias, so that it may be
     * negative, of rows as points (see "what learns from rows"), with a Gaussian kernel
     * whose bandwidth is the median distance; and its permutation test, which takes
     * `permutations` and `test_rows`, at most 2000, of the options of numbers.
     * Source: A. Gretton et al., J. Mach. Learn. Res. 13 (2012) 723-773. */
    double mmd[2];
    double mmd_p[2];
    int64_t mmd_rows[2][2];
} sf_frames_rows;

/* An attacker knows all of a row but one cell, and takes that of the nearest synthetic
 * row.  It succeeds with the right level, or with a number within a tenth of the
 * standard deviation in real. */
typedef struct sf_frames_inference {
    double success[2];   /* proportion, of rows of real, of held-out rows     */
    int64_t rows[2];     /* that have the cell                                */
    double advantage;    /* success[0] - success[1]: 0 if nothing was copied  */
    double advantage_se; /* its standard error                                */
} sf_frames_inference;

/* ---- what learns from rows --------------------------------------------------
 *
 * Rows become points: numbers in standard deviations of real, angles as cosine and
 * sine, a coordinate for each of the 30 commonest levels, for all others, and for
 * missing cells.
 *
 *   X(name, text) */
#define SF_LEARNER_LIST(X)                                                     \
    X(SF_LEARNER_LINEAR, "linear")                                             \
    X(SF_LEARNER_NEIGHBOURS, "neighbours")

typedef enum sf_learner {
#define SF_LEARNER_ENUM(name, text) name,
    SF_LEARNER_LIST(SF_LEARNER_ENUM)
#undef SF_LEARNER_ENUM
} sf_learner;

enum { SF_LEARNERS = 2 };

/* "linear", ...; "unknown" for what is none. */
SF_API const char *sf_learner_name(sf_learner learner);

/* Can rows be told from rows of real?  A classifier, logistic or by the nearest sqrt(n)
 * rows, learns it from four fifths and ranks the others: the area under the ROC
 * curve, mean over five folds, is 1/2 if both tables have one distribution and 1
 * if rows are told apart; below 1/2 where rows have twins in the other table.
 * NaN below ten rows.
 * Source: D. Lopez-Paz and M. Oquab, ICLR 2017. */
typedef struct sf_frames_two_sample {
    double auc[SF_LEARNERS][2];
    double auc_se[2];   /* standard error, if both have one distribution      */
    int64_t rows[2][2]; /* of real and of the other, as many of synthetic as
                         * of held-out                                        */
} sf_frames_two_sample;

/* Are rows as good as real ones to learn a column from the others?  Both are judged on
 * held-out rows: levels by the mean over levels of F1, numbers by R^2 = 1 - (mean
 * squared error)/variance.  Linear is logistic regression, a level against the
 * others, or linear regression; neighbours are five. */
typedef struct sf_frames_usefulness {
    int64_t target; /* -1: none was asked for, and the rest is NaN or 0       */
    bool classes;   /* F1, else R^2                                           */
    double synthetic[SF_LEARNERS]; /* learned on synthetic rows               */
    double real[SF_LEARNERS];      /* and on real ones                        */
    int64_t rows[3]; /* learned from in real and synthetic; judged            */
} sf_frames_usefulness;

/* ---- the report ------------------------------------------------------------- */

typedef struct sf_frames_report {
    int64_t cols;
    int64_t rows[3]; /* 0 without held-out rows                               */

    sf_frames_column *column; /* [cols]                                       */

    int64_t pairs;        /* cols (cols - 1)/2; 0 above 1000 columns          */
    sf_frames_pair *pair; /* [pairs], by the first column, then the second    */
    int64_t pair_rows[3]; /* that entered them                                */
    int64_t *largest;     /* [pairs] numbers of pairs by |difference[0]|, the
                           * largest first, NaN last                          */

    sf_frames_rows joint;

    /* Copying, as sf_compare_copies, but of whole rows with the Gower distance; `closer`
     * is the proportion of rows that are near.  Without held-out rows the reference are
     * the other rows of real, which says less: a model may copy what its data
     * repeat. */
    sf_compare_copies copies;
    double closeness_ratio; /* median distance to the nearest row of real, of
                             * synthetic over that of the reference: 1 if nothing
                             * was copied; NaN where the latter is 0          */
    double second_neighbour[2]; /* proportion of rows more than twice as near to
                                 * the nearest row of real as to the second, of
                                 * the reference and of synthetic             */
    sf_frames_inference *inference; /* [cols]; NULL without held-out rows     */

    sf_frames_two_sample two_sample;
    sf_frames_usefulness usefulness;

    /* The columns of numbers in the rows that have all of them: NULL if there
     * are no such columns or more than 5000, or fewer than two such rows in real or synthetic.  Without
     * copies, which are those above. */
    sf_compare_report *numbers;
    int64_t *number_columns; /* [number_count] which columns they are         */
    int64_t number_count;
} sf_frames_report;

/* Compare the columns of `real` and `synthetic`, which are the same in number and
 * order (sf_frame_select()); their names are not looked at.  Warns where a part
 * could not be compared.
 *
 * Cost.    Sorting each column; max_work for pairs of columns and for each of six
 *          searches for nearest rows; transport of 2000 rows takes about 0.5 s.
 * Memory.  Three copies of the tables, and 32 MiB a thread for transport.
 *
 * The same bits for any number of threads.
 *
 * Returns SF_OK, or
 *   SF_E_ARG          an option out of range; a circle of what is no number; a
 *                     target without held-out rows, of angles, or of more than
 *                     50 levels
 *   SF_E_SHAPE        fewer than two rows (one held-out row is enough), no columns
 *                     or different numbers of them
 *   SF_E_FORMAT       a column is text in one table and numbers, or dates, in real
 *   SF_E_NUMERIC      as sf_compare()
 *   SF_E_UNSUPPORTED  the rows of a frame pass by (sf_frame_open())
 *   SF_E_CANCELLED    the progress callback (stage "compare") said stop
 *   SF_E_NOMEM
 * On failure *out is NULL. */
SF_API sf_status sf_compare_frames(sf_context *ctx, sf_frames_report **out,
                                   const sf_frame *real,
                                   const sf_frame *synthetic,
                                   const sf_frames_options *opts);

/* ---- rows that a model drew ---------------------------------------------------
 *
 * The few figures by which one model is chosen among others: how alike its draws are to
 * rows that it was not fitted to, and whether they are copies of rows that it was
 * fitted to. */
typedef struct sf_frames_draws {
    size_t size; /* set by _INIT                                             */
    double energy; /* energy distance of drawn from held-out rows as points (see
                    * "what learns from rows"), scaled by real                */
    double energy_p; /* its permutation test; NaN without permutations       */
    double closeness_ratio; /* as sf_frames_report has it                     */
    double near_share; /* proportion of drawn rows nearer to real than 95 % of
                             * the held-out ones                              */
    double copies[2];  /* proportion of rows that equal a row of real: of the
                       * held-out ones, which is chance, and of the drawn    */
} sf_frames_draws;

#define SF_FRAMES_DRAWS_INIT                                                   \
    {                                                                          \
        sizeof(sf_frames_draws), 0.0, 0.0, 0.0, 0.0,                           \
        {                                                                      \
            0.0, 0.0                                                           \
        }                                                                      \
    }

/* Compare `drawn` with opts->held_out, which must be there, beside `real`.  Of opts,
 * circles, max_rows, max_work, seed and the permutations and test_rows of `numbers`
 * are used: test_rows of the held-out and of the drawn rows enter the energy distance.
 *
 * Returns as sf_compare_frames(), and SF_E_ARG without held-out rows; on failure *out
 * is as it was. */
SF_API sf_status sf_compare_draws(sf_context *ctx, sf_frames_draws *out,
                                  const sf_frame *real, const sf_frame *drawn,
                                  const sf_frames_options *opts);

/* NULL is allowed. */
SF_API void sf_frames_report_free(sf_context *ctx, sf_frames_report *report);

#ifdef __cplusplus
}
#endif
#endif
