/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/random.h"
#include "plot/ticks.h"

static void check_labels(const sfi_ticks *t, int count,
                         const char *const *labels, const char *note)
{
    assert_int_equal(t->count, count);
    for (int i = 0; i < count; i++)
        assert_string_equal(t->label[i], labels[i]);
    assert_string_equal(t->note, note);
}

#define LABELS(t, note, ...)                                                   \
    do {                                                                       \
        const char *const labels_[] = {__VA_ARGS__};                           \
        check_labels((t), (int)SFI_COUNT(labels_), labels_, (note));           \
    } while (0)

TEST(marks_are_multiples_of_one_two_and_five)
{
    sfi_ticks t;
    sfi_ticks_linear(0.0, 1.0, 6, &t);
    LABELS(&t, "", "0", "0.2", "0.4", "0.6", "0.8", "1.0");
    CHECK(t.at[3] == 0.6);
    sfi_ticks_linear(-1.0, 1.0, 5, &t);
    LABELS(&t, "", "−1.0", "−0.5", "0", "0.5", "1.0");
    CHECK(t.at[2] == 0.0 && !signbit(t.at[2]));
    sfi_ticks_linear(36.5, 102.4, 8, &t);
    LABELS(&t, "", "40", "50", "60", "70", "80", "90", "100");
    sfi_ticks_linear(-4.0, 4.0, 4, &t); /* of 5, only 0 would be left */
    LABELS(&t, "", "−4", "0", "4");
    sfi_ticks_linear(0.0, 5000.0, 6, &t);
    LABELS(&t, "", "0", "1000", "2000", "3000", "4000", "5000");
}

/* -0 can arise from 0 times a negative number: no label and no mark shows it. */
TEST(zero_has_no_sign)
{
    sfi_ticks t;
    sfi_ticks_linear(-0.0, 3.0, 4, &t);
    LABELS(&t, "", "0", "1", "2", "3");
    sfi_ticks_linear(-3.0, -0.0, 4, &t);
    LABELS(&t, "", "−3", "−2", "−1", "0");
    char text[SFI_TICK_BYTES];
    sfi_number_text(-0.0, 4, text, sizeof text);
    assert_string_equal(text, "0");
}

TEST(large_and_small_marks_share_a_power)
{
    sfi_ticks t;
    sfi_ticks_linear(0.0, 3e6, 4, &t);
    LABELS(&t, "×10⁶", "0", "1", "2", "3");
    sfi_ticks_linear(1e-7, 4e-7, 4, &t);
    LABELS(&t, "×10⁻⁷", "1", "2", "3", "4");
    sfi_ticks_linear(-1e300, 2e300, 4, &t);
    LABELS(&t, "×10³⁰⁰", "−1", "0", "1", "2");
    sfi_ticks_linear(0.0, 4e-300, 3, &t);
    LABELS(&t, "×10⁻³⁰⁰", "0", "2", "4");
}

TEST(what_marks_have_in_common_is_taken_out)
{
    sfi_ticks t;
    sfi_ticks_linear(1e9, 1e9 + 4.0, 5, &t);
    LABELS(&t, "+ 10⁹", "0", "1", "2", "3", "4");
    sfi_ticks_linear(999999999.0, 1000000001.0, 3, &t);
    LABELS(&t, "+ 10⁹", "−1", "0", "1");
    sfi_ticks_linear(-1e9 - 1.0, -1e9 + 1.0, 3, &t);
    LABELS(&t, "− 10⁹", "−1", "0", "1");
    /* Few digits stay as they are. */
    sfi_ticks_linear(2007.0, 2009.0, 3, &t);
    LABELS(&t, "", "2007", "2008", "2009");
}

/* The number that a label means: UTF-8 minus signs and powers of ten. */
static double meaning(const char *label)
{
    double sign = 1.0;
    if (strncmp(label, "−", 3) == 0) {
        sign = -1.0;
        label += 3;
    }
    return sign * atof(label);
}

