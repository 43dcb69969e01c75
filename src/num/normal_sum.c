/* SPDX-License-Identifier: Apache-2.0 */
/* normal_sum.c - quantiles are roots of the distribution function: Newton's steps
 * within a bracket that they shrink, from that of a normal number of the same mean and
 * variance on. */
#include "num/normal_sum.h"

#include "num/probability.h"
#include "num/special.h"
#include "num/truncated.h"

#include <math.h>
#include <stdbool.h>

enum { ROOT_STEPS = 200 };

/* Weights below that of rounding are of no effect, and bounds beyond that many standard
 * deviations cut off less than rounding. */
static const double least_weight = 1e-17, far_away = 9.0;

double sfi_normal_sum_below(const sfi_normal_sum *s, double x, double *density)
{
    const double root_two_pi = 2.50662827463100050242;
    double sum = 0.0;
    *density = 0.0;
    for (int64_t k = 0; k < s->count; k++) {
        const double w = s->weight[k], sd = s->sd[k];
        if (!(w > least_weight))
            continue;
        const double z = (x - s->mean[k]) / sd;
        const double a = (s->lower - s->mean[k]) / sd;
        const double b = (s->upper - s->mean[k]) / sd;
        if (a < -far_away && b > far_away) {
            sum += w * sfi_ndtr(z);
            *density += w * exp(-0.5 * z * z) / (sd * root_two_pi);
            continue;
        }
        const double log_mass = sfi_log_interval(a, b);
        sum += w * exp(sfi_log_interval(a, fmin(z, b)) - log_mass);
        *density += w * exp(-0.5 * z * z - log_mass) / (sd * root_two_pi);
    }
    return sum;
}

/* Where the quantile is for certain, and, without the bounds, mean and sd. */
static void bracket(const sfi_normal_sum *s, double *low, double *high,
                    double *mean, double *sd)
{
    double first = 0.0, second = 0.0, total = 0.0;
    *low = INFINITY;
    *high = -INFINITY;
    for (int64_t k = 0; k < s->count; k++) {
        const double w = s->weight[k], at = s->mean[k] - s->mean[0];
        const double spread = 38.0 * s->sd[k];
        if (!(w > least_weight))
            continue;
        *low = fmin(*low, s->mean[k] - spread);
        *high = fmax(*high, s->mean[k] + spread);
        first += w * at;
        second += w * (at * at + s->sd[k] * s->sd[k]);
        total += w;
    }
    first /= total;
    *mean = s->mean[0] + first;
    *sd = sqrt(fmax(second / total - first * first, 0.0));
    *low = fmax(*low, s->lower);
    *high = fmin(*high, s->upper);
}

double sfi_normal_sum_quantile(const sfi_normal_sum *s, double p)
{
    double low, high, density, mean, sd;
    bracket(s, &low, &high, &mean, &sd);
    double x = mean + sd * sfi_normal_quantile(p);
    if (!(x > low && x < high))
        x = 0.5 * (low + high);
    const double tiny = 1e-14 * (high - low);
    for (int step = 0; step < ROOT_STEPS && high - low > tiny; step++) {
        const double excess = sfi_normal_sum_below(s, x, &density) - p;
        if (excess == 0.0)
            return x;
        if (excess > 0.0)
            high = x;
        else
            low = x;
        const double next = x - excess / density;
        if (fabs(next - x) < tiny && next > low && next < high)
            return next;
        x = next > low && next < high ? next : 0.5 * (low + high);
    }
    return x;
}
