/* SPDX-License-Identifier: Apache-2.0 */
/* CSV as docs/FORMATS.md describes it: every rule, every message. */
#include "io_check.h"

#include "base/random.h"
#include "io/csv.h"
#include "num/decimal.h"

static sf_status read_text(sf_context *ctx, sf_table *out, const char *text,
                           size_t size, size_t buffer)
{
    sfi_rows *rows = NULL;
    memset(out, 0, sizeof *out);
    const sf_status status =
        sfi_rows_open_memory(ctx, &rows, ".csv", text, size, buffer, NULL);
    if (status != SF_OK) {
        CHECK(rows == NULL);
        return status;
    }
    const sf_status read = sfi_rows_read_all(rows, out);
    sfi_rows_close(rows);
    return read;
}

static sf_table read_good(sf_context *ctx, const char *text)
{
    sf_table table;
    CHECK_OK(ctx, read_text(ctx, &table, text, strlen(text), 0));
    return table;
}

/* Every size of the buffer must lead to the same message. */
static void check_bad(const char *text, size_t size, const char *message)
{
    sf_context *ctx = new_context();
    for (size_t buffer = 0; buffer < 40; buffer++) {
        sf_table table;
        const sf_status got = read_text(ctx, &table, text, size, buffer);
        check_status(ctx, got, SF_E_FORMAT, text, __FILE__, __LINE__);
        if (strcmp(sf_context_message(ctx), message) != 0) {
            fprintf(stderr, "got:  %s\nwant: %s\n", sf_context_message(ctx),
                    message);
            fail();
        }
        CHECK(table.data == NULL && table.columns == NULL && table.rows == 0);
    }
    sf_context_free(ctx);
}

#define BAD(text, message) check_bad(text, sizeof(text) - 1, message)

static void check_cells(const sf_table *t, const double *want)
{
    for (int64_t i = 0; i < t->rows * t->cols; i++)
        CHECK(isnan(want[i]) ? isnan(t->data[i]) : t->data[i] == want[i]);
}

TEST(numbers_are_read_with_names_kinds_and_missing_cells)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_table t = read_good(ctx, "x,count,empty\n"
                                "1.5,2,\n"
                                "-3e2,NA,nan\n"
                                ".25,-7.0,NaN\n"
                                "NA,9007199254740992,-nan\n");
    CHECK(t.rows == 4 && t.cols == 3);
    check_cells(&t, (const double[]){1.5, 2, NAN, -300, NAN, NAN, .25, -7, NAN,
                                     NAN, 9007199254740992, NAN});
    assert_string_equal(t.columns[0].name, "x");
    assert_string_equal(t.columns[1].name, "count");
    assert_string_equal(t.columns[2].name, "empty");
    CHECK(t.columns[0].kind == SF_COLUMN_REAL && t.columns[0].missing == 1);
    CHECK(t.columns[1].kind == SF_COLUMN_INTEGER && t.columns[1].missing == 1);
    CHECK(t.columns[2].kind == SF_COLUMN_REAL && t.columns[2].missing == 4);
    sf_table_free(ctx, &t);
    CHECK(t.data == NULL && t.columns == NULL && t.owner == NULL);
    sf_context_free(ctx);
}

/* Numbers beyond 2^53 are not known to the last unit. */
TEST(large_numbers_are_real_not_integer)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_table t = read_good(ctx, "a,b,c,d\n1e300,-0,4503599627370497.5,-3\n"
                                "1,1,1,9007199254740994\n");
    CHECK(t.columns[0].kind == SF_COLUMN_REAL);
    CHECK(t.columns[1].kind == SF_COLUMN_INTEGER && signbit(t.data[1]));
    CHECK(t.columns[2].kind == SF_COLUMN_INTEGER); /* rounds to ...498 */
    CHECK(t.columns[3].kind == SF_COLUMN_REAL);
    sf_table_free(ctx, &t);
    sf_context_free(ctx);
}

