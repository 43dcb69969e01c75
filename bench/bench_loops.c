/* SPDX-License-Identifier: Apache-2.0 */
/* bench_loops.c - the vector loops on one core against what it can do at all.
 *
 *   bench_loops [avx512|avx2|portable]
 *
 * Products are in GFLOP/s beside the fused multiply-add rate of registers alone
 * (floor.h); functions and draws in 10^9 elements a second. */
#include "floor.h"

static const int turns = 12;

typedef struct product {
    const sfi_loops *loops;
    sfi_gemm g;
    sfi_gemm_nt nt;
    void *work;
} product;

static void run_gemm(void *state)
{
    product *p = state;
    p->loops->gemm(&p->g, p->work);
}

static void run_gemm_nt(void *state)
{
    product *p = state;
    p->loops->gemm_nt(&p->nt, p->work);
}

static void bench_products(const sfi_loops *loops)
{
    static const int64_t sizes[][2] = {{128, 128}, {512, 512}, {128, 2},
                                       {2, 128},   {3, 128},   {128, 3}};
    static const int64_t points[] = {32, 64, 128, 256};
    printf("\nmatrix products, %s %s, GFLOP/s (share of the floor)\n"
           "   m    k    n   floor        A B      A' B    dY X'\n",
           loops->isa, loops->dtype == SF_F64 ? "f64" : "f32");
    for (size_t s = 0; s < SFI_COUNT(sizes); s++) {
        for (size_t i = 0; i < SFI_COUNT(points); i++) {
            const int64_t m = sizes[s][0], k = sizes[s][1], n = points[i];
            void *a = random_numbers(loops->dtype, m * k);
            void *b = random_numbers(loops->dtype, k * n);
            void *c = random_numbers(loops->dtype, m * n);
            void *w = random_numbers(loops->dtype, m * k);
            const size_t bytes =
                loops->gemm_work(m, n, k) + loops->gemm_nt_work(m, k, n);
            void *work = aligned_alloc(64, (bytes + 63) / 64 * 64);
            product plain = {loops,
                             {m, n, k, a, k, 1, b, n, c, n, NULL, false},
                             {m, k, n, c, n, b, n, w, k, true},
                             work};
            product transposed = plain;
            transposed.g.a_row = 1;
            transposed.g.a_col = m;
            const double flops = 2.0 * (double)(m * n * k);
            contestant all[4] = {fma_floor(loops),
                                 {"A B", run_gemm, &plain, flops, 0},
                                 {"A' B", run_gemm, &transposed, flops, 0},
                                 {"dY X'", run_gemm_nt, &plain, flops, 0}};
            compete(all, 4, turns);
            printf("%4d %4d %4d %7.1f", (int)m, (int)k, (int)n,
                   all[0].best * 1e-9);
            for (int j = 1; j < 4; j++)
                printf("  %6.1f %.2f", all[j].best * 1e-9,
                       all[j].best / all[0].best);
            printf("\n");
            free(a);
            free(b);
            free(c);
            free(w);
            free(work);
        }
    }
}

/* ---- functions ------------------------------------------------------------ */

enum { ROW = 1024 };

typedef struct mapping {
    sfi_ew_loop loop;
    void *dst;
    const void *a;
} mapping;

static void run_mapping(void *state)
{
    mapping *f = state;
    f->loop(f->dst, f->a, f->a, f->a, ROW);
}

#if defined(__x86_64__)
/* sleef.h declares these only to files compiled for AVX2 as a whole. */
__m256 Sleef_expf8_u10avx2(__m256 x);
__m256 Sleef_tanhf8_u10avx2(__m256 x);
__m256d Sleef_expd4_u10avx2(__m256d x);
__m256d Sleef_tanhd4_u10avx2(__m256d x);

