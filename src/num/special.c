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

/* x/(1-x) less 1 is (2x-1)/(1-x), and 2x-1 is exact from 1/4 on. */
double sfi_logit(double x)
{
    if (fabs(x - 0.5) <= 0.25)
        return log1p((2.0 * x - 1.0) / (1.0 - x));
    return log(x) - log1p(-x);
}

/* M. Maechler, Accurately computing log(1 - exp(-|a|)) (2012): the two forms
 * meet where exp(x) is 1/2. */
double sfi_log1mexp(double x)
{
    return x > -0.69314718055994530942 ? log(-expm1(x)) : log1p(-exp(x));
}

double sfi_log1mexp_slope(double x)
{
    return x > 0.0 ? NAN : -1.0 / expm1(-x);
}

double sfi_mod(double a, double b)
{
    const double rest = fmod(a, b);
    return rest != 0.0 && (rest < 0.0) != (b < 0.0) ? rest + b : rest;
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

/* The factor of 10.40.1 without exp(x)/sqrt(2 pi x), less one: the sum over
 * k >= 1 of (-1)^k a_k(order)/x^k. */
static double bessel_asymptotic(double order, double x)
{
    double term = 1.0, sum = 0.0;
    for (int k = 1; k <= 40; k++) {
        const double odd = 2.0 * k - 1.0;
        const double next =
            -term * (4.0 * order * order - odd * odd) / (k * 8.0 * x);
        if (fabs(next) <= 1e-18 * fabs(sum) || fabs(next) > fabs(term))
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

/* ---- Bessel functions of any order ------------------------------------------- */

/* f = 0F1(; k; w) = sum over j of w^j/(j! (k)_j) solves w f'' + k f' = f, and
 * with r_k = f'/f = f_{k+1}/(k f_k) the recurrence of I (10.29.1) reads
 *
 *     r_k = 1/(k + w r_{k+1}),
 *
 * which loses nothing from large k to small. */
typedef struct bessel {
    double log;   /* ln f - (h - k), h = sqrt(k^2 + 4 w) */
    double slope; /* f'/f - 2/h */
} bessel;

static double height(double k, double w)
{
    return sqrt(k * k + 4.0 * w);
}

/* The series; all terms are positive. */
static bessel from_series(double k, double w)
{
    double term = 1.0 / k, sum = 0.0, weighted = 0.0;
    for (int j = 1; j < 200; j++) {
        sum += term;
        weighted += j * term;
        if (j * term < 1e-17 * weighted)
            break;
        term *= w / ((j + 1.0) * (k + j));
    }
    const double h = height(k, w);
    return (bessel){log1p(w * sum) - 4.0 * w / (h + k),
                    weighted / (1.0 + w * sum) - 2.0 / h};
}

/* 10.40.1; z = 2 sqrt(w) at least (k - 1)^2 and bessel_border. */
static bessel from_far(double k, double w)
{
    const double root = sqrt(w), z = 2.0 * root, h = height(k, w);
    const double here = bessel_asymptotic(k - 1.0, z);
    const double next = bessel_asymptotic(k, z);
    const double past = k * k / (h + z); /* h - z */
    return (bessel){sfi_lgamma(k) - (0.5 * k - 0.25) * log(w) -
                        0.5 * log(4.0 * pi) + log1p(here) + k - past,
                    ((next - here) / (1.0 + here) + past / h) / root};
}

enum { DEBYE_TERMS = 9, DEBYE_ORDER = 25 };

/* The logarithm of the series of 10.41.3, sum of U_j(p)/q^j, is the sum of
 * E_j(p)/q^j with E_j = p^j (e_0 + e_1 p^2 + ... + e_j p^2j): the recursion of
 * 10.41.9, then n E_n = n U_n - sum over m < n of m E_m U_{n-m}, in rational
 * numbers.  |E_10(p) - E_10(1)| is below 1.1, and below 0.2 for p < 0.65: at
 * orders q >= 25 and z >= 30, where p = q/sqrt(q^2 + z^2), what is left out is
 * below 2e-15. */
static const double debye[DEBYE_TERMS][DEBYE_TERMS + 1] = {
    {0.125, -0.20833333333333334},
    {0.0625, -0.375, 0.3125},
    {0.06510416666666667, -0.8296875, 1.7265625, -0.9592013888888888},
    {0.1015625, -2.21875, 8.296875, -10.59375, 4.4140625},
    {0.2095703125, -6.982282366071429, 40.542751736111114, -87.693359375,
     80.8837890625, -26.961263020833332},
    {0.5364583333333334, -25.3125, 209.625, -673.625, 1021.640625, -737.8125,
     204.94791666666666},
    {1.6380658830915178, -103.97592163085938, 1160.8294372558594,
     -5140.211273193359, 11304.659503173829, -13184.767364501953,
     7824.899444580078, -1863.07129632859},
    {5.809814453125, -477.615234375, 6904.2763671875, -40090.447265625,
     119071.95263671875, -198321.806640625, 187801.9013671875, -94603.037109375,
     19708.966064453125},
    {23.475127749972874, -2427.2885336442428, 44069.78581237793,
     -323875.5657704671, 1240124.8821487427, -2752869.211418152,
     3683609.1391855874, -2935198.3014678955, 1284393.7849998474,
     -237850.70092589766},
};

/* The sums over j of (E_j(p) - E_j(1))/q^j and of p E_j'(p)/q^j. */
static void debye_sums(double p, double q, double *value, double *slope)
{
    const double p2 = p * p;
    double size = 1.0, far = 1.0;
    *value = *slope = 0.0;
    for (int j = 1; j <= DEBYE_TERMS; j++) {
        double here = 0.0, end = 0.0, rise = 0.0;
        for (int i = j; i >= 0; i--) {
            const double e = debye[j - 1][i];
            here = here * p2 + e;
            rise = rise * p2 + (j + 2 * i) * e;
            end += e;
        }
        size *= p / q;
        far /= q;
        *value += size * here - far * end;
        *slope += size * rise;
    }
}

/* 10.41.3 at the order q = k - 1 + n of 25 or more, and down to k in n steps.
 * With h = sqrt(q^2 + z^2), p = q/h, and Stirling's series for Gamma, which is
 * what makes the sum 0 at p = 1,
 *
 *     ln f   = h - q - q ln((h + q)/2q) + ln(p)/2 + sum of (E_j(p) - E_j(1))/q^j
 *     w f'/f = (h - q - (1 - p^2) (1/2 + sum of p E_j'(p)/q^j))/2. */
static bessel from_large_order(double k, double w)
{
    const int n = k < DEBYE_ORDER ? (int)ceil(DEBYE_ORDER + 1.0 - k) : 1;
    const double q = k - 1.0 + n;
    const double h = height(q, w), rise = 4.0 * w / (h + q); /* h - q */
    const double hk = height(k, w);
    double value, slope;
    debye_sums(q / h, q, &value, &slope);
    /* h - q - (hk - k), with q - k = n - 1 */
    const double steeper = (n - 1) * ((q + k) / (h + hk) - 1.0);
    const double at_large =
        steeper - q * log1p(0.5 * rise / q) + 0.5 * log(q / h) + value;
    /* r_{k+i} = down_{i+1}/down_i, from down_n = 1 on */
    double down = 1.0, product = 1.0;
    double above = 0.5 * (rise - 4.0 * w / (h * h) * (0.5 + slope));
    for (int i = n - 1; i >= 0; i--) {
        const double next = (k + i) * down + above;
        above = w * down; /* w times what comes before `down` */
        down = next;
        product *= k + i;
    }
    return (bessel){at_large + log(down / product),
                    above / (w * down) - 2.0 / hk};
}

static bessel bessel_of(double k, double w)
{
    if (!(k > 0.0) || !(w >= 0.0))
        return (bessel){NAN, NAN};
    const double z = 2.0 * sqrt(w), q = k - 1.0;
    if (z < 30.0)
        return from_series(k, w);
    return z >= q * q ? from_far(k, w) : from_large_order(k, w);
}

double sfi_log_bessel(double k, double w)
{
    return bessel_of(k, w).log;
}

double sfi_log_bessel_slope(double k, double w)
{
    return bessel_of(k, w).slope;
}