TEST(a_column_that_begins_with_text_holds_levels)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_table t = read_good(ctx, "kind,x\nNA,1\nred,2\n7,3\nred,4\ninf,5\n"
                                "\"gr\xC3\xBCn\",6\n7.0,7\n,8\n");
    CHECK(t.columns[0].kind == SF_COLUMN_TEXT);
    CHECK(t.columns[0].level_count == 5 && t.columns[0].missing == 2);
    static const char *const levels[] = {"red", "7", "inf", "gr\xC3\xBCn",
                                         "7.0"};
    for (int i = 0; i < 5; i++)
        assert_string_equal(t.columns[0].levels[i], levels[i]);
    check_cells(&t, (const double[]){NAN, 1, 0, 2, 1, 3, 0, 4, 2, 5, 3, 6, 4, 7,
                                     NAN, 8});
    CHECK(t.columns[1].levels == NULL && t.columns[1].level_count == 0);
    sf_table_free(ctx, &t);
    sf_context_free(ctx);
}

TEST(quotes_protect_commas_line_ends_quotes_and_blanks)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_table t = read_good(ctx, "\"a,\"\"b\"\"\" ,\t\"c\nd\"\n"
                                "\" x \",\"1\"\n"
                                "\"p\r\nq\", \"\" \n"
                                "\"\"\"\",\" 2.5 \"\n"
                                "5\"6,3\n");
    CHECK(t.rows == 4 && t.cols == 2);
    assert_string_equal(t.columns[0].name, "a,\"b\"");
    assert_string_equal(t.columns[1].name, "c\nd");
    assert_string_equal(t.columns[0].levels[0], " x ");
    assert_string_equal(t.columns[0].levels[1], "p\r\nq");
    assert_string_equal(t.columns[0].levels[2], "\"");
    assert_string_equal(t.columns[0].levels[3], "5\"6");
    check_cells(&t, (const double[]){0, 1, 1, NAN, 2, 2.5, 3, 3});
    sf_table_free(ctx, &t);
    sf_context_free(ctx);
}

TEST(line_ends_blanks_and_a_byte_order_mark_make_no_difference)
{
    (void)state_;
    sf_context *ctx = new_context();
    static const char *const texts[] = {
        "x,y z\n1,2\n3,NA\n",
        "x,y z\n1,2\n3,NA",
        "x,y z\r\n1,2\r\n3,\r\n",
        "x,y z\r\n1,2\n3,NA",
        "\xEF\xBB\xBFx,y z\n1,2\n3,NA\n\n\n",
        " x ,\ty z\n 1 , 2 \n\t3,\t\n \n\t\r\n\r\n",
        "\"x\",\"y z\"\n\"1\",\"2\"\n\"3\",\"NA\"\n",
        "x,y z\n+1,2.\n3e0,nan\n   "};
    for (size_t i = 0; i < SFI_COUNT(texts); i++) {
        sf_table t = read_good(ctx, texts[i]);
        CHECK(t.rows == 2 && t.cols == 2);
        check_cells(&t, (const double[]){1, 2, 3, NAN});
        assert_string_equal(t.columns[0].name, "x");
        assert_string_equal(t.columns[1].name, "y z");
        sf_table_free(ctx, &t);
    }
    sf_context_free(ctx);
}

TEST(a_single_column_writes_its_missing_cells_out)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_table t = read_good(ctx, "x\n1\nNA\n\"\"\n2\n\n");
    CHECK(t.rows == 4 && t.columns[0].missing == 2);
    check_cells(&t, (const double[]){1, NAN, NAN, 2});
    sf_table_free(ctx, &t);
    BAD("x\n1\n\n2\n", "<memory>:3: a blank line before the end; a row whose "
                       "only cell is missing is written NA");
    BAD("x,y\n1,2\n\n \n2,3\n",
        "<memory>:3: a blank line before the end; a row whose only cell is "
        "missing is written NA");
    sf_context_free(ctx);
}

TEST(names_may_be_numbers_where_that_cannot_be_data)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_table t = read_good(ctx, "country,2019,\"0.5\",-1\na,1,2,3\n");
    assert_string_equal(t.columns[1].name, "2019");
    assert_string_equal(t.columns[2].name, "0.5");
    assert_string_equal(t.columns[3].name, "-1");
    sf_table_free(ctx, &t);
    sf_context_free(ctx);
}

TEST(a_header_line_that_cannot_be_one_is_refused)
{
    (void)state_;
    BAD("x,\n1,2\n", "<memory>:1: column 2 has no name in the header line; "
                     "name it, or remove the column");
    BAD("\nx\n1\n",
        "<memory>:1: a blank line, want a header line with the columns' names");
    BAD("x,y,x\n1,2,3\n", "<memory>:1: two columns are called \"x\", want "
                          "distinct names; if this "
                          "line is data, --header no");
}

