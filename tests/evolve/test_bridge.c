/* SPDX-License-Identifier: Apache-2.0 */
/* test_bridge.c - points on a grid that heat has flowed through are the density of a Gaussian
 * kernel on them. */
#include "faults.h"

#include "scorefield/action.h"

static const double points[] = {-1.2, -0.4, 0.3, 0.35, 1.9};
enum { POINTS = 5 };

static double kernel_density(double x, double sigma2)
{
    double sum = 0.0;
    for (int i = 0; i < POINTS; i++)
        sum += exp(-0.5 * (x - points[i]) * (x - points[i]) / sigma2) /
               (POINTS * sqrt(2.0 * 3.14159265358979323846 * sigma2));
    return sum;
}

/* The density of the points on n cells of a circle of length 16 after p_t = p_xx/2 for 1/4: at
 * 0, its mean and its variance. */
static double flowed(sf_context *ctx, int n, double *mean, double *variance)
{
    char text[64];
    sf_grid *g = NULL;
    sf_action *a = NULL;
    sf_field p;
    snprintf(text, sizeof text, "x = -8:8:%d periodic", n);
    CHECK_OK(ctx, sf_grid_parse(ctx, &g, text));
    CHECK_OK(ctx, sf_action_new(ctx, &a, g, "0.25*grad2(p)", SF_ENERGY, 1,
                                (const char *const[]){"p"}));
    CHECK_OK(ctx, sf_action_field(a, &p, 0));
    CHECK_OK(ctx, sf_field_deposit(ctx, &p, 0, (sf_cmat){points, POINTS, 1, 1},
                                   NULL));
    sf_action_flow_options o = SF_ACTION_FLOW_OPTIONS_INIT;
    o.until = 0.25;
    CHECK_OK(ctx, sf_action_flow(a, &p, &o, NULL));
    const double *x = sf_grid_axis(g, 0)->coords, *v = p.data[0];
    double mass = 0.0;
    *mean = *variance = 0.0;
    for (int i = 0; i < n; i++) {
        mass += v[i] * 16.0 / n;
        *mean += x[i] * v[i] * 16.0 / n;
    }
    for (int i = 0; i < n; i++)
        *variance += (x[i] - *mean) * (x[i] - *mean) * v[i] * 16.0 / n;
    CHECK_NEAR(mass, 1.0, 1e-13);
    const double at_zero = v[n / 2];
    sf_field_free(ctx, &p);
    sf_action_free(a);
    sf_grid_free(g);
    return at_zero;
}

/* The numbers are from an exact exponential of the three-point operator elsewhere. The mean is
 * kept; the variance is that of the points and of the kernel, and h^2 f(1 - f) of each point a
 * part f of a cell beyond a node. */
TEST(heat_makes_the_density_of_a_gaussian_kernel)
{
    sf_context *ctx = new_context();
    double mean, variance, other[2];
    const double fine = flowed(ctx, 512, &mean, &variance);
    CHECK_NEAR(fine, 0.38311325081152614, 1e-12);
    CHECK_NEAR(mean, 0.19, 1e-12);
    CHECK_NEAR(variance, 1.298587500000002, 1e-11);
    const double exact = kernel_density(0.0, 0.25);
    CHECK_NEAR(exact, 0.38314262649627123, 1e-14);
    const double coarse = flowed(ctx, 64, &other[0], &other[1]);
    const double middle = flowed(ctx, 256, &other[0], &other[1]);
    CHECK(fabs(fine - exact) < 0.3 * fabs(middle - exact) &&
          fabs(middle - exact) < 0.3 * fabs(coarse - exact));
    sf_context_free(ctx);
}

