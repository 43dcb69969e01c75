/* SPDX-License-Identifier: Apache-2.0 */
/* test_evaluator.c - what models can answer, and evaluators that ask them. */
#include "faults.h"
#include "scorefield/fit.h"
#include "scorefield/flow.h"
#include "scorefield/low_rank.h"
#include "typed.h"

enum { ROWS = 40 };

static sf_model *gaussian_of(sf_context *ctx)
{
    const double mean[] = {1.0, -2.0}, covariance[] = {4.0, 1.0, 1.0, 9.0};
    sf_model *m = NULL;
    CHECK_OK(ctx, sf_gaussian_new(ctx, &m, 2, NULL, mean, covariance));
    return m;
}

static sf_model *typed_of(sf_context *ctx, const char *text, const char *domain)
{
    sf_model *m = NULL;
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    o.domain = domain;
    CHECK_OK(ctx, sf_density_new(ctx, &m, text, 1, &o));
    return m;
}

static sf_model *empirical_of(sf_context *ctx, const char *kernel)
{
    double x[ROWS];
    for (int i = 0; i < ROWS; i++)
        x[i] = (double)(1 + i % 7);
    sf_model *m = NULL;
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    o.kernel = kernel;
    o.bandwidth = SF_BANDWIDTH_FIXED;
    o.time = 0.2;
    CHECK_OK(ctx, sf_fit_empirical(ctx, &m, (sf_cmat){x, ROWS, 1, 1}, NULL, &o,
                                   NULL));
    return m;
}

static sf_model *components_of(sf_context *ctx)
{
    static const double mean[] = {1.0, -2.0}, loadings[] = {1.0, 0.5};
    static const double sd[] = {0.3, 0.3};
    sf_model *m = NULL;
    CHECK_OK(ctx,
             sf_low_rank_new(ctx, &m, true, 2, NULL, 1, mean, loadings, sd));
    return m;
}

/* In the order of SF_ABILITY_LIST: score, noise, flow, logpdf, closed, normalised,
 * rates, jump, rows, train, match, condition, code, draw, principal,
 * decode, fitted. */
static void check_abilities(const sf_model *m, const char *yes)
{
    static const sf_ability all[] = {
#define ABILITY(name, text) name,
        SF_ABILITY_LIST(ABILITY)
#undef ABILITY
    };
    CHECK(strlen(yes) == SFI_COUNT(all));
    for (size_t k = 0; k < SFI_COUNT(all); k++) {
        CHECK(sf_model_can(m, all[k]) == (yes[k] == 'y'));
        CHECK((sf_model_why_not(m, all[k]) == NULL) == (yes[k] == 'y'));
    }
}

TEST(each_family_can_what_it_can)
{
    sf_context *ctx = new_context();
    sf_model *const models[] = {
        gaussian_of(ctx), typed_of(ctx, "-x0^2", "real"),
        empirical_of(ctx, "gaussian"), empirical_of(ctx, "poisson"),
        components_of(ctx)};
    static const char *const can[] = {"yyyyyy-----y-----", "y--yy-----y------",
                                      "yyyyyy--y--y-y---", "-y-yyyyyy----y---",
                                      "yyyyyy------yy-y-"};
    for (size_t k = 0; k < SFI_COUNT(models); k++) {
        check_abilities(models[k], can[k]);
        sf_model_free(models[k]);
    }
    sf_context_free(ctx);
}

/* ln N(x; m, C) at the mean is -ln(2 pi) - ln(det C)/2, det C = 35; the score at
 * m + (1, 0) is -C^-1 (1, 0) = -(9, -1)/35. */
TEST(densities_are_in_the_units_of_the_data)
{
    sf_context *ctx = new_context();
    sf_model *m = gaussian_of(ctx);
    sf_evaluator *e = NULL;
    CHECK_OK(ctx, sf_evaluator_new(ctx, &e, m, SF_WANT_SCORE | SF_WANT_LOGPDF));
    const double x[] = {1.0, -2.0, 2.0, -2.0};
    double logpdf[2], score[4];
    const sf_model_values both = {.score = {score, 2, 2, 2},
                                  .logpdf = {logpdf, 2, 1, 1}};
    CHECK_OK(ctx, sf_evaluator_run(e, (sf_cmat){x, 2, 2, 2}, 0.0, &both));
    CHECK_NEAR(logpdf[0], -1.8378770664093453 - 0.5 * log(35.0), 1e-14);
    CHECK_NEAR(logpdf[1], logpdf[0] - 0.5 * 9.0 / 35.0, 1e-14);
    CHECK_NEAR(score[2], -9.0 / 35.0, 1e-14);
    CHECK_NEAR(score[3], 1.0 / 35.0, 1e-14);
    double closed[2], flow[2];
    sf_likelihood_options l = SF_LIKELIHOOD_OPTIONS_INIT;
    CHECK_OK(ctx, sf_logpdf(m, (sf_cmat){x, 2, 2, 2}, closed, NULL, &l));
    CHECK(closed[0] == logpdf[0] && closed[1] == logpdf[1]);
    l.force_flow = true;
    CHECK_OK(ctx, sf_logpdf(m, (sf_cmat){x, 2, 2, 2}, flow, NULL, &l));
    CHECK_NEAR(flow[1], closed[1], 1e-3);
    sf_evaluator_free(e);
    sf_model_free(m);
    sf_context_free(ctx);
}

