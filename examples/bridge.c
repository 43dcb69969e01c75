/* SPDX-License-Identifier: Apache-2.0 */
/* bridge.c - a density on a grid, and particles that keep to it.
 *
 *     bridge [PICTURE]          draws the particles, .png, .svg or .pdf
 *
 * Points that heat spreads from are the density of a Gaussian kernel on them,
 *
 *     p_t = D p_xx,   p(., t) = mean of N(x_k, 2 D t),
 *
 * which is the flow of the energy D |grad p|^2/2 on a grid.  The same law is kept by particles
 * that move, without noise, by the velocity
 *
 *     v = -D d ln p/dx,         p_t + (p v)_x = 0,
 *
 * of the density on the grid: in one dimension each stays at its quantile, F(x(t), t) constant.
 * v is taken by centred differences and interpolated; particles take Runge and Kutta's steps
 * over two frames of the flow.
 *
 * Known values.
 *   Five points, 2 D t = 1/4, steps of 1/32: 0.38311325081152614 at 0, where the kernel has
 *     0.38314262649627123.
 *   F(x(t), t) of the kernel's density is what it was, to the order of the grid.
 *   Of one Gaussian of width s, x(t) = x(0) sqrt(1 + 2 D t/s^2).
 *   What takes the density's steps backwards comes back. */
#include <scorefield/action.h>
#include <scorefield/plot.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS = 512, STEPS = 40, FRAMES = 2 * STEPS, MOST = 41 };

static const double pi = 3.14159265358979323846;

/* A density at the start and at each frame. */
typedef struct film {
    sf_context *ctx;
    sf_grid *grid;
    sf_field now; /* the velocity of one frame */
    double h, diffusion, until;
    double frames[FRAMES + 1][CELLS];
    int count;
} film;

/* ---- the density ---------------------------------------------------------------- */

static sf_status keep(void *user, double time, const sf_field *fields)
{
    film *f = user;
    (void)time;
    sf_field_get(fields, 0, f->frames[f->count++]);
    return SF_OK;
}

/* Let it flow from where `p` is: frame 0 after `wait`, the others up to `until` later. */
static sf_status follow(film *f, sf_action *action, sf_field *p, double wait)
{
    sf_action_flow_options o = SF_ACTION_FLOW_OPTIONS_INIT;
    sf_status status = SF_OK;
    o.until = wait;
    if (wait > 0.0)
        status = sf_action_flow(action, p, &o, NULL);
    f->count = 0;
    if (status == SF_OK)
        status = keep(f, 0.0, p);
    o.until = f->until;
    o.frames = FRAMES;
    o.told.user = f;
    o.told.frame = keep;
    return status == SF_OK ? sf_action_flow(action, p, &o, NULL) : status;
}

static sf_status begin(film *f, sf_action **action, sf_field *p)
{
    char grid[64], energy[64];
    snprintf(grid, sizeof grid, "x = -8:8:%d periodic", (int)CELLS);
    snprintf(energy, sizeof energy, "%.17g*grad2(p)", 0.5 * f->diffusion);
    f->h = 16.0 / CELLS;
    sf_status status = sf_grid_parse(f->ctx, &f->grid, grid);
    if (status == SF_OK)
        status = sf_action_new(f->ctx, action, f->grid, energy, SF_ENERGY, 1,
                               (const char *const[]){"p"});
    if (status == SF_OK)
        status = sf_action_field(*action, p, 0);
    if (status == SF_OK)
        status = sf_field_new(f->ctx, &f->now, f->grid, 1, NULL, SF_F64, 0);
    return status;
}

static void end(film *f, sf_action *action, sf_field *p)
{
    sf_field_free(f->ctx, &f->now);
    sf_field_free(f->ctx, p);
    sf_action_free(action);
    sf_grid_free(f->grid);
}

/* ---- particles --------------------------------------------------------------------- */

