/* SPDX-License-Identifier: Apache-2.0 */
/* Doubles from decimal text and back, against the C library, which rounds
 * correctly on the systems that we test on, and against exact integers. */
#include "num/decimal.h"

#include "base/random.h"
#include "check.h"

#include <inttypes.h>

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t random_word(uint64_t i, uint32_t step)
{
    const sfi_where where = {20240501, i, step, SFI_STREAM_USER};
    return (uint64_t)sfi_bits_at(where, 0) << 32 | sfi_bits_at(where, 1);
}

/* `text` is one whole number; ours must be strtod's, bit for bit. */
static void check_parse(const char *text)
{
    double got = -12345.0;
    const char *end = sfi_number_parse(text, &got);
    const double want = strtod(text, NULL);
    if (end == text + strlen(text) && bits_of(got) == bits_of(want))
        return;
    fprintf(stderr, "\"%s\": got %a, want %a, stopped at %td\n", text, got,
            want, end == NULL ? (ptrdiff_t)-1 : end - text);
    fail();
}

TEST(ordinary_and_hard_numbers_are_read_as_strtod_reads_them)
{
    (void)state_;
    static const char *const texts[] = {
        "0",
        "-0",
        "0.0",
        "-0.000e5",
        "1",
        "-1",
        "+1",
        "12.",
        ".5",
        "-.5e1",
        "1e5",
        "1E+5",
        "1e-5",
        "3.141592653589793",
        "1e22",
        "1e23",
        "-1e-22",
        "9007199254740992",
        "9007199254740993",
        "9007199254740994.999",
        "9007199254740993.0000000000000000000000000000000000000001",
        "9007199254740992.9999999999999999999999999999999999999999",
        "18446744073709551615",
        "18446744073709551616",
        "1e308",
        "1e309",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "17976931348623158079372897140530341507993"
        "4132710037826936173778980444968292764750946649017977587207096330286"
        "416692887910946555547851940402630657488671505820681908902000708383"
        "676273854845817711531764475730270069855571366959622842914819860834"
        "936475292719074168444365510704342711559699508093042880e0",
        "2.2250738585072014e-308",
        "2.2250738585072011e-308",
        "2.2250738585072012e-308",
        "4.9406564584124654e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "5e-324",
        "2e-324",
        "3e-324",
        "1e-400",
        "1e400",
        "1e-999999999999999999999",
        "1e999999999999999999999",
        "0e999999999999999999999",
        "0.00000000000000000000000000000000000000000000000000000000000001",
        "100000000000000000000000000000000000000000000000000000000000000",
        "6.02214076e23",
        "1.00000005960464477539062499",
        "6.4e-23",
        "8.9255e-22",
        "7.2057594037927933e16",
        "1.2345678901234567890123e-300",
        "0.1000000000000000055511151231257827021181583404541015625",
        "0.10000000000000000555111512312578270211815834045410156250000001",
        "0.1000000000000000124900090270330610871315002441406250"};
    for (size_t i = 0; i < SFI_COUNT(texts); i++)
        check_parse(texts[i]);
}

/* The midpoint of two doubles has up to 767 digits; printf gives all of them.
 * It, and its neighbours in the last digit, decide between the two. */
TEST(midpoints_of_doubles_round_to_even_and_their_neighbours_away)
{
    (void)state_;
    enum { LENGTH = 900 };
    static const uint64_t fixed[] = {0,
                                     1,
                                     2,
                                     0x000FFFFFFFFFFFFF,
                                     0x0010000000000000,
                                     0x7FEFFFFFFFFFFFFE,
                                     0x3FF0000000000000,
                                     0x3FEFFFFFFFFFFFFF};
    for (uint64_t i = 0; i < 5000; i++) {
        uint64_t bits = i < SFI_COUNT(fixed) ? fixed[i] : random_word(i, 1);
        bits &= ~(UINT64_C(1) << 63);
        /* Half an ulp more fits in a long double of 64 bits, save for the
         * smallest numbers, whose midpoint is still one of its numbers. */
        if (bits >= 0x7FEFFFFFFFFFFFFF)
            continue;
        const long double middle =
            ((long double)of_bits(bits) + (long double)of_bits(bits + 1)) / 2;
        char text[LENGTH];
        int n = snprintf(text, sizeof text, "%.*Le", 770, middle);
        check_parse(text);
        char *e = memchr(text, 'e', (size_t)n);
        char above[LENGTH + 8], below[LENGTH + 8];
        snprintf(above, sizeof above, "%.*s1%s", (int)(e - text), text, e);
        check_parse(above);
        memcpy(below, text, (size_t)n + 1);
        char *digit = below + (e - text) - 1;
        while (*digit == '0' || *digit == '.') {
            if (*digit == '0')
                *digit = '9';
            digit--;
        }
        (*digit)--;
        check_parse(below);
    }
}

/* 1 + 2^-53 lies between 1 and the next double.  Whatever follows behind a
 * thousand zeros decides, however far away it is. */
