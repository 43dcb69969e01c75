/* SPDX-License-Identifier: Apache-2.0 */
/* test_posterior.c - the streamed softmax mean against its definition. */
#include "base/random.h"
#include "check.h"
#include "faults.h"
#include "num/posterior.h"

enum { N = 1300, M = 150, MOST_D = 9 };

static double data[N * MOST_D], queries[M * MOST_D], log_weights[N];
static double lse[M], mean[M * MOST_D], cov[M * MOST_D * MOST_D];
static double want_lse[M], want_mean[M * MOST_D], want_cov[M * MOST_D * MOST_D];

static const sfi_posterior_options with_covariance = {.covariance = true};

static double normal(uint64_t i, uint32_t j)
{
    const sfi_where where = {11, i, 0, SFI_STREAM_USER};
    return sfi_normal_at(where, j);
}

static void fill(int64_t d, double offset)
{
    for (int64_t j = 0; j < N; j++) {
        log_weights[j] = j % 7 == 3 ? -INFINITY : 0.3 * normal((uint64_t)j, 99);
        for (int64_t k = 0; k < d; k++)
            data[j * d + k] = offset + normal((uint64_t)j, (uint32_t)k);
    }
    for (int64_t i = 0; i < M; i++)
        for (int64_t k = 0; k < d; k++)
            queries[i * d + k] =
                offset + 1.3 * normal((uint64_t)(N + i), (uint32_t)k);
}

/* In long double, two passes. */
static void define(int64_t d, double scale, sfi_likeness likeness,
                   bool weighted)
{
    static long double l[N];
    for (int64_t i = 0; i < M; i++) {
        const double *x = queries + i * d;
        long double top = -INFINITY, total = 0.0L;
        for (int64_t j = 0; j < N; j++) {
            long double sum = 0.0L;
            for (int64_t k = 0; k < d; k++) {
                const long double y = data[j * d + k];
                sum += likeness == SFI_DISTANCE
                           ? -0.5L * (x[k] - y) * (x[k] - y)
                           : x[k] * y;
            }
            l[j] = scale * sum + (weighted ? log_weights[j] : 0.0);
            top = l[j] > top ? l[j] : top;
        }
        for (int64_t j = 0; j < N; j++)
            total += l[j] = expl(l[j] - top);
        want_lse[i] = (double)(top + logl(total));
        for (int64_t k = 0; k < d; k++) {
            long double sum = 0.0L;
            for (int64_t j = 0; j < N; j++)
                sum += l[j] * data[j * d + k];
            want_mean[i * d + k] = (double)(sum / total);
        }
        for (int64_t k = 0; k < d * d; k++) {
            long double sum = 0.0L;
            for (int64_t j = 0; j < N; j++)
                sum += l[j] * (data[j * d + k / d] - want_mean[i * d + k / d]) *
                       (data[j * d + k % d] - want_mean[i * d + k % d]);
            want_cov[i * d * d + k] = (double)(sum / total);
        }
    }
}

static void run(sf_context *ctx, sf_dtype dtype, int64_t d, double scale,
                sfi_likeness likeness, bool weighted)
{
    sfi_posterior *p = NULL;
    CHECK_OK(ctx, sfi_posterior_new(ctx, &p, dtype, (sf_cmat){data, N, d, d},
                                    weighted ? log_weights : NULL,
                                    &with_covariance));
    const sfi_posterior_want want = {
        .lse = lse, .mean = {mean, M, d, d}, .cov = {cov, M, d * d, d * d}};
    sfi_posterior_run(p, (sf_cmat){queries, M, d, d}, scale, likeness, &want);
    sfi_posterior_free(p);
}

static double largest_gap(const double *a, const double *b, int64_t n)
{
    double most = 0.0;
    for (int64_t i = 0; i < n; i++)
        most = fabs(a[i] - b[i]) <= most ? most : fabs(a[i] - b[i]);
    return most;
}

TEST(sums_match_the_definition_in_both_forms_and_precisions)
{
    sf_context *ctx = new_context();
    static const int64_t dims[] = {1, 2, 5, 9};
    for (int c = 0; c < 4; c++) {
        const int64_t d = dims[c];
        for (int form = 0; form < 4; form++) {
            const sfi_likeness likeness = (sfi_likeness)(form % 2);
            const bool weighted = form >= 2;
            const double scale = likeness == SFI_DISTANCE ? 9.0 : 1.5;
            fill(d, 0.5);
            define(d, scale, likeness, weighted);
            run(ctx, SF_F64, d, scale, likeness, weighted);
            CHECK(largest_gap(lse, want_lse, M) < 1e-12);
            CHECK(largest_gap(mean, want_mean, M * d) < 1e-12);
            CHECK(largest_gap(cov, want_cov, M * d * d) < 1e-12);
            run(ctx, SF_F32, d, scale, likeness, weighted);
            CHECK(largest_gap(lse, want_lse, M) < 3e-5);
            CHECK(largest_gap(mean, want_mean, M * d) < 3e-5);
            CHECK(largest_gap(cov, want_cov, M * d * d) < 5e-4);
        }
    }
    sf_context_free(ctx);
}

