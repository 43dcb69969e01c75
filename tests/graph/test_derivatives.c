/* SPDX-License-Identifier: Apache-2.0 */
/* test_derivatives.c - every operation's value and derivatives.
 *
 * Element-wise operations come from the table itself, so a new one is tested as
 * soon as it exists.  Finite differences are central: their error is
 * h^2 f'''/6 + eps f/h, for h = 1e-5 below 1e-8 for functions of size 10. */
#include "graph/evaluate.h"
#include "num/special.h"

enum { POINTS = 40 };

typedef struct ew_case {
    sfi_op op;
    const char *name;
    int arity;
    enum { TYPED, PUBLIC, ORDERED, INNER } scope;
    double lo, hi;
    double (*value)(double a, double b, double c);
} ew_case;

#define EW(NAME, name, arity, scope, loop, cost, lo, hi, value)                \
    static double value_##NAME(double a SFI_UNUSED, double b SFI_UNUSED,       \
                               double c SFI_UNUSED)                            \
    {                                                                          \
        return value;                                                          \
    }
#include "num/elementwise.def"
#undef EW

static const ew_case cases[] = {
#define EW(NAME, name, arity, scope, loop, cost, lo, hi, value)                \
    {SFI_OP_##NAME, #name, arity, scope, lo, hi, value_##NAME},
#include "num/elementwise.def"
#undef EW
};

/* The operation applied to inputs; orders are constants. */
static sf_node make(sf_graph *g, const ew_case *c, sf_node *in)
{
    if (c->op == SFI_OP_POLYGAMMA)
        return sf_polygamma(g, 1, in[1]);
    if (c->op == SFI_OP_LOG_NDTR_SLOPE)
        return sfi_log_ndtr_slope_node(g, 1, in[1]);
    if (c->op == SFI_OP_LOG_BESSEL)
        return sfi_log_bessel_node(g, 1.0, in[1]);
    if (c->op == SFI_OP_LOG_BESSEL_SLOPE)
        return sfi_log_bessel_slope_node(g, 1.0, in[1]);
    return sfi_elementwise(g, c->op, c->arity, in);
}

static double reference(const ew_case *c, const double *x)
{
    return c->value(c->scope == ORDERED ? 1.0 : x[0], x[1], x[2]);
}

/* Points at least 0.05 away from where min, max, sign, floor, ... jump. */
static void sample(const ew_case *c, double *x)
{
    fill(x, POINTS * 3, c->lo, c->hi, (uint64_t)c->op + 1);
    for (int i = 0; i < POINTS; i++) {
        double *p = x + 3 * i;
        if (fabs(p[0] - p[1]) < 0.05)
            p[0] += 0.1;
        if (fabs(p[0] - round(p[0])) < 0.05)
            p[0] += 0.1;
    }
}

static const int64_t first3[3] = {0, 1, 2};

static void check_value(sf_context *ctx, const ew_case *c, sf_dtype dtype)
{
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    sf_node in[3] = {sf_input(g, "a", 0, NULL), sf_input(g, "b", 0, NULL),
                     sf_input(g, "c", 0, NULL)};
    const sf_node y = make(g, c, in);
    double x[POINTS * 3], out[POINTS];
    sample(c, x);
    evaluate(ctx, g, dtype, y, SF_EACH, POINTS, x, 3, first3, NULL, out);
    for (int i = 0; i < POINTS; i++) {
        const double want = reference(c, x + 3 * i);
        /* f32: operands rounded to 6e-8 relative, and condition up to ~20. */
        const double tolerance = dtype == SF_F32 ? 4e-6 * (1.0 + fabs(want))
                                                 : 4e-15 * (1 + fabs(want));
        if (fabs(out[i] - want) > tolerance)
            fprintf(stderr, "%s(%.9g, %.9g, %.9g), %s\n", c->name, x[3 * i],
                    x[3 * i + 1], x[3 * i + 2],
                    dtype == SF_F32 ? "f32" : "f64");
        CHECK_NEAR(out[i], want, tolerance);
    }
    sf_graph_free(g);
}

TEST(values_agree_with_their_definition_in_both_types)
{
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(cases); i++) {
        check_value(ctx, &cases[i], SF_F64);
        check_value(ctx, &cases[i], SF_F32);
    }
    sf_context_free(ctx);
}

/* First derivatives against differences of the definition, second ones against
 * differences of the first; f32 against f64. */
