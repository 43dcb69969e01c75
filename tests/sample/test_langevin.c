/* SPDX-License-Identifier: Apache-2.0 */
/* Langevin dynamics: a Gaussian target turns it into a linear recursion, so its
 * law at every step, bias included, is known in closed form. */
#include "faults.h"
#include "functionals.h"
#include "base/random.h"
#include "num/moments.h"
#include "scorefield/sample.h"

/* Target N(0, C) with C = [[1, .5], [.5, 1]]: M = C^-1 = (4/3) [[1, -.5], ...].
 * With A = I - (h/2) M the k-th step has mean A^k x0 and covariance
 * h sum_{j<k} A^{2j}; its limit is (M - (h/4) M^2)^-1. */
static struct quadratic target(void)
{
    const struct quadratic q = {
        .n = 2, .m = {4.0 / 3.0, -2.0 / 3.0, -2.0 / 3.0, 4.0 / 3.0}};
    return q;
}

enum { N = 200000 };
static double walkers[N * 2], again[N * 2];

static sf_langevin_options options(double step, int64_t steps,
                                   sf_langevin_method method)
{
    sf_langevin_options o = SF_LANGEVIN_OPTIONS_INIT;
    o.step = step;
    o.steps = steps;
    o.method = method;
    o.seed = 12345;
    return o;
}

static void start_at(double a, double b)
{
    for (int64_t i = 0; i < N; i++) {
        walkers[2 * i] = a;
        walkers[2 * i + 1] = b;
    }
}

/* Draws of N(0, [[v, c], [c, v]]), from a stream that no sampler uses. */
static void start_from(double v, double c)
{
    const double l10 = c / sqrt(v), l11 = sqrt(v - c * c / v);
    for (int64_t i = 0; i < N; i++) {
        const sfi_where where = {99, (uint64_t)i, 0, SFI_STREAM_USER};
        const double a = sfi_normal_at(where, 0), b = sfi_normal_at(where, 1);
        walkers[2 * i] = sqrt(v) * a;
        walkers[2 * i + 1] = l10 * a + l11 * b;
    }
}

/* Means and covariances estimated from n independent walkers have standard
 * errors sqrt(C_ii/n) and sqrt((C_ii C_jj + C_ij^2)/n); five of them are
 * allowed (false alarm 6e-7 each, and the seed is fixed). */
static void check_law(sf_context *ctx, int n, double mean0, double mean1,
                      double v, double c)
{
    sfi_moments *m = NULL;
    CHECK_OK(ctx, sfi_moments_new(ctx, &m, 2));
    const sf_cmat rows = {walkers, n, 2, 2};
    CHECK_OK(ctx, sfi_moments_add(m, rows, NULL));
    double mean[2], covariance[4];
    CHECK_OK(ctx, sfi_moments_mean(m, mean));
    CHECK_OK(ctx, sfi_moments_covariance(m, covariance, SFI_SAMPLE));
    CHECK_NEAR(mean[0], mean0, 5.0 * sqrt(v / n));
    CHECK_NEAR(mean[1], mean1, 5.0 * sqrt(v / n));
    CHECK_NEAR(covariance[0], v, 5.0 * v * sqrt(2.0 / n));
    CHECK_NEAR(covariance[3], v, 5.0 * v * sqrt(2.0 / n));
    CHECK_NEAR(covariance[1], c, 5.0 * sqrt((v * v + c * c) / n));
    sfi_moments_free(m);
}

static const sf_mat all = {walkers, N, 2, 2};

TEST(the_law_after_ten_steps_is_known)
{
    sf_context *ctx = new_context();
    struct quadratic q = target();
    const sf_functional f = quadratic_functional(&q);
    sf_langevin_options o = options(0.1, 10, SF_LANGEVIN_ULA);
    start_at(2.0, -1.0);
    CHECK_OK(ctx, sf_langevin_run(ctx, all, &f, &o));
    check_law(ctx, N, 0.8792533570290335, -0.16678196327096648,
              0.6067115482391936, 0.1443834717079143);
    CHECK(q.trouble.calls == 10);
    o.step = 0.5;
    start_at(2.0, -1.0);
    CHECK_OK(ctx, sf_langevin_run(ctx, all, &f, &o));
    check_law(ctx, N, 0.08221763519492287, 0.07928794769492287,
              1.1301733354654129, 0.4635073045816237);
    sf_context_free(ctx);
}

