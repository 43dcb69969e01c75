/* SPDX-License-Identifier: Apache-2.0 */
/* kinds.h - kinds of columns as text: "a=category; b,c=real". */
#ifndef SFI_KINDS_H
#define SFI_KINDS_H

#include "base/context.h"
#include "scorefield/frame.h"

typedef struct sfi_told_kind {
    bool is_told;
    sf_kind kind;
} sfi_told_kind;

/* Set kinds[j] of the columns that `text` is about, among names [count].
 * Returns SF_OK; SF_E_ARG: a column or kind that is not known. */
sf_status sfi_kinds_read(sf_context *ctx, const char *text, int64_t count,
                         const char *const *names, sfi_told_kind *kinds);

#endif
