/* SPDX-License-Identifier: Apache-2.0 */
/* binomial.c - thinning: of x0 points each stays with probability 1 - t, theta =
 * { x0, t },
 *
 *     ln p(x) = ln x0!/(x! (x0 - x)!) + x ln(1 - t) + (x0 - x) ln t.
 *
 * At t = 0 this is x0 itself, at t = 1 nothing is left.  The time at which a
 * point goes is uniform on (0, 1): backward in t each of the x0 - x that are gone
 * comes back at the rate 1/t, and until s < t with probability 1 - s/t. */
#include "kernel/families.h"

#include <math.h>

enum { CLEAN, GONE };

static void theta(const sfi_kernel *k, sf_graph *g, sf_node x0, sf_node t,
                  sf_node *out)
{
    (void)k;
    (void)g;
    out[CLEAN] = x0;
    out[GONE] = t;
}

static sf_node logp(const sfi_kernel *k, sf_graph *g, sf_node x,
                    const sf_node *th)
{
    (void)k;
    const sf_node zero = sf_const(g, 0.0);
    const sf_node gone = sf_sub(g, th[CLEAN], x);
    const sf_node some = sf_max(g, gone, zero);
    const sf_node ways =
        sf_sub(g, sfi_log_factorial(g, th[CLEAN]),
               sf_add(g, sfi_log_factorial(g, x), sfi_log_factorial(g, some)));
    const sf_node stay = sfi_count_log(g, x, sf_log1p(g, sf_neg(g, th[GONE])));
    const sf_node go = sfi_count_log(g, some, sf_log(g, th[GONE]));
    return sf_select(g, sf_less(g, gone, zero), sf_const(g, -INFINITY),
                     sf_add(g, ways, sf_add(g, stay, go)));
}

static double draw(const sfi_kernel *k, const double *th, sfi_where where)
{
    (void)k;
    uint32_t component = 0;
    return sfi_draw_binomial(th[CLEAN], 1.0 - th[GONE], where, &component);
}

static double birth(const sfi_kernel *k, double x, double x0, double t)
{
    (void)k;
    return (x0 - x) / t;
}

static double births(const sfi_kernel *k, double x, double x0, double from,
                     double to, sfi_where where)
{
    (void)k;
    uint32_t component = 0;
    return sfi_draw_binomial(x0 - x, (from - to) / from, where, &component);
}

static double most(const sfi_kernel *k, double x0)
{
    (void)k;
    return x0;
}

static const sfi_count_ops counts = {
    .whole = true, .birth = birth, .births = births, .most = most};

const sfi_kernel_ops sfi_kernel_binomial = {.family = "binomial",
                                            .chart = SFI_CHART_REAL,
                                            .theta_count = 2,
                                            .theta = theta,
                                            .logp = logp,
                                            .draw = draw,
                                            .discrete = true,
                                            .counts = &counts};