/* Walkers that start in the stationary law stay in it.  The slower mode of an
 * unbiased chain would come back to C at the rate 0.9667^(2k): after 40 steps
 * 93 % of the bias, 0.0259, would be gone, and 5 standard errors are 0.016.  At
 * h = 0.5 the bias is 0.15 and the start is forgotten. */
TEST(the_stationary_law_has_the_known_bias)
{
    sf_context *ctx = new_context();
    struct quadratic q = target();
    const sf_functional f = quadratic_functional(&q);
    sf_langevin_options o = options(0.1, 40, SF_LANGEVIN_ULA);
    const double v = 1.0258697591436219, c = 0.49955396966993754;
    start_from(v, c);
    memcpy(again, walkers, sizeof again);
    CHECK_OK(ctx, sf_langevin_run(ctx, all, &f, &o));
    check_law(ctx, N, 0.0, 0.0, v, c);

    /* One step apart, the covariance is A C_inf; a product of two correlated
     * normals of variance v has variance at most 2 v^2. */
    memcpy(again, walkers, sizeof again);
    o.steps = 1;
    o.first_step = 40;
    CHECK_OK(ctx, sf_langevin_run(ctx, all, &f, &o));
    double same = 0.0, cross = 0.0;
    for (int64_t i = 0; i < N; i++) {
        same += walkers[2 * i] * again[2 * i] / N;
        cross += walkers[2 * i] * again[2 * i + 1] / N;
    }
    CHECK_NEAR(same, 0.9741302408563782, 5.0 * v * sqrt(2.0 / N));
    CHECK_NEAR(cross, 0.5004460303300624, 5.0 * v * sqrt(2.0 / N));

    o = options(0.5, 40, SF_LANGEVIN_ULA);
    start_at(0.0, 0.0);
    CHECK_OK(ctx, sf_langevin_run(ctx, all, &f, &o));
    check_law(ctx, N, 0.0, 0.0, 1.1515151515151516, 0.48484848484848486);

    o = options(1.5, 40, SF_LANGEVIN_ULA);
    start_at(0.0, 0.0);
    CHECK_OK(ctx, sf_langevin_run(ctx, all, &f, &o));
    check_law(ctx, N, 0.0, 0.0, 2.0, 0.0);
    sf_context_free(ctx);
}

/* At h = 1 ULA would have variance 4/3 and covariance .4; the averaged noise
 * has C exactly, once 30 steps at rate 2/3 have forgotten the start. */
TEST(leimkuhler_matthews_has_no_bias_on_a_gaussian)
{
    sf_context *ctx = new_context();
    struct quadratic q = target();
    const sf_functional f = quadratic_functional(&q);
    const sf_langevin_options o = options(1.0, 30, SF_LANGEVIN_LM);
    start_at(2.0, -1.0);
    CHECK_OK(ctx, sf_langevin_run(ctx, all, &f, &o));
    check_law(ctx, N, 0.0, 0.0, 1.0, 0.5);
    sf_context_free(ctx);
}

/* At temperature 4 the law is that of f/4: covariance 4 C. */
TEST(a_temperature_widens_the_law)
{
    sf_context *ctx = new_context();
    struct quadratic q = target();
    sf_functional f = quadratic_functional(&q);
    sf_langevin_options o = options(1.0, 32, SF_LANGEVIN_LM);
    o.temperature = 4.0;
    for (int form = 0; form < 2; form++) {
        start_at(2.0, -1.0);
        CHECK_OK(ctx, sf_langevin_run(ctx, all, &f, &o));
        check_law(ctx, N, 0.0, 0.0, 4.0, 2.0);
        f.node = quadratic_node;
    }
    o.temperature = 0.0;
    CHECK_FAILS(ctx, sf_langevin_run(ctx, all, &f, &o), SF_E_ARG,
                "temperature is 0");
    sf_context_free(ctx);
}