TEST(files_without_rows_are_refused)
{
    (void)state_;
    BAD("", "<memory>: the file is empty, want a header line and rows");
    BAD("\xEF\xBB\xBF",
        "<memory>:1: a blank line, want a header line with the columns' names");
    BAD("x,y\n", "<memory>: a header line and no rows, want at least one row");
    BAD("x,y", "<memory>: a header line and no rows, want at least one row");
    BAD("x,y\n\n\n",
        "<memory>: a header line and no rows, want at least one row");
}

TEST(ragged_rows_name_the_line_and_both_numbers_of_fields)
{
    (void)state_;
    BAD("x,y,z\n1,2,3\n4,5\n",
        "<memory>:3: 2 fields, want 3 as in the header line");
    BAD("x,y\n1,2\n3,4,5,6\n",
        "<memory>:3: 4 fields, want 2 as in the header line");
    BAD("x,y\n1\n", "<memory>:2: 1 field, want 2 as in the header line");
    BAD("x,y\n\"a\nb\",1\n1,2,\"c\n\"\n",
        "<memory>:4: 3 fields, want 2 as in the header line");
    BAD("x\n1,\n", "<memory>:2: 2 fields, want 1 as in the header line");
}

TEST(cells_that_are_no_finite_numbers_name_line_and_column)
{
    (void)state_;
    BAD("x,speed\n1,2\n3,fast\n",
        "<memory>:3: column \"speed\": \"fast\" is not a number, and 1 of 2 "
        "cells are not; --na \"fast\" takes it for missing, --kind "
        "\"speed=category\" the column for text");
    BAD("x\n1\n\"2 3\"\nNA\n4\n5 5\n",
        "<memory>:3: column \"x\": \"2 3\" is not a number, and 2 of 4 cells "
        "are not; --na \"2 3\" takes it for missing, --kind \"x=category\" the "
        "column for text");
    BAD("x,k\n1,\"a\nb\nc\"\n0x1F,b\n",
        "<memory>:5: column \"x\": \"0x1F\" is not a number, and 1 of 2 cells "
        "are not; --na \"0x1F\" takes it for missing, --kind \"x=category\" "
        "the column for text");
#define NOT_FINITE                                                             \
    "is not a finite number; if it is missing, leave it empty or write NA"
    BAD("x,speed\n1,inf\n",
        "<memory>:2: column \"speed\": \"inf\" " NOT_FINITE);
    BAD("x\n1\n-Infinity\n",
        "<memory>:3: column \"x\": \"-Infinity\" " NOT_FINITE);
    BAD("x\n1e309\n", "<memory>:2: column \"x\": \"1e309\" " NOT_FINITE);
    BAD("x\n1\n1e999\n", "<memory>:3: column \"x\": \"1e999\" " NOT_FINITE);
    BAD("x\n1\n\"-1e999\"\n",
        "<memory>:3: column \"x\": \"-1e999\" " NOT_FINITE);
    BAD("x,y\n\"1\",2\n3,+INF\n",
        "<memory>:3: column \"y\": \"+INF\" " NOT_FINITE);
}

TEST(broken_text_is_refused)
{
    (void)state_;
    BAD("x\n\"abc\n1\n",
        "<memory>:2: the quoted field that begins here is not closed");
    BAD("x,y\n1,\"a\"b\n",
        "<memory>:2: \"b\" follows a closing quote, want a separator or "
        "the line's end; a quote inside a quoted field is written twice");
    BAD("x\r1\r", "<memory>:1: a carriage return without a line feed; lines "
                  "end with LF or CR LF");
    BAD("x\na\rb\n", "<memory>:2: a carriage return without a line feed; lines "
                     "end with LF or CR LF");
    BAD("x\nna\xEFve\n", "<memory>:2: the text \"na\\xEFve\" is not UTF-8; "
                         "convert the file to UTF-8");
    BAD("x\xC0\x80\n1\n", "<memory>:1: the column name \"x\\xC0\\x80\" is not "
                          "UTF-8; convert the file to UTF-8");
    BAD("x\na\0b\n", "<memory>:2: the text \"a\\x00b\" holds a NUL byte; want "
                     "a text file in UTF-8");
    BAD("x\n1\n\0\n",
        "<memory>:3: column \"x\": \"\\x00\" is not a number, and 1 of 2 cells "
        "are not; --na \"\\x00\" takes it for missing, --kind \"x=category\" "
        "the "
        "column for text");
    BAD("\xFF\xFEx\0\n\0", "<memory>: the file is UTF-16, want UTF-8");
    BAD("\xFE\xFF\0x\0\n", "<memory>: the file is UTF-16, want UTF-8");
}

