/* SPDX-License-Identifier: Apache-2.0 */
/* test_flow.c - samplers and likelihoods against the Gaussian, where everything
 * is known, and against identities that hold for any model. */
#include "base/random.h"
#include "check.h"
#include "model/network.h"
#include "scorefield/flow.h"

static sf_model *correlated(sf_context *ctx)
{
    const double mean[2] = {10.0, -3.0}, C[4] = {4.0, 1.2, 1.2, 0.5};
    sf_model *m = NULL;
    CHECK_OK(ctx, sf_gaussian_new(ctx, &m, 2, NULL, mean, C));
    return m;
}

/* A network whose last layer is not 0, so that its flow is not a Gaussian's. */
static sf_model *random_network(sf_context *ctx, int64_t dim, bool energy)
{
    sfi_number numbers[SFI_MAX_NUMBERS];
    const int count =
        sfi_network_numbers(numbers, 16, 2, energy, 0.01, 20.0, -1.0);
    sf_model *m = NULL;
    CHECK_OK(ctx, sfi_model_new(ctx, &m, &sfi_network_ops, dim, NULL, NULL,
                                count, numbers));
    sfi_network_initialise(m, 3);
    for (int64_t i = 0; i < m->weight_count; i++)
        if (m->weights[i] == 0.0)
            m->weights[i] = (float)(0.05 * sin(0.7 * (double)i));
    for (int64_t j = 0; j < dim; j++) {
        m->mean[j] = (double)j;
        m->scale[j] = 1.0 + 0.5 * (double)j;
    }
    return m;
}

static void fill_points(double *x, int64_t count, double scale)
{
    for (int64_t i = 0; i < count; i++)
        x[i] = scale * sfi_normal_at(
                           (sfi_where){7, (uint64_t)i, 0, SFI_STREAM_USER}, 0);
}

