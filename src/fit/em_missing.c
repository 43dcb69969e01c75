/* SPDX-License-Identifier: Apache-2.0 */
/* em_missing.c - expectations over missing cells (Z. Ghahramani, M. I. Jordan, NIPS 6
 * (1994) 120-127).
 *
 * A row that has the cells o belongs to component k in proportion to
 * w_k N(y_o; m_k, S_k), and then its missing cells m are normal about a linear
 * function of those that are there (num/split.h).  With the weights r of a pattern's
 * rows, W = sum r, mean a and scatter A of their cells o, the complete rows are
 * expected to have
 *
 *     mean      a,             m_m + B (a - m_o)
 *     scatter   [ A    A B'          ]
 *               [ B A  B A B' + W V  ]
 *
 * so that a pattern costs one factorisation for each component, and rows only their
 * products over o.  Of one component the weights are 1 and a and A never change: then
 * they are taken once of patterns of at least d rows, which need no more memory than
 * these.
 *
 * Rows are sorted by their patterns and cut into pieces of one pattern; a fixed number
 * of lanes takes the pieces in order, and the lanes are added in order. */
#include "fit/em_missing.h"

#include "base/parallel.h"
#include "num/patterns.h"
#include "num/split.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
    CHUNK = 256,     /* rows of a piece                                     */
    LANE_WORK = 2048 /* n d^2 for each lane, below which it is not worth it */
};

/* Rows first..first + count - 1 of one pattern. */
typedef struct em_piece {
    int64_t pattern, first, count;
    double *kept; /* of one component: [o + o^2] mean and scatter, or NULL */
} em_piece;

/* Sums about the component's mean. */
typedef struct expected {
    double count;
    double *first;  /* [d]    */
    double *second; /* [d, d] */
} expected;

typedef struct em_lane {
    double log_likelihood;
    bool failed;
    sfi_split *split;  /* [most]                              */
    expected *sums;    /* [most]                              */
    double *z, *share; /* [d, CHUNK], [most, CHUNK]           */
    double *squares;   /* [CHUNK]                             */
    double *moments;   /* [d + d^2] of a piece's cells        */
    double *whole;     /* [d + d^2] of the expected rows      */
} em_lane;

struct sfi_em_missing {
    sf_context *ctx;
    int64_t n, d, most;
    sfi_patterns *patterns;
    double *columns; /* [d, n], rows by their patterns */
    int64_t piece_count;
    em_piece *pieces;
    int lane_count;
    em_lane *lanes;
    const sfi_components *now; /* while expectations are taken */
};

/* ---- memory ------------------------------------------------------------------ */

static int lanes_for(int64_t pieces, int64_t n, int64_t d)
{
    const int64_t worth = 1 + n * d * d / LANE_WORK;
    const int64_t room = d <= 64 ? 32 : d <= 256 ? 16 : 8;
    const int64_t most = worth < room ? worth : room;
    return (int)(pieces < most ? pieces : most);
}

static void free_lane(sf_context *ctx, em_lane *l, size_t most, size_t d)
{
    for (size_t k = 0; k < most && l->split != NULL; k++)
        sfi_split_free(ctx, &l->split[k]);
    for (size_t k = 0; k < most && l->sums != NULL; k++) {
        sfi_free(ctx, l->sums[k].second, d * d, sizeof(double));
        sfi_free(ctx, l->sums[k].first, d, sizeof(double));
    }
    sfi_free(ctx, l->whole, d + d * d, sizeof *l->whole);
    sfi_free(ctx, l->moments, d + d * d, sizeof *l->moments);
    sfi_free(ctx, l->squares, CHUNK, sizeof *l->squares);
    sfi_free(ctx, l->share, most * CHUNK, sizeof *l->share);
    sfi_free(ctx, l->z, d * CHUNK, sizeof *l->z);
    sfi_free(ctx, l->sums, most, sizeof *l->sums);
    sfi_free(ctx, l->split, most, sizeof *l->split);
}