/* Oracle C4: four points in the plane seen through x ~ N(alpha x0, sigma^2 I). */
TEST(gaussian_posterior_is_the_known_one)
{
    static const double points[] = {1.0, 0.5, -0.8, 0.2, 0.3, -1.2, 1.5, 1.5};
    static const double x[2] = {0.6, 0.1};
    const double alpha = 0.8, sigma = 0.6, scale = 1.0 / (sigma * sigma);
    double seen[8], total, m[2], v[4];
    for (int i = 0; i < 8; i++)
        seen[i] = alpha * points[i];
    sf_context *ctx = new_context();
    sfi_posterior *p = NULL;
    CHECK_OK(ctx, sfi_posterior_new(ctx, &p, SF_F64, (sf_cmat){seen, 4, 2, 2},
                                    NULL, &with_covariance));
    const sfi_posterior_want want = {
        .lse = &total, .mean = {m, 1, 2, 2}, .cov = {v, 1, 4, 4}};
    sfi_posterior_run(p, (sf_cmat){x, 1, 2, 2}, scale, SFI_DISTANCE, &want);
    const double two_pi = 6.283185307179586;
    CHECK_CLOSE(total - log(4.0) + log(scale / two_pi), -1.986765892371837,
                1e-12);
    CHECK_CLOSE(m[0] / alpha, 0.7759765218995126, 1e-12);
    CHECK_CLOSE(m[1] / alpha, 0.32227795711264595, 1e-12);
    CHECK_CLOSE(v[0] / (alpha * alpha), 0.34890511577853356, 1e-12);
    CHECK_CLOSE(v[1] / (alpha * alpha), 0.22512938852067568, 1e-12);
    CHECK_CLOSE(v[3] / (alpha * alpha), 0.47658325062784107, 1e-12);
    CHECK_CLOSE(scale * (m[0] - x[0]), 0.057725604221139024, 1e-11);
    sfi_posterior_free(p);
    sf_context_free(ctx);
}

/* Oracles C1.gamma and C2.expfam.gamma: a gamma kernel as an exponential family,
 * T = (ln x, x), eta = (k - 1, -k/m), weights .2, .5, .3. */
TEST(an_exponential_family_is_the_other_form)
{
    static const double mean_of[] = {0.78, 1.32, 3.0}, w[] = {0.2, 0.5, 0.3};
    const double k = 6.25, x[2] = {log(0.9), 0.9};
    double eta[6], bias[3], total, m[2], v[4];
    for (int j = 0; j < 3; j++) {
        eta[2 * j] = k - 1.0;
        eta[2 * j + 1] = -k / mean_of[j];
        bias[j] = log(w[j]) + k * log(k / mean_of[j]) - lgamma(k);
    }
    sf_context *ctx = new_context();
    sfi_posterior *p = NULL;
    CHECK_OK(ctx, sfi_posterior_new(ctx, &p, SF_F64, (sf_cmat){eta, 3, 2, 2},
                                    bias, &with_covariance));
    const sfi_posterior_want want = {
        .lse = &total, .mean = {m, 1, 2, 2}, .cov = {v, 1, 4, 4}};
    sfi_posterior_run(p, (sf_cmat){x, 1, 2, 2}, 1.0, SFI_PRODUCT, &want);
    CHECK_CLOSE(total, -0.5392168507222991, 1e-12);
    CHECK_CLOSE(m[0], 5.25, 1e-12);
    CHECK_CLOSE(m[1], -5.820320474209419, 1e-12);
    CHECK_NEAR(v[0], 0.0, 1e-12);
    CHECK_CLOSE(v[3], 2.758932525837341, 1e-11);
    CHECK_CLOSE(m[0] / 0.9 + m[1], 0.0130128591239147, 1e-10);
    sfi_posterior_free(p);
    sf_context_free(ctx);
}

/* Data far from 0 and noise small beside it: logits of the plain product would
 * be 10^8, in which single precision knows nothing. */
