/* SPDX-License-Identifier: Apache-2.0 */
/* test_conditional.c - what normal distributions and their mixtures say of some columns,
 * given others.  Numbers that are not derived here come from the definitions in double
 * precision, by another program. */
#include "base/random.h"
#include "faults.h"
#include "num/special.h"
#include "num/truncated.h"
#include "scorefield/condition.h"
#include "scorefield/fit.h"
#include "scorefield/flow.h"
#include "scorefield/mixture.h"

static const double inf = INFINITY;

/* ---- truncated normal numbers --------------------------------------------------- */

/* ln of differences of erfc, where they do not cancel. */
TEST(intervals_have_their_probability)
{
    CHECK_NEAR(sfi_log_interval(-1.0, 1.0), log(erf(sqrt(0.5))), 1e-15);
    CHECK_NEAR(sfi_log_interval(0.5, 2.0),
               log(0.5 * (erfc(0.5 * sqrt(0.5)) - erfc(2.0 * sqrt(0.5)))),
               1e-14);
    CHECK_CLOSE(sfi_log_interval(30.0, inf), -454.3212439563431, 1e-14);
    CHECK_CLOSE(sfi_log_interval(-inf, -30.0), -454.3212439563431, 1e-14);
    CHECK(sfi_log_interval(-inf, inf) == 0.0);
    CHECK(sfi_log_interval(2.0, 2.0) == -inf);
}

/* The quantile is where the distribution function is p; the mean by a sum over
 * quantiles at midpoints, whose error is of the order of 1/n^2 within bounds. */
TEST(truncated_numbers_are_within_their_bounds)
{
    static const double bounds[][2] = {
        {-1.0, 2.0}, {1.0, 1.5}, {-9.0, -8.0}, {8.0, 20.0}, {-50.0, -45.0}};
    for (size_t k = 0; k < SFI_COUNT(bounds); k++) {
        const double a = bounds[k][0], b = bounds[k][1];
        double mean, variance, sum = 0.0, squares = 0.0;
        enum { STEPS = 20000 };
        for (int i = 0; i < STEPS; i++) {
            const double p = (i + 0.5) / STEPS;
            const double z = sfi_truncated_quantile(a, b, p);
            CHECK(z >= a && z <= b);
            /* The last one is the tail's leading term: 1/b^2 beside it. */
            if (i % 1000 == 500)
                CHECK_NEAR(exp(sfi_log_interval(a, z) - sfi_log_interval(a, b)),
                           p, k == 4 ? 1e-3 : 1e-11);
            sum += z / STEPS;
            squares += z * z / STEPS;
        }
        sfi_truncated_moments(a, b, &mean, &variance);
        CHECK_NEAR(mean, sum, 1e-4);
        CHECK_NEAR(variance, squares - sum * sum, k == 4 ? 1e-3 : 1e-4);
    }
    double mean, variance;
    sfi_truncated_moments(0.0, inf, &mean, &variance);
    CHECK_CLOSE(mean, sqrt(2.0 / 3.14159265358979323846), 1e-14);
    CHECK_CLOSE(variance, 1.0 - 2.0 / 3.14159265358979323846, 1e-14);
}

/* ---- known answers ---------------------------------------------------------------- */

static sf_conditional *given(sf_context *ctx, const sf_model *m,
                             const double *x)
{
    double lower[8], upper[8];
    sf_conditional *c = NULL;
    const int64_t d = sf_model_dim(m);
    sf_condition_clear(d, lower, upper);
    for (int64_t j = 0; j < d; j++)
        if (!isnan(x[j]))
            lower[j] = upper[j] = x[j];
    CHECK_OK(ctx, sf_conditional_new(ctx, &c, m, lower, upper));
    return c;
}

