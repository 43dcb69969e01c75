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
    bool project;
} problem_options;

#define PROBLEM_TEXT(name_, argument_, member_, help_)                         \
    {                                                                          \
        .kind = CLI_TEXT, .name = name_, .argument = argument_,                \
        .offset = offsetof(problem_options, member_), .help = help_            \
    }
#define PROBLEM_TEXTS(name_, argument_, member_, help_)                        \
    {                                                                          \
        .kind = CLI_TEXTS, .name = name_, .argument = argument_,               \
        .offset = offsetof(problem_options, member_), .help = help_            \
    }
#define PROBLEM_NUMBER(name_, argument_, member_, range_, help_)               \
    {                                                                          \
        .kind = CLI_NUMBER, .name = name_, .argument = argument_,              \
        .offset = offsetof(problem_options, member_), .range = range_,         \
        .help = help_                                                          \
    }

#define PROBLEM_OPTIONS                                                        \
    {.kind = CLI_TEXT,                                                         \
     .letter = 'o',                                                            \
     .name = "output",                                                         \
     .argument = "FILE",                                                       \
     .offset = offsetof(problem_options, output),                              \
     .help = ".nc, .npy, .vti or .vtr"},                                       \
        PROBLEM_TEXT("grid", "TEXT", grid,                                     \
                     "Axes and sides: 'x = 0:1:65 pin 0; ...'"),               \
        PROBLEM_TEXT("energy", "EXPR", energy, "Density of the energy"),       \
        PROBLEM_TEXT("lagrangian", "EXPR", lagrangian,                         \
                     "Or of the Lagrangian, T - V"),                           \
        PROBLEM_TEXTS("field", "'F = EXPR'", fields,                           \
                      "An unknown field and its start [phi = 0]"),             \
        PROBLEM_TEXTS("constant", "'C = X'", constants,                        \
                      "A number that the density uses"),                       \
        PROBLEM_TEXTS("source", "'S = EXPR'", sources,                         \
                      "A source, of coordinates, or FILE:VAR")

/* Read the problem of the operand, or of the options where there is none. */
sf_status cli_read_problem(cli *c, const problem_options *o, sf_problem *out);

/* Put what is known of an action into the report. */
sf_status cli_put_problem(cli *c, const sf_problem *p);

/* Write fields with the command line as their history. */
sf_status cli_write_fields(cli *c, const char *path, int count,
                           const sf_field *fields);

/* A line of history: when, and what was typed. */
void cli_history(const cli *c, char *text, size_t size);

/* The output of a command that writes fields. */
cli_file cli_fields_file(const char *path);

#endif
