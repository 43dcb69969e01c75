/* SPDX-License-Identifier: Apache-2.0 */
/* decimal.c - doubles from decimal text and back.
 *
 * Reading.  The text is w 10^q with an integer w < 10^19 (further digits make
 * w an interval).  One multiplication of w by the 128 leading bits of 10^q
 * gives the leading 128 bits of the product with a known error; nearly always
 * that settles the nearest double.  Where the interval contains the midpoint
 * of two doubles, integers of any length decide.  For small w and |q| both
 * w and 10^|q| are doubles and one rounded operation is exact enough.
 *
 *   W. D. Clinger, PLDI 1990; D. Lemire, Software: Practice and Experience 51
 *   (2021) 1700-1727.
 *
 * Writing.  Of the decimals that are read back as v, the shortest lie on the
 * grid of 10^k just coarser than the distance of neighbouring doubles; the
 * candidates are the two grid points beside v on that grid and on the one ten
 * times coarser, all found from three products with 10^-k rounded to odd.
 *
 *   R. Giulietti, "The Schubfach way to render doubles", 2020. */
#include "num/decimal.h"

#include "base/compiler.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { FIRST_POWER = -342, LAST_POWER = 324, EXACT_DIGITS = 19 };

static const struct {
    uint64_t high, low;
} powers[] = {
#define POWER(high, low) {high, low},
#include "num/powers.def"
#undef POWER
};

_Static_assert(SFI_COUNT(powers) == LAST_POWER - FIRST_POWER + 1,
               "powers.def has one line for every power");

static const double exact_powers[] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* floor(log2(10^q)) for |q| <= 1233 and floor(log10(2^q)) for |q| <= 1500. */
static int floor_log2_pow10(int q)
{
    return (q * 1741647) >> 19;
}

static int floor_log10_pow2(int q)
{
    return (q * 1262611) >> 22;
}

static double double_of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* ---- integers of any length ----------------------------------------------
 *
 * They decide the cases that 128 bits cannot.  The longest is the product of
 * MAX_DIGITS digits or of 5^(342 + MAX_DIGITS) with a few words: below 4200
 * bits. */
enum { MAX_DIGITS = 800, LIMBS = 144 };

typedef struct big {
    int count;
    uint32_t limb[LIMBS]; /* least significant first */
} big;

static void big_multiply_add(big *b, uint32_t factor, uint32_t term)
{
    uint64_t carry = term;
    for (int i = 0; i < b->count; i++) {
        carry += (uint64_t)b->limb[i] * factor;
        b->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry != 0)
        b->limb[b->count++] = (uint32_t)carry;
}

static void big_multiply_pow5(big *b, int64_t power)
{
    const uint32_t five13 = 1220703125u;
    for (; power >= 13; power -= 13)
        big_multiply_add(b, five13, 0);
    for (; power > 0; power--)
        big_multiply_add(b, 5, 0);
}

static void big_shift_left(big *b, int64_t bits)
{
    const int words = (int)(bits / 32), rest = (int)(bits % 32);
    big_multiply_add(b, UINT32_C(1) << rest, 0);
    memmove(b->limb + words, b->limb, (size_t)b->count * sizeof *b->limb);
    memset(b->limb, 0, (size_t)words * sizeof *b->limb);
    b->count += words;
}

static int big_compare(const big *a, const big *b)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (int i = a->count - 1; i >= 0; i--)
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

/* ---- reading -------------------------------------------------------------- */

/* What was found between the sign and the end of the number. */
typedef struct decimal {
    const char *first; /* the first digit that is not 0                    */
    const char *last;  /* behind the last digit; a point may lie between   */
    int64_t exponent;  /* of the last digit                                */
} decimal;

/* Compare the decimal number with half * 2^shift.  Midpoints of doubles have
 * at most 767 digits, so digits beyond MAX_DIGITS only matter as being there
 * or not: they are replaced by one digit 1 where any of them is not 0. */
