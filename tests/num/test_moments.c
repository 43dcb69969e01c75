/* SPDX-License-Identifier: Apache-2.0 */
/* Streaming mean and covariance: against two passes in long double, under a
 * huge offset, with weights, in pieces, and on any number of threads. */
#include "faults.h"
#include "base/random.h"
#include "num/moments.h"

enum { MAX_N = 9000, MAX_D = 300 };

static double data[MAX_N * 40];
static double weights[MAX_N];
static double got[MAX_D * MAX_D], want[MAX_D * MAX_D];
static double got_mean[MAX_D], want_mean[MAX_D];

/* Correlated columns of different scales: x_j = (j+1) z_j + z_0. */
static void fill(double *x, int64_t n, int64_t d, int64_t stride)
{
    for (int64_t i = 0; i < n; i++) {
        const sfi_where where = {5, (uint64_t)i, 0, SFI_STREAM_USER};
        const double common = sfi_normal_at(where, 0);
        for (int64_t j = 0; j < d; j++)
            x[i * stride + j] =
                (double)(j + 1) * sfi_normal_at(where, (uint32_t)j) + common;
    }
}

static void two_passes(const double *x, int64_t stride, const double *w,
                       int64_t n, int64_t d, sfi_divisor divisor)
{
    long double total = 0.0L, squares = 0.0L;
    for (int64_t i = 0; i < n; i++) {
        const long double wi = w != NULL ? w[i] : 1.0;
        total += wi;
        squares += wi * wi;
    }
    static long double mean[MAX_D];
    for (int64_t j = 0; j < d; j++) {
        mean[j] = 0.0L;
        for (int64_t i = 0; i < n; i++)
            mean[j] += (w != NULL ? w[i] : 1.0L) * x[i * stride + j] / total;
        want_mean[j] = (double)mean[j];
    }
    const long double by =
        divisor == SFI_POPULATION ? total : total - squares / total;
    for (int64_t a = 0; a < d; a++) {
        for (int64_t b = 0; b <= a; b++) {
            long double sum = 0.0L;
            for (int64_t i = 0; i < n; i++)
                sum += (w != NULL ? w[i] : 1.0L) *
                       (x[i * stride + a] - mean[a]) *
                       (x[i * stride + b] - mean[b]);
            want[a * d + b] = want[b * d + a] = (double)(sum / by);
        }
    }
}

/* Entry (a, b) is judged on the scale of its standard deviations. */
static void check_covariance(int64_t d, double rtol)
{
    for (int64_t a = 0; a < d; a++) {
        for (int64_t b = 0; b < d; b++)
            CHECK_NEAR(got[a * d + b], want[a * d + b],
                       rtol * sqrt(want[a * d + a] * want[b * d + b]));
    }
}

TEST(two_passes_in_long_double_agree_for_every_shape)
{
    static const int64_t shapes[][3] = {
        /* rows, cols, stride */
        {1, 1, 1},      {2, 1, 1},     {3, 2, 5},       {9000, 1, 1},
        {8999, 3, 4},   {9000, 4, 4},  {5001, 7, 11},   {4000, 8, 8},
        {3001, 33, 40}, {700, 70, 80}, {900, 300, 300},
    };
    sf_context *ctx = new_context();
    for (size_t k = 0; k < SFI_COUNT(shapes); k++) {
        const int64_t n = shapes[k][0], d = shapes[k][1], stride = shapes[k][2];
        fill(data, n, d, stride);
        sfi_moments *m = NULL;
        CHECK_OK(ctx, sfi_moments_new(ctx, &m, d));
        const sf_cmat rows = {data, n, d, stride};
        CHECK_OK(ctx, sfi_moments_add(m, rows, NULL));
        CHECK(sfi_moments_rows(m) == n);
        CHECK(sfi_moments_weight(m) == (double)n);
        const sfi_divisor divisor = n > 1 ? SFI_SAMPLE : SFI_POPULATION;
        two_passes(data, stride, NULL, n, d, divisor);
        CHECK_OK(ctx, sfi_moments_mean(m, got_mean));
        CHECK_OK(ctx, sfi_moments_covariance(m, got, divisor));
        for (int64_t j = 0; j < d; j++)
            CHECK_NEAR(got_mean[j], want_mean[j],
                       1e-15 * (1.0 + sqrt(want[j * d + j])));
        check_covariance(d, 2e-15 + 2e-16 * sqrt((double)n));
        sfi_moments_free(m);
    }
    sf_context_free(ctx);
}

