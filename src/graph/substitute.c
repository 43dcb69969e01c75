/* SPDX-License-Identifier: Apache-2.0 */
/* substitute.c - an expression written again, in another graph or its own, with nodes of
 * that one in place of its inputs and parameters.  It is built by the constructors, so that what
 * vanishes with the new nodes vanishes. */
#include "graph/build.h"

typedef struct copying {
    sf_graph *to;
    const sf_graph *from;
    const sf_node *inputs, *params;
    sf_node *done; /* [from->node_count]; id -1: not yet */
} copying;

static sf_node constant_array(const copying *c, const sfi_node *n)
{
    const sfi_const_array *a = &c->from->arrays[n->attr[0]];
    return sf_const_array(c->to, n->shape.rank, n->shape.extent, a->values);
}

/* Of a node whose arguments have been written. */
static sf_node copy_one(const copying *c, sf_node node)
{
    enum { FEW = 8 };
    const sfi_node n = *sfi_at(c->from, node); /* the nodes may move */
    sf_node few[FEW];
    switch (n.op) {
    case SFI_OP_INPUT:
        return c->inputs[n.attr[0]];
    case SFI_OP_PARAM:
        return c->params[n.attr[0]];
    case SFI_OP_CONST:
        return sfi_full(c->to, &n.shape, n.value);
    case SFI_OP_ARRAY:
        return constant_array(c, &n);
    default:
        break;
    }
    const size_t count = (size_t)n.arg_count;
    sf_node *args =
        count <= FEW ? few : sfi_alloc(c->to->ctx, count, sizeof *args);
    if (args == NULL)
        return sfi_graph_fail(c->to, SF_E_NOMEM, "graph: no memory to copy");
    for (size_t k = 0; k < count; k++)
        args[k] = c->done[sfi_arg(c->from, node, (int)k).id];
    const sf_node made = sfi_is_elementwise(n.op)
                             ? sfi_elementwise(c->to, n.op, n.arg_count, args)
                             : sfi_emit(c->to, n.op, n.shape, n.arg_count, args,
                                        n.attr, n.value);
    if (args != few)
        sfi_free(c->to->ctx, args, count, sizeof *args);
    return made;
}

static void copy(copying *c, sf_node node)
{
    const int count = sfi_at(c->from, node)->arg_count;
    if (c->done[node.id].id >= 0 || c->to->status != SF_OK)
        return;
    for (int k = 0; k < count; k++)
        copy(c, sfi_arg(c->from, node, k));
    if (c->to->status == SF_OK)
        c->done[node.id] = copy_one(c, node);
}

sf_node sfi_substitute(sf_graph *to, const sf_graph *from, sf_node node,
                       const sf_node *inputs, const sf_node *params)
{
    return sfi_substitute_ready(to, from, node, inputs, params, NULL);
}

sf_node sfi_substitute_ready(sf_graph *to, const sf_graph *from, sf_node node,
                             const sf_node *inputs, const sf_node *params,
                             const sf_node *ready)
{
    const size_t nodes = from->node_count;
    copying c = {.to = to, .from = from, .inputs = inputs, .params = params};
    if (sfi_broken(to))
        return sfi_nothing;
    c.done = sfi_alloc(to->ctx, nodes, sizeof *c.done);
    if (c.done == NULL)
        return sfi_graph_fail(to, SF_E_NOMEM, "graph: no memory to copy");
    for (size_t i = 0; i < nodes; i++)
        c.done[i].id = ready != NULL ? ready[i].id : -1;
    copy(&c, node);
    const sf_node made = to->status == SF_OK ? c.done[node.id] : sfi_nothing;
    sfi_free(to->ctx, c.done, nodes, sizeof *c.done);
    return made;
}
