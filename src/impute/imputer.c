/* SPDX-License-Identifier: Apache-2.0 */
/* imputer.c - missing cells from their distribution given the others.
 *
 * Rows are sorted by their patterns of missing cells; each pattern splits the components
 * once, and its rows are dealt to lanes, which have the scratch of one row. */
#include "impute/imputer.h"

#include "base/parallel.h"
#include "base/random.h"
#include "model/model.h"
#include "num/linalg.h"
#include "num/normal_sum.h"
#include "num/patterns.h"
#include "num/probability.h"

#include <math.h>
#include <string.h>

enum { MOST_LANES = 16 };

/* Components of less weight than this are not seen in an answer; of many, all that are
 * left out together move a quantile by less than a millionth of its spread. */
static double least_weight(int64_t count)
{
    return count > 1000 ? 1e-7 / (double)count : 1e-13;
}

/* ---- memory ------------------------------------------------------------------ */

void sf_imputer_free(sf_imputer *m)
{
    if (m == NULL)
        return;
    sf_context *ctx = m->ctx;
    const size_t d = (size_t)m->dim;
    sfi_free(ctx, m->own, (size_t)m->rows, sizeof *m->own);
    sfi_free(ctx, m->sd, d, sizeof *m->sd);
    sfi_free(ctx, m->mean, d, sizeof *m->mean);
    sfi_parts_free(ctx, &m->parts);
    sfi_product_free(m->product);
    sfi_free(ctx, m, 1, sizeof *m);
}

sf_status sfi_imputer_new(sf_context *ctx, sf_imputer **out, int64_t dim,
                          int64_t rows)
{
    const size_t d = (size_t)dim;
    *out = NULL;
    sf_imputer *m = sfi_alloc_zero(ctx, 1, sizeof *m);
    if (m == NULL)
        return SF_E_NOMEM;
    m->ctx = ctx;
    m->dim = dim;
    m->rows = rows;
    m->mean = sfi_alloc_zero(ctx, d, sizeof *m->mean);
    m->sd = sfi_alloc(ctx, d, sizeof *m->sd);
    m->own = sfi_alloc(ctx, (size_t)rows, sizeof *m->own);
    if (m->mean == NULL || m->sd == NULL || m->own == NULL) {
        sf_imputer_free(m);
        return SF_E_NOMEM;
    }
    for (size_t j = 0; j < d; j++)
        m->sd[j] = 1.0;
    *out = m;
    return SF_OK;
}

sf_status sf_imputer_new(sf_context *ctx, sf_imputer **out,
                         const sf_model *model)
{
    *out = NULL;
    SFI_TRY(sfi_want_ability(ctx, model, SF_CAN_CONDITION, "impute"));
    SFI_TRY(sfi_imputer_new(ctx, out, sf_model_dim(model), 0));
    const sf_status status =
        sfi_product_is_needed(model)
            ? sfi_product_new(model, &(*out)->product)
            : model->ops->parts(ctx, model, &(*out)->parts);
    if (status != SF_OK) {
        sf_imputer_free(*out);
        *out = NULL;
    }
    return status;
}

/* ---- a row -------------------------------------------------------------------- */

typedef struct scratch {
    sfi_point point;
    double *y;                  /* [d] standardised                           */
    double *weight, *mean, *sd; /* [count] of one column: those that are seen */
    double *factor, *z;         /* [d, d], [d] of a draw                      */
} scratch;

typedef struct impute_job {
    const sf_imputer *m;
    const sf_impute_options *o;
    sf_cmat x;
    sf_mat out;             /* or                             */
    sf_imputed_cell *cells; /* for all missing cells          */
    int64_t *first;         /* [n] a row's first of these     */
    const int64_t *without; /* [n] or NULL                    */
    const sfi_patterns *patterns;
    sfi_given given;
    int64_t pattern;
    int lanes;
    scratch *lane; /* [MOST_LANES] */
} impute_job;

