/* SPDX-License-Identifier: Apache-2.0 */
/* test_counts.c - the exact law of counts under noise.
 *
 * Oracles C8 and C9: independent numbers for the data 0, 2, 7, 15 of weights .3,
 * .3, .25, .15 when 0.6 of every count is left. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include "faults.h"
#include "model/model.h"
#include "scorefield/fit.h"
#include "scorefield/flow.h"
#include "scorefield/store.h"

#include <unistd.h>

enum { DATA = 4 };

static const double data[DATA] = {0.0, 2.0, 7.0, 15.0};
static const double weight[DATA] = {0.3, 0.3, 0.25, 0.15};

static sf_model *model_of(sf_context *ctx, const char *kernel, double time,
                          sf_cmat rows, const double *weights)
{
    sf_model *m = NULL;
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    o.kernel = kernel;
    o.bandwidth = SF_BANDWIDTH_FIXED;
    o.time = time;
    o.weights = weights;
    CHECK_OK(ctx, sf_fit_empirical(ctx, &m, rows, NULL, &o, NULL));
    return m;
}

static sf_model *of_four(sf_context *ctx, const char *kernel)
{
    return model_of(ctx, kernel, 1e-3, (sf_cmat){data, DATA, 1, 1}, weight);
}

static double log_mass(sf_context *ctx, const sf_model *m, sf_cmat x,
                       double time)
{
    double logp;
    sf_likelihood_options l = SF_LIKELIHOOD_OPTIONS_INIT;
    l.time = time;
    CHECK_OK(ctx, sf_logpdf(m, x, &logp, NULL, &l));
    return logp;
}

/* p_t(x) at x = 0..count-1. */
static void masses(sf_context *ctx, const sf_model *m, double time,
                   int64_t count, double *p)
{
    double x[80];
    sf_likelihood_options l = SF_LIKELIHOOD_OPTIONS_INIT;
    l.time = time;
    for (int64_t i = 0; i < count; i++)
        x[i] = (double)i;
    CHECK_OK(ctx, sf_logpdf(m, (sf_cmat){x, count, 1, 1}, p, NULL, &l));
    for (int64_t i = 0; i < count; i++)
        p[i] = exp(p[i]);
}

typedef struct oracle {
    const char *kernel;
    double x, p, clean, birth, death, ratio, post[DATA];
} oracle;

/* C9 says no death rate and no ratio: x/(1 - t), and b (1 - t)/(x + 1). */
static const oracle oracles[] = {
    {"poisson",
     0,
     0.3941256692493931,
     0.5258131474588582,
     0.5258131474588582,
     0.0,
     0.3154878884753149,
     {0.761178536204825, 0.22926256933669584, 0.009511926011465187,
      4.696844701401148e-05}},
    {"poisson",
     3,
     0.07456366923350867,
     5.496281751383476,
     5.496281751383476,
     5.0,
     0.8244422627075214,
     {0.0, 0.34900616046292326, 0.6208297703248152, 0.030164069212261578}},
    {"poisson",
     8,
     0.028775769205538274,
     12.49276673800273,
     12.49276673800273,
     13.333333333333332,
     0.8328511158668487,
     {0.0, 0.00033486547976672244, 0.3128600013450379, 0.6868051331751954}},
    {"binomial",
     0,
     0.3484097610612736,
     0.2837739551783572,
     0.709434887945893,
     0.0,
     0.709434887945893 * 0.6,
     {0.8610550952596304, 0.13776881524154086, 0.001175627223394482,
      4.6227543427428466e-07}},
    {"binomial",
     3,
     0.048631329718272,
     7.040686482513197,
     10.101716206282992,
     5.0,
     10.101716206282992 * 0.6 / 4.0,
     {0.0, 0.0, 0.9949141896858503, 0.005085810314149647}},
    {"binomial",
     8,
     0.026562549252096,
     15.0,
     17.5,
     13.333333333333332,
     17.5 * 0.6 / 9.0,
     {0.0, 0.0, 0.0, 1.0}}};

