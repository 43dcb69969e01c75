/* SPDX-License-Identifier: Apache-2.0 */
/* test_action.c - the discrete action: its derivatives on every geometry and side, its
 * stencils, and solutions that are known. */
#include "faults.h"

#include "scorefield/action.h"

#define PI 3.14159265358979323846

static sf_grid *grid_of(sf_context *ctx, const char *text)
{
    sf_grid *g = NULL;
    CHECK_OK(ctx, sf_grid_parse(ctx, &g, text));
    return g;
}

static sf_action *action_of(sf_context *ctx, const sf_grid *g, const char *text)
{
    static const char *const names[] = {"phi", "psi"};
    sf_action *a = NULL;
    CHECK_OK(ctx, sf_action_new(ctx, &a, g, text, SF_ENERGY,
                                strstr(text, "psi") != NULL ? 2 : 1, names));
    return a;
}

/* ---- derivatives -------------------------------------------------------------------- */

static const char *const grids[] = {
    "x = 0:1:7 pin sin(y)*0.3, natural; y = 0:2:6 periodic",
    "x = 0:1:6 flux 1+y, robin 2, 3*y; y = 0:2:5 map s^2 pin 0.5, flux -1",
    "x = 0:1:6 cells pin 1, natural; y = 0:2:5 cells natural, pin x",
    "r = 1:2:6 pin theta, natural; theta = 0:6.283185307179586:7 periodic",
    "r = 0:2:6 cells natural, pin 1; theta = 0:2:5 pin 1",
    "r = 0:2:5 cells natural, natural; z = 0:1:6 robin 1, r",
    "lat = -60:70:7 natural, robin 1, 2; lon = 0:360:8 periodic; radius = 2",
    "lat = -90:90:6 cells; lon = 0:90:5 flux 1, natural; radius = 2",
    "r = 1:2:4 natural, flux 1; lat = -50:60:5; lon = 0:90:4 pin 0, natural",
    "r = 1:3:9 pin 1, robin 1, 2; geometry = radial",
    "x = 0:1:5 natural; y = 0:1:4 pin 0; z = 0:2:6 periodic",
};

static const char *const densities[] = {
    "0.5*grad2(phi) + 0.25*phi^4",
    "sqrt(1 + grad2(phi)) + phi",
    "exp(0.3*phi)*grad2(phi) + cos(phi)",
    "grad2(phi)^2 + 0.1*phi^2*grad2(phi)",
    "0.5*grad2(phi) + 0.5*grad2(psi)*(1 + phi^2) + phi*psi + psi^4",
    "(1 + grad2(phi))^1.3 + phi^2*dot(grad(phi), grad(phi^2 + 1))",
};

TEST(gradients_are_those_of_the_action)
{
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(grids); i++)
        for (size_t j = 0; j < SFI_COUNT(densities); j++) {
            sf_grid *g = grid_of(ctx, grids[i]);
            sf_action *a = action_of(ctx, g, densities[j]);
            sf_functional f;
            CHECK_OK(ctx, sf_action_functional(a, &f));
            double *x = malloc(sizeof *x * (size_t)f.unknowns);
            CHECK(x != NULL);
            for (int64_t k = 0; k < f.unknowns; k++)
                x[k] = 0.4 * sin(1.7 * (double)k + 0.3) + 0.1;
            double gradient = 1.0, hvp = 1.0;
            CHECK_OK(ctx,
                     sf_functional_check(ctx, &gradient, &hvp, &f, x, 4, 1));
            if (!(gradient < 1e-7) || !(hvp < 1e-7))
                fprintf(stderr, "%s on %s: %g %g\n", densities[j], grids[i],
                        gradient, hvp);
            CHECK(gradient < 1e-7 && hvp < 1e-7);
            free(x);
            sf_action_free(a);
            sf_grid_free(g);
        }
    sf_context_free(ctx);
}

