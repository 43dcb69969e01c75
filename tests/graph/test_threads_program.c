/* SPDX-License-Identifier: Apache-2.0 */
/* test_threads_program.c - the same bits for any number of threads: every
 * output of every model, for each point and summed, in both types. */
#include "graph/models.h"
#include "graph/exec.h"
#include "graph/points.h"

enum { THREAD_COUNTS = 3 };
static const int thread_counts[THREAD_COUNTS] = {1, 2, 7};

/* The loss for each point and summed, its gradient by all leaves both ways. */
static int many_outputs(sf_graph *g, sf_node loss, sf_output *outputs)
{
    sf_node leaves[MOST_LEAVES], slopes[MOST_LEAVES];
    int count = 0, out = 0;
    for (size_t k = 0; k < g->input_count; k++)
        leaves[count++].id = g->inputs[k].node;
    for (size_t k = 0; k < g->param_count; k++)
        leaves[count++].id = g->params[k].node;
    assert_true(count <= MOST_LEAVES && 2 * count + 2 <= MOST_OUTPUTS);
    sf_gradients(g, loss, count, leaves, slopes);
    outputs[out++] = (sf_output){loss, SF_EACH};
    outputs[out++] = (sf_output){loss, SF_SUM};
    for (int k = 0; k < count; k++) {
        outputs[out++] = (sf_output){slopes[k], SF_EACH};
        outputs[out++] = (sf_output){slopes[k], SF_SUM};
    }
    return out;
}

/* Threads are set before the program is made, and again before it runs: a
 * program made for seven threads may run with two. */
static void results_with(const struct model *m, sf_dtype dtype, int64_t points,
                         int made_for, int run_with, double **out,
                         int64_t *size)
{
    sf_context *ctx = new_context();
    CHECK_OK(ctx, sf_context_set_threads(ctx, made_for));
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const sf_node loss = m->make(g);
    sf_output outputs[MOST_OUTPUTS];
    const int count = many_outputs(g, loss, outputs);
    struct points p = new_points(g, points, -1.5, 1.5, 77);
    sf_program *program = NULL;
    CHECK_OK(ctx, sf_program_new(ctx, &program, g, dtype, count, outputs));
    CHECK_OK(ctx, sf_context_set_threads(ctx, run_with));
    memset(out, 0, MOST_OUTPUTS * sizeof *out);
    new_results(&p, count, outputs, out);
    for (int k = 0; k < MOST_OUTPUTS; k++)
        size[k] = k < count ? output_size(g, &outputs[k], points) : 0;
    for (int round = 0; round < 2; round++)
        run_on(ctx, program, &p, dtype, count, outputs, out);
    sf_program_free(program);
    free_points(&p);
    sf_graph_free(g);
    sf_context_free(ctx);
}

static void compare(double **a, double **b, const int64_t *size,
                    const char *name, int threads, int64_t points)
{
    for (int k = 0; k < MOST_OUTPUTS; k++)
        for (int64_t i = 0; i < size[k]; i++)
            if (memcmp(&a[k][i], &b[k][i], sizeof(double)) != 0) {
                fprintf(stderr,
                        "%s: %lld points, %d threads: number %lld of output %d "
                        "is %.17g, with one thread %.17g\n",
                        name, (long long)points, threads, (long long)i, k,
                        b[k][i], a[k][i]);
                fail();
            }
}

static void check_model(const struct model *m, sf_dtype dtype, int64_t points)
{
    double *one[MOST_OUTPUTS], *other[MOST_OUTPUTS];
    int64_t size[MOST_OUTPUTS];
    results_with(m, dtype, points, 1, 1, one, size);
    for (int k = 1; k < THREAD_COUNTS; k++) {
        results_with(m, dtype, points, thread_counts[k], thread_counts[k],
                     other, size);
        compare(one, other, size, m->name, thread_counts[k], points);
        free_results(MOST_OUTPUTS, other);
    }
    results_with(m, dtype, points, 7, 2, other, size);
    compare(one, other, size, m->name, 2, points);
    free_results(MOST_OUTPUTS, other);
    free_results(MOST_OUTPUTS, one);
}

TEST(threads_do_not_change_a_bit)
{
    static const int64_t counts[] = {1, 17, 130, 700};
    for (size_t m = 0; m < SFI_COUNT(models); m++)
        for (size_t n = 0; n < SFI_COUNT(counts); n++) {
            check_model(&models[m], SF_F64, counts[n]);
            check_model(&models[m], SF_F32, counts[n]);
        }
}

