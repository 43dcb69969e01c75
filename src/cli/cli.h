/* SPDX-License-Identifier: Apache-2.0 */
/* cli.h - what the commands of the program share.
 *
 * A command is one file and one row of the table in main.c.  Its options are
 * one table, from which the parser and the help are both made; a default is
 * parsed from the text that the help shows, so the two can not differ.
 *
 * A command returns an sf_status and leaves its message in the context, as the
 * library does; main.c prints it and turns the status into the exit status. */
#ifndef SFI_CLI_H
#define SFI_CLI_H

#include "base/context.h"
#include "num/array.h"
#include "scorefield/frame.h"
#include "scorefield/model.h"

#include <jansson.h>
#include <stdio.h>

/* ---- commands --------------------------------------------------------------- */

typedef enum cli_kind {
    CLI_END = 0,
    CLI_FLAG,   /* bool                                                    */
    CLI_WHOLE,  /* int64_t; 1000, 1e6                                      */
    CLI_SEED,   /* uint64_t; any 64-bit integer, negative ones wrap        */
    CLI_NUMBER, /* double                                                  */
    CLI_PAIR,   /* cli_pair; 128x4                                         */
    CLI_TEXT,   /* const char *, the argument itself                       */
    CLI_CHOICE, /* int, an index into `choices`                            */
    CLI_TEXTS   /* cli_texts: an option that may be given many times       */
} cli_kind;

enum { CLI_MOST_TEXTS = 64 };

typedef struct cli_texts {
    int count;
    const char *text[CLI_MOST_TEXTS];
} cli_texts;

typedef struct cli_pair {
    int64_t first, second;
} cli_pair;

/* A row of a command's table of options. */
typedef struct cli_option {
    cli_kind kind;
    char letter;          /* of the short form, or 0                         */
    const char *name;     /* of the long form, or NULL                       */
    const char *argument; /* as the help names it; NULL for flags            */
    size_t offset;        /* of the member that it sets                      */
    const char *initial;  /* default, parsed first and shown; or NULL        */
    const char *shown;    /* default that only the program knows; or NULL    */
    const char *range;    /* of numbers, "> 0", ">= 0", "[0, 1)"; or NULL    */
    const char *choices;  /* "a|b|c"                                         */
    const char *help;
    bool rare; /* named at the help's end, explained in the manual alone     */
} cli_option;

/* Rows of a table, for a struct `type`; a command's own macro leaves the type out. */
#define CLI_OPTION(type, kind_, letter_, name_, argument_, member, initial_,   \
                   range_, help_)                                              \
    {                                                                          \
        .kind = kind_, .letter = letter_, .name = name_,                       \
        .argument = argument_, .offset = offsetof(type, member),               \
        .initial = initial_, .range = range_, .help = help_                    \
    }
/* A default that is not a value of the option. */
#define CLI_SHOWN(type, kind_, name_, argument_, member, shown_, range_,       \
                  help_)                                                       \
    {                                                                          \
        .kind = kind_, .name = name_, .argument = argument_,                   \
        .offset = offsetof(type, member), .shown = shown_, .range = range_,    \
        .help = help_                                                          \
    }
/* In the manual alone. */
#define CLI_RARE(type, kind_, name_, argument_, member, initial_, range_)      \
    {                                                                          \
        .kind = kind_, .name = name_, .argument = argument_,                   \
        .offset = offsetof(type, member), .initial = initial_,                 \
        .range = range_, .rare = true                                          \
    }

typedef struct cli cli;

typedef struct cli_command {
    const char *name;
    const char *summary;  /* a line of the list of commands               */
    const char *usage;    /* what follows the name                        */
    const char *operands; /* lines of the help about them, or NULL        */
    int least, most;      /* how many operands; most -1: any number       */
    size_t size;          /* of the options' values                       */
    const cli_option *options; /* up to CLI_END                            */
    const char *notes;   /* lines that end the help, or NULL             */
    const char *later;   /* names of options that are not there yet: " a b "  */
    const char *example; /* lines, each a command                        */
    sf_status (*run)(cli *c, const void *values);
} cli_command;

/* What every command takes. */
typedef struct cli_common {
    uint64_t seed;
    int64_t threads;
    bool quiet;
    bool json;
    bool help;
    bool version;
} cli_common;

enum { CLI_MOST_OPTIONS = 64 };

struct cli {
    sf_context *ctx;
    const cli_command *const *commands; /* all of them, up to NULL         */
    const cli_command *command;
    cli_common common;
    int operand_count;
    char **operands;
    const char *command_line; /* as typed, quoted for a shell              */
    json_t *report;           /* an object; see cli_put()                  */
    bool report_failed;       /* no memory for a part of it                */
    bool given[CLI_MOST_OPTIONS]; /* by row of the command's table         */
    bool seed_given;
    bool shows_progress;
    double deadline;   /* of what shows progress, by sfi_clock(); 0: none */
    double time_limit; /* seconds that the work may take; 0: any           */
};

