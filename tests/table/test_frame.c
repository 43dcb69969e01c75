/* SPDX-License-Identifier: Apache-2.0 */
/* Frames: what they know of files and of the caller's memory, views, places. */
#include "io/tables_check.h"

#include "table/frame.h"

/* 24 rows: a key, a category, a boolean, days, numbers with holes, 0 and 1, a
 * constant; one quoted cell has a line end, so that lines are not rows. */
static const char *make_table(void)
{
    const char *path = in_folder("t.csv");
    FILE *f = fopen(path, "w");
    CHECK(f != NULL);
    fprintf(f, "id,colour,sex,day,x,flag,same,count\n");
    for (int i = 0; i < 24; i++)
        fprintf(f, "%d,%s,%s,2024-02-%02d,%g,%d,7.5,%d\n", 100 + i,
                i == 2       ? "\"dark\nred\""
                : i % 3 == 0 ? "green"
                             : "blue",
                i % 2 == 0 ? "m" : "f", 1 + i, i == 5 ? 0.5 : 1.5 * i,
                i % 4 == 0, (i * i) % 7);
    fclose(f);
    return path;
}

static sf_frame *read_table(sf_context *ctx)
{
    sf_frame *f = NULL;
    CHECK_OK(ctx, sf_frame_read(ctx, &f, make_table(), NULL));
    return f;
}

static void check_kinds(const sf_frame *f)
{
    static const sf_kind kinds[] = {
        SF_KIND_KEY,  SF_KIND_CATEGORY, SF_KIND_BOOLEAN,  SF_KIND_DATE,
        SF_KIND_REAL, SF_KIND_BOOLEAN,  SF_KIND_CONSTANT, SF_KIND_INTEGER};
    static const int decimals[] = {0, -1, -1, -1, 1, 0, 1, 0};
    CHECK(sf_frame_rows(f) == 24 && sf_frame_cols(f) == 8);
    for (int j = 0; j < 8; j++) {
        CHECK(sf_frame_kind(f, j) == kinds[j]);
        CHECK(sf_frame_decimals(f, j) == decimals[j]);
        CHECK(sf_frame_is_constant(f, j) == (j == 6));
        CHECK(sf_frame_is_number(f, j) == (j == 0 || j >= 4));
    }
    CHECK(sf_frame_level_count(f, 1) == 3 && sf_frame_level_count(f, 5) == 0);
    assert_string_equal(sf_frame_level(f, 1, 2), "dark\nred");
    assert_string_equal(sf_frame_unit(f, 3), "d");
    CHECK(sf_frame_unit(f, 4) == NULL);
    CHECK(sf_frame_find(f, "day") == 3 && sf_frame_find(f, "Day") == -1);
}

TEST(kinds_are_found_from_all_cells)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_frame *f = read_table(ctx);
    check_kinds(f);
    CHECK(sf_frame_cell(f, 0, 3) == 19754); /* 2024-02-01 */
    CHECK(sf_frame_cell(f, 23, 3) == 19754 + 23);
    CHECK(sf_frame_cell(f, 2, 1) == 2 && sf_frame_cell(f, 3, 1) == 0);
    assert_string_equal(sf_frame_left_out(f, 0, true), "it numbers the rows");
    assert_string_equal(sf_frame_left_out(f, 1, true), "it holds text");
    assert_string_equal(sf_frame_left_out(f, 3, true), "it holds dates");
    assert_string_equal(sf_frame_left_out(f, 6, false),
                        "it is the same number in every row");
    CHECK(sf_frame_left_out(f, 6, true) == NULL);
    CHECK(sf_frame_left_out(f, 4, false) == NULL);
    sf_frame_free(f);
    sf_context_free(ctx);
}

