/* SPDX-License-Identifier: Apache-2.0 */
/* info.c - scorefield info: what a file holds. */
#include "cli/info.h"

#include "base/text.h"
#include "scorefield/density.h"
#include "io/input.h"
#include "io/npy.h"
#include "io/safetensors.h"
#include "model/model.h"
#include "scorefield/store.h"

#include <math.h>
#include <string.h>

static void put_decimals(cli *c, json_t *row, int decimals)
{
    cli_put(c, row, "decimals",
            decimals >= 0 ? json_integer(decimals) : json_null());
}

static void put_levels(cli *c, json_t *row, int64_t levels)
{
    cli_put(c, row, "levels", levels > 0 ? json_integer(levels) : json_null());
}

/* ---- models --------------------------------------------------------------- */

static void put_columns(cli *c, const sf_model *m, const sf_run_record *r)
{
    json_t *list = cli_put_list(c, c->report, "columns");
    for (int64_t j = 0; j < m->dim; j++) {
        json_t *row = cli_add_object(c, list);
        cli_put_text(c, row, "column", m->names[j]);
        cli_put_text(c, row, "kind", sf_kind_name(sf_model_kind(m, j)));
        put_decimals(c, row, sf_model_decimals(m, j));
        put_levels(c, row, sf_model_level_count(m, j));
        if (sf_density_text(m) == NULL) {
            /* What kernels see is (x - offset)/scale. */
            const bool kernels = sfi_has_kernels(m);
            const bool scaled = kernels || sf_model_latents(m) > 0;
            cli_put_number(c, row, kernels ? "offset" : "mean", m->mean[j]);
            cli_put_number(c, row, scaled ? "scale" : "sd", m->scale[j]);
        }
        cli_put_kernel(c, row, m, j);
    }
    if (r->dropped_count == 0)
        return;
    json_t *dropped = cli_put_list(c, c->report, "left_out");
    for (int64_t k = 0; k < r->dropped_count; k++)
        if (json_array_append_new(dropped, json_string(r->dropped[k])) != 0)
            c->report_failed = true;
}

static sf_status put_record(cli *c, const sf_run_record *r)
{
    cli_put(c, c->report, "seed",
            r->seed <= INT64_MAX
                ? json_integer((json_int_t)r->seed)
                : json_sprintf("%llu", (unsigned long long)r->seed));
    if (r->created_by != NULL)
        cli_put_text(c, c->report, "created_by", r->created_by);
    if (r->version != NULL)
        cli_put_text(c, c->report, "version", r->version);
    if (r->command != NULL)
        cli_put_text(c, c->report, "command", r->command);
    if (r->report != NULL)
        cli_put(c, c->report, "training", json_loads(r->report, 0, NULL));
    return SF_OK;
}

/* The parameters of a typed density, element by element. */
static void put_parameters(cli *c, const sf_model *m)
{
    json_t *list = cli_put_list(c, c->report, "parameters");
    for (int64_t k = 0; k < sf_model_parameter_count(m); k++) {
        sf_parameter p;
        int64_t count = 1;
        (void)sf_model_parameter(m, k, &p);
        for (int i = 0; i < p.rank; i++)
            count *= p.shape[i];
        for (int64_t i = 0; i < count; i++) {
            json_t *row = cli_add_object(c, list);
            cli_put_text(c, row, "parameter", p.name);
            if (p.rank > 0)
                cli_put_count(c, row, "element", i);
            else
                cli_put(c, row, "element", json_null());
            cli_put_number(c, row, "value", p.value[i]);
        }
    }
}

static void put_density(cli *c, const sf_model *m)
{
    cli_put_text(c, c->report, "log_density", sf_density_text(m));
    cli_put_text(c, c->report, "domain", sf_density_domain(m));
    put_parameters(c, m);
}

static void put_settings(cli *c, const sf_model *m)
{
    sf_parameter data;
    if (sf_model_can(m, SF_CAN_ROWS) && sf_model_parameter(m, 0, &data))
        cli_put_count(c, c->report, "data_rows", data.shape[0]);
    else
        cli_put_count(c, c->report, "weights", sfi_trained_weights(m));
    json_t *numbers = cli_put_object(c, c->report, "hyperparameters");
    for (int64_t k = 0; k < sf_model_setting_count(m); k++) {
        const char *name = sf_model_setting_name(m, k);
        cli_put_number(c, numbers, name, sf_model_setting(m, name));
    }
}

