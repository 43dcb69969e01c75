/* SPDX-License-Identifier: Apache-2.0 */
/* Maps, by counting the pixels of a colour in what was written. */
#include "faults.h"

#include <cairo.h>
#include <unistd.h>

#include "plot/colour.h"
#include "scorefield/plot.h"

/* The leak sanitizer asks the program for this.  Fontconfig keeps patterns until
 * the process ends. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig";
}

static const char path[] = "test_map.tmp.png";

/* Pixels of one colour, and their mean place. */
typedef struct patch {
    int count;
    double x, y;
} patch;

static patch look(sfi_rgba colour, bool is_wanted, int left, int right, int top,
                  int bottom)
{
    patch p = {0, 0.0, 0.0};
    cairo_surface_t *s = cairo_image_surface_create_from_png(path);
    assert_int_equal(cairo_surface_status(s), CAIRO_STATUS_SUCCESS);
    const unsigned char *data = cairo_image_surface_get_data(s);
    const uint32_t want = (uint32_t)(255.0 * colour.r + 0.5) << 16 |
                          (uint32_t)(255.0 * colour.g + 0.5) << 8 |
                          (uint32_t)(255.0 * colour.b + 0.5);
    const int height = cairo_image_surface_get_height(s),
              width = cairo_image_surface_get_width(s);
    for (int r = top; r < (bottom > 0 ? bottom : height); r++)
        for (int c = left; c < (right > 0 ? right : width); c++) {
            uint32_t pixel;
            memcpy(&pixel,
                   data +
                       (size_t)r * (size_t)cairo_image_surface_get_stride(s) +
                       4 * (size_t)c,
                   sizeof pixel);
            if (((pixel & 0xffffff) == want) == is_wanted) {
                p.count++;
                p.x += c;
                p.y += r;
            }
        }
    if (p.count > 0) {
        p.x /= p.count;
        p.y /= p.count;
    }
    cairo_surface_destroy(s);
    unlink(path);
    return p;
}

static patch find(sfi_rgba colour)
{
    return look(colour, true, 0, 0, 0, 0);
}

/* Three cells of a row: the first two as wide as the third together, in the colours
 * of 0, 1/2 and 1; a row above it is missing.  The colour bar has few pixels of any
 * one colour. */
TEST(a_cell_has_its_colour_over_its_area)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_plot_map_options o = SF_PLOT_MAP_OPTIONS_INIT;
    const double values[] = {NAN, NAN, NAN, 0, 5, 10}, y[] = {2, 1, 0},
                 x[] = {0, 1, 2, 4};
    static const double shades[] = {0.0, 256.0 / 511.0, 1.0}; /* of 512 */
    patch p[3];
    o.width = 400.0;
    o.height = 300.0;
    for (int i = 0; i < 3; i++) {
        CHECK_OK(ctx, sf_plot_map(ctx, path, values, 2, 3, y, x, &o));
        p[i] = find(sfi_map_at(SFI_MAP_VIRIDIS, shades[i]));
    }
    CHECK(p[0].count > 5000);
    /* A column of pixels at an edge, a few pixels of the bar. */
    CHECK_NEAR(p[1].count, p[0].count, 0.05 * p[0].count);
    CHECK_NEAR(p[2].count, 2.0 * p[0].count, 0.05 * p[0].count);
    CHECK(p[0].x < p[1].x && p[1].x < p[2].x);
    /* The missing row is above, where y is larger; edges that grow turn it. */
    const double turned[] = {0, 1, 2};
    CHECK(p[0].y > 300.0);
    CHECK_OK(ctx, sf_plot_map(ctx, path, values, 2, 3, turned, x, &o));
    CHECK(find(sfi_map_at(SFI_MAP_VIRIDIS, 0.0)).y < 300.0);
    sf_context_free(ctx);
}