static sf_status new_lane(sf_context *ctx, em_lane *l, size_t most, size_t d)
{
    l->split = sfi_alloc_zero(ctx, most, sizeof *l->split);
    l->sums = sfi_alloc_zero(ctx, most, sizeof *l->sums);
    l->z = sfi_alloc(ctx, d * CHUNK, sizeof *l->z);
    l->share = sfi_alloc(ctx, most * CHUNK, sizeof *l->share);
    l->squares = sfi_alloc(ctx, CHUNK, sizeof *l->squares);
    l->moments = sfi_alloc(ctx, d + d * d, sizeof *l->moments);
    l->whole = sfi_alloc(ctx, d + d * d, sizeof *l->whole);
    if (l->split == NULL || l->sums == NULL || l->z == NULL ||
        l->share == NULL || l->squares == NULL || l->moments == NULL ||
        l->whole == NULL)
        return SF_E_NOMEM;
    for (size_t k = 0; k < most; k++) {
        SFI_TRY(sfi_split_new(ctx, &l->split[k], (int64_t)d));
        l->sums[k].first = sfi_alloc(ctx, d, sizeof(double));
        l->sums[k].second = sfi_alloc(ctx, d * d, sizeof(double));
        if (l->sums[k].first == NULL || l->sums[k].second == NULL)
            return SF_E_NOMEM;
    }
    return SF_OK;
}

static int64_t given_of(const sfi_em_missing *e, int64_t pattern)
{
    int64_t o = 0;
    for (int64_t j = 0; j < e->d; j++)
        o += e->patterns->present[pattern * e->d + j];
    return o;
}

static size_t kept_size(const sfi_em_missing *e, const em_piece *p)
{
    const size_t o = (size_t)given_of(e, p->pattern);
    return o + o * o;
}

void sfi_em_missing_free(sfi_em_missing *e)
{
    if (e == NULL)
        return;
    sf_context *ctx = e->ctx;
    const size_t n = (size_t)e->n, d = (size_t)e->d;
    for (int l = 0; l < e->lane_count && e->lanes != NULL; l++)
        free_lane(ctx, &e->lanes[l], (size_t)e->most, d);
    for (int64_t p = 0; p < e->piece_count && e->pieces != NULL; p++)
        sfi_free(ctx, e->pieces[p].kept, kept_size(e, &e->pieces[p]),
                 sizeof(double));
    sfi_free(ctx, e->lanes, (size_t)e->lane_count, sizeof *e->lanes);
    sfi_free(ctx, e->pieces, (size_t)e->piece_count, sizeof *e->pieces);
    sfi_free(ctx, e->columns, n * d, sizeof *e->columns);
    sfi_patterns_free(e->patterns);
    sfi_free(ctx, e, 1, sizeof *e);
}

/* ---- a piece ------------------------------------------------------------------ */

/* Weighted mean [o] and scatter [o, o] of the cells that rows of a piece have; weights
 * NULL: 1.  Returns the sum of the weights. */
static double weigh(const sfi_em_missing *e, const sfi_split *s,
                    const em_piece *p, const double *weights, double *out)
{
    const int64_t o = s->given, n = p->count;
    double *mean = out, *scatter = out + o, total = 0.0;
    for (int64_t i = 0; i < n; i++)
        total += weights != NULL ? weights[i] : 1.0;
    if (!(total > DBL_MIN))
        return 0.0;
    for (int64_t a = 0; a < o; a++) {
        const double *x = e->columns + s->index[a] * e->n + p->first;
        double sum = 0.0;
#pragma omp simd reduction(+ : sum)
        for (int64_t i = 0; i < n; i++)
            sum += (weights != NULL ? weights[i] : 1.0) * x[i];
        mean[a] = sum / total;
    }
    for (int64_t a = 0; a < o; a++) {
        const double *x = e->columns + s->index[a] * e->n + p->first;
        for (int64_t b = 0; b <= a; b++) {
            const double *y = e->columns + s->index[b] * e->n + p->first;
            const double at = mean[a], off = mean[b];
            double sum = 0.0;
#pragma omp simd reduction(+ : sum)
            for (int64_t i = 0; i < n; i++)
                sum += (weights != NULL ? weights[i] : 1.0) * (x[i] - at) *
                       (y[i] - off);
            scatter[a * o + b] = scatter[b * o + a] = sum;
        }
    }
    return total;
}

