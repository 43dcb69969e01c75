/* SPDX-License-Identifier: Apache-2.0 */
/* posterior.c - the posterior reduction, from the loops of num/loops.h.
 *
 * A thread takes BLOCK queries through all chunks of CHUNK points:
 *
 *     L = [1, X] [bias, Y]'      a product, [BLOCK, CHUNK]
 *     W = exp(L - top)           top: about the row's largest so far
 *     S += W [Y, Y x Y]'         a product again
 *
 * so that L and a chunk stay in the caches of a core. */
#include "num/posterior.h"

#include "num/array.h"
#include "num/linalg.h"
#include "num/loops.h"

#include <assert.h>
#include <math.h>
#include <omp.h>
#include <string.h>

enum { BLOCK = 64, CHUNK = 256 };

/* Weights are relative to the largest one so far; a row is done again from a new
 * one only where a point weighs more than exp(headroom) times it. */
static const double headroom = 40.0;

/* One thread's work space; all of the posterior's dtype but the last three. */
typedef struct desk {
    char *queries; /* [BLOCK, 1 + d]      1, s (x - c)                    */
    char *rows;    /* [1 + columns, CHUNK] bias, y - c, their products    */
    char *square;  /* [CHUNK]                                             */
    char *logits;  /* [BLOCK, CHUNK]                                  */
    char *sums;    /* [BLOCK, columns]                                */
    void *pack;    /* what the products ask for                       */
    double *top, *mass; /* [BLOCK]: largest logit, sum of weights     */
    double *centre;     /* [d]                                        */
} desk;

struct sfi_posterior {
    sf_context *ctx;
    const sfi_loops *loops;
    sf_dtype dtype;
    size_t elem;
    int64_t n, d, chunks, columns;
    int threads;
    double *middle; /* [d] mean of the data, taken off it   */
    char *data;     /* [chunks, d, CHUNK]                   */
    char *weights;  /* [chunks, CHUNK] log weights          */
    char *desks;    /* [threads] of desk_bytes              */
    size_t desk_bytes;
    desk *desk; /* [threads]                            */
};

/* ---- making ------------------------------------------------------------------ */

static size_t whole_lines(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

/* Lay a desk out at `at`, or only measure it where that is NULL. */
static size_t lay_out(const sfi_posterior *p, char *at, desk *d)
{
    const size_t e = p->elem;
    const size_t sizes[] = {BLOCK * (size_t)(1 + p->d) * e,
                            (size_t)(1 + p->columns) * CHUNK * e,
                            CHUNK * e,
                            BLOCK * CHUNK * e,
                            BLOCK * (size_t)p->columns * e,
                            0,
                            BLOCK * sizeof(double),
                            BLOCK * sizeof(double),
                            (size_t)p->d * sizeof(double)};
    const size_t ab = p->loops->gemm_work(BLOCK, CHUNK, 1 + p->d);
    const size_t nt = p->loops->gemm_nt_work(BLOCK, p->columns, CHUNK);
    size_t offsets[SFI_COUNT(sizes)], total = 0;
    for (size_t i = 0; i < SFI_COUNT(sizes); i++) {
        offsets[i] = total;
        total += whole_lines(i == 5 ? (ab > nt ? ab : nt) : sizes[i]);
    }
    if (at != NULL)
        *d = (desk){at + offsets[0],
                    at + offsets[1],
                    at + offsets[2],
                    at + offsets[3],
                    at + offsets[4],
                    at + offsets[5],
                    (double *)(void *)(at + offsets[6]),
                    (double *)(void *)(at + offsets[7]),
                    (double *)(void *)(at + offsets[8])};
    return total;
}

/* The data from its mean, chunk by chunk, and what fills the last chunk. */
static void take_data(sfi_posterior *p, sf_cmat data, const double *log_weights)
{
    for (int64_t k = 0; k < p->d; k++) {
        double sum = 0.0;
        for (int64_t j = 0; j < p->n; j++)
            sum += data.data[j * data.stride + k];
        p->middle[k] = sum / (double)p->n;
    }
    for (int64_t j = 0; j < p->chunks * CHUNK; j++) {
        const int64_t at = j / CHUNK * p->d * CHUNK + j % CHUNK;
        for (int64_t k = 0; k < p->d && j < p->n; k++)
            sfi_number_put(p->dtype, p->data, at + k * CHUNK,
                           data.data[j * data.stride + k] - p->middle[k]);
        sfi_number_put(p->dtype, p->weights, j,
                       j >= p->n             ? -INFINITY
                       : log_weights != NULL ? log_weights[j]
                                             : 0.0);
    }
}

static sf_status check(sf_context *ctx, sf_cmat data, const double *log_weights)
{
    SFI_TRY(sfi_check_table(ctx, data, true, "posterior: data"));
    if (data.rows < 1 || data.cols < 1 || data.cols > 4096)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "posterior: data is [%lld, %lld], want rows, and 1 to "
                        "4096 columns",
                        (long long)data.rows, (long long)data.cols);
    bool any = log_weights == NULL;
    for (int64_t j = 0; log_weights != NULL && j < data.rows; j++) {
        if (!(log_weights[j] < INFINITY))
            return SFI_FAIL(ctx, SF_E_NUMERIC,
                            "posterior: log weight %lld is %g, want finite or "
                            "-infinity",
                            (long long)j, log_weights[j]);
        any = any || log_weights[j] > -INFINITY;
    }
    if (!any)
        return SFI_FAIL(ctx, SF_E_NUMERIC, "posterior: every weight is 0");
    return SF_OK;
}

