/* SPDX-License-Identifier: Apache-2.0 */
/* test_design.c - the Hessian of quadratic objectives: what the design says is what
 * second derivatives say, few products are taken, and nothing is called a quadratic
 * that is none. */
#include "base/random.h"
#include "check.h"
#include "faults.h"
#include "fit/matching.h"

enum { DIM = 4, ROWS = 300, MOST = 3 };

typedef struct given {
    const char *text, *domain, *parameters, *weight;
    int count;
    struct {
        const char *name;
        int rank;
    } p[MOST];
    int64_t cells; /* products taken, -1: no design */
} given;

/* Uniform in (0, 1): inside of every domain here. */
static const double *table(void)
{
    static double x[ROWS * DIM];
    for (uint64_t i = 0; i < ROWS; i++)
        for (uint32_t j = 0; j < DIM; j++)
            x[i * DIM + j] =
                sfi_uniform_at((sfi_where){5, i, 0, SFI_STREAM_USER}, j);
    return x;
}

static sf_model *density_of(sf_context *ctx, const given *g)
{
    static const double values[DIM * DIM] = {1.0, 0.0, 0.0, 0.0, 0.0, 1.0,
                                             0.0, 0.0, 0.0, 0.0, 1.0};
    sf_parameter parameters[MOST];
    for (int k = 0; k < g->count; k++)
        parameters[k] =
            (sf_parameter){g->p[k].name, g->p[k].rank, {DIM, DIM}, values};
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    o.domain = g->domain;
    o.parameter_count = g->count;
    o.parameters = parameters;
    sf_model *d = NULL;
    CHECK_OK(ctx, sf_density_new(ctx, &d, g->text, DIM, &o));
    return d;
}

/* Products: 1 and x are DIM + 1 functions; of a centred law DIM. */
enum { ALL = (DIM + 1) * (DIM + 1), CENTRED = DIM * DIM };

static const given laws[] = {
    {"-0.5*x*M*x + b*x",
     "real",
     "M=symmetric; b",
     NULL,
     2,
     {{"M", 2}, {"b", 1}},
     ALL},
    {"-0.5*x*M*x + b*x", "real", "M; b", NULL, 2, {{"M", 2}, {"b", 1}}, ALL},
    {"-0.5*x*M*x", "real", "M=symmetric", NULL, 1, {{"M", 2}}, CENTRED},
    {"-0.5*x*M*x",
     "positive",
     "M=symmetric",
     NULL,
     1,
     {{"M", 2}},
     DIM *CENTRED},
    {"-0.5*x*M*x + b*x",
     "positive",
     "M=symmetric; b",
     "min(d, 0.5)",
     2,
     {{"M", 2}, {"b", 1}},
     DIM *ALL},
    {"-0.5*sqrt(x)*M*sqrt(x) + b*sqrt(x)",
     "positive",
     "M=symmetric; b",
     "d^1.5",
     2,
     {{"M", 2}, {"b", 1}},
     DIM *ALL},
    {"x*(M*x^2) - x0^4 - x1^4", "real", "M", NULL, 1, {{"M", 2}}, -2},
    {"a*cos(x0 + x1) + b*x2^2/(1 + x3^2) + c*sin(x2)",
     "real",
     NULL,
     NULL,
     3,
     {{"a", 0}, {"b", 0}, {"c", 0}},
     -2},
    {"-0.5*(x - b)*M*(x - b)",
     "real",
     "M=symmetric; b",
     NULL,
     2,
     {{"M", 2}, {"b", 1}},
     -1},
    {"-0.5*(x - b)*M*(x - b)", "real", "b", NULL, 2, {{"M", 2}, {"b", 1}}, -2},
    {"-(x0 + x1)*exp(a) - x*x", "real", NULL, NULL, 1, {{"a", 0}}, -1},
};

/* Both are sums of the same ROWS numbers in another order: they agree to a few times
 * 1e-16 of the largest. */
TEST(hessians_are_those_of_second_derivatives)
{
    sf_context *ctx = new_context();
    const sf_cmat x = {table(), ROWS, DIM, DIM};
    for (size_t l = 0; l < SFI_COUNT(laws); l++) {
        sf_model *d = density_of(ctx, &laws[l]);
        sfi_match m = {.ctx = ctx, .model = d, .weight = laws[l].weight};
        CHECK_OK(ctx, sfi_match_begin(&m, laws[l].parameters, x));
        CHECK((m.design != NULL) == (laws[l].cells != -1));
        if (m.design != NULL) {
            const int64_t n = m.count;
            double h[20 * 20], want[20 * 20], zero[20] = {0}, most = 0.0;
            CHECK(n <= 20 && m.quadratic);
            if (laws[l].cells > 0)
                CHECK(sfi_design_cells(m.design) == laws[l].cells);
            CHECK_OK(ctx, sfi_match_take_design(&m));
            sfi_design_hessian(m.design, h);
            CHECK_OK(ctx, sfi_match_compile_hessian(&m));
            CHECK(m.quadratic);
            const sf_source rows = {
                .data = m.x.data, .dtype = SF_F64, .stride = m.x.stride};
            const sf_sink sink = {want, SF_F64, 0};
            m.params[0] = m.params[1] = zero;
            CHECK_OK(ctx,
                     sf_program_run(m.hessian, ROWS, &rows, m.params, &sink));
            double first, b[20], value, slope[20];
            CHECK(sfi_design_first(m.design, &first, b));
            CHECK_OK(ctx, sfi_match_slope(&m, zero, &value, slope));
            CHECK_CLOSE(first, value, 1e-13);
            for (int64_t k = 0; k < n; k++)
                most = fmax(most, fabs(slope[k]));
            for (int64_t k = 0; k < n; k++)
                CHECK_NEAR(b[k], slope[k], 1e-13 * most);
            m.params[0] = m.params[1] = zero;
            for (int64_t k = 0; k < n * n; k++)
                most = fmax(most, fabs(want[k]) / ROWS);
            for (int64_t k = 0; k < n * n; k++)
                CHECK_NEAR(h[k], want[k] / ROWS, 1e-13 * most);
        }
        sfi_match_end(&m);
        sf_model_free(d);
    }
    sf_context_free(ctx);
}

