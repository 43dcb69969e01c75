/* SPDX-License-Identifier: Apache-2.0 */
/* student.c - Student's t with nu degrees of freedom, theta = { location, scale }:
 * outliers of the data stay outliers at every t. */
#include "kernel/families.h"
#include "num/special.h"

#include <math.h>

enum { NU = SFI_LOCATION_SCALE_NUMBERS };

static sf_node logp(const sfi_kernel *k, sf_graph *g, sf_node y,
                    const sf_node *th)
{
    const double nu = k->numbers[NU], half_log_pi = 0.57236494292470009;
    const double constant = sfi_lgamma(0.5 * (nu + 1.0)) -
                            sfi_lgamma(0.5 * nu) - 0.5 * log(nu) - half_log_pi;
    const sf_node z2 = sf_square(g, sfi_standard(g, y, th));
    const sf_node tail = sf_mul(g, sf_const(g, 0.5 * (nu + 1.0)),
                                sf_log1p(g, sf_div(g, z2, sf_const(g, nu))));
    return sf_sub(g, sf_sub(g, sf_const(g, constant), tail), sf_log(g, th[1]));
}

/* A normal number over the root of a chi-squared one over nu. */
static double draw(const sfi_kernel *k, const double *th, sfi_where where)
{
    const double half = 0.5 * k->numbers[NU];
    uint32_t component = 2; /* components 0 and 1 make one normal number */
    const double log_gamma = sfi_draw_log_gamma(half, where, &component);
    return th[0] +
           th[1] * sfi_normal_at(where, 0) * exp(0.5 * (log(half) - log_gamma));
}

const sfi_kernel_ops sfi_kernel_student = {
    .family = "student",
    .chart = SFI_CHART_REAL,
    .number_count = 3,
    .numbers = {SFI_PATH_NUMBER,
                {"scale", 1.0, 0.0, 1e6, NULL},
                {"nu", 3.0, 0.0, 1e6, NULL}},
    .theta_count = 2,
    .location_scale = true,
    .theta = sfi_location_scale_theta,
    .logp = logp,
    .velocity = sfi_location_scale_velocity,
    .draw = draw};
