/* SPDX-License-Identifier: Apache-2.0 */
/* Grids: volumes known in closed form, edges, what is refused, and grids typed as
 * text. */
#include "faults.h"

#include "field/grid.h"

#define PI 3.14159265358979323846

static sf_grid *parse(sf_context *ctx, const char *text)
{
    sf_grid *g = NULL;
    CHECK_OK(ctx, sf_grid_parse(ctx, &g, text));
    return g;
}

static double total(const sf_grid *g)
{
    double sum = 1.0;
    for (int k = 0; k < sf_grid_rank(g); k++) {
        double part = 0.0;
        for (int64_t i = 0; i < sf_grid_axis(g, k)->count; i++)
            part += sf_grid_weights(g, k)[i];
        sum *= part;
    }
    return sum;
}

/* The cells fill the body, whatever its axes' points: nodes or cells, stretched or
 * not. */
TEST(volumes_of_cells_sum_to_the_volume_of_the_body)
{
    (void)state_;
    sf_context *ctx = new_context();
    static const struct {
        const char *text;
        sf_geometry geometry;
        double volume;
    } bodies[] = {
        {"x = 0:2:9; y = -1:1:5 cells; z = 0:3:4 map s^2",
         SF_GEOMETRY_CARTESIAN, 12.0},
        {"x = 0:1:8 periodic; y = 0:3:6 cells", SF_GEOMETRY_CARTESIAN, 3.0},
        {"r = 0:2:7 map s^1.5; theta = 0:6.283185307179586:12 periodic",
         SF_GEOMETRY_POLAR, 4.0 * PI},
        {"r = 1:2:5 cells; theta = 0:6.283185307179586:8 periodic; z = 0:5:3",
         SF_GEOMETRY_CYLINDRICAL, 15.0 * PI},
        {"r = 0:2:5; z = -1:1:9 map exp(s)", SF_GEOMETRY_AXISYMMETRIC,
         8.0 * PI},
        {"lat = -90:90:19; lon = 0:360:36 periodic; radius = 10",
         SF_GEOMETRY_SPHERE, 400.0 * PI},
        {"lat = -90:90:18 cells; lon = -180:180:7 cells; radius = 1",
         SF_GEOMETRY_SPHERE, 4.0 * PI},
        {"lat = 0:90:10; lon = 0:90:5 cells; radius = 2", SF_GEOMETRY_SPHERE,
         2.0 * PI},
        {"r = 1:2:6; lat = -90:90:7; lon = 0:360:12 periodic",
         SF_GEOMETRY_SPHERICAL, 28.0 / 3.0 * PI},
        {"r = 0:3:6 map s^2; geometry = radial", SF_GEOMETRY_RADIAL, 36.0 * PI},
        {"r = 0:3:6; geometry = cartesian", SF_GEOMETRY_CARTESIAN, 3.0}};
    for (size_t i = 0; i < SFI_COUNT(bodies); i++) {
        sf_grid *g = parse(ctx, bodies[i].text);
        assert_int_equal(sf_grid_geometry(g), bodies[i].geometry);
        CHECK_CLOSE(total(g), bodies[i].volume, 1e-14);
        sf_grid_free(g);
    }
    sf_context_free(ctx);
}

/* A cell of a sphere of radius a between 30 and 60 degrees north, a degree wide:
 * a^2 (sin 60 - sin 30) pi/180, and the cap of half a row at the pole. */
TEST(cells_of_the_sphere_are_exact)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_grid *g = parse(ctx, "lat = -90:90:7; lon = 0:360:360 periodic; "
                            "radius = 2");
    const double degree = PI / 180.0;
    const double row = 4.0 * (sqrt(0.5) - sin(15.0 * degree)) * degree,
                 cap = 4.0 * (1.0 - sin(75.0 * degree)) * degree;
    CHECK_CLOSE(sf_grid_volume(g, (int64_t[]){4, 17}), row, 1e-14);
    CHECK_CLOSE(sf_grid_volume(g, (int64_t[]){6, 0}), cap, 1e-13);
    CHECK_CLOSE(sf_grid_volume(g, (int64_t[]){0, 0}), cap, 1e-13);
    /* Half a cell is a measure of its own. */
    CHECK_CLOSE(sfi_grid_measure(g, 0, 30.0, 45.0) +
                    sfi_grid_measure(g, 0, 15.0, 30.0),
                row / degree, 1e-14);
    CHECK_CLOSE(sf_grid_scale(g, 0, (double[]){30.0, 5.0}), 2.0, 1e-15);
    CHECK_CLOSE(sf_grid_scale(g, 1, (double[]){60.0, 5.0}), 1.0, 1e-15);
    CHECK(sf_grid_scale(g, 1, (double[]){90.0, 5.0}) == 0.0);
    CHECK(sf_grid_scale(g, 1, (double[]){-90.0 + 9e-7, 5.0}) == 0.0);
    sf_grid_free(g);
    sf_context_free(ctx);
}

