/* SPDX-License-Identifier: Apache-2.0 */
/* transport.c - the network simplex on a bipartite graph.
 *
 * A basis is a spanning tree of the n sources, the m sinks and a root, which is joined to
 * all by artificial arcs in the beginning: source -> root at no cost and root -> sink
 * at a cost that no path of true arcs can have.  With potentials p such that
 * c_uv + p_u - p_v = 0 on its arcs, an arc of which that is negative enters the tree;
 * flow is sent around the cycle that it closes until an arc is empty, which leaves;
 * and the part of the tree that hung on it is hung on the new arc, with new
 * potentials.
 *
 * Flows are whole numbers, m/g from each source and n/g to each sink with g the
 * greatest common divisor: no rounding decides what is empty.  Many are 0, and
 * pivots that send nothing could go round for ever; they do not where every empty
 * arc of the tree points to the root, which is kept by leaving with the last empty arc
 * of the cycle as seen along its flow from the highest node (W. H. Cunningham,
 * Math. Program. 11 (1976) 105-116).
 *
 * An arc enters that is the best of a block of about sqrt(n m), whole rows of the cost
 * matrix, and the next block begins where this one ended. */
#include "compare/transport.h"

#include <math.h>
#include <string.h>

/* What a node knows of the arc to its parent and of its place in the tree. */
typedef struct node {
    int32_t parent, first, next, before; /* nodes or NONE: parent, first child,
                                            siblings                          */
    int32_t depth;
    bool up;      /* the arc goes from the node to its parent                 */
    int64_t flow; /* on that arc                                              */
    double cost;  /* of that arc                                              */
} node;

enum { NONE = -1 };

struct sfi_transport {
    int64_t n, m, root;
    double *cost;      /* [n, m]      */
    node *node;        /* [n + m + 1] */
    double *potential; /* [n + m + 1] */
    int64_t row;       /* where the next block begins */
};

sf_status sfi_transport_new(sf_context *ctx, sfi_transport **out, int64_t n,
                            int64_t m)
{
    *out = NULL;
    sfi_transport *t = sfi_alloc_zero(ctx, 1, sizeof *t);
    if (t == NULL)
        return SF_E_NOMEM;
    t->n = n;
    t->m = m;
    t->root = n + m;
    const size_t nodes = (size_t)(n + m + 1);
    t->cost = sfi_alloc(ctx, (size_t)(n * m), sizeof *t->cost);
    t->node = sfi_alloc(ctx, nodes, sizeof *t->node);
    t->potential = sfi_alloc(ctx, nodes, sizeof *t->potential);
    if (t->cost == NULL || t->node == NULL || t->potential == NULL) {
        sfi_transport_free(ctx, t);
        return SF_E_NOMEM;
    }
    *out = t;
    return SF_OK;
}

void sfi_transport_free(sf_context *ctx, sfi_transport *t)
{
    if (t == NULL)
        return;
    const size_t nodes = (size_t)(t->n + t->m + 1);
    sfi_free(ctx, t->potential, nodes, sizeof *t->potential);
    sfi_free(ctx, t->node, nodes, sizeof *t->node);
    sfi_free(ctx, t->cost, (size_t)(t->n * t->m), sizeof *t->cost);
    sfi_free(ctx, t, 1, sizeof *t);
}

double *sfi_transport_costs(sfi_transport *t)
{
    return t->cost;
}

/* ---- the tree ------------------------------------------------------------- */

static void detach(node *v, int32_t u)
{
    if (v[u].before != NONE)
        v[v[u].before].next = v[u].next;
    else
        v[v[u].parent].first = v[u].next;
    if (v[u].next != NONE)
        v[v[u].next].before = v[u].before;
}

static void attach(node *v, int32_t u, int32_t parent)
{
    v[u].parent = parent;
    v[u].before = NONE;
    v[u].next = v[parent].first;
    if (v[u].next != NONE)
        v[v[u].next].before = u;
    v[parent].first = u;
}

