/* SPDX-License-Identifier: Apache-2.0 */
/* test_context.c - allocation, messages, options and progress of a context. */
#include "check.h"

/* An allocator that keeps count and fails when `left` runs out. */
typedef struct ledger {
    int left;     /* allocations that will still succeed */
    int64_t held; /* bytes out */
    int64_t releases;
} ledger;

static void *take(void *user, size_t bytes)
{
    ledger *l = user;
    if (l->left-- <= 0)
        return NULL;
    l->held += (int64_t)bytes;
    return aligned_alloc(64, (bytes + 64) / 64 * 64);
}

static void give_back(void *user, void *pointer, size_t bytes)
{
    ledger *l = user;
    l->held -= (int64_t)bytes;
    l->releases++;
    free(pointer);
}

static sf_context *counting_context(ledger *l)
{
    const sf_allocator allocator = {take, give_back, l};
    sf_context *ctx = NULL;
    assert_int_equal(sf_context_new(&ctx, &allocator), SF_OK);
    return ctx;
}

TEST(context_that_cannot_be_allocated_is_null)
{
    ledger l = {0, 0, 0};
    const sf_allocator allocator = {take, give_back, &l};
    sf_context *ctx = (sf_context *)&l;
    assert_int_equal(sf_context_new(&ctx, &allocator), SF_E_NOMEM);
    assert_null(ctx);
    sf_context_free(NULL);
}

/* Sizes come back with each pointer, so a ledger of bytes must balance. */
TEST(release_gets_the_size_that_was_allocated)
{
    ledger l = {100, 0, 0};
    sf_context *ctx = counting_context(&l);
    double *a = sfi_alloc(ctx, 10, sizeof *a);
    double *b = sfi_alloc_zero(ctx, 1000, sizeof *b);
    char *text = sfi_copy_text(ctx, "text");
    void *nothing = sfi_alloc(ctx, 0, 8);
    assert_non_null(nothing);
    assert_string_equal(text, "text");
    for (int i = 0; i < 1000; i++)
        CHECK(b[i] == 0.0);
    sfi_free(ctx, a, 10, sizeof *a);
    sfi_free(ctx, b, 1000, sizeof *b);
    sfi_free(ctx, nothing, 0, 8);
    sfi_free_text(ctx, text);
    sfi_free(ctx, NULL, 5, 5);
    sfi_free_text(ctx, NULL);
    assert_int_equal(l.releases, 4);
    sf_context_free(ctx);
    assert_int_equal(l.held, 0);
}

TEST(default_memory_is_aligned_to_64_bytes)
{
    sf_context *ctx = new_context();
    for (size_t bytes = 0; bytes < 200; bytes++) {
        void *p = sfi_alloc(ctx, bytes, 1);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 64, 0);
        sfi_free(ctx, p, bytes, 1);
    }
    sf_context_free(ctx);
}

/* The product wraps to 0 bytes here, which would succeed. */
TEST(product_that_overflows_is_refused)
{
    sf_context *ctx = new_context();
    assert_null(sfi_alloc(ctx, SIZE_MAX / 2 + 1, 2));
    assert_non_null(strstr(sf_context_message(ctx), "elements of 2 bytes"));
    assert_null(sfi_alloc_zero(ctx, SIZE_MAX, SIZE_MAX));
    assert_null(sfi_alloc(ctx, SIZE_MAX, 1));
    sf_context_free(ctx);
}

