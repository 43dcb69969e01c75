/* SPDX-License-Identifier: Apache-2.0 */
/* simd.h - the vectors of one instruction set and the operations on them that
 * C operators do not express.
 *
 * The instruction set is the one this file is compiled for.  On x86-64 that is
 * AVX-512, AVX2 with FMA, or the SSE2 that every such processor has; on AArch64
 * it is NEON; anything else gets 16-byte vectors in plain C.  Intrinsics appear
 * in this file alone.
 *
 * For each name there are an f32 and an f64 version with equal meaning:
 *   fma      a*b + c; rounded once where HAVE_FMA, else twice
 *   fnma     c - a*b; likewise
 *   lesser   a < b ? a : b        greater   a > b ? a : b
 *            (both give b if either is NaN, except on NEON, which gives NaN)
 *   select   mask ? a : b, where each lane of the mask is all ones or zero
 *   splat    every lane x (x - 0 is x for every x, -0 too; x + 0 is not) */
#ifndef SFI_SIMD_H
#define SFI_SIMD_H

#include "base/compiler.h"

#include <stdint.h>

#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__) &&  \
    defined(__AVX512VL__)
#define SIMD_AVX512  1
#define VECTOR_BYTES 64
#elif defined(__AVX2__) && defined(__FMA__)
#define SIMD_AVX2    1
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#if defined(__SSE2__)
#define SIMD_SSE2 1
#elif defined(__aarch64__)
#define SIMD_NEON 1
#endif
#endif

#if SIMD_AVX512 || SIMD_AVX2 || SIMD_SSE2
#include <immintrin.h>
#elif SIMD_NEON
#include <arm_neon.h>
#endif
#if SIMD_AVX512 || SIMD_AVX2 || SIMD_SSE2 || SIMD_NEON
#include <sleef.h>
#endif

#if SIMD_AVX512 || SIMD_AVX2 || SIMD_NEON
#define HAVE_FMA 1
#else
#define HAVE_FMA 0
#endif

typedef float vf32 SFI_VECTOR(VECTOR_BYTES);
typedef double vf64 SFI_VECTOR(VECTOR_BYTES);
typedef int32_t vi32 SFI_VECTOR(VECTOR_BYTES);
typedef uint32_t vu32 SFI_VECTOR(VECTOR_BYTES);
typedef int64_t vi64 SFI_VECTOR(VECTOR_BYTES);
typedef uint64_t vu64 SFI_VECTOR(VECTOR_BYTES);
typedef float mf32 SFI_VECTOR_MEMORY(VECTOR_BYTES, 4);
typedef double mf64 SFI_VECTOR_MEMORY(VECTOR_BYTES, 8);

/* Half as many lanes, for conversions between 32 and 64 bits. */
typedef float vf32_half SFI_VECTOR(VECTOR_BYTES / 2);
typedef int32_t vi32_half SFI_VECTOR(VECTOR_BYTES / 2);

SFI_INLINE vf32 splat_f32(float x)
{
    return x - (vf32){0};
}

SFI_INLINE vf64 splat_f64(double x)
{
    return x - (vf64){0};
}

SFI_INLINE vf32 fma_f32(vf32 a, vf32 b, vf32 c)
{
#if SIMD_AVX512
    return (vf32)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif SIMD_AVX2
    return (vf32)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif SIMD_NEON
    return (vf32)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
    return a * b + c;
#endif
}

SFI_INLINE vf64 fma_f64(vf64 a, vf64 b, vf64 c)
{
#if SIMD_AVX512
    return (vf64)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif SIMD_AVX2
    return (vf64)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#elif SIMD_NEON
    return (vf64)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
#else
    return a * b + c;
#endif
}

SFI_INLINE vf32 fnma_f32(vf32 a, vf32 b, vf32 c)
{
#if SIMD_AVX512
    return (vf32)_mm512_fnmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif SIMD_AVX2
    return (vf32)_mm256_fnmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif SIMD_NEON
    return (vf32)vfmsq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
    return c - a * b;
#endif
}

SFI_INLINE vf32 select_f32(vi32 mask, vf32 a, vf32 b)
{
#if SIMD_AVX2
    return (vf32)_mm256_blendv_ps((__m256)b, (__m256)a, (__m256)mask);
#elif SIMD_NEON
    return (vf32)vbslq_f32((uint32x4_t)mask, (float32x4_t)a, (float32x4_t)b);
#else
    return (vf32)((mask & (vi32)a) | (~mask & (vi32)b));
#endif
}

SFI_INLINE vf64 fnma_f64(vf64 a, vf64 b, vf64 c)
{
#if SIMD_AVX512
    return (vf64)_mm512_fnmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif SIMD_AVX2
    return (vf64)_mm256_fnmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#elif SIMD_NEON
    return (vf64)vfmsq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
#else
    return c - a * b;
#endif
}

SFI_INLINE vf64 select_f64(vi64 mask, vf64 a, vf64 b)
{
#if SIMD_AVX2
    return (vf64)_mm256_blendv_pd((__m256d)b, (__m256d)a, (__m256d)mask);
#elif SIMD_NEON
    return (vf64)vbslq_f64((uint64x2_t)mask, (float64x2_t)a, (float64x2_t)b);
#else
    return (vf64)((mask & (vi64)a) | (~mask & (vi64)b));
#endif
}

