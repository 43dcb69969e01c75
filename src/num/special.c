/* SPDX-License-Identifier: Apache-2.0 */
/* special.c - digamma and its derivatives, logarithms and ratios of modified
 * Bessel functions, and safe forms of the logistic function.
 *
 * Series with terms of one sign are used near the origin (nothing cancels),
 * asymptotic series far from it; the border is where the smallest term of the
 * asymptotic series falls below the rounding error.  Formula numbers are those
 * of the NIST Digital Library of Mathematical Functions, dlmf.nist.gov. */
#define _DEFAULT_SOURCE
#include "num/special.h"

#include "base/compiler.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

double sfi_sigmoid(double x)
{
    if (x >= 0)
        return 1.0 / (1.0 + exp(-x));
    const double e = exp(x);
    return e / (1.0 + e);
}

double sfi_softplus(double x)
{
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

double sfi_lgamma(double x)
{
    int sign = 0;
    return lgamma_r(x, &sign);
}

/* B(2k)/(2k)!, k = 1, 2, ...; the Bernoulli numbers over factorials that the
 * Euler-Maclaurin formula (2.10.1) needs. */
static const double bernoulli_over_factorial[] = {
    0.08333333333333333,    -0.001388888888888889,   3.306878306878307e-05,
    -8.267195767195768e-07, 2.08767569878681e-08,    -5.284190138687493e-10,
    1.3382536530684679e-11, -3.3896802963225827e-13, 8.586062056277845e-15,
    -2.174868698558062e-16, 5.5090028283602295e-18,  -1.3954464685812522e-19,
};

/* The sum over k >= 0 of (x + k)^-s for whole s >= 2 and x > 0 (25.11.1), by
 * Euler-Maclaurin from the point x + shift on: with 12 correction terms and
 * x + shift >= s + 12 the first term left out is below 1e-17 of the sum.  Every
 * term but the corrections is positive. */
static double hurwitz_zeta(int s, double x)
{
    double sum = 0.0;
    while (x < s + 12.0) {
        const double term = pow(x, -s);
        sum += term;
        x += 1.0;
        if (term < 1e-18 * sum)
            return sum;
    }
    const double power = pow(x, -s);
    double correction = 0.5 + x / (s - 1.0);
    /* s (s+1) ... (s+2k-2) x^(1-2k) */
    double factor = s / x;
    for (int k = 1; k <= (int)SFI_COUNT(bernoulli_over_factorial); k++) {
        correction += bernoulli_over_factorial[k - 1] * factor;
        factor *= (s + 2.0 * k - 1.0) * (s + 2.0 * k) / (x * x);
    }
    return sum + power * correction;
}

/* 5.11.2 beyond 10, 5.5.2 below, 5.5.4 left of the origin. */
double sfi_digamma(double x)
{
    if (x <= 0) {
        const double fraction = x - round(x);
        if (fraction == 0.0 || isnan(x) || isinf(x))
            return NAN;
        return sfi_digamma(1.0 - x) - pi / tan(pi * fraction);
    }
    double shifted = 0.0;
    while (x < 10.0) {
        shifted += 1.0 / x;
        x += 1.0;
    }
    /* B(2k)/(2k) */
    static const double b[] = {
        0.08333333333333333,   -0.008333333333333333, 0.003968253968253968,
        -0.004166666666666667, 0.007575757575757576,  -0.021092796092796094,
        0.08333333333333333,   -0.4432598039215686,
    };
    const double z = 1.0 / (x * x);
    double tail = 0.0;
    for (int k = (int)SFI_COUNT(b) - 1; k >= 0; k--)
        tail = (tail + b[k]) * z;
    return log(x) - 0.5 / x - tail - shifted;
}

double sfi_polygamma(int n, double x)
{
    if (n == 0)
        return sfi_digamma(x);
    if (n < 0 || !(x > 0))
        return NAN;
    if (isinf(x))
        return n % 2 == 0 ? -0.0 : 0.0;
    /* 25.11.12: (-1)^(n+1) n! zeta(n+1, x) */
    const double size =
        n <= 170 ? tgamma(n + 1.0) * hurwitz_zeta(n + 1, x)
                 : exp(sfi_lgamma(n + 1.0) + log(hurwitz_zeta(n + 1, x)));
    return n % 2 == 0 ? -size : size;
}

/* Where the series below hand over: the smallest term of the asymptotic series
 * at x is about exp(-2x), and exp(-40) = 4e-18. */
static const double bessel_border = 20.0;

/* The factors of 10.40.1 for order 0 and 1 without exp(x)/sqrt(2 pi x), less
 * one: the sum over k >= 1 of (-1)^k a_k(order)/x^k. */
static double bessel_asymptotic(double order, double x)
{
    double term = 1.0, sum = 0.0;
    for (int k = 1; k <= 40; k++) {
        const double odd = 2.0 * k - 1.0;
        const double next =
            -term * (4.0 * order * order - odd * odd) / (k * 8.0 * x);
        if (fabs(next) < 1e-18 || fabs(next) > fabs(term))
            break;
        term = next;
        sum += term;
    }
    return sum;
}

/* I0(x) - 1 and (for the ratio) 2 I1(x)/x from 10.25.2, for 0 <= x < border;
 * all terms are positive. */
static void bessel_series(double x, double *i0_less_1, double *two_i1_over_x)
{
    const double q = 0.25 * x * x;
    double term = 1.0, zero = 0.0, one = 1.0;
    for (int k = 1; k < 100; k++) {
        term *= q / ((double)k * k);
        zero += term;
        one += term / (k + 1.0);
        if (term < 1e-18 * zero)
            break;
    }
    *i0_less_1 = zero;
    *two_i1_over_x = one;
}

double sfi_log_i0(double x)
{
    x = fabs(x);
    if (!(x < bessel_border))
        return isfinite(x) ? x - 0.5 * log(2.0 * pi * x) +
                                 log1p(bessel_asymptotic(0.0, x))
                           : x;
    double zero, one;
    bessel_series(x, &zero, &one);
    return log1p(zero);
}

double sfi_bessel_ratio(double x)
{
    const double size = fabs(x);
    if (isnan(x))
        return x;
    double ratio = 1.0;
    if (size < bessel_border) {
        double zero, one;
        bessel_series(size, &zero, &one);
        ratio = 0.5 * size * one / (1.0 + zero);
    } else if (isfinite(x)) {
        ratio = (1.0 + bessel_asymptotic(1.0, size)) /
                (1.0 + bessel_asymptotic(0.0, size));
    }
    return copysign(ratio, x);
}
