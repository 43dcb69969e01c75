/* SPDX-License-Identifier: Apache-2.0 */
/* frame_read.c - frames of files: in memory, or passing by.
 *
 * What the kinds of columns need besides what the reader knows (the range of its
 * numbers, and whether they only count the rows) is taken from the same rows, in
 * the order of the file, so that it is the same in either case. */
#include "table/frame.h"

#include <math.h>
#include <string.h>

/* ---- what rows say -------------------------------------------------------- */

typedef struct passing {
    sfi_store *store;
    int64_t cols, rows;
    sf_frame_summary *summaries; /* [cols]; sd holds the sum of squares */
    double *last;                /* [cols] the cell before              */
    bool *runs;                  /* [cols]                              */
} passing;

static void begin(passing *p)
{
    p->rows = 0;
    for (int64_t j = 0; j < p->cols; j++) {
        p->summaries[j] = (sf_frame_summary)SF_FRAME_SUMMARY_INIT;
        p->summaries[j].min = INFINITY;
        p->summaries[j].max = -INFINITY;
        p->runs[j] = true;
    }
}

static sf_status new_passing(sf_context *ctx, passing *p, int64_t cols)
{
    const size_t n = (size_t)cols;
    p->cols = cols;
    p->summaries = sfi_alloc(ctx, n, sizeof *p->summaries);
    p->last = sfi_alloc_zero(ctx, n, sizeof *p->last);
    p->runs = sfi_alloc(ctx, n, sizeof *p->runs);
    if (p->summaries == NULL || p->last == NULL || p->runs == NULL)
        return SF_E_NOMEM;
    begin(p);
    return SF_OK;
}

static void free_passing(sf_context *ctx, passing *p)
{
    const size_t n = (size_t)p->cols;
    sfi_free(ctx, p->summaries, n, sizeof *p->summaries);
    sfi_free(ctx, p->last, n, sizeof *p->last);
    sfi_free(ctx, p->runs, n, sizeof *p->runs);
}

/* Mean and squares by Welford's recurrence (Technometrics 4 (1962) 419-420). */
static void add_cell(sf_frame_summary *s, double x)
{
    if (isnan(x)) {
        s->missing++;
        return;
    }
    s->present++;
    const double from = x - s->mean;
    s->min = x < s->min ? x : s->min;
    s->max = x > s->max ? x : s->max;
    s->mean += from / (double)s->present;
    s->sd += from * (x - s->mean);
}

static void add_rows(void *user, int64_t count, const double *cells)
{
    passing *p = user;
    if (count < 0) {
        begin(p);
        return;
    }
    for (int64_t i = 0; i < count; i++, p->rows++)
        for (int64_t j = 0; j < p->cols; j++) {
            const double x = cells[i * p->cols + j];
            add_cell(&p->summaries[j], x);
            p->runs[j] &= p->rows == 0 || x == p->last[j] + 1.0;
            p->last[j] = x;
        }
}

/* Turn sums into what a summary says. */
static void finish(sf_frame_summary *s)
{
    if (s->present == 0)
        s->min = s->max = s->mean = (double)NAN;
    s->sd =
        s->present > 1 ? sqrt(s->sd / (double)(s->present - 1)) : (double)NAN;
}

/* The first and the last of the dates that pass by. */
static void span_dates(const sfi_frame_cells *c, sf_frame_summary *s)
{
    s->min = INFINITY;
    s->max = -INFINITY;
    for (int64_t k = 0; k < c->level_count; k++) {
        s->min = c->of_level[k] < s->min ? c->of_level[k] : s->min;
        s->max = c->of_level[k] > s->max ? c->of_level[k] : s->max;
    }
}

static sf_status settle(passing *p, const sf_column *columns, const char *told)
{
    sfi_store *s = p->store;
    s->rows = p->rows;
    for (int64_t j = 0; j < p->cols; j++) {
        finish(&p->summaries[j]);
        if (columns[j].kind == SF_COLUMN_TEXT)
            continue;
        s->schema.columns[j].min = p->summaries[j].min;
        s->schema.columns[j].max = p->summaries[j].max;
    }
    SFI_TRY(sfi_find_kinds(s, columns, p->runs, told));
    for (int64_t j = 0; j < p->cols; j++)
        if (s->cells[j].of_level != NULL)
            span_dates(&s->cells[j], &p->summaries[j]);
    return SF_OK;
}

/* ---- in memory ------------------------------------------------------------ */

static sf_status take_table(sf_context *ctx, sf_frame **out, sf_table *table,
                            sfi_rows *rows, const sf_read_options *options)
{
    sfi_store *s = NULL;
    passing p = {0};
    const int64_t cols = table->cols;
    SFI_TRY(sfi_store_new(ctx, &s, table->rows, cols));
    s->table = *table;
    memset(table, 0, sizeof *table);
    s->has_names = sfi_rows_has_names(rows);
    s->name = sfi_copy_text(ctx, sfi_rows_name(rows));
    for (int64_t j = 0; j < cols; j++)
        s->cells[j] = (sfi_frame_cells){
            .data = (const unsigned char *)(s->table.data + j),
            .stride = cols * (int64_t)sizeof *s->table.data};
    p.store = s;
    sf_status status =
        s->name != NULL ? new_passing(ctx, &p, cols) : SF_E_NOMEM;
    if (status == SF_OK) {
        add_rows(&p, s->table.rows, s->table.data);
        status = settle(&p, s->table.columns, options->kinds);
    }
    free_passing(ctx, &p);
    if (status != SF_OK) {
        sfi_store_drop(s);
        return status;
    }
    return sfi_frame_of(ctx, out, s);
}

