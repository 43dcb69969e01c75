/* SPDX-License-Identifier: Apache-2.0 */
/* dialect.c - which form of a text table a file has, by its first 64 KiB.
 *
 * The separator.  A candidate splits the file alike if each record has as many
 * fields, two or more, as the first one; or if each has one more than the first,
 * as R writes row names that the header line does not name.  Semicolons are taken
 * before commas, which may be decimal ones, then commas, tabs and blanks; if none
 * does it, commas, whose errors say where the file is ragged.
 *
 * The header.  The first record is data, not names, if it looks like the rest: if
 * all of it is numbers; if it has a number with a point or an exponent, which is
 * nobody's name; or if, in every column, it has a number where the others have
 * numbers, or else a text that appears below again.  (c0, c1, ... are names: we
 * write them.) */
#include "io/dialect.h"

#include "base/text.h"
#include "io/cell.h"
#include "io/csv_scan.h"

#include <stdio.h>
#include <string.h>

enum { MOST_RECORDS = 1000 };

/* ---- what the options say ------------------------------------------------- */

static void set_separator(sfi_dialect *d, char sep)
{
    d->sep = sep;
    d->sep_too = sep == ' ' ? '\t' : sep;
    d->blank = sep == '\t' ? ' ' : '\t';
}

static sf_status bad_option(sf_context *ctx, const char *name, const char *text,
                            const char *want)
{
    char shown[SFI_SHOW_SIZE];
    return SFI_FAIL(ctx, SF_E_ARG, "--%s is \"%s\", want %s", name,
                    sfi_show(shown, text, strlen(text)), want);
}

/* A character that may stand between fields or begin a comment. */
static bool is_mark(const char *text)
{
    return text[0] > ' ' && text[0] < 0x7F && text[1] == '\0' &&
           strchr("\"+-.0123456789", text[0]) == NULL;
}

sf_status sfi_dialect_set(sf_context *ctx, sfi_dialect *d,
                          const sf_read_options *o)
{
    if (o->sep != NULL) {
        const bool tab = strcmp(o->sep, "tab") == 0 ||
                         strcmp(o->sep, "\t") == 0 ||
                         strcmp(o->sep, "\\t") == 0;
        const bool blank =
            strcmp(o->sep, "blank") == 0 || strcmp(o->sep, " ") == 0;
        if (!tab && !blank && !is_mark(o->sep))
            return bad_option(ctx, "sep", o->sep,
                              "one character that is no part of a number, tab "
                              "or blank");
        set_separator(d, tab ? '\t' : blank ? ' ' : o->sep[0]);
    }
    d->has_header = o->header != SF_HEADER_NO;
    if (o->comment != NULL) {
        if (o->comment[0] != '\0' && !is_mark(o->comment))
            return bad_option(ctx, "comment", o->comment,
                              "one character that is no part of a number, or "
                              "nothing");
        d->comment = o->comment[0];
        d->only_leading_comments = false;
    }
    if (o->decimal != NULL) {
        if (strcmp(o->decimal, ".") != 0 && strcmp(o->decimal, ",") != 0)
            return bad_option(ctx, "decimal", o->decimal, "\".\" or \",\"");
        d->point = o->decimal[0];
    }
    if (o->sep != NULL && d->point == d->sep)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "--sep and --decimal are both \"%c\", want different "
                        "ones",
                        d->sep);
    return SF_OK;
}

sf_status sfi_dialect_refuse(sf_context *ctx, const sf_read_options *o,
                             const char *name)
{
    const char *option = o->sep != NULL                ? "sep"
                         : o->header != SF_HEADER_AUTO ? "header"
                         : o->comment != NULL          ? "comment"
                         : o->decimal != NULL          ? "decimal"
                                                       : NULL;
    return option == NULL
               ? SF_OK
               : SFI_FAIL(ctx, SF_E_ARG,
                          "%s: --%s applies to text with separators alone",
                          name, option);
}

/* ---- records -------------------------------------------------------------- */

/* Go to the next record, over comments and blank lines. */
static bool at_record(sfi_csv_scan *s, bool first)
{
    while (s->begin < s->whole && s->status != SF_E_NOMEM) {
        const char *p = s->buffer + s->begin;
        if (!sfi_csv_is_comment(s, p, first) &&
            !sfi_csv_ends_line(sfi_csv_skip_blanks(s, p)))
            return true;
        sfi_csv_skip_line(s);
    }
    return false;
}

