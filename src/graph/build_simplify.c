/* SPDX-License-Identifier: Apache-2.0 */
/* build_simplify.c - the algebra of element-wise nodes.
 *
 * Simplification happens while building, so that derivative rules may be
 * written as in a textbook (with all their factors 1 and terms 0) and still
 * give small graphs.  It is exact in exact arithmetic; like every symbolic
 * system it takes x*0 = 0 also where x would be infinite.
 *
 * What all constants are is computed at once, what commutes has one order, signs
 * and constant factors move outwards, and what is stretched is combined before it
 * is. */
#include "graph/build.h"

#include "num/special.h"

#include <math.h>
#include <string.h>

static double fold(sfi_op op, double a, double b, double c)
{
    switch (op) {
#define EW(NAME, name, arity, scope, loop, cost, lo, hi, value)                \
    case SFI_OP_##NAME:                                                        \
        return value;
#include "num/elementwise.def"
#undef EW
    default:
        return NAN;
    }
}

/* The source of a broadcast from a smaller shape, or the node itself. */
static sf_node before_broadcast(const sf_graph *g, sf_node n)
{
    return sfi_at(g, n)->op == SFI_OP_BROADCAST ? sfi_arg(g, n, 0) : n;
}

static sf_node ew1(sf_graph *g, sfi_op op, sf_node a)
{
    return sfi_elementwise(g, op, 1, &a);
}

static sf_node ew2(sf_graph *g, sfi_op op, sf_node a, sf_node b)
{
    return sfi_elementwise(g, op, 2, (sf_node[]){a, b});
}

/* Two parts of a node, each with zeros before and after it along one axis, that lie
 * side by side: one part.  A gradient by components is then their list, and not a
 * sum of vectors that are mostly zeros. */
static bool join_pads(sf_graph *g, sf_node a, sf_node b, sf_node *out)
{
    if (sfi_at(g, a)->op != SFI_OP_PAD || sfi_at(g, b)->op != SFI_OP_PAD)
        return false;
    const bool turned = sfi_at(g, b)->attr[1] < sfi_at(g, a)->attr[1];
    const sfi_node left = *sfi_at(g, turned ? b : a);
    const sfi_node right = *sfi_at(g, turned ? a : b);
    const int axis = (int)left.attr[0];
    const int64_t first = left.attr[1];
    const sf_node side[2] = {{g->args[left.arg_first]},
                             {g->args[right.arg_first]}};
    if (right.attr[0] != axis || left.attr[2] != 1 || right.attr[2] != 1 ||
        first + sfi_shape_of(g, side[0])->extent[axis] != right.attr[1])
        return false;
    /* Joins that are there already are taken apart. */
    bool joined[2];
    int count[2];
    for (int k = 0; k < 2; k++) {
        const sfi_node *n = sfi_at(g, side[k]);
        joined[k] = n->op == SFI_OP_CONCAT && n->attr[0] == axis;
        count[k] = joined[k] ? n->arg_count : 1;
    }
    const int all = count[0] + count[1];
    sf_node *parts = sfi_alloc(g->ctx, (size_t)all, sizeof *parts);
    if (parts == NULL) {
        *out =
            sfi_graph_fail(g, SF_E_NOMEM, "graph: no memory for %d parts", all);
        return true;
    }
    for (int k = 0, at = 0; k < 2; k++)
        for (int i = 0; i < count[k]; i++)
            parts[at++] = joined[k] ? sfi_arg(g, side[k], i) : side[k];
    *out = sf_pad(g, sf_concat(g, all, parts, axis), axis, first, 1,
                  left.shape.extent[axis]);
    sfi_free(g->ctx, parts, (size_t)all, sizeof *parts);
    return true;
}

/* x + (-y) = x - y and the like, so that signs do not pile up. */
static bool simplify_add(sf_graph *g, sf_node a, sf_node b, sf_node *out)
{
    if (join_pads(g, a, b, out))
        return true;
    if (sfi_is_value(g, a, 0.0))
        *out = b;
    else if (sfi_is_value(g, b, 0.0))
        *out = a;
    else if (sfi_at(g, b)->op == SFI_OP_NEG)
        *out = ew2(g, SFI_OP_SUB, a, sfi_arg(g, b, 0));
    else if (sfi_at(g, a)->op == SFI_OP_NEG)
        *out = ew2(g, SFI_OP_SUB, b, sfi_arg(g, a, 0));
    else if (sfi_same(a, b))
        *out = ew2(g, SFI_OP_MUL, sfi_full(g, sfi_shape_of(g, a), 2.0), a);
    else
        return false;
    return true;
}

