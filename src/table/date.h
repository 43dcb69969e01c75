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

#endif
