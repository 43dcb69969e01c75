/* SPDX-License-Identifier: Apache-2.0 */
/* L-BFGS and Newton on functionals whose minima are known, and on functionals
 * that misbehave. */
#include "faults.h"
#include "functionals.h"
#include "base/random.h"
#include "scorefield/solve.h"

/* Both methods through one signature, so that what they share is tested once.
 * tolerance and max_iterations of 0 mean the default. */
typedef sf_status (*method_fn)(sf_context *ctx, double *x,
                               sf_minimize_result *result,
                               const sf_functional *f, double tolerance,
                               int64_t max_iterations);

static sf_status by_lbfgs(sf_context *ctx, double *x,
                          sf_minimize_result *result, const sf_functional *f,
                          double tolerance, int64_t max_iterations)
{
    sf_lbfgs_options o = SF_LBFGS_OPTIONS_INIT;
    o.tolerance = tolerance > 0.0 ? tolerance : o.tolerance;
    o.max_iterations = max_iterations > 0 ? max_iterations : o.max_iterations;
    return sf_minimize_lbfgs(ctx, x, result, f, &o);
}

static sf_status by_newton(sf_context *ctx, double *x,
                           sf_minimize_result *result, const sf_functional *f,
                           double tolerance, int64_t max_iterations)
{
    sf_newton_options o = SF_NEWTON_OPTIONS_INIT;
    o.tolerance = tolerance > 0.0 ? tolerance : o.tolerance;
    o.max_iterations = max_iterations > 0 ? max_iterations : o.max_iterations;
    return sf_minimize_newton(ctx, x, result, f, &o);
}

static const method_fn methods[] = {by_lbfgs, by_newton};
static const char *const names[] = {"lbfgs", "newton"};

/* tridiag(-1, 2 + small, -1) and a minimum of whole numbers. */
static void make_quadratic(struct quadratic *q, int64_t n)
{
    memset(q, 0, sizeof *q);
    q->n = n;
    for (int64_t i = 0; i < n; i++) {
        q->m[i * n + i] = 2.01;
        if (i > 0)
            q->m[i * n + i - 1] = q->m[(i - 1) * n + i] = -1.0;
        q->mu[i] = (double)(i % 5) - 2.0;
    }
}

/* |x - x*| <= |g| / lambda_min, and lambda_min > 2.01 - 2. */
TEST(a_quadratic_is_solved_to_the_tolerance)
{
    sf_context *ctx = new_context();
    static struct quadratic q;
    make_quadratic(&q, 50);
    const sf_functional f = quadratic_functional(&q);
    for (int k = 0; k < 2; k++) {
        double x[50] = {0.0};
        sf_minimize_result r;
        CHECK_OK(ctx, methods[k](ctx, x, &r, &f, 1e-9, 0));
        for (int i = 0; i < 50; i++)
            CHECK_NEAR(x[i], q.mu[i], 1e-9 * 11.0 / 0.01);
        CHECK(r.gradient_norm <= 1e-9 * 11.0 && r.iterations > 0);
        CHECK_NEAR(r.value, 0.0, 1e-14);
    }
    sf_context_free(ctx);
}

/* With the Newton equation solved to 1e-12 and room enough, one step does it;
 * conjugate gradients need a product per distinct eigenvalue, n at most. */
TEST(one_newton_step_solves_a_quadratic)
{
    sf_context *ctx = new_context();
    static struct quadratic q;
    make_quadratic(&q, 20);
    sf_functional f = quadratic_functional(&q);
    sf_newton_options o = SF_NEWTON_OPTIONS_INIT;
    o.forcing = 1e-12;
    o.radius = 1e3;
    o.tolerance = 1e-10;
    for (int k = 0; k < 2; k++) {
        double x[20] = {0.0};
        sf_minimize_result r;
        f.value = k == 0 ? quadratic_value : NULL;
        CHECK_OK(ctx, sf_minimize_newton(ctx, x, &r, &f, &o));
        CHECK(r.iterations == 1 && r.gradients == 2 && r.products <= 21);
        for (int i = 0; i < 20; i++)
            CHECK_NEAR(x[i], q.mu[i], 1e-9);
        CHECK(k == 0 ? fabs(r.value) < 1e-18 : isnan(r.value));
    }
    sf_context_free(ctx);
}

