/* SPDX-License-Identifier: Apache-2.0 */
/* Safetensors as docs/FORMATS.md describes them: what is written, every
 * message, and hostile headers. */
#include "io_check.h"

#include "io/safetensors.h"

typedef struct file {
    unsigned char bytes[4096];
    size_t size;
} file;

/* A file with this header and `data` bytes 0, 1, 2, ... */
static file make_file(const char *header, size_t data)
{
    file f = {.size = 0};
    const size_t length = strlen(header);
    CHECK(8 + length + data <= sizeof f.bytes);
    f.bytes[0] = (unsigned char)length;
    f.bytes[1] = (unsigned char)(length >> 8);
    memcpy(f.bytes + 8, header, length);
    for (size_t i = 0; i < data; i++)
        f.bytes[8 + length + i] = (unsigned char)i;
    f.size = 8 + length + data;
    return f;
}

static void check_bad_file(const file *f, const char *message)
{
    sf_context *ctx = new_context();
    sfi_tensors t;
    CHECK_FAILS(ctx, sfi_tensors_read_memory(ctx, &t, f->bytes, f->size),
                SF_E_FORMAT, message);
    CHECK(t.list == NULL && t.names.count == 0 && t.values == NULL);
    sf_context_free(ctx);
}

static void check_bad(const char *header, size_t data, const char *message)
{
    const file f = make_file(header, data);
    check_bad_file(&f, message);
}

/* Arrays of every type and rank, in an order that is not that of the file. */
static sf_status add_everything(sf_context *ctx, sfi_tensors *t, bool backwards)
{
    static const uint8_t bytes[] = {1, 2, 255};
    static const float floats[] = {0.5f, -1, 2, 3, 4, 5};
    static const double doubles[] = {0.1, NAN};
    static const int64_t longs[] = {INT64_MIN, INT64_MAX};
    static const int32_t ints[] = {INT32_MIN};
    static const int64_t shape[] = {2, 1, 3, 1, 1, 1}, two[] = {2},
                         three[] = {3}, none[] = {5, 0};
    const struct {
        const char *name;
        sfi_tensor_type type;
        int rank;
        const int64_t *shape;
        const void *data;
    } all[] = {{"bytes", SFI_TENSOR_U8, 1, three, bytes},
               {"floats", SFI_TENSOR_F32, 6, shape, floats},
               {"doubles", SFI_TENSOR_F64, 1, two, doubles},
               {"empty", SFI_TENSOR_F32, 2, none, NULL},
               {"longs", SFI_TENSOR_I64, 1, two, longs},
               {"scal\"ar\n\xC3\xBC", SFI_TENSOR_I32, 0, NULL, ints}};
    static const char *const texts[][2] = {
        {"version", "1"},
        {"command", "fit \"a b\"\\\t\xE2\x82\xAC"},
        {"", "empty key"},
        {"empty value", ""}};
    const size_t n = SFI_COUNT(all), m = SFI_COUNT(texts);
    for (size_t i = 0; i < n; i++) {
        const size_t k = backwards ? n - 1 - i : i;
        SFI_TRY(sfi_tensors_add(ctx, t, all[k].name, all[k].type, all[k].rank,
                                all[k].shape, all[k].data));
    }
    for (size_t i = 0; i < m; i++) {
        const size_t k = backwards ? m - 1 - i : i;
        SFI_TRY(sfi_tensors_set(ctx, t, texts[k][0], texts[k][1]));
    }
    return SF_OK;
}

static void check_same(const sfi_tensors *a, const sfi_tensors *b)
{
    CHECK(a->names.count == b->names.count && a->keys.count == b->keys.count);
    for (size_t i = 0; i < a->names.count; i++) {
        const sfi_tensor *x = &a->list[i];
        const sfi_tensor *y = sfi_tensors_find(b, x->name);
        CHECK(y != NULL && y->type == x->type && y->rank == x->rank);
        for (int k = 0; k < x->rank; k++)
            CHECK(x->shape[k] == y->shape[k]);
        CHECK(x->count == y->count);
        if (x->count > 0)
            CHECK(memcmp(x->data, y->data,
                         (size_t)x->count * sfi_tensor_size(x->type)) == 0);
    }
    for (size_t i = 0; i < a->keys.count; i++)
        assert_string_equal(sfi_tensors_get(b, a->keys.texts[i]), a->values[i]);
}

