/* SPDX-License-Identifier: Apache-2.0 */
/* compare.c - the whole report: what all parts need is made once (moments,
 * scales, rows in random order), then each part fills its fields. */
#include "compare/compare.h"

#include "base/random.h"
#include "num/linalg.h"
#include "num/moments.h"

#include <math.h>
#include <string.h>

enum { STAGES = 6 };

/* Orders that must differ from the test's permutations, which are numbered from
 * 1 to at most 100000. */
enum { ORDER_OF_TABLE = 1 << 30 };

struct work {
    sf_cmat table[2];
    sf_compare_options options;
    double *factor; /* [d] 1 / scale */
    sfi_points points[2], held_out;
    double started;
};

static sf_status check_options(sf_context *ctx, const sf_compare_options *o)
{
    if (o->max_rows < 0 || o->max_rows == 1)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "compare: max_rows is %lld, want 0 or at least 2",
                        (long long)o->max_rows);
    if (o->test_rows < 0 || o->test_rows == 1)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "compare: test_rows is %lld, want 0 or at least 2",
                        (long long)o->test_rows);
    if (o->permutations < 0 || o->permutations > 100000)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "compare: permutations is %d, want 0 to 100000",
                        o->permutations);
    if (!(o->max_work >= 0.0))
        return SFI_FAIL(ctx, SF_E_ARG, "compare: max_work is %g, want >= 0",
                        o->max_work);
    if (o->projections < 0 || o->projections > 100000)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "compare: projections is %d, want 0 to 100000",
                        o->projections);
    return SF_OK;
}

static sf_status check_tables(sf_context *ctx, const struct work *w)
{
    const sf_cmat *t = w->table;
    const sf_cmat held = w->options.held_out;
    SFI_TRY(sfi_check_table(ctx, t[0], true, "compare: real"));
    SFI_TRY(sfi_check_table(ctx, t[1], true, "compare: synthetic"));
    SFI_TRY(sfi_check_table(ctx, held, true, "compare: held_out"));
    if (t[0].rows < 2 || t[1].rows < 2 || t[0].cols < 1 ||
        t[0].cols > SFI_LINALG_MAX || t[0].cols != t[1].cols ||
        (held.rows > 0 && held.cols != t[0].cols))
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "compare: real is [%lld, %lld], synthetic [%lld, "
                        "%lld], held_out [%lld, %lld]; want two rows or more, "
                        "and the same 1 to %d columns",
                        (long long)t[0].rows, (long long)t[0].cols,
                        (long long)t[1].rows, (long long)t[1].cols,
                        (long long)held.rows, (long long)held.cols,
                        (int)SFI_LINALG_MAX);
    return SF_OK;
}

sf_status sfi_compare_stage(sf_context *ctx, double started, int done,
                            int stages)
{
    const sf_progress p = {"compare", done, stages,
                           NAN,       NAN,  sfi_clock() - started};
    if (!sfi_progress(ctx, &p, done == stages))
        return SFI_FAIL(ctx, SF_E_CANCELLED, "compare: stopped at %d of %d",
                        done, stages);
    return SF_OK;
}

static sf_status stage(sf_context *ctx, const struct work *w, int done)
{
    return sfi_compare_stage(ctx, w->started, done, STAGES);
}

static int64_t limited(int64_t rows, int64_t limit)
{
    return limit > 0 && limit < rows ? limit : rows;
}

/* What is squared must have a square. */
static sf_status check_spans(sf_context *ctx, const sf_compare_report *r,
                             bool scaled)
{
    const int last = SF_COMPARE_QUANTILES - 1;
    for (int64_t j = 0; j < r->cols; j++) {
        const sf_compare_column *c = &r->column[j];
        const double least = fmin(c->quantile[0][0], c->quantile[1][0]);
        const double most = fmax(c->quantile[0][last], c->quantile[1][last]);
        const double by = scaled ? r->scale[j] : 1.0;
        const double span = most / by - least / by;
        if (span == 0.0 || (span > 1e-140 && span < 1e140))
            continue;
        return SFI_FAIL(ctx, SF_E_NUMERIC,
                        "compare: column %lld of %lld goes from %g to %g%s, "
                        "whose squares are out of range; change its unit",
                        (long long)j + 1, (long long)r->cols, least / by,
                        most / by,
                        scaled ? " standard deviations of real" : "");
    }
    return SF_OK;
}

/* ---- means, standard deviations, correlations ---- */

static void to_correlation(double *c, const double *sd, int64_t d)
{
    for (int64_t i = 0; i < d; i++) {
        for (int64_t j = 0; j < d; j++) {
            const double by = sd[i] * sd[j];
            if (i == j)
                c[i * d + j] = 1.0;
            else
                c[i * d + j] =
                    by > 0.0 ? fmin(1.0, fmax(-1.0, c[i * d + j] / by)) : 0.0;
        }
    }
}

