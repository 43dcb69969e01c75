/* SPDX-License-Identifier: Apache-2.0 */
/* test_impute_levels.c - missing cells of tables that have categories, and of columns
 * that do not hold all numbers. */
#include "base/random.h"
#include "faults.h"
#include "scorefield/fit.h"
#include "scorefield/impute.h"

/* A number, a category of three levels and one of two, in rows of two kinds. */
enum { N = 40, D = 3, COLOURS = 3, SIZES = 2 };

static const char *const names[] = {"length", "colour", "size"};
static const char *const colours[] = {"red", "green", "blue"};
static const char *const sizes[] = {"small", "large"};

static void draw_rows(double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const sfi_where w = {23, (uint64_t)i, 0, SFI_STREAM_USER};
        const double size = i % 2;
        const double u = sfi_uniform_at(w, 1);
        x[D * i] = 10.0 + 4.0 * size + sfi_normal_at(w, 0);
        x[D * i + 1] = u < 0.6 ? size : u < 0.9 ? 2.0 : 1.0 - size;
        x[D * i + 2] = size;
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
        c[j].levels = j == 1 ? colours : j == 2 ? sizes : NULL;
        c[j].level_count = j == 1 ? COLOURS : j == 2 ? SIZES : 0;
    }
    CHECK_OK(ctx, sf_frame_new(ctx, &f, n, D, c));
    return f;
}

static sf_imputer *fit(sf_context *ctx, const double *x, int64_t n,
                       int64_t target, double h, double forget,
                       sf_imputer_report *report)
{
    sf_frame *f = frame_of(ctx, x, n);
    sf_imputer *m = NULL;
    sf_imputer_options o = SF_IMPUTER_OPTIONS_INIT;
    o.frame = f;
    o.target = target;
    o.bandwidth = h;
    o.forget = forget;
    CHECK_OK(ctx,
             sf_imputer_fit(ctx, &m, (sf_cmat){x, n, D, D}, names, &o, report));
    sf_frame_free(f);
    return m;
}

static double normal(double x, double mean, double sd)
{
    const double z = (x - mean) / sd;
    return exp(-0.5 * z * z) / sd;
}

/* ---- known answers ----------------------------------------------------------------- */

/* Of a row that lacks its colour, written out: rows weigh by their length, under h times
 * the spread of the column (and the spread itself where they lack it), all of it
 * contracted about the mean so that the spread stays, and by their size; each says its own colour with 1 - forget, and else the table's. */
