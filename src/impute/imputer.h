/* SPDX-License-Identifier: Apache-2.0 */
/* imputer.h - what an imputer is made of: a mixture whose components are normal
 * distributions of y = (x - mean)/sd for numbers, and probabilities of levels for
 * categories; or a data set under kernels of one column each. */
#ifndef SFI_IMPUTER_H
#define SFI_IMPUTER_H

#include "impute/donors.h"
#include "model/parts.h"
#include "model/product.h"
#include "scorefield/impute.h"

/* A column of the table.  Components of a number are cut off at its bounds. */
typedef struct sfi_imputed_column {
    int64_t levels;      /* of a category; 0: a number                        */
    int64_t place;       /* among the numbers, or the categories of donors.h  */
    double mean, sd;     /* of numbers                                        */
    double lower, upper; /* may be infinite                                   */
    bool is_open;        /* the lower bound itself is no value of the column  */
    int decimals;        /* that what is filled is rounded to, or -1          */
    int64_t pair;  /* the category of which atom it is, or -1            */
    int64_t atoms; /* how many: its levels, and one more for none        */
    double *at;    /* [atoms] rising, in the data's units                */
} sfi_imputed_column;

struct sf_imputer {
    sf_context *ctx;
    int64_t table; /* columns of the table                                    */
    int64_t dim;   /* these, and behind them the categories of atoms          */
    sfi_imputed_column *column; /* [dim]                                      */
    int64_t numbers, *number;   /* [numbers] columns that are numbers         */
    sfi_product_law *product;   /* instead of what follows, or NULL           */
    sfi_parts parts;            /* of these                                   */
    sfi_donors donors;          /* of the others; donor k is component k      */
    int64_t rows; /* of the table that it was fitted to, or 0                 */
    int64_t *own; /* [rows] the component that a row is, -1 for none          */
};

/* Room for an imputer of `dim` columns, all of the table, that was fitted to `rows`:
 * numbers with mean 0 and sd 1, no bounds, decimals and atoms.  SF_OK or SF_E_NOMEM. */
sf_status sfi_imputer_new(sf_context *ctx, sf_imputer **out, int64_t dim,
                          int64_t rows);

/* Where column[j].levels is set, number the columns of either kind; parts and levels
 * are made afterwards. */
void sfi_imputer_place(sf_imputer *m, int64_t target);

/* What a row says of cells that are known: of numbers the sum of the mean loss of the
 * quantiles that sf_impute_spread() gives, in standard deviations, of levels the sum of
 * -ln P, and of how many cells. */
typedef struct sfi_impute_loss {
    double number, level;
    int64_t numbers, levels;
} sfi_impute_loss;

typedef struct sfi_impute_guess {
    const double *truth;   /* [n, d]; NaN: not known                          */
    sfi_impute_loss *loss; /* [n] of rows that lack a cell                    */
} sfi_impute_guess;

/* Judge what the imputer says of the missing cells of x [n, d], where row i is
 * explained without the component without[i], -1 for none.  Returns as sf_impute(). */
sf_status sfi_impute_judge(sf_context *ctx, const sf_imputer *imputer,
                           sf_cmat x, const int64_t *without,
                           const sfi_impute_guess *guess);

/* sf_impute(), or sf_impute_spread() where `cells` is not NULL, of an imputer with a
 * product; first, first_level [n]: where a row's cells and their probabilities begin.
 * SF_OK or SF_E_NOMEM. */
sf_status sfi_impute_product(sf_context *ctx, sf_mat out, const sf_imputer *m,
                             sf_cmat x, const sf_impute_options *o,
                             sf_imputed_cell *cells, double *levels,
                             const int64_t *first, const int64_t *first_level);

#endif
