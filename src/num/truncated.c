/* SPDX-License-Identifier: Apache-2.0 */
/* truncated.c - with Z = P(a < z < b) and the density phi,
 *
 *     E z = (phi(a) - phi(b))/Z,   E z^2 = 1 + (a phi(a) - b phi(b))/Z,
 *
 * taken as exponentials of differences of logarithms.  Where the interval is in the
 * upper tail, z is exchanged for -z. */
#include "num/truncated.h"

#include "num/probability.h"
#include "num/special.h"

#include <math.h>

double sfi_log_interval(double a, double b)
{
    if (!(a < b))
        return -INFINITY;
    if (a > 0.0)
        return sfi_log_interval(-b, -a);
    if (b > 0.0)
        return log1p(-(sfi_ndtr(a) + sfi_ndtr(-b)));
    const double upper = sfi_log_ndtr(b), lower = sfi_log_ndtr(a);
    return upper + sfi_log1mexp(lower - upper);
}

double sfi_truncated_quantile(double a, double b, double p)
{
    if (a + b > 0.0)
        return -sfi_truncated_quantile(-b, -a, 1.0 - p);
    const double lower = sfi_ndtr(a), upper = sfi_ndtr(b);
    double z = sfi_normal_quantile(lower + p * (upper - lower));
    /* So far out the tail is that of an exponential distribution. */
    if (!(upper > 1e-290))
        z = b + log(p + (1.0 - p) * exp(fmax(b * (b - a), -700.0))) / -b;
    return fmin(fmax(z, a), b);
}

/* ln phi(x), -inf at infinities. */
static double log_density(double x)
{
    const double half_log_two_pi = 0.9189385332046727;
    return -0.5 * x * x - half_log_two_pi;
}

void sfi_truncated_moments(double a, double b, double *mean, double *variance)
{
    const double log_z = sfi_log_interval(a, b);
    const double at_a = isinf(a) ? 0.0 : exp(log_density(a) - log_z);
    const double at_b = isinf(b) ? 0.0 : exp(log_density(b) - log_z);
    *mean = at_a - at_b;
    double second = 1.0;
    second += isinf(a) ? 0.0 : a * at_a;
    second -= isinf(b) ? 0.0 : b * at_b;
    *variance = fmax(second - *mean * *mean, 0.0);
}
