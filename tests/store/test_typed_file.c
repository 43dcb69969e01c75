/* SPDX-License-Identifier: Apache-2.0 */
/* test_typed_file.c - typed densities in files. */
#include "check.h"
#include "typed.h"
#include "density/density.h"
#include "io/safetensors.h"
#include "scorefield/store.h"

static const char *const names[] = {"wind speed", "b", "c"};
static const double mu[] = {0.5, -1.0 / 3.0}, scale = 2.0;
static const double matrix[] = {1.0, 0.25, 0.25, 1e-300};

static sf_model *make(sf_context *ctx)
{
    const sf_parameter parameters[] = {
        {"mu", 1, {2}, mu}, {"s", 0, {0}, &scale}, {"M", 2, {2, 2}, matrix}};
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    o.names = names;
    o.domain = "b,c=simplex";
    o.parameter_count = 3;
    o.parameters = parameters;
    sf_model *d = NULL;
    CHECK_OK(ctx, sf_density_new(ctx, &d,
                                 "-\"wind speed\"^2/s + mu[0]*log(b) + "
                                 "M[0][1]*log(c)",
                                 3, &o));
    return d;
}

TEST(what_was_saved_comes_back)
{
    sf_context *ctx = new_context();
    sf_model *d = make(ctx), *back = NULL;
    sf_run_record record = SF_RUN_RECORD_INIT;
    record.command = "test";
    record.report = "{\"rows\": 3}";
    CHECK_OK(ctx, sf_model_save(d, "d.safetensors", &record));
    CHECK_OK(ctx, sf_model_load(ctx, &back, "d.safetensors"));
    CHECK(strcmp(sf_model_family(back), "density") == 0);
    CHECK(strcmp(sf_density_text(back), sf_density_text(d)) == 0);
    CHECK(strcmp(sf_density_domain(back), "b,c=simplex") == 0);
    CHECK(sf_model_dim(back) == 3 && sf_model_unknowns(back) == 2);
    for (int j = 0; j < 3; j++)
        CHECK(strcmp(sf_model_column(back, j), names[j]) == 0);
    CHECK(sf_model_parameter_count(back) == 3);
    for (int k = 0; k < 3; k++) {
        sf_parameter a, b;
        CHECK(sf_model_parameter(d, k, &a) && sf_model_parameter(back, k, &b));
        CHECK(strcmp(a.name, b.name) == 0 && a.rank == b.rank);
        int64_t count = 1;
        for (int i = 0; i < a.rank; i++) {
            CHECK(a.shape[i] == b.shape[i]);
            count *= a.shape[i];
        }
        CHECK(memcmp(a.value, b.value, (size_t)count * sizeof(double)) == 0);
    }
    const double x[] = {0.3, 0.25, 0.75};
    double logp[2];
    CHECK_OK(ctx, eval_typed(d, (sf_cmat){x, 1, 3, 3}, logp, (sf_mat){0}));
    CHECK_OK(ctx,
             eval_typed(back, (sf_cmat){x, 1, 3, 3}, logp + 1, (sf_mat){0}));
    CHECK(logp[0] == logp[1]);
    record.report = "[1]";
    CHECK_FAILS(ctx, sf_model_save(d, "e.safetensors", &record), SF_E_ARG,
                "report");
    sf_model_free(back);
    sf_model_free(d);
    remove("d.safetensors");
    sf_context_free(ctx);
}

/* The schema of a density of one column. */
#define SCHEMA(text_, domain_, parameters_)                                    \
    "{\"family\":\"density\",\"columns\":[{\"name\":\"a\",\"kind\":\"real\"}]" \
    ","                                                                        \
    "\"expression\":\"" text_ "\",\"domain\":\"" domain_                       \
    "\",\"parameters\":[" parameters_ "]}"