static void keep(void *user, const char *text)
{
    snprintf(user, 400, "%s", text);
}

/* Of a data set as of a text; what is inside is not touched by what is not. */
TEST(outside_the_support_is_an_answer)
{
    sf_context *ctx = new_context();
    sf_model *const models[] = {empirical_of(ctx, "gamma"),
                                typed_of(ctx, "-x0", "positive")};
    for (size_t k = 0; k < SFI_COUNT(models); k++) {
        char said[400] = "";
        double with[3], score[3], alone[1];
        const double x[] = {-1.0, 2.0, -3.0};
        const sf_model_values values = {.score = {score, 3, 1, 1},
                                        .logpdf = {with, 3, 1, 1}};
        const sf_model_values one = {.logpdf = {alone, 1, 1, 1}};
        sf_context_set_warning(ctx, keep, said);
        CHECK_OK(ctx,
                 sf_model_eval(models[k], (sf_cmat){x, 3, 1, 1}, 0.0, &values));
        CHECK(strncmp(said,
                      "2 of 3 rows are outside the support of the model (row 1",
                      55) == 0);
        CHECK(with[0] == -INFINITY && with[2] == -INFINITY);
        CHECK(isnan(score[0]) && isnan(score[2]) && isfinite(score[1]));
        said[0] = '\0';
        CHECK_OK(ctx, sf_model_eval(models[k], (sf_cmat){x + 1, 1, 1, 1}, 0.0,
                                    &one));
        CHECK(said[0] == '\0' && alone[0] == with[1]);
        sf_context_set_warning(ctx, NULL, NULL);
        sf_model_free(models[k]);
    }
    sf_context_free(ctx);
}

