/* SPDX-License-Identifier: Apache-2.0 */
/* verify_action.c - scorefield verify: the observed order of an action's solver. */
#include "cli/problem_options.h"

#include <math.h>

typedef struct verify_options {
    problem_options problem;
    cli_texts exact;
} verify_options;

/* The rows of problems, without their output. */
static const cli_option options[] = {
    {.kind = CLI_TEXTS,
     .name = "exact",
     .argument = "EXPR",
     .offset = offsetof(verify_options, exact),
     .help = "The solution, for each field"},
    PROBLEM_TEXT("grid", "TEXT", grid,
                 "Axes and sides: 'x = 0:1:65 pin 0; ...'"),
    PROBLEM_TEXT("energy", "EXPR", energy, "Density of the energy"),
    PROBLEM_TEXT("lagrangian", "EXPR", lagrangian,
                 "Or of the Lagrangian, T - V"),
    PROBLEM_TEXTS("field", "'F = EXPR'", fields, "An unknown field [phi = 0]"),
    PROBLEM_TEXTS("constant", "'C = X'", constants,
                  "A number that the density uses"),
    PROBLEM_TEXTS("source", "'S = EXPR'", sources,
                  "A source, of coordinates, or FILE:VAR"),
    {0}};

static sf_status verify(cli *c, const verify_options *o, const sf_problem *p)
{
    sf_action_level levels[SF_MOST_LEVELS];
    int count = 0;
    if (o->exact.count != p->unknowns)
        return SFI_FAIL(
            c->ctx, SF_E_ARG,
            "%d solutions for %d fields; want --exact EXPR for each",
            o->exact.count, p->unknowns);
    SFI_TRY(cli_put_problem(c, p));
    SFI_TRY(sf_action_verify(p->action, o->exact.text, levels, &count));
    json_t *list = cli_put_list(c, c->report, "levels");
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < count; i++) {
        json_t *row = cli_add_object(c, list);
        cli_put_count(c, row, "n", levels[i].points);
        cli_put_number(c, row, "error", levels[i].error);
        cli_put_number(c, row, "order", levels[i].order);
        cli_put_number(c, row, "residual", levels[i].residual);
        if (i > 0) {
            low = fmin(low, levels[i].order);
            high = fmax(high, levels[i].order);
        }
    }
    /* Nothing is left to fall where the discrete solution is exact. */
    const sf_action_level *last = &levels[count - 1];
    const bool is_exact =
        last->error < 1e-9 && !(fabs(last->order - 2.0) < 0.15);
    const bool verified = is_exact || fabs(last->order - 2.0) <= 0.15;
    cli_put_number(c, c->report, "order_low", low);
    cli_put_number(c, c->report, "order_high", high);
    cli_put(c, c->report, "verified", json_boolean(verified));
    if (c->common.json || !c->common.quiet)
        SFI_TRY(cli_report(c, stdout));
    return verified ? SF_OK
                    : SFI_FAIL(c->ctx, SF_E_NUMERIC,
                               "the order of the last level is %.2f, want 2 +- "
                               "0.15",
                               last->order);
}

static sf_status run(cli *c, const void *values)
{
    const verify_options *o = values;
    sf_problem p = {0};
    sf_status status = cli_read_problem(c, &o->problem, &p);
    if (status == SF_OK)
        status = verify(c, o, &p);
    sf_problem_free(c->ctx, &p);
    return status;
}

const cli_command cli_verify = {
    .name = "verify",
    .summary = "The observed order of an action's solver",
    .usage = "[OPTIONS] [PROBLEM] --exact EXPR",
    .operands =
        "  PROBLEM                  A file of sections; docs/FIELDS.md\n",
    .least = 0,
    .most = 1,
    .size = sizeof(verify_options),
    .options = options,
    .notes =
        "A source is added that makes EXPR the solution; it is solved for on "
        "the grid and\non every second, fourth and eighth point of it.  Exit "
        "status 0 if the error falls\nwith the square of the step.\n",
    .example =
        "  scorefield verify data/charge.ini --exact 'sin(3*x)*exp(y)'\n",
    .run = run};
