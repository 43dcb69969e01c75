/* SPDX-License-Identifier: Apache-2.0 */
/* plan_split.c - stage 1: what is summed over points, taken apart.
 *
 * The sum over points of c (x y^T) + r, where x and y vary, is c times one product
 * of all x with all y, plus the sum of r.  So a sum is pushed down through
 * additions, signs, reshapes and factors that are the same for all points, as far
 * as it meets products; weight gradients are then never formed point by point.
 * What it meets becomes a term, with all the factors on the way to it. */
#include "graph/planner.h"

static const sf_node none = {-1};

static bool is_product(const sf_graph *g, sf_node n)
{
    const sfi_op op = sfi_at(g, n)->op;
    return (op == SFI_OP_MATMUL || op == SFI_OP_CONV2D_GRAD_W) &&
           sfi_at(g, sfi_arg(g, n, 0))->varies &&
           sfi_at(g, sfi_arg(g, n, 1))->varies;
}

/* A node that is one number for all points and elements. */
static bool is_uniform_scalar(const sf_graph *g, sf_node n)
{
    const sfi_node *node = sfi_at(g, n);
    while (node->op == SFI_OP_BROADCAST || node->op == SFI_OP_RESHAPE)
        node = &g->nodes[g->args[node->arg_first]];
    return !node->varies && sfi_shape_count(&node->shape) == 1;
}

/* Whether summing over points can be pushed down from this node to a product,
 * given the answer for its arguments. */
static bool leads_to_product(const sf_graph *g, sf_node n, const bool *leads)
{
    switch (sfi_at(g, n)->op) {
    case SFI_OP_ADD:
    case SFI_OP_SUB: {
        const sf_node a = sfi_arg(g, n, 0), b = sfi_arg(g, n, 1);
        return sfi_at(g, a)->varies && sfi_at(g, b)->varies &&
               (leads[a.id] || leads[b.id]);
    }
    case SFI_OP_NEG:
    case SFI_OP_RESHAPE:
        return leads[sfi_arg(g, n, 0).id];
    case SFI_OP_MUL:
        return is_uniform_scalar(g, sfi_arg(g, n, 0)) &&
               leads[sfi_arg(g, n, 1).id];
    default:
        return is_product(g, n);
    }
}

/* Fill p->leads for the nodes that exist now, and make room for split_output(). */
static bool find_leads(sfi_planner *p)
{
    const size_t count = p->summable = p->g->node_count;
    p->leads = sfi_alloc(p->ctx, count, sizeof *p->leads);
    p->scale = sfi_alloc(p->ctx, count, sizeof *p->scale);
    if (p->leads == NULL || p->scale == NULL)
        return false;
    for (size_t id = 0; id < count; id++)
        p->leads[id] = leads_to_product(p->g, (sf_node){(int32_t)id}, p->leads);
    return true;
}

static void add_term(sfi_planner *p, sfi_term t)
{
    sfi_term *grown = sfi_grow(p->ctx, p->terms, &p->term_capacity,
                               p->term_count + 1, sizeof *grown);
    if (grown == NULL) {
        p->failed = true;
        return;
    }
    p->terms = grown;
    grown[p->term_count++] = t;
}

/* The number behind a uniform scalar, as a node of rank 0. */
static sf_node scalar_of(sf_graph *g, sf_node n)
{
    while (sfi_at(g, n)->op == SFI_OP_BROADCAST ||
           sfi_at(g, n)->op == SFI_OP_RESHAPE)
        n = sfi_arg(g, n, 0);
    return sf_reshape(g, n, 0, NULL);
}

/* Count node `to`, `scale` times, among what is summed. */
static void spread(sfi_planner *p, sf_node to, sf_node scale)
{
    sf_node *s = &p->scale[to.id];
    *s = sfi_none(*s) ? scale : sf_add(p->g, *s, scale);
}

/* One node that is to be summed: a product or anything else becomes a term,
 * what leads to a product hands its factor on. */
static void split_node(sfi_planner *p, int output, sf_node n, sf_node scale)
{
    sf_graph *g = p->g;
    if (is_product(g, n)) {
        const bool conv = sfi_at(g, n)->op == SFI_OP_CONV2D_GRAD_W;
        const sf_node a = sfi_arg(g, n, 0), b = sfi_arg(g, n, 1);
        const sf_node dy = conv ? b : a; /* scaling it is the cheaper way */
        const sf_node scaled = sf_mul(g, scale, dy);
        add_term(p, (sfi_term){output, conv ? a : scaled, conv ? scaled : b,
                               conv ? sfi_at(g, n)->attr[0] : -1});
        return;
    }
    if (!p->leads[n.id]) {
        add_term(p, (sfi_term){output, sf_mul(g, scale, n), none, -1});
        return;
    }
    const sfi_op op = sfi_at(g, n)->op;
    const sf_node a = sfi_arg(g, n, 0);
    switch (op) {
    case SFI_OP_ADD:
    case SFI_OP_SUB: {
        const sf_node b = sfi_arg(g, n, 1);
        spread(p, a, scale);
        spread(p, b, op == SFI_OP_ADD ? scale : sf_neg(g, scale));
        break;
    }
    case SFI_OP_NEG:
        spread(p, a, sf_neg(g, scale));
        break;
    case SFI_OP_MUL:
        spread(p, sfi_arg(g, n, 1), sf_mul(g, scale, scalar_of(g, a)));
        break;
    default: /* RESHAPE */
        spread(p, a, scale);
    }
}

/* The sum over points of n goes to `output`.  Down the ids, so that a node that
 * many sums share is reached once, with all its factors added up. */
static void split_output(sfi_planner *p, int output, sf_node n)
{
    for (int32_t id = 0; id <= n.id; id++)
        p->scale[id] = none;
    spread(p, n, sf_const(p->g, 1.0));
    for (int32_t id = n.id; id >= 0; id--) {
        double value;
        const sf_node scale = p->scale[id];
        if (sfi_none(scale) ||
            (sfi_is_const(p->g, scale, &value) && value == 0))
            continue; /* not reached, or what was added was subtracted */
        split_node(p, output, (sf_node){id}, scale);
    }
}

void sfi_plan_split(sfi_planner *p, const sf_output *outputs)
{
    if (!find_leads(p)) {
        p->failed = true;
        return;
    }
    for (int i = 0; i < p->plan->output_count; i++) {
        const sfi_plan_output *o = &p->plan->outputs[i];
        if (o->reduce == SF_SUM && !o->uniform)
            split_output(p, i, outputs[i].node);
    }
}
