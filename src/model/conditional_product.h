/* SPDX-License-Identifier: Apache-2.0 */
/* conditional_product.h - conditional distributions of data sets under kernels of one
 * column each (product.h).  Given a row, columns are independent: intervals, however
 * many, leave everything in closed form. */
#ifndef SFI_CONDITIONAL_PRODUCT_H
#define SFI_CONDITIONAL_PRODUCT_H

#include "model/product.h"
#include "scorefield/condition.h"

typedef struct sfi_product_given {
    sfi_product_law *p;
    double *value;         /* [dim] in the data's units, of values         */
    double *lower, *upper; /* [dim] in the coordinates of the kernels      */
    const unsigned char *
        *set;              /* [dim] of levels, or NULL; into               */
    unsigned char *levels; /* [level_count]                                */
    int64_t level_count;
    double
        *weight;  /* [rows] posterior                                        */
    double *upto; /* [rows] the same, cumulated                              */
    double *own;  /* [dim, rows] of a column that rows lack: weights of those
                       that have it, cumulated                                 */
    double log_density, log_probability;
} sfi_product_given;

/* Bounds [dim] in the data's units, and levels [dim] of [levels] each or NULL.
 * SF_OK; SF_E_NUMERIC (impossible: the message names the columns); SF_E_NOMEM. */
sf_status sfi_product_given_new(const sf_model *m, sfi_product_given **out,
                                const double *lower, const double *upper,
                                const unsigned char *const *levels);
void sfi_product_given_free(sfi_product_given *g);

/* As sf_conditional_...() has them.  SF_OK or SF_E_NOMEM. */
sf_status sfi_product_given_component(const sfi_product_given *g, int64_t k,
                                      double *weight, double *mean,
                                      double *covariance);
sf_status sfi_product_given_moments(const sfi_product_given *g, double *mean,
                                    double *covariance);
sf_status sfi_product_given_quantiles(const sfi_product_given *g,
                                      int64_t column, int64_t count,
                                      const double *p, double *x);
sf_status sfi_product_given_pmf(const sfi_product_given *g, int64_t column,
                                double *pmf);
void sfi_product_given_draw(const sfi_product_given *g, uint64_t seed,
                            int64_t first, sf_mat x);

#endif