TEST(levels_are_explained_by_numbers_and_levels)
{
    const double h = 0.5, forget = 0.3, keep = 1.0 / sqrt(1.0 + h * h);
    double x[D * N], levels[4 * N], share[COLOURS] = {0.0}, size[SIZES] = {0.0};
    sf_imputed_cell cells[N];
    sf_context *ctx = new_context();
    draw_rows(x, N);
    double m = 0.0, v = 0.0, count = 0.0, colour_rows = 0.0, size_rows = 0.0;
    for (int i = 0; i < N; i++) {
        if (!isnan(x[D * i])) {
            m += x[D * i];
            count += 1.0;
        }
        if (!isnan(x[D * i + 1])) {
            share[(int)x[D * i + 1]] += 1.0;
            colour_rows += 1.0;
        }
        if (!isnan(x[D * i + 2])) {
            size[(int)x[D * i + 2]] += 1.0;
            size_rows += 1.0;
        }
    }
    m /= count;
    for (int i = 0; i < N; i++)
        v += isnan(x[D * i]) ? 0.0 : (x[D * i] - m) * (x[D * i] - m) / count;
    for (int c = 0; c < COLOURS; c++)
        share[c] /= colour_rows;
    for (int c = 0; c < SIZES; c++)
        size[c] /= size_rows;
    sf_impute_options how = SF_IMPUTE_OPTIONS_INIT;
    how.own_rows = true;
    sf_imputer *imputer = fit(ctx, x, N, -1, h, forget, NULL);
    CHECK(sf_imputer_levels(imputer, 0) == 0);
    CHECK(sf_imputer_levels(imputer, 1) == COLOURS);
    CHECK_OK(ctx, sf_impute_spread(ctx, cells, levels, imputer,
                                   (sf_cmat){x, N, D, D}, &how));
    int checked = 0, at = 0;
    for (int i = 0; i < N; i++) {
        double p[COLOURS] = {0.0}, total = 0.0;
        if (isnan(x[D * i]) || isnan(x[D * i + 2])) {
            at++;
            continue;
        }
        if (!isnan(x[D * i + 1]))
            continue;
        for (int k = 0; k < N; k++) {
            const bool has = !isnan(x[D * k]);
            double w = normal(x[D * i], has ? m + keep * (x[D * k] - m) : m,
                              keep * sqrt(v * (h * h + (has ? 0.0 : 1.0))));
            const double own = x[D * k + 2], mine = x[D * i + 2];
            w *= isnan(own) ? size[(int)mine]
                            : forget * size[(int)mine] +
                                  (own == mine ? 1.0 - forget : 0.0);
            if (k == i)
                continue;
            total += w;
            for (int c = 0; c < COLOURS; c++)
                p[c] += w * (isnan(x[D * k + 1])
                                 ? share[c]
                                 : forget * share[c] +
                                       (x[D * k + 1] == c ? 1.0 - forget : 0));
        }
        const sf_imputed_cell *cell = &cells[at++];
        CHECK(cell->row == i && cell->column == 1 && isnan(cell->mean));
        for (int c = 0; c < COLOURS; c++)
            CHECK_NEAR(levels[cell->first_level + c], p[c] / total, 1e-6);
        checked++;
    }
    CHECK(checked == N / 4);
    sf_imputer_free(imputer);
    sf_context_free(ctx);
}

/* Within classes: what the rows of the other class are is of no consequence, as their
 * spread about their mean is the same wherever it is. */
TEST(classes_explain_themselves)
{
    double x[D * N], out[2][D * N];
    sf_context *ctx = new_context();
    draw_rows(x, N);
    for (int i = 0; i < N; i++) /* all classes are known */
        x[D * i + 2] = i % 2;
    for (int k = 0; k < 2; k++) {
        sf_impute_options how = SF_IMPUTE_OPTIONS_INIT;
        sf_imputer_report r = SF_IMPUTER_REPORT_INIT;
        how.own_rows = true;
        how.with = SF_IMPUTE_MEAN;
        sf_imputer *m = fit(ctx, x, N, 2, 0.8, 0.2, &r);
        CHECK(r.unclassed == 0 && r.alone == 0 && r.donors == N);
        CHECK_OK(ctx, sf_impute(ctx, (sf_mat){out[k], N, D, D}, m,
                                (sf_cmat){x, N, D, D}, &how));
        sf_imputer_free(m);
        for (int i = 1; i < N; i += 2)
            x[D * i] += 300.0;
    }
    int filled = 0;
    for (int i = 0; i < N; i += 2)
        for (int j = 0; j < D - 1; j++) {
            filled += isnan(x[D * i + j]);
            CHECK_NEAR(out[1][D * i + j], out[0][D * i + j], 1e-6);
        }
    CHECK(filled ==
          N / 4); /* lengths of every fourth row, and no colours of these */
    sf_context_free(ctx);
}

/* A class of one row has none to explain it, and a row without a class explains none;
 * its class is found by what it has. */
TEST(rows_alone_in_their_class_are_explained_by_all)
{
    enum { M = 13 };
    double x[D * M], out[D * M];
    sf_context *ctx = new_context();
    for (int i = 0; i < M; i++) {
        x[D * i] = i < 11 ? 5.0 + 0.1 * i : i;
        x[D * i + 1] = i % 3;
        x[D * i + 2] = i < 11 ? 0.0 : i == 11 ? 1.0 : (double)NAN;
    }
    x[D * 11] = NAN;
    x[D * 12] = 5.5;
    sf_impute_options how = SF_IMPUTE_OPTIONS_INIT;
    sf_imputer_report r = SF_IMPUTER_REPORT_INIT;
    how.own_rows = true;
    sf_imputer *m = fit(ctx, x, M, 2, 0.5, 0.2, &r);
    CHECK(r.unclassed == 1 && r.alone == 1 && r.donors == M - 1);
    CHECK_OK(ctx, sf_impute(ctx, (sf_mat){out, M, D, D}, m,
                            (sf_cmat){x, M, D, D}, &how));
    CHECK(out[D * 11] > 4.0 && out[D * 11] < 7.0);
    CHECK(out[D * 12 + 2] == 0.0);
    sf_imputer_free(m);
    sf_context_free(ctx);
}

