/* SPDX-License-Identifier: Apache-2.0 */
/* bench_train.c - training steps a second; the cases of bench/README.md. */
#include "bench.h"
#include "workload.h"

#include "base/parallel.h"
#include "base/random.h"
#include "num/loops.h"

#include <math.h>

enum { TABLE_ROWS = 10000, UPDATE_CHUNK = 4096 };

typedef struct trainer {
    sf_context *ctx;
    net_shape net;
    sf_program *program;
    int64_t batch;
    float *w, *m, *v, *ema, *g;
    float loss;
    double *table;
    int64_t *rows;
    const void *params[NET_WEIGHTS];
    sf_sink sinks[NET_WEIGHTS + 1];
    uint32_t step;
    sfi_adam adam;
} trainer;

static void update_chunk(void *user, int64_t part, int64_t first, int64_t count)
{
    (void)part;
    trainer *t = user;
    sfi_loops_for(SF_F32)->adam(t->w + first, t->m + first, t->v + first,
                                t->ema + first, t->g + first, count, &t->adam);
}

static void train_step(void *user)
{
    trainer *t = user;
    for (int64_t i = 0; i < t->batch; i++) {
        const sfi_where where = {1, (uint64_t)i, t->step, SFI_STREAM_SHUFFLE};
        t->rows[i] =
            (int64_t)((uint64_t)sfi_bits_at(where, 0) * TABLE_ROWS >> 32);
    }
    const sf_source sources[3] = {{.kind = SF_ROWS,
                                   .data = t->table,
                                   .dtype = SF_F64,
                                   .stride = 2,
                                   .rows = t->rows},
                                  {.kind = SF_NORMAL,
                                   .seed = 1,
                                   .step = t->step,
                                   .stream = SFI_STREAM_NOISE},
                                  {.kind = SF_NORMAL,
                                   .seed = 1,
                                   .step = t->step,
                                   .stream = SFI_STREAM_TIME}};
    must(t->ctx,
         sf_program_run(t->program, t->batch, sources, t->params, t->sinks));
    t->step++;
    t->adam.c1 = 1.0 - pow(0.9, t->step);
    t->adam.c2 = 1.0 - pow(0.999, t->step);
    sfi_parallel(t->ctx, t->net.total, UPDATE_CHUNK, update_chunk, t);
}

static void build(trainer *t, int64_t width, int64_t batch, int threads)
{
    must(NULL, sf_context_new(&t->ctx, NULL));
    must(t->ctx, sf_context_set_threads(t->ctx, threads));
    t->net = net_of(width);
    t->batch = batch;
    sf_graph *g = NULL;
    must(t->ctx, sf_graph_new(t->ctx, &g));
    const int64_t two = 2;
    const sf_node x = sf_input(g, "x", 1, &two);
    const sf_node n = sf_input(g, "n", 1, &two);
    const sf_node z = sf_input(g, "z", 0, NULL);
    sf_node w[NET_WEIGHTS], gradient[NET_WEIGHTS];
    net_params(g, width, w);
    const sf_node s =
        sf_exp(g, sf_add(g, sf_const(g, -1.2), sf_mul(g, sf_const(g, 1.2), z)));
    const sf_node y = sf_add(g, x, sf_mul(g, s, n));
    const sf_node error = sf_sub(g, net_value(g, y, s, w), n);
    const sf_node loss = sf_mul(g, sf_const(g, 0.5), sf_dot(g, error, error));
    sf_gradients(g, loss, NET_WEIGHTS, w, gradient);
    sf_output outputs[NET_WEIGHTS + 1] = {{loss, SF_SUM}};
    for (int k = 0; k < NET_WEIGHTS; k++)
        outputs[k + 1] = (sf_output){gradient[k], SF_SUM};
    must(t->ctx, sf_program_new(t->ctx, &t->program, g, SF_F32, NET_WEIGHTS + 1,
                                outputs));
    sf_graph_free(g);

    const size_t total = (size_t)t->net.total;
    float **const arrays[] = {&t->w, &t->m, &t->v, &t->ema, &t->g};
    for (size_t k = 0; k < SFI_COUNT(arrays); k++)
        *arrays[k] = sfi_alloc_zero(t->ctx, total, sizeof(float));
    t->table = sfi_alloc(t->ctx, 2 * TABLE_ROWS, sizeof(double));
    t->rows = sfi_alloc(t->ctx, (size_t)batch, sizeof *t->rows);
    for (int64_t i = 0; i < 2 * TABLE_ROWS; i++)
        t->table[i] =
            sfi_normal_at((sfi_where){2, (uint64_t)i, 0, SFI_STREAM_USER}, 0);
    t->sinks[0] = (sf_sink){&t->loss, SF_F32, 0};
    for (int k = 0; k < NET_WEIGHTS; k++) {
        t->params[k] = t->w + t->net.offset[k];
        t->sinks[k + 1] = (sf_sink){t->g + t->net.offset[k], SF_F32, 0};
        const double spread = sqrt(k < 2 ? 1.0 / 3.0 : 1.0 / (double)width);
        for (int64_t i = 0; k % 2 == 0 && i < t->net.count[k]; i++)
            t->w[t->net.offset[k] + i] =
                (float)(spread *
                        sfi_normal_at((sfi_where){3, (uint64_t)i, (uint32_t)k,
                                                  SFI_STREAM_WEIGHTS},
                                      0));
    }
    t->adam = (sfi_adam){.gscale = 1.0 / (double)batch,
                         .rate = 1e-3,
                         .beta1 = 0.9,
                         .beta2 = 0.999,
                         .eps = 1e-8,
                         .ema_keep = 0.999};
}

static void destroy(trainer *t)
{
    sf_context *ctx = t->ctx;
    const size_t total = (size_t)t->net.total;
    float *const arrays[] = {t->w, t->m, t->v, t->ema, t->g};
    for (size_t k = 0; k < SFI_COUNT(arrays); k++)
        sfi_free(ctx, arrays[k], total, sizeof(float));
    sfi_free(ctx, t->table, 2 * TABLE_ROWS, sizeof(double));
    sfi_free(ctx, t->rows, (size_t)t->batch, sizeof *t->rows);
    sf_program_free(t->program);
    sf_context_free(ctx);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int64_t width, batch;
    } cases[] = {{"train_4x128_b256", 128, 256},
                 {"train_4x128_b4096", 128, 4096},
                 {"train_4x512_b4096", 512, 4096}};
    bench_args args;
    if (!bench_arguments(argc, argv, &args))
        return 2;
    for (size_t k = 0; k < SFI_COUNT(cases); k++) {
        if (!bench_wanted(&args, cases[k].name))
            continue;
        trainer t = {0};
        build(&t, cases[k].width, cases[k].batch, args.threads);
        train_step(&t);
        const double first = t.loss;
        const bench_rate rate = bench_windows(&args, train_step, &t);
        if (!(t.loss < first)) {
            fprintf(stderr, "bench: the loss did not fall (%g to %g)\n", first,
                    (double)t.loss);
            return 1;
        }
        const double width = (double)cases[k].width;
        const double work =
            (18.0 * width * width + 24.0 * width) * (double)cases[k].batch;
        bench_print(cases[k].name, "steps_per_s", rate, 1.0, work);
        destroy(&t);
    }
    return 0;
}