/* "×10⁻⁷", "+ 1.5×10⁹", "− 3", or both of them: factor and summand. */
static void read_note(const char *note, double *factor, double *summand)
{
    static const char *const digit[] = {"⁰", "¹", "²", "³", "⁴",
                                        "⁵", "⁶", "⁷", "⁸", "⁹"};
    double value = 1.0, sign = 0.0;
    *factor = 1.0;
    *summand = 0.0;
    const char *p = note;
    while (*p != '\0') {
        if (*p == ' ') {
            p++;
        } else if (*p == '+' || strncmp(p, "−", 3) == 0) {
            sign = *p == '+' ? 1.0 : -1.0;
            p += *p == '+' ? 1 : 3;
        } else if (strncmp(p, "×", 2) == 0) {
            p += 2;
        } else {
            char *end = NULL;
            value = strtod(p, &end);
            p = end;
            int power = 0, power_sign = 1;
            if (strncmp(p, "⁻", 3) == 0) {
                power_sign = -1;
                p += 3;
            }
            bool any = true;
            while (any) {
                any = false;
                for (int d = 0; d < 10; d++)
                    if (strncmp(p, digit[d], strlen(digit[d])) == 0) {
                        power = 10 * power + d;
                        p += strlen(digit[d]);
                        any = true;
                        break;
                    }
            }
            if (value == 10.0 && power != 0)
                value = pow(10.0, power_sign * power);
            if (sign == 0.0)
                *factor *= value;
            else
                *summand = *summand == 0.0 ? sign * value : *summand * value;
        }
    }
}

/* 20000 ranges over all magnitudes, with and without an offset: the marks lie
 * inside, are equally spaced, at least two, not more than asked for, and every
 * label, multiplied and shifted as the note says, is the mark to within a
 * hundredth of their distance. */
TEST(every_label_means_its_mark)
{
    for (int trial = 0; trial < 20000; trial++) {
        const sfi_where w = {3, (uint64_t)trial, 0, SFI_STREAM_USER};
        const double width = pow(10.0, -299.0 + 600.0 * sfi_uniform_at(w, 0));
        double lo = width * (2.0 * sfi_uniform_at(w, 1) - 1.5);
        if (trial % 3 == 0)
            lo *= pow(10.0, 11.0 * sfi_uniform_at(w, 2));
        double hi = lo + width;
        if (!(fabs(lo) < 1e306 && fabs(hi) < 1e306))
            continue;
        sfi_ticks_range(&lo, &hi, false);
        const int most = 2 + (int)(8.0 * sfi_uniform_at(w, 3));
        sfi_ticks t;
        sfi_ticks_linear(lo, hi, most, &t);
        CHECK(t.count <= most);
        CHECK(t.count >= (most > 2 ? 2 : 1));
        const double step = t.count > 1 ? t.at[1] - t.at[0] : hi - lo;
        double factor, summand;
        read_note(t.note, &factor, &summand);
        for (int i = 0; i < t.count; i++) {
            const double slack = 1e-9 * (hi - lo);
            CHECK(t.at[i] >= lo - slack && t.at[i] <= hi + slack);
            if (i > 0)
                CHECK_NEAR(t.at[i] - t.at[i - 1], step, 1e-2 * step);
            CHECK_NEAR(meaning(t.label[i]) * factor + summand, t.at[i],
                       1e-2 * step);
        }
    }
}

TEST(minor_marks_lie_between)
{
    sfi_ticks t;
    sfi_ticks_linear(0.0, 1.0, 6, &t); /* step 0.2, halves */
    assert_int_equal(t.minor_count, 5);
    CHECK_NEAR(t.minor[0], 0.1, 1e-15);
    CHECK_NEAR(t.minor[4], 0.9, 1e-15);
    sfi_ticks_linear(0.0, 10.0, 3, &t); /* step 5, fifths */
    assert_int_equal(t.minor_count, 8);
    CHECK_NEAR(t.minor[7], 9.0, 1e-15);
}

TEST(logarithmic_marks_are_powers_of_ten)
{
    sfi_ticks t;
    sfi_ticks_log(1.0, 1e4, 7, &t);
    LABELS(&t, "", "1", "10", "100", "1000", "10000");
    assert_int_equal(t.minor_count, 4 * 8);
    sfi_ticks_log(1e-8, 1e-5, 6, &t);
    LABELS(&t, "", "10⁻⁸", "10⁻⁷", "10⁻⁶", "10⁻⁵");
    sfi_ticks_log(1e-300, 1e300, 5, &t);
    CHECK(t.count >= 2 && t.count <= 5);
    for (int i = 0; i < t.count; i++)
        CHECK_NEAR(log10(t.at[i]), floor(log10(t.at[i]) + 0.5), 1e-9);
}

TEST(short_logarithmic_axes_get_one_two_five)
{
    sfi_ticks t;
    sfi_ticks_log(1.0, 100.0, 7, &t);
    LABELS(&t, "", "1", "2", "5", "10", "20", "50", "100");
    sfi_ticks_log(3.0, 4.0, 6, &t); /* linear: not even one of them */
    CHECK(t.count >= 2);
    CHECK_NEAR(t.at[1] - t.at[0], 0.2, 1e-12);
}

