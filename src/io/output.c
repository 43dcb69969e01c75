/* SPDX-License-Identifier: Apache-2.0 */
/* output.c - files that appear under their name only when they are complete.
 *
 * rename() within one directory replaces the old file in one step, so a reader
 * sees the old bytes or the new ones.  The temporary name is short and starts
 * with a dot; it does not contain the final name, which may be as long as the
 * file system allows.  Nothing is synchronised to the disk: the promise is
 * about programs that stop, not about power that fails. */
#define _POSIX_C_SOURCE   200809L
#define _XOPEN_SOURCE     700
#define _FILE_OFFSET_BITS 64
#include "io/output.h"

#include "io/input.h"
#include "num/decimal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER_SIZE = 1 << 16, ROOM = 4096, TRIES = 100 };

struct sfi_output {
    sf_context *ctx;
    int file;        /* descriptor; -1 for memory                          */
    bool is_ours;    /* the descriptor is to be closed                     */
    char *name;      /* what messages call it                              */
    char *target;    /* where the file goes in the end; NULL: it is there  */
    char *temporary; /* where it is until then                             */
    sf_status status;
    char *buffer;
    size_t used, capacity;
};

/* ---- opening -------------------------------------------------------------- */

static void free_output(sfi_output *out)
{
    sf_context *ctx = out->ctx;
    if (out->is_ours && out->file >= 0)
        close(out->file);
    if (out->temporary != NULL)
        unlink(out->temporary);
    sfi_free_text(ctx, out->name);
    sfi_free_text(ctx, out->target);
    sfi_free_text(ctx, out->temporary);
    sfi_free(ctx, out->buffer, out->capacity, 1);
    sfi_free(ctx, out, 1, sizeof *out);
}

static sf_status new_output(sf_context *ctx, sfi_output **out, const char *name)
{
    *out = NULL;
    sfi_output *made = sfi_alloc_zero(ctx, 1, sizeof *made);
    if (made == NULL)
        return SF_E_NOMEM;
    made->ctx = ctx;
    made->file = -1;
    made->name = sfi_copy_text(ctx, name);
    made->buffer = sfi_alloc(ctx, BUFFER_SIZE, 1);
    made->capacity = made->buffer != NULL ? BUFFER_SIZE : 0;
    if (made->name == NULL || made->buffer == NULL) {
        free_output(made);
        return SF_E_NOMEM;
    }
    *out = made;
    return SF_OK;
}

static sf_status fail_errno(sfi_output *out, const char *what)
{
    return SFI_FAIL(out->ctx, SF_E_IO, "%s: %s: %s", out->name, what,
                    strerror(errno));
}

/* Create a file that did not exist beside out->target. */
static sf_status create_temporary(sfi_output *out)
{
    static const char pattern[] = ".scorefield-0123456789abcdef.tmp";
    const char *slash = strrchr(out->target, '/');
    const size_t folder = slash != NULL ? (size_t)(slash - out->target) + 1 : 0;
    char *path = sfi_alloc(out->ctx, folder + sizeof pattern, 1);
    if (path == NULL)
        return SF_E_NOMEM;
    memcpy(path, out->target, folder);
    memcpy(path + folder, pattern, sizeof pattern);
    for (int i = 0; i < TRIES && out->file < 0; i++) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        const uint64_t mark =
            ((uint64_t)now.tv_nsec << 20 ^ (uint64_t)now.tv_sec ^
             (uint64_t)getpid() << 40 ^ (uint64_t)(uintptr_t)out) +
            (uint64_t)i;
        snprintf(path + folder, sizeof pattern, ".scorefield-%016llx.tmp",
                 (unsigned long long)mark);
        out->file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (out->file < 0 && errno != EEXIST)
            break;
    }
    if (out->file < 0) {
        const sf_status status = fail_errno(out, "cannot be written");
        sfi_free(out->ctx, path, folder + sizeof pattern, 1);
        return status;
    }
    out->is_ours = true;
    out->temporary = path;
    return SF_OK;
}

/* `name` in the folder of `path`; NULL without memory. */
static char *beside(sf_context *ctx, const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    const size_t folder =
        slash != NULL && name[0] != '/' ? (size_t)(slash - path) + 1 : 0;
    const size_t size = folder + strlen(name) + 1;
    char *text = sfi_alloc(ctx, size, 1);
    if (text == NULL)
        return NULL;
    memcpy(text, path, folder);
    memcpy(text + folder, name, size - folder);
    char *copy = sfi_copy_text(ctx, text);
    sfi_free(ctx, text, size, 1);
    return copy;
}

