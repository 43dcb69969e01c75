/* SPDX-License-Identifier: Apache-2.0 */
/* Tridiagonal systems of many modes against dense elimination, on modes that are
 * known, singular and open. */
#include "check.h"
#include "faults.h"

#include "base/random.h"
#include "num/transform_kind.h"
#include "num/tridiagonal.h"

enum { MOST = 40, MODES = 35, STEP = 37 };

typedef struct setup {
    int64_t n;
    double diagonal[MOST], beside[MOST], weight[MOST];
    double lambda[MODES], first[MODES], last[MODES];
    double b[MOST][STEP], x[MOST][STEP];
} setup;

static double positive(int64_t i, uint32_t what)
{
    return 0.5 + sfi_uniform_at(
                     (sfi_where){5, (uint64_t)i, what, SFI_STREAM_USER}, 0);
}

/* A Laplacian of random couplings and weights. */
static setup make(int64_t n, bool is_periodic)
{
    setup s = {.n = n};
    for (int64_t i = 0; i < n; i++) {
        s.weight[i] = positive(i, 1);
        s.beside[i] = i < n - 1 || is_periodic ? -positive(i, 2) : 0.0;
    }
    for (int64_t i = 0; i < n; i++)
        s.diagonal[i] = -s.beside[i] - s.beside[i > 0 ? i - 1 : n - 1];
    for (int64_t m = 0; m < MODES; m++) {
        s.lambda[m] = positive(m, 3);
        s.first[m] = positive(m, 4);
        s.last[m] = positive(m, 5);
        for (int64_t i = 0; i < n; i++)
            s.b[i][m] = s.x[i][m] = positive(i * MODES + m, 6) - 1.0;
    }
    return s;
}

static void run(sf_context *ctx, setup *s, bool has_ends, int64_t singular)
{
    sfi_tridiagonal *t = NULL;
    CHECK_OK(ctx, sfi_tridiagonal_new(ctx, &t, s->n, s->diagonal, s->beside,
                                      s->weight));
    sfi_tridiagonal_run(t,
                        &(sfi_mode_systems){.count = MODES,
                                            .lambda = s->lambda,
                                            .first = has_ends ? s->first : NULL,
                                            .last = has_ends ? s->last : NULL,
                                            .singular = singular,
                                            .x = &s->x[0][0],
                                            .step = STEP});
    sfi_tridiagonal_free(t);
}

/* (T + lambda W) x, row i, of mode m */
static double row(const setup *s, bool has_ends, int64_t i, int64_t m)
{
    const int64_t n = s->n, next = i + 1 < n ? i + 1 : 0;
    const int64_t before = i > 0 ? i - 1 : n - 1;
    double d = s->diagonal[i] + s->lambda[m] * s->weight[i];
    if (has_ends)
        d += (i == 0 ? s->first[m] : 0.0) + (i == n - 1 ? s->last[m] : 0.0);
    return d * s->x[i][m] + s->beside[i] * s->x[next][m] +
           s->beside[before] * s->x[before][m];
}

/* The matrices have condition numbers up to some hundreds. */
TEST(solutions_satisfy_their_systems)
{
    sf_context *ctx = new_context();
    for (int64_t n = 1; n <= MOST; n++) {
        for (int k = 0; k < 4; k++) {
            setup s = make(n, k & 1);
            run(ctx, &s, k & 2, -1);
            for (int64_t m = 0; m < MODES; m++)
                for (int64_t i = 0; i < n; i++)
                    CHECK_NEAR(row(&s, k & 2, i, m), s.b[i][m], 1e-13);
        }
    }
    sf_context_free(ctx);
}

/* What stands beside the modes stays, and modes do not depend on their number. */
TEST(modes_are_solved_by_themselves)
{
    sf_context *ctx = new_context();
    setup s = make(9, true), one = s;
    for (int64_t i = 0; i < s.n; i++)
        s.x[i][MODES] = s.x[i][MODES + 1] = 7.0;
    run(ctx, &s, true, -1);
    for (int64_t m = 0; m < MODES; m++) {
        sfi_tridiagonal *t = NULL;
        CHECK_OK(ctx, sfi_tridiagonal_new(ctx, &t, s.n, s.diagonal, s.beside,
                                          s.weight));
        sfi_tridiagonal_run(t, &(sfi_mode_systems){.count = 1,
                                                   .lambda = &s.lambda[m],
                                                   .first = &s.first[m],
                                                   .last = &s.last[m],
                                                   .singular = -1,
                                                   .x = &one.x[0][m],
                                                   .step = STEP});
        sfi_tridiagonal_free(t);
        for (int64_t i = 0; i < s.n; i++)
            CHECK(one.x[i][m] == s.x[i][m]);
    }
    for (int64_t i = 0; i < s.n; i++)
        CHECK(s.x[i][MODES] == 7.0 && s.x[i][MODES + 1] == 7.0);
    sf_context_free(ctx);
}

/* A constant is in the kernel: b is projected along W, x has no weighted mean, and
 * the other modes notice nothing. */
TEST(the_singular_mode_has_no_mean)
{
    enum { SINGULAR = 17 };
    sf_context *ctx = new_context();
    for (int64_t n = 1; n <= MOST; n++) {
        for (int k = 0; k < 2; k++) {
            setup s = make(n, k == 1);
            s.lambda[SINGULAR] = 0.0;
            setup other = s;
            run(ctx, &s, false, SINGULAR);
            double sum = 0.0, weight = 0.0, mean = 0.0;
            for (int64_t i = 0; i < n; i++) {
                sum += s.b[i][SINGULAR];
                weight += s.weight[i];
                mean += s.weight[i] * s.x[i][SINGULAR];
            }
            CHECK_NEAR(mean / weight, 0.0, 1e-13);
            for (int64_t i = 0; i < n; i++)
                CHECK_NEAR(row(&s, false, i, SINGULAR),
                           s.b[i][SINGULAR] - s.weight[i] * sum / weight,
                           1e-12);
            run(ctx, &other, false, -1);
            for (int64_t i = 0; i < n; i++)
                CHECK(other.x[i][3] == s.x[i][3]);
        }
    }
    sf_context_free(ctx);
}

