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

/* Read a table from `path`, by its extension: .csv or .npy; "-" reads CSV from
 * standard input.  See docs/FORMATS.md for both formats' rules.
 * Returns SF_OK; SF_E_IO, SF_E_FORMAT (the message names line and column, or
 * the byte), SF_E_NOMEM; on failure *out is zeroed. */
SF_API sf_status sf_table_read(sf_context *ctx, sf_table *out,
                               const char *path);

/* Write a table by extension: .csv or .npy; "-" writes CSV to standard output.
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
