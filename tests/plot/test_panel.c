/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/random.h"
#include "base/text.h"
#include "plot/panel.h"

static sfi_canvas open_page(sf_context *ctx)
{
    sfi_canvas canvas;
    const sfi_page page = {450.0, 350.0, 1.0};
    CHECK_OK(ctx, sfi_canvas_open_image(ctx, &canvas, page));
    return canvas;
}

static void close_page(sf_context *ctx, sfi_canvas *canvas)
{
    CHECK_OK(ctx, sfi_canvas_close(canvas, SF_OK));
}

/* From 1e-300 to 1e300 on 600 points: one point a decade. */
TEST(axes_map_ends_to_ends)
{
    const sfi_axis axis = {
        .lo = 1e-300, .hi = 1e300, .log = true, .from = 0.0, .to = 600.0};
    CHECK_NEAR(sfi_axis_at(&axis, 1e-300), 0.0, 1e-9);
    CHECK_NEAR(sfi_axis_at(&axis, 1.0), 300.0, 1e-9);
    CHECK_NEAR(sfi_axis_at(&axis, 1e17), 317.0, 1e-9);
    CHECK_NEAR(sfi_axis_at(&axis, 1e300), 600.0, 1e-9);
    CHECK(isnan(sfi_axis_at(&axis, 0.0)) && isnan(sfi_axis_at(&axis, -1.0)));
    const sfi_axis up = {.lo = -2.0, .hi = 2.0, .from = 300.0, .to = 100.0};
    CHECK_NEAR(sfi_axis_at(&up, -2.0), 300.0, 1e-12);
    CHECK_NEAR(sfi_axis_at(&up, 1.0), 150.0, 1e-12);
    CHECK(sfi_axis_at(&up, 1e300) == -1e5);
    CHECK(isnan(sfi_axis_at(&up, (double)NAN)));
    CHECK(sfi_axis_has(&up, 2.0) && !sfi_axis_has(&up, 2.1));
    CHECK(!sfi_axis_has(&up, (double)NAN));
}

/* 3000 horizontal axes of all lengths and ranges: no two labels are closer than
 * 5.5 points, except where two is the least number of marks. */
TEST(tick_labels_keep_apart)
{
    sf_context *ctx = new_context();
    sfi_canvas canvas = open_page(ctx);
    for (int trial = 0; trial < 3000; trial++) {
        const sfi_where w = {9, (uint64_t)trial, 0, SFI_STREAM_USER};
        const double width = pow(10.0, 40.0 * sfi_uniform_at(w, 0) - 20.0);
        sfi_axis axis = {.log = trial % 4 == 0};
        axis.lo = width * (3.0 * sfi_uniform_at(w, 1) - 2.0);
        axis.hi = axis.lo + width;
        if (axis.log) {
            axis.lo = pow(10.0, 20.0 * sfi_uniform_at(w, 1) - 10.0);
            axis.hi = axis.lo * pow(10.0, 12.0 * sfi_uniform_at(w, 2));
        }
        sfi_ticks_range(&axis.lo, &axis.hi, axis.log);
        sfi_axis_place(&canvas, &axis, false, 30.0,
                       80.0 + 350.0 * sfi_uniform_at(w, 3));
        CHECK(axis.ticks.count >= 1);
        double end = -1e9;
        for (int i = 0; i < axis.ticks.count && axis.ticks.count > 2; i++) {
            const double at = sfi_axis_at(&axis, axis.ticks.at[i]);
            const double half =
                0.5 *
                sfi_text_width(&canvas, axis.ticks.label[i], sfi_font_tick);
            CHECK(at - half >= end + 5.5 - 1e-9);
            end = at + half;
        }
    }
    close_page(ctx, &canvas);
    sf_context_free(ctx);
}

TEST(axes_of_integers_mark_integers)
{
    sf_context *ctx = new_context();
    sfi_canvas canvas = open_page(ctx);
    for (int n = 1; n <= 12; n++)
        for (int vertical = 0; vertical < 2; vertical++) {
            sfi_axis axis = {.lo = -0.6, .hi = n + 0.6, .whole = true};
            sfi_axis_place(&canvas, &axis, vertical == 1, 0.0, 300.0);
            CHECK(axis.ticks.count >= 2);
            for (int i = 0; i < axis.ticks.count; i++)
                CHECK(axis.ticks.at[i] == floor(axis.ticks.at[i]));
        }
    close_page(ctx, &canvas);
    sf_context_free(ctx);
}

/* What is too long keeps its two ends, the unit among them, is valid UTF-8 and
 * no wider than its room; what fits stays as it is. */
