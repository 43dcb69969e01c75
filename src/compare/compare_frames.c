/* SPDX-License-Identifier: Apache-2.0 */
/* compare_frames.c - the report of tables of any kinds of columns: frames are made
 * alike once (mixed.c), then each part fills its fields. */
#include "scorefield/compare_frames.h"

#include "compare/compare.h"
#include "compare/features.h"
#include "compare/gower.h"
#include "compare/mmd.h"

#include <math.h>
#include <string.h>

/* Of many columns of numbers the covariances alone are more than a table holds. */
enum { STAGES = 9, MOST_COLUMNS_IN_PAIRS = 1000, MOST_NUMBERS = 5000 };

struct frames_work {
    const sf_frame *frame[SFI_TABLES];
    sf_frames_options options;
    sfi_mixed all;
    double started;
};

static sf_status check_options(sf_context *ctx, const sf_frames_options *o)
{
    if (o->max_rows < 0 || o->max_rows == 1)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "compare: max_rows is %lld, want 0 or at least 2",
                        (long long)o->max_rows);
    if (!(o->max_work >= 0.0))
        return SFI_FAIL(ctx, SF_E_ARG, "compare: max_work is %g, want >= 0",
                        o->max_work);
    if (o->circle_count < 0 || (o->circle_count > 0 && o->circles == NULL))
        return SFI_FAIL(ctx, SF_E_ARG, "compare: circle_count is %lld%s",
                        (long long)o->circle_count,
                        o->circle_count < 0 ? ", want >= 0"
                                            : " and circles is NULL");
    if (o->numbers != NULL && o->numbers->held_out.rows > 0)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "compare: options of numbers have held-out rows; "
                        "want them as a frame");
    return SF_OK;
}

