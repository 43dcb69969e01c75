/* SPDX-License-Identifier: Apache-2.0 */
/* files.c - what goes where, and what is said about it. */
#include "cli/cli.h"

#include "base/text.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

void cli_print_escaped(FILE *to, const char *text, const char *kept)
{
    char piece[256];
    for (size_t left = strlen(text); left > 0;) {
        const size_t done = sfi_escape(piece, sizeof piece, text, left, kept);
        fputs(piece, to);
        text += done;
        left -= done;
    }
}

void cli_print_message(FILE *to, const char *text)
{
    cli_print_escaped(to, text, "\\\n");
}

static void say(const cli *c, const char *format, va_list args)
{
    char text[2048];
    vsnprintf(text, sizeof text, format, args);
    fprintf(stderr, "scorefield: %s: ", c->command->name);
    cli_print_message(stderr, text);
    fputc('\n', stderr);
}

void cli_note(const cli *c, const char *format, ...)
{
    if (c->common.quiet)
        return;
    va_list args;
    va_start(args, format);
    say(c, format, args);
    va_end(args);
}

void cli_warn(const cli *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(c, format, args);
    va_end(args);
}

void cli_on_warning(void *user, const char *text)
{
    const cli *c = user;
    json_t *all = json_object_get(c->report, "warnings");
    for (size_t i = 0; i < json_array_size(all); i++)
        if (strcmp(json_string_value(json_array_get(all, i)), text) == 0)
            return; /* said before, by another verb */
    if (c->shows_progress)
        fprintf(stderr, "\r\033[K");
    cli_warn(c, "warning: %s", text);
    if (all == NULL) {
        json_object_set_new(c->report, "warnings", json_array());
        all = json_object_get(c->report, "warnings");
    }
    /* The report is shorter where there is no memory; the user was told. */
    (void)json_array_append_new(all, json_string(text));
}

bool cli_has_extension(const char *path, const char *extension)
{
    const size_t n = strlen(path), m = strlen(extension);
    if (n <= m)
        return false;
    for (size_t i = 0; i < m; i++)
        if (tolower((unsigned char)path[n - m + i]) != extension[i])
            return false;
    return true;
}

bool cli_holds_fields(const char *path)
{
    return cli_has_extension(path, ".nc") || cli_has_extension(path, ".nc4") ||
           cli_has_extension(path, ".cdf");
}
