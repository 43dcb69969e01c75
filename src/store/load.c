/* SPDX-License-Identifier: Apache-2.0 */
/* load.c - a model from a safetensors file, which may come from anyone.
 *
 * The order of the checks bounds what a small file can make us allocate: names
 * and numbers come first, from texts of bounded size; they give a layout, which
 * the arrays of the file must fit exactly; only then are weights allocated, as
 * many as the file holds. */
#include "scorefield/store.h"

#include "base/dictionary.h"
#include "base/text.h"
#include "model/model.h"
#include "store/schema_file.h"
#include "store/typed_file.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MOST_SCHEMA = 1 << 22, MOST_NUMBERS = 1 << 12, MOST_REPORT = 1 << 20 };

/* What is being put together; freed with free_parts(). */
typedef struct model_parts {
    sf_context *ctx;
    const sfi_tensors *t;
    json_t *schema, *numbers;
    const sfi_model_ops *ops;
    int64_t dim;
    const char **names;    /* [dim], in `schema` */
    sfi_schema about;      /* of dim columns     */
    sfi_dictionary places; /* of the names among the columns */
    int number_count;
    sfi_number number_list[SFI_MAX_NUMBERS];
    sfi_noise noise;      /* of all columns, or none */
    const char **dropped; /* [dropped_count], in `schema` */
    int64_t dropped_count;
    int64_t *dropped_rows; /* [dropped_row_count, 2]   */
    int64_t dropped_row_count;
} model_parts;

static void free_parts(model_parts *p)
{
    sfi_dictionary_free(p->ctx, &p->places);
    sfi_free(p->ctx, p->names, (size_t)p->dim, sizeof *p->names);
    sfi_schema_free(p->ctx, &p->about);
    sfi_free(p->ctx, p->dropped, (size_t)p->dropped_count, sizeof *p->dropped);
    sfi_free(p->ctx, p->dropped_rows, (size_t)p->dropped_row_count,
             2 * sizeof *p->dropped_rows);
    sfi_noise_free(p->ctx, &p->noise);
    json_decref(p->schema);
    json_decref(p->numbers);
}

#define FAIL(p, ...) fail_format((p)->ctx, (p)->t, __VA_ARGS__)

static sf_status fail_format(sf_context *ctx, const sfi_tensors *t,
                             const char *format, ...) SFI_PRINTF(3, 4);

static sf_status fail_format(sf_context *ctx, const sfi_tensors *t,
                             const char *format, ...)
{
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return SFI_FAIL(ctx, SF_E_FORMAT, "%s: %s", sfi_metadata_source(t), text);
}

/* ---- schema and numbers --------------------------------------------------- */

static sf_status read_family(model_parts *p)
{
    char shown[SFI_SHOW_SIZE];
    const char *family =
        json_string_value(json_object_get(p->schema, "family"));
    if (family == NULL)
        return FAIL(p, "the schema has no \"family\"");
    p->ops = sfi_model_family(family);
    if (p->ops == NULL)
        return FAIL(p, "the family \"%s\" is not known to scorefield %s",
                    sfi_show(shown, family, strlen(family)), sf_version());
    return SF_OK;
}

/* The place of a name among the columns, -1 for none. */
static int64_t column_of(const model_parts *p, const char *name)
{
    return name != NULL ? sfi_dictionary_find(&p->places, name, strlen(name))
                        : -1;
}

/* Row i of the factor of a block, from its column. */
static sf_status read_factor(const model_parts *p, const json_t *column,
                             int64_t i, int64_t size, double *factor)
{
    const json_t *row = json_object_get(column, "factor");
    const char *name = json_string_value(json_object_get(column, "name"));
    char shown[SFI_SHOW_SIZE];
    if (json_array_size(row) != (size_t)i + 1)
        return FAIL(p,
                    "the \"factor\" of column \"%s\" has %zu numbers, want "
                    "%lld, or none for all columns of the kernel",
                    sfi_show(shown, name, strlen(name)), json_array_size(row),
                    (long long)i + 1);
    for (int64_t k = 0; k <= i; k++) {
        const json_t *number = json_array_get(row, (size_t)k);
        if (!json_is_number(number))
            return FAIL(p,
                        "number %lld of the \"factor\" of column \"%s\" is "
                        "none",
                        (long long)k, sfi_show(shown, name, strlen(name)));
        factor[i * size + k] = json_number_value(number);
    }
    return SF_OK;
}

