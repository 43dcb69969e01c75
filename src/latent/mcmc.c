/* SPDX-License-Identifier: Apache-2.0 */
/* mcmc.c - Markov chains of latent points, those of many rows side by side.
 *
 * An iteration has two parts, each of which leaves p(z|x) as it is.  With C = L L' the
 * covariance of Laplace's posterior, xi standard normal and h the chain's own step,
 *
 *     z' = z + L v,     v = (h^2/2) L' grad O(z) + h xi                     (local)
 *     ln a = O(z') - O(z) + |xi|^2/2 - |v + (h^2/2) L' grad O(z')|^2/(2 h^2)
 *
 * and z' from the mixture q of proposal.h, a quarter of it the prior, with
 * ln a = O(z') - ln q(z') - O(z) + ln q(z) (jump).  The first explores a mode of any shape, the second goes between modes and
 * would have the others' weights wrong without the first only in time.
 *
 * ln h rises by (a - 0.574)/(t + 1)^0.6 in iteration t of the warm-up, and then stays.
 * What a chain draws at random is a function of (seed, row, t, chain). */
#include "latent/mcmc.h"

#include "base/parallel.h"
#include "latent/proposal.h"
#include "num/linalg.h"

#include <math.h>
#include <string.h>

/* Walkers that one range of a parallel loop takes; and components of the random
 * numbers of a chain. */
enum { CHUNK = 64, COMPONENTS = 64, CHOICES = 4 };

static const double target = 0.574, decay = 0.6, share_of_prior = 0.25;

struct sfi_walkers {
    sf_context *ctx;
    sfi_latent_programs *programs;
    sfi_proposal proposal;
    int n; /* K */
    int64_t chains, draws, warmup, most;
    uint64_t seed;
    int64_t *row;                /* [most] of x, as are all below by walker */
    double *z, *gradient;        /* [most, K] */
    double *value, *log_q;       /* [most] O and ln q */
    double *trial, *slope;       /* [most, K] the proposals */
    double *trial_value;         /* [most] */
    double *v, *xi;              /* [most, K] */
    double *h;                   /* [most] */
    double *local, *jumps;       /* [most] sums of probabilities */
    double all_local, all_jumps; /* of all runs */
    double decisions;
    /* Of a run. */
    int64_t first, count, t;
    const double *middle, *spread;
    double *to;
};

/* ---- memory ------------------------------------------------------------------ */

void sfi_walkers_free(sfi_walkers *w)
{
    if (w == NULL)
        return;
    const size_t m = (size_t)w->most, n = (size_t)w->n, d = sizeof(double);
    double *const numbers[] = {w->value, w->log_q, w->trial_value,
                               w->h,     w->local, w->jumps};
    double *const points[] = {w->z,     w->gradient, w->trial,
                              w->slope, w->v,        w->xi};
    for (size_t i = 0; i < 6; i++) {
        sfi_free(w->ctx, numbers[i], m, d);
        sfi_free(w->ctx, points[i], m * n, d);
    }
    sfi_free(w->ctx, w->row, m, sizeof *w->row);
    sfi_free(w->ctx, w, 1, sizeof *w);
}

static sf_status make_room(sfi_walkers *w)
{
    const size_t m = (size_t)w->most, n = (size_t)w->n, d = sizeof(double);
    double **const numbers[] = {&w->value, &w->log_q, &w->trial_value,
                                &w->h,     &w->local, &w->jumps};
    double **const points[] = {&w->z,     &w->gradient, &w->trial,
                               &w->slope, &w->v,        &w->xi};
    w->row = sfi_alloc(w->ctx, m, sizeof *w->row);
    bool enough = w->row != NULL;
    for (size_t i = 0; i < 6 && enough; i++) {
        *numbers[i] = sfi_alloc(w->ctx, m, d);
        *points[i] = sfi_alloc(w->ctx, m * n, d);
        enough = *numbers[i] != NULL && *points[i] != NULL;
    }
    return enough ? SF_OK : SF_E_NOMEM;
}

