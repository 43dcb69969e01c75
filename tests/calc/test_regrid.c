/* SPDX-License-Identifier: Apache-2.0 */
/* test_regrid.c - fields on other latitudes and longitudes. */
#include "faults.h"

#include "scorefield/calc.h"

static sf_field field_of(sf_context *ctx, sf_grid **g, const char *grid,
                         const char *expression)
{
    sf_field f;
    CHECK_OK(ctx, sf_grid_parse(ctx, g, grid));
    CHECK_OK(ctx, sf_field_new(ctx, &f, *g, 1, NULL, SF_F64, 0));
    CHECK_OK(ctx, sf_field_set_name(ctx, &f, "f"));
    CHECK_OK(ctx, sf_field_set(ctx, &f, 0, expression));
    return f;
}

static sf_field regridded(sf_context *ctx, const sf_field *f, const char *text)
{
    sf_field out;
    int count = 0;
    CHECK_OK(ctx, sf_calc(ctx, 1, &out, &count, text, 1, f, NULL));
    return out;
}

static double at(const sf_field *f, int64_t i, int64_t j)
{
    return ((const double *)f->data[0])[i * f->step[0] + j * f->step[1]];
}

/* A function that is linear between its points is found exactly, over the seam too; with
 * an axis of latitudes of either direction. */
TEST(bilinear_values_are_exact_for_lines)
{
    sf_context *ctx = new_context();
    sf_grid *g = NULL;
    sf_field f = field_of(ctx, &g, "lat = -90:90:19; lon = 0:360:12 periodic",
                          "2*lat - 5 + 0*lon");
    sf_field r = regridded(
        ctx, &f,
        "r = regrid(f, \"lat = -84:85:8; lon = -7:353:9 periodic\", bilinear)");
    const sf_axis *lat = sf_grid_axis(r.grid, 0);
    for (int64_t i = 0; i < 8; i++)
        for (int64_t j = 0; j < 9; j++)
            CHECK_NEAR(at(&r, i, j), 2.0 * lat->coords[i] - 5.0, 1e-12);
    sf_field_free(ctx, &r);
    CHECK_OK(ctx, sf_field_set(ctx, &f, 0, "where(lon < 15, 10, 0)*1"));
    r = regridded(ctx, &f, "r = regrid(f, \"lat = 0:10:3; lon = -15:15:3\")");
    CHECK_NEAR(at(&r, 1, 0), 5.0, 1e-12); /* between 330 and 360 */
    CHECK_NEAR(at(&r, 1, 1), 10.0, 1e-12);
    CHECK_NEAR(at(&r, 1, 2), 5.0, 1e-12);
    sf_field_free(ctx, &r);
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    sf_context_free(ctx);
}

/* Cells that cover the sphere have the same integral. */
TEST(conservative_values_have_the_same_mean)
{
    sf_context *ctx = new_context();
    sf_grid *g = NULL;
    sf_field f =
        field_of(ctx, &g, "lat = -90:90:37 cells; lon = 0:360:50 periodic",
                 "exp(sin(lat/20))*(2 + cos(lon/30))");
    sf_field r = regridded(ctx, &f,
                           "r = regrid(f, \"lat = -90:90:11 cells; lon = "
                           "3:363:14 periodic\", conservative)");
    double sums[2] = {0.0, 0.0};
    const sf_field *fields[] = {&f, &r};
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < sf_field_count(fields[k], 0, 0); i++)
            for (int64_t j = 0; j < sf_field_count(fields[k], 0, 1); j++)
                sums[k] += sf_grid_volume(fields[k]->grid, (int64_t[]){i, j}) *
                           at(fields[k], i, j);
    CHECK_CLOSE(sums[1], sums[0], 1e-12);
    sf_field_free(ctx, &r);
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    sf_context_free(ctx);
}

/* Of a cell of which less than half is there nothing is known; between points, if one that
 * counts is missing. */