/* The prior of a block of levels: as many as the column has, where that is known. */
static sf_status read_prior(model_parts *p, const json_t *column, int64_t j)
{
    const json_t *list = json_object_get(column, "prior");
    const size_t count = json_array_size(list);
    const int64_t levels = p->about.columns[j].level_count;
    char shown[SFI_SHOW_SIZE];
    sfi_show(shown, p->names[j], strlen(p->names[j]));
    if (count == 0 || (levels > 0 && levels != (int64_t)count))
        return FAIL(p,
                    "the \"prior\" of column \"%s\" has %zu numbers, want "
                    "one for each level",
                    shown, count);
    double *prior = sfi_alloc_zero(p->ctx, count, sizeof *prior);
    if (prior == NULL)
        return SF_E_NOMEM;
    for (size_t k = 0; k < count; k++) {
        const json_t *number = json_array_get(list, k);
        prior[k] = json_is_number(number) ? json_number_value(number) : -1.0;
    }
    const sf_status status = sfi_noise_set_prior(
        p->ctx, &p->noise.blocks[p->noise.count - 1], (int64_t)count, prior);
    sfi_free(p->ctx, prior, count, sizeof *prior);
    return status;
}

/* What entry i of the "joint" of a block's first column names: a column that says
 * the same of its kernel.  Its place, or -1. */
static int64_t member_of(const model_parts *p, const json_t *columns,
                         const json_t *first, int64_t i)
{
    static const char *const same[] = {"kernel", "joint"};
    const json_t *joint = json_object_get(first, "joint");
    const int64_t at =
        column_of(p, json_string_value(json_array_get(joint, (size_t)i)));
    const json_t *member = json_array_get(columns, at >= 0 ? (size_t)at : 0);
    for (size_t k = 0; k < SFI_COUNT(same); k++)
        if (!json_equal(json_object_get(first, same[k]),
                        json_object_get(member, same[k])))
            return -1;
    const bool mixed = json_object_get(first, "factor") != NULL;
    return mixed || json_object_get(member, "factor") == NULL ? at : -1;
}

/* The block that column j of the schema is the first of. */
static sf_status read_block(model_parts *p, const json_t *columns, int64_t j)
{
    const json_t *first = json_array_get(columns, (size_t)j);
    const char *text = json_string_value(json_object_get(first, "kernel"));
    const json_t *joint = json_object_get(first, "joint");
    const bool mixed = json_object_get(first, "factor") != NULL;
    const int64_t size = joint != NULL ? (int64_t)json_array_size(joint) : 1;
    int64_t members[SFI_BLOCK_COLUMNS] = {j};
    double factor[SFI_BLOCK_COLUMNS * SFI_BLOCK_COLUMNS] = {0.0};
    char shown[SFI_SHOW_SIZE];
    sfi_kernel kernel;
    sfi_show(shown, p->names[j], strlen(p->names[j]));
    if (size > SFI_BLOCK_COLUMNS)
        return FAIL(p, "column \"%s\" shares its kernel with more than %d",
                    shown, (int)SFI_BLOCK_COLUMNS);
    for (int64_t i = 0; i < size && joint != NULL; i++) {
        members[i] = member_of(p, columns, first, i);
        if (members[i] < 0)
            return FAIL(p,
                        "entry %lld of the \"joint\" of column \"%s\" is no "
                        "column with the same \"kernel\" and \"joint\", and a "
                        "\"factor\" only if this one has one",
                        (long long)i, shown);
        if (mixed)
            SFI_TRY(read_factor(p, json_array_get(columns, (size_t)members[i]),
                                i, size, factor));
    }
    SFI_TRY(sfi_kernel_parse(p->ctx, &kernel, text));
    SFI_TRY(sfi_noise_add(p->ctx, &p->noise, &kernel, size, members, p->names));
    if (kernel.ops->levels)
        return read_prior(p, first, j);
    return mixed ? sfi_noise_mix(p->ctx, &p->noise.blocks[p->noise.count - 1],
                                 factor)
                 : SF_OK;
}

/* Whether column j is named first by its "joint", or stands alone. */
static bool begins(const model_parts *p, const json_t *column, int64_t j)
{
    const json_t *joint = json_object_get(column, "joint");
    const char *name = json_string_value(json_array_get(joint, 0));
    return joint == NULL || (name != NULL && strcmp(name, p->names[j]) == 0);
}

