/* SPDX-License-Identifier: Apache-2.0 */
/* gaussian.c - x ~ N(alpha x0, sigma^2), theta = { mean, sd }.  The law of
 * diffusion models; one of the few whose marginal velocity is an affine function
 * of the score. */
#include "kernel/families.h"

static void theta(const sfi_kernel *k, sf_graph *g, sf_node x0, sf_node t,
                  sf_node *out)
{
    sfi_path(g, (int)k->numbers[0], k->numbers[1], x0, t, out);
}

static sf_node logp(const sfi_kernel *k, sf_graph *g, sf_node y,
                    const sf_node *th)
{
    (void)k;
    const double half_log_2pi = 0.91893853320467274;
    const sf_node z = sfi_standard(g, y, th);
    return sf_sub(g, sf_mul(g, sf_const(g, -0.5), sf_square(g, z)),
                  sf_add(g, sf_log(g, th[1]), sf_const(g, half_log_2pi)));
}

static void velocity(const sfi_kernel *k, sf_graph *g, sf_node y,
                     const sf_node *th, sfi_velocity how, sf_node *u)
{
    (void)k;
    (void)how;
    sfi_location_scale_velocity(g, y, th, u);
}

static double draw(const sfi_kernel *k, const double *th, sfi_where where)
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
    .theta = theta,
    .logp = logp,
    .velocity = velocity,
    .draw = draw};
