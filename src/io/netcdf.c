/* SPDX-License-Identifier: Apache-2.0 */
/* netcdf.c - headers of NetCDF files, without any file.
 *
 * Everything that a header points to was copied, so that it outlives the file
 * that it came from.  Lists grow by doubling. */
#include "io/netcdf.h"

#include "base/text.h"

#include <limits.h>
#include <math.h>
#include <string.h>

/* ---- types ----------------------------------------------------------------- */

static const struct {
    const char *name;
    size_t size;
    double fill;
} types[] = {
#define ROW(name, bytes, type, fill) {#name, bytes, fill},
    SFI_NC_TYPE_LIST(ROW)
#undef ROW
        {"OTHER", 0, NAN}};

static const char *const shown_types[] = {
    "byte",  "char",   "short", "int",   "float",  "double",
    "ubyte", "ushort", "uint",  "int64", "uint64", "a type of its own"};

size_t sfi_nc_size(sfi_nc_type type)
{
    return types[type].size;
}

double sfi_nc_fill(sfi_nc_type type)
{
    return types[type].fill;
}

const char *sfi_nc_type_name(sfi_nc_type type)
{
    return shown_types[type];
}

void sfi_nc_numbers(sfi_nc_type type, const void *values, size_t count,
                    double *out)
{
    switch (type) {
#define NUMBERS(name, bytes, ctype, fill)                                      \
    case SFI_NC_##name:                                                        \
        for (size_t i = 0; i < count; i++)                                     \
            out[i] = (double)((const ctype *)values)[i];                       \
        break;
        SFI_NC_TYPE_LIST(NUMBERS)
#undef NUMBERS
    case SFI_NC_OTHER:
        for (size_t i = 0; i < count; i++)
            out[i] = NAN;
        break;
    }
}

double sfi_nc_number(sfi_nc_type type, const void *values, size_t i)
{
    double x;
    sfi_nc_numbers(type, (const char *)values + i * sfi_nc_size(type), 1, &x);
    return x;
}

const char *sfi_nc_format_name(sfi_nc_format format)
{
    static const char *const names[] = {
        "NetCDF classic", "NetCDF 64-bit offset", "NetCDF CDF-5", "NetCDF-4"};
    return names[format];
}

/* ---- attributes ------------------------------------------------------------ */

/* A NUL follows the values, so that a text is one. */
static size_t attr_bytes(sfi_nc_type type, size_t count)
{
    return count * sfi_nc_size(type) + 1;
}

static void free_attr(sf_context *ctx, sfi_nc_attr *a)
{
    sfi_free_text(ctx, a->name);
    sfi_free(ctx, a->values, attr_bytes(a->type, a->count), 1);
}

void sfi_nc_attrs_free(sf_context *ctx, sfi_nc_attrs *attrs)
{
    for (size_t i = 0; i < attrs->count; i++)
        free_attr(ctx, &attrs->list[i]);
    sfi_free(ctx, attrs->list, attrs->capacity, sizeof *attrs->list);
    memset(attrs, 0, sizeof *attrs);
}

const sfi_nc_attr *sfi_nc_attr_find(const sfi_nc_attrs *attrs, const char *name)
{
    for (size_t i = 0; i < attrs->count; i++)
        if (strcmp(attrs->list[i].name, name) == 0)
            return &attrs->list[i];
    return NULL;
}

const char *sfi_nc_text(const sfi_nc_attrs *attrs, const char *name)
{
    const sfi_nc_attr *a = sfi_nc_attr_find(attrs, name);
    return a != NULL && a->type == SFI_NC_CHAR ? a->values : NULL;
}

double sfi_nc_value(const sfi_nc_attrs *attrs, const char *name)
{
    const sfi_nc_attr *a = sfi_nc_attr_find(attrs, name);
    if (a == NULL || a->count == 0 || a->type == SFI_NC_CHAR ||
        a->type == SFI_NC_OTHER)
        return NAN;
    return sfi_nc_number(a->type, a->values, 0);
}

/* Whether a name may be one: what libnetcdf refuses later is its business. */
static sf_status check_name(sf_context *ctx, const char *name)
{
    char shown[SFI_SHOW_SIZE];
    const size_t size = strlen(name);
    if (size == 0 || size >= SFI_NC_NAME)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "netcdf: a name has %zu bytes, want 1 to %d", size,
                        SFI_NC_NAME - 1);
    if (sfi_utf8_prefix(name, size) < size)
        return SFI_FAIL(ctx, SF_E_ARG, "netcdf: the name \"%s\" is not UTF-8",
                        sfi_show(shown, name, size));
    return SF_OK;
}

/* Make a copy of an attribute that belongs to nobody yet. */
static sf_status make_attr(sf_context *ctx, sfi_nc_attr *a, const char *name,
                           sfi_nc_type type, size_t count, const void *values)
{
    *a = (sfi_nc_attr){.type = type, .count = count};
    const size_t bytes = attr_bytes(type, count);
    a->name = sfi_copy_text(ctx, name);
    a->values = sfi_alloc_zero(ctx, bytes, 1);
    if (a->name == NULL || a->values == NULL) {
        free_attr(ctx, a);
        return SF_E_NOMEM;
    }
    if (count > 0)
        memcpy(a->values, values, bytes - 1);
    return SF_OK;
}

