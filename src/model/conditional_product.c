/* SPDX-License-Identifier: Apache-2.0 */
/* conditional_product.c - conditional distributions under kernels of one column each.
 *
 * With posterior weights r_i, and mu_ij and v_ij the moments of column j's cell in row
 * i within its bounds (of the column's own law where the row lacks it),
 *
 *     E x_j = sum_i r_i mu_ij,    Cov(x_j, x_k) = sum_i r_i mu_ij mu_ik - E x_j E x_k,
 *
 * and Var x_j has v_ij besides. */
#include "model/conditional_product.h"

#include "base/parallel.h"
#include "base/random.h"
#include "model/model.h"

#include <stdio.h>
#include <string.h>

enum { CHUNK = 64 /* rows that are drawn */ };

/* ---- making -------------------------------------------------------------------- */

void sfi_product_given_free(sfi_product_given *g)
{
    if (g == NULL || g->p == NULL)
        return;
    sfi_product_law *p = g->p;
    sf_context *ctx = p->ctx;
    const size_t n = (size_t)p->rows, d = (size_t)p->dim;
    sfi_free(ctx, g->own, n * d, sizeof *g->own);
    sfi_free(ctx, g->upto, n, sizeof *g->upto);
    sfi_free(ctx, g->weight, n, sizeof *g->weight);
    sfi_free(ctx, g->levels, (size_t)g->level_count, 1);
    sfi_free(ctx, g->set, d, sizeof *g->set);
    sfi_free(ctx, g->upper, d, sizeof *g->upper);
    sfi_free(ctx, g->lower, d, sizeof *g->lower);
    sfi_free(ctx, g->value, d, sizeof *g->value);
    sfi_free(ctx, g, 1, sizeof *g);
    sfi_product_free(p);
}

static sf_status allocate(sfi_product_given *g,
                          const unsigned char *const *levels)
{
    const sfi_product_law *p = g->p;
    sf_context *ctx = p->ctx;
    const size_t n = (size_t)p->rows, d = (size_t)p->dim;
    for (int64_t j = 0; j < p->dim && levels != NULL; j++)
        if (levels[j] != NULL)
            g->level_count += sfi_noise_block(&p->noise, j)->levels;
    g->value = sfi_alloc(ctx, d, sizeof *g->value);
    g->lower = sfi_alloc(ctx, d, sizeof *g->lower);
    g->upper = sfi_alloc(ctx, d, sizeof *g->upper);
    g->set = sfi_alloc_zero(ctx, d, sizeof *g->set);
    g->levels = sfi_alloc(ctx, (size_t)g->level_count, 1);
    g->weight = sfi_alloc(ctx, n, sizeof *g->weight);
    g->upto = sfi_alloc(ctx, n, sizeof *g->upto);
    g->own = sfi_alloc_zero(ctx, n * d, sizeof *g->own);
    return g->value != NULL && g->lower != NULL && g->upper != NULL &&
                   g->set != NULL && g->levels != NULL && g->weight != NULL &&
                   g->upto != NULL && g->own != NULL
               ? SF_OK
               : SF_E_NOMEM;
}

static sfi_product_query query_of(const sfi_product_given *g)
{
    return (sfi_product_query){g->lower, g->upper, g->set};
}

static void take_bounds(sfi_product_given *g, const double *lower,
                        const double *upper, const unsigned char *const *levels)
{
    const sfi_product_law *p = g->p;
    unsigned char *at = g->levels;
    for (int64_t j = 0; j < p->dim; j++) {
        g->value[j] = lower[j];
        g->lower[j] = (lower[j] - p->mean[j]) / p->scale[j];
        g->upper[j] = (upper[j] - p->mean[j]) / p->scale[j];
        if (levels == NULL || levels[j] == NULL)
            continue;
        const size_t count = (size_t)sfi_noise_block(&p->noise, j)->levels;
        g->set[j] = memcpy(at, levels[j], count);
        at += count;
    }
}