/* Of vectors between points, in corners and over the seam: u.P v = P'u.v with volumes. */
TEST(deposits_are_the_transpose_of_interpolation)
{
    static const char *const grids[] = {
        "x = 0:1:6; y = 0:2:5 periodic", "x = 0:1:6 cells; y = 2:3:4",
        "lat = -80:80:9; lon = 0:360:12 periodic; radius = 2",
        "r = 1:2:5; theta = 0:6.283185307179586:7 periodic"};
    static const double low[][2] = {
        {0.0, 0.0}, {2.0, 0.09}, {-79.0, 0.0}, {1.0, 0.0}};
    static const double wide[][2] = {
        {1.0, 1.0}, {1.0, 0.8}, {158.0, 400.0}, {1.0, 7.0}};
    sf_context *ctx = new_context();
    for (size_t g = 0; g < SFI_COUNT(grids); g++) {
        enum { N = 9 };
        sf_grid *grid = NULL;
        sf_field u, d;
        double at[N][2], weights[N], values[N];
        CHECK_OK(ctx, sf_grid_parse(ctx, &grid, grids[g]));
        CHECK_OK(ctx, sf_field_new(ctx, &u, grid, 1, NULL, SF_F64, 0));
        CHECK_OK(ctx, sf_field_new(ctx, &d, grid, 1, NULL, SF_F64, 0));
        const char *slow = sf_grid_axis(grid, 0)->name;
        CHECK_OK(ctx, sf_field_set(ctx, &u, 0,
                                   strcmp(slow, "y") == 0 ? "sin(3*x) + y^2*x"
                                   : strcmp(slow, "r") == 0
                                       ? "r^2 + cos(theta)"
                                       : "sin(lat) + 0.01*lon"));
        for (int i = 0; i < N; i++) {
            for (int k = 0; k < 2; k++)
                at[i][k] = low[g][k] + wide[g][k] * fabs(sin(1.0 + i + 2 * k));
            weights[i] = 1.0 + i;
        }
        const sf_cmat rows = {at[0], N, 2, 2};
        CHECK_OK(ctx, sf_field_at(ctx, &u, 0, rows, values));
        CHECK_OK(ctx, sf_field_deposit(ctx, &d, 0, rows, weights));
        double want = 0.0, got = 0.0, mass = 0.0;
        for (int i = 0; i < N; i++)
            want += weights[i] * values[i];
        for (int64_t i = 0; i < sf_grid_axis(grid, 0)->count; i++)
            for (int64_t j = 0; j < sf_grid_axis(grid, 1)->count; j++) {
                const double volume =
                    sf_grid_volume(grid, (const int64_t[]){i, j});
                const double w = ((double *)d.data[0])[i * d.step[0] + j];
                got += volume * w * ((double *)u.data[0])[i * u.step[0] + j];
                mass += volume * w;
            }
        CHECK_NEAR(got, want, 1e-12 * fabs(want));
        CHECK_NEAR(mass, 45.0, 1e-12 * 45.0);
        sf_field_free(ctx, &u);
        sf_field_free(ctx, &d);
        sf_grid_free(grid);
    }
    sf_grid *grid = NULL;
    sf_field d;
    CHECK_OK(ctx, sf_grid_parse(ctx, &grid, "x = 0:1:6"));
    CHECK_OK(ctx, sf_field_new(ctx, &d, grid, 1, NULL, SF_F64, 0));
    CHECK_FAILS(ctx,
                sf_field_deposit(ctx, &d, 0,
                                 (sf_cmat){(const double[]){0.5, 1.5}, 2, 1, 1},
                                 NULL),
                SF_E_ARG, "point 1 (from 0), x = 1.5, lies outside");
    CHECK_FAILS(ctx,
                sf_field_deposit(ctx, &d, 0,
                                 (sf_cmat){(const double[]){0.5, 1.5}, 1, 2, 2},
                                 NULL),
                SF_E_SHAPE, "want at least one of 1");
    sf_field_free(ctx, &d);
    sf_grid_free(grid);
    sf_context_free(ctx);
}

TESTS(CASE(heat_makes_the_density_of_a_gaussian_kernel),
      CASE(deposits_are_the_transpose_of_interpolation))
