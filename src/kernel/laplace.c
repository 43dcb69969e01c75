/* SPDX-License-Identifier: Apache-2.0 */
/* laplace.c - p(x) = exp(-|x - m|/b)/(2 b), theta = { m, b }.
 *
 * The score jumps at m; the Hessian is 0 elsewhere and has a mass of -2/b there,
 * which no evaluation at a point shows. */
#include "kernel/families.h"

#include <math.h>

static sf_node logp(const sfi_kernel *k, sf_graph *g, sf_node y,
                    const sf_node *th)
{
    (void)k;
    const sf_node z = sf_abs(g, sfi_standard(g, y, th));
    const sf_node log_2b = sf_log(g, sf_mul(g, sf_const(g, 2.0), th[1]));
    return sf_neg(g, sf_add(g, z, log_2b));
}

static double draw(const sfi_kernel *k, const double *th, sfi_where where)
{
    (void)k;
    const double u = sfi_uniform_at(where, 0) - 0.5;
    const double size = -log1p(-2.0 * fabs(u));
    return th[0] + th[1] * (u < 0.0 ? -size : size);
}

const sfi_kernel_ops sfi_kernel_laplace = {
    .family = "laplace",
    .chart = SFI_CHART_REAL,
    .number_count = 2,
    .numbers = {SFI_PATH_NUMBER, {"scale", 1.0, 0.0, 1e6, NULL}},
    .theta_count = 2,
    .location_scale = true,
    .theta = sfi_location_scale_theta,
    .logp = logp,
    .velocity = sfi_location_scale_velocity,
    .draw = draw};
