/* SPDX-License-Identifier: Apache-2.0 */
/* posterior_block.c - a block of queries through the chunks that matter to it.
 *
 * In up to SFI_GAUSS_DIM dimensions a query and a chunk meet in one loop, which
 * keeps logits in registers.  Otherwise, and for queries far outside of the
 * data, whose distances from the points of a chunk hardly differ,
 *
 *     L = X Y' + bias        a product, [rows, CHUNK]
 *     W = exp(L - top)       top: about the row's largest so far
 *     S = W [Y, Y x Y]'      a product again
 *
 * so that L and a chunk stay in the caches of a core.  With c the centre that
 * points and queries are taken from, l_ij is L plus an offset of the query's own,
 *
 *     -(s/2)|x - c|^2 + s <x - c, y - c> - (s/2)|y - c|^2 + w    or
 *         s <x, c>    +     s <x, y - c>                  + w,
 *
 * and with scales of points the first term is a product as well.
 *
 * Which leaves matter.  A query first weighs a chunk of the leaf where it is at
 * home; what it finds there bounds its whole sum from below.  A leaf whose bound
 * lies by more than ln(leaves/tolerance) under that is passed over: all of them
 * together weigh less than the tolerance.  This is decided by the query and the
 * leaf alone, and leaves are summed in their own order, so that neither the other
 * queries nor the threads can be noticed. */
#include "num/posterior_block.h"

#include "num/array.h"

#include <math.h>
#include <string.h>

enum {
    BLOCK = SFI_POSTERIOR_BLOCK,
    CHUNK = SFI_POSTERIOR_CHUNK,
    GROUP = SFI_POSTERIOR_GROUP,
    GAUSS_SUMS = 2 + 2 * SFI_GAUSS_DIM + SFI_GAUSS_DIM * (SFI_GAUSS_DIM + 1) / 2
};

/* Weights are relative to the largest one so far; a row is done again from a new
 * one only where a point weighs more than exp(headroom) times it. */
static const double headroom = 40.0;

typedef sfi_posterior_job job;
typedef sfi_posterior_desk desk;

/* ---- the desk ---------------------------------------------------------------- */

size_t sfi_posterior_lay_out(const sfi_posterior *p, char *at, desk *to)
{
    const size_t e = p->elem, d = (size_t)p->d;
    const size_t columns = (size_t)p->columns, number = sizeof(double);
    const size_t ab = p->loops->gemm_work(BLOCK, CHUNK, 1 + p->d);
    size_t nt = p->loops->gemm_nt_work(BLOCK, 1 + p->d, CHUNK);
    const size_t wide = p->loops->gemm_nt_work(BLOCK, p->columns, CHUNK);
    nt = wide > nt ? wide : nt;
    desk none;
    desk *w = to != NULL ? to : &none;
    const struct {
        void *pointer; /* where its address goes */
        size_t bytes;
    } parts[] = {
        {&w->features, BLOCK * (d + 1) * e},
        {&w->logits, (size_t)BLOCK * CHUNK * e},
        {&w->bias, CHUNK * e},
        {&w->scaled, p->scaled ? (1 + d) * CHUNK * e : 0},
        {&w->pairs, p->paired ? d * (d + 1) / 2 * CHUNK * e : 0},
        {&w->sums, BLOCK * columns * e},
        {&w->pack, ab > nt ? ab : nt},
        {&w->query, BLOCK * sizeof *w->query},
        {&w->left_out, BLOCK * sizeof *w->left_out},
        {&w->top, BLOCK * number},
        {&w->mass, BLOCK * number},
        {&w->limit, BLOCK * number},
        {&w->total, BLOCK * columns * number},
        {&w->offset, BLOCK * number},
        {&w->part, BLOCK * number},
        {&w->box, 2 * d * number},
        {&w->best, (size_t)BLOCK * SFI_POSTERIOR_MOST_BEST * sizeof *w->best},
        {&w->best_count, BLOCK * sizeof *w->best_count},
    };
    size_t total = 0;
    for (size_t i = 0; i < SFI_COUNT(parts); i++) {
        void *start = at != NULL ? at + total : NULL;
        memcpy(parts[i].pointer, &start, sizeof start);
        total += (parts[i].bytes + 63) / 64 * 64;
    }
    return total;
}

