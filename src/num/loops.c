/* SPDX-License-Identifier: Apache-2.0 */
/* loops.c - which table of loops this machine runs, and the processor's mode
 * for subnormal numbers.
 *
 * The choice is made anew at every call, from the processor and the
 * environment: it is cheap, and so there is no state to protect. */
#include "num/loops.h"

#include "base/compiler.h"
#include "num/loops_isa.h"

#include <stdlib.h>
#include <string.h>

static bool have_avx2(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return false;
#endif
}

static bool have_avx512(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && have_avx2();
#else
    return false;
#endif
}

static bool have_portable(void)
{
    return true;
}

/* Best first. */
static const struct {
    const char *name;
    bool (*have)(void);
    const sfi_loops *(*table)(sf_dtype dtype);
} sets[] = {
    {"avx512", have_avx512, sfi_loops_avx512},
    {"avx2", have_avx2, sfi_loops_avx2},
    {"portable", have_portable, sfi_loops_portable},
};

const sfi_loops *sfi_loops_named(const char *isa, sf_dtype dtype)
{
    for (size_t i = 0; i < SFI_COUNT(sets); i++)
        if (strcmp(isa, sets[i].name) == 0)
            return sets[i].have() ? sets[i].table(dtype) : NULL;
    return NULL;
}

const sfi_loops *sfi_loops_for(sf_dtype dtype)
{
    const char *wanted = getenv("SCOREFIELD_ISA");
    const sfi_loops *loops =
        wanted != NULL ? sfi_loops_named(wanted, dtype) : NULL;
    for (size_t i = 0; loops == NULL && i < SFI_COUNT(sets); i++)
        loops = sfi_loops_named(sets[i].name, dtype);
    return loops;
}

#if defined(__x86_64__)
#include <xmmintrin.h>

/* Flush-to-zero is bit 15 and denormals-are-zero bit 6 of MXCSR. */
static const unsigned flush_bits = 0x8040u;

unsigned sfi_flush_denormals(void)
{
    const unsigned saved = _mm_getcsr();
    _mm_setcsr(saved | flush_bits);
    return saved & flush_bits;
}

void sfi_restore_denormals(unsigned saved)
{
    _mm_setcsr((_mm_getcsr() & ~flush_bits) | saved);
}
#elif defined(__aarch64__)
/* FZ, bit 24 of FPCR, covers operands and results. */
static const uint64_t flush_bits = (uint64_t)1 << 24;

unsigned sfi_flush_denormals(void)
{
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    __asm__ volatile("msr fpcr, %0" : : "r"(mode | flush_bits));
    return (unsigned)(mode & flush_bits);
}

void sfi_restore_denormals(unsigned saved)
{
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    __asm__ volatile("msr fpcr, %0" : : "r"((mode & ~flush_bits) | saved));
}
#else
unsigned sfi_flush_denormals(void)
{
    return 0;
}

void sfi_restore_denormals(unsigned saved)
{
    (void)saved;
}
#endif