/* The distribution of missing cell j of a row. */
static sfi_normal_sum sum_of(const impute_job *job, const scratch *s, int64_t j)
{
    const sfi_parts *p = &job->m->parts;
    const int64_t m = job->given.others;
    const double least = least_weight(p->count);
    int64_t count = 0;
    for (int64_t g = 0; g < p->groups; g++) {
        const double sd = sqrt(job->given.split[g].rest[j * m + j]);
        for (int64_t k = p->first[g]; k < p->first[g + 1]; k++) {
            if (!(s->point.weight[k] > least))
                continue;
            s->weight[count] = s->point.weight[k];
            s->mean[count] = s->point.mean[k * m + j];
            s->sd[count++] = sd;
        }
    }
    return (sfi_normal_sum){.count = count,
                            .weight = s->weight,
                            .mean = s->mean,
                            .sd = s->sd,
                            .lower = -INFINITY,
                            .upper = INFINITY};
}

static double mean_of(const sfi_normal_sum *s)
{
    double sum = 0.0, total = 0.0;
    for (int64_t k = 0; k < s->count; k++) {
        sum += s->weight[k] * s->mean[k];
        total += s->weight[k];
    }
    return sum / total;
}

static double sd_of(const sfi_normal_sum *s, double mean)
{
    double sum = 0.0, total = 0.0;
    for (int64_t k = 0; k < s->count; k++) {
        const double off = s->mean[k] - mean;
        sum += s->weight[k] * (s->sd[k] * s->sd[k] + off * off);
        total += s->weight[k];
    }
    return sqrt(sum / total);
}

/* A joint draw of the missing cells, in s->z. */
static void draw_cells(const impute_job *job, scratch *s, int64_t row)
{
    const sfi_parts *p = &job->m->parts;
    const int64_t m = job->given.others;
    const sfi_where w = {job->o->seed, (uint64_t)row, job->o->draw,
                         SFI_STREAM_GIVEN};
    const double u = sfi_uniform_at(w, 0);
    int64_t k = 0;
    for (double sum = s->point.weight[0]; sum < u && k + 1 < p->count;)
        sum += s->point.weight[++k];
    memcpy(s->factor, sfi_given_covariance(&job->given, k),
           (size_t)(m * m) * sizeof *s->factor);
    sfi_root_semidefinite(s->factor, m);
    for (int64_t i = 0; i < m; i++)
        s->y[i] = sfi_normal_quantile(sfi_uniform_at(w, (uint32_t)i + 1));
    for (int64_t i = 0; i < m; i++) {
        s->z[i] = s->point.mean[k * m + i];
        for (int64_t j = 0; j <= i; j++)
            s->z[i] += s->factor[i * m + j] * s->y[j];
    }
}

static void fill_row(const impute_job *job, scratch *s, int64_t row)
{
    const sf_imputer *m = job->m;
    const sf_impute_options *o = job->o;
    double *to = job->out.data + row * job->out.stride;
    const bool draws = o->with == SF_IMPUTE_DRAW;
    if (draws)
        draw_cells(job, s, row);
    for (int64_t j = 0; j < job->given.others; j++) {
        const int64_t col = job->given.index[j];
        double y = draws ? s->z[j] : 0.0;
        if (!draws || o->contract > 0.0) {
            const sfi_normal_sum sum = sum_of(job, s, j);
            const double middle = o->with == SF_IMPUTE_MEAN
                                      ? mean_of(&sum)
                                      : sfi_normal_sum_quantile(&sum, 0.5);
            y = draws ? middle + (1.0 - o->contract) * (y - middle) : middle;
        }
        to[col] = m->mean[col] + m->sd[col] * y;
    }
}

static void spread_row(const impute_job *job, scratch *s, int64_t row)
{
    const sf_imputer *m = job->m;
    for (int64_t j = 0; j < job->given.others; j++) {
        const int64_t col = job->given.index[j];
        sf_imputed_cell *cell = &job->cells[job->first[row] + j];
        const sfi_normal_sum sum = sum_of(job, s, j);
        const double mean = mean_of(&sum);
        cell->row = row;
        cell->column = col;
        cell->mean = m->mean[col] + m->sd[col] * mean;
        cell->sd = m->sd[col] * sd_of(&sum, mean);
        for (int q = 0; q < SF_IMPUTE_QUANTILES; q++)
            cell->quantile[q] =
                m->mean[col] +
                m->sd[col] *
                    sfi_normal_sum_quantile(&sum, sf_impute_probabilities[q]);
    }
}

