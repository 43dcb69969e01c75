/* SPDX-License-Identifier: Apache-2.0 */
/* test_chains.c - Markov chains against laws whose moments are known. */
#include "faults.h"
#include "typed.h"
#include "scorefield/density.h"
#include "scorefield/diagnose.h"
#include "scorefield/sample.h"

static const double limit = 4.0; /* standard errors */

/* What is known of one number of x. */
typedef struct moment {
    double mean, sd;
} moment;

static sf_model *density_of(sf_context *ctx, const char *text, int64_t dim,
                            const char *domain, int count,
                            const sf_parameter *parameters)
{
    sf_model *d = NULL;
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    o.domain = domain;
    o.parameter_count = count;
    o.parameters = parameters;
    CHECK_OK(ctx, sf_density_new(ctx, &d, text, dim, &o));
    return d;
}

/* Draw, and hold each number's mean and deviation against what is known; `dim`
 * numbers are looked at.  No path is saturated, and of divergences there is at most
 * one in 200. */
static void check_moments(sf_context *ctx, const sf_model *d, int64_t chains,
                          const sf_chain_options *o, int64_t dim,
                          const moment *want)
{
    const int64_t n = sf_model_unknowns(d), all = sf_model_dim(d);
    const size_t rows = (size_t)(chains * o->draws);
    double *y = malloc(rows * (size_t)n * sizeof *y);
    double *x = malloc(rows * (size_t)all * sizeof *x);
    sf_diagnosis *found = malloc((size_t)all * sizeof *found);
    sf_chain_report *report = malloc((size_t)chains * sizeof *report);
    CHECK(y != NULL && x != NULL && found != NULL && report != NULL);
    sf_functional f;
    sf_evaluator *owner = functional_of(ctx, d, &f);
    const sf_chain_draws to = {.x = y, .report = report};
    CHECK_OK(ctx, sf_chains_run(ctx, &f, chains, NULL, o, &to));
    CHECK_OK(ctx, sf_model_from_unknowns(d, (sf_cmat){y, (int64_t)rows, n, n},
                                         (sf_mat){x, (int64_t)rows, all, all}));
    const sf_draws draws = {x, chains, o->draws, all, all, NULL};
    CHECK_OK(ctx, sf_diagnose(ctx, &draws, found));
    for (int64_t j = 0; j < dim; j++) {
        CHECK(found[j].rhat < 1.05);
        CHECK_NEAR(found[j].mean, want[j].mean, limit * found[j].mcse_mean);
        CHECK_NEAR(found[j].sd, want[j].sd, limit * found[j].mcse_sd);
        /* The standard errors are small enough to mean something. */
        CHECK(found[j].mcse_mean < 0.1 * want[j].sd);
    }
    for (int64_t c = 0; c < chains; c++) {
        CHECK(report[c].divergences <= o->draws / 200);
        CHECK(report[c].reached_max_treedepth == 0);
        CHECK(report[c].accept > 0.4 && report[c].accept < 1.0);
        CHECK(report[c].step > 0.0 && report[c].gradients > 0);
    }
    free(report);
    free(found);
    free(x);
    free(y);
    sf_evaluator_free(owner);
}

/* Oracle B17's law: covariance [[1, .5], [.5, 1]]. */
TEST(every_method_has_the_normal_law)
{
    sf_context *ctx = new_context();
    sf_model *d =
        density_of(ctx, "-2/3*(x[0]^2 + x[1]^2 - x[0]*x[1])", 2, NULL, 0, NULL);
    const moment want[] = {{0.0, 1.0}, {0.0, 1.0}};
    const sf_chain_method methods[] = {SF_CHAIN_NUTS, SF_CHAIN_HMC,
                                       SF_CHAIN_MALA};
    const sf_metric metrics[] = {SF_METRIC_DIAGONAL, SF_METRIC_DENSE,
                                 SF_METRIC_UNIT};
    for (size_t m = 0; m < SFI_COUNT(methods); m++)
        for (size_t k = 0; k < SFI_COUNT(metrics); k++) {
            sf_chain_options o = SF_CHAIN_OPTIONS_INIT;
            o.method = methods[m];
            o.metric = metrics[k];
            o.warmup = 500;
            o.draws = 3000;
            o.seed = 10 * m + k;
            check_moments(ctx, d, 8, &o, 2, want);
        }
    sf_model_free(d);
    sf_context_free(ctx);
}

