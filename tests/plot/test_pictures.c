/* SPDX-License-Identifier: Apache-2.0 */
#include "io/io_check.h"

#include <cairo.h>

#include "base/random.h"
#include "scorefield/plot.h"

/* The leak sanitizer asks the program for this.  Fontconfig keeps patterns until
 * the process ends. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig";
}

enum { ROWS = 200, GRID = 24, STEPS = 20, WALKERS = 7 };

static double table[ROWS][4];
static double log_density[GRID * GRID];
static double arrows[16][4];
static float trace[STEPS * WALKERS * 2];

static const char long_name[] =
    "a column whose name is far longer than any picture is wide or high, with "
    "\xce\xb1\xcc\x84, \xe6\xbc\xa2\xe5\xad\x97 and \xff\xfe in it and at last "
    "a unit (\xc2\xb5m\xc2\xb2 s\xe2\x81\xbb\xc2\xb9)";

static double pixels; /* a point; 0: as usual */

static void make_numbers(void)
{
    pixels = 0.0;
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < 4; j++) {
            const sfi_where w = {5, (uint64_t)i, 0, SFI_STREAM_USER};
            table[i][j] = sfi_normal_at(w, (uint32_t)j) + (i % 2) * (j % 3);
        }
    for (int j = 0; j < GRID; j++)
        for (int i = 0; i < GRID; i++) {
            const double x = (i - 11.5) / 4.0, y = (j - 11.5) / 4.0;
            log_density[j * GRID + i] = -0.5 * (x * x + y * y);
        }
    for (int k = 0; k < 16; k++) {
        const double x = k % 4 - 1.5, y = k / 4 - 1.5;
        const double arrow[4] = {x, y, -x, -y};
        memcpy(arrows[k], arrow, sizeof arrow);
    }
    for (int s = 0; s < STEPS; s++)
        for (int w = 0; w < WALKERS; w++) {
            trace[2 * (s * WALKERS + w)] = (float)cos(0.3 * s + w);
            trace[2 * (s * WALKERS + w) + 1] = (float)sin(0.2 * s + 2 * w);
        }
}

static sf_cmat columns(int first, int count)
{
    const sf_cmat m = {&table[0][first], ROWS, count, 4};
    return m;
}

static const sf_plot_grid plane_grid = {log_density, GRID,   GRID, -2.875,
                                        2.875,       -2.875, 2.875};

/* ---- one of each picture --------------------------------------------------- */

typedef sf_status (*picture)(sf_context *ctx, const char *path,
                             const char *label);

static sf_status draw_histogram(sf_context *ctx, const char *path,
                                const char *label)
{
    static const double curve[3][2] = {{-2.0, 0.0}, {0.0, 0.4}, {2.0, 0.0}};
    const sf_plot_curve curves[2] = {{label, {curve[0], 3, 2, 2}, -1, 1},
                                     {NULL, {curve[0], 3, 2, 2}, 3, 0}};
    sf_plot_histogram_options o = SF_PLOT_HISTOGRAM_OPTIONS_INIT;
    o.scale = pixels;
    o.title = o.x_label = o.data_label = label;
    o.samples = columns(1, 1);
    o.curves = curves;
    o.curve_count = 2;
    return sf_plot_histogram(ctx, path, columns(0, 1), &o);
}

static sf_status draw_plane(sf_context *ctx, const char *path,
                            const char *label)
{
    sf_plot_plane_options o = SF_PLOT_PLANE_OPTIONS_INIT;
    o.scale = pixels;
    o.title = o.x_label = o.y_label = o.bar_label = label;
    o.samples = columns(2, 2);
    o.grid = plane_grid;
    const sf_cmat score = {arrows[0], 16, 4, 4};
    o.arrows = score;
    return sf_plot_plane(ctx, path, columns(0, 2), &o);
}

static sf_status draw_pairs(sf_context *ctx, const char *path,
                            const char *label)
{
    const char *const levels[2] = {label, "b"};
    static const double at[2] = {-1.0, 1.0};
    const sf_plot_column names[4] = {
        {.name = label, .lower = -1.0, .upper = 2.0},
        {.ticks = {2, at, levels}},
        {.name = label, .levels = levels, .level_count = 2},
        {.levels = levels, .level_count = 2}};
    sf_plot_pairs_options o = SF_PLOT_PAIRS_OPTIONS_INIT;
    o.scale = pixels;
    o.title = o.real_label = label;
    o.columns = names;
    return sf_plot_pairs(ctx, path, columns(0, 4), columns(0, 4), &o);
}

