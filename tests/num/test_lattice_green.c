/* SPDX-License-Identifier: Apache-2.0 */
/* The lattice Green's function: known values, its own equation, sums over an axis
 * that give the one of a dimension less, and the continuum far away. */
#include "check.h"
#include "faults.h"

#include "num/lattice_green.h"
#include "num/legendre.h"

static const double pi = 3.14159265358979323846;

static double *green(sf_context *ctx, int rank, int64_t n, const double *h,
                     double mass)
{
    int64_t count[3] = {n, n, n}, all = 1;
    for (int k = 0; k < rank; k++)
        all *= n;
    double *out = malloc((size_t)all * sizeof *out);
    assert_non_null(out);
    CHECK_OK(ctx, sfi_lattice_green(ctx, out, rank, count, h, mass));
    return out;
}

/* x^k over [0, 1] is 1/(k + 1) for k < 2n. */
TEST(the_rule_is_exact_for_polynomials)
{
    double x[64], w[64];
    for (int n = 1; n <= 64; n *= 2) {
        sfi_gauss_legendre(n, x, w);
        for (int k = 0; k < 2 * n; k++) {
            double sum = 0.0;
            for (int i = 0; i < n; i++)
                sum += w[i] * pow(x[i], k);
            CHECK_NEAR(sum, 1.0 / (k + 1.0), 1e-14);
        }
    }
}

/* G(0) is a third of Watson's integral, 1.516386059151978/6 (Glasser and Zucker,
 * Proc. Natl Acad. Sci. 74 (1977) 1800); the others are by numerical integration of
 * e^{-6t} I_a(2t) I_b(2t) I_c(2t). */
TEST(values_in_three_dimensions_are_known)
{
    sf_context *ctx = new_context();
    double *g = green(ctx, 3, 9, (const double[]){1.0, 1.0, 1.0}, 0.0);
#define G(a, b, c) g[((a)*9 + (b)) * 9 + (c)]
    CHECK_CLOSE(G(0, 0, 0), 0.2527310098585742, 1e-9);
    CHECK_CLOSE(G(0, 0, 0), 1.516386059151978 / 6.0, 1e-9);
    CHECK_CLOSE(G(1, 0, 0), 0.08606434319202592, 1e-9);
    CHECK_CLOSE(G(0, 1, 1), 0.055191433687885205, 1e-9);
    CHECK_CLOSE(G(1, 1, 1), 0.04357835439799174, 1e-9);
    CHECK_CLOSE(G(0, 0, 2), 0.04288931454275027, 1e-9);
    CHECK_CLOSE(G(8, 0, 0), 0.009988047390919555, 1e-9);
    CHECK_NEAR(G(0, 0, 0) - G(0, 0, 1), 1.0 / 6.0, 1e-11);
#undef G
    free(g);
    sf_context_free(ctx);
}

/* By numerical integration; the second differences at the source add up to 1/V. */
TEST(spacings_may_differ)
{
    sf_context *ctx = new_context();
    double *g = green(ctx, 3, 2, (const double[]){0.2, 0.1, 0.1}, 0.0);
    CHECK_CLOSE(g[0], 1.8655576812985009, 1e-9);
    CHECK_CLOSE(g[1], 0.795809645522017, 1e-9);
    CHECK_CLOSE(g[4], 0.42354196751041173, 1e-9);
    CHECK_CLOSE(4.0 * (g[0] - g[1]) / 0.01 + 2.0 * (g[0] - g[4]) / 0.04, 500.0,
                1e-10);
    free(g);
    sf_context_free(ctx);
}

/* The potential kernel a = G(0) - G of the plane: a(1,0) = 1/4, a(1,1) = 1/pi,
 * a(2,0) = 1 - 2/pi (Spitzer, Principles of Random Walk, section 15), and its
 * constant at infinity, (2 gamma + 3 ln 2)/(4 pi), is -G(0) for h = 1. */
TEST(values_in_the_plane_are_known)
{
    sf_context *ctx = new_context();
    double *g = green(ctx, 2, 9, (const double[]){1.0, 1.0}, 0.0);
    CHECK_NEAR(g[0] - g[1], 0.25, 1e-10);
    CHECK_NEAR(g[0] - g[10], 1.0 / pi, 1e-10);
    CHECK_NEAR(g[0] - g[2], 1.0 - 2.0 / pi, 1e-10);
    CHECK_NEAR(g[0] - g[8 * 9 + 6], 0.6239233281417134, 1e-10);
    CHECK_NEAR(g[0], (2.0 * 0.57721566490153286 + 3.0 * log(2.0)) / (4.0 * pi),
               1e-10);
    free(g);
    sf_context_free(ctx);
}

