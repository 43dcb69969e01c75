/* SPDX-License-Identifier: Apache-2.0 */
/* test_flow.c - samplers and likelihoods against the Gaussian, where everything
 * is known, and against identities that hold for any model. */
#include "base/random.h"
#include "check.h"
#include "model/network.h"
#include "scorefield/flow.h"

static sf_model *correlated(sf_context *ctx)
{
    const double mean[2] = {10.0, -3.0}, C[4] = {4.0, 1.2, 1.2, 0.5};
    sf_model *m = NULL;
    CHECK_OK(ctx, sf_gaussian_new(ctx, &m, 2, NULL, mean, C));
    return m;
}

/* A network whose last layer is not 0, so that its flow is not a Gaussian's. */
static sf_model *random_network(sf_context *ctx, int64_t dim, bool energy)
{
    sfi_number numbers[SFI_MAX_NUMBERS];
    const int count =
        sfi_network_numbers(numbers, 16, 2, energy, 0.01, 20.0, -1.0);
    sf_model *m = NULL;
    CHECK_OK(ctx, sfi_model_new(ctx, &m, &sfi_network_ops, dim, NULL, NULL,
                                count, numbers));
    sfi_network_initialise(m, 3);
    for (int64_t i = 0; i < m->weight_count; i++)
        if (m->weights[i] == 0.0)
            m->weights[i] = (float)(0.05 * sin(0.7 * (double)i));
    for (int64_t j = 0; j < dim; j++) {
        m->mean[j] = (double)j;
        m->scale[j] = 1.0 + 0.5 * (double)j;
    }
    return m;
}

static void fill_points(double *x, int64_t count, double scale)
{
    for (int64_t i = 0; i < count; i++)
        x[i] = scale * sfi_normal_at(
                           (sfi_where){7, (uint64_t)i, 0, SFI_STREAM_USER}, 0);
}