/* Mean and scatter of the expected rows, in the order of the split, from those of
 * their cells. */
static void complete(const sfi_split *s, const double *at, double total,
                     const double *moments, double *whole)
{
    const int64_t d = s->dim, o = s->given, m = d - o;
    const double *a = moments, *scatter = moments + o;
    double *mean = whole, *t = whole + d;
    for (int64_t i = 0; i < o; i++) {
        mean[i] = a[i] - at[s->index[i]];
        memcpy(t + i * d, scatter + i * o, (size_t)o * sizeof *t);
    }
    for (int64_t i = 0; i < m; i++) {
        const double *slope = s->slope + i * o;
        double sum = 0.0;
        for (int64_t j = 0; j < o; j++)
            sum += slope[j] * mean[j];
        mean[o + i] = sum;
        for (int64_t j = 0; j < o; j++) {
            double product = 0.0;
            for (int64_t p = 0; p < o; p++)
                product += slope[p] * scatter[p * o + j];
            t[(o + i) * d + j] = product;
        }
        for (int64_t k = 0; k <= i; k++) {
            double product = total * s->rest[i * m + k];
            for (int64_t p = 0; p < o; p++)
                product += t[(o + i) * d + p] * s->slope[k * o + p];
            t[(o + i) * d + o + k] = product;
        }
    }
}

/* Add the expected rows to the sums of a component: the lower triangle. */
static void add_expected(expected *to, const sfi_split *s, double total,
                         const double *whole)
{
    const int64_t d = s->dim;
    const double *mean = whole, *t = whole + d;
    to->count += total;
    for (int64_t i = 0; i < d; i++) {
        const int64_t row = s->index[i];
        to->first[row] += total * mean[i];
        for (int64_t j = 0; j <= i; j++) {
            const int64_t col = s->index[j];
            const double add = t[i * d + j] + total * mean[i] * mean[j];
            to->second[row > col ? row * d + col : col * d + row] += add;
        }
    }
}

/* ln N of all rows with these moments: with the trace of L^-1 A L'^-1. */
static double log_density(em_lane *l, const sfi_split *s, const double *at,
                          double total, const double *moments)
{
    const double log_two_pi = 1.8378770664093453;
    const int64_t o = s->given;
    double *half = l->whole, *line = l->whole + o * o, sum = 0.0;
    memcpy(half, moments + o, (size_t)(o * o) * sizeof *half);
    for (int64_t i = 0; i < o; i++) {
        line[i] = moments[i] - at[s->index[i]];
        for (int64_t p = 0; p < i; p++) {
            const double a = s->root[i * o + p];
            line[i] -= a * line[p];
            for (int64_t j = 0; j < o; j++)
                half[i * o + j] -= a * half[p * o + j];
        }
        const double scale = 1.0 / s->root[i * o + i];
        line[i] *= scale;
        for (int64_t j = 0; j < o; j++)
            half[i * o + j] *= scale;
        sum += total * line[i] * line[i];
    }
    for (int64_t i = 0; i < o; i++) {
        /* Row i of (L^-1 A) L'^-1 as far as its diagonal. */
        for (int64_t j = 0; j <= i; j++) {
            double value = half[i * o + j];
            for (int64_t p = 0; p < j; p++)
                value -= s->root[j * o + p] * line[p];
            line[j] = value / s->root[j * o + j];
        }
        sum += line[i];
    }
    return -0.5 * (total * ((double)o * log_two_pi + s->log_det) + sum);
}

