/* SPDX-License-Identifier: Apache-2.0 */
/* eval.c - sf_model_eval(): a model's answers in the data's own units.
 *
 * With x = mean + scale y:  score_x = score_y / scale, d score_x_i / d x_j =
 * (d score_y_i / d y_j) / (scale_i scale_j), and dx/dt = scale sigma' drift.
 * With a chart, ln p_x = ln p_y - ln dx/dy is added to that. */
#include "model/model.h"

#include "num/linalg.h"

/* Members of sf_model_values. */
enum { SCORE, VELOCITY, DENOISED, JACOBIAN, DIVERGENCE, VALUES };

/* Points of a chunk, at most, and numbers of one of its arrays, nearly. */
enum { MOST_ROWS = 4096, MOST_CELLS = 1 << 22 };

/* Which member answers which want; drift becomes velocity, its divergence the
 * velocity's. */
static const unsigned want_of[VALUES] = {SFI_WANT_SCORE, SFI_WANT_DRIFT,
                                         SFI_WANT_DENOISED, SFI_WANT_JACOBIAN,
                                         SFI_WANT_DIVERGENCE};

static int64_t columns_of(const sf_model *m, int member)
{
    return member == JACOBIAN     ? m->dim * m->dim
           : member == DIVERGENCE ? 1
                                  : m->dim;
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
            (v->rows != x.rows || v->cols != columns_of(m, k) ||
             v->stride < columns_of(m, k)))
            return SFI_FAIL(
                m->ctx, SF_E_SHAPE,
                "eval: result %d is [%lld, %lld], want [%lld, %lld]", k,
                (long long)v->rows, (long long)v->cols, (long long)x.rows,
                (long long)columns_of(m, k));
    }
    return SF_OK;
}

/* What is computed of a chunk, in inner coordinates, in the order of the wants. */
typedef struct chunk {
    int64_t rows;
    double *y;              /* [rows, d] */
    double *values[VALUES]; /* [rows, columns] by member, NULL: not computed */
    double *slope, *bend, *turn; /* [d], of the chart */
} chunk;

/* What must be computed for members that are wanted: a chart mixes the score
 * into the Jacobian, and the velocity into its divergence. */
static unsigned computed(const sf_model *m, const sf_mat *const *members)
{
    unsigned wants = 0;
    for (int k = 0; k < VALUES; k++)
        if (members[k]->data != NULL)
            wants |= want_of[k];
    if (sfi_has_kernels(m) && members[JACOBIAN]->data != NULL)
        wants |= SFI_WANT_SCORE;
    if (sfi_has_kernels(m) && members[DIVERGENCE]->data != NULL)
        wants |= SFI_WANT_DRIFT;
    return wants;
}

/* A member of row i in the data's units, into `row`. */
static void convert(const sf_model *m, const chunk *c, int member,
                    double level_slope, int64_t i, double *row)
{
    const int64_t d = m->dim;
    const double *from = c->values[member] + i * columns_of(m, member);
    const double *score =
        c->values[SCORE] != NULL ? c->values[SCORE] + i * d : NULL;
    switch (member) {
    case SCORE:
        for (int64_t j = 0; j < d; j++)
            row[j] = (from[j] - c->bend[j]) / (m->scale[j] * c->slope[j]);
        return;
    case VELOCITY:
        for (int64_t j = 0; j < d; j++)
            row[j] = from[j] * level_slope * m->scale[j] * c->slope[j];
        return;
    case DENOISED:
        for (int64_t j = 0; j < d; j++)
            row[j] = m->mean[j] + m->scale[j] * from[j];
        return;
    case JACOBIAN:
        for (int64_t j = 0; j < d; j++)
            for (int64_t k = 0; k < d; k++) {
                double value = from[j * d + k];
                if (j == k && sfi_has_kernels(m))
                    value -= c->turn[j] + (score[j] - c->bend[j]) * c->bend[j];
                row[j * d + k] = value / (m->scale[j] * c->slope[j]) /
                                 (m->scale[k] * c->slope[k]);
            }
        return;
    default:
        row[0] = from[0];
        for (int64_t j = 0; j < d && sfi_has_kernels(m); j++)
            row[0] += c->values[VELOCITY][i * d + j] * c->bend[j];
        row[0] *= level_slope;
    }
}

static bool all_finite(const double *row, int64_t count)
{
    return sfi_first_not_finite(row, count) == count;
}

