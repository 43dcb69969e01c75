/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate.h - run a graph on a few points given as one table. */
#ifndef SFI_TESTS_EVALUATE_H
#define SFI_TESTS_EVALUATE_H

#include "check.h"
#include "graph/graph.h"
#include "scorefield/program.h"

enum { MAX_TEST_INPUTS = 8 };

/* Evaluate one node for `points` points.  Input k has its components in columns
 * first[k], first[k]+1, ... of x, whose rows are `stride` long; parameters come
 * from params[] (f64).  out [points, count of node] (or [count] for SF_SUM). */
static void evaluate(sf_context *ctx, sf_graph *g, sf_dtype dtype, sf_node node,
                     sf_reduce reduce, int64_t points, const double *x,
                     int64_t stride, const int64_t *first,
                     const double *const *params, double *out)
{
    const sf_output output = {node, reduce};
    sf_program *p = NULL;
    CHECK_OK(ctx, sf_program_new(ctx, &p, g, dtype, 1, &output));
    sf_source sources[MAX_TEST_INPUTS];
    memset(sources, 0, sizeof sources);
    for (size_t k = 0; k < g->input_count; k++) {
        sources[k].kind = SF_ROWS;
        sources[k].data = x + first[k];
        sources[k].dtype = SF_F64;
        sources[k].stride = stride;
    }
    const int64_t count = sf_node_count(g, node);
    const void *pointers[MAX_TEST_INPUTS] = {NULL};
    float *narrow[MAX_TEST_INPUTS] = {NULL};
    for (size_t k = 0; k < g->param_count; k++) {
        const int64_t n = sf_node_count(g, (sf_node){g->params[k].node});
        narrow[k] = malloc((size_t)n * sizeof(float));
        for (int64_t i = 0; i < n; i++)
            narrow[k][i] = (float)params[k][i];
        pointers[k] =
            dtype == SF_F32 ? (const void *)narrow[k] : (const void *)params[k];
    }
    if (dtype == SF_F32 && reduce == SF_SUM) {
        float *sum = malloc((size_t)count * sizeof *sum);
        const sf_sink sink = {sum, SF_F32, 0};
        CHECK_OK(ctx, sf_program_run(p, points, sources, pointers, &sink));
        for (int64_t i = 0; i < count; i++)
            out[i] = sum[i];
        free(sum);
    } else {
        const sf_sink sink = {out, SF_F64, count};
        CHECK_OK(ctx, sf_program_run(p, points, sources, pointers, &sink));
    }
    for (int k = 0; k < MAX_TEST_INPUTS; k++)
        free(narrow[k]);
    sf_program_free(p);
}

/* Deterministic numbers in [lo, hi]. */
SFI_UNUSED static void fill(double *x, int64_t n, double lo, double hi,
                            uint64_t seed)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = lo + (hi - lo) * sfi_uniform_at((sfi_where){seed, (uint64_t)i, 0,
                                                           SFI_STREAM_USER},
                                               0);
}

#endif
