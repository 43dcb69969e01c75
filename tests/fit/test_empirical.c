/* SPDX-License-Identifier: Apache-2.0 */
/* test_empirical.c - the exact law of a data set under noise.
 *
 * Oracles C1, C5, C6, C16, C19-C22: 40-digit numbers of independent code, which
 * says p_t, its score, Jacobian, velocity and divergence for three data of
 * weights .2, .5, .3 (C1), and where the flow carries quantiles (C19-C21). */
#include "check.h"
#include "scorefield/fit.h"
#include "scorefield/flow.h"

static const double weight[] = {0.2, 0.5, 0.3};

static sf_model *model_of(sf_context *ctx, const char *kernel, double time,
                          int64_t rows, int64_t cols, const double *data,
                          const double *weights)
{
    sf_model *m = NULL;
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    o.kernel = kernel;
    o.bandwidth = SF_BANDWIDTH_FIXED;
    o.time = time;
    o.weights = weights;
    CHECK_OK(ctx, sf_fit_empirical(ctx, &m, (sf_cmat){data, rows, cols, cols},
                                   NULL, &o, NULL));
    return m;
}

typedef struct oracle {
    const char *kernel;
    double data[3], x;
    double want[5]; /* ln p, score, Jacobian, velocity, divergence at t = .4 */
} oracle;

static const oracle oracles[] = {
    {"gaussian:path=linear,sigma=1",
     {-1.0, 0.5, 2.0},
     0.3,
     {-0.6192418862507222, 0.08290830341930452, -3.925077753107928,
      -0.5552722022795363, 0.9500518354052853}},
    {"gamma:shape=1,mean=1.5",
     {0.3, 1.2, 4.0},
     0.9,
     {-0.5392168507222991, 0.0130128591239147, -3.7225489556441405,
      -0.08104185940166728, 0.47978232760136674}},
    {"beta:concentration=2,mean=0.5",
     {1.0 / 7, 3.0 / 7, 5.0 / 7},
     0.4,
     {0.6437055721471844, 1.4807206458609161, -20.948865320409986,
      -0.014576839333900905, 0.5483263106634745}},
    {"lognormal:path=linear,sigma=1",
     {0.3, 1.2, 4.0},
     0.9,
     {-0.5646966435606204, -0.11641245922296321, -2.929412038990482,
      -0.3790964985328604, -0.4361550217812065}},
    {"laplace:path=linear,scale=1",
     {-1.0, 0.5, 2.0},
     0.35,
     {-0.47867866960643396, -2.138579316539342, 1.6764785068701213,
      -0.5053281569468121, 1.1917757285804167}},
    {"student:nu=3,path=linear,scale=1",
     {-1.0, 0.5, 2.0},
     0.35,
     {-0.6524494603781769, -0.24036643392302454, -5.981172300040928,
      -0.5317608985636066, 1.1295634598807442}},
    {"vonmises:kappa=1",
     {-2.0, 0.3, 1.5},
     0.9,
     {-1.2567149997158515, -0.7411035757792674, 3.9053052521430556,
      0.4925957787663146, -1.9341638222803124}},
    {"wrappedcauchy",
     {-2.0, 0.3, 1.5},
     0.9,
     {-1.476028333193558, -0.446151985345538, 3.7175292846954293,
      0.4519473235617381, -0.5409703778008655}}};