SFI_INLINE vf32 lesser_f32(vf32 a, vf32 b)
{
#if SIMD_AVX512
    return (vf32)_mm512_min_ps((__m512)a, (__m512)b);
#elif SIMD_AVX2
    return (vf32)_mm256_min_ps((__m256)a, (__m256)b);
#elif SIMD_SSE2
    return (vf32)_mm_min_ps((__m128)a, (__m128)b);
#elif SIMD_NEON
    return (vf32)vminq_f32((float32x4_t)a, (float32x4_t)b);
#else
    return select_f32(a < b, a, b);
#endif
}

SFI_INLINE vf64 lesser_f64(vf64 a, vf64 b)
{
#if SIMD_AVX512
    return (vf64)_mm512_min_pd((__m512d)a, (__m512d)b);
#elif SIMD_AVX2
    return (vf64)_mm256_min_pd((__m256d)a, (__m256d)b);
#elif SIMD_SSE2
    return (vf64)_mm_min_pd((__m128d)a, (__m128d)b);
#elif SIMD_NEON
    return (vf64)vminq_f64((float64x2_t)a, (float64x2_t)b);
#else
    return select_f64(a < b, a, b);
#endif
}

SFI_INLINE vf32 greater_f32(vf32 a, vf32 b)
{
#if SIMD_AVX512
    return (vf32)_mm512_max_ps((__m512)a, (__m512)b);
#elif SIMD_AVX2
    return (vf32)_mm256_max_ps((__m256)a, (__m256)b);
#elif SIMD_SSE2
    return (vf32)_mm_max_ps((__m128)a, (__m128)b);
#elif SIMD_NEON
    return (vf32)vmaxq_f32((float32x4_t)a, (float32x4_t)b);
#else
    return select_f32(a > b, a, b);
#endif
}

SFI_INLINE vf64 greater_f64(vf64 a, vf64 b)
{
#if SIMD_AVX512
    return (vf64)_mm512_max_pd((__m512d)a, (__m512d)b);
#elif SIMD_AVX2
    return (vf64)_mm256_max_pd((__m256d)a, (__m256d)b);
#elif SIMD_SSE2
    return (vf64)_mm_max_pd((__m128d)a, (__m128d)b);
#elif SIMD_NEON
    return (vf64)vmaxq_f64((float64x2_t)a, (float64x2_t)b);
#else
    return select_f64(a > b, a, b);
#endif
}

SFI_INLINE vf32 sqrt_f32(vf32 a)
{
#if SIMD_AVX512
    return (vf32)_mm512_sqrt_ps((__m512)a);
#elif SIMD_AVX2
    return (vf32)_mm256_sqrt_ps((__m256)a);
#elif SIMD_SSE2
    return (vf32)_mm_sqrt_ps((__m128)a);
#elif SIMD_NEON
    return (vf32)vsqrtq_f32((float32x4_t)a);
#else
    for (int i = 0; i < VECTOR_BYTES / 4; i++)
        a[i] = __builtin_sqrtf(a[i]);
    return a;
#endif
}

SFI_INLINE vf64 sqrt_f64(vf64 a)
{
#if SIMD_AVX512
    return (vf64)_mm512_sqrt_pd((__m512d)a);
#elif SIMD_AVX2
    return (vf64)_mm256_sqrt_pd((__m256d)a);
#elif SIMD_SSE2
    return (vf64)_mm_sqrt_pd((__m128d)a);
#elif SIMD_NEON
    return (vf64)vsqrtq_f64((float64x2_t)a);
#else
    for (int i = 0; i < VECTOR_BYTES / 8; i++)
        a[i] = __builtin_sqrt(a[i]);
    return a;
#endif
}

/* Without an instruction for it: adding and subtracting 2^23 (2^52) rounds |a|
 * to a whole number, and one too many is taken off again.  Larger numbers are
 * whole already, and NaN fails the comparison and is returned as it is. */
SFI_INLINE vf32 floor_f32(vf32 a)
{
#if SIMD_AVX512
    return (vf32)_mm512_roundscale_ps((__m512)a, 0x09);
#elif SIMD_AVX2
    return (vf32)_mm256_floor_ps((__m256)a);
#elif SIMD_NEON
    return (vf32)vrndmq_f32((float32x4_t)a);
#else
    const vi32 sign = (vi32)a & INT32_MIN;
    const vf32 size = (vf32)((vi32)a & INT32_MAX);
    const vf32 whole = (vf32)((vi32)((size + 0x1p23F) - 0x1p23F) | sign);
    const vf32 excess = (vf32)((whole > a) & (vi32)splat_f32(1.0F));
    /* The sign is put back once more: -0 - 0 is right, 0 - 0 too, but 1 - 1
     * never occurs with the sign set. */
    return select_f32(size < 0x1p23F, whole - excess, a);
#endif
}