/* A number over a category, and two categories. */
static sf_status draw_levels(sf_context *ctx, const char *path,
                             const char *label, int first)
{
    const char *const levels[3] = {label, NULL, "c"};
    const sf_plot_column both[3] = {{0},
                                    {.levels = levels, .level_count = 3},
                                    {.levels = levels, .level_count = 3}};
    sf_plot_plane_options o = SF_PLOT_PLANE_OPTIONS_INIT;
    o.scale = pixels;
    o.title = o.x_label = o.y_label = o.data_label = label;
    o.samples = columns(2, 2);
    o.columns = both + first;
    return sf_plot_plane(ctx, path, columns(0, 2), &o);
}

static sf_status draw_boxes(sf_context *ctx, const char *path,
                            const char *label)
{
    return draw_levels(ctx, path, label, 0);
}

static sf_status draw_tiles(sf_context *ctx, const char *path,
                            const char *label)
{
    return draw_levels(ctx, path, label, 1);
}

static sf_status draw_training(sf_context *ctx, const char *path,
                               const char *label)
{
    static double loss[ROWS][2];
    for (int i = 0; i < ROWS; i++) {
        loss[i][0] = 10.0 * i;
        loss[i][1] = exp(-0.02 * i) + 1e-4 * i;
    }
    const sf_cmat train = {loss[0], ROWS, 2, 2};
    const sf_cmat held_out = {loss[0], ROWS / 2, 2, 4};
    sf_plot_training_options o = SF_PLOT_TRAINING_OPTIONS_INIT;
    o.scale = pixels;
    o.title = o.x_label = o.y_label = label;
    return sf_plot_training(ctx, path, train, held_out, &o);
}

static sf_status draw_curves(sf_context *ctx, const char *path,
                             const char *label)
{
    static const double xy[4][2] = {
        {1e-9, 1e-3}, {1e-5, 1.0}, {1.0, 1e3}, {100.0, NAN}};
    const sf_plot_curve curve = {label, {xy[0], 4, 2, 2}, -1, 2};
    sf_plot_curves_options o = SF_PLOT_CURVES_OPTIONS_INIT;
    o.scale = pixels;
    o.title = o.x_label = o.y_label = label;
    o.x_scale = o.y_scale = SF_PLOT_LOG;
    o.marks = true;
    return sf_plot_curves(ctx, path, &curve, 1, &o);
}

static sf_status draw_quantiles(sf_context *ctx, const char *path,
                                const char *label)
{
    sf_plot_curves_options o = SF_PLOT_CURVES_OPTIONS_INIT;
    o.scale = pixels;
    o.title = o.x_label = o.y_label = label;
    return sf_plot_quantiles(ctx, path, columns(0, 1), columns(1, 1), &o);
}

static sf_status draw_bars(sf_context *ctx, const char *path, const char *label)
{
    const char *const groups[4] = {label, "b", "c", label};
    const char *const series[3] = {label, "two", label};
    const sf_cmat values = {table[0], 4, 3, 4};
    sf_plot_curves_options o = SF_PLOT_CURVES_OPTIONS_INIT;
    o.scale = pixels;
    o.title = o.x_label = o.y_label = label;
    return sf_plot_bars(ctx, path, values, groups, series, &o);
}

static sf_array trace_array(void)
{
    const sf_array a = {trace, SF_F32, 3, {STEPS, WALKERS, 2}};
    return a;
}

static sf_plot_paths_options path_options(const char *label)
{
    sf_plot_paths_options o = SF_PLOT_PATHS_OPTIONS_INIT;
    o.scale = pixels;
    o.title = o.x_label = o.y_label = label;
    o.grid = plane_grid;
    const sf_cmat score = {arrows[0], 16, 4, 4};
    o.arrows = score;
    o.frames = 5;
    return o;
}

static sf_status draw_paths(sf_context *ctx, const char *path,
                            const char *label)
{
    const sf_plot_paths_options o = path_options(label);
    const sf_array a = trace_array();
    return sf_plot_paths(ctx, path, &a, &o);
}

static sf_status draw_animation(sf_context *ctx, const char *path,
                                const char *label)
{
    sf_plot_paths_options o = path_options(label);
    o.scale = pixels > 0.0 ? pixels : 1.0;
    const sf_array a = trace_array();
    return sf_plot_animation(ctx, path, &a, &o);
}

