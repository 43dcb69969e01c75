/* SPDX-License-Identifier: Apache-2.0 */
/* test_posterior_skip.c - the posterior reduction over more data than a query
 * looks at, and with a scale for each point, against its definition. */
#include "base/random.h"
#include "check.h"
#include "num/posterior.h"

enum { N = 5000, M = 45, MOST_D = 20, PAIRS = 36 };

static double data[N * MOST_D], queries[M * MOST_D];
static double log_weights[N], scales[N];

/* What a run gives. */
typedef struct results {
    double lse[M], mean[M * MOST_D], score[M * MOST_D], mean_scale[M];
    double cov[M * PAIRS];
} results;

static results got, wanted;

static double normal(uint64_t i, uint32_t j)
{
    const sfi_where where = {17, i, 0, SFI_STREAM_USER};
    return sfi_normal_at(where, j);
}

/* Three clusters; every tenth row is a copy of another, every seventh weighs
 * nothing.  Queries: near the data, on rows of the data, and far outside. */
static void fill(int64_t d)
{
    for (int64_t j = 0; j < N; j++) {
        const int64_t like = j % 10 == 9 ? j / 100 : j;
        log_weights[j] = j % 7 == 3 ? -INFINITY : 2.0 * normal((uint64_t)j, 99);
        scales[j] = exp(0.7 * normal((uint64_t)j, 98));
        for (int64_t k = 0; k < d; k++)
            data[j * d + k] = 4.0 * (double)(like % 3) - 2.0 +
                              normal((uint64_t)like, (uint32_t)k);
    }
    for (int64_t i = 0; i < M; i++)
        for (int64_t k = 0; k < d; k++)
            queries[i * d + k] =
                i % 9 == 0   ? 300.0 * normal((uint64_t)(N + i), (uint32_t)k)
                : i % 3 == 1 ? data[37 * i * d + k]
                             : 3.0 * normal((uint64_t)(N + i), (uint32_t)k);
}

typedef struct setting {
    int64_t d;
    double scale, tolerance;
    sfi_likeness likeness;
    bool weighted, scaled;
} setting;

static sfi_posterior *make(sf_context *ctx, sf_dtype dtype, const setting *s)
{
    sfi_posterior *p = NULL;
    const sfi_posterior_options options = {.covariance = s->d * s->d <= PAIRS,
                                           .scales = s->scaled ? scales : NULL};
    CHECK_OK(ctx,
             sfi_posterior_new(ctx, &p, dtype, (sf_cmat){data, N, s->d, s->d},
                               s->weighted ? log_weights : NULL, &options));
    return p;
}

static void run(sfi_posterior *p, const setting *s, const double *x, int64_t m,
                results *to)
{
    const int64_t d = s->d;
    memset(to, 0, sizeof *to);
    sfi_posterior_want want = {.lse = to->lse,
                               .mean = {to->mean, m, d, d},
                               .score = {to->score, m, d, d},
                               .mean_scale = to->mean_scale,
                               .tolerance = s->tolerance};
    if (d * d <= PAIRS)
        want.cov = (sf_mat){to->cov, m, d * d, d * d};
    sfi_posterior_run(p, (sf_cmat){x, m, d, d}, s->scale, s->likeness, &want);
}

