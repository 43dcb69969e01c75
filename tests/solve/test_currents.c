/* SPDX-License-Identifier: Apache-2.0 */
/* test_currents.c - magnetic fields at rest: of wires, and of currents that are not closed. */
#include "check.h"
#include "scorefield/action.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

typedef struct setup {
    sf_context *ctx;
    sf_grid *grid;
    sf_action *action;
    sf_field a[3], b[3];
    sf_action_solution s;
} setup;

static setup begin(const char *grid, const char *density, const char *jx,
                   const char *jy, const char *jz)
{
    setup s = {.ctx = new_context()};
    CHECK_OK(s.ctx, sf_grid_parse(s.ctx, &s.grid, grid));
    CHECK_OK(s.ctx, sf_action_new_form(s.ctx, &s.action, s.grid, density,
                                       SF_ENERGY, "A"));
    CHECK_OK(s.ctx, sf_action_set(s.action, "J_x", jx));
    CHECK_OK(s.ctx, sf_action_set(s.action, "J_y", jy));
    CHECK_OK(s.ctx, sf_action_set(s.action, "J_z", jz));
    for (int u = 0; u < 3; u++)
        CHECK_OK(s.ctx, sf_action_field(s.action, &s.a[u], u));
    return s;
}

static void end(setup *s)
{
    for (int u = 0; u < 3; u++) {
        sf_field_free(s->ctx, &s->a[u]);
        sf_field_free(s->ctx, &s->b[u]);
    }
    sf_action_free(s->action);
    sf_grid_free(s->grid);
    sf_context_free(s->ctx);
}

#define ENERGY "0.5*curl2(A) - J_x*A_x - J_y*A_y - J_z*A_z"

static double at(const sf_field *f, int64_t j, int64_t i)
{
    return ((const double *)f->data[0])[j * f->step[0] + i];
}

/* Oracle B14, at r = 0.5, in a box of metal 16 times as wide: what flows through a loop of
 * faces is the current, to the solver's residual. */
TEST(a_wire_has_the_field_of_ampere)
{
    enum { N = 161, MIDDLE = N / 2, AWAY = 10 };
    setup s = begin("y = -4:4:161 pin 0; x = -4:4:161 pin 0", ENERGY, "0", "0",
                    "2*delta(x, y)");
    sf_action_solve_options o = SF_ACTION_SOLVE_OPTIONS_INIT;
    o.tolerance = 1e-12;
    CHECK_OK(s.ctx, sf_action_solve(s.action, s.a, &o, &s.s));
    CHECK_OK(s.ctx, sf_action_curl(s.action, s.a, 'B', s.b));
    /* B_y is midway along x, on the points along y. */
    const double mean = 0.25 * (at(&s.b[1], MIDDLE, MIDDLE + AWAY - 1) +
                                at(&s.b[1], MIDDLE, MIDDLE + AWAY) -
                                at(&s.b[1], MIDDLE, MIDDLE - AWAY - 1) -
                                at(&s.b[1], MIDDLE, MIDDLE - AWAY));
    CHECK_CLOSE(mean, 0.6366197723675814, 1e-2);
    const double h = 8.0 / (N - 1);
    double around = 0.0;
    for (int64_t k = -AWAY; k <= AWAY; k++)
        around += h * (at(&s.b[1], MIDDLE + k, MIDDLE + AWAY) -
                       at(&s.b[1], MIDDLE + k, MIDDLE - AWAY - 1) -
                       at(&s.b[0], MIDDLE + AWAY, MIDDLE + k) +
                       at(&s.b[0], MIDDLE - AWAY - 1, MIDDLE + k));
    CHECK_CLOSE(around, 2.0, 1e-9);
    CHECK(s.s.imbalance == 0.0);
    end(&s);
}

/* A current that is the curl of exp(-r^2) e_z, which B then is, but for its mean. */
TEST(a_ring_of_current_is_closed_before_it_is_solved)
{
    static double error[2];
    for (int k = 0; k < 2; k++) {
        setup s = begin(k == 0 ? "y = -5:5:40 periodic; x = -5:5:40 periodic"
                               : "y = -5:5:80 periodic; x = -5:5:80 periodic",
                        ENERGY, "-2*y*exp(-x^2-y^2)", "2*x*exp(-x^2-y^2)", "0");
        CHECK_OK(s.ctx, sf_action_solve(s.action, s.a, NULL, &s.s));
        CHECK(s.s.imbalance > 1e-6 && s.s.imbalance < 0.1);
        CHECK(s.s.residual <= 1e-8);
        CHECK_OK(s.ctx, sf_action_curl(s.action, s.a, 'B', s.b));
        const int64_t n = k == 0 ? 40 : 80;
        const double h = 10.0 / (double)n, mean = pi / 100.0;
        for (int64_t j = 0; j < n; j++)
            for (int64_t i = 0; i < n; i++) {
                const double x = -5.0 + h * ((double)i + 0.5);
                const double y = -5.0 + h * ((double)j + 0.5);
                const double want = exp(-x * x - y * y) - mean;
                error[k] = fmax(error[k], fabs(at(&s.b[2], j, i) - want));
            }
        end(&s);
    }
    CHECK(error[0] < 0.03);
    CHECK_NEAR(log2(error[0] / error[1]), 2.0, 0.15);
}

TEST(currents_that_end_nowhere_are_refused)
{
    setup s = begin("y = -1:1:21 natural; x = -1:1:21 natural", ENERGY,
                    "exp(-20*(x^2+y^2))", "0", "0");
    CHECK_FAILS(s.ctx, sf_action_solve(s.action, s.a, NULL, &s.s), SF_E_NUMERIC,
                "the current is not closed");
    sf_action_solve_options o = SF_ACTION_SOLVE_OPTIONS_INIT;
    o.project = true;
    CHECK_OK(s.ctx, sf_action_solve(s.action, s.a, &o, &s.s));
    CHECK(s.s.residual <= 1e-8 && s.s.imbalance > 0.1);
    end(&s);
    s = begin("y = -1:1:21 periodic; x = -1:1:21 periodic", ENERGY, "0", "0",
              "1");
    CHECK_FAILS(s.ctx, sf_action_solve(s.action, s.a, NULL, &s.s), SF_E_NUMERIC,
                "its mean along z");
    end(&s);
}

TEST(the_energy_of_a_form_is_that_of_its_curl)
{
    setup s = begin("z = 0:1:9 pin 0; y = 0:1:8 periodic; x = 0:1:9 pin 0",
                    ENERGY, "0", "2*pi^2*sin(pi*x)*sin(pi*z)", "0");
    CHECK_OK(s.ctx, sf_action_solve(s.action, s.a, NULL, &s.s));
    /* Along y, A_y = c sin(pi x) sin(pi z), by the eigenvalue of the grid. */
    const double by = 8.0 * sin(pi / 16.0), lambda = 2.0 * 4.0 * by * by;
    const sf_field *y = &s.a[1];
    const double middle =
        ((const double *)y->data[0])[4 * y->step[0] + 3 * y->step[1] + 4];
    CHECK_CLOSE(middle, 2.0 * pi * pi / lambda, 1e-7);
    CHECK_CLOSE(s.s.energy, -0.5 * 2.0 * pi * pi * middle / 4.0, 1e-7);
    end(&s);
}

TESTS(CASE(a_wire_has_the_field_of_ampere),
      CASE(a_ring_of_current_is_closed_before_it_is_solved),
      CASE(currents_that_end_nowhere_are_refused),
      CASE(the_energy_of_a_form_is_that_of_its_curl))
