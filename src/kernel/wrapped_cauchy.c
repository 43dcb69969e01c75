/* SPDX-License-Identifier: Apache-2.0 */
/* wrapped_cauchy.c - on the circle, theta = { mean direction, rho }:
 *
 *     p(x) = (1 - rho^2) / (2 pi (1 + rho^2 - 2 rho cos(x - mu))),  rho = 1 - t.
 *
 * Everything is in closed form.  1 + rho^2 - 2 rho cos is written as
 * (1 - rho)^2 + 4 rho sin^2(x/2), which does not cancel near mu. */
#include "kernel/families.h"

#include <math.h>

static void theta(const sfi_kernel *k, sf_graph *g, sf_node x0, sf_node t,
                  sf_node *out)
{
    (void)k;
    out[0] = x0;
    out[1] = sf_sub(g, sf_const(g, 1.0), t);
}

/* (1 - rho)(1 + rho) */
static sf_node one_less_square(sf_graph *g, sf_node rho)
{
    const sf_node one = sf_const(g, 1.0);
    return sf_mul(g, sf_sub(g, one, rho), sf_add(g, one, rho));
}

static sf_node logp(const sfi_kernel *k, sf_graph *g, sf_node y,
                    const sf_node *th)
{
    (void)k;
    const double log_2pi = 1.8378770664093455;
    const sf_node half = sf_mul(g, sf_const(g, 0.5), sf_sub(g, y, th[0]));
    const sf_node gap = sf_sub(g, sf_const(g, 1.0), th[1]);
    const sf_node below = sf_add(g, sf_square(g, gap),
                                 sf_mul(g, sf_mul(g, sf_const(g, 4.0), th[1]),
                                        sf_square(g, sf_sin(g, half))));
    return sf_sub(
        g, sf_sub(g, sf_log(g, one_less_square(g, th[1])), sf_log(g, below)),
        sf_const(g, log_2pi));
}

/* Rotation moves every point alike. */
static void velocity(const sfi_kernel *k, sf_graph *g, sf_node y,
                     const sf_node *th, sfi_velocity how, sf_node *u)
{
    (void)k;
    (void)how;
    u[0] = sf_const(g, 1.0);
    u[1] =
        sf_div(g, sf_mul(g, sf_const(g, -2.0), sf_sin(g, sf_sub(g, y, th[0]))),
               one_less_square(g, th[1]));
}

/* A Moebius map takes a uniform angle v to the wrapped Cauchy one:
 * tan(x/2) = (1 - rho)/(1 + rho) tan(v/2). */
static double draw(const sfi_kernel *k, const double *th, sfi_where where)
{
    (void)k;
    const double pi = 3.14159265358979324;
    const double half = pi * (sfi_uniform_at(where, 0) - 0.5);
    return th[0] +
           2.0 * atan2((1.0 - th[1]) * sin(half), (1.0 + th[1]) * cos(half));
}

const sfi_kernel_ops sfi_kernel_cauchy = {.family = "wrappedcauchy",
                                          .chart = SFI_CHART_ANGLE,
                                          .number_count = 1,
                                          .numbers = {SFI_UNIT_NUMBER},
                                          .theta_count = 2,
                                          .theta = theta,
                                          .logp = logp,
                                          .velocity = velocity,
                                          .draw = draw};