/* A process whose neighbours have the correlation .8, of 100 numbers. */
TEST(a_hundred_correlated_numbers)
{
    enum { D = 100 };
    static double p[D * D];
    moment want[D];
    const double r = 0.8, scale = 1.0 / (1.0 - r * r);
    for (int i = 0; i < D; i++) {
        p[i * D + i] = (i == 0 || i == D - 1 ? 1.0 : 1.0 + r * r) * scale;
        if (i > 0)
            p[i * D + i - 1] = p[(i - 1) * D + i] = -r * scale;
        want[i] = (moment){0.0, 1.0};
    }
    sf_context *ctx = new_context();
    const sf_parameter precision = {"P", 2, {D, D}, p};
    sf_model *d = density_of(ctx, "-0.5*x*P*x", D, NULL, 1, &precision);
    sf_chain_options o = SF_CHAIN_OPTIONS_INIT;
    o.warmup = 300;
    o.draws = 400;
    check_moments(ctx, d, 4, &o, D, want);
    sf_model_free(d);
    sf_context_free(ctx);
}

/* Laws on other domains, through their charts. */
TEST(bounded_numbers_angles_and_shares)
{
    sf_context *ctx = new_context();
    sf_chain_options o = SF_CHAIN_OPTIONS_INIT;
    o.warmup = 500;
    o.draws = 3000;
    /* gamma(3, 2), beta(2, 5) */
    const moment want[] = {{1.5, sqrt(3.0) / 2.0},
                           {2.0 / 7.0, sqrt(10.0 / 49.0 / 8.0)}};
    sf_model *d = density_of(ctx, "2*log(x0) - 2*x0 + log(x1) + 4*log(1 - x1)",
                             2, "x0=positive; x1=0:1", 0, NULL);
    check_moments(ctx, d, 8, &o, 2, want);
    sf_model_free(d);
    /* Dirichlet(2, 3, 1): means a/6, variances m (1 - m)/7. */
    const double a[] = {2.0, 3.0, 1.0};
    moment shares[3];
    for (int j = 0; j < 3; j++) {
        shares[j].mean = a[j] / 6.0;
        shares[j].sd = sqrt(a[j] / 6.0 * (1.0 - a[j] / 6.0) / 7.0);
    }
    d = density_of(ctx, "log(x0) + 2*log(x1)", 3, "simplex", 0, NULL);
    check_moments(ctx, d, 8, &o, 3, shares);
    sf_model_free(d);
    sf_context_free(ctx);
}

/* The funnel v ~ N(0, 3^2), y = exp(v/2) z in its non-centred form, and a banana;
 * test_posteriors.c has those that are known by another program alone. */
TEST(shapes_that_are_not_normal)
{
    sf_context *ctx = new_context();
    sf_chain_options o = SF_CHAIN_OPTIONS_INIT;
    o.warmup = 1000;
    o.draws = 4000;
    o.accept = 0.9;
    const moment funnel[] = {
        {0.0, 3.0}, {0.0, 1.0}, {0.0, 1.0}, {0.0, 1.0}, {0.0, 1.0}};
    sf_model *d =
        density_of(ctx, "-x[0]^2/18 - 0.5*(x*x - x[0]^2)", 5, NULL, 0, NULL);
    check_moments(ctx, d, 8, &o, 5, funnel);
    sf_model_free(d);
    /* x1 = z + x0^2/2 with x0, z normal: mean 1/2, variance 1 + 1/2. */
    const moment banana[] = {{0.0, 1.0}, {0.5, sqrt(1.5)}};
    d = density_of(ctx, "-0.5*x0^2 - 0.5*(x1 - 0.5*x0^2)^2", 2, NULL, 0, NULL);
    check_moments(ctx, d, 8, &o, 2, banana);
    sf_model_free(d);
    sf_context_free(ctx);
}

/* ---- what draws depend on --------------------------------------------------------- */

enum { CHAINS = 5, DRAWS = 40, DIM = 3 };

