/* SPDX-License-Identifier: Apache-2.0 */
/* build_shapes.c - the constructors of operations that sum, stretch, turn, cut and join.
 *
 * Each first looks whether its argument is such an operation already, or has a
 * constant factor, so that chains of views become one view, and factors end up
 * where they meet a scalar or a constant. */
#include "graph/build.h"

sf_node sf_sum(sf_graph *g, sf_node a, unsigned axes)
{
    if (sfi_broken(g))
        return sfi_nothing;
    const sfi_shape shape = *sfi_shape_of(g, a);
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
    if (sfi_broken(g))
        return sfi_nothing;
    return sf_sum(g, a, (1u << sfi_shape_of(g, a)->rank) - 1u);
}

sf_node sf_broadcast(sf_graph *g, sf_node a, int rank, const int64_t *extent)
{
    sfi_shape out;
    if (sfi_broken(g) || !sfi_make_shape(g, &out, rank, extent, "broadcast"))
        return sfi_nothing;
    const sfi_shape *s = sfi_shape_of(g, a);
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
    if (sfi_broken(g) || !sfi_make_shape(g, &out, rank, extent, "reshape"))
        return sfi_nothing;
    const sfi_shape *s = sfi_shape_of(g, a);
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
    const sf_node rest = sfi_without_factor(g, a, &factor);
    if (!sfi_same(rest, a))
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
                sfi_same(sfi_arg(g, u, 0), v)) ||
               (sfi_at(g, v)->op == SFI_OP_PERMUTE &&
                sfi_same(sfi_arg(g, v, 0), u));
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
    if (sfi_broken(g))
        return sfi_nothing;
    const sfi_shape shape = *sfi_shape_of(g, a);
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
    const sf_node rest = sfi_without_factor(g, a, &factor);
    if (!sfi_same(rest, a))
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
    if (sfi_broken(g))
        return sfi_nothing;
    if (sfi_shape_of(g, a)->rank != 2)
        return sfi_graph_fail(g, SF_E_SHAPE, "transpose: rank is %d, want 2",
                              sfi_shape_of(g, a)->rank);
    return sf_permute(g, a, (int[]){1, 0});
}

/* Of parts that are joined along an axis, the one that holds all of a slice, and where in
 * it that begins; the join itself if there is none. */
static sf_node part_of_join(const sf_graph *g, sf_node a, int axis,
                            int64_t *first, int64_t count, int64_t step)
{
    const sfi_node *n = sfi_at(g, a);
    if (n->op != SFI_OP_CONCAT || n->attr[0] != axis)
        return a;
    int64_t begin = 0;
    for (int k = 0; k < n->arg_count; k++) {
        const sf_node part = sfi_arg(g, a, k);
        const int64_t end = begin + sfi_shape_of(g, part)->extent[axis];
        if (*first >= begin && *first + (count - 1) * step < end) {
            *first -= begin;
            return part;
        }
        begin = end;
    }
    return a;
}

sf_node sf_slice(sf_graph *g, sf_node a, int axis, int64_t first, int64_t count,
                 int64_t step)
{
    if (sfi_broken(g) || !sfi_axis_fits(g, a, axis, "slice"))
        return sfi_nothing;
    sfi_shape out = *sfi_shape_of(g, a);
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
    const sf_node part = part_of_join(g, a, axis, &first, count, step);
    if (!sfi_same(part, a))
        return sf_slice(g, part, axis, first, count, step);
    const int64_t attr[SFI_MAX_ATTR] = {axis, first, step};
    return sfi_emit(g, SFI_OP_SLICE, out, 1, &a, attr, 0.0);
}

sf_node sf_component(sf_graph *g, sf_node a, int64_t index)
{
    if (sfi_broken(g))
        return sfi_nothing;
    if (sfi_shape_of(g, a)->rank != 1)
        return sfi_graph_fail(g, SF_E_SHAPE, "component: rank is %d, want 1",
                              sfi_shape_of(g, a)->rank);
    return sf_reshape(g, sf_slice(g, a, 0, index, 1, 1), 0, NULL);
}

sf_node sf_pad(sf_graph *g, sf_node a, int axis, int64_t first, int64_t step,
               int64_t extent)
{
    if (sfi_broken(g) || !sfi_axis_fits(g, a, axis, "pad"))
        return sfi_nothing;
    sfi_shape out = *sfi_shape_of(g, a);
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
    if (!sfi_shape_fits(g, &out, "pad"))
        return sfi_nothing;
    double value;
    if (sfi_is_const(g, a, &value) && value == 0.0)
        return sfi_full(g, &out, 0.0);
    const int64_t attr[SFI_MAX_ATTR] = {axis, first, step};
    return sfi_emit(g, SFI_OP_PAD, out, 1, &a, attr, 0.0);
}

sf_node sf_concat(sf_graph *g, int count, const sf_node *parts, int axis)
{
    if (sfi_broken(g))
        return sfi_nothing;
    if (count < 1)
        return sfi_graph_fail(g, SF_E_ARG, "concat: count is %d, want >= 1",
                              count);
    if (count == 1)
        return parts[0];
    if (!sfi_axis_fits(g, parts[0], axis, "concat"))
        return sfi_nothing;
    sfi_shape out = *sfi_shape_of(g, parts[0]);
    for (int k = 1; k < count; k++) {
        const sfi_shape *s = sfi_shape_of(g, parts[k]);
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
        if (!sfi_shape_fits(g, &out, "concat"))
            return sfi_nothing;
    }
    const int64_t attr[SFI_MAX_ATTR] = {axis};
    return sfi_emit(g, SFI_OP_CONCAT, out, count, parts, attr, 0.0);
}

sf_node sf_stop_gradient(sf_graph *g, sf_node a)
{
    if (sfi_broken(g))
        return sfi_nothing;
    double value;
    if (sfi_is_const(g, a, &value))
        return a;
    return sfi_emit(g, SFI_OP_STOP_GRADIENT, *sfi_shape_of(g, a), 1, &a, NULL,
                    0.0);
}

sf_node sfi_stretch_last(sf_graph *g, sf_node a, int64_t extent)
{
    if (sfi_broken(g))
        return sfi_nothing;
    sfi_shape s = *sfi_shape_of(g, a);
    if (s.rank == SF_MAX_RANK)
        return sfi_graph_fail(g, SF_E_SHAPE,
                              "jacobian: more than %d axes are needed",
                              (int)SF_MAX_RANK);
    s.extent[s.rank++] = 1;
    const sf_node column = sf_reshape(g, a, s.rank, s.extent);
    s.extent[s.rank - 1] = extent;
    return sf_broadcast(g, column, s.rank, s.extent);
}
