/* SPDX-License-Identifier: Apache-2.0 */
/* csv_scan.c - the fields of text with separators, one record after another. */
#include "io/csv_scan.h"

#include "base/text.h"
#include "io/csv.h"

#include <string.h>

enum { BUFFER_SIZE = 1 << 18 };

sf_status sfi_csv_scan_new(sf_context *ctx, sfi_csv_scan *s, sfi_input *input,
                           size_t capacity)
{
    memset(s, 0, sizeof *s);
    s->ctx = ctx;
    s->input = input;
    s->name = sfi_input_name(input);
    s->dialect = (sfi_dialect)SFI_DIALECT_INIT;
    s->capacity =
        capacity > 0 ? capacity : sfi_csv_portion(sfi_input_size(input));
    s->buffer = sfi_alloc(ctx, s->capacity + 1, 1);
    return s->buffer != NULL ? SF_OK : SF_E_NOMEM;
}

void sfi_csv_scan_free(sfi_csv_scan *s)
{
    if (s->buffer != NULL)
        sfi_free(s->ctx, s->buffer, s->capacity + 1, 1);
    sfi_free(s->ctx, s->scratch, s->scratch_capacity, 1);
    memset(s, 0, sizeof *s);
}

size_t sfi_csv_portion(int64_t size)
{
    return size > 0 && size < BUFFER_SIZE ? (size_t)size + 1
                                          : (size_t)BUFFER_SIZE;
}

/* ---- the buffer ----------------------------------------------------------- */

static sf_status grow_buffer(sfi_csv_scan *s)
{
    if (s->capacity >= SFI_CSV_MOST_RECORD)
        return SFI_FAIL(s->ctx, SF_E_FORMAT,
                        "%s:%lld: a record of more than %d MiB; is a closing "
                        "quote missing, or is this no CSV file?",
                        s->name, (long long)s->line, SFI_CSV_MOST_RECORD >> 20);
    const size_t larger = 2 * s->capacity;
    char *buffer = sfi_alloc(s->ctx, larger + 1, 1);
    if (buffer == NULL)
        return SF_E_NOMEM;
    memcpy(buffer, s->buffer, s->end);
    sfi_free(s->ctx, s->buffer, s->capacity + 1, 1);
    s->buffer = buffer;
    s->capacity = larger;
    return SF_OK;
}

sf_status sfi_csv_refill(sfi_csv_scan *s)
{
    if (s->begin > 0) {
        memmove(s->buffer, s->buffer + s->begin, s->end - s->begin);
        s->end -= s->begin;
        s->whole -= s->begin;
        s->begin = 0;
    }
    if (s->end == s->capacity)
        SFI_TRY(grow_buffer(s));
    size_t got = 0;
    const size_t want = s->capacity - s->end;
    SFI_TRY(sfi_input_read(s->input, s->buffer + s->end, want, &got));
    s->end += got;
    if (got < want) {
        s->input_ended = true;
        if (s->end > 0 && s->buffer[s->end - 1] != '\n')
            s->buffer[s->end++] = '\n';
    }
    size_t whole = s->end;
    while (whole > s->whole && s->buffer[whole - 1] != '\n')
        whole--;
    s->whole = whole;
    return SF_OK;
}

sf_status sfi_csv_need_line(sfi_csv_scan *s)
{
    while (s->begin == s->whole && !s->input_ended)
        SFI_TRY(sfi_csv_refill(s));
    return SF_OK;
}

sf_status sfi_csv_scan_begin(sfi_csv_scan *s)
{
    s->begin = s->whole = s->end = 0;
    s->input_ended = false;
    s->line = 1;
    SFI_TRY(sfi_csv_need_line(s));
    if (s->end - s->begin >= 3 &&
        memcmp(s->buffer + s->begin, "\xEF\xBB\xBF", 3) == 0)
        s->begin += 3;
    return SF_OK;
}

void sfi_csv_skip_line(sfi_csv_scan *s)
{
    const char *end = memchr(s->buffer + s->begin, '\n', s->whole - s->begin);
    s->begin = (size_t)(end + 1 - s->buffer);
    s->line++;
}

sfi_csv_outcome sfi_csv_check_text(sfi_csv_scan *s, const sfi_csv_field *f,
                                   int64_t line, const char *what)
{
    char shown[SFI_SHOW_SIZE];
    const bool has_nul = memchr(f->text, '\0', f->size) != NULL;
    if (!has_nul && sfi_utf8_prefix(f->text, f->size) == f->size)
        return SFI_CSV_GOOD;
    return SFI_CSV_FAIL(s, line, "the %s \"%s\" %s", what,
                        sfi_show(shown, f->text, f->size),
                        has_nul ? "holds a NUL byte; want a text file in UTF-8"
                                : "is not UTF-8; convert the file to UTF-8");
}