static int compare_exactly(const decimal *number, uint64_t half, int shift)
{
    big left = {.count = 0}, right = {.count = 0};
    int64_t exponent = number->exponent;
    int digits = 0;
    bool more = false;
    for (const char *p = number->first; p < number->last; p++) {
        if (*p == '.')
            continue;
        if (digits < MAX_DIGITS) {
            big_multiply_add(&left, 10, (uint32_t)(*p - '0'));
            digits++;
        } else {
            more = more || *p != '0';
            exponent++;
        }
    }
    if (more) {
        big_multiply_add(&left, 10, 1);
        exponent--;
    }
    right.limb[0] = (uint32_t)half;
    right.limb[1] = (uint32_t)(half >> 32);
    right.count = right.limb[1] != 0 ? 2 : 1;

    big_multiply_pow5(exponent >= 0 ? &left : &right,
                      exponent >= 0 ? exponent : -exponent);
    const int64_t twos = exponent - shift;
    big_shift_left(twos >= 0 ? &left : &right, twos >= 0 ? twos : -twos);
    return big_compare(&left, &right);
}

/* Assemble mantissa * 2^exponent, where the mantissa has 53 bits or the
 * exponent is -1074.  A mantissa of 2^53 carries into the exponent. */
static double assemble(uint64_t mantissa, int exponent)
{
    const uint64_t implicit = UINT64_C(1) << 52;
    if (mantissa < implicit)
        return double_of_bits(mantissa);
    if (exponent > 971)
        return (double)INFINITY;
    const uint64_t bits =
        ((uint64_t)(exponent + 1075) << 52) + (mantissa - implicit);
    return double_of_bits(bits);
}

/* The double next to w 10^q, w > 0; `cut` says that digits beyond w exist. */
static double nearest(uint64_t w, int64_t q, bool cut, const decimal *number)
{
    if (q < FIRST_POWER)
        return 0.0; /* < 10^19 10^-343, less than half the least double */
    if (q > 308)
        return (double)INFINITY;
    const int zeros = __builtin_clzll(w);
    const uint64_t high = powers[q - FIRST_POWER].high;
    const uint64_t low = powers[q - FIRST_POWER].low;
    const bool exact = q >= 0 && q <= 55 && !cut; /* 5^55 < 2^128 */

    /* The 192-bit product of w with the power; its last word only says
     * whether anything is there.  The power is short by less than 1 and a cut
     * w by less than 1, so the true product exceeds `top` by less than
     * `error`, the last word included. */
    const uint64_t shifted = w << zeros;
    const sfi_u128 lower = (sfi_u128)shifted * low;
    sfi_u128 top = (sfi_u128)shifted * high + (uint64_t)(lower >> 64);
    sfi_u128 error = exact ? 0 : 2;
    if (cut)
        error += (sfi_u128)1 << (64 + zeros);
    if (exact && (uint64_t)lower != 0)
        top |= 1;
    int exponent = floor_log2_pow10((int)q) - 127 + 64 - zeros; /* of bit 0 */
    if (top >> 127 == 0) {
        top <<= 1;
        error <<= 1;
        exponent--;
    }

    /* Subnormal numbers have fewer bits.  Where none is left the number is
     * next to the midpoint of 0 and the least double, 2^-1075, or below it. */
    const int bits = exponent + 127 >= -1022 ? 53 : exponent + 127 + 1075;
    if (bits < -1)
        return 0.0;
    if (bits <= 0)
        return compare_exactly(number, 1, -1075) > 0 ? 0x1p-1074 : 0.0;
    const int drop = 128 - bits;
    const uint64_t mantissa = (uint64_t)(top >> drop);
    const sfi_u128 half = (sfi_u128)1 << (drop - 1);
    const sfi_u128 rest = top & ((half << 1) - 1);
    bool up = rest > half;
    if (rest <= half && rest + error >= half) {
        int order = rest < half ? -1 : 0;
        if (!exact)
            order =
                compare_exactly(number, 2 * mantissa + 1, exponent + drop - 1);
        up = order > 0 || (order == 0 && mantissa % 2 == 1);
    }
    return assemble(mantissa + up, exponent + drop);
}

