/* SPDX-License-Identifier: Apache-2.0 */
/* test_em.c - mixtures of normal distributions: their answers, and their fits. */
#include "base/random.h"
#include "faults.h"
#include "fit/em.h"
#include "scorefield/flow.h"
#include "scorefield/mixture.h"
#include "scorefield/store.h"
#include "typed.h"

enum { N = 2400, D = 2 };

/* Two components: 2/3 at (0, 0) with correlation .6, 1/3 at (6, -4) round. */
static const double true_weights[] = {2.0 / 3.0, 1.0 / 3.0};
static const double true_means[] = {0.0, 0.0, 6.0, -4.0};
static const double true_covariances[] = {1.0,  0.6, 0.6, 1.0,
                                          0.25, 0.0, 0.0, 0.25};

static void draw(double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const sfi_where w = {9, (uint64_t)i, 0, SFI_STREAM_USER};
        const double a = sfi_normal_at(w, 4), b = sfi_normal_at(w, 5);
        const bool second = i % 3 == 2;
        x[2 * i] = second ? 6.0 + 0.5 * a : a;
        x[2 * i + 1] = second ? -4.0 + 0.5 * b : 0.6 * a + 0.8 * b;
    }
}

static sf_model *true_model(sf_context *ctx)
{
    sf_model *m = NULL;
    CHECK_OK(ctx, sf_mixture_new(ctx, &m, D, NULL, 2, true_weights, true_means,
                                 true_covariances));
    return m;
}

/* ln of the sum of the two densities, written out. */
static double log_density(const double *x, double noise)
{
    double sum = 0.0;
    for (int k = 0; k < 2; k++) {
        const double *c = true_covariances + 4 * k, *m = true_means + 2 * k;
        const double a = c[0] + noise, b = c[1], e = c[3] + noise;
        const double det = a * e - b * b, u = x[0] - m[0], v = x[1] - m[1];
        const double q = (e * u * u - 2.0 * b * u * v + a * v * v) / det;
        sum +=
            true_weights[k] * exp(-0.5 * q) / (6.283185307179586 * sqrt(det));
    }
    return log(sum);
}

