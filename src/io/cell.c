/* SPDX-License-Identifier: Apache-2.0 */
/* cell.c - what the text of one cell says.
 *
 * Nearly every number is spelled as the language C has it, and is read where it
 * stands.  What is not is copied, its minus (U+2212), exponent (Fortran's D),
 * point and commas made those of C, and read again. */
#include "io/cell.h"

#include "base/compiler.h"
#include "num/decimal.h"

#include <string.h>

/* ---- missing cells -------------------------------------------------------- */

static bool is_one_of(const char *const *words, size_t count, const char *text,
                      size_t size)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(words[i]) == size && memcmp(words[i], text, size) == 0)
            return true;
    return false;
}

static bool is_listed(const char *words, const char *text, size_t size)
{
    for (;;) {
        const size_t n = strcspn(words, ",");
        if (n == size && memcmp(words, text, n) == 0)
            return true;
        if (words[n] == '\0')
            return false;
        words += n + 1;
    }
}

sfi_absence sfi_cell_absence(const char *words, const char *text, size_t size)
{
    static const char *const usual[] = {"NA", "nan", "NaN", "-nan"};
    static const char *const others[] = {"NULL", "null", "Null", "N/A",   "n/a",
                                         "#N/A", "<NA>", "?",    "#NULL!"};
    static const char *const marks[] = {".", "-", "--", "None", "none", "*"};
    if (size == 0)
        return SFI_ABSENT;
    if (words != NULL)
        return is_listed(words, text, size) ? SFI_ABSENT : SFI_PRESENT;
    /* Most texts are none of them: the longest has 6 bytes. */
    if (size > 6 || strchr("Nn#<?.-*", text[0]) == NULL || text[0] == '\0')
        return SFI_PRESENT;
    return is_one_of(usual, SFI_COUNT(usual), text, size)     ? SFI_ABSENT
           : is_one_of(others, SFI_COUNT(others), text, size) ? SFI_ABSENT_WORD
           : is_one_of(marks, SFI_COUNT(marks), text, size)
               ? SFI_ABSENT_AMONG_NUMBERS
               : SFI_PRESENT;
}

/* ---- numbers -------------------------------------------------------------- */

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    return p;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits in threes with commas between them, the first one to three, up to `point`
 * or the end. */
static bool is_grouped(const char *p, const char *end)
{
    size_t digits = 0, groups = 0;
    p += p < end && (*p == '-' || *p == '+');
    for (; p < end && (is_digit(*p) || *p == ','); p++) {
        if (is_digit(*p)) {
            digits++;
            continue;
        }
        if (groups == 0 ? digits < 1 || digits > 3 : digits != 3)
            return false;
        groups++;
        digits = 0;
    }
    return groups > 0 && digits == 3 && (p == end || *p == '.');
}

enum { MOST_COPIED = 400 };

/* Copy a number as C would have it; 0 if it is too long. */
static size_t as_in_c(const char *p, const char *end, char point, bool grouped,
                      char to[MOST_COPIED + 1])
{
    size_t n = 0;
    for (; p < end && n < MOST_COPIED; p++) {
        if (grouped && *p == ',')
            continue;
        if (end - p >= 3 && memcmp(p, "\xE2\x88\x92", 3) == 0) {
            to[n++] = '-';
            p += 2;
        } else if (*p == 'D' || *p == 'd') {
            to[n++] = 'e';
        } else if (*p == '.' && point != '.') {
            to[n++] = '_'; /* no number has one */
        } else {
            to[n++] = *p == point ? '.' : *p;
        }
    }
    to[n] = '\0';
    return p == end ? n : 0;
}

sfi_spelling sfi_cell_number(const char *text, size_t size, char point,
                             double *value)
{
    const char *const end = text + size;
    const char *p = skip_blanks(text, end);
    double found = 0.0;
    if (point == '.') {
        const char *after = sfi_number_parse(p, &found);
        if (after != NULL && skip_blanks(after, end) >= end) {
            *value = found;
            return SFI_DECIMAL;
        }
    }
    const char *last = end;
    while (last > p && (last[-1] == ' ' || last[-1] == '\t'))
        last--;
    const bool begins = p < last && (is_digit(*p) || strchr("+-.,", *p) ||
                                     (unsigned char)*p == 0xE2);
    if (!begins)
        return SFI_NO_NUMBER;
    char copy[MOST_COPIED + 1];
    const bool grouped = point == '.' && is_grouped(p, last);
    const size_t n = as_in_c(p, last, point, grouped, copy);
    const char *after = n > 0 ? sfi_number_parse(copy, &found) : NULL;
    if (after != copy + n)
        return SFI_NO_NUMBER;
    *value = found;
    return grouped ? SFI_THOUSANDS : SFI_DECIMAL;
}

bool sfi_cell_is_infinite(const char *text, size_t size)
{
    char word[10] = "";
    const size_t sign = size > 0 && (*text == '-' || *text == '+');
    size -= sign;
    if (size != 3 && size != 8)
        return false;
    for (size_t i = 0; i < size; i++)
        word[i] = (char)(text[sign + i] | 0x20);
    return strcmp(word, "inf") == 0 || strcmp(word, "infinity") == 0;
}

bool sfi_cell_has_decimal_comma(const char *text, size_t size)
{
    double value = 0.0;
    return memchr(text, ',', size) != NULL &&
           sfi_cell_number(text, size, '.', &value) == SFI_NO_NUMBER &&
           sfi_cell_number(text, size, ',', &value) != SFI_NO_NUMBER;
}
