/* SPDX-License-Identifier: Apache-2.0 */
/* fit_low_rank.c - probabilistic principal components and factor analysis.
 *
 * Both are read off one decomposition.  With columns divided by `unit`, noise variances
 * psi and the eigenvalues t_k and vectors w_k of Psi^-1/2 S Psi^-1/2 the loadings are
 * Psi^1/2 (t_k - 1)^1/2 w_k, and rows with second moments S' have the mean log density
 *
 *     -1/2 [ d ln 2pi + ln det Psi + sum ln t_k + tr S* - sum (1 - 1/t_k) w_k' S* w_k ],
 *
 * S* = Psi^-1/2 S' Psi^-1/2.  Principal components have psi = s^2 for all columns, so that
 * the vectors are those of S for every K, and t_k = l_k/s^2.
 *
 * K is chosen where the held-out rows are likeliest; then all rows are used. */
#include "fit/factors.h"
#include "num/linalg.h"
#include "num/moments.h"
#include "scorefield/fit.h"
#include "scorefield/low_rank.h"

#include <math.h>
#include <string.h>

/* A noise variance below this part of the largest eigenvalue is rounding. */
static const double singular_below = 1e-13;
/* What an eigenvalue must be larger than the noise by. */
static const double stands_out = 1e-9;

/* Numbers of latent variables of factor analysis that may be worse one after the other
 * before no more are tried. */
enum { PATIENCE = 3 };

typedef struct low_rank_job {
    sf_context *ctx;
    bool pca;
    const char *who; /* "pca" or "fa" */
    const char *const *names;
    sf_low_rank_options o;
    sf_cmat data;
    int64_t dim;
    double *mean,
        *held_mean;   /* [d]                                            */
    double *s;        /* [d, d] covariance, of columns over their units */
    double *held;     /* [d, d] of held-out rows about `mean`, likewise */
    double *unit;     /* [d]                                            */
    double *along;    /* [d] v_k' held v_k of principal components      */
    double *spectrum; /* [d] of s, ascending                            */
    sfi_factors f;
} low_rank_job;

/* ---- moments ---------------------------------------------------------------------- */

static sf_status take_moments(const low_rank_job *j, const double *weights,
                              double *mean, double *covariance)
{
    sfi_moments *m = NULL;
    SFI_TRY(sfi_moments_new(j->ctx, &m, j->dim));
    sf_status status = sfi_moments_add(m, j->data, weights);
    if (status == SF_OK)
        status = sfi_moments_mean(m, mean);
    if (status == SF_OK)
        status = sfi_moments_covariance(m, covariance, SFI_POPULATION);
    sfi_moments_free(m);
    return status;
}

/* The columns' units, from their variances; s becomes theirs. */
static sf_status take_units(low_rank_job *j)
{
    const int64_t d = j->dim;
    const bool standardise = !j->pca || j->o.standardise;
    for (int64_t k = 0; k < d; k++) {
        const double variance = j->s[k * d + k];
        if (standardise && !(variance > 0.0))
            return SFI_FAIL(j->ctx, SF_E_NUMERIC,
                            "%s: column \"%s\" is constant; leave it out",
                            j->who, j->names != NULL ? j->names[k] : "?");
        j->unit[k] = standardise ? sqrt(variance) : 1.0;
    }
    for (int64_t i = 0; i < d * d; i++)
        j->s[i] /= j->unit[i / d] * j->unit[i % d];
    return SF_OK;
}

/* Held-out second moments about the mean of the others, in the units. */
static void centre_held(low_rank_job *j)
{
    const int64_t d = j->dim;
    for (int64_t i = 0; i < d; i++)
        for (int64_t k = 0; k < d; k++) {
            const double a = j->held_mean[i] - j->mean[i];
            const double b = j->held_mean[k] - j->mean[k];
            j->held[i * d + k] =
                (j->held[i * d + k] + a * b) / (j->unit[i] * j->unit[k]);
        }
}

/* ---- likelihood ------------------------------------------------------------------- */

/* v' s v */
static double square_along(const double *s, const double *v, int64_t d)
{
    double sum = 0.0;
    for (int64_t i = 0; i < d; i++)
        sum += v[i] * sfi_dot(s + i * d, v, d);
    return sum;
}

/* Mean log density in the data's units of rows whose S* has the trace `trace` and
 * w_k' S* w_k = along[k] / noise, k ascending as the values. */