/* u.H v = v.H u */
TEST(hessians_are_symmetric)
{
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(grids); i++) {
        sf_grid *g = grid_of(ctx, grids[i]);
        sf_action *a = action_of(ctx, g, densities[4]);
        sf_functional f;
        CHECK_OK(ctx, sf_action_functional(a, &f));
        const size_t n = (size_t)f.unknowns;
        double *room = malloc(5 * n * sizeof *room);
        CHECK(room != NULL);
        double *x = room, *u = room + n, *v = room + 2 * n, *hu = room + 3 * n,
               *hv = room + 4 * n;
        for (size_t k = 0; k < n; k++) {
            x[k] = sin(0.3 * (double)k);
            u[k] = cos(1.1 * (double)k);
            v[k] = sin(2.3 * (double)k + 1.0);
        }
        CHECK_OK(ctx, f.hvp(ctx, f.user, hu, x, u, 1));
        CHECK_OK(ctx, f.hvp(ctx, f.user, hv, x, v, 1));
        double uhv = 0.0, vhu = 0.0, size = 0.0;
        for (size_t k = 0; k < n; k++) {
            uhv += u[k] * hv[k];
            vhu += v[k] * hu[k];
            size += fabs(u[k] * hv[k]);
        }
        CHECK_NEAR(uhv, vhu, 1e-13 * size);
        free(room);
        sf_action_free(a);
        sf_grid_free(g);
    }
    sf_context_free(ctx);
}

/* ---- solutions ---------------------------------------------------------------------- */

/* A problem and what solves it; the largest difference. */
struct problem {
    const char *grid, *density, *source, *exact;
};

static double solve(sf_context *ctx, const struct problem *p, int n,
                    sf_action_solution *s)
{
    char text[256];
    snprintf(text, sizeof text, p->grid, n, n);
    sf_grid *g = grid_of(ctx, text);
    sf_action *a = action_of(ctx, g, p->density);
    if (p->source != NULL)
        CHECK_OK(ctx, sf_action_set(a, "rho", p->source));
    sf_field phi, exact;
    CHECK_OK(ctx, sf_action_field(a, &phi, 0));
    CHECK_OK(ctx, sf_field_new(ctx, &exact, g, 1, NULL, SF_F64, 0));
    CHECK_OK(ctx, sf_field_set(ctx, &exact, 0, p->exact));
    sf_action_solve_options o = SF_ACTION_SOLVE_OPTIONS_INIT;
    o.tolerance = 1e-11;
    CHECK_OK(ctx, sf_action_solve(a, &phi, &o, s));
    const int64_t points = sf_grid_points(g);
    double *x = malloc(sizeof *x * (size_t)points);
    double *y = malloc(sizeof *y * (size_t)points);
    CHECK(x != NULL && y != NULL);
    sf_field_get(&phi, 0, x);
    sf_field_get(&exact, 0, y);
    double worst = 0.0;
    for (int64_t i = 0; i < points; i++)
        worst = fmax(worst, fabs(x[i] - y[i]));
    free(x);
    free(y);
    sf_field_free(ctx, &phi);
    sf_field_free(ctx, &exact);
    sf_action_free(a);
    sf_grid_free(g);
    return worst;
}

/* The rule is exact for these: r^2 on any radial axis, lines, and their sides. */
TEST(some_solutions_are_exact)
{
    static const struct problem problems[] = {
        {"r = 1:3:%d map s^2 pin 1, pin 9; theta = 0:6.283185307179586:8 "
         "periodic",
         "0.5*grad2(phi) + 4*phi", NULL, "r^2"},
        {"x = 0:1:%d pin 2, flux 3; y = 0:1:5", "0.5*grad2(phi)", NULL,
         "2 + 3*x"},
        {"x = 0:1:%d robin 2, 1; y = 0:1:5 natural", "0.5*grad2(phi)", NULL,
         "0.5"},
        {"x = 0:1:%d flux 1, robin 1, 5; y = 0:1:5", "0.5*grad2(phi)", NULL,
         "7 - x"},
        {"x = 0:1:%d cells pin 1, pin 2; y = 0:1:5 cells", "0.5*grad2(phi)",
         NULL, "1 + x"},
        {"x = 0:1:%d pin 0, natural; y = 0:1:5", "0.5*grad2(phi) - phi", NULL,
         "x - 0.5*x^2"},
    };
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(problems); i++) {
        sf_action_solution s;
        const double error = solve(ctx, &problems[i], 9, &s);
        if (!(error < 1e-9))
            fprintf(stderr, "%s: %g\n", problems[i].grid, error);
        CHECK(error < 1e-9);
        CHECK(s.residual <= 1e-11 && s.kind == SF_POINT_MINIMUM);
    }
    sf_context_free(ctx);
}