static void check_derivatives(sf_context *ctx, const ew_case *c, int k, int j)
{
    const double h = 1e-5;
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    sf_node in[3] = {sf_input(g, "a", 0, NULL), sf_input(g, "b", 0, NULL),
                     sf_input(g, "c", 0, NULL)};
    const sf_node y = make(g, c, in);
    const sf_node d1 = sf_gradient(g, y, in[k]);
    const sf_node forward = sf_jvp(g, y, in[k], sf_const(g, 1.0));
    const sf_node d2 = sf_gradient(g, d1, in[j]);
    const sf_node d2_forward = sf_jvp(g, forward, in[j], sf_const(g, 1.0));
    double x[POINTS * 3], got1[POINTS], got2[POINTS], up[POINTS], down[POINTS],
        other[POINTS];
    sample(c, x);
    evaluate(ctx, g, SF_F64, d1, SF_EACH, POINTS, x, 3, first3, NULL, got1);
    for (int i = 0; i < POINTS; i++) {
        double hi[3], lo[3];
        memcpy(hi, x + 3 * i, sizeof hi);
        memcpy(lo, x + 3 * i, sizeof lo);
        hi[k] += h;
        lo[k] -= h;
        const double want = (reference(c, hi) - reference(c, lo)) / (2 * h);
        if (fabs(got1[i] - want) > 2e-7 * (1 + fabs(want)))
            fprintf(stderr, "d %s / d arg %d at (%g, %g, %g)\n", c->name, k,
                    x[3 * i], x[3 * i + 1], x[3 * i + 2]);
        CHECK_NEAR(got1[i], want, 2e-7 * (1 + fabs(want)));
    }
    evaluate(ctx, g, SF_F64, forward, SF_EACH, POINTS, x, 3, first3, NULL,
             other);
    for (int i = 0; i < POINTS; i++)
        CHECK_NEAR(other[i], got1[i], 1e-13 * (1 + fabs(got1[i])));
    evaluate(ctx, g, SF_F32, d1, SF_EACH, POINTS, x, 3, first3, NULL, other);
    for (int i = 0; i < POINTS; i++)
        CHECK_NEAR(other[i], got1[i], 4e-5 * (1 + fabs(got1[i])));

    evaluate(ctx, g, SF_F64, d2, SF_EACH, POINTS, x, 3, first3, NULL, got2);
    for (int i = 0; i < POINTS; i++)
        x[3 * i + j] += h;
    evaluate(ctx, g, SF_F64, d1, SF_EACH, POINTS, x, 3, first3, NULL, up);
    for (int i = 0; i < POINTS; i++)
        x[3 * i + j] -= 2 * h;
    evaluate(ctx, g, SF_F64, d1, SF_EACH, POINTS, x, 3, first3, NULL, down);
    for (int i = 0; i < POINTS; i++) {
        const double want = (up[i] - down[i]) / (2 * h);
        if (fabs(got2[i] - want) > 1e-6 * (1 + fabs(want)))
            fprintf(stderr, "d2 %s / d arg %d d arg %d\n", c->name, k, j);
        CHECK_NEAR(got2[i], want, 1e-6 * (1 + fabs(want)));
        x[3 * i + j] += h;
    }
    evaluate(ctx, g, SF_F64, d2_forward, SF_EACH, POINTS, x, 3, first3, NULL,
             other);
    for (int i = 0; i < POINTS; i++)
        CHECK_NEAR(other[i], got2[i], 1e-9 * (1 + fabs(got2[i])));
    sf_graph_free(g);
}

TEST(first_and_second_derivatives_match_finite_differences)
{
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(cases); i++)
        for (int k = 0; k < cases[i].arity; k++)
            for (int j = 0; j < cases[i].arity; j++)
                check_derivatives(ctx, &cases[i], k, j);
    sf_context_free(ctx);
}

/* ---- structural operations ---------------------------------------------------
 *
 * Each case maps x [12] (viewed in some shape) to y, made non-linear by a sine
 * so that second derivatives do not vanish. */
typedef sf_node (*shape_case)(sf_graph *g, sf_node x);

static sf_node wave(sf_graph *g, sf_node x)
{
    return sf_sin(g, sf_mul(g, sf_const(g, 1.3), x));
}

static sf_node box(sf_graph *g, sf_node x, int64_t a, int64_t b, int64_t c)
{
    return sf_reshape(g, x, 3, (int64_t[]){a, b, c});
}

