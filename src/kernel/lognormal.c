/* SPDX-License-Identifier: Apache-2.0 */
/* lognormal.c - ln x ~ N(alpha ln x0, sigma^2): the Gaussian kernel in the chart
 * y = ln x, with x0 taken there too.  Multiplicative noise on positive data. */
#include "kernel/families.h"

static void theta(const sfi_kernel *k, sf_graph *g, sf_node x0, sf_node t,
                  sf_node *out)
{
    sfi_path(g, (int)k->numbers[0], k->numbers[1], sf_log(g, x0), t, out);
}

const sfi_kernel_ops sfi_kernel_lognormal = {
    .family = "lognormal",
    .chart = SFI_CHART_LOG,
    .number_count = 2,
    .numbers = {SFI_PATH_NUMBER, {"sigma", 1.0, 0.0, 1e6, NULL}},
    .theta_count = 2,
    .location_scale = true,
    .markov = true,
    .theta = theta,
    .logp = sfi_gaussian_logp,
    .velocity = sfi_location_scale_velocity,
    .statistics = 2,
    .statistic = sfi_gaussian_statistic,
    .natural = sfi_gaussian_natural,
    .draw = sfi_gaussian_draw};