static double mean_log(const low_rank_job *j, double trace, const double *along,
                       double noise)
{
    const int64_t d = j->dim;
    double sum = (double)d * 1.8378770664093453 + trace;
    for (int64_t k = 0; k < d; k++)
        sum += log(j->f.noise[k]) + 2.0 * log(j->unit[k]);
    for (int64_t k = d - j->f.latent; k < d; k++)
        sum += log(j->f.values[k]) -
               (1.0 - 1.0 / j->f.values[k]) * along[k] / noise;
    return -0.5 * sum;
}

/* Of rows with second moments s, by the factors. */
static double log_under_factors(low_rank_job *j, const double *s)
{
    const int64_t d = j->dim;
    double trace = 0.0;
    for (int64_t i = 0; i < d; i++)
        trace += s[i * d + i] / j->f.noise[i];
    for (int64_t k = d - j->f.latent; k < d; k++) {
        const double *v = j->f.vectors + k * d;
        double sum = 0.0;
        for (int64_t a = 0; a < d; a++)
            for (int64_t b = 0; b < d; b++)
                sum += v[a] * v[b] * s[a * d + b] /
                       sqrt(j->f.noise[a] * j->f.noise[b]);
        j->along[k] = sum;
    }
    return mean_log(j, trace, j->along, 1.0);
}

/* ---- principal components ----------------------------------------------------------- */

static sf_status decompose(low_rank_job *j)
{
    return sfi_eigen_symmetric(j->ctx, j->spectrum, j->f.vectors, j->s, j->dim);
}

/* The noise of K components; whether K directions stand out from it. */
static bool take_components(low_rank_job *j, int64_t latent)
{
    const int64_t d = j->dim;
    double sum = 0.0;
    for (int64_t k = 0; k < d - latent; k++)
        sum += fmax(j->spectrum[k], 0.0);
    const double noise = sum / (double)(d - latent);
    if (!(noise > singular_below * j->spectrum[d - 1]))
        return false;
    j->f.latent = latent;
    for (int64_t k = 0; k < d; k++) {
        j->f.noise[k] = noise;
        j->f.values[k] = j->spectrum[k] / noise;
    }
    return j->f.values[d - latent] > 1.0 + stands_out;
}

/* Likelihood of rows whose second moments along the vectors are along[d]. */
static double log_under_components(const low_rank_job *j, const double *along)
{
    const int64_t d = j->dim;
    const double noise = j->f.noise[0];
    double trace = 0.0;
    for (int64_t k = 0; k < d; k++)
        trace += along[k] / noise;
    return mean_log(j, trace, along, noise);
}

static sf_status say_no_components(low_rank_job *j)
{
    const int64_t wanted = j->o.latent;
    int64_t works = j->dim - 1;
    while (works > 0 && !take_components(j, works))
        works--;
    if (works == 0)
        return SFI_FAIL(j->ctx, SF_E_NUMERIC,
                        "pca: no direction stands out from the others "
                        "(eigenvalues from %.4g to %.4g): a gaussian is all "
                        "there is, or the rows are all the same",
                        j->spectrum[0], j->spectrum[j->dim - 1]);
    return SFI_FAIL(j->ctx, SF_E_NUMERIC,
                    "pca: %lld latent variables leave no noise, or do not all "
                    "stand out from it; want at most %lld",
                    (long long)wanted, (long long)works);
}

/* ---- the number of latent variables --------------------------------------------------- */

static void choose_components(low_rank_job *j, int64_t *best)
{
    const int64_t d = j->dim;
    double most = -INFINITY;
    for (int64_t k = 0; k < d; k++)
        j->along[k] = square_along(j->held, j->f.vectors + k * d, d);
    for (int64_t k = 1; k < d; k++) {
        if (!take_components(j, k))
            continue;
        const double value = log_under_components(j, j->along);
        if (value > most) {
            most = value;
            *best = k;
        }
    }
}

/* (d - K)^2 >= d + K: there are as many correlations as parameters. */
static bool identified(int64_t d, int64_t latent)
{
    return (d - latent) * (d - latent) >= d + latent;
}

static sf_status choose_factors(low_rank_job *j, int64_t *best)
{
    double most = -INFINITY;
    for (int64_t k = 1; k < j->dim && identified(j->dim, k); k++) {
        j->f.latent = k;
        SFI_TRY(sfi_factors_fit(j->ctx, &j->f, j->s, j->o.iterations));
        const double value = log_under_factors(j, j->held);
        const bool all = j->f.values[j->dim - k] > 1.0 + stands_out;
        if (all && value > most) {
            most = value;
            *best = k;
        }
        if (!all || k >= *best + PATIENCE)
            break;
    }
    return SF_OK;
}

