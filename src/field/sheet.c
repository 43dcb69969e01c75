/* SPDX-License-Identifier: Apache-2.0 */
/* sheet.c - NetCDF files of fields: what their headers say, and their values.
 *
 * A file is made like another one: its unlimited dimension, the attributes of its
 * coordinates and of itself, and the scalar variables and grid mappings that the
 * fields refer to come along.  What was stored in a way of its own (packed, as a type
 * that classic files lack) is written as plain numbers. */
#define _POSIX_C_SOURCE 200809L
#include "field/write.h"

#include "base/parallel.h"
#include "field/reader.h"
#include "num/loops.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    MOST_AXES = 32,
    RANGE = 1 << 15, /* points whose numbers a thread narrows */
    STRIP = 512
};

/* An axis of the file, and the variables that tell its points and cells. */
typedef struct sheet_axis {
    int dim, var, bounds; /* of the new header; -1                           */
    double *coords;       /* [count]: with the repeated point                */
    double *edges;        /* [2 count], pairs, or NULL                       */
    int64_t count;
    bool repeats;
} sheet_axis;

/* A variable that is copied from the file `like`. */
typedef struct sheet_copy {
    int from, to;
} sheet_copy;

struct sfi_sheet {
    sf_context *ctx;
    sf_field_write_options o;
    bool has_like;
    sfi_field_file like;
    sfi_nc_header header;
    sfi_nc_writer *writer;
    int axis_count, copy_count;
    sheet_axis axes[MOST_AXES];
    sheet_copy copies[MOST_AXES];
    int pair; /* the dimension of two ends of a cell, -1                     */
};

/* ---- making ----------------------------------------------------------------- */

static const sfi_nc_header *like_header(const sfi_sheet *s)
{
    return s->has_like ? s->like.source.header : NULL;
}

void sfi_sheet_free(sfi_sheet *s)
{
    if (s == NULL)
        return;
    sf_context *ctx = s->ctx;
    for (int i = 0; i < s->axis_count; i++) {
        const size_t n = (size_t)s->axes[i].count;
        sfi_free(ctx, s->axes[i].coords, n, sizeof(double));
        sfi_free(ctx, s->axes[i].edges, 2 * n, sizeof(double));
    }
    if (s->has_like)
        sfi_field_file_close(&s->like);
    sfi_nc_header_free(ctx, &s->header);
    sfi_free(ctx, s, 1, sizeof *s);
}

/* Attributes of types that a classic file lacks become wider ones. */
static sf_status copy_attr(sfi_sheet *s, sfi_nc_attrs *to, const sfi_nc_attr *a)
{
    const bool is_classic = s->header.format < SFI_NC_CDF5;
    if (a->type <= SFI_NC_DOUBLE || !is_classic)
        return sfi_nc_set(s->ctx, to, a->name, a->type, a->count, a->values);
    double *wide = sfi_alloc(s->ctx, a->count, sizeof *wide);
    if (wide == NULL)
        return SF_E_NOMEM;
    sfi_nc_numbers(a->type, a->values, a->count, wide);
    const sf_status status =
        sfi_nc_set(s->ctx, to, a->name, SFI_NC_DOUBLE, a->count, wide);
    sfi_free(s->ctx, wide, a->count, sizeof *wide);
    return status;
}

/* Marks of how libnetcdf stored a file, which it writes by itself. */
static bool is_hidden(const char *name)
{
    return name[0] == '_' && strcmp(name, "_FillValue") != 0;
}

