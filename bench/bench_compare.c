/* SPDX-License-Identifier: Apache-2.0 */
/* Energy distance and nearest records of two tables of N rows and D columns: the
 * best of REPEATS runs, for one thread and for all, in seconds and in
 * nanoseconds a pair.
 *
 *     build/bench_compare [N [D]]                  [default 10000 2] */
#include "base/random.h"
#include "compare/pairs.h"
#include "scorefield/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { REPEATS = 5 };

static double *make(sf_context *ctx, uint64_t seed, int64_t n, int64_t d)
{
    double *x = sfi_alloc(ctx, (size_t)(n * d), sizeof *x);
    for (int64_t i = 0; x != NULL && i < n * d; i++) {
        const sfi_where where = {seed, (uint64_t)i, 0, SFI_STREAM_USER};
        x[i] = sfi_normal_at(where, 0);
    }
    return x;
}

int main(int argc, char **argv)
{
    const int64_t n = argc > 1 ? atoll(argv[1]) : 10000;
    const int64_t d = argc > 2 ? atoll(argv[2]) : 2;
    sf_context *ctx = NULL;
    if (sf_context_new(&ctx, NULL) != SF_OK)
        return 1;
    double *x = make(ctx, 1, n, d), *y = make(ctx, 2, n, d);
    double *near = sfi_alloc(ctx, (size_t)n, sizeof *near);
    if (x == NULL || y == NULL || near == NULL)
        return 1;
    const sf_cmat a = {x, n, d, d}, b = {y, n, d, d};
    sfi_points p, q;
    if (sfi_points_new(ctx, &p, a, NULL, 0, NULL) != SF_OK ||
        sfi_points_new(ctx, &q, b, NULL, 0, NULL) != SF_OK)
        return 1;
    const int all = sf_context_threads(ctx);
    const double pairs = (double)n * (double)n;
    for (int threads = 1; threads <= all;
         threads = threads < all ? all : all + 1) {
        sf_context_set_threads(ctx, threads);
        double energy_time = INFINITY, near_time = INFINITY;
        sf_energy e;
        for (int r = 0; r < REPEATS; r++) {
            const double start = sfi_clock();
            if (sf_energy_distance(ctx, &e, a, b) != SF_OK)
                return 1;
            const double middle = sfi_clock();
            sfi_pairs_nearest(ctx, near, &p, n, &q);
            energy_time = fmin(energy_time, middle - start);
            near_time = fmin(near_time, sfi_clock() - middle);
        }
        printf("%lld x %lld, %d threads: energy %.3f s (%.2f ns a pair), "
               "nearest %.3f s (%.2f ns a pair)\n",
               (long long)n, (long long)d, threads, energy_time,
               1e9 * energy_time / (2.0 * pairs), near_time,
               1e9 * near_time / pairs);
    }
    sfi_points_free(ctx, &q);
    sfi_points_free(ctx, &p);
    sfi_free(ctx, near, (size_t)n, sizeof *near);
    sfi_free(ctx, y, (size_t)(n * d), sizeof *y);
    sfi_free(ctx, x, (size_t)(n * d), sizeof *x);
    sf_context_free(ctx);
    return 0;
}