TEST(rosenbrock_is_minimised)
{
    sf_context *ctx = new_context();
    for (int k = 0; k < 2; k++) {
        struct rosenbrock two = {.n = 2}, many = {.n = 100};
        const sf_functional f2 = rosenbrock_functional(&two);
        const sf_functional f100 = rosenbrock_functional(&many);
        sf_minimize_result r;
        double x[100] = {-1.2, 1.0};
        CHECK_OK(ctx, methods[k](ctx, x, &r, &f2, 1e-8, 0));
        CHECK_NEAR(x[0], 1.0, 1e-7);
        CHECK_NEAR(x[1], 1.0, 1e-7);
        CHECK(r.gradients == two.trouble.calls - r.products);
        CHECK(r.gradients < 100);
        for (int i = 0; i < 100; i++)
            x[i] = 0.5;
        CHECK_OK(ctx, methods[k](ctx, x, &r, &f100, 1e-8, 0));
        for (int i = 0; i < 100; i++)
            CHECK_NEAR(x[i], 1.0, 1e-5);
        CHECK(r.gradients < 1000 && r.value < 1e-12);
    }
    sf_context_free(ctx);
}

/* ---- sum of exp(x_i) - b_i x_i, whose minimum is x_i = ln b_i ---- */
enum { EXP_N = 6 };
static const double exp_b[EXP_N] = {0.3, 0.7, 1.5, 2.0, 3.0, 5.0};

static sf_status exp_gradient(sf_context *ctx, void *user, double *value,
                              double *gradient, const double *x,
                              int64_t walkers)
{
    (void)ctx, (void)user;
    for (int64_t w = 0; w < walkers; w++) {
        double sum = 0.0;
        for (int64_t i = 0; i < EXP_N; i++) {
            const double at = x[w * EXP_N + i];
            sum += exp(at) - exp_b[i] * at;
            gradient[w * EXP_N + i] = exp(at) - exp_b[i];
        }
        if (value != NULL)
            value[w] = sum;
    }
    return SF_OK;
}

static sf_status exp_value(sf_context *ctx, void *user, double *value,
                           const double *x, int64_t walkers)
{
    double g[EXP_N];
    assert_int_equal(walkers, 1);
    return exp_gradient(ctx, user, value, g, x, walkers);
}

static sf_status exp_hvp(sf_context *ctx, void *user, double *hv,
                         const double *x, const double *v, int64_t walkers)
{
    (void)ctx, (void)user;
    for (int64_t i = 0; i < EXP_N * walkers; i++)
        hv[i] = exp(x[i]) * v[i];
    return SF_OK;
}

static sf_functional exp_functional(void)
{
    sf_functional f = SF_FUNCTIONAL_INIT;
    f.name = "exponentials";
    f.unknowns = EXP_N;
    f.value = exp_value;
    f.gradient = exp_gradient;
    f.hvp = exp_hvp;
    return f;
}

/* Errors e_k of successive iterates, each from a run of its own.  Quadratic
 * convergence means e_{k+1} <= C e_k^2 and an observed order
 * ln(e_{k+1}/e_k) / ln(e_k/e_{k-1}) that tends to 2.  A forcing that did not
 * shrink with the gradient would leave order 1. */