TEST(an_offset_costs_single_precision_nothing)
{
    sf_context *ctx = new_context();
    fill(2, 1000.0);
    for (int64_t i = 0; i < M; i++) /* one compact block after the other */
        for (int k = 0; k < 2; k++)
            queries[2 * i + k] =
                data[2 * (i / 64) + k] + 0.02 * normal((uint64_t)i, 50);
    define(2, 1e4, SFI_DISTANCE, false);
    run(ctx, SF_F32, 2, 1e4, SFI_DISTANCE, false);
    CHECK(largest_gap(lse, want_lse, M) < 2e-2);
    CHECK(largest_gap(mean, want_mean, M * 2) < 1e-3);
    run(ctx, SF_F64, 2, 1e4, SFI_DISTANCE, false);
    CHECK(largest_gap(mean, want_mean, M * 2) < 1e-9);
    sf_context_free(ctx);
}

/* Far out and at tiny noise the nearest point has all the weight, and nothing
 * overflows, vanishes or becomes NaN. */
TEST(one_point_remains_far_away_and_at_no_noise)
{
    sf_context *ctx = new_context();
    for (int dtype = SF_F32; dtype <= SF_F64; dtype++) {
        fill(2, 0.0);
        for (int i = 0; i < M; i++) {
            queries[2 * i] = i < 64 ? 1e4 : data[2 * i];
            queries[2 * i + 1] = i < 64 ? 3e4 : data[2 * i + 1];
        }
        run(ctx, (sf_dtype)dtype, 2, 1e8, SFI_DISTANCE, false);
        for (int i = 0; i < M; i++) {
            int64_t nearest = 0;
            double least = INFINITY;
            for (int64_t j = 0; j < N; j++) {
                const double gap = hypot(queries[2 * i] - data[2 * j],
                                         queries[2 * i + 1] - data[2 * j + 1]);
                if (gap < least) {
                    least = gap;
                    nearest = j;
                }
            }
            CHECK(isfinite(lse[i]));
            if (i >= 64 || dtype == (int)SF_F64)
                CHECK_NEAR(mean[2 * i], data[2 * nearest], 2e-3);
            CHECK(isfinite(cov[4 * i]));
        }
    }
    sf_context_free(ctx);
}

TEST(a_query_that_is_not_finite_spoils_no_other)
{
    sf_context *ctx = new_context();
    fill(2, 0.5);
    define(2, 4.0, SFI_DISTANCE, true);
    queries[2 * 70] = NAN;
    queries[2 * 71 + 1] = INFINITY;
    run(ctx, SF_F64, 2, 4.0, SFI_DISTANCE, true);
    for (int i = 0; i < M; i++) {
        if (i == 70 || i == 71) {
            CHECK(isnan(lse[i]) && isnan(mean[2 * i]));
        } else {
            CHECK_NEAR(lse[i], want_lse[i], 1e-12);
            CHECK_NEAR(mean[2 * i], want_mean[2 * i], 1e-12);
        }
    }
    sf_context_free(ctx);
}

TEST(threads_do_not_change_a_bit)
{
    static double first[M], first_mean[M * 5];
    fill(5, 0.1);
    for (int c = 0; c < 3; c++) {
        static const int threads[] = {1, 2, 7};
        sf_context *ctx = new_context();
        CHECK_OK(ctx, sf_context_set_threads(ctx, threads[c]));
        run(ctx, SF_F32, 5, 3.0, SFI_DISTANCE, true);
        if (c == 0) {
            memcpy(first, lse, sizeof first);
            memcpy(first_mean, mean, sizeof first_mean);
        }
        CHECK(memcmp(first, lse, sizeof first) == 0);
        CHECK(memcmp(first_mean, mean, sizeof first_mean) == 0);
        sf_context_free(ctx);
    }
}

/* Whatever a product does at its edges and however queries fall into blocks: one
 * alone, the first few, and all of them in another order get the same bits. */
/* Leaving row j out is what the other rows alone give.  At the scale of the last
 * case the row itself is exp(450) times what is left, of which a subtraction from
 * the whole sum would leave nothing. */
