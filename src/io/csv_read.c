/* SPDX-License-Identifier: Apache-2.0 */
/* csv_read.c - rows of numbers from text with separators.
 *
 * A cell that is a number and nothing else takes the short way through
 * read_row(); all others go through sfi_csv_scan_field() and read_cell().  Only
 * levels and names are checked to be UTF-8, since nothing else gets through.
 *
 * A record that runs beyond the buffer is read again from its beginning; what
 * it leaves behind (a level added, a column found to hold numbers) is the same
 * the second time, and cells that were counted are not counted again. */
#include "io/csv_reader.h"

#include "io/cell.h"
#include "io/csv.h"
#include "num/decimal.h"

#include <math.h>
#include <string.h>

/* ---- cells ---------------------------------------------------------------- */

static sfi_csv_outcome fail(sfi_csv_reader *r, sf_status status)
{
    r->scan.status = status;
    return SFI_CSV_BAD;
}

sfi_csv_outcome sfi_csv_note_cell(sfi_csv_reader *r, sfi_csv_column *column,
                                  size_t note, const sfi_csv_field *f,
                                  int64_t line)
{
    if (r->is_counted)
        return SFI_CSV_GOOD;
    if (column->notes == NULL)
        column->notes = sfi_alloc_zero(r->scan.ctx, 1, sizeof *column->notes);
    if (column->notes == NULL)
        return fail(r, SF_E_NOMEM);
    sfi_csv_note *n = (sfi_csv_note *)((char *)column->notes + note);
    if (n->line == 0) {
        n->line = line;
        sfi_show(n->shown, f->text, f->size);
    }
    n->count++;
    return SFI_CSV_GOOD;
}

#define NOTE(member) offsetof(sfi_csv_notes, member)

static sfi_csv_outcome read_level(sfi_csv_reader *r, const sfi_csv_field *f,
                                  int64_t line, size_t col, double *cell)
{
    char shown[SFI_SHOW_SIZE];
    sfi_csv_column *column = &r->columns[col];
    sfi_dictionary *levels = &column->levels;
    int64_t level = sfi_dictionary_find(levels, f->text, f->size);
    if (level < 0) {
        if (sfi_csv_check_text(&r->scan, f, line, "text") != SFI_CSV_GOOD)
            return SFI_CSV_BAD;
        if (column->is_closed)
            return SFI_CSV_FAIL(
                &r->scan, line,
                "column \"%.200s\": \"%s\" is not one of its %zu values",
                r->head->columns[col].name, sfi_show(shown, f->text, f->size),
                levels->count);
        if (levels->is_lent || r->count >= 0)
            return SFI_CSV_FAIL(
                &r->scan, line, "%s",
                "a new text on the second reading; the file was "
                "changed meanwhile");
        level = (int64_t)levels->count;
        const sf_status added =
            sfi_dictionary_add(r->scan.ctx, levels, f->text, f->size);
        if (added != SF_OK)
            return fail(r, added);
    }
    *cell = (double)level;
    return SFI_CSV_GOOD;
}

/* A text where nothing or texts were before. */
static sfi_csv_outcome read_text(sfi_csv_reader *r, const sfi_csv_field *f,
                                 int64_t line, size_t col, double *cell)
{
    sfi_csv_column *column = &r->columns[col];
    double value = 0.0;
    const sfi_csv_outcome read = read_level(r, f, line, col, cell);
    if (read != SFI_CSV_GOOD || column->is_told || r->count >= 0)
        return read;
    if (column->state == SFI_CSV_UNDECIDED) {
        column->state = SFI_CSV_TEXTS;
        column->decided = line;
        /* Marks and infinities before it are levels, too. */
        r->must_reread |=
            column->has_marks ||
            (column->notes != NULL && column->notes->infinite.line > 0);
        return sfi_csv_note_cell(r, column, NOTE(texts), f, line);
    }
    return sfi_cell_may_be_number(f->text, f->size) &&
                   sfi_cell_number(f->text, f->size, r->scan.dialect.point,
                                   &value) != SFI_NO_NUMBER
               ? sfi_csv_note_cell(r, column, NOTE(numbers), f, line)
               : SFI_CSV_GOOD;
}

