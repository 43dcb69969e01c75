/* SPDX-License-Identifier: Apache-2.0 */
/* build.c - the constructors: shape rules and algebraic simplification.
 *
 * Simplification happens while building, so that derivative rules may be
 * written as in a textbook (with all their factors 1 and terms 0) and still
 * give small graphs.  It is exact in exact arithmetic; like every symbolic
 * system it takes x*0 = 0 also where x would be infinite. */
#include "graph/graph.h"

#include "num/special.h"

#include <math.h>
#include <string.h>

/* ---- shapes ---------------------------------------------------------------- */

/* Extents are limited so that products of counts and block lengths cannot
 * overflow anywhere downstream. */
static const int64_t max_count = (int64_t)1 << 40;

static bool make_shape(sf_graph *g, sfi_shape *out, int rank,
                       const int64_t *extent, const char *who)
{
    memset(out, 0, sizeof *out);
    if (rank < 0 || rank > SF_MAX_RANK) {
        (void)sfi_graph_fail(g, SF_E_SHAPE, "%s: rank is %d, want 0 to %d", who,
                             rank, (int)SF_MAX_RANK);
        return false;
    }
    out->rank = rank;
    int64_t count = 1;
    for (int i = 0; i < rank; i++) {
        if (extent[i] < 1 || extent[i] > max_count / count) {
            (void)sfi_graph_fail(g, SF_E_SHAPE,
                                 "%s: extent %d is %lld, want >= 1 and at most "
                                 "2^40 elements in all",
                                 who, i, (long long)extent[i]);
            return false;
        }
        out->extent[i] = extent[i];
        count *= extent[i];
    }
    return true;
}

/* Whether a shape that was put together from others is one that a node may
 * have. */
static bool shape_fits(sf_graph *g, const sfi_shape *shape, const char *who)
{
    sfi_shape copy;
    return make_shape(g, &copy, shape->rank, shape->extent, who);
}

static const sfi_shape *shape_of(const sf_graph *g, sf_node n)
{
    return &sfi_at(g, n)->shape;
}

static bool broken(const sf_graph *g)
{
    return g->status != SF_OK;
}

static bool axis_fits(sf_graph *g, sf_node a, int axis, const char *who)
{
    if (axis >= 0 && axis < shape_of(g, a)->rank)
        return true;
    (void)sfi_graph_fail(g, SF_E_SHAPE, "%s: axis is %d, want 0 to %d", who,
                         axis, shape_of(g, a)->rank - 1);
    return false;
}

static const sf_node nothing = {0};

/* ---- leaves ---------------------------------------------------------------- */

static sf_node leaf(sf_graph *g, sfi_op op, const char *name, int rank,
                    const int64_t *extent)
{
    sfi_shape shape;
    if (broken(g) || !make_shape(g, &shape, rank, extent, name))
        return nothing;
    const bool input = op == SFI_OP_INPUT;
    sfi_leaf **list = input ? &g->inputs : &g->params;
    size_t *count = input ? &g->input_count : &g->param_count;
    size_t *capacity = input ? &g->input_capacity : &g->param_capacity;

    const int64_t attr[SFI_MAX_ATTR] = {(int64_t)*count};
    const sf_node node = sfi_emit(g, op, shape, 0, NULL, attr, 0.0);
    sfi_leaf *grown =
        sfi_grow(g->ctx, *list, capacity, *count + 1, sizeof *grown);
    if (grown == NULL)
        return sfi_graph_fail(g, SF_E_NOMEM, "graph: no memory for \"%s\"",
                              name);
    *list = grown;
    char *copy = sfi_copy_text(g->ctx, name);
    if (copy == NULL)
        return sfi_graph_fail(g, SF_E_NOMEM, "graph: no memory for \"%s\"",
                              name);
    grown[*count] = (sfi_leaf){copy, node.id};
    (*count)++;
    return node;
}

sf_node sf_input(sf_graph *g, const char *name, int rank, const int64_t *extent)
{
    return leaf(g, SFI_OP_INPUT, name, rank, extent);
}

sf_node sf_param(sf_graph *g, const char *name, int rank, const int64_t *extent)
{
    return leaf(g, SFI_OP_PARAM, name, rank, extent);
}

sf_node sf_const(sf_graph *g, double value)
{
    const sfi_shape scalar = {0};
    /* -0 and 0 are one constant, so that "is it zero" has one answer. */
    return sfi_emit(g, SFI_OP_CONST, scalar, 0, NULL, NULL,
                    value == 0.0 ? 0.0 : value);
}

sf_node sf_const_array(sf_graph *g, int rank, const int64_t *extent,
                       const double *values)
{
    sfi_shape shape;
    if (broken(g) || !make_shape(g, &shape, rank, extent, "const_array"))
        return nothing;
    const int64_t count = sfi_shape_count(&shape);
    bool uniform = true;
    for (int64_t i = 1; i < count && uniform; i++)
        uniform = values[i] == values[0];
    if (uniform)
        return sfi_full(g, &shape, values[0]);

    const size_t bytes = (size_t)count * sizeof *values;
    size_t index = 0;
    while (index < g->array_count &&
           (g->arrays[index].count != count ||
            memcmp(g->arrays[index].values, values, bytes) != 0))
        index++;
    if (index == g->array_count) {
        sfi_const_array *grown = sfi_grow(g->ctx, g->arrays, &g->array_capacity,
                                          g->array_count + 1, sizeof *grown);
        if (grown != NULL)
            g->arrays = grown;
        double *copy = grown != NULL
                           ? sfi_alloc(g->ctx, (size_t)count, sizeof *copy)
                           : NULL;
        if (copy == NULL)
            return sfi_graph_fail(g, SF_E_NOMEM,
                                  "graph: no memory for %lld constants",
                                  (long long)count);
        memcpy(copy, values, bytes);
        g->arrays[g->array_count++] = (sfi_const_array){copy, count};
    }
    const int64_t attr[SFI_MAX_ATTR] = {(int64_t)index};
    return sfi_emit(g, SFI_OP_ARRAY, shape, 0, NULL, attr, 0.0);
}

