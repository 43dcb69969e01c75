/* SPDX-License-Identifier: Apache-2.0 */
/* test_open_sides.c - fields of sources in space that goes on beyond the grid. */
#include "faults.h"

#include "scorefield/action.h"

#define PI 3.14159265358979323846

struct solved {
    sf_grid *grid;
    sf_action *action;
    sf_field phi;
    sf_action_solution how;
};

static sf_status solve(sf_context *ctx, struct solved *s, const char *grid,
                       const char *density, const char *rho)
{
    static const char *const names[] = {"phi"};
    memset(s, 0, sizeof *s);
    CHECK_OK(ctx, sf_grid_parse(ctx, &s->grid, grid));
    SFI_TRY(
        sf_action_new(ctx, &s->action, s->grid, density, SF_ENERGY, 1, names));
    if (rho != NULL)
        CHECK_OK(ctx, sf_action_set(s->action, "rho", rho));
    SFI_TRY(sf_action_field(s->action, &s->phi, 0));
    sf_action_solve_options o = SF_ACTION_SOLVE_OPTIONS_INIT;
    o.tolerance = 1e-11; /* the residual is rounding */
    return sf_action_solve(s->action, &s->phi, &o, &s->how);
}

static void done(sf_context *ctx, struct solved *s)
{
    sf_field_free(ctx, &s->phi);
    sf_action_free(s->action);
    sf_grid_free(s->grid);
}

static double at(const struct solved *s, int64_t i, int64_t j, int64_t k)
{
    const double *x = s->phi.data[0];
    const int rank = sf_grid_rank(s->grid);
    const int64_t index[3] = {i, j, k};
    int64_t p = 0;
    for (int a = 0; a < rank; a++)
        p += index[a] * s->phi.step[a];
    return x[p];
}

/* Unit charges in three dimensions, by Watson's integrals: steps of one, and of 0.2, 0.1
 * and 0.1. */
TEST(a_charge_has_the_field_of_the_lattice)
{
    sf_context *ctx = new_context();
    struct solved s;
    CHECK_OK(ctx, solve(ctx, &s,
                        "x = -8:8:17 open; y = -3:3:7 open; z = -3:4:8 open",
                        "0.5*grad2(phi) - rho*phi", "delta(x, y, z)"));
    CHECK(strcmp(s.how.engine, "transforms in open space") == 0);
    CHECK(s.how.kind == SF_POINT_MINIMUM);
    CHECK_NEAR(at(&s, 3, 3, 8), 0.2527310098585742, 1e-10);
    CHECK_NEAR(at(&s, 3, 3, 9), 0.08606434319202592, 1e-10);
    CHECK_NEAR(at(&s, 2, 3, 9), 0.055191433687885205, 1e-10);
    CHECK_NEAR(at(&s, 4, 4, 9), 0.04357835439799174, 1e-10);
    CHECK_NEAR(at(&s, 3, 3, 0), 0.009988047390919555, 1e-10);
    CHECK_NEAR(s.how.energy, -0.5 * 0.2527310098585742, 1e-10);
    done(ctx, &s);
    CHECK_OK(ctx, solve(ctx, &s,
                        "x = -0.2:0.2:5 cells open; y = -0.2:0.2:5 open; z = "
                        "-0.4:0.4:5 open",
                        "-1.5*grad2(phi) - rho*phi", "delta(x, y, z)"));
    CHECK(s.how.kind == SF_POINT_MAXIMUM);
    done(ctx, &s);
    CHECK_OK(ctx, solve(ctx, &s,
                        "x = -0.2:0.2:5 open; y = -0.2:0.2:5 open; z = "
                        "-0.4:0.4:5 open",
                        "-1.5*grad2(phi) - rho*phi", "delta(x, y, z)"));
    CHECK_NEAR(-3.0 * at(&s, 2, 2, 2), 1.8655576812985009, 1e-9);
    CHECK_NEAR(-3.0 * at(&s, 2, 2, 3), 0.795809645522017, 1e-9);
    CHECK_NEAR(-3.0 * at(&s, 1, 2, 2), 0.42354196751041173, 1e-9);
    done(ctx, &s);
    sf_context_free(ctx);
}

/* In two dimensions -ln(r)/(2 pi) far away, whatever the coefficient: the potential kernel
 * is 1/4, 1/pi and 1 - 2/pi (F. Spitzer, Principles of Random Walk, 15). */