/* Number j of walker i at step t: up to 16 numbers, those of 1, 2 or 4 steps are
 * neighbours in one draw. */
static double addressed_noise(uint64_t seed, int64_t i, int64_t t, int d, int j)
{
    const int shared = d > 16 || d % 4 == 0 ? 1 : d % 2 == 0 ? 2 : 4;
    const sfi_where where = {seed, (uint64_t)i, (uint32_t)(t / shared),
                             SFI_STREAM_STEP};
    return sfi_normal_at(where, (uint32_t)(t % shared * d + j));
}

/* The formula itself, with the noise at its documented address, on a strided
 * table with up to more components than one chunk holds. */
TEST(every_step_is_the_formula_with_addressed_noise)
{
    enum { ROWS = 70, D = 37, STRIDE = 40, STEPS = 6 };
    static const int dims[] = {1, 2, 3, 4, 14, 15, 18, D};
    sf_context *ctx = new_context();
    static struct quadratic q;
    static double table[ROWS * STRIDE], want[ROWS * STRIDE];
    for (size_t n = 0; n < 2 * SFI_COUNT(dims); n++) {
        const int d = dims[n / 2];
        const bool averaged = n % 2 == 1;
        memset(&q, 0, sizeof q);
        q.n = d;
        for (int i = 0; i < d; i++)
            q.m[i * d + i] = 1.0;
        const sf_functional f = quadratic_functional(&q);
        for (int i = 0; i < ROWS * STRIDE; i++)
            table[i] = want[i] = sin(i);
        sf_langevin_options o =
            options(0.3, STEPS, averaged ? SF_LANGEVIN_LM : SF_LANGEVIN_ULA);
        o.first_walker = 1000;
        o.first_step = 5;
        for (int t = 5; t < 5 + STEPS; t++)
            for (int i = 0; i < ROWS; i++)
                for (int j = 0; j < d; j++) {
                    double z = addressed_noise(o.seed, 1000 + i, t, d, j);
                    if (averaged)
                        z = 0.5 * (z + addressed_noise(o.seed, 1000 + i, t + 1,
                                                       d, j));
                    double *at = &want[i * STRIDE + j];
                    *at += -0.15 * *at + sqrt(0.3) * z;
                }
        const sf_mat view = {table, ROWS, d, STRIDE};
        CHECK_OK(ctx, sf_langevin_run(ctx, view, &f, &o));
        for (int i = 0; i < ROWS * STRIDE; i++)
            CHECK_NEAR(table[i], want[i], i % STRIDE < d ? 1e-13 : 0.0);
    }
    sf_context_free(ctx);
}

/* f = |x|^2/2, whose gradient at component `bad` of walker 1 is NaN, if >= 0. */
struct sphere {
    int64_t n, bad;
};

static sf_status sphere_gradient(sf_context *ctx, void *user, double *value,
                                 double *gradient, const double *x,
                                 int64_t count)
{
    (void)ctx;
    (void)value;
    const struct sphere *s = user;
    memcpy(gradient, x, (size_t)(count * s->n) * sizeof *x);
    if (s->bad >= 0)
        gradient[s->n + s->bad] = NAN;
    return SF_OK;
}

/* Points of so many components that threads share each of them: the formula again,
 * the same bits for any number of threads, and a component anywhere that is not
 * finite is noticed. */
