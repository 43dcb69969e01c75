/* SPDX-License-Identifier: Apache-2.0 */
/* array.c - arrays and tables: their memory, and where a table came from.
 *
 * A table's public fields may be changed by its owner (fewer rows, say), so
 * the sizes that its memory was allocated with are kept apart, in the struct
 * that `owner` points to.  Texts are freed by their length and `levels` by
 * level_count, both of which must stay as they were made. */
#include "num/array.h"

#include <stdio.h>
#include <string.h>

typedef struct line_jump {
    int64_t row;   /* the first row that it holds for                    */
    int64_t extra; /* line ends inside quoted fields before that row     */
} line_jump;

typedef struct table_owner {
    size_t cells;   /* doubles at table->data                            */
    size_t columns; /* structs at table->columns                         */
    sfi_source source;
    char *name; /* of the file; NULL if there is none                    */
    line_jump *jumps;
    size_t jump_count, jump_capacity;
} table_owner;

/* ---- arrays --------------------------------------------------------------- */

int64_t sfi_count_elements(int rank, const int64_t *shape, size_t size)
{
    const int64_t most = (int64_t)(PTRDIFF_MAX / size);
    int64_t count = 1;
    bool empty = false;
    for (int i = 0; i < rank; i++) {
        if (shape[i] < 0)
            return -1;
        if (shape[i] == 0)
            empty = true;
        else if (count > most / shape[i])
            return -1;
        else
            count *= shape[i];
    }
    return empty ? 0 : count;
}

sf_status sf_array_new(sf_context *ctx, sf_array *out, sf_dtype dtype, int rank,
                       const int64_t *shape)
{
    memset(out, 0, sizeof *out);
    if (dtype != SF_F32 && dtype != SF_F64)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "array: dtype is %d, want SF_F32 or SF_F64",
                        (int)dtype);
    if (rank < 0 || rank > SF_MAX_RANK)
        return SFI_FAIL(ctx, SF_E_ARG, "array: rank is %d, want 0 to %d", rank,
                        (int)SF_MAX_RANK);
    const size_t size = sf_dtype_size(dtype);
    const int64_t count = sfi_count_elements(rank, shape, size);
    if (count < 0)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "array: an extent is negative, or the array would "
                        "exceed the address space");
    void *data = sfi_alloc_zero(ctx, (size_t)count, size);
    if (data == NULL)
        return SF_E_NOMEM;
    out->data = data;
    out->dtype = dtype;
    out->rank = rank;
    for (int i = 0; i < rank; i++)
        out->shape[i] = shape[i];
    return SF_OK;
}

void sf_array_free(sf_context *ctx, sf_array *array)
{
    if (array == NULL)
        return;
    sfi_free(ctx, array->data, (size_t)sf_array_count(array),
             sf_dtype_size(array->dtype));
    memset(array, 0, sizeof *array);
}

int64_t sf_array_count(const sf_array *array)
{
    int64_t count = 1;
    for (int i = 0; i < array->rank; i++)
        count *= array->shape[i];
    return count;
}

/* ---- tables --------------------------------------------------------------- */

static void free_levels(sf_context *ctx, sf_column *column)
{
    for (int64_t i = 0; i < column->level_count; i++)
        sfi_free_text(ctx, column->levels[i]);
    sfi_free(ctx, column->levels, (size_t)column->level_count,
             sizeof *column->levels);
    column->levels = NULL;
    column->level_count = 0;
}

void sf_table_free(sf_context *ctx, sf_table *table)
{
    if (table == NULL)
        return;
    table_owner *owner = table->owner;
    if (owner != NULL) {
        for (size_t j = 0; j < owner->columns; j++) {
            sfi_free_text(ctx, table->columns[j].name);
            free_levels(ctx, &table->columns[j]);
        }
        sfi_free(ctx, table->columns, owner->columns, sizeof *table->columns);
        sfi_free(ctx, table->data, owner->cells, sizeof *table->data);
        sfi_free_text(ctx, owner->name);
        sfi_free(ctx, owner->jumps, owner->jump_capacity, sizeof *owner->jumps);
        sfi_free(ctx, owner, 1, sizeof *owner);
    }
    memset(table, 0, sizeof *table);
}

static char *copy_column_name(sf_context *ctx, const char *const *names,
                              int64_t j)
{
    char generic[32];
    if (names != NULL)
        return sfi_copy_text(ctx, names[j]);
    snprintf(generic, sizeof generic, "c%lld", (long long)j);
    return sfi_copy_text(ctx, generic);
}

