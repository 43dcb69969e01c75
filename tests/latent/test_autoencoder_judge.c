/* SPDX-License-Identifier: Apache-2.0 */
/* Autoencoders judged: known weights, a linear one whose every figure has a closed form, and
 * scores by Fisher's identity against those that are exact. */
#include "base/random.h"
#include "check.h"
#include "faults.h"
#include "model/autoencoder.h"

#include "scorefield/autoencoder.h"
#include "scorefield/low_rank.h"

#include <math.h>

enum { ROWS = 64, DIM = 4, LATENT = 2 };

static const double loadings[DIM * LATENT] = {2.0,  0.5, 0.0, 1.0,
                                              -1.0, 1.0, 0.0, 0.5};

static sf_model *new_vae(sf_context *ctx, int64_t dim, int64_t layers)
{
    sf_model *m = NULL;
    sfi_number numbers[SFI_MAX_NUMBERS];
    const sfi_autoencoder_shape s = {
        .latent = LATENT, .width = 5, .layers = layers, .one_scale = true};
    const int count = sfi_autoencoder_numbers(numbers, &s);
    CHECK_OK(ctx, sfi_model_new(ctx, &m, &sfi_vae_ops, dim, NULL, NULL, count,
                                numbers));
    return m;
}

/* As it begins; columns of the loadings are orthogonal. */
static sf_model *linear(sf_context *ctx)
{
    static const double middle[DIM] = {1.0, 0.0, -1.0, 0.5};
    sf_model *m = new_vae(ctx, DIM, 0);
    sfi_autoencoder_begin(m, middle, loadings, 0.5, 1);
    return m;
}

static void draw(sf_model *m, double *x)
{
    CHECK_OK(m->ctx,
             sfi_draw_decoded(m, 9, 0, true, (sf_mat){x, ROWS, DIM, DIM}));
}

