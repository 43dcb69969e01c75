/* SPDX-License-Identifier: Apache-2.0 */
/* metric.c - products with mass matrices and their roots.
 *
 * Each form of M^-1 has a root that costs no more than itself: S for scales, C for a
 * Cholesky factor, and for S (I + U' (L - I) U) S, since the rows of U are orthonormal,
 * the same expression with the root of L.  So a momentum of covariance M is a standard
 * normal vector to which one form or its inverse root is applied, and nothing is
 * factored while a chain runs. */
#include "sample/metric.h"

#include <math.h>
#include <string.h>

enum { VECTORS = 4 }; /* stretch, velocity, momentum, parts */

size_t sfi_metric_size(sf_metric kind, int64_t dim, int64_t most)
{
    const size_t n = (size_t)dim, r = (size_t)most;
    switch (kind) {
    case SF_METRIC_AUTO:
    case SF_METRIC_LOW_RANK:
        return 2 * n + 2 * n * r + VECTORS * r;
    case SF_METRIC_DENSE:
        return 2 * n + 2 * n * n;
    default:
        return 2 * n;
    }
}

void sfi_metric_init(sfi_metric *m, sf_metric kind, int64_t dim, int64_t most,
                     double *memory)
{
    *m = (sfi_metric){.kind = SF_METRIC_DIAGONAL,
                      .loops = sfi_loops_for(SF_F64),
                      .dim = dim,
                      .scale = memory,
                      .scaled = memory + dim};
    for (int64_t j = 0; j < dim; j++)
        m->scale[j] = 1.0;
    memory += 2 * dim;
    if (kind == SF_METRIC_DENSE) {
        m->inverse = memory;
        m->factor = memory + dim * dim;
    } else if (kind == SF_METRIC_LOW_RANK || kind == SF_METRIC_AUTO) {
        m->most = most;
        m->rows = memory;
        m->product = m->rows + most * dim;
        m->stretch = m->product + most * dim;
        m->velocity = m->stretch + most;
        m->momentum = m->velocity + most;
        m->parts = m->momentum + most;
    }
}

static bool whole(int64_t dim, int64_t rank)
{
    return 2 * rank > dim;
}

double sfi_metric_work(int64_t dim, int64_t rank)
{
    const int64_t vectors = 64;
    return (double)dim *
           (double)(vectors + (whole(dim, rank) ? dim : 2 * rank));
}

double sfi_metric_step_work(const sfi_metric *m)
{
    return sfi_metric_work(m->dim,
                           m->kind == SF_METRIC_DENSE ? m->dim : m->rank);
}

/* The lower triangle by rows of U, the rest by symmetry. */
static void multiply_out(sfi_metric *m)
{
    const int64_t d = m->dim;
    memset(m->product, 0, (size_t)(d * d) * sizeof *m->product);
    for (int64_t k = 0; k < m->rank; k++) {
        const double *row = m->rows + k * d;
        for (int64_t i = 0; i < d; i++)
            for (int64_t j = 0; j <= i; j++)
                m->product[i * d + j] += m->velocity[k] * row[i] * row[j];
    }
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < i; j++)
            m->product[j * d + i] = m->product[i * d + j];
}

void sfi_metric_set_rank(sfi_metric *m, int64_t rank)
{
    m->kind = rank > 0 ? SF_METRIC_LOW_RANK : SF_METRIC_DIAGONAL;
    m->rank = rank;
    for (int64_t k = 0; k < rank; k++) {
        m->velocity[k] = m->stretch[k] - 1.0;
        m->momentum[k] = 1.0 / sqrt(m->stretch[k]) - 1.0;
    }
    if (whole(m->dim, rank)) {
        multiply_out(m);
        return;
    }
    for (int64_t k = 0; k < rank; k++)
        for (int64_t j = 0; j < m->dim; j++)
            m->product[j * rank + k] = m->rows[k * m->dim + j];
}

/* y += U' parts. */
static void add_rows(const sfi_metric *m, double *y)
{
    for (int64_t k = 0; k < m->rank; k++)
        for (int64_t j = 0; j < m->dim; j++)
            y[j] += m->parts[k] * m->rows[k * m->dim + j];
}

/* parts = diag(factor) U y. */
static void take_parts(const sfi_metric *m, const double *factor,
                       const double *y)
{
    for (int64_t k = 0; k < m->rank; k++)
        m->parts[k] =
            factor[k] * m->loops->dot(m->rows + k * m->dim, y, m->dim);
}

