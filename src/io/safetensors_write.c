/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors_write.c - named arrays and a map of texts into one file.
 *
 * Arrays lie in the order of the size of their elements, the largest first, so
 * that all are aligned, and then of their names; keys in order.  So the bytes
 * depend on what is written and on nothing else. */
#include "io/safetensors.h"

#include <stdlib.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "elements are copied as they are stored, least significant byte first"
#endif

enum { PREFIX = 8 };

static int compare_tensors(const void *a, const void *b)
{
    const sfi_tensor *x = *(const sfi_tensor *const *)a;
    const sfi_tensor *y = *(const sfi_tensor *const *)b;
    if (sfi_tensor_size(x->type) != sfi_tensor_size(y->type))
        return sfi_tensor_size(x->type) > sfi_tensor_size(y->type) ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A text as JSON; it is UTF-8, and what need not be escaped is not. */
static void put_json_text(sfi_output *out, const char *text)
{
    sfi_output_byte(out, '"');
    for (const char *p = text; *p != '\0'; p++) {
        const unsigned char c = (unsigned char)*p;
        if (c < 0x20)
            sfi_output_format(out, "\\u%04x", c);
        else if (c == '"' || c == '\\')
            sfi_output_format(out, "\\%c", c);
        else
            sfi_output_byte(out, *p);
    }
    sfi_output_byte(out, '"');
}

static void put_metadata(sfi_output *out, const sfi_tensors *t,
                         const char **keys)
{
    put_json_text(out, SFI_TENSORS_METADATA);
    sfi_output_text(out, ":{");
    for (size_t i = 0; i < t->keys.count; i++) {
        sfi_output_text(out, i > 0 ? "," : "");
        put_json_text(out, keys[i]);
        sfi_output_byte(out, ':');
        put_json_text(out, sfi_tensors_get(t, keys[i]));
    }
    sfi_output_byte(out, '}');
}

static void put_tensor(sfi_output *out, const sfi_tensor *tensor,
                       uint64_t *offset)
{
    const uint64_t begin = *offset;
    *offset += (uint64_t)tensor->count * sfi_tensor_size(tensor->type);
    put_json_text(out, tensor->name);
    sfi_output_format(out, ":{\"dtype\":\"%s\",\"shape\":[",
                      sfi_tensor_type_name(tensor->type));
    for (int k = 0; k < tensor->rank; k++)
        sfi_output_format(out, "%s%lld", k > 0 ? "," : "",
                          (long long)tensor->shape[k]);
    sfi_output_format(out, "],\"data_offsets\":[%llu,%llu]}",
                      (unsigned long long)begin, (unsigned long long)*offset);
}

/* The header goes to memory first: its length stands before it. */
static sf_status make_header(sfi_output *out, const sfi_tensors *t,
                             const sfi_tensor **order, const char **keys)
{
    uint64_t offset = 0;
    sfi_output_byte(out, '{');
    if (t->keys.count > 0)
        put_metadata(out, t, keys);
    for (size_t i = 0; i < t->names.count; i++) {
        sfi_output_text(out, i > 0 || t->keys.count > 0 ? "," : "");
        put_tensor(out, order[i], &offset);
    }
    return sfi_output_byte(out, '}');
}

static sf_status put_header(sf_context *ctx, sfi_output *out, const char *text,
                            size_t size)
{
    static const char spaces[PREFIX] = {' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '};
    const size_t padded = (size + PREFIX - 1) / PREFIX * PREFIX;
    unsigned char length[PREFIX];
    if (padded > SFI_TENSORS_MOST_HEADER)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "safetensors: names, shapes and texts make a header of "
                        "%zu bytes, and at most %d are read",
                        padded, (int)SFI_TENSORS_MOST_HEADER);
    for (int i = 0; i < PREFIX; i++)
        length[i] = (unsigned char)(padded >> 8 * i);
    SFI_TRY(sfi_output_write(out, length, sizeof length));
    SFI_TRY(sfi_output_write(out, text, size));
    return sfi_output_write(out, spaces, padded - size);
}

static sf_status put_everything(sf_context *ctx, const sfi_tensors *t,
                                sfi_output *out, const sfi_tensor **order,
                                const char **keys)
{
    for (size_t i = 0; i < t->names.count; i++)
        order[i] = &t->list[i];
    for (size_t i = 0; i < t->keys.count; i++)
        keys[i] = t->keys.texts[i];
    qsort(order, t->names.count, sizeof *order, compare_tensors);
    qsort(keys, t->keys.count, sizeof *keys, compare_keys);
    sfi_output *header = NULL;
    SFI_TRY(sfi_output_memory(ctx, &header));
    sf_status status = make_header(header, t, order, keys);
    if (status == SF_OK) {
        size_t size = 0;
        const char *text = sfi_output_bytes(header, &size);
        status = put_header(ctx, out, text, size);
    }
    sfi_output_abort(header);
    for (size_t i = 0; i < t->names.count && status == SF_OK; i++)
        status = sfi_output_write(out, order[i]->data,
                                  (size_t)order[i]->count *
                                      sfi_tensor_size(order[i]->type));
    return status;
}

sf_status sfi_tensors_write_to(sf_context *ctx, const sfi_tensors *t,
                               sfi_output *out)
{
    const size_t count = t->names.count, key_count = t->keys.count;
    const sfi_tensor **order = sfi_alloc(ctx, count, sizeof *order);
    const char **keys = sfi_alloc(ctx, key_count, sizeof *keys);
    const sf_status status = order != NULL && keys != NULL
                                 ? put_everything(ctx, t, out, order, keys)
                                 : SF_E_NOMEM;
    sfi_free(ctx, order, count, sizeof *order);
    sfi_free(ctx, keys, key_count, sizeof *keys);
    return status;
}

sf_status sfi_tensors_write(sf_context *ctx, const sfi_tensors *t,
                            const char *path)
{
    sfi_output *out = NULL;
    SFI_TRY(sfi_output_open(ctx, &out, path));
    return sfi_output_close(out, sfi_tensors_write_to(ctx, t, out));
}
