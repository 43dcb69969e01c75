/* SPDX-License-Identifier: Apache-2.0 */
/* netcdf_file.c - NetCDF files by libnetcdf.
 *
 * A file is opened, its whole header copied, and from then on only boxes of
 * values are asked for, in the types that they have: libnetcdf converts nothing,
 * so that nothing is rounded or out of range behind our back.
 *
 * Classic files are gone through before libnetcdf sees them (netcdf_scan.c), so that
 * one that was cut off, or whose header promises too much, never reaches it.
 *
 * Paths.  libnetcdf takes "scheme://" for an address on a network and a leading
 * "[" for options; neither is a file's name here. */
#define _POSIX_C_SOURCE   200809L
#define _FILE_OFFSET_BITS 64
#include "io/netcdf.h"

#include "io/foreign.h"
#include "io/netcdf_scan.h"
#include "io/output.h"

#include <limits.h>
#include <netcdf.h>
#include <netcdf_mem.h>
#include <string.h>

struct sfi_nc {
    sf_context *ctx;
    char *name;
    int id;
    bool is_open;
    int *dim_ids; /* [header.dim_capacity]: what libnetcdf calls dimensions */
    size_t dim_id_capacity;
    sfi_nc_header header;
};

bool sfi_nc_available(void)
{
    return true;
}

/* A code of libnetcdf as a status; those above 0 are the system's. */
static sf_status fail(sf_context *ctx, const char *name, int code,
                      const char *what)
{
    const sf_status status = code == NC_ENOMEM              ? SF_E_NOMEM
                             : code > 0 || code == NC_EPERM ? SF_E_IO
                                                            : SF_E_FORMAT;
    return SFI_FAIL(ctx, status, "%s: %s: %s", name, what, nc_strerror(code));
}

#define NC_TRY(f, call)                                                        \
    do {                                                                       \
        const int code_ = (call);                                              \
        if (code_ != NC_NOERR)                                                 \
            return fail((f)->ctx, (f)->name, code_, "a broken header");        \
    } while (0)

/* Bytes that libnetcdf reads and writes at once of classic files: it would take the
 * blocks of the file system, and as many calls of it. */
enum { BUFFER = 256 << 10 };

/* ---- reading the header ---------------------------------------------------- */

static sfi_nc_type type_of(nc_type type)
{
    static const nc_type theirs[] = {NC_BYTE,  NC_CHAR,   NC_SHORT, NC_INT,
                                     NC_FLOAT, NC_DOUBLE, NC_UBYTE, NC_USHORT,
                                     NC_UINT,  NC_INT64,  NC_UINT64};
    for (size_t i = 0; i < SFI_COUNT(theirs); i++)
        if (theirs[i] == type)
            return (sfi_nc_type)i;
    return SFI_NC_OTHER;
}

static nc_type their_type(sfi_nc_type type)
{
    static const nc_type theirs[] = {NC_BYTE,  NC_CHAR,   NC_SHORT, NC_INT,
                                     NC_FLOAT, NC_DOUBLE, NC_UBYTE, NC_USHORT,
                                     NC_UINT,  NC_INT64,  NC_UINT64};
    return theirs[type];
}

/* The first text of an attribute of texts. */
static sf_status read_string_attr(sfi_nc *f, int group, int var,
                                  const char *name, size_t count,
                                  sfi_nc_attrs *attrs)
{
    char **texts = sfi_alloc_zero(f->ctx, count, sizeof *texts);
    if (texts == NULL)
        return SF_E_NOMEM;
    const int code = nc_get_att_string(group, var, name, texts);
    sf_status status =
        code != NC_NOERR
            ? fail(f->ctx, f->name, code, "an attribute that cannot be read")
            : sfi_nc_set_text(f->ctx, attrs, name,
                              texts[0] != NULL ? texts[0] : "");
    if (code == NC_NOERR)
        (void)nc_free_string(count, texts);
    sfi_free(f->ctx, texts, count, sizeof *texts);
    return status;
}

