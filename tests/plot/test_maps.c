/* SPDX-License-Identifier: Apache-2.0 */
/* Several maps with one scale: panels and films. */
#include "faults.h"

#include <cairo.h>
#include <gif_lib.h>
#include <unistd.h>

#include "plot/colour.h"
#include "scorefield/plot.h"

const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig";
}

static const char png[] = "test_maps.tmp.png", gif[] = "test_maps.tmp.gif";

static const double edges[] = {0, 1};

/* Panels of one value each, 0, 1, ..., and how often they were asked for. */
typedef struct panels {
    int calls[100];
    double value;
    char title[32];
    sf_status status; /* returned for panel 2 */
} panels;

static sf_status give(void *user, int64_t k, sf_plot_map_frame *out)
{
    panels *p = user;
    p->calls[k]++;
    p->value = (double)k;
    snprintf(p->title, sizeof p->title, "number %d", (int)k);
    out->title = p->title;
    out->values = &p->value;
    return k == 2 ? p->status : SF_OK;
}

/* Pixels of the colour of `share` in the file, and their mean place. */
static int find(double share, double *x, double *y)
{
    const sfi_rgba c = sfi_map_at(SFI_MAP_VIRIDIS, share);
    const uint32_t want = (uint32_t)(255.0 * c.r + 0.5) << 16 |
                          (uint32_t)(255.0 * c.g + 0.5) << 8 |
                          (uint32_t)(255.0 * c.b + 0.5);
    cairo_surface_t *s = cairo_image_surface_create_from_png(png);
    assert_int_equal(cairo_surface_status(s), CAIRO_STATUS_SUCCESS);
    const unsigned char *data = cairo_image_surface_get_data(s);
    const size_t stride = (size_t)cairo_image_surface_get_stride(s);
    int count = 0;
    *x = *y = 0.0;
    for (int r = 0; r < cairo_image_surface_get_height(s); r++)
        for (int k = 0; k < cairo_image_surface_get_width(s); k++) {
            uint32_t pixel;
            memcpy(&pixel, data + (size_t)r * stride + 4 * (size_t)k, 4);
            if ((pixel & 0xffffff) == want) {
                count++;
                *x += k;
                *y += r;
            }
        }
    *x /= count;
    *y /= count;
    cairo_surface_destroy(s);
    return count;
}

/* Values 0 to 3 of one range: panels in reading order, equally large, in two columns. */
TEST(panels_share_one_scale)
{
    (void)state_;
    sf_context *ctx = new_context();
    panels p = {.status = SF_OK};
    sf_plot_map_options o = SF_PLOT_MAP_OPTIONS_INIT;
    o.columns = 2;
    CHECK_OK(ctx, sf_plot_maps(ctx, png, 4, give, &p, 1, 1, edges, edges, &o));
    double x[4], y[4];
    int count[4];
    for (int k = 0; k < 4; k++) {
        CHECK(p.calls[k] >= 2);
        /* Of 512 shades. */
        count[k] = find(floor(k / 3.0 * 511.0 + 0.5) / 511.0, &x[k], &y[k]);
        CHECK(count[k] > 20000);
        CHECK_NEAR(count[k], count[0], 0.02 * count[0]);
    }
    unlink(png);
    CHECK_NEAR(x[2], x[0], 20.0);
    CHECK_NEAR(y[1], y[0], 20.0);
    CHECK(x[1] > x[0] + 200.0 && y[2] > y[0] + 100.0);
    CHECK(x[3] > x[2] + 200.0 && y[3] > y[1] + 100.0);
    sf_context_free(ctx);
}

/* The page of a number of panels is wider than high, and none is lost. */
TEST(any_number_of_panels_has_room)
{
    (void)state_;
    sf_context *ctx = new_context();
    panels p = {.status = SF_OK};
    for (int n = 2; n <= 60; n += n < 8 ? 1 : 13) {
        sf_plot_map_options o = SF_PLOT_MAP_OPTIONS_INIT;
        o.is_equal = true;
        o.title = "all";
        CHECK_OK(ctx,
                 sf_plot_maps(ctx, png, n, give, &p, 1, 1, edges, edges, &o));
        double x, y;
        CHECK(find(0.0, &x, &y) > 4000);
        CHECK(find(1.0, &x, &y) > 4000);
    }
    unlink(png);
    sf_context_free(ctx);
}

