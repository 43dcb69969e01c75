/* SPDX-License-Identifier: Apache-2.0 */
/* typed_file.c - what a file keeps of a typed density beside what it keeps of any
 * model: the expression, the domain and the parameters' names, in the schema.  The
 * parameters' values are the model's arrays. */
#include "store/typed_file.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { MOST_PARAMETERS = 1 << 14 };

/* ---- writing ----------------------------------------------------------------- */

static sf_status check_text(sf_context *ctx, const char *what, const char *text)
{
    char shown[SFI_SHOW_SIZE];
    const size_t size = strlen(text);
    if (sfi_utf8_prefix(text, size) == size)
        return SF_OK;
    return SFI_FAIL(ctx, SF_E_ARG, "save: the density's %s \"%s\" is not UTF-8",
                    what, sfi_show(shown, text, size));
}

sf_status sfi_typed_check(const sf_model *m)
{
    const sfi_density *d = m->density;
    if (d == NULL)
        return SF_OK;
    SFI_TRY(check_text(m->ctx, "expression", d->text));
    SFI_TRY(check_text(m->ctx, "domain", d->domain_text));
    for (int k = 0; k < d->parameter_count; k++)
        SFI_TRY(check_text(m->ctx, "parameter", d->parameters[k].name));
    return SF_OK;
}

bool sfi_typed_put(const sf_model *m, json_t *schema)
{
    const sfi_density *d = m->density;
    if (d == NULL)
        return true;
    json_t *names = json_array();
    bool failed = false;
    for (int k = 0; k < d->parameter_count; k++)
        failed |= json_array_append_new(
                      names, json_string(d->parameters[k].name)) != 0;
    failed |=
        json_object_set_new(schema, "expression", json_string(d->text)) != 0;
    failed |=
        json_object_set_new(schema, "domain", json_string(d->domain_text)) != 0;
    failed |= json_object_set(schema, "parameters", names) != 0;
    json_decref(names);
    return !failed;
}

/* ---- reading ----------------------------------------------------------------- */

static sf_status want_text(sf_context *ctx, const sfi_tensors *t,
                           const json_t *schema, const char *key,
                           const char **out)
{
    *out = json_string_value(json_object_get(schema, key));
    if (*out != NULL)
        return SF_OK;
    return SFI_FAIL(ctx, SF_E_FORMAT,
                    "%s: the schema of a density has no \"%s\"",
                    sfi_metadata_source(t), key);
}

/* A name in the schema, and the shape of its array; values come later. */
static sf_status read_parameter(sf_context *ctx, const sfi_tensors *t,
                                const json_t *list, size_t k, sf_parameter *to)
{
    char array[32];
    snprintf(array, sizeof array, "parameter.%zu", k);
    const sfi_tensor *found = sfi_tensors_find(t, array);
    to->name = json_string_value(json_array_get(list, k));
    if (to->name == NULL)
        return SFI_FAIL(ctx, SF_E_FORMAT, "%s: parameter %zu has no name",
                        sfi_metadata_source(t), k);
    if (found == NULL || found->type != SFI_TENSOR_F64 ||
        found->rank > SF_MAX_RANK)
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "%s: there is no array \"%s\" of F64 and at most %d "
                        "dimensions",
                        sfi_metadata_source(t), array, (int)SF_MAX_RANK);
    to->rank = found->rank;
    for (int i = 0; i < found->rank; i++)
        to->shape[i] = found->shape[i];
    return SF_OK;
}

static sf_status make(sf_context *ctx, const sfi_tensors *t,
                      const json_t *schema, int64_t dim,
                      const char *const *names, sf_parameter *parameters,
                      size_t count, sfi_density **out)
{
    const char *text = NULL;
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    const json_t *list = json_object_get(schema, "parameters");
    SFI_TRY(want_text(ctx, t, schema, "expression", &text));
    SFI_TRY(want_text(ctx, t, schema, "domain", &o.domain));
    for (size_t k = 0; k < count; k++)
        SFI_TRY(read_parameter(ctx, t, list, k, &parameters[k]));
    o.names = names;
    o.parameter_count = (int)count;
    o.parameters = parameters;
    const sf_status status = sfi_density_make(ctx, out, text, dim, &o);
    if (status == SF_OK || status == SF_E_NOMEM)
        return status;
    sfi_message_prefix(ctx, "%s: ", sfi_metadata_source(t));
    return SF_E_FORMAT;
}

sf_status sfi_typed_read(sf_context *ctx, const sfi_tensors *t,
                         const json_t *schema, int64_t dim,
                         const char *const *names, sf_model **out)
{
    const json_t *list = json_object_get(schema, "parameters");
    const size_t count = json_array_size(list);
    *out = NULL;
    if (!json_is_array(list) || count > MOST_PARAMETERS)
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "%s: \"parameters\" is no list of at most %d names",
                        sfi_metadata_source(t), (int)MOST_PARAMETERS);
    sfi_density *d = NULL;
    sf_parameter *parameters = sfi_alloc_zero(ctx, count, sizeof *parameters);
    if (parameters == NULL)
        return SF_E_NOMEM;
    sf_status status = make(ctx, t, schema, dim, names, parameters, count, &d);
    sfi_free(ctx, parameters, count, sizeof *parameters);
    return status == SF_OK ? sfi_density_declare(ctx, out, d) : status;
}
