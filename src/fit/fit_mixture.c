/* SPDX-License-Identifier: Apache-2.0 */
/* fit_mixture.c - how many normal distributions a table is a mixture of, and which.
 *
 * Columns are standardised, and their correlations R shrunken to
 *
 *     (1 - s) R + s I,     s = min(1, b/c),   b = (sum_i |y_i|^4 / n - |R|^2)/n,
 *                                             c = |R - I|^2
 *
 * (O. Ledoit, M. Wolf 2004, with the identity as the target), which is the prior's
 * scale; with missing cells the correlations are those of one normal distribution
 * (normal_em.c), whose prior shrinks them.  Then each number of components is fitted by em.c: of a large table to rows
 * drawn from it, and the best one of these goes on with all rows. */
#include "base/context.h"
#include "base/random.h"
#include "fit/em_missing.h"
#include "fit/normal_em.h"
#include "model/gaussian_mixture.h"
#include "num/linalg.h"
#include "num/moments.h"
#include "num/patterns.h"
#include "scorefield/mixture.h"

#include <math.h>
#include <string.h>

enum {
    PATIENCE = 3, /* K in a row that do not lower BIC */
    SEARCH_ROWS = SF_MIXTURE_SEARCH_ROWS
};

typedef struct mixture_job {
    sf_context *ctx;
    const sf_mixture_options *o;
    int64_t n, d, most;  /* rows with a cell    */
    int64_t room;        /* rows of the table   */
    double *y;           /* [room, d], the first n standardised */
    double *mean, *sd;   /* [d]                 */
    double *correlation; /* [d, d]              */
    sfi_components found, best;
} mixture_job;

/* ---- rows ---------------------------------------------------------------------- */

static sf_status check_rows(sf_context *ctx, sf_cmat data,
                            const char *const *names)
{
    SFI_TRY(sfi_check_table(ctx, data, false, "mixture: data"));
    if (data.rows < 2)
        return SFI_FAIL(ctx, SF_E_ARG, "mixture: %lld rows, want at least 2",
                        (long long)data.rows);
    return sfi_has_missing(data)
               ? SF_OK
               : sfi_check_finite(ctx, data, 0, names, "mixture");
}

static sf_status check_options(sf_context *ctx, const sf_mixture_options *o,
                               int64_t rows)
{
    if (o->components < 0 || o->components > SFI_MOST_COMPONENTS ||
        o->most < 1 || o->most > SFI_MOST_COMPONENTS)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "mixture: components is %lld and most %lld, want 0 to "
                        "%d and 1 to %d",
                        (long long)o->components, (long long)o->most,
                        (int)SFI_MOST_COMPONENTS, (int)SFI_MOST_COMPONENTS);
    if (o->components > rows)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "mixture: %lld components of %lld rows, want no more "
                        "than rows",
                        (long long)o->components, (long long)rows);
    if (o->starts < 1 || o->iterations < 1 || !(o->tolerance > 0.0) ||
        !isfinite(o->tolerance))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "mixture: starts is %lld, iterations %lld, tolerance "
                        "%g; want at least 1, 1, and > 0",
                        (long long)o->starts, (long long)o->iterations,
                        o->tolerance);
    return SF_OK;
}

/* Means, standard deviations and correlations; then standardised rows. */
static sf_status standardise(mixture_job *j, sf_cmat data,
                             const char *const *names)
{
    sfi_moments *moments = NULL;
    SFI_TRY(sfi_moments_new(j->ctx, &moments, j->d));
    sf_status status = sfi_moments_add(moments, data, NULL);
    if (status == SF_OK)
        status = sfi_moments_mean(moments, j->mean);
    if (status == SF_OK)
        status =
            sfi_moments_covariance(moments, j->correlation, SFI_POPULATION);
    sfi_moments_free(moments);
    SFI_TRY(status);
    for (int64_t k = 0; k < j->d; k++) {
        j->sd[k] = sqrt(j->correlation[k * j->d + k]);
        if (!(j->sd[k] > 0.0) || !isfinite(j->sd[k]))
            return SFI_FAIL(j->ctx, SF_E_NUMERIC,
                            "mixture: column \"%s\" is constant, or too large; "
                            "leave it out",
                            names != NULL ? names[k] : "?");
    }
    for (int64_t k = 0; k < j->d * j->d; k++)
        j->correlation[k] /= j->sd[k / j->d] * j->sd[k % j->d];
    for (int64_t i = 0; i < j->n; i++)
        for (int64_t k = 0; k < j->d; k++)
            j->y[i * j->d + k] =
                (data.data[i * data.stride + k] - j->mean[k]) / j->sd[k];
    return SF_OK;
}

