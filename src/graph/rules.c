/* SPDX-License-Identifier: Apache-2.0 */
/* rules.c - the derivative rules, one place for every operation.
 *
 * An element-wise operation has one rule: its partial derivatives, as nodes.
 * Reverse and forward rules both follow from them:
 *
 *     cotangent of arg k = cotangent * partial_k
 *     tangent            = sum_k partial_k * tangent of arg k
 *
 * A structural operation is linear in each argument; its reverse rule is the
 * adjoint map, its forward rule the map itself.
 *
 * Tangents carry one more axis than what they are tangents of, the last one,
 * with one entry for each direction: a Jacobian is one forward pass whose
 * directions are the unit vectors. */
#include "graph/graph.h"

#include "num/special.h"

#include <math.h>
#include <string.h>

static const sf_node none = {-1};

static sf_node full_like(sf_graph *g, sf_node n, double value)
{
    return sfi_full(g, &sfi_at(g, n)->shape, value);
}

/* ---- element-wise: partial derivatives ------------------------------------ */

#define PARTIAL(NAME)                                                          \
    static sf_node partial_##NAME(sf_graph *g SFI_UNUSED,                      \
                                  sf_node y SFI_UNUSED, sf_node a SFI_UNUSED,  \
                                  sf_node b SFI_UNUSED, int k SFI_UNUSED)

PARTIAL(NEG)
{
    return full_like(g, a, -1.0);
}

PARTIAL(ABS)
{
    return sf_sign(g, a);
}

PARTIAL(SIGN)
{
    return full_like(g, a, 0.0);
}

PARTIAL(FLOOR)
{
    return full_like(g, a, 0.0);
}

PARTIAL(SQRT)
{
    return sf_div(g, sf_const(g, 0.5), y);
}

PARTIAL(EXP)
{
    return y;
}

PARTIAL(EXPM1)
{
    return sf_add(g, y, sf_const(g, 1.0));
}

PARTIAL(LOG)
{
    return sf_div(g, sf_const(g, 1.0), a);
}

PARTIAL(LOG1P)
{
    return sf_div(g, sf_const(g, 1.0), sf_add(g, a, sf_const(g, 1.0)));
}

PARTIAL(SIN)
{
    return sf_cos(g, a);
}

PARTIAL(COS)
{
    return sf_neg(g, sf_sin(g, a));
}

/* 1/sqrt(1 - a^2), without squaring what is near 1. */
PARTIAL(ASIN)
{
    const sf_node one = sf_const(g, 1.0);
    const sf_node square = sf_mul(g, sf_sub(g, one, a), sf_add(g, one, a));
    return sf_div(g, one, sf_sqrt(g, square));
}

PARTIAL(ACOS)
{
    return sf_neg(g, partial_ASIN(g, y, a, b, k));
}

PARTIAL(ATAN)
{
    const sf_node one = sf_const(g, 1.0);
    return sf_div(g, one, sf_add(g, one, sf_square(g, a)));
}

PARTIAL(SINH)
{
    return sf_cosh(g, a);
}

PARTIAL(COSH)
{
    return sf_sinh(g, a);
}

PARTIAL(TANH)
{
    return sf_sub(g, sf_const(g, 1.0), sf_square(g, y));
}

PARTIAL(ERF)
{
    const double two_over_sqrt_pi = 1.1283791670955126;
    return sf_mul(g, sf_const(g, two_over_sqrt_pi),
                  sf_exp(g, sf_neg(g, sf_square(g, a))));
}

PARTIAL(ERFC)
{
    return sf_neg(g, partial_ERF(g, y, a, b, k));
}

PARTIAL(NDTR)
{
    const double one_over_root_two_pi = 0.39894228040143267794;
    const sf_node half_square = sf_mul(g, sf_const(g, 0.5), sf_square(g, a));
    return sf_mul(g, sf_const(g, one_over_root_two_pi),
                  sf_exp(g, sf_neg(g, half_square)));
}

PARTIAL(LOG_NDTR)
{
    return sfi_log_ndtr_slope_node(g, 1, a);
}

PARTIAL(LOG_NDTR_SLOPE)
{
    double order = 0.0;
    if (k == 0 || !sfi_is_const(g, a, &order))
        return full_like(g, b, 0.0);
    return sfi_log_ndtr_slope_node(g, (int)order + 1, b);
}

