/* SPDX-License-Identifier: Apache-2.0 */
/* test_loops.c - every loop, type and instruction set that this machine runs,
 * against plain C in double precision. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include "num/loops.h"
#include "num/special.h"

#include <Random123/philox.h>

#include <float.h>

static const char *const isas[] = {"portable", "avx2", "avx512"};

/* Call `test` for every table that this machine can run. */
static void for_each_table(void (*test)(const sfi_loops *))
{
    for (size_t i = 0; i < SFI_COUNT(isas); i++) {
        for (int type = 0; type < 2; type++) {
            const sfi_loops *loops = sfi_loops_named(isas[i], (sf_dtype)type);
            if (loops != NULL)
                test(loops);
        }
    }
}

/* ---- arrays of either type ---------------------------------------------- */

static double get(const sfi_loops *loops, const void *a, int64_t i)
{
    return loops->dtype == SF_F64 ? ((const double *)a)[i]
                                  : (double)((const float *)a)[i];
}

static void put(const sfi_loops *loops, void *a, int64_t i, double x)
{
    if (loops->dtype == SF_F64)
        ((double *)a)[i] = x;
    else
        ((float *)a)[i] = (float)x;
}

/* What x is after it has been stored. */
static double rounded(const sfi_loops *loops, double x)
{
    return loops->dtype == SF_F64 ? x : (double)(float)x;
}

static double epsilon(const sfi_loops *loops)
{
    return loops->dtype == SF_F64 ? DBL_EPSILON : FLT_EPSILON;
}

static double tiny(const sfi_loops *loops)
{
    return loops->dtype == SF_F64 ? DBL_MIN : FLT_MIN;
}

/* One unit in the last place of x. */
static double ulp(const sfi_loops *loops, double x)
{
    x = fabs(x);
    if (!(x >= tiny(loops)))
        return tiny(loops) * epsilon(loops);
    int e = 0;
    frexp(x, &e);
    return ldexp(epsilon(loops), e - 1);
}

static void *new_array(int64_t count)
{
    void *p = aligned_alloc(64, (size_t)(count * 8 + 63) / 64 * 64 + 64);
    assert_non_null(p);
    memset(p, 0, (size_t)count * 8);
    return p;
}

static const sfi_where here = {12345, 0, 0, SFI_STREAM_USER};

/* A number in (lo, hi) that depends on `index` and `salt`. */
static double sample(double lo, double hi, uint32_t salt, int64_t index)
{
    sfi_where where = here;
    where.point = (uint64_t)index;
    where.step = salt;
    return lo + (hi - lo) * sfi_uniform_at(where, 0);
}

static void fill(const sfi_loops *loops, void *a, int64_t count, double lo,
                 double hi, uint32_t salt)
{
    for (int64_t i = 0; i < count; i++)
        put(loops, a, i, sample(lo, hi, salt, i));
}

/* ---- element-wise loops -------------------------------------------------- */

/* What elementwise.def says, but for the functions whose libm versions are up to
 * two units off themselves: those in extended precision. */
static double reference(sfi_ew op, double a, double b, double c)
{
    (void)b;
    (void)c;
    if (op == SFI_EW_LOG)
        return (double)logl(a);
    if (op == SFI_EW_ERFC)
        return (double)erfcl(a);
    if (op == SFI_EW_TANH)
        return (double)tanhl(a);
    if (op == SFI_EW_SIGMOID)
        return (double)(a < 0 ? expl(a) / (1 + expl(a)) : 1 / (1 + expl(-a)));
    if (op == SFI_EW_SOFTPLUS)
        return (double)(fmaxl(a, 0) + log1pl(expl(-fabsl(a))));
    switch (op) {
#define EW(NAME, name, arity, scope, loop, cost, lo, hi, value)                \
    case SFI_EW_##NAME:                                                        \
        return value;
#include "num/elementwise.def"
#undef EW
    case SFI_EW_COUNT:
        break;
    }
    return NAN;
}