/* Others have errors of order 2. */
TEST(solutions_are_of_order_two)
{
    static const struct problem problems[] = {
        {"x = 0:1:%d pin 0; y = 0:1:%d pin 0", "0.5*grad2(phi) - rho*phi",
         "2*pi^2*sin(pi*x)*sin(pi*y)", "sin(pi*x)*sin(pi*y)"},
        {"x = 0:2:%d map s^1.5 pin 0, natural; y = 0:1:%d natural",
         "0.5*grad2(phi) - rho*phi", "(pi^2/16 + pi^2)*sin(pi*x/4)*cos(pi*y)",
         "sin(pi*x/4)*cos(pi*y)"},
        {"x = 0:1:%d cells pin 0; y = 0:1:%d cells", "0.5*grad2(phi) - rho*phi",
         "2*pi^2*sin(pi*x)*cos(pi*y)", "sin(pi*x)*cos(pi*y)"},
        {"lat = -45:60:%d pin sin(lat*pi/180); lon = 0:360:16 periodic; radius "
         "= 2",
         "0.5*grad2(phi) - 0.5*sin(lat*pi/180)*phi", NULL, "sin(lat*pi/180)"},
        {"r = 1:2:%d pin 1, robin 1, 0.25; geometry = radial", "0.5*grad2(phi)",
         NULL, "1/r"},
        /* A soap film between parallel lines of Scherk. */
        {"x = -0.6:0.6:%d pin log(cos(y)/cos(x)); y = -0.6:0.6:%d pin "
         "log(cos(y)/cos(x))",
         "sqrt(1 + grad2(phi))", NULL, "log(cos(y)/cos(x))"},
        /* phi'' = sinh(phi): kappa = 1, phi = 2 ln((1 + t)/(1 - t)). */
        {"x = 0:3:%d pin 1, pin 2*log((1 + exp(-3)*tanh(0.25))/(1 - "
         "exp(-3)*tanh(0.25))); y = 0:1:4",
         "0.5*grad2(phi) + (exp(phi) + exp(-phi))/2", NULL,
         "2*log((1 + exp(-x)*tanh(0.25))/(1 - exp(-x)*tanh(0.25)))"},
    };
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(problems); i++) {
        sf_action_solution s;
        const bool cells = strstr(problems[i].grid, "cells") != NULL;
        const double coarse = solve(ctx, &problems[i], cells ? 16 : 17, &s);
        const double fine = solve(ctx, &problems[i], cells ? 32 : 33, &s);
        const double order = log2(coarse / fine);
        if (!(fabs(order - 2.0) < 0.15))
            fprintf(stderr, "%s: order %.3f, %g\n", problems[i].grid, order,
                    fine);
        CHECK(fabs(order - 2.0) < 0.15);
    }
    sf_context_free(ctx);
}

/* ---- motion -------------------------------------------------------------------------- */

/* A mode of a box with natural sides: an eigenvector of the discrete action, with the
 * eigenvalue (2 sin(k h/2)/h)^2 of its wave number k. */
static double eigenvalue(double k, double h)
{
    return 4.0 * pow(sin(0.5 * k * h) / h, 2.0);
}

static double mass_of(const sf_field *f)
{
    double sum = 0.0;
    const int64_t n = sf_field_count(f, 0, 0), m = sf_field_count(f, 0, 1);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < m; j++)
            sum += sf_grid_volume(f->grid, (int64_t[]){i, j}) *
                   ((const double *)f->data[0])[i * f->step[0] + j];
    return sum;
}

TEST(a_mode_of_heat_falls_at_its_rate)
{
    sf_context *ctx = new_context();
    sf_grid *g = grid_of(ctx, "y = 0:1:21; x = 0:2:41 periodic");
    sf_action *a = action_of(ctx, g, "0.5*grad2(phi)");
    sf_field phi;
    sf_action_flow_options o = SF_ACTION_FLOW_OPTIONS_INIT;
    sf_action_motion m;
    CHECK_OK(ctx, sf_action_field(a, &phi, 0));
    CHECK_OK(ctx, sf_field_set(ctx, &phi, 0, "0.5 + cos(pi*y)*cos(2*pi*x)"));
    const double before = mass_of(&phi);
    const double rate = eigenvalue(PI, 0.05) + eigenvalue(2.0 * PI, 2.0 / 41.0);
    const double *x = phi.data[0];
    o.until = 0.05;
    o.tolerance = 1e-7;
    for (int stepped = 0; stepped < 2;
         stepped++) { /* by a step that is given */
        CHECK_OK(ctx,
                 sf_field_set(ctx, &phi, 0, "0.5 + cos(pi*y)*cos(2*pi*x)"));
        o.step = stepped ? 1e-3 : 0.0;
        CHECK_OK(ctx, sf_action_flow(a, &phi, &o, &m));
        const double near = stepped ? 1e-5 : 1e-13;
        CHECK_NEAR(x[0], 0.5 + exp(-rate * 0.05), near);
        CHECK_NEAR(x[20 * phi.step[0]], 0.5 - exp(-rate * 0.05), near);
        CHECK_NEAR(mass_of(&phi), before, 1e-12);
        CHECK(m.energy_end < m.energy_start);
        CHECK(stepped ? m.accepted > 3 : m.accepted == 1);
    }
    sf_field_free(ctx, &phi);
    sf_action_free(a);
    sf_grid_free(g);
    sf_context_free(ctx);
}