/* Of one component whose rows all count 1. */
static void take_single(sfi_em_missing *e, em_lane *l, const em_piece *p)
{
    const sfi_split *s = &l->split[0];
    const double *moments = p->kept, *at = e->now->mean;
    const double total = (double)p->count;
    if (moments == NULL) {
        weigh(e, s, p, NULL, l->moments);
        moments = l->moments;
    }
    l->log_likelihood +=
        log_density(l, s, at, total, moments) + total * log(e->now->weight[0]);
    complete(s, at, total, moments, l->whole);
    add_expected(&l->sums[0], s, total, l->whole);
}

/* Log densities become shares; returns the sum of their logarithmic sums. */
static double share_out(double *share, int64_t components, int64_t count)
{
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++) {
        double most = share[i], total = 0.0;
        for (int64_t k = 1; k < components; k++)
            most = fmax(most, share[k * count + i]);
        for (int64_t k = 0; k < components; k++)
            total += exp(share[k * count + i] - most);
        const double log_total = most + log(total);
        for (int64_t k = 0; k < components; k++)
            share[k * count + i] = exp(share[k * count + i] - log_total);
        sum += log_total;
    }
    return sum;
}

static void take_several(sfi_em_missing *e, em_lane *l, const em_piece *p)
{
    const double log_two_pi = 1.8378770664093453;
    const int64_t d = e->d, components = e->now->count, n = p->count;
    for (int64_t k = 0; k < components; k++) {
        const sfi_split *s = &l->split[k];
        const double top = log(e->now->weight[k]) -
                           0.5 * ((double)s->given * log_two_pi + s->log_det);
        sfi_split_whiten(s, e->now->mean + k * d, e->columns + p->first, e->n,
                         n, l->z, l->squares);
        for (int64_t i = 0; i < n; i++)
            l->share[k * n + i] = top - 0.5 * l->squares[i];
    }
    l->log_likelihood += share_out(l->share, components, n);
    for (int64_t k = 0; k < components; k++) {
        const sfi_split *s = &l->split[k];
        const double total = weigh(e, s, p, l->share + k * n, l->moments);
        if (!(total > 0.0))
            continue;
        complete(s, e->now->mean + k * d, total, l->moments, l->whole);
        add_expected(&l->sums[k], s, total, l->whole);
    }
}

static void clear(em_lane *l, int64_t components, int64_t d)
{
    l->log_likelihood = 0.0;
    l->failed = false;
    for (int64_t k = 0; k < components; k++) {
        l->sums[k].count = 0.0;
        memset(l->sums[k].first, 0, (size_t)d * sizeof(double));
        memset(l->sums[k].second, 0, (size_t)(d * d) * sizeof(double));
    }
}

static void take_lane(void *user, int64_t part, int64_t first, int64_t count)
{
    sfi_em_missing *e = user;
    em_lane *l = &e->lanes[part];
    const int64_t d = e->d, components = e->now->count, lanes = e->lane_count;
    (void)first;
    (void)count;
    clear(l, components, d);
    int64_t pattern = -1;
    for (int64_t i = e->piece_count * part / lanes;
         i < e->piece_count * (part + 1) / lanes; i++) {
        const em_piece *p = &e->pieces[i];
        for (int64_t k = 0; k < components && p->pattern != pattern; k++)
            if (!sfi_split_set(&l->split[k], e->now->covariance + k * d * d,
                               e->patterns->present + p->pattern * d)) {
                l->failed = true;
                return;
            }
        pattern = p->pattern;
        if (e->most == 1)
            take_single(e, l, p);
        else
            take_several(e, l, p);
    }
}

/* ---- all of them ---------------------------------------------------------------- */

