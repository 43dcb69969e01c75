/* SPDX-License-Identifier: Apache-2.0 */
/* rows.c - the rows of a table file in their order, whatever the format.
 *
 * The columns live in `head`, a table without rows.  While the rows pass for
 * the first time we count the missing cells of every column and notice whether
 * it holds anything but whole numbers; when they have passed, `is_complete` is
 * set and the columns do not change any more. */
#include "io/rows.h"

#include "io/arff.h"
#include "io/csv.h"
#include "io/npy.h"

#include <math.h>
#include <string.h>

typedef struct column_count {
    int64_t missing;
    int64_t fractional; /* cells that are neither missing nor whole        */
} column_count;

struct sfi_rows {
    sf_context *ctx;
    const sfi_table_format *format;
    sfi_input *input;
    void *state;
    sf_table head;
    column_count *counts; /* [cols]                                        */
    int64_t seen;         /* rows since the beginning                      */
    bool is_complete;     /* every row was seen once                       */
    bool must_reread;
    sf_status failure; /* of the last next or rewind                    */
};

static const sfi_table_format *const formats[] = {
    &sfi_csv_format, &sfi_arff_format, &sfi_npy_format};

/* ---- formats -------------------------------------------------------------- */

/* Whether path[0..size-1] ends in one of "a|b", in any case. */
static bool has_ending(const char *path, size_t size, const char *endings)
{
    for (;;) {
        const size_t n = strcspn(endings, "|");
        bool same = size > n;
        for (size_t k = 0; k < n && same; k++) {
            const char c = path[size - n + k];
            same = (c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c) == endings[k];
        }
        if (same && n > 0)
            return true;
        if (endings[n] == '\0')
            return false;
        endings += n + 1;
    }
}

/* The format of a name, which may end in .gz; NULL. */
static const sfi_table_format *format_of(const char *path)
{
    size_t size = strlen(path);
    const bool is_small = has_ending(path, size, ".gz");
    size -= is_small ? 3 : 0;
    for (size_t i = 0; i < SFI_COUNT(formats); i++)
        if (has_ending(path, size, formats[i]->extensions) &&
            (formats[i]->expands || !is_small))
            return formats[i];
    return NULL;
}

const sfi_table_format *sfi_table_format_to_write(const char *path)
{
    const size_t size = strlen(path);
    for (size_t i = 0; i < SFI_COUNT(formats); i++)
        if (formats[i]->writes != NULL &&
            has_ending(path, size, formats[i]->writes))
            return formats[i];
    return sfi_path_is_device(path) ? &sfi_csv_format : NULL;
}

/* What has no name says itself what it is. */
static sf_status format_of_stream(sfi_rows *rows)
{
    const char *bytes = NULL;
    size_t size = 0;
    SFI_TRY(sfi_input_peek(rows->input, SFI_INPUT_PEEK, &bytes, &size));
    rows->format =
        sfi_arff_begins(bytes, size) ? &sfi_arff_format : &sfi_csv_format;
    return SF_OK;
}

/* ---- opening -------------------------------------------------------------- */

static sf_status new_rows(sf_context *ctx, sfi_rows **out,
                          const sfi_table_format *format)
{
    *out = sfi_alloc_zero(ctx, 1, sizeof **out);
    if (*out == NULL)
        return SF_E_NOMEM;
    (*out)->ctx = ctx;
    (*out)->format = format;
    return SF_OK;
}

/* Read the header. */
static sf_status read_header(sfi_rows *rows, size_t buffer,
                             const sf_read_options *given)
{
    sf_context *ctx = rows->ctx;
    sf_read_options o = SF_READ_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, given));
    if (o.max_bytes < 1)
        return SFI_FAIL(ctx, SF_E_ARG, "max_bytes is %lld, want > 0",
                        (long long)o.max_bytes);
    if (rows->format == NULL || rows->format->expands)
        SFI_TRY(sfi_input_expand(ctx, &rows->input, o.max_bytes));
    if (rows->format == NULL)
        SFI_TRY(format_of_stream(rows));
    SFI_TRY(rows->format->open(ctx, &rows->state, rows->input, &rows->head,
                               buffer, &o));
    rows->counts =
        sfi_alloc_zero(ctx, (size_t)rows->head.cols, sizeof *rows->counts);
    return rows->counts != NULL ? SF_OK : SF_E_NOMEM;
}