static void run(sf_context *ctx, const sf_model *d, int64_t first,
                int64_t chains, sf_chain_method method, sf_metric metric,
                double *draws)
{
    sf_functional f;
    sf_evaluator *owner = functional_of(ctx, d, &f);
    sf_chain_options o = SF_CHAIN_OPTIONS_INIT;
    o.method = method;
    o.metric = metric;
    o.warmup = 60;
    o.draws = DRAWS;
    o.thin = 2;
    o.first_chain = first;
    o.seed = 3;
    const sf_chain_draws to = {.x = draws};
    CHECK_OK(ctx, sf_chains_run(ctx, &f, chains, NULL, &o, &to));
    sf_evaluator_free(owner);
}

/* Three parts, ten standard deviations apart: weights .2, .5, .3. */
static sf_model *three_parts(sf_context *ctx)
{
    return density_of(
        ctx,
        "logaddexp(logaddexp(log(.2) - .5*((x0 + 8)^2 + (x1 + 6)^2), "
        "log(.5) - .5*((x0 - 8)^2 + x1^2)), log(.3) - .5*(x0^2 + (x1 - 9)^2))",
        2, NULL, 0, NULL);
}

TEST(tempered_chains_find_all_parts)
{
    sf_context *ctx = new_context();
    sf_model *d = three_parts(ctx);
    /* Means sum w m, variances 1 + sum w m^2 - mean^2. */
    const moment want[] = {{2.4, sqrt(1.0 + 44.8 - 2.4 * 2.4)},
                           {1.5, sqrt(1.0 + 31.5 - 1.5 * 1.5)}};
    const sf_chain_method methods[] = {SF_CHAIN_NUTS, SF_CHAIN_HMC,
                                       SF_CHAIN_MALA};
    sf_functional f;
    sf_evaluator *owner = functional_of(ctx, d, &f);
    for (size_t m = 0; m < SFI_COUNT(methods); m++) {
        sf_chain_options o = SF_CHAIN_OPTIONS_INIT;
        o.method = methods[m];
        o.warmup = 1000;
        o.draws = 6000;
        o.temperatures = 6;
        o.max_temperature = 50.0;
        o.seed = 3 + m;
        check_moments(ctx, d, 4, &o, 2, want);
        sf_chain_report report[4];
        const sf_chain_draws to = {.report = report};
        o.draws = 500;
        CHECK_OK(ctx, sf_chains_run(ctx, &f, 4, NULL, &o, &to));
        for (int c = 0; c < 4; c++) {
            CHECK(report[c].swap_acceptance > 0.3 &&
                  report[c].swap_acceptance < 1.0);
            CHECK(report[c].round_trips > 5);
            CHECK(report[c].gradients >= 6 * 500);
        }
    }
    /* Without, a chain stays where it began. */
    enum { FEW = 500 };
    static double y[8 * FEW * 2];
    sf_chain_options o = SF_CHAIN_OPTIONS_INIT;
    o.draws = FEW;
    sf_chain_report report[8];
    const sf_chain_draws to = {.x = y, .report = report};
    const double start[8][2] = {{-8, -6}, {8, 0}, {0, 9}, {-8, -5},
                                {8, 1},   {1, 9}, {8, 1}, {0, 8}};
    CHECK_OK(ctx, sf_chains_run(ctx, &f, 8, start[0], &o, &to));
    const sf_draws draws = {y, 8, FEW, 2, 2, NULL};
    sf_diagnosis found[2];
    CHECK_OK(ctx, sf_diagnose(ctx, &draws, found));
    CHECK(found[0].rhat > 1.5);
    CHECK(isnan(report[0].swap_acceptance) && report[0].round_trips == 0);
    sf_evaluator_free(owner);
    sf_model_free(d);
    sf_context_free(ctx);
}

/* Of a normal law all is known at every temperature: its hot rungs are as wide as
 * they should be, or the cold one would not have its moments; and on a line that ends,
 * the chart's volume is tempered too. */
