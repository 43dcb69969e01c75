/* SPDX-License-Identifier: Apache-2.0 */
/* test_threads_trainer.c - training learns what theory says, and is a function
 * of its inputs alone. */
#include "base/random.h"
#include "check.h"
#include "fit/objective.h"
#include "model/network.h"
#include "scorefield/fit.h"
#include "scorefield/flow.h"
#include "scorefield/program.h"

enum { ROWS = 3000 };

/* Correlated normal rows: x = A z with A = [[2, 0], [1, 0.5]], mean (3, -1). */
static void normal_rows(double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const sfi_where where = {5, (uint64_t)i, 0, SFI_STREAM_USER};
        const double a = sfi_normal_at(where, 0), b = sfi_normal_at(where, 1);
        x[2 * i] = 3.0 + 2.0 * a;
        x[2 * i + 1] = -1.0 + a + 0.5 * b;
    }
}

static sf_network_options small(void)
{
    sf_network_options o = SF_NETWORK_OPTIONS_INIT;
    o.width = 32;
    o.layers = 2;
    o.steps = 200;
    o.batch = 256;
    return o;
}

static sf_trainer *trainer_for(sf_context *ctx, const double *x,
                               const sf_network_options *o)
{
    sf_trainer *t = NULL;
    CHECK_OK(ctx, sf_trainer_new(ctx, &t, (sf_cmat){x, ROWS, 2, 2}, NULL, o));
    return t;
}

static void *run_to_end(sf_trainer *t, size_t *size)
{
    bool finished = false;
    assert_int_equal(sf_trainer_run(t, 0, &finished), SF_OK);
    CHECK(finished);
    *size = sf_trainer_state_size(t);
    void *state = malloc(*size);
    sf_trainer_state(t, state);
    return state;
}

/* `seconds` is the only thing in a state that may differ between runs. */
static void forget_seconds(void *state, const sf_trainer *t)
{
    sf_fit_report r;
    sf_trainer_report(t, &r);
    char *bytes = state;
    for (size_t i = 0; i < 256; i += sizeof(double))
        if (memcmp(bytes + i, &r.seconds, sizeof r.seconds) == 0)
            memset(bytes + i, 0, sizeof(double));
}

TEST(the_same_bits_for_any_number_of_threads)
{
    double *x = malloc(2 * ROWS * sizeof *x);
    normal_rows(x, ROWS);
    const sf_network_options o = small();
    void *states[3];
    size_t sizes[3];
    static const int threads[3] = {1, 2, 7};
    for (int k = 0; k < 3; k++) {
        sf_context *ctx = new_context();
        CHECK_OK(ctx, sf_context_set_threads(ctx, threads[k]));
        sf_trainer *t = trainer_for(ctx, x, &o);
        states[k] = run_to_end(t, &sizes[k]);
        forget_seconds(states[k], t);
        sf_trainer_free(t);
        sf_context_free(ctx);
    }
    for (int k = 1; k < 3; k++) {
        CHECK(sizes[k] == sizes[0]);
        CHECK(memcmp(states[k], states[0], sizes[0]) == 0);
    }
    for (int k = 0; k < 3; k++)
        free(states[k]);
    free(x);
}

TEST(a_restored_run_continues_with_the_same_bits)
{
    sf_context *ctx = new_context();
    double *x = malloc(2 * ROWS * sizeof *x);
    normal_rows(x, ROWS);
    const sf_network_options o = small();
    sf_trainer *whole = trainer_for(ctx, x, &o);
    size_t size, size2;
    void *want = run_to_end(whole, &size);
    forget_seconds(want, whole);

    sf_trainer *first = trainer_for(ctx, x, &o);
    bool finished = true;
    CHECK_OK(ctx, sf_trainer_run(first, 77, &finished));
    CHECK(!finished);
    const size_t half_size = sf_trainer_state_size(first);
    void *half = malloc(half_size);
    sf_trainer_state(first, half);
    sf_trainer *second = trainer_for(ctx, x, &o);
    CHECK_OK(ctx, sf_trainer_restore(second, half, half_size));
    void *got = run_to_end(second, &size2);
    forget_seconds(got, second);
    CHECK(size == size2);
    CHECK(memcmp(want, got, size) == 0);

    /* A state of other options, a cut one, and one of another kind. */
    sf_network_options other = o;
    other.rate *= 2;
    sf_trainer *third = trainer_for(ctx, x, &other);
    CHECK_FAILS(ctx, sf_trainer_restore(third, half, half_size), SF_E_ARG,
                "other options");
    CHECK_FAILS(ctx, sf_trainer_restore(second, half, half_size - 1), SF_E_ARG,
                "size");
    ((char *)half)[0] = 'x';
    CHECK_FAILS(ctx, sf_trainer_restore(second, half, half_size), SF_E_ARG,
                "not a training state");
    sf_trainer_free(whole);
    sf_trainer_free(first);
    sf_trainer_free(second);
    sf_trainer_free(third);
    free(want);
    free(got);
    free(half);
    free(x);
    sf_context_free(ctx);
}