/* The velocity of a frame at n places. */
static sf_status velocity(film *f, int frame, int n, const double *x, double *v)
{
    const double *p = f->frames[frame];
    double on_grid[CELLS];
    for (int i = 0; i < CELLS; i++)
        on_grid[i] = -f->diffusion *
                     (p[(i + 1) % CELLS] - p[(i + CELLS - 1) % CELLS]) /
                     (2.0 * f->h * p[i]);
    sf_field_put(&f->now, 0, on_grid);
    return sf_field_at(f->ctx, &f->now, 0, (sf_cmat){x, n, 1, 1}, v);
}

/* One step over two frames, forwards or backwards in time, x at the first of them. */
static sf_status step(film *f, int frame, int way, int n, double *x)
{
    const double dt = way * 2.0 * f->until / FRAMES;
    double k[4][MOST], at[MOST];
    static const double part[] = {0.0, 0.5, 0.5, 1.0};
    for (int s = 0; s < 4; s++) {
        for (int i = 0; i < n; i++)
            at[i] = x[i] + (s > 0 ? part[s] * dt * k[s - 1][i] : 0.0);
        const sf_status status =
            velocity(f, frame + way * (int)(2.0 * part[s]), n, at, k[s]);
        if (status != SF_OK)
            return status;
    }
    for (int i = 0; i < n; i++)
        x[i] += dt / 6.0 * (k[0][i] + 2.0 * k[1][i] + 2.0 * k[2][i] + k[3][i]);
    return SF_OK;
}

/* ---- checks --------------------------------------------------------------------------- */

static bool near(const char *what, double got, double want, double tolerance)
{
    const bool good = fabs(got - want) <= tolerance;
    printf("%-40s %.12g%s\n", what, got, good ? "" : ", which is wrong");
    return good;
}

static const double points[] = {-1.2, -0.4, 0.3, 0.35, 1.9};
enum { POINTS = 5 };

/* The part of the kernel's density below x. */
static double below(double x, double variance)
{
    double sum = 0.0;
    for (int k = 0; k < POINTS; k++)
        sum += 0.5 * erfc(-(x - points[k]) / sqrt(2.0 * variance)) / POINTS;
    return sum;
}

static double quantile(double u, double variance)
{
    double low = -8.0, high = 8.0;
    for (int i = 0; i < 60; i++) {
        const double middle = 0.5 * (low + high);
        *(below(middle, variance) < u ? &low : &high) = middle;
    }
    return 0.5 * (low + high);
}

static sf_status draw(sf_context *ctx, const char *file, double until,
                      double wait, double path[STEPS + 1][MOST])
{
    static double lines[MOST][STEPS + 1][2];
    sf_plot_curve curves[MOST];
    for (int i = 0; i < MOST; i++) {
        for (int s = 0; s <= STEPS; s++) {
            lines[i][s][0] = wait + until * s / STEPS;
            lines[i][s][1] = path[s][i];
        }
        curves[i] = (sf_plot_curve){NULL, {lines[i][0], STEPS + 1, 2, 2}, 0, 0};
    }
    sf_plot_curves_options o = SF_PLOT_CURVES_OPTIONS_INIT;
    o.width = 560.0;
    o.height = 360.0;
    o.title = "Particles in the velocity of the heat of five points";
    o.x_label = "t";
    o.y_label = "x";
    return sf_plot_curves(ctx, file, curves, MOST, &o);
}

