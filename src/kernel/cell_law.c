/* SPDX-License-Identifier: Apache-2.0 */
/* cell_law.c - distribution functions of kernels of one number.
 *
 * The normal families are taken between bounds by num/truncated.h, whose tails keep
 * their digits; a whole number k is the normal number between k - 1/2 and k + 1/2.
 * The moments of a beta number between bounds are those of laws with a raised:
 *
 *     E[x; l < x < u] = a/(a + b) P(l < x' < u),   x' ~ beta(a + 1, b),
 *
 * and those of a lognormal number those of laws that are shifted:
 *
 *     E[x^k; l < ln x < u] = exp(k a + k^2 b^2/2) P(l < z + k b^2 < u). */
#include "kernel/cell_law.h"

#include "kernel/families.h"
#include "kernel/path.h"
#include "num/probability.h"
#include "num/special.h"
#include "num/truncated.h"

#include <math.h>

enum {
    MOST_TERMS = 40 /* standard deviations that sums of whole numbers go */
};

/* The probability of a level that no row has, as category.c has it: e^-700. */
static const double least_share = 9.8596765437597708e-305;

sfi_cell_family sfi_cell_family_of(const sfi_block *b)
{
    const sfi_kernel_ops *ops = b->kernel.ops;
    return ops == &sfi_kernel_gaussian    ? SFI_CELL_NORMAL
           : ops == &sfi_kernel_lognormal ? SFI_CELL_LOGNORMAL
           : ops == &sfi_kernel_beta      ? SFI_CELL_BETA
           : ops == &sfi_kernel_integer   ? SFI_CELL_INTEGER
           : ops == &sfi_kernel_category  ? SFI_CELL_CATEGORY
                                          : SFI_CELL_UNKNOWN;
}

const char *sfi_cells_why_not(const sfi_noise *noise)
{
    for (int64_t k = 0; k < noise->count; k++)
        if (sfi_cell_family_of(&noise->blocks[k]) == SFI_CELL_UNKNOWN)
            return "has a kernel that is not gaussian, lognormal, beta, "
                   "integer or category, whose cells have no distribution "
                   "function here";
    return NULL;
}

/* Location and scale along a path, of what starts at `from`. */
static void take_path(const sfi_kernel *k, double from, double t, sfi_cell *c)
{
    const int path = (int)sfi_kernel_number_of(k, "path");
    const sfi_path_numbers p = sfi_path_at(path, t);
    c->a = p.keep * from;
    c->b = sfi_kernel_number_of(k, "sigma") * p.spread;
}

sfi_cell sfi_cell_at(const sfi_block *b, double x0, double t)
{
    const sfi_kernel *k = &b->kernel;
    sfi_cell c = {.family = sfi_cell_family_of(b), .least = -INFINITY};
    switch (c.family) {
    case SFI_CELL_NORMAL:
        take_path(k, x0, t, &c);
        break;
    case SFI_CELL_LOGNORMAL:
        take_path(k, log(x0), t, &c);
        break;
    case SFI_CELL_INTEGER: {
        const double mean = sfi_kernel_number_of(k, "mean");
        take_path(k, x0 - mean, t, &c);
        c.a += mean;
        if (sfi_kernel_number_of(k, "least") == SFI_LEAST_ZERO)
            c.least = 0.0;
        break;
    }
    case SFI_CELL_BETA: {
        const double many = sfi_kernel_number_of(k, "concentration") / (t * t);
        const double m = (1.0 - t) * x0 + t * sfi_kernel_number_of(k, "mean");
        c.a = many * m;
        c.b = many * (1.0 - m);
        break;
    }
    case SFI_CELL_CATEGORY:
        c.a = x0;
        c.b = -expm1(sfi_kernel_number_of(k, "rate") * log1p(-t));
        c.prior = b->prior;
        c.levels = b->levels;
        break;
    case SFI_CELL_UNKNOWN:
        break;
    }
    return c;
}

bool sfi_cell_is_discrete(const sfi_cell *c)
{
    return c->family == SFI_CELL_INTEGER || c->family == SFI_CELL_CATEGORY;
}