static sf_node case_sum(sf_graph *g, sf_node x)
{
    return sf_sum(g, wave(g, box(g, x, 2, 3, 2)), 1u | 4u);
}

static sf_node case_broadcast(sf_graph *g, sf_node x)
{
    const sf_node column = sf_reshape(g, wave(g, x), 2, (int64_t[]){12, 1});
    return sf_broadcast(g, column, 3, (int64_t[]){2, 12, 3});
}

static sf_node case_permute(sf_graph *g, sf_node x)
{
    return sf_permute(g, wave(g, box(g, x, 2, 3, 2)), (int[]){2, 0, 1});
}

static sf_node case_slice(sf_graph *g, sf_node x)
{
    return sf_slice(g, wave(g, box(g, x, 2, 3, 2)), 1, 0, 2, 2);
}

static sf_node case_pad(sf_graph *g, sf_node x)
{
    return sf_pad(g, wave(g, box(g, x, 2, 3, 2)), 1, 1, 2, 7);
}

static sf_node case_concat(sf_graph *g, sf_node x)
{
    const sf_node b = box(g, x, 2, 3, 2);
    const sf_node parts[3] = {
        wave(g, b), sf_square(g, b),
        sf_const_array(g, 3, (int64_t[]){2, 1, 2}, (double[]){1, 2, 3, 4})};
    return sf_concat(g, 3, parts, 1);
}

static sf_node case_matmul_varying(sf_graph *g, sf_node x)
{
    const sf_node a = sf_reshape(g, wave(g, x), 2, (int64_t[]){4, 3});
    const sf_node b = sf_reshape(g, sf_square(g, x), 2, (int64_t[]){3, 4});
    return sf_matmul(g, a, b);
}

static sf_node weights(sf_graph *g, int rank, const int64_t *shape)
{
    double w[256];
    int64_t count = 1;
    for (int i = 0; i < rank; i++)
        count *= shape[i];
    fill(w, count, -1.0, 1.0, 77);
    return sf_const_array(g, rank, shape, w);
}

static sf_node case_matmul_left(sf_graph *g, sf_node x)
{
    const sf_node b = sf_reshape(g, wave(g, x), 2, (int64_t[]){4, 3});
    return sf_matmul(g, weights(g, 2, (int64_t[]){5, 4}), b);
}

static sf_node case_matmul_right(sf_graph *g, sf_node x)
{
    const sf_node a = sf_reshape(g, wave(g, x), 2, (int64_t[]){3, 4});
    return sf_matmul(g, a, weights(g, 2, (int64_t[]){4, 5}));
}

static sf_node case_dense(sf_graph *g, sf_node x)
{
    const sf_node h = sf_matmul(g, weights(g, 2, (int64_t[]){7, 12}), x);
    const sf_node b = weights(g, 1, (int64_t[]){7});
    return sf_silu(g, sf_add(g, h, b));
}

static sf_node image(sf_graph *g, sf_node x)
{
    return sf_reshape(g, wave(g, x), 3, (int64_t[]){1, 3, 4});
}

static sf_node case_conv(sf_graph *g, sf_node x)
{
    return sf_conv2d(g, image(g, x), weights(g, 4, (int64_t[]){2, 1, 3, 3}), 1);
}

static sf_node case_conv_varying(sf_graph *g, sf_node x)
{
    const sf_node w = sf_reshape(g, sf_square(g, sf_slice(g, x, 0, 0, 4, 1)), 4,
                                 (int64_t[]){1, 1, 2, 2});
    return sf_conv2d(g, image(g, x), w, 0);
}

static sf_node case_conv_grad_x(sf_graph *g, sf_node x)
{
    return sfi_conv2d_grad_x(g, image(g, x),
                             weights(g, 4, (int64_t[]){1, 2, 3, 3}), 1);
}

static sf_node case_conv_grad_w(sf_graph *g, sf_node x)
{
    return sfi_conv2d_grad_w(g, image(g, x), sf_exp(g, image(g, x)), 1);
}

static sf_node case_pool(sf_graph *g, sf_node x)
{
    return sf_avg_pool2(g, sf_reshape(g, wave(g, x), 3, (int64_t[]){3, 2, 2}));
}

static sf_node case_upsample(sf_graph *g, sf_node x)
{
    return sf_upsample2(g, image(g, x));
}