static sf_status read_attr(sfi_nc *f, int group, int var, int number,
                           sfi_nc_attrs *attrs)
{
    char name[NC_MAX_NAME + 1];
    nc_type type = NC_NAT;
    size_t count = 0;
    NC_TRY(f, nc_inq_attname(group, var, number, name));
    NC_TRY(f, nc_inq_att(group, var, name, &type, &count));
    if (count > SFI_NC_MOST_ATTRIBUTE)
        return SFI_FAIL(f->ctx, SF_E_FORMAT,
                        "%s: attribute \"%s\" has %zu values, want at most %d",
                        f->name, name, count, SFI_NC_MOST_ATTRIBUTE);
    if (type == NC_STRING && count > 0)
        return read_string_attr(f, group, var, name, count, attrs);
    const sfi_nc_type ours = type_of(type);
    if (ours == SFI_NC_OTHER)
        return SF_OK;
    const size_t bytes = count * sfi_nc_size(ours) + 1;
    void *values = sfi_alloc_zero(f->ctx, bytes, 1);
    if (values == NULL)
        return SF_E_NOMEM;
    const int code =
        count > 0 ? nc_get_att(group, var, name, values) : NC_NOERR;
    const sf_status status =
        code != NC_NOERR
            ? fail(f->ctx, f->name, code, "an attribute that cannot be read")
            : sfi_nc_set(f->ctx, attrs, name, ours, count, values);
    sfi_free(f->ctx, values, bytes, 1);
    return status;
}

static sf_status read_attrs(sfi_nc *f, int group, int var, int count,
                            sfi_nc_attrs *attrs)
{
    for (int i = 0; i < count; i++)
        SFI_TRY(read_attr(f, group, var, i, attrs));
    return SF_OK;
}

/* "/group/name", or the name alone in the root group. */
static sf_status full_name(sfi_nc *f, int group, const char *name,
                           char out[SFI_NC_NAME])
{
    size_t length = 0;
    NC_TRY(f, nc_inq_grpname_len(group, &length));
    if (length + strlen(name) + 2 > SFI_NC_NAME)
        return SFI_FAIL(f->ctx, SF_E_FORMAT,
                        "%s: the name \"%.64s\" is too long with its groups, "
                        "want less than %d bytes",
                        f->name, name, SFI_NC_NAME);
    NC_TRY(f, nc_inq_grpname_full(group, &length, out));
    if (strcmp(out, "/") == 0)
        out[0] = '\0';
    else
        strcat(out, "/");
    strcat(out, name);
    return SF_OK;
}

static sf_status read_dim(sfi_nc *f, int group, int id, bool is_unlimited)
{
    char name[NC_MAX_NAME + 1], full[SFI_NC_NAME];
    size_t size = 0;
    int index = 0;
    NC_TRY(f, nc_inq_dim(group, id, name, &size));
    SFI_TRY(full_name(f, group, name, full));
    if (size > INT64_MAX)
        return SFI_FAIL(f->ctx, SF_E_FORMAT, "%s: dimension \"%s\" is too long",
                        f->name, full);
    SFI_TRY(sfi_nc_add_dim(f->ctx, &f->header, full, (int64_t)size,
                           is_unlimited, &index));
    int *ids = sfi_grow(f->ctx, f->dim_ids, &f->dim_id_capacity,
                        (size_t)index + 1, sizeof *ids);
    if (ids == NULL)
        return SF_E_NOMEM;
    f->dim_ids = ids;
    f->dim_ids[index] = id;
    return SF_OK;
}