/* A cell of a column of numbers, or of one that may yet become one. */
static sfi_csv_outcome read_number(sfi_csv_reader *r, const sfi_csv_field *f,
                                   int64_t line, size_t col, double *cell)
{
    sfi_csv_column *column = &r->columns[col];
    double value = 0.0;
    const sfi_spelling spelling =
        sfi_cell_number(f->text, f->size, r->scan.dialect.point, &value);
    const bool infinite = spelling != SFI_NO_NUMBER
                              ? isinf(value)
                              : sfi_cell_is_infinite(f->text, f->size);
    if (infinite)
        return sfi_csv_note_cell(r, column, NOTE(infinite), f, line);
    if (spelling == SFI_NO_NUMBER)
        return column->state == SFI_CSV_NUMBERS
                   ? sfi_csv_note_cell(r, column, NOTE(texts), f, line)
                   : read_text(r, f, line, col, cell);
    if (column->state == SFI_CSV_UNDECIDED)
        column->decided = line;
    column->state = SFI_CSV_NUMBERS;
    *cell = value;
    return spelling == SFI_THOUSANDS
               ? sfi_csv_note_cell(r, column, NOTE(thousands), f, line)
               : SFI_CSV_GOOD;
}

static sfi_csv_outcome read_cell(sfi_csv_reader *r, const sfi_csv_field *f,
                                 int64_t line, size_t col, double *cell)
{
    sfi_csv_column *column = &r->columns[col];
    *cell = (double)NAN;
    if (f->size > 0 && column->state == SFI_CSV_TEXTS &&
        sfi_dictionary_find(&column->levels, f->text, f->size) >= 0)
        return read_text(r, f, line, col, cell);
    const sfi_absence absence =
        sfi_cell_absence(r->options.na, f->text, f->size);
    if (absence == SFI_ABSENT) {
        column->absent += !r->is_counted;
        return SFI_CSV_GOOD;
    }
    if (absence == SFI_ABSENT_WORD || (absence == SFI_ABSENT_AMONG_NUMBERS &&
                                       column->state != SFI_CSV_TEXTS)) {
        column->absent += !r->is_counted;
        column->has_marks |= absence == SFI_ABSENT_AMONG_NUMBERS;
        return sfi_csv_note_cell(r, column, NOTE(words), f, line);
    }
    return column->state == SFI_CSV_TEXTS ? read_text(r, f, line, col, cell)
                                          : read_number(r, f, line, col, cell);
}

/* ---- rows ----------------------------------------------------------------- */

/* The record has `count` fields up to `p`, or more where `is_last` is not set:
 * count them all. */
static sfi_csv_outcome fail_ragged(sfi_csv_reader *r, const char *p,
                                   bool is_last, size_t count, int64_t line)
{
    while (!is_last) {
        sfi_csv_field f;
        const sfi_csv_outcome scanned =
            sfi_csv_scan_field(&r->scan, &p, &f, line);
        if (scanned != SFI_CSV_GOOD)
            return scanned;
        line += f.lines;
        is_last = f.is_last;
        count++;
    }
    return SFI_CSV_FAIL(&r->scan, r->scan.line,
                        "%zu field%s, want %zu as in the %s line", count,
                        count == 1 ? "" : "s", r->column_count,
                        r->scan.dialect.has_header ? "header" : "first");
}

/* Read the record at `begin` into cells and step over it. */
static sfi_csv_outcome read_row(sfi_csv_reader *r, double *cells)
{
    const char *p = r->scan.buffer + r->scan.begin;
    const size_t count = r->column_count;
    const sfi_csv_column *columns = r->columns;
    const char sep = r->scan.dialect.sep, blank = r->scan.dialect.blank;
    const bool is_plain = sep != ' ' && r->scan.dialect.point == '.';
    int64_t line = r->scan.line;
    bool is_last = false;
    for (size_t col = 0; col < count; col++) {
        if (is_last)
            return fail_ragged(r, p, is_last, col, line);
        if (columns[col].state == SFI_CSV_NUMBERS && is_plain) {
            double value = 0.0;
            const char *begin = p;
            while (*begin == ' ' || *begin == blank)
                begin++;
            const char *end = sfi_number_parse(begin, &value);
            if (end != NULL && (*end == sep || sfi_csv_ends_line(end)) &&
                !isinf(value)) {
                cells[col] = value;
                is_last = *end != sep;
                p = end + (*end == '\r' ? 2 : 1);
                continue;
            }
        }
        sfi_csv_field f;
        sfi_csv_outcome step = sfi_csv_scan_field(&r->scan, &p, &f, line);
        r->is_counted = col < r->counted;
        if (step == SFI_CSV_GOOD)
            step = read_cell(r, &f, line, col, &cells[col]);
        if (step != SFI_CSV_GOOD) {
            r->counted = col > r->counted ? col : r->counted;
            return step;
        }
        is_last = f.is_last;
        line += f.lines;
    }
    if (!is_last)
        return fail_ragged(r, p, is_last, count, line);
    r->scan.begin = (size_t)(p - r->scan.buffer);
    r->scan.line = line + 1;
    r->counted = 0;
    return SFI_CSV_GOOD;
}

