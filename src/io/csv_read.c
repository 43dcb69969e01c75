/* SPDX-License-Identifier: Apache-2.0 */
/* csv_read.c - rows of numbers from comma-separated text.
 *
 * The file passes through one buffer.  Bytes [begin, whole) are complete lines,
 * so that a scan of a record that begins there always meets a line end and
 * needs no other bound; only a quoted field can run beyond `whole`, and then
 * the buffer is refilled and the record begun again.  What a record leaves
 * behind when it is begun again (a level added, a column found to hold
 * numbers) is the same the second time.
 *
 *     |  done  |  complete lines  |  part of a line  |  free  |
 *     0      begin              whole               end     capacity
 *
 * A cell that is a number and nothing else takes the short way through
 * read_row(); all others go through scan_field() and read_cell().  Only levels
 * and names are checked to be UTF-8, since nothing else gets through. */
#include "io/csv.h"

#include "base/text.h"
#include "io/dictionary.h"
#include "num/array.h"
#include "num/decimal.h"

#include <math.h>
#include <string.h>

enum { BUFFER_SIZE = 1 << 18 };

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

/* A field's text: in the buffer, or in `scratch` if quotes had to be removed.
 * The byte behind it belongs to no number. */
typedef struct csv_field {
    const char *text;
    size_t size;
    bool is_quoted;
    bool is_last;  /* a line end follows it                                 */
    int64_t lines; /* line ends inside it                                   */
} csv_field;

typedef struct csv_reader {
    sf_context *ctx;
    sfi_input *input;
    sf_table *head;
    csv_column *columns; /* [column_count] */
    size_t column_count;

    char *buffer; /* [capacity + 1]: room for a last line end */
    size_t capacity, begin, whole, end;
    bool input_ended;
    char *scratch;
    size_t scratch_capacity;

    int64_t line;        /* on which the record at `begin` starts           */
    int64_t extra_lines; /* line ends inside fields so far                  */
    int64_t noted_lines; /* extra_lines as head knows them                  */
    int64_t blank_line;  /* the first blank line, 0 if none                 */
    int64_t row;         /* rows read since the beginning                   */
    int64_t count;       /* rows in all, -1 if unknown                      */
    sf_status status;    /* why a step was BAD                              */
} csv_reader;

/* What a step came to. */
typedef enum outcome {
    GOOD = 0,
    MORE, /* the buffer ends before the record does */
    BAD   /* the reader's `status` says what */
} outcome;

static const char *name_of(const csv_reader *r)
{
    return sfi_input_name(r->input);
}

/* Record a message that begins with file and line. */
#define FAIL_AT(r, at_line, format, ...)                                       \
    ((r)->status = SFI_FAIL((r)->ctx, SF_E_FORMAT, "%s:%lld: " format,         \
                            name_of(r), (long long)(at_line), __VA_ARGS__),    \
     BAD)

static outcome fail(csv_reader *r, sf_status status)
{
    r->status = status;
    return BAD;
}

/* ---- the buffer ----------------------------------------------------------- */

static sf_status grow_buffer(csv_reader *r)
{
    if (r->capacity >= SFI_CSV_MOST_RECORD)
        return SFI_FAIL(r->ctx, SF_E_FORMAT,
                        "%s:%lld: a record of more than %d MiB; is a closing "
                        "quote missing, or is this no CSV file?",
                        name_of(r), (long long)r->line,
                        SFI_CSV_MOST_RECORD >> 20);
    const size_t larger = 2 * r->capacity;
    char *buffer = sfi_alloc(r->ctx, larger + 1, 1);
    if (buffer == NULL)
        return SF_E_NOMEM;
    memcpy(buffer, r->buffer, r->end);
    sfi_free(r->ctx, r->buffer, r->capacity + 1, 1);
    r->buffer = buffer;
    r->capacity = larger;
    return SF_OK;
}

