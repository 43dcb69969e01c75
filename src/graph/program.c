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

sf_status sf_program_run(sf_program *p, int64_t points,
                         const sf_source *sources, const void *const *params,
                         const sf_sink *sinks)
{
    if (points < 0)
        return SFI_FAIL(p->ctx, SF_E_ARG, "program: points is %lld, want >= 0",
                        (long long)points);
    for (int i = 0; i < p->plan->output_count; i++)
        if (p->plan->outputs[i].reduce == SF_SUM &&
            sinks[i].dtype != p->plan->dtype)
            return SFI_FAIL(p->ctx, SF_E_ARG,
                            "program: sink %d of a summed output has another "
                            "dtype than the program",
                            i);
    const sfi_run run = {points, sources, params, sinks};
    return p->ops->run(p->exec, &run);
}