sf_status sfi_csv_skip_to_row(sfi_csv_reader *r)
{
    sfi_csv_scan *s = &r->scan;
    for (;;) {
        SFI_TRY(sfi_csv_need_line(s));
        if (s->begin == s->whole)
            return SF_OK;
        const char *p = s->buffer + s->begin;
        if (sfi_csv_is_comment(s, p, false)) {
            sfi_csv_skip_line(s);
            continue;
        }
        if (!sfi_csv_ends_line(sfi_csv_skip_blanks(s, p)))
            break;
        if (r->blank_line == 0)
            r->blank_line = s->line;
        sfi_csv_skip_line(s);
    }
    if (r->blank_line == 0)
        return SF_OK;
    return SFI_FAIL(s->ctx, SF_E_FORMAT,
                    "%s:%lld: a blank line before the end; a row whose only "
                    "cell is missing is written NA",
                    s->name, (long long)r->blank_line);
}

static sf_status next_row(sfi_csv_reader *r, double *cells, bool first)
{
    const int64_t extra = r->scan.line - 2 - r->row;
    if (first && r->row >= r->noted_rows && extra != r->noted_extra) {
        SFI_TRY(sfi_table_add_line_jump(r->scan.ctx, r->head, r->row, extra));
        r->noted_extra = extra;
        r->noted_rows = r->row + 1;
    }
    sfi_csv_outcome read = read_row(r, cells);
    while (read == SFI_CSV_MORE) {
        SFI_TRY(sfi_csv_refill(&r->scan));
        read = read_row(r, cells);
    }
    if (read != SFI_CSV_GOOD)
        return r->scan.status;
    r->row++;
    return SF_OK;
}

sf_status sfi_csv_next(void *state, double *cells, int64_t limit, int64_t *got,
                       bool first)
{
    sfi_csv_reader *r = state;
    int64_t done = 0;
    *got = 0;
    while (done < limit) {
        SFI_TRY(sfi_csv_skip_to_row(r));
        if (r->scan.begin == r->scan.whole)
            break;
        SFI_TRY(next_row(r, cells + (size_t)done * r->column_count, first));
        done++;
    }
    if (done == 0 && r->row == 0)
        return SFI_FAIL(r->scan.ctx, SF_E_FORMAT,
                        "%s: a header line and no rows, want at least one row",
                        r->scan.name);
    *got = done;
    return SF_OK;
}

/* ---- the reader ----------------------------------------------------------- */

sf_status sfi_csv_reader_new(sf_context *ctx, sfi_csv_reader **out,
                             sfi_input *input, sf_table *head, size_t buffer,
                             const sf_read_options *options)
{
    *out = NULL;
    sfi_csv_reader *r = sfi_alloc_zero(ctx, 1, sizeof *r);
    if (r == NULL)
        return SF_E_NOMEM;
    r->head = head;
    r->options = *options;
    r->count = -1;
    const sf_status status = sfi_csv_scan_new(ctx, &r->scan, input, buffer);
    if (status != SF_OK) {
        r->scan.ctx = ctx;
        sfi_csv_reader_free(r);
        return status;
    }
    *out = r;
    return SF_OK;
}

static void forget(sfi_csv_reader *r, sfi_csv_column *column)
{
    sf_context *ctx = r->scan.ctx;
    sfi_free(ctx, column->notes, 1, sizeof *column->notes);
    column->notes = NULL;
    column->absent = 0;
    column->has_marks = false;
}

void sfi_csv_reader_free(void *state)
{
    sfi_csv_reader *r = state;
    if (r == NULL)
        return;
    sf_context *ctx = r->scan.ctx;
    if (r->columns != NULL)
        for (size_t j = 0; j < r->column_count; j++) {
            forget(r, &r->columns[j]);
            sfi_dictionary_free(ctx, &r->columns[j].levels);
        }
    sfi_free(ctx, r->columns, r->column_count, sizeof *r->columns);
    sfi_csv_scan_free(&r->scan);
    sfi_free(ctx, r, 1, sizeof *r);
}

static sf_status tell_kinds(sfi_csv_reader *r, const sfi_dictionary *names)
{
    sf_context *ctx = r->scan.ctx;
    const size_t count = r->column_count;
    if (r->options.kinds == NULL)
        return SF_OK;
    sfi_told_kind *kinds = sfi_alloc_zero(ctx, count, sizeof *kinds);
    if (kinds == NULL)
        return SF_E_NOMEM;
    const sf_status status =
        sfi_kinds_read(ctx, r->options.kinds, (int64_t)count,
                       (const char *const *)names->texts, kinds);
    for (size_t j = 0; j < count && status == SF_OK; j++) {
        if (!kinds[j].is_told || kinds[j].kind == SF_KIND_KEY ||
            kinds[j].kind == SF_KIND_CONSTANT)
            continue;
        r->columns[j].is_told = true;
        r->columns[j].state = kinds[j].kind == SF_KIND_BOOLEAN ||
                                      kinds[j].kind == SF_KIND_CATEGORY ||
                                      kinds[j].kind == SF_KIND_DATE
                                  ? SFI_CSV_TEXTS
                                  : SFI_CSV_NUMBERS;
    }
    sfi_free(ctx, kinds, count, sizeof *kinds);
    return status;
}

