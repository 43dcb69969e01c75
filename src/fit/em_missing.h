/* SPDX-License-Identifier: Apache-2.0 */
/* em_missing.h - the expectation step for rows with missing cells: what em.c takes from
 * complete rows directly. */
#ifndef SFI_EM_MISSING_H
#define SFI_EM_MISSING_H

#include "fit/em.h"

typedef struct sfi_em_missing sfi_em_missing;

/* Plan for rows y [n, d], NaN where a cell is missing, each with a cell that is there,
 * of which a copy is kept, and up to `most` components.  SF_OK or SF_E_NOMEM. */
sf_status sfi_em_missing_new(sf_context *ctx, sfi_em_missing **out, sf_cmat y,
                             int64_t most);
void sfi_em_missing_free(sfi_em_missing *e);

/* Take expectations under the components as they are, and their log likelihood: of
 * the cells that are there.  SF_OK; SF_E_NUMERIC (a covariance is not positive
 * definite). */
sf_status sfi_em_missing_expect(sfi_em_missing *e, const sfi_components *c,
                                double *log_likelihood);

/* What rows count for component k, and the mean [d] and covariance [d, d] that its
 * complete rows are expected to have, or zeros.  `mean` holds the component's mean at
 * which the expectations were taken. */
void sfi_em_missing_moments(const sfi_em_missing *e, int64_t k, double *count,
                            double *mean, double *covariance);

/* ---- rows -------------------------------------------------------------------- */

/* Copy rows of data [n, d] that have a cell, standardised by what each column has:
 * y [n, d], its first *rows rows; mean and sd [d], divisor the number of cells.
 * `who` begins messages.  SF_OK; SF_E_NUMERIC (an infinite cell: row and column; a
 * column without two cells that differ: its name). */
sf_status sfi_standardise_cells(sf_context *ctx, sf_cmat data,
                                const char *const *names, const char *who,
                                double *y, int64_t *rows, double *mean,
                                double *sd);

#endif
