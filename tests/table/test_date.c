/* SPDX-License-Identifier: Apache-2.0 */
/* Days and instants: known ones, the calendar's own rules, and what is none. */
#include "check.h"

#include "table/date.h"

/* `date -u -d DATE +%s` of GNU coreutils, divided by 86400. */
TEST(days_count_from_1970)
{
    (void)state_;
    CHECK(sfi_days_of(1970, 1, 1) == 0);
    CHECK(sfi_days_of(1969, 12, 31) == -1);
    CHECK(sfi_days_of(2000, 2, 29) == 11016);
    CHECK(sfi_days_of(2024, 5, 1) == 19844);
    CHECK(sfi_days_of(1600, 1, 1) == -135140);
    CHECK(sfi_days_of(1, 1, 1) == -719162);
    CHECK(sfi_days_of(9999, 12, 31) == 2932896);
}

/* 400 years have 146097 days, and each day follows the one before. */
TEST(every_day_of_400_years_is_the_next)
{
    (void)state_;
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t next = sfi_days_of(1800, 1, 1);
    for (int year = 1800; year < 2200; year++)
        for (int month = 1; month <= 12; month++) {
            const bool leap =
                year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            for (int day = 1; day <= days[month - 1] + (month == 2 && leap);
                 day++)
                CHECK(sfi_days_of(year, month, day) == next++);
        }
    CHECK(next - sfi_days_of(1800, 1, 1) == 146097);
}

TEST(texts_of_iso_8601_are_read)
{
    (void)state_;
    static const struct {
        const char *text;
        double seconds;
        bool has_time;
    } dates[] = {{"2024-05-01", 1714521600, false},
                 {"2024-05-01T12:30", 1714566600, true},
                 {"2024-05-01 12:30:15", 1714566615, true},
                 {"2024-05-01T12:30:15.25Z", 1714566615.25, true},
                 {"2024-05-01T12:30:15+02:00", 1714559415, true},
                 {"2024-05-01T12:30-0530", 1714586400, true},
                 {"2024-05-01T12:30+02", 1714559400, true},
                 {"1969-12-31T23:59:59.5Z", -0.5, true},
                 {"2016-12-31T23:59:60Z", 1483228800, true}};
    for (size_t k = 0; k < SFI_COUNT(dates); k++) {
        double seconds = 0.0;
        bool has_time = false;
        CHECK(sfi_date_parse(dates[k].text, &seconds, &has_time));
        CHECK(seconds == dates[k].seconds && has_time == dates[k].has_time);
    }
}

TEST(what_is_no_day_is_refused)
{
    (void)state_;
    static const char *const texts[] = {"",
                                        "2024",
                                        "2024-05",
                                        "2024-5-1",
                                        "2023-02-29",
                                        "1900-02-29",
                                        "2024-13-01",
                                        "2024-00-01",
                                        "2024-04-31",
                                        "2024/05/01",
                                        "01-05-2024",
                                        "2024-05-01T",
                                        "2024-05-01T1",
                                        "2024-05-01T12:60",
                                        "2024-05-01T25:00",
                                        "2024-05-01T12:30:61",
                                        "2024-05-01T12:30:15.",
                                        "2024-05-01x",
                                        "2024-05-01T12:30+",
                                        "2024-05-01T12:30+2",
                                        "2024-05-01T12:30ZZ"};
    for (size_t k = 0; k < SFI_COUNT(texts); k++) {
        double seconds = 7.0;
        bool has_time = false;
        CHECK(!sfi_date_parse(texts[k], &seconds, &has_time));
        CHECK(seconds == 7.0);
    }
}

TESTS(CASE(days_count_from_1970), CASE(every_day_of_400_years_is_the_next),
      CASE(texts_of_iso_8601_are_read), CASE(what_is_no_day_is_refused))
