/* SPDX-License-Identifier: Apache-2.0 */
/* A model survives its file bit for bit, and no file survives being spoiled. */
#define _POSIX_C_SOURCE 200809L
#include "store_check.h"

#include "faults.h"

#include <unistd.h>

static sf_model *load_bytes(sf_context *ctx, sf_run_record **record,
                            const void *bytes, size_t size)
{
    sf_model *m = NULL;
    CHECK_OK(ctx, sf_model_load_memory(ctx, &m, record, bytes, size));
    return m;
}

/* ---- round trips ---------------------------------------------------------- */

static void check_round_trip(sf_context *ctx, sf_model *m)
{
    const sf_run_record record = some_record();
    size_t size = 0, again_size = 0;
    unsigned char *bytes = save_bytes(ctx, m, &record, &size);
    sf_run_record *back_record = NULL;
    sf_model *back = load_bytes(ctx, &back_record, bytes, size);
    check_same_model(m, back);
    /* Saved again it has the same bytes, so the record came back whole too. */
    unsigned char *again = save_bytes(ctx, back, back_record, &again_size);
    CHECK(size == again_size && memcmp(bytes, again, size) == 0);
    free(again);
    free(bytes);
    sf_run_record_free(ctx, back_record);
    sf_model_free(back);
    sf_model_free(m);
}

TEST(a_gaussian_comes_back_bit_for_bit)
{
    (void)state_;
    sf_context *ctx = new_context();
    check_round_trip(ctx, small_gaussian(ctx));
    sf_context_free(ctx);
}

TEST(a_network_comes_back_bit_for_bit)
{
    (void)state_;
    sf_context *ctx = new_context();
    check_round_trip(ctx, small_network(ctx));
    sf_context_free(ctx);
}

TEST(kernels_of_several_columns_come_back_bit_for_bit)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_model *m = small_joint(ctx);
    size_t size = 0;
    unsigned char *bytes = save_bytes(ctx, m, NULL, &size);
    sf_model *back = load_bytes(ctx, NULL, bytes, size);
    const sfi_block *b = sfi_noise_block(&m->noise, 0),
                    *other = sfi_noise_block(&back->noise, 0);
    CHECK(b->columns == 2 && other->columns == 2 && b->factor != NULL);
    CHECK(sfi_noise_columns(&back->noise, other)[0] == 2);
    CHECK(sfi_noise_columns(&back->noise, other)[1] == 0);
    assert_memory_equal(other->factor, b->factor, 4 * sizeof *b->factor);
    CHECK(b->factor[2] < -0.1); /* columns that fall together */
    free(bytes);
    sf_model_free(back);
    check_round_trip(ctx, m);
    sf_context_free(ctx);
}

