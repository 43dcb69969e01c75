/* SPDX-License-Identifier: Apache-2.0 */
/* explain_action.c - scorefield explain: the equation of an action, and how it is solved. */
#include "cli/problem_options.h"

#include <string.h>

typedef struct explain_options {
    problem_options problem;
    bool tex;
} explain_options;

static const cli_option options[] = {
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
    {.kind = CLI_FLAG,
     .name = "tex",
     .offset = offsetof(explain_options, tex),
     .help = "Equations for TeX"},
    {0}};

/* Several equations are one text of lines. */
static sf_status put_line(void *user, const char *name, const char *text)
{
    cli *c = user;
    char key[64], joined[4096];
    snprintf(key, sizeof key, "%s", name);
    for (char *k = key; *k != '\0'; k++)
        if (*k == ' ')
            *k = '_';
    const json_t *before = json_object_get(c->report, key);
    if (before == NULL) {
        cli_put_text(c, c->report, key, text);
        return SF_OK;
    }
    snprintf(joined, sizeof joined, "%s; %s", json_string_value(before), text);
    cli_put_text(c, c->report, key, joined);
    return SF_OK;
}

static sf_status run(cli *c, const void *values)
{
    const explain_options *o = values;
    sf_problem p = {0};
    sf_status status = cli_read_problem(c, &o->problem, &p);
    if (status == SF_OK)
        status = sf_action_explain(p.action, o->tex, put_line, c);
    if (status == SF_OK)
        status = cli_report(c, stdout);
    sf_problem_free(c->ctx, &p);
    return status;
}

const cli_command cli_explain = {
    .name = "explain",
    .summary = "The equation of an action, and how it is solved",
    .usage = "[OPTIONS] [PROBLEM]",
    .operands =
        "  PROBLEM                  A file of sections; docs/FIELDS.md\n",
    .least = 0,
    .most = 1,
    .size = sizeof(explain_options),
    .options = options,
    .notes =
        "The equation of motion that makes the action stationary, with its "
        "sides, stencil\nand method.\n",
    .example = "  scorefield explain data/drum.ini\n",
    .run = run};