/* Close the rows if opening them failed. */
static sf_status opened(sfi_rows **out, sf_status status)
{
    if (status != SF_OK) {
        sfi_rows_close(*out);
        *out = NULL;
    }
    return status;
}

static sf_status open_path(sfi_rows *rows, const char *path,
                           const sf_read_options *options)
{
    if (rows->format == NULL && !sfi_path_is_device(path)) {
        const bool is_zip = has_ending(path, strlen(path), ".npz|.zip");
        return SFI_FAIL(
            rows->ctx, SF_E_ARG,
            "%s: tables are read from .csv, .tsv, .txt, .data, .dat and .arff "
            "files, also with .gz, from .npy, and from - as CSV%s",
            path,
            is_zip ? "; an archive holds several: take one out of it" : "");
    }
    SFI_TRY(sfi_input_open(rows->ctx, &rows->input, path));
    return read_header(rows, 0, options);
}

sf_status sfi_rows_open(sf_context *ctx, sfi_rows **out, const char *path,
                        const sf_read_options *options)
{
    SFI_TRY(new_rows(ctx, out, format_of(path)));
    return opened(out, open_path(*out, path, options));
}

sf_status sfi_rows_open_memory(sf_context *ctx, sfi_rows **out,
                               const char *format, const void *bytes,
                               size_t size, size_t buffer,
                               const sf_read_options *options)
{
    *out = NULL;
    char name[32] = "<memory>";
    strncat(name, format, sizeof name - strlen(name) - 1);
    const sfi_table_format *found = format_of(name);
    if (found == NULL)
        return SFI_FAIL(ctx, SF_E_ARG, "format is %s, want .csv, .arff or .npy",
                        format);
    SFI_TRY(new_rows(ctx, out, found));
    sf_status status =
        sfi_input_memory(ctx, &(*out)->input, "<memory>", bytes, size);
    if (status == SF_OK)
        status = read_header(*out, buffer, options);
    return opened(out, status);
}

void sfi_rows_close(sfi_rows *rows)
{
    if (rows == NULL)
        return;
    sf_context *ctx = rows->ctx;
    sfi_free(ctx, rows->counts, (size_t)rows->head.cols, sizeof *rows->counts);
    if (rows->format != NULL)
        rows->format->close(rows->state);
    sf_table_free(ctx, &rows->head);
    sfi_input_close(rows->input);
    sfi_free(ctx, rows, 1, sizeof *rows);
}

int64_t sfi_rows_count(const sfi_rows *rows)
{
    return rows->format->count(rows->state);
}

int64_t sfi_rows_cols(const sfi_rows *rows)
{
    return rows->head.cols;
}

const char *sfi_rows_name(const sfi_rows *rows)
{
    return sfi_input_name(rows->input);
}

bool sfi_rows_has_names(const sfi_rows *rows)
{
    return rows->format->has_names(rows->state);
}

int64_t sfi_rows_line(const sfi_rows *rows, int64_t row)
{
    return sfi_table_line(&rows->head, row);
}

const sf_column *sfi_rows_columns(const sfi_rows *rows)
{
    return rows->head.columns;
}

char *sfi_rows_place(const sfi_rows *rows, int64_t row, int64_t col,
                     char text[SFI_PLACE_SIZE])
{
    return sfi_table_place(&rows->head, row, col, text);
}

/* A double below 2^52 is whole if adding and taking away 2^52, which rounds to
 * whole numbers, gives it back; from there to 2^53 all are; larger ones are
 * not known to the last unit, so we do not call them whole. */
static bool is_whole(double value)
{
    const double magnitude = fabs(value);
    return magnitude < 0x1p52 ? (magnitude + 0x1p52) - 0x1p52 == magnitude
                              : magnitude <= 0x1p53;
}

static void count_cells(sfi_rows *rows, const double *cells, int64_t got)
{
    const int64_t cols = rows->head.cols;
    column_count *counts = rows->counts;
    for (int64_t i = 0; i < got; i++) {
        const double *row = cells + i * cols;
        for (int64_t j = 0; j < cols; j++) {
            const bool is_missing = row[j] != row[j];
            counts[j].missing += is_missing;
            counts[j].fractional += !is_missing & !is_whole(row[j]);
        }
    }
}

