/* SPDX-License-Identifier: Apache-2.0 */
/* ticks.c - nice numbers.
 *
 * A mark is an integer: i * m * 10^k with m in {1, 2, 5} (or 4).  Labels are printed
 * from the integer N = i * m and the exponent k, never from the double, so no
 * label ever reads 0.30000000000000004 or -0.  All marks of an axis share one
 * form:
 *
 *   plain        0.25  1000                 up to 6 digits before the point
 *   multiplied   1.5     and x10^9 beside the axis
 *   shifted      0  1  2 and + 10^9         where the marks differ only in
 *                                           digits far behind the first */
#include "plot/ticks.h"

#include "base/compiler.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUS "\xe2\x88\x92"
#define TIMES "\xc3\x97"

/* ---- text ---------------------------------------------------------------- */

static void append(char *out, int bytes, const char *text)
{
    const size_t have = strlen(out), more = strlen(text);
    if (have + more < (size_t)bytes)
        memcpy(out + have, text, more + 1);
}

/* 10 to an integer power as "10" with superscripts. */
static void append_power(char *out, int bytes, int power)
{
    static const char *const digit[] = {
        "\xe2\x81\xb0", "\xc2\xb9",     "\xc2\xb2",     "\xc2\xb3",
        "\xe2\x81\xb4", "\xe2\x81\xb5", "\xe2\x81\xb6", "\xe2\x81\xb7",
        "\xe2\x81\xb8", "\xe2\x81\xb9"};
    char plain[16];
    snprintf(plain, sizeof plain, "%d", abs(power));
    append(out, bytes, "10");
    if (power < 0)
        append(out, bytes, "\xe2\x81\xbb");
    for (const char *p = plain; *p != '\0'; p++)
        append(out, bytes, digit[*p - '0']);
}

/* The decimal n * 10^-decimals, decimals at most 24. */
static void append_decimal(char *out, int bytes, int64_t n, int decimals)
{
    enum { DIGITS = 48 };
    char text[DIGITS];
    int at = DIGITS - 1;
    text[at] = '\0';
    uint64_t rest = n < 0 ? -(uint64_t)n : (uint64_t)n;
    for (int place = 0; (rest > 0 || place <= decimals) && at > 1; place++) {
        if (place == decimals && decimals > 0)
            text[--at] = '.';
        text[--at] = (char)('0' + rest % 10);
        rest /= 10;
    }
    if (n < 0)
        append(out, bytes, MINUS);
    append(out, bytes, text + at);
}

static int64_t power_of_ten(int k)
{
    int64_t p = 1;
    for (int i = 0; i < k; i++)
        p *= 10;
    return p;
}

void sfi_number_text(double x, int digits, char *out, int bytes)
{
    out[0] = '\0';
    if (!isfinite(x)) {
        append(out, bytes,
               isnan(x)  ? "NaN"
               : x > 0.0 ? "\xe2\x88\x9e"
                         : MINUS "\xe2\x88\x9e");
        return;
    }
    char text[48];
    snprintf(text, sizeof text, "%.*e", digits - 1, fabs(x));
    char *mark = strchr(text, 'e');
    int power = atoi(mark + 1);
    *mark = '\0';
    /* The digits as one integer, without trailing zeros: n * 10^e. */
    int64_t n = 0;
    int e = power;
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '.')
            continue;
        n = 10 * n + (*p - '0');
        e -= p > text;
    }
    while (n != 0 && n % 10 == 0) {
        n /= 10;
        e++;
    }
    if (n == 0) {
        append(out, bytes, "0");
        return;
    }
    if (x < 0.0)
        n = -n;
    if (power >= -4 && power <= 5) {
        if (e >= 0)
            append_decimal(out, bytes, n * power_of_ten(e), 0);
        else
            append_decimal(out, bytes, n, -e);
        return;
    }
    if (n != 1) {
        append_decimal(out, bytes, n, power - e);
        append(out, bytes, TIMES);
    }
    append_power(out, bytes, power);
}