TEST(digits_beyond_any_number_of_zeros_decide)
{
    (void)state_;
    static const char middle[] =
        "1.00000000000000011102230246251565404236316680908203125";
    for (int zeros = 0; zeros < 3000; zeros += 37) {
        char text[4000];
        const int n = snprintf(text, sizeof text, "%s%0*d", middle,
                               zeros > 0 ? zeros : 1, 0);
        double value = 0.0;
        CHECK(sfi_number_parse(text, &value) == text + n && value == 1.0);
        text[n] = '1';
        text[n + 1] = '\0';
        CHECK(sfi_number_parse(text, &value) == text + n + 1);
        CHECK(value == 1.0 + 0x1p-52);
        check_parse(text);
    }
}

TEST(random_doubles_survive_every_number_of_digits)
{
    (void)state_;
    for (uint64_t i = 0; i < 20000; i++) {
        const double value = of_bits(random_word(i, 2));
        if (!isfinite(value))
            continue;
        char text[64];
        for (int digits = 1; digits <= 25; digits += 1 + (int)(i % 3)) {
            snprintf(text, sizeof text, "%.*e", digits - 1, value);
            check_parse(text);
        }
    }
}

TEST(random_digits_with_random_exponents_are_read_as_strtod_reads_them)
{
    (void)state_;
    for (uint64_t i = 0; i < 100000; i++) {
        const uint64_t w = random_word(i, 3);
        const uint64_t more = random_word(i, 4);
        const int length = 1 + (int)(more % 19);
        char digits[48], text[96];
        snprintf(digits, sizeof digits, "%020" PRIu64 "%020" PRIu64, w,
                 more * 0x9E3779B97F4A7C15u);
        const int point = (int)((more >> 8) % (uint64_t)(length + 1));
        const int exponent = (int)(more >> 20 & 1023) - 512;
        const int total = i % 8 == 0 ? 40 : length;
        snprintf(text, sizeof text, "%s%.*s.%.*se%d", i % 2 ? "-" : "", point,
                 digits, total - point, digits + point,
                 i % 4 == 0 ? exponent : exponent / 32);
        check_parse(text);
    }
}

TEST(what_is_no_number_is_refused_and_a_number_ends_where_it_ends)
{
    (void)state_;
    static const char *const none[] = {"",   "-",   "+",   ".",   "-.",
                                       "e5", ".e5", "inf", "nan", "NA",
                                       "x1", " 1",  "--1"};
    for (size_t i = 0; i < SFI_COUNT(none); i++) {
        double value = 7.0;
        CHECK(sfi_number_parse(none[i], &value) == NULL);
        CHECK(value == 7.0);
    }
    static const struct {
        const char *text;
        ptrdiff_t length;
        double value;
    } some[] = {{"1,2", 1, 1.0},   {"1e", 1, 1.0},      {"1e+", 1, 1.0},
                {"0x10", 1, 0.0},  {"1.5.5", 3, 1.5},   {"2\n", 1, 2.0},
                {"1e5e5", 3, 1e5}, {"12 ", 2, 12.0},    {"1-2", 1, 1.0},
                {"3d", 1, 3.0},    {"1e-3x", 4, 0.001}, {"5.", 2, 5.0}};
    for (size_t i = 0; i < SFI_COUNT(some); i++) {
        double value = 0.0;
        const char *end = sfi_number_parse(some[i].text, &value);
        CHECK(end - some[i].text == some[i].length);
        CHECK(value == some[i].value);
    }
}

/* The digits of `text` without sign, point, exponent and zeros around. */
static void significant(const char *text, char out[64])
{
    int n = 0;
    for (; *text != '\0' && *text != 'e'; text++)
        if (*text >= '0' && *text <= '9' && (n > 0 || *text != '0'))
            out[n++] = *text;
    while (n > 0 && out[n - 1] == '0')
        n--;
    out[n] = '\0';
}

/* printf's digits for the least precision that survives.  At a power of two
 * the neighbour below is nearer than the one above, so that a number of fewer
 * digits may survive which is not the nearest one of its length. */
static void check_format(double value)
{
    char text[SFI_NUMBER_SIZE], want[64], got_digits[64], want_digits[64];
    const int length = sfi_number_format(value, text);
    CHECK((int)strlen(text) == length && length <= 24);
    double back = 0.0;
    const char *end = sfi_number_parse(text, &back);
    CHECK(end == text + length && bits_of(back) == bits_of(value));
    CHECK(bits_of(strtod(text, NULL)) == bits_of(value));
    for (int precision = 0;; precision++) {
        snprintf(want, sizeof want, "%.*e", precision, value);
        if (strtod(want, NULL) == value)
            break;
    }
    significant(text, got_digits);
    significant(want, want_digits);
    const bool power = (bits_of(value) & 0xFFFFFFFFFFFFF) == 0;
    if (strcmp(got_digits, want_digits) == 0 ||
        (power && strlen(got_digits) <= strlen(want_digits)))
        return;
    fprintf(stderr, "%a: got %s, want %s\n", value, text, want);
    fail();
}

