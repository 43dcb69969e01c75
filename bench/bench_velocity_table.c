/* SPDX-License-Identifier: Apache-2.0 */
/* bench_velocity_table.c - the velocities that are integrals, by their nodes and
 * from a table.
 *
 * At one time t, gamma's shape k is the same for every data point and its
 * velocity by k a function of ln z alone; that of von Mises, by kappa, of the
 * angle alone.  A posterior sum over many points could therefore read them from a
 * table made once a time.  Measured here, in single precision:
 *
 *     nodes      the 48 nodes of training, through a program
 *     chebyshev  a polynomial of degree DEGREE, Clenshaw's rule, by a program
 *     cubic      CELLS cubics of equal width, a plain loop
 *
 * over 8 standard deviations on either side of the mean.  `error` is the largest
 * difference from 128 nodes in double precision, relative to the largest value. */
#include "bench.h"

#include "base/random.h"
#include "kernel/kernel.h"
#include "num/special.h"
#include "scorefield/program.h"

#include <math.h>

enum { POINTS = 1 << 14, DEGREE = 32, CELLS = 256 };

typedef struct table {
    sf_context *ctx;
    sfi_kernel kernel;
    double parameter;   /* k or kappa */
    double first, last; /* of ln z or of the angle */
    double exact[POINTS];
    float at[POINTS], got[POINTS];
    float cubic[CELLS][4];
    sf_program *program;
    sf_status status;
} table;

/* The velocity by the second or the first parameter at y, with ln z = y for gamma
 * (a mean of k) and the angle y for von Mises. */
static sf_node velocity(const table *t, sf_graph *g, sf_node y,
                        sfi_velocity how)
{
    const bool angle = t->kernel.ops->chart == SFI_CHART_ANGLE;
    const sf_node p = sf_const(g, t->parameter);
    const sf_node theta[2] = {angle ? sf_const(g, 0.0) : p, p};
    sf_node u[SFI_KERNEL_THETA];
    t->kernel.ops->velocity(&t->kernel, g, y, theta, how, u);
    return u[angle];
}

/* A program of one input and one output. */
static sf_status compile(table *t, sf_graph *g, sf_node y, sf_dtype dtype)
{
    const sf_output output = {y, SF_EACH};
    sf_program_free(t->program);
    t->program = NULL;
    return sf_program_new(t->ctx, &t->program, g, dtype, 1, &output);
}

static sf_status run(const table *t, int64_t n, const void *from,
                     sf_dtype dtype, void *to)
{
    const sf_source source = {
        .kind = SF_ROWS, .data = from, .dtype = dtype, .stride = 1};
    const sf_sink sink = {to, dtype, 1};
    return sf_program_run(t->program, n, &source, NULL, &sink);
}

static sf_status compile_nodes(table *t, sfi_velocity how, sf_dtype dtype)
{
    sf_graph *g = NULL;
    SFI_TRY(sf_graph_new(t->ctx, &g));
    const sf_node y = sf_input(g, "y", 0, NULL);
    const sf_status status = compile(t, g, velocity(t, g, y, how), dtype);
    sf_graph_free(g);
    return status;
}

/* The polynomial through the values at Chebyshev's points. */
static sf_status compile_polynomial(table *t)
{
    const double pi = 3.14159265358979324;
    double x[DEGREE + 1], value[DEGREE + 1], c[DEGREE + 1];
    const double half = 0.5 * (t->last - t->first);
    const double centre = 0.5 * (t->last + t->first);
    for (int i = 0; i <= DEGREE; i++)
        x[i] = centre + half * cos(pi * (i + 0.5) / (DEGREE + 1));
    SFI_TRY(compile_nodes(t, SFI_VELOCITY_EXACT, SF_F64));
    SFI_TRY(run(t, DEGREE + 1, x, SF_F64, value));
    for (int j = 0; j <= DEGREE; j++) {
        c[j] = 0.0;
        for (int i = 0; i <= DEGREE; i++)
            c[j] += value[i] * cos(pi * j * (i + 0.5) / (DEGREE + 1)) *
                    (j == 0 ? 1.0 : 2.0) / (DEGREE + 1);
    }
    sf_graph *g = NULL;
    SFI_TRY(sf_graph_new(t->ctx, &g));
    const sf_node y = sf_input(g, "y", 0, NULL);
    const sf_node s =
        sf_mul(g, sf_sub(g, y, sf_const(g, centre)), sf_const(g, 1.0 / half));
    const sf_node twice = sf_mul(g, sf_const(g, 2.0), s);
    sf_node b = sf_const(g, 0.0), before = b;
    for (int j = DEGREE; j > 0; j--) {
        const sf_node next = sf_add(g, sf_sub(g, sf_mul(g, twice, b), before),
                                    sf_const(g, c[j]));
        before = b;
        b = next;
    }
    const sf_node value_of =
        sf_add(g, sf_sub(g, sf_mul(g, s, b), before), sf_const(g, c[0]));
    const sf_status status = compile(t, g, value_of, SF_F32);
    sf_graph_free(g);
    return status;
}