TEST(everything_survives_and_lies_aligned)
{
    (void)state_;
    sf_context *ctx = new_context();
    sfi_tensors a = {0}, b;
    CHECK_OK(ctx, add_everything(ctx, &a, false));
    CHECK_OK(ctx, sfi_tensors_write(ctx, &a, in_folder("a.safetensors")));
    CHECK_OK(ctx, sfi_tensors_read(ctx, &b, in_folder("a.safetensors")));
    check_same(&a, &b);
    for (size_t i = 0; i < b.names.count; i++)
        CHECK((uintptr_t)b.list[i].data % 64 == 0);
    CHECK(sfi_tensors_find(&b, "nothing") == NULL);
    CHECK(sfi_tensors_get(&b, "nothing") == NULL);
    sfi_tensors_free(ctx, &b);
    CHECK(b.list == NULL);
    sfi_tensors_free(ctx, &b);
    sfi_tensors_free(ctx, NULL);
    sfi_tensors_free(ctx, &a);
    sf_context_free(ctx);
}

TEST(the_bytes_do_not_depend_on_the_order_of_adding)
{
    (void)state_;
    sf_context *ctx = new_context();
    char *bytes[2];
    size_t sizes[2];
    for (int i = 0; i < 2; i++) {
        sfi_tensors t = {0};
        CHECK_OK(ctx, add_everything(ctx, &t, i == 1));
        CHECK_OK(ctx, sfi_tensors_write(ctx, &t, in_folder("a")));
        bytes[i] = get_file(in_folder("a"), &sizes[i]);
        sfi_tensors_free(ctx, &t);
    }
    CHECK(sizes[0] == sizes[1] && memcmp(bytes[0], bytes[1], sizes[0]) == 0);
    CHECK(sizes[0] % 8 == (3 + 4 + 24) % 8); /* 16 + 16 + 24 + 4 + 3 bytes */
    free(bytes[0]);
    free(bytes[1]);
    sf_context_free(ctx);
}

TEST(written_bytes_are_as_documented)
{
    (void)state_;
    sf_context *ctx = new_context();
    sfi_tensors t = {0};
    const float x[] = {1, 2};
    const double y = 1;
    CHECK_OK(ctx, sfi_tensors_add(ctx, &t, "x", SFI_TENSOR_F32, 2,
                                  (const int64_t[]){1, 2}, x));
    CHECK_OK(ctx, sfi_tensors_add(ctx, &t, "y", SFI_TENSOR_F64, 0, NULL, &y));
    CHECK_OK(ctx, sfi_tensors_set(ctx, &t, "b", "old"));
    CHECK_OK(ctx, sfi_tensors_set(ctx, &t, "a", "1"));
    CHECK_OK(ctx, sfi_tensors_set(ctx, &t, "b", "2"));
    CHECK(t.keys.count == 2);
    CHECK_OK(ctx, sfi_tensors_write(ctx, &t, in_folder("a")));
    static const char want[] =
        "\x90\0\0\0\0\0\0\0"
        "{\"__metadata__\":{\"a\":\"1\",\"b\":\"2\"},"
        "\"y\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]},"
        "\"x\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[8,16]}}"
        "  \0\0\0\0\0\0\xF0\x3F\0\0\x80\x3F\0\0\0\x40";
    size_t size = 0;
    char *bytes = get_file(in_folder("a"), &size);
    CHECK(size == sizeof want - 1 && memcmp(bytes, want, size) == 0);
    free(bytes);
    sfi_tensors_free(ctx, &t);

    CHECK_OK(ctx, sfi_tensors_write(ctx, &t, in_folder("a")));
    bytes = get_file(in_folder("a"), &size);
    CHECK(size == 16 && memcmp(bytes, "\x08\0\0\0\0\0\0\0{}      ", 16) == 0);
    free(bytes);
    CHECK_OK(ctx, sfi_tensors_read(ctx, &t, in_folder("a")));
    CHECK(t.names.count == 0 && t.keys.count == 0);
    sfi_tensors_free(ctx, &t);
    sf_context_free(ctx);
}

