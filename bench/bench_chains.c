/* SPDX-License-Identifier: Apache-2.0 */
/* bench_chains.c - Markov chains of densities typed as text; the cases of
 * bench/README.md.
 *
 *   nuts_MODEL_cC      effective samples a second of C chains of one of `targets`, with
 *                      everything by default, for C of 4, and for some 16 and 64;
 *   ..._METRIC         likewise with a metric of this kind
 *   ula_d2_f32, ...    steps of a chain a second, unadjusted Langevin dynamics of 2
 *                      and 100 numbers, in float and in double
 *   first_draw         first draws of such a Gaussian a second, from its text on
 *
 * A figure of effective samples is the mean over runs of the smallest bulk ESS
 * over numbers, over the seconds of a run.  Chains go on at their own pace, so
 * those seconds are the ones of the whole run times the share of gradients that
 * were not of the warm-up: one gradient takes as long as another. */
#include "bench.h"

#include "base/context.h"
#include "num/linalg.h"
#include "scorefield/density.h"
#include "scorefield/diagnose.h"
#include "scorefield/sample.h"

#include <math.h>

enum {
    GAUSS = 100,
    ROWS = 1000,
    COLUMNS = 24,
    STIFF = 10,
    DRAWS = 1000,
    WALKERS = 10000,
    STEPS = 160,
    MAX_RUNS = 64
};

static void must(const sf_context *ctx, sf_status status)
{
    if (status == SF_OK)
        return;
    fprintf(stderr, "bench_chains: %s\n",
            ctx != NULL ? sf_context_message(ctx) : "no memory");
    exit(1);
}

static void *space(size_t count)
{
    void *p = calloc(count, sizeof(double));
    must(NULL, p != NULL ? SF_OK : SF_E_NOMEM);
    return p;
}

/* ---- densities ------------------------------------------------------------------ */

/* The inverse of the covariance r^|i - j|, as a full matrix [d, d]. */
static double *precision(int64_t d, double r)
{
    const double scale = 1.0 / (1.0 - r * r);
    double *p = space((size_t)(d * d));
    for (int64_t i = 0; i < d; i++) {
        p[i * d + i] = scale * (i == 0 || i == d - 1 ? 1.0 : 1.0 + r * r);
        if (i + 1 < d)
            p[i * d + i + 1] = p[(i + 1) * d + i] = -scale * r;
    }
    return p;
}

static sf_model *gauss(sf_context *ctx, int64_t d, double r)
{
    double *p = precision(d, r);
    const sf_parameter parameter = {"P", 2, {d, d}, p};
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    o.parameter_count = 1;
    o.parameters = &parameter;
    sf_model *density;
    must(ctx, sf_density_new(ctx, &density, "-0.5*x*P*x", d, &o));
    free(p);
    return density;
}

/* S. K. Park, K. W. Miller, CACM 31 (1988) 1192-1201, and pairs by Box and Muller:
 * numbers that a peer in any language can draw as well. */
typedef struct park_miller {
    uint64_t state;
} park_miller;

static double uniform(park_miller *g)
{
    g->state = g->state * 16807 % 2147483647;
    return (double)g->state / 2147483647.0;
}

static double normal(park_miller *g)
{
    const double r = sqrt(-2.0 * log(uniform(g)));
    return r * cos(6.283185307179586 * uniform(g));
}

/* Coefficients N(0, 1); a constant and 23 normal columns, outcomes by coefficients
 * of sd 0.3: the shape of the German credit data. */
static sf_model *logistic(sf_context *ctx)
{
    park_miller g = {1};
    double b[COLUMNS], *x = space(ROWS * COLUMNS), *y = space(ROWS);
    for (int j = 0; j < COLUMNS; j++)
        b[j] = 0.3 * normal(&g);
    for (int i = 0; i < ROWS; i++) {
        double logit = 0.0;
        for (int j = 0; j < COLUMNS; j++) {
            x[i * COLUMNS + j] = j == 0 ? 1.0 : normal(&g);
            logit += x[i * COLUMNS + j] * b[j];
        }
        y[i] = uniform(&g) < 1.0 / (1.0 + exp(-logit)) ? 1.0 : 0.0;
    }
    const sf_parameter parameters[] = {{"X", 2, {ROWS, COLUMNS}, x},
                                       {"y", 1, {ROWS}, y}};
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    o.parameter_count = 2;
    o.parameters = parameters;
    sf_model *density;
    must(ctx,
         sf_density_new(ctx, &density, "y*(X*x) - sum(softplus(X*x)) - 0.5*x*x",
                        COLUMNS, &o));
    free(x);
    free(y);
    return density;
}