static const struct {
    const char *name;
    int arity;
    enum { WRITTEN, OWN, LIBRARY, DEFINED } loop;
    double lo, hi;
} operations[SFI_EW_COUNT] = {
#define EW(NAME, name, arity, scope, loop, cost, lo, hi, value)                \
    {#name, arity, loop, lo, hi},
#include "num/elementwise.def"
#undef EW
};

/* Operations whose first operand is a whole number, from here on. */
static bool has_whole_order(sfi_ew op)
{
    return op == SFI_EW_POLYGAMMA || op == SFI_EW_LOG_NDTR_SLOPE;
}

/* How many units in the last place a loop may be from the true value: half a
 * unit for what is rounded once, 1 for SLEEF (its own bound), 1.5 for our own
 * functions, more for what is put together from several of them, and the precision
 * of special.h (1e-14, or what it says) where that is coarser.
 * lgamma crosses zero at 1 and 2; there its bound is on the absolute error.
 * fma without the instruction rounds the product too. */
static double tolerance(const sfi_loops *loops, sfi_ew op, double a, double b,
                        double want)
{
    const bool fused = strcmp(loops->isa, "portable") != 0;
    const double u = ulp(loops, want);
    switch (op) {
    case SFI_EW_NEG:
    case SFI_EW_ABS:
    case SFI_EW_SIGN:
    case SFI_EW_FLOOR:
    case SFI_EW_MIN:
    case SFI_EW_MAX:
    case SFI_EW_LESS:
    case SFI_EW_LESS_EQUAL:
    case SFI_EW_EQUAL:
    case SFI_EW_SELECT:
        return 0.0;
    case SFI_EW_SQRT:
    case SFI_EW_ADD:
    case SFI_EW_SUB:
    case SFI_EW_MUL:
    case SFI_EW_DIV:
        return 0.5 * u;
    case SFI_EW_FMA:
        /* The reference itself rounds twice. */
        return (fused && loops->dtype == SF_F32 ? 0.501 : 1.0) * u +
               ulp(loops, a * b);
    case SFI_EW_LGAMMA:
        return 1.0 * u + epsilon(loops);
    case SFI_EW_SOFTPLUS:
        return 2.0 * u;
    case SFI_EW_LOGIT:
    case SFI_EW_LOG1MEXP:
    case SFI_EW_LOG1MEXP_SLOPE:
        return 3.0 * u;
    case SFI_EW_NDTR:
    case SFI_EW_LOG_NDTR:
        return 9.0 * u;
    case SFI_EW_LOG_NDTR_SLOPE:
        return 9.0 * u + 5e-15 * fabs(want);
    default:
        break;
    }
    switch (operations[op].loop) {
    case DEFINED:
        return 0.5 * u + 1e-14 * fabs(want);
    case OWN:
        return (fused ? 1.5 : 2.0) * u;
    default:
        return (loops->dtype == SF_F64 ? 1.6 : 1.1) * u;
    }
}

static void check_operation(const sfi_loops *loops, sfi_ew op, int mode,
                            int64_t n)
{
    const int arity = operations[op].arity;
    const double lo = operations[op].lo, hi = operations[op].hi;
    void *x[3], *y = new_array(n + 1);
    for (int k = 0; k < 3; k++) {
        x[k] = new_array(n);
        fill(loops, x[k], n, lo, hi, (uint32_t)(k + 10 * op));
    }
    for (int64_t i = 0; has_whole_order(op) && i < n; i++)
        put(loops, x[0], i, (double)(i % 4 + (op == SFI_EW_LOG_NDTR_SLOPE)));
    for (int64_t i = 0; op == SFI_EW_SELECT && i < n; i += 3)
        put(loops, x[0], i, 0.0);
    for (int64_t i = 0; op == SFI_EW_EQUAL && i < n; i += 3)
        put(loops, x[0], i, get(loops, x[1], mode & 2 ? 0 : i));
    put(loops, y, n, 77.0);
    loops->ew[op][mode](y, x[0], arity > 1 ? x[1] : NULL,
                        arity > 2 ? x[2] : NULL, n);
    for (int64_t i = 0; i < n; i++) {
        double v[3];
        for (int k = 0; k < 3; k++)
            v[k] = get(loops, x[k], mode >> k & 1 ? 0 : i);
        const double want = reference(op, v[0], v[1], v[2]);
        const double got = get(loops, y, i);
        if (!(fabs(got - want) <= tolerance(loops, op, v[0], v[1], want))) {
            fprintf(stderr,
                    "%s %s mode %d: %s(%.17g, %.17g, %.17g) = %.17g, "
                    "want %.17g\n",
                    loops->isa, loops->dtype == SF_F64 ? "f64" : "f32", mode,
                    operations[op].name, v[0], v[1], v[2], got, want);
            fail();
        }
    }
    CHECK(get(loops, y, n) == 77.0); /* nothing is written past the end */
    for (int k = 0; k < 3; k++)
        free(x[k]);
    free(y);
}

static void check_operations(const sfi_loops *loops)
{
    for (int op = 0; op < SFI_EW_COUNT; op++) {
        const int taken = (1 << operations[op].arity) - 1;
        for (int mode = 0; mode < SFI_EW_MODES; mode++) {
            if ((mode & taken) == taken) {
                CHECK(loops->ew[op][mode] == NULL);
                continue;
            }
            check_operation(loops, (sfi_ew)op, mode, 512);
            check_operation(loops, (sfi_ew)op, mode, 37);
        }
    }
}

TEST(every_operation_agrees_with_its_definition_in_every_mode)
{
    for_each_table(check_operations);
}

/* Over the whole range where the result is neither 0 nor infinite. */
static void check_range(const sfi_loops *loops, sfi_ew op, double lo, double hi)
{
    enum { N = 20000 };
    double *x = new_array(N), *y = new_array(N);
    double worst = 0.0;
    fill(loops, x, N, lo, hi, 99);
    loops->ew[op][0](y, x, NULL, NULL, N);
    for (int64_t i = 0; i < N; i++) {
        const double a = get(loops, x, i);
        const double want = reference(op, a, 0, 0);
        const double error = fabs(get(loops, y, i) - want);
        const double units = error / ulp(loops, want);
        worst = fmax(worst, units);
        if (!(error <= tolerance(loops, op, a, 0, want))) {
            fprintf(stderr, "%s %s: %s(%.17g) is %.3f units off\n", loops->isa,
                    loops->dtype == SF_F64 ? "f64" : "f32", operations[op].name,
                    a, units);
            fail();
        }
    }
    if (getenv("SCOREFIELD_TEST_VERBOSE") != NULL)
        fprintf(stderr, "%s %s %s [%g, %g]: %.3f units\n", loops->isa,
                loops->dtype == SF_F64 ? "f64" : "f32", operations[op].name, lo,
                hi, worst);
    free(x);
    free(y);
}

static void check_ranges(const sfi_loops *loops)
{
    const double top = loops->dtype == SF_F64 ? 700.0 : 87.0;
    check_range(loops, SFI_EW_EXP, -top, top);
    check_range(loops, SFI_EW_EXP, -0.1, 0.1);
    check_range(loops, SFI_EW_SIGMOID, -top, top);
    check_range(loops, SFI_EW_SIGMOID, -3, 3);
    check_range(loops, SFI_EW_SOFTPLUS, -top, top);
    check_range(loops, SFI_EW_SOFTPLUS, -3, 3);
    check_range(loops, SFI_EW_TANH, -25, 25);
    check_range(loops, SFI_EW_TANH, -1, 1);
    check_range(loops, SFI_EW_TANH, -1e-3, 1e-3);
    check_range(loops, SFI_EW_LOG, 1e-30, 1e-20);
    check_range(loops, SFI_EW_LOG, tiny(loops) * 0.01, tiny(loops) * 2);
    check_range(loops, SFI_EW_LOG, 0.4, 2.1);
    check_range(loops, SFI_EW_LOG, 0.99, 1.01);
    check_range(loops, SFI_EW_LOG, 1, 1e30);
    const double far = loops->dtype == SF_F64 ? 37.0 : 12.0;
    check_range(loops, SFI_EW_ERFC, -6, loops->dtype == SF_F64 ? 26 : 9);
    check_range(loops, SFI_EW_NDTR, -far, far);
    check_range(loops, SFI_EW_NDTR, -1, 1);
    check_range(loops, SFI_EW_LOG_NDTR, -far, far);
    check_range(loops, SFI_EW_LOG_NDTR, -1, 1);
    check_range(loops, SFI_EW_LOG_NDTR, -1e15, -1);
    check_range(loops, SFI_EW_LOGIT, 0, 1);
    check_range(loops, SFI_EW_LOGIT, 0.49, 0.51);
    check_range(loops, SFI_EW_LOGIT, tiny(loops), 1e-20);
    check_range(loops, SFI_EW_LOG1MEXP, -top, 0);
    check_range(loops, SFI_EW_LOG1MEXP, -1, -0.5);
    check_range(loops, SFI_EW_LOG1MEXP, -1e-10, -1e-20);
    check_range(loops, SFI_EW_LOG1MEXP_SLOPE, -top, 0);
    check_range(loops, SFI_EW_SINH, -top, top);
    check_range(loops, SFI_EW_COSH, -top, top);
    check_range(loops, SFI_EW_SINH, -1e-3, 1e-3);
    check_range(loops, SFI_EW_ASIN, -1, 1);
    check_range(loops, SFI_EW_ACOS, -1, 1);
    check_range(loops, SFI_EW_ATAN, -1e6, 1e6);
    check_range(loops, SFI_EW_SIN, -1e4, 1e4);
    check_range(loops, SFI_EW_COS, -1e4, 1e4);
}

TEST(exponentials_are_accurate_over_their_whole_range)
{
    for_each_table(check_ranges);
}

/* The libm values of C's Annex F, and the limits of our own functions.  A
 * result that would be subnormal may be flushed, none of these is. */
static void check_special_values(const sfi_loops *loops)
{
    static const double values[] = {0.0,  -0.0,   INFINITY, -INFINITY,
                                    NAN,  1e300,  -1e300,   1.0,
                                    -1.0, 2000.0, -2000.0,  0.5};
    enum { COUNT = SFI_COUNT(values), N = COUNT * COUNT };
    double *x = new_array(N), *y = new_array(N), *z = new_array(N);
    for (int64_t i = 0; i < N; i++) {
        put(loops, x, i, values[i % COUNT]);
        put(loops, y, i, values[i / COUNT]);
    }
    for (int op = 0; op < SFI_EW_COUNT; op++) {
        if (op == SFI_EW_FMA || has_whole_order((sfi_ew)op))
            continue;
        loops->ew[op][0](z, x, y, y, N);
        for (int64_t i = 0; i < N; i++) {
            const double a = get(loops, x, i), b = get(loops, y, i);
            const double want = rounded(loops, reference((sfi_ew)op, a, b, b));
            const double got = get(loops, z, i);
            /* Their second operand is an exponential of what is not above 0. */
            if ((op == SFI_EW_SIGMOID_OF || op == SFI_EW_SOFTPLUS_OF) &&
                !(b >= 0.0 && b <= 1.0))
                continue;
            const bool same =
                isnan(want)   ? isnan(got)
                : isinf(want) ? got == want
                : fabs(want) < tiny(loops)
                    ? fabs(got) < tiny(loops)
                    : fabs(got - want) <=
                          tolerance(loops, (sfi_ew)op, a, b, want);
            if (!same) {
                fprintf(stderr, "%s %s: %s(%g, %g) = %g, want %g\n", loops->isa,
                        loops->dtype == SF_F64 ? "f64" : "f32",
                        operations[op].name, a, b, got, want);
                fail();
            }
        }
    }
    free(x);
    free(y);
    free(z);
}

TEST(infinities_zeros_and_nan_are_handled)
{
    for_each_table(check_special_values);
}

/* The first vector of the row is the same in both rows, but for one lane, which
 * in the second row holds a value from far outside; all other lanes must keep
 * their bits.  And dst may be an operand. */
static void check_neighbours(const sfi_loops *loops)
{
    enum { N = 16 };
    double *x = new_array(N), *y = new_array(N), *z = new_array(N);
    for (int op = 0; op < SFI_EW_COUNT; op++) {
        const double lo = operations[op].lo, hi = operations[op].hi;
        fill(loops, x, N, lo, hi, (uint32_t)op);
        if (has_whole_order((sfi_ew)op))
            for (int64_t i = 0; i < N; i++)
                put(loops, x, i, 1.0);
        loops->ew[op][0](y, x, x, x, N);
        for (int trial = 0; trial < 3; trial++) {
            static const double far[] = {1e30, NAN, -INFINITY};
            memcpy(z, x, N * 8);
            put(loops, z, 5, has_whole_order((sfi_ew)op) ? 3.0 : far[trial]);
            loops->ew[op][0](z, z, z, z, N);
            for (int64_t i = 0; i < N; i++) {
                const double got = get(loops, z, i), want = get(loops, y, i);
                if (i != 5 && memcmp(&got, &want, sizeof got) != 0) {
                    fprintf(stderr, "%s %s: a neighbour changes %s\n",
                            loops->isa, loops->dtype == SF_F64 ? "f64" : "f32",
                            operations[op].name);
                    fail();
                }
            }
        }
    }
    free(x);
    free(y);
    free(z);
}

TEST(a_point_does_not_see_its_neighbours)
{
    for_each_table(check_neighbours);
}

/* A row of equal points gives a row of equal bits, the short last vector
 * included. */
static void check_positions(const sfi_loops *loops)
{
    enum { N = 37 };
    double *x = new_array(N), *y = new_array(N);
    for (int op = 0; op < SFI_EW_COUNT; op++) {
        const double value =
            has_whole_order((sfi_ew)op)
                ? 1.0
                : sample(operations[op].lo, operations[op].hi, 8, op);
        for (int64_t i = 0; i < N; i++)
            put(loops, x, i, value);
        loops->ew[op][0](y, x, x, x, N);
        for (int64_t i = 1; i < N; i++) {
            const double got = get(loops, y, i), want = get(loops, y, 0);
            CHECK(memcmp(&got, &want, sizeof got) == 0);
        }
    }
    free(x);
    free(y);
}

TEST(a_point_does_not_see_its_place)
{
    for_each_table(check_positions);
}

/* ---- matrix products ----------------------------------------------------- */

/* C = A B by the definition, and the sum of |a b| for the error bound. */
typedef struct product {
    double value, size;
} product;

static product naive(const sfi_loops *loops, const void *a, int64_t a0,
                     int64_t a_step, const void *b, int64_t b0, int64_t b_step,
                     int64_t k, double start)
{
    product r = {start, fabs(start)};
    for (int64_t p = 0; p < k; p++) {
        const double t =
            get(loops, a, a0 + p * a_step) * get(loops, b, b0 + p * b_step);
        r.value += t;
        r.size += fabs(t);
    }
    return r;
}

/* A chain of k roundings is off by at most k eps/2 times the sum of the sizes;
 * twice that where products are rounded too. */
static double product_bound(const sfi_loops *loops, product want, int64_t k)
{
    return (double)(k + 2) * epsilon(loops) * want.size;
}

static void check_gemm(const sfi_loops *loops, int64_t m, int64_t n, int64_t k,
                       int layout, int start)
{
    /* Rows of C and B are longer than n: what lies between must survive. */
    const int64_t ldb = n + 16, ldc = n + 32;
    const int64_t a_row = layout == 0 ? k + 3 : layout == 1 ? 1 : 2;
    const int64_t a_col = layout == 0 ? 1 : layout == 1 ? m + 5 : 2 * m + 1;
    const int64_t a_count = (m - 1) * a_row + (k > 0 ? k - 1 : 0) * a_col + 1;
    void *a = new_array(a_count), *b = new_array(k * ldb + 1);
    void *c = new_array(m * ldc), *bias = new_array(m);
    double *before = new_array(m * ldc);
    fill(loops, a, a_count, -1, 1, 1);
    fill(loops, b, k * ldb, -1, 1, 2);
    fill(loops, c, m * ldc, -1, 1, 3);
    fill(loops, bias, m, -1, 1, 4);
    for (int64_t i = 0; i < m * ldc; i++)
        before[i] = get(loops, c, i);
    const size_t bytes = loops->gemm_work(m, n, k);
    unsigned char *work = aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
    memset(work + bytes, 0xA5, 64);
    const sfi_gemm g = {m,
                        n,
                        k,
                        a,
                        a_row,
                        a_col,
                        b,
                        ldb,
                        c,
                        ldc,
                        start == 1 ? bias : NULL,
                        start == 2};
    loops->gemm(&g, work);
    for (int i = 0; i < 64; i++)
        CHECK(work[bytes + (size_t)i] == 0xA5);
    for (int64_t i = 0; i < m; i++) {
        for (int64_t j = 0; j < ldc; j++) {
            const double old = before[i * ldc + j];
            const double from = start == 1   ? get(loops, bias, i)
                                : start == 2 ? old
                                             : 0.0;
            const double got = get(loops, c, i * ldc + j);
            if (j >= n) {
                CHECK(got == old);
                continue;
            }
            const product want =
                naive(loops, a, i * a_row, a_col, b, j, ldb, k, from);
            CHECK_NEAR(got, want.value, product_bound(loops, want, k));
        }
    }
    free(a);
    free(b);
    free(c);
    free(bias);
    free(before);
    free(work);
}

static void check_gemms(const sfi_loops *loops)
{
    static const int64_t ms[] = {1, 2, 3, 5, 6, 7, 8, 11, 12, 13, 25, 40};
    static const int64_t ks[] = {0, 1, 2, 3, 16, 61};
    static const int64_t ns[] = {16, 32, 48, 80};
    for (size_t i = 0; i < SFI_COUNT(ms); i++)
        for (size_t j = 0; j < SFI_COUNT(ks); j++)
            for (int layout = 0; layout < 3; layout++)
                for (int start = 0; start < 3; start++)
                    check_gemm(loops, ms[i], ns[(i + j) % SFI_COUNT(ns)], ks[j],
                               layout, start);
    for (int layout = 0; layout < 3; layout++) {
        check_gemm(loops, 128, 64, 128, layout, layout);
        check_gemm(loops, 130, 272, 300, layout, layout);
        check_gemm(loops, 33, 544, 515, layout, (layout + 1) % 3);
    }
}

TEST(gemm_agrees_with_the_definition)
{
    for_each_table(check_gemms);
}

/* The column of one point keeps its bits wherever it stands and however many
 * others there are. */
static void check_gemm_positions(const sfi_loops *loops)
{
    enum { M = 13, K = 300, MOST = 320 };
    double *a = new_array(M * K), *b = new_array(K * MOST);
    double *c = new_array(M * MOST), *alone = new_array(M * 16);
    unsigned char *work = new_array((int64_t)loops->gemm_work(M, MOST, K));
    fill(loops, a, M * K, -1, 1, 1);
    for (int64_t p = 0; p < K; p++) /* every column is the same */
        for (int64_t j = 0; j < MOST; j++)
            put(loops, b, p * MOST + j, sample(-1, 1, 2, p));
    sfi_gemm g = {M, 16, K, a, K, 1, b, MOST, alone, 16, NULL, false};
    loops->gemm(&g, work);
    for (int64_t n = 16; n <= MOST; n += 16) {
        g.n = n;
        g.c = c;
        g.ldc = MOST;
        loops->gemm(&g, work);
        for (int64_t i = 0; i < M; i++)
            for (int64_t j = 0; j < n; j++)
                CHECK(get(loops, c, i * MOST + j) == get(loops, alone, i * 16));
    }
    free(a);
    free(b);
    free(c);
    free(alone);
    free(work);
}

TEST(a_column_of_gemm_does_not_depend_on_its_place)
{
    for_each_table(check_gemm_positions);
}

static void check_gemm_nt(const sfi_loops *loops, int64_t m, int64_t n,
                          int64_t p, bool accumulate)
{
    const int64_t lda = p + 16, ldb = p + 32, ldc = n + 3;
    void *a = new_array(m * lda), *b = new_array(n * ldb);
    void *c = new_array(m * ldc);
    double *before = new_array(m * ldc);
    fill(loops, a, m * lda, -1, 1, 1);
    fill(loops, b, n * ldb, -1, 1, 2);
    fill(loops, c, m * ldc, -1, 1, 3);
    for (int64_t i = 0; i < m * ldc; i++)
        before[i] = get(loops, c, i);
    const size_t bytes = loops->gemm_nt_work(m, n, p);
    unsigned char *work = aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
    memset(work + bytes, 0xA5, 64);
    const sfi_gemm_nt g = {m, n, p, a, lda, b, ldb, c, ldc, accumulate};
    loops->gemm_nt(&g, work);
    for (int i = 0; i < 64; i++)
        CHECK(work[bytes + (size_t)i] == 0xA5);
    for (int64_t i = 0; i < m; i++) {
        for (int64_t j = 0; j < ldc; j++) {
            const double old = before[i * ldc + j];
            const double got = get(loops, c, i * ldc + j);
            if (j >= n) {
                CHECK(got == old);
                continue;
            }
            const product want = naive(loops, a, i * lda, 1, b, j * ldb, 1, p,
                                       accumulate ? old : 0.0);
            CHECK_NEAR(got, want.value, product_bound(loops, want, p));
        }
    }
    free(a);
    free(b);
    free(c);
    free(before);
    free(work);
}

static void check_gemms_nt(const sfi_loops *loops)
{
    static const int64_t ms[] = {1, 2, 6, 7, 13, 40};
    static const int64_t ns[] = {1, 2, 3, 5, 15, 16, 17, 33, 64};
    static const int64_t ps[] = {16, 48, 272};
    for (size_t i = 0; i < SFI_COUNT(ms); i++)
        for (size_t j = 0; j < SFI_COUNT(ns); j++)
            for (size_t k = 0; k < SFI_COUNT(ps); k++)
                check_gemm_nt(loops, ms[i], ns[j], ps[k], (i + j + k) % 2);
    check_gemm_nt(loops, 129, 300, 256, true);
    check_gemm_nt(loops, 128, 128, 64, false);
}

TEST(gemm_nt_agrees_with_the_definition)
{
    for_each_table(check_gemms_nt);
}

/* ---- load, store, transpose ---------------------------------------------- */

static void check_load(const sfi_loops *loops, sf_dtype type, int64_t points,
                       int64_t dim, bool gather)
{
    const int64_t stride = dim + 2, padded = (points + 15) / 16 * 16 + 16;
    const int64_t ld = padded + 16, source_rows = points + 7;
    const sfi_loops *source = sfi_loops_named("portable", type);
    void *src = new_array(source_rows * stride), *dst = new_array(dim * ld);
    void *back = new_array(points * stride);
    int64_t *rows = new_array(points);
    fill(source, src, source_rows * stride, -1, 1, 5);
    fill(loops, dst, dim * ld, 5, 6, 6);
    fill(source, back, points * stride, 5, 6, 6);
    for (int64_t i = 0; i < points; i++)
        rows[i] = (i * 5 + 3) % source_rows;
    loops->load(dst, ld, src, type, stride, gather ? rows : NULL, points,
                padded, dim);
    for (int64_t j = 0; j < dim; j++) {
        for (int64_t i = 0; i < ld; i++) {
            const int64_t point = i < points ? i : points - 1;
            const int64_t row = gather ? rows[point] : point;
            const double want =
                i < padded ? rounded(loops, get(source, src, row * stride + j))
                           : rounded(loops, sample(5, 6, 6, j * ld + i));
            CHECK(get(loops, dst, j * ld + i) == want);
        }
    }
    loops->store(back, type, stride, dst, ld, points, dim);
    for (int64_t i = 0; i < points; i++) {
        for (int64_t j = 0; j < stride; j++) {
            const double want =
                j < dim ? rounded(source, get(loops, dst, j * ld + i))
                        : rounded(source, sample(5, 6, 6, i * stride + j));
            CHECK(get(source, back, i * stride + j) == want);
        }
    }
    free(src);
    free(dst);
    free(back);
    free(rows);
}

static void check_loads(const sfi_loops *loops)
{
    static const int64_t dims[] = {1, 2, 3, 4, 5, 7, 8, 9, 16, 19, 33};
    static const int64_t points[] = {1, 2, 7, 8, 16, 31, 64};
    for (int type = 0; type < 2; type++)
        for (size_t i = 0; i < SFI_COUNT(dims); i++)
            for (size_t j = 0; j < SFI_COUNT(points); j++)
                for (int gather = 0; gather < 2; gather++)
                    check_load(loops, (sf_dtype)type, points[j], dims[i],
                               gather != 0);
}

TEST(load_and_store_are_transposes_that_convert)
{
    for_each_table(check_loads);
}

static void check_transposes(const sfi_loops *loops)
{
    static const int64_t sizes[] = {1, 2, 3, 4, 7, 8, 13, 16, 33, 64};
    for (size_t r = 0; r < SFI_COUNT(sizes); r++) {
        for (size_t c = 0; c < SFI_COUNT(sizes); c++) {
            const int64_t rows = sizes[r], cols = sizes[c];
            const int64_t lds = cols + 3, ldd = rows + 1;
            void *src = new_array(rows * lds), *dst = new_array(cols * ldd);
            fill(loops, src, rows * lds, -1, 1, 1);
            fill(loops, dst, cols * ldd, 5, 6, 2);
            loops->transpose(dst, ldd, src, lds, rows, cols);
            for (int64_t j = 0; j < cols; j++)
                for (int64_t i = 0; i < ldd; i++)
                    CHECK(get(loops, dst, j * ldd + i) ==
                          (i < rows
                               ? get(loops, src, i * lds + j)
                               : rounded(loops, sample(5, 6, 2, j * ldd + i))));
            free(src);
            free(dst);
        }
    }
}

TEST(transpose_moves_every_element)
{
    for_each_table(check_transposes);
}

/* ---- random draws -------------------------------------------------------- */

/* The words of sfi_philox, which the loops must follow, are those of Random123
 * for counters and keys from all over. */
TEST(philox_is_that_of_random123)
{
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t draw[8], got[4];
        for (uint32_t j = 0; j < 8; j++) {
            sfi_where where = here;
            where.point = i;
            draw[j] = sfi_bits_at(where, j);
        }
        const philox4x32_ctr_t c = {{draw[0], draw[1], draw[2], draw[3]}};
        const philox4x32_key_t k = {{draw[4], draw[5]}};
        const philox4x32_ctr_t want = philox4x32_R(10, c, k);
        sfi_philox(draw, draw + 4, got);
        for (int w = 0; w < 4; w++)
            CHECK(got[w] == want.v[w]);
    }
}

