/* SPDX-License-Identifier: Apache-2.0 */
/* patterns.h - which cells of a table are there: rows that have the same ones. */
#ifndef SFI_PATTERNS_H
#define SFI_PATTERNS_H

#include "base/context.h"
#include "scorefield/array.h"

/* A pattern says for each column whether the cell is there.  Patterns are numbered
 * as they first appear. */
typedef struct sfi_patterns {
    sf_context *ctx;
    int64_t rows, cols;
    int64_t count;   /* distinct patterns                                */
    int64_t missing; /* cells                                            */
    int64_t *order;  /* [rows] rows by their patterns, then as they come */
    int64_t *first;  /* [count + 1]: where in `order` a pattern begins   */
    unsigned char
        *present; /* [count, cols] 1 where the cell is there, else 0  */
} sfi_patterns;

/* The patterns of x [rows, cols], where NaN is a missing cell.
 * SF_OK or SF_E_NOMEM; on failure *out is NULL. */
sf_status sfi_patterns_new(sf_context *ctx, sfi_patterns **out, sf_cmat x);
void sfi_patterns_free(sfi_patterns *p);

/* Whether x has a missing cell. */
bool sfi_has_missing(sf_cmat x);

#endif
