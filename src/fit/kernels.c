/* SPDX-License-Identifier: Apache-2.0 */
/* kernels.c - noise that suits a table's columns. */
#include "fit/kernels.h"

#include "kernel/path.h"
#include "num/decimal.h"
#include "num/linalg.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What a column holds. */
typedef struct moments {
    double mean, sd;         /* of x    */
    double log_mean, log_sd; /* of ln x */
    double least, most;
} moments;

static bool is_atom(const sf_frame *f, int64_t j, double x)
{
    for (int64_t k = 0; f != NULL && k < sf_frame_atom_count(f, j); k++)
        if (x == sf_frame_atom(f, j, k))
            return true;
    return false;
}

/* Of the cells that are there, without the atoms of a frame. */
static moments moments_without(sf_cmat data, int64_t j, const sf_frame *f)
{
    moments m = {.least = INFINITY, .most = -INFINITY};
    double n = 0.0;
    for (int64_t i = 0; i < data.rows; i++) {
        const double x = data.data[i * data.stride + j];
        n += isnan(x) || is_atom(f, j, x) ? 0.0 : 1.0;
    }
    for (int64_t i = 0; i < data.rows; i++) {
        const double x = data.data[i * data.stride + j];
        if (isnan(x) || is_atom(f, j, x))
            continue;
        m.mean += x / n;
        m.log_mean += (x > 0.0 ? log(x) : 0.0) / n;
        m.least = fmin(m.least, x);
        m.most = fmax(m.most, x);
    }
    for (int64_t i = 0; i < data.rows; i++) {
        const double x = data.data[i * data.stride + j];
        const double y = (x > 0.0 ? log(x) : 0.0) - m.log_mean;
        if (isnan(x) || is_atom(f, j, x))
            continue;
        m.sd += (x - m.mean) * (x - m.mean) / n;
        m.log_sd += y * y / n;
    }
    m.sd = sqrt(m.sd);
    m.log_sd = sqrt(m.log_sd);
    return m;
}

/* Of a column's numbers; where these have no spread, or all cells are atoms, of all. */
static moments moments_of(const sfi_kernel_table *t, int64_t j)
{
    const bool atoms = t->atoms && sf_frame_atom_count(t->frame, j) > 0;
    const moments m = moments_without(t->data, j, atoms ? t->frame : NULL);
    return m.sd > 0.0 || !atoms ? m : moments_without(t->data, j, NULL);
}

static double between(double x, double low, double high)
{
    return fmin(fmax(x, low), high);
}

/* To 4 digits: people will read it, and no more matters. */
static double rounded(double x)
{
    char text[32];
    double value = x;
    snprintf(text, sizeof text, "%.3e", x);
    (void)sfi_number_parse(text, &value);
    return value;
}

static void set_number(sfi_kernel *k, const char *name, double value)
{
    for (int i = 0; i < k->ops->number_count; i++)
        if (strcmp(k->ops->numbers[i].name, name) == 0)
            k->numbers[i] = value;
}

/* Numbers of a kernel that came without any.  Families on the real line work on
 * standardised values along the path that keeps their variance; a prior on the
 * half line or an interval gets the mean of the column, to which means move, and
 * stays wide: the noise of a narrow prior is small beside that motion, and a
 * likelihood of data that has moved is worse for it. */
static sf_status scale_kernel(sf_context *ctx, sfi_kernel *k, const moments *m,
                              const char *name, double *mean, double *scale)
{
    if (k->ops->counts != NULL) /* in units of one */
        return SF_OK;
    const bool has_path = k->ops->number_count > 0 &&
                          strcmp(k->ops->numbers[0].name, "path") == 0;
    if (has_path)
        k->numbers[0] = SFI_PATH_VP;
    if (k->ops->chart == SFI_CHART_REAL && !(m->sd > 0.0))
        return SFI_FAIL(ctx, SF_E_NUMERIC,
                        "kernel: column \"%s\" is %g in every row; a "
                        "constant has no spread to scale noise by",
                        name, m->mean);
    if (k->ops->discrete) { /* in units of one, too, but about its own mean */
        set_number(k, "sigma", rounded(m->sd));
        set_number(k, "mean", rounded(m->mean));
        set_number(k, "least",
                   m->least >= 0.0 ? SFI_LEAST_ZERO : SFI_LEAST_NONE);
    } else if (k->ops->chart == SFI_CHART_REAL) {
        *mean = m->mean;
        *scale = m->sd;
    } else if (has_path) { /* log-normal */
        *scale = rounded(exp(m->log_mean));
        set_number(k, "sigma", rounded(between(m->log_sd, 1e-3, 1e3)));
    } else if (k->ops->chart == SFI_CHART_LOG) {
        set_number(k, "mean", rounded(m->mean));
    } else if (k->ops->chart == SFI_CHART_LOGIT) {
        set_number(k, "mean", rounded(between(m->mean, 0.01, 0.99)));
    }
    return SF_OK;
}