/* Read on behind `end`, keeping the record at `begin`. */
static sf_status refill(csv_reader *r)
{
    if (r->begin > 0) {
        memmove(r->buffer, r->buffer + r->begin, r->end - r->begin);
        r->end -= r->begin;
        r->whole -= r->begin;
        r->begin = 0;
    }
    if (r->end == r->capacity)
        SFI_TRY(grow_buffer(r));
    size_t got = 0;
    const size_t want = r->capacity - r->end;
    SFI_TRY(sfi_input_read(r->input, r->buffer + r->end, want, &got));
    r->end += got;
    if (got < want) {
        r->input_ended = true;
        if (r->end > 0 && r->buffer[r->end - 1] != '\n')
            r->buffer[r->end++] = '\n';
    }
    size_t whole = r->end;
    while (whole > r->whole && r->buffer[whole - 1] != '\n')
        whole--;
    r->whole = whole;
    return SF_OK;
}

/* Make sure that a line begins at `begin`, or that nothing is left. */
static sf_status need_line(csv_reader *r)
{
    while (r->begin == r->whole && !r->input_ended)
        SFI_TRY(refill(r));
    return SF_OK;
}

static sf_status begin_buffer(csv_reader *r)
{
    r->begin = r->whole = r->end = 0;
    r->input_ended = false;
    r->line = 1;
    r->extra_lines = r->blank_line = r->row = 0;
    SFI_TRY(need_line(r));
    if (r->end - r->begin >= 3 &&
        memcmp(r->buffer + r->begin, "\xEF\xBB\xBF", 3) == 0)
        r->begin += 3;
    return SF_OK;
}

/* ---- fields --------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *p)
{
    while (is_blank(*p))
        p++;
    return p;
}

/* Whether a field ends at p; a line end may be CR LF. */
static bool ends_field(const char *p)
{
    return *p == ',' || *p == '\n' || (*p == '\r' && p[1] == '\n');
}

/* Step over the end of a field. */
static const char *end_field(const char *p, csv_field *f)
{
    f->is_last = *p != ',';
    return p + (*p == '\r' ? 2 : 1);
}

static outcome keep_scratch(csv_reader *r, size_t used, const char *from,
                            size_t size)
{
    char *larger =
        sfi_grow(r->ctx, r->scratch, &r->scratch_capacity, used + size + 1, 1);
    if (larger == NULL)
        return fail(r, SF_E_NOMEM);
    r->scratch = larger;
    memcpy(larger + used, from, size);
    larger[used + size] = '\0';
    return GOOD;
}

/* *at is behind the opening quote. */
static outcome scan_quoted(csv_reader *r, const char **at, csv_field *f,
                           int64_t line)
{
    const char *whole = r->buffer + r->whole;
    const char *piece = *at, *p = piece;
    size_t kept = 0;
    bool has_escape = false;
    f->is_quoted = true;
    for (;;) {
        while (p < whole && *p != '"') {
            f->lines += *p == '\n';
            p++;
        }
        if ((size_t)(p - piece) + kept > SFI_CSV_MOST_FIELD)
            return FAIL_AT(r, line,
                           "the quoted field that begins here exceeds %d "
                           "bytes; is a closing quote missing?",
                           (int)SFI_CSV_MOST_FIELD);
        if (p == whole && !r->input_ended)
            return MORE;
        if (p == whole)
            return FAIL_AT(r, line, "%s",
                           "the quoted field that begins here is not closed");
        if (p[1] != '"')
            break;
        /* Two quotes stand for one: keep the piece with the first. */
        if (keep_scratch(r, kept, piece, (size_t)(p + 1 - piece)) != GOOD)
            return BAD;
        kept += (size_t)(p + 1 - piece);
        has_escape = true;
        p += 2;
        piece = p;
    }
    f->text = piece;
    f->size = (size_t)(p - piece);
    if (has_escape) {
        if (keep_scratch(r, kept, piece, f->size) != GOOD)
            return BAD;
        f->text = r->scratch;
        f->size += kept;
    }
    p = skip_blanks(p + 1);
    if (!ends_field(p)) {
        char shown[SFI_SHOW_SIZE];
        return FAIL_AT(r, line + f->lines,
                       "\"%s\" follows a closing quote, want a comma or the "
                       "line's end; a quote inside a quoted field is written "
                       "twice",
                       sfi_show(shown, p, strcspn(p, ",\n\r")));
    }
    *at = end_field(p, f);
    return GOOD;
}

