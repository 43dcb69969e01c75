/* SPDX-License-Identifier: Apache-2.0 */
/* NPY as docs/FORMATS.md describes it: every element type, order and version,
 * every message. */
#include "io_check.h"

#include "io/npy.h"

typedef struct file {
    unsigned char bytes[4096];
    size_t size;
} file;

/* A file of version `major` with this header and these elements. */
static file make_file(int major, const char *header, const void *data,
                      size_t size)
{
    file f = {.size = 0};
    const size_t length = strlen(header);
    const unsigned char prefix[12] = {0x93,
                                      'N',
                                      'U',
                                      'M',
                                      'P',
                                      'Y',
                                      (unsigned char)major,
                                      0,
                                      (unsigned char)length,
                                      (unsigned char)(length >> 8),
                                      0,
                                      0};
    const size_t before = major == 1 ? 10 : 12;
    memcpy(f.bytes, prefix, before);
    memcpy(f.bytes + before, header, length);
    if (size > 0)
        memcpy(f.bytes + before + length, data, size);
    f.size = before + length + size;
    return f;
}

static sf_status read_file(sf_context *ctx, sf_table *out, const file *f)
{
    sfi_rows *rows = NULL;
    memset(out, 0, sizeof *out);
    SFI_TRY(
        sfi_rows_open_memory(ctx, &rows, ".npy", f->bytes, f->size, 0, NULL));
    const sf_status status = sfi_rows_read_all(rows, out);
    sfi_rows_close(rows);
    return status;
}

static void check_bad(file f, const char *message)
{
    sf_context *ctx = new_context();
    sf_table t;
    CHECK_FAILS(ctx, read_file(ctx, &t, &f), SF_E_FORMAT, message);
    CHECK(t.data == NULL && t.columns == NULL);
    sf_context_free(ctx);
}

#define HEADER(descr, order, shape)                                            \
    "{'descr': '" descr "', 'fortran_order': " order ", 'shape': " shape ", "  \
    "}\n"

TEST(every_element_type_is_read)
{
    (void)state_;
    sf_context *ctx = new_context();
    const double f8[] = {1, -2.5, 3, 4e100, -0.0, 6};
    const float f4[] = {1, -2.5f, 3, 0.1f, -0.0f, 6};
    const int64_t i8[] = {1, -2, 3, INT64_C(9007199254740993), INT64_MIN, 6};
    const int32_t i4[] = {1, -2, 3, INT32_MAX, INT32_MIN, 6};
    const uint8_t u1[] = {1, 2, 3, 255, 0, 6};
    const struct {
        const char *header;
        const void *data;
        size_t size;
        double fourth, fifth;
    } types[] = {{HEADER("<f8", "False", "(2, 3)"), f8, sizeof f8, 4e100, -0.0},
                 {HEADER("<f4", "False", "(2, 3)"), f4, sizeof f4, 0.1f, -0.0},
                 {HEADER("<i8", "False", "(2, 3)"), i8, sizeof i8,
                  9007199254740992.0, -0x1p63},
                 {HEADER("<i4", "False", "(2, 3)"), i4, sizeof i4, 2147483647.0,
                  -2147483648.0},
                 {HEADER("|u1", "False", "(2, 3)"), u1, sizeof u1, 255.0, 0.0},
                 {HEADER("<u1", "False", "(2, 3)"), u1, sizeof u1, 255.0, 0.0}};
    for (size_t i = 0; i < SFI_COUNT(types); i++)
        for (int major = 1; major <= 3; major++) {
            const file f =
                make_file(major, types[i].header, types[i].data, types[i].size);
            sf_table t;
            CHECK_OK(ctx, read_file(ctx, &t, &f));
            CHECK(t.rows == 2 && t.cols == 3);
            CHECK(t.data[0] == 1.0 && t.data[2] == 3.0 && t.data[5] == 6.0);
            CHECK(t.data[3] == types[i].fourth);
            CHECK(t.data[4] == types[i].fifth);
            assert_string_equal(t.columns[2].name, "c2");
            CHECK(t.columns[2].kind == SF_COLUMN_INTEGER);
            sf_table_free(ctx, &t);
        }
    sf_context_free(ctx);
}

