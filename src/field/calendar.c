/* SPDX-License-Identifier: Apache-2.0 */
/* calendar.c - numbers of a time axis as dates, and back.
 *
 * Day numbers of the Julian and Gregorian calendars are those of years that begin
 * in March, so that the day a leap year inserts is the last one: with y such a
 * year and m months after March, the days before them are
 *
 *     365 y + [y/4] (- [y/100] + [y/400])   and   [(153 m + 2)/5]
 *
 * (E. G. Richards, Mapping Time, Oxford 1998, ch. 25).  A date is found from a day
 * by an estimate of the year, which is never wrong by more than one. */
#include "field/calendar.h"

#include "base/text.h"
#include "num/decimal.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    sfi_calendar calendar;
} names[] = {{"standard", SFI_CALENDAR_STANDARD},
             {"proleptic_gregorian", SFI_CALENDAR_PROLEPTIC},
             {"julian", SFI_CALENDAR_JULIAN},
             {"noleap", SFI_CALENDAR_NOLEAP},
             {"all_leap", SFI_CALENDAR_ALL_LEAP},
             {"360_day", SFI_CALENDAR_360},
             {"gregorian", SFI_CALENDAR_STANDARD},
             {"365_day", SFI_CALENDAR_NOLEAP},
             {"366_day", SFI_CALENDAR_ALL_LEAP}};

const char *sfi_calendar_name(sfi_calendar calendar)
{
    return names[calendar].name;
}

bool sfi_calendar_find(const char *name, sfi_calendar *out)
{
    *out = SFI_CALENDAR_STANDARD;
    if (name == NULL || name[0] == '\0')
        return true;
    for (size_t i = 0; i < SFI_COUNT(names); i++)
        if (strcasecmp(name, names[i].name) == 0) {
            *out = names[i].calendar;
            return true;
        }
    return false;
}

/* ---- days ------------------------------------------------------------------- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* The last day of the Julian part of the standard calendar is 4 October 1582, day
 * -141428; the next one is 15 October. */
enum { FIRST_GREGORIAN = -141427 };

static int64_t from_march(bool is_gregorian, int64_t year, int month, int day)
{
    const int64_t y = year - (month < 3);
    const int m = (month + 9) % 12;
    const int64_t days = 365 * y + floor_div(y, 4) + (153 * m + 2) / 5 + day;
    /* 1970-01-01 is day 719469 of this count in the Gregorian calendar, and
     * 19 December 1969, 719471, in the Julian one. */
    return is_gregorian ? days - floor_div(y, 100) + floor_div(y, 400) - 719469
                        : days - 719471;
}

