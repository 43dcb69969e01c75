/* SPDX-License-Identifier: Apache-2.0 */
/* Draws of z given x: closed posteriors, quadrature, modes, rows and threads. */
#include "check.h"
#include "faults.h"

#include "base/random.h"
#include "scorefield/latent.h"

enum { MOST = 400000 };

static double z[MOST], again[MOST];

static sf_decoder *isotropic(sf_context *ctx, const char *text, int64_t latent,
                             double sigma)
{
    sf_decoder_options o = SF_DECODER_OPTIONS_INIT;
    sf_decoder *d = NULL;
    o.sigma = &sigma;
    o.sigma_count = 1;
    CHECK_OK(ctx, sf_decoder_new(ctx, &d, text, latent, &o));
    return d;
}

static sf_cmat table(const double *data, int64_t rows, int64_t cols)
{
    return (sf_cmat){data, rows, cols, cols};
}

/* x = (z0; 2 z0 + z1) with noise 1/2: P = W'W/sigma^2 + I = [21 8; 8 5],
 * P^-1 = [5 -8; -8 21]/41, mean P^-1 W'x/sigma^2.  Of 40000 draws, of which at least
 * 10000 are effective, moments have a standard error of 1 % of the variance at the
 * most: 5 of them. */
TEST(draws_of_a_linear_decoder_have_the_moments_of_its_posterior)
{
    static const double x[] = {0.7, -0.4};
    sf_context *ctx = new_context();
    sf_decoder *d = isotropic(ctx, "z0; 2*z0 + z1", 2, 0.5);
    sf_latent_draw_options o = SF_LATENT_DRAW_OPTIONS_INIT;
    sf_latent_draw_result r = SF_LATENT_DRAW_RESULT_INIT;
    double rhat, ess, mean[2] = {0.0}, cov[3] = {0.0};
    o.draws = 10000;
    CHECK_OK(ctx,
             sf_latent_draw(ctx, d, table(x, 1, 2), z, &rhat, &ess, &r, &o));
    const double n = 40000.0;
    for (int i = 0; i < 40000; i++)
        for (int k = 0; k < 2; k++)
            mean[k] += z[2 * i + k] / n;
    for (int i = 0; i < 40000; i++) {
        const double a = z[2 * i] - mean[0], b = z[2 * i + 1] - mean[1];
        cov[0] += a * a / n;
        cov[1] += a * b / n;
        cov[2] += b * b / n;
    }
    /* W'x/sigma^2 = 4 (0.7 - 0.8, -0.4). */
    CHECK_NEAR(mean[0], (5.0 * -0.4 - 8.0 * -1.6) / 41.0,
               0.05 * sqrt(5.0 / 41));
    CHECK_NEAR(mean[1], (-8.0 * -0.4 + 21.0 * -1.6) / 41.0,
               0.05 * sqrt(21.0 / 41));
    CHECK_CLOSE(cov[0], 5.0 / 41.0, 0.07);
    CHECK_CLOSE(cov[1], -8.0 / 41.0, 0.08);
    CHECK_CLOSE(cov[2], 21.0 / 41.0, 0.07);
    CHECK(ess > 10000.0 && rhat < 1.01);
    CHECK(r.accept > 0.5 && r.accept < 0.7 && r.jumps > 0.5);
    sf_decoder_free(d);
    sf_context_free(ctx);
}

/* P(z0 > 0 | x) of f = (z0^2, z0/3) with noise 0.4 at x = (1, 0.08), two modes with
 * different weights, by the trapezoid rule; draws that stay in a mode would have their
 * chains' weights. */
TEST(modes_have_their_weights)
{
    static const double x[] = {1.0, 0.08};
    double all = 0.0, above = 0.0, rhat, ess;
    sf_context *ctx = new_context();
    sf_decoder *d = isotropic(ctx, "z0^2; z0/3", 1, 0.4);
    sf_latent_draw_options o = SF_LATENT_DRAW_OPTIONS_INIT;
    for (int i = -4000; i <= 4000; i++) {
        const double t = i / 1000.0;
        const double a = (1.0 - t * t) / 0.4, b = (0.08 - t / 3.0) / 0.4;
        const double p = exp(-0.5 * (a * a + b * b + t * t));
        all += p;
        above += i > 0 ? p : i == 0 ? 0.5 * p : 0.0;
    }
    o.draws = 5000;
    CHECK_OK(ctx,
             sf_latent_draw(ctx, d, table(x, 1, 2), z, &rhat, &ess, NULL, &o));
    int64_t positive = 0;
    for (int i = 0; i < 20000; i++)
        positive += z[i] > 0.0;
    const double want = above / all, got = (double)positive / 20000.0;
    CHECK(ess > 2500.0 && rhat < 1.01);
    CHECK(want > 0.55 && want < 0.75);
    CHECK_NEAR(got, want, 5.0 * sqrt(want * (1.0 - want) / ess));
    sf_decoder_free(d);
    sf_context_free(ctx);
}