static sf_status draw_chains(sf_context *ctx, const char *path,
                             const char *label)
{
    const char *const names[2] = {label, NULL};
    sf_plot_chains_options o = SF_PLOT_CHAINS_OPTIONS_INIT;
    o.scale = pixels;
    o.title = o.x_label = label;
    o.names = o.notes = names;
    const sf_array a = trace_array();
    return sf_plot_chains(ctx, path, &a, &o);
}

static const picture pictures[] = {draw_histogram, draw_plane,  draw_pairs,
                                   draw_training,  draw_curves, draw_quantiles,
                                   draw_bars,      draw_paths,  draw_chains,
                                   draw_boxes,     draw_tiles};

enum { PICTURES = (int)SFI_COUNT(pictures) };

/* ---- images ----------------------------------------------------------------- */

typedef struct image {
    cairo_surface_t *surface;
    const unsigned char *data;
    int width, height, stride;
} image;

static image open_image(const char *path)
{
    image im = {.surface = cairo_image_surface_create_from_png(path)};
    assert_int_equal(cairo_surface_status(im.surface), CAIRO_STATUS_SUCCESS);
    im.data = cairo_image_surface_get_data(im.surface);
    im.width = cairo_image_surface_get_width(im.surface);
    im.height = cairo_image_surface_get_height(im.surface);
    im.stride = cairo_image_surface_get_stride(im.surface);
    return im;
}

static uint32_t pixel(const image *im, int x, int y)
{
    uint32_t value;
    memcpy(&value, im->data + (size_t)y * (size_t)im->stride + 4 * (size_t)x,
           4);
    return value & 0xFFFFFFu;
}

/* 0 for white to 1 for black, by the green channel. */
static double ink(const image *im, int x, int y)
{
    return 1.0 - (pixel(im, x, y) >> 8 & 255) / 255.0;
}

/* ---- tests ------------------------------------------------------------------ */

TEST(formats_have_their_signatures_and_sizes)
{
    sf_context *ctx = new_context();
    make_numbers();
    size_t size = 0;
    CHECK_OK(ctx, draw_histogram(ctx, in_folder("a.png"), "x"));
    char *png = get_file(in_folder("a.png"), &size);
    CHECK(memcmp(png, "\x89PNG\r\n\x1a\n", 8) == 0);
    CHECK(memcmp(png + 12, "IHDR\x00\x00\x03\x84\x00\x00\x02\xbc", 12) == 0);
    free(png); /* 0x384 x 0x2bc: 900 x 700 */
    CHECK_OK(ctx, draw_histogram(ctx, in_folder("a.SVG"), "x"));
    char *svg = get_file(in_folder("a.SVG"), &size);
    CHECK(strstr(svg, "width=\"450pt\" height=\"350pt\"") != NULL);
    CHECK(strlen(svg) == size);
    CHECK(strcmp(svg + size - 7, "</svg>\n") == 0);
    free(svg);
    CHECK_OK(ctx, draw_histogram(ctx, in_folder("a.pdf"), "x"));
    char *pdf = get_file(in_folder("a.pdf"), &size);
    CHECK(memcmp(pdf, "%PDF-1.", 7) == 0);
    CHECK(size > 1000 && strstr(pdf + size - 8, "%%EOF") != NULL);
    free(pdf);
    CHECK_OK(ctx, draw_animation(ctx, in_folder("a.gif"), "x"));
    char *gif = get_file(in_folder("a.gif"), &size); /* 240 x 240, scale 1 */
    CHECK(memcmp(gif, "GIF89a\xf0\x00\xf0\x00", 10) == 0);
    free(gif);
    CHECK_OK(ctx, draw_animation(ctx, in_folder("a.webp"), "x"));
    char *webp = get_file(in_folder("a.webp"), &size);
    CHECK(memcmp(webp + 8, "WEBPVP8X", 8) == 0);
    free(webp);
    sf_context_free(ctx);
}

/* The second drawing has other surfaces before it and other addresses. */
TEST(the_same_input_gives_the_same_bytes)
{
    sf_context *ctx = new_context();
    make_numbers();
    pixels = 0.6;
    static const char *const extension[] = {".png", ".svg", ".pdf"};
    for (int k = 0; k < PICTURES; k++)
        for (int e = 0; e < 3; e++) {
            char name[2][32];
            char *bytes[2];
            size_t size[2] = {0, 0};
            for (int pass = 0; pass < 2; pass++) {
                snprintf(name[pass], sizeof name[pass], "%d%d%s", k, pass,
                         extension[e]);
                CHECK_OK(ctx, pictures[k](ctx, in_folder(name[pass]), "x"));
                bytes[pass] = get_file(in_folder(name[pass]), &size[pass]);
            }
            assert_int_equal(size[0], size[1]);
            assert_memory_equal(bytes[0], bytes[1], size[0]);
            free(bytes[0]);
            free(bytes[1]);
        }
    sf_context_free(ctx);
}

