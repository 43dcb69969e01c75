/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - UTF-8, words of a list, and text from outside as messages show it. */
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* Bytes of the well-formed character at the start of s[0..size-1], 0 if there
 * is none.  The second byte's range is what excludes overlong forms (E0, F0),
 * surrogates (ED) and code points above U+10FFFF (F4). */
static size_t utf8_character(const unsigned char *s, size_t size)
{
    const unsigned char lead = s[0];
    if (lead < 0x80)
        return 1;
    const size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                          : lead >= 0xE0 && lead <= 0xEF ? 3
                          : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                         : 0;
    if (length == 0 || length > size)
        return 0;
    const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if (s[i] < 0x80 || s[i] > 0xBF)
            return 0;
    return length;
}

size_t sfi_utf8_prefix(const char *text, size_t size)
{
    size_t at = 0;
    while (at < size) {
        const size_t length =
            utf8_character((const unsigned char *)text + at, size - at);
        if (length == 0)
            break;
        at += length;
    }
    return at;
}

int sfi_find_choice(const char *choices, const char *text, size_t size)
{
    for (int i = 0;; i++) {
        const size_t here = strcspn(choices, "|");
        if (here == size && memcmp(choices, text, size) == 0)
            return i;
        if (choices[here] == '\0')
            return -1;
        choices += here + 1;
    }
}

const char *sfi_show(char shown[SFI_SHOW_SIZE], const char *text, size_t size)
{
    /* One step appends at most 4 bytes, "..." and the final NUL 4 more. */
    const size_t room = SFI_SHOW_SIZE - 16;
    size_t used = 0, at = 0;
    while (at < size && used < room) {
        const size_t length =
            utf8_character((const unsigned char *)text + at, size - at);
        const unsigned char byte = (unsigned char)text[at];
        if (length == 0 || byte < 0x20 || byte == 0x7F || byte == '\\') {
            snprintf(shown + used, 5, "\\x%02X", byte);
            used += 4;
            at++;
        } else {
            memcpy(shown + used, text + at, length);
            used += length;
            at += length;
        }
    }
    snprintf(shown + used, SFI_SHOW_SIZE - used, "%s", at < size ? "..." : "");
    return shown;
}

/* ---- similar words -------------------------------------------------------- */

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The number of letters inserted, left out, replaced or exchanged with their
 * neighbour that turn one word into the other (F. Damerau, CACM 7 (1964)
 * 171-176; each place edited once). */
static size_t distance(const char *a, const char *b)
{
    const size_t n = strlen(a), m = strlen(b);
    size_t d[SFI_LONGEST_WORD + 1][SFI_LONGEST_WORD + 1];
    if (n > SFI_LONGEST_WORD || m > SFI_LONGEST_WORD)
        return SFI_LONGEST_WORD;
    for (size_t i = 0; i <= n; i++)
        d[i][0] = i;
    for (size_t j = 0; j <= m; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= n; i++)
        for (size_t j = 1; j <= m; j++) {
            const size_t replaced = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            d[i][j] =
                least_of(replaced, 1 + least_of(d[i - 1][j], d[i][j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = least_of(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[n][m];
}

const char *sfi_nearest_word(const char *word,
                             const char *(*name)(const void *user, int i),
                             const void *user)
{
    const char *best = NULL;
    /* One edit in three letters is a slip; more is another word. */
    size_t closest = 1 + least_of(strlen(word), SFI_LONGEST_WORD) / 3;
    for (int i = 0; name(user, i) != NULL; i++) {
        const size_t d = distance(word, name(user, i));
        if (d < closest + (best == NULL)) {
            closest = d;
            best = name(user, i);
        }
    }
    return best;
}