/* Five rows under one covariance, and the second column missing. */
TEST(rows_under_correlated_noise_explain_a_missing_cell)
{
    static const double data[] = {0.35, 0.82,  0.33,  -1.3,  0.91,
                                  0.45, -0.54, 0.58,  0.36,  0.29,
                                  0.03, 0.55,  -0.74, -0.16, -0.48};
    static const double one[] = {0.36,  0.216,  -0.108, 0.216, 0.36,
                                 0.036, -0.108, 0.036,  0.36};
    static const double weights[] = {0.3767068719012896, 0.02044110742112445,
                                     0.2232242247875934, 0.22433766247257791,
                                     0.15529013341741446};
    static const double means[] = {0.5607692307692307, 1.7561538461538464,
                                   0.9276923076923076, -0.25538461538461543,
                                   0.5846153846153845};
    const double x[] = {0.3, NAN, -0.4};
    double w[5] = {1, 1, 1, 1, 1}, c[5 * 9], logpdf;
    double weight, mean[3], covariance[9];
    sf_context *ctx = new_context();
    for (int k = 0; k < 5; k++)
        memcpy(c + 9 * k, one, sizeof one);
    sf_model *m = NULL;
    CHECK_OK(ctx, sf_mixture_new(ctx, &m, 3, NULL, 5, w, data, c));
    CHECK_OK(ctx, sf_logpdf_marginal(ctx, &logpdf, m, (sf_cmat){x, 1, 3, 3}));
    CHECK_CLOSE(logpdf, -2.252800445076643, 1e-9);
    sf_conditional *q = given(ctx, m, x);
    CHECK(sf_conditional_count(q) == 5);
    for (int k = 0; k < 5; k++) {
        CHECK_OK(ctx,
                 sf_conditional_component(q, k, &weight, mean, covariance));
        CHECK_CLOSE(weight, weights[k], 1e-9);
        CHECK_CLOSE(mean[1], means[k], 1e-9);
        CHECK_CLOSE(covariance[4], 0.19938461538461538, 1e-9);
        CHECK(mean[0] == x[0] && mean[2] == x[2] && covariance[1] == 0.0);
    }
    CHECK_OK(ctx, sf_conditional_moments(q, mean, covariance));
    CHECK_CLOSE(mean[1], 0.48771936185280307, 1e-9);
    CHECK_CLOSE(covariance[4], 0.4028319968673847, 1e-9);
    double density, probability, se;
    sf_conditional_evidence(q, &density, &probability, &se);
    CHECK_CLOSE(density, logpdf, 1e-12);
    CHECK(probability == 0.0 && se == 0.0);
    sf_conditional_free(q);
    sf_model_free(m);
    sf_context_free(ctx);
}

static sf_model *mixture(sf_context *ctx)
{
    static const char *const names[] = {"a", "b", "long name"};
    static const double w[] = {0.35, 0.65};
    static const double means[] = {0.0, 1.0, -1.0, 1.5, -0.5, 0.7};
    static const double c[] = {1.0, 0.3,  0.0, 0.3,  0.8, -0.2, 0.0, -0.2, 0.6,
                               0.5, -0.1, 0.2, -0.1, 1.2, 0.4,  0.2, 0.4,  0.9};
    sf_model *m = NULL;
    CHECK_OK(ctx, sf_mixture_new(ctx, &m, 3, names, 2, w, means, c));
    return m;
}

