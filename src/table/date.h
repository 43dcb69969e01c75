/* SPDX-License-Identifier: Apache-2.0 */
/* date.h - days and instants as ISO 8601 writes them, as numbers. */
#ifndef SFI_DATE_H
#define SFI_DATE_H

#include <stdbool.h>
#include <stdint.h>

/* Days from 1970-01-01 to a day of the Gregorian calendar, also before it was in
 * use. */
int64_t sfi_days_of(int64_t year, int month, int day);

/* Read YYYY-MM-DD, or with T or a blank hh:mm[:ss[.fff]][Z|+hh:mm|-hh:mm] after it,
 * to seconds since 1970 in UTC (in its own time where it does not say).  False if
 * the text is nothing of that, or no day of the calendar. */
bool sfi_date_parse(const char *text, double *seconds, bool *has_time);

/* ---- as they were spelled ----------------------------------------------------
 *
 * How the dates of a column are spelled, to the finest step that is among them:
 *
 *     YYYY-MM-DD      YYYY-MM-DDThh:mm+02:00      YYYY-MM-DD hh:mm:ss.fffZ
 *
 * with the mark before the time, the digits of the fraction, and the zone that all
 * of them have; where zones differ, Z. */
enum { SFI_DATE_ZONE = 8, SFI_DATE_SPELLING = 48, SFI_DATE_TEXT = 48 };

typedef struct sfi_date_style {
    bool is_known;
    bool has_time, has_seconds;
    char mark;                /* 'T' or ' ' */
    int digits;               /* of the fraction of a second, 0 to 9         */
    char zone[SFI_DATE_ZONE]; /* "", "Z", "+hh:mm", "+hhmm" or "+hh"         */
} sfi_date_style;

/* Take a text that sfi_date_parse() reads into a style, zeroed at first. */
void sfi_date_see(sfi_date_style *style, const char *text);

/* A style as text, and from one; false if it is none. */
void sfi_date_style_write(const sfi_date_style *style,
                          char text[SFI_DATE_SPELLING]);
bool sfi_date_style_read(const char *text, sfi_date_style *style);

/* An instant in seconds since 1970 as a style spells it, rounded to its step;
 * beyond the years 0000 to 9999 the nearest that has four digits. */
void sfi_date_spell(const sfi_date_style *style, double seconds,
                    char text[SFI_DATE_TEXT]);

#endif
