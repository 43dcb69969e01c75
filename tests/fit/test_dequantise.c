/* SPDX-License-Identifier: Apache-2.0 */
/* Repeated values spread over their cells: the ends of cells, their uniform distribution,
 * and columns that are left alone. */
#include "base/random.h"
#include "check.h"
#include "faults.h"
#include "scorefield/fit.h"

#include <math.h>
#include <string.h>

enum { ROWS = 1000 };

static void spread(sf_context *ctx, const double *x, int64_t n, double *out,
                   double *share)
{
    CHECK_OK(ctx, sf_dequantise(ctx, (sf_mat){out, n, 1, 1},
                                (sf_cmat){x, n, 1, 1}, 3, share));
}

/* 0, 1 and 3, whose cells are [-0.5, 0.5], [0.5, 2] and [2, 4].  Of a uniform
 * distribution on [a, b] the mean of m draws has the standard error (b - a)/sqrt(12 m). */
TEST(cells_end_in_the_middle)
{
    static const double value[] = {0.0, 1.0, 3.0};
    static const double low[] = {-0.5, 0.5, 2.0}, high[] = {0.5, 2.0, 4.0};
    static double x[ROWS], out[ROWS];
    double share, sum[3] = {0}, count[3] = {0};
    sf_context *ctx = new_context();
    for (int i = 0; i < ROWS; i++)
        x[i] = value[i % 3];
    spread(ctx, x, ROWS, out, &share);
    CHECK_NEAR(share, 1.0, 0.0);
    for (int i = 0; i < ROWS; i++) {
        CHECK(out[i] > low[i % 3] && out[i] < high[i % 3]);
        sum[i % 3] += out[i];
        count[i % 3] += 1.0;
    }
    for (int k = 0; k < 3; k++)
        CHECK_NEAR(sum[k] / count[k], 0.5 * (low[k] + high[k]),
                   5.0 * (high[k] - low[k]) / sqrt(12.0 * count[k]));
    sf_context_free(ctx);
}

/* A count with a rare value far out: its cell has the usual width.  And an atom at 0 of a
 * table that is else continuous from 2 on: it reaches half way, others keep to theirs. */
TEST(tails_and_atoms)
{
    static double x[ROWS], out[ROWS];
    double share;
    sf_context *ctx = new_context();
    for (int i = 0; i < ROWS; i++)
        x[i] = i < 990 ? i % 10 : 1000.0 + (i % 2);
    spread(ctx, x, ROWS, out, &share);
    for (int i = 0; i < ROWS; i++)
        CHECK(fabs(out[i] - x[i]) < 0.5);
    for (int i = 0; i < ROWS; i++) {
        const sfi_where w = {1, (uint64_t)i, 0, SFI_STREAM_USER};
        x[i] = i < 300 ? 0.0 : 2.0 + sfi_uniform_at(w, 0);
    }
    spread(ctx, x, ROWS, out, &share);
    CHECK_NEAR(share, 0.3, 1e-12);
    double most = 0.0;
    for (int i = 0; i < ROWS; i++) {
        const double moved = fabs(out[i] - x[i]);
        most = i < 300 ? fmax(most, moved) : most;
        CHECK(i < 300 ? moved < 1.01 : moved < 0.01);
    }
    CHECK(most > 0.9);
    sf_context_free(ctx);
}

/* Few copies among real numbers, a constant, and the noise of a row are the column's own. */
TEST(other_columns_are_copied)
{
    static double x[2 * ROWS], out[2 * ROWS];
    double share[2];
    sf_context *ctx = new_context();
    for (int i = 0; i < ROWS; i++) {
        x[2 * i] = 7.0;
        x[2 * i + 1] = sin((double)(i < 40 ? i / 2 : i));
    }
    CHECK_OK(ctx, sf_dequantise(ctx, (sf_mat){out, ROWS, 2, 2},
                                (sf_cmat){x, ROWS, 2, 2}, 3, share));
    assert_memory_equal(x, out, sizeof x);
    CHECK(share[0] == 0.0 && share[1] == 0.0);
    for (int i = 0; i < ROWS; i++)
        x[2 * i] = x[2 * i + 1] = i % 4;
    CHECK_OK(ctx, sf_dequantise(ctx, (sf_mat){out, ROWS, 2, 2},
                                (sf_cmat){x, ROWS, 2, 2}, 3, NULL));
    CHECK(out[0] != out[1] && out[0] != out[8]);
    /* In its own memory. */
    CHECK_OK(ctx, sf_dequantise(ctx, (sf_mat){x, ROWS, 2, 2},
                                (sf_cmat){x, ROWS, 2, 2}, 3, NULL));
    assert_memory_equal(x, out, sizeof x);
    sf_context_free(ctx);
}

/* An atom in a column: a flow that is trained on it as it is has likelihoods of a spike,
 * one on spread cells those of its cells, at most ln(P / w) each in the mean. */
TEST(flows_spread_them)
{
    static double x[2 * ROWS];
    sf_context *ctx = new_context();
    sf_network_options o = SF_FLOW_OPTIONS_INIT;
    sf_fit_report report;
    sf_model *m = NULL;
    for (int i = 0; i < ROWS; i++) {
        const sfi_where w = {1, (uint64_t)i, 0, SFI_STREAM_USER};
        x[2 * i] = i % 2;
        x[2 * i + 1] = sfi_normal_at(w, 0);
    }
    const sf_cmat rows = {x, ROWS, 2, 2};
    o.steps = 300;
    o.width = 8;
    o.layers = 2;
    /* In standard deviations a uniform number on a width of 4 (values are 2 apart), and a
     * normal one: ln 4 + 1.4189 nats. */
    const double entropy = log(4.0) + 1.41894;
    CHECK_OK(ctx, sf_fit_network(ctx, &m, rows, NULL, &o, &report));
    sf_model_free(m);
    CHECK(report.best_loss >
          entropy - 0.35); /* a scale of sqrt(1/3), not 1/2 */
    o.dequantise = false;
    CHECK_OK(ctx, sf_fit_network(ctx, &m, rows, NULL, &o, &report));
    CHECK(report.best_loss < entropy - 1.0);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(what_is_wrong_is_said)
{
    double x[] = {1.0, NAN}, out[2];
    sf_context *ctx = new_context();
    CHECK_FAILS(ctx,
                sf_dequantise(ctx, (sf_mat){out, 2, 1, 1},
                              (sf_cmat){x, 2, 1, 1}, 0, NULL),
                SF_E_NUMERIC, "");
    x[1] = 1.0;
    CHECK_FAILS(ctx,
                sf_dequantise(ctx, (sf_mat){out, 1, 1, 1},
                              (sf_cmat){x, 2, 1, 1}, 0, NULL),
                SF_E_SHAPE, "dequantise");
    sf_context_free(ctx);
}

TESTS(CASE(cells_end_in_the_middle), CASE(tails_and_atoms),
      CASE(other_columns_are_copied), CASE(flows_spread_them),
      CASE(what_is_wrong_is_said))
