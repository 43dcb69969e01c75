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
#include "num/patterns.h"

#include <math.h>
#include <string.h>

enum { MOST_CELLS = 1 << 18, WORTH = 1 << 12 };

struct sfi_local_law {
    sf_context *ctx;
    sfi_local l;
    int64_t *column; /* [d] those of numbers that points have      */
    int64_t d;       /* how many                                   */
    int64_t *number; /* [numbers] all of numbers                   */
    int64_t numbers;
    int64_t block;   /* rows of a block                            */
    double *center;  /* [block, d]                                 */
    double *factor;  /* [block, d, d] Cholesky factors, lower      */
    double *log_det; /* [block] ln of their determinants           */
};

static sf_status allocate(sfi_local_law *p)
{
    p->d = p->numbers;
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
    p->number = sfi_alloc(m->ctx, (size_t)m->dim, sizeof *p->number);
    sf_status status =
        p->column != NULL && p->number != NULL ? SF_OK : SF_E_NOMEM;
    for (int64_t j = 0; j < m->dim && status == SF_OK; j++)
        if (p->l.levels[j] == 0.0)
            p->number[p->numbers++] = j;
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
    const size_t b = (size_t)p->block, d = (size_t)p->numbers;
    sfi_free(p->ctx, p->log_det, b, sizeof *p->log_det);
    sfi_free(p->ctx, p->factor, b * d * d, sizeof *p->factor);
    sfi_free(p->ctx, p->center, b * d, sizeof *p->center);
    sfi_free(p->ctx, p->number, (size_t)p->l.dim, sizeof *p->number);
    sfi_free(p->ctx, p->column, (size_t)p->l.dim, sizeof *p->column);
    sfi_free(p->ctx, p, 1, sizeof *p);
}

/* ---- a row -------------------------------------------------------------------- */

static double cell(const sfi_local_law *p, int64_t row, int64_t j)
{
    return p->l.data.data[row * p->l.dim + p->column[j]];
}

/* Whether the cell is a number, and no atom. */
static bool has(const sfi_local_law *p, int64_t row, int64_t j)
{
    return sfi_local_atom(&p->l, p->column[j], cell(p, row, j)) < 0;
}

/* The mean of column j's numbers among the members. */
static double mean_of(const sfi_local_law *p, const int64_t *members,
                      int64_t count, int64_t j)
{
    double sum = 0.0, numbers = 0.0;
    for (int64_t k = 0; k < count; k++)
        if (has(p, members[k], j)) {
            sum += cell(p, members[k], j);
            numbers += 1.0;
        }
    return numbers > 0.0 ? sum / numbers : 0.0;
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
    memset(a, 0, (size_t)(d * d) * sizeof *a);
    for (int64_t j = 0; j < d; j++)
        mean[j] = mean_of(p, members, count, j);
    for (int64_t k = 0; k < count; k++)
        for (int64_t j = 0; j < d; j++)
            for (int64_t q = 0; q <= j && has(p, members[k], j); q++)
                if (has(p, members[k], q))
                    a[j * d + q] += (cell(p, members[k], j) - mean[j]) *
                                    (cell(p, members[k], q) - mean[q]) /
                                    divisor;
    for (int64_t j = 0; j < d; j++) {
        for (int64_t q = 0; q <= j; q++) {
            a[j * d + q] *= (j == q ? 1.0 : 1.0 - l->rho) * l->width * l->width;
            a[q * d + j] = a[j * d + q];
        }
        a[j * d + j] += l->ridge * l->width * l->width;
        if (has(p, i, j))
            mean[j] = cell(p, i, j) + l->shrink * (mean[j] - cell(p, i, j));
    }
    if (d > 0)
        SFI_TRY(sfi_cholesky(p->ctx, a, a, d, "covariance of a row", NULL));
    p->log_det[at] = 0.0;
    for (int64_t j = 0; j < d; j++)
        p->log_det[at] += log(a[j * d + j]);
    return SF_OK;
}

/* What a cell is counted as: its level, which atom it is, or -1 for a number. */
static double kind_of(const sfi_local *l, int64_t j, double x)
{
    return l->levels[j] > 0.0 ? x : (double)sfi_local_atom(l, j, x);
}