/* The blocks add up to the whole. */
TEST(blocks_add_up)
{
    sf_context *ctx = new_context();
    sf_model *d = density_of(ctx, &laws[4]);
    sfi_match m = {.ctx = ctx, .model = d, .weight = laws[4].weight};
    double h[14 * 14], sum[14 * 14] = {0};
    CHECK_OK(ctx, sfi_match_begin(&m, laws[4].parameters,
                                  (sf_cmat){table(), ROWS, DIM, DIM}));
    CHECK_OK(ctx, sfi_match_take_design(&m));
    CHECK(m.count == 14 && sfi_design_blocks(m.design) == DIM);
    sfi_design_hessian(m.design, h);
    for (int64_t j = 0; j < DIM; j++) {
        int64_t numbers[14];
        double block[14 * 14];
        const int64_t size = sfi_design_block_size(m.design, j);
        CHECK(size == DIM + 1);
        sfi_design_block(m.design, j, numbers, block);
        for (int64_t a = 0; a < size; a++)
            for (int64_t b = 0; b < size; b++)
                sum[numbers[a] * 14 + numbers[b]] += block[a * size + b];
    }
    for (int k = 0; k < 14 * 14; k++)
        CHECK_NEAR(sum[k], h[k], 1e-14);
    sfi_match_end(&m);
    sf_model_free(d);
    sf_context_free(ctx);
}

/* A symmetric matrix, and the same law with its numbers by name. */
TEST(errors_of_a_symmetric_matrix_are_those_of_its_numbers)
{
    sf_context *ctx = new_context();
    const double one[4] = {1.0, 0.0, 0.0, 1.0};
    const sf_parameter matrix = {"M", 2, {2, 2}, one};
    const sf_parameter numbers[] = {{.name = "p", .value = one},
                                    {.name = "q", .value = one},
                                    {.name = "r", .value = one}};
    sf_density_options o = SF_DENSITY_OPTIONS_INIT;
    sf_matching_options mo = SF_MATCHING_OPTIONS_INIT;
    sf_matching a, b;
    sf_model *d = NULL, *e = NULL;
    const sf_cmat x = {table(), ROWS, 2, DIM};
    o.parameter_count = 1;
    o.parameters = &matrix;
    CHECK_OK(ctx, sf_density_new(ctx, &d, "-0.5*x*M*x", 2, &o));
    o.parameter_count = 3;
    o.parameters = numbers;
    CHECK_OK(ctx, sf_density_new(ctx, &e, "-0.5*(p*x0^2 + r*x1^2) - q*x0*x1", 2,
                                 &o));
    mo.parameters = "M=symmetric";
    CHECK_OK(ctx, sf_match_scores(ctx, &a, d, x, &mo));
    CHECK_OK(ctx, sf_match_scores(ctx, &b, e, x, NULL));
    CHECK(a.quadratic && b.quadratic && a.count == 3 && b.count == 3);
    CHECK_CLOSE(a.objective, b.objective, 1e-12);
    for (int k = 0; k < 3; k++) {
        CHECK_CLOSE(a.estimate[k], b.estimate[k], 1e-11);
        CHECK_CLOSE(a.error[k], b.error[k], 1e-11);
    }
    sf_matching_free(ctx, &b);
    sf_matching_free(ctx, &a);
    sf_model_free(e);
    sf_model_free(d);
    sf_context_free(ctx);
}

TEST(threads_do_not_change_a_bit)
{
    enum { N = 20000 };
    static double x[N * DIM];
    for (uint32_t i = 0; i < N * DIM; i++)
        x[i] = sfi_normal_at((sfi_where){6, 0, 0, SFI_STREAM_USER}, i);
    double first[14 * 14];
    static const int threads[] = {1, 2, 7};
    for (size_t t = 0; t < SFI_COUNT(threads); t++) {
        sf_context *ctx = new_context();
        CHECK_OK(ctx, sf_context_set_threads(ctx, threads[t]));
        sf_model *d = density_of(ctx, &laws[0]);
        sf_matching m;
        sf_matching_options o = SF_MATCHING_OPTIONS_INIT;
        o.parameters = laws[0].parameters;
        CHECK_OK(ctx,
                 sf_match_scores(ctx, &m, d, (sf_cmat){x, N, DIM, DIM}, &o));
        CHECK(m.quadratic && m.count == 14);
        if (t == 0)
            memcpy(first, m.covariance, sizeof first);
        CHECK(memcmp(first, m.covariance, sizeof first) == 0);
        sf_matching_free(ctx, &m);
        sf_model_free(d);
        sf_context_free(ctx);
    }
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_model *d = density_of(ctx, &laws[4]);
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status)) {
        sfi_match m = {.ctx = ctx, .model = d, .weight = laws[4].weight};
        status = sfi_match_begin(&m, laws[4].parameters,
                                 (sf_cmat){table(), ROWS, DIM, DIM});
        if (status == SF_OK)
            status = sfi_match_take_design(&m);
        sfi_match_end(&m);
    }
    sf_model_free(d);
    sf_context_free(ctx);
}

TESTS(CASE(hessians_are_those_of_second_derivatives), CASE(blocks_add_up),
      CASE(errors_of_a_symmetric_matrix_are_those_of_its_numbers),
      CASE(threads_do_not_change_a_bit), CASE(every_allocation_may_fail))
