/* SPDX-License-Identifier: Apache-2.0 */
/* floor.h - a stopwatch, and the rate of fused multiply-add that one core
 * reaches when everything stays in registers: no product can be faster.
 *
 * Rates on a shared machine wander by tens of per cent within a second, so
 * contestants take turns and each keeps its best: the best of many short runs
 * is what the code can do, and turns make the runs comparable. */
#ifndef SFI_BENCH_FLOOR_H
#define SFI_BENCH_FLOOR_H

#include "base/compiler.h"
#include "base/context.h"
#include "num/loops.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One thing to measure: run(state) does `work` units of work. */
typedef struct contestant {
    const char *name;
    void (*run)(void *state);
    void *state;
    double work;
    double best; /* units a second, filled by compete() */
} contestant;

/* Seconds that one run takes, from as many runs as fill `least` seconds. */
SFI_UNUSED static double seconds_of(const contestant *c, double least)
{
    int64_t runs = 1;
    for (;;) {
        const double start = sfi_clock();
        for (int64_t i = 0; i < runs; i++)
            c->run(c->state);
        const double elapsed = sfi_clock() - start;
        if (elapsed >= least)
            return elapsed / (double)runs;
        runs = elapsed > 1e-6
                   ? (int64_t)ceil(1.2 * (double)runs * least / elapsed)
                   : runs * 8;
    }
}

SFI_UNUSED static void compete(contestant *c, int count, int turns)
{
    for (int k = 0; k < count; k++)
        c[k].best = 0.0;
    for (int t = 0; t < turns; t++) {
        for (int k = 0; k < count; k++) {
            const double rate = c[k].work / seconds_of(&c[k], 1e-3);
            if (t > 0) /* the first turn warms up */
                c[k].best = fmax(c[k].best, rate);
        }
    }
}

/* Twelve independent chains of fused multiply-add: enough to hide a latency of
 * 5 at two a cycle.  The state is the number of rounds. */
enum { FLOOR_CHAINS = 12, FLOOR_ROUNDS = 1000 };

#define FLOOR_BODY(vector, one, fma)                                           \
    {                                                                          \
        vector x[FLOOR_CHAINS];                                                \
        const vector a = one(0.999999), b = one(1e-6);                         \
        SFI_UNROLL(16)                                                         \
        for (int k = 0; k < FLOOR_CHAINS; k++)                                 \
            x[k] = one(1.0 + k);                                               \
        for (int i = 0; i < FLOOR_ROUNDS; i++) {                               \
            SFI_UNROLL(16)                                                     \
            for (int k = 0; k < FLOOR_CHAINS; k++)                             \
                x[k] = fma(x[k], a, b);                                        \
        }                                                                      \
        SFI_UNROLL(16)                                                         \
        for (int k = 1; k < FLOOR_CHAINS; k++)                                 \
            x[0] += x[k];                                                      \
        memcpy(out, &x[0], sizeof x[0]);                                       \
    }

#if defined(__x86_64__)
#include <immintrin.h>

SFI_TARGET("avx512f")
SFI_UNUSED static void floor_avx512_f32(void *out)
    FLOOR_BODY(__m512, _mm512_set1_ps, _mm512_fmadd_ps)

        SFI_TARGET("avx512f") SFI_UNUSED static void floor_avx512_f64(void *out)
            FLOOR_BODY(__m512d, _mm512_set1_pd, _mm512_fmadd_pd)

                SFI_TARGET("avx2,fma") SFI_UNUSED
    static void floor_avx2_f32(void *out)
        FLOOR_BODY(__m256, _mm256_set1_ps, _mm256_fmadd_ps)

            SFI_TARGET("avx2,fma") SFI_UNUSED
    static void floor_avx2_f64(void *out)
        FLOOR_BODY(__m256d, _mm256_set1_pd, _mm256_fmadd_pd)

#define SSE_ADD_MULTIPLY_F32(x, a, b) _mm_add_ps(_mm_mul_ps(x, a), b)
#define SSE_ADD_MULTIPLY_F64(x, a, b) _mm_add_pd(_mm_mul_pd(x, a), b)

            SFI_UNUSED static void floor_portable_f32(void *out)
                FLOOR_BODY(__m128, _mm_set1_ps, SSE_ADD_MULTIPLY_F32)

                    SFI_UNUSED static void floor_portable_f64(void *out)
                        FLOOR_BODY(__m128d, _mm_set1_pd, SSE_ADD_MULTIPLY_F64)

                            enum {
                                FLOOR_PORTABLE_BYTES = 16
                            };
#elif defined(__aarch64__)
#include <arm_neon.h>

#define NEON_FMA_F32(x, a, b) vfmaq_f32(b, x, a)
#define NEON_FMA_F64(x, a, b) vfmaq_f64(b, x, a)

SFI_UNUSED static void floor_portable_f32(void *out)
    FLOOR_BODY(float32x4_t, vdupq_n_f32, NEON_FMA_F32)

        SFI_UNUSED static void floor_portable_f64(void *out)
            FLOOR_BODY(float64x2_t, vdupq_n_f64, NEON_FMA_F64)

                enum {
                    FLOOR_PORTABLE_BYTES = 16
                };
#else
#define PLAIN_FMA(x, a, b) ((x) * (a) + (b))
#define PLAIN_ONE(x)       (x)

SFI_UNUSED static void floor_portable_f32(void *out)
    FLOOR_BODY(float, PLAIN_ONE, PLAIN_FMA)

        SFI_UNUSED static void floor_portable_f64(void *out)
            FLOOR_BODY(double, PLAIN_ONE, PLAIN_FMA)

                enum {
                    FLOOR_PORTABLE_BYTES = 0
                };
#endif

/* The contestant that sets the floor for a table; its work is in flops. */
SFI_UNUSED static contestant fma_floor(const sfi_loops *loops)
{
    static double sink[16];
    const bool f64 = loops->dtype == SF_F64;
    int64_t lanes = FLOOR_PORTABLE_BYTES / (f64 ? 8 : 4);
    contestant c = {"registers", f64 ? floor_portable_f64 : floor_portable_f32,
                    sink, 0, 0};
#if defined(__x86_64__)
    if (strcmp(loops->isa, "avx512") == 0) {
        c.run = f64 ? floor_avx512_f64 : floor_avx512_f32;
        lanes = f64 ? 8 : 16;
    } else if (strcmp(loops->isa, "avx2") == 0) {
        c.run = f64 ? floor_avx2_f64 : floor_avx2_f32;
        lanes = f64 ? 4 : 8;
    }
#endif
    c.work =
        2.0 * FLOOR_CHAINS * FLOOR_ROUNDS * (double)(lanes > 0 ? lanes : 1);
    return c;
}

/* Aligned memory for `count` elements of 8 bytes, filled with numbers in
 * (-1, 1) of the type. */
SFI_UNUSED static void *random_numbers(sf_dtype dtype, int64_t count)
{
    void *p = aligned_alloc(64, (size_t)(count * 8 + 127) / 64 * 64);
    if (p == NULL)
        exit(EXIT_FAILURE);
    const sfi_where where = {1, 0, 0, SFI_STREAM_USER};
    for (int64_t i = 0; i < count; i++) {
        const double x = 2 * sfi_uniform_at(where, (uint32_t)i) - 1;
        if (dtype == SF_F64)
            ((double *)p)[i] = x;
        else
            ((float *)p)[i] = (float)x;
    }
    return p;
}

#endif