TEST(an_excluded_row_leaves_what_the_others_give)
{
    static double few[40 * 2], others[39 * 2];
    static const double scales[] = {1.0, 30.0, 1e4};
    double total[2], m[4];
    sf_context *ctx = new_context();
    for (int j = 0; j < 40; j++) {
        few[2 * j] = 0.3 * (j % 7);
        few[2 * j + 1] = 0.3 * (j / 7);
    }
    for (int c = 0; c < 6; c++) {
        const sf_dtype dtype = c % 2 == 0 ? SF_F64 : SF_F32;
        const double within = dtype == SF_F64 ? 1e-11 : 2e-3;
        sfi_posterior *all = NULL, *rest = NULL;
        CHECK_OK(ctx, sfi_posterior_new(ctx, &all, dtype,
                                        (sf_cmat){few, 40, 2, 2}, NULL, NULL));
        for (int64_t j = 0; j < 40; j++) {
            for (int64_t i = 0, to = 0; i < 40; i++)
                if (i != j)
                    memcpy(others + 2 * to++, few + 2 * i, 2 * sizeof *few);
            CHECK_OK(ctx, sfi_posterior_new(ctx, &rest, dtype,
                                            (sf_cmat){others, 39, 2, 2}, NULL,
                                            NULL));
            const sf_cmat query = {few + 2 * j, 1, 2, 2};
            const sfi_posterior_want without = {
                .lse = total, .mean = {m, 1, 2, 2}, .exclude = &j};
            sfi_posterior_run(all, query, scales[c / 2], SFI_DISTANCE,
                              &without);
            const sfi_posterior_want plain = {.lse = total + 1,
                                              .mean = {m + 2, 1, 2, 2}};
            sfi_posterior_run(rest, query, scales[c / 2], SFI_DISTANCE, &plain);
            CHECK_NEAR(total[0], total[1], within * fmax(1.0, fabs(total[1])));
            CHECK_NEAR(m[0], m[2], within);
            CHECK_NEAR(m[1], m[3], within);
            sfi_posterior_free(rest);
        }
        sfi_posterior_free(all);
    }
    sf_context_free(ctx);
}

TEST(with_every_row_excluded_nothing_is_left)
{
    static const double x[2] = {1.0, 2.0};
    static const int64_t exclude[2] = {0, -1};
    const double two[4] = {1.0, 2.0, 1.0, 2.0};
    double total[2], m[4];
    sf_context *ctx = new_context();
    sfi_posterior *p = NULL;
    CHECK_OK(ctx, sfi_posterior_new(ctx, &p, SF_F64, (sf_cmat){x, 1, 2, 2},
                                    NULL, NULL));
    const sfi_posterior_want want = {
        .lse = total, .mean = {m, 2, 2, 2}, .exclude = exclude};
    sfi_posterior_run(p, (sf_cmat){two, 2, 2, 2}, 3.0, SFI_DISTANCE, &want);
    CHECK(total[0] == -INFINITY && isnan(m[0]) && isnan(m[1]));
    CHECK_NEAR(total[1], 0.0, 1e-15);
    CHECK_NEAR(m[2], 1.0, 1e-15);
    sfi_posterior_free(p);
    sf_context_free(ctx);
}

TEST(a_query_in_double_does_not_notice_the_others)
{
    static double turned[M * MOST_D];
    static double one[1 + MOST_D + MOST_D * MOST_D];
    static const int64_t dims[] = {1, 2, 3, 9};
    sf_context *ctx = new_context();
    for (int c = 0; c < 8; c++) {
        const int64_t d = dims[c % 4];
        const sfi_likeness likeness = c < 4 ? SFI_DISTANCE : SFI_PRODUCT;
        fill(d, 0.3);
        sfi_posterior *p = NULL;
        CHECK_OK(ctx,
                 sfi_posterior_new(ctx, &p, SF_F64, (sf_cmat){data, N, d, d},
                                   log_weights, &with_covariance));
        const sfi_posterior_want want = {
            .lse = lse, .mean = {mean, M, d, d}, .cov = {cov, M, d * d, d * d}};
        sfi_posterior_run(p, (sf_cmat){queries, M, d, d}, 7.0, likeness, &want);
        memcpy(want_lse, lse, sizeof lse);
        memcpy(want_mean, mean, sizeof mean);
        memcpy(want_cov, cov, sizeof cov);
        for (int64_t i = 0; i < M; i++) {
            const sfi_posterior_want single = {
                .lse = one,
                .mean = {one + 1, 1, d, d},
                .cov = {one + 1 + d, 1, d * d, d * d}};
            sfi_posterior_run(p, (sf_cmat){queries + i * d, 1, d, d}, 7.0,
                              likeness, &single);
            CHECK(memcmp(one, lse + i, sizeof *one) == 0);
            CHECK(memcmp(one + 1, mean + i * d, (size_t)d * sizeof *one) == 0);
            CHECK(memcmp(one + 1 + d, cov + i * d * d,
                         (size_t)(d * d) * sizeof *one) == 0);
            memcpy(turned + (M - 1 - i) * d, queries + i * d,
                   (size_t)d * sizeof *turned);
        }
        for (int64_t m = 5; m <= M; m += M - 5) {
            sfi_posterior_run(p, (sf_cmat){turned, m, d, d}, 7.0, likeness,
                              &want);
            for (int64_t i = 0; i < m; i++) {
                const int64_t j = M - 1 - i;
                CHECK(memcmp(lse + i, want_lse + j, sizeof *lse) == 0);
                CHECK(memcmp(mean + i * d, want_mean + j * d,
                             (size_t)d * sizeof *mean) == 0);
                CHECK(memcmp(cov + i * d * d, want_cov + j * d * d,
                             (size_t)(d * d) * sizeof *cov) == 0);
            }
        }
        sfi_posterior_free(p);
    }
    sf_context_free(ctx);
}

