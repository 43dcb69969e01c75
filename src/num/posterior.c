/* SPDX-License-Identifier: Apache-2.0 */
/* posterior.c - the posterior reduction: its data, its queries, its results.
 *
 * Data are held as num/posterior_block.c wants to meet them.  Queries come in
 * batches; in few dimensions those of a batch are put in the order of the leaves
 * where they are at home, so that a block of them meets few of them, and results
 * go to the rows where they belong. */
#include "num/posterior.h"

#include "base/parallel.h"
#include "num/array.h"
#include "num/linalg.h"
#include "num/loops.h"
#include "num/posterior_block.h"
#include "num/posterior_tree.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
    BLOCK = SFI_POSTERIOR_BLOCK,
    CHUNK = SFI_POSTERIOR_CHUNK,
    SMALL_BLOCK = 16,    /* of few queries, so that threads share them       */
    FEW = 4 * BLOCK,     /* what few queries are                             */
    BATCH = 65536,       /* queries that are put in order together           */
    MOST_COLUMNS = 4096, /* of the data                                      */
    COMPACT_COLUMNS = 16 /* in more dimensions neighbours are hardly nearer
                            than others, and there is nothing to pass over   */
};

/* ---- making ------------------------------------------------------------------ */

/* The data from the centres of their leaves. */
static void take_data(sfi_posterior *p, sf_cmat data, const double *log_weights,
                      const double *scales)
{
    const int64_t d = p->d, n = p->tree.n;
    for (int64_t j = 0; j < p->chunks * CHUNK; j++) {
        const int64_t chunk = j / CHUNK, leaf = chunk / p->leaf;
        const double *c = p->compact ? p->centres + leaf * d : p->middle;
        const int64_t row = j < n ? p->tree.row[j] : 0;
        const double *y = data.data + row * data.stride;
        const double s = scales != NULL ? scales[row] : 1.0;
        double square = 0.0;
        for (int64_t k = 0; k < d && j < n; k++) {
            const int64_t at = (chunk * d + k) * CHUNK + j % CHUNK;
            sfi_number_put(p->dtype, p->data, at, y[k] - c[k]);
            const double held = sfi_number_get(p->dtype, p->data, at);
            square += held * held;
        }
        p->reach[leaf] = fmax(p->reach[leaf], square);
        sfi_number_put(p->dtype, p->squares, j, s * square);
        sfi_number_put(p->dtype, p->weights, j,
                       j >= n                ? -INFINITY
                       : log_weights != NULL ? log_weights[row]
                                             : 0.0);
        if (p->scaled)
            sfi_number_put(p->dtype, p->scales, j, j < n ? s : 1.0);
    }
}

/* Means of the data, and of leaves. */
static void find_centres(sfi_posterior *p, sf_cmat data)
{
    const sfi_posterior_tree *t = &p->tree;
    for (int64_t k = 0; k < p->d; k++) {
        double all = 0.0;
        for (int64_t leaf = 0; leaf < t->leaves; leaf++) {
            const int64_t first = leaf * t->size;
            const int64_t count =
                t->n - first < t->size ? t->n - first : t->size;
            double sum = 0.0;
            for (int64_t j = first; j < first + count; j++)
                sum += data.data[t->row[j] * data.stride + k];
            if (p->compact)
                p->centres[leaf * p->d + k] = sum / (double)count;
            all += sum;
        }
        p->middle[k] = all / (double)t->n;
        const double side = t->box[p->d + k] - t->box[k];
        p->extent += side * side;
    }
}

static sf_status check(sf_context *ctx, sf_cmat data, const double *log_weights,
                       const double *scales)
{
    SFI_TRY(sfi_check_table(ctx, data, true, "posterior: data"));
    if (data.rows < 1 || data.rows > INT32_MAX || data.cols < 1 ||
        data.cols > MOST_COLUMNS)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "posterior: data is [%lld, %lld], want 1 to 2^31 - 1 "
                        "rows, and 1 to %d columns",
                        (long long)data.rows, (long long)data.cols,
                        (int)MOST_COLUMNS);
    bool any = log_weights == NULL;
    for (int64_t j = 0; log_weights != NULL && j < data.rows; j++) {
        if (!(log_weights[j] < INFINITY))
            return SFI_FAIL(ctx, SF_E_NUMERIC,
                            "posterior: log weight %lld is %g, want finite or "
                            "-infinity",
                            (long long)j, log_weights[j]);
        any = any || log_weights[j] > -INFINITY;
    }
    for (int64_t j = 0; scales != NULL && j < data.rows; j++)
        if (!(scales[j] > 0.0 && scales[j] < INFINITY))
            return SFI_FAIL(ctx, SF_E_NUMERIC,
                            "posterior: scale %lld is %g, want > 0 and finite",
                            (long long)j, scales[j]);
    if (!any)
        return SFI_FAIL(ctx, SF_E_NUMERIC, "posterior: every weight is 0");
    return SF_OK;
}