/* With names that fit nowhere, the outermost three pixels are still white: no
 * text is cut by the page's edge. */
TEST(nothing_reaches_the_edge_of_the_page)
{
    sf_context *ctx = new_context();
    make_numbers();
    for (int k = 0; k < PICTURES; k++) {
        CHECK_OK(ctx, pictures[k](ctx, in_folder("long.png"), long_name));
        image im = open_image(in_folder("long.png"));
        for (int x = 0; x < im.width; x++)
            for (int d = 0; d < 3; d++) {
                CHECK(pixel(&im, x, d) == 0xFFFFFFu);
                CHECK(pixel(&im, x, im.height - 1 - d) == 0xFFFFFFu);
            }
        for (int y = 0; y < im.height; y++)
            for (int d = 0; d < 3; d++) {
                CHECK(pixel(&im, d, y) == 0xFFFFFFu);
                CHECK(pixel(&im, im.width - 1 - d, y) == 0xFFFFFFu);
            }
        cairo_surface_destroy(im.surface);
    }
    sf_context_free(ctx);
}

/* A density in the upper left quarter of the plane is drawn there. */
TEST(maps_have_y_upwards)
{
    sf_context *ctx = new_context();
    make_numbers();
    for (int j = 0; j < GRID; j++)
        for (int i = 0; i < GRID; i++)
            log_density[j * GRID + i] =
                i < GRID / 2 && j >= GRID / 2 ? 0.0 : -INFINITY;
    sf_plot_plane_options o = SF_PLOT_PLANE_OPTIONS_INIT;
    o.grid = plane_grid;
    o.mass_count = -1;
    const sf_cmat none = {0};
    CHECK_OK(ctx, sf_plot_plane(ctx, in_folder("q.png"), none, &o));
    image im = open_image(in_folder("q.png"));
    double sum[2][2] = {{0.0, 0.0}, {0.0, 0.0}};
    for (int y = 100; y < 600; y++)
        for (int x = 150; x < 650; x++)
            sum[y >= 350][x >= 400] += ink(&im, x, y);
    CHECK(sum[0][0] > 0.9 * (sum[0][0] + sum[0][1] + sum[1][0] + sum[1][1]));
    cairo_surface_destroy(im.surface);
    sf_context_free(ctx);
}

/* Heads are wider than shafts, so arrows that point up have their ink above
 * their middles.  Both kinds, and both signs. */
TEST(arrows_point_where_they_should)
{
    sf_context *ctx = new_context();
    make_numbers();
    for (int kind = 0; kind < 2; kind++) {
        double centre[2] = {0.0, 0.0};
        for (int up = 0; up < 2; up++) {
            for (int k = 0; k < 16; k++) {
                arrows[k][2] = 0.0;
                arrows[k][3] = up ? 1.0 : -1.0;
            }
            sf_plot_plane_options o = SF_PLOT_PLANE_OPTIONS_INIT;
            o.grid = plane_grid;
            o.heat = SF_PLOT_HEAT_NONE;
            o.mass_count = -1;
            const sf_cmat score = {arrows[0], 16, 4, 4}, none = {0};
            o.arrows = score;
            o.arrow_kind = kind == 0 ? SF_PLOT_GRADIENT : SF_PLOT_VELOCITY;
            CHECK_OK(ctx, sf_plot_plane(ctx, in_folder("v.png"), none, &o));
            image im = open_image(in_folder("v.png"));
            double total = 0.0;
            for (int y = 100; y < im.height - 100; y++)
                for (int x = 150; x < im.width - 150; x++) {
                    total += ink(&im, x, y);
                    centre[up] += y * ink(&im, x, y);
                }
            centre[up] /= total;
            cairo_surface_destroy(im.surface);
        }
        CHECK(centre[1] < centre[0] - 2.0);
    }
    sf_context_free(ctx);
}

/* One point in the middle of the axes lies in the middle of the frame, in the
 * colour of data; and points beyond the axes are counted, not drawn. */
