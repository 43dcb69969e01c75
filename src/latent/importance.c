/* SPDX-License-Identifier: Apache-2.0 */
/* importance.c - the marginal likelihood by importance sampling,
 *
 *     p(x) = E_q[ p(x, z)/q(z) ],     q = (1 - a) t_6(z*, 1.2 C) + a N(0, I)
 *
 * with C the covariance of Laplace's posterior at z*.  A normal proposal would leave
 * weights unbounded where the posterior has heavier tails; the share a of the prior,
 * one in twenty, bounds them by p(x|z)/a wherever else the posterior has mass.  As many
 * draws come from the prior as its share says, so that q is the mean of what they come
 * from, and the estimate is unbiased with less variance than that of a random number.
 *
 *     ln p = ln mean w,     se = sd(w)/(sqrt(S) mean w)        (delta method)
 *
 * Draw i of row r is a function of (seed, r, i).  A chi-squared number of 6 degrees is
 * -2 ln(u1 u2 u3). */
#include "latent/importance.h"

#include "base/parallel.h"
#include "base/random.h"
#include "num/special.h"

#include <math.h>

/* Draws that are held at a time, or those of one row if they are more. */
enum { MOST_DRAWS = 1 << 15 };

static const double degrees = 6.0, widening = 1.2, share_of_prior = 0.05;
static const double log_two_pi = 1.83787706640934548356;

struct sfi_importance {
    sf_context *ctx;
    sfi_latent_programs *programs;
    int64_t latent, samples, of_prior, wave; /* wave: rows at a time */
    uint64_t seed;
    double log_share[2]; /* of the Student-t and of the prior */
    double log_norm;     /* of the Student-t, but for ln det */
    double *points;      /* [wave, samples, K] */
    double *log_q;       /* [wave, samples] */
    double *value;       /* [wave, samples] */
    int64_t *rows;       /* [wave, samples] */
    /* Of a wave. */
    int64_t first;
    const double *z, *spread;
    sfi_evidence *out;
};

void sfi_importance_free(sfi_importance *s)
{
    if (s == NULL)
        return;
    const size_t n = (size_t)(s->wave * s->samples);
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
    const double k = (double)programs->latent;
    s->ctx = ctx;
    s->programs = programs;
    s->latent = programs->latent;
    s->samples = o->samples;
    s->seed = o->seed;
    s->of_prior = (int64_t)fmax(1.0, rint(share_of_prior * (double)o->samples));
    const double share = (double)s->of_prior / (double)s->samples;
    s->log_share[0] = log1p(-share);
    s->log_share[1] = log(share);
    s->log_norm = sfi_lgamma(0.5 * (degrees + k)) - sfi_lgamma(0.5 * degrees) -
                  0.5 * k * (log(0.5 * degrees) + log_two_pi);
    s->wave = s->samples < MOST_DRAWS ? MOST_DRAWS / s->samples : 1;
    if (!make_room(s)) {
        sfi_importance_free(s);
        return SF_E_NOMEM;
    }
    *out = s;
    return SF_OK;
}

/* ---- draws ------------------------------------------------------------------- */

/* ln q(z) of a row at z* with the factor l of C. */
static double log_proposal(const sfi_importance *s, const double *z,
                           const double *at, const double *l)
{
    const int n = (int)s->latent;
    double from[SFI_SMALL_MAX], square = 0.0, from_prior = 0.0, log_det = 0.0;
    for (int k = 0; k < n; k++) {
        from[k] = z[k] - at[k];
        log_det += log(l[k * n + k]);
        from_prior += z[k] * z[k];
    }
    sfi_small_lower_solve(l, n, from);
    for (int k = 0; k < n; k++)
        square += from[k] * from[k] / widening;
    const double a = s->log_share[0] + s->log_norm - log_det -
                     0.5 * n * log(widening) -
                     0.5 * (degrees + n) * log1p(square / degrees);
    const double b = s->log_share[1] - 0.5 * (from_prior + n * log_two_pi);
    return fmax(a, b) + log1p(exp(-fabs(a - b)));
}

static void draw(const sfi_importance *s, int64_t row, int64_t i,
                 const double *at, const double *l, double *z)
{
    const int n = (int)s->latent;
    const sfi_where where = {s->seed, (uint64_t)row, (uint32_t)i,
                             SFI_STREAM_LATENT};
    double normal[SFI_SMALL_MAX];
    for (int k = 0; k < n; k++)
        normal[k] = z[k] = sfi_normal_at(where, (uint32_t)k);
    if (i < s->of_prior)
        return;
    const uint32_t next = (uint32_t)(n + 3) / 4 * 4; /* words of their own */
    double chi_squared = 0.0;
    for (uint32_t k = 0; k < 3; k++)
        chi_squared -= 2.0 * log(sfi_uniform_at(where, next + k));
    const double scale = sqrt(widening * degrees / chi_squared);
    for (int j = 0; j < n; j++) {
        z[j] = at[j];
        for (int k = 0; k <= j; k++)
            z[j] += scale * l[j * n + k] * normal[k];
    }
}

static void draw_rows(void *user, int64_t part, int64_t first, int64_t count)
{
    const sfi_importance *s = user;
    const int64_t n = s->latent;
    (void)part;
    for (int64_t r = first; r < first + count; r++)
        for (int64_t i = 0; i < s->samples; i++) {
            const int64_t p = r * s->samples + i;
            const double *at = s->z + r * n, *l = s->spread + r * n * n;
            draw(s, s->first + r, i, at, l, s->points + p * n);
            s->log_q[p] = log_proposal(s, s->points + p * n, at, l);
            s->rows[p] = s->first + r;
        }
}

/* ---- weights ----------------------------------------------------------------- */

/* A point where f is not finite has no weight. */
static sfi_evidence weigh(const double *value, const double *log_q, int64_t n)
{
    double most = -INFINITY, sum = 0.0, squares = 0.0;
    for (int64_t i = 0; i < n; i++)
        most = fmax(most, value[i] - log_q[i]); /* NaN is passed over */
    for (int64_t i = 0; i < n; i++) {
        const double w = exp(value[i] - log_q[i] - most);
        sum += isnan(w) ? 0.0 : w;
    }
    const double mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++) {
        const double w = exp(value[i] - log_q[i] - most);
        squares +=
            ((isnan(w) ? 0.0 : w) - mean) * ((isnan(w) ? 0.0 : w) - mean);
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

sf_status sfi_importance_run(sfi_importance *s, int64_t first, int64_t count,
                             const double *z, const double *spread,
                             sfi_evidence *out)
{
    const int64_t n = s->latent;
    for (int64_t at = 0; at < count; at += s->wave) {
        const int64_t rows = count - at < s->wave ? count - at : s->wave;
        s->first = first + at;
        s->z = z + at * n;
        s->spread = spread + at * n * n;
        s->out = out + at;
        sfi_parallel(s->ctx, rows, 1, draw_rows, s);
        SFI_TRY(sfi_latent_values_at(s->programs, rows * s->samples, s->rows,
                                     s->points, s->value));
        sfi_parallel(s->ctx, rows, 1, weigh_rows, s);
    }
    return SF_OK;
}
