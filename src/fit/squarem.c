/* SPDX-License-Identifier: Apache-2.0 */
/* squarem.c - squared extrapolation of an iteration t' = F(t) (R. Varadhan, C. Roland,
 * Scand. J. Stat. 35 (2008) 335-353, scheme S3): from t_0, t_1 = F(t_0), t_2 = F(t_1),
 *
 *     r = t_1 - t_0,   v = (t_2 - t_1) - r,   a = -|r|/|v|,
 *     t = t_0 - 2 a r + a^2 v,
 *
 * which is t_2 for a = -1, and no step is taken for a >= -1.  The parameters t of
 * components are ln w, the mean, and the Cholesky factor of the covariance with the
 * logarithms of its diagonal, so that every t is a mixture. */
#include "fit/squarem.h"

#include "num/split.h"

#include <math.h>
#include <string.h>

struct sfi_squarem {
    sf_context *ctx;
    int64_t most, dim;
    int held; /* of the three */
    double *t[3];
    double *root; /* [dim, dim] */
};

static int64_t length_of(int64_t components, int64_t d)
{
    return components * (1 + d + d * (d + 1) / 2);
}

void sfi_squarem_free(sfi_squarem *s)
{
    if (s == NULL)
        return;
    const size_t d = (size_t)s->dim;
    const size_t length = (size_t)length_of(s->most, s->dim);
    for (int i = 0; i < 3; i++)
        sfi_free(s->ctx, s->t[i], length, sizeof *s->t[i]);
    sfi_free(s->ctx, s->root, d * d, sizeof *s->root);
    sfi_free(s->ctx, s, 1, sizeof *s);
}

sf_status sfi_squarem_new(sf_context *ctx, sfi_squarem **out, int64_t most,
                          int64_t dim)
{
    const size_t d = (size_t)dim, length = (size_t)length_of(most, dim);
    *out = NULL;
    sfi_squarem *s = sfi_alloc_zero(ctx, 1, sizeof *s);
    if (s == NULL)
        return SF_E_NOMEM;
    s->ctx = ctx;
    s->most = most;
    s->dim = dim;
    s->root = sfi_alloc(ctx, d * d, sizeof *s->root);
    bool all = s->root != NULL;
    for (int i = 0; i < 3; i++) {
        s->t[i] = sfi_alloc(ctx, length, sizeof *s->t[i]);
        all = all && s->t[i] != NULL;
    }
    if (!all) {
        sfi_squarem_free(s);
        return SF_E_NOMEM;
    }
    *out = s;
    return SF_OK;
}

/* False if a covariance is not positive definite. */
static bool pack(sfi_squarem *s, const sfi_components *c, double *t)
{
    const int64_t d = s->dim;
    for (int64_t k = 0; k < c->count; k++) {
        *t++ = log(c->weight[k]);
        memcpy(t, c->mean + k * d, (size_t)d * sizeof *t);
        t += d;
        memcpy(s->root, c->covariance + k * d * d,
               (size_t)(d * d) * sizeof *s->root);
        if (!sfi_root(s->root, d))
            return false;
        for (int64_t i = 0; i < d; i++)
            for (int64_t j = 0; j <= i; j++)
                *t++ = i == j ? log(s->root[i * d + j]) : s->root[i * d + j];
    }
    return true;
}

static void unpack(sfi_squarem *s, const double *t, sfi_components *c)
{
    const int64_t d = s->dim;
    double sum = 0.0;
    for (int64_t k = 0; k < c->count; k++) {
        c->weight[k] = exp(*t++);
        sum += c->weight[k];
        memcpy(c->mean + k * d, t, (size_t)d * sizeof *t);
        t += d;
        for (int64_t i = 0; i < d; i++)
            for (int64_t j = 0; j <= i; j++, t++)
                s->root[i * d + j] = i == j ? exp(*t) : *t;
        double *covariance = c->covariance + k * d * d;
        for (int64_t i = 0; i < d; i++)
            for (int64_t j = 0; j <= i; j++) {
                double product = 0.0;
                for (int64_t p = 0; p <= j; p++)
                    product += s->root[i * d + p] * s->root[j * d + p];
                covariance[i * d + j] = covariance[j * d + i] = product;
            }
    }
    for (int64_t k = 0; k < c->count; k++)
        c->weight[k] /= sum;
}

void sfi_squarem_begin(sfi_squarem *s, const sfi_components *c)
{
    s->held = pack(s, c, s->t[0]) ? 1 : 0;
}

bool sfi_squarem_leap(sfi_squarem *s, sfi_components *c)
{
    if (!pack(s, c, s->t[s->held])) {
        s->held = 0;
        return false;
    }
    if (++s->held < 3)
        return false;
    const int64_t length = length_of(c->count, s->dim);
    double *t0 = s->t[0], *t1 = s->t[1];
    const double *t2 = s->t[2];
    double rr = 0.0, vv = 0.0;
    for (int64_t i = 0; i < length; i++) {
        const double r = t1[i] - t0[i], v = (t2[i] - t1[i]) - r;
        rr += r * r;
        vv += v * v;
    }
    const double a = -sqrt(rr / vv);
    if (!(a < -1.0) || !isfinite(a)) {
        memcpy(t0, t2, (size_t)length * sizeof *t0);
        s->held = 1;
        return false;
    }
    for (int64_t i = 0; i < length; i++) {
        const double r = t1[i] - t0[i], v = (t2[i] - t1[i]) - r;
        t0[i] += a * (a * v - 2.0 * r);
    }
    s->held = 1;
    unpack(s, t0, c);
    return true;
}

void sfi_squarem_retreat(sfi_squarem *s, sfi_components *c)
{
    const int64_t length = length_of(c->count, s->dim);
    memcpy(s->t[0], s->t[2], (size_t)length * sizeof *s->t[0]);
    unpack(s, s->t[0], c);
}
