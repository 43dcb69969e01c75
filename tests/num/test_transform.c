/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms against their definition, on the vectors that they are for, there and
 * back, along any axis, and the same bits however the work is split. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include "faults.h"

#include "base/random.h"
#include "num/transform.h"
#include "num/transform_fftw.h"
#include "num/transform_own.h"

static const double pi = 3.14159265358979323846;

/* The engines of this build. */
static const sfi_transform_engine engines[] = {
    SFI_TRANSFORM_BEST, SFI_TRANSFORM_OWN, SFI_TRANSFORM_FFTW};

static size_t engine_count(void)
{
    return sfi_fftw_version() != NULL ? 3 : 2;
}

static double number(int64_t i, int64_t n)
{
    const sfi_where where = {11, (uint64_t)i, (uint32_t)n, SFI_STREAM_USER};
    return sfi_normal_at(where, 0);
}

static double *numbers(int64_t n)
{
    double *x = malloc((size_t)n * sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++)
        x[i] = number(i, n);
    return x;
}

static void run_line(sf_context *ctx, sfi_transform_kind kind, double *x,
                     int64_t n, sfi_transform_engine engine)
{
    sfi_transform *t = NULL;
    CHECK_OK(ctx, sfi_transform_new(ctx, &t, kind, n, engine));
    sfi_transform_run(
        t,
        &(sfi_line_array){
            .dtype = SF_F64, .data = x, .rank = 1, .count = {n}, .step = {1}});
    sfi_transform_free(t);
}

/* ---- the definition ------------------------------------------------------------ */

/* cos or sin of pi p/q */
static long double circle(int64_t p, int64_t q, bool is_sine)
{
    const long double angle =
        3.14159265358979323846264338327950288L * (p % (2 * q)) / q;
    return is_sine ? sinl(angle) : cosl(angle);
}

static double fourier(sfi_transform_kind kind, const double *x, int64_t n,
                      int64_t k)
{
    long double sum = 0.0L;
    for (int64_t j = 0; j < n; j++) {
        if (kind == SFI_R2HC && 2 * k <= n)
            sum += x[j] * circle(2 * j * k, n, false);
        else if (kind == SFI_R2HC)
            sum -= x[j] * circle(2 * j * (n - k), n, true);
        else if (2 * j <= n)
            sum += (j == 0 || 2 * j == n ? 1 : 2) * x[j] *
                   circle(2 * j * k, n, false);
        else
            sum -= 2 * x[j] * circle(2 * (n - j) * k, n, true);
    }
    return (double)sum;
}

/* The formulas of FFTW's manual, chapter 4.8, written out one by one. */
static double defined(sfi_transform_kind kind, const double *x, int64_t n,
                      int64_t k)
{
    if (kind == SFI_R2HC || kind == SFI_HC2R)
        return fourier(kind, x, n, k);
    long double sum = 0.0L;
    for (int64_t j = 0; j < n; j++) {
        const long double y = x[j];
        const bool is_first = j == 0, is_last = j == n - 1;
        switch (kind) {
        case SFI_DCT1:
            sum +=
                (is_first || is_last ? 1 : 2) * y * circle(j * k, n - 1, false);
            break;
        case SFI_DCT2:
            sum += 2 * y * circle((2 * j + 1) * k, 2 * n, false);
            break;
        case SFI_DCT3:
            sum +=
                (is_first ? 1 : 2) * y * circle(j * (2 * k + 1), 2 * n, false);
            break;
        case SFI_DCT4:
            sum += 2 * y * circle((2 * j + 1) * (2 * k + 1), 4 * n, false);
            break;
        case SFI_DST1:
            sum += 2 * y * circle((j + 1) * (k + 1), n + 1, true);
            break;
        case SFI_DST2:
            sum += 2 * y * circle((2 * j + 1) * (k + 1), 2 * n, true);
            break;
        case SFI_DST3:
            sum += (is_last ? 1 : 2) * y *
                   circle((j + 1) * (2 * k + 1), 2 * n, true);
            break;
        default:
            sum += 2 * y * circle((2 * j + 1) * (2 * k + 1), 4 * n, true);
        }
    }
    return (double)sum;
}

/* All n to 40, powers of two and their neighbours, a few primes, and a number of
 * small factors. */
static const int64_t lengths[] = {
    1,  2,  3,  4,   5,   6,   7,   8,   9,   10,  11,  12,  13,  14,
    15, 16, 17, 18,  19,  20,  21,  22,  23,  24,  25,  26,  27,  28,
    29, 30, 31, 32,  33,  34,  35,  36,  37,  38,  39,  40,  63,  64,
    65, 67, 97, 127, 128, 129, 251, 256, 360, 509, 511, 512, 513, 1021};