TEST(points_lie_where_they_should)
{
    sf_context *ctx = new_context();
    make_numbers();
    const double at[2] = {0.0, 0.0};
    const sf_cmat one = {at, 1, 2, 2};
    sf_plot_plane_options o = SF_PLOT_PLANE_OPTIONS_INIT;
    o.grid = plane_grid;
    o.heat = SF_PLOT_HEAT_NONE;
    o.mass_count = -1;
    CHECK_OK(ctx, sf_plot_plane(ctx, in_folder("one.png"), one, &o));
    image im = open_image(in_folder("one.png"));
    /* The frame: first and last dark pixels along a row and a column off the
     * grid lines (which are light) and the middle. */
    const int row = im.height / 2 + 31, column = im.width / 2 + 33;
    int left = -1, right = -1, top = -1, bottom = -1;
    for (int x = 0; x < im.width; x++)
        if (ink(&im, x, row) > 0.6) {
            left = left < 0 ? x : left;
            right = x;
        }
    for (int y = 0; y < im.height - 20; y++)
        if (ink(&im, column, y) > 0.6) {
            top = top < 0 ? y : top;
            bottom = y;
        }
    CHECK(right - left > 700 && bottom - top > 500);
    const uint32_t colour = pixel(&im, (left + right) / 2, (top + bottom) / 2);
    CHECK(abs((int)(colour & 255) - 178) < 60);
    CHECK((int)(colour >> 16) < 90);
    cairo_surface_destroy(im.surface);
    sf_context_free(ctx);
}

/* Numbers that break careless code, through every picture. */
TEST(hard_numbers_make_pictures)
{
    sf_context *ctx = new_context();
    const sf_cmat none = {0};
    static const double hard[] = {0.0,    -0.0,     1e300,     -1e300,
                                  1e-300, INFINITY, -INFINITY, (double)NAN,
                                  5.0,    1.7e308,  1e9,       1e9 + 1e-3};
    for (int kind = 0; kind < 14; kind++) {
        make_numbers();
        pixels = 0.6;
        for (int i = 0; i < ROWS; i++)
            for (int j = 0; j < 4; j++)
                table[i][j] = kind < 12 ? hard[kind]
                              : kind == 12
                                  ? hard[(i * 5 + j) % 12]
                                  : (i % 2 ? 1e300 : -1e300) * table[i][j];
        for (int k = 0; k < GRID * GRID; k++)
            log_density[k] = kind < 12 ? hard[kind] : hard[k * 7 % 12];
        for (int k = 0; k < 16; k++)
            for (int j = 0; j < 4; j++)
                arrows[k][j] = kind < 12 ? hard[kind] : hard[(k * 3 + j) % 12];
        for (int k = 0; k < STEPS * WALKERS * 2; k++)
            trace[k] = (float)(kind < 12 ? hard[kind] : hard[k * 5 % 12]);
        for (int k = 0; k < PICTURES; k++) {
            const sf_status status =
                pictures[k](ctx, in_folder("hard.png"), "x");
            if (status != SF_OK) /* quantiles need a finite value */
                CHECK(pictures[k] == draw_quantiles && kind >= 5 && kind <= 7);
        }
        CHECK_OK(ctx, draw_animation(ctx, in_folder("hard.gif"), "x"));
        sf_plot_plane_options o = SF_PLOT_PLANE_OPTIONS_INIT;
        o.grid = plane_grid;
        for (int heat = 0; heat <= SF_PLOT_HEAT_NONE; heat++) {
            o.heat = (sf_plot_heat)heat;
            CHECK_OK(ctx, sf_plot_plane(ctx, in_folder("h.svg"), none, &o));
        }
    }
    /* No rows at all. */
    CHECK_OK(ctx, sf_plot_histogram(ctx, in_folder("n.png"), none, NULL));
    CHECK_OK(ctx, sf_plot_plane(ctx, in_folder("n.png"), none, NULL));
    CHECK_OK(ctx, sf_plot_training(ctx, in_folder("n.png"), none, none, NULL));
    CHECK_OK(ctx, sf_plot_curves(ctx, in_folder("n.png"), NULL, 0, NULL));
    const sf_cmat wide = {NULL, 0, 3, 3};
    CHECK_OK(ctx, sf_plot_pairs(ctx, in_folder("n.png"), wide, none, NULL));
    const sf_array empty = {trace, SF_F32, 3, {0, 0, 1}};
    CHECK_OK(ctx, sf_plot_paths(ctx, in_folder("n.png"), &empty, NULL));
    CHECK_OK(ctx, sf_plot_chains(ctx, in_folder("n.png"), &empty, NULL));
    sf_context_free(ctx);
}

