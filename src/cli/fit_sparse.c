/* SPDX-License-Identifier: Apache-2.0 */
/* fit_sparse.c - scorefield fit --density --sparse: numbers that may be 0. */
#include "cli/typed_density.h"
#include "cli/fit.h"
#include "scorefield/matching.h"

#include <math.h>
#include <string.h>

/* Rows of the path on which the number of edges changes, and the chosen one. */
static void report_path(cli *c, const sf_sparse_path *p)
{
    json_t *list = cli_put_list(c, c->report, "path");
    for (int64_t l = 0; l < p->count; l++) {
        if (!c->common.json && l > 0 && l != p->chosen &&
            p->edges[l] == p->edges[l - 1])
            continue;
        json_t *row = cli_add_object(c, list);
        cli_put_number(c, row, "lambda", p->lambdas[l]);
        cli_put_count(c, row, "edges", p->edges[l]);
        cli_put_number(c, row, "objective", p->objective[l]);
        cli_put_number(c, row, "refit", p->refit[l]);
        cli_put_number(c, row, "extended_bic", p->criterion[l]);
        cli_put_text(c, row, "chosen", l == p->chosen ? "yes" : "");
    }
}

static void report_numbers(cli *c, const sf_sparse_path *p, const char *key,
                           bool penalised)
{
    json_t *list = NULL;
    for (int64_t k = 0; k < p->numbers; k++) {
        if (p->penalty[k] != penalised || (penalised && p->estimate[k] == 0.0))
            continue;
        if (list == NULL)
            list = cli_put_list(c, c->report, key);
        json_t *row = cli_add_object(c, list);
        cli_put_text(c, row, "parameter", p->names[k]);
        cli_put_number(c, row, "estimate", p->estimate[k]);
    }
}

static void report(cli *c, const cli_data *d, const char *domain,
                   const sf_sparse_path *p, double seconds)
{
    const int64_t l = p->chosen;
    cli_put_text(c, c->report, "family", "density");
    cli_put_text(c, c->report, "domain", domain);
    cli_put_count(c, c->report, "rows", p->rows);
    cli_put_count(c, c->report, "dropped_rows", d->rows - p->rows);
    cli_put_count(c, c->report, "numbers", p->numbers);
    cli_put_count(c, c->report, "penalised", p->penalised);
    cli_put_number(c, c->report, "diagonal_multiplier", p->multiplier);
    cli_put_number(c, c->report, "objective_scale", p->scale);
    cli_put_number(c, c->report, "lambda", p->lambdas[l]);
    cli_put_count(c, c->report, "edges_chosen", p->edges[l]);
    cli_put_number(c, c->report, "objective", p->refit[l]);
    cli_put_number(c, c->report, "extended_bic", p->criterion[l]);
    cli_put_number(c, c->report, "seconds", seconds);
    report_path(c, p);
    report_numbers(c, p, "parameters", false);
    report_numbers(c, p, "edges", true);
}

/* For programs: the numbers' names, and which of them are not 0 on each row. */
static void report_supports(cli *c, const sf_sparse_path *p)
{
    json_t *names = json_array(), *supports = json_array();
    bool failed = names == NULL || supports == NULL;
    for (int64_t k = 0; k < p->numbers; k++)
        failed |= json_array_append_new(names, json_string(p->names[k])) != 0;
    for (int64_t l = 0; l < p->count; l++) {
        json_t *row = json_array();
        for (int64_t k = 0; k < p->numbers; k++)
            if (p->penalty[k] && p->estimates[l * p->numbers + k] != 0.0)
                failed |= json_array_append_new(row, json_integer(k)) != 0;
        failed |= json_array_append_new(supports, row) != 0;
    }
    failed |= json_object_set_new(c->report, "names", names) != 0;
    failed |= json_object_set_new(c->report, "supports", supports) != 0;
    c->report_failed |= failed;
}

sf_status fit_sparse(cli *c, const fit_options *o, const cli_data *d,
                     sf_model *density, const char *domain, const char *forms)
{
    sf_sparse_path p;
    sf_sparse_options how = SF_SPARSE_OPTIONS_INIT;
    how.parameters = forms;
    how.weight = o->weight;
    how.sparse = o->sparse;
    how.lambda_count = o->lambdas;
    how.ratio = o->lambda_ratio;
    how.gamma = o->gamma;
    const double begun = sfi_clock();
    cli_progress_begin(c);
    sf_status status = sf_match_sparse(c->ctx, &p, density, d->x, &how);
    cli_progress_end(c);
    if (status == SF_E_NUMERIC)
        sfi_message_prefix(c->ctx, "%s: ", cli_shown_path(d->path));
    if (status == SF_E_SHAPE || status == SF_E_UNSUPPORTED)
        status = SF_E_ARG;
    SFI_TRY(status);
    report(c, d, domain, &p, sfi_clock() - begun);
    status = fit_save(c, o, density, NULL);
    if (c->common.json)
        report_supports(c, &p);
    if (status == SF_OK && (c->common.json || !c->common.quiet))
        status = cli_report(c, stderr);
    if (status == SF_OK && p.count < p.asked)
        cli_warn(c,
                 "warning: the path ends after %lld of %lld penalties: with "
                 "smaller ones the objective has no minimum",
                 (long long)p.count, (long long)p.asked);
    sf_sparse_path_free(c->ctx, &p);
    return status;
}
