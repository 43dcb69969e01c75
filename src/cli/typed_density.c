/* SPDX-License-Identifier: Apache-2.0 */
/* typed_density.c - densities typed on the command line, with names and parameters. */
#include "cli/typed_density.h"

#include "base/assign.h"
#include "base/text.h"
#include "num/decimal.h"
#include "scorefield/store.h"

#include <math.h>
#include <string.h>

/* What is made of the options, and freed together. */
typedef struct parts {
    cli *c;
    char **names; /* [dim], or NULL */
    int64_t dim;
    int count;
    sf_parameter parameters[CLI_MOST_TEXTS];
    size_t cells[CLI_MOST_TEXTS]; /* of the values */
} parts;

static void free_parts(parts *p)
{
    sf_context *ctx = p->c->ctx;
    for (int k = 0; k < p->count; k++) {
        void *value = (void *)(uintptr_t)p->parameters[k].value;
        void *name = (void *)(uintptr_t)p->parameters[k].name;
        sfi_free(ctx, value, p->cells[k], sizeof(double));
        if (name != NULL)
            sfi_free(ctx, name, strlen(name) + 1, 1);
    }
    sf_density_free_names(ctx, p->names, p->dim);
}

char *cli_copy_piece(cli *c, sfi_piece p)
{
    char *copy = sfi_alloc(c->ctx, p.size + 1, 1);
    if (copy != NULL) {
        memcpy(copy, p.at, p.size);
        copy[p.size] = '\0';
    }
    return copy;
}

/* ---- parameters ------------------------------------------------------------- */

static size_t count_of(sfi_piece p, char what)
{
    size_t count = 0;
    for (size_t i = 0; i < p.size; i++)
        count += p.at[i] == what;
    return count;
}

static sf_status no_value(cli *c, const char *option)
{
    char shown[SFI_SHOW_SIZE];
    return SFI_FAIL(c->ctx, SF_E_ARG,
                    "--param is \"%s\", want NAME=1, NAME=1,2,3, "
                    "NAME=1,2;3,4 or NAME=@TABLE",
                    sfi_show(shown, option, strlen(option)));
}

sf_status cli_read_numbers(cli *c, const char *option, sfi_piece value,
                           sf_parameter *out, size_t *cells)
{
    const size_t rows = count_of(value, ';') + 1;
    const size_t all = count_of(value, ',') + rows;
    if (all % rows != 0)
        return no_value(c, option);
    double *numbers = sfi_alloc(c->ctx, all, sizeof *numbers);
    if (numbers == NULL)
        return SF_E_NOMEM;
    out->value = numbers;
    *cells = all;
    const char *at = value.at, *end = value.at + value.size;
    for (size_t i = 0; i < all; i++) {
        const size_t blanks = strspn(at, " \t");
        const char *after = sfi_number_parse(at + blanks, &numbers[i]);
        if (after == NULL)
            return no_value(c, option);
        after += strspn(after, " \t");
        const bool last = i + 1 == all;
        const char want = (i + 1) % (all / rows) == 0 ? ';' : ',';
        if (last ? after != end : *after != want)
            return no_value(c, option);
        at = after + 1;
    }
    out->rank = rows > 1 ? 2 : all > 1 ? 1 : 0;
    out->shape[0] = (int64_t)(rows > 1 ? rows : all);
    out->shape[1] = (int64_t)(all / rows);
    return SF_OK;
}

/* A table of one column is a vector. */
static sf_status read_table(cli *c, sfi_piece value, sf_parameter *out,
                            size_t *cells)
{
    sf_table table = {0};
    char *path = cli_copy_piece(c, (sfi_piece){value.at + 1, value.size - 1});
    if (path == NULL)
        return SF_E_NOMEM;
    sf_status status = sf_table_read(c->ctx, &table, path);
    const size_t count = (size_t)(table.rows * table.cols);
    double *numbers = NULL;
    if (status == SF_OK && count == 0)
        status = SFI_FAIL(c->ctx, SF_E_FORMAT, "%s: no rows", path);
    for (size_t i = 0; i < count && status == SF_OK; i++)
        if (!isfinite(table.data[i]))
            status = SFI_FAIL(c->ctx, SF_E_FORMAT,
                              "%s: row %lld, column \"%s\" is not a number",
                              path, (long long)(i / (size_t)table.cols) + 1,
                              table.columns[i % (size_t)table.cols].name);
    if (status == SF_OK) {
        numbers = sfi_alloc(c->ctx, count, sizeof *numbers);
        status = numbers != NULL ? SF_OK : SF_E_NOMEM;
    }
    if (status == SF_OK) {
        memcpy(numbers, table.data, count * sizeof *numbers);
        out->value = numbers;
        *cells = count;
        out->rank = table.cols > 1 ? 2 : 1;
        out->shape[0] = table.rows;
        out->shape[1] = table.cols;
    }
    sf_table_free(c->ctx, &table);
    sfi_free(c->ctx, path, value.size, 1);
    return status;
}

