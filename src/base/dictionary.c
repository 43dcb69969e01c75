/* SPDX-License-Identifier: Apache-2.0 */
/* dictionary.c - distinct texts, numbered in the order of their appearance.
 *
 * A hash table with linear probing, at most half full; it holds numbers, and
 * the texts are compared where the hash leads. */
#include "base/dictionary.h"

#include <string.h>

/* Eight bytes at a time, each multiplied and folded (a short text takes one or
 * two steps); good enough for texts that nobody chose to collide. */
static uint64_t hash(const char *text, size_t size)
{
    const uint64_t factor = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t h = size * factor;
    while (size > 0) {
        uint64_t word = 0;
        const size_t n = size < sizeof word ? size : sizeof word;
        memcpy(&word, text, n);
        const sfi_u128 product = (sfi_u128)(h ^ word) * factor;
        h = (uint64_t)product ^ (uint64_t)(product >> 64);
        text += n;
        size -= n;
    }
    return h ^ h >> 32;
}

/* The slot that holds the text, or the free one where it would go. */
static size_t slot_of(const sfi_dictionary *d, const char *text, size_t size)
{
    size_t at = (size_t)hash(text, size) & (d->slot_count - 1);
    for (; d->slots[at] != 0; at = (at + 1) & (d->slot_count - 1)) {
        const char *other = d->texts[d->slots[at] - 1];
        if (strlen(other) == size && memcmp(other, text, size) == 0)
            break;
    }
    return at;
}

int64_t sfi_dictionary_find(const sfi_dictionary *d, const char *text,
                            size_t size)
{
    if (d->count == 0)
        return -1;
    return (int64_t)d->slots[slot_of(d, text, size)] - 1;
}

static sf_status rehash(sf_context *ctx, sfi_dictionary *d)
{
    const size_t larger = d->slot_count > 0 ? 2 * d->slot_count : 16;
    uint32_t *slots = sfi_alloc_zero(ctx, larger, sizeof *slots);
    if (slots == NULL)
        return SF_E_NOMEM;
    sfi_free(ctx, d->slots, d->slot_count, sizeof *d->slots);
    d->slots = slots;
    d->slot_count = larger;
    for (size_t i = 0; i < d->count; i++) {
        const char *text = d->texts[i];
        slots[slot_of(d, text, strlen(text))] = (uint32_t)i + 1;
    }
    return SF_OK;
}

sf_status sfi_dictionary_add(sf_context *ctx, sfi_dictionary *d,
                             const char *text, size_t size)
{
    if (d->count >= UINT32_MAX - 1)
        return SFI_FAIL(ctx, SF_E_NOMEM, "more than %zu distinct texts",
                        d->count);
    if (2 * (d->count + 1) > d->slot_count)
        SFI_TRY(rehash(ctx, d));
    char **texts =
        sfi_grow(ctx, d->texts, &d->capacity, d->count + 1, sizeof *d->texts);
    if (texts == NULL)
        return SF_E_NOMEM;
    d->texts = texts;
    char *copy = sfi_alloc(ctx, size + 1, 1);
    if (copy == NULL)
        return SF_E_NOMEM;
    memcpy(copy, text, size);
    copy[size] = '\0';
    d->slots[slot_of(d, text, size)] = (uint32_t)d->count + 1;
    d->texts[d->count++] = copy;
    d->longest = size > d->longest ? size : d->longest;
    return SF_OK;
}

sf_status sfi_dictionary_number(sf_context *ctx, sfi_dictionary *d,
                                const char *text, int64_t *number)
{
    const size_t size = strlen(text);
    *number = sfi_dictionary_find(d, text, size);
    if (*number >= 0)
        return SF_OK;
    *number = (int64_t)d->count;
    return sfi_dictionary_add(ctx, d, text, size);
}

/* A text that is there already takes its slot over. */
sf_status sfi_dictionary_fill(sf_context *ctx, sfi_dictionary *d, int64_t count,
                              const char *const *names)
{
    sf_status status = SF_OK;
    for (int64_t j = 0; j < count && status == SF_OK; j++)
        status = sfi_dictionary_add(ctx, d, names[j], strlen(names[j]));
    if (status != SF_OK)
        sfi_dictionary_free(ctx, d);
    return status;
}

sf_status sfi_dictionary_lend(sf_context *ctx, sfi_dictionary *d,
                              char ***levels)
{
    char **exact = sfi_alloc(ctx, d->count, sizeof *exact);
    if (exact == NULL)
        return SF_E_NOMEM;
    if (d->count > 0)
        memcpy(exact, d->texts, d->count * sizeof *exact);
    sfi_free(ctx, d->texts, d->capacity, sizeof *d->texts);
    d->texts = exact;
    d->capacity = d->count;
    d->is_lent = true;
    *levels = exact;
    return SF_OK;
}

void sfi_dictionary_free(sf_context *ctx, sfi_dictionary *d)
{
    if (!d->is_lent) {
        for (size_t i = 0; i < d->count; i++)
            sfi_free_text(ctx, d->texts[i]);
        sfi_free(ctx, d->texts, d->capacity, sizeof *d->texts);
    }
    sfi_free(ctx, d->slots, d->slot_count, sizeof *d->slots);
    memset(d, 0, sizeof *d);
}