TEST(the_record_comes_back)
{
    (void)state_;
    sf_context *ctx = new_context();
    const sf_run_record record = some_record();
    sf_model *m = small_network(ctx);
    size_t size = 0;
    unsigned char *bytes = save_bytes(ctx, m, &record, &size);
    sf_run_record *r = NULL;
    sf_model *back = load_bytes(ctx, &r, bytes, size);
    CHECK(r->seed == UINT64_MAX);
    assert_string_equal(r->command, record.command);
    assert_string_equal(r->created_by, "a test");
    assert_string_equal(r->version, SF_VERSION_STRING);
    assert_string_equal(r->report, record.report);
    for (int j = 0; j < 3; j++)
        assert_int_equal(r->kinds[j], some_kinds[j]);
    assert_int_equal(r->dropped_count, 2);
    assert_string_equal(r->dropped[1], "note \"1\"");
    free(bytes);
    sf_run_record_free(ctx, r);
    sf_model_free(back);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(a_model_without_a_record_has_an_empty_one)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_model *m = small_gaussian(ctx);
    size_t size = 0;
    unsigned char *bytes = save_bytes(ctx, m, NULL, &size);
    sf_run_record *r = NULL;
    sf_model *back = load_bytes(ctx, &r, bytes, size);
    CHECK(r->seed == 0 && r->command == NULL && r->report == NULL);
    CHECK(r->dropped_count == 0 && r->kinds[0] == SF_COLUMN_REAL);
    assert_string_equal(r->created_by, "scorefield");
    free(bytes);
    sf_run_record_free(ctx, r);
    sf_model_free(back);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* A file name need not be UTF-8, but JSON must be. */
TEST(a_command_line_that_is_not_utf8_is_mended)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_model *m = small_gaussian(ctx);
    sf_run_record record = SF_RUN_RECORD_INIT, *r = NULL;
    record.command = "fit caf\xe9.csv";
    size_t size = 0;
    unsigned char *bytes = save_bytes(ctx, m, &record, &size);
    sf_model *back = load_bytes(ctx, &r, bytes, size);
    assert_string_equal(r->command, "fit caf\xef\xbf\xbd.csv");
    free(bytes);
    sf_run_record_free(ctx, r);
    sf_model_free(back);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(files_work_as_memory_does)
{
    (void)state_;
    char path[] = "/tmp/scorefield-test-XXXXXX";
    const int file = mkstemp(path);
    CHECK(file >= 0);
    close(file);
    sf_context *ctx = new_context();
    sf_model *m = small_network(ctx), *back = NULL;
    CHECK_OK(ctx, sf_model_save(m, path, NULL));
    CHECK_OK(ctx, sf_model_load(ctx, &back, path));
    check_same_model(m, back);
    CHECK(unlink(path) == 0);
    CHECK_FAILS(ctx, sf_model_save(m, "/nowhere/m.safetensors", NULL), SF_E_IO,
                "/nowhere/m.safetensors");
    sf_model *none = NULL;
    CHECK_FAILS(ctx, sf_model_load(ctx, &none, path), SF_E_IO, path);
    CHECK(none == NULL);
    sf_model_free(back);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* ---- what is not saved ---------------------------------------------------- */

static void check_refused(sf_context *ctx, const sf_model *m,
                          const sf_run_record *record, const char *part)
{
    sfi_output *out = NULL;
    CHECK_OK(ctx, sfi_output_memory(ctx, &out));
    CHECK_FAILS(ctx, sfi_model_save_to(m, out, record), SF_E_ARG, part);
    sfi_output_abort(out);
}

TEST(what_could_not_be_loaded_is_not_saved)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_model *m = small_network(ctx);
    sf_run_record record = SF_RUN_RECORD_INIT;
    record.report = "[1, 2]";
    check_refused(ctx, m, &record, "no JSON object");
    record.report = "{\"rows\": }";
    check_refused(ctx, m, &record, "report");
    m->weights[3] = NAN;
    check_refused(ctx, m, NULL, "element 3 of \"input.weight\" is nan");
    m->weights[3] = 0.0;
    m->scale[1] = INFINITY;
    check_refused(ctx, m, NULL, "element 1 of \"scale\" is inf");
    m->scale[1] = 0.0;
    check_refused(ctx, m, NULL, "element 1 of \"scale\" is 0");
    m->scale[1] = 1.0;
    m->names[2][0] = 'x';
    check_refused(ctx, m, NULL, "two columns are called \"x\"");
    m->names[2][0] = '\xff';
    check_refused(ctx, m, NULL, "not UTF-8");
    sf_model_free(m);
    sf_context_free(ctx);
}

/* ---- spoiled files -------------------------------------------------------- */

typedef sf_model *small_model(sf_context *ctx);

/* Put a text into the file of a model and load it again. */
static void check_text_of(small_model *small, const char *key,
                          const char *value, const char *part)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_model *m = small(ctx), *none = NULL;
    sf_run_record *no_record = NULL;
    size_t size = 0, spoiled_size = 0;
    unsigned char *bytes = save_bytes(ctx, m, NULL, &size);
    sfi_tensors t;
    CHECK_OK(ctx, sfi_tensors_read_memory(ctx, &t, bytes, size));
    CHECK_OK(ctx, sfi_tensors_set(ctx, &t, key, value));
    unsigned char *spoiled = tensor_bytes(ctx, &t, &spoiled_size);
    CHECK_FAILS(
        ctx,
        sf_model_load_memory(ctx, &none, &no_record, spoiled, spoiled_size),
        SF_E_FORMAT, part);
    CHECK(none == NULL && no_record == NULL);
    free(spoiled);
    free(bytes);
    sfi_tensors_free(ctx, &t);
    sf_model_free(m);
    CHECK(faults.bytes == faults.own);
    sf_context_free(ctx);
}

static void check_text(const char *key, const char *value, const char *part)
{
    check_text_of(small_network, key, value, part);
}

#define NETWORK(columns)                                                       \
    "{\"family\":\"network\",\"columns\":[" columns "],\"dropped\":[]}"