static sf_status complete(sfi_rows *rows)
{
    SFI_TRY(rows->format->complete(rows->state, &rows->must_reread));
    for (int64_t j = 0; j < rows->head.cols && !rows->must_reread; j++) {
        const column_count *count = &rows->counts[j];
        sf_column *column = &rows->head.columns[j];
        column->missing = count->missing;
        if (column->kind == SF_COLUMN_TEXT)
            continue;
        column->kind = count->fractional == 0 && count->missing < rows->seen
                           ? SF_COLUMN_INTEGER
                           : SF_COLUMN_REAL;
    }
    rows->is_complete = !rows->must_reread;
    return SF_OK;
}

sf_status sfi_rows_next(sfi_rows *rows, double *cells, int64_t limit,
                        int64_t *got)
{
    *got = 0;
    if (rows->failure != SF_OK)
        return rows->failure;
    if (limit < 1)
        return SFI_FAIL(rows->ctx, SF_E_ARG, "rows: limit is %lld, want >= 1",
                        (long long)limit);
    sf_status status =
        rows->format->next(rows->state, cells, limit, got, !rows->is_complete);
    if (status == SF_OK && !rows->is_complete) {
        count_cells(rows, cells, *got);
        rows->seen += *got;
        if (*got == 0)
            status = complete(rows);
    }
    if (status != SF_OK)
        *got = 0;
    rows->failure = status;
    return status;
}

bool sfi_rows_must_reread(const sfi_rows *rows)
{
    return rows->must_reread;
}

sf_status sfi_rows_learn(sfi_rows *rows, double *block, int64_t limit,
                         void (*each)(void *user, int64_t count,
                                      const double *cells),
                         void *user)
{
    for (;;) {
        int64_t got = 0;
        SFI_TRY(sfi_rows_next(rows, block, limit, &got));
        if (got > 0 && each != NULL)
            each(user, got, block);
        if (got > 0)
            continue;
        if (!rows->must_reread)
            return SF_OK;
        SFI_TRY(sfi_rows_rewind(rows));
        if (each != NULL)
            each(user, -1, block);
    }
}

sf_status sfi_rows_rewind(sfi_rows *rows)
{
    const bool must = rows->must_reread;
    rows->must_reread = false;
    if (!rows->is_complete) {
        memset(rows->counts, 0, (size_t)rows->head.cols * sizeof *rows->counts);
        rows->seen = 0;
    }
    rows->failure = rows->format->rewind(rows->state);
    if (must && rows->failure == SF_E_UNSUPPORTED)
        rows->failure =
            SFI_FAIL(rows->ctx, SF_E_UNSUPPORTED,
                     "%s: what its columns hold showed at the end, and it can "
                     "be read only once; save it to a file, or say --kind "
                     "\"COLUMN=category\" of columns of text",
                     sfi_rows_name(rows));
    return rows->failure;
}

/* ---- whole tables --------------------------------------------------------- */

enum { FIRST_PIECE = 1 << 13, LARGEST_PIECE = 1 << 19 }; /* cells */

/* The cells of a whole table. */
typedef struct cell_block {
    double *cells;
    size_t allocated; /* doubles */
    int64_t rows;     /* that were read */
} cell_block;

typedef struct piece {
    double *cells;
    int64_t rows;
    int64_t limit; /* rows that it has room for */
} piece;

typedef struct pieces {
    piece *list;
    size_t count, capacity;
    int64_t rows; /* in all of them */
} pieces;

static void free_piece(sfi_rows *rows, piece *p)
{
    sfi_free(rows->ctx, p->cells, (size_t)(p->limit * rows->head.cols),
             sizeof *p->cells);
    p->cells = NULL;
}

/* Each piece has twice the room of the one before, up to a bound. */
static sf_status add_piece(sfi_rows *rows, pieces *all)
{
    const int64_t cols = rows->head.cols;
    int64_t cells = FIRST_PIECE;
    for (size_t i = 0; i < all->count && cells < LARGEST_PIECE; i++)
        cells *= 2;
    piece *list = sfi_grow(rows->ctx, all->list, &all->capacity, all->count + 1,
                           sizeof *list);
    if (list == NULL)
        return SF_E_NOMEM;
    all->list = list;
    piece *p = &list[all->count];
    p->rows = 0;
    p->limit = cells / cols > 0 ? cells / cols : 1;
    p->cells =
        sfi_alloc(rows->ctx, (size_t)(p->limit * cols), sizeof *p->cells);
    if (p->cells == NULL)
        return SF_E_NOMEM;
    all->count++;
    return SF_OK;
}

