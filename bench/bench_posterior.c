/* SPDX-License-Identifier: Apache-2.0 */
/* bench_posterior.c - the posterior mean of 10^4 queries over 5 x 10^4 points in
 * single precision, Gaussian noise: the exact denoiser of a data set. */
#include "bench.h"

#include "base/random.h"
#include "num/posterior.h"

enum { POINTS = 50000, QUERIES = 10000 };

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

static int run(const bench_args *args, const char *name, int64_t d)
{
    sf_context *ctx = NULL;
    if (sf_context_new(&ctx, NULL) != SF_OK)
        return 1;
    const size_t count = (size_t)((POINTS + 2 * QUERIES) * d + QUERIES);
    double *data = sfi_alloc(ctx, count, sizeof *data);
    sf_status status = SF_E_NOMEM;
    task t = {.scale = 1.0 / (0.5 * 0.5)};
    if (data != NULL)
        status = sf_context_set_threads(ctx, args->threads);
    if (status == SF_OK) {
        double *queries = data + POINTS * d;
        fill(data, POINTS, d, 0);
        fill(queries, QUERIES, d, 1);
        t.queries = (sf_cmat){queries, QUERIES, d, d};
        t.want.mean = (sf_mat){queries + QUERIES * d, QUERIES, d, d};
        t.want.lse = queries + 2 * QUERIES * d;
        status = sfi_posterior_new(ctx, &t.posterior, SF_F32,
                                   (sf_cmat){data, POINTS, d, d}, NULL, NULL);
    }
    if (status == SF_OK) {
        const bench_rate rate = bench_windows(args, measure, &t);
        bench_print(name, "reductions_per_s", rate, 1.0,
                    4.0 * (double)d * POINTS * QUERIES);
    } else {
        fprintf(stderr, "bench_posterior: %s\n", sf_context_message(ctx));
    }
    sfi_posterior_free(t.posterior);
    sfi_free(ctx, data, count, sizeof *data);
    sf_context_free(ctx);
    return status == SF_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    bench_args args;
    if (!bench_arguments(argc, argv, &args))
        return 2;
    static const struct {
        const char *name;
        int64_t d;
    } cases[] = {{"posterior_d2", 2}, {"posterior_d16", 16}};
    for (size_t i = 0; i < SFI_COUNT(cases); i++)
        if (bench_wanted(&args, cases[i].name) &&
            run(&args, cases[i].name, cases[i].d) != 0)
            return 1;
    return 0;
}
