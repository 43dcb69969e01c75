/* SPDX-License-Identifier: Apache-2.0 */
/* test_kernel_network.c - networks trained with the noise of kernels, against the
 * exact law of the same data. */
#include "check.h"
#include "scorefield/fit.h"
#include "scorefield/flow.h"

enum { ROWS = 1000, POINTS = 64 };

typedef struct setting {
    const char *kernel;
    double data[3];
} setting;

static const setting settings[] = {
    {"gaussian:path=linear,sigma=1", {-1.0, 0.5, 2.0}},
    {"gamma:shape=1,mean=1.5", {0.3, 1.2, 4.0}},
    {"beta:concentration=2,mean=0.5", {1.0 / 7, 3.0 / 7, 5.0 / 7}},
    {"vonmises:kappa=1", {-2.0, 0.3, 1.5}}};

/* Rows of the three data in the shares .2, .5, .3. */
static void fill(const setting *s, double *rows)
{
    for (int i = 0; i < ROWS; i++)
        rows[i] = s->data[i % 10 < 2 ? 0 : i % 10 < 7 ? 1 : 2];
}

static sf_model *train(sf_context *ctx, const setting *s, const double *rows,
                       int64_t steps, int64_t target_rows)
{
    sf_model *m = NULL;
    sf_network_options o = SF_NETWORK_OPTIONS_INIT;
    o.kernel = s->kernel;
    o.width = 48;
    o.layers = 3;
    o.steps = steps;
    o.target_rows = target_rows;
    o.batch = 512;
    o.rate = 0.01;
    o.sigma_min = 0.05;
    o.validation = 0.0;
    CHECK_OK(ctx, sf_fit_network(ctx, &m, (sf_cmat){rows, ROWS, 1, 1}, NULL, &o,
                                 NULL));
    return m;
}

/* Root mean square difference of two models' answers where p_t has its mass,
 * relative to the size of the exact one's. */
static void compare(sf_context *ctx, const sf_model *exact, const sf_model *m,
                    double time, double error[3])
{
    double x[POINTS], got[3][POINTS], want[3][POINTS];
    sf_sample_options s = SF_SAMPLE_OPTIONS_INIT;
    s.method = SF_SAMPLER_POSTERIOR;
    s.steps = 1;
    s.seed = 5;
    float path[2 * POINTS];
    s.trace = path;
    CHECK_OK(ctx, sf_sample(exact, (sf_mat){x, POINTS, 1, 1}, &s));
    const sf_cmat at = {x, POINTS, 1, 1};
    for (int k = 0; k < 2; k++) {
        double(*to)[POINTS] = k == 0 ? want : got;
        const sf_model_values values = {.score = {to[0], POINTS, 1, 1},
                                        .velocity = {to[1], POINTS, 1, 1},
                                        .denoised = {to[2], POINTS, 1, 1}};
        CHECK_OK(ctx, sf_model_eval(k == 0 ? exact : m, at, time, &values));
    }
    for (int v = 0; v < 3; v++) {
        double difference = 0.0, size = 0.0;
        for (int i = 0; i < POINTS; i++) {
            difference += (got[v][i] - want[v][i]) * (got[v][i] - want[v][i]);
            size += want[v][i] * want[v][i];
        }
        error[v] = sqrt(difference / size);
    }
}

/* The law of the data at `time`, to draw points from and to compare with. */
static sf_model *exact_of(sf_context *ctx, const setting *s, const double *rows,
                          double time)
{
    sf_model *m = NULL;
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    o.kernel = s->kernel;
    o.bandwidth = SF_BANDWIDTH_FIXED;
    o.time = time;
    CHECK_OK(ctx, sf_fit_empirical(ctx, &m, (sf_cmat){rows, 10, 1, 1}, NULL, &o,
                                   NULL));
    return m;
}

