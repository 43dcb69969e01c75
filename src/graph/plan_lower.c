/* SPDX-License-Identifier: Apache-2.0 */
/* plan_lower.c - stage 2: from nodes to tasks.
 *
 * Nodes are met in order of their ids, so that what a node reads is there already.
 * Each gets a view: shape operations one of their argument's buffer, everything
 * else one of a buffer of its own and a task that writes it.  Views that a step
 * cannot follow are copied first (materialise).
 *
 * Three forms are better than what they stand for: a bias from which its product
 * starts, a product with a few numbers as part of an element-wise chain, and a
 * sigmoid and a softplus of one number, which share their exponential. */
#include "graph/planner.h"

#include <string.h>

enum { SMALL_PRODUCT = 16 }; /* numbers of a matrix */

/* ---- buffers and tasks ------------------------------------------------------ */

/* Room for a first buffer.  When memory runs out later, callers get buffer 0
 * and go on until the planner looks; it must be there. */
static bool first_buffer(sfi_planner *p)
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

static int32_t new_buffer(sfi_planner *p, int64_t comps, bool varies)
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
static sfi_task *new_task(sfi_planner *p, sfi_step_kind kind, bool varies,
                          int32_t out, const sfi_shape *out_shape, int in_count,
                          const sfi_view *in)
{
    sfi_task *grown = sfi_grow(p->ctx, p->tasks, &p->task_capacity,
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
    sfi_task *t = &grown[p->task_count];
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
        t->step.out = sfi_view_whole(out, out_shape);
        p->producer[out] = (int32_t)p->task_count;
        p->plan->buffers[out].constant = constant;
    }
    p->task_count++;
    return t;
}

/* A contiguous copy of a view. */
static sfi_view materialise(sfi_planner *p, const sfi_view *v)
{
    const bool varies = sfi_view_varies(p, v);
    const int32_t out = new_buffer(p, sfi_shape_count(&v->shape), varies);
    (void)new_task(p, SFI_STEP_COPY, varies, out, &v->shape, 1, v);
    return sfi_view_whole(out, &v->shape);
}

static sfi_view contiguous(sfi_planner *p, const sfi_view *v)
{
    return sfi_view_contiguous(v) ? *v : materialise(p, v);
}

/* ---- nodes ------------------------------------------------------------------ */

static void count_use(sfi_planner *p, sf_node n)
{
    p->needed[n.id] = true;
    p->uses[n.id]++;
}

static void mark_needed(sfi_planner *p)
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

static sfi_view *view_of(sfi_planner *p, sf_node n)
{
    return &p->views[n.id];
}

static void lower_constant(sfi_planner *p, int32_t id)
{
    sfi_plan *plan = p->plan;
    const sfi_node *n = &p->g->nodes[id];
    const int64_t count = sfi_shape_count(&n->shape);
    const int32_t buffer = new_buffer(p, count, false);
    p->views[id] = sfi_view_whole(buffer, &n->shape);
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
static sfi_task *lower_step(sfi_planner *p, int32_t id, sfi_step_kind kind,
                            int in_count, const sfi_view *in)
{
    const sfi_node *n = &p->g->nodes[id];
    const int32_t out = new_buffer(p, sfi_shape_count(&n->shape), n->varies);
    p->views[id] = sfi_view_whole(out, &n->shape);
    return new_task(p, kind, n->varies, out, &n->shape, in_count, in);
}

static void lower_sum(sfi_planner *p, int32_t id)
{
    const sfi_node *n = &p->g->nodes[id];
    const sfi_view *in = view_of(p, sfi_arg(p->g, (sf_node){id}, 0));
    int64_t order[SF_MAX_RANK];
    int count = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < in->shape.rank; i++)
            if ((int)(n->attr[0] >> i & 1) == pass)
                order[count++] = i;
    const sfi_view sorted = sfi_view_permute(in, order);
    (void)lower_step(p, id, SFI_STEP_SUM, 1, &sorted);
}

