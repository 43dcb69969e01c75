/* SPDX-License-Identifier: Apache-2.0 */
/* wrapped_normal.c - a normal angle of variance v, on the circle; theta =
 * { mean direction, 1/v }, 1/v = (1/t^2 - 1)/sigma^2: uniform at t = 1.  It is
 * the heat kernel of the circle, dp/dv = (1/2) d^2p/dx^2, so that the velocity
 * by v is -1/2 of the score, and that of a marginal is -1/2 of its own score.
 *
 * The density is a theta function, which has two series.  With f the angle from
 * the mean, from -pi to pi, L = 1/v and q = exp(-v/2),
 *
 *     p = sqrt(L/(2 pi)) sum over n of exp(-L (f + 2 pi n)^2/2)
 *       = (1 + 2 sum over k > 0 of q^(k k) cos(k f))/(2 pi).
 *
 * From L = 0.4 on the images n = -2 ... 2 are taken, the next of which is below
 * exp(-12 pi^2 L) = 3e-21 of the density; below it five waves, the next of which
 * is q^36 = 3e-20.  There the density is at least 0.44/(2 pi), so that nothing
 * cancels in either. */
#include "kernel/families.h"

#include <math.h>

enum { SIGMA };

static const double pi = 3.14159265358979324, log_2pi = 1.8378770664093455;
static const double border = 0.4;
/* Below this 1/v, q < exp(-700), and the law is taken as that of this 1/v, with
 * derivatives of 0: those of 1/L would be infinite at t = 1. */
static const double least = 1.0 / 1400.0;

static void theta(const sfi_kernel *k, sf_graph *g, sf_node x0, sf_node t,
                  sf_node *out)
{
    const double sigma = k->numbers[SIGMA];
    out[0] = x0;
    out[1] = sfi_odds(g, 1.0 / (sigma * sigma), t);
}

static sf_node at_least(sf_graph *g, sf_node precision)
{
    const sf_node bound = sf_const(g, least);
    return sf_select(g, sf_less(g, precision, bound), bound, precision);
}

/* Relative to the image in the middle, the two next to it are
 * a, b = exp(-2 pi L (pi -+ f)), and those beyond them a^3 b and b^3 a. */
static sf_node images(sf_graph *g, sf_node turn, sf_node precision)
{
    const sf_node turns = sf_floor(
        g, sf_add(g, sf_mul(g, turn, sf_const(g, 0.5 / pi)), sf_const(g, 0.5)));
    const sf_node f = sf_sub(g, turn, sf_mul(g, sf_const(g, 2.0 * pi), turns));
    const sf_node rate = sf_mul(g, sf_const(g, -2.0 * pi), precision);
    const sf_node end = sf_const(g, pi);
    const sf_node a = sf_exp(g, sf_mul(g, rate, sf_sub(g, end, f)));
    const sf_node b = sf_exp(g, sf_mul(g, rate, sf_add(g, end, f)));
    const sf_node beyond =
        sf_mul(g, sf_mul(g, a, b), sf_add(g, sf_square(g, a), sf_square(g, b)));
    const sf_node others = sf_add(g, sf_add(g, a, b), beyond);
    const sf_node middle =
        sf_mul(g, sf_const(g, 0.5),
               sf_sub(g, sf_sub(g, sf_log(g, precision), sf_const(g, log_2pi)),
                      sf_mul(g, precision, sf_square(g, f))));
    return sf_add(g, middle, sf_log1p(g, others));
}

/* cos((k + 1) f) = 2 cos(f) cos(k f) - cos((k - 1) f) */
static sf_node waves(sf_graph *g, sf_node turn, sf_node precision)
{
    const sf_node q = sf_exp(g, sf_div(g, sf_const(g, -0.5), precision));
    const sf_node q2 = sf_square(g, q);
    const sf_node twice = sf_mul(g, sf_const(g, 2.0), sf_cos(g, turn));
    /* 2 cos(k f), its predecessor, q^(2k - 1) and q^(k k) */
    sf_node wave = twice, before = sf_const(g, 2.0), odd = q, size = q;
    sf_node sum = sf_mul(g, size, wave);
    for (int k = 2; k <= 5; k++) {
        const sf_node next = sf_sub(g, sf_mul(g, twice, wave), before);
        before = wave;
        wave = next;
        odd = sf_mul(g, odd, q2);
        size = sf_mul(g, size, odd);
        sum = sf_add(g, sum, sf_mul(g, size, wave));
    }
    return sf_sub(g, sf_log1p(g, sum), sf_const(g, log_2pi));
}

static sf_node logp(const sfi_kernel *k, sf_graph *g, sf_node y,
                    const sf_node *th)
{
    (void)k;
    /* What is not taken has a precision at which it is finite. */
    const sf_node limit = sf_const(g, border);
    const sf_node wide = sf_less(g, th[1], limit);
    const sf_node turn = sf_sub(g, y, th[0]);
    const sf_node high = sf_select(g, wide, limit, th[1]);
    const sf_node low = sf_select(g, wide, at_least(g, th[1]), limit);
    return sf_select(g, wide, waves(g, turn, low), images(g, turn, high));
}

/* By 1/v: -1/2 score dv/d(1/v). */
static void velocity(const sfi_kernel *k, sf_graph *g, sf_node y,
                     const sf_node *th, sfi_velocity how, sf_node *u)
{
    (void)how;
    const sf_node score = sf_gradient(g, logp(k, g, y, th), y);
    const sf_node half_score = sf_mul(g, sf_const(g, 0.5), score);
    u[0] = sf_const(g, 1.0);
    u[1] = sf_div(g, half_score, sf_square(g, at_least(g, th[1])));
}

static double draw(const sfi_kernel *k, const double *th, sfi_where where)
{
    (void)k;
    if (th[1] < least)
        return th[0] + 2.0 * pi * (sfi_uniform_at(where, 0) - 0.5);
    const double turn = sfi_normal_at(where, 0) / sqrt(th[1]);
    return th[0] + remainder(turn, 2.0 * pi);
}

const sfi_kernel_ops sfi_kernel_wrapped_normal = {
    .family = "wrappednormal",
    .chart = SFI_CHART_ANGLE,
    .number_count = 2,
    .numbers = {{"sigma", 1.0, 0.0, 1e6, NULL}, SFI_UNIT_NUMBER},
    .theta_count = 2,
    .markov = true,
    .theta = theta,
    .logp = logp,
    .velocity = velocity,
    .draw = draw};