/* In long double, two passes. */
static void define(const setting *s)
{
    static long double l[N];
    const int64_t d = s->d;
    for (int64_t i = 0; i < M; i++) {
        const double *x = queries + i * d;
        long double top = -INFINITY, total = 0.0L, mean_s = 0.0L;
        for (int64_t j = 0; j < N; j++) {
            long double sum = 0.0L;
            for (int64_t k = 0; k < d; k++) {
                const long double y = data[j * d + k];
                sum += s->likeness == SFI_DISTANCE
                           ? -0.5L * (x[k] - y) * (x[k] - y)
                           : x[k] * y;
            }
            l[j] = s->scale * (s->scaled ? scales[j] : 1.0) * sum +
                   (s->weighted ? log_weights[j] : 0.0);
            top = l[j] > top ? l[j] : top;
        }
        for (int64_t j = 0; j < N; j++)
            total += l[j] = expl(l[j] - top);
        wanted.lse[i] = (double)(top + logl(total));
        for (int64_t j = 0; j < N; j++) {
            l[j] /= total;
            mean_s += l[j] * (s->scaled ? scales[j] : 1.0);
        }
        wanted.mean_scale[i] = (double)(s->scale * mean_s);
        for (int64_t k = 0; k < d; k++) {
            long double mean = 0.0L, score = 0.0L;
            for (int64_t j = 0; j < N; j++) {
                const long double y = data[j * d + k];
                mean += l[j] * y;
                score += l[j] * (s->likeness == SFI_PRODUCT ? y
                                 : s->scaled ? scales[j] * (y - x[k])
                                             : y - x[k]);
            }
            wanted.mean[i * d + k] = (double)mean;
            wanted.score[i * d + k] = (double)(s->scale * score);
        }
        for (int64_t k = 0; k < d * d && d * d <= PAIRS; k++) {
            long double sum = 0.0L;
            for (int64_t j = 0; j < N; j++)
                sum += l[j] *
                       (data[j * d + k / d] - wanted.mean[i * d + k / d]) *
                       (data[j * d + k % d] - wanted.mean[i * d + k % d]);
            wanted.cov[i * d * d + k] = (double)sum;
        }
    }
}

/* `within` is relative to numbers above 1. */
static void compare(const double *a, const double *b, int64_t n, double within)
{
    for (int64_t i = 0; i < n; i++)
        CHECK_NEAR(a[i], b[i], within * fmax(1.0, fabs(b[i])));
}

/* All weight on one row for most queries at the largest scale, on all rows at
 * the smallest.  In double the products of d = 5 and 20 lose
 * scale |x - c| |y - c| 2^-53, up to 10^-7 far outside; scores are s times an
 * error of the mean, and covariances lose 2^-53 |x - y|^2. */
static void check_cases(sf_context *ctx, bool scaled)
{
    static const int64_t dims[] = {1, 2, 3, 5, 20};
    static const double sizes[] = {1e-4, 1.0, 300.0, 1e5};
    for (int c = 0; c < 5 * 4 * 2; c++) {
        const setting s = {.d = dims[c % 5],
                           .scale = sizes[c / 5 % 4],
                           .weighted = c >= 20,
                           .scaled = scaled};
        fill(s.d);
        define(&s);
        sfi_posterior *p = make(ctx, SF_F64, &s);
        run(p, &s, queries, M, &got);
        const double within = 1e-12 + 1e-14 * s.scale * (s.d > 3 ? 10.0 : 1.0);
        compare(got.lse, wanted.lse, M, within);
        compare(got.mean, wanted.mean, M * s.d, within);
        compare(got.score, wanted.score, M * s.d, 10.0 * within);
        compare(got.mean_scale, wanted.mean_scale, M, within);
        if (s.d * s.d <= PAIRS)
            compare(got.cov, wanted.cov, M * s.d * s.d, 100.0 * within + 1e-9);
        sfi_posterior_free(p);
    }
}

TEST(little_is_lost_by_not_looking)
{
    sf_context *ctx = new_context();
    check_cases(ctx, false);
    sf_context_free(ctx);
}

TEST(each_point_may_have_its_own_scale)
{
    sf_context *ctx = new_context();
    check_cases(ctx, true);
    sf_context_free(ctx);
}

