/* SPDX-License-Identifier: Apache-2.0 */
/* Injective flows: the way back, the loss on the manifold, and an arc that is found. */
#include "model/injective.h"
#include "base/random.h"
#include "check.h"
#include "scorefield/decoder.h"
#include "scorefield/fit.h"
#include "scorefield/flow.h"
#include "scorefield/latent.h"

#include <math.h>
#include <string.h>

static sf_model *new_flow(sf_context *ctx, int64_t d, int64_t latent,
                          double principal)
{
    sf_model *m = NULL;
    sfi_number numbers[SFI_MAX_NUMBERS];
    const sfi_flow_shape s = {.layers = 2,
                              .width = 4,
                              .bins = 4,
                              .principal = principal,
                              .one_scale = true};
    const int count = sfi_injective_numbers(numbers, &s, latent);
    CHECK_OK(ctx, sfi_model_new(ctx, &m, &sfi_injective_ops, d, NULL, NULL,
                                count, numbers));
    CHECK_OK(ctx, sfi_flow_initialise(m, 3));
    for (size_t k = 0; k < m->layout_count; k++)
        for (int64_t i = 0; i < m->layout[k].count && !m->layout[k].fixed;
             i++) {
            const sfi_where w = {4, (uint64_t)i, (uint32_t)k, SFI_STREAM_USER};
            m->weights[m->layout[k].offset + i] +=
                (float)(0.3 * sfi_normal_at(w, 0));
        }
    return m;
}

