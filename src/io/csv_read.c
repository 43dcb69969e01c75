/* SPDX-License-Identifier: Apache-2.0 */
/* csv_read.c - rows of numbers from comma-separated text.
 *
 * A cell that is a number and nothing else takes the short way through
 * read_row(); all others go through sfi_csv_scan_field() and read_cell().  Only
 * levels and names are checked to be UTF-8, since nothing else gets through.
 *
 * A record that runs beyond the buffer is read again from its beginning; what
 * it leaves behind (a level added, a column found to hold numbers) is the same
 * the second time. */
#include "io/csv.h"

#include "base/text.h"
#include "io/csv_scan.h"
#include "io/dictionary.h"
#include "num/array.h"
#include "num/decimal.h"

#include <math.h>
#include <string.h>

typedef enum column_state {
    UNDECIDED = 0, /* every cell so far is missing */
    NUMBERS,
    TEXTS
} column_state;

typedef struct csv_column {
    column_state state;
    int64_t decided; /* line of the cell that decided */
    sfi_dictionary levels;
} csv_column;

typedef struct csv_reader {
    sfi_csv_scan scan;
    sf_table *head;
    csv_column *columns; /* [column_count] */
    size_t column_count;
    int64_t extra_lines; /* line ends inside fields so far                  */
    int64_t noted_lines; /* extra_lines as head knows them                  */
    int64_t blank_line;  /* the first blank line, 0 if none                 */
    int64_t row;         /* rows read since the beginning                   */
    int64_t count;       /* rows in all, -1 if unknown                      */
} csv_reader;

static sfi_csv_outcome fail(csv_reader *r, sf_status status)
{
    r->scan.status = status;
    return SFI_CSV_BAD;
}

/* ---- what a field says ---------------------------------------------------- */

bool sfi_csv_is_missing(const char *text, size_t size)
{
    static const char *const words[] = {"", "NA", "nan", "NaN", "-nan"};
    for (size_t i = 0; i < SFI_COUNT(words); i++)
        if (size == strlen(words[i]) && memcmp(text, words[i], size) == 0)
            return true;
    return false;
}

static bool is_missing(const sfi_csv_field *f)
{
    return f->size == 0 || sfi_csv_is_missing(f->text, f->size);
}

/* inf or infinity with or without a sign, in any case. */
static bool is_infinity(const sfi_csv_field *f)
{
    char word[10] = "";
    const size_t sign = f->size > 0 && (*f->text == '-' || *f->text == '+');
    const size_t size = f->size - sign;
    if (size != 3 && size != 8)
        return false;
    for (size_t i = 0; i < size; i++)
        word[i] = (char)(f->text[sign + i] | 0x20);
    return strcmp(word, "inf") == 0 || strcmp(word, "infinity") == 0;
}

/* Whether the field is a number, blanks around it aside. */
static bool is_number(const sfi_csv_field *f, double *value)
{
    const char *end = sfi_number_parse(sfi_csv_skip_blanks(f->text), value);
    return end != NULL && sfi_csv_skip_blanks(end) >= f->text + f->size;
}

/* Names and levels: no NUL, and UTF-8. */
static sfi_csv_outcome check_text(csv_reader *r, const sfi_csv_field *f,
                                  int64_t line, const char *what)
{
    char shown[SFI_SHOW_SIZE];
    const bool has_nul = memchr(f->text, '\0', f->size) != NULL;
    if (!has_nul && sfi_utf8_prefix(f->text, f->size) == f->size)
        return SFI_CSV_GOOD;
    return SFI_CSV_FAIL(&r->scan, line, "the %s \"%s\" %s", what,
                        sfi_show(shown, f->text, f->size),
                        has_nul ? "holds a NUL byte; want a text file in UTF-8"
                                : "is not UTF-8; convert the file to UTF-8");
}

/* ---- the header ----------------------------------------------------------- */