TEST(products_pass_over_data_too)
{
    sf_context *ctx = new_context();
    for (int c = 0; c < 12; c++) {
        static const double sizes[] = {0.01, 1.0, 30.0};
        const setting s = {.d = 1 + 2 * (c % 4),
                           .scale = sizes[c / 4],
                           .likeness = SFI_PRODUCT,
                           .weighted = true};
        fill(s.d);
        define(&s);
        sfi_posterior *p = make(ctx, SF_F64, &s);
        run(p, &s, queries, M, &got);
        const double within = 1e-12 + 1e-12 * s.scale;
        compare(got.lse, wanted.lse, M, within);
        compare(got.mean, wanted.mean, M * s.d, within);
        compare(got.score, wanted.score, M * s.d, within);
        sfi_posterior_free(p);
    }
    sf_context_free(ctx);
}

/* Single precision: logits of the queries inside are good to a few 10^-5 times
 * their size, and those outside, at a distance of 300, to 10^-5 of 300^2. */
TEST(single_precision_is_good_to_its_own)
{
    sf_context *ctx = new_context();
    for (int c = 0; c < 12; c++) {
        const setting s = {.d = 1 + c % 3,
                           .scale = c / 3 % 2 == 0 ? 0.5 : 40.0,
                           .weighted = true,
                           .scaled = c >= 6};
        fill(s.d);
        define(&s);
        sfi_posterior *p = make(ctx, SF_F32, &s);
        run(p, &s, queries, M, &got);
        for (int64_t i = 0; i < M; i++) {
            const double within = i % 9 == 0 ? 2e-2 : 2e-5;
            compare(got.lse + i, wanted.lse + i, 1, within);
            if (i % 9 != 0) {
                compare(got.mean + i * s.d, wanted.mean + i * s.d, s.d, within);
                compare(got.score + i * s.d, wanted.score + i * s.d, s.d,
                        100.0 * within);
            }
        }
        sfi_posterior_free(p);
    }
    sf_context_free(ctx);
}

/* The bound of posterior.h, with the rounding of the reduction beside it: what
 * is passed over takes at most ln(1/(1 - tolerance)) off lse, and adds nothing. */
TEST(the_tolerance_bounds_what_is_left_out)
{
    sf_context *ctx = new_context();
    bool any = false;
    for (int c = 0; c < 6; c++) {
        static const double tolerances[] = {1e-2, 1e-5};
        setting s = {.d = 1 + c % 3, .scale = 10.0, .weighted = true};
        fill(s.d);
        define(&s);
        s.tolerance = tolerances[c / 3];
        sfi_posterior *p = make(ctx, SF_F64, &s);
        run(p, &s, queries, M, &got);
        for (int64_t i = 0; i < M; i++) {
            const double lost = wanted.lse[i] - got.lse[i];
            const double slack = 1e-13 * fmax(1.0, fabs(wanted.lse[i]));
            CHECK(lost >= -slack && lost <= -log1p(-s.tolerance) + slack);
            any = any || lost > 10.0 * slack;
        }
        sfi_posterior_free(p);
    }
    CHECK(any);
    sf_context_free(ctx);
}

/* Alone, in another order, in either precision and for any number of threads a
 * query gets the same bits, whatever others made it look at. */
