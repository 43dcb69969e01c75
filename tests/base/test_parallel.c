/* SPDX-License-Identifier: Apache-2.0 */
/* test_parallel.c - every range and every task is done once, by workers that are one
 * at a time, and nobody waits for a long task while there are others. */
#include "base/parallel.h"
#include "check.h"

#include <stdatomic.h>

enum { MOST = 1000, MOST_WORKERS = 7 };

/* What was done, and how it was cut. */
struct work {
    int64_t count;
    atomic_int times[MOST];        /* that an element was visited */
    int64_t first[MOST];           /* of each part                */
    atomic_int busy[MOST_WORKERS]; /* of each worker, 0 or 1      */
    atomic_int waiting; /* the worker of the first task; -1: it has not begun */
    atomic_int trouble; /* calls that were not allowed */
    atomic_int_fast64_t done;
};

static void clear(struct work *w, int64_t count)
{
    memset(w, 0, sizeof *w);
    w->count = count;
}

static void visit_range(void *user, int64_t part, int64_t first, int64_t count)
{
    struct work *w = user;
    w->first[part] = first;
    for (int64_t i = first; i < first + count; i++)
        w->times[i]++;
}

static void visit_task(void *user, int worker, int64_t task)
{
    struct work *w = user;
    if (atomic_fetch_add(&w->busy[worker], 1) != 0)
        w->trouble++;
    w->times[task]++;
    atomic_fetch_sub(&w->busy[worker], 1);
}

static bool each_once(const struct work *w)
{
    bool once = true;
    for (int64_t i = 0; i < MOST; i++)
        once = once && w->times[i] == (i < w->count);
    return once;
}

static const int threads[] = {1, 2, 7};
static const int64_t counts[] = {0, 1, 6, 7, 8, 64, MOST};

TEST(ranges_cover_every_element_once_whatever_the_threads)
{
    static struct work w;
    sf_context *ctx = new_context();
    for (size_t t = 0; t < SFI_COUNT(threads); t++)
        for (size_t c = 0; c < SFI_COUNT(counts); c++)
            for (int64_t chunk = 1; chunk <= 7; chunk += 3) {
                CHECK_OK(ctx, sf_context_set_threads(ctx, threads[t]));
                clear(&w, counts[c]);
                sfi_parallel(ctx, counts[c], chunk, visit_range, &w);
                CHECK(each_once(&w));
                const int64_t parts = sfi_parallel_parts(counts[c], chunk);
                for (int64_t i = 0; i < parts; i++)
                    assert_int_equal(w.first[i], i * chunk);
            }
    sf_context_free(ctx);
}

TEST(tasks_are_done_once_and_no_worker_is_in_two_places)
{
    static struct work w;
    for (size_t t = 0; t < SFI_COUNT(threads); t++)
        for (size_t c = 0; c < SFI_COUNT(counts); c++) {
            clear(&w, counts[c]);
            sfi_parallel_tasks(threads[t], counts[c], visit_task, &w);
            CHECK(each_once(&w) && w.trouble == 0);
        }
}

/* Never more than there are tasks, nor than the context has threads. */
TEST(workers_are_as_many_as_have_work)
{
    sf_context *ctx = new_context();
    CHECK_OK(ctx, sf_context_set_threads(ctx, 7));
    assert_int_equal(sfi_parallel_workers(ctx, 0), 1);
    assert_int_equal(sfi_parallel_workers(ctx, 1), 1);
    assert_int_equal(sfi_parallel_workers(ctx, 6), 6);
    assert_int_equal(sfi_parallel_workers(ctx, 7), 7);
    assert_int_equal(sfi_parallel_workers(ctx, INT64_C(1) << 40), 7);
    sf_context_free(ctx);
}

/* The first task ends when all others are done.  If they were dealt out beforehand it
 * would wait for those of its own worker, and give up after a while.  What is done while it
 * waits, another worker does; before it starts, which does what is the scheduler's affair. */
static void wait_for_the_others(void *user, int worker, int64_t task)
{
    struct work *w = user;
    const double patience = 20.0, start = sfi_clock();
    if (task == 0) {
        w->waiting = worker;
    } else {
        const int waiting = w->waiting;
        w->trouble += waiting >= 0 && waiting == worker;
    }
    while (task == 0 && w->done < w->count - 1)
        if (sfi_clock() - start > patience) {
            w->trouble++;
            return;
        }
    w->done++;
}

TEST(a_long_task_holds_no_other_one_up)
{
    static struct work w;
    clear(&w, 64);
    w.waiting = -1;
    sfi_parallel_tasks(2, 64, wait_for_the_others, &w);
    CHECK(w.trouble == 0 && w.done == 64);
}

TESTS(CASE(ranges_cover_every_element_once_whatever_the_threads),
      CASE(tasks_are_done_once_and_no_worker_is_in_two_places),
      CASE(workers_are_as_many_as_have_work),
      CASE(a_long_task_holds_no_other_one_up))
