/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors_read.c - named arrays and a map of texts from one file.
 *
 *     length | header                                             | data
 *       8      {"__metadata__":{"seed":"7"},
 *               "weight":{"dtype":"F32","shape":[2,3],
 *                         "data_offsets":[0,24]}}   and spaces
 *
 * The length counts the header's bytes, least significant first.  Offsets count
 * from the first byte of the data, which the arrays fill without gap or
 * overlap.
 *
 * A file may come from anyone.  The header is read by the few rules of JSON
 * that it can need, without recursion and without building a tree: what it
 * takes is bounded by the numbers of arrays and texts.  An array is allocated
 * only when its offsets are known to lie in the file and to fit its shape. */
#include "io/safetensors.h"

#include "base/text.h"
#include "io/input.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "elements are copied as they are stored, least significant byte first"
#endif

enum { PREFIX = 8 };

/* An array as the header describes it. */
typedef struct entry {
    const char *name; /* in the reader's `names` */
    sfi_tensor_type type;
    int rank;
    int64_t shape[SF_MAX_RANK];
    int64_t begin, end; /* in the data */
} entry;

typedef struct tensor_reader {
    sf_context *ctx;
    sfi_input *input;
    sfi_tensors *t;
    uint64_t data_at;   /* where the data begins in the file               */
    uint64_t data_size; /* and its size                                    */
    char *text;         /* [length + 1]: the header and a NUL              */
    size_t length;
    const char *at; /* where we are in it                                 */
    char *token;    /* the last text, decoded                             */
    size_t token_capacity;
    sfi_dictionary names;
    entry *entries; /* [names.count]                                       */
    size_t capacity;
    bool has_metadata;
} tensor_reader;

static sf_status fail(tensor_reader *r, const char *format, ...)
    SFI_PRINTF(2, 3);

static sf_status fail(tensor_reader *r, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return SFI_FAIL(r->ctx, SF_E_FORMAT, "%s: %s", sfi_input_name(r->input),
                    text);
}

static sf_status fail_want(tensor_reader *r, const char *want)
{
    char shown[SFI_SHOW_SIZE];
    const size_t left = r->length - (size_t)(r->at - r->text);
    return fail(r, "byte %td of the header: \"%s\", want %s", r->at - r->text,
                sfi_show(shown, r->at, left), want);
}

static const char *show(char shown[SFI_SHOW_SIZE], const char *text)
{
    return sfi_show(shown, text, strlen(text));
}

/* ---- JSON ----------------------------------------------------------------- */

static void skip_space(tensor_reader *r)
{
    r->at += strspn(r->at, " \t\r\n");
}

/* Step over `byte` if it comes next. */
static bool take(tensor_reader *r, char byte)
{
    skip_space(r);
    if (*r->at != byte)
        return false;
    r->at++;
    skip_space(r);
    return true;
}

static sf_status expect(tensor_reader *r, char byte)
{
    const char want[] = {byte, '\0'};
    return take(r, byte) ? SF_OK : fail_want(r, want);
}

/* Whether another member of a list or map follows: a comma, or nothing yet and
 * no end.  Steps over the comma or the end. */
static sf_status more(tensor_reader *r, char end, bool is_first, bool *found)
{
    *found = false;
    if (take(r, end))
        return SF_OK;
    *found = true;
    return is_first ? SF_OK : expect(r, ',');
}

