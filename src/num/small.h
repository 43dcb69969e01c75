/* SPDX-License-Identifier: Apache-2.0 */
/* small.h - dense linear algebra of one point: matrices of a few unknowns, for
 * loops over many points in many threads.  Nothing here allocates, locks or fails.
 *
 * Matrices are row-major and contiguous, [n, n] with n <= SFI_SMALL_MAX. */
#ifndef SFI_SMALL_H
#define SFI_SMALL_H

#include <stdbool.h>
#include <stdint.h>

enum { SFI_SMALL_MAX = 32 };

/* A = L L'.  Only the lower triangle of `a` is read and of `l` is written; l may be
 * a.  False where a pivot is below n eps A_kk, whose sign is rounding, or NaN. */
bool sfi_small_cholesky(double *l, const double *a, int n);

/* b <- L^-1 b,  b <- L'^-1 b. */
void sfi_small_lower_solve(const double *l, int n, double *b);
void sfi_small_lower_solve_t(const double *l, int n, double *b);

/* inverse = (L L')^-1, both triangles; not in place. */
void sfi_small_inverse(double *inverse, const double *l, int n);

/* A = sum_k values[k] v_k v_k' of a symmetric A, which is overwritten: values [n]
 * ascending, row k of vectors [n, n] is v_k.  By Jacobi's rotations: small
 * eigenvalues of graded matrices are good to their own digits.  NaN gives NaN. */
void sfi_small_eigen(double *values, double *vectors, double *a, int n);

/* A V = U S of a matrix A [m, n] that is given and returned by its columns: row k
 * of columns [n, m] is column k of A, and becomes s_k u_k (zeros where s_k is 0, so
 * that m < n is allowed).  values [n] are s_k, descending; row k of vectors [n, n]
 * is v_k.
 *
 * By one-sided rotations (M. R. Hestenes, J. SIAM 6 (1958) 51-90): no product A'A,
 * so singular values 1e-14 of the largest are still known. */
void sfi_small_svd(double *values, double *vectors, double *columns, int64_t m,
                   int n);

#endif
