/* SPDX-License-Identifier: Apache-2.0 */
/* array.h - dense arrays and tables: the values that go in and come out. */
#ifndef SCOREFIELD_ARRAY_H
#define SCOREFIELD_ARRAY_H

#include "scorefield/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SF_MAX_RANK = 6 };

/* A dense row-major array that the caller or sf_array_new() allocated.
 * Functions that take one by value or const pointer never free it. */
typedef struct sf_array {
    void *data;                 /* shape[0]*...*shape[rank-1] elements */
    sf_dtype dtype;             /* SF_F32 or SF_F64                    */
    int rank;                   /* 0 to SF_MAX_RANK                    */
    int64_t shape[SF_MAX_RANK]; /* extents, each >= 0                  */
} sf_array;

/* A matrix of doubles seen through a pointer: row i starts at data + i*stride.
 * Tables are [rows, cols] with one point a row. */
typedef struct sf_mat {
    double *data;
    int64_t rows;
    int64_t cols;
    int64_t stride; /* >= cols */
} sf_mat;

typedef struct sf_cmat {
    const double *data;
    int64_t rows;
    int64_t cols;
    int64_t stride;
} sf_cmat;

/* View `m` read-only. */
static inline sf_cmat sf_mat_const(sf_mat m)
{
    const sf_cmat c = {m.data, m.rows, m.cols, m.stride};
    return c;
}

/* Allocate a zeroed array.  `shape` holds `rank` extents.
 * Returns SF_OK; SF_E_ARG (rank or dtype), SF_E_SHAPE (negative extent or too
 * many elements), SF_E_NOMEM.  On failure out->data is NULL. */
SF_API sf_status sf_array_new(sf_context *ctx, sf_array *out, sf_dtype dtype,
                              int rank, const int64_t *shape);

/* Free what sf_array_new() allocated and zero *array; NULL is allowed. */
SF_API void sf_array_free(sf_context *ctx, sf_array *array);

/* Number of elements: 1 for rank 0. */
SF_API int64_t sf_array_count(const sf_array *array);

/* ---- tables --------------------------------------------------------------
 *
 * What a CSV or .npy file holds: named columns of numbers.  Missing cells are
 * NaN.  A column that holds text keeps its distinct texts as levels, and its
 * cells are the index of the level (0, 1, ...). */
typedef enum sf_column_kind {
    SF_COLUMN_REAL = 0, /* numbers                                        */
    SF_COLUMN_INTEGER,  /* every cell that is present is a whole number   */
    SF_COLUMN_TEXT      /* cells are indices into `levels`                */
} sf_column_kind;

typedef struct sf_column {
    char *name;          /* UTF-8, never empty                            */
    sf_column_kind kind; /* as found in the file                          */
    int64_t missing;     /* number of NaN cells                           */
    int64_t level_count; /* text columns only                             */
    char **levels;       /* [level_count], in order of first appearance   */
} sf_column;

typedef struct sf_table {
    int64_t rows;
    int64_t cols;
    double *data;       /* [rows, cols], row-major                        */
    sf_column *columns; /* [cols]                                         */
    void *owner;        /* the reader's own business                      */
} sf_table;

/* Allocate a table of zeros whose columns are named `names`, or c0, c1, ...
 * where `names` is NULL; all are SF_COLUMN_REAL.  The names are copied.
 * Returns SF_OK, SF_E_SHAPE, SF_E_NOMEM; on failure *out is zeroed. */
SF_API sf_status sf_table_new(sf_context *ctx, sf_table *out, int64_t rows,
                              int64_t cols, const char *const *names);

/* Whether the first line of a text holds names. */
typedef enum sf_header {
    SF_HEADER_AUTO = 0, /* unless it is data like the lines that follow       */
    SF_HEADER_YES,
    SF_HEADER_NO /* columns are called c0, c1, ...                            */
} sf_header;

/* How the text of a table is to be understood; docs/FORMATS.md has the rules. */
typedef struct sf_read_options {
    size_t size;         /* set by _INIT                                      */
    const char *sep;     /* between fields: "," ";" "tab" "blank", another
                            character; NULL: found                            */
    sf_header header;    /*                                                   */
    const char *comment; /* a character that begins lines to be skipped; "":
                            none does; NULL: # does, before the first line    */
    const char *na;      /* words that mean a missing cell, with commas, and
                            so does nothing; NULL: NA, NaN, NULL, ? ...       */
    const char *decimal; /* "." or ","; NULL is "."                           */
    const char *kinds;   /* "a=category; b=real": what columns hold, instead
                            of what is found in their cells; or NULL          */
    int64_t max_bytes;   /* of text that a gzip file may expand to, > 0       */
} sf_read_options;

#define SF_READ_OPTIONS_INIT                                                   \
    {                                                                          \
        sizeof(sf_read_options), NULL, SF_HEADER_AUTO, NULL, NULL, NULL, NULL, \
            INT64_C(1) << 32                                                   \
    }

/* Read a table from `path`: .npy; .arff; .csv, .tsv, .txt, .data, .dat or .tab as
 * text with separators, and so what is no regular file (a pipe, /dev/stdin) and
 * "-", standard input.  Texts may be compressed by gzip, with .gz after that.
 * See docs/FORMATS.md for the rules.  What is recognised or taken in another way
 * than it is spelled is a warning (sf_context_set_warning()).
 * Returns SF_OK; SF_E_ARG (another ending), SF_E_IO, SF_E_FORMAT (the message
 * names line and column, or the byte), SF_E_NOMEM; on failure *out is zeroed. */
SF_API sf_status sf_table_read(sf_context *ctx, sf_table *out,
                               const char *path);

/* The same as `options` say, NULL for SF_READ_OPTIONS_INIT.  Also SF_E_ARG: an
 * option that cannot be, or is about a column that is not there. */
SF_API sf_status sf_table_read_with(sf_context *ctx, sf_table *out,
                                    const char *path,
                                    const sf_read_options *options);

/* Write a table by extension: .csv or .npy; "-" writes CSV to standard output, and
 * what is no regular file (/dev/null, a pipe) gets CSV.
 * The file appears under its name only when it is complete.
 * Returns SF_OK; SF_E_ARG (unknown extension), SF_E_IO, SF_E_NOMEM. */
SF_API sf_status sf_table_write(sf_context *ctx, const sf_table *table,
                                const char *path);

/* Free the table's memory and zero it; NULL is allowed. */
SF_API void sf_table_free(sf_context *ctx, sf_table *table);

#ifdef __cplusplus
}
#endif
#endif
