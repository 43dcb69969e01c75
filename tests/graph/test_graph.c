/* SPDX-License-Identifier: Apache-2.0 */
/* test_graph.c - the constructors: sharing, folding, simplification, shape
 * rules, errors that stick, and what derivatives do at the edges. */
#include "faults.h"
#include "graph/graph.h"
#include "graph/interpret.h"
#include "scorefield/program.h"

static sf_graph *new_graph(sf_context *ctx)
{
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    return g;
}

static sf_node vector(sf_graph *g, const char *name, int64_t n)
{
    return sf_input(g, name, 1, &n);
}

static sf_node matrix(sf_graph *g, const char *name, int64_t m, int64_t n)
{
    return sf_input(g, name, 2, (int64_t[]){m, n});
}

#define CHECK_SAME(got, want)                                                  \
    check_same(g, (got), (want), #got, #want, __LINE__)

static void check_same(const sf_graph *g, sf_node got, sf_node want,
                       const char *a, const char *b, int line)
{
    assert_int_equal(g->status, SF_OK);
    if (got.id == want.id)
        return;
    fprintf(stderr, "%s:%d: %s is node %d (%s), %s is node %d (%s)\n", __FILE__,
            line, a, got.id, sfi_op_name(sfi_at(g, got)->op), b, want.id,
            sfi_op_name(sfi_at(g, want)->op));
    fail();
}

static sf_node filled(sf_graph *g, sf_node like, double value)
{
    return sfi_full(g, &sfi_at(g, like)->shape, value);
}

/* ---- equal expressions are stored once --------------------------------------- */

TEST(equal_expressions_are_one_node)
{
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    const sf_node x = vector(g, "x", 3), y = vector(g, "y", 3);
    CHECK_SAME(sf_sin(g, x), sf_sin(g, x));
    CHECK_SAME(sf_add(g, x, y), sf_add(g, y, x));
    CHECK_SAME(sf_mul(g, x, y), sf_mul(g, y, x));
    CHECK_SAME(sf_min(g, x, y), sf_min(g, y, x));
    CHECK_SAME(sf_max(g, x, y), sf_max(g, y, x));
    CHECK_SAME(sf_equal(g, x, y), sf_equal(g, y, x));
    CHECK_SAME(sf_mul(g, x, sf_const(g, 2.0)), sf_mul(g, sf_const(g, 2.0), x));
    CHECK_SAME(sf_const(g, 0.0), sf_const(g, -0.0));
    CHECK_SAME(sf_const(g, NAN), sf_const(g, NAN));
    const double v[3] = {1.0, 2.0, 3.0}, u[3] = {1.0, 2.0, 4.0};
    const int64_t n3 = 3;
    CHECK_SAME(sf_const_array(g, 1, &n3, v), sf_const_array(g, 1, &n3, v));
    const size_t before = g->node_count;
    const sf_node big = sf_dot(g, sf_exp(g, sf_sub(g, x, y)), x);
    CHECK(g->node_count > before);
    const size_t after = g->node_count;
    CHECK_SAME(sf_dot(g, sf_exp(g, sf_sub(g, x, y)), x), big);
    CHECK(g->node_count == after);

    /* And what differs is different. */
    CHECK(sf_sub(g, x, y).id != sf_sub(g, y, x).id);
    CHECK(sf_less(g, x, y).id != sf_less(g, y, x).id);
    CHECK(sf_const_array(g, 1, &n3, v).id != sf_const_array(g, 1, &n3, u).id);
    CHECK(sf_const_array(g, 1, &n3, v).id !=
          sf_const_array(g, 2, (int64_t[]){1, 3}, v).id);
    CHECK(vector(g, "x", 3).id != x.id);
    CHECK(sf_param(g, "x", 1, &n3).id != x.id);
    CHECK(sf_slice(g, x, 0, 0, 2, 1).id != sf_slice(g, x, 0, 1, 2, 1).id);
    CHECK(sf_slice(g, x, 0, 0, 2, 1).id != sf_slice(g, x, 0, 0, 2, 2).id);
    CHECK(sf_pad(g, x, 0, 0, 1, 5).id != sf_pad(g, x, 0, 2, 1, 5).id);
    CHECK(sf_pad(g, x, 0, 0, 1, 5).id != sf_pad(g, x, 0, 0, 2, 5).id);
    const sf_node m = matrix(g, "m", 2, 2);
    CHECK(sf_sum(g, m, 1).id != sf_sum(g, m, 2).id);
    CHECK(sf_polygamma(g, 1, x).id != sf_polygamma(g, 2, x).id);
    sf_graph_free(g);
    sf_context_free(ctx);
}

TEST(sharing_survives_a_growing_table)
{
    enum { N = 5000 };
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    const sf_node x = sf_input(g, "x", 0, NULL);
    static int32_t id[N];
    for (int i = 0; i < N; i++)
        id[i] = sf_sin(g, sf_add(g, x, sf_const(g, 1.0 + i))).id;
    const size_t nodes = g->node_count;
    for (int i = 0; i < N; i++)
        CHECK(sf_sin(g, sf_add(g, x, sf_const(g, 1.0 + i))).id == id[i]);
    CHECK(g->node_count == nodes);
    CHECK(nodes == 2 + 3 * N); /* 0, x, and three for each */
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* ---- folding and simplification ------------------------------------------------ */

TEST(constants_fold_to_the_definition_of_every_operation)
{
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    static const struct {
        sfi_op op;
        int arity;
        double lo, hi;
    } ops[] = {
#define EW(NAME, name, arity, scope, loop, cost, lo, hi, value)                \
    {SFI_OP_##NAME, arity, lo, hi},
#include "num/elementwise.def"
#undef EW
    };
    for (size_t i = 0; i < SFI_COUNT(ops); i++) {
        double v[3];
        sf_node a[3];
        for (int k = 0; k < 3; k++) {
            v[k] = ops[i].lo + (ops[i].hi - ops[i].lo) * (0.2 + 0.3 * k);
            if ((ops[i].op == SFI_OP_POLYGAMMA ||
                 ops[i].op == SFI_OP_LOG_NDTR_SLOPE) &&
                k == 0)
                v[k] = 1.0;
            a[k] = filled(g, matrix(g, "shape", 2, 3), v[k]);
        }
        const sf_node y = sfi_elementwise(g, ops[i].op, ops[i].arity, a);
        double value = NAN;
        CHECK(sfi_is_const(g, y, &value));
        CHECK_NEAR(value, definition(ops[i].op, v[0], v[1], v[2]), 0.0);
        CHECK(sf_node_rank(g, y) == 2 && sf_node_extent(g, y, 1) == 3);
    }
    sf_graph_free(g);
    sf_context_free(ctx);
}

TEST(sums_and_differences_simplify)
{
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    const sf_node x = vector(g, "x", 3), y = vector(g, "y", 3);
    const sf_node zero = sf_const(g, 0.0);
    CHECK_SAME(sf_add(g, x, zero), x);
    CHECK_SAME(sf_add(g, zero, x), x);
    CHECK_SAME(sf_add(g, x, sf_neg(g, y)), sf_sub(g, x, y));
    CHECK_SAME(sf_add(g, sf_neg(g, x), y), sf_sub(g, y, x));
    CHECK_SAME(sf_sub(g, x, zero), x);
    CHECK_SAME(sf_sub(g, zero, x), sf_neg(g, x));
    CHECK_SAME(sf_sub(g, x, x), filled(g, x, 0.0));
    CHECK_SAME(sf_sub(g, x, sf_neg(g, y)), sf_add(g, x, y));
    CHECK_SAME(sf_neg(g, sf_neg(g, x)), x);
    sf_graph_free(g);
    sf_context_free(ctx);
}

TEST(products_and_quotients_simplify)
{
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    const sf_node x = vector(g, "x", 3), y = vector(g, "y", 3);
    const sf_node zero = sf_const(g, 0.0), one = sf_const(g, 1.0);
    const sf_node minus = sf_const(g, -1.0);
    CHECK_SAME(sf_mul(g, x, zero), filled(g, x, 0.0));
    CHECK_SAME(sf_mul(g, zero, x), filled(g, x, 0.0));
    CHECK_SAME(sf_mul(g, x, one), x);
    CHECK_SAME(sf_mul(g, one, x), x);
    CHECK_SAME(sf_mul(g, x, minus), sf_neg(g, x));
    CHECK_SAME(sf_mul(g, minus, x), sf_neg(g, x));
    CHECK_SAME(sf_mul(g, sf_neg(g, x), y), sf_neg(g, sf_mul(g, x, y)));
    CHECK_SAME(sf_mul(g, x, sf_neg(g, y)), sf_neg(g, sf_mul(g, x, y)));
    CHECK_SAME(sf_mul(g, sf_neg(g, x), sf_neg(g, y)), sf_mul(g, x, y));
    CHECK_SAME(sf_mul(g, sf_const(g, 2.0), sf_mul(g, x, sf_const(g, 3.0))),
               sf_mul(g, sf_const(g, 6.0), x));
    CHECK_SAME(sf_mul(g, sf_mul(g, x, sf_const(g, 0.5)), sf_const(g, 2.0)), x);
    CHECK_SAME(sf_div(g, zero, x), filled(g, x, 0.0));
    CHECK_SAME(sf_div(g, x, one), x);
    CHECK_SAME(sf_div(g, x, minus), sf_neg(g, x));
    CHECK_SAME(sf_div(g, sf_neg(g, x), y), sf_neg(g, sf_div(g, x, y)));

    /* A factor 1 or 0 that stretches keeps the stretched shape. */
    const sf_node ones = sfi_full(g, &(sfi_shape){2, {2, 3}}, 1.0);
    CHECK_SAME(sf_mul(g, x, ones), sf_broadcast(g, x, 2, (int64_t[]){2, 3}));
    CHECK_SAME(sf_mul(g, sf_sub(g, ones, ones), x), filled(g, ones, 0.0));
    CHECK_SAME(sf_add(g, sf_sub(g, ones, ones), x),
               sf_broadcast(g, x, 2, (int64_t[]){2, 3}));
    sf_graph_free(g);
    sf_context_free(ctx);
}

TEST(powers_and_selections_simplify)
{
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    const sf_node x = vector(g, "x", 3), y = vector(g, "y", 3);
    const sf_node c = sf_less(g, x, y);
    CHECK_SAME(sf_pow(g, x, sf_const(g, 1.0)), x);
    CHECK_SAME(sf_pow(g, x, sf_const(g, 0.0)), filled(g, x, 1.0));
    CHECK_SAME(sf_pow(g, x, sf_const(g, 2.0)), sf_square(g, x));
    CHECK_SAME(sf_pow(g, x, sf_const(g, 3.0)), sf_mul(g, x, sf_square(g, x)));
    CHECK_SAME(sf_pow(g, x, sf_const(g, 0.5)), sf_sqrt(g, x));
    CHECK_SAME(sf_pow(g, x, sf_const(g, -1.0)), sf_div(g, sf_const(g, 1.0), x));
    CHECK_SAME(sf_select(g, sf_const(g, 3.0), x, y), x);
    CHECK_SAME(sf_select(g, sf_const(g, 0.0), x, y), y);
    CHECK_SAME(sf_select(g, c, x, x), x);
    sf_graph_free(g);
    sf_context_free(ctx);
}

TEST(shape_operations_simplify)
{
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    const sf_node x = vector(g, "x", 6), s = sf_input(g, "s", 0, NULL);
    const sf_node m = matrix(g, "m", 2, 3);
    const sf_node box = sf_input(g, "box", 3, (int64_t[]){2, 1, 3});
    const int64_t e16[2] = {1, 6}, e46[2] = {4, 6}, e546[3] = {5, 4, 6};
    const int64_t six = 6, one = 1;
    const double v = 7.0;

    CHECK_SAME(sf_reshape(g, x, 1, &six), x);
    CHECK_SAME(sf_reshape(g, sf_reshape(g, x, 2, e16), 1, &six), x);
    CHECK_SAME(sf_reshape(g, sf_const(g, v), 1, &one),
               sf_const_array(g, 1, &one, &v));
    CHECK_SAME(sf_broadcast(g, x, 1, &six), x);
    CHECK_SAME(sf_broadcast(g, sf_broadcast(g, x, 2, e46), 3, e546),
               sf_broadcast(g, x, 3, e546));
    CHECK_SAME(sf_broadcast(g, sf_reshape(g, s, 1, &one), 1, &six),
               sf_broadcast(g, s, 1, &six));

    /* What is the same along an axis is computed before it is stretched. */
    CHECK_SAME(sf_sin(g, sf_broadcast(g, x, 2, e46)),
               sf_broadcast(g, sf_sin(g, x), 2, e46));
    CHECK_SAME(sf_add(g, sf_broadcast(g, x, 2, e46), sf_const(g, 2.0)),
               sf_broadcast(g, sf_add(g, x, sf_const(g, 2.0)), 2, e46));

    CHECK_SAME(sf_permute(g, m, (int[]){0, 1}), m);
    CHECK_SAME(sf_transpose(g, sf_transpose(g, m)), m);
    CHECK_SAME(sf_permute(g, s, NULL), s);
    CHECK_SAME(
        sf_permute(g, sf_permute(g, box, (int[]){1, 2, 0}), (int[]){1, 2, 0}),
        sf_permute(g, box, (int[]){2, 0, 1}));
    CHECK_SAME(sf_transpose(g, sf_neg(g, m)), sf_neg(g, sf_transpose(g, m)));
    CHECK_SAME(sf_transpose(g, filled(g, m, 2.0)),
               filled(g, sf_transpose(g, m), 2.0));
    const sf_node n = matrix(g, "n", 3, 4);
    CHECK_SAME(sf_transpose(g, sf_matmul(g, m, n)),
               sf_matmul(g, sf_transpose(g, n), sf_transpose(g, m)));

    CHECK_SAME(sf_slice(g, x, 0, 0, 6, 1), x);
    CHECK_SAME(sf_slice(g, x, 0, 2, 1, 3), sf_slice(g, x, 0, 2, 1, 1));
    CHECK_SAME(sf_slice(g, filled(g, x, 2.0), 0, 1, 2, 1),
               sfi_full(g, &(sfi_shape){1, {2}}, 2.0));
    CHECK_SAME(sf_pad(g, x, 0, 0, 1, 6), x);
    CHECK_SAME(sf_pad(g, filled(g, x, 0.0), 0, 1, 1, 9),
               sfi_full(g, &(sfi_shape){1, {9}}, 0.0));
    CHECK_SAME(sf_concat(g, 1, &x, 0), x);
    /* Of what is joined, what lies in one part is of that part. */
    const sf_node y = sf_slice(g, x, 0, 1, 3, 1);
    const sf_node both = sf_concat(g, 2, (sf_node[]){y, x}, 0);
    CHECK_SAME(sf_slice(g, both, 0, 0, 3, 1), y);
    CHECK_SAME(sf_slice(g, both, 0, 3, 6, 1), x);
    CHECK_SAME(sf_slice(g, both, 0, 4, 3, 2), sf_slice(g, x, 0, 1, 3, 2));
    CHECK(sf_slice(g, both, 0, 2, 2, 1).id != sf_slice(g, x, 0, 0, 2, 1).id);
    CHECK_SAME(sf_stop_gradient(g, sf_const(g, 2.0)), sf_const(g, 2.0));
    CHECK_SAME(sf_eye(g, 1), sfi_full(g, &(sfi_shape){2, {1, 1}}, 1.0));
    sf_graph_free(g);
    sf_context_free(ctx);
}

TEST(sums_and_products_of_arrays_simplify)
{
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    const sf_node m = matrix(g, "m", 2, 3), n = matrix(g, "n", 3, 4);
    const sf_node row = matrix(g, "row", 1, 3), one = matrix(g, "one", 1, 1);
    const sf_node box = sf_input(g, "box", 3, (int64_t[]){2, 2, 4});
    CHECK_SAME(sf_sum(g, m, 0), m);
    CHECK_SAME(sf_sum(g, filled(g, m, 2.0), 3), sf_const(g, 12.0));
    CHECK_SAME(sf_sum(g, filled(g, m, 2.0), 1),
               sfi_full(g, &(sfi_shape){1, {3}}, 4.0));
    CHECK_SAME(sf_sum(g, row, 1), sf_reshape(g, row, 1, (int64_t[]){3}));
    CHECK_SAME(sf_sum(g, sf_neg(g, m), 2), sf_neg(g, sf_sum(g, m, 2)));
    CHECK_SAME(sf_sum_all(g, sf_mul(g, sf_const(g, 5.0), m)),
               sf_mul(g, sf_const(g, 5.0), sf_sum_all(g, m)));
    CHECK_SAME(sf_matmul(g, filled(g, m, 0.0), n),
               sfi_full(g, &(sfi_shape){2, {2, 4}}, 0.0));
    CHECK_SAME(sf_matmul(g, m, filled(g, n, 0.0)),
               sfi_full(g, &(sfi_shape){2, {2, 4}}, 0.0));
    CHECK_SAME(sf_matmul(g, sf_neg(g, m), n), sf_neg(g, sf_matmul(g, m, n)));
    CHECK_SAME(sf_matmul(g, m, sf_neg(g, n)), sf_neg(g, sf_matmul(g, m, n)));
    CHECK_SAME(sf_matmul(g, one, row), sf_mul(g, one, row));
    CHECK_SAME(sf_avg_pool2(g, filled(g, box, 3.0)),
               sfi_full(g, &(sfi_shape){3, {2, 1, 2}}, 3.0));
    CHECK_SAME(sf_upsample2(g, filled(g, box, 3.0)),
               sfi_full(g, &(sfi_shape){3, {2, 4, 8}}, 3.0));
    const sf_node w = sf_param(g, "w", 4, (int64_t[]){3, 2, 1, 1});
    const sf_node y = sf_conv2d(g, box, w, 0);
    CHECK_SAME(sfi_conv2d_grad_x(g, filled(g, y, 0.0), w, 0),
               filled(g, box, 0.0));
    CHECK_SAME(sfi_conv2d_grad_w(g, box, filled(g, y, 0.0), 0),
               filled(g, w, 0.0));
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* A gradient has no more products than it needs, and one by components is their
 * list. */
TEST(quadratic_forms_and_components_simplify)
{
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    const int64_t square[2] = {3, 3};
    const sf_node x = vector(g, "x", 3), p = sf_param(g, "p", 2, square);
    const sf_node two = sf_const(g, 2.0),
                  both = sf_add(g, p, sf_transpose(g, p));
    CHECK_SAME(sf_add(g, x, x), sf_mul(g, two, x));
    CHECK_SAME(sf_matmul(g, p, sf_mul(g, two, x)),
               sf_mul(g, two, sf_matmul(g, p, x)));
    CHECK_SAME(sf_reshape(g, sf_mul(g, two, x), 2, (int64_t[]){3, 1}),
               sf_mul(g, two, sf_reshape(g, x, 2, (int64_t[]){3, 1})));
    CHECK_SAME(sf_transpose(g, sf_mul(g, two, p)),
               sf_mul(g, two, sf_transpose(g, p)));
    CHECK_SAME(sf_transpose(g, both), both);
    const double even[9] = {1, 2, 3, 2, 4, 5, 3, 5, 6};
    const double odd[9] = {1, 2, 3, 2, 4, 5, 3, 7, 6};
    const sf_node s = sf_const_array(g, 2, square, even);
    const sf_node a = sf_const_array(g, 2, square, odd);
    CHECK_SAME(sf_transpose(g, s), s);
    CHECK(sf_transpose(g, a).id != a.id);

    const sf_node half = sf_const(g, -0.5);
    const sf_node first = sf_mul(g, half, sf_dot(g, x, sf_matmul(g, s, x)));
    CHECK_SAME(sf_gradient(g, first, x), sf_neg(g, sf_matmul(g, s, x)));
    /* The factor may stand anywhere, and the vector on either side. */
    const sf_node second = sf_dot(g, sf_matmul(g, s, sf_mul(g, half, x)), x);
    CHECK_SAME(second, first);
    CHECK_SAME(sf_gradient(g, sf_dot(g, x, sf_matmul(g, p, x)), x),
               sf_matmul(g, both, x));

    /* Constants are multiplied once: y . (M x) = (y M) x, of 9 rows. */
    double long_rows[27], y[9];
    for (int i = 0; i < 27; i++)
        long_rows[i] = i * i;
    for (int i = 0; i < 9; i++)
        y[i] = 1 + i % 2;
    const sf_node m = sf_const_array(g, 2, (int64_t[]){9, 3}, long_rows);
    const sf_node c = sf_const_array(g, 1, (int64_t[]){9}, y);
    const sf_node slope = sf_gradient(g, sf_dot(g, c, sf_matmul(g, m, x)), x);
    CHECK(!sf_node_varies(g, slope) && sf_node_extent(g, slope, 0) == 3);

    const sf_node u = sf_component(g, x, 0), v = sf_component(g, x, 1),
                  w = sf_component(g, x, 2);
    const sf_node f = sf_add(g, sf_mul(g, u, v), sf_mul(g, w, sf_sin(g, u)));
    const int64_t one = 1;
    const sf_node list[3] = {
        sf_reshape(g, sf_gradient(g, f, sf_slice(g, x, 0, 0, 1, 1)), 1, &one),
        sf_reshape(g, u, 1, &one), sf_reshape(g, sf_sin(g, u), 1, &one)};
    CHECK_SAME(sf_gradient(g, f, x), sf_concat(g, 3, list, 0));
    /* Parts that do not touch are added up. */
    const sf_node ends = sf_gradient(g, sf_mul(g, u, w), x);
    CHECK_SAME(ends, sf_add(g, sf_pad(g, sf_reshape(g, w, 1, &one), 0, 0, 1, 3),
                            sf_pad(g, sf_reshape(g, u, 1, &one), 0, 2, 1, 3)));
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* ---- shapes ------------------------------------------------------------------- */

#define CHECK_SHAPE(node, ...)                                                 \
    check_shape(g, (node),                                                     \
                (int)(sizeof((int64_t[]){-1, __VA_ARGS__}) / 8) - 1,           \
                (int64_t[]){-1, __VA_ARGS__} + 1, #node, __LINE__)

static void check_shape(sf_graph *g, sf_node n, int rank, const int64_t *want,
                        const char *what, int line)
{
    assert_int_equal(sf_graph_status(g), SF_OK);
    int64_t count = 1;
    bool same = sf_node_rank(g, n) == rank;
    for (int i = 0; i < rank; i++) {
        same = same && sf_node_extent(g, n, i) == want[i];
        count *= want[i];
    }
    if (same && sf_node_count(g, n) == count)
        return;
    char text[SFI_SHAPE_TEXT];
    fprintf(stderr, "%s:%d: shape of %s is %s\n", __FILE__, line, what,
            sfi_shape_text(&sfi_at(g, n)->shape, text));
    fail();
}

TEST(results_have_their_documented_shapes)
{
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    const sf_node s = sf_input(g, "s", 0, NULL), x = vector(g, "x", 4);
    const sf_node m = matrix(g, "m", 3, 4);
    const sf_node box = sf_input(g, "box", 3, (int64_t[]){2, 4, 6});
    const sf_node w = sf_param(g, "w", 4, (int64_t[]){5, 2, 3, 1});
    CHECK(sf_node_rank(g, s) == 0 && sf_node_count(g, s) == 1);
    CHECK(sf_node_extent(g, x, 1) == 0 && sf_node_extent(g, x, -1) == 0);
    CHECK_SHAPE(sf_add(g, x, s), 4);
    CHECK_SHAPE(sf_add(g, m, x), 3, 4);
    CHECK_SHAPE(sf_mul(g, sf_reshape(g, x, 2, (int64_t[]){4, 1}), x), 4, 4);
    CHECK_SHAPE(sf_select(g, s, x, m), 3, 4);
    CHECK_SHAPE(sf_sum(g, box, 2u), 2, 6);
    CHECK_SHAPE(sf_permute(g, box, (int[]){2, 0, 1}), 6, 2, 4);
    CHECK_SHAPE(sf_slice(g, box, 2, 1, 3, 2), 2, 4, 3);
    CHECK_SHAPE(sf_pad(g, box, 1, 1, 2, 9), 2, 9, 6);
    CHECK_SHAPE(sf_concat(g, 2, (sf_node[]){box, box}, 0), 4, 4, 6);
    CHECK_SHAPE(sf_matmul(g, m, x), 3);
    CHECK_SHAPE(sf_matmul(g, sf_transpose(g, m), m), 4, 4);
    CHECK_SHAPE(sf_outer(g, x, sf_matmul(g, m, x)), 4, 3);
    CHECK_SHAPE(sf_conv2d(g, box, w, 1), 5, 4, 8);
    CHECK_SHAPE(sf_avg_pool2(g, box), 2, 2, 3);
    CHECK_SHAPE(sf_upsample2(g, box), 2, 8, 12);
    CHECK_SHAPE(sf_eye(g, 3), 3, 3);
    CHECK_SHAPE(sf_jacobian(g, sf_sin(g, m), x), 3, 4, 4);
    CHECK_SHAPE(sf_jacobian(g, sf_dot(g, x, x), x), 4);
    CHECK_SHAPE(sf_hessian(g, sf_dot(g, x, x), x), 4, 4);
    CHECK_SHAPE(sf_gradient(g, sf_sum_all(g, m), m), 3, 4);
    CHECK_SHAPE(sf_jvp(g, sf_matmul(g, m, x), x, x), 3);
    CHECK(sf_node_rank(g, sf_dot(g, x, x)) == 0);
    CHECK(sf_node_rank(g, sf_component(g, x, 3)) == 0);
    CHECK(sf_node_rank(g, sf_divergence(g, sf_sin(g, x), x)) == 0);
    CHECK(sf_node_rank(g, sf_laplacian(g, sf_dot(g, x, x), x)) == 0);

    CHECK(sf_node_varies(g, sf_mul(g, x, sf_param(g, "p", 0, NULL))));
    CHECK(!sf_node_varies(g, sf_exp(g, w)));
    CHECK(!sf_node_varies(g, sf_const(g, 1.0)));
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* ---- errors -------------------------------------------------------------------- */

/* What builds one broken node; x [4], m [3,4], box [2,4,6], w [5,2,3,1]. */
typedef struct leaves {
    sf_node s, x, m, box, w;
} leaves;

static leaves make_leaves(sf_graph *g)
{
    const leaves l = {sf_input(g, "s", 0, NULL), vector(g, "x", 4),
                      matrix(g, "m", 3, 4),
                      sf_input(g, "box", 3, (int64_t[]){2, 4, 6}),
                      sf_param(g, "w", 4, (int64_t[]){5, 2, 3, 1})};
    return l;
}

#define BROKEN(NAME, call)                                                     \
    static void broken_##NAME(sf_graph *g, leaves l SFI_UNUSED)                \
    {                                                                          \
        (void)(call);                                                          \
    }
static const int64_t ones[8] = {1, 1, 1, 1, 1, 1, 1, 1};
static const int64_t huge[2] = {1 << 30, 1 << 30};
static const int64_t zero_extent = 0, minus = -1, five = 5;
static const int64_t most = (int64_t)1 << 40;

BROKEN(rank, sf_input(g, "nine", 9, ones))
BROKEN(rank_negative, sf_param(g, "p", -1, NULL))
BROKEN(extent_zero, sf_input(g, "none", 1, &zero_extent))
BROKEN(extent_negative, sf_input(g, "less", 1, &minus))
BROKEN(too_many, sf_input(g, "huge", 2, huge))
BROKEN(array, sf_const_array(g, 1, &zero_extent, NULL))
BROKEN(eye, sf_eye(g, 0))
BROKEN(eye_large, sf_eye(g, 32769))
BROKEN(add, sf_add(g, l.x, l.box))
BROKEN(select, sf_select(g, l.s, l.x, sf_slice(g, l.x, 0, 0, 3, 1)))
BROKEN(polygamma, sf_polygamma(g, -1, l.x))
BROKEN(sum, sf_sum(g, l.x, 2u))
BROKEN(sum_scalar, sf_sum(g, l.s, 1u))
BROKEN(broadcast, sf_broadcast(g, l.x, 2, (int64_t[]){4, 3}))
BROKEN(broadcast_down, sf_broadcast(g, l.m, 1, (int64_t[]){4}))
BROKEN(broadcast_rank, sf_broadcast(g, l.x, 7, ones))
BROKEN(reshape, sf_reshape(g, l.m, 1, &five))
BROKEN(reshape_extent, sf_reshape(g, l.m, 2, (int64_t[]){-3, -4}))
BROKEN(permute_twice, sf_permute(g, l.m, (int[]){0, 0}))
BROKEN(permute_outside, sf_permute(g, l.m, (int[]){0, 2}))
BROKEN(permute_negative, sf_permute(g, l.m, (int[]){-1, 0}))
BROKEN(transpose, sf_transpose(g, l.x))
BROKEN(slice_axis, sf_slice(g, l.x, 1, 0, 1, 1))
BROKEN(slice_axis_negative, sf_slice(g, l.x, -1, 0, 1, 1))
BROKEN(slice_first, sf_slice(g, l.x, 0, -1, 1, 1))
BROKEN(slice_count, sf_slice(g, l.x, 0, 0, 0, 1))
BROKEN(slice_step, sf_slice(g, l.x, 0, 0, 1, 0))
BROKEN(slice_long, sf_slice(g, l.x, 0, 1, 3, 2))
BROKEN(slice_overflow, sf_slice(g, l.x, 0, 1, INT64_MAX, INT64_MAX))
BROKEN(component, sf_component(g, l.x, 4))
BROKEN(component_rank, sf_component(g, l.m, 0))
BROKEN(pad_axis, sf_pad(g, l.s, 0, 0, 1, 3))
BROKEN(pad_first, sf_pad(g, l.x, 0, -1, 1, 8))
BROKEN(pad_step, sf_pad(g, l.x, 0, 0, 0, 8))
BROKEN(pad_short, sf_pad(g, l.x, 0, 2, 2, 8))
BROKEN(pad_large, sf_pad(g, l.x, 0, 0, 1, INT64_MAX))
BROKEN(pad_overflow, sf_pad(g, l.x, 0, 0, INT64_MAX, INT64_MAX))
BROKEN(concat_none, sf_concat(g, 0, &l.x, 0))
BROKEN(concat_axis, sf_concat(g, 2, (sf_node[]){l.x, l.x}, 1))
BROKEN(concat_rank, sf_concat(g, 2, (sf_node[]){l.x, l.m}, 0))
BROKEN(concat_extent, sf_concat(g, 2, (sf_node[]){l.m, l.box}, 0))
BROKEN(concat_scalars, sf_concat(g, 2, (sf_node[]){l.s, l.s}, 0))
BROKEN(concat_large, sf_concat(g, 2,
                               (sf_node[]){sf_input(g, "y", 1, &most),
                                           sf_input(g, "z", 1, &most)},
                               0))
BROKEN(matmul, sf_matmul(g, l.m, l.m))
BROKEN(matmul_vectors, sf_matmul(g, l.x, l.x))
BROKEN(matmul_left, sf_matmul(g, l.x, l.m))
BROKEN(matmul_large,
       sf_outer(g, sf_input(g, "y", 1, huge), sf_input(g, "z", 1, huge)))
BROKEN(dot, sf_dot(g, l.x, l.box))
BROKEN(outer, sf_outer(g, l.x, l.m))
BROKEN(conv_rank, sf_conv2d(g, l.m, l.w, 0))
BROKEN(conv_weights, sf_conv2d(g, l.box, l.m, 0))
BROKEN(conv_pad, sf_conv2d(g, l.box, l.w, -1))
BROKEN(conv_channels, sf_conv2d(g, sf_slice(g, l.box, 0, 0, 1, 1), l.w, 0))
BROKEN(conv_small, sf_conv2d(g, sf_slice(g, l.box, 1, 0, 2, 1), l.w, 0))
BROKEN(pool, sf_avg_pool2(g, l.x))
BROKEN(pool_odd, sf_avg_pool2(g, sf_slice(g, l.box, 1, 0, 3, 1)))
BROKEN(upsample, sf_upsample2(g, l.m))
BROKEN(gradient, sf_gradient(g, l.x, l.x))
BROKEN(jvp, sf_jvp(g, l.x, l.x, l.s))
BROKEN(jacobian, sf_jacobian(g, l.w, l.box))
BROKEN(divergence, sf_divergence(g, l.s, l.x))
BROKEN(divergence_rank, sf_divergence(g, l.m, l.m))
BROKEN(laplacian, sf_laplacian(g, sf_sum_all(g, l.m), l.m))
#undef BROKEN

static void broken_vjp(sf_graph *g, leaves l)
{
    sf_node out;
    sf_vjp(g, l.x, l.s, 1, &l.x, &out);
    CHECK(out.id == 0);
}

static const struct {
    void (*build)(sf_graph *g, leaves l);
    sf_status status;
    const char *message;
} broken_cases[] = {
    {broken_rank, SF_E_SHAPE, "nine: rank is 9, want 0 to 6"},
    {broken_rank_negative, SF_E_SHAPE, "p: rank is -1, want 0 to 6"},
    {broken_extent_zero, SF_E_SHAPE, "none: extent 0 is 0, want >= 1"},
    {broken_extent_negative, SF_E_SHAPE, "less: extent 0 is -1, want >= 1"},
    {broken_too_many, SF_E_SHAPE, "huge: extent 1 is 1073741824"},
    {broken_array, SF_E_SHAPE, "const_array: extent 0 is 0"},
    {broken_eye, SF_E_SHAPE, "eye: size is 0, want 1 to 32768"},
    {broken_eye_large, SF_E_SHAPE, "eye: size is 32769"},
    {broken_add, SF_E_SHAPE, "add: shapes [4] and [2,4,6] do not fit"},
    {broken_select, SF_E_SHAPE, "select: shapes [4] and [3] do not fit"},
    {broken_polygamma, SF_E_ARG, "polygamma: order is -1, want >= 0"},
    {broken_sum, SF_E_SHAPE, "sum: axes mask is 0x2, the operand has rank 1"},
    {broken_sum_scalar, SF_E_SHAPE, "sum: axes mask is 0x1"},
    {broken_broadcast, SF_E_SHAPE, "broadcast: [4] does not stretch to [4,3]"},
    {broken_broadcast_down, SF_E_SHAPE,
     "broadcast: [3,4] does not stretch to [4]"},
    {broken_broadcast_rank, SF_E_SHAPE, "broadcast: rank is 7"},
    {broken_reshape, SF_E_SHAPE,
     "reshape: [3,4] and [5] differ in number of elements"},
    {broken_reshape_extent, SF_E_SHAPE, "reshape: extent 0 is -3"},
    {broken_permute_twice, SF_E_ARG,
     "permute: entry 1 of the order is 0, want each of 0 to 1 once"},
    {broken_permute_outside, SF_E_ARG, "permute: entry 1 of the order is 2"},
    {broken_permute_negative, SF_E_ARG, "permute: entry 0 of the order is -1"},
    {broken_transpose, SF_E_SHAPE, "transpose: rank is 1, want 2"},
    {broken_slice_axis, SF_E_SHAPE, "slice: axis is 1, want 0 to 0"},
    {broken_slice_axis_negative, SF_E_SHAPE, "slice: axis is -1"},
    {broken_slice_first, SF_E_SHAPE, "slice: 1 elements from -1"},
    {broken_slice_count, SF_E_SHAPE, "slice: 0 elements"},
    {broken_slice_step, SF_E_SHAPE, "in steps of 0"},
    {broken_slice_long, SF_E_SHAPE,
     "slice: 3 elements from 1 in steps of 2 do not lie in an axis of 4"},
    {broken_slice_overflow, SF_E_SHAPE, "do not lie in an axis of 4"},
    {broken_component, SF_E_SHAPE, "slice: 1 elements from 4"},
    {broken_component_rank, SF_E_SHAPE, "component: rank is 2, want 1"},
    {broken_pad_axis, SF_E_SHAPE, "pad: axis is 0, want 0 to -1"},
    {broken_pad_first, SF_E_SHAPE, "pad: 4 elements from -1"},
    {broken_pad_step, SF_E_SHAPE, "in steps of 0"},
    {broken_pad_short, SF_E_SHAPE,
     "pad: 4 elements from 2 in steps of 2 do not lie in an axis of 8"},
    {broken_pad_large, SF_E_SHAPE, "pad: extent 0 is 9223372036854775807"},
    {broken_pad_overflow, SF_E_SHAPE, "pad: "},
    {broken_concat_none, SF_E_ARG, "concat: count is 0, want >= 1"},
    {broken_concat_axis, SF_E_SHAPE, "concat: axis is 1, want 0 to 0"},
    {broken_concat_rank, SF_E_SHAPE,
     "concat: part 1 has shape [3,4], the parts before it join to [4]"},
    {broken_concat_extent, SF_E_SHAPE, "concat: part 1 has shape [2,4,6]"},
    {broken_concat_scalars, SF_E_SHAPE, "concat: axis is 0, want 0 to -1"},
    {broken_concat_large, SF_E_SHAPE, "concat: extent 0 is 2199023255552"},
    {broken_matmul, SF_E_SHAPE,
     "matmul: shapes [3,4] and [3,4] do not fit, want [m,k] and [k,n] or [k]"},
    {broken_matmul_vectors, SF_E_SHAPE, "matmul: shapes [4] and [4]"},
    {broken_matmul_left, SF_E_SHAPE, "matmul: shapes [4] and [3,4]"},
    {broken_matmul_large, SF_E_SHAPE, "matmul: extent 1 is 1073741824"},
    {broken_dot, SF_E_SHAPE, "mul: shapes [4] and [2,4,6] do not fit"},
    {broken_outer, SF_E_SHAPE, "outer: ranks are 1 and 2, want 1 and 1"},
    {broken_conv_rank, SF_E_SHAPE,
     "conv2d: shapes [3,4] and [5,2,3,1] (pad 0) do not fit"},
    {broken_conv_weights, SF_E_SHAPE, "conv2d: shapes [2,4,6] and [3,4]"},
    {broken_conv_pad, SF_E_SHAPE, "(pad -1)"},
    {broken_conv_channels, SF_E_SHAPE, "conv2d: shapes [1,4,6]"},
    {broken_conv_small, SF_E_SHAPE, "conv2d: extent 1 is 0"},
    {broken_pool, SF_E_SHAPE, "avg_pool2: shape is [4], want [c,h,w]"},
    {broken_pool_odd, SF_E_SHAPE,
     "avg_pool2: shape is [2,3,6], want [c,h,w] with h and w even"},
    {broken_upsample, SF_E_SHAPE, "upsample2: shape is [3,4], want [c,h,w]"},
    {broken_gradient, SF_E_SHAPE, "gradient: the operand has rank 1"},
    {broken_vjp, SF_E_SHAPE, "vjp: the cotangent has shape [], y has [4]"},
    {broken_jvp, SF_E_SHAPE, "jvp: the tangent has shape [], want [4]"},
    {broken_jacobian, SF_E_SHAPE, "jacobian: 4 and 3 axes are more than 6"},
    {broken_divergence, SF_E_SHAPE, "divergence: shapes are [] and [4]"},
    {broken_divergence_rank, SF_E_SHAPE, "divergence: shapes are [3,4]"},
    {broken_laplacian, SF_E_SHAPE, "divergence: shapes are [3,4]"},
};

TEST(every_shape_error_is_found_and_says_what_is_wrong)
{
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(broken_cases); i++) {
        sf_graph *g = new_graph(ctx);
        broken_cases[i].build(g, make_leaves(g));
        CHECK_FAILS(ctx, sf_graph_status(g), broken_cases[i].status,
                    broken_cases[i].message);
        sf_graph_free(g);
    }
    sf_context_free(ctx);
}

/* After an error every constructor still returns a node that is safe to use,
 * and the first error is the one that is told. */
TEST(errors_stick_and_building_goes_on)
{
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    const leaves l = make_leaves(g);
    const sf_node bad = sf_transpose(g, l.x);
    CHECK(bad.id == 0);
    const size_t nodes = g->node_count;
    const leaves k = make_leaves(g);
    sf_node n[] = {
        k.s,
        sf_const(g, 1.0),
        sf_const_array(g, 1, &five, (double[]){1, 2, 3, 4, 5}),
        sf_eye(g, 3),
        sf_eye(g, -3),
        sf_sin(g, bad),
        sf_tan(g, bad),
        sf_add(g, l.x, bad),
        sf_polygamma(g, -2, l.x),
        sf_select(g, bad, bad, bad),
        sf_sum(g, bad, 7u),
        sf_sum_all(g, bad),
        sf_broadcast(g, bad, 1, &five),
        sf_reshape(g, bad, 9, ones),
        sf_permute(g, bad, NULL),
        sf_transpose(g, bad),
        sf_slice(g, bad, 3, 0, 1, 1),
        sf_component(g, bad, 5),
        sf_pad(g, bad, 3, 0, 1, 1),
        sf_concat(g, 0, NULL, 0),
        sf_stop_gradient(g, bad),
        sf_matmul(g, bad, bad),
        sf_dot(g, bad, l.box),
        sf_outer(g, bad, bad),
        sf_conv2d(g, bad, bad, 0),
        sf_avg_pool2(g, bad),
        sf_upsample2(g, bad),
        sf_gradient(g, l.x, bad),
        sf_jvp(g, bad, bad, l.x),
        sf_jacobian(g, bad, l.w),
        sf_hessian(g, bad, l.w),
        sf_divergence(g, bad, l.w),
        sf_laplacian(g, bad, l.w),
    };
    for (size_t i = 0; i < SFI_COUNT(n); i++)
        CHECK(n[i].id == 0);
    CHECK(g->node_count == nodes);
    CHECK(sf_node_rank(g, n[1]) == -1);
    CHECK(sf_node_count(g, n[1]) == 1 && sf_node_extent(g, n[1], 0) == 0);
    for (int i = 0; i < 2; i++) {
        sfi_message_clear(ctx);
        CHECK_FAILS(ctx, sf_graph_status(g), SF_E_SHAPE,
                    "transpose: rank is 1, want 2");
    }
    /* Everything that takes a graph passes its error on. */
    sf_program *program = NULL;
    CHECK_FAILS(
        ctx,
        sf_program_new(ctx, &program, g, SF_F64, 1, &(sf_output){l.x, SF_EACH}),
        SF_E_SHAPE, "transpose: rank is 1, want 2");
    CHECK(program == NULL);
    sf_node out = {7};
    CHECK_FAILS(ctx, sf_parse(g, "1+1", 0, NULL, &out), SF_E_SHAPE,
                "transpose: rank is 1, want 2");
    CHECK(out.id == 0);
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* ---- memory ---------------------------------------------------------------------- */

/* A bit of everything: leaves, constants, all kinds of nodes, derivatives in
 * both directions, text. */
static sf_status build_everything(sf_context *ctx, sf_graph **out)
{
    SFI_TRY(sf_graph_new(ctx, out));
    sf_graph *g = *out;
    const leaves l = make_leaves(g);
    const sf_node b = sf_const_array(g, 1, (int64_t[]){3}, (double[]){1, 2, 3});
    sf_node h = sf_silu(g, sf_add(g, sf_matmul(g, l.m, l.x), b));
    h = sf_concat(g, 2, (sf_node[]){h, sf_slice(g, l.x, 0, 0, 2, 2)}, 0);
    const sf_node image = sf_avg_pool2(g, sf_upsample2(g, l.box));
    const sf_node y =
        sf_add(g, sf_dot(g, h, h),
               sf_sum_all(g, sf_sin(g, sf_conv2d(g, image, l.w, 1))));
    sf_node d[3];
    sf_gradients(g, y, 3, (sf_node[]){l.x, l.m, l.w}, d);
    (void)sf_gradient(g, sf_dot(g, d[2], d[2]), l.x);
    (void)sf_hessian(g, y, l.x);
    (void)sf_laplacian(g, sf_dot(g, h, h), l.x);
    (void)sf_jvp(g, h, l.x, sf_matmul(g, sf_eye(g, 4), l.x));
    SFI_TRY(sf_graph_status(g));
    const sf_symbol symbols[] = {{"x", l.x}, {"m", l.m}};
    sf_node parsed;
    return sf_parse(g, "-0.5*norm(m*x)^1.5 + where(x[0] < 2, (-x)[1], pi)", 2,
                    symbols, &parsed);
}

/* Fail the k-th allocation, for all k: alone, and with all that follow. */
TEST(every_allocation_of_a_graph_may_fail)
{
    for (int alone = 0; alone < 2; alone++) {
        struct faults faults;
        sf_context *ctx = faulty_context(&faults);
        sf_status status = SF_E_NOMEM;
        while (NEXT_FAULT(&faults, status)) {
            faults.alone = alone;
            sf_graph *g = NULL;
            status = build_everything(ctx, &g);
            if (status != SF_OK) {
                assert_int_equal(status, SF_E_NOMEM);
                assert_non_null(strstr(sf_context_message(ctx), "memory"));
            }
            sf_graph_free(g);
        }
        CHECK(faults.tries > 40);
        sf_context_free(ctx);
    }
}

/* The arena moves when it grows.  With more and more other nodes in it, it
 * grows at every place of the rules; the allocator overwrites what is given
 * back. */
TEST(shapes_are_read_before_the_arena_moves)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    for (int others = 0; others < 128; others++) {
        sf_graph *g = new_graph(ctx);
        for (int i = 0; i < others; i++)
            (void)sf_const(g, 100.0 + i);
        const sf_node x = vector(g, "x", 3);
        sf_node y = x;
        for (int i = 0; i < 4; i++)
            y = sf_sub(g, sf_sin(g, sf_sub(g, sf_const(g, i), y)), x);
        const sf_node z = sf_pow(g, sf_sub(g, sf_abs(g, y), x), x);
        const sf_node d = sf_gradient(g, sf_sum_all(g, z), x);
        const sf_node j = sf_jvp(g, z, x, x);
        CHECK_OK(ctx, sf_graph_status(g));
        CHECK_SHAPE(d, 3);
        CHECK_SHAPE(j, 3);
        CHECK_SAME(sf_pow(g, y, sf_const(g, 0.0)), filled(g, x, 1.0));
        CHECK_SAME(sf_sub(g, z, z), filled(g, x, 0.0));
        sf_graph_free(g);
    }
    sf_context_free(ctx);
}

/* ---- derivatives at the edges ------------------------------------------------------ */

TEST(derivatives_of_what_does_not_depend_are_zero)
{
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    const leaves l = make_leaves(g);
    const sf_node y = sf_dot(g, l.x, l.x);
    const sf_node late = sf_exp(g, l.x); /* newer than y */
    CHECK_SAME(sf_gradient(g, y, l.m), filled(g, l.m, 0.0));
    CHECK_SAME(sf_gradient(g, y, late), filled(g, l.x, 0.0));
    CHECK_SAME(sf_gradient(g, sf_const(g, 3.0), l.x), filled(g, l.x, 0.0));
    CHECK_SAME(sf_jvp(g, y, l.m, l.m), sf_const(g, 0.0));
    CHECK_SAME(sf_jvp(g, l.x, late, l.x), filled(g, l.x, 0.0));
    CHECK_SAME(sf_jacobian(g, l.x, l.s), filled(g, l.x, 0.0));
    CHECK_SAME(sf_gradient(g, sf_sum_all(g, sf_floor(g, l.x)), l.x),
               filled(g, l.x, 0.0));
    CHECK_SAME(sf_gradient(g, sf_dot(g, l.x, sf_stop_gradient(g, l.x)), l.x),
               sf_stop_gradient(g, l.x));
    CHECK_SAME(sf_gradient(g, sf_sum_all(g, sf_stop_gradient(g, late)), l.x),
               filled(g, l.x, 0.0));

    /* By itself: the unit. */
    CHECK_SAME(sf_gradient(g, y, y), sf_const(g, 1.0));
    CHECK_SAME(sf_jvp(g, l.x, l.x, late), late);
    CHECK_SAME(sf_jacobian(g, l.x, l.x), sf_eye(g, 4));
    CHECK_SAME(
        sf_divergence(g, l.x, l.x),
        sf_sum_all(g,
                   sf_slice(g, sf_reshape(g, sf_eye(g, 4), 1, (int64_t[]){16}),
                            0, 0, 4, 5)));

    /* Twice the same, and one below the other. */
    sf_node d[3];
    sf_gradients(g, sf_dot(g, late, late), 3, (sf_node[]){l.x, late, l.x}, d);
    CHECK_SAME(d[0], d[2]);
    CHECK_SAME(d[0], sf_mul(g, d[1], late));
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* y = x s(x) has a rule of its own, which must not hide that y depends on s. */
TEST(an_inner_node_gets_its_derivative_beside_a_leaf)
{
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    const sf_node x = vector(g, "x", 3);
    const sf_node s = sf_sigmoid(g, x), y = sf_sum_all(g, sf_mul(g, x, s));
    sf_node alone, both[2];
    sf_gradients(g, y, 1, &s, &alone);
    sf_gradients(g, y, 2, (sf_node[]){x, s}, both);
    CHECK_SAME(alone, x);
    CHECK_SAME(both[1], x);
    const double at[3] = {-1.0, 0.3, 2.0};
    const double *inputs[1] = {at};
    struct values v = {0};
    interpret(g, &v, inputs, NULL);
    for (int i = 0; i < 3; i++) {
        const double p = 1.0 / (1.0 + exp(-at[i]));
        CHECK_NEAR(v.of[both[0].id][i], p + at[i] * p * (1 - p), 1e-15);
    }
    values_free(&v);
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* At a tie one operand of a maximum has the whole derivative, a constant before
 * anything else; the piece of a selection that is not taken has none, if its own
 * derivative is finite. */
TEST(derivatives_at_kinks_are_those_that_are_documented)
{
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    const sf_node x = sf_input(g, "x", 0, NULL), zero = sf_const(g, 0.0);
    const sf_node y = sf_input(g, "y", 0, NULL), one = sf_const(g, 1.0);
    const sf_node positive = sf_less(g, zero, x);
    const sf_node guarded = sf_sqrt(g, sf_select(g, positive, x, one));
    const struct {
        sf_node node;
        double at, slope;
    } cases[] = {
        {sf_max(g, x, zero), 0.0, 0.0},
        {sf_max(g, zero, x), 0.0, 0.0},
        {sf_min(g, x, zero), 0.0, 0.0},
        {sf_max(g, x, zero), 2.0, 1.0},
        {sf_min(g, x, zero), 2.0, 0.0},
        {sf_max(g, x, sf_sin(g, x)), 0.0, 1.0},
        {sf_abs(g, x), 0.0, 0.0},
        {sf_abs(g, x), -3.0, -1.0},
        {sf_select(g, positive, sf_sqrt(g, x), zero), -1.0, NAN},
        {sf_select(g, positive, guarded, zero), -1.0, 0.0},
        {sf_select(g, positive, guarded, zero), 4.0, 0.25},
        {sf_mul(g, guarded, positive), -1.0, 0.0},
        {sf_select(g, positive, x, sf_exp(g, y)), 4.0, 1.0},
    };
    sf_node slope[SFI_COUNT(cases)];
    for (size_t i = 0; i < SFI_COUNT(cases); i++)
        slope[i] = sf_gradient(g, cases[i].node, x);
    CHECK_OK(ctx, sf_graph_status(g));
    for (size_t i = 0; i < SFI_COUNT(cases); i++) {
        const double huge_y = 1e4; /* exp(y) is infinite */
        const double *inputs[2] = {&cases[i].at, &huge_y};
        struct values v = {0};
        interpret(g, &v, inputs, NULL);
        const double got = v.of[slope[i].id][0];
        CHECK(isnan(cases[i].slope) ? isnan(got) : got == cases[i].slope);
        values_free(&v);
    }
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* Simplification may pass an inner node by, but never sf_stop_gradient(). */
TEST(derivatives_by_inner_nodes_are_those_that_are_documented)
{
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    const sf_node x = vector(g, "x", 3), two = sf_const(g, 2.0);
    const sf_node inner = sf_mul(g, two, x);
    const sf_node outer = sf_mul(g, sf_const(g, 3.0), inner);
    CHECK_SAME(sf_gradient(g, sf_sum_all(g, outer), inner), filled(g, x, 0.0));
    const sf_node opaque = sf_stop_gradient(g, inner);
    const sf_node y = sf_mul(g, sf_const(g, 3.0), opaque);
    CHECK_SAME(sf_gradient(g, sf_sum_all(g, y), opaque), filled(g, x, 3.0));
    CHECK_SAME(sf_gradient(g, sf_sum_all(g, y), x), filled(g, x, 0.0));
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* A tangent has one axis more than its node. */
TEST(too_many_axes_for_a_jacobian_is_an_error_that_says_so)
{
    sf_context *ctx = new_context();
    const int64_t e5[5] = {1, 2, 1, 2, 3}, e6[6] = {2, 1, 2, 1, 2, 3};
    for (int kind = 0; kind < 4; kind++) {
        sf_graph *g = new_graph(ctx);
        const sf_node x = vector(g, "x", 12);
        const sf_node a = sf_reshape(g, sf_sin(g, x), 5, e5);
        const sf_node b = sf_broadcast(g, a, 6, e6);
        sf_node y = b;
        if (kind == 1)
            y = sf_sum(g, b, 1u);
        if (kind == 2)
            y = sf_permute(g, b, (int[]){5, 0, 1, 2, 3, 4});
        if (kind == 3)
            y = sf_slice(g, b, 5, 0, 2, 1);
        (void)sf_jacobian(g, sf_sum_all(g, y), x);
        CHECK_FAILS(ctx, sf_graph_status(g), SF_E_SHAPE,
                    "jacobian: more than 6 axes are needed");
        sf_graph_free(g);
    }
    sf_context_free(ctx);
}

TESTS(CASE(equal_expressions_are_one_node),
      CASE(sharing_survives_a_growing_table),
      CASE(constants_fold_to_the_definition_of_every_operation),
      CASE(sums_and_differences_simplify),
      CASE(products_and_quotients_simplify),
      CASE(powers_and_selections_simplify), CASE(shape_operations_simplify),
      CASE(sums_and_products_of_arrays_simplify),
      CASE(quadratic_forms_and_components_simplify),
      CASE(results_have_their_documented_shapes),
      CASE(every_shape_error_is_found_and_says_what_is_wrong),
      CASE(errors_stick_and_building_goes_on),
      CASE(every_allocation_of_a_graph_may_fail),
      CASE(shapes_are_read_before_the_arena_moves),
      CASE(derivatives_of_what_does_not_depend_are_zero),
      CASE(an_inner_node_gets_its_derivative_beside_a_leaf),
      CASE(derivatives_at_kinks_are_those_that_are_documented),
      CASE(derivatives_by_inner_nodes_are_those_that_are_documented),
      CASE(too_many_axes_for_a_jacobian_is_an_error_that_says_so))
