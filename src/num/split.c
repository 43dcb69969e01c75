/* SPDX-License-Identifier: Apache-2.0 */
/* split.c - with U = S_mo L'^-1, row by row by substitution, B = U L^-1 and
 * V = S_mm - U U', so that V has no difference of large inverses in it. */
#include "num/split.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* One block: three matrices, then the numbers of the columns. */
static size_t block_size(int64_t dim)
{
    const size_t d = (size_t)dim;
    return 3 * d * d * sizeof(double) + d * sizeof(int64_t);
}

sf_status sfi_split_new(sf_context *ctx, sfi_split *s, int64_t dim)
{
    const size_t d = (size_t)dim;
    *s = (sfi_split){.dim = dim};
    double *block = sfi_alloc(ctx, block_size(dim), 1);
    if (block == NULL)
        return SF_E_NOMEM;
    s->root = block;
    s->slope = block + d * d;
    s->rest = block + 2 * d * d;
    s->index = (int64_t *)(void *)(block + 3 * d * d);
    return SF_OK;
}

void sfi_split_free(sf_context *ctx, sfi_split *s)
{
    sfi_free(ctx, s->root, block_size(s->dim), 1);
    *s = (sfi_split){0};
}

static double dot(const double *a, const double *b, int64_t n)
{
    double sum = 0.0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Row i of L from those before it, and its pivot. */
static double reduce(double *l, int64_t n, int64_t i)
{
    double *row = l + i * n, pivot = row[i];
    for (int64_t j = 0; j < i; j++) {
        const double *other = l + j * n;
        row[j] = (row[j] - dot(row, other, j)) / other[j];
        pivot -= row[j] * row[j];
    }
    for (int64_t j = i + 1; j < n; j++)
        row[j] = 0.0;
    return pivot;
}

bool sfi_root(double *l, int64_t n)
{
    const double least = (double)n * DBL_EPSILON;
    for (int64_t i = 0; i < n; i++) {
        const double diagonal = l[i * n + i], pivot = reduce(l, n, i);
        if (!(pivot > least * diagonal) || !isfinite(pivot))
            return false;
        l[i * n + i] = sqrt(pivot);
    }
    return true;
}

void sfi_root_semidefinite(double *l, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const double diagonal = l[i * n + i], pivot = reduce(l, n, i);
        l[i * n + i] = sqrt(fmax(pivot, 1e-26 * diagonal));
    }
}

/* row [o] becomes row L'^-1. */
static void forward(const double *l, int64_t o, double *row)
{
    for (int64_t j = 0; j < o; j++)
        row[j] = (row[j] - dot(l + j * o, row, j)) / l[j * o + j];
}

/* row [o] becomes row L^-1. */
static void backward(const double *l, int64_t o, double *row)
{
    for (int64_t j = o - 1; j >= 0; j--) {
        const double *line = l + j * o;
        row[j] /= line[j];
        const double last = row[j];
        for (int64_t p = 0; p < j; p++)
            row[p] -= last * line[p];
    }
}

static void sort_columns(sfi_split *s, const unsigned char *present)
{
    int64_t at = 0;
    for (int64_t j = 0; j < s->dim; j++)
        if (present[j])
            s->index[at++] = j;
    s->given = at;
    for (int64_t j = 0; j < s->dim; j++)
        if (!present[j])
            s->index[at++] = j;
}

bool sfi_split_set(sfi_split *s, const double *c, const unsigned char *present)
{
    sort_columns(s, present);
    const int64_t d = s->dim, o = s->given, m = d - o;
    const int64_t *given = s->index, *others = s->index + o;
    for (int64_t i = 0; i < o; i++)
        for (int64_t j = 0; j <= i; j++)
            s->root[i * o + j] = c[given[i] * d + given[j]];
    if (!sfi_root(s->root, o))
        return false;
    s->log_det = 0.0;
    for (int64_t i = 0; i < o; i++)
        s->log_det += 2.0 * log(s->root[i * o + i]);
    for (int64_t i = 0; i < m; i++) {
        double *row = s->slope + i * o;
        for (int64_t j = 0; j < o; j++)
            row[j] = c[others[i] * d + given[j]];
        forward(s->root, o, row);
        for (int64_t k = 0; k <= i; k++) {
            const double product = dot(row, s->slope + k * o, o);
            s->rest[i * m + k] = s->rest[k * m + i] =
                c[others[i] * d + others[k]] - product;
        }
    }
    for (int64_t i = 0; i < m; i++)
        backward(s->root, o, s->slope + i * o);
    return true;
}

void sfi_split_whiten(const sfi_split *s, const double *mean,
                      const double *columns, int64_t stride, int64_t count,
                      double *z, double *squares)
{
    const int64_t o = s->given;
    memset(squares, 0, (size_t)count * sizeof *squares);
    for (int64_t j = 0; j < o; j++) {
        const double *x = columns + s->index[j] * stride;
        const double *l = s->root + j * o;
        const double off = mean != NULL ? mean[s->index[j]] : 0.0;
        double *to = z + j * count;
        for (int64_t i = 0; i < count; i++)
            to[i] = x[i] - off;
        for (int64_t p = 0; p < j; p++) {
            const double a = l[p], *from = z + p * count;
            for (int64_t i = 0; i < count; i++)
                to[i] -= a * from[i];
        }
        const double scale = 1.0 / l[j];
        for (int64_t i = 0; i < count; i++) {
            to[i] *= scale;
            squares[i] += to[i] * to[i];
        }
    }
}