TEST(growing_keeps_what_was_there)
{
    ledger l = {100, 0, 0};
    sf_context *ctx = counting_context(&l);
    int *a = NULL;
    size_t have = 0;
    for (int i = 0; i < 1000; i++) {
        int *larger = sfi_grow(ctx, a, &have, (size_t)i + 1, sizeof *a);
        assert_non_null(larger);
        a = larger;
        CHECK(have > (size_t)i);
        a[i] = i;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(a[i], i);
    /* 8, 16, ..., 1024: doubling, not one allocation an element */
    assert_int_equal(l.left, 100 - 1 - 8);

    l.left = 0;
    const size_t before = have;
    assert_null(sfi_grow(ctx, a, &have, 2000, sizeof *a));
    assert_int_equal(have, before);
    assert_int_equal(a[999], 999);
    assert_null(sfi_grow(ctx, a, &have, SIZE_MAX, sizeof *a));
    sfi_free(ctx, a, have, sizeof *a);
    sf_context_free(ctx);
    assert_int_equal(l.held, 0);
}

TEST(message_is_kept_prefixed_and_cut)
{
    sf_context *ctx = new_context();
    assert_string_equal(sf_context_message(ctx), "");
    assert_int_equal(SFI_FAIL(ctx, SF_E_IO, "%s is %d", "it", 3), SF_E_IO);
    assert_string_equal(sf_context_message(ctx), "it is 3");
    sfi_message_prefix(ctx, "%s:%d: ", "file.csv", 17);
    assert_string_equal(sf_context_message(ctx), "file.csv:17: it is 3");

    char longer[5000];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    (void)SFI_FAIL(ctx, SF_E_IO, "%s", longer);
    const size_t size = strlen(sf_context_message(ctx));
    CHECK(size >= 500 && size < sizeof longer - 1);
    sfi_message_prefix(ctx, "abc: ");
    assert_memory_equal(sf_context_message(ctx), "abc: xxx", 8);
    assert_int_equal(strlen(sf_context_message(ctx)), size);
    sfi_message_prefix(ctx, "%s", longer);
    assert_int_equal(strlen(sf_context_message(ctx)), size);

    sfi_message_clear(ctx);
    assert_string_equal(sf_context_message(ctx), "");
    sf_context_free(ctx);
}

TEST(thread_count_is_checked_and_kept)
{
    sf_context *ctx = new_context();
    const int cores = sf_context_threads(ctx);
    CHECK(cores >= 1 && cores <= 256);
    CHECK_OK(ctx, sf_context_set_threads(ctx, 256));
    assert_int_equal(sf_context_threads(ctx), 256);
    CHECK_FAILS(ctx, sf_context_set_threads(ctx, 257), SF_E_ARG, "257");
    CHECK_FAILS(ctx, sf_context_set_threads(ctx, -1), SF_E_ARG, "-1");
    assert_int_equal(sf_context_threads(ctx), 256);
    CHECK_OK(ctx, sf_context_set_threads(ctx, 0));
    assert_int_equal(sf_context_threads(ctx), cores);
    sf_context_free(ctx);
}

typedef struct old_options {
    size_t size;
    double step;
} old_options;

typedef struct new_options {
    size_t size;
    double step;
    int64_t steps;
} new_options;

/* A program compiled against an older header passes a shorter struct: what it
 * does not know keeps its default.  A longer one comes from a newer header than
 * this library, whose wishes it cannot fulfil. */
TEST(options_of_an_older_header_keep_newer_defaults)
{
    sf_context *ctx = new_context();
    const old_options old = {sizeof old, 0.5};
    new_options o = {sizeof o, 0.01, 1000};
    CHECK_OK(ctx, sfi_options(ctx, &o, sizeof o, NULL));
    CHECK(o.step == 0.01);
    CHECK_OK(ctx, sfi_options(ctx, &o, sizeof o, &old));
    CHECK(o.step == 0.5 && o.steps == 1000);
    assert_int_equal(o.size, sizeof o);

    const new_options given = {sizeof given, 0.25, 7};
    CHECK_OK(ctx, sfi_options(ctx, &o, sizeof o, &given));
    CHECK(o.step == 0.25 && o.steps == 7);

    old_options small = {sizeof small, 0.01};
    CHECK_FAILS(ctx, sfi_options(ctx, &small, sizeof small, &given), SF_E_ARG,
                "options.size is 24");
    CHECK(small.step == 0.01);
    const old_options unset = {0, 0.5};
    CHECK_FAILS(ctx, sfi_options(ctx, &o, sizeof o, &unset), SF_E_ARG, "_INIT");
    CHECK(o.step == 0.25);
    sf_context_free(ctx);
}

static bool count_calls(void *user, const sf_progress *progress)
{
    int *calls = user;
    ++*calls;
    return progress->step < 5;
}

/* The second call comes well within 100 ms of the first, so it is held back
 * unless it is forced. */
TEST(progress_is_reported_seldom_and_can_stop)
{
    sf_context *ctx = new_context();
    int calls = 0;
    sf_progress p = {.stage = "test", .step = 1};
    CHECK(sfi_progress(ctx, &p, true));
    sf_context_set_progress(ctx, count_calls, &calls);
    CHECK(sfi_progress(ctx, &p, false));
    assert_int_equal(calls, 1);
    p.step = 5;
    const double start = sfi_clock();
    const bool held_back = sfi_progress(ctx, &p, false);
    if (sfi_clock() - start < 0.05 && calls == 1)
        CHECK(held_back);
    calls = 1;
    CHECK(!sfi_progress(ctx, &p, true));
    assert_int_equal(calls, 2);
    sf_context_set_progress(ctx, NULL, NULL);
    CHECK(sfi_progress(ctx, &p, true));
    assert_int_equal(calls, 2);
    sf_context_free(ctx);
}

static void keep_warning(void *user, const char *text)
{
    snprintf(user, 2000, "%s", text);
}

/* A long text is cut at the size of a message, 1024 bytes with its end. */
TEST(warnings_reach_the_caller_and_go_nowhere_without_one)
{
    sf_context *ctx = new_context();
    char text[2000] = "nothing";
    sfi_warn(ctx, "into the void");
    sf_context_set_warning(ctx, keep_warning, text);
    assert_string_equal(text, "nothing");
    sfi_warn(ctx, "%d rows of %s", 3, "rain.csv");
    assert_string_equal(text, "3 rows of rain.csv");
    sfi_warn(ctx, "%1500d", 1);
    assert_int_equal(strlen(text), 1023);
    assert_string_equal(sf_context_message(ctx), "");
    sf_context_set_warning(ctx, NULL, NULL);
    sfi_warn(ctx, "not heard");
    assert_int_equal(strlen(text), 1023);
    sf_context_free(ctx);
}

TEST(element_sizes_are_four_and_eight)
{
    assert_int_equal(sf_dtype_size(SF_F32), 4);
    assert_int_equal(sf_dtype_size(SF_F64), 8);
}

TESTS(CASE(context_that_cannot_be_allocated_is_null),
      CASE(release_gets_the_size_that_was_allocated),
      CASE(default_memory_is_aligned_to_64_bytes),
      CASE(product_that_overflows_is_refused),
      CASE(growing_keeps_what_was_there),
      CASE(message_is_kept_prefixed_and_cut),
      CASE(thread_count_is_checked_and_kept),
      CASE(options_of_an_older_header_keep_newer_defaults),
      CASE(progress_is_reported_seldom_and_can_stop),
      CASE(warnings_reach_the_caller_and_go_nowhere_without_one),
      CASE(element_sizes_are_four_and_eight))