/* The same of the cells that are there; the correlations are the prior's scale. */
static sf_status standardise_cells(mixture_job *j, sf_cmat data,
                                   const char *const *names,
                                   sf_mixture_fit *fit)
{
    const int64_t d = j->d;
    const sf_mixture_options *o = j->o;
    SFI_TRY(sfi_standardise_cells(j->ctx, data, names, "mixture", j->y, &j->n,
                                  j->mean, j->sd));
    for (int64_t i = 0; i < j->n * d; i++)
        fit->missing += isnan(j->y[i]);
    double *mean = sfi_alloc(j->ctx, (size_t)d, sizeof *mean);
    if (mean == NULL)
        return SF_E_NOMEM;
    sfi_em_result r;
    const sf_status status = sfi_normal_em(
        j->ctx, (sf_cmat){j->y, j->n, d, d}, (double)SFI_PRIOR_ROWS,
        o->iterations, o->tolerance, mean, j->correlation, &r);
    for (int64_t i = 0; i < d; i++)
        mean[i] = sqrt(j->correlation[i * d + i]);
    for (int64_t i = 0; i < d * d; i++)
        j->correlation[i] /= mean[i / d] * mean[i % d];
    sfi_free(j->ctx, mean, (size_t)d, sizeof *mean);
    return status;
}

static void shrink(mixture_job *j)
{
    const int64_t d = j->d;
    const double n = (double)j->n;
    double fourth = 0.0, squares = 0.0, apart = 0.0;
    for (int64_t i = 0; i < j->n; i++) {
        double square = 0.0;
        for (int64_t k = 0; k < d; k++)
            square += j->y[i * d + k] * j->y[i * d + k];
        fourth += square * square / n;
    }
    for (int64_t k = 0; k < d * d; k++) {
        const double r = j->correlation[k], one = k / d == k % d ? 1.0 : 0.0;
        squares += r * r;
        apart += (r - one) * (r - one);
    }
    const double b = (fourth - squares) / n;
    const double s = apart > b ? b / apart : 1.0;
    for (int64_t k = 0; k < d * d; k++)
        if (k / d != k % d)
            j->correlation[k] *= 1.0 - s;
}

static sf_status prepare(mixture_job *j, sf_cmat data, const char *const *names,
                         sf_mixture_fit *fit)
{
    if (sfi_has_missing(data)) {
        SFI_TRY(standardise_cells(j, data, names, fit));
        return check_options(j->ctx, j->o, j->n);
    }
    SFI_TRY(standardise(j, data, names));
    shrink(j);
    return SF_OK;
}

/* ---- components ----------------------------------------------------------------- */

static double criterion(int64_t n, int64_t dim, int64_t k,
                        double log_likelihood)
{
    const double d = (double)dim, m = (double)k;
    const double free = m - 1.0 + m * d + 0.5 * m * d * (d + 1.0);
    return free * log((double)n) - 2.0 * log_likelihood;
}

static void take_result(const mixture_job *j, int64_t n, const sfi_em_result *r,
                        sf_mixture_fit *fit)
{
    fit->components = j->best.count;
    fit->iterations = r->iterations;
    fit->converged = r->converged;
    fit->log_likelihood = r->log_likelihood;
    fit->bic = criterion(n, j->d, j->best.count, r->log_likelihood);
}

