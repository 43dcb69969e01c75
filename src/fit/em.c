/* SPDX-License-Identifier: Apache-2.0 */
/* em.c - expectation and maximisation for a mixture of normal distributions.
 *
 *     E   r_ik = w_k N(y_i; m_k, S_k) / sum over l
 *     M   n_k = sum_i r_ik,  w_k = n_k/n,  m_k = n_k ybar_k / (n_k + a),
 *         S_k = (L + W_k + a n_k/(a + n_k) ybar_k ybar_k') / (n_k + v + d + 2),
 *
 * ybar_k and W_k the weighted mean and scatter of the rows: the mode of the posterior
 * under m_k | S_k ~ N(0, S_k/a), S_k ~ inverse Wishart(v, L), a = 0.01, v = d + 2,
 * L = R/K^(2/d) (C. Fraley, A. E. Raftery, J. Classif. 24 (2007) 155-181, section 2).
 * Every S_k is positive definite since L is, however few rows a component has, and no
 * iteration lowers the log posterior density, by which it is judged when to stop.
 *
 * Or, with v' pseudo-rows in the place of that prior, n_k = sum_i r_ik, m_k = ybar_k,
 * S_k = (v' R + W_k)/(n_k + v').
 *
 * Rows with missing cells have expected means and scatters (em_missing.c), with which
 * the iteration converges at the rate of what is missing: it is speeded up by
 * extrapolation (squarem.c).
 *
 * Rows are read in chunks of fixed size, whose sums are added in order. */
#include "fit/em.h"

#include "base/parallel.h"
#include "base/random.h"
#include "fit/em_missing.h"
#include "fit/squarem.h"
#include "num/linalg.h"
#include "num/loops.h"
#include "num/moments.h"
#include "num/patterns.h"
#include "num/sort.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
    CHUNK = 256,          /* rows */
    SHORT_ITERATIONS = 12 /* of a start, before the best goes on */
};

static const double shrinkage = 0.01; /* a */

struct sfi_em {
    sf_context *ctx;
    int64_t n, d, most;
    const sfi_loops *loops;
    sfi_em_missing *missing; /* NULL where no cell is; then the arrays [n] below
                                but `rows` and `nearest` are empty              */
    sfi_squarem *squarem; /* likewise                                        */
    double pseudo_rows;
    double *rows;        /* [n, d], of missing cells their column's median */
    double *columns;     /* [d, n]                          */
    double *correlation; /* [d, d]                          */
    sfi_moments *moments;
    double *share;            /* [most, n]: r                    */
    double *z;                /* [chunks, d, CHUNK]              */
    double *sums;             /* [chunks]                        */
    double *nearest;          /* [n], of seeding                 */
    double *factor;           /* [most, d, d] Cholesky           */
    double *log_scale;        /* [most] ln w - ln det/2 - ...    */
    double *spare;            /* [d, d]                          */
    sfi_components now, best; /* of the starts              */
};

/* ---- memory ------------------------------------------------------------------ */

static bool new_components(sf_context *ctx, sfi_components *c, int64_t most,
                           int64_t d)
{
    c->dim = d;
    c->weight = sfi_alloc(ctx, (size_t)most, sizeof *c->weight);
    c->mean = sfi_alloc(ctx, (size_t)(most * d), sizeof *c->mean);
    c->covariance =
        sfi_alloc(ctx, (size_t)(most * d * d), sizeof *c->covariance);
    return c->weight != NULL && c->mean != NULL && c->covariance != NULL;
}

static void free_components(sf_context *ctx, sfi_components *c, int64_t most)
{
    sfi_free(ctx, c->weight, (size_t)most, sizeof *c->weight);
    sfi_free(ctx, c->mean, (size_t)(most * c->dim), sizeof *c->mean);
    sfi_free(ctx, c->covariance, (size_t)(most * c->dim * c->dim),
             sizeof *c->covariance);
}

static void copy_components(sfi_components *to, const sfi_components *from)
{
    const size_t k = (size_t)from->count, d = (size_t)from->dim;
    to->count = from->count;
    memcpy(to->weight, from->weight, k * sizeof *to->weight);
    memcpy(to->mean, from->mean, k * d * sizeof *to->mean);
    memcpy(to->covariance, from->covariance,
           k * d * d * sizeof *to->covariance);
}

/* Rows that are read without expectations: all or none. */
static int64_t whole_rows(const sfi_em *e)
{
    return e->missing == NULL ? e->n : 0;
}

static size_t chunks_of(const sfi_em *e)
{
    return (size_t)sfi_parallel_parts(whole_rows(e), CHUNK);
}

