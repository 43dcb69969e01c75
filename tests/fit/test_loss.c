/* SPDX-License-Identifier: Apache-2.0 */
/* test_loss.c - a training objective is a functional like any other: its
 * callbacks agree with each other, and solve finds its stationary points. */
#include "base/random.h"
#include "check.h"
#include "scorefield/fit.h"
#include "scorefield/solve.h"

enum { ROWS = 60 };

/* Two clusters along a line, so that there is something to learn. */
static void cluster_rows(double *x)
{
    for (int64_t i = 0; i < ROWS; i++) {
        const sfi_where where = {9, (uint64_t)i, 0, SFI_STREAM_USER};
        const double side = i % 2 == 0 ? -2.0 : 2.0;
        x[2 * i] = side + 0.5 * sfi_normal_at(where, 0);
        x[2 * i + 1] = 10.0 + side + 0.3 * sfi_normal_at(where, 1);
    }
}

static double data[2 * ROWS];
static const sf_cmat table = {data, ROWS, 2, 2};

static sf_network_options small(sf_objective objective, bool energy)
{
    sf_network_options o = SF_NETWORK_OPTIONS_INIT;
    o.objective = objective;
    o.energy = energy;
    o.width = 5;
    o.layers = 2;
    o.steps = 60;
    o.batch = 64;
    o.noise_level = 0.3;
    return o;
}

static sf_model *trained_by(sf_context *ctx, sf_network_options o)
{
    cluster_rows(data);
    sf_model *m = NULL;
    CHECK_OK(ctx, sf_fit_network(ctx, &m, table, NULL, &o, NULL));
    return m;
}

static sf_model *trained(sf_context *ctx, sf_objective objective, bool energy)
{
    return trained_by(ctx, small(objective, energy));
}

static sf_loss *loss_of(sf_context *ctx, const sf_model *m,
                        sf_objective objective, int64_t draws)
{
    sf_loss_options o = SF_LOSS_OPTIONS_INIT;
    o.objective = objective;
    o.draws = draws;
    o.seed = 3;
    sf_loss *l = NULL;
    CHECK_OK(ctx, sf_loss_new(ctx, &l, m, table, &o));
    return l;
}

static double *weights_of(const sf_loss *l, int64_t *count)
{
    sf_functional f;
    sf_loss_functional((sf_loss *)(uintptr_t)l, &f);
    *count = f.unknowns;
    double *w = malloc((size_t)f.unknowns * sizeof *w);
    sf_loss_weights(l, w);
    return w;
}

TEST(value_gradient_and_hessian_agree_for_every_objective)
{
    sf_context *ctx = new_context();
    for (int objective = SF_OBJECTIVE_DSM; objective <= SF_OBJECTIVE_SLICED;
         objective++) {
        for (int energy = 0; energy < 2; energy++) {
            sf_model *m = trained(ctx, (sf_objective)objective, energy != 0);
            sf_loss *l = loss_of(ctx, m, (sf_objective)objective, 2);
            sf_functional f;
            sf_loss_functional(l, &f);
            int64_t n;
            double *w = weights_of(l, &n);
            double gradient_error, hvp_error;
            CHECK_OK(ctx, sf_functional_check(ctx, &gradient_error, &hvp_error,
                                              &f, w, 3, 1));
            CHECK(gradient_error < 1e-6);
            CHECK(hvp_error < 1e-6);
            free(w);
            sf_loss_free(l);
            sf_model_free(m);
        }
    }
    sf_context_free(ctx);
}

/* Walkers do not see each other, and the whole is the mean of its halves. */
TEST(walkers_are_independent_and_the_value_is_a_mean)
{
    sf_context *ctx = new_context();
    sf_model *m = trained(ctx, SF_OBJECTIVE_DSM, false);
    sf_loss *l = loss_of(ctx, m, SF_OBJECTIVE_DSM, 4);
    sf_functional f;
    sf_loss_functional(l, &f);
    int64_t n;
    double *w = weights_of(l, &n);
    double *both = malloc((size_t)(4 * n) * sizeof *both);
    double *gradient = both + 2 * n;
    for (int64_t j = 0; j < n; j++) {
        both[j] = w[j];
        both[n + j] = 0.5 * w[j];
    }
    double value[2], again[2], one;
    CHECK_OK(ctx, f.gradient(ctx, f.user, value, gradient, both, 2));
    CHECK_OK(ctx, f.value(ctx, f.user, again, both, 2));
    CHECK_OK(ctx, f.value(ctx, f.user, &one, both + n, 1));
    CHECK_CLOSE(again[0], value[0], 1e-14);
    CHECK(again[1] == one && value[0] != value[1]);

    free(both);
    free(w);
    sf_loss_free(l);
    sf_model_free(m);
    sf_context_free(ctx);
}

/* A loss with a penalty (r/2) |w|^2, without which some weights would grow for
 * ever: a functional made of a functional. */
static const double penalty = 1e-3;

static sf_status ridge_value(sf_context *ctx, void *user, double *value,
                             const double *x, int64_t walkers)
{
    const sf_functional *f = user;
    const int64_t n = f->unknowns;
    const sf_status status = f->value(ctx, f->user, value, x, walkers);
    for (int64_t j = 0; j < walkers * n; j++)
        value[j / n] += 0.5 * penalty * x[j] * x[j];
    return status;
}

