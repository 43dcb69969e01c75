/* SPDX-License-Identifier: Apache-2.0 */
/* Shortest curves: closed forms, chains that were minimised elsewhere, symmetries. */
#include "check.h"
#include "faults.h"

#include "latent/block_chain.h"
#include "scorefield/geodesic.h"

enum { MOST = 256 };

static const char sphere[] = "sin(z0)*cos(z1); sin(z0)*sin(z1); cos(z0)";
static const char paraboloid[] = "z0; z1; z0^2 + z1^2";

/* Of a decoder of two latent numbers with `segments` chords. */
struct curve {
    double z[2 * (MOST + 1)], x[3 * (MOST + 1)], length[MOST + 1];
    sf_geodesic_result r;
};

static void find(sf_context *ctx, const char *text, const char *log_sigma,
                 int64_t segments, const double *from, const double *to,
                 struct curve *out)
{
    const sf_geodesic_result none = SF_GEODESIC_RESULT_INIT;
    sf_decoder_options o = SF_DECODER_OPTIONS_INIT;
    sf_geodesic_options how = SF_GEODESIC_OPTIONS_INIT;
    sf_decoder *d = NULL;
    o.log_sigma = log_sigma;
    how.tolerance = 1e-12;
    CHECK_OK(ctx, sf_decoder_new(ctx, &d, text, 2, &o));
    const int64_t dim = sf_decoder_dim(d);
    out->r = none;
    CHECK_OK(ctx, sf_geodesic(ctx, d, (sf_mat){out->z, segments + 1, 2, 2},
                              (sf_mat){out->x, segments + 1, dim, dim},
                              out->length, &out->r, from, to, &how));
    sf_decoder_free(d);
}

/* Chains of 16 chords that were minimised with 40 digits. */
TEST(chains_of_sixteen_chords_are_those_of_forty_digits)
{
    static const double a[] = {0.5, 0.2}, b[] = {1.9, 1.4};
    static const double c[] = {-1.0, 0.2}, e[] = {0.8, 0.9};
    static struct curve k;
    sf_context *ctx = new_context();
    find(ctx, sphere, NULL, 16, a, b, &k);
    CHECK_CLOSE(k.r.length, 1.6896138814526307, 1e-11);
    CHECK_CLOSE(k.r.energy, 1.4273975341987122, 1e-11);
    CHECK(k.r.minimum && k.r.converged);
    find(ctx, paraboloid, NULL, 16, c, e, &k);
    CHECK_CLOSE(k.r.length, 2.2979277762970582, 1e-9);
    CHECK_CLOSE(k.r.energy, 2.640236262942727, 1e-11);
    CHECK(k.length[0] == 0.0);
    CHECK_CLOSE(k.length[16], k.r.length, 1e-15);
    for (int i = 0; i <= 16; i++)
        CHECK_NEAR(k.x[3 * i + 2],
                   k.z[2 * i] * k.z[2 * i] + k.z[2 * i + 1] * k.z[2 * i + 1],
                   1e-14);
    sf_context_free(ctx);
}

/* The great circle, and the paraboloid's length by shooting to 16 digits.  Chords are
 * short by a part in N^2, which the extrapolation takes away: what is left is N^-4. */
TEST(extrapolated_lengths_are_those_of_the_arcs)
{
    static const double a[] = {0.5, 0.2}, b[] = {1.9, 1.4};
    static const double c[] = {-1.0, 0.2}, e[] = {0.8, 0.9};
    static struct curve k;
    sf_context *ctx = new_context();
    find(ctx, sphere, NULL, 64, a, b, &k);
    CHECK_CLOSE(k.r.length_extrapolated, 1.690399943098825, 1e-8);
    find(ctx, paraboloid, NULL, 64, c, e, &k);
    CHECK_CLOSE(k.r.length_extrapolated, 2.2992028888747615, 1e-7);
    CHECK_CLOSE(k.r.length, 2.2992028888747615, 4e-5);
    CHECK(k.r.length < 2.29919);
    CHECK_CLOSE(k.r.straight, 2.8264189804373396, 1e-3);
    sf_context_free(ctx);
}

