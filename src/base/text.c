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