PARTIAL(SIGMOID)
{
    return sf_mul(g, y, sf_sub(g, sf_const(g, 1.0), y));
}

PARTIAL(SOFTPLUS)
{
    return sf_sigmoid(g, a);
}

PARTIAL(LOGIT)
{
    const sf_node one = sf_const(g, 1.0);
    return sf_div(g, one, sf_mul(g, a, sf_sub(g, one, a)));
}

PARTIAL(LOG1MEXP)
{
    return sfi_elementwise(g, SFI_OP_LOG1MEXP_SLOPE, 1, &a);
}

/* s = -1/expm1(-a) is not above 0, so that nothing cancels in s (1 - s). */
PARTIAL(LOG1MEXP_SLOPE)
{
    return sf_mul(g, y, sf_sub(g, sf_const(g, 1.0), y));
}

PARTIAL(EXP_FALL)
{
    return sf_neg(g, sf_mul(g, sf_sign(g, a), y));
}

/* 1/(1+b), or 1 - 1/(1+b). */
PARTIAL(SIGMOID_OF)
{
    const sf_node one = full_like(g, b, 1.0);
    const sf_node inverse = sf_div(g, one, sf_add(g, one, b));
    const sf_node slope = sf_mul(g, inverse, inverse);
    const sf_node below = sf_less(g, a, sf_const(g, 0.0));
    return k == 0 ? full_like(g, y, 0.0)
                  : sf_select(g, below, slope, sf_neg(g, slope));
}

PARTIAL(SOFTPLUS_OF)
{
    const sf_node one = full_like(g, b, 1.0);
    return k == 0 ? sf_less(g, sf_const(g, 0.0), a)
                  : sf_div(g, one, sf_add(g, one, b));
}

PARTIAL(LGAMMA)
{
    return sf_polygamma(g, 0, a);
}

PARTIAL(LOG_I0)
{
    return sf_bessel_ratio(g, a);
}

/* A' = 1 - A^2 - A/x.  Near 0 the terms cancel and A/x is 0/0, so there the
 * power series of A' serves (Abramowitz and Stegun 9.6.10, divided out); at
 * |x| = 0.3 its first missing term is below 4e-9 and its derivative, which
 * second derivatives take, below 2e-7. */
PARTIAL(BESSEL_RATIO)
{
    static const double series[] = {
        1.0 / 2,
        -3.0 / 16,
        5.0 / 96,
        -77.0 / 6144,
        4257.0 / 1474560 /* 9 * 473 / 1474560 */,
    };
    const sf_node small = sf_less(g, sf_abs(g, a), sf_const(g, 0.3));
    const sf_node one = sf_const(g, 1.0);
    const sf_node safe = sf_select(g, small, one, a);
    const sf_node away =
        sf_sub(g, sf_sub(g, one, sf_square(g, y)), sf_div(g, y, safe));
    const sf_node a2 = sf_square(g, a);
    sf_node near = sf_const(g, series[4]);
    for (int i = 3; i >= 0; i--)
        near = sf_add(g, sf_mul(g, near, a2), sf_const(g, series[i]));
    return sf_select(g, small, near, away);
}

PARTIAL(POLYGAMMA)
{
    double order = 0.0;
    if (k == 0 || !sfi_is_const(g, a, &order))
        return full_like(g, b, 0.0);
    return sf_polygamma(g, (int)order + 1, b);
}

PARTIAL(LOG_BESSEL)
{
    double order = 0.0;
    if (k == 0 || !sfi_is_const(g, a, &order))
        return full_like(g, b, 0.0);
    return sfi_log_bessel_slope_node(g, order, b);
}

/* With r_k = f'/f, f = 0F1(; k; w), r_k' = r_k (r_{k+1} - r_k).  The slope is
 * r_k - 2/h_k, h_k = sqrt(k^2 + 4 w), and (2/h_k)' = -4/h_k^3.  In
 * r_{k+1} - r_k the two slopes and what they lack are subtracted apart:
 *
 *     2/h_{k+1} - 2/h_k = -2 (2 k + 1)/((h_k + h_{k+1}) h_k h_{k+1}). */
