/* SPDX-License-Identifier: Apache-2.0 */
/* density_file.c - typed densities in files: the expression, its columns and domain as
 * texts, its parameters as arrays. */
#include "base/text.h"
#include "density/density.h"
#include "scorefield/store.h"
#include "store/metadata.h"

#include <stdio.h>
#include <string.h>

enum { MOST_NAMES = 1 << 14, MOST_SCHEMA = 1 << 22 };

/* ---- writing ----------------------------------------------------------------- */

static json_t *list_of(int64_t count,
                       const char *(*name)(const sf_density *d, int64_t i),
                       const sf_density *d)
{
    json_t *list = json_array();
    bool failed = list == NULL;
    for (int64_t i = 0; i < count; i++)
        failed |= json_array_append_new(list, json_string(name(d, i))) != 0;
    if (!failed)
        return list;
    json_decref(list);
    return NULL;
}

static const char *parameter_name(const sf_density *d, int64_t i)
{
    return d->parameters[i].name;
}

static sf_status check_text(sf_context *ctx, const char *what, const char *text)
{
    char shown[SFI_SHOW_SIZE];
    const size_t size = strlen(text);
    if (sfi_utf8_prefix(text, size) == size)
        return SF_OK;
    return SFI_FAIL(ctx, SF_E_ARG, "save: the density's %s \"%s\" is not UTF-8",
                    what, sfi_show(shown, text, size));
}

static sf_status check_texts(const sf_density *d)
{
    SFI_TRY(check_text(d->ctx, "expression", d->text));
    SFI_TRY(check_text(d->ctx, "domain", d->domain_text));
    for (int64_t j = 0; j < d->dim; j++)
        SFI_TRY(check_text(d->ctx, "column", d->names[j]));
    for (int k = 0; k < d->parameter_count; k++)
        SFI_TRY(check_text(d->ctx, "parameter", d->parameters[k].name));
    return SF_OK;
}

static sf_status set_texts(const sf_density *d, sfi_tensors *t,
                           const sf_run_record *r)
{
    sf_context *ctx = d->ctx;
    SFI_TRY(sfi_metadata_begin(ctx, t, "density", r->version));
    SFI_TRY(sfi_metadata_set_seed(ctx, t, r->seed));
    SFI_TRY(sfi_tensors_set(ctx, t, SFI_KEY_DENSITY, d->text));
    SFI_TRY(sfi_metadata_set_json(
        ctx, t, SFI_KEY_SCHEMA,
        json_pack("{s:o, s:s, s:o}", "columns",
                  list_of(d->dim, sf_density_name, d), "domain", d->domain_text,
                  "parameters",
                  list_of(d->parameter_count, parameter_name, d))));
    SFI_TRY(
        sfi_metadata_set(ctx, t, SFI_KEY_CREATED_BY,
                         r->created_by != NULL ? r->created_by : "scorefield"));
    if (r->command != NULL)
        SFI_TRY(sfi_metadata_set(ctx, t, SFI_KEY_COMMAND, r->command));
    return r->report != NULL ? sfi_metadata_set_report(ctx, t, r->report)
                             : SF_OK;
}

static void array_name(char name[32], int k)
{
    snprintf(name, 32, "parameter.%d", k);
}

static sf_status fill_tensors(const sf_density *d, sfi_tensors *t,
                              const sf_run_record *r)
{
    SFI_TRY(check_texts(d));
    SFI_TRY(set_texts(d, t, r));
    for (int k = 0; k < d->parameter_count; k++) {
        const sfi_density_parameter *p = &d->parameters[k];
        char name[32];
        array_name(name, k);
        SFI_TRY(sfi_tensors_add(d->ctx, t, name, SFI_TENSOR_F64, p->rank,
                                p->shape, p->value));
    }
    return SF_OK;
}

sf_status sf_density_save(const sf_density *density, const char *path,
                          const sf_run_record *record)
{
    sf_context *ctx = density->ctx;
    sf_run_record r = SF_RUN_RECORD_INIT;
    sfi_tensors t = {0};
    SFI_TRY(sfi_options(ctx, &r, sizeof r, record));
    sf_status status = fill_tensors(density, &t, &r);
    if (status == SF_OK)
        status = sfi_tensors_write(ctx, &t, path);
    sfi_tensors_free(ctx, &t);
    return status;
}

/* ---- reading ----------------------------------------------------------------- */

