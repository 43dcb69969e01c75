/* SPDX-License-Identifier: Apache-2.0 */
/* sample_given.c - rows of a model given values or intervals of some columns. */
#include "cli/sample.h"

#include "scorefield/condition.h"

#include <math.h>

static sf_status read_conditions(cli *c, const sample_options *o,
                                 const sf_model *model, double *lower,
                                 double *upper)
{
    sf_condition_clear(sf_model_dim(model), lower, upper);
    for (int i = 0; i < o->given.count; i++)
        SFI_TRY(
            sf_condition_parse(c->ctx, lower, upper, model, o->given.text[i]));
    return SF_OK;
}

/* How likely the condition was: a density of values, a probability of intervals. */
static void tell_evidence(cli *c, const sf_conditional *q, int64_t dim,
                          const double *lower, const double *upper)
{
    double log_density, log_probability, se;
    int64_t values = 0, intervals = 0;
    for (int64_t j = 0; j < dim; j++) {
        const bool bounded = lower[j] > -INFINITY || upper[j] < INFINITY;
        values += lower[j] == upper[j];
        intervals += bounded && lower[j] < upper[j];
    }
    sf_conditional_evidence(q, &log_density, &log_probability, &se);
    if (values > 0) {
        cli_put_number(c, c->report, "log_density_of_values", log_density);
        cli_note(c, "the log density of the values given is %.5g", log_density);
    }
    if (intervals == 0)
        return;
    const double p = exp(log_probability);
    cli_put_number(c, c->report, "probability", p);
    const char *under = values > 0 ? ", given the values" : "";
    if (se > 0.0) {
        cli_put_number(c, c->report, "probability_se", se * p);
        cli_note(c, "P(condition) = %.4g ± %.1g%s", p, se * p, under);
    } else {
        cli_note(c, "P(condition) = %.4g%s", p, under);
    }
}

static sf_status draw(cli *c, const sample_options *o, const sf_model *model,
                      double *bounds)
{
    const int64_t d = sf_model_dim(model);
    double *lower = bounds, *upper = bounds + d;
    sf_conditional *q = NULL;
    sf_table table = {0};
    const double begun = sfi_clock();
    SFI_TRY(read_conditions(c, o, model, lower, upper));
    SFI_TRY(sf_conditional_new(c->ctx, &q, model, lower, upper));
    sf_status status = cli_model_table(c, model, o->rows, &table);
    if (status == SF_OK)
        status = sf_conditional_draw(q, c->common.seed, o->first,
                                     (sf_mat){table.data, o->rows, d, d});
    if (status == SF_OK)
        status = sf_table_write(c->ctx, &table, o->output);
    if (status == SF_OK) {
        cli_put_count(c, c->report, "rows", o->rows);
        cli_put_count(c, c->report, "first", o->first);
        cli_put_text(c, c->report, "method", "direct");
        tell_evidence(c, q, d, lower, upper);
        cli_put_number(c, c->report, "seconds", sfi_clock() - begun);
    }
    sf_table_free(c->ctx, &table);
    sf_conditional_free(q);
    return status;
}

sf_status sample_given(cli *c, const sample_options *o, const sf_model *model)
{
    const size_t count = 2 * (size_t)sf_model_dim(model);
    const char *why = sf_model_why_not(model, SF_CAN_CONDITION);
    if (why != NULL)
        return SFI_FAIL(c->ctx, SF_E_UNSUPPORTED, "--given: the model %s", why);
    if (o->trace != NULL)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--trace and --given: rows that are drawn directly "
                        "have no path");
    double *bounds = sfi_alloc(c->ctx, count, sizeof *bounds);
    if (bounds == NULL)
        return SF_E_NOMEM;
    const sf_status status = draw(c, o, model, bounds);
    sfi_free(c->ctx, bounds, count, sizeof *bounds);
    SFI_TRY(status);
    return c->common.json ? cli_report(c, stderr) : SF_OK;
}
