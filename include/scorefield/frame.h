/* SPDX-License-Identifier: Apache-2.0 */
/* frame.h - tables that keep what they know: typed columns with names, kinds,
 * levels, units and missing cells, over a file or over the caller's own memory.
 *
 *     sf_frame *all = NULL, *some = NULL, *whole = NULL;
 *     sf_cmat x;
 *     sf_frame_read(ctx, &all, "data.csv", NULL);
 *     sf_frame_pick(ctx, &some, all, "mass,length");
 *     sf_frame_complete(ctx, &whole, some);
 *     sf_frame_matrix(ctx, whole, &x);           rows without a missing cell
 *     ... sf_frame_row(whole, i) is where row i was in the file ...
 *
 * A frame made of another one is a view: some of its columns, some of its rows, and
 * no copy of cells.  What they share lives until the last of them is freed, in any
 * order.  Frames may be read by several threads, but made and freed by one at a
 * time. */
#ifndef SCOREFIELD_FRAME_H
#define SCOREFIELD_FRAME_H

#include "scorefield/array.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sf_frame sf_frame;

/* ---- kinds ------------------------------------------------------------------
 *
 * What a column holds, found from all its cells in this order:
 *
 *   constant    one value, whatever is missing; at least two rows
 *   key         all cells differ, and are texts, or whole numbers each of which is
 *               one more than the one before; at least 20 rows, none missing, and
 *               other columns beside it.  Dates are no keys.
 *   date        all cells are days (2024-05-01) or instants (2024-05-01T12:30, with
 *               a blank for the T, seconds and their fraction, Z or +hh:mm): numbers
 *               of days (unit "d") or seconds (unit "s") since 1970, in UTC
 *   boolean     two texts, or 0 and 1
 *   category    other texts: numbers of levels, in the order of their appearance
 *   integer     whole numbers within 2^53
 *   proportion  all in [0, 1]
 *   positive    all > 0, and the standard deviation above 0.3 of the mean: what is
 *               less spread is as well described as any number
 *   real        otherwise
 *
 * Integers, proportions, positive and real numbers may have *atoms*, values with a
 * mass of their own ("no rain", an end that values were cut off at):
 *
 *   - a value of at least 5 and a twentieth of the cells that is 5 times as common as
 *     any other within half a standard deviation, and as the next on either side
 *   - 0 and 1 of proportions, and 0 of what is positive without it, where two cells
 *     or more are that, of at least 20
 *   - the only other value that is left
 *
 * The kind is that of the other numbers.  Of a frame whose rows pass by
 * (sf_frame_open()) no atoms are known.
 *
 *   X(name, text, what a cell is, why) */
#define SF_KIND_LIST(X)                                                        \
    X(SF_KIND_REAL, "real", "a number", "numbers")                             \
    X(SF_KIND_INTEGER, "integer", "a whole number", "all are whole")           \
    X(SF_KIND_CATEGORY, "category", "one of some texts", "texts")              \
    X(SF_KIND_BOOLEAN, "boolean", "one of two texts, or 0 and 1",              \
      "two values")                                                            \
    X(SF_KIND_DATE, "date", "a day or an instant", "all are dates")            \
    X(SF_KIND_KEY, "key", "a name or running number of its row",               \
      "all differ, as names or running numbers")                               \
    X(SF_KIND_CONSTANT, "constant", "the same in every row", "one value")      \
    X(SF_KIND_PROPORTION, "proportion", "a number from 0 to 1",                \
      "all in [0, 1]")                                                         \
    X(SF_KIND_POSITIVE, "positive", "a number above 0",                        \
      "all > 0, and widely spread")

typedef enum sf_kind {
#define SF_KIND_ENUM(name, text, what, why) name,
    SF_KIND_LIST(SF_KIND_ENUM)
#undef SF_KIND_ENUM
        SF_KIND_COUNT
} sf_kind;

enum { SF_MOST_ATOMS = 24 };

/* "real", ...; "unknown" for a number that is no kind. */
SF_API const char *sf_kind_name(sf_kind kind);

/* ---- making frames ---------------------------------------------------------- */

