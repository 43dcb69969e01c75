/* SPDX-License-Identifier: Apache-2.0 */
/* Training of autoencoders: of linear networks it stays at principal components, of others
 * it gains on them or gives them back. */
#include "base/random.h"
#include "check.h"
#include "model/model.h"
#include "scorefield/autoencoder.h"
#include "scorefield/fit.h"
#include "scorefield/flow.h"
#include "scorefield/low_rank.h"

#include <math.h>
#include <string.h>

enum { ROWS = 400, DIM = 4, CELLS = ROWS * DIM };

/* Two factors and noise of 0.3; bent: on a parabola. */
static void make_rows(uint64_t seed, bool bent, double *x)
{
    for (int i = 0; i < ROWS; i++) {
        const sfi_where w = {seed, (uint64_t)i, 0, SFI_STREAM_USER};
        const double f = sfi_normal_at(w, 0), g = sfi_normal_at(w, 1);
        const double row[DIM] = {3.0 * f + g, bent ? f * f : g - f, 2.0 * g - f,
                                 5.0 + (bent ? f * f : f)};
        for (int j = 0; j < DIM; j++)
            x[i * DIM + j] = row[j] + 0.3 * sfi_normal_at(w, 2 + (uint32_t)j);
    }
}

static sf_network_options usual(void)
{
    sf_network_options o = SF_VAE_OPTIONS_INIT;
    o.width = 16;
    o.steps = 400;
    o.batch = 64;
    return o;
}

static double mean_logpdf(sf_context *ctx, const sf_model *m, sf_cmat x)
{
    static double each[ROWS];
    sf_decoder *d = NULL;
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    double sum = 0.0;
    v.logpdf = (sf_mat){each, x.rows, 1, 1};
    CHECK_OK(ctx, sf_decoder_from_model(ctx, &d, m));
    CHECK_OK(ctx, sf_latent_infer(ctx, d, x, &v, NULL, NULL));
    for (int64_t i = 0; i < x.rows; i++)
        sum += each[i] / (double)x.rows;
    sf_decoder_free(d);
    return sum;
}

/* The directions u and v of a decoder, by its codes 0, e_1, e_2, made orthonormal. */
static void span_of(const sf_model *m, double basis[2][DIM])
{
    static const double z[] = {0.0, 0.0, 1.0, 0.0, 0.0, 1.0};
    double x[3 * DIM];
    CHECK_OK(m->ctx, sf_model_decode(m, (sf_cmat){z, 3, 2, 2},
                                     (sf_mat){x, 3, DIM, DIM}));
    for (int k = 0; k < 2; k++) {
        double along = 0.0, square = 0.0;
        for (int j = 0; j < DIM; j++)
            basis[k][j] = x[(k + 1) * DIM + j] - x[j];
        for (int j = 0; j < DIM && k == 1; j++)
            along += basis[1][j] * basis[0][j];
        for (int j = 0; j < DIM; j++) {
            basis[k][j] -= along * (k == 1 ? basis[0][j] : 0.0);
            square += basis[k][j] * basis[k][j];
        }
        for (int j = 0; j < DIM; j++)
            basis[k][j] /= sqrt(square);
    }
}

/* Subspace within one degree, density of rows that were not seen within 0.01 nats a
 * column. */
TEST(linear_networks_are_principal_components)
{
    static double x[CELLS], other[CELLS];
    sf_context *ctx = new_context();
    sf_network_options o = usual();
    sf_low_rank_options of_pca = SF_LOW_RANK_OPTIONS_INIT;
    sf_model *vae = NULL, *pca = NULL;
    make_rows(1, false, x);
    make_rows(2, false, other);
    o.layers = 0;
    o.validation = 0.0;
    of_pca.latent = 2;
    const sf_cmat rows = {x, ROWS, DIM, DIM}, fresh = {other, ROWS, DIM, DIM};
    CHECK_OK(ctx, sf_fit_network(ctx, &vae, rows, NULL, &o, NULL));
    assert_string_equal(sf_model_family(vae), "vae");
    CHECK_OK(ctx, sf_fit_pca(ctx, &pca, rows, NULL, &of_pca, NULL));
    double a[2][DIM], b[2][DIM];
    span_of(vae, a);
    span_of(pca, b);
    /* The cosine of the largest angle is the least singular value of a b'. */
    double c[2][2] = {{0}};
    for (int k = 0; k < 2; k++)
        for (int l = 0; l < 2; l++)
            for (int j = 0; j < DIM; j++)
                c[k][l] += a[k][j] * b[l][j];
    const double square = c[0][0] * c[0][0] + c[0][1] * c[0][1] +
                          c[1][0] * c[1][0] + c[1][1] * c[1][1];
    const double det = c[0][0] * c[1][1] - c[0][1] * c[1][0];
    const double least =
        0.5 * (square - sqrt(fmax(0.0, square * square - 4.0 * det * det)));
    CHECK(sqrt(least) > cos(3.14159265358979 / 180.0));
    CHECK_NEAR(mean_logpdf(ctx, vae, fresh), mean_logpdf(ctx, pca, fresh),
               0.01 * DIM);
    sf_model_free(pca);
    sf_model_free(vae);
    sf_context_free(ctx);
}

