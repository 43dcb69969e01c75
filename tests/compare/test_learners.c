/* SPDX-License-Identifier: Apache-2.0 */
/* What learns from points: against linear systems and Newton's method (NumPy), and
 * neighbours against sorting. */
#include "check.h"
#include "base/random.h"
#include "compare/learners.h"

enum { N = 200, D = 3 };

static double uniform(uint64_t seed, int64_t i)
{
    const sfi_where where = {seed, (uint64_t)i, 0, SFI_STREAM_USER};
    return sfi_uniform_at(where, 0);
}

/* Five examples in an order that `pick` changes; the sixth is not picked. */
static const double five[6][2] = {{0, 1},   {1, 0},   {2, -1},
                                  {0.5, 2}, {3, 1.5}, {99, 99}};
static const double *const rows[6] = {five[0], five[1], five[2],
                                      five[3], five[4], five[5]};
static const int64_t order[5] = {4, 0, 2, 3, 1};

/* (X'X + diag(1, 1, 0)) w = X'y, with a column of ones. */
TEST(linear_regression_solves_its_equations)
{
    static const double y[6] = {1, 2, 2.5, 0, 4, -50};
    static const double want[3] = {0.9518139019662144, -0.16920520631404035,
                                   0.7810855718637494};
    const sfi_examples e = {rows, y, order, 5, 2};
    double w[3], work[64];
    assert_true(sfi_linear_work(&e) <= SFI_COUNT(work));
    sfi_linear_fit(w, &e, SFI_SQUARED, work);
    for (int j = 0; j < 3; j++)
        CHECK_CLOSE(w[j], want[j], 1e-7);
    CHECK_CLOSE(sfi_linear_value(w, five[2], 2),
                2 * want[0] - want[1] + want[2], 1e-7);
}

TEST(logistic_regression_is_where_newtons_method_ends)
{
    static const double y[6] = {0, 0, 1, 0, 1, 0};
    static const double want[3] = {1.0570237922251198, -0.31648933509383265,
                                   -1.7099504617038712};
    const sfi_examples e = {rows, y, order, 5, 2};
    double w[3], work[64];
    sfi_linear_fit(w, &e, SFI_LOGISTIC, work);
    for (int j = 0; j < 3; j++)
        CHECK_CLOSE(w[j], want[j], 1e-4);
}

/* Classes that are apart have a finite answer, where the gradient is 0: each
 * weight is the sum of residuals times its coordinate. */
TEST(classes_that_are_apart_have_an_answer)
{
    static double x[N][D], y[N], work[20 * N];
    static const double *at[N];
    static int64_t pick[N];
    double w[D + 1], gradient[D + 1] = {0.0};
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < D; j++)
            x[i][j] = 100.0 * uniform((uint64_t)j, i);
        at[i] = x[i];
        pick[i] = i;
        y[i] = x[i][1] > 40.0;
    }
    const sfi_examples e = {at, y, pick, N, D};
    sfi_linear_fit(w, &e, SFI_LOGISTIC, work);
    for (int i = 0; i < N; i++) {
        const double z = sfi_linear_value(w, x[i], D);
        CHECK((z > 0.0) == (y[i] > 0.0) || fabs(x[i][1] - 40.0) < 3.0);
        const double off = 1.0 / (1.0 + exp(-z)) - y[i];
        for (int j = 0; j <= D; j++)
            gradient[j] += off * (j < D ? x[i][j] : 1.0);
    }
    for (int j = 0; j <= D; j++)
        CHECK_NEAR(gradient[j] + (j < D ? w[j] : 0.0), 0.0, 1e-3);
}

/* Distances of all, sorted by insertion: the same examples in the same order. */
TEST(neighbours_are_the_nearest)
{
    enum { K = 7 };
    static double x[N][D], y[N];
    static const double *at[N];
    int64_t pick[N / 2], nearest[K];
    double distance[K];
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < D; j++)
            x[i][j] = floor(6.0 * uniform((uint64_t)j + 10, i)); /* ties */
        at[i] = x[i];
    }
    for (int i = 0; i < N / 2; i++)
        pick[i] = 2 * i + 1;
    const sfi_examples e = {at, y, pick, N / 2, D};
    for (int q = 0; q < N; q += 2) {
        int64_t sorted[N / 2];
        double all[N / 2];
        for (int i = 0; i < N / 2; i++) {
            double d = 0.0;
            for (int j = 0; j < D; j++)
                d += (x[q][j] - x[pick[i]][j]) * (x[q][j] - x[pick[i]][j]);
            int k = i;
            for (; k > 0 && all[k - 1] > d; k--) {
                all[k] = all[k - 1];
                sorted[k] = sorted[k - 1];
            }
            all[k] = d;
            sorted[k] = i;
        }
        CHECK(sfi_nearest_examples(nearest, distance, K, x[q], &e) == K);
        for (int k = 0; k < K; k++)
            CHECK(nearest[k] == sorted[k] && distance[k] == all[k]);
    }
    const sfi_examples few = {at, y, pick, 3, D};
    CHECK(sfi_nearest_examples(nearest, distance, K, x[0], &few) == 3);
}

TESTS(CASE(linear_regression_solves_its_equations),
      CASE(logistic_regression_is_where_newtons_method_ends),
      CASE(classes_that_are_apart_have_an_answer),
      CASE(neighbours_are_the_nearest))