/* Cumulated weights of the rows, and of the columns that some of them lack. */
static void cumulate(sfi_product_given *g)
{
    const sfi_product_law *p = g->p;
    const sfi_product_query q = query_of(g);
    const int64_t n = p->rows;
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        g->upto[i] = sum += g->weight[i];
    for (int64_t j = 0; j < p->dim; j++) {
        double most = -INFINITY, total = 0.0;
        for (int64_t i = 0; i < n; i++)
            if (sfi_product_has(p, i, j))
                most = fmax(most, sfi_product_factor(p, i, j, &q));
        for (int64_t i = 0; i < n; i++) {
            if (sfi_product_has(p, i, j))
                total +=
                    p->weight[i] * exp(sfi_product_factor(p, i, j, &q) - most);
            g->own[j * n + i] = total;
        }
    }
}

/* What is known of column j, as text, in `to`. */
static void describe(const sfi_product_given *g, const sf_model *m, int64_t j,
                     char to[160])
{
    const double low = m->mean[j] + m->scale[j] * g->lower[j];
    const double high = m->mean[j] + m->scale[j] * g->upper[j];
    to[0] = '\0';
    if (g->set[j] == NULL && low == high) {
        snprintf(to, 160, "\"%.60s\" at %.6g", m->names[j], low);
    } else if (g->set[j] == NULL && (low > -INFINITY || high < INFINITY)) {
        snprintf(to, 160, "\"%.60s\" between %.6g and %.6g", m->names[j], low,
                 high);
    } else if (g->set[j] != NULL) {
        int used = snprintf(to, 160, "\"%.60s\" in", m->names[j]);
        for (int64_t k = 0; k < sf_model_categories(m, j) && used < 110; k++) {
            const char *level = sf_model_level(m, j, k);
            if (g->set[j][k] != 0)
                used += snprintf(to + used, 160 - (size_t)used, " %.40s",
                                 level != NULL ? level : "a level");
        }
    }
}

static sf_status say_impossible(const sfi_product_given *g, const sf_model *m)
{
    char names[600] = "", one[160];
    size_t used = 0;
    const double log_p =
        g->log_density > -INFINITY ? g->log_probability : g->log_density;
    for (int64_t j = 0; j < m->dim && used < sizeof names - 170; j++) {
        describe(g, m, j, one);
        if (one[0] != '\0')
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s",
                                     used > 0 ? ", " : "", one);
    }
    return SFI_FAIL(m->ctx, SF_E_NUMERIC,
                    "the condition is impossible under the model: %s has the "
                    "log probability %.3g, want at least %g",
                    names, log_p, SF_LEAST_LOG_PROBABILITY);
}

sf_status sfi_product_given_new(const sf_model *m, sfi_product_given **out,
                                const double *lower, const double *upper,
                                const unsigned char *const *levels)
{
    sfi_product_law *p = NULL;
    *out = NULL;
    SFI_TRY(sfi_product_new(m, &p));
    sfi_product_given *g = sfi_alloc_zero(m->ctx, 1, sizeof *g);
    if (g == NULL) {
        sfi_product_free(p);
        return SF_E_NOMEM;
    }
    g->p = p;
    sf_status status = allocate(g, levels);
    if (status == SF_OK) {
        take_bounds(g, lower, upper, levels);
        const sfi_product_query q = query_of(g);
        sfi_product_weigh(p, &q, -1, g->weight, g->upto, &g->log_density,
                          &g->log_probability);
        cumulate(g);
        if (!(g->log_density > -INFINITY) ||
            !(g->log_probability >= SF_LEAST_LOG_PROBABILITY))
            status = say_impossible(g, m);
    }
    if (status != SF_OK) {
        sfi_product_given_free(g);
        return status;
    }
    *out = g;
    return SF_OK;
}

/* ---- asking ------------------------------------------------------------------- */

