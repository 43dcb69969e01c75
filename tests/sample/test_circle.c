/* SPDX-License-Identifier: Apache-2.0 */
/* test_circle.c - chains whose unknowns are angles, alone and beside others. */
#include "scorefield/diagnose.h"
#include "scorefield/sample.h"
#include "typed.h"

#include <stdlib.h>

enum { CHAINS = 8, DRAWS = 1500, MOST = 2 };

static const double pi = 3.14159265358979324;
static const double period[MOST] = {2.0 * 3.14159265358979324, 0.0};

typedef struct outcome {
    double *x; /* [CHAINS, DRAWS, dim] */
    sf_diagnosis found[MOST];
    double gradients; /* of a draw */
} outcome;

static outcome run(sf_context *ctx, const char *text, const char *domain,
                   int64_t dim, sf_chain_method method, sf_metric metric)
{
    static const char *const names[] = {"a", "y"};
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    o.names = names;
    o.domain = domain;
    sf_model *d = NULL;
    sf_functional f;
    CHECK_OK(ctx, sf_density_new(ctx, &d, text, dim, &o));
    sf_evaluator *owner = functional_of(ctx, d, &f);
    const int64_t rows = CHAINS * DRAWS;
    outcome out = {.x = malloc((size_t)(rows * dim) * sizeof *out.x)};
    sf_chain_report report[CHAINS];
    const sf_chain_draws to = {.x = out.x, .report = report};
    sf_chain_options s = SF_CHAIN_OPTIONS_INIT;
    s.method = method;
    s.metric = metric;
    s.draws = DRAWS;
    s.seed = 3;
    CHECK_OK(ctx, sf_chains_run(ctx, &f, CHAINS, NULL, &s, &to));
    for (int c = 0; c < CHAINS; c++)
        out.gradients += (double)report[c].gradients / (double)rows;
    sf_evaluator_free(owner);
    for (int64_t i = 0; i < rows * dim; i++) /* all within a turn or so */
        CHECK(fabs(out.x[i]) < 20.0);
    CHECK_OK(ctx, sf_model_from_unknowns(d, (sf_cmat){out.x, rows, dim, dim},
                                         (sf_mat){out.x, rows, dim, dim}));
    const sf_draws all = {out.x, CHAINS, DRAWS, dim, dim, period};
    CHECK_OK(ctx, sf_diagnose(ctx, &all, out.found));
    sf_model_free(d);
    return out;
}

/* The mean of a function of draws is right to five of its standard errors, by the
 * effective draws that the diagnosis tells for the middle of the distribution. */
static void check_mean(const outcome *o, int64_t dim, double (*of)(double),
                       double want, double variance)
{
    const int64_t rows = CHAINS * DRAWS;
    double mean = 0.0;
    for (int64_t i = 0; i < rows; i++)
        mean += of(o->x[i * dim]) / (double)rows;
    CHECK(o->found[0].rhat < 1.02);
    CHECK(o->found[0].ess_bulk > 500.0);
    CHECK_NEAR(mean, want, 5.0 * sqrt(variance / o->found[0].ess_bulk));
}

static double cosine(double a)
{
    return cos(a);
}

static double sine(double a)
{
    return sin(a);
}

static double second_cosine(double a)
{
    return cos(2.0 * a);
}

/* Of a uniform angle cos, sin and cos 2a have mean 0 and variance 1/2.  A path has gone
 * half around after a few steps. */
TEST(a_uniform_angle_does_not_run_away)
{
    static const sf_chain_method methods[] = {SF_CHAIN_NUTS, SF_CHAIN_HMC,
                                              SF_CHAIN_MALA};
    sf_context *ctx = new_context();
    for (size_t k = 0; k < SFI_COUNT(methods); k++) {
        const outcome o =
            run(ctx, "0*a", "circle", 1, methods[k], SF_METRIC_AUTO);
        check_mean(&o, 1, cosine, 0.0, 0.5);
        check_mean(&o, 1, sine, 0.0, 0.5);
        check_mean(&o, 1, second_cosine, 0.0, 0.5);
        if (methods[k] == SF_CHAIN_NUTS)
            CHECK(o.gradients < 16.0);
        free(o.x);
    }
    sf_context_free(ctx);
}