/* Each is a file, the kind of its first column, and why. */
TEST(what_makes_a_key_and_a_boolean)
{
    (void)state_;
    sf_context *ctx = new_context();
    for (int k = 0; k < 6; k++) {
        const char *path = in_folder("k.csv");
        const int rows = k == 1 ? 19 : 20;
        FILE *out = fopen(path, "w");
        CHECK(out != NULL);
        fprintf(out, "a,b\n");
        for (int i = 0; i < rows; i++)
            if (k == 3)
                fprintf(out, "n%d,%d\n", i, i * i);
            else if (k == 4)
                fprintf(out, "n%d,%d\n", i / 2, i * i);
            else if (k == 5)
                fprintf(out, "%d,%d\n", i % 2, i * i);
            else
                fprintf(out, "%d,%d\n", i + 5 + (k == 2 && i > 9), i * i);
        fclose(out);
        static const sf_kind kinds[] = {
            SF_KIND_KEY,      /* 20 running numbers                       */
            SF_KIND_INTEGER,  /* 19 are too few                           */
            SF_KIND_INTEGER,  /* a step of two                            */
            SF_KIND_KEY,      /* texts that all differ                    */
            SF_KIND_CATEGORY, /* texts that do not                        */
            SF_KIND_BOOLEAN}; /* 0 and 1                                  */
        sf_frame *f = NULL;
        CHECK_OK(ctx, sf_frame_read(ctx, &f, path, NULL));
        CHECK(sf_frame_kind(f, 0) == kinds[k]);
        sf_frame_free(f);
    }
    sf_context_free(ctx);
}

static const char *make_file(const char *text)
{
    const char *path = in_folder("made.csv");
    FILE *f = fopen(path, "w");
    CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
    return path;
}

/* The same from memory and passing by: the kind, its reason and the decimals. */
TEST(numbers_have_kinds_and_decimals)
{
    (void)state_;
    sf_context *ctx = new_context();
    /* p 0 is a share; q's sd is 0.2 of its mean, r's 0.8; s has a 0; u is finer
     * than six decimals, v whole but for its spelling, w a constant text with a
     * hole, y the same day. */
    const char *path = make_file("p,q,r,s,u,v,w,y\n"
                                 "0,1.25,0.5,0,0.1234567,1.0,a,2024-05-01\n"
                                 "0.5,1,0.25,0.5,-1,2,NA,2024-05-01\n"
                                 "1,1.5,2,3,2,3e0,a,2024-05-01\n");
    static const struct {
        sf_kind kind;
        int decimals;
        const char *why;
    } want[] = {{SF_KIND_PROPORTION, 1, "all in [0, 1]"},
                {SF_KIND_REAL, 2, "numbers"},
                {SF_KIND_POSITIVE, 2, "all > 0, and widely spread"},
                {SF_KIND_REAL, 1, "numbers"},
                {SF_KIND_REAL, -1, "numbers"},
                {SF_KIND_INTEGER, 0, "all are whole"},
                {SF_KIND_CONSTANT, -1, "one value"},
                {SF_KIND_CONSTANT, -1, "one value"}};
    for (int passes = 0; passes < 2; passes++) {
        sf_frame *f = NULL;
        CHECK_OK(ctx, passes ? sf_frame_open(ctx, &f, path, NULL)
                             : sf_frame_read(ctx, &f, path, NULL));
        for (int j = 0; j < (int)SFI_COUNT(want); j++) {
            CHECK(sf_frame_kind(f, j) == want[j].kind);
            CHECK(sf_frame_decimals(f, j) == want[j].decimals);
            assert_string_equal(sf_frame_why(f, j), want[j].why);
        }
        assert_string_equal(sf_frame_left_out(f, 6, false),
                            "it is the same text in every row");
        sf_frame_free(f);
    }
    sf_context_free(ctx);
}

/* One row says nothing of what the others might be. */
TEST(one_row_is_no_constant)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_frame *f = NULL;
    CHECK_OK(ctx, sf_frame_read(ctx, &f, make_file("a,b,c\n-2.5,x,4\n"), NULL));
    CHECK(sf_frame_kind(f, 0) == SF_KIND_REAL);
    CHECK(sf_frame_kind(f, 1) == SF_KIND_CATEGORY);
    CHECK(sf_frame_kind(f, 2) == SF_KIND_INTEGER);
    sf_frame_free(f);
    sf_context_free(ctx);
}

TEST(names_and_ranges_give_hints)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_frame *f = NULL;
    char text[SF_HINT_SIZE];
    CHECK_OK(ctx, sf_frame_read(ctx, &f,
                                make_file("Lat,lng,Wind_Dir,angle,dir,x\n"
                                          "-89,0.5,359,361,0.5,4\n"
                                          "90,360,0,3,0.25,5\n"),
                                NULL));
    CHECK(sf_frame_hint(f, 0, text));
    assert_string_equal(text, "Lat,lng=vmf");
    CHECK(!sf_frame_hint(f, 1, text)); /* its latitude has said it */
    CHECK(sf_frame_hint(f, 2, text));
    assert_string_equal(text, "Wind_Dir=vonmises:unit=degrees");
    CHECK(!sf_frame_hint(f, 3, text)); /* beyond a turn */
    CHECK(!sf_frame_hint(f, 4, text)); /* hardly degrees */
    CHECK(!sf_frame_hint(f, 5, text));
    sf_frame_free(f);
    sf_context_free(ctx);
}

