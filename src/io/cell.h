/* SPDX-License-Identifier: Apache-2.0 */
/* cell.h - what the text of one cell says: that it is missing, or a number in one
 * of the spellings that people and programs have for it. */
#ifndef SFI_CELL_H
#define SFI_CELL_H

#include <stdbool.h>
#include <stddef.h>

/* How a text says that its cell is missing. */
typedef enum sfi_absence {
    SFI_PRESENT = 0,
    SFI_ABSENT,      /* nothing, NA, nan, NaN, -nan, or as the caller said    */
    SFI_ABSENT_WORD, /* NULL, N/A, ?, ...: a word that some programs have     */
    SFI_ABSENT_AMONG_NUMBERS /* ., -, None, ...: in a column of text, a text    */
} sfi_absence;

/* `words` are the caller's, with commas between them, instead of all of these but
 * nothing; NULL for these. */
sfi_absence sfi_cell_absence(const char *words, const char *text, size_t size);

typedef enum sfi_spelling {
    SFI_NO_NUMBER = 0,
    SFI_DECIMAL,  /* -1.5e3, and with U+2212 for - and D for e               */
    SFI_THOUSANDS /* 1,234,567.5                                             */
} sfi_spelling;

/* Read text[0..size-1] as a number with `point` before its fractional part, blanks
 * around it aside.  `text` ends as sfi_number_parse() wants it.  *value may be
 * infinite; it is untouched if there is no number. */
sfi_spelling sfi_cell_number(const char *text, size_t size, char point,
                             double *value);

/* A quick look: false if it cannot be a number. */
static inline bool sfi_cell_may_be_number(const char *text, size_t size)
{
    const unsigned char c = size > 0 ? (unsigned char)*text : 'x';
    return c < 'A' || c == 0xE2;
}

/* inf or infinity with or without a sign, in any case. */
bool sfi_cell_is_infinite(const char *text, size_t size);

/* Whether this would be a number if its comma were a point, and is none otherwise:
 * 1,5 and -0,25. */
bool sfi_cell_has_decimal_comma(const char *text, size_t size);

#endif
