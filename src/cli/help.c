/* SPDX-License-Identifier: Apache-2.0 */
/* help.c - the help of a command, made from its table of options.
 *
 * A text fits 80 columns and one screen; tests/cli checks both. */
#include "cli/cli.h"

#include <string.h>

enum { LEFT = 27, RIGHT = 79 };

/* "-o, --output FILE", "    --json". */
static int option_left(const cli_option *o, char text[80])
{
    char letter[8] = "    ";
    if (o->letter != 0)
        snprintf(letter, sizeof letter, "-%c%s", o->letter,
                 o->name != NULL ? ", " : "");
    return snprintf(text, 80, "%s%s%s%s%s", letter, o->name != NULL ? "--" : "",
                    o->name != NULL ? o->name : "",
                    o->argument != NULL ? " " : "",
                    o->argument != NULL ? o->argument : "");
}

/* The default stands at the right end, on a line of its own if it must. */
static void print_option(FILE *to, const cli_option *o)
{
    char left[80], initial[80] = "";
    const char *text = o->initial != NULL ? o->initial : o->shown;
    const int width = option_left(o, left);
    if (text != NULL)
        snprintf(initial, sizeof initial, "[%s]", text);
    fprintf(to, "  %s%*s%s", left, LEFT - width - 2, "", o->help);
    const int room = RIGHT - LEFT - cli_width(o->help);
    if (initial[0] == '\0')
        fprintf(to, "\n");
    else if (room > cli_width(initial))
        fprintf(to, "%*s\n", room, initial);
    else
        fprintf(to, "\n%*s\n", RIGHT, initial);
}

/* "In the manual: --ema, --decay." */
static void print_rare(FILE *to, const cli_option *options)
{
    const char *between = "\nIn the manual:";
    int at = 0;
    for (const cli_option *o = options; o->kind != CLI_END; o++) {
        char shown[80];
        if (!o->rare)
            continue;
        snprintf(shown, sizeof shown, "--%s", o->name);
        at += fprintf(to, "%s", between) + (int)strlen(shown) + 1;
        if (at > RIGHT)
            at = fprintf(to, "\n%s", shown) - 1;
        else
            fprintf(to, " %s", shown);
        between = ",";
    }
    if (at > 0)
        fprintf(to, ".\n");
}

void cli_print_help(FILE *to, const cli_command *command)
{
    fprintf(to, "Usage: scorefield %s %s\n%s.\n\n", command->name,
            command->usage, command->summary);
    if (command->operands != NULL)
        fprintf(to, "%s", command->operands);
    for (const cli_option *o = command->options; o->kind != CLI_END; o++)
        if (!o->rare)
            print_option(to, o);
    for (const cli_option *o = cli_common_options; o->kind != CLI_END; o++)
        print_option(to, o);
    if (command->notes != NULL)
        fprintf(to, "\n%s", command->notes);
    print_rare(to, command->options);
    fprintf(to, "\nExample%s:\n%s",
            strchr(command->example, '\n')[1] != '\0' ? "s" : "",
            command->example);
}

void cli_print_overview(FILE *to, const cli_command *const *commands)
{
    fprintf(to, "Usage: scorefield COMMAND [OPTIONS] ...\n"
                "Learn the score of data, sample from it, evaluate it and "
                "draw it.\n\n");
    for (int i = 0; commands[i] != NULL; i++)
        fprintf(to, "  %-10s%s\n", commands[i]->name, commands[i]->summary);
    fprintf(to,
            "\n`scorefield help COMMAND` explains a command; `scorefield "
            "--version` names\nthis version.  Data goes to stdout or to the "
            "file of -o, all else to stderr.\n\n"
            "Exit status: 0 success; 1 the computation failed; 2 bad usage; "
            "3 a file\ncould not be read or written, or holds something "
            "else than it should.\n\n"
            "Example, with the table that comes with scorefield:\n"
            "  scorefield fit data/faithful.csv -o faithful.safetensors\n"
            "  scorefield sample faithful.safetensors -n 1000 -o new.csv\n"
            "  scorefield plot data/faithful.csv new.csv -o pairs.png\n");
}

static sf_status run(cli *c, const void *values)
{
    (void)values;
    if (c->operand_count == 0) {
        cli_print_overview(stdout, c->commands);
        return SF_OK;
    }
    const cli_command *command = cli_find_command(c->commands, c->operands[0]);
    if (command == NULL)
        return cli_no_command(c, c->operands[0]);
    cli_print_help(stdout, command);
    return SF_OK;
}

static const cli_option options[] = {{0}};

const cli_command cli_help = {.name = "help",
                              .summary = "Explain a command",
                              .usage = "[COMMAND]",
                              .least = 0,
                              .most = 1,
                              .options = options,
                              .example = "  scorefield help fit\n",
                              .run = run};
