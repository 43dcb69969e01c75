/* SPDX-License-Identifier: Apache-2.0 */
/* csv_header.c - what stands before the rows of a CSV file: comments, and a line
 * with the names of the columns if it has one. */
#include "io/csv.h"

#include "io/cell.h"
#include "io/csv_reader.h"

#include <stdio.h>
#include <string.h>

static sfi_csv_outcome check_name(sfi_csv_reader *r, const sfi_csv_field *f,
                                  size_t number)
{
    const int64_t line = r->scan.line;
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
    return sfi_csv_check_text(&r->scan, f, line, "column name");
}

static sf_status fail_first(sfi_csv_reader *r, const char *what)
{
    (void)SFI_CSV_FAIL(&r->scan, r->scan.line, "%s", what);
    return r->scan.status;
}

/* How many fields the record at `begin` has. */
static sfi_csv_outcome count_fields(sfi_csv_reader *r, size_t *count)
{
    const char *p = r->scan.buffer + r->scan.begin;
    int64_t line = r->scan.line;
    sfi_csv_field f = {0};
    *count = 0;
    do {
        const sfi_csv_outcome scanned =
            sfi_csv_scan_field(&r->scan, &p, &f, line);
        if (scanned != SFI_CSV_GOOD)
            return scanned;
        line += f.lines;
        ++*count;
    } while (!f.is_last);
    if (*count == 1 && f.size == 0 && !f.is_quoted)
        return SFI_CSV_FAIL(
            &r->scan, r->scan.line, "%s",
            r->scan.dialect.has_header
                ? "a blank line, want a header line with the columns' names"
                : "a blank line, want a row");
    if (*count > SFI_CSV_MOST_COLUMNS)
        return SFI_CSV_FAIL(&r->scan, r->scan.line,
                            "%zu columns, want at most %d", *count,
                            (int)SFI_CSV_MOST_COLUMNS);
    return SFI_CSV_GOOD;
}

/* Have the first record as a whole in the buffer. */
static sf_status find_record(sfi_csv_reader *r, size_t *count)
{
    const sfi_csv_scan *s = &r->scan;
    SFI_TRY(sfi_csv_need_line(&r->scan));
    while (s->begin < s->whole &&
           sfi_csv_is_comment(s, s->buffer + s->begin, true)) {
        sfi_csv_skip_line(&r->scan);
        SFI_TRY(sfi_csv_need_line(&r->scan));
    }
    r->comments = s->line - 1;
    if (s->begin == s->whole)
        return fail_first(r, "nothing but comments, want a table");
    sfi_csv_outcome counted = count_fields(r, count);
    while (counted == SFI_CSV_MORE) {
        SFI_TRY(sfi_csv_refill(&r->scan));
        counted = count_fields(r, count);
    }
    return counted == SFI_CSV_GOOD ? SF_OK : s->status;
}

static sf_status add_name(sfi_csv_reader *r, sfi_dictionary *names,
                          const char *name, size_t size)
{
    char shown[SFI_SHOW_SIZE];
    if (sfi_dictionary_find(names, name, size) < 0)
        return sfi_dictionary_add(r->scan.ctx, names, name, size);
    (void)SFI_CSV_FAIL(&r->scan, r->scan.line,
                       "two columns are called \"%s\", want distinct names; if "
                       "this line is data, --header no",
                       sfi_show(shown, name, size));
    return r->scan.status;
}

static sf_status make_names(sfi_csv_reader *r, size_t count,
                            sfi_dictionary *names)
{
    char name[32];
    for (size_t j = 0; j < count; j++) {
        const int n = snprintf(name, sizeof name, "c%zu", j);
        SFI_TRY(add_name(r, names, name, (size_t)n));
    }
    return SF_OK;
}

/* A name with what might separate is a header whose rows are ragged. */
static sf_status check_only_name(sfi_csv_reader *r, const sfi_csv_field *f)
{
    char shown[SFI_SHOW_SIZE];
    if (memchr(f->text, ';', f->size) == NULL &&
        memchr(f->text, '\t', f->size) == NULL)
        return SF_OK;
    (void)SFI_CSV_FAIL(&r->scan, r->scan.line,
                       "the only column is \"%s\", and neither semicolons nor "
                       "tabs split every line alike; --sep says what separates",
                       sfi_show(shown, f->text, f->size));
    return r->scan.status;
}

