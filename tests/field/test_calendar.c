/* SPDX-License-Identifier: Apache-2.0 */
/* Dates of six calendars.  The table was printed by cftime 1.6.6 (num2date and
 * date2num), whose code shares nothing with ours. */
#include "check.h"

#include "field/calendar.h"

static const struct row {
    const char *unit, *calendar;
    double number;
    const char *date;
} table[] = {
    {"days since 1970-01-01", "standard", -719162, "0001-01-03"},
    {"days since 1582-10-01", "standard", 20, "1582-10-31"},
    {"hours since 1900-02-28 12:30", "standard", 36.25, "1900-03-02 00:45"},
    {"seconds since 2000-01-01 00:00:00", "gregorian", 1000000000.5,
     "2031-09-09 01:46:40.500"},
    {"days since 1-1-1", "standard", 730000, "1999-09-02"},
    {"minutes since 1999-12-31 23:59:59.25 -05:30", "standard", 1,
     "2000-01-01 05:30:59.250"},
    {"days since 1970-01-01", "proleptic_gregorian", -719162, "0001-01-01"},
    {"days since 1582-10-01", "proleptic_gregorian", 20, "1582-10-21"},
    {"days since 1-1-1", "proleptic_gregorian", 730000, "1999-09-04"},
    {"days since 1970-01-01", "julian", -719162, "0001-01-16"},
    {"hours since 1900-02-28 12:30", "julian", 36.25, "1900-03-01 00:45"},
    {"days since 1-1-1", "julian", 730000, "1999-08-20"},
    {"days since 1970-01-01", "noleap", -719162, "-001-09-11"},
    {"seconds since 2000-01-01 00:00:00", "365_day", 1000000000.5,
     "2031-09-17 01:46:40.500"},
    {"days since 2000-02-27", "noleap", 3, "2000-03-02"},
    {"days since 1970-01-01", "all_leap", -719162, "0005-01-29"},
    {"days since 1-1-1", "366_day", 730000, "1995-07-15"},
    {"days since 1970-01-01", "360_day", -719162, "-028-04-29"},
    {"hours since 1900-02-28 12:30", "360_day", 36.25, "1900-02-30 00:45"},
    {"days since 2000-02-27", "360_day", 3, "2000-02-30"},
    /* A monthly mean of 240 years of a climate model, first and last. */
    {"hours since 1970-01-01 00:00:00", "360_day", -946800, "1860-06-01"},
    {"hours since 1970-01-01 00:00:00", "360_day", 1118160, "2099-06-01"}};

TEST(numbers_are_the_dates_that_cftime_gives_and_back)
{
    (void)state_;
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(table); i++) {
        const struct row *r = &table[i];
        sfi_clock_unit unit;
        sfi_date date, again;
        char text[SFI_DATE_SIZE];
        int fields = 0;
        CHECK_OK(ctx, sfi_time_read(ctx, &unit, r->unit, r->calendar));
        CHECK(sfi_time_date(&unit, r->number, &date));
        assert_string_equal(sfi_date_write(&date, text), r->date);
        CHECK_NEAR(sfi_time_number(&unit, &date), r->number,
                   1e-15 * fabs(r->number));
        CHECK(sfi_date_read(unit.calendar, text, &again, &fields));
        CHECK_NEAR(sfi_time_number(&unit, &again), r->number,
                   1e-15 * fabs(r->number));
    }
    sf_context_free(ctx);
}

/* Every day of some centuries has the number after that of the day before, and is
 * found again from it. */
