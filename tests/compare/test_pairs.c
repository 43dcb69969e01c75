/* SPDX-License-Identifier: Apache-2.0 */
/* Distances between rows: against the definition, for shapes around the size of
 * a quad, a panel and a block, for every set of instructions and any number of
 * threads. */
#define _POSIX_C_SOURCE 200809L
#include "faults.h"
#include "base/random.h"
#include "compare/pairs.h"

enum { MAX_N = 300, MAX_D = 40 };

static double a[MAX_N * MAX_D], b[MAX_N * MAX_D];

static void fill(double *x, uint64_t seed, double offset)
{
    for (int i = 0; i < MAX_N * MAX_D; i++) {
        const sfi_where where = {seed, (uint64_t)i, 0, SFI_STREAM_USER};
        x[i] = offset + sfi_normal_at(where, 0);
    }
}

static double distance(const double *x, const double *y, int64_t d)
{
    long double sum = 0.0L;
    for (int64_t k = 0; k < d; k++)
        sum += ((long double)x[k] - y[k]) * ((long double)x[k] - y[k]);
    return (double)sqrtl(sum);
}

static const int64_t shapes[][3] = {
    {1, 1, 1},   {1, 9, 2},     {4, 8, 3},     {5, 7, 1},     {63, 65, 2},
    {64, 64, 5}, {129, 17, 40}, {300, 300, 2}, {131, 300, 7},
};

/* A sum of n m distances, each right to 1 + d/2 units, and added in lanes. */
TEST(sums_nearest_and_rows_match_the_definition)
{
    sf_context *ctx = new_context();
    fill(a, 1, 1e3);
    fill(b, 2, 1e3);
    static double near[MAX_N], rows[MAX_N * (MAX_N + 8)];
    for (size_t s = 0; s < SFI_COUNT(shapes); s++) {
        const int64_t n = shapes[s][0], m = shapes[s][1], d = shapes[s][2];
        sfi_points x, y;
        const sf_cmat ta = {a, n, d, MAX_D}, tb = {b, m, d, MAX_D};
        CHECK_OK(ctx, sfi_points_new(ctx, &x, ta, NULL, 0, NULL));
        CHECK_OK(ctx, sfi_points_new(ctx, &y, tb, NULL, 0, NULL));
        double xy = 0.0, xx = 0.0, got = 0.0;
        sfi_pairs_nearest(ctx, near, &x, n, &y);
        for (int64_t i = 0; i < n; i++) {
            double nearest = INFINITY;
            for (int64_t j = 0; j < m; j++) {
                const double r = distance(a + i * MAX_D, b + j * MAX_D, d);
                xy += r;
                nearest = fmin(nearest, r);
            }
            CHECK_CLOSE(near[i], nearest, 1e-14);
            for (int64_t j = 0; j < n; j++)
                xx += distance(a + i * MAX_D, a + j * MAX_D, d);
        }
        CHECK_OK(ctx, sfi_pairs_sum(ctx, &got, &x, &y));
        CHECK_CLOSE(got, xy, 1e-12);
        CHECK_OK(ctx, sfi_pairs_sum(ctx, &got, &x, &x));
        CHECK_NEAR(got, xx, 1e-12 * xx);
        sfi_pairs_nearest(ctx, near, &x, n / 2 + 1, &x);
        for (int64_t i = 0; i < n / 2 + 1; i++) {
            double nearest = INFINITY;
            for (int64_t j = 0; j < n; j++) {
                if (j != i)
                    nearest = fmin(nearest,
                                   distance(a + i * MAX_D, a + j * MAX_D, d));
            }
            CHECK(near[i] == nearest || fabs(near[i] / nearest - 1.0) < 1e-14);
        }
        const int64_t first = n / 3, ld = (n + 7) / 8 * 8;
        sfi_pairs_rows(rows, ld, &x, first, n);
        for (int64_t i = first; i < n; i++) {
            for (int64_t j = 0; j < ld; j++)
                CHECK_NEAR(rows[(i - first) * ld + j],
                           j < n ? distance(a + i * MAX_D, a + j * MAX_D, d)
                                 : 0.0,
                           1e-13);
        }
        sfi_points_free(ctx, &y);
        sfi_points_free(ctx, &x);
    }
    sf_context_free(ctx);
}

/* Under an offset of 1e9 coordinates are multiples of 2^-23; the expansion
 * |x|^2 - 2 x.y + |y|^2 would be wrong by 1e2, differences are exact. */
