/* SPDX-License-Identifier: Apache-2.0 */
/* interpret.h - the meaning of a graph, one point and one node at a time.
 *
 * The slowest and plainest evaluation there is: nodes in order of their ids,
 * every element by its definition, in doubles.  It knows nothing of plans,
 * views, blocks or fused steps, so it is what programs are measured against. */
#ifndef SFI_TESTS_INTERPRET_H
#define SFI_TESTS_INTERPRET_H

#include "check.h"
#include "graph/graph.h"
#include "num/special.h"

/* The values of all nodes of a graph at one point; NULL where not computed. */
struct values {
    size_t count;
    double **of;
};

static double definition(sfi_op op, double a, double b, double c)
{
    switch (op) {
#define EW(NAME, name, arity, scope, loop, cost, lo, hi, value)                \
    case SFI_OP_##NAME:                                                        \
        return value;
#include "num/elementwise.def"
#undef EW
    default:
        fail();
        return NAN;
    }
}

/* Index of each axis of element `at` of a row-major array. */
static void unravel(const sfi_shape *s, int64_t at, int64_t *index)
{
    for (int i = s->rank - 1; i >= 0; i--) {
        index[i] = at % s->extent[i];
        at /= s->extent[i];
    }
}

static int64_t ravel(const sfi_shape *s, const int64_t *index)
{
    int64_t at = 0;
    for (int i = 0; i < s->rank; i++)
        at = at * s->extent[i] + index[i];
    return at;
}

/* One element of y that is a copy of one of a, or 0. */
static double moved(const sfi_node *y, const sfi_shape *sa, const double *a,
                    const int64_t *index)
{
    int64_t from[SF_MAX_RANK] = {0};
    switch (y->op) {
    case SFI_OP_BROADCAST:
        for (int i = 0; i < sa->rank; i++)
            from[i] =
                sa->extent[i] == 1 ? 0 : index[y->shape.rank - sa->rank + i];
        break;
    case SFI_OP_PERMUTE:
        for (int i = 0; i < sa->rank; i++)
            from[y->attr[i]] = index[i];
        break;
    case SFI_OP_SLICE:
        memcpy(from, index, sizeof from);
        from[y->attr[0]] = y->attr[1] + index[y->attr[0]] * y->attr[2];
        break;
    default: { /* PAD */
        memcpy(from, index, sizeof from);
        const int64_t past = index[y->attr[0]] - y->attr[1];
        if (past < 0 || past % y->attr[2] != 0 ||
            past / y->attr[2] >= sa->extent[y->attr[0]])
            return 0.0;
        from[y->attr[0]] = past / y->attr[2];
    }
    }
    return a[ravel(sa, from)];
}

/* The three maps of a convolution share one sum over (o, c, i, j, a, b):
 * y += w x, or with y and x (or y and w) exchanged. */
static void convolve(const sfi_shape *sy, const sfi_shape *sw,
                     const sfi_shape *sx, int64_t pad, double *y, double *w,
                     double *x, sfi_op op)
{
    for (int64_t o = 0; o < sy->extent[0]; o++)
        for (int64_t c = 0; c < sx->extent[0]; c++)
            for (int64_t i = 0; i < sy->extent[1]; i++)
                for (int64_t j = 0; j < sy->extent[2]; j++)
                    for (int64_t a = 0; a < sw->extent[2]; a++)
                        for (int64_t b = 0; b < sw->extent[3]; b++) {
                            const int64_t p = i + a - pad, q = j + b - pad;
                            if (p < 0 || q < 0 || p >= sx->extent[1] ||
                                q >= sx->extent[2])
                                continue;
                            double *py = &y[ravel(sy, (int64_t[]){o, i, j})];
                            double *pw = &w[ravel(sw, (int64_t[]){o, c, a, b})];
                            double *px = &x[ravel(sx, (int64_t[]){c, p, q})];
                            if (op == SFI_OP_CONV2D)
                                *py += *pw * *px;
                            else if (op == SFI_OP_CONV2D_GRAD_X)
                                *px += *pw * *py;
                            else
                                *pw += *py * *px;
                        }
}

