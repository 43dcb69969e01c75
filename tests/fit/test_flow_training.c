/* SPDX-License-Identifier: Apache-2.0 */
/* test_flow_training.c - what flows are trained on, and that training lowers it. */
#include "base/random.h"
#include "faults.h"
#include "fit/loss.h"
#include "fit/repeats.h"
#include "model/coupling_flow.h"
#include "scorefield/fit.h"
#include "typed.h"

static sf_model *random_flow(sf_context *ctx, int64_t dim, double alpha)
{
    sf_model *m = NULL;
    sfi_number numbers[SFI_MAX_NUMBERS];
    const sfi_flow_shape s = {2, 5, 4, SFI_SPLINE, alpha, false};
    const int count = sfi_flow_numbers(numbers, &s);
    CHECK_OK(ctx, sfi_model_new(ctx, &m, &sfi_flow_ops, dim, NULL, NULL, count,
                                numbers));
    CHECK_OK(ctx, sfi_flow_initialise(m, 3));
    for (int64_t i = 0; i < sfi_trained_weights(m); i++) {
        const sfi_where w = {1, (uint64_t)i, 0, SFI_STREAM_USER};
        m->weights[i] = (float)(0.3 * sfi_normal_at(w, 0));
    }
    return m;
}

/* The objective of a flow for one point y and the draws of `count` rows. */
static void losses(const sf_model *m, const double *y, const double *draws,
                   int64_t count, double *out)
{
    sf_context *ctx = m->ctx;
    sf_graph *g = NULL;
    sf_program *program = NULL;
    sf_node weights[64];
    const void *params[64];
    CHECK(m->layout_count <= 64);
    CHECK_OK(ctx, sf_graph_new(ctx, &g));
    CHECK_OK(ctx, sfi_weight_nodes(m, g, weights));
    const sfi_objective o =
        sfi_objective_new(m, g, SF_OBJECTIVE_LIKELIHOOD, false, weights);
    CHECK(o.third == SF_UNIFORM);
    const sf_output output = {o.loss, SF_EACH};
    CHECK_OK(ctx, sf_program_new(ctx, &program, g, SF_F64, 1, &output));
    for (size_t k = 0; k < m->layout_count; k++)
        params[k] = m->weights + m->layout[k].offset;
    const sf_source sources[] = {
        {.kind = SF_ROWS, .data = y, .dtype = SF_F64, .stride = 0},
        {.kind = SF_NORMAL},
        {.kind = SF_ROWS, .data = draws, .dtype = SF_F64, .stride = 1}};
    const sf_sink sink = {out, SF_F64, 1};
    CHECK_OK(ctx, sf_program_run(program, count, sources, params, &sink));
    sf_program_free(program);
    sf_graph_free(g);
}

/* ln of the Euclidean lengths of the rows of dz/dy, by central differences of the code. */
static double sum_of_log_rows(const sf_model *m, const double *y)
{
    const int64_t d = m->dim;
    double squares[8] = {0.0}, sum = 0.0;
    for (int64_t j = 0; j < d; j++) {
        double ends[16], z[16];
        const double h = 1e-6;
        memcpy(ends, y, (size_t)d * sizeof *y);
        memcpy(ends + d, y, (size_t)d * sizeof *y);
        ends[j] += h;
        ends[d + j] -= h;
        CHECK_OK(m->ctx, sf_model_code(m, (sf_cmat){ends, 2, d, d},
                                       (sf_mat){z, 2, d, d}));
        for (int64_t k = 0; k < d; k++) {
            const double slope = (z[k] - z[d + k]) / (2.0 * h);
            squares[k] += slope * slope;
        }
    }
    for (int64_t k = 0; k < d; k++)
        sum += 0.5 * log(squares[k]);
    return sum;
}

