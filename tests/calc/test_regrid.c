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

/* Of a part of the globe, too, longitudes are modulo a turn. */
TEST(longitudes_are_modulo_a_turn)
{
    sf_context *ctx = new_context();
    sf_grid *g = NULL;
    sf_field f = field_of(ctx, &g, "lat = 0:30:4; lon = -120:-60:7", "lon");
    static const char *const hows[] = {"bilinear", "conservative"};
    for (int how = 0; how < 2; how++) {
        char text[120];
        snprintf(text, sizeof text,
                 "r = regrid(f, \"lat = 10:20:2; lon = 245:295:6\", %s)",
                 hows[how]);
        sf_field r = regridded(ctx, &f, text);
        for (int64_t j = 1; j < 5; j++) /* those at the ends are half cells */
            CHECK_NEAR(at(&r, 0, j), -115.0 + 10.0 * (double)j, 1e-10);
        sf_field_free(ctx, &r);
    }
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
        {"r = f + regrid(f, \"lat = 0:9:4; lon = 0:9:4\")",
         "axis \"lat\" has 8 points in \"f\" and 4 in \"regrid(f, 'lat = "},
        {"r = 2*regrid(f, \"x = 0:9:4; y = 0:9:4\")", "axes lat and lon"},
        {"r = 2*regrid(f, \"lat = 0:9:4\"", "r: "},
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

/* ---- within expressions --------------------------------------------------------------- */

#define COARSE "lat = -80:80:17; lon = 0:360:18 periodic"
#define FINE   "lat = -90:90:37; lon = 0:360:72 periodic"
#define FINER  "lat = -90:90:61; lon = 0:360:90 periodic"

/* An expression with regrid() in it has the values of two calculations, one after the
 * other: operators within and around it, one within another, of a definition of its
 * own; the same call is one field. */
TEST(regrid_is_a_part_of_expressions)
{
    static const struct {
        const char *inner, *outer, *all;
    } cases[] = {
        {"e = regrid(f, \"" COARSE "\")", "r = e - g",
         "r = regrid(f, \"" COARSE "\") - g"},
        {"e = regrid(dx(f), \"" COARSE "\", conservative)",
         "r = mean(e*g, lon) + dlat(e)",
         "r = mean(g*regrid(dx(f), \"" COARSE "\", conservative), lon) + "
         "dlat(regrid(dx(f), \"" COARSE "\", conservative))"},
        {"e = regrid(2*regrid(f, \"" FINER "\"), \"" COARSE "\")", "r = e",
         "r = regrid(2*regrid(f, \"" FINER "\"), \"" COARSE "\")"},
        {"e = regrid(f, \"" COARSE "\")", "a = e; r = 2*a - g*a",
         "a = regrid(f, \"" COARSE "\"); r = 2*a - g*a"},
    };
    sf_context *ctx = new_context();
    sf_grid *g = NULL, *h = NULL;
    sf_calc_options o = SF_CALC_OPTIONS_INIT;
    o.without_units = true;
    sf_field f = field_of(ctx, &g, FINE, "sin(lat*pi/180)*cos(lon*pi/60)");
    sf_field c = field_of(ctx, &h, COARSE, "cos(lat*pi/180)*sin(lon*pi/90)");
    CHECK_OK(ctx, sf_field_set_name(ctx, &c, "g"));
    const sf_field both[] = {f, c};
    for (size_t i = 0; i < SFI_COUNT(cases); i++) {
        sf_field e, parts[2], all[2];
        int count = 0, again = 0;
        CHECK_OK(ctx, sf_calc(ctx, 1, &e, &count, cases[i].inner, 1, &f, &o));
        CHECK_OK(ctx, sf_field_set_name(ctx, &e, "e"));
        const sf_field inputs[] = {e, c};
        CHECK_OK(ctx,
                 sf_calc(ctx, 2, parts, &count, cases[i].outer, 2, inputs, &o));
        CHECK_OK(ctx, sf_calc(ctx, 2, all, &again, cases[i].all, 2, both, &o));
        CHECK(again == count);
        const sf_field *a = &all[count - 1], *b = &parts[count - 1];
        const int64_t rows = sf_grid_axis(b->grid, 0)->count;
        const int64_t columns =
            sf_grid_rank(b->grid) > 1 ? sf_grid_axis(b->grid, 1)->count : 1;
        for (int64_t y = 0; y < rows; y++)
            for (int64_t x = 0; x < columns; x++)
                CHECK(at(a, y, x) == at(b, y, x) ||
                      (isnan(at(a, y, x)) && isnan(at(b, y, x))));
        for (int k = 0; k < count; k++) {
            sf_field_free(ctx, &all[k]);
            sf_field_free(ctx, &parts[k]);
        }
        sf_field_free(ctx, &e);
    }
    sf_field_free(ctx, &f);
    sf_field_free(ctx, &c);
    sf_grid_free(g);
    sf_grid_free(h);
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
             out[2];
    const int64_t before = faults.bytes;
    sf_status status = SF_E_NOMEM;
    for (int64_t k = 0; status != SF_OK; k++) {
        int count = 0;
        faults.left = k;
        status = sf_calc(ctx, 2, out, &count,
                         "a = regrid(f, \"lat = -9:9:3; lon = 1:361:5 "
                         "periodic\", conservative); r = 2*a",
                         1, &f, NULL);
        CHECK(status == SF_OK || (status == SF_E_NOMEM && count == 0));
        for (int i = 0; i < count; i++)
            sf_field_free(ctx, &out[i]);
        CHECK(faults.bytes == before);
    }
    faults.left = INT64_MAX;
    sf_field_free(ctx, &f);
    sf_grid_free(g);
    sf_context_free(ctx);
}

TESTS(CASE(longitudes_are_modulo_a_turn), CASE(regrid_is_a_part_of_expressions),
      CASE(bilinear_values_are_exact_for_lines),
      CASE(conservative_values_have_the_same_mean),
      CASE(missing_values_stay_missing),
      CASE(what_can_not_be_regridded_is_refused),
      CASE(every_allocation_may_fail))