TEST(long_points_are_shared_by_components)
{
    enum { ROWS = 3, D = 10007, STEPS = 2 };
    static double table[ROWS * D], first[ROWS * D];
    static const int threads[] = {1, 2, 7};
    sf_context *ctx = new_context();
    struct sphere s = {D, -1};
    sf_functional f = SF_FUNCTIONAL_INIT;
    f.unknowns = D;
    f.user = &s;
    f.gradient = sphere_gradient;
    const sf_mat rows = {table, ROWS, D, D};
    const sf_langevin_options o = options(0.3, STEPS, SF_LANGEVIN_ULA);
    for (size_t k = 0; k < SFI_COUNT(threads); k++) {
        CHECK_OK(ctx, sf_context_set_threads(ctx, threads[k]));
        for (int i = 0; i < ROWS * D; i++)
            table[i] = sin(i);
        CHECK_OK(ctx, sf_langevin_run(ctx, rows, &f, &o));
        if (k == 0)
            memcpy(first, table, sizeof table);
        CHECK(memcmp(first, table, sizeof table) == 0);
    }
    for (int i = 0; i < ROWS * D; i++) {
        double want = sin(i);
        for (int t = 0; t < STEPS; t++)
            want += -0.15 * want +
                    sqrt(0.3) * addressed_noise(o.seed, i / D, t, D, i % D);
        CHECK_NEAR(table[i], want, 1e-13);
    }
    static const int64_t bad[] = {0, 4095, 4096, 8192, D - 1};
    for (size_t k = 0; k < SFI_COUNT(bad); k++) {
        s.bad = bad[k];
        CHECK_FAILS(ctx, sf_langevin_run(ctx, rows, &f, &o), SF_E_NUMERIC,
                    "langevin: walker 1 is not finite at step 0");
        CHECK(memcmp(first, table, sizeof table) == 0);
    }
    sf_context_free(ctx);
}

/* Programs of one step and of many give what the callbacks give; in float, to its
 * precision. */
TEST(an_expression_gives_the_same_steps)
{
    enum { ROWS = 70, D = 37, STEPS = 37 };
    sf_context *ctx = new_context();
    static struct quadratic q;
    static double want[ROWS * D], got[ROWS * D];
    for (int method = 0; method < 2; method++)
        for (int d = 1; d <= D; d += d < 5 ? 1 : 4) {
            memset(&q, 0, sizeof q);
            q.n = d;
            for (int i = 0; i < d; i++) {
                q.mu[i] = 0.1 * i;
                for (int j = 0; j < d; j++)
                    q.m[i * d + j] = (i == j) + 0.3 * cos(i + j) / d;
            }
            for (int i = 0; i < ROWS * d; i++)
                want[i] = got[i] = sin(i);
            sf_functional f = quadratic_functional(&q);
            sf_langevin_options o =
                options(0.3, STEPS, (sf_langevin_method)method);
            o.first_step = 5;
            CHECK_OK(ctx,
                     sf_langevin_run(ctx, (sf_mat){want, ROWS, d, d}, &f, &o));
            f.node = quadratic_node;
            q.trouble.calls = 0;
            CHECK_OK(ctx,
                     sf_langevin_run(ctx, (sf_mat){got, ROWS, d, d}, &f, &o));
            CHECK(q.trouble.calls < STEPS);
            for (int i = 0; i < ROWS * d; i++) {
                CHECK_NEAR(got[i], want[i], 1e-12);
                got[i] = sin(i);
            }
            o.dtype = SF_F32;
            CHECK_OK(ctx,
                     sf_langevin_run(ctx, (sf_mat){got, ROWS, d, d}, &f, &o));
            double worst = 0.0;
            for (int i = 0; i < ROWS * d; i++)
                worst = fmax(worst, fabs(got[i] - want[i]));
            CHECK(worst < 1e-5 && worst > 1e-8);
        }
    sf_context_free(ctx);
}

TEST(a_plan_goes_on_where_it_was)
{
    enum { ROWS = 50 };
    sf_context *ctx = new_context();
    struct quadratic q = target();
    sf_functional f = quadratic_functional(&q);
    const size_t bytes = ROWS * 2 * sizeof *walkers;
    const sf_mat rows = {walkers, ROWS, 2, 2};
    for (int form = 0; form < 4; form++) {
        f.node = form < 2 ? NULL : quadratic_node;
        sf_langevin_options o =
            options(0.2, 40, (sf_langevin_method)(form % 2));
        o.first_step = 11;
        start_at(0.5, 0.25);
        CHECK_OK(ctx, sf_langevin_run(ctx, rows, &f, &o));
        memcpy(again, walkers, bytes);
        sf_langevin *plan = NULL;
        CHECK_OK(ctx, sf_langevin_new(ctx, &plan, &f, ROWS, &o));
        start_at(0.5, 0.25);
        static const int64_t parts[] = {1, 0, 35, 4};
        for (size_t k = 0; k < SFI_COUNT(parts); k++)
            CHECK_OK(ctx, sf_langevin_advance(plan, rows, parts[k]));
        CHECK(memcmp(again, walkers, bytes) == 0);
        CHECK_FAILS(ctx, sf_langevin_advance(plan, rows, -1), SF_E_ARG,
                    "steps is -1");
        const sf_mat fewer = {walkers, ROWS - 1, 2, 2};
        CHECK_FAILS(ctx, sf_langevin_advance(plan, fewer, 1), SF_E_SHAPE,
                    "x has 49 rows, the plan 50 walkers");
        sf_langevin_free(plan);
    }
    sf_langevin_free(NULL);
    sf_langevin *none = NULL;
    CHECK_FAILS(ctx, sf_langevin_new(ctx, &none, &f, 0, NULL), SF_E_SHAPE,
                "0 walkers");
    CHECK(none == NULL);
    sf_context_free(ctx);
}

