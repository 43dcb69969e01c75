/* SPDX-License-Identifier: Apache-2.0 */
/* build.h - what the constructors of nodes (build_*.c) share. */
#ifndef SFI_BUILD_H
#define SFI_BUILD_H

#include "graph/graph.h"

/* What a constructor returns that cannot build anything. */
static const sf_node sfi_nothing = {0};

static inline bool sfi_broken(const sf_graph *g)
{
    return g->status != SF_OK;
}

static inline const sfi_shape *sfi_shape_of(const sf_graph *g, sf_node n)
{
    return &sfi_at(g, n)->shape;
}

static inline bool sfi_same(sf_node a, sf_node b)
{
    return a.id == b.id;
}

/* Whether every element is this constant. */
static inline bool sfi_is_value(const sf_graph *g, sf_node n, double want)
{
    double value;
    return sfi_is_const(g, n, &value) && value == want;
}

/* A shape that a node may have, or false and an error of the graph, in which `who`
 * is the constructor that asks. */
bool sfi_make_shape(sf_graph *g, sfi_shape *out, int rank,
                    const int64_t *extent, const char *who);

/* Whether a shape that was put together from others is one that a node may
 * have. */
bool sfi_shape_fits(sf_graph *g, const sfi_shape *shape, const char *who);

bool sfi_axis_fits(sf_graph *g, sf_node a, int axis, const char *who);

/* The node without its constant factor, by which *factor is multiplied
 * (build_simplify.c). */
sf_node sfi_without_factor(const sf_graph *g, sf_node n, double *factor);

#endif
