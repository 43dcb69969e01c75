/* SPDX-License-Identifier: Apache-2.0 */
/* slabs.c - a box of any size in pieces of bounded size. */
#include "field/slabs.h"

#include "base/compiler.h"

sfi_slabs sfi_slabs_of(int rank, const int64_t *shape, int64_t most)
{
    sfi_slabs s = {.rank = rank, .cut = 0, .thick = 1};
    int64_t inner = 1;
    for (int k = 0; k < rank; k++)
        s.shape[k] = shape[k];
    /* The slowest axis of which a single index still fits. */
    for (int k = rank - 1; k >= 0; k--) {
        s.cut = k;
        s.thick = most / inner;
        if (shape[k] == 0 || s.thick < shape[k])
            break;
        s.thick = shape[k];
        inner *= shape[k];
    }
    return s;
}

static bool is_empty(const sfi_slabs *s)
{
    for (int k = 0; k < s->rank; k++)
        if (s->shape[k] == 0)
            return true;
    return false;
}

/* Go to the next run; false behind the last one. */
static bool advance(sfi_slabs *s)
{
    if (s->rank == 0)
        return false;
    s->start[s->cut] += s->count[s->cut];
    for (int k = s->cut; s->start[k] == s->shape[k]; k--) {
        if (k == 0)
            return false;
        s->start[k] = 0;
        s->start[k - 1]++;
    }
    return true;
}

bool sfi_slabs_next(sfi_slabs *s)
{
    if (s->points == 0 ? is_empty(s) : !advance(s))
        return false;
    s->first += s->points;
    s->points = 1;
    for (int k = 0; k < s->rank; k++) {
        s->count[k] = k < s->cut ? 1
                      : k > s->cut
                          ? s->shape[k]
                          : sfi_smaller(s->thick, s->shape[k] - s->start[k]);
        s->points *= s->count[k];
    }
    return true;
}
