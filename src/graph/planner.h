/* SPDX-License-Identifier: Apache-2.0 */
/* planner.h - what the five stages of planning (plan.c) hand on to each other.
 *
 * A graph is lowered to tasks, each of which writes one buffer; tasks become the
 * steps of a plan.  A stage reads what those before it have written here, and
 * says in `failed` that memory is gone; whoever called it looks and gives up. */
#ifndef SFI_PLANNER_H
#define SFI_PLANNER_H

#include "graph/plan.h"

/* Numbers by which places in the arena of uniform values are multiples. */
enum { SFI_UNIFORM_ALIGN = 16 };

/* One operation to be scheduled.  Element-wise tasks are merged into fused
 * steps; all others are steps already. */
typedef struct sfi_task {
    sfi_step step;
    bool elementwise;
    sfi_op op;
    int32_t out;   /* buffer written, -1 for stores and reductions */
    int32_t node;  /* creation order                               */
    bool absorbed; /* a product that became part of an FMA        */
} sfi_task;

/* A part of a summed output: a product (a, b >= 0) or any node (a alone). */
typedef struct sfi_term {
    int output;
    sf_node a, b;
    int64_t pad; /* -1: matrix product; else convolution gradient */
} sfi_term;

typedef struct sfi_planner {
    sf_context *ctx;
    sf_graph *g;
    sfi_plan *plan;
    sfi_term *terms;
    size_t term_count, term_capacity;
    sfi_task *tasks;
    size_t task_count, task_capacity;
    size_t summable;       /* nodes of the graph as it was given             */
    bool *leads;           /* [summable] to a product that can be summed     */
    sf_node *scale;        /* [summable] how often a node is summed, or none */
    size_t node_count;     /* nodes considered */
    bool *needed;          /* [node_count] */
    unsigned char *halves; /* [node_count] sigmoid and softplus of a node ... */
    int32_t *fall;     /* [node_count] ... and the buffer of what both need */
    int *uses;         /* [node_count] */
    sfi_view *views;   /* [node_count] */
    int32_t *producer; /* task that writes a buffer, -1 for leaves */
    size_t producer_capacity;
    int *reads;       /* [buffer_count] how many operands read the buffer */
    bool failed;      /* out of memory */
    sfi_task dropped; /* what callers write to when memory is gone */
} sfi_planner;

/* ---- the stages ------------------------------------------------------------- */

/* 1. Fill p->terms from the summed outputs; adds nodes to the graph, which may
 * leave it with an error. */
void sfi_plan_split(sfi_planner *p, const sf_output *outputs);

/* 2. Fill p->tasks, and the plan's buffers and constants. */
void sfi_plan_lower(sfi_planner *p, const sf_output *outputs);

/* 3. Set the level of each task and of what it writes. */
void sfi_plan_levels(sfi_planner *p);

/* 4. Turn the tasks into the plan's steps, in order. */
void sfi_plan_fuse(sfi_planner *p);

/* 5. Give each buffer its place in an arena. */
void sfi_plan_place(sfi_plan *plan);

/* ---- what several of them ask ----------------------------------------------- */

static inline bool sfi_view_varies(const sfi_planner *p, const sfi_view *v)
{
    return p->plan->buffers[v->buffer].varies;
}

/* Uniform loops run along whole buffers, so operands are either contiguous and
 * aligned in the arena or one number; and at least one is the former. */
static inline bool sfi_uniform_row(const sfi_planner *p, const sfi_view *v)
{
    return p->plan->buffers[v->buffer].place == SFI_IN_ARENA &&
           sfi_view_contiguous(v) && v->offset % SFI_UNIFORM_ALIGN == 0;
}

/* Whether two tasks run equally often. */
static inline bool sfi_same_rate(const sfi_task *a, const sfi_task *b)
{
    return a->step.varies == b->step.varies &&
           a->step.constant == b->step.constant;
}

/* Whether task t reads operand v of an element-wise task of the same shape
 * element by element, so that both can be one step (plan_levels.c). */
bool sfi_reads_in_step(const sfi_planner *p, const sfi_task *t,
                       const sfi_view *v);

/* ---- views (plan_views.c) --------------------------------------------------- */

/* All of a buffer, row-major. */
sfi_view sfi_view_whole(int32_t buffer, const sfi_shape *shape);

/* Strides of a row-major array of the view's shape. */
void sfi_view_set_contiguous(sfi_view *v);

/* Another shape without moving anything; false if the strides do not allow it. */
bool sfi_view_reshape(const sfi_view *from, const sfi_shape *to, sfi_view *out);

/* Axis i of the result is axis order[i] of v. */
sfi_view sfi_view_permute(const sfi_view *v, const int64_t *order);

/* Elements first, first + step, ... along one axis. */
sfi_view sfi_view_slice(const sfi_view *v, int axis, int64_t first,
                        int64_t count, int64_t step);

/* Stretched to a shape whose last axes are those of v, or 1 in v. */
sfi_view sfi_view_broadcast(const sfi_view *v, const sfi_shape *to);

#endif
