/* SPDX-License-Identifier: Apache-2.0 */
/* schema_file.h - what a model's file keeps of a column of its table. */
#ifndef SFI_SCHEMA_FILE_H
#define SFI_SCHEMA_FILE_H

#include "store/metadata.h"
#include "table/schema.h"

/* SF_OK, or SF_E_ARG for levels that are empty, twice there or not UTF-8. */
sf_status sfi_column_check(sf_context *ctx, const sfi_schema_column *column);

/* Put kind, decimals, levels, unit and the style of dates into an object; false
 * without memory. */
bool sfi_column_put(const sfi_schema_column *column, json_t *object);

/* Read them from one, whose name is `name`, into a column that is as
 * sfi_schema_new() leaves it.  SF_OK, SF_E_FORMAT, SF_E_NOMEM. */
sf_status sfi_column_read(sf_context *ctx, const char *source,
                          const json_t *object, const char *name,
                          sfi_schema_column *column);

/* The first format that can say what is known of a column. */
int sfi_column_format(const sfi_schema_column *column);

#endif