/* A step of the flow of phi' = -phi - phi^3 has order 2; its solution is known. */
TEST(flows_may_be_nonlinear)
{
    sf_context *ctx = new_context();
    sf_grid *g = grid_of(ctx, "y = 0:1:3; x = 0:1:3");
    sf_action *a = action_of(ctx, g, "0.5*phi^2 + 0.25*phi^4 + grad2(phi)");
    sf_field phi;
    sf_action_flow_options o = SF_ACTION_FLOW_OPTIONS_INIT;
    sf_action_motion m;
    CHECK_OK(ctx, sf_action_field(a, &phi, 0));
    CHECK_OK(ctx, sf_field_set(ctx, &phi, 0, "2"));
    o.until = 1.0;
    o.tolerance = 1e-8;
    CHECK_OK(ctx, sf_action_flow(a, &phi, &o, &m));
    /* phi^2/(1 + phi^2) falls as exp(-2 t). */
    const double z = 0.8 * exp(-2.0);
    CHECK_NEAR(*(const double *)phi.data[0], sqrt(z / (1.0 - z)), 1e-6);
    sf_field_free(ctx, &phi);
    sf_action_free(a);
    sf_grid_free(g);
    sf_context_free(ctx);
}

/* sin(omega dt/2) = dt sqrt(lambda)/2 to rounding, and the energy is constant. */
TEST(a_wave_has_the_dispersion_of_its_steps)
{
    sf_context *ctx = new_context();
    sf_grid *g = grid_of(ctx, "y = 0:1:11 pin 0; x = 0:1:16 periodic");
    sf_action *a = NULL;
    CHECK_OK(ctx,
             sf_action_new(ctx, &a, g, "0.5*(dt(phi)^2 - grad2(phi))",
                           SF_LAGRANGIAN, 1, (const char *const[]){"phi"}));
    sf_field phi;
    sf_action_evolve_options o = SF_ACTION_EVOLVE_OPTIONS_INIT;
    sf_action_motion m;
    CHECK_OK(ctx, sf_action_field(a, &phi, 0));
    CHECK_OK(ctx, sf_field_set(ctx, &phi, 0, "sin(pi*y)*cos(2*pi*x)"));
    o.until = 20.0;
    o.step = 0.02;
    CHECK_OK(ctx, sf_action_evolve(a, &phi, NULL, &o, &m));
    const double lambda =
        eigenvalue(PI, 0.1) + eigenvalue(2.0 * PI, 1.0 / 16.0);
    const double omega = 2.0 / 0.02 * asin(0.01 * sqrt(lambda));
    const double *x = phi.data[0];
    CHECK_NEAR(x[5 * phi.step[0]], cos(omega * 20.0), 1e-10);
    CHECK(m.accepted == 1000 && m.drift < 1e-11);
    CHECK_NEAR(m.energy_start, m.energy_end, 1e-11 * m.energy_start);
    o.step = 1.0;
    CHECK_FAILS(ctx, sf_action_evolve(a, &phi, NULL, &o, &m), SF_E_ARG,
                "above the stability bound");
    sf_field_free(ctx, &phi);
    sf_action_free(a);
    sf_grid_free(g);
    sf_context_free(ctx);
}