static void take_lane(void *user, int64_t lane, int64_t first, int64_t count)
{
    const impute_job *job = user;
    const sf_imputer *m = job->m;
    const sfi_patterns *p = job->patterns;
    const int64_t begin = p->first[job->pattern];
    const int64_t rows = p->first[job->pattern + 1] - begin;
    scratch *s = &job->lane[lane];
    (void)first;
    (void)count;
    for (int64_t i = rows * lane / job->lanes;
         i < rows * (lane + 1) / job->lanes; i++) {
        const int64_t row = p->order[begin + i];
        const double *x = job->x.data + row * job->x.stride;
        for (int64_t j = 0; j < m->dim; j++)
            s->y[j] = (x[j] - m->mean[j]) / m->sd[j];
        sfi_given_at(&job->given, s->y,
                     job->without != NULL ? job->without[row] : -1, &s->point);
        if (job->cells != NULL)
            spread_row(job, s, row);
        else
            fill_row(job, s, row);
    }
}

/* ---- all rows ------------------------------------------------------------------- */

static sf_status take_patterns(sf_context *ctx, impute_job *job)
{
    const sfi_patterns *p = job->patterns;
    int64_t done = 0;
    for (job->pattern = 0; job->pattern < p->count; job->pattern++) {
        const int64_t rows =
            p->first[job->pattern + 1] - p->first[job->pattern];
        const unsigned char *present = p->present + job->pattern * job->m->dim;
        const sf_progress progress = {.stage = "impute",
                                      .step = done,
                                      .steps = p->rows,
                                      .loss = (double)NAN,
                                      .held_out = (double)NAN};
        done += rows;
        if (memchr(present, 0, (size_t)job->m->dim) == NULL)
            continue;
        if (!sfi_progress(ctx, &progress, false))
            return SFI_FAIL(ctx, SF_E_CANCELLED, "impute: stopped");
        SFI_TRY(sfi_given_columns(ctx, &job->given, present));
        job->lanes = rows < MOST_LANES ? (int)rows : MOST_LANES;
        sfi_parallel(ctx, job->lanes, 1, take_lane, job);
    }
    return SF_OK;
}

static void free_scratch(sf_context *ctx, scratch *s, const sfi_parts *p)
{
    const size_t d = (size_t)p->dim, n = (size_t)p->count;
    sfi_free(ctx, s->z, d, sizeof *s->z);
    sfi_free(ctx, s->factor, d * d, sizeof *s->factor);
    sfi_free(ctx, s->sd, n, sizeof *s->sd);
    sfi_free(ctx, s->mean, n, sizeof *s->mean);
    sfi_free(ctx, s->weight, n, sizeof *s->weight);
    sfi_free(ctx, s->y, d, sizeof *s->y);
    sfi_point_free(ctx, &s->point, p);
}

static sf_status new_scratch(sf_context *ctx, scratch *s, const sfi_parts *p)
{
    const size_t d = (size_t)p->dim, n = (size_t)p->count;
    SFI_TRY(sfi_point_new(ctx, &s->point, p));
    s->y = sfi_alloc(ctx, d, sizeof *s->y);
    s->weight = sfi_alloc(ctx, n, sizeof *s->weight);
    s->mean = sfi_alloc(ctx, n, sizeof *s->mean);
    s->sd = sfi_alloc(ctx, n, sizeof *s->sd);
    s->factor = sfi_alloc(ctx, d * d, sizeof *s->factor);
    s->z = sfi_alloc(ctx, d, sizeof *s->z);
    return s->y != NULL && s->weight != NULL && s->mean != NULL &&
                   s->sd != NULL && s->factor != NULL && s->z != NULL
               ? SF_OK
               : SF_E_NOMEM;
}

/* The most rows of a pattern with a missing cell decide how many lanes there are. */
static int lanes_for(const sfi_patterns *p)
{
    int64_t most = 0;
    for (int64_t k = 0; k < p->count; k++) {
        const int64_t rows = p->first[k + 1] - p->first[k];
        if (memchr(p->present + k * p->cols, 0, (size_t)p->cols) != NULL)
            most = rows > most ? rows : most;
    }
    return most < MOST_LANES ? (int)most : MOST_LANES;
}

static sf_status run(sf_context *ctx, impute_job *job)
{
    const sfi_parts *p = &job->m->parts;
    const int lanes = lanes_for(job->patterns);
    job->lane = sfi_alloc_zero(ctx, (size_t)lanes, sizeof *job->lane);
    sf_status status = job->lane != NULL ? SF_OK : SF_E_NOMEM;
    for (int l = 0; l < lanes && status == SF_OK; l++)
        status = new_scratch(ctx, &job->lane[l], p);
    if (status == SF_OK)
        status = sfi_given_new(ctx, &job->given, p);
    if (status == SF_OK)
        status = take_patterns(ctx, job);
    sfi_given_free(ctx, &job->given);
    for (int l = 0; l < lanes && job->lane != NULL; l++)
        free_scratch(ctx, &job->lane[l], p);
    sfi_free(ctx, job->lane, (size_t)lanes, sizeof *job->lane);
    return status;
}

