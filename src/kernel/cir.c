/* SPDX-License-Identifier: Apache-2.0 */
/* cir.c - the square-root diffusion of J. C. Cox, J. E. Ingersoll and S. A. Ross,
 * Econometrica 53 (1985) 385-407, on the half line,
 *
 *     dX = a (mean - X) ds + sigma sqrt(X) dW,   shape = 2 a mean/sigma^2,
 *
 * run for the time s with exp(-a s) = 1 - t^2: at t = 1 forever, where it has the
 * gamma law of this shape and mean.  With theta = { l, c },
 *
 *     c = (shape/mean)/t^2,   l = (shape/mean) (1/t^2 - 1) x0,   v = c x,
 *
 * v is the sum of a Poisson number (of mean l) and of k = shape of gamma pieces,
 * half a non-central chi-squared number.  In the chart y = ln x
 *
 *     ln p = k ln v - ln Gamma(k) - v - l + ln 0F1(; k; l v).
 *
 * Near l the last three terms are large and cancel; with h = sqrt(k^2 + 4 l v)
 * the operation gives ln 0F1 - (h - k), and
 *
 *     v + l - (h - k) = ((v - l)^2 + 2 k (v + l))/(h + v + l + k).
 *
 * Velocities.  dF/dl = -(density of shape k + 1), so that the velocity by l is
 * the ratio 0F1'/0F1 in the chart; c only scales x. */
#include "graph/graph.h"
#include "kernel/families.h"
#include "num/special.h"

#include <math.h>

enum { SHAPE, MEAN };

static void theta(const sfi_kernel *k, sf_graph *g, sf_node x0, sf_node t,
                  sf_node *out)
{
    const double rate = k->numbers[SHAPE] / k->numbers[MEAN];
    out[0] = sf_mul(g, sfi_odds(g, rate, t), x0);
    out[1] = sfi_concentration(g, rate, t);
}

/* ln v */
static sf_node log_scaled(sf_graph *g, sf_node y, const sf_node *th)
{
    return sf_add(g, y, sf_log(g, th[1]));
}

/* h from l v */
static sf_node height(sf_graph *g, double shape, sf_node w)
{
    return sf_sqrt(g, sf_add(g, sf_const(g, shape * shape),
                             sf_mul(g, sf_const(g, 4.0), w)));
}

static sf_node logp(const sfi_kernel *k, sf_graph *g, sf_node y,
                    const sf_node *th)
{
    const double shape = k->numbers[SHAPE];
    const sf_node order = sf_const(g, shape);
    const sf_node log_v = log_scaled(g, y, th), v = sf_exp(g, log_v);
    const sf_node w = sf_mul(g, th[0], v);
    const sf_node gap = sf_sub(g, v, th[0]), both = sf_add(g, v, th[0]);
    const sf_node below =
        sf_add(g, sf_add(g, height(g, shape, w), both), order);
    /* Divided first: the square of v - l may be too large. */
    const sf_node cost =
        sf_add(g, sf_mul(g, gap, sf_div(g, gap, below)),
               sf_mul(g, sf_const(g, 2.0 * shape), sf_div(g, both, below)));
    const sf_node gamma =
        sf_sub(g, sf_mul(g, order, log_v), sf_const(g, sfi_lgamma(shape)));
    return sf_add(g, sf_sub(g, gamma, cost), sfi_log_bessel_node(g, shape, w));
}

static void velocity(const sfi_kernel *k, sf_graph *g, sf_node y,
                     const sf_node *th, sfi_velocity how, sf_node *u)
{
    (void)how;
    const double shape = k->numbers[SHAPE];
    const sf_node w = sf_mul(g, th[0], sf_exp(g, log_scaled(g, y, th)));
    u[0] = sf_add(g, sfi_log_bessel_slope_node(g, shape, w),
                  sf_div(g, sf_const(g, 2.0), height(g, shape, w)));
    u[1] = sf_div(g, sf_const(g, -1.0), th[1]);
}

/* The Poisson number counts arrivals on [0, l].  Without one, v has the gamma law
 * of shape k.  After the first, at e, what is left is of shape k + 1 with l - e:
 * half of (n + sqrt(2 (l - e)))^2, n normal, and a gamma piece of the other
 * k + 1/2. */
static double draw(const sfi_kernel *k, const double *th, sfi_where where)
{
    const double shape = k->numbers[SHAPE], log_c = log(th[1]);
    const double rest = th[0] + log(sfi_uniform_at(where, 0));
    uint32_t component = 4;
    if (!(rest > 0.0))
        return sfi_draw_log_gamma(shape, where, &component) - log_c;
    const double n = sfi_normal_at(where, 2) + sqrt(2.0 * rest);
    const double piece =
        exp(sfi_draw_log_gamma(shape + 0.5, where, &component));
    return log(0.5 * n * n + piece) - log_c;
}

const sfi_kernel_ops sfi_kernel_cir = {
    .family = "cir",
    .chart = SFI_CHART_LOG,
    .number_count = 2,
    .numbers = {{"shape", 1.0, 0.0, 1e6, NULL},
                {"mean", 1.0, 0.0, 1e300, NULL}},
    .theta_count = 2,
    .markov = true,
    .theta = theta,
    .logp = logp,
    .velocity = velocity,
    .draw = draw};
