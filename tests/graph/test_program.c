/* SPDX-License-Identifier: Apache-2.0 */
/* test_program.c - compiled graphs: every output against the interpreter, sums
 * of any number of points, gradients against differences, points that do not
 * see each other, sources and sinks, and where the plan puts things. */
#include "faults.h"
#include "graph/check_plan.h"
#include "graph/models.h"
#include "graph/points.h"

#include <time.h>

static sf_graph *new_graph(sf_context *ctx)
{
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    return g;
}

/* The leaves of a graph, inputs first. */
static int all_leaves(const sf_graph *g, sf_node *leaves)
{
    int count = 0;
    for (size_t k = 0; k < g->input_count; k++)
        leaves[count++].id = g->inputs[k].node;
    for (size_t k = 0; k < g->param_count; k++)
        leaves[count++].id = g->params[k].node;
    return count;
}

/* The loss of every point and its sum, its gradient by inputs (of every point)
 * and by parameters (summed). */
static int loss_and_gradients(sf_graph *g, sf_node loss, sf_output *outputs)
{
    sf_node leaves[2 * MOST_LEAVES], slopes[2 * MOST_LEAVES];
    const int count = all_leaves(g, leaves);
    sf_gradients(g, loss, count, leaves, slopes);
    outputs[0] = (sf_output){loss, SF_EACH};
    outputs[1] = (sf_output){loss, SF_SUM};
    for (int k = 0; k < count; k++)
        outputs[2 + k] = (sf_output){
            slopes[k], (size_t)k < g->input_count ? SF_EACH : SF_SUM};
    return 2 + count;
}

/* ---- gradients ------------------------------------------------------------- */

/* Sum of the loss over points, interpreted. */
static double total_loss(const struct points *p, sf_node loss)
{
    double total = 0.0;
    for (int64_t i = 0; i < p->count; i++) {
        struct values v = values_at(p, i);
        total += v.of[loss.id][0];
        values_free(&v);
    }
    return total;
}

/* Every parameter's gradient against central differences of the summed loss:
 * error h^2 f'''/6 + eps f/h, with h = 1e-5 and losses up to 1e3 below 1e-7
 * relative to the size of things. */
static void check_param_slopes(sf_context *ctx, sf_graph *g,
                               const struct points *p, sf_node loss)
{
    const double h = 1e-5;
    sf_output outputs[MOST_OUTPUTS];
    const int count = loss_and_gradients(g, loss, outputs);
    CHECK_OK(ctx, sf_graph_status(g));
    double *out[MOST_OUTPUTS];
    new_results(p, count, outputs, out);
    run_outputs(ctx, g, p, SF_F64, count, outputs, out);
    for (size_t k = 0; k < g->param_count; k++)
        for (int64_t j = 0; j < p->param_size[k]; j += 3) {
            double *w = &p->params[k][j];
            const double kept = *w;
            *w = kept + h;
            const double up = total_loss(p, loss);
            *w = kept - h;
            const double down = total_loss(p, loss);
            *w = kept;
            const double want = (up - down) / (2 * h);
            CHECK_NEAR(out[2 + g->input_count + k][j], want,
                       1e-6 * (1.0 + fabs(want)) + 1e-9 * fabs(up));
        }
    free_results(count, out);
}

TEST(summed_gradients_match_differences)
{
    sf_context *ctx = new_context();
    for (size_t m = 0; m < SFI_COUNT(models); m++) {
        if (strcmp(models[m].name, "stopped") == 0)
            continue; /* a difference does not stop anywhere */
        sf_graph *g = new_graph(ctx);
        const sf_node loss = models[m].make(g);
        struct points p = new_points(g, 5, -1.5, 1.5, 40 + m);
        check_param_slopes(ctx, g, &p, loss);
        free_points(&p);
        sf_graph_free(g);
    }
    sf_context_free(ctx);
}

/* All of it at once, in both types, for numbers of points around blocks. */
TEST(all_outputs_match_the_interpreter)
{
    static const int64_t counts[] = {1, 15, 16, 17, 65, 130};
    sf_context *ctx = new_context();
    for (size_t m = 0; m < SFI_COUNT(models); m++)
        for (size_t n = 0; n < SFI_COUNT(counts); n++) {
            sf_graph *g = new_graph(ctx);
            const sf_node loss = models[m].make(g);
            sf_output outputs[MOST_OUTPUTS];
            const int count = loss_and_gradients(g, loss, outputs);
            CHECK_OK(ctx, sf_graph_status(g));
            struct points p = new_points(g, counts[n], -1.5, 1.5, m);
            check_outputs(ctx, g, &p, SF_F64, count, outputs, 1e-12);
            check_outputs(ctx, g, &p, SF_F32, count, outputs, 3e-5);
            free_points(&p);
            sf_graph_free(g);
        }
    sf_context_free(ctx);
}

/* The value of a layer may be wanted beside its sum with a bias, whatever
 * shape operations stand between: the product must not start from the bias. */
