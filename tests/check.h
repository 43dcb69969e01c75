/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - what every test file needs: cmocka, and comparisons of numbers.
 *
 *   TEST(name_is_the_claim) { ... CHECK_NEAR(got, want, tolerance); ... }
 *   TESTS(CASE(name_is_the_claim), CASE(...))            at the end of a file */
#ifndef SFI_TESTS_CHECK_H
#define SFI_TESTS_CHECK_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/context.h"

#define TEST(name) static void name(SFI_UNUSED void **state_)

#define CASE(name) cmocka_unit_test(name)

#define TESTS(...)                                                             \
    int main(void)                                                             \
    {                                                                          \
        const struct CMUnitTest tests[] = {__VA_ARGS__};                       \
        return cmocka_run_group_tests(tests, NULL, NULL);                      \
    }

#define CHECK(condition) assert_true(condition)

/* |got - want| <= tolerance; fails on NaN. */
#define CHECK_NEAR(got, want, tolerance)                                       \
    check_near((got), (want), (tolerance), #got, __FILE__, __LINE__)

/* Relative: |got - want| <= rtol * max(|want|, 1e-300). */
#define CHECK_CLOSE(got, want, rtol)                                           \
    check_near((got), (want), (rtol)*fmax(fabs(want), 1e-300), #got, __FILE__, \
               __LINE__)

/* A call that must succeed; prints the context's message if not. */
#define CHECK_OK(ctx, call)                                                    \
    check_status((ctx), (call), SF_OK, #call, __FILE__, __LINE__)

/* A call that must fail with this status and a message containing `part`. */
#define CHECK_FAILS(ctx, call, status, part)                                   \
    do {                                                                       \
        check_status((ctx), (call), (status), #call, __FILE__, __LINE__);      \
        if (strstr(sf_context_message(ctx), (part)) == NULL) {                 \
            fprintf(stderr, "%s:%d: message is \"%s\", want \"...%s...\"\n",   \
                    __FILE__, __LINE__, sf_context_message(ctx), (part));      \
            fail();                                                            \
        }                                                                      \
    } while (0)

SFI_UNUSED static void check_near(double got, double want, double tolerance,
                                  const char *what, const char *file, int line)
{
    if (fabs(got - want) <= tolerance)
        return;
    fprintf(stderr, "%s:%d: %s is %.17g, want %.17g within %.3g\n", file, line,
            what, got, want, tolerance);
    fail();
}

SFI_UNUSED static void check_status(sf_context *ctx, sf_status got,
                                    sf_status want, const char *what,
                                    const char *file, int line)
{
    if (got == want)
        return;
    fprintf(stderr, "%s:%d: %s gave \"%s\" (%s), want \"%s\"\n", file, line,
            what, sf_status_text(got), sf_context_message(ctx),
            sf_status_text(want));
    fail();
}

SFI_UNUSED static sf_context *new_context(void)
{
    sf_context *ctx = NULL;
    assert_int_equal(sf_context_new(&ctx, NULL), SF_OK);
    return ctx;
}

#endif