TEST(all_that_is_asked_at_a_point_is_exact_for_every_kernel)
{
    sf_context *ctx = new_context();
    for (size_t k = 0; k < SFI_COUNT(oracles); k++) {
        const oracle *o = &oracles[k];
        sf_model *m = model_of(ctx, o->kernel, 0.01, 3, 1, o->data, weight);
        double got[5];
        const sf_cmat x = {&o->x, 1, 1, 1};
        const sf_model_values values = {.score = {&got[1], 1, 1, 1},
                                        .jacobian = {&got[2], 1, 1, 1},
                                        .velocity = {&got[3], 1, 1, 1},
                                        .divergence = {&got[4], 1, 1, 1}};
        sf_likelihood_options l = SF_LIKELIHOOD_OPTIONS_INIT;
        l.time = 0.4;
        CHECK_OK(ctx, sf_model_eval(m, x, 0.4, &values));
        CHECK_OK(ctx, sf_logpdf(m, x, &got[0], NULL, &l));
        for (int i = 0; i < 5; i++)
            CHECK_CLOSE(got[i], o->want[i], 1e-10);
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

/* Oracle C22: the posterior couples columns of different kinds. */
TEST(a_product_of_kernels_couples_its_columns)
{
    static const double data[] = {0.3, 0.8, 1.2, 0.2, 4.0, 0.6, 2.0, 0.9};
    static const double weights[] = {0.4, 0.3, 0.2, 0.1}, x[] = {0.9, 0.4};
    static const double jacobian[] = {-4.356368801077969, -9.847713885337493,
                                      -9.847713885337493, 20.692520922404146};
    sf_context *ctx = new_context();
    sf_model *m = model_of(
        ctx, "c0=gamma:shape=1,mean=1.5; c1 = beta:concentration=2,mean=0.5",
        0.01, 4, 2, data, weights);
    double score[2], velocity[2], jac[4], divergence, logp;
    const sf_model_values values = {.score = {score, 1, 2, 2},
                                    .jacobian = {jac, 1, 4, 4},
                                    .velocity = {velocity, 1, 2, 2},
                                    .divergence = {&divergence, 1, 1, 1}};
    sf_likelihood_options l = SF_LIKELIHOOD_OPTIONS_INIT;
    l.time = 0.4;
    CHECK_OK(ctx, sf_model_eval(m, (sf_cmat){x, 1, 2, 2}, 0.4, &values));
    CHECK_OK(ctx, sf_logpdf(m, (sf_cmat){x, 1, 2, 2}, &logp, NULL, &l));
    CHECK_CLOSE(logp, -0.4149471031728352, 1e-10);
    CHECK_CLOSE(score[0], 0.42426239029826085, 1e-10);
    CHECK_CLOSE(score[1], -0.3723037411239642, 1e-10);
    CHECK_CLOSE(velocity[0], -0.3858459244990761, 1e-10);
    CHECK_CLOSE(velocity[1], 0.14443972539425173, 1e-10);
    CHECK_CLOSE(divergence, -1.9661819673297738, 1e-10);
    for (int i = 0; i < 4; i++)
        CHECK_CLOSE(jac[i], jacobian[i], 1e-10);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Oracles C5, C6 and C16. */
TEST(known_relations_of_denoisers_hold)
{
    sf_context *ctx = new_context();
    static const double two[] = {-1.0, 1.0}, three[] = {-1.0, 0.5, 2.0},
                        positive[] = {0.3, 1.2, 4.0};
    double x = 0.8, score, velocity, denoised, jacobian, logp;
    sf_model *m =
        model_of(ctx, "gaussian:path=ve,sigma=1", 0.01, 2, 1, two, NULL);
    const sf_model_values values = {.score = {&score, 1, 1, 1},
                                    .velocity = {&velocity, 1, 1, 1},
                                    .denoised = {&denoised, 1, 1, 1},
                                    .jacobian = {&jacobian, 1, 1, 1}};
    CHECK_OK(ctx, sf_model_eval(m, (sf_cmat){&x, 1, 1, 1}, 0.5, &values));
    CHECK_CLOSE(score, 0.7867295913586047, 1e-10);
    CHECK_CLOSE(velocity, -0.3933647956793023, 1e-10);
    sf_model_free(m);

    m = model_of(ctx, "gaussian:path=ve,sigma=1", 0.01, 3, 1, three, weight);
    x = 0.3;
    CHECK_OK(ctx, sf_model_eval(m, (sf_cmat){&x, 1, 1, 1}, 0.7, &values));
    CHECK_CLOSE(denoised, 0.4437264321460841, 1e-10);
    CHECK_CLOSE(1.0 + 0.49 * jacobian, 0.43745494073071634, 1e-10);
    sf_model_free(m);

    m = model_of(ctx, "lognormal:path=ve,sigma=1", 0.01, 3, 1, positive,
                 weight);
    x = 0.9;
    sf_likelihood_options l = SF_LIKELIHOOD_OPTIONS_INIT;
    l.time = 0.5;
    CHECK_OK(ctx, sf_model_eval(m, (sf_cmat){&x, 1, 1, 1}, 0.5, &values));
    CHECK_OK(ctx, sf_logpdf(m, (sf_cmat){&x, 1, 1, 1}, &logp, NULL, &l));
    CHECK_CLOSE(denoised, 1.1858588586328405, 1e-10);
    CHECK_CLOSE(exp(logp), 0.3946178679307645, 1e-10);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Oracles C19 and C20: rows of where a walker is at t = 1 and at t = 0.1. */
static void check_ends(const char *kernel, const double *data,
                       const double rows[][2], int64_t count)
{
    sf_context *ctx = new_context();
    sf_model *m = model_of(ctx, kernel, 0.1, 3, 1, data, weight);
    sf_likelihood_options o = SF_LIKELIHOOD_OPTIONS_INIT;
    double code[8], x[8], back[8];
    o.rtol = o.atol = 1e-12;
    for (int64_t i = 0; i < count; i++)
        code[i] = rows[i][0];
    CHECK_OK(ctx, sf_decode(m, (sf_cmat){code, count, 1, 1},
                            (sf_mat){x, count, 1, 1}, &o));
    CHECK_OK(ctx, sf_encode(m, (sf_cmat){x, count, 1, 1},
                            (sf_mat){back, count, 1, 1}, &o));
    for (int64_t i = 0; i < count; i++) {
        CHECK_CLOSE(x[i], rows[i][1], 1e-8);
        CHECK_CLOSE(back[i], code[i], 1e-7);
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(the_flow_carries_quantiles_to_quantiles)
{
    static const double positive[] = {0.3, 1.2, 4.0};
    static const double gamma[][2] = {{0.15804077348673945, 0.4186008326611251},
                                      {0.6461743741386814, 1.162648882114233},
                                      {1.039720770839918, 1.2572671493044687},
                                      {1.3744360978112327, 1.3321440169138736},
                                      {3.4538776394910684, 3.901042686871198}};
    static const double shares[] = {1.0 / 7, 3.0 / 7, 5.0 / 7};
    static const double beta[][2] = {{0.1, 0.17749877534754743},
                                     {0.35, 0.4171568944728078},
                                     {0.5, 0.44440606489762796},
                                     {0.6, 0.46516997518114095},
                                     {0.9, 0.7074361991140318}};
    check_ends("gamma:shape=1,mean=1.5", positive, gamma, SFI_COUNT(gamma));
    check_ends("beta:concentration=2,mean=0.5", shares, beta, SFI_COUNT(beta));
}

/* ln p by the change of variables along the flow is ln p of the mixture. */
TEST(likelihood_by_the_flow_is_the_direct_one)
{
    sf_context *ctx = new_context();
    for (size_t k = 0; k < SFI_COUNT(oracles); k++) {
        const oracle *o = &oracles[k];
        sf_model *m = model_of(ctx, o->kernel, 0.1, 3, 1, o->data, weight);
        sf_likelihood_options l = SF_LIKELIHOOD_OPTIONS_INIT;
        const double x[] = {o->data[0] * 1.03, o->x, o->data[1] * 0.96};
        const bool kinked = strncmp(o->kernel, "laplace", 7) == 0;
        double direct[3], flown[3];
        l.rtol = l.atol = kinked ? 1e-7 : 1e-9;
        CHECK_OK(ctx, sf_logpdf(m, (sf_cmat){x, 3, 1, 1}, direct, NULL, &l));
        l.force_flow = true;
        CHECK_OK(ctx, sf_logpdf(m, (sf_cmat){x, 3, 1, 1}, flown, NULL, &l));
        for (int i = 0; i < 3; i++)
            CHECK_NEAR(flown[i], direct[i], kinked ? 1e-4 : 1e-6);
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

/* Which datum a draw is nearest to, angles modulo a turn. */
static int nearest(const oracle *o, double x)
{
    const bool angle = o->kernel[0] == 'v' || o->kernel[0] == 'w';
    int best = 0;
    double least = INFINITY;
    for (int j = 0; j < 3; j++) {
        double gap = x - o->data[j];
        if (angle)
            gap = remainder(gap, 6.283185307179586);
        if (fabs(gap) < least) {
            least = fabs(gap);
            best = j;
        }
    }
    return best;
}

/* The masses .2, .5, .3 come back by every method and every kernel.  At t = .03
 * the heavy tails of the wrapped Cauchy, Student and Laplace kernels put a few
 * percent nearer to another datum, which direct draws show as well: so methods
 * are compared with the exact masses at t = .03, from direct draws. */
TEST(every_method_brings_the_masses_back)
{
    enum { N = 1500 };
    static const sf_sampler methods[] = {
        SF_SAMPLER_DIRECT, SF_SAMPLER_STRATIFIED, SF_SAMPLER_POSTERIOR,
        SF_SAMPLER_FLOW,   SF_SAMPLER_SDE,        SF_SAMPLER_PC};
    static double x[N];
    sf_context *ctx = new_context();
    for (size_t k = 0; k < SFI_COUNT(oracles); k++) {
        const oracle *o = &oracles[k];
        /* As rows, so that stratified draws know them. */
        const double rows[] = {o->data[0], o->data[0], o->data[1], o->data[1],
                               o->data[1], o->data[1], o->data[1], o->data[2],
                               o->data[2], o->data[2]};
        sf_model *m = model_of(ctx, o->kernel, 0.03, 10, 1, rows, NULL);
        double exact[3] = {0};
        for (size_t k2 = 0; k2 < SFI_COUNT(methods); k2++) {
            sf_sample_options s = SF_SAMPLE_OPTIONS_INIT;
            double mass[3] = {0};
            s.method = methods[k2];
            s.seed = 11 + k2;
            s.steps = s.method == SF_SAMPLER_POSTERIOR ? 5
                      : s.method == SF_SAMPLER_PC      ? 60
                                                       : 24;
            CHECK_OK(ctx, sf_sample(m, (sf_mat){x, N, 1, 1}, &s));
            for (int i = 0; i < N; i++)
                mass[nearest(o, x[i])] += 1.0 / N;
            for (int j = 0; j < 3; j++) {
                const double p = weight[j];
                const double se = sqrt(p * (1.0 - p) / N);
                if (s.method == SF_SAMPLER_DIRECT)
                    exact[j] = mass[j];
                /* 4 standard errors of a difference; PC and SDE have a bias. */
                CHECK_NEAR(mass[j], exact[j],
                           4.0 * sqrt(2.0) * se +
                               (s.method == SF_SAMPLER_PC ? 0.02 : 0.0));
                CHECK_NEAR(mass[j], p, 4.0 * se + 0.03);
            }
        }
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

/* Samples of one number are the same whatever the number drawn. */
TEST(a_row_is_a_function_of_its_number)
{
    static const sf_sampler methods[] = {
        SF_SAMPLER_FLOW, SF_SAMPLER_SDE, SF_SAMPLER_DIRECT,
        SF_SAMPLER_STRATIFIED, SF_SAMPLER_POSTERIOR};
    enum { N = 300 };
    static double data[2 * N], all[2 * N], some[2 * N];
    sf_context *ctx = new_context();
    for (int i = 0; i < 2 * N; i++)
        data[i] = sin(12.9898 * i + 1.0) + (i % 2);
    for (int gaussian = 0; gaussian < 2; gaussian++) {
        sf_model *m =
            model_of(ctx,
                     gaussian ? "gaussian:path=vp,sigma=1"
                              : "c0=gaussian:path=vp,sigma=1; c1=student",
                     0.1, N, 2, data, NULL);
        for (size_t k = 0; k < SFI_COUNT(methods); k++) {
            sf_sample_options s = SF_SAMPLE_OPTIONS_INIT;
            s.method = methods[k];
            s.steps = k > 1 ? 0 : 8;
            CHECK_OK(ctx, sf_sample(m, (sf_mat){all, N, 2, 2}, &s));
            s.first = 17;
            CHECK_OK(ctx, sf_sample(m, (sf_mat){some, 3, 2, 2}, &s));
            assert_memory_equal(some, all + 2 * 17, 6 * sizeof *some);
        }
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

/* ---- bandwidths ---------------------------------------------------------------- */

static double pseudo_normal(int i)
{
    const double u = fmod(0.5 + 0.6180339887498949 * (i + 1), 1.0);
    const double v = fmod(0.5 + 0.7548776662466927 * (i + 1), 1.0);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

/* The leave-one-out mean at h, the plain way. */
static double loo_of(const double *x, int n, double h)
{
    double mean = 0.0;
    for (int i = 0; i < n; i++) {
        double sum = 0.0;
        for (int j = 0; j < n; j++)
            if (j != i)
                sum += exp(-0.5 * (x[i] - x[j]) * (x[i] - x[j]) / (h * h));
        mean += log(sum / ((n - 1) * h * 2.5066282746310002)) / n;
    }
    return mean;
}

TEST(leave_one_out_finds_the_best_bandwidth)
{
    enum { N = 150 };
    double x[N];
    sf_context *ctx = new_context();
    for (int i = 0; i < N; i++)
        x[i] = pseudo_normal(i);
    sf_model *m = NULL;
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    sf_empirical_report r;
    o.kernel = "gaussian:path=ve,sigma=1";
    CHECK_OK(ctx,
             sf_fit_empirical(ctx, &m, (sf_cmat){x, N, 1, 1}, NULL, &o, &r));
    const double best = loo_of(x, N, r.time_least);
    CHECK_NEAR(r.loo, best, 1e-9);
    CHECK(best >= loo_of(x, N, 1.02 * r.time_least));
    CHECK(best >= loo_of(x, N, 0.98 * r.time_least));
    CHECK(r.loo_rows == N && r.copies == 0 && r.neighbours == 0);
    sf_model_free(m);

    /* In other units: what is scaled by the data does not change, and ln p moves
     * by the logarithm of the unit. */
    double y[N];
    sf_empirical_report first, second;
    o.kernel = NULL;
    CHECK_OK(ctx, sf_fit_empirical(ctx, &m, (sf_cmat){x, N, 1, 1}, NULL, &o,
                                   &first));
    sf_model_free(m);
    for (int i = 0; i < N; i++)
        y[i] = 1000.0 * x[i] - 7.0;
    CHECK_OK(ctx, sf_fit_empirical(ctx, &m, (sf_cmat){y, N, 1, 1}, NULL, &o,
                                   &second));
    CHECK_CLOSE(second.time_least, first.time_least, 1e-6);
    CHECK_NEAR(second.loo, first.loo - log(1000.0), 1e-6);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(copies_are_left_out_together)
{
    enum { N = 60 };
    double x[3 * N];
    sf_context *ctx = new_context();
    for (int i = 0; i < 3 * N; i++)
        x[i] = pseudo_normal(i % N);
    sf_model *m = NULL;
    sf_empirical_report once, thrice;
    CHECK_OK(ctx, sf_fit_empirical(ctx, &m, (sf_cmat){x, N, 1, 1}, NULL, NULL,
                                   &once));
    sf_model_free(m);
    CHECK_OK(ctx, sf_fit_empirical(ctx, &m, (sf_cmat){x, 3 * N, 1, 1}, NULL,
                                   NULL, &thrice));
    CHECK(once.copies == 0 && thrice.copies == 2 * N);
    CHECK_CLOSE(thrice.time_least, once.time_least, 1e-6);
    CHECK_CLOSE(thrice.loo, once.loo, 1e-6);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* A dense clump and a wide one: a time for each row does better. */
TEST(adaptive_times_follow_the_density)
{
    enum { N = 400 };
    double x[N];
    sf_context *ctx = new_context();
    for (int i = 0; i < N; i++)
        x[i] = i % 2 ? 5.0 + 0.02 * pseudo_normal(i) : 2.0 * pseudo_normal(i);
    sf_model *m = NULL;
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    sf_empirical_report one, each;
    o.kernel = "gaussian:path=ve,sigma=4";
    CHECK_OK(ctx,
             sf_fit_empirical(ctx, &m, (sf_cmat){x, N, 1, 1}, NULL, &o, &one));
    sf_model_free(m);
    o.bandwidth = SF_BANDWIDTH_ADAPTIVE;
    CHECK_OK(ctx,
             sf_fit_empirical(ctx, &m, (sf_cmat){x, N, 1, 1}, NULL, &o, &each));
    CHECK(each.loo > one.loo + 0.15);
    CHECK(each.neighbours >= 4);
    CHECK(each.time_most > 20.0 * each.time_least);
    /* Its flow is still the flow of its law. */
    sf_likelihood_options l = SF_LIKELIHOOD_OPTIONS_INIT;
    const double at[] = {-1.0, 4.97, 5.02, 6.0};
    double direct[4], flown[4];
    l.rtol = l.atol = 1e-7;
    CHECK_OK(ctx, sf_logpdf(m, (sf_cmat){at, 4, 1, 1}, direct, NULL, &l));
    l.force_flow = true;
    CHECK_OK(ctx, sf_logpdf(m, (sf_cmat){at, 4, 1, 1}, flown, NULL, &l));
    for (int i = 0; i < 4; i++)
        CHECK_NEAR(flown[i], direct[i], 1e-4);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* ---- units and errors ----------------------------------------------------------- */

TEST(kernels_come_from_columns_and_say_their_numbers)
{
    enum { N = 100 };
    double x[3 * N];
    char text[SF_KERNEL_TEXT];
    sf_context *ctx = new_context();
    for (int i = 0; i < N; i++) {
        x[3 * i] = 40.0 + pseudo_normal(i);
        x[3 * i + 1] = exp(pseudo_normal(i + 7));
        x[3 * i + 2] = 1.0 / (1.0 + exp(pseudo_normal(i + 31)));
    }
    sf_model *m = NULL;
    CHECK_OK(ctx, sf_fit_empirical(ctx, &m, (sf_cmat){x, N, 3, 3}, NULL, NULL,
                                   NULL));
    sf_model_kernel(m, 0, text);
    assert_string_equal(text, "gaussian:path=vp,sigma=1");
    sf_model_kernel(m, 1, text);
    CHECK(strncmp(text, "lognormal:path=vp,sigma=", 24) == 0);
    sf_model_kernel(m, 2, text);
    CHECK(strncmp(text, "beta:concentration=", 19) == 0);
    double mean, scale;
    sf_model_unit(m, 0, &mean, &scale);
    CHECK_NEAR(mean, 40.0, 0.2);
    CHECK_NEAR(scale, 1.0, 0.2);
    sf_model_unit(m, 1, &mean, &scale);
    CHECK(mean == 0.0);
    CHECK_NEAR(scale, 1.0, 0.3);
    sf_model_kernel(m, 3, text);
    assert_string_equal(text, "");
    sf_model_free(m);
    sf_context_free(ctx);
}

static void refuse(const char *kernel, double bad, sf_status status,
                   const char *part)
{
    sf_context *ctx = new_context();
    sf_model *m = NULL;
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    const double x[] = {0.2, 0.3, 0.4, bad};
    o.kernel = kernel;
    CHECK_FAILS(
        ctx, sf_fit_empirical(ctx, &m, (sf_cmat){x, 4, 1, 1}, NULL, &o, NULL),
        status, part);
    CHECK(m == NULL);
    sf_context_free(ctx);
}

TEST(bad_input_is_refused_and_named)
{
    refuse("gamma", 0.0, SF_E_NUMERIC,
           "row 4, column \"c0\": 0, and kernel gamma wants a value > 0");
    refuse("lognormal", -1.0, SF_E_NUMERIC, "wants a value > 0");
    refuse("beta", 1.0, SF_E_NUMERIC, "between 0 and 1");
    refuse("gaussian", INFINITY, SF_E_NUMERIC, "row 4, column \"c0\"");
    refuse("gauss", 0.5, SF_E_ARG, "want one of");
    refuse("c1=gamma", 0.5, SF_E_ARG, "c1=gamma");
    refuse("c0=gamma; c0=gamma", 0.5, SF_E_ARG, "named twice");
    refuse(" ; ", 0.5, SF_E_ARG, "");

    sf_context *ctx = new_context();
    sf_model *m = NULL;
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    double x[] = {0.2, 0.3}, w[] = {1.0, -1.0}, out;
    const sf_cmat data = {x, 2, 1, 1};
    o.weights = w;
    CHECK_FAILS(ctx, sf_fit_empirical(ctx, &m, data, NULL, &o, NULL),
                SF_E_NUMERIC, "weight of row 2");
    w[0] = w[1] = 0.0;
    CHECK_FAILS(ctx, sf_fit_empirical(ctx, &m, data, NULL, &o, NULL), SF_E_ARG,
                "all weights are 0");
    o.weights = NULL;
    o.bandwidth = SF_BANDWIDTH_FIXED;
    o.time = 0.0;
    CHECK_FAILS(ctx, sf_fit_empirical(ctx, &m, data, NULL, &o, NULL), SF_E_ARG,
                "time is 0");
    o.bandwidth = SF_BANDWIDTH_LOO;
    x[1] = x[0];
    o.kernel = "gaussian:path=ve";
    CHECK_FAILS(ctx, sf_fit_empirical(ctx, &m, data, NULL, &o, NULL), SF_E_ARG,
                "copies of one");
    o.kernel = "gaussian";
    CHECK_FAILS(ctx, sf_fit_empirical(ctx, &m, data, NULL, &o, NULL),
                SF_E_NUMERIC, "no spread");
    x[1] = 0.7;
    o.kernel = "gamma";
    CHECK_OK(ctx, sf_fit_empirical(ctx, &m, data, NULL, &o, NULL));
    x[0] = -1.0;
    CHECK_OK(ctx, sf_logpdf(m, (sf_cmat){x, 1, 1, 1}, &out, NULL, NULL));
    CHECK(out == -INFINITY);
    sf_model_free(m);
    sf_context_free(ctx);
}

TESTS(CASE(all_that_is_asked_at_a_point_is_exact_for_every_kernel),
      CASE(a_product_of_kernels_couples_its_columns),
      CASE(known_relations_of_denoisers_hold),
      CASE(the_flow_carries_quantiles_to_quantiles),
      CASE(likelihood_by_the_flow_is_the_direct_one),
      CASE(every_method_brings_the_masses_back),
      CASE(a_row_is_a_function_of_its_number),
      CASE(leave_one_out_finds_the_best_bandwidth),
      CASE(copies_are_left_out_together),
      CASE(adaptive_times_follow_the_density),
      CASE(kernels_come_from_columns_and_say_their_numbers),
      CASE(bad_input_is_refused_and_named))