static sf_status stage(sf_context *ctx, const struct frames_work *w, int done)
{
    return sfi_compare_stage(ctx, w->started, done, STAGES);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- pairs of columns ----------------------------------------------------- */

static sf_status fill_pairs(sf_context *ctx, const struct frames_work *w,
                            sf_frames_report *r)
{
    const double cols = (double)r->cols;
    sfi_mixed part;
    if (r->cols > MOST_COLUMNS_IN_PAIRS)
        sfi_warn(ctx,
                 "pairs of columns are not compared, of which there "
                 "are %.0f; at most %d columns have pairs",
                 0.5 * cols * (cols - 1.0), (int)MOST_COLUMNS_IN_PAIRS);
    if (r->pairs == 0)
        return SF_OK;
    /* A pair and a row take about as long as ten additions. */
    for (int k = 0; k < SFI_TABLES; k++)
        r->pair_rows[k] = sfi_compare_limit(&w->options, w->all.rows[k],
                                            5.0 * cols * (cols - 1.0));
    SFI_TRY(sfi_mixed_part(ctx, &part, &w->all, r->pair_rows, w->options.seed));
    const int64_t held = r->pair_rows[SFI_HELD_OUT];
    const int64_t m = r->pair_rows[SFI_SYNTHETIC];
    const sf_status status =
        sfi_compare_pairs(ctx, r, &part, held > 0 ? smaller(m, held) : m);
    sfi_mixed_free(ctx, &part);
    return status;
}

/* ---- whole rows ----------------------------------------------------------- */

/* Table k by rows, where a missing cell is a value. */
static sf_status take_rows(sf_context *ctx, sf_cmat *out, const sfi_mixed *m,
                           int k)
{
    double *data = sfi_alloc(ctx, (size_t)(m->rows[k] * m->cols), sizeof *data);
    if (data == NULL)
        return SF_E_NOMEM;
    for (int64_t j = 0; j < m->cols; j++) {
        const double *x = sfi_mixed_cells(m, k, j);
        for (int64_t i = 0; i < m->rows[k]; i++)
            data[i * m->cols + j] = isnan(x[i]) ? INFINITY : x[i];
    }
    *out = (sf_cmat){data, m->rows[k], m->cols, m->cols};
    return SF_OK;
}

static sf_status fill_equal_rows(sf_context *ctx, const struct frames_work *w,
                                 sf_frames_report *r)
{
    sf_cmat table[SFI_TABLES] = {
        {NULL, 0, 0, 0}, {NULL, 0, 0, 0}, {NULL, 0, 0, 0}};
    sf_status status = SF_OK;
    for (int k = 0; k < SFI_TABLES; k++)
        SFI_CHECK(take_rows(ctx, &table[k], &w->all, k));
    SFI_CHECK(
        sfi_compare_equal_rows(ctx, &r->copies, table, table[SFI_HELD_OUT]));

done:
    for (int k = 0; k < SFI_TABLES; k++)
        sfi_free(ctx, (void *)(uintptr_t)table[k].data,
                 (size_t)(table[k].rows * table[k].cols),
                 sizeof *table[k].data);
    return status;
}

/* Scaled rows in random order. */
static sf_status scale_rows(sf_context *ctx, sfi_gower g[SFI_TABLES],
                            const struct frames_work *w)
{
    sfi_mixed shuffled;
    SFI_TRY(
        sfi_mixed_part(ctx, &shuffled, &w->all, w->all.rows, w->options.seed));
    sf_status status = SF_OK;
    for (int k = 0; k < SFI_TABLES && status == SF_OK; k++)
        status = sfi_gower_new(ctx, &g[k], &shuffled, k);
    sfi_mixed_free(ctx, &shuffled);
    return status;
}

static void raise_flags(sf_frames_report *r)
{
    bool unique = false;
    for (int64_t j = 0; j < r->cols; j++)
        unique = unique || r->column[j].distinct[0] == r->rows[0];
    sfi_compare_flags(&r->copies, r->rows, unique);
}

static sf_status fill_rows(sf_context *ctx, const struct frames_work *w,
                           sf_frames_report *r)
{
    sfi_gower g[SFI_TABLES];
    memset(g, 0, sizeof g);
    sf_status status = SF_OK;
    SFI_CHECK(scale_rows(ctx, g, w));
    SFI_CHECK(sfi_compare_rows(ctx, r, g, &w->options));
    SFI_CHECK(stage(ctx, w, 3));
    SFI_CHECK(fill_equal_rows(ctx, w, r));
    SFI_CHECK(sfi_compare_closeness(ctx, r, g, &w->options));
    raise_flags(r);
    SFI_CHECK(stage(ctx, w, 4));
    if (r->inference != NULL)
        SFI_CHECK(sfi_compare_inference(ctx, r, g, &w->options));

done:
    for (int k = 0; k < SFI_TABLES; k++)
        sfi_gower_free(ctx, &g[k]);
    return status;
}

/* ---- columns of numbers --------------------------------------------------- */

static bool is_complete(const struct frames_work *w, const sf_frames_report *r,
                        int k, int64_t row)
{
    for (int64_t c = 0; c < r->number_count; c++)
        if (isnan(sfi_mixed_cells(&w->all, k, r->number_columns[c])[row]))
            return false;
    return true;
}

/* The complete rows of table k; `data` has room for all. */
static sf_cmat take_complete(double *data, const struct frames_work *w,
                             const sf_frames_report *r, int k)
{
    sf_cmat t = {data, 0, r->number_count, r->number_count};
    for (int64_t i = 0; i < r->rows[k]; i++) {
        if (!is_complete(w, r, k, i))
            continue;
        for (int64_t c = 0; c < r->number_count; c++)
            *data++ = sfi_mixed_cells(&w->all, k, r->number_columns[c])[i];
        t.rows++;
    }
    return t;
}

/* Those that have cells at all. */
static void choose_numbers(sf_frames_report *r)
{
    for (int64_t j = 0; j < r->cols; j++) {
        const sf_frames_column *c = &r->column[j];
        if (c->compared == SF_COMPARED_NUMBER && c->present[SFI_REAL] > 0 &&
            c->present[SFI_SYNTHETIC] > 0)
            r->number_columns[r->number_count++] = j;
    }
}

static sf_status fill_numbers(sf_context *ctx, const struct frames_work *w,
                              sf_frames_report *r)
{
    sf_cmat table[2];
    double *data[2] = {NULL, NULL};
    sf_compare_options o = SF_COMPARE_OPTIONS_INIT;
    sf_status status = SF_OK;
    SFI_CHECK(sfi_options(ctx, &o, sizeof o, w->options.numbers));
    o.no_copies = true;
    if (r->number_count > MOST_NUMBERS) {
        sfi_warn(ctx,
                 "the %lld columns of numbers have no joint energy distance, "
                 "which is of at most %d",
                 (long long)r->number_count, (int)MOST_NUMBERS);
        return SF_OK;
    }
    for (int k = SFI_REAL; k <= SFI_SYNTHETIC; k++) {
        data[k] = sfi_alloc(ctx, (size_t)(r->rows[k] * r->number_count),
                            sizeof *data[k]);
        if (data[k] == NULL) {
            status = SF_E_NOMEM;
            goto done;
        }
        table[k] = take_complete(data[k], w, r, k);
    }
    if (table[SFI_REAL].rows < 2 || table[SFI_SYNTHETIC].rows < 2)
        sfi_warn(ctx,
                 "%s has %lld rows with a number in each of the %lld "
                 "columns of numbers, want two: no energy distance",
                 table[SFI_REAL].rows < 2 ? "real" : "synthetic",
                 (long long)(table[SFI_REAL].rows < 2
                                 ? table[SFI_REAL].rows
                                 : table[SFI_SYNTHETIC].rows),
                 (long long)r->number_count);
    else
        status = sf_compare(ctx, &r->numbers, table[SFI_REAL],
                            table[SFI_SYNTHETIC], &o);

done:
    for (int k = SFI_REAL; k <= SFI_SYNTHETIC; k++)
        sfi_free(ctx, data[k], (size_t)(r->rows[k] * r->number_count),
                 sizeof *data[k]);
    return status;
}

/* ---- the report ----------------------------------------------------------- */

static sf_status allocate(sf_context *ctx, sf_frames_report *r,
                          const sfi_mixed *m)
{
    const size_t d = (size_t)m->cols;
    r->cols = m->cols;
    memcpy(r->rows, m->rows, sizeof r->rows);
    r->pairs =
        m->cols <= MOST_COLUMNS_IN_PAIRS ? m->cols * (m->cols - 1) / 2 : 0;
    const size_t pairs = (size_t)r->pairs;
    r->column = sfi_alloc_zero(ctx, d, sizeof *r->column);
    r->pair = sfi_alloc_zero(ctx, pairs, sizeof *r->pair);
    r->largest = sfi_alloc_zero(ctx, pairs, sizeof *r->largest);
    r->number_columns = sfi_alloc(ctx, d, sizeof *r->number_columns);
    if (r->rows[SFI_HELD_OUT] > 0) {
        r->inference = sfi_alloc_zero(ctx, d, sizeof *r->inference);
        if (r->inference == NULL)
            return SF_E_NOMEM;
    }
    if (r->column == NULL || r->pair == NULL || r->largest == NULL ||
        r->number_columns == NULL)
        return SF_E_NOMEM;
    for (int64_t j = 0; j < m->cols; j++) {
        r->column[j].kind = m->column[j].kind;
        r->column[j].compared = m->column[j].compared;
        r->column[j].period = m->column[j].period;
    }
    return SF_OK;
}

static sf_status fill(sf_context *ctx, struct frames_work *w,
                      sf_frames_report *r)
{
    SFI_TRY(sfi_check_target(ctx, &w->all, &w->options));
    SFI_TRY(allocate(ctx, r, &w->all));
    SFI_TRY(stage(ctx, w, 0));
    SFI_TRY(sfi_compare_mixed_columns(ctx, r, &w->all));
    choose_numbers(r);
    SFI_TRY(stage(ctx, w, 1));
    SFI_TRY(fill_pairs(ctx, w, r));
    SFI_TRY(stage(ctx, w, 2));
    SFI_TRY(fill_rows(ctx, w, r));
    SFI_TRY(stage(ctx, w, 5));
    SFI_TRY(sfi_compare_two_sample(ctx, r, &w->all, &w->options));
    SFI_TRY(stage(ctx, w, 6));
    SFI_TRY(sfi_compare_usefulness(ctx, r, &w->all, &w->options));
    SFI_TRY(stage(ctx, w, 7));
    SFI_TRY(sfi_compare_mmd(ctx, r, &w->all, &w->options));
    SFI_TRY(stage(ctx, w, 8));
    if (r->number_count > 0)
        SFI_TRY(fill_numbers(ctx, w, r));
    return stage(ctx, w, STAGES);
}

void sf_frames_report_free(sf_context *ctx, sf_frames_report *r)
{
    if (r == NULL)
        return;
    const size_t d = (size_t)r->cols, pairs = (size_t)r->pairs;
    sf_compare_report_free(ctx, r->numbers);
    sfi_free(ctx, r->inference, d, sizeof *r->inference);
    sfi_free(ctx, r->number_columns, d, sizeof *r->number_columns);
    sfi_free(ctx, r->largest, pairs, sizeof *r->largest);
    sfi_free(ctx, r->pair, pairs, sizeof *r->pair);
    sfi_free(ctx, r->column, d, sizeof *r->column);
    sfi_free(ctx, r, 1, sizeof *r);
}

/* Look at the options and make the tables alike; w->all is to be freed. */
static sf_status begin(sf_context *ctx, struct frames_work *w,
                       const sf_frame *real, const sf_frame *synthetic,
                       const sf_frames_options *opts)
{
    *w = (struct frames_work){.options = SF_FRAMES_OPTIONS_INIT,
                              .started = sfi_clock()};
    SFI_TRY(sfi_options(ctx, &w->options, sizeof w->options, opts));
    SFI_TRY(check_options(ctx, &w->options));
    w->frame[SFI_REAL] = real;
    w->frame[SFI_SYNTHETIC] = synthetic;
    w->frame[SFI_HELD_OUT] = w->options.held_out;
    return sfi_mixed_new(ctx, &w->all, w->frame, w->options.circles,
                         w->options.circle_count);
}

sf_status sf_compare_frames(sf_context *ctx, sf_frames_report **out,
                            const sf_frame *real, const sf_frame *synthetic,
                            const sf_frames_options *opts)
{
    struct frames_work w;
    *out = NULL;
    SFI_TRY(begin(ctx, &w, real, synthetic, opts));
    sf_frames_report *r = sfi_alloc_zero(ctx, 1, sizeof *r);
    const sf_status status = r != NULL ? fill(ctx, &w, r) : SF_E_NOMEM;
    sfi_mixed_free(ctx, &w.all);
    if (status != SF_OK) {
        sf_frames_report_free(ctx, r);
        return status;
    }
    *out = r;
    return SF_OK;
}

/* ---- rows that a model drew ------------------------------------------------- */

/* Some rows of the points of two tables, one after the other. */
static sf_status join(sf_context *ctx, sf_cmat *out, const sfi_features *f,
                      const int table[2], const int64_t rows[2])
{
    const size_t first = (size_t)(rows[0] * f->cols),
                 second = (size_t)(rows[1] * f->cols);
    double *data = sfi_alloc(ctx, first + second, sizeof *data);
    if (data == NULL)
        return SF_E_NOMEM;
    memcpy(data, f->x[table[0]], first * sizeof *data);
    memcpy(data + first, f->x[table[1]], second * sizeof *data);
    *out = (sf_cmat){data, rows[0] + rows[1], f->cols, f->cols};
    return SF_OK;
}

static sf_status energy_of_draws(sf_context *ctx, sf_frames_draws *out,
                                 const struct frames_work *w,
                                 const sf_frames_report *r)
{
    static const int table[2] = {SFI_HELD_OUT, SFI_SYNTHETIC};
    sf_compare_options o = SF_COMPARE_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, w->options.numbers));
    if (o.permutations < 0 || o.test_rows < 0)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "compare: permutations is %d and test_rows %lld, want "
                        ">= 0",
                        o.permutations, (long long)o.test_rows);
    int64_t rows[2], part_rows[SFI_TABLES];
    memcpy(part_rows, w->all.rows, sizeof part_rows);
    for (int k = 0; k < 2; k++) {
        int64_t *here = &part_rows[table[k]];
        *here = o.test_rows > 0 ? smaller(*here, o.test_rows) : *here;
        rows[k] = *here;
    }
    sfi_mixed part = {0};
    sfi_features f = {0};
    sfi_points points = {0, 0, NULL, NULL};
    sf_cmat joined = {NULL, 0, 0, 0};
    sf_compare_test test;
    sf_status status = SF_OK;
    SFI_CHECK(sfi_mixed_part(ctx, &part, &w->all, part_rows, w->options.seed));
    SFI_CHECK(sfi_features_new(ctx, &f, &part, r->column, -1));
    SFI_CHECK(join(ctx, &joined, &f, table, rows));
    SFI_CHECK(sfi_points_new(ctx, &points, joined, NULL, 0, NULL));
    SFI_CHECK(sfi_energy_test(ctx, &test, &points, rows, o.permutations,
                              w->options.seed));
    out->energy = test.distance;
    out->energy_p = o.permutations > 0 ? test.p : (double)NAN;