TEST(kinds_that_are_told_are_checked)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_frame *f = NULL;
    sf_read_options o = SF_READ_OPTIONS_INIT;
    o.kinds = "id=integer; flag=integer; count=category; day=category";
    CHECK_OK(ctx, sf_frame_read(ctx, &f, make_table(), &o));
    CHECK(sf_frame_kind(f, 0) == SF_KIND_INTEGER);
    CHECK(sf_frame_kind(f, 5) == SF_KIND_INTEGER);
    CHECK(sf_frame_kind(f, 7) == SF_KIND_CATEGORY);
    CHECK(sf_frame_level_count(f, 7) > 1);
    CHECK(sf_frame_kind(f, 3) == SF_KIND_CATEGORY &&
          sf_frame_level_count(f, 3) == 24);
    assert_string_equal(sf_frame_why(f, 0), "told");
    assert_string_equal(sf_frame_why(f, 4), "numbers");
    sf_frame_free(f);
    static const struct {
        const char *kinds, *message;
    } wrong[] = {{"x=positive", "not all its cells are numbers above 0"},
                 {"count=proportion", "not all its cells are numbers from 0 to "
                                      "1"},
                 {"x=constant", "its cells differ"},
                 {"x=integer",
                  "\"x\" is said to be of kind integer, and not all its "
                  "numbers are whole"},
                 {"colour=boolean", "it does not have two values"},
                 {"sex=date", "not all its cells are like 2024-05-01"},
                 {"colour=real", "is not a number"}};
    for (size_t k = 0; k < SFI_COUNT(wrong); k++) {
        o.kinds = wrong[k].kinds;
        CHECK_FAILS(ctx, sf_frame_read(ctx, &f, make_table(), &o), SF_E_FORMAT,
                    wrong[k].message);
        CHECK(f == NULL);
    }
    sf_context_free(ctx);
}

/* Numbers by the definition, in another order of sums. */
TEST(summaries_are_those_of_the_rows)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_frame *f = read_table(ctx), *stream = NULL;
    CHECK_OK(ctx, sf_frame_open(ctx, &stream, in_folder("t.csv"), NULL));
    check_kinds(stream);
    double sum = 0.0, squares = 0.0;
    for (int i = 0; i < 24; i++)
        sum += sf_frame_cell(f, i, 4);
    for (int i = 0; i < 24; i++)
        squares += pow(sf_frame_cell(f, i, 4) - sum / 24, 2);
    const sf_frame *both[] = {f, stream};
    for (int k = 0; k < 2; k++) {
        sf_frame_summary s = SF_FRAME_SUMMARY_INIT;
        CHECK_OK(ctx, sf_frame_summarise(ctx, &s, both[k], 4));
        CHECK(s.present == 24 && s.missing == 0);
        CHECK(s.min == 0.0 && s.max == 34.5);
        CHECK_CLOSE(s.mean, sum / 24, 1e-14);
        CHECK_CLOSE(s.sd, sqrt(squares / 23), 1e-13);
        CHECK_OK(ctx, sf_frame_summarise(ctx, &s, both[k], 1));
        CHECK(s.present == 24 && isnan(s.mean) && isnan(s.min));
        CHECK_OK(ctx, sf_frame_summarise(ctx, &s, both[k], 3));
        CHECK(s.min == 19754 && s.max == 19754 + 23 && isnan(s.mean));
        s.size = 4;
        CHECK_FAILS(ctx, sf_frame_summarise(ctx, &s, both[k], 4), SF_E_ARG,
                    "size is 4");
    }
    int64_t counts[3];
    CHECK_OK(ctx, sf_frame_count_levels(ctx, counts, f, 1));
    CHECK(counts[0] == 8 && counts[1] == 15 && counts[2] == 1);
    CHECK_FAILS(ctx, sf_frame_count_levels(ctx, counts, stream, 1),
                SF_E_UNSUPPORTED, "wants the cells in memory");
    CHECK(isnan(sf_frame_cell(stream, 0, 0)));
    sf_frame_free(stream);
    sf_frame_free(f);
    sf_context_free(ctx);
}

/* ---- views ---------------------------------------------------------------- */

static const char holes[] = "a,b,c\n1,10,x\n,20,y\n\"3\",30,\n4,,x\n5,50,y\n";