static bool allocate(sfi_em *e)
{
    sf_context *ctx = e->ctx;
    const size_t n = (size_t)e->n, d = (size_t)e->d, most = (size_t)e->most;
    const size_t whole = (size_t)whole_rows(e), chunks = chunks_of(e);
    e->rows = sfi_alloc(ctx, n * d, sizeof *e->rows);
    e->columns = sfi_alloc(ctx, whole * d, sizeof *e->columns);
    e->correlation = sfi_alloc(ctx, d * d, sizeof *e->correlation);
    e->share = sfi_alloc(ctx, most * whole, sizeof *e->share);
    e->z = sfi_alloc_zero(ctx, chunks * d * CHUNK, sizeof *e->z);
    e->sums = sfi_alloc(ctx, chunks, sizeof *e->sums);
    e->nearest = sfi_alloc(ctx, n, sizeof *e->nearest);
    e->factor = sfi_alloc(ctx, most * d * d, sizeof *e->factor);
    e->log_scale = sfi_alloc(ctx, most, sizeof *e->log_scale);
    e->spare = sfi_alloc(ctx, d * d, sizeof *e->spare);
    const bool parts = new_components(ctx, &e->now, e->most, e->d) &&
                       new_components(ctx, &e->best, e->most, e->d);
    return parts && e->rows != NULL && e->columns != NULL &&
           e->correlation != NULL && e->share != NULL && e->z != NULL &&
           e->sums != NULL && e->nearest != NULL && e->factor != NULL &&
           e->log_scale != NULL && e->spare != NULL;
}

void sfi_em_free(sfi_em *e)
{
    if (e == NULL)
        return;
    sf_context *ctx = e->ctx;
    const size_t n = (size_t)e->n, d = (size_t)e->d, most = (size_t)e->most;
    const size_t whole = (size_t)whole_rows(e), chunks = chunks_of(e);
    free_components(ctx, &e->best, e->most);
    free_components(ctx, &e->now, e->most);
    sfi_free(ctx, e->spare, d * d, sizeof *e->spare);
    sfi_free(ctx, e->log_scale, most, sizeof *e->log_scale);
    sfi_free(ctx, e->factor, most * d * d, sizeof *e->factor);
    sfi_free(ctx, e->nearest, n, sizeof *e->nearest);
    sfi_free(ctx, e->sums, chunks, sizeof *e->sums);
    sfi_free(ctx, e->z, chunks * d * CHUNK, sizeof *e->z);
    sfi_free(ctx, e->share, most * whole, sizeof *e->share);
    sfi_free(ctx, e->correlation, d * d, sizeof *e->correlation);
    sfi_free(ctx, e->columns, whole * d, sizeof *e->columns);
    sfi_free(ctx, e->rows, n * d, sizeof *e->rows);
    sfi_moments_free(e->moments);
    sfi_squarem_free(e->squarem);
    sfi_em_missing_free(e->missing);
    sfi_free(ctx, e, 1, sizeof *e);
}

/* Rows as they are, and by columns. */
static void copy_rows(sfi_em *e, sf_cmat y)
{
    for (int64_t i = 0; i < e->n; i++)
        for (int64_t j = 0; j < e->d; j++)
            e->rows[i * e->d + j] = e->columns[j * e->n + i] =
                y.data[i * y.stride + j];
}

/* Rows that the first means are drawn from: with medians where cells are missing.
 * `nearest` and `cells` [n] are not in use yet. */
static void fill_rows(sfi_em *e, sf_cmat y, double *cells)
{
    for (int64_t j = 0; j < e->d; j++) {
        int64_t count = 0;
        for (int64_t i = 0; i < e->n; i++) {
            const double cell = y.data[i * y.stride + j];
            e->rows[i * e->d + j] = cell;
            if (!isnan(cell))
                cells[count++] = cell;
        }
        sfi_sort(cells, e->nearest, count);
        const double median = count > 0 ? sfi_quantile(cells, count, 0.5) : 0.0;
        for (int64_t i = 0; i < e->n; i++)
            if (isnan(e->rows[i * e->d + j]))
                e->rows[i * e->d + j] = median;
    }
}

static sf_status plan_missing(sfi_em *e, sf_cmat y)
{
    sf_context *ctx = e->ctx;
    const size_t n = (size_t)e->n;
    double *cells = sfi_alloc(ctx, n, sizeof *cells);
    if (cells == NULL)
        return SF_E_NOMEM;
    fill_rows(e, y, cells);
    sfi_free(ctx, cells, n, sizeof *cells);
    return sfi_squarem_new(ctx, &e->squarem, e->most, e->d);
}

