/* SPDX-License-Identifier: Apache-2.0 */
/* ARFF as docs/FORMATS.md describes it. */
#include "tables_check.h"

#define READS(text, want, warning)                                             \
    check_reads(".arff", text, sizeof(text) - 1, NULL, want, warning)

static const char iris[] = "% a comment\n"
                           "@RELATION 'my iris'\n"
                           "\n"
                           "@attribute 'sepal length'\tNUMERIC\r\n"
                           "@Attribute n integer\n"
                           "@attribute class {setosa, 'a \\'b\\'', \"c d\"}\n"
                           "@attribute note string\n"
                           "@DATA\n"
                           "5.1,1,setosa,'x, y'\n"
                           "% in between\n"
                           "?, 2 ,'a \\'b\\'',?\n"
                           "4e0,?,c d,\"x, y\"\n";

TEST(the_header_says_what_columns_hold)
{
    (void)state_;
    READS(iris,
          "sepal length n class note|5.1 1 setosa x, y|NA 2 a 'b' NA|4 NA c d "
          "x, y",
          NULL);
    sf_context *ctx = new_context();
    sf_table t;
    CHECK_OK(ctx, read_bytes(ctx, &t, ".arff", iris, sizeof iris - 1, 0, NULL));
    CHECK(t.columns[2].level_count == 3 && t.columns[3].level_count == 1);
    assert_string_equal(t.columns[2].levels[2], "c d");
    CHECK(sfi_table_line(&t, 0) == 9 && sfi_table_line(&t, 1) == 11);
    sf_table_free(ctx, &t);
    sf_context_free(ctx);
}

/* Levels of the header count even if no row has them, and "1" is one of them. */
TEST(levels_are_those_of_the_header)
{
    (void)state_;
    READS("@relation r\n@attribute k {2,1}\n@attribute x real\n@data\n1,7\n"
          "1,8\n",
          "k x|1 7|1 8", NULL);
}

static void check_refused(const char *text, const char *message)
{
    sf_context *ctx = new_context();
    sf_table t;
    CHECK_FAILS(ctx, read_bytes(ctx, &t, ".arff", text, strlen(text), 0, NULL),
                SF_E_FORMAT, message);
    sf_context_free(ctx);
}

#define HEAD "@relation r\n@attribute x real\n@attribute k {a,b}\n@data\n"

TEST(what_is_wrong_is_said_with_its_line)
{
    (void)state_;
    check_refused("", "<memory>: ends before @data");
    check_refused("@relation r\n@data\n1\n", "<memory>: no @attribute");
    check_refused("x,y\n1,2\n",
                  "<memory>:1: \"x,y\": want @relation, @attribute or @data");
    check_refused("@relation r\n@attribute x\n@data\n1\n",
                  "<memory>:2: \"\": want numeric, real");
    check_refused("@relation r\n@attribute x relational\n@data\n1\n",
                  "<memory>:2: \"relational\"");
    check_refused("@relation r\n@attribute k {a,b\n@data\n",
                  "want a comma or } after a value");
    check_refused("@relation r\n@attribute 'k {a,b}\n@data\n",
                  "want the attribute's name");
    check_refused("@relation r\n@attribute x real\n@attribute x real\n@data\n",
                  "<memory>:3: two columns are called \"x\"");
    check_refused(HEAD "1,a\n2,c\n",
                  "<memory>:6: column \"k\": \"c\" is not one of its 2 values");
    check_refused(HEAD "1,a\nx,b\n",
                  "<memory>:6: column \"x\": \"x\" is not a number");
    check_refused(HEAD "1\n", "<memory>:5: 1 field, want 2");
    check_refused(HEAD "{0 1}\n", "<memory>:5: sparse rows are not read");
    check_refused(HEAD "", "no rows");
}

TEST(a_stream_says_that_it_is_arff)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_table t;
    char path[64];
    int ends[2];
    CHECK(pipe(ends) == 0);
    CHECK(write(ends[1], iris, sizeof iris - 1) == (ssize_t)sizeof iris - 1);
    close(ends[1]);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    CHECK_OK(ctx, sf_table_read(ctx, &t, path));
    CHECK(t.rows == 3 && t.cols == 4);
    sf_table_free(ctx, &t);
    close(ends[0]);
    sf_context_free(ctx);
}

TEST(options_of_other_texts_are_refused)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_read_options o = SF_READ_OPTIONS_INIT;
    sf_table t;
    o.sep = ";";
    CHECK_FAILS(ctx, read_bytes(ctx, &t, ".arff", iris, sizeof iris - 1, 0, &o),
                SF_E_ARG, "<memory>: --sep applies to text with separators");
    sf_context_free(ctx);
}

static sf_status read_iris(sf_context *ctx, void *user)
{
    (void)user;
    sf_table t;
    const sf_status status =
        read_bytes(ctx, &t, ".arff", iris, sizeof iris - 1, 9, NULL);
    sf_table_free(ctx, &t);
    return status;
}

TEST(every_allocation_may_fail)
{
    (void)state_;
    check_every_allocation(read_iris, NULL);
}

IO_TESTS(IO_CASE(the_header_says_what_columns_hold),
         IO_CASE(levels_are_those_of_the_header),
         IO_CASE(what_is_wrong_is_said_with_its_line),
         IO_CASE(a_stream_says_that_it_is_arff),
         IO_CASE(options_of_other_texts_are_refused),
         IO_CASE(every_allocation_may_fail))
