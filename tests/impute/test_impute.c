/* SPDX-License-Identifier: Apache-2.0 */
/* test_impute.c - missing cells filled by a model, and by the table itself. */
#include "base/random.h"
#include "faults.h"
#include "scorefield/condition.h"
#include "scorefield/fit.h"
#include "scorefield/impute.h"
#include "scorefield/mixture.h"

enum { ROWS = 300, COLS = 3 };

/* Three columns about a curve, in units far apart; a fifth of the cells is missing, of
 * each row at most two. */
static void draw_curve(double *x, double *truth, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const sfi_where w = {17, (uint64_t)i, 0, SFI_STREAM_USER};
        const double t = 2.0 * sfi_normal_at(w, 0);
        double row[COLS];
        row[0] = 100.0 + 10.0 * (t + 0.2 * sfi_normal_at(w, 1));
        row[1] = 1e-3 * (t * t + 0.5 * sfi_normal_at(w, 2));
        row[2] = -t + 0.3 * sfi_normal_at(w, 3);
        for (uint32_t j = 0; j < COLS; j++) {
            const bool lost =
                sfi_uniform_at(w, 8 + j) < 0.2 && (int64_t)j != i % COLS;
            truth[i * COLS + j] = row[j];
            x[i * COLS + j] = lost ? NAN : row[j];
        }
    }
}

static int64_t count_missing(const double *x, int64_t n)
{
    int64_t missing = 0;
    for (int64_t i = 0; i < n; i++)
        missing += isnan(x[i]);
    return missing;
}

/* ---- by a model -------------------------------------------------------------------- */

static sf_model *mixture(sf_context *ctx)
{
    static const double w[] = {0.35, 0.65};
    static const double means[] = {0.0, 1.0, -1.0, 1.5, -0.5, 0.7};
    static const double c[] = {1.0, 0.3,  0.0, 0.3,  0.8, -0.2, 0.0, -0.2, 0.6,
                               0.5, -0.1, 0.2, -0.1, 1.2, 0.4,  0.2, 0.4,  0.9};
    sf_model *m = NULL;
    CHECK_OK(ctx, sf_mixture_new(ctx, &m, 3, NULL, 2, w, means, c));
    return m;
}

/* Cells get what sf_conditional says of them; those that are there stay, bit for
 * bit. */