/* STIFF directions of deviation 0.01 among d numbers of 1. */
static sf_model *stiff(sf_context *ctx)
{
    enum { D = 1000 };
    park_miller g = {1};
    double *u = space(STIFF * D);
    for (int i = 0; i < STIFF; i++) {
        double *row = u + i * D;
        for (int j = 0; j < D; j++)
            row[j] = normal(&g);
        for (int k = 0; k < i; k++) {
            const double part = sfi_dot(row, u + k * D, D);
            for (int j = 0; j < D; j++)
                row[j] -= part * u[k * D + j];
        }
        const double norm = sfi_norm(row, D);
        for (int j = 0; j < D; j++)
            row[j] /= norm;
    }
    const sf_parameter parameter = {"U", 2, {STIFF, D}, u};
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    o.parameter_count = 1;
    o.parameters = &parameter;
    sf_model *density;
    must(ctx, sf_density_new(ctx, &density, "-0.5*x*x - 4999.5*sum((U*x)^2)", D,
                             &o));
    free(u);
    return density;
}

/* tests/sample/test_posteriors.c has it with its source. */
static sf_model *schools(sf_context *ctx)
{
    const double y[] = {0, 0, 28, 8, -3, 7, -1, 1, 18, 12};
    const double s[] = {0, 0, 15, 10, 16, 11, 9, 11, 10, 18};
    double w[10] = {0};
    for (int j = 2; j < 10; j++)
        w[j] = 1.0 / (s[j] * s[j]);
    const sf_parameter parameters[] = {{"y", 1, {10}, y}, {"w", 1, {10}, w}};
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    o.domain = "x1=positive";
    o.parameter_count = 2;
    o.parameters = parameters;
    sf_model *density;
    must(ctx, sf_density_new(ctx, &density,
                             "-x0^2/50 - log(1 + x1^2/25)"
                             " - 0.5*(x*x - x0^2 - x1^2)"
                             " - 0.5*w*(x0 + x1*x - y)^2",
                             10, &o));
    return density;
}

/* v ~ N(0, 9) and nine numbers exp(v/2) z, by z. */
static sf_model *funnel(sf_context *ctx)
{
    sf_model *density;
    must(ctx, sf_density_new(ctx, &density, "-x0^2/18 - 0.5*(x*x - x0^2)", 10,
                             NULL));
    return density;
}

static sf_model *gauss100(sf_context *ctx)
{
    return gauss(ctx, GAUSS, 0.8);
}

/* x[i] = 0.9 x[i - 1] + noise, of variance 1, number by number. */
static sf_model *ar500(sf_context *ctx)
{
    enum { D = 500, TERM = 48 };
    static char text[D * TERM];
    int at = snprintf(text, sizeof text, "-0.5*(x0^2 + (");
    for (int i = 1; i < D; i++)
        at += snprintf(text + at, sizeof text - (size_t)at,
                       "%s(x%d - 0.9*x%d)^2", i > 1 ? " + " : "", i, i - 1);
    snprintf(text + at, sizeof text - (size_t)at, ")/0.19)");
    sf_model *density;
    must(ctx, sf_density_new(ctx, &density, text, D, NULL));
    return density;
}

typedef struct target {
    const char *name;
    sf_model *(*make)(sf_context *ctx);
} target;

static const target targets[] = {{"gauss100", gauss100}, {"logistic", logistic},
                                 {"schools", schools},   {"funnel", funnel},
                                 {"stiff1000", stiff},   {"ar500", ar500}};

/* ---- effective samples ---------------------------------------------------------- */

typedef struct outcome {
    double ess, rhat, seconds, seconds_all, gradients, warmup, rank;
} outcome;

