/* SPDX-License-Identifier: Apache-2.0 */
/* decimal.h - doubles from decimal text and back, exactly, in any locale. */
#ifndef SFI_DECIMAL_H
#define SFI_DECIMAL_H

/* Read the number that `text` begins with:
 *
 *     [+|-] (digits [. [digits]] | . digits) [(e|E) [+|-] digits]
 *
 * Returns the first byte that does not belong to it and stores the double next
 * to the decimal number (ties to the even one); beyond the largest double that
 * is an infinity, which no text is read as otherwise.  An `e` that no exponent
 * follows is not part of the number.  Returns NULL, with *value untouched, if
 * `text` does not begin with a number.
 *
 * The text must end in a byte that no number contains; NUL is one, and so is a
 * newline. */
const char *sfi_number_parse(const char *text, double *value);

enum { SFI_NUMBER_SIZE = 32 };

/* Write the shortest decimal number that is read back as `value`, the nearest
 * one if there are several, as digits where that takes few (0.001, 1234567)
 * and with an exponent otherwise (1e-7, 1.5e300); "nan", "inf", "-inf".
 * Returns the length (at most 24); a NUL follows. */
int sfi_number_format(double value, char text[SFI_NUMBER_SIZE]);

#endif
