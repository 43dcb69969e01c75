/* SPDX-License-Identifier: Apache-2.0 */
/* moments.c - mean and covariance in one pass, block by block.
 *
 * A block is a few thousand rows that fit the second-level cache.  Within it we
 * afford two passes: its mean first, then the centred rows, whose product with
 * themselves is one product.  Blocks are joined by the update of Chan, Golub and
 * LeVeque (Am. Stat. 37 (1983) 242-247):
 *
 *     S <- S_a + S_b + (W_a W_b / W) (mean_b - mean_a)(mean_b - mean_a)'
 *     mean <- mean_a + (W_b / W) (mean_b - mean_a)
 *
 * The difference of two means is the one delicate number here: under an offset
 * of 1e9 each mean, rounded to double, is wrong by 1e-7.  So means are kept as
 * an unevaluated sum hi + lo.  In a block hi is the rounded mean and lo is the
 * mean of what is left, x - hi, which double arithmetic gives exactly when hi
 * is large; then S is corrected by -W lo lo'.
 *
 * Threads.  The blocks of one call are divided among a fixed number of *lanes*,
 * each an accumulator of its own that treats its blocks in order; then the
 * lanes are joined in order.  Which thread runs a lane makes no difference. */
#include "num/moments.h"

#include "base/parallel.h"
#include "num/linalg.h"
#include "num/loops.h"

#include <math.h>
#include <string.h>

struct lane {
    double weight;  /* W                                              */
    double squares; /* sum of w^2                                     */
    double *hi;     /* [cols] mean, leading part                      */
    double *lo;     /* [cols] mean, what hi leaves                    */
    double *s;      /* [cols, ld] S, lower triangle, ld = row length  */
    double *sums;   /* [2, cols]: mean and correction of a block      */
    double *block;  /* [block_rows, ld] centred rows   (not in total) */
    double *work;   /* what their product asks for     (not in total) */
};

struct sfi_moments {
    sf_context *ctx;
    int64_t cols;
    int64_t rows;
    int64_t block_rows;
    int lanes;
    size_t count;       /* doubles in `memory`                        */
    double *memory;     /* everything the lanes point to              */
    struct lane total;  /* what was added by earlier calls            */
    struct lane lane[]; /* used within one call                       */
};

/* 128 KiB: a block, its centred copy and the block to come fit a second-level
 * cache of 512 KiB. */
enum {
    BLOCK_DOUBLES = 16384,
    LINE = 8,  /* doubles in a line of the cache                        */
    PANEL = 64 /* rows of S that are computed up to the diagonal at once */
};

static int lanes_for(int64_t cols)
{
    return cols <= 64 ? 32 : cols <= 256 ? 16 : 8;
}

static void lane_clear(struct lane *a, int64_t d)
{
    a->weight = a->squares = 0.0;
    memset(a->hi, 0, (size_t)d * sizeof *a->hi);
    memset(a->lo, 0, (size_t)d * sizeof *a->lo);
    memset(a->s, 0, (size_t)(d * sfi_row_length(d)) * sizeof *a->s);
}

/* S += factor v v', lower triangle. */
static void rank_one(double *s, int64_t d, double factor, const double *v)
{
    for (int64_t i = 0; i < d; i++) {
        const double f = factor * v[i];
        double *row = s + i * sfi_row_length(d);
        for (int64_t j = 0; j <= i; j++)
            row[j] += f * v[j];
    }
}

/* S += X' X for the centred rows X of a block: S's rows by panels, each no
 * further than the diagonal needs.  Not dsyrk: several lanes do this at once,
 * and BLAS may not (num/linalg.h). */
static void add_products(struct lane *a, int64_t d, int64_t rows)
{
    const sfi_loops *loops = sfi_loops_for(SF_F64);
    const int64_t ld = sfi_row_length(d);
    for (int64_t i = 0; i < d; i += PANEL) {
        const int64_t m = d - i < PANEL ? d - i : PANEL;
        const sfi_gemm g = {.m = m,
                            .n = sfi_row_length(i + m),
                            .k = rows,
                            .a = a->block + i,
                            .a_row = 1,
                            .a_col = ld,
                            .b = a->block,
                            .ldb = ld,
                            .c = a->s + i * ld,
                            .ldc = ld,
                            .accumulate = true};
        loops->gemm(&g, a->work);
    }
}

