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
#include "graph/plan.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* One operation to be scheduled.  Element-wise tasks are merged into fused
 * steps; all others are steps already. */
typedef struct task {
    sfi_step step;
    bool elementwise;
    sfi_op op;
    int32_t out;   /* buffer written, -1 for stores and reductions */
    int32_t node;  /* creation order                               */
    bool absorbed; /* a product that became part of an FMA        */
} task;

/* A part of a summed output: a product (a, b >= 0) or any node (a alone). */
typedef struct term {
    int output;
    sf_node a, b;
    int64_t pad; /* -1: matrix product; else convolution gradient */
} term;

typedef struct planner {
    sf_context *ctx;
    sf_graph *g;
    sfi_plan *plan;
    term *terms;
    size_t term_count, term_capacity;
    task *tasks;
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
    int *reads;   /* [buffer_count] how many operands read the buffer */
    bool failed;  /* out of memory */
    task dropped; /* what callers write to when memory is gone */
} planner;

enum { UNIFORM_ALIGN = 16, SMALL_PRODUCT = 16 };

static const sf_node none = {-1};

/* ---- views ------------------------------------------------------------------ */

static void set_contiguous(sfi_view *v)
{
    int64_t step = 1;
    for (int i = v->shape.rank - 1; i >= 0; i--) {
        v->stride[i] = step;
        step *= v->shape.extent[i];
    }
}

bool sfi_view_contiguous(const sfi_view *v)
{
    int64_t step = 1;
    for (int i = v->shape.rank - 1; i >= 0; i--) {
        if (v->shape.extent[i] != 1 && v->stride[i] != step)
            return false;
        step *= v->shape.extent[i];
    }
    return true;
}

static bool all_strides_zero(const sfi_view *v)
{
    for (int i = 0; i < v->shape.rank; i++)
        if (v->stride[i] != 0 && v->shape.extent[i] != 1)
            return false;
    return true;
}

static sfi_view whole(int32_t buffer, const sfi_shape *shape)
{
    sfi_view v = {.buffer = buffer, .shape = *shape};
    set_contiguous(&v);
    return v;
}

/* Reshape without moving anything, if the strides allow it: walk both shapes
 * from the front, matching runs of axes with equal products. */
static bool reshape_view(const sfi_view *from, const sfi_shape *to,
                         sfi_view *out)
{
    *out = *from;
    out->shape = *to;
    memset(out->stride, 0, sizeof out->stride);
    int i = 0, j = 0;
    const int ri = from->shape.rank, rj = to->rank;
    while (i < ri || j < rj) {
        if (i < ri && from->shape.extent[i] == 1) {
            i++;
            continue;
        }
        if (j < rj && to->extent[j] == 1) {
            j++;
            continue;
        }
        int i1 = i, j1 = j;
        int64_t pi = from->shape.extent[i1++], pj = to->extent[j1++];
        while (pi != pj) {
            if (pi < pj)
                pi *= from->shape.extent[i1++];
            else
                pj *= to->extent[j1++];
        }
        int64_t inner = 0; /* stride of the run's last axis longer than 1 */
        int64_t expect = -1;
        for (int k = i1 - 1; k >= i; k--) {
            if (from->shape.extent[k] == 1)
                continue;
            if (expect < 0)
                inner = from->stride[k];
            else if (from->stride[k] != expect)
                return false;
            expect = from->stride[k] * from->shape.extent[k];
        }
        int64_t step = inner;
        for (int k = j1 - 1; k >= j; k--) {
            out->stride[k] = step;
            step *= to->extent[k];
        }
        i = i1;
        j = j1;
    }
    return true;
}

static sfi_view permute_view(const sfi_view *v, const int64_t *order)
{
    sfi_view out = *v;
    for (int i = 0; i < v->shape.rank; i++) {
        out.shape.extent[i] = v->shape.extent[order[i]];
        out.stride[i] = v->stride[order[i]];
    }
    return out;
}

static sfi_view slice_view(const sfi_view *v, int axis, int64_t first,
                           int64_t count, int64_t step)
{
    sfi_view out = *v;
    out.offset += first * v->stride[axis];
    out.stride[axis] *= step;
    out.shape.extent[axis] = count;
    return out;
}

static sfi_view broadcast_view(const sfi_view *v, const sfi_shape *to)
{
    sfi_view out = *v;
    out.shape = *to;
    for (int i = 0; i < to->rank; i++) {
        const int j = v->shape.rank - to->rank + i;
        const bool stretched =
            j < 0 || (v->shape.extent[j] == 1 && to->extent[i] != 1);
        out.stride[i] = stretched ? 0 : v->stride[j];
    }
    return out;
}

/* ---- buffers and tasks ------------------------------------------------------ */

/* Room for a first buffer.  When memory runs out later, callers get buffer 0
 * and go on until the planner looks; it must be there. */
static bool first_buffer(planner *p)
{
    sfi_plan *plan = p->plan;
    plan->buffers = sfi_grow(p->ctx, NULL, &plan->buffer_capacity, 1,
                             sizeof *plan->buffers);
    p->producer =
        sfi_grow(p->ctx, NULL, &p->producer_capacity, 1, sizeof *p->producer);
    if (plan->buffers == NULL || p->producer == NULL)
        return false;
    memset(&plan->buffers[0], 0, sizeof plan->buffers[0]);
    p->producer[0] = -1;
    return true;
}