sf_status sf_table_new(sf_context *ctx, sf_table *out, int64_t rows,
                       int64_t cols, const char *const *names)
{
    memset(out, 0, sizeof *out);
    const int64_t shape[2] = {rows, cols};
    const int64_t cells = sfi_count_elements(2, shape, sizeof *out->data);
    if (cells < 0 || (uint64_t)cols > SIZE_MAX / sizeof(sf_column))
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "table: cannot hold %lld rows of %lld columns",
                        (long long)rows, (long long)cols);
    table_owner *owner = sfi_alloc_zero(ctx, 1, sizeof *owner);
    if (owner == NULL)
        return SF_E_NOMEM;
    out->owner = owner;
    out->columns = sfi_alloc_zero(ctx, (size_t)cols, sizeof *out->columns);
    if (out->columns == NULL)
        goto done;
    owner->columns = (size_t)cols;
    for (int64_t j = 0; j < cols; j++) {
        out->columns[j].name = copy_column_name(ctx, names, j);
        if (out->columns[j].name == NULL)
            goto done;
    }
    out->data = sfi_alloc_zero(ctx, (size_t)cells, sizeof *out->data);
    if (out->data == NULL)
        goto done;
    owner->cells = (size_t)cells;
    out->rows = rows;
    out->cols = cols;
    return SF_OK;
done:
    sf_table_free(ctx, out);
    return SF_E_NOMEM;
}

sf_status sfi_table_set_levels(sf_context *ctx, sf_table *table, int64_t col,
                               const char *const *levels, int64_t count)
{
    sf_column made = {.kind = SF_COLUMN_TEXT};
    made.levels = sfi_alloc_zero(ctx, (size_t)count, sizeof *made.levels);
    if (made.levels == NULL)
        return SF_E_NOMEM;
    made.level_count = count;
    for (int64_t i = 0; i < count; i++) {
        made.levels[i] = sfi_copy_text(ctx, levels[i]);
        if (made.levels[i] == NULL) {
            free_levels(ctx, &made);
            return SF_E_NOMEM;
        }
    }
    sf_column *column = &table->columns[col];
    free_levels(ctx, column);
    column->kind = SF_COLUMN_TEXT;
    column->levels = made.levels;
    column->level_count = count;
    return SF_OK;
}

void sfi_table_adopt(sf_context *ctx, sf_table *table, double *data,
                     size_t allocated, int64_t rows)
{
    table_owner *owner = table->owner;
    sfi_free(ctx, table->data, owner->cells, sizeof *table->data);
    table->data = data;
    table->rows = rows;
    owner->cells = allocated;
}

/* ---- where a row came from ------------------------------------------------ */

sf_status sfi_table_set_source(sf_context *ctx, sf_table *table,
                               sfi_source source, const char *name)
{
    table_owner *owner = table->owner;
    char *copy = sfi_copy_text(ctx, name);
    if (copy == NULL)
        return SF_E_NOMEM;
    sfi_free_text(ctx, owner->name);
    owner->name = copy;
    owner->source = source;
    return SF_OK;
}

sf_status sfi_table_add_line_jump(sf_context *ctx, sf_table *table, int64_t row,
                                  int64_t extra)
{
    table_owner *owner = table->owner;
    line_jump *jumps = sfi_grow(ctx, owner->jumps, &owner->jump_capacity,
                                owner->jump_count + 1, sizeof *owner->jumps);
    if (jumps == NULL)
        return SF_E_NOMEM;
    owner->jumps = jumps;
    jumps[owner->jump_count] = (line_jump){row, extra};
    owner->jump_count++;
    return SF_OK;
}

static int64_t line_of(const table_owner *owner, int64_t row)
{
    size_t low = 0, high = owner->jump_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (owner->jumps[middle].row <= row)
            low = middle + 1;
        else
            high = middle;
    }
    return row + 2 + (low > 0 ? owner->jumps[low - 1].extra : 0);
}

int64_t sfi_table_line(const sf_table *table, int64_t row)
{
    const table_owner *owner = table->owner;
    return owner != NULL && owner->source == SFI_SOURCE_LINES
               ? line_of(owner, row)
               : -1;
}

char *sfi_table_place(const sf_table *table, int64_t row, int64_t col,
                      char text[SFI_PLACE_SIZE])
{
    const table_owner *owner = table->owner;
    const sfi_source source = owner != NULL ? owner->source : SFI_SOURCE_NONE;
    int used = 0;
    if (source == SFI_SOURCE_LINES)
        used = snprintf(text, SFI_PLACE_SIZE, "%.200s:%lld", owner->name,
                        (long long)line_of(owner, row));
    else
        used = snprintf(text, SFI_PLACE_SIZE,
                        "%.200s%srow %lld (counted from "
                        "0)",
                        source == SFI_SOURCE_ROWS ? owner->name : "",
                        source == SFI_SOURCE_ROWS ? ": " : "", (long long)row);
    if (col >= 0)
        snprintf(text + used, SFI_PLACE_SIZE - (size_t)used,
                 "%s column \"%.200s\"", source == SFI_SOURCE_LINES ? ":" : ",",
                 table->columns[col].name);
    return text;
}