/* The known answers that Random123 publishes (kat_vectors, philox4x32 10). */
TEST(philox_gives_the_known_answers)
{
    static const uint32_t kat[3][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff,
         0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0,
         0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}};
    for (size_t i = 0; i < SFI_COUNT(kat); i++) {
        uint32_t got[4];
        sfi_philox(kat[i], kat[i] + 4, got);
        for (int w = 0; w < 4; w++)
            CHECK(got[w] == kat[i][6 + w]);
    }
}

/* The draws start before and run past the point 2^32, where the counter's
 * second word changes.  In single precision the radius, at most 6.8, and the
 * angle carry a few roundings of 6e-8; in double precision of 1.1e-16. */
static void check_draws(const sfi_loops *loops)
{
    enum { N = 32, LD = 48 };
    double *z = new_array(12 * LD), *u = new_array(12 * LD);
    const sfi_where wheres[] = {
        {1, 0, 0, SFI_STREAM_PRIOR},
        {0xFEDCBA9876543210u, 0xFFFFFFF5u, 0xFFFFFFFFu, SFI_STREAM_USER},
        {7, 0xFFFFFFFFFFFF00u, 3, SFI_STREAM_NOISE}};
    const double z_bound = loops->dtype == SF_F64 ? 5e-15 : 1.2e-6;
    const double u_bound = loops->dtype == SF_F64 ? 0.0 : 0x1p-24;
    for (size_t w = 0; w < SFI_COUNT(wheres); w++) {
        for (uint32_t first = 0; first < 7; first++) {
            for (int64_t dim = 1; dim < 11; dim++) {
                fill(loops, z, 12 * LD, 5, 6, 7);
                fill(loops, u, 12 * LD, 5, 6, 7);
                loops->normal(z, LD, wheres[w], first, N, dim);
                loops->uniform(u, LD, wheres[w], first, N, dim);
                for (int64_t j = 0; j < 12; j++) {
                    for (int64_t i = 0; i < LD; i++) {
                        const double got = get(loops, z, j * LD + i);
                        const double unit = get(loops, u, j * LD + i);
                        if (i >= N || j >= dim) {
                            const double old =
                                rounded(loops, sample(5, 6, 7, j * LD + i));
                            CHECK(got == old && unit == old);
                            continue;
                        }
                        sfi_where where = wheres[w];
                        where.point += (uint64_t)i;
                        const uint32_t at = first + (uint32_t)j;
                        CHECK_NEAR(got, sfi_normal_at(where, at), z_bound);
                        CHECK_NEAR(unit, sfi_uniform_at(where, at), u_bound);
                        CHECK(unit > 0.0 && unit < 1.0);
                    }
                }
            }
        }
    }
    free(z);
    free(u);
}

