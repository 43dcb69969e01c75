/* SPDX-License-Identifier: Apache-2.0 */
/* test_compose.c - functions put together from others, and tails: values and
 * derivatives of log_ndtr, logit and log1mexp where terms of the usual formulas
 * would cancel. */
#include "graph/evaluate.h"
#include "num/log_ndtr_values.h"

static const int64_t first1[1] = {0};

/* Running sums of 1, 2, 3, ... are k (k + 1)/2, and their Jacobian is ones up to
 * the diagonal; for extents that are no powers of two as well. */
TEST(cumsum_adds_up_and_its_jacobian_is_triangular)
{
    enum { MOST = 17 };
    sf_context *ctx = new_context();
    for (int64_t n = 1; n <= MOST; n++) {
        sf_graph *g = NULL;
        CHECK_OK(ctx, sf_graph_new(ctx, &g));
        const sf_node x = sf_input(g, "x", 1, &n);
        const sf_node y = sf_cumsum(g, x);
        double row[MOST], sums[MOST], jacobian[MOST * MOST];
        for (int64_t k = 0; k < n; k++)
            row[k] = (double)(k + 1);
        evaluate(ctx, g, SF_F64, y, SF_EACH, 1, row, n, first1, NULL, sums);
        evaluate(ctx, g, SF_F64, sf_jacobian(g, y, x), SF_EACH, 1, row, n,
                 first1, NULL, jacobian);
        for (int64_t k = 0; k < n; k++) {
            CHECK(sums[k] == (double)((k + 1) * (k + 2) / 2));
            for (int64_t j = 0; j < n; j++)
                CHECK(jacobian[k * n + j] == (j <= k ? 1.0 : 0.0));
        }
        sf_graph_free(g);
    }
    sf_context_free(ctx);
}

