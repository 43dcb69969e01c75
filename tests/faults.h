/* SPDX-License-Identifier: Apache-2.0 */
/* faults.h - a context whose allocations fail on demand, and that knows whether
 * everything was given back.
 *
 *   struct faults faults;
 *   sf_context *ctx = faulty_context(&faults);
 *   sf_status status = SF_E_NOMEM;
 *   while (NEXT_FAULT(&faults, status)) {       the first 0, 1, 2, ... succeed
 *       status = work(ctx);
 *       ... what it made is freed
 *   }
 *   CHECK(faults.tries == 4);                   work allocates three times
 *
 * Each time work must end with SF_OK, which is the last time, or SF_E_NOMEM, and
 * nothing may be held that was not before. */
#ifndef SFI_TESTS_FAULTS_H
#define SFI_TESTS_FAULTS_H

#include "check.h"

struct faults {
    int64_t left;  /* allocations that will still succeed             */
    int64_t bytes; /* now held                                        */
    int64_t own;   /* of these, the context's own                     */
    int64_t made;  /* allocations that succeeded since the beginning  */
    bool alone;    /* after the one that fails they succeed again     */
    int64_t tries; /* of the sweep that goes on, or of the last one   */
    int64_t held;  /* bytes before it                                 */
    bool sweeps;
};

/* Through a pointer that might change, or the compiler, which knows that
 * nobody may read freed memory, leaves the writing out. */
SFI_UNUSED static void *(*volatile faults_overwrite)(void *, int,
                                                     size_t) = memset;

SFI_UNUSED static void *faults_allocate(void *user, size_t bytes)
{
    struct faults *f = user;
    if (f->left-- == 0 || (f->left < 0 && !f->alone))
        return NULL;
    void *p = aligned_alloc(64, (bytes + 64) / 64 * 64);
    if (p == NULL)
        return NULL;
    memset(p, 0x7f, bytes); /* what is read unset is a huge number */
    f->made++;
    f->bytes += (int64_t)bytes;
    return p;
}

SFI_UNUSED static void faults_release(void *user, void *pointer, size_t bytes)
{
    struct faults *f = user;
    f->bytes -= (int64_t)bytes;
    faults_overwrite(pointer, 0x5f, bytes); /* and what is read after, too */
    free(pointer);
}

SFI_UNUSED static sf_context *faulty_context(struct faults *f)
{
    const sf_allocator allocator = {faults_allocate, faults_release, f};
    memset(f, 0, sizeof *f);
    f->left = INT64_MAX;
    sf_context *ctx = NULL;
    assert_int_equal(sf_context_new(&ctx, &allocator), SF_OK);
    f->own = f->bytes;
    return ctx;
}

/* Before each try, and after the last one: may there be another? */
#define NEXT_FAULT(faults, status)                                             \
    next_fault((faults), (status), __FILE__, __LINE__)

SFI_UNUSED static bool next_fault(struct faults *f, sf_status status,
                                  const char *file, int line)
{
    enum { MOST_TRIES = 100000 };
    if (!f->sweeps) {
        f->tries = 0;
        f->held = f->bytes;
        f->sweeps = true;
    } else {
        _assert_true(status == SF_OK || status == SF_E_NOMEM,
                     "status is SF_OK or SF_E_NOMEM", file, line);
        _assert_true(f->bytes == f->held, "nothing leaked", file, line);
        _assert_true(f->tries < MOST_TRIES, "an end", file, line);
        f->sweeps = status != SF_OK;
    }
    f->left = f->sweeps ? f->tries++ : INT64_MAX;
    return f->sweeps;
}

#endif
