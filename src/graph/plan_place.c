/* SPDX-License-Identifier: Apache-2.0 */
/* plan_place.c - stage 5: a place for each buffer.
 *
 * A buffer lives from the first step that touches it to the last.  Buffers of
 * varying values whose lives do not overlap may lie in the same place: each is put
 * at the lowest one that is free for all of its life (first fit).  The fewer rows
 * the arena has, the more points of a block fit the cache. */
#include "graph/planner.h"

static void touch(sfi_plan *plan, int32_t buffer, int step)
{
    if (buffer < 0)
        return;
    sfi_buffer *b = &plan->buffers[buffer];
    if (b->first_step < 0)
        b->first_step = step;
    b->last_step = step;
}

static void find_lifetimes(sfi_plan *plan)
{
    for (size_t i = 0; i < plan->step_count; i++) {
        const sfi_step *s = &plan->steps[i];
        for (int k = 0; k < s->in_count; k++)
            touch(plan, s->in[k].buffer, (int)i);
        touch(plan, s->out.buffer, (int)i);
        if (s->fused != NULL)
            for (int k = 0; k < s->fused->operand_count; k++)
                touch(plan, s->fused->operands[k].buffer, (int)i);
    }
}

static bool in_varying_arena(const sfi_buffer *b)
{
    return b->varies && b->kept && b->first_step >= 0;
}

/* Lowest place for a buffer beside those whose lives overlap its own. */
static int64_t first_fit(const sfi_plan *plan, size_t id)
{
    const sfi_buffer *b = &plan->buffers[id];
    int64_t at = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t k = 0; k < id; k++) {
            const sfi_buffer *o = &plan->buffers[k];
            if (in_varying_arena(o) && o->first_step <= b->last_step &&
                b->first_step <= o->last_step && at < o->offset + o->comps &&
                o->offset < at + b->comps) {
                at = o->offset + o->comps;
                moved = true;
            }
        }
    }
    return at;
}

void sfi_plan_place(sfi_plan *plan)
{
    find_lifetimes(plan);
    for (size_t id = 0; id < plan->buffer_count; id++) {
        sfi_buffer *b = &plan->buffers[id];
        if (b->place == SFI_IN_PARAM)
            continue;
        if (!b->varies) {
            /* No reuse: constants must survive, and the rest is small. */
            b->offset = plan->uniform_comps;
            plan->uniform_comps += (b->comps + SFI_UNIFORM_ALIGN - 1) /
                                   SFI_UNIFORM_ALIGN * SFI_UNIFORM_ALIGN;
        } else if (in_varying_arena(b)) {
            b->offset = first_fit(plan, id);
            if (b->offset + b->comps > plan->varying_comps)
                plan->varying_comps = b->offset + b->comps;
        }
    }
}