/* A text of `size` copies of `byte` between two others. */
static char *repeated(const char *before, char byte, size_t size,
                      const char *after, size_t *total)
{
    const size_t a = strlen(before), b = strlen(after);
    char *text = malloc(a + size + b + 1);
    CHECK(text != NULL);
    memcpy(text, before, a);
    memset(text + a, byte, size);
    memcpy(text + a + size, after, b + 1);
    *total = a + size + b;
    return text;
}

static void check_long(const char *before, char byte, size_t size,
                       const char *after, const char *message)
{
    sf_context *ctx = new_context();
    size_t total = 0;
    char *text = repeated(before, byte, size, after, &total);
    sf_table table;
    CHECK_FAILS(ctx, read_text(ctx, &table, text, total, 0), SF_E_FORMAT,
                message);
    free(text);
    sf_context_free(ctx);
}

TEST(what_is_absurdly_long_is_refused)
{
    (void)state_;
    check_long("x\n", 'a', SFI_CSV_MOST_FIELD + 1, "\n",
               "<memory>:2: a field of more than 65536 bytes");
    check_long("x\n\"", 'a', SFI_CSV_MOST_FIELD + 1, "\"\n",
               "<memory>:2: the quoted field that begins here exceeds 65536");
    check_long("x\n\"", '\n', 300000, "",
               "<memory>:2: the quoted field that begins here exceeds 65536");
    check_long("x\n\"", '"', SFI_CSV_MOST_FIELD * 2 + 10, "",
               "<memory>:2: the quoted field that begins here exceeds 65536");
    check_long("x", 'a', SFI_CSV_MOST_NAME, "\n1\n",
               "<memory>:1: the name of column 1 has 1001 bytes, want at most");
    check_long("x,a", ',', SFI_CSV_MOST_COLUMNS, "\n1\n",
               "<memory>:1: 100002 columns, want at most 100000");
    check_long("x\n", 'a', SFI_CSV_MOST_RECORD, "\n",
               "<memory>:2: a record of more than 16 MiB");
    check_long("", ' ', SFI_CSV_MOST_RECORD, "\n",
               "<memory>:1: a record of more than 16 MiB");
}

TEST(many_columns_are_read)
{
    (void)state_;
    enum { COLUMNS = 100000 };
    sf_context *ctx = new_context();
    char *text = malloc(COLUMNS * 16);
    CHECK(text != NULL);
    size_t n = 0;
    for (int j = 0; j < COLUMNS; j++)
        n += (size_t)sprintf(text + n, "%sc%d", j > 0 ? "," : "", j);
    for (int j = 0; j < COLUMNS; j++)
        n += (size_t)sprintf(text + n, "%s%d", j > 0 ? "," : "\n", j);
    sf_table t;
    CHECK_OK(ctx, read_text(ctx, &t, text, n, 0));
    CHECK(t.rows == 1 && t.cols == COLUMNS);
    for (int j = 0; j < COLUMNS; j++)
        CHECK(t.data[j] == j);
    sf_table_free(ctx, &t);
    free(text);
    sf_context_free(ctx);
}

/* One text with everything in it, through buffers of every size. */
static const char everything[] =
    "id,\"a \"\"name\"\"\",text,later\r\n"
    "1,0.1234567890123456789,\"x, y\",\n"
    "2,-1e-5,\"two\nlines\",\n"
    "3,NA,\"\"\"quoted\"\"\",word\n"
    "\"4\",123456789012345678901234567890,plain,  word \n"
    "5,,\"x, y\",\"12\"\r\n"
    "\n\n";

