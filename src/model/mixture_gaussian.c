/* SPDX-License-Identifier: Apache-2.0 */
/* mixture_gaussian.c - x_j = a(t) x0_j + s(t) scale_j z.
 *
 * With m = E[x0 | x] and V = Cov(x0 | x), both in units of the scales,
 *
 *     score_j     (a m_j - y_j)/(scale_j s^2)
 *     velocity_j  (s'/s) y_j + (a' - a s'/s) m_j
 *     jacobian    -[i=j]/s^2 + a^2 V_ij/s^4, over scale_i scale_j
 *     divergence  d s'/s + (a' - a s'/s) (a/s^2) tr V
 *
 * where y is in units of the scales too.  A log-normal column is such a one in its
 * chart; only E[x0 | x] is then no function of m, and is left to the pairs. */
#include "model/mixture_gaussian.h"

#include "kernel/families.h"
#include "num/posterior.h"

#include <math.h>

struct sfi_mixture_gaussian {
    sf_context *ctx;
    sfi_posterior *posterior;
    int path;
    const double *log_weights; /* or NULL: equal, 1 each to the posterior */
    const sfi_noise *noise;
    int64_t n, d;                /* data, numbers of y      */
    bool linear;                 /* no column is log-normal */
    int64_t rows;                /* of a block of points */
    double *scale;               /* [d] */
    double *points, *mean, *cov; /* [rows, d], [rows, d], [rows, d*d] */
    double *lse;                 /* [rows] */
    double *place;               /* [d] a point in the chart */
};

static bool suits(const sfi_noise *noise)
{
    for (int64_t k = 0; k < noise->count; k++) {
        const sfi_kernel *kernel = &noise->blocks[k].kernel;
        if ((kernel->ops != &sfi_kernel_gaussian &&
             kernel->ops != &sfi_kernel_lognormal &&
             kernel->ops != &sfi_kernel_mvgaussian) ||
            kernel->numbers[0] != noise->blocks[0].kernel.numbers[0])
            return false;
    }
    return true;
}

static sf_status fill(sfi_mixture_gaussian *p, sf_cmat data, bool spread)
{
    sf_context *ctx = p->ctx;
    const sfi_noise *noise = p->noise;
    const size_t cells = (size_t)(p->n * p->d), row = (size_t)(p->rows * p->d);
    p->scale = sfi_alloc(ctx, (size_t)p->d, sizeof *p->scale);
    p->place = sfi_alloc(ctx, (size_t)p->d, sizeof *p->place);
    p->points = sfi_alloc(ctx, row, sizeof *p->points);
    p->mean = sfi_alloc(ctx, row, sizeof *p->mean);
    p->lse = sfi_alloc(ctx, (size_t)p->rows, sizeof *p->lse);
    double *scaled = sfi_alloc(ctx, cells, sizeof *scaled);
    sf_status status = p->scale != NULL && p->place != NULL &&
                               p->points != NULL && p->mean != NULL &&
                               p->lse != NULL && scaled != NULL
                           ? SF_OK
                           : SF_E_NOMEM;
    if (status == SF_OK) {
        p->linear = true;
        for (int64_t k = 0; k < noise->count; k++) {
            const sfi_block *b = &noise->blocks[k];
            p->linear = p->linear && b->kernel.ops->chart == SFI_CHART_REAL;
            for (int64_t j = 0; j < b->inner; j++)
                p->scale[b->at + j] = b->kernel.numbers[1];
        }
        for (int64_t i = 0; i < p->n; i++) {
            double *to = scaled + i * p->d;
            sfi_noise_to_chart(noise, (sfi_units){0},
                               data.data + i * data.stride, to);
            for (int64_t j = 0; j < p->d; j++)
                to[j] /= p->scale[j];
        }
        status = sfi_posterior_new(
            ctx, &p->posterior, SF_F64, (sf_cmat){scaled, p->n, p->d, p->d},
            p->log_weights, &(sfi_posterior_options){.covariance = spread});
    }
    sfi_free(ctx, scaled, cells, sizeof *scaled);
    return status;
}

sf_status sfi_mixture_gaussian_new(sf_context *ctx, sfi_mixture_gaussian **out,
                                   const sfi_noise *noise, sf_cmat data,
                                   const double *log_weights, bool spread)
{
    *out = NULL;
    if (!suits(noise))
        return SF_OK;
    sfi_mixture_gaussian *p = sfi_alloc_zero(ctx, 1, sizeof *p);
    if (p == NULL)
        return SF_E_NOMEM;
    p->ctx = ctx;
    p->noise = noise;
    p->path = (int)noise->blocks[0].kernel.numbers[0];
    p->n = data.rows;
    p->d = noise->inner;
    /* Their covariances are to stay in a cache, or nearly. */
    const int64_t fit = (1 << 20) / (p->d * p->d);
    p->rows = fit < 64 ? 64 : fit > 4096 ? 4096 : fit;
    p->log_weights = log_weights;
    const sf_status status = fill(p, data, spread);
    if (status != SF_OK) {
        sfi_mixture_gaussian_free(p);
        return status;
    }
    *out = p;
    return SF_OK;
}

