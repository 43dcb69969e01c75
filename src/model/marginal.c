/* SPDX-License-Identifier: Apache-2.0 */
/* marginal.c - log densities of the cells that rows have: rows are sorted by their
 * patterns of missing cells, and each pattern splits the components once. */
#include "base/parallel.h"
#include "model/model.h"
#include "model/product.h"
#include "num/linalg.h"
#include "num/patterns.h"
#include "scorefield/condition.h"

#include <math.h>
#include <string.h>

enum { CHUNK = 256 /* rows */ };

typedef struct marginal {
    const sfi_parts *parts;
    const sfi_patterns *patterns;
    sf_cmat x;
    sfi_split *split; /* [groups]                                          */
    int64_t first;    /* of the pattern's rows in the order of patterns    */
    double *work;     /* [chunks, 2 dim + 3, CHUNK]: columns, z, squares,
                         and the largest term and sum of each row          */
    double *logpdf;
} marginal;

static int64_t work_of(int64_t dim)
{
    return (2 * dim + 3) * CHUNK;
}

/* ln of the sum of exponentials so far is most + ln(total). */
static void add_terms(int64_t count, double top, const double *squares,
                      double *most, double *total)
{
    for (int64_t i = 0; i < count; i++) {
        const double term = top - 0.5 * squares[i];
        if (term > most[i]) {
            total[i] = total[i] * exp(most[i] - term) + 1.0;
            most[i] = term;
        } else {
            total[i] += exp(term - most[i]);
        }
    }
}

static void take_chunk(void *user, int64_t chunk, int64_t first, int64_t count)
{
    const double log_two_pi = 1.8378770664093453;
    const marginal *m = user;
    const sfi_parts *p = m->parts;
    const int64_t d = p->dim;
    const int64_t *row = m->patterns->order + m->first + first;
    double *columns = m->work + chunk * work_of(d), *z = columns + d * CHUNK;
    double *squares = z + d * CHUNK, *most = squares + CHUNK;
    double *total = most + CHUNK;
    for (int64_t i = 0; i < count; i++) {
        for (int64_t j = 0; j < d; j++)
            columns[j * CHUNK + i] = m->x.data[row[i] * m->x.stride + j];
        most[i] = -INFINITY;
        total[i] = 0.0;
    }
    for (int64_t g = 0; g < p->groups; g++) {
        const sfi_split *s = &m->split[g];
        const double top = -0.5 * ((double)s->given * log_two_pi + s->log_det);
        for (int64_t k = p->first[g]; k < p->first[g + 1]; k++) {
            sfi_split_whiten(s, p->mean + k * d, columns, CHUNK, count, z,
                             squares);
            add_terms(count, p->log_weight[k] + top, squares, most, total);
        }
    }
    for (int64_t i = 0; i < count; i++)
        m->logpdf[row[i]] = most[i] + log(total[i]);
}

static sf_status take_pattern(sf_context *ctx, marginal *m, int64_t k)
{
    const sfi_patterns *p = m->patterns;
    const int64_t d = m->parts->dim;
    for (int64_t g = 0; g < m->parts->groups; g++)
        if (!sfi_split_set(&m->split[g], m->parts->covariance + g * d * d,
                           p->present + k * d))
            return SFI_FAIL(ctx, SF_E_NUMERIC,
                            "logpdf_marginal: the covariance of a component is "
                            "singular");
    m->first = p->first[k];
    sfi_parallel(ctx, p->first[k + 1] - p->first[k], CHUNK, take_chunk, m);
    if (m->split[0].given > 0)
        return SF_OK;
    for (int64_t i = p->first[k]; i < p->first[k + 1]; i++)
        m->logpdf[p->order[i]] = 0.0; /* but for rounding it is */
    return SF_OK;
}