static sf_status read_blocks(model_parts *p, const json_t *columns)
{
    SFI_TRY(sfi_noise_new(p->ctx, &p->noise, p->dim));
    for (int64_t j = 0; j < p->dim; j++)
        if (begins(p, json_array_get(columns, (size_t)j), j))
            SFI_TRY(read_block(p, columns, j));
    return sfi_noise_complete(p->ctx, &p->noise, p->names);
}

/* All columns have a kernel, or none. */
static sf_status read_kernels(model_parts *p, const json_t *columns)
{
    int64_t have = 0;
    for (int64_t j = 0; j < p->dim; j++) {
        const json_t *text =
            json_object_get(json_array_get(columns, (size_t)j), "kernel");
        if (text != NULL && !json_is_string(text))
            return FAIL(p, "the kernel of column %lld of the schema is no text",
                        (long long)j);
        have += text != NULL;
    }
    if (have == 0)
        return SF_OK;
    if (have < p->dim)
        return FAIL(p,
                    "%lld of %lld columns of the schema have a \"kernel\", "
                    "want all or none",
                    (long long)have, (long long)p->dim);
    const sf_status status = read_blocks(p, columns);
    if (status != SF_E_ARG)
        return status;
    sfi_message_prefix(p->ctx, "%s: ", sfi_metadata_source(p->t));
    return SF_E_FORMAT;
}

static sf_status read_column(model_parts *p, int64_t j, const json_t *column)
{
    int64_t place = j;
    char shown[SFI_SHOW_SIZE];
    const char *name = json_string_value(json_object_get(column, "name"));
    if (name == NULL || name[0] == '\0')
        return FAIL(p, "column %lld of the schema has no name", (long long)j);
    sfi_show(shown, name, strlen(name));
    SFI_TRY(sfi_column_read(p->ctx, sfi_metadata_source(p->t), column, name,
                            &p->about.columns[j]));
    SFI_TRY(sfi_dictionary_number(p->ctx, &p->places, name, &place));
    if (place < j)
        return FAIL(p, "two columns of the schema are called \"%s\"", shown);
    p->names[j] = name;
    return SF_OK;
}

static sf_status read_columns(model_parts *p)
{
    const json_t *columns = json_object_get(p->schema, "columns");
    const size_t count = json_array_size(columns);
    if (count == 0)
        return FAIL(p, "the schema has no \"columns\"");
    p->names = sfi_alloc(p->ctx, count, sizeof *p->names);
    if (p->names == NULL)
        return SF_E_NOMEM;
    p->dim = (int64_t)count;
    SFI_TRY(sfi_schema_new(p->ctx, &p->about, p->dim));
    for (size_t j = 0; j < count; j++)
        SFI_TRY(read_column(p, (int64_t)j, json_array_get(columns, j)));
    return read_kernels(p, columns);
}

static sf_status read_dropped(model_parts *p)
{
    const json_t *dropped = json_object_get(p->schema, "dropped");
    const size_t count = json_array_size(dropped); /* 0 if there is none */
    p->dropped = sfi_alloc(p->ctx, count, sizeof *p->dropped);
    if (p->dropped == NULL)
        return SF_E_NOMEM;
    p->dropped_count = (int64_t)count;
    for (size_t k = 0; k < count; k++) {
        p->dropped[k] = json_string_value(json_array_get(dropped, k));
        if (p->dropped[k] == NULL)
            return FAIL(p, "\"dropped\" in the schema is no list of names");
    }
    return SF_OK;
}

/* Runs [first, count] that follow each other, with a row between them. */
static sf_status read_dropped_rows(model_parts *p)
{
    const json_t *list = json_object_get(p->schema, "dropped_rows");
    const size_t count = json_array_size(list);
    int64_t next = 0;
    if (list == NULL)
        return SF_OK;
    p->dropped_rows = sfi_alloc(p->ctx, count, 2 * sizeof *p->dropped_rows);
    if (p->dropped_rows == NULL)
        return SF_E_NOMEM;
    p->dropped_row_count = (int64_t)count;
    for (size_t k = 0; k < count; k++) {
        const json_t *run = json_array_get(list, k);
        const json_int_t first = json_integer_value(json_array_get(run, 0));
        const json_int_t rows = json_integer_value(json_array_get(run, 1));
        const json_int_t most = INT64_C(1) << 53;
        if (json_array_size(run) != 2 || rows < 1 || rows > most ||
            first < next + (k > 0) || first > most)
            return FAIL(p, "\"dropped_rows\" in the schema is no list of runs "
                           "of rows in their order");
        p->dropped_rows[2 * k] = first;
        p->dropped_rows[2 * k + 1] = rows;
        next = first + rows;
    }
    return SF_OK;
}

