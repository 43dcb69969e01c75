/* SPDX-License-Identifier: Apache-2.0 */
/* test_coupling_flow.c - splines and linear layers against numbers computed with 40
 * digits, and flows with random weights: forth and back, volumes, files. */
#include "base/random.h"
#include "faults.h"
#include "model/coupling_flow.h"
#include "model/spline.h"
#include "scorefield/flow.h"
#include "scorefield/store.h"
#include "typed.h"

/* ---- splines -------------------------------------------------------------------- */

static const sfi_spline_shape shape = {4, 5.0, 3.0, 0.1};
static const double logits[11] = {0.3, -0.4, 0.1, 0.8,  -0.2, 0.5,
                                  0.9, -0.6, 0.4, -0.7, 0.2};
/* x, y, ln slope */
static const double known[][3] = {
    {-7.0, -7.0, 0.0},
    {-4.9, -4.9080946899686175, -0.16708879367223023},
    {-2.5, -3.4384514265657913, 0.3296431831483263},
    {-1.1, -0.4201132710722108, -0.5441181803228737},
    {0.0, 1.4852371051997646, 1.028322777398204},
    {0.37, 2.509909572735256, 0.961963703110745},
    {1.9, 4.280886736669857, -1.4239894333431393},
    {3.3, 4.4953042404875445, -2.070354117658477},
    {4.99, 4.990154503431514, -0.031134607624613946},
    {6.5, 6.5, 0.0}};

/* Each of n numbers through a spline with the same logits, or back. */
static void through_spline(sf_context *ctx, const sfi_spline_shape *s,
                           const double *l, bool back, sf_dtype dtype,
                           const double *x, int64_t n, double *y,
                           double *log_slope)
{
    sf_graph *g = NULL;
    sf_program *program = NULL;
    const int64_t one = 1, count[] = {sfi_spline_logits(s), 1};
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const sf_node in = sf_input(g, "x", 1, &one);
    const sf_node w = sf_const_array(g, 2, count, l);
    sf_node slope = sf_const(g, 0.0);
    const sf_node out = back ? sfi_spline_inverse(g, s, w, in)
                             : sfi_spline(g, s, w, in, &slope);
    const sf_output outputs[] = {{out, SF_EACH}, {slope, SF_EACH}};
    CHECK_OK(ctx, sf_program_new(ctx, &program, g, dtype, 2, outputs));
    const sf_source source = {
        .kind = SF_ROWS, .data = x, .dtype = SF_F64, .stride = 1};
    const sf_sink sinks[] = {{y, SF_F64, 1}, {log_slope, SF_F64, 1}};
    CHECK_OK(ctx, sf_program_run(program, n, &source, NULL, sinks));
    sf_program_free(program);
    sf_graph_free(g);
}

TEST(splines_are_the_known_ones)
{
    sf_context *ctx = new_context();
    enum { POINTS = sizeof known / sizeof *known };
    double x[POINTS], y[POINTS], slope[POINTS], back[POINTS];
    for (int i = 0; i < POINTS; i++)
        x[i] = known[i][0];
    through_spline(ctx, &shape, logits, false, SF_F64, x, POINTS, y, slope);
    through_spline(ctx, &shape, logits, true, SF_F64, y, POINTS, back, x);
    for (int i = 0; i < POINTS; i++) {
        CHECK_NEAR(y[i], known[i][1], 1e-13);
        CHECK_NEAR(slope[i], known[i][2], 1e-12);
        CHECK_NEAR(back[i], known[i][0], 1e-13);
    }
    sf_context_free(ctx);
}

/* The map of what comes back: 5e-6 in single precision, 1e-12 in double, with logits of
 * standard deviation 1.5; in x the error is that over the slope. */