TEST(newton_converges_with_order_two)
{
    sf_context *ctx = new_context();
    const sf_functional f = exp_functional();
    double error[12] = {0.0}, order = 0.0;
    int pairs = 0;
    for (int k = 1; k < 12; k++) {
        double x[EXP_N] = {0.0};
        sf_minimize_result r;
        (void)by_newton(ctx, x, &r, &f, 1e-15, k);
        for (int i = 0; i < EXP_N; i++) {
            const double e = x[i] - log(exp_b[i]);
            error[k] = fmax(error[k], fabs(e));
        }
        if (k > 2 && error[k] > 1e-13 && error[k - 1] < 0.5) {
            CHECK(error[k] <= 2.0 * error[k - 1] * error[k - 1]);
            order =
                log(error[k] / error[k - 1]) / log(error[k - 1] / error[k - 2]);
            pairs++;
        }
    }
    CHECK(pairs >= 2);
    CHECK(order > 1.8 && order < 2.6);
    CHECK(error[11] < 1e-14);
    sf_context_free(ctx);
}

/* ---- logistic regression: sum ln(1 + exp(-y w.x)) + (ridge/2) |w|^2 ---- */
enum { ROWS = 300, COLS = 5 };

struct logistic {
    double x[ROWS][COLS];
    double y[ROWS]; /* -1 or 1 */
    double ridge;
};

static void make_logistic(struct logistic *l)
{
    l->ridge = 0.1;
    for (int i = 0; i < ROWS; i++) {
        const sfi_where where = {3, (uint64_t)i, 0, SFI_STREAM_USER};
        double margin = 0.0;
        for (int j = 0; j < COLS; j++) {
            l->x[i][j] = j == 0 ? 1.0 : sfi_normal_at(where, (uint32_t)j);
            margin += (j - 1.5) * l->x[i][j];
        }
        const double u = sfi_uniform_at(where, 40);
        l->y[i] = u < 1.0 / (1.0 + exp(-margin)) ? 1.0 : -1.0;
    }
}

static sf_status logistic_gradient(sf_context *ctx, void *user, double *value,
                                   double *gradient, const double *w,
                                   int64_t walkers)
{
    (void)ctx;
    const struct logistic *l = user;
    for (int64_t k = 0; k < walkers; k++, w += COLS, gradient += COLS) {
        double sum = 0.0;
        for (int j = 0; j < COLS; j++) {
            sum += 0.5 * l->ridge * w[j] * w[j];
            gradient[j] = l->ridge * w[j];
        }
        for (int i = 0; i < ROWS; i++) {
            double margin = 0.0;
            for (int j = 0; j < COLS; j++)
                margin += l->y[i] * w[j] * l->x[i][j];
            sum += margin > 0.0 ? log1p(exp(-margin))
                                : log1p(exp(margin)) - margin;
            for (int j = 0; j < COLS; j++)
                gradient[j] -= l->y[i] * l->x[i][j] / (1.0 + exp(margin));
        }
        if (value != NULL)
            value[k] = sum;
    }
    return SF_OK;
}

static sf_status logistic_value(sf_context *ctx, void *user, double *value,
                                const double *w, int64_t walkers)
{
    double g[COLS];
    for (int64_t k = 0; k < walkers; k++)
        (void)logistic_gradient(ctx, user, value + k, g, w + k * COLS, 1);
    return SF_OK;
}

/* Convex, so the one point where the gradient vanishes is the minimum; both
 * methods and a Newton without Hessian products or values must agree on it.
 * The Hessian is at least `ridge`, so |x - x*| <= |g| / ridge. */
TEST(logistic_regression_has_one_optimum)
{
    sf_context *ctx = new_context();
    static struct logistic l;
    make_logistic(&l);
    sf_functional f = SF_FUNCTIONAL_INIT;
    f.name = "logistic";
    f.unknowns = COLS;
    f.user = &l;
    f.value = logistic_value;
    f.gradient = logistic_gradient;
    double x[4][COLS] = {{0.0}}, g[COLS];
    sf_minimize_result r;
    for (int k = 0; k < 3; k++) {
        f.value = k < 2 ? logistic_value : NULL;
        CHECK_OK(ctx, methods[k > 0](ctx, x[k], &r, &f, 1e-8, 0));
        double norm = 0.0, size = 0.0;
        (void)logistic_gradient(ctx, &l, NULL, g, x[k], 1);
        for (int j = 0; j < COLS; j++) {
            norm += g[j] * g[j];
            size += x[k][j] * x[k][j];
        }
        CHECK(sqrt(norm) <= 1e-8 * fmax(1.0, sqrt(size)) * (1.0 + 1e-12));
        CHECK_CLOSE(r.gradient_norm, sqrt(norm), 1e-6);
        for (int j = 0; j < COLS; j++)
            CHECK_NEAR(x[k][j], x[0][j], 2e-8 * sqrt(size) / l.ridge);
    }
    sf_context_free(ctx);
}