static sf_status choose_with(low_rank_job *j, double *weights)
{
    const int64_t n = j->data.rows;
    SFI_TRY(take_moments(j, weights, j->mean, j->s));
    SFI_TRY(take_units(j));
    for (int64_t i = 0; i < n; i++)
        weights[i] = 1.0 - weights[i];
    SFI_TRY(take_moments(j, weights, j->held_mean, j->held));
    centre_held(j);
    int64_t best = 0;
    if (j->pca) {
        SFI_TRY(decompose(j));
        choose_components(j, &best);
    } else {
        SFI_TRY(choose_factors(j, &best));
    }
    j->o.latent = best > 0 ? best : 1;
    return SF_OK;
}

static sf_status choose(low_rank_job *j)
{
    const int64_t n = j->data.rows;
    int64_t *index = sfi_alloc(j->ctx, (size_t)n, sizeof *index);
    double *weights = sfi_alloc(j->ctx, (size_t)n, sizeof *weights);
    sf_status status = SF_E_NOMEM;
    if (index != NULL && weights != NULL) {
        const int64_t held =
            sf_split_rows(j->o.seed, n, j->o.validation, index);
        for (int64_t i = 0; i < n; i++)
            weights[index[i]] = i < held ? 0.0 : 1.0;
        status = held >= 1 && n - held >= 2
                     ? choose_with(j, weights)
                     : SFI_FAIL(j->ctx, SF_E_ARG,
                                "%s: %lld of %lld rows are held out to choose "
                                "the number of latent variables; want at least "
                                "1, and 2 that are not",
                                j->who, (long long)held, (long long)n);
    }
    sfi_free(j->ctx, weights, (size_t)n, sizeof *weights);
    sfi_free(j->ctx, index, (size_t)n, sizeof *index);
    return status;
}

/* ---- all rows ------------------------------------------------------------------------ */

static sf_status fit_components(low_rank_job *j, double *likelihood)
{
    SFI_TRY(decompose(j));
    if (!take_components(j, j->o.latent))
        return say_no_components(j);
    *likelihood = log_under_components(j, j->spectrum);
    return SF_OK;
}

static void warn_of_factors(const low_rank_job *j)
{
    const int64_t d = j->dim;
    if (!j->f.converged)
        sfi_warn(j->ctx,
                 "fa: the iterations ended after %lld before the gradient was "
                 "small",
                 (long long)j->f.iterations);
    if (!identified(d, j->o.latent))
        sfi_warn(j->ctx,
                 "fa: %lld latent variables of %lld columns are more than the "
                 "correlations determine: the noise of the columns is not "
                 "unique",
                 (long long)j->o.latent, (long long)d);
    for (int64_t k = 0; k < d; k++)
        if (j->f.noise[k] <= SFI_FACTORS_BOUND * (1.0 + 1e-12))
            sfi_warn(j->ctx,
                     "fa: column \"%s\" has no noise of its own (a Heywood "
                     "case): its variance is at its bound, %g of the column's; "
                     "fewer latent variables may be enough",
                     j->names != NULL ? j->names[k] : "?", SFI_FACTORS_BOUND);
}

static sf_status fit_factors(low_rank_job *j, double *likelihood)
{
    const int64_t d = j->dim;
    int64_t works = 0;
    j->f.latent = j->o.latent;
    SFI_TRY(sfi_factors_fit(j->ctx, &j->f, j->s, j->o.iterations));
    while (works < j->f.latent && j->f.values[d - 1 - works] > 1.0 + stands_out)
        works++;
    if (works < j->f.latent)
        return SFI_FAIL(j->ctx, SF_E_NUMERIC,
                        "fa: only %lld of %lld latent variables stand out from "
                        "the noise; want fewer",
                        (long long)works, (long long)j->f.latent);
    warn_of_factors(j);
    *likelihood = log_under_factors(j, j->s);
    return SF_OK;
}

/* The noise's standard deviations to `held_mean`, the loadings to `held`. */
static sf_status make_model(const low_rank_job *j, sf_model **out)
{
    const int64_t d = j->dim, latent = j->o.latent;
    for (int64_t i = 0; i < d; i++) {
        j->held_mean[i] = j->unit[i] * sqrt(j->f.noise[i]);
        for (int64_t k = 0; k < latent; k++)
            j->held[i * latent + k] = j->held_mean[i] *
                                      sqrt(j->f.values[d - 1 - k] - 1.0) *
                                      j->f.vectors[(d - 1 - k) * d + i];
    }
    return sf_low_rank_new(j->ctx, out, j->pca, d, j->names, latent, j->mean,
                           j->held, j->held_mean);
}