static sf_status run(const sf_model *m, sfi_field *f, const chunk *c, sf_cmat x,
                     double time, const sf_mat *const *members)
{
    const double level = sfi_level(m, time);
    const double slope = sfi_level_slope(m, time);
    int64_t bad = -1;
    for (int64_t at = 0; at < x.rows; at += c->rows) {
        const int64_t n = x.rows - at < c->rows ? x.rows - at : c->rows;
        const sf_cmat part = {x.data + at * x.stride, n, x.cols, x.stride};
        sfi_to_inner(m, part, (sf_mat){c->y, n, m->dim, m->dim});
        void *outputs[VALUES];
        int64_t strides[VALUES];
        int count = 0;
        for (unsigned bit = 1; bit <= SFI_WANT_DIVERGENCE; bit <<= 1)
            for (int k = 0; k < VALUES; k++)
                if (want_of[k] == bit && c->values[k] != NULL) {
                    outputs[count] = c->values[k];
                    strides[count++] = columns_of(m, k);
                }
        SFI_TRY(
            sfi_field_run(f, n, c->y, m->dim, level, NULL, outputs, strides));
        for (int64_t i = 0; i < n; i++) {
            if (sfi_has_kernels(m))
                sfi_noise_slopes(&m->noise, c->y + i * m->dim, c->slope,
                                 c->bend, c->turn);
            for (int k = 0; k < VALUES; k++) {
                if (members[k]->data == NULL)
                    continue;
                double *row = members[k]->data + (at + i) * members[k]->stride;
                convert(m, c, k, slope, i, row);
                if (!all_finite(row, columns_of(m, k)) && bad < 0)
                    bad = at + i;
            }
        }
    }
    if (bad >= 0)
        return SFI_FAIL(m->ctx, SF_E_NUMERIC,
                        "eval: the result for row %lld is not finite",
                        (long long)bad);
    return SF_OK;
}

static bool allocate(const sf_model *m, chunk *c, unsigned wants)
{
    const size_t d = (size_t)m->dim;
    bool enough = true;
    int64_t widest = m->dim;
    for (int k = 0; k < VALUES; k++)
        if ((wants & want_of[k]) != 0 && columns_of(m, k) > widest)
            widest = columns_of(m, k);
    c->rows = 1 + MOST_CELLS / widest;
    if (c->rows > MOST_ROWS)
        c->rows = MOST_ROWS;
    c->y = sfi_alloc(m->ctx, (size_t)c->rows * d, sizeof *c->y);
    c->slope = sfi_alloc(m->ctx, 3 * d, sizeof *c->slope);
    if (c->y == NULL || c->slope == NULL)
        return false;
    c->bend = c->slope + d;
    c->turn = c->bend + d;
    for (size_t j = 0; j < 3 * d; j++)
        c->slope[j] = j < d ? 1.0 : 0.0;
    for (int k = 0; k < VALUES; k++) {
        if ((wants & want_of[k]) == 0)
            continue;
        c->values[k] = sfi_alloc(m->ctx, (size_t)(c->rows * columns_of(m, k)),
                                 sizeof(double));
        enough = enough && c->values[k] != NULL;
    }
    return enough;
}

static void release(const sf_model *m, chunk *c)
{
    const size_t d = (size_t)m->dim;
    for (int k = 0; k < VALUES; k++)
        sfi_free(m->ctx, c->values[k], (size_t)(c->rows * columns_of(m, k)),
                 sizeof(double));
    sfi_free(m->ctx, c->slope, 3 * d, sizeof *c->slope);
    sfi_free(m->ctx, c->y, (size_t)c->rows * d, sizeof *c->y);
}

sf_status sf_model_eval(const sf_model *m, sf_cmat x, double time,
                        const sf_model_values *values)
{
    const sf_mat *const members[VALUES] = {&values->score, &values->velocity,
                                           &values->denoised, &values->jacobian,
                                           &values->divergence};
    SFI_TRY(check(m, x, time, members));
    SFI_TRY(sfi_check_support(m, x, "eval"));
    const unsigned wants = computed(m, members);
    if (wants == 0 || x.rows == 0)
        return SF_OK;
    sfi_field *f = NULL;
    SFI_TRY(sfi_field_new(m, &f, SF_F64, wants));
    chunk c = {0};
    const sf_status status =
        allocate(m, &c, wants) ? run(m, f, &c, x, time, members) : SF_E_NOMEM;
    release(m, &c);
    sfi_field_free(f);
    return status;
}
