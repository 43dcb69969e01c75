/* SPDX-License-Identifier: Apache-2.0 */
/* loops_avx2.c - the loops in AVX2 with fused multiply-add; empty on processors of
 * another family. */
#include "num/loops_isa.h"
#include "num/simd.h"

#if SIMD_AVX2
#define LOOPS_ISA "avx2"
#define LOOPS_F64 0
#include "num/loops_template.h"
#undef LOOPS_F64
#define LOOPS_F64 1
#include "num/loops_template.h"

const sfi_loops *sfi_loops_avx2(sf_dtype dtype)
{
    return dtype == SF_F64 ? &table_f64 : &table_f32;
}
#else
const sfi_loops *sfi_loops_avx2(sf_dtype dtype)
{
    (void)dtype;
    return NULL;
}
#endif
