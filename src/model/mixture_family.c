/* SPDX-License-Identifier: Apache-2.0 */
/* mixture_family.c - means over a data set by products of statistics and parameters.
 *
 * As the density of a pair is exp(T(y).eta_i - A_i), a weight of the mixture is an
 * exponential of one inner product: data are held as eta and A, computed once for a
 * time, points come as T, and num/posterior.h takes the means of eta.  What remains is
 * of one point: a program finishes E[eta | y], and Cov(eta | y) where a Jacobian is
 * wanted, to the score.  The clean rows travel behind eta with statistics of 0, which
 * change no weight. */
#include "model/mixture_family.h"

#include "model/mixture_nodes.h"
#include "num/linalg.h"
#include "num/posterior.h"
#include "scorefield/program.h"

#include <math.h>
#include <string.h>

/* More statistics than this cost more than they save. */
enum { MOST_STATISTICS = 128 };

/* What the programs give. */
enum { SCORE = 1, JACOBIAN = 2, FINISHES = 4 };

struct sfi_mixture_family {
    sf_context *ctx;
    const sfi_noise *noise;
    sf_cmat data;
    const double *log_weights;
    bool has_levels; /* of which no mean is taken */
    int64_t n, d, k; /* data, numbers of y, statistics */

    sf_program *statistic;        /* y -> T [k]                             */
    sf_program *natural;          /* x0, t -> eta [k], A                    */
    sf_program *finish[FINISHES]; /* y, E[eta] (, Cov) -> score (, jacobian) */

    sfi_posterior *posterior; /* of the times it was made for            */
    double *times;            /* [n] those                               */
    bool made;
    sfi_posterior *clean; /* the same, eta followed by the clean vectors,
                             or NULL                                     */
    int64_t vectors;      /* their numbers                               */
    double *eta, *bias;   /* [n, k + 1], [n] */
    double *wide;         /* [n, k + vectors], or NULL */
    double *wide_points, *wide_mean; /* [rows, k + vectors], or NULL */

    /* Of a flow, or NULL: eta and, behind it, what the nodes average, eta' and A'. */
    sfi_mixture_nodes *nodes;
    sfi_posterior *flow;
    sf_program *slopes;        /* x0, t -> eta', A' */
    int64_t across;            /* their numbers */
    double *flow_data, *slope; /* [n, across], [n, k + 1] */
    double *flow_points, *flow_mean,
        *flow_velocity; /* [rows, across], [rows, d] */
    double *flow_score; /* [rows, d] */

    int64_t rows;                /* of a block of points */
    double *points, *mean, *cov; /* [rows, k], [rows, k], [rows, k*k] or NULL */
    double *lse;                 /* [rows] */
};

/* ---- programs ---------------------------------------------------------------- */

static int64_t statistics_of(const sfi_block *b)
{
    const sfi_kernel_ops *ops = b->kernel.ops;
    if (ops->joint != NULL)
        return ops->joint->statistics != NULL ? ops->joint->statistics(b) : 0;
    return ops->statistics;
}

static sf_node append(sf_graph *g, sf_node all, sf_node part)
{
    return all.id < 0 ? part : sf_concat(g, 2, (sf_node[]){all, part}, 0);
}

static sf_node row_of(sf_graph *g, sf_node number)
{
    const int64_t one = 1;
    return sf_reshape(g, number, 1, &one);
}

static sf_node statistic_node(const sfi_noise *noise, sf_graph *g, sf_node y)
{
    sf_node all = {-1};
    for (int64_t k = 0; k < noise->count; k++) {
        const sfi_block *b = &noise->blocks[k];
        const sfi_kernel_ops *ops = b->kernel.ops;
        if (ops->joint != NULL) {
            all = append(g, all,
                         ops->joint->statistic(b, g, sfi_block_inner(b, g, y)));
            continue;
        }
        sf_node statistic[SFI_KERNEL_STATISTICS];
        ops->statistic(&b->kernel, g, sf_component(g, y, b->at), statistic);
        for (int i = 0; i < ops->statistics; i++)
            all = append(g, all, row_of(g, statistic[i]));
    }
    return all;
}

