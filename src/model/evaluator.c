/* SPDX-License-Identifier: Apache-2.0 */
/* evaluator.c - a model's answers in the data's own units.
 *
 * With Gaussian noise of levels sigma, x = mean + scale y and
 *
 *     score_x = score_y/scale,  d score_x_i/dx_j = (d score_y_i/dy_j)/(scale_i
 *     scale_j),  dx/dt = scale sigma' drift,  ln p(x) = ln p(y) - ln |dx/dy|;
 *
 * with kernels outer.h says how.
 *
 * Rows outside the support are asked at a place inside, so that nobody below meets
 * a point that has no chart, and get what is true of them afterwards. */
#include "model/evaluator.h"

#include "num/linalg.h"
#include "scorefield/condition.h"

#include <math.h>
#include <string.h>

/* Points of a chunk, at most, and numbers of one of its arrays, nearly. */
enum { MOST_ROWS = 4096, MOST_CELLS = 1 << 22 };

static int64_t columns_of(int member, int64_t dim)
{
    return member == SFI_VALUE_JACOBIAN ? dim * dim
           : member == SFI_VALUE_DIVERGENCE || member == SFI_VALUE_LOGPDF ? 1
                                                                          : dim;
}

/* In inner coordinates; denoised means are not in those. */
static int64_t inner_columns(const sf_model *m, int member)
{
    return columns_of(member, member == SFI_VALUE_DENOISED ? m->dim : m->inner);
}

/* ---- making ----------------------------------------------------------------- */

/* What must be computed for what is wanted: a chart mixes the score into the
 * Jacobian, and the velocity into its divergence. */
static unsigned computed(const sf_model *m, unsigned wants)
{
    if (sfi_has_kernels(m) && (wants & SF_WANT_JACOBIAN) != 0)
        wants |= SFI_WANT_SCORE;
    if (sfi_has_kernels(m) && (wants & SF_WANT_DIVERGENCE) != 0)
        wants |= SFI_WANT_DRIFT;
    return wants;
}

static sf_status allocate(sf_evaluator *e)
{
    const sf_model *m = &e->model;
    const int64_t most = m->inner > m->dim ? m->inner : m->dim;
    const bool squares = (e->computed & SFI_WANT_JACOBIAN) != 0;
    e->rows = 1 + MOST_CELLS / (squares ? most * most : most);
    if (e->rows > MOST_ROWS)
        e->rows = MOST_ROWS;
    const size_t rows = (size_t)e->rows;
    e->y = sfi_alloc(e->ctx, rows * (size_t)m->inner, sizeof *e->y);
    e->spare = sfi_alloc(e->ctx, rows * (size_t)m->dim, sizeof *e->spare);
    e->outside = sfi_alloc_zero(e->ctx, rows, sizeof *e->outside);
    if (e->y == NULL || e->spare == NULL || e->outside == NULL)
        return SF_E_NOMEM;
    if (sfi_has_support(m)) {
        e->x = sfi_alloc(e->ctx, rows * (size_t)m->dim, sizeof *e->x);
        if (e->x == NULL)
            return SF_E_NOMEM;
    }
    for (int k = 0; k < SFI_VALUES; k++) {
        if ((e->computed >> k & 1) == 0)
            continue;
        e->values[k] = sfi_alloc(e->ctx, rows * (size_t)inner_columns(m, k),
                                 sizeof *e->values[k]);
        if (e->values[k] == NULL)
            return SF_E_NOMEM;
    }
    return SF_OK;
}

static sf_status prepare(sf_evaluator *e)
{
    const unsigned all = (1u << SFI_VALUES) - 1;
    if (e->wants == 0 || (e->wants & ~all) != 0)
        return SFI_FAIL(e->ctx, SF_E_ARG,
                        "evaluator: wants is %#x, want bits of %#x", e->wants,
                        all);
    e->computed = computed(&e->model, e->wants);
    SFI_TRY(sfi_inner_new(&e->model, &e->inner, SF_F64, e->computed));
    SFI_TRY(allocate(e));
    const unsigned charted = e->computed & ((1u << SFI_OUTER_WANTS) - 1);
    return sfi_has_kernels(&e->model) && charted != 0
               ? sfi_outer_new(&e->model, &e->outer, charted)
               : SF_OK;
}

