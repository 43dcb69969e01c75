/* SPDX-License-Identifier: Apache-2.0 */
/* Dense linear algebra: matrices with known factors, and identities. */
#include "faults.h"
#include "num/linalg.h"
#include "base/random.h"

enum { N = 37 };

static double normal(uint64_t i, uint32_t j)
{
    const sfi_where where = {11, i, 0, SFI_STREAM_USER};
    return sfi_normal_at(where, j);
}

/* A = B B' + I, well conditioned and positive definite. */
static void make_positive(double *a, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++) {
            double sum = i == j ? 1.0 : 0.0;
            for (int64_t k = 0; k < n; k++)
                sum += normal((uint64_t)i, (uint32_t)k) *
                       normal((uint64_t)j, (uint32_t)k) / (double)n;
            a[i * n + j] = sum;
        }
    }
}

static double max_abs_difference(const double *a, const double *b, int64_t n)
{
    double worst = 0.0;
    for (int64_t i = 0; i < n; i++)
        worst = fmax(worst, fabs(a[i] - b[i]));
    return worst;
}

/* The second-difference matrix tridiag(-1, 2, -1) has eigenvalues
 * 4 sin^2(k pi / (2(n+1))), k = 1..n, ascending in k, and determinant n + 1. */
static void make_laplacian(double *a, int64_t n)
{
    memset(a, 0, (size_t)(n * n) * sizeof *a);
    for (int64_t i = 0; i < n; i++) {
        a[i * n + i] = 2.0;
        if (i > 0)
            a[i * n + i - 1] = a[(i - 1) * n + i] = -1.0;
    }
}

TEST(eigenvalues_of_the_second_difference)
{
    sf_context *ctx = new_context();
    static double a[N * N], vectors[N * N], values[N];
    make_laplacian(a, N);
    CHECK_OK(ctx, sfi_eigen_symmetric(ctx, values, vectors, a, N));
    const double pi = 3.14159265358979323846;
    for (int k = 0; k < N; k++) {
        const double s = sin((k + 1) * pi / (2.0 * (N + 1)));
        CHECK_NEAR(values[k], 4.0 * s * s, 1e-14);
        /* v_k(j) is sin((k+1)(j+1) pi/(n+1)) up to sign and scale; row k is
         * compared through |<row, sine>| = 1. */
        double dot = 0.0;
        for (int j = 0; j < N; j++) {
            const double v = vectors[k * N + j];
            dot +=
                v * sin((k + 1) * (j + 1) * pi / (N + 1)) * sqrt(2.0 / (N + 1));
        }
        CHECK_NEAR(fabs(dot), 1.0, 1e-12);
    }
    sf_context_free(ctx);
}

TEST(eigenvectors_rebuild_the_matrix_in_place_and_have_a_fixed_sign)
{
    sf_context *ctx = new_context();
    static double a[N * N], v[N * N], values[N], back[N * N];
    make_positive(a, N);
    memcpy(v, a, sizeof v);
    CHECK_OK(ctx, sfi_eigen_symmetric(ctx, values, v, v, N));
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            double sum = 0.0;
            for (int k = 0; k < N; k++)
                sum += values[k] * v[k * N + i] * v[k * N + j];
            back[i * N + j] = sum;
        }
        int top = 0;
        for (int j = 1; j < N; j++) {
            if (fabs(v[i * N + j]) > fabs(v[i * N + top]))
                top = j;
        }
        CHECK(v[i * N + top] > 0.0);
        CHECK(i == 0 || values[i] >= values[i - 1]);
    }
    CHECK_NEAR(max_abs_difference(a, back, N * N), 0.0, 1e-13);
    sf_context_free(ctx);
}

TEST(cholesky_factor_determinant_and_inverse_are_known)
{
    sf_context *ctx = new_context();
    static double a[N * N], l[N * N], inverse[N * N];
    make_laplacian(a, N);
    int64_t pivot = -1;
    CHECK_OK(ctx, sfi_cholesky(ctx, l, a, N, "second difference", &pivot));
    CHECK(pivot == N);
    CHECK_CLOSE(sfi_cholesky_log_det(l, N), log(N + 1.0), 1e-13);
    sfi_cholesky_inverse(inverse, l, N);
    for (int k = 0; k < N; k++) {
        /* The pivots of tridiag(-1, 2, -1) are (k+2)/(k+1). */
        CHECK_CLOSE(l[k * N + k], sqrt((k + 2.0) / (k + 1.0)), 1e-14);
        for (int j = 0; j < N; j++) {
            /* Its inverse is min(i,j) (n+1-max(i,j)) / (n+1), from 1. */
            const double lo = fmin(k, j) + 1.0, hi = fmax(k, j) + 1.0;
            CHECK_NEAR(inverse[k * N + j], lo * (N + 1.0 - hi) / (N + 1.0),
                       1e-12);
            CHECK(j <= k || l[k * N + j] == 0.0);
        }
    }
    sf_context_free(ctx);
}

