/* SPDX-License-Identifier: Apache-2.0 */
/* loops_isa.h - what the loops of all instruction sets share, and the tables that
 * each of them exports to loops.c: NULL where this build does not have the set.
 */
#ifndef SFI_LOOPS_ISA_H
#define SFI_LOOPS_ISA_H

#include "base/compiler.h"
#include "num/loops.h"

const sfi_loops *sfi_loops_portable(sf_dtype dtype);
const sfi_loops *sfi_loops_avx2(sf_dtype dtype);
const sfi_loops *sfi_loops_avx512(sf_dtype dtype);

SFI_INLINE int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

#endif
