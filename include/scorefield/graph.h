/* SPDX-License-Identifier: Apache-2.0 */
/* graph.h - expressions of one point, and their derivatives.
 *
 * A graph describes a function of ONE point: one row of a table, one image, one
 * grid cell.  It never mentions how many points there are.  Inputs vary from
 * point to point; parameters are the same for all points.
 *
 * Derivatives of nodes are nodes again, so scores, Jacobians, Laplacians and
 * the gradient of a loss that contains a Jacobian trace are compositions of
 * the same few functions, to any order.
 *
 * Errors stick: a constructor that cannot make its node remembers why in the
 * graph and returns a node that every other constructor accepts.  Build freely
 * and ask sf_graph_status() once.  The errors are
 *   SF_E_SHAPE  operands that do not fit, an axis, extent or index outside its
 *               range, more than SF_MAX_RANK axes or 2^40 elements
 *   SF_E_ARG    an argument that is no shape: see the constructor
 *   SF_E_NOMEM  no memory for one more node
 * Nodes belong to the graph that made them; no other may be passed to it.
 *
 * Equal expressions are stored once; constants fold; x*0, x+0, x*1 vanish, and
 * signs and constant factors move outwards.  That is exact for numbers, not for
 * infinities: x*0 is 0 whatever x. */
#ifndef SCOREFIELD_GRAPH_H
#define SCOREFIELD_GRAPH_H

#include "scorefield/array.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sf_graph sf_graph;

/* A node is an index into its graph.  Copy it freely. */
typedef struct sf_node {
    int32_t id;
} sf_node;

/* Make an empty graph.  SF_OK or SF_E_NOMEM; on failure *out is NULL. */
SF_API sf_status sf_graph_new(sf_context *ctx, sf_graph **out);

/* Free a graph and all its nodes; NULL is allowed. */
SF_API void sf_graph_free(sf_graph *graph);

/* The first error since the graph was made, SF_OK if none; its text is in the
 * context again after this call. */
SF_API sf_status sf_graph_status(sf_graph *graph);

/* Rank of a node (0 for one number); -1 for a node of a broken graph. */
SF_API int sf_node_rank(const sf_graph *graph, sf_node node);

/* Extent of one axis, 0 <= axis < rank. */
SF_API int64_t sf_node_extent(const sf_graph *graph, sf_node node, int axis);

/* Number of elements: the product of the extents. */
SF_API int64_t sf_node_count(const sf_graph *graph, sf_node node);

/* Whether the node depends on an input (true) or on parameters and constants
 * alone (false). */
SF_API bool sf_node_varies(const sf_graph *graph, sf_node node);

/* ---- leaves -------------------------------------------------------------- */

/* The k-th call for inputs (or parameters) of a graph makes its k-th input (or
 * parameter): programs take them in this order.  `name` is copied. */
SF_API sf_node sf_input(sf_graph *graph, const char *name, int rank,
                        const int64_t *shape);
SF_API sf_node sf_param(sf_graph *graph, const char *name, int rank,
                        const int64_t *shape);
SF_API sf_node sf_const(sf_graph *graph, double value);

/* An array of constants; `values` (row-major) is copied.  One that holds the
 * same number throughout is stored as that number. */
SF_API sf_node sf_const_array(sf_graph *graph, int rank, const int64_t *shape,
                              const double *values);

/* The k x k unit matrix, 1 <= k <= 32768. */
SF_API sf_node sf_eye(sf_graph *graph, int64_t k);

/* ---- one number at a time --------------------------------------------------
 *
 * Operands of different shapes are broadcast as in NumPy: shapes are aligned at
 * the last axis, and an extent of 1 stretches. */
