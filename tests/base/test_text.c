/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8, and text from outside as messages show it. */
#include "base/text.h"

#include "check.h"

/* RFC 3629, section 4: the ranges of every byte of a character. */
static bool is_character(const unsigned char *s, int size)
{
    static const struct {
        int size;
        unsigned char low[4], high[4];
    } rows[] = {{1, {0x00}, {0x7F}},
                {2, {0xC2, 0x80}, {0xDF, 0xBF}},
                {3, {0xE0, 0xA0, 0x80}, {0xE0, 0xBF, 0xBF}},
                {3, {0xE1, 0x80, 0x80}, {0xEC, 0xBF, 0xBF}},
                {3, {0xED, 0x80, 0x80}, {0xED, 0x9F, 0xBF}},
                {3, {0xEE, 0x80, 0x80}, {0xEF, 0xBF, 0xBF}},
                {4, {0xF0, 0x90, 0x80, 0x80}, {0xF0, 0xBF, 0xBF, 0xBF}},
                {4, {0xF1, 0x80, 0x80, 0x80}, {0xF3, 0xBF, 0xBF, 0xBF}},
                {4, {0xF4, 0x80, 0x80, 0x80}, {0xF4, 0x8F, 0xBF, 0xBF}}};
    for (size_t i = 0; i < SFI_COUNT(rows); i++) {
        bool fits = rows[i].size == size;
        for (int k = 0; k < size && fits; k++)
            fits = s[k] >= rows[i].low[k] && s[k] <= rows[i].high[k];
        if (fits)
            return true;
    }
    return false;
}

/* All pairs of leading bytes, with following bytes at the edges of ranges. */
TEST(utf8_is_what_the_standard_says)
{
    (void)state_;
    static const unsigned char tails[] = {0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xFF};
    for (int a = 0; a < 256; a++)
        for (int b = 0; b < 256; b++)
            for (size_t c = 0; c < sizeof tails; c++)
                for (size_t d = 0; d < sizeof tails; d++) {
                    const unsigned char s[4] = {
                        (unsigned char)a, (unsigned char)b, tails[c], tails[d]};
                    size_t want = 0;
                    for (int n = 1; n <= 4 && want == 0; n++)
                        if (is_character(s, n))
                            want = (size_t)n;
                    for (size_t n = want; n > 0 && n <= 4; n++)
                        CHECK(sfi_utf8_prefix((const char *)s, n) >= want);
                    if (want == 0)
                        CHECK(sfi_utf8_prefix((const char *)s, 4) == 0);
                    else
                        CHECK(sfi_utf8_prefix((const char *)s, want) == want);
                    if (want > 1)
                        CHECK(sfi_utf8_prefix((const char *)s, want - 1) == 0);
                }
    CHECK(sfi_utf8_prefix("gr\xC3\xBCn \xF0\x9F\x99\x82!\xFF", 12) == 11);
    CHECK(sfi_utf8_prefix("", 0) == 0);
}

TEST(shown_text_is_printable_and_short)
{
    (void)state_;
    char shown[SFI_SHOW_SIZE];
    assert_string_equal(sfi_show(shown, "plain", 5), "plain");
    assert_string_equal(sfi_show(shown, "", 0), "");
    assert_string_equal(sfi_show(shown,
                                 "a\0\n\x7F\\\xFF"
                                 "b",
                                 7),
                        "a\\x00\\x0A\\x7F\\x5C\\xFFb");
    assert_string_equal(sfi_show(shown, "gr\xC3\xBCn", 5), "gr\xC3\xBCn");
    char longer[300];
    for (int byte = 0; byte < 256; byte++)
        for (size_t n = 40; n < sizeof longer; n++) {
            memset(longer, byte, n);
            sfi_show(shown, longer, n);
            const size_t length = strlen(shown);
            CHECK(length < SFI_SHOW_SIZE);
            CHECK(sfi_utf8_prefix(shown, length) == length);
            if (n > 60)
                assert_string_equal(shown + length - 3, "...");
        }
    memset(longer, 'x', 47);
    memcpy(longer + 47, "\xF0\x9F\x99\x82", 4);
    sfi_show(shown, longer, 51);
    CHECK(strlen(shown) == 51);
}

/* No byte that a terminal obeys is left, in any text of one or two bytes; the second
 * set of controls begins with C2 in UTF-8 (U+009B is what begins a sequence). */
TEST(escaped_text_holds_no_control_character)
{
    (void)state_;
    char to[40];
    for (int a = 0; a < 256; a++)
        for (int b = 0; b < 256; b++) {
            const char text[2] = {(char)a, (char)b};
            CHECK(sfi_escape(to, sizeof to, text, 2, "") == 2);
            const size_t length = strlen(to);
            CHECK(sfi_utf8_prefix(to, length) == length);
            for (size_t i = 0; i < length; i++) {
                const unsigned char c = (unsigned char)to[i];
                CHECK(c >= 0x20 && c != 0x7F);
                CHECK(c != 0xC2 || (unsigned char)to[i + 1] >= 0xA0);
            }
        }
    sfi_escape(to, sizeof to, "a\033[2J\xC2\x9B\n\\b", 10, "\n");
    assert_string_equal(to, "a\\x1B[2J\\xC2\\x9B\n\\x5Cb");
    /* What has no room is left to the next call. */
    CHECK(sfi_escape(to, 6, "ab\n\n", 4, "") == 2);
    assert_string_equal(to, "ab");
    CHECK(sfi_escape(to, 7, "ab\n\n", 4, "") == 3);
    assert_string_equal(to, "ab\\x0A");
}

TEST(a_choice_is_one_whole_word)
{
    static const char words[] = "linear|vp|ve";
    CHECK(sfi_find_choice(words, "linear", 6) == 0);
    CHECK(sfi_find_choice(words, "ve,", 2) == 2);
    CHECK(sfi_find_choice(words, "v", 1) == -1);
    CHECK(sfi_find_choice(words, "vp|ve", 5) == -1);
    CHECK(sfi_find_choice(words, "", 0) == -1);
}

TESTS(CASE(utf8_is_what_the_standard_says),
      CASE(shown_text_is_printable_and_short),
      CASE(escaped_text_holds_no_control_character),
      CASE(a_choice_is_one_whole_word))