PARTIAL(LOG_BESSEL_SLOPE)
{
    double order = 0.0;
    if (k == 0 || !sfi_is_const(g, a, &order))
        return full_like(g, b, 0.0);
    const sf_node w4 = sf_mul(g, sf_const(g, 4.0), b);
    const double up = order + 1.0;
    const sf_node here = sf_sqrt(g, sf_add(g, w4, sf_const(g, order * order)));
    const sf_node next = sf_sqrt(g, sf_add(g, w4, sf_const(g, up * up)));
    const sf_node growth = sf_div(g, sf_const(g, 2.0), here);
    const sf_node apart =
        sf_div(g, sf_const(g, -2.0 * (2.0 * order + 1.0)),
               sf_mul(g, sf_add(g, here, next), sf_mul(g, here, next)));
    const sf_node difference =
        sf_add(g, sf_sub(g, sfi_log_bessel_slope_node(g, up, b), y), apart);
    return sf_add(g, sf_mul(g, sf_add(g, y, growth), difference),
                  sf_div(g, sf_square(g, growth), here));
}

PARTIAL(ADD)
{
    return full_like(g, a, 1.0);
}

PARTIAL(SUB)
{
    return full_like(g, a, k == 0 ? 1.0 : -1.0);
}

PARTIAL(MUL)
{
    return k == 0 ? b : a;
}

PARTIAL(DIV)
{
    if (k == 0)
        return sf_div(g, sf_const(g, 1.0), b);
    return sf_neg(g, sf_div(g, y, b));
}

PARTIAL(POW)
{
    if (k == 0)
        return sf_mul(g, b, sf_pow(g, a, sf_sub(g, b, sf_const(g, 1.0))));
    return sf_mul(g, y, sf_log(g, a));
}

/* At a tie the whole derivative goes to the first operand. */
PARTIAL(MIN)
{
    const sf_node first = sf_less_equal(g, a, b);
    return k == 0 ? first : sf_sub(g, sf_const(g, 1.0), first);
}

PARTIAL(MAX)
{
    const sf_node first = sf_less_equal(g, b, a);
    return k == 0 ? first : sf_sub(g, sf_const(g, 1.0), first);
}

PARTIAL(ATAN2)
{
    const sf_node r2 = sf_add(g, sf_square(g, a), sf_square(g, b));
    return k == 0 ? sf_div(g, b, r2) : sf_neg(g, sf_div(g, a, r2));
}

/* By b, minus the whole number of times that b is in a. */
PARTIAL(MOD)
{
    return k == 0 ? full_like(g, y, 1.0)
                  : sf_neg(g, sf_floor(g, sf_div(g, a, b)));
}

PARTIAL(LESS)
{
    return full_like(g, y, 0.0);
}

PARTIAL(LESS_EQUAL)
{
    return full_like(g, y, 0.0);
}

PARTIAL(EQUAL)
{
    return full_like(g, y, 0.0);
}

PARTIAL(KEEP)
{
    return k == 0 ? sf_keep(g, full_like(g, y, 1.0), b) : full_like(g, y, 0.0);
}

/* a is the condition, b the value if it holds. */
PARTIAL(SELECT)
{
    const sf_node one = full_like(g, y, 1.0), zero = full_like(g, y, 0.0);
    if (k == 0)
        return zero;
    return k == 1 ? sf_select(g, a, one, zero) : sf_select(g, a, zero, one);
}

PARTIAL(FMA)
{
    return k == 0 ? b : k == 1 ? a : full_like(g, y, 1.0);
}

typedef sf_node (*partial_rule)(sf_graph *g, sf_node y, sf_node a, sf_node b,
                                int k);

static const partial_rule partials[] = {
#define EW(NAME, ...) partial_##NAME,
#include "graph/ops.def"
};

/* y = x sigmoid(x) has y' = s + y (1 - s): one product less on the way back
 * than the product rule gives, and nothing but y' to keep for it. */
static bool is_silu(const sf_graph *g, sf_node y, sf_node *x, sf_node *s)
{
    if (sfi_at(g, y)->op != SFI_OP_MUL)
        return false;
    for (int k = 0; k < 2; k++) {
        *x = sfi_arg(g, y, k);
        *s = sfi_arg(g, y, 1 - k);
        if (sfi_at(g, *s)->op == SFI_OP_SIGMOID &&
            sfi_arg(g, *s, 0).id == x->id)
            return true;
    }
    return false;
}

