/* SPDX-License-Identifier: Apache-2.0 */
/* loops_portable.c - the loops in the instructions that every processor of
 * this family has: SSE2 on x86-64, NEON on AArch64. */
#include "num/loops_isa.h"

#define LOOPS_ISA "portable"
#define LOOPS_F64 0
#include "num/loops_template.h"
#undef LOOPS_F64
#define LOOPS_F64 1
#include "num/loops_template.h"

const sfi_loops *sfi_loops_portable(sf_dtype dtype)
{
    return dtype == SF_F64 ? &table_f64 : &table_f32;
}
