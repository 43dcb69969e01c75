/* SPDX-License-Identifier: Apache-2.0 */
/* normal.c - x ~ N(alpha x0, sigma^2), theta = { mean, sd }.  The law of
 * diffusion models; one of the few whose marginal velocity is an affine function
 * of the score. */
#include "kernel/families.h"

sf_node sfi_gaussian_logp(const sfi_kernel *k, sf_graph *g, sf_node y,
                          const sf_node *th)
{
    (void)k;
    const double half_log_2pi = 0.91893853320467274;
    const sf_node z = sfi_standard(g, y, th);
    return sf_sub(g, sf_mul(g, sf_const(g, -0.5), sf_square(g, z)),
                  sf_add(g, sf_log(g, th[1]), sf_const(g, half_log_2pi)));
}

/* y and y^2 */
void sfi_gaussian_statistic(const sfi_kernel *k, sf_graph *g, sf_node y,
                            sf_node *statistic)
{
    (void)k;
    statistic[0] = y;
    statistic[1] = sf_square(g, y);
}

void sfi_gaussian_natural(const sfi_kernel *k, sf_graph *g, const sf_node *th,
                          sf_node *eta)
{
    (void)k;
    const double half_log_2pi = 0.91893853320467274;
    const sf_node variance = sf_square(g, th[1]);
    const sf_node half = sf_const(g, 0.5);
    eta[0] = sf_div(g, th[0], variance);
    eta[1] = sf_neg(g, sf_div(g, half, variance));
    eta[2] = sf_add(g, sf_mul(g, half, sf_mul(g, th[0], eta[0])),
                    sf_add(g, sf_log(g, th[1]), sf_const(g, half_log_2pi)));
}

double sfi_gaussian_draw(const sfi_kernel *k, const double *th, sfi_where where)
{
    (void)k;
    return th[0] + th[1] * sfi_normal_at(where, 0);
}

const sfi_kernel_ops sfi_kernel_gaussian = {
    .family = "gaussian",
    .chart = SFI_CHART_REAL,
    .number_count = 2,
    .numbers = {SFI_PATH_NUMBER, {"sigma", 1.0, 0.0, 1e6, NULL}},
    .theta_count = 2,
    .location_scale = true,
    .markov = true,
    .theta = sfi_location_scale_theta,
    .logp = sfi_gaussian_logp,
    .velocity = sfi_location_scale_velocity,
    .statistics = 2,
    .statistic = sfi_gaussian_statistic,
    .natural = sfi_gaussian_natural,
    .draw = sfi_gaussian_draw};
