/* SPDX-License-Identifier: Apache-2.0 */
/* gaussian_mixture.c - a mixture of normal distributions, whose score is known in
 * closed form.
 *
 * Component k has the weight w_k, the mean m_k and the covariance
 * S_k = V_k' diag(l_k) V_k of standardised columns (eigenvectors are rows of V_k).
 * Under noise sigma it stays a mixture,
 *
 *     ln p_k(y) = ln w_k - (1/2) sum ln(2 pi (l_k + sigma^2)) - (1/2) q_k(y),
 *     q_k       = |V_k (y - m_k)|^2 / (l_k + sigma^2),
 *
 * and with r_k = p_k / sum p, score = sum_k r_k s_k, s_k = -V_k' (V_k (y - m_k) /
 * (l_k + sigma^2)). */
#include "model/gaussian_mixture.h"

#include "num/linalg.h"
#include "scorefield/mixture.h"

#include <math.h>
#include <string.h>

/* Eigenvalues below this fraction of the largest are zero up to rounding. */
static const double singular_below = 1e-13;

enum { LOG_WEIGHTS, MEANS, VECTORS, VALUES };

static sf_status mixture_declare(sf_model *m)
{
    int64_t count;
    SFI_TRY(sfi_whole_number(m, "components", 1, SFI_MOST_COMPONENTS, &count));
    const int64_t d = m->dim;
    m->weight_dtype = SF_F64;
    SFI_TRY(sfi_add_weight(m, "log_weights", 1, &count));
    SFI_TRY(sfi_add_weight(m, "means", 2, (int64_t[]){count, d}));
    SFI_TRY(sfi_add_weight(m, "vectors", 3, (int64_t[]){count, d, d}));
    return sfi_add_weight(m, "values", 2, (int64_t[]){count, d});
}

/* Part k of an array [components, ...], without its first axis. */
static sf_node part_of(sf_graph *g, sf_node all, int64_t k, int rank, int64_t d)
{
    const int64_t shape[] = {d, d};
    return sf_reshape(g, sf_slice(g, all, 0, k, 1, 1), rank, shape);
}

typedef struct component {
    sf_node logp, score;
} component;

static component component_of(const sf_model *m, sf_graph *g, sf_node y,
                              sf_node sigma, const sf_node *w, int64_t k)
{
    const double log_two_pi = 1.8378770664093453;
    const int64_t d = m->dim;
    const sf_node mean = part_of(g, w[MEANS], k, 1, d);
    const sf_node vectors = part_of(g, w[VECTORS], k, 2, d);
    const sf_node values = part_of(g, w[VALUES], k, 1, d);
    const sf_node variance = sf_add(g, values, sf_square(g, sigma));
    const sf_node along = sf_matmul(g, vectors, sf_sub(g, y, mean));
    const sf_node pull = sf_div(g, along, variance);
    const sf_node spread = sf_add(g, sf_const(g, (double)d * log_two_pi),
                                  sf_sum_all(g, sf_log(g, variance)));
    const sf_node half =
        sf_mul(g, sf_const(g, -0.5), sf_add(g, spread, sf_dot(g, along, pull)));
    return (component){
        .logp = sf_add(g, sf_component(g, w[LOG_WEIGHTS], k), half),
        .score = sf_neg(g, sf_matmul(g, sf_transpose(g, vectors), pull))};
}

/* ln of the sum of exponentials, about the largest. */
static sf_node log_sum(sf_graph *g, const component *c, int64_t count)
{
    sf_node most = c[0].logp;
    for (int64_t k = 1; k < count; k++)
        most = sf_max(g, most, c[k].logp);
    most = sf_stop_gradient(g, most);
    sf_node sum = sf_exp(g, sf_sub(g, c[0].logp, most));
    for (int64_t k = 1; k < count; k++)
        sum = sf_add(g, sum, sf_exp(g, sf_sub(g, c[k].logp, most)));
    return sf_add(g, most, sf_log(g, sum));
}

static sfi_answer mixture_answer(const sf_model *m, sf_graph *g, sf_node y,
                                 sf_node sigma, const sf_node *weights)
{
    component parts[SFI_MOST_COMPONENTS] = {{{0}, {0}}};
    const int64_t count = m->layout[LOG_WEIGHTS].shape[0];
    for (int64_t k = 0; k < count; k++)
        parts[k] = component_of(m, g, y, sigma, weights, k);
    const sf_node logp = log_sum(g, parts, count);
    sf_node score = {-1};
    for (int64_t k = 0; k < count; k++) {
        const sf_node share = sf_exp(g, sf_sub(g, parts[k].logp, logp));
        const sf_node pull = sf_mul(g, share, parts[k].score);
        score = k == 0 ? pull : sf_add(g, score, pull);
    }
    return (sfi_answer){.score = score,
                        .drift = sf_neg(g, sf_mul(g, sigma, score)),
                        .denoised =
                            sf_add(g, y, sf_mul(g, sf_square(g, sigma), score)),
                        .logp = logp};
}