/* Pages too small for their texts still are pictures. */
TEST(tiny_and_long_pages_do_no_harm)
{
    sf_context *ctx = new_context();
    make_numbers();
    static const double size[][2] = {
        {50.0, 50.0}, {50.0, 2000.0}, {2000.0, 50.0}};
    const sf_array a = trace_array();
    for (int k = 0; k < 3; k++) {
        sf_plot_plane_options p = SF_PLOT_PLANE_OPTIONS_INIT;
        p.title = p.x_label = p.y_label = "title";
        p.width = size[k][0];
        p.height = size[k][1];
        p.scale = 1.0;
        p.grid = plane_grid;
        p.equal = k > 0;
        CHECK_OK(ctx,
                 sf_plot_plane(ctx, in_folder("t.png"), columns(0, 2), &p));
        sf_plot_pairs_options q = SF_PLOT_PAIRS_OPTIONS_INIT;
        q.width = size[k][0];
        q.height = size[k][1];
        CHECK_OK(ctx, sf_plot_pairs(ctx, in_folder("t.png"), columns(0, 4),
                                    columns(0, 4), &q));
        sf_plot_chains_options c = SF_PLOT_CHAINS_OPTIONS_INIT;
        c.width = size[k][0];
        c.height = size[k][1];
        CHECK_OK(ctx, sf_plot_chains(ctx, in_folder("t.png"), &a, &c));
        sf_plot_paths_options o = path_options("x");
        o.width = size[k][0];
        o.height = size[k][1];
        o.scale = 1.0;
        o.frames = 2;
        CHECK_OK(ctx, sf_plot_animation(ctx, in_folder("t.gif"), &a, &o));
    }
    sf_context_free(ctx);
}

/* One chain stays at 0, in the palette's blue, the other one at 1, in its red,
 * and ends after half of the draws: below the legend, red is above blue and in
 * the left half alone. */
TEST(chains_are_where_their_draws_are)
{
    sf_context *ctx = new_context();
    double draws[10][2];
    for (int i = 0; i < 10; i++) {
        draws[i][0] = 0.0;
        draws[i][1] = i < 5 ? 1.0 : NAN;
    }
    const sf_array a = {draws[0], SF_F64, 3, {10, 2, 1}};
    CHECK_OK(ctx, sf_plot_chains(ctx, in_folder("c.png"), &a, NULL));
    image im = open_image(in_folder("c.png"));
    int lowest_red = 0, highest_blue = im.height, rightmost[2] = {0, 0};
    for (int y = 60; y < im.height; y++)
        for (int x = 0; x < im.width; x++) {
            const uint32_t p = pixel(&im, x, y);
            const int redness = (int)(p >> 16) - (int)(p & 255);
            if (redness > 60) {
                lowest_red = y;
                rightmost[0] = x > rightmost[0] ? x : rightmost[0];
            } else if (redness < -60) {
                highest_blue = y < highest_blue ? y : highest_blue;
                rightmost[1] = x > rightmost[1] ? x : rightmost[1];
            }
        }
    CHECK(lowest_red > 60 && lowest_red < highest_blue);
    CHECK(highest_blue < im.height);
    CHECK(rightmost[0] < im.width / 2 && rightmost[1] > im.width * 9 / 10);
    cairo_surface_destroy(im.surface);
    sf_context_free(ctx);
}

TEST(ranges_are_what_a_picture_shows)
{
    sf_context *ctx = new_context();
    const double x[] = {1.0, 3.0, NAN, 2.0}, y[] = {-5.0, 2.5};
    const sf_cmat data = {x, 4, 1, 1}, more = {y, 2, 1, 1}, none = {0};
    double lo, hi;
    CHECK_OK(ctx, sf_plot_range(ctx, data, none, 0, 0.1, &lo, &hi));
    CHECK_NEAR(lo, 0.8, 1e-12);
    CHECK_NEAR(hi, 3.2, 1e-12);
    /* More widens by half of [1, 3] at the most. */
    CHECK_OK(ctx, sf_plot_range(ctx, data, more, 0, 0.0, &lo, &hi));
    CHECK_NEAR(lo, 0.0, 1e-12);
    CHECK_NEAR(hi, 3.0, 1e-12);
    CHECK_FAILS(ctx, sf_plot_range(ctx, data, none, 0, -1.0, &lo, &hi),
                SF_E_ARG, "margin is -1");
    CHECK_FAILS(ctx, sf_plot_range(ctx, data, none, 1, 0.1, &lo, &hi),
                SF_E_SHAPE, "want at least 2 columns");
    sf_context_free(ctx);
}

