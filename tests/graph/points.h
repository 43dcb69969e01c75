/* SPDX-License-Identifier: Apache-2.0 */
/* points.h - points and parameters for a graph, programs run on them, and what
 * the interpreter says about them. */
#ifndef SFI_TESTS_POINTS_H
#define SFI_TESTS_POINTS_H

#include "graph/interpret.h"
#include "scorefield/program.h"

enum { MOST_LEAVES = 8, MOST_OUTPUTS = 16 };

/* Row i of the table holds all inputs of point i, one after the other. */
struct points {
    const sf_graph *g;
    int64_t count, stride;
    double *table;
    int64_t first[MOST_LEAVES], size[MOST_LEAVES];
    double *params[MOST_LEAVES];
    float *narrow[MOST_LEAVES];
    int64_t param_size[MOST_LEAVES];
};

static double number_at(uint64_t seed, uint64_t i, double lo, double hi)
{
    return lo + (hi - lo) *
                    sfi_uniform_at((sfi_where){seed, i, 0, SFI_STREAM_USER}, 0);
}

/* Numbers in [lo, hi]; parameters in [-1, 1].  Both are multiples of 2^-12, so
 * that they are the same in both types. */
static struct points new_points(const sf_graph *g, int64_t count, double lo,
                                double hi, uint64_t seed)
{
    struct points p = {.g = g, .count = count};
    for (size_t k = 0; k < g->input_count; k++) {
        p.first[k] = p.stride;
        p.size[k] = sf_node_count(g, (sf_node){g->inputs[k].node});
        p.stride += p.size[k];
    }
    const int64_t cells = count * p.stride;
    p.table = calloc((size_t)(cells > 0 ? cells : 1), sizeof *p.table);
    for (int64_t i = 0; i < cells; i++)
        p.table[i] =
            rint(4096.0 * number_at(seed, (uint64_t)i, lo, hi)) / 4096.0;
    for (size_t k = 0; k < g->param_count; k++) {
        const int64_t n = sf_node_count(g, (sf_node){g->params[k].node});
        p.param_size[k] = n;
        p.params[k] = calloc((size_t)n, sizeof(double));
        p.narrow[k] = calloc((size_t)n, sizeof(float));
        for (int64_t i = 0; i < n; i++) {
            p.params[k][i] =
                rint(4096.0 * number_at(seed + 1 + k, (uint64_t)i, -1.0, 1.0)) /
                4096.0;
            p.narrow[k][i] = (float)p.params[k][i];
        }
    }
    return p;
}

static void free_points(struct points *p)
{
    free(p->table);
    for (int k = 0; k < MOST_LEAVES; k++) {
        free(p->params[k]);
        free(p->narrow[k]);
    }
}

/* Sources of the table's rows, and parameters, as a run takes them. */
static void table_sources(const struct points *p, sf_source *sources)
{
    memset(sources, 0, MOST_LEAVES * sizeof *sources);
    for (size_t k = 0; k < p->g->input_count; k++) {
        sources[k].kind = SF_ROWS;
        sources[k].data = p->table + p->first[k];
        sources[k].dtype = SF_F64;
        sources[k].stride = p->stride;
    }
}

static void param_pointers(const struct points *p, sf_dtype dtype,
                           const void **params)
{
    for (int k = 0; k < MOST_LEAVES; k++)
        params[k] = dtype == SF_F32 ? (const void *)p->narrow[k]
                                    : (const void *)p->params[k];
}

/* Numbers of output k: [points, size] or [size]. */
static int64_t output_size(const sf_graph *g, const sf_output *o,
                           int64_t points)
{
    return sf_node_count(g, o->node) * (o->reduce == SF_EACH ? points : 1);
}

