/* SPDX-License-Identifier: Apache-2.0 */
/* input.c - bytes from a file, from standard input or from memory. */
#define _POSIX_C_SOURCE   200809L
#define _FILE_OFFSET_BITS 64
#include "io/input.h"

#include "io/gzip.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct sfi_input {
    sf_context *ctx;
    char *name;
    const unsigned char *memory; /* NULL for a file                       */
    int file;                    /* descriptor, -1 for memory             */
    bool is_ours;                /* the descriptor is to be closed        */
    int64_t size;                /* -1 if unknown                         */
    int64_t start;               /* where a file stood when it was opened */
    int64_t at;                  /* bytes of memory read so far           */
    sfi_input *inner;            /* what `gzip` reads; or NULL            */
    sfi_gzip *gzip;
    char *head; /* [SFI_INPUT_PEEK] or NULL: bytes that were looked at   */
    size_t head_size, head_at;
};

bool sfi_path_is_device(const char *path)
{
    struct stat what;
    return strcmp(path, "-") == 0 ||
           (stat(path, &what) == 0 && !S_ISREG(what.st_mode) &&
            !S_ISDIR(what.st_mode));
}

static sf_status new_input(sf_context *ctx, sfi_input **out, const char *name)
{
    *out = NULL;
    sfi_input *input = sfi_alloc_zero(ctx, 1, sizeof *input);
    if (input == NULL)
        return SF_E_NOMEM;
    input->ctx = ctx;
    input->file = -1;
    input->name = sfi_copy_text(ctx, name);
    if (input->name == NULL) {
        sfi_free(ctx, input, 1, sizeof *input);
        return SF_E_NOMEM;
    }
    *out = input;
    return SF_OK;
}

sf_status sfi_input_memory(sf_context *ctx, sfi_input **out, const char *name,
                           const void *bytes, size_t size)
{
    SFI_TRY(new_input(ctx, out, name));
    (*out)->memory = bytes != NULL ? bytes : (const unsigned char *)"";
    (*out)->size = (int64_t)size;
    return SF_OK;
}

static sf_status open_file(sfi_input *input, const char *path)
{
    sf_context *ctx = input->ctx;
    if (strcmp(path, "-") == 0) {
        input->file = STDIN_FILENO;
    } else {
        input->file = open(path, O_RDONLY | O_CLOEXEC);
        input->is_ours = input->file >= 0;
    }
    if (input->file < 0)
        return SFI_FAIL(ctx, SF_E_IO, "%s: cannot be opened: %s", path,
                        strerror(errno));
    struct stat what;
    if (fstat(input->file, &what) != 0)
        return SFI_FAIL(ctx, SF_E_IO, "%s: cannot be read: %s", input->name,
                        strerror(errno));
    if (S_ISDIR(what.st_mode))
        return SFI_FAIL(ctx, SF_E_IO, "%s: is a directory, want a file",
                        input->name);
    const off_t start = lseek(input->file, 0, SEEK_CUR);
    const bool seeks = S_ISREG(what.st_mode) && start >= 0;
    input->start = seeks ? start : -1;
    input->size = !seeks ? -1 : what.st_size > start ? what.st_size - start : 0;
    return SF_OK;
}

sf_status sfi_input_open(sf_context *ctx, sfi_input **out, const char *path)
{
    SFI_TRY(new_input(ctx, out, strcmp(path, "-") == 0 ? "<stdin>" : path));
    const sf_status status = open_file(*out, path);
    if (status != SF_OK) {
        sfi_input_close(*out);
        *out = NULL;
    }
    return status;
}

void sfi_input_close(sfi_input *input)
{
    if (input == NULL)
        return;
    if (input->is_ours)
        close(input->file);
    sfi_gzip_free(input->gzip);
    sfi_input_close(input->inner);
    sfi_free(input->ctx, input->head, SFI_INPUT_PEEK, 1);
    sfi_free_text(input->ctx, input->name);
    sfi_free(input->ctx, input, 1, sizeof *input);
}

const char *sfi_input_name(const sfi_input *input)
{
    return input->name;
}

int64_t sfi_input_size(const sfi_input *input)
{
    return input->size;
}

/* Some systems refuse to read 2 GiB at a time. */
static size_t portion(size_t want)
{
    return want < (size_t)1 << 30 ? want : (size_t)1 << 30;
}

/* As many of `want` bytes of the file as there are, from byte `at`, or where it is
 * read next if that is -1. */
