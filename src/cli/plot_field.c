/* SPDX-License-Identifier: Apache-2.0 */
/* plot_field.c - what maps ask of files of fields.
 *
 * Only what is drawn is read: a plane at a time. */
#include "cli/plot_field.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- files ---------------------------------------------------------------------- */

/* The name of an array: that of its file, without folder and ending. */
static void name_array(plot_file *f)
{
    const char *slash = strrchr(f->path, '/');
    const char *base = slash != NULL ? slash + 1 : f->path;
    const char *dot = strrchr(base, '.');
    snprintf(f->name, sizeof f->name, "%.*s",
             (int)(dot != NULL ? (size_t)(dot - base) : strlen(base)), base);
}

sf_status plot_files_open(cli *c, plot_files *files, const char *grid)
{
    files->ctx = c->ctx;
    for (int i = 0; i < c->operand_count; i++) {
        if (grid != NULL && !cli_has_extension(c->operands[i], ".npy"))
            return SFI_FAIL(c->ctx, SF_E_ARG,
                            "%s: --grid gives the axes of .npy files alone",
                            c->operands[i]);
        plot_file *f = &files->file[files->count];
        f->path = c->operands[i];
        f->is_array = cli_has_extension(f->path, ".npy");
        sf_field_read_options o = SF_FIELD_READ_OPTIONS_INIT;
        o.grid = grid;
        if (f->is_array)
            SFI_TRY(sf_field_read(c->ctx, &f->array, f->path, NULL, &o));
        else
            SFI_TRY(sfi_field_file_open(c->ctx, &f->nc, f->path));
        name_array(f);
        files->count++;
    }
    return SF_OK;
}

void plot_files_close(plot_files *files)
{
    for (int i = 0; i < files->count; i++)
        if (files->file[i].is_array)
            sf_field_free(files->ctx, &files->file[i].array);
        else
            sfi_field_file_close(&files->file[i].nc);
    files->count = 0;
}

static const plot_file *file_with(const plot_files *files, const char *name)
{
    for (int i = 0; i < files->count && name != NULL; i++) {
        const plot_file *f = &files->file[i];
        if (f->is_array ? strcmp(f->name, name) == 0
                        : sfi_nc_find_var(f->nc.source.header, name) >= 0)
            return f;
    }
    return &files->file[0];
}

/* ---- axes ----------------------------------------------------------------------- */

/* Whether an axis counts downwards: it says so, or it is a pressure. */
static bool counts_down(const sfi_nc_header *h, const sfi_cf_axis *a)
{
    static const char *const pressures[] = {
        "Pa", "hPa", "kPa", "mb", "mbar", "millibar", "millibars", "bar"};
    if (a->role != SF_ROLE_LEV && a->role != SF_ROLE_Z)
        return false;
    const char *positive =
        a->var >= 0 ? sfi_nc_text(&h->vars[a->var].attrs, "positive") : NULL;
    if (positive != NULL)
        return strcmp(positive, "down") == 0;
    for (size_t i = 0; a->unit != NULL && i < SFI_COUNT(pressures); i++)
        if (strcmp(a->unit, pressures[i]) == 0)
            return true;
    return false;
}

static sf_status new_axis(plot_field *f, plot_axis *a)
{
    if (a->count == 0)
        return SFI_FAIL(f->c->ctx, SF_E_SHAPE,
                        "%s: \"%s\" has no points along %s", f->file, f->name,
                        a->name);
    const size_t n = (size_t)a->count;
    a->coords = sfi_alloc(f->c->ctx, n, sizeof *a->coords);
    a->edges = sfi_alloc(f->c->ctx, n + 1, sizeof *a->edges);
    return a->coords != NULL && a->edges != NULL ? SF_OK : SF_E_NOMEM;
}

