/* SPDX-License-Identifier: Apache-2.0 */
/* write_vtk.c - fields for ParaView.
 *
 * The last axis of a grid is VTK's x.  VTK wants coordinates that grow; where an axis
 * falls (latitudes often do), its points are written from the last one to the first.
 * A grid of fewer than three axes has one point along the others.  Positions are
 * those of the coordinates: a sphere is a flat map of degrees. */
#include "field/write.h"
#include "io/vtk.h"

#include <stdio.h>
#include <string.h>

/* A grid as VTK sees it: direction d is axis rank - 1 - d. */
typedef struct view {
    sfi_vtk_grid grid;
    bool falls[3];
    double *coords[3];
} view;

static void free_view(sf_context *ctx, view *v)
{
    for (int d = 0; d < 3; d++)
        sfi_free(ctx, v->coords[d], (size_t)v->grid.count[d], sizeof(double));
}

static sf_status make_view(sf_context *ctx, const char *path, const sf_grid *g,
                           bool wants_uniform, view *v)
{
    const int rank = sf_grid_rank(g);
    *v = (view){.grid = {.count = {1, 1, 1}, .is_uniform = wants_uniform}};
    if (rank > 3)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "%s: VTK files have three axes, the field has %d; "
                        "select a point of one",
                        path, rank);
    for (int d = 0; d < rank; d++)
        v->grid.count[d] = sf_grid_axis(g, rank - 1 - d)->count;
    for (int d = 0; d < 3; d++) {
        const int64_t n = v->grid.count[d];
        v->coords[d] = sfi_alloc_zero(ctx, (size_t)n, sizeof(double));
        if (v->coords[d] == NULL)
            return SF_E_NOMEM;
        v->grid.coords[d] = v->coords[d];
        v->grid.step[d] = 1.0;
        if (d >= rank)
            continue;
        const sf_axis *a = sf_grid_axis(g, rank - 1 - d);
        v->falls[d] = n > 1 && a->coords[1] < a->coords[0];
        for (int64_t i = 0; i < n; i++)
            v->coords[d][i] = a->coords[v->falls[d] ? n - 1 - i : i];
        const double step = sfi_axis_step(a);
        if (wants_uniform && step == 0.0 && n > 1)
            return SFI_FAIL(ctx, SF_E_ARG,
                            "%s: axis \"%s\" is not uniform; want .vtr", path,
                            a->name);
        v->grid.first[d] = v->coords[d][0];
        if (n > 1)
            v->grid.step[d] = step < 0.0 ? -step : step;
    }
    return SF_OK;
}

static sf_status check_fields(sf_context *ctx, const char *path, int n,
                              const sf_field *fields)
{
    for (int i = 0; i < n; i++) {
        const sf_field *f = &fields[i];
        for (int c = 0; c < f->components; c++)
            if (f->place[c] != 0)
                return SFI_FAIL(ctx, SF_E_ARG,
                                "%s: a field between the points of its grid "
                                "cannot be written; want .nc",
                                path);
        if (f->grid != fields[0].grid)
            for (int k = 0; k < sf_grid_rank(f->grid); k++) {
                int64_t first = 0;
                if (sf_grid_rank(f->grid) != sf_grid_rank(fields[0].grid) ||
                    !sfi_axis_same(sf_grid_axis(f->grid, k),
                                   sf_grid_axis(fields[0].grid, k), 1e-6,
                                   &first))
                    return SFI_FAIL(ctx, SF_E_ARG,
                                    "%s: a VTK file has one grid; these fields "
                                    "have different ones",
                                    path);
            }
    }
    return SF_OK;
}

/* Where the point (x, y, z) of the view is in the field's memory. */
static int64_t element(const sf_field *f, const view *v, const int64_t *at)
{
    const int rank = sf_grid_rank(f->grid);
    int64_t e = 0;
    for (int d = 0; d < rank; d++) {
        const int64_t i = v->falls[d] ? v->grid.count[d] - 1 - at[d] : at[d];
        e += i * f->step[rank - 1 - d];
    }
    return e;
}

/* The component along direction d, or -1: a zero. */
static int component(const sf_field *f, int d)
{
    if (f->components == 1)
        return d == 0 ? 0 : -1;
    const int c = f->components - 1 - d;
    return c >= 0 ? c : -1;
}

static void put_field(sfi_output *out, const sf_field *f, const view *v,
                      int components)
{
    int64_t at[3];
    const size_t bytes = sf_dtype_size(f->dtype);
    for (at[2] = 0; at[2] < v->grid.count[2]; at[2]++)
        for (at[1] = 0; at[1] < v->grid.count[1]; at[1]++)
            for (at[0] = 0; at[0] < v->grid.count[0]; at[0]++) {
                const int64_t e = element(f, v, at);
                for (int d = 0; d < components; d++) {
                    static const double zero = 0.0;
                    const int c = component(f, d);
                    sfi_output_write(out,
                                     c < 0 ? (const char *)&zero
                                           : (const char *)f->data[c] +
                                                 e * (int64_t)bytes,
                                     bytes);
                }
            }
}