/* ---- ranges -------------------------------------------------------------- */

static double clamp(double x, double lo, double hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

void sfi_ticks_range(double *lo, double *hi, bool log)
{
    const double far = 1e307;
    if (isnan(*lo) || isnan(*hi) || *lo > *hi) {
        *lo = log ? 0.1 : 0.0;
        *hi = 1.0;
    }
    *lo = clamp(*lo, -far, far);
    *hi = clamp(*hi, -far, far);
    if (log) {
        *hi = clamp(*hi, 1e-300, far);
        *lo = clamp(*lo, 1e-305, *hi);
        if (*lo * (1.0 + 1e-6) >= *hi) {
            *lo /= 1.1;
            *hi *= 1.1;
        }
        return;
    }
    const double size = fmax(fabs(*lo), fabs(*hi));
    double grow = 0.0;
    if (*hi == *lo)
        grow = size > 0.0 ? 0.1 * size : 1.0;
    else if (*hi - *lo < 1e-12 * size)
        grow = 1e-12 * size;
    grow = fmax(grow, *hi - *lo < 1e-300 ? 1e-300 : 0.0);
    *lo = clamp(*lo - grow, -far, far);
    *hi = clamp(*hi + grow, -far, far);
}

/* ---- linear marks -------------------------------------------------------- */

/* N * 10^k as a double, with one rounding where 10^|k| is exact. */
static double scaled(double n, int k)
{
    if (n == 0.0)
        return 0.0; /* and never -0 */
    if (k < -300)   /* 10^-k is not a finite number */
        return n / 1e300 / pow(10.0, -k - 300);
    return k < 0 ? n / pow(10.0, -k) : n * pow(10.0, k);
}

/* The roundest number that leaves rests no larger than ten times the marks'
 * span, 0 if the marks are not far from 0: 10^9 for 999999999 to 1000000001. */
static int64_t common_part(const int64_t *n, int count)
{
    const int64_t first = n[0], last = n[count - 1];
    const int64_t span = last - first, middle = first + span / 2;
    for (int digits = 18; digits > 0; digits--) {
        const int64_t unit = power_of_ten(digits);
        const int64_t half = middle < 0 ? -unit / 2 : unit / 2;
        const int64_t base = (middle + half) / unit * unit;
        if (llabs(first - base) <= 10 * span && llabs(last - base) <= 10 * span)
            return base;
    }
    return 0;
}

/* Label the marks N[i] * 10^k of an axis in one common form. */
static void label_all(const int64_t *n, int k, sfi_ticks *out)
{
    int64_t largest = 0;
    for (int i = 0; i < out->count; i++) {
        const int64_t size = n[i] < 0 ? -n[i] : n[i];
        largest = size > largest ? size : largest;
    }
    int digits = 1;
    while (digits < 18 && power_of_ten(digits) <= largest)
        digits++;
    const int top = digits - 1 + k; /* exponent of the largest label */
    const int64_t base = digits > 6 ? common_part(n, out->count) : 0;
    if (base != 0) {
        sfi_ticks shifted = *out;
        int64_t rest[SFI_MAX_TICKS];
        for (int i = 0; i < out->count; i++)
            rest[i] = n[i] - base;
        label_all(rest, k, &shifted);
        memcpy(out->label, shifted.label, sizeof out->label);
        memcpy(out->note, shifted.note, sizeof out->note);
        char text[SFI_TICK_BYTES];
        sfi_number_text(scaled((double)llabs(base), k), 15, text, sizeof text);
        append(out->note, sizeof out->note, out->note[0] != '\0' ? " " : "");
        append(out->note, sizeof out->note, base < 0 ? MINUS " " : "+ ");
        append(out->note, sizeof out->note, text);
        return;
    }
    const bool plain = top <= 5 && k >= -4;
    const int shift = plain ? 0 : top; /* labels are value / 10^shift */
    const int decimals = shift - k;
    for (int i = 0; i < out->count; i++) {
        if (decimals >= 0)
            append_decimal(out->label[i], SFI_TICK_BYTES, n[i],
                           n[i] == 0 && plain ? 0 : decimals);
        else
            append_decimal(out->label[i], SFI_TICK_BYTES,
                           n[i] * power_of_ten(-decimals), 0);
    }
    if (shift != 0) {
        append(out->note, sizeof out->note, TIMES);
        append_power(out->note, sizeof out->note, shift);
    }
}

void sfi_ticks_linear(double lo, double hi, int most, sfi_ticks *out)
{
    static const int mantissa[] = {1, 2, 5};
    memset(out, 0, sizeof *out);
    most = most < 2 ? 2 : most > SFI_MAX_TICKS ? SFI_MAX_TICKS : most;
    /* A mark may lie outside by the rounding of the range's ends. */
    const double slack = 1e-10;
    const double width = hi - lo;
    const int start = (int)floor(log10(width / most)) - 1;
    int m = 1, k = start;
    double first = 0.0, last = -1.0;
    for (int trial = 0; trial < 12; trial++) {
        m = mantissa[trial % 3];
        k = start + trial / 3;
        first = ceil(scaled(lo / m, -k) - slack);
        last = floor(scaled(hi / m, -k) + slack);
        if (last - first + 1.0 <= most)
            break;
    }
    if (last - first < 1.0 && m == 5 && most > 2) {
        /* Among four neighbouring multiples of 2 are two of 4. */
        m = 4;
        first = ceil(scaled(lo / m, -k) - slack);
        last = floor(scaled(hi / m, -k) + slack);
    }
    int64_t n[SFI_MAX_TICKS] = {0};
    for (double i = first; i <= last && out->count < SFI_MAX_TICKS; i++) {
        n[out->count] = (int64_t)i * m;
        out->at[out->count++] = scaled(i * m, k);
    }
    label_all(n, k, out);

    /* Parts in integer units of the mark. */
    const int parts = m == 2 ? 2 : m == 4 ? 4 : 5;
    for (double i = (first - 1.0) * parts; i <= (last + 1.0) * parts; i++) {
        const double at = scaled(i * m / parts, k);
        if (fmod(i, parts) != 0.0 && at >= lo && at <= hi &&
            out->minor_count < SFI_MAX_MINOR)
            out->minor[out->minor_count++] = at;
    }
}

/* ---- degrees --------------------------------------------------------------- */

static void label_degrees(double at, const char *letters, char *label)
{
    const bool is_longitude = letters[0] == 'E';
    const double x = is_longitude ? remainder(at, 360.0) : at;
    const bool has_side = x != 0.0 && !(is_longitude && fabs(x) == 180.0);
    char number[SFI_TICK_BYTES];
    sfi_number_text(fabs(x), 6, number, sizeof number);
    append(label, SFI_TICK_BYTES, number);
    append(label, SFI_TICK_BYTES, "\u00b0");
    if (has_side)
        append(label, SFI_TICK_BYTES, (const char[]){letters[x < 0.0], '\0'});
}

void sfi_ticks_degrees(double lo, double hi, int most, const char *letters,
                       sfi_ticks *out)
{
    static const double steps[] = {1, 2, 5, 10, 15, 30, 45, 60, 90, 180};
    double step = 0.0;
    for (size_t i = 0; i < SFI_COUNT(steps) && step == 0.0; i++)
        if (floor(hi / steps[i] + 1e-9) - ceil(lo / steps[i] - 1e-9) + 1.0 <=
            most)
            step = steps[i];
    if (step == 0.0 || hi - lo < 3.0) {
        sfi_ticks_linear(lo, hi, most, out);
    } else {
        memset(out, 0, sizeof *out);
        for (double i = ceil(lo / step - 1e-9);
             i * step <= hi + 1e-9 * step && out->count < SFI_MAX_TICKS; i++)
            out->at[out->count++] = i * step;
    }
    out->note[0] = '\0';
    for (int i = 0; i < out->count; i++) {
        out->label[i][0] = '\0';
        label_degrees(out->at[i], letters, out->label[i]);
    }
}

/* ---- logarithmic marks --------------------------------------------------- */

static void add_log_mark(sfi_ticks *out, int mantissa, int power, bool plain)
{
    if (out->count == SFI_MAX_TICKS)
        return;
    char *label = out->label[out->count];
    out->at[out->count++] = scaled(mantissa, power);
    if (plain) {
        sfi_number_text(scaled(mantissa, power), 3, label, SFI_TICK_BYTES);
        return;
    }
    if (mantissa != 1) {
        append_decimal(label, SFI_TICK_BYTES, mantissa, 0);
        append(label, SFI_TICK_BYTES, TIMES);
    }
    append_power(label, SFI_TICK_BYTES, power);
}

/* Within the range, but for the rounding of its ends? */
static bool inside(double x, double lo, double hi)
{
    return x >= lo * (1.0 - 1e-9) && x <= hi * (1.0 + 1e-9);
}

static void add_log_minor(sfi_ticks *out, int first, int last, double lo,
                          double hi)
{
    for (int p = first; p <= last; p++)
        for (int m = 2; m <= 9; m++)
            if (inside(scaled(m, p), lo, hi) &&
                out->minor_count < SFI_MAX_MINOR)
                out->minor[out->minor_count++] = scaled(m, p);
}

void sfi_ticks_log(double lo, double hi, int most, sfi_ticks *out)
{
    memset(out, 0, sizeof *out);
    most = most < 2 ? 2 : most > SFI_MAX_TICKS ? SFI_MAX_TICKS : most;
    const double slack = 1e-9;
    const int first = (int)ceil(log10(lo) - slack);
    const int last = (int)floor(log10(hi) + slack);
    const int decades = last - first + 1;
    const bool plain = first >= -3 && last <= 4;
    if (decades <= 3) { /* 1, 2, 5 if all of them have room */
        static const int mantissa[] = {1, 2, 5};
        for (int p = first - 1; p <= last + 1; p++)
            for (int i = 0; i < 3; i++)
                if (inside(scaled(mantissa[i], p), lo, hi))
                    add_log_mark(out, mantissa[i], p, plain);
        if (out->count < 2 || (out->count > most && decades < 2)) {
            sfi_ticks_linear(lo, hi, most, out);
            return;
        }
        if (out->count <= most) {
            add_log_minor(out, first - 1, last, lo, hi);
            return;
        }
        memset(out, 0, sizeof *out);
    }
    static const int stride_of[] = {1, 2, 3, 5, 10, 20, 50, 100, 200, 500};
    int stride = 1;
    for (int i = 0; i < 10; i++) {
        stride = stride_of[i];
        if ((last - first) / stride + 1 <= most)
            break;
    }
    for (int p = first; p <= last; p++) {
        if ((p % stride + stride) % stride == 0)
            add_log_mark(out, 1, p, plain);
        else if (out->minor_count < SFI_MAX_MINOR)
            out->minor[out->minor_count++] = scaled(1, p);
    }
    if (decades <= 8)
        add_log_minor(out, first - 1, last, lo, hi);
}

void sfi_ticks_categories(double lo, double hi, int64_t count, int64_t stride,
                          sfi_ticks *out)
{
    memset(out, 0, sizeof *out);
    const int64_t least = (count + SFI_MAX_TICKS - 1) / SFI_MAX_TICKS;
    stride = stride < least ? least : stride;
    for (int64_t i = 0; i < count && out->count < SFI_MAX_TICKS; i += stride)
        if ((double)i >= lo && (double)i <= hi)
            out->at[out->count++] = (double)i;
}
