/* SPDX-License-Identifier: Apache-2.0 */
/* Optimal transport against every assignment, against sorted samples on the line,
 * and against known answers. */
#include "faults.h"
#include "base/random.h"
#include "compare/compare.h"
#include "compare/transport.h"
#include "num/sort.h"

static double uniform(uint64_t seed, int64_t i, uint32_t j)
{
    const sfi_where where = {seed, (uint64_t)i, 0, SFI_STREAM_USER};
    return sfi_uniform_at(where, j);
}

static double transport(sf_context *ctx, const double *cost, int64_t n,
                        int64_t m)
{
    sfi_transport *t = NULL;
    CHECK_OK(ctx, sfi_transport_new(ctx, &t, n, m));
    memcpy(sfi_transport_costs(t), cost, (size_t)(n * m) * sizeof *cost);
    const double first = sfi_transport_run(t);
    CHECK(sfi_transport_run(t) == first); /* a run leaves nothing behind */
    sfi_transport_free(ctx, t);
    return first;
}

/* The least sum of costs over all permutations. */
static double best_assignment(const double *cost, int n, unsigned used, int row)
{
    if (row == n)
        return 0.0;
    double best = INFINITY;
    for (int j = 0; j < n; j++)
        if ((used >> j & 1) == 0)
            best = fmin(best,
                        cost[row * n + j] +
                            best_assignment(cost, n, used | 1u << j, row + 1));
    return best;
}

/* Extreme points of the polytope are permutations (Birkhoff). */
TEST(as_many_sources_as_sinks_are_assigned)
{
    sf_context *ctx = new_context();
    double cost[36];
    for (uint64_t trial = 0; trial < 300; trial++) {
        const int n = 1 + (int)(trial % 6);
        for (int k = 0; k < n * n; k++) {
            cost[k] = uniform(trial, k, 0);
            if (trial % 3 == 0) /* many are equal, and 0 */
                cost[k] = floor(4.0 * cost[k]);
        }
        CHECK_NEAR(transport(ctx, cost, n, n),
                   best_assignment(cost, n, 0, 0) / n, 1e-12);
    }
    sf_context_free(ctx);
}

/* 3 sources and 2 sinks are 6 of each when masses are split: the cost matrix with
 * every row twice and every column three times. */
TEST(unequal_numbers_are_split)
{
    enum { N = 3, M = 2, ALL = 6 };
    sf_context *ctx = new_context();
    double cost[N * M], all[ALL * ALL];
    for (uint64_t trial = 0; trial < 200; trial++) {
        for (int k = 0; k < N * M; k++)
            cost[k] = uniform(1000 + trial, k, 0);
        for (int i = 0; i < ALL; i++)
            for (int j = 0; j < ALL; j++)
                all[i * ALL + j] = cost[i / 2 * M + j / 3];
        CHECK_NEAR(transport(ctx, cost, N, M),
                   best_assignment(all, ALL, 0, 0) / ALL, 1e-12);
    }
    sf_context_free(ctx);
}

/* On the line the transport is that of the sorted samples, the integral of |F - G|;
 * rounded numbers have ties, with which most pivots send nothing. */
TEST(on_the_line_it_is_the_distance_of_distribution_functions)
{
    enum { N = 420, M = 300 };
    static double x[N], y[M], cost[N * M], scratch[N];
    static const int64_t sizes[][2] = {
        {N, M}, {M, M}, {N, 7}, {1, M}, {64, 96}};
    sf_context *ctx = new_context();
    for (uint64_t trial = 0; trial < 2 * SFI_COUNT(sizes); trial++) {
        const int64_t n = sizes[trial / 2][0], m = sizes[trial / 2][1];
        for (int64_t i = 0; i < n; i++)
            x[i] = uniform(trial, i, 0);
        for (int64_t j = 0; j < m; j++)
            y[j] = uniform(trial, j, 1) * 1.3 - 0.1;
        for (int64_t i = 0; i < n && trial % 2 == 1; i++)
            x[i] = floor(20.0 * x[i]) / 20.0;
        for (int64_t j = 0; j < m && trial % 2 == 1; j++)
            y[j] = floor(20.0 * y[j]) / 20.0;
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < m; j++)
                cost[i * m + j] = fabs(x[i] - y[j]);
        const double got = transport(ctx, cost, n, m);
        sfi_sort(x, scratch, n);
        sfi_sort(y, scratch, m);
        CHECK_NEAR(got, sfi_distribution_gap(x, n, y, m).wasserstein, 1e-10);
    }
    sf_context_free(ctx);
}

TEST(a_cost_of_nothing_is_nothing)
{
    static const double none[6] = {0};
    sf_context *ctx = new_context();
    CHECK(transport(ctx, none, 2, 3) == 0.0);
    const double small[4] = {1e-200, 3e-200, 2e-200, 1e-200};
    CHECK_CLOSE(transport(ctx, small, 2, 2), 1e-200, 1e-12);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_status status = SF_E_NOMEM;
    sfi_transport *t = NULL;
    for (int k = 0; status != SF_OK; k++) {
        faults.left = k;
        status = sfi_transport_new(ctx, &t, 5, 4);
        CHECK(status == SF_OK || (t == NULL && faults.bytes == faults.own));
    }
    sfi_transport_free(ctx, t);
    sfi_transport_free(ctx, NULL);
    CHECK(faults.bytes == faults.own);
    sf_context_free(ctx);
}

TESTS(CASE(as_many_sources_as_sinks_are_assigned),
      CASE(unequal_numbers_are_split),
      CASE(on_the_line_it_is_the_distance_of_distribution_functions),
      CASE(a_cost_of_nothing_is_nothing), CASE(every_allocation_may_fail))
