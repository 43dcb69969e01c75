/* SPDX-License-Identifier: Apache-2.0 */
/* low_rank.c - a normal distribution with few latent variables, whose score is known in
 * closed form.
 *
 * Columns are measured in their own noise: scale_j is proportional to s_j, so that in
 * inner coordinates
 *
 *     y = A z + e,   z ~ N(0, I_K),   e ~ N(0, v I),
 *
 * also for factor analysis, where each column has its own s_j.  The columns of A [d, K]
 * are orthogonal, a_k their squared lengths, and the scale is such that the mean
 * variance of y is 1.  Noise of level sigma adds to v, so everything is known at every
 * level without an inverse: with v' = v + sigma^2 and p = A'y / (a + v')
 *
 *     (A A' + v' I)^-1 y = (y - A p)/v',    ln det = sum ln(a + v') + (d - K) ln v',
 *     y' (A A' + v' I)^-1 y = |y - A p|^2/v' + |p|^2
 *
 * (the matrix inversion lemma; the last is the least of its terms over p, and both are
 * positive, so that nothing cancels).  A row costs 2 d K products. */
#include "scorefield/low_rank.h"

#include "model/model.h"
#include "num/linalg.h"

#include <math.h>
#include <string.h>

enum { MATRIX, LOG_SD };

/* ---- the family ---------------------------------------------------------------- */

static sf_status low_rank_declare(sf_model *m)
{
    int64_t latent;
    const int64_t one = 1;
    SFI_TRY(sfi_whole_number(m, "latent", 1, m->dim - 1, &latent));
    m->weight_dtype = SF_F64;
    SFI_TRY(
        sfi_add_weight(m, "decoder.matrix", 2, (int64_t[]){m->dim, latent}));
    return sfi_add_weight(m, "noise.log_sd", 1, &one);
}

/* What all answers have in common. */
typedef struct inversion {
    sf_node variance; /* v'            */
    sf_node total;    /* a + v' [K]    */
    sf_node code;     /* p [K]         */
    sf_node rest;     /* y - A p [d]   */
} inversion;

static inversion invert(sf_graph *g, sf_node y, sf_node noise,
                        const sf_node *weights)
{
    const sf_node a = weights[MATRIX], two = sf_const(g, 2.0);
    const sf_node own =
        sf_sum_all(g, sf_exp(g, sf_mul(g, two, weights[LOG_SD])));
    inversion v = {.variance = sf_add(g, own, noise)};
    v.total = sf_add(g, sf_sum(g, sf_square(g, a), 1u), v.variance);
    v.code = sf_div(g, sf_matmul(g, sf_transpose(g, a), y), v.total);
    v.rest = sf_sub(g, y, sf_matmul(g, a, v.code));
    return v;
}

static sfi_answer low_rank_answer(const sf_model *m, sf_graph *g, sf_node y,
                                  sf_node sigma, const sf_node *weights)
{
    const double log_two_pi = 1.8378770664093453, d = (double)m->dim;
    const double others = d - (double)m->layout[MATRIX].shape[1];
    const sf_node noise = sf_square(g, sigma);
    const inversion v = invert(g, y, noise, weights);
    const sf_node pull = sf_div(g, v.rest, v.variance);
    const sf_node log_det =
        sf_add(g, sf_sum_all(g, sf_log(g, v.total)),
               sf_mul(g, sf_const(g, others), sf_log(g, v.variance)));
    const sf_node squares =
        sf_add(g, sf_dot(g, v.rest, pull), sf_dot(g, v.code, v.code));
    const sf_node twice =
        sf_add(g, sf_const(g, d * log_two_pi), sf_add(g, log_det, squares));
    return (sfi_answer){
        .score = sf_neg(g, pull),
        .drift = sf_mul(g, sigma, pull),
        .denoised = sf_sub(g, y, sf_mul(g, noise, pull)),
        .logp = sf_mul(g, sf_const(g, -0.5), twice),
    };
}

static sf_node low_rank_code(const sf_model *m, sf_graph *g, sf_node y,
                             const sf_node *weights)
{
    (void)m;
    return invert(g, y, sf_const(g, 0.0), weights).code;
}

static sf_status low_rank_decode(const sf_model *m, sf_graph *g, sf_node z,
                                 sf_node noise, const sf_node *weights,
                                 sf_node *out)
{
    (void)m;
    *out = sf_matmul(g, weights[MATRIX], z);
    if (noise.id >= 0)
        *out = sf_add(g, *out, sf_mul(g, sf_exp(g, weights[LOG_SD]), noise));
    return sf_graph_status(g);
}