/* Take the leading EXACT_DIGITS digits of a longer number. */
static double nearest_of_many(const decimal *number)
{
    uint64_t w = 0;
    int digits = 0;
    int64_t dropped = 0;
    bool cut = false;
    for (const char *p = number->first; p < number->last; p++) {
        if (*p == '.')
            continue;
        if (digits < EXACT_DIGITS) {
            w = 10 * w + (uint64_t)(*p - '0');
            digits++;
        } else {
            cut = cut || *p != '0';
            dropped++;
        }
    }
    if (w == 0)
        return 0.0;
    return nearest(w, number->exponent + dropped, cut, number);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Read an exponent behind `p`, which is at the letter; `p` if there is none. */
static const char *parse_exponent(const char *p, int64_t *exponent)
{
    const char *at = p + 1;
    const bool negative = *at == '-';
    if (*at == '-' || *at == '+')
        at++;
    if (!is_digit(*at))
        return p;
    int64_t value = 0;
    for (; is_digit(*at); at++)
        if (value < INT64_C(1) << 40)
            value = 10 * value + (*at - '0');
    *exponent += negative ? -value : value;
    return at;
}

const char *sfi_number_parse(const char *text, double *value)
{
    const char *p = text;
    const bool negative = *p == '-';
    if (*p == '-' || *p == '+')
        p++;
    uint64_t w = 0;
    decimal number = {.first = p};
    for (; is_digit(*p); p++)
        w = 10 * w + (uint64_t)(*p - '0');
    int64_t digits = p - number.first;
    if (*p == '.') {
        const char *point = p++;
        for (; is_digit(*p); p++)
            w = 10 * w + (uint64_t)(*p - '0');
        number.exponent = -(p - point - 1);
        digits += p - point - 1;
    }
    if (digits == 0)
        return NULL;
    number.last = p;
    if (*p == 'e' || *p == 'E')
        p = parse_exponent(p, &number.exponent);

    double magnitude = 0.0;
    const int64_t q = number.exponent;
    if (digits > EXACT_DIGITS) {
        while (number.first < number.last &&
               (*number.first == '0' || *number.first == '.'))
            number.first++;
        magnitude = nearest_of_many(&number);
    } else if (w <= UINT64_C(1) << 53 && q >= -22 && q <= 22) {
        magnitude =
            q < 0 ? (double)w / exact_powers[-q] : (double)w * exact_powers[q];
    } else if (w != 0) {
        magnitude = nearest(w, q, false, &number);
    }
    *value = negative ? -magnitude : magnitude;
    return p;
}

/* ---- writing -------------------------------------------------------------- */

static const char digit_pairs[201] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536"
    "37383940414243444546474849505152535455565758596061626364656667686970717273"
    "7475767778798081828384858687888990919293949596979899";

/* The digits of a number, right-aligned to `end`; returns where they begin. */
static char *put_digits(uint64_t number, char *end)
{
    while (number >= 100) {
        end -= 2;
        memcpy(end, digit_pairs + 2 * (number % 100), 2);
        number /= 100;
    }
    if (number >= 10) {
        end -= 2;
        memcpy(end, digit_pairs + 2 * number, 2);
    } else {
        *--end = (char)('0' + number);
    }
    return end;
}

/* floor(power * c / 2^128) with its last bit set if the quotient is not whole.
 * `power` is too large by less than 1, which a remainder of 1 in the upper
 * word can be due to. */
static uint64_t multiply_to_odd(sfi_u128 power, uint64_t c)
{
    const sfi_u128 low = (sfi_u128)(uint64_t)power * c;
    const sfi_u128 sum =
        (sfi_u128)(uint64_t)(power >> 64) * c + (uint64_t)(low >> 64);
    return (uint64_t)(sum >> 64) | ((uint64_t)sum > 1);
}

/* The shortest digits * 10^*exponent that is read back as
 * mantissa * 2^exponent2. */
static uint64_t shortest(uint64_t mantissa, int exponent2, bool lower_is_near,
                         int *exponent)
{
    /* v and the midpoints to its neighbours, in units of 2^(exponent2 - 2). */
    const uint64_t v = 4 * mantissa;
    const uint64_t below = lower_is_near ? v - 1 : v - 2;
    const uint64_t above = v + 2;
    const int k = lower_is_near ? (exponent2 * 1262611 - 524031) >> 22
                                : floor_log10_pow2(exponent2);
    const int shift = exponent2 + floor_log2_pow10(-k) + 1;
    const sfi_u128 power = ((sfi_u128)powers[-k - FIRST_POWER].high << 64 |
                            powers[-k - FIRST_POWER].low) +
                           1;

    /* The same three in quarters of 10^k; a midpoint is read back as v where
     * the mantissa is even. */
    const uint64_t odd = mantissa & 1;
    const uint64_t scaled = multiply_to_odd(power, v << shift);
    const uint64_t low = multiply_to_odd(power, below << shift) + odd;
    const uint64_t high = multiply_to_odd(power, above << shift) - odd;

    const uint64_t s = scaled / 4;
    if (s >= 10) {
        const uint64_t tens = s / 10;
        const bool down = low <= 40 * tens;
        const bool up = 40 * tens + 40 <= high;
        if (down != up) {
            *exponent = k + 1;
            return tens + up;
        }
    }
    *exponent = k;
    const bool down = low <= 4 * s;
    const bool up = 4 * s + 4 <= high;
    if (down != up)
        return s + up;
    const uint64_t middle = 4 * s + 2;
    return s + (scaled > middle || (scaled == middle && s % 2 == 1));
}

/* Lay digits * 10^exponent out as text. */
static char *put_decimal(uint64_t digits, int exponent, char *out)
{
    char buffer[24];
    while (digits % 10 == 0) {
        digits /= 10;
        exponent++;
    }
    char *const end = buffer + sizeof buffer;
    const char *first = put_digits(digits, end);
    const int count = (int)(end - first);
    const int point = count + exponent; /* the number is 0.digits 10^point */
    if (point > 0 && point <= count) {
        memcpy(out, first, (size_t)point);
        out += point;
        if (point < count) {
            *out++ = '.';
            memcpy(out, first + point, (size_t)(count - point));
            out += count - point;
        }
        return out;
    }
    if (point > count && point <= 16) {
        memcpy(out, first, (size_t)count);
        memset(out + count, '0', (size_t)exponent);
        return out + point;
    }
    if (point > -4 && point <= 0) {
        memcpy(out, "0.000", 5);
        out += 2 - point;
        memcpy(out, first, (size_t)count);
        return out + count;
    }
    *out++ = first[0];
    if (count > 1) {
        *out++ = '.';
        memcpy(out, first + 1, (size_t)(count - 1));
        out += count - 1;
    }
    *out++ = 'e';
    if (point - 1 < 0)
        *out++ = '-';
    char *const power_end = buffer + sizeof buffer;
    const char *power =
        put_digits((uint64_t)(point < 1 ? 1 - point : point - 1), power_end);
    memcpy(out, power, (size_t)(power_end - power));
    return out + (power_end - power);
}

int sfi_number_format(double value, char text[SFI_NUMBER_SIZE])
{
    char *out = text;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
    const int biased = (int)(bits >> 52 & 2047);
    if (bits >> 63 && !(biased == 2047 && fraction != 0))
        *out++ = '-';
    if (biased == 2047) {
        memcpy(out, fraction != 0 ? "nan" : "inf", 3);
        out += 3;
    } else if (biased == 0 && fraction == 0) {
        *out++ = '0';
    } else {
        const uint64_t mantissa =
            biased == 0 ? fraction : fraction | UINT64_C(1) << 52;
        const int exponent2 = biased == 0 ? -1074 : biased - 1075;
        const double magnitude = fabs(value);
        int exponent = 0;
        uint64_t digits;
        if (magnitude < 0x1p53 && magnitude == (double)(uint64_t)magnitude)
            digits = (uint64_t)magnitude;
        else
            digits = shortest(mantissa, exponent2, fraction == 0 && biased > 1,
                              &exponent);
        out = put_decimal(digits, exponent, out);
    }
    *out = '\0';
    return (int)(out - text);
}