static sf_status read_numbers(model_parts *p)
{
    const char *key = NULL;
    json_t *value = NULL;
    if (json_object_size(p->numbers) > SFI_MAX_NUMBERS)
        return FAIL(p, "%zu numbers, want at most %d",
                    json_object_size(p->numbers), (int)SFI_MAX_NUMBERS);
    json_object_foreach(p->numbers, key, value)
    {
        char shown[SFI_SHOW_SIZE];
        sfi_number *number = &p->number_list[p->number_count];
        sfi_show(shown, key, strlen(key));
        if (strlen(key) >= sizeof number->key)
            return FAIL(p, "the number \"%s\" has too long a name", shown);
        if (!json_is_number(value) || !isfinite(json_number_value(value)))
            return FAIL(p, "the number \"%s\" is none", shown);
        memcpy(number->key, key, strlen(key) + 1);
        number->value = json_number_value(value);
        p->number_count++;
    }
    return SF_OK;
}

static sf_status read_texts(model_parts *p)
{
    const char *text = NULL, *source = sfi_metadata_source(p->t);
    SFI_TRY(sfi_metadata_check(p->ctx, p->t, "model"));
    SFI_TRY(sfi_metadata_want(p->ctx, p->t, SFI_KEY_SCHEMA, &text));
    SFI_TRY(sfi_metadata_parse(p->ctx, &p->schema, text, MOST_SCHEMA, source,
                               SFI_KEY_SCHEMA));
    SFI_TRY(sfi_metadata_want(p->ctx, p->t, SFI_KEY_NUMBERS, &text));
    SFI_TRY(sfi_metadata_parse(p->ctx, &p->numbers, text, MOST_NUMBERS, source,
                               SFI_KEY_NUMBERS));
    SFI_TRY(read_family(p));
    SFI_TRY(read_columns(p));
    SFI_TRY(read_dropped(p));
    SFI_TRY(read_dropped_rows(p));
    return read_numbers(p);
}

/* ---- arrays --------------------------------------------------------------- */

static sfi_tensor_type weight_type(const sf_model *m)
{
    return m->weight_dtype == SF_F32 ? SFI_TENSOR_F32 : SFI_TENSOR_F64;
}

/* Every array of the layout is there, and no other. */
static sf_status check_arrays(const sf_model *m, const sfi_tensors *t)
{
    const sfi_tensor *found = NULL;
    for (size_t k = 0; k < m->layout_count; k++)
        SFI_TRY(sfi_tensors_want(m->ctx, t, m->layout[k].name, weight_type(m),
                                 m->layout[k].rank, m->layout[k].shape,
                                 &found));
    SFI_TRY(sfi_tensors_want(m->ctx, t, "mean", SFI_TENSOR_F64, 1, &m->dim,
                             &found));
    SFI_TRY(sfi_tensors_want(m->ctx, t, "scale", SFI_TENSOR_F64, 1, &m->dim,
                             &found));
    if (t->names.count != m->layout_count + 2)
        return fail_format(m->ctx, t,
                           "has %zu arrays, and a %s of this shape has %zu",
                           t->names.count, m->ops->family, m->layout_count + 2);
    return SF_OK;
}

static sf_status copy_array(const sf_model *m, const sfi_tensors *t,
                            const char *name, double *to)
{
    const sfi_tensor *tensor = sfi_tensors_find(t, name);
    const bool may_lack = sfi_has_holes(m) && strcmp(name, "data") == 0;
    for (int64_t i = 0; i < tensor->count; i++) {
        to[i] = tensor->type == SFI_TENSOR_F32
                    ? (double)((const float *)tensor->data)[i]
                    : ((const double *)tensor->data)[i];
        if (!isfinite(to[i]) && !(may_lack && isnan(to[i])))
            return fail_format(m->ctx, t,
                               "element %lld of \"%s\" is %g, want finite "
                               "numbers",
                               (long long)i, name, to[i]);
    }
    return SF_OK;
}