/* Moments [rows] of a column within its bounds, in the data's units: of each row's own
 * cell, or where it lacks it of the column's own law.  `mixed` [rows] is scratch. */
static void column_moments(const sfi_product_given *g, int64_t j, double *mixed,
                           double *mean, double *variance)
{
    const sfi_product_law *p = g->p;
    const sfi_product_query q = query_of(g);
    const bool known = sfi_product_is_value(p, j, &q);
    const double *own = g->own + j * p->rows;
    double own_mean = NAN, own_variance = NAN;
    bool lacks = false;
    for (int64_t i = 0; i < p->rows; i++) {
        mixed[i] = own[i] - (i > 0 ? own[i - 1] : 0.0);
        lacks = lacks || !sfi_product_has(p, i, j);
    }
    if (lacks && !known)
        sfi_product_moments(p, j, &q, mixed, &own_mean, &own_variance);
    for (int64_t i = 0; i < p->rows; i++) {
        double m = own_mean, v = own_variance;
        if (sfi_product_has(p, i, j) && !known && g->weight[i] > 0.0)
            sfi_cell_moments(sfi_product_cell(p, i, j), q.lower[j], q.upper[j],
                             &m, &v);
        mean[i] = known ? g->value[j] : p->mean[j] + p->scale[j] * m;
        variance[i] = known ? 0.0 : p->scale[j] * p->scale[j] * v;
    }
}

sf_status sfi_product_given_component(const sfi_product_given *g, int64_t k,
                                      double *weight, double *mean,
                                      double *covariance)
{
    const sfi_product_law *p = g->p;
    const size_t d = (size_t)p->dim, n = (size_t)p->rows;
    double *work = sfi_alloc(p->ctx, 3 * n, sizeof *work);
    if (work == NULL)
        return SF_E_NOMEM;
    if (weight != NULL)
        *weight = g->weight[k];
    if (covariance != NULL)
        memset(covariance, 0, d * d * sizeof *covariance);
    for (size_t j = 0; j < d; j++) {
        column_moments(g, (int64_t)j, work, work + n, work + 2 * n);
        if (mean != NULL)
            mean[j] = work[n + (size_t)k];
        if (covariance != NULL)
            covariance[j * d + j] = work[2 * n + (size_t)k];
    }
    sfi_free(p->ctx, work, 3 * n, sizeof *work);
    return SF_OK;
}

/* Of means mu [dim, rows]; variances of cells are on the diagonal already. */
static void add_between(const sfi_product_given *g, const double *mu,
                        const double *mean, double *covariance)
{
    const int64_t n = g->p->rows, d = g->p->dim;
    for (int64_t j = 0; j < d; j++)
        for (int64_t k = 0; k <= j; k++) {
            double sum = 0.0;
            for (int64_t i = 0; i < n; i++)
                if (g->weight[i] > 0.0)
                    sum += g->weight[i] * (mu[j * n + i] - mean[j]) *
                           (mu[k * n + i] - mean[k]);
            covariance[j * d + k] += sum;
            covariance[k * d + j] = covariance[j * d + k];
        }
}

sf_status sfi_product_given_moments(const sfi_product_given *g, double *mean,
                                    double *covariance)
{
    const sfi_product_law *p = g->p;
    const size_t n = (size_t)p->rows, d = (size_t)p->dim;
    const size_t room = n * (d + 2) + 2 * d;
    double *mu = sfi_alloc(p->ctx, room, sizeof *mu);
    if (mu == NULL)
        return SF_E_NOMEM;
    double *mixed = mu + n * d, *variance = mixed + n;
    double *middle = variance + n, *within = middle + d;
    for (size_t j = 0; j < d; j++) {
        column_moments(g, (int64_t)j, mixed, mu + j * n, variance);
        middle[j] = within[j] = 0.0;
        for (size_t i = 0; i < n; i++)
            if (g->weight[i] > 0.0) {
                middle[j] += g->weight[i] * mu[j * n + i];
                within[j] += g->weight[i] * variance[i];
            }
    }
    if (mean != NULL)
        memcpy(mean, middle, d * sizeof *mean);
    if (covariance != NULL) {
        memset(covariance, 0, d * d * sizeof *covariance);
        for (size_t j = 0; j < d; j++)
            covariance[j * d + j] = within[j];
        add_between(g, mu, middle, covariance);
    }
    sfi_free(p->ctx, mu, room, sizeof *mu);
    return SF_OK;
}