/* `auto`: proportions strictly between 0 and 1 get beta noise, positive columns
 * whose spread is not small beside their mean log-normal noise, all others
 * Gaussian.  A frame knows levels, and what its user said of a column.  Whole numbers
 * beside atoms are not to be rounded to these, and so are whole before. */
static const double most_spread = 100.0;

static const char *auto_kernel(const moments *m, const sfi_kernel_table *t,
                               int64_t j)
{
    const sf_frame *f = t->frame;
    const bool atoms = t->atoms && sf_frame_atom_count(f, j) > 0;
    const sf_kind kind = f != NULL ? sf_frame_kind(f, j) : SF_KIND_KEY;
    if (f != NULL &&
        (sf_frame_level_count(f, j) > 0 || kind == SF_KIND_BOOLEAN))
        return "category";
    if (atoms && kind == SF_KIND_INTEGER && m->sd < most_spread)
        return "integer";
    if (kind == SF_KIND_REAL || kind == SF_KIND_DATE)
        return "gaussian";
    if (kind == SF_KIND_POSITIVE && m->least > 0.0)
        return "lognormal";
    if (m->least > 0.0 && m->most < 1.0)
        return "beta";
    if (m->least > 0.0 && m->sd > 0.3 * m->mean)
        return "lognormal";
    return "gaussian";
}

/* `auto` for every column. */
static sf_status choose_each(sf_context *ctx, sfi_noise *noise,
                             const sfi_kernel_table *t)
{
    SFI_TRY(sfi_noise_new(ctx, noise, t->data.cols));
    for (int64_t j = 0; j < t->data.cols; j++) {
        const moments m = moments_of(t, j);
        sfi_kernel kernel;
        SFI_TRY(sfi_kernel_parse(ctx, &kernel, auto_kernel(&m, t, j)));
        SFI_TRY(sfi_noise_add(ctx, noise, &kernel, 1, &j, t->names));
    }
    return sfi_noise_complete(ctx, noise, t->names);
}

/* ---- levels ------------------------------------------------------------------ */

enum { MOST_LEVELS = 1 << 20 };

/* How many levels a column has: what the frame says, or 1 more than the largest
 * number. */
static sf_status count_levels(sf_context *ctx, const sfi_kernel_table *t,
                              int64_t j, int64_t *count)
{
    *count = t->frame != NULL ? sf_frame_level_count(t->frame, j) : 0;
    const int64_t most = *count > 0 ? *count : MOST_LEVELS;
    for (int64_t i = 0; i < t->data.rows; i++) {
        const double x = t->data.data[i * t->data.stride + j];
        if (isnan(x))
            continue;
        if (!(x >= 0.0 && x < (double)most && x == floor(x)))
            return SFI_FAIL(ctx, SF_E_NUMERIC,
                            "kernel category: row %lld, column \"%.200s\": %g "
                            "is not the number of one of at most %lld levels",
                            (long long)i + 1, t->names[j], x, (long long)most);
        *count = (int64_t)x >= *count ? (int64_t)x + 1 : *count;
    }
    return SF_OK;
}

/* The prior of a block: the shares of the rows, or equal ones. */
static sf_status set_prior(sf_context *ctx, sfi_block *b,
                           const sfi_kernel_table *t, int64_t j)
{
    int64_t count = 0;
    double sum = 0.0;
    const bool even =
        sfi_kernel_number_of(&b->kernel, "prior") == SFI_PRIOR_UNIFORM;
    SFI_TRY(count_levels(ctx, t, j, &count));
    double *prior = sfi_alloc_zero(ctx, (size_t)count, sizeof *prior);
    if (prior == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < t->data.rows; i++) {
        const double w = t->weights != NULL ? t->weights[i] : 1.0;
        const double x = t->data.data[i * t->data.stride + j];
        if (isnan(x))
            continue;
        prior[(int64_t)x] += w;
        sum += w;
    }
    for (int64_t k = 0; k < count; k++)
        prior[k] = even ? 1.0 / (double)count : prior[k] / sum;
    const sf_status status = sfi_noise_set_prior(ctx, b, count, prior);
    sfi_free(ctx, prior, (size_t)count, sizeof *prior);
    return status;
}

/* Angles in degrees are to be called that. */
static sf_status take_unit(sf_context *ctx, const sfi_kernel *k,
                           const moments *m, const char *name, double *scale)
{
    const double pi = 3.14159265358979324;
    if (sfi_kernel_number_of(k, "unit") == SFI_UNIT_DEGREES) {
        *scale = 180.0 / pi;
        return SF_OK;
    }
    if (fmax(m->most, -m->least) <= 4.0 * pi)
        return SF_OK;
    return SFI_FAIL(ctx, SF_E_NUMERIC,
                    "kernel %s: column \"%s\" goes from %g to %g, which are "
                    "more than two turns in radians; say unit=degrees if it is "
                    "in degrees",
                    k->ops->family, name, m->least, m->most);
}