sf_status sfi_em_new(sf_context *ctx, sfi_em **out, sf_cmat y,
                     const double *correlation, int64_t most)
{
    *out = NULL;
    sfi_em *e = sfi_alloc_zero(ctx, 1, sizeof *e);
    if (e == NULL)
        return SF_E_NOMEM;
    e->ctx = ctx;
    e->n = y.rows;
    e->d = y.cols;
    e->most = most;
    e->loops = sfi_loops_for(SF_F64);
    e->now.dim = e->best.dim = y.cols;
    sf_status status = SF_OK;
    if (sfi_has_missing(y))
        status = sfi_em_missing_new(ctx, &e->missing, y, most);
    if (status == SF_OK)
        status = allocate(e) ? SF_OK : SF_E_NOMEM;
    if (status == SF_OK)
        status = sfi_moments_new(ctx, &e->moments, e->d);
    if (status == SF_OK && e->missing != NULL)
        status = plan_missing(e, y);
    if (status != SF_OK) {
        sfi_em_free(e);
        return status;
    }
    if (e->missing == NULL)
        copy_rows(e, y);
    memcpy(e->correlation, correlation,
           (size_t)(e->d * e->d) * sizeof *correlation);
    *out = e;
    return SF_OK;
}

/* ---- the prior ---------------------------------------------------------------- */

/* L is this times the correlations. */
static double prior_scale(const sfi_em *e)
{
    return e->pseudo_rows >= 0.0
               ? e->pseudo_rows
               : pow((double)e->now.count, -2.0 / (double)e->d);
}

/* v + d + 2, or v': what the prior counts in the divisor of a covariance. */
static double prior_rows(const sfi_em *e)
{
    return e->pseudo_rows >= 0.0 ? e->pseudo_rows : 2.0 * (double)e->d + 4.0;
}

static double prior_shrinkage(const sfi_em *e)
{
    return e->pseudo_rows >= 0.0 ? 0.0 : shrinkage;
}

/* ln of the prior density of component k, up to what is the same for all values. */
static double log_prior(sfi_em *e, int64_t k)
{
    const int64_t d = e->d;
    const double *l = e->factor + k * d * d, *mean = e->now.mean + k * d;
    double *inverse = e->spare;
    if (e->pseudo_rows == 0.0)
        return 0.0;
    sfi_cholesky_inverse(inverse, l, d);
    double trace = 0.0, square = 0.0;
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < d; j++) {
            trace += inverse[i * d + j] * e->correlation[i * d + j];
            square += mean[i] * inverse[i * d + j] * mean[j];
        }
    return -0.5 * prior_rows(e) * sfi_cholesky_log_det(l, d) -
           0.5 * prior_scale(e) * trace - 0.5 * prior_shrinkage(e) * square;
}

/* ---- expectation --------------------------------------------------------------- */

static sf_status factorise(sfi_em *e)
{
    const double log_two_pi = 1.8378770664093453;
    const int64_t d = e->d;
    for (int64_t k = 0; k < e->now.count; k++) {
        double *l = e->factor + k * d * d;
        SFI_TRY(sfi_cholesky(e->ctx, l, e->now.covariance + k * d * d, d,
                             "covariance of a component", NULL));
        e->log_scale[k] =
            log(e->now.weight[k]) -
            0.5 * ((double)d * log_two_pi + sfi_cholesky_log_det(l, d));
    }
    return SF_OK;
}

/* ln w_k N(y; m_k, S_k) of the rows of a chunk: z = L^-1 (y - m) by substitution,
 * row after row of L, with the points innermost. */
static void log_densities(const sfi_em *e, int64_t k, int64_t first,
                          int64_t count, double *z, double *out)
{
    const int64_t d = e->d;
    const double *l = e->factor + k * d * d, *mean = e->now.mean + k * d;
    for (int64_t i = 0; i < count; i++)
        out[i] = 0.0;
    for (int64_t j = 0; j < d; j++) {
        const double *y = e->columns + j * e->n + first;
        double *zj = z + j * CHUNK;
        for (int64_t i = 0; i < count; i++)
            zj[i] = y[i] - mean[j];
        for (int64_t p = 0; p < j; p++) {
            /* Places beyond the last row hold what nobody reads. */
            const double a = -l[j * d + p];
            e->loops->ew[SFI_EW_FMA][1](zj, &a, z + p * CHUNK, zj, CHUNK);
        }
        const double scale = 1.0 / l[j * d + j];
        for (int64_t i = 0; i < count; i++) {
            zj[i] *= scale;
            out[i] += zj[i] * zj[i];
        }
    }
    for (int64_t i = 0; i < count; i++)
        out[i] = e->log_scale[k] - 0.5 * out[i];
}

