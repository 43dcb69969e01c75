/* SPDX-License-Identifier: Apache-2.0 */
/* layout.c - fields in memory.
 *
 *     |  16 of lead  |  count values  |  tail, at least the halo  |
 *
 * A row is a multiple of 16 elements, so that its first value is aligned to 64
 * bytes in either type if the block is; a row that would be a power of two elements
 * long gets 16 more, since rows at such distances share few sets of a cache.  Lead
 * and tail begin as zeros: a loop that runs over a row's end reads finite numbers.
 * Planes are rows with a halo of rows before and behind, and so on; their pitch is
 * no power of two if that of a row is none. */
#include "field/layout.h"

#include "base/text.h"

#include <limits.h>
#include <math.h>
#include <string.h>

enum { LEAD = 16, UNIT = 16 };

/* ---- extents ---------------------------------------------------------------- */

int64_t sf_field_count(const sf_field *f, int c, int k)
{
    const sf_axis *axis = sf_grid_axis(f->grid, k);
    const bool is_half = f->place[c] >> k & 1u;
    return axis->count - (is_half && !(axis->period > 0.0));
}

int64_t sf_field_points(const sf_field *f, int c)
{
    int64_t points = 1;
    for (int k = 0; k < sf_grid_rank(f->grid); k++)
        points *= sf_field_count(f, c, k);
    return points;
}

sfi_row_walk sfi_walk(const sf_field *f, int c)
{
    sfi_row_walk w = {.rank = sf_grid_rank(f->grid)};
    bool is_empty = false;
    for (int k = 0; k < w.rank; k++) {
        w.extent[k] = sf_field_count(f, c, k);
        w.step[k] = f->step[k];
        is_empty = is_empty || w.extent[k] == 0;
    }
    w.count = is_empty ? 0 : w.extent[w.rank - 1];
    return w;
}

bool sfi_walk_on(sfi_row_walk *w)
{
    if (w->count == 0)
        return false;
    for (int k = w->rank - 2; k >= 0; k--) {
        w->at += w->step[k];
        if (++w->index[k] < w->extent[k])
            return true;
        w->at -= w->index[k] * w->step[k];
        w->index[k] = 0;
    }
    return false;
}

/* ---- making ----------------------------------------------------------------- */

static sf_status check(sf_context *ctx, const sf_grid *grid, int components,
                       const unsigned *place, sf_dtype dtype, int halo)
{
    const int rank = sf_grid_rank(grid);
    if (components < 1 || components > SF_MAX_AXES)
        return SFI_FAIL(ctx, SF_E_ARG, "field: %d components, want 1 to %d",
                        components, SF_MAX_AXES);
    if (dtype != SF_F32 && dtype != SF_F64)
        return SFI_FAIL(ctx, SF_E_ARG,
                        "field: dtype is %d, want SF_F32 or SF_F64",
                        (int)dtype);
    if (halo < 0 || halo > SF_MAX_HALO)
        return SFI_FAIL(ctx, SF_E_ARG, "field: halo is %d, want 0 to %d", halo,
                        SF_MAX_HALO);
    for (int c = 0; c < components && place != NULL; c++)
        if (place[c] >> rank != 0)
            return SFI_FAIL(ctx, SF_E_ARG,
                            "field: component %d has place %u, want less than "
                            "%u",
                            c, place[c], 1u << rank);
    for (int k = 0; k < rank; k++)
        if (sf_grid_axis(grid, k)->count < halo)
            return SFI_FAIL(ctx, SF_E_SHAPE,
                            "field: axis \"%s\" has %lld points, fewer than "
                            "the halo of %d",
                            sf_grid_axis(grid, k)->name,
                            (long long)sf_grid_axis(grid, k)->count, halo);
    return SF_OK;
}

/* A product that fits into the address space, or -1. */
static int64_t times(int64_t a, int64_t b)
{
    return a < 0 || b > INT64_MAX / 16 / (a > 0 ? a : 1) ? -1 : a * b;
}

/* Steps of a field, and the elements of one component; -1 if too many. */
static int64_t lay_out(const sf_grid *grid, int halo, int64_t *step,
                       int64_t *first)
{
    const int rank = sf_grid_rank(grid);
    const int64_t last = sf_grid_axis(grid, rank - 1)->count;
    if (last > INT64_MAX / 16)
        return -1;
    int64_t pitch = LEAD + (last + halo + UNIT - 1) / UNIT * UNIT;
    if ((pitch & (pitch - 1)) == 0)
        pitch += UNIT;
    *first = LEAD;
    step[rank - 1] = 1;
    for (int k = rank - 2; k >= 0; k--) {
        step[k] = pitch;
        *first += halo * pitch;
        pitch = times(pitch, sf_grid_axis(grid, k)->count + 2 * halo);
        if (pitch < 0)
            return -1;
    }
    return pitch;
}

