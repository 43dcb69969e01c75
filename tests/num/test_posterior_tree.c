/* SPDX-License-Identifier: Apache-2.0 */
/* test_posterior_tree.c - leaves of neighbours and what they can weigh. */
#include "base/random.h"
#include "check.h"
#include "faults.h"
#include "num/posterior_tree.h"

enum { ROWS = 1000, MOST_D = 5, SIZE = 16 };

static double data[ROWS * MOST_D], log_weights[ROWS], scales[ROWS];

static double normal(uint64_t i, uint32_t j)
{
    const sfi_where where = {5, i, 0, SFI_STREAM_USER};
    return sfi_normal_at(where, j);
}

/* A quarter of the rows are equal to each other. */
static void fill(int64_t d)
{
    for (int64_t j = 0; j < ROWS; j++) {
        log_weights[j] = j % 5 == 2 ? -INFINITY : normal((uint64_t)j, 90);
        scales[j] = exp(normal((uint64_t)j, 91));
        for (int64_t k = 0; k < d; k++)
            data[j * d + k] =
                j % 4 == 0 ? 0.25 : normal((uint64_t)j, (uint32_t)k);
    }
}

static sfi_posterior_tree grow(sf_context *ctx, int64_t d, bool split)
{
    sfi_posterior_tree tree;
    CHECK_OK(ctx,
             sfi_posterior_tree_new(ctx, &tree, (sf_cmat){data, ROWS, d, d},
                                    log_weights, scales, SIZE, split));
    return tree;
}

TEST(every_row_that_weighs_has_one_place)
{
    sf_context *ctx = new_context();
    for (int64_t d = 1; d <= MOST_D; d += 2) {
        fill(d);
        sfi_posterior_tree t = grow(ctx, d, true);
        CHECK(t.n == ROWS - ROWS / 5 && t.leaves == (t.n + SIZE - 1) / SIZE);
        CHECK(t.nodes == 2 * t.leaves - 1);
        for (int64_t j = 0; j < ROWS; j++) {
            CHECK((t.place[j] < 0) == (j % 5 == 2));
            CHECK(t.place[j] < 0 || t.row[t.place[j]] == j);
        }
        sfi_posterior_tree_free(&t);
        t = grow(ctx, d, false);
        CHECK(t.leaves == 1 && t.nodes == 1 && t.node[0].right == 0);
        for (int64_t at = 1; at < t.n; at++)
            CHECK(t.row[at] > t.row[at - 1]);
        sfi_posterior_tree_free(&t);
    }
    sf_context_free(ctx);
}

/* Median cuts of the plane: with 50 leaves a side is cut two or three times, and
 * the boxes of leaves have a small part of the area of the whole. */
TEST(leaves_are_compact_and_apart)
{
    sf_context *ctx = new_context();
    fill(2);
    sfi_posterior_tree t = grow(ctx, 2, true);
    double area = 0.0;
    for (int64_t node = 0; node < t.nodes; node++) {
        const double *box = t.box + 4 * node;
        if (t.node[node].right == 0) {
            CHECK(t.node[node].leaves == 1);
            area += (box[2] - box[0]) * (box[3] - box[1]);
        }
    }
    CHECK(area < (t.box[2] - t.box[0]) * (t.box[3] - t.box[1]));
    sfi_posterior_tree_free(&t);
    sf_context_free(ctx);
}

static double bound(const sfi_posterior_tree *t, int64_t node, const double *x,
                    double scale, bool product)
{
    const sfi_posterior_queries q = {x, x, scale, product};
    return sfi_posterior_bound_above(t, node, &q);
}

/* Over all leaves and 60 queries: the rows of a leaf weigh no more than its
 * bound, and what is said of a box of queries and of a node holds for each query
 * and each leaf without any tolerance. */
