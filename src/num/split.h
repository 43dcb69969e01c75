/* SPDX-License-Identifier: Apache-2.0 */
/* split.h - a normal distribution split into the columns that are given, o, and the
 * others, m:
 *
 *     x_o ~ N(mean_o, S_oo),     S_oo = L L'
 *     x_m | x_o ~ N(mean_m + B (x_o - mean_o), V),
 *     B = S_mo S_oo^-1,          V = S_mm - B S_om
 *
 * One factorisation serves all points with the same columns.  All of it is plain
 * loops that call nothing, for use within parallel ones. */
#ifndef SFI_SPLIT_H
#define SFI_SPLIT_H

#include "base/context.h"
#include "scorefield/array.h"

typedef struct sfi_split {
    int64_t dim, given; /* d; o, the others are m = d - o                     */
    int64_t *index;     /* [d] columns that are given, then the others        */
    double *root;       /* [o, o] L                                           */
    double *slope;      /* [m, o] B                                           */
    double *rest;       /* [m, m] V                                           */
    double log_det;     /* ln det S_oo, 0 if nothing is given                 */
} sfi_split;

/* Room for any split of `dim` columns.  SF_OK or SF_E_NOMEM. */
sf_status sfi_split_new(sf_context *ctx, sfi_split *s, int64_t dim);
/* What was zeroed, or freed before, is allowed. */
void sfi_split_free(sf_context *ctx, sfi_split *s);

/* Split the covariance [d, d] by which columns are there.  False if S_oo is not
 * positive definite, beyond rounding; then nothing of the split is of use. */
bool sfi_split_set(sfi_split *s, const double *covariance,
                   const unsigned char *present);

/* z [o, count] = L^-1 (x_o - mean_o), squares [count] the sums of its squares over o.
 * Cell j of point i is columns[j * stride + i]; mean [d], NULL for 0. */
void sfi_split_whiten(const sfi_split *s, const double *mean,
                      const double *columns, int64_t stride, int64_t count,
                      double *z, double *squares);

/* l [n, n] lower triangular, in place of the matrix whose lower triangle it holds;
 * false if that is not positive definite.  A pivot below n eps times its diagonal
 * entry counts as not positive. */
bool sfi_root(double *l, int64_t n);

/* The same of a matrix that may be singular: a pivot that is 0 up to rounding is the
 * least that can be divided by. */
void sfi_root_semidefinite(double *l, int64_t n);

#endif