/* Three moments of a skewed posterior, of f = (e^(2 z), z/5), by the trapezoid rule. */
TEST(skewed_posteriors_have_their_moments)
{
    static const double x[] = {0.4, -0.5};
    double all = 0.0, first = 0.0, second = 0.0, third = 0.0, ess;
    double got[3] = {0.0};
    sf_context *ctx = new_context();
    sf_decoder *d = isotropic(ctx, "exp(2*z0); 0.2*z0", 1, 1.0);
    sf_latent_draw_options o = SF_LATENT_DRAW_OPTIONS_INIT;
    for (int i = -9000; i <= 9000; i++) {
        const double t = i / 1000.0;
        const double a = 0.4 - exp(2.0 * t), b = -0.5 - 0.2 * t;
        const double p = exp(-0.5 * (a * a + b * b + t * t));
        all += p;
        first += p * t;
        second += p * t * t;
        third += p * t * t * t;
    }
    o.draws = 50000;
    CHECK_OK(ctx,
             sf_latent_draw(ctx, d, table(x, 1, 2), z, NULL, &ess, NULL, &o));
    for (int i = 0; i < 200000; i++) {
        got[0] += z[i] / 200000.0;
        got[1] += z[i] * z[i] / 200000.0;
        got[2] += z[i] * z[i] * z[i] / 200000.0;
    }
    /* Standard errors by the effective size, with the sixth moment of N(0, 1) as a
     * bound of that of a narrower distribution; four of them. */
    CHECK(ess > 40000.0);
    CHECK_NEAR(got[0], first / all, 4.0 / sqrt(ess));
    CHECK_NEAR(got[1], second / all, 4.0 * sqrt(2.0 / ess));
    CHECK_NEAR(got[2], third / all, 4.0 * sqrt(15.0 / ess));
    sf_decoder_free(d);
    sf_context_free(ctx);
}

static const char surface[] = "z0 + 0.3*z1^2; z1 + 0.2*z0*z1; z0^2 - 0.5*z1";

enum { ROWS = 40, DRAWS = 20, NUMBERS = ROWS * 3 * DRAWS * 2 };

static void draw_rows(sf_context *ctx, int64_t rows, double *to)
{
    static double x[ROWS * 3];
    sf_decoder *d = isotropic(ctx, surface, 2, 0.5);
    sf_latent_draw_options o = SF_LATENT_DRAW_OPTIONS_INIT;
    for (int64_t i = 0; i < ROWS * 3; i++)
        x[i] =
            sfi_normal_at((sfi_where){1, (uint64_t)i, 0, SFI_STREAM_USER}, 0);
    o.chains = 3;
    o.draws = DRAWS;
    o.warmup = 10;
    CHECK_OK(ctx, sf_latent_draw(ctx, d, table(x, rows, 3), to, NULL, NULL,
                                 NULL, &o));
    sf_decoder_free(d);
}

TEST(draws_have_the_same_bits_for_any_number_of_threads_and_rows)
{
    static const int threads[] = {1, 2, 7};
    sf_context *ctx = new_context();
    for (int t = 0; t < 3; t++) {
        CHECK_OK(ctx, sf_context_set_threads(ctx, threads[t]));
        draw_rows(ctx, ROWS, t == 0 ? z : again);
        if (t > 0)
            assert_memory_equal(z, again, NUMBERS * sizeof *z);
    }
    draw_rows(ctx, 3, again);
    assert_memory_equal(z, again, NUMBERS / ROWS * 3 * sizeof *z);
    sf_context_free(ctx);
}

TEST(draws_that_cannot_be_are_refused)
{
    static const double x[] = {1.0, 2.0, 3.0};
    sf_context *ctx = new_context();
    sf_decoder *d = isotropic(ctx, surface, 2, 0.5);
    sf_decoder *none = isotropic(ctx, "log(-1 - z0^2); z0; 1", 1, 0.5);
    sf_latent_draw_options o = SF_LATENT_DRAW_OPTIONS_INIT;
    o.chains = 0;
    CHECK_FAILS(ctx,
                sf_latent_draw(ctx, d, table(x, 1, 3), z, NULL, NULL, NULL, &o),
                SF_E_ARG, "chains is 0, want 1 to 64");
    CHECK_FAILS(
        ctx, sf_latent_draw(ctx, d, table(x, 1, 2), z, NULL, NULL, NULL, NULL),
        SF_E_SHAPE, "x has 2 columns, the decoder 3");
    CHECK_FAILS(
        ctx,
        sf_latent_draw(ctx, none, table(x, 1, 3), z, NULL, NULL, NULL, NULL),
        SF_E_NUMERIC, "not finite at any start");
    CHECK(isnan(z[0]));
    sf_decoder_free(none);
    sf_decoder_free(d);
    sf_context_free(ctx);
}

static sf_status few_draws(sf_context *ctx)
{
    static const double x[] = {1.2, -0.7, 0.9};
    double rhat, ess;
    sf_decoder *d = NULL;
    sf_latent_draw_options o = SF_LATENT_DRAW_OPTIONS_INIT;
    o.draws = 16;
    o.warmup = 4;
    o.samples = 16;
    sf_status status = sf_decoder_new(ctx, &d, surface, 2, NULL);
    if (status == SF_OK)
        status =
            sf_latent_draw(ctx, d, table(x, 1, 3), z, &rhat, &ess, NULL, &o);
    sf_decoder_free(d);
    return status;
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    CHECK_OK(ctx, sf_context_set_threads(ctx, 1));
    sf_status status = SF_E_NOMEM;
    for (int k = 0; status != SF_OK; k++) {
        faults.left = k;
        status = few_draws(ctx);
        CHECK(status == SF_OK || status == SF_E_NOMEM);
        CHECK(faults.bytes == faults.own);
    }
    sf_context_free(ctx);
}

TESTS(CASE(draws_of_a_linear_decoder_have_the_moments_of_its_posterior),
      CASE(modes_have_their_weights),
      CASE(skewed_posteriors_have_their_moments),
      CASE(draws_have_the_same_bits_for_any_number_of_threads_and_rows),
      CASE(draws_that_cannot_be_are_refused), CASE(every_allocation_may_fail))
