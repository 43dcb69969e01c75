/* SPDX-License-Identifier: Apache-2.0 */
/* flow.h - along the probability flow: samples, likelihoods, codes.
 *
 * The probability flow dx/dt = v(x, t) (model.h) carries p_1 to p_0 and back.
 * Down it, noise becomes samples; up it, a point becomes its code; and the
 * divergence of v along the way gives the log density (Y. Song et al.,
 * Score-based generative modeling through stochastic differential equations,
 * ICLR 2021, section 4.3). */
#ifndef SCOREFIELD_FLOW_H
#define SCOREFIELD_FLOW_H

#include "scorefield/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* On a Gaussian the defaults leave these errors in the variance (from the linear
 * recursion of each method, unit variance, sigma_max 80): FLOW +0.6 %, SDE +1 %,
 * ANNEALED +1.8 %, PC +0.8 %. */
typedef enum sf_sampler {
    SF_SAMPLER_AUTO = -1, /* DIRECT where the model holds data or has latent
                             variables, LANGEVIN where it knows one noise level,
                             STRATIFIED of local distributions, else FLOW */
    SF_SAMPLER_FLOW = 0,  /* Heun steps down the probability flow (Karras et al.
                            2022, algorithm 1), deterministic after the start */
    SF_SAMPLER_SDE,      /* the same with noise put back (algorithm 2)        */
    SF_SAMPLER_ANNEALED, /* Langevin steps at each of falling noise levels
                            (Y. Song and S. Ermon, NeurIPS 2019)              */
    SF_SAMPLER_PC,       /* predictor-corrector: an Euler step of the reverse
                            SDE, then Langevin steps (Song et al. 2021)       */
    SF_SAMPLER_LANGEVIN, /* Langevin steps at the lowest noise level alone;
                            what models of one noise level can do             */
    /* Exact. */
    SF_SAMPLER_DIRECT, /* of empirical models a datum by its weight, plus noise of
                          its bandwidth; of models with latent variables, what they
                          decode to, plus noise */
    /* Of empirical models only, exact: */
    SF_SAMPLER_STRATIFIED, /* the same, and samples i n to i n + n - 1 use each
                              of the n data once                             */
    SF_SAMPLER_POSTERIOR,  /* from the prior, down falling levels: a datum from
                              the posterior, then its noise at the next level */
    /* Of empirical models all of whose columns are counts, from 0 at time 1: */
    SF_SAMPLER_JUMPS,   /* the reverse birth process, exact at every level  */
    SF_SAMPLER_TAULEAP, /* Poisson births at the rates of a step's start
                          (sf_model_rates()), exact in the limit of steps */
    /* Of models that sf_fit_local() makes, beside DIRECT and STRATIFIED: */
    SF_SAMPLER_CHORDS /* between a row and one of its five nearest of its class,
                          the middle more often than the ends; each row once, and
                          no density */
} sf_sampler;

typedef struct sf_sample_options {
    size_t size;       /* set by _INIT                                        */
    sf_sampler method; /*                                    [default AUTO]   */
    int64_t steps;     /* noise levels; LANGEVIN: updates, > 0
                      [default 0: 64, 128, 200, 200, 1000, 1, 1, 1, 1, 100 in the
                      order of sf_sampler] */
    int64_t corrections; /* Langevin updates a level, ANNEALED and PC, >= 1
                            [default 0: 10, 1] */
    double step;         /* Langevin step h, relative to the variance of the
                            noise (LANGEVIN: h itself, of kernels relative to
                            their variance over t^2), > 0
                            [default 0: ANNEALED 1, PC 0.1, LANGEVIN 0.001, of
                            kernels 0.1 of the squared bandwidth] */
    double churn;  /* SDE: noise put back, S_churn >= 0  [default 30]     */
    uint64_t seed; /*                                    [default 0]      */
    int64_t first; /* number of the first sample, >= 0   [default 0]      */
    float *trace;  /* NULL, or [steps + 1, n, d]: every walker's path     */
    bool no_noise; /* DIRECT, of a model that can SF_CAN_DECODE: what its latent
                      variables decode to, without its noise
                                                         [default false]  */
    bool latent_fitted; /* DIRECT, of a model that can SF_CAN_FITTED: latent
                           variables from the posterior of a random one of the
                           rows it was trained on, not from N(0, I)
                                                         [default false]  */
} sf_sample_options;