TEST(draws_are_those_of_base_random)
{
    for_each_table(check_draws);
}

/* Where a block begins does not change the bits of a point's draws. */
static void check_draw_positions(const sfi_loops *loops)
{
    enum { N = 304, DIM = 5, SHIFT = 37 };
    double *z = new_array(N * DIM), *shifted = new_array(N * DIM);
    sfi_where where = {99, 0, 2, SFI_STREAM_USER};
    loops->normal(z, N, where, 0, N, DIM);
    where.point = SHIFT;
    loops->normal(shifted, N, where, 1, N, DIM - 1);
    for (int64_t j = 1; j < DIM; j++)
        for (int64_t i = SHIFT; i < N; i++)
            CHECK(get(loops, z, j * N + i) ==
                  get(loops, shifted, (j - 1) * N + i - SHIFT));
    free(z);
    free(shifted);
}

TEST(a_draw_does_not_see_its_place)
{
    for_each_table(check_draw_positions);
}

/* Moments of 2^20 draws.  The k-th power of a standard normal has variance
 * E z^2k - (E z^k)^2: 1, 2, 15, 96 for k = 1..4, so the standard error of its
 * mean is the root of that over 2^10.  Five of them (false alarm 6e-7; the seed
 * is fixed).  Neighbouring points, and the two of a pair, are uncorrelated. */
