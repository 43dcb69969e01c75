/* SPDX-License-Identifier: Apache-2.0 */
/* plan.c - from a graph and the outputs wanted of it to a schedule.
 *
 *   1. split     a summed output into products summed over points (weight
 *                gradients, which are never formed point by point) and the rest
 *   2. lower     every node that is needed, in order: shape operations become
 *                views, everything else a task that writes a buffer
 *   3. level     tasks: one more than what they read, except that an
 *                element-wise task may share the level of one whose result it
 *                reads element by element
 *   4. fuse      element-wise tasks of one level and shape into one step; a
 *                group can only depend on lower levels and on itself, so steps
 *                in order of level are a correct schedule
 *   5. place     buffers in the arenas by lifetime, first fit
 *
 * What is uniform goes through the same stages and runs beforehand, once for each
 * run; what depends on constants alone, once for all. */
#include "graph/planner.h"

static sf_status check_outputs(sf_context *ctx, sf_graph *g, int count,
                               const sf_output *outputs)
{
    SFI_TRY(sf_graph_status(g));
    if (count < 1)
        return SFI_FAIL(ctx, SF_E_ARG, "program: %d outputs, want >= 1", count);
    for (int i = 0; i < count; i++)
        if (outputs[i].node.id < 0 ||
            (size_t)outputs[i].node.id >= g->node_count ||
            (outputs[i].reduce != SF_EACH && outputs[i].reduce != SF_SUM))
            return SFI_FAIL(
                ctx, SF_E_ARG,
                "program: output %d is not a node of this graph, or "
                "its reduction is not SF_EACH or SF_SUM",
                i);
    return SF_OK;
}

static void describe_outputs(sfi_planner *p, const sf_output *outputs)
{
    for (int i = 0; i < p->plan->output_count; i++) {
        const sf_node n = outputs[i].node;
        sfi_plan_output *o = &p->plan->outputs[i];
        o->reduce = outputs[i].reduce;
        o->comps = sf_node_count(p->g, n);
        o->uniform = !sfi_at(p->g, n)->varies;
        o->product_offset = o->sum_offset = -1;
    }
}

static sf_status run_stages(sfi_planner *p, const sf_output *outputs)
{
    describe_outputs(p, outputs);
    sfi_plan_split(p, outputs);
    SFI_TRY(sf_graph_status(p->g));
    if (!p->failed)
        sfi_plan_lower(p, outputs);
    if (!p->failed)
        sfi_plan_levels(p);
    if (!p->failed)
        sfi_plan_fuse(p);
    if (p->failed)
        return SF_E_NOMEM;
    sfi_plan_place(p->plan);
    return SF_OK;
}

static void free_planner(sfi_planner *p, size_t buffer_count)
{
    sf_context *ctx = p->ctx;
    for (size_t i = 0; i < p->task_count; i++)
        sfi_free(ctx, p->tasks[i].step.in, (size_t)p->tasks[i].step.in_count,
                 sizeof(sfi_view));
    sfi_free(ctx, p->tasks, p->task_capacity, sizeof *p->tasks);
    sfi_free(ctx, p->terms, p->term_capacity, sizeof *p->terms);
    sfi_free(ctx, p->producer, p->producer_capacity, sizeof *p->producer);
    sfi_free(ctx, p->leads, p->summable, sizeof *p->leads);
    sfi_free(ctx, p->scale, p->summable, sizeof *p->scale);
    sfi_free(ctx, p->needed, p->node_count, sizeof *p->needed);
    sfi_free(ctx, p->uses, p->node_count, sizeof *p->uses);
    sfi_free(ctx, p->views, p->node_count, sizeof *p->views);
    sfi_free(ctx, p->halves, p->node_count, sizeof *p->halves);
    sfi_free(ctx, p->fall, p->node_count, sizeof *p->fall);
    sfi_free(ctx, p->reads, buffer_count, sizeof *p->reads);
}

sf_status sfi_plan_new(sf_context *ctx, sfi_plan **out, sf_graph *g,
                       sf_dtype dtype, int count, const sf_output *outputs)
{
    *out = NULL;
    SFI_TRY(check_outputs(ctx, g, count, outputs));
    sfi_plan *plan = sfi_alloc_zero(ctx, 1, sizeof *plan);
    if (plan == NULL)
        return SF_E_NOMEM;
    plan->ctx = ctx;
    plan->dtype = dtype;
    plan->output_count = count;
    plan->input_count = (int)g->input_count;
    plan->param_count = (int)g->param_count;
    plan->outputs = sfi_alloc_zero(ctx, (size_t)count, sizeof *plan->outputs);
    plan->input_comps =
        sfi_alloc_zero(ctx, g->input_count, sizeof *plan->input_comps);
    sfi_planner p = {.ctx = ctx, .g = g, .plan = plan};
    sf_status status = SF_E_NOMEM;
    if (plan->outputs != NULL && plan->input_comps != NULL)
        status = run_stages(&p, outputs);
    free_planner(&p, plan->buffer_count);
    if (status != SF_OK) {
        sfi_plan_free(plan);
        return status;
    }
    *out = plan;
    return SF_OK;
}

void sfi_plan_free(sfi_plan *plan)
{
    if (plan == NULL)
        return;
    sf_context *ctx = plan->ctx;
    for (size_t i = 0; i < plan->step_count; i++) {
        sfi_step *s = &plan->steps[i];
        sfi_free(ctx, s->in, (size_t)s->in_count, sizeof *s->in);
        if (s->fused != NULL) {
            sfi_free(ctx, s->fused->operands, s->fused->operand_capacity,
                     sizeof *s->fused->operands);
            sfi_free(ctx, s->fused->instructions,
                     s->fused->instruction_capacity,
                     sizeof *s->fused->instructions);
            sfi_free(ctx, s->fused, 1, sizeof *s->fused);
        }
    }
    for (size_t i = 0; i < plan->constant_count; i++)
        sfi_free(ctx, plan->constants[i].values,
                 (size_t)plan->constants[i].count, sizeof(double));
    sfi_free(ctx, plan->steps, plan->step_capacity, sizeof *plan->steps);
    sfi_free(ctx, plan->constants, plan->constant_capacity,
             sizeof *plan->constants);
    sfi_free(ctx, plan->buffers, plan->buffer_capacity, sizeof *plan->buffers);
    sfi_free(ctx, plan->outputs, (size_t)plan->output_count,
             sizeof *plan->outputs);
    sfi_free(ctx, plan->input_comps, (size_t)plan->input_count,
             sizeof *plan->input_comps);
    sfi_free(ctx, plan, 1, sizeof *plan);
}