/* eta, and A after it. */
static sf_node natural_node(const sfi_noise *noise, sf_graph *g, sf_node x0,
                            sf_node t)
{
    sf_node all = {-1}, sum = sf_const(g, 0.0);
    for (int64_t k = 0; k < noise->count; k++) {
        const sfi_block *b = &noise->blocks[k];
        const sfi_kernel_ops *ops = b->kernel.ops;
        if (ops->joint != NULL) {
            sf_node log_partition;
            all = append(g, all,
                         ops->joint->natural(b, g,
                                             sfi_block_columns(noise, b, g, x0),
                                             t, &log_partition));
            sum = sf_add(g, sum, log_partition);
            continue;
        }
        sf_node theta[SFI_KERNEL_THETA], eta[SFI_KERNEL_STATISTICS + 1];
        ops->theta(&b->kernel, g,
                   sf_component(g, x0, sfi_noise_columns(noise, b)[0]), t,
                   theta);
        ops->natural(&b->kernel, g, theta, eta);
        for (int i = 0; i < ops->statistics; i++)
            all = append(g, all, row_of(g, eta[i]));
        sum = sf_add(g, sum, eta[ops->statistics]);
    }
    return append(g, all, row_of(g, sum));
}

static sf_status compile(sfi_mixture_family *p)
{
    sf_graph *g = NULL;
    SFI_TRY(sf_graph_new(p->ctx, &g));
    const sf_node y = sf_input(g, "y", 1, &p->d);
    const sf_output points = {statistic_node(p->noise, g, y), SF_EACH};
    sf_status status =
        sf_program_new(p->ctx, &p->statistic, g, SF_F64, 1, &points);
    sf_graph_free(g);
    SFI_TRY(status);
    SFI_TRY(sf_graph_new(p->ctx, &g));
    const sf_node x0 = sf_input(g, "x0", 1, &p->noise->dim);
    const sf_node t = sf_input(g, "t", 0, NULL);
    const sf_node natural = natural_node(p->noise, g, x0, t);
    const sf_output data = {natural, SF_EACH};
    status = sf_program_new(p->ctx, &p->natural, g, SF_F64, 1, &data);
    if (status == SF_OK && p->nodes != NULL) {
        const sf_node one = sf_const(g, 1.0);
        const sf_output slopes = {sf_jvp(g, natural, t, one), SF_EACH};
        status = sf_program_new(p->ctx, &p->slopes, g, SF_F64, 1, &slopes);
    }
    sf_graph_free(g);
    return status;
}

static sf_status compile_finish(sfi_mixture_family *p, unsigned which)
{
    if (p->finish[which] != NULL)
        return SF_OK;
    sf_graph *g = NULL;
    SFI_TRY(sf_graph_new(p->ctx, &g));
    const sf_node y = sf_input(g, "y", 1, &p->d);
    const sf_node mean = sf_input(g, "mean", 1, &p->k);
    const sf_node place = sf_stop_gradient(g, y);
    const sf_node statistic = statistic_node(p->noise, g, place);
    const sf_node score = sf_gradient(g, sf_dot(g, statistic, mean), place);
    sf_output outputs[2];
    int count = 0;
    if ((which & SCORE) != 0)
        outputs[count++] = (sf_output){score, SF_EACH};
    if ((which & JACOBIAN) != 0) {
        const int64_t square[] = {p->k, p->k}, cells = p->d * p->d;
        const sf_node cov = sf_input(g, "cov", 2, square);
        const sf_node slope = sf_jacobian(g, statistic, place);
        const sf_node spread =
            sf_matmul(g, sf_transpose(g, slope), sf_matmul(g, cov, slope));
        const sf_node all = sf_add(g, sf_jacobian(g, score, place), spread);
        outputs[count++] = (sf_output){sf_reshape(g, all, 1, &cells), SF_EACH};
    }
    const sf_status status =
        sf_program_new(p->ctx, &p->finish[which], g, SF_F64, count, outputs);
    sf_graph_free(g);
    return status;
}