static sf_status put_file(sfi_output *out, const view *v, int n,
                          const sf_field *fields, sfi_vtk_array *arrays)
{
    for (int i = 0; i < n; i++)
        arrays[i] =
            (sfi_vtk_array){fields[i].name != NULL ? fields[i].name : "field",
                            fields[i].dtype, fields[i].components > 1 ? 3 : 1};
    sfi_vtk_begin(out, &v->grid, n, arrays);
    for (int i = 0; i < n; i++) {
        sfi_vtk_begin_array(out, &v->grid, &arrays[i]);
        put_field(out, &fields[i], v, arrays[i].components);
    }
    sfi_vtk_coordinates(out, &v->grid);
    sfi_vtk_end(out);
    return sfi_output_status(out);
}

sf_status sfi_write_vtk(sf_context *ctx, const char *path, bool is_uniform,
                        int n, const sf_field *fields)
{
    view v;
    sfi_output *out = NULL;
    SFI_TRY(check_fields(ctx, path, n, fields));
    sfi_vtk_array *arrays = sfi_alloc(ctx, (size_t)n, sizeof *arrays);
    if (arrays == NULL)
        return SF_E_NOMEM;
    sf_status status = make_view(ctx, path, fields[0].grid, is_uniform, &v);
    if (status == SF_OK)
        status = sfi_output_open(ctx, &out, path);
    if (status == SF_OK)
        status = sfi_output_close(out, put_file(out, &v, n, fields, arrays));
    free_view(ctx, &v);
    sfi_free(ctx, arrays, (size_t)n, sizeof *arrays);
    return status;
}

/* ---- lists of times --------------------------------------------------------- */

static bool has_steps(const sf_grid *g)
{
    for (int k = 0; k < sf_grid_rank(g); k++)
        if (sfi_axis_step(sf_grid_axis(g, k)) == 0.0 &&
            sf_grid_axis(g, k)->count > 1)
            return false;
    return true;
}

sf_status sfi_write_pvd_frame(sf_context *ctx, const char *path, int64_t frame,
                              int n, const sf_field *fields)
{
    const size_t stem = strlen(path) - strlen(".pvd"), size = stem + 32;
    const bool is_uniform = has_steps(fields[0].grid);
    char *name = sfi_alloc(ctx, size, 1);
    if (name == NULL)
        return SF_E_NOMEM;
    snprintf(name, size, "%.*s_%04lld.%s", (int)stem, path, (long long)frame,
             is_uniform ? "vti" : "vtr");
    const sf_status status = sfi_write_vtk(ctx, name, is_uniform, n, fields);
    sfi_free(ctx, name, size, 1);
    return status;
}

/* Names of the frames, without their folder: they lie beside the list. */
sf_status sfi_write_pvd_list(sf_context *ctx, const char *path, int64_t frames,
                             const sf_grid *grid, const double *times)
{
    const size_t stem = strlen(path) - strlen(".pvd"), size = stem + 32;
    const size_t n = (size_t)frames;
    const char *slash = strrchr(path, '/');
    const int folder = slash != NULL ? (int)(slash - path) + 1 : 0;
    const char **names = sfi_alloc_zero(ctx, n, sizeof *names);
    char *room = sfi_alloc_zero(ctx, n, size);
    sfi_output *out = NULL;
    sf_status status = names != NULL && room != NULL ? SF_OK : SF_E_NOMEM;
    for (size_t i = 0; i < n && status == SF_OK; i++) {
        names[i] = room + i * size;
        snprintf(room + i * size, size, "%.*s_%04zu.%s", (int)stem - folder,
                 path + folder, i, has_steps(grid) ? "vti" : "vtr");
    }
    if (status == SF_OK)
        status = sfi_output_open(ctx, &out, path);
    if (status == SF_OK)
        status =
            sfi_output_close(out, sfi_vtk_list(out, (int)frames, names, times));
    sfi_free(ctx, room, n, size);
    sfi_free(ctx, names, n, sizeof *names);
    return status;
}

sf_status sfi_write_pvd(sf_context *ctx, const char *path, int n,
                        const sf_field *fields, const double *times)
{
    for (int i = 0; i < n; i++) {
        if (has_steps(fields[i].grid) != has_steps(fields[0].grid))
            return SFI_FAIL(ctx, SF_E_ARG,
                            "%s: fields of a list are to lie on grids of one "
                            "kind",
                            path);
        SFI_TRY(sfi_write_pvd_frame(ctx, path, i, 1, &fields[i]));
    }
    return sfi_write_pvd_list(ctx, path, n, fields[0].grid, times);
}