sf_status sfi_walkers_new(sf_context *ctx, sfi_walkers **out,
                          sfi_latent_programs *programs,
                          const sf_latent_draw_options *o, int64_t most)
{
    *out = NULL;
    sfi_walkers *w = sfi_alloc_zero(ctx, 1, sizeof *w);
    if (w == NULL)
        return SF_E_NOMEM;
    w->ctx = ctx;
    w->programs = programs;
    w->n = (int)programs->latent;
    w->proposal = sfi_proposal_make(w->n, share_of_prior);
    w->chains = o->chains;
    w->draws = o->draws;
    w->warmup = o->warmup;
    w->seed = o->seed;
    w->most = most * o->chains;
    const sf_status status = make_room(w);
    if (status != SF_OK) {
        sfi_walkers_free(w);
        return status;
    }
    *out = w;
    return SF_OK;
}

/* ---- local steps --------------------------------------------------------------- */

static sfi_where place(const sfi_walkers *w, int64_t i, sfi_stream stream)
{
    return (sfi_where){w->seed, (uint64_t)w->row[i], (uint32_t)w->t, stream};
}

static double choice(const sfi_walkers *w, int64_t i, int which)
{
    const uint32_t chain = (uint32_t)(i % w->chains);
    return sfi_uniform_at(place(w, i, SFI_STREAM_CHOICE),
                          chain * CHOICES + (uint32_t)which);
}

static const double *spread_of(const sfi_walkers *w, int64_t i)
{
    return w->spread + i / w->chains * w->n * w->n;
}

/* (h^2/2) L' g. */
static void drift(const sfi_walkers *w, int64_t i, const double *g, double *out)
{
    const double *l = spread_of(w, i);
    for (int k = 0; k < w->n; k++) {
        out[k] = 0.0;
        for (int j = k; j < w->n; j++)
            out[k] += 0.5 * w->h[i] * w->h[i] * l[j * w->n + k] * g[j];
    }
}

static void step(sfi_walkers *w, int64_t i)
{
    const int n = w->n;
    const double *l = spread_of(w, i);
    double *v = w->v + i * n, *xi = w->xi + i * n;
    const uint32_t first = (uint32_t)(i % w->chains) * COMPONENTS;
    drift(w, i, w->gradient + i * n, v);
    for (int k = 0; k < n; k++) {
        xi[k] = sfi_normal_at(place(w, i, SFI_STREAM_MOMENTUM),
                              first + (uint32_t)k);
        v[k] += w->h[i] * xi[k];
    }
    for (int j = 0; j < n; j++) {
        w->trial[i * n + j] = w->z[i * n + j];
        for (int k = 0; k <= j; k++)
            w->trial[i * n + j] += l[j * n + k] * v[k];
    }
}

/* The trial becomes the point. */
static void move(sfi_walkers *w, int64_t i)
{
    const size_t size = (size_t)w->n * sizeof *w->z;
    memcpy(w->z + i * w->n, w->trial + i * w->n, size);
    memcpy(w->gradient + i * w->n, w->slope + i * w->n, size);
    w->value[i] = w->trial_value[i];
}

/* min(1, e^x), 0 of NaN. */
static double probability(double x)
{
    return isnan(x) ? 0.0 : exp(fmin(x, 0.0));
}

static void judge_step(sfi_walkers *w, int64_t i)
{
    const int n = w->n;
    double back[SFI_SMALL_MAX], square = 0.0;
    const double *v = w->v + i * n, *xi = w->xi + i * n;
    drift(w, i, w->slope + i * n, back);
    for (int k = 0; k < n; k++)
        square += (v[k] + back[k]) * (v[k] + back[k]);
    const double a =
        probability(w->trial_value[i] - w->value[i] + 0.5 * sfi_dot(xi, xi, n) -
                    0.5 * square / (w->h[i] * w->h[i]));
    if (w->t < w->warmup)
        w->h[i] *= exp((a - target) / pow((double)w->t + 1.0, decay));
    else
        w->local[i] += a;
    if (choice(w, i, 0) < a)
        move(w, i);
}