#define ARRAY(name, dtype, shape, offsets)                                     \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape                   \
    ",\"data_offsets\":" offsets "}"

TEST(headers_of_other_writers_are_read)
{
    (void)state_;
    sf_context *ctx = new_context();
    sfi_tensors t;
    const file f = make_file(
        "{ \"b\" : {\"shape\":[2], \"data_offsets\":[3,5], "
        "\"dtype\":\"U8\"},\n" ARRAY(
            "a", "U8", "[3,1]",
            "[0,3]") ","
                     "\"\\u00e9\":{\"dtype\":\"F32\",\"shape\":[0],\"data_"
                     "offsets\":[5,5]},"
                     "\"__metadata__\":{\"k\":\"v\"}}  \n ",
        5);
    CHECK_OK(ctx, sfi_tensors_read_memory(ctx, &t, f.bytes, f.size));
    CHECK(t.names.count == 3);
    assert_string_equal(t.list[0].name, "a");
    assert_string_equal(t.list[1].name, "b");
    assert_string_equal(t.list[2].name, "\xC3\xA9");
    CHECK(((const uint8_t *)t.list[1].data)[0] == 3);
    assert_string_equal(sfi_tensors_get(&t, "k"), "v");
    sfi_tensors_free(ctx, &t);
    sf_context_free(ctx);
}

TEST(files_that_are_no_safetensors_are_refused)
{
    (void)state_;
    file f = make_file("{" ARRAY("x", "F32", "[2]", "[0,8]") "}", 8);
    check_bad_file(&(const file){.size = 0}, "<memory>: the file is empty");
    for (size_t size = 1; size < f.size; size++) {
        file cut = f;
        cut.size = size;
        check_bad_file(&cut, size < 10 ? "<memory>: not a safetensors file"
                             : size < f.size - 8
                                 ? "follow; not a safetensors file, or cut off"
                                 : "within the ");
    }
    check_bad_file(&(const file){.bytes = "x,y\n1,2\n3,4\n", .size = 12},
                   "not a safetensors file, or cut off");
    memset(f.bytes, 0xFF, 8);
    check_bad_file(&f, "a header of 18446744073709551615 bytes is promised");
    memset(f.bytes, 0, 8);
    check_bad_file(&f, "the header does not begin with {");
    f = make_file(" {}", 0);
    check_bad_file(&f, "the header does not begin with {");
}

TEST(headers_that_are_no_map_of_arrays_are_refused)
{
    (void)state_;
    check_bad("[]", 0, "the header does not begin with {");
    check_bad("{}x", 0,
              "<memory>: byte 2 of the header: \"x\", want nothing behind the "
              "last }");
    check_bad("{\"a\"", 0, "byte 4 of the header: \"\", want :");
    check_bad("{ ", 0, "byte 2 of the header: \"\", want a text in quotes");
    check_bad("{a:1}", 0, "want a text in quotes");
    check_bad("{\"a", 0,
              "byte 3 of the header: \"\", want the end of a text, and no "
              "control character");
    check_bad("{\"a\n\":1}", 0, "byte 3 of the header: \"\\x0A");
    check_bad("{\"a\\u0000\":{}}", 0, "want an escape (and none of NUL)");
    check_bad("{\"a\\x41\":{}}", 0, "want an escape");
    check_bad("{\"a\\u12g4\":{}}", 0, "want an escape");
    check_bad("{\"a\\", 0, "want an escape");
    check_bad("{\"a\\u12", 0, "want an escape");
    check_bad("{\"\\ud800\":{}}", 0, "want two surrogates");
    check_bad("{\"\\ud800\\u0041\":{}}", 0, "want two surrogates");
    check_bad("{\"\\udc00\\ud800\":{}}", 0, "want two surrogates");
    check_bad("{\"\xFF\":{}}", 0, "byte 2 of the header is not UTF-8");
    check_bad("{\"\":{}}", 0, "an array has no name");
    check_bad("{\"a\":1}", 0, "byte 5 of the header: \"1}\", want {");
    check_bad("{" ARRAY("a", "U8", "[1]",
                        "[0,1]") "," ARRAY("\\u0061", "U8", "[1]", "[1,2]") "}",
              2, "two arrays are called \"a\"");
    check_bad("{" ARRAY("a", "U8", "[1]", "[0,1]") "]", 1, "want ,");
    check_bad("{" ARRAY("a", "U8", "[1]", "[0,1]") ",}", 1,
              "want a text in quotes");
    check_bad("{\"__metadata__\":[]}", 0, "want {");
    check_bad("{\"__metadata__\":{\"a\":1}}", 0, "want a text in quotes");
    check_bad("{\"__metadata__\":{\"a\":\"1\",\"a\":\"1\"}}", 0,
              "two texts have the key \"a\"");
    check_bad("{\"__metadata__\":{},\"__metadata__\":{}}", 0,
              "\"__metadata__\" stands there twice");
}

