/* SPDX-License-Identifier: Apache-2.0 */
/* date.c - days and instants as ISO 8601 writes them, as numbers.
 *
 * Years are taken to begin in March, so that the leap day is their last; 400 of them
 * have 146097 days, and the months from March on have 153 days in fives. */
#include "table/date.h"

#include <stddef.h>

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