/* Read a table as sf_table_read_with() does; `options->kinds` says what columns
 * hold, which is checked.
 * Returns SF_OK; SF_E_ARG, SF_E_IO, SF_E_FORMAT, SF_E_NOMEM; on failure *out is
 * NULL, as for all that make a frame. */
SF_API sf_status sf_frame_read(sf_context *ctx, sf_frame **out,
                               const char *path,
                               const sf_read_options *options);

/* The same without holding the rows in memory: names, kinds and summaries are
 * known, cells are not, and pass through an sf_frame_reader.  Reads the file once
 * to know it, twice if the first cells of a column mislead.  The texts of `options`
 * must outlive the frame. */
SF_API sf_status sf_frame_open(sf_context *ctx, sf_frame **out,
                               const char *path,
                               const sf_read_options *options);

/* The cells of a .npy file of one or two axes where they lie, mapped and not read.
 * No other program may shorten the file while the frame lives: the system ends a
 * program that reads what is gone.  (sf_frame_read() does not have that risk.)
 * Returns SF_OK; SF_E_IO, SF_E_FORMAT, SF_E_NOMEM. */
SF_API sf_status sf_frame_map(sf_context *ctx, sf_frame **out,
                              const char *path);

typedef enum sf_cell_type {
    SF_CELL_F64 = 0,
    SF_CELL_F32,
    SF_CELL_I64, /* beyond 2^53 the nearest double */
    SF_CELL_I32,
    SF_CELL_U8
} sf_cell_type;

/* A column in the caller's memory: a NumPy array, an Arrow buffer, a member of an
 * array of structs.  A cell is missing if its bit of `validity` is 0, or if it is
 * NaN. */
typedef struct sf_frame_column {
    size_t size;             /* set by _INIT                                  */
    const char *name;        /* copied; NULL: c0, c1, ...                     */
    const void *data;        /* of the first cell                             */
    sf_cell_type type;       /*                                               */
    int64_t stride;          /* bytes from a cell to the next; 0: no gap      */
    const uint8_t *validity; /* bit validity_first + i, the least significant
                                of a byte first, is 1 where cell i is there;
                                NULL: all are                                 */
    int64_t validity_first;
    int kind;                  /* an sf_kind, or -1: found from the cells     */
    const char *const *levels; /* [level_count] of categories, copied: cells
                                  are their numbers, from 0                   */
    int64_t level_count;
    const char *unit; /* copied; or NULL                                      */
    const double *atoms; /* [atom_count] some of its values; copied           */
    int64_t atom_count; /* -1: found from the cells; 0: none                  */
} sf_frame_column;

#define SF_FRAME_COLUMN_INIT                                                   \
    {                                                                          \
        sizeof(sf_frame_column), NULL, NULL, SF_CELL_F64, 0, NULL, 0, -1,      \
            NULL, 0, NULL, NULL, -1                                            \
    }

/* A frame over the caller's memory, which it neither copies nor frees, and which
 * must stay as it is while the frame or one made of it lives.  `columns` [cols]
 * may go.
 * Returns SF_OK; SF_E_ARG (no name or the same twice, a type, a kind, a level that
 * is not there, an infinite cell), SF_E_SHAPE (cols or rows < 1, more than the
 * address space), SF_E_NOMEM. */
SF_API sf_status sf_frame_new(sf_context *ctx, sf_frame **out, int64_t rows,
                              int64_t cols, const sf_frame_column *columns);

/* NULL is allowed. */
SF_API void sf_frame_free(sf_frame *frame);

/* ---- what a frame knows ----------------------------------------------------- */

/* Its extents. */
SF_API int64_t sf_frame_rows(const sf_frame *frame);
SF_API int64_t sf_frame_cols(const sf_frame *frame);

/* Of column `col`, 0 <= col < cols; texts live as long as the frame. */
SF_API const char *sf_frame_name(const sf_frame *frame, int64_t col);
SF_API sf_kind sf_frame_kind(const sf_frame *frame, int64_t col);
SF_API const char *sf_frame_unit(const sf_frame *frame,
                                 int64_t col); /* or NULL */

/* Why the column is taken to be of its kind: "all are whole", ...; "told" where
 * sf_read_options.kinds or sf_frame_column.kind says so.  Not to be freed. */
SF_API const char *sf_frame_why(const sf_frame *frame, int64_t col);