static sf_node case_select(sf_graph *g, sf_node x)
{
    return sf_select(g, sf_less(g, x, sf_const(g, 0.0)), wave(g, x),
                     sf_square(g, x));
}

static const shape_case shape_cases[] = {
    case_sum,          case_broadcast,   case_permute,        case_slice,
    case_pad,          case_concat,      case_matmul_varying, case_matmul_left,
    case_matmul_right, case_dense,       case_conv,           case_conv_varying,
    case_conv_grad_x,  case_conv_grad_w, case_pool,           case_upsample,
    case_select,
};

enum { SHAPE_POINTS = 5, DIM = 12 };

static void check_shape_case(sf_context *ctx, shape_case make_y, int number)
{
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const sf_node x = sf_input(g, "x", 1, (int64_t[]){DIM});
    const sf_node v = sf_input(g, "v", 1, (int64_t[]){DIM});
    const sf_node y = make_y(g, x);
    const int64_t m = sf_node_count(g, y);
    const sf_node w = sf_input(g, "w", g->nodes[y.id].shape.rank,
                               g->nodes[y.id].shape.extent);
    CHECK_OK(ctx, sf_graph_status(g));
    const int64_t stride = 2 * DIM + m;
    const int64_t first[3] = {0, DIM, 2 * DIM};
    double *table = calloc((size_t)(SHAPE_POINTS * stride), sizeof *table);
    fill(table, SHAPE_POINTS * stride, -1.0, 1.0, (uint64_t)number + 500);

    /* <J v, w> = <v, J' w>, and the same for the gradient of a scalar of y,
     * whose Jacobian is symmetric. */
    sf_node back;
    sf_vjp(g, y, w, 1, &x, &back);
    const sf_node jv = sf_jvp(g, y, x, v);
    const sf_node left = sf_dot(g, jv, w), right = sf_dot(g, v, back);
    const sf_node energy = sf_dot(g, w, sf_square(g, y));
    const sf_node gradient = sf_gradient(g, energy, x);
    const sf_node hv = sf_jvp(g, gradient, x, v);
    const sf_node hv2 = sf_gradient(g, sf_dot(g, gradient, v), x);
    const sf_node jacobian = sf_jacobian(g, y, x);
    CHECK_OK(ctx, sf_graph_status(g));

    double l[SHAPE_POINTS], r[SHAPE_POINTS], e_up[SHAPE_POINTS],
        e_down[SHAPE_POINTS], slope[SHAPE_POINTS];
    evaluate(ctx, g, SF_F64, left, SF_EACH, SHAPE_POINTS, table, stride, first,
             NULL, l);
    evaluate(ctx, g, SF_F64, right, SF_EACH, SHAPE_POINTS, table, stride, first,
             NULL, r);
    for (int i = 0; i < SHAPE_POINTS; i++)
        CHECK_NEAR(l[i], r[i], 1e-12 * (1 + fabs(r[i])));

    /* Directional derivative of the energy along v by differences. */
    const double h = 1e-5;
    evaluate(ctx, g, SF_F64, sf_dot(g, gradient, v), SF_EACH, SHAPE_POINTS,
             table, stride, first, NULL, slope);
    double *moved = malloc((size_t)(SHAPE_POINTS * stride) * sizeof *moved);
    for (int side = 0; side < 2; side++) {
        memcpy(moved, table, (size_t)(SHAPE_POINTS * stride) * sizeof *moved);
        for (int i = 0; i < SHAPE_POINTS; i++)
            for (int j = 0; j < DIM; j++)
                moved[i * stride + j] +=
                    (side == 0 ? h : -h) * table[i * stride + DIM + j];
        evaluate(ctx, g, SF_F64, energy, SF_EACH, SHAPE_POINTS, moved, stride,
                 first, NULL, side == 0 ? e_up : e_down);
    }
    for (int i = 0; i < SHAPE_POINTS; i++)
        CHECK_NEAR(slope[i], (e_up[i] - e_down[i]) / (2 * h),
                   1e-7 * (1 + fabs(slope[i])));

    /* Two ways to a Hessian-vector product. */
    double a[SHAPE_POINTS * DIM], b[SHAPE_POINTS * DIM];
    evaluate(ctx, g, SF_F64, hv, SF_EACH, SHAPE_POINTS, table, stride, first,
             NULL, a);
    evaluate(ctx, g, SF_F64, hv2, SF_EACH, SHAPE_POINTS, table, stride, first,
             NULL, b);
    for (int i = 0; i < SHAPE_POINTS * DIM; i++)
        CHECK_NEAR(a[i], b[i], 1e-11 * (1 + fabs(b[i])));

    /* The Jacobian applied to v is the Jacobian-vector product. */
    double *jac = malloc((size_t)(SHAPE_POINTS * m * DIM) * sizeof *jac);
    double *jvs = malloc((size_t)(SHAPE_POINTS * m) * sizeof *jvs);
    evaluate(ctx, g, SF_F64, jacobian, SF_EACH, SHAPE_POINTS, table, stride,
             first, NULL, jac);
    evaluate(ctx, g, SF_F64, jv, SF_EACH, SHAPE_POINTS, table, stride, first,
             NULL, jvs);
    for (int i = 0; i < SHAPE_POINTS; i++)
        for (int64_t k = 0; k < m; k++) {
            double sum = 0.0;
            for (int j = 0; j < DIM; j++)
                sum += jac[(i * m + k) * DIM + j] * table[i * stride + DIM + j];
            CHECK_NEAR(sum, jvs[i * m + k], 1e-12 * (1 + fabs(sum)));
        }
    /* f32 gives the same to its precision. */
    double narrow[SHAPE_POINTS * DIM];
    evaluate(ctx, g, SF_F32, hv, SF_EACH, SHAPE_POINTS, table, stride, first,
             NULL, narrow);
    for (int i = 0; i < SHAPE_POINTS * DIM; i++)
        CHECK_NEAR(narrow[i], a[i], 5e-4 * (1 + fabs(a[i])));
    free(jac);
    free(jvs);
    free(moved);
    free(table);
    sf_graph_free(g);
}

