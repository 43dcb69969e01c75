/* SPDX-License-Identifier: Apache-2.0 */
/* text.h - UTF-8, words of a list, and text from outside as messages show it. */
#ifndef SFI_TEXT_H
#define SFI_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* How many of the first bytes of text[0..size-1] are well-formed UTF-8 (RFC
 * 3629: no overlong forms, no surrogates, nothing above U+10FFFF); `size` if
 * all are.  NUL counts as a character. */
size_t sfi_utf8_prefix(const char *text, size_t size);

/* Which of the words of "a|b|c" is text[0..size-1], from 0 on; -1 if none is. */
int sfi_find_choice(const char *choices, const char *text, size_t size);

enum { SFI_LONGEST_WORD = 40 };

/* The most similar of the names, or NULL if none is similar enough to suggest.
 * Call name(user, i) for i = 0, 1, ... until it gives NULL. */
const char *sfi_nearest_word(const char *word,
                             const char *(*name)(const void *user, int i),
                             const void *user);

/* Make text from outside fit for a terminal: control characters, which a terminal
 * obeys, bytes that are not UTF-8, and backslashes become \xHH, one for each byte.
 * The characters of `kept` (of one byte) stay as they are.  to [size] ends in NUL.
 * Returns how many bytes of the text found room. */
size_t sfi_escape(char *to, size_t size, const char *text, size_t length,
                  const char *kept);

enum { SFI_SHOW_SIZE = 64 };

/* sfi_escape() for a message: what is longer than about 48 bytes ends in "...".
 * Returns `shown`. */
const char *sfi_show(char shown[SFI_SHOW_SIZE], const char *text, size_t size);

#endif