static sf_status read_file(sfi_input *input, off_t at, void *bytes, size_t want,
                           size_t *got)
{
    for (*got = 0; *got < want;) {
        void *to = (char *)bytes + *got;
        const size_t size = portion(want - *got);
        const ssize_t n = at < 0
                              ? read(input->file, to, size)
                              : pread(input->file, to, size, at + (off_t)*got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return SFI_FAIL(input->ctx, SF_E_IO, "%s: cannot be read: %s",
                            input->name, strerror(errno));
        if (n == 0)
            break;
        *got += (size_t)n;
    }
    return SF_OK;
}

static sf_status read_on(sfi_input *input, void *bytes, size_t want,
                         size_t *got)
{
    *got = 0;
    if (input->gzip != NULL)
        return sfi_gzip_read(input->gzip, bytes, want, got);
    if (input->memory != NULL) {
        const size_t rest = (size_t)(input->size - input->at);
        *got = want < rest ? want : rest;
        memcpy(bytes, input->memory + input->at, *got);
        input->at += (int64_t)*got;
        return SF_OK;
    }
    return read_file(input, -1, bytes, want, got);
}

sf_status sfi_input_read(sfi_input *input, void *bytes, size_t want,
                         size_t *got)
{
    const size_t rest = input->head_size - input->head_at;
    const size_t known = want < rest ? want : rest;
    if (known > 0)
        memcpy(bytes, input->head + input->head_at, known);
    input->head_at += known;
    *got = known;
    if (known == want)
        return SF_OK;
    size_t more = 0;
    SFI_TRY(read_on(input, (char *)bytes + known, want - known, &more));
    *got += more;
    return SF_OK;
}

sf_status sfi_input_peek(sfi_input *input, size_t want, const char **bytes,
                         size_t *got)
{
    *bytes = "";
    *got = 0;
    if (input->head == NULL)
        input->head = sfi_alloc(input->ctx, SFI_INPUT_PEEK, 1);
    if (input->head == NULL)
        return SF_E_NOMEM;
    if (input->head_size < want) {
        size_t more = 0;
        SFI_TRY(read_on(input, input->head + input->head_size,
                        want - input->head_size, &more));
        input->head_size += more;
    }
    *bytes = input->head;
    *got = input->head_size < want ? input->head_size : want;
    return SF_OK;
}

/* ---- gzip ----------------------------------------------------------------- */

static sf_status read_inner(void *user, void *bytes, size_t want, size_t *got)
{
    return sfi_input_read(user, bytes, want, got);
}

sf_status sfi_input_expand(sf_context *ctx, sfi_input **input, int64_t most)
{
    const char *bytes = NULL;
    size_t got = 0;
    sfi_input *outer = NULL;
    SFI_TRY(sfi_input_peek(*input, 2, &bytes, &got));
    if (!sfi_gzip_begins(bytes, got))
        return SF_OK;
    SFI_TRY(new_input(ctx, &outer, (*input)->name));
    const sf_status status =
        sfi_gzip_new(ctx, &outer->gzip, outer->name, read_inner, *input, most);
    if (status != SF_OK) {
        sfi_input_close(outer);
        return status;
    }
    outer->size = -1;
    outer->inner = *input;
    *input = outer;
    return SF_OK;
}

static sf_status fail_short(sfi_input *input, uint64_t offset, size_t size)
{
    return SFI_FAIL(input->ctx, SF_E_FORMAT,
                    "%s: ends before byte %llu, which the header promises",
                    input->name, (unsigned long long)(offset + size));
}

sf_status sfi_input_read_at(sfi_input *input, uint64_t offset, void *bytes,
                            size_t size)
{
    if (input->size < 0 || offset > (uint64_t)input->size ||
        size > (uint64_t)input->size - offset)
        return fail_short(input, offset, size);
    if (input->memory != NULL) {
        memcpy(bytes, input->memory + offset, size);
        return SF_OK;
    }
    size_t got = 0;
    SFI_TRY(read_file(input, (off_t)(input->start + (int64_t)offset), bytes,
                      size, &got));
    return got == size ? SF_OK : fail_short(input, offset, size);
}

sf_status sfi_input_rewind(sfi_input *input)
{
    if (input->gzip != NULL) {
        SFI_TRY(sfi_input_rewind(input->inner));
        sfi_gzip_rewind(input->gzip);
        input->head_size = input->head_at = 0;
        return SF_OK;
    }
    if (input->memory != NULL) {
        input->head_size = input->head_at = 0;
        input->at = 0;
        return SF_OK;
    }
    if (input->start < 0 ||
        lseek(input->file, (off_t)input->start, SEEK_SET) < 0)
        return SFI_FAIL(input->ctx, SF_E_UNSUPPORTED,
                        "%s: can be read only once; save it to a file first",
                        input->name);
    input->head_size = input->head_at = 0;
    return SF_OK;
}
