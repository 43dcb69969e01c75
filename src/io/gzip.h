/* SPDX-License-Identifier: Apache-2.0 */
/* gzip.h - what gzip made smaller, as it was (RFC 1952), by zlib. */
#ifndef SFI_GZIP_H
#define SFI_GZIP_H

#include "base/context.h"

typedef struct sfi_gzip sfi_gzip;

/* Reads on: as sfi_input_read(). */
typedef sf_status (*sfi_read_fn)(void *user, void *bytes, size_t want,
                                 size_t *got);

/* Whether these are the first bytes of such a file. */
bool sfi_gzip_begins(const void *bytes, size_t size);

/* Expand what `read` gives, at most `most` bytes of it; `name` is what messages
 * call the file.  Both stay the caller's.
 * Returns SF_OK or SF_E_NOMEM; on failure *out is NULL. */
sf_status sfi_gzip_new(sf_context *ctx, sfi_gzip **out, const char *name,
                       sfi_read_fn read, void *user, int64_t most);

/* NULL is allowed. */
void sfi_gzip_free(sfi_gzip *gzip);

/* The next `want` bytes, fewer only at the end, which the file's own check has
 * found right.
 * Returns SF_OK; SF_E_FORMAT (cut off, broken, more than `most`), SF_E_NOMEM, or
 * what `read` gave. */
sf_status sfi_gzip_read(sfi_gzip *gzip, void *bytes, size_t want, size_t *got);

/* Begin again, after `read` did. */
void sfi_gzip_rewind(sfi_gzip *gzip);

#endif