static outcome scan_plain(csv_reader *r, const char **at, csv_field *f,
                          int64_t line)
{
    const char *p = *at;
    while (*p != ',' && *p != '\n' && *p != '\r')
        p++;
    if (!ends_field(p))
        return FAIL_AT(r, line, "%s",
                       "a carriage return without a line feed; lines end with "
                       "LF or CR LF");
    if (p - *at > SFI_CSV_MOST_FIELD)
        return FAIL_AT(r, line, "a field of more than %d bytes",
                       (int)SFI_CSV_MOST_FIELD);
    const char *last = p;
    while (last > *at && is_blank(last[-1]))
        last--;
    f->text = *at;
    f->size = (size_t)(last - *at);
    *at = end_field(p, f);
    return GOOD;
}

/* Read the field at *at, which lies on `line`, and step over it. */
static outcome scan_field(csv_reader *r, const char **at, csv_field *f,
                          int64_t line)
{
    *f = (csv_field){0};
    const char *p = skip_blanks(*at);
    if (*p == '"') {
        *at = p + 1;
        return scan_quoted(r, at, f, line);
    }
    *at = p;
    return scan_plain(r, at, f, line);
}

bool sfi_csv_is_missing(const char *text, size_t size)
{
    static const char *const words[] = {"", "NA", "nan", "NaN", "-nan"};
    for (size_t i = 0; i < SFI_COUNT(words); i++)
        if (size == strlen(words[i]) && memcmp(text, words[i], size) == 0)
            return true;
    return false;
}

static bool is_missing(const csv_field *f)
{
    return f->size == 0 || sfi_csv_is_missing(f->text, f->size);
}

/* inf or infinity with or without a sign, in any case. */
static bool is_infinity(const csv_field *f)
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
static bool is_number(const csv_field *f, double *value)
{
    const char *end = sfi_number_parse(skip_blanks(f->text), value);
    return end != NULL && skip_blanks(end) >= f->text + f->size;
}

/* Names and levels: no NUL, and UTF-8. */
static outcome check_text(csv_reader *r, const csv_field *f, int64_t line,
                          const char *what)
{
    char shown[SFI_SHOW_SIZE];
    const bool has_nul = memchr(f->text, '\0', f->size) != NULL;
    if (!has_nul && sfi_utf8_prefix(f->text, f->size) == f->size)
        return GOOD;
    return FAIL_AT(r, line, "the %s \"%s\" %s", what,
                   sfi_show(shown, f->text, f->size),
                   has_nul ? "holds a NUL byte; want a text file in UTF-8"
                           : "is not UTF-8; convert the file to UTF-8");
}

/* ---- the header ----------------------------------------------------------- */

static outcome check_name(csv_reader *r, const csv_field *f, int64_t line,
                          size_t number)
{
    char shown[SFI_SHOW_SIZE];
    double value = 0.0;
    if (f->size == 0)
        return FAIL_AT(r, line,
                       "column %zu has no name in the header line; name it, or "
                       "remove the column",
                       number + 1);
    if (f->size > SFI_CSV_MOST_NAME)
        return FAIL_AT(r, line,
                       "the name of column %zu has %zu bytes, want at most %d",
                       number + 1, f->size, (int)SFI_CSV_MOST_NAME);
    if (check_text(r, f, line, "column name") != GOOD)
        return BAD;
    if (!f->is_quoted && is_number(f, &value) &&
        (memchr(f->text, '.', f->size) != NULL ||
         memchr(f->text, 'e', f->size) != NULL ||
         memchr(f->text, 'E', f->size) != NULL))
        return FAIL_AT(r, line,
                       "a header line with the columns' names is expected "
                       "first, but \"%s\" is a number; add a header line, or "
                       "put the name in quotes",
                       sfi_show(shown, f->text, f->size));
    return GOOD;
}

/* Look at the header line as a whole. */
static outcome check_header(csv_reader *r)
{
    char shown[SFI_SHOW_SIZE];
    const char *p = r->buffer + r->begin;
    const int64_t first = r->line;
    int64_t line = first;
    size_t count = 0;
    bool all_numbers = true;
    csv_field f = {0};
    do {
        double value = 0.0;
        const outcome scanned = scan_field(r, &p, &f, line);
        if (scanned != GOOD)
            return scanned;
        all_numbers = all_numbers && (is_number(&f, &value) || is_missing(&f));
        line += f.lines;
        count++;
    } while (!f.is_last);
    if (count == 1 && f.size == 0 && !f.is_quoted)
        return FAIL_AT(r, first, "%s",
                       "a blank line, want a header line with the columns' "
                       "names");
    if (count == 1 && !f.is_quoted &&
        (memchr(f.text, ';', f.size) || memchr(f.text, '\t', f.size)))
        return FAIL_AT(r, first,
                       "the only column is \"%s\"; columns are separated by "
                       "commas, not by semicolons or tabs",
                       sfi_show(shown, f.text, f.size));
    if (all_numbers)
        return FAIL_AT(r, first, "%s",
                       "all numbers, but a header line with the columns' names "
                       "is expected first; add one, such as \"x,y\"");
    if (count > SFI_CSV_MOST_COLUMNS)
        return FAIL_AT(r, first, "%zu columns, want at most %d", count,
                       (int)SFI_CSV_MOST_COLUMNS);
    return GOOD;
}

