/* SPDX-License-Identifier: Apache-2.0 */
/* plan_fuse.c - stage 4: from tasks to steps.
 *
 * Element-wise tasks of one level and shape become one step, whose instructions
 * follow each other for a strip of elements that stays in the cache.  What only
 * the step itself reads has no buffer but a temporary row, which is used again
 * after its last reader; a product that one sum reads is part of a fused
 * multiply-add.  All other tasks are steps as they are. */
#include "graph/planner.h"

#include <stdlib.h>
#include <string.h>

static bool same_group(const sfi_task *a, const sfi_task *b)
{
    return a->elementwise && b->elementwise && sfi_same_rate(a, b) &&
           a->step.level == b->step.level &&
           sfi_shape_equal(&a->step.out.shape, &b->step.out.shape);
}

/* Field by field: the bytes between them may hold anything, and tasks of one
 * shape must stand together. */
static int compare_shapes(const sfi_shape *a, const sfi_shape *b)
{
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    for (int i = 0; i < a->rank; i++)
        if (a->extent[i] != b->extent[i])
            return a->extent[i] < b->extent[i] ? -1 : 1;
    return 0;
}

static bool same_operand(const sfi_operand *a, const sfi_operand *b)
{
    return a->buffer == b->buffer && a->offset == b->offset &&
           a->scalar == b->scalar &&
           memcmp(a->stride, b->stride, sizeof a->stride) == 0;
}

/* Constants, then uniform, then varying; then by level; within a level element-wise tasks of
 * one shape stand together, in order of creation. */
static int compare_tasks(const void *pa, const void *pb)
{
    const sfi_task *a = *(const sfi_task *const *)pa,
                   *b = *(const sfi_task *const *)pb;
    if (a->step.varies != b->step.varies)
        return a->step.varies ? 1 : -1;
    if (a->step.constant != b->step.constant)
        return a->step.constant ? -1 : 1;
    if (a->step.level != b->step.level)
        return a->step.level < b->step.level ? -1 : 1;
    if (a->elementwise != b->elementwise)
        return a->elementwise ? 1 : -1;
    if (a->elementwise) {
        const int order =
            compare_shapes(&a->step.out.shape, &b->step.out.shape);
        if (order != 0)
            return order;
    }
    return a->node < b->node ? -1 : a->node > b->node;
}

/* A buffer is kept if anything outside its group reads it. */
static void find_kept(sfi_planner *p)
{
    sfi_buffer *buffers = p->plan->buffers;
    for (size_t i = 0; i < p->task_count; i++)
        if (p->tasks[i].elementwise)
            buffers[p->tasks[i].out].kept = false;
    for (size_t i = 0; i < p->task_count; i++) {
        const sfi_task *t = &p->tasks[i];
        for (int k = 0; k < t->step.in_count; k++) {
            const sfi_view *v = &t->step.in[k];
            p->reads[v->buffer]++;
            const int32_t producer = p->producer[v->buffer];
            if (producer < 0 || !sfi_reads_in_step(p, t, v) ||
                !same_group(t, &p->tasks[producer]))
                buffers[v->buffer].kept = true;
        }
    }
    for (int i = 0; i < p->plan->output_count; i++)
        if (p->plan->outputs[i].uniform)
            buffers[p->plan->outputs[i].value.buffer].kept = true;
}

static sfi_step *append_step(sfi_planner *p, const sfi_step *step)
{
    sfi_plan *plan = p->plan;
    sfi_step *grown = sfi_grow(p->ctx, plan->steps, &plan->step_capacity,
                               plan->step_count + 1, sizeof *grown);
    if (grown == NULL) {
        p->failed = true;
        return NULL;
    }
    plan->steps = grown;
    grown[plan->step_count] = *step;
    return &grown[plan->step_count++];
}

/* The fused step being built: which operand or temporary holds a buffer. */
typedef struct fusion {
    sfi_planner *p;
    sfi_fused *f;
    const sfi_shape *shape;
    bool varies;
    int *slot; /* [buffer_count], temporary number of a buffer, -1 none */
    int *left; /* [buffer_count], reads still to come                   */
    int *free_slots;
    int free_count;
} fusion;

static int add_operand(fusion *u, const sfi_view *v)
{
    sfi_fused *f = u->f;
    const bool varies = sfi_view_varies(u->p, v);
    sfi_operand o = {.buffer = v->buffer, .offset = v->offset};
    for (int i = 0; i < v->shape.rank; i++)
        o.stride[i] = v->shape.extent[i] == 1 ? 0 : v->stride[i];
    o.scalar = u->varies ? !varies : !sfi_uniform_row(u->p, v);
    for (int k = 0; k < f->operand_count; k++)
        if (same_operand(&f->operands[k], &o))
            return ~k;
    sfi_operand *grown = sfi_grow(u->p->ctx, f->operands, &f->operand_capacity,
                                  (size_t)f->operand_count + 1, sizeof *grown);
    if (grown == NULL) {
        u->p->failed = true;
        return ~0;
    }
    f->operands = grown;
    grown[f->operand_count] = o;
    return ~f->operand_count++;
}