extern const cli_option cli_common_options[];

/* NULL if there is none of this name among the commands, up to NULL. */
const cli_command *cli_find_command(const cli_command *const *commands,
                                    const char *name);

/* SF_E_ARG: there is no command of this name; the message says which might be
 * meant. */
sf_status cli_no_command(cli *c, const char *name);

/* SF_E_ARG: which operands the command wants. */
sf_status cli_too_few_operands(cli *c);

extern const cli_command cli_fit, cli_sample, cli_eval, cli_denoise, cli_impute,
    cli_latent, cli_plot, cli_compare, cli_solve, cli_flow, cli_evolve,
    cli_explain, cli_verify, cli_calc, cli_info, cli_check, cli_help;

/* ---- options ---------------------------------------------------------------- */

/* Set the defaults in *values and c->common, then take argv[0..argc-1] apart;
 * operands move to the front of argv, where c->operands finds them.
 * Returns SF_OK or SF_E_ARG. */
sf_status cli_parse(cli *c, void *values, int argc, char **argv);

/* Whether the option of this name was on the command line. */
bool cli_given(const cli *c, const char *name);

/* The i-th text of choices "a|b|c", or an empty one. */
void cli_choice(const char *choices, int i, char *text, size_t size);

/* ---- help ------------------------------------------------------------------- */

void cli_print_overview(FILE *to, const cli_command *const *commands);
void cli_print_help(FILE *to, const cli_command *command);

/* ---- telling the user ------------------------------------------------------- */

/* Whatever is printed that may hold texts of users (names, paths, messages, cells)
 * goes through sfi_escape() (base/text.h), so that no terminal obeys it: reports
 * cell by cell, everything else by this.  Line ends stay. */
void cli_print_message(FILE *to, const char *text);
/* The same of a text of any length, of which the characters of `kept` stay. */
void cli_print_escaped(FILE *to, const char *text, const char *kept);

/* A line on standard error, "scorefield: fit: ...", unless --quiet. */
void cli_note(const cli *c, const char *format, ...) SFI_PRINTF(2, 3);

/* The same that --quiet does not silence. */
void cli_warn(const cli *c, const char *format, ...) SFI_PRINTF(2, 3);
/* What the library warns of, to standard error as "warning: ..." and to the report
 * as a member of "warnings"; `user` is the cli. */
void cli_on_warning(void *user, const char *text);

/* Put a value into an object of the report; takes over `value`, which may be
 * NULL where there was no memory.  `key` is what JSON calls it; in text,
 * underscores become spaces, and KEY_se follows its KEY as "+-". */
void cli_put(cli *c, json_t *object, const char *key, json_t *value);
void cli_put_text(cli *c, json_t *object, const char *key, const char *text);
/* Column j's kernel, if the model has kernels, and with which columns it shares it,
 * if any. */
void cli_put_kernel(cli *c, json_t *object, const sf_model *m, int64_t j);
/* Of principal components and factors: the noise of each column and its first loadings. */
void cli_put_loadings(cli *c, json_t *object, const sf_model *m);
void cli_put_count(cli *c, json_t *object, const char *key, int64_t value);
/* Not finite becomes null. */
void cli_put_number(cli *c, json_t *object, const char *key, double value);
/* An empty object or array that has been put; NULL if there was no memory, which
 * the other functions accept. */
json_t *cli_put_object(cli *c, json_t *object, const char *key);
json_t *cli_put_list(cli *c, json_t *object, const char *key);
/* An empty object appended to a list. */
json_t *cli_add_object(cli *c, json_t *list);
void cli_add_number(cli *c, json_t *list, double value);

/* Write the report: as JSON on standard output with --json, else as text to
 * `to` (lines of names and values; lists of objects as tables).
 * Returns SF_OK, SF_E_NOMEM, SF_E_IO. */
sf_status cli_report(cli *c, FILE *to);

/* Text of a JSON object as cli_report() writes it. */
void cli_print_json(FILE *to, const json_t *value, int indent);

/* How many columns of a terminal UTF-8 text takes, a character one each. */
int cli_width(const char *text);

/* ---- long work -------------------------------------------------------------- */

/* From now on Ctrl-C and SIGTERM only ask to stop, once: the second one ends
 * the program. */
void cli_catch_signals(void);
bool cli_stop_wanted(void);

/* Show progress of what the library does on a terminal, and stop it when that
 * is wanted.  cli_progress_end() removes the line. */
void cli_progress_begin(cli *c);
void cli_progress_end(cli *c);

/* ---- files ------------------------------------------------------------------ */