/* Nodes r_i = (i/17)^p of a disk: the node's ring is (r+^2 - r-^2)/2 with r+- midway
 * between nodes (what makes the corner rule exact for 1 - r^2). */
TEST(rings_of_a_disk_end_midway_between_nodes)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_grid *g = parse(ctx, "r = 0:1:18 map s^1.5 natural, pin 0; "
                            "theta = 0:1:4 periodic");
    for (int i = 1; i < 17; i++) {
        const double r = pow(i / 17.0, 1.5), lo = pow((i - 1) / 17.0, 1.5),
                     hi = pow((i + 1) / 17.0, 1.5);
        CHECK_CLOSE(sf_grid_axis(g, 0)->coords[i], r, 1e-14);
        const double a = 0.5 * (lo + r), b = 0.5 * (r + hi);
        CHECK_CLOSE(sf_grid_weights(g, 0)[i], 0.5 * (b * b - a * a), 1e-13);
    }
    assert_int_equal(sf_grid_axis(g, 0)->high.kind, SF_SIDE_PIN);
    sf_grid_free(g);
    sf_context_free(ctx);
}

/* Points of files: edges midway, extrapolated at the ends, clipped to the poles; in
 * either direction. */
TEST(edges_lie_midway_and_end_at_poles)
{
    (void)state_;
    sf_context *ctx = new_context();
    const double lat[] = {88.75, 86.25, 80.0, -89.0}, lon[] = {0, 90, 180, 270},
                 odd[] = {1.0, 2.0, 5.0}, one[] = {500.0};
    const sf_axis axes[] = {
        {.name = "p", .count = 1, .coords = one},
        {.name = "m", .count = 3, .coords = odd},
        {.name = "lat", .role = SF_ROLE_LAT, .count = 4, .coords = lat},
        {.name = "lon",
         .role = SF_ROLE_LON,
         .count = 4,
         .coords = lon,
         .period = 360.0}};
    sf_grid *g = NULL;
    CHECK_OK(ctx, sf_grid_new(ctx, &g, 4, axes, NULL));
    const double want[][5] = {{499.5, 500.5},
                              {0.5, 1.5, 3.5, 6.5},
                              {90.0, 87.5, 83.125, -4.5, -90.0},
                              {-45, 45, 135, 225, 315}};
    for (int k = 0; k < 4; k++)
        for (int64_t i = 0; i <= axes[k].count; i++)
            CHECK_NEAR(sf_grid_axis(g, k)->edges[i], want[k][i], 1e-12);
    CHECK(sf_grid_find(g, "lon") == 3 && sf_grid_find(g, "q") == -1);
    CHECK(sf_grid_find_role(g, SF_ROLE_LAT) == 2);
    assert_int_equal(sf_grid_points(g), 48);
    CHECK_CLOSE(sf_grid_radius(g), 6371229.0, 1e-15);
    sf_grid_free(g);
    sf_context_free(ctx);
}

/* Coordinates in float are uniform to 1e-7; those of a map are not. */
TEST(uniform_means_to_a_ten_thousandth_of_a_step)
{
    (void)state_;
    double x[20];
    sf_axis a = {.name = "x", .count = 20, .coords = x};
    for (int i = 0; i < 20; i++)
        x[i] = (double)(float)(0.1f * (float)i);
    CHECK_CLOSE(sfi_axis_step(&a), 0.1, 1e-6);
    x[7] += 2e-5;
    CHECK(sfi_axis_step(&a) == 0.0);
    /* Floats near 360 are 3e-5 apart: steps of 0.1 that differ by as much are equal, if all
     * numbers are floats. */
    for (int i = 0; i < 20; i++)
        x[i] = (double)(358.0f + 0.1f * (float)i);
    double most = 0.0;
    for (int i = 1; i < 20; i++)
        most = fmax(most, fabs(x[i] - x[i - 1] - 0.1));
    CHECK(most > 1e-5);
    CHECK_CLOSE(sfi_axis_step(&a), 0.1, 1e-4);
    x[5] += 1e-9;
    CHECK(sfi_axis_step(&a) == 0.0);
    a.count = 1;
    CHECK(sfi_axis_step(&a) == 0.0);
}