TEST(complete_rows_know_where_they_were)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_frame *all = NULL, *some = NULL, *whole = NULL, *again = NULL;
    put_file(in_folder("h.csv"), holes, sizeof holes - 1);
    CHECK_OK(ctx, sf_frame_read(ctx, &all, in_folder("h.csv"), NULL));
    CHECK_OK(ctx, sf_frame_pick(ctx, &some, all, "b,a"));
    sf_frame_free(all); /* what is shared stays */
    CHECK_OK(ctx, sf_frame_complete(ctx, &whole, some));
    CHECK(sf_frame_rows(whole) == 3 && sf_frame_cols(whole) == 2);
    static const int64_t rows[] = {0, 2, 4};
    char place[SF_PLACE_SIZE];
    sf_cmat x;
    CHECK_OK(ctx, sf_frame_matrix(ctx, whole, &x));
    CHECK(x.rows == 3 && x.cols == 2);
    for (int i = 0; i < 3; i++) {
        CHECK(sf_frame_row(whole, i) == rows[i]);
        CHECK(sf_frame_line(whole, i) == rows[i] + 2);
        CHECK(x.data[i * x.stride] == 10.0 * (double)(rows[i] + 1));
        CHECK(x.data[i * x.stride + 1] == (double)(rows[i] + 1));
    }
    assert_true(strstr(sf_frame_place(whole, 1, 0, place),
                       "h.csv:4: column \"b\"") != NULL);
    /* Rows of rows. */
    CHECK_OK(ctx, sf_frame_complete(ctx, &again, whole));
    CHECK(sf_frame_row(again, 2) == 4);
    sf_frame_free(again);
    sf_frame_free(some);
    /* The library's own messages about rows. */
    (void)SFI_FAIL(ctx, SF_E_NUMERIC, "fit: row 2, column \"b\": -3, want > 0");
    CHECK(sfi_frame_error(whole, SF_E_NUMERIC) == SF_E_FORMAT);
    assert_true(strstr(sf_context_message(ctx),
                       "h.csv:4: fit: row 3, column \"b\": -3, want > 0") !=
                NULL);
    (void)SFI_FAIL(ctx, SF_E_NUMERIC, "the covariance is singular");
    CHECK(sfi_frame_error(whole, SF_E_NUMERIC) == SF_E_FORMAT);
    assert_true(strstr(sf_context_message(ctx),
                       "h.csv: the covariance is singular") != NULL);
    CHECK(sfi_frame_error(whole, SF_E_NOMEM) == SF_E_NOMEM);
    sf_frame_free(whole);
    sf_context_free(ctx);
}

TEST(lists_of_names_are_checked)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_frame *all = read_table(ctx), *some = NULL;
    CHECK_OK(ctx, sf_frame_pick(ctx, &some, all, "\"x\",day"));
    assert_string_equal(sf_frame_name(some, 0), "x");
    assert_string_equal(sf_frame_unit(some, 1), "d");
    sf_frame_free(some);
    static const struct {
        const char *list, *message;
    } wrong[] = {{"dya", "there is no column \"dya\"; did you mean \"day\"?"},
                 {"zebra", "among the 8, which begin with \"id\""},
                 {"x,x", "column \"x\" is named twice"},
                 {"x,", "want names of columns"},
                 {"\"x", "want names of columns"}};
    for (size_t k = 0; k < SFI_COUNT(wrong); k++) {
        CHECK_FAILS(ctx, sf_frame_pick(ctx, &some, all, wrong[k].list),
                    SF_E_ARG, wrong[k].message);
        CHECK(some == NULL);
    }
    const int64_t twice[] = {1, 1}, far[] = {8};
    CHECK_FAILS(ctx, sf_frame_select(ctx, &some, all, twice, 2), SF_E_ARG,
                "column 1 of 8 is selected twice");
    CHECK_FAILS(ctx, sf_frame_select(ctx, &some, all, far, 1), SF_E_ARG,
                "column 8 of 8 is not there");
    CHECK_FAILS(ctx, sf_frame_select(ctx, &some, all, far, 0), SF_E_ARG,
                "no column is selected");
    CHECK_OK(ctx, sf_frame_numbers(ctx, &some, all, false));
    CHECK(sf_frame_cols(some) == 3);
    sf_frame_free(some);
    CHECK_OK(ctx, sf_frame_numbers(ctx, &some, all, true));
    CHECK(sf_frame_cols(some) == 4);
    sf_frame_free(some);
    sf_frame_free(all);
    sf_context_free(ctx);
}