/* ---- bounds -------------------------------------------------------------------- */

/* Bounds of the standard normal number behind a cell of the first three families. */
static void standard_bounds(const sfi_cell *c, double lower, double upper,
                            double *a, double *b)
{
    if (c->family == SFI_CELL_LOGNORMAL) {
        lower = lower > 0.0 ? log(lower) : -INFINITY;
        upper = upper > 0.0 ? log(upper) : -INFINITY;
    }
    if (c->family == SFI_CELL_INTEGER) {
        lower = fmax(ceil(lower), c->least) - 0.5;
        upper = floor(upper) + 0.5;
    }
    *a = (lower - c->a) / c->b;
    *b = (upper - c->a) / c->b;
}

/* ln of the mass that truncation left. */
static double log_allowed(const sfi_cell *c)
{
    return c->family == SFI_CELL_INTEGER && c->least == 0.0
               ? sfi_log_ndtr((c->a + 0.5) / c->b)
               : 0.0;
}

static double level_probability(const sfi_cell *c, int64_t level)
{
    return (1.0 - c->b) * ((double)level == c->a ? 1.0 : 0.0) +
           c->b * fmax(c->prior[level], least_share);
}

/* The levels from *first to *last that are within bounds. */
static void level_bounds(const sfi_cell *c, double lower, double upper,
                         int64_t *first, int64_t *last)
{
    *first = (int64_t)fmax(ceil(lower), 0.0);
    *last = (int64_t)fmin(floor(upper), (double)(c->levels - 1));
}

/* P(l < x < u) of a beta number; the side that is not small loses no digits. */
static double beta_mass(double a, double b, double lower, double upper)
{
    const double low = fmax(lower, 0.0), high = fmin(upper, 1.0);
    if (!(low < high))
        return 0.0;
    const double below = sfi_beta_probability(a, b, low);
    return below < 0.5 ? sfi_beta_probability(a, b, high) - below
                       : sfi_beta_probability(b, a, 1.0 - low) -
                             sfi_beta_probability(b, a, 1.0 - high);
}

double sfi_family_log_mass(const sfi_cell *c, double lower, double upper)
{
    double a, b;
    if (!(lower <= upper))
        return -INFINITY;
    if (c->family == SFI_CELL_CATEGORY) {
        int64_t first, last;
        double sum = 0.0;
        level_bounds(c, lower, upper, &first, &last);
        for (int64_t k = first; k <= last; k++)
            sum += level_probability(c, k);
        return log(sum);
    }
    if (c->family == SFI_CELL_BETA)
        return log(beta_mass(c->a, c->b, lower, upper));
    standard_bounds(c, lower, upper, &a, &b);
    return sfi_log_interval(a, b) - log_allowed(c);
}

double sfi_family_log_density(const sfi_cell *c, double x)
{
    static const double half_log_2pi = 0.91893853320467274;
    const bool logarithmic = c->family == SFI_CELL_LOGNORMAL;
    if (sfi_cell_is_discrete(c))
        return x == floor(x) ? sfi_family_log_mass(c, x, x) : -INFINITY;
    if (c->family == SFI_CELL_BETA)
        return x > 0.0 && x < 1.0
                   ? (c->a - 1.0) * log(x) + (c->b - 1.0) * log1p(-x) -
                         sfi_lgamma(c->a) - sfi_lgamma(c->b) +
                         sfi_lgamma(c->a + c->b)
                   : -INFINITY;
    if (logarithmic && !(x > 0.0))
        return -INFINITY;
    const double y = logarithmic ? log(x) : x, z = (y - c->a) / c->b;
    return -0.5 * z * z - log(c->b) - half_log_2pi - (logarithmic ? y : 0.0);
}

/* ---- moments ------------------------------------------------------------------- */

static void beta_moments(const sfi_cell *c, double lower, double upper,
                         double *mean, double *variance)
{
    const double n = c->a + c->b, mass = beta_mass(c->a, c->b, lower, upper);
    const double first = c->a / n, second = first * (c->a + 1.0) / (n + 1.0);
    *mean = first * beta_mass(c->a + 1.0, c->b, lower, upper) / mass;
    *variance = second * beta_mass(c->a + 2.0, c->b, lower, upper) / mass -
                *mean * *mean;
}