static sf_status take_rows(sf_context *ctx, marginal *m)
{
    const sfi_parts *p = m->parts;
    const size_t groups = (size_t)p->groups;
    const size_t count =
        (size_t)(sfi_parallel_parts(m->x.rows, CHUNK) * work_of(p->dim));
    m->work = sfi_alloc(ctx, count, sizeof *m->work);
    m->split = sfi_alloc_zero(ctx, groups, sizeof *m->split);
    sf_status status = m->work != NULL && m->split != NULL ? SF_OK : SF_E_NOMEM;
    for (size_t g = 0; g < groups && status == SF_OK; g++)
        status = sfi_split_new(ctx, &m->split[g], p->dim);
    for (int64_t k = 0; k < m->patterns->count && status == SF_OK; k++)
        status = take_pattern(ctx, m, k);
    for (size_t g = 0; g < groups && m->split != NULL; g++)
        sfi_split_free(ctx, &m->split[g]);
    sfi_free(ctx, m->split, groups, sizeof *m->split);
    sfi_free(ctx, m->work, count, sizeof *m->work);
    return status;
}

static sf_status check(sf_context *ctx, const sf_model *m, sf_cmat x)
{
    SFI_TRY(sfi_want_ability(ctx, m, SF_CAN_CONDITION, "logpdf_marginal"));
    SFI_TRY(sfi_check_table(ctx, x, false, "logpdf_marginal: x"));
    if (x.cols != m->dim)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "logpdf_marginal: points have %lld columns, the model "
                        "has %lld",
                        (long long)x.cols, (long long)m->dim);
    for (int64_t i = 0; i < x.rows; i++)
        for (int64_t j = 0; j < x.cols; j++)
            if (isinf(x.data[i * x.stride + j]))
                return SFI_FAIL(ctx, SF_E_NUMERIC,
                                "logpdf_marginal: row %lld, column \"%s\": the "
                                "value is not finite",
                                (long long)i + 1, m->names[j]);
    return SF_OK;
}

/* Data under kernels of one column each (product.h): in their coordinates, and back to
 * densities in the data's units. */
static sf_status take_product(sf_context *ctx, const sf_model *m, sf_cmat x,
                              double *logpdf)
{
    const size_t cells = (size_t)(x.rows * m->dim);
    sfi_product_law *p = NULL;
    double *z = sfi_alloc(ctx, cells, sizeof *z);
    sf_status status = z != NULL ? sfi_product_new(m, &p) : SF_E_NOMEM;
    for (size_t i = 0; i < cells && status == SF_OK; i++) {
        const int64_t row = (int64_t)i / m->dim, j = (int64_t)i % m->dim;
        z[i] = (x.data[row * x.stride + j] - m->mean[j]) / m->scale[j];
    }
    if (status == SF_OK)
        status = sfi_product_logpdf(p, (sf_cmat){z, x.rows, m->dim, m->dim},
                                    logpdf, 1);
    for (size_t i = 0; i < cells && status == SF_OK; i++)
        if (!isnan(z[i]))
            logpdf[i / (size_t)m->dim] -=
                sfi_product_log_unit(p, (int64_t)i % m->dim, z[i]);
    sfi_product_free(p);
    sfi_free(ctx, z, cells, sizeof *z);
    return status;
}

sf_status sf_logpdf_marginal(sf_context *ctx, double *logpdf, const sf_model *m,
                             sf_cmat x)
{
    sfi_parts parts = {0};
    sfi_patterns *patterns = NULL;
    SFI_TRY(check(ctx, m, x));
    if (sfi_product_is_needed(m))
        return take_product(ctx, m, x, logpdf);
    sf_status status = m->ops->parts(ctx, m, &parts);
    if (status == SF_OK)
        status = sfi_patterns_new(ctx, &patterns, x);
    marginal job = {
        .parts = &parts, .patterns = patterns, .x = x, .logpdf = logpdf};
    if (status == SF_OK)
        status = take_rows(ctx, &job);
    sfi_patterns_free(patterns);
    sfi_parts_free(ctx, &parts);
    return status;
}
