/* SPDX-License-Identifier: Apache-2.0 */
/* vonmises.c - p(x) = exp(kappa cos(x - mu))/(2 pi I0(kappa)) on the circle,
 * theta = { mu, kappa } = { x0, kappa_1 (1/t^2 - 1) }: uniform at t = 1.
 *
 * The velocity by kappa, at the angle f = x - mu from -pi to pi, is
 *
 *     u = integral from |f| to pi of (cos v - A) exp(kappa (cos v - cos f)) dv
 *
 * times the sign of f, A = I1/I0.  No flux crosses the antipode of mu, which
 * fixes the constant that a velocity on the circle leaves free.  Where
 * cos f >= A the integral from |f| to pi would cancel: it is minus that from 0
 * to |f|, since the whole is 0. */
#include "kernel/families.h"

#include <math.h>

enum { KAPPA };

static const double pi = 3.14159265358979324, log_2pi = 1.8378770664093455;

static void theta(const sfi_kernel *k, sf_graph *g, sf_node x0, sf_node t,
                  sf_node *out)
{
    out[0] = x0;
    out[1] = sfi_odds(g, k->numbers[KAPPA], t);
}

static sf_node logp(const sfi_kernel *k, sf_graph *g, sf_node y,
                    const sf_node *th)
{
    (void)k;
    const sf_node c = sf_cos(g, sf_sub(g, y, th[0]));
    return sf_sub(g, sf_sub(g, sf_mul(g, th[1], c), sf_log_i0(g, th[1])),
                  sf_const(g, log_2pi));
}

static void statistic(const sfi_kernel *k, sf_graph *g, sf_node y, sf_node *out)
{
    (void)k;
    out[0] = sf_cos(g, y);
    out[1] = sf_sin(g, y);
}

static void natural(const sfi_kernel *k, sf_graph *g, const sf_node *th,
                    sf_node *eta)
{
    (void)k;
    eta[0] = sf_mul(g, th[1], sf_cos(g, th[0]));
    eta[1] = sf_mul(g, th[1], sf_sin(g, th[0]));
    eta[2] = sf_add(g, sf_log_i0(g, th[1]), sf_const(g, log_2pi));
}

/* What the integrand reads besides s: v = FROM + s */
enum { FROM, FINE, MEAN_COS, CONCENTRATION, MORE };

/* cos v - cos f = -2 sin((v - f)/2) sin((v + f)/2), which does not cancel. */
static sf_node integrand(sf_graph *g, sf_node s, const sf_node *more)
{
    const sf_node half = sf_const(g, 0.5);
    const sf_node v = sf_add(g, more[FROM], s), f = more[FINE];
    const sf_node difference =
        sf_mul(g, sf_const(g, -2.0),
               sf_mul(g, sf_sin(g, sf_mul(g, half, sf_sub(g, v, f))),
                      sf_sin(g, sf_mul(g, half, sf_add(g, v, f)))));
    return sf_mul(g, sf_sub(g, sf_cos(g, v), more[MEAN_COS]),
                  sf_exp(g, sf_mul(g, more[CONCENTRATION], difference)));
}

/* f, from -pi to pi. */
static sf_node fine_angle(const sfi_kernel *k, sf_graph *g, sf_node y,
                          const sf_node *th)
{
    (void)k;
    const sf_node turn = sf_sub(g, y, th[0]);
    return sf_atan2(g, sf_sin(g, turn), sf_cos(g, turn));
}

static void canonical(const sfi_kernel *k, sf_graph *g, sf_node kappa,
                      sf_node *th)
{
    (void)k;
    th[0] = sf_const(g, 0.0);
    th[1] = kappa;
}

static void velocity(const sfi_kernel *k, sf_graph *g, sf_node y,
                     const sf_node *th, sfi_velocity how, sf_node *u)
{
    const sf_node zero = sf_const(g, 0.0), one = sf_const(g, 1.0);
    const sf_node f = fine_angle(k, g, y, th);
    const sf_node size = sf_abs(g, f), c = sf_cos(g, size);
    const sf_node mean = sf_bessel_ratio(g, th[1]);
    const sf_node outer = sf_less(g, c, mean);
    /* Outwards the weight is e^-42 where cos v = cos f - 42/kappa. */
    const sf_node least =
        sf_max(g, sf_const(g, -1.0),
               sf_sub(g, c, sf_div(g, sf_const(g, SFI_CUT), th[1])));
    const sf_node least_sine =
        sf_sqrt(g, sf_max(g, zero, sf_sub(g, one, sf_square(g, least))));
    const sf_node end =
        sf_select(g, sf_less_equal(g, least, sf_const(g, -1.0)),
                  sf_const(g, pi), sf_atan2(g, least_sine, least));
    const sf_node more[MORE] = {[FROM] = sf_select(g, outer, size, zero),
                                [FINE] = size,
                                [MEAN_COS] = mean,
                                [CONCENTRATION] = th[1]};
    const sf_node length = sf_select(g, outer, sf_sub(g, end, size), size);
    const sf_node integral = sfi_integrate(g, integrand, length, more, how);
    u[0] = one;
    u[1] = sf_mul(g, sf_sign(g, f),
                  sf_select(g, outer, integral, sf_neg(g, integral)));
}

/* D. J. Best and N. I. Fisher, Applied Statistics 28 (1979) 152-157: a wrapped
 * Cauchy angle, accepted with probability 2/3 or more. */
static double draw(const sfi_kernel *k, const double *th, sfi_where where)
{
    (void)k;
    const double kappa = th[1];
    if (kappa < 1e-8)
        return th[0] + 2.0 * pi * (sfi_uniform_at(where, 0) - 0.5);
    const double a = 1.0 + sqrt(1.0 + 4.0 * kappa * kappa);
    const double b = (a - sqrt(2.0 * a)) / (2.0 * kappa);
    const double r = (1.0 + b * b) / (2.0 * b);
    for (uint32_t component = 0;; component += 4) {
        const double z = cos(pi * sfi_uniform_at(where, component));
        const double f = (1.0 + r * z) / (r + z);
        const double c = kappa * (r - f);
        const double u = sfi_uniform_at(where, component + 1);
        if (c * (2.0 - c) > u || log(c / u) + 1.0 >= c) {
            const double angle = acos(fmax(-1.0, fmin(1.0, f)));
            const double side = sfi_uniform_at(where, component + 2);
            return th[0] + (side < 0.5 ? -angle : angle);
        }
    }
}

const sfi_kernel_ops sfi_kernel_vonmises = {
    .family = "vonmises",
    .chart = SFI_CHART_ANGLE,
    .number_count = 2,
    .numbers = {{"kappa", 1.0, 0.0, 1e6, NULL}, SFI_UNIT_NUMBER},
    .theta_count = 2,
    .theta = theta,
    .logp = logp,
    .velocity = velocity,
    .statistics = 2,
    .statistic = statistic,
    .natural = natural,
    .costly = 1,
    .reduced = fine_angle,
    .canonical = canonical,
    .draw = draw};