static int32_t new_buffer(planner *p, int64_t comps, bool varies)
{
    sfi_plan *plan = p->plan;
    sfi_buffer *grown = sfi_grow(p->ctx, plan->buffers, &plan->buffer_capacity,
                                 plan->buffer_count + 1, sizeof *grown);
    if (grown == NULL) {
        p->failed = true;
        return 0;
    }
    plan->buffers = grown;
    int32_t *producer = sfi_grow(p->ctx, p->producer, &p->producer_capacity,
                                 plan->buffer_count + 1, sizeof *producer);
    if (producer == NULL) {
        p->failed = true;
        return 0;
    }
    p->producer = producer;
    const int32_t id = (int32_t)plan->buffer_count++;
    grown[id] = (sfi_buffer){.varies = varies,
                             .comps = comps,
                             .level = -1,
                             .first_step = -1,
                             .last_step = -1,
                             .kept = true};
    producer[id] = -1;
    return id;
}

/* A task that writes all of `out` (or nothing, out < 0) and reads `in`. */
static task *new_task(planner *p, sfi_step_kind kind, bool varies, int32_t out,
                      const sfi_shape *out_shape, int in_count,
                      const sfi_view *in)
{
    task *grown = sfi_grow(p->ctx, p->tasks, &p->task_capacity,
                           p->task_count + 1, sizeof *grown);
    if (grown == NULL) {
        p->failed = true;
        memset(&p->dropped, 0, sizeof p->dropped);
        return &p->dropped;
    }
    p->tasks = grown;
    sfi_view *copy = sfi_alloc(p->ctx, (size_t)in_count, sizeof *copy);
    if (copy == NULL) {
        p->failed = true;
        in_count = 0;
    } else if (in_count > 0) {
        memcpy(copy, in, (size_t)in_count * sizeof *copy);
    }
    bool constant = !varies;
    for (int k = 0; k < in_count; k++)
        constant = constant && p->plan->buffers[in[k].buffer].constant;
    task *t = &grown[p->task_count];
    memset(t, 0, sizeof *t);
    t->out = out;
    t->node = (int32_t)p->task_count;
    t->step = (sfi_step){.kind = kind,
                         .varies = varies,
                         .constant = constant,
                         .in_count = in_count,
                         .in = copy};
    t->step.out.buffer = -1;
    if (out >= 0) {
        t->step.out = whole(out, out_shape);
        p->producer[out] = (int32_t)p->task_count;
        p->plan->buffers[out].constant = constant;
    }
    p->task_count++;
    return t;
}

static bool view_varies(const planner *p, const sfi_view *v)
{
    return p->plan->buffers[v->buffer].varies;
}

/* A contiguous copy of a view. */
static sfi_view materialise(planner *p, const sfi_view *v)
{
    const bool varies = view_varies(p, v);
    const int32_t out = new_buffer(p, sfi_shape_count(&v->shape), varies);
    (void)new_task(p, SFI_STEP_COPY, varies, out, &v->shape, 1, v);
    return whole(out, &v->shape);
}

static sfi_view contiguous(planner *p, const sfi_view *v)
{
    return sfi_view_contiguous(v) ? *v : materialise(p, v);
}

/* ---- 1. summed outputs ------------------------------------------------------ */

static bool is_product(const sf_graph *g, sf_node n)
{
    const sfi_op op = sfi_at(g, n)->op;
    return (op == SFI_OP_MATMUL || op == SFI_OP_CONV2D_GRAD_W) &&
           sfi_at(g, sfi_arg(g, n, 0))->varies &&
           sfi_at(g, sfi_arg(g, n, 1))->varies;
}

/* A node that is one number for all points and elements. */
static bool is_uniform_scalar(const sf_graph *g, sf_node n)
{
    const sfi_node *node = sfi_at(g, n);
    while (node->op == SFI_OP_BROADCAST || node->op == SFI_OP_RESHAPE)
        node = &g->nodes[g->args[node->arg_first]];
    return !node->varies && sfi_shape_count(&node->shape) == 1;
}

/* Whether summing over points can be pushed down from this node to a product,
 * given the answer for its arguments. */
static bool leads_to_product(const sf_graph *g, sf_node n, const bool *leads)
{
    switch (sfi_at(g, n)->op) {
    case SFI_OP_ADD:
    case SFI_OP_SUB: {
        const sf_node a = sfi_arg(g, n, 0), b = sfi_arg(g, n, 1);
        return sfi_at(g, a)->varies && sfi_at(g, b)->varies &&
               (leads[a.id] || leads[b.id]);
    }
    case SFI_OP_NEG:
    case SFI_OP_RESHAPE:
        return leads[sfi_arg(g, n, 0).id];
    case SFI_OP_MUL:
        return is_uniform_scalar(g, sfi_arg(g, n, 0)) &&
               leads[sfi_arg(g, n, 1).id];
    default:
        return is_product(g, n);
    }
}

/* Fill p->leads for the nodes that exist now, and make room for split(). */
static bool find_leads(planner *p)
{
    const size_t count = p->summable = p->g->node_count;
    p->leads = sfi_alloc(p->ctx, count, sizeof *p->leads);
    p->scale = sfi_alloc(p->ctx, count, sizeof *p->scale);
    if (p->leads == NULL || p->scale == NULL)
        return false;
    for (size_t id = 0; id < count; id++)
        p->leads[id] = leads_to_product(p->g, (sf_node){(int32_t)id}, p->leads);
    return true;
}