TEST(sides_are_split_where_a_side_begins)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_grid *g = parse(ctx, "x = 0:1:5 pin max(x, 0), robin 1 + a, f(2, 3)\n"
                            "y = 0:1:3 cells flux -x; z = 0:1:4 open");
    const sf_axis *x = sf_grid_axis(g, 2), *y = sf_grid_axis(g, 1),
                  *z = sf_grid_axis(g, 0);
    assert_string_equal(x->name, "x");
    assert_int_equal(x->low.kind, SF_SIDE_PIN);
    assert_string_equal(x->low.value, "max(x, 0)");
    assert_int_equal(x->high.kind, SF_SIDE_ROBIN);
    assert_string_equal(x->high.factor, "1 + a");
    assert_string_equal(x->high.value, "f(2, 3)");
    assert_int_equal(y->low.kind, SF_SIDE_FLUX);
    assert_string_equal(y->high.value, "-x");
    CHECK(y->placement == SF_CELLS && z->placement == SF_NODES);
    CHECK_NEAR(y->coords[0], 1.0 / 6.0, 1e-16);
    assert_int_equal(z->high.kind, SF_SIDE_OPEN);
    sf_grid_free(g);
    sf_context_free(ctx);
}

TEST(axes_are_stored_in_their_own_order)
{
    (void)state_;
    sf_context *ctx = new_context();
    static const struct {
        const char *text, *names[4];
    } cases[] = {
        {"x=0:1:2; y=0:1:2; z=0:1:2; t=0:1:2", {"t", "z", "y", "x"}},
        {"theta=0:1:4 periodic; r=0:1:2; z=0:1:2", {"z", "r", "theta"}},
        {"lon=0:9:2; lat=0:9:2; lev=0:1:2; wave=[1, 4, 9]",
         {"wave", "lev", "lat", "lon"}}};
    for (size_t i = 0; i < SFI_COUNT(cases); i++) {
        sf_grid *g = parse(ctx, cases[i].text);
        for (int k = 0; k < sf_grid_rank(g); k++)
            assert_string_equal(sf_grid_axis(g, k)->name, cases[i].names[k]);
        sf_grid_free(g);
    }
    sf_context_free(ctx);
}

TEST(texts_that_are_no_grid_are_refused)
{
    (void)state_;
    sf_context *ctx = new_context();
    static const struct {
        const char *text;
        sf_status status;
        const char *part;
    } cases[] = {
        {"", SF_E_ARG, "0 axes"},
        {"x", SF_E_PARSE, "column 2: want ="},
        {"x = 0:1", SF_E_PARSE, "want A:B:N"},
        {"x = 0:1:1", SF_E_PARSE, "a number of points from 2"},
        {"x = 0:1:2.5", SF_E_PARSE, "a number of points"},
        {"x = 1:0:5", SF_E_PARSE, "want A < B"},
        {"x = 0:1:5 wall", SF_E_PARSE, "want natural, periodic"},
        {"x = 0:1:5 pin", SF_E_PARSE, "want an expression"},
        {"x = 0:1:5 robin 3", SF_E_PARSE, "robin ALPHA, Q"},
        {"x = 0:1:5 periodic, pin 0", SF_E_PARSE, "periodic of both sides"},
        {"x = 0:1:5 natural natural", SF_E_PARSE, "a comma and another side"},
        {"x = 0:1:5 map s*(", SF_E_PARSE, "column"},
        {"x = 0:1:5 map 1", SF_E_PARSE, "a map that is finite"},
        {"x = 0:1:5 map (s-0.5)^2+s*0.1", SF_E_ARG, "want them to"},
        {"x = [0, 1, 1]", SF_E_ARG, "want them to grow"},
        {"x = [0, 1", SF_E_PARSE, "a comma or ]"},
        {"x = 0:1:5; x = 0:1:5", SF_E_ARG, "two axes are called \"x\""},
        {"r = 0:1:5", SF_E_ARG, "r alone"},
        {"r = 0:1:5; x = 0:1:5", SF_E_ARG, "make no geometry"},
        {"lat = 0:95:5", SF_E_ARG, "a latitude of 95"},
        {"r = -1:1:5; z = 0:1:2", SF_E_ARG, "a radius of -1"},
        {"x = 0:1:2; geometry = round", SF_E_PARSE, "want a geometry"},
        {"x = 0:1:2; geometry = polar", SF_E_ARG, "but its axes are cartesian"},
        {"x = 0:1:2; radius = 0", SF_E_ARG, "radius is 0"},
        {"a=0:1:2;b=0:1:2;c=0:1:2;d=0:1:2;e=0:1:2", SF_E_PARSE,
         "at most four axes"}};
    for (size_t i = 0; i < SFI_COUNT(cases); i++) {
        sf_grid *g = NULL;
        CHECK_FAILS(ctx, sf_grid_parse(ctx, &g, cases[i].text), cases[i].status,
                    cases[i].part);
        CHECK(g == NULL);
    }
    sf_context_free(ctx);
}

