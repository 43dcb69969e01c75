/* SPDX-License-Identifier: Apache-2.0 */
/* array.h - what the library's own code needs of tables beyond the public
 * header: levels, cells that were read elsewhere, and where a row came from. */
#ifndef SFI_ARRAY_H
#define SFI_ARRAY_H

#include "base/context.h"
#include "scorefield/array.h"

/* Element i of an array of either type; a float is rounded to the nearest. */
static inline double sfi_number_get(sf_dtype dtype, const void *a, int64_t i)
{
    return dtype == SF_F32 ? (double)((const float *)a)[i]
                           : ((const double *)a)[i];
}

static inline void sfi_number_put(sf_dtype dtype, void *a, int64_t i, double x)
{
    if (dtype == SF_F32)
        ((float *)a)[i] = (float)x;
    else
        ((double *)a)[i] = x;
}

/* Number of elements of shape[0..rank-1], or -1 if an extent is negative or the
 * number of bytes at `size` bytes an element exceeds PTRDIFF_MAX. */
int64_t sfi_count_elements(int rank, const int64_t *shape, size_t size);

/* Make column `col` a text column with copies of `levels` [count]; what levels
 * it had are freed.  Cells are left as they are.
 * Returns SF_OK or SF_E_NOMEM; on failure the column is as it was. */
sf_status sfi_table_set_levels(sf_context *ctx, sf_table *table, int64_t col,
                               const char *const *levels, int64_t count);

/* Give a table other cells: `data` [rows, cols] and room to spare, which came
 * from sfi_alloc(ctx, allocated, sizeof(double)) and now belong to the table. */
void sfi_table_adopt(sf_context *ctx, sf_table *table, double *data,
                     size_t allocated, int64_t rows);

/* ---- where a row came from -----------------------------------------------
 *
 * What is wrong with a cell is often seen long after it was read, so a table
 * remembers its file.  A row of a CSV file begins at line
 *
 *     row + 2 + (line ends inside quoted fields before it)
 *
 * and only the rows that follow such line ends are stored. */
typedef enum sfi_source {
    SFI_SOURCE_NONE = 0, /* made by the program                          */
    SFI_SOURCE_LINES,    /* a text file with a header line               */
    SFI_SOURCE_ROWS      /* a binary file: rows are counted from 0       */
} sfi_source;

/* Say that the table comes from the file called `name` (copied).
 * Returns SF_OK or SF_E_NOMEM. */
sf_status sfi_table_set_source(sf_context *ctx, sf_table *table,
                               sfi_source source, const char *name);

/* Say that from row `row` on, lines are `extra` further down than rows tell.
 * Calls come in order of `row`.  Returns SF_OK or SF_E_NOMEM. */
sf_status sfi_table_add_line_jump(sf_context *ctx, sf_table *table, int64_t row,
                                  int64_t extra);

/* The line on which a row began; -1 if the table has none. */
int64_t sfi_table_line(const sf_table *table, int64_t row);

enum { SFI_PLACE_SIZE = 512 };

/* Write to `text` how messages name a cell:
 *
 *     data.csv:17: column "speed"
 *     data.npy: row 15 (counted from 0), column "c3"
 *     row 15 (counted from 0), column "speed"
 *
 * `col` -1 leaves the column out.  Returns `text`. */
char *sfi_table_place(const sf_table *table, int64_t row, int64_t col,
                      char text[SFI_PLACE_SIZE]);

#endif
