/* SPDX-License-Identifier: Apache-2.0 */
/* exec_cpu.c - the executor for the threads of one machine.
 *
 * Points are split into lanes, lanes into blocks.  A thread takes a whole block
 * through all varying steps, forward and backward, so that what lies between
 * stays in its own cache.  Where there are fewer vectors of points than threads,
 * threads share the steps of a block (graph/exec_steps.h).
 *
 * Sums over points: each lane adds its blocks in order into its own
 * accumulators; at the end the lanes are added in order.  Lanes and blocks are
 * made by the number of points and the work of one alone, and the number of threads
 * only decides who works on which lane, or on which part of its steps.  Where nothing is added up, no number depends on how
 * points are split, and a few points that are much work may be a lane for each
 * thread. */
#include "graph/exec_steps.h"

#include "num/array.h"

#include <omp.h>
#include <string.h>

/* Chosen by bench_train.  Four layers of 128 units: blocks of 128 points, which
 * fit the cache, against 64 are worth 1.3 for batches of 256, and no less than
 * 512 for batches of 4096.  Of 512 units no useful block fits: 512 points
 * against 64 are worth 1.08, since weights and their gradients pass once for
 * each block. */
enum {
    MAX_BLOCK = 512,   /* points, the longest row                     */
    MIN_BLOCK = 64,    /* shorter rows make products slow             */
    GOOD_BLOCK = 96,   /* in the cache rather than longer             */
    WANTED_LANE = 128, /* points: less than this is not worth a lane, */
    SUM_LANES = 8,     /* but for so many, if they are to be added up */
    SUM_LANE_WORTH =
        1 << 24, /* units of work_of(): some milliseconds, which are
                                 worth a lane in any case */
    MOST_SUM_LANES = 256,
    SUM_BYTES = 32 << 20,    /* bounds the memory for partial sums          */
    LANES_EACH = 16,         /* lanes that a thread takes at most, if short */
    EACH_LANES = 256,        /* nothing to add up, so lanes cost nothing    */
    CACHE_BYTES = 768 << 10, /* what a block may fill: about an L2 ...      */
    LARGE_BYTES = 16 << 20,  /* ... and where that is too short             */
    ADD_CHUNK = 4096,        /* elements that one thread adds over the lanes */
    WORTH = 1 << 16, /* units of work_of(): less is not worth a thread, which
                         takes some microseconds to start and, where others want
                         the cores, milliseconds */
    LANE_WORTH = 2 * WORTH /* less is not worth a lane of a few points */
};

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static int64_t row_length(const sfi_exec *e, int64_t points)
{
    return points <= e->ld_min ? e->ld_min : sfi_row_length(points);
}

/* One lane, by this thread or by part `part` of `parts` threads. */
static void run_lane(const sfi_exec *e, const sfi_run *run, sfi_worker *w,
                     int64_t lane, int64_t share, int part, int parts)
{
    const sfi_plan *plan = e->plan;
    if (plan->sum_comps > 0 && part == 0)
        memset(e->sums + lane * plan->sum_comps, 0, e->sum_bytes);
    const int64_t first = lane * share;
    const int64_t left = run->points - first;
    const int64_t points = left < share ? left : share;
    const int64_t blocks = ceil_div(points, e->ld_max);
    const int64_t length = sfi_row_length(ceil_div(points, blocks));
    for (int64_t at = 0; at < points; at += length) {
        const int64_t n = points - at < length ? points - at : length;
        const sfi_point_block b = {.e = e,
                                   .run = run,
                                   .w = w,
                                   .ld = row_length(e, n),
                                   .first = first + at,
                                   .points = n,
                                   .lane = (int)lane,
                                   .begins = at == 0,
                                   .part = part,
                                   .parts = parts};
        sfi_run_block(&b);
    }
}