static sfi_csv_outcome check_name(csv_reader *r, const sfi_csv_field *f,
                                  int64_t line, size_t number)
{
    char shown[SFI_SHOW_SIZE];
    double value = 0.0;
    if (f->size == 0)
        return SFI_CSV_FAIL(
            &r->scan, line,
            "column %zu has no name in the header line; name it, or "
            "remove the column",
            number + 1);
    if (f->size > SFI_CSV_MOST_NAME)
        return SFI_CSV_FAIL(
            &r->scan, line,
            "the name of column %zu has %zu bytes, want at most %d", number + 1,
            f->size, (int)SFI_CSV_MOST_NAME);
    if (check_text(r, f, line, "column name") != SFI_CSV_GOOD)
        return SFI_CSV_BAD;
    if (!f->is_quoted && is_number(f, &value) &&
        (memchr(f->text, '.', f->size) != NULL ||
         memchr(f->text, 'e', f->size) != NULL ||
         memchr(f->text, 'E', f->size) != NULL))
        return SFI_CSV_FAIL(
            &r->scan, line,
            "a header line with the columns' names is expected "
            "first, but \"%s\" is a number; add a header line, or "
            "put the name in quotes",
            sfi_show(shown, f->text, f->size));
    return SFI_CSV_GOOD;
}

/* Look at the header line as a whole. */
static sfi_csv_outcome check_header(csv_reader *r)
{
    char shown[SFI_SHOW_SIZE];
    const char *p = r->scan.buffer + r->scan.begin;
    const int64_t first = r->scan.line;
    int64_t line = first;
    size_t count = 0;
    bool all_numbers = true;
    sfi_csv_field f = {0};
    do {
        double value = 0.0;
        const sfi_csv_outcome scanned =
            sfi_csv_scan_field(&r->scan, &p, &f, line);
        if (scanned != SFI_CSV_GOOD)
            return scanned;
        all_numbers = all_numbers && (is_number(&f, &value) || is_missing(&f));
        line += f.lines;
        count++;
    } while (!f.is_last);
    if (count == 1 && f.size == 0 && !f.is_quoted)
        return SFI_CSV_FAIL(
            &r->scan, first, "%s",
            "a blank line, want a header line with the columns' "
            "names");
    if (count == 1 && !f.is_quoted &&
        (memchr(f.text, ';', f.size) || memchr(f.text, '\t', f.size)))
        return SFI_CSV_FAIL(
            &r->scan, first,
            "the only column is \"%s\"; columns are separated by "
            "commas, not by semicolons or tabs",
            sfi_show(shown, f.text, f.size));
    if (all_numbers)
        return SFI_CSV_FAIL(
            &r->scan, first, "%s",
            "all numbers, but a header line with the columns' names "
            "is expected first; add one, such as \"x,y\"");
    if (count > SFI_CSV_MOST_COLUMNS)
        return SFI_CSV_FAIL(&r->scan, first, "%zu columns, want at most %d",
                            count, (int)SFI_CSV_MOST_COLUMNS);
    return SFI_CSV_GOOD;
}

/* Collect the names in the header line, which check_header() has seen. */
static sfi_csv_outcome read_header(csv_reader *r, sfi_dictionary *names)
{
    char shown[SFI_SHOW_SIZE];
    const char *p = r->scan.buffer + r->scan.begin;
    sfi_csv_field f = {0};
    do {
        if (sfi_csv_scan_field(&r->scan, &p, &f, r->scan.line) !=
                SFI_CSV_GOOD ||
            check_name(r, &f, r->scan.line, names->count) != SFI_CSV_GOOD)
            return SFI_CSV_BAD;
        if (sfi_dictionary_find(names, f.text, f.size) >= 0)
            return SFI_CSV_FAIL(
                &r->scan, r->scan.line,
                "two columns are called \"%s\", want distinct names",
                sfi_show(shown, f.text, f.size));
        const sf_status added =
            sfi_dictionary_add(r->scan.ctx, names, f.text, f.size);
        if (added != SF_OK)
            return fail(r, added);
        r->scan.line += f.lines;
        r->extra_lines += f.lines;
    } while (!f.is_last);
    r->scan.begin = (size_t)(p - r->scan.buffer);
    r->scan.line++;
    return SFI_CSV_GOOD;
}

