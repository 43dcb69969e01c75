/* SPDX-License-Identifier: Apache-2.0 */
/* local_law.c - densities of local normal distributions.
 *
 *     ln p(x) = ln (1/n) sum_i N(x; c_i, L_i L_i') prod_j pmf_ij(x_j)
 *
 * Rows go by in blocks: their Cholesky factors are made one after the other, as
 * LAPACK has it, then points are shared among threads, each of which adds the rows
 * of the block in their order.  So memory is that of a block, and sums do not depend
 * on the threads. */
#include "model/local.h"

#include "base/parallel.h"
#include "model/model.h"
#include "num/linalg.h"

#include <math.h>
#include <string.h>

enum { MOST_CELLS = 1 << 18, WORTH = 1 << 12 };

struct sfi_local_law {
    sf_context *ctx;
    sfi_local l;
    int64_t *column; /* [d] those of numbers                       */
    int64_t d;       /* how many                                   */
    int64_t block;   /* rows of a block                            */
    double *center;  /* [block, d]                                 */
    double *factor;  /* [block, d, d] Cholesky factors, lower      */
    double *log_det; /* [block] ln of their determinants           */
};

static sf_status allocate(sfi_local_law *p)
{
    const int64_t cells = p->d * p->d > 0 ? p->d * p->d : 1;
    p->block = 1 + MOST_CELLS / cells;
    p->block = p->block < p->l.rows ? p->block : p->l.rows;
    const size_t b = (size_t)p->block, d = (size_t)p->d;
    p->center = sfi_alloc(p->ctx, b * d, sizeof *p->center);
    p->factor = sfi_alloc(p->ctx, b * d * d, sizeof *p->factor);
    p->log_det = sfi_alloc(p->ctx, b, sizeof *p->log_det);
    return p->center != NULL && p->factor != NULL && p->log_det != NULL
               ? SF_OK
               : SF_E_NOMEM;
}

sf_status sfi_local_law_new(const sf_model *m, sfi_local_law **out)
{
    *out = NULL;
    sfi_local_law *p = sfi_alloc_zero(m->ctx, 1, sizeof *p);
    if (p == NULL)
        return SF_E_NOMEM;
    p->ctx = m->ctx;
    p->l = sfi_local_of(m);
    p->column = sfi_alloc(m->ctx, (size_t)m->dim, sizeof *p->column);
    sf_status status = p->column != NULL ? SF_OK : SF_E_NOMEM;
    for (int64_t j = 0; j < m->dim && status == SF_OK; j++)
        if (p->l.levels[j] == 0.0)
            p->column[p->d++] = j;
    if (status == SF_OK)
        status = allocate(p);
    if (status != SF_OK) {
        sfi_local_law_free(p);
        return status;
    }
    *out = p;
    return SF_OK;
}

void sfi_local_law_free(sfi_local_law *p)
{
    if (p == NULL)
        return;
    const size_t b = (size_t)p->block, d = (size_t)p->d;
    sfi_free(p->ctx, p->log_det, b, sizeof *p->log_det);
    sfi_free(p->ctx, p->factor, b * d * d, sizeof *p->factor);
    sfi_free(p->ctx, p->center, b * d, sizeof *p->center);
    sfi_free(p->ctx, p->column, (size_t)p->l.dim, sizeof *p->column);
    sfi_free(p->ctx, p, 1, sizeof *p);
}

/* ---- a row -------------------------------------------------------------------- */

static double cell(const sfi_local_law *p, int64_t row, int64_t j)
{
    return p->l.data.data[row * p->l.dim + p->column[j]];
}

/* The center and the factor of row i, at place `at` of the block. */
static sf_status make_row(sfi_local_law *p, int64_t i, int64_t at)
{
    const sfi_local *l = &p->l;
    const int64_t d = p->d;
    int64_t members[SFI_LOCAL_MOST + 1];
    const int64_t count = sfi_local_members(l, i, l->k, members);
    const double divisor = count > 1 ? (double)(count - 1) : 1.0;
    double *mean = p->center + at * d, *a = p->factor + at * d * d;
    memset(mean, 0, (size_t)d * sizeof *mean);
    memset(a, 0, (size_t)(d * d) * sizeof *a);
    for (int64_t j = 0; j < d; j++)
        for (int64_t k = 0; k < count; k++)
            mean[j] += cell(p, members[k], j) / (double)count;
    for (int64_t k = 0; k < count; k++)
        for (int64_t j = 0; j < d; j++)
            for (int64_t q = 0; q <= j; q++)
                a[j * d + q] += (cell(p, members[k], j) - mean[j]) *
                                (cell(p, members[k], q) - mean[q]) / divisor;
    for (int64_t j = 0; j < d; j++) {
        for (int64_t q = 0; q <= j; q++) {
            a[j * d + q] *= (j == q ? 1.0 : 1.0 - l->rho) * l->width * l->width;
            a[q * d + j] = a[j * d + q];
        }
        a[j * d + j] += l->ridge * l->width * l->width;
        mean[j] = cell(p, i, j) + l->shrink * (mean[j] - cell(p, i, j));
    }
    if (d > 0)
        SFI_TRY(sfi_cholesky(p->ctx, a, a, d, "covariance of a row", NULL));
    p->log_det[at] = 0.0;
    for (int64_t j = 0; j < d; j++)
        p->log_det[at] += log(a[j * d + j]);
    return SF_OK;
}

