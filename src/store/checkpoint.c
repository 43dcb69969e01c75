/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint.c - a training run in a file, to be taken up again.
 *
 *     state    U8 [bytes], as sf_trainer_state() wrote it
 *     numbers  JSON: the options by their names
 *     schema   JSON: columns, rows, fingerprint of the data
 *
 * Which options there are, and what they may be, is one list, which the trainer has too
 * (model/network_options.h). */
#include "store/store.h"

#include "base/text.h"
#include "model/network_options.h"
#include "store/metadata.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SCHEMA = 1 << 22, MOST_NUMBERS = 1 << 12 };

uint64_t sf_data_fingerprint(sf_cmat data)
{
    /* FNV-1a over the words of the cells rather than their bytes, each mixed
     * first so that all of its bits reach all of the hash. */
    uint64_t hash = 0xCBF29CE484222325u;
    const uint64_t prime = 0x100000001B3u;
    hash = (hash ^ (uint64_t)data.rows) * prime;
    hash = (hash ^ (uint64_t)data.cols) * prime;
    for (int64_t i = 0; i < data.rows; i++)
        for (int64_t j = 0; j < data.cols; j++) {
            uint64_t bits;
            memcpy(&bits, &data.data[i * data.stride + j], sizeof bits);
            bits *= 0x9E3779B97F4A7C15u;
            hash = (hash ^ bits ^ bits >> 32) * prime;
        }
    return hash;
}

/* ---- writing -------------------------------------------------------------- */

/* The functions that build JSON return NULL, and accept it, where memory is
 * short. */
static bool put_numbers(json_t *numbers, const sfi_option *list,
                        const sf_network_options *o)
{
    bool failed = false;
    for (const sfi_option *row = list; row->name != NULL; row++) {
        const double value = sfi_option_get(row, o);
        json_t *number = row->type == SFI_OPTION_REAL
                             ? json_real(value)
                             : json_integer((json_int_t)value);
        failed |= json_object_set_new(numbers, row->name, number) != 0;
    }
    return !failed;
}

static json_t *make_options(const sf_network_options *o)
{
    json_t *numbers = json_object();
    bool failed = false;
    const sf_objective objective = o->objective;
    const bool both = objective >= SF_OBJECTIVE_MANIFOLD;
    const bool flow = both || objective == SF_OBJECTIVE_LIKELIHOOD;
    const bool decoder = both || objective == SF_OBJECTIVE_ELBO;
    failed |= !put_numbers(numbers, sfi_network_options, o);
    failed |= flow && !put_numbers(numbers, sfi_flow_options, o);
    failed |= decoder && !put_numbers(numbers, sfi_autoencoder_options, o);
    if (!failed)
        return numbers;
    json_decref(numbers);
    return NULL;
}

static json_t *make_schema(const sf_checkpoint *c)
{
    char fingerprint[24];
    json_t *columns = json_array();
    bool failed = false;
    snprintf(fingerprint, sizeof fingerprint, "%016llx",
             (unsigned long long)c->fingerprint);
    for (int64_t j = 0; j < c->dim; j++)
        failed |=
            json_array_append_new(columns, json_string(c->columns[j])) != 0;
    json_t *schema =
        failed ? NULL
               : json_pack("{s:O, s:I, s:s}", "columns", columns, "rows",
                           (json_int_t)c->rows, "fingerprint", fingerprint);
    json_decref(columns);
    return schema;
}

static sf_status check_checkpoint(sf_context *ctx, const sf_checkpoint *c)
{
    SFI_TRY(
        sfi_option_check(ctx, "checkpoint", sfi_network_options, &c->options));
    SFI_TRY(sfi_option_check(ctx, "checkpoint", sfi_flow_options, &c->options));
    SFI_TRY(sfi_option_check(ctx, "checkpoint", sfi_autoencoder_options,
                             &c->options));
    for (int64_t j = 0; j < c->dim; j++) {
        const size_t size = strlen(c->columns[j]);
        char shown[SFI_SHOW_SIZE];
        if (sfi_utf8_prefix(c->columns[j], size) < size)
            return SFI_FAIL(ctx, SF_E_ARG,
                            "checkpoint: the column name \"%s\" is not UTF-8",
                            sfi_show(shown, c->columns[j], size));
    }
    return SF_OK;
}