/* ---- small things ------------------------------------------------------------ */

static sfi_ew_loop loop(const job *b, sfi_ew op, int mode)
{
    return b->p->loops->ew[op][mode];
}

static const double *centre(const sfi_posterior *p, int64_t chunk)
{
    return p->compact ? p->centres + chunk / p->leaf * p->d : p->middle;
}

/* A row of CHUNK numbers for each chunk: that of this one. */
static char *of_chunk(const sfi_posterior *p, char *rows, int64_t chunk)
{
    return rows == NULL ? NULL : rows + (size_t)(chunk * CHUNK) * p->elem;
}

static char *points(const sfi_posterior *p, int64_t chunk)
{
    return p->data + (size_t)(chunk * p->d * CHUNK) * p->elem;
}

static char *logits(const job *b, int64_t row)
{
    return b->desk->logits + (size_t)(row * CHUNK) * b->p->elem;
}

const double *sfi_posterior_reference(const job *b, int64_t i)
{
    return b->likeness == SFI_DISTANCE && b->p->compact ? b->desk->query[i]
                                                        : b->p->middle;
}

static int64_t columns_summed(const job *b)
{
    const int64_t d = b->p->d;
    return b->moments == 0   ? 0
           : b->moments == 1 ? d + (b->p->scaled ? 1 + d : 0)
                             : b->p->columns;
}

/* From now on weights of query i are relative to exp(top); row is where the
 * products sum it up, or -1. */
static void raise_top(const job *b, int64_t i, int64_t row, double top)
{
    const sfi_posterior *p = b->p;
    desk *w = b->desk;
    const double factor = exp(w->top[i] - top);
    if (row >= 0 && w->part[row] > 0.0) {
        char by[sizeof(double)];
        char *sums = w->sums + (size_t)(row * p->columns) * p->elem;
        sfi_number_put(p->dtype, by, 0, factor);
        loop(b, SFI_EW_MUL, 2)(sums, sums, by, NULL, p->columns);
        w->part[row] *= factor;
    }
    if (w->mass[i] > 0.0) {
        double *total = w->total + i * b->p->columns;
        for (int64_t k = columns_summed(b) - 1; k >= 0; k--)
            total[k] *= factor;
        w->mass[i] *= factor;
    }
    w->top[i] = top;
}

/* ---- the largest ------------------------------------------------------------- */

static bool goes_before(sfi_posterior_best a, sfi_posterior_best b)
{
    return a.logit > b.logit || (a.logit == b.logit && a.row < b.row);
}

/* Put those logits of a chunk, offset + row[j], among the best that belong
 * there. */
static void keep_best(const job *b, int64_t chunk, int64_t i, const char *row,
                      double offset)
{
    const sfi_posterior *p = b->p;
    desk *w = b->desk;
    sfi_posterior_best *best = w->best + i * SFI_POSTERIOR_MOST_BEST;
    int64_t count = w->best_count[i];
    if (count == b->best &&
        offset + p->loops->largest(row, CHUNK) < best[count - 1].logit)
        return;
    for (int64_t j = 0; j < CHUNK; j++) {
        const double logit = offset + sfi_number_get(p->dtype, row, j);
        if (!(logit > -INFINITY) ||
            (count == b->best && logit < best[count - 1].logit))
            continue;
        const sfi_posterior_best one = {logit, p->tree.row[chunk * CHUNK + j]};
        int64_t at = count;
        while (at > 0 && goes_before(one, best[at - 1]))
            at--;
        if (at == b->best)
            continue;
        count += count < b->best;
        memmove(best + at + 1, best + at,
                (size_t)(count - 1 - at) * sizeof *best);
        best[at] = one;
    }
    w->best_count[i] = count;
}