/* The sums have n normal terms of size 2, and errors are 1e-16 of their Euclidean
 * norm, 2 sqrt(n), for each stage: log2(n) of them, and of Bluestein's convolution
 * three times as many. */
TEST(every_kind_is_its_definition)
{
    sf_context *ctx = new_context();
    for (size_t e = 0; e < engine_count(); e++) {
        for (size_t i = 0; i < SFI_COUNT(lengths); i++) {
            const int64_t n = lengths[i];
            for (int k = 0; k < SFI_TRANSFORM_COUNT; k++) {
                const sfi_transform_kind kind = (sfi_transform_kind)k;
                if (n < sfi_transform_least(kind))
                    continue;
                double *x = numbers(n), *y = numbers(n);
                run_line(ctx, kind, y, n, engines[e]);
                for (int64_t f = 0; f < n; f++)
                    CHECK_NEAR(y[f], defined(kind, x, n, f),
                               1e-15 * sqrt((double)n) *
                                   (4.0 + log2((double)n)));
                free(x);
                free(y);
            }
        }
    }
    sf_context_free(ctx);
}

TEST(the_inverse_goes_back_at_any_length)
{
    const int64_t more[] = {1,    2,    5,    1000,  4096,
                            4097, 7919, 8191, 65536, 65537};
    sf_context *ctx = new_context();
    for (size_t e = 0; e < engine_count(); e++) {
        for (size_t i = 0; i < SFI_COUNT(more); i++) {
            const int64_t n = more[i];
            for (int k = 0; k < SFI_TRANSFORM_COUNT; k++) {
                const sfi_transform_kind kind = (sfi_transform_kind)k;
                if (n < sfi_transform_least(kind))
                    continue;
                double *x = numbers(n), *y = numbers(n);
                run_line(ctx, kind, y, n, engines[e]);
                run_line(ctx, sfi_transform_inverse(kind), y, n, engines[e]);
                const double scale = sfi_transform_scale(kind, n);
                for (int64_t j = 0; j < n; j++)
                    CHECK_NEAR(y[j] / scale, x[j], 2e-14);
                free(x);
                free(y);
            }
        }
    }
    sf_context_free(ctx);
}

/* ---- walls --------------------------------------------------------------------- */

/* The value beyond a wall: node or cell -1, of the point at the wall and the next
 * one inside (that is 0 for a single node, which has the pinned wall beside it). */
static double beyond(sfi_wall wall, bool cells, double at, double inside)
{
    if (wall == SFI_WALL_PIN)
        return cells ? -at : 0.0;
    return cells ? at : inside;
}

static double second_difference(const double *u, int64_t n, int64_t j,
                                sfi_wall low, sfi_wall high, bool cells)
{
    const bool is_periodic = low == SFI_WALL_PERIODIC;
    double before, after;
    if (j > 0)
        before = u[j - 1];
    else
        before = is_periodic ? u[n - 1]
                             : beyond(low, cells, u[0], n > 1 ? u[1] : 0.0);
    if (j < n - 1)
        after = u[j + 1];
    else
        after = is_periodic
                    ? u[0]
                    : beyond(high, cells, u[n - 1], n > 1 ? u[n - 2] : 0.0);
    return 2.0 * u[j] - before - after;
}

static void check_walls(sf_context *ctx, sfi_wall low, sfi_wall high,
                        bool cells, int64_t n)
{
    const sfi_transform_kind kind = sfi_transform_of_walls(low, high, cells);
    if (n < sfi_transform_least(kind))
        return;
    double *u = numbers(n), *v = numbers(n);
    for (int64_t j = 0; j < n; j++)
        v[j] = second_difference(u, n, j, low, high, cells);
    run_line(ctx, kind, u, n, SFI_TRANSFORM_BEST);
    run_line(ctx, kind, v, n, SFI_TRANSFORM_BEST);
    for (int64_t k = 0; k < n; k++) {
        const double lambda = sfi_transform_eigenvalue(kind, n, k);
        CHECK(lambda >= 0.0 && lambda <= 4.0);
        CHECK_NEAR(v[k], lambda * u[k], 1e-14 * (double)n);
    }
    free(u);
    free(v);
}

/* The transform of -D^2 u is the eigenvalue times that of u, at every place: types
 * II and III exchanged, or a mode counted from the wrong end, would show. */
