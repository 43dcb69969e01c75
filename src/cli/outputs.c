/* SPDX-License-Identifier: Apache-2.0 */
/* outputs.c - whether what a command will write can be written, and takes nothing
 * away: looked at before any work begins.
 *
 * Two names are the same file if they lead to the same place over links, or to the
 * same inode (a second name of one file).  Devices and pipes are written to by
 * whoever likes. */
#define _POSIX_C_SOURCE 200809L
#include "cli/cli.h"

#include "io/input.h"
#include "io/output.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static sf_status check_stream(cli *c, const cli_file *f)
{
    if (c->common.json)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--json writes to stdout, so %s must name a file",
                        f->option);
    if (f->is_binary && isatty(STDOUT_FILENO))
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "%s - would write binary data to a terminal; name a "
                        "file, or use a pipe",
                        f->option);
    return SF_OK;
}

/* Whether the path ends in one of "a|b". */
static bool has_ending(const char *path, const char *endings)
{
    char ending[16];
    for (int i = 0;; i++) {
        cli_choice(endings, i, ending, sizeof ending);
        if (ending[0] == '\0')
            return false;
        if (cli_has_extension(path, ending))
            return true;
    }
}

static sf_status check_output(cli *c, const cli_file *f)
{
    if (f->path == NULL)
        return SFI_FAIL(c->ctx, SF_E_ARG, "%s FILE is missing", f->option);
    if (strcmp(f->path, "-") == 0)
        return check_stream(c, f);
    if (sfi_path_is_device(f->path))
        return SF_OK;
    if (f->endings != NULL && !has_ending(f->path, f->endings))
        return SFI_FAIL(c->ctx, SF_E_ARG, "%s is \"%s\", want %s", f->option,
                        f->path, f->want);
    return sfi_output_try(c->ctx, f->path);
}

static bool is_one_file(const char *a, const char *b, const char *place_of_a,
                        const char *place_of_b)
{
    struct stat first, second;
    if (strcmp(place_of_a, place_of_b) == 0)
        return true;
    return stat(a, &first) == 0 && stat(b, &second) == 0 &&
           first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

static sf_status fail_pair(cli *c, const cli_file *a, const cli_file *b)
{
    if (b->is_output)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "%s %s and %s %s are one file; want two", a->option,
                        a->path, b->option, b->path);
    return SFI_FAIL(c->ctx, SF_E_ARG,
                    "%s %s would overwrite %s, which is read; want another "
                    "name",
                    a->option, a->path, b->path);
}

/* An output `a` and another file. */
static sf_status check_pair(cli *c, const cli_file *a, const cli_file *b)
{
    if (b->path == NULL || sfi_path_is_device(a->path) ||
        sfi_path_is_device(b->path) ||
        (a->goes_on != NULL && b->option != NULL &&
         strcmp(a->goes_on, b->option) == 0))
        return SF_OK;
    char *places[] = {sfi_output_target(c->ctx, a->path),
                      sfi_output_target(c->ctx, b->path)};
    sf_status status = SF_OK;
    if (places[0] == NULL || places[1] == NULL)
        status = SF_E_NOMEM;
    else if (is_one_file(a->path, b->path, places[0], places[1]))
        status = fail_pair(c, a, b);
    for (int i = 0; i < 2; i++)
        sfi_free_text(c->ctx, places[i]);
    return status;
}

sf_status cli_check_files(cli *c, const cli_file *files, int count)
{
    for (int i = 0; i < count; i++) {
        if (!files[i].is_output || (files[i].path == NULL && files[i].optional))
            continue;
        SFI_TRY(check_output(c, &files[i]));
        for (int k = 0; k < c->operand_count; k++)
            SFI_TRY(
                check_pair(c, &files[i], &(cli_file){.path = c->operands[k]}));
        for (int k = 0; k < count; k++)
            if (!files[k].is_output || k < i)
                SFI_TRY(check_pair(c, &files[i], &files[k]));
    }
    return SF_OK;
}
