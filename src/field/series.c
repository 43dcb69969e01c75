/* SPDX-License-Identifier: Apache-2.0 */
/* series.c - a sheet whose slabs are single frames; a list of files; or one large array. */
#include "field/series.h"

#include "field/grid.h"
#include "field/write.h"

#include <string.h>

typedef enum series_kind { SHEET, LIST, ARRAY } series_kind;

struct sfi_series {
    sf_context *ctx;
    char *path, *history;
    series_kind kind;
    int count;
    sf_grid *grid;    /* with the new axis in front                       */
    sf_grid *frame;   /* a copy of that of one frame                      */
    sf_field *fields; /* [count] of the whole; of a sheet without values  */
    sfi_sheet *sheet;
    int *vars;
    double *values, *times;
    int64_t points, frames;
};

static void discard(sfi_series *f)
{
    sf_context *ctx = f->ctx;
    for (int i = 0; i < f->count && f->fields != NULL; i++)
        if (f->fields[i].grid != NULL)
            sf_field_free(ctx, &f->fields[i]);
    sfi_sheet_free(f->sheet);
    sf_grid_free(f->grid);
    sf_grid_free(f->frame);
    sfi_free(ctx, f->fields, (size_t)f->count, sizeof *f->fields);
    sfi_free(ctx, f->vars, (size_t)f->count, sizeof *f->vars);
    sfi_free(ctx, f->values, (size_t)f->points, sizeof *f->values);
    sfi_free(ctx, f->times, (size_t)f->frames, sizeof *f->times);
    sfi_free_text(ctx, f->path);
    sfi_free_text(ctx, f->history);
    sfi_free(ctx, f, 1, sizeof *f);
}

static sf_status make_grids(sfi_series *f, const sf_axis *axis,
                            const sf_grid *grid)
{
    sf_axis axes[SF_MAX_AXES];
    const int rank = sf_grid_rank(grid);
    if (rank == SF_MAX_AXES)
        return SFI_FAIL(f->ctx, SF_E_SHAPE,
                        "a grid of %d axes leaves none for \"%s\"", rank,
                        axis->name);
    axes[0] = *axis;
    for (int k = 0; k < rank; k++)
        axes[k + 1] = *sf_grid_axis(grid, k);
    const sf_grid_options o = sfi_grid_options(grid);
    SFI_TRY(sf_grid_new(f->ctx, &f->grid, rank + 1, axes, &o));
    return sf_grid_new(f->ctx, &f->frame, rank, axes + 1, &o);
}

/* What is written at the end, or describes the sheet. */
static sf_status make_fields(sfi_series *f, const sf_field *like)
{
    for (int i = 0; i < f->count; i++) {
        sf_field *to = &f->fields[i];
        if (like[i].place[0] != 0 && f->kind != SHEET)
            return SFI_FAIL(f->ctx, SF_E_ARG,
                            "%s: \"%s\" lies between the points of the grid, "
                            "which only .nc can say; write it at the points",
                            f->path, like[i].name);
        if (f->kind == ARRAY)
            SFI_TRY(sf_field_new(f->ctx, to, f->grid, 1, NULL, SF_F64, 0));
        else
            SFI_TRY(sfi_field_outline(f->ctx, to, f->grid, SF_F64));
        to->place[0] = like[i].place[0] << 1; /* behind the new axis */
        SFI_TRY(sf_field_set_name(f->ctx, to, like[i].name));
        if (like[i].unit != NULL)
            SFI_TRY(sf_field_set_unit(f->ctx, to, like[i].unit));
    }
    return SF_OK;
}

static sf_status open_sheet(sfi_series *f)
{
    sf_field_write_options o = SF_FIELD_WRITE_OPTIONS_INIT;
    o.history = f->history;
    SFI_TRY(sfi_sheet_new(f->ctx, &f->sheet, &o));
    for (int i = 0; i < f->count; i++)
        SFI_TRY(sfi_sheet_add(f->sheet, &f->fields[i], 0, &f->vars[i]));
    return sfi_sheet_create(f->sheet, f->path);
}

