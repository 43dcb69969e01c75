/* SPDX-License-Identifier: Apache-2.0 */
/* linalg.h - dense linear algebra in double precision, over BLAS and LAPACK.
 *
 * Square matrices are [n, n], row-major and contiguous.  Where a matrix must be
 * symmetric both of its triangles are expected to hold the same numbers; only
 * the lower one is read.  Where many vectors are treated at once they are the
 * *rows* of a table, because points are rows everywhere in this library.
 *
 * n is at most SFI_LINALG_MAX: LAPACK counts workspaces of 2 n^2 doubles in 32
 * bits.
 *
 * Threads.  Debian's OpenBLAS for one thread gives wrong numbers, silently, when
 * two threads are in it at once (docs/decisions/blas-and-threads.md).  So calls
 * take turns: they are safe from several threads, and of no use in parallel
 * loops, which multiply by num/loops.h. */
#ifndef SFI_LINALG_H
#define SFI_LINALG_H

#include "base/context.h"
#include "scorefield/array.h"

enum { SFI_LINALG_MAX = 30000 };

/* ---- symmetric eigenvalues ---- */

/* A = sum over k of values[k] v_k v_k'.
 *
 *   values  [n]     ascending
 *   vectors [n, n]  row k is the unit vector v_k; may be the same array as `a`.
 *                   Its sign is fixed: the component of largest magnitude (the
 *                   first of them) is positive
 *
 * Returns SF_OK; SF_E_SHAPE (n outside 1..SFI_LINALG_MAX), SF_E_NUMERIC (an
 * entry of a is not finite), SF_E_CONVERGE (the iteration failed), SF_E_NOMEM;
 * on failure values and vectors hold nothing of use. */
sf_status sfi_eigen_symmetric(sf_context *ctx, double *values, double *vectors,
                              const double *a, int64_t n);

/* ---- orthonormal rows ---- */

/* Gram and Schmidt by Householder's reflections: row i is the sum over k <= i of
 * parts[i, k] times the unit row q_k.
 *
 *   rows   [m, n]  in: any numbers, m <= n; out: q_0, q_1, ..., orthonormal even
 *                  where rows depend on each other
 *   parts  [m, m]  lower triangular; zeros above
 *
 * Returns SF_OK; SF_E_SHAPE (m outside 1..n, n above SFI_LINALG_MAX), SF_E_NUMERIC
 * (a number is not finite), SF_E_NOMEM; on failure both hold nothing of use. */
sf_status sfi_orthonormal_rows(sf_context *ctx, double *rows, double *parts,
                               int64_t m, int64_t n);

/* ---- Cholesky ---- */

/* A = L L' with L lower triangular; the upper triangle of l is set to zero.
 *
 *   l      [n, n]  may be the same array as `a`
 *   name   what the matrix is called in a message, e.g. "kernel matrix"
 *   pivot  NULL, or receives n on success; else the index (from 0) of the first
 *          pivot that is not positive: the leading (pivot+1) x (pivot+1) block
 *          is not positive definite
 *
 * A pivot below n * eps * A_kk counts as not positive: its sign is rounding.
 *
 * Returns SF_OK; SF_E_NUMERIC (not positive definite, or not finite), SF_E_SHAPE;
 * on failure l holds nothing of use. */
sf_status sfi_cholesky(sf_context *ctx, double *l, const double *a, int64_t n,
                       const char *name, int64_t *pivot);

/* ln det A = 2 sum of ln L_kk. */
double sfi_cholesky_log_det(const double *l, int64_t n);

/* Every row b of `rows` becomes the row ... ; rows.cols is n. */
void sfi_cholesky_solve(const double *l, int64_t n, sf_mat rows); /* A^-1 b  */
void sfi_lower_solve(const double *l, int64_t n, sf_mat rows);    /* L^-1 b  */
void sfi_lower_solve_t(const double *l, int64_t n, sf_mat rows);  /* L'^-1 b */
void sfi_lower_multiply(const double *l, int64_t n, sf_mat rows); /* L b     */
void sfi_lower_multiply_t(const double *l, int64_t n, sf_mat rows); /* L' b  */

/* inverse = A^-1, both triangles; `inverse` may be the same array as `l`. */
void sfi_cholesky_inverse(double *inverse, const double *l, int64_t n);

/* The geometric mean of A and B^-1: the one positive definite G for which
 *
 *     G B G = A,      G = L'^-1 (L' A L)^1/2 L^-1  with B = L L'
 *
 * (R. Bhatia, Positive Definite Matrices (2007), chapter 4).  a, b and mean are
 * [n, n]; `mean` may be the same array as `a`, both of its triangles are written.
 *
 * Returns SF_OK; SF_E_NUMERIC (b is not positive definite, or an entry is not
 * finite), SF_E_SHAPE, SF_E_CONVERGE, SF_E_NOMEM; on failure mean holds nothing of
 * use.  An eigenvalue of L' A L below 0, which is rounding, counts as 0. */
sf_status sfi_geometric_mean(sf_context *ctx, double *mean, const double *a,
                             const double *b, int64_t n);

/* Add the products of columns, rows' rows, to the lower triangle of a [n, n]. */
void sfi_add_products(double *a, int64_t n, sf_cmat rows);

/* Copy the lower triangle to the upper one. */
void sfi_mirror_lower(double *a, int64_t n);

/* ---- vectors ---- */

/* Sums in a fixed order: they depend on the numbers and on n alone. */
double sfi_dot(const double *a, const double *b, int64_t n);

/* Euclidean norm, without overflow or underflow on the way. */
double sfi_norm(const double *a, int64_t n);

/* Index of the first entry that is infinite or NaN; n if there is none. */
int64_t sfi_first_not_finite(const double *a, int64_t n);

/* Look at a table: SF_E_SHAPE if rows or cols are negative, stride < cols, or
 * the element count overflows; SF_E_ARG if data is NULL and it is not empty;
 * SF_E_NUMERIC, with row and column in the message, if `finite` is set and an
 * entry is infinite or NaN.  `name` is "function: argument". */
sf_status sfi_check_table(sf_context *ctx, sf_cmat table, bool finite,
                          const char *name);

/* SF_E_NUMERIC if an entry of rows from the table's row `first` (from 0) on is infinite
 * or NaN: the message begins with `who` and names the row (from 1) and the column, or
 * "?" without names. */
sf_status sfi_check_finite(sf_context *ctx, sf_cmat rows, int64_t first,
                           const char *const *names, const char *who);

#endif
