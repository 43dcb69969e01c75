/* SPDX-License-Identifier: Apache-2.0 */
/* test_impute_atoms.c - missing cells of columns that have atoms. */
#include "base/random.h"
#include "faults.h"
#include "impute/imputer_atoms.h"

#include <string.h>

/* Rain, which is 0 below a threshold of what the next column knows, with 1 decimal;
 * that column; and one of two values, which are its atoms. */
enum { N = 150, D = 3 };
static const char *const names[] = {"rain", "cloud", "dose"};

static void draw_rows(double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const sfi_where w = {31, (uint64_t)i, 0, SFI_STREAM_USER};
        const double cloud = sfi_normal_at(w, 0);
        const double wet = cloud + 0.7 * sfi_normal_at(w, 1);
        x[D * i] =
            wet < 0.2 ? 0.0 : fmax(rint(10.0 * (exp(wet) - 1.0)), 1.0) / 10.0;
        x[D * i + 1] = cloud;
        x[D * i + 2] = i % 9 == 7 ? 2.5 : 0.5;
        if (i % 4 < D)
            x[D * i + i % 4] = (double)NAN;
    }
}

static sf_frame *frame_of(sf_context *ctx, const double *x, int64_t n)
{
    sf_frame_column c[D];
    sf_frame *f = NULL;
    for (int j = 0; j < D; j++) {
        c[j] = (sf_frame_column)SF_FRAME_COLUMN_INIT;
        c[j].name = names[j];
        c[j].data = x + j;
        c[j].stride = D * (int64_t)sizeof *x;
    }
    CHECK_OK(ctx, sf_frame_new(ctx, &f, n, D, c));
    return f;
}

static sf_imputer *fit(sf_context *ctx, const double *x, int64_t n, double h,
                       double forget)
{
    sf_frame *f = frame_of(ctx, x, n);
    sf_imputer *m = NULL;
    sf_imputer_options o = SF_IMPUTER_OPTIONS_INIT;
    sf_imputer_report r = SF_IMPUTER_REPORT_INIT;
    o.frame = f;
    o.bandwidth = h;
    o.forget = forget;
    CHECK_OK(ctx,
             sf_imputer_fit(ctx, &m, (sf_cmat){x, n, D, D}, names, &o, &r));
    int64_t missing = 0;
    for (int64_t i = 0; i < n * D; i++)
        missing += isnan(x[i]);
    CHECK(r.missing == missing && r.rows == n); /* not the categories' */
    sf_frame_free(f);
    return m;
}

static bool is_right(int64_t column, double x)
{
    if (column == 0) /* 0, or at least a decimal above */
        return x == 0.0 || (x >= 0.1 && rint(10.0 * x) / 10.0 == x);
    return column == 1 || x == 0.5 || x == 2.5;
}

TEST(a_cell_is_an_atom_or_on_its_side)
{
    double x[N * D], out[N * D];
    sf_context *ctx = new_context();
    draw_rows(x, N);
    sf_imputer *m = fit(ctx, x, N, 0.0, 0.0);
    CHECK(m->dim == D + 2 && m->table == D);
    CHECK(sf_imputer_levels(m, 0) == 0 && sf_imputer_levels(m, 2) == 0);
    for (int with = 0; with < 2; with++) {
        sf_impute_options o = SF_IMPUTE_OPTIONS_INIT;
        o.with = with == 0 ? SF_IMPUTE_MEDIAN : SF_IMPUTE_DRAW;
        o.own_rows = true;
        for (o.draw = 0; o.draw < 20; o.draw++) {
            CHECK_OK(ctx, sf_impute(ctx, (sf_mat){out, N, D, D}, m,
                                    (sf_cmat){x, N, D, D}, &o));
            for (int64_t i = 0; i < N * D; i++) {
                CHECK(isnan(x[i]) ? is_right(i % D, out[i]) : out[i] == x[i]);
            }
        }
    }
    sf_imputer_free(m);
    sf_context_free(ctx);
}

/* Draws have the mean, the share of zeros and the quantiles that are said: DRAWS of
 * each cell, five standard errors. */
