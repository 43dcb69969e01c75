/* SPDX-License-Identifier: Apache-2.0 */
/* poisson.c - the Poisson law of mean m = scale (1 - t) x0, theta = { m }:
 *
 *     ln p(x) = x ln m - m - ln x!
 *
 * Thinning: a Poisson number of points of which each stays with probability
 * 1 - t.  At t = 1 none is left; as t goes to 0 the mean is scale x0, and what
 * was counted is still noisy.  Backward in t points come at the rate scale x0,
 * whatever there is already, so that those between two times are a Poisson
 * number again. */
#include "kernel/families.h"

#include <math.h>

enum { SCALE };

static void theta(const sfi_kernel *k, sf_graph *g, sf_node x0, sf_node t,
                  sf_node *out)
{
    out[0] = sf_mul(g, sf_const(g, k->numbers[SCALE]), sfi_line(g, x0, t, 0.0));
}

static sf_node logp(const sfi_kernel *k, sf_graph *g, sf_node x,
                    const sf_node *th)
{
    (void)k;
    return sf_sub(g, sf_sub(g, sfi_count_log(g, x, sf_log(g, th[0])), th[0]),
                  sfi_log_factorial(g, x));
}

static double draw(const sfi_kernel *k, const double *th, sfi_where where)
{
    (void)k;
    uint32_t component = 0;
    return sfi_draw_poisson(th[0], where, &component);
}

static double birth(const sfi_kernel *k, double x, double x0, double t)
{
    (void)x;
    (void)t;
    return k->numbers[SCALE] * x0;
}

static double births(const sfi_kernel *k, double x, double x0, double from,
                     double to, sfi_where where)
{
    uint32_t component = 0;
    return sfi_draw_poisson(birth(k, x, x0, from) * (from - to), where,
                            &component);
}

static double most(const sfi_kernel *k, double x0)
{
    (void)k;
    return x0 > 0.0 ? INFINITY : 0.0;
}

static const sfi_count_ops counts = {
    .whole = false, .birth = birth, .births = births, .most = most};

const sfi_kernel_ops sfi_kernel_poisson = {
    .family = "poisson",
    .chart = SFI_CHART_REAL,
    .number_count = 1,
    .numbers = {{"scale", 1.0, 0.0, 1e9, NULL}},
    .theta_count = 1,
    .theta = theta,
    .logp = logp,
    .draw = draw,
    .discrete = true,
    .counts = &counts};