/* Mean over the rows of |score - the true normal's score|^2 relative to the
 * mean of |true score|^2, at the noise level where the model speaks. */
static double score_error(sf_context *ctx, const sf_model *m, const double *x,
                          double noise)
{
    enum { N = 500 };
    double s[N * 2], error = 0.0, size = 0.0;
    const sf_model_values v = {.score = {s, N, 2, 2}};
    CHECK_OK(ctx, sf_model_eval(m, (sf_cmat){x, N, 2, 2}, 0.0, &v));
    /* Covariance of the rows plus the noise in data units. */
    const double n0 = noise * 2.0, n1 = noise * sqrt(1.25);
    const double a = 4.0 + n0 * n0, b = 2.0, c = 1.25 + n1 * n1;
    const double det = a * c - b * b;
    for (int i = 0; i < N; i++) {
        const double u = x[2 * i] - 3.0, w = x[2 * i + 1] + 1.0;
        const double t0 = -(c * u - b * w) / det, t1 = -(a * w - b * u) / det;
        error += pow(s[2 * i] - t0, 2) + pow(s[2 * i + 1] - t1, 2);
        size += t0 * t0 + t1 * t1;
    }
    return error / size;
}

/* All objectives have the same minimiser.  A small network after 1500 short
 * steps comes within 5 % (squared) of the true score; the untrained one, the
 * score of uncorrelated columns, is off by 60 %. */
TEST(every_objective_finds_the_score_of_a_normal_law)
{
    sf_context *ctx = new_context();
    double *x = malloc(2 * ROWS * sizeof *x);
    normal_rows(x, ROWS);
    for (int energy = 0; energy < 2; energy++)
        for (int k = SF_OBJECTIVE_DSM; k <= SF_OBJECTIVE_SLICED; k++) {
            sf_network_options o = small();
            o.objective = (sf_objective)k;
            o.energy = energy == 1;
            o.steps = 1500;
            o.noise_level = 0.3;
            o.sigma_min = 0.3;
            o.validation = 0.0;
            sf_model *m = NULL;
            CHECK_OK(ctx, sf_fit_network(ctx, &m, (sf_cmat){x, ROWS, 2, 2},
                                         NULL, &o, NULL));
            const double error = score_error(ctx, m, x, 0.3);
            if (!(error < 0.05))
                fprintf(stderr, "objective %d, energy %d: error %g\n", k,
                        energy, error);
            CHECK(error < 0.05);
            sf_model_free(m);
        }
    free(x);
    sf_context_free(ctx);
}

/* Score matching identities for a model S(y) = F(y) - y with random weights on
 * normal data: E[div S + |S|^2/2] = E|S - grad ln p|^2/2 - E|grad ln p|^2/2
 * (implicit), the same in expectation for sliced with v ~ N(0, I), and for
 * denoising with sigma as the only level E|S + z/sigma|^2/2 differs by a
 * constant.  Checked by the difference between two models, which drops the
 * constants; 4 10^5 points, differences within five standard errors. */