/* One chunk of a summed output: the lanes' products, then their plain sums. */
static void add_lanes(const sfi_exec *e, const sfi_run *run, int output,
                      int lanes, int64_t first, int64_t count)
{
    const sfi_plan_output *o = &e->plan->outputs[output];
    const sf_sink *sink = sfi_sink_of(run, output);
    if (o->product_offset < 0 || lanes == 0) {
        memset((char *)sink->data + (size_t)first * e->elem, 0,
               (size_t)count * e->elem);
    } else {
        const void *parts[MOST_SUM_LANES];
        for (int l = 0; l < lanes; l++)
            parts[l] = e->products + (size_t)(l * e->plan->product_comps +
                                              o->product_offset + first) *
                                         e->elem;
        (void)e->loops->add_parts((char *)sink->data + (size_t)first * e->elem,
                                  parts, lanes, count);
    }
    if (o->sum_offset < 0)
        return;
    for (int64_t i = first; i < first + count; i++) {
        double total = 0.0;
        for (int l = 0; l < lanes; l++)
            total += e->sums[l * e->plan->sum_comps + o->sum_offset + i];
        total += sfi_number_get(sink->dtype, sink->data, i);
        sfi_number_put(sink->dtype, sink->data, i, total);
    }
}

static void write_sums(const sfi_exec *e, const sfi_run *run, int lanes,
                       int thread, int threads)
{
    int64_t turn = 0;
    for (int i = 0; i < e->plan->output_count; i++) {
        const sfi_plan_output *o = &e->plan->outputs[i];
        if (o->reduce != SF_SUM || o->uniform)
            continue;
        for (int64_t at = 0; at < o->comps; at += ADD_CHUNK, turn++) {
            const int64_t left = o->comps - at;
            if (turn % threads == thread)
                add_lanes(e, run, i, lanes, at,
                          left < ADD_CHUNK ? left : ADD_CHUNK);
        }
    }
}

/* Draws fill whole rows, and so do products over points. */
static int64_t shortest_row(const sfi_exec *e, const sfi_run *run)
{
    const sfi_plan *plan = e->plan;
    bool whole = e->adds;
    for (size_t i = plan->uniform_steps; i < plan->step_count; i++)
        whole |= plan->steps[i].kind == SFI_STEP_LOAD &&
                 run->sources[plan->steps[i].index].kind != SF_ROWS;
    return whole ? SFI_ROW_MULTIPLE : e->loops->lanes;
}

static int worth_threads(const sfi_exec *e, int64_t points)
{
    const double most = 1.0 + (double)points * e->work / WORTH;
    int threads = sf_context_threads(e->plan->ctx);
    if (threads > e->threads)
        threads = e->threads;
    return (double)threads > most ? (int)most : threads;
}

/* How the points of a run are divided. */
typedef struct division {
    int64_t lanes, share; /* points of a lane, but for the last */
    int threads;
    bool together; /* threads share the steps of a lane, not the lanes */
} division;

/* With nothing to add up, results do not depend on lanes: enough of them to keep the
 * threads equally busy, and no more, since every step of a block has its price. */
static int64_t free_lanes(const sfi_exec *e, int64_t points, int64_t lanes,
                          int threads)
{
    const int64_t enough = (int64_t)LANES_EACH * threads;
    const int64_t blocks = ceil_div(points, e->ld_max);
    if (lanes > enough)
        return blocks > enough ? blocks : enough;
    const double most = (double)points * e->work / LANE_WORTH;
    if (lanes < threads && (double)lanes < most)
        return most < threads ? (int64_t)most : threads;
    return lanes;
}

/* Of sums lanes decide the order, so they follow the points and their work, never the
 * threads: a few long ones, and as many more as there is work for.  An image is much
 * work, and 64 of them are lanes for four threads. */
static int64_t summed_lanes(const sfi_exec *e, int64_t points)
{
    const int64_t few = ceil_div(points, WANTED_LANE);
    const double by_work = (double)points * e->work / SUM_LANE_WORTH;
    const int64_t shortest = ceil_div(points, e->ld_min);
    const int64_t many =
        by_work < (double)shortest ? (int64_t)by_work : shortest;
    const int64_t least = few < SUM_LANES ? few : SUM_LANES;
    return many > least ? many : least;
}

