/* SPDX-License-Identifier: Apache-2.0 */
/* eval.c - sf_model_eval(): a model's answers in the data's own units.
 *
 * With Gaussian noise of levels sigma, x = mean + scale y and
 *
 *     score_x = score_y/scale,  d score_x_i/dx_j = (d score_y_i/dy_j)/(scale_i
 *     scale_j),  dx/dt = scale sigma' drift;
 *
 * with kernels outer.h says how. */
#include "model/model.h"

#include "model/outer.h"
#include "num/linalg.h"

/* Members of sf_model_values, in the order of the wants. */
enum { SCORE, VELOCITY, DENOISED, JACOBIAN, DIVERGENCE, VALUES };

/* Points of a chunk, at most, and numbers of one of its arrays, nearly. */
enum { MOST_ROWS = 4096, MOST_CELLS = 1 << 22 };

static int64_t columns_of(int member, int64_t dim)
{
    return member == JACOBIAN ? dim * dim : member == DIVERGENCE ? 1 : dim;
}

/* In inner coordinates; denoised means are not in those. */
static int64_t inner_columns(const sf_model *m, int member)
{
    return columns_of(member, member == DENOISED ? m->dim : m->inner);
}

static sf_status check(const sf_model *m, sf_cmat x, double time,
                       const sf_mat *const *members)
{
    if (!(time >= 0.0 && time <= 1.0))
        return SFI_FAIL(m->ctx, SF_E_ARG, "eval: time is %g, want 0 to 1",
                        time);
    SFI_TRY(sfi_check_table(m->ctx, x, true, "eval: x"));
    if (x.cols != m->dim)
        return SFI_FAIL(m->ctx, SF_E_SHAPE,
                        "eval: points have %lld columns, the model has %lld",
                        (long long)x.cols, (long long)m->dim);
    for (int k = 0; k < VALUES; k++) {
        const sf_mat *v = members[k];
        if (v->data != NULL &&
            (v->rows != x.rows || v->cols != columns_of(k, m->dim) ||
             v->stride < columns_of(k, m->dim)))
            return SFI_FAIL(
                m->ctx, SF_E_SHAPE,
                "eval: result %d is [%lld, %lld], want [%lld, %lld]", k,
                (long long)v->rows, (long long)v->cols, (long long)x.rows,
                (long long)columns_of(k, m->dim));
    }
    return SF_OK;
}

/* What is computed of a chunk, in inner coordinates, and in the data's units. */
typedef struct chunk {
    int64_t rows;
    unsigned wants;
    double *y;              /* [rows, inner] */
    double *values[VALUES]; /* [rows, inner columns], NULL: not computed */
    double *spare;          /* [rows, columns], or NULL: what is computed for
                               others' sake, and not wanted */
    sfi_outer *outer;       /* of a model with kernels */
} chunk;

/* What must be computed for members that are wanted: a chart mixes the score
 * into the Jacobian, and the velocity into its divergence. */
static unsigned computed(const sf_model *m, const sf_mat *const *members)
{
    unsigned wants = 0;
    for (int k = 0; k < VALUES; k++)
        if (members[k]->data != NULL)
            wants |= 1u << k;
    if (sfi_has_kernels(m) && members[JACOBIAN]->data != NULL)
        wants |= SFI_WANT_SCORE;
    if (sfi_has_kernels(m) && members[DIVERGENCE]->data != NULL)
        wants |= SFI_WANT_DRIFT;
    return wants;
}

/* A member of row i in the data's units, without kernels. */
static void convert(const sf_model *m, const chunk *c, int member,
                    double level_slope, int64_t i, double *row)
{
    const int64_t d = m->dim;
    const double *from = c->values[member] + i * columns_of(member, d);
    switch (member) {
    case SCORE:
        for (int64_t j = 0; j < d; j++)
            row[j] = from[j] / m->scale[j];
        return;
    case VELOCITY:
        for (int64_t j = 0; j < d; j++)
            row[j] = from[j] * level_slope * m->scale[j];
        return;
    case DENOISED:
        for (int64_t j = 0; j < d; j++)
            row[j] = m->mean[j] + m->scale[j] * from[j];
        return;
    case JACOBIAN:
        for (int64_t j = 0; j < d; j++)
            for (int64_t k = 0; k < d; k++)
                row[j * d + k] = from[j * d + k] / m->scale[j] / m->scale[k];
        return;
    default:
        row[0] = from[0] * level_slope;
    }
}

