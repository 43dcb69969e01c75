/* SPDX-License-Identifier: Apache-2.0 */
/* frame.c - what a frame knows, and where its cells are.
 *
 * Every cell is read as a double, which holds each type but whole numbers beyond
 * 2^53 exactly; a missing cell is NaN, whether a bit says so or the cell itself. */
#include "table/frame.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* ---- stores --------------------------------------------------------------- */

sf_status sfi_store_new(sf_context *ctx, sfi_store **out, int64_t rows,
                        int64_t cols)
{
    *out = NULL;
    sfi_store *s = sfi_alloc_zero(ctx, 1, sizeof *s);
    if (s == NULL)
        return SF_E_NOMEM;
    s->ctx = ctx;
    s->references = 1;
    s->rows = rows;
    sf_status status = sfi_schema_new(ctx, &s->schema, cols);
    if (status == SF_OK) {
        s->cells = sfi_alloc_zero(ctx, (size_t)cols, sizeof *s->cells);
        s->is_constant =
            sfi_alloc_zero(ctx, (size_t)cols, sizeof *s->is_constant);
        if (s->cells == NULL || s->is_constant == NULL)
            status = SF_E_NOMEM;
    }
    if (status != SF_OK) {
        sfi_store_drop(s);
        return status;
    }
    *out = s;
    return SF_OK;
}

void sfi_store_drop(sfi_store *s)
{
    if (s == NULL || --s->references > 0)
        return;
    sf_context *ctx = s->ctx;
    const size_t cols = (size_t)s->schema.count;
    for (size_t j = 0; j < cols && s->cells != NULL; j++)
        sfi_free(ctx, s->cells[j].of_level, (size_t)s->cells[j].level_count,
                 sizeof *s->cells[j].of_level);
    sfi_free(ctx, s->cells, cols, sizeof *s->cells);
    sfi_free(ctx, s->is_constant, cols, sizeof *s->is_constant);
    sfi_free(ctx, s->summaries, cols, sizeof *s->summaries);
    sfi_schema_free(ctx, &s->schema);
    sfi_dictionary_free(ctx, &s->names);
    sf_table_free(ctx, &s->table);
    sfi_rows_close(s->stream);
    sfi_free_text(ctx, s->name);
    if (s->mapped != NULL)
        munmap(s->mapped, s->mapped_size);
    sfi_free(ctx, s, 1, sizeof *s);
}

static double number_at(const unsigned char *p, sf_cell_type type)
{
    /* A stride need not keep the cells aligned. */
    switch (type) {
    case SF_CELL_F64: {
        double x;
        memcpy(&x, p, sizeof x);
        return x;
    }
    case SF_CELL_F32: {
        float x;
        memcpy(&x, p, sizeof x);
        return (double)x;
    }
    case SF_CELL_I64: {
        int64_t x;
        memcpy(&x, p, sizeof x);
        return (double)x;
    }
    case SF_CELL_I32: {
        int32_t x;
        memcpy(&x, p, sizeof x);
        return (double)x;
    }
    case SF_CELL_U8:
        break;
    }
    return (double)*p;
}

double sfi_store_cell(const sfi_store *s, int64_t row, int64_t col)
{
    const sfi_frame_cells *c = &s->cells[col];
    if (c->data == NULL)
        return (double)NAN;
    if (c->validity != NULL) {
        const int64_t bit = c->validity_first + row;
        if ((c->validity[bit / 8] >> (bit % 8) & 1) == 0)
            return (double)NAN;
    }
    return number_at(c->data + row * c->stride, c->type);
}

/* ---- frames --------------------------------------------------------------- */