TEST(heads_learn_the_posterior_means_and_the_flow_ends_in_the_data)
{
    enum { N = 4000 };
    static double rows[ROWS], x[N];
    sf_context *ctx = new_context();
    for (size_t k = 0; k < SFI_COUNT(settings); k++) {
        const setting *s = &settings[k];
        fill(s, rows);
        sf_model *m = train(ctx, s, rows, 1600, k % 2 == 0 ? 1 : 16);
        /* Its velocity at t = .4; the exact model's is 0 at its least time. */
        sf_model *law = exact_of(ctx, s, rows, 0.3999999);
        double error[3];
        compare(ctx, law, m, 0.4, error);
        for (int v = 0; v < 3; v++)
            CHECK_NEAR(error[v], 0.0, 0.2);
        sf_model_free(law);

        sf_sample_options o = SF_SAMPLE_OPTIONS_INIT;
        CHECK_OK(ctx, sf_sample(m, (sf_mat){x, N, 1, 1}, &o));
        double mass[3] = {0}, away = 0.0;
        for (int i = 0; i < N; i++) {
            int best = 0;
            double least = INFINITY;
            for (int j = 0; j < 3; j++) {
                double gap = x[i] - s->data[j];
                if (s->kernel[0] == 'v')
                    gap = remainder(gap, 6.283185307179586);
                if (fabs(gap) < least) {
                    least = fabs(gap);
                    best = j;
                }
            }
            mass[best] += 1.0 / N;
            away += least / N;
        }
        CHECK_NEAR(mass[0], 0.2, 0.04);
        CHECK_NEAR(mass[1], 0.5, 0.04);
        CHECK_NEAR(mass[2], 0.3, 0.04);
        CHECK_NEAR(away, 0.0, 0.06);
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

/* By the flow of a network, whose divergence is a derivative. */
TEST(likelihoods_are_those_of_the_law)
{
    static double rows[ROWS];
    const setting *s = &settings[1];
    sf_context *ctx = new_context();
    fill(s, rows);
    sf_model *m = train(ctx, s, rows, 1600, 1);
    sf_model *law = exact_of(ctx, s, rows, 0.2);
    const double x[] = {0.4, 1.0, 1.3, 3.0, 4.0};
    double got[5], want[5];
    sf_likelihood_options o = SF_LIKELIHOOD_OPTIONS_INIT;
    o.time = 0.2;
    CHECK_OK(ctx, sf_logpdf(law, (sf_cmat){x, 5, 1, 1}, want, NULL, &o));
    CHECK_OK(ctx, sf_logpdf(m, (sf_cmat){x, 5, 1, 1}, got, NULL, &o));
    for (int i = 0; i < 5; i++)
        CHECK_NEAR(got[i], want[i], 0.25);
    sf_model_free(law);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(a_run_can_be_taken_up_again_with_the_same_bits)
{
    static double rows[ROWS];
    const setting *s = &settings[2];
    sf_context *ctx = new_context();
    fill(s, rows);
    const sf_cmat data = {rows, ROWS, 1, 1};
    sf_network_options o = SF_NETWORK_OPTIONS_INIT;
    o.kernel = s->kernel;
    o.width = 16;
    o.layers = 2;
    o.steps = 40;
    o.batch = 64;
    bool finished = false;
    sf_trainer *whole = NULL, *first = NULL, *second = NULL;
    CHECK_OK(ctx, sf_trainer_new(ctx, &whole, data, NULL, &o));
    CHECK_OK(ctx, sf_trainer_run(whole, 0, &finished));
    CHECK_OK(ctx, sf_trainer_new(ctx, &first, data, NULL, &o));
    CHECK_OK(ctx, sf_trainer_run(first, 17, &finished));
    CHECK(!finished);
    const size_t size = sf_trainer_state_size(first);
    void *state = malloc(size);
    sf_trainer_state(first, state);
    CHECK_OK(ctx, sf_trainer_new(ctx, &second, data, NULL, &o));
    CHECK_OK(ctx, sf_trainer_restore(second, state, size));
    CHECK_OK(ctx, sf_trainer_run(second, 0, &finished));
    double score[2], x = 0.3;
    sf_trainer *both[2] = {whole, second};
    for (int k = 0; k < 2; k++) {
        sf_model *m = NULL;
        CHECK_OK(ctx, sf_trainer_model(both[k], &m));
        const sf_model_values values = {.score = {&score[k], 1, 1, 1}};
        CHECK_OK(ctx, sf_model_eval(m, (sf_cmat){&x, 1, 1, 1}, 0.3, &values));
        sf_model_free(m);
    }
    CHECK(score[0] == score[1]);
    o.kernel = "beta:concentration=3,mean=0.5";
    sf_trainer *other = NULL;
    CHECK_OK(ctx, sf_trainer_new(ctx, &other, data, NULL, &o));
    CHECK_FAILS(ctx, sf_trainer_restore(other, state, size), SF_E_ARG,
                "other data or other options");
    free(state);
    sf_trainer_free(other);
    sf_trainer_free(second);
    sf_trainer_free(first);
    sf_trainer_free(whole);
    sf_context_free(ctx);
}

TEST(what_does_not_go_together_is_refused)
{
    double rows[] = {0.2, 0.3, 0.4, 0.5, 0.0};
    sf_context *ctx = new_context();
    sf_model *m = NULL;
    sf_network_options o = SF_NETWORK_OPTIONS_INIT;
    o.kernel = "gaussian:path=ve";
    CHECK_FAILS(
        ctx, sf_fit_network(ctx, &m, (sf_cmat){rows, 4, 1, 1}, NULL, &o, NULL),
        SF_E_ARG, "\"ve\"");
    double whole[] = {1.0, 2.0, 2.0, 4.0};
    o.kernel = "binomial";
    CHECK_FAILS(
        ctx, sf_fit_network(ctx, &m, (sf_cmat){whole, 4, 1, 1}, NULL, &o, NULL),
        SF_E_ARG, "no score for a network");
    o.kernel = NULL;
    o.target_rows = 2;
    CHECK_FAILS(
        ctx, sf_fit_network(ctx, &m, (sf_cmat){rows, 4, 1, 1}, NULL, &o, NULL),
        SF_E_ARG, "only with kernels");
    o.target_rows = 0;
    CHECK_FAILS(
        ctx, sf_fit_network(ctx, &m, (sf_cmat){rows, 4, 1, 1}, NULL, &o, NULL),
        SF_E_ARG, "target_rows is 0");
    o.target_rows = 1;
    o.kernel = "gamma";
    CHECK_FAILS(
        ctx, sf_fit_network(ctx, &m, (sf_cmat){rows, 5, 1, 1}, NULL, &o, NULL),
        SF_E_NUMERIC, "row 5, column \"c0\"");
    o.objective = SF_OBJECTIVE_FLOW;
    CHECK_FAILS(
        ctx, sf_fit_network(ctx, &m, (sf_cmat){rows, 4, 1, 1}, NULL, &o, NULL),
        SF_E_ARG, "objective is DSM");
    o.objective = SF_OBJECTIVE_DSM;
    o.kernel = "gama";
    CHECK_FAILS(
        ctx, sf_fit_network(ctx, &m, (sf_cmat){rows, 4, 1, 1}, NULL, &o, NULL),
        SF_E_ARG, "want one of");
    CHECK(m == NULL);
    sf_context_free(ctx);
}

TESTS(CASE(heads_learn_the_posterior_means_and_the_flow_ends_in_the_data),
      CASE(likelihoods_are_those_of_the_law),
      CASE(a_run_can_be_taken_up_again_with_the_same_bits),
      CASE(what_does_not_go_together_is_refused))