/* ---- making ------------------------------------------------------------------ */

static sf_status fill(sfi_mixture_family *p)
{
    sf_context *ctx = p->ctx;
    const size_t n = (size_t)p->n, k = (size_t)p->k, rows = (size_t)p->rows;
    p->times = sfi_alloc(ctx, n, sizeof *p->times);
    p->eta = sfi_alloc(ctx, n * (k + 1), sizeof *p->eta);
    p->bias = sfi_alloc(ctx, n, sizeof *p->bias);
    p->points = sfi_alloc(ctx, rows * k, sizeof *p->points);
    p->mean = sfi_alloc(ctx, rows * k, sizeof *p->mean);
    p->lse = sfi_alloc(ctx, rows, sizeof *p->lse);
    return p->times != NULL && p->eta != NULL && p->bias != NULL &&
                   p->points != NULL && p->mean != NULL && p->lse != NULL
               ? compile(p)
               : SF_E_NOMEM;
}

sf_status sfi_mixture_family_new(sf_context *ctx, sfi_mixture_family **out,
                                 const sfi_noise *noise, sf_cmat data,
                                 const double *log_weights, double least,
                                 sfi_velocity how)
{
    *out = NULL;
    int64_t k = 0;
    bool has_levels = false;
    for (int64_t i = 0; i < noise->count; i++) {
        const int64_t more = statistics_of(&noise->blocks[i]);
        if (more == 0)
            return SF_OK;
        k += more;
        has_levels |= noise->blocks[i].levels > 0;
    }
    if (k > MOST_STATISTICS)
        return SF_OK;
    sfi_mixture_family *p = sfi_alloc_zero(ctx, 1, sizeof *p);
    if (p == NULL)
        return SF_E_NOMEM;
    p->ctx = ctx;
    p->noise = noise;
    p->data = data;
    p->log_weights = log_weights;
    p->n = data.rows;
    p->d = noise->inner;
    p->k = k;
    p->has_levels = has_levels;
    /* Their covariances are to stay in a cache, or nearly. */
    const int64_t fit = (1 << 20) / (k * k);
    p->rows = fit < 64 ? 64 : fit > 4096 ? 4096 : fit;
    sf_status status =
        sfi_mixture_nodes_new(ctx, &p->nodes, noise, data, least, how);
    if (status == SF_OK)
        status = fill(p);
    if (status != SF_OK) {
        sfi_mixture_family_free(p);
        return status;
    }
    *out = p;
    return SF_OK;
}

void sfi_mixture_family_free(sfi_mixture_family *p)
{
    if (p == NULL)
        return;
    sf_context *ctx = p->ctx;
    const size_t n = (size_t)p->n, k = (size_t)p->k, rows = (size_t)p->rows;
    sf_program_free(p->statistic);
    sf_program_free(p->natural);
    for (int i = 0; i < FINISHES; i++)
        sf_program_free(p->finish[i]);
    const size_t across = k + (size_t)p->vectors;
    const size_t flow = (size_t)p->across;
    sf_program_free(p->slopes);
    sfi_mixture_nodes_free(p->nodes);
    sfi_posterior_free(p->flow);
    sfi_free(ctx, p->flow_score, rows * (size_t)p->d, sizeof *p->flow_score);
    sfi_free(ctx, p->flow_velocity, rows * (size_t)p->d,
             sizeof *p->flow_velocity);
    sfi_free(ctx, p->flow_mean, rows * flow, sizeof *p->flow_mean);
    sfi_free(ctx, p->flow_points, rows * flow, sizeof *p->flow_points);
    sfi_free(ctx, p->slope, n * (k + 1), sizeof *p->slope);
    sfi_free(ctx, p->flow_data, n * flow, sizeof *p->flow_data);
    sfi_posterior_free(p->posterior);
    sfi_posterior_free(p->clean);
    sfi_free(ctx, p->wide, n * across, sizeof *p->wide);
    sfi_free(ctx, p->wide_points, rows * across, sizeof *p->wide_points);
    sfi_free(ctx, p->wide_mean, rows * across, sizeof *p->wide_mean);
    sfi_free(ctx, p->times, n, sizeof *p->times);
    sfi_free(ctx, p->eta, n * (k + 1), sizeof *p->eta);
    sfi_free(ctx, p->bias, n, sizeof *p->bias);
    sfi_free(ctx, p->points, rows * k, sizeof *p->points);
    sfi_free(ctx, p->mean, rows * k, sizeof *p->mean);
    sfi_free(ctx, p->cov, rows * k * k, sizeof *p->cov);
    sfi_free(ctx, p->lse, rows, sizeof *p->lse);
    sfi_free(ctx, p, 1, sizeof *p);
}

