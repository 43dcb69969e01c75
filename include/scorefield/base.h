/* SPDX-License-Identifier: Apache-2.0 */
/* base.h - statuses, contexts, progress: what every other header needs.
 *
 * Every function that can fail returns an sf_status.  The text of the last
 * failure - which function, which value, what was expected - is kept in the
 * sf_context that was passed in.  The library never prints, aborts or exits. */
#ifndef SCOREFIELD_BASE_H
#define SCOREFIELD_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SF_API __attribute__((visibility("default")))
#else
#define SF_API
#endif

#define SF_VERSION_MAJOR  0
#define SF_VERSION_MINOR  1
#define SF_VERSION_PATCH  0
#define SF_VERSION_STRING "0.1.0"

/* All statuses.  Append only: the numbers are part of the ABI. */
#define SF_STATUS_LIST(X)                                                      \
    X(SF_OK, 0, "success")                                                     \
    X(SF_E_NOMEM, -1, "out of memory")                                         \
    X(SF_E_ARG, -2, "argument outside its documented range")                   \
    X(SF_E_SHAPE, -3, "shapes do not fit")                                     \
    X(SF_E_NUMERIC, -4, "a number is not finite, or a matrix is singular")     \
    X(SF_E_CONVERGE, -5, "an iteration did not converge")                      \
    X(SF_E_IO, -6, "a file could not be read or written")                      \
    X(SF_E_FORMAT, -7, "a file does not hold what its format demands")         \
    X(SF_E_PARSE, -8, "an expression could not be understood")                 \
    X(SF_E_UNSUPPORTED, -9, "this object cannot answer this question")         \
    X(SF_E_CANCELLED, -10, "stopped by the progress callback")                 \
    X(SF_E_INTERNAL, -11, "a library called by scorefield failed")

typedef enum sf_status {
#define SF_STATUS_ENUM(name, value, text) name = value,
    SF_STATUS_LIST(SF_STATUS_ENUM)
#undef SF_STATUS_ENUM
} sf_status;

/* A short English sentence for a status; never NULL, not to be freed. */
SF_API const char *sf_status_text(sf_status status);

/* "0.1.0".  Not to be freed. */
SF_API const char *sf_version(void);

/* Element types of arrays and programs. */
typedef enum sf_dtype { SF_F32 = 0, SF_F64 = 1 } sf_dtype;

/* Bytes of one element: 4 or 8. */
SF_API size_t sf_dtype_size(sf_dtype dtype);

/* ---- contexts ------------------------------------------------------------
 *
 * A context holds what a caller may choose (allocator, thread count, progress
 * callback) and what it may ask for (the last message).  It is not a global:
 * use one per thread of yours.  Objects keep a pointer to the context they
 * were made with, so it must outlive them. */
typedef struct sf_context sf_context;

/* Memory on demand.  allocate(user, bytes) returns memory aligned to 64 bytes
 * or NULL; release(user, pointer, bytes) accepts what allocate returned. */
typedef struct sf_allocator {
    void *(*allocate)(void *user, size_t bytes);
    void (*release)(void *user, void *pointer, size_t bytes);
    void *user;
} sf_allocator;

/* Make a context.  `allocator` may be NULL (aligned_alloc and free).
 * Returns SF_OK or SF_E_NOMEM; on failure *out is NULL. */
SF_API sf_status sf_context_new(sf_context **out,
                                const sf_allocator *allocator);

/* Free a context; NULL is allowed. */
SF_API void sf_context_free(sf_context *ctx);

/* The message of the last failure, "" if there was none.  Valid until the next
 * call that takes this context. */
SF_API const char *sf_context_message(const sf_context *ctx);

/* Worker threads, 1 to 256; 0 means as many as the machine has cores, which is
 * the default.  Results do not depend on it.  Returns SF_OK or SF_E_ARG. */
SF_API sf_status sf_context_set_threads(sf_context *ctx, int threads);

/* The number of worker threads in use; at least 1. */
SF_API int sf_context_threads(const sf_context *ctx);

/* What long work reports.  Fields that do not apply are 0 (counts) or NaN. */
typedef struct sf_progress {
    const char *stage; /* "fit", "sample", "likelihood", ...               */
    int64_t step;      /* steps done                                        */
    int64_t steps;     /* steps planned; 0 if unknown                       */
    double loss;       /* current training loss                             */
    double held_out;   /* current held-out loss                             */
    double seconds;    /* since the work began                              */
} sf_progress;

/* Called from the thread that called the library, a few times a second at the
 * most.  Return false to stop: `fit` then keeps the best so far, everything
 * else returns SF_E_CANCELLED. */
typedef bool (*sf_progress_fn)(void *user, const sf_progress *progress);

/* Install a callback; NULL removes it. */
SF_API void sf_context_set_progress(sf_context *ctx, sf_progress_fn fn,
                                    void *user);

/* Called where an answer was found and something about it should be known: one
 * sentence without a line end, valid during the call, from the thread that
 * called the library.  A warning is about an answer, never in place of one: what
 * could not be done is a status. */
typedef void (*sf_warning_fn)(void *user, const char *text);

/* Install a callback; NULL, which is the default, lets warnings go. */
SF_API void sf_context_set_warning(sf_context *ctx, sf_warning_fn fn,
                                   void *user);

#ifdef __cplusplus
}
#endif
#endif