TEST(a_line_charge_has_a_logarithm)
{
    static const double coefficient[] = {1.0, 5.0};
    sf_context *ctx = new_context();
    for (int c = 0; c < 2; c++) {
        const double e = coefficient[c], h = 0.5;
        char density[80];
        struct solved s;
        snprintf(density, sizeof density, "0.5*%g*grad2(phi) - rho*phi", e);
        CHECK_OK(ctx, solve(ctx, &s, "x = -16:16:65 open; y = -16:16:65 open",
                            density, "delta(x, y)"));
        const double zero = at(&s, 32, 32, 0);
        CHECK_NEAR(e * (zero - at(&s, 32, 33, 0)), 0.25, 1e-10);
        CHECK_NEAR(e * (zero - at(&s, 31, 33, 0)), 1.0 / PI, 1e-10);
        CHECK_NEAR(e * (zero - at(&s, 30, 32, 0)), 1.0 - 2.0 / PI, 1e-10);
        const double gamma = 0.57721566490153286;
        CHECK_NEAR(e * zero,
                   (2.0 * gamma + 3.0 * log(2.0) - 2.0 * log(h)) / (4.0 * PI),
                   1e-10);
        CHECK_NEAR(e * at(&s, 0, 32, 0), -log(16.0) / (2.0 * PI), 2e-5);
        done(ctx, &s);
    }
    sf_context_free(ctx);
}

/* phi = e^(-mu |n|) h/(2 sinh mu), cosh mu = 1 + m^2 h^2/2, of one axis; and that of a
 * sheet, -|x|/2, between mirrors. */
TEST(a_sheet_falls_off_or_does_not)
{
    sf_context *ctx = new_context();
    struct solved s;
    CHECK_OK(ctx, solve(ctx, &s, "x = -0.5:1:7 open",
                        "0.5*grad2(phi) + 0.5*4*phi^2 - rho*phi", "delta(x)"));
    const double h = 0.25, mu = acosh(1.0 + 2.0 * h * h);
    for (int64_t i = 0; i < 7; i++)
        CHECK_NEAR(at(&s, i, 0, 0),
                   exp(-mu * fabs((double)i - 2.0)) * h / (2.0 * sinh(mu)),
                   1e-13);
    CHECK_NEAR(at(&s, 2, 0, 0), 0.24253562503633297, 1e-13);
    CHECK_NEAR(at(&s, 6, 0, 0), 0.033495694714126924, 1e-13);
    done(ctx, &s);
    /* Of any axis and placement: the grid's rows are charged alike. */
    static const char *const grids[] = {
        "x = -2:2:9 open; y = 0:1:6 natural",
        "y = 0:1:6 cells natural; x = -2:2:9 open",
        "x = 0:1:5 periodic; y = -2:2:9 open",
        "z = 0:1:4 natural; x = -2:2:9 open; y = 0:1:5 periodic"};
    for (size_t g = 0; g < SFI_COUNT(grids); g++) {
        const bool along_x = strstr(grids[g], "x = -2") != NULL;
        CHECK_OK(ctx, solve(ctx, &s, grids[g], "0.5*grad2(phi) - rho*phi",
                            along_x ? "where(abs(x) < 0.1, 2, 0)"
                                    : "where(abs(y) < 0.1, 2, 0)"));
        for (int64_t i = 0; i < 9; i++) {
            const int64_t index[3] = {1, 1, 1};
            int64_t where[3];
            memcpy(where, index, sizeof where);
            for (int k = 0; k < sf_grid_rank(s.grid); k++)
                if (sf_grid_axis(s.grid, k)->count == 9)
                    where[k] = i;
            CHECK_NEAR(at(&s, where[0], where[1], where[2]),
                       -0.5 * fabs(-2.0 + 0.5 * (double)i), 1e-12);
        }
        done(ctx, &s);
    }
    sf_context_free(ctx);
}

