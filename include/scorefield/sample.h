/* SPDX-License-Identifier: Apache-2.0 */
/* sample.h - drawing from a distribution: Langevin dynamics and Markov chains. */
#ifndef SCOREFIELD_SAMPLE_H
#define SCOREFIELD_SAMPLE_H

#include "scorefield/array.h"
#include "scorefield/functional.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Which noise a step of Langevin dynamics takes. */
typedef enum sf_langevin_method {
    /* Unadjusted Langevin: noise Z_t.  Weak error of first order in the step;
     * every iterate is usable. */
    SF_LANGEVIN_ULA = 0,

    /* Leimkuhler-Matthews: noise (Z_t + Z_{t+1}) / 2, at the same cost.  Second
     * order in the step for averages at stationarity, and exact for a normal
     * distribution; its iterates are not a Markov chain (neighbours share noise). */
    SF_LANGEVIN_LM
} sf_langevin_method;

typedef struct sf_langevin_options {
    size_t size;   /* sizeof(sf_langevin_options); set by _INIT    */
    double step;   /* h > 0; unit: unit(x)^2        [0.01]         */
    int64_t steps; /* updates, >= 0                 [1000]         */
    uint64_t seed; /* any value                     [0]            */
    sf_langevin_method
        method;           /*                               [ULA]          */
    int64_t first_walker; /* row i takes the noise of walker
                                * first_walker + i, so a batch may be run in
                                * parts; 0 <= , < 2^56 - rows   [0]            */
    int64_t first_step;   /* the steps are numbered from here, so a run may
                                * be continued; first_step + steps < 2^32
                                *                               [0]            */
    sf_dtype dtype;       /* of the arithmetic: SF_F32 wants a functional
                                * whose gradient is an expression   [SF_F64]     */
    double temperature;   /* T > 0: the density is exp(-f/T), the noise sqrt(T)
                                * times as large                    [1]          */
} sf_langevin_options;

#define SF_LANGEVIN_OPTIONS_INIT                                               \
    {                                                                          \
        sizeof(sf_langevin_options), 0.01, 1000, 0, SF_LANGEVIN_ULA, 0, 0,     \
            SF_F64, 1.0                                                        \
    }

/* Move walkers along Langevin dynamics,
 *
 *     x <- x + (h/2) s(x) + sqrt(h T) noise,     s = -grad f = grad log p
 *
 *   x     [n, d]  in: starting points; out: walkers after `steps` updates
 *   f     f->unknowns is d.  If its gradient is an expression (`node`), steps
 *         are compiled, some of them into one program; else `gradient` is called
 *         `steps` times, always with the whole batch.  Its value is never asked
 *         for.
 *   opts  NULL means SF_LANGEVIN_OPTIONS_INIT
 *
 * Step.    Many texts write x + e s(x) + sqrt(2e) noise; then h = 2e.
 * Units.   If x is in metres then s is in 1/m and h in m^2.
 * Bias.    (T = 1.)  The stationary distribution of ULA is not p.  On a Gaussian
 *          N(mu, C) it is N(mu, C (I - (h/4) C^-1)^-1); LM has C exactly.  Both are
 *          stable only for h < 4 lambda_min(C), and diverge beyond.
 * Noise.   Standard normals that are a function of (seed, first_walker + i,
 *          first_step + t, j): row i depends on neither n nor the thread count,
 *          and two runs of k steps equal one of 2k, bit for bit (in double), if
 *          the functional's rows do not depend on each other.
 * Memory.  Two workspaces of n*d elements, three for LM with callbacks, freed
 *          before returning.
 *
 * Returns SF_OK, or
 *   SF_E_ARG        step or temperature <= 0 or not finite, steps < 0, an unknown method or
 *                   dtype, first_walker or first_step out of range, f malformed
 *   SF_E_UNSUPPORTED  SF_F32, and f's gradient is no expression
 *   SF_E_SHAPE      x is malformed, or d is not f->unknowns
 *   SF_E_NUMERIC    x was not finite at the start (x is unchanged), or a walker
 *                   became non-finite: x holds the last state in which
 *                   every walker was finite, and the message names the first
 *                   such walker and the step; where there is no gradient, the
 *                   place
 *   SF_E_NOMEM      no workspace; x is unchanged
 *   SF_E_CANCELLED  the progress callback said stop; x holds the current state
 *   (other)         whatever `gradient` returned; x holds the state at which it
 *                   was asked
 *
 * Source: G. O. Roberts and R. L. Tweedie, Bernoulli 2 (1996) 341-363;
 * B. Leimkuhler and C. Matthews, Appl. Math. Res. eXpress 2013 (2013) 34-56. */