sf_node sf_eye(sf_graph *g, int64_t k)
{
    if (k < 1 || k > 1 << 15)
        return sfi_graph_fail(
            g, SF_E_SHAPE, "eye: size is %lld, want 1 to 32768", (long long)k);
    const size_t count = (size_t)(k * k);
    double *values = sfi_alloc_zero(g->ctx, count, sizeof *values);
    if (values == NULL)
        return sfi_graph_fail(g, SF_E_NOMEM, "eye: no memory");
    for (int64_t i = 0; i < k; i++)
        values[i * k + i] = 1.0;
    const sf_node eye = sf_const_array(g, 2, (int64_t[]){k, k}, values);
    sfi_free(g->ctx, values, count, sizeof *values);
    return eye;
}

sf_node sfi_full(sf_graph *g, const sfi_shape *shape, double value)
{
    /* A copy: callers point into the arena, which the constant may move. */
    const sfi_shape s = *shape;
    return sf_broadcast(g, sf_const(g, value), s.rank, s.extent);
}

bool sfi_is_const(const sf_graph *g, sf_node n, double *value)
{
    const sfi_node *node = sfi_at(g, n);
    while (node->op == SFI_OP_BROADCAST || node->op == SFI_OP_RESHAPE)
        node = &g->nodes[g->args[node->arg_first]];
    if (node->op != SFI_OP_CONST)
        return false;
    *value = node->value;
    return true;
}

static bool is_value(const sf_graph *g, sf_node n, double want)
{
    double value;
    return sfi_is_const(g, n, &value) && value == want;
}

static bool same(sf_node a, sf_node b)
{
    return a.id == b.id;
}

/* ---- element-wise ---------------------------------------------------------- */

static double fold(sfi_op op, double a, double b, double c)
{
    switch (op) {
#define EW(NAME, name, arity, lo, hi, value)                                   \
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
        first + shape_of(g, side[0])->extent[axis] != right.attr[1])
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
    if (is_value(g, a, 0.0))
        *out = b;
    else if (is_value(g, b, 0.0))
        *out = a;
    else if (sfi_at(g, b)->op == SFI_OP_NEG)
        *out = ew2(g, SFI_OP_SUB, a, sfi_arg(g, b, 0));
    else if (sfi_at(g, a)->op == SFI_OP_NEG)
        *out = ew2(g, SFI_OP_SUB, b, sfi_arg(g, a, 0));
    else if (same(a, b))
        *out = ew2(g, SFI_OP_MUL, sfi_full(g, shape_of(g, a), 2.0), a);
    else
        return false;
    return true;
}

static bool simplify_sub(sf_graph *g, sf_node a, sf_node b, sf_node *out)
{
    if (is_value(g, b, 0.0))
        *out = a;
    else if (is_value(g, a, 0.0))
        *out = ew1(g, SFI_OP_NEG, b);
    else if (same(a, b))
        *out = sfi_full(g, shape_of(g, a), 0.0);
    else if (sfi_at(g, b)->op == SFI_OP_NEG)
        *out = ew2(g, SFI_OP_ADD, a, sfi_arg(g, b, 0));
    else
        return false;
    return true;
}

static bool simplify_mul(sf_graph *g, sf_node a, sf_node b, sf_node *out)
{
    double x, y;
    if (is_value(g, a, 0.0) || is_value(g, b, 1.0))
        *out = a;
    else if (is_value(g, b, 0.0) || is_value(g, a, 1.0))
        *out = b;
    else if (is_value(g, a, -1.0))
        *out = ew1(g, SFI_OP_NEG, b);
    else if (is_value(g, b, -1.0))
        *out = ew1(g, SFI_OP_NEG, a);
    else if (sfi_at(g, a)->op == SFI_OP_NEG)
        *out = ew1(g, SFI_OP_NEG, ew2(g, SFI_OP_MUL, sfi_arg(g, a, 0), b));
    else if (sfi_at(g, b)->op == SFI_OP_NEG)
        *out = ew1(g, SFI_OP_NEG, ew2(g, SFI_OP_MUL, a, sfi_arg(g, b, 0)));
    else if (sfi_is_const(g, a, &x) && sfi_at(g, b)->op == SFI_OP_MUL &&
             sfi_is_const(g, sfi_arg(g, b, 0), &y))
        *out = ew2(g, SFI_OP_MUL, sfi_full(g, shape_of(g, b), x * y),
                   sfi_arg(g, b, 1));
    else
        return false;
    return true;
}