#define COLUMN(name) "{\"name\":\"" name "\",\"kind\":\"real\"}"
#define NUMBERS(width, layers, rest)                                           \
    "{\"width\":" width ",\"layers\":" layers                                  \
    ",\"energy\":0,\"sigma_min\":0.3,\"sigma_max\":80,\"rho\":7" rest "}"

TEST(every_text_is_checked)
{
    (void)state_;
    check_text("format", "other", "not one of scorefield's");
    check_text("format_version", "3",
               "in format 3, and scorefield " SF_VERSION_STRING
               " reads formats up to 2; use a newer scorefield");
    check_text("format_version", "0", "want a whole number");
    check_text("format_version", "1.5", "want a whole number");
    check_text("format_version", "99999999999999999999", "want a whole number");
    check_text("content", "checkpoint", "holds a checkpoint, want a model");
    check_text("seed", "-1", "\"seed\" is \"-1\"");
    check_text("seed", "18446744073709551616", "64 bits");
    check_text("report", "{", "\"report\"");
    check_text("report", "7", "\"report\"");
    check_text("schema", "", "\"schema\"");
    check_text("schema", "[]", "no JSON object");
    check_text("schema", "{}", "no \"family\"");
    check_text("schema", "{\"family\":\"oracle\"}", "\"oracle\" is not known");
    check_text("schema", "{\"family\":\"network\"}", "no \"columns\"");
    check_text("schema", NETWORK("7"), "column 0 of the schema has no name");
    check_text("schema", NETWORK(COLUMN("")), "has no name");
    check_text("schema", NETWORK("{\"name\":\"x\",\"kind\":\"odd\"}"),
               "no \"kind\" that this program knows");
    check_text("schema", NETWORK("{\"name\":\"x\",\"kind\":\"category\"}"),
               "column \"x\" of the schema has no \"levels\"");
    check_text("schema",
               NETWORK("{\"name\":\"x\",\"kind\":\"real\",\"decimals\":7}"),
               "\"decimals\" that are not 0 to 6");
    check_text("schema",
               NETWORK("{\"name\":\"x\",\"kind\":\"date\",\"spelling\":"
                       "\"DD.MM.YYYY\"}"),
               "is not like YYYY-MM-DD");
    check_text("schema",
               NETWORK("{\"name\":\"x\",\"kind\":\"boolean\",\"levels\":"
                       "[\"a\",\"a\"]}"),
               "no list of distinct texts");
    check_text("schema",
               NETWORK("{\"name\":\"x\",\"kind\":\"boolean\",\"levels\":"
                       "[\"a\",7]}"),
               "no list of distinct texts");
    check_text("schema",
               NETWORK("{\"name\":\"x\",\"kind\":\"real\",\"unit\":7}"),
               "\"unit\" that is no text");
    check_text("schema", NETWORK(COLUMN("x") "," COLUMN("x")),
               "two columns of the schema are called \"x\"");
    check_text("schema",
               "{\"family\":\"network\",\"columns\":[" COLUMN(
                   "x") "],\"dropped\":[1]}",
               "\"dropped\"");
    /* One column fewer: the arrays do not fit any more. */
    check_text("schema", NETWORK(COLUMN("x") "," COLUMN("y")),
               "\"input.weight\" is F32 [5, 3], want F32 [5, 2]");
    check_text("schema",
               "{\"family\":\"gaussian\",\"columns\":[" COLUMN(
                   "x") "],\"dropped\":[]}",
               "no array \"vectors\"");
    check_text("numbers", "{}", "model:");
    check_text("numbers", NUMBERS("5", "2", ",\"a\":\"b\""),
               "the number \"a\" is none");
    check_text("numbers", NUMBERS("5", "2", ",\"a\":1e999"), "\"numbers\"");
    check_text("numbers", NUMBERS("5", "2", ",\"a_name_of_24_characters.\":1"),
               "too long a name");
    check_text("numbers", NUMBERS("5.5", "2", ""), "\"width\" is 5.5");
    check_text("numbers", NUMBERS("0", "2", ""), "\"width\" is 0");
    check_text("numbers", NUMBERS("5", "65", ""), "\"layers\" is 65");
    check_text("numbers", NUMBERS("5", "1", ""), "has 9 arrays");
    check_text("numbers", NUMBERS("5", "3", ""), "no array \"hidden.2");
}

