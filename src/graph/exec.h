/* SPDX-License-Identifier: Apache-2.0 */
/* exec.h - what an executor is: the seam below which parallelism lives.
 *
 * An executor follows a plan (graph/plan.h) for any number of points.  Floors
 * above see sf_program alone, so an executor can be added without touching
 * them: write one file with an sfi_exec_ops and choose it in program.c.
 *
 * Rules that every executor keeps:
 *
 *   - Constant steps run once, when the executor is made; uniform steps once for
 *     each run, before any varying step.
 *   - What it computes for one point does not depend on the other points, nor
 *     on how points are split into blocks.
 *   - Sums over points have one order that depends on the number of points
 *     alone: points form blocks, blocks form lanes, a lane adds its blocks in
 *     order, and the lanes are added in order.
 *   - run() allocates nothing.
 *
 * A CUDA executor keeps both arenas in device memory, with one point a thread
 * (rows are already contiguous over points), and maps MATMUL and REDUCE_NT to
 * cuBLAS.  An MPI executor owns a CPU executor, gives it this rank's points and
 * adds the summed outputs with a reduction in rank order; sinks of SF_EACH
 * outputs are the rank's own rows. */
#ifndef SFI_EXEC_H
#define SFI_EXEC_H

#include "graph/plan.h"
#include "scorefield/program.h"

typedef struct sfi_exec sfi_exec;

/* One run: everything that may change between two runs of a plan. */
typedef struct sfi_run {
    int64_t points;
    const sf_source *sources;  /* [plan->input_count]  */
    const void *const *params; /* [plan->param_count]  */
    const sf_sink *sinks;      /* [plan->output_count] */
    /* Of a run over a box, else NULL; then there are no `sinks`. */
    const sf_box *box;
    const sf_box_sink *box_sinks;
} sfi_run;

static inline const sf_sink *sfi_sink_of(const sfi_run *run, int64_t output)
{
    return run->box != NULL ? &run->box_sinks[output].to : &run->sinks[output];
}

typedef struct sfi_exec_ops {
    const char *name;

    /* REQUIRED.  Allocate everything that runs will need.  The plan outlives
     * the executor.  On failure *out is NULL. */
    sf_status (*create)(const sfi_plan *plan, sfi_exec **out);

    /* REQUIRED.  Arguments have been checked. */
    sf_status (*run)(sfi_exec *exec, const sfi_run *run);

    /* REQUIRED.  Accepts NULL. */
    void (*destroy)(sfi_exec *exec);

    /* REQUIRED.  Bytes held. */
    size_t (*memory)(const sfi_exec *exec);

    /* REQUIRED.  How many threads work on a run of so many points. */
    int (*threads)(sfi_exec *exec, int64_t points);

    /* REQUIRED.  See sf_program_work(). */
    double (*work)(const sfi_exec *exec);
} sfi_exec_ops;

/* The same of a program, for tests and benchmarks. */
int sfi_program_threads(sf_program *program, int64_t points);

/* Threads of one machine, vector loops of num/. */
extern const sfi_exec_ops sfi_exec_cpu;

#endif