static sf_status allocate(sfi_posterior *p)
{
    sf_context *ctx = p->ctx;
    const size_t rows = (size_t)p->chunks * CHUNK, d = (size_t)p->d;
    const size_t leaves = (size_t)p->tree.leaves;
    p->middle = sfi_alloc_zero(ctx, d, sizeof *p->middle);
    p->reach = sfi_alloc_zero(ctx, leaves, sizeof *p->reach);
    p->data = sfi_alloc_zero(ctx, rows * d, p->elem);
    p->squares = sfi_alloc(ctx, rows, p->elem);
    p->weights = sfi_alloc(ctx, rows, p->elem);
    p->home = sfi_alloc(ctx, BATCH, sizeof *p->home);
    p->order = sfi_alloc(ctx, BATCH, sizeof *p->order);
    p->start = sfi_alloc(ctx, leaves + 1, sizeof *p->start);
    p->desks = sfi_alloc_zero(ctx, (size_t)p->threads, p->desk_bytes);
    p->desk = sfi_alloc(ctx, (size_t)p->threads, sizeof *p->desk);
    if (p->compact)
        p->centres = sfi_alloc(ctx, leaves * d, sizeof *p->centres);
    if (p->scaled)
        p->scales = sfi_alloc(ctx, rows, p->elem);
    return p->middle == NULL || p->reach == NULL || p->data == NULL ||
                   p->squares == NULL || p->weights == NULL ||
                   p->home == NULL || p->order == NULL || p->start == NULL ||
                   p->desks == NULL || p->desk == NULL ||
                   (p->compact && p->centres == NULL) ||
                   (p->scaled && p->scales == NULL)
               ? SF_E_NOMEM
               : SF_OK;
}

void sfi_posterior_free(sfi_posterior *p)
{
    if (p == NULL)
        return;
    sf_context *ctx = p->ctx;
    const size_t rows = (size_t)p->chunks * CHUNK, d = (size_t)p->d;
    const size_t leaves = (size_t)p->tree.leaves;
    sfi_free(ctx, p->middle, d, sizeof *p->middle);
    sfi_free(ctx, p->reach, leaves, sizeof *p->reach);
    sfi_free(ctx, p->data, rows * d, p->elem);
    sfi_free(ctx, p->squares, rows, p->elem);
    sfi_free(ctx, p->weights, rows, p->elem);
    sfi_free(ctx, p->home, BATCH, sizeof *p->home);
    sfi_free(ctx, p->order, BATCH, sizeof *p->order);
    sfi_free(ctx, p->start, leaves + 1, sizeof *p->start);
    sfi_free(ctx, p->desks, (size_t)p->threads, p->desk_bytes);
    sfi_free(ctx, p->desk, (size_t)p->threads, sizeof *p->desk);
    sfi_free(ctx, p->centres, leaves * d, sizeof *p->centres);
    sfi_free(ctx, p->scales, rows, p->elem);
    sfi_posterior_tree_free(&p->tree);
    sfi_free(ctx, p, 1, sizeof *p);
}

size_t sfi_posterior_memory(const sfi_posterior *p)
{
    const size_t rows = (size_t)p->chunks * CHUNK, d = (size_t)p->d;
    const size_t leaves = (size_t)p->tree.leaves;
    return rows * (d + 2 + p->scaled) * p->elem +
           leaves * (d + 2) * sizeof(double) +
           BATCH * (sizeof *p->home + sizeof *p->order) +
           (size_t)p->threads * p->desk_bytes +
           sfi_posterior_tree_memory(&p->tree);
}

static sf_status make(sfi_posterior *p, sf_cmat data, const double *log_weights,
                      const double *scales)
{
    SFI_TRY(sfi_posterior_tree_new(p->ctx, &p->tree, data, log_weights, scales,
                                   p->leaf * CHUNK, p->compact));
    p->chunks = (p->tree.n + CHUNK - 1) / CHUNK;
    if (!p->compact)
        p->leaf = p->chunks;
    p->desk_bytes = sfi_posterior_lay_out(p, NULL, NULL);
    SFI_TRY(allocate(p));
    for (int i = 0; i < p->threads; i++)
        (void)sfi_posterior_lay_out(p, p->desks + (size_t)i * p->desk_bytes,
                                    &p->desk[i]);
    find_centres(p, data);
    take_data(p, data, log_weights, scales);
    return SF_OK;
}