/* The decimals that no number of the column exceeds, 0 to SF_MOST_DECIMALS; -1 if
 * some has more, or where cells are not numbers. */
enum { SF_MOST_DECIMALS = 6 };
SF_API int sf_frame_decimals(const sf_frame *frame, int64_t col);

/* Its atoms: how many, and which, rising; and whether other numbers lie in gap `gap`,
 * 0 <= gap <= their count: below the first, between two, above the last.  False of
 * every gap where all numbers are atoms; true of a column without any. */
SF_API int64_t sf_frame_atom_count(const sf_frame *frame, int64_t col);
SF_API double sf_frame_atom(const sf_frame *frame, int64_t col, int64_t atom);
SF_API bool sf_frame_between(const sf_frame *frame, int64_t col, int64_t gap);

/* What the name and range of a column suggest, and is never taken for granted: a
 * circle, for a name with "deg", "dir" or "angle" and numbers from 0 to 360; a place
 * on the sphere, for a latitude beside a longitude.  Writes the value of --kernel
 * that says so, "wind_dir=vonmises:unit=degrees", to text [SF_HINT_SIZE]; false if
 * there is none. */
enum { SF_HINT_SIZE = 512 };
SF_API bool sf_frame_hint(const sf_frame *frame, int64_t col,
                          char text[SF_HINT_SIZE]);

/* Its levels: how many, and their texts. */
SF_API int64_t sf_frame_level_count(const sf_frame *frame, int64_t col);
SF_API const char *sf_frame_level(const sf_frame *frame, int64_t col,
                                  int64_t level);

/* Whether its cells are numbers to compute with: reals, integers, 0 and 1. */
SF_API bool sf_frame_is_number(const sf_frame *frame, int64_t col);

/* Whether all cells of the table it comes from that are there are the same. */
SF_API bool sf_frame_is_constant(const sf_frame *frame, int64_t col);

/* Whether the file named its columns (a .npy file does not). */
SF_API bool sf_frame_has_names(const sf_frame *frame);

/* The column of this name, or -1. */
SF_API int64_t sf_frame_find(const sf_frame *frame, const char *name);

/* A cell: a number, the number of a level, days or seconds; NaN if it is missing
 * (and everywhere after sf_frame_open()). */
SF_API double sf_frame_cell(const sf_frame *frame, int64_t row, int64_t col);

/* Where row `row` was in what the frame was made of, counted from 0, and on which
 * line of its file it began; -1 where that has no lines. */
SF_API int64_t sf_frame_row(const sf_frame *frame, int64_t row);
SF_API int64_t sf_frame_line(const sf_frame *frame, int64_t row);

enum { SF_PLACE_SIZE = 512 };

/* How messages name a cell, by file, line and column; `col` -1 leaves the column
 * out.  Returns `text`. */
SF_API char *sf_frame_place(const sf_frame *frame, int64_t row, int64_t col,
                            char text[SF_PLACE_SIZE]);

/* What a column holds in the rows of a frame. */
typedef struct sf_frame_summary {
    size_t size;           /* set by _INIT                                    */
    int64_t present;       /* cells                                           */
    int64_t missing;       /*                                                 */
    double min, mean, max; /* NaN where no cell is there, or cells are levels;
                              the mean and sd of dates, too                   */
    double sd;             /* with divisor present - 1; NaN below 2           */
} sf_frame_summary;

#define SF_FRAME_SUMMARY_INIT                                                  \
    {                                                                          \
        sizeof(sf_frame_summary), 0, 0, 0.0, 0.0, 0.0, 0.0                     \
    }

/* After sf_frame_open(), of all rows.  Returns SF_OK; SF_E_ARG (a size). */
SF_API sf_status sf_frame_summarise(sf_context *ctx, sf_frame_summary *out,
                                    const sf_frame *frame, int64_t col);

/* How often each level appears, [level_count].  Returns SF_OK; SF_E_UNSUPPORTED
 * after sf_frame_open(). */
SF_API sf_status sf_frame_count_levels(sf_context *ctx, int64_t *counts,
                                       const sf_frame *frame, int64_t col);

/* ---- some columns, some rows ------------------------------------------------- */