TEST(splines_go_back)
{
    enum { N = 20001, SEEDS = 5 };
    static double x[N], y[N], back[N], again[N], slope[N];
    sf_context *ctx = new_context();
    const sfi_spline_shape s = {8, 5.0, 3.0, 0.1};
    for (int i = 0; i < N; i++)
        x[i] = -6.0 + 12.0 * i / (N - 1);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        double l[23];
        for (uint32_t k = 0; k < 23; k++)
            l[k] = 1.5 *
                   sfi_normal_at((sfi_where){seed, 0, 0, SFI_STREAM_USER}, k);
        for (int f32 = 0; f32 < 2; f32++) {
            const sf_dtype dtype = f32 ? SF_F32 : SF_F64;
            through_spline(ctx, &s, l, false, dtype, x, N, y, slope);
            through_spline(ctx, &s, l, true, dtype, y, N, back, slope);
            through_spline(ctx, &s, l, false, dtype, back, N, again, slope);
            for (int i = 0; i < N; i++) {
                CHECK(i == 0 || y[i] > y[i - 1] - (f32 ? 1e-6 : 1e-14));
                CHECK_NEAR(again[i], y[i], f32 ? 5e-6 : 1e-12);
            }
        }
    }
    sf_context_free(ctx);
}

/* ---- flows ---------------------------------------------------------------------- */

/* With random weights in all places, but for the orders. */
static sf_model *random_flow(sf_context *ctx, int64_t dim, int64_t layers,
                             sfi_coupling coupling, double size)
{
    sf_model *m = NULL;
    sfi_number numbers[SFI_MAX_NUMBERS];
    const sfi_flow_shape s = {layers, 8, 8, coupling, 0.0, false};
    const int count = sfi_flow_numbers(numbers, &s);
    CHECK_OK(ctx, sfi_model_new(ctx, &m, &sfi_flow_ops, dim, NULL, NULL, count,
                                numbers));
    CHECK_OK(ctx, sfi_flow_initialise(m, 3));
    for (int64_t i = 0; i < sfi_trained_weights(m); i++)
        m->weights[i] =
            (float)(size *
                    sfi_normal_at(
                        (sfi_where){1, (uint64_t)i, 0, SFI_STREAM_USER}, 0));
    for (int64_t j = 0; j < dim; j++) {
        m->mean[j] = 0.5 * (double)j;
        m->scale[j] = 1.0 + 0.3 * (double)j;
    }
    CHECK_OK(ctx, m->ops->check(m));
    return m;
}

static double *weight(sf_model *m, const char *name)
{
    for (size_t k = 0; k < m->layout_count; k++)
        if (strcmp(m->layout[k].name, name) == 0)
            return m->weights + m->layout[k].offset;
    fail();
    return NULL;
}

/* A flow of one layer that is a linear one: its coupling and last layer are the
 * identity. */
