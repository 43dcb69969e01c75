/* SPDX-License-Identifier: Apache-2.0 */
/* Normal distributions for posteriors: Laplace's, Gauss-Newton's where a row has none, the
 * prior's where the decoder is not finite. */
#include "latent/posteriors.h"
#include "check.h"

#include <math.h>

/* x = z, sd 2: the posterior is N(x/5, 4/5). */
TEST(linear_decoders_have_theirs)
{
    static const double x[] = {1.0, -3.0};
    double z[2], f[2];
    const double sigma = 2.0;
    sf_context *ctx = new_context();
    sf_decoder *d = NULL;
    sf_decoder_options o = SF_DECODER_OPTIONS_INIT;
    o.sigma_count = 1;
    o.sigma = &sigma;
    CHECK_OK(ctx, sf_decoder_new(ctx, &d, "z0", 1, &o));
    CHECK_OK(ctx, sfi_latent_posteriors(ctx, d, (sf_cmat){x, 2, 1, 1}, z, f,
                                        true, NULL));
    for (int i = 0; i < 2; i++) {
        CHECK_NEAR(z[i], x[i] / 5.0, 1e-8);
        CHECK_NEAR(f[i], sqrt(0.8), 1e-8);
    }
    /* KL(N(0.2, 0.8) || N(0, 1)) */
    CHECK_NEAR(sfi_latent_divergence(z, f, 1),
               0.5 * (0.04 + 0.8 - 1.0 - log(0.8)), 1e-8);
    sf_decoder_free(d);
    sf_context_free(ctx);
}

/* The middle of a circle of radius 2: every direction is as likely, H is singular along the
 * circle and there is no Laplace posterior.  Of the two latent numbers (a scale and an
 * angle cannot be told here) the metric of f = 2 (cos z, sin z) is 4, so that Gauss and
 * Newton say a variance of 1/(1 + 4/s^2) with s = 0.5: 1/17.  With the prior the maximum is
 * z = 0, where -H = 1 is regular: the variance is 1. */
TEST(a_centre_of_curvature_has_one_too)
{
    static const double x[] = {0.0, 0.0, 6.0, 0.0, -1.0, 0.0};
    double z[3], f[3];
    const double sigma = 0.5;
    sf_context *ctx = new_context();
    sf_decoder *d = NULL;
    sf_decoder_options o = SF_DECODER_OPTIONS_INIT;
    o.sigma_count = 1;
    o.sigma = &sigma;
    CHECK_OK(ctx, sf_decoder_new(ctx, &d, "2*cos(z0); 2*sin(z0)", 1, &o));
    CHECK_OK(ctx, sfi_latent_posteriors(ctx, d, (sf_cmat){x, 3, 2, 2}, z, f,
                                        true, NULL));
    CHECK_NEAR(f[0], 1.0, 1e-6);
    /* At (6, 0): -H = 1 + 4/s^2 (1 + (6 - 2)/2) = 49. */
    CHECK_NEAR(f[1], 1.0 / 7.0, 1e-6);
    CHECK(isfinite(f[2]) && f[2] > 0.0);
    sf_decoder_free(d);
    sf_context_free(ctx);
}

/* Where f bends away, x = 2 z^2 at x = 1/4 with s = 1: O = -(x - 2 z^2)^2/2 - z^2/2 has
 * O'' = 4 x - 1 = 0 and lower orders of 0 at z = 0, a maximum of fourth order: kind 0.  The
 * metric there is 0, and Gauss and Newton leave the prior. */
TEST(flat_maxima_take_gauss_newton)
{
    static const double x[] = {0.25};
    double z, f;
    sf_context *ctx = new_context();
    sf_decoder *d = NULL;
    CHECK_OK(ctx, sf_decoder_new(ctx, &d, "2*z0^2", 1, NULL));
    CHECK_OK(ctx, sfi_latent_posteriors(ctx, d, (sf_cmat){x, 1, 1, 1}, &z, &f,
                                        true, NULL));
    CHECK_NEAR(z, 0.0, 1e-2);
    CHECK_NEAR(f, 1.0, 0.01);
    sf_decoder_free(d);
    sf_context_free(ctx);
}

TESTS(CASE(linear_decoders_have_theirs),
      CASE(a_centre_of_curvature_has_one_too),
      CASE(flat_maxima_take_gauss_newton))