TEST(what_can_not_be_drawn_is_said)
{
    sf_context *ctx = new_context();
    make_numbers();
    const sf_cmat data = columns(0, 2);
    const char *path = in_folder("e.png");
    CHECK_FAILS(ctx, draw_plane(ctx, in_folder("e.jpg"), "x"), SF_E_ARG,
                "does not end in .png, .svg or .pdf");
    CHECK_FAILS(ctx, draw_plane(ctx, in_folder("e.gif"), "x"), SF_E_ARG,
                "does not end in");
    CHECK_FAILS(ctx, draw_animation(ctx, path, "x"), SF_E_ARG,
                "does not end in .gif or .webp");
    sf_plot_histogram_options h = SF_PLOT_HISTOGRAM_OPTIONS_INIT;
    h.bins = 151;
    CHECK_FAILS(ctx, sf_plot_histogram(ctx, path, data, &h), SF_E_ARG,
                "bins is 151, want 0 to 150");
    h.bins = 0;
    h.width = -3.0;
    CHECK_FAILS(ctx, sf_plot_histogram(ctx, path, data, &h), SF_E_ARG,
                "width is -3");
    h.width = 1e9;
    CHECK_FAILS(ctx, sf_plot_histogram(ctx, path, data, &h), SF_E_ARG,
                "width is 1e+09");
    h.width = 0.0;
    h.scale = NAN;
    CHECK_FAILS(ctx, sf_plot_histogram(ctx, path, data, &h), SF_E_ARG,
                "scale is nan");
    h.scale = 0.0;
    h.x_from = 2.0;
    CHECK_FAILS(ctx, sf_plot_histogram(ctx, path, data, &h), SF_E_ARG,
                "want x_from <= x_to");
    sf_plot_plane_options p = SF_PLOT_PLANE_OPTIONS_INIT;
    p.grid = plane_grid;
    p.grid.nx = 1;
    CHECK_FAILS(ctx, sf_plot_plane(ctx, path, data, &p), SF_E_SHAPE,
                "grid is [24, 1]");
    p.grid = plane_grid;
    p.grid.x_last = -5.0;
    CHECK_FAILS(ctx, sf_plot_plane(ctx, path, data, &p), SF_E_SHAPE,
                "want first < last");
    p.grid = plane_grid;
    const char *const levels[1] = {"a"};
    const sf_plot_column two[2] = {{0}, {.levels = levels, .level_count = 1}};
    p.columns = two;
    CHECK_FAILS(ctx, sf_plot_plane(ctx, path, data, &p), SF_E_ARG,
                "a density and arrows are of two columns of numbers");
    p.columns = NULL;
    const double mass = 1.0;
    p.masses = &mass;
    p.mass_count = 1;
    CHECK_FAILS(ctx, sf_plot_plane(ctx, path, data, &p), SF_E_ARG,
                "masses[0] is 1, want between 0 and 1");
    CHECK_FAILS(ctx, sf_plot_pairs(ctx, path, data, columns(0, 3), NULL),
                SF_E_SHAPE, "2 real and 3 synthetic");
    const sf_plot_curve curve = {NULL, data, 9, 0};
    CHECK_FAILS(ctx, sf_plot_curves(ctx, path, &curve, 1, NULL), SF_E_ARG,
                "colour 9");
    const sf_array flat = {trace, SF_F32, 2, {STEPS, WALKERS}};
    const sf_array many = {trace, SF_F32, 3, {1, 1, 13}};
    CHECK_FAILS(ctx, sf_plot_chains(ctx, path, &flat, NULL), SF_E_SHAPE,
                "trace has rank 2, 0 columns, want");
    CHECK_FAILS(ctx, sf_plot_chains(ctx, path, &many, NULL), SF_E_SHAPE,
                "trace has rank 3, 13 columns, want");
    CHECK_FAILS(ctx, sf_plot_paths(ctx, path, &flat, NULL), SF_E_SHAPE,
                "rank 2");
    const sf_array line = {trace, SF_F32, 3, {STEPS, WALKERS, 1}};
    CHECK_FAILS(ctx, sf_plot_animation(ctx, in_folder("e.gif"), &line, NULL),
                SF_E_SHAPE, "dim >= 2");
    assert_int_equal(count_files(), 0);
    sf_context_free(ctx);
}