/* a + b exactly, as sum and error (Knuth). */
static double two_sum(double a, double b, double *error)
{
    const double sum = a + b;
    const double bb = sum - a;
    *error = (a - (sum - bb)) + (b - bb);
    return sum;
}

/* Join rows of weight `weight` and mean hi + lo to the mean of `a`, and the
 * rank-one term to its S; the S of the rows themselves is added by the caller.
 * delta [d] is scratch and may be `hi` itself. */
static void join(struct lane *a, int64_t d, double weight, double squares,
                 const double *hi, const double *lo, double *delta)
{
    const double total = a->weight + weight;
    const double share = weight / total;
    for (int64_t j = 0; j < d; j++) {
        double e;
        const double s = two_sum(hi[j], -a->hi[j], &e);
        const double diff = s + (e + (lo[j] - a->lo[j]));
        if (a->weight > 0.0) {
            const double sum = two_sum(a->hi[j], diff * share, &e);
            const double rest = e + a->lo[j];
            a->hi[j] = two_sum(sum, rest, &a->lo[j]);
        } else {
            a->hi[j] = hi[j];
            a->lo[j] = lo[j];
        }
        delta[j] = diff;
    }
    if (a->weight > 0.0)
        rank_one(a->s, d, a->weight * share, delta);
    a->weight = total;
    a->squares += squares;
}

/* sum [d] = sum of w x over a block, four rows at a time. */
static void block_sum(double *sum, int64_t d, const double *x, int64_t stride,
                      const double *weights, int64_t rows)
{
    memset(sum, 0, (size_t)d * sizeof *sum);
    int64_t i = 0;
    for (; i + 4 <= rows && weights == NULL; i += 4) {
        const double *r0 = x + i * stride;
        const double *r1 = r0 + stride;
        const double *r2 = r1 + stride;
        const double *r3 = r2 + stride;
#pragma omp simd
        for (int64_t j = 0; j < d; j++)
            sum[j] += (r0[j] + r1[j]) + (r2[j] + r3[j]);
    }
    for (; i < rows; i++) {
        const double *row = x + i * stride;
        const double w = weights != NULL ? weights[i] : 1.0;
#pragma omp simd
        for (int64_t j = 0; j < d; j++)
            sum[j] += w * row[j];
    }
}

/* Add one block of rows to a lane; `more` rows follow it in memory and are
 * wanted next, so they are fetched while this block is multiplied. */
static void add_block(struct lane *a, int64_t d, const double *x,
                      int64_t stride, const double *weights, int64_t rows,
                      int64_t more)
{
    double weight = (double)rows;
    double squares = (double)rows;
    if (weights != NULL) {
        weight = squares = 0.0;
        for (int64_t i = 0; i < rows; i++) {
            weight += weights[i];
            squares += weights[i] * weights[i];
        }
        if (!(weight > 0.0))
            return;
    }
    double *mean = a->sums;
    double *rest = a->sums + d;
    memset(rest, 0, (size_t)d * sizeof *rest);
    block_sum(mean, d, x, stride, weights, rows);
    for (int64_t j = 0; j < d; j++)
        mean[j] /= weight;
    for (int64_t i = 0; i < rows; i++) {
        const double *row = x + i * stride;
        double *out = a->block + i * sfi_row_length(d);
        const double root = weights != NULL ? sqrt(weights[i]) : 1.0;
        const double w = weights != NULL ? weights[i] : 1.0;
        for (int64_t j = 0; j < d && i < more; j += LINE)
            SFI_PREFETCH(row + rows * stride + j);
#pragma omp simd
        for (int64_t j = 0; j < d; j++) {
            const double centred = row[j] - mean[j];
            rest[j] += w * centred;
            out[j] = root * centred;
        }
    }
    for (int64_t j = 0; j < d; j++)
        rest[j] /= weight;
    add_products(a, d, rows);
    rank_one(a->s, d, -weight, rest);
    join(a, d, weight, squares, mean, rest, mean);
}

