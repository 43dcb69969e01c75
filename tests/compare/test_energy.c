/* SPDX-License-Identifier: Apache-2.0 */
/* The energy distance: closed forms, identities, and its test. */
#include "faults.h"
#include "base/random.h"
#include "compare/compare.h"

enum { MAX = 4000 };

static double x[MAX * 3], y[MAX * 3];

static double normal(uint64_t seed, int64_t i, uint32_t j)
{
    const sfi_where where = {seed, (uint64_t)i, 0, SFI_STREAM_USER};
    return sfi_normal_at(where, j);
}

/* The quantile of N(0, 1), by bisection of its distribution function. */
static double normal_quantile(double p)
{
    double low = -10.0, high = 10.0;
    for (int k = 0; k < 80; k++) {
        const double middle = 0.5 * (low + high);
        if (0.5 * erfc(-middle / sqrt(2.0)) < p)
            low = middle;
        else
            high = middle;
    }
    return 0.5 * (low + high);
}

/* E|N(mu, s^2)|. */
static double mean_abs(double mu, double s)
{
    const double pi = 3.14159265358979323846;
    return s * sqrt(2.0 / pi) * exp(-mu * mu / (2.0 * s * s)) +
           mu * erf(mu / (s * sqrt(2.0)));
}

/* X of N(0, 1) and Y of N(mu, s^2) taken at the quantiles (i + 1/2)/n: their
 * distribution functions are off by 1/(2n) at most, so 2 int (F - G)^2 is off by
 * at most (2/n) (2 W1 + range/n), with W1 <= |mu| + |1 - s| and a range of 14. */
TEST(two_normals_have_the_closed_form)
{
    enum { N = 2000 };
    sf_context *ctx = new_context();
    static const double cases[][2] = {
        {0.0, 1.0}, {1.5, 1.0}, {0.0, 0.5}, {-0.7, 2.0}};
    for (size_t c = 0; c < SFI_COUNT(cases); c++) {
        const double mu = cases[c][0], s = cases[c][1];
        for (int i = 0; i < N; i++) {
            x[i] = normal_quantile((i + 0.5) / N);
            y[i] = mu + s * x[i];
        }
        const double want = 2.0 * mean_abs(mu, sqrt(1.0 + s * s)) -
                            mean_abs(0.0, sqrt(2.0)) -
                            mean_abs(0.0, s * sqrt(2.0));
        const sf_cmat a = {x, N, 1, 1}, b = {y, N, 1, 1};
        sf_energy e;
        CHECK_OK(ctx, sf_energy_distance(ctx, &e, a, b));
        CHECK_NEAR(e.distance, want,
                   2.0 / N * (2.0 * (fabs(mu) + fabs(1.0 - s)) + 14.0 / N));
        CHECK_NEAR(e.relative,
                   e.distance / (2.0 * mean_abs(mu, sqrt(1.0 + s * s))), 2e-3);
        /* And it is the integral of the squared gap, computed by sorting; the
         * samples are ascending already. */
        const sfi_gap gap = sfi_distribution_gap(x, N, y, N);
        CHECK_NEAR(e.distance, gap.energy, 1e-12);
    }
    sf_context_free(ctx);
}

static void fill(int64_t n, int64_t m, int64_t d)
{
    for (int64_t i = 0; i < n * d; i++)
        x[i] = normal(1, i, 0);
    for (int64_t i = 0; i < m * d; i++)
        y[i] = 0.3 + 1.2 * normal(2, i, 0);
}

/* Both forms by their definition. */
TEST(both_forms_match_the_definition)
{
    enum { N = 40, M = 27, D = 3 };
    sf_context *ctx = new_context();
    fill(N, M, D);
    double sum[3] = {0.0}; /* xy, xx, yy */
    for (int i = 0; i < N + M; i++) {
        for (int j = 0; j < N + M; j++) {
            const double *p = i < N ? x + i * D : y + (i - N) * D;
            const double *q = j < N ? x + j * D : y + (j - N) * D;
            sum[i < N ? (j < N ? 1 : 0) : (j < N ? 0 : 2)] += sqrt(
                (p[0] - q[0]) * (p[0] - q[0]) + (p[1] - q[1]) * (p[1] - q[1]) +
                (p[2] - q[2]) * (p[2] - q[2]));
        }
    }
    const sf_cmat a = {x, N, D, D}, b = {y, M, D, D};
    sf_energy e;
    CHECK_OK(ctx, sf_energy_distance(ctx, &e, a, b));
    const double between = sum[0] / (N * M); /* both orders: 2 sum(xy) */
    CHECK_NEAR(e.distance, between - sum[1] / (N * N) - sum[2] / (M * M),
               1e-13);
    CHECK_NEAR(e.unbiased,
               between - sum[1] / (N * (N - 1)) - sum[2] / (M * (M - 1)),
               1e-13);
    CHECK_NEAR(e.relative, e.distance / between, 1e-14);
    sf_context_free(ctx);
}