/* Small multiples of 2^-22 stay exact when 1e9 < 2^30 is added (30 + 22 = 52
 * bits), so the shifted table has exactly the covariance of the plain one.
 * The rounding of a mean to double alone would be 1e-7, on a scale of 2^-6. */
TEST(a_huge_offset_costs_nothing)
{
    enum { N = 9000, D = 5 };
    sf_context *ctx = new_context();
    for (int64_t i = 0; i < N * D; i++) {
        const sfi_where where = {6, (uint64_t)i, 0, SFI_STREAM_USER};
        data[i] = floor(sfi_normal_at(where, 0) * 0x1p16) * 0x1p-22;
    }
    two_passes(data, D, NULL, N, D, SFI_SAMPLE);
    for (int64_t i = 0; i < N * D; i++)
        data[i] += i % D == 1 ? -1e9 : 1e9;
    sfi_moments *m = NULL;
    CHECK_OK(ctx, sfi_moments_new(ctx, &m, D));
    /* In pieces, so that many joins take place. */
    for (int64_t first = 0; first < N; first += 90) {
        const sf_cmat rows = {data + first * D, 90, D, D};
        CHECK_OK(ctx, sfi_moments_add(m, rows, NULL));
    }
    CHECK_OK(ctx, sfi_moments_covariance(m, got, SFI_SAMPLE));
    check_covariance(D, 1e-14);
    CHECK_OK(ctx, sfi_moments_mean(m, got_mean));
    for (int j = 0; j < D; j++)
        CHECK_NEAR(got_mean[j], want_mean[j] + (j == 1 ? -1e9 : 1e9), 1.2e-7);
    /* And as one table, where whole blocks are joined. */
    sfi_moments_clear(m);
    const sf_cmat rows = {data, N, D, D};
    CHECK_OK(ctx, sfi_moments_add(m, rows, NULL));
    CHECK_OK(ctx, sfi_moments_covariance(m, got, SFI_SAMPLE));
    check_covariance(D, 1e-14);
    sfi_moments_free(m);
    sf_context_free(ctx);
}

TEST(a_whole_weight_repeats_a_row)
{
    enum { N = 3000, D = 3 };
    sf_context *ctx = new_context();
    fill(data, N, D, D);
    static double repeated[MAX_N * D];
    int64_t count = 0;
    for (int64_t i = 0; i < N; i++) {
        weights[i] = (double)(i * i % 4); /* 0 or 1: i^2 mod 4 */
        weights[i] += i % 3 == 0 ? 2.0 : 0.0;
        for (int k = 0; k < (int)weights[i]; k++, count++)
            memcpy(repeated + count * D, data + i * D, D * sizeof *data);
    }
    sfi_moments *m = NULL, *plain = NULL;
    CHECK_OK(ctx, sfi_moments_new(ctx, &m, D));
    CHECK_OK(ctx, sfi_moments_new(ctx, &plain, D));
    const sf_cmat rows = {data, N, D, D}, all = {repeated, count, D, D};
    CHECK_OK(ctx, sfi_moments_add(m, rows, weights));
    CHECK_OK(ctx, sfi_moments_add(plain, all, NULL));
    CHECK(sfi_moments_weight(m) == (double)count);
    CHECK(sfi_moments_rows(m) == N);
    CHECK_OK(ctx, sfi_moments_covariance(m, got, SFI_POPULATION));
    CHECK_OK(ctx, sfi_moments_covariance(plain, want, SFI_POPULATION));
    check_covariance(D, 1e-14);
    CHECK_OK(ctx, sfi_moments_mean(m, got_mean));
    CHECK_OK(ctx, sfi_moments_mean(plain, want_mean));
    for (int j = 0; j < D; j++)
        CHECK_NEAR(got_mean[j], want_mean[j], 1e-14);
    sfi_moments_free(plain);
    sfi_moments_free(m);
    sf_context_free(ctx);
}

