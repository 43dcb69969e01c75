/* SPDX-License-Identifier: Apache-2.0 */
/* domain.c - charts of a point's numbers onto the real line, row by row and as nodes.
 *
 * One number has the chart of its bounds: ln(x - lo), ln(hi - x), or the logit
 * ln((x - lo)/(hi - x)).  A group of n shares has n - 1 coordinates, by breaking a
 * stick: with k pieces still to come, the next one is the part 1/(1 + k exp(-y)) of what
 * is left, so that y = 0 is n equal shares.  What is left is kept as a logarithm, which
 * small shares do not cancel in.  Each map stands here twice, in numbers and as nodes,
 * of which the graph takes derivatives. */
#include "density/domain.h"

#include "num/decimal.h"

#include <math.h>
#include <stdio.h>

static const double pi = 3.14159265358979324;

/* ---- rows -------------------------------------------------------------------- */

/* ln(1 + exp(a)) without overflow. */
static double softplus(double a)
{
    return a > 0.0 ? a + log1p(exp(-a)) : log1p(exp(a));
}

/* What a share is of the stick left, with `left` more to come after it: the
 * argument of the logistic function for y. */
static double tilted(double y, int64_t left)
{
    return y - log((double)left);
}

static void break_stick(const double *y, int64_t count, double *x)
{
    double stick = 0.0; /* its logarithm */
    for (int64_t i = 0; i < count - 1; i++) {
        const double a = tilted(y[i], count - 1 - i);
        x[i] = exp(stick - softplus(-a));
        stick -= softplus(a);
    }
    x[count - 1] = exp(stick);
}

/* The sum of what is left is taken from the end, where small shares are. */
static void join_stick(const double *x, int64_t count, double *y)
{
    double left = x[count - 1];
    for (int64_t i = count - 2; i >= 0; i--) {
        y[i] = log(x[i]) - log(left) + log((double)(count - 1 - i));
        left += x[i];
    }
}

static double one_to_line(const sfi_region *r, double x)
{
    switch (r->form) {
    case SFI_ABOVE:
        return log(x - r->lo);
    case SFI_BELOW:
        return log(r->hi - x);
    case SFI_BETWEEN:
        return log(x - r->lo) - log(r->hi - x);
    default:
        return x;
    }
}

static double one_from_line(const sfi_region *r, double y)
{
    switch (r->form) {
    case SFI_ABOVE:
        return r->lo + exp(y);
    case SFI_BELOW:
        return r->hi - exp(y);
    case SFI_BETWEEN:
        return r->lo + (r->hi - r->lo) / (1.0 + exp(-y));
    case SFI_CIRCLE:
        return y - 2.0 * pi * ceil((y - pi) / (2.0 * pi));
    default:
        return y;
    }
}

void sfi_domain_to_line(const sfi_domain *d, const double *x, double *y)
{
    for (int64_t k = 0; k < d->count; k++) {
        const sfi_region *r = &d->regions[k];
        double part[SFI_SHARES];
        for (int64_t i = 0; i < r->count; i++) {
            const double value = x[d->columns[r->first + i]];
            if (r->form == SFI_SIMPLEX)
                part[i] = value;
            else
                y[r->at + i] = one_to_line(r, value);
        }
        if (r->form == SFI_SIMPLEX)
            join_stick(part, r->count, y + r->at);
    }
}

void sfi_domain_from_line(const sfi_domain *d, const double *y, double *x)
{
    for (int64_t k = 0; k < d->count; k++) {
        const sfi_region *r = &d->regions[k];
        double part[SFI_SHARES];
        if (r->form == SFI_SIMPLEX)
            break_stick(y + r->at, r->count, part);
        for (int64_t i = 0; i < r->count; i++)
            x[d->columns[r->first + i]] = r->form == SFI_SIMPLEX
                                              ? part[i]
                                              : one_from_line(r, y[r->at + i]);
    }
}

static bool inside(const sfi_region *r, double x)
{
    switch (r->form) {
    case SFI_ABOVE:
        return x > r->lo && isfinite(x);
    case SFI_BELOW:
        return x < r->hi && isfinite(x);
    case SFI_BETWEEN:
        return x > r->lo && x < r->hi;
    case SFI_SIMPLEX:
        return x > 0.0 && x < 1.0;
    default:
        return isfinite(x);
    }
}

static void describe(const sfi_region *r, char *want)
{
    char lo[SFI_NUMBER_SIZE], hi[SFI_NUMBER_SIZE];
    sfi_number_format(r->lo, lo);
    sfi_number_format(r->hi, hi);
    switch (r->form) {
    case SFI_ABOVE:
        snprintf(want, SFI_DOMAIN_WANT, "a value > %s", lo);
        break;
    case SFI_BELOW:
        snprintf(want, SFI_DOMAIN_WANT, "a value < %s", hi);
        break;
    case SFI_BETWEEN:
        snprintf(want, SFI_DOMAIN_WANT, "a value between %s and %s", lo, hi);
        break;
    case SFI_SIMPLEX:
        snprintf(want, SFI_DOMAIN_WANT, "shares > 0 whose sum is 1");
        break;
    default:
        snprintf(want, SFI_DOMAIN_WANT, "a finite value");
    }
}