/* Read the names in the record that find_record() found, and step over it. */
static sf_status read_names(sfi_csv_reader *r, sfi_dictionary *names)
{
    static const char ours[] = "rownames";
    sfi_csv_scan *s = &r->scan;
    const char *p = s->buffer + s->begin;
    int64_t line = s->line;
    sfi_csv_field f = {0};
    if (s->dialect.has_row_names)
        SFI_TRY(add_name(r, names, ours, sizeof ours - 1));
    do {
        if (sfi_csv_scan_field(s, &p, &f, s->line) != SFI_CSV_GOOD)
            return s->status;
        /* A column of row names often has none. */
        if (f.size == 0 && names->count == 0 && !f.is_last) {
            SFI_TRY(add_name(r, names, ours, sizeof ours - 1));
        } else {
            if (check_name(r, &f, names->count) != SFI_CSV_GOOD)
                return s->status;
            SFI_TRY(add_name(r, names, f.text, f.size));
        }
        line += f.lines;
    } while (!f.is_last);
    if (names->count == 1 && !f.is_quoted && r->options.sep == NULL)
        SFI_TRY(check_only_name(r, &f));
    s->begin = (size_t)(p - s->buffer);
    s->line = line + 1;
    return SF_OK;
}

/* Come to the first row; the names go to `names`. */
static sf_status read_header(sfi_csv_reader *r, sfi_dictionary *names)
{
    sfi_csv_scan *s = &r->scan;
    size_t count = 0;
    SFI_TRY(sfi_csv_scan_begin(s));
    if (s->begin == s->whole)
        return SFI_FAIL(s->ctx, SF_E_FORMAT,
                        "%s: the file is empty, want a header line and rows",
                        s->name);
    if (s->end - s->begin >= 2 &&
        (memcmp(s->buffer + s->begin, "\xFF\xFE", 2) == 0 ||
         memcmp(s->buffer + s->begin, "\xFE\xFF", 2) == 0))
        return SFI_FAIL(s->ctx, SF_E_FORMAT,
                        "%s: the file is UTF-16, want UTF-8", s->name);
    SFI_TRY(find_record(r, &count));
    return s->dialect.has_header ? read_names(r, names)
                                 : make_names(r, count, names);
}

static sf_status begin_again(sfi_csv_reader *r)
{
    sfi_dictionary names = {0};
    const sf_status status = read_header(r, &names);
    sfi_dictionary_free(r->scan.ctx, &names);
    return status;
}

/* What was recognised is said once. */
static void say_what_was_found(const sfi_csv_reader *r)
{
    const sfi_dialect *d = &r->scan.dialect;
    const int64_t skipped = r->comments;
    const char *name = r->scan.name;
    if (skipped == 1 && r->options.comment == NULL)
        sfi_warn(r->scan.ctx,
                 "%s: the first line, which begins with #, is skipped", name);
    if (skipped > 1 && r->options.comment == NULL)
        sfi_warn(r->scan.ctx,
                 "%s: the first %lld lines, which begin with #, are skipped",
                 name, (long long)skipped);
    if (d->found_sep)
        sfi_warn(r->scan.ctx, "%s: columns are separated by %s", name,
                 d->sep == ';'    ? "semicolons"
                 : d->sep == '\t' ? "tabs"
                                  : "blanks");
    if (d->found_header)
        sfi_warn(r->scan.ctx,
                 "%s: the first line is data like the others, so the columns "
                 "are called c0, c1, ... (if it holds names: --header yes)",
                 name);
    if (d->has_row_names)
        sfi_warn(r->scan.ctx,
                 "%s: the header line has one name less than the rows have "
                 "fields; the first column is called \"rownames\"",
                 name);
}

static sf_status open_reader(sfi_csv_reader *r)
{
    sfi_csv_scan *s = &r->scan;
    const char *bytes = NULL;
    size_t size = 0;
    SFI_TRY(sfi_dialect_set(s->ctx, &s->dialect, &r->options));
    SFI_TRY(sfi_input_peek(s->input, SFI_INPUT_PEEK, &bytes, &size));
    SFI_TRY(sfi_dialect_find(s->ctx, &s->dialect, &r->options, bytes, size,
                             size < SFI_INPUT_PEEK));
    sfi_dictionary names = {0};
    sf_status status = read_header(r, &names);
    if (status == SF_OK)
        status = sfi_csv_reader_columns(r, &names);
    sfi_dictionary_free(s->ctx, &names);
    if (status == SF_OK)
        say_what_was_found(r);
    return status;
}

static sf_status open_csv(sf_context *ctx, void **state, sfi_input *input,
                          sf_table *head, size_t buffer,
                          const sf_read_options *options)
{
    sfi_csv_reader *r = NULL;
    *state = NULL;
    SFI_TRY(sfi_csv_reader_new(ctx, &r, input, head, buffer, options));
    r->begin = begin_again;
    const sf_status status = open_reader(r);
    if (status != SF_OK) {
        sfi_csv_reader_free(r);
        return status;
    }
    *state = r;
    return SF_OK;
}

const sfi_table_format sfi_csv_format = {.extensions =
                                             ".csv|.tsv|.txt|.data|.dat|.tab",
                                         .writes = ".csv",
                                         .open = open_csv,
                                         .write = sfi_csv_write,
                                         SFI_CSV_ROWS};