TEST(tempering_changes_no_law)
{
    sf_context *ctx = new_context();
    sf_chain_options o = SF_CHAIN_OPTIONS_INIT;
    o.temperatures = 4;
    o.max_temperature = 8.0;
    o.draws = 4000;
    const moment want[] = {{0.0, 1.0}, {0.0, 1.0}};
    sf_model *d =
        density_of(ctx, "-2/3*(x[0]^2 + x[1]^2 - x[0]*x[1])", 2, NULL, 0, NULL);
    check_moments(ctx, d, 4, &o, 2, want);
    sf_model_free(d);
    const moment gamma = {1.5, sqrt(3.0) / 2.0};
    d = density_of(ctx, "2*log(x0) - 2*x0", 1, "positive", 0, NULL);
    check_moments(ctx, d, 4, &o, 1, &gamma);
    sf_model_free(d);
    sf_context_free(ctx);
}

TEST(a_tempered_chain_depends_on_its_number_alone)
{
    enum { LADDERS = 5, KEPT = 60 };
    sf_context *ctx = new_context();
    sf_model *d = three_parts(ctx);
    static double all[LADDERS][KEPT][2], some[2][KEPT][2];
    sf_functional f;
    sf_evaluator *owner = functional_of(ctx, d, &f);
    sf_chain_options o = SF_CHAIN_OPTIONS_INIT;
    o.warmup = 150;
    o.draws = KEPT;
    o.temperatures = 3;
    const sf_chain_draws to_all = {.x = &all[0][0][0]};
    CHECK_OK(ctx, sf_chains_run(ctx, &f, LADDERS, NULL, &o, &to_all));
    CHECK_OK(ctx, sf_context_set_threads(ctx, 3));
    o.first_chain = 2;
    const sf_chain_draws to_some = {.x = &some[0][0][0]};
    CHECK_OK(ctx, sf_chains_run(ctx, &f, 2, NULL, &o, &to_some));
    CHECK(memcmp(all[2], some, sizeof some) == 0);
    sf_evaluator_free(owner);
    sf_model_free(d);
    sf_context_free(ctx);
}

TEST(a_chain_depends_on_its_number_alone)
{
    static double all[CHAINS * DRAWS * DIM], part[CHAINS * DRAWS * DIM];
    sf_context *ctx = new_context();
    sf_model *d =
        density_of(ctx, "-0.5*(x*x) - x0^2*x1^2 - 0.1*exp(x2) - 20*(x0 + x2)^2",
                   DIM, NULL, 0, NULL);
    for (int i = 0; i < 3 * 3; i++) {
        const sf_chain_method method = (sf_chain_method)(SF_CHAIN_NUTS + i % 3);
        const sf_metric metrics[] = {SF_METRIC_AUTO, SF_METRIC_LOW_RANK,
                                     SF_METRIC_DENSE};
        const sf_metric metric = metrics[i / 3];
        CHECK_OK(ctx, sf_context_set_threads(ctx, 1));
        run(ctx, d, 0, CHAINS, method, metric, all);
        for (int threads = 2; threads <= 7; threads += 5) {
            CHECK_OK(ctx, sf_context_set_threads(ctx, threads));
            run(ctx, d, 0, CHAINS, method, metric, part);
            CHECK(memcmp(all, part, sizeof all) == 0);
        }
        run(ctx, d, 2, 2, method, metric, part);
        CHECK(memcmp(all + 2 * DRAWS * DIM, part,
                     2 * DRAWS * DIM * sizeof *part) == 0);
    }
    sf_model_free(d);
    sf_context_free(ctx);
}

/* Of 600 numbers, with products of a low rank, chains' steps are split among threads:
 * the same bits.  One direction has the variance 1/101, all others 1. */
TEST(a_wide_chain_is_the_same_for_any_number_of_threads)
{
    enum { WIDE = 600, FEW = 20 };
    static double draws[2][4 * FEW * WIDE];
    sf_context *ctx = new_context();
    sf_model *d =
        density_of(ctx, "-0.5*(x*x) - 0.5*sum(x)^2/6", WIDE, NULL, 0, NULL);
    sf_functional f;
    sf_evaluator *owner = functional_of(ctx, d, &f);
    sf_chain_options o = SF_CHAIN_OPTIONS_INIT;
    o.metric = SF_METRIC_LOW_RANK;
    o.warmup = 150;
    o.draws = FEW;
    sf_chain_report report[4];
    for (int k = 0; k < 2; k++) {
        const sf_chain_draws to = {.x = draws[k], .report = report};
        CHECK_OK(ctx, sf_context_set_threads(ctx, 1 + 6 * k));
        CHECK_OK(ctx, sf_chains_run(ctx, &f, 4, NULL, &o, &to));
    }
    CHECK(memcmp(draws[0], draws[1], sizeof draws[0]) == 0);
    for (int c = 0; c < 4; c++) {
        CHECK(report[c].metric == SF_METRIC_LOW_RANK && report[c].rank >= 1);
        CHECK(report[c].divergence_after < 0.1 * report[c].divergence_before);
    }
    sf_evaluator_free(owner);
    sf_model_free(d);
    sf_context_free(ctx);
}

