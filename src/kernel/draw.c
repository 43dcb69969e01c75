/* SPDX-License-Identifier: Apache-2.0 */
/* draw.c - random numbers that several kernels need. */
#include "kernel/families.h"

#include <math.h>

/* G. Marsaglia and W. W. Tsang, ACM TOMS 26 (2000) 363-372: for shape a >= 1,
 * d v with d = a - 1/3, v = (1 + x/sqrt(9 d))^3, x normal, is accepted with high
 * probability.  For a < 1 a draw of shape a + 1 is multiplied by u^(1/a), here
 * as logarithms.  An attempt takes four components. */
double sfi_draw_log_gamma(double shape, sfi_where where, uint32_t *component)
{
    double log_factor = 0.0;
    if (shape < 1.0) {
        log_factor = log(sfi_uniform_at(where, *component)) / shape;
        *component += 4;
        shape += 1.0;
    }
    const double d = shape - 1.0 / 3.0, c = 1.0 / sqrt(9.0 * d);
    for (;;) {
        const double x = sfi_normal_at(where, *component);
        const double u = sfi_uniform_at(where, *component + 2);
        *component += 4;
        const double root = 1.0 + c * x;
        if (root <= 0.0)
            continue;
        const double log_v = 3.0 * log(root);
        if (log(u) < 0.5 * x * x + d - d * exp(log_v) + d * log_v)
            return log(d) + log_v + log_factor;
    }
}

/* J. H. Ahrens and U. Dieter, Computing 12 (1974) 223-246.  Arrivals of rate 1 on
 * [0, mean]: arrival m comes at a place of the gamma law of shape m.  If that is
 * beyond the end, the m - 1 before it are uniform up to it; else what is left is a
 * Poisson number of the rest of the length.  Near the end arrivals are counted one
 * by one. */
double sfi_draw_poisson(double mean, sfi_where where, uint32_t *component)
{
    enum { FEW = 16 };
    double count = 0.0;
    while (mean > FEW) {
        const double m = floor(0.875 * mean);
        const double place = exp(sfi_draw_log_gamma(m, where, component));
        if (place > mean)
            return count +
                   sfi_draw_binomial(m - 1.0, mean / place, where, component);
        count += m;
        mean -= place;
    }
    for (;;) {
        mean += log(sfi_uniform_at(where, (*component)++));
        if (!(mean > 0.0))
            return count;
        count += 1.0;
    }
}

/* The same for n uniform places on [0, 1], of which those below p are counted:
 * the middle one in order, number a, is of the beta law of a and n + 1 - a. */
double sfi_draw_binomial(double n, double p, sfi_where where,
                         uint32_t *component)
{
    enum { FEW = 32 };
    double count = 0.0;
    while (n > FEW && p > 0.0 && p < 1.0) {
        const double a = floor(0.5 * n) + 1.0, b = n + 1.0 - a;
        const double up = sfi_draw_log_gamma(a, where, component);
        const double gap = sfi_draw_log_gamma(b, where, component) - up;
        const double place = 1.0 / (1.0 + exp(gap));
        if (place < p) {
            count += a;
            n = b - 1.0;
            p = (p - place) * (1.0 + exp(-gap)); /* over 1 - place */
        } else {
            n = a - 1.0;
            p /= place;
        }
    }
    if (!(p < 1.0))
        return count + n;
    for (double i = 0.0; i < n && p > 0.0; i += 1.0)
        count += sfi_uniform_at(where, (*component)++) < p;
    return count;
}
