/* SPDX-License-Identifier: Apache-2.0 */
/* cooling_plate.c - heat flows downhill: phi_t = k div grad phi, the gradient flow of
 * k |grad phi|^2/2.
 *
 *     cooling_plate [FOLDER]
 *
 * Known values.
 *   With cold sides the lowest mode of a unit square falls by exp(-2 k pi^2 t); on 32 x 32 steps
 *     the eigenvalue is 2 (2 sin(pi h/2)/h)^2, and the flow is exact in time:
 *     0.6740390776686712 at t = 0.2, k = 0.1.  The file in FOLDER [examples/fields] is that.
 *   With insulated sides all heat is kept.
 *   On a disc, whose centre is one point, with sources s everywhere and a Robin side it comes to
 *     rest at s (1 - r^2)/(4 k) + s/(2 alpha): n.dE/dgrad phi = k phi_r = -alpha phi. */
#include <scorefield/action.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool near(const char *what, double got, double want, double tolerance)
{
    const bool good = fabs(got - want) <= tolerance;
    printf("%-28s %.12g%s\n", what, got, good ? "" : ", which is wrong");
    return good;
}

static double heat_of(const sf_field *f)
{
    double sum = 0.0;
    for (int64_t i = 0; i < sf_field_count(f, 0, 0); i++)
        for (int64_t j = 0; j < sf_field_count(f, 0, 1); j++)
            sum += sf_grid_volume(f->grid, (const int64_t[]){i, j}) *
                   ((const double *)f->data[0])[i * f->step[0] + j];
    return sum;
}

/* Follow k |grad phi|^2/2 + more on a grid from a start. */
static sf_status flow(sf_context *ctx, const char *grid_text,
                      const char *energy, const char *start, double until,
                      sf_grid **grid, sf_field *phi, double *heat)
{
    sf_action *action = NULL;
    sf_action_flow_options o = SF_ACTION_FLOW_OPTIONS_INIT;
    o.until = until;
    sf_status status = sf_grid_parse(ctx, grid, grid_text);
    if (status == SF_OK)
        status = sf_action_new(ctx, &action, *grid, energy, SF_ENERGY, 1,
                               (const char *const[]){"phi"});
    if (status == SF_OK)
        status = sf_action_field(action, phi, 0);
    if (status == SF_OK)
        status = sf_field_set(ctx, phi, 0, start);
    if (status == SF_OK) {
        *heat = heat_of(phi);
        status = sf_action_flow(action, phi, &o, NULL);
    }
    if (status != SF_OK)
        fprintf(stderr, "%s\n", sf_context_message(ctx));
    sf_action_free(action);
    return status;
}

static bool cold_sides(sf_context *ctx)
{
    sf_grid *grid = NULL;
    sf_field phi = {0};
    double heat = 0.0, middle = NAN;
    const double at[] = {0.5, 0.5};
    sf_status status =
        flow(ctx, "x = 0:1:33 pin 0; y = 0:1:33 pin 0", "0.05*grad2(phi)",
             "sin(pi*x)*sin(pi*y)", 0.2, &grid, &phi, &heat);
    if (status == SF_OK)
        status = sf_field_at(ctx, &phi, 0, (sf_cmat){at, 1, 2, 2}, &middle);
    sf_field_free(ctx, &phi);
    sf_grid_free(grid);
    return status == SF_OK &&
           near("cold sides, in the middle", middle, 0.6740390776686712, 1e-12);
}

static bool insulated_sides(sf_context *ctx)
{
    sf_grid *grid = NULL;
    sf_field phi = {0};
    double heat = 0.0, after = NAN;
    const sf_status status =
        flow(ctx, "x = 0:1:33; y = 0:1:33 map s^2+s", "0.05*grad2(phi)",
             "exp(-50*((x - 0.4)^2 + (y - 0.5)^2))", 0.2, &grid, &phi, &heat);
    if (status == SF_OK)
        after = heat_of(&phi);
    sf_field_free(ctx, &phi);
    sf_grid_free(grid);
    return status == SF_OK &&
           near("insulated sides, heat kept", after / heat, 1.0, 1e-12);
}

static bool heated_disc(sf_context *ctx)
{
    sf_grid *grid = NULL;
    sf_field phi = {0};
    double heat = 0.0, middle = NAN;
    const double at[] = {0.0, 1.0};
    sf_status status =
        flow(ctx,
             "r = 0:1:17 natural, robin 2, 0; theta = 0:6.283185307179586:16 "
             "periodic",
             "0.5*grad2(phi) - phi", "0", 20.0, &grid, &phi, &heat);
    if (status == SF_OK)
        status = sf_field_at(ctx, &phi, 0, (sf_cmat){at, 1, 2, 2}, &middle);
    sf_field_free(ctx, &phi);
    sf_grid_free(grid);
    return status == SF_OK &&
           near("a heated disc, its centre", middle, 0.25 + 0.25, 1e-4);
}

static bool the_file(sf_context *ctx, const char *folder)
{
    char path[400];
    sf_problem p;
    double middle = NAN;
    const double at[] = {0.5, 0.5};
    sf_action_flow_options o = SF_ACTION_FLOW_OPTIONS_INIT;
    snprintf(path, sizeof path, "%s/cooling.ini", folder);
    sf_status status = sf_problem_read(ctx, &p, path);
    if (status == SF_OK) {
        o.until = p.until;
        status = sf_action_flow(p.action, p.fields, &o, NULL);
    }
    if (status == SF_OK)
        status = sf_field_at(ctx, p.fields, 0, (sf_cmat){at, 1, 2, 2}, &middle);
    if (status != SF_OK)
        fprintf(stderr, "%s\n", sf_context_message(ctx));
    sf_problem_free(ctx, &p);
    return status == SF_OK &&
           near("its file", middle, 0.6740390776686712, 1e-12);
}

int main(int argc, char **argv)
{
    sf_context *ctx = NULL;
    bool good = sf_context_new(&ctx, NULL) == SF_OK;
    if (good) {
        good &= cold_sides(ctx);
        good &= the_file(ctx, argc > 1 ? argv[1] : "examples/fields");
        good &= insulated_sides(ctx);
        good &= heated_disc(ctx);
    }
    sf_context_free(ctx);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
