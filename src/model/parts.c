/* SPDX-License-Identifier: Apache-2.0 */
/* parts.c - weights and means given some columns.
 *
 * What does not depend on the values is taken when the columns are known: the whitened
 * means L^-1 mean_o, from which the distance of a point is one difference, and
 * mean_m - B mean_o, to which a point adds B x_o, the same for all of a group.  Both are
 * about the first component's mean, so that a large offset costs no digits. */
#include "model/parts.h"

#include "base/parallel.h"

#include <math.h>
#include <string.h>

/* ---- memory ------------------------------------------------------------------ */

sf_status sfi_parts_new(sf_context *ctx, sfi_parts *p, int64_t dim,
                        int64_t count, int64_t groups)
{
    const size_t d = (size_t)dim, n = (size_t)count, g = (size_t)groups;
    *p = (sfi_parts){.dim = dim, .count = count, .groups = groups};
    p->log_weight = sfi_alloc(ctx, n, sizeof *p->log_weight);
    p->mean = sfi_alloc(ctx, n * d, sizeof *p->mean);
    p->first = sfi_alloc(ctx, g + 1, sizeof *p->first);
    p->covariance = sfi_alloc(ctx, g * d * d, sizeof *p->covariance);
    if (p->log_weight != NULL && p->mean != NULL && p->first != NULL &&
        p->covariance != NULL)
        return SF_OK;
    sfi_parts_free(ctx, p);
    return SF_E_NOMEM;
}

void sfi_parts_free(sf_context *ctx, sfi_parts *p)
{
    const size_t d = (size_t)p->dim, n = (size_t)p->count;
    const size_t g = (size_t)p->groups;
    sfi_free(ctx, p->covariance, g * d * d, sizeof *p->covariance);
    sfi_free(ctx, p->first, g + 1, sizeof *p->first);
    sfi_free(ctx, p->mean, n * d, sizeof *p->mean);
    sfi_free(ctx, p->log_weight, n, sizeof *p->log_weight);
    *p = (sfi_parts){0};
}

int64_t sfi_parts_group(const sfi_parts *p, int64_t k)
{
    int64_t low = 0, high = p->groups;
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        if (p->first[middle] <= k)
            low = middle;
        else
            high = middle;
    }
    return low;
}

void sfi_given_free(sf_context *ctx, sfi_given *g)
{
    if (g->parts == NULL)
        return;
    const size_t d = (size_t)g->parts->dim, n = (size_t)g->parts->count;
    const size_t groups = (size_t)g->parts->groups;
    for (size_t i = 0; i < groups && g->split != NULL; i++)
        sfi_split_free(ctx, &g->split[i]);
    sfi_free(ctx, g->still, n * d, sizeof *g->still);
    sfi_free(ctx, g->white, n * d, sizeof *g->white);
    sfi_free(ctx, g->split, groups, sizeof *g->split);
    *g = (sfi_given){0};
}

static sf_status allocate(sf_context *ctx, sfi_given *g)
{
    const size_t d = (size_t)g->parts->dim, n = (size_t)g->parts->count;
    const size_t groups = (size_t)g->parts->groups;
    g->split = sfi_alloc_zero(ctx, groups, sizeof *g->split);
    g->white = sfi_alloc(ctx, n * d, sizeof *g->white);
    g->still = sfi_alloc(ctx, n * d, sizeof *g->still);
    if (g->split == NULL || g->white == NULL || g->still == NULL)
        return SF_E_NOMEM;
    for (size_t i = 0; i < groups; i++)
        SFI_TRY(sfi_split_new(ctx, &g->split[i], (int64_t)d));
    return SF_OK;
}

sf_status sfi_given_new(sf_context *ctx, sfi_given *g, const sfi_parts *parts)
{
    *g = (sfi_given){.parts = parts};
    const sf_status status = allocate(ctx, g);
    if (status != SF_OK)
        sfi_given_free(ctx, g);
    return status;
}

void sfi_point_free(sf_context *ctx, sfi_point *p, const sfi_parts *parts)
{
    const size_t d = (size_t)parts->dim, n = (size_t)parts->count;
    sfi_free(ctx, p->line, d, sizeof *p->line);
    sfi_free(ctx, p->z, d, sizeof *p->z);
    sfi_free(ctx, p->mean, n * d, sizeof *p->mean);
    sfi_free(ctx, p->weight, n, sizeof *p->weight);
    *p = (sfi_point){0};
}

sf_status sfi_point_new(sf_context *ctx, sfi_point *p, const sfi_parts *parts)
{
    const size_t d = (size_t)parts->dim, n = (size_t)parts->count;
    p->weight = sfi_alloc(ctx, n, sizeof *p->weight);
    p->mean = sfi_alloc(ctx, n * d, sizeof *p->mean);
    p->z = sfi_alloc(ctx, d, sizeof *p->z);
    p->line = sfi_alloc(ctx, d, sizeof *p->line);
    if (p->weight != NULL && p->mean != NULL && p->z != NULL && p->line != NULL)
        return SF_OK;
    sfi_point_free(ctx, p, parts);
    return SF_E_NOMEM;
}