/* ---- few dimensions ---------------------------------------------------------- */

/* A chunk, for any query. */
static sfi_gauss gauss_of(const job *b, int64_t chunk)
{
    const sfi_posterior *p = b->p;
    return (sfi_gauss){.n = CHUNK,
                       .d = p->d,
                       .points = points(p, chunk),
                       .ld = CHUNK,
                       .bias = of_chunk(p, p->weights, chunk),
                       .scales = of_chunk(p, p->scales, chunk),
                       .half = -0.5 * b->scale,
                       .moments = b->moments};
}

static bool leaves_out(const job *b, int64_t chunk, int64_t i)
{
    const int64_t place = b->desk->left_out[i];
    return place >= chunk * CHUNK && place < (chunk + 1) * CHUNK;
}

/* Take query i to the chunk, if it is near: differences of single numbers are
 * good while it is no further from the data than these from each other; and
 * where the logit is large, no further from the chunk than that is wide. */
static bool is_near(const job *b, int64_t chunk, int64_t i, sfi_gauss *g)
{
    const sfi_posterior *p = b->p;
    const desk *w = b->desk;
    if (b->likeness != SFI_DISTANCE || p->d > SFI_GAUSS_DIM)
        return false;
    const double *x = w->query[i], *c = centre(p, chunk);
    double square = 0.0;
    for (int64_t k = 0; k < p->d; k++) {
        g->x[k] = x[k] - c[k];
        square += g->x[k] * g->x[k];
    }
    const double steep = 0.5 * b->scale * p->tree.node[0].steepest;
    if (square > 16.0 * p->extent ||
        (square > 16.0 * p->reach[chunk / p->leaf] && steep * square > 1e3))
        return false;
    g->bias = of_chunk(p, p->weights, chunk);
    if (leaves_out(b, chunk, i)) {
        memcpy(w->bias, g->bias, CHUNK * p->elem);
        sfi_number_put(p->dtype, w->bias, w->left_out[i] % CHUNK, -INFINITY);
        g->bias = w->bias;
    }
    return true;
}

static void sum_near(const job *b, int64_t chunk, int64_t i, sfi_gauss *g)
{
    const sfi_posterior *p = b->p;
    desk *w = b->desk;
    double sums[GAUSS_SUMS];
    if (!(w->top[i] > -INFINITY)) {
        g->shift = 0.0;
        p->loops->gauss_logits(g, logits(b, 0));
        w->top[i] = p->loops->largest(logits(b, 0), CHUNK);
        if (!(w->top[i] > -INFINITY))
            return;
    }
    if (b->best > 0) {
        g->shift = 0.0;
        p->loops->gauss_logits(g, logits(b, 0));
        keep_best(b, chunk, i, logits(b, 0), 0.0);
    }
    g->shift = w->top[i];
    const double most = p->loops->gauss_sums(g, sums);
    if (most > headroom) {
        raise_top(b, i, -1, w->top[i] + most);
        g->shift = w->top[i];
        (void)p->loops->gauss_sums(g, sums);
    }
    w->mass[i] += sums[0];
    double *total = w->total + i * p->columns;
    for (int64_t k = columns_summed(b) - 1; k >= 0; k--)
        total[k] += sums[1 + k];
}

/* ---- products ---------------------------------------------------------------- */

/* What the product asks of query i as row `row`. */
static void take_query(const job *b, int64_t chunk, int64_t row, int64_t i)
{
    const sfi_posterior *p = b->p;
    const desk *w = b->desk;
    const double *x = w->query[i], *c = centre(p, chunk);
    const bool distance = b->likeness == SFI_DISTANCE;
    int64_t at = row * (p->d + p->scaled) + p->scaled;
    double offset = 0.0;
    for (int64_t k = 0; k < p->d; k++, at++) {
        const double from = distance ? x[k] - c[k] : x[k];
        offset += distance ? -0.5 * from * from : x[k] * c[k];
        sfi_number_put(p->dtype, w->features, at, b->scale * from);
    }
    offset *= b->scale;
    if (p->scaled)
        sfi_number_put(p->dtype, w->features, row * (p->d + 1), offset);
    w->offset[row] = p->scaled ? 0.0 : offset;
}