SF_API sf_node sf_neg(sf_graph *graph, sf_node a);
SF_API sf_node sf_abs(sf_graph *graph, sf_node a);
SF_API sf_node sf_sign(sf_graph *graph, sf_node a);
SF_API sf_node sf_floor(sf_graph *graph, sf_node a);
SF_API sf_node sf_sqrt(sf_graph *graph, sf_node a);
SF_API sf_node sf_exp(sf_graph *graph, sf_node a);
SF_API sf_node sf_expm1(sf_graph *graph, sf_node a);
SF_API sf_node sf_log(sf_graph *graph, sf_node a);
SF_API sf_node sf_log1p(sf_graph *graph, sf_node a);
SF_API sf_node sf_sin(sf_graph *graph, sf_node a);
SF_API sf_node sf_cos(sf_graph *graph, sf_node a);
SF_API sf_node sf_tan(sf_graph *graph, sf_node a);
SF_API sf_node sf_asin(sf_graph *graph, sf_node a);
SF_API sf_node sf_acos(sf_graph *graph, sf_node a);
SF_API sf_node sf_atan(sf_graph *graph, sf_node a);
SF_API sf_node sf_sinh(sf_graph *graph, sf_node a);
SF_API sf_node sf_cosh(sf_graph *graph, sf_node a);
SF_API sf_node sf_tanh(sf_graph *graph, sf_node a);
SF_API sf_node sf_erf(sf_graph *graph, sf_node a);
SF_API sf_node sf_erfc(sf_graph *graph, sf_node a);     /* 1 - erf(a) */
SF_API sf_node sf_sigmoid(sf_graph *graph, sf_node a);  /* 1/(1+exp(-a))   */
SF_API sf_node sf_softplus(sf_graph *graph, sf_node a); /* log(1+exp(a))   */
SF_API sf_node sf_logit(sf_graph *graph, sf_node a);    /* log(a/(1-a))    */
SF_API sf_node sf_silu(sf_graph *graph, sf_node a);     /* a sigmoid(a)    */
SF_API sf_node sf_lgamma(sf_graph *graph, sf_node a);   /* ln|Gamma(a)|    */
SF_API sf_node sf_log_i0(sf_graph *graph, sf_node a);   /* ln I0(a)        */
SF_API sf_node sf_bessel_ratio(sf_graph *graph, sf_node a); /* I1(a)/I0(a) */
SF_API sf_node sf_square(sf_graph *graph, sf_node a);

/* The standard normal distribution function Phi and its logarithm: right to
 * rounding in the far tail too, the logarithm in all its derivatives (the first
 * 24; SF_E_ARG beyond). */
SF_API sf_node sf_ndtr(sf_graph *graph, sf_node a);
SF_API sf_node sf_log_ndtr(sf_graph *graph, sf_node a);

/* log(1-exp(a)) for a < 0. */
SF_API sf_node sf_log1mexp(sf_graph *graph, sf_node a);

/* psi^(order)(a), the derivative of order `order` + 1 of ln Gamma, for a > 0.
 * SF_E_ARG for order < 0. */
SF_API sf_node sf_polygamma(sf_graph *graph, int order, sf_node a);

/* Of two operands, broadcast to a common shape.  sf_pow is a^b; sf_mod is
 * a - b floor(a/b), between 0 and b; sf_atan2 is the angle of the point (b, a), in
 * (-pi, pi].  Where the operands of sf_min() or
 * sf_max() are equal, one of them has the whole derivative; a constant has it
 * before anything else, so that max(x, 0) has slope 0 at 0. */
SF_API sf_node sf_add(sf_graph *graph, sf_node a, sf_node b);
SF_API sf_node sf_sub(sf_graph *graph, sf_node a, sf_node b);
SF_API sf_node sf_mul(sf_graph *graph, sf_node a, sf_node b);
SF_API sf_node sf_div(sf_graph *graph, sf_node a, sf_node b);
SF_API sf_node sf_pow(sf_graph *graph, sf_node a, sf_node b);
SF_API sf_node sf_mod(sf_graph *graph, sf_node a, sf_node b);
SF_API sf_node sf_min(sf_graph *graph, sf_node a, sf_node b);
SF_API sf_node sf_max(sf_graph *graph, sf_node a, sf_node b);
SF_API sf_node sf_atan2(sf_graph *graph, sf_node a, sf_node b);