/* White is 0 where both signs occur, however lopsided the range. */
TEST(zero_is_white_where_both_signs_occur)
{
    (void)state_;
    sf_context *ctx = new_context();
    const double values[] = {-1, 8}, y[] = {0, 1}, x[] = {0, 1, 2};
    CHECK_OK(ctx, sf_plot_map(ctx, path, values, 1, 2, y, x, NULL));
    const patch all = find(sfi_map_at(SFI_MAP_SIGNED, 1.0));
    CHECK(all.count > 5000);
    /* -1 of a range of -8 to 8, in the nearest of 512 shades. */
    CHECK_OK(ctx, sf_plot_map(ctx, path, values, 1, 2, y, x, NULL));
    CHECK(find(sfi_map_at(SFI_MAP_SIGNED, 224.0 / 511.0)).count > 5000);
    sf_context_free(ctx);
}

/* One value everywhere: without a coast all of the frame has its colour. */
static int uniform(sf_context *ctx, double west, double east, double south,
                   double north)
{
    const double value = 1.0, x[] = {west, east}, y[] = {south, north};
    sf_plot_map_options o = SF_PLOT_MAP_OPTIONS_INIT;
    o.is_geographic = true;
    o.low = 0.0;
    o.high = 1.0;
    o.width = o.height = 400.0;
    CHECK_OK(ctx, sf_plot_map(ctx, path, &value, 1, 1, y, x, &o));
    return find(sfi_map_at(SFI_MAP_VIRIDIS, 1.0)).count;
}

/* As far south as Iceland is north there is only water; so are the frames of equal
 * size. */
TEST(coasts_are_around_iceland_and_not_in_mid_ocean)
{
    (void)state_;
    sf_context *ctx = new_context();
    const int ocean = uniform(ctx, -150, -138, -70, -60);
    CHECK(ocean > 50000);
    CHECK(uniform(ctx, 210, 222, -70, -60) == ocean);
    CHECK(uniform(ctx, -25, -13, 60, 70) < ocean - 1000);
    CHECK(uniform(ctx, 335, 347, 60, 70) < ocean - 1000);
    sf_context_free(ctx);
}

/* A degree of longitude is cos 60 = 1/2 of one of latitude long: a map of 20 by 10
 * degrees around 60 south is square, at the equator it is twice as wide as high. */
TEST(lengths_are_true_in_the_middle_latitude)
{
    (void)state_;
    sf_context *ctx = new_context();
    const int far = uniform(ctx, -150, -130, -65, -55);
    const int near = uniform(ctx, -150, -130, -5, 5);
    /* Frames of width w: w^2, and w^2 / 2, in a page of 400 x 400. */
    CHECK_NEAR(near, 0.5 * far, 0.12 * far);
    sf_context_free(ctx);
}

/* The values are x, the colours a range so wide that all are the middle one: what
 * differs is the contour at x = 3 of 0 to 4, and its label on it. */
TEST(a_contour_is_where_its_level_is_reached)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_plot_map_options o = SF_PLOT_MAP_OPTIONS_INIT;
    const double values[] = {1, 3.5, 1, 3.5}, y[] = {0, 1, 2}, x[] = {0, 2, 4},
                 points[] = {1, 3.5}, level = 3.0;
    o.width = o.height = 400.0;
    o.low = -1e6;
    o.high = 1e6;
    o.colours = SF_PLOT_SEQUENTIAL;
    const sfi_rgba middle = sfi_map_at(SFI_MAP_VIRIDIS, 256.0 / 511.0);
    CHECK_OK(ctx, sf_plot_map(ctx, path, values, 2, 2, y, x, &o));
    const patch all = find(middle);
    o.x = points;
    o.contours = &level;
    o.contour_count = 1;
    CHECK_OK(ctx, sf_plot_map(ctx, path, values, 2, 2, y, x, &o));
    /* The frame, from its area and its centre: 4 units wide. */
    const double width = 2.0 * (all.x - 70.0); /* its left end is near 70 */
    const int row = (int)all.y;
    const patch line =
        look(middle, false, (int)all.x - (int)(0.45 * width),
             (int)all.x + (int)(0.45 * width), row - 100, row + 100);
    CHECK(line.count > 200 && line.count < 6000);
    CHECK_NEAR(line.x, all.x + 0.25 * width, 0.02 * width);
    sf_context_free(ctx);
}