/* Called with each field of a record. */
typedef void (*field_fn)(void *user, size_t column, const sfi_csv_field *f,
                         const sfi_csv_scan *s);

/* Read the record at `begin`; returns how many fields it has, 0 if it is not
 * complete or broken. */
static size_t read_record(sfi_csv_scan *s, field_fn each, void *user)
{
    const char *p = s->buffer + s->begin;
    sfi_csv_field f = {0};
    size_t count = 0;
    do {
        if (s->status == SF_E_NOMEM ||
            sfi_csv_scan_field(s, &p, &f, 1) != SFI_CSV_GOOD)
            return 0;
        if (each != NULL)
            each(user, count, &f, s);
        count++;
    } while (!f.is_last);
    s->begin = (size_t)(p - s->buffer);
    return count;
}

static void restart(sfi_csv_scan *s)
{
    const bool has_mark =
        s->whole >= 3 && memcmp(s->buffer, "\xEF\xBB\xBF", 3) == 0;
    s->begin = has_mark ? 3 : 0;
}

/* ---- the separator -------------------------------------------------------- */

typedef struct shape {
    bool alike;     /* every record has as many fields, at least two          */
    bool row_names; /* but for the first one, which has one less              */
} shape;

/* First and last fields, by which row names are told from data. */
typedef struct ends {
    size_t fields;
    bool number_first, empty_last;
    double first;
} ends;

static void note_ends(void *user, size_t column, const sfi_csv_field *f,
                      const sfi_csv_scan *s)
{
    ends *e = user;
    if (column == 0)
        e->number_first = sfi_cell_number(f->text, f->size, s->dialect.point,
                                          &e->first) != SFI_NO_NUMBER;
    e->empty_last = f->size == 0;
}

static shape measure(sfi_csv_scan *s, char sep)
{
    set_separator(&s->dialect, sep);
    restart(s);
    size_t header = 0, others = 0;
    bool names = true, alike = true;
    for (int i = 0; i < MOST_RECORDS && at_record(s, i == 0) && alike; i++) {
        ends e = {0};
        const size_t count = read_record(s, note_ends, &e);
        if (count == 0 && !s->input_ended)
            break;
        if (i == 0) {
            header = count;
            continue;
        }
        alike = count == (i == 1 ? count : others) && count > 0;
        others = count;
        names =
            names && !e.empty_last && (!e.number_first || e.first == (double)i);
    }
    shape found = {header >= 2 && (others == 0 || others == header), false};
    found.row_names = names && others >= 2 && others == header + 1;
    found.alike = alike && (found.alike || found.row_names);
    return found;
}

static void find_separator(sfi_csv_scan *s)
{
    static const char candidates[] = {';', ',', '\t', ' '};
    for (size_t i = 0; i < SFI_COUNT(candidates); i++) {
        const shape found = candidates[i] == s->dialect.point
                                ? (shape){0}
                                : measure(s, candidates[i]);
        if (!found.alike)
            continue;
        s->dialect.has_row_names = found.row_names;
        s->dialect.found_sep = candidates[i] != ',';
        return;
    }
    set_separator(&s->dialect, s->dialect.point == ',' ? ';' : ',');
}

/* ---- the header ----------------------------------------------------------- */

typedef struct first_field {
    const char *text; /* in the buffer; NULL: not known */
    size_t size;
    bool is_number, has_numbers_below, has_texts_below, recurs;
} first_field;

typedef struct first_record {
    sf_context *ctx;
    first_field *fields; /* [capacity] */
    size_t count, capacity;
    bool is_full;      /* there was no memory */
    bool has_fraction; /* a number with a point or an exponent, not quoted */
    bool all_numbers, all_ours;
} first_record;

static bool is_named_by_us(const sfi_csv_field *f, size_t column)
{
    char name[32];
    const int n = snprintf(name, sizeof name, "c%zu", column);
    return f->size == (size_t)n && memcmp(name, f->text, f->size) == 0;
}