TEST(missing_values_stay_missing)
{
    sf_context *ctx = new_context();
    sf_grid *g = NULL, *h = NULL;
    sf_field f = field_of(ctx, &g, "lat = -40:40:8 cells; lon = 0:40:4 cells",
                          "lat + lon");
    ((double *)f.data[0])[2 * f.step[0] + 1] = NAN;
    sf_field r =
        regridded(ctx, &f,
                  "r = regrid(f, \"lat = -40:40:4 cells; lon = 0:40:2 cells\", "
                  "conservative)");
    for (int64_t i = 0; i < 4; i++) /* three of four are there */
        for (int64_t j = 0; j < 2; j++)
            CHECK(!isnan(at(&r, i, j)));
    sf_field_free(ctx, &r);
    /* Two parts of three, and one. */
    sf_field half = field_of(ctx, &h, "lat = 0:60:6 cells; lon = 0:20:2 cells",
                             "lat + lon");
    for (int64_t i = 0; i < 2; i++)
        ((double *)half.data[0])[i * half.step[0]] = NAN;
    ((double *)half.data[0])[1] = NAN;
    r = regridded(ctx, &half,
                  "r = regrid(f, \"lat = 0:60:2 cells; lon = 0:20:2 cells\", "
                  "conservative)");
    CHECK(isnan(at(&r, 0, 0)) && !isnan(at(&r, 0, 1)));
    sf_field_free(ctx, &r);
    sf_field_free(ctx, &half);
    sf_grid_free(h);
    r = regridded(
        ctx, &f,
        "r = regrid(f, \"lat = -40:40:16 cells; lon = 0:40:8 cells\", "
        "conservative)");
    CHECK(isnan(at(&r, 4, 2)) && isnan(at(&r, 5, 3)) && !isnan(at(&r, 6, 2)));
    sf_field_free(ctx, &r);
    r = regridded(ctx, &f, "r = regrid(f, \"lat = -20:-10:3; lon = 10:15:2\")");
    CHECK(isnan(at(&r, 1, 0)) && isnan(at(&r, 1, 1)));
    CHECK(isnan(at(&r, 0, 1)));
    sf_field_free(ctx, &r);
    /* A point that is met needs no other one. */
    r = regridded(ctx, &f, "r = regrid(f, \"lat = -25:-5:3; lon = 5:25:3\")");
    CHECK(isnan(at(&r, 1, 1)) && !isnan(at(&r, 1, 0)) && !isnan(at(&r, 0, 1)));
    sf_field_free(ctx, &r);
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    sf_context_free(ctx);
}

TEST(what_can_not_be_regridded_is_refused)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"r = 2*regrid(f, \"lat = 0:9:4; lon = 0:9:4\")", "whole definition"},
        {"r = regrid(f, \"x = 0:9:4; y = 0:9:4\")", "axes lat and lon"},
        {"r = regrid(f, \"lat = 0:9:4\")", "axes lat and lon"},
        {"r = regrid(f, lat)", "grid in quotes"},
        {"r = regrid(f, \"lat = 0:9:4; lon = 0:9:4\", month)", "bilinear"},
        {"r = regrid(f, \"lat = 0:9; lon = 0:9:4\")", "A:B:N"},
    };
    sf_context *ctx = new_context();
    sf_grid *g = NULL;
    sf_field f = field_of(ctx, &g, "lat = -40:40:8; lon = 0:40:4", "lat + lon"),
             out;
    for (size_t i = 0; i < SFI_COUNT(cases); i++) {
        int count = 1;
        const sf_status status =
            sf_calc(ctx, 1, &out, &count, cases[i].text, 1, &f, NULL);
        CHECK(status != SF_OK && count == 0);
        CHECK(strstr(sf_context_message(ctx), cases[i].part) != NULL);
    }
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_grid *g = NULL;
    faults.left = INT64_MAX;
    sf_field f = field_of(ctx, &g, "lat = -40:40:8; lon = 0:360:4 periodic",
                          "lat"),
             out;
    const int64_t before = faults.bytes;
    sf_status status = SF_E_NOMEM;
    for (int64_t k = 0; status != SF_OK; k++) {
        int count = 0;
        faults.left = k;
        status = sf_calc(ctx, 1, &out, &count,
                         "r = regrid(f, \"lat = -9:9:3; lon = 1:361:5 "
                         "periodic\", conservative)",
                         1, &f, NULL);
        CHECK(status == SF_OK || (status == SF_E_NOMEM && count == 0));
        if (count > 0)
            sf_field_free(ctx, &out);
        CHECK(faults.bytes == before);
    }
    faults.left = INT64_MAX;
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    sf_context_free(ctx);
}

TESTS(CASE(bilinear_values_are_exact_for_lines),
      CASE(conservative_values_have_the_same_mean),
      CASE(missing_values_stay_missing),
      CASE(what_can_not_be_regridded_is_refused),
      CASE(every_allocation_may_fail))