static sf_status start_header(sfi_sheet *s)
{
    static const sfi_nc_format formats[] = {SFI_NC_CLASSIC, SFI_NC_CLASSIC,
                                            SFI_NC_64BIT_OFFSET, SFI_NC_CDF5,
                                            SFI_NC_NETCDF4};
    const sfi_nc_header *like = like_header(s);
    s->header.format = formats[s->o.format];
    if (s->o.format == SF_FILE_AUTO)
        s->header.format = s->o.deflate > 0 ? SFI_NC_NETCDF4
                           : like != NULL   ? like->format
                                            : SFI_NC_CLASSIC;
    if (s->o.deflate > 0 && s->header.format != SFI_NC_NETCDF4)
        return SFI_FAIL(s->ctx, SF_E_ARG,
                        "field: deflate is %d, but only NetCDF-4 compresses",
                        s->o.deflate);
    for (size_t i = 0; like != NULL && i < like->attrs.count; i++)
        if (!is_hidden(like->attrs.list[i].name))
            SFI_TRY(copy_attr(s, &s->header.attrs, &like->attrs.list[i]));
    SFI_TRY(sfi_nc_set_text(s->ctx, &s->header.attrs, "Conventions", "CF-1.8"));
    if (s->o.history == NULL)
        return SF_OK;
    const char *old = sfi_nc_text(&s->header.attrs, "history");
    const size_t size = strlen(s->o.history) + (old ? strlen(old) : 0) + 2;
    char *text = sfi_alloc(s->ctx, size, 1);
    if (text == NULL)
        return SF_E_NOMEM;
    snprintf(text, size, "%s%s%s", s->o.history, old != NULL ? "\n" : "",
             old != NULL ? old : "");
    const sf_status status =
        sfi_nc_set_text(s->ctx, &s->header.attrs, "history", text);
    sfi_free(s->ctx, text, size, 1);
    return status;
}

sf_status sfi_sheet_new(sf_context *ctx, sfi_sheet **out,
                        const sf_field_write_options *o)
{
    *out = NULL;
    if ((unsigned)o->format > SF_FILE_NETCDF4 || o->deflate < 0 ||
        o->deflate > 9)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "field: format %d and deflate %d, want 0 to 4 and 0 to "
                        "9",
                        (int)o->format, o->deflate);
    sfi_sheet *s = sfi_alloc_zero(ctx, 1, sizeof *s);
    if (s == NULL)
        return SF_E_NOMEM;
    s->ctx = ctx;
    s->o = *o;
    s->pair = -1;
    sf_status status = SF_OK;
    if (o->like != NULL) {
        status = sfi_field_file_open(ctx, &s->like, o->like);
        s->has_like = status == SF_OK;
    }
    if (status == SF_OK)
        status = start_header(s);
    if (status != SF_OK)
        sfi_sheet_free(s);
    else
        *out = s;
    return status;
}

/* ---- axes ------------------------------------------------------------------- */

/* Points of an axis as the file has them. */
static void points_of(const sf_axis *a, bool is_half, double *out)
{
    const double turn =
        a->count > 1 && a->coords[1] < a->coords[0] ? -a->period : a->period;
    const bool is_closed = a->period > 0.0;
    const int64_t n = a->count - (is_half && !is_closed);
    for (int64_t i = 0; i < n; i++)
        out[i] = is_half ? a->edges[i + 1] : a->coords[i];
    if (a->repeats && is_closed)
        out[n] = out[0] + turn;
}

/* Whether the edges are those that a reader would find by itself. */
static bool edges_are_usual(sfi_sheet *s, const sf_axis *a)
{
    sf_axis plain = *a;
    const size_t n = (size_t)a->count + 1;
    double *usual = sfi_alloc(s->ctx, n, sizeof *usual);
    if (usual == NULL)
        return true;
    plain.edges = NULL;
    plain.placement = SF_CELLS;
    sfi_axis_edges(&plain, usual);
    bool same = true;
    for (size_t i = 0; i < n; i++)
        same = same && fabs(usual[i] - a->edges[i]) <=
                           1e-9 * fabs(a->edges[n - 1] - a->edges[0]);
    sfi_free(s->ctx, usual, n, sizeof *usual);
    return same;
}

static sf_status fill_edges(sfi_sheet *s, sheet_axis *x, const sf_axis *a)
{
    if (a->count < 2 || edges_are_usual(s, a))
        return SF_OK;
    x->edges = sfi_alloc(s->ctx, 2 * (size_t)x->count, sizeof(double));
    if (x->edges == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < a->count; i++) {
        x->edges[2 * i] = a->edges[i];
        x->edges[2 * i + 1] = a->edges[i + 1];
    }
    if (x->count > a->count) {
        const double turn = a->edges[a->count] - a->edges[0];
        x->edges[2 * a->count] = a->edges[0] + turn;
        x->edges[2 * a->count + 1] = a->edges[1] + turn;
    }
    return SF_OK;
}

/* The coordinate variable of this name in the file `like`, or -1. */
static int like_coordinate(const sfi_sheet *s, const char *name)
{
    const sfi_nc_header *h = like_header(s);
    const int var = h != NULL ? sfi_nc_find_var(h, name) : -1;
    return var >= 0 && h->vars[var].rank == 1 &&
                   sfi_nc_find_dim(h, name) == h->vars[var].dims[0]
               ? var
               : -1;
}

