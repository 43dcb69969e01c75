/* SPDX-License-Identifier: Apache-2.0 */
/* bench_floor.c - what this machine can do at all, measured.
 *
 * A ratio to a data sheet says nothing on a shared machine whose clock moves,
 * so the figures of the library are put beside three floors that are measured
 * in the same run:
 *
 *   fma_f32, fma_f64   multiply-adds between registers, with the widest
 *                      vectors of the processor; one multiply-add counts as
 *                      two floating-point operations
 *   triad              a[i] = b[i] + s c[i] on arrays larger than the caches,
 *                      in bytes that the program moves: 3 x 4 an element
 *                      (a write that allocates its line first moves a fourth)
 *   triad_nt           the same with stores that bypass the caches
 *
 * each on one thread and on all.  Every loop is timed in short windows, and
 * the best and the median are printed: the best is the machine left alone,
 * the median is the machine as it was.
 *
 *   bench_floor [--seconds S] [--threads N] [fma | triad]
 *
 * prints one JSON object on one line; S is the time for each figure, N the
 * number of threads beside 1, and `fma` leaves out the memory.
 *
 * The loop of a register kernel keeps 12 independent accumulators: Zen 3 and
 * Skylake start two multiply-adds in a cycle and finish one in four, so that
 * eight would do; 12 and the two operands still fit 16 registers.  The
 * accumulators go to x <- x m + a with |m| < 1, whose fixed point a / (1 - m)
 * is an ordinary number: no overflow and no denormal number slows it down. */
#define _POSIX_C_SOURCE 200809L /* CLOCK_THREAD_CPUTIME_ID */

#include "bench.h"

#if defined(__GNUC__) && defined(__x86_64__)
#define HAVE_X86 1
#include <immintrin.h>
#else
#define HAVE_X86 0
#endif
#if defined(__GNUC__) && defined(__aarch64__)
#define HAVE_NEON 1
#include <arm_neon.h>
#else
#define HAVE_NEON 0
#endif

enum {
    LANES = 12,      /* independent accumulators of a register kernel */
    TRIAD_MIB = 128, /* one array of the triad; a large L3 holds 32 to 64 */
};

/* One register kernel: `turns` turns of LANES vector multiply-adds. */
typedef double (*fma_fn)(int64_t turns);

typedef struct floor_isa {
    const char *name;
    fma_fn f32, f64;
    double f32_flop, f64_flop; /* operations of one turn */
} floor_isa;

/* The 12 accumulators are separate variables rather than an array, because a
 * compiler that does not unroll would keep an array in memory. */
#define REGISTER_KERNEL(NAME, ATTRIBUTE, VECTOR, SET, FMA, SUM)                \
    ATTRIBUTE static double NAME(int64_t turns)                                \
    {                                                                          \
        const VECTOR m = SET(0.999), a = SET(0.001);                           \
        VECTOR x0 = SET(0.0), x1 = SET(0.1), x2 = SET(0.2), x3 = SET(0.3);     \
        VECTOR x4 = SET(0.4), x5 = SET(0.5), x6 = SET(0.6), x7 = SET(0.7);     \
        VECTOR x8 = SET(0.8), x9 = SET(0.9), xa = SET(1.1), xb = SET(1.2);     \
        for (int64_t t = 0; t < turns; t++) {                                  \
            x0 = FMA(x0, m, a);                                                \
            x1 = FMA(x1, m, a);                                                \
            x2 = FMA(x2, m, a);                                                \
            x3 = FMA(x3, m, a);                                                \
            x4 = FMA(x4, m, a);                                                \
            x5 = FMA(x5, m, a);                                                \
            x6 = FMA(x6, m, a);                                                \
            x7 = FMA(x7, m, a);                                                \
            x8 = FMA(x8, m, a);                                                \
            x9 = FMA(x9, m, a);                                                \
            xa = FMA(xa, m, a);                                                \
            xb = FMA(xb, m, a);                                                \
        }                                                                      \
        return SUM(x0) + SUM(x1) + SUM(x2) + SUM(x3) + SUM(x4) + SUM(x5) +     \
               SUM(x6) + SUM(x7) + SUM(x8) + SUM(x9) + SUM(xa) + SUM(xb);      \
    }

#if HAVE_X86
#define AVX2         __attribute__((target("avx2,fma")))
#define AVX512       __attribute__((target("avx512f")))
#define FIRST_PS(v)  ((double)_mm256_cvtss_f32(v))
#define FIRST_PD(v)  _mm256_cvtsd_f64(v)
#define FIRST_PS5(v) ((double)_mm512_cvtss_f32(v))
#define FIRST_PD5(v) _mm512_cvtsd_f64(v)
REGISTER_KERNEL(avx2_f32, AVX2, __m256, _mm256_set1_ps, _mm256_fmadd_ps,
                FIRST_PS)