static int32_t lower_ew(sfi_planner *p, sfi_op op, const sfi_shape *shape,
                        int count, const sfi_view *in)
{
    const int32_t out = new_buffer(p, sfi_shape_count(shape), true);
    sfi_task *t = new_task(p, SFI_STEP_FUSED, true, out, shape, count, in);
    t->elementwise = true;
    t->op = op;
    return out;
}

/* W x with a matrix of few numbers, the same for all points: columns times numbers,
 * which become part of the chain that wants them.  Up to SMALL_PRODUCT of them that
 * is faster than a product by itself (bench_chains: two numbers 1.5, four 1.05). */
static bool lower_small_product(sfi_planner *p, int32_t id, const sfi_view *w,
                                const sfi_view *x)
{
    const int64_t m = w->shape.extent[0], k = w->shape.extent[1];
    if (sfi_view_varies(p, w) || !sfi_view_varies(p, x) ||
        x->shape.extent[1] != 1 || m * k > SMALL_PRODUCT)
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
            sfi_view_whole(lower_ew(p, SFI_OP_MUL, &shape, 2, in), &shape);
        const sfi_view both[2] = {product, sum};
        sum = j == 0 ? product
                     : sfi_view_whole(lower_ew(p, SFI_OP_ADD, &shape, 2, both),
                                      &shape);
    }
    p->views[id] = sfi_view_whole(sum.buffer, &p->g->nodes[id].shape);
    return true;
}

static void lower_matmul(sfi_planner *p, int32_t id)
{
    const sf_node self = {id};
    sfi_view in[2] = {*view_of(p, sfi_arg(p->g, self, 0)),
                      *view_of(p, sfi_arg(p->g, self, 1))};
    if (lower_small_product(p, id, &in[0], &in[1]))
        return;
    /* W x: the rows of x for one k must lie one after the other. */
    if (!sfi_view_varies(p, &in[0]) && sfi_view_varies(p, &in[1]) &&
        in[1].shape.extent[1] > 1 && in[1].stride[1] != 1)
        in[1] = materialise(p, &in[1]);
    /* Constants can be turned once and for all. */
    if (p->plan->buffers[in[0].buffer].constant)
        in[0] = contiguous(p, &in[0]);
    (void)lower_step(p, id, SFI_STEP_MATMUL, 2, in);
}

static void lower_contiguous(sfi_planner *p, int32_t id, sfi_step_kind kind)
{
    const sf_node self = {id};
    const int count = sfi_at(p->g, self)->arg_count;
    sfi_view in[2];
    for (int k = 0; k < count; k++)
        in[k] = contiguous(p, view_of(p, sfi_arg(p->g, self, k)));
    sfi_task *t = lower_step(p, id, kind, count, in);
    t->step.pad = sfi_at(p->g, self)->attr[0];
}

static void lower_pad(sfi_planner *p, int32_t id)
{
    const sfi_node *n = &p->g->nodes[id];
    const sfi_view in = *view_of(p, sfi_arg(p->g, (sf_node){id}, 0));
    sfi_task *t = lower_step(p, id, SFI_STEP_PAD, 1, &in);
    const int axis = (int)n->attr[0];
    t->step.window = sfi_view_slice(&t->step.out, axis, n->attr[1],
                                    in.shape.extent[axis], n->attr[2]);
}

static void lower_concat(sfi_planner *p, int32_t id)
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
    sfi_task *t = lower_step(p, id, SFI_STEP_CONCAT, count, in);
    t->step.index = sfi_at(p->g, self)->attr[0];
    sfi_free(p->ctx, in, (size_t)count, sizeof *in);
}

/* Whether nothing but the chain of views that ends in n reads its product. */
static bool read_once(const sfi_planner *p, sf_node n)
{
    const sf_graph *g = p->g;
    while (p->uses[n.id] == 1 && (sfi_at(g, n)->op == SFI_OP_RESHAPE ||
                                  sfi_at(g, n)->op == SFI_OP_STOP_GRADIENT))
        n = sfi_arg(g, n, 0);
    return p->uses[n.id] == 1 && sfi_at(g, n)->op == SFI_OP_MATMUL;
}

/* y = W x + b with b uniform: the product starts from b, and the sum is free.
 * Only if nothing else wants W x. */