/* Collect the names in the header line, which check_header() has seen. */
static outcome read_header(csv_reader *r, sfi_dictionary *names)
{
    char shown[SFI_SHOW_SIZE];
    const char *p = r->buffer + r->begin;
    csv_field f = {0};
    do {
        if (scan_field(r, &p, &f, r->line) != GOOD ||
            check_name(r, &f, r->line, names->count) != GOOD)
            return BAD;
        if (sfi_dictionary_find(names, f.text, f.size) >= 0)
            return FAIL_AT(r, r->line,
                           "two columns are called \"%s\", want distinct names",
                           sfi_show(shown, f.text, f.size));
        const sf_status added =
            sfi_dictionary_add(r->ctx, names, f.text, f.size);
        if (added != SF_OK)
            return fail(r, added);
        r->line += f.lines;
        r->extra_lines += f.lines;
    } while (!f.is_last);
    r->begin = (size_t)(p - r->buffer);
    r->line++;
    return GOOD;
}

/* Bring the buffer to the header line, which is complete then. */
static sf_status find_header(csv_reader *r)
{
    SFI_TRY(begin_buffer(r));
    if (r->begin == r->whole)
        return SFI_FAIL(r->ctx, SF_E_FORMAT,
                        "%s: the file is empty, want a header line and rows",
                        name_of(r));
    if (r->end - r->begin >= 2 &&
        (memcmp(r->buffer + r->begin, "\xFF\xFE", 2) == 0 ||
         memcmp(r->buffer + r->begin, "\xFE\xFF", 2) == 0))
        return SFI_FAIL(r->ctx, SF_E_FORMAT,
                        "%s: the file is UTF-16, want UTF-8", name_of(r));
    outcome checked = check_header(r);
    while (checked == MORE) {
        SFI_TRY(refill(r));
        checked = check_header(r);
    }
    return checked == GOOD ? SF_OK : r->status;
}

/* ---- rows ----------------------------------------------------------------- */

static outcome fail_text(csv_reader *r, const csv_field *f, int64_t line,
                         size_t col)
{
    char shown[SFI_SHOW_SIZE];
    return FAIL_AT(r, line,
                   "column \"%.200s\": \"%s\" is not a number, but line %lld "
                   "made this a column of numbers; if it is missing, leave it "
                   "empty or write NA; if the column is text, its first cell "
                   "must not be a number",
                   r->head->columns[col].name,
                   sfi_show(shown, f->text, f->size),
                   (long long)r->columns[col].decided);
}

static outcome fail_infinite(csv_reader *r, const csv_field *f, int64_t line,
                             size_t col)
{
    char shown[SFI_SHOW_SIZE];
    return FAIL_AT(r, line,
                   "column \"%.200s\": \"%s\" is not a finite number; if it is "
                   "missing, leave it empty or write NA",
                   r->head->columns[col].name,
                   sfi_show(shown, f->text, f->size));
}

static outcome read_level(csv_reader *r, const csv_field *f, int64_t line,
                          size_t col, double *cell)
{
    sfi_dictionary *levels = &r->columns[col].levels;
    int64_t level = sfi_dictionary_find(levels, f->text, f->size);
    if (level < 0) {
        if (check_text(r, f, line, "text") != GOOD)
            return BAD;
        if (levels->is_lent || r->count >= 0)
            return FAIL_AT(r, line, "%s",
                           "a new text on the second reading; the file was "
                           "changed meanwhile");
        level = (int64_t)levels->count;
        const sf_status added =
            sfi_dictionary_add(r->ctx, levels, f->text, f->size);
        if (added != SF_OK)
            return fail(r, added);
    }
    *cell = (double)level;
    return GOOD;
}

