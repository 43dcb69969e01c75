/* SPDX-License-Identifier: Apache-2.0 */
/* frame_read.c - frames of files: in memory, or passing by.
 *
 * What the kinds of columns need besides what the reader knows (the range of its
 * numbers, and whether they only count the rows) is taken from the same rows, in
 * the order of the file, so that it is the same in either case; but for atoms, which
 * are found where all cells are held. */
#include "table/frame.h"

#include <math.h>
#include <string.h>

/* ---- what rows say -------------------------------------------------------- */

typedef struct passing {
    sfi_store *store;
    int64_t cols, rows;
    sfi_seen *seen; /* [cols] */
} passing;

static void begin(passing *p)
{
    p->rows = 0;
    for (int64_t j = 0; j < p->cols; j++)
        sfi_seen_begin(&p->seen[j]);
}

static sf_status new_passing(sf_context *ctx, passing *p, int64_t cols)
{
    p->cols = cols;
    p->seen = sfi_alloc(ctx, (size_t)cols, sizeof *p->seen);
    if (p->seen == NULL)
        return SF_E_NOMEM;
    begin(p);
    return SF_OK;
}

static void free_passing(sf_context *ctx, passing *p)
{
    sfi_free(ctx, p->seen, (size_t)p->cols, sizeof *p->seen);
}

static void add_rows(void *user, int64_t count, const double *cells)
{
    passing *p = user;
    if (count < 0) {
        begin(p);
        return;
    }
    p->rows += count;
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < p->cols; j++)
            sfi_seen_add(&p->seen[j], cells[i * p->cols + j]);
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
    for (int64_t j = 0; j < p->cols; j++)
        sfi_seen_end(&p->seen[j]);
    SFI_TRY(sfi_find_kinds(s, columns, p->seen, told));
    for (int64_t j = 0; j < p->cols; j++)
        if (s->cells[j].of_level != NULL)
            span_dates(&s->cells[j], &p->seen[j].summary);
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

static sf_status keep_summaries(sfi_store *s, const passing *p)
{
    s->summaries = sfi_alloc(s->ctx, (size_t)p->cols, sizeof *s->summaries);
    if (s->summaries == NULL)
        return SF_E_NOMEM;
    for (int64_t j = 0; j < p->cols; j++)
        s->summaries[j] = p->seen[j].summary;
    return SF_OK;
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
    if (status == SF_OK)
        status = keep_summaries(s, &p);
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
        sfi_seen seen;
        sfi_seen_begin(&seen);
        for (int64_t i = 0; i < f->rows; i++)
            sfi_seen_add(&seen, sfi_store_cell(s, sf_frame_row(f, i), j));
        sfi_seen_end(&seen);
        sum = seen.summary;
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
