/* SPDX-License-Identifier: Apache-2.0 */
/* test_density_file.c - typed densities in files. */
#include "check.h"
#include "density/density.h"
#include "io/safetensors.h"
#include "scorefield/store.h"

static const char *const names[] = {"wind speed", "b", "c"};
static const double mu[] = {0.5, -1.0 / 3.0}, scale = 2.0;
static const double matrix[] = {1.0, 0.25, 0.25, 1e-300};

static sf_density *make(sf_context *ctx)
{
    const sf_parameter parameters[] = {
        {"mu", 1, {2}, mu}, {"s", 0, {0}, &scale}, {"M", 2, {2, 2}, matrix}};
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    o.names = names;
    o.domain = "b,c=simplex";
    o.parameter_count = 3;
    o.parameters = parameters;
    sf_density *d = NULL;
    CHECK_OK(ctx, sf_density_new(ctx, &d,
                                 "-\"wind speed\"^2/s + mu[0]*log(b) + "
                                 "M[0][1]*log(c)",
                                 3, &o));
    return d;
}

TEST(what_was_saved_comes_back)
{
    sf_context *ctx = new_context();
    sf_density *d = make(ctx), *back = NULL;
    sf_run_record record = SF_RUN_RECORD_INIT;
    record.command = "test";
    record.report = "{\"rows\": 3}";
    CHECK_OK(ctx, sf_density_save(d, "d.safetensors", &record));
    CHECK(sf_is_density(ctx, "d.safetensors"));
    CHECK(!sf_is_density(ctx, "nowhere.safetensors"));
    CHECK_OK(ctx, sf_density_load(ctx, &back, "d.safetensors"));
    CHECK(strcmp(back->text, d->text) == 0);
    CHECK(strcmp(back->domain_text, d->domain_text) == 0);
    CHECK(back->dim == 3 && back->domain.unknowns == 2);
    for (int j = 0; j < 3; j++)
        CHECK(strcmp(sf_density_name(back, j), names[j]) == 0);
    CHECK(back->parameter_count == 3);
    for (int k = 0; k < 3; k++) {
        CHECK(strcmp(back->parameters[k].name, d->parameters[k].name) == 0);
        CHECK(back->parameters[k].rank == d->parameters[k].rank);
        CHECK(memcmp(back->parameters[k].value, d->parameters[k].value,
                     (size_t)d->parameters[k].count * sizeof(double)) == 0);
    }
    const double x[] = {0.3, 0.25, 0.75};
    double logp[2];
    CHECK_OK(ctx, sf_density_eval(d, (sf_cmat){x, 1, 3, 3}, logp, (sf_mat){0}));
    CHECK_OK(ctx, sf_density_eval(back, (sf_cmat){x, 1, 3, 3}, logp + 1,
                                  (sf_mat){0}));
    CHECK(logp[0] == logp[1]);
    sf_model *m = NULL;
    CHECK_FAILS(ctx, sf_model_load(ctx, &m, "d.safetensors"), SF_E_FORMAT,
                "holds a density, want a model");
    record.report = "[1]";
    CHECK_FAILS(ctx, sf_density_save(d, "e.safetensors", &record), SF_E_ARG,
                "report");
    sf_density_free(back);
    sf_density_free(d);
    remove("d.safetensors");
    sf_context_free(ctx);
}

/* A file with one text changed, or one array left out. */
static void refused(sf_context *ctx, const char *key, const char *value,
                    int arrays, const char *part)
{
    static const int64_t two = 2, square[] = {2, 2};
    sfi_tensors t = {0};
    sfi_output *out = NULL;
    size_t size = 0;
    CHECK_OK(ctx, sfi_tensors_set(ctx, &t, "format", "scorefield"));
    CHECK_OK(ctx, sfi_tensors_set(ctx, &t, "format_version", "1"));
    CHECK_OK(ctx, sfi_tensors_set(ctx, &t, "content", "density"));
    CHECK_OK(ctx, sfi_tensors_set(ctx, &t, "density", "-a^2*s + mu[0]*a"));
    CHECK_OK(ctx, sfi_tensors_set(ctx, &t, "schema",
                                  "{\"columns\":[\"a\"],\"domain\":\"real\","
                                  "\"parameters\":[\"mu\",\"s\",\"M\"]}"));
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
    CHECK_OK(ctx, sfi_output_memory(ctx, &out));
    CHECK_OK(ctx, sfi_tensors_write_to(ctx, &t, out));
    const void *bytes = sfi_output_bytes(out, &size);
    sf_density *d = NULL;
    if (part == NULL) {
        CHECK_OK(ctx, sf_density_load_memory(ctx, &d, bytes, size));
        sf_density_free(d);
    } else {
        CHECK_FAILS(ctx, sf_density_load_memory(ctx, &d, bytes, size),
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
    refused(ctx, "density", "-a^2*", 3, "expected");
    refused(ctx, "density", "-b^2", 3, "unknown name \"b\"");
    refused(ctx, "density", "a*mu", 3, "2 values");
    refused(ctx, "schema", "{}", 3, "\"columns\"");
    refused(ctx, "schema", "{\"columns\":[]}", 3, "\"parameters\"");
    refused(ctx, "schema", "{\"columns\":[1]}", 3, "holds no text");
    refused(ctx, "schema",
            "{\"columns\":[\"a\"],\"domain\":\"half\",\"parameters\":[]}", 0,
            "\"half\"");
    refused(ctx, "schema", "{\"columns\":[\"a\"],\"parameters\":[]}", 0,
            "no \"domain\"");
    refused(ctx, "schema",
            "{\"columns\":[],\"domain\":\"real\",\"parameters\":[]}", 0,
            "0 numbers");
    refused(ctx, "schema",
            "{\"columns\":[\"a\",\"a\"],\"domain\":\"real\","
            "\"parameters\":[]}",
            0, "used twice");
    refused(ctx, "content", "model", 3, "want a density");
    refused(ctx, "format_version", "2", 3, "newer");
    sf_context_free(ctx);
}

TESTS(CASE(what_was_saved_comes_back), CASE(wrong_files_are_told))