sf_status sfi_product_given_quantiles(const sfi_product_given *g, int64_t j,
                                      int64_t count, const double *probability,
                                      double *x)
{
    const sfi_product_law *p = g->p;
    const sfi_product_query q = query_of(g);
    double *mixed = sfi_alloc(p->ctx, (size_t)p->rows, sizeof *mixed);
    if (mixed == NULL)
        return SF_E_NOMEM;
    sfi_product_column(p, j, &q, -1, g->weight, mixed);
    for (int64_t i = 0; i < count; i++)
        x[i] = sfi_product_is_value(p, j, &q)
                   ? g->value[j]
                   : sfi_product_value(
                         p, j,
                         sfi_product_quantile(p, j, &q, mixed, probability[i]));
    sfi_free(p->ctx, mixed, (size_t)p->rows, sizeof *mixed);
    return SF_OK;
}

sf_status sfi_product_given_pmf(const sfi_product_given *g, int64_t j,
                                double *pmf)
{
    const sfi_product_law *p = g->p;
    const sfi_product_query q = query_of(g);
    double *mixed = sfi_alloc(p->ctx, (size_t)p->rows, sizeof *mixed);
    if (mixed == NULL)
        return SF_E_NOMEM;
    sfi_product_column(p, j, &q, -1, g->weight, mixed);
    sfi_product_pmf(p, j, &q, mixed, pmf);
    sfi_free(p->ctx, mixed, (size_t)p->rows, sizeof *mixed);
    return SF_OK;
}

/* ---- draws -------------------------------------------------------------------- */

/* The entry whose share of [0, 1) holds u. */
static int64_t choose(const double *upto, int64_t n, double u)
{
    int64_t low = 0, high = n - 1;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (upto[middle] > u * upto[n - 1])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

typedef struct given_draws {
    const sfi_product_given *g;
    uint64_t seed;
    int64_t first;
    sf_mat x;
} given_draws;

static void draw_rows(void *user, int64_t part, int64_t first, int64_t count)
{
    const given_draws *job = user;
    const sfi_product_given *g = job->g;
    const sfi_product_law *p = g->p;
    const sfi_product_query q = query_of(g);
    (void)part;
    for (int64_t i = first; i < first + count; i++) {
        const sfi_where w = {job->seed, (uint64_t)(job->first + i), 0,
                             SFI_STREAM_GIVEN};
        const int64_t row = choose(g->upto, p->rows, sfi_uniform_at(w, 0));
        double *x = job->x.data + i * job->x.stride;
        for (int64_t j = 0; j < p->dim; j++) {
            const uint32_t at = 1 + 2 * (uint32_t)j;
            const int64_t from = sfi_product_has(p, row, j)
                                     ? row
                                     : choose(g->own + j * p->rows, p->rows,
                                              sfi_uniform_at(w, at));
            x[j] = sfi_product_is_value(p, j, &q)
                       ? g->value[j]
                       : sfi_product_value(
                             p, j,
                             sfi_product_draw(p, j, &q, from,
                                              sfi_uniform_at(w, at + 1)));
        }
    }
}

void sfi_product_given_draw(const sfi_product_given *g, uint64_t seed,
                            int64_t first, sf_mat x)
{
    given_draws job = {g, seed, first, x};
    sfi_parallel(g->p->ctx, x.rows, CHUNK, draw_rows, &job);
}