TEST(transforms_make_the_second_difference_diagonal)
{
    sf_context *ctx = new_context();
    for (int64_t n = 1; n <= 65; n++) {
        for (int cells = 0; cells < 2; cells++) {
            check_walls(ctx, SFI_WALL_PERIODIC, SFI_WALL_PERIODIC, cells, n);
            for (int low = SFI_WALL_PIN; low <= SFI_WALL_NATURAL; low++)
                for (int high = SFI_WALL_PIN; high <= SFI_WALL_NATURAL; high++)
                    check_walls(ctx, (sfi_wall)low, (sfi_wall)high, cells, n);
        }
    }
    sf_context_free(ctx);
}

/* A mode as it is typed: one coefficient comes out and it is half the scale (the
 * whole for the modes of one number). */
TEST(a_mode_has_one_coefficient)
{
    enum { N = 24, K = 5 };
    static const struct {
        sfi_transform_kind kind;
        double first,
            turn; /* the mode at j is cos or sin of turn (j + first) */
        bool is_sine;
    } modes[] = {
        {SFI_R2HC, 0.0, 2.0 * K / N, false},
        {SFI_DCT1, 0.0, K / (N - 1.0), false},
        {SFI_DCT2, 0.5, K / (double)N, false},
        {SFI_DCT3, 0.0, (K + 0.5) / N, false},
        {SFI_DCT4, 0.5, (K + 0.5) / N, false},
        {SFI_DST1, 1.0, (K + 1.0) / (N + 1.0), true},
        {SFI_DST2, 0.5, (K + 1.0) / N, true},
        {SFI_DST3, 1.0, (K + 0.5) / N, true},
        {SFI_DST4, 0.5, (K + 0.5) / N, true},
    };
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(modes); i++) {
        double x[N];
        for (int j = 0; j < N; j++) {
            const double angle = pi * modes[i].turn * (j + modes[i].first);
            x[j] = modes[i].is_sine ? sin(angle) : cos(angle);
        }
        run_line(ctx, modes[i].kind, x, N, SFI_TRANSFORM_BEST);
        const double want = 0.5 * sfi_transform_scale(modes[i].kind, N);
        for (int k = 0; k < N; k++)
            CHECK_NEAR(x[k], k == K ? want : 0.0, 1e-13 * N);
        CHECK_CLOSE(sfi_transform_eigenvalue(modes[i].kind, N, K),
                    2.0 - 2.0 * cos(pi * modes[i].turn), 1e-13);
    }
    sf_context_free(ctx);
}

TEST(the_constant_mode_has_eigenvalue_0)
{
    CHECK(sfi_transform_eigenvalue(SFI_R2HC, 12, 0) == 0.0);
    CHECK(sfi_transform_eigenvalue(SFI_DCT1, 12, 0) == 0.0);
    CHECK(sfi_transform_eigenvalue(SFI_DCT2, 12, 0) == 0.0);
    CHECK_NEAR(sfi_transform_eigenvalue(SFI_R2HC, 12, 6), 4.0, 1e-15);
    CHECK_NEAR(sfi_transform_eigenvalue(SFI_DST2, 12, 11), 4.0, 1e-15);
}

/* ---- arrays -------------------------------------------------------------------- */

/* Each line of a box inside a larger array, whose fastest axis is not the last, and
 * whatever stands between the lines. */
static void check_box(sf_context *ctx, int axis, sf_dtype dtype,
                      sfi_transform_kind kind, const int64_t count[3])
{
    const int64_t step[3] = {1, 23 * 19, 23}, size = 23 * 19 * 21;
    double *x = numbers(size), *y = numbers(size);
    float *z = malloc((size_t)size * sizeof *z);
    assert_non_null(z);
    for (int64_t i = 0; i < size; i++) {
        z[i] = (float)x[i];
        if (dtype == SF_F32)
            x[i] = y[i] = z[i];
    }
    sfi_line_array lines = {.dtype = dtype, .rank = 3, .axis = axis};
    lines.data = dtype == SF_F64 ? (void *)y : (void *)z;
    for (int k = 0; k < 3; k++) {
        lines.count[k] = count[k];
        lines.step[k] = step[k];
    }
    const int64_t n = count[axis];
    sfi_transform *t = NULL;
    CHECK_OK(ctx, sfi_transform_new(ctx, &t, kind, n, SFI_TRANSFORM_BEST));
    sfi_transform_run(t, &lines);
    sfi_transform_free(t);

    double line[32];
    bool *is_inside = calloc((size_t)size, sizeof *is_inside);
    assert_non_null(is_inside);
    int64_t at[3];
    for (at[0] = 0; at[0] < count[0]; at[0]++) {
        for (at[1] = 0; at[1] < count[1]; at[1]++) {
            for (at[2] = 0; at[2] < count[2]; at[2]++) {
                const int64_t here =
                    at[0] * step[0] + at[1] * step[1] + at[2] * step[2];
                const int64_t start = here - at[axis] * step[axis];
                for (int64_t j = 0; j < n; j++)
                    line[j] = x[start + j * step[axis]];
                const double want = defined(kind, line, n, at[axis]);
                is_inside[here] = true;
                if (dtype == SF_F64)
                    CHECK_NEAR(y[here], want, 1e-13);
                else
                    CHECK_NEAR(z[here], want, 6e-8 * fabs(want) + 1e-13);
            }
        }
    }
    for (int64_t i = 0; i < size; i++)
        if (!is_inside[i])
            CHECK(dtype == SF_F64 ? y[i] == x[i] : (double)z[i] == x[i]);
    free(is_inside);
    free(x);
    free(y);
    free(z);
}

