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

/* Whether a character, as it is in UTF-8, could tell a terminal what to do: those
 * below a blank, DEL, and the second set of controls, U+0080 to U+009F. */
static bool is_control(const unsigned char *s, size_t length)
{
    return s[0] < 0x20 || s[0] == 0x7F ||
           (length == 2 && s[0] == 0xC2 && s[1] < 0xA0);
}

size_t sfi_escape(char *to, size_t size, const char *text, size_t length,
                  const char *kept)
{
    size_t used = 0, at = 0;
    while (at < length) {
        const unsigned char *s = (const unsigned char *)text + at;
        const size_t here = utf8_character(s, length - at);
        const bool plain = here > 0 && !is_control(s, here) && *s != '\\';
        if (plain || (*s != '\0' && strchr(kept, *s) != NULL)) {
            if (used + here >= size)
                break;
            memcpy(to + used, s, here);
            used += here;
            at += here;
        } else {
            if (used + 4 >= size)
                break;
            snprintf(to + used, 5, "\\x%02X", *s);
            used += 4;
            at++;
        }
    }
    to[used] = '\0';
    return at;
}

const char *sfi_show(char shown[SFI_SHOW_SIZE], const char *text, size_t size)
{
    enum { ROOM = SFI_SHOW_SIZE - 11 };
    if (sfi_escape(shown, ROOM, text, size, "") < size)
        memcpy(shown + strlen(shown), "...", 4);
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