TEST(the_likelihood_along_the_flow_is_the_closed_form_of_a_gaussian)
{
    sf_context *ctx = new_context();
    sf_model *m = correlated(ctx);
    enum { N = 300 };
    double x[N * 2], closed[N], flow[N], se[N];
    fill_points(x, N * 2, 2.0);
    for (int i = 0; i < N; i++) {
        x[2 * i] += 10.0;
        x[2 * i + 1] -= 3.0;
    }
    const sf_cmat table = {x, N, 2, 2};
    sf_likelihood_options o = SF_LIKELIHOOD_OPTIONS_INIT;
    for (int k = 0; k < 2; k++) {
        o.time = k == 0 ? 0.0 : 0.4;
        o.force_flow = false;
        CHECK_OK(ctx, sf_logpdf(m, table, closed, NULL, &o));
        o.force_flow = true;
        CHECK_OK(ctx, sf_logpdf(m, table, flow, se, &o));
        for (int i = 0; i < N; i++) {
            /* The flow ends at sigma_max = 80 knowing unit variances only, so a
             * point at Mahalanobis distance r has an error of up to
             * r^2 (2 - 1) / (2 * 6400); -ln p is about r^2 / 2. */
            CHECK_NEAR(flow[i], closed[i], 2.5e-4 * (1 + fabs(closed[i])));
            CHECK(se[i] == 0.0);
        }
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

/* A stochastic trace must agree with the exact one within its standard error:
 * over 64 points the mean of (difference/se)^2 is that of F(1, 15), 15/13, with
 * a standard deviation of 2.2/8; we allow five of them. */
TEST(the_stochastic_trace_agrees_within_its_standard_error)
{
    sf_context *ctx = new_context();
    enum { N = 64, D = 5 };
    sf_model *m = random_network(ctx, D, false);
    double x[N * D], exact[N], estimate[N], se[N];
    fill_points(x, N * D, 1.5);
    const sf_cmat table = {x, N, D, D};
    sf_likelihood_options o = SF_LIKELIHOOD_OPTIONS_INIT;
    CHECK_OK(ctx, sf_logpdf(m, table, exact, NULL, &o));
    o.exact_limit = 0;
    o.probes = 16;
    CHECK_OK(ctx, sf_logpdf(m, table, estimate, se, &o));
    double chi2 = 0.0;
    for (int i = 0; i < N; i++) {
        CHECK(se[i] > 0.0);
        const double z = (estimate[i] - exact[i]) / se[i];
        chi2 += z * z / N;
    }
    CHECK_NEAR(chi2, 15.0 / 13.0, 5 * 2.2 / 8);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* The density of a one-dimensional model integrates to 1: trapezoids over a
 * range that holds all but e^-50 of it. */
TEST(the_density_of_a_network_integrates_to_one)
{
    sf_context *ctx = new_context();
    sf_model *m = random_network(ctx, 1, false);
    enum { N = 801 };
    double x[N], logp[N], sum = 0.0;
    for (int i = 0; i < N; i++)
        x[i] = -12.0 + 24.0 * i / (N - 1);
    CHECK_OK(ctx, sf_logpdf(m, (sf_cmat){x, N, 1, 1}, logp, NULL, NULL));
    for (int i = 0; i < N; i++)
        sum += exp(logp[i]) * 24.0 / (N - 1);
    CHECK_NEAR(sum, 1.0, 2e-4);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(decode_undoes_encode)
{
    sf_context *ctx = new_context();
    enum { N = 300, D = 3 };
    sf_model *m = random_network(ctx, D, false);
    double x[N * D], code[N * D], back[N * D];
    fill_points(x, N * D, 2.0);
    CHECK_OK(ctx, sf_encode(m, (sf_cmat){x, N, D, D}, (sf_mat){code, N, D, D},
                            NULL));
    CHECK_OK(ctx, sf_decode(m, (sf_cmat){code, N, D, D},
                            (sf_mat){back, N, D, D}, NULL));
    for (int i = 0; i < N * D; i++)
        CHECK_NEAR(back[i], x[i], 2e-4);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* A code of Gaussian data is the whitened data: for one dimension
 * y(1)/sqrt(sigma_max^2+1) = (x-mean)/sd exactly. */
TEST(the_code_of_a_gaussian_is_the_standardised_point)
{
    sf_context *ctx = new_context();
    const double mean = 2.0, variance = 9.0;
    sf_model *m = NULL;
    CHECK_OK(ctx, sf_gaussian_new(ctx, &m, 1, NULL, &mean, &variance));
    const double x[3] = {-4.0, 2.0, 5.0};
    double code[3];
    CHECK_OK(ctx, sf_encode(m, (sf_cmat){x, 3, 1, 1}, (sf_mat){code, 3, 1, 1},
                            NULL));
    for (int i = 0; i < 3; i++)
        CHECK_NEAR(code[i], (x[i] - 2.0) / 3.0, 1e-4);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Mean and covariance of n samples within five standard errors, plus the
 * method's own bias (flow.h): Heun 1 %, the others 3 %. */
static void check_moments(sf_context *ctx, const sf_sample_options *o,
                          double bias)
{
    enum { N = 8000 };
    sf_model *m = correlated(ctx);
    double *x = malloc(N * 2 * sizeof *x);
    CHECK_OK(ctx, sf_sample(m, (sf_mat){x, N, 2, 2}, o));
    double mean[2] = {0, 0}, C[3] = {0, 0, 0};
    for (int i = 0; i < N; i++)
        for (int j = 0; j < 2; j++)
            mean[j] += x[2 * i + j] / N;
    for (int i = 0; i < N; i++) {
        const double a = x[2 * i] - mean[0], b = x[2 * i + 1] - mean[1];
        C[0] += a * a / N;
        C[1] += a * b / N;
        C[2] += b * b / N;
    }
    CHECK_NEAR(mean[0], 10.0, 5 * 2.0 / sqrt(N) + bias);
    CHECK_NEAR(mean[1], -3.0, 5 * 0.7072 / sqrt(N) + bias);
    CHECK_NEAR(C[0], 4.0, (5 * sqrt(2.0 / N) + bias) * 4.0);
    CHECK_NEAR(C[2], 0.5, (5 * sqrt(2.0 / N) + bias) * 0.5);
    CHECK_NEAR(C[1], 1.2, (5 * sqrt((2.0 + 1.44) / N) + bias) * 1.42);
    free(x);
    sf_model_free(m);
}

TEST(every_method_samples_the_gaussian)
{
    sf_context *ctx = new_context();
    sf_sample_options o = SF_SAMPLE_OPTIONS_INIT;
    check_moments(ctx, &o, 0.01);
    o.method = SF_SAMPLER_SDE;
    check_moments(ctx, &o, 0.03);
    o.method = SF_SAMPLER_PC;
    check_moments(ctx, &o, 0.03);
    o.method = SF_SAMPLER_ANNEALED;
    check_moments(ctx, &o, 0.03);
    o.method = SF_SAMPLER_LANGEVIN;
    o.step = 0.1; /* bias of the variance: 1/(1 - h/4 m), m <= 3.5: 10 % */
    o.steps = 300;
    check_moments(ctx, &o, 0.12);
    sf_context_free(ctx);
}

/* Heun's error on the rho grid falls with the square of the step. */
TEST(the_flow_sampler_is_of_second_order)
{
    sf_context *ctx = new_context();
    sf_model *m = random_network(ctx, 2, false);
    enum { N = 50 };
    double fine[N * 2], coarse[N * 2];
    double error[3];
    sf_sample_options o = SF_SAMPLE_OPTIONS_INIT;
    o.steps = 640;
    CHECK_OK(ctx, sf_sample(m, (sf_mat){fine, N, 2, 2}, &o));
    for (int k = 0; k < 3; k++) {
        o.steps = 10 << k;
        CHECK_OK(ctx, sf_sample(m, (sf_mat){coarse, N, 2, 2}, &o));
        error[k] = 0.0;
        for (int i = 0; i < N * 2; i++)
            error[k] += fabs(coarse[i] - fine[i]) / (N * 2);
    }
    const double order = log2(error[0] / error[2]) / 2.0;
    if (order < 1.7 || order > 2.6)
        fprintf(stderr, "errors %g %g %g\n", error[0], error[1], error[2]);
    CHECK(order > 1.7 && order < 2.6);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(a_row_depends_on_the_seed_and_its_number_alone)
{
    sf_context *ctx = new_context();
    sf_model *m = random_network(ctx, 2, false);
    enum { N = 100 };
    double all[N * 2], part[20];
    const sf_sampler methods[] = {SF_SAMPLER_FLOW, SF_SAMPLER_SDE,
                                  SF_SAMPLER_PC};
    for (size_t k = 0; k < SFI_COUNT(methods); k++) {
        sf_sample_options o = SF_SAMPLE_OPTIONS_INIT;
        o.method = methods[k];
        o.seed = 11;
        o.steps = 12;
        CHECK_OK(ctx, sf_context_set_threads(ctx, 1));
        CHECK_OK(ctx, sf_sample(m, (sf_mat){all, N, 2, 2}, &o));
        o.first = 57;
        CHECK_OK(ctx, sf_context_set_threads(ctx, 7));
        CHECK_OK(ctx, sf_sample(m, (sf_mat){part, 10, 2, 2}, &o));
        CHECK(memcmp(part, all + 57 * 2, sizeof part) == 0);
        o.seed = 12;
        CHECK_OK(ctx, sf_sample(m, (sf_mat){part, 10, 2, 2}, &o));
        CHECK(memcmp(part, all + 57 * 2, sizeof part) != 0);
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

/* An energy model's score is a gradient: its Jacobian is symmetric.  A plain
 * network's is not. */
TEST(the_score_of_an_energy_model_is_conservative)
{
    sf_context *ctx = new_context();
    enum { N = 20, D = 3 };
    double x[N * D], jacobian[N * D * D], asymmetry[2] = {0, 0};
    fill_points(x, N * D, 1.5);
    for (int energy = 0; energy < 2; energy++) {
        sf_model *m = random_network(ctx, D, energy == 1);
        const sf_model_values v = {.jacobian = {jacobian, N, D * D, D * D}};
        CHECK_OK(ctx, sf_model_eval(m, (sf_cmat){x, N, D, D}, 0.3, &v));
        for (int i = 0; i < N; i++)
            for (int a = 0; a < D; a++)
                for (int b = 0; b < D; b++)
                    asymmetry[energy] += fabs(jacobian[i * D * D + a * D + b] -
                                              jacobian[i * D * D + b * D + a]);
        sf_model_free(m);
    }
    CHECK(asymmetry[0] > 1e-3);
    CHECK(asymmetry[1] < 1e-12);
    sf_context_free(ctx);
}

/* The trace begins at the start, ends at the sample, and is in data units. */
TEST(a_trace_holds_every_level)
{
    sf_context *ctx = new_context();
    sf_model *m = correlated(ctx);
    enum { N = 9, STEPS = 18 };
    double x[N * 2];
    float trace[(STEPS + 1) * N * 2];
    sf_sample_options o = SF_SAMPLE_OPTIONS_INIT;
    o.steps = STEPS;
    o.trace = trace;
    CHECK_OK(ctx, sf_sample(m, (sf_mat){x, N, 2, 2}, &o));
    for (int i = 0; i < N * 2; i++)
        CHECK_NEAR(trace[STEPS * N * 2 + i], x[i], 1e-5 * (1 + fabs(x[i])));
    const double start =
        sfi_normal_at((sfi_where){0, 4, 0, SFI_STREAM_PRIOR}, 1);
    CHECK_NEAR(trace[4 * 2 + 1], -3.0 + sqrt(0.5) * sqrt(6401.0) * start, 1e-3);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(mistakes_are_explained)
{
    sf_context *ctx = new_context();
    sf_model *m = correlated(ctx);
    double x[4] = {1, 2, 3, NAN}, l[2];
    sf_sample_options o = SF_SAMPLE_OPTIONS_INIT;
    o.step = 5.0;
    CHECK_FAILS(ctx, sf_sample(m, (sf_mat){x, 2, 2, 2}, &o), SF_E_ARG,
                "step is 5");
    CHECK_FAILS(ctx, sf_sample(m, (sf_mat){x, 1, 3, 3}, NULL), SF_E_SHAPE,
                "[1, 3]");
    CHECK_FAILS(ctx, sf_logpdf(m, (sf_cmat){x, 2, 2, 2}, l, NULL, NULL),
                SF_E_NUMERIC, "finite");
    CHECK_FAILS(ctx, sf_logpdf(m, (sf_cmat){x, 1, 1, 1}, l, NULL, NULL),
                SF_E_SHAPE, "1 columns");
    const sf_model_values v = {.score = {l, 1, 2, 2}};
    CHECK_FAILS(ctx, sf_model_eval(m, (sf_cmat){x, 1, 2, 2}, 1.5, &v), SF_E_ARG,
                "time is 1.5");
    sf_model_free(m);
    sf_context_free(ctx);
}

TESTS(CASE(the_likelihood_along_the_flow_is_the_closed_form_of_a_gaussian),
      CASE(the_stochastic_trace_agrees_within_its_standard_error),
      CASE(the_density_of_a_network_integrates_to_one),
      CASE(decode_undoes_encode),
      CASE(the_code_of_a_gaussian_is_the_standardised_point),
      CASE(every_method_samples_the_gaussian),
      CASE(the_flow_sampler_is_of_second_order),
      CASE(a_row_depends_on_the_seed_and_its_number_alone),
      CASE(the_score_of_an_energy_model_is_conservative),
      CASE(a_trace_holds_every_level), CASE(mistakes_are_explained))