static sf_status ridge_gradient(sf_context *ctx, void *user, double *value,
                                double *gradient, const double *x,
                                int64_t walkers)
{
    const sf_functional *f = user;
    const int64_t n = f->unknowns;
    const sf_status status =
        f->gradient(ctx, f->user, value, gradient, x, walkers);
    for (int64_t j = 0; j < walkers * n; j++) {
        gradient[j] += penalty * x[j];
        if (value != NULL)
            value[j / n] += 0.5 * penalty * x[j] * x[j];
    }
    return status;
}

static sf_status ridge_hvp(sf_context *ctx, void *user, double *hv,
                           const double *x, const double *v, int64_t walkers)
{
    const sf_functional *f = user;
    const sf_status status = f->hvp(ctx, f->user, hv, x, v, walkers);
    for (int64_t j = 0; j < walkers * f->unknowns; j++)
        hv[j] += penalty * v[j];
    return status;
}

/* Stochastic gradients stop near a stationary point; L-BFGS reaches it, and
 * Newton then needs a few steps for another five digits. */
TEST(solve_polishes_a_trained_network)
{
    sf_context *ctx = new_context();
    sf_network_options tiny = small(SF_OBJECTIVE_DSM, false);
    tiny.width = 4;
    tiny.layers = 1;
    sf_model *m = trained_by(ctx, tiny);
    sf_loss *l = loss_of(ctx, m, SF_OBJECTIVE_DSM, 16);
    sf_functional bare, f = SF_FUNCTIONAL_INIT;
    sf_loss_functional(l, &bare);
    f.unknowns = bare.unknowns;
    f.user = &bare;
    f.value = ridge_value;
    f.gradient = ridge_gradient;
    f.hvp = ridge_hvp;
    int64_t n;
    double *w = weights_of(l, &n), before;
    CHECK_OK(ctx, f.value(ctx, f.user, &before, w, 1));
    sf_lbfgs_options o = SF_LBFGS_OPTIONS_INIT;
    o.tolerance = 1e-5;
    o.max_iterations = 20000;
    sf_minimize_result r;
    CHECK_OK(ctx, sf_minimize_lbfgs(ctx, w, &r, &f, &o));
    CHECK(r.value < 0.95 * before);
    const double polished = r.value;
    sf_newton_options newton = SF_NEWTON_OPTIONS_INIT;
    newton.tolerance = 1e-11;
    newton.max_iterations = 20;
    CHECK_OK(ctx, sf_minimize_newton(ctx, w, &r, &f, &newton));
    CHECK(r.value <= polished + 1e-12);
    printf("loss %g, polished %g, Newton %g after %d steps\n", before, polished,
           r.value, (int)r.iterations);
    double stationary;
    CHECK_OK(ctx, bare.value(ctx, bare.user, &stationary, w, 1));

    sf_model *better = NULL;
    CHECK_OK(ctx, sf_loss_model(l, w, &better));
    sf_loss *again = loss_of(ctx, better, SF_OBJECTIVE_DSM, 16);
    sf_functional g;
    sf_loss_functional(again, &g);
    double value;
    int64_t same;
    double *rounded = weights_of(again, &same);
    CHECK(same == n);
    CHECK_OK(ctx, g.value(ctx, g.user, &value, rounded, 1));
    CHECK_NEAR(value, stationary, 1e-6); /* weights are held in f32 */
    free(rounded);
    sf_loss_free(again);
    sf_model_free(better);
    free(w);
    sf_loss_free(l);
    sf_model_free(m);
    sf_context_free(ctx);
}

TEST(arguments_are_checked)
{
    sf_context *ctx = new_context();
    sf_model *m = trained(ctx, SF_OBJECTIVE_DSM, false);
    sf_loss *l = (sf_loss *)1;
    sf_loss_options o = SF_LOSS_OPTIONS_INIT;
    o.objective = SF_OBJECTIVE_SLICED;
    CHECK_FAILS(ctx, sf_loss_new(ctx, &l, m, table, &o), SF_E_ARG,
                "want objective DSM or FLOW");
    assert_null(l);
    o.objective = SF_OBJECTIVE_DSM;
    o.draws = 0;
    CHECK_FAILS(ctx, sf_loss_new(ctx, &l, m, table, &o), SF_E_ARG,
                "draws is 0");
    const sf_cmat narrow = {data, ROWS, 1, 2};
    CHECK_FAILS(ctx, sf_loss_new(ctx, &l, m, narrow, NULL), SF_E_SHAPE,
                "1 columns, the model has 2");
    data[5] = NAN;
    CHECK_FAILS(ctx, sf_loss_new(ctx, &l, m, table, NULL), SF_E_NUMERIC,
                "row 2, column 1");
    cluster_rows(data);
    sf_model *gaussian = NULL;
    CHECK_OK(ctx, sf_fit_gaussian(ctx, &gaussian, table, NULL));
    CHECK_FAILS(ctx, sf_loss_new(ctx, &l, gaussian, table, NULL),
                SF_E_UNSUPPORTED, "no weights that are trained");
    l = loss_of(ctx, m, SF_OBJECTIVE_DSM, 1);
    int64_t n;
    double *w = weights_of(l, &n);
    w[3] = 1e300; /* finite, but not in f32 */
    sf_model *out = NULL;
    CHECK_FAILS(ctx, sf_loss_model(l, w, &out), SF_E_NUMERIC, "weight 3");
    assert_null(out);
    free(w);
    sf_loss_free(l);
    sf_model_free(gaussian);
    sf_model_free(m);
    sf_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(value_gradient_and_hessian_agree_for_every_objective),
        CASE(walkers_are_independent_and_the_value_is_a_mean),
        CASE(solve_polishes_a_trained_network),
        CASE(arguments_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