/* Rows of a chunk, from `at` on, to the members. */
static sf_status convert_all(const sf_model *m, const chunk *c, sf_cmat part,
                             double level_slope, int64_t at,
                             const sf_mat *const *members)
{
    sf_mat to[VALUES];
    for (int k = 0; k < VALUES; k++) {
        const int64_t columns = columns_of(k, m->dim);
        to[k] = members[k]->data != NULL
                    ? (sf_mat){members[k]->data + at * members[k]->stride,
                               part.rows, columns, members[k]->stride}
                    : (sf_mat){c->spare, part.rows, columns, columns};
    }
    if (c->outer != NULL)
        return sfi_outer_run(c->outer, part.rows, part, c->y,
                             (const double *const *)c->values, to);
    for (int k = 0; k < VALUES; k++)
        for (int64_t i = 0; i < part.rows && c->values[k] != NULL; i++)
            convert(m, c, k, level_slope, i, to[k].data + i * to[k].stride);
    return SF_OK;
}

static int64_t first_bad(const sf_model *m, const sf_mat *const *members,
                         int64_t rows)
{
    for (int64_t i = 0; i < rows; i++)
        for (int k = 0; k < VALUES; k++) {
            const int64_t columns = columns_of(k, m->dim);
            if (members[k]->data != NULL &&
                sfi_first_not_finite(members[k]->data + i * members[k]->stride,
                                     columns) < columns)
                return i;
        }
    return -1;
}

static sf_status run(const sf_model *m, sfi_inner *f, const chunk *c, sf_cmat x,
                     double time, const sf_mat *const *members)
{
    const double level = sfi_level(m, time);
    const double slope = sfi_level_slope(m, time);
    for (int64_t at = 0; at < x.rows; at += c->rows) {
        const int64_t n = x.rows - at < c->rows ? x.rows - at : c->rows;
        const sf_cmat part = {x.data + at * x.stride, n, x.cols, x.stride};
        sfi_to_inner(m, part, (sf_mat){c->y, n, m->inner, m->inner});
        void *outputs[VALUES];
        int64_t strides[VALUES];
        int count = 0;
        for (int k = 0; k < VALUES; k++)
            if (c->values[k] != NULL) {
                outputs[count] = c->values[k];
                strides[count++] = inner_columns(m, k);
            }
        SFI_TRY(
            sfi_inner_run(f, n, c->y, m->inner, level, NULL, outputs, strides));
        SFI_TRY(convert_all(m, c, part, slope, at, members));
    }
    const int64_t bad = first_bad(m, members, x.rows);
    if (bad >= 0)
        return SFI_FAIL(m->ctx, SF_E_NUMERIC,
                        "eval: the result for row %lld is not finite",
                        (long long)bad);
    return SF_OK;
}

static sf_status prepare(const sf_model *m, chunk *c)
{
    const int64_t most = m->inner > m->dim ? m->inner : m->dim;
    const bool squares = (c->wants & SFI_WANT_JACOBIAN) != 0;
    c->rows = 1 + MOST_CELLS / (squares ? most * most : most);
    if (c->rows > MOST_ROWS)
        c->rows = MOST_ROWS;
    c->y = sfi_alloc(m->ctx, (size_t)(c->rows * m->inner), sizeof *c->y);
    c->spare = sfi_alloc(m->ctx, (size_t)(c->rows * m->dim), sizeof *c->spare);
    if (c->y == NULL || c->spare == NULL)
        return SF_E_NOMEM;
    for (int k = 0; k < VALUES; k++) {
        if ((c->wants >> k & 1) == 0)
            continue;
        c->values[k] =
            sfi_alloc(m->ctx, (size_t)(c->rows * inner_columns(m, k)),
                      sizeof *c->values[k]);
        if (c->values[k] == NULL)
            return SF_E_NOMEM;
    }
    return sfi_has_kernels(m) ? sfi_outer_new(m, &c->outer, c->wants) : SF_OK;
}

static void release(const sf_model *m, chunk *c)
{
    sfi_outer_free(c->outer);
    for (int k = 0; k < VALUES; k++)
        sfi_free(m->ctx, c->values[k], (size_t)(c->rows * inner_columns(m, k)),
                 sizeof *c->values[k]);
    sfi_free(m->ctx, c->spare, (size_t)(c->rows * m->dim), sizeof *c->spare);
    sfi_free(m->ctx, c->y, (size_t)(c->rows * m->inner), sizeof *c->y);
}

sf_status sf_model_eval(const sf_model *m, sf_cmat x, double time,
                        const sf_model_values *values)
{
    const sf_mat *const members[VALUES] = {&values->score, &values->velocity,
                                           &values->denoised, &values->jacobian,
                                           &values->divergence};
    SFI_TRY(check(m, x, time, members));
    SFI_TRY(sfi_check_support(m, x, "eval"));
    chunk c = {.wants = computed(m, members)};
    if (c.wants == 0 || x.rows == 0)
        return SF_OK;
    sfi_inner *f = NULL;
    SFI_TRY(sfi_inner_new(m, &f, SF_F64, c.wants));
    sf_status status = prepare(m, &c);
    if (status == SF_OK)
        status = run(m, f, &c, x, time, members);
    release(m, &c);
    sfi_inner_free(f);
    return status;
}