#define SF_SAMPLE_OPTIONS_INIT                                                 \
    {                                                                          \
        sizeof(sf_sample_options), SF_SAMPLER_AUTO, 0, 0, 0.0, 30.0, 0, 0,     \
            NULL, false, false                                                 \
    }

/* The method that these options mean for a model: `method`, or what AUTO is. */
SF_API sf_sampler sf_sample_method(const sf_model *model,
                                   const sf_sample_options *options);

/* The number of steps that these options mean: `steps`, or the default; with the
 * method AUTO that of FLOW. */
SF_API int64_t sf_sample_steps(const sf_sample_options *options);

/* Draw n samples into out [n, d].  Sample i depends on the seed and on
 * options.first + i alone: not on n, nor on the number of threads.
 *
 * Returns SF_OK; SF_E_ARG (an option outside its range); SF_E_SHAPE;
 * SF_E_UNSUPPORTED (the method needs noise levels, or data, that the model lacks,
 * or STRATIFIED data of equal weight; a column of counts and a method from FLOW to
 * LANGEVIN, or another column and JUMPS or TAULEAP);
 * SF_E_NUMERIC (a walker became non-finite: its number and the step; or what
 * is drawn does in the data's units: its number and column);
 * SF_E_NOMEM; SF_E_CANCELLED. */
SF_API sf_status sf_sample(const sf_model *model, sf_mat out,
                           const sf_sample_options *options);

typedef struct sf_likelihood_options {
    size_t size;         /* set by _INIT                                      */
    double time;         /* evaluate ln p_t at this time     [default 0]      */
    double rtol, atol;   /* of the adaptive Runge-Kutta      [default 1e-5]   */
    int64_t exact_limit; /* exact divergence up to this d    [default 32]     */
    int64_t probes;      /* Hutchinson probes above it, >= 2 [default 8]      */
    uint64_t seed;       /* of the probes                    [default 0]      */
    bool force_flow;     /* integrate even if a closed form exists  [false]   */
} sf_likelihood_options;

#define SF_LIKELIHOOD_OPTIONS_INIT                                             \
    {                                                                          \
        sizeof(sf_likelihood_options), 0.0, 1e-5, 1e-5, 32, 8, 0, false        \
    }

/* Log density in nats, with respect to Lebesgue measure in the data's units: for
 * proportions of a whole on all columns but one, whichever that is; for directions with
 * respect to the area of the unit sphere.  In columns of counts it is a probability
 * (their measure is counting), and ln p is -infinity where no datum can give x.
 *
 *   logpdf  [n]
 *   se      NULL, or [n]: standard error of a stochastic divergence, 0 where it
 *           is exact
 *
 * A gaussian answers in closed form.  A network integrates
 *     d ln p_t(x(t)) / dt = -div v
 * up the flow by the Runge-Kutta pair of Dormand and Prince of order 5(4), whose error
 * is controlled step by step, each row with its own: what a row gets does not depend
 * on the others (but that probes belong to its number).  With tolerances of 1e-6 and
 * more a network is evaluated in single precision; at the default of 1e-5 log
 * densities of 9 columns were right to 1e-4.
 *
 * Returns SF_OK; SF_E_ARG; SF_E_SHAPE; SF_E_UNSUPPORTED (a model of one noise
 * level; the flow of a column of counts); SF_E_CONVERGE (the integrator
 * gave up: which row, at which time; the work for a row and for a call is bounded);
 * SF_E_NUMERIC (x is not finite: row, column); SF_E_NOMEM; SF_E_CANCELLED. */
SF_API sf_status sf_logpdf(const sf_model *model, sf_cmat x, double *logpdf,
                           double *se, const sf_likelihood_options *options);

/* Bits per dimension of 8-bit data: pixels 0..255 were mapped to their values
 * plus uniform noise in [0, 1), in units of one grey level.
 * -mean ln p / (d ln 2). */
SF_API double sf_bits_per_dim(double mean_logpdf, int64_t dim);

/* Up the flow to noise: code = (y(1)) / sqrt(sigma_max^2 + 1), which is N(0, I)
 * distributed; and back down.  encode then decode returns the input to about
 * the tolerance.  Statuses as for sf_logpdf(). */
SF_API sf_status sf_encode(const sf_model *model, sf_cmat x, sf_mat code,
                           const sf_likelihood_options *options);
SF_API sf_status sf_decode(const sf_model *model, sf_cmat code, sf_mat x,
                           const sf_likelihood_options *options);

#ifdef __cplusplus
}
#endif
#endif