static sf_status tell_model(cli *c, const char *path)
{
    sf_model *m = NULL;
    sf_run_record *r = NULL;
    SFI_TRY(sf_model_load_record(c->ctx, &m, &r, path));
    cli_put_text(c, c->report, "file", path);
    cli_put_text(c, c->report, "holds", "model");
    cli_put_text(c, c->report, "family", m->ops->family);
    if (sf_density_text(m) != NULL)
        put_density(c, m);
    else
        put_settings(c, m);
    put_columns(c, m, r);
    if (sf_model_can(m, SF_CAN_CODE))
        cli_put_loadings(c, c->report, m);
    const sf_status status = put_record(c, r);
    sf_run_record_free(c->ctx, r);
    sf_model_free(m);
    return status;
}

/* ---- checkpoints ---------------------------------------------------------- */

static sf_status tell_checkpoint(cli *c, const char *path)
{
    static const char *const objectives[] = {
        "dsm",        "flow", "implicit", "sliced",
        "likelihood", "elbo", "manifold", "injective"};
    sf_checkpoint k;
    SFI_TRY(sf_checkpoint_load(c->ctx, &k, path));
    const sf_network_options *o = &k.options;
    cli_put_text(c, c->report, "file", path);
    cli_put_text(c, c->report, "holds", "training run, for fit --resume");
    cli_put_count(c, c->report, "rows", k.rows);
    json_t *columns = cli_put_list(c, c->report, "columns");
    for (int64_t j = 0; j < k.dim; j++)
        if (json_array_append_new(columns, json_string(k.columns[j])) != 0)
            c->report_failed = true;
    cli_put_text(c, c->report, "objective", objectives[o->objective]);
    cli_put_count(c, c->report, "width", o->width);
    cli_put_count(c, c->report, "layers", o->layers);
    cli_put_count(c, c->report, "steps", o->steps);
    cli_put_count(c, c->report, "batch", o->batch);
    cli_put_number(c, c->report, "learning_rate", o->rate);
    if (k.command != NULL)
        cli_put_text(c, c->report, "command", k.command);
    sf_checkpoint_free(c->ctx, &k);
    return SF_OK;
}

/* A model, unless the file says that it is something else. */
static sf_status tell_safetensors(cli *c, const char *path)
{
    sfi_tensors t;
    SFI_TRY(sfi_tensors_read(c->ctx, &t, path));
    const char *content = sfi_tensors_get(&t, "content");
    const bool is_run = content != NULL && strcmp(content, "checkpoint") == 0;
    const sf_status status =
        is_run ? tell_checkpoint(c, path) : tell_model(c, path);
    sfi_tensors_free(c->ctx, &t);
    return status;
}

/* ---- tables --------------------------------------------------------------- */

static sf_status put_table(cli *c, const sf_frame *f)
{
    json_t *list = cli_put_list(c, c->report, "columns");
    for (int64_t j = 0; j < sf_frame_cols(f); j++) {
        sf_frame_summary s = SF_FRAME_SUMMARY_INIT;
        char why[CLI_WHY_SIZE];
        SFI_TRY(sf_frame_summarise(c->ctx, &s, f, j));
        json_t *row = cli_add_object(c, list);
        cli_put_text(c, row, "column", sf_frame_name(f, j));
        cli_put_text(c, row, "kind", sf_kind_name(sf_frame_kind(f, j)));
        cli_put_text(c, row, "why", cli_why(f, j, why));
        cli_put_count(c, row, "missing", s.missing);
        cli_put_number(c, row, "min", s.min);
        cli_put_number(c, row, "mean", s.mean);
        cli_put_number(c, row, "max", s.max);
        cli_put_number(c, row, "sd", s.sd);
        put_decimals(c, row, sf_frame_decimals(f, j));
        put_levels(c, row, sf_frame_level_count(f, j));
    }
    return SF_OK;
}

