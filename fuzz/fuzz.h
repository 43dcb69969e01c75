/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz.h - what every fuzz target needs.
 *
 * A target reads bytes that anyone may have written.  Besides not crashing it
 * must keep promises, which REQUIRE checks: what was read can be written and
 * read again, and is the same then. */
#ifndef SFI_FUZZ_H
#define SFI_FUZZ_H

#include "base/context.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The name is libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                     \
    do {                                                                       \
        if (!(condition)) {                                                    \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__,       \
                    #condition);                                               \
            abort();                                                           \
        }                                                                      \
    } while (0)

/* Bit for bit, save that every NaN is the same. */
SFI_UNUSED static bool same_cells(const double *a, const double *b,
                                  int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (isnan(a[i]) ? !isnan(b[i]) : memcmp(&a[i], &b[i], sizeof *a) != 0)
            return false;
    return true;
}

#endif