#define SLEEF_LOOP(name, type, vector, step, load, store, function)            \
    SFI_TARGET("avx2,fma")                                                     \
    static void name(void *dst, const void *a, SFI_UNUSED const void *b,       \
                     SFI_UNUSED const void *c, int64_t n)                      \
    {                                                                          \
        for (int64_t i = 0; i < n; i += (step))                                \
            store((type *)dst + i, function(load((const type *)a + i)));       \
    }
SLEEF_LOOP(sleef_exp_f32, float, __m256, 8, _mm256_loadu_ps, _mm256_storeu_ps,
           Sleef_expf8_u10avx2)
SLEEF_LOOP(sleef_tanh_f32, float, __m256, 8, _mm256_loadu_ps, _mm256_storeu_ps,
           Sleef_tanhf8_u10avx2)
SLEEF_LOOP(sleef_exp_f64, double, __m256d, 4, _mm256_loadu_pd, _mm256_storeu_pd,
           Sleef_expd4_u10avx2)
SLEEF_LOOP(sleef_tanh_f64, double, __m256d, 4, _mm256_loadu_pd,
           _mm256_storeu_pd, Sleef_tanhd4_u10avx2)

/* The usual way: 1/(1 + exp(-x)). */
SFI_TARGET("avx2,fma")
static void sleef_sigmoid_f32(void *dst, const void *a,
                              SFI_UNUSED const void *b,
                              SFI_UNUSED const void *c, int64_t n)
{
    const __m256 one = _mm256_set1_ps(1), zero = _mm256_setzero_ps();
    for (int64_t i = 0; i < n; i += 8) {
        const __m256 x = _mm256_loadu_ps((const float *)a + i);
        const __m256 e = Sleef_expf8_u10avx2(_mm256_sub_ps(zero, x));
        _mm256_storeu_ps((float *)dst + i,
                         _mm256_div_ps(one, _mm256_add_ps(one, e)));
    }
}
#endif

static void bench_functions(const sfi_loops *loops)
{
    static const struct {
        const char *name;
        sfi_ew op;
    } ours[] = {{"add", SFI_EW_ADD},
                {"fma", SFI_EW_FMA},
                {"div", SFI_EW_DIV},
                {"sqrt", SFI_EW_SQRT},
                {"max", SFI_EW_MAX},
                {"exp", SFI_EW_EXP},
                {"sigmoid", SFI_EW_SIGMOID},
                {"tanh", SFI_EW_TANH},
                {"softplus", SFI_EW_SOFTPLUS},
                {"log", SFI_EW_LOG},
                {"sin", SFI_EW_SIN},
                {"erf", SFI_EW_ERF},
                {"pow", SFI_EW_POW}};
    contestant all[SFI_COUNT(ours) + 3];
    mapping maps[SFI_COUNT(ours) + 3];
    int count = 0;
    void *x = random_numbers(loops->dtype, ROW);
    void *y = random_numbers(loops->dtype, ROW);
    for (size_t i = 0; i < SFI_COUNT(ours); i++) {
        maps[count] = (mapping){loops->ew[ours[i].op][0], y, x};
        all[count] =
            (contestant){ours[i].name, run_mapping, &maps[count], ROW, 0};
        count++;
    }
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        const bool f64 = loops->dtype == SF_F64;
        const struct {
            const char *name;
            sfi_ew_loop loop;
        } theirs[] = {{"SLEEF exp", f64 ? sleef_exp_f64 : sleef_exp_f32},
                      {"SLEEF tanh", f64 ? sleef_tanh_f64 : sleef_tanh_f32},
                      {"SLEEF sigmoid", f64 ? NULL : sleef_sigmoid_f32}};
        for (size_t i = 0; i < SFI_COUNT(theirs); i++) {
            if (theirs[i].loop == NULL)
                continue;
            maps[count] = (mapping){theirs[i].loop, y, x};
            all[count] =
                (contestant){theirs[i].name, run_mapping, &maps[count], ROW, 0};
            count++;
        }
    }
