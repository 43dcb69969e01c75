/* SPDX-License-Identifier: Apache-2.0 */
/* derive.c - reverse and forward differentiation of a graph, into the graph.
 *
 * Both passes first mark which nodes below y depend on the nodes that the
 * derivative is taken by; only those get cotangents or tangents.  Ids are a
 * topological order, so one loop down (or up) is the whole algorithm. */
#include "graph/graph.h"

#include <string.h>

static const sf_node none = {-1};

/* Of the nodes 0..last that are marked, keep those that `last` is made of: others
 * may be as many again, and derivatives of them would be taken for nothing. */
static bool keep_parts_of(sf_graph *g, int32_t last, sfi_wanted *depends)
{
    bool *part = sfi_alloc_zero(g->ctx, (size_t)last + 1, sizeof *part);
    if (part == NULL)
        return false;
    part[last] = true;
    for (int32_t id = last; id >= 0; id--) {
        const sfi_node *n = &g->nodes[id];
        if (!part[id])
            depends[id] = SFI_NOT_WANTED;
        for (int k = 0; k < n->arg_count && part[id]; k++)
            part[g->args[n->arg_first + k]] = true;
    }
    sfi_free(g->ctx, part, (size_t)last + 1, sizeof *part);
    return true;
}

/* Which nodes that `last` is made of, itself among them, depend on one of wrt[];
 * NULL without memory. */
static sfi_wanted *mark_dependent(sf_graph *g, int32_t last, int count,
                                  const sf_node *wrt)
{
    sfi_wanted *depends =
        sfi_alloc_zero(g->ctx, (size_t)last + 1, sizeof *depends);
    if (depends == NULL) {
        (void)sfi_graph_fail(g, SF_E_NOMEM, "derivative: no memory for marks");
        return NULL;
    }
    for (int i = 0; i < count; i++)
        if (wrt[i].id <= last)
            depends[wrt[i].id] = SFI_ASKED;
    for (int32_t id = 0; id <= last; id++) {
        const sfi_node *n = &g->nodes[id];
        for (int k = 0; k < n->arg_count && !depends[id]; k++)
            if (depends[g->args[n->arg_first + k]])
                depends[id] = SFI_WANTED;
    }
    if (keep_parts_of(g, last, depends))
        return depends;
    sfi_free(g->ctx, depends, (size_t)last + 1, sizeof *depends);
    (void)sfi_graph_fail(g, SF_E_NOMEM, "derivative: no memory for marks");
    return NULL;
}

static int most_args(const sf_graph *g, int32_t last)
{
    int most = 1;
    for (int32_t id = 0; id <= last; id++)
        if (g->nodes[id].arg_count > most)
            most = g->nodes[id].arg_count;
    return most;
}

