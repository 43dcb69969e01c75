/* SPDX-License-Identifier: Apache-2.0 */
/* pairs.c - distances between all rows of two tables.
 *
 * Four rows meet one panel of eight points at a time, 32 squared distances in
 * eight vectors.  Rows are taken in blocks of BLOCK, which threads share; every
 * block has its own partial sum, and partial sums are added in order, so the
 * bits do not depend on the threads.  Panels are taken in groups that stay in
 * the cache while the rows of a block pass over them.
 *
 * Cost: with d columns about 0.4 d + 2.3 cycles a pair with AVX2, the latter for
 * the square root. */
#include "compare/pairs.h"

#include "base/parallel.h"
#include "num/loops.h"

#include <math.h>
#include <string.h>

enum { QUAD = 4, LANES = QUAD * SFI_PANEL, BLOCK = 64 };

typedef double v4d SFI_VECTOR(32);
typedef double v4d_memory SFI_VECTOR_MEMORY(32, 8);

/* Panels that fill 128 KiB, a part of the second-level cache. */
static int64_t panels_in_cache(int64_t d)
{
    const int64_t count =
        128 * 1024 / (SFI_PANEL * (int64_t)sizeof(double)) / d;
    return count < 4 ? 4 : count;
}

/* Set what belongs to rows from `rows` on or points from `points` on. */
static void mask(double *square, int64_t rows, int64_t points, double value)
{
    for (int64_t r = 0; r < QUAD; r++) {
        for (int64_t l = 0; l < SFI_PANEL; l++) {
            if (r >= rows || l >= points)
                square[r * SFI_PANEL + l] = value;
        }
    }
}

/* Rows 0..3 are the points first..first+3 of this panel. */
static void mask_self(double *square, int64_t first)
{
    for (int64_t r = 0; r < QUAD; r++)
        square[r * SFI_PANEL + first + r] = INFINITY;
}

#define FN(name) name##_any
#define TARGET
#include "compare/pairs_template.h"

#if defined(__x86_64__)
#define FN(name) name##_avx2
#define TARGET   SFI_TARGET("avx2")
#include "compare/pairs_template.h"
#endif

struct loops {
    double (*sum)(const double *x, int64_t rows, const sfi_points *y,
                  int64_t from, int64_t to);
    void (*nearest)(double *best, const double *x, int64_t rows,
                    const sfi_points *y, int64_t self);
    void (*distances)(double *out, int64_t ld, const double *x, int64_t rows,
                      const sfi_points *y);
};

/* The choice of num/loops.h decides here too. */
static const struct loops *loops(void)
{
    static const struct loops any = {sum_any, nearest_any, distances_any};
#if defined(__x86_64__)
    static const struct loops avx2 = {sum_avx2, nearest_avx2, distances_avx2};
    if (strcmp(sfi_loops_for(SF_F64)->isa, "portable") != 0)
        return &avx2;
#endif
    return &any;
}

/* The loops read four rows at once, from any first row: up to three rows past
 * the last are there to be read, as zeros. */
static size_t padded_count(const sfi_points *p)
{
    const int64_t read = p->n + QUAD - 1;
    const int64_t rows = (read + SFI_PANEL - 1) / SFI_PANEL * SFI_PANEL;
    return (size_t)(rows * p->d);
}

void sfi_points_free(sf_context *ctx, sfi_points *p)
{
    sfi_free(ctx, p->panels, padded_count(p), sizeof *p->panels);
    sfi_free(ctx, p->rows, padded_count(p), sizeof *p->rows);
    const sfi_points nothing = {0, 0, NULL, NULL};
    *p = nothing;
}

static void set_row(sfi_points *p, int64_t i, const double *row,
                    const double *factor)
{
    double *panel = p->panels + i / SFI_PANEL * p->d * SFI_PANEL;
    for (int64_t k = 0; k < p->d; k++) {
        const double x = factor != NULL ? row[k] * factor[k] : row[k];
        p->rows[i * p->d + k] = x;
        panel[k * SFI_PANEL + i % SFI_PANEL] = x;
    }
}

static sf_status allocate(sf_context *ctx, sfi_points *p, int64_t n, int64_t d)
{
    p->n = n;
    p->d = d;
    p->rows = sfi_alloc_zero(ctx, padded_count(p), sizeof *p->rows);
    p->panels = sfi_alloc_zero(ctx, padded_count(p), sizeof *p->panels);
    if (p->rows != NULL && p->panels != NULL)
        return SF_OK;
    sfi_points_free(ctx, p);
    return SF_E_NOMEM;
}