static bool simplify_sub(sf_graph *g, sf_node a, sf_node b, sf_node *out)
{
    if (sfi_is_value(g, b, 0.0))
        *out = a;
    else if (sfi_is_value(g, a, 0.0))
        *out = ew1(g, SFI_OP_NEG, b);
    else if (sfi_same(a, b) && !g->forgets_nothing)
        *out = sfi_full(g, sfi_shape_of(g, a), 0.0);
    else if (sfi_at(g, b)->op == SFI_OP_NEG)
        *out = ew2(g, SFI_OP_ADD, a, sfi_arg(g, b, 0));
    else
        return false;
    return true;
}

static bool simplify_mul(sf_graph *g, sf_node a, sf_node b, sf_node *out)
{
    double x, y;
    const bool vanishes = !g->forgets_nothing;
    if ((vanishes && sfi_is_value(g, a, 0.0)) || sfi_is_value(g, b, 1.0))
        *out = a;
    else if ((vanishes && sfi_is_value(g, b, 0.0)) || sfi_is_value(g, a, 1.0))
        *out = b;
    else if (sfi_is_value(g, a, -1.0))
        *out = ew1(g, SFI_OP_NEG, b);
    else if (sfi_is_value(g, b, -1.0))
        *out = ew1(g, SFI_OP_NEG, a);
    else if (sfi_at(g, a)->op == SFI_OP_NEG)
        *out = ew1(g, SFI_OP_NEG, ew2(g, SFI_OP_MUL, sfi_arg(g, a, 0), b));
    else if (sfi_at(g, b)->op == SFI_OP_NEG)
        *out = ew1(g, SFI_OP_NEG, ew2(g, SFI_OP_MUL, a, sfi_arg(g, b, 0)));
    else if (sfi_is_const(g, a, &x) && sfi_at(g, b)->op == SFI_OP_MUL &&
             sfi_is_const(g, sfi_arg(g, b, 0), &y))
        *out = ew2(g, SFI_OP_MUL, sfi_full(g, sfi_shape_of(g, b), x * y),
                   sfi_arg(g, b, 1));
    else
        return false;
    return true;
}

static bool simplify_div(sf_graph *g, sf_node a, sf_node b, sf_node *out)
{
    if ((sfi_is_value(g, a, 0.0) && !g->forgets_nothing) ||
        sfi_is_value(g, b, 1.0))
        *out = a;
    else if (sfi_is_value(g, b, -1.0))
        *out = ew1(g, SFI_OP_NEG, a);
    else if (sfi_at(g, a)->op == SFI_OP_NEG)
        *out = ew1(g, SFI_OP_NEG, ew2(g, SFI_OP_DIV, sfi_arg(g, a, 0), b));
    else
        return false;
    return true;
}

static bool simplify_pow(sf_graph *g, sf_node a, sf_node b, sf_node *out)
{
    if (sfi_is_value(g, b, 1.0))
        *out = a;
    else if (sfi_is_value(g, b, 0.0) && !g->forgets_nothing)
        *out = sfi_full(g, sfi_shape_of(g, a), 1.0);
    else if (sfi_is_value(g, b, 2.0))
        *out = ew2(g, SFI_OP_MUL, a, a);
    else if (sfi_is_value(g, b, 3.0))
        *out = ew2(g, SFI_OP_MUL, a, ew2(g, SFI_OP_MUL, a, a));
    else if (sfi_is_value(g, b, 0.5))
        *out = ew1(g, SFI_OP_SQRT, a);
    else if (sfi_is_value(g, b, -1.0))
        *out = ew2(g, SFI_OP_DIV, sfi_full(g, sfi_shape_of(g, a), 1.0), a);
    else
        return false;
    return true;
}

