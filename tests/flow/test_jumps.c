/* SPDX-License-Identifier: Apache-2.0 */
/* test_jumps.c - samples of counts, by chi-squared against the law.
 *
 * The data are 0, 2, 7, 15 of weights .3, .3, .25, .15. */
#include "check.h"
#include "chi_squared.h"
#include "faults.h"
#include "model/model.h"
#include "scorefield/fit.h"
#include "scorefield/flow.h"

enum { DATA = 4, CELLS = 80, DRAWS = 20000 };

static const double data[DATA] = {0.0, 2.0, 7.0, 15.0};
static const double weight[DATA] = {0.3, 0.3, 0.25, 0.15};

static sf_model *model_of(sf_context *ctx, const char *kernel, double time,
                          sf_cmat rows, const double *weights)
{
    sf_model *m = NULL;
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    o.kernel = kernel;
    o.bandwidth = SF_BANDWIDTH_FIXED;
    o.time = time;
    o.weights = weights;
    CHECK_OK(ctx, sf_fit_empirical(ctx, &m, rows, NULL, &o, NULL));
    return m;
}

static sf_model *of_four(sf_context *ctx, const char *kernel, double time)
{
    return model_of(ctx, kernel, time, (sf_cmat){data, DATA, 1, 1}, weight);
}

static void masses(sf_context *ctx, const sf_model *m, double time, double *p)
{
    double x[CELLS];
    sf_likelihood_options l = SF_LIKELIHOOD_OPTIONS_INIT;
    l.time = time;
    for (int i = 0; i < CELLS; i++)
        x[i] = (double)i;
    CHECK_OK(ctx, sf_logpdf(m, (sf_cmat){x, CELLS, 1, 1}, p, NULL, &l));
    for (int i = 0; i < CELLS; i++)
        p[i] = exp(p[i]);
}

static void count_at(int64_t *seen, double x)
{
    CHECK(x >= 0.0 && x < CELLS && x == floor(x));
    seen[(int64_t)x]++;
}

static sf_sample_options options_of(sf_sampler method, int64_t steps,
                                    uint64_t seed)
{
    sf_sample_options o = SF_SAMPLE_OPTIONS_INIT;
    o.method = method;
    o.steps = steps;
    o.seed = seed;
    return o;
}

