/* SPDX-License-Identifier: Apache-2.0 */
/* tridiagonal.c - elimination from above, and one row kept to the last.
 *
 * The first n - 1 rows are factored as L D L^T; what they say of the last unknown y is
 * x_i = u_i - z_i y.  Along a line z is e_{n-2} in the row above the last and is
 * eliminated with it; along a circle its right-hand side is the last column,
 * e_{n-1} in the first row and e_{n-2} in the row above the last.  The last row then is
 *
 *     (d - e_{n-1} z_0 - e_{n-2} z_{n-2}) y = b - e_{n-1} u_0 - e_{n-2} u_{n-2},
 *
 * where the bracket, a Schur complement of a definite matrix, is not 0, unless the
 * matrix is singular; then y is 0 and the mean is taken off at the end.  The first
 * n - 1 rows of a singular one are definite all the same.
 *
 * A block is 16 modes, whose pivots, u and z stay in the cache: each row of x is read
 * once and written once. */
#include "num/tridiagonal.h"

#include "base/parallel.h"

#include <string.h>

enum { BLOCK = 16, TABLES = 3, LEAST_PARALLEL = 1 << 14 };

struct sfi_tridiagonal {
    sf_context *ctx;
    int64_t n;
    double *diagonal, *beside, *weight; /* [n] each */
    double *work; /* of each thread: inverse pivots, u, z, [n, BLOCK] each */
    int threads;
};

typedef struct system_blocks {
    sfi_tridiagonal *t;
    const sfi_mode_systems *s;
    int64_t per_row; /* blocks */
} system_blocks;

static size_t work_count(const sfi_tridiagonal *t)
{
    return (size_t)t->n * BLOCK * TABLES * (size_t)t->threads;
}

sf_status sfi_tridiagonal_new(sf_context *ctx, sfi_tridiagonal **out, int64_t n,
                              const double *diagonal, const double *beside,
                              const double *weight)
{
    *out = NULL;
    if (n < 1 || n > INT64_C(1) << 40)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "tridiagonal: %lld rows, want at least 1",
                        (long long)n);
    sfi_tridiagonal *t = sfi_alloc_zero(ctx, 1, sizeof *t);
    if (t == NULL)
        return SF_E_NOMEM;
    t->ctx = ctx;
    t->n = n;
    t->threads = sf_context_threads(ctx);
    t->diagonal = sfi_alloc(ctx, 3 * (size_t)n, sizeof *t->diagonal);
    t->work = sfi_alloc(ctx, work_count(t), sizeof *t->work);
    if (t->diagonal == NULL || t->work == NULL) {
        sfi_tridiagonal_free(t);
        return SF_E_NOMEM;
    }
    t->beside = t->diagonal + n;
    t->weight = t->beside + n;
    const size_t bytes = (size_t)n * sizeof *diagonal;
    memcpy(t->diagonal, diagonal, bytes);
    memcpy(t->beside, beside, bytes);
    memcpy(t->weight, weight, bytes);
    *out = t;
    return SF_OK;
}

void sfi_tridiagonal_free(sfi_tridiagonal *t)
{
    if (t == NULL)
        return;
    sfi_free(t->ctx, t->diagonal, 3 * (size_t)t->n, sizeof *t->diagonal);
    sfi_free(t->ctx, t->work, work_count(t), sizeof *t->work);
    sfi_free(t->ctx, t, 1, sizeof *t);
}

/* ---- a block of modes --------------------------------------------------------------- */

typedef struct mode_block {
    double lambda[BLOCK], first[BLOCK], last[BLOCK];
    int width;    /* modes; the others repeat the first, with b = 0 */
    int singular; /* or -1                                         */
} mode_block;

static void load_block(mode_block *b, const sfi_mode_systems *s, int64_t row,
                       int64_t from)
{
    const int64_t left = s->count - from, before = row * s->count;
    const double more = s->row_lambda != NULL ? s->row_lambda[row] : 0.0;
    b->width = left < BLOCK ? (int)left : BLOCK;
    for (int m = 0; m < BLOCK; m++) {
        const int64_t at = from + (m < b->width ? m : 0);
        b->lambda[m] = s->lambda[at] + more;
        b->first[m] = s->first != NULL ? s->first[before + at] : 0.0;
        b->last[m] = s->last != NULL ? s->last[before + at] : 0.0;
    }
    const int64_t at = s->singular - before - from;
    b->singular = s->singular >= 0 && at >= 0 && at < b->width ? (int)at : -1;
}

/* Mode m of the right-hand side without what is not in the range of its matrix. */
static void project(const sfi_tridiagonal *t, double *b, int64_t step)
{
    double sum = 0.0, weight = 0.0;
    for (int64_t i = 0; i < t->n; i++) {
        sum += b[i * step];
        weight += t->weight[i];
    }
    for (int64_t i = 0; i < t->n; i++)
        b[i * step] -= t->weight[i] * (sum / weight);
}

static void take_mean(const sfi_tridiagonal *t, double *x, int64_t step)
{
    double sum = 0.0, weight = 0.0;
    for (int64_t i = 0; i < t->n; i++) {
        sum += t->weight[i] * x[i * step];
        weight += t->weight[i];
    }
    for (int64_t i = 0; i < t->n; i++)
        x[i * step] -= sum / weight;
}

/* The last column above the last row: where it is not 0. */
static double column(const sfi_tridiagonal *t, int64_t i)
{
    const int64_t n = t->n;
    return (i == 0 ? t->beside[n - 1] : 0.0) +
           (i == n - 2 ? t->beside[n - 2] : 0.0);
}

