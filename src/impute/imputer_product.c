/* SPDX-License-Identifier: Apache-2.0 */
/* imputer_product.c - missing cells by a data set under kernels of one column each
 * (model/product.h): the rows' posterior weights given the cells that are there, and for
 * each column that is missing the mixture of its cells. */
#include "impute/imputer.h"

#include "base/parallel.h"
#include "base/random.h"
#include "model/model.h"

#include <math.h>

enum { LANES = 16 };

const double sf_impute_probabilities[SF_IMPUTE_QUANTILES] = {
    0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95};

typedef struct product_job {
    const sf_imputer *m;
    const sf_impute_options *o;
    sf_cmat x;
    sf_mat out;             /* or                                        */
    sf_imputed_cell *cells; /* for all missing cells                     */
    double *levels;         /* and the probabilities of their levels     */
    const int64_t *first, *first_level; /* [n] where a row's begin       */
    double *work; /* [LANES, room_of()]                        */
} product_job;

/* Weights of rows and of a column, bounds, and probabilities of levels. */
static size_t room_of(const sfi_product_law *p)
{
    int64_t levels = 0;
    for (int64_t j = 0; j < p->dim; j++) {
        const int64_t count = sfi_noise_block(&p->noise, j)->levels;
        levels = count > levels ? count : levels;
    }
    return (size_t)(2 * p->rows + 2 * p->dim + levels);
}

typedef struct product_scratch {
    double *r, *weight, *lower, *upper, *pmf;
    sfi_product_query q;
} product_scratch;

static product_scratch scratch_of(const product_job *job, int64_t lane)
{
    const sfi_product_law *p = job->m->product;
    product_scratch s;
    s.r = job->work + (size_t)lane * room_of(p);
    s.weight = s.r + p->rows;
    s.lower = s.weight + p->rows;
    s.upper = s.lower + p->dim;
    s.pmf = s.upper + p->dim;
    s.q = (sfi_product_query){s.lower, s.upper, NULL};
    return s;
}

/* The most likely level, the first among equals. */
static double mode_of(const sfi_product_law *p, int64_t j,
                      const product_scratch *s)
{
    const int64_t levels = sfi_noise_block(&p->noise, j)->levels;
    int64_t best = 0;
    sfi_product_pmf(p, j, &s->q, s->weight, s->pmf);
    for (int64_t k = 1; k < levels; k++)
        if (s->pmf[k] > s->pmf[best])
            best = k;
    return (double)best;
}

static int64_t choose(const double *weight, int64_t n, double u)
{
    double total = 0.0;
    int64_t last = 0;
    for (int64_t i = 0; i < n; i++)
        total += weight[i];
    for (int64_t i = 0; i < n; i++) {
        if (!(weight[i] > 0.0))
            continue;
        last = i;
        u -= weight[i] / total;
        if (u < 0.0)
            break;
    }
    return last;
}

/* A joint draw: one row for all cells, and, of columns that it lacks, another for each. */
static double draw_cell(const product_job *job, const product_scratch *s,
                        int64_t row, int64_t from, int64_t j)
{
    const sfi_product_law *p = job->m->product;
    const sfi_where w = {job->o->seed, (uint64_t)row, job->o->draw,
                         SFI_STREAM_GIVEN};
    const uint32_t at = 1 + 2 * (uint32_t)j;
    if (!sfi_product_has(p, from, j)) {
        /* The column's own law: what rows that lack it weigh is all of it. */
        double total = 0.0, u = sfi_uniform_at(w, at);
        for (int64_t i = 0; i < p->rows; i++)
            total += sfi_product_has(p, i, j) ? p->weight[i] : 0.0;
        for (int64_t i = 0; i < p->rows && u >= 0.0; i++)
            if (sfi_product_has(p, i, j)) {
                from = i;
                u -= p->weight[i] / total;
            }
    }
    return sfi_product_draw(p, j, &s->q, from, sfi_uniform_at(w, at + 1));
}

static double value_of(const product_job *job, const product_scratch *s,
                       int64_t row, int64_t from, int64_t j)
{
    const sfi_product_law *p = job->m->product;
    const sf_impute_options *o = job->o;
    const bool levels = sfi_noise_block(&p->noise, j)->levels > 0;
    const bool draws = o->with == SF_IMPUTE_DRAW;
    double mean, variance, drawn = NAN;
    if (draws)
        drawn = draw_cell(job, s, row, from, j);
    if (draws &&
        (levels || o->contract == 0.0)) /* levels have no way between */
        return drawn;
    sfi_product_column(p, j, &s->q, -1, s->r, s->weight);
    if (levels)
        return mode_of(p, j, s);
    if (o->with == SF_IMPUTE_MEAN) {
        sfi_product_moments(p, j, &s->q, s->weight, &mean, &variance);
        return mean;
    }
    const double middle = sfi_product_quantile(p, j, &s->q, s->weight, 0.5);
    return draws ? middle + (1.0 - o->contract) * (drawn - middle) : middle;
}

