/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/random.h"
#include "plot/values.h"

static sf_cmat column(const double *x, int64_t n)
{
    const sf_cmat m = {x, n, 1, 1};
    return m;
}

static sfi_sorted sorted_of(sf_context *ctx, const double *x, int64_t n)
{
    sfi_sorted s;
    CHECK_OK(ctx, sfi_sorted_new(ctx, &s, column(x, n), 0));
    return s;
}

/* Definition 7: for 1, 2, 3, 4 the quartiles are 1.75 and 3.25. */
TEST(quantiles_interpolate_and_skip_what_is_not_finite)
{
    sf_context *ctx = new_context();
    const double x[] = {4.0, NAN, 1.0, INFINITY, 3.0, 2.0, -INFINITY};
    sfi_sorted s = sorted_of(ctx, x, 7);
    assert_int_equal(s.count, 4);
    CHECK(s.whole);
    CHECK_NEAR(sfi_sorted_quantile(&s, 0.0), 1.0, 0.0);
    CHECK_NEAR(sfi_sorted_quantile(&s, 0.25), 1.75, 1e-15);
    CHECK_NEAR(sfi_sorted_quantile(&s, 0.75), 3.25, 1e-15);
    CHECK_NEAR(sfi_sorted_quantile(&s, 1.0), 4.0, 0.0);
    assert_int_equal(sfi_sorted_within(&s, 2.0, 3.0), 2);
    assert_int_equal(sfi_sorted_within(&s, 1.5, 1.7), 0);
    sfi_sorted_free(&s);
    s = sorted_of(ctx, x + 1, 1);
    CHECK(isnan(sfi_sorted_quantile(&s, 0.5)));
    sfi_sorted_free(&s);
    sf_context_free(ctx);
}

/* A histogram is a density: over all bins, height times width sum to 1. */
TEST(histograms_integrate_to_one)
{
    sf_context *ctx = new_context();
    double x[1000], height[SFI_MAX_BINS];
    for (int kind = 0; kind < 4; kind++) {
        for (int i = 0; i < 1000; i++) {
            const sfi_where w = {1, (uint64_t)i, 0, SFI_STREAM_USER};
            const double z = sfi_normal_at(w, 0);
            x[i] = kind == 0   ? z
                   : kind == 1 ? floor(5.0 * z)
                   : kind == 2 ? 3.25
                               : 1e300 * z;
        }
        sfi_sorted s = sorted_of(ctx, x, 1000);
        const double lo = s.values[0], hi = s.values[s.count - 1];
        const sfi_bins b = sfi_bins_choose(&s, lo, hi, 0);
        CHECK(b.count >= 1 && b.count <= SFI_MAX_BINS);
        sfi_bins_fill(b, &s, height);
        double sum = 0.0;
        for (int k = 0; k < b.count; k++)
            sum += height[k] * b.width;
        CHECK_NEAR(sum, 1.0, 1e-12);
        sfi_sorted_free(&s);
    }
    sf_context_free(ctx);
}

/* On 0, 1/1000, ..., 1 the IQR is 1/2 and n = 1001, so Freedman and Diaconis
 * ask for a width of n^(-1/3) = 0.09997: 11 bins.  The rule of 2 n^(1/3) bins
 * asks for 21, which is more. */
TEST(bins_are_as_many_as_documented)
{
    sf_context *ctx = new_context();
    double x[1001];
    for (int i = 0; i <= 1000; i++)
        x[i] = i / 1000.0;
    sfi_sorted s = sorted_of(ctx, x, 1001);
    assert_int_equal(sfi_bins_choose(&s, 0.0, 1.0, 0).count, 21);
    assert_int_equal(sfi_bins_choose(&s, 0.0, 1.0, 7).count, 7);
    /* An outlier at 10 stretches the range to 100 widths of 0.1. */
    assert_int_equal(sfi_bins_choose(&s, 0.0, 10.0, 0).count, 101);
    sfi_sorted_free(&s);
    sf_context_free(ctx);
}

