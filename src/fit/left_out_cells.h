/* SPDX-License-Identifier: Apache-2.0 */
/* left_out_cells.h - the likelihood of the cells of rows under all other rows, where
 * some cells are missing. */
#ifndef SFI_LEFT_OUT_CELLS_H
#define SFI_LEFT_OUT_CELLS_H

#include "fit/leave_one_out.h"
#include "model/product.h"

typedef struct sfi_left_out_cells {
    sf_context *ctx;
    sfi_product_law
        *p;         /* copies weigh 0, and the first of them all that they do */
    int64_t copies; /* rows that are copies of an earlier one                 */
    int64_t room;   /* of `left_out`                                          */
    int64_t rows;   /* that are left out, one by one                          */
    int64_t
        *left_out; /* [rows]                                                 */
    double *logp;  /* [rows]                                                 */
    double *work;  /* [lanes, 2 (rows of data + dim)]                        */
    int64_t evaluations;
} sfi_left_out_cells;

/* The data of m, an empirical model with missing cells; `wanted` rows are left out, 0:
 * as many as make 10^6 pairs.  SF_OK; SF_E_ARG (all rows are copies of one);
 * SF_E_NOMEM.  On failure, too, it is to be closed. */
sf_status sfi_left_out_cells_open(sfi_left_out_cells *s, const sf_model *m,
                                  int64_t wanted, uint64_t seed);
void sfi_left_out_cells_close(sfi_left_out_cells *s);

/* Mean and standard error of the log densities of the rows' cells under all other rows,
 * in the data's units, at time h.  SF_OK, SF_E_CANCELLED. */
sf_status sfi_left_out_cells_likelihood(sfi_left_out_cells *s, double h,
                                        sfi_left_out_result *out);

#endif