sf_status sfi_em_missing_expect(sfi_em_missing *e, const sfi_components *c,
                                double *log_likelihood)
{
    e->now = c;
    sfi_parallel(e->ctx, e->lane_count, 1, take_lane, e);
    *log_likelihood = 0.0;
    for (int l = 0; l < e->lane_count; l++) {
        if (e->lanes[l].failed)
            return SFI_FAIL(e->ctx, SF_E_NUMERIC,
                            "the covariance of a component is not positive "
                            "definite");
        *log_likelihood += e->lanes[l].log_likelihood;
    }
    for (int l = 1; l < e->lane_count; l++)
        for (int64_t k = 0; k < c->count; k++) {
            const expected *from = &e->lanes[l].sums[k];
            expected *to = &e->lanes[0].sums[k];
            to->count += from->count;
            for (int64_t j = 0; j < e->d; j++)
                to->first[j] += from->first[j];
            for (int64_t j = 0; j < e->d * e->d; j++)
                to->second[j] += from->second[j];
        }
    return SF_OK;
}

void sfi_em_missing_moments(const sfi_em_missing *e, int64_t k, double *count,
                            double *mean, double *covariance)
{
    const int64_t d = e->d;
    const expected *s = &e->lanes[0].sums[k];
    *count = s->count;
    if (!(s->count > DBL_MIN)) {
        memset(mean, 0, (size_t)d * sizeof *mean);
        memset(covariance, 0, (size_t)(d * d) * sizeof *covariance);
        return;
    }
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j <= i; j++)
            covariance[i * d + j] = covariance[j * d + i] =
                (s->second[i * d + j] - s->first[i] / s->count * s->first[j]) /
                s->count;
    for (int64_t i = 0; i < d; i++)
        mean[i] += s->first[i] / s->count;
}

/* ---- planning ------------------------------------------------------------------- */

/* One component takes a pattern whole, several take it in chunks. */
static int64_t piece_length(const sfi_em_missing *e, int64_t rows)
{
    return e->most == 1 || rows < CHUNK ? rows : CHUNK;
}

static sf_status cut(sfi_em_missing *e)
{
    const sfi_patterns *p = e->patterns;
    for (int64_t k = 0; k < p->count; k++) {
        const int64_t rows = p->first[k + 1] - p->first[k];
        e->piece_count += sfi_parallel_parts(rows, piece_length(e, rows));
    }
    e->pieces =
        sfi_alloc_zero(e->ctx, (size_t)e->piece_count, sizeof *e->pieces);
    if (e->pieces == NULL)
        return SF_E_NOMEM;
    em_piece *next = e->pieces;
    for (int64_t k = 0; k < p->count; k++)
        for (int64_t i = p->first[k], n; i < p->first[k + 1]; i += n) {
            n = piece_length(e, p->first[k + 1] - i);
            *next++ = (em_piece){.pattern = k, .first = i, .count = n};
        }
    return SF_OK;
}

/* What never changes of one component. */
static sf_status keep(sfi_em_missing *e)
{
    sfi_split s;
    if (e->most > 1)
        return SF_OK;
    SFI_TRY(sfi_split_new(e->ctx, &s, e->d));
    sf_status status = SF_OK;
    for (int64_t i = 0; i < e->piece_count && status == SF_OK; i++) {
        em_piece *p = &e->pieces[i];
        if (p->count < e->d)
            continue;
        p->kept = sfi_alloc(e->ctx, kept_size(e, p), sizeof *p->kept);
        if (p->kept == NULL) {
            status = SF_E_NOMEM;
            continue;
        }
        s.given = 0;
        for (int64_t j = 0; j < e->d; j++)
            if (e->patterns->present[p->pattern * e->d + j])
                s.index[s.given++] = j;
        weigh(e, &s, p, NULL, p->kept);
    }
    sfi_split_free(e->ctx, &s);
    return status;
}

