/* SPDX-License-Identifier: Apache-2.0 */
/* joint.h - noise kernels of several columns at once: a direction on the sphere,
 * shares that sum to one, numbers whose noise is correlated.
 *
 * Where kernel.h has a number and its chart, a joint kernel has a block of
 * columns, x, and numbers y from which x follows.  There may be fewer y than x (a
 * last share is what the others leave), or more (a direction is a unit vector of
 * three numbers, given as latitude and longitude).
 *
 * Where y lies on a surface, the unit sphere of its numbers, functions of y are functions of the place
 * on the surface nearest to it: their gradients are tangent, and a divergence in
 * the space around is that on the surface.  Its normal at y is y.  Densities are by
 * its area.
 *
 * x0 and x are in the data's coordinates, t is the time, and everything else is
 * as kernel.h has it for one number: a density of y, a velocity in the chart, with
 *
 *     d p(y|x0;t)/dt + div (p u) = 0. */
#ifndef SFI_JOINT_H
#define SFI_JOINT_H

#include "kernel/kernel.h"

/* A kernel and the columns it is for. */
typedef struct sfi_block {
    sfi_kernel kernel;
    int64_t columns; /* 1, but of a joint kernel */
    int64_t inner;   /* the numbers y, 1 likewise */
    int64_t first;   /* its columns are [first ...] of the noise's list */
    int64_t at;      /* its y are [at ...] of a row's */
    /* [columns, columns], lower triangular with a positive diagonal, or NULL for
     * the unit matrix: the noise of a family that has `mixes` is this times
     * independent noise.  Owned by the noise. */
    double *factor;
    /* [levels] of a family that has `levels`: the prior, which sums to 1.  Owned by
     * the noise. */
    double *prior;
    int64_t levels;
} sfi_block;

struct sfi_joint_ops {
    /* How many numbers y has for x of so many columns; 0 where there is no such
     * kernel, and *want says what there is: "2 columns (...) or 3 (...)". */
    int64_t (*inner)(int64_t columns, const char **want);

    /* Whether it can have a factor. */
    bool mixes;
    /* Whether x is the parts of a whole, whose size does not matter. */
    bool shares;

    /* What x should be, NULL if it is that; *column is the one that is not, from
     * 0, the first where it is all of them. */
    const char *(*outside)(const sfi_block *b, const double *x,
                           int64_t *column);

    /* Some x inside the support, the same for all calls. */
    void (*middle)(const sfi_block *b, double *x);

    /* The chart, as numbers and as nodes (x [columns], y [inner]). */
    void (*to_chart)(const sfi_block *b, const double *x, double *y);
    void (*from_chart)(const sfi_block *b, const double *y, double *x);
    sf_node (*chart)(const sfi_block *b, sf_graph *g, sf_node x);
    sf_node (*inverse)(const sfi_block *b, sf_graph *g, sf_node y);

    /* ln p(y) - ln p(x); NULL: 0, as of what is counted, or by area on both sides */
    double (*log_slope)(const sfi_block *b, const double *y);
    sf_node (*log_slope_node)(const sfi_block *b, sf_graph *g, sf_node y);

    /* Of y that lie on a surface, else NULL: the nearest y on it, as numbers and
     * as a node, and the part of v that is tangent there. */
    void (*settle)(const sfi_block *b, double *y);
    sf_node (*tangent)(const sfi_block *b, sf_graph *g, sf_node y, sf_node v);
    /* Whether a mean of x is the nearest place to the mean of y. */
    bool mean_in_chart;

    /* ln p(y | x0; t): with respect to the surface, if there is one.  y is a leaf
     * or a sf_stop_gradient() node, as is t; derivatives by both are taken, twice
     * by y, at any t in (0, 1]. */
    sf_node (*logp)(const sfi_block *b, sf_graph *g, sf_node y, sf_node x0,
                    sf_node t);

    /* u [inner]; its own derivatives are not taken.  NULL if discrete. */
    sf_node (*velocity)(const sfi_block *b, sf_graph *g, sf_node y, sf_node x0,
                        sf_node t, sfi_velocity how);

    /* OPTIONAL, as kernel.h has it: the number of statistics, T(y) and eta, of that
     * length, and A. */
    int64_t (*statistics)(const sfi_block *b);
    sf_node (*statistic)(const sfi_block *b, sf_graph *g, sf_node y);
    sf_node (*natural)(const sfi_block *b, sf_graph *g, sf_node x0, sf_node t,
                       sf_node *log_partition);

    /* A draw of y, from components 0, 1, ... of `where`. */
    void (*draw)(const sfi_block *b, const double *x0, double t,
                 sfi_where where, double *y);

    /* The standard deviation of the noise of each y over t, as t goes to 0, where
     * x0 is in the middle. */
    void (*spread)(const sfi_block *b, double *spread);
};

#endif