static void add_term(planner *p, term t)
{
    term *grown = sfi_grow(p->ctx, p->terms, &p->term_capacity,
                           p->term_count + 1, sizeof *grown);
    if (grown == NULL) {
        p->failed = true;
        return;
    }
    p->terms = grown;
    grown[p->term_count++] = t;
}

/* The number behind a uniform scalar, as a node of rank 0. */
static sf_node scalar_of(sf_graph *g, sf_node n)
{
    while (sfi_at(g, n)->op == SFI_OP_BROADCAST ||
           sfi_at(g, n)->op == SFI_OP_RESHAPE)
        n = sfi_arg(g, n, 0);
    return sf_reshape(g, n, 0, NULL);
}

/* Count node `to`, `scale` times, among what is summed. */
static void spread(planner *p, sf_node to, sf_node scale)
{
    sf_node *s = &p->scale[to.id];
    *s = sfi_none(*s) ? scale : sf_add(p->g, *s, scale);
}

/* One node that is to be summed: a product or anything else becomes a term,
 * what leads to a product hands its factor on. */
static void split_node(planner *p, int output, sf_node n, sf_node scale)
{
    sf_graph *g = p->g;
    if (is_product(g, n)) {
        const bool conv = sfi_at(g, n)->op == SFI_OP_CONV2D_GRAD_W;
        const sf_node a = sfi_arg(g, n, 0), b = sfi_arg(g, n, 1);
        const sf_node dy = conv ? b : a; /* scaling it is the cheaper way */
        const sf_node scaled = sf_mul(g, scale, dy);
        add_term(p, (term){output, conv ? a : scaled, conv ? scaled : b,
                           conv ? sfi_at(g, n)->attr[0] : -1});
        return;
    }
    if (!p->leads[n.id]) {
        add_term(p, (term){output, sf_mul(g, scale, n), none, -1});
        return;
    }
    const sfi_op op = sfi_at(g, n)->op;
    const sf_node a = sfi_arg(g, n, 0);
    switch (op) {
    case SFI_OP_ADD:
    case SFI_OP_SUB: {
        const sf_node b = sfi_arg(g, n, 1);
        spread(p, a, scale);
        spread(p, b, op == SFI_OP_ADD ? scale : sf_neg(g, scale));
        break;
    }
    case SFI_OP_NEG:
        spread(p, a, sf_neg(g, scale));
        break;
    case SFI_OP_MUL:
        spread(p, sfi_arg(g, n, 1), sf_mul(g, scale, scalar_of(g, a)));
        break;
    default: /* RESHAPE */
        spread(p, a, scale);
    }
}

/* The sum over points of n goes to `output`.  Down the ids, so that a node that
 * many sums share is reached once, with all its factors added up. */
static void split(planner *p, int output, sf_node n)
{
    for (int32_t id = 0; id <= n.id; id++)
        p->scale[id] = none;
    spread(p, n, sf_const(p->g, 1.0));
    for (int32_t id = n.id; id >= 0; id--) {
        double value;
        const sf_node scale = p->scale[id];
        if (sfi_none(scale) ||
            (sfi_is_const(p->g, scale, &value) && value == 0))
            continue; /* not reached, or what was added was subtracted */
        split_node(p, output, (sf_node){id}, scale);
    }
}

/* ---- 2. lowering ------------------------------------------------------------ */

static void count_use(planner *p, sf_node n)
{
    p->needed[n.id] = true;
    p->uses[n.id]++;
}

static void mark_needed(planner *p)
{
    const sf_graph *g = p->g;
    for (size_t id = p->node_count; id-- > 0;) {
        if (!p->needed[id])
            continue;
        const sfi_node *n = &g->nodes[id];
        for (int k = 0; k < n->arg_count; k++)
            count_use(p, (sf_node){g->args[n->arg_first + k]});
    }
}

static sfi_view *view_of(planner *p, sf_node n)
{
    return &p->views[n.id];
}

static void lower_constant(planner *p, int32_t id)
{
    sfi_plan *plan = p->plan;
    const sfi_node *n = &p->g->nodes[id];
    const int64_t count = sfi_shape_count(&n->shape);
    const int32_t buffer = new_buffer(p, count, false);
    p->views[id] = whole(buffer, &n->shape);
    if (!p->failed)
        plan->buffers[buffer].constant = true;
    sfi_constant *grown =
        sfi_grow(p->ctx, plan->constants, &plan->constant_capacity,
                 plan->constant_count + 1, sizeof *grown);
    if (grown == NULL) {
        p->failed = true;
        return;
    }
    plan->constants = grown;
    double *values = sfi_alloc(p->ctx, (size_t)count, sizeof *values);
    if (values == NULL) {
        p->failed = true;
        return;
    }
    if (n->op == SFI_OP_CONST)
        values[0] = n->value;
    else
        memcpy(values, p->g->arrays[n->attr[0]].values,
               (size_t)count * sizeof *values);
    grown[plan->constant_count++] = (sfi_constant){buffer, count, values};
}

