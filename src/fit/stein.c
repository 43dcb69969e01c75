/* SPDX-License-Identifier: Apache-2.0 */
/* stein.c - do rows have a density?  The kernelised Stein discrepancy, and its law by a
 * bootstrap.
 *
 * The matrix u_ij of all pairs is computed once; the discrepancy is a'u a with all
 * weights a_i = 1/n, and each draw of the bootstrap is the same form with the weights
 * of a multinomial draw less their mean.  So the time of a draw is that of one pass
 * over the matrix, and rows beyond some hundreds are drawn by chance. */
#include "fit/stein.h"

#include "base/random.h"
#include "model/model.h"
#include "num/linalg.h"
#include "num/loops.h"
#include "num/sort.h"
#include "scorefield/matching.h"

#include <math.h>
#include <string.h>

/* With r = y - z and q = 1 + r.r/l^2: k = q^(-1/2), dk/dy = -r/l^2 q^(-3/2) = -dk/dz,
 * tr d2k/dydz = dim/l^2 q^(-3/2) - 3 r.r/l^4 q^(-5/2). */
double sfi_stein_kernel(const double *y, const double *s, const double *z,
                        const double *t, int64_t dim, double length)
{
    double squares = 0.0, product = 0.0, along = 0.0;
    for (int64_t j = 0; j < dim; j++) {
        const double r = y[j] - z[j];
        squares += r * r;
        product += s[j] * t[j];
        along += (s[j] - t[j]) * r;
    }
    const double q = 1.0 + squares / length;
    const double k = 1.0 / sqrt(q), k3 = k / q, k5 = k3 / q;
    return product * k + (along + (double)dim) * k3 / length -
           3.0 * squares / (length * length) * k5;
}

typedef struct stein_test {
    sf_context *ctx;
    const sf_stein_options *o;
    int64_t rows, dim;
    int64_t *index;  /* [n] of all rows           */
    double *y, *s;   /* [rows, dim] points, scores */
    double *u;       /* [rows, rows]              */
    double *weights; /* [rows]                    */
} stein_test;

/* ---- points ------------------------------------------------------------------------ */

/* Each number over its standard deviation; its score likewise. */
static sf_status standardise(stein_test *w)
{
    const int64_t n = w->rows, d = w->dim;
    for (int64_t j = 0; j < d; j++) {
        double mean = 0.0, squares = 0.0;
        for (int64_t i = 0; i < n; i++)
            mean += w->y[i * d + j] / (double)n;
        for (int64_t i = 0; i < n; i++) {
            const double gap = w->y[i * d + j] - mean;
            squares += gap * gap / (double)n;
        }
        const double sd = sqrt(squares);
        if (!(sd > 0.0) || !isfinite(sd))
            return SFI_FAIL(w->ctx, SF_E_NUMERIC,
                            "stein: number %lld of the rows is constant, or "
                            "too large",
                            (long long)j);
        for (int64_t i = 0; i < n; i++) {
            w->y[i * d + j] = (w->y[i * d + j] - mean) / sd;
            w->s[i * d + j] *= sd;
        }
    }
    return SF_OK;
}

static sf_status take_scores(stein_test *w, const sf_model *model)
{
    sf_evaluator *owner = NULL;
    sf_functional f;
    SFI_TRY(sf_model_functional(w->ctx, &owner, &f, model, 0.0));
    const sf_status status =
        f.gradient(w->ctx, f.user, NULL, w->s, w->y, w->rows);
    sf_evaluator_free(owner);
    return status;
}

static sf_status take_points(stein_test *w, const sf_model *model, sf_cmat x)
{
    const int64_t dim = x.cols, d = w->dim;
    SFI_TRY(sfi_check_support(model, x, "stein"));
    sfi_shuffle(w->o->seed, 0, w->index, x.rows);
    for (int64_t i = 0; i < w->rows; i++) {
        const sf_cmat row = {x.data + w->index[i] * x.stride, 1, dim, dim};
        SFI_TRY(
            sf_model_to_unknowns(model, row, (sf_mat){w->y + i * d, 1, d, d}));
    }
    SFI_TRY(take_scores(w, model));
    const int64_t bad = sfi_first_not_finite(w->s, w->rows * d);
    if (bad < w->rows * d)
        return SFI_FAIL(w->ctx, SF_E_NUMERIC,
                        "stein: the score of row %lld is not finite",
                        (long long)w->index[bad / d] + 1);
    for (int64_t i = 0; i < w->rows * d; i++)
        w->s[i] = -w->s[i];
    return standardise(w);
}

