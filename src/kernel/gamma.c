/* SPDX-License-Identifier: Apache-2.0 */
/* gamma.c - the gamma law of shape k and mean m, theta = { k, m }:
 *
 *     k = shape/t^2,   m = (1 - t) x0 + t mean,
 *
 * at t = 1 the gamma law of the two numbers that were given, whatever x0 is.
 * In the chart y = ln x, with z = k x/m,
 *
 *     ln p = k ln z - z - ln Gamma(k).
 *
 * Velocities.  m only scales x, so u_m = 1/m in the chart.  The other is
 *
 *     u_k = (I - 1/k),    I = integral over v > z of
 *                             (ln v - psi(k)) p(v)/(z p(z)) dv
 *
 * (the Stein kernel of ln v).  Over all v > 0 that integral is 0, so it may be
 * taken over v < z with the other sign: we take the side on which ln v - psi(k)
 * has one sign, and nothing cancels.  With v = z exp(s) or z exp(-s) it is
 *
 *     integral over s > 0 of (|ln z - psi(k)| + s) exp(-phi(s)),
 *     phi = z (e^s - 1) - k s   or   k s - z (1 - e^-s),
 *
 * cut where phi = 42. */
#include "kernel/families.h"

#include <math.h>

enum { SHAPE, MEAN };

static void theta(const sfi_kernel *k, sf_graph *g, sf_node x0, sf_node t,
                  sf_node *out)
{
    out[0] = sfi_concentration(g, k->numbers[SHAPE], t);
    out[1] = sfi_line(g, x0, t, k->numbers[MEAN]);
}

/* ln z */
static sf_node log_rate(sf_graph *g, sf_node y, const sf_node *th)
{
    return sf_add(g, y, sf_log(g, sf_div(g, th[0], th[1])));
}

static sf_node logp(const sfi_kernel *k, sf_graph *g, sf_node y,
                    const sf_node *th)
{
    (void)k;
    const sf_node log_z = log_rate(g, y, th);
    return sf_sub(g, sf_sub(g, sf_mul(g, th[0], log_z), sf_exp(g, log_z)),
                  sf_lgamma(g, th[0]));
}

/* y = ln x and x */
static void statistic(const sfi_kernel *k, sf_graph *g, sf_node y, sf_node *out)
{
    (void)k;
    out[0] = y;
    out[1] = sf_exp(g, y);
}

static void natural(const sfi_kernel *k, sf_graph *g, const sf_node *th,
                    sf_node *eta)
{
    (void)k;
    const sf_node rate = sf_div(g, th[0], th[1]);
    eta[0] = th[0];
    eta[1] = sf_neg(g, rate);
    eta[2] = sf_sub(g, sf_lgamma(g, th[0]), sf_mul(g, th[0], sf_log(g, rate)));
}

/* What the integrand reads besides s. */
enum { K, Z, SIGN, DISTANCE, MORE };

/* phi(s) for both sides: SIGN is 1 above and -1 below.
 *     above  z (e^s - 1) - k s;   below  z (e^-s - 1) + k s */
static sf_node phi(sf_graph *g, sf_node s, const sf_node *more)
{
    const sf_node signed_s = sf_mul(g, more[SIGN], s);
    return sf_sub(g, sf_mul(g, more[Z], sf_expm1(g, signed_s)),
                  sf_mul(g, more[K], signed_s));
}

static sf_node integrand(sf_graph *g, sf_node s, const sf_node *more)
{
    return sf_mul(g, sf_add(g, more[DISTANCE], s),
                  sf_exp(g, sf_neg(g, phi(g, s, more))));
}

/* Where phi reaches SFI_CUT.  phi is convex and 0 at 0, so Newton's steps from a
 * place beyond the root come down to it from there.
 *     above  phi >= (z-k) s + z s^2/2:  the root of that; but also s at most
 *            ln(1 + (42 + k s)/z), which is far less if z is small
 *     below  phi >= k s - z */
static sf_node reach(sf_graph *g, const sf_node *more)
{
    const sf_node k = more[K], z = more[Z], limit = sf_const(g, SFI_CUT);
    const sf_node excess = sf_sub(g, z, k);
    const sf_node root =
        sf_sqrt(g, sf_add(g, sf_square(g, excess),
                          sf_mul(g, sf_const(g, 2.0 * SFI_CUT), z)));
    /* 84 / (excess + root), which does not cancel, is the same root. */
    sf_node above = sf_select(g, sf_less(g, excess, sf_const(g, 0.0)),
                              sf_div(g, sf_sub(g, root, excess), z),
                              sf_div(g, sf_const(g, 2.0 * SFI_CUT),
                                     sf_add(g, sf_abs(g, excess), root)));
    for (int i = 0; i < 4; i++)
        above = sf_min(
            g, above,
            sf_log1p(g, sf_div(g, sf_add(g, limit, sf_mul(g, k, above)), z)));
    const sf_node below = sf_div(g, sf_add(g, limit, z), k);
    sf_node s =
        sf_select(g, sf_less(g, sf_const(g, 0.0), more[SIGN]), above, below);
    for (int i = 0; i < 8; i++) {
        const sf_node slope = sf_mul(
            g, more[SIGN],
            sf_sub(g, sf_mul(g, z, sf_exp(g, sf_mul(g, more[SIGN], s))), k));
        s = sf_sub(g, s, sf_div(g, sf_sub(g, phi(g, s, more), limit), slope));
    }
    return s;
}

static void velocity(const sfi_kernel *k, sf_graph *g, sf_node y,
                     const sf_node *th, sfi_velocity how, sf_node *u)
{
    (void)k;
    const sf_node zero = sf_const(g, 0.0), one = sf_const(g, 1.0);
    const sf_node log_z = log_rate(g, y, th);
    const sf_node gap = sf_sub(g, log_z, sf_polygamma(g, 0, th[0]));
    const sf_node more[MORE] = {
        [K] = th[0],
        [Z] = sf_exp(g, log_z),
        [SIGN] = sf_select(g, sf_less(g, gap, zero), sf_const(g, -1.0), one),
        [DISTANCE] = sf_abs(g, gap)};
    const sf_node integral =
        sfi_integrate(g, integrand, reach(g, more), more, how);
    u[0] = sf_sub(g, integral, sf_div(g, one, th[0]));
    u[1] = sf_div(g, one, th[1]);
}

/* u_k is a function of k and ln z, and ln z = y where m = k. */
static sf_node reduced(const sfi_kernel *k, sf_graph *g, sf_node y,
                       const sf_node *th)
{
    (void)k;
    return log_rate(g, y, th);
}

static void canonical(const sfi_kernel *k, sf_graph *g, sf_node shape,
                      sf_node *th)
{
    (void)k;
    (void)g;
    th[0] = th[1] = shape;
}

static double draw(const sfi_kernel *k, const double *th, sfi_where where)
{
    (void)k;
    uint32_t component = 0;
    return sfi_draw_log_gamma(th[0], where, &component) + log(th[1] / th[0]);
}

const sfi_kernel_ops sfi_kernel_gamma = {
    .family = "gamma",
    .chart = SFI_CHART_LOG,
    .number_count = 2,
    .numbers = {{"shape", 1.0, 0.0, 1e6, NULL},
                {"mean", 1.0, 0.0, 1e300, NULL}},
    .theta_count = 2,
    .theta = theta,
    .logp = logp,
    .velocity = velocity,
    .statistics = 2,
    .statistic = statistic,
    .natural = natural,
    .costly = 0,
    .reduced = reduced,
    .canonical = canonical,
    .draw = draw};