sf_status sfi_posterior_new(sf_context *ctx, sfi_posterior **out,
                            sf_dtype dtype, sf_cmat data,
                            const double *log_weights,
                            const sfi_posterior_options *options)
{
    *out = NULL;
    const sfi_posterior_options plain = {0};
    if (options == NULL)
        options = &plain;
    SFI_TRY(check(ctx, data, log_weights, options->scales));
    sfi_posterior *p = sfi_alloc_zero(ctx, 1, sizeof *p);
    if (p == NULL)
        return SF_E_NOMEM;
    p->ctx = ctx;
    p->loops = sfi_loops_for(dtype);
    p->dtype = dtype;
    p->elem = sf_dtype_size(dtype);
    p->d = data.cols;
    p->scaled = options->scales != NULL;
    p->paired = options->covariance;
    p->compact = p->d <= COMPACT_COLUMNS;
    p->leaf = p->d <= SFI_GAUSS_DIM ? 1 : SFI_POSTERIOR_GROUP;
    p->columns = p->d + (p->scaled ? 1 + p->d : 0) +
                 (p->paired ? p->d * (p->d + 1) / 2 : 0);
    p->threads = sf_context_threads(ctx);
    const sf_status status = make(p, data, log_weights, options->scales);
    if (status != SF_OK) {
        sfi_posterior_free(p);
        return status;
    }
    *out = p;
    return SF_OK;
}

/* ---- results ----------------------------------------------------------------- */

/* Query i of the block, as row `to` of the results. */
static void give(const sfi_posterior_job *b, int64_t i, int64_t to,
                 const sfi_posterior_want *want)
{
    const sfi_posterior *p = b->p;
    const sfi_posterior_desk *w = b->desk;
    const int64_t d = p->d;
    const double *x = w->query[i], *ref = sfi_posterior_reference(b, i);
    const double *y = w->total + i * p->columns, *sy = y + d + 1;
    const double *pairs = p->scaled ? sy + d : y + d;
    const double mass = w->mass[i];
    const double mean_s = p->scaled ? y[d] / mass : mass > 0.0 ? 1.0 : NAN;
    if (want->lse != NULL)
        want->lse[to] = w->top[i] + log(mass);
    if (want->mean_scale != NULL)
        want->mean_scale[to] = b->scale * mean_s;
    for (int64_t k = 0; k < d && want->mean.data != NULL; k++)
        want->mean.data[to * want->mean.stride + k] = ref[k] + y[k] / mass;
    for (int64_t k = 0; k < d && want->score.data != NULL; k++) {
        double *score = want->score.data + to * want->score.stride + k;
        const double from = (p->scaled ? sy[k] : y[k]) / mass;
        *score = b->likeness == SFI_DISTANCE
                     ? b->scale * (from + mean_s * (ref[k] - x[k]))
                     : b->scale * (from + ref[k]);
    }
    for (int64_t k = 0; k < b->best; k++) {
        const sfi_posterior_best *best =
            w->best + i * SFI_POSTERIOR_MOST_BEST + k;
        const bool any = k < w->best_count[i];
        want->best_row[to * b->best + k] = any ? best->row : -1;
        want->best_weight[to * b->best + k] =
            any ? exp(best->logit - w->top[i]) / mass : 0.0;
    }
    if (want->cov.data == NULL)
        return;
    double *cov = want->cov.data + to * want->cov.stride;
    for (int64_t k = 0; k < d; k++)
        for (int64_t l = 0; l <= k; l++, pairs++)
            cov[k * d + l] = cov[l * d + k] =
                *pairs / mass - (y[k] / mass) * (y[l] / mass);
}

/* A query that is not finite. */
static void give_nothing(const sfi_posterior *p, int64_t to,
                         const sfi_posterior_want *want)
{
    const sf_mat tables[] = {want->mean, want->score, want->cov};
    const int64_t counts[] = {p->d, p->d, p->d * p->d};
    if (want->lse != NULL)
        want->lse[to] = NAN;
    if (want->mean_scale != NULL)
        want->mean_scale[to] = NAN;
    for (int64_t k = 0; k < want->best_count; k++) {
        want->best_weight[to * want->best_count + k] = NAN;
        want->best_row[to * want->best_count + k] = -1;
    }
    for (size_t t = 0; t < SFI_COUNT(tables); t++)
        for (int64_t k = 0; k < counts[t] && tables[t].data != NULL; k++)
            tables[t].data[to * tables[t].stride + k] = NAN;
}

/* ---- running ----------------------------------------------------------------- */

/* A run, as its threads see it. */
typedef struct task {
    sfi_posterior *p;
    sf_cmat queries; /* of this batch, which begins at row `first` */
    int64_t first;
    double scale, cut;
    sfi_likeness likeness;
    int moments;
    int64_t kept, block; /* queries that are finite, and how many at a time */
    const sfi_posterior_want *want;
} task;