/* Many points and a large output, which threads add up in chunks. */
TEST(threads_do_not_change_a_large_sum)
{
    enum { N = 3000, M = 90, K = 110 };
    float *sums[THREAD_COUNTS];
    for (int k = 0; k < THREAD_COUNTS; k++) {
        sf_context *ctx = new_context();
        CHECK_OK(ctx, sf_context_set_threads(ctx, thread_counts[k]));
        sf_graph *g = NULL;
        CHECK_OK(ctx, sf_graph_new(ctx, &g));
        const sf_node x = sf_input(g, "x", 1, (int64_t[]){K});
        const sf_node y = sf_input(g, "y", 1, (int64_t[]){M});
        const sf_node both =
            sf_sub(g, sf_outer(g, y, x),
                   sf_mul(g, sf_component(g, x, 0),
                          sf_param(g, "p", 2, (int64_t[]){M, K})));
        const sf_output output = {both, SF_SUM};
        sf_program *p = NULL;
        CHECK_OK(ctx, sf_program_new(ctx, &p, g, SF_F32, 1, &output));
        const sf_source sources[2] = {
            {.kind = SF_NORMAL, .seed = 1, .stream = SFI_STREAM_USER},
            {.kind = SF_UNIFORM, .seed = 2, .stream = SFI_STREAM_USER}};
        static float w[M * K];
        for (int i = 0; i < M * K; i++)
            w[i] = (float)i * 1e-3f;
        const void *params[1] = {w};
        sums[k] = malloc(M * K * sizeof *sums[k]);
        const sf_sink sink = {sums[k], SF_F32, 0};
        CHECK_OK(ctx, sf_program_run(p, N, sources, params, &sink));
        sf_program_free(p);
        sf_graph_free(g);
        sf_context_free(ctx);
    }
    for (int k = 1; k < THREAD_COUNTS; k++)
        CHECK(memcmp(sums[0], sums[k], M * K * sizeof(float)) == 0);
    for (int k = 0; k < THREAD_COUNTS; k++)
        free(sums[k]);
}

/* A few points that are much work, which threads share: as many as fill a line or
 * less, and beyond. */
TEST(threads_do_not_change_a_few_points)
{
    enum { MOST = 70, M = 2000, K = 60 };
    static const int64_t counts[] = {3, 8, 9, 17, 40, MOST};
    static double w[M * K], x[MOST * K], y[THREAD_COUNTS][MOST * K];
    for (int i = 0; i < M * K; i++)
        w[i] = sin(i);
    for (int i = 0; i < MOST * K; i++)
        x[i] = cos(i);
    for (size_t n = 0; n < SFI_COUNT(counts); n++) {
        for (int k = 0; k < THREAD_COUNTS; k++) {
            sf_context *ctx = new_context();
            CHECK_OK(ctx, sf_context_set_threads(ctx, thread_counts[k]));
            sf_graph *g = NULL;
            CHECK_OK(ctx, sf_graph_new(ctx, &g));
            const sf_node in = sf_input(g, "x", 1, (int64_t[]){K});
            const sf_node a = sf_param(g, "w", 2, (int64_t[]){M, K});
            const sf_node f =
                sf_sum_all(g, sf_softplus(g, sf_matmul(g, a, in)));
            const sf_output output = {sf_gradient(g, f, in), SF_EACH};
            sf_program *p = NULL;
            CHECK_OK(ctx, sf_program_new(ctx, &p, g, SF_F64, 1, &output));
            const sf_source source = {.data = x, .dtype = SF_F64, .stride = K};
            const void *params[1] = {w};
            const sf_sink sink = {y[k], SF_F64, K};
            CHECK_OK(ctx, sf_program_run(p, counts[n], &source, params, &sink));
            sf_program_free(p);
            sf_graph_free(g);
            sf_context_free(ctx);
        }
        const size_t bytes = (size_t)counts[n] * K * sizeof(double);
        for (int k = 1; k < THREAD_COUNTS; k++)
            CHECK(memcmp(y[0], y[k], bytes) == 0);
    }
}

/* Products of two matrices of each point, and of one with a matrix of all: threads that
 * follow a program together share out their rows. */
TEST(threads_do_not_change_products_of_few_points)
{
    enum { M = 120, K = 90, POINTS = 3, RUNS = 20 };
    static double w[K * K], x[POINTS * M * K], y[2][POINTS * M * M];
    for (int i = 0; i < K * K; i++)
        w[i] = sin(i);
    for (int i = 0; i < POINTS * M * K; i++)
        x[i] = cos(i);
    for (int k = 0; k < 2; k++) {
        sf_context *ctx = new_context();
        CHECK_OK(ctx, sf_context_set_threads(ctx, k == 0 ? 1 : 2));
        sf_graph *g = NULL;
        CHECK_OK(ctx, sf_graph_new(ctx, &g));
        const sf_node a = sf_input(g, "x", 2, (int64_t[]){M, K});
        const sf_node p = sf_param(g, "w", 2, (int64_t[]){K, K});
        const sf_node aw = sf_tanh(g, sf_matmul(g, a, p));
        const sf_output output = {sf_matmul(g, aw, sf_transpose(g, a)),
                                  SF_EACH};
        sf_program *program = NULL;
        CHECK_OK(ctx, sf_program_new(ctx, &program, g, SF_F64, 1, &output));
        const sf_source source = {
            .data = x, .dtype = SF_F64, .stride = (int64_t)M * K};
        const void *params[1] = {w};
        const sf_sink sink = {y[k], SF_F64, (int64_t)M * M};
        for (int run = 0; run < (k == 0 ? 1 : RUNS); run++) {
            CHECK_OK(ctx,
                     sf_program_run(program, POINTS, &source, params, &sink));
            CHECK(memcmp(y[0], y[k], sizeof y[0]) == 0);
        }
        sf_program_free(program);
        sf_graph_free(g);
        sf_context_free(ctx);
    }
}