TEST(any_weights_agree_with_two_passes)
{
    enum { N = 8999, D = 4 };
    sf_context *ctx = new_context();
    fill(data, N, D, D);
    for (int64_t i = 0; i < N; i++) {
        const sfi_where where = {7, (uint64_t)i, 0, SFI_STREAM_USER};
        weights[i] = i < 8500 ? 1e-3 * sfi_uniform_at(where, 0) : 0.0;
    }
    sfi_moments *m = NULL;
    CHECK_OK(ctx, sfi_moments_new(ctx, &m, D));
    const sf_cmat rows = {data, N, D, D};
    CHECK_OK(ctx, sfi_moments_add(m, rows, weights));
    two_passes(data, D, weights, N, D, SFI_SAMPLE);
    CHECK_OK(ctx, sfi_moments_covariance(m, got, SFI_SAMPLE));
    check_covariance(D, 3e-14);
    sfi_moments_free(m);
    sf_context_free(ctx);
}

TEST(threads_do_not_change_a_bit)
{
    enum { N = 9000, D = 33 };
    sf_context *ctx = new_context();
    fill(data, N, D, D);
    for (int64_t i = 0; i < N; i++)
        weights[i] = (double)(i % 7);
    sfi_moments *m = NULL;
    CHECK_OK(ctx, sfi_moments_new(ctx, &m, D));
    const sf_cmat rows = {data, N, D, D};
    static const int threads[] = {1, 2, 7};
    for (int with = 0; with < 2; with++) {
        for (size_t k = 0; k < SFI_COUNT(threads); k++) {
            CHECK_OK(ctx, sf_context_set_threads(ctx, threads[k]));
            sfi_moments_clear(m);
            CHECK_OK(ctx, sfi_moments_add(m, rows, with ? weights : NULL));
            CHECK_OK(ctx, sfi_moments_mean(m, k == 0 ? want_mean : got_mean));
            CHECK_OK(ctx, sfi_moments_covariance(m, k == 0 ? want : got,
                                                 SFI_POPULATION));
            CHECK(k == 0 || memcmp(got, want, D * D * sizeof *got) == 0);
            CHECK(k == 0 || memcmp(got_mean, want_mean, D * sizeof *got) == 0);
        }
    }
    sfi_moments_free(m);
    sf_context_free(ctx);
}

TEST(pieces_and_merged_accumulators_agree_with_the_whole)
{
    enum { N = 6000, D = 6 };
    sf_context *ctx = new_context();
    fill(data, N, D, D);
    two_passes(data, D, NULL, N, D, SFI_SAMPLE);
    sfi_moments *a = NULL, *b = NULL, *empty = NULL;
    CHECK_OK(ctx, sfi_moments_new(ctx, &a, D));
    CHECK_OK(ctx, sfi_moments_new(ctx, &b, D));
    CHECK_OK(ctx, sfi_moments_new(ctx, &empty, D));
    for (int64_t first = 0, size = 1; first < N; first += size, size *= 2) {
        const int64_t here = size < N - first ? size : N - first;
        const sf_cmat rows = {data + first * D, here, D, D};
        CHECK_OK(ctx, sfi_moments_add(first % 2 == 0 ? a : b, rows, NULL));
    }
    CHECK_OK(ctx, sfi_moments_merge(a, b));
    CHECK_OK(ctx, sfi_moments_merge(a, empty));
    CHECK_OK(ctx, sfi_moments_merge(empty, a));
    CHECK(sfi_moments_rows(empty) == N);
    for (int k = 0; k < 2; k++) {
        CHECK_OK(ctx, sfi_moments_covariance(k ? a : empty, got, SFI_SAMPLE));
        check_covariance(D, 1e-14);
        CHECK_OK(ctx, sfi_moments_mean(k ? a : empty, got_mean));
        for (int j = 0; j < D; j++)
            CHECK_NEAR(got_mean[j], want_mean[j], 1e-14);
    }
    sfi_moments_free(empty);
    sfi_moments_free(b);
    sfi_moments_free(a);
    sf_context_free(ctx);
}

