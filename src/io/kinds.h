/* SPDX-License-Identifier: Apache-2.0 */
/* kinds.h - kinds of columns as text: "a=category; b,c=real; d=positive:atoms=0". */
#ifndef SFI_KINDS_H
#define SFI_KINDS_H

#include "base/context.h"
#include "scorefield/frame.h"

typedef struct sfi_told_kind {
    bool is_told;
    sf_kind kind;
    bool has_atoms; /* which they are is told as well */
    int64_t atom_count;
    double atoms[SF_MOST_ATOMS]; /* [atom_count] rising */
} sfi_told_kind;

/* Set kinds[j] of the columns that `text` is about, among names [count].  A kind of
 * numbers may name their atoms: "real:atoms=0:17.5", or "real:atoms=none".
 * Returns SF_OK; SF_E_ARG: a column or kind that is not known, atoms that are no
 * numbers. */
sf_status sfi_kinds_read(sf_context *ctx, const char *text, int64_t count,
                         const char *const *names, sfi_told_kind *kinds);

#endif
