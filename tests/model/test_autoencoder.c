/* SPDX-License-Identifier: Apache-2.0 */
/* The bound of an autoencoder against numbers worked out with 40 digits, and against the
 * likelihood of the principal components that it begins as.
 *
 * Of linear networks the bound is quadratic in the draw n, so that its mean over N(0, I) is
 * that over the points n = +-sqrt(K) e_k: no draws are needed. */
#include "base/random.h"
#include "faults.h"
#include "fit/autoencoder_start.h"
#include "model/autoencoder.h"
#include "scorefield/low_rank.h"
#include "typed.h"

enum { MOST_WEIGHTS = 32 };

static sf_model *new_vae(sf_context *ctx, int64_t dim, int64_t latent,
                         int64_t layers, bool diagonal)
{
    sf_model *m = NULL;
    sfi_number numbers[SFI_MAX_NUMBERS];
    const sfi_autoencoder_shape s = {.latent = latent,
                                     .width = 5,
                                     .layers = layers,
                                     .diagonal = diagonal,
                                     .one_scale = true};
    const int count = sfi_autoencoder_numbers(numbers, &s);
    CHECK_OK(ctx, sfi_model_new(ctx, &m, &sfi_vae_ops, dim, NULL, NULL, count,
                                numbers));
    return m;
}

static double *weight(const sf_model *m, const char *name)
{
    for (size_t k = 0; k < m->layout_count; k++)
        if (strcmp(m->layout[k].name, name) == 0)
            return m->weights + m->layout[k].offset;
    assert_true(false);
    return NULL;
}

/* The mean loss of y over the points n. */
static double mean_loss(const sf_model *m, const double *y, double share)
{
    sf_context *ctx = m->ctx;
    sf_graph *g = NULL;
    sf_program *program = NULL;
    sf_node w[MOST_WEIGHTS];
    const void *params[MOST_WEIGHTS];
    const int64_t latent = sf_model_latents(m);
    double n[64] = {0.0}, loss[16], sum = 0.0;
    CHECK(m->layout_count <= MOST_WEIGHTS && 2 * latent * latent <= 64);
    for (int64_t k = 0; k < latent; k++) {
        n[2 * k * latent + k] = sqrt((double)latent);
        n[(2 * k + 1) * latent + k] = -sqrt((double)latent);
    }
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    CHECK_OK(ctx, sfi_weight_nodes(m, g, w));
    const sf_node at = sf_input(g, "y", 1, &m->dim);
    const sf_node draw = sf_input(g, "n", 1, &latent);
    const sf_output output = {
        sfi_autoencoder_loss(m, g, at, draw, sf_const(g, share), w), SF_EACH};
    CHECK_OK(ctx, sf_program_new(ctx, &program, g, SF_F64, 1, &output));
    for (size_t k = 0; k < m->layout_count; k++)
        params[k] = m->weights + m->layout[k].offset;
    const sf_source sources[] = {
        {.data = y, .dtype = SF_F64},
        {.data = n, .dtype = SF_F64, .stride = latent}};
    const sf_sink sink = {loss, SF_F64, 1};
    CHECK_OK(ctx, sf_program_run(program, 2 * latent, sources, params, &sink));
    for (int64_t i = 0; i < 2 * latent; i++)
        sum += loss[i] / (double)(2 * latent);
    sf_program_free(program);
    sf_graph_free(g);
    return sum;
}

/* x of W z with noise of variance 0.25, and q = N((0.3, 0.1), diag(0.4, 0.6)^2). */
static sf_model *known_model(sf_context *ctx, bool diagonal)
{
    static const double w[] = {1.5, 0.5, -0.2, 1.0, 1.0, 1.0};
    sf_model *m = new_vae(ctx, 3, 2, 0, diagonal);
    const double encoder[] = {0.3, 0.1, log(0.4), log(0.6)};
    memcpy(weight(m, "decoder.linear"), w, sizeof w);
    memcpy(weight(m, "encoder.output.bias"), encoder, sizeof encoder);
    for (int j = 0; j < (diagonal ? 3 : 1); j++)
        weight(m, "noise.log_sd")[j] = log(0.5);
    return m;
}

