/* SPDX-License-Identifier: Apache-2.0 */
/* linalg.c - dense linear algebra over BLAS and LAPACK, one call at a time.
 *
 * LAPACK reads columns where we store rows.  A symmetric matrix is the same
 * either way, and our lower triangle is its upper one; a table [m, n] of row
 * vectors is its n x m matrix of column vectors.  So nothing is ever transposed
 * here: every call says "U" and column-major, and means our "lower" and rows. */
#include "num/linalg.h"

#include <assert.h>
#include <cblas.h>
#include <float.h>
#include <lapacke.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

/* One call at a time in the whole process (linalg.h). */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static void take_turn(void)
{
    (void)pthread_mutex_lock(&turn);
}

static void end_turn(void)
{
    (void)pthread_mutex_unlock(&turn);
}

static sf_status check_order(sf_context *ctx, int64_t n, const char *what)
{
    if (n < 1 || n > SFI_LINALG_MAX)
        return SFI_FAIL(ctx, SF_E_SHAPE, "%s: order is %lld, want 1 to %d",
                        what, (long long)n, (int)SFI_LINALG_MAX);
    return SF_OK;
}

/* ---- symmetric eigenvalues ---- */

/* An eigenvector is defined up to its sign, which LAPACK leaves to rounding. */
static void fix_sign(double *v, int64_t n)
{
    int64_t top = 0;
    for (int64_t j = 1; j < n; j++) {
        if (fabs(v[j]) > fabs(v[top]))
            top = j;
    }
    if (v[top] < 0.0) {
        for (int64_t j = 0; j < n; j++)
            v[j] = -v[j];
    }
}

sf_status sfi_eigen_symmetric(sf_context *ctx, double *values, double *vectors,
                              const double *a, int64_t n)
{
    SFI_TRY(check_order(ctx, n, "eigenvalues"));
    const int64_t bad = sfi_first_not_finite(a, n * n);
    if (bad < n * n)
        return SFI_FAIL(ctx, SF_E_NUMERIC,
                        "eigenvalues: entry (%lld, %lld) is %g",
                        (long long)(bad / n), (long long)(bad % n), a[bad]);
    if (vectors != a)
        memcpy(vectors, a, (size_t)(n * n) * sizeof *vectors);

    const lapack_int order = (lapack_int)n;
    const size_t work_count = 1 + 6 * (size_t)n + 2 * (size_t)n * (size_t)n;
    const size_t index_count = 3 + 5 * (size_t)n;
    double *work = sfi_alloc(ctx, work_count, sizeof *work);
    lapack_int *index = sfi_alloc(ctx, index_count, sizeof *index);
    sf_status status = SF_E_NOMEM;
    if (work != NULL && index != NULL) {
        take_turn();
        const lapack_int info = LAPACKE_dsyevd_work(
            LAPACK_COL_MAJOR, 'V', 'U', order, vectors, order, values, work,
            (lapack_int)work_count, index, (lapack_int)index_count);
        end_turn();
        status = info == 0 ? SF_OK
                           : SFI_FAIL(ctx, SF_E_CONVERGE,
                                      "eigenvalues: dsyevd stopped with %d "
                                      "for a matrix of order %lld",
                                      (int)info, (long long)n);
    }
    for (int64_t k = 0; k < n && status == SF_OK; k++)
        fix_sign(vectors + k * n, n);
    sfi_free(ctx, index, index_count, sizeof *index);
    sfi_free(ctx, work, work_count, sizeof *work);
    return status;
}

/* ---- orthonormal rows ---- */

/* Column-major, rows are columns z_i of an n x m matrix Z = Q R, and R is upper
 * triangular: read by rows, the transpose that we want. */