/* A step with given inputs that writes the node's own buffer. */
static task *lower_step(planner *p, int32_t id, sfi_step_kind kind,
                        int in_count, const sfi_view *in)
{
    const sfi_node *n = &p->g->nodes[id];
    const int32_t out = new_buffer(p, sfi_shape_count(&n->shape), n->varies);
    p->views[id] = whole(out, &n->shape);
    return new_task(p, kind, n->varies, out, &n->shape, in_count, in);
}

static void lower_sum(planner *p, int32_t id)
{
    const sfi_node *n = &p->g->nodes[id];
    const sfi_view *in = view_of(p, sfi_arg(p->g, (sf_node){id}, 0));
    int64_t order[SF_MAX_RANK];
    int count = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < in->shape.rank; i++)
            if ((int)(n->attr[0] >> i & 1) == pass)
                order[count++] = i;
    const sfi_view sorted = permute_view(in, order);
    (void)lower_step(p, id, SFI_STEP_SUM, 1, &sorted);
}

static int32_t lower_ew(planner *p, sfi_op op, const sfi_shape *shape,
                        int count, const sfi_view *in)
{
    const int32_t out = new_buffer(p, sfi_shape_count(shape), true);
    task *t = new_task(p, SFI_STEP_FUSED, true, out, shape, count, in);
    t->elementwise = true;
    t->op = op;
    return out;
}

/* W x with a matrix of few numbers, the same for all points: columns times numbers,
 * which become part of the chain that wants them.  Up to SMALL_PRODUCT of them that
 * is faster than a product by itself (bench_chains: two numbers 1.5, four 1.05). */
static bool lower_small_product(planner *p, int32_t id, const sfi_view *w,
                                const sfi_view *x)
{
    const int64_t m = w->shape.extent[0], k = w->shape.extent[1];
    if (view_varies(p, w) || !view_varies(p, x) || x->shape.extent[1] != 1 ||
        m * k > SMALL_PRODUCT)
        return false;
    const sfi_shape shape = {.rank = 1, .extent = {m}};
    sfi_view sum = {0};
    for (int64_t j = 0; j < k; j++) {
        const sfi_view in[2] = {{.buffer = w->buffer,
                                 .offset = w->offset + j * w->stride[1],
                                 .shape = shape,
                                 .stride = {w->stride[0]}},
                                {.buffer = x->buffer,
                                 .offset = x->offset + j * x->stride[0],
                                 .shape = shape}};
        const sfi_view product =
            whole(lower_ew(p, SFI_OP_MUL, &shape, 2, in), &shape);
        const sfi_view both[2] = {product, sum};
        sum = j == 0 ? product
                     : whole(lower_ew(p, SFI_OP_ADD, &shape, 2, both), &shape);
    }
    p->views[id] = whole(sum.buffer, &p->g->nodes[id].shape);
    return true;
}

static void lower_matmul(planner *p, int32_t id)
{
    const sf_node self = {id};
    sfi_view in[2] = {*view_of(p, sfi_arg(p->g, self, 0)),
                      *view_of(p, sfi_arg(p->g, self, 1))};
    if (lower_small_product(p, id, &in[0], &in[1]))
        return;
    /* W x: the rows of x for one k must lie one after the other. */
    if (!view_varies(p, &in[0]) && view_varies(p, &in[1]) &&
        in[1].shape.extent[1] > 1 && in[1].stride[1] != 1)
        in[1] = materialise(p, &in[1]);
    /* Constants can be turned once and for all. */
    if (p->plan->buffers[in[0].buffer].constant)
        in[0] = contiguous(p, &in[0]);
    (void)lower_step(p, id, SFI_STEP_MATMUL, 2, in);
}

static void lower_contiguous(planner *p, int32_t id, sfi_step_kind kind)
{
    const sf_node self = {id};
    const int count = sfi_at(p->g, self)->arg_count;
    sfi_view in[2];
    for (int k = 0; k < count; k++)
        in[k] = contiguous(p, view_of(p, sfi_arg(p->g, self, k)));
    task *t = lower_step(p, id, kind, count, in);
    t->step.pad = sfi_at(p->g, self)->attr[0];
}

static void lower_pad(planner *p, int32_t id)
{
    const sfi_node *n = &p->g->nodes[id];
    const sfi_view in = *view_of(p, sfi_arg(p->g, (sf_node){id}, 0));
    task *t = lower_step(p, id, SFI_STEP_PAD, 1, &in);
    const int axis = (int)n->attr[0];
    t->step.window = slice_view(&t->step.out, axis, n->attr[1],
                                in.shape.extent[axis], n->attr[2]);
}

static void lower_concat(planner *p, int32_t id)
{
    const sf_node self = {id};
    const int count = sfi_at(p->g, self)->arg_count;
    sfi_view *in = sfi_alloc(p->ctx, (size_t)count, sizeof *in);
    if (in == NULL) {
        p->failed = true;
        return;
    }
    for (int k = 0; k < count; k++)
        in[k] = *view_of(p, sfi_arg(p->g, self, k));
    task *t = lower_step(p, id, SFI_STEP_CONCAT, count, in);
    t->step.index = sfi_at(p->g, self)->attr[0];
    sfi_free(p->ctx, in, (size_t)count, sizeof *in);
}

/* Whether nothing but the chain of views that ends in n reads its product. */
static bool read_once(const planner *p, sf_node n)
{
    const sf_graph *g = p->g;
    while (p->uses[n.id] == 1 && (sfi_at(g, n)->op == SFI_OP_RESHAPE ||
                                  sfi_at(g, n)->op == SFI_OP_STOP_GRADIENT))
        n = sfi_arg(g, n, 0);
    return p->uses[n.id] == 1 && sfi_at(g, n)->op == SFI_OP_MATMUL;
}

