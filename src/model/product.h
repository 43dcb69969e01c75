/* SPDX-License-Identifier: Apache-2.0 */
/* product.h - the law of a data set under kernels of one column each, asked for parts
 * of rows.
 *
 * The factor of column j in row i at a point x is
 *
 *     the point has the cell, the row has it     K_j(x_j | x_ij; t_i)
 *     the point lacks it                         1
 *     the row lacks it                           f_j(x_j)
 *
 * f_j being the column's own law, sum_l w_l K_j(x_j | x_lj; t_l)/sum_l w_l over the rows
 * l that have it: so every row's density is one of the same cells.  (Without it
 * densities of different dimension would be added, and rows with many missing cells
 * have all the weight.)  Where a column is known to be within bounds, K_j is replaced by
 * its mass there, and where it is one of some levels by their probability.
 *
 * Numbers are in the coordinates of the kernels, densities by these (kernel/cell_law.h). */
#ifndef SFI_PRODUCT_H
#define SFI_PRODUCT_H

#include "kernel/cell_law.h"
#include "kernel/noise.h"
#include "scorefield/model.h"

#include <math.h>

/* The atoms of a column (kernel/cell_law.h); of none the counts are 0. */
typedef struct sfi_product_atoms {
    sfi_cell_atoms law;
    double *value; /* [law.count] in the data's units, to the last bit */
    double *at;    /* [2 law.count + 1] what law points to, then its shares */
    bool *between; /* [law.count + 1]                                       */
} sfi_product_atoms;

typedef struct sfi_product_law {
    sf_context *ctx;
    int64_t rows, dim;
    sfi_noise noise;
    double *data;             /* [dim, rows], NaN for a missing cell */
    double *weight;           /* [rows] >= 0, sums to 1              */
    double *times;            /* [rows]                              */
    double *mean, *scale;     /* [dim] of the model                  */
    sfi_product_atoms *atoms; /* [dim]                           */
    sfi_cell *cells;          /* [dim, rows] the laws at these times */
} sfi_product_law;

/* What is known of a point, by columns: equal bounds are a value, infinite ones nothing;
 * of a discrete column equal bounds are bounds as well, which hold one value. */
typedef struct sfi_product_query {
    const double *lower, *upper; /* [dim] */
    /* [dim] NULL, or [levels] of a column of levels: which of them; may be NULL. */
    const unsigned char *const *levels;
} sfi_product_query;

/* NULL if a model is a data set of which this can be asked, else why not: what follows
 * "the model ...". */
const char *sfi_product_why_not(const sf_model *m);

/* Whether it is what such a model is to be asked by: mixtures of normal distributions
 * without missing cells and atoms have parts.h. */
bool sfi_product_is_needed(const sf_model *m);

/* The law at the least times of such a model, which need not outlive it; or without
 * `cells`, which take far more memory than the data.  SF_OK or SF_E_NOMEM. */
sf_status sfi_product_new(const sf_model *m, sfi_product_law **out);
sf_status sfi_product_bare(const sf_model *m, sfi_product_law **out);
void sfi_product_free(sfi_product_law *p);

/* All rows at one time, instead of theirs. */
void sfi_product_rest(sfi_product_law *p, double time);

/* Bounds of a row z [dim] whose missing cells are NaN. */
void sfi_product_bounds(int64_t dim, const double *z, double *lower,
                        double *upper);

/* The posterior weights r [rows] of rows; `work` [rows].  Row `without` is left out of
 * everything, -1: none.  *log_density is of the values, *log_probability of the bounds
 * given these: 0 without one, -inf where there is none (r is 0 then). */
void sfi_product_weigh(const sfi_product_law *p, const sfi_product_query *q,
                       int64_t without, double *r, double *work,
                       double *log_density, double *log_probability);

/* ln p of the cells that are there at points z [n, dim], NaN where there is none, to
 * out[i stride]; -inf where it is 0.  SF_OK or SF_E_NOMEM. */
sf_status sfi_product_logpdf(const sfi_product_law *p, sf_cmat z, double *out,
                             int64_t stride);

/* ---- one column (product_column.c) ------------------------------------------------ */

/* The column's law given what is known is the mixture of its cells with these weights
 * [rows], which are 0 for rows that lack it: r of the rows, and what rows without the
 * cell weigh, by the column's own law. */
void sfi_product_column(const sfi_product_law *p, int64_t column,
                        const sfi_product_query *q, int64_t without,
                        const double *r, double *weight);

/* What that mixture says; `weight` is of sfi_product_column(). */
void sfi_product_moments(const sfi_product_law *p, int64_t column,
                         const sfi_product_query *q, const double *weight,
                         double *mean, double *variance);
/* The x that is not exceeded with probability p, within (0, 1): to 1e-12 of its spread,
 * of what is discrete exactly. */
double sfi_product_quantile(const sfi_product_law *p, int64_t column,
                            const sfi_product_query *q, const double *weight,
                            double probability);
/* Of a column of levels, [levels]. */
void sfi_product_pmf(const sfi_product_law *p, int64_t column,
                     const sfi_product_query *q, const double *weight,
                     double *pmf);
/* A draw from the cell of a row that has it, by a number within (0, 1). */
double sfi_product_draw(const sfi_product_law *p, int64_t column,
                        const sfi_product_query *q, int64_t row,
                        double uniform);

/* ln of the factor of a cell that is there. */
double sfi_product_factor(const sfi_product_law *p, int64_t row, int64_t column,
                          const sfi_product_query *q);
/* Whether a column is known by its value, whose factor is a density. */
bool sfi_product_is_value(const sfi_product_law *p, int64_t column,
                          const sfi_product_query *q);

/* What z of a column is in the data's units: of an atom its value, bit for bit. */
double sfi_product_value(const sfi_product_law *p, int64_t column, double z);
/* ln of the data's units in one of z where z is a number with a density; 0 of an atom. */
double sfi_product_log_unit(const sfi_product_law *p, int64_t column, double z);

/* Whether a row has a cell, and its law. */
static inline bool sfi_product_has(const sfi_product_law *p, int64_t row,
                                   int64_t column)
{
    return !isnan(p->data[column * p->rows + row]);
}

static inline const sfi_cell *sfi_product_cell(const sfi_product_law *p,
                                               int64_t row, int64_t column)
{
    return &p->cells[column * p->rows + row];
}

#endif
