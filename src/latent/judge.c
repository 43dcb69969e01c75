/* SPDX-License-Identifier: Apache-2.0 */
/* judge.c - how good an autoencoder is: its bound, what that lacks to ln p(x) because of
 * the encoder, and what the latent variables do.
 *
 *     E_q ln p(x|z) - KL(q || N(0, I)),    q = N(c, F F')
 *
 * by draws z = c + F n for the first term, in closed form for the second.  With the
 * encoder's q it is the ELBO; with Laplace's posterior it is what an encoder could say at
 * best, nearly, and the difference is the amortisation gap. */
#include "scorefield/autoencoder.h"

#include "base/parallel.h"
#include "base/random.h"
#include "latent/posteriors.h"
#include "latent/programs.h"
#include "model/autoencoder.h"
#include "num/linalg.h"
#include "num/small.h"

#include <math.h>
#include <string.h>

static const double log_two_pi = 1.83787706640934548356;
static const double active_variance = 0.01;

enum { MOST_POINTS = 1 << 16 }; /* draws that are held at a time */

typedef struct judge_job {
    sf_context *ctx;
    const sf_model *model;
    sf_decoder *decoder;
    sf_cmat x;
    int64_t latent;
    sf_autoencoder_options o;
    sf_autoencoder_report report;
    sfi_latent_programs programs;
    double *room;    /* of which all arrays of the rows are parts */
    size_t size;     /* of it */
    double *mean;    /* [n, K] m      */
    double *sd;      /* [n, K] s      */
    double *z;       /* [n, K]        */
    double *cov;     /* [n, K*K]      */
    double *factor;  /* [n, K*K] F    */
    double *logpdf;  /* [n]           */
    double *se;      /* [n]           */
    double *elbo;    /* [n]           */
    double *laplace; /* [n] the bound with Laplace's posterior */
    int64_t wave;    /* rows at a time */
    double *points;  /* [wave, draws, K] */
    double *value;   /* [wave, draws]    */
    int64_t *rows;   /* [wave, draws]    */
    /* Of a wave. */
    int64_t first;
    const double *centre;
    double *bound;
} judge_job;

/* ---- what is asked ---------------------------------------------------------------- */

static sf_status check(const judge_job *j)
{
    const sf_autoencoder_options *o = &j->o;
    if (j->model->ops != &sfi_vae_ops)
        return SFI_FAIL(j->ctx, SF_E_UNSUPPORTED,
                        "autoencoder: the model is of the family %s, want vae",
                        j->model->ops->family);
    SFI_TRY(sfi_check_table(j->ctx, j->x, true, "autoencoder: x"));
    if (j->x.cols != j->model->dim)
        return SFI_FAIL(j->ctx, SF_E_SHAPE,
                        "autoencoder: x has %lld columns, the model %lld",
                        (long long)j->x.cols, (long long)j->model->dim);
    if (j->x.rows < 2)
        return SFI_FAIL(j->ctx, SF_E_ARG, "autoencoder: %lld rows, want >= 2",
                        (long long)j->x.rows);
    if (o->draws < 2 || o->draws > 1 << 20)
        return SFI_FAIL(j->ctx, SF_E_ARG,
                        "autoencoder: draws is %lld, want 2 to 2^20",
                        (long long)o->draws);
    return SF_OK;
}

static double *take(double **from, int64_t count)
{
    double *at = *from;
    *from += count;
    return at;
}

static sf_status plan(judge_job *j)
{
    const int64_t n = j->x.rows, k = j->latent;
    const int64_t wave = MOST_POINTS / j->o.draws;
    j->wave = wave < 1 ? 1 : wave < n ? wave : n;
    const int64_t points = j->wave * j->o.draws;
    j->size = (size_t)(n * (3 * k + 2 * k * k + 4) + points * (k + 1));
    j->room = sfi_alloc(j->ctx, j->size, sizeof *j->room);
    j->rows = sfi_alloc(j->ctx, (size_t)points, sizeof *j->rows);
    if (j->room == NULL || j->rows == NULL)
        return SF_E_NOMEM;
    double *at = j->room;
    j->mean = take(&at, n * k);
    j->sd = take(&at, n * k);
    j->z = take(&at, n * k);
    j->cov = take(&at, n * k * k);
    j->factor = take(&at, n * k * k);
    j->logpdf = take(&at, n);
    j->se = take(&at, n);
    j->elbo = take(&at, n);
    j->laplace = take(&at, n);
    j->points = take(&at, points * k);
    j->value = take(&at, points);
    SFI_TRY(sf_decoder_from_model(j->ctx, &j->decoder, j->model));
    SFI_TRY(sfi_latent_programs_make(j->ctx, &j->programs, j->decoder,
                                     SF_LATENT_NORMAL, 0));
    j->programs.x = j->x;
    return SF_OK;
}