/* y = W x + b with b uniform: the product starts from b, and the sum is free.
 * Only if nothing else wants W x. */
static bool absorb_bias(planner *p, int32_t id)
{
    const sf_graph *g = p->g;
    const sf_node self = {id};
    const sfi_node *n = sfi_at(g, self);
    if (n->op != SFI_OP_ADD || n->shape.rank != 1)
        return false;
    for (int k = 0; k < 2; k++) {
        const sf_node product = sfi_arg(g, self, k);
        const sfi_view *pv = view_of(p, product);
        const sfi_view *bv = view_of(p, sfi_arg(g, self, 1 - k));
        const int32_t producer = p->producer[pv->buffer];
        if (producer < 0 || view_varies(p, bv) || !read_once(p, product) ||
            !sfi_view_contiguous(pv) || !sfi_view_contiguous(bv))
            continue;
        task *t = &p->tasks[producer];
        if (t->step.kind != SFI_STEP_MATMUL || t->step.in_count != 2 ||
            t->out != pv->buffer || t->step.out.shape.extent[1] != 1 ||
            t->step.out.shape.extent[0] != n->shape.extent[0] ||
            view_varies(p, &t->step.in[0]) || !view_varies(p, &t->step.in[1]))
            continue;
        sfi_view *in = sfi_alloc(p->ctx, 3, sizeof *in);
        if (in == NULL) {
            p->failed = true;
            return true;
        }
        memcpy(in, t->step.in, 2 * sizeof *in);
        in[2] = *bv;
        sfi_free(p->ctx, t->step.in, 2, sizeof *in);
        t->step.in = in;
        t->step.in_count = 3;
        p->views[id] = *pv;
        p->views[id].shape = n->shape;
        set_contiguous(&p->views[id]);
        return true;
    }
    return false;
}

/* Uniform loops run along whole buffers, so operands are either contiguous and
 * aligned in the arena or one number; and at least one is the former. */
static bool uniform_row(const planner *p, const sfi_view *v)
{
    return p->plan->buffers[v->buffer].place == SFI_IN_ARENA &&
           sfi_view_contiguous(v) && v->offset % UNIFORM_ALIGN == 0;
}

/* A sigmoid and a softplus of the same number have an exponential in common: what a
 * softplus and its gradient are made of. */
enum { HALF_SIGMOID = 1, HALF_SOFTPLUS = 2, BOTH_HALVES = 3 };

static int half_of(sfi_op op)
{
    return op == SFI_OP_SIGMOID    ? HALF_SIGMOID
           : op == SFI_OP_SOFTPLUS ? HALF_SOFTPLUS
                                   : 0;
}

static void find_halves(planner *p)
{
    for (size_t id = 0; id < p->node_count; id++) {
        const sfi_node *n = &p->g->nodes[id];
        p->fall[id] = -1;
        if (p->needed[id] && n->varies && half_of(n->op) != 0)
            p->halves[p->g->args[n->arg_first]] |=
                (unsigned char)half_of(n->op);
    }
}

static bool lower_half(planner *p, int32_t id)
{
    const sfi_node *n = &p->g->nodes[id];
    const int32_t arg = half_of(n->op) != 0 ? p->g->args[n->arg_first] : 0;
    if (!n->varies || half_of(n->op) == 0 || p->halves[arg] != BOTH_HALVES)
        return false;
    const sfi_op op =
        n->op == SFI_OP_SIGMOID ? SFI_OP_SIGMOID_OF : SFI_OP_SOFTPLUS_OF;
    sfi_view in[2] = {p->views[arg]};
    if (p->fall[arg] < 0) {
        task *t = lower_step(p, id, SFI_STEP_FUSED, 1, in);
        t->elementwise = true;
        t->op = SFI_OP_EXP_FALL;
        p->fall[arg] = p->views[id].buffer;
    }
    in[1] = whole(p->fall[arg], &n->shape);
    task *t = lower_step(p, id, SFI_STEP_FUSED, 2, in);
    t->elementwise = true;
    t->op = op;
    return true;
}

static void lower_elementwise(planner *p, int32_t id)
{
    if (absorb_bias(p, id) || lower_half(p, id))
        return;
    const sf_node self = {id};
    const sfi_node *n = sfi_at(p->g, self);
    const int count = n->arg_count;
    sfi_view in[3];
    bool row = n->varies;
    for (int k = 0; k < count; k++) {
        in[k] = *view_of(p, sfi_arg(p->g, self, k));
        if (!n->varies && !uniform_row(p, &in[k]) && !all_strides_zero(&in[k]))
            in[k] = materialise(p, &in[k]);
        row = row || uniform_row(p, &in[k]);
    }
    if (!row)
        in[count - 1] = materialise(p, &in[count - 1]);
    task *t = lower_step(p, id, SFI_STEP_FUSED, count, in);
    t->elementwise = true;
    t->op = p->g->nodes[id].op;
}