static sf_status fill_tensors(sf_context *ctx, sfi_tensors *t,
                              const sf_checkpoint *c)
{
    const int64_t bytes = (int64_t)c->state_size;
    SFI_TRY(sfi_metadata_begin(ctx, t, "checkpoint", NULL));
    SFI_TRY(sfi_metadata_set(ctx, t, SFI_KEY_CREATED_BY, "scorefield"));
    SFI_TRY(sfi_metadata_set_seed(ctx, t, c->options.seed));
    SFI_TRY(sfi_metadata_set_json(ctx, t, SFI_KEY_NUMBERS,
                                  make_options(&c->options)));
    SFI_TRY(sfi_metadata_set_json(ctx, t, SFI_KEY_SCHEMA, make_schema(c)));
    if (c->options.kernel != NULL)
        SFI_TRY(sfi_metadata_set(ctx, t, SFI_KEY_KERNEL, c->options.kernel));
    if (c->command != NULL)
        SFI_TRY(sfi_metadata_set(ctx, t, SFI_KEY_COMMAND, c->command));
    return sfi_tensors_add(ctx, t, "state", SFI_TENSOR_U8, 1, &bytes, c->state);
}

sf_status sfi_checkpoint_save_to(sf_context *ctx, sfi_output *out,
                                 const sf_checkpoint *checkpoint)
{
    sf_checkpoint c = SF_CHECKPOINT_INIT;
    SFI_TRY(sfi_options(ctx, &c, sizeof c, checkpoint));
    SFI_TRY(check_checkpoint(ctx, &c));
    sfi_tensors t = {0};
    sf_status status = fill_tensors(ctx, &t, &c);
    if (status == SF_OK)
        status = sfi_tensors_write_to(ctx, &t, out);
    sfi_tensors_free(ctx, &t);
    return status;
}

sf_status sf_checkpoint_save(sf_context *ctx, const sf_checkpoint *checkpoint,
                             const char *path)
{
    sfi_output *out = NULL;
    SFI_TRY(sfi_output_open(ctx, &out, path));
    return sfi_output_close(out, sfi_checkpoint_save_to(ctx, out, checkpoint));
}

/* ---- reading -------------------------------------------------------------- */

/* What a loaded checkpoint points into. */
typedef struct owned {
    sfi_tensors t;
    json_t *schema;
    const char **columns; /* [dim], in `schema` */
    int64_t dim;
} owned;

static void free_owned(sf_context *ctx, owned *o)
{
    if (o == NULL)
        return;
    sfi_free(ctx, o->columns, (size_t)o->dim, sizeof *o->columns);
    json_decref(o->schema);
    sfi_tensors_free(ctx, &o->t);
    sfi_free(ctx, o, 1, sizeof *o);
}

void sf_checkpoint_free(sf_context *ctx, sf_checkpoint *c)
{
    if (c == NULL)
        return;
    free_owned(ctx, c->owner);
    *c = (sf_checkpoint)SF_CHECKPOINT_INIT;
}

/* A whole number of at most 2^53, which a double holds exactly. */
static sf_status read_whole(sf_context *ctx, const json_t *numbers,
                            const char *source, const char *name,
                            int64_t *value)
{
    const json_t *found = json_object_get(numbers, name);
    const int64_t most = (int64_t)1 << 53;
    if (!json_is_integer(found) || json_integer_value(found) < 0 ||
        json_integer_value(found) > most)
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "%s: \"%s\" is no whole number from 0 to 2^53", source,
                        name);
    *value = json_integer_value(found);
    return SF_OK;
}

static sf_status read_real(sf_context *ctx, const json_t *numbers,
                           const char *source, const char *name, double *value)
{
    const json_t *found = json_object_get(numbers, name);
    if (!json_is_number(found) || !isfinite(json_number_value(found)))
        return SFI_FAIL(ctx, SF_E_FORMAT, "%s: \"%s\" is no finite number",
                        source, name);
    *value = json_number_value(found);
    return SF_OK;
}

static sf_status take_numbers(sf_context *ctx, const json_t *numbers,
                              const char *source, const sfi_option *list,
                              sf_network_options *o)
{
    for (const sfi_option *row = list; row->name != NULL; row++) {
        int64_t whole = 0;
        double value = 0.0;
        if (row->type == SFI_OPTION_REAL) {
            SFI_TRY(read_real(ctx, numbers, source, row->name, &value));
        } else {
            SFI_TRY(read_whole(ctx, numbers, source, row->name, &whole));
            value = (double)whole;
        }
        if (!(value >= row->least && value <= row->most))
            return SFI_FAIL(ctx, SF_E_FORMAT,
                            "%s: \"%s\" is %g, and this version knows %g to %g",
                            source, row->name, value, row->least, row->most);
        sfi_option_set(row, o, value);
    }
    return SF_OK;
}