TEST(what_is_said_of_a_cell_is_what_is_drawn)
{
    enum { DRAWS = 4000, CELLS = 3 };
    double x[N * D], drawn[DRAWS * D], query[DRAWS * D];
    sf_imputed_cell cell[1];
    sf_context *ctx = new_context();
    draw_rows(x, N);
    sf_imputer *m = fit(ctx, x, N, 0.7, 0.2);
    for (int k = 0; k < CELLS; k++) {
        sf_impute_options o = SF_IMPUTE_OPTIONS_INIT;
        for (int64_t i = 0; i < DRAWS; i++) {
            query[i * D] = (double)NAN;
            query[i * D + 1] = -0.8 + 0.8 * k;
            query[i * D + 2] = 0.5;
        }
        const sf_cmat one = {query, 1, D, D};
        CHECK_OK(ctx, sf_impute_spread(ctx, cell, NULL, m, one, &o));
        o.with = SF_IMPUTE_DRAW;
        CHECK_OK(ctx, sf_impute(ctx, (sf_mat){drawn, DRAWS, D, D}, m,
                                (sf_cmat){query, DRAWS, D, D}, &o));
        double mean = 0.0, zeros = 0.0;
        for (int64_t i = 0; i < DRAWS; i++) {
            mean += drawn[i * D] / DRAWS;
            zeros += drawn[i * D] == 0.0 ? 1.0 / DRAWS : 0.0;
        }
        /* Rounding, which no mean knows, adds at most half a decimal. */
        CHECK_NEAR(mean, cell->mean, 5.0 * cell->sd / sqrt(DRAWS) + 0.05);
        for (int q = 0; q < SF_IMPUTE_QUANTILES; q++) {
            const double p = sf_impute_probabilities[q];
            const double se = sqrt(p * (1.0 - p) / DRAWS);
            double below = 0.0, upto = 0.0;
            for (int64_t i = 0; i < DRAWS; i++) {
                below += drawn[i * D] < cell->quantile[q] - 0.05 ? 1.0 : 0.0;
                upto += drawn[i * D] <= cell->quantile[q] + 0.05 ? 1.0 : 0.0;
            }
            CHECK(below / DRAWS <= p + 5.0 * se);
            CHECK(upto / DRAWS >= p - 5.0 * se);
            CHECK(p < zeros - 5.0 * se ? cell->quantile[q] == 0.0 : true);
            CHECK(p > zeros + 5.0 * se ? cell->quantile[q] > 0.0 : true);
        }
        CHECK(k > 0 || zeros > 0.6);
        CHECK(k < 2 || zeros < 0.5);
        o.with = SF_IMPUTE_MEDIAN;
        CHECK_OK(ctx, sf_impute(ctx, (sf_mat){drawn, 1, D, D}, m, one, &o));
        CHECK(drawn[0] == cell->quantile[SF_IMPUTE_QUANTILES / 2]);
        o.with = SF_IMPUTE_MEAN;
        CHECK_OK(ctx, sf_impute(ctx, (sf_mat){drawn, 1, D, D}, m, one, &o));
        CHECK(drawn[0] == cell->mean);
    }
    sf_imputer_free(m);
    sf_context_free(ctx);
}

/* With P(0) = 0.5 and P(4) = 0.2 a number of N(2, 1) within (0, infinity) has the rest:
 * quantiles by hand. */
TEST(quantiles_jump_at_atoms)
{
    static const double level[] = {0.5, 0.2, 0.3}, weight = 1.0, two = 2.0,
                        one = 1.0;
    double at[] = {0.0, 4.0}, mean = 2.0, variance = 1.0, density;
    const sfi_imputed_column c = {.sd = 1.0,
                                  .lower = 0.0,
                                  .upper = INFINITY,
                                  .decimals = -1,
                                  .pair = 1,
                                  .atoms = 2,
                                  .at = at};
    const sfi_normal_sum sum = {1, &weight, &two, &one, 0.0, INFINITY};
    const double upto = 0.5 + 0.3 * sfi_normal_sum_below(&sum, 4.0, &density);
    CHECK(sfi_atoms_quantile(&c, level, &sum, 0.01) == 0.0);
    CHECK(sfi_atoms_quantile(&c, level, &sum, 0.499) == 0.0);
    CHECK_CLOSE(sfi_atoms_quantile(&c, level, &sum, 0.65),
                sfi_normal_sum_quantile(&sum, 0.5), 1e-12);
    CHECK(sfi_atoms_quantile(&c, level, &sum, upto - 1e-6) < 4.0);
    CHECK(sfi_atoms_quantile(&c, level, &sum, upto + 1e-6) == 4.0);
    CHECK(sfi_atoms_quantile(&c, level, &sum, upto + 0.2 - 1e-6) == 4.0);
    CHECK(sfi_atoms_quantile(&c, level, &sum, upto + 0.2 + 1e-6) > 4.0);
    sfi_atoms_moments(&c, level, &mean, &variance);
    CHECK_CLOSE(mean, 0.2 * 4.0 + 0.3 * 2.0, 1e-14);
    CHECK_CLOSE(variance, 0.2 * 16.0 + 0.3 * 5.0 - 1.4 * 1.4, 1e-14);
}