TEST(lines_run_along_any_axis_and_nothing_else_is_touched)
{
    sf_context *ctx = new_context();
    for (int axis = 0; axis < 3; axis++) {
        for (int dtype = SF_F32; dtype <= SF_F64; dtype++) {
            check_box(ctx, axis, (sf_dtype)dtype, SFI_DST2,
                      (const int64_t[]){16, 16, 16});
            check_box(ctx, axis, (sf_dtype)dtype, SFI_R2HC,
                      (const int64_t[]){18, 17, 11});
            check_box(ctx, axis, (sf_dtype)dtype, SFI_DCT1,
                      (const int64_t[]){9, 17, 5});
            check_box(ctx, axis, (sf_dtype)dtype, SFI_DST4,
                      (const int64_t[]){1, 8, 19});
        }
    }
    sf_context_free(ctx);
}

TEST(an_array_without_lines_is_left_alone)
{
    sf_context *ctx = new_context();
    sfi_transform *t = NULL;
    CHECK_OK(ctx, sfi_transform_new(ctx, &t, SFI_DCT2, 4, SFI_TRANSFORM_BEST));
    sfi_transform_run(t, &(sfi_line_array){.dtype = SF_F64,
                                           .rank = 2,
                                           .count = {0, 4},
                                           .step = {4, 1},
                                           .axis = 1});
    sfi_transform_free(t);
    sf_context_free(ctx);
}

static void transform_box(int threads, double *x, int64_t n, int axis,
                          sfi_transform_engine engine)
{
    sf_context *ctx = new_context();
    sf_context_set_threads(ctx, threads);
    sfi_transform *t = NULL;
    CHECK_OK(ctx, sfi_transform_new(ctx, &t, SFI_DST2, n, engine));
    sfi_transform_run(t, &(sfi_line_array){.dtype = SF_F64,
                                           .data = x,
                                           .rank = 3,
                                           .count = {n, n, n},
                                           .step = {n * n, n, 1},
                                           .axis = axis});
    sfi_transform_free(t);
    sf_context_free(ctx);
}

TEST(bits_do_not_depend_on_the_threads)
{
    const int64_t sizes[] = {45, 64};
    for (size_t e = 0; e < engine_count(); e++) {
        for (size_t i = 0; i < SFI_COUNT(sizes); i++) {
            const int64_t n = sizes[i], size = n * n * n;
            for (int axis = 0; axis < 3; axis++) {
                double *want = numbers(size);
                transform_box(1, want, n, axis, engines[e]);
                for (int threads = 2; threads <= 7; threads += 5) {
                    double *got = numbers(size);
                    transform_box(threads, got, n, axis, engines[e]);
                    assert_memory_equal(got, want, (size_t)size * sizeof *got);
                    free(got);
                }
                free(want);
            }
        }
    }
}

/* The vectors are the same eight elements in every instruction set. */
TEST(bits_do_not_depend_on_the_instruction_set)
{
    static const char *const sets[] = {"portable", "avx2", "avx512"};
    const int64_t sizes[] = {24, 64, 128};
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(sizes); i++) {
        for (int k = 0; k < SFI_TRANSFORM_COUNT; k++) {
            double *want = numbers(sizes[i]);
            for (size_t s = 0; s < SFI_COUNT(sets); s++) {
                double *x = numbers(sizes[i]);
                setenv("SCOREFIELD_ISA", sets[s], 1);
                run_line(ctx, (sfi_transform_kind)k, s == 0 ? want : x,
                         sizes[i], SFI_TRANSFORM_OWN);
                unsetenv("SCOREFIELD_ISA");
                if (s > 0)
                    assert_memory_equal(x, want, (size_t)sizes[i] * sizeof *x);
                free(x);
            }
            free(want);
        }
    }
    sf_context_free(ctx);
}