/* A kink of sine-Gordon at rest stays; its energy is 8, and oscillates in O(dt^2). */
TEST(a_kink_stays)
{
    sf_context *ctx = new_context();
    sf_grid *g = grid_of(ctx, "x = -10:10:401; y = 0:1:3 periodic");
    sf_action *a = NULL;
    CHECK_OK(ctx,
             sf_action_new(ctx, &a, g,
                           "0.5*(dt(phi)^2 - grad2(phi)) - (1 - cos(phi))",
                           SF_LAGRANGIAN, 1, (const char *const[]){"phi"}));
    sf_field phi;
    sf_action_evolve_options o = SF_ACTION_EVOLVE_OPTIONS_INIT;
    sf_action_motion m;
    CHECK_OK(ctx, sf_action_field(a, &phi, 0));
    CHECK_OK(ctx, sf_field_set(ctx, &phi, 0, "4*atan(exp(x))"));
    o.until = 10.0;
    CHECK_OK(ctx, sf_action_evolve(a, &phi, NULL, &o, &m));
    const double *x = phi.data[0];
    const int k = sf_grid_find(g, "x");
    CHECK_NEAR(x[200 * phi.step[k]], PI, 1e-8);
    CHECK_NEAR(x[220 * phi.step[k]], 4.0 * atan(exp(1.0)), 2e-3);
    CHECK_NEAR(m.energy_start, 8.0, 5e-3);
    CHECK(m.drift < 1e-4);
    sf_field_free(ctx, &phi);
    sf_action_free(a);
    sf_grid_free(g);
    sf_context_free(ctx);
}

/* ---- point sources, balance, refusals --------------------------------------------------- */

/* A charge between two grounded plates: the potential is a tent, exactly. */
TEST(a_point_source_has_its_strength)
{
    sf_context *ctx = new_context();
    sf_grid *g = grid_of(ctx, "y = 0:1:5 periodic; x = 0:1:11 pin 0");
    sf_action *a = action_of(ctx, g, "0.5*grad2(phi) - rho*phi");
    sf_field phi;
    CHECK_OK(ctx, sf_action_constant(a, "q", 2.0));
    CHECK_OK(ctx, sf_action_set(a, "rho",
                                "q*(delta(x - 0.4, y) + delta(y - 0.2, x - "
                                "0.4)) + q*delta(x - 0.4, y - 0.4) + "
                                "q*delta(x - 0.4, y - 0.6) + q*delta(0.4 - x, "
                                "y - 0.8)"));
    CHECK_OK(ctx, sf_action_field(a, &phi, 0));
    CHECK_OK(ctx, sf_action_solve(a, &phi, NULL, NULL));
    /* Five charges of 2 on a length of 1: a sheet of strength 10. */
    for (int i = 0; i <= 10; i++)
        CHECK_NEAR(((const double *)phi.data[0])[i],
                   10.0 * (i <= 4 ? 0.6 * 0.1 * i : 0.4 * (1.0 - 0.1 * i)),
                   1e-7);
    sf_field_free(ctx, &phi);
    sf_action_free(a);
    sf_grid_free(g);
    sf_context_free(ctx);
}

TEST(what_is_not_balanced_is_said)
{
    sf_context *ctx = new_context();
    sf_grid *g = grid_of(ctx, "y = 0:1:8 periodic; x = 0:1:9");
    sf_action *a = action_of(ctx, g, "0.5*grad2(phi) - rho*phi");
    sf_field phi;
    sf_action_solve_options o = SF_ACTION_SOLVE_OPTIONS_INIT;
    sf_action_solution s;
    CHECK_OK(ctx, sf_action_set(a, "rho", "1 + cos(pi*x)"));
    CHECK_OK(ctx, sf_action_field(a, &phi, 0));
    CHECK_FAILS(ctx, sf_action_solve(a, &phi, NULL, &s), SF_E_NUMERIC,
                "their sum is");
    o.project = true;
    CHECK_OK(ctx, sf_action_solve(a, &phi, &o, &s));
    CHECK_NEAR(mass_of(&phi), 0.0, 1e-12);
    CHECK(s.imbalance > 0.1);
    const double k = eigenvalue(PI, 0.125);
    CHECK_NEAR(*(const double *)phi.data[0], 1.0 / k, 1e-7);
    sf_field_free(ctx, &phi);
    sf_action_free(a);
    sf_grid_free(g);
    sf_context_free(ctx);
}

