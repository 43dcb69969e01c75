/* SPDX-License-Identifier: Apache-2.0 */
/* Principal manifolds: the loss of known linear maps, the scale of latent variables, and
 * what training finds on an arc and on a sheet. */
#include "model/manifold.h"
#include "base/random.h"
#include "check.h"
#include "scorefield/decoder.h"
#include "scorefield/fit.h"
#include "scorefield/flow.h"
#include "scorefield/latent.h"

#include <math.h>
#include <string.h>

enum { DIM = 3, LATENT = 2, ROWS = 1000 };

static sf_model *new_manifold(sf_context *ctx, int64_t layers, bool diagonal,
                              double principal)
{
    sf_model *m = NULL;
    sfi_number numbers[SFI_MAX_NUMBERS];
    const sfi_autoencoder_shape s = {.latent = LATENT,
                                     .width = 5,
                                     .layers = layers,
                                     .diagonal = diagonal,
                                     .one_scale = !diagonal};
    const int count = sfi_manifold_numbers(numbers, &s, principal);
    CHECK_OK(ctx, sfi_model_new(ctx, &m, &sfi_manifold_ops, DIM, NULL, NULL,
                                count, numbers));
    for (int64_t i = 0; i < m->weight_count; i++) {
        const sfi_where w = {4, (uint64_t)i, 0, SFI_STREAM_USER};
        m->weights[i] = (float)(0.4 * sfi_normal_at(w, 0));
    }
    return m;
}

static double loss_at(sf_context *ctx, const sf_model *m, const double *y)
{
    sf_graph *g = NULL;
    sf_program *p = NULL;
    sf_node w[32];
    double loss = NAN;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const sf_node in = sf_input(g, "y", 1, &m->dim);
    sfi_weight_constants(m, g, w);
    const sf_output out = {sfi_manifold_loss(m, g, in, w), SF_EACH};
    CHECK_OK(ctx, sf_program_new(ctx, &p, g, SF_F64, 1, &out));
    const sf_source source = {.data = y, .dtype = SF_F64, .stride = DIM};
    const sf_sink sink = {&loss, SF_F64, 1};
    CHECK_OK(ctx, sf_program_run(p, 1, &source, NULL, &sink));
    sf_program_free(p);
    sf_graph_free(g);
    return loss;
}

