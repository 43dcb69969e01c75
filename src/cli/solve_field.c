/* SPDX-License-Identifier: Apache-2.0 */
/* solve_field.c - scorefield solve: where an action is stationary. */
#include "cli/form_fields.h"

static const cli_option options[] = {
    PROBLEM_OPTIONS,
    PROBLEM_NUMBER("tolerance", "E", tolerance, "> 0",
                   "Of the residual [1e-8]"),
    {.kind = CLI_FLAG,
     .name = "project",
     .offset = offsetof(problem_options, project),
     .help = "Subtract the mean of what is not balanced"},
    PROBLEM_COLLOCATE,
    {0}};

static void tell(cli *c, const sf_action_solution *s, double begun)
{
    static const char *const kinds[] = {"minimum", "maximum", "saddle"};
    cli_put_text(c, c->report, "engine", s->engine);
    cli_put_count(c, c->report, "iterations", s->iterations);
    cli_put_count(c, c->report, "products", s->products);
    cli_put_number(c, c->report, "residual", s->residual);
    cli_put_number(c, c->report, "energy", s->energy);
    cli_put_text(c, c->report, "point", kinds[s->kind]);
    if (s->imbalance > 0.0)
        cli_put_number(c, c->report, "imbalance", s->imbalance);
    cli_put_number(c, c->report, "seconds", sfi_clock() - begun);
}

static sf_status solve(cli *c, const void *values, sf_problem *p)
{
    const problem_options *o = values;
    const double begun = sfi_clock();
    sf_action_solution s;
    sf_action_solve_options opts = SF_ACTION_SOLVE_OPTIONS_INIT;
    opts.tolerance = p->tolerance;
    opts.project = p->project;
    SFI_TRY(cli_put_problem(c, p));
    cli_progress_begin(c);
    const sf_status status = sf_action_solve(p->action, p->fields, &opts, &s);
    cli_progress_end(c);
    SFI_TRY(status);
    tell(c, &s, begun);
    shown_fields shown;
    sf_status written = shown_fields_new(c, &shown, p, false, o->collocate);
    if (written == SF_OK)
        written = cli_write_fields(c, o->output, shown.count, shown.fields);
    shown_fields_free(c, &shown);
    SFI_TRY(written);
    return c->common.json || !c->common.quiet ? cli_report(c, stderr) : SF_OK;
}

static sf_status run(cli *c, const void *values)
{
    return cli_make_fields(c, values, solve);
}

const cli_command cli_solve = {
    .name = "solve",
    .summary = "Fields at rest: where an action is stationary",
    .usage = "[OPTIONS] [PROBLEM] -o OUT",
    .operands = PROBLEM_OPERANDS,
    .least = 0,
    .most = 1,
    .size = sizeof(problem_options),
    .options = options,
    .notes =
        "The density may use its fields, dx dy dz d(f, axis) grad grad2 of "
        "them, the\ncoordinates, constants and sources.  Sides are "
        "periodic, pin EXPR, natural,\nflux EXPR, robin ALPHA, Q, open.\n",
    .example = "  scorefield solve data/charge.ini -o charge.nc\n",
    .run = run};
