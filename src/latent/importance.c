/* SPDX-License-Identifier: Apache-2.0 */
/* importance.c - the marginal likelihood by importance sampling,
 *
 *     p(x) = E_q[ p(x, z)/q(z) ],     q as in proposal.h, one in twenty from the prior.
 *
 * As many draws come from the prior as its share says, so that q is the mean of what
 * they come from, and the estimate is unbiased with less variance than that of a random
 * number.
 *
 *     ln p = ln mean w,     se = sd(w)/(sqrt(S) mean w)        (delta method)
 *
 * Draw i of row r is a function of (seed, r, i). */
#include "latent/importance.h"

#include "base/parallel.h"
#include "latent/proposal.h"

#include <math.h>

/* Draws that are held at a time, or those of one row if they are more. */
enum { MOST_DRAWS = 1 << 15 };

static const double share_of_prior = 0.05;

struct sfi_importance {
    sf_context *ctx;
    sfi_latent_programs *programs;
    int64_t latent, samples, of_prior, wave; /* wave: rows at a time */
    uint64_t seed;
    sfi_proposal proposal;
    double *points; /* [wave, samples, K] */
    double *log_q;  /* [wave, samples] */
    double *value;  /* [wave, samples] */
    int64_t *rows;  /* [wave, samples] */
    /* Of a wave. */
    int64_t first;
    const double *z, *spread;
    sfi_evidence *out; /* or NULL: ... */
    double *picks;     /* [rows, each, K] */
    int64_t each;
    double *pull; /* [rows, pull_stride], or NULL */
    int64_t pull_stride;
    double *pulls; /* [wave, samples, d], where they are wanted */
};

void sfi_importance_free(sfi_importance *s)
{
    if (s == NULL)
        return;
    const size_t n = (size_t)(s->wave * s->samples);
    sfi_free(s->ctx, s->pulls, n * (size_t)s->programs->dim, sizeof *s->pulls);
    sfi_free(s->ctx, s->rows, n, sizeof *s->rows);
    sfi_free(s->ctx, s->value, n, sizeof *s->value);
    sfi_free(s->ctx, s->log_q, n, sizeof *s->log_q);
    sfi_free(s->ctx, s->points, n * (size_t)s->latent, sizeof *s->points);
    sfi_free(s->ctx, s, 1, sizeof *s);
}

static bool make_room(sfi_importance *s)
{
    const size_t n = (size_t)(s->wave * s->samples);
    s->points = sfi_alloc(s->ctx, n * (size_t)s->latent, sizeof *s->points);
    s->log_q = sfi_alloc(s->ctx, n, sizeof *s->log_q);
    s->value = sfi_alloc(s->ctx, n, sizeof *s->value);
    s->rows = sfi_alloc(s->ctx, n, sizeof *s->rows);
    if (s->programs->pull != NULL) {
        s->pulls =
            sfi_alloc(s->ctx, n * (size_t)s->programs->dim, sizeof *s->pulls);
        if (s->pulls == NULL)
            return false;
    }
    return s->points != NULL && s->log_q != NULL && s->value != NULL &&
           s->rows != NULL;
}

sf_status sfi_importance_new(sf_context *ctx, sfi_importance **out,
                             sfi_latent_programs *programs,
                             const sf_latent_options *o)
{
    *out = NULL;
    sfi_importance *s = sfi_alloc_zero(ctx, 1, sizeof *s);
    if (s == NULL)
        return SF_E_NOMEM;
    s->ctx = ctx;
    s->programs = programs;
    s->latent = programs->latent;
    s->samples = o->samples;
    s->seed = o->seed;
    s->of_prior = (int64_t)fmax(1.0, rint(share_of_prior * (double)o->samples));
    s->proposal = sfi_proposal_make((int)s->latent,
                                    (double)s->of_prior / (double)s->samples);
    s->wave = s->samples < MOST_DRAWS ? MOST_DRAWS / s->samples : 1;
    if (!make_room(s)) {
        sfi_importance_free(s);
        return SF_E_NOMEM;
    }
    *out = s;
    return SF_OK;
}

/* ---- draws ------------------------------------------------------------------- */

static void draw_rows(void *user, int64_t part, int64_t first, int64_t count)
{
    const sfi_importance *s = user;
    const int64_t n = s->latent;
    (void)part;
    for (int64_t r = first; r < first + count; r++)
        for (int64_t i = 0; i < s->samples; i++) {
            const int64_t p = r * s->samples + i;
            const double *at = s->z + r * n, *l = s->spread + r * n * n;
            const sfi_where where = {s->seed, (uint64_t)(s->first + r),
                                     (uint32_t)i, SFI_STREAM_LATENT};
            sfi_proposal_draw(&s->proposal, i < s->of_prior, where, 0, at, l,
                              s->points + p * n);
            s->log_q[p] =
                sfi_proposal_log(&s->proposal, s->points + p * n, at, l);
            s->rows[p] = s->first + r;
        }
}

/* ---- weights ----------------------------------------------------------------- */

/* A point where f is not finite has no weight. */
static double weight(double value, double log_q, double most)
{
    const double w = exp(value - log_q - most);
    return isnan(w) ? 0.0 : w;
}

