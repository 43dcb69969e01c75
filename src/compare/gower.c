/* SPDX-License-Identifier: Apache-2.0 */
/* gower.c - cells lie by columns, so that a row meets a block of rows one column at
 * a time, in loops without branches: what kind a column is and whether the row's own
 * cell is missing is decided outside.  A block of distances stays in the first
 * cache while the columns pass, and cells of a block in the second while the rows of a
 * range do.  A sum runs over the columns in their order: the bits depend on nothing
 * else. */
#include "compare/gower.h"

#include "base/parallel.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 512, QUERIES = 16 };

sf_status sfi_gower_new(sf_context *ctx, sfi_gower *out, const sfi_mixed *m,
                        int k)
{
    memset(out, 0, sizeof *out);
    out->cols = m->cols;
    out->rows = out->stride = m->rows[k];
    const size_t cells = (size_t)(out->cols * out->rows);
    out->cells = sfi_alloc(ctx, cells, sizeof *out->cells);
    out->kind = sfi_alloc(ctx, (size_t)out->cols, sizeof *out->kind);
    out->unit = sfi_alloc(ctx, (size_t)out->cols, sizeof *out->unit);
    if (out->cells == NULL || out->kind == NULL || out->unit == NULL) {
        sfi_gower_free(ctx, out);
        return SF_E_NOMEM;
    }
    for (int64_t j = 0; j < m->cols; j++) {
        const sfi_mixed_column *c = &m->column[j];
        const double *x = sfi_mixed_cells(m, k, j);
        double *to = out->cells + j * out->stride;
        const bool circle = c->compared == SF_COMPARED_CIRCLE;
        const bool number =
            c->compared == SF_COMPARED_NUMBER && c->high > c->low;
        out->kind[j] = circle   ? SFI_GOWER_CIRCLE
                       : number ? SFI_GOWER_NUMBER
                                : SFI_GOWER_LEVEL;
        out->unit[j] = circle   ? 0.5 * c->period
                       : number ? c->high - c->low
                                : 1.0;
        for (int64_t i = 0; i < out->rows; i++)
            to[i] =
                number ? (x[i] - c->low) / out->unit[j] : x[i] / out->unit[j];
    }
    return SF_OK;
}

void sfi_gower_free(sf_context *ctx, sfi_gower *g)
{
    sfi_free(ctx, g->unit, (size_t)g->cols, sizeof *g->unit);
    sfi_free(ctx, g->kind, (size_t)g->cols, sizeof *g->kind);
    sfi_free(ctx, g->cells, (size_t)(g->cols * g->stride), sizeof *g->cells);
    memset(g, 0, sizeof *g);
}

sfi_gower sfi_gower_some(const sfi_gower *g, int64_t first, int64_t count)
{
    sfi_gower view = *g;
    view.cells += first;
    view.rows = count;
    return view;
}

/* ---- one row and a block of rows ------------------------------------------ */

/* A difference that is no number has a missing cell on the other side. */
static void add_numbers(double *out, double x, const double *y, int64_t count)
{
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
        const double gap = fabs(y[i] - x);
        out[i] = gap == gap ? gap : 1.0;
    }
}

static void add_circles(double *out, double x, const double *y, int64_t count)
{
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
        const double gap = fabs(y[i] - x);
        const double arc = gap < 1.0 ? gap : 2.0 - gap;
        out[i] = gap == gap ? arc : 1.0;
    }
}

static void add_levels(double *out, double x, const double *y, int64_t count)
{
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        out[i] = y[i] == x ? 0.0 : 1.0;
}

static void add_to_missing(double *out, const double *y, int64_t count)
{
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        out[i] = y[i] == y[i] ? 1.0 : 0.0;
}

void sfi_gower_column(double *out, const sfi_gower *a, int64_t row,
                      const sfi_gower *b, int64_t first, int64_t count,
                      int64_t j)
{
    const double x = a->cells[j * a->stride + row];
    const double *y = b->cells + j * b->stride + first;
    if (isnan(x))
        add_to_missing(out, y, count);
    else if (a->kind[j] == SFI_GOWER_NUMBER)
        add_numbers(out, x, y, count);
    else if (a->kind[j] == SFI_GOWER_CIRCLE)
        add_circles(out, x, y, count);
    else
        add_levels(out, x, y, count);
}

void sfi_gower_distances(double *out, double *scratch, const sfi_gower *a,
                         int64_t row, const sfi_gower *b, int64_t first,
                         int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        out[i] = 0.0;
    for (int64_t j = 0; j < a->cols; j++) {
        sfi_gower_column(scratch, a, row, b, first, count, j);
        for (int64_t i = 0; i < count; i++)
            out[i] += scratch[i];
    }
}

/* ---- neighbours ----------------------------------------------------------- */

struct row_search {
    const sfi_gower *a, *b;
    double *nearest, *second;
};

static void look(const struct row_search *s, int64_t row, int64_t first,
                 int64_t count, double best[2])
{
    double distance[BLOCK], scratch[BLOCK];
    sfi_gower_distances(distance, scratch, s->a, row, s->b, first, count);
    if (s->a->cells == s->b->cells && row >= first && row < first + count)
        distance[row - first] = INFINITY;
    for (int64_t i = 0; i < count; i++) {
        if (distance[i] >= best[1])
            continue;
        best[1] = distance[i] < best[0] ? best[0] : distance[i];
        best[0] = distance[i] < best[0] ? distance[i] : best[0];
    }
}

static void look_for_some(void *user, int64_t part, int64_t first,
                          int64_t count)
{
    const struct row_search *s = user;
    double best[QUERIES][2];
    (void)part;
    for (int64_t q = 0; q < count; q++)
        best[q][0] = best[q][1] = INFINITY;
    for (int64_t at = 0; at < s->b->rows; at += BLOCK) {
        const int64_t here = s->b->rows - at < BLOCK ? s->b->rows - at : BLOCK;
        for (int64_t q = 0; q < count; q++)
            look(s, first + q, at, here, best[q]);
    }
    for (int64_t q = 0; q < count; q++) {
        s->nearest[first + q] = best[q][0];
        if (s->second != NULL)
            s->second[first + q] = best[q][1];
    }
}

void sfi_gower_nearest(sf_context *ctx, double *nearest, double *second,
                       const sfi_gower *a, int64_t count, const sfi_gower *b)
{
    struct row_search s = {a, b, nearest, second};
    sfi_parallel(ctx, count, QUERIES, look_for_some, &s);
}