/* float or int where the file `like` has them and nothing is lost. */
static sfi_nc_type coordinate_type(const sfi_sheet *s, int like,
                                   const double *x, int64_t count)
{
    if (like < 0)
        return SFI_NC_DOUBLE;
    const sfi_nc_type type = like_header(s)->vars[like].type;
    for (int64_t i = 0; i < count; i++)
        if ((type == SFI_NC_FLOAT && (double)(float)x[i] != x[i]) ||
            (type == SFI_NC_INT && !(fabs(x[i]) < 2e9 && x[i] == floor(x[i]))))
            return SFI_NC_DOUBLE;
    return type == SFI_NC_FLOAT || type == SFI_NC_INT ? type : SFI_NC_DOUBLE;
}

static sf_status describe_axis(sfi_sheet *s, int var, const sf_axis *a,
                               int like)
{
    static const char *const letters[] = {NULL, "X", "Y", "Z", NULL,
                                          NULL, "Y", "X", "Z", "T"};
    sfi_nc_attrs *attrs = &s->header.vars[var].attrs;
    const sfi_nc_attrs *old =
        like >= 0 ? &like_header(s)->vars[like].attrs : NULL;
    static const char *const dropped[] = {
        "_FillValue",   "missing_value", "scale_factor", "add_offset",
        "_Unsigned",    "bounds",        "climatology",  "units",
        "actual_range", "calendar"};
    for (size_t i = 0; old != NULL && i < old->count; i++) {
        bool keeps = !is_hidden(old->list[i].name);
        for (size_t k = 0; k < SFI_COUNT(dropped); k++)
            keeps = keeps && strcmp(old->list[i].name, dropped[k]) != 0;
        if (keeps)
            SFI_TRY(copy_attr(s, attrs, &old->list[i]));
    }
    if (a->unit != NULL)
        SFI_TRY(sfi_nc_set_text(s->ctx, attrs, "units", a->unit));
    if (a->calendar != NULL)
        SFI_TRY(sfi_nc_set_text(s->ctx, attrs, "calendar", a->calendar));
    if (old != NULL)
        return SF_OK;
    if (letters[a->role] != NULL)
        SFI_TRY(sfi_nc_set_text(s->ctx, attrs, "axis", letters[a->role]));
    const char *standard = a->role == SF_ROLE_LAT   ? "latitude"
                           : a->role == SF_ROLE_LON ? "longitude"
                           : a->role == SF_ROLE_T   ? "time"
                                                    : NULL;
    return standard != NULL
               ? sfi_nc_set_text(s->ctx, attrs, "standard_name", standard)
               : SF_OK;
}

/* Whether the file `like` has the same coordinates. */
static sf_status is_like(sfi_sheet *s, const sheet_axis *x, int like, bool *is)
{
    *is = like >= 0 && sfi_nc_var_count(like_header(s), like) == x->count;
    if (!*is)
        return SF_OK;
    double *other = sfi_alloc(s->ctx, (size_t)x->count, sizeof *other);
    if (other == NULL)
        return SF_E_NOMEM;
    const sf_status status =
        s->like.source.read(s->like.source.user, like, other);
    for (int64_t i = 0; i < x->count && status == SF_OK; i++)
        *is = *is && other[i] == x->coords[i];
    sfi_free(s->ctx, other, (size_t)x->count, sizeof *other);
    return status;
}

static sf_status copy_variable(sfi_sheet *s, int from, bool *is_there);

/* Bounds of an axis that is all there come along as they are, whether or not they
 * join. */
static sf_status keep_bounds(sfi_sheet *s, const sheet_axis *x, int like,
                             bool *is_kept)
{
    static const char *const keys[] = {"bounds", "climatology"};
    SFI_TRY(is_like(s, x, like, is_kept));
    if (!*is_kept)
        return SF_OK;
    *is_kept = false;
    const sfi_nc_header *h = like_header(s);
    for (size_t i = 0; i < SFI_COUNT(keys) && !*is_kept; i++) {
        const char *name = sfi_nc_text(&h->vars[like].attrs, keys[i]);
        const int from =
            name != NULL ? sfi_cf_lookup(h, like, name, strlen(name)) : -1;
        if (from < 0 || h->vars[from].rank != 2)
            continue;
        const sfi_nc_dim *pair = &h->dims[h->vars[from].dims[1]];
        if (sfi_nc_find_dim(&s->header, pair->name) < 0) {
            int ignored = 0;
            SFI_TRY(sfi_nc_add_dim(s->ctx, &s->header, pair->name, pair->size,
                                   false, &ignored));
        }
        SFI_TRY(copy_variable(s, from, is_kept));
        if (*is_kept)
            SFI_TRY(sfi_nc_set_text(s->ctx, &s->header.vars[x->var].attrs,
                                    keys[i], h->vars[from].name));
    }
    return SF_OK;
}

