/* SPDX-License-Identifier: Apache-2.0 */
/* bandwidth.h - how much noise the rows of an empirical model want, by the
 * likelihood of each under the others. */
#ifndef SFI_BANDWIDTH_H
#define SFI_BANDWIDTH_H

#include "model/model.h"

typedef struct sfi_bandwidth {
    double least, most; /* times of the rows                              */
    double loo;         /* mean log density of rows left out, in the data's
                           units */
    double loo_se;
    int64_t loo_rows;
    double floor;       /* its weight */
    int64_t neighbours; /* K, 0 with one time for all */
    int64_t copies;
} sfi_bandwidth;

/* The times that maximise the leave-one-out likelihood of the data that m, an
 * empirical model, holds.  `times` [n] receives one for each row; NULL: one for
 * all.  `floor` is the weight of a floor, or < 0: it is found as well.
 * `loo_rows` rows are left out one by one, 0: as many as make 10^7 pairs.
 * SF_OK, SF_E_NUMERIC (no time gives a finite likelihood), SF_E_NOMEM or
 * SF_E_CANCELLED. */
sf_status sfi_find_bandwidth(const sf_model *m, int64_t loo_rows, uint64_t seed,
                             double floor, double *times, sfi_bandwidth *out);

/* The one time for data with missing cells, each row by the cells that it has: as
 * above, SF_E_ARG where all rows are copies of one. */
sf_status sfi_find_bandwidth_of_cells(const sf_model *m, int64_t loo_rows,
                                      uint64_t seed, sfi_bandwidth *out);

/* How many rows of m's data are copies of an earlier one. */
sf_status sfi_count_copies(const sf_model *m, int64_t *copies);

#endif