static void decide(csv_reader *r, size_t col, column_state state, int64_t line)
{
    r->columns[col].state = state;
    r->columns[col].decided = line;
}

static outcome read_cell(csv_reader *r, const csv_field *f, int64_t line,
                         size_t col, double *cell)
{
    csv_column *column = &r->columns[col];
    double value = 0.0;
    *cell = (double)NAN;
    if (is_missing(f))
        return GOOD;
    if (column->state == TEXTS)
        return read_level(r, f, line, col, cell);
    if (is_number(f, &value)) {
        if (isinf(value))
            return fail_infinite(r, f, line, col);
        if (column->state == UNDECIDED)
            decide(r, col, NUMBERS, line);
        *cell = value;
        return GOOD;
    }
    if (is_infinity(f))
        return fail_infinite(r, f, line, col);
    if (column->state == NUMBERS)
        return fail_text(r, f, line, col);
    const outcome read = read_level(r, f, line, col, cell);
    if (read == GOOD)
        decide(r, col, TEXTS, line);
    return read;
}

/* The record has `count` fields up to `p`, or more where `is_last` is not set:
 * count them all. */
static outcome fail_ragged(csv_reader *r, const char *p, bool is_last,
                           size_t count, int64_t line)
{
    while (!is_last) {
        csv_field f;
        const outcome scanned = scan_field(r, &p, &f, line);
        if (scanned != GOOD)
            return scanned;
        line += f.lines;
        is_last = f.is_last;
        count++;
    }
    return FAIL_AT(r, r->line, "%zu field%s, want %zu as in the header line",
                   count, count == 1 ? "" : "s", r->column_count);
}

/* Read the record at `begin` into cells and step over it. */
static outcome read_row(csv_reader *r, double *cells)
{
    const char *p = r->buffer + r->begin;
    const size_t count = r->column_count;
    int64_t line = r->line;
    bool is_last = false;
    for (size_t col = 0; col < count; col++) {
        if (is_last)
            return fail_ragged(r, p, is_last, col, line);
        if (r->columns[col].state == NUMBERS) {
            double value = 0.0;
            const char *end = sfi_number_parse(skip_blanks(p), &value);
            if (end != NULL && ends_field(end) && !isinf(value)) {
                cells[col] = value;
                is_last = *end != ',';
                p = end + (*end == '\r' ? 2 : 1);
                continue;
            }
        }
        csv_field f;
        outcome step = scan_field(r, &p, &f, line);
        if (step == GOOD)
            step = read_cell(r, &f, line, col, &cells[col]);
        if (step != GOOD)
            return step;
        is_last = f.is_last;
        line += f.lines;
    }
    if (!is_last)
        return fail_ragged(r, p, is_last, count, line);
    r->begin = (size_t)(p - r->buffer);
    r->extra_lines += line - r->line;
    r->line = line + 1;
    return GOOD;
}

/* Step over blank lines, of which only the end of a file may have any. */
static sf_status skip_blank_lines(csv_reader *r)
{
    for (;;) {
        SFI_TRY(need_line(r));
        if (r->begin == r->whole)
            return SF_OK;
        const char *p = skip_blanks(r->buffer + r->begin);
        if (*p != '\n' && !(*p == '\r' && p[1] == '\n'))
            break;
        if (r->blank_line == 0)
            r->blank_line = r->line;
        r->begin = (size_t)(p + (*p == '\r' ? 2 : 1) - r->buffer);
        r->line++;
    }
    if (r->blank_line == 0)
        return SF_OK;
    return SFI_FAIL(r->ctx, SF_E_FORMAT,
                    "%s:%lld: a blank line before the end; a row whose only "
                    "cell is missing is written NA",
                    name_of(r), (long long)r->blank_line);
}

static sf_status next_row(csv_reader *r, double *cells, bool first)
{
    if (first && r->extra_lines > r->noted_lines) {
        SFI_TRY(
            sfi_table_add_line_jump(r->ctx, r->head, r->row, r->extra_lines));
        r->noted_lines = r->extra_lines;
    }
    outcome read = read_row(r, cells);
    while (read == MORE) {
        SFI_TRY(refill(r));
        read = read_row(r, cells);
    }
    if (read != GOOD)
        return r->status;
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
        if (r->begin == r->whole)
            break;
        SFI_TRY(next_row(r, cells + (size_t)done * r->column_count, first));
        done++;
    }
    if (done == 0 && r->row == 0)
        return SFI_FAIL(r->ctx, SF_E_FORMAT,
                        "%s: a header line and no rows, want at least one row",
                        name_of(r));
    *got = done;
    return SF_OK;
}