static bool absorb_bias(sfi_planner *p, int32_t id)
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
        if (producer < 0 || sfi_view_varies(p, bv) || !read_once(p, product) ||
            !sfi_view_contiguous(pv) || !sfi_view_contiguous(bv))
            continue;
        sfi_task *t = &p->tasks[producer];
        if (t->step.kind != SFI_STEP_MATMUL || t->step.in_count != 2 ||
            t->out != pv->buffer || t->step.out.shape.extent[1] != 1 ||
            t->step.out.shape.extent[0] != n->shape.extent[0] ||
            sfi_view_varies(p, &t->step.in[0]) ||
            !sfi_view_varies(p, &t->step.in[1]))
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
        sfi_view_set_contiguous(&p->views[id]);
        return true;
    }
    return false;
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

static void find_halves(sfi_planner *p)
{
    for (size_t id = 0; id < p->node_count; id++) {
        const sfi_node *n = &p->g->nodes[id];
        p->fall[id] = -1;
        if (p->needed[id] && n->varies && half_of(n->op) != 0)
            p->halves[p->g->args[n->arg_first]] |=
                (unsigned char)half_of(n->op);
    }
}

static bool lower_half(sfi_planner *p, int32_t id)
{
    const sfi_node *n = &p->g->nodes[id];
    const int32_t arg = half_of(n->op) != 0 ? p->g->args[n->arg_first] : 0;
    if (!n->varies || half_of(n->op) == 0 || p->halves[arg] != BOTH_HALVES)
        return false;
    const sfi_op op =
        n->op == SFI_OP_SIGMOID ? SFI_OP_SIGMOID_OF : SFI_OP_SOFTPLUS_OF;
    sfi_view in[2] = {p->views[arg]};
    if (p->fall[arg] < 0) {
        sfi_task *t = lower_step(p, id, SFI_STEP_FUSED, 1, in);
        t->elementwise = true;
        t->op = SFI_OP_EXP_FALL;
        p->fall[arg] = p->views[id].buffer;
    }
    in[1] = sfi_view_whole(p->fall[arg], &n->shape);
    sfi_task *t = lower_step(p, id, SFI_STEP_FUSED, 2, in);
    t->elementwise = true;
    t->op = op;
    return true;
}

static bool all_strides_zero(const sfi_view *v)
{
    for (int i = 0; i < v->shape.rank; i++)
        if (v->stride[i] != 0 && v->shape.extent[i] != 1)
            return false;
    return true;
}

static void lower_elementwise(sfi_planner *p, int32_t id)
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
        if (!n->varies && !sfi_uniform_row(p, &in[k]) &&
            !all_strides_zero(&in[k]))
            in[k] = materialise(p, &in[k]);
        row = row || sfi_uniform_row(p, &in[k]);
    }
    if (!row)
        in[count - 1] = materialise(p, &in[count - 1]);
    sfi_task *t = lower_step(p, id, SFI_STEP_FUSED, count, in);
    t->elementwise = true;
    t->op = p->g->nodes[id].op;
}

