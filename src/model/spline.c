/* SPDX-License-Identifier: Apache-2.0 */
/* spline.c - monotone rational-quadratic splines (J. A. Gregory and R. Delbourgo, IMA J.
 * Numer. Anal. 2 (1982) 123-130; C. Durkan et al., Neural spline flows, 2019).
 *
 * Between the knots (x_k, y_k) of a bin of width w and height h, with s = h/w, slopes a
 * and b at its ends, t = (x - x_k)/w and q = t (1 - t),
 *
 *     D  = s + (a + b - 2 s) q
 *     y  = y_k + h (s t^2 + a q)/D
 *     y' = s^2 (b t^2 + 2 s q + a (1 - t)^2)/D^2.
 *
 * Logits are bounded before they are exponentiated, so no slope or width overflows in
 * single precision and no largest logit has to be found.  Backwards, with u = y - y_k and
 * e = a + b - 2 s, t is the root of A t^2 + B t + C,
 *
 *     A = h (s - a) + u e,  B = h a - u e,  C = -s u,   t = 2 C/(-B - (B^2 - 4 A C)^1/2),
 *
 * which has no difference of nearly equal numbers; a Newton step takes what rounding
 * left.
 *
 * A bin is found without branches: c_k = 1 where knot k is at or left of x, for the inner
 * knots alone, and the differences of 1, c_1, ..., c_K-1, 0 are 1 in the bin of x.  Knots
 * belong to the bin on their right in both directions.  Outside x is moved to the bound
 * before anything is computed, so that no infinite value is multiplied by 0 in a
 * derivative. */
#include "model/spline.h"

/* What the bin of each element is like, [n] each. */
typedef struct bin {
    sf_node x, w, y, h, a, b;
} bin;

int64_t sfi_spline_logits(const sfi_spline_shape *shape)
{
    return 3 * shape->bins - 1;
}

static sf_node scaled(sf_graph *g, double factor, sf_node a)
{
    return sf_mul(g, sf_const(g, factor), a);
}

static sf_node constant_row(sf_graph *g, double value, int64_t n)
{
    const int64_t shape[] = {1, n};
    return sf_broadcast(g, sf_const(g, value), 2, shape);
}

/* Positive numbers [K, n] that sum to 2 B along the bins. */
static sf_node sizes(sf_graph *g, const sfi_spline_shape *s, sf_node logits)
{
    const double total = 2.0 * s->bound;
    const sf_node e = sf_exp(g, logits);
    const sf_node part = sf_div(g, e, sf_sum(g, e, 1u));
    return sf_add(g, scaled(g, total * (1.0 - s->floor), part),
                  sf_const(g, total * s->floor / (double)s->bins));
}

static sf_node first_rows(sf_graph *g, sf_node a, int64_t count)
{
    return sf_slice(g, a, 0, 0, count, 1);
}

/* Where the inner knots are: [K - 1, n]. */
static sf_node inner_knots(sf_graph *g, const sfi_spline_shape *s, sf_node size)
{
    const sf_node right = sf_cumsum(g, first_rows(g, size, s->bins - 1));
    return sf_sub(g, right, sf_const(g, s->bound));
}

/* The entries of `rows` [K, n] in the bins that `mask` marks. */
static sf_node pick(sf_graph *g, sf_node mask, sf_node rows)
{
    return sf_sum(g, sf_mul(g, mask, rows), 1u);
}

/* The bin of v [n], by its place among the knots of y if `by_y`, else of x. */
static bin find_bin(sf_graph *g, const sfi_spline_shape *s, sf_node logits,
                    sf_node v, bool by_y)
{
    const int64_t n = sf_node_extent(g, v, 0), bins = s->bins;
    const sf_node bounded = scaled(
        g, s->contrast, sf_tanh(g, scaled(g, 1.0 / s->contrast, logits)));
    const sf_node w = sizes(g, s, first_rows(g, bounded, bins));
    const sf_node h = sizes(g, s, sf_slice(g, bounded, 0, bins, bins, 1));
    const sf_node slopes =
        sf_exp(g, sf_slice(g, bounded, 0, 2 * bins, bins - 1, 1));
    const sf_node x = inner_knots(g, s, w), y = inner_knots(g, s, h);
    const sf_node one = constant_row(g, 1.0, n);
    const sf_node first = constant_row(g, -s->bound, n);
    const sf_node passed = sf_less_equal(g, by_y ? y : x, v);
    const sf_node mask = sf_sub(
        g, sf_concat(g, 2, (sf_node[]){one, passed}, 0),
        sf_concat(g, 2, (sf_node[]){passed, constant_row(g, 0.0, n)}, 0));
    return (bin){
        .x = pick(g, mask, sf_concat(g, 2, (sf_node[]){first, x}, 0)),
        .w = pick(g, mask, w),
        .y = pick(g, mask, sf_concat(g, 2, (sf_node[]){first, y}, 0)),
        .h = pick(g, mask, h),
        .a = pick(g, mask, sf_concat(g, 2, (sf_node[]){one, slopes}, 0)),
        .b = pick(g, mask, sf_concat(g, 2, (sf_node[]){slopes, one}, 0))};
}

