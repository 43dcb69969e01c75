/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of maps: how long arrows are, where streamlines run. */
#include "faults.h"

#include "plot/vectors.h"

enum { N = 61 };

/* A panel of 300 x 300 points, and a grid of N x N points in cells of equal size over
 * [x0, x1] x [y0, y1]. */
typedef struct flow {
    sfi_panel panel;
    sfi_tiling tiling;
    double x_edges[N + 1], y_edges[N + 1], u[N * N], v[N * N];
} flow;

static void set_flow(flow *f, double x0, double x1, double y0, double y1)
{
    memset(f, 0, sizeof *f);
    f->panel.frame = (sfi_rect){10.0, 20.0, 310.0, 320.0};
    f->panel.x = (sfi_axis){.lo = x0, .hi = x1, .from = 10.0, .to = 310.0};
    f->panel.y = (sfi_axis){.lo = y0, .hi = y1, .from = 320.0, .to = 20.0};
    for (int k = 0; k <= N; k++) {
        f->x_edges[k] = x0 + (x1 - x0) * k / N;
        f->y_edges[k] = y0 + (y1 - y0) * k / N;
    }
    f->tiling = (sfi_tiling){
        .ny = N, .nx = N, .y_edges = f->y_edges, .x_edges = f->x_edges};
}

static double middle(const double *edges, int k)
{
    return 0.5 * (edges[k] + edges[k + 1]);
}

/* u = -y, v = x turns about the middle: every line keeps its radius.  The flow is linear,
 * so that interpolation is exact but for the outermost half cells (2.5 points), and
 * a step of h = 1.5 points by the method of order 4 changes a radius r by about
 * r (h/r)^6/144, which sums to 1e-4 points over a turn at r = 8. */
TEST(streamlines_of_a_rotation_are_circles)
{
    (void)state_;
    sf_context *ctx = new_context();
    flow *f = malloc(sizeof *f);
    set_flow(f, -1, 1, -1, 1);
    for (int j = 0; j < N; j++)
        for (int i = 0; i < N; i++) {
            f->u[j * N + i] = -middle(f->y_edges, j);
            f->v[j * N + i] = middle(f->x_edges, i);
        }
    const sfi_vectors vectors = {f->u, f->v, false};
    sfi_lines lines;
    CHECK_OK(ctx,
             sfi_streamlines(ctx, &lines, &f->panel, &f->tiling, &vectors));
    CHECK(lines.lines > 10);
    for (size_t l = 0; l < lines.lines; l++) {
        const double *p = lines.xy + 2 * lines.start[l];
        const double radius = hypot(p[0] - 160.0, p[1] - 170.0);
        for (size_t k = lines.start[l]; k < lines.start[l + 1]; k++) {
            const double x = lines.xy[2 * k] - 160.0,
                         y = lines.xy[2 * k + 1] - 170.0;
            if (radius < 140.0 && radius > 8.0)
                CHECK_NEAR(hypot(x, y), radius, 0.02);
        }
        /* x grows to the right and y upwards: counter-clockwise. */
        const double *q = p + 2;
        CHECK((p[0] - 160.0) * (q[1] - 170.0) -
                  (p[1] - 170.0) * (q[0] - 160.0) <
              0.0);
    }
    sfi_lines_free(&lines);
    free(f);
    sf_context_free(ctx);
}

/* Lines keep half a spacing, 6.5 points, from each other, and leave no hole wider
 * than three spacings. */
