/* SPDX-License-Identifier: Apache-2.0 */
/* sparse.c - coordinate descent on blocks.
 *
 * One number after the other takes the value of the minimum along it,
 *
 *     t_k <- soft(H_kk t_k - slope_k, lambda) / H_kk,
 *
 * and the slope follows by the rows of the blocks that hold it: 2 of them, of m + 1
 * numbers, in a pairwise model of m.  That finds which numbers are not 0, and is slow to
 * find what they are where columns are alike: so sweeps alternate with a minimum over
 * the numbers that are not 0, by conjugate gradients, as far as they keep their signs. */
#include "fit/sparse.h"

#include "num/linalg.h"

#include <math.h>
#include <string.h>

enum { MOST_SWEEPS = 5000, INNER_SWEEPS = 4, MOST_CONJUGATE = 2000 };

/* A number of which less than this part is its own cannot be told from others. */
static const double flat = 1e-10;

/* To what part conjugate gradients bring the slope before signs are looked at. */
static const double less = 1e-3;

static int64_t size_of(const sfi_sparse *s, int64_t j)
{
    return s->first[j + 1] - s->first[j];
}

static sf_status read_blocks(sfi_sparse *s, const sfi_design *design)
{
    for (int64_t j = 0; j < s->blocks; j++) {
        const int64_t size = size_of(s, j);
        int64_t *index = s->index + s->first[j];
        s->block[j] =
            sfi_alloc(s->ctx, (size_t)(size * size) + 1, sizeof **s->block);
        if (s->block[j] == NULL)
            return SF_E_NOMEM;
        sfi_design_block(design, j, index, s->block[j]);
        for (int64_t a = 0; a < size; a++) {
            s->diagonal[index[a]] += s->block[j][a * size + a];
            s->uses[index[a] + 1]++;
        }
    }
    for (int64_t k = 0; k < s->numbers; k++)
        s->uses[k + 1] += s->uses[k];
    for (int64_t j = s->blocks; j-- > 0;)
        for (int64_t at = s->first[j + 1]; at-- > s->first[j];) {
            int64_t *filled = &s->active[s->index[at]];
            const int64_t to = s->uses[s->index[at] + 1] - ++*filled;
            s->place[to] = at;
            s->block_at[to] = j;
        }
    return SF_OK;
}

sf_status sfi_sparse_new(sf_context *ctx, sfi_sparse *s,
                         const sfi_design *design, int64_t numbers)
{
    const int64_t blocks = sfi_design_blocks(design);
    const size_t n = (size_t)numbers;
    *s = (sfi_sparse){.ctx = ctx, .numbers = numbers, .multiplier = 1.0};
    s->first = sfi_alloc_zero(ctx, (size_t)blocks + 1, sizeof *s->first);
    s->block = sfi_alloc_zero(ctx, (size_t)blocks + 1, sizeof *s->block);
    s->blocks = blocks;
    if (s->first == NULL || s->block == NULL)
        return SF_E_NOMEM;
    for (int64_t j = 0; j < blocks; j++) {
        const int64_t size = sfi_design_block_size(design, j);
        s->first[j + 1] = s->first[j] + size;
        if (size > s->block_most)
            s->block_most = size;
    }
    const size_t places = (size_t)s->first[blocks] + 1;
    s->index = sfi_alloc(ctx, places, sizeof *s->index);
    s->place = sfi_alloc(ctx, places, sizeof *s->place);
    s->block_at = sfi_alloc(ctx, places, sizeof *s->block_at);
    s->uses = sfi_alloc_zero(ctx, n + 1, sizeof *s->uses);
    s->b = sfi_alloc_zero(ctx, n, sizeof *s->b);
    s->diagonal = sfi_alloc_zero(ctx, n, sizeof *s->diagonal);
    s->penalty = sfi_alloc_zero(ctx, n, sizeof *s->penalty);
    s->estimate = sfi_alloc_zero(ctx, n, sizeof *s->estimate);
    s->slope = sfi_alloc_zero(ctx, n, sizeof *s->slope);
    s->active = sfi_alloc_zero(ctx, n, sizeof *s->active);
    s->work = sfi_alloc_zero(ctx, 5 * n, sizeof *s->work);
    s->local = sfi_alloc_zero(ctx, (size_t)s->block_most + 1, sizeof *s->local);
    if (s->index == NULL || s->place == NULL || s->block_at == NULL ||
        s->uses == NULL || s->b == NULL || s->diagonal == NULL ||
        s->penalty == NULL || s->estimate == NULL || s->slope == NULL ||
        s->active == NULL || s->work == NULL || s->local == NULL)
        return SF_E_NOMEM;
    return read_blocks(s, design);
}