sf_status sfi_points_new(sf_context *ctx, sfi_points *out, sf_cmat table,
                         const int64_t *pick, int64_t count,
                         const double *factor)
{
    SFI_TRY(allocate(ctx, out, pick != NULL ? count : table.rows, table.cols));
    for (int64_t i = 0; i < out->n; i++) {
        const int64_t from = pick != NULL ? pick[i] : i;
        set_row(out, i, table.data + from * table.stride, factor);
    }
    return SF_OK;
}

sf_status sfi_points_join(sf_context *ctx, sfi_points *out,
                          const sfi_points a[2], const int64_t counts[2])
{
    SFI_TRY(allocate(ctx, out, counts[0] + counts[1], a[0].d));
    int64_t to = 0;
    for (int k = 0; k < 2; k++) {
        for (int64_t i = 0; i < counts[k]; i++, to++)
            set_row(out, to, a[k].rows + i * a[k].d, NULL);
    }
    return SF_OK;
}

sfi_points sfi_points_first(const sfi_points *p, int64_t count)
{
    sfi_points view = *p;
    view.n = count;
    return view;
}

/* Blocks of rows of x against all of y. */
typedef struct pairs_job {
    const struct loops *run;
    const sfi_points *x, *y;
    int64_t count; /* rows of x that are asked about          */
    double *out;   /* a partial sum a block, or a number a row */
} pairs_job;

static void sum_block(void *user, int worker, int64_t b)
{
    (void)worker;
    const pairs_job *j = user;
    const sfi_points *x = j->x, *y = j->y;
    const int64_t panels = sfi_parallel_parts(y->n, SFI_PANEL);
    const double *rows = x->rows + b * BLOCK * x->d;
    const int64_t here = sfi_smaller(BLOCK, j->count - b * BLOCK);
    if (x == y) {
        /* A block with itself holds each pair twice already. */
        const int64_t own = b * (BLOCK / SFI_PANEL);
        const int64_t next = sfi_smaller(own + BLOCK / SFI_PANEL, panels);
        j->out[b] = j->run->sum(rows, here, y, own, next) +
                    2.0 * j->run->sum(rows, here, y, next, panels);
    } else {
        j->out[b] = j->run->sum(rows, here, y, 0, panels);
    }
}

sf_status sfi_pairs_sum(sf_context *ctx, double *sum, const sfi_points *x,
                        const sfi_points *y)
{
    const int64_t blocks = sfi_parallel_parts(x->n, BLOCK);
    double *part = sfi_alloc(ctx, (size_t)blocks, sizeof *part);
    if (part == NULL)
        return SF_E_NOMEM;
    pairs_job job = {loops(), x, y, x->n, part};
    sfi_parallel_tasks(sf_context_threads(ctx), blocks, sum_block, &job);
    double total = 0.0, lost = 0.0; /* Kahan: `lost` is what rounding took */
    for (int64_t b = 0; b < blocks; b++) {
        const double add = part[b] - lost;
        const double next = total + add;
        lost = (next - total) - add;
        total = next;
    }
    *sum = total;
    sfi_free(ctx, part, (size_t)blocks, sizeof *part);
    return SF_OK;
}

static void nearest_block(void *user, int worker, int64_t b)
{
    (void)worker;
    const pairs_job *j = user;
    SFI_ALIGNED(64) double best[BLOCK * SFI_PANEL];
    for (int l = 0; l < BLOCK * SFI_PANEL; l++)
        best[l] = INFINITY;
    const int64_t first = b * BLOCK;
    const int64_t here = sfi_smaller(BLOCK, j->count - first);
    j->run->nearest(best, j->x->rows + first * j->x->d, here, j->y,
                    j->x == j->y ? first : -1);
    for (int64_t i = 0; i < here; i++) {
        double smallest = INFINITY;
        for (int l = 0; l < SFI_PANEL; l++)
            smallest = fmin(smallest, best[i * SFI_PANEL + l]);
        j->out[first + i] = sqrt(smallest);
    }
}

void sfi_pairs_nearest(sf_context *ctx, double *nearest, const sfi_points *x,
                       int64_t count, const sfi_points *y)
{
    pairs_job job = {loops(), x, y, count, nearest};
    sfi_parallel_tasks(sf_context_threads(ctx),
                       sfi_parallel_parts(count, BLOCK), nearest_block, &job);
}

void sfi_pairs_rows(double *out, int64_t ld, const sfi_points *x, int64_t first,
                    int64_t end)
{
    loops()->distances(out, ld, x->rows + first * x->d, end - first, x);
}