/* The loss of a small convolution network, and its gradient by the weights: one row
 * of 16 points is all that a lane needs, and threads share what images are left. */
static sf_program *convolutions(sf_context *ctx, sf_node *leaves, int64_t *size)
{
    enum { SIDE = 20, A = 12, B = 14 };
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const sf_node x = sf_input(g, "x", 3, (int64_t[]){1, SIDE, SIDE});
    leaves[0] = sf_param(g, "u", 4, (int64_t[]){A, 1, 3, 3});
    leaves[1] = sf_param(g, "v", 4, (int64_t[]){B, A, 3, 3});
    leaves[2] = sf_param(g, "w", 2, (int64_t[]){30, B * SIDE * SIDE / 4});
    const sf_node h = sf_silu(g, sf_conv2d(g, x, leaves[0], 1));
    const sf_node k =
        sf_avg_pool2(g, sf_silu(g, sf_conv2d(g, h, leaves[1], 1)));
    const int64_t flat = B * SIDE * SIDE / 4;
    const sf_node y = sf_matmul(g, leaves[2], sf_reshape(g, k, 1, &flat));
    sf_node slopes[3];
    const sf_node loss = sf_dot(g, y, y);
    sf_gradients(g, loss, 3, leaves, slopes);
    const sf_output outputs[] = {{loss, SF_SUM},
                                 {slopes[0], SF_SUM},
                                 {slopes[1], SF_SUM},
                                 {slopes[2], SF_SUM}};
    for (int i = 0; i < 3; i++)
        size[i] = sf_node_count(g, leaves[i]);
    sf_program *p = NULL;
    CHECK_OK(ctx, sf_program_new(ctx, &p, g, SF_F32, 4, outputs));
    sf_graph_free(g);
    return p;
}

TEST(images_keep_all_threads_busy_and_do_not_change_a_bit)
{
    enum { MOST = 64, PIXELS = 400, W = 30 * 14 * 100, COUNTS = 4 };
    static const int counts[COUNTS] = {1, 2, 7, 16};
    static const int64_t images[] = {64, 20, 1};
    static float x[MOST * PIXELS], w[W], out[COUNTS][3][W], loss[COUNTS];
    for (int i = 0; i < MOST * PIXELS; i++)
        x[i] = (float)sin(0.37 * i);
    for (int i = 0; i < W; i++)
        w[i] = (float)(0.1 * cos(1.7 * i));
    for (size_t n = 0; n < SFI_COUNT(images); n++)
        for (int k = 0; k < COUNTS; k++) {
            sf_context *ctx = new_context();
            CHECK_OK(ctx, sf_context_set_threads(ctx, counts[k]));
            sf_node leaves[3];
            int64_t size[3];
            sf_program *p = convolutions(ctx, leaves, size);
            if (images[n] == MOST)
                CHECK(sfi_program_threads(p, MOST) == counts[k]);
            const sf_source source = {
                .data = x, .dtype = SF_F32, .stride = PIXELS};
            const void *params[] = {w, w, w};
            const sf_sink sinks[] = {{&loss[k], SF_F32, 1},
                                     {out[k][0], SF_F32, size[0]},
                                     {out[k][1], SF_F32, size[1]},
                                     {out[k][2], SF_F32, size[2]}};
            CHECK_OK(ctx, sf_program_run(p, images[n], &source, params, sinks));
            CHECK(loss[k] == loss[0]);
            for (int i = 0; i < 3; i++)
                CHECK(memcmp(out[k][i], out[0][i],
                             (size_t)size[i] * sizeof(float)) == 0);
            sf_program_free(p);
            sf_context_free(ctx);
        }
}

TESTS(CASE(threads_do_not_change_a_bit),
      CASE(images_keep_all_threads_busy_and_do_not_change_a_bit),
      CASE(threads_do_not_change_products_of_few_points),
      CASE(threads_do_not_change_a_few_points),
      CASE(threads_do_not_change_a_large_sum))
