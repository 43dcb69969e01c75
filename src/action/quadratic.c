/* SPDX-License-Identifier: Apache-2.0 */
/* quadratic.c - second derivatives of a density at zero. */
#include "action/quadratic.h"

#include <math.h>

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

/* A wall as transforms know it; false if they do not. */
static bool wall_of(sf_action *a, int wall, sfi_wall *out)
{
    if (a->boundary[wall].id >= 0) { /* which may be linear */
        const sf_node value = sfi_action_leaf(a, SFI_LEAF_VALUE, 0, 0);
        double none;
        if (!sfi_is_const(
                a->graph,
                sf_gradient(a->graph,
                            sf_gradient(a->graph, a->boundary[wall], value),
                            value),
                &none) ||
            none != 0.0)
            return false;
    }
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

bool sfi_transform_axis_of(sf_action *a, int axis, sfi_transform_axis *out)
{
    const sf_axis *line = sf_grid_axis(a->grid, axis);
    if (!a->is_uniform[axis] || !wall_of(a, 2 * axis, &out->low) ||
        !wall_of(a, 2 * axis + 1, &out->high))
        return false;
    out->cells = sfi_is_cells(a, axis);
    const bool low = out->low == SFI_WALL_PIN && !out->cells;
    const bool high = out->high == SFI_WALL_PIN && !out->cells;
    out->h = sfi_is_closed(a, axis) ? line->period / (double)line->count
                                    : fabs(sfi_axis_step(line));
    out->count = a->count[axis] - low - high;
    out->first = low;
    return true;
}