SF_API sf_status sf_langevin_run(sf_context *ctx, sf_mat x,
                                 const sf_functional *f,
                                 const sf_langevin_options *opts);

/* The same, planned once and run in parts.  A plan belongs to one thread at a time;
 * errors are those of sf_langevin_run(). */
typedef struct sf_langevin sf_langevin;

/* Compile and allocate for `walkers` rows; walkers < 1 is SF_E_SHAPE.  A copy of *f
 * is kept, and of *opts all but `steps`.  On failure *out is NULL. */
SF_API sf_status sf_langevin_new(sf_context *ctx, sf_langevin **out,
                                 const sf_functional *f, int64_t walkers,
                                 const sf_langevin_options *opts);

/* Move x [walkers, d] by `steps` updates, which go on from those before; allocates
 * nothing. */
SF_API sf_status sf_langevin_advance(sf_langevin *plan, sf_mat x,
                                     int64_t steps);

/* Free a plan; NULL is allowed. */
SF_API void sf_langevin_free(sf_langevin *plan);

/* ---- Markov chains ---------------------------------------------------------------
 *
 * Chains whose stationary distribution is p itself: what a step proposes is accepted with
 * a probability that makes up for the step's error.  All of them move a point with a
 * momentum along dq/dt = M^-1 p, dp/dt = -grad f by leapfrog steps
 * (Hamiltonian Monte Carlo). */
typedef enum sf_chain_method {
    /* No-U-turn sampler: paths that end where they would turn back (M. D. Hoffman,
     * A. Gelman, JMLR 15 (2014) 1593-1623), with draws from the whole path by its
     * weights and the criterion of sums of momenta (M. Betancourt,
     * arXiv:1701.02434, appendix A). */
    SF_CHAIN_NUTS = 0,
    /* Plain Hamiltonian Monte Carlo: paths of a given length (S. Duane et al.,
     * Physics Letters B 195 (1987) 216-222), of steps that differ by 10 % so that no
     * period is met. */
    SF_CHAIN_HMC,
    /* Paths of one step: Metropolis-adjusted Langevin (Roberts, Tweedie 1996). */
    SF_CHAIN_MALA
} sf_chain_method;

/* The mass matrix M, of which the warm-up learns the inverse from the draws x and their
 * scores s = -grad f: that which makes of the distribution one as near to a standard
 * normal as such a map can, by the Fisher divergence (Seyboldt, Carlson,
 * Carpenter, arXiv:2603.18845 (2026); docs/decisions/metrics-by-scores.md).
 *
 *   DIAGONAL  (Var x / Var s)^1/2, component by component
 *   LOW_RANK  on top of it some directions, those whose variance differs from the
 *             others' by more than a factor 2; a step costs 2 rank more multiplications
 *             for each component
 *   DENSE     the geometric mean of Cov x and (Cov s)^-1, which is the covariance where
 *             the distribution is normal; unknowns^2 multiplications a step
 *   AUTO      as many directions as make the paths shorter by more than their products
 *             cost beside a gradient (sf_functional's work); DIAGONAL if there are none
 *   UNIT      1 */
typedef enum sf_metric {
    SF_METRIC_AUTO = 0,
    SF_METRIC_DIAGONAL,
    SF_METRIC_LOW_RANK,
    SF_METRIC_DENSE,
    SF_METRIC_UNIT
} sf_metric;

typedef struct sf_chain_options {
    size_t size; /* set by _INIT                                     */
    sf_chain_method
        method;       /*                                       [NUTS]     */
    sf_metric metric; /*                                       [AUTO]     */
    int64_t warmup;   /* iterations that adapt step size and mass matrix, and
                       are not kept; >= 0                         [400]      */
    int64_t draws; /* kept of each chain, >= 0                   [1000]     */
    int64_t thin;  /* iterations for one that is kept, >= 1      [1]        */
    double step;   /* the first leapfrog step, > 0; 0: found     [0]        */
    double accept; /* mean probability of acceptance that the warm-up adapts the
                       step to, in (0, 1); 0: 0.8, MALA 0.574     [0]        */
    int64_t max_treedepth; /* NUTS: a path has below 2^max_treedepth steps,
                              1 to 20                               [10]    */
    double length; /* HMC: of a path, > 0: sqrt(mass) times distance; a quarter
                       of a period where M is right               [pi/2]     */
    uint64_t seed; /*                                            [0]        */
    int64_t first_chain; /* chain c takes the random numbers of first_chain + c;
                            below 2^31                            [0]        */
    int64_t
        temperatures; /* of parallel tempering, 1 to 64: each chain has so many
                             replicas, which draw from exp(-f/T)  [1]        */
    double
        max_temperature; /* T of the last one, > 1; that of the first is 1, and
                               the warm-up finds those between them [30]     */
} sf_chain_options;

