/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - which command, and what its status means to the shell.
 *
 *     0  success
 *     1  the computation failed: it diverged, did not converge, was cancelled
 *     2  bad usage
 *     3  a file could not be read or written, or is not valid input */
#include "cli/cli.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static const cli_command *const cli_commands[] = {
    &cli_fit,    &cli_sample,  &cli_eval,    &cli_denoise, &cli_impute,
    &cli_latent, &cli_plot,    &cli_compare, &cli_solve,   &cli_flow,
    &cli_evolve, &cli_explain, &cli_verify,  &cli_calc,    &cli_info,
    &cli_check,  &cli_help,    NULL};

static int exit_status(sf_status status)
{
    switch (status) {
    case SF_OK:
        return 0;
    case SF_E_ARG:
    case SF_E_PARSE:
    case SF_E_UNSUPPORTED:
        return 2;
    case SF_E_IO:
    case SF_E_FORMAT:
    case SF_E_SHAPE:
        return 3;
    case SF_E_NOMEM:
    case SF_E_NUMERIC:
    case SF_E_CONVERGE:
    case SF_E_CANCELLED:
    case SF_E_INTERNAL:
        break;
    }
    return 1;
}

/* The command line as one text that a shell would read back.  NULL if there is
 * no memory; `count` receives the bytes. */
static char *quote_command_line(sf_context *ctx, int argc, char **argv,
                                size_t *count)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ_-+=./,:@%";
    *count = sizeof "scorefield";
    for (int i = 1; i < argc; i++) {
        *count += strlen(argv[i]) + 3;
        for (const char *p = argv[i]; *p != '\0'; p++)
            *count += *p == '\'' ? 3 : 0;
    }
    char *text = sfi_alloc(ctx, *count, 1);
    if (text == NULL)
        return NULL;
    char *to = text;
    to += sprintf(to, "scorefield");
    for (int i = 1; i < argc; i++) {
        const bool is_plain =
            argv[i][0] != '\0' && argv[i][strspn(argv[i], plain)] == '\0';
        *to++ = ' ';
        if (!is_plain)
            *to++ = '\'';
        for (const char *p = argv[i]; *p != '\0'; p++)
            if (*p == '\'')
                to += sprintf(to, "'\\''");
            else
                *to++ = *p;
        if (!is_plain)
            *to++ = '\'';
    }
    *to = '\0';
    return text;
}

static sf_status check_operands(cli *c)
{
    const cli_command *command = c->command;
    if (c->operand_count < command->least)
        return cli_too_few_operands(c);
    if (command->most >= 0 && c->operand_count > command->most) {
        char shown[SFI_SHOW_SIZE];
        const char *extra = c->operands[command->most];
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "unexpected argument %s; want: scorefield %s %s",
                        sfi_show(shown, extra, strlen(extra)), command->name,
                        command->usage);
    }
    return SF_OK;
}

/* Parse, then do what is asked; `values` belongs to the caller. */
static sf_status run_command(cli *c, void *values, int argc, char **argv)
{
    SFI_TRY(cli_parse(c, values, argc, argv));
    if (c->common.help) {
        cli_print_help(stdout, c->command);
        return SF_OK;
    }
    if (c->common.version) {
        printf("scorefield %s\n", sf_version());
        return SF_OK;
    }
    SFI_TRY(check_operands(c));
    SFI_TRY(sf_context_set_threads(c->ctx, (int)c->common.threads));
    c->report = json_object();
    if (c->report == NULL)
        return SFI_FAIL(c->ctx, SF_E_NOMEM, "out of memory");
    sf_context_set_warning(c->ctx, cli_on_warning, c);
    return c->command->run(c, values);
}

static sf_status dispatch(cli *c, int argc, char **argv)
{
    c->command = cli_find_command(cli_commands, argv[1]);
    if (c->command == NULL)
        return cli_no_command(c, argv[1]);
    const size_t size = c->command->size > 0 ? c->command->size : 1;
    size_t length = 0;
    char *line = quote_command_line(c->ctx, argc, argv, &length);
    void *values = sfi_alloc_zero(c->ctx, 1, size);
    c->command_line = line;
    sf_status status = SF_E_NOMEM;
    if (line != NULL && values != NULL)
        status = run_command(c, values, argc - 2, argv + 2);
    json_decref(c->report);
    sfi_free(c->ctx, values, 1, size);
    sfi_free(c->ctx, line, length, 1);
    return status;
}

/* "scorefield: sample: ..."; a function of the library that is called like the
 * command says so itself. */
static void print_error(const cli *c)
{
    const char *message = sf_context_message(c->ctx);
    const char *name = c->command != NULL ? c->command->name : "";
    const size_t n = strlen(name);
    const bool is_said = n > 0 && strncmp(message, name, n) == 0 &&
                         strncmp(message + n, ": ", 2) == 0;
    fprintf(stderr, "scorefield: %s%s", is_said ? "" : name,
            is_said || n == 0 ? "" : ": ");
    cli_print_message(stderr, message);
    fputc('\n', stderr);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        cli_print_overview(stderr, cli_commands);
        return 2;
    }
    if (argv[1][0] != '-') /* a command */
        cli_be_patient(argv);
    cli c = {.commands = cli_commands};
    sf_status status = SF_OK;
    if (sf_context_new(&c.ctx, NULL) != SF_OK) {
        fprintf(stderr, "scorefield: out of memory\n");
        return 1;
    }
    if (strcmp(argv[1], "--version") == 0)
        printf("scorefield %s\n", sf_version());
    else if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        cli_print_overview(stdout, cli_commands);
    else
        status = dispatch(&c, argc, argv);
    /* What stdout still holds may not fit on its disk. */
    if (status == SF_OK && (fflush(stdout) != 0 || ferror(stdout) != 0))
        status = SFI_FAIL(c.ctx, SF_E_IO, "<stdout>: cannot be written");
    if (status != SF_OK)
        print_error(&c);
    sf_context_free(c.ctx);
    return exit_status(status);
}
