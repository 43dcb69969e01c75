/* SPDX-License-Identifier: Apache-2.0 */
/* packing.c - raw numbers of a file as values. */
#include "field/packing.h"

#include "num/loops.h"

#include <math.h>
#include <string.h>
#include <strings.h>

enum { STRIP = 512 };

/* The unsigned type of the same size. */
static sfi_nc_type unsigned_of(sfi_nc_type type)
{
    switch (type) {
    case SFI_NC_BYTE:
        return SFI_NC_UBYTE;
    case SFI_NC_SHORT:
        return SFI_NC_USHORT;
    case SFI_NC_INT:
        return SFI_NC_UINT;
    case SFI_NC_INT64:
        return SFI_NC_UINT64;
    default:
        return type;
    }
}

static sfi_nc_type value_type(const sfi_nc_var *var)
{
    const char *text = sfi_nc_text(&var->attrs, "_Unsigned");
    return text != NULL && strcasecmp(text, "true") == 0
               ? unsigned_of(var->type)
               : var->type;
}

static bool is_integer(sfi_nc_type type)
{
    return type != SFI_NC_FLOAT && type != SFI_NC_DOUBLE;
}

/* A number of an attribute as the type holds it; false if it does not.  Attributes
 * of unsigned numbers are often written as the signed ones of the same bits. */
static bool as_held(sfi_nc_type type, double x, double *out)
{
    const double bits = ldexp(1.0, 8 * (int)sfi_nc_size(type));
    *out = x;
    switch (type) {
    case SFI_NC_DOUBLE:
        return true;
    case SFI_NC_FLOAT:
        *out = (double)(float)x;
        return true;
    case SFI_NC_UBYTE:
    case SFI_NC_USHORT:
    case SFI_NC_UINT:
    case SFI_NC_UINT64:
        if (x < 0.0)
            *out = x + bits;
        return x == floor(x) && *out >= 0.0 && *out < bits;
    default:
        return x == floor(x) && x >= -0.5 * bits && x < 0.5 * bits;
    }
}

static void add_fill(sfi_packing *p, double x)
{
    double held;
    if (p->fill_count < SFI_MOST_FILLS && as_held(p->type, x, &held))
        p->fill[p->fill_count++] = held;
}

static void add_fills(sfi_packing *p, const sfi_nc_attrs *attrs,
                      const char *name)
{
    const sfi_nc_attr *a = sfi_nc_attr_find(attrs, name);
    if (a == NULL || a->type == SFI_NC_CHAR)
        return;
    for (size_t i = 0; i < a->count && i < SFI_MOST_FILLS; i++)
        add_fill(p, sfi_nc_number(a->type, a->values, i));
}

/* An end of the valid range, if there is one; `plus` is what unsigned numbers that
 * were written as signed ones lack. */
static void read_end(const sfi_packing *p, double x, double *end)
{
    double held;
    if (isnan(x))
        return;
    *end = is_integer(p->type) && as_held(p->type, x, &held) ? held : x;
}

static void read_range(sfi_packing *p, const sfi_nc_attrs *attrs)
{
    const sfi_nc_attr *a = sfi_nc_attr_find(attrs, "valid_range");
    read_end(p, sfi_nc_value(attrs, "valid_min"), &p->least);
    read_end(p, sfi_nc_value(attrs, "valid_max"), &p->most);
    if (a == NULL || a->count != 2 || a->type == SFI_NC_CHAR)
        return;
    read_end(p, sfi_nc_number(a->type, a->values, 0), &p->least);
    read_end(p, sfi_nc_number(a->type, a->values, 1), &p->most);
}

void sfi_packing_read(const sfi_nc_var *var, bool is_coordinate,
                      sfi_packing *out)
{
    const sfi_nc_attrs *attrs = &var->attrs;
    const double scale = sfi_nc_value(attrs, "scale_factor"),
                 offset = sfi_nc_value(attrs, "add_offset");
    *out = (sfi_packing){.type = value_type(var),
                         .scale = isnan(scale) ? 1.0 : scale,
                         .offset = isnan(offset) ? 0.0 : offset,
                         .is_packed = !isnan(scale) || !isnan(offset),
                         .least = -INFINITY,
                         .most = INFINITY};
    add_fills(out, attrs, "_FillValue");
    add_fills(out, attrs, "missing_value");
    if (sfi_nc_attr_find(attrs, "_FillValue") == NULL && !is_coordinate &&
        sfi_nc_size(out->type) > 1)
        add_fill(out, sfi_nc_fill(out->type));
    read_range(out, attrs);
}

/* Raw numbers of one type in one pass, of at most two fill values. */
#define UNPACK(name, bytes, ctype, unused)                                     \
    static void unpack_##name(const sfi_packing *p, const void *raw,           \
                              size_t count, double *values)                    \
    {                                                                          \
        const ctype *from = raw;                                               \
        const double a = p->fill_count > 0 ? p->fill[0] : (double)NAN;         \
        const double b = p->fill_count > 1 ? p->fill[1] : a;                   \
        const double least = p->least, most = p->most;                         \
        for (size_t i = 0; i < count; i++) {                                   \
            const double x = (double)from[i];                                  \
            const bool there =                                                 \
                (x != a) & (x != b) & (x >= least) & (x <= most);              \
            values[i] = there ? x : (double)NAN;                               \
        }                                                                      \
    }
SFI_NC_TYPE_LIST(UNPACK)
#undef UNPACK

static void unpack_all(const sfi_packing *p, const void *raw, size_t count,
                       double *values)
{
    switch (p->type) {
#define UNPACK(name, bytes, ctype, unused)                                     \
    case SFI_NC_##name:                                                        \
        unpack_##name(p, raw, count, values);                                  \
        return;
        SFI_NC_TYPE_LIST(UNPACK)
#undef UNPACK
    case SFI_NC_OTHER:
        break;
    }
    sfi_nc_numbers(p->type, raw, count, values);
}

/* Floats with one fill value at most, as nearly all are, by vector loops. */
static void unpack_floats(const sfi_packing *p, const float *raw, size_t count,
                          double *values)
{
    const sfi_loops *l = sfi_loops_for(SF_F64);
    const double missing = NAN;
    double is_fill[STRIP];
    for (size_t at = 0; at < count; at += STRIP) {
        const int64_t n = sfi_smaller(STRIP, (int64_t)(count - at));
        double *x = values + at;
        l->load(x, n, raw + at, SF_F32, 1, NULL, n, n, 1);
        if (p->fill_count == 0)
            continue;
        l->ew[SFI_EW_EQUAL][2](is_fill, x, p->fill, NULL, n);
        l->ew[SFI_EW_SELECT][2](x, is_fill, &missing, x, n);
    }
}

void sfi_unpack(const sfi_packing *p, const void *raw, size_t count,
                double *values)
{
    if (p->type == SFI_NC_FLOAT && p->fill_count <= 1 &&
        p->least == -INFINITY && p->most == INFINITY)
        unpack_floats(p, raw, count, values);
    else
        unpack_all(p, raw, count, values);
    for (int k = 2; k < p->fill_count; k++)
        for (size_t i = 0; i < count; i++)
            if (values[i] == p->fill[k])
                values[i] = NAN;
    if (p->is_packed)
        for (size_t i = 0; i < count; i++)
            values[i] = values[i] * p->scale + p->offset;
}

bool sfi_packing_is_float(const sfi_packing *p)
{
    return p->type == SFI_NC_FLOAT || p->is_packed;
}