TEST(no_complete_row_is_an_error)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_frame *f = NULL, *whole = NULL;
    put_file(in_folder("n.csv"), "a,b\n1,\n,2\n", 10);
    CHECK_OK(ctx, sf_frame_read(ctx, &f, in_folder("n.csv"), NULL));
    CHECK_FAILS(ctx, sf_frame_complete(ctx, &whole, f), SF_E_FORMAT,
                "n.csv: no row has a number in each of the 2 columns");
    sf_frame_free(f);
    put_file(in_folder("n.csv"), "a,b\n1,x\n1,x\n", 12);
    CHECK_OK(ctx, sf_frame_read(ctx, &f, in_folder("n.csv"), NULL));
    CHECK_FAILS(ctx, sf_frame_numbers(ctx, &whole, f, false), SF_E_FORMAT,
                "column \"a\" is 1 in every row, and no other column holds "
                "numbers");
    sf_frame_free(f);
    sf_context_free(ctx);
}

/* Every row is in one part, both keep the order, and the seed decides. */
TEST(a_split_takes_each_row_once)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_frame *f = read_table(ctx), *part[3], *others[3];
    static const uint64_t seeds[] = {1, 1, 2};
    for (int k = 0; k < 3; k++) {
        CHECK_OK(ctx,
                 sf_frame_split(ctx, &part[k], &others[k], f, 0.25, seeds[k]));
        CHECK(sf_frame_rows(part[k]) == 6 && sf_frame_rows(others[k]) == 18);
        int64_t a = 0, b = 0;
        for (int64_t i = 0; i < 24; i++) {
            const bool here = a < 6 && sf_frame_row(part[k], a) == i;
            CHECK(here || sf_frame_row(others[k], b) == i);
            a += here;
            b += !here;
        }
    }
    bool same = true, other = true;
    for (int64_t i = 0; i < 6; i++) {
        same &= sf_frame_row(part[0], i) == sf_frame_row(part[1], i);
        other &= sf_frame_row(part[0], i) == sf_frame_row(part[2], i);
    }
    CHECK(same && !other);
    sf_frame *none = NULL, *rest = NULL;
    CHECK_FAILS(ctx, sf_frame_split(ctx, &none, &rest, f, 1.5, 0), SF_E_ARG,
                "the fraction is 1.5");
    CHECK(none == NULL && rest == NULL);
    for (int k = 0; k < 3; k++) {
        sf_frame_free(part[k]);
        sf_frame_free(others[k]);
    }
    sf_frame_free(f);
    sf_context_free(ctx);
}

/* ---- the caller's memory -------------------------------------------------- */

TEST(the_callers_memory_is_not_copied)
{
    (void)state_;
    sf_context *ctx = new_context();
    struct row {
        double x;
        float y;
        int32_t n;
        uint8_t k, there;
        int64_t big;
    } rows[] = {{1.5, 0.5F, -3, 0, 1, 1},
                {2.5, NAN, 4, 1, 1, INT64_C(1) << 40},
                {-1.0, 2.0F, 5, 1, 1, 3}};
    static const char *const levels[] = {"no", "yes"};
    static const uint8_t validity[] = {0xA0 | 1 << 1, 0x01}; /* bits 5, 7, 8 */
    sf_frame_column c[5];
    for (int j = 0; j < 5; j++) {
        c[j] = (sf_frame_column)SF_FRAME_COLUMN_INIT;
        c[j].stride = sizeof *rows;
    }
    c[0].data = &rows[0].x;
    c[0].unit = "m";
    c[1].data = &rows[0].y;
    c[1].type = SF_CELL_F32;
    c[1].name = "y";
    c[2].data = &rows[0].n;
    c[2].type = SF_CELL_I32;
    c[2].validity = validity;
    c[2].validity_first = 6; /* 0, 1, 1 */
    c[3].data = &rows[0].k;
    c[3].type = SF_CELL_U8;
    c[3].levels = levels;
    c[3].level_count = 2;
    c[4].data = &rows[0].big;
    c[4].type = SF_CELL_I64;
    c[4].kind = SF_KIND_REAL;
    sf_frame *f = NULL;
    CHECK_OK(ctx, sf_frame_new(ctx, &f, 3, 5, c));
    CHECK(sf_frame_kind(f, 0) == SF_KIND_REAL);
    CHECK(sf_frame_kind(f, 2) == SF_KIND_INTEGER);
    CHECK(sf_frame_kind(f, 3) == SF_KIND_BOOLEAN);
    CHECK(sf_frame_kind(f, 4) == SF_KIND_REAL);
    assert_string_equal(sf_frame_name(f, 0), "c0");
    assert_string_equal(sf_frame_name(f, 1), "y");
    assert_string_equal(sf_frame_unit(f, 0), "m");
    assert_string_equal(sf_frame_level(f, 3, 1), "yes");
    CHECK(sf_frame_cell(f, 0, 1) == 0.5 && isnan(sf_frame_cell(f, 1, 1)));
    CHECK(isnan(sf_frame_cell(f, 0, 2)) && sf_frame_cell(f, 1, 2) == 4.0);
    CHECK(sf_frame_cell(f, 2, 2) == 5.0);
    CHECK(sf_frame_cell(f, 1, 4) == 0x1p40);
    rows[2].x = 9.0; /* seen, since nothing was copied */
    CHECK(sf_frame_cell(f, 2, 0) == 9.0);
    char place[SF_PLACE_SIZE];
    assert_string_equal(sf_frame_place(f, 2, 1, place),
                        "row 2 (counted from 0), column \"y\"");
    CHECK(sf_frame_line(f, 2) == -1 && sf_frame_has_names(f));
    sf_cmat x;
    CHECK_OK(ctx, sf_frame_matrix(ctx, f, &x));
    CHECK(x.data[10] == 9.0 && isnan(x.data[2]));
    sf_frame_free(f);
    sf_context_free(ctx);
}

