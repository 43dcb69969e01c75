/* SPDX-License-Identifier: Apache-2.0 */
/* empirical_parts.c - a data set under normal noise is a mixture of normal
 * distributions, one for each datum: with keep and spread of its kernel's path at its
 * bandwidth,
 *
 *     N(mean + scale keep x_i, scale sigma^2 spread^2 L L' scale),
 *
 * L the factor of a block of columns.  Data of one bandwidth are one group; the
 * background is one more component, at t = 1. */
#include "kernel/families.h"
#include "model/model.h"

#include <math.h>
#include <string.h>

static bool is_normal(const sfi_kernel *k)
{
    return k->ops == &sfi_kernel_gaussian || k->ops == &sfi_kernel_mvgaussian;
}

bool sfi_noise_is_normal(const sfi_noise *noise)
{
    for (int64_t b = 0; b < noise->count; b++)
        if (!is_normal(&noise->blocks[b].kernel))
            return false;
    return true;
}

/* The covariance at time t. */
static void set_covariance(const sf_model *m, double t, double *covariance)
{
    const int64_t d = m->dim;
    memset(covariance, 0, (size_t)(d * d) * sizeof *covariance);
    for (int64_t k = 0; k < m->noise.count; k++) {
        const sfi_block *b = &m->noise.blocks[k];
        const int64_t *column = sfi_noise_columns(&m->noise, b), n = b->columns;
        const double spread = b->kernel.numbers[1] *
                              sfi_path_at((int)b->kernel.numbers[0], t).spread;
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++) {
                double product = i == j ? 1.0 : 0.0;
                if (b->factor != NULL) {
                    product = 0.0;
                    for (int64_t p = 0; p <= (i < j ? i : j); p++)
                        product += b->factor[i * n + p] * b->factor[j * n + p];
                }
                covariance[column[i] * d + column[j]] =
                    product * spread * spread * m->scale[column[i]] *
                    m->scale[column[j]];
            }
    }
}

/* The mean of a datum, NULL for none, at time t. */
static void set_mean(const sf_model *m, const double *datum, double t,
                     double *mean)
{
    for (int64_t j = 0; j < m->dim; j++) {
        const sfi_kernel *k = &sfi_noise_block(&m->noise, j)->kernel;
        const double keep = sfi_path_at((int)k->numbers[0], t).keep;
        const double y = datum != NULL ? keep * datum[j] : 0.0;
        mean[j] = m->mean[j] + m->scale[j] * y;
    }
}

static void set_weights(const sfi_empirical *e, double *log_weight)
{
    const int64_t n = e->data.rows;
    double most = -INFINITY, total = 0.0;
    for (int64_t i = 0; i < n; i++) {
        log_weight[i] = e->log_weights != NULL ? e->log_weights[i] : 0.0;
        most = fmax(most, log_weight[i]);
    }
    for (int64_t i = 0; i < n; i++)
        total += exp(log_weight[i] - most);
    for (int64_t i = 0; i < n; i++)
        log_weight[i] += log1p(-e->floor) - most - log(total);
}

sf_status sfi_empirical_parts(sf_context *ctx, const sf_model *m,
                              const sfi_empirical *e, sfi_parts *out)
{
    const int64_t n = e->data.rows, d = m->dim;
    const int64_t more = e->floor > 0.0 ? 1 : 0;
    const int64_t groups = e->least != NULL ? n : 1;
    SFI_TRY(sfi_parts_new(ctx, out, d, n + more, groups + more));
    set_weights(e, out->log_weight);
    for (int64_t i = 0; i < n; i++)
        set_mean(m, e->data.data + i * e->data.stride,
                 e->least != NULL ? e->least[i] : e->least_all,
                 out->mean + i * d);
    for (int64_t g = 0; g < groups; g++) {
        out->first[g] = g;
        set_covariance(m, e->least != NULL ? e->least[g] : e->least_all,
                       out->covariance + g * d * d);
    }
    out->first[groups] = n;
    if (more == 0)
        return SF_OK;
    out->log_weight[n] = log(e->floor);
    set_mean(m, NULL, 1.0, out->mean + n * d);
    set_covariance(m, 1.0, out->covariance + groups * d * d);
    out->first[groups + 1] = n + 1;
    return SF_OK;
}