/* Von Mises of kappa = 2 about pi, where the cut is: E cos(a - pi) = I1(2)/I0(2) =
 * 0.697774657964, and its variance 1 - A/2 - A^2.  The mean direction is pi, and the
 * spread that of angles near it, not of both ends. */
TEST(angles_about_the_cut_are_one_mode)
{
    sf_context *ctx = new_context();
    const double a = 0.697774657964, variance = 1.0 - 0.5 * a - a * a;
    const outcome o =
        run(ctx, "-2*cos(a)", "circle", 1, SF_CHAIN_NUTS, SF_METRIC_AUTO);
    check_mean(&o, 1, cosine, -a, variance);
    check_mean(&o, 1, sine, 0.0, 0.5 * a);
    CHECK_NEAR(fabs(o.found[0].mean), pi, 5.0 * o.found[0].mcse_mean);
    CHECK(o.found[0].sd > 0.7 && o.found[0].sd < 1.0);
    CHECK(o.gradients < 8.0);
    free(o.x);
    sf_context_free(ctx);
}

/* Beside a number: each metric sees both, and the angle costs no more gradients than
 * the number alone would. */
TEST(an_angle_beside_a_number)
{
    static const sf_metric metrics[] = {SF_METRIC_AUTO, SF_METRIC_DENSE,
                                        SF_METRIC_UNIT};
    sf_context *ctx = new_context();
    const double a = 0.697774657964, variance = 1.0 - 0.5 * a - a * a;
    for (size_t k = 0; k < SFI_COUNT(metrics); k++) {
        const outcome o = run(ctx, "2*cos(a) - 0.5*y^2", "a=circle", 2,
                              SF_CHAIN_NUTS, metrics[k]);
        check_mean(&o, 2, cosine, a, variance);
        CHECK_NEAR(o.found[1].mean, 0.0, 5.0 * o.found[1].mcse_mean);
        CHECK_NEAR(o.found[1].sd, 1.0, 5.0 * o.found[1].mcse_sd);
        CHECK(o.found[1].rhat < 1.02 && o.gradients < 12.0);
        free(o.x);
    }
    const outcome flat = run(ctx, "-0.5*y^2 + 0*a", "a=circle", 2,
                             SF_CHAIN_NUTS, SF_METRIC_AUTO);
    int64_t whole = 0;
    for (int64_t i = 0; i < CHAINS * DRAWS; i++)
        whole += flat.x[2 * i] == floor(flat.x[2 * i]);
    CHECK(whole == 0);
    check_mean(&flat, 2, cosine, 0.0, 0.5);
    CHECK_NEAR(flat.found[1].sd, 1.0, 5.0 * flat.found[1].mcse_sd);
    free(flat.x);
    sf_context_free(ctx);
}

/* Draws about the cut: half of them at pi - .1, half at -pi + .1, in turns. */
TEST(a_diagnosis_counts_angles_from_their_mean)
{
    enum { N = 400 };
    double x[2 * N];
    sf_context *ctx = new_context();
    sf_diagnosis found, line;
    for (int i = 0; i < 2 * N; i++) {
        const double off = 0.1 + 0.01 * sin(1.7 * i);
        x[i] = i % 2 == 0 ? pi - off : -pi + off;
    }
    const sf_draws circle = {x, 2, N, 1, 1, period};
    const sf_draws plain = {x, 2, N, 1, 1, NULL};
    CHECK_OK(ctx, sf_diagnose(ctx, &circle, &found));
    CHECK_OK(ctx, sf_diagnose(ctx, &plain, &line));
    CHECK_NEAR(fabs(found.mean), pi, 0.01);
    CHECK_NEAR(found.sd, 0.1, 0.005);
    CHECK(line.sd > 3.0);
    sf_context_free(ctx);
}

TESTS(CASE(a_uniform_angle_does_not_run_away),
      CASE(angles_about_the_cut_are_one_mode), CASE(an_angle_beside_a_number),
      CASE(a_diagnosis_counts_angles_from_their_mean))
