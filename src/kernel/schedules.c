/* SPDX-License-Identifier: Apache-2.0 */
/* schedules.c - how the parameters of a law depend on time, and what location
 * and scale have in common wherever they occur. */
#include "kernel/families.h"

#include <math.h>

void sfi_path(sf_graph *g, int path, double scale, sf_node x0, sf_node t,
              sf_node *theta)
{
    const sf_node one = sf_const(g, 1.0);
    const sf_node angle = sf_mul(g, sf_const(g, 1.5707963267948966), t);
    sf_node keep = one, spread = t;
    if (path == SFI_PATH_LINEAR) {
        keep = sf_sub(g, one, t);
    } else if (path == SFI_PATH_VP) {
        keep = sf_cos(g, angle);
        spread = sf_sin(g, angle);
    }
    theta[0] = sf_mul(g, keep, x0);
    theta[1] = sf_mul(g, sf_const(g, scale), spread);
}

sf_node sfi_standard(sf_graph *g, sf_node y, const sf_node *theta)
{
    return sf_div(g, sf_sub(g, y, theta[0]), theta[1]);
}

void sfi_location_scale_theta(const sfi_kernel *k, sf_graph *g, sf_node x0,
                              sf_node t, sf_node *theta)
{
    sfi_path(g, (int)k->numbers[0], k->numbers[1], x0, t, theta);
}

void sfi_location_scale_velocity(const sfi_kernel *k, sf_graph *g, sf_node y,
                                 const sf_node *theta, sfi_velocity how,
                                 sf_node *u)
{
    (void)k;
    (void)how;
    u[0] = sf_const(g, 1.0);
    u[1] = sfi_standard(g, y, theta);
}

sf_node sfi_line(sf_graph *g, sf_node x0, sf_node t, double end)
{
    return sf_add(g, x0, sf_mul(g, t, sf_sub(g, sf_const(g, end), x0)));
}

sf_node sfi_concentration(sf_graph *g, double c, sf_node t)
{
    return sf_div(g, sf_const(g, c), sf_square(g, t));
}

sf_node sfi_odds(sf_graph *g, double c, sf_node t)
{
    const sf_node one = sf_const(g, 1.0);
    /* 1 - t^2 as a product keeps its digits near t = 1. */
    const sf_node rest = sf_mul(g, sf_sub(g, one, t), sf_add(g, one, t));
    return sf_mul(g, sf_const(g, c), sf_div(g, rest, sf_square(g, t)));
}

sfi_path_numbers sfi_path_at(int path, double t)
{
    const double half_pi = 1.5707963267948966;
    switch (path) {
    case SFI_PATH_LINEAR:
        return (sfi_path_numbers){1.0 - t, t, -1.0, 1.0};
    case SFI_PATH_VP:
        return (sfi_path_numbers){cos(half_pi * t), sin(half_pi * t),
                                  -half_pi * sin(half_pi * t),
                                  half_pi * cos(half_pi * t)};
    default:
        return (sfi_path_numbers){1.0, t, 0.0, 1.0};
    }
}

/* ---- counts ------------------------------------------------------------------ */

sf_node sfi_count_log(sf_graph *g, sf_node count, sf_node log)
{
    const sf_node zero = sf_const(g, 0.0);
    return sf_select(g, sf_equal(g, count, zero), zero, sf_mul(g, count, log));
}

sf_node sfi_log_factorial(sf_graph *g, sf_node count)
{
    return sf_lgamma(g, sf_add(g, count, sf_const(g, 1.0)));
}