/* The report is of what was asked for, and of what a normal distribution allows: of
 * scales alone the correlation .95 leaves each of two directions sqrt(39) + 1/sqrt(39)
 * - 2, which is 4.4. */
TEST(the_report_tells_the_metric_and_its_divergence)
{
    sf_context *ctx = new_context();
    sf_model *d =
        density_of(ctx, "-(x0^2 + x1^2 - 1.9*x0*x1)", 2, NULL, 0, NULL);
    sf_functional f;
    sf_evaluator *owner = functional_of(ctx, d, &f);
    for (int metric = SF_METRIC_AUTO; metric <= SF_METRIC_UNIT; metric++) {
        sf_chain_options o = SF_CHAIN_OPTIONS_INIT;
        sf_chain_report report;
        const sf_chain_draws to = {.report = &report};
        o.metric = (sf_metric)metric;
        CHECK_OK(ctx, sf_chains_run(ctx, &f, 1, NULL, &o, &to));
        const double before = report.divergence_before;
        const double after = report.divergence_after;
        CHECK(report.metric ==
              (metric == SF_METRIC_AUTO ? SF_METRIC_LOW_RANK : o.metric));
        CHECK((report.rank > 0) == (report.metric == SF_METRIC_LOW_RANK));
        CHECK(isnan(before) == (metric == SF_METRIC_UNIT));
        if (metric == SF_METRIC_DIAGONAL)
            CHECK(after > 2.2 && after < 8.8);
        else if (metric != SF_METRIC_UNIT)
            CHECK(after < 1e-9 && before > 1.0);
        CHECK(report.gradients_warmup >= o.warmup);
    }
    sf_evaluator_free(owner);
    sf_model_free(d);
    sf_context_free(ctx);
}

/* Fits of the warm-up take memory too. */
TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_model *d =
        density_of(ctx, "-0.5*(x*x) - 20*(x0 + x2)^2", DIM, NULL, 0, NULL);
    sf_functional f;
    sf_evaluator *owner = functional_of(ctx, d, &f);
    double x[2 * DRAWS * DIM];
    const sf_chain_draws to = {.x = x};
    const sf_metric metrics[] = {SF_METRIC_AUTO, SF_METRIC_DENSE};
    sf_chain_options o = SF_CHAIN_OPTIONS_INIT;
    o.warmup = 40;
    o.draws = DRAWS;
    /* What the functional keeps is there from now on. */
    CHECK_OK(ctx, sf_chains_run(ctx, &f, 2, NULL, &o, &to));
    for (size_t m = 0; m < 2 * SFI_COUNT(metrics); m++) {
        sf_status status = SF_E_NOMEM;
        o.metric = metrics[m / 2];
        o.temperatures = 1 + (int64_t)(m % 2);
        while (NEXT_FAULT(&faults, status))
            status = sf_chains_run(ctx, &f, 2, NULL, &o, &to);
        CHECK(faults.tries > 20); /* six arrays, and three fits of each chain */
    }
    sf_evaluator_free(owner);
    sf_model_free(d);
    CHECK(faults.bytes == faults.own);
    sf_context_free(ctx);
}

