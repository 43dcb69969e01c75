/* SPDX-License-Identifier: Apache-2.0 */
/* plan_views.c - other ways to look at a buffer.
 *
 * A view is an offset and a stride for each axis.  Slices, transposes, broadcasts
 * and most reshapes of a node only change these, so that they cost nothing when a
 * plan runs: what reads them walks the same buffer along another path. */
#include "graph/planner.h"

#include <string.h>

void sfi_view_set_contiguous(sfi_view *v)
{
    int64_t step = 1;
    for (int i = v->shape.rank - 1; i >= 0; i--) {
        v->stride[i] = step;
        step *= v->shape.extent[i];
    }
}

bool sfi_view_contiguous(const sfi_view *v)
{
    int64_t step = 1;
    for (int i = v->shape.rank - 1; i >= 0; i--) {
        if (v->shape.extent[i] != 1 && v->stride[i] != step)
            return false;
        step *= v->shape.extent[i];
    }
    return true;
}

sfi_view sfi_view_whole(int32_t buffer, const sfi_shape *shape)
{
    sfi_view v = {.buffer = buffer, .shape = *shape};
    sfi_view_set_contiguous(&v);
    return v;
}

/* Reshape without moving anything, if the strides allow it: walk both shapes
 * from the front, matching runs of axes with equal products. */
bool sfi_view_reshape(const sfi_view *from, const sfi_shape *to, sfi_view *out)
{
    *out = *from;
    out->shape = *to;
    memset(out->stride, 0, sizeof out->stride);
    int i = 0, j = 0;
    const int ri = from->shape.rank, rj = to->rank;
    while (i < ri || j < rj) {
        if (i < ri && from->shape.extent[i] == 1) {
            i++;
            continue;
        }
        if (j < rj && to->extent[j] == 1) {
            j++;
            continue;
        }
        int i1 = i, j1 = j;
        int64_t pi = from->shape.extent[i1++], pj = to->extent[j1++];
        while (pi != pj) {
            if (pi < pj)
                pi *= from->shape.extent[i1++];
            else
                pj *= to->extent[j1++];
        }
        int64_t inner = 0; /* stride of the run's last axis longer than 1 */
        int64_t expect = -1;
        for (int k = i1 - 1; k >= i; k--) {
            if (from->shape.extent[k] == 1)
                continue;
            if (expect < 0)
                inner = from->stride[k];
            else if (from->stride[k] != expect)
                return false;
            expect = from->stride[k] * from->shape.extent[k];
        }
        int64_t step = inner;
        for (int k = j1 - 1; k >= j; k--) {
            out->stride[k] = step;
            step *= to->extent[k];
        }
        i = i1;
        j = j1;
    }
    return true;
}

sfi_view sfi_view_permute(const sfi_view *v, const int64_t *order)
{
    sfi_view out = *v;
    for (int i = 0; i < v->shape.rank; i++) {
        out.shape.extent[i] = v->shape.extent[order[i]];
        out.stride[i] = v->stride[order[i]];
    }
    return out;
}

sfi_view sfi_view_slice(const sfi_view *v, int axis, int64_t first,
                        int64_t count, int64_t step)
{
    sfi_view out = *v;
    out.offset += first * v->stride[axis];
    out.stride[axis] *= step;
    out.shape.extent[axis] = count;
    return out;
}

sfi_view sfi_view_broadcast(const sfi_view *v, const sfi_shape *to)
{
    sfi_view out = *v;
    out.shape = *to;
    for (int i = 0; i < to->rank; i++) {
        const int j = v->shape.rank - to->rank + i;
        const bool stretched =
            j < 0 || (v->shape.extent[j] == 1 && to->extent[i] != 1);
        out.stride[i] = stretched ? 0 : v->stride[j];
    }
    return out;
}
