/* SPDX-License-Identifier: Apache-2.0 */
/* Where cells are on the page: discs and curved grids, pixel by pixel. */
#include "faults.h"

#include "plot/tiling.h"

static const double pi = 3.141592653589793;

/* A frame of 200 x 200 points for axes from lo to hi, at 2 pixels a point. */
static sfi_panel panel_of(double lo, double hi)
{
    const sfi_panel p = {.frame = {0.0, 0.0, 200.0, 200.0},
                         .x = {.lo = lo, .hi = hi, .from = 0.0, .to = 200.0},
                         .y = {.lo = lo, .hi = hi, .from = 200.0, .to = 0.0}};
    return p;
}

static sfi_canvas canvas_of(sf_context *ctx)
{
    const sfi_canvas c = {.ctx = ctx, .format = SFI_FORMAT_PNG, .scale = 2.0};
    return c;
}

static int count(const sfi_raster *r, int32_t cell)
{
    int n = 0;
    for (int k = 0; k < r->width * r->height; k++)
        n += r->cell[k] == cell;
    return n;
}

/* Rings of radii 0, 1, 3 and quarters: areas (b^2 - a^2) pi/4 of a square of side 8 that
 * is 400 pixels wide; the rim of a cell crosses at most some 4 pixels in a row. */
TEST(cells_of_a_disc_have_their_areas)
{
    (void)state_;
    sf_context *ctx = new_context();
    const double r[] = {0, 1, 3},
                 theta[] = {0, 0.5 * pi, pi, 1.5 * pi, 2.0 * pi};
    const sfi_tiling t = {.ny = 2,
                          .nx = 4,
                          .y_edges = r,
                          .x_edges = theta,
                          .period = 2.0 * pi,
                          .is_disc = true};
    sfi_axis x = {0}, y = {0};
    sfi_tiling_axes(&t, &y, &x);
    CHECK_NEAR(x.lo, -3.0, 1e-12);
    CHECK_NEAR(x.hi, 3.0, 1e-12);
    CHECK_NEAR(y.lo, -3.0, 1e-12);
    CHECK_NEAR(y.hi, 3.0, 1e-12);
    const sfi_panel panel = panel_of(-4.0, 4.0);
    sfi_canvas canvas = canvas_of(ctx);
    sfi_raster raster;
    CHECK_OK(ctx, sfi_raster_new(&canvas, &raster, &t, &panel));
    assert_int_equal(raster.width, 400);
    for (int j = 0; j < 2; j++)
        for (int i = 0; i < 4; i++) {
            const double area = (r[j + 1] * r[j + 1] - r[j] * r[j]) * pi / 4.0;
            CHECK_NEAR(count(&raster, j * 4 + i), area * 2500.0,
                       0.02 * area * 2500.0);
        }
    /* North-east of the middle is the first quarter. */
    assert_int_equal(raster.cell[190 * 400 + 210], 0);
    assert_int_equal(raster.cell[190 * 400 + 190], 1);
    assert_int_equal(raster.cell[2 * 400 + 2], -1);
    sfi_raster_free(&raster);
    sf_context_free(ctx);
}

/* A sector from 30 to 120 degrees of radii 1 to 2 reaches from 2 cos 120 = -1 to 2 cos 30
 * and from sin 30 = 1/2 to 2. */
TEST(a_sector_spans_its_corners_and_its_farthest_points)
{
    (void)state_;
    const double r[] = {1, 2}, theta[] = {pi / 6.0, 2.0 * pi / 3.0};
    const sfi_tiling t = {
        .ny = 1, .nx = 1, .y_edges = r, .x_edges = theta, .is_disc = true};
    sfi_axis x = {0}, y = {0};
    sfi_tiling_axes(&t, &y, &x);
    CHECK_NEAR(x.lo, -1.0, 1e-12);
    CHECK_NEAR(x.hi, sqrt(3.0), 1e-12);
    CHECK_NEAR(y.lo, 0.5, 1e-12);
    CHECK_NEAR(y.hi, 2.0, 1e-12);
}