static sf_status copy_axis(plot_field *f, int k)
{
    const sfi_field_reader *r = &f->reader;
    const sfi_cf_axis *from = &r->cf->axis[r->kept[k]];
    plot_axis *a = &f->axis[k];
    *a = (plot_axis){.name = from->name,
                     .unit = from->unit,
                     .role = from->role,
                     .count = r->shape[k],
                     .turn = from->turn,
                     .is_dated = from->is_dated,
                     .clock = from->clock,
                     .falls = counts_down(r->file->source.header, from)};
    SFI_TRY(new_axis(f, a));
    SFI_TRY(sfi_field_reader_edges(r, k, a->edges));
    for (int64_t i = 0; i < a->count; i++) {
        /* What was selected may go over the seam of a closed axis. */
        const int64_t at = (r->spans[r->kept[k]].first + i) % from->count;
        const double middle = 0.5 * a->edges[i] + 0.5 * a->edges[i + 1];
        a->coords[i] = from->coords[at];
        if (from->period > 0.0)
            a->coords[i] +=
                from->period * rint((middle - a->coords[i]) / from->period);
    }
    return SF_OK;
}

/* ---- fields --------------------------------------------------------------------- */

/* The axes of which one point was asked for, as words. */
static void name_points(plot_field *f)
{
    const sfi_cf *cf = f->reader.cf;
    for (int k = 0; k < cf->rank; k++) {
        const sfi_span *span = &f->reader.spans[k];
        const sfi_cf_axis *a = &cf->axis[k];
        if (!span->is_single)
            continue;
        double *coords = a->coords;
        const plot_axis point = {.name = a->name,
                                 .unit = a->unit,
                                 .role = a->role,
                                 .count = a->count,
                                 .coords = coords,
                                 .is_dated = a->is_dated,
                                 .clock = a->clock};
        plot_append_point(&point, span->first, f->points, sizeof f->points);
    }
}

static sf_status open_axes(plot_field *f)
{
    const sfi_cf *cf = f->reader.cf;
    f->name = cf->source->header->vars[cf->var].name;
    f->unit = cf->unit;
    f->long_name = cf->long_name;
    f->standard_name = cf->standard_name;
    f->is_rotated = cf->is_rotated;
    for (int k = 0; k < f->reader.rank; k++) {
        f->rank++;
        SFI_TRY(copy_axis(f, k));
    }
    name_points(f);
    return SF_OK;
}

/* Of several fields none was named: say by which option. */
static sf_status name_option(cli *c, const sfi_nc_header *h, sf_status status)
{
    bool *is_field = sfi_alloc(c->ctx, h->var_count, sizeof *is_field);
    const char *first = NULL;
    int count = 0;
    if (is_field == NULL)
        return SF_E_NOMEM;
    sfi_cf_fields(h, is_field);
    for (size_t i = 0; i < h->var_count; i++)
        if (is_field[i] && count++ == 0)
            first = h->vars[i].name;
    sfi_free(c->ctx, is_field, h->var_count, sizeof *is_field);
    if (count < 2)
        return status;
    char message[512];
    snprintf(message, sizeof message, "%s", sf_context_message(c->ctx));
    return SFI_FAIL(c->ctx, status, "%s (--var %s is the first of them)",
                    message, first);
}

static sf_status open_netcdf(plot_field *f, const plot_file *file,
                             const char *name, const char *select)
{
    f->file = file->nc.source.name;
    const sf_status status = sfi_field_reader_open(
        f->c->ctx, &f->reader, &file->nc, name, select, 0.0);
    if (status != SF_OK)
        return name == NULL ? name_option(f->c, file->nc.source.header, status)
                            : status;
    return open_axes(f);
}

static sf_status copy_array_axis(plot_field *f, int k)
{
    const sf_axis *from = sf_grid_axis(f->array->grid, k);
    plot_axis *a = &f->axis[k];
    *a = (plot_axis){.name = from->name,
                     .unit = from->unit,
                     .role = from->role,
                     .count = from->count};
    if (from->role == SF_ROLE_LON || from->role == SF_ROLE_THETA)
        a->turn = from->role == SF_ROLE_LON ? 360.0 : 6.283185307179586;
    SFI_TRY(new_axis(f, a));
    memcpy(a->coords, from->coords, (size_t)a->count * sizeof *a->coords);
    memcpy(a->edges, from->edges, ((size_t)a->count + 1) * sizeof *a->edges);
    return SF_OK;
}

