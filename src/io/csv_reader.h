/* SPDX-License-Identifier: Apache-2.0 */
/* csv_reader.h - a reader of rows with separators, as the formats that have such
 * rows (CSV, ARFF) share it: they differ in what stands before the rows.
 *
 * What a column holds is found from all its cells, of which the first decides how
 * the others are read: as numbers or as texts.  Cells that say otherwise are
 * counted, with the line of the first.  If in the end they are the majority, the
 * file is read again with that known; see sfi_csv_decide(). */
#ifndef SFI_CSV_READER_H
#define SFI_CSV_READER_H

#include "base/text.h"
#include "io/csv_scan.h"
#include "base/dictionary.h"
#include "io/rows.h"
#include "io/kinds.h"

typedef enum sfi_csv_state {
    SFI_CSV_UNDECIDED = 0, /* every cell so far is missing */
    SFI_CSV_NUMBERS,
    SFI_CSV_TEXTS
} sfi_csv_state;

/* Cells that are not what they should be: how many, and the first of them. */
typedef struct sfi_csv_note {
    int64_t count, line;
    char shown[SFI_SHOW_SIZE];
} sfi_csv_note;

typedef struct sfi_csv_notes {
    sfi_csv_note texts;     /* in a column of texts only the first of them    */
    sfi_csv_note numbers;   /* among texts                                    */
    sfi_csv_note infinite;  /* among numbers                                  */
    sfi_csv_note words;     /* that say that a cell is missing: NULL, ?, ...  */
    sfi_csv_note thousands; /* 1,234                                          */
} sfi_csv_notes;

typedef struct sfi_csv_column {
    sfi_csv_state state;
    bool is_told;    /* what it holds is known, not found                   */
    bool is_closed;  /* `levels` are told as well (ARFF)                    */
    bool has_marks;  /* cells that would be levels of a column of text      */
    int64_t decided; /* line of the first cell that is not missing          */
    int64_t absent;  /* missing cells so far                                */
    sfi_csv_notes *notes; /* NULL: nothing noted                              */
    sfi_dictionary levels;
} sfi_csv_column;

typedef struct sfi_csv_reader sfi_csv_reader;

struct sfi_csv_reader {
    sfi_csv_scan scan;
    sf_read_options options; /* texts are the caller's and outlive it         */
    sf_table *head;
    sfi_csv_column *columns; /* [column_count]                                */
    size_t column_count;
    /* Bring the scan to the first row, from the beginning of the input. */
    sf_status (*begin)(sfi_csv_reader *r);
    int64_t noted_extra; /* of the last jump of lines that head knows         */
    int64_t noted_rows;  /* whose jumps head knows                            */
    int64_t comments;    /* lines that were skipped before the first one      */
    int64_t blank_line;  /* the first blank line, 0 if none                   */
    int64_t row;         /* rows read since the beginning                     */
    int64_t count;       /* rows in all, -1 if unknown                        */
    bool is_second;      /* the file is read again, with its kinds known      */
    size_t counted;      /* columns of the next row that were counted, when
                            only a part of it was in the buffer               */
    bool is_counted;     /* so is this one                                    */
    bool must_reread;    /* levels are not in the order of their appearance   */
};

/* A reader that has no columns yet; `begin` is to be set.  sfi_csv_reader_free()
 * is right in either case. */
sf_status sfi_csv_reader_new(sf_context *ctx, sfi_csv_reader **out,
                             sfi_input *input, sf_table *head, size_t buffer,
                             const sf_read_options *options);
void sfi_csv_reader_free(void *reader);

/* Make head's and the reader's columns, of options.kinds as they say. */
sf_status sfi_csv_reader_columns(sfi_csv_reader *r,
                                 const sfi_dictionary *names);

/* Step over what is no row: comments, and blank lines, of which only the end of a
 * file may have any. */
sf_status sfi_csv_skip_to_row(sfi_csv_reader *r);

/* Every row was read: decide what the columns hold.  Warns of what was read in
 * another way than it is spelled; *again asks for a second reading.
 * Returns SF_OK; SF_E_FORMAT: a cell that its column cannot have; SF_E_NOMEM. */
sf_status sfi_csv_decide(sfi_csv_reader *r, bool *again);

/* Count a cell, at `line`, and keep the first; SFI_CSV_BAD without memory. */
sfi_csv_outcome sfi_csv_note_cell(sfi_csv_reader *r, sfi_csv_column *column,
                                  size_t note, const sfi_csv_field *f,
                                  int64_t line);

/* The functions of sfi_table_format that do not depend on the header, which are
 * SFI_CSV_ROWS in a format's initializer. */
sf_status sfi_csv_next(void *reader, double *cells, int64_t limit, int64_t *got,
                       bool first);
sf_status sfi_csv_complete(void *reader, bool *again);
sf_status sfi_csv_rewind(void *reader);
bool sfi_csv_has_names(const void *reader);
int64_t sfi_csv_count(const void *reader);
sf_status sfi_csv_bound(void *reader, int64_t *rows);

#define SFI_CSV_ROWS                                                           \
    .expands = true, .next = sfi_csv_next, .complete = sfi_csv_complete,       \
    .rewind = sfi_csv_rewind, .has_names = sfi_csv_has_names,                  \
    .count = sfi_csv_count, .bound = sfi_csv_bound,                            \
    .close = sfi_csv_reader_free

#endif