sf_status sfi_posterior_new(sf_context *ctx, sfi_posterior **out,
                            sf_dtype dtype, sf_cmat data,
                            const double *log_weights,
                            const sfi_posterior_options *options)
{
    *out = NULL;
    SFI_TRY(check(ctx, data, log_weights));
    sfi_posterior *p = sfi_alloc_zero(ctx, 1, sizeof *p);
    if (p == NULL)
        return SF_E_NOMEM;
    p->ctx = ctx;
    p->loops = sfi_loops_for(dtype);
    p->dtype = dtype;
    p->elem = sf_dtype_size(dtype);
    p->n = data.rows;
    p->d = data.cols;
    p->chunks = (p->n + CHUNK - 1) / CHUNK;
    p->columns = p->d;
    if (options != NULL && options->covariance)
        p->columns += p->d * (p->d + 1) / 2;
    p->threads = sf_context_threads(ctx);
    p->desk_bytes = lay_out(p, NULL, NULL);
    p->middle = sfi_alloc(ctx, (size_t)p->d, sizeof *p->middle);
    p->data = sfi_alloc_zero(ctx, (size_t)(p->chunks * p->d) * CHUNK, p->elem);
    p->weights = sfi_alloc(ctx, (size_t)p->chunks * CHUNK, p->elem);
    p->desks = sfi_alloc_zero(ctx, (size_t)p->threads, p->desk_bytes);
    p->desk = sfi_alloc(ctx, (size_t)p->threads, sizeof *p->desk);
    if (p->middle == NULL || p->data == NULL || p->weights == NULL ||
        p->desks == NULL || p->desk == NULL) {
        sfi_posterior_free(p);
        return SF_E_NOMEM;
    }
    for (int i = 0; i < p->threads; i++)
        (void)lay_out(p, p->desks + (size_t)i * p->desk_bytes, &p->desk[i]);
    take_data(p, data, log_weights);
    *out = p;
    return SF_OK;
}

void sfi_posterior_free(sfi_posterior *p)
{
    if (p == NULL)
        return;
    sf_context *ctx = p->ctx;
    sfi_free(ctx, p->middle, (size_t)p->d, sizeof *p->middle);
    sfi_free(ctx, p->data, (size_t)(p->chunks * p->d) * CHUNK, p->elem);
    sfi_free(ctx, p->weights, (size_t)p->chunks * CHUNK, p->elem);
    sfi_free(ctx, p->desks, (size_t)p->threads, p->desk_bytes);
    sfi_free(ctx, p->desk, (size_t)p->threads, sizeof *p->desk);
    sfi_free(ctx, p, 1, sizeof *p);
}

size_t sfi_posterior_memory(const sfi_posterior *p)
{
    return (size_t)(p->chunks * CHUNK * (p->d + 1)) * p->elem +
           (size_t)p->threads * p->desk_bytes;
}

/* ---- running ----------------------------------------------------------------- */

/* A block of queries at work. */
typedef struct job {
    const sfi_posterior *p;
    desk *desk;
    sf_cmat queries; /* of this block */
    double scale;
    sfi_likeness likeness;
    int64_t columns;        /* of the values that are summed: 0, d, or all */
    const int64_t *exclude; /* of these queries, or NULL            */
} job;

static sfi_ew_loop loop(const job *b, sfi_ew op, int mode)
{
    return b->p->loops->ew[op][mode];
}

/* The middle of the block of queries, from that of the data and rounded to the
 * dtype, so that it is taken off both without error.  Products have no distance
 * to keep small: their centre is the data's; and so is that of doubles, which
 * can afford it, so that no query depends on its neighbours. */
