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
 * missing) is known when every row has been seen once; until then cells are
 * provisional.  sfi_rows_learn() does that first. */
#ifndef SFI_ROWS_H
#define SFI_ROWS_H

#include "io/input.h"
#include "io/output.h"
#include "num/array.h"

typedef struct sfi_rows sfi_rows;

/* Open a table file as sf_table_read_with() does; `options` may be NULL, and its
 * texts must outlive the rows.  Reads the header.
 * Returns SF_OK; SF_E_ARG (extension, options), SF_E_IO, SF_E_FORMAT, SF_E_NOMEM;
 * on failure *out is NULL. */
sf_status sfi_rows_open(sf_context *ctx, sfi_rows **out, const char *path,
                        const sf_read_options *options);

/* The same for bytes in memory, which must outlive the rows; `format` is an
 * extension.  `buffer` is how many bytes of text are looked at together to begin
 * with, 0 for the default (tests make it small). */
sf_status sfi_rows_open_memory(sf_context *ctx, sfi_rows **out,
                               const char *format, const void *bytes,
                               size_t size, size_t buffer,
                               const sf_read_options *options);

/* NULL is allowed. */
void sfi_rows_close(sfi_rows *rows);

/* Rows in all; -1 for CSV before the end has been reached. */
int64_t sfi_rows_count(const sfi_rows *rows);

int64_t sfi_rows_cols(const sfi_rows *rows);

/* What messages call the file. */
const char *sfi_rows_name(const sfi_rows *rows);

/* Whether the file names its columns. */
bool sfi_rows_has_names(const sfi_rows *rows);

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

/* Whether the first reading found, at its end, that its cells were taken for
 * something else than they are: rewind, and read again. */
bool sfi_rows_must_reread(const sfi_rows *rows);

/* Read all rows, twice if it must be, so that the columns are complete; `each`, if
 * not NULL, is handed the rows of the reading that counts, or of one before, which
 * it then is told of by `count` -1.  `block` [limit, cols] is room.  Rows follow
 * after sfi_rows_rewind() only.
 * Returns as sfi_rows_next() and sfi_rows_rewind(). */
sf_status sfi_rows_learn(sfi_rows *rows, double *block, int64_t limit,
                         void (*each)(void *user, int64_t count,
                                      const double *cells),
                         void *user);

/* Begin again with the first row.  Returns SF_OK; SF_E_UNSUPPORTED for a pipe,
 * SF_E_IO, SF_E_NOMEM. */
sf_status sfi_rows_rewind(sfi_rows *rows);

/* The line on which a row began, counted from 0 over the whole file; -1 if the file
 * has none. */
int64_t sfi_rows_line(const sfi_rows *rows, int64_t row);

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
 * A format is a table of functions; rows.c lists them.  All are REQUIRED but
 * `write`, which goes with `writes`. */
typedef struct sfi_table_format {
    /* ".csv|.txt": ends of files' names, in lower case. */
    const char *extensions;

    /* Those that it is written to; NULL: none. */
    const char *writes;

    /* A file may be compressed by gzip. */
    bool expands;

    /* Read the header, fill *head with columns and no rows (sf_table_new), say
     * where it comes from (sfi_table_set_source), and keep `head`, where lines
     * and levels are noted.  `input` stays the caller's.
     * On failure *state is NULL; *head may be filled. */
    sf_status (*open)(sf_context *ctx, void **state, sfi_input *input,
                      sf_table *head, size_t buffer,
                      const sf_read_options *options);

    /* As sfi_rows_next(); `first` says that these rows are read for the first
     * time, so that they may teach something about the columns. */
    sf_status (*next)(void *state, double *cells, int64_t limit, int64_t *got,
                      bool first);

    /* Every row was read once: complete the columns of text, or ask to be rewound
     * and read again. */
    sf_status (*complete)(void *state, bool *again);

    sf_status (*rewind)(void *state);

    /* Whether the file names its columns. */
    bool (*has_names)(const void *state);

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

/* The format that a path is written in: by its extension, in any case; CSV for "-"
 * and for what is there and is no regular file; NULL. */
const sfi_table_format *sfi_table_format_to_write(const char *path);

#endif
