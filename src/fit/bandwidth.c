/* SPDX-License-Identifier: Apache-2.0 */
/* bandwidth.c - leave-one-out likelihood, and the least noise that maximises it.
 *
 * The mean log density of rows under all others is a smooth function of ln t with
 * one maximum that matters: too little noise and no row explains another, too
 * much and all are smeared.  It is bracketed by halving t from 1 on, then found
 * by golden section.
 *
 * With a time for each row, t_i = h rho_i / (their geometric mean), rho_i being
 * the distance to the K-th neighbour in the chart, in units of the noise; h is
 * found for several K. */
#include "fit/bandwidth.h"

#include "base/parallel.h"
#include "base/random.h"
#include "num/copies.h"

#include <math.h>
#include <string.h>

enum {
    HALVINGS = 20,
    SECTIONS = 14,
    WANTED_PAIRS = 10000000,
    LEAST_ROWS = 200
};

/* No row rests at less: below it nothing is resolved by doubles or by a plot. */
static const double least_time = 1e-5;

/* K that are tried, of neighbours. */
static const int64_t neighbour_counts[] = {4, 8, 16, 32, 64};

typedef struct search {
    sf_context *ctx;
    const sf_model *m;
    int64_t n, columns, d; /* distinct rows, their columns, numbers of y */
    int64_t copies;
    double *x, *y;       /* [n, columns] them, and [n, d] in the chart      */
    double *log_weights; /* [n] of all their copies, together               */
    int64_t *of;         /* [all rows] which distinct row each one is       */
    int64_t all;
    int64_t rows;      /* that are left out, one by one                   */
    int64_t *left_out; /* [rows]                                          */
    double *points;    /* [rows, d]                                       */
    double *logp;      /* [rows]                                          */
    double *times;     /* [n]                                             */
    double *distance;  /* [n] to the K-th neighbour, over their mean      */
    sfi_mixture *mixture;
    int64_t evaluations;
} search;

/* ---- distinct rows ------------------------------------------------------------ */

sf_status sfi_count_copies(const sf_model *m, int64_t *copies)
{
    const sf_cmat data = sfi_empirical_of(m).data;
    const size_t n = (size_t)data.rows;
    int64_t *first = sfi_alloc(m->ctx, n, sizeof *first);
    const sf_status status =
        first != NULL ? sfi_find_copies(m->ctx, 1, &data, first, copies)
                      : SF_E_NOMEM;
    sfi_free(m->ctx, first, n, sizeof *first);
    return status;
}

/* s->of from "first row that it is a copy of" to places among distinct rows. */
static void take_distinct(search *s)
{
    const sfi_empirical e = sfi_empirical_of(s->m);
    int64_t n = 0;
    for (int64_t i = 0; i < s->all; i++) {
        const double w = e.log_weights != NULL ? exp(e.log_weights[i]) : 1.0;
        if (s->of[i] != i) { /* its first row came before */
            s->of[i] = s->of[s->of[i]];
            s->log_weights[s->of[i]] += w;
            continue;
        }
        double *x = s->x + n * s->columns;
        memcpy(x, e.data.data + i * s->columns, (size_t)s->columns * sizeof *x);
        sfi_noise_to_chart(&s->m->noise, (sfi_units){0}, x, s->y + n * s->d);
        s->log_weights[n] = w;
        s->of[i] = n++;
    }
    for (int64_t i = 0; i < n; i++)
        s->log_weights[i] = log(s->log_weights[i]);
}

/* ---- the likelihood ------------------------------------------------------------ */

static sf_status open_mixture(search *s, const double *least)
{
    const sfi_mixture_options options = {.log_weights = s->log_weights,
                                         .least = least,
                                         .least_all = least_time,
                                         .how = SFI_VELOCITY_TRAINING};
    return sfi_mixture_new(s->ctx, &s->mixture, &s->m->noise,
                           (sf_cmat){s->x, s->n, s->columns, s->columns},
                           &options);
}

/* Mean and standard error of the rows that are left out at their times, or, with
 * one for all, at `time`. */