static sf_status add_bounds(sfi_sheet *s, sheet_axis *x, const char *name)
{
    char text[SFI_NC_NAME];
    if (x->edges == NULL)
        return SF_OK;
    if (s->pair < 0)
        s->pair = sfi_nc_find_dim(&s->header, "bnds");
    if (s->pair >= 0 && s->header.dims[s->pair].size != 2)
        return SFI_FAIL(s->ctx, SF_E_ARG,
                        "field: the dimension \"bnds\" has %lld points, want "
                        "the two ends of cells",
                        (long long)s->header.dims[s->pair].size);
    if (s->pair < 0)
        SFI_TRY(sfi_nc_add_dim(s->ctx, &s->header, "bnds", 2, false, &s->pair));
    snprintf(text, sizeof text, "%.240s_bnds", name);
    const int dims[] = {x->dim, s->pair};
    SFI_TRY(sfi_nc_add_var(s->ctx, &s->header, text, SFI_NC_DOUBLE, 2, dims,
                           &x->bounds));
    return sfi_nc_set_text(s->ctx, &s->header.vars[x->var].attrs, "bounds",
                           text);
}

/* Time, or what the file `like` leaves open, if it is the slowest axis: classic
 * files have room for one there. */
static bool is_unlimited(const sfi_sheet *s, const sf_axis *a, bool is_first)
{
    const sfi_nc_header *like = like_header(s);
    const int dim = like != NULL ? sfi_nc_find_dim(like, a->name) : -1;
    for (int i = 0; i < s->axis_count; i++)
        if (s->header.dims[s->axes[i].dim].is_unlimited)
            return false;
    return is_first &&
           (dim >= 0 ? like->dims[dim].is_unlimited : a->role == SF_ROLE_T);
}

static sf_status add_axis(sfi_sheet *s, const sf_axis *a, bool is_half,
                          bool is_first, const char *name, sheet_axis *x)
{
    const bool is_closed = a->period > 0.0;
    x->repeats = a->repeats && is_closed;
    x->count = a->count - (is_half && !is_closed) + x->repeats;
    x->bounds = -1;
    x->coords = sfi_alloc(s->ctx, (size_t)x->count, sizeof(double));
    if (x->coords == NULL)
        return SF_E_NOMEM;
    points_of(a, is_half, x->coords);
    if (!is_half)
        SFI_TRY(fill_edges(s, x, a));
    SFI_TRY(sfi_nc_add_dim(s->ctx, &s->header, name, x->count,
                           is_unlimited(s, a, is_first), &x->dim));
    const int like = is_half ? -1 : like_coordinate(s, name);
    SFI_TRY(sfi_nc_add_var(s->ctx, &s->header, name,
                           coordinate_type(s, like, x->coords, x->count), 1,
                           &x->dim, &x->var));
    bool is_kept = false;
    SFI_TRY(describe_axis(s, x->var, a, like));
    SFI_TRY(keep_bounds(s, x, like, &is_kept));
    return is_kept ? SF_OK : add_bounds(s, x, name);
}

/* The axis of this name that is there: SF_E_ARG unless its points are the same. */
static sf_status match_axis(sfi_sheet *s, const sheet_axis *x, const sf_axis *a,
                            bool is_half, const char *name)
{
    double *mine = sfi_alloc(s->ctx, (size_t)a->count + 1, sizeof *mine);
    if (mine == NULL)
        return SF_E_NOMEM;
    points_of(a, is_half, mine);
    const int64_t n = a->count - (is_half && !(a->period > 0.0)) +
                      (a->repeats && a->period > 0.0);
    sf_status status = SF_OK;
    if (n != x->count)
        status = SFI_FAIL(s->ctx, SF_E_ARG,
                          "field: axis \"%s\" has %lld points in one field and "
                          "%lld in another",
                          name, (long long)x->count, (long long)n);
    for (int64_t i = 0; i < n && status == SF_OK; i++)
        if (mine[i] != x->coords[i])
            status = SFI_FAIL(s->ctx, SF_E_ARG,
                              "field: axis \"%s\" differs between two fields, "
                              "first at point %lld: %.17g and %.17g",
                              name, (long long)i, x->coords[i], mine[i]);
    sfi_free(s->ctx, mine, (size_t)a->count + 1, sizeof *mine);
    return status;
}