int64_t sfi_domain_outside(const sfi_domain *d, const double *x, char *want)
{
    const double slack = 1e-6;
    for (int64_t k = 0; k < d->count; k++) {
        const sfi_region *r = &d->regions[k];
        double sum = 0.0;
        for (int64_t i = 0; i < r->count; i++) {
            const int64_t j = d->columns[r->first + i];
            sum += x[j];
            if (!inside(r, x[j])) {
                describe(r, want);
                return j;
            }
        }
        if (r->form == SFI_SIMPLEX && !(fabs(sum - 1.0) <= slack)) {
            describe(r, want);
            return d->columns[r->first];
        }
    }
    return -1;
}

/* ---- nodes ------------------------------------------------------------------- */

static sf_node plus(sf_graph *g, double a, sf_node b)
{
    return sf_add(g, sf_const(g, a), b);
}

/* The shares of one group, [count], as break_stick() makes them. */
static sf_node shares(sf_graph *g, sf_node y, int64_t count,
                      sf_node *log_volume)
{
    const int64_t one = 1;
    sf_node parts[SFI_SHARES], stick = sf_const(g, 0.0);
    sf_node volume = sf_const(g, 0.0);
    for (int64_t i = 0; i < count - 1; i++) {
        const sf_node a =
            plus(g, tilted(0.0, count - 1 - i), sf_component(g, y, i));
        const sf_node cut =
            sf_sub(g, stick, sf_softplus(g, sf_neg(g, a))); /* ln x_i */
        stick = sf_sub(g, stick, sf_softplus(g, a));
        parts[i] = sf_reshape(g, sf_exp(g, cut), 1, &one);
        /* dx_i/dy_i = x_i (1 - its part of the stick) */
        volume = sf_sub(g, sf_add(g, volume, cut), sf_softplus(g, a));
    }
    parts[count - 1] = sf_reshape(g, sf_exp(g, stick), 1, &one);
    *log_volume = volume;
    return sf_concat(g, (int)count, parts, 0);
}

static sf_node region_node(const sfi_region *r, sf_graph *g, sf_node y,
                           sf_node *log_volume)
{
    *log_volume = sf_const(g, 0.0);
    switch (r->form) {
    case SFI_ABOVE:
        *log_volume = sf_sum_all(g, y);
        return plus(g, r->lo, sf_exp(g, y));
    case SFI_BELOW:
        *log_volume = sf_sum_all(g, y);
        return plus(g, r->hi, sf_neg(g, sf_exp(g, y)));
    case SFI_BETWEEN: {
        const sf_node tails =
            sf_add(g, sf_softplus(g, y), sf_softplus(g, sf_neg(g, y)));
        *log_volume = plus(g, (double)r->count * log(r->hi - r->lo),
                           sf_neg(g, sf_sum_all(g, tails)));
        return plus(g, r->lo,
                    sf_mul(g, sf_const(g, r->hi - r->lo), sf_sigmoid(g, y)));
    }
    case SFI_SIMPLEX:
        return shares(g, y, r->count, log_volume);
    default:
        return y;
    }
}

/* Numbers in the order of the regions, put into their columns. */
static sf_node in_columns(const sfi_domain *d, sf_graph *g, sf_node all)
{
    bool moved = false;
    for (int64_t j = 0; j < d->dim; j++)
        moved |= d->place[j] != j;
    if (!moved)
        return all;
    sf_node x = {-1};
    for (int64_t j = 0; j < d->dim;) {
        int64_t run = 1; /* columns that are together there too */
        while (j + run < d->dim && d->place[j + run] == d->place[j] + run)
            run++;
        const sf_node part = sf_slice(g, all, 0, d->place[j], run, 1);
        x = x.id < 0 ? part : sf_concat(g, 2, (sf_node[]){x, part}, 0);
        j += run;
    }
    return x;
}

sf_node sfi_domain_node(const sfi_domain *d, sf_graph *g, sf_node y,
                        sf_node *log_volume)
{
    sf_node all = {-1}, volume = sf_const(g, 0.0);
    for (int64_t k = 0; k < d->count; k++) {
        const sfi_region *r = &d->regions[k];
        sf_node own;
        const sf_node part =
            region_node(r, g, sf_slice(g, y, 0, r->at, r->inner, 1), &own);
        volume = sf_add(g, volume, own);
        all = all.id < 0 ? part : sf_concat(g, 2, (sf_node[]){all, part}, 0);
    }
    *log_volume = volume;
    return in_columns(d, g, all);
}