TEST(arrays_that_do_not_fit_are_refused)
{
    (void)state_;
#define ONE(dtype, shape, offsets) "{" ARRAY("a", dtype, shape, offsets) "}"
    check_bad(ONE("BF16", "[2]", "[0,4]"), 4,
              "array \"a\": elements of type BF16 are not read, want F32, F64, "
              "I64, I32 or U8");
    check_bad("{\"a\":{\"shape\":[],\"data_offsets\":[0,4]}}", 4,
              "array \"a\": want dtype, shape and data_offsets");
    check_bad("{\"a\":{}}", 0,
              "array \"a\": want dtype, shape and data_offsets");
    check_bad("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 0,
              "want dtype, shape and data_offsets once each");
    check_bad("{\"a\":{\"type\":\"F32\"}}", 0,
              "byte 6 of the header: \"\"type\":\"F32\"}}\", want dtype, shape "
              "and data_offsets once each");
    check_bad("{\"a\":{\"dtype\":4}}", 0, "want a text in quotes");
    check_bad(ONE("F32", "1", "[0,4]"), 4, "want [");
    check_bad(ONE("F32", "[1,1,1,1,1,1,1]", "[0,4]"), 4, "more than 6 numbers");
    check_bad(ONE("F32", "[-1]", "[0,4]"), 4, "want a whole number >= 0");
    check_bad(ONE("F32", "[1.0]", "[0,4]"), 4, "want a whole number >= 0");
    check_bad(ONE("F32", "[1e0]", "[0,4]"), 4, "want a whole number >= 0");
    check_bad(ONE("F32", "[01]", "[0,4]"), 4, "want a whole number >= 0");
    check_bad(ONE("F32", "[\"1\"]", "[0,4]"), 4, "want a whole number >= 0");
    check_bad(ONE("F32", "[1,]", "[0,4]"), 4, "want a whole number >= 0");
    check_bad(ONE("F32", "[1 1]", "[0,4]"), 4, "want ,");
    check_bad(ONE("F32", "[99999999999999999999]", "[0,4]"), 4,
              "want a number below 2^63");
    check_bad(ONE("F32", "[1]", "[0]"), 4, "want two offsets");
    check_bad(ONE("F32", "[1]", "[0,4,4]"), 4, "more than 2 numbers");
    check_bad(ONE("F32", "[1]", "[0,8]"), 4,
              "array \"a\": its offsets are 0 and 8, want them in order and "
              "within the 4 bytes of data");
    check_bad(ONE("F32", "[1]", "[4,0]"), 4, "its offsets are 4 and 0, want");
    check_bad(ONE("F32", "[1]", "[4,8]"), 4, "its offsets are 4 and 8, want");
    check_bad(ONE("F32", "[2]", "[0,4]"), 4,
              "array \"a\": its offsets span 4 bytes, which does not fit its "
              "type and shape");
    check_bad(ONE("F64", "[1]", "[0,4]"), 4, "its offsets span 4 bytes");
    check_bad(ONE("F32", "[4611686018427387905]", "[0,4]"), 4,
              "its offsets span 4 bytes");
    check_bad(ONE("F32", "[4294967296,4294967296]", "[0,0]"), 4,
              "its offsets span 0 bytes");
    check_bad(ONE("F32", "[1]", "[0,4]"), 5,
              "the arrays end at byte 4 of the data, but it has 5 bytes");
    check_bad("{}", 1, "the arrays end at byte 0 of the data, but it has 1");
    check_bad("{" ARRAY("a", "U8", "[2]", "[0,2]") "," ARRAY("b", "U8", "[2]",
                                                             "[1,3]") "}",
              3,
              "array \"b\" begins at byte 1 of the data, but the one before it "
              "ends at 2");
    check_bad("{" ARRAY("b", "U8", "[1]", "[2,3]") "," ARRAY("a", "U8", "[1]",
                                                             "[0,1]") "}",
              3,
              "array \"b\" begins at byte 2 of the data, but the one before it "
              "ends at 1");
}