/* On a map all round the Earth a contour along a parallel meets both sides of the
 * frame: of four columns, an eighth of the frame lies beyond the outer points. */
TEST(contours_go_over_the_seam)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_plot_map_options o = SF_PLOT_MAP_OPTIONS_INIT;
    const double values[] = {1, 1, 1, 1, 2, 2, 2, 2},
                 y[] = {-72.5, -57.5, -42.5}, x[] = {180, 270, 360, 450, 540},
                 level = 1.5;
    o.width = 800.0;
    o.height = 400.0;
    o.low = -1e6;
    o.high = 1e6;
    o.colours = SF_PLOT_SEQUENTIAL;
    o.is_geographic = true;
    o.contours = &level;
    const sfi_rgba middle = sfi_map_at(SFI_MAP_VIRIDIS, 256.0 / 511.0);
    CHECK_OK(ctx, sf_plot_map(ctx, path, values, 2, 4, y, x, &o));
    const patch all = find(middle);
    /* A degree of longitude is c long: the frame is w wide and w 30/(360 c) high, but
     * for its coasts. */
    const double c = cos(57.5 * 3.141592653589793 / 180.0);
    const double w = sqrt(all.count * 360.0 * c / 30.0);
    const int left = (int)(all.x - 0.5 * w), tenth = (int)(0.1 * w);
    const int right = (int)(all.x + 0.5 * w);
    o.contour_count = 1;
    int lines[2];
    for (int k = 0; k < 2; k++) {
        const int from = k == 0 ? left + 5 : right - 5 - tenth;
        CHECK_OK(ctx, sf_plot_map(ctx, path, values, 2, 4, y, x, &o));
        lines[k] = look(middle, false, from, from + tenth, (int)all.y - 6,
                        (int)all.y + 6)
                       .count;
        /* The line with its rim is 3 pixels high or more. */
        CHECK(lines[k] >= 3 * tenth);
    }
    sf_context_free(ctx);
}

/* 101 points at 1.5 pixels are 151.5 of them: the last ones are white as well. */
TEST(the_last_pixels_are_white)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_plot_map_options o = SF_PLOT_MAP_OPTIONS_INIT;
    const double value = 1.0, edges[] = {0, 1};
    o.width = o.height = 101.0;
    o.scale = 1.5;
    CHECK_OK(ctx, sf_plot_map(ctx, path, &value, 1, 1, edges, edges, &o));
    const sfi_rgba white = {1.0, 1.0, 1.0, 1.0};
    assert_int_equal(look(white, false, 0, 0, 150, 0).count, 0);
    sf_context_free(ctx);
}

/* 10 of a range of 2 to 14 about 8: 5/6 of the way to the end of the red side is at
 * 1/2 + 1/2 * 2/6 of the map. */
TEST(colours_diverge_about_a_stated_centre)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_plot_map_options o = SF_PLOT_MAP_OPTIONS_INIT;
    const double values[] = {10, 14}, y[] = {0, 1}, x[] = {0, 1, 2};
    o.colours = SF_PLOT_DIVERGING;
    o.centre = 8.0;
    CHECK_OK(ctx, sf_plot_map(ctx, path, values, 1, 2, y, x, &o));
    CHECK(find(sfi_map_at(SFI_MAP_SIGNED, 341.0 / 511.0)).count > 5000);
    CHECK_OK(ctx, sf_plot_map(ctx, path, values, 1, 2, y, x, &o));
    CHECK(find(sfi_map_at(SFI_MAP_SIGNED, 1.0)).count > 5000);
    sf_context_free(ctx);
}