#define SF_CHAIN_OPTIONS_INIT                                                  \
    {                                                                          \
        sizeof(sf_chain_options), SF_CHAIN_NUTS, SF_METRIC_AUTO, 400, 1000, 1, \
            0.0, 0.0, 10, 1.5707963267948966, 0, 0, 1, 30.0                    \
    }

/* What became of one chain, after the warm-up unless it says otherwise. */
typedef struct sf_chain_report {
    double step;         /* of the leapfrog                                   */
    double accept;       /* mean probability of acceptance                    */
    int64_t divergences; /* iterations whose energy rose by more than 1000    */
    int64_t reached_max_treedepth; /* NUTS: iterations that ended there       */
    int64_t gradients; /* evaluations, of all replicas                      */
    int64_t gradients_warmup; /* those of the warm-up                         */
    /* Of parallel tempering, else NaN and 0: */
    double
        swap_acceptance; /* mean probability that two neighbouring temperatures
                               swap their states, of those that do so least     */
    int64_t round_trips; /* of states to the highest temperature and back     */
    int64_t undefined; /* of the divergences, those that came to where f or its
                          gradient is undefined (NaN)                           */
    /* Of the mass matrix that the warm-up ended with: */
    sf_metric
        metric;   /* DIAGONAL, LOW_RANK, DENSE or UNIT                      */
    int64_t rank; /* of LOW_RANK, else 0                                    */
    /* Fisher divergence from a standard normal distribution, over the unknowns: in
     * units of the warm-up's first metric, which knows the gradient at the start
     * alone, and of its last one.  By those draws of the warm-up (15 %, 60 at most) that
     * follow the last metric and are no part of it; NaN without them. */
    double divergence_before, divergence_after;
} sf_chain_report;

/* Where the draws go.  Arrays that are NULL are not written. */
typedef struct sf_chain_draws {
    double *x;     /* [chains, draws, unknowns]                               */
    double *value; /* [chains, draws] f                                       */
    double
        *energy; /* [chains, draws] f + p' M^-1 p / 2 at the iteration's start,
                       for sf_ebfmi()                                          */
    sf_chain_report
        *report; /* [chains]                                       */
    /* OPTIONAL.  Called for draw i of a chain when it is there, x [unknowns], by the
     * thread that runs the chains; draws of one chain come in order.  Another status than
     * SF_OK ends the run.  Without x nothing is kept, whatever the number of draws. */
    sf_status (*draw)(void *user, int64_t chain, int64_t i, const double *x,
                      double value);
    void *user;
} sf_chain_draws;

/* Run `chains` chains of the density exp(-f), which needs f's values.
 *
 *   start  [chains, unknowns], or NULL: uniform in (-2, 2), drawn again up to 100
 *          times where f or its gradient is not finite
 *   opts   NULL means SF_CHAIN_OPTIONS_INIT
 *
 * Chain c's draws are a function of (seed, first_chain + c, start) and of the
 * options; they depend neither on the other chains nor on the number of threads,
 * if the functional's rows do not depend on each other.  The step is adapted by
 * dual averaging, the mass matrix over windows that grow, both chain by chain.
 *
 * Each gradient is called for all chains that are not done: a chain that ends its
 * path begins the next without waiting; the temperatures of one chain wait for each
 * other.
 *
 * Parallel tempering (replica exchange) is for densities with modes that chains do not
 * leave: hot replicas do, and neighbours swap states after each iteration (S. Syed et
 * al., JRSS B 84 (2022) 321-350).  What is drawn and reported is the first replica.
 *
 * Returns SF_OK, or
 *   SF_E_ARG          an option outside its range, chains < 1, f malformed
 *   SF_E_UNSUPPORTED  f has no values
 *   SF_E_NUMERIC      f is not finite at a start (chain and value); or a chain ran
 *                     away beyond 1e100: exp(-f) has no finite integral
 *   SF_E_NOMEM, SF_E_CANCELLED, or what f's functions returned.
 * On failure the arrays hold what was drawn so far. */
SF_API sf_status sf_chains_run(sf_context *ctx, const sf_functional *f,
                               int64_t chains, const double *start,
                               const sf_chain_options *opts,
                               const sf_chain_draws *draws);

#ifdef __cplusplus
}
#endif
#endif
