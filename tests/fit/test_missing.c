/* SPDX-License-Identifier: Apache-2.0 */
/* test_missing.c - normal distributions and their mixtures, fitted to rows with missing
 * cells. */
#include "base/random.h"
#include "faults.h"
#include "fit/em.h"
#include "fit/normal_em.h"
#include "scorefield/fit.h"
#include "scorefield/mixture.h"

/* ln N(x_o; m_o, S_oo) of what a row of two columns has. */
static double log_normal(const double *x, const double *m, const double *c)
{
    const double log_two_pi = 1.8378770664093453;
    const double u = x[0] - m[0], v = x[1] - m[1];
    if (isnan(u) && isnan(v))
        return 0.0;
    if (isnan(v))
        return -0.5 * (log_two_pi + log(c[0]) + u * u / c[0]);
    if (isnan(u))
        return -0.5 * (log_two_pi + log(c[3]) + v * v / c[3]);
    const double det = c[0] * c[3] - c[1] * c[1];
    const double q = (c[3] * u * u - 2.0 * c[1] * u * v + c[0] * v * v) / det;
    return -0.5 * (2.0 * log_two_pi + log(det) + q);
}

/* ---- one normal distribution ---------------------------------------------------- */

/* The last three b are missing.  The maximum is known in closed form (T. W. Anderson,
 * J. Am. Stat. Assoc. 52 (1957) 200-203): a has its own moments, b those of its
 * regression on a over the complete rows. */
static const double monotone[] = {0.6,   0.98,  0.04,  -1.32, -0.29, -1.18,
                                  -0.78, -0.71, -0.26, -0.42, 0.01,  NAN,
                                  -0.28, NAN,   1.29,  NAN};

TEST(monotone_patterns_have_the_closed_maximum)
{
    sf_context *ctx = new_context();
    sf_model *m = NULL;
    sf_gaussian_options o = SF_GAUSSIAN_OPTIONS_INIT;
    sf_gaussian_fit fit = SF_GAUSSIAN_FIT_INIT;
    double mean[2], c[4];
    o.prior_rows = 0.0;
    CHECK_OK(ctx, sf_fit_gaussian_with(ctx, &m, (sf_cmat){monotone, 8, 2, 2},
                                       NULL, &o, &fit));
    CHECK_OK(ctx, sf_gaussian_moments(m, mean, c, NULL));
    CHECK_CLOSE(mean[0], 0.041249999999999995, 1e-6);
    CHECK_CLOSE(mean[1], -0.3248669482113632, 1e-6);
    CHECK_CLOSE(c[0], 0.35633593750000003, 1e-6);
    CHECK_CLOSE(c[1], 0.4077895582780473, 1e-6);
    CHECK_CLOSE(c[3], 0.8720484094275799, 1e-6);
    CHECK_CLOSE(fit.log_likelihood, -12.061321919529234, 1e-9);
    CHECK(fit.rows == 8 && fit.missing == 3 && fit.converged);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* The log posterior, in the data's units: the likelihood of what is there, and a prior
 * of `rows` rows whose columns have the variances v. */
static double log_posterior(const double *x, int64_t n, const double *v,
                            double rows, const double *m, const double *c)
{
    const double det = c[0] * c[3] - c[1] * c[1];
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += log_normal(x + 2 * i, m, c);
    return sum - 0.5 * rows * (log(det) + (c[3] * v[0] + c[0] * v[1]) / det);
}

enum { N = 400 };

/* A correlated pair in units far apart; every third b, and every fifth a, is missing,
 * and every fifteenth row whole. */
static void draw_pair(double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const sfi_where w = {21, (uint64_t)i, 0, SFI_STREAM_USER};
        const double a = sfi_normal_at(w, 0), b = sfi_normal_at(w, 1);
        x[2 * i] = i % 5 == 2 ? NAN : 1e6 + 3.0 * a;
        x[2 * i + 1] = i % 3 == 1 ? NAN : 1e-3 * (0.8 * a + 0.6 * b);
    }
}

/* At a maximum derivatives are 0: those of a posterior that is written out, by central
 * differences, in units of the columns' own spread. */