sf_status sfi_orthonormal_rows(sf_context *ctx, double *rows, double *parts,
                               int64_t m, int64_t n)
{
    SFI_TRY(check_order(ctx, n, "orthonormal rows"));
    if (m < 1 || m > n)
        return SFI_FAIL(
            ctx, SF_E_SHAPE,
            "orthonormal rows: %lld of %lld numbers, want 1 to %lld "
            "of them",
            (long long)m, (long long)n, (long long)n);
    const int64_t bad = sfi_first_not_finite(rows, m * n);
    if (bad < m * n)
        return SFI_FAIL(ctx, SF_E_NUMERIC,
                        "orthonormal rows: row %lld, number %lld is %g",
                        (long long)(bad / n), (long long)(bad % n), rows[bad]);
    enum { BLOCK = 32 }; /* LAPACK's own, of both calls */
    const size_t count = (size_t)m * (BLOCK + 1);
    double *work = sfi_alloc(ctx, count, sizeof *work);
    if (work == NULL)
        return SF_E_NOMEM;
    double *tau = work + m * BLOCK;
    const lapack_int height = (lapack_int)n, width = (lapack_int)m;
    take_turn();
    lapack_int info = LAPACKE_dgeqrf_work(LAPACK_COL_MAJOR, height, width, rows,
                                          height, tau, work, width * BLOCK);
    for (int64_t i = 0; i < m; i++)
        for (int64_t k = 0; k < m; k++)
            parts[i * m + k] = k <= i ? rows[i * n + k] : 0.0;
    info |= LAPACKE_dorgqr_work(LAPACK_COL_MAJOR, height, width, width, rows,
                                height, tau, work, width * BLOCK);
    end_turn();
    assert(info == 0); /* it is nonzero for bad arguments alone */
    (void)info;
    sfi_free(ctx, work, count, sizeof *work);
    return SF_OK;
}

/* ---- Cholesky ---- */

sf_status sfi_cholesky(sf_context *ctx, double *l, const double *a, int64_t n,
                       const char *name, int64_t *pivot)
{
    SFI_TRY(check_order(ctx, n, name));
    /* L_kk^2 is compared with A_kk, which L replaces.  The triangle above the
     * diagonal is free until the end, so A_kk waits one place to the right; the
     * last row has no such place. */
    if (l != a)
        memcpy(l, a, (size_t)(n * n) * sizeof *l);
    int64_t failed = n;
    double failed_value = 0.0;
    for (int64_t i = 0; i < n && failed == n; i++) {
        const int64_t bad = sfi_first_not_finite(l + i * n, i + 1);
        if (bad <= i) {
            if (pivot != NULL)
                *pivot = i;
            return SFI_FAIL(ctx, SF_E_NUMERIC, "%s: entry (%lld, %lld) is %g",
                            name, (long long)i, (long long)bad, l[i * n + bad]);
        }
    }
    const double last = l[n * n - 1];
    for (int64_t k = 0; k + 1 < n; k++)
        l[k * n + k + 1] = l[k * n + k];

    const lapack_int order = (lapack_int)n;
    take_turn();
    const lapack_int info =
        LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', order, l, order);
    end_turn();
    const int64_t done = info > 0 ? (int64_t)info - 1 : n;
    for (int64_t k = 0; k < n && failed == n; k++) {
        const double before = k + 1 < n ? l[k * n + k + 1] : last;
        const double root = l[k * n + k];
        /* dpotrf leaves the reduced pivot itself where it stops. */
        const double left = k == done ? root : root * root;
        if (k == done || !(left > (double)n * DBL_EPSILON * before)) {
            failed = k;
            failed_value = left;
        }
    }
    if (pivot != NULL)
        *pivot = failed;
    if (failed < n)
        return SFI_FAIL(ctx, SF_E_NUMERIC,
                        "%s: not positive definite: pivot %lld of %lld is %g",
                        name, (long long)failed, (long long)n, failed_value);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = i + 1; j < n; j++)
            l[i * n + j] = 0.0;
    }
    return SF_OK;
}

double sfi_cholesky_log_det(const double *l, int64_t n)
{
    double sum = 0.0;
    for (int64_t k = 0; k < n; k++)
        sum += log(l[k * n + k]);
    return 2.0 * sum;
}

/* Rows b_i of B: L x = b for every row is X L' = B, and so on. */
static void triangular(bool solve, const double *l, int64_t n, sf_mat rows,
                       CBLAS_TRANSPOSE transpose)
{
    assert(rows.cols == n);
    if (rows.rows < 1 || n < 1)
        return;
    take_turn();
    if (solve)
        cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, transpose,
                    CblasNonUnit, (blasint)rows.rows, (blasint)n, 1.0, l,
                    (blasint)n, rows.data, (blasint)rows.stride);
    else
        cblas_dtrmm(CblasRowMajor, CblasRight, CblasLower, transpose,
                    CblasNonUnit, (blasint)rows.rows, (blasint)n, 1.0, l,
                    (blasint)n, rows.data, (blasint)rows.stride);
    end_turn();
}