static void take_queries(const job *b)
{
    const sfi_posterior *p = b->p;
    desk *w = b->desk;
    const int64_t rows = b->queries.rows;
    const bool own = b->likeness == SFI_DISTANCE && p->dtype == SF_F32;
    for (int64_t k = 0; k < p->d; k++) {
        double sum = 0.0;
        for (int64_t i = 0; i < rows && own; i++)
            sum += b->queries.data[i * b->queries.stride + k] - p->middle[k];
        const double mean = sum / (double)rows;
        w->centre[k] = isfinite(mean) ? (float)mean : 0.0;
    }
    for (int64_t i = 0; i < rows; i++) {
        w->top[i] = -INFINITY;
        w->mass[i] = 0.0;
        sfi_number_put(p->dtype, w->queries, i * (1 + p->d), 1.0);
        for (int64_t k = 0; k < p->d; k++) {
            double x = b->queries.data[i * b->queries.stride + k];
            if (b->likeness == SFI_DISTANCE)
                x = (x - p->middle[k]) - w->centre[k];
            sfi_number_put(p->dtype, w->queries, i * (1 + p->d) + 1 + k,
                           b->scale * x);
        }
    }
    memset(w->sums, 0, (size_t)(BLOCK * p->columns) * p->elem);
}

/* Rows of the chunk from the centre, their products, and the bias
 *     w_j - (s/2) |y_j - c|^2    or    w_j. */
static void take_chunk(const job *b, int64_t chunk)
{
    const sfi_posterior *p = b->p;
    desk *w = b->desk;
    const size_t row = CHUNK * p->elem;
    const char *from = p->data + (size_t)(chunk * p->d) * row;
    char *bias = w->rows, *points = w->rows + row;
    memcpy(bias, p->weights + (size_t)chunk * row, row);
    char number[sizeof(double)];
    for (int64_t k = 0; k < p->d; k++) {
        char *y = points + (size_t)k * row;
        sfi_number_put(p->dtype, number, 0, w->centre[k]);
        loop(b, SFI_EW_SUB, 2)(y, from + (size_t)k * row, number, NULL, CHUNK);
    }
    if (b->likeness == SFI_DISTANCE) {
        sfi_number_put(p->dtype, number, 0, -0.5 * b->scale);
        for (int64_t k = 0; k < p->d; k++) {
            const char *y = points + (size_t)k * row;
            loop(b, SFI_EW_MUL, 0)(w->square, y, y, NULL, CHUNK);
            loop(b, SFI_EW_FMA, 2)(bias, w->square, number, bias, CHUNK);
        }
    }
    char *out = points + (size_t)p->d * row;
    for (int64_t k = 0; k < p->d && b->columns > p->d; k++)
        for (int64_t l = 0; l <= k; l++, out += row)
            loop(b, SFI_EW_MUL, 0)(out, points + (size_t)k * row,
                                   points + (size_t)l * row, NULL, CHUNK);
}

/* Logits of rows first to first + count - 1 of the block. */
static void multiply(const job *b, int64_t chunk, int64_t first, int64_t count)
{
    const sfi_posterior *p = b->p;
    const desk *w = b->desk;
    const int64_t k = 1 + p->d;
    const sfi_gemm g = {.m = count,
                        .n = CHUNK,
                        .k = k,
                        .a = w->queries + (size_t)(first * k) * p->elem,
                        .a_row = k,
                        .a_col = 1,
                        .b = w->rows,
                        .ldb = CHUNK,
                        .c = w->logits + (size_t)(first * CHUNK) * p->elem,
                        .ldc = CHUNK};
    p->loops->gemm(&g, w->pack);
    for (int64_t i = first; b->exclude != NULL && i < first + count; i++)
        if (b->exclude[i] >= 0 && b->exclude[i] / CHUNK == chunk)
            sfi_number_put(p->dtype, w->logits,
                           i * CHUNK + b->exclude[i] % CHUNK, -INFINITY);
}

/* From now on weights of row i are relative to exp(top). */
static void raise_top(const job *b, int64_t i, double top)
{
    const sfi_posterior *p = b->p;
    desk *w = b->desk;
    if (w->mass[i] > 0.0) {
        const double factor = exp(w->top[i] - top);
        char keep[sizeof(double)];
        char *sums = w->sums + (size_t)(i * p->columns) * p->elem;
        sfi_number_put(p->dtype, keep, 0, factor);
        if (b->columns > 0)
            loop(b, SFI_EW_MUL, 2)(sums, sums, keep, NULL, b->columns);
        w->mass[i] *= factor;
    }
    w->top[i] = top;
}