static void check_moments(const sfi_loops *loops)
{
    enum { N = 1 << 18, DIM = 4 };
    double *z = new_array((int64_t)N * DIM);
    const sfi_where where = {2024, 0, 0, SFI_STREAM_USER};
    loops->normal(z, N, where, 0, N, DIM);
    double m[5] = {0, 0, 0, 0, 0}, next = 0, pair = 0;
    for (int64_t i = 0; i < N * DIM; i++) {
        const double x = get(loops, z, i);
        m[1] += x;
        m[2] += x * x;
        m[3] += x * x * x;
        m[4] += x * x * x * x;
        if (i + 1 < N * DIM)
            next += x * get(loops, z, i + 1);
        if (i + N < N * DIM)
            pair += x * get(loops, z, i + N);
    }
    const double count = (double)N * DIM;
    CHECK_NEAR(m[1] / count, 0.0, 5 * sqrt(1 / count));
    CHECK_NEAR(m[2] / count, 1.0, 5 * sqrt(2 / count));
    CHECK_NEAR(m[3] / count, 0.0, 5 * sqrt(15 / count));
    CHECK_NEAR(m[4] / count, 3.0, 5 * sqrt(96 / count));
    CHECK_NEAR(next / count, 0.0, 5 * sqrt(1 / count));
    CHECK_NEAR(pair / count, 0.0, 5 * sqrt(1 / count));
    free(z);
}

