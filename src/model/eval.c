/* SPDX-License-Identifier: Apache-2.0 */
/* eval.c - sf_model_eval(): a model's answers in the data's own units.
 *
 * With x = mean + scale y:  score_x = score_y / scale, d score_x_i / d x_j =
 * (d score_y_i / d y_j) / (scale_i scale_j), and dx/dt = scale sigma' drift. */
#include "model/model.h"

#include "num/linalg.h"

#include <math.h>
#include <string.h>

enum { VALUES = 5, CHUNK = 4096 };

/* Which member answers which want; drift becomes velocity, its divergence the
 * velocity's. */
static const unsigned want_of[VALUES] = {SFI_WANT_SCORE, SFI_WANT_DRIFT,
                                         SFI_WANT_DENOISED, SFI_WANT_JACOBIAN,
                                         SFI_WANT_DIVERGENCE};

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
    const int64_t columns[VALUES] = {m->dim, m->dim, m->dim, m->dim * m->dim,
                                     1};
    for (int k = 0; k < VALUES; k++) {
        const sf_mat *v = members[k];
        if (v->data != NULL && (v->rows != x.rows || v->cols != columns[k] ||
                                v->stride < columns[k]))
            return SFI_FAIL(
                m->ctx, SF_E_SHAPE,
                "eval: result %d is [%lld, %lld], want [%lld, %lld]", k,
                (long long)v->rows, (long long)v->cols, (long long)x.rows,
                (long long)columns[k]);
    }
    return SF_OK;
}

/* To the data's units, in place; false at a number that is not finite. */
static bool convert(const sf_model *m, int member, double slope, double *row)
{
    const int64_t d = m->dim;
    bool finite = true;
    switch (member) {
    case 0:
        for (int64_t j = 0; j < d; j++)
            finite &= isfinite(row[j] /= m->scale[j]);
        break;
    case 1:
        for (int64_t j = 0; j < d; j++)
            finite &= isfinite(row[j] *= slope * m->scale[j]);
        break;
    case 2:
        for (int64_t j = 0; j < d; j++)
            finite &= isfinite(row[j] = m->mean[j] + m->scale[j] * row[j]);
        break;
    case 3:
        for (int64_t i = 0; i < d; i++)
            for (int64_t j = 0; j < d; j++)
                finite &= isfinite(row[i * d + j] /= m->scale[i] * m->scale[j]);
        break;
    default:
        finite &= isfinite(row[0] *= slope);
    }
    return finite;
}

static sf_status run(const sf_model *m, sfi_field *f, sf_cmat x, double time,
                     const sf_mat *const *members, double *y)
{
    const double sigma = sfi_single_level(m) ? 1.0 : sfi_sigma(m, time);
    const double slope = sfi_single_level(m) ? 1.0 : sfi_sigma_slope(m, time);
    int64_t bad = -1;
    for (int64_t at = 0; at < x.rows; at += CHUNK) {
        const int64_t n = x.rows - at < CHUNK ? x.rows - at : CHUNK;
        const sf_cmat part = {x.data + at * x.stride, n, x.cols, x.stride};
        sfi_standardise(m, part, (sf_mat){y, n, m->dim, m->dim});
        void *outputs[VALUES];
        int64_t strides[VALUES];
        int count = 0;
        for (unsigned bit = 1; bit <= SFI_WANT_DIVERGENCE; bit <<= 1)
            for (int k = 0; k < VALUES; k++)
                if (want_of[k] == bit && members[k]->data != NULL) {
                    outputs[count] = members[k]->data + at * members[k]->stride;
                    strides[count++] = members[k]->stride;
                }
        SFI_TRY(sfi_field_run(f, n, y, m->dim, sigma, NULL, outputs, strides));
        for (int64_t i = at; i < at + n; i++)
            for (int k = 0; k < VALUES; k++)
                if (members[k]->data != NULL &&
                    !convert(m, k, slope,
                             members[k]->data + i * members[k]->stride) &&
                    bad < 0)
                    bad = i;
    }
    if (bad >= 0)
        return SFI_FAIL(m->ctx, SF_E_NUMERIC,
                        "eval: the result for row %lld is not finite",
                        (long long)bad);
    return SF_OK;
}

sf_status sf_model_eval(const sf_model *m, sf_cmat x, double time,
                        const sf_model_values *values)
{
    const sf_mat *const members[VALUES] = {&values->score, &values->velocity,
                                           &values->denoised, &values->jacobian,
                                           &values->divergence};
    SFI_TRY(check(m, x, time, members));
    unsigned wants = 0;
    for (int k = 0; k < VALUES; k++)
        if (members[k]->data != NULL)
            wants |= want_of[k];
    if (wants == 0 || x.rows == 0)
        return SF_OK;
    sfi_field *f = NULL;
    SFI_TRY(sfi_field_new(m, &f, SF_F64, wants));
    const size_t count = (size_t)(CHUNK * m->dim);
    double *y = sfi_alloc(m->ctx, count, sizeof *y);
    const sf_status status =
        y != NULL ? run(m, f, x, time, members, y) : SF_E_NOMEM;
    sfi_free(m->ctx, y, count, sizeof *y);
    sfi_field_free(f);
    return status;
}
