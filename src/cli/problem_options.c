/* SPDX-License-Identifier: Apache-2.0 */
/* problem_options.c - problems of actions: from a file, or from options that make one. */
#define _POSIX_C_SOURCE 200809L
#include "cli/problem_options.h"

#include "base/growing.h"

#include <time.h>

static sf_status put(cli *c, sfi_growing *page, const char *before,
                     const char *text)
{
    SFI_TRY(sfi_growing_put(c->ctx, page, before));
    SFI_TRY(sfi_growing_put(c->ctx, page, text));
    return sfi_growing_put(c->ctx, page, "\n");
}

static sf_status put_all(cli *c, sfi_growing *page, const char *section,
                         const cli_texts *texts, const char *otherwise)
{
    if (texts->count == 0 && otherwise == NULL)
        return SF_OK;
    SFI_TRY(put(c, page, "", section));
    for (int i = 0; i < texts->count; i++)
        SFI_TRY(put(c, page, "", texts->text[i]));
    return texts->count == 0 && otherwise != NULL ? put(c, page, "", otherwise)
                                                  : SF_OK;
}

static sf_status write_page(cli *c, sfi_growing *page, const problem_options *o)
{
    SFI_TRY(put(c, page, "[grid]\n", o->grid));
    SFI_TRY(put_all(c, page, "[field]", &o->fields, "phi = 0"));
    SFI_TRY(put_all(c, page, "[constants]", &o->constants, NULL));
    SFI_TRY(put_all(c, page, "[source]", &o->sources, NULL));
    SFI_TRY(put_all(c, page, "[sides]", &o->sides, NULL));
    SFI_TRY(put_all(c, page, "[boundary]", &o->boundaries, NULL));
    SFI_TRY(put(c, page, "", "[action]"));
    return o->energy != NULL ? put(c, page, "energy = ", o->energy)
                             : put(c, page, "lagrangian = ", o->lagrangian);
}

static sf_status from_options(cli *c, const problem_options *o, sf_problem *out)
{
    sfi_growing page = {0};
    if (o->grid == NULL || (o->energy == NULL) == (o->lagrangian == NULL))
        return SFI_FAIL(
            c->ctx, SF_E_ARG,
            "want a file PROBLEM, or --grid and one of --energy and "
            "--lagrangian");
    sf_status status = write_page(c, &page, o);
    if (status == SF_OK)
        status = sf_problem_read_bytes(c->ctx, out, "<options>", page.text,
                                       page.size);
    sfi_growing_free(c->ctx, &page);
    return status == SF_E_FORMAT ? SF_E_ARG : status;
}

sf_status cli_read_problem(cli *c, const problem_options *o, sf_problem *out)
{
    static const char *const makes[] = {"grid",  "energy",   "lagrangian",
                                        "field", "constant", "source",
                                        "side",  "boundary"};
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
    if (cli_given(c, "method"))
        out->method = (sf_motion_method)o->method;
    out->project |= o->project;
    return SF_OK;
}

sf_status cli_with_problem(cli *c, const problem_options *o, const void *values,
                           cli_problem_work *work)
{
    sf_problem p = {0};
    sf_status status = cli_read_problem(c, o, &p);
    if (status == SF_OK)
        status = work(c, values, &p);
    sf_problem_free(c->ctx, &p);
    return status;
}

sf_status cli_make_fields(cli *c, const problem_options *o,
                          cli_problem_work *work)
{
    const cli_file out = cli_fields_file(o->output);
    SFI_TRY(cli_check_files(c, &out, 1));
    return cli_with_problem(c, o, o, work);
}

sf_status cli_make_series(cli *c, const problem_options *o,
                          cli_problem_work *work)
{
    cli_file files[] = {cli_series_file(o->output),
                        {.option = "--curves",
                         .path = o->curves,
                         .is_output = true,
                         .optional = true,
                         .endings = ".csv",
                         .want = ".csv"},
                        CLI_CHECKPOINT_FILES(o)};
    SFI_TRY(cli_check_files(c, files, (int)SFI_COUNT(files)));
    return cli_with_problem(c, o, o, work);
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

char *cli_history(const cli *c)
{
    char when[32] = "";
    sfi_growing line = {0};
    struct tm parts;
    const time_t now = time(NULL);
    if (gmtime_r(&now, &parts) != NULL)
        (void)strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &parts);
    sf_status status = sfi_growing_put(c->ctx, &line, when);
    if (status == SF_OK)
        status = sfi_growing_put(c->ctx, &line, " ");
    if (status == SF_OK)
        status = sfi_growing_put(c->ctx, &line, c->command_line);
    char *text = status == SF_OK ? sfi_copy_text(c->ctx, line.text) : NULL;
    sfi_growing_free(c->ctx, &line);
    return text;
}

sf_status cli_write_fields(cli *c, const char *path, int count,
                           const sf_field *fields)
{
    sf_field_write_options o = SF_FIELD_WRITE_OPTIONS_INIT;
    char *history = cli_history(c);
    if (history == NULL)
        return SF_E_NOMEM;
    o.history = history;
    const sf_status status = sf_field_write(c->ctx, path, count, fields, &o);
    sfi_free_text(c->ctx, history);
    return status;
}

cli_file cli_fields_file(const char *path)
{
    return (cli_file){.option = "-o",
                      .path = path,
                      .is_output = true,
                      .endings = ".nc|.nc4|.cdf|.npy|.vti|.vtr",
                      .want = ".nc, .npy, .vti or .vtr"};
}

cli_file cli_series_file(const char *path)
{
    cli_file out = cli_fields_file(path);
    out.endings = ".nc|.nc4|.cdf|.npy|.vti|.vtr|.pvd";
    out.want = ".nc, .npy, .vti, .vtr or .pvd";
    return out;
}
