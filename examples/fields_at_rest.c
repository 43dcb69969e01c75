/* SPDX-License-Identifier: Apache-2.0 */
/* fields_at_rest.c - fields whose action is stationary, each beside its known answer.
 *
 *     fields_at_rest [FOLDER]
 *
 * Each problem is made twice: by calls, and from its file in FOLDER [examples/fields], which
 * says what it is; `scorefield solve FILE -o phi.nc` solves it, too.
 *
 * Known values.
 *   A charge on a lattice: Watson's integral 0.2527310098585742 at it, and 8 steps away
 *     0.009988047390919555, where 1/(4 pi r) is 0.009947.
 *   A Gaussian cloud: erf(r/(sqrt(2) s))/(4 pi r); at 0, 1/(2 pi sqrt(2 pi) s).
 *   Plummer's sphere: -1/sqrt(1 + r^2).   A cylinder in a pipe: -0.2 ln r.
 *   Scherk's film: ln(cos y/cos x).   A catenoid: c cosh(z/c), c = 0.848338 (with the other
 *     solution, c = 0.235095, the area is a saddle, which steps downhill leave).
 *   A screened charge on a lattice of step h: -h exp(-mu n)/(2 sinh mu), cosh mu = 1 + m^2 h^2/2.
 *   A double layer on 201 points: 0.9527051838618685 at x = 1.
 *   A radiating bar: 2 - x.
 *
 * J. H. Plummer, Monthly Notices R. Astron. Soc. 71 (1911) 460-470.
 * G. N. Watson, Quart. J. Math. 10 (1939) 266-276. */
#include <scorefield/action.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 3 };

/* A value that is known. */
typedef struct known {
    double at[MOST]; /* z, y, x, or the one axis */
    double value, tolerance;
} known;

typedef struct example {
    const char *file, *grid, *unknown, *energy;
    const char *constant, *source, *boundary; /* "NAME=TEXT", or NULL         */
    const char *start;                        /* of the field, or NULL: 0     */
    known answers[MOST];
} example;

static const example examples[] = {
    {"point_charge.ini",
     "x = -16:16:33 open; y = -16:16:33 open; z = -16:16:33 open",
     "phi",
     "0.5*grad2(phi) - rho*phi",
     NULL,
     "rho=delta(x, y, z)",
     NULL,
     NULL,
     {{{0, 0, 0}, 0.2527310098585742, 1e-9},
      {{0, 0, 8}, 0.009988047390919555, 1e-9},
      {{0, 0, 8}, 0.009947183943243459, 5e-5}}},
    {"cloud.ini",
     "x = -3:3:49 open; y = -3:3:49 open; z = -3:3:49 open",
     "phi",
     "0.5*grad2(phi) - rho*phi",
     "s=0.5",
     "rho=exp(-(x^2 + y^2 + z^2)/(2*s^2))/(2*pi*s^2)^1.5",
     NULL,
     NULL,
     {{{0, 0, 0}, 0.12698727186848197, 7e-4},
      {{0, 0, 1.5}, 0.05290841906769581, 1e-4},
      {{0, 1.5, 0}, 0.05290841906769581, 1e-4}}},
    {"plummer.ini",
     "r = 0:20:257 map s^2 natural, robin 1/(80*pi), "
     "(20/401^1.5 - 1/(20*sqrt(401)))/(4*pi); geometry = radial",
     "phi",
     "grad2(phi)/(8*pi) + rho*phi",
     NULL,
     "rho=3/(4*pi)*(1 + r^2)^(-2.5)",
     NULL,
     NULL,
     {{{0}, -1.0, 1e-3},
      {{5}, -0.19611613513818404, 2e-4},
      {{20}, -0.04993761694389223, 5e-5}}},
    {"pipe.ini",
     "r = 0.2:1:65 flux 1, pin 0; theta = 0:6.283185307179586:16 periodic",
     "phi",
     "0.5*grad2(phi)",
     NULL,
     NULL,
     NULL,
     NULL,
     {{{0.2, 0}, 0.3218875824868201, 1e-4},
      {{0.6, 1}, 0.10216512475319814, 5e-5},
      {{1, 0}, 0.0, 1e-15}}},
    {"scherk.ini",
     "x = -0.8:0.8:33 pin log(cos(y)/cos(x)); y = -0.8:0.8:33 pin "
     "log(cos(y)/cos(x))",
     "phi",
     "sqrt(1 + grad2(phi))",
     NULL,
     NULL,
     NULL,
     NULL,
     {{{0, 0}, 0.0, 1e-12},
      {{0, 0.4}, 0.08222901907505539, 1.2e-5},
      {{0.4, 0}, -0.08222901907505539, 1.2e-5}}},
    {"catenoid.ini",
     "z = -0.5:0.5:65 pin 1",
     "r",
     "2*pi*r*sqrt(1 + dz(r)^2)",
     NULL,
     NULL,
     NULL,
     "1",
     {{{0}, 0.8483433769405961, 1e-8},
      {{0.25}, 0.8854420351740196, 2e-5},
      {{-0.25}, 0.8854420351740196, 2e-5}}},
    {"screened.ini",
     "x = -6:6:49 open",
     "phi",
     "0.5*grad2(phi) + 0.5*m^2*phi^2 + rho*phi",
     "m=2",
     "rho=delta(x)",
     NULL,
     NULL,
     {{{0}, -0.24253562503633297, 1e-12},
      {{1}, -0.033495694714126924, 1e-12},
      {{1}, -0.033833820809153176, 4e-4}}},
    {"double_layer.ini",
     "x = 0:10:201 pin 3, pin 2*log((1 + tanh(3/4)*exp(-10))/(1 - "
     "tanh(3/4)*exp(-10)))",
     "u",
     "0.5*grad2(u) + 0.5*(exp(u) + exp(-u))",
     NULL,
     NULL,
     NULL,
     NULL,
     {{{0}, 3.0, 1e-15},
      {{1}, 0.9527051838618685, 1e-9},
      {{1}, 0.9522219690210658, 7e-4}}},
    {"radiating.ini",
     "x = 0:1:33 flux 1, natural",
     "u",
     "0.5*grad2(u)",
     NULL,
     NULL,
     "x+=abs(u)^5/5",
     "1.5",
     {{{0}, 2.0, 1e-7}, {{0.5}, 1.5, 1e-7}, {{1}, 1.0, 1e-7}}},
};

