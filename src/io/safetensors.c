/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors.c - named arrays and a map of texts: what a file holds. */
#include "io/safetensors.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { SHAPE_TEXT = 200 };

static const struct {
    const char *name;
    size_t size;
} types[] = {
#define SFI_TENSOR_ROW(name, bytes) {#name, bytes},
    SFI_TENSOR_LIST(SFI_TENSOR_ROW)
#undef SFI_TENSOR_ROW
};

size_t sfi_tensor_size(sfi_tensor_type type)
{
    return types[type].size;
}

const char *sfi_tensor_type_name(sfi_tensor_type type)
{
    return types[type].name;
}

bool sfi_tensor_type_of(const char *name, sfi_tensor_type *type)
{
    for (size_t i = 0; i < SFI_COUNT(types); i++)
        if (strcmp(name, types[i].name) == 0) {
            *type = (sfi_tensor_type)i;
            return true;
        }
    return false;
}

/* ---- the list and the map ------------------------------------------------- */

void sfi_tensors_free(sf_context *ctx, sfi_tensors *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->names.count && t->is_owner; i++)
        sfi_free(ctx, (void *)(uintptr_t)t->list[i].data,
                 (size_t)t->list[i].count, types[t->list[i].type].size);
    for (size_t i = 0; i < t->keys.count; i++)
        sfi_free_text(ctx, t->values[i]);
    sfi_free(ctx, t->list, t->list_capacity, sizeof *t->list);
    sfi_free(ctx, t->values, t->value_capacity, sizeof *t->values);
    sfi_dictionary_free(ctx, &t->names);
    sfi_dictionary_free(ctx, &t->keys);
    sfi_free_text(ctx, t->source);
    memset(t, 0, sizeof *t);
}

static bool is_utf8(const char *text)
{
    const size_t size = strlen(text);
    return sfi_utf8_prefix(text, size) == size;
}

sf_status sfi_tensors_add(sf_context *ctx, sfi_tensors *t, const char *name,
                          sfi_tensor_type type, int rank, const int64_t *shape,
                          const void *data)
{
    char shown[SFI_SHOW_SIZE];
    sfi_show(shown, name, strlen(name));
    if (name[0] == '\0' || strcmp(name, SFI_TENSORS_METADATA) == 0 ||
        !is_utf8(name))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "safetensors: \"%s\" cannot be the name of an array",
                        shown);
    if (sfi_tensors_find(t, name) != NULL)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "safetensors: two arrays are called \"%s\"", shown);
    if (t->names.count == SFI_TENSORS_MOST)
        return SFI_FAIL(ctx, SF_E_ARG, "safetensors: more than %d arrays",
                        (int)SFI_TENSORS_MOST);
    if (rank < 0 || rank > SF_MAX_RANK)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "safetensors: array \"%s\" has rank %d, want 0 to %d",
                        shown, rank, (int)SF_MAX_RANK);
    const int64_t count = sfi_count_elements(rank, shape, types[type].size);
    if (count < 0)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "safetensors: array \"%s\" has a negative extent or "
                        "exceeds the address space",
                        shown);
    sfi_tensor *list = sfi_grow(ctx, t->list, &t->list_capacity,
                                t->names.count + 1, sizeof *list);
    if (list == NULL)
        return SF_E_NOMEM;
    t->list = list;
    SFI_TRY(sfi_dictionary_add(ctx, &t->names, name, strlen(name)));
    const size_t i = t->names.count - 1;
    list[i] = (sfi_tensor){.name = t->names.texts[i],
                           .type = type,
                           .rank = rank,
                           .count = count,
                           .data = data};
    for (int k = 0; k < rank; k++)
        list[i].shape[k] = shape[k];
    return SF_OK;
}

sf_status sfi_tensors_set(sf_context *ctx, sfi_tensors *t, const char *key,
                          const char *value)
{
    char shown[SFI_SHOW_SIZE];
    if (!is_utf8(key) || !is_utf8(value))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "safetensors: the text \"%s\" or its value is not "
                        "UTF-8",
                        sfi_show(shown, key, strlen(key)));
    const int64_t found = sfi_dictionary_find(&t->keys, key, strlen(key));
    if (found < 0 && t->keys.count == SFI_TENSORS_MOST)
        return SFI_FAIL(ctx, SF_E_ARG, "safetensors: more than %d texts",
                        (int)SFI_TENSORS_MOST);
    char **values = sfi_grow(ctx, t->values, &t->value_capacity,
                             t->keys.count + 1, sizeof *values);
    if (values == NULL)
        return SF_E_NOMEM;
    t->values = values;
    char *copy = sfi_copy_text(ctx, value);
    if (copy == NULL)
        return SF_E_NOMEM;
    if (found >= 0) {
        sfi_free_text(ctx, values[found]);
        values[found] = copy;
        return SF_OK;
    }
    const sf_status added = sfi_dictionary_add(ctx, &t->keys, key, strlen(key));
    if (added == SF_OK)
        values[t->keys.count - 1] = copy;
    else
        sfi_free_text(ctx, copy);
    return added;
}

const sfi_tensor *sfi_tensors_find(const sfi_tensors *t, const char *name)
{
    const int64_t i = sfi_dictionary_find(&t->names, name, strlen(name));
    return i >= 0 ? &t->list[i] : NULL;
}

const char *sfi_tensors_get(const sfi_tensors *t, const char *key)
{
    const int64_t i = sfi_dictionary_find(&t->keys, key, strlen(key));
    return i >= 0 ? t->values[i] : NULL;
}

/* "F32 [3, any, 2]" */
static const char *describe(char text[SHAPE_TEXT], sfi_tensor_type type,
                            int rank, const int64_t *shape)
{
    int n = snprintf(text, SHAPE_TEXT, "%s [", types[type].name);
    for (int k = 0; k < rank; k++) {
        n += snprintf(text + n, (size_t)(SHAPE_TEXT - n), k > 0 ? ", " : "");
        n += shape[k] < 0 ? snprintf(text + n, (size_t)(SHAPE_TEXT - n), "any")
                          : snprintf(text + n, (size_t)(SHAPE_TEXT - n), "%lld",
                                     (long long)shape[k]);
    }
    snprintf(text + n, (size_t)(SHAPE_TEXT - n), "]");
    return text;
}

sf_status sfi_tensors_want(sf_context *ctx, const sfi_tensors *t,
                           const char *name, sfi_tensor_type type, int rank,
                           const int64_t *shape, const sfi_tensor **out)
{
    char wanted[SHAPE_TEXT], found[SHAPE_TEXT];
    const char *source = t->source != NULL ? t->source : "safetensors";
    const sfi_tensor *tensor = sfi_tensors_find(t, name);
    *out = NULL;
    if (tensor == NULL)
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "%s: there is no array \"%s\", want %s", source, name,
                        describe(wanted, type, rank, shape));
    bool same = tensor->type == type && tensor->rank == rank;
    for (int k = 0; k < rank && same; k++)
        same = shape[k] < 0 || shape[k] == tensor->shape[k];
    if (!same)
        return SFI_FAIL(
            ctx, SF_E_FORMAT, "%s: array \"%s\" is %s, want %s", source, name,
            describe(found, tensor->type, tensor->rank, tensor->shape),
            describe(wanted, type, rank, shape));
    *out = tensor;
    return SF_OK;
}