static double *matrix_of(const sf_model *m)
{
    return m->weights + m->layout[MATRIX].offset;
}

static double log_sd_of(const sf_model *m)
{
    return m->weights[m->layout[LOG_SD].offset];
}

static void low_rank_spread(const sf_model *m, double *sd)
{
    for (int64_t j = 0; j < m->dim; j++)
        sd[j] = exp(log_sd_of(m));
}

/* sum_j a_jk a_jl */
static double product(const double *a, int64_t d, int64_t latent, int64_t k,
                      int64_t l)
{
    double sum = 0.0;
    for (int64_t j = 0; j < d; j++)
        sum += a[j * latent + k] * a[j * latent + l];
    return sum;
}

/* The noise is no number that overflows, and columns are orthogonal and not 0. */
static sf_status low_rank_check(const sf_model *m)
{
    const int64_t d = m->dim, latent = m->layout[MATRIX].shape[1];
    const double *a = matrix_of(m);
    if (!(fabs(log_sd_of(m)) <= 40.0))
        return SFI_FAIL(m->ctx, SF_E_FORMAT,
                        "%s: \"noise.log_sd\" is %g, want -40 to 40",
                        m->ops->family, log_sd_of(m));
    for (int64_t k = 0; k < latent; k++) {
        const double square = product(a, d, latent, k, k);
        if (!(square > 0.0) || !(square < 1e30))
            return SFI_FAIL(m->ctx, SF_E_FORMAT,
                            "%s: column %lld of \"decoder.matrix\" has the "
                            "squared length %g, want above 0 and below 1e30",
                            m->ops->family, (long long)k, square);
        for (int64_t l = 0; l < k; l++) {
            const double other = product(a, d, latent, l, l);
            const double cosine =
                product(a, d, latent, k, l) / sqrt(square) / sqrt(other);
            if (!(fabs(cosine) < 1e-6))
                return SFI_FAIL(m->ctx, SF_E_FORMAT,
                                "%s: columns %lld and %lld of "
                                "\"decoder.matrix\" are not orthogonal (their "
                                "cosine is %g)",
                                m->ops->family, (long long)l, (long long)k,
                                cosine);
        }
    }
    return SF_OK;
}

#define LOW_RANK(name)                                                         \
    {                                                                          \
        .family = name, .closed = true, .no_kernels = true,                    \
        .declare = low_rank_declare, .answer = low_rank_answer,                \
        .code = low_rank_code, .decode = low_rank_decode,                      \
        .spread = low_rank_spread, .check = low_rank_check                     \
    }

const sfi_model_ops sfi_pca_ops = LOW_RANK("pca"), sfi_fa_ops = LOW_RANK("fa");

/* ---- making --------------------------------------------------------------------- */

static sf_status check_new(sf_context *ctx, int64_t dim, int64_t latent,
                           const double *mean, const double *loadings,
                           const double *noise_sd)
{
    if (dim < 2 || dim > SFI_LINALG_MAX || latent < 1 || latent >= dim)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "low_rank: %lld latent variables of %lld columns, want "
                        "2 to %d columns and fewer latent variables than those",
                        (long long)latent, (long long)dim, (int)SFI_LINALG_MAX);
    for (int64_t j = 0; j < dim; j++)
        if (!(noise_sd[j] > 0.0) || !isfinite(noise_sd[j]))
            return SFI_FAIL(ctx, SF_E_ARG,
                            "low_rank: the noise of column %lld is %g, want "
                            "above 0 and finite",
                            (long long)j, noise_sd[j]);
    if (sfi_first_not_finite(mean, dim) < dim ||
        sfi_first_not_finite(loadings, dim * latent) < dim * latent)
        return SFI_FAIL(ctx, SF_E_NUMERIC,
                        "low_rank: a mean or a loading is not finite");
    return SF_OK;
}

/* Turn the columns of B = diag(1/s) W so that they are orthogonal, longest first:
 * B'B = V' diag(l) V, and they become B V'. */
static sf_status make_orthogonal(sf_context *ctx, double *b, int64_t d,
                                 int64_t latent, double *squares,
                                 double *vectors, double *row)
{
    for (int64_t k = 0; k < latent; k++)
        for (int64_t l = 0; l <= k; l++)
            vectors[k * latent + l] = vectors[l * latent + k] =
                product(b, d, latent, k, l);
    SFI_TRY(sfi_eigen_symmetric(ctx, squares, vectors, vectors, latent));
    if (!(squares[0] > 1e-15 * squares[latent - 1]))
        return SFI_FAIL(ctx, SF_E_NUMERIC,
                        "low_rank: the columns of the loadings depend on each "
                        "other linearly (squared singular values from %.2g to "
                        "%.2g)",
                        squares[0], squares[latent - 1]);
    for (int64_t j = 0; j < d; j++) {
        for (int64_t k = 0; k < latent; k++)
            row[k] = sfi_dot(b + j * latent,
                             vectors + (latent - 1 - k) * latent, latent);
        memcpy(b + j * latent, row, (size_t)latent * sizeof *row);
    }
    return SF_OK;
}