TEST(normals_have_the_moments_of_the_normal_law)
{
    for_each_table(check_moments);
}

/* ---- sums and the optimiser ---------------------------------------------- */

/* Sums are in double, so they are off by n eps/2 sum|x| at most, eps that of
 * double. */
static void check_sums(const sfi_loops *loops)
{
    static const int64_t sizes[] = {0, 1, 3, 15, 16, 17, 64, 100, 1000};
    for (size_t s = 0; s < SFI_COUNT(sizes); s++) {
        const int64_t n = sizes[s];
        double *a = new_array(n + 1), *b = new_array(n + 1);
        fill(loops, a, n, -1, 1, 1);
        fill(loops, b, n, -1, 1, 2);
        double sum = 0, squares = 0, dot = 0;
        for (int64_t i = 0; i < n; i++) {
            const double x = get(loops, a, i), y = get(loops, b, i);
            sum += x;
            squares += x * x;
            dot += x * y;
        }
        const double bound = (double)(n * n) * DBL_EPSILON;
        CHECK_NEAR(loops->sum(a, n), sum, bound);
        CHECK_NEAR(loops->sum_squares(a, n), squares, bound);
        CHECK_NEAR(loops->dot(a, b, n), dot, bound);
        free(a);
        free(b);
    }
}

TEST(sums_agree_with_the_definition)
{
    for_each_table(check_sums);
}