TEST(the_size_of_the_buffer_makes_no_difference)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_table want = read_good(ctx, everything);
    CHECK(want.rows == 5 && want.cols == 4);
    CHECK(want.columns[2].level_count == 4 && want.columns[3].level_count == 2);
    for (size_t buffer = 1; buffer < 300; buffer++) {
        sf_table t;
        CHECK_OK(ctx,
                 read_text(ctx, &t, everything, sizeof everything - 1, buffer));
        CHECK(t.rows == 5 && t.cols == 4);
        check_cells(&t, want.data);
        for (int64_t i = 0; i < 4; i++)
            assert_string_equal(t.columns[2].levels[i],
                                want.columns[2].levels[i]);
        char place[SFI_PLACE_SIZE];
        assert_string_equal(sfi_table_place(&t, 1, 2, place),
                            "<memory>:3: column \"text\"");
        assert_string_equal(sfi_table_place(&t, 2, -1, place), "<memory>:5");
        assert_string_equal(sfi_table_place(&t, 4, 0, place),
                            "<memory>:7: column \"id\"");
        sf_table_free(ctx, &t);
    }
    sf_table_free(ctx, &want);
    sf_context_free(ctx);
}

TEST(rows_come_in_blocks_and_again_after_rewinding)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_table want = read_good(ctx, everything);
    for (int64_t limit = 1; limit <= 7; limit++) {
        sfi_rows *rows = NULL;
        CHECK_OK(ctx, sfi_rows_open_memory(ctx, &rows, ".csv", everything,
                                           sizeof everything - 1, 16, NULL));
        CHECK(sfi_rows_cols(rows) == 4 && sfi_rows_count(rows) == -1);
        for (int pass = 0; pass < 4; pass++) {
            double cells[7 * 4];
            int64_t done = 0, got = 0;
            do {
                CHECK_OK(ctx, sfi_rows_next(rows, cells, limit, &got));
                CHECK(got >= 0 && got <= limit && done + got <= 5);
                for (int64_t i = 0; i < got * 4; i++)
                    CHECK(memcmp(&cells[i], &want.data[done * 4 + i],
                                 sizeof cells[i]) == 0);
                done += got;
                /* The first pass is broken off once. */
            } while (got > 0 && !(pass == 0 && done >= 3));
            if (pass > 0) {
                CHECK(done == 5 && sfi_rows_count(rows) == 5);
                const sf_column *c = sfi_rows_columns(rows);
                CHECK(c[0].kind == SF_COLUMN_INTEGER && c[0].missing == 0);
                CHECK(c[1].kind == SF_COLUMN_REAL && c[1].missing == 2);
                CHECK(c[2].kind == SF_COLUMN_TEXT && c[2].level_count == 4);
                assert_string_equal(c[3].levels[1], "12");
                CHECK_OK(ctx, sfi_rows_next(rows, cells, limit, &got));
                CHECK(got == 0);
            }
            char place[SFI_PLACE_SIZE];
            assert_string_equal(sfi_rows_place(rows, 2, 0, place),
                                "<memory>:5: column \"id\"");
            CHECK_OK(ctx, sfi_rows_rewind(rows));
        }
        sfi_rows_close(rows);
    }
    sf_table_free(ctx, &want);
    sf_context_free(ctx);
}

TEST(an_error_stays_until_rewound)
{
    (void)state_;
    sf_context *ctx = new_context();
    static const char text[] = "x\n1\n2\n3,bad\n";
    sfi_rows *rows = NULL;
    double cell = 0.0;
    int64_t got = 0;
    CHECK_OK(ctx, sfi_rows_open_memory(ctx, &rows, ".csv", text,
                                       sizeof text - 1, 0, NULL));
    CHECK_FAILS(ctx, sfi_rows_next(rows, &cell, 0, &got), SF_E_ARG,
                "limit is 0");
    for (int pass = 0; pass < 2; pass++) {
        CHECK_OK(ctx, sfi_rows_next(rows, &cell, 1, &got));
        CHECK(got == 1 && cell == 1.0);
        CHECK_OK(ctx, sfi_rows_next(rows, &cell, 1, &got));
        CHECK_FAILS(ctx, sfi_rows_next(rows, &cell, 1, &got), SF_E_FORMAT,
                    "<memory>:4");
        CHECK(got == 0);
        CHECK(sfi_rows_next(rows, &cell, 1, &got) == SF_E_FORMAT);
        CHECK_OK(ctx, sfi_rows_rewind(rows));
    }
    sfi_rows_close(rows);
    sf_context_free(ctx);
}