TEST(every_escape_is_decoded)
{
    (void)state_;
    sf_context *ctx = new_context();
    sfi_tensors t;
    const file f =
        make_file("{\"__metadata__\":{\"\\\"\\\\\\/\\b\\f\\n\\r\\t\":"
                  "\"\\u0041\\u00e9\\u20AC\\ud83d\\ude42\"}}",
                  0);
    CHECK_OK(ctx, sfi_tensors_read_memory(ctx, &t, f.bytes, f.size));
    assert_string_equal(t.keys.texts[0], "\"\\/\b\f\n\r\t");
    assert_string_equal(t.values[0], "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x99\x82");
    sfi_tensors_free(ctx, &t);
    sf_context_free(ctx);
}

/* A header with `count` arrays or texts, and one with one more. */
static void check_most(const char *begin, const char *format, int count,
                       const char *end, const char *message)
{
    sf_context *ctx = new_context();
    char *bytes = malloc(100 + (size_t)(count + 1) * 80);
    CHECK(bytes != NULL);
    size_t size = 8 + (size_t)sprintf(bytes + 8, "%s", begin);
    for (int i = 0; i <= count; i++) {
        size += (size_t)sprintf(bytes + size, i > 0 ? "," : "");
        size += (size_t)sprintf(bytes + size, format, i);
        if (i < count - 1)
            continue;
        const size_t all = size + (size_t)sprintf(bytes + size, "%s", end);
        for (int k = 0; k < 8; k++)
            bytes[k] = (char)((all - 8) >> 8 * k);
        sfi_tensors t;
        if (i == count - 1)
            CHECK_OK(ctx, sfi_tensors_read_memory(ctx, &t, bytes, all));
        else
            CHECK_FAILS(ctx, sfi_tensors_read_memory(ctx, &t, bytes, all),
                        SF_E_FORMAT, message);
        sfi_tensors_free(ctx, &t);
    }
    free(bytes);
    sf_context_free(ctx);
}

TEST(the_number_of_arrays_and_texts_is_bounded)
{
    (void)state_;
    check_most("{", ARRAY("%d", "U8", "[0]", "[0,0]"), SFI_TENSORS_MOST, "}",
               "more than 65536 arrays");
    check_most("{\"__metadata__\":{", "\"%d\":\"\"", SFI_TENSORS_MOST, "}}",
               "more than 65536 texts");
    sf_context *ctx = new_context();
    sfi_tensors t = {0};
    char name[16];
    for (int i = 0; i < SFI_TENSORS_MOST; i++) {
        sprintf(name, "%d", i);
        CHECK_OK(ctx,
                 sfi_tensors_add(ctx, &t, name, SFI_TENSOR_U8, 0, NULL, name));
        CHECK_OK(ctx, sfi_tensors_set(ctx, &t, name, name));
    }
    CHECK_FAILS(ctx, sfi_tensors_add(ctx, &t, "x", SFI_TENSOR_U8, 0, NULL, ""),
                SF_E_ARG, "safetensors: more than 65536 arrays");
    CHECK_FAILS(ctx, sfi_tensors_set(ctx, &t, "x", ""), SF_E_ARG,
                "safetensors: more than 65536 texts");
    CHECK_OK(ctx, sfi_tensors_set(ctx, &t, "0", "new"));
    sfi_tensors_free(ctx, &t);
    sf_context_free(ctx);
}