/* Where an instruction finds operand v; a temporary's last read frees it. */
static int read_operand(fusion *u, const sfi_task *t, const sfi_view *v)
{
    const sfi_planner *p = u->p;
    if (sfi_reads_in_step(p, t, v) && !p->plan->buffers[v->buffer].kept) {
        const int slot = u->slot[v->buffer];
        if (--u->left[v->buffer] == 0)
            u->free_slots[u->free_count++] = slot;
        return slot;
    }
    return add_operand(u, v);
}

static int write_operand(fusion *u, const sfi_task *t)
{
    sfi_planner *p = u->p;
    if (p->plan->buffers[t->out].kept)
        return add_operand(u, &t->step.out);
    const int slot =
        u->free_count > 0 ? u->free_slots[--u->free_count] : u->f->temp_count++;
    u->slot[t->out] = slot;
    u->left[t->out] = p->reads[t->out];
    return slot;
}

/* a*b + c: the product's task if it lives in this step alone for this sum. */
static sfi_task *product_for_sum(sfi_planner *p, sfi_task *t, int *k)
{
    if (t->op != SFI_OP_ADD)
        return NULL;
    for (*k = 0; *k < 2; (*k)++) {
        const sfi_view *v = &t->step.in[*k];
        const int32_t producer = p->producer[v->buffer];
        if (producer < 0 || !sfi_reads_in_step(p, t, v))
            continue;
        sfi_task *m = &p->tasks[producer];
        if (m->op == SFI_OP_MUL && same_group(m, t) && !m->absorbed &&
            p->reads[m->out] == 1 && !p->plan->buffers[m->out].kept)
            return m;
    }
    return NULL;
}

static bool is_scalar_operand(const fusion *u, int where)
{
    return where < 0 && u->f->operands[~where].scalar;
}

static void add_instruction(fusion *u, const sfi_task *t, sfi_ew op,
                            const sfi_view *const *in,
                            const sfi_task *const *reader, int count)
{
    sfi_instruction ins = {.op = op};
    int where[3] = {0, 0, 0};
    for (int k = 0; k < count; k++) {
        where[k] = read_operand(u, reader[k], in[k]);
        if (u->p->failed)
            return;
        if (is_scalar_operand(u, where[k]))
            ins.mode |= 1 << k;
    }
    ins.a = where[0];
    ins.b = where[1];
    ins.c = where[2];
    ins.dst = write_operand(u, t);
    sfi_instruction *grown =
        sfi_grow(u->p->ctx, u->f->instructions, &u->f->instruction_capacity,
                 (size_t)u->f->instruction_count + 1, sizeof *grown);
    if (grown == NULL) {
        u->p->failed = true;
        return;
    }
    u->f->instructions = grown;
    grown[u->f->instruction_count++] = ins;
}

/* The product that sum t absorbed, which is its operand *k. */
static const sfi_task *absorbed_product(const sfi_planner *p, const sfi_task *t,
                                        int *k)
{
    if (t->op != SFI_OP_ADD)
        return NULL;
    for (*k = 0; *k < 2; (*k)++) {
        const int32_t from = p->producer[t->step.in[*k].buffer];
        if (from >= 0 && p->tasks[from].absorbed &&
            same_group(&p->tasks[from], t))
            return &p->tasks[from];
    }
    return NULL;
}

static void add_task(fusion *u, const sfi_task *t)
{
    int k;
    const sfi_task *m = absorbed_product(u->p, t, &k);
    if (m != NULL) {
        const sfi_view *in[3] = {&m->step.in[0], &m->step.in[1],
                                 &t->step.in[1 - k]};
        const sfi_task *reader[3] = {m, m, t};
        add_instruction(u, t, SFI_EW_FMA, in, reader, 3);
        return;
    }
    const sfi_view *in[3];
    const sfi_task *reader[3] = {t, t, t};
    for (int a = 0; a < t->step.in_count; a++)
        in[a] = &t->step.in[a];
    add_instruction(u, t, (sfi_ew)t->op, in, reader, t->step.in_count);
}

/* Merge axes that every operand walks through as one; then decide whether the
 * innermost one can be run together with the points. */
