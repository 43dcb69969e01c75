/* SPDX-License-Identifier: Apache-2.0 */
/* transform_avx512.c - our own transforms in AVX-512; empty on processors of another
 * family. */
#include "num/simd.h"
#include "num/transform_own.h"

#if SIMD_AVX512
#include "num/transform_lanes.h"

sfi_own_loop sfi_own_loop_avx512(sfi_own_way way)
{
    return loops[way];
}
#else
sfi_own_loop sfi_own_loop_avx512(sfi_own_way way)
{
    (void)way;
    return NULL;
}
#endif