static sf_status read_parameter(parts *p, const char *option)
{
    cli *c = p->c;
    const char *equals = strchr(option, '=');
    if (equals == NULL || equals == option)
        return no_value(c, option);
    const sfi_piece name = sfi_trimmed(option, (size_t)(equals - option));
    const sfi_piece value = sfi_trimmed(equals + 1, strlen(equals + 1));
    if (name.size == 0 || value.size == 0)
        return no_value(c, option);
    sf_parameter *out = &p->parameters[p->count];
    size_t *cells = &p->cells[p->count++];
    out->name = cli_copy_piece(c, name);
    if (out->name == NULL)
        return SF_E_NOMEM;
    return value.at[0] == '@' ? read_table(c, value, out, cells)
                              : cli_read_numbers(c, option, value, out, cells);
}

/* ---- names ------------------------------------------------------------------- */

static sf_status split_names(parts *p, const char *list)
{
    sf_context *ctx = p->c->ctx;
    const sfi_piece all = {list, strlen(list)};
    const size_t count = count_of(all, ',') + 1;
    p->names = sfi_alloc_zero(ctx, count, sizeof *p->names);
    if (p->names == NULL)
        return SF_E_NOMEM;
    p->dim = (int64_t)count;
    for (size_t i = 0; i < count; i++) {
        const size_t size = strcspn(list, ",");
        p->names[i] = cli_copy_piece(p->c, sfi_trimmed(list, size));
        if (p->names[i] == NULL)
            return SF_E_NOMEM;
        if (p->names[i][0] == '\0')
            return SFI_FAIL(ctx, SF_E_ARG, "--columns has an empty name");
        list += size + 1;
    }
    return SF_OK;
}

static sf_status find_names(parts *p, const cli_density *o)
{
    cli *c = p->c;
    if (o->columns != NULL) {
        SFI_TRY(split_names(p, o->columns));
        if (cli_given(c, "dim") && o->dim != p->dim)
            return SFI_FAIL(c->ctx, SF_E_ARG,
                            "--dim is %lld, and --columns has %lld names",
                            (long long)o->dim, (long long)p->dim);
        return SF_OK;
    }
    if (cli_given(c, "dim")) {
        p->dim = o->dim;
        return SF_OK;
    }
    SFI_TRY(sf_density_find_names(c->ctx, o->text, p->count, p->parameters,
                                  &p->names, &p->dim));
    if (p->dim == 0)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "--density has no names but those of --param; is it "
                        "of a vector x? want --dim D");
    return SF_OK;
}

static bool is_of_name(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static sf_status make(parts *p, const cli_density *o, sf_model **out)
{
    for (int k = 0; k < o->params.count; k++)
        SFI_TRY(read_parameter(p, o->params.text[k]));
    SFI_TRY(find_names(p, o));
    sf_density_options d = SF_DENSITY_OPTIONS_INIT;
    d.names = (const char *const *)p->names;
    d.domain = o->domain;
    d.parameter_count = p->count;
    d.parameters = p->parameters;
    return sf_density_new(p->c->ctx, out, o->text, p->dim, &d);
}

/* Whether a name is in a text, not as a part of another. */
static bool is_named(const char *text, const char *name)
{
    const size_t size = strlen(name);
    for (const char *at = strstr(text, name); at != NULL;
         at = strstr(at + 1, name)) {
        const char before = at > text ? at[-1] : ' ', after = at[size];
        if (!is_of_name(before) && !is_of_name(after))
            return true;
    }
    return false;
}

/* A name that was mistyped would be a column. */
static void warn_of_unused(const parts *p, const char *text)
{
    for (int k = 0; k < p->count; k++)
        if (!is_named(text, p->parameters[k].name))
            cli_warn(p->c, "warning: --param \"%s\" is not in --density",
                     p->parameters[k].name);
}

sf_status cli_check_density(cli *c, const cli_density *o, int operands)
{
    static const char *const typed[] = {"dim", "columns", "domain", "param"};
    for (size_t i = 0; i < SFI_COUNT(typed) && o->text == NULL; i++)
        if (cli_given(c, typed[i]))
            return SFI_FAIL(c->ctx, SF_E_ARG, "--%s applies only to --density",
                            typed[i]);
    if (o->text != NULL && c->operand_count == operands)
        return SFI_FAIL(c->ctx, SF_E_ARG,
                        "MODEL or --density EXPR: want one of them");
    if (o->text == NULL && c->operand_count < operands)
        return cli_too_few_operands(c);
    return SF_OK;
}

sf_status cli_open_model(cli *c, const cli_density *o, sf_model **out,
                         sf_run_record **record)
{
    *out = NULL;
    if (o->text == NULL)
        return sf_model_load_record(c->ctx, out, record, c->operands[0]);
    parts p = {.c = c};
    const sf_status status = make(&p, o, out);
    if (status == SF_OK)
        warn_of_unused(&p, o->text);
    free_parts(&p);
    /* What does not fit was typed so. */
    return status == SF_E_SHAPE ? SF_E_ARG : status;
}
