/* SPDX-License-Identifier: Apache-2.0 */
/* split.c - with U = S_mo L'^-1, row by row by substitution, B = U L^-1 and
 * V = S_mm - U U', so that V has no difference of large inverses in it. */
#include "num/split.h"

#include <float.h>
#include <math.h>
#include <string.h>

sf_status sfi_split_new(sf_context *ctx, sfi_split *s, int64_t dim)
{
    const size_t d = (size_t)dim;
    *s = (sfi_split){.dim = dim};
    s->index = sfi_alloc(ctx, d, sizeof *s->index);
    s->root = sfi_alloc(ctx, d * d, sizeof *s->root);
    s->slope = sfi_alloc(ctx, d * d, sizeof *s->slope);
    s->rest = sfi_alloc(ctx, d * d, sizeof *s->rest);
    if (s->index != NULL && s->root != NULL && s->slope != NULL &&
        s->rest != NULL)
        return SF_OK;
    sfi_split_free(ctx, s);
    return SF_E_NOMEM;
}

void sfi_split_free(sf_context *ctx, sfi_split *s)
{
    const size_t d = (size_t)s->dim;
    sfi_free(ctx, s->rest, d * d, sizeof *s->rest);
    sfi_free(ctx, s->slope, d * d, sizeof *s->slope);
    sfi_free(ctx, s->root, d * d, sizeof *s->root);
    sfi_free(ctx, s->index, d, sizeof *s->index);
    *s = (sfi_split){0};
}

bool sfi_root(double *l, int64_t n)
{
    const double least = (double)n * DBL_EPSILON;
    for (int64_t i = 0; i < n; i++) {
        double *row = l + i * n;
        const double diagonal = row[i];
        double pivot = diagonal;
        for (int64_t j = 0; j < i; j++) {
            const double *other = l + j * n;
            double sum = row[j];
            for (int64_t p = 0; p < j; p++)
                sum -= row[p] * other[p];
            row[j] = sum / other[j];
            pivot -= row[j] * row[j];
        }
        if (!(pivot > least * diagonal) || !isfinite(pivot))
            return false;
        row[i] = sqrt(pivot);
        for (int64_t j = i + 1; j < n; j++)
            row[j] = 0.0;
    }
    return true;
}

/* row [o] becomes row L'^-1. */
static void forward(const double *l, int64_t o, double *row)
{
    for (int64_t j = 0; j < o; j++) {
        double sum = row[j];
        for (int64_t p = 0; p < j; p++)
            sum -= l[j * o + p] * row[p];
        row[j] = sum / l[j * o + j];
    }
}

/* row [o] becomes row L^-1. */
static void backward(const double *l, int64_t o, double *row)
{
    for (int64_t j = o - 1; j >= 0; j--) {
        double sum = row[j];
        for (int64_t p = j + 1; p < o; p++)
            sum -= l[p * o + j] * row[p];
        row[j] = sum / l[j * o + j];
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
            const double *other = s->slope + k * o;
            double sum = c[others[i] * d + others[k]];
            for (int64_t j = 0; j < o; j++)
                sum -= row[j] * other[j];
            s->rest[i * m + k] = s->rest[k * m + i] = sum;
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
