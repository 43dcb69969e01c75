/* SPDX-License-Identifier: Apache-2.0 */
/* build_products.c - the constructors of products: of matrices and vectors, convolutions,
 * and the means and copies of pixels.
 *
 * A product costs more than everything else, so that it is worth looking at its
 * factors: signs and constants leave it, products with constants join, and a
 * quadratic form is written so that its gradient is a product which is there. */
#include "graph/build.h"

/* A product whose factor that varies has a constant factor, which leaves it: then
 * A^T (c x) and A x have the same product.  Not where the result is larger. */
static bool factor_leaves(sf_graph *g, sf_node a, sf_node b, sf_node *out)
{
    const sfi_node *na = sfi_at(g, a);
    double factor = 1.0;
    if (na->varies || !sfi_at(g, b)->varies ||
        na->shape.extent[0] > na->shape.extent[1])
        return false;
    const sf_node rest = sfi_without_factor(g, b, &factor);
    if (sfi_same(rest, b))
        return false;
    *out = sf_mul(g, sf_const(g, factor), sf_matmul(g, a, rest));
    return true;
}

/* A (B x) with constants A and B is (A B) x, where that is not more work. */
static bool constants_join(sf_graph *g, sf_node a, sf_node b, sf_node *out)
{
    const sfi_node *nb = sfi_at(g, b);
    if (nb->op != SFI_OP_MATMUL || !nb->varies || !sfi_at(g, a)->constant)
        return false;
    const sf_node inner = sfi_arg(g, b, 0), x = sfi_arg(g, b, 1);
    if (!sfi_at(g, inner)->constant ||
        sfi_shape_of(g, inner)->extent[1] > sfi_shape_of(g, inner)->extent[0])
        return false;
    *out = sf_matmul(g, sf_matmul(g, a, inner), x);
    return true;
}

sf_node sf_matmul(sf_graph *g, sf_node a, sf_node b)
{
    if (sfi_broken(g))
        return sfi_nothing;
    const sfi_shape sa = *sfi_shape_of(g, a), sb = *sfi_shape_of(g, b);
    if (sa.rank == 2 && sb.rank == 1 && sa.extent[1] == sb.extent[0]) {
        const sf_node column =
            sf_reshape(g, b, 2, (int64_t[]){sb.extent[0], 1});
        return sf_reshape(g, sf_matmul(g, a, column), 1, sa.extent);
    }
    if (sa.rank != 2 || sb.rank != 2 || sa.extent[1] != sb.extent[0]) {
        char ta[SFI_SHAPE_TEXT], tb[SFI_SHAPE_TEXT];
        return sfi_graph_fail(g, SF_E_SHAPE,
                              "matmul: shapes %s and %s do not fit, want "
                              "[m,k] and [k,n] or [k]",
                              sfi_shape_text(&sa, ta), sfi_shape_text(&sb, tb));
    }
    const sfi_shape out = {2, {sa.extent[0], sb.extent[1]}};
    if (!sfi_shape_fits(g, &out, "matmul"))
        return sfi_nothing;
    if (sfi_is_value(g, a, 0.0) || sfi_is_value(g, b, 0.0))
        return sfi_full(g, &out, 0.0);
    if (sa.extent[1] == 1 && (sa.extent[0] == 1 || sb.extent[1] == 1))
        return sf_mul(g, a, b);
    if (sfi_at(g, a)->op == SFI_OP_NEG)
        return sf_neg(g, sf_matmul(g, sfi_arg(g, a, 0), b));
    if (sfi_at(g, b)->op == SFI_OP_NEG)
        return sf_neg(g, sf_matmul(g, a, sfi_arg(g, b, 0)));
    sf_node product;
    if (factor_leaves(g, a, b, &product) || constants_join(g, a, b, &product))
        return product;
    return sfi_emit(g, SFI_OP_MATMUL, out, 2, (sf_node[]){a, b}, NULL, 0.0);
}

/* A node, or what it is another shape of. */
static sf_node before_reshape(const sf_graph *g, sf_node n)
{
    return sfi_at(g, n)->op == SFI_OP_RESHAPE ? sfi_arg(g, n, 0) : n;
}

/* x . (A x) = x . (A + A^T) x / 2: the gradient is then the product that the value
 * has. */
