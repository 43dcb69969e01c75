/* SPDX-License-Identifier: Apache-2.0 */
/* conditional_draw.c - rows given intervals.
 *
 * A component is drawn in proportion to its weight times e_1, and its columns one after
 * the other, z_i within its bounds (conditional.c).  Rows that are drawn so have the
 * density of the truncated distribution over e_2 ... e_r, up to a constant: kept with
 * this probability, and else drawn anew with their component, they are exact. */
#include "model/conditional.h"

#include "base/parallel.h"
#include "base/random.h"
#include "num/probability.h"
#include "num/truncated.h"

#include <math.h>
#include <string.h>

enum { CHUNK = 256 /* rows */, MOST_TRIES = 10000 };

static int64_t choose(const sf_conditional *c, double u)
{
    const int64_t n = c->parts.count;
    const double target = u * c->first[n - 1];
    int64_t low = 0, high = n - 1;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (c->first[middle] > target)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* A row, in x; returns e_2 ... e_r. */
static double propose(const sf_conditional *c, sfi_where w, double *z,
                      double *x)
{
    const int64_t m = c->others;
    const int64_t k = choose(c, sfi_uniform_at(w, 0));
    const double *t = sfi_factor_of(c, k);
    double keep = 1.0;
    for (int64_t i = 0; i < m; i++) {
        double at = sfi_mean_of(c, k, i), a, b;
        for (int64_t p = 0; p < i; p++)
            at += t[i * m + p] * z[p];
        if (i < c->intervals) {
            sfi_bounds_of(c, t, i, at, &a, &b);
            keep *= i > 0 ? exp(sfi_log_interval(a, b)) : 1.0;
            z[i] = sfi_truncated_quantile(a, b,
                                          sfi_uniform_at(w, (uint32_t)i + 2));
        } else {
            z[i] = sfi_normal_quantile(sfi_uniform_at(w, (uint32_t)i + 2));
        }
        const double value = at + t[i * m + i] * z[i];
        x[sfi_column_of(c, i)] = fmin(fmax(value, c->lower[i]), c->upper[i]);
    }
    return keep;
}

typedef struct draw_job {
    const sf_conditional *c;
    uint64_t seed;
    int64_t first;
    sf_mat x;
    double *z;       /* [chunks, d] */
    int64_t *forced; /* [chunks]    */
} draw_job;

static void draw_chunk(void *user, int64_t part, int64_t first, int64_t count)
{
    const draw_job *job = user;
    const sf_conditional *c = job->c;
    double *z = job->z + part * c->dim;
    job->forced[part] = 0;
    for (int64_t i = first; i < first + count; i++) {
        double *row = job->x.data + i * job->x.stride;
        bool kept = false;
        memcpy(row, c->value, (size_t)c->dim * sizeof *row);
        for (uint32_t attempt = 0; attempt < MOST_TRIES && !kept; attempt++) {
            const sfi_where w = {job->seed, (uint64_t)(job->first + i), attempt,
                                 SFI_STREAM_GIVEN};
            const double keep = propose(c, w, z, row);
            kept = sfi_uniform_at(w, 1) < keep;
        }
        job->forced[part] += !kept;
    }
}

static sf_status check(const sf_conditional *c, int64_t first, sf_mat x)
{
    if (first < 0)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "conditional: first is %lld, want >= 0",
                        (long long)first);
    if (x.cols != c->dim || x.stride < x.cols || x.rows < 0)
        return SFI_FAIL(c->ctx, SF_E_SHAPE,
                        "conditional: rows have %lld columns, the model has "
                        "%lld",
                        (long long)x.cols, (long long)c->dim);
    return SF_OK;
}

sf_status sf_conditional_draw(const sf_conditional *c, uint64_t seed,
                              int64_t first, sf_mat x)
{
    sf_context *ctx = c->ctx;
    SFI_TRY(check(c, first, x));
    if (c->product != NULL) {
        sfi_product_given_draw(c->product, seed, first, x);
        return SF_OK;
    }
    const size_t chunks = (size_t)sfi_parallel_parts(x.rows, CHUNK);
    const size_t cells = chunks * (size_t)c->dim;
    draw_job job = {.c = c, .seed = seed, .first = first, .x = x};
    job.z = sfi_alloc(ctx, cells, sizeof *job.z);
    job.forced = sfi_alloc(ctx, chunks, sizeof *job.forced);
    const bool enough = job.z != NULL && job.forced != NULL;
    int64_t forced = 0;
    if (enough) {
        sfi_parallel(ctx, x.rows, CHUNK, draw_chunk, &job);
        for (size_t k = 0; k < chunks; k++)
            forced += job.forced[k];
    }
    if (forced > 0)
        sfi_warn(ctx,
                 "%lld of %lld rows were within all intervals too rarely and "
                 "are drawn from one column to the next",
                 (long long)forced, (long long)x.rows);
    sfi_free(ctx, job.forced, chunks, sizeof *job.forced);
    sfi_free(ctx, job.z, cells, sizeof *job.z);
    return enough ? SF_OK : SF_E_NOMEM;
}
