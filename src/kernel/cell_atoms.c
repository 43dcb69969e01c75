/* SPDX-License-Identifier: Apache-2.0 */
/* cell_atoms.c - cells of columns with atoms.
 *
 * The line falls into pieces, in their order: the gap below the first atom, that atom,
 * the next gap, and so on.  Atom k has the mass P(k), and a gap that of the number's
 * family there, over its mass in all gaps, times the probability that it is a number.
 * Everything that is asked is a sum over pieces. */
#include "kernel/cell_law.h"

#include <math.h>

static double probability(const sfi_cell *c, int64_t k)
{
    return (1.0 - c->forget) * (k == c->atom ? 1.0 : 0.0) +
           c->forget * c->atoms->share[k];
}

static int64_t pieces_of(const sfi_cell *c)
{
    return 2 * c->atoms->count + 1;
}

/* The part of piece i, a gap, within bounds; whether there is any. */
static bool take_gap(const sfi_cell *c, int64_t i, double *lower, double *upper)
{
    const sfi_cell_atoms *a = c->atoms;
    const int64_t gap = i / 2;
    const double step = sfi_cell_is_discrete(c) ? 1.0 : 0.0;
    if (!a->between[gap])
        return false;
    if (gap > 0)
        *lower = fmax(*lower, a->at[gap - 1] + step);
    if (gap < a->count)
        *upper = fmin(*upper, a->at[gap] - step);
    return *lower <= *upper;
}

/* ln of the mass of piece i within bounds; of gaps those of its family, which sum to
 * exp(log_open) without bounds. */
static double log_piece(const sfi_cell *c, int64_t i, double lower,
                        double upper)
{
    const sfi_cell_atoms *a = c->atoms;
    if (i % 2 == 1)
        return a->at[i / 2] >= lower && a->at[i / 2] <= upper
                   ? log(probability(c, i / 2))
                   : -INFINITY;
    if (!take_gap(c, i, &lower, &upper) || c->log_open == -INFINITY)
        return -INFINITY;
    return log(probability(c, a->count)) +
           sfi_family_log_mass(c, lower, upper) - c->log_open;
}

static double log_add(double a, double b)
{
    const double most = fmax(a, b);
    return most > -INFINITY ? most + log1p(exp(fmin(a, b) - most)) : most;
}

sfi_cell sfi_cell_with_atoms(const sfi_block *b, const sfi_cell_atoms *atoms,
                             double x0, double t)
{
    int64_t k = 0;
    while (k < atoms->count && atoms->at[k] != x0)
        k++;
    const double start = k < atoms->count
                             ? sfi_chart_from_number(b->kernel.ops->chart, 0.0)
                             : x0;
    sfi_cell c = sfi_cell_at(b, start, k < atoms->count ? 1.0 : t);
    double log_open = -INFINITY;
    c.atoms = atoms;
    for (int64_t i = 0; i < pieces_of(&c); i += 2) {
        double lower = -INFINITY, upper = INFINITY;
        if (take_gap(&c, i, &lower, &upper))
            log_open = log_add(log_open, sfi_family_log_mass(&c, lower, upper));
    }
    c.atom = k;
    c.forget = t;
    c.log_open = log_open;
    return c;
}

static double mixed_log_mass(const sfi_cell *c, double lower, double upper)
{
    double sum = -INFINITY;
    for (int64_t i = 0; i < pieces_of(c); i++)
        sum = log_add(sum, log_piece(c, i, lower, upper));
    return fmin(sum, 0.0);
}

static double mixed_log_density(const sfi_cell *c, double x)
{
    const sfi_cell_atoms *a = c->atoms;
    int64_t gap = 0;
    while (gap < a->count && x > a->at[gap])
        gap++;
    if (gap < a->count && x == a->at[gap])
        return log(probability(c, gap));
    return a->between[gap] && c->log_open > -INFINITY
               ? log(probability(c, a->count)) + sfi_family_log_density(c, x) -
                     c->log_open
               : -INFINITY;
}

static void mixed_moments(const sfi_cell *c, double lower, double upper,
                          double *mean, double *variance)
{
    const double all = mixed_log_mass(c, lower, upper);
    double sum = 0.0, squares = 0.0, first = NAN;
    for (int64_t i = 0; i < pieces_of(c); i++) {
        double low = lower, high = upper, m = NAN, v = 0.0;
        const double weight = exp(log_piece(c, i, lower, upper) - all);
        if (!(weight > 0.0))
            continue;
        if (i % 2 == 1)
            m = c->atoms->at[i / 2];
        else if (take_gap(c, i, &low, &high))
            sfi_family_moments(c, low, high, &m, &v);
        first = isnan(first) ? m : first; /* squares are about it */
        sum += weight * (m - first);
        squares += weight * (v + (m - first) * (m - first));
    }
    *mean = first + sum;
    *variance = fmax(squares - sum * sum, 0.0);
}

static double mixed_quantile(const sfi_cell *c, double lower, double upper,
                             double p)
{
    static const double most = 1.0 - 0x1p-53; /* of a gap's mass */
    const double all = mixed_log_mass(c, lower, upper);
    double left = p, x = NAN;
    for (int64_t i = 0; i < pieces_of(c); i++) {
        double low = lower, high = upper;
        const double weight = exp(log_piece(c, i, lower, upper) - all);
        if (!(weight > 0.0))
            continue;
        if (i % 2 == 1)
            x = c->atoms->at[i / 2];
        else if (take_gap(c, i, &low, &high))
            x = sfi_family_quantile(c, low, high, fmin(left / weight, most));
        if (left <= weight)
            break;
        left -= weight;
    }
    return x;
}

/* ---- with and without ---------------------------------------------------------- */

double sfi_cell_log_mass(const sfi_cell *c, double lower, double upper)
{
    if (!(lower <= upper))
        return -INFINITY;
    return c->atoms != NULL ? mixed_log_mass(c, lower, upper)
                            : sfi_family_log_mass(c, lower, upper);
}

double sfi_cell_log_density(const sfi_cell *c, double x)
{
    return c->atoms != NULL ? mixed_log_density(c, x)
                            : sfi_family_log_density(c, x);
}

void sfi_cell_moments(const sfi_cell *c, double lower, double upper,
                      double *mean, double *variance)
{
    if (c->atoms != NULL)
        mixed_moments(c, lower, upper, mean, variance);
    else
        sfi_family_moments(c, lower, upper, mean, variance);
}

double sfi_cell_quantile(const sfi_cell *c, double lower, double upper,
                         double p)
{
    return c->atoms != NULL ? mixed_quantile(c, lower, upper, p)
                            : sfi_family_quantile(c, lower, upper, p);
}