done:
    sfi_points_free(ctx, &points);
    sfi_free(ctx, (void *)(uintptr_t)joined.data,
             (size_t)(joined.rows * joined.cols), sizeof *joined.data);
    sfi_features_free(ctx, &f);
    sfi_mixed_free(ctx, &part);
    return status;
}

static sf_status closeness_of_draws(sf_context *ctx, sf_frames_draws *out,
                                    const struct frames_work *w,
                                    sf_frames_report *r)
{
    sfi_gower g[SFI_TABLES];
    memset(g, 0, sizeof g);
    sf_status status = SF_OK;
    SFI_CHECK(scale_rows(ctx, g, w));
    SFI_CHECK(fill_equal_rows(ctx, w, r));
    SFI_CHECK(sfi_compare_closeness(ctx, r, g, &w->options));
    const sf_compare_copies *c = &r->copies;
    out->closeness_ratio = r->closeness_ratio;
    out->near_share = c->closer;
    out->copies[0] = (double)c->reference_copies / (double)c->reference_rows;
    out->copies[1] = (double)c->copies / (double)r->rows[SFI_SYNTHETIC];

done:
    for (int k = 0; k < SFI_TABLES; k++)
        sfi_gower_free(ctx, &g[k]);
    return status;
}

static sf_status judge_draws(sf_context *ctx, sf_frames_draws *out,
                             const struct frames_work *w)
{
    if (w->all.rows[SFI_HELD_OUT] == 0)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "compare: draws are compared with held-out rows, and "
                        "there are none");
    sf_frames_report *r = sfi_alloc_zero(ctx, 1, sizeof *r);
    if (r == NULL)
        return SF_E_NOMEM;
    sf_frames_draws result = SF_FRAMES_DRAWS_INIT;
    sf_status status = SF_OK;
    SFI_CHECK(allocate(ctx, r, &w->all));
    SFI_CHECK(sfi_compare_mixed_columns(ctx, r, &w->all));
    SFI_CHECK(energy_of_draws(ctx, &result, w, r));
    SFI_CHECK(closeness_of_draws(ctx, &result, w, r));
    sfi_result(out, &result, sizeof result);

done:
    sf_frames_report_free(ctx, r);
    return status;
}

sf_status sf_compare_draws(sf_context *ctx, sf_frames_draws *out,
                           const sf_frame *real, const sf_frame *drawn,
                           const sf_frames_options *opts)
{
    struct frames_work w;
    SFI_TRY(begin(ctx, &w, real, drawn, opts));
    const sf_status status = judge_draws(ctx, out, &w);
    sfi_mixed_free(ctx, &w.all);
    return status;
}