TEST(bounds_hold_to_the_last_bit)
{
    enum { QUERIES = 60 };
    static double x[QUERIES * MOST_D];
    double low[MOST_D], high[MOST_D];
    sf_context *ctx = new_context();
    for (int c = 0; c < 12; c++) {
        const int64_t d = 1 + 2 * (c % 3);
        const bool product = c / 3 % 2 == 1;
        const double spread = c < 6 ? 0.3 : 20.0, scale = c < 6 ? 40.0 : 0.7;
        fill(d);
        sfi_posterior_tree t = grow(ctx, d, true);
        for (int64_t k = 0; k < d; k++) {
            low[k] = INFINITY;
            high[k] = -INFINITY;
            for (int i = 0; i < QUERIES; i++) {
                const double at =
                    spread * normal((uint64_t)(ROWS + i), (uint32_t)k);
                x[i * d + k] = at;
                low[k] = fmin(low[k], at);
                high[k] = fmax(high[k], at);
            }
        }
        const sfi_posterior_queries all = {low, high, scale, product};
        for (int64_t node = 0; node < t.nodes; node++) {
            const sfi_posterior_node *over = &t.node[node];
            const double above = sfi_posterior_bound_above(&t, node, &all);
            const double below = sfi_posterior_bound_below(&t, node, &all);
            for (int64_t leaf = node; leaf < t.nodes; leaf++) {
                const sfi_posterior_node *l = &t.node[leaf];
                if (l->first >= over->first + over->leaves)
                    break;
                for (int i = 0; i < QUERIES && l->right == 0; i++) {
                    const double one =
                        bound(&t, leaf, x + i * d, scale, product);
                    CHECK(below <= one && one <= above);
                    CHECK(one <= bound(&t, node, x + i * d, scale, product));
                }
            }
            for (int i = 0; i < QUERIES && over->right == 0; i++) {
                double sum = 0.0;
                const double most = bound(&t, node, x + i * d, scale, product);
                for (int64_t at = over->first * SIZE;
                     at < t.n && at < (over->first + 1) * SIZE; at++) {
                    const int64_t j = t.row[at];
                    double l = 0.0;
                    for (int64_t k = 0; k < d; k++) {
                        const double y = data[j * d + k], q = x[i * d + k];
                        l += product ? q * y
                                     : -0.5 * scales[j] * (q - y) * (q - y);
                    }
                    sum += exp(scale * l + log_weights[j] - most);
                }
                CHECK(sum <= 1.0);
            }
        }
        sfi_posterior_tree_free(&t);
    }
    sf_context_free(ctx);
}

/* A row of the data lies in the box of its home, where all weights are equal. */
TEST(home_is_where_a_row_lives)
{
    sf_context *ctx = new_context();
    fill(3);
    sfi_posterior_tree t;
    CHECK_OK(ctx, sfi_posterior_tree_new(ctx, &t, (sf_cmat){data, ROWS, 3, 3},
                                         NULL, NULL, SIZE, true));
    for (int64_t j = 0; j < ROWS; j++) {
        const double *x = data + 3 * j;
        const sfi_posterior_queries q = {x, x, 1e9, false};
        const int64_t home = sfi_posterior_home(&t, &q);
        CHECK(t.node[home].right == 0);
        CHECK(bound(&t, home, x, 1e9, false) == t.node[home].heaviest);
    }
    sfi_posterior_tree_free(&t);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    fill(2);
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status)) {
        sfi_posterior_tree t;
        status = sfi_posterior_tree_new(ctx, &t, (sf_cmat){data, ROWS, 2, 2},
                                        NULL, NULL, SIZE, true);
        sfi_posterior_tree_free(&t);
    }
    CHECK(faults.tries == 6);
    sf_context_free(ctx);
}

TESTS(CASE(every_row_that_weighs_has_one_place),
      CASE(leaves_are_compact_and_apart), CASE(bounds_hold_to_the_last_bit),
      CASE(home_is_where_a_row_lives), CASE(every_allocation_may_fail))