static sf_status plan(sfi_em_missing *e, sf_cmat y)
{
    const size_t n = (size_t)e->n, d = (size_t)e->d;
    SFI_TRY(sfi_patterns_new(e->ctx, &e->patterns, y));
    e->columns = sfi_alloc(e->ctx, n * d, sizeof *e->columns);
    if (e->columns == NULL)
        return SF_E_NOMEM;
    for (int64_t j = 0; j < e->d; j++)
        for (int64_t i = 0; i < e->n; i++)
            e->columns[j * e->n + i] =
                y.data[e->patterns->order[i] * y.stride + j];
    SFI_TRY(cut(e));
    SFI_TRY(keep(e));
    e->lane_count = lanes_for(e->piece_count, e->n, e->d);
    e->lanes = sfi_alloc_zero(e->ctx, (size_t)e->lane_count, sizeof *e->lanes);
    if (e->lanes == NULL)
        return SF_E_NOMEM;
    for (int l = 0; l < e->lane_count; l++)
        SFI_TRY(new_lane(e->ctx, &e->lanes[l], (size_t)e->most, d));
    return SF_OK;
}

sf_status sfi_em_missing_new(sf_context *ctx, sfi_em_missing **out, sf_cmat y,
                             int64_t most)
{
    *out = NULL;
    sfi_em_missing *e = sfi_alloc_zero(ctx, 1, sizeof *e);
    if (e == NULL)
        return SF_E_NOMEM;
    e->ctx = ctx;
    e->n = y.rows;
    e->d = y.cols;
    e->most = most;
    const sf_status status = plan(e, y);
    if (status != SF_OK) {
        sfi_em_missing_free(e);
        return status;
    }
    *out = e;
    return SF_OK;
}

/* ---- rows -------------------------------------------------------------------- */

/* Mean, then the mean square about it, of the cells of a column. */
static int64_t measure(sf_cmat x, int64_t j, double *mean, double *sd)
{
    int64_t count = 0;
    double sum = 0.0, squares = 0.0;
    for (int64_t i = 0; i < x.rows; i++) {
        const double cell = x.data[i * x.stride + j];
        count += !isnan(cell);
        sum += isnan(cell) ? 0.0 : cell;
    }
    *mean = sum / (double)count;
    for (int64_t i = 0; i < x.rows; i++) {
        const double cell = x.data[i * x.stride + j];
        squares += isnan(cell) ? 0.0 : (cell - *mean) * (cell - *mean);
    }
    *sd = sqrt(squares / (double)count);
    return count;
}

sf_status sfi_standardise_cells(sf_context *ctx, sf_cmat x,
                                const char *const *names, const char *who,
                                double *y, int64_t *rows, double *mean,
                                double *sd)
{
    for (int64_t i = 0; i < x.rows; i++)
        for (int64_t j = 0; j < x.cols; j++)
            if (isinf(x.data[i * x.stride + j]))
                return SFI_FAIL(ctx, SF_E_NUMERIC,
                                "%s: row %lld, column \"%s\": the value is not "
                                "finite",
                                who, (long long)(i + 1),
                                names != NULL ? names[j] : "?");
    for (int64_t j = 0; j < x.cols; j++) {
        const int64_t count = measure(x, j, &mean[j], &sd[j]);
        if (count < 2)
            return SFI_FAIL(ctx, SF_E_NUMERIC,
                            "%s: column \"%s\" has %s; want two cells that "
                            "differ, or leave it out",
                            who, names != NULL ? names[j] : "?",
                            count == 0 ? "no cell" : "one cell");
        if (!(sd[j] > 0.0) || !isfinite(sd[j]))
            return SFI_FAIL(ctx, SF_E_NUMERIC,
                            "%s: column \"%s\" is constant in the %lld rows "
                            "that have it, or too large; leave it out",
                            who, names != NULL ? names[j] : "?",
                            (long long)count);
    }
    *rows = 0;
    for (int64_t i = 0; i < x.rows; i++) {
        double *to = y + *rows * x.cols;
        bool any = false;
        for (int64_t j = 0; j < x.cols; j++) {
            to[j] = (x.data[i * x.stride + j] - mean[j]) / sd[j];
            any = any || !isnan(to[j]);
        }
        *rows += any;
    }
    return SF_OK;
}
