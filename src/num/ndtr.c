/* SPDX-License-Identifier: Apache-2.0 */
/* ndtr.c - the normal distribution function Phi, its logarithm, and the
 * derivatives of that, right to rounding in the far tail too.
 *
 * The first derivative of log Phi is h = phi/Phi, with the density phi, and with
 * x = -z it is a continued fraction (Abramowitz and Stegun 26.2.14),
 *
 *     h = z + q_1,      q_k = k/(z + q_{k+1}),
 *
 * all of whose parts are positive.  From h' = -h (x + h) every further derivative
 * follows, but x + h = q_1 is about 1/z, so that each order loses a factor of z^2
 * to cancellation.  So beyond BORDER we take the fraction itself with Taylor
 * series in place of numbers: there no order cancels, since
 *
 *     (z + q)' = 1 + q',      -1/z^2 < q' < 0.
 *
 * Before BORDER, h comes from erfc, and its derivatives from the equation. */
#include "num/special.h"

#include <math.h>
#include <stdbool.h>

static const double root_half = 0.70710678118654752440; /* 1/sqrt(2) */
static const double root_half_rest = -4.8336466567264567e-17;
static const double two_over_root_pi = 1.12837916709551257390;
static const double root_two_pi = 2.50662827463100050242;
static const double log_root_two_pi = 0.91893853320467274178;

/* Where the continued fraction takes over, in z. */
static const double border = 2.0;

/* exp(-x^2/2); what rounding took from the square is put back, for it is what
 * the exponential magnifies. */
static double gauss(double x)
{
    const double square = x * x;
    return exp(-0.5 * square) * (1.0 - 0.5 * fma(x, x, -square));
}

/* erfc(-x/sqrt(2))/2, where again the argument's rounding error counts. */
double sfi_ndtr(double x)
{
    const double a = -x * root_half;
    if (!(fabs(a) < 40.0))
        return 0.5 * erfc(a);
    const double rest = fma(-x, root_half, -a) - x * root_half_rest;
    return 0.5 * (erfc(a) - two_over_root_pi * exp(-a * a) * rest);
}

/* Taylor coefficients of h at x = -z, by z: c[0] + c[1] s + ..., `count` of
 * them.  What the fraction leaves out after n steps falls like
 * exp(-2 z sqrt(2 n)). */
static void far_series(double z, double *c, int count)
{
    double q[SFI_LOG_NDTR_ORDERS] = {0.0}, r[SFI_LOG_NDTR_ORDERS];
    const int steps = 20 + (int)(640.0 / (z * z));
    for (int k = steps; k >= 1; k--) {
        q[0] += z;
        if (count > 1)
            q[1] += 1.0;
        /* q <- k/q */
        const double inverse = 1.0 / q[0];
        r[0] = k * inverse;
        for (int j = 1; j < count; j++) {
            double sum = 0.0;
            for (int i = 1; i <= j; i++)
                sum += q[i] * r[j - i];
            r[j] = -sum * inverse;
        }
        for (int j = 0; j < count; j++)
            q[j] = r[j];
    }
    for (int j = 0; j < count; j++)
        c[j] = q[j];
    c[0] += z;
    if (count > 1)
        c[1] += 1.0;
}

/* The same by x, from h' = -h v, v = x + h. */
static void near_series(double x, double *c, int count)
{
    c[0] = gauss(x) / (root_two_pi * sfi_ndtr(x));
    for (int j = 1; j < count; j++) {
        double sum = c[j - 1] * (x + c[0]);
        for (int i = 1; i < j; i++)
            sum += c[j - 1 - i] * (c[i] + (i == 1 ? 1.0 : 0.0));
        c[j] = -sum / j;
    }
}

double sfi_log_ndtr_slope(int order, double x)
{
    if (order < 1 || order > SFI_LOG_NDTR_ORDERS || isnan(x))
        return NAN;
    if (isinf(x)) /* -inf: h = -x, beside which all else is gone */
        return x > 0.0 || order > 2 ? 0.0 : order == 1 ? INFINITY : -1.0;
    double c[SFI_LOG_NDTR_ORDERS];
    const bool far = x < -border;
    if (far)
        far_series(-x, c, order);
    else if (x < 40.0)
        near_series(x, c, order);
    else
        return 0.0; /* below the least double */
    double factorial = 1.0;
    for (int j = 2; j < order; j++)
        factorial *= j;
    const double value = factorial * c[order - 1];
    return far && order % 2 == 0 ? -value : value;
}

double sfi_log_ndtr(double x)
{
    if (x > 0.0)
        return log1p(-sfi_ndtr(-x));
    if (!(x < -border))
        return log(sfi_ndtr(x));
    /* log phi - log h */
    return -0.5 * x * x - log_root_two_pi - log(sfi_log_ndtr_slope(1, x));
}