static void interpret_node(const sf_graph *g, int32_t id, double **v,
                           const double *const *inputs,
                           const double *const *params)
{
    const sfi_node *n = &g->nodes[id];
    const int64_t count = sfi_shape_count(&n->shape);
    double *out = v[id] = calloc((size_t)count, sizeof *out);
    double *arg[3] = {NULL, NULL, NULL};
    const sfi_shape *shape[3] = {NULL, NULL, NULL};
    for (int k = 0; k < n->arg_count && k < 3; k++) {
        arg[k] = v[g->args[n->arg_first + k]];
        shape[k] = &g->nodes[g->args[n->arg_first + k]].shape;
    }
    int64_t index[SF_MAX_RANK] = {0};
    switch (n->op) {
    case SFI_OP_INPUT:
    case SFI_OP_PARAM:
        memcpy(out, (n->op == SFI_OP_INPUT ? inputs : params)[n->attr[0]],
               (size_t)count * sizeof *out);
        break;
    case SFI_OP_CONST:
        out[0] = n->value;
        break;
    case SFI_OP_ARRAY:
        memcpy(out, g->arrays[n->attr[0]].values, (size_t)count * sizeof *out);
        break;
    case SFI_OP_RESHAPE:
    case SFI_OP_STOP_GRADIENT:
        memcpy(out, arg[0], (size_t)count * sizeof *out);
        break;
    case SFI_OP_BROADCAST:
    case SFI_OP_PERMUTE:
    case SFI_OP_SLICE:
    case SFI_OP_PAD:
        for (int64_t i = 0; i < count; i++) {
            unravel(&n->shape, i, index);
            out[i] = moved(n, shape[0], arg[0], index);
        }
        break;
    case SFI_OP_SUM:
        for (int64_t i = 0; i < sfi_shape_count(shape[0]); i++) {
            int64_t kept[SF_MAX_RANK];
            int rank = 0;
            unravel(shape[0], i, index);
            for (int k = 0; k < shape[0]->rank; k++)
                if ((n->attr[0] >> k & 1) == 0)
                    kept[rank++] = index[k];
            out[ravel(&n->shape, kept)] += arg[0][i];
        }
        break;
    case SFI_OP_CONCAT: {
        int64_t first = 0;
        for (int k = 0; k < n->arg_count; k++) {
            const int32_t part = g->args[n->arg_first + k];
            const sfi_shape *s = &g->nodes[part].shape;
            for (int64_t i = 0; i < sfi_shape_count(s); i++) {
                unravel(s, i, index);
                index[n->attr[0]] += first;
                out[ravel(&n->shape, index)] = v[part][i];
            }
            first += s->extent[n->attr[0]];
        }
        break;
    }
    case SFI_OP_MATMUL: {
        const int64_t k = shape[0]->extent[1], c = n->shape.extent[1];
        for (int64_t i = 0; i < count; i++)
            for (int64_t p = 0; p < k; p++)
                out[i] += arg[0][i / c * k + p] * arg[1][p * c + i % c];
        break;
    }
    case SFI_OP_CONV2D:
        convolve(&n->shape, shape[1], shape[0], n->attr[0], out, arg[1], arg[0],
                 n->op);
        break;
    case SFI_OP_CONV2D_GRAD_X:
        convolve(shape[0], shape[1], &n->shape, n->attr[0], arg[0], arg[1], out,
                 n->op);
        break;
    case SFI_OP_CONV2D_GRAD_W:
        convolve(shape[1], &n->shape, shape[0], n->attr[0], arg[1], out, arg[0],
                 n->op);
        break;
    case SFI_OP_AVG_POOL2:
        for (int64_t i = 0; i < sfi_shape_count(shape[0]); i++) {
            unravel(shape[0], i, index);
            index[1] /= 2;
            index[2] /= 2;
            out[ravel(&n->shape, index)] += 0.25 * arg[0][i];
        }
        break;
    case SFI_OP_UPSAMPLE2:
        for (int64_t i = 0; i < count; i++) {
            unravel(&n->shape, i, index);
            index[1] /= 2;
            index[2] /= 2;
            out[i] = arg[0][ravel(shape[0], index)];
        }
        break;
    default:
        for (int64_t i = 0; i < count; i++)
            out[i] = definition(n->op, arg[0][i], arg[1] ? arg[1][i] : 0.0,
                                arg[2] ? arg[2][i] : 0.0);
    }
}

/* Evaluate every node that has no value yet.  inputs and params hold one
 * pointer for each input and parameter of the graph.  A value that is set
 * beforehand stays: that is how a test replaces one. */
static void interpret(const sf_graph *g, struct values *v,
                      const double *const *inputs, const double *const *params)
{
    if (v->count < g->node_count) {
        v->of = realloc(v->of, g->node_count * sizeof *v->of);
        for (size_t id = v->count; id < g->node_count; id++)
            v->of[id] = NULL;
        v->count = g->node_count;
    }
    for (size_t id = 0; id < g->node_count; id++)
        if (v->of[id] == NULL)
            interpret_node(g, (int32_t)id, v->of, inputs, params);
}

static void values_free(struct values *v)
{
    for (size_t id = 0; id < v->count; id++)
        free(v->of[id]);
    free(v->of);
    v->of = NULL;
    v->count = 0;
}

#endif