/* Turn logits into weights. */
static void weigh(const job *b, int64_t chunk)
{
    const sfi_posterior *p = b->p;
    desk *w = b->desk;
    for (int64_t i = 0; i < b->queries.rows; i++) {
        char *row = w->logits + (size_t)(i * CHUNK) * p->elem;
        if (!(w->top[i] > -INFINITY))
            w->top[i] = p->loops->largest(row, CHUNK);
        /* No point so far may weigh anything; a query that is NaN stays so. */
        const double shift = w->top[i] > -INFINITY ? w->top[i] : 0.0;
        double most;
        double mass = p->loops->exp_sum(row, shift, CHUNK, &most);
        if (most > headroom) {
            raise_top(b, i, shift + most);
            multiply(b, chunk, i, 1);
            mass = p->loops->exp_sum(row, w->top[i], CHUNK, &most);
        }
        w->mass[i] += mass;
    }
}

static void sum_chunk(const job *b, int64_t chunk)
{
    const sfi_posterior *p = b->p;
    desk *w = b->desk;
    const int64_t rows = b->queries.rows;
    multiply(b, chunk, 0, rows);
    weigh(b, chunk);
    if (b->columns == 0)
        return;
    /* Rows that weigh nothing make the product one whose sums run in the same
     * order for every block. */
    const int64_t tall = rows > SFI_TALL ? rows : SFI_TALL;
    memset(w->logits + (size_t)(rows * CHUNK) * p->elem, 0,
           (size_t)((tall - rows) * CHUNK) * p->elem);
    const sfi_gemm_nt values = {.m = tall,
                                .n = b->columns,
                                .p = CHUNK,
                                .a = w->logits,
                                .lda = CHUNK,
                                .b = w->rows + CHUNK * p->elem,
                                .ldb = CHUNK,
                                .c = w->sums,
                                .ldc = p->columns,
                                .accumulate = true};
    p->loops->gemm_nt(&values, w->pack);
}

/* What query i of the block gets, as row `to` of the results. */
static void give(const job *b, int64_t i, int64_t to,
                 const sfi_posterior_want *want)
{
    const sfi_posterior *p = b->p;
    const desk *w = b->desk;
    const double *x = b->queries.data + i * b->queries.stride;
    const char *sums = w->sums + (size_t)(i * p->columns) * p->elem;
    if (want->lse != NULL) {
        double rest = 0.0;
        for (int64_t k = 0; k < p->d; k++) {
            const double gap = (x[k] - p->middle[k]) - w->centre[k];
            rest += b->likeness == SFI_DISTANCE
                        ? -0.5 * b->scale * gap * gap
                        : b->scale * x[k] * p->middle[k];
        }
        want->lse[to] = w->top[i] + log(w->mass[i]) + rest;
    }
    for (int64_t k = 0; k < p->d && want->mean.data != NULL; k++)
        want->mean.data[to * want->mean.stride + k] =
            p->middle[k] + w->centre[k] +
            sfi_number_get(p->dtype, sums, k) / w->mass[i];
    if (want->cov.data == NULL)
        return;
    double *cov = want->cov.data + to * want->cov.stride;
    int64_t at = p->d;
    for (int64_t k = 0; k < p->d; k++)
        for (int64_t l = 0; l <= k; l++, at++) {
            const double mean_k =
                sfi_number_get(p->dtype, sums, k) / w->mass[i];
            const double mean_l =
                sfi_number_get(p->dtype, sums, l) / w->mass[i];
            cov[k * p->d + l] = cov[l * p->d + k] =
                sfi_number_get(p->dtype, sums, at) / w->mass[i] -
                mean_k * mean_l;
        }
}

void sfi_posterior_run(sfi_posterior *p, sf_cmat queries, double scale,
                       sfi_likeness likeness, const sfi_posterior_want *want)
{
    assert(want->cov.data == NULL || p->columns > p->d);
    const int64_t columns = want->cov.data != NULL    ? p->columns
                            : want->mean.data != NULL ? p->d
                                                      : 0;
    const int64_t blocks = (queries.rows + BLOCK - 1) / BLOCK;
#pragma omp parallel num_threads(p->threads) if (blocks > 1)
    {
        const unsigned saved = sfi_flush_denormals();
#pragma omp for schedule(dynamic, 1)
        for (int64_t block = 0; block < blocks; block++) {
            const int64_t first = block * BLOCK;
            const int64_t left = queries.rows - first;
            const job b = {p,
                           &p->desk[omp_get_thread_num()],
                           {queries.data + first * queries.stride,
                            left < BLOCK ? left : BLOCK, p->d, queries.stride},
                           scale,
                           likeness,
                           columns,
                           want->exclude == NULL ? NULL
                                                 : want->exclude + first};
            take_queries(&b);
            for (int64_t chunk = 0; chunk < p->chunks; chunk++) {
                take_chunk(&b, chunk);
                sum_chunk(&b, chunk);
            }
            for (int64_t i = 0; i < b.queries.rows; i++)
                give(&b, i, first + i, want);
        }
        sfi_restore_denormals(saved);
    }
}