TEST(values_and_energies_are_of_the_draws)
{
    enum { N = 300 };
    double x[2 * N * 2], value[2 * N], energy[2 * N], at[2 * N];
    sf_context *ctx = new_context();
    sf_model *d = density_of(ctx, "-0.5*(x*x)", 2, NULL, 0, NULL);
    sf_functional f;
    sf_evaluator *owner = functional_of(ctx, d, &f);
    sf_chain_options o = SF_CHAIN_OPTIONS_INIT;
    o.warmup = 100;
    o.draws = N;
    const double start[] = {0.1, 0.2, -0.3, 0.4};
    const sf_chain_draws to = {.x = x, .value = value, .energy = energy};
    CHECK_OK(ctx, sf_chains_run(ctx, &f, 2, start, &o, &to));
    CHECK_OK(ctx, f.value(ctx, f.user, at, x, 2 * N));
    double kinetic = 0.0;
    for (int i = 0; i < 2 * N; i++) {
        CHECK(value[i] == at[i]);
        if (i % N > 0)
            kinetic += (energy[i] - value[i - 1]) / (2 * N - 2);
    }
    /* Half of a chi-squared variable of two degrees of freedom. */
    CHECK_NEAR(kinetic, 1.0, 5.0 / sqrt(2 * N));
    CHECK(sf_ebfmi(energy, N) > 0.5);
    sf_evaluator_free(owner);
    sf_model_free(d);
    sf_context_free(ctx);
}

/* ---- failures ------------------------------------------------------------------- */

static void refused(sf_context *ctx, const sf_model *d, int64_t chains,
                    const double *start, sf_chain_options o, sf_status status,
                    const char *part)
{
    static double x[64 * 4];
    sf_functional f;
    sf_evaluator *owner = functional_of(ctx, d, &f);
    const sf_chain_draws to = {.x = x};
    CHECK_FAILS(ctx, sf_chains_run(ctx, &f, chains, start, &o, &to), status,
                part);
    sf_evaluator_free(owner);
}

/* What an observer sees is what the arrays hold. */
struct seen {
    const double *x, *value;
    int64_t dim, draws, count, next[3];
    bool stop;
};

static sf_status look(void *user, int64_t chain, int64_t i, const double *x,
                      double value)
{
    struct seen *s = user;
    CHECK(i == s->next[chain]++);
    for (int64_t j = 0; j < s->dim; j++)
        CHECK(x[j] == s->x[(chain * s->draws + i) * s->dim + j]);
    CHECK(value == s->value[chain * s->draws + i]);
    s->count++;
    return s->stop && s->count == 7 ? SF_E_CANCELLED : SF_OK;
}

TEST(draws_can_be_observed)
{
    enum { FEW = 3, LONG = 20 };
    sf_context *ctx = new_context();
    for (int tempered = 0; tempered < 2; tempered++) {
        sf_model *d = density_of(ctx, "-0.5*(x*x)", 2, NULL, 0, NULL);
        sf_functional f;
        sf_evaluator *owner = functional_of(ctx, d, &f);
        double x[FEW * LONG * 2], value[FEW * LONG];
        sf_chain_options o = SF_CHAIN_OPTIONS_INIT;
        o.draws = LONG;
        o.warmup = 30;
        o.thin = 2;
        o.temperatures = 1 + 2 * tempered;
        struct seen seen = {x, value, 2, LONG, 0, {0}, false};
        sf_chain_draws to = {
            .x = x, .value = value, .draw = look, .user = &seen};
        CHECK_OK(ctx, sf_chains_run(ctx, &f, FEW, NULL, &o, &to));
        CHECK(seen.count == FEW * LONG);
        memset(seen.next, 0, sizeof seen.next);
        seen.count = 0;
        seen.stop = true;
        CHECK(sf_chains_run(ctx, &f, FEW, NULL, &o, &to) == SF_E_CANCELLED);
        CHECK(seen.count == 7);
        sf_evaluator_free(owner);
        sf_model_free(d);
    }
    sf_context_free(ctx);
}

