/* SPDX-License-Identifier: Apache-2.0 */
/* check_plan.h - what must hold of every plan, found from its steps alone.
 *
 *   - a buffer is written whole by one step before any step reads it
 *   - no two buffers that are alive at the same step share a component
 *   - every view stays inside its buffer, every buffer inside its arena
 *   - uniform steps come first and read nothing that varies */
#ifndef SFI_TESTS_CHECK_PLAN_H
#define SFI_TESTS_CHECK_PLAN_H

#include "check.h"
#include "graph/plan.h"

struct life {
    int written, read; /* first write, last use; -1 if none */
    bool constant;
};

static void plan_view_fits(const sfi_plan *plan, const sfi_view *v)
{
    int64_t low = v->offset, high = v->offset;
    for (int i = 0; i < v->shape.rank; i++) {
        const int64_t span = v->stride[i] * (v->shape.extent[i] - 1);
        low += span < 0 ? span : 0;
        high += span > 0 ? span : 0;
    }
    assert_true(v->buffer >= 0 && (size_t)v->buffer < plan->buffer_count);
    assert_true(low >= 0 && high < plan->buffers[v->buffer].comps);
}

static void plan_read(const sfi_plan *plan, struct life *lives, int32_t buffer,
                      int step)
{
    const sfi_buffer *b = &plan->buffers[buffer];
    struct life *l = &lives[buffer];
    assert_true(b->kept);
    assert_true(b->place == SFI_IN_PARAM || l->constant ||
                (l->written >= 0 && l->written < step));
    if (!plan->steps[step].varies)
        assert_true(!b->varies);
    l->read = step;
}

static void plan_write(const sfi_plan *plan, struct life *lives, int32_t buffer,
                       int step)
{
    const sfi_buffer *b = &plan->buffers[buffer];
    assert_true(b->kept && b->place == SFI_IN_ARENA);
    assert_true(b->varies == plan->steps[step].varies);
    assert_true(lives[buffer].written < 0 && !lives[buffer].constant);
    lives[buffer].written = lives[buffer].read = step;
}

/* One fused step.  Each operand is read or written by instructions; a kept
 * buffer may be read in the step that writes it, by later instructions. */
static void plan_fused(const sfi_plan *plan, struct life *lives, int step)
{
    const sfi_step *s = &plan->steps[step];
    const sfi_fused *f = s->fused;
    int64_t size = 1;
    for (int i = 0; i < f->rank; i++)
        size *= f->extent[i];
    bool *holds = calloc((size_t)f->temp_count + 1, sizeof *holds);
    for (int k = 0; k < f->instruction_count; k++) {
        const sfi_instruction *in = &f->instructions[k];
        static const int arity[] = {
#define EW(NAME, name, count, ...) count,
#include "num/elementwise.def"
#undef EW
        };
        const int from[3] = {in->a, in->b, in->c};
        for (int a = 0; a < arity[in->op]; a++) {
            if (from[a] >= 0) {
                assert_true(from[a] < f->temp_count && holds[from[a]]);
                continue;
            }
            const sfi_operand *o = &f->operands[~from[a]];
            assert_true(~from[a] < f->operand_count);
            if (lives[o->buffer].written != step)
                plan_read(plan, lives, o->buffer, step);
        }
        if (in->dst >= 0) {
            assert_true(in->dst < f->temp_count);
            holds[in->dst] = true;
        } else {
            assert_true(plan->buffers[f->operands[~in->dst].buffer].comps ==
                        size);
            plan_write(plan, lives, f->operands[~in->dst].buffer, step);
        }
    }
    for (int k = 0; k < f->operand_count; k++) {
        const sfi_operand *o = &f->operands[k];
        sfi_view v = {.buffer = o->buffer, .offset = o->offset};
        v.shape.rank = f->rank;
        memcpy(v.shape.extent, f->extent, sizeof v.shape.extent);
        memcpy(v.stride, o->stride, sizeof v.stride);
        plan_view_fits(plan, &v);
    }
    assert_true(f->temp_count <= plan->temp_rows);
    free(holds);
}

static bool plan_in_arena(const sfi_plan *plan, const struct life *lives,
                          size_t id)
{
    const sfi_buffer *b = &plan->buffers[id];
    return b->place == SFI_IN_ARENA &&
           (lives[id].constant || lives[id].written >= 0);
}

static void plan_no_overlap(const sfi_plan *plan, const struct life *lives)
{
    for (size_t i = 0; i < plan->buffer_count; i++) {
        const sfi_buffer *a = &plan->buffers[i];
        if (!plan_in_arena(plan, lives, i))
            continue;
        assert_true(a->offset >= 0 &&
                    a->offset + a->comps <= (a->varies ? plan->varying_comps
                                                       : plan->uniform_comps));
        for (size_t j = 0; j < i; j++) {
            const sfi_buffer *b = &plan->buffers[j];
            if (!plan_in_arena(plan, lives, j) || a->varies != b->varies)
                continue;
            /* What is uniform lives for the whole run. */
            const bool together =
                !a->varies || (lives[i].written <= lives[j].read &&
                               lives[j].written <= lives[i].read);
            assert_true(!together || a->offset + a->comps <= b->offset ||
                        b->offset + b->comps <= a->offset);
        }
    }
}

static void check_plan(const sfi_plan *plan)
{
    struct life *lives = calloc(plan->buffer_count, sizeof *lives);
    for (size_t i = 0; i < plan->buffer_count; i++)
        lives[i].written = lives[i].read = -1;
    for (size_t i = 0; i < plan->constant_count; i++) {
        const sfi_constant *c = &plan->constants[i];
        assert_true(c->count == plan->buffers[c->buffer].comps);
        lives[c->buffer].constant = true;
    }
    for (size_t i = 0; i < plan->step_count; i++) {
        const sfi_step *s = &plan->steps[i];
        assert_true(s->varies == (i >= plan->uniform_steps));
        for (int k = 0; k < s->in_count; k++) {
            plan_view_fits(plan, &s->in[k]);
            plan_read(plan, lives, s->in[k].buffer, (int)i);
        }
        if (s->out.buffer >= 0) {
            plan_view_fits(plan, &s->out);
            assert_true(sfi_view_contiguous(&s->out) && s->out.offset == 0);
            assert_true(sfi_shape_count(&s->out.shape) ==
                        plan->buffers[s->out.buffer].comps);
            plan_write(plan, lives, s->out.buffer, (int)i);
        }
        if (s->fused != NULL)
            plan_fused(plan, lives, (int)i);
    }
    for (int k = 0; k < plan->output_count; k++)
        if (plan->outputs[k].uniform) {
            const sfi_view *v = &plan->outputs[k].value;
            plan_view_fits(plan, v);
            assert_true(plan->buffers[v->buffer].place == SFI_IN_PARAM ||
                        plan_in_arena(plan, lives, (size_t)v->buffer));
        }
    plan_no_overlap(plan, lives);
    free(lives);
}

#endif