TEST(the_fit_is_where_the_posterior_is_level)
{
    static double x[2 * N];
    static const double unit[] = {3.0, 1e-3};
    double mean[2], c[4], v[2] = {0.0};
    sf_context *ctx = new_context();
    draw_pair(x, N);
    for (int j = 0; j < 2; j++) {
        double sum = 0.0, count = 0.0;
        for (int i = 0; i < N; i++)
            if (!isnan(x[2 * i + j])) {
                sum += x[2 * i + j];
                count++;
            }
        for (int i = 0; i < N; i++)
            if (!isnan(x[2 * i + j]))
                v[j] += pow(x[2 * i + j] - sum / count, 2.0) / count;
    }
    sf_model *m = NULL;
    sf_gaussian_fit fit = SF_GAUSSIAN_FIT_INIT;
    CHECK_OK(ctx, sf_fit_gaussian_with(ctx, &m, (sf_cmat){x, N, 2, 2}, NULL,
                                       NULL, &fit));
    CHECK(fit.converged && fit.prior_rows == SFI_PRIOR_ROWS);
    CHECK(fit.rows == N - 27 && fit.missing == 133 + 80 - 2 * 27);
    CHECK_OK(ctx, sf_gaussian_moments(m, mean, c, NULL));
    const double h = 1e-4, prior = SFI_PRIOR_ROWS;
    const double sum = log_posterior(x, N, v, 0.0, mean, c);
    CHECK_NEAR(fit.log_likelihood, sum, 1e-9 * fabs(sum));
    for (int k = 0; k < 5; k++) {
        double up[2], down[2], cu[4], cd[4];
        memcpy(up, mean, sizeof up);
        memcpy(down, mean, sizeof down);
        memcpy(cu, c, sizeof cu);
        memcpy(cd, c, sizeof cd);
        if (k < 2) {
            up[k] += h * unit[k];
            down[k] -= h * unit[k];
        } else { /* entries 0, 1 and 3, with 2 beside 1 */
            const int at = k == 4 ? 3 : k - 2, i = at / 2, j = at % 2;
            cu[at] += h * unit[i] * unit[j];
            cd[at] -= h * unit[i] * unit[j];
            cu[2] = cu[1];
            cd[2] = cd[1];
        }
        const double slope = (log_posterior(x, N, v, prior, up, cu) -
                              log_posterior(x, N, v, prior, down, cd)) /
                             (2.0 * h);
        /* Second derivatives are of the order of N; the iteration ends within
         * 1e-6 of the maximum, and values are exact to 1e-13 N. */
        CHECK_NEAR(slope, 0.0, 2e-3);
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

/* What was found is not the moments of complete rows, nor those of columns alone. */
TEST(complete_rows_are_what_they_were)
{
    double x[2 * 60], mean[2][2], c[2][4];
    sf_context *ctx = new_context();
    draw_pair(x, 60);
    int64_t n = 0;
    for (int i = 0; i < 60; i++)
        if (!isnan(x[2 * i] + x[2 * i + 1])) {
            memmove(x + 2 * n, x + 2 * i, 2 * sizeof *x);
            n++;
        }
    sf_model *m = NULL;
    sf_gaussian_options o = SF_GAUSSIAN_OPTIONS_INIT;
    sf_gaussian_fit fit[2] = {SF_GAUSSIAN_FIT_INIT, SF_GAUSSIAN_FIT_INIT};
    for (int prior = 0; prior < 2; prior++) {
        o.prior_rows = 7.0 * prior;
        CHECK_OK(ctx, sf_fit_gaussian_with(ctx, &m, (sf_cmat){x, n, 2, 2}, NULL,
                                           &o, &fit[prior]));
        CHECK_OK(ctx, sf_gaussian_moments(m, mean[prior], c[prior], NULL));
        sf_model_free(m);
    }
    /* The prior has the variances that the rows have: they stay, correlations
     * shrink. */
    const double share = (double)n / ((double)n + 7.0);
    CHECK_CLOSE(c[1][0], c[0][0], 1e-10);
    CHECK_CLOSE(c[1][3], c[0][3], 1e-10);
    CHECK_CLOSE(c[1][1], share * c[0][1], 1e-9);
    CHECK(fit[0].missing == 0 && fit[0].iterations == 0);
    double sum = 0.0;
    for (int i = 0; i < n; i++)
        sum += log_normal(x + 2 * i, mean[0], c[0]);
    CHECK_CLOSE(fit[0].log_likelihood, sum, 1e-9);
    CHECK(fit[1].log_likelihood < fit[0].log_likelihood);
    sf_context_free(ctx);
}

/* ---- the iteration -------------------------------------------------------------- */

enum { ROWS = 700, COLS = 5 };

/* Two clusters in five columns; a fifth of the cells is missing, of each row at most
 * four. */
static void draw_clusters(double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const sfi_where w = {33, (uint64_t)i, 0, SFI_STREAM_USER};
        const double common = sfi_normal_at(w, 20);
        for (uint32_t j = 0; j < COLS; j++) {
            const double z = sfi_normal_at(w, j);
            x[i * COLS + j] =
                0.7 * z + 0.7 * common + (i % 3 == 0 ? 6.0 - 2.0 * j : 0.0);
            if (sfi_uniform_at(w, 8 + j) < 0.2 && (int64_t)j != i % COLS)
                x[i * COLS + j] = NAN;
        }
    }
}

/* Weights of one component are 1 however they come about.  Where the iterations end,
 * within 1e-15 of a mean log density, is certain to the root of that. */
TEST(sums_that_are_kept_are_those_of_the_rows)
{
    static double x[ROWS * COLS];
    double identity[COLS * COLS] = {0.0}, weight[2] = {1.0, 0.0};
    double mean[2][COLS] = {{0.0}}, c[2][COLS * COLS], likelihood[2];
    sf_context *ctx = new_context();
    draw_clusters(x, ROWS);
    for (int j = 0; j < COLS; j++)
        identity[j * COLS + j] = 1.0;
    for (int most = 1; most <= 2; most++) {
        sfi_em *em = NULL;
        sfi_em_result r;
        const sfi_em_options o = {1, 40, 1e-15, 0, 2.0};
        sfi_components one = {1, COLS, weight, mean[most - 1], c[most - 1]};
        memcpy(one.covariance, identity, sizeof identity);
        CHECK_OK(ctx, sfi_em_new(ctx, &em, (sf_cmat){x, ROWS, COLS, COLS},
                                 identity, most));
        CHECK_OK(ctx, sfi_em_refine(em, &one, &o, &r));
        likelihood[most - 1] = r.log_likelihood;
        sfi_em_free(em);
    }
    CHECK_CLOSE(likelihood[0], likelihood[1], 1e-12);
    for (int j = 0; j < COLS; j++)
        CHECK_NEAR(mean[0][j], mean[1][j], 1e-7);
    for (int j = 0; j < COLS * COLS; j++)
        CHECK_NEAR(c[0][j], c[1][j], 1e-7);
    sf_context_free(ctx);
}

/* Leaps that would lower the posterior density are taken back: runs of 1, 2, 3, ...
 * iterations from the same beginning, which each go on from the one before. */
TEST(iterations_rise_with_missing_cells)
{
    static double x[ROWS * COLS];
    double identity[COLS * COLS] = {0.0};
    double weight[3], mean[3 * COLS], covariance[3 * COLS * COLS];
    double before = -INFINITY;
    sf_context *ctx = new_context();
    draw_clusters(x, ROWS);
    for (int j = 0; j < COLS; j++)
        identity[j * COLS + j] = 1.0;
    sfi_em *em = NULL;
    CHECK_OK(ctx,
             sfi_em_new(ctx, &em, (sf_cmat){x, ROWS, COLS, COLS}, identity, 3));
    sfi_components c = {3, COLS, weight, mean, covariance};
    for (int64_t k = 1; k < 60; k++) {
        const sfi_em_options o = {1, k, 1e-300, 5, -1.0};
        sfi_em_result r;
        for (int j = 0; j < 3 * COLS; j++)
            mean[j] = 0.3 * (j % 3);
        for (int i = 0; i < 3; i++) {
            weight[i] = 1.0 / 3.0;
            memcpy(covariance + i * COLS * COLS, identity, sizeof identity);
        }
        CHECK_OK(ctx, sfi_em_refine(em, &c, &o, &r));
        CHECK(r.posterior >= before - 1e-9 * fabs(before));
        before = r.posterior;
    }
    sfi_em_free(em);
    sf_context_free(ctx);
}

/* ---- mixtures ------------------------------------------------------------------- */

/* Cluster means have the standard error sd/sqrt(rows that have the cell), where
 * sd^2 = 0.98; five of them.  Every third row is of the second. */
TEST(components_are_found_among_missing_cells)
{
    static double x[ROWS * COLS];
    double w[2], mean[2 * COLS];
    sf_context *ctx = new_context();
    draw_clusters(x, ROWS);
    sf_model *m = NULL;
    sf_mixture_fit fit = SF_MIXTURE_FIT_INIT;
    CHECK_OK(ctx, sf_fit_mixture(ctx, &m, (sf_cmat){x, ROWS, COLS, COLS}, NULL,
                                 NULL, &fit));
    CHECK(fit.components == 2 && fit.converged && fit.rows == ROWS);
    CHECK(fit.missing > ROWS / 2);
    CHECK_OK(ctx, sf_mixture_moments(m, w, mean, NULL));
    const int big = w[0] > w[1] ? 0 : 1, small = 1 - big;
    CHECK_NEAR(w[small], 1.0 / 3.0, 0.01);
    for (int j = 0; j < COLS; j++) {
        CHECK_NEAR(mean[big * COLS + j], 0.0,
                   5.0 * sqrt(0.98 / (ROWS * 2.0 / 3.0 * 0.8)));
        CHECK_NEAR(mean[small * COLS + j], 6.0 - 2.0 * j,
                   5.0 * sqrt(0.98 / (ROWS / 3.0 * 0.8)));
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

/* The report's likelihood is that of the cells that are there, and BIC counts the rows
 * that have one: K (1 + d + d (d + 1)/2) - 1 free parameters. */
TEST(likelihoods_are_of_what_is_there)
{
    static double x[2 * N];
    double w[2], mean[4], c[8], sum = 0.0;
    sf_context *ctx = new_context();
    draw_pair(x, N);
    sf_model *m = NULL;
    sf_mixture_options o = SF_MIXTURE_OPTIONS_INIT;
    sf_mixture_fit fit = SF_MIXTURE_FIT_INIT;
    o.components = 2;
    CHECK_OK(ctx,
             sf_fit_mixture(ctx, &m, (sf_cmat){x, N, 2, 2}, NULL, &o, &fit));
    CHECK_OK(ctx, sf_mixture_moments(m, w, mean, c));
    for (int i = 0; i < N; i++)
        sum += log(w[0] * exp(log_normal(x + 2 * i, mean, c)) +
                   w[1] * exp(log_normal(x + 2 * i, mean + 2, c + 4)));
    CHECK_CLOSE(fit.log_likelihood, sum, 1e-9);
    CHECK(fit.rows == N - 27);
    CHECK_CLOSE(fit.bic, 11.0 * log((double)fit.rows) - 2.0 * sum, 1e-9);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* ---- the rest ------------------------------------------------------------------- */

TEST(rows_without_a_cell_count_nothing)
{
    double x[2 * 40], with[2 * 42], c[2][4];
    sf_context *ctx = new_context();
    draw_pair(x, 40);
    with[0] = with[1] = with[82] = with[83] = NAN;
    memcpy(with + 2, x, sizeof x);
    sf_model *m = NULL;
    CHECK_OK(ctx, sf_fit_gaussian(ctx, &m, (sf_cmat){x, 40, 2, 2}, NULL));
    CHECK_OK(ctx, sf_gaussian_moments(m, NULL, c[0], NULL));
    sf_model_free(m);
    CHECK_OK(ctx, sf_fit_gaussian(ctx, &m, (sf_cmat){with, 42, 2, 2}, NULL));
    CHECK_OK(ctx, sf_gaussian_moments(m, NULL, c[1], NULL));
    CHECK(memcmp(c[0], c[1], sizeof c[0]) == 0);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(threads_do_not_change_a_bit)
{
    static double x[ROWS * COLS];
    static const int counts[] = {1, 2, 7};
    double c[3][COLS * COLS], mean[3][3 * COLS];
    draw_clusters(x, ROWS);
    for (int t = 0; t < 3; t++) {
        sf_context *ctx = new_context();
        CHECK_OK(ctx, sf_context_set_threads(ctx, counts[t]));
        const sf_cmat data = {x, ROWS, COLS, COLS};
        sf_model *m = NULL;
        sf_mixture_options o = SF_MIXTURE_OPTIONS_INIT;
        o.components = 3;
        CHECK_OK(ctx, sf_fit_gaussian(ctx, &m, data, NULL));
        CHECK_OK(ctx, sf_gaussian_moments(m, NULL, c[t], NULL));
        sf_model_free(m);
        CHECK_OK(ctx, sf_fit_mixture(ctx, &m, data, NULL, &o, NULL));
        CHECK_OK(ctx, sf_mixture_moments(m, NULL, mean[t], NULL));
        CHECK(memcmp(c[t], c[0], sizeof c[0]) == 0);
        CHECK(memcmp(mean[t], mean[0], sizeof mean[0]) == 0);
        sf_model_free(m);
        sf_context_free(ctx);
    }
}

TEST(what_cannot_be_fitted_is_refused)
{
    static const char *const names[] = {"a", "b"};
    sf_context *ctx = new_context();
    sf_model *m = NULL;
    double x[] = {1.0, NAN, 3.0, 2.0, 5.0, 2.0};
    const sf_cmat data = {x, 3, 2, 2};
    sf_gaussian_options o = SF_GAUSSIAN_OPTIONS_INIT;
    CHECK_FAILS(ctx, sf_fit_gaussian(ctx, &m, data, names), SF_E_NUMERIC,
                "column \"b\" is constant in the 2 rows that have it");
    x[3] = NAN;
    x[5] = NAN;
    CHECK_FAILS(ctx, sf_fit_gaussian(ctx, &m, data, names), SF_E_NUMERIC,
                "\"b\" has no cell");
    x[3] = -INFINITY;
    CHECK_FAILS(ctx, sf_fit_gaussian(ctx, &m, data, names), SF_E_NUMERIC,
                "row 2, column \"b\"");
    x[3] = 4.0;
    x[5] = 9.0;
    o.iterations = 0;
    CHECK_FAILS(ctx, sf_fit_gaussian_with(ctx, &m, data, names, &o, NULL),
                SF_E_ARG, "iterations 0");
    /* Two rows have both columns: without a prior they lie on a line. */
    o = (sf_gaussian_options)SF_GAUSSIAN_OPTIONS_INIT;
    o.prior_rows = 0.0;
    CHECK_FAILS(ctx, sf_fit_gaussian_with(ctx, &m, data, names, &o, NULL),
                SF_E_NUMERIC, "");
    CHECK(m == NULL);
    CHECK_OK(ctx, sf_fit_gaussian(ctx, &m, data, names));
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    static double x[60 * COLS];
    struct faults f;
    sf_context *ctx = faulty_context(&f);
    const sf_cmat data = {x, 60, COLS, COLS};
    draw_clusters(x, 60);
    sf_mixture_options o = SF_MIXTURE_OPTIONS_INIT;
    o.most = 2;
    for (int mixture = 0; mixture < 2; mixture++) {
        sf_status status = SF_E_NOMEM;
        for (int64_t k = 0; status != SF_OK; k++) {
            sf_model *m = NULL;
            f.left = k;
            status = mixture ? sf_fit_mixture(ctx, &m, data, NULL, &o, NULL)
                             : sf_fit_gaussian(ctx, &m, data, NULL);
            CHECK(status == SF_OK || (status == SF_E_NOMEM && m == NULL));
            sf_model_free(m);
            CHECK(f.bytes == f.own);
        }
    }
    f.left = INT64_MAX;
    sf_context_free(ctx);
}

TESTS(CASE(monotone_patterns_have_the_closed_maximum),
      CASE(the_fit_is_where_the_posterior_is_level),
      CASE(complete_rows_are_what_they_were),
      CASE(sums_that_are_kept_are_those_of_the_rows),
      CASE(iterations_rise_with_missing_cells),
      CASE(components_are_found_among_missing_cells),
      CASE(likelihoods_are_of_what_is_there),
      CASE(rows_without_a_cell_count_nothing),
      CASE(threads_do_not_change_a_bit), CASE(what_cannot_be_fitted_is_refused),
      CASE(every_allocation_may_fail))
