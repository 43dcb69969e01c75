/* SPDX-License-Identifier: Apache-2.0 */
/* compiler.h - the only place for what C11 lacks: attributes, vectors, hints. */
#ifndef SFI_COMPILER_H
#define SFI_COMPILER_H

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

#define SFI_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