/* Fill mean, sd and correlation of table k.  scratch [d]. */
static sf_status fill_moments(sf_context *ctx, sf_compare_report *report,
                              sf_cmat table, int k, double *scratch)
{
    const int64_t d = report->cols;
    sfi_moments *m = NULL;
    sf_status status = SF_OK;
    SFI_CHECK(sfi_moments_new(ctx, &m, d));
    SFI_CHECK(sfi_moments_add(m, table, NULL));
    SFI_CHECK(sfi_moments_mean(m, scratch));
    for (int64_t j = 0; j < d; j++)
        report->column[j].mean[k] = scratch[j];
    SFI_CHECK(
        sfi_moments_covariance(m, report->correlation[k], SFI_POPULATION));
    const double n = (double)table.rows;
    for (int64_t j = 0; j < d; j++) {
        sf_compare_column *c = &report->column[j];
        /* A constant has no spread, not even that of a rounded mean. */
        const bool constant = c->distinct[k] == 1;
        scratch[j] =
            constant ? 0.0 : sqrt(fmax(0.0, report->correlation[k][j * d + j]));
        c->sd[k] = scratch[j] * sqrt(n / (n - 1.0));
    }
    to_correlation(report->correlation[k], scratch, d);

done:
    sfi_moments_free(m);
    return status;
}

static void compare_correlations(sf_compare_report *report)
{
    const int64_t d = report->cols;
    double squares = 0.0;
    for (int64_t i = 0; i < d; i++) {
        for (int64_t j = 0; j < i; j++) {
            const double gap = fabs(report->correlation[0][i * d + j] -
                                    report->correlation[1][i * d + j]);
            report->correlation_max = fmax(report->correlation_max, gap);
            squares += gap * gap;
        }
    }
    if (d > 1)
        report->correlation_rms =
            sqrt(squares / (0.5 * (double)d * (double)(d - 1)));
}

/* ---- rows in random order ---- */

static sf_status shuffled_points(sf_context *ctx, sfi_points *out,
                                 sf_cmat table, const double *factor,
                                 uint64_t seed, uint32_t order)
{
    int64_t *pick = sfi_alloc(ctx, (size_t)table.rows, sizeof *pick);
    if (pick == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < table.rows; i++)
        pick[i] = i;
    sfi_shuffle(seed, ORDER_OF_TABLE + order, pick, table.rows);
    const sf_status status =
        sfi_points_new(ctx, out, table, pick, table.rows, factor);
    sfi_free(ctx, pick, (size_t)table.rows, sizeof *pick);
    return status;
}

static sf_status make_points(sf_context *ctx, struct work *w,
                             sf_compare_report *report)
{
    const uint64_t seed = w->options.seed;
    for (int64_t j = 0; j < report->cols; j++) {
        const double sd = report->column[j].sd[0];
        report->scale[j] = w->options.raw || !(sd > 0.0) ? 1.0 : sd;
        w->factor[j] = 1.0 / report->scale[j];
    }
    for (int k = 0; k < 2; k++)
        SFI_TRY(shuffled_points(ctx, &w->points[k], w->table[k], w->factor,
                                seed, (uint32_t)k));
    if (w->options.held_out.rows > 0)
        SFI_TRY(shuffled_points(ctx, &w->held_out, w->options.held_out,
                                w->factor, seed, 2));
    return SF_OK;
}

/* ---- the parts that need pairs of rows ---- */

static sf_status fill_energy(sf_context *ctx, struct work *w,
                             sf_compare_report *report)
{
    sfi_points first[2];
    for (int k = 0; k < 2; k++) {
        report->energy_rows[k] = limited(w->points[k].n, w->options.max_rows);
        first[k] = sfi_points_first(&w->points[k], report->energy_rows[k]);
    }
    return sfi_energy(ctx, &report->energy, &first[0], &first[1]);
}

static sf_status fill_test(sf_context *ctx, struct work *w,
                           sf_compare_report *report)
{
    const sf_compare_test none = {0, {0, 0}, NAN, NAN, NAN, NAN};
    report->test = none;
    if (w->options.permutations == 0)
        return SF_OK;
    sfi_points joined = {0, 0, NULL, NULL};
    const int64_t rows[2] = {limited(w->points[0].n, w->options.test_rows),
                             limited(w->points[1].n, w->options.test_rows)};
    SFI_TRY(sfi_points_join(ctx, &joined, w->points, rows));
    const sf_status status =
        sfi_energy_test(ctx, &report->test, &joined, rows,
                        w->options.permutations, w->options.seed);
    sfi_points_free(ctx, &joined);
    return status;
}

/* How many rows may look for their nearest among all of real. */
static int64_t looking(const struct work *w, const sf_compare_report *report)
{
    enum { LEAST = 500 };
    const int64_t most = w->options.max_rows;
    const double each = (double)report->rows[0] * ((double)report->cols + 1.0);
    if (w->options.max_work == 0.0)
        return most;
    const double room = fmax(LEAST, floor(w->options.max_work / each));
    return most > 0 && (double)most <= room ? most : (int64_t)fmin(room, 1e18);
}

