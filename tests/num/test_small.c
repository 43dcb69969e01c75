/* SPDX-License-Identifier: Apache-2.0 */
/* Factors of small matrices, against the matrices that they are factors of. */
#include "check.h"

#include "base/random.h"
#include "num/probability.h"
#include "num/small.h"

static void draw(double *a, int64_t count, uint64_t seed)
{
    for (int64_t i = 0; i < count; i++)
        a[i] = sfi_normal_at((sfi_where){seed, (uint64_t)i, 0, SFI_STREAM_USER},
                             0);
}

/* Random matrices of all sizes: residual and orthogonality to 1e-13, which is n eps
 * of numbers of order n. */
TEST(singular_values_and_vectors_make_up_the_matrix)
{
    static double a[40 * 32], columns[32 * 40], v[32 * 32], s[32];
    for (int n = 1; n <= 32; n += n < 4 ? 1 : 7) {
        const int m = n + 8;
        draw(a, m * n, (uint64_t)n);
        for (int i = 0; i < m * n; i++)
            columns[i % n * m + i / n] = a[i];
        sfi_small_svd(s, v, columns, m, n);
        for (int k = 0; k < n; k++) {
            CHECK(k == 0 || s[k] <= s[k - 1]);
            for (int i = 0; i < m; i++) { /* A v_k = s_k u_k */
                double sum = 0.0;
                for (int j = 0; j < n; j++)
                    sum += a[i * n + j] * v[k * n + j];
                CHECK_NEAR(sum, columns[k * m + i], 1e-13);
            }
            for (int j = 0; j <= k; j++) {
                double uu = 0.0, vv = 0.0;
                for (int i = 0; i < m; i++)
                    uu += columns[k * m + i] * columns[j * m + i];
                for (int i = 0; i < n; i++)
                    vv += v[k * n + i] * v[j * n + i];
                CHECK_NEAR(vv, j == k, 1e-14);
                CHECK_NEAR(uu, j == k ? s[k] * s[k] : 0.0, 1e-12);
            }
        }
    }
}

/* Columns (1, 0, 0), (1, 1e-12, 0): the product A'A is singular in double; the small
 * singular value is 1e-12/sqrt 2 up to 1e-24. */
TEST(small_singular_values_keep_their_digits)
{
    double columns[] = {1.0, 0.0, 0.0, 1.0, 1e-12, 0.0}, v[4], s[2];
    sfi_small_svd(s, v, columns, 3, 2);
    CHECK_CLOSE(s[0], sqrt(2.0), 1e-15);
    CHECK_CLOSE(s[1], 1e-12 / sqrt(2.0), 1e-4);
}

/* More columns than rows: as many zeros as there are too many. */
TEST(wide_matrices_have_zero_singular_values)
{
    double columns[] = {3.0, 4.0, 5.0}, v[9], s[3];
    sfi_small_svd(s, v, columns, 1, 3);
    CHECK_CLOSE(s[0], sqrt(50.0), 1e-15);
    CHECK(s[1] < 1e-15 && s[2] < 1e-15);
    CHECK_NEAR(fabs(v[0]), 3.0 / sqrt(50.0), 1e-15);
}

TEST(eigenvalues_and_vectors_make_up_the_matrix)
{
    static double a[32 * 32], b[32 * 32], v[32 * 32], values[32];
    for (int n = 1; n <= 32; n += n < 4 ? 1 : 7) {
        draw(a, n * n, 100 + (uint64_t)n);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < i; j++)
                a[j * n + i] = a[i * n + j];
        memcpy(b, a, sizeof b);
        sfi_small_eigen(values, v, b, n);
        for (int k = 0; k < n; k++) {
            CHECK(k == 0 || values[k] >= values[k - 1]);
            for (int i = 0; i < n; i++) {
                double sum = 0.0;
                for (int j = 0; j < n; j++)
                    sum += a[i * n + j] * v[k * n + j];
                CHECK_NEAR(sum, values[k] * v[k * n + i], 1e-13);
            }
        }
    }
}

/* [4 2 2; 2 5 3; 2 3 6] = L L' with L = [2 0 0; 1 2 0; 1 1 2], det 64. */
TEST(cholesky_factors_are_exact_where_they_can_be)
{
    static const double a[] = {4, 2, 2, 2, 5, 3, 2, 3, 6};
    static const double want[] = {2, 0, 0, 1, 2, 0, 1, 1, 2};
    double l[9] = {0}, inverse[9], b[] = {2.0, 3.0, 8.0};
    CHECK(sfi_small_cholesky(l, a, 3));
    for (int i = 0; i < 9; i++)
        CHECK(l[i] == want[i]);
    sfi_small_lower_solve(l, 3, b);
    CHECK(b[0] == 1.0 && b[1] == 1.0 && b[2] == 3.0);
    sfi_small_inverse(inverse, l, 3);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            double sum = 0.0;
            for (int k = 0; k < 3; k++)
                sum += a[i * 3 + k] * inverse[k * 3 + j];
            CHECK_NEAR(sum, i == j, 1e-15);
        }
    const double indefinite[] = {1, 2, 2, 1}, singular[] = {1, 1, 1, 1};
    const double undefined[] = {NAN, 1, 1, 1};
    CHECK(!sfi_small_cholesky(l, indefinite, 2));
    CHECK(!sfi_small_cholesky(l, singular, 2));
    CHECK(!sfi_small_cholesky(l, undefined, 2));
}

/* Published critical values (NIST/SEMATECH e-Handbook, table 1.3.6.7.4), which have
 * three decimals: their probabilities to 3e-4 relative.  Q_2 is e^(-x/2) and Q_4
 * e^(-x/2)(1 + x/2) exactly. */
TEST(chi_squared_probabilities_are_those_of_the_tables)
{
    static const struct {
        int64_t degrees;
        double x, above;
    } known[] = {{1, 3.841, 0.05},   {3, 11.345, 0.01},  {5, 20.515, 0.001},
                 {10, 18.307, 0.05}, {51, 68.669, 0.05}, {100, 149.449, 0.001}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        CHECK_CLOSE(sfi_chi_squared_above(known[i].degrees, known[i].x),
                    known[i].above, 6e-4);
    CHECK_CLOSE(sfi_chi_squared_above(2, 50.0), exp(-25.0), 1e-14);
    CHECK_CLOSE(sfi_chi_squared_above(4, 50.0), 26.0 * exp(-25.0), 1e-13);
    CHECK(sfi_chi_squared_above(7, 0.0) == 1.0);
    CHECK(sfi_chi_squared_above(3, 1e9) == 0.0);
}

TESTS(CASE(singular_values_and_vectors_make_up_the_matrix),
      CASE(small_singular_values_keep_their_digits),
      CASE(wide_matrices_have_zero_singular_values),
      CASE(eigenvalues_and_vectors_make_up_the_matrix),
      CASE(cholesky_factors_are_exact_where_they_can_be),
      CASE(chi_squared_probabilities_are_those_of_the_tables))