static sf_status want_axis(sfi_sheet *s, const sf_field *f, int c, int k,
                           int *dim)
{
    char name[SFI_NC_NAME];
    const sf_axis *a = sf_grid_axis(f->grid, k);
    const bool is_half = f->place[c] >> k & 1u;
    snprintf(name, sizeof name, "%.240s%s", a->name, is_half ? "_half" : "");
    for (int i = 0; i < s->axis_count; i++)
        if (strcmp(s->header.dims[s->axes[i].dim].name, name) == 0) {
            *dim = s->axes[i].dim;
            return match_axis(s, &s->axes[i], a, is_half, name);
        }
    if (s->axis_count == MOST_AXES)
        return SFI_FAIL(s->ctx, SF_E_ARG, "field: more than %d axes in a file",
                        MOST_AXES);
    sheet_axis *x = &s->axes[s->axis_count];
    *x = (sheet_axis){.dim = -1, .var = -1, .bounds = -1};
    const sf_status status = add_axis(s, a, is_half, k == 0, name, x);
    /* Counted also after a failure, so that its memory is freed. */
    s->axis_count++;
    *dim = x->dim;
    return status;
}

/* ---- what belongs to the fields ---------------------------------------------- */

/* Copy a variable of the file `like`, if all its dimensions are here. */
static sf_status copy_variable(sfi_sheet *s, int from, bool *is_there)
{
    const sfi_nc_header *h = like_header(s);
    const sfi_nc_var *v = &h->vars[from];
    int dims[SFI_NC_MOST_RANK], to = 0;
    *is_there = sfi_nc_find_var(&s->header, v->name) >= 0;
    if (*is_there || v->type == SFI_NC_OTHER || s->copy_count == MOST_AXES)
        return SF_OK;
    for (int k = 0; k < v->rank; k++) {
        const sfi_nc_dim *d = &h->dims[v->dims[k]];
        dims[k] = sfi_nc_find_dim(&s->header, d->name);
        if (dims[k] < 0 && v->type == SFI_NC_CHAR)
            SFI_TRY(sfi_nc_add_dim(s->ctx, &s->header, d->name, d->size, false,
                                   &dims[k]));
        if (dims[k] < 0 || s->header.dims[dims[k]].size != d->size)
            return SF_OK;
    }
    const sfi_nc_type type =
        v->type > SFI_NC_DOUBLE && s->header.format < SFI_NC_CDF5
            ? SFI_NC_DOUBLE
            : v->type;
    SFI_TRY(
        sfi_nc_add_var(s->ctx, &s->header, v->name, type, v->rank, dims, &to));
    for (size_t i = 0; i < v->attrs.count; i++) {
        const sfi_nc_attr *a = &v->attrs.list[i];
        const bool is_bounds = strcmp(a->name, "bounds") == 0;
        if (!is_hidden(a->name) && !is_bounds &&
            !(type != v->type && strcmp(a->name, "_FillValue") == 0))
            SFI_TRY(copy_attr(s, &s->header.vars[to].attrs, a));
    }
    s->copies[s->copy_count++] = (sheet_copy){from, to};
    *is_there = true;
    return SF_OK;
}

/* Keep the words of an attribute that name variables of the new file. */
typedef struct gathering {
    sfi_sheet *s;
    sf_status status;
    char text[1024];
    size_t used;
} gathering;

static void gather(void *user, const char *word, size_t size)
{
    gathering *g = user;
    char name[SFI_NC_NAME];
    bool is_there = false;
    if (g->status != SF_OK || size >= sizeof name ||
        g->used + size + 2 > sizeof g->text)
        return;
    snprintf(name, sizeof name, "%.*s", (int)size, word);
    const int from = sfi_nc_find_var(like_header(g->s), name);
    if (from >= 0)
        g->status = copy_variable(g->s, from, &is_there);
    if (is_there)
        g->used += (size_t)snprintf(g->text + g->used, sizeof g->text - g->used,
                                    "%s%s", g->used > 0 ? " " : "", name);
}

