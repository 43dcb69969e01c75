/* SPDX-License-Identifier: Apache-2.0 */
/* The many forms of text tables: what is recognised and said, and what is told. */
#include "tables_check.h"

#include "io/cell.h"

#define READS(text, want, warning)                                             \
    check_reads(".csv", text, sizeof(text) - 1, NULL, want, warning)

#define READS_AS(options, text, want, warning)                                 \
    check_reads(".csv", text, sizeof(text) - 1, options, want, warning)

static void check_refused(const sf_read_options *options, const char *text,
                          sf_status status, const char *message)
{
    sf_context *ctx = warning_context();
    sf_table t;
    CHECK_FAILS(ctx,
                read_bytes(ctx, &t, ".csv", text, strlen(text), 0, options),
                status, message);
    sf_context_free(ctx);
}

TEST(separators_that_split_every_line_alike_are_recognised)
{
    (void)state_;
    READS("x,y\n1,2\n3,4\n", "x y|1 2|3 4", NULL);
    READS("x;y\n1;2\n3;4\n", "x y|1 2|3 4", "separated by semicolons");
    READS("x\ty\n1\t2\n3\t\n", "x y|1 2|3 NA", "separated by tabs");
    READS("x y\n  1 2\n3    4  \n", "x y|1 2|3 4", "separated by blanks");
    /* Semicolons before commas, which may belong to the cells. */
    READS("x;y\na,b;2\nc,d;4\n", "x y|a,b 2|c,d 4", "semicolons");
    /* A quoted separator does not separate. */
    READS("x,\"y;z\"\n1,2\n3,4\n", "x y;z|1 2|3 4", NULL);
    READS("x\ty z\na b\t2\nc d\t4\n", "x y z|a b 2|c d 4", "tabs");
    /* Where none fits, commas, and their message says where. */
    check_refused(NULL, "x;y\n1;2\n3\n", SF_E_FORMAT,
                  "<memory>:1: the only column is \"x;y\", and neither "
                  "semicolons nor tabs split every line alike; --sep says what "
                  "separates");
}

TEST(a_first_line_like_the_others_is_data)
{
    (void)state_;
    READS("1,2\n3,4\n", "c0 c1|1 2|3 4", "the columns are called c0, c1");
    READS("1,NA\n3,4\n", "c0 c1|1 NA|3 4", "c0, c1");
    READS("M,0.455,15\nF,0.35,7\n", "c0 c1 c2|M 0.455 15|F 0.35 7", "c0, c1");
    READS("39,Private\n40,Public\n39,Private\n",
          "c0 c1|39 Private|40 Public|39 Private", "c0, c1");
    READS("x,o,2\nx,o,3\n", "c0 c1 c2|x o 2|x o 3", "c0, c1");
    /* Names: a text that no row has; years over numbers beside one; ours. */
    READS("country,2019,2020\na,1,2\na,3,4\n", "country 2019 2020|a 1 2|a 3 4",
          NULL);
    READS("c0,c1\nc0,c1\n", "c0 c1|c0 c1", NULL);
    READS("x\n1\n2\n", "x|1|2", NULL);
}

TEST(the_line_of_a_row_is_the_line_of_the_file)
{
    (void)state_;
    static const struct {
        const char *text;
        int64_t lines[3];
    } files[] = {{"x,y\n1,2\n3,4\n5,6\n", {2, 3, 4}},
                 {"1,2\n3,4\n5,6\n", {1, 2, 3}},
                 {"# a\n# b\nx,y\n1,2\n3,4\n5,6\n", {4, 5, 6}},
                 {"x,y\na,\"p\nq\"\nb,r\nb,r\n", {2, 4, 5}}};
    sf_context *ctx = warning_context();
    for (size_t k = 0; k < SFI_COUNT(files); k++) {
        sf_table t;
        CHECK_OK(ctx, read_bytes(ctx, &t, ".csv", files[k].text,
                                 strlen(files[k].text), 0, NULL));
        for (int i = 0; i < 3; i++)
            CHECK(sfi_table_line(&t, i) == files[k].lines[i]);
        sf_table_free(ctx, &t);
    }
    sf_context_free(ctx);
}

TEST(header_yes_and_no_are_obeyed)
{
    (void)state_;
    sf_read_options o = SF_READ_OPTIONS_INIT;
    o.header = SF_HEADER_YES;
    READS_AS(&o, "1,2\n3,4\n", "1 2|3 4", NULL);
    o.header = SF_HEADER_NO;
    READS_AS(&o, "x,y\na,b\n", "c0 c1|x y|a b", NULL);
}