/* On a line there is a formula; -|x|/2 is its limit but for a constant. */
TEST(on_a_line_it_is_an_exponential_or_a_wedge)
{
    sf_context *ctx = new_context();
    const double h = 0.25, m = 1e-5;
    double *g = green(ctx, 1, 5, &h, 0.0), *f = green(ctx, 1, 5, &h, m);
    for (int n = 0; n < 5; n++) {
        CHECK(g[n] == -0.125 * n);
        CHECK_NEAR(f[n] - f[0], g[n], 1e-5);
        CHECK_CLOSE(f[n], exp(-m * h * n) / (2.0 * m), 1e-10);
    }
    free(g);
    free(f);
    sf_context_free(ctx);
}

/* The equation at every inner node, those on the coordinate planes with their
 * mirrors.  1/V is the scale of what has to cancel. */
static void check_equation(sf_context *ctx, int rank, int64_t n,
                           const double *h, double mass)
{
    double *g = green(ctx, rank, n, h, mass);
    double volume = 1.0;
    int64_t step[3] = {0}, all = 1;
    for (int k = rank - 1; k >= 0; k--) {
        step[k] = all;
        all *= n;
        volume *= h[k];
    }
    for (int64_t i = 0; i < all; i++) {
        double sum = mass * mass * g[i];
        bool is_inside = true;
        for (int k = 0; k < rank; k++) {
            const int64_t at = i / step[k] % n;
            if (at == n - 1) {
                is_inside = false;
                break;
            }
            const double before = g[at > 0 ? i - step[k] : i + step[k]];
            sum += (2.0 * g[i] - before - g[i + step[k]]) / (h[k] * h[k]);
        }
        if (is_inside)
            CHECK_NEAR(sum * volume, i == 0 ? 1.0 : 0.0, 1e-9);
    }
    free(g);
}

TEST(it_solves_its_equation)
{
    static const double spacings[][3] = {
        {1.0, 1.0, 1.0}, {0.1, 0.2, 0.1}, {0.01, 0.3, 0.05}};
    static const double masses[] = {0.0, 1e-3, 0.3, 4.0};
    sf_context *ctx = new_context();
    for (int rank = 1; rank <= 3; rank++)
        for (size_t s = 0; s < SFI_COUNT(spacings); s++)
            for (size_t m = 0; m < SFI_COUNT(masses); m++)
                check_equation(ctx, rank, rank == 3 ? 33 : 200, spacings[s],
                               masses[m]);
    sf_context_free(ctx);
}

/* Summed over all nodes of an axis, times h, it is G of a dimension less: with a
 * mass of 1 and h = 1/4 what lies beyond 160 nodes is e^{-40} of it. */
TEST(a_sum_over_an_axis_is_the_function_of_one_less)
{
    enum { N = 160, SHORT = 6 };
    const double h[3] = {0.2, 0.5, 0.25};
    sf_context *ctx = new_context();
    double *line = green(ctx, 1, SHORT, h, 1.0);
    double *plane = malloc(SHORT * N * sizeof *plane);
    double *box = malloc(SHORT * SHORT * N * sizeof *box);
    double *flat = malloc(SHORT * SHORT * sizeof *flat);
    assert_true(plane != NULL && box != NULL && flat != NULL);
    CHECK_OK(ctx, sfi_lattice_green(ctx, plane, 2, (const int64_t[]){SHORT, N},
                                    (const double[]){h[0], h[2]}, 1.0));
    CHECK_OK(ctx, sfi_lattice_green(ctx, flat, 2,
                                    (const int64_t[]){SHORT, SHORT}, h, 1.0));
    CHECK_OK(ctx, sfi_lattice_green(
                      ctx, box, 3, (const int64_t[]){SHORT, SHORT, N}, h, 1.0));
    for (int i = 0; i < SHORT; i++) {
        double sum = plane[i * N];
        for (int j = 1; j < N; j++)
            sum += 2.0 * plane[i * N + j];
        CHECK_CLOSE(sum * h[2], line[i], 1e-9);
    }
    for (int i = 0; i < SHORT * SHORT; i++) {
        double sum = box[i * N];
        for (int j = 1; j < N; j++)
            sum += 2.0 * box[i * N + j];
        CHECK_CLOSE(sum * h[2], flat[i], 1e-9);
    }
    free(line);
    free(plane);
    free(flat);
    free(box);
    sf_context_free(ctx);
}