static void lower(planner *p, int32_t id)
{
    const sf_node self = {id};
    const sfi_node *n = sfi_at(p->g, self);
    sfi_view *out = &p->views[id];
    const sfi_view *arg =
        n->arg_count > 0 ? view_of(p, sfi_arg(p->g, self, 0)) : NULL;
    switch (n->op) {
    case SFI_OP_INPUT: {
        task *t = lower_step(p, id, SFI_STEP_LOAD, 0, NULL);
        t->step.index = n->attr[0];
        p->plan->input_comps[n->attr[0]] = sfi_shape_count(&n->shape);
        break;
    }
    case SFI_OP_PARAM: {
        const int32_t buffer = new_buffer(p, sfi_shape_count(&n->shape), false);
        if (!p->failed) {
            p->plan->buffers[buffer].place = SFI_IN_PARAM;
            p->plan->buffers[buffer].offset = n->attr[0];
        }
        *out = whole(buffer, &n->shape);
        break;
    }
    case SFI_OP_CONST:
    case SFI_OP_ARRAY:
        lower_constant(p, id);
        break;
    case SFI_OP_BROADCAST:
        *out = broadcast_view(arg, &n->shape);
        break;
    case SFI_OP_PERMUTE:
        *out = permute_view(arg, n->attr);
        break;
    case SFI_OP_SLICE:
        *out = slice_view(arg, (int)n->attr[0], n->attr[1],
                          n->shape.extent[n->attr[0]], n->attr[2]);
        break;
    case SFI_OP_STOP_GRADIENT:
        *out = *arg;
        break;
    case SFI_OP_RESHAPE:
        if (!reshape_view(arg, &n->shape, out)) {
            const sfi_shape shape = n->shape;
            const sfi_view from = *arg;
            *out = materialise(p, &from);
            out->shape = shape;
            set_contiguous(out);
        }
        break;
    case SFI_OP_SUM:
        lower_sum(p, id);
        break;
    case SFI_OP_PAD:
        lower_pad(p, id);
        break;
    case SFI_OP_CONCAT:
        lower_concat(p, id);
        break;
    case SFI_OP_MATMUL:
        lower_matmul(p, id);
        break;
    case SFI_OP_CONV2D:
        lower_contiguous(p, id, SFI_STEP_CONV);
        break;
    case SFI_OP_CONV2D_GRAD_X:
        lower_contiguous(p, id, SFI_STEP_CONV_GRAD_X);
        break;
    case SFI_OP_CONV2D_GRAD_W:
        lower_contiguous(p, id, SFI_STEP_CONV_GRAD_W);
        break;
    case SFI_OP_AVG_POOL2:
        lower_contiguous(p, id, SFI_STEP_POOL);
        break;
    case SFI_OP_UPSAMPLE2:
        lower_contiguous(p, id, SFI_STEP_UPSAMPLE);
        break;
    default:
        lower_elementwise(p, id);
    }
}

static void lower_term(planner *p, const term *t)
{
    sfi_plan_output *o = &p->plan->outputs[t->output];
    const sfi_view a = *view_of(p, t->a);
    if (sfi_none(t->b)) {
        if (o->sum_offset < 0) {
            o->sum_offset = p->plan->sum_comps;
            p->plan->sum_comps += o->comps;
        }
        task *r = new_task(p, SFI_STEP_REDUCE, true, -1, NULL, 1, &a);
        r->step.index = t->output;
        return;
    }
    const sfi_view b = *view_of(p, t->b);
    if (o->product_offset < 0) {
        o->product_offset = p->plan->product_comps;
        p->plan->product_comps +=
            (o->comps + UNIFORM_ALIGN - 1) / UNIFORM_ALIGN * UNIFORM_ALIGN;
    }
    if (t->pad >= 0) {
        const sfi_view in[2] = {contiguous(p, &a), contiguous(p, &b)};
        task *r = new_task(p, SFI_STEP_REDUCE_CONV, true, -1, NULL, 2, in);
        r->step.index = t->output;
        r->step.pad = t->pad;
        return;
    }
    const int64_t swap[2] = {1, 0};
    const sfi_view bt = permute_view(&b, swap);
    sfi_view in[2] = {a, bt};
    for (int k = 0; k < 2; k++)
        if (in[k].shape.extent[1] > 1 && in[k].stride[1] != 1)
            in[k] = materialise(p, &in[k]);
    task *r = new_task(p, SFI_STEP_REDUCE_NT, true, -1, NULL, 2, in);
    r->step.index = t->output;
}

static void lower_outputs(planner *p, const sf_output *outputs)
{
    sfi_plan *plan = p->plan;
    for (int i = 0; i < plan->output_count; i++) {
        sfi_plan_output *o = &plan->outputs[i];
        if (o->uniform) {
            o->value = *view_of(p, outputs[i].node);
            continue;
        }
        if (o->reduce == SF_SUM)
            continue;
        task *t = new_task(p, SFI_STEP_STORE, true, -1, NULL, 1,
                           view_of(p, outputs[i].node));
        t->step.index = i;
    }
    for (size_t i = 0; i < p->term_count; i++)
        lower_term(p, &p->terms[i]);
}

/* ---- 3. levels -------------------------------------------------------------- */

/* Whether two tasks run equally often. */
static bool same_rate(const task *a, const task *b)
{
    return a->step.varies == b->step.varies &&
           a->step.constant == b->step.constant;
}

/* Whether task t reads operand v of an element-wise task of the same shape
 * element by element, so that both can be one step. */
