/* SPDX-License-Identifier: Apache-2.0 */
#include "io/io_check.h"

#include "plot/contour.h"

enum { N = 81 };

static double grid[N * N];

/* Coordinates of a node, -2 to 2. */
static double place(int i)
{
    return 4.0 * i / (N - 1) - 2.0;
}

static double cells(double length)
{
    return length * (N - 1) / 4.0;
}

static void fill(double (*f)(double x, double y))
{
    for (int j = 0; j < N; j++)
        for (int i = 0; i < N; i++)
            grid[j * N + i] = f(place(i), place(j));
}

static double square_of_radius(double x, double y)
{
    return x * x + y * y;
}

static bool is_closed(const sfi_lines *l, size_t line)
{
    const double *a = l->xy + 2 * l->start[line];
    const double *b = l->xy + 2 * l->start[line + 1] - 2;
    return a[0] == b[0] && a[1] == b[1];
}

static double length_of(const sfi_lines *l, size_t line)
{
    double sum = 0.0;
    for (size_t p = l->start[line] + 1; p < l->start[line + 1]; p++)
        sum += hypot(l->xy[2 * p] - l->xy[2 * p - 2],
                     l->xy[2 * p + 1] - l->xy[2 * p - 1]);
    return sum;
}

/* x^2 + y^2 = 1 crosses edges of length h = 0.05.  Linear interpolation of a
 * quadratic with second derivative 2 is wrong by at most h^2/4 in the value,
 * and the slope along the edge is at least 2/sqrt(2) where the line crosses it
 * at less than 45 degrees; in the radius that is h^2/8 = 3.2e-4 there.  Edges
 * crossed at a shallower angle have an error along the edge that is larger but
 * mostly along the circle: we allow h^2/4.  A polygon with its corners there
 * has a length of 2 pi less h^2-ish. */
TEST(a_circle_is_one_closed_line_of_its_radius)
{
    sf_context *ctx = new_context();
    fill(square_of_radius);
    sfi_lines l;
    CHECK_OK(ctx, sfi_contour(ctx, &l, grid, N, N, 1.0));
    assert_int_equal(l.lines, 1);
    CHECK(is_closed(&l, 0));
    const double h = 4.0 / (N - 1);
    for (size_t p = 0; p < l.points; p++) {
        const double x = l.xy[2 * p] * h - 2.0, y = l.xy[2 * p + 1] * h - 2.0;
        CHECK_NEAR(hypot(x, y), 1.0, h * h / 4.0);
    }
    CHECK_NEAR(length_of(&l, 0), cells(6.283185307179586), cells(0.01));
    sfi_lines_free(&l);
    sf_context_free(ctx);
}

static double two_hills(double x, double y)
{
    return exp(-8.0 * ((x - 1) * (x - 1) + y * y)) +
           exp(-8.0 * ((x + 1) * (x + 1) + y * y));
}

TEST(separate_hills_are_separate_rings)
{
    sf_context *ctx = new_context();
    fill(two_hills);
    sfi_lines l;
    CHECK_OK(ctx, sfi_contour(ctx, &l, grid, N, N, 0.5));
    assert_int_equal(l.lines, 2);
    CHECK(is_closed(&l, 0) && is_closed(&l, 1));
    CHECK_NEAR(length_of(&l, 0), length_of(&l, 1), 1e-9);
    sfi_lines_free(&l);
    sf_context_free(ctx);
}

static double slope(double x, double y)
{
    return x + 2.0 * y;
}

/* A straight level line is reproduced exactly, from edge to edge. */
TEST(a_plane_gives_one_straight_open_line)
{
    sf_context *ctx = new_context();
    fill(slope);
    sfi_lines l;
    CHECK_OK(ctx, sfi_contour(ctx, &l, grid, N, N, 0.3));
    assert_int_equal(l.lines, 1);
    CHECK(!is_closed(&l, 0));
    for (size_t p = 0; p < l.points; p++)
        CHECK_NEAR(l.xy[2 * p] / cells(1.0) - 2.0 +
                       2.0 * (l.xy[2 * p + 1] / cells(1.0) - 2.0),
                   0.3, 1e-12);
    /* From x = -2 to x = 2 with slope -1/2: length 4 sqrt(1 + 1/4). */
    CHECK_NEAR(length_of(&l, 0), cells(4.0 * sqrt(1.25)), 1e-9);
    sfi_lines_free(&l);
    sf_context_free(ctx);
}