void sfi_sparse_free(sfi_sparse *s)
{
    sf_context *ctx = s->ctx;
    const size_t n = (size_t)s->numbers, blocks = (size_t)s->blocks;
    if (s->first == NULL || s->block == NULL) {
        sfi_free(ctx, s->first, blocks + 1, sizeof *s->first);
        sfi_free(ctx, s->block, blocks + 1, sizeof *s->block);
        return;
    }
    const size_t places = (size_t)s->first[blocks] + 1;
    for (int64_t j = 0; j < s->blocks; j++)
        sfi_free(ctx, s->block[j], (size_t)(size_of(s, j) * size_of(s, j)) + 1,
                 sizeof **s->block);
    sfi_free(ctx, s->index, places, sizeof *s->index);
    sfi_free(ctx, s->place, places, sizeof *s->place);
    sfi_free(ctx, s->block_at, places, sizeof *s->block_at);
    sfi_free(ctx, s->uses, n + 1, sizeof *s->uses);
    sfi_free(ctx, s->b, n, sizeof *s->b);
    sfi_free(ctx, s->diagonal, n, sizeof *s->diagonal);
    sfi_free(ctx, s->penalty, n, sizeof *s->penalty);
    sfi_free(ctx, s->estimate, n, sizeof *s->estimate);
    sfi_free(ctx, s->slope, n, sizeof *s->slope);
    sfi_free(ctx, s->active, n, sizeof *s->active);
    sfi_free(ctx, s->work, 5 * n, sizeof *s->work);
    sfi_free(ctx, s->local, (size_t)s->block_most + 1, sizeof *s->local);
    sfi_free(ctx, s->first, blocks + 1, sizeof *s->first);
    sfi_free(ctx, s->block, blocks + 1, sizeof *s->block);
}

/* t_k moves by `step`; the slope follows. */
static void move(sfi_sparse *s, int64_t k, double step)
{
    s->estimate[k] += step;
    s->slope[k] += step * (s->multiplier - 1.0) * s->diagonal[k];
    for (int64_t u = s->uses[k]; u < s->uses[k + 1]; u++) {
        const int64_t j = s->block_at[u], size = size_of(s, j);
        const int64_t *index = s->index + s->first[j];
        const double *row = s->block[j] + (s->place[u] - s->first[j]) * size;
        for (int64_t a = 0; a < size; a++)
            s->slope[index[a]] += step * row[a];
    }
}

static void add_row(double *restrict sum, const double *restrict row, double t,
                    int64_t size)
{
    for (int64_t b = 0; b < size; b++)
        sum[b] += t * row[b];
}

/* out = (H + (multiplier - 1) diag H) v. */
static void apply(sfi_sparse *s, const double *v, double *out)
{
    double *sum = s->local;
    for (int64_t k = 0; k < s->numbers; k++)
        out[k] = (s->multiplier - 1.0) * s->diagonal[k] * v[k];
    for (int64_t j = 0; j < s->blocks; j++) {
        const int64_t size = size_of(s, j);
        const int64_t *index = s->index + s->first[j];
        memset(sum, 0, (size_t)size * sizeof *sum);
        for (int64_t a = 0; a < size; a++)
            if (v[index[a]] != 0.0)
                add_row(sum, s->block[j] + a * size, v[index[a]], size);
        for (int64_t b = 0; b < size; b++)
            out[index[b]] += sum[b];
    }
}

void sfi_sparse_slope(sfi_sparse *s)
{
    apply(s, s->estimate, s->slope);
    for (int64_t k = 0; k < s->numbers; k++)
        s->slope[k] += s->b[k];
}

