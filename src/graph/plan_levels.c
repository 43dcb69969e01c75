/* SPDX-License-Identifier: Apache-2.0 */
/* plan_levels.c - stage 3: which tasks may run together, and which must wait.
 *
 * The level of a task is one more than that of what it reads, except that an
 * element-wise task may share the level of one whose result it reads element by
 * element: both then become one step.  A step can only depend on lower levels and
 * on itself, so steps in order of level are a correct schedule.
 *
 * Levels are first as low as they can be; then what would wait long for its only
 * reader is moved up to it. */
#include "graph/planner.h"

#include <limits.h>

bool sfi_reads_in_step(const sfi_planner *p, const sfi_task *t,
                       const sfi_view *v)
{
    const int32_t producer = p->producer[v->buffer];
    if (!t->elementwise || producer < 0)
        return false;
    const sfi_task *from = &p->tasks[producer];
    return from->elementwise && sfi_same_rate(from, t) && v->offset == 0 &&
           sfi_view_contiguous(v) &&
           sfi_shape_equal(&from->step.out.shape, &t->step.out.shape) &&
           sfi_shape_equal(&v->shape, &t->step.out.shape);
}

/* What is loaded or drawn need not wait long for its first reader; and what one
 * element-wise task alone reads, element by element, becomes part of its step. */
static void delay(sfi_planner *p)
{
    const size_t count = p->task_count;
    int *latest = sfi_alloc(p->ctx, count, sizeof *latest);
    int *readers = sfi_alloc_zero(p->ctx, count, sizeof *readers);
    bool *in_step = sfi_alloc_zero(p->ctx, count, sizeof *in_step);
    if (latest == NULL || readers == NULL || in_step == NULL)
        p->failed = true;
    for (size_t i = 0; i < count && !p->failed; i++)
        latest[i] = INT_MAX;
    for (size_t i = count; i-- > 0 && !p->failed;) {
        sfi_task *t = &p->tasks[i];
        if (readers[i] > 0 &&
            (t->step.kind == SFI_STEP_LOAD || (readers[i] == 1 && in_step[i])))
            t->step.level = latest[i];
        if (t->out >= 0)
            p->plan->buffers[t->out].level = t->step.level;
        for (int k = 0; k < t->step.in_count; k++) {
            const sfi_view *v = &t->step.in[k];
            const int32_t from = p->producer[v->buffer];
            if (from < 0 || !sfi_same_rate(t, &p->tasks[from]))
                continue;
            readers[from]++;
            in_step[from] = sfi_reads_in_step(p, t, v);
            const int bound = t->step.level - (in_step[from] ? 0 : 1);
            if (bound < latest[from])
                latest[from] = bound;
        }
    }
    sfi_free(p->ctx, latest, count, sizeof *latest);
    sfi_free(p->ctx, readers, count, sizeof *readers);
    sfi_free(p->ctx, in_step, count, sizeof *in_step);
}

void sfi_plan_levels(sfi_planner *p)
{
    sfi_buffer *buffers = p->plan->buffers;
    for (size_t i = 0; i < p->task_count; i++) {
        sfi_task *t = &p->tasks[i];
        int level = 0;
        for (int k = 0; k < t->step.in_count; k++) {
            const sfi_view *v = &t->step.in[k];
            if (buffers[v->buffer].varies != t->step.varies ||
                buffers[v->buffer].constant != t->step.constant)
                continue; /* written before any of these tasks */
            const int from = buffers[v->buffer].level;
            const int least = sfi_reads_in_step(p, t, v) ? from : from + 1;
            level = least > level ? least : level;
        }
        t->step.level = level;
        if (t->out >= 0)
            buffers[t->out].level = level;
    }
    delay(p);
}
