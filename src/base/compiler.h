/* SPDX-License-Identifier: Apache-2.0 */
/* compiler.h - the only place for what C11 lacks: attributes, vectors, hints. */
#ifndef SFI_COMPILER_H
#define SFI_COMPILER_H

#include <stdint.h>

#if !defined(__GNUC__)
#error "scorefield needs GCC or Clang"
#endif

#define SFI_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define SFI_UNUSED             __attribute__((unused))
#define SFI_RESTRICT           __restrict__
#define SFI_INLINE             static inline __attribute__((always_inline))
#define SFI_NOINLINE           __attribute__((noinline))
#define SFI_LIKELY(x)          __builtin_expect(!!(x), 1)
#define SFI_UNLIKELY(x)        __builtin_expect(!!(x), 0)
#define SFI_ALIGNED(n)         __attribute__((aligned(n)))
#define SFI_PREFETCH(p)        __builtin_prefetch(p)

/* A vector type of `bytes` bytes, and the same for memory of any alignment and
 * type: reading through the second never breaks the aliasing rules. */
#define SFI_VECTOR(bytes) __attribute__((vector_size(bytes)))
#define SFI_VECTOR_MEMORY(bytes, alignment)                                    \
    __attribute__((vector_size(bytes), aligned(alignment), may_alias))

/* Unroll the loop that follows `count` times, or wholly if it is shorter.
 * Arrays of vectors live in registers only where every loop over them is
 * unrolled. */
#define SFI_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define SFI_UNROLL(count) SFI_PRAGMA(unroll count)
#else
#define SFI_UNROLL(count) SFI_PRAGMA(GCC unroll count)
#endif

#define SFI_PASTE_(a, b) a##b
#define SFI_PASTE(a, b)  SFI_PASTE_(a, b)

/* Compile one function for a set of instructions, e.g. "avx2"; the caller has
 * made sure that the processor has it. */
#define SFI_TARGET(isa) __attribute__((target(isa)))

/* Products of two 64-bit integers. */
__extension__ typedef unsigned __int128 sfi_u128;

#define SFI_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The smaller one, as fmin() is for doubles. */
static inline int64_t sfi_smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

#endif
