/* SPDX-License-Identifier: Apache-2.0 */
/* coefficients.c - what a density makes of coordinates alone.
 *
 * A program of the action is run at each of many products with its Hessian, and evaluates the
 * density at a point and its neighbours.  A part of it that depends on coordinates alone, and is
 * not as cheap as to be read, is evaluated once for each point, or for each row where it
 * depends on some of the axes, and is read like a source from then on. */
#include "action/action.h"

#include <string.h>

enum { MOST_INSTRUCTIONS = 8, COSTLY = 8, MOST_COEFFICIENTS = 32 };

static const int costs[] = {
#define EW(NAME, name, arity, scope, loop, cost, ...) cost,
#include "num/elementwise.def"
#undef EW
};

/* What a node is, from its arguments. */
typedef struct node_price {
    bool is_of_coordinates; /* and of numbers                              */
    bool has_costly;
    unsigned axes;
    int instructions; /* shared ones counted again: at most so many        */
} node_price;

static node_price price_of(const sf_action *a, sf_node node,
                           const node_price *prices)
{
    const sfi_node *n = sfi_at(a->graph, node);
    node_price out = {.is_of_coordinates = true};
    if (n->op == SFI_OP_INPUT) {
        const sfi_density_leaf *l = &a->leaves[n->attr[0]];
        out.is_of_coordinates = l->kind == SFI_LEAF_COORD;
        out.axes = 1u << l->axis;
        return out;
    }
    for (int k = 0; k < n->arg_count; k++) {
        const node_price *p = &prices[sfi_arg(a->graph, node, k).id];
        out.is_of_coordinates &= p->is_of_coordinates;
        out.has_costly |= p->has_costly;
        out.axes |= p->axes;
        out.instructions += p->instructions;
    }
    if (sfi_is_elementwise(n->op)) {
        out.instructions++;
        out.has_costly |= costs[n->op] >= COSTLY;
    }
    if (out.instructions > MOST_INSTRUCTIONS)
        out.instructions = MOST_INSTRUCTIONS + 1;
    return out;
}

static bool is_worth(const sf_action *a, sf_node node, const node_price *p)
{
    return p->is_of_coordinates && p->axes != 0 &&
           sf_node_rank(a->graph, node) == 0 &&
           (p->has_costly || p->instructions > MOST_INSTRUCTIONS);
}

/* The largest parts that are worth it below a node. */
static void collect(const sf_action *a, sf_node node, const node_price *prices,
                    bool *seen, sf_node *found, int *count)
{
    if (seen[node.id] || *count == MOST_COEFFICIENTS)
        return;
    seen[node.id] = true;
    if (is_worth(a, node, &prices[node.id])) {
        found[(*count)++] = node;
        return;
    }
    for (int k = 0; k < sfi_at(a->graph, node)->arg_count; k++)
        collect(a, sfi_arg(a->graph, node, k), prices, seen, found, count);
}

static sf_status find(const sf_action *a, sf_node *found, unsigned *axes,
                      int *count)
{
    const size_t nodes = a->graph->node_count;
    node_price *prices = sfi_alloc_zero(a->ctx, nodes, sizeof *prices);
    bool *seen = sfi_alloc_zero(a->ctx, nodes, sizeof *seen);
    *count = 0;
    if (prices != NULL && seen != NULL) {
        for (size_t i = 0; i < nodes; i++) { /* arguments come first */
            const sf_node node = {(int32_t)i};
            prices[i] = price_of(a, node, prices);
        }
        collect(a, a->energy, prices, seen, found, count);
        for (int i = 0; i < *count; i++)
            axes[i] = prices[found[i].id].axes;
    }
    const bool fits = prices != NULL && seen != NULL;
    sfi_free(a->ctx, prices, nodes, sizeof *prices);
    sfi_free(a->ctx, seen, nodes, sizeof *seen);
    return fits ? SF_OK : SF_E_NOMEM;
}

static sf_status evaluate(sf_action *a, sf_node node, unsigned axes,
                          sfi_coefficient *c)
{
    sf_box box = {.rank = a->rank};
    double *x[SF_MAX_AXES];
    c->count = 1;
    for (int k = a->rank - 1; k >= 0; k--) {
        const bool varies = axes >> k & 1;
        x[k] = a->lines[k][SFI_LINE_COORD];
        box.extent[k] = varies ? a->count[k] : 1;
        c->step[k] = varies ? c->count : 0;
        c->count *= box.extent[k];
    }
    c->values = sfi_alloc(a->ctx, (size_t)c->count, sizeof *c->values);
    return c->values == NULL ? SF_E_NOMEM
                             : sfi_action_run(a, node, &box, x, c->values);
}

/* The energy with leaves in place of these nodes. */
static sf_status replace(sf_action *a, int count, const sf_node *found)
{
    sf_graph *g = a->graph;
    sf_node leaves[MOST_COEFFICIENTS];
    for (int i = 0; i < count; i++)
        leaves[i] = sfi_action_leaf(a, SFI_LEAF_COEFFICIENT, i, 0);
    SFI_TRY(sf_graph_status(g));
    const size_t nodes = g->node_count, inputs = a->leaf_count;
    sf_node *ready = sfi_alloc(a->ctx, nodes, sizeof *ready);
    sf_node *same = sfi_alloc(a->ctx, inputs, sizeof *same);
    if (ready != NULL && same != NULL) {
        for (size_t i = 0; i < nodes; i++)
            ready[i].id = -1;
        for (size_t i = 0; i < inputs; i++)
            same[i] = a->leaves[i].node;
        for (int i = 0; i < count; i++)
            ready[found[i].id] = leaves[i];
        a->discrete = sfi_substitute_ready(g, g, a->energy, same, NULL, ready);
    }
    const bool fits = ready != NULL && same != NULL;
    sfi_free(a->ctx, ready, nodes, sizeof *ready);
    sfi_free(a->ctx, same, inputs, sizeof *same);
    return fits ? sf_graph_status(g) : SF_E_NOMEM;
}

sf_status sfi_action_find_coefficients(sf_action *a)
{
    sf_node found[MOST_COEFFICIENTS];
    unsigned axes[MOST_COEFFICIENTS];
    int count = 0;
    if (a->discrete.id >= 0)
        return SF_OK;
    SFI_TRY(find(a, found, axes, &count));
    if (count == 0) {
        a->discrete = a->energy;
        return SF_OK;
    }
    a->coefficients =
        sfi_alloc_zero(a->ctx, (size_t)count, sizeof *a->coefficients);
    if (a->coefficients == NULL)
        return SF_E_NOMEM;
    a->coefficient_count = count;
    for (int i = 0; i < count; i++)
        SFI_TRY(evaluate(a, found[i], axes[i], &a->coefficients[i]));
    return replace(a, count, found);
}

void sfi_action_free_coefficients(sf_action *a)
{
    for (int i = 0; i < a->coefficient_count; i++)
        sfi_free(a->ctx, a->coefficients[i].values,
                 (size_t)a->coefficients[i].count, sizeof(double));
    sfi_free(a->ctx, a->coefficients, (size_t)a->coefficient_count,
             sizeof *a->coefficients);
    a->coefficients = NULL;
    a->coefficient_count = 0;
}