/* A file that an option of a command names. */
typedef struct cli_file {
    const char *option;  /* "-o", "--trace"; NULL: an operand               */
    const char *path;    /* NULL: it was not given                          */
    bool is_output;      /* else it is read                                 */
    bool is_binary;      /* what does not go to a terminal                  */
    bool optional;       /* it need not be given                            */
    const char *endings; /* ".csv|.npy" of an output, or NULL: any          */
    const char *want;    /* what messages call them                         */
    const char *goes_on; /* the option of an input that it may be           */
} cli_file;

/* Rows of the files that a run may leave and be resumed from; `o` are its options. */
#define CLI_CHECKPOINT_FILES(o)                                                \
    {.option = "--checkpoint",                                                 \
     .path = (o)->checkpoint,                                                  \
     .is_output = true,                                                        \
     .is_binary = true,                                                        \
     .optional = true,                                                         \
     .goes_on = "--resume"},                                                   \
    {                                                                          \
        .option = "--resume", .path = (o)->resume                              \
    }

#define CLI_TABLE_ENDINGS ".csv|.npy"
#define CLI_TABLE_WANT    ".csv or .npy, or - for CSV on stdout"

/* SF_E_UNSUPPORTED where this program was built without pictures (pictures.c,
 * no_pictures.c): whatever draws asks first. */
sf_status cli_need_pictures(sf_context *ctx);

/* Before work begins: that every output can be written (its ending, its folder, its
 * name), and is neither an operand, nor one of the inputs, nor another output.
 * SF_OK; SF_E_ARG, SF_E_IO. */
sf_status cli_check_files(cli *c, const cli_file *files, int count);

/* Whether a path ends in this extension, in any case. */
bool cli_has_extension(const char *path, const char *extension);

/* Whether it is that of a file of fields (NetCDF). */
bool cli_holds_fields(const char *path);

/* ---- tables ----------------------------------------------------------------- */

/* How the table of an operand is read; see sf_read_options. */
typedef struct cli_read {
    const char *sep, *comment, *na, *decimal, *kinds;
    int header;
} cli_read;

sf_read_options cli_read_options(const cli_read *r);

/* Rows of a table of options about that, the member `member` of `values_`. */
#define CLI_READ_OPTIONS(values_, member)                                      \
    {.kind = CLI_TEXT,                                                         \
     .name = "sep",                                                            \
     .argument = "C",                                                          \
     .offset = offsetof(values_, member.sep),                                  \
     .rare = true},                                                            \
        {.kind = CLI_CHOICE,                                                   \
         .name = "header",                                                     \
         .argument = "H",                                                      \
         .offset = offsetof(values_, member.header),                           \
         .initial = "auto",                                                    \
         .choices = "auto|yes|no",                                             \
         .rare = true},                                                        \
        {.kind = CLI_TEXT,                                                     \
         .name = "comment",                                                    \
         .argument = "C",                                                      \
         .offset = offsetof(values_, member.comment),                          \
         .rare = true},                                                        \
        {.kind = CLI_TEXT,                                                     \
         .name = "na",                                                         \
         .argument = "LIST",                                                   \
         .offset = offsetof(values_, member.na),                               \
         .rare = true},                                                        \
        {.kind = CLI_TEXT,                                                     \
         .name = "decimal",                                                    \
         .argument = "C",                                                      \
         .offset = offsetof(values_, member.decimal),                          \
         .rare = true},                                                        \
    {                                                                          \
        .kind = CLI_TEXT, .name = "kind", .argument = "LIST",                  \
        .offset = offsetof(values_, member.kinds), .rare = true                \
    }

/* Why a column is of its kind, and its atoms with their proportions: "all > 0, and
 * widely spread; atom 0 (23 %)".  Returns `text`. */
enum { CLI_WHY_SIZE = 256 };
const char *cli_why(const sf_frame *frame, int64_t col,
                    char text[CLI_WHY_SIZE]);

/* Show the columns on standard error (unless --quiet); `used` [cols] says which
 * of them are not left out. */
sf_status cli_show_columns(cli *c, const sf_frame *frame, const bool *used);

/* Say what names and ranges of columns suggest. */
void cli_give_hints(cli *c, const sf_frame *frame);

/* What has columns: a model, or a density. */
typedef struct cli_named {
    const char *noun;
    int64_t dim;
    const char *(*name)(const void *of, int64_t j);
    const void *of;
} cli_named;

/* The columns of a model. */
cli_named cli_model_columns(const sf_model *model);

/* An empty table of the model's columns. */
sf_status cli_model_table(cli *c, const sf_model *model, int64_t rows,
                          sf_table *table);

/* "<stdin>" for "-". */
const char *cli_shown_path(const char *path);