static division divide(const sfi_exec *e, int64_t points)
{
    division d = {.threads = worth_threads(e, points)};
    if (points == 0)
        return (division){.threads = 1};
    d.lanes = e->adds ? summed_lanes(e, points)
                      : free_lanes(e, points, ceil_div(points, WANTED_LANE),
                                   d.threads);
    if (d.lanes > e->lanes_max)
        d.lanes = e->lanes_max;
    d.share = row_length(e, ceil_div(points, d.lanes));
    if (!e->adds && d.lanes <= d.threads && ceil_div(points, d.share) < d.lanes)
        d.share = e->ld_min; /* rather than a thread with nothing to do */
    d.lanes = ceil_div(points, d.share);
    /* A lane by all threads is never as fast as they are many. */
    d.together = 4 * d.lanes <= 3 * d.threads;
    if (d.threads > d.lanes && !d.together)
        d.threads = (int)d.lanes;
    return d;
}

/* What is the same for all points. */
static void run_uniform(const sfi_exec *e, const sfi_run *run)
{
    const sfi_plan *plan = e->plan;
    const sfi_point_block uniform = {.e = e,
                                     .run = run,
                                     .w = &e->workers[0],
                                     .ld = SFI_ROW_MULTIPLE,
                                     .parts = 1};
    for (size_t i = plan->constant_steps; i < plan->uniform_steps; i++)
        sfi_run_step(&uniform, &plan->steps[i]);
    for (int i = 0; i < plan->output_count; i++)
        if (plan->outputs[i].uniform)
            sfi_write_uniform(&uniform, i);
}

static void run_box(sfi_exec *e, const sfi_run *run)
{
    const int most = run->points > 0 ? worth_threads(e, run->points) : 1;
    const int64_t lanes = sfi_box_lanes(e, run->box, most);
    const int threads = most < lanes ? most : lanes > 0 ? (int)lanes : 1;
    sfi_box_begin(e, run);
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
        const int me = omp_get_thread_num();
        const unsigned mine = sfi_flush_denormals();
#pragma omp for schedule(static)
        for (int64_t l = 0; l < lanes; l++)
            sfi_box_run_lane(e, run, &e->workers[me], l, lanes);
        write_sums(e, run, (int)lanes, me, omp_get_num_threads());
        sfi_restore_denormals(mine);
    }
    sfi_box_end(e);
}

static sf_status cpu_run(sfi_exec *e, const sfi_run *run)
{
    const unsigned saved = sfi_flush_denormals();
    run_uniform(e, run);
    if (run->box != NULL) {
        run_box(e, run);
        sfi_restore_denormals(saved);
        return SF_OK;
    }
    e->ld_min = shortest_row(e, run);
    division d = divide(e, run->points);
    const bool shared = d.together && d.threads > 1;
    const double rows = (double)ceil_div(run->points, e->ld_min);
    const double begun = shared ? sfi_clock() : 0.0;
    /* Threads that share steps wait for each other at each of them, which takes more
     * than it saves where others want the cores, or steps are short. */
    if (shared && sfi_pace_choose(&e->pace, rows) == 0) {
        d.together = false;
        d.threads = 1;
    }
#pragma omp parallel num_threads(d.threads) if (d.threads > 1)
    {
        const int me = omp_get_thread_num();
        const unsigned mine = sfi_flush_denormals();
        sfi_worker *w = &e->workers[me];
        if (d.together) {
            sfi_worker part = *w;
            part.arena = e->workers[0].arena;
            for (int64_t l = 0; l < d.lanes; l++)
                run_lane(e, run, &part, l, d.share, me, omp_get_num_threads());
            /* sfi_run_block() ends with a barrier: sums are complete. */
        } else if (e->adds) {
            /* A lane's sums stay in the cache of the core that had them. */
#pragma omp for schedule(static)
            for (int64_t l = 0; l < d.lanes; l++)
                run_lane(e, run, w, l, d.share, 0, 1);
        } else {
            /* Nobody waits for a slow core: worth 1.01 in sampling on a quiet
             * machine, 1.05 on a shared one. */
#pragma omp for schedule(dynamic, 1)
            for (int64_t l = 0; l < d.lanes; l++)
                run_lane(e, run, w, l, d.share, 0, 1);
        }
        write_sums(e, run, (int)d.lanes, me, omp_get_num_threads());
        sfi_restore_denormals(mine);
    }
    if (shared)
        sfi_pace_learn(&e->pace, d.together, rows, sfi_clock() - begun);
    sfi_restore_denormals(saved);
    return SF_OK;
}

