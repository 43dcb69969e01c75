/* SPDX-License-Identifier: Apache-2.0 */
/* neighbours.h - which rows are nearest to each row in the chart, in units of the
 * noise. */
#ifndef SFI_NEIGHBOURS_H
#define SFI_NEIGHBOURS_H

#include "model/model.h"

typedef struct sfi_neighbours {
    int64_t rows, most;
    double *square; /* [rows, most] squared distances, ascending */
    int64_t *row;   /* [rows, most] to these rows                */
} sfi_neighbours;

/* Put row `row` at `distance` among the `most` nearest so far, which are in their
 * order, those of lower number first among equals. */
void sfi_keep_nearest(double distance, int64_t row, int64_t most, double *near,
                      int64_t *rows);

/* The `most` nearest, 1 <= most < rows, of each row of y [n, inner] in m's chart.
 * SF_OK or SF_E_NOMEM; on failure *out is empty. */
sf_status sfi_neighbours_find(const sf_model *m, sfi_neighbours *out, sf_cmat y,
                              int64_t most);
void sfi_neighbours_free(sf_context *ctx, sfi_neighbours *p);

#endif