static sf_status open_array(plot_field *f, const plot_file *file,
                            const char *name, const char *select)
{
    f->file = file->path;
    f->name = file->name;
    f->array = &file->array;
    if (name != NULL && strcmp(name, file->name) != 0)
        return SFI_FAIL(f->c->ctx, SF_E_ARG,
                        "no file holds \"%s\"; the array of %s is called "
                        "\"%s\"",
                        name, file->path, file->name);
    if (select != NULL)
        return SFI_FAIL(f->c->ctx, SF_E_ARG,
                        "%s: --select applies only to NetCDF files", f->file);
    for (int k = 0; k < sf_grid_rank(f->array->grid); k++) {
        f->rank++;
        SFI_TRY(copy_array_axis(f, k));
    }
    return SF_OK;
}

sf_status plot_field_open(cli *c, plot_field *f, const plot_files *files,
                          const char *name, const char *select)
{
    const plot_file *file = file_with(files, name);
    memset(f, 0, sizeof *f);
    f->c = c;
    const sf_status status = file->is_array
                                 ? open_array(f, file, name, select)
                                 : open_netcdf(f, file, name, select);
    if (status != SF_OK)
        plot_field_close(f);
    return status;
}

void plot_field_close(plot_field *f)
{
    if (f->c == NULL)
        return;
    for (int k = 0; k < f->rank; k++) {
        const size_t n = (size_t)f->axis[k].count;
        sfi_free(f->c->ctx, f->axis[k].coords, n, sizeof(double));
        sfi_free(f->c->ctx, f->axis[k].edges, n + 1, sizeof(double));
    }
    if (f->array == NULL)
        sfi_field_reader_close(&f->reader);
    memset(f, 0, sizeof *f);
}

void plot_field_warn(const plot_field *f, bool has_positions)
{
    static const char unknown[] = ": nothing tells what it measures";
    if (f->array != NULL)
        return;
    const sfi_cf *cf = f->reader.cf;
    for (int i = 0; i < cf->remark_count; i++) {
        const char *end = strstr(cf->remarks[i], unknown);
        if (!has_positions || end == NULL)
            sfi_warn(f->c->ctx, "%s: %s", f->file, cf->remarks[i]);
    }
}

/* ---- planes --------------------------------------------------------------------- */

/* A plane of an array in memory. */
static void copy_plane(const plot_field *f, int y, int x, const int64_t *at,
                       double *out)
{
    const sf_field *a = f->array;
    const double *from = a->data[0];
    for (int k = 0; k < f->rank; k++)
        if (k != x && k != y)
            from += at[k] * a->step[k];
    for (int64_t j = 0; j < f->axis[y].count; j++)
        for (int64_t i = 0; i < f->axis[x].count; i++)
            *out++ = from[j * a->step[y] + i * a->step[x]];
}

/* out[j, i] = in[i, j] */
static void transpose(const double *in, int64_t ny, int64_t nx, double *out)
{
    for (int64_t j = 0; j < ny; j++)
        for (int64_t i = 0; i < nx; i++)
            out[j * nx + i] = in[i * ny + j];
}

/* Read a box whose only axes of several points are x and y, turned if x comes first. */
static sf_status read_plane(sfi_field_reader *r, const int64_t *start,
                            const int64_t *count, int y, int x, double *out)
{
    if (y < x)
        return sfi_field_reader_box(r, start, count, out, NULL);
    const size_t points = (size_t)(count[x] * count[y]);
    double *turned = sfi_alloc(r->ctx, points, sizeof *turned);
    if (turned == NULL)
        return SF_E_NOMEM;
    const sf_status status =
        sfi_field_reader_box(r, start, count, turned, NULL);
    if (status == SF_OK)
        transpose(turned, count[y], count[x], out);
    sfi_free(r->ctx, turned, points, sizeof *turned);
    return status;
}