/* f = sum (x^2 - 1)^2 / 4 by Rosenbrock's cousin: at 0 the Hessian is -I, so a
 * plain Newton step would climb to the maximum. */
static sf_status wells_gradient(sf_context *ctx, void *user, double *value,
                                double *gradient, const double *x,
                                int64_t walkers)
{
    (void)ctx;
    const int64_t n = *(const int64_t *)user;
    for (int64_t w = 0; w < walkers; w++) {
        double sum = 0.0;
        for (int64_t i = 0; i < n; i++) {
            const double at = x[w * n + i], a = at * at - 1.0;
            sum += 0.25 * a * a;
            gradient[w * n + i] = a * at;
        }
        if (value != NULL)
            value[w] = sum;
    }
    return SF_OK;
}

static sf_status wells_hvp(sf_context *ctx, void *user, double *hv,
                           const double *x, const double *v, int64_t walkers)
{
    (void)ctx;
    const int64_t n = *(const int64_t *)user;
    for (int64_t i = 0; i < n * walkers; i++)
        hv[i] = (3.0 * x[i] * x[i] - 1.0) * v[i];
    return SF_OK;
}

TEST(negative_curvature_is_left_behind)
{
    sf_context *ctx = new_context();
    int64_t n = 3;
    sf_functional f = SF_FUNCTIONAL_INIT;
    f.name = "wells";
    f.unknowns = n;
    f.user = &n;
    f.gradient = wells_gradient;
    f.hvp = wells_hvp;
    double x[3] = {1e-3, -2e-3, 0.3};
    sf_minimize_result r;
    CHECK_OK(ctx, by_newton(ctx, x, &r, &f, 1e-12, 0));
    for (int i = 0; i < 3; i++)
        CHECK_NEAR(fabs(x[i]), 1.0, 1e-12);
    sf_context_free(ctx);
}

/* The minimum is at x_0 = 2 and f is NaN beyond 2.1; from -20 the first long
 * step lands there. */
TEST(a_wall_of_nan_shortens_steps)
{
    sf_context *ctx = new_context();
    static struct quadratic q;
    make_quadratic(&q, 5);
    q.mu[0] = 2.0;
    q.trouble.wall = 2.1;
    const sf_functional f = quadratic_functional(&q);
    for (int k = 0; k < 2; k++) {
        double x[5] = {-20.0, 30.0, -10.0, 5.0, 7.0};
        CHECK_OK(ctx, methods[k](ctx, x, NULL, &f, 1e-8, 0));
        for (int i = 0; i < 5; i++)
            CHECK_NEAR(x[i], q.mu[i], 1e-5);
    }
    sf_context_free(ctx);
}

/* A wall may end a run of liblbfgs, and the next begins; iterations are those of all,
 * so a limit of as many is enough, and one less is not. */