/* A plan for rows drawn without replacement. */
static sf_status plan_sample(mixture_job *j, sfi_em **em)
{
    const size_t n = (size_t)j->n, d = (size_t)j->d;
    int64_t *order = sfi_alloc(j->ctx, n, sizeof *order);
    double *rows = sfi_alloc(j->ctx, SEARCH_ROWS * d, sizeof *rows);
    sf_status status = order != NULL && rows != NULL ? SF_OK : SF_E_NOMEM;
    if (status == SF_OK) {
        for (int64_t i = 0; i < j->n; i++)
            order[i] = i;
        sfi_shuffle(j->o->seed, 0, order, j->n);
        for (int64_t i = 0; i < SEARCH_ROWS; i++)
            memcpy(rows + (size_t)i * d, j->y + (size_t)order[i] * d,
                   d * sizeof *rows);
        status =
            sfi_em_new(j->ctx, em, (sf_cmat){rows, SEARCH_ROWS, j->d, j->d},
                       j->correlation, j->most);
    }
    sfi_free(j->ctx, rows, SEARCH_ROWS * d, sizeof *rows);
    sfi_free(j->ctx, order, n, sizeof *order);
    return status;
}

/* The K of smallest BIC, of the n rows of the plan. */
static sf_status choose(mixture_job *j, sfi_em *em, const sfi_em_options *how,
                        int64_t n, sf_mixture_fit *fit)
{
    const int64_t first = j->o->components > 0 ? j->o->components : 1;
    int64_t worse = 0;
    fit->bic = INFINITY;
    for (int64_t k = first; k <= j->most && k <= n && worse < PATIENCE; k++) {
        sfi_em_result r;
        j->found.count = k;
        SFI_TRY(sfi_em_fit(em, &j->found, how, &r));
        fit->tried++;
        worse++;
        if (!(criterion(n, j->d, k, r.log_likelihood) < fit->bic))
            continue;
        worse = 0;
        const sfi_components spare = j->best;
        j->best = j->found;
        j->found = spare;
        take_result(j, n, &r, fit);
    }
    return SF_OK;
}

static sf_status search(mixture_job *j, sf_mixture_fit *fit)
{
    const sf_mixture_options *o = j->o;
    const sfi_em_options how = {.starts = o->starts,
                                .iterations = o->iterations,
                                .tolerance = o->tolerance,
                                .seed = o->seed,
                                .pseudo_rows = -1.0};
    const sf_cmat all = {j->y, j->n, j->d, j->d};
    const bool sampled = j->n > SEARCH_ROWS;
    sfi_em *em = NULL;
    SFI_TRY(sampled ? plan_sample(j, &em)
                    : sfi_em_new(j->ctx, &em, all, j->correlation, j->most));
    sf_status status = choose(j, em, &how, sampled ? SEARCH_ROWS : j->n, fit);
    sfi_em_free(em);
    if (status != SF_OK || !sampled)
        return status;
    sfi_em_result r;
    SFI_TRY(sfi_em_new(j->ctx, &em, all, j->correlation, j->best.count));
    status = sfi_em_refine(em, &j->best, &how, &r);
    sfi_em_free(em);
    SFI_TRY(status);
    take_result(j, j->n, &r, fit);
    return SF_OK;
}

/* Likelihoods were those of standardised columns. */
static void to_units(const mixture_job *j, sf_mixture_fit *fit)
{
    double volume = 0.0;
    for (int64_t k = 0; k < j->d; k++) {
        int64_t cells = 0;
        for (int64_t i = 0; i < j->n; i++)
            cells += !isnan(j->y[i * j->d + k]);
        volume += (double)cells * log(j->sd[k]);
    }
    fit->log_likelihood -= volume;
    fit->bic += 2.0 * volume;
    fit->rows = j->n;
}