/* The mean that nothing holds is made 0: weighted by volumes, where they differ. */
TEST(a_free_mean_is_that_of_the_volumes)
{
    sf_context *ctx = new_context();
    sf_grid *g = grid_of(ctx, "x = 0:1:33 map s^2+s; y = 0:1:9 map s^2+2*s");
    sf_action *a = action_of(ctx, g, "0.5*grad2(phi) - rho*phi");
    sf_field phi;
    sf_action_solution s;
    CHECK_OK(ctx, sf_action_set(a, "rho", "cos(pi*x)"));
    CHECK_OK(ctx, sf_action_field(a, &phi, 0));
    CHECK_OK(ctx, sf_action_solve(a, &phi, NULL, &s));
    CHECK(strcmp(s.engine, "conjugate gradients") == 0);
    double sum = 0.0, plain = 0.0;
    for (int64_t i = 0; i < 33; i++)
        for (int64_t j = 0; j < 9; j++) {
            const double value =
                ((const double *)phi.data[0])[j * phi.step[0] + i];
            sum += sf_grid_volume(g, (int64_t[]){j, i}) * value;
            plain += value;
        }
    CHECK_NEAR(sum, 0.0, 1e-14);
    CHECK(fabs(plain) > 1.0);
    sf_field_free(ctx, &phi);
    sf_action_free(a);
    sf_grid_free(g);
    sf_context_free(ctx);
}

/* -phi'' - k^2 phi = rho with k^2 = 200 between the fourth and the fifth eigenvalue of
 * the interval, (4 pi)^2 and (5 pi)^2: four directions fall. */
TEST(an_indefinite_equation_has_a_saddle)
{
    static const struct problem problem = {
        "x = 0:1:%d map s^2+2*s pin 0; y = 0:1:5",
        "0.5*grad2(phi) - 100*phi^2 - rho*phi", "(pi^2 - 200)*sin(pi*x)",
        "sin(pi*x)"};
    sf_context *ctx = new_context();
    sf_action_solution s;
    const double coarse = solve(ctx, &problem, 129, &s);
    const double fine = solve(ctx, &problem, 257, &s);
    CHECK(strcmp(s.engine, "minimal residuals") == 0);
    CHECK(s.kind == SF_POINT_SADDLE && s.residual <= 1e-11);
    CHECK_NEAR(log2(coarse / fine), 2.0, 0.15);
    sf_context_free(ctx);
}

/* (phi^2 - 1)^2 is least at 1; from 0, where it is greatest, nothing moves, and slopes make
 * that a saddle. */
TEST(a_stationary_point_is_told_from_a_minimum)
{
    static const struct {
        double start, end;
        sf_point_kind kind;
    } cases[] = {{0.0, 0.0, SF_POINT_SADDLE}, {0.6, 1.0, SF_POINT_MINIMUM}};
    sf_context *ctx = new_context();
    sf_grid *g = grid_of(ctx, "x = 0:1:9; y = 0:1:7");
    sf_action *a = action_of(ctx, g, "0.5*grad2(phi) + (phi^2 - 1)^2");
    for (size_t i = 0; i < SFI_COUNT(cases); i++) {
        sf_field phi;
        sf_action_solution s;
        double values[63];
        CHECK_OK(ctx, sf_action_field(a, &phi, 0));
        for (int k = 0; k < 63; k++)
            values[k] = cases[i].start;
        sf_field_put(&phi, 0, values);
        CHECK_OK(ctx, sf_action_solve(a, &phi, NULL, &s));
        sf_field_get(&phi, 0, values);
        for (int k = 0; k < 63; k++)
            CHECK_NEAR(values[k], cases[i].end, 1e-7);
        CHECK(s.kind == cases[i].kind);
        sf_field_free(ctx, &phi);
    }
    sf_action_free(a);
    sf_grid_free(g);
    sf_context_free(ctx);
}

