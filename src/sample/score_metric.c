/* SPDX-License-Identifier: Apache-2.0 */
/* score_metric.c - the geometric mean of draws and scores, in their span.
 *
 * In units of the scales the rows x~ = (x - mean)/scale and s~ = scale (s - mean) span
 * all that n pairs can say.  With Q orthonormal rows of this span and x~ = X Q,
 * s~ = S Q the mean is taken of the small matrices
 *
 *     X'X/n + e I    and    (S'S/n + e I)^-1
 *
 * each e a hundredth of what the diagonal has in most directions (its upper quartile),
 * less where there are many pairs and none from two pairs a direction on: n pairs leave
 * half of the span without draws and half without scores, where the mean would be
 * anything.
 *
 * A diagonal metric of a distribution with few stiff directions is a mean over stiff
 * and soft ones, and so wrong for all the rest by one factor: the middle eigenvalue.
 * It belongs to the scales, or else the span of n pairs would be full of it.
 *
 * Directions that the pairs seem to show are judged by pairs that took no part, since
 * F is a sum over directions: u with stretch l lowers it by
 *
 *     E (u.x~ + u.s~)^2 - E (u.x~/l^1/2 + l^1/2 u.s~)^2
 *
 * which is l + 1/l - 2 if l is its variance; one that is none raises F by as much. */
#include "sample/score_metric.h"

#include "num/linalg.h"
#include "num/sort.h"

#include <math.h>
#include <string.h>

enum {
    FOLDS = 4, /* one pair of so many is held back */
    LEAST_PAIRS = 20
};
static const double most_ridge = 0.01;

/* ---- pairs --------------------------------------------------------------------- */

void sfi_pairs_init(sfi_pairs *p, int64_t dim, int64_t capacity, double *memory)
{
    *p = (sfi_pairs){dim, capacity, 0, memory, memory + capacity * dim};
}

void sfi_pairs_add(sfi_pairs *p, const double *x, const double *slope)
{
    const int64_t row = p->total++ % p->capacity;
    const size_t bytes = (size_t)p->dim * sizeof *x;
    memcpy(p->x + row * p->dim, x, bytes);
    memcpy(p->slope + row * p->dim, slope, bytes);
}

/* ---- divergence ---------------------------------------------------------------- */

void sfi_divergence_add(sfi_divergence *d, const double *residual)
{
    const double share = 1.0 / (double)++d->count;
    for (int64_t j = 0; j < d->dim; j++) {
        const double past = residual[j] - d->mean[j];
        d->mean[j] += share * past;
        d->sum += past * (residual[j] - d->mean[j]);
    }
}

double sfi_divergence_value(const sfi_divergence *d)
{
    const double n = (double)d->count;
    return d->count > 1 ? d->sum / ((n - 1.0) * (double)d->dim) : NAN;
}

/* ---- pairs in units of the scales ---------------------------------------------- */

typedef struct fit {
    sf_context *ctx;
    sfi_metric *m;
    const sfi_pairs *pairs;
    int64_t count, train, dim;
    int64_t span;  /* of the pairs that are not held back, at most dim        */
    double *mean;  /* [2, dim] of x and of slope                              */
    double *x, *s; /* [train, dim]; if span < dim, x and s together become
                      [span, dim] orthonormal rows                            */
    double *held;  /* [count - train, 2, dim]                                 */
    double *part;  /* [span, span] of the rows of x and s, if span < dim      */
    double *cx;    /* [span, span]                                            */
    double *cs;    /* [span, span]                                            */
    double *value; /* [2 span], the second half scratch                       */
} fit;

static const double *pair_row(const fit *f, const double *of, int64_t i)
{
    const int64_t at = f->pairs->total - f->count + i;
    return of + at % f->pairs->capacity * f->dim;
}

static bool held_back(const fit *f, int64_t i)
{
    return f->train < f->count && i % FOLDS == FOLDS - 1;
}