/* What the products ask of a chunk. */
static void take_chunk(const job *b, int64_t chunk)
{
    const sfi_posterior *p = b->p;
    const desk *w = b->desk;
    const size_t row = CHUNK * p->elem;
    const char *y = points(p, chunk), *s = of_chunk(p, p->scales, chunk);
    char *bias = w->bias, *to = w->scaled;
    memcpy(bias, of_chunk(p, p->weights, chunk), row);
    if (b->likeness == SFI_DISTANCE) {
        char half[sizeof(double)];
        sfi_number_put(p->dtype, half, 0, -0.5 * b->scale);
        loop(b, SFI_EW_FMA, 2)(bias, of_chunk(p, p->squares, chunk), half, bias,
                               CHUNK);
    }
    if (p->scaled)
        memcpy(to, s, row);
    for (int64_t k = 0; k < p->d && p->scaled; k++)
        loop(b, SFI_EW_MUL, 0)(to += row, s, y + (size_t)k * row, NULL, CHUNK);
    to = w->pairs;
    for (int64_t k = 0; k < p->d && b->moments > 1; k++)
        for (int64_t l = 0; l <= k; l++, to += row)
            loop(b, SFI_EW_MUL, 0)(to, y + (size_t)k * row, y + (size_t)l * row,
                                   NULL, CHUNK);
}

/* Logits of rows first to first + count - 1; row r is query list[r]. */
static void multiply(const job *b, int64_t chunk, const int *list,
                     int64_t first, int64_t count)
{
    const sfi_posterior *p = b->p;
    const desk *w = b->desk;
    const int64_t k = p->d + p->scaled;
    const sfi_gemm g = {.m = count,
                        .n = CHUNK,
                        .k = k,
                        .a = w->features + (size_t)(first * k) * p->elem,
                        .a_row = k,
                        .a_col = 1,
                        .b = p->scaled ? w->scaled : points(p, chunk),
                        .ldb = CHUNK,
                        .c = logits(b, first),
                        .ldc = CHUNK,
                        .accumulate = true};
    for (int64_t r = first; r < first + count; r++)
        memcpy(logits(b, r), w->bias, CHUNK * p->elem);
    p->loops->gemm(&g, w->pack);
    for (int64_t r = first; r < first + count; r++)
        if (leaves_out(b, chunk, list[r]))
            sfi_number_put(p->dtype, logits(b, r), w->left_out[list[r]] % CHUNK,
                           -INFINITY);
}

/* Turn logits into weights. */
static void weigh(const job *b, int64_t chunk, const int *list, int64_t count)
{
    const sfi_posterior *p = b->p;
    desk *w = b->desk;
    for (int64_t r = 0; r < count; r++) {
        const int64_t i = list[r];
        char *row = logits(b, r);
        if (b->best > 0)
            keep_best(b, chunk, i, row, w->offset[r]);
        if (!(w->top[i] > -INFINITY))
            w->top[i] = w->offset[r] + p->loops->largest(row, CHUNK);
        /* No point so far may weigh anything; a query that is NaN stays so. */
        const double shift =
            w->top[i] > -INFINITY ? w->top[i] - w->offset[r] : 0.0;
        double most;
        double mass = p->loops->exp_sum(row, shift, CHUNK, &most);
        if (most > headroom) {
            raise_top(b, i, r, w->top[i] + most);
            multiply(b, chunk, list, r, 1);
            mass =
                p->loops->exp_sum(row, w->top[i] - w->offset[r], CHUNK, &most);
        }
        w->part[r] += mass;
    }
}