TEST(a_matrix_of_doubles_is_seen_as_it_lies)
{
    (void)state_;
    sf_context *ctx = new_context();
    double cells[4][3] = {{1, 2, 3.5}, {4, 5, 6}, {7, 8, 9}, {10, 11, 12}};
    sf_frame_column c[3];
    for (int j = 0; j < 3; j++) {
        c[j] = (sf_frame_column)SF_FRAME_COLUMN_INIT;
        c[j].data = &cells[0][j];
        c[j].stride = sizeof cells[0];
    }
    sf_frame *f = NULL, *part = NULL;
    sf_cmat x;
    CHECK_OK(ctx, sf_frame_new(ctx, &f, 4, 3, c));
    CHECK_OK(ctx, sf_frame_matrix(ctx, f, &x));
    CHECK(x.data == &cells[0][0] && x.rows == 4 && x.cols == 3 &&
          x.stride == 3);
    const int64_t two[] = {1, 2}, turned[] = {2, 1};
    CHECK_OK(ctx, sf_frame_select(ctx, &part, f, two, 2));
    CHECK_OK(ctx, sf_frame_matrix(ctx, part, &x));
    CHECK(x.data == &cells[0][1] && x.cols == 2 && x.stride == 3);
    sf_frame_free(part);
    CHECK_OK(ctx, sf_frame_select(ctx, &part, f, turned, 2));
    CHECK_OK(ctx, sf_frame_matrix(ctx, part, &x));
    CHECK(x.data != &cells[0][2] && x.data[0] == 3.5 && x.data[1] == 2.0);
    sf_frame_free(part);
    sf_frame_free(f);
    sf_context_free(ctx);
}

TEST(what_cannot_be_a_column_is_refused)
{
    (void)state_;
    sf_context *ctx = new_context();
    double cells[] = {0, 1, 2, INFINITY};
    static const char *const levels[] = {"a", "b"};
    sf_frame_column c[2] = {SF_FRAME_COLUMN_INIT, SF_FRAME_COLUMN_INIT};
    sf_frame *f = NULL;
    c[0].data = c[1].data = cells;
    c[0].name = c[1].name = "a";
    CHECK_FAILS(ctx, sf_frame_new(ctx, &f, 3, 2, c), SF_E_ARG,
                "two columns are called \"a\"");
    CHECK_FAILS(ctx, sf_frame_new(ctx, &f, 4, 1, c), SF_E_ARG,
                "row 3 (counted from 0), column \"a\": inf is not a finite");
    c[0].levels = levels;
    c[0].level_count = 2;
    CHECK_FAILS(ctx, sf_frame_new(ctx, &f, 3, 1, c), SF_E_ARG,
                "2 is not the number of a level");
    CHECK_OK(ctx, sf_frame_new(ctx, &f, 2, 1, c));
    sf_frame_free(f);
    CHECK_FAILS(ctx, sf_frame_new(ctx, &f, 0, 1, c), SF_E_SHAPE, "0 rows");
    CHECK_FAILS(ctx, sf_frame_new(ctx, &f, INT64_MAX, 2, c), SF_E_SHAPE, "");
    c[0].kind = 99;
    CHECK_FAILS(ctx, sf_frame_new(ctx, &f, 2, 1, c), SF_E_ARG, "its kind");
    c[0].kind = -1;
    c[0].data = NULL;
    CHECK_FAILS(ctx, sf_frame_new(ctx, &f, 2, 1, c), SF_E_ARG, "no data");
    c[0].size = 3;
    CHECK_FAILS(ctx, sf_frame_new(ctx, &f, 2, 1, c), SF_E_ARG, "its size");
    CHECK(f == NULL);
    sf_context_free(ctx);
}