static sf_status read_dims(sfi_nc *f, int group)
{
    enum { MOST = NC_MAX_DIMS };
    int count = 0, open_count = 0;
    NC_TRY(f, nc_inq_dimids(group, &count, NULL, 0));
    NC_TRY(f, nc_inq_unlimdims(group, &open_count, NULL));
    if (count > SFI_NC_MOST || open_count > SFI_NC_MOST)
        return SFI_FAIL(f->ctx, SF_E_FORMAT,
                        "%s: %d dimensions, want at most %d", f->name, count,
                        SFI_NC_MOST);
    const size_t room = (size_t)count + (size_t)open_count + 1;
    int *ids = sfi_alloc_zero(f->ctx, room, sizeof *ids);
    if (ids == NULL)
        return SF_E_NOMEM;
    int *open = ids + count;
    sf_status status = SF_OK;
    int code = nc_inq_dimids(group, &count, ids, 0);
    if (code == NC_NOERR)
        code = nc_inq_unlimdims(group, &open_count, open);
    if (code != NC_NOERR)
        status = fail(f->ctx, f->name, code, "a broken header");
    for (int i = 0; i < count && status == SF_OK; i++) {
        bool is_unlimited = false;
        for (int k = 0; k < open_count; k++)
            is_unlimited = is_unlimited || open[k] == ids[i];
        status = read_dim(f, group, ids[i], is_unlimited);
    }
    sfi_free(f->ctx, ids, room, sizeof *ids);
    return status;
}

static int find_dim(const sfi_nc *f, int id)
{
    /* Without groups dimensions are numbered as they come. */
    if (id >= 0 && (size_t)id < f->header.dim_count && f->dim_ids[id] == id)
        return id;
    for (size_t i = 0; i < f->header.dim_count; i++)
        if (f->dim_ids[i] == id)
            return (int)i;
    return -1;
}

static sf_status read_var(sfi_nc *f, int group, int id)
{
    char name[NC_MAX_NAME + 1], full[SFI_NC_NAME];
    int ids[NC_MAX_VAR_DIMS], dims[SFI_NC_MOST_RANK];
    int rank = 0, attrs = 0, index = 0;
    nc_type type = NC_NAT;
    NC_TRY(f, nc_inq_varndims(group, id, &rank));
    NC_TRY(f, nc_inq_varname(group, id, name));
    SFI_TRY(full_name(f, group, name, full));
    if (rank > SFI_NC_MOST_RANK)
        return SFI_FAIL(f->ctx, SF_E_FORMAT,
                        "%s: variable \"%s\" has %d dimensions, want at most "
                        "%d",
                        f->name, full, rank, SFI_NC_MOST_RANK);
    NC_TRY(f, nc_inq_var(group, id, NULL, &type, NULL, ids, &attrs));
    for (int k = 0; k < rank; k++)
        dims[k] = find_dim(f, ids[k]);
    SFI_TRY(sfi_nc_add_var(f->ctx, &f->header, full, type_of(type), rank, dims,
                           &index));
    sfi_nc_var *v = &f->header.vars[index];
    v->group = group;
    v->id = id;
    int shuffle = 0, is_deflated = 0, level = 0;
    if (f->header.format == SFI_NC_NETCDF4 &&
        nc_inq_var_deflate(group, id, &shuffle, &is_deflated, &level) ==
            NC_NOERR)
        v->deflate = is_deflated ? level : 0;
    return read_attrs(f, group, id, attrs, &v->attrs);
}

enum { MOST_DEPTH = 32 };

static sf_status read_group(sfi_nc *f, int group, int depth);

static sf_status read_groups(sfi_nc *f, int group, int depth)
{
    int count = 0;
    NC_TRY(f, nc_inq_grps(group, &count, NULL));
    if (count == 0)
        return SF_OK;
    if (depth == MOST_DEPTH || count > SFI_NC_MOST)
        return SFI_FAIL(f->ctx, SF_E_FORMAT, "%s: too many groups", f->name);
    int *ids = sfi_alloc_zero(f->ctx, (size_t)count, sizeof *ids);
    if (ids == NULL)
        return SF_E_NOMEM;
    const int code = nc_inq_grps(group, NULL, ids);
    sf_status status = code != NC_NOERR
                           ? fail(f->ctx, f->name, code, "a broken header")
                           : SF_OK;
    for (int i = 0; i < count && status == SF_OK; i++)
        status = read_group(f, ids[i], depth + 1);
    sfi_free(f->ctx, ids, (size_t)count, sizeof *ids);
    return status;
}

