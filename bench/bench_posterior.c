/* SPDX-License-Identifier: Apache-2.0 */
/* bench_posterior.c - queries a second of the posterior reduction.
 *
 *   posterior_*  the mean and the log density of 10^4 queries over 5 x 10^4
 *                points in single precision, Gaussian noise of sd 1/2 on normal
 *                data (sqrt(784)/8 at 784 columns, where 512 queries are
 *                measured): the exact denoiser of a data set
 *   density_d16  the log density alone
 *   own_*        the log density of 10^4 points of n under the other ones, to
 *                10^-4, at the width n^(-1/(d + 4)) that a rule of thumb gives:
 *                what it takes to choose a width
 *   exp_f32      vectorised exponentials a second, what no reduction can do
 *                without */
#include "bench.h"

#include "base/random.h"
#include "num/loops.h"
#include "num/posterior.h"

#include <math.h>

typedef struct bench_case {
    const char *name;
    int64_t n, m, d;
    double width;
    bool mean, own;
} bench_case;

enum { POINTS = 50000, QUERIES = 10000 };

static const bench_case cases[] = {
    {"posterior_d2", POINTS, QUERIES, 2, 0.5, true, false},
    {"posterior_d16", POINTS, QUERIES, 16, 0.5, true, false},
    {"posterior_d784", POINTS, 512, 784, 3.5, true, false},
    {"density_d16", POINTS, QUERIES, 16, 0.5, false, false},
    {"own_d2_1e4", 10000, QUERIES, 2, 0.0, false, true},
    {"own_d2_1e5", 100000, QUERIES, 2, 0.0, false, true},
    {"own_d2_1e6", 1000000, QUERIES, 2, 0.0, false, true},
    {"own_d3_1e4", 10000, QUERIES, 3, 0.0, false, true},
    {"own_d3_1e5", 100000, QUERIES, 3, 0.0, false, true},
    {"own_d3_1e6", 1000000, QUERIES, 3, 0.0, false, true},
};

typedef struct task {
    sfi_posterior *posterior;
    sf_cmat queries;
    sfi_posterior_want want;
    double scale;
} task;

static void measure(void *user)
{
    const task *t = user;
    sfi_posterior_run(t->posterior, t->queries, t->scale, SFI_DISTANCE,
                      &t->want);
}

static void fill(double *x, int64_t rows, int64_t d, uint32_t step)
{
    for (int64_t i = 0; i < rows; i++) {
        const sfi_where where = {1, (uint64_t)i, step, SFI_STREAM_USER};
        for (int64_t k = 0; k < d; k++)
            x[i * d + k] = sfi_normal_at(where, (uint32_t)k);
    }
}

/* Of a query: logits and sums of a pair take 2 d each, or the logit alone. */
static double operations(const bench_case *c)
{
    return (c->mean ? 4.0 : 2.0) * (double)(c->n * c->d);
}

static int run(const bench_args *args, const bench_case *c)
{
    sf_context *ctx = NULL;
    if (sf_context_new(&ctx, NULL) != SF_OK)
        return 1;
    const int64_t n = c->n, m = c->m, d = c->d;
    const size_t count = (size_t)((n + 2 * m) * d + m);
    double *data = sfi_alloc(ctx, count, sizeof *data);
    int64_t *own = sfi_alloc(ctx, (size_t)m, sizeof *own);
    sf_status status = SF_E_NOMEM;
    const double rule = pow((double)n, -1.0 / (double)(d + 4));
    const double width = c->own ? rule : c->width;
    task t = {.scale = 1.0 / (width * width)};
    if (data != NULL && own != NULL)
        status = sf_context_set_threads(ctx, args->threads);
    if (status == SF_OK) {
        double *queries = data + n * d;
        fill(data, n, d, 0);
        fill(queries, m, d, c->own ? 0 : 1); /* the first points themselves */
        for (int64_t i = 0; i < m; i++)
            own[i] = i;
        t.queries = (sf_cmat){queries, m, d, d};
        if (c->mean)
            t.want.mean = (sf_mat){queries + m * d, m, d, d};
        t.want.lse = queries + 2 * m * d;
        t.want.exclude = c->own ? own : NULL;
        t.want.tolerance = c->own ? 1e-4 : 0.0;
        status = sfi_posterior_new(ctx, &t.posterior, SF_F32,
                                   (sf_cmat){data, n, d, d}, NULL, NULL);
    }
    if (status == SF_OK) {
        const bench_rate rate = bench_windows(args, measure, &t);
        bench_print(c->name, "queries_per_s", rate, (double)m,
                    c->own ? 0.0 : operations(c));
    } else {
        fprintf(stderr, "bench_posterior: %s\n", sf_context_message(ctx));
    }
    sfi_posterior_free(t.posterior);
    sfi_free(ctx, data, count, sizeof *data);
    sfi_free(ctx, own, (size_t)m, sizeof *own);
    sf_context_free(ctx);
    return status == SF_OK ? 0 : 1;
}

/* Rows that stay in the first cache, one for each thread. */
enum { ROW = 1024, ROUNDS = 1000 };

static void exponentials(void *user)
{
    const int threads = *(const int *)user;
    const sfi_ew_loop loop = sfi_loops_for(SF_F32)->ew[SFI_EW_EXP][0];
#pragma omp parallel num_threads(threads)
    {
        _Alignas(64) float x[ROW], y[ROW];
        for (int i = 0; i < ROW; i++)
            x[i] = -0.01F * (float)i;
        for (int k = 0; k < ROUNDS; k++)
            loop(y, x, NULL, NULL, ROW);
    }
}

int main(int argc, char **argv)
{
    bench_args args;
    if (!bench_arguments(argc, argv, &args))
        return 2;
    for (size_t i = 0; i < SFI_COUNT(cases); i++)
        if (bench_wanted(&args, cases[i].name) && run(&args, &cases[i]) != 0)
            return 1;
    if (bench_wanted(&args, "exp_f32")) {
        const bench_rate rate =
            bench_windows(&args, exponentials, &args.threads);
        bench_print("exp_f32", "numbers_per_s", rate,
                    (double)args.threads * ROW * ROUNDS, 0.0);
    }
    return 0;
}