TEST(long_texts_lose_their_middle)
{
    static const char text[] =
        "concentration of e\xcc\x81\xcc\x81thanol in the "
        "second sample (\xc2\xb5mol l\xe2\x81\xbb\xc2\xb9)";
    sf_context *ctx = new_context();
    sfi_canvas canvas = open_page(ctx);
    for (double room = 40.0; room < 500.0; room += 3.0) {
        char out[1024];
        sfi_font font = sfi_font_label;
        const double whole = sfi_text_width(&canvas, text, font);
        sfi_text_fit(&canvas, text, room, &font, out, sizeof out);
        CHECK(sfi_utf8_prefix(out, strlen(out)) == strlen(out));
        CHECK(sfi_text_width(&canvas, out, font) <= room * 1.001);
        CHECK(font.size >= 0.8 * sfi_font_label.size - 1e-9);
        CHECK(out[0] == 'c' && out[strlen(out) - 1] == ')');
        if (whole <= room) {
            assert_string_equal(out, text);
            CHECK(font.size == sfi_font_label.size);
        }
        const char *dots = strstr(out, "\xe2\x80\xa6");
        CHECK((dots == NULL) == (strcmp(out, text) == 0));
        if (dots != NULL) /* no accent without its letter */
            CHECK((unsigned char)dots[3] != 0xcc);
    }
    close_page(ctx, &canvas);
    sf_context_free(ctx);
}

TEST(bytes_that_are_no_text_are_shown_as_such)
{
    sf_context *ctx = new_context();
    sfi_canvas canvas = open_page(ctx);
    char out[1024];
    sfi_font font = sfi_font_label;
    sfi_text_fit(&canvas, "a\xff\tb\xe6\xbc", 0.0, &font, out, sizeof out);
    assert_string_equal(out, "a\xef\xbf\xbd b\xef\xbf\xbd\xef\xbf\xbd");
    char small[12]; /* cut at a whole character */
    sfi_text_fit(&canvas, "\xce\xb1\xce\xb2\xce\xb3\xce\xb4\xce\xb5\xce\xb6",
                 0.0, &font, small, sizeof small);
    CHECK(sfi_utf8_prefix(small, strlen(small)) == strlen(small));
    CHECK(strlen(small) >= 6 && strlen(small) < sizeof small);
    close_page(ctx, &canvas);
    sf_context_free(ctx);
}

/* The legend breaks into rows instead of leaving its width, and the frame
 * begins below it. */
TEST(legends_wrap_above_the_frame)
{
    sf_context *ctx = new_context();
    sfi_canvas canvas = open_page(ctx);
    sfi_legend legend = {0};
    double before = 0.0;
    for (int k = 0; k < 20; k++) {
        sfi_legend_add(&legend, SFI_SWATCH_LINE, sfi_ink, "entry number %d", k);
        const double height = sfi_legend_height(&canvas, &legend, 300.0);
        CHECK(height >= before);
        before = height;
        sfi_panel panel = {.x = {.lo = 0.0, .hi = 1.0, .label = "x"},
                           .y = {.lo = 0.0, .hi = 1e7, .label = "y"},
                           .title = "title",
                           .legend = &legend};
        sfi_panel_layout(&canvas, &panel, sfi_whole_page(&canvas));
        CHECK(panel.frame.top >
              20.0 + sfi_legend_height(&canvas, &legend, panel.legend_width));
        CHECK(panel.frame.left > 20.0 && panel.frame.right < 450.0);
        CHECK(panel.frame.bottom < 335.0);
    }
    assert_int_equal(legend.count, SFI_LEGEND_MOST);
    CHECK(before > 3.0 * 12.0);
    close_page(ctx, &canvas);
    sf_context_free(ctx);
}

TEST(equal_units_have_equal_lengths)
{
    sf_context *ctx = new_context();
    sfi_canvas canvas = open_page(ctx);
    for (int wide = 0; wide < 2; wide++) {
        sfi_panel panel = {.x = {.lo = 0.0, .hi = wide ? 4.0 : 1.0},
                           .y = {.lo = -1.0, .hi = 1.0},
                           .equal = true};
        sfi_panel_layout(&canvas, &panel, sfi_whole_page(&canvas));
        const double x =
            sfi_axis_at(&panel.x, 1.0) - sfi_axis_at(&panel.x, 0.0);
        const double y =
            sfi_axis_at(&panel.y, 0.0) - sfi_axis_at(&panel.y, 1.0);
        CHECK_NEAR(x, y, 1e-9);
    }
    close_page(ctx, &canvas);
    sf_context_free(ctx);
}

TESTS(CASE(axes_map_ends_to_ends), CASE(tick_labels_keep_apart),
      CASE(axes_of_integers_mark_integers), CASE(long_texts_lose_their_middle),
      CASE(bytes_that_are_no_text_are_shown_as_such),
      CASE(legends_wrap_above_the_frame), CASE(equal_units_have_equal_lengths))
