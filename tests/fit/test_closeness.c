/* SPDX-License-Identifier: Apache-2.0 */
/* test_closeness.c - how near draws of local models are to their rows. */
#include "base/random.h"
#include "faults.h"
#include "scorefield/fit.h"
#include "scorefield/flow.h"

enum { N = 300, D = 2 };

static void draw_rows(double *x, int64_t n, uint64_t seed)
{
    for (int64_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < D; j++)
            x[D * i + j] = sfi_normal_at(
                (sfi_where){seed, (uint64_t)i, 0, SFI_STREAM_USER}, j);
}

static sf_closeness curve(sf_context *ctx, const double *x, int64_t n,
                          const sf_local_options *o, double ratio)
{
    sf_closeness r = SF_CLOSENESS_INIT;
    CHECK_OK(ctx, sf_local_closeness(ctx, &r, (sf_cmat){x, n, D, D}, NULL, o,
                                     ratio, 7));
    return r;
}

/* Draws that are the rows themselves are at distance 0, whatever k is. */
TEST(copies_have_the_ratio_0)
{
    static double x[D * N];
    sf_context *ctx = new_context();
    sf_local_options o = SF_LOCAL_OPTIONS_INIT;
    o.width = 0.0;
    o.shrink = 0.0;
    draw_rows(x, N, 1);
    const sf_closeness r = curve(ctx, x, N, &o, 0.1);
    CHECK(r.folds == 10 && r.held_out == N && r.drawn == 10 * 270);
    CHECK(r.neighbours == 0);
    CHECK(r.point[0].neighbours == 3 &&
          r.point[r.count - 1].neighbours == 270 / 4);
    for (int64_t p = 0; p < r.count; p++) {
        CHECK(r.point[p].ratio < 1e-12 && r.point[p].near == 1.0);
        CHECK(p == 0 || r.point[p].neighbours > r.point[p - 1].neighbours);
    }
    sf_context_free(ctx);
}

static double range_of(const double *x, int64_t n, int j)
{
    double low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < n; i++) {
        low = fmin(low, x[D * i + j]);
        high = fmax(high, x[D * i + j]);
    }
    return high - low;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median distance of y [m, D] to the nearest of x [n, D]. */
static double median_distance(const double *y, int64_t m, const double *x,
                              int64_t n, const double *unit)
{
    static double out[4000];
    for (int64_t q = 0; q < m; q++) {
        out[q] = INFINITY;
        for (int64_t i = 0; i < n; i++)
            out[q] =
                fmin(out[q], fabs(y[D * q] - x[D * i]) / unit[0] +
                                 fabs(y[D * q + 1] - x[D * i + 1]) / unit[1]);
    }
    qsort(out, (size_t)m, sizeof *out, compare);
    return 0.5 * (out[m / 2 - 1] + out[m / 2]);
}

/* By other code: one model of 270 rows, its draws, and 4000 fresh rows of the same
 * distribution.  The ratios differ by what the estimate says of its error, and by
 * that of one model's, which is as large: five of both. */
TEST(ratios_are_those_of_fresh_rows)
{
    enum { FRESH = 4000, ROWS = 270 };
    static double x[D * N], fresh[D * FRESH], drawn[D * FRESH];
    sf_context *ctx = new_context();
    sf_local_options o = SF_LOCAL_OPTIONS_INIT;
    draw_rows(x, N, 2);
    draw_rows(fresh, FRESH, 3);
    const double unit[] = {range_of(x, N, 0), range_of(x, N, 1)};
    const sf_closeness r = curve(ctx, x, N, &o, 0.8);
    const double usual = median_distance(fresh, FRESH, x, ROWS, unit);
    int checked = 0;
    for (int64_t p = 0; p < r.count; p++) {
        const sf_closeness_point *point = &r.point[p];
        sf_model *m = NULL;
        if (point->neighbours != 3 && point->neighbours != 11 &&
            point->neighbours != 37)
            continue;
        o.neighbours = point->neighbours;
        CHECK_OK(ctx, sf_fit_local(ctx, &m, (sf_cmat){x, ROWS, D, D}, NULL, &o,
                                   NULL));
        CHECK_OK(ctx, sf_sample(m, (sf_mat){drawn, FRESH, D, D}, NULL));
        sf_model_free(m);
        const double ratio =
            median_distance(drawn, FRESH, x, ROWS, unit) / usual;
        CHECK_NEAR(point->ratio, ratio, 5.0 * 1.5 * point->ratio_se);
        CHECK(point->ratio_se < 0.1 * point->ratio);
        checked++;
    }
    CHECK(checked == 3);
    /* The least k within a standard error of the ratio. */
    for (int64_t p = 0; p < r.count; p++)
        if (r.point[p].ratio + r.point[p].ratio_se >= 0.8) {
            CHECK(r.neighbours == r.point[p].neighbours);
            break;
        }
    CHECK(r.neighbours > 3);
    sf_context_free(ctx);
}