static int64_t divisor(int64_t a, int64_t b)
{
    while (b != 0) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Everything flows through the root. */
static void begin(sfi_transport *t, double artificial)
{
    const int64_t by = divisor(t->n, t->m);
    node *v = t->node;
    v[t->root] = (node){.parent = NONE, .first = NONE};
    t->potential[t->root] = 0.0;
    for (int64_t u = 0; u < t->root; u++) {
        const bool source = u < t->n;
        v[u] = (node){.first = NONE,
                      .depth = 1,
                      .up = source,
                      .flow = (source ? t->m : t->n) / by,
                      .cost = source ? 0.0 : artificial};
        t->potential[u] = source ? 0.0 : artificial;
        attach(v, (int32_t)u, (int32_t)t->root);
    }
    t->row = 0;
}

/* Set potentials and depths of the tree below u from those of its parent: as sums along
 * paths, so that rounding does not pile up from pivot to pivot. */
static void renew(sfi_transport *t, int32_t u)
{
    node *v = t->node;
    int32_t at = u;
    for (;;) {
        const int32_t parent = v[at].parent;
        t->potential[at] =
            t->potential[parent] + (v[at].up ? -v[at].cost : v[at].cost);
        v[at].depth = v[parent].depth + 1;
        if (v[at].first != NONE) {
            at = v[at].first;
            continue;
        }
        while (at != u && v[at].next == NONE)
            at = v[at].parent;
        if (at == u)
            return;
        at = v[at].next;
    }
}

/* ---- a pivot -------------------------------------------------------------- */

/* min_j (a_j - b_j), some at a time. */
static double least_difference(int64_t n, const double *a, const double *b)
{
    enum { LANES = 8 };
    double lanes[LANES], least = INFINITY;
    int64_t j = 0;
    for (int k = 0; k < LANES; k++)
        lanes[k] = INFINITY;
    for (; j + LANES <= n; j += LANES)
        for (int k = 0; k < LANES; k++) {
            const double d = a[j + k] - b[j + k];
            lanes[k] = d < lanes[k] ? d : lanes[k];
        }
    for (; j < n; j++)
        least = fmin(least, a[j] - b[j]);
    for (int k = 0; k < LANES; k++)
        least = fmin(least, lanes[k]);
    return least;
}

/* The arc with the most negative reduced cost of the next rows that hold one;
 * false if none is below -tolerance. */
static bool find_entering(sfi_transport *t, double tolerance, int32_t *from,
                          int32_t *to)
{
    const double *sink = t->potential + t->n;
    const int64_t block = 1 + (int64_t)(sqrt((double)t->n / (double)t->m));
    double best = -tolerance;
    for (int64_t seen = 1; seen <= t->n; seen++) {
        const int64_t i = t->row;
        const double *cost = t->cost + i * t->m;
        const double source = t->potential[i];
        const double least = least_difference(t->m, cost, sink);
        t->row = i + 1 < t->n ? i + 1 : 0;
        if (least + source < best) {
            int64_t j = 0;
            while (cost[j] - sink[j] != least)
                j++;
            best = least + source;
            *from = (int32_t)i;
            *to = (int32_t)(t->n + j);
        }
        if (seen % block == 0 && best < -tolerance)
            return true;
    }
    return best < -tolerance;
}

static int32_t find_join(const node *v, int32_t a, int32_t b)
{
    while (a != b) {
        if (v[a].depth >= v[b].depth)
            a = v[a].parent;
        else
            b = v[b].parent;
    }
    return a;
}

/* The arcs against the flow around the cycle lose it: on the side of the source
 * those that go up, on that of the sink those that go down.  The node below the
 * arc that leaves, and what flows. */
static int32_t find_leaving(const node *v, int32_t from, int32_t to,
                            int32_t join, int64_t *flow, bool *on_source_side)
{
    int32_t leaving = NONE;
    *flow = INT64_MAX;
    for (int32_t u = from; u != join; u = v[u].parent)
        if (v[u].up && v[u].flow < *flow) {
            *flow = v[u].flow;
            leaving = u;
            *on_source_side = true;
        }
    for (int32_t u = to; u != join; u = v[u].parent)
        if (!v[u].up && v[u].flow <= *flow) {
            *flow = v[u].flow;
            leaving = u;
            *on_source_side = false;
        }
    return leaving;
}

static void send(node *v, int32_t from, int32_t to, int32_t join, int64_t flow)
{
    for (int32_t u = from; u != join; u = v[u].parent)
        v[u].flow += v[u].up ? -flow : flow;
    for (int32_t u = to; u != join; u = v[u].parent)
        v[u].flow += v[u].up ? flow : -flow;
}

/* Hang the tree below the leaving arc on the arc that enters: the path from its
 * end to `leaving` turns around. */
static void rehang(node *v, int32_t inner, int32_t outer, int32_t leaving,
                   int64_t flow, bool up, double cost)
{
    int32_t u = inner, parent = outer;
    for (;;) {
        const node old = v[u];
        detach(v, u);
        attach(v, u, parent);
        v[u].flow = flow;
        v[u].up = up;
        v[u].cost = cost;
        if (u == leaving)
            return;
        flow = old.flow;
        up = !old.up;
        cost = old.cost;
        parent = u;
        u = old.parent;
    }
}

static void pivot(sfi_transport *t, int32_t from, int32_t to)
{
    node *v = t->node;
    const double cost = t->cost[from * t->m + (to - t->n)];
    const int32_t join = find_join(v, from, to);
    int64_t flow = 0;
    bool source_side = false;
    const int32_t leaving =
        find_leaving(v, from, to, join, &flow, &source_side);
    const int32_t inner = source_side ? from : to;
    const int32_t outer = source_side ? to : from;
    send(v, from, to, join, flow);
    rehang(v, inner, outer, leaving, flow, source_side, cost);
    renew(t, inner);
}

double sfi_transport_run(sfi_transport *t)
{
    double most = 0.0, sum = 0.0, mass = 0.0;
    int32_t from = 0, to = 0;
    for (int64_t k = 0; k < t->n * t->m; k++)
        most = fmax(most, t->cost[k]);
    if (most == 0.0)
        return 0.0;
    const double artificial = most * (double)(t->root + 1);
    begin(t, artificial);
    /* Potentials are as large as `artificial`, and rounded. */
    while (find_entering(t, 1e-13 * artificial, &from, &to))
        pivot(t, from, to);
    for (int64_t u = 0; u < t->root; u++) {
        const node *v = &t->node[u];
        if (v->parent == t->root)
            continue; /* artificial, and empty */
        sum += (double)v->flow * v->cost;
        mass += (double)v->flow;
    }
    return sum / mass;
}
