/* SPDX-License-Identifier: Apache-2.0 */
/* Boxes and tiles: where they are, how dark, and what rows without one cell do. */
#include "check.h"

#include "plot/category_marks.h"

#include <math.h>
#include <string.h>

static const char *const names[] = {"a", "b"};

/* A page of 200 x 200 pixels which the frame fills. */
static sfi_canvas open_page(sf_context *ctx, sfi_panel *panel)
{
    sfi_canvas canvas;
    const sfi_page page = {200.0, 200.0, 1.0};
    CHECK_OK(ctx, sfi_canvas_open_image(ctx, &canvas, page));
    panel->frame = (sfi_rect){0.0, 0.0, 200.0, 200.0};
    panel->x.from = 0.0;
    panel->x.to = 200.0;
    panel->y.from = 200.0;
    panel->y.to = 0.0;
    return canvas;
}

static sfi_axis level_axis(void)
{
    return (sfi_axis){.lo = -0.5, .hi = 1.5, .names = names, .name_count = 2};
}

/* 0 for paper to 1, by the red channel, which data lack. */
static double ink(const sfi_canvas *canvas, int x, int y)
{
    uint32_t value;
    cairo_surface_flush(canvas->surface);
    memcpy(&value,
           cairo_image_surface_get_data(canvas->surface) +
               (size_t)y *
                   (size_t)cairo_image_surface_get_stride(canvas->surface) +
               4 * (size_t)x,
           4);
    return 1.0 - (value >> 16 & 255) / 255.0;
}

enum { ROWS = 202 };

/* Level "a" has the numbers 0 to 100, "b" two of 100; one row lacks its level. */
static void make_rows(double rows[ROWS][2])
{
    for (int i = 0; i <= 100; i++) {
        rows[i][0] = 0.0;
        rows[i][1] = i;
        rows[101 + i][0] = i < 2 ? 1.0 : (double)NAN;
        rows[101 + i][1] = i < 2 ? 100.0 : 0.0;
    }
}

/* With 0 to 100 up 200 pixels, quartiles 25 and 75 are at 150 and 50, the lines end at
 * 190 and 10, and the median is at 100; boxes are .64 wide, a level 100 pixels. */
TEST(boxes_reach_from_quartile_to_quartile)
{
    sf_context *ctx = new_context();
    double rows[ROWS][2];
    make_rows(rows);
    for (int turned = 0; turned < 2; turned++) {
        sfi_panel panel = {.x = level_axis(), .y = {.lo = 0.0, .hi = 100.0}};
        if (turned) {
            const sfi_axis other = panel.x;
            panel.x = panel.y;
            panel.y = other;
        }
        sfi_canvas canvas = open_page(ctx, &panel);
        const sf_cmat table[2] = {{&rows[0][0], ROWS, 2, 2}, {NULL, 0, 0, 0}};
        CHECK_OK(ctx, sfi_draw_boxes(&canvas, &panel, table, turned ? 1 : 0,
                                     turned ? 0 : 1));
        /* (across, up): with the axes changed, levels go up and numbers right. */
#define AT(across, up)                                                         \
    (turned ? ink(&canvas, 200 - (up), 200 - (across))                         \
            : ink(&canvas, across, up))
        CHECK(AT(30, 60) > 0.2 && AT(30, 140) > 0.2); /* the box    */
        CHECK(AT(30, 44) < 0.02 && AT(30, 156) < 0.02);
        CHECK(AT(30, 100) > 0.8);                     /* the median */
        CHECK(AT(50, 30) > 0.3 && AT(50, 170) > 0.3); /* the lines  */
        CHECK(AT(50, 4) < 0.02 && AT(50, 196) < 0.02);
        CHECK(AT(16, 100) < 0.02 && AT(84, 100) < 0.02);
        CHECK(AT(150, 100) < 0.02); /* level "b" is elsewhere */
#undef AT
        CHECK_OK(ctx, sfi_canvas_close(&canvas, SF_OK));
    }
    sf_context_free(ctx);
}

/* Two tables share a place: the second has its right half. */
TEST(two_tables_stand_side_by_side)
{
    sf_context *ctx = new_context();
    double rows[ROWS][2], other[ROWS][2];
    make_rows(rows);
    make_rows(other);
    for (int i = 0; i < ROWS; i++)
        other[i][1] = 50.0 + 0.1 * (other[i][1] - 50.0); /* 47.5 to 52.5 */
    sfi_panel panel = {.x = level_axis(), .y = {.lo = 0.0, .hi = 100.0}};
    sfi_canvas canvas = open_page(ctx, &panel);
    const sf_cmat table[2] = {{&rows[0][0], ROWS, 2, 2},
                              {&other[0][0], ROWS, 2, 2}};
    CHECK_OK(ctx, sfi_draw_boxes(&canvas, &panel, table, 0, 1));
    CHECK(ink(&canvas, 25, 60) > 0.2);  /* the first, on the left    */
    CHECK(ink(&canvas, 75, 60) < 0.02); /* the second is shorter     */
    CHECK(ink(&canvas, 50, 100) < 0.02);
    CHECK_OK(ctx, sfi_canvas_close(&canvas, SF_OK));
    sf_context_free(ctx);
}

/* 4 of 6 rows have (a, a), 1 has (b, a), 1 (b, b); two lack a cell.  The tile of most
 * rows is the darkest, .95 of its colour; of a quarter of it, .08 + .87/2. */
TEST(tiles_are_as_dark_as_they_are_common)
{
    sf_context *ctx = new_context();
    const double nan = (double)NAN;
    const double rows[][2] = {{0, 0}, {0, 0}, {0, 0},   {0, 0},
                              {1, 0}, {1, 1}, {nan, 1}, {0, nan}};
    const sf_cmat table[2] = {{&rows[0][0], 8, 2, 2}, {NULL, 0, 0, 0}};
    sfi_panel panel = {.x = level_axis(), .y = level_axis()};
    sfi_canvas canvas = open_page(ctx, &panel);
    CHECK_OK(ctx, sfi_draw_tiles(&canvas, &panel, table, 0, 1, false));
    const double most = ink(&canvas, 50, 150), quarter = ink(&canvas, 150, 150);
    CHECK_NEAR(quarter / most, 0.515 / 0.95, 0.01);
    CHECK_NEAR(ink(&canvas, 150, 50) / most, 0.515 / 0.95, 0.01);
    CHECK(ink(&canvas, 50, 50) < 0.02);
    CHECK(ink(&canvas, 100, 150) < 0.02); /* between tiles */
    CHECK_OK(ctx, sfi_canvas_close(&canvas, SF_OK));
    sf_context_free(ctx);
}

/* The same texts twice: V is 1, however many rows lack a cell; too many levels have
 * none. */
TEST(associations_take_complete_pairs)
{
    const double nan = (double)NAN;
    const double rows[][2] = {{0, 0}, {1, 1},   {0, 0},   {1, 1},
                              {0, 0}, {nan, 1}, {1, nan}, {1, 1}};
    sfi_panel panel = {.x = level_axis(), .y = level_axis()};
    const sf_cmat m = {&rows[0][0], 8, 2, 2};
    CHECK_NEAR(sfi_panel_cramer_v(&panel, m, 0, 1), 1.0, 1e-12);
    panel.x.name_count = 33;
    CHECK(isnan(sfi_panel_cramer_v(&panel, m, 0, 1)));
}

TESTS(CASE(boxes_reach_from_quartile_to_quartile),
      CASE(two_tables_stand_side_by_side),
      CASE(tiles_are_as_dark_as_they_are_common),
      CASE(associations_take_complete_pairs))