void sfi_lower_solve(const double *l, int64_t n, sf_mat rows)
{
    triangular(true, l, n, rows, CblasTrans);
}

void sfi_lower_solve_t(const double *l, int64_t n, sf_mat rows)
{
    triangular(true, l, n, rows, CblasNoTrans);
}

void sfi_lower_multiply(const double *l, int64_t n, sf_mat rows)
{
    triangular(false, l, n, rows, CblasTrans);
}

void sfi_lower_multiply_t(const double *l, int64_t n, sf_mat rows)
{
    triangular(false, l, n, rows, CblasNoTrans);
}

void sfi_cholesky_solve(const double *l, int64_t n, sf_mat rows)
{
    sfi_lower_solve(l, n, rows);
    sfi_lower_solve_t(l, n, rows);
}

void sfi_cholesky_inverse(double *inverse, const double *l, int64_t n)
{
    if (inverse != l)
        memcpy(inverse, l, (size_t)(n * n) * sizeof *inverse);
    /* It can fail only for a zero on the diagonal, which sfi_cholesky() never
     * gives. */
    take_turn();
    (void)LAPACKE_dpotri_work(LAPACK_COL_MAJOR, 'U', (lapack_int)n, inverse,
                              (lapack_int)n);
    end_turn();
    sfi_mirror_lower(inverse, n);
}

static void transpose_square(double *a, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++) {
            const double kept = a[i * n + j];
            a[i * n + j] = a[j * n + i];
            a[j * n + i] = kept;
        }
}

/* With L' A L = sum of values[k] v_k v_k', the rows values[k]^1/4 v_k L^-1 are those of
 * a root of G: G is the sum of their products. */
static sf_status mean_of_factor(sf_context *ctx, double *mean, double *vectors,
                                double *values, const double *l, int64_t n)
{
    const sf_mat rows = {vectors, n, n, n};
    sfi_lower_multiply_t(l, n, rows); /* A L */
    transpose_square(vectors, n);
    sfi_lower_multiply_t(l, n, rows);
    SFI_TRY(sfi_eigen_symmetric(ctx, values, vectors, vectors, n));
    for (int64_t k = 0; k < n; k++) {
        const double root = sqrt(sqrt(fmax(values[k], 0.0)));
        for (int64_t j = 0; j < n; j++)
            vectors[k * n + j] *= root;
    }
    sfi_lower_solve_t(l, n, rows);
    memset(mean, 0, (size_t)(n * n) * sizeof *mean);
    sfi_add_products(mean, n, (sf_cmat){vectors, n, n, n});
    sfi_mirror_lower(mean, n);
    return SF_OK;
}

sf_status sfi_geometric_mean(sf_context *ctx, double *mean, const double *a,
                             const double *b, int64_t n)
{
    SFI_TRY(check_order(ctx, n, "geometric mean"));
    const size_t cells = (size_t)(n * n), count = 2 * cells + (size_t)n;
    double *l = sfi_alloc(ctx, count, sizeof *l);
    if (l == NULL)
        return SF_E_NOMEM;
    double *vectors = l + cells, *values = vectors + cells;
    sf_status status = sfi_cholesky(ctx, l, b, n, "geometric mean", NULL);
    memcpy(vectors, a, cells * sizeof *vectors);
    sfi_mirror_lower(vectors, n);
    if (status == SF_OK)
        status = mean_of_factor(ctx, mean, vectors, values, l, n);
    sfi_free(ctx, l, count, sizeof *l);
    return status;
}

void sfi_add_products(double *a, int64_t n, sf_cmat rows)
{
    if (rows.rows == 0 || n == 0)
        return;
    take_turn();
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (blasint)n,
                (blasint)rows.rows, 1.0, rows.data, (blasint)rows.stride, 1.0,
                a, (blasint)n);
    end_turn();
}