/* The posterior for these times, which may be the one there is. */
static sf_status prepare(sfi_mixture_family *p, const double *times)
{
    const size_t bytes = (size_t)p->n * sizeof *times;
    if (p->made && memcmp(p->times, times, bytes) == 0)
        return SF_OK;
    p->made = false;
    sfi_posterior_free(p->posterior);
    sfi_posterior_free(p->clean);
    sfi_posterior_free(p->flow);
    p->posterior = p->clean = p->flow = NULL;
    const int64_t stride = p->k + 1;
    const sf_source sources[] = {
        {.kind = SF_ROWS,
         .data = p->data.data,
         .dtype = SF_F64,
         .stride = p->data.stride},
        {.kind = SF_ROWS, .data = times, .dtype = SF_F64, .stride = 1}};
    const sf_sink sink = {p->eta, SF_F64, stride};
    SFI_TRY(sf_program_run(p->natural, p->n, sources, NULL, &sink));
    for (int64_t i = 0; i < p->n; i++)
        p->bias[i] = (p->log_weights != NULL ? p->log_weights[i] : 0.0) -
                     p->eta[i * stride + p->k];
    SFI_TRY(sfi_posterior_new(p->ctx, &p->posterior, SF_F64,
                              (sf_cmat){p->eta, p->n, p->k, stride}, p->bias,
                              &(sfi_posterior_options){.covariance = true}));
    memcpy(p->times, times, bytes);
    p->made = true;
    return SF_OK;
}

/* ---- clean points ------------------------------------------------------------ */

/* What is averaged of a datum: the vectors of its blocks; how many numbers. */
static int64_t clean_vector(const sfi_mixture_family *p, int64_t datum,
                            double *out)
{
    const double *row = p->data.data + datum * p->data.stride;
    int64_t count = 0;
    for (int64_t l = 0; l < p->noise->count; l++) {
        const sfi_block *b = &p->noise->blocks[l];
        const int64_t *columns = sfi_noise_columns(p->noise, b);
        double part[SFI_BLOCK_COLUMNS], vector[SFI_BLOCK_COLUMNS];
        for (int64_t j = 0; j < b->columns; j++)
            part[j] = row[columns[j]];
        const int64_t size = sfi_block_vector(b, part, vector);
        if (out != NULL)
            memcpy(out + count, vector, (size_t)size * sizeof *out);
        count += size;
    }
    return count;
}

/* The posterior whose means hold those of the clean vectors too: they stand behind
 * eta, where the points have 0. */
static sf_status prepare_clean(sfi_mixture_family *p)
{
    if (p->clean != NULL)
        return SF_OK;
    if (p->wide == NULL) {
        p->vectors = clean_vector(p, 0, NULL);
        const size_t across = (size_t)(p->k + p->vectors);
        const size_t rows = (size_t)p->rows;
        p->wide = sfi_alloc(p->ctx, (size_t)p->n * across, sizeof *p->wide);
        p->wide_points =
            sfi_alloc_zero(p->ctx, rows * across, sizeof *p->wide_points);
        p->wide_mean = sfi_alloc(p->ctx, rows * across, sizeof *p->wide_mean);
    }
    if (p->wide == NULL || p->wide_points == NULL || p->wide_mean == NULL)
        return SF_E_NOMEM;
    const int64_t across = p->k + p->vectors;
    for (int64_t i = 0; i < p->n; i++) {
        memcpy(p->wide + i * across, p->eta + i * (p->k + 1),
               (size_t)p->k * sizeof *p->wide);
        clean_vector(p, i, p->wide + i * across + p->k);
    }
    return sfi_posterior_new(p->ctx, &p->clean, SF_F64,
                             (sf_cmat){p->wide, p->n, across, across}, p->bias,
                             &(sfi_posterior_options){.covariance = false});
}