TEST(an_array_file_is_mapped)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_table t;
    sf_frame *f = NULL, *read = NULL;
    CHECK_OK(ctx, sf_table_new(ctx, &t, 5, 3, NULL));
    for (int i = 0; i < 15; i++)
        t.data[i] = i == 7 ? (double)NAN : 0.5 * i;
    CHECK_OK(ctx, sf_table_write(ctx, &t, in_folder("a.npy")));
    CHECK_OK(ctx, sf_frame_map(ctx, &f, in_folder("a.npy")));
    CHECK_OK(ctx, sf_frame_read(ctx, &read, in_folder("a.npy"), NULL));
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 3; j++) {
            const double want = t.data[3 * i + j];
            CHECK(isnan(want) ? isnan(sf_frame_cell(f, i, j))
                              : sf_frame_cell(f, i, j) == want);
            CHECK(isnan(want) ? isnan(sf_frame_cell(read, i, j))
                              : sf_frame_cell(read, i, j) == want);
        }
    CHECK(!sf_frame_has_names(f) && !sf_frame_has_names(read));
    sf_cmat x;
    CHECK_OK(ctx, sf_frame_matrix(ctx, f, &x));
    CHECK(x.stride == 3 && x.data[14] == 7.0);
    sf_frame_free(f);
    sf_frame_free(read);
    t.data[2] = -INFINITY;
    CHECK_OK(ctx, sf_table_write(ctx, &t, in_folder("a.npy")));
    CHECK_FAILS(ctx, sf_frame_map(ctx, &f, in_folder("a.npy")), SF_E_FORMAT,
                "row 0 (counted from 0), column \"c2\": -inf");
    CHECK_FAILS(ctx, sf_frame_map(ctx, &f, in_folder("b.npy")), SF_E_IO,
                "cannot be opened");
    sf_table_free(ctx, &t);
    sf_context_free(ctx);
}

/* ---- readers -------------------------------------------------------------- */

TEST(a_reader_gives_the_same_rows_from_memory_and_from_the_file)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_frame *frames[2] = {NULL, NULL}, *some[2];
    put_file(in_folder("h.csv"), holes, sizeof holes - 1);
    CHECK_OK(ctx, sf_frame_read(ctx, &frames[0], in_folder("h.csv"), NULL));
    CHECK_OK(ctx, sf_frame_open(ctx, &frames[1], in_folder("h.csv"), NULL));
    for (int k = 0; k < 2; k++) {
        sf_frame_reader *r = NULL;
        double block[5 * 2];
        CHECK_OK(ctx, sf_frame_pick(ctx, &some[k], frames[k], "b,a"));
        CHECK_OK(ctx, sf_frame_reader_new(ctx, &r, some[k], true));
        for (int pass = 0; pass < 2; pass++) {
            for (int64_t limit = 1; limit <= 5; limit += 2) {
                int64_t n = 0, got = 0;
                double sum = 0.0;
                CHECK_OK(ctx, sf_frame_reader_rewind(r));
                while ((got = sf_frame_reader_next(r, block, limit)) > 0)
                    for (int64_t i = 0; i < got; i++, n++)
                        sum += block[2 * i] * block[2 * i + 1];
                CHECK(got == 0 && n == 3 && sf_frame_reader_count(r) == 3);
                CHECK(sum == 10 * 1 + 30 * 3 + 50 * 5);
            }
        }
        sf_frame_reader_free(r);
        sf_frame *whole = NULL;
        sf_cmat x;
        if (k == 1) {
            CHECK_FAILS(ctx, sf_frame_complete(ctx, &whole, some[k]),
                        SF_E_UNSUPPORTED, "complete rows wants the cells");
            CHECK_FAILS(ctx, sf_frame_matrix(ctx, some[k], &x),
                        SF_E_UNSUPPORTED, "");
        }
        sf_frame_free(some[k]);
        sf_frame_free(frames[k]);
    }
    sf_context_free(ctx);
}

