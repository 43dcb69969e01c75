/* SPDX-License-Identifier: Apache-2.0 */
/* test_stein.c - the kernelised Stein discrepancy. */
#include "base/random.h"
#include "check.h"
#include "fit/stein.h"
#include "scorefield/matching.h"

static double k_of(const double *y, const double *z, double length)
{
    const double a = y[0] - z[0], b = y[1] - z[1];
    return 1.0 / sqrt(1.0 + (a * a + b * b) / length);
}

/* Against differences of the kernel k. */
TEST(the_kernel_is_steins_operator_twice)
{
    const double y[] = {0.3, -0.7}, z[] = {1.1, 0.4}, length = 1.7, h = 1e-4;
    const double s[] = {-0.4, 0.9}, t[] = {0.2, -1.3};
    double want = (s[0] * t[0] + s[1] * t[1]) * k_of(y, z, length);
    for (int j = 0; j < 2; j++) {
        double yu[] = {y[0], y[1]}, yd[] = {y[0], y[1]};
        double zu[] = {z[0], z[1]}, zd[] = {z[0], z[1]};
        yu[j] += h;
        yd[j] -= h;
        zu[j] += h;
        zd[j] -= h;
        want += s[j] * (k_of(y, zu, length) - k_of(y, zd, length)) / (2 * h);
        want += t[j] * (k_of(yu, z, length) - k_of(yd, z, length)) / (2 * h);
        want += (k_of(yu, zu, length) - k_of(yu, zd, length) -
                 k_of(yd, zu, length) + k_of(yd, zd, length)) /
                (4 * h * h);
    }
    CHECK_NEAR(sfi_stein_kernel(y, s, z, t, 2, length), want, 1e-7);
    CHECK(sfi_stein_kernel(y, s, z, t, 2, length) ==
          sfi_stein_kernel(z, t, y, s, 2, length));
}

static double normal_of(uint64_t set, uint32_t i)
{
    return sfi_normal_at((sfi_where){5, set, 0, SFI_STREAM_USER}, i);
}

/* Over many sets of rows p is uniform where the density is theirs. */
TEST(p_is_uniform_under_the_density)
{
    enum { SETS = 200, N = 80 };
    double x[N], mean = 0.0, mean_u = 0.0;
    int low = 0;
    sf_context *ctx = new_context();
    sf_model *d = NULL;
    CHECK_OK(ctx, sf_density_new(ctx, &d, "-0.5*(x - 3)^2/4", 1, NULL));
    for (uint64_t k = 0; k < SETS; k++) {
        sf_stein r;
        sf_stein_options o = SF_STEIN_OPTIONS_INIT;
        o.draws = 200;
        o.seed = k;
        for (uint32_t i = 0; i < N; i++)
            x[i] = 3.0 + 2.0 * normal_of(k, i);
        CHECK_OK(ctx, sf_stein_test(ctx, d, (sf_cmat){x, N, 1, 1}, &o, &r));
        CHECK(r.rows == N);
        mean += r.p / SETS;
        mean_u += r.discrepancy / SETS;
        low += r.p < 0.1;
    }
    /* Five standard errors of a uniform mean; a tenth is below a tenth. */
    CHECK_NEAR(mean, 0.5, 5.0 / sqrt(12.0 * SETS) + 0.02);
    CHECK_NEAR((double)low / SETS, 0.1, 0.1);
    CHECK_NEAR(mean_u, 0.0, 0.01);
    sf_model_free(d);
    sf_context_free(ctx);
}

TEST(a_wrong_density_is_found)
{
    enum { N = 500 };
    double x[N];
    sf_context *ctx = new_context();
    const char *const wrong[] = {"-0.5*(x - 0.5)^2", "-log(1 + x^2)", "-x^2"};
    for (uint32_t i = 0; i < N; i++)
        x[i] = normal_of(1000, i);
    for (size_t k = 0; k < SFI_COUNT(wrong); k++) {
        sf_model *d = NULL;
        sf_stein r;
        CHECK_OK(ctx, sf_density_new(ctx, &d, wrong[k], 1, NULL));
        CHECK_OK(ctx, sf_stein_test(ctx, d, (sf_cmat){x, N, 1, 1}, NULL, &r));
        CHECK(r.p < 0.01 && r.discrepancy > 0.0);
        sf_model_free(d);
    }
    sf_context_free(ctx);
}

TEST(what_cannot_be_tested_is_refused)
{
    const double x[] = {1.0, 1.0, 1.0, 1.0, 1.0};
    sf_context *ctx = new_context();
    sf_model *d = NULL;
    sf_stein r;
    CHECK_OK(ctx, sf_density_new(ctx, &d, "-x^2", 1, NULL));
    CHECK_FAILS(ctx, sf_stein_test(ctx, d, (sf_cmat){x, 3, 1, 1}, NULL, &r),
                SF_E_ARG, "3 rows");
    CHECK_FAILS(ctx, sf_stein_test(ctx, d, (sf_cmat){x, 5, 1, 1}, NULL, &r),
                SF_E_NUMERIC, "constant");
    CHECK_FAILS(ctx, sf_stein_test(ctx, d, (sf_cmat){x, 2, 2, 2}, NULL, &r),
                SF_E_SHAPE, "2 columns");
    sf_model_free(d);
    sf_context_free(ctx);
}

TESTS(CASE(the_kernel_is_steins_operator_twice),
      CASE(p_is_uniform_under_the_density), CASE(a_wrong_density_is_found),
      CASE(what_cannot_be_tested_is_refused))
