/* SPDX-License-Identifier: Apache-2.0 */
/* bench_family.c - queries a second of the posterior reduction under noise of
 * exponential families: the mean of x0 and the log density of 10^4 queries over
 * 5 x 10^4 rows of d independent numbers at t = 1/2, in single precision.
 *
 *   family_gamma_*      shape k = 4 and mean m = (x0 + 1)/2: ln p is, but for what
 *                       is the same for all rows, -(k/m) x - k ln m.  The natural
 *                       parameter of the other statistic, ln x, is k for all rows,
 *                       so that it weighs nothing; x0 itself takes its column,
 *                       and 0 that of the query, and the sums hold the mean of x0
 *   family_vonmises_*   kappa = 3: T = (cos x, sin x), eta = kappa (cos x0, sin x0),
 *                       whose mean is the mean vector of x0
 *
 * Either way the reduction is one of 2 d columns.  A line more for each case has the
 * largest error of the first queries' means beside sums in double.
 *
 * With --threads 1 it has the share of the floor as well: the time that the same
 * multiply-adds take between registers, and the exponentials in the library's own
 * loop, over that of the reduction.  The three take turns and are measured by the
 * time of the processor, which other programs on it lengthen less than they do that
 * of a clock; the share is the median over the turns. */
#include "bench.h"

#include "base/random.h"
#include "floor.h"
#include "num/posterior.h"

#include <math.h>
#include <time.h>

enum { POINTS = 50000, QUERIES = 10000, CHECKED = 8 };

/* Turns, and of each: queries, and seconds of a floor. */
enum { TURNS = 25, SOME = 512 };
static const double turn_seconds = 0.02;

static const double shape = 4.0, kappa = 3.0;

typedef struct tables {
    double *data;    /* [POINTS, 2 d] eta, for gamma x0 after it    */
    double *bias;    /* [POINTS] -A, without what all rows share    */
    double *queries; /* [QUERIES, 2 d] T                            */
    double *mean;    /* [QUERIES, 2 d]                              */
    double *lse;     /* [QUERIES]                                   */
} tables;

/* ---- data and queries -------------------------------------------------------- */

/* The noise of number k of query i is of components 8 k and on. */
static void fill_gamma(const tables *t, int64_t d)
{
    for (int64_t i = 0; i < POINTS; i++) {
        const sfi_where where = {1, (uint64_t)i, 0, SFI_STREAM_USER};
        const sfi_where noise = {1, (uint64_t)i, 1, SFI_STREAM_USER};
        t->bias[i] = 0.0;
        for (int64_t k = 0; k < d; k++) {
            const double x0 = exp(0.5 * sfi_normal_at(where, (uint32_t)k));
            const double m = 0.5 * (x0 + 1.0);
            t->data[i * 2 * d + k] = -shape / m;
            t->data[i * 2 * d + d + k] = x0;
            t->bias[i] -= shape * log(m);
            if (i >= QUERIES)
                continue;
            double sum = 0.0; /* of four exponential numbers: shape 4 */
            for (uint32_t c = 0; c < 4; c++)
                sum -= log(sfi_uniform_at(noise, 8 * (uint32_t)k + c));
            t->queries[i * 2 * d + k] = m * sum / shape;
            t->queries[i * 2 * d + d + k] = 0.0;
        }
    }
}

/* Queries are as far from a row as a normal number of variance 1/kappa says. */
static void fill_vonmises(const tables *t, int64_t d)
{
    const double two_pi = 6.283185307179586;
    for (int64_t i = 0; i < POINTS; i++) {
        const sfi_where where = {1, (uint64_t)i, 0, SFI_STREAM_USER};
        const sfi_where noise = {1, (uint64_t)i, 1, SFI_STREAM_USER};
        t->bias[i] = 0.0;
        for (int64_t k = 0; k < d; k++) {
            const double x0 = two_pi * sfi_uniform_at(where, (uint32_t)k);
            t->data[i * 2 * d + k] = kappa * cos(x0);
            t->data[i * 2 * d + d + k] = kappa * sin(x0);
            if (i >= QUERIES)
                continue;
            const double x =
                x0 + sfi_normal_at(noise, 8 * (uint32_t)k) / sqrt(kappa);
            t->queries[i * 2 * d + k] = cos(x);
            t->queries[i * 2 * d + d + k] = sin(x);
        }
    }
}

static const struct bench_case {
    const char *name;
    int64_t d;
    void (*fill)(const tables *t, int64_t d);
} cases[] = {
    {"family_gamma_d2", 2, fill_gamma},
    {"family_gamma_d16", 16, fill_gamma},
    {"family_vonmises_d2", 2, fill_vonmises},
    {"family_vonmises_d16", 16, fill_vonmises},
};

/* ---- the reduction ------------------------------------------------------------ */

typedef struct task {
    sfi_posterior *posterior;
    sf_cmat queries;
    sfi_posterior_want want;
} task;

static void measure(void *user)
{
    const task *t = user;
    sfi_posterior_run(t->posterior, t->queries, 1.0, SFI_PRODUCT, &t->want);
}

/* The largest error of the means of the first queries, from two passes over the
 * data for each: what the weights are relative to, and the sums. */