TEST(fortran_order_is_reordered_and_one_axis_is_one_column)
{
    (void)state_;
    sf_context *ctx = new_context();
    const double a[] = {1, 4, 2, 5, 3, NAN};
    const file columns =
        make_file(1, HEADER("<f8", "True", "(2, 3)"), a, sizeof a);
    sf_table t;
    CHECK_OK(ctx, read_file(ctx, &t, &columns));
    CHECK(t.rows == 2 && t.cols == 3);
    for (int i = 0; i < 5; i++)
        CHECK(t.data[i] == i + 1);
    CHECK(isnan(t.data[5]) && t.columns[2].missing == 1);
    sf_table_free(ctx, &t);
    static const char *const vectors[] = {HEADER("<f8", "False", "(6,)"),
                                          HEADER("<f8", "True", "( 6 , )")};
    for (int i = 0; i < 2; i++) {
        const file vector = make_file(1, vectors[i], a, sizeof a);
        CHECK_OK(ctx, read_file(ctx, &t, &vector));
        CHECK(t.rows == 6 && t.cols == 1 && t.data[1] == 4.0);
        sf_table_free(ctx, &t);
    }
    sf_context_free(ctx);
}

TEST(the_header_may_be_laid_out_in_other_ways)
{
    (void)state_;
    sf_context *ctx = new_context();
    const double a[] = {1, 2};
    static const char *const headers[] = {
        "{\"shape\":(2,1),\"descr\":\"<f8\",\"fortran_order\":False}",
        "  { 'fortran_order' : False , 'shape' : ( 2 , 1 , ) ,\n "
        "'descr':'<f8' , }   \n",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1), }          "
        "                                                             \n"};
    for (size_t i = 0; i < SFI_COUNT(headers); i++) {
        const file f = make_file(2, headers[i], a, sizeof a);
        sf_table t;
        CHECK_OK(ctx, read_file(ctx, &t, &f));
        CHECK(t.rows == 2 && t.cols == 1 && t.data[1] == 2.0);
        sf_table_free(ctx, &t);
    }
    sf_context_free(ctx);
}

TEST(broken_files_are_refused)
{
    (void)state_;
    const double a[6] = {0};
    const char *good = HEADER("<f8", "False", "(2, 3)");
    check_bad((file){.size = 0}, "<memory>: the file is empty");
    check_bad((file){.bytes = "x,y\n1,2\n3,4\n", .size = 12},
              "<memory>: not an NPY file");
    file f = make_file(1, good, a, sizeof a);
    for (size_t size = 1; size < f.size; size++) {
        file cut = f;
        cut.size = size;
        check_bad(cut, size < 10 ? "not an NPY file"
                       : size < 10 + strlen(good)
                           ? "<memory>: ends before byte "
                           : "the file was cut off");
    }
    f.size += 8;
    check_bad(f, "<memory>: 56 bytes follow the header, but its shape and type "
                 "want 48; a file holds one array");
    check_bad(make_file(4, good, a, sizeof a),
              "<memory>: NPY version 4.0, want 1.0, 2.0 or 3.0");
    f = make_file(2, good, a, sizeof a);
    f.bytes[11] = 1;
    check_bad(f, "bytes, want at most 1048576");
    f = make_file(1, good, a, sizeof a);
    f.bytes[30] = 0;
    check_bad(f, "<memory>: a NUL byte in the header");
}