/* p <- L'^-1 p and p <- L^-1 p. */
static void solve_transposed(const double *factor, int64_t n, double *p)
{
    for (int64_t i = n - 1; i >= 0; i--) {
        p[i] /= factor[i * n + i];
        for (int64_t j = 0; j < i; j++)
            p[j] -= factor[i * n + j] * p[i];
    }
}

static void solve(const sfi_metric *m, double *p)
{
    for (int64_t i = 0; i < m->dim; i++) {
        const double *row = m->factor + i * m->dim;
        p[i] = (p[i] - m->loops->dot(row, p, i)) / row[i];
    }
}

/* The numbers of one chain are taken as points of their own, which the loops draw
 * side by side. */
void sfi_metric_draw(const sfi_metric *m, sfi_where where, double *p)
{
    enum { CHUNK = 256 };
    SFI_ALIGNED(64) double z[CHUNK];
    const uint64_t chain = where.point << 24;
    for (int64_t first = 0; first < m->dim; first += CHUNK) {
        const int64_t left = m->dim - first;
        const int64_t count = left < CHUNK ? left : CHUNK;
        where.point = chain + (uint64_t)first;
        m->loops->normal(z, CHUNK, where, 0, sfi_row_length(count), 1);
        memcpy(p + first, z, (size_t)count * sizeof *p);
    }
    if (m->kind == SF_METRIC_DENSE) {
        solve_transposed(m->factor, m->dim, p);
        return;
    }
    if (m->kind == SF_METRIC_LOW_RANK) {
        take_parts(m, m->momentum, p);
        add_rows(m, p);
    }
    for (int64_t j = 0; j < m->dim; j++)
        p[j] /= m->scale[j];
}

double sfi_metric_variance(const sfi_metric *m, int64_t j)
{
    if (m->kind == SF_METRIC_DENSE)
        return m->inverse[j * m->dim + j];
    double sum = 1.0;
    for (int64_t k = 0; k < m->rank && m->kind == SF_METRIC_LOW_RANK; k++)
        sum += (m->stretch[k] - 1.0) * m->rows[k * m->dim + j] *
               m->rows[k * m->dim + j];
    return m->scale[j] * m->scale[j] * sum;
}

void sfi_metric_velocity(const sfi_metric *m, const double *p, double *v)
{
    const int64_t d = m->dim;
    if (m->kind == SF_METRIC_DENSE) {
        for (int64_t i = 0; i < d; i++)
            v[i] = m->loops->dot(m->inverse + i * d, p, d);
        return;
    }
    for (int64_t j = 0; j < d; j++)
        m->scaled[j] = m->scale[j] * p[j];
    if (m->kind == SF_METRIC_DIAGONAL) {
        for (int64_t j = 0; j < d; j++)
            v[j] = m->scale[j] * m->scaled[j];
        return;
    }
    const bool matrix = whole(d, m->rank);
    const double *with = matrix ? m->scaled : m->parts;
    const int64_t length = matrix ? d : m->rank;
    if (!matrix)
        take_parts(m, m->velocity, m->scaled);
    for (int64_t j = 0; j < d; j++)
        v[j] =
            m->scale[j] * (m->scaled[j] + m->loops->dot(m->product + j * length,
                                                        with, length));
}

/* With x and s in units of the scales, a row of U adds (stretch^1/2 - 1) of s's part along
 * it and (stretch^-1/2 - 1) of x's. */
static void residual_low_rank(const sfi_metric *m, const double *x,
                              const double *slope, double *r)
{
    memset(m->parts, 0, (size_t)m->rank * sizeof *m->parts);
    for (int64_t k = 0; k < m->rank; k++) {
        const double *row = m->rows + k * m->dim, root = sqrt(m->stretch[k]);
        for (int64_t j = 0; j < m->dim; j++)
            m->parts[k] += row[j] * ((1.0 - root) * slope[j] * m->scale[j] +
                                     (1.0 / root - 1.0) * x[j] / m->scale[j]);
    }
    add_rows(m, r);
}

void sfi_metric_residual(const sfi_metric *m, const double *x,
                         const double *slope, double *r)
{
    const int64_t n = m->dim;
    if (m->kind == SF_METRIC_DENSE) {
        memcpy(r, x, (size_t)n * sizeof *r);
        solve(m, r);
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j <= i; j++)
                r[j] -= m->factor[i * n + j] * slope[i];
        return;
    }
    for (int64_t j = 0; j < n; j++)
        r[j] = x[j] / m->scale[j] - slope[j] * m->scale[j];
    if (m->kind == SF_METRIC_LOW_RANK)
        residual_low_rank(m, x, slope, r);
}