static bool reads_in_step(const planner *p, const task *t, const sfi_view *v)
{
    const int32_t producer = p->producer[v->buffer];
    if (!t->elementwise || producer < 0)
        return false;
    const task *from = &p->tasks[producer];
    return from->elementwise && same_rate(from, t) && v->offset == 0 &&
           sfi_view_contiguous(v) &&
           sfi_shape_equal(&from->step.out.shape, &t->step.out.shape) &&
           sfi_shape_equal(&v->shape, &t->step.out.shape);
}

/* What is loaded or drawn need not wait long for its first reader; and what one
 * element-wise task alone reads, element by element, becomes part of its step. */
static void delay(planner *p)
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
        task *t = &p->tasks[i];
        if (readers[i] > 0 &&
            (t->step.kind == SFI_STEP_LOAD || (readers[i] == 1 && in_step[i])))
            t->step.level = latest[i];
        if (t->out >= 0)
            p->plan->buffers[t->out].level = t->step.level;
        for (int k = 0; k < t->step.in_count; k++) {
            const sfi_view *v = &t->step.in[k];
            const int32_t from = p->producer[v->buffer];
            if (from < 0 || !same_rate(t, &p->tasks[from]))
                continue;
            readers[from]++;
            in_step[from] = reads_in_step(p, t, v);
            const int bound = t->step.level - (in_step[from] ? 0 : 1);
            if (bound < latest[from])
                latest[from] = bound;
        }
    }
    sfi_free(p->ctx, latest, count, sizeof *latest);
    sfi_free(p->ctx, readers, count, sizeof *readers);
    sfi_free(p->ctx, in_step, count, sizeof *in_step);
}

static void assign_levels(planner *p)
{
    sfi_buffer *buffers = p->plan->buffers;
    for (size_t i = 0; i < p->task_count; i++) {
        task *t = &p->tasks[i];
        int level = 0;
        for (int k = 0; k < t->step.in_count; k++) {
            const sfi_view *v = &t->step.in[k];
            if (buffers[v->buffer].varies != t->step.varies ||
                buffers[v->buffer].constant != t->step.constant)
                continue; /* written before any of these tasks */
            const int from = buffers[v->buffer].level;
            const int least = reads_in_step(p, t, v) ? from : from + 1;
            level = least > level ? least : level;
        }
        t->step.level = level;
        if (t->out >= 0)
            buffers[t->out].level = level;
    }
    delay(p);
}

/* ---- 4. fusion -------------------------------------------------------------- */

