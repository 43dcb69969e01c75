/* SPDX-License-Identifier: Apache-2.0 */
/* kernel.h - noise kernels p(x | x0; t) of one number (of several: joint.h).
 *
 * A kernel spreads a clean number x0: as t goes to 0 its law gathers at x0, with
 * a spread proportional to t; at t = 1 it is the prior, the same for every x0.
 * It is written as an expression, and everything else follows from that: the
 * score and the Hessian are its derivatives by x, the change of the density its
 * derivative by t, and the marginal of a data set its mean over x0.
 *
 * Charts.  A density on the half line or an interval is handled in a coordinate
 * y that takes all of R, in which derivatives stay bounded where those by x do
 * not (A. Hyvarinen, Comput. Stat. Data Anal. 51 (2007) 2499-2512):
 *
 *     real  y = x      log  y = ln x      logit  y = ln(x/(1-x))    angle  y = x
 *
 * Velocities.  The law of x moves with t, and a velocity u carries it along:
 *
 *     d p(x|x0;t)/dt + d (p u)/dx = 0,      u = -(dF/dt)/p,
 *
 * F being the distribution function.  With F's dependence on t through the
 * parameters theta, u = sum_k theta_k' u_k with u_k = -(dF/dtheta_k)/p.
 *
 * Counts.  Some kernels are laws of whole numbers x = 0, 1, 2, ...: what is a
 * density elsewhere is a probability, and there is no score and no velocity.  All
 * of them thin: of the points that are counted each is still there at t with
 * probability 1 - t.  So x falls by one at the rate x/(1 - t), and, backward in t,
 * rises by one at a rate b(x | x0), which is the mean of b given x for a marginal:
 *
 *     dp(x)/dt = (x + 1)/(1 - t) p(x+1) - x/(1 - t) p(x) = b(x) p(x) - b(x-1) p(x-1)
 *
 * where p(x+1)/p(x) = b(x) (1 - t)/(x + 1) is what the score is elsewhere.
 *
 * Counts, levels and other whole numbers are called discrete. */
#ifndef SFI_KERNEL_H
#define SFI_KERNEL_H

#include "base/context.h"
#include "base/random.h"
#include "scorefield/graph.h"

typedef enum sfi_chart {
    SFI_CHART_REAL = 0, /* (-inf, inf)                                      */
    SFI_CHART_LOG,      /* (0, inf)                                         */
    SFI_CHART_LOGIT,    /* (0, 1)                                           */
    SFI_CHART_ANGLE     /* the circle, radians; x and x + 2 pi are the same */
} sfi_chart;

enum {
    SFI_KERNEL_NUMBERS = 4, /* parameters of a kernel, at most */
    SFI_KERNEL_THETA = 3,   /* parameters of its law, at most  */
    SFI_KERNEL_STATISTICS = 2
};

/* The words of the number "unit" of families on the circle, in order: what a
 * column is in.  It is for those who scale columns; kernels see radians. */
enum { SFI_UNIT_RADIANS = 0, SFI_UNIT_DEGREES };

/* The words of the number "least" of whole numbers: any, or those from 0 on. */
enum { SFI_LEAST_NONE = 0, SFI_LEAST_ZERO };

/* The words of the number "prior" of levels: shares of the data, or equal ones. */
enum { SFI_PRIOR_DATA = 0, SFI_PRIOR_UNIFORM };

/* A parameter that the user may give: a number between bounds that are both
 * excluded, or one of some words, whose place among them is the number. */
typedef struct sfi_kernel_number {
    const char *name;
    double value; /* by default */
    double above, below;
    const char *words; /* NULL, or "linear|vp|ve" */
} sfi_kernel_number;

typedef struct sfi_kernel_ops sfi_kernel_ops;
typedef struct sfi_joint_ops sfi_joint_ops;

typedef struct sfi_kernel {
    const sfi_kernel_ops *ops;
    double numbers[SFI_KERNEL_NUMBERS];
} sfi_kernel;

/* How exactly a velocity without closed form is integrated. */
typedef enum sfi_velocity {
    SFI_VELOCITY_TRAINING = 0, /* 48 nodes: 1e-7, beta below 0.3 1e-4        */
    SFI_VELOCITY_EXACT,        /* 128 nodes: 1e-11                           */
    SFI_VELOCITY_REST          /* all but what sfi_kernel_costly() gives     */
} sfi_velocity;

/* What a law of counts has instead of a score and a velocity. */
typedef struct sfi_count_ops {
    bool whole; /* clean numbers are counts too, else real and >= 0 */

    /* The rate b(x | x0) at t > 0. */
    double (*birth)(const sfi_kernel *k, double x, double x0, double t);
    /* How many come from `from` down to `to`, given that x are there: a draw
     * from components 0, 1, ... of `where`. */
    double (*births)(const sfi_kernel *k, double x, double x0, double from,
                     double to, sfi_where where);
    /* The largest count that x0 may give at t < 1, or infinity. */
    double (*most)(const sfi_kernel *k, double x0);
} sfi_count_ops;

struct sfi_kernel_ops {
    const char *family;
    sfi_chart chart;
    int number_count;
    sfi_kernel_number numbers[SFI_KERNEL_NUMBERS];
    int theta_count;

