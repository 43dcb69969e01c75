/* SPDX-License-Identifier: Apache-2.0 */
/* arff.c - tables in Weka's attribute-relation file format.
 *
 *     % a comment
 *     @relation iris
 *     @attribute 'sepal length' numeric
 *     @attribute class {setosa, versicolor}
 *     @data
 *     5.1,setosa
 *
 * The header says what columns hold, and of categories the levels; the rows are
 * those of CSV with "?" for a missing cell, quotes of either kind and backslashes
 * in them.  Sparse rows, {0 5.1, 1 setosa}, are not read. */
#include "io/arff.h"

#include "base/text.h"
#include "io/csv.h"
#include "io/csv_reader.h"

#include <string.h>

/* ---- words ---------------------------------------------------------------- */

/* A line of the header, which ends at `end`. */
typedef struct line {
    const char *at, *end;
} line;

static void skip_blanks(line *l)
{
    while (l->at < l->end &&
           (*l->at == ' ' || *l->at == '\t' || *l->at == '\r'))
        l->at++;
}

/* Step over `word`, in any case, if it comes next and ends there. */
static bool take_keyword(line *l, const char *word)
{
    const size_t n = strlen(word);
    if ((size_t)(l->end - l->at) < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        const char c = l->at[i];
        if ((c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c) != word[i])
            return false;
    }
    const char *after = l->at + n;
    if (after < l->end && strchr(" \t\r{", *after) == NULL)
        return false;
    l->at = after;
    skip_blanks(l);
    return true;
}

/* Copy a word, in quotes or up to a blank or one of `stops`, to `to`, which has
 * room for the line; returns its size, -1 if a quote is not closed. */
static int64_t take_word(line *l, const char *stops, char *to)
{
    int64_t n = 0;
    skip_blanks(l);
    const char quote = l->at < l->end ? *l->at : '\0';
    if (quote != '\'' && quote != '"') {
        while (l->at < l->end && strchr(" \t\r", *l->at) == NULL &&
               strchr(stops, *l->at) == NULL)
            to[n++] = *l->at++;
        skip_blanks(l);
        return n;
    }
    for (l->at++; l->at < l->end && *l->at != quote; l->at++) {
        if (*l->at == '\\' && l->at + 1 < l->end)
            l->at++;
        to[n++] = *l->at;
    }
    if (l->at == l->end)
        return -1;
    l->at++;
    skip_blanks(l);
    return n;
}

/* ---- the header ----------------------------------------------------------- */

typedef struct attributes {
    sfi_dictionary names;
    sfi_csv_column *columns; /* [capacity], as the reader will have them */
    size_t capacity;
    char *word; /* [word_size] */
    size_t word_size;
} attributes;

static void free_attributes(sf_context *ctx, attributes *a)
{
    for (size_t j = 0; j < a->names.count && a->columns != NULL; j++)
        sfi_dictionary_free(ctx, &a->columns[j].levels);
    sfi_free(ctx, a->columns, a->capacity, sizeof *a->columns);
    sfi_free(ctx, a->word, a->word_size, 1);
    sfi_dictionary_free(ctx, &a->names);
}

static sf_status fail_line(sfi_csv_reader *r, const line *l, const char *what)
{
    char shown[SFI_SHOW_SIZE];
    (void)SFI_CSV_FAIL(&r->scan, r->scan.line, "\"%s\": %s",
                       sfi_show(shown, l->at, (size_t)(l->end - l->at)), what);
    return r->scan.status;
}

static sf_status check_word(sfi_csv_reader *r, const char *text, int64_t size,
                            const char *what)
{
    const sfi_csv_field f = {.text = text, .size = (size_t)size};
    return sfi_csv_check_text(&r->scan, &f, r->scan.line, what) == SFI_CSV_GOOD
               ? SF_OK
               : r->scan.status;
}

static sf_status read_levels(sfi_csv_reader *r, line *l, attributes *a,
                             sfi_dictionary *levels)
{
    do {
        l->at++; /* { or , */
        const int64_t n = take_word(l, ",}", a->word);
        if (n <= 0)
            return fail_line(r, l, "want the attribute's values: {a, b}");
        SFI_TRY(check_word(r, a->word, n, "value"));
        if (sfi_dictionary_find(levels, a->word, (size_t)n) >= 0)
            continue;
        SFI_TRY(sfi_dictionary_add(r->scan.ctx, levels, a->word, (size_t)n));
    } while (l->at < l->end && *l->at == ',');
    return l->at < l->end && *l->at == '}'
               ? SF_OK
               : fail_line(r, l, "want a comma or } after a value");
}

static sf_status read_type(sfi_csv_reader *r, line *l, attributes *a,
                           sfi_csv_column *column)
{
    column->is_told = true;
    column->state = SFI_CSV_TEXTS;
    if (l->at < l->end && *l->at == '{') {
        column->is_closed = true;
        return read_levels(r, l, a, &column->levels);
    }
    if (take_keyword(l, "numeric") || take_keyword(l, "real") ||
        take_keyword(l, "integer")) {
        column->state = SFI_CSV_NUMBERS;
        return SF_OK;
    }
    return take_keyword(l, "string") || take_keyword(l, "date")
               ? SF_OK
               : fail_line(r, l,
                           "want numeric, real, integer, string, date or "
                           "{VALUES} as the attribute's type");
}

