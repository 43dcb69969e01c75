/* SPDX-License-Identifier: Apache-2.0 */
/* assign.h - what belongs to columns, as text: "COLUMN,COLUMN=VALUE; ...". */
#ifndef SFI_ASSIGN_H
#define SFI_ASSIGN_H

#include "base/dictionary.h"

/* A part of a text, without blanks at its ends. */
typedef struct sfi_piece {
    const char *at;
    size_t size;
} sfi_piece;

sfi_piece sfi_trimmed(const char *at, size_t size);

/* What one assignment says. */
typedef struct sfi_assignment {
    sfi_piece text; /* all of it                                        */
    int64_t count;  /* columns before the '=': as many as were asked for, or
                       one more if there are more; -1: no columns, or none
                       that are known                                   */
    sfi_piece value;
} sfi_assignment;

/* The next of the assignments in *text, which moves on; false at the end.
 * `columns` [most] receives the numbers of the columns by `names`.  Of several names that a
 * piece begins with the longest is meant. */
bool sfi_next_assignment(const char **text, const sfi_dictionary *names,
                         int64_t most, int64_t *columns, sfi_assignment *out);

#endif