/* 1 where the comparison holds, 0 elsewhere; derivative 0. */
SF_API sf_node sf_less(sf_graph *graph, sf_node a, sf_node b);
SF_API sf_node sf_less_equal(sf_graph *graph, sf_node a, sf_node b);
SF_API sf_node sf_equal(sf_graph *graph, sf_node a, sf_node b);

/* 1 where both, where one of the two, and where not a: anything but 0 counts as
 * true.  Derivative 0. */
SF_API sf_node sf_and(sf_graph *graph, sf_node a, sf_node b);
SF_API sf_node sf_or(sf_graph *graph, sf_node a, sf_node b);
SF_API sf_node sf_not(sf_graph *graph, sf_node a);

/* a, but NaN where b is NaN, whatever the other operations do with it: what is missing in
 * b stays missing.  The derivative by a is kept likewise, that by b is 0. */
SF_API sf_node sf_keep(sf_graph *graph, sf_node a, sf_node b);

/* `yes` where condition is not 0, `no` elsewhere.  The derivative is that of the
 * operand that is taken.  The other one may be infinite or NaN there, but its
 * derivative is multiplied by 0 and must be finite: not select(x > 0, sqrt(x), 0)
 * but select(x > 0, sqrt(select(x > 0, x, 1)), 0). */
SF_API sf_node sf_select(sf_graph *graph, sf_node condition, sf_node yes,
                         sf_node no);

/* ---- shape ----------------------------------------------------------------- */

/* Sum over the axes whose bit is set in `axes` (bit 0 = axis 0), or over all;
 * they vanish. */
SF_API sf_node sf_sum(sf_graph *graph, sf_node a, unsigned axes);
SF_API sf_node sf_sum_all(sf_graph *graph, sf_node a);

/* Stretch to a shape, as element-wise operations do by themselves. */
SF_API sf_node sf_broadcast(sf_graph *graph, sf_node a, int rank,
                            const int64_t *shape);

/* The same elements in row-major order, in another shape. */
SF_API sf_node sf_reshape(sf_graph *graph, sf_node a, int rank,
                          const int64_t *shape);

/* Axis i of the result is axis order[i] of a.  SF_E_ARG if `order` does not hold
 * each axis once. */
SF_API sf_node sf_permute(sf_graph *graph, sf_node a, const int *order);

/* Exchange the two axes of a matrix. */
SF_API sf_node sf_transpose(sf_graph *graph, sf_node a);

/* Elements first, first+step, ... (count >= 1 of them) of one axis. */
SF_API sf_node sf_slice(sf_graph *graph, sf_node a, int axis, int64_t first,
                        int64_t count, int64_t step);

/* One component of a vector, as a number. */
SF_API sf_node sf_component(sf_graph *graph, sf_node a, int64_t index);

/* Put zeros before, between (step-1 of them) and after the elements of an axis:
 * the adjoint of sf_slice().  `extent` is that of the result. */
SF_API sf_node sf_pad(sf_graph *graph, sf_node a, int axis, int64_t first,
                      int64_t step, int64_t extent);

/* Join along an axis; all other extents must agree.  SF_E_ARG for no parts. */
SF_API sf_node sf_concat(sf_graph *graph, int count, const sf_node *parts,
                         int axis);

/* Running sums along the first axis: element (or row) i of the result is the sum
 * of elements 0 to i.  A number is its own. */
SF_API sf_node sf_cumsum(sf_graph *graph, sf_node a);

/* The value of a, taken as a constant by every derivative that is not by this
 * very node. */
SF_API sf_node sf_stop_gradient(sf_graph *graph, sf_node a);

/* ---- products -------------------------------------------------------------- */

/* [m,k] x [k,n] -> [m,n];  [m,k] x [k] -> [m]. */
SF_API sf_node sf_matmul(sf_graph *graph, sf_node a, sf_node b);