/* Draws have the probabilities that the spread says, within five standard errors, and
 * contracted all the way they are the likeliest level. */
TEST(levels_are_drawn_by_their_probabilities)
{
    enum { DRAWS = 4000 };
    double x[D * N], levels[4 * N], counts[COLOURS] = {0.0}, out[D * N];
    sf_imputed_cell cells[N];
    sf_context *ctx = new_context();
    draw_rows(x, N);
    const sf_cmat data = {x, N, D, D};
    sf_impute_options how = SF_IMPUTE_OPTIONS_INIT;
    how.own_rows = true;
    sf_imputer *m = fit(ctx, x, N, -1, 0.5, 0.3, NULL);
    CHECK_OK(ctx, sf_impute_spread(ctx, cells, levels, m, data, &how));
    int at = 0;
    while (cells[at].column != 1)
        at++;
    const int64_t row = cells[at].row;
    const double *p = levels + cells[at].first_level;
    how.with = SF_IMPUTE_DRAW;
    for (how.draw = 0; how.draw < DRAWS; how.draw++) {
        CHECK_OK(ctx, sf_impute(ctx, (sf_mat){out, N, D, D}, m, data, &how));
        counts[(int)out[D * row + 1]] += 1.0 / DRAWS;
    }
    int best = 0;
    for (int c = 0; c < COLOURS; c++) {
        CHECK_NEAR(counts[c], p[c], 5.0 * sqrt(p[c] * (1.0 - p[c]) / DRAWS));
        best = p[c] > p[best] ? c : best;
    }
    how.contract = 1.0;
    CHECK_OK(ctx, sf_impute(ctx, (sf_mat){out, N, D, D}, m, data, &how));
    CHECK(out[D * row + 1] == (double)best);
    sf_imputer_free(m);
    sf_context_free(ctx);
}

/* ---- what columns are --------------------------------------------------------------- */

/* Counts stay whole and do not fall below 0, amounts stay above it, with their
 * decimals, whether they are medians or draws. */
TEST(what_is_filled_is_of_its_column)
{
    enum { M = 60, W = 3 };
    static const char *const of[] = {"count", "amount", "share"};
    double x[W * M], out[W * M];
    sf_frame_column c[W];
    sf_context *ctx = new_context();
    for (int i = 0; i < M; i++) {
        const sfi_where w = {3, (uint64_t)i, 0, SFI_STREAM_USER};
        x[W * i] = floor(3.0 * sfi_uniform_at(w, 0) * sfi_uniform_at(w, 1));
        x[W * i + 1] = floor(100.0 * exp(sfi_normal_at(w, 2)) + 1.0) / 100.0;
        x[W * i + 2] = floor(1000.0 * sfi_uniform_at(w, 3)) / 1000.0;
        x[W * i + i % 3] = NAN;
    }
    for (int j = 0; j < W; j++) {
        c[j] = (sf_frame_column)SF_FRAME_COLUMN_INIT;
        c[j].name = of[j];
        c[j].data = x + j;
        c[j].stride = W * (int64_t)sizeof *x;
    }
    sf_frame *f = NULL;
    sf_imputer *m = NULL;
    sf_imputer_options o = SF_IMPUTER_OPTIONS_INIT;
    CHECK_OK(ctx, sf_frame_new(ctx, &f, M, W, c));
    CHECK(sf_frame_kind(f, 0) == SF_KIND_INTEGER);
    CHECK(sf_frame_kind(f, 1) == SF_KIND_POSITIVE);
    CHECK(sf_frame_kind(f, 2) == SF_KIND_PROPORTION);
    o.frame = f;
    CHECK_OK(ctx, sf_imputer_fit(ctx, &m, (sf_cmat){x, M, W, W}, of, &o, NULL));
    for (int k = 0; k < 10; k++) {
        sf_impute_options how = SF_IMPUTE_OPTIONS_INIT;
        how.own_rows = true;
        how.draw = (uint32_t)k;
        how.with = k == 0 ? SF_IMPUTE_MEDIAN : SF_IMPUTE_DRAW;
        CHECK_OK(ctx, sf_impute(ctx, (sf_mat){out, M, W, W}, m,
                                (sf_cmat){x, M, W, W}, &how));
        for (int i = 0; i < M; i++) {
            const double *y = out + W * i;
            CHECK(y[0] >= 0.0 && y[0] == floor(y[0]));
            CHECK(y[1] > 0.0 && fabs(100.0 * y[1] - rint(100.0 * y[1])) < 1e-9);
            CHECK(y[2] >= 0.0 && y[2] <= 1.0 &&
                  fabs(1000.0 * y[2] - rint(1000.0 * y[2])) < 1e-9);
        }
    }
    sf_imputer_free(m);
    sf_frame_free(f);
    sf_context_free(ctx);
}