static void note_first(void *user, size_t column, const sfi_csv_field *f,
                       const sfi_csv_scan *s)
{
    first_record *r = user;
    double value = 0.0;
    first_field *fields =
        sfi_grow(r->ctx, r->fields, &r->capacity, column + 1, sizeof *fields);
    if (fields == NULL) {
        r->is_full = true;
        return;
    }
    const bool number = sfi_cell_number(f->text, f->size, s->dialect.point,
                                        &value) != SFI_NO_NUMBER;
    const bool missing = sfi_cell_absence(NULL, f->text, f->size) == SFI_ABSENT;
    const bool kept = f->text >= s->buffer && f->text < s->buffer + s->whole;
    r->fields = fields;
    fields[column] = (first_field){
        .text = kept ? f->text : NULL, .size = f->size, .is_number = number};
    r->count = column + 1;
    r->all_numbers = r->all_numbers && (number || missing);
    r->all_ours = r->all_ours && is_named_by_us(f, column);
    r->has_fraction |= number && !f->is_quoted &&
                       (memchr(f->text, s->dialect.point, f->size) != NULL ||
                        memchr(f->text, 'e', f->size) != NULL ||
                        memchr(f->text, 'E', f->size) != NULL);
}

static void note_below(void *user, size_t column, const sfi_csv_field *f,
                       const sfi_csv_scan *s)
{
    first_record *r = user;
    double value = 0.0;
    if (column >= r->count)
        return;
    first_field *first = &r->fields[column];
    if (sfi_cell_absence(NULL, f->text, f->size) != SFI_PRESENT)
        return;
    if (sfi_cell_number(f->text, f->size, s->dialect.point, &value) !=
        SFI_NO_NUMBER)
        first->has_numbers_below = true;
    else
        first->has_texts_below = true;
    first->recurs |= first->text != NULL && first->size == f->size &&
                     memcmp(first->text, f->text, f->size) == 0;
}

static bool looks_like_data(const first_record *r)
{
    if (r->all_numbers || r->has_fraction)
        return true;
    if (r->count < 2 || r->all_ours)
        return false;
    for (size_t j = 0; j < r->count; j++) {
        const first_field *f = &r->fields[j];
        const bool fits = f->is_number
                              ? f->has_numbers_below && !f->has_texts_below
                              : f->recurs && !f->has_numbers_below;
        if (!fits)
            return false;
    }
    return true;
}

static sf_status find_header(sfi_csv_scan *s)
{
    first_record r = {.ctx = s->ctx, .all_numbers = true, .all_ours = true};
    restart(s);
    if (at_record(s, true) && read_record(s, note_first, &r) > 0 && !r.is_full)
        for (int i = 0; i < MOST_RECORDS && at_record(s, false); i++)
            if (read_record(s, note_below, &r) == 0)
                break;
    if (!r.is_full && r.count > 0 && looks_like_data(&r)) {
        s->dialect.has_header = s->dialect.has_row_names = false;
        s->dialect.found_header = true;
    }
    sfi_free(s->ctx, r.fields, r.capacity, sizeof *r.fields);
    return r.is_full ? SF_E_NOMEM : SF_OK;
}

sf_status sfi_dialect_find(sf_context *ctx, sfi_dialect *d,
                           const sf_read_options *o, const char *bytes,
                           size_t size, bool is_all)
{
    sfi_csv_scan s = {.ctx = ctx, .name = "", .dialect = *d};
    s.capacity = size + 1;
    s.input_ended = is_all;
    s.buffer = sfi_alloc(ctx, size + 2, 1);
    if (s.buffer == NULL)
        return SF_E_NOMEM;
    memcpy(s.buffer, bytes, size);
    s.whole = size;
    if (is_all && size > 0 && bytes[size - 1] != '\n')
        s.buffer[s.whole++] = '\n';
    while (s.whole > 0 && s.buffer[s.whole - 1] != '\n')
        s.whole--;
    s.end = s.whole;
    sf_status status = SF_OK;
    if (o->sep == NULL && s.whole > 0)
        find_separator(&s);
    else if (o->sep == NULL)
        set_separator(&s.dialect, s.dialect.point == ',' ? ';' : ',');
    else if (s.whole > 0)
        s.dialect.has_row_names = measure(&s, s.dialect.sep).row_names;
    if (o->header == SF_HEADER_AUTO && s.whole > 0)
        status = find_header(&s);
    if (!s.dialect.has_header)
        s.dialect.has_row_names = false;
    *d = s.dialect;
    if (s.status == SF_E_NOMEM)
        status = SF_E_NOMEM;
    sfi_csv_scan_free(&s);
    /* What was tried in vain is nobody's error. */
    if (status == SF_OK)
        sfi_message_clear(ctx);
    return status;
}