static sf_status read_frame(sf_context *ctx, sf_frame **out, sfi_rows *rows,
                            const sf_read_options *given)
{
    sf_read_options o = SF_READ_OPTIONS_INIT;
    sf_table table;
    *out = NULL;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, given));
    SFI_TRY(sfi_rows_read_all(rows, &table));
    const sf_status status = take_table(ctx, out, &table, rows, &o);
    sf_table_free(ctx, &table);
    return status;
}

sf_status sf_frame_read(sf_context *ctx, sf_frame **out, const char *path,
                        const sf_read_options *options)
{
    sfi_rows *rows = NULL;
    *out = NULL;
    SFI_TRY(sfi_rows_open(ctx, &rows, path, options));
    const sf_status status = read_frame(ctx, out, rows, options);
    sfi_rows_close(rows);
    return status;
}

/* ---- passing by ----------------------------------------------------------- */

enum { BLOCK = 1 << 15 }; /* cells */

static sf_status learn(sfi_store *s, passing *p, const char *told)
{
    const int64_t limit = BLOCK / p->cols > 0 ? BLOCK / p->cols : 1;
    const size_t cells = (size_t)(limit * p->cols);
    double *block = sfi_alloc(s->ctx, cells, sizeof *block);
    if (block == NULL)
        return SF_E_NOMEM;
    sf_status status = sfi_rows_learn(s->stream, block, limit, add_rows, p);
    sfi_free(s->ctx, block, cells, sizeof *block);
    return status == SF_OK ? settle(p, sfi_rows_columns(s->stream), told)
                           : status;
}

sf_status sf_frame_open(sf_context *ctx, sf_frame **out, const char *path,
                        const sf_read_options *options)
{
    sfi_rows *rows = NULL;
    sfi_store *s = NULL;
    passing p = {0};
    sf_read_options o = SF_READ_OPTIONS_INIT;
    *out = NULL;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, options));
    SFI_TRY(sfi_rows_open(ctx, &rows, path, options));
    sf_status status = sfi_store_new(ctx, &s, 0, sfi_rows_cols(rows));
    if (status != SF_OK) {
        sfi_rows_close(rows);
        return status;
    }
    s->stream = rows;
    s->has_names = sfi_rows_has_names(rows);
    s->name = sfi_copy_text(ctx, sfi_rows_name(rows));
    p.store = s;
    status =
        s->name != NULL ? new_passing(ctx, &p, s->schema.count) : SF_E_NOMEM;
    if (status == SF_OK)
        status = learn(s, &p, o.kinds);
    s->summaries = p.summaries;
    p.summaries = NULL;
    free_passing(ctx, &p);
    if (status != SF_OK) {
        sfi_store_drop(s);
        return status;
    }
    return sfi_frame_of(ctx, out, s);
}

/* ---- summaries ------------------------------------------------------------ */

sf_status sf_frame_summarise(sf_context *ctx, sf_frame_summary *out,
                             const sf_frame *f, int64_t col)
{
    const size_t size = out->size;
    const sfi_store *s = f->store;
    const int64_t j = f->index[col];
    sf_frame_summary sum = SF_FRAME_SUMMARY_INIT;
    if (size < sizeof size || size > sizeof sum)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "summary: size is %zu, want SF_FRAME_SUMMARY_INIT",
                        size);
    if (s->stream != NULL) {
        sum = s->summaries[j];
    } else {
        sum.min = INFINITY;
        sum.max = -INFINITY;
        for (int64_t i = 0; i < f->rows; i++)
            add_cell(&sum, sfi_store_cell(s, sf_frame_row(f, i), j));
        finish(&sum);
    }
    if (s->schema.columns[j].level_count > 0)
        sum.min = sum.mean = sum.max = sum.sd = (double)NAN;
    /* Of dates that pass by only the levels are known. */
    if (s->schema.columns[j].kind == SF_KIND_DATE)
        sum.mean = sum.sd = (double)NAN;
    memcpy(out, &sum, size);
    out->size = size;
    return SF_OK;
}

sf_status sf_frame_count_levels(sf_context *ctx, int64_t *counts,
                                const sf_frame *f, int64_t col)
{
    const int64_t n = sf_frame_level_count(f, col);
    SFI_TRY(sfi_frame_need_cells(ctx, f, "counting levels"));
    for (int64_t k = 0; k < n; k++)
        counts[k] = 0;
    for (int64_t i = 0; i < f->rows && n > 0; i++) {
        const double cell = sf_frame_cell(f, i, col);
        if (cell >= 0.0 && cell < (double)n)
            counts[(int64_t)cell]++;
    }
    return SF_OK;
}
