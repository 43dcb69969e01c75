/* SPDX-License-Identifier: Apache-2.0 */
/* test_growing.c - texts that grow. */
#include "base/growing.h"

#include "faults.h"

static sf_status count_to_300(sf_context *ctx, sfi_growing *t)
{
    for (int i = 0; i < 300; i++) {
        char word[8];
        snprintf(word, sizeof word, "%d,", i);
        SFI_TRY(sfi_growing_put(ctx, t, word));
    }
    return SF_OK;
}

TEST(what_is_added_stands_behind_what_was_there)
{
    sf_context *ctx = new_context();
    sfi_growing t = {0};
    assert_int_equal(count_to_300(ctx, &t), SF_OK);
    assert_int_equal(t.size, 10 * 2 + 90 * 3 + 200 * 4);
    assert_int_equal(strlen(t.text), t.size);
    assert_memory_equal(t.text, "0,1,2,", 6);
    assert_string_equal(t.text + t.size - 8, "298,299,");
    t.size = 0;
    assert_int_equal(sfi_growing_add(ctx, &t, "anew", 2), SF_OK);
    assert_string_equal(t.text, "an");
    sfi_growing_free(ctx, &t);
    assert_null(t.text);
    sf_context_free(ctx);
}

TEST(nothing_makes_an_empty_text)
{
    sf_context *ctx = new_context();
    sfi_growing t = {0};
    assert_int_equal(sfi_growing_add(ctx, &t, NULL, 0), SF_OK);
    assert_string_equal(t.text, "");
    sfi_growing_free(ctx, &t);
    sf_context_free(ctx);
}

TEST(without_memory_the_text_stays)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status)) {
        sfi_growing t = {0};
        status = count_to_300(ctx, &t);
        if (t.text != NULL)
            assert_int_equal(strlen(t.text), t.size);
        sfi_growing_free(ctx, &t);
    }
    CHECK(faults.tries > 2);
    sf_context_free(ctx);
}

TESTS(CASE(what_is_added_stands_behind_what_was_there),
      CASE(nothing_makes_an_empty_text), CASE(without_memory_the_text_stays))
