/* SPDX-License-Identifier: Apache-2.0 */
/* Fields in memory: where values lie, halos, interpolation, expressions, units. */
#include "faults.h"

#include "field/layout.h"
#include "field/slabs.h"
#include "field/units.h"

static sf_grid *parse(sf_context *ctx, const char *text)
{
    sf_grid *g = NULL;
    CHECK_OK(ctx, sf_grid_parse(ctx, &g, text));
    return g;
}

TEST(rows_are_aligned_and_no_power_of_two_apart)
{
    (void)state_;
    sf_context *ctx = new_context();
    for (int n = 2; n < 300; n += n < 40 ? 1 : 37)
        for (int halo = 0; halo <= 2; halo++) {
            char text[96];
            sf_field f;
            snprintf(text, sizeof text, "y = 0:1:3; x = 0:1:%d", n);
            sf_grid *g = parse(ctx, text);
            CHECK_OK(ctx, sf_field_new(ctx, &f, g, 1, NULL, SF_F32, halo));
            CHECK(f.step[1] == 1 && f.step[0] % 16 == 0);
            CHECK((f.step[0] & (f.step[0] - 1)) != 0);
            CHECK(f.step[0] >= 16 + (n + halo + 15) / 16 * 16);
            CHECK((uintptr_t)f.data[0] % 64 == 0);
            /* Lead, tail and halo can be read, and are zero. */
            const float *a = f.data[0];
            for (int64_t i = -halo * f.step[0] - 16;
                 i < (2 + halo) * f.step[0] + (n + halo + 15) / 16 * 16; i++)
                CHECK(a[i] == 0.0f);
            sf_field_free(ctx, &f);
            sf_grid_free(g);
        }
    sf_context_free(ctx);
}

/* A 1-form on a grid that is periodic along x: its y edges lie between rows, its x
 * edges also behind the last column. */
TEST(components_between_points_have_their_own_numbers)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_grid *g = parse(ctx, "y = 0:1:3; x = 0:1:4 periodic");
    sf_field f;
    CHECK_OK(ctx, sf_field_new(ctx, &f, g, 2, (unsigned[]){1, 2}, SF_F64, 1));
    CHECK(sf_field_count(&f, 0, 0) == 2 && sf_field_count(&f, 0, 1) == 4);
    CHECK(sf_field_count(&f, 1, 0) == 3 && sf_field_count(&f, 1, 1) == 4);
    double values[12], back[12];
    for (int c = 0; c < 2; c++) {
        for (int i = 0; i < 12; i++)
            values[i] = 100 * c + i;
        sf_field_put(&f, c, values);
        sf_field_get(&f, c, back);
        for (int64_t i = 0; i < sf_field_points(&f, c); i++)
            CHECK(back[i] == values[i]);
    }
    /* y at the edges is 1/4 and 3/4. */
    CHECK_OK(ctx, sf_field_set(ctx, &f, 0, "10*y + x"));
    sf_field_get(&f, 0, back);
    CHECK_NEAR(back[0], 2.5, 1e-15);
    CHECK_NEAR(back[7], 7.5 + 0.75, 1e-15);
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    sf_context_free(ctx);
}

TEST(periodic_halos_hold_what_is_a_period_away)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_grid *g =
        parse(ctx, "z = 0:1:4 periodic; y = 0:1:3; x = 0:1:5 periodic");
    sf_field f;
    CHECK_OK(ctx, sf_field_new(ctx, &f, g, 1, NULL, SF_F64, 2));
    double values[60];
    for (int i = 0; i < 60; i++)
        values[i] = i;
    sf_field_put(&f, 0, values);
    sfi_field_fill_halo(&f);
    const double *a = f.data[0];
    for (int z = -2; z < 6; z++)
        for (int y = 0; y < 3; y++)
            for (int x = -2; x < 7; x++)
                CHECK(a[z * f.step[0] + y * f.step[1] + x] ==
                      values[(z + 4) % 4 * 15 + y * 5 + (x + 5) % 5]);
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    sf_context_free(ctx);
}

TEST(a_caller_s_array_is_seen_or_copied)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_grid *g = parse(ctx, "y = 0:1:2; x = 0:1:3");
    float a[] = {1, 2, 3, 4, 5, 6};
    double back[6];
    sf_field f;
    CHECK_OK(ctx, sf_field_wrap(ctx, &f, g, SF_F32, 0, a, NULL));
    CHECK(f.data[0] == a);
    a[5] = 7;
    sf_field_get(&f, 0, back);
    CHECK(back[5] == 7.0);
    CHECK_OK(ctx, sf_field_set_unit(ctx, &f, "m"));
    sf_field_free(ctx, &f);
    /* Columns of [3, 2]: the last stride is 2, so this is a copy. */
    CHECK_OK(ctx, sf_field_wrap(ctx, &f, g, SF_F32, 1, a, (int64_t[]){1, 2}));
    a[5] = 8;
    sf_field_get(&f, 0, back);
    CHECK(back[1] == 3.0 && back[3] == 2.0 && back[5] == 7.0);
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    sf_context_free(ctx);
}