TEST(all_that_is_asked_of_counts_is_exact)
{
    sf_context *ctx = new_context();
    for (size_t k = 0; k < SFI_COUNT(oracles); k++) {
        const oracle *o = &oracles[k];
        sf_model *m = of_four(ctx, o->kernel);
        const sf_cmat x = {&o->x, 1, 1, 1};
        double clean, birth, death, ratio;
        const sf_model_values values = {.denoised = {&clean, 1, 1, 1}};
        CHECK_CLOSE(exp(log_mass(ctx, m, x, 0.4)), o->p, 1e-12);
        CHECK_OK(ctx, sf_model_eval(m, x, 0.4, &values));
        CHECK_OK(ctx, sf_model_rates(m, x, 0.4, (sf_mat){&birth, 1, 1, 1},
                                     (sf_mat){&death, 1, 1, 1},
                                     (sf_mat){&ratio, 1, 1, 1}));
        CHECK_CLOSE(clean, o->clean, 1e-12);
        CHECK_CLOSE(birth, o->birth, 1e-12);
        CHECK_NEAR(death, o->death, 1e-12);
        CHECK_CLOSE(ratio, o->ratio, 1e-12);

        sfi_mixture *p = NULL;
        int64_t datum[DATA];
        double post[DATA], all[DATA] = {0};
        const sfi_mixture_want want = {
            .most = DATA, .datum = datum, .weight = post};
        CHECK_OK(ctx, m->ops->mixture(m, &p, SFI_VELOCITY_EXACT, false));
        CHECK_OK(ctx, sfi_mixture_run(p, x, 0.4, &want));
        for (int i = 0; i < DATA; i++)
            if (datum[i] >= 0)
                all[datum[i]] = post[i];
        for (int i = 0; i < DATA; i++)
            CHECK_NEAR(all[i], o->post[i], 1e-12);
        sfi_mixture_free(p);
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

/* Both laws end at 15 + 50 or long before it; at t = 1 all of it is at 0. */
TEST(masses_sum_to_one_at_every_time)
{
    sf_context *ctx = new_context();
    static const char *const kernels[] = {"poisson", "poisson:scale=0.5",
                                          "binomial"};
    static const double times[] = {0.0, 0.001, 0.4, 0.97, 1.0};
    for (size_t k = 0; k < SFI_COUNT(kernels); k++) {
        sf_model *m = of_four(ctx, kernels[k]);
        for (size_t i = 0; i < SFI_COUNT(times); i++) {
            double sum = 0.0, p[80];
            masses(ctx, m, times[i], 80, p);
            for (int x = 0; x < 80; x++)
                sum += p[x];
            CHECK_NEAR(sum, 1.0, 1e-12);
        }
        CHECK(log_mass(ctx, m, (sf_cmat){(double[]){0}, 1, 1, 1}, 1.0) == 0.0);
        CHECK(log_mass(ctx, m, (sf_cmat){(double[]){1}, 1, 1, 1}, 1.0) ==
              -INFINITY);
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

/* ---- the master equation -------------------------------------------------------- */

enum { STATES = 64 };

/* The masses p and how they change with time by the rates: forward by deaths,
 * backward by births (dp/dt is then minus what births do). */
static void change(sf_context *ctx, const sf_model *m, double time,
                   bool backward, const double *p, double *out)
{
    double rate[STATES], x[STATES];
    int64_t states = 0; /* where there is mass: 0 to the largest count */
    while (states < STATES && p[states] > 0.0) {
        x[states] = (double)states;
        states++;
    }
    const sf_mat to = {rate, states, 1, 1}, none = {0};
    CHECK_OK(ctx,
             sf_model_rates(m, (sf_cmat){x, states, 1, 1}, time,
                            backward ? to : none, backward ? none : to, none));
    for (int64_t i = 0; i < STATES; i++) {
        const int64_t from = backward ? i - 1 : i + 1;
        const double in =
            from >= 0 && from < states ? rate[from] * p[from] : 0.0;
        const double change = in - (i < states ? rate[i] * p[i] : 0.0);
        out[i] = backward ? -change : change;
    }
}

/* Runge and Kutta's steps of order 4. */
static void evolve(sf_context *ctx, const sf_model *m, double from, double to,
                   double *p)
{
    enum { STEPS = 100 };
    const double h = (to - from) / STEPS;
    const bool backward = to < from;
    for (int s = 0; s < STEPS; s++) {
        double k[4][STATES], at[STATES];
        const double t = from + s * h;
        change(ctx, m, t, backward, p, k[0]);
        for (int i = 0; i < STATES; i++)
            at[i] = p[i] + 0.5 * h * k[0][i];
        change(ctx, m, t + 0.5 * h, backward, at, k[1]);
        for (int i = 0; i < STATES; i++)
            at[i] = p[i] + 0.5 * h * k[1][i];
        change(ctx, m, t + 0.5 * h, backward, at, k[2]);
        for (int i = 0; i < STATES; i++)
            at[i] = p[i] + h * k[2][i];
        change(ctx, m, t + h, backward, at, k[3]);
        for (int i = 0; i < STATES; i++)
            p[i] +=
                h * (k[0][i] + 2.0 * k[1][i] + 2.0 * k[2][i] + k[3][i]) / 6.0;
    }
}

/* Deaths carry p_t from t = 0.2 to 0.6, births carry it back.  Steps of 0.004
 * times rates of 15 are 0.06, whose fifth power over 120 is below 1e-8; the error
 * that is found is 1e-9, and a sixth of that with steps of 0.0025. */
TEST(rates_carry_the_law_forward_and_back)
{
    sf_context *ctx = new_context();
    static const char *const kernels[] = {"poisson", "binomial"};
    for (size_t k = 0; k < SFI_COUNT(kernels); k++) {
        sf_model *m = of_four(ctx, kernels[k]);
        double early[STATES], late[STATES], p[STATES];
        masses(ctx, m, 0.2, STATES, early);
        masses(ctx, m, 0.6, STATES, late);
        memcpy(p, early, sizeof p);
        evolve(ctx, m, 0.2, 0.6, p);
        for (int i = 0; i < STATES; i++)
            CHECK_NEAR(p[i], late[i], 1e-8);
        memcpy(p, late, sizeof p);
        evolve(ctx, m, 0.6, 0.2, p);
        for (int i = 0; i < STATES; i++)
            CHECK_NEAR(p[i], early[i], 1e-8);
        sf_model_free(m);
    }
    sf_context_free(ctx);
}

/* ---- several columns ------------------------------------------------------------ */

static const double table[] = {3.0, 0.8, 2.0, 9.0, 0.2, 0.0,
                               0.0, 3.1, 5.0, 4.5, 1.0, 6.0};

/* Poisson, gamma and binomial noise side by side: ratios are those of the joint
 * law, births and deaths balance, and the denoised row is the posterior mean. */
TEST(counts_stand_beside_other_columns)
{
    sf_context *ctx = new_context();
    sf_model *m = model_of(
        ctx, "c0=poisson:scale=2; c1=gamma:shape=2,mean=1; c2=binomial", 1e-3,
        (sf_cmat){table, 4, 3, 3}, NULL);
    const double x[] = {5.0, 0.9, 2.0}, t = 0.35;
    double birth[3], death[3], ratio[3], clean[3];
    const sf_model_values values = {.denoised = {clean, 1, 3, 3}};
    CHECK_OK(ctx, sf_model_rates(
                      m, (sf_cmat){x, 1, 3, 3}, t, (sf_mat){birth, 1, 3, 3},
                      (sf_mat){death, 1, 3, 3}, (sf_mat){ratio, 1, 3, 3}));
    CHECK_OK(ctx, sf_model_eval(m, (sf_cmat){x, 1, 3, 3}, t, &values));
    const double here = log_mass(ctx, m, (sf_cmat){x, 1, 3, 3}, t);
    for (int j = 0; j < 3; j += 2) {
        double up[3];
        memcpy(up, x, sizeof up);
        up[j] += 1.0;
        CHECK_CLOSE(ratio[j],
                    exp(log_mass(ctx, m, (sf_cmat){up, 1, 3, 3}, t) - here),
                    1e-12);
        CHECK_CLOSE(birth[j], ratio[j] * up[j] / (1.0 - t), 1e-12);
        CHECK_CLOSE(death[j], x[j] / (1.0 - t), 1e-12);
    }
    CHECK(birth[1] == 0.0 && death[1] == 0.0 && ratio[1] == 0.0);
    CHECK_CLOSE(birth[0], 2.0 * clean[0], 1e-12);
    CHECK_CLOSE(birth[2], (clean[2] - x[2]) / t, 1e-12);

    /* The mean by hand: shape 2/t^2 and mean (1 - t) x0 + t of the gamma law. */
    double total = 0.0, mean[3] = {0};
    for (int i = 0; i < 4; i++) {
        const double *x0 = table + 3 * i, k = 2.0 / (t * t),
                     rate = 2.0 * (1.0 - t) * x0[0],
                     scale = ((1.0 - t) * x0[1] + t) / k;
        double p = x0[2] >= x[2] ? exp(-rate) * pow(rate, x[0]) : 0.0;
        p *= exp((k - 1.0) * log(x[1]) - x[1] / scale - k * log(scale));
        p *= x0[2] * (x0[2] - 1.0) * pow(t, x0[2] - 2.0);
        total += p;
        for (int j = 0; j < 3; j++)
            mean[j] += p * x0[j];
    }
    for (int j = 0; j < 3; j++)
        CHECK_CLOSE(clean[j], mean[j] / total, 1e-10);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* A time that the data rests at: nothing moves, and ratios are those there. */
TEST(below_the_least_time_nothing_moves)
{
    sf_context *ctx = new_context();
    sf_model *m =
        model_of(ctx, "binomial", 0.25, (sf_cmat){data, DATA, 1, 1}, weight);
    const double x[] = {0.0, 3.0, 14.0};
    double birth[3], death[3], ratio[3];
    CHECK_OK(ctx, sf_model_rates(
                      m, (sf_cmat){x, 3, 1, 1}, 0.1, (sf_mat){birth, 3, 1, 1},
                      (sf_mat){death, 3, 1, 1}, (sf_mat){ratio, 3, 1, 1}));
    for (int i = 0; i < 3; i++) {
        const double up = x[i] + 1.0;
        CHECK(birth[i] == 0.0 && death[i] == 0.0);
        CHECK_CLOSE(ratio[i],
                    exp(log_mass(ctx, m, (sf_cmat){&up, 1, 1, 1}, 0.0) -
                        log_mass(ctx, m, (sf_cmat){&x[i], 1, 1, 1}, 0.25)),
                    1e-12);
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

/* ---- files, units, errors ------------------------------------------------------- */

TEST(counts_keep_their_units_and_their_kernels_in_a_file)
{
    sf_context *ctx = new_context();
    char text[SF_KERNEL_TEXT], path[] = "/tmp/scorefield_counts_XXXXXX";
    sf_model *m = model_of(ctx, "c0=poisson; c1=gaussian; c2=binomial", 1e-3,
                           (sf_cmat){table, 4, 3, 3}, NULL);
    double mean, scale;
    sf_model_unit(m, 0, &mean, &scale);
    CHECK(mean == 0.0 && scale == 1.0);
    sf_model_unit(m, 2, &mean, &scale);
    CHECK(mean == 0.0 && scale == 1.0);
    sf_model_kernel(m, 0, text);
    assert_string_equal(text, "poisson:scale=1");
    sf_model_kernel(m, 2, text);
    assert_string_equal(text, "binomial");
    const double x[] = {1.0, 0.5, 2.0};
    const double before = log_mass(ctx, m, (sf_cmat){x, 1, 3, 3}, 0.3);
    const int handle = mkstemp(path);
    CHECK(handle >= 0);
    close(handle);
    CHECK_OK(ctx, sf_model_save(m, path, NULL));
    sf_model_free(m);
    CHECK_OK(ctx, sf_model_load(ctx, &m, path));
    remove(path);
    CHECK(log_mass(ctx, m, (sf_cmat){x, 1, 3, 3}, 0.3) == before);
    m->scale[2] = 2.0; /* as a file might say */
    CHECK_FAILS(ctx, m->ops->check(m), SF_E_FORMAT,
                "column \"c2\" is discrete");
    m->scale[2] = 1.0;
    m->weights[2] = 2.5;
    CHECK_FAILS(ctx, m->ops->check(m), SF_E_FORMAT, "a whole number");
    sf_model_free(m);
    sf_context_free(ctx);
}

static void refuse(const char *kernel, double bad, sf_bandwidth how,
                   sf_status status, const char *part)
{
    sf_context *ctx = new_context();
    sf_model *m = NULL;
    sf_empirical_options o = SF_EMPIRICAL_OPTIONS_INIT;
    const double x[] = {2.0, 3.0, 4.0, bad, 0.0, 9.0, 1.0};
    o.kernel = kernel;
    o.bandwidth = how;
    CHECK_FAILS(
        ctx, sf_fit_empirical(ctx, &m, (sf_cmat){x, 7, 1, 1}, NULL, &o, NULL),
        status, part);
    CHECK(m == NULL);
    sf_context_free(ctx);
}

TEST(data_that_are_no_counts_are_refused)
{
    const sf_bandwidth fixed = SF_BANDWIDTH_FIXED;
    refuse("binomial", 2.5, fixed, SF_E_NUMERIC,
           "row 4, column \"c0\": 2.5, and kernel binomial wants a value that "
           "is a whole number from 0 to 2^53");
    refuse("binomial", -1.0, fixed, SF_E_NUMERIC, "row 4, column \"c0\": -1");
    refuse("binomial", 1e16, fixed, SF_E_NUMERIC, "row 4, column \"c0\"");
    refuse("poisson", -0.5, fixed, SF_E_NUMERIC,
           "row 4, column \"c0\": -0.5, and kernel poisson wants a value from "
           "0 to 2^53");
    refuse("poisson", NAN, fixed, SF_E_NUMERIC, "nan, and kernel poisson");
    refuse("poisson:scale=0", 1.0, fixed, SF_E_ARG, "scale is \"0\"");
    refuse("binomial:scale=1", 1.0, fixed, SF_E_ARG, "kernel binomial");
    refuse("poisson", 2.5, SF_BANDWIDTH_LOO, SF_E_ARG,
           "column \"c0\": kernel poisson is for counts, whose least time the "
           "rows cannot choose; give a number");
    refuse("binomial", 2.0, SF_BANDWIDTH_ADAPTIVE, SF_E_ARG, "give a number");
}

TEST(what_counts_do_not_have_is_refused)
{
    sf_context *ctx = new_context();
    sf_model *m = model_of(ctx, "c0=poisson; c1=gamma; c2=binomial", 1e-3,
                           (sf_cmat){table, 4, 3, 3}, NULL);
    double x[] = {1.0, 0.5, 2.0}, out[9];
    const sf_cmat at = {x, 1, 3, 3};
    const sf_mat to = {out, 1, 3, 3}, none = {0};
    const sf_model_values asked[] = {{.score = to},
                                     {.velocity = to},
                                     {.jacobian = {out, 1, 9, 9}},
                                     {.divergence = {out, 1, 1, 1}},
                                     {.denoised = to, .score = to}};
    for (size_t k = 0; k < SFI_COUNT(asked); k++)
        CHECK_FAILS(ctx, sf_model_eval(m, at, 0.5, &asked[k]), SF_E_UNSUPPORTED,
                    "has a column of counts or categories, which jump: it "
                    "has no score and no velocity");
    sf_likelihood_options l = SF_LIKELIHOOD_OPTIONS_INIT;
    CHECK_FAILS(ctx, sf_encode(m, at, to, &l), SF_E_UNSUPPORTED, "no score");
    CHECK_FAILS(ctx, sf_decode(m, at, to, &l), SF_E_UNSUPPORTED, "no score");
    l.force_flow = true;
    CHECK_FAILS(ctx, sf_logpdf(m, at, out, NULL, &l), SF_E_UNSUPPORTED,
                "no score");

    CHECK_FAILS(ctx, sf_model_rates(m, at, 1.5, to, none, none), SF_E_ARG,
                "time is 1.5");
    CHECK_FAILS(ctx,
                sf_model_rates(m, (sf_cmat){x, 1, 2, 2}, 0.5, to, none, none),
                SF_E_SHAPE, "points have 2 columns");
    CHECK_FAILS(ctx,
                sf_model_rates(m, at, 0.5, none, (sf_mat){out, 1, 2, 2}, none),
                SF_E_SHAPE, "result 1 is [1, 2]");
    x[2] = 7.0; /* the most is 6 */
    CHECK_FAILS(ctx, sf_model_rates(m, at, 0.5, to, none, none), SF_E_NUMERIC,
                "row 1 has probability 0 at time 0.5");
    CHECK(isnan(out[0]) && isnan(out[2]));
    CHECK(log_mass(ctx, m, at, 0.5) == -INFINITY);
    x[2] = 1.5;
    CHECK_FAILS(ctx, sf_model_rates(m, at, 0.5, to, none, none), SF_E_NUMERIC,
                "row 1, column \"c2\": 1.5, and kernel binomial");
    CHECK_OK(ctx, sf_logpdf(m, at, out, NULL, NULL));
    CHECK(out[0] == -INFINITY);
    sf_model_free(m);

    m = model_of(ctx, "gamma", 0.1, (sf_cmat){(double[]){1, 2}, 2, 1, 1}, NULL);
    CHECK_FAILS(ctx,
                sf_model_rates(m, (sf_cmat){x, 1, 1, 1}, 0.5,
                               (sf_mat){out, 1, 1, 1}, none, none),
                SF_E_UNSUPPORTED, "no column of counts");
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(a_failed_allocation_leaves_nothing_behind)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    sf_model *m = of_four(ctx, "binomial");
    double x = 3.0, birth;
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status)) {
        status =
            sf_model_rates(m, (sf_cmat){&x, 1, 1, 1}, 0.4,
                           (sf_mat){&birth, 1, 1, 1}, (sf_mat){0}, (sf_mat){0});
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

/* Rows of a table and threads do not change what one row gets. */
TEST(threads_give_the_same_bits)
{
    enum { N = 500, ROWS = 700 };
    sf_context *ctx = new_context();
    static double rows[2 * N], x[2 * ROWS], out[3][2 * ROWS];
    for (int i = 0; i < N; i++) {
        rows[2 * i] = (double)(i * 7 % 23);
        rows[2 * i + 1] = (double)(i * 11 % 17 + i * 7 % 23);
    }
    for (int i = 0; i < ROWS; i++) {
        x[2 * i] = (double)(i % 13);
        x[2 * i + 1] = (double)(i % 5);
    }
    sf_model *m =
        model_of(ctx, "binomial", 1e-3, (sf_cmat){rows, N, 2, 2}, NULL);
    static const int threads[] = {1, 2, 7};
    for (int k = 0; k < 3; k++) {
        CHECK_OK(ctx, sf_context_set_threads(ctx, threads[k]));
        CHECK_OK(ctx, sf_model_rates(m, (sf_cmat){x, ROWS, 2, 2}, 0.5,
                                     (sf_mat){out[k], ROWS, 2, 2}, (sf_mat){0},
                                     (sf_mat){0}));
        assert_memory_equal(out[k], out[0], sizeof out[0]);
    }
    sf_model_free(m);
    sf_context_free(ctx);
}

TESTS(CASE(all_that_is_asked_of_counts_is_exact),
      CASE(masses_sum_to_one_at_every_time),
      CASE(rates_carry_the_law_forward_and_back),
      CASE(counts_stand_beside_other_columns),
      CASE(below_the_least_time_nothing_moves),
      CASE(counts_keep_their_units_and_their_kernels_in_a_file),
      CASE(data_that_are_no_counts_are_refused),
      CASE(what_counts_do_not_have_is_refused),
      CASE(a_failed_allocation_leaves_nothing_behind),
      CASE(threads_give_the_same_bits))