/* A frame with room for its columns and, if it has its own, rows. */
static sf_status new_frame(sf_context *ctx, sf_frame **out, sfi_store *store,
                           int64_t rows, int64_t cols, bool has_map)
{
    *out = NULL;
    sf_frame *f = sfi_alloc_zero(ctx, 1, sizeof *f);
    if (f == NULL)
        return SF_E_NOMEM;
    f->ctx = ctx;
    f->rows = rows;
    f->cols = cols;
    f->index = sfi_alloc(ctx, (size_t)cols, sizeof *f->index);
    f->place = sfi_alloc(ctx, (size_t)store->schema.count, sizeof *f->place);
    store->references++;
    f->store = store;
    if (has_map)
        f->map = sfi_alloc(ctx, (size_t)rows, sizeof *f->map);
    if (f->index == NULL || f->place == NULL || (has_map && f->map == NULL)) {
        sf_frame_free(f);
        return SF_E_NOMEM;
    }
    *out = f;
    return SF_OK;
}

/* Names are found by their hash: there may be 100000. */
static sf_status index_names(sfi_store *s)
{
    for (int64_t j = 0; j < s->schema.count; j++) {
        const char *name = s->schema.columns[j].name;
        const size_t size = strlen(name);
        if (sfi_dictionary_find(&s->names, name, size) >= 0)
            return SFI_FAIL(s->ctx, SF_E_ARG,
                            "frame: two columns are called \"%.200s\"", name);
        SFI_TRY(sfi_dictionary_add(s->ctx, &s->names, name, size));
    }
    return SF_OK;
}

/* Fill `place` of a frame whose index is set. */
static void find_places(sf_frame *f)
{
    for (int64_t j = 0; j < f->store->schema.count; j++)
        f->place[j] = -1;
    for (int64_t j = 0; j < f->cols; j++)
        f->place[f->index[j]] = j;
}

sf_status sfi_frame_of(sf_context *ctx, sf_frame **out, sfi_store *store)
{
    const int64_t cols = store->schema.count;
    *out = NULL;
    sf_status status = index_names(store);
    if (status == SF_OK)
        status = new_frame(ctx, out, store, store->rows, cols, false);
    if (status == SF_OK) {
        for (int64_t j = 0; j < cols; j++)
            (*out)->index[j] = j;
        find_places(*out);
    }
    sfi_store_drop(store);
    return status;
}

sf_status sfi_frame_view(sf_context *ctx, sf_frame **out, const sf_frame *frame,
                         const int64_t *index, int64_t cols, const int64_t *map,
                         int64_t rows)
{
    const bool has_map = map != NULL || frame->map != NULL;
    SFI_TRY(new_frame(ctx, out, frame->store, rows, cols, has_map));
    sf_frame *f = *out;
    for (int64_t j = 0; j < cols; j++)
        f->index[j] = frame->index[index != NULL ? index[j] : j];
    find_places(f);
    for (int64_t i = 0; i < rows && has_map; i++) {
        const int64_t row = map != NULL ? map[i] : i;
        f->map[i] = frame->map != NULL ? frame->map[row] : row;
    }
    return SF_OK;
}

void sf_frame_free(sf_frame *f)
{
    if (f == NULL)
        return;
    sf_context *ctx = f->ctx;
    if (f->store != NULL)
        sfi_free(ctx, f->place, (size_t)f->store->schema.count,
                 sizeof *f->place);
    sfi_store_drop(f->store);
    sfi_free(ctx, f->index, (size_t)f->cols, sizeof *f->index);
    sfi_free(ctx, f->map, (size_t)f->rows, sizeof *f->map);
    sfi_free(ctx, f->matrix, (size_t)(f->rows * f->cols), sizeof *f->matrix);
    sfi_free(ctx, f, 1, sizeof *f);
}

sf_status sfi_frame_need_cells(sf_context *ctx, const sf_frame *f,
                               const char *what)
{
    if (f->store->stream == NULL)
        return SF_OK;
    return SFI_FAIL(ctx, SF_E_UNSUPPORTED,
                    "frame: %s wants the cells in memory; read %s with "
                    "sf_frame_read()",
                    what, f->store->name);
}

/* ---- what it knows -------------------------------------------------------- */

int64_t sf_frame_rows(const sf_frame *f)
{
    return f->rows;
}

int64_t sf_frame_cols(const sf_frame *f)
{
    return f->cols;
}

const char *sf_frame_name(const sf_frame *f, int64_t col)
{
    return sfi_frame_about(f, col)->name;
}