/* Levels cannot grow when the columns have been handed out. */
TEST(a_file_that_changes_between_two_readings_is_noticed)
{
    (void)state_;
    static const char *const changed[] = {"k,m\na,\nc,\n", "k,m\na,\nb,x\n"};
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(changed); i++) {
        const char *path = in_folder("a.csv");
        put_file(path, "k,m\na,\nb,\n", 10);
        sfi_rows *rows = NULL;
        double cells[6];
        int64_t got = 0;
        CHECK_OK(ctx, sfi_rows_open(ctx, &rows, path, NULL));
        CHECK_OK(ctx, sfi_rows_next(rows, cells, 3, &got));
        CHECK_OK(ctx, sfi_rows_next(rows, cells, 3, &got));
        CHECK(got == 0 && sfi_rows_columns(rows)[0].level_count == 2);
        put_file(path, changed[i], strlen(changed[i]));
        CHECK_OK(ctx, sfi_rows_rewind(rows));
        CHECK_FAILS(ctx, sfi_rows_next(rows, cells, 3, &got), SF_E_FORMAT,
                    "a.csv:3: a new text on the second reading; the file was "
                    "changed meanwhile");
        sfi_rows_close(rows);
    }
    sf_context_free(ctx);
}

static char *write_text(sf_context *ctx, const sf_table *table, size_t *size)
{
    sfi_output *out = NULL;
    CHECK_OK(ctx, sfi_output_memory(ctx, &out));
    CHECK_OK(ctx, sfi_csv_write(ctx, table, out));
    const void *bytes = sfi_output_bytes(out, size);
    char *text = malloc(*size + 1);
    CHECK(text != NULL);
    memcpy(text, bytes, *size);
    text[*size] = '\0';
    CHECK_OK(ctx, sfi_output_commit(out));
    return text;
}

TEST(tables_are_written_as_documented)
{
    (void)state_;
    sf_context *ctx = new_context();
    static const char *const names[] = {"x", "a,b", "0.5"};
    static const char *const levels[] = {"plain", "a \"q\"", " b", "c\nd",
                                         "e,f"};
    sf_table t;
    CHECK_OK(ctx, sf_table_new(ctx, &t, 6, 3, names));
    CHECK_OK(ctx, sfi_table_set_levels(ctx, &t, 1, levels, 5));
    for (int i = 0; i < 6; i++) {
        t.data[3 * i] = i == 3 ? (double)NAN : 0.1 * i;
        t.data[3 * i + 1] = i == 5 ? (double)NAN : i;
        t.data[3 * i + 2] = i == 0 ? -INFINITY : 1e9 * i;
    }
    size_t size = 0;
    char *text = write_text(ctx, &t, &size);
    assert_string_equal(text, "x,\"a,b\",\"0.5\"\n"
                              "0,plain,-inf\n"
                              "0.1,\"a \"\"q\"\"\",1000000000\n"
                              "0.2,\" b\",2000000000\n"
                              ",\"c\nd\",3000000000\n"
                              "0.4,\"e,f\",4000000000\n"
                              "0.5,,5000000000\n");
    free(text);
    sf_table_free(ctx, &t);

    CHECK_OK(ctx, sf_table_new(ctx, &t, 2, 1, NULL));
    t.data[0] = (double)NAN;
    text = write_text(ctx, &t, &size);
    assert_string_equal(text, "c0\n\"\"\n0\n");
    free(text);
    sf_table_free(ctx, &t);
    sf_context_free(ctx);
}

TEST(names_that_look_like_something_else_survive)
{
    (void)state_;
    sf_context *ctx = new_context();
    static const char *const names[] = {"\xEF\xBB\xBFx", "1e5", "NA", "\t",
                                        "a;b"};
    static const char *const semicolon[] = {"a;b"};
    for (int64_t cols = 1; cols <= 5; cols += 4) {
        sf_table t;
        CHECK_OK(ctx,
                 sf_table_new(ctx, &t, 1, cols, cols == 1 ? semicolon : names));
        size_t size = 0;
        char *text = write_text(ctx, &t, &size);
        sf_table back = read_good(ctx, text);
        for (int64_t j = 0; j < cols; j++)
            assert_string_equal(back.columns[j].name, t.columns[j].name);
        sf_table_free(ctx, &back);
        sf_table_free(ctx, &t);
        free(text);
    }
    sf_context_free(ctx);
}