/* ln of the probability of a point's levels under row i. */
static double log_levels(const sfi_local_law *p, int64_t i, const double *x)
{
    const sfi_local *l = &p->l;
    int64_t members[SFI_LOCAL_MOST + 1];
    const int64_t count = sfi_local_members(l, i, l->k, members);
    double sum = 0.0;
    for (int64_t j = 0; j < l->dim; j++) {
        if (l->levels[j] == 0.0)
            continue;
        int64_t same = 0;
        for (int64_t k = 0; k < count; k++)
            same += l->data.data[members[k] * l->dim + j] == x[j];
        sum += log((1.0 - l->forget) *
                       (l->data.data[i * l->dim + j] == x[j] ? 1.0 : 0.0) +
                   l->forget * (double)same / (double)count);
    }
    return sum;
}

/* |L^-1 (x - c)|^2, by forward substitution into z [d]. */
static double squared_length(const sfi_local_law *p, int64_t at,
                             const double *x, double *z)
{
    const int64_t d = p->d;
    const double *c = p->center + at * d, *f = p->factor + at * d * d;
    double sum = 0.0;
    for (int64_t j = 0; j < d; j++) {
        double left = x[p->column[j]] - c[j];
        for (int64_t q = 0; q < j; q++)
            left -= f[j * d + q] * z[q];
        z[j] = left / f[j * d + j];
        sum += z[j] * z[j];
    }
    return sum;
}

/* ---- points ------------------------------------------------------------------- */

typedef struct adding {
    const sfi_local_law *p;
    sf_cmat y;
    int64_t first, count; /* the rows of the block */
    double *top, *sum;    /* [n] ln p is top + ln sum */
    double *z;            /* [n, d] */
} adding;

static void add_point(const adding *job, int64_t q)
{
    static const double half_log_2pi = 0.91893853320467274;
    const sfi_local_law *p = job->p;
    const double *x = job->y.data + q * job->y.stride;
    for (int64_t at = 0; at < job->count; at++) {
        const double levels = log_levels(p, job->first + at, x);
        if (levels == -INFINITY)
            continue;
        const double l = levels - (double)p->d * half_log_2pi - p->log_det[at] -
                         0.5 * squared_length(p, at, x, job->z + q * p->d);
        if (l > job->top[q]) {
            job->sum[q] = 1.0 + job->sum[q] * exp(job->top[q] - l);
            job->top[q] = l;
        } else {
            job->sum[q] += exp(l - job->top[q]);
        }
    }
}

static void add_block(void *user, int64_t part, int64_t first, int64_t count)
{
    const adding *job = user;
    (void)part;
    for (int64_t q = first; q < first + count; q++)
        add_point(job, q);
}

sf_status sfi_local_law_run(sfi_local_law *p, sf_cmat y, double *out,
                            int64_t stride)
{
    const size_t n = (size_t)y.rows, room = n * (size_t)(p->d + 2);
    double *work = sfi_alloc(p->ctx, room, sizeof *work);
    if (work == NULL)
        return SF_E_NOMEM;
    adding job = {
        .p = p, .y = y, .top = work, .sum = work + n, .z = work + 2 * n};
    for (size_t q = 0; q < n; q++) {
        job.top[q] = -INFINITY;
        job.sum[q] = 0.0;
    }
    sf_status status = SF_OK;
    for (int64_t i = 0; i < p->l.rows && status == SF_OK; i += p->block) {
        const int64_t left = p->l.rows - i;
        job.first = i;
        job.count = left < p->block ? left : p->block;
        for (int64_t at = 0; at < job.count && status == SF_OK; at++)
            status = make_row(p, i + at, at);
        if (status == SF_OK)
            sfi_parallel(p->ctx, y.rows, 1 + WORTH / job.count, add_block,
                         &job);
    }
    for (size_t q = 0; q < n; q++)
        out[(int64_t)q * stride] =
            job.sum[q] > 0.0
                ? job.top[q] + log(job.sum[q]) - log((double)p->l.rows)
                : -INFINITY;
    sfi_free(p->ctx, work, room, sizeof *work);
    return status;
}
