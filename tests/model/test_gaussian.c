/* SPDX-License-Identifier: Apache-2.0 */
/* test_gaussian.c - the normal law against closed forms computed elsewhere.
 *
 * Data and expected numbers: score matching for the multivariate normal
 * (A. Hyvarinen, JMLR 6 (2005), section 3.1), evaluated with 40 digits by
 * independent code. */
#include "check.h"
#include "typed.h"
#include "scorefield/density.h"
#include "scorefield/fit.h"
#include "scorefield/flow.h"
#include "scorefield/graph.h"
#include "scorefield/program.h"
#include "scorefield/sample.h"

static const double points[5][2] = {
    {0.3, -1.1}, {1.7, 0.4}, {-0.6, -0.2}, {2.1, 1.5}, {0.2, 0.9}};
static const sf_cmat table = {&points[0][0], 5, 2, 2};

/* J(M, mu) = mean of -tr M + |M(x - mu)|^2 / 2, built from the log density by
 * differentiation, against the numbers of the closed form. */
TEST(implicit_score_matching_of_a_normal_density_and_its_gradient)
{
    sf_context *ctx = new_context();
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const int64_t two = 2;
    const sf_node x = sf_input(g, "x", 1, &two);
    const sf_node m = sf_param(g, "M", 2, (int64_t[]){2, 2});
    const sf_node mu = sf_param(g, "mu", 1, &two);
    const sf_symbol symbols[] = {{"x", x}, {"M", m}, {"mu", mu}};
    sf_node log_q;
    CHECK_OK(ctx, sf_parse(g, "-0.5*(x-mu)*(M*(x-mu))", 3, symbols, &log_q));
    const sf_node score = sf_gradient(g, log_q, x);
    const sf_node loss =
        sf_add(g, sf_divergence(g, score, x),
               sf_mul(g, sf_const(g, 0.5), sf_dot(g, score, score)));
    const sf_node wrt[2] = {m, mu};
    sf_node gradient[2];
    sf_gradients(g, loss, 2, wrt, gradient);
    const sf_output outputs[4] = {{loss, SF_SUM},
                                  {gradient[0], SF_SUM},
                                  {gradient[1], SF_SUM},
                                  {score, SF_EACH}};
    sf_program *p = NULL;
    CHECK_OK(ctx, sf_program_new(ctx, &p, g, SF_F64, 4, outputs));
    const double M[4] = {1.2, -0.3, -0.3, 0.8}, at[2] = {0.5, 0.1};
    const void *params[2] = {M, at};
    const sf_source source = {.data = points, .dtype = SF_F64, .stride = 2};
    double j, dm[4], dmu[2], s[10];
    const sf_sink sinks[4] = {
        {&j, SF_F64, 0}, {dm, SF_F64, 0}, {dmu, SF_F64, 0}, {s, SF_F64, 2}};
    CHECK_OK(ctx, sf_program_run(p, 5, &source, params, sinks));
    CHECK_CLOSE(j / 5, -1.22652, 1e-12);
    CHECK_CLOSE(dmu[0] / 5, -0.2472, 1e-12);
    CHECK_CLOSE(dmu[1] / 5, -0.002, 1e-10);
    /* The derivative by a symmetric M: half the sum of both halves. */
    CHECK_CLOSE(dm[0] / 5, 0.1058, 1e-10);
    CHECK_CLOSE(0.5 * (dm[1] + dm[2]) / 5, 0.2992, 1e-10);
    CHECK_CLOSE(dm[3] / 5, -0.5006, 1e-10);
    CHECK_CLOSE(s[0], -0.12, 1e-12);
    CHECK_CLOSE(s[1], 0.9, 1e-12);
    sf_program_free(p);
    sf_graph_free(g);
    sf_context_free(ctx);
}