static double *part(const sf_model *m, int array, int64_t k)
{
    const sfi_weight *w = &m->layout[array];
    return m->weights + w->offset + k * (w->count / w->shape[0]);
}

/* Weights sum to 1, eigenvalues are positive, and the vectors have length 1. */
static sf_status mixture_check(const sf_model *m)
{
    const int64_t d = m->dim, count = sf_mixture_components(m);
    double sum = 0.0;
    for (int64_t k = 0; k < count; k++)
        sum += exp(*part(m, LOG_WEIGHTS, k));
    if (!(fabs(sum - 1.0) < 1e-6))
        return SFI_FAIL(m->ctx, SF_E_FORMAT,
                        "mixture: the weights sum to %g, want 1", sum);
    for (int64_t k = 0; k < count; k++)
        for (int64_t i = 0; i < d; i++) {
            const double *v = part(m, VECTORS, k) + i * d;
            const double value = part(m, VALUES, k)[i];
            const double length = sfi_norm(v, d);
            if (!(value > 0.0) || !(fabs(length - 1.0) < 1e-6))
                return SFI_FAIL(m->ctx, SF_E_FORMAT,
                                "mixture: eigenvalue %lld of component %lld is "
                                "%g and its vector has the length %g, want > 0 "
                                "and 1",
                                (long long)i, (long long)k, value, length);
        }
    return SF_OK;
}

static sf_status mixture_parts(sf_context *ctx, const sf_model *m,
                               sfi_parts *out)
{
    const int64_t count = sf_mixture_components(m);
    SFI_TRY(sfi_parts_new(ctx, out, m->dim, count, count));
    for (int64_t k = 0; k <= count; k++)
        out->first[k] = k;
    for (int64_t k = 0; k < count; k++)
        out->log_weight[k] = *part(m, LOG_WEIGHTS, k);
    return sf_mixture_moments(m, NULL, out->mean, out->covariance);
}

const sfi_model_ops sfi_gaussian_mixture_ops = {.family = "mixture",
                                                .closed = true,
                                                .no_kernels = true,
                                                .declare = mixture_declare,
                                                .answer = mixture_answer,
                                                .parts = mixture_parts,
                                                .check = mixture_check};

/* ---- making ------------------------------------------------------------------ */

sf_status sfi_mixture_declare_model(sf_context *ctx, sf_model **out,
                                    int64_t dim, const char *const *names,
                                    int64_t components)
{
    *out = NULL;
    if (dim < 1 || dim > SFI_LINALG_MAX || components < 1 ||
        components > SFI_MOST_COMPONENTS)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "mixture: %lld columns and %lld components, want 1 to "
                        "%d and 1 to %d",
                        (long long)dim, (long long)components,
                        (int)SFI_LINALG_MAX, (int)SFI_MOST_COMPONENTS);
    const sfi_number numbers[] = {{"sigma_min", 0.0},
                                  {"sigma_max", 80.0},
                                  {"rho", 7.0},
                                  {"components", (double)components}};
    return sfi_model_new(ctx, out, &sfi_gaussian_mixture_ops, dim, names, NULL,
                         (int)SFI_COUNT(numbers), numbers);
}

sf_status sfi_mixture_set(sf_model *m, int64_t k, double weight,
                          const double *mean, const double *covariance)
{
    const int64_t d = m->dim;
    double *vectors = part(m, VECTORS, k), *values = part(m, VALUES, k);
    *part(m, LOG_WEIGHTS, k) = log(weight);
    memcpy(part(m, MEANS, k), mean, (size_t)d * sizeof *mean);
    SFI_TRY(sfi_eigen_symmetric(m->ctx, values, vectors, covariance, d));
    if (values[0] > singular_below * values[d - 1])
        return SF_OK;
    return SFI_FAIL(m->ctx, SF_E_NUMERIC,
                    "mixture: the covariance of component %lld is singular "
                    "(eigenvalues from %.2g to %.2g)",
                    (long long)k, values[0], values[d - 1]);
}

