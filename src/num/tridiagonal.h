/* SPDX-License-Identifier: Apache-2.0 */
/* tridiagonal.h - the systems that are left along one axis when the others have been
 * transformed: one for each mode m,
 *
 *     (T + lambda_m W) x_m = b_m,
 *
 * where T [n, n] is symmetric and tridiagonal, W a diagonal of weights, and lambda_m
 * the sum of the other axes' eigenvalues.  Along a periodic axis the last and the
 * first row are coupled too.
 *
 * Modes stand side by side in memory and are eliminated together.  Rows are not
 * exchanged: every matrix is to be positive definite, as discrete Laplacians are.
 *
 * One mode may be singular: lambda 0 where every row of T adds up to 0, so that
 * constants are in its kernel.  Its right-hand side is projected first, the excess of
 * its sum taken off in proportion to W, and of its solutions the one is given whose
 * sum weighted with W is 0. */
#ifndef SFI_TRIDIAGONAL_H
#define SFI_TRIDIAGONAL_H

#include "base/context.h"

typedef struct sfi_tridiagonal sfi_tridiagonal;

/* The modes of one call: `rows` rows of them (0: one). */
typedef struct sfi_mode_systems {
    int64_t count; /* modes of a row                                      */
    const double
        *lambda; /* [count], >= 0                                       */
    int64_t rows;
    const double
        *row_lambda;     /* [rows], added to all lambda of a row, or NULL   */
    int64_t row_step;    /* elements of x from a row to the next            */
    const double *first; /* [rows, count], added to the first diagonal element
                                 of each mode, or NULL                           */
    const double
        *last; /* likewise to the last: an open end has -e exp(-mu)     */
    int64_t
        singular; /* which mode, row*count + m, or -1                      */
    double *x;    /* in: b, out: x; unknown i of mode m of a row stands at
                           row*row_step + m + i*step                             */
    int64_t step;
} sfi_mode_systems;

/* Plan for one T and W, for as many threads as the context has now.
 *
 *   diagonal  [n]
 *   beside    [n]  between rows i and i + 1; the last is between row n - 1 and row 0,
 *                  or 0 where the axis is not periodic
 *   weight    [n]  > 0
 *
 * Returns SF_OK, or with *out NULL
 *   SF_E_SHAPE  n < 1
 *   SF_E_NOMEM */
sf_status sfi_tridiagonal_new(sf_context *ctx, sfi_tridiagonal **out, int64_t n,
                              const double *diagonal, const double *beside,
                              const double *weight);
void sfi_tridiagonal_free(sfi_tridiagonal *t);

/* Solve in place.  The same bits for any number of threads.  One plan runs one call
 * at a time.  A matrix that is singular without being said to be gives numbers that
 * are not finite. */
void sfi_tridiagonal_run(sfi_tridiagonal *t, const sfi_mode_systems *systems);

#endif