static void losses_of(sf_context *ctx, const sf_model *m, double *mean,
                      double *se)
{
    enum { N = 400000 };
    const double sigma = sfi_number_of(m, "noise_level");
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    sf_node w[16];
    CHECK_OK(ctx, sfi_weight_nodes(m, g, w));
    const sf_node implicit =
        sfi_objective_new(m, g, SF_OBJECTIVE_IMPLICIT, false, w).loss;
    const sf_node sliced =
        sfi_objective_new(m, g, SF_OBJECTIVE_SLICED, false, w).loss;
    /* Explicit and denoising, from their definitions: y0 ~ N(0, I). */
    const int64_t two = 2;
    const sf_node y0 = sf_input(g, "y", 1, &two), z = sf_input(g, "n", 1, &two);
    const sf_node level = sf_const(g, sigma);
    const sf_node y = sf_add(g, y0, sf_mul(g, level, z));
    const sf_node s = m->ops->answer(m, g, y, level, w).score;
    const sf_node half = sf_const(g, 0.5);
    const sf_node truth =
        sf_div(g, sf_neg(g, y), sf_const(g, 1.0 + sigma * sigma));
    const sf_node e1 = sf_sub(g, s, truth);
    const sf_node e2 = sf_add(g, s, sf_div(g, z, level));
    const sf_node all[4] = {implicit, sliced,
                            sf_mul(g, half, sf_dot(g, e1, e1)),
                            sf_mul(g, half, sf_dot(g, e2, e2))};
    sf_output outputs[8];
    for (int k = 0; k < 4; k++) {
        outputs[2 * k] = (sf_output){all[k], SF_SUM};
        outputs[2 * k + 1] = (sf_output){sf_square(g, all[k]), SF_SUM};
    }
    sf_program *p = NULL;
    CHECK_OK(ctx, sf_program_new(ctx, &p, g, SF_F64, 8, outputs));
    sf_source sources[8];
    for (int k = 0; k < 8; k++) /* each input its own stream of noise */
        sources[k] = (sf_source){.kind = SF_NORMAL,
                                 .seed = 9,
                                 .stream = SFI_STREAM_USER,
                                 .step = (uint32_t)k};
    const void *params[16];
    for (size_t k = 0; k < m->layout_count; k++)
        params[k] = m->weights + m->layout[k].offset;
    double sums[8];
    sf_sink sinks[8];
    for (int k = 0; k < 8; k++)
        sinks[k] = (sf_sink){&sums[k], SF_F64, 0};
    CHECK_OK(ctx, sf_program_run(p, N, sources, params, sinks));
    for (int k = 0; k < 4; k++) {
        mean[k] = sums[2 * k] / N;
        se[k] = sqrt((sums[2 * k + 1] / N - mean[k] * mean[k]) / N);
    }
    sf_program_free(p);
    sf_graph_free(g);
}

TEST(implicit_sliced_and_denoising_losses_agree_up_to_a_constant)
{
    sf_context *ctx = new_context();
    double mean[2][4], se[2][4];
    for (int k = 0; k < 2; k++) {
        sfi_number numbers[SFI_MAX_NUMBERS];
        const int count =
            sfi_network_numbers(numbers, 8, 2, false, 0.01, 10.0, 0.6);
        sf_model *m = NULL;
        CHECK_OK(ctx, sfi_model_new(ctx, &m, &sfi_network_ops, 2, NULL, NULL,
                                    count, numbers));
        sfi_network_initialise(m, (uint64_t)k);
        for (int64_t i = 0; k == 1 && i < m->weight_count; i++)
            if (m->weights[i] == 0.0)
                m->weights[i] = 0.3 * sin(1.1 * (double)i);
        losses_of(ctx, m, mean[k], se[k]);
        sf_model_free(m);
    }
    const double want = mean[1][2] - mean[0][2]; /* explicit */
    CHECK(fabs(want) > 0.01);
    for (int j = 0; j < 4; j++) {
        const double got = mean[1][j] - mean[0][j];
        const double error = sqrt(se[0][j] * se[0][j] + se[1][j] * se[1][j] +
                                  se[0][2] * se[0][2] + se[1][2] * se[1][2]);
        CHECK_NEAR(got, want, 5 * error + 1e-12);
        CHECK(5 * error < 0.2 * fabs(want) + 0.05);
    }
    sf_context_free(ctx);
}

