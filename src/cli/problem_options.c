/* SPDX-License-Identifier: Apache-2.0 */
/* problem_options.c - problems of actions: from a file, or from options that make one. */
#define _POSIX_C_SOURCE 200809L
#include "cli/problem_options.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* A text that grows. */
typedef struct page {
    cli *c;
    char *text;
    size_t size, used;
} page;

static sf_status put(page *p, const char *before, const char *text)
{
    const size_t length = strlen(before) + strlen(text) + 1;
    char *grown =
        sfi_grow(p->c->ctx, p->text, &p->size, p->used + length + 1, 1);
    if (grown == NULL)
        return SF_E_NOMEM;
    p->text = grown;
    p->used +=
        (size_t)snprintf(p->text + p->used, length + 1, "%s%s\n", before, text);
    return SF_OK;
}

static sf_status put_all(page *p, const char *section, const cli_texts *texts,
                         const char *otherwise)
{
    SFI_TRY(put(p, "", section));
    for (int i = 0; i < texts->count; i++)
        SFI_TRY(put(p, "", texts->text[i]));
    return texts->count == 0 && otherwise != NULL ? put(p, "", otherwise)
                                                  : SF_OK;
}

static sf_status write_page(page *p, const problem_options *o)
{
    const char *end = o->grid;
    SFI_TRY(put(p, "", "[grid]"));
    SFI_TRY(put(p, "", end));
    SFI_TRY(put_all(p, "[field]", &o->fields, "phi = 0"));
    SFI_TRY(put_all(p, "[constants]", &o->constants, NULL));
    SFI_TRY(put_all(p, "[source]", &o->sources, NULL));
    SFI_TRY(put(p, "", "[action]"));
    return o->energy != NULL ? put(p, "energy = ", o->energy)
                             : put(p, "lagrangian = ", o->lagrangian);
}

static sf_status from_options(cli *c, const problem_options *o, sf_problem *out)
{
    page p = {.c = c};
    if (o->grid == NULL || (o->energy == NULL) == (o->lagrangian == NULL))
        return SFI_FAIL(
            c->ctx, SF_E_ARG,
            "want a file PROBLEM, or --grid and one of --energy and "
            "--lagrangian");
    sf_status status = write_page(&p, o);
    if (status == SF_OK)
        status =
            sf_problem_read_bytes(c->ctx, out, "<options>", p.text, p.used);
    sfi_free(c->ctx, p.text, p.size, 1);
    return status == SF_E_FORMAT ? SF_E_ARG : status;
}

sf_status cli_read_problem(cli *c, const problem_options *o, sf_problem *out)
{
    static const char *const makes[] = {"grid",  "energy",   "lagrangian",
                                        "field", "constant", "source"};
    for (size_t i = 0; i < SFI_COUNT(makes) && c->operand_count > 0; i++)
        if (cli_given(c, makes[i]))
            return SFI_FAIL(c->ctx, SF_E_ARG,
                            "--%s is for problems without a file; %s says it",
                            makes[i], c->operands[0]);
    SFI_TRY(c->operand_count > 0 ? sf_problem_read(c->ctx, out, c->operands[0])
                                 : from_options(c, o, out));
    if (cli_given(c, "until"))
        out->until = o->until;
    if (cli_given(c, "every"))
        out->every = o->every;
    if (cli_given(c, "step"))
        out->step = o->step;
    if (cli_given(c, "damping"))
        out->damping = o->damping;
    if (cli_given(c, "tolerance"))
        out->tolerance = out->motion_tolerance = o->tolerance;
    out->project |= o->project;
    return SF_OK;
}

sf_status cli_put_problem(cli *c, const sf_problem *p)
{
    sf_action_info info;
    SFI_TRY(sf_action_describe(p->action, &info));
    cli_put_text(c, c->report, "geometry",
                 sf_geometry_name(sf_grid_geometry(p->grid)));
    cli_put_count(c, c->report, "unknowns", info.unknowns);
    cli_put_text(c, c->report, "equation",
                 info.is_linear ? "linear" : "nonlinear");
    return SF_OK;
}

void cli_history(const cli *c, char *text, size_t size)
{
    char when[32] = "";
    struct tm parts;
    const time_t now = time(NULL);
    if (gmtime_r(&now, &parts) != NULL)
        (void)strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &parts);
    snprintf(text, size, "%s %s", when, c->command_line);
}

sf_status cli_write_fields(cli *c, const char *path, int count,
                           const sf_field *fields)
{
    char history[4096];
    sf_field_write_options o = SF_FIELD_WRITE_OPTIONS_INIT;
    cli_history(c, history, sizeof history);
    o.history = history;
    return sf_field_write(c->ctx, path, count, fields, &o);
}

cli_file cli_fields_file(const char *path)
{
    return (cli_file){.option = "-o",
                      .path = path,
                      .is_output = true,
                      .endings = ".nc|.nc4|.cdf|.npy|.vti|.vtr",
                      .want = ".nc, .npy, .vti or .vtr"};
}