sf_kind sf_frame_kind(const sf_frame *f, int64_t col)
{
    return sfi_frame_about(f, col)->kind;
}

const char *sf_frame_unit(const sf_frame *f, int64_t col)
{
    return sfi_frame_about(f, col)->unit;
}

int64_t sf_frame_level_count(const sf_frame *f, int64_t col)
{
    return sfi_frame_about(f, col)->level_count;
}

const char *sf_frame_level(const sf_frame *f, int64_t col, int64_t level)
{
    return sfi_frame_about(f, col)->levels[level];
}

bool sf_frame_is_number(const sf_frame *f, int64_t col)
{
    const sfi_schema_column *c = sfi_frame_about(f, col);
    return c->level_count == 0 && c->kind != SF_KIND_DATE &&
           c->kind != SF_KIND_CATEGORY;
}

bool sf_frame_is_constant(const sf_frame *f, int64_t col)
{
    return f->store->is_constant[f->index[col]];
}

bool sf_frame_has_names(const sf_frame *f)
{
    return f->store->has_names;
}

int64_t sf_frame_find(const sf_frame *f, const char *name)
{
    const int64_t found =
        sfi_dictionary_find(&f->store->names, name, strlen(name));
    return found >= 0 ? f->place[found] : -1;
}

int64_t sf_frame_row(const sf_frame *f, int64_t row)
{
    return f->map != NULL ? f->map[row] : row;
}

double sf_frame_cell(const sf_frame *f, int64_t row, int64_t col)
{
    return sfi_store_cell(f->store, sf_frame_row(f, row), f->index[col]);
}

/* ---- places --------------------------------------------------------------- */

int64_t sf_frame_line(const sf_frame *f, int64_t row)
{
    const int64_t from = sf_frame_row(f, row);
    return f->store->stream != NULL ? sfi_rows_line(f->store->stream, from)
                                    : sfi_table_line(&f->store->table, from);
}

char *sf_frame_place(const sf_frame *f, int64_t row, int64_t col,
                     char text[SF_PLACE_SIZE])
{
    const sfi_store *s = f->store;
    const int64_t line = sf_frame_line(f, row);
    int used = 0;
    if (line >= 0)
        used = snprintf(text, SF_PLACE_SIZE, "%.200s:%lld", s->name,
                        (long long)line);
    else
        used = snprintf(
            text, SF_PLACE_SIZE, "%.200s%srow %lld (counted from 0)",
            s->name != NULL ? s->name : "", s->name != NULL ? ": " : "",
            (long long)sf_frame_row(f, row));
    if (col >= 0)
        snprintf(text + used, SF_PLACE_SIZE - (size_t)used,
                 "%s column \"%.200s\"", line >= 0 ? ":" : ",",
                 sf_frame_name(f, col));
    return text;
}

sf_status sfi_frame_error(const sf_frame *f, sf_status status)
{
    enum { SIZE = 1024 };
    char text[SIZE];
    sf_context *ctx = f->ctx;
    if (status != SF_E_ARG && status != SF_E_SHAPE && status != SF_E_NUMERIC)
        return status;
    snprintf(text, sizeof text, "%s", sf_context_message(ctx));
    const char *name = f->store->name != NULL ? f->store->name : "<memory>";
    char *at = strstr(text, "row "), *end = NULL;
    const int64_t row = at != NULL ? strtoll(at + 4, &end, 10) : 0;
    if (at == NULL || end == at + 4 || row < 1 || row > f->rows) {
        sfi_message_prefix(ctx, "%s: ", name);
        return SF_E_FORMAT;
    }
    const int64_t line = sf_frame_line(f, row - 1);
    char file[SF_PLACE_SIZE];
    if (line >= 0)
        snprintf(file, sizeof file, "%.400s:%lld", name, (long long)line);
    else
        snprintf(file, sizeof file, "%.400s", name);
    return SFI_FAIL(ctx, SF_E_FORMAT, "%s: %.*srow %lld%s", file,
                    (int)(at - text), text,
                    (long long)sf_frame_row(f, row - 1) + 1, end);
}