sf_status sfi_csv_reader_columns(sfi_csv_reader *r, const sfi_dictionary *names)
{
    sf_context *ctx = r->scan.ctx;
    SFI_TRY(sf_table_new(ctx, r->head, 0, (int64_t)names->count,
                         (const char *const *)names->texts));
    SFI_TRY(sfi_table_set_source(ctx, r->head, SFI_SOURCE_LINES, r->scan.name));
    r->columns = sfi_alloc_zero(ctx, names->count, sizeof *r->columns);
    if (r->columns == NULL)
        return SF_E_NOMEM;
    r->column_count = names->count;
    return tell_kinds(r, names);
}

/* Read again, and know what the columns hold: levels are numbered in the order in
 * which they appear. */
static void begin_second(sfi_csv_reader *r)
{
    r->is_second = true;
    for (size_t j = 0; j < r->column_count; j++) {
        sfi_csv_column *column = &r->columns[j];
        forget(r, column);
        if (!column->is_closed)
            sfi_dictionary_free(r->scan.ctx, &column->levels);
        column->is_told = true;
    }
}

sf_status sfi_csv_complete(void *state, bool *again)
{
    sfi_csv_reader *r = state;
    SFI_TRY(sfi_csv_decide(r, again));
    if (*again) {
        begin_second(r);
        return SF_OK;
    }
    r->count = r->row;
    for (size_t j = 0; j < r->column_count; j++) {
        sfi_csv_column *c = &r->columns[j];
        sf_column *column = &r->head->columns[j];
        if (c->state != SFI_CSV_TEXTS || c->levels.is_lent)
            continue;
        SFI_TRY(sfi_dictionary_lend(r->scan.ctx, &c->levels, &column->levels));
        column->kind = SF_COLUMN_TEXT;
        column->level_count = (int64_t)c->levels.count;
    }
    return SF_OK;
}

/* A first reading that was broken off leaves levels behind, which come in the same
 * order again, and counts, which must not. */
sf_status sfi_csv_rewind(void *state)
{
    sfi_csv_reader *r = state;
    for (size_t j = 0; j < r->column_count && r->count < 0; j++) {
        sfi_csv_column *column = &r->columns[j];
        forget(r, column);
        if (!column->is_told)
            column->state = SFI_CSV_UNDECIDED;
    }
    r->blank_line = r->row = 0;
    r->counted = 0;
    r->must_reread = false;
    SFI_TRY(sfi_input_rewind(r->scan.input));
    return r->begin(r);
}

bool sfi_csv_has_names(const void *state)
{
    return ((const sfi_csv_reader *)state)->scan.dialect.has_header;
}

int64_t sfi_csv_count(const void *state)
{
    return ((const sfi_csv_reader *)state)->count;
}

static int64_t count_lines(const char *bytes, size_t size)
{
    const char *const end = bytes + size;
    int64_t lines = 0;
    for (const char *p = bytes; p != NULL && p < end; lines += p != NULL) {
        p = memchr(p, '\n', (size_t)(end - p));
        p = p != NULL ? p + 1 : NULL;
    }
    return lines;
}

/* Every row ends in a line end but the last. */
sf_status sfi_csv_bound(void *state, int64_t *rows)
{
    sfi_csv_reader *r = state;
    const int64_t size = sfi_input_size(r->scan.input);
    const int64_t portion = (int64_t)sfi_csv_portion(size);
    /* Files that the system makes up while they are read have size 0. */
    *rows = -1;
    if (size <= 0)
        return SF_OK;
    char *bytes = sfi_alloc(r->scan.ctx, (size_t)portion, 1);
    if (bytes == NULL)
        return SF_E_NOMEM;
    sf_status status = SF_OK;
    int64_t lines = 1;
    for (int64_t at = 0; at < size && status == SF_OK; at += portion) {
        const size_t n = (size_t)(size - at < portion ? size - at : portion);
        status = sfi_input_read_at(r->scan.input, (uint64_t)at, bytes, n);
        if (status == SF_OK)
            lines += count_lines(bytes, n);
    }
    sfi_free(r->scan.ctx, bytes, (size_t)portion, 1);
    *rows = lines - r->scan.dialect.has_header;
    return status;
}