/* Dimensions of a group are known before the variables of the groups in it. */
static sf_status read_group(sfi_nc *f, int group, int depth)
{
    int vars = 0;
    SFI_TRY(read_dims(f, group));
    NC_TRY(f, nc_inq_nvars(group, &vars));
    for (int id = 0; id < vars; id++)
        SFI_TRY(read_var(f, group, id));
    return read_groups(f, group, depth);
}

static sf_status read_header(sfi_nc *f)
{
    int format = 0, attrs = 0;
    NC_TRY(f, nc_inq_format(f->id, &format));
    f->header.format = format == NC_FORMAT_CLASSIC        ? SFI_NC_CLASSIC
                       : format == NC_FORMAT_64BIT_OFFSET ? SFI_NC_64BIT_OFFSET
                       : format == NC_FORMAT_CDF5         ? SFI_NC_CDF5
                                                          : SFI_NC_NETCDF4;
    NC_TRY(f, nc_inq_natts(f->id, &attrs));
    SFI_TRY(read_attrs(f, f->id, NC_GLOBAL, attrs, &f->header.attrs));
    return read_group(f, f->id, 0);
}

/* ---- opening --------------------------------------------------------------- */

void sfi_nc_close(sfi_nc *f)
{
    if (f == NULL)
        return;
    sf_context *ctx = f->ctx;
    if (f->is_open) {
        sfi_foreign_lock();
        (void)nc_close(f->id);
        sfi_foreign_unlock();
    }
    sfi_nc_header_free(ctx, &f->header);
    sfi_free(ctx, f->dim_ids, f->dim_id_capacity, sizeof *f->dim_ids);
    sfi_free_text(ctx, f->name);
    sfi_free(ctx, f, 1, sizeof *f);
}

static sf_status new_file(sf_context *ctx, sfi_nc **out, const char *name)
{
    *out = NULL;
    sfi_nc *f = sfi_alloc_zero(ctx, 1, sizeof *f);
    if (f == NULL)
        return SF_E_NOMEM;
    f->ctx = ctx;
    f->name = sfi_copy_text(ctx, name);
    if (f->name == NULL) {
        sfi_free(ctx, f, 1, sizeof *f);
        return SF_E_NOMEM;
    }
    *out = f;
    return SF_OK;
}

/* Whether the bytes that a file begins with are those of a NetCDF file; an HDF5
 * file may begin later, at a power of two, which nobody does. */
static bool has_magic(const unsigned char *head, size_t size)
{
    static const unsigned char hdf5[] = {0x89, 'H',  'D',  'F',
                                         '\r', '\n', 0x1a, '\n'};
    if (size >= 4 && memcmp(head, "CDF", 3) == 0)
        return head[3] == 1 || head[3] == 2 || head[3] == 5;
    return size >= sizeof hdf5 && memcmp(head, hdf5, sizeof hdf5) == 0;
}

static sf_status not_netcdf(sf_context *ctx, const char *name, size_t size)
{
    return SFI_FAIL(ctx, SF_E_FORMAT,
                    size == 0 ? "%s: the file is empty, want NetCDF"
                              : "%s: is not a NetCDF file (its first bytes are "
                                "neither CDF nor those of HDF5)",
                    name);
}

/* Look at the file before libnetcdf does. */
static sf_status look(sf_context *ctx, sfi_input *input)
{
    unsigned char head[8];
    size_t got = 0;
    if (sfi_input_size(input) < 0)
        return SFI_FAIL(ctx, SF_E_IO,
                        "%s: is not a file; NetCDF is read from files only",
                        sfi_input_name(input));
    SFI_TRY(sfi_input_read(input, head, sizeof head, &got));
    return has_magic(head, got) ? sfi_nc_scan(ctx, input)
                                : not_netcdf(ctx, sfi_input_name(input), got);
}