/* y of t in a bin, and ln dy/dx. */
static sf_node within(sf_graph *g, const bin *k, sf_node t, sf_node *log_slope)
{
    const sf_node s = sf_div(g, k->h, k->w);
    const sf_node left = sf_sub(g, sf_const(g, 1.0), t);
    const sf_node q = sf_mul(g, t, left), square = sf_square(g, t);
    const sf_node bend = sf_sub(g, sf_add(g, k->a, k->b), scaled(g, 2.0, s));
    const sf_node d = sf_add(g, s, sf_mul(g, bend, q));
    const sf_node rise = sf_add(g, sf_mul(g, s, square), sf_mul(g, k->a, q));
    const sf_node top = sf_add(g, sf_mul(g, k->b, square),
                               sf_add(g, scaled(g, 2.0, sf_mul(g, s, q)),
                                      sf_mul(g, k->a, sf_square(g, left))));
    *log_slope =
        sf_sub(g, sf_log(g, top), scaled(g, 2.0, sf_log(g, sf_div(g, d, s))));
    return sf_add(g, k->y, sf_mul(g, k->h, sf_div(g, rise, d)));
}

static sf_node clamp(sf_graph *g, sf_node a, double lo, double hi)
{
    return sf_min(g, sf_max(g, a, sf_const(g, lo)), sf_const(g, hi));
}

/* 1 where a is in -B..B. */
static sf_node inside(sf_graph *g, const sfi_spline_shape *s, sf_node a)
{
    return sf_less_equal(g, sf_abs(g, a), sf_const(g, s->bound));
}

sf_node sfi_spline(sf_graph *g, const sfi_spline_shape *s, sf_node logits,
                   sf_node x, sf_node *log_slope)
{
    const sf_node moved = clamp(g, x, -s->bound, s->bound);
    const bin k = find_bin(g, s, logits, moved, false);
    const sf_node t = sf_div(g, sf_sub(g, moved, k.x), k.w);
    sf_node slope;
    const sf_node y = within(g, &k, t, &slope), in = inside(g, s, x);
    *log_slope = sf_select(g, in, slope, sf_const(g, 0.0));
    return sf_select(g, in, y, x);
}

/* The root in a bin, 0 to 1. */
static sf_node root(sf_graph *g, const bin *k, sf_node y)
{
    const sf_node s = sf_div(g, k->h, k->w), u = sf_sub(g, y, k->y);
    const sf_node bend = sf_sub(g, sf_add(g, k->a, k->b), scaled(g, 2.0, s));
    const sf_node ue = sf_mul(g, u, bend);
    const sf_node a = sf_add(g, sf_mul(g, k->h, sf_sub(g, s, k->a)), ue);
    const sf_node b = sf_sub(g, sf_mul(g, k->h, k->a), ue);
    const sf_node c = sf_neg(g, sf_mul(g, s, u));
    const sf_node discriminant =
        sf_sub(g, sf_square(g, b), scaled(g, 4.0, sf_mul(g, a, c)));
    const sf_node below =
        sf_add(g, b, sf_sqrt(g, sf_max(g, discriminant, sf_const(g, 0.0))));
    return clamp(g, sf_div(g, scaled(g, -2.0, c), below), 0.0, 1.0);
}

sf_node sfi_spline_inverse(sf_graph *g, const sfi_spline_shape *s,
                           sf_node logits, sf_node y)
{
    const sf_node moved = clamp(g, y, -s->bound, s->bound);
    const bin k = find_bin(g, s, logits, moved, true);
    const sf_node t = root(g, &k, moved);
    sf_node slope;
    const sf_node off = sf_sub(g, within(g, &k, t, &slope), moved);
    const sf_node step = sf_div(g, off, sf_exp(g, slope));
    const sf_node x = sf_sub(g, sf_add(g, k.x, sf_mul(g, k.w, t)), step);
    return sf_select(g, inside(g, s, y), x, y);
}
