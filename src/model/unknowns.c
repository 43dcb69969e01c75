/* SPDX-License-Identifier: Apache-2.0 */
/* unknowns.c - a model as the functional that solvers and samplers move points in.
 *
 * A typed density has a chart that takes all of the real line, and programs of its
 * own there (density/line.c).  Of other models the unknowns are the columns:
 *
 *     f(x) = -ln p_t(x),     grad f = -score,
 *
 * with values where ln p_t has a closed form.  A point outside the support is no
 * error: f is infinite there, and a verb takes it for a step that was too long. */
#include "model/evaluator.h"

#include <math.h>

int64_t sf_model_unknowns(const sf_model *m)
{
    return m->density != NULL ? m->density->domain.unknowns : m->dim;
}

static sf_status check_tables(const sf_model *m, sf_cmat x, sf_cmat y)
{
    if (x.cols == m->dim && y.cols == sf_model_unknowns(m) && x.rows == y.rows)
        return SF_OK;
    return SFI_FAIL(m->ctx, SF_E_SHAPE,
                    "unknowns: x is [%lld, %lld] and y [%lld, %lld], want %lld "
                    "and %lld columns",
                    (long long)x.rows, (long long)x.cols, (long long)y.rows,
                    (long long)y.cols, (long long)m->dim,
                    (long long)sf_model_unknowns(m));
}

/* Row by row through the chart of a typed density; else as they are. */
static void carry_over(const sf_model *m,
                       void (*chart)(const sfi_domain *, const double *,
                                     double *),
                       sf_cmat from, sf_mat to)
{
    for (int64_t i = 0; i < from.rows; i++) {
        const double *in = from.data + i * from.stride;
        double *out = to.data + i * to.stride;
        if (m->density != NULL)
            chart(&m->density->domain, in, out);
        for (int64_t j = 0; j < m->dim && m->density == NULL; j++)
            out[j] = in[j];
    }
}

sf_status sf_model_to_unknowns(const sf_model *m, sf_cmat x, sf_mat y)
{
    SFI_TRY(check_tables(m, x, sf_mat_const(y)));
    SFI_TRY(sfi_check_support(m, x, "points"));
    carry_over(m, sfi_domain_to_line, x, y);
    return SF_OK;
}

sf_status sf_model_from_unknowns(const sf_model *m, sf_cmat y, sf_mat x)
{
    SFI_TRY(check_tables(m, sf_mat_const(x), y));
    carry_over(m, sfi_domain_from_line, y, x);
    return SF_OK;
}

/* ---- columns as unknowns ------------------------------------------------------ */

static void negate(double *values, int64_t count)
{
    for (int64_t k = 0; k < count; k++)
        values[k] = -values[k];
}

static sf_status call_gradient(sf_context *ctx, void *user, double *value,
                               double *gradient, const double *x,
                               int64_t walkers)
{
    (void)ctx;
    sf_evaluator *e = user;
    const int64_t d = e->model.dim;
    const sf_model_values values = {
        .score = {gradient, gradient != NULL ? walkers : 0, d, d},
        .logpdf = {value, value != NULL ? walkers : 0, 1, 1}};
    sfi_evaluator_count count;
    SFI_TRY(sfi_evaluator_rows(e, (sf_cmat){x, walkers, d, d}, e->time, &values,
                               &count));
    if (gradient != NULL)
        negate(gradient, walkers * d);
    if (value != NULL)
        negate(value, walkers);
    return SF_OK;
}

static sf_status call_value(sf_context *ctx, void *user, double *value,
                            const double *x, int64_t walkers)
{
    return call_gradient(ctx, user, value, NULL, x, walkers);
}

static void fill_functional(sf_evaluator *e, sf_functional *out)
{
    const sf_functional empty = SF_FUNCTIONAL_INIT;
    if (e->model.density != NULL) {
        sfi_density_line_functional(&e->line, out);
        return;
    }
    *out = empty;
    out->name = "model";
    out->unknowns = e->model.dim;
    out->user = e;
    out->gradient = call_gradient;
    if (sf_model_can(&e->model, SF_CAN_LOGPDF_CLOSED))
        out->value = call_value;
}

sf_status sf_model_functional(sf_context *ctx, sf_evaluator **owner,
                              sf_functional *out, const sf_model *model,
                              double time)
{
    *owner = NULL;
    SFI_TRY(sfi_check_time(ctx, model, time, "functional"));
    sf_evaluator *e = NULL;
    const unsigned value =
        sf_model_can(model, SF_CAN_LOGPDF_CLOSED) ? SF_WANT_LOGPDF : 0;
    SFI_TRY(sf_evaluator_new(ctx, &e, model, SF_WANT_SCORE | value));
    e->time = time;
    const sf_status status =
        model->density != NULL
            ? sfi_density_line_make(ctx, &e->line, model->density)
            : SF_OK;
    if (status != SF_OK) {
        sf_evaluator_free(e);
        return status;
    }
    fill_functional(e, out);
    *owner = e;
    return SF_OK;
}
