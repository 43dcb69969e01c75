/* SPDX-License-Identifier: Apache-2.0 */
/* rows.h - the rows of a table file in their order, a block at a time.
 *
 * A file of any size passes through a buffer of the caller's:
 *
 *     sfi_rows *rows = NULL;
 *     SFI_TRY(sfi_rows_open(ctx, &rows, path));
 *     int64_t got = 0;
 *     do
 *         status = sfi_rows_next(rows, block, limit, &got);
 *     while (status == SF_OK && got > 0 && use(block, got));
 *     sfi_rows_close(rows);
 *
 * What a column is (real, integer, text with which levels, how many cells are
 * missing) is known when every row has been seen once. */
#ifndef SFI_ROWS_H
#define SFI_ROWS_H

#include "io/input.h"
#include "io/output.h"
#include "num/array.h"

typedef struct sfi_rows sfi_rows;

/* Open a table file by its extension: .csv or .npy; "-" is CSV from standard
 * input.  Reads the header.
 * Returns SF_OK; SF_E_ARG (extension), SF_E_IO, SF_E_FORMAT, SF_E_NOMEM; on
 * failure *out is NULL. */
sf_status sfi_rows_open(sf_context *ctx, sfi_rows **out, const char *path);

/* The same for bytes in memory, which must outlive the rows; `format` is
 * ".csv" or ".npy".  `buffer` is how many bytes of CSV are looked at together
 * to begin with, 0 for the default (tests make it small). */
sf_status sfi_rows_open_memory(sf_context *ctx, sfi_rows **out,
                               const char *format, const void *bytes,
                               size_t size, size_t buffer);

/* NULL is allowed. */
void sfi_rows_close(sfi_rows *rows);

/* Rows in all; -1 for CSV before the end has been reached. */
int64_t sfi_rows_count(const sfi_rows *rows);

int64_t sfi_rows_cols(const sfi_rows *rows);

/* What messages call the file. */
const char *sfi_rows_name(const sfi_rows *rows);

/* The columns [cols]: names at once; kind, missing and levels are complete
 * when sfi_rows_next() has given no more rows for the first time.  They live
 * until the rows are closed. */
const sf_column *sfi_rows_columns(const sfi_rows *rows);

/* Read up to `limit` >= 1 rows into cells [limit, cols], row-major; missing
 * cells are NaN, cells of text columns the index of their level, which stays
 * the same after rewinding.  *got is 0 only at the end.
 * Returns SF_OK; SF_E_IO, SF_E_FORMAT (the message names the line and column),
 * SF_E_NOMEM; on failure *got is 0 and every later call fails until rewound. */
sf_status sfi_rows_next(sfi_rows *rows, double *cells, int64_t limit,
                        int64_t *got);

/* Begin again with the first row.  Returns SF_OK; SF_E_UNSUPPORTED for a pipe,
 * SF_E_IO, SF_E_NOMEM. */
sf_status sfi_rows_rewind(sfi_rows *rows);

/* How messages name a cell; see sfi_table_place().  `row` counts from 0 over
 * the whole file. */
char *sfi_rows_place(const sfi_rows *rows, int64_t row, int64_t col,
                     char text[SFI_PLACE_SIZE]);

/* Read every row into a table.  A file's rows are counted first, so that the
 * table is allocated once; from a pipe, cells are gathered in pieces that are
 * freed as they are put together.  The rows must not have been read from before,
 * and nothing but closing them may follow.
 * Returns as sfi_rows_next(), or SF_E_IO if the file grew meanwhile; on failure
 * *out is zeroed. */
sf_status sfi_rows_read_all(sfi_rows *rows, sf_table *out);

/* ---- formats ---------------------------------------------------------------
 *
 * A format is a table of functions; rows.c lists them.  All are REQUIRED. */
typedef struct sfi_table_format {
    /* ".csv": the end of the file's name, in lower case. */
    const char *extension;

    /* Read the header, fill *head with columns and no rows (sf_table_new), say
     * where it comes from (sfi_table_set_source), and keep `head`, where lines
     * and levels are noted.  `input` stays the caller's.
     * On failure *state is NULL; *head may be filled. */
    sf_status (*open)(sf_context *ctx, void **state, sfi_input *input,
                      sf_table *head, size_t buffer);

    /* As sfi_rows_next(); `first` says that these rows are read for the first
     * time, so that they may teach something about the columns. */
    sf_status (*next)(void *state, double *cells, int64_t limit, int64_t *got,
                      bool first);

    /* Every row was read once: complete the columns of text. */
    sf_status (*complete)(void *state);

    sf_status (*rewind)(void *state);

    /* Rows in all, -1 if unknown. */
    int64_t (*count)(const void *state);

    /* A number of rows that is not exceeded, and not much too large, from a
     * quick look at the whole input; -1 if it can be read only once. */
    sf_status (*bound)(void *state, int64_t *rows);

    /* NULL is allowed. */
    void (*close)(void *state);

    /* Write a table, checking before the first byte what cannot be written. */
    sf_status (*write)(sf_context *ctx, const sf_table *table, sfi_output *out);
} sfi_table_format;

/* The format of a path by its extension, in any case; CSV for "-"; NULL. */
const sfi_table_format *sfi_table_format_of(const char *path);

#endif
