/* SPDX-License-Identifier: Apache-2.0 */
#include "sample/metric.h"

#include "num/linalg.h"
#include "num/loops.h"

#include <math.h>
#include <string.h>

size_t sfi_metric_size(sf_metric kind, int64_t dim)
{
    const size_t n = (size_t)dim;
    return kind == SF_METRIC_UNIT    ? 0
           : kind == SF_METRIC_DENSE ? 2 * n * n
                                     : 2 * n;
}

void sfi_metric_init(sfi_metric *m, sf_metric kind, int64_t dim, double *memory)
{
    const int64_t half = (int64_t)sfi_metric_size(kind, dim) / 2;
    *m = (sfi_metric){kind, dim, memory, memory + half};
    for (int64_t i = 0; i < half; i++)
        m->inverse[i] = m->factor[i] =
            kind == SF_METRIC_DENSE && i % (dim + 1) != 0 ? 0.0 : 1.0;
}

void sfi_metric_set(sf_context *ctx, sfi_metric *m, double *covariance,
                    int64_t draws)
{
    const double n = (double)draws;
    const double keep = n / (n + 5.0), add = 1e-3 * 5.0 / (n + 5.0);
    const int64_t d = m->dim;
    if (m->kind == SF_METRIC_DIAGONAL)
        for (int64_t j = 0; j < d; j++) {
            m->inverse[j] = keep * covariance[j] + add;
            m->factor[j] = 1.0 / sqrt(m->inverse[j]);
        }
    if (m->kind != SF_METRIC_DENSE)
        return;
    for (int64_t i = 0; i < d * d; i++)
        covariance[i] = keep * covariance[i] + (i % (d + 1) == 0 ? add : 0.0);
    sfi_mirror_lower(covariance, d);
    if (sfi_cholesky(ctx, m->factor, covariance, d, "covariance", NULL) ==
        SF_OK)
        memcpy(m->inverse, covariance, (size_t)(d * d) * sizeof *covariance);
    else if (sfi_cholesky(ctx, m->factor, m->inverse, d, "covariance", NULL) !=
             SF_OK)
        sfi_metric_init(m, m->kind, d, m->inverse);
}

/* p <- L'^-1 p. */
static void solve_transposed(const double *factor, int64_t n, double *p)
{
    for (int64_t i = n - 1; i >= 0; i--) {
        p[i] /= factor[i * n + i];
        for (int64_t j = 0; j < i; j++)
            p[j] -= factor[i * n + j] * p[i];
    }
}

/* The numbers of one chain are taken as points of their own, which the loops draw
 * side by side. */
void sfi_metric_draw(const sfi_metric *m, sfi_where where, double *p)
{
    enum { CHUNK = 256 };
    SFI_ALIGNED(64) double z[CHUNK];
    const sfi_loops *loops = sfi_loops_for(SF_F64);
    const uint64_t chain = where.point << 24;
    for (int64_t first = 0; first < m->dim; first += CHUNK) {
        const int64_t left = m->dim - first;
        const int64_t count = left < CHUNK ? left : CHUNK;
        where.point = chain + (uint64_t)first;
        loops->normal(z, CHUNK, where, 0, sfi_row_length(count), 1);
        for (int64_t j = 0; j < count; j++)
            p[first + j] = m->kind == SF_METRIC_DIAGONAL
                               ? z[j] * m->factor[first + j]
                               : z[j];
    }
    if (m->kind == SF_METRIC_DENSE)
        solve_transposed(m->factor, m->dim, p);
}

void sfi_metric_velocity(const sfi_metric *m, const double *p, double *v)
{
    const int64_t d = m->dim;
    switch (m->kind) {
    case SF_METRIC_DIAGONAL:
        for (int64_t j = 0; j < d; j++)
            v[j] = m->inverse[j] * p[j];
        break;
    case SF_METRIC_DENSE: {
        const sfi_loops *loops = sfi_loops_for(SF_F64);
        for (int64_t i = 0; i < d; i++)
            v[i] = loops->dot(m->inverse + i * d, p, d);
        break;
    }
    case SF_METRIC_UNIT:
        memcpy(v, p, (size_t)d * sizeof *v);
        break;
    }
}
