/* SPDX-License-Identifier: Apache-2.0 */
/* posterior_tree.h - data in compact leaves, and bounds of what a leaf can
 * weigh: what lets the posterior reduction pass over most of its data.
 *
 * Rows are put in the order of a k-d tree (J. L. Bentley, 1975) whose leaves are
 * equally many neighbours; every node has the box of its rows.  For a query x
 * the rows of a leaf C weigh together at most exp(bound), with
 *
 *     bound = h - (s/2) a |x - C|^2       or       h + s sup_C <x, y>
 *
 * where h = ln sum exp(w_j) over the rows, a is the least of their own scales
 * and |x - C| the distance from the box.
 *
 * Bounds hold for all queries of a box, too.  Their steps are rounded, but
 * rounding is monotonic: what they say of a box of queries, or of a node, they
 * say of each query and of each leaf in it, to the last bit.  A decision made by
 * comparing the bound of one query and one leaf with a number can therefore be
 * taken for many at once, and comes out the same. */
#ifndef SFI_POSTERIOR_TREE_H
#define SFI_POSTERIOR_TREE_H

#include "base/context.h"
#include "scorefield/array.h"

/* A node holds neighbouring leaves.  The left child of node i is i + 1. */
typedef struct sfi_posterior_node {
    int64_t first, leaves;
    int64_t right;             /* 0: a leaf                              */
    double lightest, heaviest; /* of h over its leaves                   */
    double flattest, steepest; /* of a over its leaves                   */
} sfi_posterior_node;

typedef struct sfi_posterior_tree {
    sf_context *ctx;
    int64_t rows; /* of the data                                */
    int64_t n;    /* of them that weigh anything                */
    int64_t d, size, leaves, nodes;
    int32_t *row;   /* [n] row of the data at a place             */
    int32_t *place; /* [rows] place of a row, -1 where it is none */
    sfi_posterior_node *node;
    double *box; /* [nodes, 2, d] least and largest            */
} sfi_posterior_tree;

/* Build for leaves of `size` rows; place i is in leaf i/size, and only the last
 * leaf may have less.  Rows of weight -infinity are left out, of which there may
 * not be `rows`.  Where `split` is false rows keep their order, and the one leaf
 * has all of them.  At most INT32_MAX rows; SF_OK or SF_E_NOMEM. */
sf_status sfi_posterior_tree_new(sf_context *ctx, sfi_posterior_tree *tree,
                                 sf_cmat data, const double *log_weights,
                                 const double *scales, int64_t size,
                                 bool split);
void sfi_posterior_tree_free(sfi_posterior_tree *tree);
size_t sfi_posterior_tree_memory(const sfi_posterior_tree *tree);

/* Queries in the box [low, high], of d numbers each. */
typedef struct sfi_posterior_queries {
    const double *low, *high;
    double scale;
    bool product; /* the second form */
} sfi_posterior_queries;

/* No leaf below the node and no query has a larger bound. */
double sfi_posterior_bound_above(const sfi_posterior_tree *tree, int64_t node,
                                 const sfi_posterior_queries *q);
/* No leaf below the node and no query has a smaller bound. */
double sfi_posterior_bound_below(const sfi_posterior_tree *tree, int64_t node,
                                 const sfi_posterior_queries *q);

/* The leaf at the end of the way down from the root, always to the child of the
 * larger bound; a single query. */
int64_t sfi_posterior_home(const sfi_posterior_tree *tree,
                           const sfi_posterior_queries *q);

#endif