sf_status sfi_nc_set(sf_context *ctx, sfi_nc_attrs *attrs, const char *name,
                     sfi_nc_type type, size_t count, const void *values)
{
    SFI_TRY(check_name(ctx, name));
    if (type == SFI_NC_OTHER || count > SFI_NC_MOST_ATTRIBUTE ||
        attrs->count >= SFI_NC_MOST_ATTRIBUTES)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "netcdf: attribute \"%s\" is too large, or of %s", name,
                        sfi_nc_type_name(type));
    sfi_nc_attr made;
    SFI_TRY(make_attr(ctx, &made, name, type, count, values));
    sfi_nc_attr *old = (sfi_nc_attr *)sfi_nc_attr_find(attrs, name);
    if (old != NULL) {
        free_attr(ctx, old);
        *old = made;
        return SF_OK;
    }
    sfi_nc_attr *list = sfi_grow(ctx, attrs->list, &attrs->capacity,
                                 attrs->count + 1, sizeof *list);
    if (list == NULL) {
        free_attr(ctx, &made);
        return SF_E_NOMEM;
    }
    attrs->list = list;
    attrs->list[attrs->count++] = made;
    return SF_OK;
}

sf_status sfi_nc_set_text(sf_context *ctx, sfi_nc_attrs *attrs,
                          const char *name, const char *text)
{
    return sfi_nc_set(ctx, attrs, name, SFI_NC_CHAR, strlen(text), text);
}

sf_status sfi_nc_set_number(sf_context *ctx, sfi_nc_attrs *attrs,
                            const char *name, double value)
{
    return sfi_nc_set(ctx, attrs, name, SFI_NC_DOUBLE, 1, &value);
}

void sfi_nc_unset(sf_context *ctx, sfi_nc_attrs *attrs, const char *name)
{
    for (size_t i = 0; i < attrs->count; i++)
        if (strcmp(attrs->list[i].name, name) == 0) {
            free_attr(ctx, &attrs->list[i]);
            attrs->count--;
            memmove(&attrs->list[i], &attrs->list[i + 1],
                    (attrs->count - i) * sizeof *attrs->list);
            return;
        }
}

/* ---- dimensions and variables ---------------------------------------------- */

int sfi_nc_find_dim(const sfi_nc_header *h, const char *name)
{
    return (int)sfi_dictionary_find(&h->dim_names, name, strlen(name));
}

int sfi_nc_find_var(const sfi_nc_header *h, const char *name)
{
    return (int)sfi_dictionary_find(&h->var_names, name, strlen(name));
}

sf_status sfi_nc_add_dim(sf_context *ctx, sfi_nc_header *h, const char *name,
                         int64_t size, bool is_unlimited, int *index)
{
    SFI_TRY(check_name(ctx, name));
    if (size < 0 || h->dim_count >= SFI_NC_MOST ||
        sfi_nc_find_dim(h, name) >= 0)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "netcdf: dimension \"%s\" of size %lld: want a new "
                        "name and a size >= 0",
                        name, (long long)size);
    sfi_nc_dim *dims = sfi_grow(ctx, h->dims, &h->dim_capacity,
                                h->dim_count + 1, sizeof *dims);
    if (dims == NULL)
        return SF_E_NOMEM;
    h->dims = dims;
    SFI_TRY(sfi_dictionary_add(ctx, &h->dim_names, name, strlen(name)));
    *index = (int)h->dim_count;
    h->dims[h->dim_count++] =
        (sfi_nc_dim){h->dim_names.texts[*index], size, is_unlimited};
    return SF_OK;
}

sf_status sfi_nc_add_var(sf_context *ctx, sfi_nc_header *h, const char *name,
                         sfi_nc_type type, int rank, const int *dims,
                         int *index)
{
    SFI_TRY(check_name(ctx, name));
    if (rank < 0 || rank > SFI_NC_MOST_RANK || h->var_count >= SFI_NC_MOST ||
        sfi_nc_find_var(h, name) >= 0)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "netcdf: variable \"%s\" of %d dimensions: want a new "
                        "name and at most %d",
                        name, rank, SFI_NC_MOST_RANK);
    sfi_nc_var *vars = sfi_grow(ctx, h->vars, &h->var_capacity,
                                h->var_count + 1, sizeof *vars);
    if (vars == NULL)
        return SF_E_NOMEM;
    h->vars = vars;
    sfi_nc_var var = {.type = type, .rank = rank};
    for (int k = 0; k < rank; k++) {
        if (dims[k] < 0 || (size_t)dims[k] >= h->dim_count)
            return SFI_FAIL(ctx, SF_E_ARG,
                            "netcdf: variable \"%s\" has no dimension %d", name,
                            dims[k]);
        var.dims[k] = dims[k];
    }
    SFI_TRY(sfi_dictionary_add(ctx, &h->var_names, name, strlen(name)));
    *index = (int)h->var_count;
    var.name = h->var_names.texts[*index];
    h->vars[h->var_count++] = var;
    return SF_OK;
}

int64_t sfi_nc_var_count(const sfi_nc_header *h, int var)
{
    int64_t count = 1;
    for (int k = 0; k < h->vars[var].rank; k++) {
        const int64_t size = h->dims[h->vars[var].dims[k]].size;
        if (size == 0)
            return 0;
        if (count > INT64_MAX / size)
            count = INT64_MAX;
        else
            count *= size;
    }
    return count;
}

void sfi_nc_header_free(sf_context *ctx, sfi_nc_header *h)
{
    for (size_t i = 0; i < h->var_count; i++)
        sfi_nc_attrs_free(ctx, &h->vars[i].attrs);
    sfi_free(ctx, h->dims, h->dim_capacity, sizeof *h->dims);
    sfi_free(ctx, h->vars, h->var_capacity, sizeof *h->vars);
    sfi_nc_attrs_free(ctx, &h->attrs);
    sfi_dictionary_free(ctx, &h->dim_names);
    sfi_dictionary_free(ctx, &h->var_names);
    memset(h, 0, sizeof *h);
}