TEST(every_finite_double_survives)
{
    (void)state_;
    enum { ROWS = 20000, COLS = 3 };
    sf_context *ctx = new_context();
    sf_table t, back;
    CHECK_OK(ctx, sf_table_new(ctx, &t, ROWS, COLS, NULL));
    for (int64_t i = 0; i < ROWS * COLS; i++) {
        const sfi_where where = {11, (uint64_t)i, 0, SFI_STREAM_USER};
        const uint64_t bits =
            (uint64_t)sfi_bits_at(where, 0) << 32 | sfi_bits_at(where, 1);
        memcpy(&t.data[i], &bits, sizeof bits);
        if (!isfinite(t.data[i]))
            t.data[i] = (double)NAN;
    }
    CHECK_OK(ctx, sf_table_write(ctx, &t, in_folder("a.csv")));
    CHECK_OK(ctx, sf_table_read(ctx, &back, in_folder("a.csv")));
    CHECK(back.rows == ROWS && back.cols == COLS);
    for (int64_t i = 0; i < ROWS * COLS; i++)
        CHECK(isnan(t.data[i])
                  ? isnan(back.data[i])
                  : memcmp(&t.data[i], &back.data[i], sizeof(double)) == 0);
    assert_string_equal(back.columns[2].name, "c2");
    sf_table_free(ctx, &t);
    sf_table_free(ctx, &back);
    sf_context_free(ctx);
}

TEST(tables_that_could_not_be_read_back_are_not_written)
{
    (void)state_;
    sf_context *ctx = new_context();
    const char *path = in_folder("out.csv");
    sf_table t;
    static const char *const same[] = {"a", "b", "a"};
    CHECK_OK(ctx, sf_table_new(ctx, &t, 1, 3, same));
    CHECK_FAILS(ctx, sf_table_write(ctx, &t, path), SF_E_ARG,
                "csv: two columns are called \"a\"");
    sf_table_free(ctx, &t);
    static const char *const numbers[] = {"1", "2.5"};
    CHECK_OK(ctx, sf_table_new(ctx, &t, 1, 2, numbers));
    CHECK_FAILS(ctx, sf_table_write(ctx, &t, path), SF_E_ARG,
                "csv: every column name is a number");
    sf_table_free(ctx, &t);
    static const char *const missing[] = {"NA", "2.5"};
    CHECK_OK(ctx, sf_table_new(ctx, &t, 1, 2, missing));
    CHECK_FAILS(ctx, sf_table_write(ctx, &t, path), SF_E_ARG,
                "csv: every column name is a number");
    sf_table_free(ctx, &t);
    static const char *const latin[] = {"gr\xFCn"};
    CHECK_OK(ctx, sf_table_new(ctx, &t, 1, 1, latin));
    CHECK_FAILS(ctx, sf_table_write(ctx, &t, path), SF_E_ARG,
                "csv: the column name \"gr\\xFCn\" is not UTF-8");
    sf_table_free(ctx, &t);
    static const char *const empty[] = {""};
    CHECK_OK(ctx, sf_table_new(ctx, &t, 1, 1, empty));
    CHECK_FAILS(ctx, sf_table_write(ctx, &t, path), SF_E_ARG,
                "csv: the column name \"\" is empty");
    sf_table_free(ctx, &t);
    CHECK_OK(ctx, sf_table_new(ctx, &t, 1, 0, NULL));
    CHECK_FAILS(ctx, sf_table_write(ctx, &t, path), SF_E_ARG,
                "csv: the table has 0 columns, want 1 to 100000");
    sf_table_free(ctx, &t);
    static const char *const levels[] = {"a", "b"};
    static const double wrong[] = {2.0, -1.0, 0.5, INFINITY};
    for (size_t i = 0; i < SFI_COUNT(wrong); i++) {
        CHECK_OK(ctx, sf_table_new(ctx, &t, 2, 1, NULL));
        CHECK_OK(ctx, sfi_table_set_levels(ctx, &t, 0, levels, 2));
        t.data[1] = wrong[i];
        CHECK_FAILS(ctx, sf_table_write(ctx, &t, path), SF_E_ARG,
                    "csv: row 1 (counted from 0), column \"c0\": ");
        sf_table_free(ctx, &t);
    }
    CHECK(count_files() == 0);
    sf_context_free(ctx);
}