/* Sum of the products of all elements. */
SF_API sf_node sf_dot(sf_graph *graph, sf_node a, sf_node b);

/* [m], [n] -> [m,n] */
SF_API sf_node sf_outer(sf_graph *graph, sf_node a, sf_node b);

/* Cross-correlation of x [ci,h,w] with w [co,ci,kh,kw], zeros outside, padded
 * by `pad` on each side: y [co, h+2pad-kh+1, w+2pad-kw+1]. */
SF_API sf_node sf_conv2d(sf_graph *graph, sf_node x, sf_node w, int64_t pad);

/* Mean over 2x2 cells, [c,h,w] -> [c,h/2,w/2] (h, w even). */
SF_API sf_node sf_avg_pool2(sf_graph *graph, sf_node x);

/* Each cell repeated as 2x2 cells, [c,h,w] -> [c,2h,2w]. */
SF_API sf_node sf_upsample2(sf_graph *graph, sf_node x);

/* ---- derivatives -------------------------------------------------------------
 *
 * All of them append nodes to the graph.  A node that does not depend on `wrt`
 * has derivative zero.
 *
 * What a derivative is taken with respect to may be any node, not only a leaf;
 * but simplification may have passed it by.  In 3*(2*x), which is stored as 6*x,
 * the node 2*x does not occur, and the derivative by it is zero.  A leaf and
 * sf_stop_gradient(a) are never passed by: use the latter in place of a where
 * derivatives by an intermediate value are wanted.
 *
 * Forward derivatives (jvp, jacobian, hessian, divergence, laplacian) carry one
 * axis of directions: what lies between has at most SF_MAX_RANK - 1 axes. */

/* out[i] = d scalar / d wrt[i], of the shape of wrt[i]; `scalar` has rank 0. */
SF_API void sf_gradients(sf_graph *graph, sf_node scalar, int count,
                         const sf_node *wrt, sf_node *out);
SF_API sf_node sf_gradient(sf_graph *graph, sf_node scalar, sf_node wrt);

/* out[i] = sum_k cotangent_k d y_k / d wrt[i]  (vector-Jacobian products). */
SF_API void sf_vjp(sf_graph *graph, sf_node y, sf_node cotangent, int count,
                   const sf_node *wrt, sf_node *out);

/* sum_j d y / d wrt_j tangent_j, of the shape of y (Jacobian-vector product). */
SF_API sf_node sf_jvp(sf_graph *graph, sf_node y, sf_node wrt, sf_node tangent);

/* d y / d wrt, of shape [shape of y..., shape of wrt...]. */
SF_API sf_node sf_jacobian(sf_graph *graph, sf_node y, sf_node wrt);

/* Second derivatives of a scalar with respect to a vector: [d,d]. */
SF_API sf_node sf_hessian(sf_graph *graph, sf_node scalar, sf_node wrt);

/* Trace of the Jacobian of y [d] by wrt [d]; and of the Hessian of a scalar. */
SF_API sf_node sf_divergence(sf_graph *graph, sf_node y, sf_node wrt);
SF_API sf_node sf_laplacian(sf_graph *graph, sf_node scalar, sf_node wrt);

/* ---- text ------------------------------------------------------------------ */

/* A name that an expression may use. */
typedef struct sf_symbol {
    const char *name;
    sf_node node;
} sf_symbol;

/* Turn an expression such as "-0.5*(x^2 + y^2 - x*y)/0.75" into a node.  The
 * language is described in docs/EXPRESSIONS.md.
 *
 * Returns SF_OK; SF_E_PARSE, with a message that shows the expression, points
 * at the column and says what was expected; SF_E_SHAPE where operands do not
 * fit; SF_E_NOMEM.  The graph stays usable after SF_E_PARSE and SF_E_SHAPE. */
SF_API sf_status sf_parse(sf_graph *graph, const char *text, int symbol_count,
                          const sf_symbol *symbols, sf_node *out);

#ifdef __cplusplus
}
#endif
#endif
