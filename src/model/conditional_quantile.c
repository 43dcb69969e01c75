/* SPDX-License-Identifier: Apache-2.0 */
/* conditional_quantile.c - quantiles of a column: roots of its distribution function,
 * the weighted sum of the components' own, each between its bounds. */
#include "model/conditional.h"
#include "num/truncated.h"

#include <math.h>

enum { ROOT_STEPS = 200 /* of bisection and Newton's method */ };

/* One column: component k is N(mean, sd^2) between bounds. */
typedef struct cond_column {
    const sf_conditional *c;
    int64_t at; /* in the order */
    double lower, upper;
} cond_column;

static double sd_of(const cond_column *q, int64_t k)
{
    const int64_t i = q->c->order[q->at], m = q->c->others;
    return sqrt(sfi_given_covariance(&q->c->given, k)[i * m + i]);
}

/* The probability of being below x, and the density there. */
static double below(const cond_column *q, double x, double *density)
{
    const double root_two_pi = 2.50662827463100050242;
    const sf_conditional *c = q->c;
    double sum = 0.0;
    *density = 0.0;
    for (int64_t k = 0; k < c->parts.count; k++) {
        const double w = c->given.weight[k];
        if (!(w > 1e-17))
            continue;
        const double mean = sfi_mean_of(c, k, q->at), sd = sd_of(q, k);
        const double z = (x - mean) / sd, a = (q->lower - mean) / sd;
        const double b = (q->upper - mean) / sd;
        const double log_mass = sfi_log_interval(a, b);
        sum += w * exp(sfi_log_interval(a, fmin(z, b)) - log_mass);
        *density += w * exp(-0.5 * z * z - log_mass) / (sd * root_two_pi);
    }
    return sum;
}

/* A root of a rising function: Newton's steps within a bracket that they shrink. */
static double solve(const cond_column *q, double p, double low, double high)
{
    double x = 0.5 * (low + high);
    const double tiny = 1e-13 * (high - low);
    for (int step = 0; step < ROOT_STEPS && high - low > tiny; step++) {
        double density;
        const double excess = below(q, x, &density) - p;
        if (excess == 0.0)
            return x;
        if (excess > 0.0)
            high = x;
        else
            low = x;
        const double next = x - excess / density;
        if (fabs(next - x) < 1e-15 * (high - low) + 1e-15 * fabs(x))
            return next;
        x = next > low && next < high ? next : 0.5 * (low + high);
    }
    return x;
}

static void bracket(const cond_column *q, double *low, double *high)
{
    const sf_conditional *c = q->c;
    *low = INFINITY;
    *high = -INFINITY;
    for (int64_t k = 0; k < c->parts.count; k++) {
        if (!(c->given.weight[k] > 1e-17))
            continue;
        const double mean = sfi_mean_of(c, k, q->at),
                     spread = 38.0 * sd_of(q, k);
        *low = fmin(*low, mean - spread);
        *high = fmax(*high, mean + spread);
    }
    *low = fmax(*low, q->lower);
    *high = fmin(*high, q->upper);
}

sf_status sf_conditional_quantiles(const sf_conditional *c, int64_t which,
                                   int64_t count, const double *p, double *x)
{
    cond_column q = {.c = c, .at = 0};
    if (which < 0 || which >= c->dim)
        return SFI_FAIL(c->ctx, SF_E_ARG, "conditional: column %lld of %lld",
                        (long long)which, (long long)c->dim);
    while (q.at < c->others && sfi_column_of(c, q.at) != which)
        q.at++;
    if (q.at < c->others && c->intervals > (q.at == 0))
        return SFI_FAIL(c->ctx, SF_E_UNSUPPORTED,
                        "conditional: quantiles given an interval of another "
                        "column have no closed form; draw rows");
    for (int64_t i = 0; i < count; i++)
        if (!(p[i] > 0.0 && p[i] < 1.0))
            return SFI_FAIL(c->ctx, SF_E_ARG,
                            "conditional: probability %lld is %g, want within "
                            "0 and 1",
                            (long long)i, p[i]);
    if (q.at == c->others) {
        for (int64_t i = 0; i < count; i++)
            x[i] = c->value[which];
        return SF_OK;
    }
    double low, high;
    q.lower = c->lower[q.at];
    q.upper = c->upper[q.at];
    bracket(&q, &low, &high);
    for (int64_t i = 0; i < count; i++)
        x[i] = solve(&q, p[i], low, high);
    return SF_OK;
}