TEST(a_bias_does_not_reach_others_who_read_the_product)
{
    sf_context *ctx = new_context();
    for (int kind = 0; kind < 4; kind++) {
        sf_graph *g = new_graph(ctx);
        const sf_node x = in(g, "x", 4, 0);
        const sf_node column = sf_reshape(g, x, 2, (int64_t[]){4, 1});
        const sf_node w = par(g, "W", 5, 4), b = par(g, "b", 5, 0);
        const sf_node wide = sf_matmul(g, w, column); /* [5, 1] */
        const sf_node h = sf_reshape(g, wide, 1, (int64_t[]){5});
        sf_node y = sf_add(g, h, b), other = h;
        if (kind == 1)
            y = sf_add(g, sf_stop_gradient(g, h), b);
        if (kind == 2)
            y = sf_add(
                g, sf_reshape(g, sf_stop_gradient(g, wide), 1, (int64_t[]){5}),
                b);
        if (kind == 3)
            other = sf_slice(g, wide, 0, 1, 3, 1);
        const sf_output outputs[] = {{y, SF_EACH}, {other, SF_EACH}};
        struct points p = new_points(g, 20, -1, 1, 7);
        check_outputs(ctx, g, &p, SF_F64, 2, outputs, 1e-14);
        check_outputs(ctx, g, &p, SF_F64, 1, outputs, 1e-14);
        free_points(&p);
        sf_graph_free(g);
    }
    sf_context_free(ctx);
}

/* Products with few numbers become part of element-wise chains: with matrices of all
 * small sizes, turned and not, of vectors as they stand and of every other number. */
TEST(small_products_are_products)
{
    sf_context *ctx = new_context();
    for (int64_t m = 1; m <= 5; m++)
        for (int64_t k = 1; k <= 5; k++)
            for (int turned = 0; turned < 2; turned++) {
                sf_graph *g = new_graph(ctx);
                const int64_t wide = 2 * k, column[] = {k, 1};
                const sf_node x = sf_input(g, "x", 1, &wide);
                const sf_node w = turned ? sf_transpose(g, par(g, "W", k, m))
                                         : par(g, "W", m, k);
                const sf_node b = in(g, "b", m, 0);
                const sf_node even = sf_slice(g, x, 0, 0, k, 2);
                const sf_node head = sf_slice(g, x, 0, k, k, 1);
                sf_node y[2];
                for (int i = 0; i < 2; i++)
                    y[i] =
                        sf_reshape(g,
                                   sf_matmul(g, w,
                                             sf_reshape(g, i == 0 ? even : head,
                                                        2, column)),
                                   1, &m);
                const sf_node tail = sf_add(g, sf_exp(g, y[1]), b);
                const sf_output outputs[] = {
                    {y[0], SF_EACH}, {tail, SF_EACH}, {tail, SF_SUM}};
                CHECK_OK(ctx, sf_graph_status(g));
                struct points p = new_points(g, 70, -1, 1, 7);
                check_outputs(ctx, g, &p, SF_F64, 3, outputs, 1e-13);
                check_outputs(ctx, g, &p, SF_F32, 3, outputs, 3e-5);
                free_points(&p);
                sf_graph_free(g);
            }
    sf_context_free(ctx);
}

/* ---- sums -------------------------------------------------------------------- */

static const int64_t sum_counts[] = {0,  1,   15,  16,  17,   63,   64,
                                     65, 255, 256, 257, 1000, 4096, 10007};

/* A plain sum, a product summed over points, both in one output, and something
 * uniform: all four ways that a sum is made. */