/* Multilinear interpolation is exact for a + b x + c y + d x y. */
TEST(bilinear_fields_are_interpolated_exactly)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_grid *g = parse(ctx, "y = 0:2:4 map s^2; x = [5, 3, 2.5, -1]");
    sf_field f;
    CHECK_OK(ctx, sf_field_new(ctx, &f, g, 1, NULL, SF_F64, 0));
    CHECK_OK(ctx, sf_field_set(ctx, &f, 0, "1 + 2*x - 3*y + 0.5*x*y"));
    const double p[][2] = {{0.1, 4.9}, {2, -1}, {1.3, 2.6}, {0, 5}, {1.9, 0}};
    double got[5];
    CHECK_OK(ctx, sf_field_at(ctx, &f, 0, (sf_cmat){&p[0][0], 5, 2, 2}, got));
    for (int i = 0; i < 5; i++)
        CHECK_NEAR(got[i],
                   1 + 2 * p[i][1] - 3 * p[i][0] + 0.5 * p[i][0] * p[i][1],
                   1e-13);
    const double out[][2] = {{-0.1, 0}, {1, 5.1}, {NAN, 0}, {1, -1.1}};
    CHECK_OK(ctx, sf_field_at(ctx, &f, 0, (sf_cmat){&out[0][0], 4, 2, 2}, got));
    for (int i = 0; i < 4; i++)
        CHECK(isnan(got[i]));
    CHECK_FAILS(ctx, sf_field_at(ctx, &f, 0, (sf_cmat){&p[0][0], 5, 1, 2}, got),
                SF_E_SHAPE, "want 2");
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    sf_context_free(ctx);
}

/* sin(lat) + cos(lat) cos(lon) is smooth over the poles, with second derivatives of
 * at most sqrt(2) along a meridian and 1 along a parallel: a bilinear interpolation
 * errs by at most h^2/8 of their sum, h in radians, wherever. */
TEST(the_seam_and_the_poles_are_no_edges)
{
    (void)state_;
    sf_context *ctx = new_context();
    static const char *const grids[] = {
        "lat = -90:90:90 cells; lon = 0:360:180 periodic",
        "lat = -90:90:91; lon = -180:180:180 periodic"};
    const double h = 2.0 * acos(0.0) / 90.0;
    for (int k = 0; k < 2; k++) {
        sf_grid *g = parse(ctx, grids[k]);
        sf_field f;
        CHECK_OK(ctx, sf_field_new(ctx, &f, g, 1, NULL, SF_F64, 0));
        CHECK_OK(ctx, sf_field_set(ctx, &f, 0,
                                   "sin(lat*pi/180) + cos(lat*pi/180)*"
                                   "cos(lon*pi/180)"));
        for (double lat = -90.0; lat <= 90.0; lat += 0.37)
            for (double lon = -400.0; lon < 800.0; lon += 33.3) {
                const double p[] = {lat, lon}, d = acos(0.0) / 90.0;
                double got;
                CHECK_OK(ctx,
                         sf_field_at(ctx, &f, 0, (sf_cmat){p, 1, 2, 2}, &got));
                CHECK_NEAR(got, sin(lat * d) + cos(lat * d) * cos(lon * d),
                           0.125 * h * h * (sqrt(2.0) + 1.0));
            }
        sf_field_free(ctx, &f);
        sf_grid_free(g);
    }
    sf_context_free(ctx);
}

TEST(missing_values_count_only_with_a_weight)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_grid *g = parse(ctx, "x = 0:2:3");
    double a[] = {1, NAN, 3}, got[3];
    sf_field f;
    CHECK_OK(ctx, sf_field_wrap(ctx, &f, g, SF_F64, 0, a, NULL));
    const double p[] = {0.0, 0.5, 2.0};
    CHECK_OK(ctx, sf_field_at(ctx, &f, 0, (sf_cmat){p, 3, 1, 1}, got));
    CHECK(got[0] == 1.0 && isnan(got[1]) && got[2] == 3.0);
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    sf_context_free(ctx);
}

TEST(values_are_converted_with_their_unit)
{
    (void)state_;
    if (!sfi_units_available())
        skip();
    sf_context *ctx = new_context();
    sf_grid *g = parse(ctx, "x = 0:1:2");
    double a[] = {98.6, 32.0};
    sf_field f;
    CHECK_OK(ctx, sf_field_wrap(ctx, &f, g, SF_F64, 0, a, NULL));
    CHECK_FAILS(ctx, sf_field_units(ctx, &f, "degC"), SF_E_ARG,
                "is unknown, so it cannot be converted to \"degC\"");
    CHECK_OK(ctx, sf_field_set_unit(ctx, &f, "degF"));
    CHECK_OK(ctx, sf_field_units(ctx, &f, "degC"));
    CHECK_CLOSE(a[0], 37.0, 1e-12);
    CHECK_NEAR(a[1], 0.0, 1e-12);
    assert_string_equal(f.unit, "degC");
    CHECK_FAILS(ctx, sf_field_units(ctx, &f, "m"), SF_E_ARG,
                "\"degC\" cannot be converted to \"m\"");
    CHECK_FAILS(ctx, sf_field_units(ctx, &f, "warm"), SF_E_ARG,
                "\"warm\" is not a unit");
    assert_string_equal(f.unit, "degC");
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    sf_context_free(ctx);
}