TEST(answers_are_those_of_the_sum_of_densities)
{
    sf_context *ctx = new_context();
    sf_model *m = true_model(ctx);
    const double x[] = {0.3, -0.7, 5.0, -3.5, 3.0, -2.0, -40.0, 30.0};
    double logpdf[4], score[8], jacobian[16];
    const sf_model_values values = {.score = {score, 4, 2, 2},
                                    .jacobian = {jacobian, 4, 4, 4},
                                    .logpdf = {logpdf, 4, 1, 1}};
    CHECK_OK(ctx, sf_model_eval(m, (sf_cmat){x, 4, 2, 2}, 0.0, &values));
    for (int i = 0; i < 3; i++) {
        const double h = 1e-5;
        CHECK_NEAR(logpdf[i], log_density(x + 2 * i, 0.0), 1e-12);
        for (int j = 0; j < 2; j++) {
            double up[2] = {x[2 * i], x[2 * i + 1]}, down[2] = {up[0], up[1]};
            up[j] += h;
            down[j] -= h;
            CHECK_NEAR(score[2 * i + j],
                       (log_density(up, 0.0) - log_density(down, 0.0)) /
                           (2.0 * h),
                       1e-7);
        }
    }
    /* Far out one component is all there is: -S^-1 x, and the Jacobian -S^-1. */
    CHECK(isfinite(logpdf[3]));
    CHECK_NEAR(jacobian[12], -1.0 / 0.64, 1e-9);
    CHECK_NEAR(jacobian[13], 0.6 / 0.64, 1e-9);
    sf_evaluator *owner = NULL;
    sf_functional f;
    double error = 1.0;
    CHECK_OK(ctx, sf_model_functional(ctx, &owner, &f, m, 0.0));
    CHECK_OK(ctx, sf_functional_check(ctx, &error, NULL, &f, x, 4, 1));
    CHECK(error < 1e-8);
    sf_evaluator_free(owner);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* The flow's integral of the divergence is the closed form. */
TEST(the_flow_has_the_closed_density)
{
    sf_context *ctx = new_context();
    sf_model *m = true_model(ctx);
    const double x[] = {0.3, -0.7, 5.0, -3.5};
    double closed[2], flow[2];
    sf_likelihood_options l = SF_LIKELIHOOD_OPTIONS_INIT;
    CHECK_OK(ctx, sf_logpdf(m, (sf_cmat){x, 2, 2, 2}, closed, NULL, &l));
    l.force_flow = true;
    l.rtol = l.atol = 1e-7;
    CHECK_OK(ctx, sf_logpdf(m, (sf_cmat){x, 2, 2, 2}, flow, NULL, &l));
    /* What is left is the start at sigma = 80 in place of infinity. */
    for (int i = 0; i < 2; i++)
        CHECK_NEAR(flow[i], closed[i], 2e-3);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Rows beyond those that choose K count. */
TEST(large_tables_are_fitted_whole)
{
    enum { ROWS = 9 * SF_MIXTURE_SEARCH_ROWS };
    sf_context *ctx = new_context();
    double *x = malloc(sizeof *x * D * ROWS), w[2], mean[4], c[8];
    CHECK(x != NULL);
    draw(x, ROWS);
    sf_model *m = NULL;
    sf_mixture_fit fit = SF_MIXTURE_FIT_INIT;
    CHECK_OK(ctx, sf_fit_mixture(ctx, &m, (sf_cmat){x, ROWS, D, D}, NULL, NULL,
                                 &fit));
    CHECK(fit.components == 2 && fit.converged);
    CHECK_OK(ctx, sf_mixture_moments(m, w, mean, c));
    const int big = w[0] > w[1] ? 0 : 1, small = 1 - big;
    /* The clusters do not touch: each has its rows' own moments but for the prior,
     * and weights of exactly a third. */
    CHECK_NEAR(w[small], 1.0 / 3.0, 1e-5);
    double sums[4] = {0.0};
    for (int64_t i = 0; i < ROWS; i++)
        for (int k = 0; k < D; k++)
            sums[2 * (i % 3 == 2) + k] += x[D * i + k];
    for (int k = 0; k < D; k++) {
        CHECK_NEAR(mean[2 * big + k], sums[k] / (2.0 * ROWS / 3.0), 1e-5);
        CHECK_NEAR(mean[2 * small + k], sums[2 + k] / (ROWS / 3.0), 1e-5);
    }
    double sum = 0.0;
    for (int64_t i = 0; i < ROWS; i++)
        sum += log_density(x + D * i, 0.0);
    /* Above the truth by half a chi-square of 11 degrees of freedom; in nats. */
    CHECK(fit.log_likelihood > sum - 1.0 && fit.log_likelihood < sum + 20.0);
    sf_model_free(m);
    free(x);
    sf_context_free(ctx);
}

TEST(a_file_holds_a_mixture)
{
    sf_context *ctx = new_context();
    sf_model *m = true_model(ctx), *back = NULL;
    CHECK_OK(ctx, sf_model_save(m, "mixture.safetensors", NULL));
    CHECK_OK(ctx, sf_model_load(ctx, &back, "mixture.safetensors"));
    CHECK(strcmp(sf_model_family(back), "mixture") == 0);
    CHECK(sf_mixture_components(back) == 2);
    double w[2], mean[4], c[8];
    CHECK_OK(ctx, sf_mixture_moments(back, w, mean, c));
    for (int i = 0; i < 8; i++)
        CHECK_NEAR(c[i], true_covariances[i], 1e-14);
    for (int i = 0; i < 4; i++)
        CHECK_NEAR(mean[i], true_means[i], 1e-14);
    CHECK_NEAR(w[0], true_weights[0], 1e-15);
    remove("mixture.safetensors");
    sf_model_free(back);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Weights have the standard error sqrt(w (1 - w)/n) were they drawn; here every third
 * row is of the second.  Means sd/sqrt(n_k), variances v sqrt(2/n_k): five of each. */
TEST(the_components_are_found_and_counted)
{
    static double x[2 * N];
    sf_context *ctx = new_context();
    draw(x, N);
    sf_model *m = NULL;
    sf_mixture_fit fit = SF_MIXTURE_FIT_INIT;
    CHECK_OK(ctx,
             sf_fit_mixture(ctx, &m, (sf_cmat){x, N, 2, 2}, NULL, NULL, &fit));
    CHECK(fit.components == 2 && fit.converged && fit.tried == 5);
    double w[2], mean[4], c[8];
    CHECK_OK(ctx, sf_mixture_moments(m, w, mean, c));
    const int first = w[0] > w[1] ? 0 : 1;
    const double n[] = {1600.0, 800.0};
    for (int k = 0; k < 2; k++) {
        const int at = k == 0 ? first : 1 - first;
        CHECK_NEAR(w[at], true_weights[k], 1e-3);
        for (int j = 0; j < 2; j++) {
            const double v = true_covariances[4 * k + 3 * j];
            CHECK_NEAR(mean[2 * at + j], true_means[2 * k + j],
                       5.0 * sqrt(v / n[k]));
            CHECK_NEAR(c[4 * at + 3 * j], v, 5.0 * v * sqrt(2.0 / n[k]));
        }
    }
    /* The report's likelihood is the model's own. */
    static double logpdf[N];
    CHECK_OK(ctx, sf_logpdf(m, (sf_cmat){x, N, 2, 2}, logpdf, NULL, NULL));
    double sum = 0.0;
    for (int i = 0; i < N; i++)
        sum += logpdf[i];
    CHECK_NEAR(sum, fit.log_likelihood, 1e-8 * fabs(sum));
    CHECK_NEAR(fit.bic, 11.0 * log((double)N) - 2.0 * sum, 1e-6);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* With one component the mode is known: from n rows of mean ybar = 0 and correlations
 * R (unshrunken parts aside), S = (R + n R)/(n + 2 d + 4) = R (n + 1)/(n + 8). */
TEST(one_component_is_the_mode_of_the_posterior)
{
    enum { ROWS = 200 };
    static double x[2 * ROWS];
    sf_context *ctx = new_context();
    for (int i = 0; i < ROWS; i++) {
        const sfi_where w = {4, (uint64_t)i, 0, SFI_STREAM_USER};
        x[2 * i] = sfi_normal_at(w, 0);
        x[2 * i + 1] = 3.0 * sfi_normal_at(w, 1);
    }
    double mean[2] = {0}, variance[2] = {0}, c[4], m_of[2], weight;
    for (int i = 0; i < 2 * ROWS; i++)
        mean[i % 2] += x[i] / ROWS;
    for (int i = 0; i < 2 * ROWS; i++)
        variance[i % 2] += (x[i] - mean[i % 2]) * (x[i] - mean[i % 2]) / ROWS;
    sf_model *m = NULL;
    sf_mixture_options o = SF_MIXTURE_OPTIONS_INIT;
    o.components = 1;
    CHECK_OK(ctx,
             sf_fit_mixture(ctx, &m, (sf_cmat){x, ROWS, 2, 2}, NULL, &o, NULL));
    CHECK_OK(ctx, sf_mixture_moments(m, &weight, m_of, c));
    for (int j = 0; j < 2; j++) {
        CHECK_NEAR(m_of[j], mean[j], 1e-12);
        CHECK_NEAR(c[3 * j], variance[j] * (ROWS + 1.0) / (ROWS + 8.0), 1e-12);
    }
    CHECK_NEAR(weight, 1.0, 1e-15);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* No iteration lowers the posterior density: runs of 1, 2, 3, ... iterations from the
 * same seeds, which each go on from the one before. */
TEST(iterations_rise)
{
    static double x[2 * N];
    const double correlation[] = {1.0, 0.0, 0.0, 1.0};
    sf_context *ctx = new_context();
    draw(x, N);
    for (int i = 0; i < 2 * N; i++)
        x[i] /= 3.0;
    sfi_em *em = NULL;
    CHECK_OK(ctx, sfi_em_new(ctx, &em, (sf_cmat){x, N, 2, 2}, correlation, 3));
    double weight[3], mean[6], covariance[12], before = -INFINITY;
    sfi_components c = {3, 2, weight, mean, covariance};
    for (int64_t k = 1; k < 13; k++) {
        const sfi_em_options o = {1, k, 1e-300, 5, -1.0};
        sfi_em_result r;
        CHECK_OK(ctx, sfi_em_fit(em, &c, &o, &r));
        CHECK(r.posterior >= before - 1e-9 * fabs(before));
        before = r.posterior;
    }
    sfi_em_free(em);
    sf_context_free(ctx);
}

/* More columns than rows; the log density is finite, and rows are likelier than
 * points far off. */
TEST(few_rows_of_many_columns_are_a_model)
{
    enum { ROWS = 12, COLS = 40 };
    static double x[ROWS * COLS], far[COLS];
    sf_context *ctx = new_context();
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLS; j++) {
            const sfi_where w = {3, (uint64_t)i, 0, SFI_STREAM_USER};
            x[i * COLS + j] = sfi_normal_at(w, (uint32_t)j) + j;
        }
    for (int j = 0; j < COLS; j++)
        far[j] = j + 20.0;
    sf_model *m = NULL;
    double near, off;
    CHECK_OK(ctx, sf_fit_mixture(ctx, &m, (sf_cmat){x, ROWS, COLS, COLS}, NULL,
                                 NULL, NULL));
    CHECK_OK(ctx, sf_logpdf(m, (sf_cmat){x, 1, COLS, COLS}, &near, NULL, NULL));
    CHECK_OK(ctx,
             sf_logpdf(m, (sf_cmat){far, 1, COLS, COLS}, &off, NULL, NULL));
    CHECK(isfinite(near) && isfinite(off) && near > off + 100.0);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(threads_do_not_change_a_bit)
{
    static double x[2 * N];
    static const int counts[] = {1, 2, 7};
    double mean[3][6];
    draw(x, N);
    for (int t = 0; t < 3; t++) {
        sf_context *ctx = new_context();
        CHECK_OK(ctx, sf_context_set_threads(ctx, counts[t]));
        sf_model *m = NULL;
        sf_mixture_options o = SF_MIXTURE_OPTIONS_INIT;
        o.components = 3;
        CHECK_OK(ctx, sf_fit_mixture(ctx, &m, (sf_cmat){x, N, 2, 2}, NULL, &o,
                                     NULL));
        CHECK_OK(ctx, sf_mixture_moments(m, NULL, mean[t], NULL));
        CHECK(memcmp(mean[t], mean[0], sizeof mean[0]) == 0);
        sf_model_free(m);
        sf_context_free(ctx);
    }
}

TEST(what_is_no_mixture_is_refused)
{
    sf_context *ctx = new_context();
    sf_model *m = NULL;
    double x[] = {1.0, 2.0, 3.0, 2.0, 5.0, 2.0};
    static const char *const names[] = {"a", "b"};
    const sf_cmat data = {x, 3, 2, 2};
    sf_mixture_options o = SF_MIXTURE_OPTIONS_INIT;
    CHECK_FAILS(ctx, sf_fit_mixture(ctx, &m, data, names, NULL, NULL),
                SF_E_NUMERIC, "column \"b\" is constant");
    x[3] = INFINITY;
    CHECK_FAILS(ctx, sf_fit_mixture(ctx, &m, data, names, NULL, NULL),
                SF_E_NUMERIC, "row 2, column \"b\"");
    x[3] = 4.0;
    o.components = 4;
    CHECK_FAILS(ctx, sf_fit_mixture(ctx, &m, data, names, &o, NULL), SF_E_ARG,
                "4 components of 3 rows");
    o.components = 0;
    o.tolerance = 0.0;
    CHECK_FAILS(ctx, sf_fit_mixture(ctx, &m, data, names, &o, NULL), SF_E_ARG,
                "tolerance 0");
    const double w[] = {1.0, -1.0}, c[] = {1, 1, 1, 1, 1, 0, 0, 1};
    CHECK_FAILS(ctx, sf_mixture_new(ctx, &m, 2, NULL, 2, w, x, c), SF_E_ARG,
                "weight 1 is -1");
    CHECK_FAILS(ctx, sf_mixture_new(ctx, &m, 2, NULL, 1, w, x, c), SF_E_NUMERIC,
                "component 0 is singular");
    CHECK(m == NULL);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    static double x[2 * 60];
    struct faults f;
    sf_context *ctx = faulty_context(&f);
    draw(x, 60);
    sf_mixture_options o = SF_MIXTURE_OPTIONS_INIT;
    o.most = 2;
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&f, status)) {
        sf_model *m = NULL;
        status =
            sf_fit_mixture(ctx, &m, (sf_cmat){x, 60, 2, 2}, NULL, &o, NULL);
        CHECK(status == SF_OK || m == NULL);
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

TESTS(CASE(answers_are_those_of_the_sum_of_densities),
      CASE(the_flow_has_the_closed_density), CASE(a_file_holds_a_mixture),
      CASE(the_components_are_found_and_counted),
      CASE(one_component_is_the_mode_of_the_posterior), CASE(iterations_rise),
      CASE(few_rows_of_many_columns_are_a_model),
      CASE(large_tables_are_fitted_whole), CASE(threads_do_not_change_a_bit),
      CASE(what_is_no_mixture_is_refused), CASE(every_allocation_may_fail))
