/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_safetensors.c - safetensors from anyone.  Written again they must hold
 * the same, and written once more have the same bytes. */
#include "fuzz.h"

#include "io/safetensors.h"

static void require_same(const sfi_tensors *a, const sfi_tensors *b)
{
    REQUIRE(a->names.count == b->names.count && a->keys.count == b->keys.count);
    for (size_t i = 0; i < a->names.count; i++) {
        const sfi_tensor *x = &a->list[i];
        const sfi_tensor *y = sfi_tensors_find(b, x->name);
        REQUIRE(y != NULL && y->type == x->type && y->rank == x->rank);
        REQUIRE(memcmp(x->shape, y->shape, sizeof x->shape) == 0);
        REQUIRE(x->count == y->count);
        REQUIRE(memcmp(x->data, y->data,
                       (size_t)x->count * sfi_tensor_size(x->type)) == 0);
    }
    for (size_t i = 0; i < a->keys.count; i++) {
        const char *value = sfi_tensors_get(b, a->keys.texts[i]);
        REQUIRE(value != NULL && strcmp(value, a->values[i]) == 0);
    }
}

static const void *write_again(sf_context *ctx, const sfi_tensors *t,
                               sfi_output **out, size_t *size)
{
    REQUIRE(sfi_output_memory(ctx, out) == SF_OK);
    REQUIRE(sfi_tensors_write_to(ctx, t, *out) == SF_OK);
    return sfi_output_bytes(*out, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sf_context *ctx = NULL;
    sfi_tensors t, back;
    REQUIRE(sf_context_new(&ctx, NULL) == SF_OK);
    if (sfi_tensors_read_memory(ctx, &t, data, size) == SF_OK) {
        sfi_output *first = NULL, *second = NULL;
        size_t first_size = 0, second_size = 0;
        const void *a = write_again(ctx, &t, &first, &first_size);
        REQUIRE(sfi_tensors_read_memory(ctx, &back, a, first_size) == SF_OK);
        require_same(&t, &back);
        const void *b = write_again(ctx, &back, &second, &second_size);
        REQUIRE(first_size == second_size && memcmp(a, b, first_size) == 0);
        sfi_output_abort(first);
        sfi_output_abort(second);
        sfi_tensors_free(ctx, &back);
    } else {
        REQUIRE(t.list == NULL && t.values == NULL);
        REQUIRE(strncmp(sf_context_message(ctx), "<memory>: ", 10) == 0);
    }
    sfi_tensors_free(ctx, &t);
    sf_context_free(ctx);
    return 0;
}