TEST(days_follow_one_another)
{
    (void)state_;
    for (int c = 0; c <= SFI_CALENDAR_360; c++) {
        const sfi_calendar calendar = (sfi_calendar)c;
        const sfi_clock_unit unit = {.calendar = calendar, .seconds = 86400.0};
        int64_t last = sfi_calendar_days(calendar, 1400, 1, 1) - 1;
        for (int64_t year = 1400; year < 2110; year++)
            for (int month = 1; month <= 12; month++) {
                const int length = sfi_calendar_month(calendar, year, month);
                for (int k = 1; k <= length; k++) {
                    const bool is_gap = calendar == SFI_CALENDAR_STANDARD &&
                                        year == 1582 && month == 10 && k > 4;
                    const int day = is_gap ? k + 10 : k;
                    sfi_date date;
                    const int64_t now =
                        sfi_calendar_days(calendar, year, month, day);
                    assert_int_equal(now, last + 1);
                    last = now;
                    CHECK(sfi_time_date(&unit, (double)now, &date));
                    assert_int_equal(date.year, year);
                    assert_int_equal(date.month, month);
                    assert_int_equal(date.day, day);
                }
            }
    }
}

/* udunits2: a year is 365.242198781 days, a month a twelfth, 30.436849898 days. */
TEST(months_have_their_mean_length)
{
    (void)state_;
    sf_context *ctx = new_context();
    sfi_clock_unit unit;
    CHECK_OK(ctx,
             sfi_time_read(ctx, &unit, "months since 1958-1-1 00:00:00", NULL));
    CHECK(unit.is_mean && unit.calendar == SFI_CALENDAR_STANDARD);
    CHECK_CLOSE(unit.seconds, 30.4368498984 * 86400.0, 1e-11);
    CHECK_OK(ctx, sfi_time_read(ctx, &unit, "Years since 2000", "julian"));
    CHECK_CLOSE(unit.seconds, 31556925.9747, 1e-12);
    sf_context_free(ctx);
}

TEST(what_is_no_time_is_refused)
{
    (void)state_;
    sf_context *ctx = new_context();
    sfi_clock_unit unit;
    sfi_date date;
    int fields = 0;
    CHECK_FAILS(ctx, sfi_time_read(ctx, &unit, "days since 2000-01-01", "moon"),
                SF_E_FORMAT, "the calendar \"moon\" is not known");
    CHECK_FAILS(ctx, sfi_time_read(ctx, &unit, "days", NULL), SF_E_FORMAT,
                "want UNIT since DATE");
    CHECK_FAILS(ctx, sfi_time_read(ctx, &unit, NULL, NULL), SF_E_FORMAT,
                "want UNIT since DATE");
    CHECK_FAILS(ctx,
                sfi_time_read(ctx, &unit, "fortnights since 2000-01-01", NULL),
                SF_E_FORMAT, "\"fortnights\" is not a unit of time");
    static const char *const dates[] = {
        "days since 2001-02-29", "days since 2000-13-01",
        "days since 1582-10-10", "days since 2000-01-01 25:00",
        "days since soon",       "days since 2000-01-01 00:00 +9:99"};
    for (size_t i = 0; i < SFI_COUNT(dates); i++)
        CHECK_FAILS(ctx, sfi_time_read(ctx, &unit, dates[i], NULL), SF_E_FORMAT,
                    "is not a date of the calendar standard");
    CHECK_OK(ctx,
             sfi_time_read(ctx, &unit, "days since 2001-02-30", "360_day"));
    CHECK(!sfi_time_date(&unit, NAN, &date));
    CHECK(!sfi_time_date(&unit, 1e300, &date));
    CHECK(!sfi_date_read(SFI_CALENDAR_STANDARD, "2000-01-01x", &date, &fields));
    CHECK(!sfi_date_read(SFI_CALENDAR_NOLEAP, "2000-02-29", &date, &fields));
    CHECK(sfi_date_read(SFI_CALENDAR_NOLEAP, "2000-02", &date, &fields) &&
          fields == 2);
    CHECK(sfi_time_is_dated("days since x") && !sfi_time_is_dated("days"));
    sf_context_free(ctx);
}

TESTS(CASE(numbers_are_the_dates_that_cftime_gives_and_back),
      CASE(days_follow_one_another), CASE(months_have_their_mean_length),
      CASE(what_is_no_time_is_refused))