/* Rounded to a decimal a number stays off the atoms beside it. */
TEST(rounding_stays_in_a_gap)
{
    double at[] = {0.0, 4.0};
    const sfi_imputed_column c = {.sd = 1.0,
                                  .lower = 0.0,
                                  .decimals = 1,
                                  .pair = 1,
                                  .atoms = 2,
                                  .at = at};
    CHECK_CLOSE(sfi_settle_number(&c, 0.01), 0.1, 1e-15);
    CHECK_CLOSE(sfi_settle_number(&c, 3.98), 3.9, 1e-15);
    CHECK_CLOSE(sfi_settle_number(&c, 4.01), 4.1, 1e-15);
    CHECK(sfi_settle_number(&c, 4.0) == 4.0 &&
          sfi_settle_number(&c, 0.0) == 0.0);
    CHECK_CLOSE(sfi_settle_number(&c, 2.04), 2.0, 1e-15);
}

TEST(threads_do_not_change_a_bit)
{
    double x[N * D], out[2][N * D];
    draw_rows(x, N);
    for (int k = 0; k < 2; k++) {
        sf_context *ctx = new_context();
        sf_impute_options o = SF_IMPUTE_OPTIONS_INIT;
        sf_context_set_threads(ctx, k == 0 ? 1 : 7);
        sf_imputer *m = fit(ctx, x, N, 0.0, 0.0);
        o.with = SF_IMPUTE_DRAW;
        o.own_rows = true;
        CHECK_OK(ctx, sf_impute(ctx, (sf_mat){out[k], N, D, D}, m,
                                (sf_cmat){x, N, D, D}, &o));
        sf_imputer_free(m);
        sf_context_free(ctx);
    }
    CHECK(memcmp(out[0], out[1], sizeof out[0]) == 0);
}

static sf_status work(sf_context *ctx, sf_cmat data, const sf_frame *f)
{
    double out[N * D];
    sf_imputed_cell cells[N * D];
    sf_imputer *m = NULL;
    sf_imputer_options o = SF_IMPUTER_OPTIONS_INIT;
    sf_impute_options how = SF_IMPUTE_OPTIONS_INIT;
    o.frame = f;
    o.bandwidth = 0.7;
    how.with = SF_IMPUTE_DRAW;
    SFI_TRY(sf_imputer_fit(ctx, &m, data, NULL, &o, NULL));
    sf_status status =
        sf_impute(ctx, (sf_mat){out, data.rows, D, D}, m, data, &how);
    if (status == SF_OK)
        status = sf_impute_spread(ctx, cells, NULL, m, data, &how);
    sf_imputer_free(m);
    return status;
}

TEST(every_allocation_may_fail)
{
    enum { M = 40 };
    double x[M * D];
    struct faults faults;
    draw_rows(x, M);
    sf_context *good = new_context();
    sf_frame *f = frame_of(good, x, M);
    sf_context *ctx = faulty_context(&faults);
    sf_status status = SF_E_NOMEM;
    CHECK(sf_frame_atom_count(f, 0) > 0);
    while (NEXT_FAULT(&faults, status))
        status = work(ctx, (sf_cmat){x, M, D, D}, f);
    CHECK(faults.tries > 20);
    sf_context_free(ctx);
    sf_frame_free(f);
    sf_context_free(good);
}

TESTS(CASE(a_cell_is_an_atom_or_on_its_side),
      CASE(what_is_said_of_a_cell_is_what_is_drawn),
      CASE(quantiles_jump_at_atoms), CASE(rounding_stays_in_a_gap),
      CASE(threads_do_not_change_a_bit), CASE(every_allocation_may_fail))