/* -1e-9 among values up to 8 is a rounding, not a sign. */
TEST(a_negligible_other_sign_does_not_split_the_colours)
{
    (void)state_;
    sf_context *ctx = new_context();
    const double values[] = {-1e-9, 8}, y[] = {0, 1}, x[] = {0, 1, 2};
    CHECK_OK(ctx, sf_plot_map(ctx, path, values, 1, 2, y, x, NULL));
    CHECK(find(sfi_map_at(SFI_MAP_VIRIDIS, 1.0)).count > 5000);
    sf_context_free(ctx);
}

/* Marks of an axis, and an axis that falls: what has the larger y is then below. */
TEST(an_axis_may_fall)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_plot_map_options o = SF_PLOT_MAP_OPTIONS_INIT;
    const double values[] = {0, 10}, y[] = {0, 1, 2}, x[] = {0, 1};
    o.height = 300.0;
    CHECK_OK(ctx, sf_plot_map(ctx, path, values, 2, 1, y, x, &o));
    CHECK(find(sfi_map_at(SFI_MAP_VIRIDIS, 0.0)).y > 300.0);
    o.y_falls = true;
    CHECK_OK(ctx, sf_plot_map(ctx, path, values, 2, 1, y, x, &o));
    CHECK(find(sfi_map_at(SFI_MAP_VIRIDIS, 0.0)).y < 300.0);
    sf_context_free(ctx);
}

/* Of one arrow, on one cell of which it is in the middle, most ink is near its head. */
TEST(an_arrow_points_along_its_vector)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_plot_map_options o = SF_PLOT_MAP_OPTIONS_INIT;
    const double value = 1.0, edges[] = {0, 1}, one = 1.0, zero = 0.0,
                 minus = -1.0, south[] = {-65, -64}, west[] = {-150, -148};
    const double *const way[][2] = {
        {&one, &zero}, {&zero, &one}, {&minus, &zero}, {&zero, &minus}};
    o.width = o.height = 300.0;
    o.low = -1e6;
    o.high = 1e6;
    o.colours = SF_PLOT_SEQUENTIAL;
    o.is_equal = true;
    const sfi_rgba ground = sfi_map_at(SFI_MAP_VIRIDIS, 256.0 / 511.0);
    for (int k = 0; k < 8; k++) {
        const double *x_edges = k < 4 ? edges : west,
                     *y_edges = k < 4 ? edges : south;
        o.is_geographic = k >= 4;
        o.u = way[k % 4][0];
        o.v = way[k % 4][1];
        CHECK_OK(ctx,
                 sf_plot_map(ctx, path, &value, 1, 1, y_edges, x_edges, &o));
        const patch all = find(ground);
        CHECK_OK(ctx,
                 sf_plot_map(ctx, path, &value, 1, 1, y_edges, x_edges, &o));
        const int x = (int)(all.x + 0.5), y = (int)(all.y + 0.5);
        const patch arrow = look(ground, false, x - 60, x + 60, y - 60, y + 60);
        CHECK(arrow.count > 40 && arrow.count < 1200);
        CHECK((arrow.x - all.x) * *o.u - (arrow.y - all.y) * *o.v > 1.0);
        CHECK_NEAR((arrow.x - all.x) * *o.v, 0.0, 1.0);
        CHECK_NEAR((arrow.y - all.y) * *o.u, 0.0, 1.0);
    }
    sf_context_free(ctx);
}

/* (3, 4) is 5 long: the cell of (0, 0) has the lightest colour, that of (6, 8) the
 * darkest, and (3, 4) the one between. */