static bool simplify_div(sf_graph *g, sf_node a, sf_node b, sf_node *out)
{
    if (is_value(g, a, 0.0) || is_value(g, b, 1.0))
        *out = a;
    else if (is_value(g, b, -1.0))
        *out = ew1(g, SFI_OP_NEG, a);
    else if (sfi_at(g, a)->op == SFI_OP_NEG)
        *out = ew1(g, SFI_OP_NEG, ew2(g, SFI_OP_DIV, sfi_arg(g, a, 0), b));
    else
        return false;
    return true;
}

static bool simplify_pow(sf_graph *g, sf_node a, sf_node b, sf_node *out)
{
    if (is_value(g, b, 1.0))
        *out = a;
    else if (is_value(g, b, 0.0))
        *out = sfi_full(g, shape_of(g, a), 1.0);
    else if (is_value(g, b, 2.0))
        *out = ew2(g, SFI_OP_MUL, a, a);
    else if (is_value(g, b, 3.0))
        *out = ew2(g, SFI_OP_MUL, a, ew2(g, SFI_OP_MUL, a, a));
    else if (is_value(g, b, 0.5))
        *out = ew1(g, SFI_OP_SQRT, a);
    else if (is_value(g, b, -1.0))
        *out = ew2(g, SFI_OP_DIV, sfi_full(g, shape_of(g, a), 1.0), a);
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
        if (same(a[1], a[2]))
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
    const sfi_shape full = *shape_of(g, args[0]);
    const sfi_shape *small = NULL;
    sf_node source[3];
    for (int k = 0; k < count; k++) {
        source[k] = before_broadcast(g, args[k]);
        if (sfi_at(g, source[k])->op == SFI_OP_CONST)
            continue;
        if (same(source[k], args[k]))
            return false;
        if (small != NULL && !sfi_shape_equal(small, shape_of(g, source[k])))
            return false;
        small = shape_of(g, source[k]);
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
    if (broken(g))
        return nothing;
    sf_node args[3];
    memcpy(args, given, (size_t)count * sizeof *args);

    double value[3] = {0.0, 0.0, 0.0};
    bool constant = true;
    for (int k = 0; k < count; k++)
        constant = constant && sfi_is_const(g, args[k], &value[k]);
    const sfi_shape shape = *shape_of(g, args[count - 1]);
    if (constant)
        return sfi_full(g, &shape, fold(op, value[0], value[1], value[2]));

    /* Constants first, then by id: x*2 and 2*x become the same node. */
    if (commutes(op)) {
        const bool c0 = sfi_is_const(g, args[0], &value[0]);
        const bool c1 = sfi_is_const(g, args[1], &value[1]);
        if ((c1 && !c0) || (c0 == c1 && args[1].id < args[0].id)) {
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

static bool broadcast_shape(sf_graph *g, int count, const sf_node *args,
                            sfi_op op, sfi_shape *out)
{
    *out = *shape_of(g, args[0]);
    for (int k = 1; k < count; k++) {
        const sfi_shape *s = shape_of(g, args[k]);
        sfi_shape joint = s->rank > out->rank ? *s : *out;
        for (int i = 0; i < joint.rank; i++) {
            const int ia = out->rank - 1 - i, ib = s->rank - 1 - i;
            const int64_t ea = ia >= 0 ? out->extent[ia] : 1;
            const int64_t eb = ib >= 0 ? s->extent[ib] : 1;
            if (ea != eb && ea != 1 && eb != 1) {
                char ta[SFI_SHAPE_TEXT], tb[SFI_SHAPE_TEXT];
                (void)sfi_graph_fail(g, SF_E_SHAPE,
                                     "%s: shapes %s and %s do not fit",
                                     sfi_op_name(op), sfi_shape_text(out, ta),
                                     sfi_shape_text(s, tb));
                return false;
            }
            joint.extent[joint.rank - 1 - i] = ea > eb ? ea : eb;
        }
        *out = joint;
    }
    return true;
}

static sf_node apply(sf_graph *g, sfi_op op, int count, const sf_node *given)
{
    sfi_shape shape;
    if (broken(g) || !broadcast_shape(g, count, given, op, &shape))
        return nothing;
    sf_node args[3];
    for (int k = 0; k < count; k++)
        args[k] = sf_broadcast(g, given[k], shape.rank, shape.extent);
    return sfi_elementwise(g, op, count, args);
}

static sf_node apply1(sf_graph *g, sfi_op op, sf_node a)
{
    return apply(g, op, 1, &a);
}

static sf_node apply2(sf_graph *g, sfi_op op, sf_node a, sf_node b)
{
    return apply(g, op, 2, (sf_node[]){a, b});
}

#define UNARY(NAME, name)                                                      \
    sf_node sf_##name(sf_graph *g, sf_node a)                                  \
    {                                                                          \
        return apply1(g, SFI_OP_##NAME, a);                                    \
    }
#define BINARY(NAME, name)                                                     \
    sf_node sf_##name(sf_graph *g, sf_node a, sf_node b)                       \
    {                                                                          \
        return apply2(g, SFI_OP_##NAME, a, b);                                 \
    }
UNARY(NEG, neg)
UNARY(ABS, abs)
UNARY(SIGN, sign)
UNARY(FLOOR, floor)
UNARY(SQRT, sqrt)
UNARY(EXP, exp)
UNARY(EXPM1, expm1)
UNARY(LOG, log)
UNARY(LOG1P, log1p)
UNARY(SIN, sin)
UNARY(COS, cos)
UNARY(TANH, tanh)
UNARY(ERF, erf)
UNARY(SIGMOID, sigmoid)
UNARY(SOFTPLUS, softplus)
UNARY(LGAMMA, lgamma)
UNARY(LOG_I0, log_i0)
UNARY(BESSEL_RATIO, bessel_ratio)
BINARY(ADD, add)
BINARY(SUB, sub)
BINARY(MUL, mul)
BINARY(DIV, div)
BINARY(POW, pow)
BINARY(MIN, min)
BINARY(MAX, max)
BINARY(ATAN2, atan2)
BINARY(LESS, less)
BINARY(LESS_EQUAL, less_equal)
BINARY(EQUAL, equal)
#undef UNARY
#undef BINARY

sf_node sf_tan(sf_graph *g, sf_node a)
{
    return sf_div(g, sf_sin(g, a), sf_cos(g, a));
}

sf_node sf_silu(sf_graph *g, sf_node a)
{
    return sf_mul(g, a, sf_sigmoid(g, a));
}

sf_node sf_square(sf_graph *g, sf_node a)
{
    return sf_mul(g, a, a);
}

sf_node sf_polygamma(sf_graph *g, int order, sf_node a)
{
    if (order < 0)
        return sfi_graph_fail(g, SF_E_ARG, "polygamma: order is %d, want >= 0",
                              order);
    return apply2(g, SFI_OP_POLYGAMMA, sf_const(g, order), a);
}

sf_node sfi_log_bessel_node(sf_graph *g, double k, sf_node w)
{
    return apply2(g, SFI_OP_LOG_BESSEL, sf_const(g, k), w);
}

sf_node sfi_log_bessel_slope_node(sf_graph *g, double k, sf_node w)
{
    return apply2(g, SFI_OP_LOG_BESSEL_SLOPE, sf_const(g, k), w);
}

sf_node sf_select(sf_graph *g, sf_node condition, sf_node yes, sf_node no)
{
    return apply(g, SFI_OP_SELECT, 3, (sf_node[]){condition, yes, no});
}

/* The node without its constant factor, by which *factor is multiplied. */
static sf_node without_factor(const sf_graph *g, sf_node n, double *factor)
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

/* ---- shape ----------------------------------------------------------------- */

sf_node sf_sum(sf_graph *g, sf_node a, unsigned axes)
{
    if (broken(g))
        return nothing;
    const sfi_shape shape = *shape_of(g, a);
    if (axes >> shape.rank != 0)
        return sfi_graph_fail(g, SF_E_SHAPE,
                              "sum: axes mask is 0x%x, the operand has rank %d",
                              axes, shape.rank);
    sfi_shape out = {0};
    int64_t summed = 1;
    for (int i = 0; i < shape.rank; i++) {
        if (axes >> i & 1) {
            summed *= shape.extent[i];
            continue;
        }
        out.extent[out.rank++] = shape.extent[i];
    }
    double value;
    if (sfi_is_const(g, a, &value))
        return sfi_full(g, &out, value * (double)summed);
    if (summed == 1)
        return sf_reshape(g, a, out.rank, out.extent);
    /* Constant factors leave the sum, so that loss weights end up on scalars. */
    if (sfi_at(g, a)->op == SFI_OP_NEG)
        return sf_neg(g, sf_sum(g, sfi_arg(g, a, 0), axes));
    if (sfi_at(g, a)->op == SFI_OP_MUL &&
        sfi_is_const(g, sfi_arg(g, a, 0), &value))
        return sf_mul(g, sf_const(g, value), sf_sum(g, sfi_arg(g, a, 1), axes));
    const int64_t attr[SFI_MAX_ATTR] = {(int64_t)axes};
    return sfi_emit(g, SFI_OP_SUM, out, 1, &a, attr, 0.0);
}

sf_node sf_sum_all(sf_graph *g, sf_node a)
{
    if (broken(g))
        return nothing;
    return sf_sum(g, a, (1u << shape_of(g, a)->rank) - 1u);
}

sf_node sf_broadcast(sf_graph *g, sf_node a, int rank, const int64_t *extent)
{
    sfi_shape out;
    if (broken(g) || !make_shape(g, &out, rank, extent, "broadcast"))
        return nothing;
    const sfi_shape *s = shape_of(g, a);
    if (sfi_shape_equal(s, &out))
        return a;
    bool fits = s->rank <= rank;
    for (int i = 0; fits && i < s->rank; i++) {
        const int64_t from = s->extent[s->rank - 1 - i];
        fits = from == 1 || from == out.extent[rank - 1 - i];
    }
    if (!fits) {
        char ta[SFI_SHAPE_TEXT], tb[SFI_SHAPE_TEXT];
        return sfi_graph_fail(g, SF_E_SHAPE,
                              "broadcast: %s does not stretch to %s",
                              sfi_shape_text(s, ta), sfi_shape_text(&out, tb));
    }
    if (sfi_at(g, a)->op == SFI_OP_BROADCAST)
        return sf_broadcast(g, sfi_arg(g, a, 0), rank, extent);
    if (sfi_shape_count(s) == 1 && s->rank > 0)
        return sf_broadcast(g, sf_reshape(g, a, 0, NULL), rank, out.extent);
    return sfi_emit(g, SFI_OP_BROADCAST, out, 1, &a, NULL, 0.0);
}

sf_node sf_reshape(sf_graph *g, sf_node a, int rank, const int64_t *extent)
{
    sfi_shape out;
    if (broken(g) || !make_shape(g, &out, rank, extent, "reshape"))
        return nothing;
    const sfi_shape *s = shape_of(g, a);
    if (sfi_shape_equal(s, &out))
        return a;
    if (sfi_shape_count(s) != sfi_shape_count(&out)) {
        char ta[SFI_SHAPE_TEXT], tb[SFI_SHAPE_TEXT];
        return sfi_graph_fail(g, SF_E_SHAPE,
                              "reshape: %s and %s differ in number of elements",
                              sfi_shape_text(s, ta), sfi_shape_text(&out, tb));
    }
    double value;
    if (sfi_is_const(g, a, &value))
        return sfi_full(g, &out, value);
    if (sfi_at(g, a)->op == SFI_OP_RESHAPE)
        return sf_reshape(g, sfi_arg(g, a, 0), rank, extent);
    double factor = 1.0;
    const sf_node rest = without_factor(g, a, &factor);
    if (!same(rest, a))
        return sf_mul(g, sf_const(g, factor),
                      sf_reshape(g, rest, rank, out.extent));
    return sfi_emit(g, SFI_OP_RESHAPE, out, 1, &a, NULL, 0.0);
}

/* Whether a matrix is its own transpose, as can be seen from its form: A + A^T, or
 * constants. */
static bool is_symmetric(const sf_graph *g, sf_node a)
{
    const sfi_node *n = sfi_at(g, a);
    if (n->shape.rank != 2 || n->shape.extent[0] != n->shape.extent[1])
        return false;
    if (n->op == SFI_OP_ADD) {
        const sf_node u = sfi_arg(g, a, 0), v = sfi_arg(g, a, 1);
        return (sfi_at(g, u)->op == SFI_OP_PERMUTE &&
                same(sfi_arg(g, u, 0), v)) ||
               (sfi_at(g, v)->op == SFI_OP_PERMUTE &&
                same(sfi_arg(g, v, 0), u));
    }
    if (n->op != SFI_OP_ARRAY)
        return false;
    const double *values = g->arrays[n->attr[0]].values;
    const int64_t k = n->shape.extent[0];
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < i; j++)
            if (values[i * k + j] != values[j * k + i])
                return false;
    return true;
}

sf_node sf_permute(sf_graph *g, sf_node a, const int *order)
{
    if (broken(g))
        return nothing;
    const sfi_shape shape = *shape_of(g, a);
    sfi_shape out = {.rank = shape.rank};
    int64_t attr[SFI_MAX_ATTR] = {0};
    unsigned seen = 0;
    bool identity = true;
    for (int i = 0; i < shape.rank; i++) {
        if (order[i] < 0 || order[i] >= shape.rank || seen >> order[i] & 1)
            return sfi_graph_fail(g, SF_E_ARG,
                                  "permute: entry %d of the order is %d, want "
                                  "each of 0 to %d once",
                                  i, order[i], shape.rank - 1);
        seen |= 1u << order[i];
        identity = identity && order[i] == i;
        out.extent[i] = shape.extent[order[i]];
        attr[i] = order[i];
    }
    double value;
    if (identity || is_symmetric(g, a))
        return a;
    if (sfi_is_const(g, a, &value))
        return sfi_full(g, &out, value);
    const sfi_node *inner = sfi_at(g, a);
    if (inner->op == SFI_OP_PERMUTE) {
        int joint[SF_MAX_RANK];
        for (int i = 0; i < shape.rank; i++)
            joint[i] = (int)inner->attr[order[i]];
        return sf_permute(g, sfi_arg(g, a, 0), joint);
    }
    double factor = 1.0;
    const sf_node rest = without_factor(g, a, &factor);
    if (!same(rest, a))
        return sf_mul(g, sf_const(g, factor), sf_permute(g, rest, order));
    /* (A B)^T = B^T A^T: transposes then only meet leaves and cost nothing. */
    if (inner->op == SFI_OP_MATMUL && shape.rank == 2) {
        const sf_node left = sfi_arg(g, a, 0), right = sfi_arg(g, a, 1);
        return sf_matmul(g, sf_transpose(g, right), sf_transpose(g, left));
    }
    return sfi_emit(g, SFI_OP_PERMUTE, out, 1, &a, attr, 0.0);
}

sf_node sf_transpose(sf_graph *g, sf_node a)
{
    if (broken(g))
        return nothing;
    if (shape_of(g, a)->rank != 2)
        return sfi_graph_fail(g, SF_E_SHAPE, "transpose: rank is %d, want 2",
                              shape_of(g, a)->rank);
    return sf_permute(g, a, (int[]){1, 0});
}

sf_node sf_slice(sf_graph *g, sf_node a, int axis, int64_t first, int64_t count,
                 int64_t step)
{
    if (broken(g) || !axis_fits(g, a, axis, "slice"))
        return nothing;
    sfi_shape out = *shape_of(g, a);
    const int64_t extent = out.extent[axis];
    if (first < 0 || count < 1 || step < 1 || first >= extent ||
        (count - 1) > (extent - 1 - first) / step)
        return sfi_graph_fail(g, SF_E_SHAPE,
                              "slice: %lld elements from %lld in steps of %lld "
                              "do not lie in an axis of %lld",
                              (long long)count, (long long)first,
                              (long long)step, (long long)extent);
    if (count == extent)
        return a;
    out.extent[axis] = count;
    double value;
    if (sfi_is_const(g, a, &value))
        return sfi_full(g, &out, value);
    if (count == 1)
        step = 1;
    const int64_t attr[SFI_MAX_ATTR] = {axis, first, step};
    return sfi_emit(g, SFI_OP_SLICE, out, 1, &a, attr, 0.0);
}

sf_node sf_component(sf_graph *g, sf_node a, int64_t index)
{
    if (broken(g))
        return nothing;
    if (shape_of(g, a)->rank != 1)
        return sfi_graph_fail(g, SF_E_SHAPE, "component: rank is %d, want 1",
                              shape_of(g, a)->rank);
    return sf_reshape(g, sf_slice(g, a, 0, index, 1, 1), 0, NULL);
}

sf_node sf_pad(sf_graph *g, sf_node a, int axis, int64_t first, int64_t step,
               int64_t extent)
{
    if (broken(g) || !axis_fits(g, a, axis, "pad"))
        return nothing;
    sfi_shape out = *shape_of(g, a);
    const int64_t count = out.extent[axis];
    if (first < 0 || step < 1 || extent < 1 ||
        (count - 1) > (extent - 1 - first) / step || first >= extent)
        return sfi_graph_fail(g, SF_E_SHAPE,
                              "pad: %lld elements from %lld in steps of %lld "
                              "do not lie in an axis of %lld",
                              (long long)count, (long long)first,
                              (long long)step, (long long)extent);
    if (count == extent)
        return a;
    out.extent[axis] = extent;
    if (!shape_fits(g, &out, "pad"))
        return nothing;
    double value;
    if (sfi_is_const(g, a, &value) && value == 0.0)
        return sfi_full(g, &out, 0.0);
    const int64_t attr[SFI_MAX_ATTR] = {axis, first, step};
    return sfi_emit(g, SFI_OP_PAD, out, 1, &a, attr, 0.0);
}

sf_node sf_concat(sf_graph *g, int count, const sf_node *parts, int axis)
{
    if (broken(g))
        return nothing;
    if (count < 1)
        return sfi_graph_fail(g, SF_E_ARG, "concat: count is %d, want >= 1",
                              count);
    if (count == 1)
        return parts[0];
    if (!axis_fits(g, parts[0], axis, "concat"))
        return nothing;
    sfi_shape out = *shape_of(g, parts[0]);
    for (int k = 1; k < count; k++) {
        const sfi_shape *s = shape_of(g, parts[k]);
        bool fits = s->rank == out.rank;
        for (int i = 0; fits && i < out.rank; i++)
            fits = i == axis || s->extent[i] == out.extent[i];
        if (!fits) {
            char ta[SFI_SHAPE_TEXT], tb[SFI_SHAPE_TEXT];
            return sfi_graph_fail(g, SF_E_SHAPE,
                                  "concat: part %d has shape %s, the parts "
                                  "before it join to %s",
                                  k, sfi_shape_text(s, ta),
                                  sfi_shape_text(&out, tb));
        }
        out.extent[axis] += s->extent[axis];
        if (!shape_fits(g, &out, "concat"))
            return nothing;
    }
    const int64_t attr[SFI_MAX_ATTR] = {axis};
    return sfi_emit(g, SFI_OP_CONCAT, out, count, parts, attr, 0.0);
}

sf_node sf_stop_gradient(sf_graph *g, sf_node a)
{
    if (broken(g))
        return nothing;
    double value;
    if (sfi_is_const(g, a, &value))
        return a;
    return sfi_emit(g, SFI_OP_STOP_GRADIENT, *shape_of(g, a), 1, &a, NULL, 0.0);
}

sf_node sfi_stretch_last(sf_graph *g, sf_node a, int64_t extent)
{
    if (broken(g))
        return nothing;
    sfi_shape s = *shape_of(g, a);
    if (s.rank == SF_MAX_RANK)
        return sfi_graph_fail(g, SF_E_SHAPE,
                              "jacobian: more than %d axes are needed",
                              (int)SF_MAX_RANK);
    s.extent[s.rank++] = 1;
    const sf_node column = sf_reshape(g, a, s.rank, s.extent);
    s.extent[s.rank - 1] = extent;
    return sf_broadcast(g, column, s.rank, s.extent);
}

/* ---- products -------------------------------------------------------------- */

/* A product whose factor that varies has a constant factor, which leaves it: then
 * A^T (c x) and A x have the same product.  Not where the result is larger. */
static bool factor_leaves(sf_graph *g, sf_node a, sf_node b, sf_node *out)
{
    const sfi_node *na = sfi_at(g, a);
    double factor = 1.0;
    if (na->varies || !sfi_at(g, b)->varies ||
        na->shape.extent[0] > na->shape.extent[1])
        return false;
    const sf_node rest = without_factor(g, b, &factor);
    if (same(rest, b))
        return false;
    *out = sf_mul(g, sf_const(g, factor), sf_matmul(g, a, rest));
    return true;
}

/* A (B x) with constants A and B is (A B) x, where that is not more work. */
static bool constants_join(sf_graph *g, sf_node a, sf_node b, sf_node *out)
{
    const sfi_node *nb = sfi_at(g, b);
    if (nb->op != SFI_OP_MATMUL || !nb->varies || !sfi_at(g, a)->constant)
        return false;
    const sf_node inner = sfi_arg(g, b, 0), x = sfi_arg(g, b, 1);
    if (!sfi_at(g, inner)->constant ||
        shape_of(g, inner)->extent[1] > shape_of(g, inner)->extent[0])
        return false;
    *out = sf_matmul(g, sf_matmul(g, a, inner), x);
    return true;
}

sf_node sf_matmul(sf_graph *g, sf_node a, sf_node b)
{
    if (broken(g))
        return nothing;
    const sfi_shape sa = *shape_of(g, a), sb = *shape_of(g, b);
    if (sa.rank == 2 && sb.rank == 1 && sa.extent[1] == sb.extent[0]) {
        const sf_node column =
            sf_reshape(g, b, 2, (int64_t[]){sb.extent[0], 1});
        return sf_reshape(g, sf_matmul(g, a, column), 1, sa.extent);
    }
    if (sa.rank != 2 || sb.rank != 2 || sa.extent[1] != sb.extent[0]) {
        char ta[SFI_SHAPE_TEXT], tb[SFI_SHAPE_TEXT];
        return sfi_graph_fail(g, SF_E_SHAPE,
                              "matmul: shapes %s and %s do not fit, want "
                              "[m,k] and [k,n] or [k]",
                              sfi_shape_text(&sa, ta), sfi_shape_text(&sb, tb));
    }
    const sfi_shape out = {2, {sa.extent[0], sb.extent[1]}};
    if (!shape_fits(g, &out, "matmul"))
        return nothing;
    if (is_value(g, a, 0.0) || is_value(g, b, 0.0))
        return sfi_full(g, &out, 0.0);
    if (sa.extent[1] == 1 && (sa.extent[0] == 1 || sb.extent[1] == 1))
        return sf_mul(g, a, b);
    if (sfi_at(g, a)->op == SFI_OP_NEG)
        return sf_neg(g, sf_matmul(g, sfi_arg(g, a, 0), b));
    if (sfi_at(g, b)->op == SFI_OP_NEG)
        return sf_neg(g, sf_matmul(g, a, sfi_arg(g, b, 0)));
    sf_node product;
    if (factor_leaves(g, a, b, &product) || constants_join(g, a, b, &product))
        return product;
    return sfi_emit(g, SFI_OP_MATMUL, out, 2, (sf_node[]){a, b}, NULL, 0.0);
}

/* A node, or what it is another shape of. */
static sf_node before_reshape(const sf_graph *g, sf_node n)
{
    return sfi_at(g, n)->op == SFI_OP_RESHAPE ? sfi_arg(g, n, 0) : n;
}

/* x . (A x) = x . (A + A^T) x / 2: the gradient is then the product that the value
 * has. */
static bool quadratic_form(sf_graph *g, sf_node x, sf_node product,
                           sf_node *out)
{
    const sf_node p = before_reshape(g, product);
    if (sfi_at(g, p)->op != SFI_OP_MATMUL)
        return false;
    const sf_node a = sfi_arg(g, p, 0);
    if (sfi_at(g, a)->varies || sfi_at(g, p)->shape.extent[1] != 1 ||
        !same(before_reshape(g, sfi_arg(g, p, 1)), before_reshape(g, x)))
        return false;
    const sf_node turned = sf_transpose(g, a);
    if (same(turned, a))
        return false;
    const sf_node both = sf_matmul(g, sf_add(g, a, turned), x);
    *out = sf_mul(g, sf_const(g, 0.5), sf_sum_all(g, sf_mul(g, x, both)));
    return true;
}

/* c . v with constants c, where v is long: a product, which may join another. */
static bool constant_form(sf_graph *g, sf_node c, sf_node v, sf_node *out)
{
    enum { LONG = 8 };
    const int64_t count = sf_node_count(g, c);
    double value;
    if (count < LONG || !sfi_at(g, c)->constant || !sfi_at(g, v)->varies ||
        sfi_is_const(g, c, &value))
        return false;
    const sf_node row = sf_reshape(g, c, 2, (int64_t[]){1, count});
    *out = sf_reshape(g, sf_matmul(g, row, v), 0, NULL);
    return true;
}

sf_node sf_dot(sf_graph *g, sf_node a, sf_node b)
{
    if (broken(g))
        return nothing;
    double factor = 1.0;
    sf_node x = a, y = b, form;
    if (sfi_shape_equal(shape_of(g, a), shape_of(g, b))) {
        x = without_factor(g, a, &factor);
        y = without_factor(g, b, &factor);
        if (shape_of(g, x)->rank == 1 &&
            (quadratic_form(g, x, y, &form) || quadratic_form(g, y, x, &form) ||
             constant_form(g, x, y, &form) || constant_form(g, y, x, &form)))
            return sf_mul(g, sf_const(g, factor), form);
    }
    return sf_mul(g, sf_const(g, factor), sf_sum_all(g, sf_mul(g, x, y)));
}

sf_node sf_outer(sf_graph *g, sf_node a, sf_node b)
{
    if (broken(g))
        return nothing;
    const sfi_shape *sa = shape_of(g, a), *sb = shape_of(g, b);
    if (sa->rank != 1 || sb->rank != 1)
        return sfi_graph_fail(g, SF_E_SHAPE,
                              "outer: ranks are %d and %d, want 1 and 1",
                              sa->rank, sb->rank);
    const int64_t m = sa->extent[0], n = sb->extent[0];
    return sf_matmul(g, sf_reshape(g, a, 2, (int64_t[]){m, 1}),
                     sf_reshape(g, b, 2, (int64_t[]){1, n}));
}

static bool check_conv(sf_graph *g, sf_node x, sf_node w, int w_axis,
                       int64_t pad)
{
    const sfi_shape *sx = shape_of(g, x), *sw = shape_of(g, w);
    if (sx->rank == 3 && sw->rank == 4 && pad >= 0 && pad < 1 << 15 &&
        sx->extent[0] == sw->extent[w_axis])
        return true;
    char ta[SFI_SHAPE_TEXT], tb[SFI_SHAPE_TEXT];
    (void)sfi_graph_fail(g, SF_E_SHAPE,
                         "conv2d: shapes %s and %s (pad %lld) do not fit, want "
                         "[ci,h,w] and [co,ci,kh,kw]",
                         sfi_shape_text(sx, ta), sfi_shape_text(sw, tb),
                         (long long)pad);
    return false;
}

sf_node sf_conv2d(sf_graph *g, sf_node x, sf_node w, int64_t pad)
{
    if (broken(g) || !check_conv(g, x, w, 1, pad))
        return nothing;
    const int64_t *ex = shape_of(g, x)->extent, *ew = shape_of(g, w)->extent;
    const int64_t extent[3] = {ew[0], ex[1] + 2 * pad - ew[2] + 1,
                               ex[2] + 2 * pad - ew[3] + 1};
    sfi_shape out;
    if (!make_shape(g, &out, 3, extent, "conv2d"))
        return nothing;
    const int64_t attr[SFI_MAX_ATTR] = {pad};
    return sfi_emit(g, SFI_OP_CONV2D, out, 2, (sf_node[]){x, w}, attr, 0.0);
}

sf_node sfi_conv2d_grad_x(sf_graph *g, sf_node dy, sf_node w, int64_t pad)
{
    if (broken(g) || !check_conv(g, dy, w, 0, pad))
        return nothing;
    const int64_t *ey = shape_of(g, dy)->extent, *ew = shape_of(g, w)->extent;
    const int64_t extent[3] = {ew[1], ey[1] - 2 * pad + ew[2] - 1,
                               ey[2] - 2 * pad + ew[3] - 1};
    sfi_shape out;
    if (!make_shape(g, &out, 3, extent, "conv2d_grad_x"))
        return nothing;
    if (is_value(g, dy, 0.0) || is_value(g, w, 0.0))
        return sfi_full(g, &out, 0.0);
    const int64_t attr[SFI_MAX_ATTR] = {pad};
    return sfi_emit(g, SFI_OP_CONV2D_GRAD_X, out, 2, (sf_node[]){dy, w}, attr,
                    0.0);
}

sf_node sfi_conv2d_grad_w(sf_graph *g, sf_node x, sf_node dy, int64_t pad)
{
    if (broken(g))
        return nothing;
    const int64_t *ex = shape_of(g, x)->extent, *ey = shape_of(g, dy)->extent;
    const int64_t extent[4] = {ey[0], ex[0], ex[1] + 2 * pad - ey[1] + 1,
                               ex[2] + 2 * pad - ey[2] + 1};
    sfi_shape out;
    if (!make_shape(g, &out, 4, extent, "conv2d_grad_w"))
        return nothing;
    if (is_value(g, x, 0.0) || is_value(g, dy, 0.0))
        return sfi_full(g, &out, 0.0);
    const int64_t attr[SFI_MAX_ATTR] = {pad};
    return sfi_emit(g, SFI_OP_CONV2D_GRAD_W, out, 2, (sf_node[]){x, dy}, attr,
                    0.0);
}

static sf_node resample(sf_graph *g, sfi_op op, sf_node x)
{
    if (broken(g))
        return nothing;
    sfi_shape s = *shape_of(g, x);
    const bool pool = op == SFI_OP_AVG_POOL2;
    if (s.rank != 3 ||
        (pool && (s.extent[1] % 2 != 0 || s.extent[2] % 2 != 0))) {
        char text[SFI_SHAPE_TEXT];
        return sfi_graph_fail(g, SF_E_SHAPE, "%s: shape is %s, want [c,h,w]%s",
                              sfi_op_name(op), sfi_shape_text(&s, text),
                              pool ? " with h and w even" : "");
    }
    for (int i = 1; i < 3; i++)
        s.extent[i] = pool ? s.extent[i] / 2 : s.extent[i] * 2;
    sfi_shape out;
    if (!make_shape(g, &out, 3, s.extent, sfi_op_name(op)))
        return nothing;
    double value;
    if (sfi_is_const(g, x, &value))
        return sfi_full(g, &out, value);
    return sfi_emit(g, op, out, 1, &x, NULL, 0.0);
}

sf_node sf_avg_pool2(sf_graph *g, sf_node x)
{
    return resample(g, SFI_OP_AVG_POOL2, x);
}

sf_node sf_upsample2(sf_graph *g, sf_node x)
{
    return resample(g, SFI_OP_UPSAMPLE2, x);
}
