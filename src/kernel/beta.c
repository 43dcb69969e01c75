/* SPDX-License-Identifier: Apache-2.0 */
/* beta.c - the beta law with theta = { a, b } = { c m, c (1 - m) }:
 *
 *     c = concentration/t^2,   m = (1 - t) x0 + t mean,
 *
 * at t = 1 the beta law of the two numbers that were given: uniform for a
 * concentration of 2 and a mean of 1/2.  In the chart y = ln(x/(1-x))
 *
 *     ln p = -a ln(1 + e^-y) - b ln(1 + e^y) - ln B(a, b).
 *
 * Velocities.  u_a is the Stein kernel of ln x, u_b minus that of ln(1-x) at
 * 1 - x with a and b exchanged:
 *
 *     u_a = integral over v > x of (ln v - c_a) p(v)/(x(1-x) p(x)) dv,
 *     c_a = psi(a) - psi(a + b),
 *
 * over v > x or, with the other sign, over v < x, whichever side ln v - c_a has
 * one sign on.  In the chart v is at distance s, and the integrand is
 * (|ln x - c_a| + |ln v - ln x|) exp(-phi(s)), cut where phi = 42. */
#include "kernel/families.h"

#include <math.h>

enum { CONCENTRATION, MEAN };

static void theta(const sfi_kernel *k, sf_graph *g, sf_node x0, sf_node t,
                  sf_node *out)
{
    const sf_node c = sfi_concentration(g, k->numbers[CONCENTRATION], t);
    const sf_node m = sfi_line(g, x0, t, k->numbers[MEAN]);
    out[0] = sf_mul(g, c, m);
    out[1] = sf_mul(g, c, sf_sub(g, sf_const(g, 1.0), m));
}

/* ln x and ln(1-x) at y */
static sf_node log_x(sf_graph *g, sf_node y)
{
    return sf_neg(g, sf_softplus(g, sf_neg(g, y)));
}

static sf_node log_rest(sf_graph *g, sf_node y)
{
    return sf_neg(g, sf_softplus(g, y));
}

static sf_node log_beta(sf_graph *g, const sf_node *th)
{
    return sf_sub(g, sf_add(g, sf_lgamma(g, th[0]), sf_lgamma(g, th[1])),
                  sf_lgamma(g, sf_add(g, th[0], th[1])));
}

static sf_node logp(const sfi_kernel *k, sf_graph *g, sf_node y,
                    const sf_node *th)
{
    (void)k;
    return sf_sub(g,
                  sf_add(g, sf_mul(g, th[0], log_x(g, y)),
                         sf_mul(g, th[1], log_rest(g, y))),
                  log_beta(g, th));
}

static void statistic(const sfi_kernel *k, sf_graph *g, sf_node y, sf_node *out)
{
    (void)k;
    out[0] = log_x(g, y);
    out[1] = log_rest(g, y);
}

static void natural(const sfi_kernel *k, sf_graph *g, const sf_node *th,
                    sf_node *eta)
{
    (void)k;
    eta[0] = th[0];
    eta[1] = th[1];
    eta[2] = log_beta(g, th);
}

/* What the integrand reads besides s; SIGN is 1 above x and -1 below. */
enum { A, B, Y, LOG_X, LOG_REST, SIGN, DISTANCE, MORE };

/* phi(s) = a (ln x - ln v) + b (ln(1-x) - ln(1-v)), v at y + SIGN s */
static sf_node phi(sf_graph *g, sf_node at, const sf_node *more)
{
    return sf_add(
        g, sf_mul(g, more[A], sf_sub(g, more[LOG_X], log_x(g, at))),
        sf_mul(g, more[B], sf_sub(g, more[LOG_REST], log_rest(g, at))));
}

static sf_node place(sf_graph *g, sf_node s, const sf_node *more)
{
    return sf_add(g, more[Y], sf_mul(g, more[SIGN], s));
}

static sf_node integrand(sf_graph *g, sf_node s, const sf_node *more)
{
    const sf_node at = place(g, s, more);
    const sf_node apart =
        sf_mul(g, more[SIGN], sf_sub(g, log_x(g, at), more[LOG_X]));
    return sf_mul(g, sf_add(g, more[DISTANCE], apart),
                  sf_exp(g, sf_neg(g, phi(g, at, more))));
}

/* Where phi reaches SFI_CUT: convex, so Newton's steps from beyond the root come
 * down to it.  Above, phi >= b (s + ln x) - a |ln x|; below, the same with a
 * and b, x and 1 - x exchanged. */
static sf_node reach(sf_graph *g, const sf_node *more)
{
    const sf_node above = sf_less(g, sf_const(g, 0.0), more[SIGN]);
    const sf_node total = sf_add(g, more[A], more[B]);
    const sf_node log_side =
        sf_neg(g, sf_select(g, above, more[LOG_X], more[LOG_REST]));
    const sf_node slope_far = sf_select(g, above, more[B], more[A]);
    sf_node s =
        sf_div(g, sf_add(g, sf_const(g, SFI_CUT), sf_mul(g, total, log_side)),
               slope_far);
    for (int i = 0; i < 14; i++) {
        const sf_node at = place(g, s, more);
        /* d phi/ds = SIGN ((a + b) v - a) */
        const sf_node slope =
            sf_mul(g, more[SIGN],
                   sf_sub(g, sf_mul(g, total, sf_sigmoid(g, at)), more[A]));
        const sf_node left = sf_sub(g, phi(g, at, more), sf_const(g, SFI_CUT));
        s = sf_sub(g, s, sf_div(g, left, slope));
    }
    return s;
}

sf_node sfi_beta_stein(sf_graph *g, sf_node y, sf_node a, sf_node b,
                       sfi_velocity how)
{
    const sf_node mean =
        sf_sub(g, sf_polygamma(g, 0, a), sf_polygamma(g, 0, sf_add(g, a, b)));
    const sf_node here = log_x(g, y);
    const sf_node gap = sf_sub(g, here, mean);
    const sf_node more[MORE] = {
        [A] = a,
        [B] = b,
        [Y] = y,
        [LOG_X] = here,
        [LOG_REST] = log_rest(g, y),
        [SIGN] = sf_select(g, sf_less(g, gap, sf_const(g, 0.0)),
                           sf_const(g, -1.0), sf_const(g, 1.0)),
        [DISTANCE] = sf_abs(g, gap)};
    return sfi_integrate(g, integrand, reach(g, more), more, how);
}

static void velocity(const sfi_kernel *k, sf_graph *g, sf_node y,
                     const sf_node *th, sfi_velocity how, sf_node *u)
{
    (void)k;
    u[0] = sfi_beta_stein(g, y, th[0], th[1], how);
    u[1] = sf_neg(g, sfi_beta_stein(g, sf_neg(g, y), th[1], th[0], how));
}

/* The logit of a share is the difference of two logarithms. */
static double draw(const sfi_kernel *k, const double *th, sfi_where where)
{
    (void)k;
    uint32_t component = 0;
    const double a = sfi_draw_log_gamma(th[0], where, &component);
    return a - sfi_draw_log_gamma(th[1], where, &component);
}

const sfi_kernel_ops sfi_kernel_beta = {
    .family = "beta",
    .chart = SFI_CHART_LOGIT,
    .number_count = 2,
    .numbers = {{"concentration", 2.0, 0.0, 1e6, NULL},
                {"mean", 0.5, 0.0, 1.0, NULL}},
    .theta_count = 2,
    .theta = theta,
    .logp = logp,
    .velocity = velocity,
    .statistics = 2,
    .statistic = statistic,
    .natural = natural,
    .draw = draw};