TEST(walls_do_not_reset_the_count_of_iterations)
{
    sf_context *ctx = new_context();
    static struct quadratic q;
    static const double starts[][5] = {{-21.0, -14.0, -3.0, 55.0, 53.0},
                                       {-8.0, 19.0, 8.0, 35.0, -39.0},
                                       {-33.0, -55.0, 30.0, 12.0, 56.0}};
    static const double walls[] = {2.1, 2.3, 2.1};
    for (int c = 0; c < 3; c++) {
        make_quadratic(&q, 5);
        q.mu[0] = 2.0;
        q.trouble.wall = walls[c];
        const sf_functional f = quadratic_functional(&q);
        const size_t bytes = sizeof starts[0];
        double x[5];
        sf_minimize_result all, r;
        memcpy(x, starts[c], bytes);
        CHECK_OK(ctx, by_lbfgs(ctx, x, &all, &f, 1e-8, 0));
        memcpy(x, starts[c], bytes);
        CHECK_OK(ctx, by_lbfgs(ctx, x, &r, &f, 1e-8, all.iterations));
        CHECK(r.iterations == all.iterations);
        memcpy(x, starts[c], bytes);
        CHECK_FAILS(ctx, by_lbfgs(ctx, x, &r, &f, 1e-8, all.iterations - 1),
                    SF_E_CONVERGE, "raise max_iterations");
        CHECK(r.iterations == all.iterations - 1);
    }
    sf_context_free(ctx);
}

TEST(a_minimum_behind_the_wall_is_not_reached_and_x_is_finite)
{
    sf_context *ctx = new_context();
    static struct quadratic q;
    make_quadratic(&q, 2);
    q.mu[0] = 3.0;
    q.trouble.wall = 2.0;
    const sf_functional f = quadratic_functional(&q);
    for (int k = 0; k < 2; k++) {
        double x[2] = {0.0, 0.0};
        sf_minimize_result r;
        CHECK_FAILS(ctx, methods[k](ctx, x, &r, &f, 0.0, 0), SF_E_CONVERGE,
                    names[k]);
        CHECK(isfinite(x[0]) && isfinite(x[1]) && x[0] <= 2.0);
        double value = 0.0, g[2];
        (void)quadratic_gradient(ctx, &q, &value, g, x, 1);
        CHECK(value == r.value);
    }
    sf_context_free(ctx);
}

TEST(a_start_that_is_not_finite_is_refused)
{
    sf_context *ctx = new_context();
    static struct quadratic q;
    make_quadratic(&q, 2);
    q.trouble.wall = 1.0;
    const sf_functional f = quadratic_functional(&q);
    for (int k = 0; k < 2; k++) {
        double x[2] = {5.0, 0.5};
        CHECK_FAILS(ctx, methods[k](ctx, x, NULL, &f, 0.0, 0), SF_E_NUMERIC,
                    "at the start");
        CHECK(x[0] == 5.0 && x[1] == 0.5);
        x[1] = NAN;
        x[0] = 0.0;
        CHECK_FAILS(ctx, methods[k](ctx, x, NULL, &f, 0.0, 0), SF_E_NUMERIC,
                    "at the start");
    }
    sf_context_free(ctx);
}

/* At the limit x is the iterate that `result` describes, better than the start,
 * and going on from there arrives. */
TEST(the_iteration_limit_leaves_a_usable_state)
{
    sf_context *ctx = new_context();
    struct rosenbrock two = {.n = 2};
    const sf_functional f = rosenbrock_functional(&two);
    for (int k = 0; k < 2; k++) {
        double x[2] = {-1.2, 1.0}, value = 0.0, g[2];
        sf_minimize_result r;
        CHECK_FAILS(ctx, methods[k](ctx, x, &r, &f, 1e-8, 5), SF_E_CONVERGE,
                    "raise max_iterations");
        CHECK(r.iterations == 5);
        (void)rosenbrock_gradient(ctx, &two, &value, g, x, 1);
        CHECK(value == r.value && value < 24.2);
        CHECK_CLOSE(r.gradient_norm, hypot(g[0], g[1]), 1e-14);
        CHECK_OK(ctx, methods[k](ctx, x, &r, &f, 1e-8, 0));
        CHECK_NEAR(x[0], 1.0, 1e-7);
    }
    sf_context_free(ctx);
}