static sf_status check_path(sf_context *ctx, const char *path)
{
    if (strcmp(path, "-") == 0)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "NetCDF is read from files only, not from standard "
                        "input");
    if (strstr(path, "://") != NULL || path[0] == '[')
        return SFI_FAIL(ctx, SF_E_IO,
                        "%s: want the name of a file; libnetcdf would take "
                        "this for an address",
                        path);
    return SF_OK;
}

/* What libnetcdf says of a file that has the right first bytes. */
static sf_status opened(sfi_nc *f, int code)
{
    /* It was opened once before, so that its bytes are to blame, also where
     * libnetcdf gives an error of the system. */
    if (code != NC_NOERR)
        return SFI_FAIL(f->ctx, code == NC_ENOMEM ? SF_E_NOMEM : SF_E_FORMAT,
                        "%s: cannot be opened; it is broken or was cut off "
                        "(%s)",
                        f->name, nc_strerror(code));
    f->is_open = true;
    return read_header(f);
}

static sf_status finish(sfi_nc **out, sf_status status)
{
    if (status == SF_OK)
        return SF_OK;
    sfi_nc_close(*out);
    *out = NULL;
    return status;
}

sf_status sfi_nc_open(sf_context *ctx, sfi_nc **out, const char *path)
{
    sfi_input *input = NULL;
    *out = NULL;
    SFI_TRY(check_path(ctx, path));
    SFI_TRY(sfi_input_open(ctx, &input, path));
    const sf_status seen = look(ctx, input);
    sfi_input_close(input);
    SFI_TRY(seen);
    SFI_TRY(new_file(ctx, out, path));
    sfi_foreign_lock();
    size_t buffer = BUFFER;
    const int code = nc__open(path, NC_NOWRITE, &buffer, &(*out)->id);
    const sf_status status = opened(*out, code);
    sfi_foreign_unlock();
    return finish(out, status);
}

sf_status sfi_nc_open_memory(sf_context *ctx, sfi_nc **out, const char *name,
                             const void *bytes, size_t size)
{
    sfi_input *input = NULL;
    *out = NULL;
    SFI_TRY(sfi_input_memory(ctx, &input, name, bytes, size));
    const sf_status seen = look(ctx, input);
    sfi_input_close(input);
    SFI_TRY(seen);
    SFI_TRY(new_file(ctx, out, name));
    sfi_foreign_lock();
    const int code =
        nc_open_mem(name, NC_NOWRITE, size, (void *)bytes, &(*out)->id);
    const sf_status status = opened(*out, code);
    sfi_foreign_unlock();
    return finish(out, status);
}

const sfi_nc_header *sfi_nc_header_of(const sfi_nc *f)
{
    return &f->header;
}

const char *sfi_nc_name_of(const sfi_nc *f)
{
    return f->name;
}

/* ---- boxes ----------------------------------------------------------------- */

/* A box as libnetcdf wants it; SF_E_SHAPE unless it lies within the variable,
 * whose unlimited dimensions have no end where `grows`. */
static sf_status make_box(sf_context *ctx, const char *name,
                          const sfi_nc_header *h, int var, bool grows,
                          const int64_t *start, const int64_t *count,
                          size_t *from, size_t *extent)
{
    const sfi_nc_var *v = &h->vars[var];
    for (int k = 0; k < v->rank; k++) {
        const sfi_nc_dim *d = &h->dims[v->dims[k]];
        const bool is_open = grows && d->is_unlimited;
        if (start[k] < 0 || count[k] < 0 ||
            (!is_open && (start[k] > d->size || count[k] > d->size - start[k])))
            return SFI_FAIL(ctx, SF_E_SHAPE,
                            "%s: variable \"%s\": %lld from %lld on of "
                            "dimension \"%s\", which has %lld",
                            name, v->name, (long long)count[k],
                            (long long)start[k], d->name, (long long)d->size);
        from[k] = (size_t)start[k];
        extent[k] = (size_t)count[k];
    }
    if (v->type == SFI_NC_OTHER)
        return SFI_FAIL(ctx, SF_E_UNSUPPORTED,
                        "%s: variable \"%s\" holds texts or a type of its own, "
                        "want numbers",
                        name, v->name);
    return SF_OK;
}