/* f(z) = W z + b, h(y) = E y + c, of which all is known; M = W' diag(1/s^2) W. */
TEST(the_loss_of_linear_maps)
{
    static const double y[] = {0.7, -0.3, 1.1};
    sf_context *ctx = new_context();
    for (int k = 0; k < 2; k++) {
        const bool diagonal = k == 1;
        sf_model *m = new_manifold(ctx, 0, diagonal, 2.5);
        const double *w = m->weights, *b = w + 6, *e = b + 3, *c = e + 6;
        const double *log_sd = c + 2;
        double z[2], metric[3] = {0}, want = 0.0;
        for (int a = 0; a < 2; a++)
            z[a] = c[a] + e[3 * a] * y[0] + e[3 * a + 1] * y[1] +
                   e[3 * a + 2] * y[2];
        for (int j = 0; j < DIM; j++) {
            const double s = exp(log_sd[diagonal ? j : 0]);
            const double u = w[2 * j] / s, v = w[2 * j + 1] / s;
            const double off = (y[j] - b[j]) / s - u * z[0] - v * z[1];
            want += 0.5 * off * off + log(s) + 0.91893853320467274;
            metric[0] += u * u;
            metric[1] += u * v;
            metric[2] += v * v;
        }
        want -= 0.5 * 2.5 *
                log(1.0 - metric[1] * metric[1] / (metric[0] * metric[2]));
        CHECK_NEAR(loss_at(ctx, m, y), want, 1e-12 * fabs(want));
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

/* z' = (z - mean)/sd, and the same reconstruction, to the rounding of f32 weights. */
TEST(the_scale_of_z_is_absorbed)
{
    static const double mean[] = {0.4, -1.5}, sd[] = {0.3, 2.0};
    static const double x[] = {0.7, -0.3, 1.1, 0.0, 2.0, -1.0};
    sf_context *ctx = new_context();
    for (int64_t layers = 0; layers <= 2; layers++) {
        double z[4], other[4], f[6], g[6];
        sf_model *m = new_manifold(ctx, layers, false, 1.0);
        const sf_cmat rows = {x, 2, DIM, DIM};
        const sf_mat codes = {z, 2, 2, 2}, others = {other, 2, 2, 2};
        CHECK_OK(ctx, sf_model_code(m, rows, codes));
        CHECK_OK(ctx, sf_model_decode(m, sf_mat_const(codes),
                                      (sf_mat){f, 2, DIM, DIM}));
        sfi_manifold_standardise(m, mean, sd);
        CHECK_OK(ctx, sf_model_code(m, rows, others));
        CHECK_OK(ctx, sf_model_decode(m, sf_mat_const(others),
                                      (sf_mat){g, 2, DIM, DIM}));
        for (int i = 0; i < 4; i++)
            CHECK_NEAR(other[i], (z[i] - mean[i % 2]) / sd[i % 2], 2e-6);
        for (int i = 0; i < 6; i++)
            CHECK_NEAR(g[i], f[i], 3e-6);
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

TEST(the_noise_is_what_rows_miss)
{
    static const double squares[] = {0.04, 0.09, 1e-9};
    double sd[DIM];
    sf_context *ctx = new_context();
    sf_model *m = new_manifold(ctx, 0, false, 1.0);
    sfi_manifold_take_noise(m, squares);
    m->ops->spread(m, sd);
    CHECK_NEAR(sd[0], sqrt(0.13), 1e-7);
    sf_model_free(m);
    m = new_manifold(ctx, 0, true, 1.0);
    sfi_manifold_take_noise(m, squares);
    m->ops->spread(m, sd);
    CHECK_NEAR(sd[0], 0.2 * sqrt(3.0), 1e-7);
    CHECK_NEAR(sd[1], 0.3 * sqrt(3.0), 1e-7);
    CHECK_NEAR(sd[2], SFI_AUTOENCODER_FLOOR, 1e-9);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* A bent sheet: u, v and their square and product, skewed. */
static void make_sheet(double *x)
{
    for (int i = 0; i < ROWS; i++) {
        const sfi_where w = {1, (uint64_t)i, 0, SFI_STREAM_USER};
        const double u = 2.0 * sfi_uniform_at(w, 4) - 1.0;
        const double v = 2.0 * sfi_uniform_at(w, 5) - 1.0;
        x[3 * i] = 2.0 * u + 0.8 * v + 0.05 * sfi_normal_at(w, 0);
        x[3 * i + 1] = v + 0.05 * sfi_normal_at(w, 1);
        x[3 * i + 2] = u * u - 0.5 * v * v + u * v + 0.05 * sfi_normal_at(w, 2);
    }
}

/* Mean of Hadamard's information in the units of the columns, and the rms of x - f(h(x)). */
static double survey(sf_context *ctx, const sf_model *m, sf_cmat x, double *rms)
{
    static double z[ROWS * 2], off[ROWS * 3], info[ROWS], contours[ROWS * 2];
    sf_decoder *d = NULL;
    sf_latent_values v = SF_LATENT_VALUES_INIT;
    sf_latent_options o = SF_LATENT_OPTIONS_INIT;
    const int64_t n = x.rows, k = sf_model_latents(m);
    double sum = 0.0, squares = 0.0;
    o.prior = SF_LATENT_NONE;
    v.residual = (sf_mat){off, n, x.cols, x.cols};
    v.information = (sf_mat){info, n, 1, 1};
    v.contours = (sf_mat){contours, n, k, k};
    CHECK_OK(ctx, sf_model_code(m, x, (sf_mat){z, n, k, k}));
    CHECK_OK(ctx, sf_decoder_from_model(ctx, &d, m));
    CHECK_OK(ctx, sf_latent_at(ctx, d, x, (sf_cmat){z, n, k, k}, &v, NULL, &o));
    sf_decoder_free(d);
    for (int64_t i = 0; i < n; i++)
        sum += info[i] / (double)n;
    for (int64_t i = 0; i < n * x.cols; i++)
        squares += off[i] * off[i] / (double)(n * x.cols);
    for (int64_t a = 0; a < k; a++) { /* the scale of z */
        double mean = 0.0, square = 0.0;
        for (int64_t i = 0; i < n; i++) {
            mean += z[i * k + a] / (double)n;
            square += z[i * k + a] * z[i * k + a] / (double)n;
        }
        CHECK_NEAR(mean, 0.0, 1e-4);
        CHECK_NEAR(square, 1.0, 1e-3);
    }
    *rms = sqrt(squares);
    return sum;
}

/* Of noise 0.05 in three columns the two of the tangent plane are fitted away: 0.029. */
TEST(a_sheet_is_found_and_its_coordinates_are_orthogonal)
{
    static double x[3 * ROWS];
    double information[2], rms;
    sf_context *ctx = new_context();
    sf_network_options o = SF_MANIFOLD_OPTIONS_INIT;
    make_sheet(x);
    o.width = 32;
    o.steps = 1500;
    o.validation = 0.0;
    const sf_cmat rows = {x, ROWS, 3, 3};
    for (int k = 0; k < 2; k++) {
        sf_model *m = NULL;
        o.principal = k == 0 ? 0.0 : 1.0;
        CHECK_OK(ctx, sf_fit_network(ctx, &m, rows, NULL, &o, NULL));
        assert_string_equal(sf_model_family(m), "manifold");
        information[k] = survey(ctx, m, rows, &rms);
        CHECK(rms < 0.035);
        double sd[3];
        m->ops->spread(m, sd);
        CHECK_NEAR(sd[0] * m->scale[0], rms * sqrt(3.0), 1e-4 * rms);
        CHECK_NEAR(sd[0] * m->scale[0], 0.05, 0.005);
        sf_model_free(m);
    }
    CHECK(information[1] < 0.002);
    CHECK(information[1] < 0.2 * information[0]);
    sf_context_free(ctx);
}

TEST(it_has_codes_and_no_density)
{
    double x[DIM] = {0.1, 0.2, 0.3};
    sf_context *ctx = new_context();
    sf_model *m = new_manifold(ctx, 1, false, 1.0);
    CHECK(sf_model_can(m, SF_CAN_CODE) && sf_model_can(m, SF_CAN_DECODE));
    CHECK(!sf_model_can(m, SF_CAN_LOGPDF) && !sf_model_can(m, SF_CAN_DRAW) &&
          !sf_model_can(m, SF_CAN_SCORE) &&
          !sf_model_can(m, SF_CAN_NORMALISED));
    CHECK_FAILS(ctx, sf_sample(m, (sf_mat){x, 1, DIM, DIM}, NULL),
                SF_E_UNSUPPORTED, "is a principal manifold");
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(what_is_wrong_is_said)
{
    static double x[12 * 40];
    sf_context *ctx = new_context();
    sf_network_options o = SF_MANIFOLD_OPTIONS_INIT;
    sf_model *m = NULL;
    for (int i = 0; i < 12 * 40; i++)
        x[i] = sin((double)(i * i));
    const sf_cmat rows = {x, 40, 12, 12};
    o.latent = 9;
    CHECK_FAILS(ctx, sf_fit_network(ctx, &m, rows, NULL, &o, NULL), SF_E_ARG,
                "at most 8 of a manifold");
    o.latent = 2;
    o.no_encoder = true;
    CHECK_FAILS(ctx, sf_fit_network(ctx, &m, rows, NULL, &o, NULL), SF_E_ARG,
                "a manifold has an encoder");
    o.no_encoder = false;
    o.energy = true;
    CHECK_FAILS(ctx, sf_fit_network(ctx, &m, rows, NULL, &o, NULL), SF_E_ARG,
                "no energy");
    sf_context_free(ctx);
}

TESTS(CASE(the_loss_of_linear_maps), CASE(the_scale_of_z_is_absorbed),
      CASE(the_noise_is_what_rows_miss),
      CASE(a_sheet_is_found_and_its_coordinates_are_orthogonal),
      CASE(it_has_codes_and_no_density), CASE(what_is_wrong_is_said))