TEST(what_is_no_action_is_refused)
{
    static const struct {
        const char *grid, *density, *part;
    } cases[] = {
        {"x = 0:1:5", "x^2", "no unknown field"},
        {"x = 0:1:5", "dx(dx(phi))*phi", "second derivatives"},
        {"x = 0:1:5", "dt(phi)^2", "no time in it"},
        {"x = 0:1:5", "phi*foo", "unknown name"},
        {"x = 0:1:5", "dy(phi)", "no such axis"},
        {"x = 0:1:5", "grad(phi)", "is a vector"},
        {"x = 0:1:5 pin 0; y = 0:1:5 pin 1", "grad2(phi)", "do not agree"},
        {"x = 0:1:5 pin 1/x", "grad2(phi)", "is inf"},
        {"x = 0:1:5 pin y", "grad2(phi)", "unknown name"},
    };
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(cases); i++) {
        sf_grid *g = grid_of(ctx, cases[i].grid);
        sf_action *a = action_of(ctx, g, cases[i].density);
        sf_action_info info;
        const sf_status status = sf_action_describe(a, &info);
        if (status == SF_OK ||
            strstr(sf_context_message(ctx), cases[i].part) == NULL)
            fprintf(stderr, "%s: %s\n", cases[i].density,
                    sf_context_message(ctx));
        CHECK(status != SF_OK &&
              strstr(sf_context_message(ctx), cases[i].part) != NULL);
        sf_action_free(a);
        sf_grid_free(g);
    }
    static const char *const bad[] = {"r = 1:2:5 open; theta = 0:1:5",
                                      "x = 0:1:2", "t = 0:1:5; x = 0:1:5"};
    for (size_t i = 0; i < SFI_COUNT(bad); i++) {
        sf_action *a = NULL;
        sf_grid *g = grid_of(ctx, bad[i]);
        CHECK(sf_action_new(ctx, &a, g, "grad2(phi)", SF_ENERGY, 1,
                            (const char *const[]){"phi"}) != SF_OK);
        CHECK(a == NULL);
        sf_grid_free(g);
    }
    sf_context_free(ctx);
}

/* ---- memory, threads ---------------------------------------------------------------------- */

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status)) {
        sf_grid *g = NULL;
        sf_action *a = NULL;
        sf_field phi = {0};
        status = sf_grid_parse(ctx, &g, "x = 0:1:5 pin x*y; y = 0:1:4 flux 1");
        if (status == SF_OK)
            status = sf_action_new(ctx, &a, g, "0.5*grad2(phi)*c - rho*phi",
                                   SF_ENERGY, 1, (const char *const[]){"phi"});
        if (status == SF_OK)
            status = sf_action_constant(a, "c", 2.0);
        if (status == SF_OK)
            status = sf_action_set(a, "rho", "x*c");
        if (status == SF_OK)
            status = sf_action_field(a, &phi, 0);
        if (status == SF_OK)
            status = sf_action_solve(a, &phi, NULL, NULL);
        sf_field_free(ctx, &phi);
        sf_action_free(a);
        sf_grid_free(g);
    }
    sf_context_free(ctx);
}

TEST(threads_do_not_change_a_bit)
{
    enum { POINTS = 200 * 201 };
    static double values[3][POINTS];
    static const int threads[] = {1, 2, 7};
    for (int t = 0; t < 3; t++) {
        sf_context *ctx = new_context();
        CHECK_OK(ctx, sf_context_set_threads(ctx, threads[t]));
        sf_grid *g = grid_of(ctx, "y = 0:1:201; x = 0:1:200 periodic");
        sf_action *a = action_of(ctx, g, "sqrt(1 + grad2(phi)) + phi^4");
        sf_field phi;
        sf_action_flow_options o = SF_ACTION_FLOW_OPTIONS_INIT;
        CHECK_OK(ctx, sf_action_field(a, &phi, 0));
        CHECK_OK(ctx, sf_field_set(ctx, &phi, 0, "sin(9*x*(1-x))*cos(7*y)"));
        o.until = 1e-4;
        CHECK_OK(ctx, sf_action_flow(a, &phi, &o, NULL));
        sf_field_get(&phi, 0, values[t]);
        CHECK(t == 0 || memcmp(values[0], values[t], sizeof values[0]) == 0);
        sf_field_free(ctx, &phi);
        sf_action_free(a);
        sf_grid_free(g);
        sf_context_free(ctx);
    }
}

TESTS(CASE(gradients_are_those_of_the_action), CASE(hessians_are_symmetric),
      CASE(a_free_mean_is_that_of_the_volumes),
      CASE(an_indefinite_equation_has_a_saddle),
      CASE(a_stationary_point_is_told_from_a_minimum),
      CASE(some_solutions_are_exact), CASE(solutions_are_of_order_two),
      CASE(a_mode_of_heat_falls_at_its_rate), CASE(flows_may_be_nonlinear),
      CASE(a_wave_has_the_dispersion_of_its_steps), CASE(a_kink_stays),
      CASE(a_point_source_has_its_strength), CASE(what_is_not_balanced_is_said),
      CASE(what_is_no_action_is_refused), CASE(every_allocation_may_fail),
      CASE(threads_do_not_change_a_bit))