REGISTER_KERNEL(avx2_f64, AVX2, __m256d, _mm256_set1_pd, _mm256_fmadd_pd,
                FIRST_PD)
REGISTER_KERNEL(avx512_f32, AVX512, __m512, _mm512_set1_ps, _mm512_fmadd_ps,
                FIRST_PS5)
REGISTER_KERNEL(avx512_f64, AVX512, __m512d, _mm512_set1_pd, _mm512_fmadd_pd,
                FIRST_PD5)
#endif

#if HAVE_NEON
#define FMA_NEON_F32(x, m, a) vfmaq_f32(a, x, m)
#define FMA_NEON_F64(x, m, a) vfmaq_f64(a, x, m)
#define FIRST_N32(v)          ((double)vgetq_lane_f32(v, 0))
#define FIRST_N64(v)          vgetq_lane_f64(v, 0)
REGISTER_KERNEL(neon_f32, , float32x4_t, vdupq_n_f32, FMA_NEON_F32, FIRST_N32)
REGISTER_KERNEL(neon_f64, , float64x2_t, vdupq_n_f64, FMA_NEON_F64, FIRST_N64)
#endif

/* Anywhere else, and on an x86 without FMA: a product and a sum of blocks of
 * numbers, in whatever vectors the compiler's baseline has.  fma() would be a
 * library call there, a hundred times slower than the processor. */
#define PORTABLE_KERNEL(NAME, REAL, COUNT)                                     \
    static double NAME(int64_t turns)                                          \
    {                                                                          \
        REAL x[COUNT];                                                         \
        for (int j = 0; j < (COUNT); j++)                                      \
            x[j] = (REAL)j;                                                    \
        for (int64_t t = 0; t < turns; t++)                                    \
            for (int j = 0; j < (COUNT); j++)                                  \
                x[j] = x[j] * (REAL)0.999 + (REAL)0.001;                       \
        double sum = 0.0;                                                      \
        for (int j = 0; j < (COUNT); j++)                                      \
            sum += (double)x[j];                                               \
        return sum;                                                            \
    }
PORTABLE_KERNEL(portable_f32, float, 4 * LANES)
PORTABLE_KERNEL(portable_f64, double, 2 * LANES)

static floor_isa widest_isa(void)
{
#if HAVE_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f"))
        return (floor_isa){"avx512f", avx512_f32, avx512_f64, 2.0 * 16 * LANES,
                           2.0 * 8 * LANES};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return (floor_isa){"avx2+fma", avx2_f32, avx2_f64, 2.0 * 8 * LANES,
                           2.0 * 4 * LANES};
#endif
#if HAVE_NEON
    return (floor_isa){"neon", neon_f32, neon_f64, 2.0 * 4 * LANES,
                       2.0 * 2 * LANES};
#endif
    return (floor_isa){"portable", portable_f32, portable_f64, 2.0 * 4 * LANES,
                       2.0 * 2 * LANES};
}

/* What the kernels return goes here, so that no compiler drops them. */
static volatile double sink;

/* Seconds that this thread has run, where the system tells. */
static double thread_clock(void)
{
#ifdef CLOCK_THREAD_CPUTIME_ID
    struct timespec t;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0)
        return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
#endif
    return bench_clock();
}

/* GFLOP/s of `threads` threads.  They start together and each times its own
 * windows by its own processor time, without waiting for the others: a floor
 * should depend neither on the share of the processor that a neighbour takes
 * nor on which thread he holds up.  The rates of the threads are added, best
 * to best and median to median. */
static bench_rate fma_rate(fma_fn kernel, double flop, int threads,
                           double seconds)
{
    const int64_t turns = 5000000; /* 15 to 30 ms: a clock that only leaps
                                      for a moment is no floor */
    double best = 0.0, median = 0.0, total = 0.0;
#pragma omp parallel num_threads(threads) reduction(+ : best, median, total)
    {
        double rates[BENCH_MAX_WINDOWS];
        int count = 0;
#pragma omp barrier
        const double start = bench_clock();
        while (count < BENCH_MAX_WINDOWS &&
               (count < 5 || bench_clock() - start < seconds)) {
            const double begin = thread_clock();
            total += kernel(turns);
            const double elapsed = thread_clock() - begin;
            rates[count++] = 1e-9 * flop * (double)turns / elapsed;
        }
        const bench_rate own = bench_summarise(rates, count);
        best += own.best;
        median += own.median;
    }
    sink = total;
    return (bench_rate){best, median};
}