/* "coordinates" and "grid_mapping" of a field: their variables come along, and what
 * cannot is not named. */
static sf_status settle_reference(sfi_sheet *s, int var, const char *key)
{
    const char *text = sfi_nc_text(&s->header.vars[var].attrs, key);
    gathering g = {.s = s, .status = SF_OK};
    if (text == NULL)
        return SF_OK;
    if (s->has_like)
        sfi_cf_words(text, gather, &g);
    SFI_TRY(g.status);
    if (g.used > 0)
        return sfi_nc_set_text(s->ctx, &s->header.vars[var].attrs, key, g.text);
    sfi_nc_unset(s->ctx, &s->header.vars[var].attrs, key);
    return SF_OK;
}

/* A grid mapping of our own, where the sphere is not what a reader would assume. */
static sf_status add_mapping(sfi_sheet *s, int var, const sf_grid *g)
{
    double lat = 0.0, lon = 0.0;
    int crs = sfi_nc_find_var(&s->header, "crs");
    const bool is_rotated = sf_grid_pole(g, &lat, &lon);
    const bool on_sphere = sf_grid_geometry(g) == SF_GEOMETRY_SPHERE;
    sfi_nc_attrs *attrs = &s->header.vars[var].attrs;
    if (!on_sphere || sfi_nc_text(attrs, "grid_mapping") != NULL ||
        (sf_grid_radius(g) == SF_EARTH_RADIUS && !is_rotated))
        return SF_OK;
    SFI_TRY(sfi_nc_set_text(s->ctx, attrs, "grid_mapping", "crs"));
    if (crs >= 0)
        return SF_OK;
    SFI_TRY(
        sfi_nc_add_var(s->ctx, &s->header, "crs", SFI_NC_INT, 0, NULL, &crs));
    attrs = &s->header.vars[crs].attrs;
    SFI_TRY(sfi_nc_set_text(s->ctx, attrs, "grid_mapping_name",
                            is_rotated ? "rotated_latitude_longitude"
                                       : "latitude_longitude"));
    SFI_TRY(
        sfi_nc_set_number(s->ctx, attrs, "earth_radius", sf_grid_radius(g)));
    if (!is_rotated)
        return SF_OK;
    SFI_TRY(sfi_nc_set_number(s->ctx, attrs, "grid_north_pole_latitude", lat));
    return sfi_nc_set_number(s->ctx, attrs, "grid_north_pole_longitude", lon);
}

/* The fill value of the file `like`, if it is one of this type, else the library's
 * own. */
static sf_status set_fill(sfi_sheet *s, int var)
{
    sfi_nc_var *v = &s->header.vars[var];
    const sfi_nc_header *like = like_header(s);
    const int from = like != NULL ? sfi_nc_find_var(like, v->name) : -1;
    double fill = sfi_nc_fill(v->type);
    if (from >= 0 && like->vars[from].type == v->type) {
        const double old = sfi_nc_value(&like->vars[from].attrs, "_FillValue");
        if (isfinite(old))
            fill = old;
    }
    const float narrow = (float)fill;
    return v->type == SFI_NC_FLOAT
               ? sfi_nc_set(s->ctx, &v->attrs, "_FillValue", SFI_NC_FLOAT, 1,
                            &narrow)
               : sfi_nc_set_number(s->ctx, &v->attrs, "_FillValue", fill);
}