/* Shares are parts of what rows sum to on average. */
static void scale_shares(const sfi_block *b, const int64_t *columns,
                         const sfi_kernel_table *t, double *scale)
{
    double total = 0.0;
    for (int64_t i = 0; i < b->columns; i++)
        total += moments_of(t, columns[i]).mean;
    for (int64_t i = 0; i < b->columns; i++)
        scale[columns[i]] = total > 0.0 ? total : 1.0;
}

/* Whether a row has all of these columns. */
static bool is_whole(const double *row, const int64_t *columns, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (isnan(row[columns[i]]))
            return false;
    return true;
}

/* The factor of the correlations between standardised columns, of rows that have all. */
static sf_status mix(sf_context *ctx, sfi_block *b, const int64_t *columns,
                     sf_cmat data, const char *const *names, const double *mean,
                     const double *scale)
{
    const int64_t n = b->columns;
    double matrix[SFI_BLOCK_COLUMNS * SFI_BLOCK_COLUMNS] = {0.0};
    double rows = 0.0;
    for (int64_t k = 0; k < data.rows; k++)
        rows += is_whole(data.data + k * data.stride, columns, n) ? 1.0 : 0.0;
    for (int64_t k = 0; k < data.rows; k++) {
        const double *x = data.data + k * data.stride;
        for (int64_t i = 0; i < n && is_whole(x, columns, n); i++)
            for (int64_t j = 0; j <= i; j++) {
                const int64_t p = columns[i], q = columns[j];
                matrix[i * n + j] += (x[p] - mean[p]) / scale[p] *
                                     (x[q] - mean[q]) / scale[q] / rows;
            }
    }
    int64_t pivot = 0;
    const sf_status status =
        sfi_cholesky(ctx, matrix, matrix, n, "correlations", &pivot);
    if (status == SF_E_NUMERIC)
        return SFI_FAIL(ctx, SF_E_NUMERIC,
                        "kernel %s: column \"%s\" is a linear function of the "
                        "columns before it; leave one of them out",
                        b->kernel.ops->family, names[columns[pivot]]);
    return status == SF_OK ? sfi_noise_mix(ctx, b, matrix) : status;
}

static sf_status scale_block(sf_context *ctx, sfi_noise *noise, sfi_block *b,
                             const sfi_kernel_table *t, bool bare, double *mean,
                             double *scale)
{
    const sf_cmat data = t->data;
    const char *const *names = t->names;
    const int64_t *columns = sfi_noise_columns(noise, b);
    const sfi_joint_ops *joint = b->kernel.ops->joint;
    for (int64_t i = 0; i < b->columns; i++) {
        const int64_t j = columns[i];
        const moments m = moments_of(t, j);
        mean[j] = 0.0;
        scale[j] = 1.0;
        if (sfi_block_is_angle(b))
            SFI_TRY(take_unit(ctx, &b->kernel, &m, names[j], &scale[j]));
        if (bare && (joint == NULL || joint->mixes))
            SFI_TRY(scale_kernel(ctx, &b->kernel, &m, names[j], &mean[j],
                                 &scale[j]));
    }
    if (b->kernel.ops->levels)
        return set_prior(ctx, b, t, columns[0]);
    if (bare && joint != NULL && joint->shares)
        scale_shares(b, columns, t, scale);
    return bare && joint != NULL && joint->mixes
               ? mix(ctx, b, columns, data, names, mean, scale)
               : SF_OK;
}

sf_status sfi_choose_kernels(sf_context *ctx, sfi_noise *noise,
                             const sfi_kernel_table *table, const char *text,
                             double *mean, double *scale)
{
    const bool any = text == NULL || strcmp(text, "auto") == 0;
    const size_t d = (size_t)table->data.cols;
    bool *bare = sfi_alloc(ctx, d, sizeof *bare);
    *noise = (sfi_noise){0};
    if (bare == NULL)
        return SF_E_NOMEM;
    for (size_t j = 0; j < d; j++)
        bare[j] = true;
    sf_status status = any ? choose_each(ctx, noise, table)
                           : sfi_noise_parse(ctx, noise, text, table->data.cols,
                                             table->names, bare);
    for (int64_t k = 0; k < noise->count && status == SF_OK; k++) {
        sfi_block *b = &noise->blocks[k];
        status = scale_block(ctx, noise, b, table,
                             bare[sfi_noise_columns(noise, b)[0]], mean, scale);
    }
    sfi_free(ctx, bare, d, sizeof *bare);
    return status;
}
