/* SPDX-License-Identifier: Apache-2.0 */
/* npy_header.c - what an NPY file holds.
 *
 *     "\x93NUMPY" major minor | length | header, a Python literal | elements
 *         6         1     1     2 or 4    {'descr': '<f8',
 *                                          'fortran_order': False,
 *                                          'shape': (3, 4), }
 *
 * The file must end where the header says. */
#include "io/npy_header.h"

#include "base/text.h"
#include "io/gzip.h"
#include "num/array.h"

#include <string.h>

enum { PREFIX = 8, MOST_HEADER = 1 << 20 };

static const struct {
    const char *name;
    size_t size;
} elements[] = {[SFI_NPY_U1] = {"|u1", 1},
                [SFI_NPY_I4] = {"<i4", 4},
                [SFI_NPY_I8] = {"<i8", 8},
                [SFI_NPY_F4] = {"<f4", 4},
                [SFI_NPY_F8] = {"<f8", 8}};

size_t sfi_npy_size(sfi_npy_element type)
{
    return elements[type].size;
}

const char *sfi_npy_name(sfi_npy_element type)
{
    return elements[type].name;
}

/* The header's text, NUL-terminated, and where we are in it. */
typedef struct cursor {
    sf_context *ctx;
    const char *name; /* of the file */
    const char *text;
    const char *at;
    sfi_npy_header *header;
} cursor;

static sf_status fail_at(const cursor *c, const char *want)
{
    char shown[SFI_SHOW_SIZE];
    return SFI_FAIL(c->ctx, SF_E_FORMAT,
                    "%s: byte %td of the header's text: \"%s\", want %s",
                    c->name, c->at - c->text,
                    sfi_show(shown, c->at, strcspn(c->at, "\n")), want);
}

static void skip_space(cursor *c)
{
    c->at += strspn(c->at, " \t\r\n");
}

/* Step over `byte` if it comes next. */
static bool take(cursor *c, char byte)
{
    skip_space(c);
    if (*c->at != byte)
        return false;
    c->at++;
    skip_space(c);
    return true;
}

static sf_status want_byte(cursor *c, char byte, const char *want)
{
    return take(c, byte) ? SF_OK : fail_at(c, want);
}

/* A text in quotes without escapes. */
static sf_status read_text(cursor *c, char *text, size_t size)
{
    skip_space(c);
    const char quote = *c->at;
    const char set[2] = {quote, '\0'};
    if (quote != '\'' && quote != '"')
        return fail_at(c, "a text in quotes");
    const size_t length = strcspn(c->at + 1, set);
    if (c->at[1 + length] != quote || length >= size)
        return fail_at(c, "a short text in quotes");
    memcpy(text, c->at + 1, length);
    text[length] = '\0';
    c->at += length + 2;
    return SF_OK;
}

/* What makes an array of numbers of one of another type, whose letter follows the
 * order of its bytes. */
static const char *cure_of(const char *type)
{
    switch (type[0] != '\0' ? type[1] : '\0') {
    case 'c':
        return "save the parts of a complex array as columns: "
               "numpy.stack([a.real, a.imag], -1)";
    case 'O':
        return "if all its objects are numbers, save a.astype('<f8'); else "
               "write it as CSV";
    case 'U':
    case 'S':
        return "write an array of texts as CSV";
    case 'M':
    case 'm':
        return "save times as seconds: a.astype('<M8[s]').astype('<i8'), or "
               "with m8 for durations";
    default:
        return "convert the array with a.astype('<f8')";
    }
}

static sf_status read_descr(cursor *c)
{
    char text[16], shown[SFI_SHOW_SIZE];
    skip_space(c);
    if (*c->at == '[')
        return SFI_FAIL(c->ctx, SF_E_FORMAT,
                        "%s: a structured array, want a plain one of numbers; "
                        "numpy.lib.recfunctions.structured_to_unstructured(a) "
                        "makes one",
                        c->name);
    SFI_TRY(read_text(c, text, sizeof text));
    for (size_t i = 0; i < SFI_COUNT(elements); i++)
        if (strcmp(text, elements[i].name) == 0 ||
            (i == SFI_NPY_U1 &&
             (strcmp(text, "<u1") == 0 || strcmp(text, "|b1") == 0))) {
            c->header->type = (sfi_npy_element)i;
            return SF_OK;
        }
    return SFI_FAIL(c->ctx, SF_E_FORMAT,
                    "%s: elements of type %s are not read, want <f8, <f4, <i8, "
                    "<i4, |u1 or |b1; %s",
                    c->name, sfi_show(shown, text, strlen(text)),
                    cure_of(text));
}

static sf_status read_order(cursor *c)
{
    skip_space(c);
    if (strncmp(c->at, "True", 4) == 0) {
        c->header->is_fortran = true;
        c->at += 4;
        return SF_OK;
    }
    if (strncmp(c->at, "False", 5) == 0) {
        c->at += 5;
        return SF_OK;
    }
    return fail_at(c, "True or False");
}

static sf_status read_extent(cursor *c)
{
    sfi_npy_header *h = c->header;
    int64_t extent = 0;
    if (h->rank == SF_MAX_RANK)
        return SFI_FAIL(c->ctx, SF_E_FORMAT,
                        "%s: the array has more than %d axes", c->name,
                        (int)SF_MAX_RANK);
    if (*c->at < '0' || *c->at > '9')
        return fail_at(c, "an extent");
    for (; *c->at >= '0' && *c->at <= '9'; c->at++) {
        if (extent > (INT64_MAX - 9) / 10)
            return fail_at(c, "an extent below 2^63");
        extent = 10 * extent + (*c->at - '0');
    }
    h->shape[h->rank++] = extent;
    return SF_OK;
}

