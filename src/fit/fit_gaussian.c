/* SPDX-License-Identifier: Apache-2.0 */
/* fit_gaussian.c - mean and covariance: in one pass over the rows, or, where cells are
 * missing, by expectation and maximisation in standardised columns. */
#include "base/context.h"
#include "fit/em_missing.h"
#include "fit/normal_em.h"
#include "model/model.h"
#include "num/linalg.h"
#include "num/moments.h"
#include "num/patterns.h"
#include "scorefield/fit.h"

#include <math.h>
#include <string.h>

enum { BLOCK_ROWS = 8192 };

static sf_status add_block(sf_context *ctx, sfi_moments *moments, sf_cmat block,
                           int64_t first, const char *const *names)
{
    SFI_TRY(sfi_check_finite(ctx, block, first, names, "gaussian"));
    return sfi_moments_add(moments, block, NULL);
}

static sf_status finish(sf_context *ctx, sf_model **out, int64_t dim,
                        const char *const *names, const sfi_moments *moments)
{
    if (sfi_moments_rows(moments) <= dim)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "gaussian: %lld rows for %lld columns, want at least "
                        "%lld, or the covariance is singular",
                        (long long)sfi_moments_rows(moments), (long long)dim,
                        (long long)dim + 1);
    const size_t d = (size_t)dim;
    double *mean = sfi_alloc(ctx, d, sizeof *mean);
    double *covariance = sfi_alloc(ctx, d * d, sizeof *covariance);
    sf_status status = mean != NULL && covariance != NULL ? SF_OK : SF_E_NOMEM;
    if (status == SF_OK)
        status = sfi_moments_mean(moments, mean);
    if (status == SF_OK)
        status = sfi_moments_covariance(moments, covariance, SFI_POPULATION);
    if (status == SF_OK)
        status = sf_gaussian_new(ctx, out, dim, names, mean, covariance);
    sfi_free(ctx, covariance, d * d, sizeof *covariance);
    sfi_free(ctx, mean, d, sizeof *mean);
    return status;
}

sf_status sf_fit_gaussian_rows(sf_context *ctx, sf_model **out, int64_t dim,
                               const char *const *names, sf_rows_fn rows,
                               void *user, int64_t *row_count)
{
    *out = NULL;
    sfi_moments *moments = NULL;
    SFI_TRY(sfi_moments_new(ctx, &moments, dim));
    const size_t cells = (size_t)(BLOCK_ROWS * dim);
    double *block = sfi_alloc(ctx, cells, sizeof *block);
    sf_status status = block != NULL ? SF_OK : SF_E_NOMEM;
    int64_t total = 0;
    while (status == SF_OK) {
        const int64_t n = rows(user, block, BLOCK_ROWS);
        if (n < 0)
            status = SF_E_IO; /* the callback left its message */
        if (n <= 0)
            break;
        status = add_block(ctx, moments, (sf_cmat){block, n, dim, dim}, total,
                           names);
        total += n;
    }
    if (status == SF_OK)
        status = finish(ctx, out, dim, names, moments);
    if (row_count != NULL)
        *row_count = total;
    sfi_free(ctx, block, cells, sizeof *block);
    sfi_moments_free(moments);
    return status;
}

/* ---- complete rows -------------------------------------------------------------- */

/* The mean squared distance of rows in units of their own covariance is d. */
static double own_likelihood(const sf_model *m, int64_t rows)
{
    const double log_two_pi = 1.8378770664093453;
    const double *values = m->weights + m->dim * m->dim;
    double sum = (double)m->dim * (log_two_pi + 1.0);
    for (int64_t j = 0; j < m->dim; j++)
        sum += log(values[j]) + 2.0 * log(m->scale[j]);
    return -0.5 * (double)rows * sum;
}

static sf_status fit_complete(sf_context *ctx, sf_model **out, sf_cmat data,
                              const char *const *names, sf_gaussian_fit *fit)
{
    sfi_moments *moments = NULL;
    SFI_TRY(sfi_moments_new(ctx, &moments, data.cols));
    sf_status status = add_block(ctx, moments, data, 0, names);
    if (status == SF_OK)
        status = finish(ctx, out, data.cols, names, moments);
    sfi_moments_free(moments);
    if (status == SF_OK) {
        fit->rows = data.rows;
        fit->converged = true;
        fit->log_likelihood = own_likelihood(*out, data.rows);
    }
    return status;
}

/* ---- with missing cells, or a prior --------------------------------------------- */

