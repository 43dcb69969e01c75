/* SPDX-License-Identifier: Apache-2.0 */
/* Assignments as people type them: what is read, where it stood, and what is
 * refused with its line and column. */
#include "check.h"
#include "faults.h"

#include "io/ini.h"

static sf_status read_text(sf_context *ctx, sfi_ini **out, const char *text)
{
    return sfi_ini_read_bytes(ctx, out, "p.ini", text, strlen(text));
}

static const char *value(const sfi_ini *ini, const char *section,
                         const char *key)
{
    const sfi_ini_entry *e = sfi_ini_find(ini, section, key);
    assert_non_null(e);
    assert_int_equal(strlen(e->value), e->size);
    return e->value;
}

static const char problem[] =
    "\xef\xbb\xbf# a pulse in a drum\n"
    "[grid]\n"
    "x = 0:1:128 periodic            # from:to:points\r\n"
    "y = 0:1:129 pin max(x, 0), robin 1, 2 ; geometry = cartesian ;\n"
    "\n"
    "[field]\t# unknowns\n"
    "phi = exp(-200*((x-0.5)^2\n"
    "   # still the same\n"
    "\t+(y-0.5)^2))  ;dt_phi=0\n"
    "form  A = 1\n"
    "[boundary]\n"
    "x- =\n"
    "  phi^2\n"
    "[grid]\n"
    "u x+ = pin 0";

TEST(a_problem_is_read)
{
    sf_context *ctx = new_context();
    sfi_ini *ini = NULL;
    CHECK_OK(ctx, read_text(ctx, &ini, problem));
    assert_int_equal(sfi_ini_count(ini), 8);
    assert_string_equal(value(ini, "grid", "x"), "0:1:128 periodic");
    assert_string_equal(value(ini, "grid", "y"),
                        "0:1:129 pin max(x, 0), robin 1, 2");
    assert_string_equal(value(ini, "grid", "geometry"), "cartesian");
    assert_string_equal(value(ini, "field", "phi"),
                        "exp(-200*((x-0.5)^2 +(y-0.5)^2))");
    assert_string_equal(value(ini, "field", "dt_phi"), "0");
    assert_string_equal(value(ini, "field", "form A"), "1");
    assert_string_equal(value(ini, "boundary", "x-"), "phi^2");
    assert_string_equal(value(ini, "grid", "u x+"), "pin 0");
    CHECK(sfi_ini_find(ini, "grid", "phi") == NULL);
    CHECK(sfi_ini_find(ini, "motion", "x") == NULL);
    assert_string_equal(sfi_ini_entry_at(ini, 4)->key, "dt_phi");
    assert_string_equal(sfi_ini_entry_at(ini, 4)->section, "field");
    sfi_ini_free(ini);
    sf_context_free(ctx);
}

static void check_place(const sfi_ini_entry *e, const char *part, int64_t line,
                        int64_t column)
{
    const char *at = strstr(e->value, part);
    assert_non_null(at);
    const sfi_ini_place place = sfi_ini_locate(e, (size_t)(at - e->value));
    assert_int_equal(place.line, line);
    assert_int_equal(place.column, column);
}

TEST(every_byte_of_a_value_has_its_place)
{
    sf_context *ctx = new_context();
    sfi_ini *ini = NULL;
    CHECK_OK(ctx, read_text(ctx, &ini, problem));
    const sfi_ini_entry *phi = sfi_ini_find(ini, "field", "phi");
    assert_int_equal(phi->line, 7);
    assert_int_equal(phi->column, 1);
    check_place(phi, "exp", 7, 7);
    check_place(phi, "-200", 7, 11);
    check_place(phi, "+(y", 9, 2);
    check_place(phi, "y-0", 9, 4);
    check_place(sfi_ini_find(ini, "field", "dt_phi"), "0", 9, 24);
    check_place(sfi_ini_find(ini, "boundary", "x-"), "^2", 13, 6);
    const sfi_ini_place end = sfi_ini_locate(phi, phi->size);
    assert_int_equal(end.line, 9);
    assert_int_equal(end.column, 14);

    (void)sfi_fail(ctx, SF_E_ARG, "unknown name");
    sfi_ini_blame(ini, phi, 4);
    assert_string_equal(sf_context_message(ctx), "p.ini:7:11: unknown name");
    sfi_ini_free(ini);
    sf_context_free(ctx);
}

/* Characters of several bytes are one column. */
TEST(columns_count_characters)
{
    sf_context *ctx = new_context();
    sfi_ini *ini = NULL;
    CHECK_OK(ctx, read_text(ctx, &ini, "[a]\nk = \xc3\xa9t\xc3\xa9 x ; l = 1"));
    check_place(sfi_ini_find(ini, "a", "k"), "x", 2, 9);
    assert_int_equal(sfi_ini_find(ini, "a", "l")->column, 13);
    sfi_ini_free(ini);
    sf_context_free(ctx);
}

TEST(nothing_is_a_text)
{
    static const char *const texts[] = {"", "\n\n", "# only this",
                                        "[a]\n ;; ;\n", "[a]\n;\n"};
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(texts); i++) {
        sfi_ini *ini = NULL;
        if (i == 3) {
            CHECK_FAILS(ctx, read_text(ctx, &ini, texts[i]), SF_E_FORMAT,
                        "p.ini:2:2:");
            continue;
        }
        CHECK_OK(ctx, read_text(ctx, &ini, texts[i]));
        assert_int_equal(sfi_ini_count(ini), 0);
        sfi_ini_free(ini);
    }
    sf_context_free(ctx);
}