static void collapse(fusion *u)
{
    sfi_fused *f = u->f;
    f->rank = 0;
    int axis[SF_MAX_RANK];
    for (int i = 0; i < u->shape->rank; i++)
        if (u->shape->extent[i] > 1) {
            axis[f->rank] = i;
            f->extent[f->rank++] = u->shape->extent[i];
        }
    for (int k = 0; k < f->operand_count; k++)
        for (int i = 0; i < SF_MAX_RANK; i++)
            f->operands[k].stride[i] =
                i < f->rank ? f->operands[k].stride[axis[i]] : 0;
    for (int i = f->rank - 2; i >= 0; i--) {
        bool merge = true;
        for (int k = 0; k < f->operand_count && merge; k++) {
            const int64_t *s = f->operands[k].stride;
            merge = s[i] == s[i + 1] * f->extent[i + 1];
        }
        if (!merge)
            continue;
        f->extent[i] *= f->extent[i + 1];
        for (int j = i + 1; j < f->rank - 1; j++)
            f->extent[j] = f->extent[j + 1];
        for (int k = 0; k < f->operand_count; k++) {
            int64_t *s = f->operands[k].stride;
            for (int j = i; j < f->rank - 1; j++)
                s[j] = s[j + 1];
            s[f->rank - 1] = 0;
        }
        f->rank--;
    }
    f->flat = true;
    f->lined_up = f->rank > 0;
    for (int k = 0; k < f->operand_count && f->rank > 0; k++) {
        const int64_t inner = f->operands[k].stride[f->rank - 1];
        f->flat = f->flat && inner == (f->operands[k].scalar ? 0 : 1);
        f->lined_up = f->lined_up && (f->operands[k].scalar || inner == 1);
    }
}

static void build_fused(sfi_planner *p, sfi_task *const *group, size_t count)
{
    sf_context *ctx = p->ctx;
    const size_t buffers = p->plan->buffer_count;
    fusion u = {.p = p,
                .shape = &group[0]->step.out.shape,
                .varies = group[0]->step.varies};
    sfi_step step = group[0]->step;
    step.in = NULL;
    step.in_count = 0;
    step.out.buffer = -1;
    u.f = step.fused = sfi_alloc_zero(ctx, 1, sizeof *u.f);
    u.slot = sfi_alloc(ctx, buffers, sizeof *u.slot);
    u.left = sfi_alloc(ctx, buffers, sizeof *u.left);
    u.free_slots = sfi_alloc(ctx, count + 1, sizeof *u.free_slots);
    if (u.f == NULL || u.slot == NULL || u.left == NULL ||
        u.free_slots == NULL || append_step(p, &step) == NULL) {
        if (u.f != NULL)
            sfi_free(ctx, u.f, 1, sizeof *u.f);
        p->failed = true;
        goto done;
    }
    for (size_t i = 0; i < count; i++) {
        int k;
        sfi_task *m = product_for_sum(p, group[i], &k);
        if (m != NULL)
            m->absorbed = true;
    }
    for (size_t i = 0; i < count && !p->failed; i++)
        if (!group[i]->absorbed)
            add_task(&u, group[i]);
    collapse(&u);
    /* One for each operand that is written out, too. */
    const int temps =
        u.f->temp_count + (u.f->lined_up ? u.f->operand_count : 0);
    if (temps > p->plan->temp_rows)
        p->plan->temp_rows = temps;
done:
    sfi_free(ctx, u.free_slots, count + 1, sizeof *u.free_slots);
    sfi_free(ctx, u.left, buffers, sizeof *u.left);
    sfi_free(ctx, u.slot, buffers, sizeof *u.slot);
}

static void build_steps(sfi_planner *p)
{
    const size_t count = p->task_count;
    sfi_task **order = sfi_alloc(p->ctx, count, sizeof *order);
    if (order == NULL) {
        p->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++)
        order[i] = &p->tasks[i];
    qsort(order, count, sizeof *order, compare_tasks);
    size_t i = 0;
    while (i < count && !p->failed) {
        size_t j = i + 1;
        if (order[i]->elementwise) {
            while (j < count && same_group(order[i], order[j]))
                j++;
            build_fused(p, order + i, j - i);
        } else if (append_step(p, &order[i]->step) != NULL) {
            order[i]->step.in = NULL; /* the step owns it now */
            order[i]->step.in_count = 0;
        }
        if (order[i]->step.constant)
            p->plan->constant_steps = p->plan->step_count;
        if (!order[i]->step.varies)
            p->plan->uniform_steps = p->plan->step_count;
        i = j;
    }
    sfi_free(p->ctx, order, count, sizeof *order);
}

void sfi_plan_fuse(sfi_planner *p)
{
    p->reads = sfi_alloc_zero(p->ctx, p->plan->buffer_count, sizeof *p->reads);
    if (p->reads == NULL) {
        p->failed = true;
        return;
    }
    find_kept(p);
    build_steps(p);
}