/* The colour of the last frame's middle is that of the highest value, whichever
 * frames there are: the range is that of all. */
TEST(a_film_has_one_range_for_all_frames)
{
    (void)state_;
    sf_context *ctx = new_context();
    panels p = {.status = SF_OK};
    sf_plot_map_options o = SF_PLOT_MAP_OPTIONS_INIT;
    o.frame_time = 0.5;
    o.scale = 1.0;
    CHECK_OK(ctx, sf_plot_maps(ctx, gif, 9, give, &p, 1, 1, edges, edges, &o));
    int error = 0;
    GifFileType *file = DGifOpenFileName(gif, &error);
    assert_non_null(file);
    assert_int_equal(DGifSlurp(file), GIF_OK);
    assert_int_equal(file->ImageCount, 9);
    assert_int_equal(file->SWidth, 420);
    GraphicsControlBlock control;
    assert_int_equal(DGifSavedExtensionToGCB(file, 3, &control), GIF_OK);
    assert_int_equal(control.DelayTime, 50);
    /* A pixel that changes with every frame, from dark violet to yellow. */
    for (int k = 0; k < 9; k++) {
        const SavedImage *image = &file->SavedImages[k];
        const GifImageDesc *d = &image->ImageDesc;
        const int at = (130 - d->Top) * d->Width + 180 - d->Left;
        const GifColorType c = file->SColorMap->Colors[image->RasterBits[at]];
        const sfi_rgba want = sfi_map_at(SFI_MAP_VIRIDIS, k / 8.0);
        CHECK_NEAR(c.Red, 255.0 * want.r, 3.0);
        CHECK_NEAR(c.Green, 255.0 * want.g, 3.0);
        CHECK_NEAR(c.Blue, 255.0 * want.b, 3.0);
    }
    DGifCloseFile(file, &error);
    unlink(gif);
    sf_context_free(ctx);
}

TEST(panels_that_fail_are_reported)
{
    (void)state_;
    sf_context *ctx = new_context();
    panels p = {.status = SF_E_IO};
    CHECK(sf_plot_maps(ctx, png, 4, give, &p, 1, 1, edges, edges, NULL) ==
          SF_E_IO);
    CHECK(access(png, F_OK) != 0);
    CHECK(sf_plot_maps(ctx, gif, 4, give, &p, 1, 1, edges, edges, NULL) ==
          SF_E_IO);
    CHECK(access(gif, F_OK) != 0);
    CHECK_FAILS(ctx,
                sf_plot_maps(ctx, png, 61, give, &p, 1, 1, edges, edges, NULL),
                SF_E_ARG, "61 panels");
    CHECK_FAILS(ctx,
                sf_plot_maps(ctx, gif, 0, give, &p, 1, 1, edges, edges, NULL),
                SF_E_ARG, "0 frames");
    sf_plot_map_options o = SF_PLOT_MAP_OPTIONS_INIT;
    o.y_log = true;
    CHECK_FAILS(ctx,
                sf_plot_maps(ctx, png, 2, give, &p, 1, 1, edges, edges, &o),
                SF_E_ARG, "an edge of y is 0");
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    (void)state_;
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    panels p = {.status = SF_OK};
    sf_plot_map_options o = SF_PLOT_MAP_OPTIONS_INIT;
    o.scale = 0.3;
    const char *const paths[] = {png, gif};
    for (int i = 0; i < 2; i++) {
        sf_status status = SF_E_NOMEM;
        for (int k = 0; status != SF_OK; k++) {
            faults.left = k;
            status = sf_plot_maps(ctx, paths[i], 3, give, &p, 1, 1, edges,
                                  edges, &o);
            CHECK(status == SF_OK || status == SF_E_NOMEM);
            CHECK(faults.bytes == faults.own);
            CHECK(status == SF_OK || access(paths[i], F_OK) != 0);
        }
        faults.left = INT64_MAX;
        unlink(paths[i]);
    }
    sf_context_free(ctx);
}

TESTS(CASE(panels_share_one_scale), CASE(any_number_of_panels_has_room),
      CASE(a_film_has_one_range_for_all_frames),
      CASE(panels_that_fail_are_reported), CASE(every_allocation_may_fail))