static sf_node *new_nodes(sf_graph *g, size_t count)
{
    sf_node *nodes = sfi_alloc(g->ctx, count, sizeof *nodes);
    if (nodes == NULL) {
        (void)sfi_graph_fail(g, SF_E_NOMEM, "derivative: no memory for nodes");
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        nodes[i] = none;
    return nodes;
}

/* Hand the cotangent of node id on to its arguments. */
static void pull_back(sf_graph *g, int32_t id, const sfi_wanted *depends,
                      sf_node *cotangent, sfi_wanted *wanted, sf_node *part)
{
    const sf_node y = {id};
    const int count = sfi_at(g, y)->arg_count;
    for (int k = 0; k < count; k++) {
        wanted[k] = depends[sfi_arg(g, y, k).id];
        part[k] = none;
    }
    sfi_rule_vjp(g, y, cotangent[id], wanted, part);
    for (int k = 0; k < count; k++) {
        if (!wanted[k] || sfi_none(part[k]))
            continue;
        sf_node *sum = &cotangent[sfi_arg(g, y, k).id];
        *sum = sfi_none(*sum) ? part[k] : sf_add(g, *sum, part[k]);
    }
}

void sf_vjp(sf_graph *g, sf_node y, sf_node ct, int count, const sf_node *wrt,
            sf_node *out)
{
    for (int i = 0; i < count; i++)
        out[i] = (sf_node){0};
    if (g->status != SF_OK)
        return;
    if (!sfi_shape_equal(&sfi_at(g, y)->shape, &sfi_at(g, ct)->shape)) {
        char ty[SFI_SHAPE_TEXT], tc[SFI_SHAPE_TEXT];
        (void)sfi_graph_fail(g, SF_E_SHAPE,
                             "vjp: the cotangent has shape %s, y has %s",
                             sfi_shape_text(&sfi_at(g, ct)->shape, tc),
                             sfi_shape_text(&sfi_at(g, y)->shape, ty));
        return;
    }
    const int32_t last = y.id;
    const size_t most = (size_t)most_args(g, last);
    sfi_wanted *depends = mark_dependent(g, last, count, wrt);
    sfi_wanted *wanted = sfi_alloc(g->ctx, most, sizeof *wanted);
    sf_node *cotangent = new_nodes(g, (size_t)last + 1);
    sf_node *part = new_nodes(g, most);
    if (depends == NULL || wanted == NULL || cotangent == NULL ||
        part == NULL) {
        (void)sfi_graph_fail(g, SF_E_NOMEM, "vjp: no memory");
        goto done;
    }
    cotangent[last] = ct;
    for (int32_t id = last; id >= 0; id--)
        if (depends[id] && !sfi_none(cotangent[id]))
            pull_back(g, id, depends, cotangent, wanted, part);
    for (int i = 0; i < count; i++) {
        const bool reached =
            wrt[i].id <= last && !sfi_none(cotangent[wrt[i].id]);
        out[i] = reached ? cotangent[wrt[i].id]
                         : sfi_full(g, &sfi_at(g, wrt[i])->shape, 0.0);
    }
done:
    sfi_free(g->ctx, part, most, sizeof *part);
    sfi_free(g->ctx, cotangent, (size_t)last + 1, sizeof *cotangent);
    sfi_free(g->ctx, wanted, most, sizeof *wanted);
    sfi_free(g->ctx, depends, (size_t)last + 1, sizeof *depends);
}

void sf_gradients(sf_graph *g, sf_node scalar, int count, const sf_node *wrt,
                  sf_node *out)
{
    if (g->status == SF_OK && sfi_at(g, scalar)->shape.rank != 0)
        (void)sfi_graph_fail(g, SF_E_SHAPE,
                             "gradient: the operand has rank %d, want a single "
                             "number",
                             sfi_at(g, scalar)->shape.rank);
    sf_vjp(g, scalar, sf_const(g, 1.0), count, wrt, out);
}

sf_node sf_gradient(sf_graph *g, sf_node scalar, sf_node wrt)
{
    sf_node out;
    sf_gradients(g, scalar, 1, &wrt, &out);
    return out;
}

/* Push `width` directions forward from wrt to y; tangent has shape
 * [shape of wrt..., width].  Returns [shape of y..., width]. */
static sf_node push_forward(sf_graph *g, sf_node y, sf_node wrt,
                            sf_node tangent, int64_t width)
{
    sf_node out = {0};
    if (g->status != SF_OK)
        return out;
    const int32_t last = y.id;
    const size_t most = (size_t)most_args(g, last);
    sfi_wanted *depends = mark_dependent(g, last, 1, &wrt);
    sf_node *tangents = new_nodes(g, (size_t)last + 1);
    sf_node *parts = new_nodes(g, most);
    if (depends == NULL || tangents == NULL || parts == NULL)
        goto done;
    for (int32_t id = 0; id <= last; id++) {
        if (!depends[id])
            continue;
        if (id == wrt.id) {
            tangents[id] = tangent;
            continue;
        }
        bool any = false;
        for (int k = 0; k < g->nodes[id].arg_count; k++) {
            parts[k] = tangents[sfi_arg(g, (sf_node){id}, k).id];
            any = any || !sfi_none(parts[k]);
        }
        /* The rules below the element-wise ones would drop the directions. */
        if (any && g->nodes[id].shape.rank == SF_MAX_RANK)
            (void)sfi_graph_fail(g, SF_E_SHAPE,
                                 "jacobian: more than %d axes are needed",
                                 (int)SF_MAX_RANK);
        if (any)
            tangents[id] = sfi_rule_jvp(g, (sf_node){id}, parts, width);
    }
    out = tangents[last];
    if (sfi_none(out))
        out =
            sfi_stretch_last(g, sfi_full(g, &sfi_at(g, y)->shape, 0.0), width);
done:
    sfi_free(g->ctx, parts, most, sizeof *parts);
    sfi_free(g->ctx, tangents, (size_t)last + 1, sizeof *tangents);
    sfi_free(g->ctx, depends, (size_t)last + 1, sizeof *depends);
    return out;
}

sf_node sf_jvp(sf_graph *g, sf_node y, sf_node wrt, sf_node tangent)
{
    if (g->status != SF_OK)
        return (sf_node){0};
    const sfi_shape s = sfi_at(g, y)->shape;
    if (!sfi_shape_equal(&sfi_at(g, wrt)->shape, &sfi_at(g, tangent)->shape)) {
        char tw[SFI_SHAPE_TEXT], tt[SFI_SHAPE_TEXT];
        return sfi_graph_fail(g, SF_E_SHAPE,
                              "jvp: the tangent has shape %s, want %s",
                              sfi_shape_text(&sfi_at(g, tangent)->shape, tt),
                              sfi_shape_text(&sfi_at(g, wrt)->shape, tw));
    }
    const sf_node column = sfi_stretch_last(g, tangent, 1);
    return sf_reshape(g, push_forward(g, y, wrt, column, 1), s.rank, s.extent);
}

sf_node sf_jacobian(sf_graph *g, sf_node y, sf_node wrt)
{
    if (g->status != SF_OK)
        return (sf_node){0};
    const sfi_shape sx = sfi_at(g, wrt)->shape, sy = sfi_at(g, y)->shape;
    const int64_t count = sfi_shape_count(&sx);
    if (sx.rank + sy.rank > SF_MAX_RANK || sx.rank + 1 > SF_MAX_RANK)
        return sfi_graph_fail(g, SF_E_SHAPE,
                              "jacobian: %d and %d axes are more than %d",
                              sy.rank, sx.rank, (int)SF_MAX_RANK);
    sfi_shape seed = sx, out = sy;
    seed.extent[seed.rank++] = count;
    const sf_node eye = sf_reshape(g, sf_eye(g, count), seed.rank, seed.extent);
    for (int i = 0; i < sx.rank; i++)
        out.extent[out.rank++] = sx.extent[i];
    return sf_reshape(g, push_forward(g, y, wrt, eye, count), out.rank,
                      out.extent);
}

sf_node sf_hessian(sf_graph *g, sf_node scalar, sf_node wrt)
{
    return sf_jacobian(g, sf_gradient(g, scalar, wrt), wrt);
}

sf_node sf_divergence(sf_graph *g, sf_node y, sf_node wrt)
{
    if (g->status != SF_OK)
        return (sf_node){0};
    const sfi_shape s = sfi_at(g, y)->shape;
    if (s.rank != 1 || !sfi_shape_equal(&s, &sfi_at(g, wrt)->shape)) {
        char ty[SFI_SHAPE_TEXT], tw[SFI_SHAPE_TEXT];
        return sfi_graph_fail(
            g, SF_E_SHAPE,
            "divergence: shapes are %s and %s, want two equal "
            "vectors",
            sfi_shape_text(&s, ty), sfi_shape_text(&sfi_at(g, wrt)->shape, tw));
    }
    /* The diagonal of [d,d] is every (d+1)-th of its d*d elements. */
    const int64_t d = s.extent[0];
    const sf_node flat =
        sf_reshape(g, sf_jacobian(g, y, wrt), 1, (int64_t[]){d * d});
    return sf_sum_all(g, sf_slice(g, flat, 0, 0, d, d + 1));
}

sf_node sf_laplacian(sf_graph *g, sf_node scalar, sf_node wrt)
{
    return sf_divergence(g, sf_gradient(g, scalar, wrt), wrt);
}
