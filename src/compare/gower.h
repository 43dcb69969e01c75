/* SPDX-License-Identifier: Apache-2.0 */
/* gower.h - the Gower distance of rows of any kinds of columns:
 *
 *     d(x, y) = sum over j of |x_j - y_j| / range_j     numbers
 *                             arc / half the period      angles
 *                             [x_j and y_j differ]       categories
 *
 * with ranges in the real table (J. C. Gower, Biometrics 27 (1971) 857-871, where the
 * sum is divided by the number of columns).  A missing cell is at distance 1 of
 * all that are there and 0 of another missing one; a number that real never changes is
 * a category. */
#ifndef SFI_GOWER_H
#define SFI_GOWER_H

#include "compare/mixed.h"

typedef enum sfi_gower_kind {
    SFI_GOWER_NUMBER,
    SFI_GOWER_CIRCLE,
    SFI_GOWER_LEVEL
} sfi_gower_kind;

/* Rows that have been scaled: differences of numbers are distances, a circle has the
 * circumference 2. */
typedef struct sfi_gower {
    int64_t cols, rows, stride;
    double *cells;        /* column j of row i at cells[j*stride + i] */
    sfi_gower_kind *kind; /* [cols] */
    double *unit; /* [cols] what a distance of 1 is in the column's unit      */
} sfi_gower;

/* Scale table k of m.  Returns SF_OK or SF_E_NOMEM; then *out is zero. */
sf_status sfi_gower_new(sf_context *ctx, sfi_gower *out, const sfi_mixed *m,
                        int k);
void sfi_gower_free(sf_context *ctx, sfi_gower *g);

/* The rows first..first+count-1 of g, as a view that is not freed. */
sfi_gower sfi_gower_some(const sfi_gower *g, int64_t first, int64_t count);

/* out[i] = what column j adds to the distance of row `row` of a to the rows first + i
 * of b, i < count. */
void sfi_gower_column(double *out, const sfi_gower *a, int64_t row,
                      const sfi_gower *b, int64_t first, int64_t count,
                      int64_t j);

/* out[i] = the distance of row `row` of a to row first + i of b, i < count.
 * scratch [count]. */
void sfi_gower_distances(double *out, double *scratch, const sfi_gower *a,
                         int64_t row, const sfi_gower *b, int64_t first,
                         int64_t count);

/* The distances of the first `count` rows of a to their nearest and second nearest row
 * of b, +inf where there is none; with b the same object as a, of the other rows.
 * `second` may be NULL. */
void sfi_gower_nearest(sf_context *ctx, double *nearest, double *second,
                       const sfi_gower *a, int64_t count, const sfi_gower *b);

/* ---- whole_rows.c, inference.c ---- */

/* Fill report->joint; rows of g are in random order. */
sf_status sfi_compare_rows(sf_context *ctx, sf_frames_report *report,
                           const sfi_gower g[SFI_TABLES],
                           const sf_frames_options *o);

/* Fill report->copies but for its flags and numbers of equal rows,
 * report->closeness_ratio and report->second_neighbour. */
sf_status sfi_compare_closeness(sf_context *ctx, sf_frames_report *report,
                                const sfi_gower g[SFI_TABLES],
                                const sf_frames_options *o);

/* Fill report->inference, which is there. */
sf_status sfi_compare_inference(sf_context *ctx, sf_frames_report *report,
                                const sfi_gower g[SFI_TABLES],
                                const sf_frames_options *o);

/* How many of `rows` may enter where each looks at `cells` cells. */
int64_t sfi_compare_limit(const sf_frames_options *o, int64_t rows,
                          double cells);

#endif
