/* SPDX-License-Identifier: Apache-2.0 */
/* build_elementwise.c - the constructors of element-wise operations: the operands are
 * stretched to one shape, as far as trailing axes fit, and combined by
 * sfi_elementwise() (build_simplify.c). */
#include "graph/build.h"

static bool broadcast_shape(sf_graph *g, int count, const sf_node *args,
                            sfi_op op, sfi_shape *out)
{
    *out = *sfi_shape_of(g, args[0]);
    for (int k = 1; k < count; k++) {
        const sfi_shape *s = sfi_shape_of(g, args[k]);
        sfi_shape joint = s->rank > out->rank ? *s : *out;
        for (int i = 0; i < joint.rank; i++) {
            const int ia = out->rank - 1 - i, ib = s->rank - 1 - i;
            const int64_t ea = ia >= 0 ? out->extent[ia] : 1;
            const int64_t eb = ib >= 0 ? s->extent[ib] : 1;
            if (ea != eb && ea != 1 && eb != 1) {
                char ta[SFI_SHAPE_TEXT], tb[SFI_SHAPE_TEXT];
                (void)sfi_graph_fail(g, SF_E_SHAPE,
                                     "%s: shapes %s and %s do not fit",
                                     sfi_op_name(op), sfi_shape_text(out, ta),
                                     sfi_shape_text(s, tb));
                return false;
            }
            joint.extent[joint.rank - 1 - i] = ea > eb ? ea : eb;
        }
        *out = joint;
    }
    return true;
}

static sf_node apply(sf_graph *g, sfi_op op, int count, const sf_node *given)
{
    sfi_shape shape;
    if (sfi_broken(g) || !broadcast_shape(g, count, given, op, &shape))
        return sfi_nothing;
    sf_node args[3];
    for (int k = 0; k < count; k++)
        args[k] = sf_broadcast(g, given[k], shape.rank, shape.extent);
    return sfi_elementwise(g, op, count, args);
}

static sf_node apply1(sf_graph *g, sfi_op op, sf_node a)
{
    return apply(g, op, 1, &a);
}

static sf_node apply2(sf_graph *g, sfi_op op, sf_node a, sf_node b)
{
    return apply(g, op, 2, (sf_node[]){a, b});
}

#define UNARY(NAME, name)                                                      \
    sf_node sf_##name(sf_graph *g, sf_node a)                                  \
    {                                                                          \
        return apply1(g, SFI_OP_##NAME, a);                                    \
    }
#define BINARY(NAME, name)                                                     \
    sf_node sf_##name(sf_graph *g, sf_node a, sf_node b)                       \
    {                                                                          \
        return apply2(g, SFI_OP_##NAME, a, b);                                 \
    }
UNARY(NEG, neg)
UNARY(ABS, abs)
UNARY(SIGN, sign)
UNARY(FLOOR, floor)
UNARY(SQRT, sqrt)
UNARY(EXP, exp)
UNARY(EXPM1, expm1)
UNARY(LOG, log)
UNARY(LOG1P, log1p)
UNARY(SIN, sin)
UNARY(COS, cos)
UNARY(TANH, tanh)
UNARY(ERF, erf)
UNARY(SIGMOID, sigmoid)
UNARY(SOFTPLUS, softplus)
UNARY(LGAMMA, lgamma)
UNARY(LOG_I0, log_i0)
UNARY(BESSEL_RATIO, bessel_ratio)
BINARY(ADD, add)
BINARY(SUB, sub)
BINARY(MUL, mul)
BINARY(DIV, div)
BINARY(POW, pow)
BINARY(MIN, min)
BINARY(MAX, max)
BINARY(ATAN2, atan2)
BINARY(LESS, less)
BINARY(LESS_EQUAL, less_equal)
BINARY(EQUAL, equal)
#undef UNARY
#undef BINARY

sf_node sf_tan(sf_graph *g, sf_node a)
{
    return sf_div(g, sf_sin(g, a), sf_cos(g, a));
}

sf_node sf_silu(sf_graph *g, sf_node a)
{
    return sf_mul(g, a, sf_sigmoid(g, a));
}

sf_node sf_square(sf_graph *g, sf_node a)
{
    return sf_mul(g, a, a);
}

sf_node sf_polygamma(sf_graph *g, int order, sf_node a)
{
    if (order < 0)
        return sfi_graph_fail(g, SF_E_ARG, "polygamma: order is %d, want >= 0",
                              order);
    return apply2(g, SFI_OP_POLYGAMMA, sf_const(g, order), a);
}

sf_node sfi_log_bessel_node(sf_graph *g, double k, sf_node w)
{
    return apply2(g, SFI_OP_LOG_BESSEL, sf_const(g, k), w);
}

sf_node sfi_log_bessel_slope_node(sf_graph *g, double k, sf_node w)
{
    return apply2(g, SFI_OP_LOG_BESSEL_SLOPE, sf_const(g, k), w);
}

sf_node sf_select(sf_graph *g, sf_node condition, sf_node yes, sf_node no)
{
    return apply(g, SFI_OP_SELECT, 3, (sf_node[]){condition, yes, no});
}