TEST(row_names_need_no_name)
{
    (void)state_;
    READS(",x\nfirst,1\nsecond,2\n", "rownames x|first 1|second 2", NULL);
    READS("x,y\n1,5,6\n2,7,8\n", "rownames x y|1 5 6|2 7 8",
          "one name less than the rows have fields");
    READS("x y\na 5 6\nb 7 8\n", "rownames x y|a 5 6|b 7 8", "one name less");
    /* A comma at the end of every row is no row name. */
    check_refused(NULL, "x,y\n1,2,\n2,4,\n", SF_E_FORMAT,
                  "<memory>:2: 3 fields, want 2 as in the header line");
    check_refused(NULL, "x,y\n5,1,2\n5,3,4\n", SF_E_FORMAT, "3 fields");
}

TEST(comments_are_skipped)
{
    (void)state_;
    sf_read_options o = SF_READ_OPTIONS_INIT;
    READS("# from somewhere\nx,y\n1,2\n", "x y|1 2",
          "the first line, which begins with #, is skipped");
    o.comment = "%";
    READS_AS(&o, "% a\nx,y\n1,2\n%3,4\n5,6\n%\n", "x y|1 2|5 6", NULL);
    o.comment = "";
    READS_AS(&o, "#x,y\n1,2\n", "#x y|1 2", NULL);
    check_refused(NULL, "#x\n# 1\n", SF_E_FORMAT,
                  "<memory>:3: nothing but comments");
}

TEST(words_for_missing_cells_are_said)
{
    (void)state_;
    sf_read_options o = SF_READ_OPTIONS_INIT;
    READS("x,y\nNULL,1\n2,N/A\n3,?\n", "x y|NA 1|2 NA|3 NA",
          "<memory>:2: column \"x\": \"NULL\" is taken for a missing cell; so "
          "in 3 cells of 2 columns");
    READS("x,y\n.,1\n2,-\n3,4\n", "x y|NA 1|2 NA|3 4",
          "\".\" is taken for a missing cell");
    /* A record that is read in two parts counts its cells once. */
    READS("x,k\nNULL,\"a\n0123456789012345678901234567890123456789\"\n1,c\n",
          "x k|NA a\n0123456789012345678901234567890123456789|1 c",
          "so in 1 cell of 1 column");
    /* Among texts a dash is one, wherever it comes. */
    READS("x,k\n1,-\n2,+\n3,-\n4,+\n", "x k|1 -|2 +|3 -|4 +", NULL);
    o.na = "-9,none";
    READS_AS(&o, "x,k\n-9,NA\n2,none\n,b\n", "x k|NA NA|2 NA|NA b", NULL);
}

TEST(numbers_are_read_in_all_their_spellings)
{
    (void)state_;
    sf_read_options o = SF_READ_OPTIONS_INIT;
    READS("x,y\n\xE2\x88\x92"
          "1.5,1.5D+01\n2,-3d2\n",
          "x y|-1.5 15|2 -300", NULL);
    READS("x,y\n\"1,234\",1\n\"-1,234,567.5\",2\n12,3\n",
          "x y|1234 1|-1234567.5 2|12 3",
          "\"1,234\" is read with commas between thousands; so in 2 cells of 1 "
          "column");
    o.decimal = ",";
    READS_AS(&o, "x;y\n1,5;2\n-0,25;1,5e1\n", "x y|1.5 2|-0.25 15",
             "semicolons");
    check_refused(NULL, "x;y\n1,5;2\n2,5;3\n", SF_E_FORMAT,
                  "column \"x\": \"1,5\" is not a number, and 2 of 2 cells are "
                  "not; --decimal , reads it as one");
    o.sep = ",";
    check_refused(&o, "x,y\n1,2\n", SF_E_ARG,
                  "--sep and --decimal are both \",\"");
}

/* Reference: what Python's float() makes of the same text in C's spelling. */
TEST(a_cell_is_a_number_or_is_not)
{
    (void)state_;
    static const struct {
        const char *text;
        sfi_spelling spelling;
        double value;
    } cells[] = {
        {"12", SFI_DECIMAL, 12},        {" +.5e1 ", SFI_DECIMAL, 5},
        {"1.5D-2", SFI_DECIMAL, .015},  {"1,234", SFI_THOUSANDS, 1234},
        {"1,23", SFI_NO_NUMBER, 0},     {"12,34,567", SFI_NO_NUMBER, 0},
        {"1234,567", SFI_NO_NUMBER, 0}, {"1,234.", SFI_THOUSANDS, 1234},
        {",123", SFI_NO_NUMBER, 0},     {"0x1F", SFI_NO_NUMBER, 0},
        {"1 2", SFI_NO_NUMBER, 0},      {"", SFI_NO_NUMBER, 0},
        {"-", SFI_NO_NUMBER, 0},        {"1d", SFI_NO_NUMBER, 0},
        {"e5", SFI_NO_NUMBER, 0},       {"1,234,5", SFI_NO_NUMBER, 0}};
    for (size_t k = 0; k < SFI_COUNT(cells); k++) {
        double value = 0.0;
        CHECK(sfi_cell_number(cells[k].text, strlen(cells[k].text), '.',
                              &value) == cells[k].spelling);
        CHECK(value == cells[k].value);
    }
    CHECK(sfi_cell_has_decimal_comma("1,5", 3));
    CHECK(!sfi_cell_has_decimal_comma("1,234", 5));
    CHECK(!sfi_cell_has_decimal_comma("a,b", 3));
}