TEST(integers_get_bins_of_whole_width)
{
    sf_context *ctx = new_context();
    double x[200];
    for (int i = 0; i < 200; i++)
        x[i] = 43 + (i * 37) % 54;
    sfi_sorted s = sorted_of(ctx, x, 200);
    const sfi_bins b = sfi_bins_choose(&s, 43.0, 96.0, 0);
    CHECK(b.width == floor(b.width) && b.width >= 1.0);
    CHECK(b.lo == 42.5);
    CHECK(b.lo + b.count * b.width >= 96.5);
    sfi_sorted_free(&s);
    sf_context_free(ctx);
}

/* 999 values in [0, 1] and one at 1000: it is not worth an axis. */
TEST(a_view_leaves_out_what_is_far_away)
{
    sf_context *ctx = new_context();
    double x[1000];
    for (int i = 0; i < 1000; i++)
        x[i] = i / 999.0;
    x[999] = 1000.0;
    sfi_sorted s = sorted_of(ctx, x, 1000);
    double lo, hi;
    sfi_sorted_view(&s, &lo, &hi);
    CHECK(lo == 0.0);
    CHECK(hi > 1.0 && hi < 3.0);
    sfi_sorted far = sorted_of(ctx, x + 990, 10);
    double both_lo, both_hi;
    sfi_sorted_view_both(&s, &far, &both_lo, &both_hi);
    CHECK(both_lo == lo);
    CHECK_NEAR(both_hi, hi + 0.5 * (hi - lo), 1e-12);
    sfi_sorted_free(&s);
    sfi_sorted_free(&far);
    sf_context_free(ctx);
}

TEST(picks_are_ascending_and_fair)
{
    enum { MOST = 300 };
    const int64_t n = 1000003;
    int64_t before = -1;
    double mean = 0.0;
    for (int64_t k = 0; k < MOST; k++) {
        const int64_t i = sfi_pick(k, MOST, n);
        CHECK(i > before && i < n);
        CHECK(i >= k * n / MOST && i <= (k + 1) * n / MOST);
        before = i;
        mean += (double)i / MOST;
    }
    /* Standard error of the mean of one uniform draw from each of 300 runs:
     * (n / 300) / sqrt(12 * 300) = 55; five of them. */
    CHECK_NEAR(mean, 0.5 * (double)n, 5.0 * 55.6);
    for (int64_t k = 0; k < 10; k++)
        assert_int_equal(sfi_pick(k, 10, 10), k);
}

TEST(malformed_matrices_are_named)
{
    sf_context *ctx = new_context();
    const double x[4] = {0.0};
    const sf_cmat thin = {x, 2, 1, 2}, tight = {x, 2, 2, 1},
                  hollow = {NULL, 2, 2, 2};
    const sf_cmat negative = {x, -1, 2, 2}, none = {NULL, 0, 0, 0};
    CHECK_FAILS(ctx, sfi_plot_check(ctx, "f", "data", thin, 2), SF_E_SHAPE,
                "f: data is [2, 1], want at least 2 columns");
    CHECK_FAILS(ctx, sfi_plot_check(ctx, "f", "data", tight, 2), SF_E_SHAPE,
                "stride 1");
    CHECK_FAILS(ctx, sfi_plot_check(ctx, "f", "data", hollow, 2), SF_E_SHAPE,
                "no data");
    CHECK_FAILS(ctx, sfi_plot_check(ctx, "f", "data", negative, 2), SF_E_SHAPE,
                "[-1, 2]");
    CHECK_OK(ctx, sfi_plot_check(ctx, "f", "data", none, 2));
    sf_context_free(ctx);
}

TESTS(CASE(quantiles_interpolate_and_skip_what_is_not_finite),
      CASE(histograms_integrate_to_one), CASE(bins_are_as_many_as_documented),
      CASE(integers_get_bins_of_whole_width),
      CASE(a_view_leaves_out_what_is_far_away),
      CASE(picks_are_ascending_and_fair), CASE(malformed_matrices_are_named))