TEST(neither_companions_nor_threads_change_a_bit)
{
    static double turned[M * MOST_D];
    static results first;
    for (int c = 0; c < 20; c++) {
        static const int64_t dims[] = {1, 2, 3, 5, 20};
        static const int threads[] = {1, 2, 7};
        const setting s = {.d = dims[c % 5],
                           .scale = 20.0,
                           .weighted = true,
                           .scaled = c >= 10,
                           .likeness = SFI_DISTANCE};
        const sf_dtype dtype = c / 5 % 2 == 0 ? SF_F32 : SF_F64;
        fill(s.d);
        for (int64_t i = 0; i < M; i++)
            memcpy(turned + (M - 1 - i) * s.d, queries + i * s.d,
                   (size_t)s.d * sizeof *turned);
        for (int t = 0; t < 3; t++) {
            sf_context *ctx = new_context();
            CHECK_OK(ctx, sf_context_set_threads(ctx, threads[t]));
            sfi_posterior *p = make(ctx, dtype, &s);
            run(p, &s, queries, M, &got);
            if (t == 0)
                first = got;
            CHECK(memcmp(&first, &got, sizeof got) == 0);
            run(p, &s, turned, M, &got);
            for (int64_t i = 0; i < M; i++) {
                const int64_t j = M - 1 - i;
                CHECK(memcmp(&first.lse[i], &got.lse[j], sizeof(double)) == 0);
                CHECK(memcmp(&first.score[i * s.d], &got.score[j * s.d],
                             (size_t)s.d * sizeof(double)) == 0);
            }
            for (int64_t i = 0; i < M; i += 11) {
                run(p, &s, queries + i * s.d, 1, &got);
                CHECK(memcmp(&first.lse[i], &got.lse[0], sizeof(double)) == 0);
                CHECK(memcmp(&first.mean[i * s.d], got.mean,
                             (size_t)s.d * sizeof(double)) == 0);
                CHECK(s.d * s.d > PAIRS ||
                      memcmp(&first.cov[i * s.d * s.d], got.cov,
                             (size_t)(s.d * s.d) * sizeof(double)) == 0);
            }
            sfi_posterior_free(p);
            sf_context_free(ctx);
        }
    }
}

/* Blocks of many queries are larger than those of few. */
TEST(nor_does_the_size_of_a_block)
{
    enum { MANY = 20 * M };
    static double many[MANY * MOST_D], total[MANY], mean[MANY * MOST_D];
    sf_context *ctx = new_context();
    for (int c = 0; c < 6; c++) {
        static const int64_t dims[] = {2, 5, 20};
        const setting s = {.d = dims[c % 3], .scale = 3.0, .weighted = true};
        const int64_t d = s.d;
        fill(d);
        for (int64_t i = 0; i < MANY; i++)
            memcpy(many + i * d, queries + i % M * d, (size_t)d * sizeof *many);
        sfi_posterior *p = make(ctx, c < 3 ? SF_F32 : SF_F64, &s);
        run(p, &s, queries, M, &got);
        const sfi_posterior_want want = {.lse = total,
                                         .mean = {mean, MANY, d, d}};
        sfi_posterior_run(p, (sf_cmat){many, MANY, d, d}, s.scale, SFI_DISTANCE,
                          &want);
        for (int64_t i = 0; i < MANY; i++) {
            CHECK(memcmp(total + i, got.lse + i % M, sizeof *total) == 0);
            CHECK(memcmp(mean + i * d, got.mean + i % M * d,
                         (size_t)d * sizeof *mean) == 0);
        }
        sfi_posterior_free(p);
    }
    sf_context_free(ctx);
}

/* Leaving out the own row, over several leaves, against the definition without
 * it; the products of d = 20 lose 2^-53 scale |x|^2, 4e-11, a few times. */
TEST(an_excluded_row_may_live_anywhere)
{
    static int64_t exclude[M];
    sf_context *ctx = new_context();
    for (int c = 0; c < 4; c++) {
        static const int64_t dims[] = {1, 2, 5, 20};
        const setting s = {.d = dims[c], .scale = 1e3, .weighted = true};
        fill(s.d);
        for (int64_t i = 0; i < M; i++) {
            exclude[i] = i % 5 == 4 ? -1 : 101 * i;
            memcpy(queries + i * s.d, data + 101 * i * s.d,
                   (size_t)s.d * sizeof *data);
        }
        sfi_posterior *p = make(ctx, SF_F64, &s);
        const sfi_posterior_want want = {.lse = got.lse, .exclude = exclude};
        sfi_posterior_run(p, (sf_cmat){queries, M, s.d, s.d}, s.scale,
                          SFI_DISTANCE, &want);
        for (int64_t i = 0; i < M; i++) {
            long double top = -INFINITY, total = 0.0L;
            for (int pass = 0; pass < 2; pass++) {
                for (int64_t j = 0; j < N; j++) {
                    long double l = log_weights[j];
                    for (int64_t k = 0; k < s.d; k++) {
                        const long double t =
                            queries[i * s.d + k] - data[j * s.d + k];
                        l -= 0.5L * s.scale * t * t;
                    }
                    if (j == exclude[i])
                        continue;
                    top = pass == 0 && l > top ? l : top;
                    total += pass == 1 ? expl(l - top) : 0.0L;
                }
            }
            CHECK_NEAR(got.lse[i], (double)(top + logl(total)), 1e-9);
        }
        sfi_posterior_free(p);
    }
    sf_context_free(ctx);
}

