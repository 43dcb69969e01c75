/* SPDX-License-Identifier: Apache-2.0 */
/* slab.c - arrays over some axes of the domain, with room for neighbours. */
#include "calc/calculation.h"

#include <string.h>

enum { UNIT = 16 };

sf_status sfi_slab_new(sfi_calc *c, sfi_slab *out, sf_dtype dtype,
                       unsigned mask, const int64_t *first,
                       const int64_t *count, const int64_t *pad)
{
    memset(out, 0, sizeof *out);
    int64_t size = 1, start = 0;
    bool is_row = true; /* the fastest axis that is there */
    for (int k = sf_grid_rank(c->grid) - 1; k >= 0; k--) {
        if (!(mask >> k & 1u))
            continue;
        const int64_t extent = count[k] + 2 * pad[k];
        out->step[k] = size;
        out->pad[k] = pad[k];
        start += (pad[k] - first[k]) * size;
        const int64_t row = (extent + UNIT - 1) / UNIT * UNIT;
        const int64_t here = is_row ? row + UNIT : extent;
        if (here > INT64_MAX / 16 / size)
            return SFI_FAIL(c->ctx, SF_E_SHAPE,
                            "calc: a slab exceeds the address space");
        size *= here;
        is_row = false;
    }
    out->zero = start;
    out->dtype = dtype;
    out->block_count = (size_t)size + UNIT;
    out->block = sfi_alloc_zero(c->ctx, out->block_count, sf_dtype_size(dtype));
    return out->block != NULL ? SF_OK : SF_E_NOMEM;
}

sf_status sfi_slab_dense(sfi_calc *c, sfi_slab *out, const int64_t *count)
{
    int64_t size = 1;
    memset(out, 0, sizeof *out);
    for (int k = sf_grid_rank(c->grid) - 1; k >= 0; k--) {
        out->step[k] = size;
        if (count[k] > INT64_MAX / 16 / size)
            return SFI_FAIL(c->ctx, SF_E_SHAPE,
                            "calc: a slab exceeds the address space");
        size *= count[k];
    }
    out->dtype = SF_F64;
    out->block_count = (size_t)size;
    out->block = sfi_alloc(c->ctx, out->block_count, sizeof(double));
    return out->block != NULL ? SF_OK : SF_E_NOMEM;
}

sfi_slab sfi_slab_lent(const sf_field *f, const int *map)
{
    sfi_slab s = {.is_lent = true, .block = f->data[0], .dtype = f->dtype};
    for (int k = 0; k < sf_grid_rank(f->grid); k++)
        s.step[map[k]] = f->step[k];
    return s;
}

void sfi_slab_free(sfi_calc *c, sfi_slab *s)
{
    if (s->block != NULL && !s->is_lent)
        sfi_free(c->ctx, s->block, s->block_count, sf_dtype_size(s->dtype));
    memset(s, 0, sizeof *s);
}

void sfi_slab_move(sfi_slab *s, int axis, int64_t by)
{
    const size_t elements = (size_t)(by * s->step[axis]);
    const size_t bytes = sf_dtype_size(s->dtype);
    if (s->is_lent)
        return;
    s->zero -= by * s->step[axis];
    if (elements > 0 && elements < s->block_count)
        memmove(s->block, (char *)s->block + elements * bytes,
                (s->block_count - elements) * bytes);
}

/* The next index of all axes but the last; false behind the last one. */
static bool next(int rank, const int64_t *count, int64_t *index)
{
    for (int k = rank - 2; k >= 0; k--) {
        if (++index[k] < count[k])
            return true;
        index[k] = 0;
    }
    return false;
}

static void put_row(sf_dtype dtype, void *row, int64_t step, int64_t n,
                    const double *values)
{
    if (dtype == SF_F32) {
        float *to = row;
        for (int64_t i = 0; i < n; i++)
            to[i * step] = (float)values[i];
    } else if (step == 1) {
        memcpy(row, values, (size_t)n * sizeof *values);
    } else {
        double *to = row;
        for (int64_t i = 0; i < n; i++)
            to[i * step] = values[i];
    }
}

void sfi_slab_put(sfi_slab *s, int rank, const int64_t *first,
                  const int64_t *count, const double *values)
{
    int64_t index[SF_MAX_AXES] = {0};
    const int64_t n = count[rank - 1], step = s->step[rank - 1];
    do {
        int64_t at[SF_MAX_AXES] = {0};
        for (int k = 0; k < rank; k++)
            at[k] = first[k] + index[k];
        put_row(s->dtype, sfi_slab_address(s, at), step, n, values);
        values += n;
    } while (next(rank, count, index));
}

/* Copy one hyperplane of `axis` onto another. */
static void copy_plane(sfi_slab *s, int rank, int axis, int64_t from,
                       int64_t to, const int64_t *low, const int64_t *count)
{
    int64_t n[SF_MAX_AXES] = {0}, index[SF_MAX_AXES] = {0};
    for (int k = 0; k < rank; k++)
        n[k] = k == axis ? 1 : count[k];
    do {
        int64_t at[SF_MAX_AXES] = {0};
        for (int k = 0; k < rank; k++)
            at[k] = low[k] + index[k];
        at[axis] = from;
        const char *source = sfi_slab_address(s, at);
        at[axis] = to;
        char *target = sfi_slab_address(s, at);
        const size_t bytes = sf_dtype_size(s->dtype);
        const int64_t step = s->step[rank - 1] * (int64_t)bytes;
        for (int64_t i = 0; i < n[rank - 1]; i++)
            memcpy(target + i * step, source + i * step, bytes);
    } while (next(rank, n, index));
}

void sfi_slab_wrap(const sfi_calc *c, sfi_slab *s, unsigned mask,
                   const int64_t *first, const int64_t *count, int skip)
{
    const int rank = sf_grid_rank(c->grid);
    int64_t low[SF_MAX_AXES] = {0}, extent[SF_MAX_AXES] = {0};
    for (int k = 0; k < rank; k++) {
        low[k] = mask >> k & 1u ? first[k] : 0;
        extent[k] = mask >> k & 1u ? count[k] : 1;
    }
    for (int k = 0; k < rank; k++) {
        const int64_t n = extent[k], pad = s->pad[k];
        if (!(mask >> k & 1u) || k == skip || pad == 0 ||
            !(sf_grid_axis(c->grid, k)->period > 0.0))
            continue;
        for (int64_t i = 1; i <= pad; i++) {
            const int64_t below = ((-i) % n + n) % n, above = (i - 1) % n;
            copy_plane(s, rank, k, below, -i, low, extent);
            copy_plane(s, rank, k, above, n - 1 + i, low, extent);
        }
        low[k] -= pad;
        extent[k] += 2 * pad;
    }
}