static sf_status evaluate(search *s, double time, double *mean, double *se)
{
    const sfi_mixture_want want = {.logp = s->logp, .without = s->left_out};
    const sf_progress p = {.stage = "leave-one-out",
                           .step = ++s->evaluations,
                           .loss = NAN,
                           .held_out = NAN};
    if (!sfi_progress(s->ctx, &p, false))
        return SFI_FAIL(s->ctx, SF_E_CANCELLED, "empirical: stopped");
    SFI_TRY(sfi_mixture_run(
        s->mixture, (sf_cmat){s->points, s->rows, s->d, s->d}, time, &want));
    double weight = 0.0, squares = 0.0, sum = 0.0, parts = 0.0;
    for (int64_t i = 0; i < s->rows; i++) {
        const double w = exp(s->log_weights[s->left_out[i]]);
        weight += w;
        sum += w * s->logp[i];
    }
    *mean = sum / weight;
    for (int64_t i = 0; i < s->rows; i++) {
        const double w = exp(s->log_weights[s->left_out[i]]) / weight;
        squares += w * (s->logp[i] - *mean) * (s->logp[i] - *mean);
        parts += w * w;
    }
    *se = sqrt(squares * parts);
    return SF_OK;
}

/* At h: with a time for each row, h times its distance. */
static sf_status likelihood(search *s, double h, double *mean, double *se)
{
    if (s->distance == NULL)
        return evaluate(s, h, mean, se);
    for (int64_t i = 0; i < s->n; i++)
        s->times[i] = fmin(fmax(h * s->distance[i], least_time), 1.0);
    sfi_mixture_rest(s->mixture, s->times);
    return evaluate(s, 0.0, mean, se);
}

/* The h from 2^-20 to 1 where the likelihood is largest. */
static sf_status maximise(search *s, double *best, double *mean, double *se)
{
    double top = -INFINITY, error = NAN, at = NAN;
    int falling = 0;
    for (int k = 0; k <= HALVINGS && falling < 3; k++) {
        double value;
        SFI_TRY(likelihood(s, ldexp(1.0, -k), &value, &error));
        falling = value < top ? falling + 1 : 0;
        if (value > top) {
            top = value;
            at = (double)-k;
        }
    }
    if (isnan(at))
        return SFI_FAIL(s->ctx, SF_E_NUMERIC,
                        "empirical: no amount of noise gives every row a "
                        "density under the others");
    const double golden = 0.61803398874989485;
    double low = at - 1.0, high = fmin(at + 1.0, 0.0);
    double a = high - golden * (high - low), b = low + golden * (high - low);
    double at_a, at_b;
    SFI_TRY(likelihood(s, exp2(a), &at_a, &error));
    SFI_TRY(likelihood(s, exp2(b), &at_b, &error));
    for (int k = 0; k < SECTIONS; k++) {
        if (at_a >= at_b) {
            high = b;
            b = a;
            at_b = at_a;
            a = high - golden * (high - low);
            SFI_TRY(likelihood(s, exp2(a), &at_a, &error));
        } else {
            low = a;
            a = b;
            at_a = at_b;
            b = low + golden * (high - low);
            SFI_TRY(likelihood(s, exp2(b), &at_b, &error));
        }
    }
    *best = exp2(0.5 * (low + high));
    return likelihood(s, *best, mean, se);
}

/* ---- neighbours ---------------------------------------------------------------- */

typedef struct neighbour_job {
    const search *s;
    const double *spread; /* [d] */
    const bool *angle;    /* [d] */
    int64_t most;
    double *nearest; /* [n, most], squared distances, ascending */
} neighbour_job;

static double squared_distance(const neighbour_job *b, int64_t i, int64_t k)
{
    const search *s = b->s;
    double sum = 0.0;
    for (int64_t j = 0; j < s->d; j++) {
        double gap = s->y[i * s->d + j] - s->y[k * s->d + j];
        if (b->angle[j])
            gap = remainder(gap, 6.283185307179586);
        sum += gap * gap / (b->spread[j] * b->spread[j]);
    }
    return sum;
}