/* A wave across a slab, e^(-mu |n|) sin: half open above a pinned wall. */
TEST(a_mode_falls_off_above_a_wall)
{
    enum { N = 12 };
    sf_context *ctx = new_context();
    struct solved s;
    CHECK_OK(ctx,
             solve(ctx, &s, "x = 0:1.1:12 pin 0, open; y = 0:2:9 pin 0",
                   "0.5*grad2(phi) - rho*phi",
                   "where(abs(x - 0.4) < 0.01, sin(3.141592653589793*y), 0)"));
    const double h = 0.1, hy = 0.25;
    const double lambda = pow(2.0 * sin(0.5 * PI * hy) / hy, 2.0);
    const double mu = acosh(1.0 + 0.5 * lambda * h * h);
    for (int64_t i = 0; i < N; i++) {
        const double direct = exp(-mu * fabs((double)i - 4.0));
        const double image = exp(-mu * ((double)i + 4.0));
        CHECK_NEAR(at(&s, 2, i, 0), (direct - image) * h * h / (2.0 * sinh(mu)),
                   1e-13);
    }
    done(ctx, &s);
    sf_context_free(ctx);
}

/* A normal cloud of charge 1 in a box of 6: erf(r/(s sqrt 2))/(4 pi r), in error at its
 * centre by 3.8e-3, 9.0e-4 and 4.0e-4 with 16, 32 and 48 steps, and by order two. */
TEST(a_cloud_is_of_order_two)
{
    static const int steps[] = {16, 32, 48};
    static const double known[] = {3.8e-3, 9.0e-4, 4.0e-4};
    sf_context *ctx = new_context();
    for (int i = 0; i < 3; i++) {
        const int n = steps[i];
        char grid[160];
        struct solved s;
        snprintf(grid, sizeof grid,
                 "x = -3:3:%d open; y = -3:3:%d open; z = -3:3:%d open", n + 1,
                 n + 1, n + 1);
        CHECK_OK(ctx, solve(ctx, &s, grid, "0.5*grad2(phi) - rho*phi",
                            "exp(-(x^2+y^2+z^2)/(2*0.5^2))/(2*pi*0.5^2)^1.5"));
        const double centre = sqrt(2.0 / PI) / (4.0 * PI * 0.5);
        CHECK_NEAR(at(&s, n / 2, n / 2, n / 2), centre + known[i],
                   0.02 * known[i]);
        CHECK(s.how.residual < 1e-12);
        done(ctx, &s);
    }
    sf_context_free(ctx);
}

TEST(what_has_no_end_is_not_always_possible)
{
    static const struct {
        const char *grid, *density, *says;
    } cases[] = {
        {"r = 1:2:5 natural, open; theta = 0:1:5", "0.5*grad2(phi) - phi",
         "side r+: open wants Cartesian axes"},
        {"x = 0:1:5 map s^2 open", "0.5*grad2(phi) - phi",
         "side x-: open wants"},
        {"x = 0:1:5 open; y = 0:1:5 open, natural", "0.5*grad2(phi) - phi",
         "2 axes have open sides"},
        {"x = 0:1:5 open; y = 0:1:5 pin 1, natural", "0.5*grad2(phi) - phi",
         "side y- goes on beyond the grid"},
        {"x = 0:1:5 open; y = 0:1:5 flux 0, natural", "0.5*grad2(phi) - phi",
         "side y- goes on"},
        {"x = 0:1:5 open; y = 0:1:5 map s^2", "0.5*grad2(phi) - phi",
         "axis \"y\" is to have equal steps"},
        {"x = 0:1:5 open", "0.5*(1 + x)*grad2(phi) - phi",
         "open sides want one field"},
        {"x = 0:1:5 open", "0.5*grad2(phi) - phi^2", "open sides want one"},
        {"x = 0:1:5 open", "0.5*grad2(phi) + phi^4", "want a linear equation"},
    };
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(cases); i++) {
        struct solved s;
        CHECK_FAILS(ctx, solve(ctx, &s, cases[i].grid, cases[i].density, NULL),
                    SF_E_UNSUPPORTED, cases[i].says);
        done(ctx, &s);
    }
    /* Nor is it a functional of its own numbers. */
    struct solved s;
    sf_functional f;
    CHECK_OK(ctx,
             solve(ctx, &s, "x = 0:1:5 open", "0.5*grad2(phi) - phi", NULL));
    CHECK_FAILS(ctx, sf_action_functional(s.action, &f), SF_E_UNSUPPORTED,
                "beyond an open side");
    done(ctx, &s);
    sf_context_free(ctx);
}

TESTS(CASE(a_charge_has_the_field_of_the_lattice),
      CASE(a_line_charge_has_a_logarithm), CASE(a_sheet_falls_off_or_does_not),
      CASE(a_mode_falls_off_above_a_wall), CASE(a_cloud_is_of_order_two),
      CASE(what_has_no_end_is_not_always_possible))