TEST(an_unwritable_path_leaves_nothing)
{
    sf_context *ctx = new_context();
    make_numbers();
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/no/such/x.png", folder);
    for (int k = 0; k < PICTURES; k++)
        CHECK_FAILS(ctx, pictures[k](ctx, path, "x"), SF_E_IO, "no/such/x.png");
    snprintf(path, sizeof path, "%s/no/such/x.gif", folder);
    CHECK_FAILS(ctx, draw_animation(ctx, path, "x"), SF_E_IO, "no/such/x.gif");
    assert_int_equal(count_files(), 0);
    sf_context_free(ctx);
}

static bool stop_at_two(void *user, const sf_progress *progress)
{
    ++*(int *)user;
    return progress->step < 2;
}

TEST(an_animation_can_be_stopped)
{
    sf_context *ctx = new_context();
    make_numbers();
    int calls = 0;
    sf_context_set_progress(ctx, stop_at_two, &calls);
    sf_status status = draw_animation(ctx, in_folder("s.gif"), "x");
    /* Reports come at most ten times a second, and for the last frame. */
    CHECK(calls >= 1);
    assert_int_equal(status, SF_E_CANCELLED);
    assert_int_equal(count_files(), 0);
    sf_context_free(ctx);
}

typedef struct job {
    picture draw;
    const char *name;
} job;

static sf_status work(sf_context *ctx, void *user)
{
    const job *j = user;
    unlink(in_folder(j->name));
    const sf_status status = j->draw(ctx, in_folder(j->name), "x");
    CHECK(count_files() == (status == SF_OK));
    return status;
}

TEST(every_allocation_may_fail)
{
    make_numbers();
    pixels = 0.6;
    for (int k = 0; k < PICTURES; k++) {
        job j = {pictures[k], k % 2 == 0 ? "a.svg" : "a.pdf"};
        check_every_allocation(work, &j);
        unlink(in_folder(j.name));
    }
    job j = {draw_animation, "a.gif"};
    check_every_allocation(work, &j);
}

/* A curve along the diagonal colours it, and a gap in it leaves the middle white. */
TEST(curves_lie_on_the_plane)
{
    double xy[] = {0.0, 0.0, 1.0, 1.0, NAN, NAN, 2.0, 2.0, 3.0, 3.0};
    static const double corners[] = {0.0, 0.0, 3.0, 3.0};
    sf_context *ctx = new_context();
    sf_plot_plane_options o = SF_PLOT_PLANE_OPTIONS_INIT;
    int on[2] = {0, 0};
    for (int k = 0; k < 2; k++) {
        const sf_plot_curve curve = {NULL, {xy, 5, 2, 2}, 1, 0};
        o.curves = &curve;
        o.curve_count = k;
        CHECK_OK(ctx, sf_plot_plane(ctx, in_folder("c.png"),
                                    (sf_cmat){corners, 2, 2, 2}, &o));
        image im = open_image(in_folder("c.png"));
        for (int y = 100; y < 600; y++)
            for (int x = 150; x < 800; x++)
                on[k] += ink(&im, x, y) > 0.2;
        cairo_surface_destroy(im.surface);
    }
    CHECK(on[1] > on[0] + 500);
    o.curve_count = -1;
    CHECK_FAILS(
        ctx,
        sf_plot_plane(ctx, in_folder("c.png"), (sf_cmat){corners, 2, 2, 2}, &o),
        SF_E_ARG, "curve_count");
    sf_context_free(ctx);
}

IO_TESTS(CASE(curves_lie_on_the_plane),
         IO_CASE(formats_have_their_signatures_and_sizes),
         IO_CASE(the_same_input_gives_the_same_bytes),
         IO_CASE(nothing_reaches_the_edge_of_the_page),
         IO_CASE(maps_have_y_upwards), IO_CASE(arrows_point_where_they_should),
         IO_CASE(points_lie_where_they_should),
         IO_CASE(hard_numbers_make_pictures),
         IO_CASE(tiny_and_long_pages_do_no_harm),
         IO_CASE(chains_are_where_their_draws_are),
         IO_CASE(ranges_are_what_a_picture_shows),
         IO_CASE(what_can_not_be_drawn_is_said),
         IO_CASE(an_unwritable_path_leaves_nothing),
         IO_CASE(an_animation_can_be_stopped),
         IO_CASE(every_allocation_may_fail))