static sf_status take_options(sf_context *ctx, const json_t *numbers,
                              const char *source, sf_network_options *o)
{
    SFI_TRY(take_numbers(ctx, numbers, source, sfi_network_options, o));
    const bool both = o->objective >= SF_OBJECTIVE_MANIFOLD;
    if (both || o->objective == SF_OBJECTIVE_LIKELIHOOD)
        SFI_TRY(take_numbers(ctx, numbers, source, sfi_flow_options, o));
    if (both || o->objective == SF_OBJECTIVE_ELBO)
        SFI_TRY(take_numbers(ctx, numbers, source, sfi_autoencoder_options, o));
    return SF_OK;
}

static sf_status read_options(sf_context *ctx, const sfi_tensors *t,
                              sf_network_options *o)
{
    const char *text = NULL, *source = sfi_metadata_source(t);
    json_t *numbers = NULL;
    SFI_TRY(sfi_metadata_want(ctx, t, SFI_KEY_NUMBERS, &text));
    SFI_TRY(sfi_metadata_parse(ctx, &numbers, text, MOST_NUMBERS, source,
                               SFI_KEY_NUMBERS));
    const sf_status status = take_options(ctx, numbers, source, o);
    json_decref(numbers);
    SFI_TRY(status);
    return sfi_metadata_seed(ctx, t, &o->seed);
}

static sf_status read_schema(sf_context *ctx, owned *o, sf_checkpoint *c)
{
    const char *text = NULL, *source = sfi_metadata_source(&o->t);
    SFI_TRY(sfi_metadata_want(ctx, &o->t, SFI_KEY_SCHEMA, &text));
    SFI_TRY(sfi_metadata_parse(ctx, &o->schema, text, MOST_SCHEMA, source,
                               SFI_KEY_SCHEMA));
    SFI_TRY(read_whole(ctx, o->schema, source, "rows", &c->rows));
    const char *hash =
        json_string_value(json_object_get(o->schema, "fingerprint"));
    if (hash == NULL || strlen(hash) != 16 ||
        strspn(hash, "0123456789abcdef") != 16)
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "%s: \"fingerprint\" is not 16 hexadecimal digits",
                        source);
    c->fingerprint = strtoull(hash, NULL, 16);
    const json_t *columns = json_object_get(o->schema, "columns");
    const size_t count = json_array_size(columns);
    if (count == 0)
        return SFI_FAIL(ctx, SF_E_FORMAT, "%s: there are no \"columns\"",
                        source);
    o->columns = sfi_alloc(ctx, count, sizeof *o->columns);
    if (o->columns == NULL)
        return SF_E_NOMEM;
    o->dim = c->dim = (int64_t)count;
    for (size_t j = 0; j < count; j++) {
        o->columns[j] = json_string_value(json_array_get(columns, j));
        if (o->columns[j] == NULL)
            return SFI_FAIL(ctx, SF_E_FORMAT,
                            "%s: \"columns\" is no list of names", source);
    }
    c->columns = o->columns;
    return SF_OK;
}

static sf_status read_checkpoint(sf_context *ctx, owned *o, sf_checkpoint *c)
{
    const sfi_tensor *state = NULL;
    const int64_t any = -1;
    SFI_TRY(sfi_metadata_check(ctx, &o->t, "checkpoint"));
    SFI_TRY(read_options(ctx, &o->t, &c->options));
    SFI_TRY(read_schema(ctx, o, c));
    SFI_TRY(
        sfi_tensors_want(ctx, &o->t, "state", SFI_TENSOR_U8, 1, &any, &state));
    c->options.kernel = sfi_tensors_get(&o->t, SFI_KEY_KERNEL);
    c->state = state->data;
    c->state_size = (size_t)state->count;
    c->command = sfi_tensors_get(&o->t, SFI_KEY_COMMAND);
    c->owner = o;
    return SF_OK;
}

/* `path` or, where that is NULL, bytes. */
static sf_status load(sf_context *ctx, sf_checkpoint *out, const char *path,
                      const void *bytes, size_t size)
{
    sf_checkpoint c = SF_CHECKPOINT_INIT;
    *out = c;
    owned *o = sfi_alloc_zero(ctx, 1, sizeof *o);
    if (o == NULL)
        return SF_E_NOMEM;
    sf_status status = path != NULL
                           ? sfi_tensors_read(ctx, &o->t, path)
                           : sfi_tensors_read_memory(ctx, &o->t, bytes, size);
    if (status == SF_OK)
        status = read_checkpoint(ctx, o, &c);
    if (status == SF_OK)
        *out = c;
    else
        free_owned(ctx, o);
    return status;
}

sf_status sf_checkpoint_load(sf_context *ctx, sf_checkpoint *out,
                             const char *path)
{
    return load(ctx, out, path, NULL, 0);
}

sf_status sfi_checkpoint_load_memory(sf_context *ctx, sf_checkpoint *out,
                                     const void *bytes, size_t size)
{
    return load(ctx, out, NULL, bytes, size);
}