TEST(sums_are_right_for_any_number_of_points)
{
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    const sf_node x = in(g, "x", 3, 0), y = in(g, "y", 2, 0);
    const sf_node p0 = par(g, "p", 2, 3), s = sf_param(g, "s", 0, NULL);
    const sf_node product = sf_outer(g, y, sf_sin(g, x));
    const sf_node plain = sf_mul(g, sf_component(g, x, 1), p0);
    const sf_output outputs[] = {
        {sf_exp(g, x), SF_SUM},
        {product, SF_SUM},
        {sf_sub(g, sf_mul(g, s, product), plain), SF_SUM},
        {sf_add(g, product, product), SF_SUM},
        {sf_square(g, p0), SF_SUM},
        {p0, SF_SUM},
        {sf_const(g, 0.25), SF_SUM},
    };
    for (size_t n = 0; n < SFI_COUNT(sum_counts); n++) {
        struct points p = new_points(g, sum_counts[n], -2, 2, n);
        const int count = (int)SFI_COUNT(outputs);
        check_outputs(ctx, g, &p, SF_F64, count, outputs, 1e-14);
        check_outputs(ctx, g, &p, SF_F32, count, outputs, 1e-6);
        free_points(&p);
    }
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* Vectors and matrices that are the same for all points beside some that are not:
 * of a few points they are written out, more than a strip of them. */
TEST(numbers_of_all_points_beside_those_of_each)
{
    enum { LONG = 1003 };
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    double constants[LONG];
    const int64_t length = LONG;
    for (int i = 0; i < LONG; i++)
        constants[i] = (i % 17) / 16.0;
    const sf_node x = in(g, "x", LONG, 0), y = in(g, "y", 3, 4);
    const sf_node p = par(g, "p", LONG, 0), q = par(g, "q", 3, 4);
    const sf_node row = par(g, "r", 4, 0), s = sf_param(g, "s", 0, NULL);
    const sf_node c = sf_const_array(g, 1, &length, constants);
    const sf_node long_one =
        sf_exp(g, sf_add(g, sf_mul(g, sf_sub(g, x, c), p), sf_mul(g, s, x)));
    const sf_node box =
        sf_sin(g, sf_mul(g, sf_sub(g, y, q), sf_add(g, y, row)));
    const sf_output outputs[] = {
        {sf_sum_all(g, long_one), SF_EACH},
        {sf_slice(g, long_one, 0, 1, 3, 500), SF_EACH},
        {box, SF_EACH},
        {sf_sum_all(g, sf_select(g, sf_less(g, c, x), p, x)), SF_EACH},
    };
    const int64_t counts[] = {1, 2, 3, 4, 5, 8, 9, 16, 17, 33};
    for (size_t n = 0; n < SFI_COUNT(counts); n++) {
        struct points points = new_points(g, counts[n], -1, 1, n);
        const int count = (int)SFI_COUNT(outputs);
        check_outputs(ctx, g, &points, SF_F64, count, outputs, 1e-13);
        check_outputs(ctx, g, &points, SF_F32, count, outputs, 1e-5);
        free_points(&points);
    }
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* A softplus and its gradient have one exponential, and the bits that each has by
 * itself. */
TEST(a_softplus_beside_its_sigmoid_is_what_it_is_alone)
{
    enum { N = 70 };
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    const sf_node x = in(g, "x", 5, 0);
    const sf_output outputs[] = {{sf_softplus(g, x), SF_EACH},
                                 {sf_sigmoid(g, x), SF_EACH}};
    double table[N * 5], apart[2][N * 5], together[2][N * 5];
    for (int i = 0; i < N * 5; i++)
        table[i] = 40.0 * sin(i) * cos(0.1 * i);
    const sf_source source = {.data = table, .dtype = SF_F64, .stride = 5};
    const sf_sink sinks[] = {{together[0], SF_F64, 5},
                             {together[1], SF_F64, 5}};
    sf_program *both = NULL;
    CHECK_OK(ctx, sf_program_new(ctx, &both, g, SF_F64, 2, outputs));
    CHECK_OK(ctx, sf_program_run(both, N, &source, NULL, sinks));
    for (int k = 0; k < 2; k++) {
        sf_program *one = NULL;
        const sf_sink sink = {apart[k], SF_F64, 5};
        CHECK_OK(ctx, sf_program_new(ctx, &one, g, SF_F64, 1, outputs + k));
        CHECK_OK(ctx, sf_program_run(one, N, &source, NULL, &sink));
        CHECK(memcmp(apart[k], together[k], sizeof apart[k]) == 0);
        sf_program_free(one);
    }
    sf_program_free(both);
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* Random sources draw for the places beyond the last point, too.  The program
 * below is NaN or infinite for every draw that is below `limit`, which no point
 * is but about half of what follows them. */
TEST(what_lies_beyond_the_last_point_is_not_summed)
{
    enum { TRIES = 400 };
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    const sf_node u = in(g, "u", 2, 0), limit = sf_param(g, "l", 0, NULL);
    const sf_node above = sf_sub(g, sf_component(g, u, 0), limit);
    const sf_node bad = sf_log(g, above); /* NaN */
    const sf_node worse = sf_div(g, bad, sf_max(g, above, sf_const(g, 0.0)));
    const sf_node image = sf_broadcast(g, bad, 3, (int64_t[]){1, 3, 3});
    const sf_node w = sf_param(g, "w", 4, (int64_t[]){1, 1, 2, 2});
    const sf_node y =
        sf_conv2d(g, sf_mul(g, image, sf_component(g, u, 1)), w, 0);
    const sf_output outputs[] = {
        {bad, SF_SUM},
        {worse, SF_SUM},
        {sf_outer(g, sf_mul(g, u, bad), sf_add(g, u, worse)), SF_SUM},
        {sf_gradient(g, sf_dot(g, y, y), w), SF_SUM},
    };
    enum { OUT = 4, N = 17 };
    double weights[4] = {0.5, -1.0, 0.25, 2.0};
    for (int dtype = 0; dtype < 2; dtype++) {
        sf_program *program = NULL;
        CHECK_OK(ctx, sf_program_new(ctx, &program, g, (sf_dtype)dtype, OUT,
                                     outputs));
        int found = 0;
        for (uint64_t at = 0; at < TRIES; at++) {
            double least = 1.0, beyond = 1.0;
            for (uint64_t i = 0; i < 32; i++) {
                const double v = sfi_uniform_at(
                    (sfi_where){3, at * 32 + i, 0, SFI_STREAM_USER}, 0);
                if (i < N)
                    least = fmin(least, v);
                else
                    beyond = fmin(beyond, v);
            }
            if (beyond > 0.5 * least)
                continue;
            found++;
            double bound = 0.75 * least;
            float narrow = (float)bound, narrow_w[4];
            for (int i = 0; i < 4; i++)
                narrow_w[i] = (float)weights[i];
            const sf_source source = {.kind = SF_UNIFORM,
                                      .seed = 3,
                                      .first_point = at * 32,
                                      .stream = SFI_STREAM_USER};
            double wide_out[4][4];
            float narrow_out[4][4];
            sf_sink sinks[OUT];
            for (int k = 0; k < OUT; k++)
                sinks[k] = (sf_sink){dtype == SF_F32 ? (void *)narrow_out[k]
                                                     : (void *)wide_out[k],
                                     (sf_dtype)dtype, 0};
            const void *params[2] = {dtype == SF_F32 ? (const void *)&narrow
                                                     : (const void *)&bound,
                                     dtype == SF_F32 ? (const void *)narrow_w
                                                     : (const void *)weights};
            CHECK_OK(ctx, sf_program_run(program, N, &source, params, sinks));
            double sum = 0.0;
            for (uint64_t i = 0; i < N; i++)
                sum += log(
                    sfi_uniform_at(
                        (sfi_where){3, at * 32 + i, 0, SFI_STREAM_USER}, 0) -
                    bound);
            CHECK_NEAR(dtype == SF_F32 ? (double)narrow_out[0][0]
                                       : wide_out[0][0],
                       sum, dtype == SF_F32 ? 1e-3 : 1e-11);
            for (int k = 0; k < OUT; k++)
                for (int i = 0; i < (int)sf_node_count(g, outputs[k].node); i++)
                    CHECK(isfinite(dtype == SF_F32 ? (double)narrow_out[k][i]
                                                   : wide_out[k][i]));
        }
        CHECK(found > 20);
        sf_program_free(program);
    }
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* A recurrence with constant factors shares every term: the sum of its last one
 * must be planned once for each node, not once for each path to it. */
TEST(shared_terms_of_a_sum_are_planned_once)
{
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    const sf_node x = in(g, "x", 3, 0), y = in(g, "y", 2, 0);
    for (int kind = 0; kind < 2; kind++) {
        sf_node a = kind == 0 ? sf_sin(g, x) : sf_outer(g, x, y);
        sf_node b = kind == 0 ? x : sf_outer(g, sf_cos(g, x), y);
        for (int i = 0; i < 80; i++) {
            const sf_node c = sf_sub(
                g, sf_mul(g, sf_const(g, 0.5), b),
                sf_reshape(g, sf_neg(g, a), kind == 0 ? 1 : 2,
                           kind == 0 ? (int64_t[]){3, 0} : (int64_t[]){3, 2}));
            a = b;
            b = c;
        }
        const sf_output outputs[] = {{b, SF_SUM}, {b, SF_EACH}};
        const clock_t start = clock();
        struct points p = new_points(g, 20, -1, 1, 3);
        check_outputs(ctx, g, &p, SF_F64, 2, outputs, 1e-11);
        CHECK(clock() - start < 10 * CLOCKS_PER_SEC);
        free_points(&p);
    }
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* Terms that cancel leave nothing to add up, but the sum is still written. */
TEST(terms_that_cancel_are_not_summed)
{
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    const sf_node x = in(g, "x", 3, 0), y = in(g, "y", 2, 0);
    const sf_node a = sf_outer(g, x, y), b = sf_outer(g, sf_sin(g, x), y);
    const sf_node two = sf_const(g, 2.0);
    const sf_output outputs[] = {
        {sf_sub(g, sf_add(g, a, b), a), SF_SUM},
        {sf_sub(g, sf_add(g, a, a), sf_mul(g, two, a)), SF_SUM},
    };
    struct points p = new_points(g, 100, -1, 1, 3);
    check_outputs(ctx, g, &p, SF_F64, 2, outputs, 1e-14);
    check_outputs(ctx, g, &p, SF_F32, 2, outputs, 1e-6);
    free_points(&p);
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* ---- points do not see each other ---------------------------------------------- */

static void same_bits(const void *a, const void *b, size_t bytes)
{
    CHECK(memcmp(a, b, bytes) == 0);
}

/* Run on rows[0..n-1] of the table, in the program's own type. */
static void run_rows(sf_context *ctx, sf_program *program,
                     const struct points *p, sf_dtype dtype, int64_t n,
                     const int64_t *rows, int64_t size, void *out)
{
    sf_source sources[MOST_LEAVES];
    const void *params[MOST_LEAVES];
    table_sources(p, sources);
    for (int k = 0; k < MOST_LEAVES; k++)
        sources[k].rows = rows;
    param_pointers(p, dtype, params);
    const sf_sink sink = {out, dtype, size};
    CHECK_OK(ctx, sf_program_run(program, n, sources, params, &sink));
}

static void check_independence(sf_context *ctx, const struct model *m,
                               sf_dtype dtype)
{
    enum { N = 300 };
    sf_graph *g = new_graph(ctx);
    const sf_node loss = m->make(g);
    const sf_node x = {g->inputs[0].node};
    const sf_node flat = sf_reshape(g, sf_gradient(g, loss, x), 1,
                                    (int64_t[]){sf_node_count(g, x)});
    const sf_node both = sf_concat(
        g, 2, (sf_node[]){flat, sf_reshape(g, loss, 1, (int64_t[]){1})}, 0);
    const int64_t size = sf_node_count(g, both);
    struct points p = new_points(g, N, -1.5, 1.5, 9);
    sf_program *program = NULL;
    CHECK_OK(ctx, sf_program_new(ctx, &program, g, dtype, 1,
                                 &(sf_output){both, SF_EACH}));
    const size_t row = (size_t)size * sf_dtype_size(dtype);
    char *all = malloc(N * row), *some = malloc(N * row);
    int64_t rows[N];
    for (int64_t i = 0; i < N; i++)
        rows[i] = i;
    run_rows(ctx, program, &p, dtype, N, NULL, size, all);
    run_rows(ctx, program, &p, dtype, N, rows, size, some);
    same_bits(all, some, N * row);

    /* Alone, and in batches of other lengths. */
    for (int64_t i = 0; i < N; i += 7) {
        run_rows(ctx, program, &p, dtype, 1, rows + i, size, some);
        same_bits(all + (size_t)i * row, some, row);
    }
    static const int64_t lengths[] = {2,  8,  9,  15,  16, 17,
                                      33, 64, 65, 129, 257};
    for (size_t k = 0; k < SFI_COUNT(lengths); k++) {
        run_rows(ctx, program, &p, dtype, lengths[k], rows + 3, size, some);
        same_bits(all + 3 * row, some, (size_t)lengths[k] * row);
    }
    /* In another order. */
    int64_t shuffled[N];
    memcpy(shuffled, rows, sizeof rows);
    sfi_shuffle(1, 2, shuffled, N);
    run_rows(ctx, program, &p, dtype, N, shuffled, size, some);
    for (int64_t i = 0; i < N; i++)
        same_bits(all + (size_t)shuffled[i] * row, some + (size_t)i * row, row);

    /* Beside points that are not finite. */
    static const double wild[] = {NAN, INFINITY, -INFINITY, 1e300};
    for (int64_t i = 0; i < N; i++)
        if (i % 3 == 1)
            for (int64_t j = 0; j < p.stride; j++)
                p.table[i * p.stride + j] = wild[(i + j) % 4];
    run_rows(ctx, program, &p, dtype, N, NULL, size, some);
    for (int64_t i = 0; i < N; i++)
        if (i % 3 != 1)
            same_bits(all + (size_t)i * row, some + (size_t)i * row, row);
    free(all);
    free(some);
    sf_program_free(program);
    free_points(&p);
    sf_graph_free(g);
}

TEST(points_do_not_depend_on_number_place_or_neighbours)
{
    sf_context *ctx = new_context();
    for (size_t m = 0; m < SFI_COUNT(models); m++) {
        check_independence(ctx, &models[m], SF_F64);
        check_independence(ctx, &models[m], SF_F32);
    }
    sf_context_free(ctx);
}

/* ---- sources and sinks ------------------------------------------------------------ */

/* Sources of either type, with gaps, rows in any order, the same row for all;
 * sinks of either type, with gaps. */
TEST(sources_and_sinks_of_all_kinds)
{
    enum { N = 70, ROWS = 9, A = 3, B = 2, GAP = 5 };
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    const sf_node a = in(g, "a", A, 0), b = in(g, "b", B, 0);
    const sf_node unused = in(g, "unused", 4, 0);
    const sf_node both = sf_concat(g, 2, (sf_node[]){a, b}, 0);
    const sf_output outputs[] = {{sf_mul(g, sf_const(g, 2.0), both), SF_EACH},
                                 {both, SF_EACH}};
    (void)unused;
    double wide[ROWS * GAP];
    float narrow[ROWS * GAP];
    int64_t rows[N];
    for (int i = 0; i < ROWS * GAP; i++) {
        wide[i] = i + 0.25;
        narrow[i] = (float)(-i - 0.5);
    }
    for (int i = 0; i < N; i++)
        rows[i] = i * 5 % ROWS;
    for (int dtype = 0; dtype < 2; dtype++)
        for (int kind = 0; kind < 3; kind++) {
            sf_source s[3] = {{.kind = SF_ROWS,
                               .data = wide,
                               .dtype = SF_F64,
                               .stride = GAP,
                               .rows = rows},
                              {.kind = SF_ROWS,
                               .data = narrow + 1,
                               .dtype = SF_F32,
                               .stride = GAP,
                               .rows = rows},
                              {.kind = SF_ROWS, .data = NULL}};
            const int64_t n = kind == 1 ? ROWS : N;
            if (kind == 1) /* in order */
                s[0].rows = s[1].rows = NULL;
            if (kind == 2) { /* all the same */
                s[0].rows = NULL;
                s[0].stride = 0;
                s[1].stride = 0;
            }
            double out64[N * 7];
            float out32[N * 6];
            for (int i = 0; i < N * 7; i++)
                out64[i] = -1.0;
            for (int i = 0; i < N * 6; i++)
                out32[i] = -1.0f;
            const sf_sink sinks[2] = {{out64, SF_F64, 7}, {out32, SF_F32, 6}};
            sf_program *p = NULL;
            CHECK_OK(ctx,
                     sf_program_new(ctx, &p, g, (sf_dtype)dtype, 2, outputs));
            CHECK_OK(ctx, sf_program_run(p, n, s, NULL, sinks));
            sf_program_free(p);
            for (int64_t i = 0; i < n; i++) {
                const int64_t r = kind == 0 ? rows[i] : kind == 1 ? i : 0;
                for (int j = 0; j < A + B; j++) {
                    const double want =
                        j < A ? wide[r * GAP + j] : narrow[r * GAP + 1 + j - A];
                    CHECK_NEAR(out64[i * 7 + j], 2.0 * want, 0.0);
                    CHECK_NEAR(out32[i * 6 + j], want, 0.0);
                }
                CHECK(out64[i * 7 + 5] == -1.0 && out64[i * 7 + 6] == -1.0);
                CHECK(out32[i * 6 + 5] == -1.0f);
            }
        }
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* Box-Muller's logarithm and cosine are those of another library, so normals
 * agree to a few roundings; uniforms are exact in doubles. */
TEST(random_sources_draw_what_base_draws)
{
    enum { N = 37, D = 7 };
    static const struct {
        uint64_t seed, first;
        uint32_t step, stream, component;
    } cases[] = {
        {0, 0, 0, 0, 0},
        {42, 1000, 3, SFI_STREAM_NOISE, 1},
        {UINT64_MAX, (1ull << 32) - 20, UINT32_MAX, SFI_STREAM_USER, 6},
        {7, (1ull << 55) + 5, 1, 255, UINT32_MAX - D},
    };
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    const sf_node z = in(g, "z", D, 0), u = in(g, "u", D, 0);
    const sf_output outputs[] = {{z, SF_EACH}, {u, SF_EACH}};
    for (int dtype = 0; dtype < 2; dtype++) {
        sf_program *p = NULL;
        CHECK_OK(ctx, sf_program_new(ctx, &p, g, (sf_dtype)dtype, 2, outputs));
        for (size_t c = 0; c < SFI_COUNT(cases); c++) {
            sf_source s[2] = {{.kind = SF_NORMAL,
                               .seed = cases[c].seed,
                               .first_point = cases[c].first,
                               .step = cases[c].step,
                               .stream = cases[c].stream,
                               .first_component = cases[c].component}};
            s[1] = s[0];
            s[1].kind = SF_UNIFORM;
            double normal[N * D], uniform[N * D];
            const sf_sink sinks[2] = {{normal, SF_F64, D},
                                      {uniform, SF_F64, D}};
            CHECK_OK(ctx, sf_program_run(p, N, s, NULL, sinks));
            for (uint32_t i = 0; i < N; i++)
                for (uint32_t j = 0; j < D; j++) {
                    const sfi_where w = {cases[c].seed, cases[c].first + i,
                                         cases[c].step,
                                         (sfi_stream)cases[c].stream};
                    const double tiny = dtype == SF_F32 ? 4e-6 : 4e-15;
                    const uint32_t at = cases[c].component + j;
                    CHECK_NEAR(normal[i * D + j], sfi_normal_at(w, at), tiny);
                    CHECK_NEAR(uniform[i * D + j], sfi_uniform_at(w, at),
                               dtype == SF_F32 ? 6e-8 : 0.0);
                    CHECK(uniform[i * D + j] > 0.0 && uniform[i * D + j] < 1.0);
                }
        }
        sf_program_free(p);
    }
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* Inputs, parameters, constants and views of them as outputs; one node twice;
 * one node for every point and summed. */
TEST(anything_can_be_an_output)
{
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    const sf_node x = in(g, "x", 2, 3), s = sf_input(g, "s", 0, NULL);
    const sf_node w = par(g, "w", 3, 4);
    const sf_node c =
        sf_const_array(g, 1, (int64_t[]){3}, (double[]){1, -2, 3});
    const sf_node view = sf_slice(g, sf_transpose(g, x), 0, 0, 2, 2);
    const sf_node wide = sf_broadcast(g, s, 2, (int64_t[]){2, 2});
    const sf_output outputs[] = {
        {x, SF_EACH},
        {x, SF_SUM},
        {view, SF_EACH},
        {view, SF_SUM},
        {view, SF_EACH},
        {wide, SF_EACH},
        {wide, SF_SUM},
        {w, SF_EACH},
        {sf_transpose(g, w), SF_EACH},
        {sf_slice(g, w, 1, 1, 2, 2), SF_SUM},
        {c, SF_EACH},
        {sf_broadcast(g, c, 2, (int64_t[]){2, 3}), SF_SUM},
        {sf_const(g, 4.0), SF_EACH},
        {sf_exp(g, sf_transpose(g, w)), SF_EACH},
        {sf_reshape(g, sf_transpose(g, x), 1, (int64_t[]){6}), SF_EACH},
        {sf_concat(g, 2, (sf_node[]){sf_slice(g, w, 0, 0, 2, 2), wide}, 1),
         SF_EACH},
    };
    static const int64_t counts[] = {1, 16, 300};
    for (size_t n = 0; n < SFI_COUNT(counts); n++) {
        struct points p = new_points(g, counts[n], -2, 2, 5);
        const int count = (int)SFI_COUNT(outputs);
        check_outputs(ctx, g, &p, SF_F64, count, outputs, 1e-14);
        check_outputs(ctx, g, &p, SF_F32, count, outputs, 1e-6);
        for (int k = 0; k < count; k++)
            check_outputs(ctx, g, &p, SF_F64, 1, &outputs[k], 1e-14);
        free_points(&p);
    }
    sf_graph_free(g);
    sf_context_free(ctx);
}

TEST(a_program_outlives_its_graph_and_runs_again)
{
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    const sf_node x = in(g, "x", 3, 0), w = par(g, "w", 3, 0);
    const sf_node c =
        sf_const_array(g, 1, (int64_t[]){3}, (double[]){1, -2, 3});
    const sf_node y = sf_dot(g, sf_mul(g, x, w), sf_add(g, x, c));
    sf_program *p = NULL;
    CHECK_OK(ctx,
             sf_program_new(ctx, &p, g, SF_F64, 1, &(sf_output){y, SF_EACH}));
    sf_graph_free(g);
    double weights[3] = {1, 2, 3};
    for (int round = 0; round < 3; round++) {
        const double rows[6] = {1, 2, 3, -1, 0.5, round};
        const sf_source source = {
            .kind = SF_ROWS, .data = rows, .dtype = SF_F64, .stride = 3};
        const void *params[1] = {weights};
        double out[2];
        const sf_sink sink = {out, SF_F64, 1};
        weights[0] = round;
        CHECK_OK(ctx, sf_program_run(p, 2, &source, params, &sink));
        CHECK_NEAR(out[0], round * 2.0 + 54.0, 0.0);
        CHECK_NEAR(out[1], -1.5 + 3.0 * round * (round + 3.0), 0.0);
    }
    sf_program_free(p);
    sf_context_free(ctx);
}

/* ---- errors ------------------------------------------------------------------------ */

TEST(wrong_arguments_are_refused)
{
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    const sf_node x = in(g, "x", 3, 0);
    sf_program *p = (sf_program *)ctx; /* anything but NULL */
    CHECK_FAILS(ctx, sf_program_new(ctx, &p, g, SF_F64, 0, NULL), SF_E_ARG,
                "program: 0 outputs, want >= 1");
    CHECK(p == NULL);
    static const int32_t ids[] = {-1, 1000};
    for (int i = 0; i < 2; i++) {
        const sf_output outputs[2] = {{x, SF_EACH}, {{ids[i]}, SF_EACH}};
        CHECK_FAILS(ctx, sf_program_new(ctx, &p, g, SF_F64, 2, outputs),
                    SF_E_ARG, "output 1 is not a node of this graph");
    }
    CHECK_FAILS(
        ctx,
        sf_program_new(ctx, &p, g, SF_F64, 1, &(sf_output){x, (sf_reduce)2}),
        SF_E_ARG, "reduction is not SF_EACH or SF_SUM");

    const sf_output sum = {x, SF_SUM};
    CHECK_OK(ctx, sf_program_new(ctx, &p, g, SF_F32, 1, &sum));
    const double row[3] = {1, 2, 3};
    const sf_source source = {.kind = SF_ROWS, .data = row, .dtype = SF_F64};
    double out[3] = {7, 7, 7};
    const sf_sink sink = {out, SF_F64, 0};
    CHECK_FAILS(ctx, sf_program_run(p, -1, &source, NULL, &sink), SF_E_ARG,
                "program: points is -1, want >= 0");
    CHECK_FAILS(ctx, sf_program_run(p, 5, &source, NULL, &sink), SF_E_ARG,
                "sink 0 of a summed output has another dtype");
    CHECK(out[0] == 7.0);
    sf_program_free(p);
    sf_program_free(NULL);
    sf_graph_free(g);
    sf_graph_free(NULL);
    sf_context_free(ctx);
}

/* ---- the plan ----------------------------------------------------------------------- */

/* Many values alive at once, one long chain, and both in one group. */
TEST(large_groups_fuse_correctly)
{
    enum { WIDE = 300, LONG = 2000 };
    sf_context *ctx = new_context();
    sf_graph *g = new_graph(ctx);
    const sf_node x = in(g, "x", 4, 0), w = par(g, "w", 4, 0);
    static sf_node alive[WIDE];
    sf_node sum = x, chain = x;
    for (int i = 0; i < WIDE; i++)
        alive[i] = sf_sin(g, sf_mul(g, x, sf_const(g, 0.01 * (i + 1))));
    for (int i = 0; i < WIDE; i++)
        sum = sf_add(g, sum, sf_mul(g, alive[i], alive[(i * 7 + 150) % WIDE]));
    for (int i = 0; i < LONG; i++)
        chain = i % 3 == 0   ? sf_sin(g, sf_add(g, chain, x))
                : i % 3 == 1 ? sf_sub(g, sf_mul(g, chain, w), x)
                             : sf_max(g, chain, sf_neg(g, x));
    const sf_output outputs[] = {
        {sum, SF_EACH},
        {chain, SF_EACH},
        {sf_gradient(g, sf_sum_all(g, sum), x), SF_EACH},
        {sf_gradient(g, sf_dot(g, chain, sum), w), SF_SUM},
        {alive[100], SF_EACH},
    };
    static const int64_t counts[] = {1, 100};
    for (size_t n = 0; n < SFI_COUNT(counts); n++) {
        struct points p = new_points(g, counts[n], -1, 1, 11);
        check_outputs(ctx, g, &p, SF_F64, 5, outputs, 1e-11);
        free_points(&p);
    }
    sf_graph_free(g);
    sf_context_free(ctx);
}

TEST(buffers_that_live_together_do_not_overlap)
{
    sf_context *ctx = new_context();
    for (size_t m = 0; m < SFI_COUNT(models); m++) {
        sf_graph *g = new_graph(ctx);
        sf_output outputs[MOST_OUTPUTS];
        const int count = loss_and_gradients(g, models[m].make(g), outputs);
        sfi_plan *plan = NULL;
        CHECK_OK(ctx, sfi_plan_new(ctx, &plan, g, SF_F64, count, outputs));
        check_plan(plan);
        sfi_plan_free(plan);
        sf_graph_free(g);
    }
    sf_context_free(ctx);
}

/* A matrix times a vector of d numbers takes d^2 multiplications, beside which loading
 * and writing are little. */
TEST(the_work_of_a_product_is_its_multiplications)
{
    sf_context *ctx = new_context();
    for (int64_t d = 64; d <= 256; d *= 2) {
        sf_graph *g = new_graph(ctx);
        const sf_node x = sf_input(g, "x", 1, &d);
        const sf_node w = sf_param(g, "w", 2, (int64_t[]){d, d});
        const sf_output output = {sf_matmul(g, w, x), SF_EACH};
        sf_program *program = NULL;
        CHECK_OK(ctx, sf_program_new(ctx, &program, g, SF_F64, 1, &output));
        const double work = sf_program_work(program), product = (double)(d * d);
        CHECK(work >= product && work < product + 40.0 * (double)d);
        sf_program_free(program);
        sf_graph_free(g);
    }
    sf_context_free(ctx);
}

TEST(running_allocates_nothing)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    for (size_t m = 0; m < SFI_COUNT(models); m++) {
        sf_graph *g = new_graph(ctx);
        sf_output outputs[MOST_OUTPUTS];
        const int count = loss_and_gradients(g, models[m].make(g), outputs);
        struct points p = new_points(g, 200, -1, 1, 2);
        double *out[MOST_OUTPUTS];
        new_results(&p, count, outputs, out);
        const int64_t before = faults.bytes;
        sf_program *program = NULL;
        CHECK_OK(ctx, sf_program_new(ctx, &program, g, SF_F64, count, outputs));
        /* Work space is most of what a program holds, and not more. */
        const int64_t held = faults.bytes - before;
        CHECK((int64_t)sf_program_memory(program) <= held);
        CHECK((int64_t)sf_program_memory(program) > held / 2);
        const int64_t made = faults.made;
        faults.left = 0;
        run_on(ctx, program, &p, SF_F64, count, outputs, out);
        faults.left = INT64_MAX;
        CHECK(faults.made == made);
        sf_program_free(program);
        free_results(count, out);
        free_points(&p);
        sf_graph_free(g);
    }
    CHECK(faults.bytes == faults.own);
    sf_context_free(ctx);
}

/* Fail the k-th allocation of planning and of making the work space, alone and
 * with all that follow. */
TEST(every_allocation_of_a_program_may_fail)
{
    for (size_t m = 0; m < SFI_COUNT(models); m++)
        for (int alone = 0; alone < 2; alone++) {
            struct faults faults;
            sf_context *ctx = faulty_context(&faults);
            sf_status status = SF_E_NOMEM;
            int k = 0;
            for (; status != SF_OK; k++) {
                assert_true(k < 100000);
                sf_graph *g = new_graph(ctx);
                sf_output outputs[MOST_OUTPUTS];
                const int count =
                    loss_and_gradients(g, models[m].make(g), outputs);
                CHECK_OK(ctx, sf_graph_status(g));
                sf_program *program = (sf_program *)ctx;
                faults.left = k;
                faults.alone = alone;
                status =
                    sf_program_new(ctx, &program, g, SF_F64, count, outputs);
                faults.left = INT64_MAX;
                if (status != SF_OK) {
                    assert_int_equal(status, SF_E_NOMEM);
                    CHECK(program == NULL);
                    assert_non_null(strstr(sf_context_message(ctx), "memory"));
                }
                sf_program_free(program);
                sf_graph_free(g);
                CHECK(faults.bytes == faults.own);
            }
            CHECK(k > 20);
            sf_context_free(ctx);
        }
}

TESTS(CASE(summed_gradients_match_differences),
      CASE(all_outputs_match_the_interpreter),
      CASE(a_bias_does_not_reach_others_who_read_the_product),
      CASE(small_products_are_products),
      CASE(sums_are_right_for_any_number_of_points),
      CASE(numbers_of_all_points_beside_those_of_each),
      CASE(a_softplus_beside_its_sigmoid_is_what_it_is_alone),
      CASE(what_lies_beyond_the_last_point_is_not_summed),
      CASE(shared_terms_of_a_sum_are_planned_once),
      CASE(terms_that_cancel_are_not_summed),
      CASE(points_do_not_depend_on_number_place_or_neighbours),
      CASE(sources_and_sinks_of_all_kinds),
      CASE(random_sources_draw_what_base_draws),
      CASE(anything_can_be_an_output),
      CASE(a_program_outlives_its_graph_and_runs_again),
      CASE(wrong_arguments_are_refused), CASE(large_groups_fuse_correctly),
      CASE(buffers_that_live_together_do_not_overlap),
      CASE(the_work_of_a_product_is_its_multiplications),
      CASE(running_allocates_nothing),
      CASE(every_allocation_of_a_program_may_fail))