TEST(bad_data_is_refused)
{
    sf_context *ctx = new_context();
    sfi_posterior *p = NULL;
    fill(2, 0.0);
    CHECK_FAILS(ctx,
                sfi_posterior_new(ctx, &p, SF_F32, (sf_cmat){data, 0, 2, 2},
                                  NULL, NULL),
                SF_E_SHAPE, "[0, 2]");
    log_weights[4] = NAN;
    CHECK_FAILS(ctx,
                sfi_posterior_new(ctx, &p, SF_F32, (sf_cmat){data, N, 2, 2},
                                  log_weights, NULL),
                SF_E_NUMERIC, "log weight 4 is nan");
    for (int j = 0; j < N; j++)
        log_weights[j] = -INFINITY;
    CHECK_FAILS(ctx,
                sfi_posterior_new(ctx, &p, SF_F32, (sf_cmat){data, N, 2, 2},
                                  log_weights, NULL),
                SF_E_NUMERIC, "every weight is 0");
    data[7] = INFINITY;
    CHECK_FAILS(ctx,
                sfi_posterior_new(ctx, &p, SF_F32, (sf_cmat){data, N, 2, 2},
                                  NULL, NULL),
                SF_E_NUMERIC, "row 3, column 1");
    assert_null(p);
    sf_context_free(ctx);
}

/* Data and work space without covariances are linear in d: at 4096 columns the
 * second moments alone would be 4096^2/2 numbers for each of 64 queries. */
TEST(without_covariances_memory_is_linear)
{
    enum { WIDE = 4096, FEW = 3 };
    static double wide[FEW * WIDE], result[WIDE];
    for (int64_t i = 0; i < FEW * WIDE; i++)
        wide[i] = i / WIDE == 1 ? 1.0 : 0.5 * normal((uint64_t)i, 1);
    sf_context *ctx = new_context();
    CHECK_OK(ctx, sf_context_set_threads(ctx, 1));
    sfi_posterior *p = NULL;
    CHECK_OK(ctx,
             sfi_posterior_new(ctx, &p, SF_F32,
                               (sf_cmat){wide, FEW, WIDE, WIDE}, NULL, NULL));
    CHECK(sfi_posterior_memory(p) < (size_t)32 << 20);
    const sfi_posterior_want want = {.mean = {result, 1, WIDE, WIDE}};
    sfi_posterior_run(p, (sf_cmat){wide + WIDE, 1, WIDE, WIDE}, 1.0,
                      SFI_DISTANCE, &want);
    for (int64_t k = 0; k < WIDE; k++)
        CHECK_NEAR(result[k], 1.0, 1e-6);
    sfi_posterior_free(p);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    fill(2, 0.0);
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status)) {
        sfi_posterior *p = NULL;
        status = sfi_posterior_new(ctx, &p, SF_F32, (sf_cmat){data, N, 2, 2},
                                   NULL, NULL);
        CHECK((status == SF_OK) == (p != NULL));
        sfi_posterior_free(p);
    }
    CHECK(faults.tries == 18);
    sf_context_free(ctx);
}

TESTS(CASE(sums_match_the_definition_in_both_forms_and_precisions),
      CASE(gaussian_posterior_is_the_known_one),
      CASE(an_exponential_family_is_the_other_form),
      CASE(an_offset_costs_single_precision_nothing),
      CASE(one_point_remains_far_away_and_at_no_noise),
      CASE(a_query_that_is_not_finite_spoils_no_other),
      CASE(threads_do_not_change_a_bit),
      CASE(an_excluded_row_leaves_what_the_others_give),
      CASE(with_every_row_excluded_nothing_is_left),
      CASE(a_query_in_double_does_not_notice_the_others),
      CASE(bad_data_is_refused), CASE(without_covariances_memory_is_linear),
      CASE(every_allocation_may_fail))
