/* SPDX-License-Identifier: Apache-2.0 */
/* netcdf_scan.c - is a classic NetCDF file what its header says?
 *
 * libnetcdf believes a header: it asks for 4 GB where a name is said to be that long,
 * and reads zeros behind the end of a file.  So the header is walked through first:
 *
 *     header  =  "CDF" version  numrecs  dims  attrs  vars
 *     list    =  tag count item...                           tag 0 where count is 0
 *     dim     =  name size                                   size 0: records
 *     attr    =  name type count values
 *     var     =  name rank dim... attrs type vsize begin
 *     name    =  count bytes                                 padded to 4 bytes
 *
 * Numbers are big-endian; counts have 4 bytes, or 8 in CDF-5, `begin` 4, or 8 but in
 * version 1.  A variable of records has one part in each record, `recsize` apart:
 * the sum of the padded parts, not padded if there is only one variable of records.
 *
 * The format: https://docs.unidata.ucar.edu/nug/current/file_format_specifications.html */
#include "io/netcdf_scan.h"

#include <stdint.h>
#include <string.h>

enum { WINDOW = 4096, TAG_DIMS = 10, TAG_VARS = 11, TAG_ATTRS = 12 };

typedef struct scan {
    sf_context *ctx;
    sfi_input *input;
    uint64_t size, at; /* of the file; the next byte                          */
    unsigned char window[WINDOW];
    uint64_t first; /* byte of the file that the window begins with           */
    size_t held;
    int version;
    sf_status status;
} scan;

/* Sums of sizes, in 128 bits: no header makes them overflow. */
static sfi_u128 padded(sfi_u128 bytes)
{
    return (bytes + 3) / 4 * 4;
}

static bool bad(scan *s, const char *what)
{
    if (s->status == SF_OK)
        s->status =
            SFI_FAIL(s->ctx, SF_E_FORMAT,
                     "%s: byte %llu of its header: %s; the file is "
                     "broken or was cut off",
                     sfi_input_name(s->input), (unsigned long long)s->at, what);
    return false;
}

/* Make bytes at..at+count-1 part of the window; count is small. */
static bool fetch(scan *s, size_t count)
{
    if (count > s->size - s->at)
        return bad(s, "it ends here");
    if (s->at >= s->first && s->at + count <= s->first + s->held)
        return true;
    const uint64_t rest = s->size - s->at;
    s->first = s->at;
    s->held = rest < WINDOW ? (size_t)rest : WINDOW;
    s->status = sfi_input_read_at(s->input, s->first, s->window, s->held);
    return s->status == SF_OK;
}

static bool number(scan *s, size_t bytes, uint64_t *out)
{
    *out = 0;
    if (!fetch(s, bytes))
        return false;
    for (size_t i = 0; i < bytes; i++)
        *out = *out << 8 | s->window[s->at - s->first + i];
    s->at += bytes;
    return true;
}

static size_t word(const scan *s)
{
    return s->version == 5 ? 8 : 4;
}

static bool skip(scan *s, sfi_u128 bytes)
{
    if (bytes > s->size - s->at)
        return bad(s, "a count that goes beyond the end of the file");
    s->at += (uint64_t)bytes;
    return true;
}

static bool name(scan *s)
{
    uint64_t length = 0;
    return number(s, word(s), &length) && skip(s, padded(length));
}

/* The count of a list, each item of which has at least `least` bytes. */
static bool list(scan *s, uint64_t tag, size_t least, uint64_t *count)
{
    uint64_t found = 0;
    if (!number(s, 4, &found) || !number(s, word(s), count))
        return false;
    if (*count == 0 ? found != 0 && found != tag : found != tag)
        return bad(s, "not the list that should be here");
    if (*count > (s->size - s->at) / least)
        return bad(s, "a count that goes beyond the end of the file");
    return true;
}

/* Bytes of a value of a type; 0 if there is no such type. */
static size_t value_size(uint64_t type)
{
    static const unsigned char sizes[] = {0, 1, 1, 2, 4, 4, 8, 1, 2, 4, 8, 8};
    return type < sizeof sizes ? sizes[type] : 0;
}

static bool attrs(scan *s)
{
    uint64_t count = 0, type = 0, values = 0;
    if (!list(s, TAG_ATTRS, 4 + 2 * word(s), &count))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        if (!name(s) || !number(s, 4, &type) || !number(s, word(s), &values))
            return false;
        if (value_size(type) == 0)
            return bad(s, "an attribute of no known type");
        if (!skip(s, padded((sfi_u128)values * value_size(type))))
            return false;
    }
    return true;
}

/* ---- dimensions and variables ------------------------------------------------ */

