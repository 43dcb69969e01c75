/* SPDX-License-Identifier: Apache-2.0 */
/* save.c - a model as a safetensors file.
 *
 *     weights     by their names, f32 for networks, else f64
 *     mean, scale [d] f64
 *     texts       metadata.h; docs/FORMATS.md says what is in them */
#include "store/store.h"

#include "base/text.h"
#include "model/model.h"
#include "store/schema_file.h"
#include "store/typed_file.h"

#include <math.h>
#include <string.h>

/* ---- texts ---------------------------------------------------------------- */

/* What is known of a column, by the model or else by the record. */
static sfi_schema_column column_of(const sf_model *m, const sf_run_record *r,
                                   int64_t j)
{
    sfi_schema_column column = *sfi_model_about(m, j);
    if (m->schema.count == 0 && r->kinds != NULL &&
        r->kinds[j] == SF_COLUMN_INTEGER)
        column.kind = SF_KIND_INTEGER;
    return column;
}

/* Columns have names of their own, since they are found by them. */
static sf_status check_names(const sf_model *m)
{
    sfi_dictionary names = {0};
    sf_status status = SF_OK;
    for (int64_t j = 0; j < m->dim && status == SF_OK; j++) {
        char shown[SFI_SHOW_SIZE];
        const char *name = m->names[j];
        const size_t size = strlen(name);
        if (size == 0 || sfi_utf8_prefix(name, size) < size)
            status = SFI_FAIL(m->ctx, SF_E_ARG,
                              "save: the name \"%s\" of column %lld is empty "
                              "or not UTF-8",
                              sfi_show(shown, name, size), (long long)j);
        else if (sfi_dictionary_find(&names, name, size) >= 0)
            status = SFI_FAIL(m->ctx, SF_E_ARG,
                              "save: two columns are called \"%s\"",
                              sfi_show(shown, name, size));
        else
            status = sfi_dictionary_add(m->ctx, &names, name, size);
    }
    sfi_dictionary_free(m->ctx, &names);
    for (int64_t j = 0; j < m->schema.count && status == SF_OK; j++)
        status = sfi_column_check(m->ctx, &m->schema.columns[j]);
    return status;
}

/* The data of an empirical model may have missing cells. */
static sf_status check_finite(const sf_model *m, const char *name,
                              const double *values, int64_t count)
{
    const bool may_lack = sfi_has_holes(m) && strcmp(name, "data") == 0;
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(values[i]) && !(may_lack && isnan(values[i])))
            return SFI_FAIL(m->ctx, SF_E_ARG,
                            "save: element %lld of \"%s\" is %g, want finite "
                            "numbers",
                            (long long)i, name, values[i]);
    return SF_OK;
}

/* The functions that build JSON return NULL, and accept it, where memory is
 * short. */

/* The prior of levels. */
static bool add_prior(const sfi_block *b, json_t *column)
{
    json_t *prior = json_array();
    bool failed = false;
    for (int64_t k = 0; k < b->levels; k++)
        failed |= json_array_append_new(prior, json_real(b->prior[k])) != 0;
    failed |= json_object_set(column, "prior", prior) != 0;
    json_decref(prior);
    return !failed;
}

/* Of a block of several columns: their names, and this column's row of the
 * factor. */
static bool add_joint(const sf_model *m, const sfi_block *b, int64_t j,
                      json_t *column)
{
    if (b->kernel.ops->levels)
        return add_prior(b, column);
    const int64_t *columns = sfi_noise_columns(&m->noise, b);
    json_t *names = json_array(), *factor = json_array();
    bool failed = false;
    for (int64_t i = 0; i < b->columns; i++) {
        failed |= json_array_append_new(names,
                                        json_string(m->names[columns[i]])) != 0;
        for (int64_t k = 0; k <= i && columns[i] == j && b->factor != NULL; k++)
            failed |=
                json_array_append_new(
                    factor, json_real(b->factor[i * b->columns + k])) != 0;
    }
    failed |= json_object_set(column, "joint", names) != 0;
    if (b->factor != NULL)
        failed |= json_object_set(column, "factor", factor) != 0;
    json_decref(names);
    json_decref(factor);
    return !failed;
}

