/* SPDX-License-Identifier: Apache-2.0 */
/* categories.c - what is asked of a column of levels: the probabilities of its clean
 * level, and the rates at which it jumps backward in time.
 *
 * A level is forgotten at the hazard r = rate/(1 - t) and then drawn from the prior
 * pi, whatever it was, so that forward x jumps to y at the rate r pi_y.  The law of
 * the reversed process jumps from x to y, y other than x, at
 *
 *     r pi_x p_t(y)/p_t(x),
 *
 * p_t being the marginal of the row with x or y in this column.  (A. Campbell et al.,
 * A continuous time framework for discrete denoising models, 2022, proposition 1.) */
#include "model/evaluator.h"

#include "num/linalg.h"

#include <math.h>
#include <string.h>

int64_t sf_model_categories(const sf_model *m, int64_t column)
{
    return column >= 0 && column < m->dim && sfi_has_kernels(m)
               ? sfi_noise_block(&m->noise, column)->levels
               : 0;
}

bool sf_model_is_discrete(const sf_model *m, int64_t column)
{
    return column >= 0 && column < m->dim && sfi_has_kernels(m) &&
           sfi_noise_block(&m->noise, column)->kernel.ops->discrete;
}

static sf_status check(const sf_model *m, sf_cmat x, double time,
                       int64_t column, sf_mat out, const char *what)
{
    sf_context *ctx = m->ctx;
    const int64_t levels = sf_model_categories(m, column);
    if (levels == 0)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "%s: column %lld has no kernel of levels", what,
                        (long long)column);
    SFI_TRY(sfi_want_ability(ctx, m, SF_CAN_ROWS, what));
    SFI_TRY(sfi_want_ability(ctx, m, SF_CAN_NOISE, what));
    SFI_TRY(sfi_check_time(ctx, m, time, what));
    SFI_TRY(sfi_check_table(ctx, x, true, what));
    if (x.cols != m->dim || out.rows != x.rows || out.cols != levels ||
        out.stride < levels)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "%s: points are [%lld, %lld] and the result [%lld, "
                        "%lld], want [n, %lld] and [n, %lld]",
                        what, (long long)x.rows, (long long)x.cols,
                        (long long)out.rows, (long long)out.cols,
                        (long long)m->dim, (long long)levels);
    return sfi_check_support(m, x, what);
}

static sf_status first_impossible(const sf_model *m, sf_mat out, double time,
                                  const char *what)
{
    for (int64_t i = 0; i < out.rows; i++)
        for (int64_t k = 0; k < out.cols; k++)
            if (!isfinite(out.data[i * out.stride + k]))
                return SFI_FAIL(m->ctx, SF_E_NUMERIC,
                                "%s: row %lld has probability 0 at time %g",
                                what, (long long)i + 1, time);
    return SF_OK;
}

/* ---- the clean level ----------------------------------------------------------- */

sf_status sf_model_pmf(const sf_model *m, sf_cmat x, double time,
                       int64_t column, sf_mat out)
{
    SFI_TRY(check(m, x, time, column, out, "pmf"));
    const sfi_mixture_want want = {.pmf = out, .pmf_column = column};
    SFI_TRY(sfi_ask_data(m, x, time, &want));
    return first_impossible(m, out, time, "pmf");
}

/* ---- jumps --------------------------------------------------------------------- */

/* ln p_t of a row with each of the levels: points and places for their logarithms
 * are [levels, dim] and [levels]. */
static sf_status rates_of(sf_evaluator *e, const sf_model *m, const double *row,
                          double time, int64_t column, double *points,
                          double *logp, double *out)
{
    const sfi_block *b = sfi_noise_block(&m->noise, column);
    const int64_t levels = b->levels, d = m->dim, at = (int64_t)row[column];
    const double hazard =
        sfi_kernel_number_of(&b->kernel, "rate") / (1.0 - time);
    const sf_model_values values = {.logpdf = {logp, levels, 1, 1}};
    for (int64_t k = 0; k < levels; k++) {
        memcpy(points + k * d, row, (size_t)d * sizeof *points);
        points[k * d + column] = (double)k;
    }
    SFI_TRY(
        sf_evaluator_run(e, (sf_cmat){points, levels, d, d}, time, &values));
    for (int64_t k = 0; k < levels; k++)
        out[k] =
            k == at ? 0.0 : hazard * b->prior[at] * exp(logp[k] - logp[at]);
    return SF_OK;
}

static sf_status all_rates(const sf_model *m, sf_cmat x, double time,
                           int64_t column, sf_mat out)
{
    const int64_t levels = out.cols;
    const size_t room = (size_t)(levels * (m->dim + 1));
    double *work = sfi_alloc(m->ctx, room, sizeof *work);
    sf_evaluator *e = NULL;
    sf_status status = work != NULL
                           ? sf_evaluator_new(m->ctx, &e, m, SF_WANT_LOGPDF)
                           : SF_E_NOMEM;
    for (int64_t i = 0; i < x.rows && status == SF_OK; i++)
        status = rates_of(e, m, x.data + i * x.stride, time, column, work,
                          work + levels * m->dim, out.data + i * out.stride);
    sf_evaluator_free(e);
    sfi_free(m->ctx, work, room, sizeof *work);
    return status == SF_OK ? first_impossible(m, out, time, "jump rates")
                           : status;
}

sf_status sf_model_jump_rates(const sf_model *m, sf_cmat x, double time,
                              int64_t column, sf_mat out)
{
    SFI_TRY(check(m, x, time, column, out, "jump rates"));
    const sfi_empirical e = sfi_empirical_of(m);
    if (e.least != NULL || e.floor > 0.0)
        return SFI_FAIL(m->ctx, SF_E_UNSUPPORTED,
                        "jump rates: rows of their own bandwidths, or a "
                        "background, jump at rates of their own; want one "
                        "bandwidth and no background");
    if (time > e.least_all && time < 1.0)
        return all_rates(m, x, time, column, out);
    if (time >= 1.0)
        return SFI_FAIL(m->ctx, SF_E_ARG,
                        "jump rates: time is %g, want below 1, where rates "
                        "have no bound",
                        time);
    for (int64_t i = 0; i < x.rows; i++) /* nothing moves */
        memset(out.data + i * out.stride, 0,
               (size_t)out.cols * sizeof *out.data);
    return SF_OK;
}