/* Dates of a stream are numbers, too, and lines known. */
TEST(dates_pass_by_as_numbers)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_frame *f = NULL, *day = NULL;
    sf_frame_reader *r = NULL;
    double block[24];
    CHECK_OK(ctx, sf_frame_open(ctx, &f, make_table(), NULL));
    CHECK_OK(ctx, sf_frame_pick(ctx, &day, f, "day"));
    CHECK_OK(ctx, sf_frame_reader_new(ctx, &r, day, false));
    CHECK(sf_frame_reader_next(r, block, 24) == 24);
    CHECK(block[0] == 19754 && block[23] == 19754 + 23);
    CHECK(sf_frame_line(day, 2) == 4 && sf_frame_line(day, 3) == 6);
    sf_frame_reader_free(r);
    sf_frame_free(day);
    sf_frame_free(f);
    sf_context_free(ctx);
}

/* ---- memory --------------------------------------------------------------- */

static sf_status do_all(sf_context *ctx, void *user)
{
    sf_frame *f[6] = {NULL};
    sf_frame_reader *r = NULL;
    double block[24 * 3];
    sf_cmat x;
    (void)user;
    sf_status status = sf_frame_read(ctx, &f[0], in_folder("t.csv"), NULL);
    if (status == SF_OK)
        status = sf_frame_pick(ctx, &f[1], f[0], "count,x,day");
    if (status == SF_OK)
        status = sf_frame_complete(ctx, &f[2], f[1]);
    if (status == SF_OK)
        status = sf_frame_split(ctx, &f[3], &f[4], f[2], 0.5, 3);
    if (status == SF_OK)
        status = sf_frame_matrix(ctx, f[3], &x);
    if (status == SF_OK)
        status = sf_frame_open(ctx, &f[5], in_folder("t.csv"), NULL);
    if (status == SF_OK)
        status = sf_frame_reader_new(ctx, &r, f[5], true);
    if (status == SF_OK && sf_frame_reader_next(r, block, 3) < 0)
        status = SF_E_NOMEM;
    sf_frame_reader_free(r);
    for (int k = 0; k < 6; k++)
        sf_frame_free(f[k]);
    return status;
}

static sf_status over_memory(sf_context *ctx, void *user)
{
    double cells[] = {0, 1, 1};
    static const char *const levels[] = {"a", "b"};
    sf_frame_column c = SF_FRAME_COLUMN_INIT;
    sf_frame *f = NULL;
    (void)user;
    c.data = cells;
    c.unit = "m";
    c.levels = levels;
    c.level_count = 2;
    sf_status status = sf_frame_new(ctx, &f, 3, 1, &c);
    sf_frame_free(f);
    f = NULL;
    if (status == SF_OK)
        status = sf_frame_map(ctx, &f, in_folder("a.npy"));
    sf_frame_free(f);
    return status;
}

TEST(every_allocation_may_fail)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_table t;
    make_table();
    CHECK_OK(ctx, sf_table_new(ctx, &t, 3, 2, NULL));
    CHECK_OK(ctx, sf_table_write(ctx, &t, in_folder("a.npy")));
    sf_table_free(ctx, &t);
    sf_context_free(ctx);
    check_every_allocation(do_all, NULL);
    check_every_allocation(over_memory, NULL);
}

IO_TESTS(IO_CASE(kinds_are_found_from_all_cells),
         IO_CASE(what_makes_a_key_and_a_boolean),
         IO_CASE(kinds_that_are_told_are_checked),
         IO_CASE(numbers_have_kinds_and_decimals),
         IO_CASE(one_row_is_no_constant), IO_CASE(names_and_ranges_give_hints),
         IO_CASE(summaries_are_those_of_the_rows),
         IO_CASE(complete_rows_know_where_they_were),
         IO_CASE(lists_of_names_are_checked),
         IO_CASE(no_complete_row_is_an_error),
         IO_CASE(a_split_takes_each_row_once),
         IO_CASE(the_callers_memory_is_not_copied),
         IO_CASE(a_matrix_of_doubles_is_seen_as_it_lies),
         IO_CASE(what_cannot_be_a_column_is_refused),
         IO_CASE(an_array_file_is_mapped),
         IO_CASE(a_reader_gives_the_same_rows_from_memory_and_from_the_file),
         IO_CASE(dates_pass_by_as_numbers), IO_CASE(every_allocation_may_fail))