static sf_node silu_slope(sf_graph *g, sf_node y, sf_node s)
{
    return sf_add(g, sf_mul(g, y, sf_sub(g, sf_const(g, 1.0), s)), s);
}

sf_node sfi_partial(sf_graph *g, sf_node y, int k)
{
    const sf_node a = sfi_arg(g, y, 0);
    const sf_node b = sfi_at(g, y)->arg_count > 1 ? sfi_arg(g, y, 1) : a;
    return partials[sfi_at(g, y)->op](g, y, a, b, k);
}

/* Where a branch was not taken its cotangent is 0, whatever the cotangent of
 * the whole: a product with 0 would turn infinities into NaN. */
static void vjp_select(sf_graph *g, sf_node y, sf_node ct, sf_node *cot)
{
    const sf_node zero = full_like(g, y, 0.0);
    const sf_node condition = sfi_arg(g, y, 0);
    cot[1] = sf_select(g, condition, ct, zero);
    cot[2] = sf_select(g, condition, zero, ct);
}

static void vjp_elementwise(sf_graph *g, sf_node y, sf_node ct,
                            const sfi_wanted *wanted, sf_node *cot)
{
    sf_node x, s;
    if (sfi_at(g, y)->op == SFI_OP_SELECT) {
        vjp_select(g, y, ct, cot);
        return;
    }
    if (is_silu(g, y, &x, &s)) {
        const int k = sfi_arg(g, y, 0).id == x.id ? 0 : 1;
        if (wanted[k] && wanted[1 - k] != SFI_ASKED) {
            cot[k] = sf_mul(g, ct, silu_slope(g, y, s));
            return;
        }
    }
    const int count = sfi_at(g, y)->arg_count;
    for (int k = 0; k < count; k++)
        if (wanted[k])
            cot[k] = sf_mul(g, ct, sfi_partial(g, y, k));
}

/* A vector of an element-wise value, made ready to meet tangents. */
static sf_node beside(sf_graph *g, sf_node value, int64_t width)
{
    return sfi_stretch_last(g, value, width);
}

static sf_node jvp_elementwise(sf_graph *g, sf_node y, const sf_node *tangent,
                               int64_t width)
{
    sf_node x, s;
    const int count = sfi_at(g, y)->arg_count;
    if (is_silu(g, y, &x, &s)) {
        const int k = sfi_arg(g, y, 0).id == x.id ? 0 : 1;
        if (!sfi_none(tangent[k]))
            return sf_mul(g, beside(g, silu_slope(g, y, s), width), tangent[k]);
    }
    if (sfi_at(g, y)->op == SFI_OP_SELECT) {
        const sf_node zero = sf_const(g, 0.0);
        return sf_select(g, beside(g, sfi_arg(g, y, 0), width),
                         sfi_none(tangent[1]) ? zero : tangent[1],
                         sfi_none(tangent[2]) ? zero : tangent[2]);
    }
    sf_node total = none;
    for (int k = 0; k < count; k++) {
        if (sfi_none(tangent[k]))
            continue;
        const sf_node term =
            sf_mul(g, beside(g, sfi_partial(g, y, k), width), tangent[k]);
        total = sfi_none(total) ? term : sf_add(g, total, term);
    }
    return total;
}

/* ---- structural: adjoints and forward maps --------------------------------- */

#define VJP(NAME)                                                              \
    static void vjp_##NAME(                                                    \
        sf_graph *g SFI_UNUSED, sf_node y SFI_UNUSED, sf_node ct SFI_UNUSED,   \
        const sfi_wanted *wanted SFI_UNUSED, sf_node *cot SFI_UNUSED)
#define JVP(NAME)                                                              \
    static sf_node jvp_##NAME(sf_graph *g SFI_UNUSED, sf_node y SFI_UNUSED,    \
                              const sf_node *t SFI_UNUSED,                     \
                              int64_t width SFI_UNUSED)