/* Cells that are held to look for atoms. */
static const int64_t most_held = 1 << 27;

/* A file of any size passes by; one that is not too large is read again, with what was
 * warned of it. */
static sf_status open_table(cli *c, sf_frame **f, const char *path,
                            const cli_read *how)
{
    const sf_read_options options = cli_read_options(how);
    SFI_TRY(sf_frame_open(c->ctx, f, path, &options));
    if (sfi_path_is_device(path) ||
        sf_frame_rows(*f) > most_held / sf_frame_cols(*f))
        return SF_OK;
    sf_frame *held = NULL;
    sf_context_set_warning(c->ctx, NULL, NULL);
    const sf_status status = sf_frame_read(c->ctx, &held, path, &options);
    sf_context_set_warning(c->ctx, cli_on_warning, c);
    sf_frame_free(*f);
    *f = held;
    return status;
}

static sf_status tell_table(cli *c, const char *path, const cli_read *how)
{
    sf_frame *f = NULL;
    SFI_TRY(open_table(c, &f, path, how));
    cli_put_text(c, c->report, "file", cli_shown_path(path));
    cli_put_text(c, c->report, "holds", "table");
    cli_put_count(c, c->report, "rows", sf_frame_rows(f));
    cli_give_hints(c, f);
    const sf_status status = put_table(c, f);
    sf_frame_free(f);
    return status;
}

/* ---- arrays --------------------------------------------------------------- */

/* A .npy file that is no table, such as a trace. */
static sf_status tell_array(cli *c, const char *path)
{
    sf_array array;
    SFI_TRY(sfi_npy_read_array(c->ctx, &array, SF_F32, path));
    char shape[160] = "";
    size_t n = 0;
    for (int k = 0; k < array.rank; k++)
        n += (size_t)snprintf(shape + n, sizeof shape - n, "%s%lld",
                              k > 0 ? " x " : "", (long long)array.shape[k]);
    cli_put_text(c, c->report, "file", path);
    cli_put_text(c, c->report, "holds", "array");
    cli_put_text(c, c->report, "shape", shape);
    sf_array_free(c->ctx, &array);
    return SF_OK;
}

static sf_status tell_table_or_array(cli *c, const char *path,
                                     const cli_read *how)
{
    const sf_status status = tell_table(c, path, how);
    if (status != SF_E_FORMAT || !cli_has_extension(path, ".npy"))
        return status;
    char message[512];
    snprintf(message, sizeof message, "%s", sf_context_message(c->ctx));
    /* Why it is no table matters only if it is no array either. */
    return tell_array(c, path) == SF_OK
               ? SF_OK
               : SFI_FAIL(c->ctx, SF_E_FORMAT, "%s", message);
}

/* ---- the command ---------------------------------------------------------- */

typedef struct info_options {
    cli_read read;
    const char *var;
} info_options;

static const cli_option options[] = {
    {.kind = CLI_TEXT,
     .name = "var",
     .argument = "NAME",
     .offset = offsetof(info_options, var),
     .help = "Of a file of fields (.nc), this variable alone"},
    CLI_READ_OPTIONS(info_options, read),
    {0}};

static sf_status run(cli *c, const void *values)
{
    const info_options *o = values;
    const char *path = c->operands[0];
    const bool is_fields = cli_holds_fields(path);
    if (o->var != NULL && !is_fields)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "%s: --var applies only to files of fields (.nc)",
                        path);
    SFI_TRY(is_fields ? info_fields(c, path, o->var)
            : cli_has_extension(path, ".safetensors")
                ? tell_safetensors(c, path)
                : tell_table_or_array(c, path, &o->read));
    return cli_report(c, stdout);
}

const cli_command cli_info = {
    .name = "info",
    .summary = "What a model, checkpoint, table or file of fields holds",
    .usage = "[OPTIONS] FILE",
    .operands =
        "  FILE                     A model (.safetensors), a table or fields\n"
        "                           (.nc); - is stdin\n",
    .least = 1,
    .most = 1,
    .size = sizeof(info_options),
    .options = options,
    .example = "  scorefield info faithful.safetensors\n",
    .run = run};
