/* SPDX-License-Identifier: Apache-2.0 */
/* bench_kernel.c - what a conditional score and velocity cost, kernel by kernel,
 * as training evaluates them: single precision, in the chart, 48 nodes where the
 * velocity is an integral. */
#include "bench.h"

#include "base/random.h"
#include "kernel/noise.h"
#include "scorefield/program.h"

enum { POINTS = 1 << 14, MOST = 3, VALUES = 2 };

/* Joint families have two columns, shares three, of which two are free. */
static int64_t columns_of(const sfi_kernel_ops *ops)
{
    return ops->joint == NULL ? 1 : ops->joint->shares ? 3 : 2;
}

typedef struct task {
    sfi_noise noise;
    sf_program *program;
    float *y, *x0, *t, *score, *velocity; /* [POINTS, MOST], t [POINTS] */
    sf_status status;
} task;

static void measure(void *user)
{
    task *t = user;
    const sf_source sources[] = {
        {.kind = SF_ROWS, .data = t->y, .dtype = SF_F32, .stride = MOST},
        {.kind = SF_ROWS, .data = t->x0, .dtype = SF_F32, .stride = MOST},
        {.kind = SF_ROWS, .data = t->t, .dtype = SF_F32, .stride = 1}};
    const sf_sink sinks[VALUES] = {{t->score, SF_F32, MOST},
                                   {t->velocity, SF_F32, MOST}};
    t->status = sf_program_run(t->program, POINTS, sources, NULL, sinks);
}

/* x0 within the support, t where training draws it, y from the kernel. */
static sf_status fill(sf_context *ctx, task *t)
{
    const sfi_noise *noise = &t->noise;
    double middle[MOST], place[MOST], clean[MOST], row[MOST];
    sfi_noiser *noiser = NULL;
    SFI_TRY(sfi_noiser_new(ctx, &noiser, noise));
    sfi_noise_middle(noise, middle);
    sf_status status = SF_OK;
    for (int64_t i = 0; i < POINTS && status == SF_OK; i++) {
        const sfi_where where = {1, (uint64_t)i, 0, SFI_STREAM_USER};
        const double time = 0.02 + 0.98 * sfi_uniform_at(where, 2 * MOST);
        sfi_noise_to_chart(noise, (sfi_units){0}, middle, place);
        for (int64_t j = 0; j < noise->inner; j++)
            place[j] += sfi_normal_at(where, (uint32_t)j);
        sfi_noise_settle(noise, place);
        sfi_noise_from_chart(noise, (sfi_units){0}, place, clean);
        status =
            sfi_noiser_run(noiser, 1, (sf_cmat){clean, 1, MOST, MOST}, NULL,
                           &time, where, (sf_mat){row, 1, MOST, MOST});
        t->t[i] = (float)time;
        for (int64_t j = 0; j < noise->dim; j++)
            t->x0[i * MOST + j] = (float)clean[j];
        for (int64_t j = 0; j < noise->inner; j++)
            t->y[i * MOST + j] = (float)row[j];
    }
    sfi_noiser_free(noiser);
    return status;
}

static sf_status prepare(sf_context *ctx, task *t)
{
    sf_graph *g = NULL;
    SFI_TRY(sf_graph_new(ctx, &g));
    const sf_node y = sf_input(g, "y", 1, &t->noise.inner);
    const sf_node x0 = sf_input(g, "x0", 1, &t->noise.dim);
    const sf_node time = sf_input(g, "t", 0, NULL);
    const sfi_kernel_nodes n =
        sfi_noise_at(&t->noise, g, y, x0, time, SFI_VELOCITY_TRAINING);
    const sf_output outputs[VALUES] = {{n.score, SF_EACH},
                                       {n.velocity, SF_EACH}};
    const sf_status status =
        sf_program_new(ctx, &t->program, g, SF_F32, VALUES, outputs);
    sf_graph_free(g);
    return status;
}

static sf_status run(const bench_args *args, const sfi_kernel_ops *ops)
{
    static const char *const names[MOST] = {"a", "b", "c"};
    char name[64];
    (void)snprintf(name, sizeof name, "kernel_%s", ops->family);
    if (!bench_wanted(args, name))
        return SF_OK;
    sf_context *ctx = NULL;
    SFI_TRY(sf_context_new(&ctx, NULL));
    const size_t cells = (size_t)POINTS * (4 * MOST + 1);
    float *numbers = sfi_alloc_zero(ctx, cells, sizeof *numbers);
    task t = {.y = numbers, .status = SF_E_NOMEM};
    if (numbers != NULL) {
        t.x0 = t.y + POINTS * MOST;
        t.score = t.x0 + POINTS * MOST;
        t.velocity = t.score + POINTS * MOST;
        t.t = t.velocity + POINTS * MOST;
        t.status = sf_context_set_threads(ctx, args->threads);
    }
    if (t.status == SF_OK)
        t.status = sfi_noise_parse(ctx, &t.noise, ops->family, columns_of(ops),
                                   names, NULL);
    if (t.status == SF_OK)
        t.status = prepare(ctx, &t);
    if (t.status == SF_OK)
        t.status = fill(ctx, &t);
    if (t.status == SF_OK) {
        const bench_rate rate = bench_windows(args, measure, &t);
        bench_print(name, "evaluations_per_s", rate, POINTS, 0.0);
    }
    if (t.status != SF_OK)
        fprintf(stderr, "bench_kernel: %s\n", sf_context_message(ctx));
    sf_program_free(t.program);
    sfi_noise_free(ctx, &t.noise);
    sfi_free(ctx, numbers, cells, sizeof *numbers);
    sf_context_free(ctx);
    return t.status;
}

int main(int argc, char **argv)
{
    bench_args args;
    if (!bench_arguments(argc, argv, &args))
        return 2;
    for (int i = 0; sfi_kernel_families[i] != NULL; i++)
        if (!sfi_kernel_families[i]->discrete &&
            run(&args, sfi_kernel_families[i]) != SF_OK)
            return 1;
    return 0;
}