TEST(the_likelihood_of_a_trained_network_is_the_normal_laws)
{
    sf_context *ctx = new_context();
    double *x = malloc(2 * ROWS * sizeof *x), logp[500];
    normal_rows(x, ROWS);
    sf_network_options o = small();
    o.steps = 3000;
    sf_model *m = NULL;
    CHECK_OK(ctx,
             sf_fit_network(ctx, &m, (sf_cmat){x, ROWS, 2, 2}, NULL, &o, NULL));
    CHECK_OK(ctx, sf_logpdf(m, (sf_cmat){x, 500, 2, 2}, logp, NULL, NULL));
    /* det of the covariance is 4*1.25 - 4 = 1. */
    double gap = 0.0, gap2 = 0.0;
    for (int i = 0; i < 500; i++) {
        const double u = x[2 * i] - 3.0, w = x[2 * i + 1] + 1.0;
        const double truth = -1.8378770664093453 -
                             0.5 * (1.25 * u * u - 4.0 * u * w + 4.0 * w * w);
        gap += (logp[i] - truth) / 500;
        gap2 += pow(logp[i] - truth, 2) / 500;
    }
    /* Three standard errors of the mean difference, plus what estimating five
     * moments from 2700 rows costs: 5/(2*2700) = 0.001. */
    CHECK_NEAR(gap, 0.0, 3 * sqrt(gap2 / 500) + 0.02);
    sf_model_free(m);
    free(x);
    sf_context_free(ctx);
}

static bool stop_at_50(void *user, const sf_progress *p)
{
    (void)user;
    return p->step < 50;
}

TEST(a_cancelled_run_keeps_the_best_and_says_why_it_ended)
{
    sf_context *ctx = new_context();
    double *x = malloc(2 * ROWS * sizeof *x);
    normal_rows(x, ROWS);
    sf_network_options o = small();
    o.steps = 100000;
    sf_context_set_progress(ctx, stop_at_50, NULL);
    sf_fit_report r;
    sf_model *m = NULL;
    CHECK_OK(ctx,
             sf_fit_network(ctx, &m, (sf_cmat){x, ROWS, 2, 2}, NULL, &o, &r));
    CHECK(r.stop == SF_STOP_CANCELLED);
    CHECK(r.steps >= 50 && r.steps < 100000);
    CHECK(m != NULL);
    sf_model_free(m);
    sf_context_set_progress(ctx, NULL, NULL);
    o.time_limit = 0.05;
    CHECK_OK(ctx,
             sf_fit_network(ctx, &m, (sf_cmat){x, ROWS, 2, 2}, NULL, &o, &r));
    CHECK(r.stop == SF_STOP_TIME);
    sf_model_free(m);
    free(x);
    sf_context_free(ctx);
}

TEST(bad_options_and_data_are_explained)
{
    sf_context *ctx = new_context();
    double x[40];
    for (int i = 0; i < 40; i++)
        x[i] = sin(i);
    const char *const names[2] = {"speed", "depth"};
    sf_model *m = NULL;
    sf_network_options o = small();
    o.rate = -1.0;
    CHECK_FAILS(
        ctx, sf_fit_network(ctx, &m, (sf_cmat){x, 20, 2, 2}, names, &o, NULL),
        SF_E_ARG, "rate is -1");
    o = small();
    CHECK_FAILS(ctx,
                sf_fit_network(ctx, &m, (sf_cmat){x, 3, 2, 2}, names, &o, NULL),
                SF_E_ARG, "3 rows");
    x[7] = INFINITY;
    CHECK_FAILS(
        ctx, sf_fit_network(ctx, &m, (sf_cmat){x, 20, 2, 2}, names, &o, NULL),
        SF_E_NUMERIC, "row 4, column \"depth\"");
    for (int i = 0; i < 20; i++)
        x[2 * i + 1] = 4.0;
    CHECK_FAILS(
        ctx, sf_fit_network(ctx, &m, (sf_cmat){x, 20, 2, 2}, names, &o, NULL),
        SF_E_NUMERIC, "column \"depth\" is constant");
    CHECK(m == NULL);
    sf_context_free(ctx);
}

TESTS(CASE(the_same_bits_for_any_number_of_threads),
      CASE(a_restored_run_continues_with_the_same_bits),
      CASE(every_objective_finds_the_score_of_a_normal_law),
      CASE(implicit_sliced_and_denoising_losses_agree_up_to_a_constant),
      CASE(the_likelihood_of_a_trained_network_is_the_normal_laws),
      CASE(a_cancelled_run_keeps_the_best_and_says_why_it_ended),
      CASE(bad_options_and_data_are_explained))