/* Names of a list in the schema; they live as long as it. */
static sf_status read_list(sf_context *ctx, const json_t *schema,
                           const char *key, const char *source,
                           const char ***names, int64_t *count)
{
    const json_t *list = json_object_get(schema, key);
    if (!json_is_array(list) || json_array_size(list) > MOST_NAMES)
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "%s: \"%s\" is no list of at most %d names", source,
                        key, (int)MOST_NAMES);
    const size_t size = json_array_size(list);
    const char **out = sfi_alloc(ctx, size, sizeof *out);
    if (out == NULL)
        return SF_E_NOMEM;
    *names = out;
    *count = (int64_t)size;
    for (size_t i = 0; i < size; i++) {
        out[i] = json_string_value(json_array_get(list, i));
        if (out[i] == NULL)
            return SFI_FAIL(ctx, SF_E_FORMAT, "%s: \"%s\" holds no text",
                            source, key);
    }
    return SF_OK;
}

typedef struct read_parts {
    json_t *schema;
    const char **columns, **names;
    int64_t dim, count;
    sf_parameter *parameters; /* [count] */
} read_parts;

static sf_status read_parameters(sf_context *ctx, const sfi_tensors *t,
                                 read_parts *p)
{
    p->parameters = sfi_alloc(ctx, (size_t)p->count, sizeof *p->parameters);
    if (p->parameters == NULL)
        return SF_E_NOMEM;
    for (int64_t k = 0; k < p->count; k++) {
        char name[32];
        array_name(name, (int)k);
        const sfi_tensor *found = sfi_tensors_find(t, name);
        if (found == NULL || found->type != SFI_TENSOR_F64)
            return SFI_FAIL(ctx, SF_E_FORMAT,
                            "%s: there is no array \"%s\" of "
                            "F64",
                            sfi_metadata_source(t), name);
        sf_parameter *to = &p->parameters[k];
        *to = (sf_parameter){
            .name = p->names[k], .rank = found->rank, .value = found->data};
        memcpy(to->shape, found->shape, sizeof to->shape);
    }
    return SF_OK;
}

static sf_status build(sf_context *ctx, const sfi_tensors *t, read_parts *p,
                       sf_density **out)
{
    const char *source = sfi_metadata_source(t), *text = NULL, *schema = NULL;
    SFI_TRY(sfi_metadata_check(ctx, t, "density"));
    SFI_TRY(sfi_metadata_want(ctx, t, SFI_KEY_DENSITY, &text));
    SFI_TRY(sfi_metadata_want(ctx, t, SFI_KEY_SCHEMA, &schema));
    SFI_TRY(sfi_metadata_parse(ctx, &p->schema, schema, MOST_SCHEMA, source,
                               SFI_KEY_SCHEMA));
    SFI_TRY(read_list(ctx, p->schema, "columns", source, &p->columns, &p->dim));
    SFI_TRY(
        read_list(ctx, p->schema, "parameters", source, &p->names, &p->count));
    SFI_TRY(read_parameters(ctx, t, p));
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    o.names = p->columns;
    o.domain = json_string_value(json_object_get(p->schema, "domain"));
    o.parameter_count = (int)p->count;
    o.parameters = p->parameters;
    if (o.domain == NULL)
        return SFI_FAIL(ctx, SF_E_FORMAT, "%s: there is no \"domain\"", source);
    const sf_status status = sf_density_new(ctx, out, text, p->dim, &o);
    if (status == SF_OK || status == SF_E_NOMEM)
        return status;
    sfi_message_prefix(ctx, "%s: ", source);
    return SF_E_FORMAT;
}

/* Takes the tensors over. */
static sf_status load(sf_context *ctx, sfi_tensors *t, sf_density **out)
{
    read_parts p = {0};
    const sf_status status = build(ctx, t, &p, out);
    sfi_free(ctx, p.parameters, (size_t)p.count, sizeof *p.parameters);
    sfi_free(ctx, p.names, (size_t)p.count, sizeof *p.names);
    sfi_free(ctx, p.columns, (size_t)p.dim, sizeof *p.columns);
    json_decref(p.schema);
    sfi_tensors_free(ctx, t);
    return status;
}

sf_status sf_density_load(sf_context *ctx, sf_density **out, const char *path)
{
    sfi_tensors t;
    *out = NULL;
    SFI_TRY(sfi_tensors_read(ctx, &t, path));
    return load(ctx, &t, out);
}

sf_status sf_density_load_memory(sf_context *ctx, sf_density **out,
                                 const void *bytes, size_t size)
{
    sfi_tensors t;
    *out = NULL;
    SFI_TRY(sfi_tensors_read_memory(ctx, &t, bytes, size));
    return load(ctx, &t, out);
}

bool sf_is_density(sf_context *ctx, const char *path)
{
    sfi_tensors t;
    if (sfi_tensors_read(ctx, &t, path) != SF_OK) {
        sfi_message_clear(ctx);
        return false;
    }
    const char *content = sfi_tensors_get(&t, SFI_KEY_CONTENT);
    const bool is = content != NULL && strcmp(content, "density") == 0;
    sfi_tensors_free(ctx, &t);
    return is;
}