static void zero(sf_field *f)
{
    memset(f, 0, sizeof *f);
}

static sf_status make(sf_context *ctx, sf_field *out, const sf_grid *grid,
                      int components, const unsigned *place, sf_dtype dtype,
                      int halo)
{
    zero(out);
    SFI_TRY(check(ctx, grid, components, place, dtype, halo));
    int64_t first = 0;
    const int64_t size = lay_out(grid, halo, out->step, &first);
    const int64_t all = times(size, components);
    if (size < 0 || all < 0)
        return SFI_FAIL(ctx, SF_E_SHAPE,
                        "field: its points exceed the address space");
    sfi_field_owner *owner = sfi_alloc_zero(ctx, 1, sizeof *owner);
    if (owner == NULL)
        return SF_E_NOMEM;
    const size_t bytes = sf_dtype_size(dtype);
    out->owner = owner;
    owner->block_count = (size_t)all * bytes;
    owner->block = sfi_alloc(ctx, owner->block_count, 1);
    if (owner->block == NULL) {
        sf_field_free(ctx, out);
        return SF_E_NOMEM;
    }
    out->grid = grid;
    out->components = components;
    out->dtype = dtype;
    out->halo = halo;
    for (int c = 0; c < components; c++) {
        out->place[c] = place != NULL ? place[c] : 0;
        out->data[c] =
            (char *)owner->block + (size_t)(c * size + first) * bytes;
    }
    return SF_OK;
}

sf_status sf_field_new(sf_context *ctx, sf_field *out, const sf_grid *grid,
                       int components, const unsigned *place, sf_dtype dtype,
                       int halo)
{
    SFI_TRY(make(ctx, out, grid, components, place, dtype, halo));
    memset(sfi_owner(out)->block, 0, sfi_owner(out)->block_count);
    return SF_OK;
}

sf_status sfi_field_room(sf_context *ctx, sf_field *out, const sf_grid *grid,
                         sf_dtype dtype)
{
    return make(ctx, out, grid, 1, NULL, dtype, 0);
}

/* What lies between the values of two rows, before the first and behind the last. */
void sfi_field_clear_margins(sf_field *f)
{
    const size_t bytes = sf_dtype_size(f->dtype);
    char *from = sfi_owner(f)->block;
    sfi_row_walk w = sfi_walk(f, 0);
    do {
        char *row = (char *)f->data[0] + (size_t)w.at * bytes;
        memset(from, 0, (size_t)(row - from));
        from = row + (size_t)w.count * bytes;
    } while (sfi_walk_on(&w));
    char *end = (char *)sfi_owner(f)->block + sfi_owner(f)->block_count;
    memset(from, 0, (size_t)(end - from));
}

sf_status sfi_field_outline(sf_context *ctx, sf_field *out, const sf_grid *grid,
                            sf_dtype dtype)
{
    zero(out);
    out->owner = sfi_alloc_zero(ctx, 1, sizeof(sfi_field_owner));
    if (out->owner == NULL)
        return SF_E_NOMEM;
    out->grid = grid;
    out->components = 1;
    out->dtype = dtype;
    return SF_OK;
}

/* Fill the dense strides where none are given. */
static void strides_of(const sf_grid *grid, const int64_t *given,
                       int64_t *stride)
{
    int64_t dense = 1;
    for (int k = sf_grid_rank(grid) - 1; k >= 0; k--) {
        stride[k] = given != NULL ? given[k] : dense;
        dense *= sf_grid_axis(grid, k)->count;
    }
}

static void copy_in(sf_field *f, const void *data, const int64_t *stride)
{
    sfi_row_walk w = sfi_walk(f, 0);
    const int last = w.rank - 1;
    do {
        int64_t from = 0;
        for (int k = 0; k < last; k++)
            from += w.index[k] * stride[k];
        for (int64_t i = 0; i < w.count; i++)
            sfi_number_put(
                f->dtype, f->data[0], w.at + i,
                sfi_number_get(f->dtype, data, from + i * stride[last]));
    } while (sfi_walk_on(&w));
}

sf_status sf_field_wrap(sf_context *ctx, sf_field *out, const sf_grid *grid,
                        sf_dtype dtype, int halo, void *data,
                        const int64_t *stride)
{
    int64_t given[SF_MAX_AXES] = {0};
    zero(out);
    strides_of(grid, stride, given);
    if (given[sf_grid_rank(grid) - 1] != 1 || halo != 0) {
        SFI_TRY(sf_field_new(ctx, out, grid, 1, NULL, dtype, halo));
        copy_in(out, data, given);
        return SF_OK;
    }
    SFI_TRY(check(ctx, grid, 1, NULL, dtype, halo));
    out->owner = sfi_alloc_zero(ctx, 1, sizeof(sfi_field_owner));
    if (out->owner == NULL)
        return SF_E_NOMEM;
    out->grid = grid;
    out->components = 1;
    out->dtype = dtype;
    out->data[0] = data;
    memcpy(out->step, given, sizeof given);
    return SF_OK;
}

