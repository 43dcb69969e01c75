/* SPDX-License-Identifier: Apache-2.0 */
/* commands.c - commands by their names, and what is said where there is none, or it
 * lacks operands.  Which commands there are is main.c's; whoever asks has the list from
 * there, so that a command may look for others (help.c) and knows none of them. */
#include "cli/cli.h"

#include "base/text.h"

#include <string.h>

static const char *command_name(const void *user, int i)
{
    const cli_command *const *commands = user;
    return commands[i] != NULL ? commands[i]->name : NULL;
}

const cli_command *cli_find_command(const cli_command *const *commands,
                                    const char *name)
{
    for (int i = 0; commands[i] != NULL; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

sf_status cli_no_command(cli *c, const char *name)
{
    char shown[SFI_SHOW_SIZE];
    const char *nearest = sfi_nearest_word(name, command_name, c->commands);
    sfi_show(shown, name, strlen(name));
    if (nearest != NULL)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "unknown command %s; did you mean %s?", shown, nearest);
    return SFI_FAIL(c->ctx, SF_E_ARG,
                    "unknown command %s; `scorefield --help` lists them",
                    shown);
}

sf_status cli_too_few_operands(cli *c)
{
    const cli_command *command = c->command;
    return SFI_FAIL(c->ctx, SF_E_ARG,
                    "want: scorefield %s %s; `scorefield help %s` explains",
                    command->name, command->usage, command->name);
}
