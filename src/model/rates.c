/* SPDX-License-Identifier: Apache-2.0 */
/* rates.c - sf_model_rates(): how counts come and go, as means over the data. */
#include "model/evaluator.h"

#include "num/linalg.h"

enum { RESULTS = 3 };

static sf_status check(const sf_model *m, sf_cmat x, double time,
                       const sf_mat *results)
{
    SFI_TRY(sfi_want_ability(m->ctx, m, SF_CAN_RATES, "rates"));
    SFI_TRY(sfi_check_time(m->ctx, m, time, "rates"));
    SFI_TRY(sfi_check_table(m->ctx, x, true, "rates: x"));
    if (x.cols != m->dim)
        return SFI_FAIL(m->ctx, SF_E_SHAPE,
                        "rates: points have %lld columns, the model has %lld",
                        (long long)x.cols, (long long)m->dim);
    for (int k = 0; k < RESULTS; k++)
        if (results[k].data != NULL &&
            (results[k].rows != x.rows || results[k].cols != m->dim ||
             results[k].stride < m->dim))
            return SFI_FAIL(
                m->ctx, SF_E_SHAPE,
                "rates: result %d is [%lld, %lld], want [%lld, %lld]", k,
                (long long)results[k].rows, (long long)results[k].cols,
                (long long)x.rows, (long long)m->dim);
    return sfi_check_support(m, x, "rates");
}

static sf_status first_not_finite(const sf_model *m, int64_t rows, double time,
                                  const sf_mat *results)
{
    for (int64_t i = 0; i < rows; i++)
        for (int k = 0; k < RESULTS; k++)
            if (results[k].data != NULL &&
                sfi_first_not_finite(results[k].data + i * results[k].stride,
                                     m->dim) < m->dim)
                return SFI_FAIL(m->ctx, SF_E_NUMERIC,
                                "rates: row %lld has probability 0 at time %g",
                                (long long)(i + 1), time);
    return SF_OK;
}

sf_status sf_model_rates(const sf_model *m, sf_cmat x, double time,
                         sf_mat birth, sf_mat death, sf_mat ratio)
{
    const sf_mat results[RESULTS] = {birth, death, ratio};
    SFI_TRY(check(m, x, time, results));
    const size_t cells = (size_t)(x.rows * m->dim);
    double *y = sfi_alloc(m->ctx, cells, sizeof *y);
    sfi_mixture *p = NULL;
    sf_status status = y != NULL
                           ? m->ops->mixture(m, &p, SFI_VELOCITY_EXACT, false)
                           : SF_E_NOMEM;
    if (status == SF_OK) {
        const sf_mat inner = {y, x.rows, m->dim, m->dim};
        const sfi_mixture_want want = {
            .birth = birth, .death = death, .ratio = ratio};
        sfi_to_inner(m, x, inner);
        status = sfi_mixture_run(p, sf_mat_const(inner), time, &want);
    }
    if (status == SF_OK)
        status = first_not_finite(m, x.rows, time, results);
    sfi_mixture_free(p);
    sfi_free(m->ctx, y, cells, sizeof *y);
    return status;
}