sf_status sfi_nc_read(sfi_nc *f, int var, const int64_t *start,
                      const int64_t *count, void *values)
{
    size_t from[SFI_NC_MOST_RANK], extent[SFI_NC_MOST_RANK];
    const sfi_nc_var *v = &f->header.vars[var];
    SFI_TRY(make_box(f->ctx, f->name, &f->header, var, false, start, count,
                     from, extent));
    for (int k = 0; k < v->rank; k++)
        if (extent[k] == 0)
            return SF_OK;
    sfi_foreign_lock();
    const int code = nc_get_vara(v->group, v->id, from, extent, values);
    sfi_foreign_unlock();
    if (code != NC_NOERR)
        return SFI_FAIL(f->ctx, code == NC_ENOMEM ? SF_E_NOMEM : SF_E_IO,
                        "%s: variable \"%s\" cannot be read; the file is "
                        "broken or was cut off (%s)",
                        f->name, v->name, nc_strerror(code));
    return SF_OK;
}

/* ---- writing --------------------------------------------------------------- */

struct sfi_nc_writer {
    sf_context *ctx;
    const sfi_nc_header *header;
    sfi_output *output;
    char *name;
    int id;
    bool is_open;
    int *dims, *vars; /* what libnetcdf calls them                            */
    sf_status status;
};

static sf_status fail_writing(sfi_nc_writer *w, int code, const char *what)
{
    w->status = SFI_FAIL(w->ctx,
                         code == NC_ENOMEM                ? SF_E_NOMEM
                         : code > 0 || code == NC_EHDFERR ? SF_E_IO
                                                          : SF_E_ARG,
                         "%s: %s cannot be written: %s", w->name, what,
                         nc_strerror(code));
    return w->status;
}

static sf_status put_attrs(sfi_nc_writer *w, int var, const sfi_nc_attrs *attrs)
{
    for (size_t i = 0; i < attrs->count; i++) {
        const sfi_nc_attr *a = &attrs->list[i];
        const int code = nc_put_att(w->id, var, a->name, their_type(a->type),
                                    a->count, a->values);
        if (code != NC_NOERR)
            return fail_writing(w, code, a->name);
    }
    return SF_OK;
}

static sf_status define_var(sfi_nc_writer *w, size_t i)
{
    const sfi_nc_header *h = w->header;
    const sfi_nc_var *v = &h->vars[i];
    int dims[SFI_NC_MOST_RANK];
    for (int k = 0; k < v->rank; k++)
        dims[k] = w->dims[v->dims[k]];
    int code = nc_def_var(w->id, v->name, their_type(v->type), v->rank, dims,
                          &w->vars[i]);
    if (code == NC_NOERR && v->deflate > 0 && v->rank > 0 &&
        h->format == SFI_NC_NETCDF4)
        code = nc_def_var_deflate(w->id, w->vars[i], 1, 1, v->deflate);
    if (code != NC_NOERR)
        return fail_writing(w, code, v->name);
    return put_attrs(w, w->vars[i], &v->attrs);
}

static sf_status define(sfi_nc_writer *w)
{
    const sfi_nc_header *h = w->header;
    for (size_t i = 0; i < h->dim_count; i++) {
        const sfi_nc_dim *d = &h->dims[i];
        const int code = nc_def_dim(
            w->id, d->name, d->is_unlimited ? NC_UNLIMITED : (size_t)d->size,
            &w->dims[i]);
        if (code != NC_NOERR)
            return fail_writing(w, code, d->name);
    }
    for (size_t i = 0; i < h->var_count; i++)
        SFI_TRY(define_var(w, i));
    SFI_TRY(put_attrs(w, NC_GLOBAL, &h->attrs));
    /* Every value will be written; filling first would write all twice. */
    int old = 0;
    int code = nc_set_fill(w->id, NC_NOFILL, &old);
    if (code == NC_NOERR)
        code = nc_enddef(w->id);
    return code == NC_NOERR ? SF_OK : fail_writing(w, code, "the header");
}

