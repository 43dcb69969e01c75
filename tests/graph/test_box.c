/* SPDX-License-Identifier: Apache-2.0 */
/* test_box.c - programs over boxes: what they read by steps is what rows of the same
 * numbers give, in place or not. */
#include "check.h"

#include "scorefield/program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NZ = 3, NY = 5, HALO = 2, MOST = 700 };

static sf_graph *box_graph(sf_context *ctx)
{
    sf_graph *g = NULL;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    return g;
}

/* A wave of numbers with a halo on all sides. */
struct sheet {
    int64_t count[3], step[3];
    double *block, *first;
    size_t bytes;
};

static struct sheet new_sheet(int64_t nx, double phase)
{
    struct sheet s = {.count = {NZ, NY, nx}};
    s.step[2] = 1;
    s.step[1] = nx + 2 * HALO + 40;
    s.step[0] = s.step[1] * (NY + 2 * HALO);
    const int64_t all = s.step[0] * (NZ + 2 * HALO);
    s.bytes = (size_t)all * sizeof(double);
    s.block = malloc(s.bytes);
    CHECK(s.block != NULL);
    for (int64_t i = 0; i < all; i++)
        s.block[i] = sin(0.37 * (double)i + phase) + 0.001 * (double)(i % 97);
    s.first = s.block + HALO * (s.step[0] + s.step[1] + 1);
    return s;
}

static double at(const struct sheet *s, int64_t z, int64_t y, int64_t x)
{
    return s->first[z * s->step[0] + y * s->step[1] + x];
}

static sf_source neighbour(const struct sheet *s, int dz, int dy, int dx)
{
    sf_source src = {.kind = SF_GRID,
                     .data = s->first + dz * s->step[0] + dy * s->step[1] + dx,
                     .dtype = SF_F64};
    memcpy(src.steps, s->step, sizeof s->step);
    return src;
}

static sf_box_sink sink_of(const struct sheet *s)
{
    sf_box_sink sink = {.to = {s->first, SF_F64, 0}};
    memcpy(sink.steps, s->step, sizeof s->step);
    return sink;
}

static sf_box box_of(const struct sheet *s, bool is_padded)
{
    sf_box box = {.rank = 3, .is_padded = is_padded};
    memcpy(box.extent, s->count, sizeof s->count);
    return box;
}

/* Five points, a coefficient along y, one along z through a function, and the
 * coordinate along x. */
enum { LEFT, RIGHT, BELOW, ABOVE, HERE, COEF, LEVEL, ALONG, SOURCES };

static void build(sf_graph *g, sf_output *outputs)
{
    static const char *const names[SOURCES] = {
        "left", "right", "below", "above", "here", "coef", "level", "along"};
    sf_node n[SOURCES];
    for (int i = 0; i < SOURCES; i++)
        n[i] = sf_input(g, names[i], 0, NULL);
    const sf_node across = sf_add(g, n[LEFT], n[RIGHT]);
    const sf_node up = sf_add(g, n[BELOW], n[ABOVE]);
    const sf_node laplace = sf_sub(g, sf_add(g, across, sf_mul(g, n[COEF], up)),
                                   sf_mul(g, sf_const(g, 4.0), n[HERE]));
    outputs[0] = (sf_output){
        sf_add(g, laplace, sf_mul(g, sf_cos(g, n[LEVEL]), n[ALONG])), SF_EACH};
    outputs[1] = (sf_output){sf_square(g, n[HERE]), SF_SUM};
}

static double expected(const struct sheet *s, const double *coef,
                       const double *level, const double *along, int64_t z,
                       int64_t y, int64_t x)
{
    return at(s, z, y, x - 1) + at(s, z, y, x + 1) +
           coef[y] * (at(s, z, y - 1, x) + at(s, z, y + 1, x)) -
           4.0 * at(s, z, y, x) + cos(level[z]) * along[x];
}

static const double coef[NY] = {0.5, 1.5, -2.0, 3.0, 0.25};
static const double level[NZ] = {0.1, 1.2, -0.7};

static void fill_sources(const struct sheet *s, const double *along,
                         sf_source *src)
{
    src[LEFT] = neighbour(s, 0, 0, -1);
    src[RIGHT] = neighbour(s, 0, 0, 1);
    src[BELOW] = neighbour(s, 0, -1, 0);
    src[ABOVE] = neighbour(s, 0, 1, 0);
    src[HERE] = neighbour(s, 0, 0, 0);
    src[COEF] = (sf_source){
        .kind = SF_GRID, .data = coef, .dtype = SF_F64, .steps = {0, 1, 0}};
    src[LEVEL] = (sf_source){
        .kind = SF_GRID, .data = level, .dtype = SF_F64, .steps = {1, 0, 0}};
    src[ALONG] = (sf_source){
        .kind = SF_GRID, .data = along, .dtype = SF_F64, .steps = {0, 0, 1}};
}