/* Add lane b, which has rows, to a.  scratch [d]. */
static void add_lane(struct lane *a, const struct lane *b, int64_t d,
                     double *scratch)
{
    const int64_t ld = sfi_row_length(d);
    for (int64_t i = 0; i < d; i++) {
        for (int64_t j = 0; j <= i; j++)
            a->s[i * ld + j] += b->s[i * ld + j];
    }
    join(a, d, b->weight, b->squares, b->hi, b->lo, scratch);
}

static sf_status check_weights(sf_context *ctx, const double *weights,
                               int64_t rows)
{
    for (int64_t i = 0; i < rows; i++) {
        if (!(weights[i] >= 0.0 && isfinite(weights[i])))
            return SFI_FAIL(ctx, SF_E_NUMERIC,
                            "moments: weight %lld is %g, want finite and >= 0",
                            (long long)i, weights[i]);
    }
    return SF_OK;
}

sf_status sfi_moments_new(sf_context *ctx, sfi_moments **out, int64_t cols)
{
    *out = NULL;
    if (cols < 1 || cols > SFI_LINALG_MAX)
        return SFI_FAIL(ctx, SF_E_SHAPE, "moments: cols is %lld, want 1 to %d",
                        (long long)cols, (int)SFI_LINALG_MAX);
    const int lanes = lanes_for(cols);
    int64_t block_rows = BLOCK_DOUBLES / cols / 8 * 8;
    block_rows = block_rows < 64 ? 64 : block_rows > 8192 ? 8192 : block_rows;

    /* Every piece starts on a multiple of 64 bytes. */
    const int64_t ld = sfi_row_length(cols);
    const size_t vector = (size_t)ld;
    const size_t square = (size_t)(cols * ld);
    const size_t product =
        sfi_loops_for(SF_F64)->gemm_work(PANEL, ld, block_rows);
    const size_t work = (product / sizeof(double) + LINE) / LINE * LINE;
    const size_t block = (size_t)(block_rows * ld) + work;
    const size_t each = 4 * vector + square;
    const size_t bytes =
        sizeof(struct sfi_moments) + (size_t)lanes * sizeof(struct lane);
    sfi_moments *m = sfi_alloc(ctx, bytes, 1);
    if (m == NULL)
        return SF_E_NOMEM;
    m->ctx = ctx;
    m->cols = cols;
    m->block_rows = block_rows;
    m->lanes = lanes;
    m->count = ((size_t)lanes + 1) * each + (size_t)lanes * block;
    /* Zeroed, since the places of a block beyond its columns are multiplied. */
    m->memory = sfi_alloc_zero(ctx, m->count, sizeof *m->memory);
    if (m->memory == NULL) {
        sfi_free(ctx, m, bytes, 1);
        return SF_E_NOMEM;
    }
    double *p = m->memory;
    for (int k = 0; k <= lanes; k++) {
        struct lane *a = k < lanes ? &m->lane[k] : &m->total;
        a->hi = p;
        a->lo = p + vector;
        a->sums = p + 2 * vector;
        a->s = p + 4 * vector;
        p += each;
        a->block = k < lanes ? p : NULL;
        a->work = k < lanes ? p + block_rows * ld : NULL;
        p += k < lanes ? block : 0;
    }
    sfi_moments_clear(m);
    *out = m;
    return SF_OK;
}

void sfi_moments_free(sfi_moments *m)
{
    if (m == NULL)
        return;
    sf_context *ctx = m->ctx;
    sfi_free(ctx, m->memory, m->count, sizeof *m->memory);
    sfi_free(ctx, m, sizeof *m + (size_t)m->lanes * sizeof *m->lane, 1);
}

void sfi_moments_clear(sfi_moments *m)
{
    m->rows = 0;
    lane_clear(&m->total, m->cols);
}