TEST(what_can_not_be_answered_is_refused)
{
    sf_context *ctx = new_context();
    sfi_moments *m = NULL, *other = NULL;
    CHECK_FAILS(ctx, sfi_moments_new(ctx, &m, 0), SF_E_SHAPE, "cols is 0");
    CHECK(m == NULL);
    CHECK_OK(ctx, sfi_moments_new(ctx, &m, 2));
    CHECK_OK(ctx, sfi_moments_new(ctx, &other, 3));
    CHECK_FAILS(ctx, sfi_moments_merge(m, other), SF_E_SHAPE, "3 columns");
    CHECK_FAILS(ctx, sfi_moments_mean(m, got_mean), SF_E_NUMERIC, "0 rows");
    CHECK_FAILS(ctx, sfi_moments_covariance(m, got, SFI_POPULATION),
                SF_E_NUMERIC, "0 rows");
    const double x[6] = {1, 2, 3, 5, NAN, 0};
    sf_cmat rows = {x, 2, 3, 3};
    CHECK_FAILS(ctx, sfi_moments_add(m, rows, NULL), SF_E_SHAPE, "want 2");
    rows.cols = rows.stride = 2;
    rows.rows = 1;
    CHECK_OK(ctx, sfi_moments_add(m, rows, NULL));
    CHECK_FAILS(ctx, sfi_moments_covariance(m, got, SFI_SAMPLE), SF_E_NUMERIC,
                "1 rows");
    double w[3] = {1.0, -1.0, 1.0};
    rows.rows = 2;
    CHECK_FAILS(ctx, sfi_moments_add(m, rows, w), SF_E_NUMERIC,
                "weight 1 is -1");
    w[1] = INFINITY;
    CHECK_FAILS(ctx, sfi_moments_add(m, rows, w), SF_E_NUMERIC,
                "weight 1 is inf");
    CHECK(sfi_moments_rows(m) == 1);
    /* Nothing is skipped: a NaN reaches its own column and no other. */
    rows.rows = 3;
    CHECK_OK(ctx, sfi_moments_add(m, rows, NULL));
    CHECK_OK(ctx, sfi_moments_covariance(m, got, SFI_SAMPLE));
    CHECK(isnan(got[0]) && isnan(got[1]) && isnan(got[2]) && isfinite(got[3]));
    sfi_moments_free(other);
    sfi_moments_free(m);
    sfi_moments_free(NULL);
    sf_context_free(ctx);
}

TEST(allocations_may_fail_and_adding_makes_none)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sfi_moments *m = NULL;
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status)) {
        status = sfi_moments_new(ctx, &m, 9);
        CHECK(status == SF_OK || m == NULL);
        sfi_moments_free(m);
    }
    CHECK(faults.tries > 1);
    CHECK_OK(ctx, sfi_moments_new(ctx, &m, 9));
    faults.left = 0;
    fill(data, 4000, 9, 9);
    const sf_cmat rows = {data, 4000, 9, 9};
    CHECK_OK(ctx, sfi_moments_add(m, rows, NULL));
    CHECK_OK(ctx, sfi_moments_covariance(m, got, SFI_SAMPLE));
    sfi_moments_free(m);
    CHECK(faults.bytes == faults.own);
    sf_context_free(ctx);
}

TESTS(CASE(two_passes_in_long_double_agree_for_every_shape),
      CASE(a_huge_offset_costs_nothing), CASE(a_whole_weight_repeats_a_row),
      CASE(any_weights_agree_with_two_passes),
      CASE(threads_do_not_change_a_bit),
      CASE(pieces_and_merged_accumulators_agree_with_the_whole),
      CASE(what_can_not_be_answered_is_refused),
      CASE(allocations_may_fail_and_adding_makes_none))
