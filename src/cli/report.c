/* SPDX-License-Identifier: Apache-2.0 */
/* report.c - what a command has to say when it is done, as text or as JSON.
 *
 * A command fills one JSON object; the text is made from it, so that both say
 * the same:
 *
 *     { "rows": 272, "log_likelihood": -4.12, "log_likelihood_se": 0.08,
 *       "columns": [ { "name": "a", "mean": 1.5 }, ... ] }
 *
 *     rows            272
 *     log likelihood  -4.12 ± 0.08
 *     columns
 *       name  mean
 *       a      1.5
 */
#include "cli/cli.h"

#include "base/text.h"
#include "scorefield/low_rank.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- filling -------------------------------------------------------------- */

void cli_put(cli *c, json_t *object, const char *key, json_t *value)
{
    /* Takes `value` over even when it fails. */
    if (json_object_set_new(object, key, value) != 0)
        c->report_failed = true;
}

void cli_put_text(cli *c, json_t *object, const char *key, const char *text)
{
    cli_put(c, object, key, json_string(text));
}

void cli_put_kernel(cli *c, json_t *object, const sf_model *m, int64_t j)
{
    char kernel[SF_KERNEL_TEXT], names[256] = "";
    int64_t columns[SF_JOINT_COLUMNS];
    const int64_t count = sf_model_joint(m, j, columns);
    sf_model_kernel(m, j, kernel);
    if (kernel[0] != '\0')
        cli_put_text(c, object, "kernel", kernel);
    for (int64_t i = 0; i < count && count > 1; i++) {
        const size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "",
                 sf_model_column(m, columns[i]));
    }
    if (count > 1)
        cli_put_text(c, object, "joint", names);
}

void cli_put_loadings(cli *c, json_t *object, const sf_model *m)
{
    enum { SHOWN = 6 };
    const int64_t d = sf_model_dim(m), latent = sf_model_latents(m);
    const size_t count = (size_t)(d * (latent + 1));
    double *sd = sfi_alloc(c->ctx, count, sizeof *sd);
    const bool has =
        sd != NULL && sf_low_rank_parts(m, NULL, sd + d, sd) == SF_OK;
    json_t *rows = has ? cli_put_list(c, object, "loadings") : NULL;
    c->report_failed |= sd == NULL;
    for (int64_t j = 0; j < d && has; j++) {
        json_t *row = cli_add_object(c, rows);
        cli_put_text(c, row, "column", sf_model_column(m, j));
        cli_put_number(c, row, "noise_sd", sd[j]);
        for (int64_t k = 0; k < latent && k < SHOWN; k++) {
            char key[32];
            snprintf(key, sizeof key, "z%lld", (long long)k);
            cli_put_number(c, row, key, sd[d + j * latent + k]);
        }
    }
    sfi_free(c->ctx, sd, count, sizeof *sd);
}

void cli_put_count(cli *c, json_t *object, const char *key, int64_t value)
{
    cli_put(c, object, key, json_integer(value));
}

void cli_put_number(cli *c, json_t *object, const char *key, double value)
{
    cli_put(c, object, key, isfinite(value) ? json_real(value) : json_null());
}

void cli_add_number(cli *c, json_t *list, double value)
{
    json_t *number = isfinite(value) ? json_real(value) : json_null();
    if (json_array_append_new(list, number) != 0)
        c->report_failed = true;
}

json_t *cli_put_object(cli *c, json_t *object, const char *key)
{
    cli_put(c, object, key, json_object());
    return json_object_get(object, key);
}

json_t *cli_put_list(cli *c, json_t *object, const char *key)
{
    cli_put(c, object, key, json_array());
    return json_object_get(object, key);
}

json_t *cli_add_object(cli *c, json_t *list)
{
    if (json_array_append_new(list, json_object()) != 0) {
        c->report_failed = true;
        return NULL;
    }
    return json_array_get(list, json_array_size(list) - 1);
}

/* ---- text ----------------------------------------------------------------- */

enum { CELL = 256 };