/* One cell with high corners a (0, 0) and c (1, 1).  If the middle is high they
 * are connected, and lines cut off b and d; if it is low, lines cut off a and
 * c.  So the line through the bottom edge ends right, or left. */
TEST(a_saddle_follows_its_middle)
{
    sf_context *ctx = new_context();
    const double corners[4] = {1.0, -0.9, -0.8, 1.0}; /* a, b, d, c */
    for (int high = 0; high < 2; high++) {
        const double level = high ? -0.1 : 0.2;
        sfi_lines l;
        CHECK_OK(ctx, sfi_contour(ctx, &l, corners, 2, 2, level));
        assert_int_equal(l.lines, 2);
        for (size_t line = 0; line < 2; line++) {
            assert_int_equal(l.start[line + 1] - l.start[line], 2);
            const double *p = l.xy + 2 * l.start[line];
            /* The sum x + y: both ends lie on one side of the diagonal from
             * (0, 1) to (1, 0) if a or c is cut off, and the difference tells
             * the same of b and d. */
            const bool beside_ac =
                (p[0] + p[1] - 1.0) * (p[2] + p[3] - 1.0) > 0.0;
            const bool beside_bd = (p[0] - p[1]) * (p[2] - p[3]) > 0.0;
            CHECK(high ? beside_bd : beside_ac);
        }
        sfi_lines_free(&l);
    }
    sf_context_free(ctx);
}

static double product(double x, double y)
{
    return (x + 0.01) * (y + 0.013);
}

/* Every line of xy = 0 crosses the whole grid: four ends in all. */
TEST(level_zero_of_a_saddle_has_four_ends)
{
    sf_context *ctx = new_context();
    fill(product);
    sfi_lines l;
    CHECK_OK(ctx, sfi_contour(ctx, &l, grid, N, N, 0.0));
    assert_int_equal(l.lines, 2);
    CHECK(!is_closed(&l, 0) && !is_closed(&l, 1));
    sfi_lines_free(&l);
    sf_context_free(ctx);
}

/* A ring through a missing node breaks at the four cells around it. */
TEST(lines_end_at_missing_cells)
{
    sf_context *ctx = new_context();
    fill(square_of_radius);
    grid[N / 2 * N + N / 2 + 20] = NAN; /* at (1, 0) */
    sfi_lines l;
    CHECK_OK(ctx, sfi_contour(ctx, &l, grid, N, N, 1.0));
    assert_int_equal(l.lines, 1);
    CHECK(!is_closed(&l, 0));
    CHECK_NEAR(length_of(&l, 0), cells(6.283185307179586) - 2.0, 0.2);
    sfi_lines_free(&l);
    sf_context_free(ctx);
}

static double inside_disc(double x, double y)
{
    return x * x + y * y < 1.0 ? -(x * x + y * y) : -INFINITY;
}

TEST(infinite_values_give_finite_lines)
{
    sf_context *ctx = new_context();
    fill(inside_disc);
    grid[N / 2 * N + N / 2] = INFINITY;
    sfi_lines l;
    for (int k = 0; k < 2; k++) {
        CHECK_OK(ctx, sfi_contour(ctx, &l, grid, N, N, k == 0 ? -0.3 : -3.0));
        assert_int_equal(l.lines, 1);
        CHECK(is_closed(&l, 0));
        for (size_t p = 0; p < 2 * l.points; p++)
            CHECK(isfinite(l.xy[p]));
        sfi_lines_free(&l);
    }
    for (int k = 0; k < N * N; k++)
        grid[k] = NAN;
    CHECK_OK(ctx, sfi_contour(ctx, &l, grid, N, N, 0.0));
    assert_int_equal(l.lines, 0);
    sfi_lines_free(&l);
    CHECK_OK(ctx, sfi_contour(ctx, &l, grid, 1, N, 0.0));
    assert_int_equal(l.lines, 0);
    sfi_lines_free(&l);
    sf_context_free(ctx);
}