/* Columns are standardised by the mixture's own moments. */
static void take_units(sf_model *m, int64_t count, const double *weights,
                       double sum, const double *means,
                       const double *covariances)
{
    const int64_t d = m->dim;
    for (int64_t j = 0; j < d; j++) {
        double mean = 0.0, square = 0.0;
        for (int64_t k = 0; k < count; k++)
            mean += weights[k] / sum * means[k * d + j];
        for (int64_t k = 0; k < count; k++) {
            const double off = means[k * d + j] - mean;
            square += weights[k] / sum *
                      (off * off + covariances[(k * d + j) * d + j]);
        }
        m->mean[j] = mean;
        m->scale[j] = square > 0.0 && isfinite(square) ? sqrt(square) : 1.0;
    }
}

static sf_status fill(sf_model *m, int64_t count, const double *weights,
                      const double *means, const double *covariances,
                      double *mean, double *c)
{
    const int64_t d = m->dim;
    double sum = 0.0;
    for (int64_t k = 0; k < count; k++) {
        if (!(weights[k] > 0.0) || !isfinite(weights[k]))
            return SFI_FAIL(m->ctx, SF_E_ARG,
                            "mixture: weight %lld is %g, want > 0 and finite",
                            (long long)k, weights[k]);
        sum += weights[k];
    }
    take_units(m, count, weights, sum, means, covariances);
    for (int64_t k = 0; k < count; k++) {
        for (int64_t i = 0; i < d; i++) {
            mean[i] = (means[k * d + i] - m->mean[i]) / m->scale[i];
            for (int64_t j = 0; j < d; j++)
                c[i * d + j] = covariances[(k * d + i) * d + j] /
                               (m->scale[i] * m->scale[j]);
        }
        if (sfi_first_not_finite(mean, d) < d)
            return SFI_FAIL(m->ctx, SF_E_NUMERIC,
                            "mixture: the mean of component %lld is not finite",
                            (long long)k);
        SFI_TRY(sfi_mixture_set(m, k, weights[k] / sum, mean, c));
    }
    return SF_OK;
}

sf_status sf_mixture_new(sf_context *ctx, sf_model **out, int64_t dim,
                         const char *const *names, int64_t components,
                         const double *weights, const double *means,
                         const double *covariances)
{
    sf_model *m = NULL;
    *out = NULL;
    SFI_TRY(sfi_mixture_declare_model(ctx, &m, dim, names, components));
    const size_t d = (size_t)dim;
    double *mean = sfi_alloc(ctx, d, sizeof *mean);
    double *c = sfi_alloc(ctx, d * d, sizeof *c);
    sf_status status = SF_E_NOMEM;
    if (mean != NULL && c != NULL)
        status = fill(m, components, weights, means, covariances, mean, c);
    sfi_free(ctx, c, d * d, sizeof *c);
    sfi_free(ctx, mean, d, sizeof *mean);
    if (status != SF_OK) {
        sf_model_free(m);
        return status;
    }
    *out = m;
    return SF_OK;
}

/* ---- asking ------------------------------------------------------------------- */

int64_t sf_mixture_components(const sf_model *m)
{
    return m->ops == &sfi_gaussian_mixture_ops ? m->layout[LOG_WEIGHTS].shape[0]
                                               : 0;
}

sf_status sf_mixture_moments(const sf_model *m, double *weights, double *means,
                             double *covariances)
{
    const int64_t d = m->dim, count = sf_mixture_components(m);
    if (count == 0)
        return SFI_FAIL(m->ctx, SF_E_UNSUPPORTED,
                        "mixture_moments: the model is of the family %s",
                        m->ops->family);
    for (int64_t k = 0; k < count && weights != NULL; k++)
        weights[k] = exp(*part(m, LOG_WEIGHTS, k));
    for (int64_t k = 0; k < count && means != NULL; k++)
        for (int64_t j = 0; j < d; j++)
            means[k * d + j] = m->mean[j] + m->scale[j] * part(m, MEANS, k)[j];
    for (int64_t k = 0; k < count && covariances != NULL; k++) {
        const double *v = part(m, VECTORS, k), *l = part(m, VALUES, k);
        for (int64_t i = 0; i < d; i++)
            for (int64_t j = 0; j < d; j++) {
                double sum = 0.0;
                for (int64_t p = 0; p < d; p++)
                    sum += v[p * d + i] * l[p] * v[p * d + j];
                covariances[(k * d + i) * d + j] =
                    sum * m->scale[i] * m->scale[j];
            }
    }
    return SF_OK;
}