/* In each cell the cubic through its ends and the thirds between them. */
static sf_status make_cubics(table *t)
{
    double x[3 * CELLS + 1], value[3 * CELLS + 1];
    for (int i = 0; i <= 3 * CELLS; i++)
        x[i] = t->first + (t->last - t->first) * i / (3.0 * CELLS);
    SFI_TRY(compile_nodes(t, SFI_VELOCITY_EXACT, SF_F64));
    SFI_TRY(run(t, 3 * CELLS + 1, x, SF_F64, value));
    for (int i = 0; i < CELLS; i++) {
        const double *v = value + 3 * i;
        t->cubic[i][0] = (float)v[0];
        t->cubic[i][1] = (float)(-5.5 * v[0] + 9.0 * v[1] - 4.5 * v[2] + v[3]);
        t->cubic[i][2] =
            (float)(9.0 * v[0] - 22.5 * v[1] + 18.0 * v[2] - 4.5 * v[3]);
        t->cubic[i][3] =
            (float)(-4.5 * v[0] + 13.5 * v[1] - 13.5 * v[2] + 4.5 * v[3]);
    }
    return SF_OK;
}

static void measure_program(void *user)
{
    table *t = user;
    t->status = run(t, POINTS, t->at, SF_F32, t->got);
}

static void measure_cubics(void *user)
{
    table *t = user;
    const float first = (float)t->first;
    const float scale = (float)(CELLS / (t->last - t->first));
    for (int i = 0; i < POINTS; i++) {
        const float place = fminf(fmaxf((t->at[i] - first) * scale, 0.0f),
                                  (float)CELLS - 0.001f);
        const int cell = (int)place;
        const float s = place - (float)cell;
        const float *c = t->cubic[cell];
        t->got[i] = c[0] + s * (c[1] + s * (c[2] + s * c[3]));
    }
}

static void report(const bench_args *args, table *t, const char *how,
                   void (*measure)(void *user))
{
    char name[80];
    (void)snprintf(name, sizeof name, "velocity_%s_%g_%s",
                   t->kernel.ops->family, t->parameter, how);
    if (!bench_wanted(args, name))
        return;
    const bench_rate rate = bench_windows(args, measure, t);
    double size = 0.0, error = 0.0;
    for (int i = 0; i < POINTS; i++) {
        size = fmax(size, fabs(t->exact[i]));
        error = fmax(error, fabs(t->exact[i] - (double)t->got[i]));
    }
    bench_print(name, "evaluations_per_s", rate, POINTS, 0.0);
    fprintf(stderr, "%s: %.2f ns, error %.1e\n", name,
            1e9 / (rate.best * POINTS), error / size);
}

static sf_status compare(const bench_args *args, table *t, const char *family,
                         double parameter)
{
    SFI_TRY(sfi_kernel_parse(t->ctx, &t->kernel, family));
    t->parameter = parameter;
    if (t->kernel.ops->chart == SFI_CHART_ANGLE) {
        t->last = fmin(3.14159265358979324, 8.0 / sqrt(parameter));
        t->first = 0.0;
    } else {
        const double spread = 8.0 * sqrt(sfi_polygamma(1, parameter));
        t->first = sfi_digamma(parameter) - spread;
        t->last = sfi_digamma(parameter) + spread;
    }
    static double x[POINTS];
    for (int i = 0; i < POINTS; i++) {
        const sfi_where where = {1, (uint64_t)i, 0, SFI_STREAM_USER};
        t->at[i] =
            (float)(t->first + (t->last - t->first) * sfi_uniform_at(where, 0));
        x[i] = (double)t->at[i];
    }
    SFI_TRY(compile_nodes(t, SFI_VELOCITY_EXACT, SF_F64));
    SFI_TRY(run(t, POINTS, x, SF_F64, t->exact));
    SFI_TRY(compile_nodes(t, SFI_VELOCITY_TRAINING, SF_F32));
    report(args, t, "nodes", measure_program);
    SFI_TRY(compile_polynomial(t));
    report(args, t, "chebyshev", measure_program);
    SFI_TRY(make_cubics(t));
    report(args, t, "cubic", measure_cubics);
    return t->status;
}

int main(int argc, char **argv)
{
    bench_args args;
    if (!bench_arguments(argc, argv, &args))
        return 2;
    static const double sizes[] = {1.0, 4.0, 100.0, 2500.0};
    static table t;
    sf_status status = sf_context_new(&t.ctx, NULL);
    if (status == SF_OK)
        status = sf_context_set_threads(t.ctx, args.threads);
    for (size_t i = 0; status == SF_OK && i < SFI_COUNT(sizes); i++) {
        status = compare(&args, &t, "gamma", sizes[i]);
        if (status == SF_OK)
            status = compare(&args, &t, "vonmises", sizes[i]);
    }
    if (status != SF_OK)
        fprintf(stderr, "bench_velocity_table: %s\n",
                sf_context_message(t.ctx));
    sf_program_free(t.program);
    sf_context_free(t.ctx);
    return status == SF_OK ? 0 : 1;
}