/* A place on a disc is found again, also where angles are below 0. */
TEST(places_of_a_disc_are_found_again)
{
    (void)state_;
    const double r[] = {0, 1, 2, 3},
                 theta[] = {-pi, -0.5 * pi, 0, 0.5 * pi, pi};
    const sfi_tiling t = {.ny = 3,
                          .nx = 4,
                          .y_edges = r,
                          .x_edges = theta,
                          .period = 2.0 * pi,
                          .is_disc = true};
    const sfi_panel panel = panel_of(-3.0, 3.0);
    const double want[][2] = {{0.25, 0.5}, {1.5, 3.4}, {2.0, 2.0}, {1, -0.3}};
    for (size_t k = 0; k < SFI_COUNT(want); k++) {
        double x, y, v, u;
        sfi_tiling_spot(&t, &panel, want[k][0], want[k][1], &x, &y);
        CHECK(sfi_tiling_find(&t, &panel, x, y, &v, &u));
        CHECK_NEAR(v, want[k][0], 1e-9);
        CHECK_NEAR(u, want[k][1], 1e-9);
    }
}

enum { N = 8 };

/* A square grid turned by 30 degrees: N^2 cells of side 1/2 lie without gaps. */
TEST(curved_cells_leave_no_gaps)
{
    (void)state_;
    sf_context *ctx = new_context();
    double x[N * N], y[N * N];
    const double c = cos(pi / 6.0), s = sin(pi / 6.0);
    for (int j = 0; j < N; j++)
        for (int i = 0; i < N; i++) {
            const double a = 0.5 * (i + 0.5 - 0.5 * N),
                         b = 0.5 * (j + 0.5 - 0.5 * N);
            x[j * N + i] = c * a - s * b;
            y[j * N + i] = s * a + c * b;
        }
    sfi_tiling t = {.ny = N, .nx = N};
    CHECK_OK(ctx, sfi_tiling_bend(ctx, &t, y, x, false));
    sfi_axis ax = {0}, ay = {0};
    sfi_tiling_axes(&t, &ay, &ax);
    CHECK_NEAR(ax.hi, 2.0 * (c + s), 1e-12);
    CHECK_NEAR(ay.lo, -2.0 * (c + s), 1e-12);
    const sfi_panel panel = panel_of(-3.0, 3.0);
    sfi_canvas canvas = canvas_of(ctx);
    sfi_raster raster;
    CHECK_OK(ctx, sfi_raster_new(&canvas, &raster, &t, &panel));
    /* 400/6 pixels a unit: a cell has 1111. */
    int inside = 0;
    for (int k = 0; k < N * N; k++) {
        const int n = count(&raster, k);
        CHECK_NEAR(n, 1111.0, 25.0);
        inside += n;
    }
    CHECK_NEAR(inside, 16.0 * 4444.4, 150.0);
    /* Every pixel well inside the square has a cell, that of the nearest point. */
    for (int row = 0; row < 400; row++)
        for (int k = 0; k < 400; k++) {
            const double px = -3.0 + 6.0 * (k + 0.5) / 400,
                         py = 3.0 - 6.0 * (row + 0.5) / 400;
            const double a = (c * px + s * py) / 0.5 + 0.5 * N,
                         b = (c * py - s * px) / 0.5 + 0.5 * N;
            const double near_edge = fmin(fabs(a - rint(a)), fabs(b - rint(b)));
            if (near_edge < 0.01)
                continue;
            const bool is_in = a > 0.0 && a < N && b > 0.0 && b < N;
            assert_int_equal(raster.cell[row * 400 + k],
                             is_in ? (int)b * N + (int)a : -1);
        }
    sfi_raster_free(&raster);
    sfi_tiling_free(ctx, &t);
    sf_context_free(ctx);
}