TEST(extensions_choose_the_format)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_table t;
    put_file(in_folder("a.CSV"), "x\n1\n", 4);
    CHECK_OK(ctx, sf_table_read(ctx, &t, in_folder("a.CSV")));
    CHECK_FAILS(ctx, sf_table_write(ctx, &t, "a.txt"), SF_E_ARG,
                "a.txt: tables are written as .csv and .npy, and to - as CSV");
    CHECK_FAILS(ctx, sf_table_write(ctx, &t, ".csv"), SF_E_ARG, ".csv");
    sf_table_free(ctx, &t);
    CHECK_FAILS(
        ctx, sf_table_read(ctx, &t, "a.xlsx"), SF_E_ARG,
        "a.xlsx: tables are read from .csv, .tsv, .txt, .data, .dat and "
        ".arff files, also with .gz, from .npy, and from - as CSV");
    CHECK(t.data == NULL);
    CHECK_FAILS(ctx, sf_table_read(ctx, &t, in_folder("no.csv")), SF_E_IO,
                "no.csv: cannot be opened: No such file");
    sf_context_free(ctx);
}

static sf_status read_and_write(sf_context *ctx, void *user)
{
    (void)user;
    sf_table t;
    sf_status status =
        read_text(ctx, &t, everything, sizeof everything - 1, 16);
    if (status != SF_OK)
        return status;
    status = sf_table_write(ctx, &t, in_folder("a.csv"));
    sf_table_free(ctx, &t);
    if (status == SF_OK)
        status = sf_table_read(ctx, &t, in_folder("a.csv"));
    sf_table_free(ctx, &t);
    return status;
}

TEST(every_allocation_may_fail)
{
    (void)state_;
    check_every_allocation(read_and_write, NULL);
    CHECK(count_files() == 1);
}

static sf_status read_twice(sf_context *ctx, void *user)
{
    (void)user;
    sfi_rows *rows = NULL;
    double cells[4];
    int64_t got = 1;
    SFI_TRY(sfi_rows_open_memory(ctx, &rows, ".csv", everything,
                                 sizeof everything - 1, 16, NULL));
    sf_status status = SF_OK;
    for (int pass = 0; pass < 2 && status == SF_OK; pass++) {
        do
            status = sfi_rows_next(rows, cells, 1, &got);
        while (status == SF_OK && got > 0);
        if (status == SF_OK)
            status = sfi_rows_rewind(rows);
    }
    sfi_rows_close(rows);
    return status;
}

TEST(every_allocation_of_a_stream_may_fail)
{
    (void)state_;
    check_every_allocation(read_twice, NULL);
}

IO_TESTS(IO_CASE(numbers_are_read_with_names_kinds_and_missing_cells),
         IO_CASE(large_numbers_are_real_not_integer),
         IO_CASE(a_column_that_begins_with_text_holds_levels),
         IO_CASE(quotes_protect_commas_line_ends_quotes_and_blanks),
         IO_CASE(line_ends_blanks_and_a_byte_order_mark_make_no_difference),
         IO_CASE(a_single_column_writes_its_missing_cells_out),
         IO_CASE(names_may_be_numbers_where_that_cannot_be_data),
         IO_CASE(a_header_line_that_cannot_be_one_is_refused),
         IO_CASE(files_without_rows_are_refused),
         IO_CASE(ragged_rows_name_the_line_and_both_numbers_of_fields),
         IO_CASE(cells_that_are_no_finite_numbers_name_line_and_column),
         IO_CASE(broken_text_is_refused),
         IO_CASE(what_is_absurdly_long_is_refused),
         IO_CASE(many_columns_are_read),
         IO_CASE(the_size_of_the_buffer_makes_no_difference),
         IO_CASE(rows_come_in_blocks_and_again_after_rewinding),
         IO_CASE(an_error_stays_until_rewound),
         IO_CASE(a_file_that_changes_between_two_readings_is_noticed),
         IO_CASE(tables_are_written_as_documented),
         IO_CASE(names_that_look_like_something_else_survive),
         IO_CASE(every_finite_double_survives),
         IO_CASE(tables_that_could_not_be_read_back_are_not_written),
         IO_CASE(extensions_choose_the_format),
         IO_CASE(every_allocation_may_fail),
         IO_CASE(every_allocation_of_a_stream_may_fail))
