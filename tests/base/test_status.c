/* SPDX-License-Identifier: Apache-2.0 */
/* test_status.c - the numbers and texts that other programs rely on. */
#include "check.h"

/* The numbers are part of the ABI: a program compiled against an older header
 * compares with the ones it knows.  Written out here, so that a change of the
 * list in base.h shows up as a failure. */
TEST(status_numbers_never_change)
{
    static const struct {
        sf_status status;
        int number;
    } known[] = {
        {SF_OK, 0},
        {SF_E_NOMEM, -1},
        {SF_E_ARG, -2},
        {SF_E_SHAPE, -3},
        {SF_E_NUMERIC, -4},
        {SF_E_CONVERGE, -5},
        {SF_E_IO, -6},
        {SF_E_FORMAT, -7},
        {SF_E_PARSE, -8},
        {SF_E_UNSUPPORTED, -9},
        {SF_E_CANCELLED, -10},
        {SF_E_INTERNAL, -11},
    };
    for (size_t i = 0; i < SFI_COUNT(known); i++)
        assert_int_equal((int)known[i].status, known[i].number);
}

TEST(every_status_has_its_own_text)
{
#define TEXT(name, value, text) text,
    static const char *const texts[] = {SF_STATUS_LIST(TEXT)};
#undef TEXT
#define NAME(name, value, text) name,
    static const sf_status names[] = {SF_STATUS_LIST(NAME)};
#undef NAME
    for (size_t i = 0; i < SFI_COUNT(texts); i++) {
        assert_string_equal(sf_status_text(names[i]), texts[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(texts[i], texts[j]);
    }
    assert_string_equal(sf_status_text((sf_status)-999), "unknown status");
}

TEST(version_string_is_made_of_the_three_numbers)
{
    char want[64];
    snprintf(want, sizeof want, "%d.%d.%d", SF_VERSION_MAJOR, SF_VERSION_MINOR,
             SF_VERSION_PATCH);
    assert_string_equal(sf_version(), want);
}

TESTS(CASE(status_numbers_never_change), CASE(every_status_has_its_own_text),
      CASE(version_string_is_made_of_the_three_numbers))