sf_status plot_field_plane(plot_field *f, int y, int x, const int64_t *at,
                           double *out)
{
    int64_t start[SFI_CF_MOST_AXES], count[SFI_CF_MOST_AXES];
    if (f->array != NULL) {
        copy_plane(f, y, x, at, out);
        return SF_OK;
    }
    for (int k = 0; k < f->rank; k++) {
        const bool is_shown = k == x || k == y;
        start[k] = is_shown ? 0 : at[k];
        count[k] = is_shown ? f->axis[k].count : 1;
    }
    return read_plane(&f->reader, start, count, y, x, out);
}

/* ---- positions in two dimensions ------------------------------------------------ */

/* Variables of latitude and longitude over the dimensions of two axes. */
typedef struct position_search {
    const sfi_cf *cf;
    int dims[2];  /* of y and x                                           */
    int lat, lon; /* or -1                                                */
} position_search;

static bool says(const sfi_nc_var *v, const char *word, const char *unit)
{
    const char *name = sfi_nc_text(&v->attrs, "standard_name"),
               *units = sfi_nc_text(&v->attrs, "units");
    return (name != NULL && strcmp(name, word) == 0) ||
           (name == NULL && units != NULL && strncmp(units, "degree", 6) == 0 &&
            strstr(units, unit) != NULL);
}

static void look_at(void *user, const char *word, size_t size)
{
    position_search *s = user;
    const sfi_nc_header *h = s->cf->source->header;
    const int var = sfi_cf_lookup(h, s->cf->var, word, size);
    if (var < 0 || h->vars[var].rank != 2)
        return;
    const sfi_nc_var *v = &h->vars[var];
    const bool fits = (v->dims[0] == s->dims[0] && v->dims[1] == s->dims[1]) ||
                      (v->dims[0] == s->dims[1] && v->dims[1] == s->dims[0]);
    if (fits && says(v, "latitude", "north"))
        s->lat = var;
    if (fits && says(v, "longitude", "east"))
        s->lon = var;
}

/* The part of a position's variable that is selected of the field. */
static sf_status read_positions(const plot_field *f, int y, int x, int var,
                                double *out)
{
    const sfi_field_reader *own = &f->reader;
    const char *name = own->cf->source->header->vars[var].name;
    const int axes[] = {own->kept[y], own->kept[x]};
    sfi_field_reader r;
    SFI_TRY(sfi_field_reader_open(f->c->ctx, &r, own->file, name, NULL, 0.0));
    int64_t start[2], count[2];
    const bool is_turned = r.cf->axis[0].dim != own->cf->axis[axes[0]].dim;
    for (int k = 0; k < 2; k++) {
        const sfi_span *span = &own->spans[axes[k]];
        start[is_turned ? 1 - k : k] = span->first;
        count[is_turned ? 1 - k : k] = span->count;
    }
    const sf_status status =
        read_plane(&r, start, count, is_turned, !is_turned, out);
    sfi_field_reader_close(&r);
    return status;
}

sf_status plot_field_positions(plot_field *f, int y, int x, bool *has_positions,
                               double **lat, double **lon)
{
    *has_positions = false;
    if (f->array != NULL)
        return SF_OK;
    const sfi_cf *cf = f->reader.cf;
    position_search s = {.cf = cf,
                         .dims = {cf->axis[f->reader.kept[y]].dim,
                                  cf->axis[f->reader.kept[x]].dim},
                         .lat = -1,
                         .lon = -1};
    const char *list =
        sfi_nc_text(&cf->source->header->vars[cf->var].attrs, "coordinates");
    if (list != NULL && !f->is_rotated)
        sfi_cf_words(list, look_at, &s);
    if (s.lat < 0 || s.lon < 0 || f->axis[y].count < 2 || f->axis[x].count < 2)
        return SF_OK;
    *has_positions = true;
    const size_t points = (size_t)(f->axis[y].count * f->axis[x].count);
    *lat = sfi_alloc(f->c->ctx, points, sizeof **lat);
    *lon = sfi_alloc(f->c->ctx, points, sizeof **lon);
    if (*lat == NULL || *lon == NULL)
        return SF_E_NOMEM;
    SFI_TRY(read_positions(f, y, x, s.lat, *lat));
    return read_positions(f, y, x, s.lon, *lon);
}
