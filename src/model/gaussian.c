/* SPDX-License-Identifier: Apache-2.0 */
/* gaussian.c - the normal law, whose score is known in closed form.
 *
 * With the correlation matrix C = V' diag(l) V of the standardised columns
 * (eigenvectors are rows of V), y_t ~ N(0, C + sigma^2 I) and
 *
 *     score = -V' diag(1 / (l + sigma^2)) V y,
 *
 * which is two products for every noise level. */
#include "model/model.h"

#include "num/linalg.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Eigenvalues below this fraction of the largest are zero up to the rounding
 * errors of a covariance made from data. */
static const double singular_below = 1e-13;

static sf_status gaussian_declare(sf_model *m)
{
    m->weight_dtype = SF_F64;
    SFI_TRY(sfi_add_weight(m, "vectors", 2, (int64_t[]){m->dim, m->dim}));
    return sfi_add_weight(m, "values", 1, (int64_t[]){m->dim});
}

static sfi_answer gaussian_answer(const sf_model *m, sf_graph *g, sf_node y,
                                  sf_node sigma, const sf_node *weights)
{
    const double log_two_pi = 1.8378770664093453;
    const sf_node variance = sf_add(g, weights[1], sf_square(g, sigma));
    const sf_node along = sf_matmul(g, weights[0], y);
    const sf_node pull =
        sf_matmul(g, sf_transpose(g, weights[0]), sf_div(g, along, variance));
    const sf_node spread = sf_add(g, sf_const(g, (double)m->dim * log_two_pi),
                                  sf_sum_all(g, sf_log(g, variance)));
    const sf_node squares = sf_dot(g, y, pull);
    const sfi_answer a = {
        .score = sf_neg(g, pull),
        .drift = sf_mul(g, sigma, pull),
        .denoised = sf_sub(g, y, sf_mul(g, sf_square(g, sigma), pull)),
        .logp = sf_mul(g, sf_const(g, -0.5), sf_add(g, spread, squares)),
    };
    return a;
}

/* Eigenvalues are positive, and the vectors have length 1. */
static sf_status gaussian_check(const sf_model *m)
{
    const int64_t d = m->dim;
    for (int64_t k = 0; k < d; k++) {
        const double value = m->weights[d * d + k];
        double square = 0.0;
        for (int64_t j = 0; j < d; j++)
            square += m->weights[j * d + k] * m->weights[j * d + k];
        if (!(value > 0.0) || !(fabs(square - 1.0) < 1e-6))
            return SFI_FAIL(m->ctx, SF_E_FORMAT,
                            "gaussian: eigenvalue %lld is %g and its vector "
                            "has the squared length %g, want > 0 and 1",
                            (long long)k, value, square);
    }
    return SF_OK;
}

static sf_status gaussian_parts(sf_context *ctx, const sf_model *m,
                                sfi_parts *out)
{
    SFI_TRY(sfi_parts_new(ctx, out, m->dim, 1, 1));
    out->log_weight[0] = 0.0;
    out->first[0] = 0;
    out->first[1] = 1;
    return sf_gaussian_moments(m, out->mean, out->covariance, NULL);
}

const sfi_model_ops sfi_gaussian_ops = {.family = "gaussian",
                                        .closed = true,
                                        .no_kernels = true,
                                        .declare = gaussian_declare,
                                        .answer = gaussian_answer,
                                        .parts = gaussian_parts,
                                        .check = gaussian_check};

/* Name the columns that the smallest eigenvector is made of. */
static sf_status say_singular(const sf_model *m, const double *vectors,
                              double smallest, double largest)
{
    char names[400] = "";
    size_t used = 0;
    double most = 0.0;
    for (int64_t j = 0; j < m->dim; j++)
        most = fmax(most, fabs(vectors[j]));
    for (int64_t j = 0; j < m->dim && used < sizeof names - 80; j++)
        if (fabs(vectors[j]) > 0.1 * most)
            used += (size_t)snprintf(names + used, sizeof names - used,
                                     "%s\"%.60s\"", used > 0 ? ", " : "",
                                     m->names[j]);
    return SFI_FAIL(m->ctx, SF_E_NUMERIC,
                    "gaussian: the covariance is singular (eigenvalues of the "
                    "correlations from %.2g to %.2g): the columns %s depend on "
                    "each other linearly; leave one of them out",
                    smallest, largest, names);
}

