/* SPDX-License-Identifier: Apache-2.0 */
/* parallel.c - ranges are cut by their length alone and dealt out in order: a thread
 * takes neighbours, and what a range is does not depend on who takes it.  Tasks are
 * taken one by one: nobody waits for a long one while there are others. */
#include "base/parallel.h"

#include <omp.h>

int64_t sfi_parallel_parts(int64_t count, int64_t chunk)
{
    return (count + chunk - 1) / chunk;
}

int sfi_parallel_workers(const sf_context *ctx, int64_t count)
{
    const int64_t most = count > 1 ? count : 1;
    return (int)sfi_smaller(sf_context_threads(ctx), most);
}

void sfi_parallel(const sf_context *ctx, int64_t count, int64_t chunk,
                  sfi_range_fn body, void *user)
{
    const int64_t parts = sfi_parallel_parts(count, chunk);
    const int threads = sfi_parallel_workers(ctx, parts);
#pragma omp parallel for schedule(static) num_threads(threads) if (threads > 1)
    for (int64_t i = 0; i < parts; i++) {
        const int64_t first = i * chunk;
        body(user, i, first, sfi_smaller(chunk, count - first));
    }
}

void sfi_parallel_tasks(int workers, int64_t count, sfi_task_fn body,
                        void *user)
{
    const int threads = (int)sfi_smaller(workers, count > 1 ? count : 1);
#pragma omp parallel for schedule(dynamic, 1)                                  \
    num_threads(threads) if (threads > 1)
    for (int64_t i = 0; i < count; i++)
        body(user, omp_get_thread_num(), i);
}