static void expect_chunk(void *user, int64_t part, int64_t first, int64_t count)
{
    sfi_em *e = user;
    const int64_t n = e->n, components = e->now.count;
    double *z = e->z + part * e->d * CHUNK, sum = 0.0;
    for (int64_t k = 0; k < components; k++)
        log_densities(e, k, first, count, z, e->share + k * n + first);
    for (int64_t i = first; i < first + count; i++) {
        double most = e->share[i], total = 0.0;
        for (int64_t k = 1; k < components; k++)
            most = fmax(most, e->share[k * n + i]);
        for (int64_t k = 0; k < components; k++)
            total += exp(e->share[k * n + i] - most);
        const double log_total = most + log(total);
        for (int64_t k = 0; k < components; k++)
            e->share[k * n + i] = exp(e->share[k * n + i] - log_total);
        sum += log_total;
    }
    e->sums[part] = sum;
}

/* Shares for the components as they are; their log likelihood. */
static sf_status expect(sfi_em *e, double *log_likelihood)
{
    SFI_TRY(factorise(e));
    if (e->missing != NULL)
        return sfi_em_missing_expect(e->missing, &e->now, log_likelihood);
    sfi_parallel(e->ctx, e->n, CHUNK, expect_chunk, e);
    *log_likelihood = 0.0;
    for (int64_t p = 0; p < sfi_parallel_parts(e->n, CHUNK); p++)
        *log_likelihood += e->sums[p];
    return SF_OK;
}

/* ---- maximisation -------------------------------------------------------------- */

/* The weight of a component's rows, their mean and their covariance, as they are or
 * are expected to be. */
static sf_status take_moments(sfi_em *e, int64_t k, double *count, double *mean,
                              double *covariance)
{
    const int64_t d = e->d;
    if (e->missing != NULL) {
        sfi_em_missing_moments(e->missing, k, count, mean, covariance);
        return SF_OK;
    }
    const sf_cmat rows = {e->rows, e->n, d, d};
    sfi_moments_clear(e->moments);
    SFI_TRY(sfi_moments_add(e->moments, rows, e->share + k * e->n));
    *count = sfi_moments_weight(e->moments);
    memset(mean, 0, (size_t)d * sizeof *mean);
    memset(covariance, 0, (size_t)(d * d) * sizeof *covariance);
    if (!(*count > DBL_MIN))
        return SF_OK;
    SFI_TRY(sfi_moments_mean(e->moments, mean));
    return sfi_moments_covariance(e->moments, covariance, SFI_POPULATION);
}

static sf_status maximise_one(sfi_em *e, int64_t k)
{
    const int64_t d = e->d;
    double *mean = e->now.mean + k * d;
    double *covariance = e->now.covariance + k * d * d, count;
    /* A component that has lost its rows is its prior. */
    SFI_TRY(take_moments(e, k, &count, mean, covariance));
    const double a = prior_shrinkage(e), pull = a * count / (a + count);
    const double rest = count + prior_rows(e);
    const double prior = prior_scale(e);
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < d; j++)
            covariance[i * d + j] =
                (prior * e->correlation[i * d + j] +
                 count * covariance[i * d + j] + pull * mean[i] * mean[j]) /
                rest;
    for (int64_t j = 0; j < d; j++)
        mean[j] *= count / (count + a);
    e->now.weight[k] = fmax(count / (double)e->n, DBL_MIN);
    return SF_OK;
}

static sf_status maximise(sfi_em *e)
{
    for (int64_t k = 0; k < e->now.count; k++)
        SFI_TRY(maximise_one(e, k));
    return SF_OK;
}

/* ---- runs ---------------------------------------------------------------------- */

static const char *name_of(const sfi_em *e)
{
    return e->pseudo_rows >= 0.0 ? "gaussian" : "mixture";
}

static bool goes_on(sfi_em *e, int64_t done, int64_t of, double value)
{
    const sf_progress p = {.stage = name_of(e),
                           .step = done,
                           .steps = of,
                           .loss = -value,
                           .held_out = NAN};
    return sfi_progress(e->ctx, &p, false);
}

/* The log likelihood of the components as they are, and their log posterior. */
static sf_status judge(sfi_em *e, sfi_em_result *r)
{
    SFI_TRY(expect(e, &r->log_likelihood));
    r->posterior = r->log_likelihood;
    for (int64_t k = 0; k < e->now.count; k++)
        r->posterior += log_prior(e, k);
    if (isfinite(r->posterior))
        return SF_OK;
    return SFI_FAIL(e->ctx, SF_E_NUMERIC,
                    "%s: the likelihood of %lld components is not finite",
                    name_of(e), (long long)e->now.count);
}

