/* SPDX-License-Identifier: Apache-2.0 */
/* bench_matching.c - score matching of a normal law with free mean and symmetric
 * precision, d numbers and 10^5 rows, in tables a second:
 *
 *     pass_dD      the products that the Hessian is made of
 *     slope_dD     the objective and its gradient
 *     estimate_dD  both, and the linear system of d (d + 3) / 2 numbers
 *     dsyrk_dD     BLAS, one thread: x'x of the same rows, one triangle
 *
 *     build/bench_matching [--seconds S] [--threads N] [CASE...]
 *
 * peers/numpy_matching.py is the peer of estimate_dD.  The operations counted are
 * those of one triangle of x'x. */
#include "bench.h"

#include "base/random.h"
#include "fit/matching.h"
#include "num/linalg.h"

enum { ROWS = 100000, MOST = 100 };

typedef struct task {
    sfi_match m;
    sf_cmat x;
    double *h, *slope, *zero;
    sf_status status;
} task;

static void keep(task *t, sf_status status)
{
    t->status = t->status == SF_OK ? status : t->status;
}

static void pass(void *user)
{
    task *t = user;
    keep(t, sfi_match_take_design(&t->m));
}

static void slope(void *user)
{
    task *t = user;
    double value;
    keep(t, sfi_match_slope(&t->m, t->zero, &value, t->slope));
}

static void estimate(void *user)
{
    task *t = user;
    const int64_t n = t->m.count;
    double value;
    pass(t);
    keep(t, sfi_match_first(&t->m, &value, t->slope));
    sfi_design_hessian(t->m.design, t->h);
    keep(t, sfi_cholesky(t->m.ctx, t->h, t->h, n, "Hessian", NULL));
    if (t->status == SF_OK)
        sfi_cholesky_solve(t->h, n, (sf_mat){t->slope, 1, n, n});
}

static void dsyrk(void *user)
{
    task *t = user;
    memset(t->h, 0, (size_t)(t->x.cols * t->x.cols) * sizeof *t->h);
    sfi_add_products(t->h, t->x.cols, t->x);
}

static sf_status prepare(sf_context *ctx, task *t, sf_model **density)
{
    static const double values[MOST * MOST] = {1.0};
    const int64_t d = t->x.cols, numbers = d * (d + 3) / 2;
    const sf_parameter parameters[] = {{"K", 2, {d, d}, values},
                                       {"b", 1, {d}, values}};
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    o.parameter_count = 2;
    o.parameters = parameters;
    t->h = sfi_alloc(ctx, (size_t)(numbers * numbers), sizeof *t->h);
    t->slope = sfi_alloc(ctx, (size_t)numbers, sizeof *t->slope);
    t->zero = sfi_alloc_zero(ctx, (size_t)numbers, sizeof *t->zero);
    if (t->h == NULL || t->slope == NULL || t->zero == NULL)
        return SF_E_NOMEM;
    SFI_TRY(sf_density_new(ctx, density, "-0.5*x*K*x + b*x", d, &o));
    t->m = (sfi_match){.ctx = ctx, .model = *density};
    return sfi_match_begin(&t->m, "K=symmetric; b", t->x);
}

static void measure(const bench_args *args, task *t)
{
    static const struct {
        const char *name;
        void (*work)(void *user);
    } cases[] = {{"dsyrk", dsyrk},
                 {"pass", pass},
                 {"slope", slope},
                 {"estimate", estimate}};
    const double d = (double)t->x.cols;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        char name[64];
        snprintf(name, sizeof name, "%s_d%d", cases[k].name, (int)t->x.cols);
        if (!bench_wanted(args, name) || t->status != SF_OK)
            continue;
        const bench_rate rate = bench_windows(args, cases[k].work, t);
        if (t->status == SF_OK)
            bench_print(name, "tables_per_s", rate, 1.0, ROWS * d * (d + 1));
    }
}

int main(int argc, char **argv)
{
    static const int64_t dims[] = {20, 50, 100};
    bench_args args;
    if (!bench_arguments(argc, argv, &args))
        return 2;
    sf_context *ctx = NULL;
    if (sf_context_new(&ctx, NULL) != SF_OK)
        return 1;
    sf_status status = sf_context_set_threads(ctx, args.threads);
    for (size_t k = 0; k < SFI_COUNT(dims) && status == SF_OK; k++) {
        const size_t cells = (size_t)(ROWS * dims[k]);
        const int64_t numbers = dims[k] * (dims[k] + 3) / 2;
        sf_model *density = NULL;
        double *x = sfi_alloc(ctx, cells, sizeof *x);
        task t = {.x = {x, ROWS, dims[k], dims[k]}, .status = SF_E_NOMEM};
        for (size_t i = 0; i < cells && x != NULL; i++)
            x[i] = sfi_normal_at((sfi_where){1, i, 0, SFI_STREAM_USER}, 0);
        if (x != NULL)
            t.status = prepare(ctx, &t, &density);
        if (t.status == SF_OK)
            measure(&args, &t);
        status = t.status;
        if (t.m.ctx != NULL)
            sfi_match_end(&t.m);
        sf_model_free(density);
        sfi_free(ctx, t.zero, (size_t)numbers, sizeof *t.zero);
        sfi_free(ctx, t.slope, (size_t)numbers, sizeof *t.slope);
        sfi_free(ctx, t.h, (size_t)(numbers * numbers), sizeof *t.h);
        sfi_free(ctx, x, cells, sizeof *x);
    }
    if (status != SF_OK)
        fprintf(stderr, "bench_matching: %s\n", sf_context_message(ctx));
    sf_context_free(ctx);
    return status == SF_OK ? 0 : 1;
}