static double largest_error(const tables *t, int64_t columns)
{
    double most = 0.0;
    for (int64_t i = 0; i < CHECKED; i++) {
        const double *x = t->queries + i * columns;
        double top = -INFINITY, mass = 0.0, sum[64] = {0.0};
        for (int pass = 0; pass < 2; pass++) {
            for (int64_t j = 0; j < POINTS; j++) {
                const double *y = t->data + j * columns;
                double logit = t->bias[j];
                for (int64_t k = 0; k < columns; k++)
                    logit += x[k] * y[k];
                if (pass == 0) {
                    top = fmax(top, logit);
                    continue;
                }
                const double weight = exp(logit - top);
                mass += weight;
                for (int64_t k = 0; k < columns; k++)
                    sum[k] += weight * y[k];
            }
        }
        for (int64_t k = 0; k < columns; k++)
            most = fmax(most, fabs(t->mean[i * columns + k] - sum[k] / mass));
    }
    return most;
}

/* ---- the floor ------------------------------------------------------------------ */

enum { ROW = 1024 };

static void exponentials(void *state)
{
    static _Alignas(64) float x[ROW];
    for (int i = 0; i < ROW && x[ROW - 1] == 0.0F; i++)
        x[i] = -0.01F * (float)i;
    sfi_loops_for(SF_F32)->ew[SFI_EW_EXP][0](state, x, NULL, NULL, ROW);
}

static double processor_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* Units of work a second of the processor. */
static double floor_rate(const contestant *c)
{
    const double begin = processor_seconds();
    double elapsed = 0.0, units = 0.0;
    while (elapsed < turn_seconds) {
        for (int i = 0; i < 100; i++)
            c->run(c->state);
        units += 100.0 * c->work;
        elapsed = processor_seconds() - begin;
    }
    return units / elapsed;
}

static void print_floor(const char *name, const task *all, int64_t columns)
{
    static _Alignas(64) float sink[ROW];
    const contestant fma = fma_floor(sfi_loops_for(SF_F32));
    const contestant exps = {"exp", exponentials, sink, ROW, 0.0};
    task part = *all;
    part.queries.rows = SOME;
    double flops[TURNS], numbers[TURNS], queries[TURNS], shares[TURNS];
    for (int k = 0; k < TURNS; k++) {
        flops[k] = floor_rate(&fma);
        numbers[k] = floor_rate(&exps);
        const double begin = processor_seconds();
        measure(&part);
        queries[k] = SOME / (processor_seconds() - begin);
        shares[k] = queries[k] * POINTS *
                    (4.0 * (double)columns / flops[k] + 1.0 / numbers[k]);
    }
    const bench_rate f = bench_summarise(flops, TURNS);
    const bench_rate e = bench_summarise(numbers, TURNS);
    const bench_rate q = bench_summarise(queries, TURNS);
    const bench_rate s = bench_summarise(shares, TURNS);
    printf("{\"floor\": \"%s\", \"fma_f32_gflops\": %.4g, "
           "\"exp_f32_g\": %.3g, \"seconds\": %.3g, "
           "\"floor_seconds\": %.3g, \"share\": %.3g}\n",
           name, 1e-9 * f.median, 1e-9 * e.median, QUERIES / q.median,
           QUERIES / q.median * s.median, s.median);
}

static int run(const bench_args *args, const struct bench_case *c)
{
    sf_context *ctx = NULL;
    if (sf_context_new(&ctx, NULL) != SF_OK)
        return 1;
    const int64_t columns = 2 * c->d;
    const size_t count =
        (size_t)((POINTS + 2 * QUERIES) * columns + POINTS + QUERIES);
    double *all = sfi_alloc(ctx, count, sizeof *all);
    sf_status status = SF_E_NOMEM;
    task t = {0};
    if (all != NULL)
        status = sf_context_set_threads(ctx, args->threads);
    if (status == SF_OK) {
        tables at = {.data = all};
        at.bias = at.data + POINTS * columns;
        at.queries = at.bias + POINTS;
        at.mean = at.queries + QUERIES * columns;
        at.lse = at.mean + QUERIES * columns;
        c->fill(&at, c->d);
        t.queries = (sf_cmat){at.queries, QUERIES, columns, columns};
        t.want.mean = (sf_mat){at.mean, QUERIES, columns, columns};
        t.want.lse = at.lse;
        status = sfi_posterior_new(ctx, &t.posterior, SF_F32,
                                   (sf_cmat){at.data, POINTS, columns, columns},
                                   at.bias, NULL);
        if (status == SF_OK) {
            const bench_rate rate = bench_windows(args, measure, &t);
            /* logits and sums, 2 operations a column each */
            bench_print(c->name, "queries_per_s", rate, QUERIES,
                        4.0 * (double)(POINTS * columns));
            printf("{\"check\": \"%s\", \"largest_error\": %.3g}\n", c->name,
                   largest_error(&at, columns));
            if (args->threads == 1)
                print_floor(c->name, &t, columns);
        }
    }
    if (status != SF_OK)
        fprintf(stderr, "bench_family: %s\n", sf_context_message(ctx));
    sfi_posterior_free(t.posterior);
    sfi_free(ctx, all, count, sizeof *all);
    sf_context_free(ctx);
    return status == SF_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    bench_args args;
    if (!bench_arguments(argc, argv, &args))
        return 2;
    for (size_t i = 0; i < SFI_COUNT(cases); i++)
        if (bench_wanted(&args, cases[i].name) && run(&args, &cases[i]) != 0)
            return 1;
    return 0;
}