/* A column of small_joint() with what it says of its kernel, or of another one. */
#define JOINT(name, joint, factor)                                             \
    "{\"name\":\"" name                                                        \
    "\",\"kind\":\"real\",\"kernel\":\"mvgaussian\"" joint factor "}"
#define OTHER(name, rest)                                                      \
    "{\"name\":\"" name                                                        \
    "\",\"kind\":\"real\",\"kernel\":\"gamma:shape=1,mean=1.5\"" rest "}"
#define OF(names)       ",\"joint\":[" names "]"
#define FACTOR(numbers) ",\"factor\":[" numbers "]"
#define CA              OF("\"c\",\"a\"")

static void check_columns(const char *a, const char *b, const char *c,
                          const char *part)
{
    char schema[4096];
    snprintf(schema, sizeof schema,
             "{\"family\":\"empirical\",\"columns\":[%s,%s,%s],"
             "\"dropped\":[]}",
             a, b, c);
    check_text_of(small_joint, "schema", schema, part);
}

TEST(columns_that_share_a_kernel_must_agree)
{
    (void)state_;
    const char *a = JOINT("a", CA, FACTOR("-0.2,0.9"));
    const char *b = OTHER("b", ""), *c = JOINT("c", CA, FACTOR("1"));
    char many[1024] = JOINT("a", ",\"joint\":[\"a\"", "");
    const char *none = "is no column with the same \"kernel\"";

    check_columns(JOINT("a", "", ""), b, c, "for 1 column");
    check_columns(a, b, JOINT("c", "", ""), "for 1 column");
    check_columns(a, b, OTHER("c", ""), "none for column \"a\"");
    check_columns(a, OTHER("b", OF("\"b\",\"a\"")), c, none);
    check_columns(a, b, JOINT("c", OF("\"c\",\"c\""), ""), "named twice");
    check_columns(JOINT("a", OF("\"c\",\"c\""), ""), b,
                  JOINT("c", OF("\"c\",\"c\""), ""), "named twice");
    check_columns(a, b, JOINT("c", OF("\"c\",\"d\""), ""), none);
    check_columns(a, b, JOINT("c", OF("\"c\",7"), ""), none);
    check_columns(a, b, JOINT("c", OF("\"c\",\"b\""), ""), none);
    check_columns(a, b, JOINT("c", OF("\"c\",\"a\",\"b\""), ""), none);
    check_columns(JOINT("a", OF("\"a\",\"c\""), ""), b, c, none);
    check_columns(JOINT("a", OF("\"c\""), FACTOR("-0.2,0.9")), b, c, none);
    check_columns(a, b, JOINT("c", OF(""), ""), "none for column \"a\"");
    check_columns(a, b, JOINT("c", ",\"joint\":\"c\"", ""),
                  "none for column \"a\"");
    check_columns(a, OTHER("b", OF("\"c\"")), c, "none for column \"b\"");

    /* 100 names, of which one would be enough. */
    many[strlen(many) - 1] = '\0';
    for (int i = 1; i < 100; i++)
        strcat(many, ",\"a\"");
    strcat(many, "]}");
    check_columns(many, b, c, "shares its kernel with more than 64");

    check_columns(a, b, JOINT("c", CA, ""), none);
    check_columns(JOINT("a", CA, ""), b, c, "has 0 numbers, want 2");
    check_columns(JOINT("a", CA, FACTOR("1")), b, c, "has 1 numbers, want 2");
    check_columns(a, b, JOINT("c", CA, FACTOR("1,1")), "has 2 numbers, want 1");
    check_columns(a, b, JOINT("c", CA, FACTOR("\"1\"")),
                  "number 0 of the \"factor\" of column \"c\" is none");
    check_columns(JOINT("a", CA, FACTOR("null,1")), b, c, "is none");
    check_columns(a, b, JOINT("c", CA, FACTOR("-1")), "is -1, want");
    check_columns(JOINT("a", CA, FACTOR("5,0")), b, c, "is 0, want");
    check_columns(a, b, JOINT("c", CA, FACTOR("NaN")), "\"schema\"");
    check_columns(a, b, JOINT("c", CA, FACTOR("1e999")), "\"schema\"");
    check_columns(a, OTHER("b", FACTOR("1")), c, "kernel gamma has no factor");

    /* A name that is no text for a terminal. */
    check_columns(JOINT("\\u001b[2J", OF("\"\\u001b[2J\",\"d\""), ""), b, c,
                  "\\x1B[2J");
}

