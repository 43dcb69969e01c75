/* SPDX-License-Identifier: Apache-2.0 */
/* write.c - fields to files: NetCDF and NPY, and which format a name asks for. */
#include "field/write.h"

#include "io/npy.h"

#include <string.h>
#include <strings.h>

bool sfi_path_ends(const char *path, const char *extension)
{
    const size_t n = strlen(path), m = strlen(extension);
    return n > m && strcasecmp(path + n - m, extension) == 0;
}

/* ---- NetCDF ----------------------------------------------------------------- */

/* Points of a component first, first + 1, ... in row-major order. */
static void get_run(const sf_field *f, int c, int64_t first, int64_t count,
                    double *values)
{
    const int rank = sf_grid_rank(f->grid);
    const int64_t row = sf_field_count(f, c, rank - 1);
    while (count > 0) {
        int64_t rest = first / row, at = first % row;
        const int64_t run = row - at < count ? row - at : count;
        for (int k = rank - 2; k >= 0; k--) {
            const int64_t n = sf_field_count(f, c, k);
            at += rest % n * f->step[k];
            rest /= n;
        }
        for (int64_t i = 0; i < run; i++)
            values[i] = sfi_number_get(f->dtype, f->data[c], at + i);
        values += run;
        first += run;
        count -= run;
    }
}

enum { PIECE = 1 << 18 };

static sf_status put_component(sf_context *ctx, sfi_sheet *s, const sf_field *f,
                               int c, int var)
{
    int64_t shape[SF_MAX_AXES];
    for (int k = 0; k < sf_grid_rank(f->grid); k++)
        shape[k] = sf_field_count(f, c, k);
    double *piece = sfi_alloc(ctx, PIECE, sizeof *piece);
    if (piece == NULL)
        return SF_E_NOMEM;
    sf_status status = SF_OK;
    sfi_slabs slabs = sfi_slabs_of(sf_grid_rank(f->grid), shape, PIECE);
    while (status == SF_OK && sfi_slabs_next(&slabs)) {
        get_run(f, c, slabs.first, slabs.points, piece);
        status = sfi_sheet_put(s, var, slabs.start, slabs.count, piece);
    }
    sfi_free(ctx, piece, PIECE, sizeof *piece);
    return status;
}

static sf_status describe_all(sfi_sheet *s, int n, const sf_field *fields,
                              int *vars)
{
    for (int i = 0; i < n; i++)
        for (int c = 0; c < fields[i].components; c++)
            SFI_TRY(sfi_sheet_add(s, &fields[i], c, vars++));
    return SF_OK;
}

static sf_status put_all(sf_context *ctx, sfi_sheet *s, int n,
                         const sf_field *fields, const int *vars)
{
    for (int i = 0; i < n; i++)
        for (int c = 0; c < fields[i].components; c++)
            SFI_TRY(put_component(ctx, s, &fields[i], c, *vars++));
    return SF_OK;
}

sf_status sfi_write_netcdf(sf_context *ctx, const char *path, int n,
                           const sf_field *fields,
                           const sf_field_write_options *o)
{
    sfi_sheet *s = NULL;
    const size_t most = (size_t)n * SF_MAX_AXES;
    int *vars = sfi_alloc(ctx, most, sizeof *vars);
    if (vars == NULL)
        return SF_E_NOMEM;
    sf_status status = sfi_sheet_new(ctx, &s, o);
    if (status == SF_OK)
        status = describe_all(s, n, fields, vars);
    if (status == SF_OK)
        status = sfi_sheet_create(s, path);
    if (status == SF_OK)
        status = put_all(ctx, s, n, fields, vars);
    if (s != NULL)
        status = sfi_sheet_close(s, status);
    sfi_sheet_free(s);
    sfi_free(ctx, vars, most, sizeof *vars);
    return status;
}

/* ---- NPY -------------------------------------------------------------------- */

static sf_status write_npy(sf_context *ctx, const char *path, int n,
                           const sf_field *f)
{
    int64_t shape[SF_MAX_RANK] = {0};
    int rank = 0;
    if (n != 1)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "%s: an .npy file holds one field, not %d", path, n);
    if (f->components > 1)
        shape[rank++] = f->components;
    for (int k = 0; k < sf_grid_rank(f->grid); k++) {
        shape[rank++] = sf_field_count(f, 0, k);
        for (int c = 1; c < f->components; c++)
            if (sf_field_count(f, c, k) != sf_field_count(f, 0, k))
                return SFI_FAIL(ctx, SF_E_ARG,
                                "%s: the components have different numbers of "
                                "points; want .nc",
                                path);
    }
    sfi_output *out = NULL;
    SFI_TRY(sfi_output_open(ctx, &out, path));
    (void)sfi_npy_write_header(out, f->dtype, rank, shape);
    const size_t bytes = sf_dtype_size(f->dtype);
    for (int c = 0; c < f->components; c++) {
        sfi_row_walk w = sfi_walk(f, c);
        do
            (void)sfi_output_write(
                out, (const char *)f->data[c] + w.at * (int64_t)bytes,
                (size_t)w.count * bytes);
        while (sfi_walk_on(&w));
    }
    return sfi_output_commit(out);
}

/* ---- files by their extensions ---------------------------------------------- */

sf_status sf_field_write(sf_context *ctx, const char *path, int n,
                         const sf_field *fields,
                         const sf_field_write_options *opts)
{
    sf_field_write_options o = SF_FIELD_WRITE_OPTIONS_INIT;
    SFI_TRY(sfi_options(ctx, &o, sizeof o, opts));
    if (n < 1)
        return SFI_FAIL(ctx, SF_E_ARG, "field: %d fields to write", n);
    if (sfi_path_ends(path, ".nc") || sfi_path_ends(path, ".nc4") ||
        sfi_path_ends(path, ".cdf"))
        return sfi_write_netcdf(ctx, path, n, fields, &o);
    if (sfi_path_ends(path, ".npy"))
        return write_npy(ctx, path, n, fields);
    if (sfi_path_ends(path, ".vti") || sfi_path_ends(path, ".vtr"))
        return sfi_write_vtk(ctx, path, sfi_path_ends(path, ".vti"), n, fields);
    if (sfi_path_ends(path, ".pvd"))
        return sfi_write_pvd(ctx, path, n, fields, o.times);
    return SFI_FAIL(ctx, SF_E_ARG,
                    "%s: fields are written to .nc, .npy, .vti, .vtr or .pvd",
                    path);
}
