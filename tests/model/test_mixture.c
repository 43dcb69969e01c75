/* SPDX-License-Identifier: Apache-2.0 */
/* test_mixture.c - Gaussian noise on a small data set, where posterior mean,
 * score, Jacobian, velocity and their derivatives are known exactly.
 *
 * With x = alpha x0 + sigma n and x0 one of the data, ln p is the logarithm of
 * a sum of Gaussians; everything else here is derived from it by the graph and
 * compared with numbers computed with 40 digits by independent code from the
 * posterior's moments (Tweedie's formula; Robbins 1956, Efron 2011). */
#include "check.h"
#include "model/network.h"
#include "scorefield/graph.h"
#include "scorefield/program.h"

enum { MOST = 16 };

/* ln sum_i w_i N(x; alpha x0_i, sigma^2 I). */
static sf_node log_density(sf_graph *g, sf_node x, int64_t dim,
                           const double *data, const double *weights, int n,
                           double alpha, double sigma2)
{
    sf_node sum = sf_const(g, 0.0);
    for (int i = 0; i < n; i++) {
        double centre[MOST];
        for (int64_t j = 0; j < dim; j++)
            centre[j] = alpha * data[i * dim + j];
        const sf_node d = sf_sub(g, x, sf_const_array(g, 1, &dim, centre));
        const sf_node q =
            sf_mul(g, sf_const(g, -0.5 / sigma2), sf_dot(g, d, d));
        sum = sf_add(g, sum, sf_mul(g, sf_const(g, weights[i]), sf_exp(g, q)));
    }
    const double log_z = 0.5 * (double)dim * log(6.283185307179586 * sigma2);
    return sf_sub(g, sf_log(g, sum), sf_const(g, log_z));
}

static void value_at(sf_context *ctx, sf_graph *g, sf_node node,
                     const double *x, int64_t dim, double *out)
{
    const sf_output output = {node, SF_EACH};
    sf_program *p = NULL;
    CHECK_OK(ctx, sf_program_new(ctx, &p, g, SF_F64, 1, &output));
    const sf_source source = {.data = x, .dtype = SF_F64, .stride = dim};
    const sf_sink sink = {out, SF_F64, sf_node_count(g, node)};
    CHECK_OK(ctx, sf_program_run(p, 1, &source, NULL, &sink));
    sf_program_free(p);
}