static void find_nearest(void *user, int64_t part, int64_t first, int64_t count)
{
    const neighbour_job *b = user;
    (void)part;
    for (int64_t i = first; i < first + count; i++) {
        double *near = b->nearest + i * b->most;
        for (int64_t k = 0; k < b->most; k++)
            near[k] = INFINITY;
        for (int64_t k = 0; k < b->s->n; k++) {
            const double r = squared_distance(b, i, k);
            if (k == i || !(r < near[b->most - 1]))
                continue;
            int64_t at = b->most - 1;
            for (; at > 0 && r < near[at - 1]; at--)
                near[at] = near[at - 1];
            near[at] = r;
        }
    }
}

/* s->distance to neighbour K of each row, over their geometric mean. */
static void take_distances(search *s, const neighbour_job *b, int64_t k)
{
    double sum = 0.0;
    for (int64_t i = 0; i < s->n; i++) {
        s->distance[i] = sqrt(fmax(b->nearest[i * b->most + k - 1], 1e-300));
        sum += log(s->distance[i]);
    }
    const double mean = exp(sum / (double)s->n);
    for (int64_t i = 0; i < s->n; i++)
        s->distance[i] /= mean;
}

static sf_status adapt(search *s, const neighbour_job *b, double *times,
                       sfi_bandwidth *out)
{
    out->loo = -INFINITY;
    for (size_t k = 0; k < SFI_COUNT(neighbour_counts); k++) {
        const int64_t count = neighbour_counts[k];
        double h, mean, se;
        if (count > b->most)
            break;
        take_distances(s, b, count);
        SFI_TRY(maximise(s, &h, &mean, &se));
        if (!(mean > out->loo))
            continue;
        out->loo = mean;
        out->loo_se = se;
        out->neighbours = count;
        for (int64_t i = 0; i < s->all; i++)
            times[i] = s->times[s->of[i]];
    }
    out->least = 1.0;
    out->most = 0.0;
    for (int64_t i = 0; i < s->all; i++) {
        out->least = fmin(out->least, times[i]);
        out->most = fmax(out->most, times[i]);
    }
    return SF_OK;
}

static sf_status run_adaptive(search *s, double *times, sfi_bandwidth *out)
{
    sf_context *ctx = s->ctx;
    neighbour_job b = {.s = s, .most = neighbour_counts[0]};
    for (size_t k = 0; k < SFI_COUNT(neighbour_counts); k++)
        if (4 * neighbour_counts[k] <= s->n)
            b.most = neighbour_counts[k];
    if (b.most > s->n - 1)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "empirical: %lld distinct rows are too few for a time "
                        "for each; want at least %lld",
                        (long long)s->n, (long long)b.most + 1);
    const size_t n = (size_t)s->n, near = n * (size_t)b.most;
    double *spread = sfi_alloc(ctx, (size_t)s->d, sizeof *spread);
    bool *angle = sfi_alloc_zero(ctx, (size_t)s->d, sizeof *angle);
    b.spread = spread;
    b.angle = angle;
    b.nearest = sfi_alloc(ctx, near, sizeof *b.nearest);
    s->distance = sfi_alloc(ctx, n, sizeof *s->distance);
    sf_status status = spread != NULL && angle != NULL && b.nearest != NULL &&
                               s->distance != NULL
                           ? sfi_level_spread(s->m, spread)
                           : SF_E_NOMEM;
    if (status == SF_OK) {
        for (int64_t k = 0; k < s->m->noise.count; k++) {
            const sfi_block *block = &s->m->noise.blocks[k];
            angle[block->at] = sfi_block_is_angle(block);
        }
        for (int64_t i = 0; i < s->n; i++)
            s->times[i] = 1.0;
        status = open_mixture(s, s->times);
    }
    if (status == SF_OK) {
        sfi_parallel(ctx, s->n, 16, find_nearest, &b);
        status = adapt(s, &b, times, out);
    }
    sfi_free(ctx, s->distance, n, sizeof *s->distance);
    sfi_free(ctx, b.nearest, near, sizeof *b.nearest);
    sfi_free(ctx, angle, (size_t)s->d, sizeof *angle);
    sfi_free(ctx, spread, (size_t)s->d, sizeof *spread);
    return status;
}

static sf_status run_one(search *s, sfi_bandwidth *out)
{
    SFI_TRY(open_mixture(s, NULL));
    SFI_TRY(maximise(s, &out->least, &out->loo, &out->loo_se));
    out->least = fmax(out->least, least_time);
    out->most = out->least;
    return SF_OK;
}