/* Where each query begins; -1 and its results where it is not finite. */
static void find_home(const task *t, int64_t i)
{
    sfi_posterior *p = t->p;
    const double *x = t->queries.data + i * t->queries.stride;
    double bad = 0.0;
    for (int64_t k = 0; k < p->d; k++)
        bad += x[k] * 0.0; /* inf*0 and nan*0 are nan */
    if (bad != 0.0) {
        p->home[i] = -1;
        give_nothing(p, t->first + i, t->want);
        return;
    }
    const sfi_posterior_queries q = {x, x, t->scale,
                                     t->likeness == SFI_PRODUCT};
    p->home[i] = (int32_t)p->tree.node[sfi_posterior_home(&p->tree, &q)].first;
}

/* Queries by home, those of one home as they came; returns how many there are. */
static int64_t put_in_order(const task *t)
{
    sfi_posterior *p = t->p;
    const int64_t leaves = p->tree.leaves;
    int64_t sum = 0;
    memset(p->start, 0, (size_t)(leaves + 1) * sizeof *p->start);
    for (int64_t i = 0; i < t->queries.rows; i++)
        p->start[p->home[i] + 1]++;
    p->start[0] = 0;
    for (int64_t leaf = 0; leaf <= leaves; leaf++)
        p->start[leaf] = sum += p->start[leaf];
    for (int64_t i = 0; i < t->queries.rows; i++)
        if (p->home[i] >= 0)
            p->order[p->start[p->home[i]]++] = (int32_t)i;
    return sum;
}

static void find_homes(void *user, int64_t part, int64_t first, int64_t count)
{
    (void)part;
    const unsigned saved = sfi_flush_denormals();
    for (int64_t i = first; i < first + count; i++)
        find_home(user, i);
    sfi_restore_denormals(saved);
}

static void run_block(void *user, int worker, int64_t block)
{
    const task *t = user;
    const sfi_posterior *p = t->p;
    const int32_t *order = p->order + block * t->block;
    const int64_t rows = sfi_smaller(t->block, t->kept - block * t->block);
    const unsigned saved = sfi_flush_denormals();
    sfi_posterior_job b = {.p = p,
                           .desk = &p->desk[worker],
                           .rows = rows,
                           .scale = t->scale,
                           .cut = t->cut,
                           .likeness = t->likeness,
                           .moments = t->moments,
                           .best = t->want->best_count};
    int32_t homes[BLOCK];
    for (int64_t i = 0; i < rows; i++) {
        const int64_t from = order[i], to = t->first + from;
        const int64_t *exclude = t->want->exclude;
        b.desk->query[i] = t->queries.data + from * t->queries.stride;
        b.desk->left_out[i] = exclude == NULL || exclude[to] < 0
                                  ? -1
                                  : p->tree.place[exclude[to]];
        homes[i] = p->home[from];
    }
    sfi_posterior_sum(&b, homes);
    for (int64_t i = 0; i < rows; i++)
        give(&b, i, t->first + order[i], t->want);
    sfi_restore_denormals(saved);
}

static void run_batch(task *t)
{
    const int64_t m = t->queries.rows;
    sfi_parallel(t->p->ctx, m, FEW, find_homes, t);
    t->kept = put_in_order(t);
    t->block = m < FEW ? SMALL_BLOCK : BLOCK;
    sfi_parallel_tasks(t->p->threads, sfi_parallel_parts(t->kept, t->block),
                       run_block, t);
}

void sfi_posterior_run(sfi_posterior *p, sf_cmat queries, double scale,
                       sfi_likeness likeness, const sfi_posterior_want *want)
{
    assert(want->cov.data == NULL || p->paired);
    assert(!p->scaled || likeness == SFI_DISTANCE);
    assert(want->best_count >= 0 &&
           want->best_count <= SFI_POSTERIOR_MOST_BEST);
    const bool first = want->mean.data != NULL || want->score.data != NULL ||
                       want->mean_scale != NULL;
    const double tolerance = want->tolerance > 0.0 ? want->tolerance
                             : p->dtype == SF_F64  ? 0x1p-53
                                                   : 0x1p-30;
    task t = {.p = p,
              .scale = scale,
              .cut = log((double)p->tree.leaves / tolerance),
              .likeness = likeness,
              .moments = want->cov.data != NULL ? 2
                         : first                ? 1
                                                : 0,
              .want = want};
    for (; t.first < queries.rows; t.first += BATCH) {
        const int64_t left = queries.rows - t.first;
        t.queries = (sf_cmat){queries.data + t.first * queries.stride,
                              left < BATCH ? left : BATCH, queries.cols,
                              queries.stride};
        run_batch(&t);
    }
}