TEST(written_numbers_are_the_shortest_that_survive)
{
    (void)state_;
    for (int exponent = 0; exponent < 2047; exponent++) {
        const uint64_t bits = (uint64_t)exponent << 52;
        if (exponent > 0)
            check_format(of_bits(bits));
        check_format(of_bits(bits + 1));
        check_format(of_bits(bits + 0xFFFFFFFFFFFFF));
    }
    for (uint64_t i = 0; i < 40000; i++) {
        const double value = of_bits(random_word(i, 5));
        if (isfinite(value))
            check_format(value);
    }
    for (uint64_t i = 0; i < 20000; i++) {
        const double whole = (double)(random_word(i, 6) >> (11 + i % 50));
        check_format(whole / 1000.0);
        if (whole > 0.0)
            check_format(whole);
    }
}

TEST(numbers_are_laid_out_as_documented)
{
    (void)state_;
    static const struct {
        double value;
        const char *text;
    } some[] = {{0.0, "0"},
                {-0.0, "-0"},
                {1.0, "1"},
                {-1.5, "-1.5"},
                {100.0, "100"},
                {1234567.0, "1234567"},
                {0.1, "0.1"},
                {0.001, "0.001"},
                {0.00012345, "0.00012345"},
                {0.000012345, "1.2345e-5"},
                {1e-7, "1e-7"},
                {1e15, "1000000000000000"},
                {1e16, "1e16"},
                {1234567890123456.0, "1234567890123456"},
                {12345678901234567.0, "12345678901234568"},
                {123456789012345678.0, "1.2345678901234568e17"},
                {1.5e300, "1.5e300"},
                {1e100, "1e100"},
                {1e-300, "1e-300"},
                {5e-324, "5e-324"},
                {-2.2250738585072014e-308, "-2.2250738585072014e-308"},
                {1.7976931348623157e308, "1.7976931348623157e308"},
                {123.456, "123.456"},
                {NAN, "nan"},
                {-NAN, "nan"},
                {INFINITY, "inf"},
                {-INFINITY, "-inf"}};
    for (size_t i = 0; i < SFI_COUNT(some); i++) {
        char text[SFI_NUMBER_SIZE];
        sfi_number_format(some[i].value, text);
        assert_string_equal(text, some[i].text);
    }
}

/* Multiply 10^q by 10 or divide it, in 1400-bit integers, and compare the
 * leading 128 bits with the table.  Dividing 2^1300 by 10 again and again
 * leaves more than 128 exact bits down to 10^-342 (1136 bits). */
static const struct {
    uint64_t high, low;
} table[] = {
#define POWER(high, low) {high, low},
#include "num/powers.def"
#undef POWER
};

enum { WORDS = 48 };

static void leading_bits(const uint32_t *words, uint64_t out[2])
{
    int top = WORDS * 32 - 1;
    while ((words[top / 32] >> (top % 32) & 1) == 0)
        top--;
    for (int i = 0; i < 128; i++) {
        const int at = top - i;
        const uint64_t bit = at < 0 ? 0 : words[at / 32] >> (at % 32) & 1;
        out[i / 64] = out[i / 64] << 1 | bit;
    }
}

TEST(the_table_of_powers_is_exact)
{
    (void)state_;
    CHECK(SFI_COUNT(table) == 667);
    uint32_t up[WORDS] = {1};
    for (int q = 0; q <= 324; q++) {
        uint64_t want[2] = {0, 0};
        leading_bits(up, want);
        CHECK(table[q + 342].high == want[0] && table[q + 342].low == want[1]);
        uint64_t carry = 0;
        for (int i = 0; i < WORDS; i++) {
            carry += (uint64_t)up[i] * 10;
            up[i] = (uint32_t)carry;
            carry >>= 32;
        }
    }
    /* floor(floor(x / 10) / 10) = floor(x / 100), so every quotient is a true
     * floor, and its leading bits are those of the true power. */
    uint32_t down[WORDS] = {0};
    down[WORDS - 1] = UINT32_C(1) << 31;
    for (int q = 0; q >= -342; q--) {
        uint64_t want[2] = {0, 0};
        leading_bits(down, want);
        CHECK(table[q + 342].high == want[0] && table[q + 342].low == want[1]);
        uint64_t rest = 0;
        for (int i = WORDS - 1; i >= 0; i--) {
            rest = rest << 32 | down[i];
            down[i] = (uint32_t)(rest / 10);
            rest %= 10;
        }
    }
}

TESTS(CASE(ordinary_and_hard_numbers_are_read_as_strtod_reads_them),
      CASE(midpoints_of_doubles_round_to_even_and_their_neighbours_away),
      CASE(digits_beyond_any_number_of_zeros_decide),
      CASE(random_doubles_survive_every_number_of_digits),
      CASE(random_digits_with_random_exponents_are_read_as_strtod_reads_them),
      CASE(what_is_no_number_is_refused_and_a_number_ends_where_it_ends),
      CASE(written_numbers_are_the_shortest_that_survive),
      CASE(numbers_are_laid_out_as_documented),
      CASE(the_table_of_powers_is_exact))
