/* SPDX-License-Identifier: Apache-2.0 */
/* Mean and covariance of n x d doubles, in milliseconds: the best and the
 * median of REPEATS runs, for one thread and for all.
 *
 *     build/bench_moments [ROWS [COLS]]          [default 1000000 32]
 *
 * bench/moments.py does the same with numpy.cov. */
#include "base/random.h"
#include "num/moments.h"

#include <stdio.h>
#include <stdlib.h>

enum { REPEATS = 11 };

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    const int64_t n = argc > 1 ? atoll(argv[1]) : 1000000;
    const int64_t d = argc > 2 ? atoll(argv[2]) : 32;
    sf_context *ctx = NULL;
    if (sf_context_new(&ctx, NULL) != SF_OK)
        return 1;
    double *x = sfi_alloc(ctx, (size_t)(n * d), sizeof *x);
    double *covariance = sfi_alloc(ctx, (size_t)(d * d), sizeof *covariance);
    sfi_moments *m = NULL;
    if (x == NULL || covariance == NULL ||
        sfi_moments_new(ctx, &m, d) != SF_OK) {
        fprintf(stderr, "bench_moments: %s\n", sf_context_message(ctx));
        return 1;
    }
    for (int64_t i = 0; i < n * d; i++) {
        const sfi_where where = {1, (uint64_t)i, 0, SFI_STREAM_USER};
        x[i] = 5.0 + sfi_uniform_at(where, 0);
    }
    const sf_cmat rows = {x, n, d, d};
    const int all = sf_context_threads(ctx);
    for (int threads = 1; threads <= all;
         threads = threads < all ? all : all + 1) {
        sf_context_set_threads(ctx, threads);
        double times[REPEATS];
        for (int r = 0; r < REPEATS; r++) {
            const double start = sfi_clock();
            sfi_moments_clear(m);
            if (sfi_moments_add(m, rows, NULL) != SF_OK ||
                sfi_moments_covariance(m, covariance, SFI_SAMPLE) != SF_OK)
                return 1;
            times[r] = sfi_clock() - start;
        }
        qsort(times, REPEATS, sizeof *times, ascending);
        printf(
            "moments %lld x %lld, %d threads: best %.1f ms, median %.1f ms\n",
            (long long)n, (long long)d, threads, 1e3 * times[0],
            1e3 * times[REPEATS / 2]);
    }
    sfi_moments_free(m);
    sfi_free(ctx, covariance, (size_t)(d * d), sizeof *covariance);
    sfi_free(ctx, x, (size_t)(n * d), sizeof *x);
    sf_context_free(ctx);
    return 0;
}