static void standardise(fit *f)
{
    const int64_t d = f->dim;
    double *mean_x = f->mean, *mean_slope = f->mean + d;
    memset(f->mean, 0, 2 * (size_t)d * sizeof *f->mean);
    for (int64_t i = 0; i < f->count; i++) {
        const double *from_x = pair_row(f, f->pairs->x, i);
        const double *from_slope = pair_row(f, f->pairs->slope, i);
        for (int64_t j = 0; j < d; j++) {
            mean_x[j] += from_x[j] / (double)f->count;
            mean_slope[j] += from_slope[j] / (double)f->count;
        }
    }
    double *x = f->x, *s = f->s, *held = f->held;
    for (int64_t i = 0; i < f->count; i++) {
        const double *from_x = pair_row(f, f->pairs->x, i);
        const double *from_slope = pair_row(f, f->pairs->slope, i);
        double *to_x = held_back(f, i) ? held : x;
        double *to_s = held_back(f, i) ? held + d : s;
        for (int64_t j = 0; j < d; j++) {
            to_x[j] = (from_x[j] - mean_x[j]) / f->m->scale[j];
            to_s[j] = (mean_slope[j] - from_slope[j]) * f->m->scale[j];
        }
        if (held_back(f, i)) {
            held += 2 * d;
        } else {
            x += d;
            s += d;
        }
    }
}

/* ---- the geometric mean -------------------------------------------------------- */

static void covariance(const fit *f, double *c, const double *rows)
{
    const int64_t k = f->span;
    const double n = (double)f->train;
    const double share = most_ridge * fmax(0.0, 1.0 - 0.5 * n / (double)k);
    memset(c, 0, (size_t)(k * k) * sizeof *c);
    sfi_add_products(c, k, (sf_cmat){rows, f->train, k, k});
    for (int64_t i = 0; i < k; i++)
        f->value[i] = c[i * k + i];
    sfi_sort(f->value, f->value + k, k);
    const double ridge = share * sfi_quantile(f->value, k, 0.75);
    for (int64_t i = 0; i < k; i++)
        c[i * k + i] += ridge;
    for (int64_t i = 0; i < k * k; i++)
        c[i] /= n;
    sfi_mirror_lower(c, k);
}

/* Into cx, in the coordinates of the span. */
static sf_status mean_of_pairs(fit *f)
{
    const double *x = f->x, *s = f->s;
    if (f->span < f->dim) {
        SFI_TRY(sfi_orthonormal_rows(f->ctx, f->x, f->part, f->span, f->dim));
        x = f->part;
        s = f->part + f->train * f->span;
    }
    covariance(f, f->cx, x);
    covariance(f, f->cs, s);
    return sfi_geometric_mean(f->ctx, f->cx, f->cx, f->cs, f->span);
}

/* ---- dense --------------------------------------------------------------------- */

static sf_status fit_dense(fit *f)
{
    sfi_metric *m = f->m;
    const int64_t d = f->dim;
    SFI_TRY(mean_of_pairs(f));
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < d; j++)
            f->cx[i * d + j] *= m->scale[i] * m->scale[j];
    SFI_TRY(sfi_cholesky(f->ctx, f->cs, f->cx, d, "metric", NULL));
    memcpy(m->inverse, f->cx, (size_t)(d * d) * sizeof *f->cx);
    memcpy(m->factor, f->cs, (size_t)(d * d) * sizeof *f->cs);
    m->kind = SF_METRIC_DENSE;
    return SF_OK;
}

/* ---- low rank ------------------------------------------------------------------ */

static void take_middle(fit *f)
{
    const int64_t k = f->span, d = f->dim;
    const double middle = sqrt(f->value[(k - 1) / 2] * f->value[k / 2]);
    const double root = sqrt(middle);
    for (int64_t i = 0; i < k; i++)
        f->value[i] /= middle;
    for (int64_t j = 0; j < d; j++)
        f->m->scale[j] *= root;
    for (int64_t i = 0; i < 2 * (f->count - f->train); i++)
        for (int64_t j = 0; j < d; j++)
            f->held[i * d + j] *= i % 2 == 0 ? 1.0 / root : root;
}

/* Row k of cx, in the coordinates of the components. */
static void write_direction(const fit *f, int64_t k, double *to)
{
    const double *vector = f->cx + k * f->span;
    if (f->span == f->dim) {
        memcpy(to, vector, (size_t)f->dim * sizeof *to);
        return;
    }
    memset(to, 0, (size_t)f->dim * sizeof *to);
    for (int64_t i = 0; i < f->span; i++)
        for (int64_t j = 0; j < f->dim; j++)
            to[j] += vector[i] * f->x[i * f->dim + j];
}

/* By how much a direction lowers F of the pairs that were held back. */
static double gain(const fit *f, const double *direction, double stretch)
{
    const int64_t d = f->dim, held = f->count - f->train;
    const double root = sqrt(stretch);
    double sum = 0.0;
    for (int64_t i = 0; i < held; i++) {
        const double *pair = f->held + 2 * i * d;
        const double x = sfi_dot(pair, direction, d);
        const double s = sfi_dot(pair + d, direction, d);
        const double before = x + s, after = x / root + root * s;
        sum += before * before - after * after;
    }
    return sum / (double)held;
}