TEST(the_likelihood_along_the_flow_is_the_closed_form_of_a_gaussian)
{
    sf_context *ctx = new_context();
    sf_model *m = correlated(ctx);
    enum { N = 300 };
    double x[N * 2], closed[N], flow[N], se[N];
    fill_points(x, N * 2, 2.0);
    for (int i = 0; i < N; i++) {
        x[2 * i] += 10.0;
        x[2 * i + 1] -= 3.0;
    }
    const sf_cmat table = {x, N, 2, 2};
    sf_likelihood_options o = SF_LIKELIHOOD_OPTIONS_INIT;
    for (int k = 0; k < 2; k++) {
        o.time = k == 0 ? 0.0 : 0.4;
        o.force_flow = false;
        CHECK_OK(ctx, sf_logpdf(m, table, closed, NULL, &o));
        o.force_flow = true;
        CHECK_OK(ctx, sf_logpdf(m, table, flow, se, &o));
        for (int i = 0; i < N; i++) {
            /* The flow ends at sigma_max = 80 knowing unit variances only, so a
             * point at Mahalanobis distance r has an error of up to
             * r^2 (2 - 1) / (2 * 6400); -ln p is about r^2 / 2. */
            CHECK_NEAR(flow[i], closed[i], 2.5e-4 * (1 + fabs(closed[i])));
            CHECK(se[i] == 0.0);
        }
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

/* A stochastic trace must agree with the exact one within its standard error:
 * over 64 points the mean of (difference/se)^2 is that of F(1, 15), 15/13, with
 * a standard deviation of 2.2/8; we allow five of them. */
TEST(the_stochastic_trace_agrees_within_its_standard_error)
{
    sf_context *ctx = new_context();
    enum { N = 64, D = 5 };
    sf_model *m = random_network(ctx, D, false);
    double x[N * D], exact[N], estimate[N], se[N];
    fill_points(x, N * D, 1.5);
    const sf_cmat table = {x, N, D, D};
    sf_likelihood_options o = SF_LIKELIHOOD_OPTIONS_INIT;
    CHECK_OK(ctx, sf_logpdf(m, table, exact, NULL, &o));
    o.exact_limit = 0;
    o.probes = 16;
    CHECK_OK(ctx, sf_logpdf(m, table, estimate, se, &o));
    double chi2 = 0.0;
    for (int i = 0; i < N; i++) {
        CHECK(se[i] > 0.0);
        const double z = (estimate[i] - exact[i]) / se[i];
        chi2 += z * z / N;
    }
    CHECK_NEAR(chi2, 15.0 / 13.0, 5 * 2.2 / 8);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* The density of a one-dimensional model integrates to 1: trapezoids over a
 * range that holds all but e^-50 of it. */
TEST(the_density_of_a_network_integrates_to_one)
{
    sf_context *ctx = new_context();
    sf_model *m = random_network(ctx, 1, false);
    enum { N = 801 };
    double x[N], logp[N], sum = 0.0;
    for (int i = 0; i < N; i++)
        x[i] = -12.0 + 24.0 * i / (N - 1);
    CHECK_OK(ctx, sf_logpdf(m, (sf_cmat){x, N, 1, 1}, logp, NULL, NULL));
    for (int i = 0; i < N; i++)
        sum += exp(logp[i]) * 24.0 / (N - 1);
    CHECK_NEAR(sum, 1.0, 2e-4);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(decode_undoes_encode)
{
    sf_context *ctx = new_context();
    enum { N = 300, D = 3 };
    sf_model *m = random_network(ctx, D, false);
    double x[N * D], code[N * D], back[N * D];
    fill_points(x, N * D, 2.0);
    CHECK_OK(ctx, sf_encode(m, (sf_cmat){x, N, D, D}, (sf_mat){code, N, D, D},
                            NULL));
    CHECK_OK(ctx, sf_decode(m, (sf_cmat){code, N, D, D},
                            (sf_mat){back, N, D, D}, NULL));
    for (int i = 0; i < N * D; i++)
        CHECK_NEAR(back[i], x[i], 2e-4);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* A code of Gaussian data is the whitened data: for one dimension
 * y(1)/sqrt(sigma_max^2+1) = (x-mean)/sd exactly. */
TEST(the_code_of_a_gaussian_is_the_standardised_point)
{
    sf_context *ctx = new_context();
    const double mean = 2.0, variance = 9.0;
    sf_model *m = NULL;
    CHECK_OK(ctx, sf_gaussian_new(ctx, &m, 1, NULL, &mean, &variance));
    const double x[3] = {-4.0, 2.0, 5.0};
    double code[3];
    CHECK_OK(ctx, sf_encode(m, (sf_cmat){x, 3, 1, 1}, (sf_mat){code, 3, 1, 1},
                            NULL));
    for (int i = 0; i < 3; i++)
        CHECK_NEAR(code[i], (x[i] - 2.0) / 3.0, 1e-4);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* On a Gaussian all moves are linear.  Along an eigenvector of the correlations, with
 * the eigenvalue v, the score is -y/(v + l^2) at a level l, and a move is y <- f y + c z
 * with a standard normal z; the start is c z. */
enum { MOST_MOVES = 4096 };

typedef struct move_list {
    int64_t count;
    double f[MOST_MOVES], c[MOST_MOVES];
    double start;
} move_list;

static void add_move(move_list *l, double f, double c)
{
    CHECK(l->count < MOST_MOVES);
    l->f[l->count] = f;
    l->c[l->count++] = c;
}

static double euler_factor(double v, double from, double to)
{
    return 1.0 + (to - from) * from / (v + from * from);
}

static double heun_factor(double v, double from, double to)
{
    return 1.0 + 0.5 * (to - from) *
                     (from / (v + from * from) +
                      to / (v + to * to) * euler_factor(v, from, to));
}

static void add_langevin(move_list *l, double v, double level, double h)
{
    add_move(l, 1.0 - 0.5 * h / (v + level * level), sqrt(h));
}

/* Karras et al. 2022, algorithms 1 and 2. */
static void add_flow(move_list *l, double v, double from, double to,
                     const sf_sample_options *o)
{
    const double gamma =
        o->method == SF_SAMPLER_SDE
            ? fmin(o->churn / (double)o->steps, sqrt(2.0) - 1.0)
            : 0.0;
    const double high = to > 0.0 ? from * (1.0 + gamma) : from;
    const double f =
        to > 0.0 ? heun_factor(v, high, to) : euler_factor(v, from, to);
    add_move(l, f, f * sqrt(high * high - from * from));
}

/* Song et al. 2021, algorithm 2 without its adaptive step: steps of the reverse
 * diffusion, and Langevin steps of `step` times the variance of the noise. */
static void add_predictor(move_list *l, double v, double from, double to)
{
    const double lost = from * from - to * to;
    add_move(l, euler_factor(v, from, to) - 0.5 * lost / (v + from * from),
             sqrt(lost));
}

static void list_moves(move_list *l, const sf_model *m, double v,
                       const sf_sample_options *o)
{
    const int corrections = o->method == SF_SAMPLER_ANNEALED ? 10 : 1;
    const double low = sfi_lowest_level(m), high = sfi_level(m, 1.0);
    l->count = 0;
    l->start = o->method == SF_SAMPLER_LANGEVIN ? 1.0 : sqrt(1.0 + high * high);
    for (int64_t i = 0; i < o->steps; i++) {
        const double from = sfi_grid_level(m, i, o->steps);
        const double to = sfi_grid_level(m, i + 1, o->steps);
        const bool annealed = o->method == SF_SAMPLER_ANNEALED;
        const bool pc = o->method == SF_SAMPLER_PC;
        if (o->method == SF_SAMPLER_LANGEVIN)
            add_langevin(l, v, low, o->step);
        else if (!annealed && !pc)
            add_flow(l, v, from, to, o);
        for (int k = 0; k < corrections && annealed; k++)
            add_langevin(l, v, from, o->step * from * from);
        if ((annealed || pc) && to == 0.0)
            add_move(l, euler_factor(v, from, to), 0.0);
        if (pc && to > 0.0)
            add_predictor(l, v, from, to);
        for (int k = 0; k < corrections && pc && to > 0.0; k++)
            add_langevin(l, v, to, o->step * to * to);
    }
}

static const sf_sample_options methods_with_steps[] = {
    {.method = SF_SAMPLER_FLOW, .steps = 64, .churn = 30},
    {.method = SF_SAMPLER_SDE, .steps = 128, .churn = 30},
    {.method = SF_SAMPLER_SDE, .steps = 40, .churn = 30},
    {.method = SF_SAMPLER_PC, .steps = 200, .step = 0.1, .churn = 30},
    {.method = SF_SAMPLER_ANNEALED, .steps = 200, .step = 1.0, .churn = 30},
    {.method = SF_SAMPLER_LANGEVIN, .steps = 300, .step = 0.1, .churn = 30}};

/* Every walker of every method is where the moves and its own normal numbers put it:
 * of one column, whose correlation is 1.  Moves are in single precision, whose
 * errors of 6e-8 each contract with the flow; at the start they are those of 80. */
TEST(every_method_moves_as_it_says)
{
    sf_context *ctx = new_context();
    static move_list l;
    const double mean = 2.0, variance = 9.0;
    enum { N = 20 };
    double x[N];
    sf_model *m = NULL;
    CHECK_OK(ctx, sf_gaussian_new(ctx, &m, 1, NULL, &mean, &variance));
    for (size_t k = 0; k < SFI_COUNT(methods_with_steps); k++) {
        sf_sample_options o = methods_with_steps[k];
        o.size = sizeof o;
        o.seed = 5;
        o.first = 3;
        list_moves(&l, m, 1.0, &o);
        CHECK_OK(ctx, sf_sample(m, (sf_mat){x, N, 1, 1}, &o));
        for (int i = 0; i < N; i++) {
            double y = l.start * sfi_normal_at((sfi_where){5, (uint64_t)(3 + i),
                                                           0, SFI_STREAM_PRIOR},
                                               0);
            for (int64_t j = 0; j < l.count; j++)
                y = l.f[j] * y +
                    l.c[j] *
                        sfi_normal_at((sfi_where){5, (uint64_t)(3 + i),
                                                  (uint32_t)j, SFI_STREAM_STEP},
                                      0);
            CHECK_NEAR(x[i], mean + 3.0 * y, 3e-4);
        }
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

/* The variance that the moves leave of an eigenvalue. */
static double variance_of(const move_list *l)
{
    double variance = l->start * l->start;
    for (int64_t j = 0; j < l->count; j++)
        variance = l->f[j] * l->f[j] * variance + l->c[j] * l->c[j];
    return variance;
}

/* Langevin steps of size h leave V/(1 - h/(4 V)) of a variance V (the fixed point of
 * the recursion), of which (1 - h/(2 V))^600 = 1e-13 is yet to come. */
TEST(langevin_steps_have_the_bias_of_their_size)
{
    sf_context *ctx = new_context();
    static move_list l;
    sf_model *m = correlated(ctx);
    const sf_sample_options *o = &methods_with_steps[5];
    const double low = sfi_lowest_level(m), v = 0.9 + low * low;
    list_moves(&l, m, 0.9, o);
    CHECK_CLOSE(variance_of(&l), v / (1.0 - o->step / (4.0 * v)), 1e-10);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Mean and covariance of N samples within five standard errors of what the moves
 * leave: their own bias is part of what is expected. */
static void check_moments(sf_context *ctx, const sf_sample_options *given)
{
    enum { N = 8000 };
    static move_list l;
    sf_model *m = correlated(ctx);
    sf_sample_options o = *given;
    o.size = sizeof o;
    double *x = malloc(N * 2 * sizeof *x), left[2];
    CHECK_OK(ctx, sf_sample(m, (sf_mat){x, N, 2, 2}, &o));
    /* Of [[1, r], [r, 1]]: 1 + r along (1, 1), 1 - r along (1, -1). */
    const double r = 1.2 / sqrt(4.0 * 0.5);
    for (int k = 0; k < 2; k++) {
        list_moves(&l, m, k == 0 ? 1.0 + r : 1.0 - r, &o);
        left[k] = variance_of(&l);
    }
    const double one = 0.5 * (left[0] + left[1]);
    const double cross = 0.5 * (left[0] - left[1]);
    double mean[2] = {0, 0}, C[3] = {0, 0, 0};
    for (int i = 0; i < N; i++)
        for (int j = 0; j < 2; j++)
            mean[j] += x[2 * i + j] / N;
    for (int i = 0; i < N; i++) {
        const double a = x[2 * i] - mean[0], b = x[2 * i + 1] - mean[1];
        C[0] += a * a / N;
        C[1] += a * b / N;
        C[2] += b * b / N;
    }
    const double error = 5.0 / sqrt(N);
    CHECK_NEAR(mean[0], 10.0, error * 2.0 * sqrt(one));
    CHECK_NEAR(mean[1], -3.0, error * sqrt(0.5 * one));
    CHECK_NEAR(C[0], 4.0 * one, error * sqrt(2.0) * 4.0 * one);
    CHECK_NEAR(C[2], 0.5 * one, error * sqrt(2.0) * 0.5 * one);
    CHECK_NEAR(C[1], sqrt(2.0) * cross,
               error * sqrt(2.0 * (one * one + cross * cross)));
    free(x);
    sf_model_free(m);
}

TEST(every_method_samples_the_gaussian)
{
    sf_context *ctx = new_context();
    for (size_t k = 0; k < SFI_COUNT(methods_with_steps); k++)
        check_moments(ctx, &methods_with_steps[k]);
    sf_context_free(ctx);
}

/* flow.h: what the defaults leave of a unit variance. */
TEST(the_bias_of_the_defaults_is_the_documented_one)
{
    static const double bias[] = {0.006, 0.0104, NAN, 0.008, 0.018};
    sf_context *ctx = new_context();
    static move_list l;
    sf_model *m = correlated(ctx);
    for (size_t k = 0; k < SFI_COUNT(bias); k++) {
        list_moves(&l, m, 1.0, &methods_with_steps[k]);
        if (!isnan(bias[k]))
            CHECK_NEAR(variance_of(&l) - 1.0, bias[k], 0.03 * bias[k]);
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

/* In units that are too large for a double, samples are too. */
TEST(samples_that_are_not_finite_are_an_error)
{
    sf_context *ctx = new_context();
    double x[64];
    sf_model *m = random_network(ctx, 2, false);
    m->scale[1] = 1.7e308;
    CHECK_FAILS(ctx, sf_sample(m, (sf_mat){x, 32, 2, 2}, NULL), SF_E_NUMERIC,
                "column \"c1\", whose mean is 1 and scale 1.7e+308");
    sf_model_free(m);
    sf_context_free(ctx);
}

/* A row's answers, codes and samples of its code: the same bits alone, among others,
 * and at another place among them, on any number of threads; of networks in single
 * and in double precision, and of data. */
TEST(a_row_of_a_flow_does_not_depend_on_the_others)
{
    sf_context *ctx = new_context();
    enum { N = 1500, D = 3, PLACE = 1234 };
    double *x = malloc(N * D * sizeof *x), *code = malloc(N * D * sizeof *x);
    double *logp = malloc(N * sizeof *logp), one[D], alone;
    sf_model *m = random_network(ctx, D, false);
    fill_points(x, N * D, 2.0);
    const sf_cmat row = {x + PLACE * D, 1, D, D};
    for (int k = 0; k < 3; k++) {
        sf_likelihood_options o = SF_LIKELIHOOD_OPTIONS_INIT;
        if (k == 1)
            o.rtol = o.atol = 1e-8;
        if (k == 2)
            o.exact_limit = 0;
        /* A probe belongs to the row's number. */
        const bool probes = k == 2;
        CHECK_OK(ctx, sf_context_set_threads(ctx, 1));
        CHECK_OK(ctx, sf_logpdf(m, (sf_cmat){x, N, D, D}, logp, NULL, &o));
        CHECK_OK(ctx, sf_encode(m, (sf_cmat){x, N, D, D},
                                (sf_mat){code, N, D, D}, &o));
        for (int threads = 1; threads <= 7; threads += 3) {
            CHECK_OK(ctx, sf_context_set_threads(ctx, threads));
            CHECK_OK(ctx, sf_logpdf(m, row, &alone, NULL, &o));
            CHECK(probes || alone == logp[PLACE]);
            CHECK_OK(ctx, sf_encode(m, row, (sf_mat){one, 1, D, D}, &o));
            CHECK(memcmp(one, code + PLACE * D, sizeof one) == 0);
        }
    }
    sf_model_free(m);
    free(logp);
    free(code);
    free(x);
    sf_context_free(ctx);
}

/* Weights of 1e38 make a flow that nobody can follow: it is said, for which row, at
 * once. */
TEST(a_hostile_network_is_given_up)
{
    sf_context *ctx = new_context();
    enum { N = 300, D = 2 };
    double x[N * D], logp[N];
    sf_model *m = random_network(ctx, D, false);
    fill_points(x, N * D, 1.0);
    for (int64_t i = 0; i < m->weight_count; i += 3)
        m->weights[i] = (i % 2 == 0 ? 1.0 : -1.0) * (double)1e38F;
    const sf_cmat table = {x, N, D, D};
    CHECK_FAILS(ctx, sf_logpdf(m, table, logp, NULL, NULL), SF_E_CONVERGE,
                "row ");
    CHECK(strstr(sf_context_message(ctx), "beyond time ") != NULL);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Heun's error on the rho grid falls with the square of the step. */
TEST(the_flow_sampler_is_of_second_order)
{
    sf_context *ctx = new_context();
    sf_model *m = random_network(ctx, 2, false);
    enum { N = 50 };
    double fine[N * 2], coarse[N * 2];
    double error[3];
    sf_sample_options o = SF_SAMPLE_OPTIONS_INIT;
    o.steps = 640;
    CHECK_OK(ctx, sf_sample(m, (sf_mat){fine, N, 2, 2}, &o));
    for (int k = 0; k < 3; k++) {
        o.steps = 10 << k;
        CHECK_OK(ctx, sf_sample(m, (sf_mat){coarse, N, 2, 2}, &o));
        error[k] = 0.0;
        for (int i = 0; i < N * 2; i++)
            error[k] += fabs(coarse[i] - fine[i]) / (N * 2);
    }
    const double order = log2(error[0] / error[2]) / 2.0;
    if (order < 1.7 || order > 2.6)
        fprintf(stderr, "errors %g %g %g\n", error[0], error[1], error[2]);
    CHECK(order > 1.7 && order < 2.6);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(a_row_depends_on_the_seed_and_its_number_alone)
{
    sf_context *ctx = new_context();
    sf_model *m = random_network(ctx, 2, false);
    enum { N = 100 };
    double all[N * 2], part[20];
    const sf_sampler methods[] = {SF_SAMPLER_FLOW, SF_SAMPLER_SDE,
                                  SF_SAMPLER_PC};
    for (size_t k = 0; k < SFI_COUNT(methods); k++) {
        sf_sample_options o = SF_SAMPLE_OPTIONS_INIT;
        o.method = methods[k];
        o.seed = 11;
        o.steps = 12;
        CHECK_OK(ctx, sf_context_set_threads(ctx, 1));
        CHECK_OK(ctx, sf_sample(m, (sf_mat){all, N, 2, 2}, &o));
        o.first = 57;
        CHECK_OK(ctx, sf_context_set_threads(ctx, 7));
        CHECK_OK(ctx, sf_sample(m, (sf_mat){part, 10, 2, 2}, &o));
        CHECK(memcmp(part, all + 57 * 2, sizeof part) == 0);
        o.seed = 12;
        CHECK_OK(ctx, sf_sample(m, (sf_mat){part, 10, 2, 2}, &o));
        CHECK(memcmp(part, all + 57 * 2, sizeof part) != 0);
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

/* An energy model's score is a gradient: its Jacobian is symmetric.  A plain
 * network's is not. */
TEST(the_score_of_an_energy_model_is_conservative)
{
    sf_context *ctx = new_context();
    enum { N = 20, D = 3 };
    double x[N * D], jacobian[N * D * D], asymmetry[2] = {0, 0};
    fill_points(x, N * D, 1.5);
    for (int energy = 0; energy < 2; energy++) {
        sf_model *m = random_network(ctx, D, energy == 1);
        const sf_model_values v = {.jacobian = {jacobian, N, D * D, D * D}};
        CHECK_OK(ctx, sf_model_eval(m, (sf_cmat){x, N, D, D}, 0.3, &v));
        for (int i = 0; i < N; i++)
            for (int a = 0; a < D; a++)
                for (int b = 0; b < D; b++)
                    asymmetry[energy] += fabs(jacobian[i * D * D + a * D + b] -
                                              jacobian[i * D * D + b * D + a]);
        sf_model_free(m);
    }
    CHECK(asymmetry[0] > 1e-3);
    CHECK(asymmetry[1] < 1e-12);
    sf_context_free(ctx);
}

/* The trace begins at the start, ends at the sample, and is in data units. */
TEST(a_trace_holds_every_level)
{
    sf_context *ctx = new_context();
    sf_model *m = correlated(ctx);
    enum { N = 9, STEPS = 18 };
    double x[N * 2];
    float trace[(STEPS + 1) * N * 2];
    sf_sample_options o = SF_SAMPLE_OPTIONS_INIT;
    o.steps = STEPS;
    o.trace = trace;
    CHECK_OK(ctx, sf_sample(m, (sf_mat){x, N, 2, 2}, &o));
    for (int i = 0; i < N * 2; i++)
        CHECK_NEAR(trace[STEPS * N * 2 + i], x[i], 1e-5 * (1 + fabs(x[i])));
    const double start =
        sfi_normal_at((sfi_where){0, 4, 0, SFI_STREAM_PRIOR}, 1);
    CHECK_NEAR(trace[4 * 2 + 1], -3.0 + sqrt(0.5) * sqrt(6401.0) * start, 1e-3);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(mistakes_are_explained)
{
    sf_context *ctx = new_context();
    sf_model *m = correlated(ctx);
    double x[4] = {1, 2, 3, NAN}, l[2];
    sf_sample_options o = SF_SAMPLE_OPTIONS_INIT;
    o.step = 5.0;
    CHECK_FAILS(ctx, sf_sample(m, (sf_mat){x, 2, 2, 2}, &o), SF_E_ARG,
                "step is 5");
    CHECK_FAILS(ctx, sf_sample(m, (sf_mat){x, 1, 3, 3}, NULL), SF_E_SHAPE,
                "[1, 3]");
    CHECK_FAILS(ctx, sf_logpdf(m, (sf_cmat){x, 2, 2, 2}, l, NULL, NULL),
                SF_E_NUMERIC, "finite");
    CHECK_FAILS(ctx, sf_logpdf(m, (sf_cmat){x, 1, 1, 1}, l, NULL, NULL),
                SF_E_SHAPE, "1 columns");
    const sf_model_values v = {.score = {l, 1, 2, 2}};
    CHECK_FAILS(ctx, sf_model_eval(m, (sf_cmat){x, 1, 2, 2}, 1.5, &v), SF_E_ARG,
                "time is 1.5");
    sf_model_free(m);
    sf_context_free(ctx);
}

TESTS(CASE(the_likelihood_along_the_flow_is_the_closed_form_of_a_gaussian),
      CASE(the_stochastic_trace_agrees_within_its_standard_error),
      CASE(the_density_of_a_network_integrates_to_one),
      CASE(decode_undoes_encode),
      CASE(the_code_of_a_gaussian_is_the_standardised_point),
      CASE(every_method_moves_as_it_says),
      CASE(langevin_steps_have_the_bias_of_their_size),
      CASE(every_method_samples_the_gaussian),
      CASE(the_bias_of_the_defaults_is_the_documented_one),
      CASE(samples_that_are_not_finite_are_an_error),
      CASE(a_row_of_a_flow_does_not_depend_on_the_others),
      CASE(a_hostile_network_is_given_up),
      CASE(the_flow_sampler_is_of_second_order),
      CASE(a_row_depends_on_the_seed_and_its_number_alone),
      CASE(the_score_of_an_energy_model_is_conservative),
      CASE(a_trace_holds_every_level), CASE(mistakes_are_explained))