/* Values that equal the level exactly at nodes, the worst case for joining:
 * every line has at least two points, and the rings stay closed. */
TEST(levels_through_nodes_do_not_break_lines)
{
    sf_context *ctx = new_context();
    for (int j = 0; j < N; j++)
        for (int i = 0; i < N; i++)
            grid[j * N + i] = (i / 10 + j / 10) % 2;
    sfi_lines l;
    CHECK_OK(ctx, sfi_contour(ctx, &l, grid, N, N, 1.0));
    CHECK(l.lines > 30);
    for (size_t line = 0; line < l.lines; line++)
        CHECK(l.start[line + 1] - l.start[line] >= 2);
    sfi_lines_free(&l);
    sf_context_free(ctx);
}

/* For exp(-r^2/2) the region of mass P is the disc 1 - exp(-r^2/2) = P, so its
 * level is log(1 - P).  The grid of spacing h = 0.1 holds r < 4, which leaves
 * out exp(-8) = 3.4e-4 at the most.  The number of nodes in a disc of radius R
 * cells differs from its area by up to about 2 R^(2/3), each of them worth
 * h^2 (1 - P) / 2 pi at the edge. */
TEST(levels_of_a_gaussian_have_a_closed_form)
{
    sf_context *ctx = new_context();
    for (int j = 0; j < N; j++)
        for (int i = 0; i < N; i++) {
            const double x = 2.0 * place(i), y = 2.0 * place(j);
            grid[j * N + i] = 7.0 - 0.5 * (x * x + y * y);
        }
    const double masses[] = {0.1, 0.3, 0.5, 0.7, 0.9};
    double levels[5];
    CHECK_OK(ctx, sfi_density_levels(ctx, grid, N * N, masses, 5, levels));
    for (int k = 0; k < 5; k++) {
        const double mass = 1.0 - exp(levels[k] - 7.0);
        const double cells_across = sqrt(-2.0 * log(1.0 - masses[k])) / 0.1;
        const double nodes = 2.0 * pow(cells_across, 2.0 / 3.0);
        CHECK_NEAR(mass, masses[k],
                   4e-4 + nodes * 0.01 * (1.0 - masses[k]) / 6.2831853);
    }
    sf_context_free(ctx);
}

TEST(levels_ignore_empty_cells)
{
    sf_context *ctx = new_context();
    const double some[] = {-INFINITY, log(3.0), NAN, log(1.0), -INFINITY};
    const double masses[] = {0.375, 0.875};
    double levels[2];
    /* Cells of 3/4 and 1/4: half of the first is 0.375, all of the first and
     * half of the second 0.875. */
    CHECK_OK(ctx, sfi_density_levels(ctx, some, 5, masses, 2, levels));
    CHECK_NEAR(levels[0], log(3.0), 1e-12);
    CHECK_NEAR(levels[1], 0.0, 1e-12);
    const double nothing[] = {-INFINITY, NAN};
    CHECK_OK(ctx, sfi_density_levels(ctx, nothing, 2, masses, 2, levels));
    CHECK(isnan(levels[0]) && isnan(levels[1]));
    sf_context_free(ctx);
}

static sf_status both(sf_context *ctx, void *user)
{
    (void)user;
    const double mass = 0.5;
    double level;
    SFI_TRY(sfi_density_levels(ctx, grid, N * N, &mass, 1, &level));
    sfi_lines l;
    const sf_status status = sfi_contour(ctx, &l, grid, N, N, 1.0);
    sfi_lines_free(&l);
    return status;
}

TEST(every_allocation_may_fail)
{
    fill(square_of_radius);
    check_every_allocation(both, NULL);
}

TESTS(CASE(a_circle_is_one_closed_line_of_its_radius),
      CASE(separate_hills_are_separate_rings),
      CASE(a_plane_gives_one_straight_open_line),
      CASE(a_saddle_follows_its_middle),
      CASE(level_zero_of_a_saddle_has_four_ends),
      CASE(lines_end_at_missing_cells), CASE(infinite_values_give_finite_lines),
      CASE(levels_through_nodes_do_not_break_lines),
      CASE(levels_of_a_gaussian_have_a_closed_form),
      CASE(levels_ignore_empty_cells), CASE(every_allocation_may_fail))
