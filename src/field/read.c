/* SPDX-License-Identifier: Apache-2.0 */
/* read.c - whole variables as fields in memory. */
#include "field/layout.h"
#include "field/reader.h"
#include "field/write.h"
#include "io/npy.h"

#include <string.h>

/* ---- NetCDF ----------------------------------------------------------------- */

/* Attributes that say how the file holds the numbers, and would be wrong or
 * meaningless in another one. */
static bool is_storage(const char *name)
{
    static const char *const names[] = {"scale_factor",
                                        "add_offset",
                                        "_FillValue",
                                        "missing_value",
                                        "_Unsigned",
                                        "valid_min",
                                        "valid_max",
                                        "valid_range",
                                        "actual_range",
                                        "units",
                                        "unpacked_valid_range",
                                        "packed_valid_range"};
    for (size_t i = 0; i < SFI_COUNT(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static sf_status describe(sf_context *ctx, const sfi_field_reader *r,
                          sf_field *f)
{
    const sfi_nc_var *v = &r->file->source.header->vars[r->cf->var];
    const char *slash = strrchr(v->name, '/');
    SFI_TRY(sf_field_set_name(ctx, f, slash != NULL ? slash + 1 : v->name));
    SFI_TRY(sf_field_set_unit(ctx, f, r->cf->unit));
    for (size_t i = 0; i < v->attrs.count; i++) {
        const sfi_nc_attr *a = &v->attrs.list[i];
        if (!is_storage(a->name))
            SFI_TRY(sfi_nc_set(ctx, &sfi_owner(f)->attrs, a->name, a->type,
                               a->count, a->values));
    }
    return SF_OK;
}

/* Put values first, first + 1, ... of a dense row-major array into a field. */
static void put_run(sf_field *f, int64_t first, int64_t count,
                    const double *values)
{
    const int rank = sf_grid_rank(f->grid);
    const int64_t row = sf_field_count(f, 0, rank - 1);
    while (count > 0) {
        int64_t rest = first / row, at = first % row;
        const int64_t run = row - at < count ? row - at : count;
        for (int k = rank - 2; k >= 0; k--) {
            const int64_t n = sf_field_count(f, 0, k);
            at += rest % n * f->step[k];
            rest /= n;
        }
        for (int64_t i = 0; i < run; i++)
            sfi_number_put(f->dtype, f->data[0], at + i, values[i]);
        values += run;
        first += run;
        count -= run;
    }
}

static sf_status read_values(sfi_field_reader *r, sf_field *f)
{
    double *piece = sfi_alloc(r->ctx, r->piece, sizeof *piece);
    if (piece == NULL)
        return SF_E_NOMEM;
    sf_status status = SF_OK;
    sfi_slabs s = sfi_slabs_of(r->rank, r->shape, (int64_t)r->piece);
    while (status == SF_OK && sfi_slabs_next(&s)) {
        status = sfi_field_reader_box(r, s.start, s.count, piece, NULL);
        if (status == SF_OK)
            put_run(f, s.first, s.points, piece);
    }
    sfi_free(r->ctx, piece, r->piece, sizeof *piece);
    return status;
}

static sf_status read_variable(sf_context *ctx, sf_field *out,
                               sfi_field_reader *r,
                               const sf_field_read_options *o)
{
    sf_grid *grid = NULL;
    SFI_TRY(sfi_field_reader_grid(r, &grid));
    const sf_status status =
        sf_field_new(ctx, out, grid, 1, NULL, o->dtype, o->halo);
    if (status != SF_OK) {
        sf_grid_free(grid);
        return status;
    }
    sfi_field_adopt(out, grid);
    SFI_TRY(describe(ctx, r, out));
    return read_values(r, out);
}

static sf_status read_netcdf(sf_context *ctx, sf_field *out, const char *path,
                             const char *var, const sf_field_read_options *o)
{
    sfi_field_file file;
    sfi_field_reader reader;
    SFI_TRY(sfi_field_file_open(ctx, &file, path));
    sf_status status =
        sfi_field_reader_open(ctx, &reader, &file, var, o->select, o->radius);
    if (status == SF_OK) {
        status = read_variable(ctx, out, &reader, o);
        if (status == SF_OK)
            sfi_field_reader_warn(&reader);
        sfi_field_reader_close(&reader);
    }
    sfi_field_file_close(&file);
    return status;
}

/* ---- NPY -------------------------------------------------------------------- */

static sf_status check_shape(sf_context *ctx, const char *path,
                             const sf_array *a, const sf_grid *g)
{
    if (a->rank != sf_grid_rank(g))
        return SFI_FAIL(ctx, SF_E_FORMAT,
                        "%s: an array of %d axes, but the grid has %d", path,
                        a->rank, sf_grid_rank(g));
    for (int k = 0; k < a->rank; k++)
        if (a->shape[k] != sf_grid_axis(g, k)->count)
            return SFI_FAIL(ctx, SF_E_FORMAT,
                            "%s: axis %d of the array has %lld points, axis "
                            "\"%s\" of the grid %lld",
                            path, k, (long long)a->shape[k],
                            sf_grid_axis(g, k)->name,
                            (long long)sf_grid_axis(g, k)->count);
    return SF_OK;
}

static sf_status fill_from_array(sf_context *ctx, sf_field *out,
                                 const char *path, const sf_array *a,
                                 const sf_field_read_options *o)
{
    sf_grid *grid = NULL;
    SFI_TRY(sf_grid_parse(ctx, &grid, o->grid));
    sf_status status = check_shape(ctx, path, a, grid);
    if (status == SF_OK)
        status = sf_field_new(ctx, out, grid, 1, NULL, o->dtype, o->halo);
    if (status != SF_OK) {
        sf_grid_free(grid);
        return status;
    }
    sfi_field_adopt(out, grid);
    sf_field_put(out, 0, a->data);
    return SF_OK;
}

static sf_status read_npy(sf_context *ctx, sf_field *out, const char *path,
                          const char *var, const sf_field_read_options *o)
{
    sf_array a;
    if (o->grid == NULL)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "%s: an .npy file has no coordinates; give its grid",
                        path);
    if (var != NULL || o->select != NULL)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "%s: an .npy file holds one array; variables and "
                        "selections are of NetCDF files",
                        path);
    SFI_TRY(sfi_npy_read_array(ctx, &a, SF_F64, path));
    const sf_status status = fill_from_array(ctx, out, path, &a, o);
    sf_array_free(ctx, &a);
    return status;
}

/* ---- files by their extensions ---------------------------------------------- */

sf_status sf_field_read(sf_context *ctx, sf_field *out, const char *path,
                        const char *var, const sf_field_read_options *opts)
{
    sf_field_read_options o = SF_FIELD_READ_OPTIONS_INIT;
    memset(out, 0, sizeof *out);
    SFI_TRY(sfi_options(ctx, &o, sizeof o, opts));
    if (!(o.radius >= 0.0))
        return SFI_FAIL(ctx, SF_E_ARG, "field: radius is %g, want > 0",
                        o.radius);
    if (!sfi_path_ends(path, ".npy") && o.grid != NULL)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "%s: a grid is given for .npy files only", path);
    const sf_status status = sfi_path_ends(path, ".npy")
                                 ? read_npy(ctx, out, path, var, &o)
                                 : read_netcdf(ctx, out, path, var, &o);
    if (status != SF_OK)
        sf_field_free(ctx, out);
    return status;
}