TEST(it_is_symmetric_and_blind_to_rotation_and_translation)
{
    enum { N = 500, M = 333, D = 3 };
    sf_context *ctx = new_context();
    fill(N, M, D);
    const sf_cmat a = {x, N, D, D}, b = {y, M, D, D};
    sf_energy e, f;
    CHECK_OK(ctx, sf_energy_distance(ctx, &e, a, b));
    CHECK_OK(ctx, sf_energy_distance(ctx, &f, b, a));
    CHECK_NEAR(e.distance, f.distance, 1e-13);
    CHECK_NEAR(e.unbiased, f.unbiased, 1e-13);
    CHECK_OK(ctx, sf_energy_distance(ctx, &f, a, a));
    CHECK_NEAR(f.distance, 0.0, 1e-13);
    CHECK(f.unbiased < 0.0);
    /* Two plane rotations and a shift; then a factor of 3. */
    const double c = cos(0.7), s = sin(0.7), shift[3] = {5.0, -2.0, 0.1};
    for (int k = 0; k < 2; k++) {
        double *t = k == 0 ? x : y;
        for (int i = 0; i < (k == 0 ? N : M); i++) {
            double *p = t + i * D;
            const double p0 = c * p[0] - s * p[1], p1 = s * p[0] + c * p[1];
            const double q1 = c * p1 - s * p[2], q2 = s * p1 + c * p[2];
            p[0] = 3.0 * (p0 + shift[0]);
            p[1] = 3.0 * (q1 + shift[1]);
            p[2] = 3.0 * (q2 + shift[2]);
        }
    }
    CHECK_OK(ctx, sf_energy_distance(ctx, &f, a, b));
    CHECK_NEAR(f.distance, 3.0 * e.distance, 1e-12);
    CHECK_NEAR(f.relative, e.relative, 1e-12);
    sf_context_free(ctx);
}

TEST(threads_do_not_change_a_bit)
{
    enum { N = 700, M = 333, D = 3, ROWS = N + M };
    sf_context *ctx = new_context();
    fill(N, M, D);
    sf_energy e[3];
    sf_compare_test t[3];
    memset(e, 0, sizeof e);
    memset(t, 0, sizeof t);
    static const int threads[] = {1, 2, 7};
    for (int k = 0; k < 3; k++) {
        CHECK_OK(ctx, sf_context_set_threads(ctx, threads[k]));
        const sf_cmat a = {x, N, D, D}, b = {y, M, D, D};
        CHECK_OK(ctx, sf_energy_distance(ctx, &e[k], a, b));
        sfi_points parts[2], joined;
        const int64_t rows[2] = {N, M};
        CHECK_OK(ctx, sfi_points_new(ctx, &parts[0], a, NULL, 0, NULL));
        CHECK_OK(ctx, sfi_points_new(ctx, &parts[1], b, NULL, 0, NULL));
        CHECK_OK(ctx, sfi_points_join(ctx, &joined, parts, rows));
        CHECK_OK(ctx, sfi_energy_test(ctx, &t[k], &joined, rows, 19, 5));
        CHECK(memcmp(&e[0], &e[k], sizeof *e) == 0);
        CHECK(memcmp(&t[0], &t[k], sizeof *t) == 0);
        CHECK_NEAR(t[k].distance, e[k].distance, 1e-13);
        sfi_points_free(ctx, &joined);
        sfi_points_free(ctx, &parts[1]);
        sfi_points_free(ctx, &parts[0]);
    }
    sf_context_free(ctx);
}

static void permute(sf_context *ctx, sf_compare_test *t, int64_t n, int64_t m,
                    int permutations, uint64_t seed)
{
    sfi_points parts[2], joined;
    const int64_t rows[2] = {n, m};
    const sf_cmat a = {x, n, 1, 1}, b = {y, m, 1, 1};
    CHECK_OK(ctx, sfi_points_new(ctx, &parts[0], a, NULL, 0, NULL));
    CHECK_OK(ctx, sfi_points_new(ctx, &parts[1], b, NULL, 0, NULL));
    CHECK_OK(ctx, sfi_points_join(ctx, &joined, parts, rows));
    CHECK_OK(ctx, sfi_energy_test(ctx, t, &joined, rows, permutations, seed));
    sfi_points_free(ctx, &joined);
    sfi_points_free(ctx, &parts[1]);
    sfi_points_free(ctx, &parts[0]);
}

/* With n = 4 and m = 4 there are C(8, 4) = 70 labellings, of which two (the true
 * one and its mirror) separate the samples; the test must find p = 2/70 but for
 * the choice of 20000 permutations: standard error sqrt(p/20000) = 0.0012. */