TEST(the_way_back_is_the_same)
{
    static const double a[] = {-1.0, 0.2}, b[] = {0.8, 0.9};
    static struct curve there, back;
    sf_context *ctx = new_context();
    find(ctx, paraboloid, NULL, 24, a, b, &there);
    find(ctx, paraboloid, NULL, 24, b, a, &back);
    CHECK_CLOSE(back.r.energy, there.r.energy, 1e-12);
    for (int i = 0; i <= 24; i++)
        for (int k = 0; k < 2; k++)
            CHECK_NEAR(back.z[2 * i + k], there.z[2 * (24 - i) + k], 1e-7);
    sf_context_free(ctx);
}

/* Over a peak of height 3 the straight line is stationary by symmetry, and about 6
 * long; the way around is a minimum, not much longer than the 3 of the plane. */
TEST(peaks_are_gone_around)
{
    static const double a[] = {-1.5, 0.0}, b[] = {1.5, 0.0};
    static struct curve k;
    sf_context *ctx = new_context();
    find(ctx, "z0; z1; 3*exp(-4*(z0^2 + z1^2))", NULL, 32, a, b, &k);
    CHECK(k.r.straight > 6.0);
    CHECK(k.r.length < 4.0 && k.r.length > 3.0);
    CHECK(k.r.minimum);
    CHECK(fabs(k.z[2 * 16 + 1]) > 0.5);
    sf_context_free(ctx);
}

/* Normal distributions of mean z0 and ln sd z1 are a hyperbolic plane,
 *
 *     ds^2 = dm^2/s^2 + 2 ds^2/s^2,
 *     d = sqrt(2) arcosh(1 + ((m - m')^2/2 + (s - s')^2)/(2 s s'))
 *
 * (C. Atkinson and A. F. S. Mitchell, Sankhya A 43 (1981) 345-365). */
TEST(normal_distributions_are_a_hyperbolic_plane)
{
    const double a[] = {-1.0, log(0.5)}, b[] = {1.5, log(1.2)};
    static struct curve k;
    sf_context *ctx = new_context();
    const double want = sqrt(2.0) * acosh(1.0 + (2.5 * 2.5 / 2.0 + 0.7 * 0.7) /
                                                    (2.0 * 0.5 * 1.2));
    find(ctx, "z0", "z1", 64, a, b, &k);
    CHECK_CLOSE(k.r.length_extrapolated, want, 1e-6);
    CHECK(k.r.minimum);
    sf_context_free(ctx);
}

/* One latent number: a helix has one curve; its length is sqrt(1 + 1/4) a unit.  A
 * chord of h is short of that by h^2/30 - h^4/1800 of it, so that the extrapolation
 * leaves h^4/450. */
TEST(a_curve_is_its_own_geodesic)
{
    static const double a[] = {-2.0}, b[] = {3.0};
    double z[33], length[33];
    sf_context *ctx = new_context();
    sf_decoder *d = NULL;
    sf_geodesic_result r = SF_GEODESIC_RESULT_INIT;
    CHECK_OK(ctx, sf_decoder_new(ctx, &d, "cos(z0); sin(z0); 0.5*z0", 1, NULL));
    CHECK_OK(ctx, sf_geodesic(ctx, d, (sf_mat){z, 33, 1, 1}, (sf_mat){0},
                              length, &r, a, b, NULL));
    const double arc = 5.0 * sqrt(1.25), h = 5.0 / 32.0;
    CHECK_CLOSE(arc - r.length_extrapolated, arc * pow(h, 4.0) / 450.0, 0.01);
    CHECK(r.uneven < 1e-8);
    for (int i = 0; i <= 32; i++)
        CHECK_NEAR(z[i], -2.0 + 5.0 * i / 32.0, 1e-7);
    CHECK_OK(ctx, sf_geodesic(ctx, d, (sf_mat){z, 4, 1, 1}, (sf_mat){0}, NULL,
                              &r, a, b, NULL));
    CHECK(isnan(r.length_extrapolated));
    sf_decoder_free(d);
    sf_context_free(ctx);
}

