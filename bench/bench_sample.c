/* SPDX-License-Identifier: Apache-2.0 */
/* bench_sample.c - 10^4 points by 100 Heun steps; the case of bench/README.md. */
#include "bench.h"
#include "workload.h"

#include "base/random.h"
#include "base/context.h"

#include <math.h>

enum { POINTS = 10000, STEPS = 100, WIDTH = 128 };

typedef struct sampling {
    sf_context *ctx;
    net_shape net;
    sf_program *step;
    float *w, *y;
    float from, to;
    const void *params[NET_WEIGHTS + 2];
} sampling;

static double level(int i)
{
    const double a = pow(80.0, 1.0 / 7.0), b = pow(0.002, 1.0 / 7.0);
    return pow(a + (double)i / STEPS * (b - a), 7.0);
}

static void draw(void *user)
{
    sampling *s = user;
    for (int64_t i = 0; i < 2 * POINTS; i++)
        s->y[i] = 80.0f * (float)((i * 7919 % 10007) / 5003.0 - 1.0);
    const sf_source source = {
        .kind = SF_ROWS, .data = s->y, .dtype = SF_F32, .stride = 2};
    const sf_sink sink = {s->y, SF_F32, 2};
    for (int i = 0; i < STEPS; i++) {
        s->from = (float)level(i);
        s->to = (float)level(i + 1);
        must(s->ctx,
             sf_program_run(s->step, POINTS, &source, s->params, &sink));
    }
}

int main(int argc, char **argv)
{
    bench_args args;
    if (!bench_arguments(argc, argv, &args))
        return 2;
    if (!bench_wanted(&args, "sample_4x128_heun100"))
        return 0;
    sampling s = {.net = net_of(WIDTH)};
    must(NULL, sf_context_new(&s.ctx, NULL));
    must(s.ctx, sf_context_set_threads(s.ctx, args.threads));
    sf_graph *g = NULL;
    must(s.ctx, sf_graph_new(s.ctx, &g));
    const int64_t two = 2;
    const sf_node y = sf_input(g, "y", 1, &two);
    const sf_node from = sf_param(g, "from", 0, NULL);
    const sf_node to = sf_param(g, "to", 0, NULL);
    sf_node w[NET_WEIGHTS];
    net_params(g, WIDTH, w);
    const sf_node h = sf_sub(g, to, from);
    const sf_node first = net_value(g, y, from, w);
    const sf_node there = sf_add(g, y, sf_mul(g, h, first));
    const sf_node second = net_value(g, there, to, w);
    const sf_node half = sf_mul(g, sf_const(g, 0.5), h);
    const sf_node end = sf_add(g, y, sf_mul(g, half, sf_add(g, first, second)));
    const sf_output out = {end, SF_EACH};
    must(s.ctx, sf_program_new(s.ctx, &s.step, g, SF_F32, 1, &out));
    sf_graph_free(g);
    s.w = sfi_alloc_zero(s.ctx, (size_t)s.net.total, sizeof *s.w);
    s.y = sfi_alloc(s.ctx, 2 * POINTS, sizeof *s.y);
    s.params[0] = &s.from;
    s.params[1] = &s.to;
    for (int k = 0; k < NET_WEIGHTS; k++) {
        s.params[k + 2] = s.w + s.net.offset[k];
        for (int64_t i = 0; k % 2 == 0 && i < s.net.count[k]; i++)
            s.w[s.net.offset[k] + i] =
                0.05f *
                (float)sfi_normal_at((sfi_where){3, (uint64_t)i, (uint32_t)k,
                                                 SFI_STREAM_WEIGHTS},
                                     0);
    }
    const bench_rate rate = bench_windows(&args, draw, &s);
    const double evaluations = 2.0 * STEPS * POINTS;
    const double work = /* of one point */
        evaluations / POINTS * 2.0 * (5.0 * WIDTH + 3.0 * WIDTH * WIDTH);
    bench_print("sample_4x128_heun100", "points_per_s", rate, POINTS, work);
    sfi_free(s.ctx, s.w, (size_t)s.net.total, sizeof *s.w);
    sfi_free(s.ctx, s.y, 2 * POINTS, sizeof *s.y);
    sf_program_free(s.step);
    sf_context_free(s.ctx);
    return 0;
}