TEST(ranges_become_what_an_axis_can_show)
{
    const struct {
        double lo, hi;
    } given[] = {{0.0, 0.0},          {5.0, 5.0},         {-7e300, -7e300},
                 {NAN, 1.0},          {3.0, 2.0},         {-INFINITY, INFINITY},
                 {1e9, 1e9},          {1.0, 1.0 + 1e-15}, {1e-320, 2e-320},
                 {-1.7e308, 1.7e308}, {1.7e308, 1.7e308}};
    for (size_t k = 0; k < SFI_COUNT(given); k++)
        for (int log_scale = 0; log_scale < 2; log_scale++) {
            double lo = given[k].lo, hi = given[k].hi;
            sfi_ticks_range(&lo, &hi, log_scale == 1);
            CHECK(isfinite(lo) && isfinite(hi) && lo < hi);
            CHECK(isfinite(hi - lo));
            CHECK(log_scale == 0 || lo > 0.0);
            sfi_ticks t;
            if (log_scale == 1)
                sfi_ticks_log(lo, hi, 6, &t);
            else
                sfi_ticks_linear(lo, hi, 6, &t);
            CHECK(t.count >= 1 && t.count <= 6);
        }
    double lo = 5.0, hi = 5.0;
    sfi_ticks_range(&lo, &hi, false);
    CHECK_NEAR(lo, 4.5, 1e-12);
    CHECK_NEAR(hi, 5.5, 1e-12);
    lo = hi = 0.0;
    sfi_ticks_range(&lo, &hi, false);
    CHECK(lo == -1.0 && hi == 1.0);
}

TEST(numbers_are_written_for_people)
{
    const struct {
        double x;
        int digits;
        const char *text;
    } known[] = {{0.5, 4, "0.5"},           {-0.25, 4, "−0.25"},
                 {1234.5678, 6, "1234.57"}, {100000.0, 3, "100000"},
                 {1e6, 3, "10⁶"},           {1.25e-9, 4, "1.25×10⁻⁹"},
                 {-3e300, 4, "−3×10³⁰⁰"},   {0.0001, 3, "0.0001"},
                 {90.0, 3, "90"},           {(double)NAN, 3, "NaN"},
                 {-INFINITY, 3, "−∞"}};
    for (size_t k = 0; k < SFI_COUNT(known); k++) {
        char text[SFI_TICK_BYTES];
        sfi_number_text(known[k].x, known[k].digits, text, sizeof text);
        assert_string_equal(text, known[k].text);
    }
}

TEST(too_many_categories_are_thinned_out)
{
    sfi_ticks t;
    sfi_ticks_categories(-0.6, 2.6, 3, 1, &t);
    assert_int_equal(t.count, 3);
    CHECK(t.at[2] == 2.0);
    sfi_ticks_categories(-0.6, 99.6, 100, 1, &t);
    assert_int_equal(t.count, 20); /* every fifth: 24 at the most */
    sfi_ticks_categories(-0.6, 9.6, 10, 4, &t);
    assert_int_equal(t.count, 3);
    CHECK(t.at[1] == 4.0);
}

/* Multiples of a step of the compass; 300 degrees east is 60 west. */
TEST(degrees_have_letters_for_their_sides)
{
    sfi_ticks t;
    sfi_ticks_degrees(-1.25, 358.75, 9, "EW", &t);
    assert_int_equal(t.count, 8);
    CHECK(t.at[1] == 45.0);
    assert_string_equal(t.label[0], "0°");
    assert_string_equal(t.label[4], "180°");
    assert_string_equal(t.label[6], "90°W");
    sfi_ticks_degrees(-90.0, 90.0, 7, "NS", &t);
    assert_int_equal(t.count, 7);
    assert_string_equal(t.label[0], "90°S");
    assert_string_equal(t.label[5], "60°N");
    sfi_ticks_degrees(10.0, 11.0, 6, "EW", &t);
    assert_string_equal(t.label[1], "10.2°E");
}

TESTS(CASE(marks_are_multiples_of_one_two_and_five), CASE(zero_has_no_sign),
      CASE(large_and_small_marks_share_a_power),
      CASE(what_marks_have_in_common_is_taken_out),
      CASE(every_label_means_its_mark), CASE(minor_marks_lie_between),
      CASE(logarithmic_marks_are_powers_of_ten),
      CASE(short_logarithmic_axes_get_one_two_five),
      CASE(ranges_become_what_an_axis_can_show),
      CASE(numbers_are_written_for_people),
      CASE(too_many_categories_are_thinned_out),
      CASE(degrees_have_letters_for_their_sides))
