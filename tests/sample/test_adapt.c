/* SPDX-License-Identifier: Apache-2.0 */
/* test_adapt.c - what chains learn while they warm up. */
#include "check.h"
#include "sample/adapt.h"
#include "sample/metric.h"

/* Acceptance that falls with the step: exp(-step) is the target's at -ln target. */
TEST(steps_find_their_target)
{
    sfi_step_size s = {.target = 0.7};
    sfi_step_size_begin(&s, 5.0);
    for (int i = 0; i < 2000; i++)
        sfi_step_size_learn(&s, exp(-s.step));
    CHECK_NEAR(sfi_step_size_end(&s), -log(0.7), 0.01);
}

typedef struct schedule {
    int64_t warmup, first, last, closes[8];
} schedule;

/* Of 1000: windows of 25, 50, 100, 200 and the 500 left (Stan Reference Manual,
 * figure of the warm-up's stages). */
static const schedule schedules[] = {{1000, 75, 950, {99, 149, 249, 449, 949}},
                                     {150, 75, 100, {99}},
                                     {100, 15, 90, {89}},
                                     {20, 3, 18, {17}},
                                     {19, 0, 0, {-1}},
                                     {0, 0, 0, {-1}}};

TEST(windows_double)
{
    for (size_t k = 0; k < SFI_COUNT(schedules); k++) {
        const schedule *s = &schedules[k];
        sfi_windows w;
        int64_t closed = 0;
        sfi_windows_init(&w, s->warmup);
        for (int64_t i = 0; i < s->warmup; i++) {
            CHECK(sfi_windows_counts(&w, i) == (i >= s->first && i < s->last));
            if (sfi_windows_closes(&w, i))
                CHECK(i == s->closes[closed++]);
        }
        CHECK(s->closes[0] < 0 ? closed == 0 : s->closes[closed] == 0);
        CHECK(s->closes[0] < 0 || closed > 0);
    }
}

TEST(running_moments_are_moments)
{
    const double x[][2] = {{1.0, 10.0}, {2.0, 14.0}, {4.0, 12.0}, {7.0, 9.0}};
    for (int dense = 0; dense < 2; dense++) {
        double mean[2], sums[4], gap[2];
        sfi_running r = {dense != 0, 2, 0, mean, sums, gap};
        sfi_running_clear(&r);
        for (int i = 0; i < 4; i++)
            sfi_running_add(&r, x[i]);
        sfi_running_finish(&r);
        CHECK_NEAR(mean[0], 3.5, 1e-15);
        CHECK_NEAR(mean[1], 11.25, 1e-15);
        CHECK_NEAR(sums[0], 7.0, 1e-14);
        CHECK_NEAR(sums[dense ? 3 : 1], 59.0 / 12.0, 1e-14);
        if (dense)
            CHECK_NEAR(sums[1], -17.0 / 6.0, 1e-14);
    }
}

/* Momenta have the covariance M, the inverse of what was set; p' M^-1 p is one
 * chi-squared variable for each number. */
TEST(momenta_have_the_masses)
{
    enum { N = 20000 };
    sf_context *ctx = new_context();
    const sf_metric kinds[] = {SF_METRIC_UNIT, SF_METRIC_DIAGONAL,
                               SF_METRIC_DENSE};
    for (size_t k = 0; k < SFI_COUNT(kinds); k++) {
        double memory[8], covariance[4] = {2.0, 0.5}, p[2], v[2];
        sfi_metric m;
        CHECK(sfi_metric_size(kinds[k], 2) <= 8);
        sfi_metric_init(&m, kinds[k], 2, memory);
        if (kinds[k] == SF_METRIC_DENSE)
            memcpy(covariance, (double[]){2.0, 0.9, 0.9, 0.5},
                   sizeof covariance);
        const int64_t draws = 1000;
        const double keep = 1000.0 / 1005.0, add = 5e-3 / 1005.0;
        double want[3] = {1.0, 0.0, 1.0}; /* variances and covariance of v */
        if (kinds[k] != SF_METRIC_UNIT) {
            want[0] = keep * 2.0 + add;
            want[1] = kinds[k] == SF_METRIC_DENSE ? keep * 0.9 : 0.0;
            want[2] = keep * 0.5 + add;
        }
        sfi_metric_set(ctx, &m, covariance, draws);
        double sums[3] = {0}, squares = 0.0;
        for (uint32_t i = 0; i < N; i++) {
            sfi_metric_draw(&m, (sfi_where){1, 5, i, SFI_STREAM_MOMENTUM}, p);
            sfi_metric_velocity(&m, p, v);
            sums[0] += v[0] * v[0] / N;
            sums[1] += v[0] * v[1] / N;
            sums[2] += v[1] * v[1] / N;
            squares += (p[0] * v[0] + p[1] * v[1]) / N;
        }
        /* v = M^-1 p has the covariance that was set; five standard errors. */
        CHECK_NEAR(sums[0], want[0], 5.0 * want[0] * sqrt(2.0 / N));
        CHECK_NEAR(sums[1], want[1],
                   5.0 * sqrt((want[0] * want[2] + want[1] * want[1]) / N));
        CHECK_NEAR(sums[2], want[2], 5.0 * want[2] * sqrt(2.0 / N));
        CHECK_NEAR(squares, 2.0, 5.0 * sqrt(4.0 / N));
    }
    sf_context_free(ctx);
}

TEST(a_covariance_that_is_none_changes_nothing)
{
    sf_context *ctx = new_context();
    double memory[8], good[] = {2.0, 0.5, 0.5, 1.0};
    double bad[] = {1.0, 2.0, 2.0, 1.0}, before[2], after[2];
    const double p[] = {0.3, -0.8};
    sfi_metric m;
    sfi_metric_init(&m, SF_METRIC_DENSE, 2, memory);
    sfi_metric_set(ctx, &m, good, 1000);
    sfi_metric_velocity(&m, p, before);
    sfi_metric_set(ctx, &m, bad, 1000);
    sfi_metric_velocity(&m, p, after);
    CHECK(memcmp(before, after, sizeof after) == 0);
    sf_context_free(ctx);
}

TESTS(CASE(steps_find_their_target), CASE(windows_double),
      CASE(running_moments_are_moments), CASE(momenta_have_the_masses),
      CASE(a_covariance_that_is_none_changes_nothing))