/* ---- fields --------------------------------------------------------------- */

static sfi_csv_outcome keep_scratch(sfi_csv_scan *s, size_t used,
                                    const char *from, size_t size)
{
    char *larger =
        sfi_grow(s->ctx, s->scratch, &s->scratch_capacity, used + size + 1, 1);
    if (larger == NULL) {
        s->status = SF_E_NOMEM;
        return SFI_CSV_BAD;
    }
    s->scratch = larger;
    memcpy(larger + used, from, size);
    larger[used + size] = '\0';
    return SFI_CSV_GOOD;
}

/* *at is behind the opening quote.  In the text two quotes stand for one, or an
 * escaping byte for what follows it. */
static sfi_csv_outcome scan_quoted(sfi_csv_scan *s, const char **at,
                                   sfi_csv_field *f, int64_t line)
{
    const char quote = (*at)[-1], escape = s->dialect.escape;
    const char *whole = s->buffer + s->whole;
    const char *piece = *at, *p = piece;
    size_t kept = 0;
    bool has_escape = false;
    f->is_quoted = true;
    for (;;) {
        while (p < whole && *p != quote && (*p != escape || escape == '\0')) {
            f->lines += *p == '\n';
            p++;
        }
        if ((size_t)(p - piece) + kept > SFI_CSV_MOST_FIELD)
            return SFI_CSV_FAIL(s, line,
                                "the quoted field that begins here exceeds %d "
                                "bytes; is a closing quote missing?",
                                (int)SFI_CSV_MOST_FIELD);
        if (p == whole && !s->input_ended)
            return SFI_CSV_MORE;
        if (p == whole)
            return SFI_CSV_FAIL(
                s, line, "%s",
                "the quoted field that begins here is not closed");
        const bool escapes = *p != quote;
        if (!escapes && (p[1] != quote || escape != '\0'))
            break;
        /* Keep the piece, with the first of two quotes or without the byte that
         * escapes the next one. */
        const size_t size = (size_t)(p - piece) + !escapes;
        if (keep_scratch(s, kept, piece, size) != SFI_CSV_GOOD)
            return SFI_CSV_BAD;
        kept += size;
        has_escape = true;
        piece = escapes ? p + 1 : p + 2;
        f->lines += escapes && *piece == '\n';
        p += 2;
    }
    f->text = piece;
    f->size = (size_t)(p - piece);
    if (has_escape) {
        if (keep_scratch(s, kept, piece, f->size) != SFI_CSV_GOOD)
            return SFI_CSV_BAD;
        f->text = s->scratch;
        f->size += kept;
    }
    p = sfi_csv_skip_blanks(s, p + 1);
    if (!sfi_csv_ends_field(s, p) && s->dialect.sep != ' ') {
        char shown[SFI_SHOW_SIZE];
        return SFI_CSV_FAIL(
            s, line + f->lines,
            "\"%s\" follows a closing quote, want a separator or the "
            "line's end; a quote inside a quoted field is written "
            "twice",
            sfi_show(shown, p, strcspn(p, ",;\t\n\r")));
    }
    *at = sfi_csv_step_over(s, p, &f->is_last);
    return SFI_CSV_GOOD;
}

static sfi_csv_outcome scan_plain(sfi_csv_scan *s, const char **at,
                                  sfi_csv_field *f, int64_t line)
{
    const char sep = s->dialect.sep, sep_too = s->dialect.sep_too;
    const char *p = *at;
    while (*p != sep && *p != sep_too && *p != '\n' && *p != '\r')
        p++;
    if (!sfi_csv_ends_field(s, p))
        return SFI_CSV_FAIL(
            s, line, "%s",
            "a carriage return without a line feed; lines end with "
            "LF or CR LF");
    if (p - *at > SFI_CSV_MOST_FIELD)
        return SFI_CSV_FAIL(s, line, "a field of more than %d bytes",
                            (int)SFI_CSV_MOST_FIELD);
    const char *last = p;
    while (last > *at && (last[-1] == ' ' || last[-1] == s->dialect.blank))
        last--;
    f->text = *at;
    f->size = (size_t)(last - *at);
    *at = sfi_csv_step_over(s, p, &f->is_last);
    return SFI_CSV_GOOD;
}

sfi_csv_outcome sfi_csv_scan_field(sfi_csv_scan *s, const char **at,
                                   sfi_csv_field *f, int64_t line)
{
    *f = (sfi_csv_field){0};
    const char *p = sfi_csv_skip_blanks(s, *at);
    if (*p == '"' || *p == s->dialect.quote) {
        *at = p + 1;
        return scan_quoted(s, at, f, line);
    }
    *at = p;
    return scan_plain(s, at, f, line);
}