/* ln p(x, z) - ln q(z), the logarithm of an importance weight, at three points. */
TEST(weights_are_the_known_ones)
{
    static const double w[] = {1.5, 0.5, -0.2, 1.0, 1.0, 1.0};
    static const double x[] = {0.5, -0.2, 1.1, 0.5, -0.2, 1.1, 0.5, -0.2, 1.1};
    static const double z[] = {0.2, -0.1, 1.0, 0.4, 0.5, 0.3};
    static const double known[] = {-4.174884858018773, -4.408240413574328,
                                   -2.9139348580187727};
    static const double mean[] = {0.3, 0.1}, sd[] = {0.4, 0.6};
    sf_context *ctx = new_context();
    sf_model *m = new_vae(ctx, 3, 0);
    sf_decoder *d = NULL;
    double joint[3], logpdf[3];
    memcpy(m->weights + m->layout[0].offset, w, sizeof w);
    m->weights[m->layout[m->layout_count - 1].offset] = log(0.5);
    CHECK_OK(ctx, sf_decoder_from_model(ctx, &d, m));
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    v.logjoint = (sf_mat){joint, 3, 1, 1};
    CHECK_OK(ctx, sf_latent_at(ctx, d, (sf_cmat){x, 3, 3, 3},
                               (sf_cmat){z, 3, 2, 2}, &v, NULL, NULL));
    for (int i = 0; i < 3; i++) {
        double log_q = 0.0;
        for (int k = 0; k < 2; k++) {
            const double u = (z[2 * i + k] - mean[k]) / sd[k];
            log_q -= 0.5 * u * u + log(sd[k]) + 0.91893853320467274178;
        }
        CHECK_NEAR(joint[i] - log_q, known[i], 1e-12);
    }
    sf_latent_values of_rows = SF_LATENT_VALUES_INIT;
    of_rows.logpdf = (sf_mat){logpdf, 3, 1, 1};
    CHECK_OK(ctx, sf_latent_infer(ctx, d, (sf_cmat){x, 3, 3, 3}, &of_rows, NULL,
                                  NULL));
    CHECK_NEAR(logpdf[0], -3.8631997977234223, 1e-12);
    sf_decoder_free(d);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* The encoder is exact: no gap but that of draws, and ELBO = ln p(x). */
TEST(a_linear_one_has_no_gap)
{
    double x[ROWS * DIM], kl[LATENT], variance[LATENT];
    sf_context *ctx = new_context();
    sf_model *m = linear(ctx);
    draw(m, x);
    sf_autoencoder_report r = SF_AUTOENCODER_REPORT_INIT;
    sf_autoencoder_options o = SF_AUTOENCODER_OPTIONS_INIT;
    o.draws = 400;
    CHECK_OK(ctx, sf_autoencoder_judge(ctx, m, (sf_cmat){x, ROWS, DIM, DIM}, &r,
                                       kl, variance, &o));
    assert_int_equal(r.rows, ROWS);
    assert_int_equal(r.latent, LATENT);
    assert_int_equal(r.active, LATENT);
    /* By 400 draws of each of 64 rows; the variance over draws is about K/2. */
    CHECK_NEAR(r.elbo, r.logpdf, 5.0 / sqrt(400.0 * ROWS));
    CHECK(r.worst_se == 0.0);
    CHECK_NEAR(r.gap, 0.0, 1e-3);
    CHECK_NEAR(r.noise, 0.5, 1e-7);
    for (int k = 0; k < LATENT; k++) {
        double square = 0.25, mean = 0.0, of_k = 0.0, spread = 0.0, s;
        double code[ROWS * LATENT];
        for (int j = 0; j < DIM; j++)
            square += loadings[j * LATENT + k] * loadings[j * LATENT + k];
        s = 0.5 / sqrt(square);
        CHECK_OK(ctx, sf_model_code(m, (sf_cmat){x, ROWS, DIM, DIM},
                                    (sf_mat){code, ROWS, LATENT, LATENT}));
        for (int i = 0; i < ROWS; i++)
            mean += code[i * LATENT + k] / ROWS;
        for (int i = 0; i < ROWS; i++) {
            const double z = code[i * LATENT + k];
            of_k += 0.5 * (z * z + s * s - 1.0 - 2.0 * log(s)) / ROWS;
            spread += (z - mean) * (z - mean) / ROWS;
        }
        CHECK_NEAR(kl[k], of_k, 1e-6);
        CHECK_NEAR(variance[k], spread, 1e-6);
    }
    /* Rows are of the model: their codes are like draws of the prior. */
    CHECK(r.aggregate_kl > 0.0 && r.aggregate_kl < 0.2);
    /* Of x - f(m): what the posterior's mean shrinks, and the noise. */
    CHECK(r.rms > 0.3 && r.rms < 0.6);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* An encoder that says 0 of the first latent variable does not use it, and lacks what it
 * would know. */
TEST(what_is_not_used_is_seen)
{
    double x[ROWS * DIM];
    sf_context *ctx = new_context();
    sf_model *m = linear(ctx);
    draw(m, x);
    double *encoder = m->weights + m->layout[2].offset;
    double *bias = m->weights + m->layout[3].offset;
    for (int j = 0; j < DIM; j++)
        encoder[j] = 0.0;
    bias[0] = bias[LATENT] = 0.0;
    sf_autoencoder_report r = SF_AUTOENCODER_REPORT_INIT;
    double kl[LATENT];
    CHECK_OK(ctx, sf_autoencoder_judge(ctx, m, (sf_cmat){x, ROWS, DIM, DIM}, &r,
                                       kl, NULL, NULL));
    assert_int_equal(r.active, LATENT - 1);
    CHECK_NEAR(kl[0], 0.0, 1e-12);
    CHECK(r.gap > 1.0);
    CHECK_NEAR(r.gap, r.logpdf - r.elbo, 0.2);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Of a linear decoder the score is exact; of the same one that is not known to be
 * linear, it is a mean over draws. */
TEST(scores_are_those_of_the_model)
{
    double x[ROWS * DIM], score[ROWS * DIM], known[ROWS * DIM];
    static const double middle[DIM] = {1.0, 0.0, -1.0, 0.5};
    static const double even[DIM] = {0.5, 0.5, 0.5, 0.5};
    sf_context *ctx = new_context();
    sf_model *m = linear(ctx), *pca = NULL;
    sf_decoder *exact = NULL, *drawn = NULL;
    draw(m, x);
    CHECK_OK(ctx, sf_low_rank_new(ctx, &pca, true, DIM, NULL, LATENT, middle,
                                  loadings, even));
    const sf_cmat rows = {x, ROWS, DIM, DIM};
    const sf_model_values of_model = {.score = {known, ROWS, DIM, DIM}};
    CHECK_OK(ctx, sf_model_eval(pca, rows, 0.0, &of_model));
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    v.data_score = (sf_mat){score, ROWS, DIM, DIM};
    CHECK_OK(ctx, sf_decoder_from_model(ctx, &exact, pca));
    CHECK_OK(ctx, sf_latent_infer(ctx, exact, rows, &v, NULL, NULL));
    for (int i = 0; i < ROWS * DIM; i++)
        CHECK_NEAR(score[i], known[i], 1e-9 * (1.0 + fabs(known[i])));
    sf_decoder_options o = SF_DECODER_OPTIONS_INIT;
    o.log_sigma = "log(0.5) + 0*z0";
    CHECK_OK(ctx, sf_decoder_new(ctx, &drawn,
                                 "1 + 2*z0 + 0.5*z1; z1 + 0*sin(z0); "
                                 "z1 - z0 - 1; 0.5*z1 + 0.5",
                                 LATENT, &o));
    sf_latent_options how = SF_LATENT_OPTIONS_INIT;
    how.samples = 4000;
    CHECK_OK(ctx, sf_latent_infer(ctx, drawn, rows, &v, NULL, &how));
    /* Scores given z vary by |W| s/sigma^2, at most 2; over 4000 draws of like weights
     * 0.03 is left of that. */
    for (int i = 0; i < ROWS * DIM; i++)
        CHECK_NEAR(score[i], known[i], 0.15);
    sf_decoder_free(drawn);
    sf_decoder_free(exact);
    sf_model_free(pca);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(any_number_of_threads_gives_the_same)
{
    double x[ROWS * DIM];
    sf_autoencoder_report r[2] = {SF_AUTOENCODER_REPORT_INIT,
                                  SF_AUTOENCODER_REPORT_INIT};
    for (int t = 0; t < 2; t++) {
        sf_context *ctx = new_context();
        sf_context_set_threads(ctx, t == 0 ? 1 : 7);
        sf_model *m = new_vae(ctx, DIM, 1);
        sfi_autoencoder_begin(m, (double[DIM]){0}, loadings, 0.5, 3);
        double *bent = m->weights + m->layout[3].offset; /* output.weight */
        for (int64_t i = 0; i < m->layout[3].count; i++)
            bent[i] = 0.3 * sin((double)i);
        draw(m, x);
        CHECK_OK(ctx, sf_autoencoder_judge(ctx, m, (sf_cmat){x, ROWS, DIM, DIM},
                                           &r[t], NULL, NULL, NULL));
        sf_model_free(m);
        sf_context_free(ctx);
    }
    CHECK(r[0].elbo == r[1].elbo && r[0].logpdf == r[1].logpdf &&
          r[0].gap == r[1].gap && r[0].aggregate_kl == r[1].aggregate_kl);
    /* A bound is below what it bounds. */
    CHECK(r[0].elbo < r[0].logpdf + 0.1);
}

TEST(what_is_wrong_is_said)
{
    double x[ROWS * DIM] = {0};
    static const double one[] = {1.0};
    sf_context *ctx = new_context();
    sf_model *m = linear(ctx), *other = NULL;
    sf_autoencoder_report r = SF_AUTOENCODER_REPORT_INIT;
    sf_autoencoder_options o = SF_AUTOENCODER_OPTIONS_INIT;
    CHECK_OK(ctx, sf_gaussian_new(ctx, &other, 1, NULL, one, one));
    CHECK_FAILS(ctx,
                sf_autoencoder_judge(ctx, other, (sf_cmat){x, 4, 1, 1}, &r,
                                     NULL, NULL, NULL),
                SF_E_UNSUPPORTED, "family gaussian, want vae");
    CHECK_FAILS(ctx,
                sf_autoencoder_judge(ctx, m, (sf_cmat){x, 1, DIM, DIM}, &r,
                                     NULL, NULL, NULL),
                SF_E_ARG, "1 rows, want >= 2");
    CHECK_FAILS(ctx,
                sf_autoencoder_judge(ctx, m, (sf_cmat){x, 4, 3, 3}, &r, NULL,
                                     NULL, NULL),
                SF_E_SHAPE, "3 columns, the model 4");
    o.draws = 1;
    CHECK_FAILS(ctx,
                sf_autoencoder_judge(ctx, m, (sf_cmat){x, 4, DIM, DIM}, &r,
                                     NULL, NULL, &o),
                SF_E_ARG, "draws is 1");
    o.draws = 16;
    o.samples = 1;
    CHECK_FAILS(ctx,
                sf_autoencoder_judge(ctx, m, (sf_cmat){x, 4, DIM, DIM}, &r,
                                     NULL, NULL, &o),
                SF_E_ARG, "samples is 1");
    x[5] = NAN;
    CHECK_FAILS(ctx,
                sf_autoencoder_judge(ctx, m, (sf_cmat){x, 4, DIM, DIM}, &r,
                                     NULL, NULL, NULL),
                SF_E_NUMERIC, "");
    sf_model_free(other);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    double x[6 * DIM];
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_model *m = linear(ctx);
    for (int i = 0; i < 6 * DIM; i++)
        x[i] = sin((double)i);
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status)) {
        sf_autoencoder_report r = SF_AUTOENCODER_REPORT_INIT;
        status = sf_autoencoder_judge(ctx, m, (sf_cmat){x, 6, DIM, DIM}, &r,
                                      NULL, NULL, NULL);
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

TESTS(CASE(weights_are_the_known_ones), CASE(a_linear_one_has_no_gap),
      CASE(what_is_not_used_is_seen), CASE(scores_are_those_of_the_model),
      CASE(any_number_of_threads_gives_the_same), CASE(what_is_wrong_is_said),
      CASE(every_allocation_may_fail))
