/* SPDX-License-Identifier: Apache-2.0 */
/* loops_avx512.c - the loops in AVX-512 (F, DQ, BW, VL); empty on processors of
 * another family. */
#include "num/loops_isa.h"
#include "num/simd.h"

#if SIMD_AVX512
#define LOOPS_ISA "avx512"
#define LOOPS_F64 0
#include "num/loops_template.h"
#undef LOOPS_F64
#define LOOPS_F64 1
#include "num/loops_template.h"

const sfi_loops *sfi_loops_avx512(sf_dtype dtype)
{
    return dtype == SF_F64 ? &table_f64 : &table_f32;
}
#else
const sfi_loops *sfi_loops_avx512(sf_dtype dtype)
{
    (void)dtype;
    return NULL;
}
#endif