static void clean_point(const sfi_mixture_family *p, const double *mean,
                        double *out)
{
    int64_t at = 0;
    for (int64_t l = 0; l < p->noise->count; l++) {
        const sfi_block *b = &p->noise->blocks[l];
        const int64_t *columns = sfi_noise_columns(p->noise, b);
        double part[SFI_BLOCK_COLUMNS], vector[SFI_BLOCK_COLUMNS];
        for (int64_t j = 0; j < b->columns; j++)
            part[j] = 0.0;
        const int64_t size = sfi_block_vector(b, part, vector);
        sfi_block_mean(b, mean + at, part);
        for (int64_t j = 0; j < b->columns; j++)
            out[columns[j]] = part[j];
        at += size;
    }
}

/* Of n points whose statistics are in p->points. */
static sf_status denoise(sfi_mixture_family *p, int64_t n,
                         const int64_t *without, sf_mat out)
{
    SFI_TRY(prepare_clean(p));
    const int64_t across = p->k + p->vectors;
    for (int64_t i = 0; i < n; i++)
        memcpy(p->wide_points + i * across, p->points + i * p->k,
               (size_t)p->k * sizeof *p->points);
    const sfi_posterior_want w = {.lse = p->lse,
                                  .mean = {p->wide_mean, n, across, across},
                                  .exclude = without};
    sfi_posterior_run(p->clean, (sf_cmat){p->wide_points, n, across, across},
                      1.0, SFI_PRODUCT, &w);
    for (int64_t i = 0; i < n; i++) {
        double *to = out.data + i * out.stride;
        clean_point(p, p->wide_mean + i * across + p->k, to);
        for (int64_t j = 0; j < p->noise->dim && !isfinite(p->lse[i]); j++)
            to[j] = NAN;
    }
    return SF_OK;
}

/* ---- flows ------------------------------------------------------------------- */

static bool take_flow_memory(sfi_mixture_family *p)
{
    const size_t n = (size_t)p->n, rows = (size_t)p->rows;
    if (p->across > 0)
        return p->flow_data != NULL && p->slope != NULL &&
               p->flow_points != NULL && p->flow_mean != NULL &&
               p->flow_velocity != NULL && p->flow_score != NULL;
    p->across = 2 * p->k + 1 + sfi_mixture_nodes_count(p->nodes);
    const size_t across = (size_t)p->across;
    p->flow_data = sfi_alloc(p->ctx, n * across, sizeof *p->flow_data);
    p->slope = sfi_alloc(p->ctx, n * (size_t)(p->k + 1), sizeof *p->slope);
    p->flow_points =
        sfi_alloc_zero(p->ctx, rows * across, sizeof *p->flow_points);
    p->flow_mean = sfi_alloc(p->ctx, rows * across, sizeof *p->flow_mean);
    p->flow_velocity =
        sfi_alloc(p->ctx, rows * (size_t)p->d, sizeof *p->flow_velocity);
    p->flow_score =
        sfi_alloc(p->ctx, rows * (size_t)p->d, sizeof *p->flow_score);
    return take_flow_memory(p);
}

/* The posterior whose means make velocities and divergences at time t.  Data that
 * rest add nothing to either. */
