/* SPDX-License-Identifier: Apache-2.0 */
/* chain.h - one Markov chain, as a machine that asks for gradients.
 *
 * A chain is run by leapfrog steps, of which each wants one gradient.  So that the
 * gradients of many chains are one call, a chain does no more than one step at a
 * time: it says where it wants the gradient, is given it, and goes on from there,
 * which may be the next step of its path or the first of its next path. */
#ifndef SFI_CHAIN_H
#define SFI_CHAIN_H

#include "sample/adapt.h"
#include "sample/metric.h"
#include "sample/score_metric.h"

/* Rises of the energy beyond this are no errors of a step but of its length. */
#define SFI_DIVERGENCE 1000.0
/* Where a chain has run away. */
#define SFI_AWAY 1e100

enum { SFI_CHAIN_DEPTH = 20 };

/* A point of a path; a path's momentum is that of time that runs forwards.  Velocity and
 * gradient are M^-1 times momentum and slope: a kick changes p by the slope and v by the
 * gradient, so that a step takes one product with M^-1. */
typedef struct sfi_phase {
    double *q, *p, *v; /* [dim]: place, momentum, velocity */
    double *g, *w;     /* [dim]: slope of f, M^-1 g        */
    double f;
} sfi_phase;

typedef enum sfi_chain_stage {
    SFI_CHAIN_SEARCH, /* for a first step */
    SFI_CHAIN_PATH,
    SFI_CHAIN_WAIT, /* between iterations, for the other rungs */
    SFI_CHAIN_DONE
} sfi_chain_stage;

/* Of leaves where parts of what is added begin: sums of momenta before and after
 * them, and velocities; of those where parts end: sums before them, velocities. */
enum {
    SFI_FIRST_BEFORE,
    SFI_FIRST_AFTER,
    SFI_FIRST_VELOCITY,
    SFI_LAST_BEFORE,
    SFI_LAST_VELOCITY,
    SFI_TREE_KEPT
};

/* The path that is being made (nuts.c). */
typedef struct sfi_tree {
    sfi_phase end[2]; /* earliest and latest point                       */
    double *sum;      /* of momenta                                      */
    double log_weight;
    int depth;
    /* The half that is being added: */
    int side; /* 0: before the path, 1: behind it                */
    int64_t leaf, leaves;
    double *half_sum;
    double half_log_weight;
    double *q, *g, *w; /* the draw from it */
    double f;
    double *kept; /* [depth, SFI_TREE_KEPT, dim], of parts that are open */
} sfi_tree;

typedef struct sfi_chain {
    const sf_chain_options *o;
    int64_t dim;
    uint64_t number;
    double beta;   /* the functional is taken times this */
    bool tempered; /* a rung of several                  */
    sfi_chain_stage stage;
    int64_t iteration;
    sfi_phase at;  /* the chain's state; p and v of the path's start     */
    sfi_phase now; /* the path's last point; q and g are rows of arrays  */
    double energy; /* at the path's start                                */
    double *work, *none;  /* [dim]; the second is 0 */
    const double *period; /* [dim], 0: none; NULL: none at all */
    double *way, *span; /* [dim] of a part: its momenta, and how far it goes */
    sfi_tree tree;
    int64_t steps, wanted; /* of HMC's path: done, and to be done      */
    double path_step;      /* of this path, with its sign              */
    double accept_sum;     /* over the path's steps                    */
    int64_t accept_count;
    bool diverged, deepest;
    bool undefined; /* it diverged to where f or its gradient is no number */

    int direction,
        searches; /* for a first step: the way, and how many before */
    sfi_step_size step;
    /* The metric, and what it is learnt from: */
    sfi_metric metric;
    double work_gradient; /* multiplications that a gradient takes */
    sfi_windows windows;
    sfi_pair_moments part[2];     /* of the window: older, newer         */
    sfi_pairs pairs;              /* of the window, for more than scales */
    double *first;                /* [dim] scales of the first metric    */
    sfi_divergence before, after; /* of the first metric and of the last */
    bool wants_metric, turns;     /* a window turns, or is the last      */
    bool new_metric;              /* at.w is of another                  */
    bool away;

    /* Where it writes: */
    double *draws, *values, *energies; /* of this chain, or NULL */
    int64_t kept, shown; /* draws so far; those that were observed */
    sf_chain_report report;
    double accept_total;
} sfi_chain;

/* Numbers of memory that a chain needs, and the chain itself: its state is in
 * at.q, at.g and at.f, which the caller sets before sfi_chain_start(). */
size_t sfi_chain_size(const sf_chain_options *o, int64_t dim);
void sfi_chain_init(sfi_chain *c, const sf_chain_options *o, int64_t dim,
                    double *memory);
/* Unknowns are on circles of these periods [dim]; NULL: none is.  Before
 * sfi_chain_start(). */
void sfi_chain_set_periods(sfi_chain *c, const double *period);
void sfi_chain_start(sfi_chain *c);

/* First half of a step: now.q is where the gradient is wanted. */
void sfi_chain_move(sfi_chain *c);
/* Second half: now.g and now.f are there.  Goes on to where the next step begins. */
void sfi_chain_take(sfi_chain *c);

/* A metric from the window, where wants_metric says so; the search for a step begins
 * anew.  Returns SF_OK or SF_E_NOMEM. */
sf_status sfi_chain_refit(sf_context *ctx, sfi_chain *c);

/* Go on after waiting.  As above. */
sf_status sfi_chain_resume(sf_context *ctx, sfi_chain *c);
/* Two chains that wait exchange their states; another beta for one. */
void sfi_chain_exchange(sfi_chain *a, sfi_chain *b);
void sfi_chain_temper(sfi_chain *c, double beta);

/* ---- points of paths (phase.c) --------------------------------------------------- */

void sfi_phase_copy(sfi_phase *to, const sfi_phase *from, int64_t dim);
double sfi_phase_energy(const sfi_phase *p, int64_t dim);

/* Where the chain's random numbers of this iteration are, and one of them. */
sfi_where sfi_chain_where(const sfi_chain *c, sfi_stream stream);
double sfi_chain_uniform(const sfi_chain *c, uint32_t what);
/* Where the chain is from now on. */
void sfi_chain_place(sfi_chain *c, const double *q, const double *g,
                     const double *w, double f);
/* Whether a part of a path with this sum of momenta goes half around a circle. */
bool sfi_chain_goes_around(const sfi_chain *c, const double *momenta);
/* Whether the energy has risen too far, or is none. */
bool sfi_chain_diverges(sfi_chain *c, double loss);

/* ---- paths that double (nuts.c) -------------------------------------------------- */

/* Begin a path at c->at, which has its momentum, and take in its next point, c->now;
 * true where the path has ended, with the draw in c->at. */
size_t sfi_nuts_size(const sf_chain_options *o, int64_t dim);
double *sfi_nuts_init(sfi_chain *c, double *memory);
void sfi_nuts_begin(sfi_chain *c);
bool sfi_nuts_take(sfi_chain *c);

#endif