TEST(streamlines_are_evenly_spaced)
{
    (void)state_;
    sf_context *ctx = new_context();
    flow *f = malloc(sizeof *f);
    set_flow(f, 0, 1, 0, 1);
    for (int j = 0; j < N; j++)
        for (int i = 0; i < N; i++) {
            const double x = middle(f->x_edges, i), y = middle(f->y_edges, j);
            f->u[j * N + i] = cos(6.0 * y) + 0.3;
            f->v[j * N + i] = sin(5.0 * x);
        }
    const sfi_vectors vectors = {f->u, f->v, false};
    sfi_lines lines;
    CHECK_OK(ctx,
             sfi_streamlines(ctx, &lines, &f->panel, &f->tiling, &vectors));
    for (size_t l = 1; l < lines.lines; l++)
        for (size_t p = lines.start[l]; p < lines.start[l + 1]; p++)
            for (size_t q = 0; q < lines.start[l]; q++)
                CHECK(hypot(lines.xy[2 * p] - lines.xy[2 * q],
                            lines.xy[2 * p + 1] - lines.xy[2 * q + 1]) > 6.49);
    for (double y = 40.0; y < 300.0; y += 5.0)
        for (double x = 30.0; x < 290.0; x += 5.0) {
            double least = INFINITY;
            for (size_t p = 0; p < lines.points; p++)
                least = fmin(
                    least, hypot(lines.xy[2 * p] - x, lines.xy[2 * p + 1] - y));
            CHECK(least < 19.5);
        }
    sfi_lines_free(&lines);
    free(f);
    sf_context_free(ctx);
}

/* The wind of a rotation of the sphere about the axis a = (1, 0, 1)/sqrt 2, a x r: the
 * streamlines are its small circles, a . r = const.  Without the factor 1/cos(lat)
 * a . r changes by 0.1 and more. */
TEST(streamlines_run_as_the_flow_does_on_the_sphere)
{
    (void)state_;
    sf_context *ctx = new_context();
    flow *f = malloc(sizeof *f);
    const double degree = 3.141592653589793 / 180.0, half = sqrt(0.5);
    set_flow(f, 40, 140, 15, 75);
    for (int j = 0; j < N; j++)
        for (int i = 0; i < N; i++) {
            const double lon = degree * middle(f->x_edges, i),
                         lat = degree * middle(f->y_edges, j);
            f->u[j * N + i] = half * (cos(lat) - sin(lat) * cos(lon));
            f->v[j * N + i] = half * sin(lon);
        }
    const sfi_vectors vectors = {f->u, f->v, true};
    sfi_lines lines;
    CHECK_OK(ctx,
             sfi_streamlines(ctx, &lines, &f->panel, &f->tiling, &vectors));
    CHECK(lines.lines > 10);
    for (size_t l = 0; l < lines.lines; l++) {
        double first = NAN;
        for (size_t p = lines.start[l]; p < lines.start[l + 1]; p++) {
            const double x = lines.xy[2 * p], y = lines.xy[2 * p + 1];
            const double lon = degree * sfi_axis_value(&f->panel.x, x),
                         lat = degree * sfi_axis_value(&f->panel.y, y);
            const double along = half * (cos(lat) * cos(lon) + sin(lat));
            if (p == lines.start[l])
                first = along;
            /* The outermost half cells are flat. */
            if (x > 13.0 && x < 307.0 && y > 23.0 && y < 317.0)
                CHECK_NEAR(along, first, 0.01);
        }
    }
    sfi_lines_free(&lines);
    free(f);
    sf_context_free(ctx);
}

/* Nothing runs through missing values, nor where nothing moves. */
TEST(streamlines_end_where_there_is_no_flow)
{
    (void)state_;
    sf_context *ctx = new_context();
    flow *f = malloc(sizeof *f);
    set_flow(f, 0, 1, 0, 1);
    for (int k = 0; k < N * N; k++) {
        f->u[k] = k % N < N / 2 ? 1.0 : NAN;
        f->v[k] = 0.0;
    }
    const sfi_vectors vectors = {f->u, f->v, false};
    sfi_lines lines;
    CHECK_OK(ctx,
             sfi_streamlines(ctx, &lines, &f->panel, &f->tiling, &vectors));
    CHECK(lines.lines > 5);
    /* Points of column 29 are the last ones, at (29 + 1/2)/61 of 300 points. */
    for (size_t p = 0; p < lines.points; p++)
        CHECK(lines.xy[2 * p] <= 10.0 + 300.0 * 29.5 / 61.0 + 3.0);
    sfi_lines_free(&lines);
    for (int k = 0; k < N * N; k++)
        f->u[k] = 0.0;
    CHECK_OK(ctx,
             sfi_streamlines(ctx, &lines, &f->panel, &f->tiling, &vectors));
    CHECK(lines.lines == 0);
    sfi_lines_free(&lines);
    free(f);
    sf_context_free(ctx);
}

