/* SPDX-License-Identifier: Apache-2.0 */
/* parallel.h - the one place where threads begin, for work that is not a program.
 *
 * Ranges of elements (sfi_parallel) are for even work, such as one loop over many
 * numbers; tasks (sfi_parallel_tasks) for uneven or long work, such as the rows of a
 * triangle.  Both are cut by their number alone, never by the number of threads, so
 * that whatever `body` computes for a range or a task is the same for any number of
 * them.  What is to be added up goes to a place of its own for each, and is added in
 * order afterwards.
 *
 * Programs have the executor instead (graph/exec.h), whose threads wait for each
 * other within a step. */
#ifndef SFI_PARALLEL_H
#define SFI_PARALLEL_H

#include "base/context.h"

/* Work on elements first..first+count-1; `part` numbers the ranges from 0. */
typedef void (*sfi_range_fn)(void *user, int64_t part, int64_t first,
                             int64_t count);

/* Call body for ranges of `chunk` elements that cover 0..count-1.  A thread takes
 * neighbouring ranges, as many as any other. */
void sfi_parallel(const sf_context *ctx, int64_t count, int64_t chunk,
                  sfi_range_fn body, void *user);

/* How many ranges that is. */
int64_t sfi_parallel_parts(int64_t count, int64_t chunk);

/* Do task `task`.  No other call has the same `worker` at the same time: it says
 * whose scratch memory to use. */
typedef void (*sfi_task_fn)(void *user, int worker, int64_t task);

/* Call body for tasks 0..count-1, on at most `workers` >= 1 threads: who is free takes
 * the next one.  Workers are numbered from 0. */
void sfi_parallel_tasks(int workers, int64_t count, sfi_task_fn body,
                        void *user);

/* For how many workers `count` tasks have work: at least 1, at most the threads of
 * the context. */
int sfi_parallel_workers(const sf_context *ctx, int64_t count);

#endif