TEST(shapes_that_are_no_table_are_refused)
{
    (void)state_;
    const double a[6] = {0};
#define SHAPE(text, size, message)                                             \
    check_bad(make_file(1, HEADER("<f8", "False", text), a, size), message)
    SHAPE("()", 8, "<memory>: an array of 0 axes, want 2 (rows and columns)");
    SHAPE("(1, 2, 3)", 48, "<memory>: an array of 3 axes, want 2");
    SHAPE("(0, 3)", 0, "<memory>: 0 rows and 3 columns, want at least one");
    SHAPE("(3, 0)", 0, "<memory>: 3 rows and 0 columns, want at least one");
    SHAPE("(1, 1, 1, 1, 1, 1, 1)", 8, "the array has more than 6 axes");
    SHAPE("(4294967296, 4294967296)", 48, "exceeds the address space");
    SHAPE("(2305843009213693952,)", 48, "exceeds the address space");
    SHAPE("(9223372036854775808, 1)", 48, "want an extent below 2^63");
    SHAPE("(99999999999999999999, 1)", 48, "want an extent below 2^63");
    SHAPE("(-2, -3)", 48, "want an extent");
    SHAPE("(2, 3", 48, "want an extent");
    SHAPE("(2 3)", 48, "want a comma or )");
    SHAPE("(2,, 3)", 48, "want an extent");
    SHAPE("[2, 3]", 48, "want a tuple of extents");
    SHAPE("(2L, 3L)", 48, "want a comma or )");
}

TEST(headers_that_say_something_else_are_refused)
{
    (void)state_;
    const double a[6] = {0};
#define SAYS(header, message) check_bad(make_file(1, header, a, 48), message)
    SAYS(
        HEADER(">f8", "False", "(2, 3)"),
        "<memory>: elements of type >f8 are not read, want <f8, <f4, <i8, <i4, "
        "|u1 or |b1; convert the array with a.astype('<f8')");
    SAYS(HEADER("<f2", "False", "(2, 3)"), "elements of type <f2 are not read");
    SAYS(HEADER("|O", "False", "(2, 3)"),
         "if all its objects are numbers, save a.astype('<f8')");
    SAYS(HEADER("<c16", "False", "(2, 3)"),
         "save the parts of a complex array as columns: numpy.stack([a.real, "
         "a.imag], -1)");
    SAYS(HEADER("<U7", "False", "(2, 3)"), "write an array of texts as CSV");
    SAYS(HEADER("<M8[D]", "False", "(2, 3)"),
         "save times as seconds: a.astype('<M8[s]').astype('<i8')");
    SAYS(HEADER("<f8", "None", "(2, 3)"), "want True or False");
    SAYS("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (6,)}",
         "<memory>: a structured array, want a plain one of numbers; "
         "numpy.lib.recfunctions.structured_to_unstructured(a) makes one");
    SAYS("{'descr': '<f8', 'shape': (2, 3)}",
         "want 'descr', 'fortran_order' and 'shape' before the }");
    SAYS("{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': "
         "(2, 3)}",
         "want 'descr', 'fortran_order' and 'shape' once each");
    SAYS("{'x': 1, 'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)}",
         "once each");
    SAYS("['descr']", "want {");
    SAYS("{'descr' '<f8'}", "want a colon");
    SAYS("{descr: '<f8'}", "want a text in quotes");
    SAYS("{'descr", "want a short text in quotes");
    SAYS("{'descr': '<f8' 'fortran_order': False}", "want a comma or }");
    SAYS("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)} x",
         "want the header's end");
    SAYS("", "want {");
}

TEST(infinities_name_row_and_column)
{
    (void)state_;
    const double a[] = {1, 2, NAN, 4, -INFINITY, 6};
    const float b[] = {1, 2, NAN, 4, INFINITY, 6};
    check_bad(make_file(1, HEADER("<f8", "False", "(2, 3)"), a, sizeof a),
              "<memory>: row 1 (counted from 0), column \"c1\": -inf is not a "
              "finite number; a missing cell is NaN");
    check_bad(make_file(1, HEADER("<f8", "True", "(3, 2)"), a, sizeof a),
              "<memory>: row 1 (counted from 0), column \"c1\": -inf");
    check_bad(make_file(1, HEADER("<f4", "False", "(3, 2)"), b, sizeof b),
              "<memory>: row 2 (counted from 0), column \"c0\": inf");
}

