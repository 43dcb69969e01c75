/* SPDX-License-Identifier: Apache-2.0 */
/* build_compose.c - functions that are nothing but others put together.
 *
 * They are no operations of their own: derivatives, plans and loops see what they
 * are made of.  What is true is a number that is not 0, as in sf_select(); where
 * it is the result of a comparison it is 0 or 1 already and stays as it is. */
#include "graph/graph.h"

/* How far down we look: what shares its parts has few nodes and many paths. */
enum { DEEPEST = 8 };

static bool is_truth(const sf_graph *g, sf_node a, int depth)
{
    switch (sfi_at(g, a)->op) {
    case SFI_OP_LESS:
    case SFI_OP_LESS_EQUAL:
    case SFI_OP_EQUAL:
        return true;
    case SFI_OP_MUL: /* what sf_and() and sf_or() make of others */
    case SFI_OP_MAX:
        return depth < DEEPEST && is_truth(g, sfi_arg(g, a, 0), depth + 1) &&
               is_truth(g, sfi_arg(g, a, 1), depth + 1);
    default:
        return false;
    }
}

static sf_node truth(sf_graph *g, sf_node a)
{
    if (g->status != SF_OK || is_truth(g, a, 0))
        return a;
    return sf_not(g, sf_not(g, a));
}

sf_node sf_not(sf_graph *g, sf_node a)
{
    return sf_equal(g, a, sf_const(g, 0.0));
}

sf_node sf_and(sf_graph *g, sf_node a, sf_node b)
{
    return sf_mul(g, truth(g, a), truth(g, b));
}

sf_node sf_or(sf_graph *g, sf_node a, sf_node b)
{
    return sf_max(g, truth(g, a), truth(g, b));
}

/* Sums of 1, 2, 4, ... neighbours: each is that of half as many and what stands
 * so many places before.  n log n additions, each element in log n steps, so that
 * rounding errors grow no faster than log n. */
sf_node sf_cumsum(sf_graph *g, sf_node a)
{
    if (g->status != SF_OK || sf_node_rank(g, a) == 0)
        return a;
    const int64_t n = sf_node_extent(g, a, 0);
    for (int64_t reach = 1; reach < n; reach *= 2) {
        const sf_node before = sf_slice(g, a, 0, 0, n - reach, 1);
        a = sf_add(g, a, sf_pad(g, before, 0, reach, 1, n));
    }
    return a;
}