TEST(fields_that_are_none_are_refused)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_grid *g = parse(ctx, "y = 0:1:2; x = 0:1:3");
    sf_field f;
    CHECK_FAILS(ctx, sf_field_new(ctx, &f, g, 0, NULL, SF_F64, 0), SF_E_ARG,
                "0 components");
    CHECK_FAILS(ctx, sf_field_new(ctx, &f, g, 1, NULL, SF_F64, 4), SF_E_ARG,
                "halo is 4");
    CHECK_FAILS(ctx, sf_field_new(ctx, &f, g, 1, NULL, SF_F64, 3), SF_E_SHAPE,
                "axis \"y\" has 2 points");
    CHECK_FAILS(ctx, sf_field_new(ctx, &f, g, 1, (unsigned[]){4}, SF_F64, 0),
                SF_E_ARG, "place 4");
    CHECK(f.data[0] == NULL && f.owner == NULL);
    CHECK_OK(ctx, sf_field_new(ctx, &f, g, 1, NULL, SF_F64, 0));
    CHECK_FAILS(ctx, sf_field_set(ctx, &f, 0, "x + q"), SF_E_PARSE,
                "unknown name \"q\"");
    CHECK_FAILS(ctx, sf_field_set(ctx, &f, 1, "x"), SF_E_ARG, "component 1");
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    sf_context_free(ctx);
}

/* Pieces cover a box once, in order, each contiguous and within the bound. */
TEST(slabs_cover_a_box_in_order)
{
    (void)state_;
    static const int64_t shapes[][4] = {
        {3, 4, 5, 6}, {1, 1, 7, 1}, {2, 9, 1, 3}};
    for (int s = 0; s < 3; s++)
        for (int64_t most = 1; most < 400; most += 1 + most / 3) {
            sfi_slabs slabs = sfi_slabs_of(4, shapes[s], most);
            int64_t expected = 0;
            while (sfi_slabs_next(&slabs)) {
                int64_t at = 0, count = 1;
                for (int k = 0; k < 4; k++) {
                    at = at * shapes[s][k] + slabs.start[k];
                    count *= slabs.count[k];
                }
                CHECK(at == expected && slabs.first == expected);
                CHECK(count == slabs.points && count <= most);
                expected += count;
            }
            CHECK(expected ==
                  shapes[s][0] * shapes[s][1] * shapes[s][2] * shapes[s][3]);
        }
    sfi_slabs none = sfi_slabs_of(2, (int64_t[]){0, 5}, 10);
    CHECK(!sfi_slabs_next(&none));
    sfi_slabs one = sfi_slabs_of(0, NULL, 10);
    CHECK(sfi_slabs_next(&one) && one.points == 1 && !sfi_slabs_next(&one));
}

static sf_status build(sf_context *ctx)
{
    sf_grid *g = NULL;
    sf_field f = {0};
    sf_status status = sf_grid_parse(ctx, &g, "y = 0:1:3; x = 0:1:3");
    if (status == SF_OK)
        status = sf_field_new(ctx, &f, g, 1, NULL, SF_F64, 1);
    if (status == SF_OK)
        status = sf_field_set(ctx, &f, 0, "x*y + exp(x)");
    if (status == SF_OK)
        status = sf_field_set_name(ctx, &f, "f");
    if (status == SF_OK)
        status = sf_field_set_unit(ctx, &f, "degF");
    if (status == SF_OK)
        status = sf_field_describe(ctx, &f, "long_name", "a field");
    if (status == SF_OK && sfi_units_available())
        status = sf_field_units(ctx, &f, "K");
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    return status;
}

TEST(every_allocation_may_fail)
{
    (void)state_;
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status))
        status = build(ctx);
    sf_context_free(ctx);
}

TESTS(CASE(rows_are_aligned_and_no_power_of_two_apart),
      CASE(components_between_points_have_their_own_numbers),
      CASE(periodic_halos_hold_what_is_a_period_away),
      CASE(a_caller_s_array_is_seen_or_copied),
      CASE(bilinear_fields_are_interpolated_exactly),
      CASE(the_seam_and_the_poles_are_no_edges),
      CASE(missing_values_count_only_with_a_weight),
      CASE(values_are_converted_with_their_unit),
      CASE(fields_that_are_none_are_refused), CASE(slabs_cover_a_box_in_order),
      CASE(every_allocation_may_fail))