#endif
    compete(all, count, turns);
    printf("\nfunctions, %s %s, 10^9 elements/s (rows of %d)\n", loops->isa,
           loops->dtype == SF_F64 ? "f64" : "f32", (int)ROW);
    for (int i = 0; i < count; i++)
        printf("  %-14s %6.3f\n", all[i].name, all[i].best * 1e-9);
    free(x);
    free(y);
}

/* ---- draws, moves, sums --------------------------------------------------- */

typedef struct block {
    const sfi_loops *loops;
    void *rows, *table;
    int64_t points, dim;
} block;

static void run_normal(void *state)
{
    block *b = state;
    const sfi_where where = {1, 0, 0, SFI_STREAM_USER};
    b->loops->normal(b->rows, b->points, where, 0, b->points, b->dim);
}

static void run_uniform(void *state)
{
    block *b = state;
    const sfi_where where = {1, 0, 0, SFI_STREAM_USER};
    b->loops->uniform(b->rows, b->points, where, 0, b->points, b->dim);
}

static void run_load(void *state)
{
    block *b = state;
    b->loops->load(b->rows, b->points, b->table, SF_F64, b->dim, NULL,
                   b->points, b->points, b->dim);
}

static void run_store(void *state)
{
    block *b = state;
    b->loops->store(b->table, SF_F64, b->dim, b->rows, b->points, b->points,
                    b->dim);
}

static void run_transpose(void *state)
{
    block *b = state;
    b->loops->transpose(b->table, b->points, b->rows, b->dim, b->points,
                        b->dim);
}

static void run_copy(void *state)
{
    block *b = state;
    memcpy(b->table, b->rows,
           (size_t)(b->points * b->dim) * sf_dtype_size(b->loops->dtype));
}

static void run_sum_squares(void *state)
{
    block *b = state;
    volatile double s = b->loops->sum_squares(b->rows, b->points * b->dim);
    (void)s;
}

static void bench_moves(const sfi_loops *loops)
{
    static const int64_t dims[] = {1, 2, 3, 4, 16, 128};
    printf("\nblocks of 128 points, %s %s, 10^9 elements/s\n"
           " dim  normal uniform load<f64 store>f64 transpose  memcpy "
           "sum_squares\n",
           loops->isa, loops->dtype == SF_F64 ? "f64" : "f32");
    for (size_t i = 0; i < SFI_COUNT(dims); i++) {
        const int64_t n = 128, dim = dims[i];
        block b = {loops, random_numbers(loops->dtype, n * dim),
                   random_numbers(SF_F64, n * dim), n, dim};
        const double work = (double)(n * dim);
        contestant all[] = {{"normal", run_normal, &b, work, 0},
                            {"uniform", run_uniform, &b, work, 0},
                            {"load", run_load, &b, work, 0},
                            {"store", run_store, &b, work, 0},
                            {"transpose", run_transpose, &b, work, 0},
                            {"memcpy", run_copy, &b, work, 0},
                            {"sum_squares", run_sum_squares, &b, work, 0}};
        compete(all, SFI_COUNT(all), turns);
        printf("%4d", (int)dim);
        for (size_t k = 0; k < SFI_COUNT(all); k++)
            printf("  %7.3f", all[k].best * 1e-9);
        printf("\n");
        free(b.rows);
        free(b.table);
    }
}

int main(int argc, char **argv)
{
    sfi_flush_denormals();
    for (int type = 0; type < 2; type++) {
        const sfi_loops *loops = argc > 1
                                     ? sfi_loops_named(argv[1], (sf_dtype)type)
                                     : sfi_loops_for((sf_dtype)type);
        if (loops == NULL) {
            fprintf(stderr, "bench_loops: no instruction set %s here\n",
                    argv[1]);
            return EXIT_FAILURE;
        }
        bench_products(loops);
        bench_functions(loops);
        bench_moves(loops);
    }
    return EXIT_SUCCESS;
}