/* The median of the squared distances. */
static double median_square(stein_test *w)
{
    const int64_t n = w->rows, d = w->dim;
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++) {
            double squares = 0.0;
            for (int64_t k = 0; k < d; k++) {
                const double r = w->y[i * d + k] - w->y[j * d + k];
                squares += r * r;
            }
            w->u[count++] = squares;
        }
    sfi_sort(w->u, w->u + count, count);
    return w->u[count / 2];
}

/* ---- the discrepancy --------------------------------------------------------------- */

/* Sum over pairs of different rows of a_i u_ij a_j. */
static double quadratic_form(const stein_test *w, const double *a)
{
    const sfi_loops *loops = sfi_loops_for(SF_F64);
    double sum = 0.0;
    for (int64_t i = 0; i < w->rows; i++)
        sum += a[i] * loops->dot(w->u + i * w->rows, a, w->rows);
    return sum;
}

/* Weights of a multinomial draw, less their mean. */
static void draw_weights(stein_test *w, int64_t draw)
{
    const double each = 1.0 / (double)w->rows;
    const sfi_where where = {w->o->seed, (uint64_t)draw, 0, SFI_STREAM_PROBE};
    for (int64_t i = 0; i < w->rows; i++)
        w->weights[i] = -each;
    for (int64_t i = 0; i < w->rows; i++) {
        const double u = sfi_uniform_at(where, (uint32_t)i);
        w->weights[(int64_t)(u * (double)w->rows)] += each;
    }
}

static sf_status test(stein_test *w, const sf_model *model, sf_cmat x,
                      sf_stein *out)
{
    const int64_t n = w->rows, d = w->dim;
    SFI_TRY(take_points(w, model, x));
    const double square = median_square(w);
    const double length = square > 0.0 ? square : 1.0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++)
            w->u[i * n + j] = w->u[j * n + i] =
                i == j
                    ? 0.0
                    : sfi_stein_kernel(w->y + i * d, w->s + i * d, w->y + j * d,
                                       w->s + j * d, d, length);
    for (int64_t i = 0; i < n; i++)
        w->weights[i] = 1.0 / (double)n;
    const double found = quadratic_form(w, w->weights);
    int64_t larger = 0;
    for (int64_t k = 0; k < w->o->draws; k++) {
        draw_weights(w, k);
        larger += quadratic_form(w, w->weights) >= found;
    }
    out->rows = n;
    out->discrepancy = found * (double)n / (double)(n - 1);
    out->p = (double)(larger + 1) / (double)(w->o->draws + 1);
    return SF_OK;
}

sf_status sf_stein_test(sf_context *ctx, const sf_model *model, sf_cmat x,
                        const sf_stein_options *options, sf_stein *out)
{
    sf_stein_options o = SF_STEIN_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, options));
    SFI_TRY(sfi_check_table(ctx, x, true, "stein: x"));
    if (x.cols != sf_model_dim(model))
        return SFI_FAIL(ctx, SF_E_SHAPE, "stein: x has %lld columns, want %lld",
                        (long long)x.cols, (long long)sf_model_dim(model));
    if (o.rows < 4 || o.rows > 1 << 15 || o.draws < 1 || o.draws > 1 << 24)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "stein: rows is %lld, want 4 to 2^15, and draws %lld, "
                        "want 1 to 2^24",
                        (long long)o.rows, (long long)o.draws);
    if (x.rows < 4)
        return SFI_FAIL(ctx, SF_E_ARG, "stein: %lld rows, want at least 4",
                        (long long)x.rows);
    stein_test w = {.ctx = ctx, .o = &o, .dim = sf_model_unknowns(model)};
    w.rows = x.rows < o.rows ? x.rows : o.rows;
    const size_t n = (size_t)w.rows, cells = n * (size_t)w.dim;
    w.index = sfi_alloc(ctx, (size_t)x.rows, sizeof *w.index);
    w.y = sfi_alloc(ctx, cells, sizeof *w.y);
    w.s = sfi_alloc(ctx, cells, sizeof *w.s);
    w.u = sfi_alloc(ctx, n * n, sizeof *w.u);
    w.weights = sfi_alloc(ctx, n, sizeof *w.weights);
    sf_status status = SF_E_NOMEM;
    if (w.index != NULL && w.y != NULL && w.s != NULL && w.u != NULL &&
        w.weights != NULL) {
        for (int64_t i = 0; i < x.rows; i++)
            w.index[i] = i;
        status = test(&w, model, x, out);
    }
    sfi_free(ctx, w.weights, n, sizeof *w.weights);
    sfi_free(ctx, w.u, n * n, sizeof *w.u);
    sfi_free(ctx, w.s, cells, sizeof *w.s);
    sfi_free(ctx, w.y, cells, sizeof *w.y);
    sfi_free(ctx, w.index, (size_t)x.rows, sizeof *w.index);
    return status;
}
