/* SPDX-License-Identifier: Apache-2.0 */
/* date.c - days and instants as ISO 8601 writes them, as numbers.
 *
 * Years are taken to begin in March, so that the leap day is their last; 400 of them
 * have 146097 days, and the months from March on have 153 days in fives. */
#include "table/date.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int64_t sfi_days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    const int64_t era = (year >= 0 ? year : year - 399) / 400;
    const int64_t of_era = year - era * 400;
    const int64_t of_year =
        (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    /* 719468 days lie between March 1st of the year 0 and 1970. */
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
           719468;
}

/* Read exactly `digits` digits. */
static bool take(const char **text, int digits, int *value)
{
    *value = 0;
    for (int i = 0; i < digits; i++, ++*text) {
        if (**text < '0' || **text > '9')
            return false;
        *value = 10 * *value + (**text - '0');
    }
    return true;
}

static bool take_byte(const char **text, char byte)
{
    const bool is_there = **text == byte;
    *text += is_there;
    return is_there;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

static bool take_day(const char **text, double *seconds)
{
    int year, month, day;
    if (!take(text, 4, &year) || !take_byte(text, '-') ||
        !take(text, 2, &month) || !take_byte(text, '-') || !take(text, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in(year, month))
        return false;
    *seconds = 86400.0 * (double)sfi_days_of(year, month, day);
    return true;
}

/* hh:mm[:ss[.fff]] */
static bool take_time(const char **text, double *seconds)
{
    int hour, minute, second = 0;
    double place = 1.0;
    if (!take(text, 2, &hour) || !take_byte(text, ':') ||
        !take(text, 2, &minute))
        return false;
    if (take_byte(text, ':') && !take(text, 2, &second))
        return false;
    /* A leap second is 60. */
    if (hour > 24 || minute > 59 || second > 60)
        return false;
    *seconds += 3600.0 * hour + 60.0 * minute + second;
    if (!take_byte(text, '.'))
        return true;
    if (**text < '0' || **text > '9')
        return false;
    int64_t fraction = 0;
    for (; **text >= '0' && **text <= '9'; ++*text)
        if (place < 1e9) {
            fraction = 10 * fraction + (**text - '0');
            place *= 10.0;
        }
    *seconds += (double)fraction / place;
    return true;
}

/* Z, +hh:mm, +hhmm, +hh, or nothing. */
static bool take_zone(const char **text, double *seconds)
{
    int hours, minutes = 0;
    if (**text == '\0' || take_byte(text, 'Z'))
        return true;
    const bool east = take_byte(text, '+');
    if (!east && !take_byte(text, '-'))
        return false;
    if (!take(text, 2, &hours) || hours > 24)
        return false;
    const bool colon = take_byte(text, ':');
    if ((colon || **text != '\0') && !take(text, 2, &minutes))
        return false;
    const double shift = 3600.0 * hours + 60.0 * minutes;
    *seconds += east ? -shift : shift;
    return minutes < 60;
}

bool sfi_date_parse(const char *text, double *seconds, bool *has_time)
{
    double found = 0.0;
    *has_time = false;
    if (!take_day(&text, &found))
        return false;
    if (*text != '\0') {
        *has_time = take_byte(&text, 'T') || take_byte(&text, ' ');
        if (!*has_time || !take_time(&text, &found) ||
            !take_zone(&text, &found))
            return false;
    }
    if (*text != '\0')
        return false;
    *seconds = found;
    return true;
}

/* ---- as they were spelled -------------------------------------------------- */

enum { DAY_SIZE = 10, MINUTE_SIZE = 16, SECOND_SIZE = 19, MOST_DIGITS = 9 };

void sfi_date_see(sfi_date_style *style, const char *text)
{
    const size_t size = strlen(text);
    const bool is_first = !style->is_known;
    style->is_known = true;
    if (size == DAY_SIZE)
        return;
    const bool is_first_time = is_first || !style->has_time;
    const char *zone = text + MINUTE_SIZE;
    int digits = 0;
    if (*zone == ':') {
        zone = text + SECOND_SIZE;
        style->has_seconds = true;
    }
    if (*zone == '.')
        for (zone++; *zone >= '0' && *zone <= '9'; zone++)
            digits += digits < MOST_DIGITS;
    style->digits = digits > style->digits ? digits : style->digits;
    style->has_time = true;
    if (is_first_time) {
        style->mark = text[DAY_SIZE];
        snprintf(style->zone, sizeof style->zone, "%s", zone);
    } else if (strcmp(style->zone, zone) != 0) {
        snprintf(style->zone, sizeof style->zone, "Z");
    }
}

void sfi_date_style_write(const sfi_date_style *style,
                          char text[SFI_DATE_SPELLING])
{
    int n = snprintf(text, SFI_DATE_SPELLING, "YYYY-MM-DD");
    if (!style->has_time)
        return;
    n += snprintf(text + n, SFI_DATE_SPELLING - (size_t)n, "%chh:mm%s%s",
                  style->mark, style->has_seconds ? ":ss" : "",
                  style->digits > 0 ? "." : "");
    snprintf(text + n, SFI_DATE_SPELLING - (size_t)n, "%.*s%s", style->digits,
             "fffffffff", style->zone);
}

static bool take_text(const char **text, const char *want)
{
    const size_t size = strlen(want);
    const bool is_there = strncmp(*text, want, size) == 0;
    *text += is_there ? size : 0;
    return is_there;
}

bool sfi_date_style_read(const char *text, sfi_date_style *style)
{
    double shift = 0.0;
    *style = (sfi_date_style){.is_known = true};
    if (!take_text(&text, "YYYY-MM-DD"))
        return false;
    if (*text == '\0')
        return true;
    style->has_time = true;
    style->mark = *text++;
    if ((style->mark != 'T' && style->mark != ' ') ||
        !take_text(&text, "hh:mm"))
        return false;
    style->has_seconds = take_text(&text, ":ss");
    if (style->has_seconds && take_text(&text, ".")) {
        while (style->digits < MOST_DIGITS && take_text(&text, "f"))
            style->digits++;
        if (style->digits == 0)
            return false;
    }
    const char *zone = text;
    if (strlen(zone) >= sizeof style->zone || !take_zone(&text, &shift) ||
        *text != '\0')
        return false;
    snprintf(style->zone, sizeof style->zone, "%s", zone);
    return true;
}

/* The day of the calendar: the inverse of sfi_days_of(), by the same years from
 * March on. */
static void day_of(int64_t days, int *year, int *month, int *day)
{
    days += 719468;
    const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const int64_t of_era = days - era * 146097;
    const int64_t years =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
    const int64_t march = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * march + 2) / 5 + 1);
    *month = (int)(march < 10 ? march + 3 : march - 9);
    *year = (int)(years + era * 400 + (*month <= 2));
}