/* `count` columns of the sums from `column` on. */
static void multiply_values(const job *b, const void *values, int64_t count,
                            int64_t rows, int64_t column)
{
    const sfi_posterior *p = b->p;
    const desk *w = b->desk;
    const sfi_gemm_nt g = {.m = rows,
                           .n = count,
                           .p = CHUNK,
                           .a = w->logits,
                           .lda = CHUNK,
                           .b = values,
                           .ldb = CHUNK,
                           .c = w->sums + (size_t)column * p->elem,
                           .ldc = p->columns,
                           .accumulate = true};
    p->loops->gemm_nt(&g, w->pack);
}

/* Sums are of y - c; with e = c - ref,
 *     sum w (y - ref) = sum w (y - c) + mass e,     and for pairs
 *     sum w (y - ref)_k (y - ref)_l = P_kl + S_k e_l + e_k S_l + mass e_k e_l. */
static void add_sums(const job *b, int64_t chunk, int64_t r, int64_t i)
{
    const sfi_posterior *p = b->p;
    const desk *w = b->desk;
    const int64_t d = p->d;
    const char *from = w->sums + (size_t)(r * p->columns) * p->elem;
    const double *c = centre(p, chunk), *ref = sfi_posterior_reference(b, i);
    const double mass = w->part[r];
    double *total = w->total + i * p->columns;
    w->mass[i] += mass;
    if (b->moments == 0)
        return;
    if (c == ref) {
        for (int64_t k = columns_summed(b) - 1; k >= 0; k--)
            total[k] += sfi_number_get(p->dtype, from, k);
        return;
    }
    for (int64_t k = 0; k < d; k++)
        total[k] += sfi_number_get(p->dtype, from, k) + mass * (c[k] - ref[k]);
    int64_t at = d;
    if (p->scaled) {
        const double sum_s = sfi_number_get(p->dtype, from, at);
        total[at++] += sum_s;
        for (int64_t k = 0; k < d; k++, at++)
            total[at] +=
                sfi_number_get(p->dtype, from, at) + sum_s * (c[k] - ref[k]);
    }
    for (int64_t k = 0; k < d && b->moments > 1; k++) {
        const double e_k = c[k] - ref[k];
        const double s_k = sfi_number_get(p->dtype, from, k) + mass * e_k;
        for (int64_t l = 0; l <= k; l++, at++)
            total[at] += sfi_number_get(p->dtype, from, at) +
                         s_k * (c[l] - ref[l]) +
                         e_k * sfi_number_get(p->dtype, from, l);
    }
}

static void sum_values(const job *b, int64_t chunk, int64_t count)
{
    const sfi_posterior *p = b->p;
    const desk *w = b->desk;
    /* Rows that weigh nothing make the product one whose sums run in the same
     * order whatever the number of queries. */
    const int64_t rows = count > SFI_TALL ? count : SFI_TALL;
    memset(logits(b, count), 0, (size_t)((rows - count) * CHUNK) * p->elem);
    multiply_values(b, points(p, chunk), p->d, rows, 0);
    int64_t column = p->d;
    if (p->scaled) {
        multiply_values(b, w->scaled, 1 + p->d, rows, column);
        column += 1 + p->d;
    }
    if (b->moments > 1)
        multiply_values(b, w->pairs, p->columns - column, rows, column);
}

/* Chunks first to last - 1, which share a centre. */
static void sum_products(const job *b, int64_t first, int64_t last,
                         const int *list, int64_t count)
{
    const sfi_posterior *p = b->p;
    const desk *w = b->desk;
    for (int64_t r = 0; r < count; r++)
        take_query(b, first, r, list[r]);
    while (first < last) {
        const int64_t left = last - first;
        const int64_t end = first + (left < GROUP ? left : GROUP);
        memset(w->sums, 0, (size_t)(BLOCK * p->columns) * p->elem);
        memset(w->part, 0, BLOCK * sizeof *w->part);
        for (int64_t chunk = first; chunk < end; chunk++) {
            take_chunk(b, chunk);
            multiply(b, chunk, list, 0, count);
            weigh(b, chunk, list, count);
            if (b->moments > 0)
                sum_values(b, chunk, count);
        }
        for (int64_t r = 0; r < count; r++)
            add_sums(b, first, r, list[r]);
        first = end;
    }
}

