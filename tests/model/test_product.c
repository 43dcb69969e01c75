/* SPDX-License-Identifier: Apache-2.0 */
/* test_product.c - data sets with missing cells under kernels of one column each, and
 * what they say of some columns given others.  Numbers that are not derived here come
 * from the definitions in double precision, by another program. */
#include "faults.h"
#include "kernel/cell_law.h"
#include "scorefield/condition.h"
#include "scorefield/fit.h"
#include "scorefield/flow.h"
#include "scorefield/impute.h"

#include <string.h>

enum { ROWS = 5, COLS = 3 };
static const double hole = NAN;

/* sd 0.4 and 0.7 about a row's cell, and the level with 1 - 0.2 and even shares. */
static sf_model *five_rows(sf_context *ctx)
{
    const double x[ROWS * COLS] = {0.0, 1.0, 0,   1.0, hole, 0,   hole, 2.5,
                                   1,   2.2, 3.0, 1,   1.7,  0.4, hole};
    const char *const names[] = {"a", "b", "c"};
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    sf_model *m = NULL;
    o.kernel = "a=gaussian:sigma=2,path=ve; b=gaussian:sigma=3.5,path=ve; "
               "c=category:prior=uniform";
    o.bandwidth = SF_BANDWIDTH_FIXED;
    o.time = 0.2;
    CHECK_OK(ctx, sf_fit_empirical(ctx, &m, (sf_cmat){x, ROWS, COLS, COLS},
                                   names, &o, NULL));
    return m;
}

static sf_conditional *given(sf_context *ctx, const sf_model *m,
                             const char *text)
{
    sf_condition *where = NULL;
    sf_conditional *c = NULL;
    CHECK_OK(ctx, sf_condition_new(ctx, &where, m));
    CHECK_OK(ctx, sf_condition_add(where, text));
    CHECK_OK(ctx, sf_conditional_given(ctx, &c, m, where));
    sf_condition_free(where);
    return c;
}

static void check_weights(sf_context *ctx, const sf_conditional *c,
                          const double *want)
{
    CHECK(sf_conditional_count(c) == ROWS);
    for (int64_t k = 0; k < ROWS; k++) {
        double w = NAN;
        CHECK_OK(ctx, sf_conditional_component(c, k, &w, NULL, NULL));
        CHECK_CLOSE(w, want[k], 1e-12);
    }
}

/* ---- known answers ---------------------------------------------------------------- */