    /* Whether E[phi(x0) | x] is enough for the marginal velocity: x (or ln x)
     * is a location and a scale times a fixed variable. */
    bool location_scale;
    /* Whether the kernel is the transition law of one diffusion, the same for
     * every x0.  Then the marginal velocity is A + B times the marginal score,
     * with A and B functions of y and t alone. */
    bool markov;
    /* Parameters of the law; x0 is in the data's coordinate. */
    void (*theta)(const sfi_kernel *k, sf_graph *g, sf_node x0, sf_node t,
                  sf_node *theta);

    /* ln of the density of y, that is ln p(x) + ln dx/dy. */
    sf_node (*logp)(const sfi_kernel *k, sf_graph *g, sf_node y,
                    const sf_node *theta);

    /* u_k in the chart, for every theta; NULL if discrete.  A family may take
     * derivatives by y: a leaf, a component of one, or a sf_stop_gradient() node,
     * of rank 0. */
    void (*velocity)(const sfi_kernel *k, sf_graph *g, sf_node y,
                     const sf_node *theta, sfi_velocity how, sf_node *u);

    /* OPTIONAL, of a velocity u_c that is an integral, c = `costly`: it is a
     * function of theta_c, which does not depend on x0, and of one number r.
     * `reduced` gives r; `canonical` the theta with which r itself is the y. */
    int costly;
    sf_node (*reduced)(const sfi_kernel *k, sf_graph *g, sf_node y,
                       const sf_node *theta);
    void (*canonical)(const sfi_kernel *k, sf_graph *g, sf_node theta_c,
                      sf_node *theta);

    /* OPTIONAL, of an exponential family in the chart, whose density is
     *
     *     ln p = sum_i T_i(y) eta_i(theta) - A(theta):
     *
     * how many statistics T there are; they; and eta, followed by A. */
    int statistics;
    void (*statistic)(const sfi_kernel *k, sf_graph *g, sf_node y,
                      sf_node *statistic);
    void (*natural)(const sfi_kernel *k, sf_graph *g, const sf_node *theta,
                    sf_node *eta);

    /* A draw of y given theta, from components 0, 1, ... of `where`. */
    double (*draw)(const sfi_kernel *k, const double *theta, sfi_where where);

    /* Whether x takes separate values, whose probabilities are what densities are
     * elsewhere: it has no score and no velocity. */
    bool discrete;
    /* Of these, whether it thins; else NULL. */
    const sfi_count_ops *counts;
    /* Or whether it is the number of a level, whose block has a prior (joint.h). */
    bool levels;

    /* NULL: the kernel is of one number.  Else it is of several (joint.h), and of
     * what is above it has a family's name and numbers alone. */
    const sfi_joint_ops *joint;
};

/* All families, ended by NULL. */
extern const sfi_kernel_ops *const sfi_kernel_families[];

/* A kernel from "FAMILY" or "FAMILY:NAME=VALUE,NAME=VALUE".
 * Returns SF_OK or SF_E_ARG (unknown family or name, a value that is no number
 * or outside its range); the message says what there is. */
sf_status sfi_kernel_parse(sf_context *ctx, sfi_kernel *out, const char *text);

/* A number by its name, which must be one of the family's. */
double sfi_kernel_number_of(const sfi_kernel *k, const char *name);

/* ---- charts ----------------------------------------------------------------- */

sf_node sfi_chart_to(sf_graph *g, sfi_chart chart, sf_node x);
sf_node sfi_chart_from(sf_graph *g, sfi_chart chart, sf_node y);
/* ln dx/dy */
sf_node sfi_chart_log_slope(sf_graph *g, sfi_chart chart, sf_node y);

double sfi_chart_to_number(sfi_chart chart, double x);
double sfi_chart_from_number(sfi_chart chart, double y);

/* ---- what follows from a kernel ---------------------------------------------- */

/* Nodes of a kernel at x given x0 and t, all with respect to x in the data's
 * units.  `rate` is d ln p/dt at fixed x, so that by the continuity equation the
 * divergence of the velocity is -rate - velocity score.  x and t must be inputs,
 * parameters or sf_stop_gradient() nodes.  Of what is discrete all but logp are NaN. */
typedef struct sfi_kernel_nodes {
    sf_node logp, score, hessian, rate, velocity;
} sfi_kernel_nodes;

sfi_kernel_nodes sfi_kernel_at(const sfi_kernel *k, sf_graph *g, sf_node x,
                               sf_node x0, sf_node t, sfi_velocity how);

/* The same in the chart: y instead of x. */
sfi_kernel_nodes sfi_kernel_at_chart(const sfi_kernel *k, sf_graph *g,
                                     sf_node y, sf_node x0, sf_node t,
                                     sfi_velocity how);

/* Of a family that has `reduced`: r for a pair, and what u_c adds to its velocity
 * at r and t, theta_c' u_c, which is the same for all pairs. */
sf_node sfi_kernel_reduced(const sfi_kernel *k, sf_graph *g, sf_node y,
                           sf_node x0, sf_node t);
sf_node sfi_kernel_costly(const sfi_kernel *k, sf_graph *g, sf_node r,
                          sf_node t, sfi_velocity how);

#endif