/* A parabola has one latent dimension that no plane of one has. */
TEST(a_bent_manifold_is_learned)
{
    static double x[CELLS], other[CELLS];
    sf_context *ctx = new_context();
    sf_network_options o = usual();
    sf_low_rank_options of_pca = SF_LOW_RANK_OPTIONS_INIT;
    sf_fit_report report;
    sf_model *vae = NULL, *pca = NULL;
    make_rows(1, true, x);
    make_rows(2, true, other);
    of_pca.latent = 2;
    const sf_cmat rows = {x, ROWS, DIM, DIM}, fresh = {other, ROWS, DIM, DIM};
    CHECK_OK(ctx, sf_fit_network(ctx, &vae, rows, NULL, &o, &report));
    assert_string_equal(sf_model_family(vae), "vae");
    CHECK(report.best_step > 0);
    CHECK_OK(ctx, sf_fit_pca(ctx, &pca, rows, NULL, &of_pca, NULL));
    CHECK(mean_logpdf(ctx, vae, fresh) > mean_logpdf(ctx, pca, fresh) + 0.5);
    sf_autoencoder_report r = SF_AUTOENCODER_REPORT_INIT;
    CHECK_OK(ctx, sf_autoencoder_judge(ctx, vae, fresh, &r, NULL, NULL, NULL));
    assert_int_equal(r.active, 2);
    CHECK(r.elbo < r.logpdf + 5.0 * r.elbo_se);
    sf_model_free(pca);
    sf_model_free(vae);
    sf_context_free(ctx);
}

/* Steps that are too large only lose: then the principal components are what is given,
 * those of the training rows, and the best step is the first. */
