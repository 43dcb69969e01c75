/* SPDX-License-Identifier: Apache-2.0 */
/* sample_given.c - rows of a model given values, intervals or levels of some columns. */
#include "cli/sample.h"

#include "scorefield/condition.h"

#include <math.h>
#include <string.h>

static sf_status read_conditions(cli *c, const sample_options *o,
                                 const sf_model *model, sf_condition **where)
{
    SFI_TRY(sf_condition_new(c->ctx, where, model));
    for (int i = 0; i < o->given.count; i++)
        SFI_TRY(sf_condition_add(*where, o->given.text[i]));
    return SF_OK;
}

/* Whether a column is known by a value, whose density is told; else what is known of it
 * has a probability. */
static bool is_value(const sf_model *model, const sf_condition *where,
                     int64_t j)
{
    double lower, upper;
    sf_condition_bounds(where, j, &lower, &upper);
    return lower == upper && !sf_model_is_discrete(model, j);
}

static bool is_bounded(const sf_model *model, const sf_condition *where,
                       int64_t j)
{
    double lower, upper;
    bool any = false;
    sf_condition_bounds(where, j, &lower, &upper);
    for (int64_t k = 0; k < sf_model_categories(model, j); k++)
        any = any || !sf_condition_allows(where, j, k);
    return any || lower > -INFINITY || upper < INFINITY;
}

/* How likely the condition was: a density of values, a probability of intervals. */
static void tell_evidence(cli *c, const sf_conditional *q,
                          const sf_model *model, const sf_condition *where)
{
    double log_density, log_probability, se;
    int64_t values = 0, intervals = 0;
    for (int64_t j = 0; j < sf_model_dim(model); j++) {
        const bool value = is_value(model, where, j);
        values += value;
        intervals += !value && is_bounded(model, where, j);
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

/* Cells as the model's table has them, but where that would leave the condition. */
static sf_status settle(const sf_model *model, const sf_condition *where,
                        const double *drawn, sf_table *table)
{
    SFI_TRY(sf_model_cells(model, table));
    for (int64_t j = 0; j < table->cols; j++) {
        double lower, upper;
        sf_condition_bounds(where, j, &lower, &upper);
        for (int64_t i = 0; i < table->rows; i++) {
            double *cell = &table->data[i * table->cols + j];
            if (table->columns[j].kind != SF_COLUMN_TEXT &&
                !(*cell >= lower && *cell <= upper))
                *cell = drawn[i * table->cols + j];
        }
    }
    return SF_OK;
}

static sf_status draw_rows(cli *c, const sample_options *o,
                           const sf_model *model, const sf_condition *where,
                           const sf_conditional *q)
{
    const int64_t d = sf_model_dim(model);
    const size_t cells = (size_t)(o->rows * d);
    sf_table table = {0};
    double *drawn = sfi_alloc(c->ctx, cells, sizeof *drawn);
    sf_status status =
        drawn != NULL ? cli_model_table(c, model, o->rows, &table) : SF_E_NOMEM;
    if (status == SF_OK)
        status = sf_conditional_draw(q, c->common.seed, o->first,
                                     (sf_mat){table.data, o->rows, d, d});
    if (status == SF_OK)
        memcpy(drawn, table.data, cells * sizeof *drawn);
    if (status == SF_OK && !o->raw)
        status = settle(model, where, drawn, &table);
    if (status == SF_OK)
        status = sf_table_write(c->ctx, &table, o->output);
    sf_table_free(c->ctx, &table);
    sfi_free(c->ctx, drawn, cells, sizeof *drawn);
    return status;
}

static sf_status draw(cli *c, const sample_options *o, const sf_model *model,
                      sf_condition **where)
{
    sf_conditional *q = NULL;
    const double begun = sfi_clock();
    SFI_TRY(read_conditions(c, o, model, where));
    SFI_TRY(sf_conditional_given(c->ctx, &q, model, *where));
    const sf_status status = draw_rows(c, o, model, *where, q);
    if (status == SF_OK) {
        cli_put_count(c, c->report, "rows", o->rows);
        cli_put_count(c, c->report, "first", o->first);
        cli_put_text(c, c->report, "method", "direct");
        tell_evidence(c, q, model, *where);
        cli_put_number(c, c->report, "seconds", sfi_clock() - begun);
    }
    sf_conditional_free(q);
    return status;
}

sf_status sample_given(cli *c, const sample_options *o, const sf_model *model)
{
    const char *why = sf_model_why_not(model, SF_CAN_CONDITION);
    if (why != NULL)
        return SFI_FAIL(c->ctx, SF_E_UNSUPPORTED, "--given: the model %s", why);
    if (o->trace != NULL)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--trace and --given: rows that are drawn directly "
                        "have no path");
    sf_condition *where = NULL;
    const sf_status status = draw(c, o, model, &where);
    sf_condition_free(where);
    SFI_TRY(status);
    return c->common.json ? cli_report(c, stderr) : SF_OK;
}