TEST(a_huge_header_is_refused_before_it_is_read)
{
    (void)state_;
    enum { SIZE = (1 << 24) + 1 };
    sf_context *ctx = new_context();
    unsigned char *bytes = calloc(8 + SIZE, 1);
    CHECK(bytes != NULL);
    bytes[0] = 1;
    bytes[3] = 1;
    sfi_tensors t;
    CHECK_FAILS(ctx, sfi_tensors_read_memory(ctx, &t, bytes, 8 + SIZE),
                SF_E_FORMAT,
                "a header of 16777217 bytes, want at most 16777216");
    free(bytes);
    sf_context_free(ctx);
}

TEST(what_could_not_be_read_back_is_not_added_or_written)
{
    (void)state_;
    sf_context *ctx = new_context();
    sfi_tensors t = {0};
    const int64_t one[] = {1}, huge[] = {INT64_MAX, 8}, negative[] = {-1};
    const float x = 1;
#define ADD(name, rank, shape)                                                 \
    sfi_tensors_add(ctx, &t, name, SFI_TENSOR_F32, rank, shape, &x)
    CHECK_OK(ctx, ADD("a", 1, one));
    CHECK_FAILS(ctx, ADD("a", 1, one), SF_E_ARG,
                "safetensors: two arrays are called \"a\"");
    CHECK_FAILS(ctx, ADD("", 1, one), SF_E_ARG,
                "safetensors: \"\" cannot be the name of an array");
    CHECK_FAILS(ctx, ADD("__metadata__", 1, one), SF_E_ARG,
                "safetensors: \"__metadata__\" cannot be the name");
    CHECK_FAILS(ctx, ADD("\xFF", 1, one), SF_E_ARG,
                "safetensors: \"\\xFF\" cannot be the name");
    CHECK_FAILS(ctx, ADD("b", 7, one), SF_E_ARG,
                "array \"b\" has rank 7, want 0 to 6");
    CHECK_FAILS(ctx, ADD("b", 1, negative), SF_E_ARG,
                "array \"b\" has a negative extent or exceeds");
    CHECK_FAILS(ctx, ADD("b", 2, huge), SF_E_ARG,
                "array \"b\" has a negative extent or exceeds");
    CHECK(t.names.count == 1);
    CHECK_FAILS(ctx, sfi_tensors_set(ctx, &t, "k", "\xC0"), SF_E_ARG,
                "safetensors: the text \"k\" or its value is not UTF-8");
    CHECK_FAILS(ctx, sfi_tensors_set(ctx, &t, "\xC0", "v"), SF_E_ARG,
                "is not UTF-8");
    CHECK(t.keys.count == 0);
    char *large = malloc((1 << 24) + 1);
    CHECK(large != NULL);
    memset(large, 'x', 1 << 24);
    large[1 << 24] = '\0';
    CHECK_OK(ctx, sfi_tensors_set(ctx, &t, "k", large));
    free(large);
    put_file(in_folder("a"), "old", 3);
    CHECK_FAILS(ctx, sfi_tensors_write(ctx, &t, in_folder("a")), SF_E_ARG,
                "safetensors: names, shapes and texts make a header of 16777");
    size_t size = 0;
    char *old = get_file(in_folder("a"), &size);
    assert_string_equal(old, "old");
    free(old);
    sfi_tensors_free(ctx, &t);
    sf_context_free(ctx);
}