static outcome run_nuts(sf_context *ctx, const sf_model *density,
                        int64_t chains, sf_metric metric, uint64_t seed)
{
    sf_functional f;
    sf_evaluator *owner = NULL;
    must(ctx, sf_model_functional(ctx, &owner, &f, density, 0.0));
    sf_chain_options o = SF_CHAIN_OPTIONS_INIT;
    o.draws = DRAWS;
    o.metric = metric;
    o.seed = seed;
    double *x = space((size_t)(chains * DRAWS * f.unknowns));
    sf_chain_report *report = calloc((size_t)chains, sizeof *report);
    sf_diagnosis *d = calloc((size_t)f.unknowns, sizeof *d);
    if (report == NULL || d == NULL)
        exit(1);
    const sf_chain_draws to = {.x = x, .report = report};
    const double begin = bench_clock();
    must(ctx, sf_chains_run(ctx, &f, chains, NULL, &o, &to));
    outcome out = {.ess = INFINITY, .seconds_all = bench_clock() - begin};
    const sf_draws draws = {x, chains, DRAWS, f.unknowns, f.unknowns, NULL};
    must(ctx, sf_diagnose(ctx, &draws, d));
    for (int64_t j = 0; j < f.unknowns; j++) {
        out.ess = fmin(out.ess, d[j].ess_bulk);
        out.rhat = fmax(out.rhat, d[j].rhat);
    }
    for (int64_t c = 0; c < chains; c++) {
        out.gradients += (double)report[c].gradients;
        out.warmup += (double)report[c].gradients_warmup;
        out.rank += (double)report[c].rank / (double)chains;
    }
    out.seconds =
        out.seconds_all * out.gradients / (out.gradients + out.warmup);
    free(x);
    free(report);
    free(d);
    sf_evaluator_free(owner);
    return out;
}

static void print_nuts(const char *name, const outcome *run, int count)
{
    double rate[MAX_RUNS], all[MAX_RUNS], gradients[MAX_RUNS];
    outcome mean = {0};
    for (int i = 0; i < count; i++) {
        rate[i] = 1.0 / run[i].seconds;
        all[i] = 1.0 / run[i].seconds_all;
        gradients[i] = run[i].gradients / run[i].seconds;
        mean.ess += run[i].ess / count;
        mean.gradients += run[i].gradients / count;
        mean.warmup += run[i].warmup / count;
        mean.rank += run[i].rank / count;
        mean.rhat = fmax(mean.rhat, run[i].rhat);
    }
    const bench_rate r = bench_summarise(rate, count);
    const bench_rate a = bench_summarise(all, count);
    const bench_rate g = bench_summarise(gradients, count);
    printf("{\"name\": \"%s\", \"ess_per_s\": %.6g, \"ess\": %.6g, "
           "\"ess_per_gradient\": %.4g, \"gradients_warmup\": %.6g, "
           "\"rank\": %.4g, \"rhat\": %.5g, \"gradients_per_s\": %.6g, "
           "\"rate\": {\"best\": %.6g, \"median\": %.6g}, "
           "\"with_warmup\": {\"best\": %.6g, \"median\": %.6g}}\n",
           name, mean.ess * r.median, mean.ess, mean.ess / mean.gradients,
           mean.warmup, mean.rank, mean.rhat, g.median, mean.ess * r.best,
           mean.ess * r.median, mean.ess * a.best, mean.ess * a.median);
    fflush(stdout);
}

static void bench_nuts(const bench_args *args, const char *name,
                       const sf_model *density, sf_context *ctx, int64_t chains,
                       sf_metric metric)
{
    outcome run[MAX_RUNS];
    int count = 0;
    const double start = bench_clock();
    while (count < MAX_RUNS &&
           (count < 1 || bench_clock() - start < args->seconds)) {
        run[count] =
            run_nuts(ctx, density, chains, metric, (uint64_t)(count + 1));
        count++;
    }
    print_nuts(name, run, count);
}