static sf_status fill(sf_model *m, const sfi_tensors *t)
{
    SFI_TRY(check_arrays(m, t));
    SFI_TRY(sfi_model_allocate(m));
    for (size_t k = 0; k < m->layout_count; k++)
        SFI_TRY(copy_array(m, t, m->layout[k].name,
                           m->weights + m->layout[k].offset));
    SFI_TRY(copy_array(m, t, "mean", m->mean));
    SFI_TRY(copy_array(m, t, "scale", m->scale));
    for (int64_t j = 0; j < m->dim; j++)
        if (!(m->scale[j] > 0.0))
            return fail_format(m->ctx, t,
                               "element %lld of \"scale\" is %g, want > 0",
                               (long long)j, m->scale[j]);
    const sf_status status = m->ops->check != NULL ? m->ops->check(m) : SF_OK;
    if (status != SF_OK)
        sfi_message_prefix(m->ctx, "%s: ", sfi_metadata_source(t));
    return status;
}

/* ---- the record ----------------------------------------------------------- */

/* A record that owns what it points to. */
typedef struct owned_record {
    sf_run_record public; /* first: a pointer to it is one to the whole */
    sf_column_kind *kinds;
    char **dropped;
    int64_t *dropped_rows;
    int64_t dim, dropped_count, dropped_row_count;
} owned_record;

void sf_run_record_free(sf_context *ctx, sf_run_record *record)
{
    if (record == NULL)
        return;
    owned_record *r = (owned_record *)record;
    const char *const texts[] = {record->command, record->created_by,
                                 record->version, record->report};
    for (size_t i = 0; i < SFI_COUNT(texts); i++)
        sfi_free_text(ctx, (char *)(uintptr_t)texts[i]);
    for (int64_t k = 0; k < r->dropped_count && r->dropped != NULL; k++)
        sfi_free_text(ctx, r->dropped[k]);
    sfi_free(ctx, r->dropped, (size_t)r->dropped_count, sizeof *r->dropped);
    sfi_free(ctx, r->kinds, (size_t)r->dim, sizeof *r->kinds);
    sfi_free(ctx, r->dropped_rows, (size_t)r->dropped_row_count,
             2 * sizeof *r->dropped_rows);
    sfi_free(ctx, r, 1, sizeof *r);
}

int64_t sf_run_record_row(const sf_run_record *r, int64_t row)
{
    const int64_t runs = r != NULL ? r->dropped_row_count : 0;
    for (int64_t k = 0; k < runs && r->dropped_rows[2 * k] <= row; k++)
        row += r->dropped_rows[2 * k + 1];
    return row;
}

static sf_status copy_text(const model_parts *p, const char *key,
                           const char **out)
{
    const char *text = sfi_tensors_get(p->t, key);
    if (text == NULL)
        return SF_OK;
    *out = sfi_copy_text(p->ctx, text);
    return *out != NULL ? SF_OK : SF_E_NOMEM;
}

static sf_column_kind record_kind(const sfi_schema_column *about)
{
    const bool whole = about->kind == SF_KIND_INTEGER ||
                       about->kind == SF_KIND_BOOLEAN ||
                       about->kind == SF_KIND_KEY;
    return about->level_count > 0 ? SF_COLUMN_TEXT
           : whole                ? SF_COLUMN_INTEGER
                                  : SF_COLUMN_REAL;
}

static sf_status fill_record(const model_parts *p, owned_record *r)
{
    r->kinds = sfi_alloc(p->ctx, (size_t)p->dim, sizeof *r->kinds);
    r->dim = p->dim;
    r->dropped =
        sfi_alloc_zero(p->ctx, (size_t)p->dropped_count, sizeof *r->dropped);
    r->dropped_count = p->dropped_count;
    const size_t runs = (size_t)p->dropped_row_count;
    r->dropped_rows = sfi_alloc(p->ctx, runs, 2 * sizeof *r->dropped_rows);
    r->dropped_row_count = p->dropped_row_count;
    if (r->kinds == NULL || r->dropped == NULL || r->dropped_rows == NULL)
        return SF_E_NOMEM;
    if (runs > 0)
        memcpy(r->dropped_rows, p->dropped_rows,
               runs * 2 * sizeof *r->dropped_rows);
    r->public.dropped_rows = r->dropped_rows;
    r->public.dropped_row_count = r->dropped_row_count;
    for (int64_t j = 0; j < p->dim; j++)
        r->kinds[j] = record_kind(&p->about.columns[j]);
    for (int64_t k = 0; k < p->dropped_count; k++) {
        r->dropped[k] = sfi_copy_text(p->ctx, p->dropped[k]);
        if (r->dropped[k] == NULL)
            return SF_E_NOMEM;
    }
    r->public.kinds = r->kinds;
    r->public.dropped = (const char *const *)r->dropped;
    r->public.dropped_count = p->dropped_count;
    SFI_TRY(copy_text(p, SFI_KEY_COMMAND, &r->public.command));
    SFI_TRY(copy_text(p, SFI_KEY_CREATED_BY, &r->public.created_by));
    SFI_TRY(copy_text(p, SFI_KEY_WRITER, &r->public.version));
    SFI_TRY(copy_text(p, SFI_KEY_REPORT, &r->public.report));
    return sfi_metadata_seed(p->ctx, p->t, &r->public.seed);
}