/* ---- all of it ------------------------------------------------------------------ */

/* The rows that are left out: all, or the first of a shuffle. */
static sf_status take_left_out(search *s, int64_t wanted, uint64_t seed)
{
    int64_t *order = sfi_alloc(s->ctx, (size_t)s->n, sizeof *order);
    if (order == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < s->n; i++)
        order[i] = i;
    if (wanted == 0)
        wanted =
            WANTED_PAIRS / s->n > LEAST_ROWS ? WANTED_PAIRS / s->n : LEAST_ROWS;
    s->rows = wanted < s->n ? wanted : s->n;
    if (s->rows < s->n)
        sfi_shuffle(seed, 0, order, s->n);
    s->left_out = sfi_alloc(s->ctx, (size_t)s->rows, sizeof *s->left_out);
    s->points = sfi_alloc(s->ctx, (size_t)(s->rows * s->d), sizeof *s->points);
    s->logp = sfi_alloc(s->ctx, (size_t)s->rows, sizeof *s->logp);
    const bool enough =
        s->left_out != NULL && s->points != NULL && s->logp != NULL;
    for (int64_t i = 0; i < s->rows && enough; i++) {
        s->left_out[i] = order[i];
        memcpy(s->points + i * s->d, s->y + order[i] * s->d,
               (size_t)s->d * sizeof *s->points);
    }
    sfi_free(s->ctx, order, (size_t)s->n, sizeof *order);
    return enough ? SF_OK : SF_E_NOMEM;
}

static sf_status run(search *s, int64_t loo_rows, uint64_t seed, double *times,
                     sfi_bandwidth *out)
{
    const sf_cmat data = sfi_empirical_of(s->m).data;
    SFI_TRY(sfi_find_copies(s->ctx, 1, &data, s->of, &s->copies));
    s->n = s->all - s->copies;
    if (s->n < 2)
        return SFI_FAIL(s->ctx, SF_E_ARG,
                        "empirical: all rows are copies of one; give a "
                        "bandwidth");
    take_distinct(s);
    SFI_TRY(take_left_out(s, loo_rows, seed));
    SFI_TRY(times != NULL ? run_adaptive(s, times, out) : run_one(s, out));
    out->loo_rows = s->rows;
    out->copies = s->copies;
    return SF_OK;
}

sf_status sfi_find_bandwidth(const sf_model *m, int64_t loo_rows, uint64_t seed,
                             double *times, sfi_bandwidth *out)
{
    sf_context *ctx = m->ctx;
    const int64_t all = sfi_empirical_of(m).data.rows;
    const size_t count = (size_t)all;
    const size_t cells = (size_t)(all * m->dim),
                 inner = (size_t)(all * m->inner);
    search s = {
        .ctx = ctx, .m = m, .columns = m->dim, .d = m->inner, .all = all};
    *out = (sfi_bandwidth){0};
    s.x = sfi_alloc(ctx, cells, sizeof *s.x);
    s.y = sfi_alloc(ctx, inner, sizeof *s.y);
    s.log_weights = sfi_alloc(ctx, count, sizeof *s.log_weights);
    s.times = sfi_alloc(ctx, count, sizeof *s.times);
    s.of = sfi_alloc(ctx, count, sizeof *s.of);
    const sf_status status = s.x != NULL && s.y != NULL &&
                                     s.log_weights != NULL && s.times != NULL &&
                                     s.of != NULL
                                 ? run(&s, loo_rows, seed, times, out)
                                 : SF_E_NOMEM;
    sfi_mixture_free(s.mixture);
    sfi_free(ctx, s.logp, (size_t)s.rows, sizeof *s.logp);
    sfi_free(ctx, s.points, (size_t)(s.rows * s.d), sizeof *s.points);
    sfi_free(ctx, s.left_out, (size_t)s.rows, sizeof *s.left_out);
    sfi_free(ctx, s.of, count, sizeof *s.of);
    sfi_free(ctx, s.times, count, sizeof *s.times);
    sfi_free(ctx, s.log_weights, count, sizeof *s.log_weights);
    sfi_free(ctx, s.y, inner, sizeof *s.y);
    sfi_free(ctx, s.x, cells, sizeof *s.x);
    return status;
}