static int64_t count_missing(sf_cmat y)
{
    int64_t missing = 0;
    for (int64_t i = 0; i < y.rows; i++)
        for (int64_t j = 0; j < y.cols; j++)
            missing += isnan(y.data[i * y.stride + j]);
    return missing;
}

/* Moments of standardised columns become those of the data, and likelihoods too. */
static void to_units(int64_t d, int64_t n, const double *offset,
                     const double *sd, sf_cmat y, double *mean,
                     double *covariance, sf_gaussian_fit *fit)
{
    for (int64_t i = 0; i < d; i++) {
        mean[i] = offset[i] + sd[i] * mean[i];
        for (int64_t j = 0; j < d; j++)
            covariance[i * d + j] *= sd[i] * sd[j];
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < d; j++)
            if (!isnan(y.data[i * d + j]))
                fit->log_likelihood -= log(sd[j]);
}

/* parts: offset, sd and mean [d] each, covariance [d, d]; then rows [n, d]. */
static sf_status fit_with_parts(sf_context *ctx, sf_model **out, sf_cmat data,
                                const char *const *names,
                                const sf_gaussian_options *o, double *parts,
                                sf_gaussian_fit *fit)
{
    const int64_t d = data.cols;
    double *sd = parts + d, *mean = sd + d, *covariance = mean + d;
    double *rows = covariance + d * d;
    sfi_em_result r;
    SFI_TRY(sfi_standardise_cells(ctx, data, names, "gaussian", rows,
                                  &fit->rows, parts, sd));
    const sf_cmat y = {rows, fit->rows, d, d};
    fit->missing = count_missing(y);
    SFI_TRY(sfi_normal_em(ctx, y, fit->prior_rows, o->iterations, o->tolerance,
                          mean, covariance, &r));
    fit->iterations = r.iterations;
    fit->converged = r.converged;
    fit->log_likelihood = r.log_likelihood;
    to_units(d, fit->rows, parts, sd, y, mean, covariance, fit);
    return sf_gaussian_new(ctx, out, d, names, mean, covariance);
}

static sf_status fit_missing(sf_context *ctx, sf_model **out, sf_cmat data,
                             const char *const *names,
                             const sf_gaussian_options *o, sf_gaussian_fit *fit)
{
    const size_t d = (size_t)data.cols, n = (size_t)data.rows;
    const size_t count = 3 * d + d * d + n * d;
    double *parts = sfi_alloc(ctx, count, sizeof *parts);
    if (parts == NULL)
        return SF_E_NOMEM;
    const sf_status status =
        fit_with_parts(ctx, out, data, names, o, parts, fit);
    sfi_free(ctx, parts, count, sizeof *parts);
    if (status == SF_OK && !fit->converged)
        sfi_warn(ctx, "the gaussian did not converge in %lld iterations",
                 (long long)o->iterations);
    return status;
}

/* ---- the verb ----------------------------------------------------------------- */

static sf_status check(sf_context *ctx, sf_cmat data,
                       const sf_gaussian_options *o)
{
    SFI_TRY(sfi_check_table(ctx, data, false, "gaussian: data"));
    if (!isfinite(o->prior_rows) || o->iterations < 1 ||
        !(o->tolerance > 0.0) || !isfinite(o->tolerance))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "gaussian: prior_rows is %g, iterations %lld, "
                        "tolerance %g; want a finite number, at least 1, and "
                        "> 0",
                        o->prior_rows, (long long)o->iterations, o->tolerance);
    return SF_OK;
}

sf_status sf_fit_gaussian_with(sf_context *ctx, sf_model **out, sf_cmat data,
                               const char *const *names,
                               const sf_gaussian_options *options,
                               sf_gaussian_fit *fit)
{
    sf_gaussian_options o = SF_GAUSSIAN_OPTIONS_INIT;
    sf_gaussian_fit found = SF_GAUSSIAN_FIT_INIT;
    *out = NULL;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, options));
    SFI_TRY(check(ctx, data, &o));
    const bool missing = sfi_has_missing(data);
    found.prior_rows = o.prior_rows >= 0.0 ? o.prior_rows
                       : missing           ? (double)SFI_PRIOR_ROWS
                                           : 0.0;
    const bool iterates = missing || found.prior_rows > 0.0;
    SFI_TRY(iterates ? fit_missing(ctx, out, data, names, &o, &found)
                     : fit_complete(ctx, out, data, names, &found));
    if (fit != NULL)
        sfi_result(fit, &found, sizeof found);
    return SF_OK;
}

sf_status sf_fit_gaussian(sf_context *ctx, sf_model **out, sf_cmat data,
                          const char *const *names)
{
    return sf_fit_gaussian_with(ctx, out, data, names, NULL, NULL);
}