/* Bring the buffer to the header line, which is complete then. */
static sf_status find_header(csv_reader *r)
{
    SFI_TRY(sfi_csv_scan_begin(&r->scan));
    r->extra_lines = r->blank_line = r->row = 0;
    if (r->scan.begin == r->scan.whole)
        return SFI_FAIL(r->scan.ctx, SF_E_FORMAT,
                        "%s: the file is empty, want a header line and rows",
                        sfi_input_name(r->scan.input));
    if (r->scan.end - r->scan.begin >= 2 &&
        (memcmp(r->scan.buffer + r->scan.begin, "\xFF\xFE", 2) == 0 ||
         memcmp(r->scan.buffer + r->scan.begin, "\xFE\xFF", 2) == 0))
        return SFI_FAIL(r->scan.ctx, SF_E_FORMAT,
                        "%s: the file is UTF-16, want UTF-8",
                        sfi_input_name(r->scan.input));
    sfi_csv_outcome checked = check_header(r);
    while (checked == SFI_CSV_MORE) {
        SFI_TRY(sfi_csv_refill(&r->scan));
        checked = check_header(r);
    }
    return checked == SFI_CSV_GOOD ? SF_OK : r->scan.status;
}

/* ---- rows ----------------------------------------------------------------- */

static sfi_csv_outcome fail_text(csv_reader *r, const sfi_csv_field *f,
                                 int64_t line, size_t col)
{
    char shown[SFI_SHOW_SIZE];
    return SFI_CSV_FAIL(
        &r->scan, line,
        "column \"%.200s\": \"%s\" is not a number, but line %lld "
        "made this a column of numbers; if it is missing, leave it "
        "empty or write NA; if the column is text, its first cell "
        "must not be a number",
        r->head->columns[col].name, sfi_show(shown, f->text, f->size),
        (long long)r->columns[col].decided);
}

static sfi_csv_outcome fail_infinite(csv_reader *r, const sfi_csv_field *f,
                                     int64_t line, size_t col)
{
    char shown[SFI_SHOW_SIZE];
    return SFI_CSV_FAIL(
        &r->scan, line,
        "column \"%.200s\": \"%s\" is not a finite number; if it is "
        "missing, leave it empty or write NA",
        r->head->columns[col].name, sfi_show(shown, f->text, f->size));
}

static sfi_csv_outcome read_level(csv_reader *r, const sfi_csv_field *f,
                                  int64_t line, size_t col, double *cell)
{
    sfi_dictionary *levels = &r->columns[col].levels;
    int64_t level = sfi_dictionary_find(levels, f->text, f->size);
    if (level < 0) {
        if (check_text(r, f, line, "text") != SFI_CSV_GOOD)
            return SFI_CSV_BAD;
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

static void decide(csv_reader *r, size_t col, column_state state, int64_t line)
{
    r->columns[col].state = state;
    r->columns[col].decided = line;
}

static sfi_csv_outcome read_cell(csv_reader *r, const sfi_csv_field *f,
                                 int64_t line, size_t col, double *cell)
{
    csv_column *column = &r->columns[col];
    double value = 0.0;
    *cell = (double)NAN;
    if (is_missing(f))
        return SFI_CSV_GOOD;
    if (column->state == TEXTS)
        return read_level(r, f, line, col, cell);
    if (is_number(f, &value)) {
        if (isinf(value))
            return fail_infinite(r, f, line, col);
        if (column->state == UNDECIDED)
            decide(r, col, NUMBERS, line);
        *cell = value;
        return SFI_CSV_GOOD;
    }
    if (is_infinity(f))
        return fail_infinite(r, f, line, col);
    if (column->state == NUMBERS)
        return fail_text(r, f, line, col);
    const sfi_csv_outcome read = read_level(r, f, line, col, cell);
    if (read == SFI_CSV_GOOD)
        decide(r, col, TEXTS, line);
    return read;
}

/* The record has `count` fields up to `p`, or more where `is_last` is not set:
 * count them all. */
static sfi_csv_outcome fail_ragged(csv_reader *r, const char *p, bool is_last,
                                   size_t count, int64_t line)
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
                        "%zu field%s, want %zu as in the header line", count,
                        count == 1 ? "" : "s", r->column_count);
}