/* Cells of 300/61 = 4.92 points: each fourth point is shown, 19.67 apart, and the arrow
 * of the full vector is 1.3 times as long.  2.5 rms = 5 < 8 is full; the largest
 * round number of which the arrow is at most 36 points long is 5. */
TEST(arrows_have_a_scale)
{
    (void)state_;
    flow *f = malloc(sizeof *f);
    set_flow(f, 0, 1, 0, 1);
    sfi_arrow_scale s = sfi_arrow_scale_of(8.0, 2.0, &f->tiling, &f->panel);
    CHECK_CLOSE(s.full, 5.0, 1e-12);
    CHECK_CLOSE(s.longest, 1.3 * 4.0 * 300.0 / 61.0, 1e-9);
    CHECK_CLOSE(s.reference, 5.0, 1e-12);
    CHECK_CLOSE(sfi_arrow_length(&s, 10.0), 2.0 * s.longest, 1e-12);
    s = sfi_arrow_scale_of(0.0, 0.0, &f->tiling, &f->panel);
    CHECK(s.full == 0.0 && sfi_arrow_length(&s, 1.0) == 0.0);
    free(f);
}

/* A place found on the page is the place that was put there, between points that are
 * not in the middle of their cells, and over the seam of a closed axis. */
TEST(places_of_the_page_are_found_again)
{
    (void)state_;
    const double y_edges[] = {10, 8, 3, 0}, y[] = {9.5, 4, 1},
                 x_edges[] = {0, 100, 200, 360};
    const sfi_tiling t = {.ny = 3,
                          .nx = 3,
                          .y_edges = y_edges,
                          .x_edges = x_edges,
                          .y = y,
                          .period = 360.0};
    const sfi_panel panel = {.x = {.lo = 0, .hi = 360, .from = 10, .to = 210},
                             .y = {.lo = 0, .hi = 10, .from = 120, .to = 20}};
    const double want[][2] = {{0.25, 0.5}, {1.75, 1.5}, {1.0, 2.2}, {0, -0.3}};
    for (size_t k = 0; k < SFI_COUNT(want); k++) {
        double page_x, page_y, v, u;
        sfi_tiling_spot(&t, &panel, want[k][0], want[k][1], &page_x, &page_y);
        CHECK(sfi_tiling_find(&t, &panel, page_x, page_y, &v, &u));
        CHECK_NEAR(v, want[k][0], 1e-12);
        CHECK_NEAR(u, want[k][1], 1e-12);
    }
    double v, u;
    CHECK(!sfi_tiling_find(&t, &panel, 5.0, 50.0, &v, &u));
    /* Above the uppermost point but in its cell. */
    CHECK(sfi_tiling_find(&t, &panel, 100.0, 21.0, &v, &u) && v == 0.0);
}

TEST(every_allocation_may_fail)
{
    (void)state_;
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    flow *f = malloc(sizeof *f);
    set_flow(f, 0, 1, 0, 1);
    for (int k = 0; k < N * N; k++)
        f->u[k] = f->v[k] = 1.0;
    const sfi_vectors vectors = {f->u, f->v, false};
    sf_status status = SF_E_NOMEM;
    for (int k = 0; status != SF_OK; k++) {
        sfi_lines lines;
        faults.left = k;
        status = sfi_streamlines(ctx, &lines, &f->panel, &f->tiling, &vectors);
        CHECK(status == SF_OK || status == SF_E_NOMEM);
        sfi_lines_free(&lines);
        CHECK(faults.bytes == faults.own);
    }
    faults.left = INT64_MAX;
    free(f);
    sf_context_free(ctx);
}

TESTS(CASE(streamlines_of_a_rotation_are_circles),
      CASE(streamlines_are_evenly_spaced),
      CASE(streamlines_run_as_the_flow_does_on_the_sphere),
      CASE(streamlines_end_where_there_is_no_flow), CASE(arrows_have_a_scale),
      CASE(places_of_the_page_are_found_again), CASE(every_allocation_may_fail))
