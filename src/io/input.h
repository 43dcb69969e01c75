/* SPDX-License-Identifier: Apache-2.0 */
/* input.h - bytes from a file, from standard input or from memory, as they are or
 * as they were before gzip.
 *
 * Files are read into the caller's buffers and never mapped: a file that
 * another program cuts while it is mapped would kill this one. */
#ifndef SFI_INPUT_H
#define SFI_INPUT_H

#include "base/context.h"

typedef struct sfi_input sfi_input;

/* Whether a path is "-", or is there and neither a regular file nor a folder: a
 * pipe, a terminal, /dev/null. */
bool sfi_path_is_device(const char *path);

/* Open a file for reading; "-" is standard input.
 * Returns SF_OK; SF_E_IO (no such file, a directory, no permission), SF_E_NOMEM;
 * on failure *out is NULL. */
sf_status sfi_input_open(sf_context *ctx, sfi_input **out, const char *path);

/* Read from bytes[0..size-1], which stay the caller's and must outlive the
 * input; `name` is what messages call them.
 * Returns SF_OK or SF_E_NOMEM; on failure *out is NULL. */
sf_status sfi_input_memory(sf_context *ctx, sfi_input **out, const char *name,
                           const void *bytes, size_t size);

/* If *input begins as gzip's files do, let it give what they expand to, at most
 * `most` bytes: of unknown size, without sfi_input_read_at().  Nothing may have
 * been read before.
 * Returns SF_OK; SF_E_IO, SF_E_NOMEM; *input is the caller's to close. */
sf_status sfi_input_expand(sf_context *ctx, sfi_input **input, int64_t most);

enum { SFI_INPUT_PEEK = 1 << 16 };

/* Look at the first `want` <= SFI_INPUT_PEEK bytes, *got where there are fewer,
 * which are read all the same; *bytes is valid until the input is read from.
 * Nothing may have been read before.  Returns as sfi_input_read(), SF_E_NOMEM. */
sf_status sfi_input_peek(sfi_input *input, size_t want, const char **bytes,
                         size_t *got);

/* NULL is allowed. */
void sfi_input_close(sfi_input *input);

/* What messages call it: the path, or "<stdin>". */
const char *sfi_input_name(const sfi_input *input);

/* Bytes in all, or -1 where that cannot be known (a pipe, a terminal). */
int64_t sfi_input_size(const sfi_input *input);

/* Read on: the next `want` bytes, fewer only at the end; *got says how many.
 * Returns SF_OK or SF_E_IO. */
sf_status sfi_input_read(sfi_input *input, void *bytes, size_t want,
                         size_t *got);

/* Read bytes[0..size-1] from byte `offset` on, wherever reading on stands; the
 * size of the input must be known.
 * Returns SF_OK; SF_E_IO, SF_E_FORMAT if the input ends before. */
sf_status sfi_input_read_at(sfi_input *input, uint64_t offset, void *bytes,
                            size_t size);

/* Begin again.  Returns SF_OK, or SF_E_UNSUPPORTED for a pipe or a terminal. */
sf_status sfi_input_rewind(sfi_input *input);

#endif