static sf_status run_patterns(sf_context *ctx, impute_job *job)
{
    sfi_patterns *patterns = NULL;
    SFI_TRY(sfi_patterns_new(ctx, &patterns, job->x));
    job->patterns = patterns;
    const sf_status status = patterns->missing > 0 ? run(ctx, job) : SF_OK;
    sfi_patterns_free(patterns);
    return status;
}

/* ---- the verbs ------------------------------------------------------------------ */

static sf_status check(sf_context *ctx, const sf_imputer *m, sf_cmat x,
                       const sf_impute_options *o)
{
    SFI_TRY(sfi_check_table(ctx, x, false, "impute: x"));
    if (x.cols != m->dim)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "impute: rows have %lld columns, want %lld",
                        (long long)x.cols, (long long)m->dim);
    if (o->own_rows && x.rows != m->rows)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "impute: %lld rows, and the imputer was fitted to %lld",
                        (long long)x.rows, (long long)m->rows);
    if ((int)o->with < 0 || o->with > SF_IMPUTE_DRAW ||
        !(o->contract >= 0.0 && o->contract <= 1.0))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "impute: with is %d and contract %g, want 0 to 2 and "
                        "0 to 1",
                        (int)o->with, o->contract);
    for (int64_t i = 0; i < x.rows; i++)
        for (int64_t j = 0; j < x.cols; j++)
            if (isinf(x.data[i * x.stride + j]))
                return SFI_FAIL(ctx, SF_E_NUMERIC,
                                "impute: row %lld, column %lld: the value is "
                                "not finite",
                                (long long)i + 1, (long long)j + 1);
    return SF_OK;
}

sf_status sfi_impute(sf_context *ctx, sf_mat out, const sf_imputer *m,
                     sf_cmat x, const int64_t *without,
                     const sf_impute_options *o)
{
    impute_job job = {.m = m, .o = o, .x = x, .out = out, .without = without};
    for (int64_t i = 0; i < x.rows; i++)
        memmove(out.data + i * out.stride, x.data + i * x.stride,
                (size_t)x.cols * sizeof *out.data);
    if (m->product != NULL)
        return sfi_impute_product(ctx, out, m, x, o, NULL, NULL);
    return run_patterns(ctx, &job);
}

sf_status sf_impute(sf_context *ctx, sf_mat out, const sf_imputer *m, sf_cmat x,
                    const sf_impute_options *options)
{
    sf_impute_options o = SF_IMPUTE_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, options));
    SFI_TRY(check(ctx, m, x, &o));
    if (out.rows != x.rows || out.cols != x.cols || out.stride < out.cols)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "impute: the result is [%lld, %lld], want [%lld, %lld]",
                        (long long)out.rows, (long long)out.cols,
                        (long long)x.rows, (long long)x.cols);
    return sfi_impute(ctx, out, m, x, o.own_rows ? m->own : NULL, &o);
}

sf_status sf_impute_spread(sf_context *ctx, sf_imputed_cell *cells,
                           const sf_imputer *m, sf_cmat x,
                           const sf_impute_options *options)
{
    sf_impute_options o = SF_IMPUTE_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, options));
    SFI_TRY(check(ctx, m, x, &o));
    const size_t n = (size_t)x.rows;
    int64_t *first = sfi_alloc(ctx, n, sizeof *first), missing = 0;
    if (first == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < x.rows; i++) {
        first[i] = missing;
        for (int64_t j = 0; j < x.cols; j++)
            missing += isnan(x.data[i * x.stride + j]);
    }
    impute_job job = {.m = m,
                      .o = &o,
                      .x = x,
                      .cells = cells,
                      .first = first,
                      .without = o.own_rows ? m->own : NULL};
    const sf_status status =
        m->product != NULL
            ? sfi_impute_product(ctx, (sf_mat){0}, m, x, &o, cells, first)
            : run_patterns(ctx, &job);
    sfi_free(ctx, first, n, sizeof *first);
    return status;
}
