/* SPDX-License-Identifier: Apache-2.0 */
/* output.h - files that appear under their name only when they are complete.
 *
 *     sfi_output *out = NULL;
 *     SFI_TRY(sfi_output_open(ctx, &out, path));
 *     sfi_output_text(out, "a,b\n");
 *     sfi_output_number(out, 0.5);
 *     return sfi_output_close(out, SF_OK);
 *
 * What is written goes to a temporary file in the same directory, which takes
 * the place of `path` when it is closed; what was at `path` stays whole until
 * then, and if anything fails or the program dies.  "-" is standard output.
 * A path that names a device or a pipe is written to directly.
 *
 * Errors stick: after the first one nothing more is written and every call,
 * the closing one included, returns it. */
#ifndef SFI_OUTPUT_H
#define SFI_OUTPUT_H

#include "base/context.h"

typedef struct sfi_output sfi_output;

/* Begin to write `path`.  A symbolic link is followed; a file that is replaced
 * hands its permissions on.
 * Returns SF_OK; SF_E_IO (the message names the path), SF_E_NOMEM; on failure
 * *out is NULL and nothing was created. */
sf_status sfi_output_open(sf_context *ctx, sfi_output **out, const char *path);

/* Whether that would go well: as sfi_output_open(), and nothing is left behind.  A
 * device or a pipe is not opened, since a reader would take that for the end. */
sf_status sfi_output_try(sf_context *ctx, const char *path);

/* The file that `path` leads to over links, one that is not there yet too, from the
 * root on where that is known: the same text for the same file.  sfi_free_text()
 * frees it; NULL without memory. */
char *sfi_output_target(sf_context *ctx, const char *path);

/* Write to memory; see sfi_output_bytes().  Returns SF_OK or SF_E_NOMEM. */
sf_status sfi_output_memory(sf_context *ctx, sfi_output **out);

/* Append bytes, a text, a formatted text of at most 1023 bytes, a number as
 * sfi_number_format() writes it.  Return SF_OK or the first error: SF_E_IO (the
 * message names the path), SF_E_NOMEM (memory outputs). */
sf_status sfi_output_write(sfi_output *out, const void *bytes, size_t size);
sf_status sfi_output_text(sfi_output *out, const char *text);
sf_status sfi_output_format(sfi_output *out, const char *format, ...)
    SFI_PRINTF(2, 3);
sf_status sfi_output_number(sfi_output *out, double value);
sf_status sfi_output_byte(sfi_output *out, char byte);

/* Room for `size` bytes (<= 4096) that the caller fills and then counts with
 * sfi_output_advance(); NULL after an error.  For writers of very many small
 * pieces. */
char *sfi_output_room(sfi_output *out, size_t size);
void sfi_output_advance(sfi_output *out, size_t size);

/* The first error so far, SF_OK if there is none. */
sf_status sfi_output_status(const sfi_output *out);

/* Where the file is until it takes its name, for libraries that write files
 * themselves: nothing may be appended here then.  NULL for memory, standard
 * output, devices and pipes. */
const char *sfi_output_place(const sfi_output *out);

/* What a memory output holds; valid until it is closed. */
const void *sfi_output_bytes(const sfi_output *out, size_t *size);

/* Finish and free: the file takes its name if every write succeeded and is
 * removed otherwise.  NULL is allowed.  Returns SF_OK or the first error. */
sf_status sfi_output_commit(sfi_output *out);

/* Remove what was written and free.  NULL is allowed. */
void sfi_output_abort(sfi_output *out);

/* Commit if `status` is SF_OK, else abort.  Returns `status` if that is an
 * error, else what committing gave. */
sf_status sfi_output_close(sfi_output *out, sf_status status);

#endif