/* Against all weights in order.  Rows that are equal to each other may change
 * places by a rounding, so that it is weights that are compared, and each row is
 * asked for its own; what is missing at the end was passed over. */
TEST(the_largest_weights_come_in_order)
{
    enum { BEST = 20 };
    static double weight[M * BEST], l[N];
    static int64_t row[M * BEST];
    sf_context *ctx = new_context();
    for (int c = 0; c < 16; c++) {
        static const int64_t dims[] = {1, 3, 5, 20};
        const setting s = {.d = dims[c % 4],
                           .scale = c < 8 ? 0.5 : 200.0,
                           .weighted = true,
                           .scaled = c / 4 % 2 == 1};
        fill(s.d);
        sfi_posterior *p = make(ctx, SF_F64, &s);
        const sfi_posterior_want want = {.lse = got.lse,
                                         .best_count = BEST,
                                         .best_weight = weight,
                                         .best_row = row};
        sfi_posterior_run(p, (sf_cmat){queries, M, s.d, s.d}, s.scale,
                          SFI_DISTANCE, &want);
        for (int64_t i = 0; i < M; i++) {
            for (int64_t j = 0; j < N; j++) {
                l[j] = log_weights[j];
                for (int64_t k = 0; k < s.d; k++) {
                    const double t = queries[i * s.d + k] - data[j * s.d + k];
                    l[j] -=
                        0.5 * s.scale * (s.scaled ? scales[j] : 1.0) * t * t;
                }
                l[j] = exp(l[j] - got.lse[i]);
            }
            const double within = i % 9 == 0 ? 1e-5 : 1e-9;
            for (int64_t k = 0; k < BEST; k++) {
                const int64_t j = row[i * BEST + k];
                const double r = weight[i * BEST + k];
                CHECK(j >= -1 && j < N && (j >= 0 || r == 0.0));
                CHECK_NEAR(r, j >= 0 ? l[j] : 0.0, within);
                CHECK(k == 0 || r <= weight[i * BEST + k - 1]);
                if (j >= 0)
                    l[j] = 0.0; /* no row comes twice */
            }
            for (int64_t j = 0; j < N; j++)
                CHECK(l[j] <= weight[i * BEST + BEST - 1] + within);
        }
        sfi_posterior_free(p);
    }
    sf_context_free(ctx);
}

TEST(rows_that_weigh_nothing_are_not_named)
{
    sf_context *ctx = new_context();
    static const double three[3] = {0.5, 0.1, -0.3}, x[1] = {0.0};
    static const double weights[3] = {-INFINITY, 0.0, -INFINITY};
    sfi_posterior *p = NULL;
    CHECK_OK(ctx, sfi_posterior_new(ctx, &p, SF_F64, (sf_cmat){three, 3, 1, 1},
                                    weights, NULL));
    double weight[3];
    int64_t row[3];
    const sfi_posterior_want want = {
        .best_count = 3, .best_weight = weight, .best_row = row};
    sfi_posterior_run(p, (sf_cmat){x, 1, 1, 1}, 1.0, SFI_DISTANCE, &want);
    CHECK(row[0] == 1 && row[1] == -1 && row[2] == -1);
    CHECK(weight[0] == 1.0 && weight[1] == 0.0 && weight[2] == 0.0);
    sfi_posterior_free(p);
    sf_context_free(ctx);
}