/* Leaves have no arguments; the derivative loops never get here. */
#define LEAF(NAME)                                                             \
    VJP(NAME)                                                                  \
    {                                                                          \
    }                                                                          \
    JVP(NAME)                                                                  \
    {                                                                          \
        return none;                                                           \
    }
LEAF(INPUT)
LEAF(PARAM)
LEAF(CONST)
LEAF(ARRAY)

/* Shape `s` with the direction axis behind it. */
static sfi_shape with_width(const sfi_shape *s, int64_t width)
{
    sfi_shape out = *s;
    if (out.rank < SF_MAX_RANK)
        out.extent[out.rank++] = width;
    return out;
}

VJP(SUM)
{
    const sf_node a = sfi_arg(g, y, 0);
    const sfi_shape full = sfi_at(g, a)->shape;
    const unsigned axes = (unsigned)sfi_at(g, y)->attr[0];
    sfi_shape ones = full;
    for (int i = 0; i < full.rank; i++)
        if (axes >> i & 1)
            ones.extent[i] = 1;
    cot[0] = sf_broadcast(g, sf_reshape(g, ct, ones.rank, ones.extent),
                          full.rank, full.extent);
}

JVP(SUM)
{
    return sf_sum(g, t[0], (unsigned)sfi_at(g, y)->attr[0]);
}

VJP(BROADCAST)
{
    const sfi_shape from = sfi_at(g, sfi_arg(g, y, 0))->shape;
    const sfi_shape to = sfi_at(g, y)->shape;
    unsigned axes = 0;
    for (int i = 0; i < to.rank; i++) {
        const int j = from.rank - to.rank + i;
        if (j < 0 || (from.extent[j] == 1 && to.extent[i] != 1))
            axes |= 1u << i;
    }
    cot[0] = sf_reshape(g, sf_sum(g, ct, axes), from.rank, from.extent);
}

JVP(BROADCAST)
{
    const sfi_shape to = with_width(&sfi_at(g, y)->shape, width);
    return sf_broadcast(g, t[0], to.rank, to.extent);
}

VJP(RESHAPE)
{
    const sfi_shape from = sfi_at(g, sfi_arg(g, y, 0))->shape;
    cot[0] = sf_reshape(g, ct, from.rank, from.extent);
}

JVP(RESHAPE)
{
    const sfi_shape to = with_width(&sfi_at(g, y)->shape, width);
    return sf_reshape(g, t[0], to.rank, to.extent);
}

VJP(PERMUTE)
{
    int back[SF_MAX_RANK];
    const sfi_node *n = sfi_at(g, y);
    for (int i = 0; i < n->shape.rank; i++)
        back[n->attr[i]] = i;
    cot[0] = sf_permute(g, ct, back);
}

JVP(PERMUTE)
{
    int order[SF_MAX_RANK];
    const sfi_node *n = sfi_at(g, y);
    const int rank = n->shape.rank;
    for (int i = 0; i < rank; i++)
        order[i] = (int)n->attr[i];
    if (rank < SF_MAX_RANK)
        order[rank] = rank;
    return sf_permute(g, t[0], order);
}

VJP(SLICE)
{
    const sfi_node n = *sfi_at(g, y);
    const int axis = (int)n.attr[0];
    cot[0] = sf_pad(g, ct, axis, n.attr[1], n.attr[2],
                    sfi_at(g, sfi_arg(g, y, 0))->shape.extent[axis]);
}

JVP(SLICE)
{
    const sfi_node n = *sfi_at(g, y);
    return sf_slice(g, t[0], (int)n.attr[0], n.attr[1],
                    n.shape.extent[n.attr[0]], n.attr[2]);
}

VJP(PAD)
{
    const sfi_node n = *sfi_at(g, y);
    const int axis = (int)n.attr[0];
    cot[0] =
        sf_slice(g, ct, axis, n.attr[1],
                 sfi_at(g, sfi_arg(g, y, 0))->shape.extent[axis], n.attr[2]);
}

JVP(PAD)
{
    const sfi_node n = *sfi_at(g, y);
    return sf_pad(g, t[0], (int)n.attr[0], n.attr[1], n.attr[2],
                  n.shape.extent[n.attr[0]]);
}