/* ---- making ----------------------------------------------------------------- */

static int64_t longest_block(const sfi_plan *plan)
{
    const int64_t bytes =
        (plan->varying_comps + 1) * (int64_t)sf_dtype_size(plan->dtype);
    int64_t ld = CACHE_BYTES / bytes;
    if (ld < GOOD_BLOCK)
        ld = LARGE_BYTES / bytes;
    ld = ld / SFI_ROW_MULTIPLE * SFI_ROW_MULTIPLE;
    if (ld > MAX_BLOCK)
        ld = MAX_BLOCK;
    return ld < MIN_BLOCK ? MIN_BLOCK : ld;
}

static double work_of(const sfi_plan *plan)
{
    double sum = 0.0;
    for (size_t i = plan->uniform_steps; i < plan->step_count; i++)
        sum += sfi_step_work(&plan->steps[i]);
    return sum;
}

static size_t most_operands(const sfi_plan *plan)
{
    int most = 1;
    for (size_t i = 0; i < plan->step_count; i++)
        if (plan->steps[i].fused != NULL &&
            plan->steps[i].fused->operand_count > most)
            most = plan->steps[i].fused->operand_count;
    return (size_t)most;
}

static void cpu_destroy(sfi_exec *e)
{
    if (e == NULL)
        return;
    sf_context *ctx = e->plan->ctx;
    for (int i = 0; e->workers != NULL && i < e->threads; i++) {
        sfi_free(ctx, e->workers[i].arena, e->arena_bytes, 1);
        sfi_free(ctx, e->workers[i].temps, e->temp_bytes, 1);
        sfi_free(ctx, e->workers[i].pack, e->pack_bytes, 1);
        sfi_free(ctx, e->workers[i].columns, e->column_bytes, 1);
        sfi_free(ctx, e->workers[i].bases, e->base_count, sizeof(char *));
        sfi_free(ctx, e->workers[i].starts, e->base_count, sizeof(char *));
        sfi_free(ctx, e->workers[i].direct, e->plan->buffer_count,
                 sizeof(char *));
    }
    const size_t lanes = (size_t)e->lanes_max;
    sfi_free(ctx, e->workers, (size_t)e->threads, sizeof *e->workers);
    sfi_box_free(e);
    sfi_free(ctx, e->uniform, e->uniform_bytes, 1);
    sfi_free(ctx, e->products, lanes, e->product_bytes);
    sfi_free(ctx, e->sums, lanes, e->sum_bytes);
    sfi_free(ctx, e->first, (size_t)e->plan->output_count, sizeof *e->first);
    sfi_free(ctx, e, 1, sizeof *e);
}

static bool allocate(sfi_exec *e)
{
    const sfi_plan *plan = e->plan;
    sf_context *ctx = plan->ctx;
    const size_t lanes = (size_t)e->lanes_max;
    e->workers = sfi_alloc_zero(ctx, (size_t)e->threads, sizeof *e->workers);
    e->uniform = sfi_alloc_zero(ctx, e->uniform_bytes, 1);
    e->products = sfi_alloc(ctx, lanes, e->product_bytes);
    e->sums = sfi_alloc(ctx, lanes, e->sum_bytes);
    e->first =
        sfi_alloc_zero(ctx, (size_t)plan->output_count, sizeof *e->first);
    if (e->workers == NULL || e->uniform == NULL || e->products == NULL ||
        e->sums == NULL || e->first == NULL || !sfi_box_allocate(e))
        return false;
    for (int i = 0; i < e->threads; i++) {
        sfi_worker *w = &e->workers[i];
        w->arena = sfi_alloc(ctx, e->arena_bytes, 1);
        w->temps = sfi_alloc(ctx, e->temp_bytes, 1);
        w->pack = sfi_alloc(ctx, e->pack_bytes, 1);
        w->columns = sfi_alloc(ctx, e->column_bytes, 1);
        w->bases = sfi_alloc(ctx, e->base_count, sizeof *w->bases);
        w->starts = sfi_alloc(ctx, e->base_count, sizeof *w->starts);
        w->direct = sfi_alloc_zero(ctx, plan->buffer_count, sizeof *w->direct);
        if (w->arena == NULL || w->temps == NULL || w->pack == NULL ||
            w->columns == NULL || w->bases == NULL || w->starts == NULL ||
            w->direct == NULL)
            return false;
    }
    return true;
}