static sf_status prepare_flow(sfi_mixture_family *p, double t,
                              const double *moving)
{
    if (p->flow != NULL)
        return SF_OK;
    if (!take_flow_memory(p))
        return SF_E_NOMEM;
    const int64_t k = p->k, nodes = sfi_mixture_nodes_count(p->nodes);
    const sf_source sources[] = {
        {.kind = SF_ROWS,
         .data = p->data.data,
         .dtype = SF_F64,
         .stride = p->data.stride},
        {.kind = SF_ROWS, .data = p->times, .dtype = SF_F64, .stride = 1}};
    const sf_sink sink = {p->slope, SF_F64, k + 1};
    SFI_TRY(sf_program_run(p->slopes, p->n, sources, NULL, &sink));
    sfi_mixture_nodes_fill(p->nodes, t,
                           (sf_mat){p->flow_data + k, p->n, nodes, p->across});
    for (int64_t i = 0; i < p->n; i++) {
        double *row = p->flow_data + i * p->across;
        memcpy(row, p->eta + i * (k + 1), (size_t)k * sizeof *row);
        memcpy(row + k + nodes, p->slope + i * (k + 1),
               (size_t)(k + 1) * sizeof *row);
        for (int64_t j = k; j < p->across && moving[i] == 0.0; j++)
            row[j] = 0.0;
    }
    return sfi_posterior_new(
        p->ctx, &p->flow, SF_F64,
        (sf_cmat){p->flow_data, p->n, p->across, p->across}, p->bias,
        &(sfi_posterior_options){.covariance = false});
}

/* Means of n points whose statistics are in p->points; those of eta to p->mean. */
static void find_flow_means(sfi_mixture_family *p, int64_t n,
                            const int64_t *without)
{
    const int64_t across = p->across;
    const size_t bytes = (size_t)p->k * sizeof *p->points;
    for (int64_t i = 0; i < n; i++)
        memcpy(p->flow_points + i * across, p->points + i * p->k, bytes);
    const sfi_posterior_want w = {.lse = p->lse,
                                  .mean = {p->flow_mean, n, across, across},
                                  .exclude = without};
    sfi_posterior_run(p->flow, (sf_cmat){p->flow_points, n, across, across},
                      1.0, SFI_PRODUCT, &w);
    for (int64_t i = 0; i < n; i++)
        memcpy(p->mean + i * p->k, p->flow_mean + i * across, bytes);
}

/* Velocities and divergences of n points, whose scores are known. */
static sf_status finish_flow(sfi_mixture_family *p, int64_t n, sf_cmat y,
                             sf_cmat score, sf_mat velocity, double *divergence)
{
    const int64_t k = p->k, nodes = sfi_mixture_nodes_count(p->nodes);
    const sf_mat own = {p->flow_velocity, n, p->d, p->d};
    const sf_mat to = velocity.data != NULL ? velocity : own;
    SFI_TRY(sfi_mixture_nodes_run(
        p->nodes, n, y, (sf_cmat){p->flow_mean + k, n, nodes, p->across}, to));
    for (int64_t i = 0; i < n && divergence != NULL; i++) {
        const double *slope = p->flow_mean + i * p->across + k + nodes;
        divergence[i] = slope[k];
        for (int64_t j = 0; j < k; j++)
            divergence[i] -= p->points[i * k + j] * slope[j];
        for (int64_t j = 0; j < p->d; j++)
            divergence[i] -=
                to.data[i * to.stride + j] * score.data[i * score.stride + j];
    }
    return SF_OK;
}

/* ---- running ----------------------------------------------------------------- */

bool sfi_mixture_family_gives(const sfi_mixture_family *p,
                              const sfi_mixture_want *want)
{
    const bool flows = want->velocity.data != NULL || want->divergence != NULL;
    return (!flows || p->nodes != NULL) && want->birth.data == NULL &&
           want->death.data == NULL && want->ratio.data == NULL &&
           want->pmf.data == NULL &&
           (want->denoised.data == NULL || !p->has_levels) && want->most == 0 &&
           want->drawn == NULL;
}

/* ln of what the weights sum to, as the posterior has them. */
static double log_mass(const sfi_mixture_family *p, int64_t without)
{
    if (p->log_weights == NULL)
        return log((double)(p->n - (without >= 0)));
    return without >= 0 ? log1p(-exp(p->log_weights[without])) : 0.0;
}