TEST(threads_batches_and_pauses_do_not_change_a_bit)
{
    enum { ROWS = 1000 };
    sf_context *ctx = new_context();
    struct quadratic q = target();
    sf_functional f = quadratic_functional(&q);
    static const int threads[] = {1, 2, 7};
    const size_t bytes = ROWS * 2 * sizeof *walkers;
    for (int form = 0; form < 4; form++) {
        f.node = form < 2 ? NULL : quadratic_node;
        const int64_t steps = form < 2 ? 8 : 50;
        sf_langevin_options o =
            options(0.2, steps, (sf_langevin_method)(form % 2));
        for (size_t k = 0; k < SFI_COUNT(threads); k++) {
            CHECK_OK(ctx, sf_context_set_threads(ctx, threads[k]));
            start_at(0.5, 0.25);
            const sf_mat rows = {walkers, ROWS, 2, 2};
            CHECK_OK(ctx, sf_langevin_run(ctx, rows, &f, &o));
            if (k == 0)
                memcpy(again, walkers, bytes);
            CHECK(memcmp(again, walkers, bytes) == 0);
        }
        /* The same in two batches, each in two runs of half the steps. */
        start_at(0.5, 0.25);
        for (int part = 0; part < 4; part++) {
            const int64_t first = part / 2 * 333;
            const int64_t count = part / 2 == 0 ? 333 : ROWS - 333;
            o.first_walker = first;
            o.first_step = part % 2 * steps / 2;
            o.steps = steps / 2;
            const sf_mat rows = {walkers + 2 * first, count, 2, 2};
            CHECK_OK(ctx, sf_langevin_run(ctx, rows, &f, &o));
        }
        CHECK(memcmp(again, walkers, bytes) == 0);
    }
    sf_context_free(ctx);
}

/* h = 4 is beyond the stability limit 4 lambda_min(C) = 2: the fast mode grows
 * by |1 - (h/2) 2| = 3 a step, and past 1e308 after about 650 steps. */
TEST(divergence_is_reported_and_x_stays_finite)
{
    enum { ROWS = 100 };
    sf_context *ctx = new_context();
    struct quadratic q = target();
    const sf_functional f = quadratic_functional(&q);
    sf_langevin_options o = options(4.0, 2000, SF_LANGEVIN_ULA);
    start_at(1.0, -1.0);
    const sf_mat rows = {walkers, ROWS, 2, 2};
    CHECK_FAILS(ctx, sf_langevin_run(ctx, rows, &f, &o), SF_E_NUMERIC,
                "is not finite at step");
    const int64_t done = q.trouble.calls - 1;
    CHECK(done > 500 && done < 800);
    char told[512];
    snprintf(told, sizeof told, "%s",
             strstr(sf_context_message(ctx), "is not finite"));
    double largest = 0.0;
    for (int i = 0; i < 2 * ROWS; i++) {
        CHECK(isfinite(walkers[i]));
        largest = fmax(largest, fabs(walkers[i]));
    }
    CHECK(largest > 1e300);
    /* It is the state after the last whole step, bit for bit. */
    memcpy(again, walkers, 2 * ROWS * sizeof *again);
    o.steps = done;
    start_at(1.0, -1.0);
    CHECK_OK(ctx, sf_langevin_run(ctx, rows, &f, &o));
    CHECK(memcmp(again, walkers, 2 * ROWS * sizeof *again) == 0);

    /* A program of many steps stops at the same one. */
    sf_functional expression = f;
    expression.node = quadratic_node;
    o.steps = 2000;
    start_at(1.0, -1.0);
    CHECK_FAILS(ctx, sf_langevin_run(ctx, rows, &expression, &o), SF_E_NUMERIC,
                told);
    for (int i = 0; i < 2 * ROWS; i++)
        CHECK_NEAR(walkers[i], again[i], 1e-9 * fabs(again[i]));
    sf_context_free(ctx);
}