TEST(without_values_a_map_shows_lengths)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_plot_map_options o = SF_PLOT_MAP_OPTIONS_INIT;
    const double u[] = {0, 3, 6}, v[] = {0, 4, 8}, y[] = {0, 1},
                 x[] = {0, 1, 2, 3};
    o.u = u;
    o.v = v;
    CHECK_OK(ctx, sf_plot_map(ctx, path, NULL, 1, 3, y, x, &o));
    CHECK(find(sfi_map_at(SFI_MAP_LIGHT, 256.0 / 511.0)).count > 5000);
    CHECK_OK(ctx, sf_plot_map(ctx, path, NULL, 1, 3, y, x, &o));
    CHECK(find(sfi_map_at(SFI_MAP_LIGHT, 1.0)).count > 5000);
    CHECK_FAILS(ctx, sf_plot_map(ctx, path, NULL, 1, 3, y, x, NULL), SF_E_SHAPE,
                "no values");
    o.v = NULL;
    CHECK_FAILS(ctx, sf_plot_map(ctx, path, v, 1, 3, y, x, &o), SF_E_SHAPE,
                "want u and v");
    sf_context_free(ctx);
}

TEST(numbers_that_make_no_map_are_refused)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_plot_map_options o = SF_PLOT_MAP_OPTIONS_INIT;
    const double v[] = {1, 2}, good[] = {0, 1, 2}, bad[] = {0, 1, 1};
    CHECK_FAILS(ctx, sf_plot_map(ctx, path, v, 1, 2, good, bad, &o), SF_E_SHAPE,
                "edges of x go from 1 to 1 at cell 1");
    CHECK_FAILS(ctx, sf_plot_map(ctx, path, v, 0, 2, good, good, &o),
                SF_E_SHAPE, "0 cells along y");
    CHECK_FAILS(ctx, sf_plot_map(ctx, "a.bmp", v, 1, 2, good, good, &o),
                SF_E_ARG, "a.bmp");
    o.low = 2.0;
    o.high = 1.0;
    CHECK_FAILS(ctx, sf_plot_map(ctx, path, v, 1, 2, good, good, &o), SF_E_ARG,
                "low is 2 and high 1");
    const double levels[] = {1, 1}, outside[] = {0.5, 2.5};
    o.low = o.high = 0.0;
    o.contours = levels;
    o.contour_count = 2;
    CHECK_FAILS(ctx, sf_plot_map(ctx, path, v, 1, 2, good, good, &o), SF_E_ARG,
                "level 1 of the contours is 1");
    o.contour_count = 0;
    o.x = outside;
    CHECK_FAILS(ctx, sf_plot_map(ctx, path, v, 1, 2, good, good, &o),
                SF_E_SHAPE, "point 1 of x is 2.5");
    o.x = NULL;
    o.y_ticks.count = 25;
    CHECK_FAILS(ctx, sf_plot_map(ctx, path, v, 1, 2, good, good, &o), SF_E_ARG,
                "25 marks of y");
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    (void)state_;
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    const double v[] = {1, NAN, 2, 3}, y[] = {0, 1, 2}, x[] = {0, 180, 360};
    sf_plot_map_options o = SF_PLOT_MAP_OPTIONS_INIT;
    o.contour_count = -1;
    o.is_geographic = true;
    o.u = o.v = v;
    o.streamlines = true;
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status))
        status = sf_plot_map(ctx, path, NULL, 2, 2, y, x, &o);
    unlink(path);
    sf_context_free(ctx);
}

TESTS(CASE(a_cell_has_its_colour_over_its_area),
      CASE(zero_is_white_where_both_signs_occur),
      CASE(coasts_are_around_iceland_and_not_in_mid_ocean),
      CASE(lengths_are_true_in_the_middle_latitude),
      CASE(a_contour_is_where_its_level_is_reached),
      CASE(contours_go_over_the_seam), CASE(the_last_pixels_are_white),
      CASE(colours_diverge_about_a_stated_centre),
      CASE(a_negligible_other_sign_does_not_split_the_colours),
      CASE(an_axis_may_fall), CASE(an_arrow_points_along_its_vector),
      CASE(without_values_a_map_shows_lengths),
      CASE(numbers_that_make_no_map_are_refused),
      CASE(every_allocation_may_fail))