static sf_status set_covariance(sf_model *m, const double *mean,
                                const double *covariance)
{
    const int64_t d = m->dim;
    sf_context *ctx = m->ctx;
    for (int64_t j = 0; j < d; j++) {
        const double variance = covariance[j * d + j];
        if (!(variance > 0.0) || !isfinite(variance) || !isfinite(mean[j]))
            return SFI_FAIL(
                ctx, SF_E_NUMERIC,
                "gaussian: column \"%s\" has mean %g and variance "
                "%g; a constant column has no density: leave it out",
                m->names[j], mean[j], variance);
        m->mean[j] = mean[j];
        m->scale[j] = sqrt(variance);
    }
    const size_t count = (size_t)(d * d);
    double *c = sfi_alloc(ctx, count, sizeof *c);
    if (c == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < d; j++)
            c[i * d + j] = covariance[i * d + j] / (m->scale[i] * m->scale[j]);
    double *vectors = m->weights, *values = m->weights + d * d;
    sf_status status = sfi_eigen_symmetric(ctx, values, vectors, c, d);
    sfi_free(ctx, c, count, sizeof *c);
    if (status == SF_OK && !(values[0] > singular_below * values[d - 1]))
        status = say_singular(m, vectors, values[0], values[d - 1]);
    return status;
}

sf_status sf_gaussian_new(sf_context *ctx, sf_model **out, int64_t dim,
                          const char *const *names, const double *mean,
                          const double *covariance)
{
    static const sfi_number numbers[] = {
        {"sigma_min", 0.0}, {"sigma_max", 80.0}, {"rho", 7.0}};
    *out = NULL;
    if (dim < 1 || dim > SFI_LINALG_MAX)
        return SFI_FAIL(ctx, SF_E_ARG, "gaussian: dim is %lld, want 1 to %d",
                        (long long)dim, (int)SFI_LINALG_MAX);
    sf_model *m = NULL;
    SFI_TRY(sfi_model_new(ctx, &m, &sfi_gaussian_ops, dim, names, NULL,
                          (int)SFI_COUNT(numbers), numbers));
    const sf_status status = set_covariance(m, mean, covariance);
    if (status != SF_OK) {
        sf_model_free(m);
        return status;
    }
    *out = m;
    return SF_OK;
}

/* sum_k f(l_k) v_ik v_jk, scaled by s_i s_j. */
static void compose(const sf_model *m, double *out, const double *scale,
                    bool invert)
{
    const int64_t d = m->dim;
    const double *v = m->weights, *values = m->weights + d * d;
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j <= i; j++) {
            double sum = 0.0;
            for (int64_t k = 0; k < d; k++)
                sum += v[k * d + i] * v[k * d + j] *
                       (invert ? 1.0 / values[k] : values[k]);
            const double s = scale[i] * scale[j];
            out[i * d + j] = out[j * d + i] = invert ? sum / s : sum * s;
        }
}

sf_status sf_gaussian_moments(const sf_model *m, double *mean,
                              double *covariance, double *precision)
{
    if (m->ops != &sfi_gaussian_ops)
        return SFI_FAIL(m->ctx, SF_E_UNSUPPORTED,
                        "gaussian_moments: the model is a %s", m->ops->family);
    if (mean != NULL)
        memcpy(mean, m->mean, (size_t)m->dim * sizeof *mean);
    if (covariance != NULL)
        compose(m, covariance, m->scale, false);
    if (precision != NULL)
        compose(m, precision, m->scale, true);
    return SF_OK;
}