static sf_status fit_all(low_rank_job *j, sf_model **out, sf_low_rank_fit *fit)
{
    double likelihood = NAN;
    if (j->o.latent == 0)
        SFI_TRY(choose(j));
    SFI_TRY(take_moments(j, NULL, j->mean, j->s));
    SFI_TRY(take_units(j));
    SFI_TRY(j->pca ? fit_components(j, &likelihood)
                   : fit_factors(j, &likelihood));
    SFI_TRY(make_model(j, out));
    fit->latent = j->o.latent;
    fit->log_likelihood = likelihood;
    fit->iterations = j->pca ? 0 : j->f.iterations;
    fit->converged = j->pca || j->f.converged;
    fit->heywood = j->pca ? 0 : j->f.at_bound;
    return SF_OK;
}

static sf_status check(const low_rank_job *j)
{
    const sf_low_rank_options *o = &j->o;
    SFI_TRY(sfi_check_table(j->ctx, j->data, false, j->who));
    if (j->data.rows < 2 || j->dim < 2 || j->dim > SFI_LINALG_MAX)
        return SFI_FAIL(j->ctx, SF_E_ARG,
                        "%s: %lld rows of %lld columns, want 2 rows or more, "
                        "and 2 to %d columns",
                        j->who, (long long)j->data.rows, (long long)j->dim,
                        (int)SFI_LINALG_MAX);
    if (o->latent < 0 || o->latent >= j->dim)
        return SFI_FAIL(j->ctx, SF_E_ARG,
                        "%s: %lld latent variables of %lld columns, want 1 to "
                        "%lld",
                        j->who, (long long)o->latent, (long long)j->dim,
                        (long long)j->dim - 1);
    if (!(o->validation > 0.0) || !(o->validation <= 0.9) || o->iterations < 1)
        return SFI_FAIL(j->ctx, SF_E_ARG,
                        "%s: validation is %g and iterations %lld, want above "
                        "0 to 0.9 and 1 or more",
                        j->who, o->validation, (long long)o->iterations);
    return sfi_check_finite(j->ctx, j->data, 0, j->names, j->who);
}

static sf_status run(low_rank_job *j, sf_model **out, sf_low_rank_fit *fit)
{
    const size_t d = (size_t)j->dim, room = 3 * d * d + 7 * d;
    double *work = sfi_alloc(j->ctx, room, sizeof *work);
    if (work == NULL)
        return SF_E_NOMEM;
    double *const parts[] = {work, work + d * d, work + 2 * d * d};
    double *rows = work + 3 * d * d;
    j->s = parts[0];
    j->held = parts[1];
    j->f.dim = j->dim;
    j->f.vectors = parts[2];
    j->mean = rows;
    j->held_mean = rows + d;
    j->unit = rows + 2 * d;
    j->along = rows + 3 * d;
    j->spectrum = rows + 4 * d;
    j->f.noise = rows + 5 * d;
    j->f.values = rows + 6 * d;
    const sf_status status = fit_all(j, out, fit);
    sfi_free(j->ctx, work, room, sizeof *work);
    return status;
}

static sf_status begin(sf_context *ctx, sf_model **out, bool pca, sf_cmat data,
                       const char *const *names,
                       const sf_low_rank_options *options, sf_low_rank_fit *fit)
{
    sf_low_rank_fit found = SF_LOW_RANK_FIT_INIT;
    low_rank_job j = {.ctx = ctx,
                      .pca = pca,
                      .who = pca ? "pca" : "fa",
                      .names = names,
                      .o = SF_LOW_RANK_OPTIONS_INIT,
                      .data = data,
                      .dim = data.cols};
    *out = NULL;
    SFI_TRY(sfi_options(ctx, &j.o, sizeof j.o, options));
    SFI_TRY(check(&j));
    SFI_TRY(run(&j, out, &found));
    if (fit != NULL)
        memcpy((char *)fit + sizeof fit->size,
               (const char *)&found + sizeof found.size,
               (fit->size < sizeof found ? fit->size : sizeof found) -
                   sizeof found.size);
    return SF_OK;
}

sf_status sf_fit_pca(sf_context *ctx, sf_model **out, sf_cmat data,
                     const char *const *names,
                     const sf_low_rank_options *options, sf_low_rank_fit *fit)
{
    return begin(ctx, out, true, data, names, options, fit);
}

sf_status sf_fit_fa(sf_context *ctx, sf_model **out, sf_cmat data,
                    const char *const *names,
                    const sf_low_rank_options *options, sf_low_rank_fit *fit)
{
    return begin(ctx, out, false, data, names, options, fit);
}