/* A file with one text changed, or one array left out. */
static void refused(sf_context *ctx, const char *key, const char *value,
                    int arrays, const char *part)
{
    static const int64_t one = 1, two = 2, square[] = {2, 2};
    static const double nothing = 0.0, unit = 1.0;
    sfi_tensors t = {0};
    sfi_output *out = NULL;
    size_t size = 0;
    CHECK_OK(ctx, sfi_tensors_set(ctx, &t, "format", "scorefield"));
    CHECK_OK(ctx, sfi_tensors_set(ctx, &t, "format_version", "1"));
    CHECK_OK(ctx, sfi_tensors_set(ctx, &t, "content", "model"));
    CHECK_OK(ctx, sfi_tensors_set(ctx, &t, "numbers", "{}"));
    CHECK_OK(ctx, sfi_tensors_set(ctx, &t, "schema",
                                  SCHEMA("-a^2*s + mu[0]*a", "real",
                                         "\"mu\",\"s\",\"M\"")));
    if (key != NULL)
        CHECK_OK(ctx, sfi_tensors_set(ctx, &t, key, value));
    if (arrays > 0)
        CHECK_OK(ctx, sfi_tensors_add(ctx, &t, "parameter.0", SFI_TENSOR_F64, 1,
                                      &two, mu));
    if (arrays > 1)
        CHECK_OK(ctx, sfi_tensors_add(ctx, &t, "parameter.1", SFI_TENSOR_F64, 0,
                                      NULL, &scale));
    if (arrays > 2)
        CHECK_OK(ctx, sfi_tensors_add(ctx, &t, "parameter.2", SFI_TENSOR_F64, 2,
                                      square, matrix));
    CHECK_OK(ctx, sfi_tensors_add(ctx, &t, "mean", SFI_TENSOR_F64, 1, &one,
                                  &nothing));
    CHECK_OK(ctx,
             sfi_tensors_add(ctx, &t, "scale", SFI_TENSOR_F64, 1, &one, &unit));
    CHECK_OK(ctx, sfi_output_memory(ctx, &out));
    CHECK_OK(ctx, sfi_tensors_write_to(ctx, &t, out));
    const void *bytes = sfi_output_bytes(out, &size);
    sf_model *d = NULL;
    if (part == NULL) {
        CHECK_OK(ctx, sf_model_load_memory(ctx, &d, NULL, bytes, size));
        sf_model_free(d);
    } else {
        CHECK_FAILS(ctx, sf_model_load_memory(ctx, &d, NULL, bytes, size),
                    SF_E_FORMAT, part);
        CHECK(d == NULL);
        CHECK(strncmp(sf_context_message(ctx), "<memory>: ", 10) == 0);
    }
    CHECK_OK(ctx, sfi_output_close(out, SF_OK));
    sfi_tensors_free(ctx, &t);
}

TEST(wrong_files_are_told)
{
    sf_context *ctx = new_context();
    refused(ctx, NULL, NULL, 3, NULL);
    refused(ctx, NULL, NULL, 2, "no array \"parameter.2\"");
    refused(ctx, "schema", SCHEMA("-a^2*", "real", "\"mu\",\"s\",\"M\""), 3,
            "expected");
    refused(ctx, "schema", SCHEMA("-b^2", "real", ""), 0, "unknown name \"b\"");
    refused(ctx, "schema", SCHEMA("a*mu", "real", "\"mu\""), 1, "2 values");
    refused(ctx, "schema", SCHEMA("a", "half", ""), 0, "\"half\"");
    refused(ctx, "schema", SCHEMA("a", "real", "1"), 1, "has no name");
    refused(ctx, "schema", SCHEMA("a", "real", "\"a\""), 1, "used twice");
    refused(ctx, "schema", SCHEMA("a", "real", ""), 1, "has 3 arrays");
    refused(ctx, "schema",
            "{\"family\":\"density\",\"columns\":[{\"name\":\"a\",\"kind\":"
            "\"real\"}]}",
            0, "no list");
    refused(ctx, "schema",
            "{\"family\":\"density\",\"columns\":[{\"name\":\"a\",\"kind\":"
            "\"real\"}],\"parameters\":[],\"domain\":\"real\"}",
            0, "no \"expression\"");
    refused(ctx, "format_version", "3", 3, "newer");
    sf_context_free(ctx);
}

TESTS(CASE(what_was_saved_comes_back), CASE(wrong_files_are_told))