static bool same_group(const task *a, const task *b)
{
    return a->elementwise && b->elementwise && same_rate(a, b) &&
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
    const task *a = *(const task *const *)pa, *b = *(const task *const *)pb;
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
static void find_kept(planner *p)
{
    sfi_buffer *buffers = p->plan->buffers;
    for (size_t i = 0; i < p->task_count; i++)
        if (p->tasks[i].elementwise)
            buffers[p->tasks[i].out].kept = false;
    for (size_t i = 0; i < p->task_count; i++) {
        const task *t = &p->tasks[i];
        for (int k = 0; k < t->step.in_count; k++) {
            const sfi_view *v = &t->step.in[k];
            p->reads[v->buffer]++;
            const int32_t producer = p->producer[v->buffer];
            if (producer < 0 || !reads_in_step(p, t, v) ||
                !same_group(t, &p->tasks[producer]))
                buffers[v->buffer].kept = true;
        }
    }
    for (int i = 0; i < p->plan->output_count; i++)
        if (p->plan->outputs[i].uniform)
            buffers[p->plan->outputs[i].value.buffer].kept = true;
}

static sfi_step *append_step(planner *p, const sfi_step *step)
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
    planner *p;
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
    const bool varies = view_varies(u->p, v);
    sfi_operand o = {.buffer = v->buffer, .offset = v->offset};
    for (int i = 0; i < v->shape.rank; i++)
        o.stride[i] = v->shape.extent[i] == 1 ? 0 : v->stride[i];
    o.scalar = u->varies ? !varies : !uniform_row(u->p, v);
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
static int read_operand(fusion *u, const task *t, const sfi_view *v)
{
    const planner *p = u->p;
    if (reads_in_step(p, t, v) && !p->plan->buffers[v->buffer].kept) {
        const int slot = u->slot[v->buffer];
        if (--u->left[v->buffer] == 0)
            u->free_slots[u->free_count++] = slot;
        return slot;
    }
    return add_operand(u, v);
}

static int write_operand(fusion *u, const task *t)
{
    planner *p = u->p;
    if (p->plan->buffers[t->out].kept)
        return add_operand(u, &t->step.out);
    const int slot =
        u->free_count > 0 ? u->free_slots[--u->free_count] : u->f->temp_count++;
    u->slot[t->out] = slot;
    u->left[t->out] = p->reads[t->out];
    return slot;
}

/* a*b + c: the product's task if it lives in this step alone for this sum. */
static task *product_for_sum(planner *p, task *t, int *k)
{
    if (t->op != SFI_OP_ADD)
        return NULL;
    for (*k = 0; *k < 2; (*k)++) {
        const sfi_view *v = &t->step.in[*k];
        const int32_t producer = p->producer[v->buffer];
        if (producer < 0 || !reads_in_step(p, t, v))
            continue;
        task *m = &p->tasks[producer];
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

static void add_instruction(fusion *u, const task *t, sfi_ew op,
                            const sfi_view *const *in,
                            const task *const *reader, int count)
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

static void build_fused(planner *p, task *const *group, size_t count)
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
        task *m = product_for_sum(p, group[i], &k);
        if (m != NULL)
            m->absorbed = true;
    }
    for (size_t i = 0; i < count && !p->failed; i++) {
        task *t = group[i];
        int k = 0;
        if (t->absorbed)
            continue;
        task *m = NULL;
        if (t->op == SFI_OP_ADD) {
            for (k = 0; k < 2 && m == NULL; k++) {
                const int32_t from = p->producer[t->step.in[k].buffer];
                if (from >= 0 && p->tasks[from].absorbed &&
                    same_group(&p->tasks[from], t))
                    m = &p->tasks[from];
            }
            k--;
        }
        if (m != NULL) {
            const sfi_view *in[3] = {&m->step.in[0], &m->step.in[1],
                                     &t->step.in[1 - k]};
            const task *reader[3] = {m, m, t};
            add_instruction(&u, t, SFI_EW_FMA, in, reader, 3);
            continue;
        }
        const sfi_view *in[3];
        const task *reader[3] = {t, t, t};
        for (int a = 0; a < t->step.in_count; a++)
            in[a] = &t->step.in[a];
        add_instruction(&u, t, (sfi_ew)t->op, in, reader, t->step.in_count);
    }
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

static void build_steps(planner *p)
{
    const size_t count = p->task_count;
    task **order = sfi_alloc(p->ctx, count, sizeof *order);
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

/* ---- 5. placing buffers ----------------------------------------------------- */

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

static void place_buffers(sfi_plan *plan)
{
    for (size_t id = 0; id < plan->buffer_count; id++) {
        sfi_buffer *b = &plan->buffers[id];
        if (b->place == SFI_IN_PARAM)
            continue;
        if (!b->varies) {
            /* No reuse: constants must survive, and the rest is small. */
            b->offset = plan->uniform_comps;
            plan->uniform_comps +=
                (b->comps + UNIFORM_ALIGN - 1) / UNIFORM_ALIGN * UNIFORM_ALIGN;
        } else if (in_varying_arena(b)) {
            b->offset = first_fit(plan, id);
            if (b->offset + b->comps > plan->varying_comps)
                plan->varying_comps = b->offset + b->comps;
        }
    }
}

/* ---- all together ----------------------------------------------------------- */

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

static void describe_outputs(planner *p, int count, const sf_output *outputs)
{
    for (int i = 0; i < count; i++) {
        const sf_node n = outputs[i].node;
        sfi_plan_output *o = &p->plan->outputs[i];
        o->reduce = outputs[i].reduce;
        o->comps = sf_node_count(p->g, n);
        o->uniform = !sfi_at(p->g, n)->varies;
        o->product_offset = o->sum_offset = -1;
        if (o->reduce == SF_SUM && !o->uniform)
            split(p, i, n);
    }
}

static sf_status run_planner(planner *p, const sf_output *outputs)
{
    sf_context *ctx = p->ctx;
    sf_graph *g = p->g;
    sfi_plan *plan = p->plan;
    if (!find_leads(p))
        return SF_E_NOMEM;
    describe_outputs(p, plan->output_count, outputs);
    SFI_TRY(sf_graph_status(g));
    if (p->failed)
        return SF_E_NOMEM;

    p->node_count = g->node_count;
    p->needed = sfi_alloc_zero(ctx, p->node_count, sizeof *p->needed);
    p->uses = sfi_alloc_zero(ctx, p->node_count, sizeof *p->uses);
    p->views = sfi_alloc_zero(ctx, p->node_count, sizeof *p->views);
    p->halves = sfi_alloc_zero(ctx, p->node_count, sizeof *p->halves);
    p->fall = sfi_alloc(ctx, p->node_count, sizeof *p->fall);
    if (p->needed == NULL || p->uses == NULL || p->views == NULL ||
        p->halves == NULL || p->fall == NULL || !first_buffer(p))
        return SF_E_NOMEM;
    for (int i = 0; i < plan->output_count; i++)
        if (plan->outputs[i].uniform || plan->outputs[i].reduce == SF_EACH)
            count_use(p, outputs[i].node);
    for (size_t i = 0; i < p->term_count; i++) {
        count_use(p, p->terms[i].a);
        if (!sfi_none(p->terms[i].b))
            count_use(p, p->terms[i].b);
    }
    mark_needed(p);
    find_halves(p);
    for (size_t id = 0; id < p->node_count && !p->failed; id++)
        if (p->needed[id])
            lower(p, (int32_t)id);
    if (!p->failed)
        lower_outputs(p, outputs);
    if (p->failed)
        return SF_E_NOMEM;

    assign_levels(p);
    p->reads = sfi_alloc_zero(ctx, plan->buffer_count, sizeof *p->reads);
    if (p->reads == NULL)
        return SF_E_NOMEM;
    find_kept(p);
    build_steps(p);
    if (p->failed)
        return SF_E_NOMEM;
    find_lifetimes(plan);
    place_buffers(plan);
    return SF_OK;
}

static void free_planner(planner *p, size_t buffer_count)
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
    planner p = {.ctx = ctx, .g = g, .plan = plan};
    sf_status status = SF_E_NOMEM;
    if (plan->outputs != NULL && plan->input_comps != NULL)
        status = run_planner(&p, outputs);
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
