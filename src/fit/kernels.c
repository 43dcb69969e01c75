/* SPDX-License-Identifier: Apache-2.0 */
/* kernels.c - noise that suits a table's columns. */
#include "fit/kernels.h"

#include "kernel/path.h"
#include "num/decimal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What a column holds. */
typedef struct moments {
    double mean, sd;         /* of x    */
    double log_mean, log_sd; /* of ln x */
    double least, most;
} moments;

static moments moments_of(sf_cmat data, int64_t j)
{
    moments m = {.least = INFINITY, .most = -INFINITY};
    const double n = (double)data.rows;
    for (int64_t i = 0; i < data.rows; i++) {
        const double x = data.data[i * data.stride + j];
        m.mean += x / n;
        m.log_mean += (x > 0.0 ? log(x) : 0.0) / n;
        m.least = fmin(m.least, x);
        m.most = fmax(m.most, x);
    }
    for (int64_t i = 0; i < data.rows; i++) {
        const double x = data.data[i * data.stride + j];
        const double y = (x > 0.0 ? log(x) : 0.0) - m.log_mean;
        m.sd += (x - m.mean) * (x - m.mean) / n;
        m.log_sd += y * y / n;
    }
    m.sd = sqrt(m.sd);
    m.log_sd = sqrt(m.log_sd);
    return m;
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
    if (k->ops->chart == SFI_CHART_REAL) {
        if (!(m->sd > 0.0))
            return SFI_FAIL(ctx, SF_E_NUMERIC,
                            "kernel: column \"%s\" is %g in every row; a "
                            "constant has no spread to scale noise by",
                            name, m->mean);
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
 * Gaussian. */
static const char *auto_kernel(const moments *m)
{
    if (m->least > 0.0 && m->most < 1.0)
        return "beta";
    if (m->least > 0.0 && m->sd > 0.3 * m->mean)
        return "lognormal";
    return "gaussian";
}

sf_status sfi_choose_kernels(sf_context *ctx, sfi_noise *noise, sf_cmat data,
                             const char *const *names, const char *text,
                             double *mean, double *scale)
{
    const bool any = text == NULL || strcmp(text, "auto") == 0;
    const size_t d = (size_t)data.cols;
    bool *bare = sfi_alloc(ctx, d, sizeof *bare);
    if (bare == NULL)
        return SF_E_NOMEM;
    sf_status status = sfi_noise_parse(ctx, noise, any ? "gaussian" : text,
                                       data.cols, names, bare);
    for (int64_t j = 0; j < data.cols && status == SF_OK; j++) {
        const moments m = moments_of(data, j);
        mean[j] = 0.0;
        scale[j] = 1.0;
        if (any)
            status = sfi_kernel_parse(ctx, &noise->kernels[j], auto_kernel(&m));
        if (status == SF_OK && bare[j])
            status = scale_kernel(ctx, &noise->kernels[j], &m, names[j],
                                  &mean[j], &scale[j]);
    }
    sfi_free(ctx, bare, d, sizeof *bare);
    return status;
}
