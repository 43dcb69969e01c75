/* SPDX-License-Identifier: Apache-2.0 */
/* csv_scan.h - the fields of text with separators, one record after another.
 *
 * The file passes through one buffer.  Bytes [begin, whole) are complete lines,
 * so that a scan of a record that begins there always meets a line end and
 * needs no other bound; only a quoted field can run beyond `whole`, and then
 * the buffer is refilled and the record begun again.
 *
 *     |  done  |  complete lines  |  part of a line  |  free  |
 *     0      begin              whole               end     capacity */
#ifndef SFI_CSV_SCAN_H
#define SFI_CSV_SCAN_H

#include "io/dialect.h"
#include "io/input.h"

typedef struct sfi_csv_scan {
    sf_context *ctx;
    const char *name; /* what messages call the file; the caller's */
    sfi_input *input; /* the caller's */
    sfi_dialect dialect;
    char *buffer; /* [capacity + 1]: room for a last line end          */
    size_t capacity, begin, whole, end;
    bool input_ended;
    char *scratch; /* a quoted field without its inner quotes              */
    size_t scratch_capacity;
    int64_t line;     /* on which the record at `begin` starts             */
    sf_status status; /* why a step was SFI_CSV_BAD                        */
} sfi_csv_scan;

/* A field's text: in the buffer, or in `scratch` if quotes had to be removed.
 * The byte behind it belongs to no number. */
typedef struct sfi_csv_field {
    const char *text;
    size_t size;
    bool is_quoted;
    bool is_last;  /* a line end follows it                                 */
    int64_t lines; /* line ends inside it                                   */
} sfi_csv_field;

/* What a step came to. */
typedef enum sfi_csv_outcome {
    SFI_CSV_GOOD = 0,
    SFI_CSV_MORE, /* the buffer ends before the record does: refill, repeat */
    SFI_CSV_BAD   /* the scan's `status` and the context's message say what */
} sfi_csv_outcome;

/* Record a message that begins with file and line; SFI_CSV_BAD. */
#define SFI_CSV_FAIL(scan, at_line, format, ...)                               \
    ((scan)->status =                                                          \
         SFI_FAIL((scan)->ctx, SF_E_FORMAT, "%s:%lld: " format, (scan)->name,  \
                  (long long)(at_line), __VA_ARGS__),                          \
     SFI_CSV_BAD)

/* Scan `input` through a buffer of `capacity` bytes, 0 for the usual size.
 * Returns SF_OK or SF_E_NOMEM; sfi_csv_scan_free() is right in either case. */
sf_status sfi_csv_scan_new(sf_context *ctx, sfi_csv_scan *s, sfi_input *input,
                           size_t capacity);
void sfi_csv_scan_free(sfi_csv_scan *s);

/* Bytes of a buffer for an input of `size` bytes, -1 if that is unknown.  A
 * small file needs no large one, and the byte more lets the first reading see
 * the end. */
size_t sfi_csv_portion(int64_t size);

/* Go to the beginning of an input that stands there, behind its byte order mark.
 * Returns SF_OK, SF_E_IO, SF_E_NOMEM, SF_E_FORMAT (a line is too long). */
sf_status sfi_csv_scan_begin(sfi_csv_scan *s);

/* Read on behind `end`, keeping the record at `begin`; returns as above. */
sf_status sfi_csv_refill(sfi_csv_scan *s);

/* Make sure that a line begins at `begin`, or that nothing is left (begin ==
 * whole); returns as above. */
sf_status sfi_csv_need_line(sfi_csv_scan *s);

/* Read the field at *at, which lies on `line`, and step over it. */
sfi_csv_outcome sfi_csv_scan_field(sfi_csv_scan *s, const char **at,
                                   sfi_csv_field *f, int64_t line);

static inline const char *sfi_csv_skip_blanks(const sfi_csv_scan *s,
                                              const char *p)
{
    while (*p == ' ' || *p == s->dialect.blank)
        p++;
    return p;
}

static inline bool sfi_csv_ends_line(const char *p)
{
    return *p == '\n' || (*p == '\r' && p[1] == '\n');
}

/* Whether a field ends at p; a line end may be CR LF. */
static inline bool sfi_csv_ends_field(const sfi_csv_scan *s, const char *p)
{
    return *p == s->dialect.sep || *p == s->dialect.sep_too ||
           sfi_csv_ends_line(p);
}

/* What follows a line that ends at p. */
static inline const char *sfi_csv_next_line(const char *p)
{
    return p + (*p == '\r' ? 2 : 1);
}

/* What follows the end of a field at p, and whether it was the last of its
 * record.  Any number of blanks separate where blanks do. */
static inline const char *sfi_csv_step_over(const sfi_csv_scan *s,
                                            const char *p, bool *is_last)
{
    if (s->dialect.sep == ' ')
        p = sfi_csv_skip_blanks(s, p);
    *is_last = sfi_csv_ends_line(p);
    return *is_last ? sfi_csv_next_line(p) : p + (s->dialect.sep != ' ');
}

/* Whether the line at p is a comment, `first` if no row was read before. */
static inline bool sfi_csv_is_comment(const sfi_csv_scan *s, const char *p,
                                      bool first)
{
    return *p == s->dialect.comment && *p != '\0' &&
           (first || !s->dialect.only_leading_comments);
}

/* Whether a name or a level, at `line`, has no NUL and is UTF-8; `what` it is. */
sfi_csv_outcome sfi_csv_check_text(sfi_csv_scan *s, const sfi_csv_field *f,
                                   int64_t line, const char *what);

/* Step over the line at `begin`, which is complete. */
void sfi_csv_skip_line(sfi_csv_scan *s);

#endif