/* -ln p + alpha (sum_k ln |G_k| - ln |det G|), of single rows in the mean over them. */
TEST(the_mean_over_single_rows_is_the_information)
{
    static const int dims[] = {1, 2, 3, 8};
    for (int i = 0; i < 4; i++) {
        const int64_t d = dims[i];
        sf_context *ctx = new_context();
        sf_model *plain = random_flow(ctx, d, 0.0);
        sf_model *m = random_flow(ctx, d, 0.7);
        for (uint64_t p = 0; p < 20; p++) {
            double y[8], draws[8], got[8], zero, logp, norm = 0.0, mean = 0.0;
            double z[8];
            for (int64_t j = 0; j < d; j++) {
                y[j] = sfi_normal_at((sfi_where){4, p, 0, SFI_STREAM_USER},
                                     (uint32_t)j);
                draws[j] = ((double)j + 0.5) / (double)d;
            }
            losses(plain, y, draws, 1, &zero);
            losses(m, y, draws, d, got);
            const sf_cmat point = {y, 1, d, d};
            CHECK_OK(ctx, eval_typed(m, point, &logp, (sf_mat){0}));
            CHECK_OK(ctx, sf_model_code(m, point, (sf_mat){z, 1, d, d}));
            CHECK_NEAR(zero, -logp, 1e-12 * (1.0 + fabs(logp)));
            for (int64_t j = 0; j < d; j++) {
                mean += got[j] / (double)d;
                norm += 0.5 * z[j] * z[j];
            }
            const double log_det =
                logp + norm + 0.5 * (double)d * 1.8378770664093453;
            const double information = sum_of_log_rows(m, y) - log_det;
            CHECK(information >= -1e-7);
            CHECK_NEAR(mean, -logp + 0.7 * information, 1e-6);
            for (int64_t j = 0; j < d && d <= SFI_FLOW_JACOBIAN; j++)
                CHECK(got[j] == got[0]); /* all rows, whatever is drawn */
            CHECK(d <= SFI_FLOW_JACOBIAN || got[0] != got[1]);
        }
        sf_model_free(m);
        sf_model_free(plain);
        sf_context_free(ctx);
    }
}

/* Central differences in f64 over the trained weights, with both forms of the
 * regulariser. */
TEST(gradients_are_those_of_the_loss)
{
    enum { ROWS = 7 };
    for (int64_t d = 2; d <= 4; d += 2) {
        sf_context *ctx = new_context();
        sf_model *m = random_flow(ctx, d, 1.5);
        sfi_loss l;
        double data[ROWS * 4], value;
        int64_t rows[ROWS];
        CHECK_OK(ctx, sfi_loss_new(&l, m, SF_OBJECTIVE_LIKELIHOOD, SF_F64,
                                   SFI_LOSS_VALUE | SFI_LOSS_GRADIENT));
        for (int64_t i = 0; i < ROWS * d; i++)
            data[i] = sfi_normal_at(
                (sfi_where){6, (uint64_t)i, 0, SFI_STREAM_USER}, 0);
        for (int64_t i = 0; i < ROWS; i++)
            rows[i] = i;
        const sfi_batch batch = {
            .data = data, .rows = rows, .count = ROWS, .seed = 1, .step = 2};
        const size_t n = (size_t)m->weight_count;
        double *gradient = malloc(n * sizeof *gradient);
        CHECK_OK(ctx,
                 sfi_loss_gradient(&l, &batch, m->weights, &value, gradient));
        for (int64_t k = 0; k < sfi_trained_weights(m); k += 3) {
            const double h = 1e-5, was = m->weights[k];
            double up, down;
            m->weights[k] = was + h;
            CHECK_OK(ctx, sfi_loss_value(&l, &batch, m->weights, &up));
            m->weights[k] = was - h;
            CHECK_OK(ctx, sfi_loss_value(&l, &batch, m->weights, &down));
            m->weights[k] = was;
            CHECK_NEAR((up - down) / (2.0 * h), gradient[k],
                       2e-5 * (1.0 + fabs(gradient[k])));
        }
        free(gradient);
        sfi_loss_free(&l);
        sf_model_free(m);
        sf_context_free(ctx);
    }
}

/* ---- training ---------------------------------------------------------------------- */

enum { TABLE = 2000 };

/* An arc: radius N(2, .15^2), angle N(0, .8^2). */
static void arc(double *x, int64_t n, uint64_t seed)
{
    for (int64_t i = 0; i < n; i++) {
        const sfi_where w = {seed, (uint64_t)i, 0, SFI_STREAM_USER};
        const double r = 2.0 + 0.15 * sfi_normal_at(w, 0);
        const double t = 0.8 * sfi_normal_at(w, 1);
        x[2 * i] = r * cos(t);
        x[2 * i + 1] = r * sin(t);
    }
}

static double true_density(const double *x)
{
    const double r = hypot(x[0], x[1]), t = atan2(x[1], x[0]);
    return -0.5 * pow((r - 2.0) / 0.15, 2.0) - 0.5 * pow(t / 0.8, 2.0) -
           log(0.15 * 0.8 * r) - 1.8378770664093453;
}

