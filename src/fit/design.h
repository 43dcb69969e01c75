/* SPDX-License-Identifier: Apache-2.0 */
/* design.h - the Hessian of a quadratic objective of score matching, by one pass.
 *
 * Where every number of the score is linear in the parameters' numbers theta,
 *
 *     s_j(x) = sum_k a_jk(x) theta_k + b_j(x),
 *
 * the objective  mean of sum_j d/dx_j (h_j s_j) + h_j s_j^2 / 2  is a quadratic whose
 * Hessian is  H = mean of sum_j h_j a_j a_j'.  Functions a_jk are few: those of a
 * normal law of d numbers are 1, x_0, ..., x_{d-1}, the same for all j.  They are read
 * from the graph, and the products of those that are different are summed over rows. */
#ifndef SFI_DESIGN_H
#define SFI_DESIGN_H

#include "graph/graph.h"
#include "scorefield/program.h"

typedef struct sfi_design sfi_design;

/* A parameter of the graph, and which of the numbers each of its elements is; a number
 * may be several of them. */
typedef struct sfi_design_leaf {
    sf_node node;
    const int64_t *number;
} sfi_design_leaf;

/* The nodes of an objective. */
typedef struct sfi_design_nodes {
    sf_node score;   /* s [d] */
    sf_node weights; /* h [d], where `weighted`; else all are 1 */
    bool weighted;
    sf_node
        linear; /* sum_j d/dx_j (h_j s_j) + h_j s_j s0_j, s0 being s where the
                       numbers are 0 */
    sf_node first; /* the objective there */
} sfi_design_nodes;

/* Read an objective's graph.  *out is NULL where the score is not seen to be linear:
 * that is found from the operations it is made of, so that what is found is so.  The graph grows, and may be freed
 * afterwards.  SF_OK, the graph's error or SF_E_NOMEM. */
sf_status sfi_design_new(sf_context *ctx, sfi_design **out, sf_graph *g,
                         const sfi_design_nodes *nodes, int leaf_count,
                         const sfi_design_leaf *leaves, int64_t numbers);
void sfi_design_free(sfi_design *d);

/* Sum over rows; `rows` and `params` are those of the graph's programs. */
sf_status sfi_design_take(sfi_design *d, int64_t points, const sf_source *rows,
                          const void *const *params);

/* How many functions are multiplied with each other, for all rows: the sum of squares
 * over the products' sides.  For tests. */
int64_t sfi_design_cells(const sfi_design *d);

/* H [numbers, numbers]. */
void sfi_design_hessian(const sfi_design *d, double *h);

/* The objective where the numbers are 0, and its gradient b [numbers] there; false
 * where its linear part was not seen to be one, and nothing is known. */
bool sfi_design_first(const sfi_design *d, double *value, double *b);

/* H is a sum of blocks, one for each number j of the score: those numbers that s_j
 * is made of, ascending, and the mean of h_j a_j a_j' [size, size]. */
int64_t sfi_design_blocks(const sfi_design *d);
int64_t sfi_design_block_size(const sfi_design *d, int64_t j);
void sfi_design_block(const sfi_design *d, int64_t j, int64_t *numbers,
                      double *block);

#endif