TEST(factor_times_its_transpose_is_the_matrix)
{
    sf_context *ctx = new_context();
    static double a[N * N], l[N * N], back[N * N];
    make_positive(a, N);
    memcpy(l, a, sizeof l);
    CHECK_OK(ctx, sfi_cholesky(ctx, l, l, N, "A", NULL));
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            back[i * N + j] = 0.0;
            for (int k = 0; k < N; k++)
                back[i * N + j] += l[i * N + k] * l[j * N + k];
        }
    }
    CHECK_NEAR(max_abs_difference(a, back, N * N), 0.0, 1e-13);
    sf_context_free(ctx);
}

/* Each triangular operation against its definition, on a strided table. */
TEST(rows_are_solved_and_multiplied)
{
    enum { ROWS = 5, STRIDE = N + 3 };
    sf_context *ctx = new_context();
    static double a[N * N], l[N * N], b[ROWS * STRIDE], x[ROWS * STRIDE];
    make_positive(a, N);
    CHECK_OK(ctx, sfi_cholesky(ctx, l, a, N, "A", NULL));
    for (int i = 0; i < ROWS * STRIDE; i++)
        b[i] = normal(1000 + (uint64_t)i, 0);
    for (int kind = 0; kind < 5; kind++) {
        memcpy(x, b, sizeof x);
        const sf_mat rows = {x, ROWS, N, STRIDE};
        if (kind == 0)
            sfi_cholesky_solve(l, N, rows);
        if (kind == 1)
            sfi_lower_solve(l, N, rows);
        if (kind == 2)
            sfi_lower_solve_t(l, N, rows);
        if (kind == 3)
            sfi_lower_multiply(l, N, rows);
        if (kind == 4)
            sfi_lower_multiply_t(l, N, rows);
        for (int r = 0; r < ROWS; r++) {
            const double *in = b + r * STRIDE, *out = x + r * STRIDE;
            for (int i = 0; i < N; i++) {
                double forward = 0.0; /* op applied to `from`, entry i */
                const double *from = kind < 3 ? out : in;
                for (int k = 0; k < N; k++) {
                    const double m = kind == 0                ? a[i * N + k]
                                     : kind == 1 || kind == 3 ? l[i * N + k]
                                                              : l[k * N + i];
                    forward += m * from[k];
                }
                CHECK_NEAR(kind < 3 ? in[i] : out[i], forward, 1e-12);
            }
            for (int i = N; i < STRIDE; i++)
                CHECK(in[i] == out[i]);
        }
    }
    sf_context_free(ctx);
}

TEST(the_first_bad_pivot_is_named)
{
    sf_context *ctx = new_context();
    double l[9], a[9] = {4, 2, 2, 2, 2, 3, 2, 3, 4};
    /* Reduced pivots: 4; 2 - 1 = 1; 4 - 1 - (3-1)^2/1 = -1. */
    int64_t pivot = -1;
    CHECK_FAILS(ctx, sfi_cholesky(ctx, l, a, 3, "noise", &pivot), SF_E_NUMERIC,
                "noise: not positive definite: pivot 2 of 3 is -1");
    CHECK(pivot == 2);
    /* A duplicated column: the reduced pivot is rounding of 1/3. */
    double b[4] = {1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0};
    CHECK_FAILS(ctx, sfi_cholesky(ctx, l, b, 2, "B", &pivot), SF_E_NUMERIC,
                "pivot 1 of 2");
    CHECK(pivot == 1);
    b[3] = b[0] * (1.0 + 0x1p-52); /* positive, but only by rounding */
    CHECK_FAILS(ctx, sfi_cholesky(ctx, l, b, 2, "B", &pivot), SF_E_NUMERIC,
                "pivot 1 of 2");
    b[3] = b[0] * (1.0 + 1e-9);
    CHECK_OK(ctx, sfi_cholesky(ctx, l, b, 2, "B", &pivot));
    b[2] = NAN;
    CHECK_FAILS(ctx, sfi_cholesky(ctx, l, b, 2, "B", NULL), SF_E_NUMERIC,
                "entry (1, 0) is");
    b[0] = -1.0;
    b[2] = 0.0;
    CHECK_FAILS(ctx, sfi_cholesky(ctx, l, b, 2, "B", &pivot), SF_E_NUMERIC,
                "pivot 0 of 2 is -1");
    CHECK_FAILS(ctx, sfi_cholesky(ctx, l, b, 0, "B", NULL), SF_E_SHAPE,
                "order is 0");
    sf_context_free(ctx);
}

