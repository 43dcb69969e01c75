/* SPDX-License-Identifier: Apache-2.0 */
/* pairs.h - distances between all rows of two tables.
 *
 * Distances are Euclidean, computed from differences (never as |x|^2 - 2x.y +
 * |y|^2, which cancels for near rows), and for a pair the same bits whichever
 * set of instructions is used and wherever the pair stands. */
#ifndef SFI_PAIRS_H
#define SFI_PAIRS_H

#include "base/context.h"
#include "scorefield/array.h"

enum { SFI_PANEL = 8 };

/* The rows of a table, scaled, in both orders that the loops read:
 *
 *   rows    [n, d]             row i at rows + i*d
 *   panels  [n/8, d, 8]        component k of row 8p + l at
 *                              panels[(p*d + k)*8 + l]; rows up to the next
 *                              multiple of 8 are zero and never counted */
typedef struct sfi_points {
    int64_t n;
    int64_t d;
    double *rows;
    double *panels;
} sfi_points;

/* Copy table rows: all of them in order, or those that `pick` [count] names;
 * column k is multiplied by factor[k] (NULL: 1).
 * Returns SF_OK or SF_E_NOMEM; then *out is zero. */
sf_status sfi_points_new(sf_context *ctx, sfi_points *out, sf_cmat table,
                         const int64_t *pick, int64_t count,
                         const double *factor);
void sfi_points_free(sf_context *ctx, sfi_points *p);

/* *sum = sum over all i, j of |x_i - y_j|.  With y the same object as x half of
 * the pairs are computed and counted twice. Returns SF_OK or SF_E_NOMEM. */
sf_status sfi_pairs_sum(sf_context *ctx, double *sum, const sfi_points *x,
                        const sfi_points *y);

/* nearest[i] = min over j of |x_i - y_j|, i < count <= x->n; with y the same
 * object as x, over j != i.  +inf if there is no j. */
void sfi_pairs_nearest(sf_context *ctx, double *nearest, const sfi_points *x,
                       int64_t count, const sfi_points *y);

/* The first `count` rows of p, as a view that is not freed. */
sfi_points sfi_points_first(const sfi_points *p, int64_t count);

/* The first `counts[k]` rows of a[k], one after the other. */
sf_status sfi_points_join(sf_context *ctx, sfi_points *out,
                          const sfi_points a[2], const int64_t counts[2]);

/* out[(i-first)*ld + j] = |x_i - x_j| for the rows first <= i < end and all j,
 * padded with zeros to the next multiple of 8; ld is at least that. */
void sfi_pairs_rows(double *out, int64_t ld, const sfi_points *x, int64_t first,
                    int64_t end);

#endif