static void spread_cell(const product_job *job, const product_scratch *s,
                        int64_t j, sf_imputed_cell *cell)
{
    const sfi_product_law *p = job->m->product;
    const bool levels = sfi_noise_block(&p->noise, j)->levels > 0;
    double mean, variance;
    sfi_product_column(p, j, &s->q, -1, s->r, s->weight);
    sfi_product_moments(p, j, &s->q, s->weight, &mean, &variance);
    cell->column = j;
    cell->mean = p->mean[j] + p->scale[j] * mean;
    cell->sd = p->scale[j] * sqrt(variance);
    for (int k = 0; k < SF_IMPUTE_QUANTILES; k++)
        cell->quantile[k] =
            levels ? NAN
                   : sfi_product_value(
                         p, j,
                         sfi_product_quantile(p, j, &s->q, s->weight,
                                              sf_impute_probabilities[k]));
}

/* To the decimals of the column, but not out of where its kernel has mass. */
static double settle(const product_job *job, int64_t j, double x)
{
    const sfi_product_law *p = job->m->product;
    const sfi_block *b = sfi_noise_block(&p->noise, j);
    const int decimals = job->m->column[j].decimals;
    if (job->o->with == SF_IMPUTE_MEAN || decimals < 0 || b->levels > 0)
        return x;
    const sfi_cell_family family = sfi_cell_family_of(b);
    sf_support bounds = {-INFINITY, INFINITY, 0.0};
    if (family == SFI_CELL_LOGNORMAL || family == SFI_CELL_BETA)
        bounds.lower = p->mean[j];
    if (family == SFI_CELL_BETA)
        bounds.upper = p->mean[j] + p->scale[j];
    return sfi_on_grid(x, decimals, bounds);
}

static void take_row(const product_job *job, const product_scratch *s,
                     int64_t i)
{
    const sfi_product_law *p = job->m->product;
    const double *x = job->x.data + i * job->x.stride;
    double values, bounds;
    int64_t missing = 0;
    for (int64_t j = 0; j < p->dim; j++) {
        const double z = (x[j] - p->mean[j]) / p->scale[j];
        s->lower[j] = isnan(z) ? -INFINITY : z;
        s->upper[j] = isnan(z) ? INFINITY : z;
        missing += isnan(z);
    }
    if (missing == 0)
        return;
    sfi_product_weigh(p, &s->q, -1, s->r, s->weight, &values, &bounds);
    if (!isfinite(values + bounds)) /* nothing is known: as without any cell */
        for (int64_t k = 0; k < p->rows; k++)
            s->r[k] = p->weight[k];
    const sfi_where w = {job->o->seed, (uint64_t)i, job->o->draw,
                         SFI_STREAM_GIVEN};
    const int64_t from = choose(s->r, p->rows, sfi_uniform_at(w, 0));
    int64_t at = job->cells != NULL ? job->first_level[i] : 0;
    missing = 0;
    for (int64_t j = 0; j < p->dim; j++) {
        if (!isnan(x[j]))
            continue;
        const int64_t levels = job->m->column[j].levels;
        if (job->cells != NULL) {
            sf_imputed_cell *cell = &job->cells[job->first[i] + missing++];
            spread_cell(job, s, j, cell);
            cell->row = i;
            cell->first_level = levels > 0 ? at : -1;
            if (levels > 0)
                sfi_product_pmf(p, j, &s->q, s->weight, job->levels + at);
            at += levels;
        } else {
            job->out.data[i * job->out.stride + j] = settle(
                job, j, sfi_product_value(p, j, value_of(job, s, i, from, j)));
        }
    }
}

static void take_lane(void *user, int64_t part, int64_t first, int64_t count)
{
    const product_job *job = user;
    (void)part;
    for (int64_t lane = first; lane < first + count; lane++) {
        const product_scratch s = scratch_of(job, lane);
        for (int64_t i = lane; i < job->x.rows; i += LANES)
            take_row(job, &s, i);
    }
}

sf_status sfi_impute_product(sf_context *ctx, sf_mat out, const sf_imputer *m,
                             sf_cmat x, const sf_impute_options *o,
                             sf_imputed_cell *cells, double *levels,
                             const int64_t *first, const int64_t *first_level)
{
    product_job job = {.m = m,
                       .o = o,
                       .x = x,
                       .out = out,
                       .cells = cells,
                       .levels = levels,
                       .first = first,
                       .first_level = first_level};
    const size_t room = LANES * room_of(m->product);
    job.work = sfi_alloc(ctx, room, sizeof *job.work);
    if (job.work == NULL)
        return SF_E_NOMEM;
    sfi_parallel(ctx, LANES, 1, take_lane, &job);
    sfi_free(ctx, job.work, room, sizeof *job.work);
    return SF_OK;
}