sf_status sf_evaluator_new(sf_context *ctx, sf_evaluator **out,
                           const sf_model *model, unsigned wants)
{
    *out = NULL;
    sf_evaluator *e = sfi_alloc_zero(ctx, 1, sizeof *e);
    if (e == NULL)
        return SF_E_NOMEM;
    e->ctx = ctx;
    e->model = *model;
    e->model.ctx = ctx;
    e->wants = wants;
    const sf_status status = prepare(e);
    if (status != SF_OK) {
        sf_evaluator_free(e);
        return status;
    }
    *out = e;
    return SF_OK;
}

void sf_evaluator_free(sf_evaluator *e)
{
    if (e == NULL)
        return;
    const size_t rows = (size_t)e->rows;
    const size_t dim = (size_t)e->model.dim;
    sfi_inner_free(e->inner);
    sfi_outer_free(e->outer);
    sfi_density_line_free(&e->line);
    for (int k = 0; k < SFI_VALUES; k++)
        sfi_free(e->ctx, e->values[k],
                 rows * (size_t)inner_columns(&e->model, k),
                 sizeof *e->values[k]);
    sfi_free(e->ctx, e->x, rows * dim, sizeof *e->x);
    sfi_free(e->ctx, e->outside, rows, sizeof *e->outside);
    sfi_free(e->ctx, e->spare, rows * dim, sizeof *e->spare);
    sfi_free(e->ctx, e->y, rows * (size_t)e->model.inner, sizeof *e->y);
    sfi_free(e->ctx, e, 1, sizeof *e);
}

/* ---- a chunk ------------------------------------------------------------------ */

/* Rows to ask at: those of x, and a place inside for those that are not. */
static sf_cmat place_inside(sf_evaluator *e, sf_cmat x, int64_t *count)
{
    const sf_model *m = &e->model;
    if (e->x == NULL)
        return x;
    for (int64_t i = 0; i < x.rows; i++) {
        char want[SFI_SUPPORT_WANT];
        double *row = e->x + i * m->dim;
        memcpy(row, x.data + i * x.stride, (size_t)m->dim * sizeof *row);
        e->outside[i] = sfi_outside_support(m, row, want) >= 0;
        if (e->outside[i] && sfi_has_kernels(m))
            sfi_middle(m, row);
        *count += e->outside[i];
    }
    return (sf_cmat){e->x, x.rows, m->dim, m->dim};
}

/* A member of row i in the data's units, without kernels. */
static void convert(const sf_evaluator *e, int member, double level_slope,
                    int64_t i, double *row)
{
    const sf_model *m = &e->model;
    const int64_t d = m->dim;
    const double *from = e->values[member] + i * columns_of(member, d);
    switch (member) {
    case SFI_VALUE_SCORE:
        for (int64_t j = 0; j < d; j++)
            row[j] = from[j] / m->scale[j];
        return;
    case SFI_VALUE_VELOCITY:
        for (int64_t j = 0; j < d; j++)
            row[j] = from[j] * level_slope * m->scale[j];
        return;
    case SFI_VALUE_DENOISED:
        for (int64_t j = 0; j < d; j++)
            row[j] = m->mean[j] + m->scale[j] * from[j];
        return;
    case SFI_VALUE_JACOBIAN:
        for (int64_t j = 0; j < d; j++)
            for (int64_t k = 0; k < d; k++)
                row[j * d + k] = from[j * d + k] / m->scale[j] / m->scale[k];
        return;
    default:
        row[0] = from[0] * level_slope;
    }
}

static void convert_logpdf(const sf_evaluator *e, int64_t rows, sf_mat to)
{
    for (int64_t i = 0; i < rows; i++)
        to.data[i * to.stride] =
            e->values[SFI_VALUE_LOGPDF][i] -
            sfi_log_volume(&e->model, e->y + i * e->model.inner);
}

static sf_status convert_all(sf_evaluator *e, sf_cmat part, double level_slope,
                             const sf_mat *to)
{
    if (to[SFI_VALUE_LOGPDF].data != NULL)
        convert_logpdf(e, part.rows, to[SFI_VALUE_LOGPDF]);
    if (e->outer != NULL) {
        sf_mat charted[SFI_OUTER_WANTS];
        for (int k = 0; k < SFI_OUTER_WANTS; k++) {
            const int64_t columns = columns_of(k, e->model.dim);
            charted[k] = to[k].data != NULL
                             ? to[k]
                             : (sf_mat){e->spare, part.rows, columns, columns};
        }
        return sfi_outer_run(e->outer, part.rows, part, e->y,
                             (const double *const *)e->values, charted);
    }
    for (int k = 0; k < SFI_VALUE_LOGPDF; k++)
        for (int64_t i = 0; i < part.rows && to[k].data != NULL; i++)
            convert(e, k, level_slope, i, to[k].data + i * to[k].stride);
    return SF_OK;
}