TEST(the_fit_is_the_score_matching_and_maximum_likelihood_estimate)
{
    sf_context *ctx = new_context();
    sf_model *m = NULL;
    CHECK_OK(ctx, sf_fit_gaussian(ctx, &m, table, NULL));
    double mean[2], covariance[4], precision[4];
    CHECK_OK(ctx, sf_gaussian_moments(m, mean, covariance, precision));
    CHECK_CLOSE(mean[0], 0.74, 1e-12);
    CHECK_CLOSE(mean[1], 0.3, 1e-12);
    const double S[4] = {1.0104, 0.538, 0.538, 0.804};
    const double P[4] = {1.5375271362065457, -1.0288427851730368,
                         -1.0288427851730368, 1.9322355950535992};
    for (int i = 0; i < 4; i++) {
        CHECK_CLOSE(covariance[i], S[i], 1e-12);
        CHECK_CLOSE(precision[i], P[i], 1e-11);
    }
    /* J at its minimum is -tr(M)/2. */
    CHECK_CLOSE(-0.5 * (precision[0] + precision[3]), -1.7348813656300726,
                1e-11);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(score_jacobian_and_density_follow_the_precision)
{
    sf_context *ctx = new_context();
    const double M[4] = {1.2, -0.3, -0.3, 0.8}, mu[2] = {0.5, 0.1};
    const double det = M[0] * M[3] - M[1] * M[2];
    const double S[4] = {M[3] / det, -M[1] / det, -M[2] / det, M[0] / det};
    sf_model *m = NULL;
    CHECK_OK(ctx, sf_gaussian_new(ctx, &m, 2, NULL, mu, S));
    double score[10], jacobian[20], logp[5];
    const sf_model_values v = {.score = {score, 5, 2, 2},
                               .jacobian = {jacobian, 5, 4, 4}};
    CHECK_OK(ctx, sf_model_eval(m, table, 0.0, &v));
    CHECK_OK(ctx, sf_logpdf(m, table, logp, NULL, NULL));
    CHECK_CLOSE(score[0], -0.12, 1e-11);
    CHECK_CLOSE(score[1], 0.9, 1e-11);
    for (int k = 0; k < 4; k++)
        CHECK_CLOSE(jacobian[k], -M[k], 1e-11);
    CHECK_CLOSE(logp[0], -2.4355081000760994, 1e-11);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* For p_t = N(mu, C + sigma^2 scale^2): the flow's velocity, its divergence and
 * the posterior mean from one-dimensional formulas. */
TEST(velocity_divergence_and_denoised_mean_in_one_dimension)
{
    sf_context *ctx = new_context();
    const double mu = 3.0, variance = 4.0, x = 4.5, time = 0.3, h = 1e-6;
    sf_model *m = NULL;
    CHECK_OK(ctx, sf_gaussian_new(ctx, &m, 1, NULL, &mu, &variance));
    const double sigma = sf_model_sigma(m, time);
    const double slope =
        (sf_model_sigma(m, time + h) - sf_model_sigma(m, time - h)) / (2 * h);
    const double total = variance * (1 + sigma * sigma);
    double s, u, d, div;
    const sf_model_values v = {.score = {&s, 1, 1, 1},
                               .velocity = {&u, 1, 1, 1},
                               .denoised = {&d, 1, 1, 1},
                               .divergence = {&div, 1, 1, 1}};
    CHECK_OK(ctx, sf_model_eval(m, (sf_cmat){&x, 1, 1, 1}, time, &v));
    CHECK_CLOSE(s, -(x - mu) / total, 1e-12);
    CHECK_CLOSE(u, variance * sigma * slope * (x - mu) / total, 1e-7);
    CHECK_CLOSE(div, variance * sigma * slope / total, 1e-7);
    CHECK_CLOSE(d, mu + (x - mu) * variance / total, 1e-12);
    CHECK_CLOSE(sf_model_time(m, sigma), time, 1e-12);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(a_singular_covariance_names_the_columns_and_a_remedy)
{
    sf_context *ctx = new_context();
    double x[40][3];
    for (int i = 0; i < 40; i++) {
        x[i][0] = sin(1.7 * i);
        x[i][1] = cos(2.3 * i);
        x[i][2] = 2.0 * x[i][0] + 1.0;
    }
    const char *const names[3] = {"height", "weight", "height2"};
    sf_model *m = NULL;
    CHECK_FAILS(ctx,
                sf_fit_gaussian(ctx, &m, (sf_cmat){&x[0][0], 40, 3, 3}, names),
                SF_E_NUMERIC, "\"height\", \"height2\"");
    CHECK(strstr(sf_context_message(ctx), "leave one of them out") != NULL);
    CHECK(m == NULL);
    for (int i = 0; i < 40; i++)
        x[i][2] = 7.0;
    CHECK_FAILS(ctx,
                sf_fit_gaussian(ctx, &m, (sf_cmat){&x[0][0], 40, 3, 3}, names),
                SF_E_NUMERIC, "\"height2\"");
    CHECK_FAILS(ctx,
                sf_fit_gaussian(ctx, &m, (sf_cmat){&x[0][0], 3, 3, 3}, names),
                SF_E_ARG, "3 rows");
    x[5][1] = INFINITY;
    CHECK_FAILS(ctx,
                sf_fit_gaussian(ctx, &m, (sf_cmat){&x[0][0], 40, 3, 3}, names),
                SF_E_NUMERIC, "row 6, column \"weight\"");
    sf_context_free(ctx);
}

/* Langevin dynamics with the model takes the steps that it takes with the density
 * typed out, whose values differ by a constant. */
TEST(a_model_is_a_functional)
{
    sf_context *ctx = new_context();
    const double mean[2] = {0.5, -1.0}, covariance[4] = {1.0, 0.5, 0.5, 1.0};
    sf_model *model = NULL;
    CHECK_OK(ctx, sf_gaussian_new(ctx, &model, 2, NULL, mean, covariance));
    sf_model *density = NULL;
    CHECK_OK(ctx, sf_density_new(ctx, &density,
                                 "-2/3*((x0 - .5)^2 + (x1 + 1)^2"
                                 " - (x0 - .5)*(x1 + 1))",
                                 2, NULL));
    sf_functional given, typed;
    sf_evaluator *first = functional_of(ctx, model, &given);
    sf_evaluator *second = functional_of(ctx, density, &typed);
    double a[6] = {0, 1, 2, 3, 4, 5}, b[6] = {0, 1, 2, 3, 4, 5};
    double f[3], g[3], error = 0.0;
    CHECK_OK(ctx, given.value(ctx, given.user, f, a, 3));
    CHECK_OK(ctx, typed.value(ctx, typed.user, g, a, 3));
    /* ln(2 pi) + ln(3/4)/2, of the determinant 3/4. */
    for (int i = 0; i < 3; i++)
        CHECK_NEAR(f[i] - g[i], 1.8378770664093453 + 0.5 * log(0.75), 1e-13);
    CHECK_OK(ctx, sf_functional_check(ctx, &error, NULL, &given, a, 3, 1));
    CHECK(error < 1e-8);
    sf_langevin_options o = SF_LANGEVIN_OPTIONS_INIT;
    o.step = 0.1;
    o.steps = 40;
    CHECK_OK(ctx, sf_langevin_run(ctx, (sf_mat){a, 3, 2, 2}, &given, &o));
    CHECK_OK(ctx, sf_langevin_run(ctx, (sf_mat){b, 3, 2, 2}, &typed, &o));
    for (int k = 0; k < 6; k++)
        CHECK_NEAR(a[k], b[k], 1e-6);
    sf_evaluator_free(second);
    sf_evaluator_free(first);
    sf_model_free(density);
    sf_model_free(model);
    sf_context_free(ctx);
}

TESTS(CASE(implicit_score_matching_of_a_normal_density_and_its_gradient),
      CASE(the_fit_is_the_score_matching_and_maximum_likelihood_estimate),
      CASE(score_jacobian_and_density_follow_the_precision),
      CASE(velocity_divergence_and_denoised_mean_in_one_dimension),
      CASE(a_singular_covariance_names_the_columns_and_a_remedy),
      CASE(a_model_is_a_functional))