TEST(mirroring_covers_every_size)
{
    static double a[70 * 70];
    for (int n = 1; n <= 70; n++) {
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++)
                a[i * n + j] = j <= i ? i * 100 + j : NAN;
        }
        sfi_mirror_lower(a, n);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j <= i; j++)
                CHECK(a[j * n + i] == i * 100 + j &&
                      a[i * n + j] == i * 100 + j);
        }
    }
}

TEST(norms_neither_overflow_nor_underflow)
{
    double v[11] = {0};
    CHECK(sfi_norm(v, 11) == 0.0);
    v[3] = 3e200;
    v[9] = -4e200;
    CHECK_CLOSE(sfi_norm(v, 11), 5e200, 1e-15);
    v[3] = 3e-200;
    v[9] = -4e-200;
    CHECK_CLOSE(sfi_norm(v, 11), 5e-200, 1e-15);
    v[3] = 3.0;
    v[9] = 4.0;
    CHECK(sfi_norm(v, 11) == 5.0);
    v[0] = -INFINITY;
    CHECK(sfi_norm(v, 11) == INFINITY);
    v[1] = NAN;
    CHECK(isnan(sfi_norm(v, 11)));
}

TEST(what_is_not_finite_is_found_and_named)
{
    sf_context *ctx = new_context();
    static double v[300];
    CHECK(sfi_first_not_finite(v, 300) == 300);
    for (int i = 0; i < 300; i++) {
        v[i] = i % 3 == 0 ? NAN : i % 3 == 1 ? INFINITY : -INFINITY;
        v[299] = i < 299 ? NAN : v[299];
        CHECK(sfi_first_not_finite(v, 300) == i);
        CHECK(sfi_first_not_finite(v, i) == i);
        v[i] = v[299] = 0.0;
    }
    v[17 * 10 + 3] = INFINITY;
    sf_cmat table = {v, 30, 9, 10};
    CHECK_FAILS(ctx, sfi_check_table(ctx, table, true, "test: table"),
                SF_E_NUMERIC, "test: table: row 17, column 3 is inf");
    CHECK_OK(ctx, sfi_check_table(ctx, table, false, "test: table"));
    table.stride = 8;
    CHECK_FAILS(ctx, sfi_check_table(ctx, table, false, "test: table"),
                SF_E_SHAPE, "stride 8");
    table.stride = table.cols = INT64_MAX / 8;
    CHECK_FAILS(ctx, sfi_check_table(ctx, table, false, "t"), SF_E_SHAPE, "t");
    const sf_cmat null = {NULL, 1, 1, 1};
    CHECK_FAILS(ctx, sfi_check_table(ctx, null, false, "t"), SF_E_ARG, "NULL");
    const sf_cmat empty = {NULL, 0, 3, 3};
    CHECK_OK(ctx, sfi_check_table(ctx, empty, true, "t"));
    sf_context_free(ctx);
}

/* ---- orthonormal rows, geometric means ---- */

/* Rows 3 and 4 depend on those before: the rows that come out are orthonormal all the
 * same, and those that went in are sums of them. */
TEST(rows_become_orthonormal_and_are_sums_of_those_before)
{
    enum { M = 6 };
    sf_context *ctx = new_context();
    static double z[M * N], q[M * N], parts[M * M];
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++)
            z[i * N + j] = normal((uint64_t)(100 + i), (uint32_t)j);
    for (int j = 0; j < N; j++) {
        z[3 * N + j] = 2.0 * z[j] - z[N + j];
        z[4 * N + j] = 0.0;
    }
    memcpy(q, z, sizeof q);
    CHECK_OK(ctx, sfi_orthonormal_rows(ctx, q, parts, M, N));
    for (int i = 0; i < M; i++)
        for (int k = 0; k < M; k++) {
            CHECK_NEAR(sfi_dot(q + i * N, q + k * N, N), i == k, 1e-14);
            CHECK(k <= i || parts[i * M + k] == 0.0);
        }
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) {
            double sum = 0.0;
            for (int k = 0; k <= i; k++)
                sum += parts[i * M + k] * q[k * N + j];
            CHECK_NEAR(sum, z[i * N + j], 1e-13);
        }
    CHECK_FAILS(ctx, sfi_orthonormal_rows(ctx, q, parts, 4, 3), SF_E_SHAPE,
                "4 of 3 numbers");
    q[N + 2] = NAN;
    CHECK_FAILS(ctx, sfi_orthonormal_rows(ctx, q, parts, M, N), SF_E_NUMERIC,
                "row 1, number 2");
    sf_context_free(ctx);
}