/* The rows of one thread: whole cache lines, the same for every sweep, so that
 * first touch places them near the thread that uses them. */
static void share(int64_t n, int thread, int threads, int64_t *from,
                  int64_t *to)
{
    const int64_t lines = n / 16;
    *from = 16 * (lines * thread / threads);
    *to = 16 * (lines * (thread + 1) / threads);
}

static void triad_plain(float *restrict a, const float *restrict b,
                        const float *restrict c, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        a[i] = b[i] + 3.0f * c[i];
}

#if HAVE_X86
/* SSE2 suffices: memory is slower than the narrowest vector. */
static void triad_stream(float *restrict a, const float *restrict b,
                         const float *restrict c, int64_t n)
{
    const __m128 s = _mm_set1_ps(3.0f);
    for (int64_t i = 0; i + 4 <= n; i += 4)
        _mm_stream_ps(a + i, _mm_add_ps(_mm_load_ps(b + i),
                                        _mm_mul_ps(s, _mm_load_ps(c + i))));
    _mm_sfence();
}
#else
#define triad_stream triad_plain
#endif

typedef void (*triad_fn)(float *restrict, const float *restrict,
                         const float *restrict, int64_t);

/* GB/s of `threads` threads over three arrays of n floats in `memory`. */
static bench_rate triad_rate(triad_fn kernel, float *memory, int64_t n,
                             int threads, double seconds)
{
    static double rates[BENCH_MAX_WINDOWS];
    float *a = memory, *b = memory + n, *c = memory + 2 * n;
    int count = 0;
    const double start = bench_clock();
    while (count < BENCH_MAX_WINDOWS &&
           (count < 3 || bench_clock() - start < seconds)) {
        const double begin = bench_clock();
#pragma omp parallel num_threads(threads)
        {
            int64_t from, to;
            share(n, omp_get_thread_num(), omp_get_num_threads(), &from, &to);
            kernel(a + from, b + from, c + from, to - from);
        }
        rates[count++] = 12e-9 * (double)n / (bench_clock() - begin);
    }
    sink = (double)a[n / 2];
    return bench_summarise(rates, count);
}

static void print_pair(const char *name, bench_rate one, bench_rate all)
{
    printf(", \"%s\": {\"1t\": {\"best\": %.2f, \"median\": %.2f}, "
           "\"all\": {\"best\": %.2f, \"median\": %.2f}}",
           name, one.best, one.median, all.best, all.median);
}

static int bandwidth(int threads, double seconds)
{
    const int64_t n = TRIAD_MIB * 1024 * 1024 / (int64_t)sizeof(float);
    float *memory = aligned_alloc(64, 3 * (size_t)n * sizeof *memory);
    if (memory == NULL) {
        fprintf(stderr, "bench_floor: no memory for 3 arrays of %d MiB\n",
                TRIAD_MIB);
        return 1;
    }
#pragma omp parallel num_threads(threads)
    {
        int64_t from, to;
        share(n, omp_get_thread_num(), omp_get_num_threads(), &from, &to);
        for (int64_t i = from; i < to; i++) {
            memory[i] = 0.0f;
            memory[n + i] = 1.0f;
            memory[2 * n + i] = 2.0f;
        }
    }
    const bench_rate p1 = triad_rate(triad_plain, memory, n, 1, seconds);
    const bench_rate pn = triad_rate(triad_plain, memory, n, threads, seconds);
    const bench_rate s1 = triad_rate(triad_stream, memory, n, 1, seconds);
    const bench_rate sn = triad_rate(triad_stream, memory, n, threads, seconds);
    print_pair("triad_gbs", p1, pn);
    print_pair("triad_nt_gbs", s1, sn);
    free(memory);
    return 0;
}

int main(int argc, char **argv)
{
    bench_args args;
    if (!bench_arguments(argc, argv, &args))
        return 2;
    const double seconds = args.seconds;
    const int threads = args.threads;
    const floor_isa isa = widest_isa();
    const bench_rate s1 = fma_rate(isa.f32, isa.f32_flop, 1, seconds);
    const bench_rate sn = fma_rate(isa.f32, isa.f32_flop, threads, seconds);
    const bench_rate d1 = fma_rate(isa.f64, isa.f64_flop, 1, seconds);
    const bench_rate dn = fma_rate(isa.f64, isa.f64_flop, threads, seconds);
    printf("{\"name\": \"floor\", \"isa\": \"%s\", \"threads\": %d", isa.name,
           threads);
    print_pair("fma_f32_gflops", s1, sn);
    print_pair("fma_f64_gflops", d1, dn);
    const int status =
        bench_wanted(&args, "triad") ? bandwidth(threads, seconds) : 0;
    printf("}\n");
    return status;
}