/* ---- which leaves ------------------------------------------------------------ */

static void visit(const job *b, int64_t leaf, const int *list, int64_t count)
{
    const sfi_posterior *p = b->p;
    const int64_t first = leaf * p->leaf, left = p->chunks - first;
    const int64_t last = first + (left < p->leaf ? left : p->leaf);
    int far[BLOCK];
    int64_t rest = 0;
    sfi_gauss g = gauss_of(b, first);
    for (int64_t r = 0; r < count; r++) {
        if (is_near(b, first, list[r], &g))
            sum_near(b, first, list[r], &g);
        else
            far[rest++] = list[r];
    }
    if (rest > 0)
        sum_products(b, first, last, far, rest);
}

/* What query i finds at home: its first top, and a limit under which a leaf is
 * of no interest.  Its first chunk is enough for a bound. */
static void look_around(const job *b, int64_t leaf, int64_t i)
{
    const sfi_posterior *p = b->p;
    const int64_t chunk = leaf * p->leaf;
    desk *w = b->desk;
    const int list[1] = {(int)i};
    char *row = logits(b, 0);
    w->offset[0] = 0.0;
    sfi_gauss g = gauss_of(b, chunk);
    if (is_near(b, chunk, i, &g)) {
        p->loops->gauss_logits(&g, row);
    } else {
        take_query(b, chunk, 0, i);
        take_chunk(b, chunk);
        multiply(b, chunk, list, 0, 1);
    }
    double most = p->loops->largest(row, CHUNK);
    if (!(most > -INFINITY))
        return;
    w->top[i] = w->offset[0] + most;
    w->limit[i] =
        w->top[i] + log(p->loops->exp_sum(row, most, CHUNK, &most)) - b->cut;
}

static void walk(const job *b, int64_t number)
{
    const sfi_posterior *p = b->p;
    const desk *w = b->desk;
    const sfi_posterior_node *node = &p->tree.node[number];
    if (sfi_posterior_bound_above(&p->tree, number, &b->span) < b->least)
        return;
    const bool all =
        sfi_posterior_bound_below(&p->tree, number, &b->span) >= b->most;
    if (!all && node->right != 0) {
        walk(b, number + 1);
        walk(b, node->right);
        return;
    }
    int list[BLOCK];
    int64_t count = 0;
    for (int64_t i = 0; i < b->rows; i++) {
        const sfi_posterior_queries one = {w->query[i], w->query[i],
                                           b->span.scale, b->span.product};
        if (all ||
            !(sfi_posterior_bound_above(&p->tree, number, &one) < w->limit[i]))
            list[count++] = (int)i;
    }
    for (int64_t k = 0; k < node->leaves && count > 0; k++)
        visit(b, node->first + k, list, count);
}

void sfi_posterior_sum(job *b, const int32_t *homes)
{
    const sfi_posterior *p = b->p;
    desk *w = b->desk;
    const int64_t d = p->d;
    b->least = INFINITY;
    b->most = -INFINITY;
    b->span = (sfi_posterior_queries){w->box, w->box + d, b->scale,
                                      b->likeness == SFI_PRODUCT};
    for (int64_t k = 0; k < d; k++) {
        w->box[k] = INFINITY;
        w->box[d + k] = -INFINITY;
    }
    memset(w->total, 0, (size_t)(b->rows * p->columns) * sizeof *w->total);
    for (int64_t i = 0; i < b->rows; i++) {
        w->top[i] = w->limit[i] = -INFINITY;
        w->best_count[i] = 0;
        w->mass[i] = 0.0;
        if (p->compact)
            look_around(b, homes[i], i);
        b->least = fmin(b->least, w->limit[i]);
        b->most = fmax(b->most, w->limit[i]);
        for (int64_t k = 0; k < d; k++) {
            w->box[k] = fmin(w->box[k], w->query[i][k]);
            w->box[d + k] = fmax(w->box[d + k], w->query[i][k]);
        }
    }
    walk(b, 0);
}