/* Run a program on the table; out[k] receives output k in doubles. */
static void run_on(sf_context *ctx, sf_program *program, const struct points *p,
                   sf_dtype dtype, int count, const sf_output *outputs,
                   double *const *out)
{
    sf_source sources[MOST_LEAVES];
    const void *params[MOST_LEAVES];
    sf_sink sinks[MOST_OUTPUTS] = {{NULL, SF_F64, 0}};
    float *narrow[MOST_OUTPUTS] = {NULL};
    table_sources(p, sources);
    param_pointers(p, dtype, params);
    for (int k = 0; k < count; k++) {
        const int64_t n = sf_node_count(p->g, outputs[k].node);
        sinks[k] = (sf_sink){out[k], SF_F64, n};
        if (dtype == SF_F32) {
            const int64_t size = output_size(p->g, &outputs[k], p->count);
            narrow[k] = calloc((size_t)(size > 0 ? size : 1), sizeof(float));
            sinks[k] = (sf_sink){narrow[k], SF_F32, n};
        }
    }
    CHECK_OK(ctx, sf_program_run(program, p->count, sources, params, sinks));
    for (int k = 0; k < count && dtype == SF_F32; k++) {
        for (int64_t i = 0; i < output_size(p->g, &outputs[k], p->count); i++)
            out[k][i] = narrow[k][i];
        free(narrow[k]);
    }
}

/* Compile, run, free. */
SFI_UNUSED static void run_outputs(sf_context *ctx, sf_graph *g,
                                   const struct points *p, sf_dtype dtype,
                                   int count, const sf_output *outputs,
                                   double *const *out)
{
    sf_program *program = NULL;
    CHECK_OK(ctx, sf_program_new(ctx, &program, g, dtype, count, outputs));
    run_on(ctx, program, p, dtype, count, outputs, out);
    sf_program_free(program);
}

/* Room for all outputs. */
SFI_UNUSED static void new_results(const struct points *p, int count,
                                   const sf_output *outputs, double **out)
{
    for (int k = 0; k < count; k++) {
        const int64_t size = output_size(p->g, &outputs[k], p->count);
        out[k] = malloc((size_t)(size > 0 ? size : 1) * sizeof(double));
        for (int64_t i = 0; i < size; i++)
            out[k][i] = -12345.678; /* what nobody wrote is seen */
    }
}

SFI_UNUSED static void free_results(int count, double **out)
{
    for (int k = 0; k < count; k++)
        free(out[k]);
}

/* All nodes at point i. */
static struct values values_at(const struct points *p, int64_t i)
{
    const double *inputs[MOST_LEAVES] = {NULL};
    for (size_t k = 0; k < p->g->input_count; k++)
        inputs[k] = p->table + i * p->stride + p->first[k];
    struct values v = {0};
    interpret(p->g, &v, inputs, (const double *const *)p->params);
    return v;
}

/* Compare outputs with the interpreter: |got - want| <= tolerance (size + 1),
 * where `size` is |want|, or the sum of sizes for a sum. */
SFI_UNUSED static void check_outputs(sf_context *ctx, sf_graph *g,
                                     const struct points *p, sf_dtype dtype,
                                     int count, const sf_output *outputs,
                                     double tolerance)
{
    double *out[MOST_OUTPUTS], *sum[MOST_OUTPUTS], *size[MOST_OUTPUTS];
    new_results(p, count, outputs, out);
    run_outputs(ctx, g, p, dtype, count, outputs, out);
    for (int k = 0; k < count; k++) {
        const size_t n = (size_t)sf_node_count(g, outputs[k].node);
        sum[k] = calloc(n, sizeof(double));
        size[k] = calloc(n, sizeof(double));
    }
    for (int64_t i = 0; i < p->count; i++) {
        struct values v = values_at(p, i);
        for (int k = 0; k < count; k++) {
            const int64_t n = sf_node_count(g, outputs[k].node);
            const double *want = v.of[outputs[k].node.id];
            for (int64_t j = 0; j < n; j++) {
                sum[k][j] += want[j];
                size[k][j] += fabs(want[j]);
                if (outputs[k].reduce == SF_EACH)
                    CHECK_NEAR(out[k][i * n + j], want[j],
                               tolerance * (1.0 + fabs(want[j])));
            }
        }
        values_free(&v);
    }
    for (int k = 0; k < count; k++) {
        for (int64_t j = 0; j < sf_node_count(g, outputs[k].node); j++)
            if (outputs[k].reduce == SF_SUM)
                CHECK_NEAR(out[k][j], sum[k][j],
                           tolerance * (1.0 + size[k][j]));
        free(sum[k]);
        free(size[k]);
    }
    free_results(count, out);
}

#endif
