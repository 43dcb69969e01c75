/* SPDX-License-Identifier: Apache-2.0 */
/* schema.c - what is known of a table's columns besides their cells.
 *
 * Every text is a copy, so that a schema lives without its table. */
#include "table/schema.h"

#include <math.h>
#include <string.h>

sf_status sfi_schema_new(sf_context *ctx, sfi_schema *out, int64_t count)
{
    out->count = 0;
    out->columns = sfi_alloc_zero(ctx, (size_t)count, sizeof *out->columns);
    if (out->columns == NULL)
        return SF_E_NOMEM;
    out->count = count;
    for (int64_t j = 0; j < count; j++) {
        out->columns[j].min = out->columns[j].max = (double)NAN;
        out->columns[j].decimals = -1;
    }
    return SF_OK;
}

sf_status sfi_schema_set(sf_context *ctx, sfi_schema_column *column,
                         const char *name, const char *unit,
                         const char *const *levels, int64_t level_count)
{
    column->name = sfi_copy_text(ctx, name);
    if (column->name == NULL)
        return SF_E_NOMEM;
    if (unit != NULL) {
        column->unit = sfi_copy_text(ctx, unit);
        if (column->unit == NULL)
            return SF_E_NOMEM;
    }
    if (level_count == 0)
        return SF_OK;
    column->levels =
        sfi_alloc_zero(ctx, (size_t)level_count, sizeof *column->levels);
    if (column->levels == NULL)
        return SF_E_NOMEM;
    column->level_count = level_count;
    for (int64_t k = 0; k < level_count; k++) {
        column->levels[k] = sfi_copy_text(ctx, levels[k]);
        if (column->levels[k] == NULL)
            return SF_E_NOMEM;
    }
    return SF_OK;
}

sf_status sfi_schema_copy(sf_context *ctx, sfi_schema_column *to,
                          const sfi_schema_column *from)
{
    to->kind = from->kind;
    to->is_told = from->is_told;
    to->decimals = from->decimals;
    to->date = from->date;
    to->min = from->min;
    to->max = from->max;
    SFI_TRY(sfi_atoms_set(ctx, &to->atoms, from->atoms.count, from->atoms.at,
                          from->atoms.between));
    return sfi_schema_set(ctx, to, from->name, from->unit,
                          (const char *const *)from->levels, from->level_count);
}

void sfi_schema_free(sf_context *ctx, sfi_schema *schema)
{
    for (int64_t j = 0; j < schema->count; j++) {
        sfi_schema_column *c = &schema->columns[j];
        for (int64_t k = 0; k < c->level_count; k++)
            sfi_free_text(ctx, c->levels[k]);
        sfi_free(ctx, c->levels, (size_t)c->level_count, sizeof *c->levels);
        sfi_atoms_free(ctx, &c->atoms);
        sfi_free_text(ctx, c->unit);
        sfi_free_text(ctx, c->name);
    }
    sfi_free(ctx, schema->columns, (size_t)schema->count,
             sizeof *schema->columns);
    memset(schema, 0, sizeof *schema);
}