TEST(an_array_that_is_wanted_must_be_as_wanted)
{
    (void)state_;
    sf_context *ctx = new_context();
    sfi_tensors t = {0};
    const sfi_tensor *found = NULL;
    const float x[6] = {0};
    const int64_t shape[] = {2, 3};
    CHECK_OK(ctx, sfi_tensors_add(ctx, &t, "x", SFI_TENSOR_F32, 2, shape, x));
#define WANT(name, type, rank, ...)                                            \
    sfi_tensors_want(ctx, &t, name, SFI_TENSOR_##type, rank,                   \
                     (const int64_t[]){__VA_ARGS__}, &found)
    CHECK_OK(ctx, WANT("x", F32, 2, 2, 3));
    CHECK(found != NULL && found->data == x);
    CHECK_OK(ctx, WANT("x", F32, 2, -1, 3));
    CHECK_FAILS(ctx, WANT("y", F64, 1, -1), SF_E_FORMAT,
                "safetensors: there is no array \"y\", want F64 [any]");
    CHECK(found == NULL);
    CHECK_FAILS(ctx, WANT("x", F64, 2, 2, 3), SF_E_FORMAT,
                "array \"x\" is F32 [2, 3], want F64 [2, 3]");
    CHECK_FAILS(ctx, WANT("x", F32, 2, -1, 2), SF_E_FORMAT,
                "array \"x\" is F32 [2, 3], want F32 [any, 2]");
    CHECK_FAILS(ctx, WANT("x", F32, 1, 2), SF_E_FORMAT,
                "array \"x\" is F32 [2, 3], want F32 [2]");
    CHECK_FAILS(ctx, WANT("x", F32, 3, 2, 3, 1), SF_E_FORMAT,
                "array \"x\" is F32 [2, 3], want F32 [2, 3, 1]");
    sfi_tensors_free(ctx, &t);
    sf_context_free(ctx);
}

static sf_status write_and_read(sf_context *ctx, void *user)
{
    (void)user;
    sfi_tensors a = {0}, b = {0};
    sf_status status = add_everything(ctx, &a, false);
    if (status == SF_OK)
        status = sfi_tensors_set(ctx, &a, "version", "2");
    if (status == SF_OK)
        status = sfi_tensors_write(ctx, &a, in_folder("a"));
    if (status == SF_OK)
        status = sfi_tensors_read(ctx, &b, in_folder("a"));
    sfi_tensors_free(ctx, &a);
    sfi_tensors_free(ctx, &b);
    return status;
}

TEST(every_allocation_may_fail)
{
    (void)state_;
    check_every_allocation(write_and_read, NULL);
    CHECK(count_files() == 1);
}

TEST(a_full_device_is_reported_with_its_path)
{
    (void)state_;
    sf_context *ctx = new_context();
    sfi_tensors t = {0};
    CHECK_OK(ctx, add_everything(ctx, &t, false));
    CHECK_FAILS(ctx, sfi_tensors_write(ctx, &t, "/dev/full"), SF_E_IO,
                "/dev/full: cannot be written: No space left");
    sfi_tensors_free(ctx, &t);
    CHECK_FAILS(ctx, sfi_tensors_read(ctx, &t, "/dev/null"), SF_E_UNSUPPORTED,
                "/dev/null: safetensors are read from files, not from pipes");
    CHECK_FAILS(ctx, sfi_tensors_read(ctx, &t, in_folder("no")), SF_E_IO,
                "no: cannot be opened");
    sf_context_free(ctx);
}

IO_TESTS(IO_CASE(everything_survives_and_lies_aligned),
         IO_CASE(the_bytes_do_not_depend_on_the_order_of_adding),
         IO_CASE(written_bytes_are_as_documented),
         IO_CASE(headers_of_other_writers_are_read),
         IO_CASE(files_that_are_no_safetensors_are_refused),
         IO_CASE(headers_that_are_no_map_of_arrays_are_refused),
         IO_CASE(arrays_that_do_not_fit_are_refused),
         IO_CASE(every_escape_is_decoded),
         IO_CASE(the_number_of_arrays_and_texts_is_bounded),
         IO_CASE(a_huge_header_is_refused_before_it_is_read),
         IO_CASE(what_could_not_be_read_back_is_not_added_or_written),
         IO_CASE(an_array_that_is_wanted_must_be_as_wanted),
         IO_CASE(every_allocation_may_fail),
         IO_CASE(a_full_device_is_reported_with_its_path))
