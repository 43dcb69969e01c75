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

/* Each column is spelled as it was, rounded to the finest step in it; instants by
 * `date -u -d TEXT +%s`. */
TEST(dates_are_spelled_as_they_were)
{
    (void)state_;
    static const struct {
        const char *first, *second, *style;
        double seconds;
        const char *text;
    } columns[] = {
        {"2024-05-01", "2023-01-31", "YYYY-MM-DD", 1709164800.0, "2024-02-29"},
        {"2024-05-01", "2023-01-31", "YYYY-MM-DD", -43201.0, "1969-12-31"},
        {"2024-05-01T12:30", "2024-05-02T00:00", "YYYY-MM-DDThh:mm",
         1714566629.0, "2024-05-01T12:30"},
        {"2024-05-01 12:30:15Z", "2024-05-02 12:30Z", "YYYY-MM-DD hh:mm:ssZ",
         1714566615.4, "2024-05-01 12:30:15Z"},
        {"2024-05-01T12:30:15.2+02:00", "2024-05-01T12:30:15.25+02:00",
         "YYYY-MM-DDThh:mm:ss.ff+02:00", 1714559415.254,
         "2024-05-01T12:30:15.25+02:00"},
        {"2024-05-01T12:30-0530", "2024-05-01", "YYYY-MM-DDThh:mm-0530",
         1714586400.0, "2024-05-01T12:30-0530"},
        {"2024-05-01T12:30+02", "2024-05-01T12:30+01", "YYYY-MM-DDThh:mmZ",
         1714566600.0, "2024-05-01T12:30Z"},
        /* A tenth before a new year is not the 60th second. */
        {"2024-05-01T12:30:15.2", "2024-05-01T12:30", "YYYY-MM-DDThh:mm:ss.f",
         1704067199.96, "2024-01-01T00:00:00.0"},
        {"2024-05-01", "2024-05-02", "YYYY-MM-DD", -1e18, "0000-01-01"},
        {"2024-05-01T12:30", "2024-05-02T12:30", "YYYY-MM-DDThh:mm", 1e18,
         "9999-12-31T23:59"}};
    for (size_t k = 0; k < SFI_COUNT(columns); k++) {
        sfi_date_style style = {0}, again;
        char name[SFI_DATE_SPELLING], text[SFI_DATE_TEXT];
        sfi_date_see(&style, columns[k].first);
        sfi_date_see(&style, columns[k].second);
        sfi_date_style_write(&style, name);
        assert_string_equal(name, columns[k].style);
        CHECK(sfi_date_style_read(name, &again));
        sfi_date_spell(&again, columns[k].seconds, text);
        assert_string_equal(text, columns[k].text);
    }
}

/* Every day of 400 years, and every tenth of a second of some, comes back. */
TEST(what_is_spelled_is_read_back)
{
    (void)state_;
    sfi_date_style days = {0}, tenths = {0};
    sfi_date_see(&days, "2024-05-01");
    sfi_date_see(&tenths, "2024-05-01T12:30:15.5-03:30");
    for (int64_t k = -80000; k < 80000; k++) {
        char text[SFI_DATE_TEXT];
        double seconds = 0.0;
        bool has_time = false;
        sfi_date_spell(&days, 86400.0 * (double)k, text);
        CHECK(sfi_date_parse(text, &seconds, &has_time));
        CHECK(seconds == 86400.0 * (double)k && !has_time);
        const double tenth = 1e9 + (double)(977 * k) + (double)(k & 7) / 10.0;
        sfi_date_spell(&tenths, tenth, text);
        CHECK(sfi_date_parse(text, &seconds, &has_time));
        CHECK_NEAR(seconds, tenth, 1e-6);
    }
}

TEST(what_is_no_style_is_refused)
{
    (void)state_;
    static const char *const texts[] = {"",
                                        "YYYY-MM",
                                        "YYYY-MM-DDxhh:mm",
                                        "YYYY-MM-DDT",
                                        "YYYY-MM-DDThh:mm.f",
                                        "YYYY-MM-DDThh:mm:ss.",
                                        "YYYY-MM-DDThh:mm:ss.ffffffffff",
                                        "YYYY-MM-DDThh:mmzz",
                                        "YYYY-MM-DDThh:mm+02:00 and more"};
    sfi_date_style style;
    for (size_t k = 0; k < SFI_COUNT(texts); k++)
        CHECK(!sfi_date_style_read(texts[k], &style));
}

TESTS(CASE(days_count_from_1970), CASE(every_day_of_400_years_is_the_next),
      CASE(texts_of_iso_8601_are_read), CASE(what_is_no_day_is_refused),
      CASE(dates_are_spelled_as_they_were), CASE(what_is_spelled_is_read_back),
      CASE(what_is_no_style_is_refused))