VJP(CONCAT)
{
    const sfi_node n = *sfi_at(g, y);
    const int axis = (int)n.attr[0];
    int64_t first = 0;
    for (int k = 0; k < n.arg_count; k++) {
        const int64_t extent = sfi_at(g, sfi_arg(g, y, k))->shape.extent[axis];
        if (wanted[k])
            cot[k] = sf_slice(g, ct, axis, first, extent, 1);
        first += extent;
    }
}

/* The tangents of the parts, padded to their places and added: parts without a
 * tangent then need no zeros. */
JVP(CONCAT)
{
    const sfi_node n = *sfi_at(g, y);
    const int axis = (int)n.attr[0];
    bool all = true;
    for (int k = 0; k < n.arg_count; k++)
        all = all && !sfi_none(t[k]);
    if (all)
        return sf_concat(g, n.arg_count, t, axis);
    int64_t first = 0;
    sf_node total = none;
    for (int k = 0; k < n.arg_count; k++) {
        const int64_t extent = sfi_at(g, sfi_arg(g, y, k))->shape.extent[axis];
        if (!sfi_none(t[k])) {
            const sf_node term =
                sf_pad(g, t[k], axis, first, 1, n.shape.extent[axis]);
            total = sfi_none(total) ? term : sf_add(g, total, term);
        }
        first += extent;
    }
    return total;
}

VJP(STOP_GRADIENT)
{
}

JVP(STOP_GRADIENT)
{
    return none;
}

VJP(MATMUL)
{
    const sf_node a = sfi_arg(g, y, 0), b = sfi_arg(g, y, 1);
    if (wanted[0])
        cot[0] = sf_matmul(g, ct, sf_transpose(g, b));
    if (wanted[1])
        cot[1] = sf_matmul(g, sf_transpose(g, a), ct);
}

/* [m,k] x [k,n,width]: the directions become columns.
 * [m,k,width] x [k,n]: they become rows, [m,width,k] x [k,n]. */
JVP(MATMUL)
{
    const sf_node a = sfi_arg(g, y, 0), b = sfi_arg(g, y, 1);
    const int64_t m = sfi_at(g, a)->shape.extent[0];
    const int64_t k = sfi_at(g, a)->shape.extent[1];
    const int64_t n = sfi_at(g, b)->shape.extent[1];
    sf_node total = none;
    if (!sfi_none(t[1])) {
        const sf_node columns =
            sf_reshape(g, t[1], 2, (int64_t[]){k, n * width});
        total = sf_reshape(g, sf_matmul(g, a, columns), 3,
                           (int64_t[]){m, n, width});
    }
    if (!sfi_none(t[0])) {
        const sf_node swapped = sf_permute(g, t[0], (int[]){0, 2, 1});
        const sf_node rows =
            sf_reshape(g, swapped, 2, (int64_t[]){m * width, k});
        const sf_node moved =
            sf_reshape(g, sf_matmul(g, rows, b), 3, (int64_t[]){m, width, n});
        const sf_node term = sf_permute(g, moved, (int[]){0, 2, 1});
        total = sfi_none(total) ? term : sf_add(g, total, term);
    }
    return total;
}

/* One direction of a tangent. */
static sf_node direction(sf_graph *g, sf_node t, int64_t d)
{
    const sfi_shape s = sfi_at(g, t)->shape;
    const sf_node one = sf_slice(g, t, s.rank - 1, d, 1, 1);
    return sf_reshape(g, one, s.rank - 1, s.extent);
}

static sf_node join_directions(sf_graph *g, sf_node joined, sf_node next)
{
    const sf_node column = sfi_stretch_last(g, next, 1);
    if (sfi_none(joined))
        return column;
    return sf_concat(g, 2, (sf_node[]){joined, column},
                     sfi_at(g, next)->shape.rank);
}

/* A bilinear map applied to tangents, one direction after the other. */
static sf_node
jvp_bilinear(sf_graph *g, sf_node y, const sf_node *t, int64_t width,
             sf_node (*map)(sf_graph *, sf_node, sf_node, int64_t))
{
    const sf_node a = sfi_arg(g, y, 0), b = sfi_arg(g, y, 1);
    const int64_t pad = sfi_at(g, y)->attr[0];
    sf_node joined = none;
    for (int64_t d = 0; d < width; d++) {
        sf_node total = none;
        if (!sfi_none(t[0]))
            total = map(g, direction(g, t[0], d), b, pad);
        if (!sfi_none(t[1])) {
            const sf_node term = map(g, a, direction(g, t[1], d), pad);
            total = sfi_none(total) ? term : sf_add(g, total, term);
        }
        joined = join_directions(g, joined, total);
    }
    return joined;
}

