/* SPDX-License-Identifier: Apache-2.0 */
/* problem_options.h - what the commands on actions share. */
#ifndef SFI_CLI_PROBLEM_OPTIONS_H
#define SFI_CLI_PROBLEM_OPTIONS_H

#include "cli/cli.h"
#include "scorefield/action.h"

/* A problem of a file, or of these options. */
typedef struct problem_options {
    const char *output, *grid, *energy, *lagrangian;
    cli_texts fields, constants, sources;
    double until, every, step, damping, tolerance;
    bool project, collocate;
    int method;
    const char *curves, *checkpoint, *resume;
    cli_texts probes;
} problem_options;

#define PROBLEM_TEXT(name, argument, member, help)                             \
    CLI_OPTION(problem_options, CLI_TEXT, 0, name, argument, member, NULL,     \
               NULL, help)
#define PROBLEM_TEXTS(name, argument, member, help)                            \
    CLI_OPTION(problem_options, CLI_TEXTS, 0, name, argument, member, NULL,    \
               NULL, help)
#define PROBLEM_NUMBER(name, argument, member, range, help)                    \
    CLI_OPTION(problem_options, CLI_NUMBER, 0, name, argument, member, NULL,   \
               range, help)

/* Rows of what makes a problem.  `field_help`: a field may have a start. */
#define PROBLEM_STATEMENT(field_help)                                          \
    PROBLEM_TEXT("grid", "TEXT", grid,                                         \
                 "Axes and sides: 'x = 0:1:65 pin 0; ...'"),                   \
        PROBLEM_TEXT("energy", "EXPR", energy, "Density of the energy"),       \
        PROBLEM_TEXT("lagrangian", "EXPR", lagrangian,                         \
                     "Or of the Lagrangian, T - V"),                           \
        PROBLEM_TEXTS("field", "'F = EXPR'", fields, field_help),              \
        PROBLEM_TEXTS("constant", "'C = X'", constants,                        \
                      "A number that the density uses"),                       \
        PROBLEM_TEXTS("source", "'S = EXPR'", sources,                         \
                      "A source, of coordinates, or FILE:VAR")

/* The same where fields are written. */
#define PROBLEM_OPTIONS                                                        \
    CLI_OPTION(problem_options, CLI_TEXT, 'o', "output", "FILE", output, NULL, \
               NULL, ".nc, .npy, .vti or .vtr"),                               \
        PROBLEM_STATEMENT("An unknown field and its start [phi = 0]")

#define PROBLEM_COLLOCATE                                                      \
    {                                                                          \
        .kind = CLI_FLAG, .name = "collocate",                                 \
        .offset = offsetof(problem_options, collocate),                        \
        .help = "Write the components of a form at the points"                 \
    }

#define PROBLEM_OPERANDS                                                       \
    "  PROBLEM                  A file of sections; docs/FIELDS.md\n"

/* Read the problem of the operand, or of the options where there is none. */
sf_status cli_read_problem(cli *c, const problem_options *o, sf_problem *out);

/* What a command does with its problem; `values` are its options. */
typedef sf_status cli_problem_work(cli *c, const void *values, sf_problem *p);

/* Read the problem, do the work, and free it. */
sf_status cli_with_problem(cli *c, const problem_options *o, const void *values,
                           cli_problem_work *work);

/* The same after a check of where the fields will be written. */
sf_status cli_make_fields(cli *c, const problem_options *o,
                          cli_problem_work *work);

/* Likewise of a series, which may be a list of files, too. */
sf_status cli_make_series(cli *c, const problem_options *o,
                          cli_problem_work *work);

/* Put what is known of an action into the report. */
sf_status cli_put_problem(cli *c, const sf_problem *p);

/* Write fields with the command line as their history. */
sf_status cli_write_fields(cli *c, const char *path, int count,
                           const sf_field *fields);

/* A line of history: when, and what was typed; sfi_free_text() frees it.  NULL if
 * there was no memory. */
char *cli_history(const cli *c);

/* The output of a command that writes fields. */
cli_file cli_fields_file(const char *path);

/* Likewise of one that writes a series of them. */
cli_file cli_series_file(const char *path);

#endif