/* The minimum along number k; returns by how much its slope changed. */
static double update(sfi_sparse *s, int64_t k, double lambda)
{
    const double h = s->multiplier * s->diagonal[k], old = s->estimate[k];
    if (!(h > 0.0))
        return 0.0; /* nothing depends on it */
    const double least = s->penalty[k] ? lambda : 0.0;
    const double at = h * old - s->slope[k];
    const double to = at > least    ? (at - least) / h
                      : at < -least ? (at + least) / h
                                    : 0.0;
    if (to == old)
        return 0.0;
    move(s, k, to - old);
    s->estimate[k] = to; /* so that 0 is 0 */
    return h * fabs(to - old);
}

/* Q + lambda sum |t_p|, the slope being that of t. */
static double penalised_value(const sfi_sparse *s, double lambda)
{
    double value = 0.0;
    for (int64_t k = 0; k < s->numbers; k++) {
        const double t = s->estimate[k];
        if (t != 0.0)
            value += 0.5 * t * (s->b[k] + s->slope[k]) +
                     (s->penalty[k] ? lambda * fabs(t) : 0.0);
    }
    return value;
}

/* From t to the minimum over the active numbers where they have the signs that they
 * have now: `step`, by conjugate gradients, 0 elsewhere. */
static void conjugate(sfi_sparse *s, double lambda, int64_t count, double goal,
                      double *step)
{
    const int64_t n = s->numbers;
    double *r = step + n, *p = r + n, *hp = p + n, rz = 0.0, begun = 0.0;
    memset(step, 0, (size_t)(3 * n) * sizeof *step);
    for (int64_t i = 0; i < count; i++) {
        const int64_t k = s->active[i];
        const double sign = s->estimate[k] > 0.0 ? lambda : -lambda;
        r[k] = -s->slope[k] - (s->penalty[k] ? sign : 0.0);
        p[k] = r[k] / (s->multiplier * s->diagonal[k]);
        rz += r[k] * p[k];
        begun = fmax(begun, fabs(r[k]));
    }
    for (int64_t it = 0; it < MOST_CONJUGATE && rz > 0.0; it++) {
        double curvature = 0.0, now = 0.0, most = 0.0;
        apply(s, p, hp);
        for (int64_t i = 0; i < count; i++)
            curvature += p[s->active[i]] * hp[s->active[i]];
        if (!(curvature > 0.0))
            return;
        const double by = rz / curvature;
        for (int64_t i = 0; i < count; i++) {
            const int64_t k = s->active[i];
            step[k] += by * p[k];
            r[k] -= by * hp[k];
            most = fmax(most, fabs(r[k]));
            now += r[k] * r[k] / (s->multiplier * s->diagonal[k]);
        }
        if (most <= fmax(goal, less * begun))
            return;
        for (int64_t i = 0; i < count; i++) {
            const int64_t k = s->active[i];
            p[k] = r[k] / (s->multiplier * s->diagonal[k]) + now / rz * p[k];
        }
        rz = now;
    }
}

/* Take the step with those numbers that would change their sign at 0, if that is
 * lower; else as far as the first of them is 0. */
static void take_step(sfi_sparse *s, double lambda, int64_t count,
                      const double *step, double *before)
{
    const double value = penalised_value(s, lambda);
    double far = 1.0;
    int64_t first = -1;
    memcpy(before, s->estimate, (size_t)s->numbers * sizeof *before);
    for (int64_t i = 0; i < count; i++) {
        const int64_t k = s->active[i];
        const double to = before[k] + step[k];
        const bool crosses = s->penalty[k] && to * before[k] < 0.0;
        s->estimate[k] = crosses ? 0.0 : to;
        if (crosses && -before[k] / step[k] < far) {
            far = -before[k] / step[k];
            first = k;
        }
    }
    sfi_sparse_slope(s);
    if (first < 0 || penalised_value(s, lambda) < value)
        return;
    for (int64_t k = 0; k < s->numbers; k++)
        s->estimate[k] = k == first ? 0.0 : before[k] + far * step[k];
    sfi_sparse_slope(s);
}

/* The numbers that are not 0, and those without penalty. */
static int64_t find_active(sfi_sparse *s)
{
    int64_t count = 0;
    for (int64_t k = 0; k < s->numbers; k++)
        if (s->diagonal[k] > 0.0 && (s->estimate[k] != 0.0 || !s->penalty[k]))
            s->active[count++] = k;
    return count;
}

