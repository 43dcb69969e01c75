/* SPDX-License-Identifier: Apache-2.0 */
/* Fields in open space: known values, the sum that they stand for, and bits. */
#include "check.h"
#include "faults.h"

#include "base/random.h"
#include "num/lattice_green.h"
#include "num/open_space.h"

static double number(int64_t i)
{
    return sfi_normal_at((sfi_where){5, (uint64_t)i, 0, SFI_STREAM_USER}, 0);
}

/* Of a point of unit charge: sums of products of Bessel functions, to 12 digits by
 * G. N. Watson, Quart. J. Math. 10 (1939) 266-276, and by quadrature. */
TEST(a_point_source_has_the_field_of_the_lattice)
{
    enum { N = 9 };
    static double u[N][N][N];
    sf_context *ctx = new_context();
    sfi_open_space *s = NULL;
    const double h[3] = {1.0, 1.0, 1.0};
    CHECK_OK(ctx, sfi_open_space_new(ctx, &s, 3, (const int64_t[]){N, N, N}, h,
                                     0.0));
    memset(u, 0, sizeof u);
    u[0][0][0] = 1.0;
    sfi_open_space_solve(s, &u[0][0][0]);
    CHECK_NEAR(u[0][0][0], 0.2527310098585742, 1e-10);
    CHECK_NEAR(u[0][1][0], 0.08606434319202592, 1e-10);
    CHECK_NEAR(u[1][0][1], 0.055191433687885205, 1e-10);
    CHECK_NEAR(u[1][1][1], 0.04357835439799174, 1e-10);
    CHECK_NEAR(u[2][0][0], 0.04288931454275027, 1e-10);
    CHECK_NEAR(u[0][0][8], 0.009988047390919555, 1e-10);
    sfi_open_space_free(s);
    sf_context_free(ctx);
}

/* u_i = sum_j V G(i - j) f_j, written out. */
TEST(a_field_is_the_sum_over_its_sources)
{
    static const int64_t counts[][3] = {
        {6, 5, 7}, {1, 4, 3}, {11, 1, 2}, {8, 8, 8}};
    static const double h[3] = {0.5, 0.3, 0.7};
    sf_context *ctx = new_context();
    for (size_t c = 0; c < SFI_COUNT(counts); c++)
        for (int rank = 1; rank <= 3; rank++)
            for (int m = 0; m < 2; m++) {
                const double mass = 1.2 * m;
                const int64_t *n = counts[c];
                int64_t size = 1;
                double volume = 1.0;
                for (int k = 0; k < rank; k++) {
                    size *= n[k];
                    volume *= h[k];
                }
                double *g = malloc(sizeof *g * (size_t)size);
                double *u = malloc(sizeof *u * (size_t)size);
                CHECK(g != NULL && u != NULL);
                CHECK_OK(ctx, sfi_lattice_green(ctx, g, rank, n, h, mass));
                for (int64_t i = 0; i < size; i++)
                    u[i] = number(i);
                sfi_open_space *s = NULL;
                CHECK_OK(ctx,
                         sfi_open_space_new(ctx, &s, rank, n, h, mass * mass));
                sfi_open_space_solve(s, u);
                const int64_t n1 = rank > 1 ? n[1] : 1,
                              n2 = rank > 2 ? n[2] : 1;
                for (int64_t i = 0; i < size; i++) {
                    double want = 0.0;
                    for (int64_t j = 0; j < size; j++) {
                        const int64_t a = llabs(i / (n1 * n2) - j / (n1 * n2));
                        const int64_t b = llabs(i / n2 % n1 - j / n2 % n1);
                        const int64_t d = llabs(i % n2 - j % n2);
                        want += volume * g[(a * n1 + b) * n2 + d] * number(j);
                    }
                    CHECK_NEAR(u[i], want, 2e-10);
                }
                sfi_open_space_free(s);
                free(g);
                free(u);
            }
    sf_context_free(ctx);
}

TEST(bits_do_not_depend_on_the_threads)
{
    enum { N = 20, SIZE = N * N * N };
    static double u[3][SIZE];
    for (int t = 0; t < 3; t++) {
        sf_context *ctx = new_context();
        sf_context_set_threads(ctx, (const int[]){1, 2, 7}[t]);
        sfi_open_space *s = NULL;
        CHECK_OK(ctx, sfi_open_space_new(ctx, &s, 3, (const int64_t[]){N, N, N},
                                         (const double[]){1.0, 2.0, 1.0}, 0.1));
        for (int64_t i = 0; i < SIZE; i++)
            u[t][i] = number(i);
        sfi_open_space_solve(s, u[t]);
        sfi_open_space_free(s);
        sf_context_free(ctx);
        assert_memory_equal(u[t], u[0], sizeof u[0]);
    }
}

TEST(what_is_out_of_range_is_refused)
{
    sf_context *ctx = new_context();
    sfi_open_space *s = NULL;
    const double h[3] = {1.0, 1.0, 1.0};
    CHECK_FAILS(
        ctx, sfi_open_space_new(ctx, &s, 4, (const int64_t[]){2, 2, 2}, h, 0.0),
        SF_E_ARG, "rank is 4");
    CHECK_FAILS(ctx,
                sfi_open_space_new(ctx, &s, 1, (const int64_t[]){0}, h, 0.0),
                SF_E_SHAPE, "axis 0 has 0 points");
    CHECK_FAILS(ctx,
                sfi_open_space_new(ctx, &s, 1, (const int64_t[]){9000}, h, 0.0),
                SF_E_SHAPE, "axis 0 has 9000 points");
    CHECK_FAILS(ctx,
                sfi_open_space_new(ctx, &s, 1, (const int64_t[]){4}, h, NAN),
                SF_E_ARG, "m^2");
    CHECK(s == NULL);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_status status = SF_E_NOMEM;
    for (int k = 0; status != SF_OK; k++) {
        sfi_open_space *s = NULL;
        faults.left = k;
        status = sfi_open_space_new(ctx, &s, 2, (const int64_t[]){4, 5},
                                    (const double[]){1.0, 1.0}, 0.0);
        CHECK(status == SF_OK || (status == SF_E_NOMEM && s == NULL));
        sfi_open_space_free(s);
        CHECK(faults.bytes == faults.own);
    }
    faults.left = INT64_MAX;
    sf_context_free(ctx);
}

TESTS(CASE(a_point_source_has_the_field_of_the_lattice),
      CASE(a_field_is_the_sum_over_its_sources),
      CASE(bits_do_not_depend_on_the_threads),
      CASE(what_is_out_of_range_is_refused), CASE(every_allocation_may_fail))