static sf_status make_model(const mixture_job *j, const char *const *names,
                            sf_model **out)
{
    const sfi_components *c = &j->best;
    const int64_t d = j->d;
    sf_model *m = NULL;
    SFI_TRY(sfi_mixture_declare_model(j->ctx, &m, d, names, c->count));
    memcpy(m->mean, j->mean, (size_t)d * sizeof *m->mean);
    memcpy(m->scale, j->sd, (size_t)d * sizeof *m->scale);
    double sum = 0.0;
    for (int64_t k = 0; k < c->count; k++)
        sum += c->weight[k];
    sf_status status = SF_OK;
    for (int64_t k = 0; k < c->count && status == SF_OK; k++)
        status = sfi_mixture_set(m, k, c->weight[k] / sum, c->mean + k * d,
                                 c->covariance + k * d * d);
    if (status != SF_OK) {
        sf_model_free(m);
        return status;
    }
    *out = m;
    return SF_OK;
}

/* ---- memory ------------------------------------------------------------------ */

static bool new_components(const mixture_job *j, sfi_components *c)
{
    const size_t most = (size_t)j->most, d = (size_t)j->d;
    c->dim = j->d;
    c->weight = sfi_alloc(j->ctx, most, sizeof *c->weight);
    c->mean = sfi_alloc(j->ctx, most * d, sizeof *c->mean);
    c->covariance = sfi_alloc(j->ctx, most * d * d, sizeof *c->covariance);
    return c->weight != NULL && c->mean != NULL && c->covariance != NULL;
}

static void free_components(const mixture_job *j, sfi_components *c)
{
    const size_t most = (size_t)j->most, d = (size_t)j->d;
    sfi_free(j->ctx, c->weight, most, sizeof *c->weight);
    sfi_free(j->ctx, c->mean, most * d, sizeof *c->mean);
    sfi_free(j->ctx, c->covariance, most * d * d, sizeof *c->covariance);
}

static bool allocate(mixture_job *j)
{
    const size_t n = (size_t)j->room, d = (size_t)j->d;
    j->y = sfi_alloc(j->ctx, n * d, sizeof *j->y);
    j->mean = sfi_alloc(j->ctx, d, sizeof *j->mean);
    j->sd = sfi_alloc(j->ctx, d, sizeof *j->sd);
    j->correlation = sfi_alloc(j->ctx, d * d, sizeof *j->correlation);
    const bool parts =
        new_components(j, &j->found) && new_components(j, &j->best);
    return parts && j->y != NULL && j->mean != NULL && j->sd != NULL &&
           j->correlation != NULL;
}

static void release(mixture_job *j)
{
    const size_t n = (size_t)j->room, d = (size_t)j->d;
    free_components(j, &j->best);
    free_components(j, &j->found);
    sfi_free(j->ctx, j->correlation, d * d, sizeof *j->correlation);
    sfi_free(j->ctx, j->sd, d, sizeof *j->sd);
    sfi_free(j->ctx, j->mean, d, sizeof *j->mean);
    sfi_free(j->ctx, j->y, n * d, sizeof *j->y);
}

sf_status sf_fit_mixture(sf_context *ctx, sf_model **out, sf_cmat data,
                         const char *const *names,
                         const sf_mixture_options *options, sf_mixture_fit *fit)
{
    *out = NULL;
    sf_mixture_options o = SF_MIXTURE_OPTIONS_INIT;
    sf_mixture_fit found = SF_MIXTURE_FIT_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, options));
    SFI_TRY(check_rows(ctx, data, names));
    SFI_TRY(check_options(ctx, &o, data.rows));
    const int64_t most = o.components > 0 ? o.components : o.most;
    mixture_job j = {.ctx = ctx,
                     .o = &o,
                     .n = data.rows,
                     .room = data.rows,
                     .d = data.cols,
                     .most = most < data.rows ? most : data.rows};
    sf_status status =
        allocate(&j) ? prepare(&j, data, names, &found) : SF_E_NOMEM;
    if (status == SF_OK)
        status = search(&j, &found);
    if (status == SF_OK)
        status = make_model(&j, names, out);
    if (status == SF_OK) {
        to_units(&j, &found);
        if (!found.converged)
            sfi_warn(ctx,
                     "the mixture of %lld components did not converge in %lld "
                     "iterations",
                     (long long)found.components, (long long)o.iterations);
    }
    release(&j);
    if (status == SF_OK && fit != NULL)
        sfi_result(fit, &found, sizeof found);
    return status;
}
