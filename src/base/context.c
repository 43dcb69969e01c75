/* SPDX-License-Identifier: Apache-2.0 */
/* context.c - one context: an allocator, a message, a thread count, callbacks
 * for progress and warnings.
 *
 * The message is a fixed buffer so that reporting "out of memory" needs no
 * memory.  A message that does not fit is cut. */
#define _DEFAULT_SOURCE /* madvise() */
#include "base/context.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
    MESSAGE_SIZE = 1024,
    ALIGNMENT = 64,
    LARGE = 4 << 20, /* bytes: pages of 2 MB are worth asking for */
    LARGE_PAGE = 2 << 20,
    MAX_THREADS = 256
};

struct sf_context {
    void *kept;
    void (*release_kept)(void *);
    sf_allocator allocator;
    int threads;
    sf_progress_fn progress;
    void *progress_user;
    sf_warning_fn warning;
    void *warning_user;
    double last_report; /* sfi_clock() of the last progress report */
    char message[MESSAGE_SIZE];
};

const char *sf_status_text(sf_status status)
{
    switch (status) {
#define SF_STATUS_CASE(name, value, text)                                      \
    case name:                                                                 \
        return text;
        SF_STATUS_LIST(SF_STATUS_CASE)
#undef SF_STATUS_CASE
    }
    return "unknown status";
}

const char *sf_version(void)
{
    return SF_VERSION_STRING;
}

size_t sf_dtype_size(sf_dtype dtype)
{
    return dtype == SF_F32 ? sizeof(float) : sizeof(double);
}

/* A large array that is new to the process costs as much to be made as to be computed if
 * its pages come one by one. */
static void *default_allocate(void *user, size_t bytes)
{
    (void)user;
    const size_t unit = bytes >= LARGE ? LARGE_PAGE : ALIGNMENT;
    if (bytes > SIZE_MAX - unit)
        return NULL;
    const size_t rounded = (bytes + unit - 1) / unit * unit;
    void *block = aligned_alloc(unit, rounded > 0 ? rounded : unit);
#if defined(MADV_HUGEPAGE)
    if (block != NULL && unit == LARGE_PAGE)
        (void)madvise(block, rounded, MADV_HUGEPAGE); /* a wish */
#endif
    return block;
}

static void default_release(void *user, void *pointer, size_t bytes)
{
    (void)user;
    (void)bytes;
    free(pointer);
}

sf_status sf_context_new(sf_context **out, const sf_allocator *allocator)
{
    static const sf_allocator standard = {default_allocate, default_release,
                                          NULL};
    const sf_allocator a = allocator != NULL ? *allocator : standard;
    *out = NULL;
    sf_context *ctx = a.allocate(a.user, sizeof *ctx);
    if (ctx == NULL)
        return SF_E_NOMEM;
    memset(ctx, 0, sizeof *ctx);
    ctx->allocator = a;
    const sf_status status = sf_context_set_threads(ctx, 0);
    *out = ctx;
    return status;
}

void sf_context_free(sf_context *ctx)
{
    if (ctx == NULL)
        return;
    if (ctx->kept != NULL)
        ctx->release_kept(ctx->kept);
    const sf_allocator a = ctx->allocator;
    a.release(a.user, ctx, sizeof *ctx);
}

void *sfi_context_kept(const sf_context *ctx)
{
    return ctx->kept;
}

void sfi_context_keep(sf_context *ctx, void *thing, void (*release)(void *))
{
    ctx->kept = thing;
    ctx->release_kept = release;
}

const char *sf_context_message(const sf_context *ctx)
{
    return ctx->message;
}

sf_status sf_context_set_threads(sf_context *ctx, int threads)
{
    if (threads < 0 || threads > MAX_THREADS)
        return SFI_FAIL(ctx, SF_E_ARG, "threads is %d, want 0 to %d", threads,
                        (int)MAX_THREADS);
    if (threads == 0) {
        const long cores = sysconf(_SC_NPROCESSORS_ONLN);
        threads = cores < 1             ? 1
                  : cores > MAX_THREADS ? MAX_THREADS
                                        : (int)cores;
    }
    ctx->threads = threads;
    return SF_OK;
}

int sf_context_threads(const sf_context *ctx)
{
    return ctx->threads;
}

void sf_context_set_progress(sf_context *ctx, sf_progress_fn fn, void *user)
{
    ctx->progress = fn;
    ctx->progress_user = user;
    ctx->last_report = 0.0;
}

void sf_context_set_warning(sf_context *ctx, sf_warning_fn fn, void *user)
{
    ctx->warning = fn;
    ctx->warning_user = user;
}

