/* SPDX-License-Identifier: Apache-2.0 */
/* context.h - messages, memory and progress as the library's own code uses
 * them. */
#ifndef SFI_CONTEXT_H
#define SFI_CONTEXT_H

#include "base/compiler.h"
#include "scorefield/base.h"

/* Record a message and return `status`:
 *     return SFI_FAIL(ctx, SF_E_ARG, "langevin: step is %g, want > 0", h); */
#define SFI_FAIL(ctx, status, ...) sfi_fail((ctx), (status), __VA_ARGS__)

/* Leave the function if `call` failed.  For functions that own nothing. */
#define SFI_TRY(call)                                                          \
    do {                                                                       \
        const sf_status sfi_try_ = (call);                                     \
        if (sfi_try_ != SF_OK)                                                 \
            return sfi_try_;                                                   \
    } while (0)

/* Leave for the function's `done:` label if `call` failed; needs a local
 * `sf_status status`. */
#define SFI_CHECK(call)                                                        \
    do {                                                                       \
        status = (call);                                                       \
        if (status != SF_OK)                                                   \
            goto done;                                                         \
    } while (0)

sf_status sfi_fail(sf_context *ctx, sf_status status, const char *format, ...)
    SFI_PRINTF(3, 4);

/* Put "prefix: " before the message that is there, e.g. a file's name. */
void sfi_message_prefix(sf_context *ctx, const char *format, ...)
    SFI_PRINTF(2, 3);

/* Forget the message. */
void sfi_message_clear(sf_context *ctx);

/* Tell the caller of something about an answer (sf_context_set_warning()); a
 * text that does not fit in 1023 bytes is cut. */
void sfi_warn(sf_context *ctx, const char *format, ...) SFI_PRINTF(2, 3);

/* Who listens to a context, and nobody until sfi_context_unmute(): for steps of a
 * computation whose own warnings and progress would mislead. */
typedef struct sfi_listeners {
    sf_progress_fn progress;
    sf_warning_fn warning;
    void *progress_user, *warning_user;
} sfi_listeners;
void sfi_context_mute(sf_context *ctx, sfi_listeners *kept);
void sfi_context_unmute(sf_context *ctx, const sfi_listeners *kept);

/* Memory for count*size bytes, aligned to 64; NULL if the product overflows or
 * there is none (the message says how much was wanted).  count 0 gives a valid
 * pointer.  Free with the same count and size. */
void *sfi_alloc(sf_context *ctx, size_t count, size_t size);
void *sfi_alloc_zero(sf_context *ctx, size_t count, size_t size);
void sfi_free(sf_context *ctx, void *pointer, size_t count, size_t size);

/* Grow an array to at least `want` elements, keeping the first *have; doubles.
 * Returns the new pointer and stores the new capacity in *have, or NULL with
 * the old array untouched. */
void *sfi_grow(sf_context *ctx, void *pointer, size_t *have, size_t want,
               size_t size);

/* A copy of `text` (sfi_free_text frees it), or NULL. */
char *sfi_copy_text(sf_context *ctx, const char *text);
void sfi_free_text(sf_context *ctx, char *text);

/* A thing of some library that is expensive to make, and is kept for the next call with
 * this context: NULL until it is given, released with the context. */
void *sfi_context_kept(const sf_context *ctx);
void sfi_context_keep(sf_context *ctx, void *thing, void (*release)(void *));

/* Report progress if a callback is installed and `force` or 100 ms have passed.
 * Returns false if the callback asked to stop. */
bool sfi_progress(sf_context *ctx, const sf_progress *progress, bool force);

/* Seconds on a clock that only goes forward. */
double sfi_clock(void);

/* Copy the caller's options over the defaults in `options`.  Both structs begin
 * with `size_t size`; a caller compiled against an older header has a smaller
 * one, and the fields it does not know keep their defaults.
 * Returns SF_OK or SF_E_ARG (a size of 0, or larger than this library's). */
sf_status sfi_options(sf_context *ctx, void *options, size_t size,
                      const void *given);

/* The same the other way: copy a result of this library's `size` over the caller's,
 * as far as its own size goes, which stays. */
void sfi_result(void *given, const void *result, size_t size);

#endif