static sf_status gather(sfi_rows *rows, pieces *all)
{
    const int64_t cols = rows->head.cols;
    for (;;) {
        piece *p = all->count > 0 ? &all->list[all->count - 1] : NULL;
        if (p == NULL || p->rows == p->limit) {
            SFI_TRY(add_piece(rows, all));
            p = &all->list[all->count - 1];
        }
        int64_t got = 0;
        SFI_TRY(sfi_rows_next(rows, p->cells + p->rows * cols,
                              p->limit - p->rows, &got));
        if (got == 0)
            return SF_OK;
        p->rows += got;
        all->rows += got;
    }
}

/* Copy the pieces to their places, from the last one back: memory is given
 * back to the system best in the opposite order of its allocation. */
static void put_together(sfi_rows *rows, pieces *all, double *cells)
{
    const int64_t cols = rows->head.cols;
    double *end = cells + all->rows * cols;
    for (size_t i = all->count; i-- > 0;) {
        piece *p = &all->list[i];
        end -= p->rows * cols;
        memcpy(end, p->cells, (size_t)(p->rows * cols) * sizeof *end);
        free_piece(rows, p);
    }
}

/* The number of rows is not known before they are read. */
static sf_status read_pieces(sfi_rows *rows, cell_block *block)
{
    pieces all = {0};
    sf_status status = gather(rows, &all);
    if (status == SF_OK && !rows->must_reread) {
        const size_t count = (size_t)(all.rows * rows->head.cols);
        block->cells = sfi_alloc(rows->ctx, count, sizeof *block->cells);
        status = block->cells != NULL ? SF_OK : SF_E_NOMEM;
        if (status == SF_OK) {
            block->allocated = count;
            block->rows = all.rows;
            put_together(rows, &all, block->cells);
        }
    }
    for (size_t i = 0; i < all.count; i++)
        free_piece(rows, &all.list[i]);
    sfi_free(rows->ctx, all.list, all.capacity, sizeof *all.list);
    return status;
}

/* No more than `bound` rows are expected.  One row more has room, so that the
 * call that completes the columns has somewhere to put a row that should not be
 * there. */
static sf_status read_bounded(sfi_rows *rows, cell_block *block, int64_t bound)
{
    const int64_t cols = rows->head.cols;
    const int64_t shape[2] = {bound + 1, cols};
    const int64_t count = sfi_count_elements(2, shape, sizeof *block->cells);
    if (count < 0)
        return SFI_FAIL(rows->ctx, SF_E_NOMEM,
                        "%s: %lld rows of %lld columns exceed the address "
                        "space",
                        sfi_rows_name(rows), (long long)bound, (long long)cols);
    if (block->cells == NULL)
        block->cells =
            sfi_alloc(rows->ctx, (size_t)count, sizeof *block->cells);
    if (block->cells == NULL)
        return SF_E_NOMEM;
    block->allocated = (size_t)count;
    block->rows = 0;
    for (int64_t got = 1; got > 0; block->rows += got) {
        SFI_TRY(sfi_rows_next(rows, block->cells + block->rows * cols,
                              bound + 1 - block->rows, &got));
        if (block->rows + got > bound)
            return SFI_FAIL(rows->ctx, SF_E_IO, "%s: grew while it was read",
                            sfi_rows_name(rows));
    }
    return SF_OK;
}

sf_status sfi_rows_read_all(sfi_rows *rows, sf_table *out)
{
    memset(out, 0, sizeof *out);
    cell_block block = {0};
    int64_t bound = 0;
    SFI_TRY(rows->format->bound(rows->state, &bound));
    sf_status status = SF_OK;
    bool again = false;
    do {
        if (again)
            status = sfi_rows_rewind(rows);
        if (status == SF_OK)
            status = bound < 0 ? read_pieces(rows, &block)
                               : read_bounded(rows, &block, bound);
        again = status == SF_OK && rows->must_reread;
    } while (again);
    if (status != SF_OK) {
        sfi_free(rows->ctx, block.cells, block.allocated, sizeof *block.cells);
        return status;
    }
    sfi_free(rows->ctx, rows->counts, (size_t)rows->head.cols,
             sizeof *rows->counts);
    rows->counts = NULL;
    sfi_table_adopt(rows->ctx, &rows->head, block.cells, block.allocated,
                    block.rows);
    *out = rows->head;
    memset(&rows->head, 0, sizeof rows->head);
    return SF_OK;
}