/* Which product of an output comes first and finds nothing to add to. */
static void find_first_products(sfi_exec *e)
{
    const sfi_plan *plan = e->plan;
    for (size_t i = plan->step_count; i-- > plan->uniform_steps;)
        if (plan->steps[i].kind == SFI_STEP_REDUCE_NT ||
            plan->steps[i].kind == SFI_STEP_REDUCE_CONV)
            e->first[plan->steps[i].index] = &plan->steps[i];
}

/* Lanes for which there is memory: of sums, by the plan alone. */
static int most_lanes(const sfi_exec *e)
{
    if (!e->adds)
        return EACH_LANES;
    const size_t fit = SUM_BYTES / (e->product_bytes + e->sum_bytes + 1);
    return fit < SUM_LANES        ? SUM_LANES
           : fit > MOST_SUM_LANES ? MOST_SUM_LANES
                                  : (int)fit;
}

static void write_constants(sfi_exec *e)
{
    const sfi_plan *plan = e->plan;
    for (size_t i = 0; i < plan->constant_count; i++) {
        const sfi_constant *c = &plan->constants[i];
        const int64_t at = plan->buffers[c->buffer].offset;
        for (int64_t j = 0; j < c->count; j++)
            sfi_number_put(plan->dtype, e->uniform, at + j, c->values[j]);
    }
    const sfi_run none = {0};
    const sfi_point_block b = {.e = e,
                               .run = &none,
                               .w = &e->workers[0],
                               .ld = SFI_ROW_MULTIPLE,
                               .parts = 1};
    const unsigned saved = sfi_flush_denormals();
    for (size_t i = 0; i < plan->constant_steps; i++)
        sfi_run_step(&b, &plan->steps[i]);
    sfi_restore_denormals(saved);
}

static sf_status cpu_create(const sfi_plan *plan, sfi_exec **out)
{
    sf_context *ctx = plan->ctx;
    *out = NULL;
    sfi_exec *e = sfi_alloc_zero(ctx, 1, sizeof *e);
    if (e == NULL)
        return SF_E_NOMEM;
    e->plan = plan;
    for (int i = 0; i < plan->output_count; i++)
        e->adds |= plan->outputs[i].reduce == SF_SUM;
    e->loops = sfi_loops_for(plan->dtype);
    e->elem = sf_dtype_size(plan->dtype);
    e->threads = sf_context_threads(ctx);
    e->work = work_of(plan);
    e->ld_max = longest_block(plan);
    e->base_count = most_operands(plan);
    sfi_measure_steps(e);
    e->arena_bytes = (size_t)(plan->varying_comps * e->ld_max) * e->elem;
    e->uniform_bytes =
        (size_t)(plan->uniform_comps + SFI_ROW_MULTIPLE) * e->elem;
    e->product_bytes = (size_t)plan->product_comps * e->elem;
    e->sum_bytes = (size_t)plan->sum_comps * sizeof(double);
    e->lanes_max = most_lanes(e);
    if (!allocate(e)) {
        cpu_destroy(e);
        return SF_E_NOMEM;
    }
    find_first_products(e);
    write_constants(e);
    *out = e;
    return SF_OK;
}

static size_t cpu_memory(const sfi_exec *e)
{
    return e->uniform_bytes +
           (size_t)e->threads * (e->arena_bytes + e->temp_bytes +
                                 e->pack_bytes + e->column_bytes) +
           (size_t)e->lanes_max * (e->product_bytes + e->sum_bytes);
}

/* Of points that are rows, not draws. */
static int cpu_threads(sfi_exec *e, int64_t points)
{
    e->ld_min = e->adds ? SFI_ROW_MULTIPLE : e->loops->lanes;
    return divide(e, points).threads;
}

/* A unit of sfi_step_work() is eight multiplications. */
static double cpu_work(const sfi_exec *e)
{
    return 8.0 * e->work;
}

const sfi_exec_ops sfi_exec_cpu = {
    "cpu", cpu_create, cpu_run, cpu_destroy, cpu_memory, cpu_threads, cpu_work};