static sf_status fill_copies(sf_context *ctx, struct work *w,
                             sf_compare_report *report)
{
    sf_compare_copies *c = &report->copies;
    SFI_TRY(sfi_compare_equal_rows(ctx, c, w->table, w->options.held_out));
    const sfi_points *reference = c->held_out ? &w->held_out : &w->points[0];
    const int64_t most = looking(w, report);
    c->rows[0] = limited(reference->n, most);
    c->rows[1] = limited(w->points[1].n, most);
    SFI_TRY(sfi_compare_dcr(ctx, c, &w->points[0], reference, &w->points[1]));
    bool unique = false;
    for (int64_t j = 0; j < report->cols; j++)
        unique = unique || report->column[j].distinct[0] == report->rows[0];
    sfi_compare_flags(c, report->rows, unique);
    return SF_OK;
}

static sf_status fill(sf_context *ctx, struct work *w, sf_compare_report *r)
{
    SFI_TRY(stage(ctx, w, 0));
    SFI_TRY(sfi_compare_columns(ctx, r, w->table));
    SFI_TRY(check_spans(ctx, r, false));
    for (int k = 0; k < 2; k++)
        SFI_TRY(fill_moments(ctx, r, w->table[k], k, w->factor));
    compare_correlations(r);
    SFI_TRY(stage(ctx, w, 1));
    SFI_TRY(make_points(ctx, w, r));
    SFI_TRY(check_spans(ctx, r, true));
    SFI_TRY(stage(ctx, w, 2));
    SFI_TRY(fill_energy(ctx, w, r));
    SFI_TRY(stage(ctx, w, 3));
    SFI_TRY(fill_test(ctx, w, r));
    SFI_TRY(stage(ctx, w, 4));
    r->sliced_w1 = r->sliced_w1_se = r->sliced_w2 = NAN;
    if (w->options.projections > 0)
        SFI_TRY(sfi_compare_sliced(ctx, r, w->table, w->options.projections,
                                   w->options.seed));
    SFI_TRY(stage(ctx, w, 5));
    if (!w->options.no_copies)
        SFI_TRY(fill_copies(ctx, w, r));
    return stage(ctx, w, STAGES);
}

/* ---- the report ---- */

static size_t square_count(const sf_compare_report *r)
{
    return (size_t)r->cols * (size_t)r->cols;
}

static sf_compare_report *report_new(sf_context *ctx, const sf_cmat table[2])
{
    sf_compare_report *r = sfi_alloc_zero(ctx, 1, sizeof *r);
    if (r == NULL)
        return NULL;
    const size_t d = (size_t)table[0].cols;
    r->cols = table[0].cols;
    r->rows[0] = table[0].rows;
    r->rows[1] = table[1].rows;
    r->column = sfi_alloc_zero(ctx, d, sizeof *r->column);
    r->scale = sfi_alloc_zero(ctx, d, sizeof *r->scale);
    r->correlation[0] = sfi_alloc(ctx, d * d, sizeof *r->correlation[0]);
    r->correlation[1] = sfi_alloc(ctx, d * d, sizeof *r->correlation[1]);
    if (r->column != NULL && r->scale != NULL && r->correlation[0] != NULL &&
        r->correlation[1] != NULL)
        return r;
    sf_compare_report_free(ctx, r);
    return NULL;
}

void sf_compare_report_free(sf_context *ctx, sf_compare_report *r)
{
    if (r == NULL)
        return;
    const size_t d = (size_t)r->cols;
    for (int k = 0; k < 2; k++)
        sfi_free(ctx, r->correlation[k], square_count(r),
                 sizeof *r->correlation[k]);
    sfi_free(ctx, r->scale, d, sizeof *r->scale);
    sfi_free(ctx, r->column, d, sizeof *r->column);
    sfi_free(ctx, r, 1, sizeof *r);
}

sf_status sf_compare(sf_context *ctx, sf_compare_report **out, sf_cmat real,
                     sf_cmat synthetic, const sf_compare_options *opts)
{
    *out = NULL;
    struct work w = {.table = {real, synthetic},
                     .options = SF_COMPARE_OPTIONS_INIT,
                     .started = sfi_clock()};
    SFI_TRY(sfi_options(ctx, &w.options, sizeof w.options, opts));
    SFI_TRY(check_options(ctx, &w.options));
    SFI_TRY(check_tables(ctx, &w));
    sf_compare_report *report = report_new(ctx, w.table);
    w.factor = sfi_alloc(ctx, (size_t)real.cols, sizeof *w.factor);
    sf_status status = SF_E_NOMEM;
    if (report != NULL && w.factor != NULL)
        status = fill(ctx, &w, report);
    sfi_points_free(ctx, &w.held_out);
    sfi_points_free(ctx, &w.points[1]);
    sfi_points_free(ctx, &w.points[0]);
    sfi_free(ctx, w.factor, (size_t)real.cols, sizeof *w.factor);
    if (status != SF_OK) {
        sf_compare_report_free(ctx, report);
        return status;
    }
    *out = report;
    return SF_OK;
}