/* The rows of one call, as its lanes see them. */
typedef struct addition {
    sfi_moments *m;
    sf_cmat rows;
    const double *weights;
    int64_t blocks, lanes;
} addition;

/* Lane k takes its blocks, in order. */
static void add_to_lane(void *user, int worker, int64_t k)
{
    (void)worker;
    const addition *t = user;
    struct lane *a = &t->m->lane[k];
    const sf_cmat x = t->rows;
    const int64_t d = t->m->cols, size = t->m->block_rows;
    const int64_t end = t->blocks * (k + 1) / t->lanes;
    lane_clear(a, d);
    for (int64_t b = t->blocks * k / t->lanes; b < end; b++) {
        const int64_t first = b * size;
        const int64_t here = sfi_smaller(size, x.rows - first);
        add_block(a, d, x.data + first * x.stride, x.stride,
                  t->weights != NULL ? t->weights + first : NULL, here,
                  x.rows - first - here);
    }
}

sf_status sfi_moments_add(sfi_moments *m, sf_cmat rows, const double *weights)
{
    SFI_TRY(sfi_check_table(m->ctx, rows, false, "moments: rows"));
    if (rows.cols != m->cols)
        return SFI_FAIL(m->ctx, SF_E_SHAPE,
                        "moments: rows have %lld numbers, want %lld",
                        (long long)rows.cols, (long long)m->cols);
    if (rows.rows == 0)
        return SF_OK;
    if (weights != NULL)
        SFI_TRY(check_weights(m->ctx, weights, rows.rows));

    const int64_t blocks = sfi_parallel_parts(rows.rows, m->block_rows);
    addition t = {m, rows, weights, blocks, sfi_smaller(blocks, m->lanes)};
    sfi_parallel_tasks(sf_context_threads(m->ctx), t.lanes, add_to_lane, &t);
    for (int64_t k = 0; k < t.lanes; k++) {
        if (m->lane[k].weight > 0.0)
            add_lane(&m->total, &m->lane[k], m->cols, m->total.sums);
    }
    m->rows += rows.rows;
    return SF_OK;
}

sf_status sfi_moments_merge(sfi_moments *m, const sfi_moments *other)
{
    if (m->cols != other->cols)
        return SFI_FAIL(m->ctx, SF_E_SHAPE,
                        "moments: merging %lld columns into %lld",
                        (long long)other->cols, (long long)m->cols);
    if (other->total.weight > 0.0)
        add_lane(&m->total, &other->total, m->cols, m->total.sums);
    m->rows += other->rows;
    return SF_OK;
}

int64_t sfi_moments_rows(const sfi_moments *m)
{
    return m->rows;
}

double sfi_moments_weight(const sfi_moments *m)
{
    return m->total.weight;
}

sf_status sfi_moments_mean(const sfi_moments *m, double *mean)
{
    if (!(m->total.weight > 0.0))
        return SFI_FAIL(m->ctx, SF_E_NUMERIC,
                        "moments: the mean of %lld rows of total weight 0",
                        (long long)m->rows);
    for (int64_t j = 0; j < m->cols; j++)
        mean[j] = m->total.hi[j] + m->total.lo[j];
    return SF_OK;
}

sf_status sfi_moments_covariance(const sfi_moments *m, double *covariance,
                                 sfi_divisor divisor)
{
    const struct lane *t = &m->total;
    const int64_t d = m->cols, ld = sfi_row_length(d);
    const double by = divisor == SFI_POPULATION || !(t->weight > 0.0)
                          ? t->weight
                          : t->weight - t->squares / t->weight;
    if (!(by > 0.0))
        return SFI_FAIL(m->ctx, SF_E_NUMERIC,
                        "moments: the covariance of %lld rows of total weight "
                        "%g has no divisor",
                        (long long)m->rows, t->weight);
    for (int64_t i = 0; i < d; i++) {
        for (int64_t j = 0; j <= i; j++)
            covariance[i * d + j] = t->s[i * ld + j] / by;
    }
    sfi_mirror_lower(covariance, d);
    return SF_OK;
}