TEST(near_points_far_from_the_origin_keep_their_distance)
{
    sf_context *ctx = new_context();
    const double far[4] = {1e9, -1e9, 1e9 + 0x1p-20, -1e9 + 0x1p-21};
    const sf_cmat one = {far, 1, 2, 2}, two = {far + 2, 1, 2, 2};
    sfi_points x, y;
    double got = 0.0;
    CHECK_OK(ctx, sfi_points_new(ctx, &x, one, NULL, 0, NULL));
    CHECK_OK(ctx, sfi_points_new(ctx, &y, two, NULL, 0, NULL));
    CHECK_OK(ctx, sfi_pairs_sum(ctx, &got, &x, &y));
    CHECK_CLOSE(got, sqrt(5.0) * 0x1p-21, 1e-15);
    sfi_points_free(ctx, &y);
    sfi_points_free(ctx, &x);
    sf_context_free(ctx);
}

TEST(picking_scaling_joining_and_viewing_rows)
{
    sf_context *ctx = new_context();
    fill(a, 1, 0.0);
    const sf_cmat table = {a, 20, 3, MAX_D};
    const int64_t pick[9] = {19, 3, 3, 0, 7, 8, 9, 10, 11};
    const double factor[3] = {1.0, 10.0, 100.0};
    sfi_points x, all;
    CHECK_OK(ctx, sfi_points_new(ctx, &x, table, pick, 9, factor));
    for (int i = 0; i < 9; i++) {
        for (int k = 0; k < 3; k++) {
            const double want = a[pick[i] * MAX_D + k] * factor[k];
            CHECK(x.rows[i * 3 + k] == want);
            CHECK(x.panels[(i / 8 * 3 + k) * 8 + i % 8] == want);
        }
    }
    const sfi_points parts[2] = {x, x};
    const int64_t counts[2] = {5, 2};
    CHECK_OK(ctx, sfi_points_join(ctx, &all, parts, counts));
    CHECK(all.n == 7 && all.d == 3);
    for (int i = 0; i < 7; i++)
        CHECK(all.rows[i * 3 + 1] == x.rows[i % 5 * 3 + 1]);
    /* A view counts its own rows only, though others share its last panel. */
    const sfi_points view = sfi_points_first(&x, 2);
    double got = 0.0;
    CHECK_OK(ctx, sfi_pairs_sum(ctx, &got, &view, &view));
    CHECK_CLOSE(got, 2.0 * distance(x.rows, x.rows + 3, 3), 1e-14);
    sfi_points_free(ctx, &all);
    sfi_points_free(ctx, &x);
    sf_context_free(ctx);
}

TEST(neither_threads_nor_instructions_change_a_bit)
{
    sf_context *ctx = new_context();
    fill(a, 1, 0.0);
    fill(b, 2, 0.5);
    static double near[2][MAX_N];
    static const char *const isa[] = {"", "portable", "avx2"};
    for (size_t s = 0; s < SFI_COUNT(shapes); s++) {
        const int64_t n = shapes[s][0], m = shapes[s][1], d = shapes[s][2];
        sfi_points x, y;
        const sf_cmat ta = {a, n, d, MAX_D}, tb = {b, m, d, MAX_D};
        CHECK_OK(ctx, sfi_points_new(ctx, &x, ta, NULL, 0, NULL));
        CHECK_OK(ctx, sfi_points_new(ctx, &y, tb, NULL, 0, NULL));
        double first[2] = {0.0}, now[2] = {0.0};
        for (int run = 0; run < 9; run++) {
            static const int threads[] = {1, 2, 7};
            CHECK_OK(ctx, sf_context_set_threads(ctx, threads[run % 3]));
            CHECK(setenv("SCOREFIELD_ISA", isa[run / 3], 1) == 0);
            double *sums = run == 0 ? first : now;
            CHECK_OK(ctx, sfi_pairs_sum(ctx, &sums[0], &x, &y));
            CHECK_OK(ctx, sfi_pairs_sum(ctx, &sums[1], &x, &x));
            sfi_pairs_nearest(ctx, near[run > 0], &x, n, &y);
            CHECK(run == 0 || memcmp(first, now, sizeof now) == 0);
            CHECK(run == 0 ||
                  memcmp(near[0], near[1], (size_t)n * sizeof **near) == 0);
        }
        sfi_points_free(ctx, &y);
        sfi_points_free(ctx, &x);
    }
    unsetenv("SCOREFIELD_ISA");
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    fill(a, 1, 0.0);
    const sf_cmat table = {a, 20, 3, MAX_D};
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status)) {
        sfi_points x = {0, 0, NULL, NULL};
        double sum = 0.0;
        status = sfi_points_new(ctx, &x, table, NULL, 0, NULL);
        if (status == SF_OK)
            status = sfi_pairs_sum(ctx, &sum, &x, &x);
        sfi_points_free(ctx, &x);
    }
    CHECK(faults.tries == 4);
    sf_context_free(ctx);
}

TESTS(CASE(sums_nearest_and_rows_match_the_definition),
      CASE(near_points_far_from_the_origin_keep_their_distance),
      CASE(picking_scaling_joining_and_viewing_rows),
      CASE(neither_threads_nor_instructions_change_a_bit),
      CASE(every_allocation_may_fail))
