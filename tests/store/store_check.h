/* SPDX-License-Identifier: Apache-2.0 */
/* store_check.h - small models, and files of them as bytes that can be spoiled. */
#ifndef SFI_TESTS_STORE_CHECK_H
#define SFI_TESTS_STORE_CHECK_H

#include "check.h"

#include "io/safetensors.h"
#include "model/network.h"
#include "store/store.h"

SFI_UNUSED static sf_model *small_gaussian(sf_context *ctx)
{
    static const char *const names[] = {"a", "wind speed, m/s"};
    static const double mean[] = {1.0 / 3.0, -2e10};
    static const double covariance[] = {2.0, 0.3, 0.3, 0.7};
    sf_model *m = NULL;
    CHECK_OK(ctx, sf_gaussian_new(ctx, &m, 2, names, mean, covariance));
    return m;
}

SFI_UNUSED static sf_model *small_network(sf_context *ctx)
{
    static const char *const names[] = {"x", "\xc3\xa4", "z"};
    sfi_number numbers[SFI_MAX_NUMBERS];
    const int count =
        sfi_network_numbers(numbers, 5, 2, false, 0.1 + 0.2, 80.0, -1.0);
    sf_model *m = NULL;
    CHECK_OK(ctx, sfi_model_new(ctx, &m, &sfi_network_ops, 3, names, NULL,
                                count, numbers));
    sfi_network_initialise(m, 7);
    for (int j = 0; j < 3; j++) {
        m->mean[j] = 0.1 * j - 1e-7;
        m->scale[j] = 1.0 / (j + 3.0);
    }
    return m;
}

/* Columns of a kernel that are turned round, with another between. */
SFI_UNUSED static sf_model *small_joint(sf_context *ctx)
{
    static const char *const names[] = {"a", "b", "c"};
    static const double rows[] = {1.0, 0.3, 5.0, 2.0, 1.2, 4.0,
                                  1.5, 4.0, 7.0, 0.5, 0.7, 6.0};
    sf_model *m = NULL;
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    o.kernel = "c,a=mvgaussian; b=gamma:shape=1,mean=1.5";
    o.bandwidth = SF_BANDWIDTH_FIXED;
    CHECK_OK(ctx, sf_fit_empirical(ctx, &m, (sf_cmat){rows, 4, 3, 3}, names, &o,
                                   NULL));
    return m;
}

static const sf_column_kind some_kinds[] = {SF_COLUMN_INTEGER, SF_COLUMN_REAL,
                                            SF_COLUMN_INTEGER};
static const char *const some_dropped[] = {"species", "note \"1\""};

SFI_UNUSED static sf_run_record some_record(void)
{
    sf_run_record r = SF_RUN_RECORD_INIT;
    r.seed = UINT64_MAX;
    r.command = "scorefield fit 'a b.csv' -o m.safetensors";
    r.created_by = "a test";
    r.report = "{\"rows\":245,\"best_loss\":0.1}";
    r.kinds = some_kinds;
    r.dropped = some_dropped;
    r.dropped_count = 2;
    return r;
}

/* A model's file; free() frees the bytes. */
SFI_UNUSED static unsigned char *save_bytes(sf_context *ctx, const sf_model *m,
                                            const sf_run_record *record,
                                            size_t *size)
{
    sfi_output *out = NULL;
    CHECK_OK(ctx, sfi_output_memory(ctx, &out));
    CHECK_OK(ctx, sfi_model_save_to(m, out, record));
    const void *bytes = sfi_output_bytes(out, size);
    unsigned char *copy = malloc(*size);
    CHECK(copy != NULL);
    memcpy(copy, bytes, *size);
    sfi_output_abort(out);
    return copy;
}

/* The bytes of these tensors; free() frees them. */
SFI_UNUSED static unsigned char *
tensor_bytes(sf_context *ctx, const sfi_tensors *t, size_t *size)
{
    sfi_output *out = NULL;
    CHECK_OK(ctx, sfi_output_memory(ctx, &out));
    CHECK_OK(ctx, sfi_tensors_write_to(ctx, t, out));
    const void *bytes = sfi_output_bytes(out, size);
    unsigned char *copy = malloc(*size);
    CHECK(copy != NULL);
    memcpy(copy, bytes, *size);
    sfi_output_abort(out);
    return copy;
}

SFI_UNUSED static void check_same_model(const sf_model *a, const sf_model *b)
{
    CHECK(a->ops == b->ops && a->dim == b->dim);
    CHECK(a->number_count == b->number_count);
    CHECK(a->weight_count == b->weight_count);
    CHECK(a->weight_dtype == b->weight_dtype);
    for (int i = 0; i < a->number_count; i++) {
        bool missing = false;
        const double value = sfi_model_number(b, a->numbers[i].key, &missing);
        CHECK(!missing);
        CHECK(memcmp(&value, &a->numbers[i].value, sizeof value) == 0);
    }
    for (int64_t j = 0; j < a->dim; j++)
        assert_string_equal(a->names[j], b->names[j]);
    const size_t each = sizeof(double);
    CHECK(memcmp(a->mean, b->mean, (size_t)a->dim * each) == 0);
    CHECK(memcmp(a->scale, b->scale, (size_t)a->dim * each) == 0);
    CHECK(memcmp(a->weights, b->weights, (size_t)a->weight_count * each) == 0);
}

#endif