/* ---- columns ------------------------------------------------------------------ */

/* z [o] = L^-1 x_o of a point, and what B adds to the others. */
static void whiten(const sfi_split *s, const double *origin, const double *x,
                   double *z)
{
    double square;
    sfi_split_whiten(s, origin, x, 1, 1, z, &square);
}

static void add_slope(const sfi_split *s, double sign, const double *origin,
                      const double *x, double *others)
{
    const int64_t o = s->given, m = s->dim - o;
    for (int64_t i = 0; i < m; i++) {
        double sum = 0.0;
        for (int64_t j = 0; j < o; j++)
            sum += s->slope[i * o + j] * (x[s->index[j]] - origin[s->index[j]]);
        others[i] += sign * sum;
    }
}

typedef struct split_job {
    sfi_given *g;
    const unsigned char *present;
} split_job;

/* `given` -1 marks a group whose covariance is singular. */
static void split_group(void *user, int64_t part, int64_t group, int64_t count)
{
    const split_job *job = user;
    const sfi_given *g = job->g;
    const sfi_parts *p = g->parts;
    const int64_t d = p->dim;
    sfi_split *s = &g->split[group];
    (void)part;
    (void)count;
    if (!sfi_split_set(s, p->covariance + group * d * d, job->present)) {
        s->given = -1;
        return;
    }
    const int64_t o = s->given, m = d - o;
    for (int64_t k = p->first[group]; k < p->first[group + 1]; k++) {
        const double *mean = p->mean + k * d;
        double *still = g->still + k * m;
        whiten(s, p->mean, mean, g->white + k * o);
        for (int64_t j = 0; j < m; j++)
            still[j] = mean[s->index[o + j]];
        add_slope(s, -1.0, p->mean, mean, still);
    }
}

sf_status sfi_given_columns(sf_context *ctx, sfi_given *g,
                            const unsigned char *present)
{
    const sfi_parts *p = g->parts;
    split_job job = {g, present};
    sfi_parallel(ctx, p->groups, 1, split_group, &job);
    for (int64_t i = 0; i < p->groups; i++)
        if (g->split[i].given < 0)
            return SFI_FAIL(ctx, SF_E_NUMERIC,
                            "conditional: the covariance of a component is "
                            "singular in the columns that are given");
    g->given = g->split[0].given;
    g->others = p->dim - g->given;
    g->index = g->split[0].index + g->given;
    return SF_OK;
}

/* ---- values ------------------------------------------------------------------- */

static void normalise(int64_t n, sfi_point *p)
{
    double most = -INFINITY, total = 0.0;
    for (int64_t k = 0; k < n; k++)
        most = fmax(most, p->weight[k]);
    for (int64_t k = 0; k < n; k++) {
        p->weight[k] = exp(p->weight[k] - most);
        total += p->weight[k];
    }
    for (int64_t k = 0; k < n; k++)
        p->weight[k] /= total;
    p->log_density = most + log(total);
}

/* ln of the weights before they are scaled. */
static void weigh(const sfi_given *g, const double *x, sfi_point *point)
{
    const double log_two_pi = 1.8378770664093453;
    const sfi_parts *p = g->parts;
    const int64_t o = g->given;
    for (int64_t i = 0; i < p->groups; i++) {
        const sfi_split *s = &g->split[i];
        const double top = -0.5 * ((double)o * log_two_pi + s->log_det);
        whiten(s, p->mean, x, point->z);
        for (int64_t k = p->first[i]; k < p->first[i + 1]; k++) {
            const double *white = g->white + k * o;
            double square = 0.0;
#pragma omp simd reduction(+ : square)
            for (int64_t j = 0; j < o; j++)
                square += (point->z[j] - white[j]) * (point->z[j] - white[j]);
            point->weight[k] = p->log_weight[k] + top - 0.5 * square;
        }
    }
}

/* Weights and means, of logarithms of weights. */
static void take_means(const sfi_given *g, const double *x, sfi_point *point)
{
    const sfi_parts *p = g->parts;
    const int64_t m = g->others;
    normalise(p->count, point);
    for (int64_t i = 0; i < p->groups; i++) {
        memset(point->line, 0, (size_t)m * sizeof *point->line);
        add_slope(&g->split[i], 1.0, p->mean, x, point->line);
        for (int64_t k = p->first[i]; k < p->first[i + 1]; k++)
            for (int64_t j = 0; j < m; j++)
                point->mean[k * m + j] = g->still[k * m + j] + point->line[j];
    }
}

void sfi_given_at(const sfi_given *g, const double *x, sfi_point *point)
{
    weigh(g, x, point);
    take_means(g, x, point);
}

void sfi_given_weighed(const sfi_given *g, const double *x,
                       const double *log_factor, sfi_point *point)
{
    weigh(g, x, point);
    for (int64_t k = 0; k < g->parts->count; k++)
        point->weight[k] += log_factor[k];
    take_means(g, x, point);
}

const double *sfi_given_covariance(const sfi_given *g, int64_t k)
{
    return g->split[sfi_parts_group(g->parts, k)].rest;
}