static sf_status begin(sfi_series *f, const char *path, const sf_axis *axis,
                       const sf_field *fields, const char *history)
{
    const bool is_list = sfi_path_ends(path, ".pvd");
    const bool is_sheet = sfi_path_ends(path, ".nc") ||
                          sfi_path_ends(path, ".nc4") ||
                          sfi_path_ends(path, ".cdf");
    const size_t n = (size_t)f->count;
    f->kind = is_list ? LIST : is_sheet ? SHEET : ARRAY;
    f->points = sf_grid_points(fields[0].grid);
    f->frames = axis->count;
    f->path = sfi_copy_text(f->ctx, path);
    f->history = history != NULL ? sfi_copy_text(f->ctx, history) : NULL;
    f->fields = sfi_alloc_zero(f->ctx, n, sizeof *f->fields);
    f->vars = sfi_alloc_zero(f->ctx, n, sizeof *f->vars);
    f->values = sfi_alloc(f->ctx, (size_t)f->points, sizeof *f->values);
    f->times = sfi_alloc(f->ctx, (size_t)f->frames, sizeof *f->times);
    if (f->path == NULL || (history != NULL && f->history == NULL) ||
        f->fields == NULL || f->vars == NULL || f->values == NULL ||
        f->times == NULL)
        return SF_E_NOMEM;
    memcpy(f->times, axis->coords, (size_t)f->frames * sizeof *f->times);
    SFI_TRY(make_grids(f, axis, fields[0].grid));
    SFI_TRY(make_fields(f, fields));
    return is_sheet ? open_sheet(f) : SF_OK;
}

sf_status sfi_series_open(sf_context *ctx, sfi_series **out, const char *path,
                          const sf_axis *axis, int n, const sf_field *fields,
                          const char *history)
{
    *out = NULL;
    sfi_series *f = sfi_alloc_zero(ctx, 1, sizeof *f);
    if (f == NULL)
        return SF_E_NOMEM;
    f->ctx = ctx;
    f->count = n;
    const sf_status status = begin(f, path, axis, fields, history);
    if (status == SF_OK)
        *out = f;
    else
        (void)sfi_series_close(f, status);
    return status;
}

/* Into its place in the array. */
static void place(sfi_series *f, int i, int64_t k)
{
    sf_field *to = &f->fields[i];
    sf_field level = *to;
    level.grid = f->frame;
    level.data[0] = (double *)to->data[0] + k * to->step[0];
    for (int a = 0; a < sf_grid_rank(f->frame); a++)
        level.step[a] = to->step[a + 1];
    sf_field_put(&level, 0, f->values);
}

sf_status sfi_series_put(sfi_series *f, int64_t k, const sf_field *fields)
{
    if (f->kind == LIST)
        return sfi_write_pvd_frame(f->ctx, f->path, k, f->count, fields);
    int64_t start[SF_MAX_AXES] = {k}, count[SF_MAX_AXES] = {1};
    for (int i = 0; i < f->count; i++) {
        for (int a = 0; a < sf_grid_rank(f->frame); a++)
            count[a + 1] = sf_field_count(&fields[i], 0, a);
        sf_field_get(&fields[i], 0, f->values);
        if (f->kind == ARRAY)
            place(f, i, k);
        else
            SFI_TRY(
                sfi_sheet_put(f->sheet, f->vars[i], start, count, f->values));
    }
    return SF_OK;
}

sf_status sfi_series_close(sfi_series *f, sf_status status)
{
    if (f == NULL)
        return status;
    if (f->sheet != NULL)
        status = sfi_sheet_close(f->sheet, status);
    else if (status == SF_OK && f->kind == LIST)
        status =
            sfi_write_pvd_list(f->ctx, f->path, f->frames, f->frame, f->times);
    else if (status == SF_OK && f->kind == ARRAY)
        status = sf_field_write(f->ctx, f->path, f->count, f->fields, NULL);
    discard(f);
    return status;
}