bool sfi_sparse_descend(sfi_sparse *s, double lambda, double tolerance)
{
    for (int sweep = 0; sweep < MOST_SWEEPS; sweep++) {
        double worst = 0.0;
        for (int64_t k = 0; k < s->numbers; k++)
            worst = fmax(worst, update(s, k, lambda));
        if (worst <= tolerance)
            return true;
        if (!isfinite(worst))
            return false;
        int64_t count = find_active(s);
        for (int inner = 0; inner < INNER_SWEEPS; inner++)
            for (int64_t i = 0; i < count; i++)
                update(s, s->active[i], lambda);
        count = find_active(s);
        conjugate(s, lambda, count, 0.1 * tolerance, s->work);
        take_step(s, lambda, count, s->work, s->work + 4 * s->numbers);
    }
    return false;
}

double sfi_sparse_violation(const sfi_sparse *s, double lambda)
{
    double worst = 0.0;
    for (int64_t k = 0; k < s->numbers; k++) {
        const double t = s->estimate[k], least = s->penalty[k] ? lambda : 0.0;
        const double off = t > 0.0   ? fabs(s->slope[k] + least)
                           : t < 0.0 ? fabs(s->slope[k] - least)
                                     : fabs(s->slope[k]) - least;
        worst = fmax(worst, off);
    }
    return worst;
}

double sfi_sparse_value(const sfi_sparse *s)
{
    double value = 0.0;
    for (int64_t k = 0; k < s->numbers; k++) {
        const double t = s->estimate[k];
        value += 0.5 * t *
                 (s->b[k] + s->slope[k] -
                  (s->multiplier - 1.0) * s->diagonal[k] * t);
    }
    return value;
}

sf_status sfi_sparse_refit(const sfi_sparse *s, int64_t count,
                           const int64_t *support, double *estimate,
                           double *value)
{
    const size_t n = (size_t)s->numbers, cells = (size_t)(count * count) + 1;
    double *h = sfi_alloc_zero(s->ctx, cells, sizeof *h);
    double *t = sfi_alloc(s->ctx, (size_t)count + 1, sizeof *t);
    int64_t *at = sfi_alloc(s->ctx, n, sizeof *at);
    sf_status status =
        h != NULL && t != NULL && at != NULL ? SF_OK : SF_E_NOMEM;
    *value = count == 0 ? 0.0 : NAN;
    if (status == SF_OK && count > 0) {
        for (int64_t k = 0; k < s->numbers; k++)
            at[k] = -1;
        for (int64_t k = 0; k < count; k++) {
            at[support[k]] = k;
            t[k] = -s->b[support[k]];
        }
        for (int64_t j = 0; j < s->blocks; j++) {
            const int64_t size = size_of(s, j);
            const int64_t *index = s->index + s->first[j];
            for (int64_t a = 0; a < size; a++)
                for (int64_t b = 0; b < size && at[index[a]] >= 0; b++)
                    if (at[index[b]] >= 0)
                        h[at[index[a]] * count + at[index[b]]] +=
                            s->block[j][a * size + b];
        }
        status = sfi_cholesky(s->ctx, h, h, count, "objective's Hessian", NULL);
        bool apart = status == SF_OK;
        for (int64_t k = 0; k < count && apart; k++)
            apart = h[k * count + k] * h[k * count + k] >
                    flat * s->diagonal[support[k]];
        if (apart) {
            sfi_cholesky_solve(h, count, (sf_mat){t, 1, count, count});
            *value = 0.0;
        }
        status = status == SF_E_NUMERIC ? SF_OK : status;
    }
    if (status == SF_OK && !isnan(*value)) {
        memset(estimate, 0, n * sizeof *estimate);
        for (int64_t k = 0; k < count; k++) {
            estimate[support[k]] = t[k];
            *value += 0.5 * t[k] * s->b[support[k]];
        }
    }
    sfi_free(s->ctx, at, n, sizeof *at);
    sfi_free(s->ctx, t, (size_t)count + 1, sizeof *t);
    sfi_free(s->ctx, h, cells, sizeof *h);
    return status;
}