static sf_status uphill(sf_context *ctx, void *user, double *value,
                        double *gradient, const double *x, int64_t walkers)
{
    const struct rosenbrock *r = user;
    const sf_status status =
        rosenbrock_gradient(ctx, user, value, gradient, x, walkers);
    for (int64_t i = 0; i < walkers * r->n; i++)
        gradient[i] = -gradient[i];
    return status;
}

TEST(a_gradient_of_the_wrong_sign_is_a_failure_to_converge)
{
    sf_context *ctx = new_context();
    struct rosenbrock two = {.n = 2};
    sf_functional f = rosenbrock_functional(&two);
    f.gradient = uphill;
    f.hvp = NULL;
    for (int k = 0; k < 2; k++) {
        double x[2] = {-1.2, 1.0};
        CHECK_FAILS(ctx, methods[k](ctx, x, NULL, &f, 0.0, 0), SF_E_CONVERGE,
                    "gradient");
        CHECK_NEAR(x[0], -1.2, 1e-9); /* steps that are rounding may pass */
        CHECK_NEAR(x[1], 1.0, 1e-9);
    }
    sf_context_free(ctx);
}

/* Whichever call fails, its status comes back and x is an accepted iterate. */
TEST(a_failing_callback_ends_the_run)
{
    sf_context *ctx = new_context();
    for (int k = 0; k < 2; k++) {
        for (int64_t at = 1; at < 20; at++) {
            struct rosenbrock two = {
                .n = 2, .trouble = {.fail_at = at, .status = SF_E_IO}};
            const sf_functional f = rosenbrock_functional(&two);
            double x[2] = {-1.2, 1.0}, value = 0.0, g[2];
            CHECK_FAILS(ctx, methods[k](ctx, x, NULL, &f, 1e-8, 0), SF_E_IO,
                        "rosenbrock: its");
            CHECK(two.trouble.calls == at);
            (void)rosenbrock_gradient(ctx, &two, &value, g, x, 1);
            CHECK(value <= 24.2 + 1e-12);
        }
    }
    sf_context_free(ctx);
}

static bool stop(void *user, const sf_progress *progress)
{
    *(int64_t *)user = progress->step;
    return false;
}

TEST(the_progress_callback_can_stop_it)
{
    sf_context *ctx = new_context();
    struct rosenbrock two = {.n = 2};
    const sf_functional f = rosenbrock_functional(&two);
    for (int k = 0; k < 2; k++) {
        int64_t seen = 0;
        double x[2] = {-1.2, 1.0};
        sf_minimize_result r;
        sf_context_set_progress(ctx, stop, &seen);
        CHECK_FAILS(ctx, methods[k](ctx, x, &r, &f, 0.0, 0), SF_E_CANCELLED,
                    "stopped after iteration 1");
        CHECK(seen == 1 && r.iterations == 1);
    }
    sf_context_free(ctx);
}