/* The same cells in any order give the same kind. */
TEST(kinds_come_from_all_cells)
{
    (void)state_;
    READS("k,x\n7,1\nred,2\nred,3\nblue,4\n", "k x|7 1|red 2|red 3|blue 4",
          "column \"k\" holds text, though 1 of 4 cells are numbers");
    READS("k,x\nred,2\nred,3\n7,1\nblue,4\n", "k x|red 2|red 3|7 1|blue 4",
          "<memory>:4: column \"k\" holds text, though 1 of 4");
    READS("k,x\n7.0,1\ninf,2\nred,3\nblue,4\n7,5\nred,6\n",
          "k x|7.0 1|inf 2|red 3|blue 4|7 5|red 6", "2 of 6 cells are numbers");
    check_refused(
        NULL, "x\nfast\n1\n2\n", SF_E_FORMAT,
        "<memory>:2: column \"x\": \"fast\" is not a number, and 1 of "
        "3 cells are not");
    check_refused(
        NULL, "x\n1\nfast\n2\n", SF_E_FORMAT,
        "<memory>:3: column \"x\": \"fast\" is not a number, and 1 of "
        "3 cells are not");
    check_refused(NULL, "x\ninf\n1\n2\n", SF_E_FORMAT,
                  "<memory>:2: column \"x\": \"inf\" is not a finite number");
}

TEST(kinds_may_be_told)
{
    (void)state_;
    sf_read_options o = SF_READ_OPTIONS_INIT;
    o.kinds = "x=category; y=real";
    READS_AS(&o, "x,y\n01,1\n1,2\n", "x y|01 1|1 2", NULL);
    check_refused(&o, "x,y\n1,1\n1,two\n1,three\n", SF_E_FORMAT,
                  "<memory>:3: column \"y\": \"two\" is not a number");
    o.kinds = "z=real";
    check_refused(&o, "x,y\n1,2\n", SF_E_ARG, "--kind: \"z=real\"");
    o.kinds = "x=colour";
    check_refused(&o, "x,y\n1,2\n", SF_E_ARG,
                  "want one of real|integer|category|boolean|date|key");
}

TEST(options_that_cannot_be_are_refused)
{
    (void)state_;
    sf_read_options o = SF_READ_OPTIONS_INIT;
    o.sep = "ab";
    check_refused(&o, "x\n1\n", SF_E_ARG, "--sep is \"ab\"");
    o.sep = "1";
    check_refused(&o, "x\n1\n", SF_E_ARG, "--sep is \"1\"");
    o.sep = NULL;
    o.decimal = ";";
    check_refused(&o, "x\n1\n", SF_E_ARG, "--decimal is \";\"");
    o.decimal = NULL;
    o.comment = "//";
    check_refused(&o, "x\n1\n", SF_E_ARG, "--comment is \"//\"");
    o.comment = NULL;
    o.max_bytes = 0;
    check_refused(&o, "x\n1\n", SF_E_ARG, "max_bytes is 0");
    o.size = 1;
    check_refused(&o, "x\n1\n", SF_E_ARG, "");
}

static sf_status read_odd_text(sf_context *ctx, void *user)
{
    static const char text[] =
        "# c\nx;\"k \"\"q\"\"\";y\n-;a;1\n2;7;\"1,234\"\n"
        "3;+;NULL\n4;b;2\n";
    (void)user;
    sf_table t;
    sf_read_options o = SF_READ_OPTIONS_INIT;
    o.kinds = "x=real";
    const sf_status status =
        read_bytes(ctx, &t, ".csv", text, sizeof text - 1, 5, &o);
    sf_table_free(ctx, &t);
    return status;
}

TEST(every_allocation_may_fail)
{
    (void)state_;
    check_every_allocation(read_odd_text, NULL);
}

IO_TESTS(IO_CASE(separators_that_split_every_line_alike_are_recognised),
         IO_CASE(a_first_line_like_the_others_is_data),
         IO_CASE(the_line_of_a_row_is_the_line_of_the_file),
         IO_CASE(header_yes_and_no_are_obeyed), IO_CASE(row_names_need_no_name),
         IO_CASE(comments_are_skipped),
         IO_CASE(words_for_missing_cells_are_said),
         IO_CASE(numbers_are_read_in_all_their_spellings),
         IO_CASE(a_cell_is_a_number_or_is_not),
         IO_CASE(kinds_come_from_all_cells), IO_CASE(kinds_may_be_told),
         IO_CASE(options_that_cannot_be_are_refused),
         IO_CASE(every_allocation_may_fail))