/* The number that four hexadecimal digits at `p` stand for, or -1. */
static int32_t read_hex(const char *p)
{
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        const char c = p[i];
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* Append a code point to the token as UTF-8.  There is room: an escape is never
 * shorter than what it stands for. */
static char *put_utf8(char *out, int32_t code)
{
    const int tails = code < 0x80      ? 0
                      : code < 0x800   ? 1
                      : code < 0x10000 ? 2
                                       : 3;
    static const int leads[] = {0, 0xC0, 0xE0, 0xF0};
    *out++ = (char)(leads[tails] | code >> 6 * tails);
    for (int i = tails - 1; i >= 0; i--)
        *out++ = (char)(0x80 | (code >> 6 * i & 0x3F));
    return out;
}

/* Decode the escape at r->at, behind its backslash. */
static sf_status read_escape(tensor_reader *r, char **out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *found = *r->at != '\0' ? strchr(from, *r->at) : NULL;
    if (found != NULL) {
        *(*out)++ = to[found - from];
        r->at++;
        return SF_OK;
    }
    int32_t code = *r->at == 'u' ? read_hex(r->at + 1) : -1;
    if (code <= 0)
        return fail_want(r, "an escape (and none of NUL)");
    const bool is_high = code >= 0xD800 && code < 0xDC00;
    if (is_high && r->at[5] == '\\' && r->at[6] == 'u') {
        const int32_t low = read_hex(r->at + 7);
        if (low >= 0xDC00 && low < 0xE000) {
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            r->at += 6;
        }
    }
    if (code >= 0xD800 && code < 0xE000)
        return fail_want(r, "two surrogates");
    r->at += 5;
    *out = put_utf8(*out, code);
    return SF_OK;
}

/* Read a text into r->token. */
static sf_status read_text(tensor_reader *r)
{
    skip_space(r);
    if (*r->at != '"')
        return fail_want(r, "a text in quotes");
    const char *start = ++r->at;
    size_t size = 0;
    while (start[size] != '"' && (unsigned char)start[size] >= 0x20)
        size += start[size] == '\\' && start[size + 1] != '\0' ? 2 : 1;
    char *token =
        sfi_grow(r->ctx, r->token, &r->token_capacity, size + 1, sizeof *token);
    if (token == NULL)
        return SF_E_NOMEM;
    r->token = token;
    const char *const end = start + size;
    while (r->at < end) {
        if (*r->at != '\\') {
            *token++ = *r->at++;
            continue;
        }
        r->at++;
        SFI_TRY(read_escape(r, &token));
    }
    *token = '\0';
    if (*r->at != '"')
        return fail_want(r, "the end of a text, and no control character");
    r->at++;
    return SF_OK;
}

static sf_status read_whole(tensor_reader *r, int64_t *value)
{
    skip_space(r);
    const char *start = r->at;
    *value = 0;
    for (; *r->at >= '0' && *r->at <= '9'; r->at++) {
        if (*value > (INT64_MAX - 9) / 10)
            return fail_want(r, "a number below 2^63");
        *value = 10 * *value + (*r->at - '0');
    }
    if (r->at == start || (*start == '0' && r->at > start + 1) ||
        (*r->at != '\0' && strchr(".eE", *r->at) != NULL)) {
        r->at = start;
        return fail_want(r, "a whole number >= 0");
    }
    return SF_OK;
}

/* Read up to `most` whole numbers in brackets. */
static sf_status read_list(tensor_reader *r, int64_t *values, int most,
                           int *count)
{
    bool found = false;
    *count = 0;
    SFI_TRY(expect(r, '['));
    SFI_TRY(more(r, ']', true, &found));
    while (found) {
        if (*count == most)
            return fail(r, "byte %td of the header: more than %d numbers",
                        r->at - r->text, most);
        SFI_TRY(read_whole(r, &values[(*count)++]));
        SFI_TRY(more(r, ']', false, &found));
    }
    return SF_OK;
}

/* ---- the header ----------------------------------------------------------- */

static sf_status read_metadata(tensor_reader *r)
{
    char shown[SFI_SHOW_SIZE];
    bool found = false;
    if (r->has_metadata)
        return fail(r, "\"%s\" stands there twice", SFI_TENSORS_METADATA);
    r->has_metadata = true;
    SFI_TRY(expect(r, '{'));
    SFI_TRY(more(r, '}', true, &found));
    while (found) {
        SFI_TRY(read_text(r));
        if (sfi_tensors_get(r->t, r->token) != NULL)
            return fail(r, "two texts have the key \"%s\"",
                        show(shown, r->token));
        if (r->t->keys.count == SFI_TENSORS_MOST)
            return fail(r, "more than %d texts", (int)SFI_TENSORS_MOST);
        char *key = sfi_copy_text(r->ctx, r->token);
        if (key == NULL)
            return SF_E_NOMEM;
        sf_status status = expect(r, ':');
        if (status == SF_OK)
            status = read_text(r);
        if (status == SF_OK)
            status = sfi_tensors_set(r->ctx, r->t, key, r->token);
        sfi_free_text(r->ctx, key);
        SFI_TRY(status);
        SFI_TRY(more(r, '}', false, &found));
    }
    return SF_OK;
}

static sf_status read_type(tensor_reader *r, entry *e)
{
    char shown[SFI_SHOW_SIZE], type[SFI_SHOW_SIZE];
    SFI_TRY(read_text(r));
    if (sfi_tensor_type_of(r->token, &e->type))
        return SF_OK;
    return fail(
        r,
        "array \"%s\": elements of type %s are not read, want F32, F64, "
        "I64, I32 or U8",
        show(shown, e->name), show(type, r->token));
}

static sf_status read_shape(tensor_reader *r, entry *e)
{
    return read_list(r, e->shape, SF_MAX_RANK, &e->rank);
}

static sf_status read_offsets(tensor_reader *r, entry *e)
{
    int64_t offsets[2] = {0, 0};
    int count = 0;
    SFI_TRY(read_list(r, offsets, 2, &count));
    if (count < 2)
        return fail_want(r, "two offsets");
    e->begin = offsets[0];
    e->end = offsets[1];
    return SF_OK;
}

static const struct {
    const char *key;
    sf_status (*read)(tensor_reader *r, entry *e);
} fields[] = {{"dtype", read_type},
              {"shape", read_shape},
              {"data_offsets", read_offsets}};

static sf_status read_field(tensor_reader *r, entry *e, unsigned *seen)
{
    size_t i = 0;
    const char *start = r->at;
    SFI_TRY(read_text(r));
    while (i < SFI_COUNT(fields) && strcmp(r->token, fields[i].key) != 0)
        i++;
    if (i == SFI_COUNT(fields) || (*seen >> i & 1) != 0) {
        r->at = start;
        return fail_want(r, "dtype, shape and data_offsets once each");
    }
    *seen |= 1u << i;
    SFI_TRY(expect(r, ':'));
    return fields[i].read(r, e);
}

/* The offsets must lie in the data and fit the type and the shape. */
static sf_status check_entry(tensor_reader *r, const entry *e)
{
    char shown[SFI_SHOW_SIZE];
    if (e->end < e->begin || (uint64_t)e->end > r->data_size)
        return fail(r,
                    "array \"%s\": its offsets are %lld and %lld, want them in "
                    "order and within the %llu bytes of data",
                    show(shown, e->name), (long long)e->begin,
                    (long long)e->end, (unsigned long long)r->data_size);
    const size_t size = sfi_tensor_size(e->type);
    const int64_t count = sfi_count_elements(e->rank, e->shape, size);
    if (count < 0 || e->end - e->begin != count * (int64_t)size)
        return fail(r,
                    "array \"%s\": its offsets span %lld bytes, which does not "
                    "fit its type and shape",
                    show(shown, e->name), (long long)(e->end - e->begin));
    return SF_OK;
}

/* Read the array whose name is the token. */
static sf_status read_entry(tensor_reader *r)
{
    char shown[SFI_SHOW_SIZE];
    unsigned seen = 0;
    bool found = false;
    const size_t i = r->names.count, size = strlen(r->token);
    if (size == 0)
        return fail(r, "an array has no name");
    if (i == SFI_TENSORS_MOST)
        return fail(r, "more than %d arrays", (int)SFI_TENSORS_MOST);
    if (sfi_dictionary_find(&r->names, r->token, size) >= 0)
        return fail(r, "two arrays are called \"%s\"", show(shown, r->token));
    entry *list =
        sfi_grow(r->ctx, r->entries, &r->capacity, i + 1, sizeof *list);
    if (list == NULL)
        return SF_E_NOMEM;
    r->entries = list;
    SFI_TRY(sfi_dictionary_add(r->ctx, &r->names, r->token, size));
    entry *e = &list[i];
    *e = (entry){.name = r->names.texts[i]};
    SFI_TRY(expect(r, '{'));
    SFI_TRY(more(r, '}', true, &found));
    while (found) {
        SFI_TRY(read_field(r, e, &seen));
        SFI_TRY(more(r, '}', false, &found));
    }
    if (seen != 7)
        return fail(r, "array \"%s\": want dtype, shape and data_offsets",
                    show(shown, e->name));
    return check_entry(r, e);
}

static sf_status read_header(tensor_reader *r)
{
    bool found = false;
    SFI_TRY(expect(r, '{'));
    SFI_TRY(more(r, '}', true, &found));
    while (found) {
        SFI_TRY(read_text(r));
        const bool is_metadata = strcmp(r->token, SFI_TENSORS_METADATA) == 0;
        SFI_TRY(expect(r, ':'));
        SFI_TRY(is_metadata ? read_metadata(r) : read_entry(r));
        SFI_TRY(more(r, '}', false, &found));
    }
    skip_space(r);
    return (size_t)(r->at - r->text) == r->length
               ? SF_OK
               : fail_want(r, "nothing behind the last }");
}

/* ---- the file ------------------------------------------------------------- */

/* Bring the header to memory and find out where the data lies. */
static sf_status load_header(tensor_reader *r)
{
    unsigned char bytes[PREFIX] = {0};
    const int64_t size = sfi_input_size(r->input);
    uint64_t length = 0;
    if (size < 0)
        return SFI_FAIL(r->ctx, SF_E_UNSUPPORTED,
                        "%s: safetensors are read from files, not from pipes",
                        sfi_input_name(r->input));
    if (size < PREFIX + 2)
        return fail(r, "%s",
                    size == 0 ? "the file is empty" : "not a safetensors file");
    SFI_TRY(sfi_input_read_at(r->input, 0, bytes, PREFIX));
    for (int i = PREFIX - 1; i >= 0; i--)
        length = length << 8 | bytes[i];
    if (length > (uint64_t)size - PREFIX)
        return fail(r,
                    "a header of %llu bytes is promised and %lld follow; not a "
                    "safetensors file, or cut off",
                    (unsigned long long)length, (long long)size - PREFIX);
    if (length > SFI_TENSORS_MOST_HEADER)
        return fail(r, "a header of %llu bytes, want at most %d",
                    (unsigned long long)length, (int)SFI_TENSORS_MOST_HEADER);
    r->data_at = PREFIX + length;
    r->data_size = (uint64_t)size - r->data_at;
    r->text = sfi_alloc(r->ctx, length + 1, 1);
    if (r->text == NULL)
        return SF_E_NOMEM;
    r->length = length;
    r->at = r->text;
    SFI_TRY(sfi_input_read_at(r->input, PREFIX, r->text, length));
    r->text[length] = '\0';
    const size_t good = sfi_utf8_prefix(r->text, length);
    if (good < length)
        return fail(r, "byte %zu of the header is not UTF-8", good);
    return r->text[0] == '{' ? SF_OK
                             : fail(r, "the header does not begin with {");
}

static int compare_entries(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end)
        return x->end < y->end ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* The arrays must fill the data without gap or overlap. */
static sf_status check_layout(tensor_reader *r)
{
    char shown[SFI_SHOW_SIZE];
    int64_t end = 0;
    const size_t count = r->names.count;
    if (count > 0)
        qsort(r->entries, count, sizeof *r->entries, compare_entries);
    for (size_t i = 0; i < count; i++) {
        const entry *e = &r->entries[i];
        if (e->begin != end)
            return fail(r,
                        "array \"%s\" begins at byte %lld of the data, but the "
                        "one before it ends at %lld",
                        show(shown, e->name), (long long)e->begin,
                        (long long)end);
        end = e->end;
    }
    if ((uint64_t)end != r->data_size)
        return fail(r,
                    "the arrays end at byte %lld of the data, but it has %llu "
                    "bytes",
                    (long long)end, (unsigned long long)r->data_size);
    return SF_OK;
}

static sf_status read_data(tensor_reader *r, const entry *e)
{
    const size_t size = sfi_tensor_size(e->type);
    const size_t count = (size_t)(e->end - e->begin) / size;
    void *data = sfi_alloc(r->ctx, count, size);
    if (data == NULL)
        return SF_E_NOMEM;
    sf_status status = sfi_input_read_at(
        r->input, r->data_at + (uint64_t)e->begin, data, count * size);
    if (status == SF_OK)
        status = sfi_tensors_add(r->ctx, r->t, e->name, e->type, e->rank,
                                 e->shape, data);
    if (status != SF_OK)
        sfi_free(r->ctx, data, count, size);
    return status;
}

static sf_status read_everything(tensor_reader *r)
{
    SFI_TRY(load_header(r));
    SFI_TRY(read_header(r));
    SFI_TRY(check_layout(r));
    for (size_t i = 0; i < r->names.count; i++)
        SFI_TRY(read_data(r, &r->entries[i]));
    r->t->source = sfi_copy_text(r->ctx, sfi_input_name(r->input));
    return r->t->source != NULL ? SF_OK : SF_E_NOMEM;
}

static sf_status read_input(sf_context *ctx, sfi_tensors *t, sfi_input *input)
{
    tensor_reader r = {.ctx = ctx, .input = input, .t = t};
    t->is_owner = true;
    const sf_status status = read_everything(&r);
    if (r.text != NULL)
        sfi_free(ctx, r.text, r.length + 1, 1);
    sfi_free(ctx, r.token, r.token_capacity, 1);
    sfi_free(ctx, r.entries, r.capacity, sizeof *r.entries);
    sfi_dictionary_free(ctx, &r.names);
    sfi_input_close(input);
    if (status != SF_OK)
        sfi_tensors_free(ctx, t);
    return status;
}

sf_status sfi_tensors_read(sf_context *ctx, sfi_tensors *t, const char *path)
{
    sfi_input *input = NULL;
    memset(t, 0, sizeof *t);
    SFI_TRY(sfi_input_open(ctx, &input, path));
    return read_input(ctx, t, input);
}

sf_status sfi_tensors_read_memory(sf_context *ctx, sfi_tensors *t,
                                  const void *bytes, size_t size)
{
    sfi_input *input = NULL;
    memset(t, 0, sizeof *t);
    SFI_TRY(sfi_input_memory(ctx, &input, "<memory>", bytes, size));
    return read_input(ctx, t, input);
}