/* A table without any number: twin rows say what is missing of each other. */
TEST(categories_alone_are_imputed)
{
    enum { M = 64 };
    double x[2 * M], out[2 * M];
    sf_frame_column c[2];
    sf_context *ctx = new_context();
    for (int i = 0; i < M; i++) {
        x[2 * i] = i % 3;
        x[2 * i + 1] = i % 3 == 2;
    }
    x[2 * 4] = x[2 * 5 + 1] = x[2 * 6] = NAN; /* 1, 1, 0 */
    for (int j = 0; j < 2; j++) {
        c[j] = (sf_frame_column)SF_FRAME_COLUMN_INIT;
        c[j].name = names[j + 1];
        c[j].data = x + j;
        c[j].stride = 2 * (int64_t)sizeof *x;
        c[j].levels = j == 0 ? colours : sizes;
        c[j].level_count = j == 0 ? COLOURS : SIZES;
    }
    sf_frame *f = NULL;
    sf_imputer *m = NULL;
    sf_imputer_options o = SF_IMPUTER_OPTIONS_INIT;
    sf_imputer_report r = SF_IMPUTER_REPORT_INIT;
    sf_impute_options how = SF_IMPUTE_OPTIONS_INIT;
    how.own_rows = true;
    o.hidden = 0.3;
    CHECK_OK(ctx, sf_frame_new(ctx, &f, M, 2, c));
    o.frame = f;
    CHECK_OK(ctx, sf_imputer_fit(ctx, &m, (sf_cmat){x, M, 2, 2}, NULL, &o, &r));
    CHECK(r.bandwidth == 0.0 && r.hidden == 0 && r.hidden_levels > 10);
    CHECK(r.forget == 0.02); /* they never forget */
    CHECK_OK(ctx, sf_impute(ctx, (sf_mat){out, M, 2, 2}, m,
                            (sf_cmat){x, M, 2, 2}, &how));
    CHECK(out[2 * 4] < 2.0 && out[2 * 5 + 1] == 1.0 && out[2 * 6] < 2.0);
    sf_imputer_free(m);
    sf_frame_free(f);
    sf_context_free(ctx);
}

/* ---- the rest ------------------------------------------------------------------------ */

TEST(threads_do_not_change_a_bit)
{
    static const int counts[] = {1, 2, 7};
    enum { M = 200 };
    double x[D * M], out[3][D * M];
    draw_rows(x, M);
    for (int t = 0; t < 3; t++) {
        sf_context *ctx = new_context();
        sf_impute_options how = SF_IMPUTE_OPTIONS_INIT;
        how.own_rows = true;
        how.with = SF_IMPUTE_DRAW;
        how.contract = 0.5;
        CHECK_OK(ctx, sf_context_set_threads(ctx, counts[t]));
        sf_imputer *m = fit(ctx, x, M, 2, 0.0, 0.0, NULL);
        CHECK_OK(ctx, sf_impute(ctx, (sf_mat){out[t], M, D, D}, m,
                                (sf_cmat){x, M, D, D}, &how));
        CHECK(memcmp(out[t], out[0], sizeof out[0]) == 0);
        sf_imputer_free(m);
        sf_context_free(ctx);
    }
}