/* All cases of a model. */
static void bench_model(const bench_args *args, const target *m,
                        sf_context *ctx)
{
    static const int64_t chains[] = {4, 16, 64};
    static const char *const metrics[] = {"", "_diagonal", "_low_rank",
                                          "_dense", "_unit"};
    sf_model *density = NULL;
    for (size_t i = 0; i < SFI_COUNT(chains); i++)
        for (size_t k = 0; k < SFI_COUNT(metrics); k++) {
            char name[64];
            snprintf(name, sizeof name, "nuts_%s_c%d%s", m->name,
                     (int)chains[i], metrics[k]);
            if (!bench_wanted(args, name))
                continue;
            if (density == NULL)
                density = m->make(ctx);
            bench_nuts(args, name, density, ctx, chains[i],
                       (sf_metric)((size_t)SF_METRIC_AUTO + k));
        }
    sf_model_free(density);
}

/* ---- Langevin dynamics ---------------------------------------------------------- */

typedef struct walk {
    sf_context *ctx;
    sf_langevin *plan;
    int64_t dim;
    double *x;
} walk;

static void move(void *user)
{
    const walk *w = user;
    must(w->ctx, sf_langevin_advance(
                     w->plan, (sf_mat){w->x, WALKERS, w->dim, w->dim}, STEPS));
}

static void bench_ula(const bench_args *args, const char *name, sf_context *ctx,
                      int64_t dim, sf_dtype dtype)
{
    walk w = {.ctx = ctx, .dim = dim};
    sf_langevin_options o = SF_LANGEVIN_OPTIONS_INIT;
    o.step = 0.05;
    o.dtype = dtype;
    sf_model *density = gauss(ctx, dim, 0.8);
    sf_functional f;
    sf_evaluator *owner = NULL;
    must(ctx, sf_model_functional(ctx, &owner, &f, density, 0.0));
    must(ctx, sf_langevin_new(ctx, &w.plan, &f, WALKERS, &o));
    w.x = space((size_t)(WALKERS * dim));
    const bench_rate rate = bench_windows(args, move, &w);
    /* At two numbers nobody counts products. */
    bench_print(name, "chain_steps_per_s", rate, (double)WALKERS * STEPS,
                dim > 2 ? 2.0 * (double)(dim * dim) : 0.0);
    sf_langevin_free(w.plan);
    sf_evaluator_free(owner);
    sf_model_free(density);
    free(w.x);
}

/* ---- from text to a draw -------------------------------------------------------- */

static void first_draw(void *user)
{
    sf_context *ctx = user;
    sf_model *density = gauss(ctx, GAUSS, 0.8);
    sf_functional f;
    sf_evaluator *owner = NULL;
    must(ctx, sf_model_functional(ctx, &owner, &f, density, 0.0));
    sf_chain_options o = SF_CHAIN_OPTIONS_INIT;
    o.warmup = 0;
    o.draws = 1;
    double x[GAUSS];
    const sf_chain_draws to = {.x = x};
    must(ctx, sf_chains_run(ctx, &f, 1, NULL, &o, &to));
    sf_evaluator_free(owner);
    sf_model_free(density);
}

int main(int argc, char **argv)
{
    bench_args args;
    if (!bench_arguments(argc, argv, &args))
        return 2;
    sf_context *ctx = NULL;
    must(NULL, sf_context_new(&ctx, NULL));
    must(ctx, sf_context_set_threads(ctx, args.threads));
    for (size_t i = 0; i < SFI_COUNT(targets); i++)
        bench_model(&args, &targets[i], ctx);
    if (bench_wanted(&args, "ula_d2_f32"))
        bench_ula(&args, "ula_d2_f32", ctx, 2, SF_F32);
    if (bench_wanted(&args, "ula_d2_f64"))
        bench_ula(&args, "ula_d2_f64", ctx, 2, SF_F64);
    if (bench_wanted(&args, "ula_d100_f32"))
        bench_ula(&args, "ula_d100_f32", ctx, 100, SF_F32);
    if (bench_wanted(&args, "ula_d100_f64"))
        bench_ula(&args, "ula_d100_f64", ctx, 100, SF_F64);
    if (bench_wanted(&args, "first_draw"))
        bench_print("first_draw", "draws_per_s",
                    bench_windows(&args, first_draw, ctx), 1.0, 0.0);
    sf_context_free(ctx);
    return 0;
}