/* The code of what a code decodes to. */
TEST(codes_come_back)
{
    sf_context *ctx = new_context();
    for (int64_t d = 2; d <= 6; d++) {
        const int64_t k = d / 2;
        double z[3 * 3], x[3 * 6], back[3 * 3];
        sf_model *m = new_flow(ctx, d, k, 1.0);
        assert_int_equal(sf_model_latents(m), k);
        for (int64_t i = 0; i < 3 * k; i++)
            z[i] = sin((double)(i + 1));
        CHECK_OK(ctx, sf_model_decode(m, (sf_cmat){z, 3, k, k},
                                      (sf_mat){x, 3, d, d}));
        CHECK_OK(ctx, sf_model_code(m, (sf_cmat){x, 3, d, d},
                                    (sf_mat){back, 3, k, k}));
        for (int64_t i = 0; i < 3 * k; i++)
            CHECK_NEAR(back[i], z[i], 1e-10);
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

static double loss_at(sf_context *ctx, const sf_model *m, const double *y)
{
    sf_graph *g = NULL;
    sf_program *p = NULL;
    sf_node w[64];
    double loss = NAN;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const sf_node in = sf_input(g, "y", 1, &m->dim);
    sfi_weight_constants(m, g, w);
    const sf_output out = {sfi_injective_loss(m, g, in, w), SF_EACH};
    CHECK_OK(ctx, sf_program_new(ctx, &p, g, SF_F64, 1, &out));
    const sf_source source = {.data = y, .dtype = SF_F64, .stride = m->dim};
    const sf_sink sink = {&loss, SF_F64, 1};
    CHECK_OK(ctx, sf_program_run(p, 1, &source, NULL, &sink));
    sf_program_free(p);
    sf_graph_free(g);
    return loss;
}

/* On the manifold nothing is missed, and J is that of the decoder, here by differences of
 * 1e-5, whose error is some 1e-9: the loss is -ln N(z) + ln det J'J/2 + principal I. */
TEST(the_loss_on_the_manifold_is_that_of_its_density)
{
    enum { D = 3, K = 2 };
    static const double z[K] = {0.4, -0.7};
    const double h = 1e-5;
    sf_context *ctx = new_context();
    for (int twice = 0; twice < 2; twice++) {
        const double alpha = twice ? 2.5 : 1.0;
        double points[5 * K], x[5 * D], m11 = 0.0, m12 = 0.0, m22 = 0.0;
        sf_model *m = new_flow(ctx, D, K, alpha);
        for (int i = 0; i < 5; i++)
            for (int k = 0; k < K; k++)
                points[i * K + k] = z[k] + (i == 1 + 2 * k   ? h
                                            : i == 2 + 2 * k ? -h
                                                             : 0.0);
        CHECK_OK(ctx, sf_model_decode(m, (sf_cmat){points, 5, K, K},
                                      (sf_mat){x, 5, D, D}));
        for (int j = 0; j < D; j++) {
            const double a = (x[D + j] - x[2 * D + j]) / (2.0 * h);
            const double b = (x[3 * D + j] - x[4 * D + j]) / (2.0 * h);
            m11 += a * a;
            m12 += a * b;
            m22 += b * b;
        }
        const double det = m11 * m22 - m12 * m12;
        const double want = 0.5 * (z[0] * z[0] + z[1] * z[1]) +
                            1.8378770664093453 + 0.5 * log(det) +
                            alpha * 0.5 * log(m11 * m22 / det);
        CHECK_NEAR(loss_at(ctx, m, x), want, 1e-7);
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

/* Off it what is missed has the precision 100. */
TEST(what_is_missed_costs)
{
    sf_context *ctx = new_context();
    sf_model *m = new_flow(ctx, 2, 1, 1.0);
    memset(m->weights, 0, (size_t)m->weight_count * sizeof *m->weights);
    for (size_t k = 0; k < m->layout_count; k++) /* the identity */
        if (m->layout[k].fixed)
            m->weights[m->layout[k].offset + 1] = 1.0;
    static const double y[] = {0.5, 0.2};
    CHECK_NEAR(loss_at(ctx, m, y),
               0.5 * 0.25 + 0.91893853320467274 + 50.0 * 0.04, 1e-9);
    sfi_injective_take_noise(m, 0.3);
    double sd[2];
    m->ops->spread(m, sd);
    CHECK_NEAR(sd[1], 0.3, 1e-7);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* An arc of radius 2 and noise 0.1: the manifold is nearer to the rows than their spread, and
 * draws are rows of the same radius. */
TEST(an_arc_is_found)
{
    enum { ROWS = 800 };
    static double x[2 * ROWS];
    sf_context *ctx = new_context();
    sf_network_options o = SF_INJECTIVE_OPTIONS_INIT;
    sf_model *m = NULL;
    double sd[2], radius = 0.0, square = 0.0;
    for (int i = 0; i < ROWS; i++) {
        const sfi_where w = {1, (uint64_t)i, 0, SFI_STREAM_USER};
        const double r = 2.0 + 0.1 * sfi_normal_at(w, 0);
        const double t = 0.8 * sfi_normal_at(w, 1);
        x[2 * i] = r * cos(t);
        x[2 * i + 1] = r * sin(t);
    }
    o.latent = 1;
    o.width = 16;
    o.layers = 4;
    o.steps = 400;
    o.batch = 128;
    o.one_scale = true;
    o.validation = 0.0;
    CHECK_OK(ctx,
             sf_fit_network(ctx, &m, (sf_cmat){x, ROWS, 2, 2}, NULL, &o, NULL));
    assert_string_equal(sf_model_family(m), "injective");
    m->ops->spread(m, sd);
    CHECK_NEAR(sd[0] * m->scale[0], 0.1, 0.04);
    sf_sample_options s = SF_SAMPLE_OPTIONS_INIT;
    CHECK_OK(ctx, sf_sample(m, (sf_mat){x, ROWS, 2, 2}, &s));
    for (int i = 0; i < ROWS; i++) {
        const double r = hypot(x[2 * i], x[2 * i + 1]);
        radius += r / ROWS;
        square += r * r / ROWS;
    }
    CHECK_NEAR(radius, 2.0, 0.05);
    CHECK(sqrt(square - radius * radius) < 0.2);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(what_is_wrong_is_said)
{
    static const double x[8] = {0.0, 1.0, 2.0, 0.0, 1.0, 1.0, 3.0, 2.0};
    sf_context *ctx = new_context();
    sf_network_options o = SF_INJECTIVE_OPTIONS_INIT;
    sf_model *m = NULL;
    CHECK_FAILS(ctx,
                sf_fit_network(ctx, &m, (sf_cmat){x, 4, 2, 2}, NULL, &o, NULL),
                SF_E_ARG, "2 latent variables of 2 columns");
    m = new_flow(ctx, 2, 1, 1.0);
    m->weights[0] = 1e3;
    CHECK_FAILS(ctx, m->ops->check(m), SF_E_FORMAT, "noise.log_sd");
    sf_model_free(m);
    sf_context_free(ctx);
}

TESTS(CASE(codes_come_back),
      CASE(the_loss_on_the_manifold_is_that_of_its_density),
      CASE(what_is_missed_costs), CASE(an_arc_is_found),
      CASE(what_is_wrong_is_said))
