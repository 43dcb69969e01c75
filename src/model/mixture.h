/* SPDX-License-Identifier: Apache-2.0 */
/* mixture.h - the law of a data set under noise, exactly.
 *
 * With data x0_1 ... x0_n of weights w_i (they sum to 1) the noised law is
 *
 *     p_t(x) = sum_i w_i p(x | x0_i; t_i(t)),     t_i(t) = max(t, least_i),
 *
 * and everything asked of it is a mean over the posterior weights
 * r_i(x) = w_i p(x|x0_i)/p_t(x):
 *
 *     score      E[s(x|x0) | x]
 *     velocity   E[u(x|x0) | x],   which moves p_t: d p_t/dt + div(p_t v) = 0
 *     divergence -E[d ln p(x|x0)/dt | x] - v.score
 *     jacobian   E[H(x|x0) + s s' | x] - score score'
 *     denoised   E[x0 | x]
 *
 * (the generator of a mixture is the mean of its parts' generators; P. Holderrieth
 * et al., Generator matching, 2024).  A part whose time is held at least_i rests:
 * its velocity and rate are 0.
 *
 * A floor is one more part, which rests for ever at t = 1: with weight e the law is
 * (1 - e) p_t plus e times the prior, at every time.  What comes from it stays where
 * it is, so that its clean point is the point itself.
 *
 * Points y are [inner] in the chart, data [dim] (noise.h).
 *
 * Columns of counts (kernel.h) have no score and no velocity; the rates at which
 * they rise and fall, and their ratio, are means over the posterior too.  Other
 * columns have 0 there. */
#ifndef SFI_MIXTURE_H
#define SFI_MIXTURE_H

#include "kernel/noise.h"
#include "scorefield/array.h"

typedef struct sfi_mixture sfi_mixture;

typedef struct sfi_mixture_options {
    const double *log_weights; /* [n], NULL: equal ones                       */
    const double *least;       /* [n] in (0, 1], NULL: all are least_all      */
    double least_all;
    double floor;     /* its weight, 0 to below 1; 0: there is none */
    sfi_velocity how; /* of kernels whose velocity is an integral             */
    bool spread;      /* Jacobians or divergences will be wanted              */
} sfi_mixture_options;

/* `data` [n, dim] is in the coordinates of the kernels and inside their support.
 * Data and noise are read until the mixture is freed, the rest is copied.  SF_OK
 * or SF_E_NOMEM. */
sf_status sfi_mixture_new(sf_context *ctx, sfi_mixture **out,
                          const sfi_noise *noise, sf_cmat data,
                          const sfi_mixture_options *options);
void sfi_mixture_free(sfi_mixture *p);

/* Other least times for a mixture that was made with some; [n]. */
void sfi_mixture_rest(sfi_mixture *p, const double *least);

/* Instead of the number of a datum: none, and the floor. */
enum { SFI_NO_DATUM = -1, SFI_FLOOR_DATUM = -2 };

/* What is wanted at m points; NULL, or no data: not wanted.  All in the chart but
 * `denoised`, which is in the coordinates of the data; the mean of an angle, or of
 * places on a surface, is the direction of their mean vector, and instead of a mean
 * of levels there is the one of the largest probability, the first among equals. */
typedef struct sfi_mixture_want {
    double *logp;           /* [m]              */
    sf_mat score, velocity; /* [m, inner]       */
    sf_mat denoised;        /* [m, dim]         */
    sf_mat jacobian;        /* [m, inner^2]     */
    double *divergence;     /* [m]              */
    sf_mat birth, death;    /* [m, dim] rates of counts, backward and forward */
    sf_mat ratio;           /* [m, dim] of counts: p(x + e_j)/p(x)            */
    sf_mat pmf;             /* [m, levels] of a column of levels: P(x_0 | x)  */
    int64_t pmf_column;     /* which                                          */
    int64_t most;           /* how many weights */
    int64_t *datum;         /* [m, most] of the largest ... */
    double *weight;         /* [m, most] ... posterior weights */
    const double *uniform;  /* [m] in (0, 1) and   */
    int64_t *drawn;         /* [m] a draw from r   */
    const int64_t
        *without; /* [m] a datum left out, or none: the others' weights
                               then sum to 1 */
} sfi_mixture_want;

/* Evaluate at y [m, inner], in the chart.  What one point gets does not depend on
 * the others.  A point at which every part's density is 0 gets -infinity, and
 * NaN for the rest.  SF_OK or SF_E_NOMEM. */
sf_status sfi_mixture_run(sfi_mixture *p, sf_cmat y, double t,
                          const sfi_mixture_want *want);

/* The least of the data's least times. */
double sfi_mixture_least(const sfi_mixture *p);

#endif
