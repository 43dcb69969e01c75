/* SPDX-License-Identifier: Apache-2.0 */
/* growing.h - a text that grows as it is written. */
#ifndef SFI_GROWING_H
#define SFI_GROWING_H

#include "base/context.h"

/* Zero it to begin; `text` is NULL until something, even nothing, is added. */
typedef struct sfi_growing {
    char *text;  /* [size], and a NUL */
    size_t size; /* 0 begins anew in the same memory */
    size_t room;
} sfi_growing;

/* Add bytes, or a text, behind what is there.
 * Returns SF_OK or SF_E_NOMEM (the text is as it was). */
sf_status sfi_growing_add(sf_context *ctx, sfi_growing *to, const char *bytes,
                          size_t size);
sf_status sfi_growing_put(sf_context *ctx, sfi_growing *to, const char *text);

/* Free what it holds, and zero it. */
void sfi_growing_free(sf_context *ctx, sfi_growing *text);

#endif