/* Larger than 1/(4 pi r) by (h/2r)^2 on an axis: the lattice's next term is
 * (1/4 pi r)(h/r)^2 (5 sum x^4/r^4 - 3)/8, which is (h/r)^2/4 there.  The one after
 * is of (h/r)^4.  In the plane likewise -ln(r)/2 pi at other spacings. */
TEST(far_away_it_is_the_continuum)
{
    sf_context *ctx = new_context();
    double *out = malloc(257 * sizeof *out);
    assert_non_null(out);
    CHECK_OK(ctx, sfi_lattice_green(ctx, out, 3, (const int64_t[]){1, 1, 257},
                                    (const double[]){1.0, 1.0, 1.0}, 0.0));
    for (int n = 16; n <= 256; n *= 2) {
        const double x = n, excess = out[n] * 4.0 * pi * x - 1.0;
        CHECK_NEAR(excess, 0.25 / (x * x), 4.0 / (x * x * x * x) + 1e-9);
    }
    CHECK_OK(ctx, sfi_lattice_green(ctx, out, 2, (const int64_t[]){1, 257},
                                    (const double[]){0.3, 0.1}, 0.0));
    for (int n = 64; n <= 256; n *= 2)
        CHECK_NEAR(out[n], -log(0.1 * n) / (2.0 * pi), 1.0 / (n * n));
    free(out);
    sf_context_free(ctx);
}

TEST(bits_do_not_depend_on_the_threads)
{
    const int64_t count[3] = {11, 12, 13};
    double want[11 * 12 * 13], got[11 * 12 * 13];
    for (int threads = 1; threads <= 7; threads += threads == 1 ? 1 : 5) {
        sf_context *ctx = new_context();
        sf_context_set_threads(ctx, threads);
        CHECK_OK(ctx,
                 sfi_lattice_green(ctx, threads == 1 ? want : got, 3, count,
                                   (const double[]){1.0, 2.0, 1.0}, 0.5));
        if (threads > 1)
            assert_memory_equal(got, want, sizeof want);
        sf_context_free(ctx);
    }
}

TEST(what_is_out_of_range_is_refused)
{
    sf_context *ctx = new_context();
    double out[4];
    const int64_t two[3] = {2, 2, 2}, none[2] = {2, 0};
    const double one[3] = {1.0, 1.0, 1.0}, uneven[2] = {1.0, 2000.0};
    const double negative[2] = {1.0, -1.0};
    CHECK_FAILS(ctx, sfi_lattice_green(ctx, out, 4, two, one, 0.0), SF_E_ARG,
                "rank is 4");
    CHECK_FAILS(ctx, sfi_lattice_green(ctx, out, 2, none, one, 0.0), SF_E_SHAPE,
                "axis 1 has 0 nodes");
    CHECK_FAILS(ctx, sfi_lattice_green(ctx, out, 2, two, negative, 0.0),
                SF_E_ARG, "spacing of axis 1 is -1");
    CHECK_FAILS(ctx, sfi_lattice_green(ctx, out, 2, two, uneven, 0.0), SF_E_ARG,
                "ratio");
    CHECK_FAILS(ctx, sfi_lattice_green(ctx, out, 2, two, one, -1.0), SF_E_ARG,
                "mass is -1");
    CHECK_FAILS(ctx, sfi_lattice_green(ctx, out, 2, two, one, NAN), SF_E_ARG,
                "mass is nan");
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    double out[8];
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status))
        status = sfi_lattice_green(ctx, out, 3, (const int64_t[]){2, 2, 2},
                                   (const double[]){1.0, 1.0, 1.0}, 0.0);
    sf_context_free(ctx);
}

TESTS(CASE(the_rule_is_exact_for_polynomials),
      CASE(values_in_three_dimensions_are_known), CASE(spacings_may_differ),
      CASE(values_in_the_plane_are_known),
      CASE(on_a_line_it_is_an_exponential_or_a_wedge),
      CASE(it_solves_its_equation),
      CASE(a_sum_over_an_axis_is_the_function_of_one_less),
      CASE(far_away_it_is_the_continuum),
      CASE(bits_do_not_depend_on_the_threads),
      CASE(what_is_out_of_range_is_refused), CASE(every_allocation_may_fail))
