/* SPDX-License-Identifier: Apache-2.0 */
/* explain_action.c - scorefield explain: the equation of an action, and how it is solved. */
#include "cli/problem_options.h"

#include "base/growing.h"

typedef struct explain_options {
    problem_options problem;
    bool tex;
} explain_options;

static const cli_option options[] = {
    PROBLEM_STATEMENT("An unknown field [phi = 0]"),
    {.kind = CLI_FLAG,
     .name = "tex",
     .offset = offsetof(explain_options, tex),
     .help = "Equations for TeX"},
    {0}};

/* Several equations are one text of lines. */
static sf_status put_line(void *user, const char *name, const char *text)
{
    cli *c = user;
    char key[64];
    snprintf(key, sizeof key, "%s", name);
    for (char *k = key; *k != '\0'; k++)
        if (*k == ' ')
            *k = '_';
    const json_t *before = json_object_get(c->report, key);
    sfi_growing joined = {0};
    sf_status status = SF_OK;
    if (before != NULL) {
        status = sfi_growing_put(c->ctx, &joined, json_string_value(before));
        if (status == SF_OK)
            status = sfi_growing_put(c->ctx, &joined, "; ");
    }
    if (status == SF_OK)
        status = sfi_growing_put(c->ctx, &joined, text);
    if (status == SF_OK)
        cli_put_text(c, c->report, key, joined.text);
    sfi_growing_free(c->ctx, &joined);
    return status;
}

static sf_status explain(cli *c, const void *values, sf_problem *p)
{
    const explain_options *o = values;
    SFI_TRY(sf_action_explain(p->action, o->tex, put_line, c));
    return cli_report(c, stdout);
}

static sf_status run(cli *c, const void *values)
{
    const explain_options *o = values;
    return cli_with_problem(c, &o->problem, o, explain);
}

const cli_command cli_explain = {
    .name = "explain",
    .summary = "The equation of an action, and how it is solved",
    .usage = "[OPTIONS] [PROBLEM]",
    .operands = PROBLEM_OPERANDS,
    .least = 0,
    .most = 1,
    .size = sizeof(explain_options),
    .options = options,
    .notes =
        "The equation of motion that makes the action stationary, with its "
        "sides, stencil\nand method.\n",
    .example = "  scorefield explain data/drum.ini\n",
    .run = run};