void sfi_context_mute(sf_context *ctx, sfi_listeners *kept)
{
    *kept = (sfi_listeners){ctx->progress, ctx->warning, ctx->progress_user,
                            ctx->warning_user};
    ctx->progress = NULL;
    ctx->warning = NULL;
}

void sfi_context_unmute(sf_context *ctx, const sfi_listeners *kept)
{
    ctx->progress = kept->progress;
    ctx->warning = kept->warning;
    ctx->progress_user = kept->progress_user;
    ctx->warning_user = kept->warning_user;
}

void sfi_warn(sf_context *ctx, const char *format, ...)
{
    if (ctx->warning == NULL)
        return;
    char text[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    ctx->warning(ctx->warning_user, text);
}

sf_status sfi_fail(sf_context *ctx, sf_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(ctx->message, sizeof ctx->message, format, args);
    va_end(args);
    return status;
}

void sfi_message_prefix(sf_context *ctx, const char *format, ...)
{
    char old[MESSAGE_SIZE];
    memcpy(old, ctx->message, sizeof old);
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(ctx->message, sizeof ctx->message, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof ctx->message)
        snprintf(ctx->message + n, sizeof ctx->message - (size_t)n, "%s", old);
}

void sfi_message_clear(sf_context *ctx)
{
    ctx->message[0] = '\0';
}

void *sfi_alloc(sf_context *ctx, size_t count, size_t size)
{
    void *pointer = NULL;
    if (size == 0 || count <= SIZE_MAX / size)
        pointer = ctx->allocator.allocate(ctx->allocator.user, count * size);
    if (pointer == NULL)
        (void)SFI_FAIL(ctx, SF_E_NOMEM,
                       "out of memory: %zu elements of %zu bytes", count, size);
    return pointer;
}

void *sfi_alloc_zero(sf_context *ctx, size_t count, size_t size)
{
    void *pointer = sfi_alloc(ctx, count, size);
    if (pointer != NULL)
        memset(pointer, 0, count * size);
    return pointer;
}

void sfi_free(sf_context *ctx, void *pointer, size_t count, size_t size)
{
    if (pointer != NULL)
        ctx->allocator.release(ctx->allocator.user, pointer, count * size);
}

void *sfi_grow(sf_context *ctx, void *pointer, size_t *have, size_t want,
               size_t size)
{
    if (want <= *have && pointer != NULL)
        return pointer;
    size_t capacity = *have < 8 ? 8 : *have;
    while (capacity < want)
        capacity = capacity > SIZE_MAX / 2 ? want : capacity * 2;
    void *larger = sfi_alloc(ctx, capacity, size);
    if (larger == NULL)
        return NULL;
    if (pointer != NULL)
        memcpy(larger, pointer, *have * size);
    sfi_free(ctx, pointer, *have, size);
    *have = capacity;
    return larger;
}

char *sfi_copy_text(sf_context *ctx, const char *text)
{
    const size_t bytes = strlen(text) + 1;
    char *copy = sfi_alloc(ctx, bytes, 1);
    if (copy != NULL)
        memcpy(copy, text, bytes);
    return copy;
}

void sfi_free_text(sf_context *ctx, char *text)
{
    if (text != NULL)
        sfi_free(ctx, text, strlen(text) + 1, 1);
}

double sfi_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

bool sfi_progress(sf_context *ctx, const sf_progress *progress, bool force)
{
    if (ctx->progress == NULL)
        return true;
    const double now = sfi_clock();
    if (!force && now - ctx->last_report < 0.1)
        return true;
    ctx->last_report = now;
    return ctx->progress(ctx->progress_user, progress);
}

sf_status sfi_options(sf_context *ctx, void *options, size_t size,
                      const void *given)
{
    if (given == NULL)
        return SF_OK;
    size_t given_size = 0;
    memcpy(&given_size, given, sizeof given_size);
    if (given_size < sizeof given_size || given_size > size)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "options.size is %zu, want %zu to %zu (use the _INIT "
                        "macro)",
                        given_size, sizeof given_size, size);
    memcpy(options, given, given_size);
    memcpy(options, &size, sizeof size);
    return SF_OK;
}

void sfi_result(void *given, const void *result, size_t size)
{
    size_t own = 0;
    memcpy(&own, given, sizeof own);
    const size_t copied = own < size ? own : size;
    if (copied > sizeof own)
        memcpy((char *)given + sizeof own, (const char *)result + sizeof own,
               copied - sizeof own);
}