TEST(what_has_no_curve_is_refused)
{
    static const double a[] = {-1.0, 0.0}, b[] = {1.0, 0.0};
    static const double nan_end[] = {NAN, 0.0};
    double z[18];
    sf_context *ctx = new_context();
    sf_decoder *d = NULL;
    CHECK_OK(ctx, sf_decoder_new(ctx, &d, "log(z0); z1; 1", 2, NULL));
    const sf_mat to = {z, 9, 2, 2}, none = {0}, two = {z, 2, 2, 2};
    CHECK_FAILS(ctx, sf_geodesic(ctx, d, to, none, NULL, NULL, a, b, NULL),
                SF_E_NUMERIC, "not finite");
    CHECK_FAILS(ctx,
                sf_geodesic(ctx, d, to, none, NULL, NULL, a, nan_end, NULL),
                SF_E_ARG, "an end is not finite");
    CHECK_FAILS(ctx, sf_geodesic(ctx, d, two, none, NULL, NULL, a, b, NULL),
                SF_E_SHAPE, "z is [2, 2], want [3 and more, 2]");
    sf_decoder_free(d);
    sf_context_free(ctx);
}

/* The block tridiagonal solution against the equations, of a matrix that is diagonally
 * dominant. */
TEST(tridiagonal_equations_are_solved)
{
    enum { M = 7, N = 3 };
    double diagonal[M * N * N], above[M * N * N], a[M * N][M * N], b[M * N];
    memset(a, 0, sizeof a);
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++)
            for (int k = 0; k < N; k++) {
                const double on = j == k ? 9.0 + i : 1.0 / (1.0 + j + k);
                const double off = sin(i + 2.0 * j + 3.0 * k);
                diagonal[(i * N + j) * N + k] = a[i * N + j][i * N + k] = on;
                above[(i * N + j) * N + k] = off;
                if (i + 1 < M)
                    a[i * N + j][(i + 1) * N + k] =
                        a[(i + 1) * N + k][i * N + j] = off;
            }
    for (int i = 0; i < M * N; i++)
        b[i] = cos(i);
    CHECK(sfi_block_chain_factor(diagonal, above, M, N));
    sfi_block_chain_solve(diagonal, above, M, N, b);
    for (int i = 0; i < M * N; i++) {
        double sum = 0.0;
        for (int j = 0; j < M * N; j++)
            sum += a[i][j] * b[j];
        CHECK_NEAR(sum, cos(i), 1e-14);
    }
    diagonal[N * N] = -1.0;
    CHECK(!sfi_block_chain_factor(diagonal, above, M, N));
}

static sf_status one_curve(sf_context *ctx)
{
    static const double a[] = {-1.0, 0.2}, b[] = {0.8, 0.9};
    double z[18];
    sf_decoder *d = NULL;
    sf_status status = sf_decoder_new(ctx, &d, paraboloid, 2, NULL);
    if (status == SF_OK)
        status = sf_geodesic(ctx, d, (sf_mat){z, 9, 2, 2}, (sf_mat){0}, NULL,
                             NULL, a, b, NULL);
    sf_decoder_free(d);
    return status;
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_status status = SF_E_NOMEM;
    for (int k = 0; status != SF_OK; k++) {
        faults.left = k;
        status = one_curve(ctx);
        CHECK(status == SF_OK || status == SF_E_NOMEM);
        CHECK(faults.bytes == faults.own);
    }
    sf_context_free(ctx);
}

TESTS(CASE(chains_of_sixteen_chords_are_those_of_forty_digits),
      CASE(extrapolated_lengths_are_those_of_the_arcs),
      CASE(the_way_back_is_the_same), CASE(peaks_are_gone_around),
      CASE(normal_distributions_are_a_hyperbolic_plane),
      CASE(a_curve_is_its_own_geodesic), CASE(what_has_no_curve_is_refused),
      CASE(tridiagonal_equations_are_solved), CASE(every_allocation_may_fail))