int cli_width(const char *text)
{
    int width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void put_cell(char cell[CELL], const json_t *value)
{
    cell[0] = '\0';
    const char *text = json_string_value(value);
    if (text != NULL)
        sfi_escape(cell, CELL, text, strlen(text), "\\");
    else if (json_is_integer(value))
        snprintf(cell, CELL, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        snprintf(cell, CELL, "%.5g", json_real_value(value));
    else if (json_is_boolean(value))
        snprintf(cell, CELL, "%s", json_is_true(value) ? "yes" : "no");
    else if (json_is_null(value))
        snprintf(cell, CELL, "-");
}

/* KEY with spaces; *is_error says that it is "..._se" and belongs to another. */
static void put_label(char label[CELL], const json_t *object, const char *key,
                      bool *is_error)
{
    sfi_escape(label, CELL, key, strlen(key), "\\");
    const size_t n = strlen(label);
    *is_error = false;
    if (n > 3 && strcmp(label + n - 3, "_se") == 0) {
        label[n - 3] = '\0';
        *is_error = json_object_get(object, label) != NULL;
        label[n - 3] = *is_error ? '\0' : '_';
    }
    for (char *p = label; *p != '\0'; p++)
        if (*p == '_')
            *p = ' ';
}

static void put_value(char cell[CELL], const json_t *object, const char *key)
{
    char error_key[CELL], error[CELL];
    put_cell(cell, json_object_get(object, key));
    snprintf(error_key, sizeof error_key, "%s_se", key);
    const json_t *se = json_object_get(object, error_key);
    if (!json_is_number(se) || json_number_value(se) == 0.0)
        return;
    snprintf(error, sizeof error, "%.2g", json_number_value(se));
    const size_t n = strlen(cell);
    snprintf(cell + n, CELL - n, " ± %s", error);
}

static void print_padded(FILE *to, const char *text, int width, bool right)
{
    const int pad = width > cli_width(text) ? width - cli_width(text) : 0;
    if (right)
        fprintf(to, "%*s%s", pad, "", text);
    else
        fprintf(to, "%s%*s", text, pad, "");
}

/* One column of a list of objects: its key, what is written above it, and the width
 * of the widest of its values. */
typedef struct column {
    const char *key;
    char label[CELL];
    int width;
    bool right;
} column;

static column make_column(const json_t *list, const char *key,
                          const char *label, bool right)
{
    column c = {.key = key, .width = cli_width(label), .right = right};
    snprintf(c.label, sizeof c.label, "%s", label);
    for (size_t k = 0; k < json_array_size(list); k++) {
        char cell[CELL];
        put_value(cell, json_array_get(list, k), key);
        c.width = cli_width(cell) > c.width ? cli_width(cell) : c.width;
    }
    return c;
}

/* A list of objects with the keys of its first one, of which the first MOST count. */
static void print_table(FILE *to, const json_t *list, int indent)
{
    enum { MOST = 24 };
    column columns[MOST];
    int count = 0;
    const json_t *head = json_array_get(list, 0);
    const char *key;
    const json_t *value;
    json_object_foreach((json_t *)(uintptr_t)head, key, value)
    {
        char label[CELL];
        bool is_error;
        put_label(label, head, key, &is_error);
        if (!is_error && count < MOST)
            columns[count++] =
                make_column(list, key, label, !json_is_string(value));
    }
    for (size_t i = 0; i <= json_array_size(list); i++) {
        fprintf(to, "%*s", indent, "");
        for (int k = 0; k < count; k++) {
            char cell[CELL];
            if (i > 0)
                put_value(cell, json_array_get(list, i - 1), columns[k].key);
            fprintf(to, "%s", k > 0 ? "  " : "");
            print_padded(to, i == 0 ? columns[k].label : cell, columns[k].width,
                         columns[k].right);
        }
        fprintf(to, "\n");
    }
}

/* A value outside a table: texts of any length, numbers with their errors. */
static void print_value(FILE *to, const json_t *object, const char *key,
                        const json_t *value)
{
    char cell[CELL];
    if (json_is_string(value)) {
        cli_print_escaped(to, json_string_value(value), "\\");
        return;
    }
    if (object != NULL)
        put_value(cell, object, key);
    else
        put_cell(cell, value);
    fputs(cell, to);
}

static void print_list(FILE *to, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        fputs(i > 0 ? ", " : "", to);
        print_value(to, NULL, NULL, json_array_get(list, i));
    }
}

/* Warnings went to standard error when they came. */
static bool is_told(const char *key)
{
    return strcmp(key, "warnings") == 0;
}

static int label_width(const json_t *object)
{
    int width = 0;
    const char *key;
    const json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        char label[CELL];
        bool is_error;
        put_label(label, object, key, &is_error);
        if (is_told(key))
            continue;
        width = cli_width(label) > width ? cli_width(label) : width;
    }
    return width;
}

static bool is_table(const json_t *value)
{
    return json_is_array(value) && json_is_object(json_array_get(value, 0));
}

void cli_print_json(FILE *to, const json_t *object, int indent)
{
    const int width = label_width(object);
    const char *key;
    const json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        char label[CELL];
        bool is_error;
        put_label(label, object, key, &is_error);
        if (is_error || is_told(key))
            continue;
        fprintf(to, "%*s", indent, "");
        if (json_is_object(value) || is_table(value)) {
            fprintf(to, "%s\n", label);
            if (json_is_object(value))
                cli_print_json(to, value, indent + 2);
            else
                print_table(to, value, indent + 2);
            continue;
        }
        print_padded(to, label, width + 2, false);
        if (json_is_array(value))
            print_list(to, value);
        else
            print_value(to, object, key, value);
        fputc('\n', to);
    }
}

sf_status cli_report(cli *c, FILE *to)
{
    if (c->report_failed)
        return SFI_FAIL(c->ctx, SF_E_NOMEM, "out of memory for the report");
    if (!c->common.json) {
        cli_print_json(to, c->report, 0);
        return SF_OK;
    }
    if (json_dumpf(c->report, stdout, JSON_COMPACT) != 0 ||
        fputc('\n', stdout) == EOF || fflush(stdout) != 0)
        return SFI_FAIL(c->ctx, SF_E_IO, "<stdout>: cannot be written");
    return SF_OK;
}
