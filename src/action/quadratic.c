/* SPDX-License-Identifier: Apache-2.0 */
/* quadratic.c - second derivatives of a density at zero. */
#include "action/quadratic.h"

/* A node where all fields and slopes are 0. */
static sf_node at_zero(sf_action *a, sf_node node)
{
    enum { MOST = 256 };
    sf_node leaves[MOST];
    if (a->leaf_count > MOST)
        return node;
    for (size_t i = 0; i < a->leaf_count; i++)
        leaves[i] = a->leaves[i].kind == SFI_LEAF_VALUE ||
                            a->leaves[i].kind == SFI_LEAF_SLOPE
                        ? sf_const(a->graph, 0.0)
                        : a->leaves[i].node;
    return sfi_substitute(a->graph, a->graph, node, leaves, NULL);
}

/* The number d^2E/da db, if it is one. */
static bool second(sf_action *a, sf_node by, sf_node to, double *out)
{
    sf_graph *g = a->graph;
    return sfi_is_const(
        g, at_zero(a, sf_gradient(g, sf_gradient(g, a->energy, by), to)), out);
}

bool sfi_quadratic_part(sf_action *a, int u, double *c, double *mass)
{
    /* All leaves first: none is made while others are looked at. */
    const sf_node value = sfi_action_leaf(a, SFI_LEAF_VALUE, u, 0);
    for (int k = 0; k < a->rank; k++)
        (void)sfi_action_leaf(a, SFI_LEAF_SLOPE, u, k);
    double none;
    if (!second(a, value, value, mass))
        return false;
    for (int k = 0; k < a->rank; k++) {
        const sf_node s = sfi_action_leaf(a, SFI_LEAF_SLOPE, u, k);
        if (!second(a, s, s, &c[k]) || !second(a, s, value, &none) ||
            none != 0.0)
            return false;
        for (int j = 0; j < k; j++)
            if (!second(a, s, sfi_action_leaf(a, SFI_LEAF_SLOPE, u, j),
                        &none) ||
                none != 0.0)
                return false;
    }
    return true;
}

bool sfi_transform_wall(const sf_action *a, int wall, sfi_wall *out)
{
    switch (a->walls[wall].kind) {
    case SF_SIDE_PERIODIC:
        *out = SFI_WALL_PERIODIC;
        return true;
    case SF_SIDE_PIN:
        *out = SFI_WALL_PIN;
        return true;
    case SF_SIDE_NATURAL:
    case SF_SIDE_FLUX:
        *out = SFI_WALL_NATURAL;
        return true;
    case SF_SIDE_OPEN:
        *out = SFI_WALL_OPEN;
        return true;
    default:
        return false;
    }
}
