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

static patch find(sfi_rgba colour)
{
    patch p = {0, 0.0, 0.0};
    cairo_surface_t *s = cairo_image_surface_create_from_png(path);
    assert_int_equal(cairo_surface_status(s), CAIRO_STATUS_SUCCESS);
    const unsigned char *data = cairo_image_surface_get_data(s);
    const uint32_t want = (uint32_t)(255.0 * colour.r + 0.5) << 16 |
                          (uint32_t)(255.0 * colour.g + 0.5) << 8 |
                          (uint32_t)(255.0 * colour.b + 0.5);
    for (int r = 0; r < cairo_image_surface_get_height(s); r++)
        for (int c = 0; c < cairo_image_surface_get_width(s); c++) {
            uint32_t pixel;
            memcpy(&pixel,
                   data +
                       (size_t)r * (size_t)cairo_image_surface_get_stride(s) +
                       4 * (size_t)c,
                   sizeof pixel);
            if ((pixel & 0xffffff) == want) {
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

TEST(coasts_are_around_iceland_and_not_in_mid_ocean)
{
    (void)state_;
    sf_context *ctx = new_context();
    const int ocean = uniform(ctx, -45, -33, 20, 30);
    CHECK(ocean > 100000);
    CHECK(uniform(ctx, 315, 327, 20, 30) == ocean);
    CHECK(uniform(ctx, -25, -13, 60, 70) < ocean - 2000);
    CHECK(uniform(ctx, 335, 347, 60, 70) < ocean - 2000);
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
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    (void)state_;
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    const double v[] = {1, NAN}, y[] = {0, 1}, x[] = {0, 1, 2};
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status))
        status = sf_plot_map(ctx, path, v, 1, 2, y, x, NULL);
    unlink(path);
    sf_context_free(ctx);
}

TESTS(CASE(a_cell_has_its_colour_over_its_area),
      CASE(zero_is_white_where_both_signs_occur),
      CASE(coasts_are_around_iceland_and_not_in_mid_ocean),
      CASE(numbers_that_make_no_map_are_refused),
      CASE(every_allocation_may_fail))
