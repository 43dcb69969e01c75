/* SPDX-License-Identifier: Apache-2.0 */
/* build.c - the leaves of a graph, and what all constructors ask of a shape.
 *
 * The other constructors: element-wise operations (build_elementwise.c) with their
 * algebra (build_simplify.c), operations on shapes (build_shapes.c), and products
 * (build_products.c).  A constructor
 * of a graph with an error does nothing and returns node 0, so that callers check
 * once, at the end. */
#include "graph/build.h"

#include <string.h>

/* ---- shapes ---------------------------------------------------------------- */

/* Extents are limited so that products of counts and block lengths cannot
 * overflow anywhere downstream. */
static const int64_t max_count = (int64_t)1 << 40;

bool sfi_make_shape(sf_graph *g, sfi_shape *out, int rank,
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

bool sfi_shape_fits(sf_graph *g, const sfi_shape *shape, const char *who)
{
    sfi_shape copy;
    return sfi_make_shape(g, &copy, shape->rank, shape->extent, who);
}

bool sfi_axis_fits(sf_graph *g, sf_node a, int axis, const char *who)
{
    if (axis >= 0 && axis < sfi_shape_of(g, a)->rank)
        return true;
    (void)sfi_graph_fail(g, SF_E_SHAPE, "%s: axis is %d, want 0 to %d", who,
                         axis, sfi_shape_of(g, a)->rank - 1);
    return false;
}

/* ---- leaves ---------------------------------------------------------------- */

static sf_node leaf(sf_graph *g, sfi_op op, const char *name, int rank,
                    const int64_t *extent)
{
    sfi_shape shape;
    if (sfi_broken(g) || !sfi_make_shape(g, &shape, rank, extent, name))
        return sfi_nothing;
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
    if (sfi_broken(g) ||
        !sfi_make_shape(g, &shape, rank, extent, "const_array"))
        return sfi_nothing;
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
