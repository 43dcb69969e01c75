/* SPDX-License-Identifier: Apache-2.0 */
/* test_collocate.c - values between points, at the points: lines stay lines. */
#include "check.h"
#include "scorefield/field.h"

enum { NX = 7, NY = 4 };

/* 1 + 2x - 3y + 4xy midway along both axes is the same at the points; along y alone, in
 * single precision. */
TEST(lines_stay_lines)
{
    sf_context *ctx = new_context();
    sf_grid *grid = NULL;
    CHECK_OK(ctx, sf_grid_parse(ctx, &grid, "y = 1:2.5:4; x = -1:2:7"));
    for (int both = 0; both < 2; both++) {
        const unsigned place = both ? 3u : 1u;
        sf_field f, g;
        CHECK_OK(ctx, sf_field_new(ctx, &f, grid, 1, &place,
                                   both ? SF_F64 : SF_F32, 2));
        CHECK_OK(ctx, sf_field_set_name(ctx, &f, "f"));
        double all[NX * NY], back[NX * NY];
        const int nx = NX - both, ny = NY - 1;
        for (int j = 0; j < ny; j++)
            for (int i = 0; i < nx; i++) {
                const double x = -1.0 + 0.5 * i + (both ? 0.25 : 0.0);
                const double y = 1.0 + 0.5 * j + 0.25;
                all[j * nx + i] = 1.0 + 2.0 * x - 3.0 * y + 4.0 * x * y;
            }
        sf_field_put(&f, 0, all);
        CHECK_OK(ctx, sf_field_collocate(ctx, &g, &f, 0));
        assert_string_equal(g.name, "f");
        assert_int_equal(sf_field_points(&g, 0), NX * NY);
        sf_field_get(&g, 0, back);
        for (int j = 0; j < NY; j++)
            for (int i = 0; i < NX; i++) {
                const double x = -1.0 + 0.5 * i, y = 1.0 + 0.5 * j;
                CHECK_NEAR(back[j * NX + i],
                           1.0 + 2.0 * x - 3.0 * y + 4.0 * x * y,
                           both ? 1e-13 : 1e-5);
            }
        sf_field none;
        CHECK_FAILS(ctx, sf_field_collocate(ctx, &none, &f, 1), SF_E_ARG,
                    "component 1");
        sf_field_free(ctx, &f);
        sf_field_free(ctx, &g);
    }
    sf_grid_free(grid);
    sf_context_free(ctx);
}

/* Around a closed axis there is no end. */
TEST(a_closed_axis_goes_round)
{
    sf_context *ctx = new_context();
    sf_grid *grid = NULL;
    const unsigned place = 1u;
    const double all[4] = {1.0, 2.0, 4.0, 9.0};
    double back[4];
    sf_field f, g;
    CHECK_OK(ctx, sf_grid_parse(ctx, &grid, "x = 0:4:4 periodic"));
    CHECK_OK(ctx, sf_field_new(ctx, &f, grid, 1, &place, SF_F64, 0));
    sf_field_put(&f, 0, all);
    CHECK_OK(ctx, sf_field_collocate(ctx, &g, &f, 0));
    sf_field_get(&g, 0, back);
    CHECK(back[0] == 5.0 && back[1] == 1.5 && back[2] == 3.0 && back[3] == 6.5);
    sf_field_free(ctx, &f);
    sf_field_free(ctx, &g);
    sf_grid_free(grid);
    sf_context_free(ctx);
}

TESTS(CASE(lines_stay_lines), CASE(a_closed_axis_goes_round))
