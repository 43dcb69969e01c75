/* SPDX-License-Identifier: Apache-2.0 */
/* bench_kernel.c - what a conditional score and velocity cost, kernel by kernel,
 * as training evaluates them: single precision, in the chart, 48 nodes where the
 * velocity is an integral. */
#include "bench.h"

#include "base/random.h"
#include "kernel/kernel.h"
#include "scorefield/program.h"

enum { POINTS = 1 << 14, VALUES = 2 };

typedef struct task {
    sf_program *program;
    sf_source sources[3];
    sf_sink sinks[VALUES];
    sf_status status;
} task;

static void measure(void *user)
{
    task *t = user;
    t->status = sf_program_run(t->program, POINTS, t->sources, NULL, t->sinks);
}

/* y and t where a training step would draw them, x0 within the support. */
static void fill(const sfi_kernel *k, float *y, float *x0, float *t)
{
    for (int64_t i = 0; i < POINTS; i++) {
        const sfi_where where = {1, (uint64_t)i, 0, SFI_STREAM_USER};
        const double at = sfi_normal_at(where, 0);
        x0[i] = (float)sfi_chart_from_number(k->ops->chart, at);
        t[i] = (float)(0.02 + 0.98 * sfi_uniform_at(where, 2));
        y[i] = (float)(at + t[i] * sfi_normal_at(where, 1));
    }
}

static sf_status prepare(sf_context *ctx, task *t, const sfi_kernel *k)
{
    sf_graph *g = NULL;
    SFI_TRY(sf_graph_new(ctx, &g));
    const sf_node y = sf_input(g, "y", 0, NULL);
    const sf_node x0 = sf_input(g, "x0", 0, NULL);
    const sf_node time = sf_input(g, "t", 0, NULL);
    const sfi_kernel_nodes n =
        sfi_kernel_at_chart(k, g, y, x0, time, SFI_VELOCITY_TRAINING);
    const sf_output outputs[VALUES] = {{n.score, SF_EACH},
                                       {n.velocity, SF_EACH}};
    const sf_status status =
        sf_program_new(ctx, &t->program, g, SF_F32, VALUES, outputs);
    sf_graph_free(g);
    return status;
}

static sf_status run(const bench_args *args, const sfi_kernel_ops *ops)
{
    char name[64];
    (void)snprintf(name, sizeof name, "kernel_%s", ops->family);
    if (!bench_wanted(args, name))
        return SF_OK;
    sf_context *ctx = NULL;
    SFI_TRY(sf_context_new(&ctx, NULL));
    sfi_kernel k;
    float *numbers = sfi_alloc(ctx, 5 * POINTS, sizeof *numbers);
    task t = {.status = SF_E_NOMEM};
    if (numbers != NULL)
        t.status = sf_context_set_threads(ctx, args->threads);
    if (t.status == SF_OK)
        t.status = sfi_kernel_parse(ctx, &k, ops->family);
    if (t.status == SF_OK)
        t.status = prepare(ctx, &t, &k);
    if (t.status == SF_OK) {
        fill(&k, numbers, numbers + POINTS, numbers + 2 * POINTS);
        for (int i = 0; i < 3; i++)
            t.sources[i] = (sf_source){.kind = SF_ROWS,
                                       .data = numbers + i * POINTS,
                                       .dtype = SF_F32,
                                       .stride = 1};
        for (int i = 0; i < VALUES; i++)
            t.sinks[i] = (sf_sink){numbers + (3 + i) * POINTS, SF_F32, 1};
        const bench_rate rate = bench_windows(args, measure, &t);
        bench_print(name, "evaluations_per_s", rate, POINTS, 0.0);
    }
    if (t.status != SF_OK)
        fprintf(stderr, "bench_kernel: %s\n", sf_context_message(ctx));
    sf_program_free(t.program);
    sfi_free(ctx, numbers, 5 * POINTS, sizeof *numbers);
    sf_context_free(ctx);
    return t.status;
}

int main(int argc, char **argv)
{
    bench_args args;
    if (!bench_arguments(argc, argv, &args))
        return 2;
    for (int i = 0; sfi_kernel_families[i] != NULL; i++)
        if (sfi_kernel_families[i]->counts == NULL &&
            run(&args, sfi_kernel_families[i]) != SF_OK)
            return 1;
    return 0;
}