TEST(what_is_wrong_is_said_with_its_place)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"x = 1", "p.ini:1:1: an assignment before the first [section]"},
        {"[a]\n x = 1", "p.ini:2:2: a line with blanks in front continues"},
        {"[a]\nx", "p.ini:2:1: want KEY = VALUE"},
        {"[a]\nx = 1\n  ; y", "p.ini:3:5: want KEY = VALUE"},
        {"[a]\n= 1", "p.ini:2:1: a key is missing"},
        {"[a]\nx =  # 1", "p.ini:2:3: no value"},
        {"[a]\nab(c = 1", "p.ini:2:3: a key has letters"},
        {"[a]\nx = 1\ny = 2; x = 3",
         "p.ini:3:8: \"x\" has a value already, of line 2"},
        {"[a\nx = 1", "p.ini:1:1: a section's name ends in \"]\""},
        {"[a] x = 1", "p.ini:1:4: a section stands on a line of its own"},
        {"[]", "p.ini:1:1: a section has no name"},
        {"[a:b]", "p.ini:1:3: a section's name has letters"},
        {"[a]\nx = 1\r2", "p.ini:2:6: a control character"},
        {"[a]\nx = \x7f", "p.ini:2:5: a control character"},
        {"[a]\nx = \xff", "p.ini:2:5: a byte that is not UTF-8"},
    };
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(bad); i++) {
        sfi_ini *ini = NULL;
        CHECK_FAILS(ctx, read_text(ctx, &ini, bad[i].text), SF_E_FORMAT,
                    bad[i].message);
        CHECK(ini == NULL);
    }
    sf_context_free(ctx);
}

/* "[a]\nx = " and n bytes: up to 65536 with the key and one byte to spare. */
TEST(values_have_a_largest_size)
{
    sf_context *ctx = new_context();
    const size_t head = strlen("[a]\nx = ");
    char *text = malloc(head + SFI_INI_MOST_VALUE);
    assert_non_null(text);
    memcpy(text, "[a]\nx = ", head);
    memset(text + head, '1', SFI_INI_MOST_VALUE);
    sfi_ini *ini = NULL;
    const size_t most = SFI_INI_MOST_VALUE - 1 - strlen("x = ");
    CHECK_OK(ctx, sfi_ini_read_bytes(ctx, &ini, "p.ini", text, head + most));
    assert_int_equal(sfi_ini_entry_at(ini, 0)->size, most);
    sfi_ini_free(ini);
    CHECK_FAILS(ctx,
                sfi_ini_read_bytes(ctx, &ini, "p.ini", text, head + most + 1),
                SF_E_FORMAT, "p.ini:2:1: an assignment is longer than 65536");
    free(text);
    sf_context_free(ctx);
}

TEST(a_text_has_a_largest_size_and_number_of_entries)
{
    sf_context *ctx = new_context();
    sfi_ini *ini = NULL;
    const size_t size = (size_t)SFI_INI_MOST_BYTES + 1;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, '\n', size);
    CHECK_OK(ctx, sfi_ini_read_bytes(ctx, &ini, "p.ini", text, size - 1));
    sfi_ini_free(ini);
    CHECK_FAILS(ctx, sfi_ini_read_bytes(ctx, &ini, "p.ini", text, size),
                SF_E_FORMAT, "more than 16777216 bytes");
    int at = sprintf(text, "[a]\n");
    for (int i = 0; i <= SFI_INI_MOST_ENTRIES; i++)
        at += sprintf(text + at, "k%d=1\n", i);
    CHECK_FAILS(ctx, sfi_ini_read_bytes(ctx, &ini, "p.ini", text, (size_t)at),
                SF_E_FORMAT, "p.ini:65538:1: more than 65536 assignments");
    free(text);
    sf_context_free(ctx);
}

TEST(files_are_read)
{
    sf_context *ctx = new_context();
    sfi_ini *ini = NULL;
    CHECK_FAILS(ctx, sfi_ini_read(ctx, &ini, "fuzz/corpus/ini/absent.ini"),
                SF_E_IO, "absent.ini");
    CHECK_OK(ctx, sfi_ini_read(ctx, &ini, "fuzz/corpus/ini/wave.ini"));
    assert_string_equal(value(ini, "motion", "every"), "0.05");
    sfi_ini_free(ini);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status)) {
        sfi_ini *ini = NULL;
        status = sfi_ini_read(ctx, &ini, "fuzz/corpus/ini/wave.ini");
        CHECK(status == SF_OK || ini == NULL);
        sfi_ini_free(ini);
    }
    sf_context_free(ctx);
}

TESTS(CASE(a_problem_is_read), CASE(every_byte_of_a_value_has_its_place),
      CASE(columns_count_characters), CASE(nothing_is_a_text),
      CASE(what_is_wrong_is_said_with_its_place),
      CASE(values_have_a_largest_size),
      CASE(a_text_has_a_largest_size_and_number_of_entries),
      CASE(files_are_read), CASE(every_allocation_may_fail))