TEST(what_cannot_be_is_refused)
{
    double x[D * N], out[D * N];
    sf_imputed_cell cells[N];
    sf_context *ctx = new_context();
    draw_rows(x, N);
    const sf_cmat data = {x, N, D, D};
    sf_frame *f = frame_of(ctx, x, N);
    sf_imputer *m = NULL;
    sf_imputer_options o = SF_IMPUTER_OPTIONS_INIT;
    o.target = 0;
    CHECK_FAILS(ctx, sf_imputer_fit(ctx, &m, data, names, &o, NULL), SF_E_ARG,
                "no category");
    o.target = D;
    CHECK_FAILS(ctx, sf_imputer_fit(ctx, &m, data, names, &o, NULL), SF_E_ARG,
                "column 3 of 3");
    o.target = -1;
    o.forget = 1.0;
    CHECK_FAILS(ctx, sf_imputer_fit(ctx, &m, data, names, &o, NULL), SF_E_ARG,
                "forget is 1");
    o.forget = 0.0;
    o.frame = f;
    CHECK_OK(ctx, sf_imputer_fit(ctx, &m, data, names, &o, NULL));
    CHECK_FAILS(ctx, sf_impute_spread(ctx, cells, NULL, m, data, NULL),
                SF_E_ARG, "no room");
    x[4] = 3.0;
    CHECK_FAILS(ctx, sf_impute(ctx, (sf_mat){out, N, D, D}, m, data, NULL),
                SF_E_NUMERIC, "row 2, column 2: there is no level 3");
    sf_imputer_free(m);
    CHECK_FAILS(ctx, sf_imputer_fit(ctx, &m, data, names, &o, NULL),
                SF_E_NUMERIC, "there is no level 3");
    sf_frame_free(f);
    sf_context_free(ctx);
}

static sf_status work(sf_context *ctx, sf_cmat data, const sf_frame *f,
                      sf_mat out)
{
    sf_imputed_cell cells[64];
    double levels[256];
    sf_imputer *m = NULL;
    sf_imputer_options o = SF_IMPUTER_OPTIONS_INIT;
    sf_impute_options how = SF_IMPUTE_OPTIONS_INIT;
    how.own_rows = true;
    o.frame = f;
    o.target = 2;
    SFI_TRY(sf_imputer_fit(ctx, &m, data, NULL, &o, NULL));
    sf_status status = sf_impute(ctx, out, m, data, &how);
    if (status == SF_OK)
        status = sf_impute_spread(ctx, cells, levels, m, data, &how);
    sf_imputer_free(m);
    return status;
}

TEST(every_allocation_may_fail)
{
    enum { M = 16 };
    double x[D * M], out[D * M];
    struct faults f;
    draw_rows(x, M);
    sf_context *good = new_context();
    sf_frame *frame = frame_of(good, x, M);
    sf_context *ctx = faulty_context(&f);
    sf_status status = SF_E_NOMEM;
    for (int64_t k = 0; status != SF_OK; k++) {
        f.left = k;
        status =
            work(ctx, (sf_cmat){x, M, D, D}, frame, (sf_mat){out, M, D, D});
        CHECK(status == SF_OK || status == SF_E_NOMEM);
        CHECK(f.bytes == f.own);
    }
    f.left = INT64_MAX;
    sf_context_free(ctx);
    sf_frame_free(frame);
    sf_context_free(good);
}

TESTS(CASE(levels_are_explained_by_numbers_and_levels),
      CASE(classes_explain_themselves),
      CASE(rows_alone_in_their_class_are_explained_by_all),
      CASE(levels_are_drawn_by_their_probabilities),
      CASE(what_is_filled_is_of_its_column), CASE(categories_alone_are_imputed),
      CASE(threads_do_not_change_a_bit), CASE(what_cannot_be_is_refused),
      CASE(every_allocation_may_fail))