/* The same after a leap, which is taken back if it led down. */
static sf_status judge_leap(sfi_em *e, double before, sfi_em_result *r)
{
    const sf_status status = judge(e, r);
    if (status == SF_OK && r->posterior >= before)
        return SF_OK;
    if (status != SF_OK && status != SF_E_NUMERIC)
        return status;
    sfi_message_clear(e->ctx);
    sfi_squarem_retreat(e->squarem, &e->now);
    return judge(e, r);
}

/* Iterate from the components as they are until nothing is gained. */
static sf_status iterate(sfi_em *e, int64_t most, double tolerance,
                         sfi_em_result *r)
{
    bool leapt = false;
    r->converged = false;
    if (e->squarem != NULL)
        sfi_squarem_begin(e->squarem, &e->now);
    for (r->iterations = 0;; r->iterations++) {
        const double before = r->posterior;
        SFI_TRY(leapt ? judge_leap(e, before, r) : judge(e, r));
        r->converged = r->iterations > 0 &&
                       r->posterior - before < tolerance * (double)e->n;
        if (r->converged || r->iterations == most)
            return SF_OK;
        if (!goes_on(e, r->iterations, most, r->log_likelihood / (double)e->n))
            return SFI_FAIL(e->ctx, SF_E_CANCELLED, "%s: stopped", name_of(e));
        SFI_TRY(maximise(e));
        leapt = e->squarem != NULL && sfi_squarem_leap(e->squarem, &e->now);
    }
}

/* Row i becomes the mean of component k, and rows are nearer to one now. */
static void seed_mean(sfi_em *e, int64_t k, int64_t row)
{
    const int64_t d = e->d;
    double *mean = e->now.mean + k * d;
    memcpy(mean, e->rows + row * d, (size_t)d * sizeof *mean);
    for (int64_t i = 0; i < e->n; i++) {
        double square = 0.0;
        for (int64_t j = 0; j < d; j++) {
            const double gap = e->rows[i * d + j] - mean[j];
            square += gap * gap;
        }
        e->nearest[i] = k == 0 ? square : fmin(e->nearest[i], square);
    }
}

/* K-means++ (D. Arthur, S. Vassilvitskii, SODA 2007): a row by its squared distance
 * from the means there are. */
static void seed(sfi_em *e, uint64_t seed, int64_t start)
{
    const int64_t d = e->d, n = e->n;
    for (int64_t k = 0; k < e->now.count; k++) {
        const sfi_where where = {seed, (uint64_t)start, (uint32_t)k,
                                 SFI_STREAM_WEIGHTS};
        const double u = sfi_uniform_at(where, (uint32_t)e->now.count);
        double total = 0.0;
        for (int64_t i = 0; i < n && k > 0; i++)
            total += e->nearest[i];
        int64_t row = (int64_t)(u * (double)n);
        double sum = 0.0;
        for (int64_t i = 0; i < n && total > 0.0; i++) {
            sum += e->nearest[i];
            row = i;
            if (u * total < sum)
                break;
        }
        seed_mean(e, k, row);
        e->now.weight[k] = 1.0 / (double)e->now.count;
        for (int64_t i = 0; i < d * d; i++)
            e->now.covariance[k * d * d + i] =
                prior_scale(e) * e->correlation[i];
    }
}

sf_status sfi_em_refine(sfi_em *e, sfi_components *c, const sfi_em_options *o,
                        sfi_em_result *result)
{
    copy_components(&e->now, c);
    e->pseudo_rows = o->pseudo_rows;
    *result = (sfi_em_result){0};
    SFI_TRY(iterate(e, o->iterations, o->tolerance, result));
    copy_components(c, &e->now);
    return SF_OK;
}

sf_status sfi_em_fit(sfi_em *e, sfi_components *out, const sfi_em_options *o,
                     sfi_em_result *result)
{
    e->now.count = out->count;
    e->pseudo_rows = o->pseudo_rows;
    const int64_t starts = out->count > 1 ? o->starts : 1;
    double best = -INFINITY;
    for (int64_t s = 0; s < starts; s++) {
        sfi_em_result r = {0};
        seed(e, o->seed, s);
        SFI_TRY(iterate(e,
                        o->iterations < SHORT_ITERATIONS ? o->iterations
                                                         : SHORT_ITERATIONS,
                        o->tolerance, &r));
        if (r.posterior > best) {
            best = r.posterior;
            copy_components(&e->best, &e->now);
        }
    }
    copy_components(out, &e->best);
    return sfi_em_refine(e, out, o, result);
}