TEST(what_cannot_be_run_is_refused)
{
    sf_context *ctx = new_context();
    sf_model *d = density_of(ctx, "-x0^2", 1, NULL, 0, NULL);
    sf_chain_options o = SF_CHAIN_OPTIONS_INIT;
    o.draws = 8;
    const double nan = NAN;
    refused(ctx, d, 0, NULL, o, SF_E_ARG, "number of chains is 0");
    refused(ctx, d, 1, &nan, o, SF_E_NUMERIC, "start of chain 0");
    o.thin = 0;
    refused(ctx, d, 1, NULL, o, SF_E_ARG, "thin is 0");
    o.thin = 1;
    o.accept = 1.0;
    refused(ctx, d, 1, NULL, o, SF_E_ARG, "accept is 1");
    o.accept = 0.0;
    o.max_treedepth = 21;
    refused(ctx, d, 1, NULL, o, SF_E_ARG, "max_treedepth is 21");
    o.max_treedepth = 10;
    o.temperatures = 65;
    refused(ctx, d, 1, NULL, o, SF_E_ARG, "temperatures is 65");
    o.temperatures = 2;
    o.max_temperature = 1.0;
    refused(ctx, d, 1, NULL, o, SF_E_ARG, "max_temperature is 1");
    o = (sf_chain_options)SF_CHAIN_OPTIONS_INIT;
    o.draws = 8;
    sf_model_free(d);
    d = density_of(ctx, "log(x0 - 7)", 1, NULL, 0, NULL);
    o.max_treedepth = 10;
    refused(ctx, d, 1, NULL, o, SF_E_NUMERIC, "no start of chain 0");
    sf_model_free(d);
    sf_functional f;
    d = density_of(ctx, "-x0^2", 1, NULL, 0, NULL);
    sf_evaluator *owner = functional_of(ctx, d, &f);
    f.value = NULL;
    const sf_chain_draws to = {.x = NULL};
    CHECK_FAILS(ctx, sf_chains_run(ctx, &f, 1, NULL, &o, &to), SF_E_UNSUPPORTED,
                "gradients only");
    sf_evaluator_free(owner);
    sf_model_free(d);
    sf_context_free(ctx);
}

/* Where there is no logarithm is something else than where the density ends. */
TEST(divergences_to_what_is_no_number_are_counted)
{
    sf_context *ctx = new_context();
    const char *const texts[] = {"log(x0) - x0", "-sqrt(x0)",
                                 "where(x0 > 0, -x0, -1/0)"};
    const sf_chain_method methods[] = {SF_CHAIN_NUTS, SF_CHAIN_MALA};
    for (size_t k = 0; k < SFI_COUNT(texts); k++)
        for (size_t m = 0; m < SFI_COUNT(methods); m++) {
            sf_model *d = density_of(ctx, texts[k], 1, NULL, 0, NULL);
            sf_functional f;
            sf_evaluator *owner = functional_of(ctx, d, &f);
            sf_chain_options o = SF_CHAIN_OPTIONS_INIT;
            o.method = methods[m];
            o.step = 0.5;
            o.warmup = 0;
            sf_chain_report report;
            const sf_chain_draws to = {.report = &report};
            CHECK_OK(ctx, sf_chains_run(ctx, &f, 1, NULL, &o, &to));
            CHECK(report.divergences > 10);
            CHECK(report.undefined <= report.divergences);
            CHECK(k < 2 ? report.undefined > 10 : report.undefined == 0);
            sf_evaluator_free(owner);
            sf_model_free(d);
        }
    sf_context_free(ctx);
}

/* No integral: chains run away, which is told. */
TEST(a_density_without_an_integral_is_found)
{
    sf_context *ctx = new_context();
    sf_chain_options o = SF_CHAIN_OPTIONS_INIT;
    o.draws = 64;
    const char *const texts[] = {"x0", "0*x0"};
    for (size_t k = 0; k < SFI_COUNT(texts); k++) {
        sf_model *d = density_of(ctx, texts[k], 1, NULL, 0, NULL);
        refused(ctx, d, 4, NULL, o, SF_E_NUMERIC, "finite integral");
        sf_model_free(d);
    }
    sf_context_free(ctx);
}

TESTS(CASE(every_method_has_the_normal_law), CASE(a_hundred_correlated_numbers),
      CASE(bounded_numbers_angles_and_shares), CASE(shapes_that_are_not_normal),
      CASE(tempered_chains_find_all_parts), CASE(tempering_changes_no_law),
      CASE(a_tempered_chain_depends_on_its_number_alone),
      CASE(a_chain_depends_on_its_number_alone),
      CASE(a_wide_chain_is_the_same_for_any_number_of_threads),
      CASE(the_report_tells_the_metric_and_its_divergence),
      CASE(every_allocation_may_fail),
      CASE(values_and_energies_are_of_the_draws), CASE(draws_can_be_observed),
      CASE(what_cannot_be_run_is_refused),
      CASE(divergences_to_what_is_no_number_are_counted),
      CASE(a_density_without_an_integral_is_found))