/* Value i counts in lane i modulo 8, missing ones in none: against the definition, for rows
 * of any length, one after the other. */
static void check_tally(const sfi_loops *loops)
{
    enum { N = 37 };
    double x[N], w[N];
    if (loops->dtype != SF_F64) {
        CHECK(loops->tally == NULL);
        return;
    }
    for (int i = 0; i < N; i++) {
        x[i] = i % 5 == 3 ? (double)NAN : sin(0.7 * i) * i;
        w[i] = 1.0 + 0.25 * (i % 3);
    }
    for (int n = 0; n <= N; n++)
        for (int weighted = 0; weighted < 2; weighted++) {
            sfi_tally got = {.low = {0}}, want;
            for (int k = 0; k < SFI_TALLY_LANES; k++) {
                got.low[k] = INFINITY;
                got.high[k] = -INFINITY;
            }
            want = got;
            loops->tally(&got, x, n, 2.0, weighted ? w : NULL);
            loops->tally(&got, x, 3 < n ? 3 : n, 0.5, NULL);
            for (int i = 0; i < n + (3 < n ? 3 : n); i++) {
                const int at = i < n ? i : i - n, k = at % SFI_TALLY_LANES;
                const double by = i >= n ? 0.5 : weighted ? 2.0 * w[at] : 2.0;
                if (isnan(x[at]))
                    continue;
                want.low[k] = fmin(want.low[k], x[at]);
                want.high[k] = fmax(want.high[k], x[at]);
                want.sum[k] += by * x[at];
                want.weight[k] += by;
                want.there[k] += 1.0;
            }
            for (int k = 0; k < SFI_TALLY_LANES; k++) {
                CHECK(got.low[k] == want.low[k]);
                CHECK(got.high[k] == want.high[k]);
                CHECK_NEAR(got.sum[k], want.sum[k], 1e-13);
                CHECK_NEAR(got.weight[k], want.weight[k], 1e-14);
                CHECK(got.there[k] == want.there[k]);
            }
        }
}

TEST(tallies_leave_out_what_is_missing)
{
    for_each_table(check_tally);
}

static void check_add_parts(const sfi_loops *loops)
{
    enum { N = 5003, PARTS = 4 };
    double *x[PARTS], *y = new_array(N + 1);
    const void *parts[PARTS];
    for (int k = 0; k < PARTS; k++) {
        x[k] = new_array(N);
        fill(loops, x[k], N, -1, 1, (uint32_t)k);
        parts[k] = x[k];
    }
    for (int count = 0; count <= PARTS; count++) {
        put(loops, y, N, 77.0);
        const double got = loops->add_parts(y, parts, count, N);
        double squares = 0;
        for (int64_t i = 0; i < N; i++) {
            double want = count > 0 ? get(loops, x[0], i) : 0.0;
            for (int k = 1; k < count; k++)
                want = rounded(loops, want + get(loops, x[k], i));
            CHECK(get(loops, y, i) == want);
            squares += want * want;
        }
        CHECK_CLOSE(got, squares, 1e-12);
        CHECK(get(loops, y, N) == 77.0);
    }
    for (int k = 0; k < PARTS; k++)
        free(x[k]);
    free(y);
}

TEST(parts_are_added_in_order)
{
    for_each_table(check_add_parts);
}

/* Rows of one line up to several tiles, some apart; from nothing and on top. */
static void check_sum_rows(const sfi_loops *loops)
{
    enum { COUNT = 7, APART = 80, MOST = 64 };
    const int64_t line = loops->lanes;
    static SFI_ALIGNED(64) double x[COUNT * APART], y[MOST + 1];
    fill(loops, x, COUNT * APART, -1, 1, 5);
    for (int64_t n = line; n <= MOST; n += line)
        for (int64_t count = 1; count <= COUNT; count++)
            for (int on_top = 0; on_top < 2; on_top++) {
                for (int64_t i = 0; i <= n; i++)
                    put(loops, y, i, 77.0);
                loops->sum_rows(y, x, APART, count, n, on_top == 1);
                for (int64_t i = 0; i < n; i++) {
                    double want = on_top ? 77.0 : get(loops, x, i);
                    for (int64_t k = on_top ? 0 : 1; k < count; k++)
                        want =
                            rounded(loops, want + get(loops, x, k * APART + i));
                    CHECK(get(loops, y, i) == want);
                }
                CHECK(get(loops, y, n) == 77.0);
            }
}

