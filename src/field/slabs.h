/* SPDX-License-Identifier: Apache-2.0 */
/* slabs.h - a box of any size in pieces of bounded size.
 *
 * The pieces cover the box in row-major order, and each is contiguous in it: one
 * index of the slow axes, a run of the next one, and all of the fast axes.
 *
 *     sfi_slabs s = sfi_slabs_of(rank, shape, most);
 *     while (sfi_slabs_next(&s))
 *         use(s.start, s.count, s.first, s.points); */
#ifndef SFI_SLABS_H
#define SFI_SLABS_H

#include <stdbool.h>
#include <stdint.h>

enum { SFI_SLAB_MOST_RANK = 6 };

typedef struct sfi_slabs {
    int rank;
    int64_t shape[SFI_SLAB_MOST_RANK];
    int cut;       /* the axis that runs are of                             */
    int64_t thick; /* their length                                          */
    int64_t start[SFI_SLAB_MOST_RANK], count[SFI_SLAB_MOST_RANK];
    int64_t first;  /* points before the piece                              */
    int64_t points; /* of the piece; 0 before the first one                 */
} sfi_slabs;

/* Pieces of at most `most` >= 1 points; none of an empty box.  rank 0 is one
 * point. */
sfi_slabs sfi_slabs_of(int rank, const int64_t *shape, int64_t most);
bool sfi_slabs_next(sfi_slabs *s);

#endif