static void lognormal_moments(const sfi_cell *c, double lower, double upper,
                              double *mean, double *variance)
{
    double a, b;
    standard_bounds(c, lower, upper, &a, &b);
    const double all = sfi_log_interval(a, b), s = c->b;
    *mean = exp(c->a + 0.5 * s * s + sfi_log_interval(a - s, b - s) - all);
    *variance = exp(2.0 * c->a + 2.0 * s * s +
                    sfi_log_interval(a - 2.0 * s, b - 2.0 * s) - all) -
                *mean * *mean;
}

static void integer_moments(const sfi_cell *c, double lower, double upper,
                            double *mean, double *variance)
{
    const double reach = 1.0 + MOST_TERMS * c->b;
    double first = fmax(ceil(lower), c->least), last = floor(upper);
    /* Far bounds hold nothing; one that is beyond the reach is where the mass is. */
    const double middle = fmin(fmax(floor(c->a), first), last);
    first = fmax(first, middle - ceil(reach));
    last = fmin(last, middle + ceil(reach));
    const double all = sfi_family_log_mass(c, first, last);
    double sum = 0.0, squares = 0.0;
    for (double k = first; k <= last; k += 1.0) {
        const double p = exp(sfi_family_log_mass(c, k, k) - all);
        sum += p * (k - middle);
        squares += p * (k - middle) * (k - middle);
    }
    *mean = middle + sum;
    *variance = squares - sum * sum;
}

void sfi_family_moments(const sfi_cell *c, double lower, double upper,
                        double *mean, double *variance)
{
    double a, b;
    switch (c->family) {
    case SFI_CELL_NORMAL:
        standard_bounds(c, lower, upper, &a, &b);
        sfi_truncated_moments(a, b, mean, variance);
        *mean = c->a + c->b * *mean;
        *variance *= c->b * c->b;
        break;
    case SFI_CELL_LOGNORMAL:
        lognormal_moments(c, lower, upper, mean, variance);
        break;
    case SFI_CELL_BETA:
        beta_moments(c, lower, upper, mean, variance);
        break;
    case SFI_CELL_INTEGER:
        integer_moments(c, lower, upper, mean, variance);
        break;
    default:
        *mean = *variance = NAN;
    }
}

/* ---- quantiles ------------------------------------------------------------------ */

static double beta_quantile(const sfi_cell *c, double lower, double upper,
                            double p)
{
    double low = fmax(lower, 0.0), high = fmin(upper, 1.0);
    const double from = low, mass = beta_mass(c->a, c->b, low, high);
    for (;;) {
        const double middle = low + 0.5 * (high - low);
        if (!(middle > low && middle < high))
            return middle;
        if (beta_mass(c->a, c->b, from, middle) < p * mass)
            low = middle;
        else
            high = middle;
    }
}

static double level_quantile(const sfi_cell *c, double lower, double upper,
                             double p)
{
    int64_t first, last;
    level_bounds(c, lower, upper, &first, &last);
    double left = p * exp(sfi_family_log_mass(c, lower, upper));
    for (int64_t k = first; k < last; k++) {
        left -= level_probability(c, k);
        if (left <= 0.0)
            return (double)k;
    }
    return (double)last;
}

double sfi_family_quantile(const sfi_cell *c, double lower, double upper,
                           double p)
{
    double a, b;
    if (c->family == SFI_CELL_CATEGORY)
        return level_quantile(c, lower, upper, p);
    if (c->family == SFI_CELL_BETA)
        return beta_quantile(c, lower, upper, p);
    standard_bounds(c, lower, upper, &a, &b);
    double x = c->a + c->b * sfi_truncated_quantile(a, b, p);
    if (c->family == SFI_CELL_LOGNORMAL)
        x = exp(x);
    if (c->family == SFI_CELL_INTEGER)
        x = floor(x + 0.5);
    return fmin(fmax(x, lower), upper);
}