static void release(judge_job *j)
{
    sfi_latent_programs_free(&j->programs);
    sf_decoder_free(j->decoder);
    sfi_free(j->ctx, j->rows, (size_t)(j->wave * j->o.draws), sizeof *j->rows);
    sfi_free(j->ctx, j->room, j->size, sizeof *j->room);
}

/* ---- the encoder ------------------------------------------------------------------- */

/* In the units of the networks. */
static sf_status encode(judge_job *j)
{
    const sf_model *m = j->model;
    const int64_t n = j->x.rows, d = m->dim;
    double *y = sfi_alloc(j->ctx, (size_t)(n * d), sizeof *y);
    if (y == NULL)
        return SF_E_NOMEM;
    sfi_to_inner(m, j->x, (sf_mat){y, n, d, d});
    const sf_status status =
        sfi_autoencoder_codes(m, (sf_cmat){y, n, d, d}, j->mean, j->sd);
    sfi_free(j->ctx, y, (size_t)(n * d), sizeof *y);
    return status;
}

/* Without an encoder q is what is inferred. */
static sf_status encode_by_inference(judge_job *j)
{
    const int64_t k = j->latent;
    sf_latent_options o = SF_LATENT_OPTIONS_INIT;
    o.starts = j->o.starts;
    o.seed = j->o.seed;
    SFI_TRY(sfi_latent_posteriors(j->ctx, j->decoder, j->x, j->mean, j->factor,
                                  true, &o));
    for (int64_t i = 0; i < j->x.rows; i++)
        for (int64_t a = 0; a < k; a++) {
            const double *f = j->factor + (i * k + a) * k;
            j->sd[i * k + a] = sfi_norm(f, a + 1);
        }
    return SF_OK;
}

/* ---- bounds --------------------------------------------------------------------------- */

static void draw_rows(void *user, int64_t part, int64_t first, int64_t count)
{
    const judge_job *j = user;
    const int64_t k = j->latent, draws = j->o.draws;
    (void)part;
    for (int64_t r = first; r < first + count; r++)
        for (int64_t i = 0; i < draws; i++) {
            const int64_t row = j->first + r, p = r * draws + i;
            const double *f = j->factor + row * k * k;
            const sfi_where where = {j->o.seed, (uint64_t)row, (uint32_t)i,
                                     SFI_STREAM_NOISE};
            double n[SFI_SMALL_MAX];
            for (int64_t a = 0; a < k; a++)
                n[a] = sfi_normal_at(where, (uint32_t)a);
            for (int64_t a = 0; a < k; a++) {
                double *to = j->points + p * k + a;
                *to = j->centre[row * k + a];
                for (int64_t b = 0; b <= a; b++)
                    *to += f[a * k + b] * n[b];
            }
            j->rows[p] = row;
        }
}

static void bound_rows(void *user, int64_t part, int64_t first, int64_t count)
{
    const judge_job *j = user;
    const int64_t k = j->latent, draws = j->o.draws;
    (void)part;
    for (int64_t r = first; r < first + count; r++) {
        const int64_t row = j->first + r;
        double sum = 0.0;
        for (int64_t i = 0; i < draws; i++) {
            const double *z = j->points + (r * draws + i) * k;
            sum += j->value[r * draws + i] + 0.5 * sfi_dot(z, z, k);
        }
        j->bound[row] = sum / (double)draws + 0.5 * (double)k * log_two_pi -
                        sfi_latent_divergence(j->centre + row * k,
                                              j->factor + row * k * k, k);
    }
}