static void check_box(sf_context *ctx, sf_program *p, int64_t nx, bool padded)
{
    struct sheet in = new_sheet(nx, 0.0), out = new_sheet(nx, 9.0);
    double *before = malloc(out.bytes), along[MOST + 64];
    CHECK(before != NULL);
    memcpy(before, out.block, out.bytes);
    for (int i = 0; i < MOST + 64; i++)
        along[i] = 0.1 * (i % 97);
    sf_source src[SOURCES];
    fill_sources(&in, along, src);
    double sum = -1.0, want_sum = 0.0;
    const sf_box_sink sinks[] = {sink_of(&out), {.to = {&sum, SF_F64, 0}}};
    const sf_box box = box_of(&in, padded);
    CHECK_OK(ctx, sf_program_run_box(p, &box, src, NULL, sinks));
    for (int64_t z = 0; z < NZ; z++)
        for (int64_t y = 0; y < NY; y++)
            for (int64_t x = 0; x < nx; x++) {
                CHECK_NEAR(at(&out, z, y, x),
                           expected(&in, coef, level, along, z, y, x), 1e-14);
                want_sum += at(&in, z, y, x) * at(&in, z, y, x);
            }
    CHECK_NEAR(sum, want_sum, 1e-11 + 1e-13 * fabs(want_sum));
    if (!padded) /* nothing else was touched */
        for (size_t i = 0; i < out.bytes / sizeof(double); i++) {
            const int64_t k = (int64_t)i - (out.first - out.block);
            const int64_t z = k / out.step[0],
                          y = k % out.step[0] / out.step[1];
            const bool inside =
                k >= 0 && z < NZ && y < NY && k % out.step[1] < nx;
            CHECK(inside || out.block[i] == before[i]);
        }
    free(before);
    free(in.block);
    free(out.block);
}