static double pivot(const sfi_tridiagonal *t, const mode_block *b, int64_t i,
                    int m)
{
    return t->diagonal[i] + b->lambda[m] * t->weight[i] +
           (i == 0 ? b->first[m] : 0.0) + (i == t->n - 1 ? b->last[m] : 0.0);
}

/* inverse, u, z [n - 1, BLOCK]: the pivots, and both right-hand sides on the way
 * down. */
static void eliminate(const sfi_tridiagonal *t, const mode_block *b,
                      const double *x, int64_t step,
                      double *SFI_RESTRICT inverse, double *SFI_RESTRICT u,
                      double *SFI_RESTRICT z)
{
    for (int64_t i = 0; i < t->n - 1; i++) {
        double *const p = inverse + i * BLOCK;
        double *const ui = u + i * BLOCK, *const zi = z + i * BLOCK;
        const double in_column = column(t, i);
        for (int m = 0; m < BLOCK; m++) {
            p[m] = pivot(t, b, i, m);
            ui[m] = m < b->width ? x[i * step + m] : 0.0;
            zi[m] = in_column;
        }
        const double e = i > 0 ? t->beside[i - 1] : 0.0;
        for (int m = 0; i > 0 && m < BLOCK; m++) {
            const double factor = e * p[m - BLOCK];
            p[m] -= factor * e;
            ui[m] -= factor * ui[m - BLOCK];
            zi[m] -= factor * zi[m - BLOCK];
        }
        for (int m = 0; m < BLOCK; m++)
            p[m] = 1.0 / p[m];
    }
}

static void substitute(const sfi_tridiagonal *t,
                       const double *SFI_RESTRICT inverse,
                       double *SFI_RESTRICT u, double *SFI_RESTRICT z)
{
    for (int64_t i = t->n - 2; i >= 0; i--) {
        const double *const p = inverse + i * BLOCK;
        double *const ui = u + i * BLOCK, *const zi = z + i * BLOCK;
        const double e = i < t->n - 2 ? t->beside[i] : 0.0;
        for (int m = 0; m < BLOCK; m++) {
            /* beyond the last of these rows there is none */
            const double un = i < t->n - 2 ? ui[m + BLOCK] : 0.0;
            const double zn = i < t->n - 2 ? zi[m + BLOCK] : 0.0;
            ui[m] = (ui[m] - e * un) * p[m];
            zi[m] = (zi[m] - e * zn) * p[m];
        }
    }
}

static void last_unknown(const sfi_tridiagonal *t, const mode_block *b,
                         const double *x, int64_t step, const double *u,
                         const double *z, double *y)
{
    const int64_t n = t->n;
    const double to_first = n > 1 ? t->beside[n - 1] : 0.0;
    const double to_above = n > 1 ? t->beside[n - 2] : 0.0;
    const int64_t above = n > 1 ? (n - 2) * BLOCK : 0;
    for (int m = 0; m < b->width; m++) {
        double d = pivot(t, b, n - 1, m), right = x[(n - 1) * step + m];
        if (n == 1)
            d += 2.0 * t->beside[0]; /* coupled to itself on both sides */
        else {
            d -= to_first * z[m] + to_above * z[above + m];
            right -= to_first * u[m] + to_above * u[above + m];
        }
        y[m] = m == b->singular ? 0.0 : right / d;
    }
}

static void solve_block(const system_blocks *all, int64_t row, int64_t from,
                        double *work)
{
    sfi_tridiagonal *const t = all->t;
    const int64_t step = all->s->step, size = t->n * BLOCK;
    double *const x = all->s->x + row * all->s->row_step + from;
    double *const inverse = work, *const u = work + size,
                  *const z = work + 2 * size;
    mode_block b;
    double y[BLOCK];
    load_block(&b, all->s, row, from);
    if (b.singular >= 0)
        project(t, x + b.singular, step);
    eliminate(t, &b, x, step, inverse, u, z);
    substitute(t, inverse, u, z);
    last_unknown(t, &b, x, step, u, z, y);
    for (int64_t i = 0; i < t->n - 1; i++)
        for (int m = 0; m < b.width; m++)
            x[i * step + m] = u[i * BLOCK + m] - z[i * BLOCK + m] * y[m];
    for (int m = 0; m < b.width; m++)
        x[(t->n - 1) * step + m] = y[m];
    if (b.singular >= 0)
        take_mean(t, x + b.singular, step);
}

static void solve_blocks(void *user, int64_t part, int64_t first, int64_t count)
{
    const system_blocks *const all = user;
    double *const work = all->t->work + part * all->t->n * BLOCK * TABLES;
    for (int64_t block = first; block < first + count; block++)
        solve_block(all, block / all->per_row, block % all->per_row * BLOCK,
                    work);
}

void sfi_tridiagonal_run(sfi_tridiagonal *t, const sfi_mode_systems *systems)
{
    system_blocks all = {t, systems, sfi_parallel_parts(systems->count, BLOCK)};
    const int64_t rows = systems->rows > 0 ? systems->rows : 1;
    const int64_t blocks = rows * all.per_row;
    if (blocks == 0)
        return;
    const bool is_small = rows * systems->count * t->n < LEAST_PARALLEL;
    const int64_t parts = is_small ? 1 : t->threads;
    sfi_parallel(t->ctx, blocks, sfi_parallel_parts(blocks, parts),
                 solve_blocks, &all);
}