static sf_status read_shape(cursor *c)
{
    SFI_TRY(want_byte(c, '(', "a tuple of extents"));
    while (!take(c, ')')) {
        SFI_TRY(read_extent(c));
        if (!take(c, ',') && *c->at != ')')
            return fail_at(c, "a comma or )");
    }
    return SF_OK;
}

static sf_status read_entries(cursor *c)
{
    static const struct {
        const char *key;
        sf_status (*read)(cursor *c);
    } entries[] = {{"descr", read_descr},
                   {"fortran_order", read_order},
                   {"shape", read_shape}};
    unsigned seen = 0;
    SFI_TRY(want_byte(c, '{', "{"));
    while (!take(c, '}')) {
        char key[16];
        size_t i = 0;
        const char *start = c->at;
        SFI_TRY(read_text(c, key, sizeof key));
        while (i < SFI_COUNT(entries) && strcmp(key, entries[i].key) != 0)
            i++;
        if (i == SFI_COUNT(entries) || (seen >> i & 1) != 0) {
            c->at = start;
            return fail_at(c, "'descr', 'fortran_order' and 'shape' once each");
        }
        seen |= 1u << i;
        SFI_TRY(want_byte(c, ':', "a colon"));
        SFI_TRY(entries[i].read(c));
        if (!take(c, ',') && *c->at != '}')
            return fail_at(c, "a comma or }");
    }
    if (seen != 7)
        return fail_at(c, "'descr', 'fortran_order' and 'shape' before the }");
    skip_space(c);
    return *c->at == '\0' ? SF_OK : fail_at(c, "the header's end");
}

static sf_status check_size(sf_context *ctx, sfi_input *input,
                            sfi_npy_header *h)
{
    const size_t size = elements[h->type].size;
    h->count = sfi_count_elements(h->rank, h->shape, sizeof(double));
    if (h->count < 0)
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "%s: the shape exceeds the address space",
                        sfi_input_name(input));
    const uint64_t have = (uint64_t)sfi_input_size(input) - h->offset;
    const uint64_t want = (uint64_t)h->count * size;
    if (have == want)
        return SF_OK;
    return SFI_FAIL(ctx, SF_E_FORMAT,
                    "%s: %llu bytes follow the header, but its shape and type "
                    "want %llu; %s",
                    sfi_input_name(input), (unsigned long long)have,
                    (unsigned long long)want,
                    have < want ? "the file was cut off"
                                : "a file holds one array");
}

static sf_status parse_header(sf_context *ctx, sfi_input *input,
                              sfi_npy_header *h, uint64_t offset, size_t length)
{
    char *text = sfi_alloc(ctx, length + 1, 1);
    if (text == NULL)
        return SF_E_NOMEM;
    sf_status status = sfi_input_read_at(input, offset, text, length);
    text[length] = '\0';
    if (status == SF_OK) {
        cursor c = {.ctx = ctx,
                    .name = sfi_input_name(input),
                    .text = text,
                    .at = text,
                    .header = h};
        status = strlen(text) == length
                     ? read_entries(&c)
                     : SFI_FAIL(ctx, SF_E_FORMAT,
                                "%s: a NUL byte in the header", c.name);
    }
    sfi_free(ctx, text, length + 1, 1);
    h->offset = offset + length;
    return status;
}

sf_status sfi_npy_read_header(sf_context *ctx, sfi_input *input,
                              sfi_npy_header *h)
{
    unsigned char prefix[PREFIX] = {0}, bytes[4] = {0};
    const char *name = sfi_input_name(input);
    memset(h, 0, sizeof *h);
    if (sfi_input_size(input) < 0)
        return SFI_FAIL(ctx, SF_E_UNSUPPORTED,
                        "%s: NPY is read from files, not from pipes", name);
    if (sfi_input_size(input) == 0)
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "%s: the file is empty, want an NPY array", name);
    if (sfi_input_size(input) < PREFIX + 2)
        return SFI_FAIL(ctx, SF_E_FORMAT, "%s: not an NPY file", name);
    SFI_TRY(sfi_input_read_at(input, 0, prefix, PREFIX));
    if (memcmp(prefix, "PK\x03\x04", 4) == 0)
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "%s: a zip archive (.npz), which holds several arrays; "
                        "save one of them: numpy.save(name, "
                        "numpy.load(archive)[key])",
                        name);
    if (sfi_gzip_begins(prefix, sizeof prefix))
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "%s: compressed by gzip; expand it with gunzip", name);
    if (memcmp(prefix, "\x93NUMPY", 6) != 0)
        return SFI_FAIL(ctx, SF_E_FORMAT, "%s: not an NPY file", name);
    if (prefix[6] < 1 || prefix[6] > 3 || prefix[7] != 0)
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "%s: NPY version %d.%d, want 1.0, 2.0 or 3.0", name,
                        prefix[6], prefix[7]);
    const size_t width = prefix[6] == 1 ? 2 : 4;
    SFI_TRY(sfi_input_read_at(input, PREFIX, bytes, width));
    const size_t length = (size_t)bytes[0] | (size_t)bytes[1] << 8 |
                          (size_t)bytes[2] << 16 | (size_t)bytes[3] << 24;
    if (length > MOST_HEADER)
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "%s: a header of %zu bytes, want at most %d", name,
                        length, (int)MOST_HEADER);
    SFI_TRY(parse_header(ctx, input, h, PREFIX + width, length));
    return check_size(ctx, input, h);
}