static bool quadratic_form(sf_graph *g, sf_node x, sf_node product,
                           sf_node *out)
{
    const sf_node p = before_reshape(g, product);
    if (sfi_at(g, p)->op != SFI_OP_MATMUL)
        return false;
    const sf_node a = sfi_arg(g, p, 0);
    if (sfi_at(g, a)->varies || sfi_at(g, p)->shape.extent[1] != 1 ||
        !sfi_same(before_reshape(g, sfi_arg(g, p, 1)), before_reshape(g, x)))
        return false;
    const sf_node turned = sf_transpose(g, a);
    if (sfi_same(turned, a))
        return false;
    const sf_node both = sf_matmul(g, sf_add(g, a, turned), x);
    *out = sf_mul(g, sf_const(g, 0.5), sf_sum_all(g, sf_mul(g, x, both)));
    return true;
}

/* c . v with constants c, where v is long: a product, which may join another. */
static bool constant_form(sf_graph *g, sf_node c, sf_node v, sf_node *out)
{
    enum { LONG = 8 };
    const int64_t count = sf_node_count(g, c);
    double value;
    if (count < LONG || !sfi_at(g, c)->constant || !sfi_at(g, v)->varies ||
        sfi_is_const(g, c, &value))
        return false;
    const sf_node row = sf_reshape(g, c, 2, (int64_t[]){1, count});
    *out = sf_reshape(g, sf_matmul(g, row, v), 0, NULL);
    return true;
}

/* Whether a vector is a few numbers side by side. */
static bool is_list(const sf_graph *g, sf_node a)
{
    enum { MOST_PARTS = 4 };
    const sfi_node *n = sfi_at(g, a);
    return n->op == SFI_OP_CONCAT && n->shape.rank == 1 &&
           n->arg_count == n->shape.extent[0] && n->arg_count <= MOST_PARTS;
}

/* So that derivatives see what does not depend on what. */
static sf_node dot_of_lists(sf_graph *g, sf_node x, sf_node y)
{
    sf_node sum = sf_const(g, 0.0);
    for (int k = 0; k < sfi_at(g, x)->arg_count; k++)
        sum = sf_add(g, sum,
                     sf_mul(g, sf_reshape(g, sfi_arg(g, x, k), 0, NULL),
                            sf_reshape(g, sfi_arg(g, y, k), 0, NULL)));
    return sum;
}

sf_node sf_dot(sf_graph *g, sf_node a, sf_node b)
{
    if (sfi_broken(g))
        return sfi_nothing;
    double factor = 1.0;
    sf_node x = a, y = b, form;
    if (sfi_shape_equal(sfi_shape_of(g, a), sfi_shape_of(g, b))) {
        x = sfi_without_factor(g, a, &factor);
        y = sfi_without_factor(g, b, &factor);
        if (is_list(g, x) && is_list(g, y))
            return sf_mul(g, sf_const(g, factor), dot_of_lists(g, x, y));
        if (sfi_shape_of(g, x)->rank == 1 &&
            (quadratic_form(g, x, y, &form) || quadratic_form(g, y, x, &form) ||
             constant_form(g, x, y, &form) || constant_form(g, y, x, &form)))
            return sf_mul(g, sf_const(g, factor), form);
    }
    return sf_mul(g, sf_const(g, factor), sf_sum_all(g, sf_mul(g, x, y)));
}

sf_node sf_outer(sf_graph *g, sf_node a, sf_node b)
{
    if (sfi_broken(g))
        return sfi_nothing;
    const sfi_shape *sa = sfi_shape_of(g, a), *sb = sfi_shape_of(g, b);
    if (sa->rank != 1 || sb->rank != 1)
        return sfi_graph_fail(g, SF_E_SHAPE,
                              "outer: ranks are %d and %d, want 1 and 1",
                              sa->rank, sb->rank);
    const int64_t m = sa->extent[0], n = sb->extent[0];
    return sf_matmul(g, sf_reshape(g, a, 2, (int64_t[]){m, 1}),
                     sf_reshape(g, b, 2, (int64_t[]){1, n}));
}

static bool check_conv(sf_graph *g, sf_node x, sf_node w, int w_axis,
                       int64_t pad)
{
    const sfi_shape *sx = sfi_shape_of(g, x), *sw = sfi_shape_of(g, w);
    if (sx->rank == 3 && sw->rank == 4 && pad >= 0 && pad < 1 << 15 &&
        sx->extent[0] == sw->extent[w_axis])
        return true;
    char ta[SFI_SHAPE_TEXT], tb[SFI_SHAPE_TEXT];
    (void)sfi_graph_fail(g, SF_E_SHAPE,
                         "conv2d: shapes %s and %s (pad %lld) do not fit, want "
                         "[ci,h,w] and [co,ci,kh,kw]",
                         sfi_shape_text(sx, ta), sfi_shape_text(sw, tb),
                         (long long)pad);
    return false;
}