/* Every pair of 0, 1 and two numbers that are neither. */
TEST(what_is_not_0_is_true)
{
    static const double values[] = {0.0, 1.0, -3.0, 0.5};
    enum { COUNT = SFI_COUNT(values) };
    sf_context *ctx = new_context();
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const sf_node a = sf_input(g, "a", 0, NULL), b = sf_input(g, "b", 0, NULL);
    const sf_node all[] = {sf_and(g, a, b), sf_or(g, a, b), sf_not(g, a)};
    static const int64_t first2[2] = {0, 1};
    double table[COUNT * COUNT * 2], out[COUNT * COUNT];
    for (int i = 0; i < COUNT * COUNT; i++) {
        table[2 * i] = values[i / COUNT];
        table[2 * i + 1] = values[i % COUNT];
    }
    for (int k = 0; k < 3; k++) {
        evaluate(ctx, g, SF_F64, all[k], SF_EACH, COUNT * COUNT, table, 2,
                 first2, NULL, out);
        for (int i = 0; i < COUNT * COUNT; i++) {
            const bool p = table[2 * i] != 0.0, q = table[2 * i + 1] != 0.0;
            CHECK(out[i] == (k == 0 ? p && q : k == 1 ? p || q : !p));
        }
        double zero;
        CHECK(sfi_is_const(g, sf_gradient(g, all[k], a), &zero) && zero == 0.0);
    }
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* A truth that is joined with itself again and again has as many paths as two to
 * the number of times. */
TEST(truths_that_share_their_parts_are_no_burden)
{
    sf_context *ctx = new_context();
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const sf_node a = sf_input(g, "a", 0, NULL), b = sf_input(g, "b", 0, NULL);
    sf_node t = sf_less(g, a, b);
    for (int i = 0; i < 200; i++)
        t = i % 2 ? sf_and(g, t, t) : sf_or(g, t, t);
    CHECK_OK(ctx, sf_graph_status(g));
    CHECK(g->node_count < 2000);
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* f32 sees the float that x rounds to; 1e8 and all others here are floats, or
 * differ from one by less than 1e-7 of what counts. */
static void check_tails(sf_context *ctx, sf_dtype dtype)
{
    enum { POINTS = SFI_COUNT(log_ndtr_values) };
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const sf_node x = sf_input(g, "x", 0, NULL);
    sf_node y = sf_log_ndtr(g, x);
    double at[POINTS], out[POINTS];
    for (int i = 0; i < POINTS; i++)
        at[i] = log_ndtr_values[i].x;
    const double least = dtype == SF_F32 ? 1.2e-38 : 2.3e-308;
    for (int order = 0; order <= 4; order++) {
        evaluate(ctx, g, dtype, y, SF_EACH, POINTS, at, 1, first1, NULL, out);
        for (int i = 0; i < POINTS; i++) {
            const double want = order == 0
                                    ? log_ndtr_values[i].value
                                    : log_ndtr_values[i].slope[order - 1];
            if (fabs(want) >= least)
                CHECK_CLOSE(out[i], want,
                            dtype == SF_F32 ? 1e-6
                            : order <= 2    ? 5e-15
                                            : 2e-12);
        }
        y = sf_gradient(g, y, x);
    }
    CHECK_OK(ctx, sf_graph_status(g));
    sf_graph_free(g);
}

TEST(log_ndtr_and_four_derivatives_are_right_in_the_far_tail)
{
    sf_context *ctx = new_context();
    check_tails(ctx, SF_F64);
    check_tails(ctx, SF_F32);
    sf_context_free(ctx);
}

TEST(derivatives_of_log_ndtr_end_at_an_order_that_is_named)
{
    sf_context *ctx = new_context();
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const sf_node x = sf_input(g, "x", 0, NULL);
    sf_node y = sf_log_ndtr(g, x);
    for (int i = 0; i < 24; i++)
        y = sf_gradient(g, y, x);
    CHECK_OK(ctx, sf_graph_status(g));
    (void)sf_gradient(g, y, x);
    CHECK_FAILS(ctx, sf_graph_status(g), SF_E_ARG,
                "log_ndtr: derivative of order 25, want at most 24");
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* The second derivative of log(1 - e^a) is -e^a/(1 - e^a)^2: about -e^a far below
 * 0 and -1/a^2 near it; that of logit(p) is (2p - 1)/(p (1 - p))^2. */
TEST(second_derivatives_do_not_cancel_nor_overflow_in_between)
{
    sf_context *ctx = new_context();
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const sf_node a = sf_input(g, "a", 0, NULL);
    const sf_node y = sf_log1mexp(g, a), z = sf_logit(g, a);
    static const double at[] = {-690.0, -355.0, -20.0, -0.5, -1e-9, -1e-150};
    enum { POINTS = SFI_COUNT(at) };
    double out[POINTS];
    evaluate(ctx, g, SF_F64, sf_gradient(g, sf_gradient(g, y, a), a), SF_EACH,
             POINTS, at, 1, first1, NULL, out);
    for (int i = 0; i < POINTS; i++)
        CHECK_CLOSE(out[i], -exp(at[i]) / (expm1(at[i]) * expm1(at[i])), 2e-15);
    static const double p[] = {1e-100, 1e-9, 0.25, 0.4, 0.75, 0.9999};
    evaluate(ctx, g, SF_F64, sf_gradient(g, sf_gradient(g, z, a), a), SF_EACH,
             POINTS, p, 1, first1, NULL, out);
    for (int i = 0; i < POINTS; i++) {
        const double q = 1.0 - p[i];
        CHECK_CLOSE(out[i], (2.0 * p[i] - 1.0) / (p[i] * p[i] * q * q), 4e-15);
    }
    sf_graph_free(g);
    sf_context_free(ctx);
}

TESTS(CASE(cumsum_adds_up_and_its_jacobian_is_triangular),
      CASE(what_is_not_0_is_true),
      CASE(truths_that_share_their_parts_are_no_burden),
      CASE(log_ndtr_and_four_derivatives_are_right_in_the_far_tail),
      CASE(derivatives_of_log_ndtr_end_at_an_order_that_is_named),
      CASE(second_derivatives_do_not_cancel_nor_overflow_in_between))
