/* SPDX-License-Identifier: Apache-2.0 */
/* hold_out.c - which rows are held out: the first of an order that the seed shuffles, as it
 * does epochs, of which none has this number. */
#include "base/random.h"
#include "scorefield/fit.h"

#include <math.h>

enum { SPLIT_EPOCH = -1 };

int64_t sf_split_rows(uint64_t seed, int64_t n, double fraction, int64_t *index)
{
    for (int64_t i = 0; i < n; i++)
        index[i] = i;
    sfi_shuffle(seed, (uint32_t)SPLIT_EPOCH, index, n);
    return (int64_t)floor(fraction * (double)n + 0.5);
}
