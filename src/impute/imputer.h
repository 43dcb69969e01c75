/* SPDX-License-Identifier: Apache-2.0 */
/* imputer.h - what an imputer is made of: a mixture of normal distributions of
 * y = (x - mean)/sd, or a data set under kernels of one column each. */
#ifndef SFI_IMPUTER_H
#define SFI_IMPUTER_H

#include "model/parts.h"
#include "model/product.h"
#include "scorefield/impute.h"

struct sf_imputer {
    sf_context *ctx;
    int64_t dim;
    sfi_product_law
        *product; /* all there is, or NULL                           */
    sfi_parts parts;
    double *mean, *sd; /* [dim]                                              */
    int64_t rows;      /* of the table that it was fitted to, or 0           */
    int64_t *own;      /* [rows] the component that a row is, -1 for none    */
};

/* Room for an imputer of `dim` columns that was fitted to `rows`, with mean 0 and sd 1.
 * SF_OK or SF_E_NOMEM. */
sf_status sfi_imputer_new(sf_context *ctx, sf_imputer **out, int64_t dim,
                          int64_t rows);

/* sf_impute() where row i is explained without the component without[i], which is -1 or
 * NULL for none. */
sf_status sfi_impute(sf_context *ctx, sf_mat out, const sf_imputer *imputer,
                     sf_cmat x, const int64_t *without,
                     const sf_impute_options *options);

/* sf_impute(), or sf_impute_spread() where `cells` is not NULL, of an imputer with a
 * product; first [n]: where a row's cells begin.  SF_OK or SF_E_NOMEM. */
sf_status sfi_impute_product(sf_context *ctx, sf_mat out, const sf_imputer *m,
                             sf_cmat x, const sf_impute_options *o,
                             sf_imputed_cell *cells, const int64_t *first);

#endif