/* The columns index [count], in this order.
 * Returns SF_OK; SF_E_ARG (no such column, or twice), SF_E_NOMEM. */
SF_API sf_status sf_frame_select(sf_context *ctx, sf_frame **out,
                                 const sf_frame *frame, const int64_t *index,
                                 int64_t count);

/* The columns of a list of names: a,b,"a name, with a comma".
 * Returns SF_OK; SF_E_ARG (no such column: the message suggests one; twice the
 * same), SF_E_NOMEM. */
SF_API sf_status sf_frame_pick(sf_context *ctx, sf_frame **out,
                               const sf_frame *frame, const char *list);

/* Why nobody would model a column without being asked: it is a key, holds dates or
 * text, is missing in every row, or the same in every row (unless `constants` will
 * do).  "it holds text", ...; NULL if there is no reason. */
SF_API const char *sf_frame_left_out(const sf_frame *frame, int64_t col,
                                     bool constants);

/* The columns without such a reason.
 * Returns SF_OK; SF_E_FORMAT (there is none), SF_E_NOMEM. */
SF_API sf_status sf_frame_numbers(sf_context *ctx, sf_frame **out,
                                  const sf_frame *frame, bool constants);

/* The rows without a missing cell.  Returns SF_OK; SF_E_FORMAT (none: the message
 * says how many columns that is about), SF_E_UNSUPPORTED after sf_frame_open(),
 * SF_E_NOMEM. */
SF_API sf_status sf_frame_complete(sf_context *ctx, sf_frame **out,
                                   const sf_frame *frame);

/* The rows with a cell in one of the first `cols` columns, 1 <= cols <= all of them.
 * Returns SF_OK; SF_E_ARG (cols), and as sf_frame_complete(). */
SF_API sf_status sf_frame_with_cells(sf_context *ctx, sf_frame **out,
                                     const sf_frame *frame, int64_t cols);

/* Two parts by chance: round(fraction * rows) rows, and the others, in the order
 * of the frame.  Which row is where depends on the seed and the number of rows.
 * Returns SF_OK; SF_E_ARG (fraction not in [0, 1]), SF_E_UNSUPPORTED, SF_E_NOMEM. */
SF_API sf_status sf_frame_split(sf_context *ctx, sf_frame **part,
                                sf_frame **others, const sf_frame *frame,
                                double fraction, uint64_t seed);

/* All cells as a matrix [rows, cols], NaN where one is missing.  Where they lie in
 * memory as one (doubles without gaps in a row, rows at one distance, none left
 * out, missing cells NaN) that is what it is, else a copy, made once.  It lives as
 * long as the frame.
 * Returns SF_OK; SF_E_UNSUPPORTED after sf_frame_open(), SF_E_NOMEM. */
SF_API sf_status sf_frame_matrix(sf_context *ctx, sf_frame *frame,
                                 sf_cmat *out);

/* ---- a stream of rows --------------------------------------------------------- */

typedef struct sf_frame_reader sf_frame_reader;

/* Hand out the rows of a frame, which must outlive the reader, in blocks; only
 * those without a missing cell, if `complete`.  Of a frame that sf_frame_open() gave
 * (or a selection of its columns) one reader at a time.
 * Returns SF_OK; SF_E_UNSUPPORTED for a pipe, SF_E_IO, SF_E_FORMAT, SF_E_NOMEM. */
SF_API sf_status sf_frame_reader_new(sf_context *ctx, sf_frame_reader **out,
                                     const sf_frame *frame, bool complete);

/* NULL is allowed. */
SF_API void sf_frame_reader_free(sf_frame_reader *reader);

/* Begin again.  Returns as sf_frame_reader_new(). */
SF_API sf_status sf_frame_reader_rewind(sf_frame_reader *reader);

/* An sf_rows_fn (fit.h) whose user pointer is the reader: up to `capacity` rows to
 * block [capacity, cols]; 0 at the end, -1 after an error, whose message the
 * context has. */
SF_API int64_t sf_frame_reader_next(void *reader, double *block,
                                    int64_t capacity);

/* Rows handed out since the beginning. */
SF_API int64_t sf_frame_reader_count(const sf_frame_reader *reader);

#ifdef __cplusplus
}
#endif
#endif
