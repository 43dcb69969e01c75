/* SPDX-License-Identifier: Apache-2.0 */
/* test_option.c - members of a struct by their list: each is read and written where it
 * is and nothing else, and is held to both ends of its range. */
#include "base/option.h"
#include "check.h"

enum colour { RED, GREEN, BLUE };

typedef struct paint {
    size_t size;
    bool thick;
    enum colour colour;
    int64_t coats;
    double gloss;
} paint;

static const sfi_option list[] = {SFI_OPTION(paint, thick, 0, 1),
                                  SFI_OPTION(paint, colour, RED, BLUE),
                                  SFI_OPTION(paint, coats, 1, 9),
                                  SFI_OPTION(paint, gloss, -0.5, 2.5),
                                  {0}};

TEST(types_are_those_of_the_members)
{
    CHECK(list[0].type == SFI_OPTION_FLAG);
    CHECK(list[1].type == SFI_OPTION_CHOICE);
    CHECK(list[2].type == SFI_OPTION_WHOLE);
    CHECK(list[3].type == SFI_OPTION_REAL);
    assert_string_equal(list[3].name, "gloss");
}

TEST(members_are_read_and_written_alone)
{
    const paint want = {sizeof want, true, BLUE, 7, 0.1};
    const double values[] = {1.0, BLUE, 7.0, 0.1};
    paint p;
    memset(&p, 0, sizeof p);
    p.size = sizeof p;
    for (int k = 0; k < 4; k++)
        sfi_option_set(&list[k], &p, values[k]);
    CHECK(p.size == want.size && p.thick == want.thick);
    CHECK(p.colour == want.colour && p.coats == want.coats);
    CHECK(p.gloss == want.gloss);
    for (int k = 0; k < 4; k++)
        CHECK(sfi_option_get(&list[k], &want) == values[k]);
}

TEST(ranges_hold_at_both_ends_and_for_nan)
{
    sf_context *ctx = new_context();
    const paint good = {sizeof good, false, GREEN, 3, 1.0};
    CHECK_OK(ctx, sfi_option_check(ctx, "paint", list, &good));
    for (int k = 0; k < 4; k++)
        for (int end = 0; end < 2; end++) {
            paint p = good;
            const double at = end == 0 ? list[k].least : list[k].most;
            sfi_option_set(&list[k], &p, at);
            CHECK_OK(ctx, sfi_option_check(ctx, "paint", list, &p));
            if (list[k].type == SFI_OPTION_FLAG)
                continue;
            sfi_option_set(&list[k], &p, end == 0 ? at - 1.0 : at + 1.0);
            CHECK_FAILS(ctx, sfi_option_check(ctx, "paint", list, &p), SF_E_ARG,
                        list[k].name);
        }
    paint p = good;
    p.coats = 12;
    CHECK_FAILS(ctx, sfi_option_check(ctx, "paint", list, &p), SF_E_ARG,
                "paint: coats is 12, want 1 to 9");
    p = good;
    p.gloss = NAN;
    CHECK_FAILS(ctx, sfi_option_check(ctx, "paint", list, &p), SF_E_ARG,
                "gloss is nan, want -0.5 to 2.5");
    sf_context_free(ctx);
}

TESTS(CASE(types_are_those_of_the_members),
      CASE(members_are_read_and_written_alone),
      CASE(ranges_hold_at_both_ends_and_for_nan))
