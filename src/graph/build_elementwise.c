/* SPDX-License-Identifier: Apache-2.0 */
/* build_elementwise.c - the constructors of element-wise operations: the operands are
 * stretched to one shape, as far as trailing axes fit, and combined by
 * sfi_elementwise() (build_simplify.c). */
#include "graph/build.h"

#include "num/special.h"

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

static sf_node apply2(sf_graph *g, sfi_op op, sf_node a, sf_node b)
{
    return apply(g, op, 2, (sf_node[]){a, b});
}

/* The constructors of the table. */
#define MAKE_1(NAME, name)                                                     \
    sf_node sf_##name(sf_graph *g, sf_node a)                                  \
    {                                                                          \
        return apply(g, SFI_OP_##NAME, 1, &a);                                 \
    }
#define MAKE_2(NAME, name)                                                     \
    sf_node sf_##name(sf_graph *g, sf_node a, sf_node b)                       \
    {                                                                          \
        return apply2(g, SFI_OP_##NAME, a, b);                                 \
    }
#define MAKE_3(NAME, name)                                                     \
    sf_node sf_##name(sf_graph *g, sf_node a, sf_node b, sf_node c)            \
    {                                                                          \
        return apply(g, SFI_OP_##NAME, 3, (sf_node[]){a, b, c});               \
    }
#define MAKE_TYPED(NAME, name, arity)  MAKE_##arity(NAME, name)
#define MAKE_PUBLIC(NAME, name, arity) MAKE_##arity(NAME, name)
#define MAKE_ORDERED(NAME, name, arity)
#define MAKE_INNER(NAME, name, arity)
#define EW(NAME, name, arity, scope, ...) MAKE_##scope(NAME, name, arity)
#include "num/elementwise.def"
#undef EW

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

sf_node sfi_log_ndtr_slope_node(sf_graph *g, int order, sf_node a)
{
    if (order > SFI_LOG_NDTR_ORDERS)
        return sfi_graph_fail(g, SF_E_ARG,
                              "log_ndtr: derivative of order %d, want at most "
                              "%d",
                              order, (int)SFI_LOG_NDTR_ORDERS);
    return apply2(g, SFI_OP_LOG_NDTR_SLOPE, sf_const(g, order), a);
}