static void check_what_is_never_better(bool no_encoder)
{
    static double x[CELLS];
    static int64_t index[ROWS];
    static double training[CELLS];
    sf_context *ctx = new_context();
    sf_network_options o = usual();
    sf_fit_report report;
    sf_model *m = NULL, *pca = NULL;
    make_rows(1, false, x);
    o.no_encoder = no_encoder;
    o.rate = 0.3;
    o.warmup = 0.0;
    o.steps = 4;
    CHECK_OK(ctx, sf_fit_network(ctx, &m, (sf_cmat){x, ROWS, DIM, DIM}, NULL,
                                 &o, &report));
    assert_string_equal(sf_model_family(m), "pca");
    assert_int_equal(report.best_step, 0);
    const int64_t held = sf_split_rows(o.seed, ROWS, o.validation, index);
    for (int64_t i = held; i < ROWS; i++)
        memcpy(training + (i - held) * DIM, x + index[i] * DIM,
               DIM * sizeof *x);
    sf_low_rank_options of_pca = SF_LOW_RANK_OPTIONS_INIT;
    of_pca.latent = 2;
    const sf_cmat rows = {training, ROWS - held, DIM, DIM};
    CHECK_OK(ctx, sf_fit_pca(ctx, &pca, rows, NULL, &of_pca, NULL));
    CHECK_NEAR(mean_logpdf(ctx, m, rows), mean_logpdf(ctx, pca, rows), 1e-5);
    /* The first judgement is that of the bound, by draws, in scaled columns. */
    double log_scale = 0.0, mean[DIM], sd[DIM], w[2 * DIM], total = 0.0;
    CHECK_OK(ctx, sf_low_rank_parts(pca, mean, w, sd));
    for (int j = 0; j < DIM; j++) {
        double square = 0.0;
        for (int64_t i = 0; i < rows.rows; i++)
            square += (training[i * DIM + j] - mean[j]) *
                      (training[i * DIM + j] - mean[j]) / (double)rows.rows;
        total += square;
    }
    log_scale = 0.5 * DIM * log(total / DIM);
    double held_rows[CELLS];
    for (int64_t i = 0; i < held; i++)
        memcpy(held_rows + i * DIM, x + index[i] * DIM, DIM * sizeof *x);
    CHECK_NEAR(-report.best_loss - log_scale,
               mean_logpdf(ctx, pca, (sf_cmat){held_rows, held, DIM, DIM}),
               0.08);
    sf_model_free(pca);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(what_is_never_better_is_principal_components)
{
    check_what_is_never_better(false);
    check_what_is_never_better(true);
}

/* A run that is taken up again, at another number of threads, has the same bits; so the
 * share of the divergence, which rises, is that of the step. */
static void check_that_a_run_goes_on(bool no_encoder)
{
    static double x[CELLS];
    sf_context *ctx = new_context();
    sf_network_options o = usual();
    sf_trainer *whole = NULL, *first = NULL, *second = NULL;
    sf_model *a = NULL, *b = NULL;
    bool finished = false;
    make_rows(1, true, x);
    o.kl_warmup = no_encoder ? 0.0 : 0.5;
    o.diagonal = true;
    o.one_scale = false;
    o.no_encoder = no_encoder;
    o.steps = 60;
    const sf_cmat rows = {x, ROWS, DIM, DIM};
    CHECK_OK(ctx, sf_trainer_new(ctx, &whole, rows, NULL, &o));
    CHECK_OK(ctx, sf_trainer_run(whole, 0, &finished));
    CHECK_OK(ctx, sf_trainer_new(ctx, &first, rows, NULL, &o));
    CHECK_OK(ctx, sf_trainer_run(first, 20, &finished));
    CHECK(!finished);
    const size_t size = sf_trainer_state_size(first);
    void *state = malloc(size);
    sf_trainer_state(first, state);
    sf_context_set_threads(ctx, 3);
    CHECK_OK(ctx, sf_trainer_new(ctx, &second, rows, NULL, &o));
    CHECK_OK(ctx, sf_trainer_restore(second, state, size));
    CHECK_OK(ctx, sf_trainer_run(second, 0, &finished));
    CHECK(finished);
    CHECK_OK(ctx, sf_trainer_model(whole, &a));
    CHECK_OK(ctx, sf_trainer_model(second, &b));
    assert_int_equal(a->weight_count, b->weight_count);
    assert_memory_equal(a->weights, b->weights,
                        (size_t)a->weight_count * sizeof *a->weights);
    free(state);
    sf_model_free(a);
    sf_model_free(b);
    sf_trainer_free(whole);
    sf_trainer_free(first);
    sf_trainer_free(second);
    sf_context_free(ctx);
}

/* Without an encoder the weights that the rows were inferred by are kept. */
TEST(a_run_goes_on_with_the_same_bits)
{
    check_that_a_run_goes_on(false);
    check_that_a_run_goes_on(true);
}

/* Of linear networks inferred posteriors are exact: the bound is ln p(x) itself, and
 * training stays at the principal components.  A bound by 16 draws a row has the standard
 * error of E_q of a quadratic form with K degrees, sqrt(K/2/16/n) = 0.013. */
TEST(inferred_posteriors_of_linear_networks_are_exact)
{
    static double x[CELLS];
    sf_context *ctx = new_context();
    sf_network_options o = usual();
    sf_model *m = NULL;
    sf_autoencoder_report r = SF_AUTOENCODER_REPORT_INIT;
    sf_low_rank_options of_pca = SF_LOW_RANK_OPTIONS_INIT;
    sf_model *pca = NULL;
    make_rows(1, false, x);
    o.layers = 0;
    o.validation = 0.0;
    o.no_encoder = true;
    of_pca.latent = 2;
    const sf_cmat rows = {x, ROWS, DIM, DIM};
    CHECK_OK(ctx, sf_fit_network(ctx, &m, rows, NULL, &o, NULL));
    CHECK_OK(ctx, sf_fit_pca(ctx, &pca, rows, NULL, &of_pca, NULL));
    CHECK_OK(ctx, sf_autoencoder_judge(ctx, m, rows, &r, NULL, NULL, NULL));
    CHECK_NEAR(r.elbo, r.logpdf, 5 * 0.013);
    CHECK_NEAR(r.gap, 0.0, 1e-12);
    assert_int_equal(r.active, 2);
    CHECK_NEAR(r.logpdf, mean_logpdf(ctx, pca, rows), 0.01 * DIM);
    /* The codes of rows are those of the prior: its covariance is I, exactly so at the
     * optimum of principal components. */
    CHECK_NEAR(r.aggregate_kl, 0.0, 0.01);
    sf_model_free(pca);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* On a parabola the bound gains on that of an encoder, or is as good; its own gap is 0. */
TEST(without_an_encoder_there_is_no_gap)
{
    static double x[CELLS], other[CELLS], z[ROWS * DIM];
    sf_context *ctx = new_context();
    sf_network_options o = usual();
    sf_model *with = NULL, *without = NULL;
    sf_autoencoder_report a = SF_AUTOENCODER_REPORT_INIT, b = a;
    make_rows(1, true, x);
    make_rows(2, true, other);
    const sf_cmat rows = {x, ROWS, DIM, DIM}, fresh = {other, ROWS, DIM, DIM};
    CHECK_OK(ctx, sf_fit_network(ctx, &with, rows, NULL, &o, NULL));
    o.no_encoder = true;
    CHECK_OK(ctx, sf_fit_network(ctx, &without, rows, NULL, &o, NULL));
    assert_string_equal(sf_model_family(without), "vae");
    CHECK(!sf_model_can(without, SF_CAN_CODE));
    CHECK_OK(ctx, sf_autoencoder_judge(ctx, with, fresh, &a, NULL, NULL, NULL));
    CHECK_OK(ctx,
             sf_autoencoder_judge(ctx, without, fresh, &b, NULL, NULL, NULL));
    CHECK(b.elbo > a.elbo - 0.05);
    CHECK_NEAR(b.gap, 0.0, 1e-12);
    /* Both keep the codes of their rows, and draws of these have the means of the rows to
     * five standard errors, sd/20. */
    sf_sample_options s = SF_SAMPLE_OPTIONS_INIT;
    s.latent_fitted = true;
    for (int k = 0; k < 2; k++) {
        const sf_model *m = k == 0 ? with : without;
        CHECK_OK(ctx, sf_sample(m, (sf_mat){z, ROWS, DIM, DIM}, &s));
        for (int j = 0; j < DIM; j++) {
            double drawn = 0.0, mean = 0.0, square = 0.0;
            for (int i = 0; i < ROWS; i++) {
                drawn += z[i * DIM + j] / ROWS;
                mean += x[i * DIM + j] / ROWS;
                square += x[i * DIM + j] * x[i * DIM + j] / ROWS;
            }
            CHECK_NEAR(drawn, mean, 0.25 * sqrt(square - mean * mean));
        }
    }
    sf_model_free(with);
    sf_model_free(without);
    sf_context_free(ctx);
}

/* With one scale a constant column is one more number to decode; with its own it has none.
 */
TEST(what_is_wrong_is_said)
{
    static double x[CELLS];
    sf_context *ctx = new_context();
    sf_network_options o = usual();
    sf_model *m = NULL;
    make_rows(1, false, x);
    for (int i = 0; i < ROWS; i++)
        x[i * DIM + 1] = 7.0;
    const sf_cmat rows = {x, ROWS, DIM, DIM};
    o.steps = 5;
    CHECK_OK(ctx, sf_fit_network(ctx, &m, rows, NULL, &o, NULL));
    sf_model_free(m);
    o.one_scale = false;
    CHECK_FAILS(ctx, sf_fit_network(ctx, &m, rows, NULL, &o, NULL),
                SF_E_NUMERIC, "column \"c1\" is constant");
    o = usual();
    o.latent = DIM;
    CHECK_FAILS(ctx, sf_fit_network(ctx, &m, rows, NULL, &o, NULL), SF_E_ARG,
                "4 latent variables of 4 columns");
    o.latent = 33;
    CHECK_FAILS(ctx, sf_fit_network(ctx, &m, rows, NULL, &o, NULL), SF_E_ARG,
                "latent");
    o = usual();
    o.energy = true;
    CHECK_FAILS(ctx, sf_fit_network(ctx, &m, rows, NULL, &o, NULL), SF_E_ARG,
                "an autoencoder has no energy");
    o = (sf_network_options)SF_NETWORK_OPTIONS_INIT;
    o.layers = 0;
    CHECK_FAILS(ctx, sf_fit_network(ctx, &m, rows, NULL, &o, NULL), SF_E_ARG,
                "layers is 0");
    o = usual();
    o.no_encoder = true;
    o.kl_warmup = 0.3;
    CHECK_FAILS(ctx, sf_fit_network(ctx, &m, rows, NULL, &o, NULL), SF_E_ARG,
                "kl_warmup is of an encoder");
    enum { MANY = 10001 };
    static double many[MANY * DIM];
    o.kl_warmup = 0.0;
    for (int i = 0; i < MANY * DIM; i++)
        many[i] = sin((double)i);
    CHECK_FAILS(ctx,
                sf_fit_network(ctx, &m, (sf_cmat){many, MANY, DIM, DIM}, NULL,
                               &o, NULL),
                SF_E_ARG, "10001 rows, want at most 10000");
    sf_context_free(ctx);
}

TESTS(CASE(linear_networks_are_principal_components),
      CASE(a_bent_manifold_is_learned),
      CASE(what_is_never_better_is_principal_components),
      CASE(a_run_goes_on_with_the_same_bits),
      CASE(inferred_posteriors_of_linear_networks_are_exact),
      CASE(without_an_encoder_there_is_no_gap), CASE(what_is_wrong_is_said))