/* ---- the format ----------------------------------------------------------- */

static void csv_close(void *state)
{
    csv_reader *r = state;
    if (r == NULL)
        return;
    sf_context *ctx = r->ctx;
    if (r->columns != NULL)
        for (size_t j = 0; j < r->column_count; j++)
            sfi_dictionary_free(ctx, &r->columns[j].levels);
    sfi_free(ctx, r->columns, r->column_count, sizeof *r->columns);
    if (r->buffer != NULL)
        sfi_free(ctx, r->buffer, r->capacity + 1, 1);
    sfi_free(ctx, r->scratch, r->scratch_capacity, 1);
    sfi_free(ctx, r, 1, sizeof *r);
}

static sf_status make_columns(csv_reader *r)
{
    sfi_dictionary names = {0};
    sf_status status =
        read_header(r, &names) == GOOD
            ? sf_table_new(r->ctx, r->head, 0, (int64_t)names.count,
                           (const char *const *)names.texts)
            : r->status;
    r->column_count = names.count;
    sfi_dictionary_free(r->ctx, &names);
    if (status == SF_OK)
        status =
            sfi_table_set_source(r->ctx, r->head, SFI_SOURCE_LINES, name_of(r));
    if (status != SF_OK)
        return status;
    r->columns = sfi_alloc_zero(r->ctx, r->column_count, sizeof *r->columns);
    return r->columns != NULL ? SF_OK : SF_E_NOMEM;
}

/* Bytes of a buffer for an input of `size` bytes, -1 if that is unknown.  A
 * small file needs no large one, and the byte more lets the first reading see
 * the end. */
static size_t portion_of(int64_t size)
{
    return size > 0 && size < BUFFER_SIZE ? (size_t)size + 1
                                          : (size_t)BUFFER_SIZE;
}

static sf_status csv_open(sf_context *ctx, void **state, sfi_input *input,
                          sf_table *head, size_t buffer)
{
    *state = NULL;
    csv_reader *r = sfi_alloc_zero(ctx, 1, sizeof *r);
    if (r == NULL)
        return SF_E_NOMEM;
    r->ctx = ctx;
    r->input = input;
    r->head = head;
    r->count = -1;
    r->capacity = buffer > 0 ? buffer : portion_of(sfi_input_size(input));
    r->buffer = sfi_alloc(ctx, r->capacity + 1, 1);
    sf_status status = SF_E_NOMEM;
    if (r->buffer != NULL)
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
        SFI_TRY(sfi_dictionary_lend(r->ctx, levels, &column->levels));
        column->kind = SF_COLUMN_TEXT;
        column->level_count = (int64_t)levels->count;
    }
    return SF_OK;
}

static sf_status csv_rewind(void *state)
{
    csv_reader *r = state;
    SFI_TRY(sfi_input_rewind(r->input));
    SFI_TRY(find_header(r));
    sfi_dictionary names = {0};
    const outcome read = read_header(r, &names);
    sfi_dictionary_free(r->ctx, &names);
    return read == GOOD ? SF_OK : r->status;
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
    const int64_t size = sfi_input_size(r->input);
    const int64_t portion = (int64_t)portion_of(size);
    /* Files that the system makes up while they are read have size 0. */
    *rows = -1;
    if (size <= 0)
        return SF_OK;
    char *bytes = sfi_alloc(r->ctx, (size_t)portion, 1);
    if (bytes == NULL)
        return SF_E_NOMEM;
    sf_status status = SF_OK;
    int64_t lines = 0;
    for (int64_t at = 0; at < size && status == SF_OK; at += portion) {
        const size_t n = (size_t)(size - at < portion ? size - at : portion);
        status = sfi_input_read_at(r->input, (uint64_t)at, bytes, n);
        if (status == SF_OK)
            lines += count_lines(bytes, n);
    }
    sfi_free(r->ctx, bytes, (size_t)portion, 1);
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