void sfi_date_spell(const sfi_date_style *style, double seconds,
                    char text[SFI_DATE_TEXT])
{
    const char *zone = style->zone;
    double shift = 0.0; /* is subtracted when the zone is read */
    (void)take_zone(&zone, &shift);
    /* A step is unit/parts seconds, one of them 1: both are exact, as no tenth
     * of a second would be. */
    const double unit = !style->has_time      ? 86400.0
                        : !style->has_seconds ? 60.0
                                              : 1.0;
    const double parts = style->has_seconds ? pow(10.0, style->digits) : 1.0;
    const double first = 86400.0 * (double)sfi_days_of(0, 1, 1);
    const double last =
        86400.0 * (double)sfi_days_of(10000, 1, 1) - unit / parts;
    const double local =
        fmin(fmax(rint((seconds - shift) / unit * parts) / parts * unit, first),
             last);
    const double days = floor(local / 86400.0);
    const double of_day = local - 86400.0 * days;
    int year, month, day;
    day_of((int64_t)days, &year, &month, &day);
    int n = snprintf(text, SFI_DATE_TEXT, "%04d-%02d-%02d", year, month, day);
    if (!style->has_time)
        return;
    /* In whole steps, so that no 59.9996 becomes 60.000. */
    const int64_t steps = (int64_t)rint(of_day / unit * parts);
    const int64_t each = (int64_t)(60.0 / unit * parts); /* of a minute */
    const int64_t minutes = steps / each;
    n += snprintf(text + n, SFI_DATE_TEXT - (size_t)n, "%c%02d:%02d",
                  style->mark, (int)(minutes / 60), (int)(minutes % 60));
    if (style->has_seconds) {
        const int64_t second = each / 60;
        const int64_t rest = steps % each;
        n += snprintf(text + n, SFI_DATE_TEXT - (size_t)n, ":%02d",
                      (int)(rest / second));
        if (style->digits > 0)
            n += snprintf(text + n, SFI_DATE_TEXT - (size_t)n, ".%0*lld",
                          style->digits, (long long)(rest % second));
    }
    snprintf(text + n, SFI_DATE_TEXT - (size_t)n, "%s", style->zone);
}