/* What is true outside, and what is not finite inside. */
static void settle(const sf_evaluator *e, int64_t first, int64_t rows,
                   const sf_mat *to, sfi_evaluator_count *count)
{
    for (int64_t i = 0; i < rows; i++) {
        bool finite = true;
        for (int k = 0; k < SFI_VALUES; k++) {
            if (to[k].data == NULL)
                continue;
            const int64_t columns = columns_of(k, e->model.dim);
            double *row = to[k].data + i * to[k].stride;
            for (int64_t j = 0; j < columns && e->outside[i]; j++)
                row[j] = k == SFI_VALUE_LOGPDF ? -INFINITY : (double)NAN;
            /* There may be no row of data that a point can come from. */
            finite = finite && (sfi_first_not_finite(row, columns) == columns ||
                                (k == SFI_VALUE_LOGPDF && row[0] == -INFINITY));
        }
        if (e->outside[i]) {
            if (count->outside++ == 0)
                count->first_outside = first + i;
        } else if (!finite && count->undefined++ == 0) {
            count->first_undefined = first + i;
        }
    }
}

sf_status sfi_evaluator_rows(sf_evaluator *e, sf_cmat x, double time,
                             const sf_model_values *values,
                             sfi_evaluator_count *count)
{
    const sf_model *m = &e->model;
    const sf_mat members[SFI_VALUES] = {values->score,      values->velocity,
                                        values->denoised,   values->jacobian,
                                        values->divergence, values->logpdf};
    const double level = sfi_level(m, time), slope = sfi_level_slope(m, time);
    *count = (sfi_evaluator_count){0};
    for (int64_t at = 0; at < x.rows; at += e->rows) {
        const int64_t n = x.rows - at < e->rows ? x.rows - at : e->rows;
        int64_t outside = 0;
        const sf_cmat part = place_inside(
            e, (sf_cmat){x.data + at * x.stride, n, x.cols, x.stride},
            &outside);
        sfi_to_inner(m, part, (sf_mat){e->y, n, m->inner, m->inner});
        void *outputs[SFI_VALUES];
        int64_t strides[SFI_VALUES];
        sf_mat to[SFI_VALUES];
        int used = 0;
        for (int k = 0; k < SFI_VALUES; k++) {
            to[k] = members[k];
            if (to[k].data != NULL)
                to[k].data += at * to[k].stride;
            if (e->values[k] == NULL)
                continue;
            outputs[used] = e->values[k];
            strides[used++] = inner_columns(m, k);
        }
        SFI_TRY(sfi_inner_run(e->inner, n, e->y, m->inner, level, NULL, outputs,
                              strides));
        SFI_TRY(convert_all(e, part, slope, to));
        settle(e, at, n, to, count);
    }
    return SF_OK;
}

/* ---- a run -------------------------------------------------------------------- */

static sf_status check_member(const sf_evaluator *e, int k, const sf_mat *v,
                              int64_t rows)
{
    const int64_t columns = columns_of(k, e->model.dim);
    if (v->data == NULL)
        return SF_OK;
    if ((e->wants >> k & 1) == 0)
        return SFI_FAIL(e->ctx, SF_E_ARG,
                        "eval: the evaluator was not made for result %d", k);
    if (v->rows != rows || v->cols != columns || v->stride < columns)
        return SFI_FAIL(e->ctx, SF_E_SHAPE,
                        "eval: result %d is [%lld, %lld], want [%lld, %lld]", k,
                        (long long)v->rows, (long long)v->cols, (long long)rows,
                        (long long)columns);
    return SF_OK;
}