/* On a uniform periodic axis cos(2 pi k i/n) is an eigenvector, whose eigenvalue
 * num/transform_kind.h has. */
TEST(a_mode_of_the_axis_is_divided_by_its_eigenvalue)
{
    const double pi = 3.14159265358979323846;
    sf_context *ctx = new_context();
    setup s = make(24, true);
    for (int64_t i = 0; i < s.n; i++) {
        s.diagonal[i] = 2.0;
        s.beside[i] = -1.0;
        s.weight[i] = 1.0;
        for (int64_t m = 0; m < MODES; m++)
            s.x[i][m] = cos(2.0 * pi * (double)(i * (m % 12)) / 24.0);
    }
    setup before = s;
    run(ctx, &s, false, -1);
    for (int64_t m = 0; m < MODES; m++) {
        const double eigenvalue =
            s.lambda[m] + sfi_transform_eigenvalue(SFI_R2HC, 24, m % 12);
        for (int64_t i = 0; i < s.n; i++)
            CHECK_NEAR(s.x[i][m] * eigenvalue, before.x[i][m], 1e-13);
    }
    sf_context_free(ctx);
}

/* A line that goes on to infinity on both sides: with the ends closed by -e^{-mu},
 * cosh mu = 1 + lambda/2, a unit source gives e^{-mu |i - j|}/(2 sinh mu), as if the
 * ends were not there. */
TEST(open_ends_are_not_felt)
{
    enum { N = 12, SOURCE = 3 };
    sf_context *ctx = new_context();
    setup s = make(N, false);
    double mu[MODES];
    for (int64_t m = 0; m < MODES; m++) {
        mu[m] = 2.0 * asinh(0.5 * sqrt(s.lambda[m]));
        s.first[m] = s.last[m] = -exp(-mu[m]);
    }
    for (int64_t i = 0; i < N; i++) {
        s.diagonal[i] = 2.0;
        s.beside[i] = i < N - 1 ? -1.0 : 0.0;
        s.weight[i] = 1.0;
        for (int64_t m = 0; m < MODES; m++)
            s.x[i][m] = i == SOURCE ? 1.0 : 0.0;
    }
    run(ctx, &s, true, -1);
    for (int64_t m = 0; m < MODES; m++)
        for (int64_t i = 0; i < N; i++)
            CHECK_CLOSE(s.x[i][m],
                        exp(-mu[m] * fabs((double)(i - SOURCE))) /
                            (2.0 * sinh(mu[m])),
                        1e-12);
    sf_context_free(ctx);
}

TEST(bits_do_not_depend_on_the_threads)
{
    enum { N = 33, COUNT = 1000 };
    double *x[3], *lambda = malloc(COUNT * sizeof *lambda);
    const setup s = make(N, true);
    assert_non_null(lambda);
    for (int k = 0; k < 3; k++) {
        sf_context *ctx = new_context();
        sf_context_set_threads(ctx, (const int[]){1, 2, 7}[k]);
        x[k] = malloc((size_t)N * COUNT * sizeof *x[k]);
        assert_non_null(x[k]);
        for (int64_t i = 0; i < N * COUNT; i++)
            x[k][i] = positive(i, 7);
        for (int64_t m = 0; m < COUNT; m++)
            lambda[m] = positive(m, 8);
        sfi_tridiagonal *t = NULL;
        CHECK_OK(ctx, sfi_tridiagonal_new(ctx, &t, N, s.diagonal, s.beside,
                                          s.weight));
        sfi_tridiagonal_run(t, &(sfi_mode_systems){.count = COUNT,
                                                   .lambda = lambda,
                                                   .singular = -1,
                                                   .x = x[k],
                                                   .step = COUNT});
        sfi_tridiagonal_free(t);
        sf_context_free(ctx);
        if (k > 0)
            assert_memory_equal(x[k], x[0], (size_t)N * COUNT * sizeof *x[k]);
    }
    for (int k = 0; k < 3; k++)
        free(x[k]);
    free(lambda);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    const setup s = make(5, false);
    sf_status status = SF_E_NOMEM;
    for (int k = 0; status != SF_OK; k++) {
        sfi_tridiagonal *t = NULL;
        faults.left = k;
        status =
            sfi_tridiagonal_new(ctx, &t, 5, s.diagonal, s.beside, s.weight);
        CHECK(status == SF_OK || (status == SF_E_NOMEM && t == NULL));
        sfi_tridiagonal_free(t);
        CHECK(faults.bytes == faults.own);
    }
    faults.left = INT64_MAX;
    sfi_tridiagonal *t = NULL;
    CHECK_FAILS(ctx,
                sfi_tridiagonal_new(ctx, &t, 0, s.diagonal, s.beside, s.weight),
                SF_E_SHAPE, "0 rows");
    sf_context_free(ctx);
}

TESTS(CASE(solutions_satisfy_their_systems),
      CASE(modes_are_solved_by_themselves), CASE(the_singular_mode_has_no_mean),
      CASE(a_mode_of_the_axis_is_divided_by_its_eigenvalue),
      CASE(open_ends_are_not_felt), CASE(bits_do_not_depend_on_the_threads),
      CASE(every_allocation_may_fail))