static sfi_evidence weigh(const double *value, const double *log_q, int64_t n)
{
    double most = -INFINITY, sum = 0.0, squares = 0.0;
    for (int64_t i = 0; i < n; i++)
        most = fmax(most, value[i] - log_q[i]); /* NaN is passed over */
    for (int64_t i = 0; i < n; i++)
        sum += weight(value[i], log_q[i], most);
    const double mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++) {
        const double from = weight(value[i], log_q[i], most) - mean;
        squares += from * from;
    }
    const double sd = sqrt(squares / (double)(n - 1));
    return (sfi_evidence){most + log(mean), sd / (sqrt((double)n) * mean),
                          1.0 / sum};
}

static void weigh_rows(void *user, int64_t part, int64_t first, int64_t count)
{
    const sfi_importance *s = user;
    (void)part;
    for (int64_t r = first; r < first + count; r++)
        s->out[r] = isnan(s->z[r * s->latent])
                        ? (sfi_evidence){NAN, NAN, NAN}
                        : weigh(s->value + r * s->samples,
                                s->log_q + r * s->samples, s->samples);
}

/* Means of the gradients by the weights; draws without a weight, where a gradient may
 * be no number, count nothing. */
static void average_rows(void *user, int64_t part, int64_t first, int64_t count)
{
    const sfi_importance *s = user;
    const int64_t d = s->programs->dim, m = s->samples;
    (void)part;
    for (int64_t r = first; r < first + count; r++) {
        const double *value = s->value + r * m, *log_q = s->log_q + r * m;
        double *to = s->pull + r * s->pull_stride, most = -INFINITY, sum = 0.0;
        const bool defined = !isnan(s->z[r * s->latent]);
        for (int64_t j = 0; j < d; j++)
            to[j] = defined ? 0.0 : (double)NAN;
        for (int64_t i = 0; i < m; i++)
            most = fmax(most, value[i] - log_q[i]);
        for (int64_t i = 0; i < m && defined; i++) {
            const double w = weight(value[i], log_q[i], most);
            const double *of = s->pulls + (r * m + i) * d;
            sum += w;
            for (int64_t j = 0; j < d && w > 0.0; j++)
                to[j] += w * of[j];
        }
        for (int64_t j = 0; j < d && defined; j++)
            to[j] /= sum;
    }
}

/* The draw in which the sum of weights passes a part u of their total. */
static int64_t pick(const double *value, const double *log_q, int64_t n,
                    double u)
{
    double most = -INFINITY, sum = 0.0, so_far = 0.0;
    for (int64_t i = 0; i < n; i++)
        most = fmax(most, value[i] - log_q[i]);
    for (int64_t i = 0; i < n; i++)
        sum += weight(value[i], log_q[i], most);
    for (int64_t i = 0; i < n; i++) {
        so_far += weight(value[i], log_q[i], most);
        if (so_far > u * sum)
            return i;
    }
    return -1;
}

static void pick_rows(void *user, int64_t part, int64_t first, int64_t count)
{
    const sfi_importance *s = user;
    const int64_t n = s->latent, m = s->samples;
    (void)part;
    for (int64_t r = first; r < first + count; r++)
        for (int64_t c = 0; c < s->each; c++) {
            const sfi_where where = {s->seed, (uint64_t)(s->first + r),
                                     UINT32_MAX, SFI_STREAM_CHOICE};
            double *to = s->picks + (r * s->each + c) * n;
            const int64_t i = pick(s->value + r * m, s->log_q + r * m, m,
                                   sfi_uniform_at(where, (uint32_t)c));
            for (int64_t k = 0; k < n; k++)
                to[k] = i < 0 ? (double)NAN : s->points[(r * m + i) * n + k];
        }
}

static sf_status run(sfi_importance *s, int64_t first, int64_t count,
                     const double *z, const double *spread, sfi_evidence *out,
                     double *picks)
{
    const int64_t n = s->latent;
    for (int64_t at = 0; at < count; at += s->wave) {
        const int64_t rows = count - at < s->wave ? count - at : s->wave;
        s->first = first + at;
        s->z = z + at * n;
        s->spread = spread + at * n * n;
        s->out = out != NULL ? out + at : NULL;
        s->picks = picks != NULL ? picks + at * s->each * n : NULL;
        sfi_parallel(s->ctx, rows, 1, draw_rows, s);
        SFI_TRY(sfi_latent_values_at(s->programs, rows * s->samples, s->rows,
                                     s->points, s->value));
        sfi_parallel(s->ctx, rows, 1, out != NULL ? weigh_rows : pick_rows, s);
        if (s->pull == NULL)
            continue;
        SFI_TRY(sfi_latent_pull_at(s->programs, rows * s->samples, s->rows,
                                   s->points, s->pulls, s->programs->dim));
        sfi_parallel(s->ctx, rows, 1, average_rows, s);
        s->pull += rows * s->pull_stride;
    }
    return SF_OK;
}

sf_status sfi_importance_run(sfi_importance *s, int64_t first, int64_t count,
                             const double *z, const double *spread,
                             sfi_evidence *out)
{
    return run(s, first, count, z, spread, out, NULL);
}

sf_status sfi_importance_pull(sfi_importance *s, int64_t first, int64_t count,
                              const double *z, const double *spread,
                              sfi_evidence *out, double *pull, int64_t stride)
{
    s->pull = pull;
    s->pull_stride = stride;
    const sf_status status = run(s, first, count, z, spread, out, NULL);
    s->pull = NULL;
    return status;
}

sf_status sfi_importance_pick(sfi_importance *s, int64_t first, int64_t count,
                              const double *z, const double *spread,
                              int64_t each, double *picks)
{
    s->each = each;
    return run(s, first, count, z, spread, NULL, picks);
}