/* How many columns of a table without names (.npy) come before `wanted` ones: 2, the
 * chain and the draw, which `scorefield sample --density` writes first, where rows
 * count them up from 0; else 0. */
int64_t cli_numbering(const sf_frame *frame, int64_t wanted);

/* Some columns of a table, and the rows that have a number in each of them.
 *
 *     cli_data d;
 *     SFI_TRY(cli_data_read(c, &d, path, how));   frees nothing on failure
 *     cli_data_choose() or cli_data_match(), then cli_data_take()
 *     cli_data_free(&d); */
typedef struct cli_data {
    const char *path;
    sf_frame *all, *some, *whole; /* all columns; those that are used; of those
                                     the complete rows                        */
    int64_t rows;                 /* in the file                              */
    int64_t dim;                  /* columns that are used                    */
    sf_cmat x;                    /* [complete rows, dim]                     */
    double *own; /* the cells of x, where levels are those of a model */
} cli_data;

/* Read a table, NULL as usual.  cli_data_free() frees it, also after a failure. */
sf_status cli_data_read(cli *c, cli_data *d, const char *path,
                        const cli_read *how);
void cli_data_free(cli_data *d);

/* Use the columns of a list of names; where it is NULL, all that hold numbers. */
sf_status cli_data_choose(cli *c, cli_data *d, const char *list);

/* Use the columns of these names, whatever they hold; in a file without names, all in
 * their order. */
sf_status cli_data_find(cli *c, cli_data *d, const cli_named *of);

/* The same, which hold numbers. */
sf_status cli_data_match(cli *c, cli_data *d, const cli_named *of);

/* Use the columns index [count]. */
sf_status cli_data_select(cli *c, cli_data *d, const int64_t *index,
                          int64_t count);

/* Gather the complete rows, and say how many are not. */
sf_status cli_data_take(cli *c, cli_data *d);

/* Gather the rows that have any cell, NaN where one is missing; *missing counts these,
 * which is said, and so is how many rows have none. */
sf_status cli_data_take_any(cli *c, cli_data *d, int64_t *missing);

/* Name of the k-th used column. */
const char *cli_data_name(const cli_data *d, int64_t k);

/* Read the table of points at which something is asked, and find their columns. */
sf_status cli_data_locate(cli *c, cli_data *d, const char *path,
                          const cli_read *how, const cli_named *of);

/* The cells of columns with levels have numbers in the file's order: give them those of
 * the model's, if `of` is one.  SF_E_FORMAT: a level that it does not know. */
sf_status cli_data_levels(cli *c, cli_data *d, const cli_named *of);

/* All of that, and their complete rows.  SF_E_FORMAT: columns that
 * are missing, by their names; text where a number is wanted; no complete row. */
sf_status cli_data_points(cli *c, cli_data *d, const char *path,
                          const cli_read *how, const cli_named *of);

/* The same for a model, whose kernels have mass at every point. */
sf_status cli_read_points(cli *c, const sf_model *model, const char *path,
                          const cli_read *how, cli_data *d);

/* Make an error of the library about the rows d->x an error about their file, its
 * line and row: exit status 3. */
sf_status cli_data_error(const cli_data *d, sf_status status);

/* Make every cell of a table missing, then put values [complete rows, cols] into its
 * columns from `at` on, in the rows of the file that they belong to. */
void cli_clear(sf_table *table);
void cli_scatter(const cli_data *d, sf_cmat from, sf_table *to, int64_t at);

/* ---- what is wanted (wants.c) ------------------------------------------------ */

/* Names that --want may list: name(user, i) for i = 0, 1, ..., NULL after the last. */
typedef struct cli_want_names {
    const char *(*name)(const void *user, int i);
    const void *user;
} cli_want_names;

/* Take "a,b,c" apart: list [as many as there are names] receives their numbers, in
 * their order.  SF_OK; SF_E_ARG (an unknown name, or one twice). */
sf_status cli_parse_wants(cli *c, const char *text, const cli_want_names *names,
                          int *list, int *count);

/* Names of the columns of an output, made of the data's, which may be long. */
typedef struct cli_names {
    sf_context *ctx;
    char **list; /* [capacity] */
    int64_t count, capacity;
} cli_names;

/* SF_OK or SF_E_NOMEM; cli_names_free() frees them, also after a failure. */
sf_status cli_names_make(sf_context *ctx, cli_names *names, int64_t capacity);
void cli_names_free(cli_names *names);

/* Append prefix_first_second, without those that are empty. */
sf_status cli_add_name(cli_names *names, const char *prefix, const char *first,
                       const char *second);

/* ---- threads (threads.c) ---------------------------------------------------- */

/* Before anything else: start the program again in an environment where threads
 * that wait soon sleep, unless there the user says how they wait.  Returns if that
 * is so, or was done, or cannot be done. */
void cli_be_patient(char **argv);

#endif