void sfi_mixture_gaussian_free(sfi_mixture_gaussian *p)
{
    if (p == NULL)
        return;
    sf_context *ctx = p->ctx;
    const size_t row = (size_t)(p->rows * p->d);
    sfi_posterior_free(p->posterior);
    sfi_free(ctx, p->scale, (size_t)p->d, sizeof *p->scale);
    sfi_free(ctx, p->place, (size_t)p->d, sizeof *p->place);
    sfi_free(ctx, p->points, row, sizeof *p->points);
    sfi_free(ctx, p->mean, row, sizeof *p->mean);
    if (p->cov != NULL)
        sfi_free(ctx, p->cov, row * (size_t)p->d, sizeof *p->cov);
    sfi_free(ctx, p->lse, (size_t)p->rows, sizeof *p->lse);
    sfi_free(ctx, p, 1, sizeof *p);
}

/* ln of what the weights sum to, as the posterior has them. */
static double log_mass(const sfi_mixture_gaussian *p, const sfi_mixture_want *w,
                       int64_t row)
{
    const int64_t without = w->without != NULL ? w->without[row] : -1;
    if (p->log_weights == NULL)
        return log((double)(p->n - (without >= 0)));
    return without >= 0 ? log1p(-exp(p->log_weights[without])) : 0.0;
}

/* One point, from its place, mean and covariance in units of the scales. */
static void answer(const sfi_mixture_gaussian *p, const sfi_path_numbers *at,
                   bool moving, const sfi_mixture_want *w, int64_t i,
                   int64_t row)
{
    const int64_t d = p->d;
    const double *y = p->points + i * d, *m = p->mean + i * d;
    const double *cov = p->cov != NULL ? p->cov + i * d * d : NULL;
    const double s2 = at->spread * at->spread;
    const double grow = at->spread_rate / at->spread;
    const double turn = at->keep_rate - at->keep * grow;
    double trace = 0.0;
    if (w->logp != NULL) {
        double constant = (double)d * (0.91893853320467274 + log(at->spread));
        for (int64_t j = 0; j < d; j++)
            constant += log(p->scale[j]);
        w->logp[row] = p->lse[i] - constant - log_mass(p, w, row);
    }
    for (int64_t j = 0; j < d; j++) {
        if (w->score.data != NULL)
            w->score.data[row * w->score.stride + j] =
                (at->keep * m[j] - y[j]) / (p->scale[j] * s2);
        if (w->velocity.data != NULL)
            w->velocity.data[row * w->velocity.stride + j] =
                moving ? p->scale[j] * (grow * y[j] + turn * m[j]) : 0.0;
        p->place[j] = p->scale[j] * m[j];
        for (int64_t k = 0; k < d && w->jacobian.data != NULL; k++)
            w->jacobian.data[row * w->jacobian.stride + j * d + k] =
                (at->keep * at->keep * cov[j * d + k] / s2 -
                 (j == k ? 1.0 : 0.0)) /
                (s2 * p->scale[j] * p->scale[k]);
        trace += cov != NULL ? cov[j * d + j] : 0.0;
    }
    if (w->denoised.data != NULL)
        sfi_noise_from_chart(p->noise, (sfi_units){0}, p->place,
                             w->denoised.data + row * w->denoised.stride);
    if (w->divergence != NULL)
        w->divergence[row] =
            moving ? (double)d * grow + turn * at->keep / s2 * trace : 0.0;
}

bool sfi_mixture_gaussian_gives(const sfi_mixture_gaussian *p,
                                const sfi_mixture_want *want)
{
    return want->most == 0 && want->drawn == NULL &&
           (want->denoised.data == NULL || p->linear);
}

sf_status sfi_mixture_gaussian_run(sfi_mixture_gaussian *p, sf_cmat y, double t,
                                   bool moving, const sfi_mixture_want *want)
{
    const int64_t d = p->d;
    const bool spread = want->jacobian.data != NULL || want->divergence != NULL;
    if (spread && p->cov == NULL) {
        p->cov = sfi_alloc(p->ctx, (size_t)(p->rows * d * d), sizeof *p->cov);
        if (p->cov == NULL)
            return SF_E_NOMEM;
    }
    /* Points are compared with data times `keep`, so they are divided by it; where
     * that is 0, at the end of a path, by what errs as much as rounding then does. */
    sfi_path_numbers at = sfi_path_at(p->path, t);
    const double keep = fmax(at.keep, 1e-8);
    const double scale = keep * keep / (at.spread * at.spread);
    for (int64_t first = 0; first < y.rows; first += p->rows) {
        const int64_t n = y.rows - first < p->rows ? y.rows - first : p->rows;
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < d; j++)
                p->points[i * d + j] =
                    y.data[(first + i) * y.stride + j] / (p->scale[j] * keep);
        const sfi_posterior_want w = {
            .lse = p->lse,
            .mean = {p->mean, n, d, d},
            .cov = {spread ? p->cov : NULL, n, d * d, d * d},
            .exclude = want->without != NULL ? want->without + first : NULL};
        sfi_posterior_run(p->posterior, (sf_cmat){p->points, n, d, d}, scale,
                          SFI_DISTANCE, &w);
        for (int64_t i = 0; i < n; i++) {
            for (int64_t j = 0; j < d; j++)
                p->points[i * d + j] *= keep;
            answer(p, &at, moving, want, i, first + i);
        }
    }
    return SF_OK;
}