static sf_status create(sfi_nc_writer *w)
{
    static const int modes[] = {NC_CLOBBER, NC_CLOBBER | NC_64BIT_OFFSET,
                                NC_CLOBBER | NC_CDF5, NC_CLOBBER | NC_NETCDF4};
    size_t buffer = BUFFER;
    const int code = nc__create(sfi_output_place(w->output),
                                modes[w->header->format], 0, &buffer, &w->id);
    if (code != NC_NOERR)
        return fail_writing(w, code, "the file");
    w->is_open = true;
    return define(w);
}

sf_status sfi_nc_create(sf_context *ctx, sfi_nc_writer **out, const char *path,
                        const sfi_nc_header *header)
{
    *out = NULL;
    sfi_nc_writer *w = sfi_alloc_zero(ctx, 1, sizeof *w);
    if (w == NULL)
        return SF_E_NOMEM;
    w->ctx = ctx;
    w->header = header;
    w->name = sfi_copy_text(ctx, path);
    w->dims = sfi_alloc_zero(ctx, header->dim_count, sizeof *w->dims);
    w->vars = sfi_alloc_zero(ctx, header->var_count, sizeof *w->vars);
    sf_status status = w->name != NULL && w->dims != NULL && w->vars != NULL
                           ? sfi_output_open(ctx, &w->output, path)
                           : SF_E_NOMEM;
    if (status == SF_OK && sfi_output_place(w->output) == NULL)
        status =
            SFI_FAIL(ctx, SF_E_IO, "%s: NetCDF is written to files only", path);
    if (status == SF_OK) {
        sfi_foreign_lock();
        status = create(w);
        sfi_foreign_unlock();
    }
    if (status != SF_OK)
        return sfi_nc_writer_close(w, status);
    *out = w;
    return SF_OK;
}

sf_status sfi_nc_write(sfi_nc_writer *w, int var, const int64_t *start,
                       const int64_t *count, const void *values)
{
    size_t from[SFI_NC_MOST_RANK], extent[SFI_NC_MOST_RANK];
    SFI_TRY(w->status);
    w->status = make_box(w->ctx, w->name, w->header, var, true, start, count,
                         from, extent);
    SFI_TRY(w->status);
    for (int k = 0; k < w->header->vars[var].rank; k++)
        if (extent[k] == 0)
            return SF_OK;
    sfi_foreign_lock();
    const int code = nc_put_vara(w->id, w->vars[var], from, extent, values);
    sfi_foreign_unlock();
    return code == NC_NOERR ? SF_OK
                            : fail_writing(w, code, w->header->vars[var].name);
}

sf_status sfi_nc_writer_close(sfi_nc_writer *w, sf_status status)
{
    if (w == NULL)
        return status;
    sf_context *ctx = w->ctx;
    if (status == SF_OK)
        status = w->status;
    if (w->is_open) {
        sfi_foreign_lock();
        const int code = status == SF_OK ? nc_close(w->id) : nc_abort(w->id);
        sfi_foreign_unlock();
        if (status == SF_OK && code != NC_NOERR)
            status = fail_writing(w, code, "the file");
    }
    status = sfi_output_close(w->output, status);
    sfi_free(ctx, w->dims, w->header->dim_count, sizeof *w->dims);
    sfi_free(ctx, w->vars, w->header->var_count, sizeof *w->vars);
    sfi_free_text(ctx, w->name);
    sfi_free(ctx, w, 1, sizeof *w);
    return status;
}
