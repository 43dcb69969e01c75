/* SPDX-License-Identifier: Apache-2.0 */
/* csv.h - tables as text with separators; docs/FORMATS.md has the rules. */
#ifndef SFI_CSV_H
#define SFI_CSV_H

#include "io/rows.h"

enum {
    SFI_CSV_MOST_COLUMNS = 100000,
    SFI_CSV_MOST_NAME = 1000,     /* bytes of a column's name           */
    SFI_CSV_MOST_FIELD = 1 << 16, /* bytes of one field                 */
    SFI_CSV_MOST_RECORD = 1 << 24 /* bytes of one record                */
};

extern const sfi_table_format sfi_csv_format;

/* Write a table as CSV: a header line, a missing cell as nothing (as "" where
 * it is the only cell of its row), numbers as the shortest text that is read
 * back as the same double, lines that end in LF.
 * Returns SF_OK; SF_E_ARG, before anything is written, if the table has no
 * columns or too many, two columns have the same name, all names are numbers
 * or mean a missing cell, a text is empty, too long or not UTF-8, or a cell of a text column is the index
 * of no level; SF_E_NOMEM; or the first error of `out`. */
sf_status sfi_csv_write(sf_context *ctx, const sf_table *table,
                        sfi_output *out);

#endif