sf_status sfi_sheet_add(sfi_sheet *s, const sf_field *f, int c, int *var)
{
    const int rank = sf_grid_rank(f->grid);
    int dims[SF_MAX_AXES];
    char name[SFI_NC_NAME];
    if (f->name == NULL || f->name[0] == '\0')
        return SFI_FAIL(s->ctx, SF_E_ARG,
                        "field: a field without a name cannot be written");
    snprintf(name, sizeof name, "%.120s%s%.120s", f->name,
             f->components > 1 ? "_" : "",
             f->components > 1 ? sf_grid_axis(f->grid, c % rank)->name : "");
    for (int k = 0; k < rank; k++)
        SFI_TRY(want_axis(s, f, c, k, &dims[k]));
    SFI_TRY(sfi_nc_add_var(s->ctx, &s->header, name,
                           f->dtype == SF_F32 ? SFI_NC_FLOAT : SFI_NC_DOUBLE,
                           rank, dims, var));
    sfi_nc_var *v = &s->header.vars[*var];
    v->deflate = s->o.deflate;
    const sfi_nc_attrs *attrs = &sfi_owner(f)->attrs;
    for (size_t i = 0; i < attrs->count; i++)
        if (!is_hidden(attrs->list[i].name))
            SFI_TRY(copy_attr(s, &v->attrs, &attrs->list[i]));
    if (f->unit != NULL)
        SFI_TRY(sfi_nc_set_text(s->ctx, &v->attrs, "units", f->unit));
    SFI_TRY(set_fill(s, *var));
    SFI_TRY(settle_reference(s, *var, "coordinates"));
    SFI_TRY(settle_reference(s, *var, "grid_mapping"));
    return add_mapping(s, *var, f->grid);
}

/* ---- values ----------------------------------------------------------------- */

/* Numbers as a variable's type holds them. */
typedef struct narrowing {
    sfi_nc_type type;
    double fill;
    const double *values;
    void *out;
} narrowing;

static void narrow(void *user, int64_t part, int64_t first, int64_t count)
{
    const narrowing *g = user;
    const double *values = g->values;
    const sfi_loops *l = sfi_loops_for(SF_F64);
    double is_there[STRIP], x[STRIP];
    (void)part;
    if (g->type == SFI_NC_INT) {
        for (int64_t i = first; i < first + count; i++)
            ((int32_t *)g->out)[i] =
                (int32_t)(isnan(values[i]) ? g->fill : values[i]);
        return;
    }
    const sf_dtype dtype = g->type == SFI_NC_FLOAT ? SF_F32 : SF_F64;
    for (int64_t at = first; at < first + count; at += STRIP) {
        const int64_t n = sfi_smaller(STRIP, first + count - at);
        l->ew[SFI_EW_EQUAL][0](is_there, values + at, values + at, NULL, n);
        l->ew[SFI_EW_SELECT][4](x, is_there, values + at, &g->fill, n);
        l->store((char *)g->out + (size_t)at * sf_dtype_size(dtype), dtype, 1,
                 x, n, n, 1);
    }
}

static sf_status put_values(sfi_sheet *s, int var, const int64_t *start,
                            const int64_t *count, const double *values)
{
    const sfi_nc_var *v = &s->header.vars[var];
    int64_t points = 1;
    for (int k = 0; k < v->rank; k++)
        points *= count[k];
    const size_t size = sfi_nc_size(v->type);
    void *raw = sfi_alloc(s->ctx, (size_t)points, size);
    if (raw == NULL)
        return SF_E_NOMEM;
    narrowing g = {v->type, sfi_nc_value(&v->attrs, "_FillValue"), values, raw};
    sfi_parallel(s->ctx, points, RANGE, narrow, &g);
    const sf_status status = sfi_nc_write(s->writer, var, start, count, raw);
    sfi_free(s->ctx, raw, (size_t)points, size);
    return status;
}

static sf_status put_axis(sfi_sheet *s, const sheet_axis *x)
{
    const int64_t start[] = {0, 0}, count[] = {x->count, 2};
    SFI_TRY(put_values(s, x->var, start, count, x->coords));
    return x->bounds >= 0 ? put_values(s, x->bounds, start, count, x->edges)
                          : SF_OK;
}

