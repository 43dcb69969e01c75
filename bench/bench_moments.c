/* SPDX-License-Identifier: Apache-2.0 */
/* bench_moments.c - mean and covariance of a table of 10^6 rows and 32
 * columns of doubles: tables a second.  peers/numpy_moments.py is the peer.
 *
 *     build/bench_moments [--seconds S] [--threads N] [moments_1e6x32]
 *
 * The operations counted are those of one triangle of the covariance. */
#include "bench.h"

#include "base/random.h"
#include "num/moments.h"

enum { ROWS = 1000000, COLS = 32 };

typedef struct task {
    sfi_moments *moments;
    sf_cmat rows;
    double *covariance;
    sf_status status;
} task;

static void measure(void *user)
{
    task *t = user;
    sfi_moments_clear(t->moments);
    t->status = sfi_moments_add(t->moments, t->rows, NULL);
    if (t->status == SF_OK)
        t->status =
            sfi_moments_covariance(t->moments, t->covariance, SFI_SAMPLE);
}

int main(int argc, char **argv)
{
    const char *name = "moments_1e6x32";
    bench_args args;
    if (!bench_arguments(argc, argv, &args))
        return 2;
    if (!bench_wanted(&args, name))
        return 0;
    sf_context *ctx = NULL;
    if (sf_context_new(&ctx, NULL) != SF_OK)
        return 1;
    const size_t count = (size_t)ROWS * COLS;
    double *x = sfi_alloc(ctx, count, sizeof *x);
    double *covariance = sfi_alloc(ctx, COLS * COLS, sizeof *covariance);
    task t = {.covariance = covariance, .status = SF_E_NOMEM};
    if (x != NULL && covariance != NULL)
        t.status = sf_context_set_threads(ctx, args.threads);
    if (t.status == SF_OK)
        t.status = sfi_moments_new(ctx, &t.moments, COLS);
    if (t.status == SF_OK) {
        for (size_t i = 0; i < count; i++) {
            const sfi_where where = {1, i, 0, SFI_STREAM_USER};
            x[i] = 5.0 + sfi_uniform_at(where, 0);
        }
        t.rows = (sf_cmat){x, ROWS, COLS, COLS};
        const bench_rate rate = bench_windows(&args, measure, &t);
        if (t.status == SF_OK)
            bench_print(name, "tables_per_s", rate, 1.0,
                        (double)ROWS * COLS * (COLS + 1));
    }
    if (t.status != SF_OK)
        fprintf(stderr, "bench_moments: %s\n", sf_context_message(ctx));
    sfi_moments_free(t.moments);
    sfi_free(ctx, covariance, COLS * COLS, sizeof *covariance);
    sfi_free(ctx, x, count, sizeof *x);
    sf_context_free(ctx);
    return t.status == SF_OK ? 0 : 1;
}