/* A text may have no value inside its domain; that is told, not refused. */
TEST(a_text_without_a_value_is_told)
{
    sf_context *ctx = new_context();
    sf_model *m = typed_of(ctx, "log(x0 - 3)", "real");
    char said[400] = "";
    double logpdf[2];
    const double x[] = {4.0, 2.0};
    const sf_model_values values = {.logpdf = {logpdf, 2, 1, 1}};
    sf_context_set_warning(ctx, keep, said);
    CHECK_OK(ctx, sf_model_eval(m, (sf_cmat){x, 2, 1, 1}, 0.0, &values));
    CHECK(logpdf[0] == 0.0 && isnan(logpdf[1]));
    CHECK(strstr(said, "undefined or infinite at 1 of 2 rows") != NULL);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(what_an_evaluator_is_not_for_is_refused)
{
    sf_context *ctx = new_context();
    sf_model *m = gaussian_of(ctx), *typed = typed_of(ctx, "-x0^2", NULL);
    sf_evaluator *e = NULL;
    CHECK_FAILS(ctx, sf_evaluator_new(ctx, &e, m, 0), SF_E_ARG, "wants");
    CHECK_FAILS(ctx, sf_evaluator_new(ctx, &e, m, 64), SF_E_ARG, "wants");
    CHECK_FAILS(ctx, sf_evaluator_new(ctx, &e, typed, SF_WANT_VELOCITY),
                SF_E_UNSUPPORTED, "typed density, which has no noise");
    CHECK(e == NULL);
    CHECK_OK(ctx, sf_evaluator_new(ctx, &e, m, SF_WANT_SCORE));
    double x[] = {0.0, 0.0}, out[4];
    const sf_cmat at = {x, 1, 2, 2};
    CHECK_FAILS(ctx,
                sf_evaluator_run(
                    e, at, 0.0, &(sf_model_values){.velocity = {out, 1, 2, 2}}),
                SF_E_ARG, "not made for");
    const sf_model_values score = {.score = {out, 1, 2, 2}};
    CHECK_FAILS(ctx, sf_evaluator_run(e, at, 1.5, &score), SF_E_ARG,
                "time is 1.5");
    CHECK_FAILS(ctx, sf_evaluator_run(e, (sf_cmat){x, 1, 1, 1}, 0.0, &score),
                SF_E_SHAPE, "1 columns");
    x[1] = NAN;
    CHECK_FAILS(ctx, sf_evaluator_run(e, at, 0.0, &score), SF_E_NUMERIC,
                "row 0, column 1");
    sf_evaluator_free(e);
    x[0] = 1.0;
    CHECK_FAILS(ctx,
                sf_model_eval(typed, (sf_cmat){x, 1, 1, 1}, 0.5,
                              &(sf_model_values){.score = {out, 1, 1, 1}}),
                SF_E_ARG, "has no noise");
    sf_model_free(typed);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* One model, two callers: what one is told, the other is not. */
TEST(evaluators_have_the_context_of_their_caller)
{
    sf_context *first = new_context(), *second = new_context();
    sf_model *m = empirical_of(first, "gamma");
    sf_evaluator *a = NULL, *b = NULL;
    char heard[2][400] = {"", ""};
    sf_context_set_warning(first, keep, heard[0]);
    sf_context_set_warning(second, keep, heard[1]);
    CHECK_OK(first, sf_evaluator_new(first, &a, m, SF_WANT_LOGPDF));
    CHECK_OK(second, sf_evaluator_new(second, &b, m, SF_WANT_LOGPDF));
    const double x = -1.0, inside = 2.0;
    double one, other;
    const sf_model_values to_one = {.logpdf = {&one, 1, 1, 1}};
    const sf_model_values to_other = {.logpdf = {&other, 1, 1, 1}};
    CHECK_OK(second, sf_evaluator_run(b, (sf_cmat){&x, 1, 1, 1}, 0.0, &to_one));
    CHECK(heard[0][0] == '\0' && heard[1][0] != '\0');
    CHECK_FAILS(second,
                sf_evaluator_run(b, (sf_cmat){&x, 1, 1, 1}, 2.0, &to_one),
                SF_E_ARG, "time");
    CHECK(sf_context_message(first)[0] == '\0' ||
          strstr(sf_context_message(first), "time is 2") == NULL);
    CHECK_OK(first,
             sf_evaluator_run(a, (sf_cmat){&inside, 1, 1, 1}, 0.0, &to_one));
    CHECK_OK(second,
             sf_evaluator_run(b, (sf_cmat){&inside, 1, 1, 1}, 0.0, &to_other));
    CHECK(one == other);
    sf_evaluator_free(b);
    sf_evaluator_free(a);
    sf_model_free(m);
    sf_context_free(second);
    sf_context_free(first);
}

/* The parameters of a text are the model's, by their names. */
TEST(parameters_settings_and_supports_can_be_read)
{
    sf_context *ctx = new_context();
    const double k = 2.5;
    const sf_parameter given = {.name = "k", .value = &k};
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    static const char *const names[] = {"a", "b"};
    o.names = names;
    o.domain = "a=circle; b=:3";
    o.parameter_count = 1;
    o.parameters = &given;
    sf_model *m = NULL;
    sf_parameter found;
    CHECK_OK(ctx, sf_density_new(ctx, &m, "k*cos(a) + b", 2, &o));
    CHECK(sf_model_parameter_count(m) == 1 && sf_model_parameter(m, 0, &found));
    CHECK(strcmp(found.name, "k") == 0 && found.rank == 0);
    CHECK(found.value[0] == 2.5 && !sf_model_parameter(m, 1, &found));
    CHECK(sf_model_support(m, 0).period == 6.2831853071795865);
    CHECK(sf_model_support(m, 1).upper == 3.0);
    CHECK(sf_model_support(m, 1).lower == -INFINITY);
    sf_model_free(m);
    m = gaussian_of(ctx);
    CHECK(sf_model_setting(m, "sigma_max") == 80.0);
    CHECK(isnan(sf_model_setting(m, "sigma")));
    CHECK(strcmp(sf_model_setting_name(m, 0), "sigma_min") == 0);
    CHECK(sf_model_setting_name(m, sf_model_setting_count(m)) == NULL);
    CHECK(sf_model_support(m, 0).upper == INFINITY);
    sf_model_free(m);
    m = empirical_of(ctx, "gamma");
    CHECK(sf_model_support(m, 0).lower == 0.0);
    CHECK(sf_model_support(m, 0).upper == INFINITY);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Fail the k-th allocation for k = 0, 1, ... until the call succeeds. */
TEST(every_allocation_may_fail)
{
    struct faults f;
    sf_context *ctx = faulty_context(&f);
    sf_model *m = empirical_of(ctx, "gamma");
    const double x[] = {1.0, -1.0};
    double value[2], score[2];
    const sf_model_values values = {.score = {score, 2, 1, 1},
                                    .logpdf = {value, 2, 1, 1}};
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&f, status)) {
        sf_evaluator *owner = NULL;
        sf_functional g;
        status = sf_model_eval(m, (sf_cmat){x, 2, 1, 1}, 0.0, &values);
        if (status == SF_OK)
            status = sf_model_functional(ctx, &owner, &g, m, 0.0);
        sf_evaluator_free(owner);
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

TESTS(CASE(each_family_can_what_it_can),
      CASE(densities_are_in_the_units_of_the_data),
      CASE(outside_the_support_is_an_answer),
      CASE(a_text_without_a_value_is_told),
      CASE(what_an_evaluator_is_not_for_is_refused),
      CASE(evaluators_have_the_context_of_their_caller),
      CASE(parameters_settings_and_supports_can_be_read),
      CASE(every_allocation_may_fail))