TEST(rows_stream_in_blocks_of_any_size)
{
    (void)state_;
    enum { ROWS = 11, COLS = 3 };
    sf_context *ctx = new_context();
    double rows_first[ROWS * COLS], columns_first[ROWS * COLS];
    float floats[ROWS * COLS];
    for (int i = 0; i < ROWS * COLS; i++) {
        rows_first[i] = floats[i] = (float)i + 0.5f;
        columns_first[i % COLS * ROWS + i / COLS] = i + 0.5;
    }
    const file files[] = {
        make_file(1, HEADER("<f8", "False", "(11, 3)"), rows_first,
                  sizeof rows_first),
        make_file(1, HEADER("<f8", "True", "(11, 3)"), columns_first,
                  sizeof columns_first),
        make_file(1, HEADER("<f4", "False", "(11, 3)"), floats, sizeof floats)};
    for (size_t k = 0; k < SFI_COUNT(files); k++)
        for (int64_t limit = 1; limit <= ROWS + 1; limit++) {
            sfi_rows *rows = NULL;
            double cells[(ROWS + 1) * COLS];
            CHECK_OK(ctx,
                     sfi_rows_open_memory(ctx, &rows, ".npy", files[k].bytes,
                                          files[k].size, 0, NULL));
            CHECK(sfi_rows_count(rows) == ROWS && sfi_rows_cols(rows) == COLS);
            for (int pass = 0; pass < 2; pass++) {
                int64_t done = 0, got = 1;
                while (got > 0) {
                    CHECK_OK(ctx, sfi_rows_next(rows, cells, limit, &got));
                    for (int64_t i = 0; i < got * COLS; i++)
                        CHECK(cells[i] == (double)(done * COLS + i) + 0.5);
                    done += got;
                }
                CHECK(done == ROWS);
                CHECK(sfi_rows_columns(rows)[1].kind == SF_COLUMN_REAL);
                CHECK_OK(ctx, sfi_rows_rewind(rows));
            }
            sfi_rows_close(rows);
        }
    sf_context_free(ctx);
}

TEST(written_bytes_are_as_the_format_demands)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_table t;
    CHECK_OK(ctx, sf_table_new(ctx, &t, 2, 1, NULL));
    t.data[0] = 1.0;
    t.data[1] = (double)NAN;
    CHECK_OK(ctx, sf_table_write(ctx, &t, in_folder("a.npy")));
    size_t size = 0;
    char *bytes = get_file(in_folder("a.npy"), &size);
    CHECK(size == 128 + 16);
    static const char want[] =
        "\x93NUMPY\x01\0\x76\0{'descr': '<f8', 'fortran_order': False, "
        "'shape': (2, 1), }                                                   "
        "       \n\0\0\0\0\0\0\xF0\x3F";
    CHECK(memcmp(bytes, want, sizeof want - 1) == 0);
    free(bytes);
    sf_table back;
    CHECK_OK(ctx, sf_table_read(ctx, &back, in_folder("a.npy")));
    CHECK(back.rows == 2 && back.data[0] == 1.0 && isnan(back.data[1]));
    sf_table_free(ctx, &back);
    sf_table_free(ctx, &t);
    sf_context_free(ctx);
}

TEST(arrays_of_every_rank_survive)
{
    (void)state_;
    sf_context *ctx = new_context();
    static const int64_t shape[] = {3, 2, 4, 1, 2, 3};
    for (int rank = 0; rank <= SF_MAX_RANK; rank++)
        for (int type = SF_F32; type <= SF_F64; type++) {
            sf_array a, b;
            CHECK_OK(ctx, sf_array_new(ctx, &a, (sf_dtype)type, rank, shape));
            const int64_t count = sf_array_count(&a);
            for (int64_t i = 0; i < count; i++)
                if (type == SF_F32)
                    ((float *)a.data)[i] = 1.0f / (float)(i + 1);
                else
                    ((double *)a.data)[i] = 1.0 / (double)(i + 1);
            CHECK_OK(ctx, sfi_npy_write_array(ctx, &a, in_folder("a.npy")));
            for (int as = SF_F32; as <= SF_F64; as++) {
                CHECK_OK(ctx, sfi_npy_read_array(ctx, &b, (sf_dtype)as,
                                                 in_folder("a.npy")));
                CHECK(b.rank == rank && (int)b.dtype == as);
                for (int k = 0; k < rank; k++)
                    CHECK(b.shape[k] == shape[k]);
                for (int64_t i = 0; i < count; i++) {
                    const double x = type == SF_F32 ? ((float *)a.data)[i]
                                                    : ((double *)a.data)[i];
                    const double y = as == SF_F32 ? ((float *)b.data)[i]
                                                  : ((double *)b.data)[i];
                    CHECK(y == (as == SF_F32 ? (float)x : x));
                }
                sf_array_free(ctx, &b);
            }
            sf_array_free(ctx, &a);
        }
    sf_context_free(ctx);
}

