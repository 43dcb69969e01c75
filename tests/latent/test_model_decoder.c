/* SPDX-License-Identifier: Apache-2.0 */
/* Latent points through the decoders of models: what a model knows in closed form,
 * inference finds. */
#include "check.h"
#include "faults.h"

#include "scorefield/latent.h"
#include "scorefield/low_rank.h"

#include <math.h>

enum { ROWS = 5, DIM = 4, LATENT = 2 };

static const double mean[DIM] = {1.0, -2.0, 0.5, 30.0};
static const double loadings[DIM * LATENT] = {2.0, 0.1,  0.7, -1.0,
                                              0.3, -0.4, 5.0, 8.0};
static const double even[DIM] = {0.5, 0.5, 0.5, 0.5};
static const double uneven[DIM] = {0.5, 0.2, 1.0, 3.0};
static const double rows[ROWS * DIM] = {1.0, -2.0, 0.5, 30.0,  4.0,  -1.0, 1.0,
                                        39., -1.,  0.0, -0.5,  20.0, 2.5,  -3.0,
                                        0.9, 55.0, 0.0, -2.25, 0.4,  28.0};

static sf_model *new_model(sf_context *ctx, bool pca)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    sf_model *m = NULL;
    CHECK_OK(ctx, sf_low_rank_new(ctx, &m, pca, DIM, names, LATENT, mean,
                                  loadings, pca ? even : uneven));
    return m;
}

/* The maximum of p(x, z) is the posterior's mean, ln p(x) is that of the model, and the
 * gradient of it, which the model knows, is J' Sigma^-1 (x - f) pulled back. */
static void check_against_model(bool pca)
{
    sf_context *ctx = new_context();
    sf_model *m = new_model(ctx, pca);
    sf_decoder *d = NULL;
    CHECK_OK(ctx, sf_decoder_from_model(ctx, &d, m));
    assert_int_equal(sf_decoder_latent(d), LATENT);
    assert_int_equal(sf_decoder_dim(d), DIM);
    assert_string_equal(sf_decoder_column(d, 3), "d");
    assert_int_equal(sf_decoder_noise_kind(d),
                     pca ? SF_DECODER_ISOTROPIC : SF_DECODER_DIAGONAL);
    CHECK(sf_decoder_is_linear(d));
    double z[ROWS * LATENT], code[ROWS * LATENT], found[ROWS], known[ROWS];
    double se[ROWS];
    const sf_cmat x = {rows, ROWS, DIM, DIM};
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    v.z = (sf_mat){z, ROWS, LATENT, LATENT};
    v.logpdf = (sf_mat){found, ROWS, 1, 1};
    v.logpdf_se = (sf_mat){se, ROWS, 1, 1};
    CHECK_OK(ctx, sf_latent_infer(ctx, d, x, &v, NULL, NULL));
    CHECK_OK(ctx, sf_model_code(m, x, (sf_mat){code, ROWS, LATENT, LATENT}));
    const sf_model_values of_model = {.logpdf = {known, ROWS, 1, 1}};
    CHECK_OK(ctx, sf_model_eval(m, x, 0.0, &of_model));
    for (int i = 0; i < ROWS; i++) {
        CHECK_NEAR(found[i], known[i], 1e-10 * (1.0 + fabs(known[i])));
        CHECK(se[i] == 0.0);
        for (int k = 0; k < LATENT; k++)
            CHECK_NEAR(z[i * LATENT + k], code[i * LATENT + k], 1e-9);
    }
    sf_decoder_free(d);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(principal_components_are_decoders)
{
    check_against_model(true);
}

TEST(factors_are_decoders)
{
    check_against_model(false);
}

TEST(what_has_no_decoder_is_refused)
{
    static const double one[] = {1.0};
    sf_context *ctx = new_context();
    sf_model *m = NULL;
    sf_decoder *d = NULL;
    CHECK_OK(ctx, sf_gaussian_new(ctx, &m, 1, NULL, one, one));
    CHECK_FAILS(ctx, sf_decoder_from_model(ctx, &d, m), SF_E_UNSUPPORTED,
                "has no latent variables");
    CHECK(d == NULL);
    sf_model_free(m);
    enum { WIDE = 40, MANY = 33 };
    double centre[WIDE] = {0}, sd[WIDE], w[WIDE * MANY] = {0};
    for (int j = 0; j < WIDE; j++)
        sd[j] = 1.0;
    for (int k = 0; k < MANY; k++)
        w[k * MANY + k] = 2.0;
    CHECK_OK(ctx,
             sf_low_rank_new(ctx, &m, true, WIDE, NULL, MANY, centre, w, sd));
    CHECK_FAILS(ctx, sf_decoder_from_model(ctx, &d, m), SF_E_ARG,
                "33 latent variables, want at most 32");
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_model *m = new_model(ctx, false);
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status)) {
        sf_decoder *d = NULL;
        status = sf_decoder_from_model(ctx, &d, m);
        sf_decoder_free(d);
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

TESTS(CASE(principal_components_are_decoders), CASE(factors_are_decoders),
      CASE(what_has_no_decoder_is_refused), CASE(every_allocation_may_fail))