/* 64 layers of 16384 units would be 137 GB of weights; the message comes
 * before the memory. */
TEST(a_promise_of_many_weights_costs_nothing)
{
    (void)state_;
    check_text("numbers", NUMBERS("16384", "64", ""),
               "\"input.weight\" is F32 [5, 3], want F32 [16384, 3]");
}

/* Spoil one array: give it another type, shape or value. */
static void check_array(const char *name, sfi_tensor_type type, int rank,
                        const int64_t *shape, double value, const char *part)
{
    sf_context *ctx = new_context();
    sf_model *m = small_network(ctx), *none = NULL;
    size_t size = 0, spoiled_size = 0;
    unsigned char *bytes = save_bytes(ctx, m, NULL, &size);
    sfi_tensors t, other = {0};
    CHECK_OK(ctx, sfi_tensors_read_memory(ctx, &t, bytes, size));
    float narrow[64];
    double wide[64];
    for (int i = 0; i < 64; i++) {
        wide[i] = value;
        narrow[i] = (float)value;
    }
    for (size_t i = 0; i < t.names.count; i++) {
        const sfi_tensor *x = &t.list[i];
        if (strcmp(x->name, name) == 0)
            CHECK_OK(ctx,
                     sfi_tensors_add(ctx, &other, name, type, rank, shape,
                                     type == SFI_TENSOR_F64 ? (const void *)wide
                                                            : narrow));
        else
            CHECK_OK(ctx, sfi_tensors_add(ctx, &other, x->name, x->type,
                                          x->rank, x->shape, x->data));
    }
    for (size_t i = 0; i < t.keys.count; i++)
        CHECK_OK(ctx,
                 sfi_tensors_set(ctx, &other, t.keys.texts[i], t.values[i]));
    unsigned char *spoiled = tensor_bytes(ctx, &other, &spoiled_size);
    CHECK_FAILS(ctx,
                sf_model_load_memory(ctx, &none, NULL, spoiled, spoiled_size),
                SF_E_FORMAT, part);
    CHECK(none == NULL);
    free(spoiled);
    free(bytes);
    sfi_tensors_free(ctx, &other);
    sfi_tensors_free(ctx, &t);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(every_array_is_checked)
{
    (void)state_;
    const int64_t three = 3, four = 4, five = 5;
    check_array("mean", SFI_TENSOR_F32, 1, &three, 0.0, "want F64 [3]");
    check_array("mean", SFI_TENSOR_F64, 1, &four, 0.0, "want F64 [3]");
    check_array("mean", SFI_TENSOR_F64, 1, &three, NAN,
                "element 0 of \"mean\" is nan");
    check_array("scale", SFI_TENSOR_F64, 1, &three, 0.0, "want > 0");
    check_array("scale", SFI_TENSOR_F64, 1, &three, -1.0, "want > 0");
    check_array("scale", SFI_TENSOR_F64, 1, &three, INFINITY,
                "\"scale\" is inf");
    check_array("input.bias", SFI_TENSOR_F32, 1, &five, INFINITY,
                "\"input.bias\" is inf");
    check_array("input.bias", SFI_TENSOR_F32, 1, &four, 1.0, "want F32 [5]");
}

TEST(a_gaussian_must_have_positive_eigenvalues)
{
    (void)state_;
    sf_context *ctx = new_context();
    sf_model *m = small_gaussian(ctx), *none = NULL;
    size_t size = 0;
    m->weights[4] = -0.5; /* the first value, after 2 x 2 vectors */
    unsigned char *bytes = save_bytes(ctx, m, NULL, &size);
    CHECK_FAILS(ctx, sf_model_load_memory(ctx, &none, NULL, bytes, size),
                SF_E_FORMAT, "eigenvalue 0 is -0.5");
    free(bytes);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* A file that ends early is refused wherever it ends, and nothing leaks. */
TEST(a_file_may_end_anywhere)
{
    (void)state_;
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_model *m = small_network(ctx);
    const sf_run_record record = some_record();
    size_t size = 0;
    unsigned char *bytes = save_bytes(ctx, m, &record, &size);
    sf_model_free(m);
    for (size_t n = 0; n < size; n++) {
        sf_model *none = NULL;
        sf_run_record *no_record = NULL;
        const sf_status status =
            sf_model_load_memory(ctx, &none, &no_record, bytes, n);
        CHECK(status == SF_E_FORMAT);
        CHECK(none == NULL && no_record == NULL);
        CHECK(faults.bytes == faults.own);
    }
    free(bytes);
    sf_context_free(ctx);
}

/* Any byte may be any other: the model is refused or is one. */
static void spoil_each_byte(small_model *small)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_model *m = small(ctx);
    const sf_run_record record = some_record();
    size_t size = 0;
    int refused = 0, loaded = 0;
    unsigned char *bytes = save_bytes(ctx, m, &record, &size);
    sf_model_free(m);
    for (size_t n = 0; n < size; n++)
        for (int k = 0; k < 4; k++) {
            static const unsigned char flips[] = {0x01, 0x10, 0x80, 0xff};
            sf_model *back = NULL;
            sf_run_record *back_record = NULL;
            bytes[n] ^= flips[k];
            const sf_status status =
                sf_model_load_memory(ctx, &back, &back_record, bytes, size);
            bytes[n] ^= flips[k];
            CHECK(status == SF_OK || status == SF_E_FORMAT);
            CHECK((status == SF_OK) == (back != NULL));
            refused += status != SF_OK;
            loaded += status == SF_OK;
            if (back != NULL)
                for (int64_t i = 0; i < back->weight_count; i++)
                    CHECK(isfinite(back->weights[i]));
            sf_run_record_free(ctx, back_record);
            sf_model_free(back);
            CHECK(faults.bytes == faults.own);
        }
    CHECK(refused > 1000 && loaded > 100);
    free(bytes);
    sf_context_free(ctx);
}

TEST(any_byte_may_be_wrong)
{
    (void)state_;
    spoil_each_byte(small_gaussian);
    spoil_each_byte(small_joint);
}

/* ---- memory --------------------------------------------------------------- */

static void fail_to_save(small_model *small)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_model *m = small(ctx);
    const sf_run_record record = some_record();
    const int64_t before = faults.bytes;
    sf_status status = SF_E_NOMEM;
    for (int k = 0; status != SF_OK; k++) {
        sfi_output *out = NULL;
        CHECK_OK(ctx, sfi_output_memory(ctx, &out));
        faults.left = k;
        status = sfi_model_save_to(m, out, &record);
        CHECK(status == SF_OK || status == SF_E_NOMEM);
        faults.left = INT64_MAX;
        sfi_output_abort(out);
        CHECK(faults.bytes == before);
        CHECK(k < 1000);
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(every_allocation_of_saving_may_fail)
{
    (void)state_;
    fail_to_save(small_network);
    fail_to_save(small_joint);
}

static void fail_to_load(small_model *small)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_model *m = small(ctx);
    const sf_run_record record = some_record();
    size_t size = 0;
    unsigned char *bytes = save_bytes(ctx, m, &record, &size);
    sf_model_free(m);
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status)) {
        sf_model *back = NULL;
        sf_run_record *back_record = NULL;
        status = sf_model_load_memory(ctx, &back, &back_record, bytes, size);
        CHECK((status == SF_OK) == (back != NULL));
        sf_run_record_free(ctx, back_record);
        sf_model_free(back);
    }
    free(bytes);
    sf_context_free(ctx);
}

TEST(every_allocation_of_loading_may_fail)
{
    (void)state_;
    fail_to_load(small_network);
    fail_to_load(small_joint);
}

TESTS(CASE(a_gaussian_comes_back_bit_for_bit),
      CASE(a_network_comes_back_bit_for_bit),
      CASE(kernels_of_several_columns_come_back_bit_for_bit),
      CASE(the_record_comes_back),
      CASE(a_model_without_a_record_has_an_empty_one),
      CASE(a_command_line_that_is_not_utf8_is_mended),
      CASE(files_work_as_memory_does),
      CASE(what_could_not_be_loaded_is_not_saved), CASE(every_text_is_checked),
      CASE(columns_that_share_a_kernel_must_agree),
      CASE(a_promise_of_many_weights_costs_nothing),
      CASE(every_array_is_checked),
      CASE(a_gaussian_must_have_positive_eigenvalues),
      CASE(a_file_may_end_anywhere), CASE(any_byte_may_be_wrong),
      CASE(every_allocation_of_saving_may_fail),
      CASE(every_allocation_of_loading_may_fail))
