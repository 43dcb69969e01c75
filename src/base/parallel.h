/* SPDX-License-Identifier: Apache-2.0 */
/* parallel.h - a loop over ranges, for work that is not a program.
 *
 * The ranges depend on count and chunk alone, so whatever `body` computes for a
 * range is the same for any number of threads. */
#ifndef SFI_PARALLEL_H
#define SFI_PARALLEL_H

#include "base/context.h"

/* Work on elements first..first+count-1; `part` numbers the ranges from 0. */
typedef void (*sfi_range_fn)(void *user, int64_t part, int64_t first,
                             int64_t count);

/* Call body for ranges of `chunk` elements that cover 0..count-1. */
void sfi_parallel(const sf_context *ctx, int64_t count, int64_t chunk,
                  sfi_range_fn body, void *user);

/* How many ranges that is. */
int64_t sfi_parallel_parts(int64_t count, int64_t chunk);

#endif