TEST(a_linear_layer_is_the_known_one)
{
    static const double order[] = {2, 0, 3, 1};
    static const double lower[] = {0,     0,    0, 0, -0.23, 0,     0,     0,
                                   -0.43, 1.66, 0, 0, -0.14, -0.33, -0.53, 0};
    static const double upper[] = {0, -0.12, 0.48, -0.1,  0, 0, 0.27, -0.25,
                                   0, 0,     0,    -0.13, 0, 0, 0,    0};
    static const double scale[] = {0.26, 0.17, 0.03, 0.2};
    static const double shift[] = {-2.83, 1.02, -0.96, -1.67};
    static const double same[] = {0, 1, 2, 3};
    static const double x[] = {0.28, 0.7, -0.44, -1.08};
    static const double y[] = {-1.5903381401398415, 1.1959404242664162,
                               -2.461558061547326, -0.7295529016570199};
    static const double of_zero[] = {-0.6275662355828263, 1.4023120781198377,
                                     0.14218791769237218, 1.0606321881501095};
    static const double zero[4] = {0.0};
    sf_context *ctx = new_context();
    sf_model *m = random_flow(ctx, 4, 1, SFI_SPLINE, 0.0);
    double z[4], back[4], logp, norm = 0.0;
    memcpy(weight(m, "flow.0.order"), order, sizeof order);
    memcpy(weight(m, "flow.1.order"), same, sizeof same);
    memcpy(weight(m, "flow.0.lower"), lower, sizeof lower);
    memcpy(weight(m, "flow.0.upper"), upper, sizeof upper);
    memcpy(weight(m, "flow.0.scale"), scale, sizeof scale);
    memcpy(weight(m, "flow.0.shift"), shift, sizeof shift);
    /* The coupling with logits 0: bins all alike, slopes 1. */
    for (int j = 0; j < 4; j++) {
        m->mean[j] = 0.0;
        m->scale[j] = 1.0;
    }
    CHECK_OK(ctx,
             sf_model_code(m, (sf_cmat){x, 1, 4, 4}, (sf_mat){z, 1, 4, 4}));
    CHECK_OK(ctx, eval_typed(m, (sf_cmat){x, 1, 4, 4}, &logp, (sf_mat){0}));
    for (int j = 0; j < 4; j++) {
        CHECK_NEAR(z[j], y[j], 1e-13);
        norm += y[j] * y[j];
    }
    CHECK_NEAR(logp, 0.66 - 0.5 * norm - 2.0 * log(6.283185307179586), 1e-13);
    CHECK_OK(ctx, sf_model_decode(m, (sf_cmat){zero, 1, 4, 4},
                                  (sf_mat){back, 1, 4, 4}));
    for (int j = 0; j < 4; j++)
        CHECK_NEAR(back[j], of_zero[j], 1e-12);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* ln |det| of a [d, d], which is destroyed. */
static double log_det(double *a, int d)
{
    double sum = 0.0;
    for (int k = 0; k < d; k++) {
        int best = k;
        for (int i = k; i < d; i++)
            if (fabs(a[i * d + k]) > fabs(a[best * d + k]))
                best = i;
        for (int j = 0; j < d; j++) {
            const double t = a[k * d + j];
            a[k * d + j] = a[best * d + j];
            a[best * d + j] = t;
        }
        sum += log(fabs(a[k * d + k]));
        for (int i = k + 1; i < d; i++)
            for (int j = d - 1; j >= k; j--)
                a[i * d + j] -= a[i * d + k] / a[k * d + k] * a[k * d + j];
    }
    return sum;
}

enum { POINTS = 200, MOST = 5 };

static void take_points(double *x, int d)
{
    for (int i = 0; i < POINTS * d; i++)
        x[i] = 1.5 * sfi_normal_at(
                         (sfi_where){8, (uint64_t)(i / d), 0, SFI_STREAM_USER},
                         (uint32_t)(i % d));
}

/* The Jacobian by the graph's forward derivatives. */
static void jacobians(const sf_model *m, const double *x, double *out)
{
    sf_context *ctx = m->ctx;
    sf_graph *g = NULL;
    sf_program *program = NULL;
    sf_node weights[200];
    const void *params[200];
    const int64_t d = m->dim, cells = d * d;
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    const sf_node row = sf_input(g, "x", 1, &d);
    CHECK_OK(ctx, sfi_weight_nodes(m, g, weights));
    const sf_node y =
        sf_div(g, sf_sub(g, row, sf_const_array(g, 1, &d, m->mean)),
               sf_const_array(g, 1, &d, m->scale));
    const sf_node z = m->ops->code(m, g, y, weights);
    const sf_output output = {sf_reshape(g, sf_jacobian(g, z, row), 1, &cells),
                              SF_EACH};
    for (size_t k = 0; k < m->layout_count; k++)
        params[k] = m->weights + m->layout[k].offset;
    CHECK_OK(ctx, sf_program_new(ctx, &program, g, SF_F64, 1, &output));
    const sf_source source = {
        .kind = SF_ROWS, .data = x, .dtype = SF_F64, .stride = d};
    const sf_sink sink = {out, SF_F64, cells};
    CHECK_OK(ctx, sf_program_run(program, POINTS, &source, params, &sink));
    sf_program_free(program);
    sf_graph_free(g);
}

/* What comes back is right to rounding in its code; in x the error is that over the
 * slope, which for random weights is as small as 1e-5. */
TEST(volumes_are_those_of_the_jacobian_and_points_come_back)
{
    static double x[POINTS * MOST], z[POINTS * MOST], back[POINTS * MOST];
    static double again[POINTS * MOST], logp[POINTS];
    static double jacobian[POINTS * MOST * MOST];
    for (int d = 1; d <= MOST; d++)
        for (int coupling = 0; coupling < 2; coupling++) {
            sf_context *ctx = new_context();
            sf_model *m = random_flow(ctx, d, 4, (sfi_coupling)coupling, 0.2);
            take_points(x, d);
            const sf_cmat points = {x, POINTS, d, d};
            CHECK_OK(ctx, sf_model_code(m, points, (sf_mat){z, POINTS, d, d}));
            CHECK_OK(ctx, sf_model_decode(m, (sf_cmat){z, POINTS, d, d},
                                          (sf_mat){back, POINTS, d, d}));
            CHECK_OK(ctx, sf_model_code(m, (sf_cmat){back, POINTS, d, d},
                                        (sf_mat){again, POINTS, d, d}));
            CHECK_OK(ctx, eval_typed(m, points, logp, (sf_mat){0}));
            jacobians(m, x, jacobian);
            for (int i = 0; i < POINTS; i++) {
                double norm = d * 1.8378770664093453;
                for (int j = 0; j < d; j++) {
                    CHECK_NEAR(back[i * d + j], x[i * d + j], 1e-4);
                    CHECK_NEAR(again[i * d + j], z[i * d + j], 1e-11);
                    norm += z[i * d + j] * z[i * d + j];
                }
                CHECK_NEAR(logp[i],
                           log_det(jacobian + i * d * d, d) - 0.5 * norm,
                           1e-10 * (1.0 + norm));
            }
            sf_model_free(m);
            sf_context_free(ctx);
        }
}

/* The score is the gradient of ln p: by central differences, away from knots. */
TEST(scores_are_gradients)
{
    static double x[POINTS * 3], score[POINTS * 3];
    sf_context *ctx = new_context();
    sf_model *m = random_flow(ctx, 3, 3, SFI_SPLINE, 0.4);
    take_points(x, 3);
    CHECK_OK(ctx, eval_typed(m, (sf_cmat){x, POINTS, 3, 3}, NULL,
                             (sf_mat){score, POINTS, 3, 3}));
    int off = 0;
    for (int i = 0; i < POINTS * 3; i++) {
        const double h = 1e-6;
        double ends[6], logp[2];
        for (int j = 0; j < 6; j++)
            ends[j] = x[i / 3 * 3 + j % 3];
        ends[i % 3] += h;
        ends[3 + i % 3] -= h;
        CHECK_OK(ctx,
                 eval_typed(m, (sf_cmat){ends, 2, 3, 3}, logp, (sf_mat){0}));
        off += fabs((logp[0] - logp[1]) / (2.0 * h) - score[i]) >
               1e-6 * (1.0 + fabs(score[i]));
    }
    CHECK(off <= 2);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* exp(ln p) over a grid that leaves less than 1e-6 outside. */
TEST(densities_integrate_to_one)
{
    enum { SIDE = 801 };
    static double x[2 * SIDE * SIDE], logp[SIDE * SIDE];
    sf_context *ctx = new_context();
    sf_model *m = random_flow(ctx, 2, 3, SFI_SPLINE, 0.3);
    const double reach = 16.0, step = 2.0 * reach / (SIDE - 1);
    for (int i = 0; i < SIDE * SIDE; i++) {
        x[2 * i] = -reach + step * (i / SIDE);
        x[2 * i + 1] = -reach + step * (i % SIDE);
    }
    CHECK_OK(ctx,
             eval_typed(m, (sf_cmat){x, SIDE * SIDE, 2, 2}, logp, (sf_mat){0}));
    double sum = 0.0;
    for (int i = 0; i < SIDE * SIDE; i++)
        sum += exp(logp[i]) * step * step;
    CHECK_NEAR(sum, 1.0, 1e-4);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* At places of draws ln p is ln N(z) plus the volume: codes of draws are the normal
 * numbers they were made from, row i by the seed and i. */
TEST(draws_are_decoded_normal_numbers)
{
    enum { N = 4000 };
    static double x[2 * N], z[2 * N], later[2];
    sf_context *ctx = new_context();
    sf_model *m = random_flow(ctx, 2, 3, SFI_SPLINE, 0.3);
    sf_sample_options o = SF_SAMPLE_OPTIONS_INIT;
    CHECK_OK(ctx, sf_sample(m, (sf_mat){x, N, 2, 2}, &o));
    CHECK_OK(ctx,
             sf_model_code(m, (sf_cmat){x, N, 2, 2}, (sf_mat){z, N, 2, 2}));
    double mean = 0.0, square = 0.0;
    for (int i = 0; i < 2 * N; i++) {
        mean += z[i] / (2.0 * N);
        square += z[i] * z[i] / (2.0 * N);
    }
    CHECK_NEAR(mean, 0.0, 5.0 / sqrt(2.0 * N));
    CHECK_NEAR(square, 1.0, 5.0 * sqrt(2.0 / (2.0 * N)));
    o.first = 9;
    CHECK_OK(ctx, sf_sample(m, (sf_mat){later, 1, 2, 2}, &o));
    CHECK(memcmp(later, x + 18, sizeof later) == 0);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(a_file_holds_a_flow_and_bad_ones_are_refused)
{
    sf_context *ctx = new_context();
    sf_model *m = random_flow(ctx, 3, 2, SFI_SPLINE, 0.3), *back = NULL;
    CHECK_OK(ctx, sf_model_save(m, "flow.safetensors", NULL));
    CHECK_OK(ctx, sf_model_load(ctx, &back, "flow.safetensors"));
    CHECK(back->weight_count == m->weight_count);
    CHECK(memcmp(back->weights, m->weights,
                 (size_t)m->weight_count * sizeof *m->weights) == 0);
    sf_model_free(back);
    weight(m, "flow.1.order")[2] = weight(m, "flow.1.order")[0];
    CHECK_OK(ctx, sf_model_save(m, "flow.safetensors", NULL));
    CHECK_FAILS(ctx, sf_model_load(ctx, &back, "flow.safetensors"), SF_E_FORMAT,
                "element 2 of \"flow.1.order\"");
    weight(m, "flow.1.order")[2] = 1.0;
    weight(m, "flow.1.order")[0] = 2.0;
    weight(m, "flow.1.order")[1] = 0.0;
    weight(m, "flow.2.scale")[1] = 99.0;
    CHECK_OK(ctx, sf_model_save(m, "flow.safetensors", NULL));
    CHECK_FAILS(ctx, sf_model_load(ctx, &back, "flow.safetensors"), SF_E_FORMAT,
                "\"flow.2.scale\" is 99");
    remove("flow.safetensors");
    CHECK_FAILS(
        ctx,
        sf_model_eval(m, (sf_cmat){m->mean, 1, 3, 3}, 0.5,
                      &(sf_model_values){.logpdf = {m->scale, 1, 1, 1}}),
        SF_E_ARG, "no noise times");
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_status status = SF_E_NOMEM;
    for (int k = 0; status != SF_OK; k += 1 + k / 20) {
        sf_model *m = NULL;
        sfi_number numbers[SFI_MAX_NUMBERS];
        double x[6];
        const sfi_flow_shape s = {2, 4, 3, SFI_SPLINE, 0.0, false};
        const int count = sfi_flow_numbers(numbers, &s);
        faults.left = k;
        status = sfi_model_new(ctx, &m, &sfi_flow_ops, 3, NULL, NULL, count,
                               numbers);
        if (status == SF_OK)
            status = sfi_flow_initialise(m, 1);
        if (status == SF_OK)
            status = sf_sample(m, (sf_mat){x, 2, 3, 3}, NULL);
        sf_model_free(m);
        CHECK(status == SF_OK || status == SF_E_NOMEM);
        CHECK(faults.bytes == faults.own);
    }
    sf_context_free(ctx);
}

TESTS(CASE(splines_are_the_known_ones), CASE(splines_go_back),
      CASE(a_linear_layer_is_the_known_one),
      CASE(volumes_are_those_of_the_jacobian_and_points_come_back),
      CASE(scores_are_gradients), CASE(densities_integrate_to_one),
      CASE(draws_are_decoded_normal_numbers),
      CASE(a_file_holds_a_flow_and_bad_ones_are_refused),
      CASE(every_allocation_may_fail))