/* A value that is not finite spoils its own line and no other. */
TEST(lines_do_not_meet)
{
    enum { N = 32 };
    sf_context *ctx = new_context();
    for (size_t e = 0; e < engine_count(); e++) {
        double x[N][8];
        for (int j = 0; j < N; j++)
            for (int i = 0; i < 8; i++)
                x[j][i] = i == 3 ? NAN : 1.0;
        sfi_transform *t = NULL;
        CHECK_OK(ctx, sfi_transform_new(ctx, &t, SFI_R2HC, N, engines[e]));
        sfi_transform_run(t, &(sfi_line_array){.dtype = SF_F64,
                                               .data = x,
                                               .rank = 2,
                                               .count = {N, 8},
                                               .step = {8, 1}});
        sfi_transform_free(t);
        for (int i = 0; i < 8; i++)
            CHECK(i == 3 ? isnan(x[0][i]) : x[0][i] == (double)N);
    }
    sf_context_free(ctx);
}

/* ---- refusals ------------------------------------------------------------------ */

TEST(lengths_without_a_transform_are_refused)
{
    sf_context *ctx = new_context();
    sfi_transform *t = NULL;
    CHECK_FAILS(ctx,
                sfi_transform_new(ctx, &t, SFI_DCT1, 1, SFI_TRANSFORM_BEST),
                SF_E_SHAPE, "DCT1 of 1 numbers, want 2 to");
    CHECK_FAILS(ctx, sfi_transform_new(ctx, &t, SFI_DST2, 0, SFI_TRANSFORM_OWN),
                SF_E_SHAPE, "DST2 of 0 numbers, want 1 to");
    CHECK_FAILS(ctx,
                sfi_transform_new(ctx, &t, SFI_R2HC, (INT64_C(1) << 30) + 1,
                                  SFI_TRANSFORM_BEST),
                SF_E_SHAPE, "R2HC of 1073741825 numbers");
    CHECK(t == NULL);
    sf_context_free(ctx);
}

TEST(a_build_without_fftw_says_so)
{
    sf_context *ctx = new_context();
    sfi_transform *t = NULL;
    const sf_status status =
        sfi_transform_new(ctx, &t, SFI_R2HC, 12, SFI_TRANSFORM_FFTW);
    if (sfi_fftw_version() != NULL) {
        CHECK(status == SF_OK);
        CHECK(strstr(sfi_transform_engine_name(t), "fftw") != NULL);
    } else {
        CHECK(status == SF_E_UNSUPPORTED && t == NULL);
        CHECK(strstr(sf_context_message(ctx), "libfftw3-dev") != NULL);
    }
    sfi_transform_free(t);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    const struct {
        sfi_transform_kind kind;
        int64_t n;
        sfi_transform_engine engine;
    } plans[] = {{SFI_DST2, 16, SFI_TRANSFORM_OWN},
                 {SFI_DST4, 16, SFI_TRANSFORM_OWN},
                 {SFI_R2HC, 15, SFI_TRANSFORM_OWN},
                 {SFI_R2HC, 15, SFI_TRANSFORM_BEST}};
    for (size_t i = 0; i < SFI_COUNT(plans); i++) {
        sf_status status = SF_E_NOMEM;
        while (NEXT_FAULT(&faults, status)) {
            sfi_transform *t = NULL;
            status = sfi_transform_new(ctx, &t, plans[i].kind, plans[i].n,
                                       plans[i].engine);
            CHECK(status == SF_OK || t == NULL);
            sfi_transform_free(t);
        }
    }
    sf_context_free(ctx);
}

TESTS(CASE(every_kind_is_its_definition),
      CASE(the_inverse_goes_back_at_any_length),
      CASE(transforms_make_the_second_difference_diagonal),
      CASE(a_mode_has_one_coefficient),
      CASE(the_constant_mode_has_eigenvalue_0),
      CASE(lines_run_along_any_axis_and_nothing_else_is_touched),
      CASE(an_array_without_lines_is_left_alone),
      CASE(bits_do_not_depend_on_the_threads),
      CASE(bits_do_not_depend_on_the_instruction_set), CASE(lines_do_not_meet),
      CASE(lengths_without_a_transform_are_refused),
      CASE(a_build_without_fftw_says_so), CASE(every_allocation_may_fail))
