/* SPDX-License-Identifier: Apache-2.0 */
/* calendar.h - numbers of a time axis as dates, and back.
 *
 * A time axis holds numbers "UNIT since DATE" in a calendar.  They stay numbers;
 * dates are for what people type and read:
 *
 *     standard, gregorian   Julian until 4 October 1582, the day after which is
 *                           15 October, Gregorian
 *     proleptic_gregorian   Gregorian for ever
 *     julian                Julian for ever
 *     noleap, 365_day       no 29 February
 *     all_leap, 366_day     29 February in every year
 *     360_day               twelve months of 30 days
 *
 * Year 0 is the one before year 1 (astronomers' count) in all of them.  Months and
 * years as units have their mean length of udunits2: a year is 365.242198781
 * days (the tropical one), a month a twelfth of it.  CF Conventions 1.8, 4.4. */
#ifndef SFI_CALENDAR_H
#define SFI_CALENDAR_H

#include "base/context.h"

typedef enum sfi_calendar {
    SFI_CALENDAR_STANDARD = 0,
    SFI_CALENDAR_PROLEPTIC,
    SFI_CALENDAR_JULIAN,
    SFI_CALENDAR_NOLEAP,
    SFI_CALENDAR_ALL_LEAP,
    SFI_CALENDAR_360
} sfi_calendar;

typedef struct sfi_date {
    int64_t year;
    int month, day, hour, minute; /* month and day count from 1             */
    double second;
} sfi_date;

/* What a time axis counts in. */
typedef struct sfi_clock_unit {
    sfi_calendar calendar;
    double seconds;       /* of one unit                                    */
    bool is_mean;         /* months or years: a mean length                 */
    int64_t epoch_day;    /* of "since": sfi_calendar_days()                */
    double epoch_seconds; /* of that day, time zone included                */
} sfi_clock_unit;

/* Number of a day, which must exist, counted from 1970-01-01 (in the Julian calendar
 * from the same day, its 1969-12-19). */
int64_t sfi_calendar_days(sfi_calendar calendar, int64_t year, int month,
                          int day);

/* Length of a month, 1 to 12 (21 for October 1582 in the standard one). */
int sfi_calendar_month(sfi_calendar calendar, int64_t year, int month);

/* "standard", ...; and back: false if there is no such calendar.  NULL is
 * standard. */
const char *sfi_calendar_name(sfi_calendar calendar);
bool sfi_calendar_find(const char *name, sfi_calendar *out);

/* Whether a text looks like a unit of time since a date. */
bool sfi_time_is_dated(const char *unit);

/* Understand "hours since 1970-01-01 00:00:00" in a calendar (NULL: standard).
 * Returns SF_OK, or SF_E_FORMAT: the message says what is wrong with which. */
sf_status sfi_time_read(sf_context *ctx, sfi_clock_unit *out, const char *unit,
                        const char *calendar);

/* The date of a number, rounded to the millisecond; false if it is not finite or
 * more than 10^9 years away. */
bool sfi_time_date(const sfi_clock_unit *unit, double value, sfi_date *out);

/* The number of a date. */
double sfi_time_number(const sfi_clock_unit *unit, const sfi_date *date);

/* Read "1990-01-16", with "T12:30:15.5" or " 12:30" behind it if wanted; "1990-01"
 * and "1990" stand for their first day.  *fields says how many of year, month, day,
 * hour, minute, second were there.
 * False unless the whole text is a date of this calendar. */
bool sfi_date_read(sfi_calendar calendar, const char *text, sfi_date *out,
                   int *fields);

enum { SFI_DATE_SIZE = 48 };

/* "1990-01-16 12:30:00", without seconds where they are 0, without a time where
 * that is 00:00.  Returns `text`. */
const char *sfi_date_write(const sfi_date *date, char text[SFI_DATE_SIZE]);

#endif