typedef struct layout {
    uint64_t dims;
    uint64_t *sizes; /* [dims]                                               */
    uint64_t vars, vars_at; /* how many, and the first byte of them          */
    uint64_t records;
    bool is_streaming; /* the number of records was never written            */
} layout;

/* A dimension takes 8 bytes of the file at least: the array is no larger. */
static bool read_dims(scan *s, layout *l)
{
    if (!list(s, TAG_DIMS, 2 * word(s), &l->dims))
        return false;
    l->sizes = sfi_alloc(s->ctx, (size_t)l->dims, sizeof *l->sizes);
    if (l->sizes == NULL) {
        s->status = SF_E_NOMEM;
        return false;
    }
    for (uint64_t i = 0; i < l->dims; i++)
        if (!name(s) || !number(s, word(s), &l->sizes[i]))
            return false;
    return true;
}

typedef struct variable {
    bool has_records;
    sfi_u128 bytes; /* all of it, or its part of a record                    */
    uint64_t begin;
} variable;

static bool read_var(scan *s, const layout *l, variable *v)
{
    uint64_t rank = 0, dim = 0, type = 0, ignored = 0;
    *v = (variable){.bytes = 1};
    if (!name(s) || !number(s, word(s), &rank))
        return false;
    for (uint64_t k = 0; k < rank; k++) {
        if (!number(s, word(s), &dim))
            return false;
        if (dim >= l->dims)
            return bad(s, "a dimension that is not there");
        if (k == 0 && l->sizes[dim] == 0)
            v->has_records = true;
        else
            v->bytes *= l->sizes[dim];
        if (v->bytes > INT64_MAX)
            return bad(s, "a variable larger than any file");
    }
    if (!attrs(s) || !number(s, 4, &type) || !number(s, word(s), &ignored) ||
        !number(s, s->version == 1 ? 4 : 8, &v->begin))
        return false;
    v->bytes *= value_size(type);
    return value_size(type) > 0 || bad(s, "a variable of no known type");
}

/* Go over the variables twice: for the length of a record, and for the end of the
 * file. */
static bool read_vars(scan *s, layout *l, sfi_u128 *end)
{
    variable v;
    sfi_u128 record = 0, alone = 0;
    int in_records = 0;
    if (!list(s, TAG_VARS, 4 + 5 * word(s), &l->vars))
        return false;
    l->vars_at = s->at;
    for (uint64_t i = 0; i < l->vars; i++) {
        if (!read_var(s, l, &v))
            return false;
        if (v.has_records) {
            in_records++;
            record += padded(v.bytes);
            alone = v.bytes;
        }
    }
    *end = s->at;
    if (in_records == 1)
        record = alone;
    s->at = l->vars_at;
    for (uint64_t i = 0; i < l->vars; i++) {
        if (!read_var(s, l, &v))
            return false;
        sfi_u128 last = v.begin + v.bytes;
        if (v.has_records)
            last = l->is_streaming || l->records == 0
                       ? 0
                       : last + record * (sfi_u128)(l->records - 1);
        if (last > *end)
            *end = last;
    }
    return true;
}

static sf_status check_end(scan *s, sfi_u128 end)
{
    if (end <= s->size)
        return SF_OK;
    if (end > INT64_MAX)
        return SFI_FAIL(s->ctx, SF_E_FORMAT,
                        "%s: its %llu bytes are less than its header promises; "
                        "the file is broken or was cut off",
                        sfi_input_name(s->input), (unsigned long long)s->size);
    return SFI_FAIL(s->ctx, SF_E_FORMAT,
                    "%s: has %llu bytes, its header promises %llu; the file "
                    "was cut off",
                    sfi_input_name(s->input), (unsigned long long)s->size,
                    (unsigned long long)end);
}

sf_status sfi_nc_scan(sf_context *ctx, sfi_input *input)
{
    scan s = {.ctx = ctx, .input = input};
    layout l = {0};
    uint64_t magic = 0;
    sfi_u128 end = 0;
    s.size = (uint64_t)sfi_input_size(input);
    if (!number(&s, 4, &magic))
        return s.status;
    s.version = (int)(magic & 255);
    if (magic >> 8 != (uint64_t)('C' << 16 | 'D' << 8 | 'F') ||
        (s.version != 1 && s.version != 2 && s.version != 5))
        return SF_OK;
    if (!number(&s, word(&s), &l.records))
        return s.status;
    l.is_streaming =
        l.records == (s.version == 5 ? UINT64_MAX : (uint64_t)UINT32_MAX);
    const bool is_read =
        read_dims(&s, &l) && attrs(&s) && read_vars(&s, &l, &end);
    sfi_free(ctx, l.sizes, (size_t)l.dims, sizeof *l.sizes);
    return is_read ? check_end(&s, end) : s.status;
}
