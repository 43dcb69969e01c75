/* SPDX-License-Identifier: Apache-2.0 */
/* typed_density.h - densities typed on the command line. */
#ifndef SFI_CLI_TYPED_DENSITY_H
#define SFI_CLI_TYPED_DENSITY_H

#include "base/assign.h"
#include "cli/cli.h"
#include "scorefield/density.h"
#include "scorefield/store.h"

typedef struct cli_density {
    const char *text;
    int64_t dim;
    const char *columns, *domain;
    cli_texts params;
} cli_density;

/* Rows of a table of options about such a density, the member `member` of
 * `values_`.  --columns may mean more to a command, which says what. */
#define CLI_DENSITY_OPTIONS(values_, member, columns_shown_, columns_help_)    \
    {.kind = CLI_TEXT,                                                         \
     .name = "density",                                                        \
     .argument = "EXPR",                                                       \
     .offset = offsetof(values_, member.text),                                 \
     .help = "Log density, up to a constant, instead of MODEL"},               \
        {.kind = CLI_WHOLE,                                                    \
         .name = "dim",                                                        \
         .argument = "D",                                                      \
         .offset = offsetof(values_, member.dim),                              \
         .range = "[1, 16777216]",                                             \
         .help = "x is a vector of D numbers, x0, x1, ..."},                   \
        {.kind = CLI_TEXT,                                                     \
         .name = "columns",                                                    \
         .argument = "LIST",                                                   \
         .offset = offsetof(values_, member.columns),                          \
         .shown = columns_shown_,                                              \
         .help = columns_help_},                                               \
        {.kind = CLI_TEXT,                                                     \
         .name = "domain",                                                     \
         .argument = "F",                                                      \
         .offset = offsetof(values_, member.domain),                           \
         .shown = "real",                                                      \
         .help = "positive, LO:HI, circle, simplex; or a=F; b,c=F"},           \
    {                                                                          \
        .kind = CLI_TEXTS, .name = "param", .argument = "P",                   \
        .offset = offsetof(values_, member.params),                            \
        .help = "NAME=1, NAME=1,2;3,4 or NAME=@TABLE; many times"              \
    }

/* Of a command with a model as the first of `operands`, or a density as text instead:
 * one of them is there, and without a text none of its options.  SF_OK, SF_E_ARG. */
sf_status cli_check_density(cli *c, const cli_density *o, int operands);

/* The model of a command: that of the text, if there is one, else the first
 * operand's.  SF_OK, SF_E_ARG, SF_E_PARSE and SF_E_SHAPE as bad usage, and what
 * reading a model or a table gives. */
sf_status cli_open_model(cli *c, const cli_density *o, sf_model **out,
                         sf_run_record **record);

/* "1", "1,2,3" or "1,2;3,4" as a number, a vector or a matrix: rank, shape and the
 * value, which the caller frees as `cells` doubles, also after a failure.  `option`
 * is what the message shows.  SF_OK, SF_E_ARG, SF_E_NOMEM. */
sf_status cli_read_numbers(cli *c, const char *option, sfi_piece value,
                           sf_parameter *out, size_t *cells);

/* A copy, to be freed as size + 1 bytes; NULL without memory. */
char *cli_copy_piece(cli *c, sfi_piece p);

#endif