/* Points, heat, density; particles at its quantiles. */
static bool five_points(sf_context *ctx, const char *picture)
{
    static film f;
    static double path[STEPS + 1][MOST];
    const double wait = 0.02, quarter = 0.25;
    sf_action *action = NULL;
    sf_field p = {0};
    double x[MOST];
    f = (film){.ctx = ctx, .diffusion = 0.5, .until = 0.98};
    sf_status status = begin(&f, &action, &p);
    if (status == SF_OK) /* 2 D t = 1/4 */
        status =
            sf_field_deposit(ctx, &p, 0, (sf_cmat){points, POINTS, 1, 1}, NULL);
    sf_action_flow_options o = SF_ACTION_FLOW_OPTIONS_INIT;
    o.until = quarter;
    if (status == SF_OK)
        status = sf_action_flow(action, &p, &o, NULL);
    const double on_grid =
        status == SF_OK ? ((const double *)p.data[0])[CELLS / 2] : NAN;
    if (status == SF_OK)
        status = sf_field_set(ctx, &p, 0, "0");
    if (status == SF_OK)
        status =
            sf_field_deposit(ctx, &p, 0, (sf_cmat){points, POINTS, 1, 1}, NULL);
    if (status == SF_OK)
        status = follow(&f, action, &p, wait);
    double worst = 0.0, back = 0.0;
    for (int i = 0; i < MOST; i++)
        x[i] = path[0][i] = quantile((i + 0.5) / MOST, wait);
    for (int s = 0; s < STEPS && status == SF_OK; s++) {
        status = step(&f, 2 * s, 1, MOST, x);
        memcpy(path[s + 1], x, sizeof x);
    }
    for (int i = 0; i < MOST; i++)
        worst =
            fmax(worst, fabs(below(x[i], wait + f.until) - (i + 0.5) / MOST));
    for (int s = STEPS; s > 0 && status == SF_OK; s--)
        status = step(&f, 2 * s, -1, MOST, x);
    for (int i = 0; i < MOST; i++)
        back = fmax(back, fabs(x[i] - path[0][i]));
    if (status == SF_OK && picture != NULL)
        status = draw(ctx, picture, f.until, wait, path);
    end(&f, action, &p);
    if (status != SF_OK) {
        fprintf(stderr, "%s\n", sf_context_message(ctx));
        return false;
    }
    bool good =
        near("heat of five points at 0", on_grid, 0.38311325081152614, 1e-12);
    good &=
        near("beside their kernel density", on_grid, 0.38314262649627123, 5e-5);
    good &= near("largest change of a quantile", worst, 0.0, 1e-3);
    good &= near("largest way from home, there and back", back, 0.0, 2e-3);
    return good;
}

/* A Gaussian of width 0.7, D = 0.1, after 0.5: 0.9 goes to 0.9875758818688211. */
static bool one_gaussian(sf_context *ctx)
{
    static film f;
    sf_action *action = NULL;
    sf_field p = {0};
    double x[] = {0.9, -0.9, 0.0};
    f = (film){.ctx = ctx, .diffusion = 0.1, .until = 0.5};
    sf_status status = begin(&f, &action, &p);
    if (status == SF_OK)
        status =
            sf_field_set(ctx, &p, 0, "exp(-x^2/(2*0.49))/(0.7*sqrt(2*pi))");
    if (status == SF_OK)
        status = follow(&f, action, &p, 0.0);
    const double middle = f.frames[FRAMES][CELLS / 2];
    for (int s = 0; s < STEPS && status == SF_OK; s++)
        status = step(&f, 2 * s, 1, 3, x);
    end(&f, action, &p);
    if (status != SF_OK) {
        fprintf(stderr, "%s\n", sf_context_message(ctx));
        return false;
    }
    bool good = near("a Gaussian that spreads, at 0", middle,
                     1.0 / sqrt(2.0 * pi * 0.59), 1e-4);
    good &= near("a particle of it", x[0], 0.9875758818688211, 2e-4);
    good &= near("its mirror image", x[1], -x[0], 1e-12);
    return good;
}

int main(int argc, char **argv)
{
    sf_context *ctx = NULL;
    bool good = sf_context_new(&ctx, NULL) == SF_OK;
    good = good && five_points(ctx, argc > 1 ? argv[1] : NULL);
    good = good && one_gaussian(ctx);
    sf_context_free(ctx);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
