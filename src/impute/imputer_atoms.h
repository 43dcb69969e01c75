/* SPDX-License-Identifier: Apache-2.0 */
/* imputer_atoms.h - cells of numbers that have atoms.
 *
 * Behind the columns of the table an imputer has a category for each of its columns
 * with atoms, which atom a cell is or, its last level, that it is none.  The number
 * beside it is what the cell is, so that it says of other columns what it always did;
 * what is imputed of the cell is the mixture
 *
 *     P(atom k) [x = a_k] + P(none) p(x | none),
 *
 * the latter of the donors that are none. */
#ifndef SFI_IMPUTER_ATOMS_H
#define SFI_IMPUTER_ATOMS_H

#include "impute/imputer.h"
#include "num/normal_sum.h"

/* How many columns of a frame's first `dim` have atoms. */
int64_t sfi_count_pairs(const sf_frame *frame, int64_t dim);

/* What column j of the frame has, of which column `pair` is the category.  SF_OK or
 * SF_E_NOMEM. */
sf_status sfi_take_atoms(sf_imputer *m, const sf_frame *frame, int64_t j,
                         int64_t pair);

/* Rows x [n, m->table] with the categories behind them, to *out [n, m->dim], which the
 * caller frees.  SF_OK or SF_E_NOMEM. */
sf_status sfi_add_pairs(const sf_imputer *m, sf_cmat x, double **out);

/* The cell of column c that is not exceeded with probability p, from the probabilities
 * of the levels of its category and the number's distribution where it is none, which
 * is standardised. */
double sfi_atoms_quantile(const sfi_imputed_column *c, const double *level,
                          const sfi_normal_sum *number, double p);
/* The mean and variance of the cell from those of the number, in the data's units. */
void sfi_atoms_moments(const sfi_imputed_column *c, const double *level,
                       double *mean, double *variance);

/* x rounded to the decimals of the column, but no further than its gap. */
double sfi_settle_number(const sfi_imputed_column *c, double x);

#endif
