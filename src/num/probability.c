/* SPDX-License-Identifier: Apache-2.0 */
/* probability.c - the normal quantile by Halley's iteration on libm's erf and
 * erfc, and the beta law by a continued fraction.
 *
 * Halley's step for F(x) = p with a density f, f' = -x f, is
 *
 *     x' = x - u/(1 + x u/2),      u = (F(x) - p)/f(x)
 *
 * and leaves an error of (2 x^2 + 1)/12 times the third power of the one before:
 * two steps from guesses with four digits.  Formula numbers are those of the NIST
 * Digital Library of Mathematical Functions, dlmf.nist.gov, and of M. Abramowitz
 * and I. A. Stegun, Handbook of Mathematical Functions (1964). */
#include "num/probability.h"

#include "num/special.h"

#include <math.h>
#include <stdbool.h>

static const double root_half = 0.70710678118654752440;   /* 1/sqrt(2)   */
static const double root_two_pi = 2.50662827463100050242; /* sqrt(2 pi) */

static double halley(double x, double excess)
{
    const double u = excess * root_two_pi * exp(0.5 * x * x);
    return x - u / (1.0 + 0.5 * x * u);
}

/* p = 1/2 + q, |q| <= 1/4: the series of the inverse error function (7.17.2) to
 * 2e-4; with erf nothing cancels at q = 0. */
static double middle_quantile(double q)
{
    const double s = q * root_two_pi, s2 = s * s;
    double x =
        s *
        (1.0 + s2 * (1.0 / 6.0 + s2 * (7.0 / 120.0 + s2 * (127.0 / 5040.0))));
    for (int step = 0; step < 2; step++)
        x = halley(x, 0.5 * erf(root_half * x) - q);
    return x;
}

/* 0 < p < 1/4; the guess is 26.2.23 of Abramowitz and Stegun, to 4.5e-4. */
static double lower_quantile(double p)
{
    const double t = sqrt(-2.0 * log(p));
    double x = (2.515517 + t * (0.802853 + t * 0.010328)) /
                   (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308))) -
               t;
    for (int step = 0; step < 2; step++)
        x = halley(x, 0.5 * erfc(-root_half * x) - p);
    return x;
}

double sfi_normal_quantile(double p)
{
    if (!(p > 0.0 && p < 1.0))
        return p == 0.0 ? -INFINITY : p == 1.0 ? INFINITY : NAN;
    if (fabs(p - 0.5) <= 0.25)
        return middle_quantile(p - 0.5);
    return p < 0.5 ? lower_quantile(p) : -lower_quantile(1.0 - p);
}

/* 8.17.22 by Lentz's method, for x below the mean of the law, where it converges
 * in about sqrt(a + b) steps. */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300; /* for a denominator of 0 */
    double up = 1.0, down = 0.0, value = 1.0;
    for (int64_t k = 1; k < 1000000; k++) {
        const double m = (double)(k / 2), at = a + (double)k;
        const double d = k % 2 == 0
                             ? m * (b - m) * x / ((at - 1.0) * at)
                             : -(a + m) * (a + b + m) * x / ((at - 1.0) * at);
        down = 1.0 + d * down;
        up = 1.0 + d / up;
        down = 1.0 / (down != 0.0 ? down : tiny);
        up = up != 0.0 ? up : tiny;
        value *= up * down;
        if (fabs(up * down - 1.0) < 1e-16)
            break;
    }
    return 1.0 / value;
}

double sfi_beta_probability(double a, double b, double x)
{
    if (!(a > 0.0 && b > 0.0) || isnan(x))
        return NAN;
    if (x <= 0.0 || x >= 1.0)
        return x >= 1.0;
    const double log_size = sfi_lgamma(a + b) - sfi_lgamma(a) - sfi_lgamma(b) +
                            a * log(x) + b * log1p(-x);
    if (x * (a + b + 2.0) < a + 1.0)
        return exp(log_size) / a * beta_fraction(a, b, x);
    return 1.0 - exp(log_size) / b * beta_fraction(b, a, 1.0 - x);
}

/* ---- chi-squared --------------------------------------------------------------- */

/* Q_n(x) = Q_(n-2)(x) + (x/2)^(n/2-1) e^(-x/2)/Gamma(n/2) (26.4.8 of Abramowitz and
 * Stegun), from Q_1 = erfc(sqrt(x/2)) or Q_2 = e^(-x/2). */
double sfi_chi_squared_above(int64_t degrees, double x)
{
    const double half = 0.5 * x;
    const bool odd = degrees % 2 == 1;
    double above = odd ? erfc(sqrt(half)) : exp(-half);
    for (int64_t n = odd ? 3 : 4; n <= degrees && x > 0.0; n += 2)
        above += exp((0.5 * (double)n - 1.0) * log(half) - half -
                     sfi_lgamma(0.5 * (double)n));
    return fmin(above, 1.0);
}
