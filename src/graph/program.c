/* SPDX-License-Identifier: Apache-2.0 */
/* program.c - a plan and the executor that follows it.  The one place that
 * chooses an executor. */
#include "graph/exec.h"

struct sf_program {
    sf_context *ctx;
    sfi_plan *plan;
    const sfi_exec_ops *ops;
    sfi_exec *exec;
};

sf_status sf_program_new(sf_context *ctx, sf_program **out, sf_graph *graph,
                         sf_dtype dtype, int count, const sf_output *outputs)
{
    *out = NULL;
    sf_program *p = sfi_alloc_zero(ctx, 1, sizeof *p);
    if (p == NULL)
        return SF_E_NOMEM;
    p->ctx = ctx;
    p->ops = &sfi_exec_cpu;
    sf_status status =
        sfi_plan_new(ctx, &p->plan, graph, dtype, count, outputs);
    if (status == SF_OK)
        status = p->ops->create(p->plan, &p->exec);
    if (status != SF_OK) {
        sf_program_free(p);
        return status;
    }
    *out = p;
    return SF_OK;
}

void sf_program_free(sf_program *p)
{
    if (p == NULL)
        return;
    if (p->exec != NULL)
        p->ops->destroy(p->exec);
    sfi_plan_free(p->plan);
    sfi_free(p->ctx, p, 1, sizeof *p);
}

size_t sf_program_memory(const sf_program *p)
{
    return p->ops->memory(p->exec);
}

int sfi_program_threads(sf_program *p, int64_t points)
{
    return p->ops->threads(p->exec, points);
}

double sf_program_work(const sf_program *p)
{
    return p->ops->work(p->exec);
}

static sf_status check_sinks(const sf_program *p, const sfi_run *run)
{
    for (int i = 0; i < p->plan->output_count; i++)
        if (p->plan->outputs[i].reduce == SF_SUM &&
            sfi_sink_of(run, i)->dtype != p->plan->dtype)
            return SFI_FAIL(p->ctx, SF_E_ARG,
                            "program: sink %d of a summed output has another "
                            "dtype than the program",
                            i);
    return SF_OK;
}

sf_status sf_program_run(sf_program *p, int64_t points,
                         const sf_source *sources, const void *const *params,
                         const sf_sink *sinks)
{
    if (points < 0)
        return SFI_FAIL(p->ctx, SF_E_ARG, "program: points is %lld, want >= 0",
                        (long long)points);
    for (int i = 0; i < p->plan->input_count; i++)
        if (p->plan->input_comps[i] > 0 && sources[i].kind == SF_GRID)
            return SFI_FAIL(p->ctx, SF_E_ARG,
                            "program: source %d is an array with steps, which "
                            "is for boxes",
                            i);
    const sfi_run run = {points, sources, params, sinks, NULL, NULL};
    SFI_TRY(check_sinks(p, &run));
    return p->ops->run(p->exec, &run);
}

sf_status sf_program_run_box(sf_program *p, const sf_box *box,
                             const sf_source *sources,
                             const void *const *params,
                             const sf_box_sink *sinks)
{
    if (box->rank < 1 || box->rank > SF_BOX_AXES)
        return SFI_FAIL(p->ctx, SF_E_ARG,
                        "program: a box of %d axes, want 1 to %d", box->rank,
                        (int)SF_BOX_AXES);
    int64_t points = 1;
    for (int k = 0; k < box->rank; k++) {
        if (box->extent[k] < 0)
            return SFI_FAIL(p->ctx, SF_E_ARG,
                            "program: extent %d of a box is %lld, want >= 0", k,
                            (long long)box->extent[k]);
        points *= box->extent[k];
    }
    for (int i = 0; i < p->plan->input_count; i++)
        if (p->plan->input_comps[i] > 0 && sources[i].kind == SF_ROWS &&
            sources[i].stride != 0)
            return SFI_FAIL(p->ctx, SF_E_ARG,
                            "program: source %d has rows; a box takes arrays "
                            "with steps",
                            i);
    /* Rows are along the last axis of several points. */
    sf_box rows = *box;
    while (rows.rank > 1 && rows.extent[rows.rank - 1] == 1) {
        rows.rank--;
        rows.is_padded = false;
    }
    const sfi_run run = {points, sources, params, NULL, &rows, sinks};
    SFI_TRY(check_sinks(p, &run));
    return p->ops->run(p->exec, &run);
}