/* Binomial noise ends in the data. */
TEST(jumps_end_in_the_data)
{
    static const int64_t steps[] = {1, 6, 40};
    static double x[DRAWS];
    sf_context *ctx = new_context();
    sf_model *m = of_four(ctx, "binomial", 1e-9);
    double mass[CELLS] = {0};
    for (int i = 0; i < DATA; i++)
        mass[(int)data[i]] = weight[i];
    for (size_t k = 0; k < SFI_COUNT(steps); k++) {
        int64_t seen[CELLS] = {0};
        const sf_sample_options o =
            options_of(SF_SAMPLER_JUMPS, steps[k], 21 + k);
        CHECK_OK(ctx, sf_sample(m, (sf_mat){x, DRAWS, 1, 1}, &o));
        for (int i = 0; i < DRAWS; i++)
            count_at(seen, x[i]);
        CHECK_FOLLOWS(seen, mass, CELLS);
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Not only at the end: at every level, however far apart these are.  Paths begin
 * with nothing and never fall. */
TEST(jumps_follow_the_law_at_every_level)
{
    enum { STEPS = 5 };
    static const char *const kernels[] = {"poisson:scale=2", "binomial"};
    static double x[DRAWS], p[CELLS];
    static float trace[(STEPS + 1) * DRAWS];
    sf_context *ctx = new_context();
    for (size_t k = 0; k < SFI_COUNT(kernels); k++) {
        sf_model *m = of_four(ctx, kernels[k], 0.05);
        sf_sample_options o = options_of(SF_SAMPLER_JUMPS, STEPS, 4);
        o.trace = trace;
        CHECK_OK(ctx, sf_sample(m, (sf_mat){x, DRAWS, 1, 1}, &o));
        for (int s = 0; s <= STEPS; s++) {
            int64_t seen[CELLS] = {0};
            for (int i = 0; i < DRAWS; i++) {
                const double at = (double)trace[s * DRAWS + i];
                count_at(seen, at);
                CHECK(s == 0 ? at == 0.0
                             : at >= (double)trace[(s - 1) * DRAWS + i]);
                CHECK(s < STEPS || at == x[i]);
            }
            masses(ctx, m, sfi_grid_level(m, s, STEPS), p);
            CHECK_FOLLOWS(seen, p, CELLS);
        }
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

/* The draws of data, and those down the levels, are of the same law. */
TEST(draws_of_data_are_counts)
{
    static const char *const kernels[] = {"poisson", "binomial"};
    static const sf_sampler methods[] = {
        SF_SAMPLER_DIRECT, SF_SAMPLER_STRATIFIED, SF_SAMPLER_POSTERIOR};
    /* As rows of equal weight, which stratified draws want. */
    static const double rows[] = {0, 0, 0, 2, 2, 2, 7, 7, 15, 15};
    static double x[DRAWS], p[CELLS];
    sf_context *ctx = new_context();
    for (size_t k = 0; k < SFI_COUNT(kernels); k++) {
        sf_model *m =
            model_of(ctx, kernels[k], 0.2, (sf_cmat){rows, 10, 1, 1}, NULL);
        masses(ctx, m, 0.0, p);
        for (size_t i = 0; i < SFI_COUNT(methods); i++) {
            int64_t seen[CELLS] = {0};
            const sf_sample_options o = options_of(methods[i], 4, 8);
            CHECK_OK(ctx, sf_sample(m, (sf_mat){x, DRAWS, 1, 1}, &o));
            for (int n = 0; n < DRAWS; n++)
                count_at(seen, x[n]);
            CHECK_FOLLOWS(seen, p, CELLS);
        }
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

/* ---- several columns ------------------------------------------------------------ */

static const double table[] = {3.0, 0.0, 0.0, 4.0, 2.0, 2.0, 0.0, 0.0};

/* Columns come one by one, but their rows are those of the data. */
TEST(jumps_keep_columns_together)
{
    static double x[2 * DRAWS];
    sf_context *ctx = new_context();
    sf_model *m =
        model_of(ctx, "binomial", 1e-9, (sf_cmat){table, 4, 2, 2}, weight);
    const sf_sample_options o = options_of(SF_SAMPLER_JUMPS, 12, 5);
    double mass[CELLS] = {0};
    int64_t seen[CELLS] = {0};
    for (int i = 0; i < DATA; i++)
        mass[(int)(table[2 * i] * 8.0 + table[2 * i + 1])] = weight[i];
    CHECK_OK(ctx, sf_sample(m, (sf_mat){x, DRAWS, 2, 2}, &o));
    for (int i = 0; i < DRAWS; i++)
        count_at(seen, 8.0 * x[2 * i] + x[2 * i + 1]);
    CHECK_FOLLOWS(seen, mass, CELLS);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Steps are far too long, and yet no row is beyond all data: (1, 3) is, and
 * (3, 1); so is any Poisson count in a column whose datum is 0. */
TEST(leaps_stay_where_data_can_be)
{
    static const char *const kernels[] = {"binomial", "poisson:scale=3"};
    static double x[2 * DRAWS], logp[DRAWS];
    sf_context *ctx = new_context();
    for (size_t k = 0; k < SFI_COUNT(kernels); k++) {
        sf_model *m =
            model_of(ctx, kernels[k], 0.01, (sf_cmat){table, 2, 2, 2}, NULL);
        for (int64_t steps = 1; steps < 5; steps++) {
            const sf_sample_options o =
                options_of(SF_SAMPLER_TAULEAP, steps, 2);
            CHECK_OK(ctx, sf_sample(m, (sf_mat){x, DRAWS, 2, 2}, &o));
            CHECK_OK(ctx,
                     sf_logpdf(m, (sf_cmat){x, DRAWS, 2, 2}, logp, NULL, NULL));
            for (int i = 0; i < DRAWS; i++)
                CHECK(isfinite(logp[i]));
        }
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

/* ---- leaps ---------------------------------------------------------------------- */

/* The law that leaps make, exactly: births are Poisson numbers of the rates, and
 * what would be more than 15 of binomial data becomes 15. */
static void leap_law(sf_context *ctx, const sf_model *m, int64_t steps,
                     int64_t most, double *p)
{
    memset(p, 0, CELLS * sizeof *p);
    p[0] = 1.0;
    for (int64_t s = 0; s < steps; s++) {
        double x[CELLS], rate[CELLS], next[CELLS] = {0};
        const double from = sfi_grid_level(m, s, steps);
        const double h = from - sfi_grid_level(m, s + 1, steps);
        int64_t states = 0;
        while (states < CELLS && p[states] > 0.0) {
            x[states] = (double)states;
            states++;
        }
        CHECK_OK(ctx, sf_model_rates(m, (sf_cmat){x, states, 1, 1}, from,
                                     (sf_mat){rate, states, 1, 1}, (sf_mat){0},
                                     (sf_mat){0}));
        for (int64_t i = 0; i < states; i++) {
            double left = p[i], births = exp(-rate[i] * h);
            for (int64_t b = 0; i + b < most; b++) {
                next[i + b] += p[i] * births;
                left -= p[i] * births;
                births *= rate[i] * h / (double)(b + 1);
            }
            next[most] += fmax(left, 0.0);
        }
        memcpy(p, next, sizeof next);
    }
}

TEST(leaps_are_poisson_births_at_the_rates)
{
    static const char *const kernels[] = {"poisson", "binomial"};
    static const int64_t most[] = {CELLS - 1, 15}, steps[] = {3, 30};
    static double x[DRAWS], p[CELLS];
    sf_context *ctx = new_context();
    for (int k = 0; k < 2; k++) {
        sf_model *m = of_four(ctx, kernels[k], 0.05);
        for (int i = 0; i < 2; i++) {
            int64_t seen[CELLS] = {0};
            const sf_sample_options o =
                options_of(SF_SAMPLER_TAULEAP, steps[i], 3);
            leap_law(ctx, m, steps[i], most[k], p);
            CHECK_OK(ctx, sf_sample(m, (sf_mat){x, DRAWS, 1, 1}, &o));
            for (int n = 0; n < DRAWS; n++)
                count_at(seen, x[n]);
            CHECK_FOLLOWS(seen, p, CELLS);
        }
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

/* Half the step, half the error: of order 1. */
TEST(leaps_come_to_the_law_as_steps_shrink)
{
    static const char *const kernels[] = {"poisson", "binomial"};
    static const int64_t most[] = {CELLS - 1, 15};
    static double exact[CELLS], p[CELLS];
    sf_context *ctx = new_context();
    for (int k = 0; k < 2; k++) {
        sf_model *m = of_four(ctx, kernels[k], 0.05);
        double gap[3];
        masses(ctx, m, 0.0, exact);
        for (int i = 0; i < 3; i++) {
            leap_law(ctx, m, 100 << i, most[k], p);
            gap[i] = 0.0;
            for (int x = 0; x < CELLS; x++)
                gap[i] += 0.5 * fabs(p[x] - exact[x]);
        }
        CHECK(gap[0] < 0.03);
        CHECK_NEAR(log2(gap[0] / gap[1]), 1.0, 0.1);
        CHECK_NEAR(log2(gap[1] / gap[2]), 1.0, 0.05);
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

/* ---- what holds for every sampler ------------------------------------------------ */

TEST(a_row_is_a_function_of_its_number_for_any_threads)
{
    enum { N = 300 };
    static const sf_sampler methods[] = {SF_SAMPLER_JUMPS, SF_SAMPLER_TAULEAP,
                                         SF_SAMPLER_POSTERIOR};
    static const int threads[] = {1, 2, 7};
    static double rows[2 * N], all[3][2 * N], some[2 * N];
    sf_context *ctx = new_context();
    for (int i = 0; i < N; i++) {
        rows[2 * i] = (double)(i * 7 % 23);
        rows[2 * i + 1] = (double)(i * 11 % 17 + i * 7 % 23);
    }
    sf_model *m = model_of(ctx, "c0=binomial; c1=poisson", 0.02,
                           (sf_cmat){rows, N, 2, 2}, NULL);
    for (size_t k = 0; k < SFI_COUNT(methods); k++) {
        sf_sample_options o = options_of(methods[k], 8, 1);
        for (int t = 0; t < 3; t++) {
            CHECK_OK(ctx, sf_context_set_threads(ctx, threads[t]));
            CHECK_OK(ctx, sf_sample(m, (sf_mat){all[t], N, 2, 2}, &o));
            assert_memory_equal(all[t], all[0], sizeof all[0]);
        }
        o.first = 17;
        CHECK_OK(ctx, sf_sample(m, (sf_mat){some, 3, 2, 2}, &o));
        assert_memory_equal(some, all[0] + 2 * 17, 6 * sizeof *some);
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

/* At once and exactly, with the bits of the method that is named. */
TEST(data_are_sampled_directly_unless_asked_otherwise)
{
    sf_context *ctx = new_context();
    double x[10], named[10];
    sf_model *m =
        model_of(ctx, "binomial", 0.1, (sf_cmat){table, 4, 2, 2}, NULL);
    sf_sample_options o = SF_SAMPLE_OPTIONS_INIT;
    CHECK(sf_sample_method(m, &o) == SF_SAMPLER_DIRECT);
    o.seed = 3;
    CHECK_OK(ctx, sf_sample(m, (sf_mat){x, 5, 2, 2}, &o));
    o.method = SF_SAMPLER_DIRECT;
    CHECK_OK(ctx, sf_sample(m, (sf_mat){named, 5, 2, 2}, &o));
    CHECK(memcmp(x, named, sizeof x) == 0);
    o.method = SF_SAMPLER_TAULEAP;
    CHECK(sf_sample_method(m, &o) == SF_SAMPLER_TAULEAP);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(methods_that_cannot_are_refused)
{
    sf_context *ctx = new_context();
    double x[6];
    const sf_mat to = {x, 1, 2, 2};
    sf_model *counts =
        model_of(ctx, "binomial", 0.1, (sf_cmat){table, 4, 2, 2}, NULL);
    sf_model *mixed = model_of(ctx, "c0=poisson; c1=gaussian", 0.1,
                               (sf_cmat){table, 4, 2, 2}, NULL);
    const sf_sample_options flow = options_of(SF_SAMPLER_FLOW, 0, 0);
    CHECK_FAILS(
        ctx, sf_sample(counts, to, &flow), SF_E_UNSUPPORTED,
        "column \"c0\": kernel binomial is for counts or levels, which "
        "have no score to follow; use one of the methods direct, stratified, "
        "posterior, jumps, tauleap");
    for (int method = 0; method < SF_SAMPLER_DIRECT; method++) {
        const sf_sample_options o = options_of((sf_sampler)method, 2, 0);
        CHECK_FAILS(ctx, sf_sample(mixed, to, &o), SF_E_UNSUPPORTED,
                    "use one of the methods direct, stratified, posterior");
        CHECK(strstr(sf_context_message(ctx), "jumps") == NULL);
    }
    for (int method = SF_SAMPLER_JUMPS; method <= SF_SAMPLER_TAULEAP;
         method++) {
        const sf_sample_options o = options_of((sf_sampler)method, 2, 0);
        CHECK_OK(ctx, sf_sample(counts, to, &o));
        CHECK_OK(ctx, sf_sample(counts, (sf_mat){x, 0, 2, 2}, &o));
        CHECK_FAILS(ctx, sf_sample(mixed, to, &o), SF_E_UNSUPPORTED,
                    "jumps and tauleap are for counts, and column \"c1\" has "
                    "kernel gaussian");
    }
    const sf_sample_options odd = options_of((sf_sampler)11, 2, 0);
    CHECK_FAILS(ctx, sf_sample(counts, to, &odd), SF_E_ARG, "want 0 to 10");
    const sf_sample_options jumps = options_of(SF_SAMPLER_JUMPS, 0, 0),
                            leaps = options_of(SF_SAMPLER_TAULEAP, 0, 0);
    CHECK(sf_sample_steps(&jumps) == 1 && sf_sample_steps(&leaps) == 100);
    sf_model_free(mixed);
    sf_model_free(counts);
    sf_context_free(ctx);
}

/* Counts are drawn beside other columns as well. */
TEST(mixed_rows_are_drawn_from_their_posterior)
{
    enum { N = 4000 };
    static const double rows[] = {1.0, -2.0, 9.0, 2.0};
    static double x[2 * N];
    sf_context *ctx = new_context();
    sf_model *m = model_of(ctx, "c0=binomial; c1=gaussian:path=linear,sigma=1",
                           0.01, (sf_cmat){rows, 2, 2, 2}, NULL);
    const sf_sample_options o = options_of(SF_SAMPLER_POSTERIOR, 6, 9);
    CHECK_OK(ctx, sf_sample(m, (sf_mat){x, N, 2, 2}, &o));
    int64_t first = 0;
    for (int i = 0; i < N; i++) {
        CHECK(x[2 * i] == floor(x[2 * i]));
        CHECK((x[2 * i] > 2.0) == (x[2 * i + 1] > 0.0));
        first += x[2 * i] < 2.0;
    }
    /* Four standard errors of a half. */
    CHECK_NEAR((double)first / N, 0.5, 4.0 * 0.5 / sqrt(N));
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(a_failed_allocation_leaves_nothing_behind)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_model *m = of_four(ctx, "binomial", 0.1);
    double x[2];
    for (int method = SF_SAMPLER_JUMPS; method <= SF_SAMPLER_TAULEAP;
         method++) {
        const sf_sample_options o = options_of((sf_sampler)method, 2, 0);
        sf_status status = SF_E_NOMEM;
        while (NEXT_FAULT(&faults, status)) {
            status = sf_sample(m, (sf_mat){x, 2, 1, 1}, &o);
        }
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

TESTS(CASE(jumps_end_in_the_data), CASE(jumps_follow_the_law_at_every_level),
      CASE(draws_of_data_are_counts), CASE(jumps_keep_columns_together),
      CASE(leaps_stay_where_data_can_be),
      CASE(leaps_are_poisson_births_at_the_rates),
      CASE(leaps_come_to_the_law_as_steps_shrink),
      CASE(a_row_is_a_function_of_its_number_for_any_threads),
      CASE(data_are_sampled_directly_unless_asked_otherwise),
      CASE(methods_that_cannot_are_refused),
      CASE(mixed_rows_are_drawn_from_their_posterior),
      CASE(a_failed_allocation_leaves_nothing_behind))