SFI_INLINE vf64 floor_f64(vf64 a)
{
#if SIMD_AVX512
    return (vf64)_mm512_roundscale_pd((__m512d)a, 0x09);
#elif SIMD_AVX2
    return (vf64)_mm256_floor_pd((__m256d)a);
#elif SIMD_NEON
    return (vf64)vrndmq_f64((float64x2_t)a);
#else
    const vi64 sign = (vi64)a & INT64_MIN;
    const vf64 size = (vf64)((vi64)a & INT64_MAX);
    const vf64 whole = (vf64)((vi64)((size + 0x1p52) - 0x1p52) | sign);
    const vf64 excess = (vf64)((whole > a) & (vi64)splat_f64(1.0));
    return select_f64(size < 0x1p52, whole - excess, a);
#endif
}

/* The sum of the lanes, halves first. */
SFI_INLINE float add_lanes_f32(vf32 a)
{
#if SIMD_AVX512
    return _mm512_reduce_add_ps((__m512)a);
#elif SIMD_AVX2
    __m128 s = _mm_add_ps(_mm256_castps256_ps128((__m256)a),
                          _mm256_extractf128_ps((__m256)a, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
#else
    return (a[0] + a[2]) + (a[1] + a[3]);
#endif
}

SFI_INLINE double add_lanes_f64(vf64 a)
{
#if SIMD_AVX512
    return _mm512_reduce_add_pd((__m512d)a);
#elif SIMD_AVX2
    const __m128d s = _mm_add_pd(_mm256_castpd256_pd128((__m256d)a),
                                 _mm256_extractf128_pd((__m256d)a, 1));
    return _mm_cvtsd_f64(_mm_add_sd(s, _mm_unpackhi_pd(s, s)));
#else
    return a[0] + a[1];
#endif
}

/* The full 64-bit product of the low halves of the lanes of `a` and of x. */
SFI_INLINE vu64 multiply_low_halves(vu64 a, uint32_t x)
{
#if SIMD_AVX512
    return (vu64)_mm512_mul_epu32((__m512i)a, _mm512_set1_epi64(x));
#elif SIMD_AVX2
    return (vu64)_mm256_mul_epu32((__m256i)a, _mm256_set1_epi64x(x));
#elif SIMD_SSE2
    return (vu64)_mm_mul_epu32((__m128i)a, _mm_set1_epi64x(x));
#elif SIMD_NEON
    return (vu64)vmull_u32(vmovn_u64((uint64x2_t)a), vdup_n_u32(x));
#else
    return (a & 0xFFFFFFFFu) * (uint64_t)x;
#endif
}

/* The lower and upper half of the lanes as 64-bit integers, sign kept. */
SFI_INLINE vi64 widen_low(vi32 a)
{
#if SIMD_AVX512
    return (vi64)_mm512_cvtepi32_epi64(_mm512_castsi512_si256((__m512i)a));
#elif SIMD_AVX2
    return (vi64)_mm256_cvtepi32_epi64(_mm256_castsi256_si128((__m256i)a));
#else
    return (vi64){a[0], a[1]};
#endif
}

SFI_INLINE vi64 widen_high(vi32 a)
{
#if SIMD_AVX512
    return (vi64)_mm512_cvtepi32_epi64(
        _mm512_extracti64x4_epi64((__m512i)a, 1));
#elif SIMD_AVX2
    return (vi64)_mm256_cvtepi32_epi64(_mm256_extracti128_si256((__m256i)a, 1));
#else
    return (vi64){a[2], a[3]};
#endif
}

/* The same lanes as doubles. */
SFI_INLINE vf64 real_low(vi32 a)
{
#if SIMD_AVX512
    return (vf64)_mm512_cvtepi32_pd(_mm512_castsi512_si256((__m512i)a));
#elif SIMD_AVX2
    return (vf64)_mm256_cvtepi32_pd(_mm256_castsi256_si128((__m256i)a));
#else
    return (vf64){a[0], a[1]};
#endif
}

SFI_INLINE vf64 real_high(vi32 a)
{
#if SIMD_AVX512
    return (vf64)_mm512_cvtepi32_pd(_mm512_extracti64x4_epi64((__m512i)a, 1));
#elif SIMD_AVX2
    return (vf64)_mm256_cvtepi32_pd(_mm256_extracti128_si256((__m256i)a, 1));
#else
    return (vf64){a[2], a[3]};
#endif
}

/* Lower and upper half of the lanes of a float vector as doubles. */
SFI_INLINE vf64 double_low(vf32 a)
{
#if SIMD_AVX512
    return (vf64)_mm512_cvtps_pd(_mm512_castps512_ps256((__m512)a));
#elif SIMD_AVX2
    return (vf64)_mm256_cvtps_pd(_mm256_castps256_ps128((__m256)a));
#else
    return (vf64){a[0], a[1]};
#endif
}

SFI_INLINE vf64 double_high(vf32 a)
{
#if SIMD_AVX512
    return (vf64)_mm512_cvtps_pd(_mm512_extractf32x8_ps((__m512)a, 1));
#elif SIMD_AVX2
    return (vf64)_mm256_cvtps_pd(_mm256_extractf128_ps((__m256)a, 1));
#else
    return (vf64){a[2], a[3]};
#endif
}

#endif