/* The sphere in coordinates whose pole is tilted by 20 degrees, with longitudes from -180
 * to 180: 2 of 10^4 pixels at most (the cells that hold a pole) show no cell, and the
 * others one whose point is near. */
TEST(a_curved_grid_may_go_round_the_earth)
{
    (void)state_;
    sf_context *ctx = new_context();
    enum { NY = 60, NX = 120 };
    double *lat = malloc(NY * NX * sizeof *lat),
           *lon = malloc(NY * NX * sizeof *lon);
    const double degree = pi / 180.0, tilt = 20.0 * degree;
    for (int j = 0; j < NY; j++)
        for (int i = 0; i < NX; i++) {
            const double b = (-90.0 + 3.0 * (j + 0.5)) * degree,
                         l = 3.0 * (i + 0.5) * degree;
            const double x = cos(b) * cos(l), y = cos(b) * sin(l), z = sin(b);
            const double turned = x * cos(tilt) - z * sin(tilt);
            lat[j * NX + i] = asin(x * sin(tilt) + z * cos(tilt)) / degree;
            lon[j * NX + i] = atan2(y, turned) / degree;
        }
    sfi_tiling t = {.ny = NY, .nx = NX};
    CHECK_OK(ctx, sfi_tiling_bend(ctx, &t, lat, lon, true));
    sfi_axis x = {0}, y = {0};
    sfi_tiling_axes(&t, &y, &x);
    CHECK(x.lo == -180.0 && x.hi == 180.0);
    sfi_panel panel = panel_of(-180.0, 180.0);
    panel.y.lo = -90.0;
    panel.y.hi = 90.0;
    sfi_canvas canvas = canvas_of(ctx);
    sfi_raster raster;
    CHECK_OK(ctx, sfi_raster_new(&canvas, &raster, &t, &panel));
    int empty = 0;
    for (int row = 20; row < 380; row++)
        for (int k = 0; k < 400; k++) {
            const int32_t cell = raster.cell[row * 400 + k];
            const double a = (-180.0 + 0.9 * (k + 0.5)) * degree,
                         b = (90.0 - 0.45 * (row + 0.5)) * degree;
            empty += cell < 0;
            if (cell < 0)
                continue;
            const double cosine =
                sin(b) * sin(lat[cell] * degree) +
                cos(b) * cos(lat[cell] * degree) * cos(a - lon[cell] * degree);
            /* Half a diagonal of 3 by 3 degrees, and what the corners miss. */
            CHECK(cosine > cos(4.0 * degree));
        }
    CHECK(empty < 30);
    sfi_raster_free(&raster);
    sfi_tiling_free(ctx, &t);
    free(lat);
    free(lon);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    (void)state_;
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    const double y[] = {0, 0, 1, 1}, x[] = {0, 1, 0, 1};
    const sfi_panel panel = panel_of(-1.0, 2.0);
    sfi_canvas canvas = canvas_of(ctx);
    sf_status status = SF_E_NOMEM;
    for (int k = 0; status != SF_OK; k++) {
        sfi_tiling t = {.ny = 2, .nx = 2};
        sfi_raster raster = {.ctx = ctx};
        faults.left = k;
        status = sfi_tiling_bend(ctx, &t, y, x, false);
        if (status == SF_OK)
            status = sfi_raster_new(&canvas, &raster, &t, &panel);
        CHECK(status == SF_OK || status == SF_E_NOMEM);
        sfi_raster_free(&raster);
        sfi_tiling_free(ctx, &t);
        CHECK(faults.bytes == faults.own);
    }
    faults.left = INT64_MAX;
    sf_context_free(ctx);
}

TESTS(CASE(cells_of_a_disc_have_their_areas),
      CASE(a_sector_spans_its_corners_and_its_farthest_points),
      CASE(places_of_a_disc_are_found_again), CASE(curved_cells_leave_no_gaps),
      CASE(a_curved_grid_may_go_round_the_earth),
      CASE(every_allocation_may_fail))