sf_status sfi_check_time(sf_context *ctx, const sf_model *m, double time,
                         const char *what)
{
    if (!(time >= 0.0 && time <= 1.0))
        return SFI_FAIL(ctx, SF_E_ARG, "%s: time is %g, want 0 to 1", what,
                        time);
    if (time > 0.0 && (m->ops->noiseless || sfi_is_product(m)))
        return SFI_FAIL(ctx, SF_E_ARG,
                        "%s: time is %g, and the model %s: want 0", what, time,
                        sf_model_why_not(m, SF_CAN_NOISE));
    const double used = sf_model_used_time(m, time);
    if (time > 0.0 && time < used)
        sfi_warn(ctx,
                 "time %g is below the model's least noise; the answer is the "
                 "one at time %g",
                 time, used);
    return SF_OK;
}

static sf_status check(const sf_evaluator *e, sf_cmat x, double time,
                       const sf_model_values *values)
{
    const sf_model *m = &e->model;
    const sf_mat *const members[SFI_VALUES] = {
        &values->score,    &values->velocity,   &values->denoised,
        &values->jacobian, &values->divergence, &values->logpdf};
    SFI_TRY(sfi_check_time(e->ctx, m, time, "eval"));
    SFI_TRY(sfi_check_table(e->ctx, x, true, "eval: x"));
    if (x.cols != m->dim)
        return SFI_FAIL(e->ctx, SF_E_SHAPE,
                        "eval: points have %lld columns, the model has %lld",
                        (long long)x.cols, (long long)m->dim);
    for (int k = 0; k < SFI_VALUES; k++)
        SFI_TRY(check_member(e, k, members[k], x.rows));
    return SF_OK;
}

/* Where a text has no value is the text's affair; of other models everything is
 * finite inside the support. */
static sf_status tell(const sf_evaluator *e, sf_cmat x,
                      const sfi_evaluator_count *count)
{
    if (count->outside > 0)
        sfi_warn_of_outside(&e->model, x, count->outside, count->first_outside);
    if (count->undefined == 0)
        return SF_OK;
    if (e->model.density == NULL)
        return SFI_FAIL(e->ctx, SF_E_NUMERIC,
                        "eval: the result for row %lld is not finite",
                        (long long)count->first_undefined + 1);
    sfi_warn(e->ctx,
             "the log density or its gradient is undefined or infinite at "
             "%lld of %lld rows (the first is row %lld)",
             (long long)count->undefined, (long long)x.rows,
             (long long)count->first_undefined + 1);
    return SF_OK;
}

/* Columns with atoms have no chart, and log densities alone. */
static sf_status ask_atoms(const sf_evaluator *e, sf_cmat x, sf_mat out)
{
    double *logpdf = sfi_alloc(e->ctx, (size_t)x.rows, sizeof *logpdf);
    if (logpdf == NULL)
        return SF_E_NOMEM;
    const sf_status status = sf_logpdf_marginal(e->ctx, logpdf, &e->model, x);
    int64_t outside = 0;
    for (int64_t i = 0; i < x.rows && status == SF_OK; i++) {
        out.data[i * out.stride] = logpdf[i];
        outside += logpdf[i] == -INFINITY;
    }
    if (outside > 0)
        sfi_warn(
            e->ctx,
            "%lld of %lld rows are outside the support of the model: their "
            "log density is -inf",
            (long long)outside, (long long)x.rows);
    sfi_free(e->ctx, logpdf, (size_t)x.rows, sizeof *logpdf);
    return status;
}

sf_status sf_evaluator_run(sf_evaluator *e, sf_cmat x, double time,
                           const sf_model_values *values)
{
    sfi_evaluator_count count;
    SFI_TRY(check(e, x, time, values));
    if (sfi_has_atoms(&e->model))
        return values->logpdf.data != NULL ? ask_atoms(e, x, values->logpdf)
                                           : SF_OK;
    SFI_TRY(sfi_evaluator_rows(e, x, time, values, &count));
    return tell(e, x, &count);
}

sf_status sf_model_eval(const sf_model *m, sf_cmat x, double time,
                        const sf_model_values *values)
{
    const sf_mat *const members[SFI_VALUES] = {
        &values->score,    &values->velocity,   &values->denoised,
        &values->jacobian, &values->divergence, &values->logpdf};
    unsigned wants = 0;
    for (int k = 0; k < SFI_VALUES; k++)
        wants |= members[k]->data != NULL ? 1u << k : 0;
    sf_evaluator *e = NULL;
    if (wants == 0)
        return SF_OK;
    SFI_TRY(sf_evaluator_new(m->ctx, &e, m, wants));
    const sf_status status = sf_evaluator_run(e, x, time, values);
    sf_evaluator_free(e);
    return status;
}
