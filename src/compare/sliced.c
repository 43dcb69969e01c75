/* SPDX-License-Identifier: Apache-2.0 */
/* sliced.c - the sliced Wasserstein distance: tables are projected on random
 * directions, where the distance of two samples is that of their sorted values.
 *
 * Directions are uniform on the sphere but not independent: they come in
 * orthonormal frames of d, by Gram-Schmidt on normal vectors.  That leaves the
 * mean over directions unbiased and makes it less noisy; for two samples that
 * differ by a shift the sum of W2^2 over a frame is even exact. */
#include "compare/compare.h"

#include "base/parallel.h"
#include "base/random.h"
#include "num/linalg.h"
#include "num/sort.h"

#include <math.h>

/* directions [count, d] */
static void fill_directions(double *directions, int64_t count, int64_t d,
                            uint64_t seed)
{
    for (int64_t p = 0; p < count; p++) {
        double *u = directions + p * d;
        const sfi_where where = {seed, (uint64_t)p, 0, SFI_STREAM_PROBE};
        for (int64_t k = 0; k < d; k++)
            u[k] = sfi_normal_at(where, (uint32_t)k);
        /* Twice is enough for orthogonality to rounding. */
        for (int round = 0; round < 2; round++) {
            for (int64_t q = p - p % d; q < p; q++) {
                const double *v = directions + q * d;
                const double dot = sfi_dot(u, v, d);
                for (int64_t k = 0; k < d; k++)
                    u[k] -= dot * v[k];
            }
            const double length = sfi_norm(u, d);
            for (int64_t k = 0; k < d; k++)
                u[k] /= length;
        }
    }
}

/* The gap along u.  work [n + m + max(n, m)]. */
static sfi_gap along(const double *u, const sf_cmat table[2], double *work)
{
    double *at[2] = {work, work + table[0].rows};
    double *scratch = work + table[0].rows + table[1].rows;
    for (int k = 0; k < 2; k++) {
        for (int64_t i = 0; i < table[k].rows; i++)
            at[k][i] =
                sfi_dot(u, table[k].data + i * table[k].stride, table[k].cols);
        sfi_sort(at[k], scratch, table[k].rows);
    }
    return sfi_distribution_gap(at[0], table[0].rows, at[1], table[1].rows);
}

/* Projections, as its workers see them. */
typedef struct projection_job {
    const sf_cmat *table;
    const double *directions; /* [projections, d]  */
    sfi_gap *gap;             /* [projections]     */
    double *work;             /* [workers, each]   */
    size_t each;
} projection_job;

static void project(void *user, int worker, int64_t p)
{
    const projection_job *j = user;
    j->gap[p] = along(j->directions + p * j->table[0].cols, j->table,
                      j->work + (size_t)worker * j->each);
}

static void summarise(sf_compare_report *report, const sfi_gap *gap, int count)
{
    double sum = 0.0, squares = 0.0, w2 = 0.0;
    for (int p = 0; p < count; p++) {
        sum += gap[p].wasserstein;
        w2 += gap[p].w2_squared;
    }
    const double mean = sum / count;
    for (int p = 0; p < count; p++) {
        const double off = gap[p].wasserstein - mean;
        squares += off * off;
    }
    report->projections = count;
    report->sliced_w1 = mean;
    report->sliced_w1_se =
        count > 1 ? sqrt(squares / (count - 1.0) / count) : NAN;
    report->sliced_w2 = sqrt(w2 / count);
}

sf_status sfi_compare_sliced(sf_context *ctx, sf_compare_report *report,
                             const sf_cmat table[2], int projections,
                             uint64_t seed)
{
    const int64_t n = table[0].rows, m = table[1].rows, d = report->cols;
    const int workers = sfi_parallel_workers(ctx, projections);
    const size_t each = (size_t)(n + m + (n > m ? n : m));
    const size_t u_count = (size_t)projections * (size_t)d;
    const size_t work_count = (size_t)workers * each;
    sf_status status = SF_E_NOMEM;
    double *u = sfi_alloc(ctx, u_count, sizeof *u);
    double *work = sfi_alloc(ctx, work_count, sizeof *work);
    sfi_gap *gap = sfi_alloc(ctx, (size_t)projections, sizeof *gap);
    if (u == NULL || work == NULL || gap == NULL)
        goto done;
    fill_directions(u, projections, d, seed);
    /* Scaled columns: the scales go to the directions. */
    for (size_t i = 0; i < u_count; i++)
        u[i] /= report->scale[i % (size_t)d];
    projection_job job = {table, u, gap, work, each};
    sfi_parallel_tasks(workers, projections, project, &job);
    summarise(report, gap, projections);
    status = SF_OK;

done:
    sfi_free(ctx, gap, (size_t)projections, sizeof *gap);
    sfi_free(ctx, work, work_count, sizeof *work);
    sfi_free(ctx, u, u_count, sizeof *u);
    return status;
}
