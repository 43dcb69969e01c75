/* SPDX-License-Identifier: Apache-2.0 */
/* collocate.c - values that lie between points, at the points.
 *
 * Along each axis the mean of both neighbours; at an end, where there is one, the line
 * through the two nearest values is continued to it.  Order 2 on equal steps. */
#include "field/layout.h"

#include <string.h>

/* Of a line of n values between n + 1 points, or n if it is closed; step elements apart. */
static void collocate_line(const double *from, int64_t n, int64_t from_step,
                           bool is_closed, double *to, int64_t to_step)
{
    for (int64_t i = 1; i < n; i++)
        to[i * to_step] =
            0.5 * (from[(i - 1) * from_step] + from[i * from_step]);
    const double first = from[0], last = from[(n - 1) * from_step];
    if (is_closed) {
        to[0] = 0.5 * (first + last);
        return;
    }
    to[0] = n > 1 ? 1.5 * first - 0.5 * from[from_step] : first;
    to[n * to_step] =
        n > 1 ? 1.5 * last - 0.5 * from[(n - 2) * from_step] : last;
}

/* Axis k of an array of these extents; `to` has one more value along it if it is not
 * closed. */
static void collocate_axis(const double *from, int64_t *extent, int rank, int k,
                           bool is_closed, double *to)
{
    int64_t outer = 1, inner = 1;
    for (int a = 0; a < k; a++)
        outer *= extent[a];
    for (int a = k + 1; a < rank; a++)
        inner *= extent[a];
    const int64_t n = extent[k], m = n + !is_closed;
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++)
            collocate_line(from + o * n * inner + i, n, inner, is_closed,
                           to + o * m * inner + i, inner);
    extent[k] = m;
}

static sf_status fill(sf_context *ctx, sf_field *out, const sf_field *f, int c)
{
    const int rank = sf_grid_rank(f->grid);
    const size_t n = (size_t)sf_grid_points(f->grid);
    int64_t extent[SF_MAX_AXES];
    double *room = sfi_alloc(ctx, 2 * n, sizeof *room);
    if (room == NULL)
        return SF_E_NOMEM;
    double *now = room, *next = room + n;
    sf_field_get(f, c, now);
    for (int k = 0; k < rank; k++)
        extent[k] = sf_field_count(f, c, k);
    for (int k = 0; k < rank; k++) {
        if (!(f->place[c] >> k & 1u))
            continue;
        const bool is_closed = extent[k] == sf_grid_axis(f->grid, k)->count;
        collocate_axis(now, extent, rank, k, is_closed, next);
        double *spare = now;
        now = next;
        next = spare;
    }
    sf_field_put(out, 0, now);
    sfi_free(ctx, room, 2 * n, sizeof *room);
    return SF_OK;
}

sf_status sf_field_collocate(sf_context *ctx, sf_field *out, const sf_field *f,
                             int c)
{
    memset(out, 0, sizeof *out);
    if (c < 0 || c >= f->components)
        return SFI_FAIL(ctx, SF_E_ARG, "field: component %d, want 0 to %d", c,
                        f->components - 1);
    for (int k = 0; k < sf_grid_rank(f->grid); k++)
        if (sf_field_count(f, c, k) < 1)
            return SFI_FAIL(ctx, SF_E_SHAPE,
                            "field: axis \"%s\" has no value between points",
                            sf_grid_axis(f->grid, k)->name);
    SFI_TRY(sf_field_new(ctx, out, f->grid, 1, NULL, f->dtype, 0));
    sf_status status =
        f->name != NULL ? sf_field_set_name(ctx, out, f->name) : SF_OK;
    if (status == SF_OK && f->unit != NULL)
        status = sf_field_set_unit(ctx, out, f->unit);
    if (status == SF_OK)
        status = fill(ctx, out, f, c);
    if (status != SF_OK)
        sf_field_free(ctx, out);
    return status;
}
