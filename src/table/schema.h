/* SPDX-License-Identifier: Apache-2.0 */
/* schema.h - what is known of a table's columns besides their cells: what a model
 * may keep of the table that it was fitted to. */
#ifndef SFI_SCHEMA_H
#define SFI_SCHEMA_H

#include "base/context.h"
#include "scorefield/frame.h"
#include "table/atoms.h"
#include "table/date.h"

typedef struct sfi_schema_column {
    char *name;
    sf_kind kind;
    bool is_told; /* by the user                                              */
    int decimals; /* of all numbers, 0 to SF_MOST_DECIMALS; -1: more          */
    sfi_date_style date; /* how dates are spelled                            */
    char **levels; /* [level_count] of categories and booleans               */
    int64_t level_count;
    char *unit;      /* or NULL */
    sfi_atoms atoms; /* of numbers; those of a kind beside it */
    double min, max; /* of the cells that are there; NaN if none is          */
} sfi_schema_column;

/* Zeroed is empty. */
typedef struct sfi_schema {
    sfi_schema_column *columns; /* [count] */
    int64_t count;
} sfi_schema;

/* Room for `count` columns without names.  Returns SF_OK or SF_E_NOMEM. */
sf_status sfi_schema_new(sf_context *ctx, sfi_schema *out, int64_t count);

/* Set a column's texts, of which it keeps copies; levels may be NULL.
 * Returns SF_OK or SF_E_NOMEM; sfi_schema_free() is right in either case. */
sf_status sfi_schema_set(sf_context *ctx, sfi_schema_column *column,
                         const char *name, const char *unit,
                         const char *const *levels, int64_t level_count);

/* Copy a column to one that is as sfi_schema_new() leaves it.
 * Returns as sfi_schema_set(). */
sf_status sfi_schema_copy(sf_context *ctx, sfi_schema_column *to,
                          const sfi_schema_column *from);

/* Free what it holds, and zero *schema. */
void sfi_schema_free(sf_context *ctx, sfi_schema *schema);

#endif
