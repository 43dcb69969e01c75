/* SPDX-License-Identifier: Apache-2.0 */
/* parallel.c - ranges are cut by their length alone and dealt out in order: a thread
 * takes neighbours, and what a range is does not depend on who takes it. */
#include "base/parallel.h"

int64_t sfi_parallel_parts(int64_t count, int64_t chunk)
{
    return (count + chunk - 1) / chunk;
}

void sfi_parallel(const sf_context *ctx, int64_t count, int64_t chunk,
                  sfi_range_fn body, void *user)
{
    const int64_t parts = sfi_parallel_parts(count, chunk);
    int threads = sf_context_threads(ctx);
    if (threads > parts)
        threads = parts > 0 ? (int)parts : 1;
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (int64_t i = 0; i < parts; i++) {
        const int64_t first = i * chunk;
        body(user, i, first, count - first < chunk ? count - first : chunk);
    }
}
