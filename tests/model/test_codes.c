/* SPDX-License-Identifier: Apache-2.0 */
/* The aggregate posterior that an autoencoder keeps: moments of its draws, and files that
 * are wrong. */
#include "check.h"
#include "model/autoencoder.h"
#include "model/codes.h"
#include "scorefield/flow.h"

#include <math.h>
#include <string.h>

enum { DIM = 3, LATENT = 2, DRAWS = 20000 };

static sf_model *decoder(sf_context *ctx, bool no_encoder)
{
    sf_model *m = NULL;
    sfi_number numbers[SFI_MAX_NUMBERS];
    const sfi_autoencoder_shape s = {.latent = LATENT,
                                     .width = 2,
                                     .layers = 0,
                                     .one_scale = true,
                                     .no_encoder = no_encoder};
    const int count = sfi_autoencoder_numbers(numbers, &s);
    CHECK_OK(ctx, sfi_model_new(ctx, &m, &sfi_vae_ops, DIM, NULL, NULL, count,
                                numbers));
    return m;
}

/* Two rows at (1, 0) and (-1, 2): the mean is (0, 1), and the covariance that of the means,
 * (1, -1; -1, 1), and the mean of F F'.  Moments of n draws have standard errors of at most
 * sqrt(E x^4 / n) < 0.05; five of them are allowed. */
static void check_moments(sf_context *ctx, bool no_encoder,
                          const double *spread, const double *covariance)
{
    static const double mean[] = {1.0, 0.0, -1.0, 2.0};
    static double z[DRAWS * LATENT], again[2 * LATENT];
    sf_model *m = decoder(ctx, no_encoder), *with = NULL;
    CHECK_OK(ctx, sfi_codes_keep(m, 2, mean, spread, &with));
    assert_int_equal(sfi_codes_count(m), 0);
    assert_int_equal(sfi_codes_count(with), 2);
    sfi_codes_draw(with, 5, 0, (sf_mat){z, DRAWS, LATENT, LATENT});
    double centre[LATENT] = {0}, c[4] = {0};
    for (int i = 0; i < DRAWS; i++)
        for (int k = 0; k < LATENT; k++)
            centre[k] += z[i * LATENT + k] / DRAWS;
    for (int i = 0; i < DRAWS; i++)
        for (int k = 0; k < 4; k++)
            c[k] += (z[i * LATENT + k / 2] - centre[k / 2]) *
                    (z[i * LATENT + k % 2] - centre[k % 2]) / DRAWS;
    CHECK_NEAR(centre[0], 0.0, 0.05);
    CHECK_NEAR(centre[1], 1.0, 0.05);
    for (int k = 0; k < 4; k++)
        CHECK_NEAR(c[k], covariance[k], 0.12);
    /* A draw belongs to its number. */
    sfi_codes_draw(with, 5, 7, (sf_mat){again, 2, LATENT, LATENT});
    assert_memory_equal(again, z + 7 * LATENT, sizeof again);
    sf_model_free(with);
    sf_model_free(m);
}

TEST(draws_have_the_moments_of_the_mixture)
{
    static const double sd[] = {0.5, 1.0, 0.5, 2.0};
    static const double of_sd[] = {1.25, -1.0, -1.0, 3.5};
    static const double factor[] = {0.5, 0.0, 1.0, 1.0, 0.5, 0.0, 0.0, 1.0};
    /* F F' = (.25, .5; .5, 2) and (.25, 0; 0, 1) */
    static const double of_factor[] = {1.25, -0.75, -0.75, 2.5};
    sf_context *ctx = new_context();
    check_moments(ctx, false, sd, of_sd);
    check_moments(ctx, true, factor, of_factor);
    sf_context_free(ctx);
}

/* Through sf_sample(): what is decoded, here f(z) = (z0, z1, 0), without noise. */
TEST(rows_are_decoded_codes)
{
    static const double mean[] = {1.0, 0.0, -1.0, 2.0}, sd[4] = {0};
    sf_context *ctx = new_context();
    sf_model *m = decoder(ctx, false), *with = NULL;
    sf_sample_options o = SF_SAMPLE_OPTIONS_INIT;
    double x[8 * DIM];
    const sf_mat out = {x, 8, DIM, DIM};
    m->weights[0] = m->weights[3] = 1.0;
    o.latent_fitted = o.no_noise = true;
    CHECK_FAILS(ctx, sf_sample(m, out, &o), SF_E_UNSUPPORTED,
                "does not hold the codes");
    CHECK_OK(ctx, sfi_codes_keep(m, 2, mean, sd, &with));
    CHECK_OK(ctx, sf_sample(with, out, &o));
    for (int i = 0; i < 8; i++) {
        CHECK_NEAR(fabs(x[i * DIM]), 1.0, 1e-12);
        CHECK_NEAR(x[i * DIM + 1], 1.0 - x[i * DIM], 1e-12);
    }
    o.method = SF_SAMPLER_FLOW;
    CHECK_FAILS(ctx, sf_sample(with, out, &o), SF_E_UNSUPPORTED, "");
    sf_model_free(with);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(a_negative_spread_is_refused)
{
    static const double mean[4] = {0}, sd[] = {0.5, 1.0, -0.5, 2.0};
    static const double factor[] = {0.5, 0.0, -1.0, 1.0, 0.5, 0.0, 0.0, -1.0};
    sf_context *ctx = new_context();
    for (int k = 0; k < 2; k++) {
        sf_model *m = decoder(ctx, k == 1), *with = NULL;
        CHECK_OK(ctx, sfi_codes_keep(m, 2, mean, k == 1 ? factor : sd, &with));
        CHECK_FAILS(ctx, sfi_codes_check(with), SF_E_FORMAT,
                    k == 1 ? "element 7 of \"codes.factor\""
                           : "element 2 of \"codes.sd\"");
        sf_model_free(with);
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

TEST(what_has_no_encoder_has_no_codes)
{
    sf_context *ctx = new_context();
    sf_model *m = decoder(ctx, true);
    double x[DIM] = {0}, z[LATENT] = {0.5, -0.5};
    CHECK_FAILS(ctx,
                sf_model_code(m, (sf_cmat){x, 1, DIM, DIM},
                              (sf_mat){z, 1, LATENT, LATENT}),
                SF_E_UNSUPPORTED, "without an encoder");
    CHECK_OK(ctx, sf_model_decode(m, (sf_cmat){z, 1, LATENT, LATENT},
                                  (sf_mat){x, 1, DIM, DIM}));
    assert_int_equal(sf_model_latents(m), LATENT);
    sf_model_free(m);
    sf_context_free(ctx);
}

TESTS(CASE(draws_have_the_moments_of_the_mixture), CASE(rows_are_decoded_codes),
      CASE(a_negative_spread_is_refused),
      CASE(what_has_no_encoder_has_no_codes))
