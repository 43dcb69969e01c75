/* SPDX-License-Identifier: Apache-2.0 */
/* integer.c - whole numbers under rounded normal noise, theta = { m, s }:
 *
 *     P(k) = [Phi((k + 1/2 - m)/s) - Phi((k - 1/2 - m)/s)]/Z,
 *     m = mean + keep (x0 - mean),     s = sigma spread,
 *
 * keep and spread being those of the path.  With `least` 0 it is truncated to
 * k >= 0, Z = Phi((m + 1/2)/s); else Z = 1.  Probabilities are with respect to
 * counting: where s is large they differ from the normal density by (z^2 - 1)/(24 s^2)
 * of it, z = (k - m)/s, and where it is small a column of few values is not taken for
 * one whose density has no bound.
 *
 * With a = (|k - m| - 1/2)/s and b = a + 1/s the difference is Phi(-a) - Phi(-b),
 * which keeps its digits in both tails. */
#include "kernel/families.h"

#include <math.h>

enum { PATH, SIGMA, MEAN, LEAST };

static void theta(const sfi_kernel *k, sf_graph *g, sf_node x0, sf_node t,
                  sf_node *out)
{
    const sf_node mean = sf_const(g, k->numbers[MEAN]);
    sfi_path(g, (int)k->numbers[PATH], k->numbers[SIGMA], sf_sub(g, x0, mean),
             t, out);
    out[0] = sf_add(g, out[0], mean);
}

static sf_node logp(const sfi_kernel *k, sf_graph *g, sf_node x,
                    const sf_node *th)
{
    const sf_node half = sf_const(g, 0.5);
    const sf_node gap = sf_abs(g, sf_sub(g, x, th[0]));
    const sf_node near = sf_log_ndtr(g, sf_div(g, sf_sub(g, half, gap), th[1]));
    const sf_node far =
        sf_log_ndtr(g, sf_div(g, sf_neg(g, sf_add(g, half, gap)), th[1]));
    const sf_node all = sf_add(g, near, sf_log1mexp(g, sf_sub(g, far, near)));
    if (k->numbers[LEAST] != SFI_LEAST_ZERO)
        return all;
    return sf_sub(g, all,
                  sf_log_ndtr(g, sf_div(g, sf_add(g, th[0], half), th[1])));
}

/* Truncation by drawing again: from m >= -1/2 on half of the draws or more are
 * kept. */
static double draw(const sfi_kernel *k, const double *th, sfi_where where)
{
    enum { MOST_DRAWS = 64 };
    const bool truncated = k->numbers[LEAST] == SFI_LEAST_ZERO;
    for (uint32_t i = 0; i < MOST_DRAWS; i++) {
        const double x = floor(th[0] + th[1] * sfi_normal_at(where, i) + 0.5);
        if (!truncated || x >= 0.0)
            return x;
    }
    return 0.0;
}

const sfi_kernel_ops sfi_kernel_integer = {
    .family = "integer",
    .chart = SFI_CHART_REAL,
    .number_count = 4,
    .numbers = {SFI_PATH_NUMBER,
                {"sigma", 1.0, 0.0, 1e15, NULL},
                {"mean", 0.0, -1e15, 1e15, NULL},
                {"least", SFI_LEAST_NONE, 0.0, 0.0, "none|0"}},
    .theta_count = 2,
    .theta = theta,
    .logp = logp,
    .draw = draw,
    .discrete = true};