void sfi_mirror_lower(double *a, int64_t n)
{
    enum { TILE = 32 }; /* both tiles of 8 KiB stay in the first cache */
    for (int64_t i0 = 0; i0 < n; i0 += TILE) {
        const int64_t i1 = i0 + TILE < n ? i0 + TILE : n;
        for (int64_t j0 = 0; j0 <= i0; j0 += TILE) {
            for (int64_t i = i0; i < i1; i++) {
                const int64_t j1 = j0 + TILE < i ? j0 + TILE : i;
                for (int64_t j = j0; j < j1; j++)
                    a[j * n + i] = a[i * n + j];
            }
        }
    }
}

/* ---- vectors ---- */

double sfi_dot(const double *a, const double *b, int64_t n)
{
    /* Eight running sums: long enough for the vector units, and fixed, so that
     * the bits do not depend on the machine's vector length. */
    double part[8] = {0.0};
    int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        for (int k = 0; k < 8; k++)
            part[k] += a[i + k] * b[i + k];
    }
    for (int k = 0; i < n; i++, k++)
        part[k] += a[i] * b[i];
    return ((part[0] + part[4]) + (part[2] + part[6])) +
           ((part[1] + part[5]) + (part[3] + part[7]));
}

double sfi_norm(const double *a, int64_t n)
{
    const double sum = sfi_dot(a, a, n);
    if (sum > 0x1p-900 && sum < 0x1p900)
        return sqrt(sum);
    if (isnan(sum)) /* squares never cancel, so an entry was NaN */
        return sum;
    double top = 0.0;
    for (int64_t i = 0; i < n; i++)
        top = fmax(top, fabs(a[i]));
    if (top == 0.0 || isinf(top))
        return top;
    double scaled = 0.0;
    for (int64_t i = 0; i < n; i++)
        scaled += (a[i] / top) * (a[i] / top);
    return top * sqrt(scaled);
}

int64_t sfi_first_not_finite(const double *a, int64_t n)
{
    /* Blocks first, without a branch for each number: x*0 is 0 for every finite
     * x and NaN for the others. */
    enum { BLOCK = 64 };
    int64_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK) {
        double bad = 0.0;
        for (int k = 0; k < BLOCK; k++)
            bad += a[i + k] * 0.0;
        if (isnan(bad))
            break;
    }
    while (i < n && isfinite(a[i]))
        i++;
    return i;
}

sf_status sfi_check_table(sf_context *ctx, sf_cmat table, bool finite,
                          const char *name)
{
    if (table.rows < 0 || table.cols < 0 || table.stride < table.cols ||
        (table.stride > 0 &&
         table.rows > INT64_MAX / table.stride / (int64_t)sizeof(double)))
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "%s is [%lld, %lld] with stride %lld, want extents >= "
                        "0, stride >= columns, and a size that fits",
                        name, (long long)table.rows, (long long)table.cols,
                        (long long)table.stride);
    if (table.rows == 0 || table.cols == 0)
        return SF_OK;
    if (table.data == NULL)
        return SFI_FAIL(ctx, SF_E_ARG, "%s has no data (NULL)", name);
    for (int64_t i = 0; i < table.rows && finite; i++) {
        const double *row = table.data + i * table.stride;
        const int64_t j = sfi_first_not_finite(row, table.cols);
        if (j < table.cols)
            return SFI_FAIL(ctx, SF_E_NUMERIC,
                            "%s: row %lld, column %lld is %g, want finite",
                            name, (long long)i, (long long)j, row[j]);
    }
    return SF_OK;
}

sf_status sfi_check_finite(sf_context *ctx, sf_cmat rows, int64_t first,
                           const char *const *names, const char *who)
{
    for (int64_t i = 0; i < rows.rows; i++) {
        const int64_t j =
            sfi_first_not_finite(rows.data + i * rows.stride, rows.cols);
        if (j < rows.cols)
            return SFI_FAIL(ctx, SF_E_NUMERIC,
                            "%s: row %lld, column \"%s\": the value is not "
                            "finite",
                            who, (long long)(first + i + 1),
                            names != NULL ? names[j] : "?");
    }
    return SF_OK;
}