TEST(arguments_are_checked_first)
{
    sf_context *ctx = new_context();
    struct rosenbrock two = {.n = 2};
    sf_functional f = rosenbrock_functional(&two);
    double x[2] = {-1.2, 1.0};
    sf_minimize_result r = {1.0, 1.0, 1, 1, 1};
    sf_lbfgs_options a = SF_LBFGS_OPTIONS_INIT;
    a.tolerance = 0.0;
    CHECK_FAILS(ctx, sf_minimize_lbfgs(ctx, x, &r, &f, &a), SF_E_ARG,
                "lbfgs: tolerance is 0");
    CHECK(r.value == 0.0 && r.iterations == 0);
    a = (sf_lbfgs_options)SF_LBFGS_OPTIONS_INIT;
    a.memory = 2;
    CHECK_FAILS(ctx, sf_minimize_lbfgs(ctx, x, &r, &f, &a), SF_E_ARG,
                "memory is 2");
    a = (sf_lbfgs_options)SF_LBFGS_OPTIONS_INIT;
    a.max_trials = 1;
    CHECK_FAILS(ctx, sf_minimize_lbfgs(ctx, x, &r, &f, &a), SF_E_ARG,
                "max_trials is 1");
    a = (sf_lbfgs_options)SF_LBFGS_OPTIONS_INIT;
    a.max_iterations = 0;
    CHECK_FAILS(ctx, sf_minimize_lbfgs(ctx, x, &r, &f, &a), SF_E_ARG,
                "max_iterations is 0");
    CHECK_FAILS(ctx, sf_minimize_lbfgs(ctx, NULL, &r, &f, NULL), SF_E_ARG,
                "x is NULL");
    f.value = NULL;
    CHECK_FAILS(ctx, sf_minimize_lbfgs(ctx, x, &r, &f, NULL), SF_E_UNSUPPORTED,
                "rosenbrock has gradients only");
    sf_newton_options b = SF_NEWTON_OPTIONS_INIT;
    b.tolerance = INFINITY;
    CHECK_FAILS(ctx, sf_minimize_newton(ctx, x, &r, &f, &b), SF_E_ARG,
                "newton: tolerance is inf");
    b = (sf_newton_options)SF_NEWTON_OPTIONS_INIT;
    b.forcing = 1.0;
    CHECK_FAILS(ctx, sf_minimize_newton(ctx, x, &r, &f, &b), SF_E_ARG,
                "forcing is 1");
    b = (sf_newton_options)SF_NEWTON_OPTIONS_INIT;
    b.radius = -1.0;
    CHECK_FAILS(ctx, sf_minimize_newton(ctx, x, &r, &f, &b), SF_E_ARG,
                "radius is -1");
    b = (sf_newton_options)SF_NEWTON_OPTIONS_INIT;
    b.max_iterations = 0;
    CHECK_FAILS(ctx, sf_minimize_newton(ctx, x, &r, &f, &b), SF_E_ARG,
                "max_iterations is 0");
    b = (sf_newton_options)SF_NEWTON_OPTIONS_INIT;
    b.max_products = -1;
    CHECK_FAILS(ctx, sf_minimize_newton(ctx, x, &r, &f, &b), SF_E_ARG,
                "max_products is -1");
    CHECK_FAILS(ctx, sf_minimize_newton(ctx, NULL, &r, &f, NULL), SF_E_ARG,
                "x is NULL");
    CHECK_FAILS(ctx, sf_minimize_newton(ctx, x, &r, NULL, NULL), SF_E_ARG,
                "the functional is NULL");
    CHECK(two.trouble.calls == 0);
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    struct rosenbrock two = {.n = 2};
    const sf_functional f = rosenbrock_functional(&two);
    for (int m = 0; m < 2; m++) {
        sf_status status = SF_E_NOMEM;
        while (NEXT_FAULT(&faults, status)) {
            double x[2] = {-1.2, 1.0};
            sf_minimize_result r;
            status = methods[m](ctx, x, &r, &f, 0.0, 0);
            CHECK(status == SF_OK || (x[0] == -1.2 && r.gradients == 0));
        }
        CHECK(faults.tries == (m == 0 ? 4 : 2));
    }
    sf_context_free(ctx);
}

TESTS(CASE(a_quadratic_is_solved_to_the_tolerance),
      CASE(one_newton_step_solves_a_quadratic), CASE(rosenbrock_is_minimised),
      CASE(newton_converges_with_order_two),
      CASE(logistic_regression_has_one_optimum),
      CASE(negative_curvature_is_left_behind),
      CASE(a_wall_of_nan_shortens_steps),
      CASE(walls_do_not_reset_the_count_of_iterations),
      CASE(a_minimum_behind_the_wall_is_not_reached_and_x_is_finite),
      CASE(a_start_that_is_not_finite_is_refused),
      CASE(the_iteration_limit_leaves_a_usable_state),
      CASE(a_gradient_of_the_wrong_sign_is_a_failure_to_converge),
      CASE(a_failing_callback_ends_the_run),
      CASE(the_progress_callback_can_stop_it),
      CASE(arguments_are_checked_first), CASE(every_allocation_may_fail))
