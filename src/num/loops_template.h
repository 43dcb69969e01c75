/* SPDX-License-Identifier: Apache-2.0 */
/* loops_template.h - one sfi_loops table for one element type and the
 * instruction set the including file is compiled for.
 *
 * The includer defines LOOPS_F64 as 0 or 1 and LOOPS_ISA as the set's name, and
 * includes this file once for each type.  What it defines is named FN(name):
 * name_f32 or name_f64.  The parts, in the order they build on each other:
 *
 *   loops_math.h         exp, log, tanh, ... of one vector
 *   loops_normal.h       the normal distribution function
 *   loops_elementwise.h  the loops of elementwise.def
 *   loops_move.h         load, store, transpose
 *   loops_gemm.h         matrix products
 *   loops_random.h       normal and uniform draws
 *   loops_reduce.h       sums, and the optimiser's step
 *   loops_gauss.h        sums over Gaussians */
#include "num/loops.h"
#include "num/loops_isa.h"
#include "num/simd.h"
#include "num/special.h"

#include <math.h>
#include <string.h>

#undef FN
#undef REAL
#undef BITS
#undef UBITS
#undef V
#undef M
#undef VI
#undef VU
#undef LANES
#undef MANTISSA
#undef BIAS
#undef SIGN
#undef C
#if LOOPS_F64
#define FN(name) SFI_PASTE(name, _f64)
#define REAL     double
#define BITS     int64_t
#define UBITS    uint64_t
#define V        vf64 /* a vector of REAL                         */
#define M        mf64 /* the same anywhere in memory              */
#define VI       vi64 /* its bits, and what comparisons give      */
#define VU       vu64
#define LANES    (VECTOR_BYTES / 8)
#define MANTISSA 52
#define BIAS     1023
#define SIGN     INT64_MIN
#define C(x)     (x) /* a constant of type REAL                  */
#else
#define FN(name) SFI_PASTE(name, _f32)
#define REAL     float
#define BITS     int32_t
#define UBITS    uint32_t
#define V        vf32
#define M        mf32
#define VI       vi32
#define VU       vu32
#define LANES    (VECTOR_BYTES / 4)
#define MANTISSA 23
#define BIAS     127
#define SIGN     INT32_MIN
#define C(x)     ((float)(x))
#endif

SFI_INLINE V FN(load)(const REAL *p)
{
    return *(const M *)p;
}

SFI_INLINE void FN(store)(REAL *p, V x)
{
    *(M *)p = x;
}

#include "num/loops_math.h"

#include "num/loops_normal.h"

#include "num/loops_elementwise.h"

#include "num/loops_move.h"

#include "num/loops_gemm.h"

#include "num/loops_random.h"

#include "num/loops_reduce.h"

#include "num/loops_gauss.h"

static const sfi_loops FN(table) = {
    .isa = LOOPS_ISA,
    .lanes = LANES,
    .dtype = LOOPS_F64 ? SF_F64 : SF_F32,
    .ew =
        {
#define EW(NAME, name, arity, ...)                                             \
    [SFI_EW_##NAME] = EW_MODES_##arity(ew_##name),
#include "num/elementwise.def"
#undef EW
        },
    .gemm_work = FN(gemm_work),
    .gemm = FN(gemm),
    .gemm_nt_work = FN(gemm_nt_work),
    .gemm_nt = FN(gemm_nt),
    .load = FN(load_points),
    .store = FN(store_points),
    .transpose = FN(transpose),
    .normal = FN(normal),
    .uniform = FN(uniform),
    .sum = FN(sum),
    .sum_squares = FN(sum_squares),
    .dot = FN(dot),
#if LOOPS_F64
    .tally = tally_f64,
#endif
    .sum_rows = FN(sum_rows),
    .add_parts = FN(add_parts),
    .largest = FN(largest),
    .exp_sum = FN(exp_sum),
    .gauss_sums = FN(gauss_sums),
    .gauss_logits = FN(gauss_logits),
    .adam = FN(adam),
};