TEST(a_hole_has_its_columns_own_law)
{
    static const double logp[] = {-2.8948083222554657, -2.719609374117581};
    static const double r[2][ROWS] = {
        {0.6562237031633963, 0.3232850687165364, 0.017167396825373504,
         2.47493990977765e-06, 0.0033213563547842694},
        {7.839009332957562e-07, 0.005383774973997848, 0.5163494642118507,
         0.4224185601374307, 0.05584741677578738}};
    const double x[] = {0.5, 1.5, 0, 1.9, 2.0, 1};
    double got[2], weight[2 * ROWS];
    int64_t datum[2 * ROWS];
    sf_context *ctx = new_context();
    sf_model *m = five_rows(ctx);
    const sf_cmat points = {x, 2, COLS, COLS};
    const sf_model_values values = {.logpdf = {got, 2, 1, 1}};
    CHECK_OK(ctx, sf_model_eval(m, points, 0.0, &values));
    for (int i = 0; i < 2; i++)
        CHECK_CLOSE(got[i], logp[i], 1e-12);
    CHECK_OK(ctx, sf_logpdf_marginal(ctx, got, m, points));
    for (int i = 0; i < 2; i++)
        CHECK_CLOSE(got[i], logp[i], 1e-12);
    CHECK_OK(ctx, sf_model_posterior(m, points, 0.0, ROWS, datum, weight));
    for (int k = 0; k < 2 * ROWS; k++) {
        CHECK_CLOSE(weight[k], r[k / ROWS][datum[k]], 1e-12);
        CHECK(k % ROWS == 0 || weight[k] <= weight[k - 1]);
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(parts_of_points_have_marginal_densities)
{
    const double x[] = {0.5, hole, 0,    hole, hole, 1,
                        1.0, 2.0,  hole, hole, hole, hole};
    double got[4];
    sf_context *ctx = new_context();
    sf_model *m = five_rows(ctx);
    CHECK_OK(ctx, sf_logpdf_marginal(ctx, got, m, (sf_cmat){x, 4, COLS, COLS}));
    CHECK_CLOSE(got[0], -1.7712703328816017, 1e-12);
    CHECK_CLOSE(got[1], log(0.5), 1e-12);
    CHECK_CLOSE(got[2], -2.56850509796318, 1e-12);
    CHECK(got[3] == 0.0);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(a_value_is_known)
{
    static const double r[] = {0.0004539778248386744, 0.23516633538147141,
                               0.20000000000000007, 0.11108471116488293,
                               0.4532949756288071};
    static const double p[] = {0.1, 0.5, 0.9};
    static const double q[] = {-0.21336988184512762, 1.234976825700352,
                               3.2387826561280577};
    double mean[COLS], covariance[COLS * COLS], x[3], pmf[2];
    sf_context *ctx = new_context();
    sf_model *m = five_rows(ctx);
    sf_conditional *c = given(ctx, m, "a=1.5");
    check_weights(ctx, c, r);
    CHECK_OK(ctx, sf_conditional_moments(c, mean, covariance));
    CHECK(mean[0] == 1.5 && covariance[0] == 0.0 && isnan(mean[2]));
    CHECK_CLOSE(mean[1], 1.4206880301040488, 1e-12);
    CHECK_CLOSE(sqrt(covariance[4]), 1.3263329093523086, 1e-12);
    CHECK_OK(ctx, sf_conditional_quantiles(c, 1, 3, p, x));
    for (int k = 0; k < 3; k++)
        CHECK_CLOSE(x[k], q[k], 1e-11);
    CHECK_OK(ctx, sf_conditional_pmf(c, 2, pmf));
    CHECK_CLOSE(pmf[0], 0.4698142408165709, 1e-12);
    CHECK_CLOSE(pmf[1], 0.5301857591834293, 1e-12);
    CHECK_FAILS(ctx, sf_conditional_pmf(c, 1, pmf), SF_E_ARG, "levels");
    sf_conditional_free(c);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(a_level_is_known)
{
    static const double r[] = {0.04, 0.04, 0.36, 0.36, 0.2};
    const double half = 0.5;
    double mean[COLS], x = NAN, log_density, log_probability;
    sf_context *ctx = new_context();
    sf_model *m = five_rows(ctx);
    sf_conditional *c = given(ctx, m, "c=1");
    check_weights(ctx, c, r);
    sf_conditional_evidence(c, &log_density, &log_probability, NULL);
    CHECK(log_density == 0.0);
    CHECK_CLOSE(log_probability, log(0.5), 1e-12);
    CHECK_OK(ctx, sf_conditional_moments(c, mean, NULL));
    CHECK_CLOSE(mean[0], 1.613, 1e-12);
    CHECK_CLOSE(mean[1], 2.169, 1e-12);
    CHECK_OK(ctx, sf_conditional_quantiles(c, 0, 1, &half, &x));
    CHECK_CLOSE(x, 1.7963787502535284, 1e-11);
    CHECK_OK(ctx, sf_conditional_quantiles(c, 1, 1, &half, &x));
    CHECK_CLOSE(x, 2.4143588520365586, 1e-11);
    sf_conditional_free(c);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(a_range_is_known)
{
    static const double r[] = {0.0004913124065763371, 0.11229612690637836, 0.2,
                               0.36170252087224974, 0.32551003981479554};
    enum { DRAWS = 40000 };
    static double rows[DRAWS * COLS];
    double mean[COLS], covariance[COLS * COLS], log_probability, sum[2] = {0.0};
    sf_context *ctx = new_context();
    sf_model *m = five_rows(ctx);
    sf_conditional *c = given(ctx, m, "a>1.2");
    check_weights(ctx, c, r);
    sf_conditional_evidence(c, NULL, &log_probability, NULL);
    CHECK_CLOSE(log_probability, -0.5987337673829234, 1e-12);
    CHECK_OK(ctx, sf_conditional_moments(c, mean, covariance));
    CHECK_CLOSE(mean[0], 1.9280652878436537, 1e-12);
    CHECK_CLOSE(mean[1], 1.9095137098627464, 1e-12);
    CHECK_OK(ctx,
             sf_conditional_draw(c, 3, 0, (sf_mat){rows, DRAWS, COLS, COLS}));
    for (int i = 0; i < DRAWS; i++) {
        CHECK(rows[i * COLS] >= 1.2 && rows[i * COLS + 2] <= 1.0);
        sum[0] += rows[i * COLS] / DRAWS;
        sum[1] += rows[i * COLS + 1] / DRAWS;
    }
    for (int j = 0; j < 2; j++)
        CHECK_NEAR(sum[j], mean[j],
                   4.0 * sqrt(covariance[j * COLS + j] / DRAWS));
    sf_conditional_free(c);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* ---- identities ------------------------------------------------------------------- */

/* Where no cell is missing, it is the mixture that mixture.c knows, for each family, with
 * bandwidths of their own and a background; its marginals sum and its bounds nest. */
TEST(without_holes_it_is_the_mixture)
{
    enum { N = 40, D = 5 };
    double x[N * D], direct[N], parts[N], some[N * D];
    const char *const names[] = {"g", "l", "p", "k", "c"};
    sf_context *ctx = new_context();
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    sf_model *m = NULL;
    for (int i = 0; i < N; i++) {
        x[i * D] = sin(1.3 * i) * 3.0;
        x[i * D + 1] = exp(cos(0.7 * i));
        x[i * D + 2] = 0.5 + 0.4 * sin(0.9 * i + 1.0);
        x[i * D + 3] = (double)(i * i % 7);
        x[i * D + 4] = (double)(i % 3);
    }
    o.kernel = "g=gaussian; l=lognormal; p=beta; k=integer; c=category";
    o.bandwidth = SF_BANDWIDTH_FIXED;
    o.time = 0.3;
    o.floor = 0.1;
    const sf_cmat data = {x, N, D, D};
    CHECK_OK(ctx, sf_fit_empirical(ctx, &m, data, names, &o, NULL));
    const sf_model_values values = {.logpdf = {direct, N, 1, 1}};
    CHECK_OK(ctx, sf_model_eval(m, data, 0.0, &values));
    CHECK_OK(ctx, sf_logpdf_marginal(ctx, parts, m, data));
    for (int i = 0; i < N; i++)
        CHECK_CLOSE(parts[i], direct[i], 1e-10);
    /* The marginal over a category is the sum over its levels. */
    for (int i = 0; i < N; i++) {
        double sum = 0.0, without;
        for (int k = 0; k < 3; k++) {
            memcpy(some, x + i * D, D * sizeof *x);
            some[4] = k;
            CHECK_OK(ctx, sf_logpdf_marginal(ctx, &without, m,
                                             (sf_cmat){some, 1, D, D}));
            sum += exp(without);
        }
        some[4] = hole;
        CHECK_OK(ctx, sf_logpdf_marginal(ctx, &without, m,
                                         (sf_cmat){some, 1, D, D}));
        CHECK_CLOSE(sum, exp(without), 1e-12);
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Means by the integral of the distribution function, of intervals and of everything;
 * quantiles are where it is p. */
TEST(cells_have_moments_and_quantiles)
{
    static const double prior[] = {0.2, 0.5, 0.3};
    const sfi_cell cells[] = {
        {SFI_CELL_NORMAL, 0.4, 0.7, -INFINITY, NULL, 0, NULL, 0, 0.0, 0.0},
        {SFI_CELL_LOGNORMAL, 0.4, 0.5, -INFINITY, NULL, 0, NULL, 0, 0.0, 0.0},
        {SFI_CELL_BETA, 2.5, 1.5, -INFINITY, NULL, 0, NULL, 0, 0.0, 0.0},
        {SFI_CELL_INTEGER, 1.3, 1.9, 0.0, NULL, 0, NULL, 0, 0.0, 0.0},
        {SFI_CELL_INTEGER, -1.3, 0.9, -INFINITY, NULL, 0, NULL, 0, 0.0, 0.0}};
    const double bounds[][2] = {{-40.0, 40.0}, {0.25, 0.8}, {1.0, 3.0}};
    for (size_t k = 0; k < SFI_COUNT(cells); k++)
        for (size_t b = 0; b < SFI_COUNT(bounds); b++) {
            const sfi_cell *c = &cells[k];
            const double low = bounds[b][0], high = bounds[b][1];
            const double all = sfi_cell_log_mass(c, low, high);
            enum { STEPS = 200000 };
            const double step = (high - low) / STEPS;
            double mean, variance, sum = 0.0, squares = 0.0;
            if (!(all > -30.0))
                continue;
            /* E x = high - integral of F, E x^2 likewise; by midpoints. */
            for (int i = 0; i < STEPS; i++) {
                const double at = low + (i + 0.5) * step;
                const double f = exp(sfi_cell_log_mass(c, low, at) - all);
                sum += f * step;
                squares += 2.0 * at * f * step;
            }
            sfi_cell_moments(c, low, high, &mean, &variance);
            CHECK_NEAR(mean, high - sum, 1e-3 * (high - low));
            CHECK_NEAR(variance, high * high - squares - mean * mean,
                       2e-3 * (high - low));
            for (double p = 0.05; p < 1.0; p += 0.3) {
                const double x = sfi_cell_quantile(c, low, high, p);
                const double f = exp(sfi_cell_log_mass(c, low, x) - all);
                CHECK(x >= low && x <= high);
                if (sfi_cell_is_discrete(c))
                    CHECK(f >= p - 1e-12 &&
                          exp(sfi_cell_log_mass(c, low, x - 1.0) - all) < p);
                else
                    CHECK_NEAR(f, p, 1e-10);
            }
        }
    const sfi_cell c = {
        SFI_CELL_CATEGORY, 1.0, 0.4, 0.0, prior, 3, NULL, 0, 0.0, 0.0};
    CHECK_CLOSE(exp(sfi_cell_log_density(&c, 1.0)), 0.6 + 0.4 * 0.5, 1e-14);
    CHECK_CLOSE(exp(sfi_cell_log_density(&c, 2.0)), 0.4 * 0.3, 1e-14);
    CHECK(sfi_cell_log_density(&c, 3.0) == -INFINITY);
    CHECK(sfi_cell_log_density(&c, 0.5) == -INFINITY);
    CHECK_CLOSE(exp(sfi_cell_log_mass(&c, -INFINITY, INFINITY)), 1.0, 1e-14);
    CHECK(sfi_cell_quantile(&c, 0.0, 2.0, 0.07) == 0.0);
    CHECK(sfi_cell_quantile(&c, 0.0, 2.0, 0.09) == 1.0);
    CHECK(sfi_cell_quantile(&c, 0.0, 2.0, 0.89) == 2.0);
}

/* ---- the model as others see it ------------------------------------------------------- */

/* Of direct draws, means and shares of the columns: each the mean over the rows that have
 * it. */
TEST(draws_have_the_columns_laws)
{
    enum { DRAWS = 40000 };
    static double rows[DRAWS * COLS];
    double sum[COLS] = {0.0};
    sf_context *ctx = new_context();
    sf_model *m = five_rows(ctx);
    const sf_sample_options o = SF_SAMPLE_OPTIONS_INIT;
    CHECK_OK(ctx, sf_sample(m, (sf_mat){rows, DRAWS, COLS, COLS}, &o));
    for (int i = 0; i < DRAWS * COLS; i++)
        sum[i % COLS] += rows[i] / DRAWS;
    CHECK_NEAR(sum[0], 1.225, 0.02);
    CHECK_NEAR(sum[1], 1.725, 0.03);
    CHECK_NEAR(sum[2], 0.5, 0.011);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(missing_cells_are_imputed)
{
    const double x[] = {1.5, hole, hole, hole, hole, 1};
    double out[6], pmf[2];
    sf_imputed_cell cells[4];
    sf_impute_options o = SF_IMPUTE_OPTIONS_INIT;
    sf_context *ctx = new_context();
    sf_model *m = five_rows(ctx);
    sf_imputer *imputer = NULL;
    const sf_cmat rows = {x, 2, COLS, COLS};
    CHECK_OK(ctx, sf_imputer_new(ctx, &imputer, m));
    sf_model_free(m); /* it need not be there */
    CHECK_OK(ctx,
             sf_impute(ctx, (sf_mat){out, 2, COLS, COLS}, imputer, rows, &o));
    CHECK(out[0] == 1.5 && out[2] == 1.0 && out[5] == 1.0);
    CHECK_CLOSE(out[1], 1.234976825700352, 1e-11);
    CHECK_CLOSE(out[3], 1.7963787502535284, 1e-11);
    CHECK_CLOSE(out[4], 2.4143588520365586, 1e-11);
    CHECK(sf_imputer_levels(imputer, 2) == 2 &&
          sf_imputer_levels(imputer, 0) == 0);
    CHECK_FAILS(ctx, sf_impute_spread(ctx, cells, NULL, imputer, rows, &o),
                SF_E_ARG, "levels");
    CHECK_OK(ctx, sf_impute_spread(ctx, cells, pmf, imputer, rows, &o));
    CHECK(cells[0].column == 1 && cells[1].column == 2 && cells[2].row == 1);
    CHECK_CLOSE(cells[0].mean, 1.4206880301040488, 1e-12);
    CHECK_CLOSE(cells[0].sd, 1.3263329093523086, 1e-12);
    CHECK(isnan(cells[1].mean) && isnan(cells[1].sd) &&
          isnan(cells[1].quantile[3]));
    CHECK(cells[1].first_level == 0 && cells[2].first_level == -1);
    CHECK_CLOSE(pmf[1], 0.5301857591834293, 1e-12);
    /* Draws have the conditional mean. */
    double sum = 0.0;
    enum { DRAWS = 4000 };
    o.with = SF_IMPUTE_DRAW;
    for (uint32_t k = 0; k < DRAWS; k++) {
        o.draw = k;
        CHECK_OK(ctx, sf_impute(ctx, (sf_mat){out, 2, COLS, COLS}, imputer,
                                rows, &o));
        sum += out[1] / DRAWS;
    }
    CHECK_NEAR(sum, 1.4206880301040488, 4.0 * 1.3264 / sqrt(DRAWS));
    sf_imputer_free(imputer);
    sf_context_free(ctx);
}

/* The bandwidth is the best one: the likelihood of rows under the others is no better
 * beside it.  Here it is known: two columns, each cell of a row alone, are two columns of
 * rows left out. */
TEST(a_bandwidth_is_found)
{
    enum { N = 60 };
    double x[N * 2], alone[N / 2];
    sf_context *ctx = new_context();
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    sf_empirical_report both, one;
    sf_model *m = NULL;
    for (int i = 0; i < N; i++) {
        const double v = sin(2.1 * (i / 2)) + 0.3 * cos(17.0 * (i / 2));
        x[2 * i] = i % 2 == 0 ? v : hole;
        x[2 * i + 1] = i % 2 == 0 ? hole : v;
        alone[i / 2] = v;
    }
    o.kernel = "gaussian:sigma=1";
    CHECK_OK(ctx,
             sf_fit_empirical(ctx, &m, (sf_cmat){x, N, 2, 2}, NULL, &o, &both));
    sf_model_free(m);
    CHECK_OK(ctx, sf_fit_empirical(ctx, &m, (sf_cmat){alone, N / 2, 1, 1}, NULL,
                                   &o, &one));
    sf_model_free(m);
    /* Of a row all other rows say the column's own law, or are its cells. */
    CHECK_CLOSE(both.time_least, one.time_least, 1e-3);
    CHECK_CLOSE(both.loo, one.loo, 1e-6);
    CHECK(both.loo_rows == N);
    sf_context_free(ctx);
}

TEST(what_there_is_not_is_refused)
{
    const double x[] = {0.5, 1.5, 0};
    double lower[COLS], upper[COLS], got[COLS];
    sf_context *ctx = new_context();
    sf_model *m = five_rows(ctx);
    sf_condition *where = NULL;
    sf_conditional *c = NULL;
    const sf_cmat point = {x, 1, COLS, COLS};
    const sf_model_values values = {.score = {got, 1, COLS, COLS}};
    CHECK_FAILS(ctx, sf_model_eval(m, point, 0.0, &values), SF_E_UNSUPPORTED,
                "missing cells");
    CHECK_FAILS(ctx, sf_model_posterior(m, point, 0.5, 1, &(int64_t){0}, got),
                SF_E_ARG, "want 0");
    CHECK(!sf_model_can(m, SF_CAN_FLOW) && !sf_model_can(m, SF_CAN_NOISE) &&
          !sf_model_can(m, SF_CAN_SCORE) && sf_model_can(m, SF_CAN_CONDITION));
    sf_condition_clear(COLS, lower, upper);
    CHECK_FAILS(ctx, sf_condition_parse(ctx, lower, upper, m, "c=1"), SF_E_ARG,
                "categories");
    CHECK_OK(ctx, sf_condition_new(ctx, &where, m));
    CHECK_FAILS(ctx, sf_condition_add(where, "c=2"), SF_E_ARG, "no level");
    CHECK_FAILS(ctx, sf_condition_add(where, "c<1"), SF_E_ARG, "no order");
    CHECK_OK(ctx, sf_condition_add(where, "a>30"));
    CHECK_FAILS(ctx, sf_conditional_given(ctx, &c, m, where), SF_E_NUMERIC,
                "\"a\" between 30 and inf");
    CHECK(c == NULL);
    sf_condition_free(where);
    sf_model_free(m);
    sf_context_free(ctx);
}

static sf_status fit_and_ask(sf_context *ctx)
{
    const double x[] = {0.0, 1.0, hole, 2.0, 1.5, hole, 0.3, 0.2};
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    sf_model *m = NULL;
    sf_condition *where = NULL;
    sf_conditional *c = NULL;
    double mean[2];
    o.kernel = "gaussian";
    sf_status status =
        sf_fit_empirical(ctx, &m, (sf_cmat){x, 4, 2, 2}, NULL, &o, NULL);
    if (status == SF_OK)
        status = sf_condition_new(ctx, &where, m);
    if (status == SF_OK)
        status = sf_condition_add(where, "c0>0.5");
    if (status == SF_OK)
        status = sf_conditional_given(ctx, &c, m, where);
    if (status == SF_OK)
        status = sf_conditional_moments(c, mean, NULL);
    sf_conditional_free(c);
    sf_condition_free(where);
    sf_model_free(m);
    return status;
}

TEST(every_allocation_may_fail)
{
    struct faults f;
    sf_context *ctx = faulty_context(&f);
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&f, status))
        status = fit_and_ask(ctx);
    CHECK(f.tries > 20);
    sf_context_free(ctx);
}

TESTS(CASE(a_hole_has_its_columns_own_law),
      CASE(parts_of_points_have_marginal_densities), CASE(a_value_is_known),
      CASE(a_level_is_known), CASE(a_range_is_known),
      CASE(without_holes_it_is_the_mixture),
      CASE(cells_have_moments_and_quantiles), CASE(draws_have_the_columns_laws),
      CASE(missing_cells_are_imputed), CASE(a_bandwidth_is_found),
      CASE(what_there_is_not_is_refused), CASE(every_allocation_may_fail))