void sf_field_free(sf_context *ctx, sf_field *f)
{
    if (f == NULL)
        return;
    sfi_field_owner *owner = sfi_owner(f);
    if (owner != NULL) {
        sfi_free(ctx, owner->block, owner->block_count, 1);
        sfi_free_text(ctx, owner->name);
        sfi_free_text(ctx, owner->unit);
        sfi_nc_attrs_free(ctx, &owner->attrs);
        sf_grid_free(owner->grid);
        sfi_free(ctx, owner, 1, sizeof *owner);
    }
    zero(f);
}

void sfi_field_adopt(sf_field *f, sf_grid *grid)
{
    sfi_owner(f)->grid = grid;
    f->grid = grid;
}

/* ---- values ----------------------------------------------------------------- */

void sf_field_get(const sf_field *f, int c, double *array)
{
    sfi_row_walk w = sfi_walk(f, c);
    do
        for (int64_t i = 0; i < w.count; i++)
            *array++ = sfi_number_get(f->dtype, f->data[c], w.at + i);
    while (sfi_walk_on(&w));
}

void sf_field_put(sf_field *f, int c, const double *array)
{
    sfi_row_walk w = sfi_walk(f, c);
    do
        for (int64_t i = 0; i < w.count; i++)
            sfi_number_put(f->dtype, f->data[c], w.at + i, *array++);
    while (sfi_walk_on(&w));
}

/* Copy the box [lo, hi) along all axes, moved by `shift` along axis k. */
static void copy_moved(sf_field *f, int c, const int64_t *lo, const int64_t *hi,
                       int k, int64_t shift)
{
    const int rank = sf_grid_rank(f->grid);
    const size_t bytes = sf_dtype_size(f->dtype);
    int64_t index[SF_MAX_AXES];
    memcpy(index, lo, sizeof index);
    const int64_t row = hi[rank - 1] - lo[rank - 1];
    for (;;) {
        int64_t at = 0;
        for (int j = 0; j < rank; j++)
            at += index[j] * f->step[j];
        memcpy((char *)f->data[c] + at * (int64_t)bytes,
               (char *)f->data[c] + (at + shift * f->step[k]) * (int64_t)bytes,
               (size_t)row * bytes);
        int j = rank - 2;
        for (; j >= 0; j--) {
            if (++index[j] < hi[j])
                break;
            index[j] = lo[j];
        }
        if (j < 0)
            return;
    }
}

/* One axis after another, each over the halo of those before it, so that corners
 * are filled too. */
void sfi_field_fill_halo(sf_field *f)
{
    const int rank = sf_grid_rank(f->grid);
    for (int c = 0; c < f->components; c++) {
        int64_t lo[SF_MAX_AXES] = {0}, hi[SF_MAX_AXES] = {0};
        for (int k = 0; k < rank; k++)
            hi[k] = sf_field_count(f, c, k);
        for (int k = 0; k < rank; k++) {
            const int64_t n = hi[k];
            if (!(sf_grid_axis(f->grid, k)->period > 0.0) || f->halo == 0)
                continue;
            lo[k] = -f->halo;
            hi[k] = 0;
            copy_moved(f, c, lo, hi, k, n);
            lo[k] = n;
            hi[k] = n + f->halo;
            copy_moved(f, c, lo, hi, k, -n);
            lo[k] = -f->halo;
        }
    }
}

/* ---- what is said about it -------------------------------------------------- */

static sf_status set_text(sf_context *ctx, char **kept, const char **shown,
                          const char *text)
{
    char *copy = text != NULL ? sfi_copy_text(ctx, text) : NULL;
    if (text != NULL && copy == NULL)
        return SF_E_NOMEM;
    sfi_free_text(ctx, *kept);
    *kept = copy;
    *shown = copy;
    return SF_OK;
}

sf_status sf_field_set_name(sf_context *ctx, sf_field *f, const char *name)
{
    return set_text(ctx, &sfi_owner(f)->name, &f->name, name);
}

sf_status sf_field_set_unit(sf_context *ctx, sf_field *f, const char *unit)
{
    return set_text(ctx, &sfi_owner(f)->unit, &f->unit, unit);
}

sf_status sf_field_describe(sf_context *ctx, sf_field *f, const char *key,
                            const char *text)
{
    sfi_nc_attrs *attrs = &sfi_owner(f)->attrs;
    if (text != NULL)
        return sfi_nc_set_text(ctx, attrs, key, text);
    sfi_nc_unset(ctx, attrs, key);
    return SF_OK;
}

const char *sf_field_description(const sf_field *f, const char *key)
{
    return sfi_nc_text(&sfi_owner(f)->attrs, key);
}