/* Of numbers it is sqrt(a/b). */
TEST(geometric_means_of_numbers_are_known)
{
    sf_context *ctx = new_context();
    double a[] = {9.0, 0.0, 0.0, 2.0}, b[] = {4.0, 0.0, 0.0, 8.0}, mean[4];
    CHECK_OK(ctx, sfi_geometric_mean(ctx, mean, a, b, 2));
    CHECK_NEAR(mean[0], 1.5, 1e-15);
    CHECK_NEAR(mean[3], 0.5, 1e-15);
    CHECK_NEAR(mean[1], 0.0, 1e-15);
    b[3] = -1.0;
    CHECK_FAILS(ctx, sfi_geometric_mean(ctx, mean, a, b, 2), SF_E_NUMERIC,
                "geometric mean");
    sf_context_free(ctx);
}

/* Whatever C is: C and (S^-1 C S^-1)^-1 have the mean S. */
TEST(the_mean_of_draws_and_scores_is_the_covariance)
{
    sf_context *ctx = new_context();
    static double s[N * N], l[N * N], p[N * N], c[N * N], b[N * N], mean[N * N];
    make_positive(s, N);
    CHECK_OK(ctx, sfi_cholesky(ctx, l, s, N, "s", NULL));
    sfi_cholesky_inverse(p, l, N);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            c[i * N + j] = (i == j) * (1.0 + i) + 0.3;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double sum = 0.0;
            for (int k = 0; k < N; k++)
                for (int m = 0; m < N; m++)
                    sum += p[i * N + k] * c[k * N + m] * p[m * N + j];
            b[i * N + j] = sum;
        }
    CHECK_OK(ctx, sfi_geometric_mean(ctx, mean, c, b, N));
    CHECK(max_abs_difference(mean, s, N * N) < 1e-11);
    CHECK_OK(ctx, sfi_geometric_mean(ctx, c, c, b, N));
    CHECK(max_abs_difference(mean, c, N * N) == 0.0);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    static double a[N * N], v[N * N], values[N];
    make_positive(a, N);
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status))
        status = sfi_eigen_symmetric(ctx, values, v, a, N);
    assert_int_equal(faults.tries, 3);
    static double parts[9 * 9], mean[N * N];
    while (NEXT_FAULT(&faults, status))
        status = sfi_orthonormal_rows(ctx, v, parts, 9, N);
    assert_int_equal(faults.tries, 2);
    while (NEXT_FAULT(&faults, status))
        status = sfi_geometric_mean(ctx, mean, a, a, N);
    assert_int_equal(faults.tries, 4);
    sf_context_free(ctx);
}

/* Of a block of a longer table, the row is the table's. */
TEST(values_that_are_not_finite_are_named_by_row_and_column)
{
    sf_context *ctx = new_context();
    const char *const names[] = {"a", "b"};
    const double x[] = {1.0, 2.0, 3.0, NAN};
    const sf_cmat rows = {x, 2, 2, 2};
    CHECK_OK(ctx, sfi_check_finite(ctx, (sf_cmat){x, 1, 2, 2}, 7, names, "w"));
    CHECK_FAILS(ctx, sfi_check_finite(ctx, rows, 7, names, "w"), SF_E_NUMERIC,
                "w: row 9, column \"b\"");
    CHECK_FAILS(ctx, sfi_check_finite(ctx, rows, 0, NULL, "w"), SF_E_NUMERIC,
                "row 2, column \"?\"");
    sf_context_free(ctx);
}

TESTS(CASE(values_that_are_not_finite_are_named_by_row_and_column),
      CASE(eigenvalues_of_the_second_difference),
      CASE(eigenvectors_rebuild_the_matrix_in_place_and_have_a_fixed_sign),
      CASE(cholesky_factor_determinant_and_inverse_are_known),
      CASE(factor_times_its_transpose_is_the_matrix),
      CASE(rows_are_solved_and_multiplied), CASE(the_first_bad_pivot_is_named),
      CASE(mirroring_covers_every_size),
      CASE(norms_neither_overflow_nor_underflow),
      CASE(what_is_not_finite_is_found_and_named),
      CASE(rows_become_orthonormal_and_are_sums_of_those_before),
      CASE(geometric_means_of_numbers_are_known),
      CASE(the_mean_of_draws_and_scores_is_the_covariance),
      CASE(every_allocation_may_fail))