TEST(rows_are_added_in_order)
{
    for_each_table(check_sum_rows);
}

/* Both passes of a softmax, with the largest in every place, infinities of both
 * signs where they may stand, and what underflows. */
static void check_softmax(const sfi_loops *loops)
{
    enum { N = 48 };
    static SFI_ALIGNED(64) double x[N], y[N];
    for (int place = 0; place < N; place++) {
        for (int i = 0; i < N; i++)
            put(loops, x, i, i % 5 == 1 ? -INFINITY : -1.0 - 0.37 * i);
        put(loops, x, (place + 7) % N, -800.0);
        put(loops, x, place, 2.5);
        CHECK(loops->largest(x, N) == 2.5);
        memcpy(y, x, sizeof y);
        double most, want = 0.0;
        const double got = loops->exp_sum(y, 0.25, N, &most);
        CHECK(most == 2.25);
        for (int i = 0; i < N; i++) {
            const double e = exp(rounded(loops, get(loops, x, i) - 0.25));
            want += e;
            CHECK_NEAR(get(loops, y, i), e, 2.0 * epsilon(loops) * e);
        }
        CHECK_CLOSE(got, want, 4.0 * epsilon(loops));
    }
    put(loops, x, 3, NAN);
    CHECK(isfinite(loops->largest(x, N)));
    double most;
    CHECK(isnan(loops->exp_sum(x, 0.0, N, &most)));
}

TEST(the_passes_of_a_softmax_agree_with_their_definition)
{
    for_each_table(check_softmax);
}

/* Three steps against the formula in double precision; each step rounds about
 * ten times. */
static void check_adam(const sfi_loops *loops)
{
    enum { N = 37 };
    double *state[4], *g = new_array(N), want[4][N];
    for (int k = 0; k < 4; k++) {
        state[k] = new_array(N + 1);
        fill(loops, state[k], N, k == 2 ? 0.1 : -1, 1, (uint32_t)k);
        put(loops, state[k], N, 77.0);
        for (int64_t i = 0; i < N; i++)
            want[k][i] = get(loops, state[k], i);
    }
    for (int t = 1; t <= 3; t++) {
        const sfi_adam a = {.gscale = 0.5,
                            .rate = 0.01,
                            .decay = 0.1,
                            .beta1 = 0.9,
                            .beta2 = 0.99,
                            .c1 = 1 - pow(0.9, t),
                            .c2 = 1 - pow(0.99, t),
                            .eps = 1e-6,
                            .ema_keep = 0.95};
        fill(loops, g, N, -1, 1, (uint32_t)(10 + t));
        for (int64_t i = 0; i < N; i++) {
            const double gi = get(loops, g, i) * a.gscale;
            double *w = &want[0][i], *m = &want[1][i], *v = &want[2][i];
            *m = a.beta1 * *m + (1 - a.beta1) * gi;
            *v = a.beta2 * *v + (1 - a.beta2) * gi * gi;
            *w = *w - a.rate * a.decay * *w -
                 a.rate * (*m / a.c1) / (sqrt(*v / a.c2) + a.eps);
            want[3][i] += (1 - a.ema_keep) * (*w - want[3][i]);
        }
        loops->adam(state[0], state[1], state[2], state[3], g, N, &a);
    }
    for (int k = 0; k < 4; k++) {
        for (int64_t i = 0; i < N; i++)
            CHECK_NEAR(get(loops, state[k], i), want[k][i],
                       30 * epsilon(loops));
        CHECK(get(loops, state[k], N) == 77.0);
        free(state[k]);
    }
    free(g);
}

TEST(adam_follows_its_formula)
{
    for_each_table(check_adam);
}

/* ---- choice of the table and the processor's mode ------------------------ */

TEST(the_environment_chooses_the_instruction_set)
{
    setenv("SCOREFIELD_ISA", "portable", 1);
    CHECK(strcmp(sfi_loops_for(SF_F32)->isa, "portable") == 0);
    CHECK(sfi_loops_for(SF_F64)->dtype == SF_F64);
    setenv("SCOREFIELD_ISA", "no such thing", 1);
    CHECK(sfi_loops_for(SF_F32) != NULL);
    unsetenv("SCOREFIELD_ISA");
    CHECK(sfi_loops_for(SF_F32)->dtype == SF_F32);
    CHECK(sfi_loops_named("no such thing", SF_F32) == NULL);
}

TEST(subnormals_are_flushed_on_request)
{
#if defined(__x86_64__) || defined(__aarch64__)
    volatile double small = DBL_MIN;
    const unsigned saved = sfi_flush_denormals();
    CHECK(small * 0.5 == 0.0);
    sfi_restore_denormals(saved);
    CHECK(small * 0.5 != 0.0);
#endif
}

TESTS(CASE(every_operation_agrees_with_its_definition_in_every_mode),
      CASE(exponentials_are_accurate_over_their_whole_range),
      CASE(infinities_zeros_and_nan_are_handled),
      CASE(a_point_does_not_see_its_neighbours),
      CASE(a_point_does_not_see_its_place),
      CASE(gemm_agrees_with_the_definition),
      CASE(a_column_of_gemm_does_not_depend_on_its_place),
      CASE(gemm_nt_agrees_with_the_definition),
      CASE(load_and_store_are_transposes_that_convert),
      CASE(transpose_moves_every_element), CASE(philox_is_that_of_random123),
      CASE(philox_gives_the_known_answers),
      CASE(draws_are_those_of_base_random), CASE(a_draw_does_not_see_its_place),
      CASE(normals_have_the_moments_of_the_normal_law),
      CASE(tallies_leave_out_what_is_missing),
      CASE(sums_agree_with_the_definition), CASE(parts_are_added_in_order),
      CASE(rows_are_added_in_order),
      CASE(the_passes_of_a_softmax_agree_with_their_definition),
      CASE(adam_follows_its_formula),
      CASE(the_environment_chooses_the_instruction_set),
      CASE(subnormals_are_flushed_on_request))