static bool simplify(sf_graph *g, sfi_op op, const sf_node *a, sf_node *out)
{
    double value;
    switch (op) {
    case SFI_OP_NEG:
        if (sfi_at(g, a[0])->op != SFI_OP_NEG)
            return false;
        *out = sfi_arg(g, a[0], 0);
        return true;
    case SFI_OP_ADD:
        return simplify_add(g, a[0], a[1], out);
    case SFI_OP_SUB:
        return simplify_sub(g, a[0], a[1], out);
    case SFI_OP_MUL:
        return simplify_mul(g, a[0], a[1], out);
    case SFI_OP_DIV:
        return simplify_div(g, a[0], a[1], out);
    case SFI_OP_POW:
        return simplify_pow(g, a[0], a[1], out);
    case SFI_OP_SELECT:
        if (sfi_same(a[1], a[2]))
            *out = a[1];
        else if (sfi_is_const(g, a[0], &value))
            *out = value != 0.0 ? a[1] : a[2];
        else
            return false;
        return true;
    default:
        return false;
    }
}

static bool commutes(sfi_op op)
{
    return op == SFI_OP_ADD || op == SFI_OP_MUL || op == SFI_OP_MIN ||
           op == SFI_OP_MAX || op == SFI_OP_EQUAL;
}

/* Operands that are all stretched from one smaller shape (or are constants) are
 * combined there, and the result is stretched. */
static bool combine_before_broadcast(sf_graph *g, sfi_op op, int count,
                                     const sf_node *args, sf_node *out)
{
    const sfi_shape full = *sfi_shape_of(g, args[0]);
    const sfi_shape *small = NULL;
    sf_node source[3];
    for (int k = 0; k < count; k++) {
        source[k] = before_broadcast(g, args[k]);
        if (sfi_at(g, source[k])->op == SFI_OP_CONST)
            continue;
        if (sfi_same(source[k], args[k]))
            return false;
        if (small != NULL &&
            !sfi_shape_equal(small, sfi_shape_of(g, source[k])))
            return false;
        small = sfi_shape_of(g, source[k]);
    }
    if (small == NULL || small->rank == full.rank)
        return false; /* inserting an axis is a view; stretching one is not */
    const sfi_shape shape = *small;
    for (int k = 0; k < count; k++)
        if (sfi_at(g, source[k])->op == SFI_OP_CONST)
            source[k] = sf_broadcast(g, source[k], shape.rank, shape.extent);
    *out = sf_broadcast(g, sfi_elementwise(g, op, count, source), full.rank,
                        full.extent);
    return true;
}

sf_node sfi_elementwise(sf_graph *g, sfi_op op, int count, const sf_node *given)
{
    if (sfi_broken(g))
        return sfi_nothing;
    sf_node args[3];
    memcpy(args, given, (size_t)count * sizeof *args);

    double value[3] = {0.0, 0.0, 0.0};
    bool constant = true;
    for (int k = 0; k < count; k++)
        constant = constant && sfi_is_const(g, args[k], &value[k]);
    const sfi_shape shape = *sfi_shape_of(g, args[count - 1]);
    if (constant)
        return sfi_full(g, &shape, fold(op, value[0], value[1], value[2]));

    /* Constants first, then by id: x*2 and 2*x become the same node. */
    if (commutes(op)) {
        const bool c0 = sfi_is_const(g, args[0], &value[0]);
        const bool c1 = sfi_is_const(g, args[1], &value[1]);
        if ((c1 && !c0) ||
            (c0 == c1 && args[1].id < args[0].id && !g->forgets_nothing)) {
            const sf_node first = args[1];
            args[1] = args[0];
            args[0] = first;
        }
    }
    sf_node out;
    if (simplify(g, op, args, &out) ||
        combine_before_broadcast(g, op, count, args, &out))
        return out;
    return sfi_emit(g, op, shape, count, args, NULL, 0.0);
}

sf_node sfi_without_factor(const sf_graph *g, sf_node n, double *factor)
{
    double value;
    for (;;) {
        const sfi_op op = sfi_at(g, n)->op;
        if (op == SFI_OP_NEG) {
            *factor = -*factor;
            n = sfi_arg(g, n, 0);
        } else if (op == SFI_OP_MUL &&
                   sfi_is_const(g, sfi_arg(g, n, 0), &value)) {
            *factor *= value;
            n = sfi_arg(g, n, 1);
        } else {
            return n;
        }
    }
}