TEST(score_jacobian_mean_and_velocity_of_noisy_data_in_two_dimensions)
{
    sf_context *ctx = new_context();
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const double data[8] = {1.0, 0.5, -0.8, 0.2, 0.3, -1.2, 1.5, 1.5};
    const double weights[4] = {0.25, 0.25, 0.25, 0.25}, at[2] = {0.6, 0.1};
    const double alpha = 0.8, sigma = 0.6, alpha_dot = -0.7, sigma_dot = 0.9;
    const int64_t two = 2;
    const sf_node x = sf_input(g, "x", 1, &two);
    const sf_node logp =
        log_density(g, x, 2, data, weights, 4, alpha, sigma * sigma);
    const sf_node s = sf_gradient(g, logp, x);
    const sf_node mean =
        sf_div(g, sf_add(g, x, sf_mul(g, sf_const(g, sigma * sigma), s)),
               sf_const(g, alpha));
    const double pull = sigma * sigma_dot - sigma * sigma * alpha_dot / alpha;
    const sf_node v = sf_sub(g, sf_mul(g, sf_const(g, alpha_dot / alpha), x),
                             sf_mul(g, sf_const(g, pull), s));
    double got[4];
    value_at(ctx, g, logp, at, 2, got);
    CHECK_CLOSE(got[0], -1.986765892371837, 1e-10);
    value_at(ctx, g, s, at, 2, got);
    CHECK_CLOSE(got[0], 0.057725604221139024, 1e-10);
    CHECK_CLOSE(got[1], 0.43839546025032433, 1e-10);
    value_at(ctx, g, mean, at, 2, got);
    CHECK_CLOSE(got[0], 0.7759765218995126, 1e-10);
    CHECK_CLOSE(got[1], 0.32227795711264595, 1e-10);
    value_at(ctx, g, sf_jacobian(g, s, x), at, 2, got);
    const double jacobian[4] = {-1.0547895517109454, 1.1117500667687688,
                                1.1117500667687688, -0.42428024381313045};
    for (int k = 0; k < 4; k++)
        CHECK_CLOSE(got[k], jacobian[k], 1e-10);
    value_at(ctx, g, v, at, 2, got);
    CHECK_CLOSE(got[0], -0.5743553916090739, 1e-10);
    CHECK_CLOSE(got[1], -0.46232811851402733, 1e-10);
    value_at(ctx, g, sf_divergence(g, v, x), at, 2, got);
    CHECK_CLOSE(got[0], -0.4853953248269151, 1e-10);
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* d p / d(sigma^2) = laplacian p / 2, and the forward (noising) flow for
 * sigma = t is -t score: the sign that makes the flow run the right way. */
TEST(noise_spreads_by_the_heat_equation_along_minus_the_score)
{
    sf_context *ctx = new_context();
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const double data[2] = {-1.0, 1.0}, weights[2] = {0.5, 0.5}, at = 0.8;
    const double sigma = 0.5;
    const int64_t one = 1;
    const sf_node x = sf_input(g, "x", 1, &one);
    const sf_node logp =
        log_density(g, x, 1, data, weights, 2, 1.0, sigma * sigma);
    const sf_node p = sf_exp(g, logp);
    double got, up, down;
    value_at(ctx, g, p, &at, 1, &got);
    CHECK_CLOSE(got, 0.36888204223343707, 1e-10);
    value_at(ctx, g, sf_gradient(g, logp, x), &at, 1, &got);
    CHECK_CLOSE(got, 0.7867295913586047, 1e-10);
    CHECK_CLOSE(-sigma * got, -0.3933647956793023, 1e-10);
    value_at(ctx, g, sf_laplacian(g, p, x), &at, 1, &got);
    CHECK_CLOSE(got, -1.2081142830825236, 1e-10);
    const double h = 1e-5;
    value_at(ctx, g,
             sf_exp(g, log_density(g, x, 1, data, weights, 2, 1.0, 0.25 + h)),
             &at, 1, &up);
    value_at(ctx, g,
             sf_exp(g, log_density(g, x, 1, data, weights, 2, 1.0, 0.25 - h)),
             &at, 1, &down);
    CHECK_NEAR((up - down) / (2 * h), -0.6040571415412618, 1e-8);
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* The n-th derivative of the posterior mean is the (n+1)-th cumulant of the
 * posterior over sigma^2n: third derivatives of a derivative. */
TEST(derivatives_of_the_denoiser_are_cumulants)
{
    sf_context *ctx = new_context();
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const double data[3] = {-1.0, 0.5, 2.0}, weights[3] = {0.2, 0.5, 0.3};
    const double sigma2 = 0.49, at = 0.3;
    const double want[4] = {0.4437264321460841, 0.43745494073071634,
                            -0.3758855244681358, 2.780984765723648};
    const int64_t one = 1;
    const sf_node x = sf_input(g, "x", 1, &one);
    const sf_node logp = log_density(g, x, 1, data, weights, 3, 1.0, sigma2);
    const sf_node s = sf_component(g, sf_gradient(g, logp, x), 0);
    sf_node m =
        sf_add(g, sf_component(g, x, 0), sf_mul(g, sf_const(g, sigma2), s));
    for (int n = 0; n < 4; n++) {
        double got;
        value_at(ctx, g, m, &at, 1, &got);
        CHECK_CLOSE(got, want[n], 1e-9);
        m = sf_component(g, sf_gradient(g, m, x), 0);
    }
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* The noise levels of Karras et al. 2022, equation 5, for 18 steps. */
TEST(the_noise_levels_are_those_of_the_rho_grid)
{
    static const double want[18] = {
        80.0,
        57.58598472124816,
        40.78557379650796,
        28.374584604156837,
        19.35245298032522,
        12.910082380757316,
        8.400935309099822,
        5.3151945217963785,
        3.256821519765538,
        1.9233398370400498,
        1.0881706365452795,
        0.5853481231945423,
        0.29644228447915727,
        0.13951646873101647,
        0.05994731123547157,
        0.022934518372333366,
        0.007528019962784071,
        0.002,
    };
    sf_context *ctx = new_context();
    sfi_number numbers[SFI_MAX_NUMBERS];
    const int count =
        sfi_network_numbers(numbers, 4, 1, false, 0.002, 80.0, -1.0);
    sf_model *m = NULL;
    CHECK_OK(ctx, sfi_model_new(ctx, &m, &sfi_network_ops, 1, NULL, NULL, count,
                                numbers));
    for (int i = 0; i < 18; i++)
        CHECK_CLOSE(sf_model_sigma(m, 1.0 - i / 17.0), want[i], 1e-10);
    sf_model_free(m);
    sf_context_free(ctx);
}

TESTS(CASE(score_jacobian_mean_and_velocity_of_noisy_data_in_two_dimensions),
      CASE(noise_spreads_by_the_heat_equation_along_minus_the_score),
      CASE(derivatives_of_the_denoiser_are_cumulants),
      CASE(the_noise_levels_are_those_of_the_rho_grid))
