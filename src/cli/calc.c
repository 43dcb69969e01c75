/* SPDX-License-Identifier: Apache-2.0 */
/* calc.c - scorefield calc: fields from fields. */
#include "cli/problem_options.h"

#include "scorefield/calc.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct calc_options {
    const char *output, *select, *grid;
    int order, units, missing, format, precision;
    double radius;
    int64_t deflate;
} calc_options;

#define OPTION(...) CLI_OPTION(calc_options, __VA_ARGS__)

#define CHOICE(name_, argument_, member, initial_, choices_, help_)            \
    {                                                                          \
        .kind = CLI_CHOICE, .name = name_, .argument = argument_,              \
        .offset = offsetof(calc_options, member), .initial = initial_,         \
        .choices = choices_, .help = help_                                     \
    }

static const cli_option options[] = {
    OPTION(CLI_TEXT, 'o', "output", "FILE", output, NULL, NULL,
           ".nc, .npy, .vti or .vtr"),
    CHOICE("order", "P", order, "2", "2|4|6|spectral",
           "Of derivatives; spectral: on closed axes alone"),
    OPTION(CLI_TEXT, 0, "select", "LIST", select, NULL, NULL,
           "Points, as 'lev=500; lat=30:60; time=1990-01-16'"),
    CHOICE("units", "U", units, "on", "on|off",
           "Carry and convert units, or use bare numbers"),
    CHOICE("missing", "M", missing, "skip", "skip|any",
           "Means of the values there, or missing if any is"),
    OPTION(CLI_NUMBER, 0, "radius", "R", radius, NULL, "> 0",
           "Of the Earth in m, if the file names none"),
    OPTION(CLI_TEXT, 0, "grid", "TEXT", grid, NULL, NULL,
           "Of .npy files, as 'y=0:1:65; x=0:2:129'"),
    CHOICE("precision", "P", precision, "double", "double|single",
           "Of arithmetic at the points"),
    CHOICE("format", "F", format, "auto",
           "auto|classic|64bit-offset|cdf5|netcdf4",
           "Of .nc: as the first file, classic, netcdf4, ..."),
    OPTION(CLI_WHOLE, 0, "deflate", "N", deflate, "0", "[0, 9]",
           "Compress .nc, as netcdf4"),
    {0}};

enum { MOST_RESULTS = 192 };

static sf_status report(cli *c, const sf_calc_result *results, int count,
                        double begun)
{
    json_t *list = cli_put_list(c, c->report, "results");
    for (int i = 0; i < count; i++) {
        const sf_calc_result *r = &results[i];
        json_t *row = cli_add_object(c, list);
        cli_put_text(c, row, "name", r->name);
        cli_put_text(c, row, "unit", r->unit);
        cli_put_number(c, row, "min", r->stats.min);
        cli_put_number(c, row, "max", r->stats.max);
        cli_put_number(c, row, "mean", r->stats.mean);
        cli_put_count(c, row, "points", r->stats.count);
        cli_put_count(c, row, "missing", r->stats.missing);
    }
    if (count > 0)
        cli_put_text(c, c->report, "scheme", results[0].scheme);
    cli_put_number(c, c->report, "seconds", sfi_clock() - begun);
    return c->common.json || !c->common.quiet ? cli_report(c, stderr) : SF_OK;
}

static sf_status run(cli *c, const void *values)
{
    const calc_options *o = values;
    const double begun = sfi_clock();
    const cli_file out = cli_fields_file(o->output);
    SFI_TRY(cli_check_files(c, &out, 1));
    sf_calc_options opts = SF_CALC_OPTIONS_INIT;
    static const int orders[] = {2, 4, 6, SF_CALC_SPECTRAL};
    opts.order = orders[o->order];
    opts.precision = (sf_calc_precision)o->precision;
    opts.without_units = o->units == 1;
    opts.any_missing = o->missing == 1;
    opts.radius = cli_given(c, "radius") ? o->radius : 0.0;
    opts.select = o->select;
    opts.grid = o->grid;
    opts.format = (sf_file_format)o->format;
    opts.deflate = (int)o->deflate;
    char *history = cli_history(c);
    opts.history = history;
    sf_calc_result *results =
        sfi_alloc_zero(c->ctx, MOST_RESULTS, sizeof *results);
    int count = 0;
    sf_status status =
        history == NULL || results == NULL
            ? SF_E_NOMEM
            : sf_calc_files(c->ctx, o->output, c->operands[0],
                            c->operand_count - 1,
                            (const char *const *)(c->operands + 1), &opts,
                            MOST_RESULTS, results, &count);
    if (status == SF_OK)
        status = report(c, results, count, begun);
    sfi_free(c->ctx, results, MOST_RESULTS, sizeof *results);
    sfi_free_text(c->ctx, history);
    return status;
}

const cli_command cli_calc = {
    .name = "calc",
    .summary = "Fields from fields: derivatives, means, units",
    .usage = "[OPTIONS] 'NAME = EXPR; ...' FILE... -o OUT",
    .operands =
        "  'NAME = EXPR; ...'       What to compute of the variables of FILE\n"
        "  FILE...                  NetCDF, or .npy with --grid\n",
    .least = 2,
    .most = -1,
    .size = sizeof(calc_options),
    .options = options,
    .notes =
        "Beside the functions of other expressions: dx dy dz d(f, axis) dt "
        "grad div curl\nlaplacian norm advection coriolis geostrophic theta "
        "frontogenesis wind_dir; mean\nsum min max var integral over axes; "
        "anomaly shift units missing regrid;\nf[lev=500].\n",
    .example = "  scorefield calc 'e = norm(grad(phi)); l = laplacian(phi)' "
               "charge.nc -o e.nc\n",
    .run = run};