/* The text of the link at `path`, which ends in a NUL; false if it is none. */
static bool read_link(const char *path, char text[PATH_MAX])
{
    const ssize_t n = readlink(path, text, PATH_MAX - 1);
    if (n < 0)
        return false;
    text[n] = '\0';
    return true;
}

/* A name that is not there yet, with its folder from the root on. */
static char *place_of_new(sf_context *ctx, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    char *dot = beside(ctx, path, ".");
    if (dot == NULL)
        return NULL;
    char *folder = realpath(dot, NULL);
    sfi_free_text(ctx, dot);
    if (folder == NULL)
        return sfi_copy_text(ctx, path);
    const size_t size = strlen(folder) + 2;
    char *with_slash = sfi_alloc(ctx, size, 1);
    char *made = NULL;
    if (with_slash != NULL) {
        snprintf(with_slash, size, "%s/", folder);
        made = beside(ctx, with_slash, name);
    }
    sfi_free(ctx, with_slash, size, 1);
    free(folder);
    return made;
}

char *sfi_output_target(sf_context *ctx, const char *path)
{
    enum { MOST_LINKS = 40 };
    char link[PATH_MAX];
    char *at = sfi_copy_text(ctx, path);
    for (int i = 0; at != NULL && i < MOST_LINKS; i++) {
        char *real = realpath(at, NULL);
        char *next = NULL;
        if (real != NULL) {
            next = sfi_copy_text(ctx, real);
            free(real);
            sfi_free_text(ctx, at);
            return next;
        }
        if (!read_link(at, link))
            break;
        next = beside(ctx, at, link);
        sfi_free_text(ctx, at);
        at = next;
    }
    char *made = at != NULL ? place_of_new(ctx, at) : NULL;
    sfi_free_text(ctx, at);
    return made;
}

/* The last part of a name may be as long as the file system has it. */
static sf_status check_length(sfi_output *out)
{
    const char *slash = strrchr(out->target, '/');
    const char *name = slash != NULL ? slash + 1 : out->target;
    char *folder = beside(out->ctx, out->target, ".");
    if (folder == NULL)
        return SF_E_NOMEM;
    const long most = pathconf(folder, _PC_NAME_MAX);
    sfi_free_text(out->ctx, folder);
    if (most < 0 || strlen(name) <= (size_t)most)
        return SF_OK;
    errno = ENAMETOOLONG;
    return fail_errno(out, "cannot be written");
}

static sf_status open_output(sfi_output *out, const char *path)
{
    if (strcmp(path, "-") == 0) {
        out->file = STDOUT_FILENO;
        return SF_OK;
    }
    struct stat what;
    const bool exists = stat(path, &what) == 0;
    if (exists && S_ISDIR(what.st_mode))
        return SFI_FAIL(out->ctx, SF_E_IO,
                        "%s: is a directory, want a file's name", path);
    if (exists && !S_ISREG(what.st_mode)) {
        out->file = open(path, O_WRONLY | O_CLOEXEC);
        out->is_ours = out->file >= 0;
        return out->is_ours ? SF_OK : fail_errno(out, "cannot be written");
    }
    /* Replacing needs only the directory's permission; a file that says no to
     * writing means it. */
    if (exists && access(path, W_OK) != 0)
        return fail_errno(out, "cannot be written");
    /* A link is kept and what it leads to replaced. */
    out->target = sfi_output_target(out->ctx, path);
    if (out->target == NULL)
        return SF_E_NOMEM;
    SFI_TRY(check_length(out));
    SFI_TRY(create_temporary(out));
    if (exists && fchmod(out->file, what.st_mode & 0777) != 0)
        return fail_errno(out, "cannot be given its permissions");
    return SF_OK;
}

sf_status sfi_output_open(sf_context *ctx, sfi_output **out, const char *path)
{
    SFI_TRY(new_output(ctx, out, strcmp(path, "-") == 0 ? "<stdout>" : path));
    const sf_status status = open_output(*out, path);
    if (status != SF_OK) {
        free_output(*out);
        *out = NULL;
    }
    return status;
}

sf_status sfi_output_try(sf_context *ctx, const char *path)
{
    sfi_output *out = NULL;
    if (sfi_path_is_device(path))
        return SF_OK;
    SFI_TRY(sfi_output_open(ctx, &out, path));
    sfi_output_abort(out);
    return SF_OK;
}