/* Units of columns are of no consequence: both distances are over the range. */
TEST(units_do_not_matter)
{
    static double x[2][D * N];
    sf_context *ctx = new_context();
    sf_closeness r[2];
    draw_rows(x[0], N, 4);
    for (int i = 0; i < N; i++) {
        x[1][D * i] = 1024.0 * x[0][D * i]; /* a power of two: no rounding */
        x[1][D * i + 1] = x[0][D * i + 1] / 64.0;
    }
    for (int k = 0; k < 2; k++)
        r[k] = curve(ctx, x[k], N, NULL, 1.0);
    for (int64_t p = 0; p < r[0].count; p++)
        CHECK_NEAR(r[1].point[p].ratio, r[0].point[p].ratio, 1e-9);
    sf_context_free(ctx);
}

TEST(threads_do_not_change_a_bit)
{
    static const int counts[] = {1, 2, 7};
    static double x[D * N];
    sf_closeness r[3];
    draw_rows(x, N, 5);
    for (int t = 0; t < 3; t++) {
        sf_context *ctx = new_context();
        CHECK_OK(ctx, sf_context_set_threads(ctx, counts[t]));
        r[t] = curve(ctx, x, N, NULL, 0.9);
        CHECK(memcmp(r[t].point, r[0].point, sizeof r[0].point) == 0);
        sf_context_free(ctx);
    }
}

TEST(what_has_no_ratio_is_refused)
{
    static double x[D * N];
    sf_context *ctx = new_context();
    sf_closeness r = SF_CLOSENESS_INIT;
    draw_rows(x, N, 6);
    CHECK_FAILS(
        ctx,
        sf_local_closeness(ctx, &r, (sf_cmat){x, 39, D, D}, NULL, NULL, 0.9, 0),
        SF_E_ARG, "39 rows");
    CHECK_FAILS(
        ctx,
        sf_local_closeness(ctx, &r, (sf_cmat){x, N, D, D}, NULL, NULL, 0.0, 0),
        SF_E_ARG, "ratio is 0");
    for (int i = 0; i < D * N; i++)
        x[i] = (double)(i % D + i / D % 3); /* all rows have many twins */
    CHECK_FAILS(
        ctx,
        sf_local_closeness(ctx, &r, (sf_cmat){x, N, D, D}, NULL, NULL, 0.9, 0),
        SF_E_NUMERIC, "equal another");
    CHECK(r.count == 0);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    enum { M = 40 };
    double x[D * M];
    struct faults f;
    sf_context *ctx = faulty_context(&f);
    draw_rows(x, M, 8);
    sf_status status = SF_E_NOMEM;
    for (int64_t k = 0; status != SF_OK; k += 1 + k / 8) {
        sf_closeness r = SF_CLOSENESS_INIT;
        f.left = k;
        status = sf_local_closeness(ctx, &r, (sf_cmat){x, M, D, D}, NULL, NULL,
                                    0.9, 0);
        CHECK(status == SF_OK || status == SF_E_NOMEM);
        CHECK(f.bytes == f.own);
    }
    f.left = INT64_MAX;
    sf_context_free(ctx);
}

TESTS(CASE(copies_have_the_ratio_0), CASE(ratios_are_those_of_fresh_rows),
      CASE(units_do_not_matter), CASE(threads_do_not_change_a_bit),
      CASE(what_has_no_ratio_is_refused), CASE(every_allocation_may_fail))