static sf_network_options small(void)
{
    sf_network_options o = SF_FLOW_OPTIONS_INIT;
    o.width = 16;
    o.layers = 4;
    o.steps = 600;
    o.batch = 256;
    o.one_scale = true;
    return o;
}

/* The loss of the held-out rows, which training computes in single precision, is minus their
 * mean log density over standardised columns. */
static void check_held_out(const sf_model *m, sf_cmat rows,
                           const sf_network_options *o,
                           const sf_fit_report *report)
{
    static int64_t index[TABLE];
    static double held[2 * TABLE], logp[TABLE];
    double mean, scale[2], sum = 0.0;
    const int64_t n = sf_split_rows(o->seed, TABLE, o->validation, index);
    CHECK(n == report->held_out);
    for (int64_t i = 0; i < 2 * n; i++)
        held[i] = rows.data[2 * index[i / 2] + i % 2];
    CHECK_OK(m->ctx,
             eval_typed(m, (sf_cmat){held, n, 2, 2}, logp, (sf_mat){0}));
    for (int64_t i = 0; i < n; i++)
        sum += logp[i] / (double)n;
    sf_model_unit(m, 0, &mean, &scale[0]);
    sf_model_unit(m, 1, &mean, &scale[1]);
    CHECK_NEAR(report->best_loss, -(sum + log(scale[0] * scale[1])), 1e-4);
}

/* Codes of the data, decoded, are the data. */
static void check_way_back(const sf_model *m, sf_cmat points)
{
    static double z[2 * TABLE], back[2 * TABLE];
    CHECK_OK(m->ctx, sf_model_code(m, points, (sf_mat){z, TABLE, 2, 2}));
    CHECK_OK(m->ctx, sf_model_decode(m, (sf_cmat){z, TABLE, 2, 2},
                                     (sf_mat){back, TABLE, 2, 2}));
    for (int i = 0; i < 2 * TABLE; i++)
        CHECK_NEAR(back[i], points.data[i], 1e-11);
}

/* A tenth of a nat is what few steps of a small flow leave; the Gaussian of these rows
 * leaves 0.7 (its mean log density is -2.1, the true one's -1.4).  The regulariser makes the
 * information a tenth of what it is without, or less. */
TEST(an_arc_is_learned)
{
    static double x[2 * TABLE], fresh[2 * TABLE], logp[TABLE];
    double information[2];
    arc(x, TABLE, 1);
    arc(fresh, TABLE, 2);
    const sf_cmat rows = {x, TABLE, 2, 2}, points = {fresh, TABLE, 2, 2};
    for (int principal = 0; principal < 2; principal++) {
        static double each[TABLE];
        sf_context *ctx = new_context();
        sf_model *m = NULL;
        sf_network_options o = small();
        sf_fit_report report;
        double mean, scale[2], gap = 0.0;
        o.principal = 5.0 * principal;
        CHECK_OK(ctx, sf_fit_network(ctx, &m, rows, NULL, &o, &report));
        CHECK(strcmp(sf_model_family(m), "flow") == 0);
        sf_model_unit(m, 0, &mean, &scale[0]);
        sf_model_unit(m, 1, &mean, &scale[1]);
        CHECK(scale[0] == scale[1]);
        CHECK_OK(ctx, eval_typed(m, points, logp, (sf_mat){0}));
        const sf_principal out = {.information = {each, TABLE, 1, 1}};
        CHECK_OK(ctx, sf_model_principal(m, points, 0, &out));
        information[principal] = 0.0;
        for (int i = 0; i < TABLE; i++) {
            gap += (true_density(fresh + 2 * i) - logp[i]) / TABLE;
            information[principal] += each[i] / TABLE;
        }
        CHECK(gap > -0.01 && gap < 0.1);
        check_way_back(m, points);
        if (principal == 0)
            check_held_out(m, rows, &o, &report);
        sf_model_free(m);
        sf_context_free(ctx);
    }
    CHECK(information[1] < 0.1 * information[0]);
}

/* A run that is stopped, kept and taken up again ends with the same weights, for any number
 * of threads. */