/* Read the record at `begin` into cells and step over it. */
static sfi_csv_outcome read_row(csv_reader *r, double *cells)
{
    const char *p = r->scan.buffer + r->scan.begin;
    const size_t count = r->column_count;
    int64_t line = r->scan.line;
    bool is_last = false;
    for (size_t col = 0; col < count; col++) {
        if (is_last)
            return fail_ragged(r, p, is_last, col, line);
        if (r->columns[col].state == NUMBERS) {
            double value = 0.0;
            const char *end = sfi_number_parse(sfi_csv_skip_blanks(p), &value);
            if (end != NULL && sfi_csv_ends_field(end) && !isinf(value)) {
                cells[col] = value;
                is_last = *end != ',';
                p = sfi_csv_step_over(end);
                continue;
            }
        }
        sfi_csv_field f;
        sfi_csv_outcome step = sfi_csv_scan_field(&r->scan, &p, &f, line);
        if (step == SFI_CSV_GOOD)
            step = read_cell(r, &f, line, col, &cells[col]);
        if (step != SFI_CSV_GOOD)
            return step;
        is_last = f.is_last;
        line += f.lines;
    }
    if (!is_last)
        return fail_ragged(r, p, is_last, count, line);
    r->scan.begin = (size_t)(p - r->scan.buffer);
    r->extra_lines += line - r->scan.line;
    r->scan.line = line + 1;
    return SFI_CSV_GOOD;
}

/* Step over blank lines, of which only the end of a file may have any. */
static sf_status skip_blank_lines(csv_reader *r)
{
    for (;;) {
        SFI_TRY(sfi_csv_need_line(&r->scan));
        if (r->scan.begin == r->scan.whole)
            return SF_OK;
        const char *p = sfi_csv_skip_blanks(r->scan.buffer + r->scan.begin);
        if (*p != '\n' && !(*p == '\r' && p[1] == '\n'))
            break;
        if (r->blank_line == 0)
            r->blank_line = r->scan.line;
        r->scan.begin = (size_t)(sfi_csv_step_over(p) - r->scan.buffer);
        r->scan.line++;
    }
    if (r->blank_line == 0)
        return SF_OK;
    return SFI_FAIL(r->scan.ctx, SF_E_FORMAT,
                    "%s:%lld: a blank line before the end; a row whose only "
                    "cell is missing is written NA",
                    sfi_input_name(r->scan.input), (long long)r->blank_line);
}