static json_t *make_column(const sf_model *m, const sf_run_record *record,
                           int64_t j)
{
    char kernel[SF_KERNEL_TEXT];
    const sfi_schema_column about = column_of(m, record, j);
    json_t *column = json_pack("{s:s}", "name", m->names[j]);
    bool failed = column == NULL || !sfi_column_put(&about, column);
    if (sfi_has_kernels(m) && !failed) {
        const sfi_block *b = sfi_noise_block(&m->noise, j);
        sf_model_kernel(m, j, kernel);
        failed =
            json_object_set_new(column, "kernel", json_string(kernel)) != 0;
        if (b->kernel.ops->joint != NULL && !failed)
            failed = !add_joint(m, b, j, column);
    }
    if (!failed)
        return column;
    json_decref(column);
    return NULL;
}

/* What log densities are with respect to. */
static const char *measure(const sf_model *m)
{
    if (sfi_noise_has_surface(&m->noise))
        return "nats, with respect to the area of the unit sphere for "
               "directions and Lebesgue measure in the units of the other "
               "columns";
    if (m->noise.dim > 0 && sfi_noise_find(&m->noise, true) >= 0)
        return "nats, with respect to counting for counts and categories and "
               "Lebesgue measure in the units of the other columns";
    if (!sf_model_can(m, SF_CAN_NORMALISED))
        return "nats, up to a constant, with respect to Lebesgue measure in "
               "the units of the columns";
    return "nats, with respect to Lebesgue measure in the units of the columns";
}

/* "dropped_rows": [[first, count], ...], where there are any. */
static bool put_dropped_rows(json_t *schema, const sf_run_record *record)
{
    if (record->dropped_row_count == 0)
        return true;
    json_t *list = json_array();
    bool failed = list == NULL;
    for (int64_t k = 0; k < record->dropped_row_count; k++) {
        const int64_t *run = record->dropped_rows + 2 * k;
        failed |=
            json_array_append_new(list, json_pack("[I, I]", (json_int_t)run[0],
                                                  (json_int_t)run[1])) != 0;
    }
    failed |= json_object_set_new(schema, "dropped_rows", list) != 0;
    return !failed;
}

static json_t *make_schema(const sf_model *m, const sf_run_record *record)
{
    json_t *columns = json_array(), *dropped = json_array();
    bool failed = false;
    for (int64_t j = 0; j < m->dim; j++)
        failed |=
            json_array_append_new(columns, make_column(m, record, j)) != 0;
    for (int64_t k = 0; k < record->dropped_count; k++)
        failed |= json_array_append_new(dropped,
                                        json_string(record->dropped[k])) != 0;
    json_t *schema =
        failed ? NULL
               : json_pack("{s:s, s:O, s:O, s:s}", "family", m->ops->family,
                           "columns", columns, "dropped", dropped,
                           "log_density", measure(m));
    json_decref(columns);
    json_decref(dropped);
    if (schema != NULL && sfi_typed_put(m, schema) &&
        put_dropped_rows(schema, record))
        return schema;
    json_decref(schema);
    return NULL;
}

static json_t *make_numbers(const sf_model *m)
{
    json_t *numbers = json_object();
    for (int i = 0; i < m->number_count; i++)
        if (json_object_set_new(numbers, m->numbers[i].key,
                                json_real(m->numbers[i].value)) != 0) {
            json_decref(numbers);
            return NULL;
        }
    return numbers;
}