static void lower(sfi_planner *p, int32_t id)
{
    const sf_node self = {id};
    const sfi_node *n = sfi_at(p->g, self);
    sfi_view *out = &p->views[id];
    const sfi_view *arg =
        n->arg_count > 0 ? view_of(p, sfi_arg(p->g, self, 0)) : NULL;
    switch (n->op) {
    case SFI_OP_INPUT: {
        sfi_task *t = lower_step(p, id, SFI_STEP_LOAD, 0, NULL);
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
        *out = sfi_view_whole(buffer, &n->shape);
        break;
    }
    case SFI_OP_CONST:
    case SFI_OP_ARRAY:
        lower_constant(p, id);
        break;
    case SFI_OP_BROADCAST:
        *out = sfi_view_broadcast(arg, &n->shape);
        break;
    case SFI_OP_PERMUTE:
        *out = sfi_view_permute(arg, n->attr);
        break;
    case SFI_OP_SLICE:
        *out = sfi_view_slice(arg, (int)n->attr[0], n->attr[1],
                              n->shape.extent[n->attr[0]], n->attr[2]);
        break;
    case SFI_OP_STOP_GRADIENT:
        *out = *arg;
        break;
    case SFI_OP_RESHAPE:
        if (!sfi_view_reshape(arg, &n->shape, out)) {
            const sfi_shape shape = n->shape;
            const sfi_view from = *arg;
            *out = materialise(p, &from);
            out->shape = shape;
            sfi_view_set_contiguous(out);
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

static void lower_term(sfi_planner *p, const sfi_term *t)
{
    sfi_plan_output *o = &p->plan->outputs[t->output];
    const sfi_view a = *view_of(p, t->a);
    if (sfi_none(t->b)) {
        if (o->sum_offset < 0) {
            o->sum_offset = p->plan->sum_comps;
            p->plan->sum_comps += o->comps;
        }
        sfi_task *r = new_task(p, SFI_STEP_REDUCE, true, -1, NULL, 1, &a);
        r->step.index = t->output;
        return;
    }
    const sfi_view b = *view_of(p, t->b);
    if (o->product_offset < 0) {
        o->product_offset = p->plan->product_comps;
        p->plan->product_comps += (o->comps + SFI_UNIFORM_ALIGN - 1) /
                                  SFI_UNIFORM_ALIGN * SFI_UNIFORM_ALIGN;
    }
    if (t->pad >= 0) {
        const sfi_view in[2] = {contiguous(p, &a), contiguous(p, &b)};
        sfi_task *r = new_task(p, SFI_STEP_REDUCE_CONV, true, -1, NULL, 2, in);
        r->step.index = t->output;
        r->step.pad = t->pad;
        return;
    }
    const int64_t swap[2] = {1, 0};
    const sfi_view bt = sfi_view_permute(&b, swap);
    sfi_view in[2] = {a, bt};
    for (int k = 0; k < 2; k++)
        if (in[k].shape.extent[1] > 1 && in[k].stride[1] != 1)
            in[k] = materialise(p, &in[k]);
    sfi_task *r = new_task(p, SFI_STEP_REDUCE_NT, true, -1, NULL, 2, in);
    r->step.index = t->output;
}

static void lower_outputs(sfi_planner *p, const sf_output *outputs)
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
        sfi_task *t = new_task(p, SFI_STEP_STORE, true, -1, NULL, 1,
                               view_of(p, outputs[i].node));
        t->step.index = i;
    }
    for (size_t i = 0; i < p->term_count; i++)
        lower_term(p, &p->terms[i]);
}

/* Count what outputs and terms read, and through them all that is needed. */
static void find_needed(sfi_planner *p, const sf_output *outputs)
{
    for (int i = 0; i < p->plan->output_count; i++)
        if (p->plan->outputs[i].uniform ||
            p->plan->outputs[i].reduce == SF_EACH)
            count_use(p, outputs[i].node);
    for (size_t i = 0; i < p->term_count; i++) {
        count_use(p, p->terms[i].a);
        if (!sfi_none(p->terms[i].b))
            count_use(p, p->terms[i].b);
    }
    mark_needed(p);
    find_halves(p);
}

static bool allocate(sfi_planner *p)
{
    const size_t count = p->node_count = p->g->node_count;
    p->needed = sfi_alloc_zero(p->ctx, count, sizeof *p->needed);
    p->uses = sfi_alloc_zero(p->ctx, count, sizeof *p->uses);
    p->views = sfi_alloc_zero(p->ctx, count, sizeof *p->views);
    p->halves = sfi_alloc_zero(p->ctx, count, sizeof *p->halves);
    p->fall = sfi_alloc(p->ctx, count, sizeof *p->fall);
    return p->needed != NULL && p->uses != NULL && p->views != NULL &&
           p->halves != NULL && p->fall != NULL && first_buffer(p);
}

void sfi_plan_lower(sfi_planner *p, const sf_output *outputs)
{
    if (!allocate(p)) {
        p->failed = true;
        return;
    }
    find_needed(p, outputs);
    for (size_t id = 0; id < p->node_count && !p->failed; id++)
        if (p->needed[id])
            lower(p, (int32_t)id);
    if (!p->failed)
        lower_outputs(p, outputs);
}