/* The directions that are worth it, the longest and shortest first, to the rows of the
 * metric; returns how many, and in *rest what is left between those: the logarithm of the
 * ratio of the largest and smallest stretch. */
static int64_t find_directions(fit *f, double cutoff, double *rest)
{
    sfi_metric *m = f->m;
    int64_t low = 0, high = f->span - 1, rank = 0;
    while (low <= high && rank < m->most) {
        const bool upper = f->value[high] * f->value[low] > 1.0;
        const double stretch = f->value[upper ? high : low];
        if (stretch < cutoff && stretch > 1.0 / cutoff)
            break;
        double *direction = m->rows + rank * f->dim;
        write_direction(f, upper ? high-- : low++, direction);
        const double promise = stretch + 1.0 / stretch - 2.0;
        if (gain(f, direction, stretch) > 0.25 * promise)
            m->stretch[rank++] = stretch;
    }
    *rest = low <= high ? log(f->value[high] / f->value[low]) : 0.0;
    return rank;
}

/* Paths are as long as the widest direction and steps as short as the narrowest: a
 * path's steps are in proportion to the root of the ratio of what is left. */
static int64_t worthwhile(const fit *f, int64_t rank, double rest, double work)
{
    double widest = 0.5 * rest, narrowest = -0.5 * rest, least = INFINITY;
    int64_t best = rank;
    for (int64_t r = rank; r >= 0; r--) {
        if (r < rank) {
            widest = fmax(widest, log(f->m->stretch[r]));
            narrowest = fmin(narrowest, log(f->m->stretch[r]));
        }
        const double step = work + sfi_metric_work(f->dim, r);
        const double cost = step * exp(0.5 * (widest - narrowest));
        if (cost < least) {
            least = cost;
            best = r;
        }
    }
    return best;
}

static sf_status fit_low_rank(fit *f, bool choose, double work)
{
    SFI_TRY(mean_of_pairs(f));
    SFI_TRY(sfi_eigen_symmetric(f->ctx, f->value, f->cx, f->cx, f->span));
    if (!(f->value[0] > 0.0) || isinf(f->value[f->span - 1]))
        return SF_E_NUMERIC;
    take_middle(f);
    double rest;
    int64_t rank = find_directions(f, choose ? 1.25 : 2.0, &rest);
    if (choose)
        rank = worthwhile(f, rank, rest, work);
    sfi_metric_set_rank(f->m, rank);
    return SF_OK;
}

/* ---- fitting ------------------------------------------------------------------- */

static int64_t kept(const sfi_pairs *p)
{
    return p->total < p->capacity ? p->total : p->capacity;
}

sf_status sfi_metric_fit(sf_context *ctx, sfi_metric *m, sf_metric kind,
                         const sfi_pairs *pairs, int64_t count, double work)
{
    fit f = {.ctx = ctx, .m = m, .pairs = pairs, .dim = m->dim};
    f.count = count < kept(pairs) ? count : kept(pairs);
    if (f.count < LEAST_PAIRS)
        return SF_OK;
    const bool dense = kind == SF_METRIC_DENSE;
    f.train = dense ? f.count : f.count - f.count / FOLDS;
    f.span = dense || 2 * f.train > f.dim ? f.dim : 2 * f.train;
    const int64_t d = f.dim, square = f.span * f.span;
    const size_t total =
        (size_t)(2 * d + 2 * f.count * d + 3 * square + 2 * f.span);
    double *memory = sfi_alloc(ctx, total, sizeof *memory);
    if (memory == NULL)
        return SF_E_NOMEM;
    f.mean = memory;
    f.x = f.mean + 2 * d;
    f.s = f.x + f.train * d;
    f.held = f.s + f.train * d;
    f.part = f.held + 2 * (f.count - f.train) * d;
    f.cx = f.part + square;
    f.cs = f.cx + square;
    f.value = f.cs + square;
    standardise(&f);
    sf_status status =
        dense ? fit_dense(&f) : fit_low_rank(&f, kind == SF_METRIC_AUTO, work);
    sfi_free(ctx, memory, total, sizeof *memory);
    if (status == SF_E_NUMERIC || status == SF_E_CONVERGE) {
        sfi_message_clear(ctx);
        status = SF_OK; /* no metric is in these pairs */
    }
    return status;
}