/* Bounds of all rows with q = N(centre, factor factor'). */
static sf_status find_bounds(judge_job *j, const double *centre, double *bound)
{
    j->centre = centre;
    j->bound = bound;
    for (j->first = 0; j->first < j->x.rows; j->first += j->wave) {
        const int64_t left = j->x.rows - j->first;
        const int64_t rows = left < j->wave ? left : j->wave;
        sfi_parallel(j->ctx, rows, 1, draw_rows, j);
        SFI_TRY(sfi_latent_values_at(&j->programs, rows * j->o.draws, j->rows,
                                     j->points, j->value));
        sfi_parallel(j->ctx, rows, 1, bound_rows, j);
    }
    return SF_OK;
}

static void factor_of_encoder(judge_job *j)
{
    const int64_t k = j->latent;
    for (int64_t i = 0; i < j->x.rows; i++)
        for (int64_t a = 0; a < k; a++)
            for (int64_t b = 0; b < k; b++)
                j->factor[(i * k + a) * k + b] =
                    a == b ? j->sd[i * k + a] : 0.0;
}

/* Laplace's, or of rows without one, whose cov is NaN, the encoder's, whose place is
 * then theirs. */
static void factor_of_laplace(judge_job *j)
{
    const int64_t k = j->latent;
    for (int64_t i = 0; i < j->x.rows; i++) {
        double l[SFI_SMALL_MAX * SFI_SMALL_MAX];
        if (!isnan(j->cov[i * k * k]) &&
            sfi_small_cholesky(l, j->cov + i * k * k, (int)k))
            memcpy(j->factor + i * k * k, l, (size_t)(k * k) * sizeof *l);
        else
            memcpy(j->z + i * k, j->mean + i * k, (size_t)k * sizeof *l);
    }
}

static sf_status infer(judge_job *j)
{
    const int64_t n = j->x.rows, k = j->latent;
    sf_latent_options o = SF_LATENT_OPTIONS_INIT;
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    sf_latent_result r = SF_LATENT_RESULT_INIT;
    o.samples = j->o.samples;
    o.starts = j->o.starts;
    o.seed = j->o.seed;
    v.z = (sf_mat){j->z, n, k, k};
    v.covariance = (sf_mat){j->cov, n, k * k, k * k};
    v.logpdf = (sf_mat){j->logpdf, n, 1, 1};
    v.logpdf_se = (sf_mat){j->se, n, 1, 1};
    const sf_status status =
        sf_latent_infer(j->ctx, j->decoder, j->x, &v, &r, &o);
    j->report.worst_se = r.worst_se;
    return status == SF_E_CONVERGE ? SF_OK : status;
}

/* ---- latent variables ------------------------------------------------------------------- */

/* Mean and, over all rows, variance of m_k, and the mean divergence of latent k. */
static void look_at(const judge_job *j, int64_t k, double *mean,
                    double *variance, double *kl)
{
    const int64_t n = j->x.rows;
    *mean = *variance = *kl = 0.0;
    for (int64_t i = 0; i < n; i++)
        *mean += j->mean[i * j->latent + k] / (double)n;
    for (int64_t i = 0; i < n; i++) {
        const double m = j->mean[i * j->latent + k];
        const double sd = j->sd[i * j->latent + k];
        *variance += (m - *mean) * (m - *mean) / (double)n;
        *kl += 0.5 * (m * m + sd * sd - 1.0 - 2.0 * log(sd)) / (double)n;
    }
}

/* Of q of row i, F F'. */
static double covariance(const judge_job *j, int64_t i, int64_t a, int64_t b)
{
    const int64_t k = j->latent;
    const double *f = j->factor + i * k * k;
    return sfi_dot(f + a * k, f + b * k, 1 + (a < b ? a : b));
}

/* Of the mixture of q over the rows, from N(0, I). */
static double aggregate_divergence(const judge_job *j, const double *mean)
{
    const int64_t n = j->x.rows, k = j->latent;
    double c[SFI_SMALL_MAX * SFI_SMALL_MAX] = {0};
    double l[SFI_SMALL_MAX * SFI_SMALL_MAX];
    for (int64_t i = 0; i < n; i++)
        for (int64_t a = 0; a < k; a++) {
            const double from = j->mean[i * k + a] - mean[a];
            for (int64_t b = 0; b < k; b++)
                c[a * k + b] += (from * (j->mean[i * k + b] - mean[b]) +
                                 covariance(j, i, a, b)) /
                                (double)n;
        }
    return sfi_small_cholesky(l, c, (int)k) ? sfi_latent_divergence(mean, l, k)
                                            : (double)NAN;
}