TEST(training_is_a_function_of_its_inputs)
{
    static double x[2 * TABLE];
    static const int counts[] = {1, 2, 7};
    double first = 0.0;
    arc(x, TABLE, 1);
    for (int i = 0; i < 3; i++) {
        sf_context *ctx = new_context();
        sf_trainer *t = NULL;
        sf_model *m = NULL;
        bool finished = false;
        sf_network_options o = small();
        o.steps = 12;
        o.principal = 1.0;
        CHECK_OK(ctx, sf_context_set_threads(ctx, counts[i]));
        CHECK_OK(ctx,
                 sf_trainer_new(ctx, &t, (sf_cmat){x, TABLE, 2, 2}, NULL, &o));
        CHECK_OK(ctx, sf_trainer_run(t, 5, &finished));
        const size_t size = sf_trainer_state_size(t);
        void *state = malloc(size);
        sf_trainer_state(t, state);
        sf_trainer_free(t);
        CHECK_OK(ctx,
                 sf_trainer_new(ctx, &t, (sf_cmat){x, TABLE, 2, 2}, NULL, &o));
        if (i > 0) /* the first runs through from the start */
            CHECK_OK(ctx, sf_trainer_restore(t, state, size));
        CHECK_OK(ctx, sf_trainer_run(t, 0, &finished));
        CHECK(finished);
        CHECK_OK(ctx, sf_trainer_model(t, &m));
        double sum = 0.0;
        for (int64_t k = 0; k < m->weight_count; k++)
            sum += m->weights[k] * cos((double)k);
        CHECK(i == 0 || sum == first);
        first = sum;
        free(state);
        sf_model_free(m);
        sf_trainer_free(t);
        sf_context_free(ctx);
    }
}

static void keep_warning(void *user, const char *text)
{
    snprintf(user, 200, "%s", text);
}

TEST(values_that_many_rows_share_are_said)
{
    static const char *const names[] = {"a", "b"};
    sf_context *ctx = new_context();
    char said[200] = "";
    double x[2 * 100];
    arc(x, 100, 1);
    const sf_cmat rows = {x, 100, 2, 2};
    sf_context_set_warning(ctx, keep_warning, said);
    for (int i = 0; i < 5; i++)
        x[2 * 7 * i + 1] = 1.5;
    CHECK_OK(ctx, sfi_warn_of_repeats(ctx, rows, names));
    CHECK(said[0] == '\0');
    x[2 * 99 + 1] = 1.5;
    CHECK_OK(ctx, sfi_warn_of_repeats(ctx, rows, names));
    CHECK(strstr(said, "a value of \"b\" (6 % are 1.5):") != NULL);
    sf_context_free(ctx);
}

TEST(options_out_of_range_are_refused)
{
    sf_context *ctx = new_context();
    sf_model *m = NULL;
    double x[20];
    arc(x, 10, 1);
    const sf_cmat rows = {x, 10, 2, 2};
    sf_network_options o = small();
    o.principal = -1.0;
    CHECK_FAILS(ctx, sf_fit_network(ctx, &m, rows, NULL, &o, NULL), SF_E_ARG,
                "principal is -1");
    o = small();
    o.bins = 1;
    CHECK_FAILS(ctx, sf_fit_network(ctx, &m, rows, NULL, &o, NULL), SF_E_ARG,
                "bins is 1");
    o = small();
    o.kernel = "gaussian";
    CHECK_FAILS(ctx, sf_fit_network(ctx, &m, rows, NULL, &o, NULL), SF_E_ARG,
                "with kernels");
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_status status = SF_E_NOMEM;
    double x[40];
    arc(x, 20, 1);
    for (int k = 0; status != SF_OK; k += 1 + k / 10) {
        sf_model *m = NULL;
        sf_network_options o = small();
        double information[20];
        o.width = 3;
        o.layers = 1;
        o.bins = 2;
        o.steps = 1;
        o.batch = 4;
        o.principal = 1.0;
        faults.left = k;
        status =
            sf_fit_network(ctx, &m, (sf_cmat){x, 20, 2, 2}, NULL, &o, NULL);
        const sf_principal out = {.information = {information, 20, 1, 1}};
        if (status == SF_OK)
            status = sf_model_principal(m, (sf_cmat){x, 20, 2, 2}, 0, &out);
        sf_model_free(m);
        CHECK(status == SF_OK || status == SF_E_NOMEM);
        CHECK(faults.bytes == faults.own);
    }
    sf_context_free(ctx);
}

TESTS(CASE(the_mean_over_single_rows_is_the_information),
      CASE(gradients_are_those_of_the_loss), CASE(an_arc_is_learned),
      CASE(training_is_a_function_of_its_inputs),
      CASE(values_that_many_rows_share_are_said),
      CASE(options_out_of_range_are_refused), CASE(every_allocation_may_fail))