static sf_status finish(sfi_mixture_family *p, int64_t n, sf_cmat y,
                        sf_mat score, sf_mat jacobian)
{
    const unsigned which = (score.data != NULL ? SCORE : 0u) |
                           (jacobian.data != NULL ? JACOBIAN : 0u);
    if (which == 0)
        return SF_OK;
    SFI_TRY(compile_finish(p, which));
    const sf_source sources[] = {
        {.kind = SF_ROWS, .data = y.data, .dtype = SF_F64, .stride = y.stride},
        {.kind = SF_ROWS, .data = p->mean, .dtype = SF_F64, .stride = p->k},
        {.kind = SF_ROWS,
         .data = p->cov,
         .dtype = SF_F64,
         .stride = p->k * p->k}};
    sf_sink sinks[2];
    int count = 0;
    if (score.data != NULL)
        sinks[count++] = (sf_sink){score.data, SF_F64, score.stride};
    if (jacobian.data != NULL)
        sinks[count++] = (sf_sink){jacobian.data, SF_F64, jacobian.stride};
    return sf_program_run(p->finish[which], n, sources, NULL, sinks);
}

static sf_mat from_row(sf_mat m, int64_t row)
{
    if (m.data != NULL)
        m.data += row * m.stride;
    return m;
}

/* Of n points whose statistics are in p->points: means, and what follows from them
 * by rows of `want` from `first` on. */
static sf_status run_rows(sfi_mixture_family *p, int64_t first, sf_cmat y,
                          const sfi_mixture_want *want)
{
    const int64_t n = y.rows, k = p->k;
    const bool spread = want->jacobian.data != NULL;
    const bool flows = want->velocity.data != NULL || want->divergence != NULL;
    const int64_t *without =
        want->without != NULL ? want->without + first : NULL;
    const sfi_posterior_want w = {
        .lse = p->lse,
        .mean = {want->score.data != NULL || spread ? p->mean : NULL, n, k, k},
        .cov = {spread ? p->cov : NULL, n, k * k, k * k},
        .exclude = without};
    sf_mat score = from_row(want->score, first);
    if (flows)
        find_flow_means(p, n, without);
    if (spread || !flows)
        sfi_posterior_run(p->posterior, (sf_cmat){p->points, n, k, k}, 1.0,
                          SFI_PRODUCT, &w);
    for (int64_t i = 0; i < n && want->logp != NULL; i++)
        want->logp[first + i] =
            p->lse[i] - log_mass(p, without != NULL ? without[i] : -1);
    if (flows && score.data == NULL)
        score = (sf_mat){p->flow_score, n, p->d, p->d};
    SFI_TRY(finish(p, n, y, score, from_row(want->jacobian, first)));
    if (flows)
        SFI_TRY(finish_flow(
            p, n, y, sf_mat_const(score), from_row(want->velocity, first),
            want->divergence != NULL ? want->divergence + first : NULL));
    return want->denoised.data != NULL
               ? denoise(p, n, without, from_row(want->denoised, first))
               : SF_OK;
}

sf_status sfi_mixture_family_run(sfi_mixture_family *p, sf_cmat y, double t,
                                 const double *times, const double *moving,
                                 const sfi_mixture_want *want)
{
    const int64_t k = p->k;
    SFI_TRY(prepare(p, times));
    if (want->velocity.data != NULL || want->divergence != NULL)
        SFI_TRY(prepare_flow(p, t, moving));
    if (want->jacobian.data != NULL && p->cov == NULL) {
        p->cov = sfi_alloc(p->ctx, (size_t)(p->rows * k * k), sizeof *p->cov);
        if (p->cov == NULL)
            return SF_E_NOMEM;
    }
    for (int64_t first = 0; first < y.rows; first += p->rows) {
        const int64_t n = y.rows - first < p->rows ? y.rows - first : p->rows;
        const sf_cmat part = {y.data + first * y.stride, n, y.cols, y.stride};
        const sf_source source = {.kind = SF_ROWS,
                                  .data = part.data,
                                  .dtype = SF_F64,
                                  .stride = y.stride};
        const sf_sink sink = {p->points, SF_F64, k};
        SFI_TRY(sf_program_run(p->statistic, n, &source, NULL, &sink));
        SFI_TRY(run_rows(p, first, part, want));
    }
    return SF_OK;
}
