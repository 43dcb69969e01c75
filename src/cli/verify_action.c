/* SPDX-License-Identifier: Apache-2.0 */
/* verify_action.c - scorefield verify: the observed order of an action's solver. */
#include "cli/problem_options.h"

#include <math.h>

typedef struct verify_options {
    problem_options problem;
    cli_texts exact;
} verify_options;

static const cli_option options[] = {
    {.kind = CLI_TEXTS,
     .name = "exact",
     .argument = "EXPR",
     .offset = offsetof(verify_options, exact),
     .help = "The solution, for each field"},
    PROBLEM_STATEMENT("An unknown field [phi = 0]"),
    {0}};

static sf_status verify(cli *c, const void *values, sf_problem *p)
{
    const verify_options *o = values;
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
    return cli_with_problem(c, &o->problem, o, verify);
}

const cli_command cli_verify = {
    .name = "verify",
    .summary = "The observed order of an action's solver",
    .usage = "[OPTIONS] [PROBLEM] --exact EXPR",
    .operands = PROBLEM_OPERANDS,
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