TEST(structural_operations_have_exact_adjoints_and_second_derivatives)
{
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(shape_cases); i++)
        check_shape_case(ctx, shape_cases[i], (int)i);
    sf_context_free(ctx);
}

/* d^n/dx^n of exp(2x) sin(x) is Im((2+i)^n exp((2+i) x)); n up to 6. */
TEST(derivatives_of_derivatives_to_any_order)
{
    sf_context *ctx = new_context();
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const sf_node x = sf_input(g, "x", 0, NULL);
    sf_node y =
        sf_mul(g, sf_exp(g, sf_mul(g, sf_const(g, 2.0), x)), sf_sin(g, x));
    double re = 1.0, im = 0.0;
    const double at = 0.37;
    for (int n = 0; n <= 6; n++) {
        double got;
        const int64_t zero = 0;
        evaluate(ctx, g, SF_F64, y, SF_EACH, 1, &at, 1, &zero, NULL, &got);
        const double e = exp(2 * at);
        const double want = e * (re * sin(at) + im * cos(at));
        CHECK_CLOSE(got, want, 1e-12);
        const double next = 2 * re - im;
        im = re + 2 * im;
        re = next;
        y = sf_gradient(g, y, x);
    }
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* The k-th of many derivatives by one node does not differentiate the others, which
 * depend on it too: each adds a few nodes, where it would double them, and its
 * directions are no further axis of theirs. */
TEST(a_derivative_is_of_what_its_value_is_made_of)
{
    enum { MANY = 20, EACH = 40 };
    sf_context *ctx = new_context();
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const sf_node t = sf_input(g, "t", 0, NULL);
    const double at = 0.37;
    const int64_t zero = 0;
    double want = 0.0, got;
    sf_node sum = sf_const(g, 0.0);
    for (int k = 1; k <= MANY; k++) {
        const sf_node y = sf_sin(g, sf_mul(g, sf_const(g, k), t));
        sum = sf_add(g, sum, sf_jvp(g, y, t, sf_const(g, 1.0)));
        want += k * cos(k * at);
        CHECK_OK(ctx, sf_graph_status(g));
        CHECK(sum.id < EACH * k);
    }
    evaluate(ctx, g, SF_F64, sum, SF_EACH, 1, &at, 1, &zero, NULL, &got);
    CHECK_CLOSE(got, want, 1e-12);
    sf_graph_free(g);
    sf_context_free(ctx);
}

TESTS(CASE(values_agree_with_their_definition_in_both_types),
      CASE(first_and_second_derivatives_match_finite_differences),
      CASE(structural_operations_have_exact_adjoints_and_second_derivatives),
      CASE(derivatives_of_derivatives_to_any_order),
      CASE(a_derivative_is_of_what_its_value_is_made_of))