/* The report is shown to people, so it must be what it says it is. */
static sf_status check_report(const model_parts *p)
{
    json_t *report = NULL;
    const char *text = sfi_tensors_get(p->t, SFI_KEY_REPORT);
    if (text == NULL)
        return SF_OK;
    const sf_status status =
        sfi_metadata_parse(p->ctx, &report, text, MOST_REPORT,
                           sfi_metadata_source(p->t), SFI_KEY_REPORT);
    json_decref(report);
    return status;
}

static sf_status make_record(const model_parts *p, sf_run_record **out)
{
    SFI_TRY(check_report(p));
    owned_record *r = sfi_alloc_zero(p->ctx, 1, sizeof *r);
    if (r == NULL)
        return SF_E_NOMEM;
    r->public = (sf_run_record)SF_RUN_RECORD_INIT;
    const sf_status status = fill_record(p, r);
    if (status != SF_OK)
        sf_run_record_free(p->ctx, &r->public);
    else
        *out = &r->public;
    return status;
}

/* ---- loading -------------------------------------------------------------- */

static sf_status declare(const model_parts *p, sf_model **out)
{
    if (p->ops == &sfi_density_ops)
        return sfi_typed_read(p->ctx, p->t, p->schema, p->dim, p->names, out);
    const sf_status status = sfi_model_declare(
        p->ctx, out, p->ops, p->dim, p->names,
        p->noise.dim > 0 ? &p->noise : NULL, p->number_count, p->number_list);
    if (status != SF_OK)
        sfi_message_prefix(p->ctx, "%s: ", sfi_metadata_source(p->t));
    return status;
}

static sf_status build(model_parts *p, sf_model **out, sf_run_record **record)
{
    SFI_TRY(read_texts(p));
    SFI_TRY(declare(p, out));
    if (record != NULL)
        SFI_TRY(make_record(p, record));
    (*out)->schema = p->about; /* by which the data is checked */
    p->about = (sfi_schema){0};
    const sf_status status = fill(*out, p->t);
    if (status != SF_OK && record != NULL) {
        sf_run_record_free(p->ctx, *record);
        *record = NULL;
    }
    return status;
}

/* Takes the tensors over. */
static sf_status load(sf_context *ctx, sfi_tensors *t, sf_model **out,
                      sf_run_record **record)
{
    model_parts p = {.ctx = ctx, .t = t};
    const sf_status status = build(&p, out, record);
    free_parts(&p);
    sfi_tensors_free(ctx, t);
    if (status != SF_OK) {
        sf_model_free(*out);
        *out = NULL;
    }
    return status;
}

sf_status sf_model_load_record(sf_context *ctx, sf_model **out,
                               sf_run_record **record, const char *path)
{
    sfi_tensors t;
    *out = NULL;
    if (record != NULL)
        *record = NULL;
    SFI_TRY(sfi_tensors_read(ctx, &t, path));
    return load(ctx, &t, out, record);
}

sf_status sf_model_load(sf_context *ctx, sf_model **out, const char *path)
{
    return sf_model_load_record(ctx, out, NULL, path);
}

sf_status sf_model_load_memory(sf_context *ctx, sf_model **out,
                               sf_run_record **record, const void *bytes,
                               size_t size)
{
    sfi_tensors t;
    *out = NULL;
    if (record != NULL)
        *record = NULL;
    SFI_TRY(sfi_tensors_read_memory(ctx, &t, bytes, size));
    return load(ctx, &t, out, record);
}