static sf_status set_texts(const sf_model *m, sfi_tensors *t,
                           const sf_run_record *record)
{
    sf_context *ctx = m->ctx;
    SFI_TRY(sfi_metadata_begin(ctx, t, "model", record->version));
    int format = 1;
    for (int64_t j = 0; j < m->schema.count; j++)
        format = sfi_column_format(&m->schema.columns[j]) > format
                     ? sfi_column_format(&m->schema.columns[j])
                     : format;
    SFI_TRY(sfi_metadata_set_format(ctx, t, format));
    SFI_TRY(sfi_metadata_set_seed(ctx, t, record->seed));
    SFI_TRY(
        sfi_metadata_set_json(ctx, t, SFI_KEY_SCHEMA, make_schema(m, record)));
    for (int i = 0; i < m->number_count; i++)
        SFI_TRY(check_finite(m, m->numbers[i].key, &m->numbers[i].value, 1));
    SFI_TRY(sfi_metadata_set_json(ctx, t, SFI_KEY_NUMBERS, make_numbers(m)));
    SFI_TRY(sfi_metadata_set(ctx, t, SFI_KEY_CREATED_BY,
                             record->created_by != NULL ? record->created_by
                                                        : "scorefield"));
    if (record->command != NULL)
        SFI_TRY(sfi_metadata_set(ctx, t, SFI_KEY_COMMAND, record->command));
    if (record->report != NULL)
        SFI_TRY(sfi_metadata_set_report(ctx, t, record->report));
    return SF_OK;
}

/* ---- arrays --------------------------------------------------------------- */

static sf_status add_arrays(const sf_model *m, sfi_tensors *t,
                            const void *weights)
{
    const size_t size = sf_dtype_size(m->weight_dtype);
    const sfi_tensor_type type =
        m->weight_dtype == SF_F32 ? SFI_TENSOR_F32 : SFI_TENSOR_F64;
    for (size_t k = 0; k < m->layout_count; k++) {
        const sfi_weight *w = &m->layout[k];
        SFI_TRY(check_finite(m, w->name, m->weights + w->offset, w->count));
        SFI_TRY(
            sfi_tensors_add(m->ctx, t, w->name, type, w->rank, w->shape,
                            (const char *)weights + (size_t)w->offset * size));
    }
    SFI_TRY(check_finite(m, "mean", m->mean, m->dim));
    SFI_TRY(check_finite(m, "scale", m->scale, m->dim));
    for (int64_t j = 0; j < m->dim; j++)
        if (!(m->scale[j] > 0.0))
            return SFI_FAIL(m->ctx, SF_E_ARG,
                            "save: element %lld of \"scale\" is %g, want > 0",
                            (long long)j, m->scale[j]);
    SFI_TRY(sfi_tensors_add(m->ctx, t, "mean", SFI_TENSOR_F64, 1, &m->dim,
                            m->mean));
    return sfi_tensors_add(m->ctx, t, "scale", SFI_TENSOR_F64, 1, &m->dim,
                           m->scale);
}

sf_status sfi_model_save_to(const sf_model *m, sfi_output *out,
                            const sf_run_record *record)
{
    sf_context *ctx = m->ctx;
    sf_run_record r = SF_RUN_RECORD_INIT;
    SFI_TRY(sfi_options(ctx, &r, sizeof r, record));
    SFI_TRY(check_names(m));
    SFI_TRY(sfi_typed_check(m));
    sfi_tensors t = {0};
    const size_t count = (size_t)m->weight_count;
    float *narrow = NULL;
    sf_status status = SF_OK;
    if (m->weight_dtype == SF_F32) {
        narrow = sfi_alloc(ctx, count, sizeof *narrow);
        status = narrow != NULL ? SF_OK : SF_E_NOMEM;
        for (size_t i = 0; i < count && narrow != NULL; i++)
            narrow[i] = (float)m->weights[i];
    }
    if (status == SF_OK)
        status = set_texts(m, &t, &r);
    if (status == SF_OK)
        status = add_arrays(m, &t,
                            narrow != NULL ? (const void *)narrow : m->weights);
    if (status == SF_OK)
        status = sfi_tensors_write_to(ctx, &t, out);
    sfi_tensors_free(ctx, &t);
    sfi_free(ctx, narrow, count, sizeof *narrow);
    return status;
}

sf_status sf_model_save(const sf_model *m, const char *path,
                        const sf_run_record *record)
{
    sfi_output *out = NULL;
    SFI_TRY(sfi_output_open(m->ctx, &out, path));
    return sfi_output_close(out, sfi_model_save_to(m, out, record));
}