TEST(a_stencil_reads_its_neighbours)
{
    sf_context *ctx = new_context();
    sf_graph *g = box_graph(ctx);
    sf_output outputs[2];
    build(g, outputs);
    sf_program *p = NULL;
    CHECK_OK(ctx, sf_program_new(ctx, &p, g, SF_F64, 2, outputs));
    for (int64_t nx = 1; nx <= 40; nx++)
        check_box(ctx, p, nx, nx % 2 == 0);
    for (int64_t nx = 127; nx <= 150; nx += 4)
        check_box(ctx, p, nx, nx % 8 == 3);
    check_box(ctx, p, MOST - 3, false); /* several strips a row */
    check_box(ctx, p, MOST, true);
    sf_program_free(p);
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* next = 2 here - before + 0.1 (left - 2 here + right), written over `before`. */
/* Where a step is of several numbers a point, what a row has beyond whole vectors goes
 * through work space: the value at the left and the right, and the square of a vector. */
TEST(rows_of_vectors_end_where_they_end)
{
    sf_context *ctx = new_context();
    sf_graph *g = box_graph(ctx);
    const int64_t two = 2;
    const sf_node left = sf_input(g, "left", 0, NULL),
                  right = sf_input(g, "right", 0, NULL),
                  pair = sf_input(g, "pair", 1, &two);
    const sf_output output = {
        sf_add(g, sf_add(g, left, right), sf_dot(g, pair, pair)), SF_EACH};
    sf_program *p = NULL;
    CHECK_OK(ctx, sf_program_new(ctx, &p, g, SF_F64, 1, &output));
    for (int64_t nx = 1; nx <= 70; nx++) {
        struct sheet in = new_sheet(nx, 0.0), out = new_sheet(nx, 9.0);
        double *before = malloc(out.bytes);
        CHECK(before != NULL);
        memcpy(before, out.block, out.bytes);
        /* Component 1 of the vector is a row further. */
        sf_source src[] = {neighbour(&in, 0, 0, -1), neighbour(&in, 0, 0, 1),
                           neighbour(&in, 0, 0, 0)};
        src[2].stride = in.step[1];
        const sf_box_sink sink = sink_of(&out);
        const sf_box box = box_of(&in, false);
        CHECK_OK(ctx, sf_program_run_box(p, &box, src, NULL, &sink));
        for (int64_t i = 0; i < (int64_t)(out.bytes / sizeof(double)); i++) {
            const int64_t k = i - (out.first - out.block);
            const int64_t z = k / out.step[0], x = k % out.step[1],
                          y = k % out.step[0] / out.step[1];
            double want = before[i];
            if (k >= 0 && z < NZ && y < NY && x < nx)
                want = at(&in, z, y, x - 1) + at(&in, z, y, x + 1) +
                       at(&in, z, y, x) * at(&in, z, y, x) +
                       at(&in, z, y + 1, x) * at(&in, z, y + 1, x);
            CHECK_NEAR(out.block[i], want, 1e-14);
        }
        free(before);
        free(in.block);
        free(out.block);
    }
    sf_program_free(p);
    sf_graph_free(g);
    sf_context_free(ctx);
}

TEST(new_values_may_replace_old_ones)
{
    enum { NX = 45 };
    sf_context *ctx = new_context();
    sf_graph *g = box_graph(ctx);
    const sf_node left = sf_input(g, "left", 0, NULL);
    const sf_node right = sf_input(g, "right", 0, NULL);
    const sf_node here = sf_input(g, "here", 0, NULL);
    const sf_node before = sf_input(g, "before", 0, NULL);
    const sf_node two = sf_mul(g, sf_const(g, 2.0), here);
    const sf_node next = sf_add(
        g, sf_sub(g, two, before),
        sf_mul(g, sf_const(g, 0.1), sf_sub(g, sf_add(g, left, right), two)));
    /* A second output that reads what the first replaces, in either order. */
    const sf_output outputs[2][2] = {
        {{next, SF_EACH}, {sf_sin(g, before), SF_EACH}},
        {{sf_sin(g, before), SF_EACH}, {next, SF_EACH}}};
    for (int order = 0; order < 2; order++)
        for (int count = 1; count <= 2; count++) {
            struct sheet now = new_sheet(NX, 1.0), old = new_sheet(NX, 2.0),
                         other = new_sheet(NX, 3.0), was = new_sheet(NX, 2.0);
            const sf_source src[] = {
                neighbour(&now, 0, 0, -1), neighbour(&now, 0, 0, 1),
                neighbour(&now, 0, 0, 0), neighbour(&old, 0, 0, 0)};
            sf_box_sink sinks[2];
            sinks[order] = sink_of(&old);
            sinks[1 - order] = sink_of(&other);
            const int first = count == 1 ? order : 0;
            sf_program *p = NULL;
            CHECK_OK(ctx, sf_program_new(ctx, &p, g, SF_F64, count,
                                         &outputs[order][first]));
            const sf_box box = box_of(&now, false);
            CHECK_OK(ctx,
                     sf_program_run_box(p, &box, src, NULL, &sinks[first]));
            for (int64_t z = 0; z < NZ; z++)
                for (int64_t y = 0; y < NY; y++)
                    for (int64_t x = 0; x < NX; x++) {
                        const double u = at(&now, z, y, x);
                        CHECK_NEAR(at(&old, z, y, x),
                                   2.0 * u - at(&was, z, y, x) +
                                       0.1 * (at(&now, z, y, x - 1) - 2.0 * u +
                                              at(&now, z, y, x + 1)),
                                   1e-14);
                        if (count == 2)
                            CHECK_NEAR(at(&other, z, y, x),
                                       sin(at(&was, z, y, x)), 1e-15);
                    }
            sf_program_free(p);
            free(now.block);
            free(old.block);
            free(other.block);
            free(was.block);
        }
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* Vectors, an array of floats, a column of another array, a constant output, and
 * draws that are numbered by the points. */
TEST(arrays_of_any_steps_and_types)
{
    enum { ROWS = 7, COLUMNS = 37 };
    sf_context *ctx = new_context();
    sf_graph *g = box_graph(ctx);
    const int64_t two = 2;
    const sf_node v = sf_input(g, "v", 1, &two), f = sf_input(g, "f", 0, NULL);
    const sf_node n = sf_input(g, "n", 0, NULL);
    const sf_output outputs[] = {
        {sf_mul(g, v, f), SF_EACH}, {n, SF_EACH}, {sf_const(g, 3.0), SF_EACH}};
    static double vectors[2 * ROWS * COLUMNS], out[2 * ROWS * COLUMNS];
    static double normal[ROWS * COLUMNS], rows[ROWS * COLUMNS],
        three[ROWS * COLUMNS];
    static float floats[COLUMNS * ROWS];
    for (int i = 0; i < 2 * ROWS * COLUMNS; i++)
        vectors[i] = sin(i);
    for (int i = 0; i < ROWS * COLUMNS; i++)
        floats[i] = (float)cos(i);
    const sf_source src[] = {{.kind = SF_GRID,
                              .data = vectors,
                              .dtype = SF_F64,
                              .stride = ROWS * COLUMNS,
                              .steps = {COLUMNS, 1}},
                             {.kind = SF_GRID,
                              .data = floats + COLUMNS * ROWS - 1,
                              .dtype = SF_F32,
                              .steps = {-1, -ROWS}},
                             {.kind = SF_NORMAL, .seed = 5, .stream = 9}};
    const sf_box_sink sinks[] = {{{out, SF_F64, 1}, {2 * COLUMNS, 2}},
                                 {{normal, SF_F64, 0}, {COLUMNS, 1}},
                                 {{three, SF_F64, 0}, {COLUMNS, 1}}};
    sf_program *p = NULL;
    CHECK_OK(ctx, sf_program_new(ctx, &p, g, SF_F64, 3, outputs));
    const sf_box box = {.rank = 2, .extent = {ROWS, COLUMNS}};
    CHECK_OK(ctx, sf_program_run_box(p, &box, src, NULL, sinks));
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++)
            for (int c = 0; c < 2; c++) {
                const int k = i * COLUMNS + j;
                CHECK_NEAR(
                    out[2 * k + c],
                    vectors[c * ROWS * COLUMNS + k] *
                        (double)floats[COLUMNS * ROWS - 1 - i - j * ROWS],
                    1e-15);
                CHECK(three[k] == 3.0);
            }
    /* The same draws as a run over rows has. */
    const sf_source flat[] = {{.data = vectors, .dtype = SF_F64},
                              {.data = floats, .dtype = SF_F32},
                              src[2]};
    static double dummy[2 * ROWS * COLUMNS];
    const sf_sink flat_sinks[] = {
        {dummy, SF_F64, 2}, {rows, SF_F64, 1}, {three, SF_F64, 1}};
    CHECK_OK(ctx, sf_program_run(p, ROWS * COLUMNS, flat, NULL, flat_sinks));
    CHECK(memcmp(rows, normal, sizeof rows) == 0);
    /* Empty boxes, and what does not fit. */
    const sf_box empty = {.rank = 2, .extent = {0, COLUMNS}};
    CHECK_OK(ctx, sf_program_run_box(p, &empty, src, NULL, sinks));
    const sf_box flat_box = {.rank = 0};
    CHECK(sf_program_run_box(p, &flat_box, src, NULL, sinks) == SF_E_ARG);
    const sf_box wrong = {.rank = 2, .extent = {3, -1}};
    CHECK(sf_program_run_box(p, &wrong, src, NULL, sinks) == SF_E_ARG);
    CHECK(sf_program_run(p, 1, src, NULL, flat_sinks) == SF_E_ARG);
    const sf_source by_rows[] = {
        {.data = vectors, .dtype = SF_F64, .stride = 2}, src[1], src[2]};
    CHECK(sf_program_run_box(p, &box, by_rows, NULL, sinks) == SF_E_ARG);
    sf_program_free(p);
    sf_graph_free(g);
    sf_context_free(ctx);
}

/* Sums, and every value, have the same bits for any number of threads. */
TEST(threads_do_not_change_a_bit)
{
    enum { N = 96 };
    static double u[N * N * N], first[N * N * N], out[N * N * N];
    for (int i = 0; i < N * N * N; i++)
        u[i] = sin(0.1 * i);
    double sums[3];
    const int threads[] = {1, 2, 7};
    for (int t = 0; t < 3; t++) {
        sf_context *ctx = new_context();
        CHECK_OK(ctx, sf_context_set_threads(ctx, threads[t]));
        sf_graph *g = box_graph(ctx);
        const sf_node x = sf_input(g, "x", 0, NULL);
        const sf_output outputs[] = {{sf_exp(g, x), SF_EACH},
                                     {sf_exp(g, x), SF_SUM}};
        sf_program *p = NULL;
        CHECK_OK(ctx, sf_program_new(ctx, &p, g, SF_F64, 2, outputs));
        const sf_source src = {.kind = SF_GRID,
                               .data = u,
                               .dtype = SF_F64,
                               .steps = {N * N, N, 1}};
        const sf_box_sink sinks[] = {
            {{t == 0 ? first : out, SF_F64, 0}, {N * N, N, 1}},
            {.to = {&sums[t], SF_F64, 0}}};
        const sf_box box = {.rank = 3, .extent = {N, N, N}};
        CHECK_OK(ctx, sf_program_run_box(p, &box, &src, NULL, sinks));
        CHECK(t == 0 || memcmp(first, out, sizeof out) == 0);
        sf_program_free(p);
        sf_graph_free(g);
        sf_context_free(ctx);
    }
    CHECK(sums[0] == sums[1] && sums[0] == sums[2]);
}

TESTS(CASE(a_stencil_reads_its_neighbours),
      CASE(rows_of_vectors_end_where_they_end),
      CASE(new_values_may_replace_old_ones),
      CASE(arrays_of_any_steps_and_types), CASE(threads_do_not_change_a_bit))
