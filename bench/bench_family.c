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
 * largest error of the first queries' means beside sums in double. */
#include "bench.h"

#include "base/random.h"
#include "num/posterior.h"

#include <math.h>

enum { POINTS = 50000, QUERIES = 10000, CHECKED = 8 };

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