static void look_at_latents(judge_job *j, double *kl, double *variance)
{
    double mean[SFI_SMALL_MAX], of_k, spread;
    for (int64_t k = 0; k < j->latent; k++) {
        look_at(j, k, &mean[k], &spread, &of_k);
        j->report.active += spread > active_variance;
        if (kl != NULL)
            kl[k] = of_k;
        if (variance != NULL)
            variance[k] = spread;
    }
    j->report.aggregate_kl = aggregate_divergence(j, mean);
}

/* ---- the report ------------------------------------------------------------------------- */

static void mean_and_error(const double *values, int64_t n, double *mean,
                           double *se)
{
    double sum = 0.0, squares = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += values[i];
    *mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++)
        squares += (values[i] - *mean) * (values[i] - *mean);
    *se = sqrt(squares / (double)(n - 1) / (double)n);
}

static sf_status reconstruct(judge_job *j)
{
    const int64_t n = j->x.rows, d = j->model->dim;
    const size_t cells = (size_t)(n * d);
    double *f = sfi_alloc(j->ctx, cells, sizeof *f), sum = 0.0, noise = 0.0;
    if (f == NULL)
        return SF_E_NOMEM;
    const sf_status status =
        sf_model_decode(j->model, (sf_cmat){j->mean, n, j->latent, j->latent},
                        (sf_mat){f, n, d, d});
    for (int64_t i = 0; i < n && status == SF_OK; i++)
        for (int64_t a = 0; a < d; a++) {
            const double off = j->x.data[i * j->x.stride + a] - f[i * d + a];
            sum += off * off;
        }
    j->model->ops->spread(j->model, f);
    for (int64_t a = 0; a < d; a++)
        noise += f[a] * f[a] * j->model->scale[a] * j->model->scale[a];
    sfi_free(j->ctx, f, cells, sizeof *f);
    j->report.rms = sqrt(sum / (double)cells);
    j->report.noise = sqrt(noise / (double)d);
    return status;
}

static sf_status run(judge_job *j, double *kl, double *variance)
{
    sf_autoencoder_report *r = &j->report;
    double best, best_se;
    SFI_TRY(plan(j));
    if (sfi_autoencoder_encodes(j->model)) {
        SFI_TRY(encode(j));
        factor_of_encoder(j);
    } else {
        SFI_TRY(encode_by_inference(j));
    }
    SFI_TRY(find_bounds(j, j->mean, j->elbo));
    look_at_latents(j, kl, variance);
    SFI_TRY(infer(j));
    factor_of_laplace(j);
    SFI_TRY(find_bounds(j, j->z, j->laplace));
    mean_and_error(j->elbo, j->x.rows, &r->elbo, &r->elbo_se);
    mean_and_error(j->logpdf, j->x.rows, &r->logpdf, &r->logpdf_se);
    mean_and_error(j->laplace, j->x.rows, &best, &best_se);
    r->rows = j->x.rows;
    r->latent = j->latent;
    r->gap = best - r->elbo;
    return reconstruct(j);
}

sf_status sf_autoencoder_judge(sf_context *ctx, const sf_model *model,
                               sf_cmat x, sf_autoencoder_report *report,
                               double *kl, double *variance,
                               const sf_autoencoder_options *options)
{
    const sf_autoencoder_options usual = SF_AUTOENCODER_OPTIONS_INIT;
    const sf_autoencoder_report none = SF_AUTOENCODER_REPORT_INIT;
    sf_autoencoder_report size = none;
    judge_job j = {.ctx = ctx,
                   .model = model,
                   .x = x,
                   .latent = sf_model_latents(model),
                   .o = usual,
                   .report = none};
    SFI_TRY(sfi_options(ctx, &j.o, sizeof usual, options));
    SFI_TRY(sfi_options(ctx, &size, sizeof none, report));
    SFI_TRY(check(&j));
    const sf_status status = run(&j, kl, variance);
    release(&j);
    SFI_TRY(status);
    memcpy((char *)report + sizeof none.size,
           (char *)&j.report + sizeof none.size,
           report->size - sizeof none.size);
    return SF_OK;
}