/* A NaN gradient of one walker out of 100, at the fourth step. */
TEST(one_bad_walker_is_named_and_stops_all)
{
    enum { ROWS = 100 };
    sf_context *ctx = new_context();
    struct quadratic q = target();
    q.trouble.wall = 50.0;
    const sf_functional f = quadratic_functional(&q);
    sf_langevin_options o = options(0.1, 10, SF_LANGEVIN_ULA);
    o.first_walker = 7;
    start_at(0.0, 0.0);
    walkers[2 * 83] = 1000.0;
    walkers[2 * 97] = 2000.0;
    memcpy(again, walkers, 2 * ROWS * sizeof *again);
    const sf_mat rows = {walkers, ROWS, 2, 2};
    CHECK_FAILS(ctx, sf_langevin_run(ctx, rows, &f, &o), SF_E_NUMERIC,
                "langevin: walker 90 is not finite at step 0; ");
    CHECK(memcmp(again, walkers, 2 * ROWS * sizeof *again) == 0);
    sf_functional expression = f;
    expression.node = quadratic_node;
    o.steps = 100;
    CHECK_FAILS(ctx, sf_langevin_run(ctx, rows, &expression, &o), SF_E_NUMERIC,
                "langevin: the gradient at walker 90 is not finite at step "
                "0: number 0 of its point is 1000, the gradient nan");
    CHECK(memcmp(again, walkers, 2 * ROWS * sizeof *again) == 0);
    sf_context_free(ctx);
}

static bool stop_at_three(void *user, const sf_progress *progress)
{
    int64_t *seen = user;
    *seen = progress->step;
    return progress->step < 3;
}

TEST(failures_and_cancellation_leave_the_current_state)
{
    enum { ROWS = 10 };
    sf_context *ctx = new_context();
    struct quadratic q = target();
    const sf_functional f = quadratic_functional(&q);
    sf_langevin_options o = options(0.1, 2, SF_LANGEVIN_LM);
    const size_t bytes = 2 * ROWS * sizeof *again;
    const sf_mat rows = {walkers, ROWS, 2, 2};
    start_at(1.0, 1.0);
    CHECK_OK(ctx, sf_langevin_run(ctx, rows, &f, &o));
    memcpy(again, walkers, bytes);
    q.trouble.fail_at = q.trouble.calls + 3;
    q.trouble.status = SF_E_IO;
    o.steps = 9;
    start_at(1.0, 1.0);
    CHECK_FAILS(ctx, sf_langevin_run(ctx, rows, &f, &o), SF_E_IO,
                "quadratic: its gradient failed");
    CHECK(memcmp(again, walkers, bytes) == 0);

    /* A callback is asked at most ten times a second, but always at the end. */
    int64_t seen = 0;
    sf_context_set_progress(ctx, stop_at_three, &seen);
    o.steps = 3;
    start_at(1.0, 1.0);
    CHECK_FAILS(ctx, sf_langevin_run(ctx, rows, &f, &o), SF_E_CANCELLED,
                "langevin: stopped after step");
    CHECK(seen == 3);
    sf_context_free(ctx);
}