static sf_status next_row(csv_reader *r, double *cells, bool first)
{
    if (first && r->extra_lines > r->noted_lines) {
        SFI_TRY(sfi_table_add_line_jump(r->scan.ctx, r->head, r->row,
                                        r->extra_lines));
        r->noted_lines = r->extra_lines;
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

static sf_status csv_next(void *state, double *cells, int64_t limit,
                          int64_t *got, bool first)
{
    csv_reader *r = state;
    int64_t done = 0;
    *got = 0;
    while (done < limit) {
        SFI_TRY(skip_blank_lines(r));
        if (r->scan.begin == r->scan.whole)
            break;
        SFI_TRY(next_row(r, cells + (size_t)done * r->column_count, first));
        done++;
    }
    if (done == 0 && r->row == 0)
        return SFI_FAIL(r->scan.ctx, SF_E_FORMAT,
                        "%s: a header line and no rows, want at least one row",
                        sfi_input_name(r->scan.input));
    *got = done;
    return SF_OK;
}

/* ---- the format ----------------------------------------------------------- */

static void csv_close(void *state)
{
    csv_reader *r = state;
    if (r == NULL)
        return;
    sf_context *ctx = r->scan.ctx;
    if (r->columns != NULL)
        for (size_t j = 0; j < r->column_count; j++)
            sfi_dictionary_free(ctx, &r->columns[j].levels);
    sfi_free(ctx, r->columns, r->column_count, sizeof *r->columns);
    sfi_csv_scan_free(&r->scan);
    sfi_free(ctx, r, 1, sizeof *r);
}

static sf_status make_columns(csv_reader *r)
{
    sfi_dictionary names = {0};
    sf_status status =
        read_header(r, &names) == SFI_CSV_GOOD
            ? sf_table_new(r->scan.ctx, r->head, 0, (int64_t)names.count,
                           (const char *const *)names.texts)
            : r->scan.status;
    r->column_count = names.count;
    sfi_dictionary_free(r->scan.ctx, &names);
    if (status == SF_OK)
        status = sfi_table_set_source(r->scan.ctx, r->head, SFI_SOURCE_LINES,
                                      sfi_input_name(r->scan.input));
    if (status != SF_OK)
        return status;
    r->columns =
        sfi_alloc_zero(r->scan.ctx, r->column_count, sizeof *r->columns);
    return r->columns != NULL ? SF_OK : SF_E_NOMEM;
}

static sf_status csv_open(sf_context *ctx, void **state, sfi_input *input,
                          sf_table *head, size_t buffer)
{
    *state = NULL;
    csv_reader *r = sfi_alloc_zero(ctx, 1, sizeof *r);
    if (r == NULL)
        return SF_E_NOMEM;
    r->head = head;
    r->count = -1;
    sf_status status = sfi_csv_scan_new(ctx, &r->scan, input, buffer);
    if (status == SF_OK)
        status = find_header(r);
    if (status == SF_OK)
        status = make_columns(r);
    if (status != SF_OK) {
        csv_close(r);
        return status;
    }
    *state = r;
    return SF_OK;
}

static sf_status csv_complete(void *state)
{
    csv_reader *r = state;
    r->count = r->row;
    for (size_t j = 0; j < r->column_count; j++) {
        sfi_dictionary *levels = &r->columns[j].levels;
        sf_column *column = &r->head->columns[j];
        if (r->columns[j].state != TEXTS || levels->is_lent)
            continue;
        SFI_TRY(sfi_dictionary_lend(r->scan.ctx, levels, &column->levels));
        column->kind = SF_COLUMN_TEXT;
        column->level_count = (int64_t)levels->count;
    }
    return SF_OK;
}

static sf_status csv_rewind(void *state)
{
    csv_reader *r = state;
    SFI_TRY(sfi_input_rewind(r->scan.input));
    SFI_TRY(find_header(r));
    sfi_dictionary names = {0};
    const sfi_csv_outcome read = read_header(r, &names);
    sfi_dictionary_free(r->scan.ctx, &names);
    return read == SFI_CSV_GOOD ? SF_OK : r->scan.status;
}

static int64_t csv_count(const void *state)
{
    return ((const csv_reader *)state)->count;
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

/* Every row ends in a line end but the last, and so does the header. */
static sf_status csv_bound(void *state, int64_t *rows)
{
    csv_reader *r = state;
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
    int64_t lines = 0;
    for (int64_t at = 0; at < size && status == SF_OK; at += portion) {
        const size_t n = (size_t)(size - at < portion ? size - at : portion);
        status = sfi_input_read_at(r->scan.input, (uint64_t)at, bytes, n);
        if (status == SF_OK)
            lines += count_lines(bytes, n);
    }
    sfi_free(r->scan.ctx, bytes, (size_t)portion, 1);
    *rows = lines;
    return status;
}

const sfi_table_format sfi_csv_format = {.extension = ".csv",
                                         .open = csv_open,
                                         .next = csv_next,
                                         .complete = csv_complete,
                                         .rewind = csv_rewind,
                                         .count = csv_count,
                                         .bound = csv_bound,
                                         .close = csv_close,
                                         .write = sfi_csv_write};