TEST(the_p_value_of_a_tiny_case_is_known)
{
    sf_context *ctx = new_context();
    for (int i = 0; i < 4; i++) {
        x[i] = 0.1 * i * i;
        y[i] = 100.0 + 0.07 * i;
    }
    sf_compare_test t;
    permute(ctx, &t, 4, 4, 20000, 1);
    CHECK(t.permutations == 20000 && t.rows[0] == 4 && t.rows[1] == 4);
    CHECK_NEAR(t.p, 2.0 / 70.0, 5.0 * 0.0012);
    sf_context_free(ctx);
}

/* Under one law p is uniform on {1/20, ..., 1} with 19 permutations: over 400
 * tests its mean is 0.525 with standard error 0.288/20, and the share p <= 0.05
 * is 0.05 with standard error 0.011.  The mean over all
 * permutations is (1/n + 1/m) times the mean distance of two different rows, so
 * (2/40) 2/sqrt(pi) = 0.0564 on average; one test is off by 0.005 for its rows
 * and 0.007 for its choice of permutations, 400 by 0.0004. */
TEST(p_is_uniform_under_one_law)
{
    enum { N = 40, TESTS_MADE = 400 };
    sf_context *ctx = new_context();
    double mean = 0.0, small = 0.0, null = 0.0;
    for (int k = 0; k < TESTS_MADE; k++) {
        for (int i = 0; i < N; i++) {
            x[i] = normal(10 + (uint64_t)k, i, 0);
            y[i] = normal(10 + (uint64_t)k, i, 1);
        }
        sf_compare_test t;
        permute(ctx, &t, N, N, 19, (uint64_t)k);
        mean += t.p / TESTS_MADE;
        small += (t.p <= 0.0501) / (double)TESTS_MADE;
        null += t.null_mean / TESTS_MADE;
        CHECK(t.null_95 >= t.null_mean);
    }
    CHECK_NEAR(mean, 0.525, 5.0 * 0.288 / 20.0);
    CHECK_NEAR(small, 0.05, 5.0 * 0.011);
    CHECK_NEAR(null, 2.0 / N * 2.0 / sqrt(3.14159265358979), 5.0 * 0.0004);
    sf_context_free(ctx);
}

TEST(a_shift_is_found)
{
    enum { N = 100 };
    sf_context *ctx = new_context();
    for (int i = 0; i < N; i++) {
        x[i] = normal(3, i, 0);
        y[i] = normal(3, i, 1) + 1.0;
    }
    sf_compare_test t;
    permute(ctx, &t, N, N, 99, 0);
    CHECK_NEAR(t.p, 0.01, 1e-15);
    CHECK(t.distance > t.null_95);
    sf_context_free(ctx);
}

TEST(arguments_are_checked)
{
    sf_context *ctx = new_context();
    fill(4, 4, 2);
    const sf_cmat a = {x, 4, 2, 2};
    sf_cmat b = {y, 4, 1, 1};
    sf_energy e = {7.0, 7.0, 7.0};
    CHECK_FAILS(ctx, sf_energy_distance(ctx, &e, a, b), SF_E_SHAPE,
                "y is [4, 1]");
    b.rows = 0;
    b.cols = b.stride = 2;
    CHECK_FAILS(ctx, sf_energy_distance(ctx, &e, a, b), SF_E_SHAPE,
                "y is [0, 2]");
    b.rows = 4;
    y[3] = NAN;
    CHECK_FAILS(ctx, sf_energy_distance(ctx, &e, a, b), SF_E_NUMERIC,
                "energy distance: y: row 1, column 1");
    CHECK(e.distance == 7.0);
    b.rows = 1;
    CHECK_OK(ctx, sf_energy_distance(ctx, &e, a, b));
    CHECK(isnan(e.unbiased) && e.distance > 0.0);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    fill(30, 20, 2);
    const sf_cmat a = {x, 30, 2, 2}, b = {y, 20, 2, 2};
    sf_energy e = {7.0, 7.0, 7.0};
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status)) {
        status = sf_energy_distance(ctx, &e, a, b);
        CHECK(status == SF_OK || e.distance == 7.0);
    }
    CHECK(faults.tries == 8);
    sf_context_free(ctx);
}

TESTS(CASE(two_normals_have_the_closed_form),
      CASE(both_forms_match_the_definition),
      CASE(it_is_symmetric_and_blind_to_rotation_and_translation),
      CASE(threads_do_not_change_a_bit),
      CASE(the_p_value_of_a_tiny_case_is_known),
      CASE(p_is_uniform_under_one_law), CASE(a_shift_is_found),
      CASE(arguments_are_checked), CASE(every_allocation_may_fail))