/* More queries than are put in order together. */
TEST(many_queries_come_in_batches)
{
    enum { MANY = 70000 };
    static double x[MANY], total[MANY];
    static const double two[2] = {-1.0, 2.0};
    sf_context *ctx = new_context();
    sfi_posterior *p = NULL;
    CHECK_OK(ctx, sfi_posterior_new(ctx, &p, SF_F64, (sf_cmat){two, 2, 1, 1},
                                    NULL, NULL));
    for (int64_t i = 0; i < MANY; i++)
        x[i] = i % 1000 == 7 ? NAN : 3.0 * normal((uint64_t)i, 0);
    const sfi_posterior_want want = {.lse = total};
    sfi_posterior_run(p, (sf_cmat){x, MANY, 1, 1}, 2.0, SFI_DISTANCE, &want);
    for (int64_t i = 0; i < MANY; i++) {
        const double a = -(x[i] + 1.0) * (x[i] + 1.0);
        const double b = -(x[i] - 2.0) * (x[i] - 2.0);
        if (i % 1000 == 7)
            CHECK(isnan(total[i]));
        else
            CHECK_NEAR(total[i], fmax(a, b) + log1p(exp(-fabs(a - b))), 1e-12);
    }
    sfi_posterior_free(p);
    sf_context_free(ctx);
}

TEST(bad_scales_are_refused)
{
    static const double x[2] = {1.0, 2.0};
    static const double bad[2] = {1.0, 0.0};
    sf_context *ctx = new_context();
    sfi_posterior *p = NULL;
    const sfi_posterior_options options = {.scales = bad};
    CHECK_FAILS(ctx,
                sfi_posterior_new(ctx, &p, SF_F32, (sf_cmat){x, 2, 1, 1}, NULL,
                                  &options),
                SF_E_NUMERIC, "scale 1 is 0");
    assert_null(p);
    sf_context_free(ctx);
}

/* In many columns rows are summed in their order: what the light half gave weighs next
 * to nothing once the heavy half is met. */
TEST(heavier_points_met_later_take_over)
{
    enum { D = 20 };
    sf_context *ctx = new_context();
    for (int64_t j = 0; j < N; j++) {
        log_weights[j] = j < N / 2 ? 0.0 : 60.0;
        for (int64_t k = 0; k < D; k++)
            data[j * D + k] = j < N / 2 ? 1.0 : 0.0;
    }
    for (int64_t i = 0; i < M * D; i++)
        queries[i] = 0.5;
    const setting s = {D, 1.0, 0.0, SFI_DISTANCE, true, false};
    sfi_posterior *p = make(ctx, SF_F64, &s);
    run(p, &s, queries, M, &got);
    sfi_posterior_free(p);
    for (int64_t i = 0; i < M; i++)
        CHECK_CLOSE(got.lse[i], 60.0 + log(N / 2) - 0.125 * D, 1e-13);
    for (int64_t i = 0; i < M * D; i++)
        CHECK_NEAR(got.mean[i], 0.0, 1e-15);
    sf_context_free(ctx);
}

TESTS(CASE(heavier_points_met_later_take_over),
      CASE(little_is_lost_by_not_looking),
      CASE(each_point_may_have_its_own_scale),
      CASE(products_pass_over_data_too),
      CASE(single_precision_is_good_to_its_own),
      CASE(the_tolerance_bounds_what_is_left_out),
      CASE(neither_companions_nor_threads_change_a_bit),
      CASE(nor_does_the_size_of_a_block),
      CASE(an_excluded_row_may_live_anywhere),
      CASE(the_largest_weights_come_in_order),
      CASE(rows_that_weigh_nothing_are_not_named),
      CASE(many_queries_come_in_batches), CASE(bad_scales_are_refused))