TEST(the_bound_is_the_known_one)
{
    static const double x[] = {0.5, -0.2, 1.1};
    sf_context *ctx = new_context();
    for (int diagonal = 0; diagonal < 2; diagonal++) {
        sf_model *m = known_model(ctx, diagonal);
        CHECK_NEAR(mean_loss(m, x, 1.0), 5.182490413574328, 1e-12);
        CHECK_NEAR(mean_loss(m, x, 0.0), 4.445374057934183, 1e-12);
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

enum { ROWS = 60, DIM = 5, LATENT = 2 };

/* Rows of three factors of different sizes, and noise. */
static void make_rows(float *y)
{
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < DIM; j++) {
            const sfi_where w = {4, (uint64_t)i, 0, SFI_STREAM_USER};
            const double f = sfi_normal_at(w, 0), g = sfi_normal_at(w, 1);
            y[i * DIM + j] = (float)((1.0 + j) * f + (2.0 - j) * g +
                                     0.4 * sfi_normal_at(w, 4 + (uint32_t)j));
        }
}

/* Its encoder begins as the posterior, whose covariance is diagonal, so the bound is the
 * likelihood; both networks are there, and silent. */
TEST(it_begins_as_principal_components)
{
    float y[ROWS * DIM];
    double exact[ROWS * DIM], logpdf[ROWS];
    sf_context *ctx = new_context();
    make_rows(y);
    for (int layers = 0; layers <= 2; layers++) {
        sf_model *m = new_vae(ctx, DIM, LATENT, layers, layers == 1);
        sf_model *pca = NULL;
        CHECK_OK(ctx, sfi_autoencoder_start(m, y, ROWS, 7, &pca));
        for (int i = 0; i < ROWS * DIM; i++)
            exact[i] = (double)y[i];
        const sf_cmat x = {exact, ROWS, DIM, DIM};
        const sf_model_values v = {.logpdf = {logpdf, ROWS, 1, 1}};
        CHECK_OK(ctx, sf_model_eval(pca, x, 0.0, &v));
        for (int i = 0; i < ROWS; i++)
            CHECK_NEAR(-mean_loss(m, exact + i * DIM, 1.0), logpdf[i],
                       1e-4 * (1.0 + fabs(logpdf[i])));
        double code[ROWS * LATENT], known[ROWS * LATENT];
        CHECK_OK(ctx,
                 sf_model_code(m, x, (sf_mat){code, ROWS, LATENT, LATENT}));
        CHECK_OK(ctx,
                 sf_model_code(pca, x, (sf_mat){known, ROWS, LATENT, LATENT}));
        for (int i = 0; i < ROWS * LATENT; i++)
            CHECK_NEAR(code[i], known[i], 1e-4);
        sf_model_free(pca);
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

/* What a file could hold, and what follows of the noise's floor. */
TEST(noise_has_a_floor_and_bounds)
{
    sf_context *ctx = new_context();
    sf_model *m = known_model(ctx, true);
    double sd[3];
    weight(m, "noise.log_sd")[1] = -20.0;
    m->ops->spread(m, sd);
    CHECK_NEAR(sd[0], 0.5, 1e-15);
    CHECK_NEAR(sd[1], 1e-3, 1e-15);
    CHECK_OK(ctx, m->ops->check(m));
    weight(m, "noise.log_sd")[2] = 41.0;
    CHECK_FAILS(ctx, m->ops->check(m), SF_E_FORMAT,
                "element 2 of \"noise.log_sd\" is 41");
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(what_it_can_answer)
{
    sf_context *ctx = new_context();
    sf_model *m = known_model(ctx, false);
    CHECK(sf_model_can(m, SF_CAN_CODE) && sf_model_can(m, SF_CAN_DRAW));
    CHECK(sf_model_can(m, SF_CAN_DECODE) && sf_model_can(m, SF_CAN_NORMALISED));
    static const sf_ability not [] = {
        SF_CAN_SCORE, SF_CAN_NOISE,     SF_CAN_FLOW,     SF_CAN_LOGPDF,
        SF_CAN_ROWS,  SF_CAN_PRINCIPAL, SF_CAN_CONDITION};
    for (size_t k = 0; k < sizeof not / sizeof *not ; k++)
        CHECK(!sf_model_can(m, not [k]));
    double x[3] = {0}, out[3];
    const sf_model_values v = {.score = {out, 1, 3, 3}};
    CHECK_FAILS(ctx, sf_model_eval(m, (sf_cmat){x, 1, 3, 3}, 0.0, &v),
                SF_E_UNSUPPORTED, "an integral over these");
    sf_model_free(m);
    sfi_number numbers[SFI_MAX_NUMBERS];
    const sfi_autoencoder_shape many = {
        .latent = 3, .width = 5, .layers = 1, .one_scale = true};
    const int count = sfi_autoencoder_numbers(numbers, &many);
    CHECK_FAILS(
        ctx,
        sfi_model_new(ctx, &m, &sfi_vae_ops, 3, NULL, NULL, count, numbers),
        SF_E_FORMAT, "\"latent\"");
    sf_context_free(ctx);
}

/* Draws have the mean f(0) and the covariance W W' + noise of a linear decoder. */
TEST(draws_have_its_moments)
{
    enum { DRAWS = 20000 };
    static const double want[] = {2.75, 0.2, 2.0, 0.2, 1.29,
                                  0.8,  2.0, 0.8, 2.25};
    sf_context *ctx = new_context();
    sf_model *m = known_model(ctx, false);
    static double x[DRAWS * 3];
    CHECK_OK(ctx, sfi_draw_decoded(m, 5, 0, true, (sf_mat){x, DRAWS, 3, 3}));
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) {
            double sum = 0.0;
            for (int i = 0; i < DRAWS; i++)
                sum += x[3 * i + a] * x[3 * i + b] / DRAWS;
            const double spread = sqrt((want[4 * a] * want[4 * b] +
                                        want[3 * a + b] * want[3 * a + b]) /
                                       DRAWS);
            CHECK_NEAR(sum, want[3 * a + b], 5.0 * spread);
        }
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    float y[ROWS * DIM];
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_model *m = new_vae(ctx, DIM, LATENT, 1, false);
    sf_status status = SF_E_NOMEM;
    make_rows(y);
    while (NEXT_FAULT(&faults, status)) {
        sf_model *pca = NULL;
        status = sfi_autoencoder_start(m, y, ROWS, 7, &pca);
        sf_model_free(pca);
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

TESTS(CASE(the_bound_is_the_known_one), CASE(it_begins_as_principal_components),
      CASE(noise_has_a_floor_and_bounds), CASE(what_it_can_answer),
      CASE(draws_have_its_moments), CASE(every_allocation_may_fail))