static sf_status put_copy(sfi_sheet *s, const sheet_copy *c)
{
    const sfi_nc_header *h = like_header(s);
    const sfi_nc_var *v = &h->vars[c->from];
    const sfi_nc_type type = s->header.vars[c->to].type;
    int64_t start[SFI_NC_MOST_RANK] = {0}, shape[SFI_NC_MOST_RANK] = {0};
    for (int k = 0; k < v->rank; k++)
        shape[k] = h->dims[v->dims[k]].size;
    const size_t count = (size_t)sfi_nc_var_count(h, c->from);
    void *raw = sfi_alloc(s->ctx, count, sizeof(double));
    double *wide = sfi_alloc(s->ctx, count, sizeof *wide);
    sf_status status = raw != NULL && wide != NULL ? SF_OK : SF_E_NOMEM;
    if (status == SF_OK)
        status = sfi_nc_read(s->like.nc, c->from, start, shape, raw);
    if (status == SF_OK && type != v->type)
        sfi_nc_numbers(v->type, raw, count, wide);
    if (status == SF_OK)
        status = sfi_nc_write(s->writer, c->to, start, shape,
                              type != v->type ? (void *)wide : raw);
    sfi_free(s->ctx, wide, count, sizeof *wide);
    sfi_free(s->ctx, raw, count, sizeof(double));
    return status;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 &&
           first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/* The smallest format that holds the file, where none was asked for: offsets of
 * 2 GiB, and variables of 4 GiB. */
static void widen_format(sfi_sheet *s)
{
    int64_t all = 0, largest = 0;
    for (size_t i = 0; i < s->header.var_count; i++) {
        const int64_t bytes = sfi_nc_var_count(&s->header, (int)i) *
                              (int64_t)sfi_nc_size(s->header.vars[i].type);
        all += bytes;
        largest = bytes > largest ? bytes : largest;
    }
    if (s->o.format != SF_FILE_AUTO)
        return;
    if (s->header.format == SFI_NC_CLASSIC && all > INT32_MAX - (1 << 20))
        s->header.format = SFI_NC_64BIT_OFFSET;
    if (s->header.format == SFI_NC_64BIT_OFFSET &&
        largest > (int64_t)UINT32_MAX - 4)
        s->header.format = SFI_NC_CDF5;
}

sf_status sfi_sheet_create(sfi_sheet *s, const char *path)
{
    if (s->o.like != NULL && is_same_file(path, s->o.like))
        return SFI_FAIL(s->ctx, SF_E_ARG,
                        "%s: is both read and written; want another name for "
                        "the output",
                        path);
    widen_format(s);
    SFI_TRY(sfi_nc_create(s->ctx, &s->writer, path, &s->header));
    for (int i = 0; i < s->axis_count; i++)
        SFI_TRY(put_axis(s, &s->axes[i]));
    for (int i = 0; i < s->copy_count; i++)
        SFI_TRY(put_copy(s, &s->copies[i]));
    const int crs = sfi_nc_find_var(&s->header, "crs");
    const int32_t none = 0;
    return crs >= 0 && s->header.vars[crs].rank == 0 && s->copy_count == 0
               ? sfi_nc_write(s->writer, crs, NULL, NULL, &none)
               : SF_OK;
}

/* The axis of a variable that repeats its first point; -1. */
static int repeated_axis(const sfi_sheet *s, int var)
{
    const sfi_nc_var *v = &s->header.vars[var];
    for (int k = 0; k < v->rank; k++)
        for (int i = 0; i < s->axis_count; i++)
            if (s->axes[i].dim == v->dims[k] && s->axes[i].repeats)
                return k;
    return -1;
}

/* Write the points of index 0 along axis k again, behind the last ones. */
static sf_status put_again(sfi_sheet *s, int var, int k, const int64_t *start,
                           const int64_t *count, const double *values)
{
    const int rank = s->header.vars[var].rank;
    int64_t from[SF_MAX_AXES], extent[SF_MAX_AXES], outer = 1, inner = 1;
    for (int j = 0; j < rank; j++) {
        from[j] = start[j];
        extent[j] = count[j];
        outer *= j < k ? count[j] : 1;
        inner *= j > k ? count[j] : 1;
    }
    from[k] = s->header.dims[s->header.vars[var].dims[k]].size - 1;
    extent[k] = 1;
    const size_t points = (size_t)(outer * inner);
    double *first = sfi_alloc(s->ctx, points, sizeof *first);
    if (first == NULL)
        return SF_E_NOMEM;
    for (int64_t i = 0; i < outer; i++)
        memcpy(first + i * inner, values + i * count[k] * inner,
               (size_t)inner * sizeof *first);
    const sf_status status = put_values(s, var, from, extent, first);
    sfi_free(s->ctx, first, points, sizeof *first);
    return status;
}

sf_status sfi_sheet_put(sfi_sheet *s, int var, const int64_t *start,
                        const int64_t *count, const double *values)
{
    const int k = repeated_axis(s, var);
    SFI_TRY(put_values(s, var, start, count, values));
    return k >= 0 && start[k] == 0 ? put_again(s, var, k, start, count, values)
                                   : SF_OK;
}

sf_status sfi_sheet_close(sfi_sheet *s, sf_status status)
{
    sfi_nc_writer *w = s->writer;
    s->writer = NULL;
    return sfi_nc_writer_close(w, status);
}