/* ln of the probability of a point's levels under row i. */
static double log_levels(const sfi_local_law *p, int64_t i, const double *x)
{
    const sfi_local *l = &p->l;
    int64_t members[SFI_LOCAL_MOST + 1];
    const int64_t count = sfi_local_members(l, i, l->k, members);
    double sum = 0.0;
    for (int64_t j = 0; j < l->dim; j++) {
        if (l->levels[j] == 0.0 && !sfi_local_has_atoms(l, j))
            continue;
        int64_t same = 0;
        const double kind = kind_of(l, j, x[j]);
        const double own = kind_of(l, j, l->data.data[i * l->dim + j]);
        for (int64_t k = 0; k < count; k++)
            same +=
                kind_of(l, j, l->data.data[members[k] * l->dim + j]) == kind;
        sum += log((1.0 - l->forget) * (own == kind ? 1.0 : 0.0) +
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
    const int64_t *point; /* [points] the rows of y that are asked for */
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
        const double l =
            levels - (double)p->d * half_log_2pi - p->log_det[at] -
            0.5 * squared_length(p, at, x, job->z + q * p->numbers);
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
        add_point(job, job->point[q]);
}

/* All rows, for points that have the same columns of numbers. */
static sf_status add_rows(sfi_local_law *p, adding *job, int64_t points)
{
    for (int64_t i = 0; i < p->l.rows; i += p->block) {
        const int64_t left = p->l.rows - i;
        job->first = i;
        job->count = left < p->block ? left : p->block;
        for (int64_t at = 0; at < job->count; at++)
            SFI_TRY(make_row(p, i + at, at));
        sfi_parallel(p->ctx, points, 1 + WORTH / job->count, add_block, job);
    }
    return SF_OK;
}

/* The numbers of points, NaN where they are atoms, to x [n, numbers]; and the units of
 * these, which are no densities, to `unit` [n]. */
static void take_numbers(const sfi_local_law *p, sf_cmat y, double *x,
                         double *unit)
{
    for (int64_t q = 0; q < y.rows; q++) {
        unit[q] = 0.0;
        for (int64_t k = 0; k < p->numbers; k++) {
            const int64_t j = p->number[k];
            const double z = y.data[q * y.stride + j];
            const bool atom = sfi_local_atom(&p->l, j, z) >= 0;
            x[q * p->numbers + k] = atom ? (double)NAN : z;
            unit[q] += atom ? log(p->l.atoms->scale[j]) : 0.0;
        }
    }
}

/* Points by which of their cells are atoms. */
static sf_status add_patterns(sfi_local_law *p, adding *job, double *x)
{
    sfi_patterns *patterns = NULL;
    sf_status status = SF_OK;
    SFI_TRY(sfi_patterns_new(
        p->ctx, &patterns, (sf_cmat){x, job->y.rows, p->numbers, p->numbers}));
    for (int64_t k = 0; k < patterns->count && status == SF_OK; k++) {
        p->d = 0;
        for (int64_t j = 0; j < p->numbers; j++)
            if (patterns->present[k * p->numbers + j] != 0)
                p->column[p->d++] = p->number[j];
        job->point = patterns->order + patterns->first[k];
        status = add_rows(p, job, patterns->first[k + 1] - patterns->first[k]);
    }
    sfi_patterns_free(patterns);
    return status;
}

sf_status sfi_local_law_run(sfi_local_law *p, sf_cmat y, double *out,
                            int64_t stride)
{
    const size_t n = (size_t)y.rows;
    const size_t room = n * (size_t)(2 * p->numbers + 3);
    double *work = sfi_alloc(p->ctx, room, sizeof *work);
    if (work == NULL)
        return SF_E_NOMEM;
    double *unit = work + 2 * n, *x = work + 3 * n;
    adding job = {.p = p,
                  .y = y,
                  .top = work,
                  .sum = work + n,
                  .z = x + n * (size_t)p->numbers};
    for (size_t q = 0; q < n; q++) {
        job.top[q] = -INFINITY;
        job.sum[q] = 0.0;
    }
    take_numbers(p, y, x, unit);
    const sf_status status = add_patterns(p, &job, x);
    for (size_t q = 0; q < n; q++)
        out[(int64_t)q * stride] = job.sum[q] > 0.0
                                       ? job.top[q] + log(job.sum[q]) -
                                             log((double)p->l.rows) + unit[q]
                                       : -INFINITY;
    sfi_free(p->ctx, work, room, sizeof *work);
    return status;
}