TEST(arguments_are_checked_first)
{
    sf_context *ctx = new_context();
    struct quadratic q = target();
    sf_functional f = quadratic_functional(&q);
    double point[2] = {1.0, 2.0};
    sf_mat rows = {point, 1, 2, 2};
    sf_langevin_options o = options(0.0, 1, SF_LANGEVIN_ULA);
    CHECK_FAILS(ctx, sf_langevin_run(ctx, rows, &f, &o), SF_E_ARG,
                "langevin: step is 0, want > 0");
    o.step = NAN;
    CHECK_FAILS(ctx, sf_langevin_run(ctx, rows, &f, &o), SF_E_ARG, "step is");
    o = options(0.1, -1, SF_LANGEVIN_ULA);
    CHECK_FAILS(ctx, sf_langevin_run(ctx, rows, &f, &o), SF_E_ARG,
                "steps is -1");
    o = options(0.1, 1, (sf_langevin_method)2);
    CHECK_FAILS(ctx, sf_langevin_run(ctx, rows, &f, &o), SF_E_ARG,
                "method is 2");
    o = options(0.1, 1, SF_LANGEVIN_ULA);
    o.first_step = (INT64_C(1) << 32) - 1;
    CHECK_FAILS(ctx, sf_langevin_run(ctx, rows, &f, &o), SF_E_ARG, "2^32");
    o.first_step = -1;
    CHECK_FAILS(ctx, sf_langevin_run(ctx, rows, &f, &o), SF_E_ARG, "2^32");
    o.first_step = 0;
    o.first_walker = INT64_C(1) << 56;
    CHECK_FAILS(ctx, sf_langevin_run(ctx, rows, &f, &o), SF_E_ARG, "2^56");
    rows.cols = 1;
    CHECK_FAILS(ctx, sf_langevin_run(ctx, rows, &f, NULL), SF_E_SHAPE,
                "x has 1 columns, quadratic has 2 unknowns");
    rows.cols = 2;
    point[1] = INFINITY;
    CHECK_FAILS(ctx, sf_langevin_run(ctx, rows, &f, NULL), SF_E_NUMERIC,
                "row 0, column 1 is inf");
    CHECK_FAILS(ctx, sf_langevin_run(ctx, rows, NULL, NULL), SF_E_ARG,
                "langevin: the functional is NULL");
    point[1] = 2.0;
    o = options(0.1, 1, SF_LANGEVIN_ULA);
    o.dtype = SF_F32;
    CHECK_FAILS(ctx, sf_langevin_run(ctx, rows, &f, &o), SF_E_UNSUPPORTED,
                "the gradient of quadratic is no expression");
    o.dtype = (sf_dtype)9;
    CHECK_FAILS(ctx, sf_langevin_run(ctx, rows, &f, &o), SF_E_ARG, "dtype is");
    CHECK(q.trouble.calls == 0);
    rows.rows = 0;
    CHECK_OK(ctx, sf_langevin_run(ctx, rows, &f, NULL));
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    struct quadratic q = target();
    sf_functional f = quadratic_functional(&q);
    for (int form = 0; form < 4; form++) {
        const int method = form % 2;
        f.node = form < 2 ? NULL : quadratic_node;
        const sf_langevin_options o =
            options(0.1, 20, (sf_langevin_method)method);
        double point[2] = {1.0, 2.0};
        const sf_mat rows = {point, 1, 2, 2};
        sf_status status = SF_E_NOMEM;
        while (NEXT_FAULT(&faults, status)) {
            status = sf_langevin_run(ctx, rows, &f, &o);
            CHECK(status == SF_OK || (point[0] == 1.0 && point[1] == 2.0));
        }
        CHECK(form < 2 ? faults.tries == 5 + method : faults.tries > 30);
    }
    sf_context_free(ctx);
}

TESTS(CASE(the_law_after_ten_steps_is_known),
      CASE(the_stationary_law_has_the_known_bias),
      CASE(leimkuhler_matthews_has_no_bias_on_a_gaussian),
      CASE(a_temperature_widens_the_law),
      CASE(every_step_is_the_formula_with_addressed_noise),
      CASE(long_points_are_shared_by_components),
      CASE(an_expression_gives_the_same_steps),
      CASE(a_plan_goes_on_where_it_was),
      CASE(threads_batches_and_pauses_do_not_change_a_bit),
      CASE(divergence_is_reported_and_x_stays_finite),
      CASE(one_bad_walker_is_named_and_stops_all),
      CASE(failures_and_cancellation_leave_the_current_state),
      CASE(arguments_are_checked_first), CASE(every_allocation_may_fail))