sf_node sf_conv2d(sf_graph *g, sf_node x, sf_node w, int64_t pad)
{
    if (sfi_broken(g) || !check_conv(g, x, w, 1, pad))
        return sfi_nothing;
    const int64_t *ex = sfi_shape_of(g, x)->extent,
                  *ew = sfi_shape_of(g, w)->extent;
    const int64_t extent[3] = {ew[0], ex[1] + 2 * pad - ew[2] + 1,
                               ex[2] + 2 * pad - ew[3] + 1};
    sfi_shape out;
    if (!sfi_make_shape(g, &out, 3, extent, "conv2d"))
        return sfi_nothing;
    const int64_t attr[SFI_MAX_ATTR] = {pad};
    return sfi_emit(g, SFI_OP_CONV2D, out, 2, (sf_node[]){x, w}, attr, 0.0);
}

sf_node sfi_conv2d_grad_x(sf_graph *g, sf_node dy, sf_node w, int64_t pad)
{
    if (sfi_broken(g) || !check_conv(g, dy, w, 0, pad))
        return sfi_nothing;
    const int64_t *ey = sfi_shape_of(g, dy)->extent,
                  *ew = sfi_shape_of(g, w)->extent;
    const int64_t extent[3] = {ew[1], ey[1] - 2 * pad + ew[2] - 1,
                               ey[2] - 2 * pad + ew[3] - 1};
    sfi_shape out;
    if (!sfi_make_shape(g, &out, 3, extent, "conv2d_grad_x"))
        return sfi_nothing;
    if (sfi_is_value(g, dy, 0.0) || sfi_is_value(g, w, 0.0))
        return sfi_full(g, &out, 0.0);
    const int64_t attr[SFI_MAX_ATTR] = {pad};
    return sfi_emit(g, SFI_OP_CONV2D_GRAD_X, out, 2, (sf_node[]){dy, w}, attr,
                    0.0);
}

sf_node sfi_conv2d_grad_w(sf_graph *g, sf_node x, sf_node dy, int64_t pad)
{
    if (sfi_broken(g))
        return sfi_nothing;
    const int64_t *ex = sfi_shape_of(g, x)->extent,
                  *ey = sfi_shape_of(g, dy)->extent;
    const int64_t extent[4] = {ey[0], ex[0], ex[1] + 2 * pad - ey[1] + 1,
                               ex[2] + 2 * pad - ey[2] + 1};
    sfi_shape out;
    if (!sfi_make_shape(g, &out, 4, extent, "conv2d_grad_w"))
        return sfi_nothing;
    if (sfi_is_value(g, x, 0.0) || sfi_is_value(g, dy, 0.0))
        return sfi_full(g, &out, 0.0);
    const int64_t attr[SFI_MAX_ATTR] = {pad};
    return sfi_emit(g, SFI_OP_CONV2D_GRAD_W, out, 2, (sf_node[]){x, dy}, attr,
                    0.0);
}

static sf_node resample(sf_graph *g, sfi_op op, sf_node x)
{
    if (sfi_broken(g))
        return sfi_nothing;
    sfi_shape s = *sfi_shape_of(g, x);
    const bool pool = op == SFI_OP_AVG_POOL2;
    if (s.rank != 3 ||
        (pool && (s.extent[1] % 2 != 0 || s.extent[2] % 2 != 0))) {
        char text[SFI_SHAPE_TEXT];
        return sfi_graph_fail(g, SF_E_SHAPE, "%s: shape is %s, want [c,h,w]%s",
                              sfi_op_name(op), sfi_shape_text(&s, text),
                              pool ? " with h and w even" : "");
    }
    for (int i = 1; i < 3; i++)
        s.extent[i] = pool ? s.extent[i] / 2 : s.extent[i] * 2;
    sfi_shape out;
    if (!sfi_make_shape(g, &out, 3, s.extent, sfi_op_name(op)))
        return sfi_nothing;
    double value;
    if (sfi_is_const(g, x, &value))
        return sfi_full(g, &out, value);
    return sfi_emit(g, op, out, 1, &x, NULL, 0.0);
}

sf_node sf_avg_pool2(sf_graph *g, sf_node x)
{
    return resample(g, SFI_OP_AVG_POOL2, x);
}

sf_node sf_upsample2(sf_graph *g, sf_node x)
{
    return resample(g, SFI_OP_UPSAMPLE2, x);
}