/* ---- jumps --------------------------------------------------------------------- */

static double log_proposal(const sfi_walkers *w, int64_t i, const double *z)
{
    return sfi_proposal_log(&w->proposal, z, w->middle + i / w->chains * w->n,
                            spread_of(w, i));
}

static void jump(sfi_walkers *w, int64_t i)
{
    const uint32_t first = (uint32_t)(i % w->chains) * COMPONENTS;
    w->log_q[i] = log_proposal(w, i, w->z + i * w->n);
    sfi_proposal_draw(&w->proposal, choice(w, i, 1) < share_of_prior,
                      place(w, i, SFI_STREAM_EXCHANGE), first,
                      w->middle + i / w->chains * w->n, spread_of(w, i),
                      w->trial + i * w->n);
}

static void judge_jump(sfi_walkers *w, int64_t i)
{
    const int n = w->n;
    const double a = probability(w->trial_value[i] - w->value[i] + w->log_q[i] -
                                 log_proposal(w, i, w->trial + i * n));
    if (choice(w, i, 2) < a)
        move(w, i);
    if (w->t < w->warmup)
        return;
    w->jumps[i] += a;
    memcpy(w->to + (i * w->draws + w->t - w->warmup) * n, w->z + i * n,
           (size_t)n * sizeof *w->z);
}

/* ---- all of them --------------------------------------------------------------- */

#define OVER_WALKERS(name, what)                                               \
    static void name(void *user, int64_t part, int64_t first, int64_t count)   \
    {                                                                          \
        (void)part;                                                            \
        for (int64_t i = first; i < first + count; i++)                        \
            what(user, i);                                                     \
    }

OVER_WALKERS(take_steps, step)
OVER_WALKERS(judge_steps, judge_step)
OVER_WALKERS(take_jumps, jump)
OVER_WALKERS(judge_jumps, judge_jump)

/* Propose, evaluate, decide. */
static sf_status half_iteration(sfi_walkers *w, sfi_range_fn propose,
                                sfi_range_fn decide)
{
    sfi_parallel(w->ctx, w->count, CHUNK, propose, w);
    SFI_TRY(sfi_latent_slope_at(w->programs, w->count, w->row, w->trial,
                                w->trial_value, w->slope));
    sfi_parallel(w->ctx, w->count, CHUNK, decide, w);
    return SF_OK;
}

static sf_status begin(sfi_walkers *w, const double *start)
{
    const int n = w->n;
    /* The step at which Langevin accepts 57.4 % of a normal distribution. */
    const double usual = 1.65 / pow((double)n, 1.0 / 6.0);
    memcpy(w->z, start, (size_t)(w->count * n) * sizeof *w->z);
    for (int64_t i = 0; i < w->count; i++) {
        w->row[i] = w->first + i / w->chains;
        w->h[i] = usual;
        w->local[i] = w->jumps[i] = 0.0;
    }
    return sfi_latent_slope_at(w->programs, w->count, w->row, w->z, w->value,
                               w->gradient);
}

sf_status sfi_walkers_run(sfi_walkers *w, int64_t first, int64_t count,
                          const double *start, const double *z,
                          const double *spread, double *to)
{
    w->first = first;
    w->count = count * w->chains;
    w->middle = z;
    w->spread = spread;
    w->to = to;
    SFI_TRY(begin(w, start));
    for (w->t = 0; w->t < w->warmup + w->draws; w->t++) {
        SFI_TRY(half_iteration(w, take_steps, judge_steps));
        SFI_TRY(half_iteration(w, take_jumps, judge_jumps));
    }
    for (int64_t i = 0; i < w->count; i++) {
        if (isnan(w->value[i]))
            continue;
        w->all_local += w->local[i];
        w->all_jumps += w->jumps[i];
        w->decisions += (double)w->draws;
    }
    return SF_OK;
}

void sfi_walkers_acceptance(const sfi_walkers *w, double *local, double *jumps)
{
    *local = w->all_local / w->decisions;
    *jumps = w->all_jumps / w->decisions;
}