sf_status sfi_output_memory(sf_context *ctx, sfi_output **out)
{
    return new_output(ctx, out, "<memory>");
}

/* ---- writing -------------------------------------------------------------- */

static sf_status write_all(sfi_output *out, const char *bytes, size_t size)
{
    while (size > 0) {
        const size_t most = (size_t)1 << 30;
        const ssize_t n = write(out->file, bytes, size < most ? size : most);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            if (n == 0)
                errno = ENOSPC;
            out->status = fail_errno(out, "cannot be written");
            return out->status;
        }
        bytes += n;
        size -= (size_t)n;
    }
    return SF_OK;
}

/* Make room for `more` bytes in the buffer. */
static sf_status make_room(sfi_output *out, size_t more)
{
    if (out->status != SF_OK || more <= out->capacity - out->used)
        return out->status;
    if (out->file >= 0) {
        const size_t used = out->used;
        out->used = 0;
        return write_all(out, out->buffer, used);
    }
    char *larger = NULL;
    if (more <= SIZE_MAX - out->used)
        larger = sfi_grow(out->ctx, out->buffer, &out->capacity,
                          out->used + more, 1);
    if (larger == NULL)
        out->status = SF_E_NOMEM;
    else
        out->buffer = larger;
    return out->status;
}

sf_status sfi_output_write(sfi_output *out, const void *bytes, size_t size)
{
    if (size == 0)
        return out->status;
    SFI_TRY(make_room(out, size));
    if (size > out->capacity - out->used)
        return write_all(out, bytes, size);
    memcpy(out->buffer + out->used, bytes, size);
    out->used += size;
    return SF_OK;
}

sf_status sfi_output_text(sfi_output *out, const char *text)
{
    return sfi_output_write(out, text, strlen(text));
}

sf_status sfi_output_format(sfi_output *out, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if ((n < 0 || (size_t)n >= sizeof text) && out->status == SF_OK)
        out->status = SFI_FAIL(out->ctx, SF_E_INTERNAL,
                               "%s: a formatted text exceeds %zu bytes",
                               out->name, sizeof text - 1);
    return out->status != SF_OK ? out->status
                                : sfi_output_write(out, text, (size_t)n);
}

char *sfi_output_room(sfi_output *out, size_t size)
{
    return make_room(out, size) == SF_OK ? out->buffer + out->used : NULL;
}

void sfi_output_advance(sfi_output *out, size_t size)
{
    out->used += size;
}

sf_status sfi_output_number(sfi_output *out, double value)
{
    char *room = sfi_output_room(out, SFI_NUMBER_SIZE);
    if (room == NULL)
        return out->status;
    out->used += (size_t)sfi_number_format(value, room);
    return SF_OK;
}

sf_status sfi_output_byte(sfi_output *out, char byte)
{
    char *room = sfi_output_room(out, 1);
    if (room == NULL)
        return out->status;
    *room = byte;
    out->used++;
    return SF_OK;
}

sf_status sfi_output_status(const sfi_output *out)
{
    return out->status;
}

const char *sfi_output_place(const sfi_output *out)
{
    return out->temporary;
}

const void *sfi_output_bytes(const sfi_output *out, size_t *size)
{
    *size = out->used;
    return out->buffer;
}

/* ---- closing -------------------------------------------------------------- */

static sf_status finish(sfi_output *out)
{
    SFI_TRY(out->status);
    if (out->file < 0)
        return SF_OK;
    SFI_TRY(write_all(out, out->buffer, out->used));
    if (!out->is_ours)
        return SF_OK;
    /* Some file systems report a full disk only here. */
    const int failed = close(out->file);
    out->file = -1;
    if (failed && errno != EINTR)
        return fail_errno(out, "cannot be written");
    if (out->temporary == NULL)
        return SF_OK;
    if (rename(out->temporary, out->target) != 0)
        return fail_errno(out, "cannot be put in place");
    sfi_free_text(out->ctx, out->temporary);
    out->temporary = NULL;
    return SF_OK;
}

sf_status sfi_output_commit(sfi_output *out)
{
    if (out == NULL)
        return SF_OK;
    const sf_status status = finish(out);
    free_output(out);
    return status;
}

void sfi_output_abort(sfi_output *out)
{
    if (out != NULL)
        free_output(out);
}

sf_status sfi_output_close(sfi_output *out, sf_status status)
{
    if (status == SF_OK)
        return sfi_output_commit(out);
    sfi_output_abort(out);
    return status;
}
