/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "plot/colour.h"

static sfi_rgba hex(unsigned value)
{
    const sfi_rgba c = {(value >> 16) / 255.0, (value >> 8 & 255) / 255.0,
                        (value & 255) / 255.0, 1.0};
    return c;
}

static void check_colour(sfi_rgba got, sfi_rgba want)
{
    CHECK_NEAR(got.r, want.r, 0.5 / 255.0);
    CHECK_NEAR(got.g, want.g, 0.5 / 255.0);
    CHECK_NEAR(got.b, want.b, 0.5 / 255.0);
}

/* Entries 0, 60, 150 and 255 of the published table of 256 colours. */
TEST(viridis_is_the_published_map)
{
    check_colour(sfi_map_at(SFI_MAP_VIRIDIS, 0.0), hex(0x440154));
    check_colour(sfi_map_at(SFI_MAP_VIRIDIS, 60.0 / 255.0), hex(0x3D4E8A));
    check_colour(sfi_map_at(SFI_MAP_VIRIDIS, 150.0 / 255.0), hex(0x21A585));
    check_colour(sfi_map_at(SFI_MAP_VIRIDIS, 1.0), hex(0xFDE725));
}

/* L* of white, black and a grey: sRGB 0.46633 has Y = 0.18419, and L* = 116
 * Y^(1/3) - 16 = 50.00. */
TEST(lightness_is_that_of_cie_1976)
{
    CHECK_NEAR(sfi_lightness(hex(0xFFFFFF)), 100.0, 1e-9);
    CHECK_NEAR(sfi_lightness(hex(0x000000)), 0.0, 1e-9);
    const sfi_rgba grey = {0.46633, 0.46633, 0.46633, 1.0};
    CHECK_NEAR(sfi_lightness(grey), 50.0, 0.01);
}

TEST(lightness_is_monotone_in_the_number)
{
    for (int i = 1; i < 1000; i++) {
        const double t = i / 999.0, before = (i - 1) / 999.0;
        CHECK(sfi_lightness(sfi_map_at(SFI_MAP_VIRIDIS, t)) >
              sfi_lightness(sfi_map_at(SFI_MAP_VIRIDIS, before)));
        CHECK(sfi_lightness(sfi_map_at(SFI_MAP_LIGHT, t)) <
              sfi_lightness(sfi_map_at(SFI_MAP_LIGHT, before)));
        const bool left = t <= 0.5;
        const double change = sfi_lightness(sfi_map_at(SFI_MAP_SIGNED, t)) -
                              sfi_lightness(sfi_map_at(SFI_MAP_SIGNED, before));
        if (left || before >= 0.5)
            CHECK(left ? change > 0.0 : change < 0.0);
    }
}

/* Equal steps of the light map look equal: L* falls by the same amount in every
 * tenth, within a quarter of it (Oklab's lightness is not exactly L*). */
TEST(the_light_map_is_uniform)
{
    const double whole = sfi_lightness(sfi_map_at(SFI_MAP_LIGHT, 0.0)) -
                         sfi_lightness(sfi_map_at(SFI_MAP_LIGHT, 1.0));
    CHECK(whole > 30.0);
    for (int i = 0; i < 10; i++) {
        const double step =
            sfi_lightness(sfi_map_at(SFI_MAP_LIGHT, i / 10.0)) -
            sfi_lightness(sfi_map_at(SFI_MAP_LIGHT, (i + 1) / 10.0));
        CHECK_NEAR(step, whole / 10.0, whole / 40.0);
    }
}

TEST(maps_begin_where_they_should_and_clamp)
{
    check_colour(sfi_map_at(SFI_MAP_LIGHT, 0.0), hex(0xFFFFFF));
    check_colour(sfi_map_at(SFI_MAP_SIGNED, 0.5), hex(0xFFFFFF));
    CHECK(sfi_map_at(SFI_MAP_SIGNED, 0.0).b >
          sfi_map_at(SFI_MAP_SIGNED, 0.0).r);
    CHECK(sfi_map_at(SFI_MAP_SIGNED, 1.0).r >
          sfi_map_at(SFI_MAP_SIGNED, 1.0).b);
    for (int map = SFI_MAP_VIRIDIS; map <= SFI_MAP_SIGNED; map++) {
        const sfi_rgba low = sfi_map_at((sfi_map)map, 0.0);
        check_colour(sfi_map_at((sfi_map)map, -1e300), low);
        check_colour(sfi_map_at((sfi_map)map, (double)NAN), low);
        check_colour(sfi_map_at((sfi_map)map, 1e300),
                     sfi_map_at((sfi_map)map, 1.0));
    }
}

/* A circle: the ends meet, opposite points differ, lightness stays. */
TEST(directions_close_after_a_turn)
{
    check_colour(sfi_map_at(SFI_MAP_CYCLIC, 0.0),
                 sfi_map_at(SFI_MAP_CYCLIC, 1.0));
    for (int k = 0; k < 60; k++) {
        const sfi_rgba c = sfi_map_at(SFI_MAP_CYCLIC, k / 60.0),
                       d = sfi_map_at(SFI_MAP_CYCLIC, (k + 30) % 60 / 60.0);
        CHECK_NEAR(sfi_lightness(c), 68.0, 5.0);
        CHECK(fabs(c.r - d.r) + fabs(c.g - d.g) + fabs(c.b - d.b) > 0.4);
    }
}

TESTS(CASE(directions_close_after_a_turn), CASE(viridis_is_the_published_map),
      CASE(lightness_is_that_of_cie_1976),
      CASE(lightness_is_monotone_in_the_number), CASE(the_light_map_is_uniform),
      CASE(maps_begin_where_they_should_and_clamp))