/* Element (i, j, k) of a [2, 3, 2] array lies at i + 2 (j + 3 k). */
TEST(arrays_in_fortran_order_are_reordered)
{
    (void)state_;
    sf_context *ctx = new_context();
    uint8_t data[12];
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 2; k++)
                data[i + 2 * (j + 3 * k)] = (uint8_t)(100 * i + 10 * j + k);
    const file f =
        make_file(1, HEADER("|u1", "True", "(2, 3, 2)"), data, sizeof data);
    for (int type = SF_F32; type <= SF_F64; type++) {
        sf_array a;
        CHECK_OK(ctx, sfi_npy_read_array_memory(ctx, &a, (sf_dtype)type,
                                                f.bytes, f.size));
        CHECK(a.rank == 3);
        for (int i = 0; i < 2; i++)
            for (int j = 0; j < 3; j++)
                for (int k = 0; k < 2; k++) {
                    const int at = (i * 3 + j) * 2 + k;
                    CHECK((type == SF_F32 ? ((float *)a.data)[at]
                                          : ((double *)a.data)[at]) ==
                          100 * i + 10 * j + k);
                }
        sf_array_free(ctx, &a);
    }
    sf_context_free(ctx);
}

static sf_status read_and_write(sf_context *ctx, void *user)
{
    const file *f = user;
    sf_table t;
    sf_status status = read_file(ctx, &t, f);
    if (status == SF_OK)
        status = sf_table_write(ctx, &t, in_folder("a.npy"));
    sf_table_free(ctx, &t);
    if (status == SF_OK)
        status = sf_table_read(ctx, &t, in_folder("a.npy"));
    sf_table_free(ctx, &t);
    sf_array a;
    if (status == SF_OK)
        status = sfi_npy_read_array_memory(ctx, &a, SF_F32, f->bytes, f->size);
    if (status == SF_OK) {
        status = sfi_npy_write_array(ctx, &a, in_folder("b.npy"));
        sf_array_free(ctx, &a);
    }
    if (status == SF_OK)
        status = sfi_npy_read_array(ctx, &a, SF_F64, in_folder("b.npy"));
    if (status == SF_OK)
        sf_array_free(ctx, &a);
    return status;
}

TEST(every_allocation_may_fail)
{
    (void)state_;
    const double a[] = {1, 2, 3, 4, 5, 6};
    file f = make_file(1, HEADER("<f8", "True", "(2, 3)"), a, sizeof a);
    check_every_allocation(read_and_write, &f);
    CHECK(count_files() == 2);
}

TEST(pipes_are_refused)
{
    (void)state_;
    sf_context *ctx = new_context();
    int ends[2];
    CHECK(pipe(ends) == 0);
    char path[64];
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    sf_array a;
    CHECK_FAILS(ctx, sfi_npy_read_array(ctx, &a, SF_F64, path),
                SF_E_UNSUPPORTED, "NPY is read from files, not from pipes");
    close(ends[0]);
    close(ends[1]);
    sf_context_free(ctx);
}

IO_TESTS(IO_CASE(every_element_type_is_read),
         IO_CASE(fortran_order_is_reordered_and_one_axis_is_one_column),
         IO_CASE(the_header_may_be_laid_out_in_other_ways),
         IO_CASE(broken_files_are_refused),
         IO_CASE(shapes_that_are_no_table_are_refused),
         IO_CASE(headers_that_say_something_else_are_refused),
         IO_CASE(infinities_name_row_and_column),
         IO_CASE(rows_stream_in_blocks_of_any_size),
         IO_CASE(written_bytes_are_as_the_format_demands),
         IO_CASE(arrays_of_every_rank_survive),
         IO_CASE(arrays_in_fortran_order_are_reordered),
         IO_CASE(every_allocation_may_fail), IO_CASE(pipes_are_refused))