VJP(CONV2D)
{
    const sf_node x = sfi_arg(g, y, 0), w = sfi_arg(g, y, 1);
    const int64_t pad = sfi_at(g, y)->attr[0];
    if (wanted[0])
        cot[0] = sfi_conv2d_grad_x(g, ct, w, pad);
    if (wanted[1])
        cot[1] = sfi_conv2d_grad_w(g, x, ct, pad);
}

JVP(CONV2D)
{
    return jvp_bilinear(g, y, t, width, sf_conv2d);
}

/* <grad_x(dy, w), c> = <dy, conv(c, w)>, which gives both adjoints. */
VJP(CONV2D_GRAD_X)
{
    const sf_node dy = sfi_arg(g, y, 0), w = sfi_arg(g, y, 1);
    const int64_t pad = sfi_at(g, y)->attr[0];
    if (wanted[0])
        cot[0] = sf_conv2d(g, ct, w, pad);
    if (wanted[1])
        cot[1] = sfi_conv2d_grad_w(g, ct, dy, pad);
}

JVP(CONV2D_GRAD_X)
{
    return jvp_bilinear(g, y, t, width, sfi_conv2d_grad_x);
}

/* <grad_w(x, dy), c> = <dy, conv(x, c)>. */
VJP(CONV2D_GRAD_W)
{
    const sf_node x = sfi_arg(g, y, 0), dy = sfi_arg(g, y, 1);
    const int64_t pad = sfi_at(g, y)->attr[0];
    if (wanted[0])
        cot[0] = sfi_conv2d_grad_x(g, dy, ct, pad);
    if (wanted[1])
        cot[1] = sf_conv2d(g, x, ct, pad);
}

JVP(CONV2D_GRAD_W)
{
    return jvp_bilinear(g, y, t, width, sfi_conv2d_grad_w);
}

VJP(AVG_POOL2)
{
    cot[0] = sf_mul(g, sf_const(g, 0.25), sf_upsample2(g, ct));
}

VJP(UPSAMPLE2)
{
    cot[0] = sf_mul(g, sf_const(g, 4.0), sf_avg_pool2(g, ct));
}

static sf_node jvp_resample(sf_graph *g, sf_node t, int64_t width,
                            sf_node (*map)(sf_graph *, sf_node))
{
    sf_node joined = none;
    for (int64_t d = 0; d < width; d++)
        joined = join_directions(g, joined, map(g, direction(g, t, d)));
    return joined;
}

JVP(AVG_POOL2)
{
    return jvp_resample(g, t[0], width, sf_avg_pool2);
}

JVP(UPSAMPLE2)
{
    return jvp_resample(g, t[0], width, sf_upsample2);
}

/* ---- the tables ------------------------------------------------------------- */

typedef void (*vjp_rule)(sf_graph *g, sf_node y, sf_node ct,
                         const sfi_wanted *wanted, sf_node *cot);
typedef sf_node (*jvp_rule)(sf_graph *g, sf_node y, const sf_node *t,
                            int64_t width);

static const vjp_rule vjps[] = {
#define EW(NAME, ...)         vjp_elementwise,
#define OP(NAME, name, arity) vjp_##NAME,
#include "graph/ops.def"
};

static const jvp_rule jvps[] = {
#define EW(NAME, ...)         jvp_elementwise,
#define OP(NAME, name, arity) jvp_##NAME,
#include "graph/ops.def"
};

void sfi_rule_vjp(sf_graph *g, sf_node y, sf_node cotangent,
                  const sfi_wanted *wanted, sf_node *cot)
{
    vjps[sfi_at(g, y)->op](g, y, cotangent, wanted, cot);
}

sf_node sfi_rule_jvp(sf_graph *g, sf_node y, const sf_node *tangent,
                     int64_t width)
{
    return jvps[sfi_at(g, y)->op](g, y, tangent, width);
}