TEST(cells_get_their_conditional_mean_and_median)
{
    const double x[] = {0.4, NAN, NAN, NAN,  0.2,    -0.3,
                        NAN, NAN, NAN, -0.0, 1e-310, 3.0};
    const double half = 0.5;
    double out[12], mean[3], median;
    sf_context *ctx = new_context();
    sf_model *m = mixture(ctx);
    sf_imputer *imputer = NULL;
    sf_impute_options o = SF_IMPUTE_OPTIONS_INIT;
    CHECK_OK(ctx, sf_imputer_new(ctx, &imputer, m));
    for (int k = 0; k < 2; k++) {
        o.with = k == 0 ? SF_IMPUTE_MEAN : SF_IMPUTE_MEDIAN;
        CHECK_OK(ctx, sf_impute(ctx, (sf_mat){out, 4, 3, 3}, imputer,
                                (sf_cmat){x, 4, 3, 3}, &o));
        CHECK(count_missing(out, 12) == 0);
        for (int i = 0; i < 12; i++)
            CHECK(isnan(x[i]) || memcmp(out + i, x + i, sizeof *x) == 0);
        for (int i = 0; i < 3; i++) {
            double lower[3], upper[3];
            sf_conditional *c = NULL;
            sf_condition_clear(3, lower, upper);
            for (int j = 0; j < 3; j++)
                if (!isnan(x[3 * i + j]))
                    lower[j] = upper[j] = x[3 * i + j];
            CHECK_OK(ctx, sf_conditional_new(ctx, &c, m, lower, upper));
            CHECK_OK(ctx, sf_conditional_moments(c, mean, NULL));
            for (int j = 0; j < 3; j++) {
                CHECK_OK(ctx,
                         sf_conditional_quantiles(c, j, 1, &half, &median));
                CHECK_NEAR(out[3 * i + j], k == 0 ? mean[j] : median, 1e-11);
            }
            sf_conditional_free(c);
        }
    }
    CHECK_CLOSE(mean[0], 0.65 * 1.5, 1e-12); /* of a row without a cell */
    sf_imputer_free(imputer);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Draws of one row under many numbers have the mean, the spread and the covariance of
 * the conditional distribution, within five standard errors. */
TEST(draws_are_joint)
{
    enum { DRAWS = 20000 };
    const double x[] = {0.4, NAN, NAN};
    double mean[3], c[9], lower[] = {0.4, -INFINITY, -INFINITY};
    double upper[] = {0.4, INFINITY, INFINITY}, first[3] = {0.0};
    double second[4] = {0.0}, out[3];
    sf_context *ctx = new_context();
    sf_model *m = mixture(ctx);
    sf_conditional *q = NULL;
    sf_imputer *imputer = NULL;
    sf_impute_options o = SF_IMPUTE_OPTIONS_INIT;
    o.with = SF_IMPUTE_DRAW;
    CHECK_OK(ctx, sf_conditional_new(ctx, &q, m, lower, upper));
    CHECK_OK(ctx, sf_conditional_moments(q, mean, c));
    CHECK_OK(ctx, sf_imputer_new(ctx, &imputer, m));
    for (o.draw = 0; o.draw < DRAWS; o.draw++) {
        CHECK_OK(ctx, sf_impute(ctx, (sf_mat){out, 1, 3, 3}, imputer,
                                (sf_cmat){x, 1, 3, 3}, &o));
        for (int j = 1; j < 3; j++) {
            first[j] += out[j] / DRAWS;
            for (int k = 1; k < 3; k++)
                second[2 * (j - 1) + k - 1] +=
                    (out[j] - mean[j]) * (out[k] - mean[k]) / DRAWS;
        }
    }
    for (int j = 1; j < 3; j++) {
        CHECK_NEAR(first[j], mean[j], 5.0 * sqrt(c[4 * j] / DRAWS));
        /* Kurtosis below 4 here. */
        CHECK_NEAR(second[3 * (j - 1)], c[4 * j],
                   5.0 * c[4 * j] * sqrt(3.0 / DRAWS));
    }
    CHECK_NEAR(second[1], c[5], 5.0 * sqrt(2.0 * c[4] * c[8] / DRAWS));
    /* Contracted all the way they are medians. */
    const double half = 0.5;
    double median;
    o.contract = 1.0;
    CHECK_OK(ctx, sf_impute(ctx, (sf_mat){out, 1, 3, 3}, imputer,
                            (sf_cmat){x, 1, 3, 3}, &o));
    CHECK_OK(ctx, sf_conditional_quantiles(q, 1, 1, &half, &median));
    CHECK_NEAR(out[1], median, 1e-12);
    sf_imputer_free(imputer);
    sf_conditional_free(q);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* ---- by the table itself --------------------------------------------------------- */

static double normal(double x, double mean, double variance)
{
    return exp(-0.5 * (x - mean) * (x - mean) / variance) / sqrt(variance);
}

/* Two columns, written out: a row's b is the mean over the other rows i of what i makes
 * of it, by the weight of a under N(a_i, h^2 S_aa), or of a row without a
 * N(E[a | b_i], h^2 S_aa + Var[a | b]), all of it contracted about the mean so that S
 * stays. */
TEST(rows_are_explained_by_the_others)
{
    enum { N = 24 };
    const double h = 0.6, keep = 1.0 / sqrt(1.0 + h * h);
    double x[2 * N], out[2 * N], m[2], s[4];
    sf_context *ctx = new_context();
    for (int i = 0; i < N; i++) {
        const sfi_where w = {5, (uint64_t)i, 0, SFI_STREAM_USER};
        const double a = sfi_normal_at(w, 0);
        x[2 * i] = i % 6 == 1 ? NAN : 3.0 + a;
        x[2 * i + 1] =
            i % 4 == 2 ? NAN : 50.0 * (a * a + 0.3 * a + sfi_normal_at(w, 1));
    }
    const sf_cmat data = {x, N, 2, 2};
    sf_gaussian_options g = SF_GAUSSIAN_OPTIONS_INIT;
    g.iterations = 1000;
    g.tolerance = 1e-10; /* as the imputer's own */
    sf_model *model = NULL;
    CHECK_OK(ctx, sf_fit_gaussian_with(ctx, &model, data, NULL, &g, NULL));
    CHECK_OK(ctx, sf_gaussian_moments(model, m, s, NULL));
    sf_model_free(model);
    sf_imputer *imputer = NULL;
    sf_imputer_options o = SF_IMPUTER_OPTIONS_INIT;
    sf_imputer_report report = SF_IMPUTER_REPORT_INIT;
    sf_impute_options how = SF_IMPUTE_OPTIONS_INIT;
    o.bandwidth = h;
    how.with = SF_IMPUTE_MEAN;
    how.own_rows = true;
    CHECK_OK(ctx, sf_imputer_fit(ctx, &imputer, data, NULL, &o, &report));
    CHECK(report.donors == N && report.bandwidth == h && report.hidden == 0);
    CHECK_OK(ctx, sf_impute(ctx, (sf_mat){out, N, 2, 2}, imputer, data, &how));
    const double slope = s[1] / s[0], back = s[1] / s[3];
    const double rest_b = s[3] - slope * s[1], rest_a = s[0] - back * s[1];
    for (int i = 2; i < N; i += 4) {
        double total = 0.0, sum = 0.0;
        if (isnan(x[2 * i]))
            continue;
        for (int k = 0; k < N; k++) {
            const bool has_a = !isnan(x[2 * k]), has_b = !isnan(x[2 * k + 1]);
            if (k == i)
                continue;
            const double a =
                m[0] + keep * ((has_a ? x[2 * k] - m[0]
                                      : back * (x[2 * k + 1] - m[1])));
            const double b =
                m[1] + keep * ((has_b ? x[2 * k + 1] - m[1]
                                      : slope * (x[2 * k] - m[0])));
            const double variance = h * h * s[0] + (has_a ? 0.0 : rest_a);
            const double w = normal(x[2 * i], a, keep * keep * variance);
            total += w;
            sum += w * (b + h * h * s[1] / variance * (x[2 * i] - a));
        }
        CHECK_CLOSE(out[2 * i + 1], sum / total, 1e-9);
    }
    CHECK(rest_b > 0.0);
    sf_imputer_free(imputer);
    sf_context_free(ctx);
}

/* The curve bends, so that its rows know more than any covariance: errors are half of
 * those of one normal distribution, and a bandwidth below 1 is found. */
TEST(what_is_not_linear_is_learned)
{
    static double x[ROWS * COLS], truth[ROWS * COLS], out[2][ROWS * COLS];
    double error[2] = {0.0};
    sf_context *ctx = new_context();
    draw_curve(x, truth, ROWS);
    const sf_cmat data = {x, ROWS, COLS, COLS};
    sf_model *model = NULL;
    sf_imputer *imputer = NULL;
    sf_imputer_report report = SF_IMPUTER_REPORT_INIT;
    for (int k = 0; k < 2; k++) {
        sf_impute_options how = SF_IMPUTE_OPTIONS_INIT;
        how.own_rows = k == 1;
        if (k == 0) {
            CHECK_OK(ctx, sf_fit_gaussian(ctx, &model, data, NULL));
            CHECK_OK(ctx, sf_imputer_new(ctx, &imputer, model));
        } else {
            CHECK_OK(ctx,
                     sf_imputer_fit(ctx, &imputer, data, NULL, NULL, &report));
        }
        CHECK_OK(ctx, sf_impute(ctx, (sf_mat){out[k], ROWS, COLS, COLS},
                                imputer, data, &how));
        sf_imputer_free(imputer);
        for (int i = 0; i < ROWS; i++) /* the column that bends */
            error[k] += fabs(out[k][COLS * i + 1] - truth[COLS * i + 1]);
    }
    CHECK(error[1] < 0.5 * error[0]);
    CHECK(report.bandwidth < 1.0 && report.hidden > 30);
    CHECK(report.rows == ROWS && report.donors == ROWS);
    CHECK(report.missing == count_missing(x, ROWS * COLS));
    for (int k = 0; k < SF_IMPUTER_BANDWIDTHS; k++)
        CHECK(report.error[k] > 0.0 && report.error[k] < 1.0);
    sf_model_free(model);
    sf_context_free(ctx);
}

/* Nine in ten hidden values are between the quantiles of 5 % and 95 %: of about 110
 * cells, which are not independent but nearly, within 0.9 +- 4 sqrt(0.09/110). */
TEST(intervals_cover_what_was_hidden)
{
    static double x[ROWS * COLS], truth[ROWS * COLS];
    static sf_imputed_cell cells[ROWS * COLS];
    sf_context *ctx = new_context();
    draw_curve(x, truth, ROWS);
    const sf_cmat data = {x, ROWS, COLS, COLS};
    const int64_t missing = count_missing(x, ROWS * COLS);
    sf_imputer *imputer = NULL;
    sf_impute_options how = SF_IMPUTE_OPTIONS_INIT;
    how.own_rows = true;
    CHECK_OK(ctx, sf_imputer_fit(ctx, &imputer, data, NULL, NULL, NULL));
    CHECK_OK(ctx, sf_impute_spread(ctx, cells, NULL, imputer, data, &how));
    double inside = 0.0;
    int64_t at = 0;
    for (int64_t i = 0; i < ROWS * COLS; i++) {
        if (!isnan(x[i]))
            continue;
        const sf_imputed_cell *c = &cells[at++];
        CHECK(c->row == i / COLS && c->column == i % COLS && c->sd > 0.0);
        for (int q = 1; q < SF_IMPUTE_QUANTILES; q++)
            CHECK(c->quantile[q] > c->quantile[q - 1]);
        inside += truth[i] > c->quantile[0] &&
                  truth[i] < c->quantile[SF_IMPUTE_QUANTILES - 1];
    }
    CHECK(at == missing);
    CHECK_NEAR(inside / (double)missing, 0.9,
               4.0 * sqrt(0.09 / (double)missing));
    sf_imputer_free(imputer);
    sf_context_free(ctx);
}

/* ---- the rest ---------------------------------------------------------------------- */

/* Some rows explain all; those that are none of them have nothing to leave out. */
TEST(few_donors_explain_all_rows)
{
    static double x[ROWS * COLS], truth[ROWS * COLS], out[ROWS * COLS];
    sf_context *ctx = new_context();
    draw_curve(x, truth, ROWS);
    x[3] = x[4] = x[5] = NAN; /* row 1 has no cell */
    sf_imputer *imputer = NULL;
    sf_imputer_options o = SF_IMPUTER_OPTIONS_INIT;
    sf_imputer_report report = SF_IMPUTER_REPORT_INIT;
    sf_impute_options how = SF_IMPUTE_OPTIONS_INIT;
    how.own_rows = true;
    o.donors = 20;
    const sf_cmat data = {x, ROWS, COLS, COLS};
    CHECK_OK(ctx, sf_imputer_fit(ctx, &imputer, data, NULL, &o, &report));
    CHECK(report.donors == 20 && report.rows == ROWS - 1);
    CHECK_OK(ctx, sf_impute(ctx, (sf_mat){out, ROWS, COLS, COLS}, imputer, data,
                            &how));
    CHECK(count_missing(out, ROWS * COLS) == 0);
    sf_imputer_free(imputer);
    sf_context_free(ctx);
}

TEST(threads_do_not_change_a_bit)
{
    static double x[ROWS * COLS], truth[ROWS * COLS], out[3][ROWS * COLS];
    static const int counts[] = {1, 2, 7};
    draw_curve(x, truth, ROWS);
    for (int t = 0; t < 3; t++) {
        sf_context *ctx = new_context();
        CHECK_OK(ctx, sf_context_set_threads(ctx, counts[t]));
        const sf_cmat data = {x, ROWS, COLS, COLS};
        sf_imputer *imputer = NULL;
        sf_impute_options how = SF_IMPUTE_OPTIONS_INIT;
        how.own_rows = true;
        how.with = SF_IMPUTE_DRAW;
        how.contract = 0.5;
        CHECK_OK(ctx, sf_imputer_fit(ctx, &imputer, data, NULL, NULL, NULL));
        CHECK_OK(ctx, sf_impute(ctx, (sf_mat){out[t], ROWS, COLS, COLS},
                                imputer, data, &how));
        CHECK(memcmp(out[t], out[0], sizeof out[0]) == 0);
        sf_imputer_free(imputer);
        sf_context_free(ctx);
    }
}

TEST(what_cannot_be_imputed_is_refused)
{
    static const char *const names[] = {"a", "b"};
    sf_context *ctx = new_context();
    sf_model *m = mixture(ctx);
    sf_imputer *imputer = NULL;
    double x[] = {1.0, NAN, 3.0, 2.0, 5.0, 2.0}, out[6];
    const sf_cmat data = {x, 3, 2, 2};
    sf_imputer_options o = SF_IMPUTER_OPTIONS_INIT;
    sf_impute_options how = SF_IMPUTE_OPTIONS_INIT;
    CHECK_FAILS(ctx, sf_imputer_fit(ctx, &imputer, data, names, NULL, NULL),
                SF_E_NUMERIC, "column \"b\" is constant");
    x[5] = 4.0;
    o.donors = 1;
    CHECK_FAILS(ctx, sf_imputer_fit(ctx, &imputer, data, names, &o, NULL),
                SF_E_ARG, "donors 1");
    CHECK_FAILS(
        ctx,
        sf_imputer_fit(ctx, &imputer, (sf_cmat){x, 1, 2, 2}, names, NULL, NULL),
        SF_E_ARG, "1 rows");
    CHECK(imputer == NULL);
    CHECK_OK(ctx, sf_imputer_new(ctx, &imputer, m));
    CHECK_FAILS(ctx,
                sf_impute(ctx, (sf_mat){out, 3, 2, 2}, imputer, data, NULL),
                SF_E_SHAPE, "2 columns, want 3");
    x[0] = INFINITY;
    CHECK_FAILS(ctx,
                sf_impute(ctx, (sf_mat){out, 2, 3, 3}, imputer,
                          (sf_cmat){x, 2, 3, 3}, NULL),
                SF_E_NUMERIC, "row 1, column 1");
    x[0] = 1.0;
    how.contract = 2.0;
    CHECK_FAILS(ctx,
                sf_impute(ctx, (sf_mat){out, 2, 3, 3}, imputer,
                          (sf_cmat){x, 2, 3, 3}, &how),
                SF_E_ARG, "contract 2");
    how.contract = 0.0;
    how.own_rows = true;
    CHECK_FAILS(ctx,
                sf_impute(ctx, (sf_mat){out, 2, 3, 3}, imputer,
                          (sf_cmat){x, 2, 3, 3}, &how),
                SF_E_SHAPE, "fitted to 0");
    sf_imputer_free(imputer);
    sf_model_free(m);
    sf_context_free(ctx);
}

static sf_status work(sf_context *ctx, sf_cmat data, sf_mat out)
{
    sf_imputed_cell cells[64];
    sf_imputer *imputer = NULL;
    sf_impute_options how = SF_IMPUTE_OPTIONS_INIT;
    how.own_rows = true;
    SFI_TRY(sf_imputer_fit(ctx, &imputer, data, NULL, NULL, NULL));
    sf_status status = sf_impute(ctx, out, imputer, data, &how);
    if (status == SF_OK)
        status = sf_impute_spread(ctx, cells, NULL, imputer, data, &how);
    sf_imputer_free(imputer);
    return status;
}

TEST(every_allocation_may_fail)
{
    enum { N = 9 };
    double x[N * COLS], truth[N * COLS], out[N * COLS];
    struct faults f;
    sf_context *ctx = faulty_context(&f);
    draw_curve(x, truth, N);
    sf_status status = SF_E_NOMEM;
    for (int64_t k = 0; status != SF_OK; k++) {
        f.left = k;
        status = work(ctx, (sf_cmat){x, N, COLS, COLS},
                      (sf_mat){out, N, COLS, COLS});
        CHECK(status == SF_OK || status == SF_E_NOMEM);
        CHECK(f.bytes == f.own);
    }
    f.left = INT64_MAX;
    sf_context_free(ctx);
}

TESTS(CASE(cells_get_their_conditional_mean_and_median), CASE(draws_are_joint),
      CASE(rows_are_explained_by_the_others),
      CASE(what_is_not_linear_is_learned),
      CASE(intervals_cover_what_was_hidden), CASE(few_donors_explain_all_rows),
      CASE(threads_do_not_change_a_bit),
      CASE(what_cannot_be_imputed_is_refused), CASE(every_allocation_may_fail))