/* ---- by calls --------------------------------------------------------------- */

/* The two sides of "NAME=TEXT". */
static void split(const char *pair, char *name, const char **text)
{
    const char *equal = strchr(pair, '=');
    memcpy(name, pair, (size_t)(equal - pair));
    name[equal - pair] = '\0';
    *text = equal + 1;
}

static sf_status make(sf_context *ctx, const example *e, sf_grid **grid,
                      sf_action **action, sf_field *field)
{
    const char *text, *const names[] = {e->unknown};
    char name[16];
    sf_status status = sf_grid_parse(ctx, grid, e->grid);
    if (status == SF_OK)
        status =
            sf_action_new(ctx, action, *grid, e->energy, SF_ENERGY, 1, names);
    if (status == SF_OK && e->constant != NULL) {
        split(e->constant, name, &text);
        status = sf_action_constant(*action, name, atof(text));
    }
    if (status == SF_OK && e->source != NULL) {
        split(e->source, name, &text);
        status = sf_action_set(*action, name, text);
    }
    if (status == SF_OK && e->boundary != NULL) {
        split(e->boundary, name, &text);
        status = sf_action_boundary(*action, name, text);
    }
    if (status == SF_OK)
        status = sf_action_field(*action, field, 0);
    if (status == SF_OK && e->start != NULL)
        status = sf_field_set(ctx, field, 0, e->start);
    return status;
}

/* ---- answers ---------------------------------------------------------------- */

static bool check(sf_context *ctx, const example *e, const char *how,
                  sf_action *action, sf_field *field, const sf_grid *grid)
{
    sf_action_solve_options o = SF_ACTION_SOLVE_OPTIONS_INIT;
    sf_action_solution s;
    const int rank = sf_grid_rank(grid);
    o.tolerance = 1e-11;
    if (sf_action_solve(action, field, &o, &s) != SF_OK) {
        fprintf(stderr, "%s: %s\n", e->grid, sf_context_message(ctx));
        return false;
    }
    bool all = s.kind == SF_POINT_MINIMUM;
    printf("%-16s %-8s by %s", e->file, how, s.engine);
    for (int i = 0; i < MOST; i++) {
        const known *k = &e->answers[i];
        double got = NAN;
        const sf_cmat at = {k->at, 1, rank, rank};
        if (sf_field_at(ctx, field, 0, at, &got) != SF_OK ||
            !(fabs(got - k->value) <= k->tolerance)) {
            printf("\n  %.15g, want %.15g within %g", got, k->value,
                   k->tolerance);
            all = false;
        } else if (i == 0) {
            printf(", %.6g", got);
        }
    }
    printf("%s\n", s.kind != SF_POINT_MINIMUM ? ", no minimum" : "");
    return all;
}

static bool solve_calls(sf_context *ctx, const example *e)
{
    sf_grid *grid = NULL;
    sf_action *action = NULL;
    sf_field field = {0};
    bool good = make(ctx, e, &grid, &action, &field) == SF_OK;
    if (!good)
        fprintf(stderr, "%s: %s\n", e->grid, sf_context_message(ctx));
    good = good && check(ctx, e, "by calls", action, &field, grid);
    sf_field_free(ctx, &field);
    sf_action_free(action);
    sf_grid_free(grid);
    return good;
}

static bool solve_file(sf_context *ctx, const example *e, const char *folder)
{
    char path[400];
    sf_problem p;
    snprintf(path, sizeof path, "%s/%s", folder, e->file);
    if (sf_problem_read(ctx, &p, path) != SF_OK) {
        fprintf(stderr, "%s\n", sf_context_message(ctx));
        return false;
    }
    const bool good = check(ctx, e, "its file", p.action, p.fields, p.grid);
    sf_problem_free(ctx, &p);
    return good;
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : "examples/fields";
    sf_context *ctx = NULL;
    bool good = sf_context_new(&ctx, NULL) == SF_OK;
    const size_t count = good ? sizeof examples / sizeof *examples : 0;
    for (size_t i = 0; i < count; i++) {
        good &= solve_calls(ctx, &examples[i]);
        good &= solve_file(ctx, &examples[i], folder);
    }
    sf_context_free(ctx);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
