/* SPDX-License-Identifier: Apache-2.0 */
/* plot_field.c - what maps ask of files of fields.
 *
 * Only what is drawn is read: a plane at a time. */
#include "cli/plot_field.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- files ---------------------------------------------------------------------- */

sf_status plot_files_open(cli *c, plot_files *files)
{
    for (int i = 0; i < c->operand_count; i++) {
        SFI_TRY(sfi_field_file_open(c->ctx, &files->file[files->count],
                                    c->operands[i]));
        files->count++;
    }
    return SF_OK;
}

void plot_files_close(plot_files *files)
{
    for (int i = 0; i < files->count; i++)
        sfi_field_file_close(&files->file[i]);
    files->count = 0;
}

static const sfi_field_file *file_with(const plot_files *files,
                                       const char *name)
{
    for (int i = 0; i < files->count && name != NULL; i++)
        if (sfi_nc_find_var(files->file[i].source.header, name) >= 0)
            return &files->file[i];
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
    if (a->count == 0)
        return SFI_FAIL(f->c->ctx, SF_E_SHAPE,
                        "%s: \"%s\" has no points along %s", f->file, f->name,
                        a->name);
    const size_t n = (size_t)a->count;
    a->coords = sfi_alloc(f->c->ctx, n, sizeof *a->coords);
    a->edges = sfi_alloc(f->c->ctx, n + 1, sizeof *a->edges);
    if (a->coords == NULL || a->edges == NULL)
        return SF_E_NOMEM;
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

sf_status plot_field_open(cli *c, plot_field *f, const plot_files *files,
                          const char *name, const char *select)
{
    const sfi_field_file *file = file_with(files, name);
    memset(f, 0, sizeof *f);
    f->c = c;
    f->file = file->source.name;
    SFI_TRY(sfi_field_reader_open(c->ctx, &f->reader, file, name, select, 0.0));
    const sf_status status = open_axes(f);
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
    sfi_field_reader_close(&f->reader);
    memset(f, 0, sizeof *f);
}

sf_status plot_field_plane(plot_field *f, int y, int x, const int64_t *at,
                           double *out)
{
    sf_context *ctx = f->c->ctx;
    int64_t start[SFI_CF_MOST_AXES], count[SFI_CF_MOST_AXES];
    for (int k = 0; k < f->rank; k++) {
        const bool is_shown = k == x || k == y;
        start[k] = is_shown ? 0 : at[k];
        count[k] = is_shown ? f->axis[k].count : 1;
    }
    if (y < x)
        return sfi_field_reader_box(&f->reader, start, count, out);
    const int64_t nx = count[x], ny = count[y];
    const size_t points = (size_t)(nx * ny);
    double *turned = sfi_alloc(ctx, points, sizeof *turned);
    if (turned == NULL)
        return SF_E_NOMEM;
    const sf_status status =
        sfi_field_reader_box(&f->reader, start, count, turned);
    for (int64_t j = 0; j < ny && status == SF_OK; j++)
        for (int64_t i = 0; i < nx; i++)
            out[j * nx + i] = turned[i * ny + j];
    sfi_free(ctx, turned, points, sizeof *turned);
    return status;
}