static bool is_leap(sfi_calendar calendar, int64_t year)
{
    switch (calendar) {
    case SFI_CALENDAR_NOLEAP:
    case SFI_CALENDAR_360:
        return false;
    case SFI_CALENDAR_ALL_LEAP:
        return true;
    case SFI_CALENDAR_JULIAN:
        return year % 4 == 0;
    case SFI_CALENDAR_STANDARD:
        if (year <= 1582)
            return year % 4 == 0;
        break;
    case SFI_CALENDAR_PROLEPTIC:
        break;
    }
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

int sfi_calendar_month(sfi_calendar calendar, int64_t year, int month)
{
    if (calendar == SFI_CALENDAR_360)
        return 30;
    if (calendar == SFI_CALENDAR_STANDARD && year == 1582 && month == 10)
        return 21;
    return lengths[month - 1] + (month == 2 && is_leap(calendar, year));
}

int64_t sfi_calendar_days(sfi_calendar calendar, int64_t year, int month,
                          int day)
{
    int64_t before = 0;
    switch (calendar) {
    case SFI_CALENDAR_360:
        return (year - 1970) * 360 + (month - 1) * 30 + day - 1;
    case SFI_CALENDAR_NOLEAP:
    case SFI_CALENDAR_ALL_LEAP:
        for (int m = 1; m < month; m++)
            before += sfi_calendar_month(calendar, year, m);
        return (year - 1970) * (calendar == SFI_CALENDAR_NOLEAP ? 365 : 366) +
               before + day - 1;
    case SFI_CALENDAR_JULIAN:
        return from_march(false, year, month, day);
    case SFI_CALENDAR_STANDARD:
        before = from_march(true, year, month, day);
        return before >= FIRST_GREGORIAN ? before
                                         : from_march(false, year, month, day);
    case SFI_CALENDAR_PROLEPTIC:
        break;
    }
    return from_march(true, year, month, day);
}

static bool day_exists(sfi_calendar calendar, const sfi_date *d)
{
    if (d->month < 1 || d->month > 12 || d->day < 1)
        return false;
    if (calendar == SFI_CALENDAR_STANDARD && d->year == 1582 && d->month == 10)
        return d->day <= 31 && (d->day <= 4 || d->day >= 15);
    return d->day <= sfi_calendar_month(calendar, d->year, d->month);
}

/* The year, month and day of a day number. */
static void date_of_day(sfi_calendar calendar, int64_t days, sfi_date *out)
{
    static const double year_days[] = {365.2425, 365.2425, 365.25,
                                       365.0,    366.0,    360.0};
    const bool is_julian =
        calendar == SFI_CALENDAR_STANDARD && days < FIRST_GREGORIAN;
    const double length = year_days[is_julian ? SFI_CALENDAR_JULIAN : calendar];
    out->year = 1970 + (int64_t)floor((double)days / length);
    while (sfi_calendar_days(calendar, out->year, 1, 1) > days)
        out->year--;
    while (sfi_calendar_days(calendar, out->year + 1, 1, 1) <= days)
        out->year++;
    out->month = 12;
    while (sfi_calendar_days(calendar, out->year, out->month, 1) > days)
        out->month--;
    out->day =
        (int)(days - sfi_calendar_days(calendar, out->year, out->month, 1)) + 1;
    if (calendar == SFI_CALENDAR_STANDARD && out->year == 1582 &&
        out->month == 10 && out->day > 4)
        out->day += 10;
}

/* ---- texts ------------------------------------------------------------------ */

/* Digits as a number below 10^9; false if there are none. */
static bool read_digits(const char **p, int64_t *out)
{
    int count = 0;
    *out = 0;
    for (; isdigit((unsigned char)**p) && count < 9; (*p)++, count++)
        *out = *out * 10 + (**p - '0');
    return count > 0 && !isdigit((unsigned char)**p);
}

static bool read_day(const char **p, sfi_date *d, int *fields)
{
    int64_t n = 0;
    const char *at = *p;
    const bool is_before = *at == '-';
    at += is_before || *at == '+';
    if (!read_digits(&at, &n))
        return false;
    *d = (sfi_date){is_before ? -n : n, 1, 1, 0, 0, 0.0};
    *fields = 1;
    int *const parts[] = {&d->month, &d->day};
    for (int i = 0; i < 2 && *at == '-'; i++, (*fields)++) {
        at++;
        if (!read_digits(&at, &n))
            return false;
        *parts[i] = (int)n;
    }
    *p = at;
    return true;
}

/* Hours, minutes and seconds; *p stays where there are none. */
static bool read_clock(const char **p, sfi_date *d, int *fields)
{
    int64_t n = 0;
    const char *at = *p;
    if (!isdigit((unsigned char)*at))
        return true;
    if (!read_digits(&at, &n) || n > 24)
        return false;
    d->hour = (int)n;
    *fields = 4;
    if (*at == ':') {
        at++;
        if (!read_digits(&at, &n) || n > 59)
            return false;
        d->minute = (int)n;
        *fields = 5;
    }
    if (*fields == 5 && *at == ':') {
        at = sfi_number_parse(at + 1, &d->second);
        if (at == NULL || !(d->second >= 0.0 && d->second < 61.0))
            return false;
        *fields = 6;
    }
    *p = at;
    return true;
}

static void skip_blanks(const char **p)
{
    while (**p == ' ' || **p == '\t')
        (*p)++;
}

static bool read_date(sfi_calendar calendar, const char **p, sfi_date *d,
                      int *fields)
{
    if (!read_day(p, d, fields) || !day_exists(calendar, d))
        return false;
    if (*fields < 3)
        return true;
    if (**p == 'T' || **p == 't')
        (*p)++;
    else
        skip_blanks(p);
    return read_clock(p, d, fields);
}

bool sfi_date_read(sfi_calendar calendar, const char *text, sfi_date *out,
                   int *fields)
{
    skip_blanks(&text);
    if (!read_date(calendar, &text, out, fields))
        return false;
    if (*text == 'Z')
        text++;
    skip_blanks(&text);
    return *text == '\0';
}

const char *sfi_date_write(const sfi_date *d, char text[SFI_DATE_SIZE])
{
    const int n = snprintf(text, SFI_DATE_SIZE, "%04lld-%02d-%02d",
                           (long long)d->year, d->month, d->day);
    const double whole = floor(d->second);
    if (d->second != whole)
        snprintf(text + n, SFI_DATE_SIZE - (size_t)n, " %02d:%02d:%06.3f",
                 d->hour, d->minute, d->second);
    else if (d->second != 0.0)
        snprintf(text + n, SFI_DATE_SIZE - (size_t)n, " %02d:%02d:%02.0f",
                 d->hour, d->minute, d->second);
    else if (d->hour != 0 || d->minute != 0)
        snprintf(text + n, SFI_DATE_SIZE - (size_t)n, " %02d:%02d", d->hour,
                 d->minute);
    return text;
}

/* ---- units ------------------------------------------------------------------ */

#define YEAR_SECONDS (365.242198781 * 86400.0)

static const struct {
    const char *name; /* "a|b|c", without the s of the plural               */
    double seconds;
    bool is_mean;
} clock_units[] = {{"microsecond|microsec", 1e-6, false},
                   {"millisecond|millisec|msec", 1e-3, false},
                   {"second|sec|s", 1.0, false},
                   {"minute|min", 60.0, false},
                   {"hour|hr|h", 3600.0, false},
                   {"day|d", 86400.0, false},
                   {"week", 604800.0, false},
                   {"month", YEAR_SECONDS / 12.0, true},
                   {"year|yr", YEAR_SECONDS, true},
                   {"common_year", 365.0 * 86400.0, false}};

static bool find_clock_unit(const char *word, size_t size, sfi_clock_unit *out)
{
    char lower[24];
    if (size == 0 || size >= sizeof lower)
        return false;
    for (size_t i = 0; i < size; i++)
        lower[i] = (char)tolower((unsigned char)word[i]);
    for (int plural = 0; plural < 2; plural++) {
        if (plural == 1 && lower[--size] != 's')
            return false;
        for (size_t i = 0; i < SFI_COUNT(clock_units) && size > 0; i++)
            if (sfi_find_choice(clock_units[i].name, lower, size) >= 0) {
                out->seconds = clock_units[i].seconds;
                out->is_mean = clock_units[i].is_mean;
                return true;
            }
    }
    return false;
}

/* Where the date of "UNIT since DATE" begins, and how long UNIT is; NULL if it is
 * not of that form. */
static const char *find_since(const char *unit, size_t *size)
{
    const char *since = strstr(unit, " since ");
    if (since == NULL)
        since = strstr(unit, " SINCE ");
    if (since == NULL)
        return NULL;
    *size = (size_t)(since - unit);
    while (*size > 0 && unit[*size - 1] == ' ')
        (*size)--;
    return since + 7;
}

bool sfi_time_is_dated(const char *unit)
{
    size_t size = 0;
    return unit != NULL && find_since(unit, &size) != NULL;
}

/* Seconds to take off for a time zone: "Z", "UTC", "+2", "-05:30", "+0530". */
static bool read_zone(const char **p, double *seconds)
{
    skip_blanks(p);
    *seconds = 0.0;
    if (strncmp(*p, "UTC", 3) == 0 || strncmp(*p, "GMT", 3) == 0)
        *p += 3;
    else if (**p == 'Z')
        (*p)++;
    skip_blanks(p);
    if (**p != '+' && **p != '-')
        return true;
    const double sign = **p == '-' ? -1.0 : 1.0;
    const char *const digits = ++*p;
    int64_t hours = 0, minutes = 0;
    if (!read_digits(p, &hours))
        return false;
    if (**p == ':') {
        (*p)++;
        if (!read_digits(p, &minutes))
            return false;
    } else if (*p - digits > 2) {
        minutes = hours % 100;
        hours /= 100;
    }
    *seconds = sign * (double)(hours * 3600 + minutes * 60);
    return hours < 24 && minutes < 60;
}

static double clock_seconds(const sfi_date *d)
{
    return d->hour * 3600.0 + d->minute * 60.0 + d->second;
}

sf_status sfi_time_read(sf_context *ctx, sfi_clock_unit *out, const char *unit,
                        const char *calendar)
{
    char shown[SFI_SHOW_SIZE];
    size_t size = 0;
    sfi_date epoch;
    int fields = 0;
    double zone = 0.0;
    *out = (sfi_clock_unit){.seconds = 1.0};
    if (!sfi_calendar_find(calendar, &out->calendar))
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "the calendar \"%s\" is not known, want standard, "
                        "proleptic_gregorian, julian, noleap, all_leap or "
                        "360_day",
                        sfi_show(shown, calendar, strlen(calendar)));
    const char *p = unit != NULL ? find_since(unit, &size) : NULL;
    if (p == NULL)
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "the unit of time is \"%s\", want UNIT since DATE",
                        unit != NULL ? sfi_show(shown, unit, strlen(unit))
                                     : "");
    while (*unit == ' ') {
        unit++;
        size--;
    }
    if (!find_clock_unit(unit, size, out))
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "\"%s\" is not a unit of time, want seconds, minutes, "
                        "hours, days, months or years",
                        sfi_show(shown, unit, size));
    skip_blanks(&p);
    const char *const date = p;
    if (!read_date(out->calendar, &p, &epoch, &fields) ||
        !read_zone(&p, &zone) || *p != '\0')
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "\"%s\" is not a date of the calendar %s, want "
                        "YYYY-MM-DD hh:mm:ss",
                        sfi_show(shown, date, strlen(date)),
                        sfi_calendar_name(out->calendar));
    out->epoch_day =
        sfi_calendar_days(out->calendar, epoch.year, epoch.month, epoch.day);
    out->epoch_seconds = clock_seconds(&epoch) - zone;
    return SF_OK;
}

bool sfi_time_date(const sfi_clock_unit *u, double value, sfi_date *out)
{
    const double seconds = value * u->seconds + u->epoch_seconds;
    double days = floor(seconds / 86400.0);
    if (!(fabs(days) < 3.6e11))
        return false;
    double rest = nearbyint((seconds - days * 86400.0) * 1e3) / 1e3;
    if (rest >= 86400.0) {
        rest -= 86400.0;
        days += 1.0;
    }
    date_of_day(u->calendar, u->epoch_day + (int64_t)days, out);
    out->hour = (int)(rest / 3600.0);
    out->minute = (int)((rest - out->hour * 3600.0) / 60.0);
    out->second = rest - out->hour * 3600.0 - out->minute * 60.0;
    /* The millisecond again: the differences above are not exact. */
    out->second = nearbyint(out->second * 1e3) / 1e3;
    return true;
}

double sfi_time_number(const sfi_clock_unit *u, const sfi_date *d)
{
    const int64_t days =
        sfi_calendar_days(u->calendar, d->year, d->month, d->day) -
        u->epoch_day;
    return ((double)days * 86400.0 + clock_seconds(d) - u->epoch_seconds) /
           u->seconds;
}