TEST(axes_that_are_none_are_refused)
{
    (void)state_;
    sf_context *ctx = new_context();
    const double x[] = {0, 1, NAN}, good[] = {0, 1, 2},
                 edges[] = {0, 0.5, 0.9, 3};
    sf_grid *g = NULL;
    const struct {
        sf_axis axis;
        const char *part;
    } cases[] = {
        {{.name = "", .count = 3, .coords = good}, "no name"},
        {{.name = "x", .count = 0, .coords = good}, "0 points"},
        {{.name = "x", .count = 3, .coords = x}, "coordinate 2 is nan"},
        {{.name = "x", .count = 3, .coords = good, .edges = edges},
         "cell 1 from 0.5"},
        {{.name = "x", .count = 3, .coords = good, .period = 2}, "a period of"},
        {{.name = "x", .count = 3, .coords = good, .low = {SF_SIDE_PIN, 0, 0}},
         "the side at its low end"},
        {{.name = "x",
          .count = 3,
          .coords = good,
          .high = {SF_SIDE_PERIODIC, 0, 0}},
         "a side that is periodic"}};
    for (size_t i = 0; i < SFI_COUNT(cases); i++)
        CHECK_FAILS(ctx, sf_grid_new(ctx, &g, 1, &cases[i].axis, NULL),
                    SF_E_ARG, cases[i].part);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    (void)state_;
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status)) {
        sf_grid *g = NULL;
        status = sf_grid_parse(ctx, &g,
                               "lat = -90:90:5 map s+s^2; lon = "
                               "0:360:4 periodic; lev = [1, 2, 5] "
                               "pin 1, robin 2, 3");
        sf_grid_free(g);
    }
    sf_context_free(ctx);
}

/* A grid made with another one's options has its lengths, and its pole. */
TEST(options_of_a_grid_make_its_like)
{
    static const double lats[] = {-10.0, 0.0, 10.0}, lons[] = {0.0, 5.0, 9.0};
    const sf_axis axes[] = {
        {.name = "lat", .role = SF_ROLE_LAT, .count = 3, .coords = lats},
        {.name = "lon", .role = SF_ROLE_LON, .count = 3, .coords = lons}};
    sf_context *ctx = new_context();
    sf_grid_options o = SF_GRID_OPTIONS_INIT;
    sf_grid *g = NULL, *like = NULL;
    o.radius = 3.0;
    o.is_rotated = true;
    o.pole_lat = 39.25;
    o.pole_lon = -162.0;
    CHECK_OK(ctx, sf_grid_new(ctx, &g, 2, axes, &o));
    const sf_grid_options own = sfi_grid_options(g);
    CHECK_OK(ctx, sf_grid_new(ctx, &like, 2, axes, &own));
    double lat = 0.0, lon = 0.0;
    CHECK(sf_grid_pole(like, &lat, &lon));
    CHECK(lat == 39.25 && lon == -162.0);
    CHECK(sf_grid_radius(like) == 3.0);
    CHECK(sf_grid_geometry(like) == SF_GEOMETRY_SPHERE);
    sf_grid_free(like);
    sf_grid_free(g);
    sf_context_free(ctx);
}

TESTS(CASE(options_of_a_grid_make_its_like),
      CASE(volumes_of_cells_sum_to_the_volume_of_the_body),
      CASE(cells_of_the_sphere_are_exact),
      CASE(rings_of_a_disk_end_midway_between_nodes),
      CASE(edges_lie_midway_and_end_at_poles),
      CASE(uniform_means_to_a_ten_thousandth_of_a_step),
      CASE(sides_are_split_where_a_side_begins),
      CASE(axes_are_stored_in_their_own_order),
      CASE(texts_that_are_no_grid_are_refused),
      CASE(axes_that_are_none_are_refused), CASE(every_allocation_may_fail))