TEST(a_mixture_given_one_column_and_given_two)
{
    sf_context *ctx = new_context();
    sf_model *m = mixture(ctx);
    const double x[] = {0.4, NAN, NAN, NAN, 0.2, -0.3};
    double logpdf[2], weight, mean[3], c[9];
    CHECK_OK(ctx, sf_logpdf_marginal(ctx, logpdf, m, (sf_cmat){x, 2, 3, 3}));
    CHECK_CLOSE(logpdf[0], -1.434432980357164, 1e-9);
    CHECK_CLOSE(logpdf[1], -2.558034542809795, 1e-9);
    sf_conditional *q = given(ctx, m, x);
    CHECK_OK(ctx, sf_conditional_component(q, 0, &weight, mean, c));
    CHECK_CLOSE(weight, 0.54100450264784, 1e-9);
    CHECK_CLOSE(mean[1], 1.12, 1e-9);
    CHECK_CLOSE(mean[2], -1.0, 1e-9);
    CHECK_CLOSE(c[4], 0.71, 1e-9);
    CHECK_CLOSE(c[5], -0.2, 1e-9);
    CHECK_OK(ctx, sf_conditional_moments(q, mean, c));
    CHECK_CLOSE(mean[1], 0.477406303706976, 1e-9);
    CHECK_CLOSE(mean[2], -0.4216656733362784, 1e-9);
    CHECK_CLOSE(c[4], 1.412432400050218, 1e-9);
    CHECK_CLOSE(c[5], -0.34427694635984973, 1e-9);
    CHECK_CLOSE(c[8], 1.0952096676161842, 1e-9);
    sf_conditional_free(q);
    q = given(ctx, m, x + 3);
    CHECK_OK(ctx, sf_conditional_component(q, 1, &weight, mean, c));
    CHECK_CLOSE(weight, 0.4209966984902614, 1e-9);
    CHECK_CLOSE(mean[0], 1.066304347826087, 1e-9);
    CHECK_CLOSE(c[0], 0.42065217391304344, 1e-9);
    CHECK_OK(ctx, sf_conditional_moments(q, mean, c));
    CHECK_CLOSE(mean[0], 0.3146871173978818, 1e-9);
    CHECK_CLOSE(c[0], 1.0957997812566194, 1e-9);
    CHECK_FAILS(ctx, sf_conditional_component(q, 2, NULL, NULL, NULL), SF_E_ARG,
                "component 2 of 2");
    sf_conditional_free(q);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Rows that stand for the normal distributions of their neighbourhoods: the mean of a
 * row and its 2 nearest, and 0.3^2 (0.9 C + 0.1 diag C + 1e-3), C with the divisor 2. */
TEST(neighbourhoods_explain_a_column)
{
    static const double data[] = {0.0, 0.0, 1.0, 0.5, 0.5,
                                  1.2, 3.0, 3.0, 3.5, 2.4};
    static const double weights[] = {0.3301243481710246, 0.3301243481710246,
                                     0.3301243481710246, 0.004813477743463128,
                                     0.004813477743463128};
    static const int near[5][3] = {
        {0, 1, 2}, {1, 2, 0}, {2, 1, 0}, {3, 4, 2}, {4, 3, 2}};
    double w[5], mean[10], c[20] = {0.0}, logpdf[2], out[2], v[4], weight;
    const double x[] = {0.8, 0.9, 0.8, NAN};
    for (int k = 0; k < 5; k++) {
        w[k] = 1.0;
        for (int j = 0; j < 2; j++) {
            mean[2 * k + j] = 0.0;
            for (int i = 0; i < 3; i++)
                mean[2 * k + j] += data[2 * near[k][i] + j] / 3.0;
        }
        for (int i = 0; i < 3; i++) {
            const double *row = data + 2 * near[k][i];
            for (int j = 0; j < 4; j++)
                c[4 * k + j] += (row[j / 2] - mean[2 * k + j / 2]) *
                                (row[j % 2] - mean[2 * k + j % 2]) / 2.0;
        }
        for (int j = 0; j < 4; j++)
            c[4 * k + j] =
                0.09 * (j % 3 == 0 ? c[4 * k + j] + 1e-3 : 0.9 * c[4 * k + j]);
    }
    CHECK_CLOSE(c[0], 0.02259, 1e-9);
    CHECK_CLOSE(c[1], 0.010125, 1e-9);
    sf_context *ctx = new_context();
    sf_model *m = NULL;
    CHECK_OK(ctx, sf_mixture_new(ctx, &m, 2, NULL, 5, w, mean, c));
    CHECK_OK(ctx, sf_logpdf_marginal(ctx, logpdf, m, (sf_cmat){x, 2, 2, 2}));
    CHECK_CLOSE(logpdf[0], -1.362233615932392, 1e-9);
    CHECK_CLOSE(logpdf[1], -1.5169984610394252, 1e-9);
    sf_conditional *q = given(ctx, m, x + 2);
    for (int k = 0; k < 5; k++) {
        CHECK_OK(ctx, sf_conditional_component(q, k, &weight, out, v));
        CHECK_CLOSE(weight, weights[k], 1e-9);
        CHECK_CLOSE(out[1], k < 3 ? 0.7011288180610891 : 1.5058171030568812,
                    1e-9);
        CHECK_CLOSE(v[3], k < 3 ? 0.02825190239043824 : 0.028017744099058432,
                    1e-9);
    }
    CHECK_OK(ctx, sf_conditional_moments(q, out, v));
    CHECK_CLOSE(out[1], 0.7088755163615946, 1e-9);
    CHECK_CLOSE(v[3], 0.034423314194244825, 1e-9);
    sf_conditional_free(q);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* ---- identities ------------------------------------------------------------------- */

/* Complete rows have the model's own log density, others its integral over what they
 * lack (here by the trapezoidal rule over 12 sd, which converges faster than any
 * power), and rows without a cell 0. */
TEST(marginals_are_integrals)
{
    sf_context *ctx = new_context();
    sf_model *m = mixture(ctx);
    const double x[] = {0.4, -0.2, 0.9, 0.4, NAN, 0.9, NAN, NAN, NAN};
    double marginal[3], whole, sum = 0.0;
    CHECK_OK(ctx, sf_logpdf_marginal(ctx, marginal, m, (sf_cmat){x, 3, 3, 3}));
    CHECK_OK(ctx, sf_logpdf(m, (sf_cmat){x, 1, 3, 3}, &whole, NULL, NULL));
    CHECK_NEAR(marginal[0], whole, 1e-12);
    CHECK(marginal[2] == 0.0);
    for (int i = -600; i <= 600; i++) {
        const double at[] = {0.4, 0.02 * i, 0.9};
        double logpdf;
        CHECK_OK(ctx,
                 sf_logpdf(m, (sf_cmat){at, 1, 3, 3}, &logpdf, NULL, NULL));
        sum += 0.02 * exp(logpdf);
    }
    CHECK_NEAR(marginal[1], log(sum), 1e-11);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* An offset of 1e7 standard deviations costs the digits that the difference of a point
 * and a mean loses, and no more. */
TEST(offsets_do_not_matter)
{
    sf_context *ctx = new_context();
    const double c[] = {1.0, 0.9, 0.9, 1.0};
    double mean[2][2], logpdf[2];
    for (int k = 0; k < 2; k++) {
        const double off = 1e7 * k, at[] = {off, off};
        const double x[] = {off + 1.0, NAN};
        sf_model *m = NULL;
        CHECK_OK(ctx, sf_gaussian_new(ctx, &m, 2, NULL, at, c));
        sf_conditional *q = given(ctx, m, x);
        CHECK_OK(ctx, sf_conditional_moments(q, mean[k], NULL));
        sf_conditional_evidence(q, &logpdf[k], NULL, NULL);
        sf_conditional_free(q);
        sf_model_free(m);
        CHECK_NEAR(mean[k][1] - off, 0.9, 1e-8);
    }
    CHECK_NEAR(logpdf[1], logpdf[0], 1e-8);
    sf_context_free(ctx);
}

/* A data set under normal noise is a mixture of one component for each datum: its log
 * density, by another way, is that of the mixture, whatever the kernels, weights,
 * bandwidths and background; and its conditional distributions are those of it. */
TEST(data_sets_under_normal_noise_are_mixtures)
{
    enum { N = 40 };
    static const char *const kernels[] = {"gaussian", "mvgaussian",
                                          "gaussian:path=vp,sigma=1.5",
                                          "c0=gaussian; c1,c2=mvgaussian"};
    double x[3 * N], at[6], weights[N], closed[2], marginal[2];
    sf_context *ctx = new_context();
    for (int i = 0; i < N; i++) {
        const sfi_where w = {8, (uint64_t)i, 0, SFI_STREAM_USER};
        for (uint32_t j = 0; j < 3; j++)
            x[3 * i + (int)j] =
                100.0 * j +
                (1.0 + 4.0 * j) * (sfi_normal_at(w, j) + sfi_normal_at(w, 7));
        weights[i] = 1.0 + i % 3;
    }
    for (int i = 0; i < 6; i++)
        at[i] = x[i] + 0.3;
    for (int k = 0; k < 8; k++) {
        sf_model *m = NULL;
        sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
        o.kernel = kernels[k % 4];
        o.bandwidth = k < 4 ? SF_BANDWIDTH_FIXED : SF_BANDWIDTH_ADAPTIVE;
        o.weights = k % 2 == 0 ? weights : NULL;
        o.floor = k % 4 < 2 ? 0.1 : 0.0;
        CHECK_OK(ctx, sf_fit_empirical(ctx, &m, (sf_cmat){x, N, 3, 3}, NULL, &o,
                                       NULL));
        CHECK_OK(ctx, sf_logpdf(m, (sf_cmat){at, 2, 3, 3}, closed, NULL, NULL));
        CHECK_OK(ctx,
                 sf_logpdf_marginal(ctx, marginal, m, (sf_cmat){at, 2, 3, 3}));
        for (int i = 0; i < 2; i++)
            CHECK_NEAR(marginal[i], closed[i], 1e-10);
        const double first[] = {at[0], NAN, NAN};
        sf_conditional *q = given(ctx, m, first);
        CHECK(sf_conditional_count(q) == N + (o.floor > 0.0));
        sf_conditional_free(q);
        sf_model_free(m);
    }
    sf_model *m = NULL;
    double lower[3] = {0.0, -inf, -inf}, upper[3] = {1.0, inf, inf};
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    sf_conditional *q = NULL;
    o.kernel = "c0=laplace; c1,c2=mvgaussian";
    CHECK_OK(ctx,
             sf_fit_empirical(ctx, &m, (sf_cmat){x, N, 3, 3}, NULL, &o, NULL));
    CHECK_FAILS(ctx, sf_conditional_new(ctx, &q, m, lower, upper),
                SF_E_UNSUPPORTED, "not gaussian, lognormal, beta");
    sf_model_free(m);
    sf_context_free(ctx);
}

/* ---- intervals -------------------------------------------------------------------- */

/* One interval: probability and moments by a sum over its column, of which each slice
 * is a mixture given a value. */
TEST(one_interval_is_an_integral_over_values)
{
    sf_context *ctx = new_context();
    sf_model *m = mixture(ctx);
    double lower[3], upper[3], mean[3], c[9], log_p, se, log_density;
    double total = 0.0, first[3] = {0.0}, second[9] = {0.0};
    enum { STEPS = 2000 };
    sf_condition_clear(3, lower, upper);
    CHECK_OK(ctx, sf_condition_parse(ctx, lower, upper, m, "a in 0.8:2"));
    sf_conditional *q = NULL;
    CHECK_OK(ctx, sf_conditional_new(ctx, &q, m, lower, upper));
    CHECK_OK(ctx, sf_conditional_moments(q, mean, c));
    sf_conditional_evidence(q, &log_density, &log_p, &se);
    CHECK(log_density == 0.0 && se == 0.0);
    for (int i = 0; i < STEPS; i++) { /* midpoints: an error of 1.2^2/24 h^2 */
        const double a = 0.8 + 1.2 * (i + 0.5) / STEPS;
        const double x[] = {a, NAN, NAN};
        double slice[3], v[9], logpdf;
        sf_conditional *at = given(ctx, m, x);
        sf_conditional_evidence(at, &logpdf, NULL, NULL);
        CHECK_OK(ctx, sf_conditional_moments(at, slice, v));
        const double p = exp(logpdf) * 1.2 / STEPS;
        total += p;
        for (int j = 0; j < 3; j++)
            first[j] += p * slice[j];
        for (int j = 0; j < 9; j++)
            second[j] += p * (v[j] + slice[j / 3] * slice[j % 3]);
        sf_conditional_free(at);
    }
    CHECK_NEAR(log_p, log(total), 1e-6);
    for (int j = 0; j < 3; j++)
        CHECK_NEAR(mean[j], first[j] / total, 1e-6);
    for (int j = 0; j < 9; j++)
        CHECK_NEAR(c[j],
                   second[j] / total -
                       first[j / 3] * first[j % 3] / total / total,
                   1e-6);
    sf_conditional_free(q);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Orthants: P(x > 0, y > 0) = 1/4 + asin(r)/(2 pi), and of three columns 1/8 + sum of
 * asin(r_ij)/(4 pi) (W. F. Sheppard 1899). */
TEST(orthants_have_their_probability)
{
    const double pi = 3.14159265358979323846, zero[3] = {0.0};
    const double c[] = {1.0, 0.6, -0.3, 0.6, 1.0, 0.2, -0.3, 0.2, 1.0};
    const double want[] = {0.25 + asin(0.6) / (2.0 * pi),
                           0.125 + (asin(0.6) + asin(-0.3) + asin(0.2)) /
                                       (4.0 * pi)};
    sf_context *ctx = new_context();
    sf_model *m = NULL;
    CHECK_OK(ctx, sf_gaussian_new(ctx, &m, 3, NULL, zero, c));
    for (int k = 0; k < 2; k++) {
        double lower[3] = {0.0, 0.0, k == 0 ? -inf : 0.0};
        double upper[3] = {inf, inf, inf}, log_p, se;
        sf_conditional *q = NULL;
        CHECK_OK(ctx, sf_conditional_new(ctx, &q, m, lower, upper));
        sf_conditional_evidence(q, NULL, &log_p, &se);
        CHECK(se > 0.0 && se < 1e-3);
        CHECK_NEAR(exp(log_p), want[k], 5.0 * se * want[k]);
        CHECK_FAILS(ctx, sf_conditional_moments(q, lower, NULL),
                    SF_E_UNSUPPORTED, "draw rows");
        sf_conditional_free(q);
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Means of draws within five standard errors of those of the distribution: with one
 * interval in closed form; with two independent ones those of each alone. */
TEST(draws_are_of_the_distribution)
{
    enum { ROWS = 20000 };
    static double x[ROWS * 3];
    sf_context *ctx = new_context();
    sf_model *m = mixture(ctx);
    double lower[3], upper[3], mean[3], c[9];
    sf_condition_clear(3, lower, upper);
    CHECK_OK(ctx, sf_condition_parse(ctx, lower, upper, m, "b>1"));
    CHECK_OK(ctx,
             sf_condition_parse(ctx, lower, upper, m, "\"long name\"=0.1"));
    sf_conditional *q = NULL;
    CHECK_OK(ctx, sf_conditional_new(ctx, &q, m, lower, upper));
    CHECK_OK(ctx, sf_conditional_moments(q, mean, c));
    CHECK_OK(ctx, sf_conditional_draw(q, 5, 0, (sf_mat){x, ROWS, 3, 3}));
    double first[2] = {0.0}, second[2] = {0.0}, cross = 0.0;
    for (int i = 0; i < ROWS; i++) {
        CHECK(x[3 * i + 1] >= 1.0 && x[3 * i + 2] == 0.1);
        for (int j = 0; j < 2; j++) {
            first[j] += x[3 * i + j] / ROWS;
            second[j] += pow(x[3 * i + j] - mean[j], 2.0) / ROWS;
        }
        cross += (x[3 * i] - mean[0]) * (x[3 * i + 1] - mean[1]) / ROWS;
    }
    for (int j = 0; j < 2; j++) {
        CHECK_NEAR(first[j], mean[j], 5.0 * sqrt(c[4 * j] / ROWS));
        /* Of a variance: sqrt((k - 1)/n) of itself, kurtosis k below 6 here. */
        CHECK_NEAR(second[j], c[4 * j], 5.0 * c[4 * j] * sqrt(5.0 / ROWS));
    }
    CHECK_NEAR(cross, c[1], 5.0 * sqrt(2.0 * c[0] * c[4] / ROWS));
    /* Row i depends on its number alone. */
    double again[3];
    CHECK_OK(ctx, sf_conditional_draw(q, 5, 777, (sf_mat){again, 1, 3, 3}));
    CHECK(memcmp(again, x + 3 * 777, sizeof again) == 0);
    sf_conditional_free(q);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Two intervals of correlated columns: the mean of x over the orthant x, y > 0 is
 * (1 + r)/(2 P sqrt(2 pi)) with P its probability (differentiate exp(-Q/2)). */
TEST(several_intervals_are_drawn_exactly)
{
    enum { ROWS = 40000 };
    static double x[ROWS * 2];
    const double pi = 3.14159265358979323846, r = -0.8, zero[2] = {0.0};
    const double c[] = {1.0, r, r, 1.0};
    double lower[] = {0.0, 0.0}, upper[] = {inf, inf}, first = 0.0;
    const double p = 0.25 + asin(r) / (2.0 * pi);
    const double want = (1.0 + r) / (2.0 * p * sqrt(2.0 * pi));
    sf_context *ctx = new_context();
    sf_model *m = NULL;
    sf_conditional *q = NULL;
    CHECK_OK(ctx, sf_gaussian_new(ctx, &m, 2, NULL, zero, c));
    CHECK_OK(ctx, sf_conditional_new(ctx, &q, m, lower, upper));
    CHECK_OK(ctx, sf_conditional_draw(q, 3, 0, (sf_mat){x, ROWS, 2, 2}));
    double second = 0.0;
    for (int i = 0; i < ROWS; i++) {
        CHECK(x[2 * i] >= 0.0 && x[2 * i + 1] >= 0.0);
        first += (x[2 * i] + x[2 * i + 1]) / (2.0 * ROWS);
        second += x[2 * i + 1] / ROWS;
    }
    /* The sd of x is below 0.6 of its untruncated one there. */
    CHECK_NEAR(first, want, 5.0 * 0.6 / sqrt(ROWS));
    CHECK_NEAR(second, want, 5.0 * 0.6 / sqrt(ROWS));
    sf_conditional_free(q);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Columns are below a quantile with its probability: the distribution function written
 * out, with and without an interval of the column itself. */
TEST(quantiles_are_where_the_distribution_function_is_p)
{
    static const double p[] = {1e-6, 0.05, 0.5, 0.9, 0.999999};
    sf_context *ctx = new_context();
    sf_model *m = mixture(ctx);
    const double sd[] = {1.0, sqrt(0.5)}, at[] = {0.0, 1.5};
    const double w[] = {0.35, 0.65};
    for (int bounded = 0; bounded < 2; bounded++) {
        double lower[3], upper[3], x[5];
        sf_conditional *q = NULL;
        sf_condition_clear(3, lower, upper);
        lower[0] = bounded ? 1.0 : -inf;
        CHECK_OK(ctx, sf_conditional_new(ctx, &q, m, lower, upper));
        CHECK_OK(ctx, sf_conditional_quantiles(q, 0, 5, p, x));
        for (int i = 0; i < 5; i++) {
            double sum = 0.0, below = 0.0;
            for (int k = 0; k < 2; k++) {
                sum += w[k] * sfi_ndtr((x[i] - at[k]) / sd[k]);
                below += w[k] * sfi_ndtr((lower[0] - at[k]) / sd[k]);
            }
            CHECK_NEAR((sum - below) / (1.0 - below), p[i], 1e-12);
        }
        if (bounded)
            CHECK_FAILS(ctx, sf_conditional_quantiles(q, 1, 5, p, x),
                        SF_E_UNSUPPORTED, "draw rows");
        CHECK_FAILS(ctx, sf_conditional_quantiles(q, 3, 5, p, x), SF_E_ARG,
                    "column 3 of 3");
        sf_conditional_free(q);
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

/* ---- texts, refusals, memory -------------------------------------------------------- */

TEST(conditions_are_read)
{
    sf_context *ctx = new_context();
    sf_model *m = mixture(ctx);
    double low[3], high[3];
    sf_condition_clear(3, low, high);
    CHECK_OK(ctx, sf_condition_parse(ctx, low, high, m, " a = -1.5e1 "));
    CHECK(low[0] == -15.0 && high[0] == -15.0);
    CHECK_OK(ctx, sf_condition_parse(ctx, low, high, m, "b<=4"));
    CHECK_OK(ctx, sf_condition_parse(ctx, low, high, m, "b > -2"));
    CHECK(low[1] == -2.0 && high[1] == 4.0);
    CHECK_OK(ctx, sf_condition_parse(ctx, low, high, m, "b in 0 : 9"));
    CHECK(low[1] == 0.0 && high[1] == 4.0);
    CHECK_OK(ctx, sf_condition_parse(ctx, low, high, m, "\"long name\">=2"));
    CHECK(low[2] == 2.0 && high[2] == inf);
    CHECK_FAILS(ctx, sf_condition_parse(ctx, low, high, m, "b>5"), SF_E_ARG,
                "at least 5 and at most 4");
    CHECK(low[1] == 0.0 && high[1] == 4.0);
    CHECK_FAILS(ctx, sf_condition_parse(ctx, low, high, m, "bb>5"), SF_E_ARG,
                "did you mean");
    static const char *const bad[] = {
        "",       "a",          "a=",    "a=x",   "=3",
        "a in 1", "a in 1:2:3", "a=inf", "\"a=1", "a=1 b=2",
        "a=>1",   "a int 1:2",  "a<nan"};
    for (size_t i = 0; i < SFI_COUNT(bad); i++)
        CHECK_FAILS(ctx, sf_condition_parse(ctx, low, high, m, bad[i]),
                    SF_E_ARG, "want NAME=VALUE");
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(what_cannot_be_given_is_refused)
{
    sf_context *ctx = new_context();
    sf_model *m = mixture(ctx);
    double low[3], high[3], x[3] = {1.0, 2.0, INFINITY}, out;
    sf_conditional *q = NULL;
    sf_condition_clear(3, low, high);
    low[1] = 40.0;
    CHECK_FAILS(ctx, sf_conditional_new(ctx, &q, m, low, high), SF_E_NUMERIC,
                "\"b\" between 40 and inf");
    low[1] = NAN;
    CHECK_FAILS(ctx, sf_conditional_new(ctx, &q, m, low, high), SF_E_ARG,
                "\"b\"");
    CHECK_FAILS(ctx, sf_conditional_new(ctx, &q, m, x, x), SF_E_ARG,
                "\"long name\"");
    x[2] = 0.0;
    CHECK_FAILS(ctx, sf_conditional_new(ctx, &q, m, x, x), SF_E_ARG,
                "all 3 columns are known");
    CHECK(q == NULL);
    x[2] = -INFINITY;
    CHECK_FAILS(ctx, sf_logpdf_marginal(ctx, &out, m, (sf_cmat){x, 1, 3, 3}),
                SF_E_NUMERIC, "row 1, column \"long name\"");
    CHECK_FAILS(ctx, sf_logpdf_marginal(ctx, &out, m, (sf_cmat){x, 1, 2, 2}),
                SF_E_SHAPE, "2 columns");
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(threads_do_not_change_a_bit)
{
    enum { ROWS = 1000 };
    static double x[3][ROWS * 3], logpdf[3][ROWS];
    static const int counts[] = {1, 2, 7};
    for (int t = 0; t < 3; t++) {
        sf_context *ctx = new_context();
        CHECK_OK(ctx, sf_context_set_threads(ctx, counts[t]));
        sf_model *m = mixture(ctx);
        double lower[] = {0.0, 0.5, -inf}, upper[] = {inf, 2.0, inf};
        sf_conditional *q = NULL;
        CHECK_OK(ctx, sf_conditional_new(ctx, &q, m, lower, upper));
        CHECK_OK(ctx, sf_conditional_draw(q, 1, 0, (sf_mat){x[t], ROWS, 3, 3}));
        for (int i = 0; i < ROWS * 3; i++)
            if (i % 7 == 2)
                x[t][i] = NAN;
        CHECK_OK(ctx, sf_logpdf_marginal(ctx, logpdf[t], m,
                                         (sf_cmat){x[t], ROWS, 3, 3}));
        CHECK(memcmp(x[t], x[0], sizeof x[0]) == 0);
        CHECK(memcmp(logpdf[t], logpdf[0], sizeof logpdf[0]) == 0);
        sf_conditional_free(q);
        sf_model_free(m);
        sf_context_free(ctx);
    }
}

static sf_status work(sf_context *ctx, const sf_model *m)
{
    const double x[] = {0.4, NAN, NAN, NAN, 0.2, -0.3};
    double lower[] = {0.0, 0.5, -inf}, upper[] = {inf, 2.0, inf};
    double rows[9], logpdf[2], mean[3];
    sf_conditional *q = NULL;
    SFI_TRY(sf_logpdf_marginal(ctx, logpdf, m, (sf_cmat){x, 2, 3, 3}));
    SFI_TRY(sf_conditional_new(ctx, &q, m, lower, upper));
    sf_status status = sf_conditional_draw(q, 1, 0, (sf_mat){rows, 3, 3, 3});
    sf_conditional_free(q);
    lower[1] = -inf;
    upper[1] = inf;
    if (status == SF_OK)
        status = sf_conditional_new(ctx, &q, m, lower, upper);
    if (status != SF_OK)
        return status;
    status = sf_conditional_moments(q, mean, NULL);
    sf_conditional_free(q);
    return status;
}

TEST(every_allocation_may_fail)
{
    struct faults f;
    sf_context *ctx = faulty_context(&f);
    sf_model *m = mixture(ctx);
    const int64_t held = f.bytes;
    sf_status status = SF_E_NOMEM;
    for (int64_t k = 0; status != SF_OK; k++) {
        f.left = k;
        status = work(ctx, m);
        CHECK(status == SF_OK || status == SF_E_NOMEM);
        CHECK(f.bytes == held);
    }
    f.left = INT64_MAX;
    sf_model_free(m);
    sf_context_free(ctx);
}

TESTS(CASE(intervals_have_their_probability),
      CASE(truncated_numbers_are_within_their_bounds),
      CASE(rows_under_correlated_noise_explain_a_missing_cell),
      CASE(a_mixture_given_one_column_and_given_two),
      CASE(neighbourhoods_explain_a_column), CASE(marginals_are_integrals),
      CASE(offsets_do_not_matter),
      CASE(data_sets_under_normal_noise_are_mixtures),
      CASE(one_interval_is_an_integral_over_values),
      CASE(orthants_have_their_probability),
      CASE(draws_are_of_the_distribution),
      CASE(several_intervals_are_drawn_exactly),
      CASE(quantiles_are_where_the_distribution_function_is_p),
      CASE(conditions_are_read), CASE(what_cannot_be_given_is_refused),
      CASE(threads_do_not_change_a_bit), CASE(every_allocation_may_fail))
