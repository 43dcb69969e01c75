/* SPDX-License-Identifier: Apache-2.0 */
/* files.c - what goes where, and what is said about it. */
#define _POSIX_C_SOURCE 200809L
#include "cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void say(const cli *c, const char *format, va_list args)
{
    fprintf(stderr, "scorefield: %s: ", c->command->name);
    vfprintf(stderr, format, args);
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

sf_status cli_check_folder(cli *c, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct stat about;
    if (slash == NULL || slash == path)
        return SF_OK;
    char *folder = sfi_alloc(c->ctx, (size_t)(slash - path) + 1, 1);
    if (folder == NULL)
        return SF_E_NOMEM;
    memcpy(folder, path, (size_t)(slash - path));
    folder[slash - path] = '\0';
    int error = stat(folder, &about) != 0 ? errno : 0;
    if (error == 0 && !S_ISDIR(about.st_mode))
        error = ENOTDIR;
    sfi_free(c->ctx, folder, (size_t)(slash - path) + 1, 1);
    return error == 0 ? SF_OK
                      : SFI_FAIL(c->ctx, SF_E_IO, "%s: cannot be written: %s",
                                 path, strerror(error));
}

sf_status cli_check_output(cli *c, const char *path, bool is_binary)
{
    if (path == NULL)
        return SFI_FAIL(c->ctx, SF_E_ARG, "-o FILE is missing");
    if (strcmp(path, "-") != 0)
        return cli_check_folder(c, path);
    if (c->common.json)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--json writes to stdout, so -o must name a file");
    if (is_binary && isatty(STDOUT_FILENO))
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "-o - would write binary data to a terminal; name a "
                        "file, or use a pipe");
    return SF_OK;
}

sf_status cli_check_table_output(cli *c, const char *path)
{
    if (strcmp(path, "-") == 0 || cli_has_extension(path, ".csv") ||
        cli_has_extension(path, ".npy"))
        return SF_OK;
    return SFI_FAIL(c->ctx, SF_E_ARG,
                    "-o is \"%s\"; tables are written to .csv and .npy files, "
                    "and to - as CSV",
                    path);
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

sf_status cli_data_error(cli *c, sf_status status, const char *path)
{
    if (status != SF_E_ARG && status != SF_E_SHAPE && status != SF_E_NUMERIC)
        return status;
    sfi_message_prefix(c->ctx, "%s: ", cli_shown_path(path));
    return SF_E_FORMAT;
}
