/* SPDX-License-Identifier: Apache-2.0 */
/* frame.h - what a frame is made of: a store, which has cells and what is known of
 * them, and a view, which says which columns and rows of it the frame has.
 *
 *     frame.index [cols]   columns of the store
 *     frame.map [rows]     rows of the store; NULL: all of them
 *
 * Stores are shared by frames and counted. */
#ifndef SFI_FRAME_H
#define SFI_FRAME_H

#include "base/dictionary.h"
#include "io/kinds.h"
#include "io/rows.h"
#include "table/schema.h"
#include "table/seen.h"

/* Where the cells of a column lie. */
typedef struct sfi_frame_cells {
    const unsigned char *data; /* NULL: they pass by (sf_frame_open)          */
    sf_cell_type type;
    int64_t stride; /* bytes */
    const uint8_t *validity;
    int64_t validity_first;
    double *of_level; /* [level_count] what the text of a date means, where
                         cells are still numbers of levels; or NULL           */
    int64_t level_count;
} sfi_frame_cells;

typedef struct sfi_store {
    sf_context *ctx;
    int64_t references;
    int64_t rows;
    sfi_schema schema;
    sfi_dictionary names;        /* of the columns, in their order            */
    sfi_frame_cells *cells;      /* [schema.count]                            */
    bool *is_constant;           /* [schema.count]                            */
    sf_frame_summary *summaries; /* [schema.count] of a stream; else NULL     */
    sf_table table;              /* owns the cells of a file, or nothing      */
    sfi_rows *stream;            /* of a file whose rows pass by              */
    char *name;                  /* of the file; NULL: the caller's memory    */
    bool has_names;
    void *mapped; /* [mapped_size] or NULL */
    size_t mapped_size;
} sfi_store;

struct sf_frame {
    sf_context *ctx;
    sfi_store *store;
    int64_t rows, cols;
    int64_t *index; /* [cols] */
    int64_t *place; /* [columns of the store]: where in `index` it is, or -1 */
    int64_t *map;   /* [rows] or NULL */
    double *matrix; /* [rows, cols] or NULL: a copy that was asked for       */
};

/* A store of `cols` columns without cells.  Returns SF_OK or SF_E_NOMEM, and then
 * *out is NULL.  sfi_store_drop() frees it with its last reference. */
sf_status sfi_store_new(sf_context *ctx, sfi_store **out, int64_t rows,
                        int64_t cols);
void sfi_store_drop(sfi_store *store);

/* A frame of all of a store, whose reference it takes over even if it fails.
 * Returns SF_OK; SF_E_ARG (two columns have the same name), SF_E_NOMEM. */
sf_status sfi_frame_of(sf_context *ctx, sf_frame **out, sfi_store *store);

/* A frame of some columns (all if `index` is NULL) and rows (all if `map` is) of
 * the same store, numbers of those of `frame`, which are copied.
 * Returns SF_OK or SF_E_NOMEM. */
sf_status sfi_frame_view(sf_context *ctx, sf_frame **out, const sf_frame *frame,
                         const int64_t *index, int64_t cols, const int64_t *map,
                         int64_t rows);

/* The cell of a store, NaN if it is missing. */
double sfi_store_cell(const sfi_store *store, int64_t row, int64_t col);

static inline const sfi_schema_column *sfi_frame_about(const sf_frame *frame,
                                                       int64_t col)
{
    return &frame->store->schema.columns[frame->index[col]];
}

/* SF_E_UNSUPPORTED if the rows of the frame pass by. */
sf_status sfi_frame_need_cells(sf_context *ctx, const sf_frame *frame,
                               const char *what);

/* A positive column is one whose logarithm is the better coordinate: below this
 * standard deviation over mean the two hardly differ. */
#define SFI_WIDE 0.3

/* Find the kinds of a store's columns and their atoms from their cells or, of a stream,
 * from what passed; those of `told` (as sf_read_options.kinds; or NULL) are as they
 * say.
 *
 *   columns  [cols] names, levels and whether all numbers are whole
 *   seen     [cols] what the cells say, at their end
 *
 * Returns SF_OK; SF_E_ARG, SF_E_FORMAT (a cell that is not what was told),
 * SF_E_NOMEM. */
sf_status sfi_find_kinds(sfi_store *store, const sf_column *columns,
                         const sfi_seen *seen, const char *told);

/* The same of kinds that have to be right, told [cols]. */
sf_status sfi_take_kinds(sfi_store *store, const sf_column *columns,
                         const sfi_seen *seen, const sfi_told_kind *told);

/* Find the atoms of column j, which holds numbers that differ (frame_atoms.c); *rest is
 * what the others are.  A kind that is told decides which values count as atoms.
 * SF_OK; SF_E_FORMAT (an atom that is told is no cell), SF_E_NOMEM. */
sf_status sfi_find_atoms(sfi_store *store, int64_t j, const sf_column *column,
                         const sfi_seen *seen, const sfi_told_kind *told,
                         sf_frame_summary *rest);

/* The column called `name`.  SF_OK, or SF_E_ARG: the message begins with `where`,
 * the option or file that wants it, and names the nearest one. */
sf_status sfi_frame_find_column(sf_context *ctx, const sf_frame *frame,
                                const char *name, const char *where,
                                int64_t *found);

/* Make the context's message about "row N" (from 1) of the frame's rows one about
 * the row of the file, with its line.  Returns `status`, or SF_E_FORMAT for those
 * that mean that what the file holds is wrong. */
sf_status sfi_frame_error(const sf_frame *frame, sf_status status);

#endif
