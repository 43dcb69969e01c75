/* SPDX-License-Identifier: Apache-2.0 */
/* bench_chains.c - Markov chains of densities typed as text; the cases of
 * bench/README.md.
 *
 *   nuts_gauss100_cC   effective samples a second of C chains of a Gaussian of
 *   nuts_logistic_cC   100 numbers, and of a logistic regression; C: 4, 16, 64
 *   ula_d2_f32, ...     steps of a chain a second, unadjusted Langevin dynamics of 2
 *                      and 100 numbers, in float and in double
 *   first_draw         first draws of such a Gaussian a second, from its text on
 *
 * A figure of effective samples is the mean over runs of the smallest bulk ESS
 * over numbers, over the seconds of a run.  Chains go on at their own pace, so
 * those seconds are the ones of the whole run times the share of gradients that
 * were not of the warm-up: one gradient takes as long as another. */
#include "bench.h"

#include "base/context.h"
#include "scorefield/density.h"
#include "scorefield/diagnose.h"
#include "scorefield/sample.h"

#include <math.h>

enum {
    GAUSS = 100,
    ROWS = 1000,
    COLUMNS = 24,
    WARMUP = 1000,
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

/* The inverse of the covariance 0.8^|i - j|, as a full matrix [d, d]. */
static double *precision(int64_t d)
{
    const double r = 0.8, scale = 1.0 / (1.0 - r * r);
    double *p = space((size_t)(d * d));
    for (int64_t i = 0; i < d; i++) {
        p[i * d + i] = scale * (i == 0 || i == d - 1 ? 1.0 : 1.0 + r * r);
        if (i + 1 < d)
            p[i * d + i + 1] = p[(i + 1) * d + i] = -scale * r;
    }
    return p;
}

static sf_model *gauss(sf_context *ctx, int64_t d)
{
    double *p = precision(d);
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

/* ---- effective samples ---------------------------------------------------------- */

typedef struct outcome {
    double ess, seconds, seconds_all, gradients;
} outcome;

static outcome run_nuts(sf_context *ctx, const sf_model *density,
                        int64_t chains, uint64_t seed)
{
    sf_functional f;
    sf_evaluator *owner = NULL;
    must(ctx, sf_model_functional(ctx, &owner, &f, density, 0.0));
    sf_chain_options o = SF_CHAIN_OPTIONS_INIT;
    o.warmup = WARMUP;
    o.draws = DRAWS;
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
    const sf_draws draws = {x, chains, DRAWS, f.unknowns, f.unknowns};
    must(ctx, sf_diagnose(ctx, &draws, d));
    for (int64_t j = 0; j < f.unknowns; j++)
        out.ess = fmin(out.ess, d[j].ess_bulk);
    double warmup = 0.0;
    for (int64_t c = 0; c < chains; c++) {
        out.gradients += (double)report[c].gradients;
        warmup += (double)report[c].gradients_warmup;
    }
    out.seconds = out.seconds_all * out.gradients / (out.gradients + warmup);
    free(x);
    free(report);
    free(d);
    sf_evaluator_free(owner);
    return out;
}

static void bench_nuts(const bench_args *args, const char *name,
                       const sf_model *density, sf_context *ctx, int64_t chains)
{
    double rate[MAX_RUNS], all[MAX_RUNS], gradients[MAX_RUNS], ess = 0.0;
    int count = 0;
    const double start = bench_clock();
    while (count < MAX_RUNS &&
           (count < 1 || bench_clock() - start < args->seconds)) {
        const outcome o = run_nuts(ctx, density, chains, (uint64_t)(count + 1));
        rate[count] = 1.0 / o.seconds;
        all[count] = 1.0 / o.seconds_all;
        gradients[count] = o.gradients / o.seconds;
        ess += o.ess;
        count++;
    }
    ess /= count;
    const bench_rate r = bench_summarise(rate, count);
    const bench_rate a = bench_summarise(all, count);
    const bench_rate g = bench_summarise(gradients, count);
    printf("{\"name\": \"%s\", \"ess_per_s\": %.6g, \"ess\": %.6g, "
           "\"gradients_per_s\": %.6g, "
           "\"rate\": {\"best\": %.6g, \"median\": %.6g}, "
           "\"with_warmup\": {\"best\": %.6g, \"median\": %.6g}}\n",
           name, ess * r.median, ess, g.median, ess * r.best, ess * r.median,
           ess * a.best, ess * a.median);
    fflush(stdout);
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
    sf_model *density = gauss(ctx, dim);
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
    sf_model *density = gauss(ctx, GAUSS);
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
    static const int64_t chains[] = {4, 16, 64};
    for (size_t i = 0; i < 2 * SFI_COUNT(chains); i++) {
        const bool normal = i < SFI_COUNT(chains);
        const int64_t c = chains[i % SFI_COUNT(chains)];
        char name[32];
        snprintf(name, sizeof name, "nuts_%s_c%d",
                 normal ? "gauss100" : "logistic", (int)c);
        if (!bench_wanted(&args, name))
            continue;
        sf_model *density = normal ? gauss(ctx, GAUSS) : logistic(ctx);
        bench_nuts(&args, name, density, ctx, c);
        sf_model_free(density);
    }
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
