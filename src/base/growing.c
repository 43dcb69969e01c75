/* SPDX-License-Identifier: Apache-2.0 */
/* growing.c - a text that grows as it is written. */
#include "base/growing.h"

#include <string.h>

sf_status sfi_growing_add(sf_context *ctx, sfi_growing *to, const char *bytes,
                          size_t size)
{
    char *const grown =
        sfi_grow(ctx, to->text, &to->room, to->size + size + 1, 1);
    if (grown == NULL)
        return SF_E_NOMEM;
    to->text = grown;
    if (size > 0)
        memcpy(to->text + to->size, bytes, size);
    to->size += size;
    to->text[to->size] = '\0';
    return SF_OK;
}

sf_status sfi_growing_put(sf_context *ctx, sfi_growing *to, const char *text)
{
    return sfi_growing_add(ctx, to, text, strlen(text));
}

void sfi_growing_free(sf_context *ctx, sfi_growing *text)
{
    sfi_free(ctx, text->text, text->room, 1);
    *text = (sfi_growing){NULL, 0, 0};
}