static sf_status read_attribute(sfi_csv_reader *r, line *l, attributes *a)
{
    sf_context *ctx = r->scan.ctx;
    char shown[SFI_SHOW_SIZE];
    const int64_t n = take_word(l, "", a->word);
    if (n <= 0 || n > SFI_CSV_MOST_NAME)
        return fail_line(r, l, "want the attribute's name, then its type");
    SFI_TRY(check_word(r, a->word, n, "column name"));
    if (a->names.count >= SFI_CSV_MOST_COLUMNS)
        return fail_line(r, l, "more than 100000 attributes");
    if (sfi_dictionary_find(&a->names, a->word, (size_t)n) >= 0) {
        (void)SFI_CSV_FAIL(&r->scan, r->scan.line,
                           "two columns are called \"%s\", want distinct names",
                           sfi_show(shown, a->word, (size_t)n));
        return r->scan.status;
    }
    const size_t j = a->names.count, had = a->capacity;
    sfi_csv_column *columns =
        sfi_grow(ctx, a->columns, &a->capacity, j + 1, sizeof *columns);
    if (columns == NULL)
        return SF_E_NOMEM;
    a->columns = columns;
    if (a->capacity > had)
        memset(columns + had, 0, (a->capacity - had) * sizeof *columns);
    SFI_TRY(sfi_dictionary_add(ctx, &a->names, a->word, (size_t)n));
    return read_type(r, l, a, &columns[j]);
}

/* Room for the longest word of a line. */
static sf_status need_word(sf_context *ctx, attributes *a, const line *l)
{
    const size_t want = (size_t)(l->end - l->at) + 1;
    char *word = sfi_grow(ctx, a->word, &a->word_size, want, 1);
    if (word == NULL)
        return SF_E_NOMEM;
    a->word = word;
    return SF_OK;
}

/* Read up to and with @data. */
static sf_status read_header(sfi_csv_reader *r, attributes *a)
{
    sfi_csv_scan *s = &r->scan;
    SFI_TRY(sfi_csv_scan_begin(s));
    for (bool ended = false; !ended; sfi_csv_skip_line(s)) {
        SFI_TRY(sfi_csv_need_line(s));
        if (s->begin == s->whole)
            return SFI_FAIL(s->ctx, SF_E_FORMAT,
                            "%s: ends before @data; is this ARFF?", s->name);
        const char *p = s->buffer + s->begin;
        line l = {p, memchr(p, '\n', s->whole - s->begin)};
        skip_blanks(&l);
        ended = take_keyword(&l, "@data");
        if (ended || l.at == l.end || *l.at == '%' ||
            take_keyword(&l, "@relation"))
            continue;
        SFI_TRY(need_word(s->ctx, a, &l));
        if (!take_keyword(&l, "@attribute"))
            return fail_line(r, &l, "want @relation, @attribute or @data");
        SFI_TRY(read_attribute(r, &l, a));
    }
    if (a->names.count == 0)
        return SFI_FAIL(s->ctx, SF_E_FORMAT,
                        "%s: no @attribute, want at least one", s->name);
    SFI_TRY(sfi_csv_skip_to_row(r));
    if (s->begin < s->whole && s->buffer[s->begin] == '{')
        return SFI_FAIL(s->ctx, SF_E_FORMAT,
                        "%s:%lld: sparse rows are not read; write them out",
                        s->name, (long long)s->line);
    return SF_OK;
}

static sf_status begin_again(sfi_csv_reader *r)
{
    attributes a = {0};
    const sf_status status = read_header(r, &a);
    free_attributes(r->scan.ctx, &a);
    return status;
}

/* ---- the format ----------------------------------------------------------- */

static sf_status open_reader(sfi_csv_reader *r)
{
    attributes a = {0};
    sf_status status = read_header(r, &a);
    if (status == SF_OK)
        status = sfi_csv_reader_columns(r, &a.names);
    /* Levels change hands. */
    for (size_t j = 0; j < a.names.count && status == SF_OK; j++) {
        r->columns[j] = a.columns[j];
        memset(&a.columns[j], 0, sizeof a.columns[j]);
    }
    free_attributes(r->scan.ctx, &a);
    return status;
}

static sf_status open_arff(sf_context *ctx, void **state, sfi_input *input,
                           sf_table *head, size_t buffer,
                           const sf_read_options *options)
{
    sfi_csv_reader *r = NULL;
    sf_read_options o = *options;
    *state = NULL;
    SFI_TRY(sfi_dialect_refuse(ctx, options, sfi_input_name(input)));
    o.kinds = NULL;
    o.na = options->na != NULL ? options->na : "?";
    SFI_TRY(sfi_csv_reader_new(ctx, &r, input, head, buffer, &o));
    r->begin = begin_again;
    r->scan.dialect.quote = '\'';
    r->scan.dialect.escape = '\\';
    r->scan.dialect.comment = '%';
    r->scan.dialect.only_leading_comments = false;
    const sf_status status = open_reader(r);
    if (status != SF_OK) {
        sfi_csv_reader_free(r);
        return status;
    }
    *state = r;
    return SF_OK;
}

bool sfi_arff_begins(const char *bytes, size_t size)
{
    const char *const end = bytes + size;
    while (bytes < end) {
        const char *next = memchr(bytes, '\n', (size_t)(end - bytes));
        line l = {bytes, next != NULL ? next : end};
        skip_blanks(&l);
        if (l.at < l.end && *l.at != '%')
            return take_keyword(&l, "@relation");
        bytes = next != NULL ? next + 1 : end;
    }
    return false;
}

const sfi_table_format sfi_arff_format = {
    .extensions = ".arff", .open = open_arff, SFI_CSV_ROWS};
