/* SPDX-License-Identifier: Apache-2.0 */
/* What a decoder's text and noise may be. */
#include "check.h"
#include "faults.h"

#include "scorefield/decoder.h"

static sf_decoder_options usual(void)
{
    const sf_decoder_options o = SF_DECODER_OPTIONS_INIT;
    return o;
}

/* Pieces are numbers and vectors; semicolons in quotes and brackets part nothing. */
TEST(pieces_are_numbers_and_vectors)
{
    sf_context *ctx = new_context();
    sf_decoder *d = NULL;
    CHECK_OK(ctx,
             sf_decoder_new(ctx, &d, "z; z[0] * z[1:3]; exp(z2)", 3, NULL));
    assert_int_equal(sf_decoder_latent(d), 3);
    assert_int_equal(sf_decoder_dim(d), 6);
    assert_string_equal(sf_decoder_column(d, 5), "x5");
    assert_int_equal(sf_decoder_noise_kind(d), SF_DECODER_ISOTROPIC);
    CHECK(!sf_decoder_is_linear(d));
    sf_decoder_free(d);
    sf_context_free(ctx);
}

TEST(a_linear_decoder_is_known_by_its_derivatives)
{
    static const struct {
        const char *text, *log_sigma;
        bool linear;
    } cases[] = {{"2*z0 + 3*z1; z0 - 1; -z1/7", NULL, true},
                 {"z; 1.5", NULL, true},
                 {"z0; z1; z0*z1", NULL, false},
                 {"sin(z0); z1; 0", NULL, false},
                 {"2*z0 + 3*z1; z0; z1", "0.1*z0", false}};
    sf_context *ctx = new_context();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sf_decoder *d = NULL;
        sf_decoder_options o = usual();
        o.log_sigma = cases[i].log_sigma;
        CHECK_OK(ctx, sf_decoder_new(ctx, &d, cases[i].text, 2, &o));
        CHECK(sf_decoder_is_linear(d) == cases[i].linear);
        sf_decoder_free(d);
    }
    sf_context_free(ctx);
}

TEST(what_is_wrong_with_a_text_is_said)
{
    static const struct {
        const char *text, *message;
        int64_t latent, dim;
        sf_status status;
    } cases[] = {
        {"z0; y + 1", "decoder: piece 2:", 1, 0, SF_E_PARSE},
        {"z0; z0 +", "decoder: piece 2:", 1, 0, SF_E_PARSE},
        {"z0;; z0", "decoder: piece 2:", 1, 0, SF_E_PARSE},
        {"z + z[0:1]; z[0:2] + z", "decoder: piece 2:", 3, 0, SF_E_PARSE},
        {"z0; z1", "decoder: piece 2:", 1, 0, SF_E_PARSE},
        {"z0; z0", "its 2 piece(s) give 2 numbers, and x has 3 columns", 1, 3,
         SF_E_ARG},
        {"z0; z0", "0 latent numbers, want 1 to 32", 0, 0, SF_E_ARG},
        {"z0; z0", "33 latent numbers", 33, 0, SF_E_ARG}};
    sf_context *ctx = new_context();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sf_decoder *d = NULL;
        sf_decoder_options o = usual();
        o.dim = cases[i].dim;
        CHECK_FAILS(ctx,
                    sf_decoder_new(ctx, &d, cases[i].text, cases[i].latent, &o),
                    cases[i].status, cases[i].message);
        CHECK(d == NULL);
    }
    sf_context_free(ctx);
}

TEST(what_is_wrong_with_the_noise_is_said)
{
    static const double pair[] = {1.0, 2.0}, negative[] = {1.0, -2.0, 1.0};
    static const double indefinite[] = {1.0, 2.0, 0.0, 2.0, 1.0,
                                        0.0, 0.0, 0.0, 1.0};
    static const double crooked[] = {1.0, 0.5, 0.0, 0.4, 1.0,
                                     0.0, 0.0, 0.0, 1.0};
    static const char *const names[] = {"mass", "length", "age"};
    sf_context *ctx = new_context();
    sf_decoder *d = NULL;
    sf_decoder_options o = usual();
    o.dim = 3;
    o.names = names;
    o.sigma = pair;
    o.sigma_count = 2;
    CHECK_FAILS(ctx, sf_decoder_new(ctx, &d, "z0; z0; 1", 1, &o), SF_E_ARG,
                "2 standard deviations for 3 columns");
    o.sigma = negative;
    o.sigma_count = 3;
    CHECK_FAILS(ctx, sf_decoder_new(ctx, &d, "z0; z0; 1", 1, &o), SF_E_ARG,
                "of column \"length\" is -2, want > 0");
    o.covariance = indefinite;
    CHECK_FAILS(ctx, sf_decoder_new(ctx, &d, "z0; z0; 1", 1, &o), SF_E_ARG,
                "2 kinds of noise");
    o.sigma = NULL;
    CHECK_FAILS(ctx, sf_decoder_new(ctx, &d, "z0; z0; 1", 1, &o), SF_E_ARG,
                "pivot 2, of column \"length\"");
    o.covariance = crooked;
    CHECK_FAILS(ctx, sf_decoder_new(ctx, &d, "z0; z0; 1", 1, &o), SF_E_ARG,
                "of \"length\" and \"mass\" is 0.4 in one place and 0.5");
    o.covariance = NULL;
    o.log_sigma = "z0; 1";
    CHECK_FAILS(ctx, sf_decoder_new(ctx, &d, "z0; z0; 1", 1, &o), SF_E_ARG,
                "log_sigma: 2 numbers for 3 columns");
    o.log_sigma = "z0; 1; q";
    CHECK_FAILS(ctx, sf_decoder_new(ctx, &d, "z0; z0; 1", 1, &o), SF_E_PARSE,
                "log_sigma: piece 3:");
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    static const double covariance[] = {1.0, 0.2, 0.2, 1.0};
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_decoder_options o = usual();
    o.dim = 2;
    o.covariance = covariance;
    sf_status status = SF_E_NOMEM;
    for (int k = 0; status != SF_OK; k++) {
        sf_decoder *d = NULL;
        faults.left = k;
        status = sf_decoder_new(ctx, &d, "z0; z0^2", 1, &o);
        CHECK(status == SF_OK || status == SF_E_NOMEM);
        sf_decoder_free(d);
        CHECK(faults.bytes == faults.own);
    }
    sf_context_free(ctx);
}

TESTS(CASE(pieces_are_numbers_and_vectors),
      CASE(a_linear_decoder_is_known_by_its_derivatives),
      CASE(what_is_wrong_with_a_text_is_said),
      CASE(what_is_wrong_with_the_noise_is_said),
      CASE(every_allocation_may_fail))