/* By the loadings in the data's units. */
static void fix_signs(const sf_model *m, double *a, int64_t latent)
{
    for (int64_t k = 0; k < latent; k++) {
        double most = 0.0;
        int64_t at = 0;
        for (int64_t j = 0; j < m->dim; j++)
            most = fmax(most, fabs(a[j * latent + k]) * m->scale[j]);
        while (fabs(a[at * latent + k]) * m->scale[at] < (1.0 - 1e-9) * most)
            at++;
        for (int64_t j = 0; j < m->dim && a[at * latent + k] < 0.0; j++)
            if (j != at)
                a[j * latent + k] = -a[j * latent + k];
        a[at * latent + k] = fabs(a[at * latent + k]);
    }
}

static sf_status fill(sf_model *m, const double *mean, const double *loadings,
                      const double *noise_sd)
{
    const int64_t d = m->dim, latent = m->layout[MATRIX].shape[1];
    const size_t size = (size_t)latent, room = size * size + 2 * size;
    double *a = matrix_of(m);
    double *work = sfi_alloc(m->ctx, room, sizeof *work);
    if (work == NULL)
        return SF_E_NOMEM;
    double *squares = work + size * size;
    for (int64_t i = 0; i < d * latent; i++)
        a[i] = loadings[i] / noise_sd[i / latent];
    const sf_status status =
        make_orthogonal(m->ctx, a, d, latent, squares, work, squares + latent);
    double total = 0.0;
    for (int64_t k = 0; k < latent && status == SF_OK; k++)
        total += squares[k];
    sfi_free(m->ctx, work, room, sizeof *work);
    SFI_TRY(status);
    const double unit = sqrt(1.0 + total / (double)d);
    for (int64_t j = 0; j < d; j++) {
        m->mean[j] = mean[j];
        m->scale[j] = noise_sd[j] * unit;
    }
    for (int64_t i = 0; i < d * latent; i++)
        a[i] /= unit;
    m->weights[m->layout[LOG_SD].offset] = -log(unit);
    fix_signs(m, a, latent);
    return low_rank_check(m);
}

sf_status sf_low_rank_new(sf_context *ctx, sf_model **out, bool pca,
                          int64_t dim, const char *const *names, int64_t latent,
                          const double *mean, const double *loadings,
                          const double *noise_sd)
{
    const sfi_number numbers[] = {{"sigma_min", 0.0},
                                  {"sigma_max", 80.0},
                                  {"rho", 7.0},
                                  {"latent", (double)latent}};
    *out = NULL;
    SFI_TRY(check_new(ctx, dim, latent, mean, loadings, noise_sd));
    sf_model *m = NULL;
    SFI_TRY(sfi_model_new(ctx, &m, pca ? &sfi_pca_ops : &sfi_fa_ops, dim, names,
                          NULL, (int)SFI_COUNT(numbers), numbers));
    const sf_status status = fill(m, mean, loadings, noise_sd);
    if (status != SF_OK) {
        sf_model_free(m);
        return status == SF_E_FORMAT ? SF_E_NUMERIC : status;
    }
    *out = m;
    return SF_OK;
}

/* ---- asking --------------------------------------------------------------------- */

sf_status sf_low_rank_parts(const sf_model *m, double *mean, double *loadings,
                            double *noise_sd)
{
    if (m->ops != &sfi_pca_ops && m->ops != &sfi_fa_ops)
        return SFI_FAIL(m->ctx, SF_E_UNSUPPORTED,
                        "low_rank_parts: the model is of the family %s",
                        m->ops->family);
    const int64_t latent = m->layout[MATRIX].shape[1];
    const double *a = matrix_of(m), sd = exp(log_sd_of(m));
    if (mean != NULL)
        memcpy(mean, m->mean, (size_t)m->dim * sizeof *mean);
    for (int64_t i = 0; i < m->dim * latent && loadings != NULL; i++)
        loadings[i] = m->scale[i / latent] * a[i];
    for (int64_t j = 0; j < m->dim && noise_sd != NULL; j++)
        noise_sd[j] = m->scale[j] * sd;
    return SF_OK;
}
